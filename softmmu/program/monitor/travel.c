/* SPDX-License-Identifier: MIT */
/* The monitor's commands about recordings: where a replay is, and going elsewhere in it; recording
 * a machine that runs. */
#include <inttypes.h>
#include <string.h>

#include "softmmu/program/monitor/internal.h"

static bool can_travel(const Monitor *mon, GString *out)
{
    if (mon->travel.is_possible && mon->travel.is_possible(mon->travel.opaque))
        return true;
    g_string_append(out, "no recording is replayed here that could be gone back in\n");
    return false;
}

/* A count as people write them: also 3e9. */
static bool take_count(Monitor *mon, const char *text, uint64_t *count, GString *out)
{
    g_autoptr(GError) error = NULL;
    char *end;
    double value = g_ascii_strtod(text, &end);

    if (g_ascii_isdigit(*text) && !*end && strpbrk(text, "eE.") && !strpbrk(text, "xX") &&
        value < 0x1p63) {
        *count = value;
        return true;
    }
    if (monitor_evaluate(mon, text, count, &error))
        return true;
    g_string_append_printf(out, "%s\n", error->message);
    return false;
}

void monitor_set_travel(Monitor *mon, const MonitorTravel *travel)
{
    mon->travel = *travel;
}

void monitor_when(Monitor *mon, const char *args, GString *out)
{
    uint64_t count, step;

    if (!can_travel(mon, out))
        return;
    mon->travel.where(mon->travel.opaque, &count, &step);
    g_string_append_printf(out, "%" PRIu64 "\n", count);
}

void monitor_info_replay(Monitor *mon, const char *args, GString *out)
{
    const MonitorTravel *t = &mon->travel;
    const char *file = NULL, *mode = t->mode ? t->mode(t->opaque, &file) : "none";
    uint64_t count, step;

    if (!strcmp(mode, "none")) {
        g_string_append(out, "Record/replay is not active\n");
        return;
    }
    t->where(t->opaque, &count, &step);
    g_string_append_printf(out, "%s execution '%s': instruction count = %" PRIu64 "\n",
                           *mode == 'r' ? "Recording" : "Replaying", file, count);
    if (t->is_possible(t->opaque))
        t->print(t->opaque, out);
}

void monitor_goto(Monitor *mon, const char *args, GString *out)
{
    uint64_t count = UINT64_MAX / 2;

    if (!can_travel(mon, out))
        return;
    if (!strcmp(args, "begin"))
        count = 0;
    else if (strcmp(args, "end") && !take_count(mon, args, &count, out))
        return;
    mon->travel.to_count(mon->travel.opaque, count);
}

void monitor_checkpoint(Monitor *mon, const char *args, GString *out)
{
    uint64_t count, step;

    if (!can_travel(mon, out))
        return;
    mon->travel.where(mon->travel.opaque, &count, &step);
    g_array_append_val(mon->checkpoints, step);
    g_string_append_printf(out, "checkpoint %u at %" PRIu64 "\n", mon->checkpoints->len, count);
}

void monitor_restart(Monitor *mon, const char *args, GString *out)
{
    uint64_t number;

    if (!can_travel(mon, out) || !take_count(mon, args, &number, out))
        return;
    if (number - 1 < mon->checkpoints->len)
        mon->travel.to_step(mon->travel.opaque,
                            g_array_index(mon->checkpoints, uint64_t, number - 1));
    else
        g_string_append_printf(out, "there is no checkpoint %" PRIu64 "\n", number);
}

void monitor_last_write(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = g_strsplit_set(args, " ,", 2);
    uint64_t addr, len = 8;

    if (!can_travel(mon, out) || !take_count(mon, words[0] ? words[0] : "", &addr, out) ||
        (words[0] && words[1] && !take_count(mon, words[1], &len, out)))
        return;
    if (len && len <= 4096 && addr + len > addr)
        mon->travel.to_access(mon->travel.opaque, addr, len, true);
    else
        g_string_append(out, "a length is from 1 to 4096\n");
}

void monitor_last_exec(Monitor *mon, const char *args, GString *out)
{
    uint64_t addr;

    if (can_travel(mon, out) && take_count(mon, args, &addr, out))
        mon->travel.to_access(mon->travel.opaque, addr, 1, false);
}

void monitor_replay_break(Monitor *mon, const char *args, GString *out)
{
    uint64_t count;

    if (can_travel(mon, out) && take_count(mon, args, &count, out))
        mon->travel.set_break(mon->travel.opaque, count);
}

void monitor_replay_delete_break(Monitor *mon, const char *args, GString *out)
{
    if (can_travel(mon, out))
        mon->travel.set_break(mon->travel.opaque, UINT64_MAX);
}

void monitor_go_live(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!can_travel(mon, out))
        return;
    if (mon->travel.go_live(mon->travel.opaque, args, &error))
        g_string_append(out, "the recording is left: what happens from here on is new\n");
    else
        g_string_append_printf(out, "Error: %s\n", error->message);
}

void monitor_set_record(Monitor *mon, const MonitorRecord *record)
{
    mon->record = *record;
}

void monitor_begin_record(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!mon->record.begin)
        g_string_append(out, "there is nothing to record\n");
    else if (!*args)
        g_string_append(out, "the file is missing\n");
    else if (!mon->record.begin(mon->record.opaque, args, &error))
        g_string_append_printf(out, "Error: %s\n", error->message);
}

void monitor_end_record(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!mon->record.end)
        g_string_append(out, "nothing is recorded\n");
    else if (!mon->record.end(mon->record.opaque, &error))
        g_string_append_printf(out, "Error: %s\n", error->message);
}
