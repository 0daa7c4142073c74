/* SPDX-License-Identifier: MIT */
#include "softmmu/program/record/divergence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accel/lockstep.h"
#include "accel/travel.h"
#include "softmmu/error.h"
#include "softmmu/program/record/record.h"
#include "softmmu/program/record/rerun.h"
#include "target-i386/cpu.h"
#include "target-i386/disas.h"

#define PORTABLE    "interp"
#define EVENTS_MAX  8  /* shown of those near */
#define EVENT_BYTES 16 /* shown of each */
#define MAX_INSN    15

typedef struct Side {
    const char *name; /* for the user */
    Rerun run;
} Side;

/* ---- What is told ---------------------------------------------------------------------------- */

static void print_event(const RecordReader *r, const RecordItem *item, GString *out)
{
    g_string_append_printf(out, "  at %" PRIu64 ": %s, %zu byte%s:", item->at.count,
                           record_channel_names(r)[item->channel], item->len,
                           item->len == 1 ? "" : "s");
    for (size_t i = 0; i < MIN(item->len, EVENT_BYTES); i++)
        g_string_append_printf(out, " %02x", item->data[i]);
    g_string_append(out, item->len > EVENT_BYTES ? " ...\n" : "\n");
}

/* Of @r, which is read to there, the last that came until @count. */
static void print_events(RecordReader *r, uint64_t from, uint64_t count, GString *out)
{
    g_autoptr(GQueue) lines = g_queue_new();
    uint64_t left_out = 0;
    RecordItem item;
    char *line;

    while (record_next(r, &item) && item.at.count <= count) {
        g_autoptr(GString) text = g_string_new("");

        if (item.kind != RECORD_EVENT || item.at.count < from)
            continue;
        print_event(r, &item, text);
        g_queue_push_tail(lines, g_string_free(g_steal_pointer(&text), FALSE));
        if (lines->length > EVENTS_MAX) {
            g_free(g_queue_pop_head(lines));
            left_out++;
        }
    }
    g_string_append_printf(out, "What reached the machine from outside since %" PRIu64 ":%s\n",
                           from, lines->length ? "" : " nothing");
    if (left_out)
        g_string_append_printf(out, "  (%" PRIu64 " before)\n", left_out);
    while ((line = g_queue_pop_head(lines))) {
        g_string_append(out, line);
        g_free(line);
    }
}

static void print_events_of(const char *path, uint64_t from, uint64_t count, GString *out)
{
    RecordReader *r = record_open(path, NULL);

    if (r)
        print_events(r, from, count, out);
    record_reader_free(r);
}

static char *registers(const Side *s, unsigned cpu)
{
    GString *out = g_string_new("");

    x86_cpu_ops.print_registers(accel_cpu(s->run.built.accel, cpu), out);
    return g_string_free(out, FALSE);
}

static void print_instruction(const Side *s, unsigned n, GString *out)
{
    Cpu *cpu = accel_cpu(s->run.built.accel, n);
    CpuX86 *c = x86(cpu);
    uint64_t addr = c->cpu.pc + (x86_is_64bit_code(c) ? 0 : c->segs[SEG_CS].base);
    g_autoptr(GString) text = g_string_new("");
    uint8_t bytes[MAX_INSN];
    unsigned len = 0;

    while (len < MAX_INSN && cpu_peek(cpu, addr + len, &bytes[len], 1))
        len++;
    x86_print_code(cpu, c->mode, addr, bytes, len, text);
    g_string_truncate(text, strcspn(text->str, "\n"));
    g_string_append_printf(out, "  %s\n", len ? text->str : "(no memory there)");
}

/* Lines of both that are not the same. */
static void print_lines(const char *name, const char *text, const char *other, GString *out)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1), others = g_strsplit(other, "\n", -1);
    unsigned n = g_strv_length(others);

    for (unsigned i = 0; lines[i]; i++)
        if (i >= n || strcmp(lines[i], others[i]))
            g_string_append_printf(out, "  %s: %s\n", name, lines[i]);
}

