/* SPDX-License-Identifier: MIT */
/* Commands about recordings: where one is, and going elsewhere in it. What they do to a replay is
 * no input of its machine. */
#include <string.h>

#include "softmmu/program/qmp/internal.h"

static const char *mode_of(Qmp *q, const char **file)
{
    *file = NULL;
    return q->w.travel.mode ? q->w.travel.mode(q->w.travel.opaque, file) : "none";
}

static uint64_t count_of(Qmp *q)
{
    uint64_t count = 0, step;

    if (q->w.travel.where)
        q->w.travel.where(q->w.travel.opaque, &count, &step);
    return count;
}

static bool can_travel(Qmp *q, const char *otherwise, GError **error)
{
    if (q->w.travel.is_possible && q->w.travel.is_possible(q->w.travel.opaque))
        return true;
    error_set(error, "%s", otherwise);
    return false;
}

static Json *run_query_replay(Qmp *q, Json *args, GError **error)
{
    const char *file, *mode = mode_of(q, &file);

    return json_make("mode:s filename:s icount:u", mode, file, count_of(q));
}

static Json *run_break(Qmp *q, Json *args, GError **error)
{
    int64_t count = json_int(args, "icount", 0);

    if (!can_travel(q, "setting the breakpoint is allowed only in play mode", error))
        return NULL;
    if (count < 0 || (uint64_t)count <= count_of(q)) {
        error_set(error, "cannot set breakpoint at the instruction in the past");
        return NULL;
    }
    q->w.travel.set_break(q->w.travel.opaque, count);
    return json_done();
}

static Json *run_delete_break(Qmp *q, Json *args, GError **error)
{
    if (!can_travel(q, "replay breakpoints are allowed only in play mode", error))
        return NULL;
    q->w.travel.set_break(q->w.travel.opaque, UINT64_MAX);
    return json_done();
}

static Json *run_seek(Qmp *q, Json *args, GError **error)
{
    int64_t count = json_int(args, "icount", 0);

    if (!can_travel(q, "replay must be enabled to seek", error))
        return NULL;
    if (count < 0) {
        error_set(error, "Parameter 'icount' expects a count of instructions");
        return NULL;
    }
    q->w.travel.to_count(q->w.travel.opaque, count);
    return json_done();
}

const QmpCommand qmp_replay_commands[] = {
    { "query-replay", "", run_query_replay },
    { "replay-break", "icount:int", run_break },
    { "replay-delete-break", "", run_delete_break },
    { "replay-seek", "icount:int", run_seek },
    { NULL },
};
