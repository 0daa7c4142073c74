/* SPDX-License-Identifier: MIT */
/*
 * Writes the native trace: every instruction, every access with its value (doc/trace.md).
 * Arguments: out=FILE; level=1 … 19 of zstd (default 0: the quickest); range=A..B: only
 * instructions there; insns=N: then exit; accesses=off.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <mimus-plugin.h>

#include "accel/plugin/trace-file.h"

MIMUS_PLUGIN;

#define QUICKEST -3 /* of zstd: a fifth more bytes than 1, at half its time */

static const char *path;
static uint64_t level, insns;
static MimusRange range = { 0, UINT64_MAX };
static bool accesses = true;
static TraceWriter *writer;
static bool ended;

/* Bytes of instructions, each kind once: blocks come and go, and runs speak of them later. */
#define BUCKETS (1u << 16)
static struct Kept {
    uint8_t size, bytes[TRACE_INSN_MAX];
    struct Kept *next;
} * kept[BUCKETS];

static uint8_t *keep_bytes(const uint8_t *bytes, size_t size)
{
    struct Kept k = { .size = (uint8_t)(size < TRACE_INSN_MAX ? size : TRACE_INSN_MAX) }, *have;
    uint64_t low, high = 0;
    unsigned b;

    memcpy(k.bytes, bytes, k.size);
    memcpy(&low, k.bytes, 8);
    memcpy(&high, k.bytes + 8, TRACE_INSN_MAX - 8);
    b = (unsigned)((low ^ high * 31) * 0x9e3779b97f4a7c15ull >> 48);
    for (have = kept[b]; have; have = have->next)
        if (have->size == k.size && !memcmp(have->bytes, k.bytes, TRACE_INSN_MAX))
            return have->bytes;
    have = malloc(sizeof(k));
    if (!have)
        abort();
    k.next = kept[b];
    *have = k;
    kept[b] = have;
    return have->bytes;
}

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    for (size_t i = 0; i < mimus_block_insns(b); i++) {
        MimusInsn *insn = mimus_block_insn(b, i);
        uint64_t pc = mimus_insn_vaddr(insn);

        if (pc - range.first > range.last - range.first)
            continue;
        mimus_insn_record(insn, keep_bytes(mimus_insn_bytes(insn), mimus_insn_size(insn)));
        if (accesses)
            mimus_insn_record_access(insn, MIMUS_LOAD | MIMUS_STORE, NULL);
    }
}

/* The writer's path, which is found once. */
static TracePath *path_of(const MimusPath *path)
{
    static const uint8_t kinds[] = { [MIMUS_RECORD_INSN] = TRACE_STEP_INSN,
                                     [MIMUS_RECORD_LOAD] = TRACE_STEP_LOAD,
                                     [MIMUS_RECORD_STORE] = TRACE_STEP_STORE };
    TraceStep *step;

    if (*path->own)
        return *path->own;
    step = calloc(path->nsteps, sizeof(*step));
    if (!step)
        abort();
    for (unsigned i = 0; i < path->nsteps; i++) {
        const MimusStep *s = &path->step[i];
        step[i] = (TraceStep){ .kind = kinds[s->kind],
                               .size = s->size,
                               .word = s->word,
                               .address = s->address,
                               .delta = s->delta,
                               .offset = s->offset,
                               .bytes = s->data };
    }
    *path->own = trace_writer_path(writer, step, path->nsteps);
    free(step);
    return *path->own;
}

/* @insns have been written before the end of this one. */
static void run_to_end(MimusPlugin *p, const MimusRun *r, TracePath *t)
{
    unsigned to = trace_path_prefix(t, r->from, insns - trace_writer_count(writer));

    if (to < r->to) {
        ended = true;
        mimus_exit(p, 0);
    }
    to = to < r->to ? to : r->to;
    if (to > r->from)
        trace_writer_run(writer, t, r->base, r->word, r->from, to, r->cpu);
    if (r->aborted && !ended)
        trace_writer_abort(writer);
}

static void run_slowly(MimusPlugin *p, const MimusRun *r)
{
    TracePath *t = path_of(r->path);

    if (insns && insns - trace_writer_count(writer) <= trace_path_insns(t)) {
        run_to_end(p, r, t);
        return;
    }
    if (r->to > r->from)
        trace_writer_run(writer, t, r->base, r->word, r->from, r->to, r->cpu);
    if (r->aborted)
        trace_writer_abort(writer);
}

/* Of @n runs, how many will not come to the last instruction that is wanted. */
static size_t far_from_end(size_t n)
{
    uint64_t far = insns ? (insns - trace_writer_count(writer)) / TRACE_STEPS_MAX : n;

    return far < n ? (size_t)far : n;
}

static void ran(MimusPlugin *p, const MimusRun *r, size_t n, void *opaque)
{
    for (const MimusRun *end = r + n; r < end && !ended;) {
        r += trace_writer_runs(writer, r, far_from_end((size_t)(end - r)));
        if (r < end)
            run_slowly(p, r++);
    }
}

bool mimus_plugin_load(MimusPlugin *p)
{
    const MimusOption options[] = {
        { "out", MIMUS_STRING, &path },        { "level", MIMUS_NUMBER, &level },
        { "range", MIMUS_RANGE, &range },      { "insns", MIMUS_NUMBER, &insns },
        { "accesses", MIMUS_BOOL, &accesses },
    };
    const char *why;

    if (!mimus_options(p, options, sizeof(options) / sizeof(options[0])))
        return false;
    if (!path || level > 19) {
        mimus_fail(p, path ? "level: 0 to 19" : "out=FILE is needed");
        return false;
    }
    writer = trace_writer_open(path, level ? (int)level : QUICKEST, &why);
    if (!writer) {
        mimus_fail(p, "could not open '%s': %s", path, why);
        return false;
    }
    mimus_on_translate(p, translated, NULL);
    mimus_on_runs(p, ran, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    uint64_t n = trace_writer_count(writer);
    const char *why;

    for (unsigned i = 0; i < BUCKETS; i++) {
        while (kept[i]) {
            struct Kept *next = kept[i]->next;
            free(kept[i]);
            kept[i] = next;
        }
    }

    if (trace_writer_close(writer, &why))
        mimus_print(p, "trace: %" PRIu64 " instructions in '%s'\n", n, path);
    else
        mimus_print(p, "trace: '%s' is not whole: %s\n", path, why);
}