static bool devices_differ(Device *a, Device *b)
{
    g_autoptr(GByteArray) x = g_byte_array_new(), y = g_byte_array_new();

    if (!a->klass->state || !b->klass->state)
        return a->klass != b->klass;
    state_save(a->klass->state, a->klass->state_of ? a->klass->state_of(a) : a, x);
    state_save(b->klass->state, b->klass->state_of ? b->klass->state_of(b) : b, y);
    return x->len != y->len || (x->len && memcmp(x->data, y->data, x->len));
}

static void print_devices(Device *a, Device *b, GString *out)
{
    if (devices_differ(a, b))
        g_string_append_printf(out, " %s", a->id);
    for (guint i = 0; i < a->children->len && i < b->children->len; i++)
        print_devices(a->children->pdata[i], b->children->pdata[i], out);
}

static void print_memory(const Side *a, const Side *b, GString *out)
{
    const GPtrArray *blocks = ram_set_blocks(a->run.built.machine.ram),
                    *others = ram_set_blocks(b->run.built.machine.ram);

    for (guint i = 0; i < blocks->len && i < others->len; i++) {
        const RamBlock *x = blocks->pdata[i], *y = others->pdata[i];
        uint64_t at = 0;

        if (x->size != y->size || !memcmp(x->host, y->host, x->size))
            continue;
        while (x->host[at] == y->host[at])
            at++;
        g_string_append_printf(out, "Memory differs first in %s at 0x%" PRIx64 ": %02x and %02x\n",
                               x->name, at, x->host[at], y->host[at]);
    }
}

static void print_difference(Side side[2], GString *out)
{
    g_string_append(out, "Devices and CPUs that differ:");
    print_devices(side[0].run.built.machine.root, side[1].run.built.machine.root, out);
    g_string_append_c(out, '\n');
    print_memory(&side[0], &side[1], out);
}

/* The CPU whose registers one step changes; the first of several. */
static unsigned moved_cpu(const Side side[2], char **const before)
{
    for (unsigned n = 0; before[n]; n++) {
        for (unsigned i = 0; i < 2; i++) {
            g_autofree char *now = registers(&side[i], n);
            if (strcmp(now, before[n]))
                return n;
        }
    }
    return 0;
}

/* Both are before the step after which they differ. */
static void print_step(Side side[2], GString *out)
{
    Accel *a = side[0].run.built.accel;
    uint64_t count = accel_instruction_count(a), step = travel_steps(a) + 1;
    unsigned cpus = accel_cpu_count(a), n;
    g_auto(GStrv) before = g_new0(char *, cpus + 1);
    g_auto(GStrv) code = g_new0(char *, cpus + 1);

    for (n = 0; n < cpus; n++) {
        GString *text = g_string_new("");

        before[n] = registers(&side[0], n);
        print_instruction(&side[0], n, text);
        code[n] = g_string_free(text, FALSE);
    }
    for (unsigned i = 0; i < 2; i++)
        lockstep_run(&side[i].run.step, UINT64_MAX, step);
    n = moved_cpu(side, before);
    g_autofree char *x = registers(&side[0], n), *y = registers(&side[1], n);

    g_string_append_printf(out,
                           "They part at the instruction after %" PRIu64 ", on CPU %u:\n%s"
                           "State before it, of both:\n%s",
                           count, n, code[n], before[n]);
    g_string_append(out, strcmp(x, y) ? "State after it, where it differs:\n"
                                      : "Its CPU does not differ after it, but what it met or what"
                                        " came from outside then does.\n");
    print_lines(side[0].name, x, y, out);
    print_lines(side[1].name, y, x, out);
    print_difference(side, out);
}

/* ---- Finding it ------------------------------------------------------------------------------ */

/* From where they are, which is @from, until @count. False: they agree all the way. */
static bool find(Side side[2], uint64_t count, GString *out)
{
    const LockstepSide steps[2] = { side[0].run.step, side[1].run.step };

    if (!lockstep_agree(&steps[0], &steps[1])) {
        g_string_append(out, "They differ before the first instruction.\n");
        print_difference(side, out);
        return true;
    }
    if (!lockstep_find(steps, count))
        return false;
    print_step(side, out);
    return true;
}

/* ---- A replay that diverged ------------------------------------------------------------------ */

