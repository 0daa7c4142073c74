/* SPDX-License-Identifier: MIT */
/*
 * Recording and replaying, as the machine thread's loop sees them (design D7). Both count
 * instructions. Everything happens between slices, at a moment that three numbers name: the count,
 * virtual time, and turns, i.e. how often timers ran or requests were honoured. The ends of slices
 * are the same in a recording and its replay: they are exact, and the only CPU's are on a grid.
 */
#include "accel/session.h"

#include <inttypes.h>
#include <string.h>

#include "accel/engine.h"
#include "accel/plugin/instrument.h"
#include "accel/plugin/mimus-plugin.h"
#include "softmmu/device.h"

#define HASH_INTERVAL (UINT64_C(1) << 22)

struct Session {
    Accel *accel;
    RecordWriter *writer; /* recording */
    void (*failed)(const char *why);
    uint64_t next_hash;
    GPtrArray *told;      /* char *: names of channels, as the recording has them */
    RecordReader *reader; /* replaying */
    GArray *channel;      /* int: of this machine, by channel of the recording */
    RecordItem item;      /* the next to come, if any */
    RecordPlace place;    /* … came from there */
    bool has_item;
    SessionResult result;
    bool ends; /* this recording, when the moment's input has been heard */
};

static RecordStamp now(const Accel *a)
{
    return (RecordStamp){ a->count, (uint64_t)accel_clock_source((void *)a), a->turn };
}

static uint64_t devices_hash(const Accel *a)
{
    return device_tree_hash(a->machine->root, 0);
}

/* ---- Recording ------------------------------------------------------------------------------ */

static void check_writer(Session *s)
{
    const char *why = s->writer ? record_failure(s->writer) : NULL;

    if (!why)
        return;
    s->failed(why);
    record_close(s->writer);
    s->writer = NULL;
}

/* What was told of a channel stays, even if that has been closed since. */
static void write_channels(Session *s)
{
    g_autofree const char **names = input_channel_names(s->accel->machine->input);

    if (s->told->len)
        g_ptr_array_set_size(s->told, s->told->len - 1); /* the NULL */
    for (guint i = s->told->len; names[i]; i++)
        g_ptr_array_add(s->told, g_strdup(names[i]));
    g_ptr_array_add(s->told, NULL);
    record_channels(s->writer, (const char *const *)s->told->pdata);
}

static void heard(void *opaque, uint64_t count, int channel, const void *data, size_t len)
{
    Session *s = opaque;
    RecordStamp at = now(s->accel);

    if (!s->writer)
        return;
    if ((guint)channel + 1 >= s->told->len)
        write_channels(s);
    if (((char *)s->told->pdata[channel])[0]) /* else it has been closed since */
        record_event(s->writer, &at, channel, data, len);
    check_writer(s);
}

static void record_turn(Session *s)
{
    Accel *a = s->accel;
    RecordStamp at = now(a);

    if (a->count < s->next_hash)
        return;
    s->next_hash = (a->count / HASH_INTERVAL + 1) * HASH_INTERVAL;
    if (!s->writer)
        return;
    record_hash(s->writer, &at, devices_hash(a));
    check_writer(s);
}

void session_record(Accel *a, RecordWriter *w, void (*failed)(const char *why))
{
    Session *s = g_new0(Session, 1);

    g_assert(a->icount_shift >= 0 && !a->session);
    s->accel = a;
    s->writer = w;
    s->failed = failed;
    s->told = g_ptr_array_new_with_free_func(g_free);
    write_channels(s);
    input_set_tap(a->machine->input, heard, s);
    a->session = s;
}

bool session_is_recording(const Accel *a)
{
    return a->session && !a->session->reader;
}

const char *session_refusal(const Accel *a)
{
    if (a->icount_shift < 0)
        return "time must be counted from the start: use -icount";
    if (a->session)
        return "a recording is made or replayed already";
    if (a->debug.left)
        return "a debugger has stopped a CPU in the middle of its turn";
    return NULL;
}

void session_stop_recording(Accel *a)
{
    a->session->ends = true;
}

static void end_recording(Session *s)
{
    RecordStamp at = now(s->accel);

    if (s->writer)
        record_end(s->writer, &at, machine_state_hash(s->accel->machine));
    check_writer(s);
}

/* ---- Replaying ------------------------------------------------------------------------------ */

static void advance(Session *s)
{
    s->place = record_place(s->reader);
    s->has_item = record_next(s->reader, &s->item);
}

/* It is over, one way or the other. */
static void finish(Session *s, const char *why)
{
    Accel *a = s->accel;

    s->result.count = a->count;
    s->result.why = why;
    s->result.finished = true;
    plugin_machine_event(a, MIMUS_REPLAY_END, why);
    if (a->machine->stays)
        debug_end(a);
    else
        machine_request_quit(a->machine, 0);
}

static void compare(Session *s, uint64_t hash, const char *what)
{
    if (hash != s->item.hash) {
        finish(s, what);
        return;
    }
    s->result.agreed = s->accel->count;
    s->result.hashes++;
}

static bool find_channel(const char **names, const char *name, int *channel)
{
    for (*channel = 0; names[*channel]; ++*channel)
        if (!strcmp(names[*channel], name))
            return true;
    return false;
}

/* This machine's, for one of the recording; -1: it has none. They are found when the first event
 * comes, as one may come, go and come again by the same name. */
static int channel_of(Session *s, unsigned recorded)
{
    const char *name = record_channel_names(s->reader)[recorded];
    g_autofree const char **names = NULL;
    int *channel;

    while (s->channel->len <= recorded)
        g_array_append_val(s->channel, (int){ -1 });
    channel = &g_array_index(s->channel, int, recorded);
    if (*channel < 0) {
        names = input_channel_names(s->accel->machine->input);
        if (!find_channel(names, name, channel))
            *channel = -1;
    }
    return *channel;
}