static bool is_portable(const Options *o)
{
    return !g_strcmp0(o->config.accel_backend, PORTABLE);
}

/* *@found: what there is to be found has been told. @copied: the other back end begins at
 * @agreed, in the other's state; else both at the beginning. False with @error: it could not be
 * tried. */
static bool explain(Side side[2], const Options *o, bool copied, uint64_t agreed, uint64_t count,
                    bool *found, GString *out, GError **error)
{
    side[0].name = is_portable(o) ? "portable back end" : "this back end";
    side[1].name = is_portable(o) ? "this host's back end" : "portable back end";
    if (!rerun_open(&side[0].run, o, NULL, o->replay_file, error) ||
        !rerun_open(&side[1].run, o, is_portable(o) ? "" : PORTABLE, o->replay_file, error))
        return false;
    if (copied && !lockstep_run(&side[0].run.step, agreed, UINT64_MAX)) {
        error_set(error, "this time it ended before that");
        return false;
    }
    if (copied && !lockstep_copy(&side[0].run.step, &side[1].run.step, error))
        return false;
    *found = find(side, count, out);
    if (!*found) /* if it is halted there, that is seen later */
        lockstep_run(&side[0].run.step, count + 1, UINT64_MAX);
    if (!*found && !session_result(side[0].run.built.accel).why) {
        g_string_append(out, "Run again, it did not diverge.\n");
        *found = true;
    }
    return true;
}

static void print_agreement(GString *out)
{
    g_string_append(out,
                    "The other back end takes the same way, memory included. So the two that are"
                    " here do not differ, but the machine as this version models it, the"
                    " engine that recorded, or what the recording says reached it.\n");
}

void divergence_explain(const Options *o, uint64_t agreed, uint64_t count, GString *out)
{
    bool found = false;
    GError *error = NULL;

    for (int copied = 1; copied >= 0 && !found && !error; copied--) {
        Side side[2] = { 0 };

        if (!copied && agreed)
            fprintf(stderr, "mimus: both go the same way from there; looking at all of it\n");
        if (copied || agreed)
            explain(side, o, copied, agreed, count, &found, out, &error);
        for (unsigned i = 0; i < 2; i++)
            rerun_close(&side[i].run);
    }
    if (error)
        g_string_append_printf(out, "It could not be run again: %s\n", error->message);
    else if (!found)
        print_agreement(out);
    g_clear_error(&error);
    print_events_of(o->replay_file, agreed, count, out);
}

/* ---- Two recordings -------------------------------------------------------------------------- */

static bool compare_from(Side side[2], const Options o[2], const char *const path[2],
                         uint64_t agreed, uint64_t count, GString *out, GError **error)
{
    side[0].name = "first";
    side[1].name = "second";
    for (unsigned i = 0; i < 2; i++)
        if (!rerun_open(&side[i].run, &o[i], NULL, path[i], error))
            return false;
    if (!agreed)
        return find(side, count, out);
    for (unsigned i = 0; i < 2; i++)
        lockstep_run(&side[i].run.step, agreed, UINT64_MAX);
    return lockstep_agree(&side[0].run.step, &side[1].run.step) && find(side, count, out);
}

void divergence_compare(const char *const path[2], uint64_t agreed, uint64_t count, GString *out)
{
    RecordReader *reader[2] = { 0 };
    Options o[2] = { 0 };
    GError *error = NULL;
    bool found = false;

    for (unsigned i = 0; i < 2 && !error; i++)
        reader[i] = record_options(&o[i], path[i], &error);
    for (uint64_t from = agreed;; from = 0) {
        Side side[2] = { 0 };

        found = !error && compare_from(side, o, path, from, count, out, &error);
        for (unsigned i = 0; i < 2; i++)
            rerun_close(&side[i].run);
        if (found || error || !from)
            break;
    }
    if (error)
        g_string_append_printf(out, "They could not be run: %s\n", error->message);
    else if (!found)
        g_string_append(out, "Run again here, their machines agree until then.\n");
    g_clear_error(&error);
    for (unsigned i = 0; i < 2; i++) {
        options_clear(&o[i]);
        record_reader_free(reader[i]);
    }
}