static void give_event(Session *s)
{
    const RecordItem *item = &s->item;
    int channel = channel_of(s, item->channel);

    if (channel >= 0)
        input_replay(s->accel->machine->input, channel, item->data, item->len);
    else
        finish(s, "something was recorded for a device that is not there");
}

static void give_item(Session *s)
{
    if (s->item.kind == RECORD_HASH)
        compare(s, devices_hash(s->accel), "the state of CPUs or devices differs");
    else
        give_event(s);
}

/* <0, 0, >0: the next item's moment is past, now, to come. A run that is as it was is never at a
 * later time with fewer instructions behind it: one that is halted for good is found so. */
static int item_order(const Session *s)
{
    RecordStamp at = now(s->accel);
    int order = record_stamp_compare(&s->item.at, &at);

    return order > 0 && at.time_ns > s->item.at.time_ns ? -1 : order;
}

static void replay_turn(Session *s)
{
    while (!s->result.finished && s->has_item && s->item.kind != RECORD_END) {
        int order = item_order(s);

        if (order > 0)
            return;
        if (order < 0) {
            finish(s, "the moment at which something was recorded did not come");
            return;
        }
        give_item(s);
        advance(s);
    }
}

static void check_end(Session *s)
{
    int order;

    if (s->result.finished)
        return;
    if (!s->has_item) {
        finish(s, NULL);
        return;
    }
    order = item_order(s);
    if (s->item.kind != RECORD_END || order > 0)
        return;
    if (order < 0) {
        finish(s, "the moment at which the recording ended did not come");
        return;
    }
    compare(s, machine_state_hash(s->accel->machine), "the state at the end differs");
    finish(s, s->result.why);
    s->result.complete = !s->result.why;
}

void session_replay(Accel *a, RecordReader *r)
{
    Session *s = g_new0(Session, 1);

    g_assert(a->icount_shift >= 0 && !a->session);
    s->accel = a;
    s->reader = r;
    s->channel = g_array_new(FALSE, FALSE, sizeof(int));
    a->session = s;
    advance(s);
}

RecordStamp session_stamp(const Accel *a)
{
    return now(a);
}

bool session_is_replay(const Accel *a)
{
    return a->session && a->session->reader;
}

SessionPlace session_place(const Accel *a)
{
    return (SessionPlace){ a->session->place, a->session->result };
}

void session_seek(Accel *a, const SessionPlace *place)
{
    Session *s = a->session;

    record_seek(s->reader, &place->next);
    advance(s);
    s->result = place->result;
}

void session_go_live(Accel *a)
{
    input_set_replaying(a->machine->input, false);
    session_free(a);
}

SessionResult session_result(const Accel *a)
{
    return a->session->result;
}

/* ---- In the loop ---------------------------------------------------------------------------- */

/* The user has stopped the replay: nothing is to happen to the machine. */
static bool is_stopped(const Machine *m)
{
    return m->state == RUN_PRELAUNCH || m->state == RUN_PAUSED || m->state == RUN_DEBUG;
}

void session_turn(Accel *a)
{
    Session *s = a->session;

    if (!s || is_stopped(a->machine))
        return;
    if (s->reader)
        replay_turn(s);
    else
        record_turn(s);
}

bool session_before_slice(Accel *a)
{
    Session *s = a->session;
    RecordStamp at;

    if (s && s->ends) {
        end_recording(s);
        session_free(a);
        return false;
    }
    if (!s || !s->reader || is_stopped(a->machine))
        return false;
    check_end(s);
    at = now(a);
    return s->result.finished || (s->has_item && !record_stamp_compare(&s->item.at, &at));
}

int64_t session_slice_limit(const Accel *a)
{
    const Session *s = a->session;
    uint64_t next = a->count + SESSION_GRID - a->count % SESSION_GRID;

    if (s->has_item && s->item.at.count > a->count)
        next = MIN(next, s->item.at.count);
    return (int64_t)(next - accel_instruction_count((Accel *)a));
}

bool session_before_sleep(Accel *a)
{
    Session *s = a->session;

    if (s && s->writer) {
        record_flush(s->writer);
        check_writer(s);
    }
    if (!s || !s->reader)
        return true;
    finish(s, "all CPUs are halted for good where the recording went on");
    return false;
}

/* Input that came while nothing ran comes at that time again. */
int64_t session_idle_limit(const Accel *a)
{
    const Session *s = a->session;
    RecordStamp at;

    if (!s || !s->has_item)
        return INT64_MAX;
    at = now(a);
    if (s->item.at.count > at.count || s->item.at.time_ns <= at.time_ns)
        return INT64_MAX;
    return s->item.at.time_ns - at.time_ns;
}

void session_before_nap(Accel *a)
{
    Session *s = a->session;

    if (!s || !s->writer)
        return;
    record_flush_late(s->writer);
    check_writer(s);
}

void session_end(Accel *a)
{
    Session *s = a->session;

    if (!s)
        return;
    end_recording(s);
    if (s->reader && !s->result.finished) {
        check_end(s);
        if (!s->result.finished)
            s->result.count = a->count; /* the user has had enough */
    }
}

void session_free(Accel *a)
{
    Session *s = a->session;

    if (!s)
        return;
    input_set_tap(a->machine->input, NULL, NULL);
    record_close(s->writer);
    if (s->told)
        g_ptr_array_unref(s->told);
    if (s->channel)
        g_array_unref(s->channel);
    g_free(s);
    a->session = NULL;
}
