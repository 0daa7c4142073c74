/* SPDX-License-Identifier: MIT */
/*
 * Writes the native trace: every instruction, every access with its value (doc/trace.md).
 * Arguments: out=FILE; level=N of zstd (default 1); range=A..B: only instructions there; insns=N:
 * then exit; accesses=off.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <mimus-plugin.h>

#include "accel/plugin/trace-file.h"

MIMUS_PLUGIN;

static const char *path;
static uint64_t level = 1, insns;
static MimusRange range = { 0, UINT64_MAX };
static bool accesses = true;
static TraceWriter *writer;
static bool ended;

/* One for each place and its bytes: blocks overlap, and are made again. */
#define BUCKETS (1u << 18)
static struct Kept {
    uint64_t pc;
    TraceSite *site;
    uint8_t size, bytes[TRACE_INSN_MAX];
    struct Kept *next;
} * kept[BUCKETS];

static unsigned bucket(uint64_t pc)
{
    return (unsigned)(pc * 0x9e3779b97f4a7c15ull >> 46);
}

static TraceSite *find(uint64_t pc, const uint8_t *bytes, unsigned size)
{
    unsigned b = bucket(pc);
    struct Kept *k;

    size = size < TRACE_INSN_MAX ? size : TRACE_INSN_MAX;
    for (k = kept[b]; k; k = k->next)
        if (k->pc == pc && k->size == size && !memcmp(k->bytes, bytes, size))
            return k->site;
    k = calloc(1, sizeof(*k));
    if (!k)
        abort();
    k->pc = pc;
    k->size = (uint8_t)size;
    memcpy(k->bytes, bytes, size);
    k->site = trace_writer_site(writer, pc, bytes, size);
    k->next = kept[b];
    kept[b] = k;
    return k->site;
}

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    for (size_t i = 0; i < mimus_block_insns(b); i++) {
        MimusInsn *insn = mimus_block_insn(b, i);
        uint64_t pc = mimus_insn_vaddr(insn);
        TraceSite *site;

        if (pc - range.first > range.last - range.first)
            continue;
        site = find(pc, mimus_insn_bytes(insn), (unsigned)mimus_insn_size(insn));
        mimus_insn_record(insn, site);
        if (accesses)
            mimus_insn_record_access(insn, MIMUS_LOAD | MIMUS_STORE, site);
    }
}

static void recorded(MimusPlugin *p, const MimusRecord *r, size_t n, void *opaque)
{
    for (const MimusRecord *end = r + n; r < end && !ended; r++) {
        switch (r->kind) {
        case MIMUS_RECORD_INSN:
            if (insns && trace_writer_count(writer) == insns) {
                ended = true;
                mimus_exit(p, 0);
                return;
            }
            trace_writer_insn(writer, r->data, r->pc, r->cpu);
            break;
        case MIMUS_RECORD_ABORT: trace_writer_abort(writer); break;
        case MIMUS_RECORD_BLOCK: break;
        default:
            trace_writer_access(writer, r->vaddr, r->size, r->kind == MIMUS_RECORD_STORE, r->bytes);
        }
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
    if (!path || level < 1 || level > 19) {
        mimus_fail(p, path ? "level: 1 to 19" : "out=FILE is needed");
        return false;
    }
    writer = trace_writer_open(path, (int)level, &why);
    if (!writer) {
        mimus_fail(p, "could not open '%s': %s", path, why);
        return false;
    }
    mimus_on_translate(p, translated, NULL);
    mimus_on_records(p, recorded, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    uint64_t n = trace_writer_count(writer);
    const char *why;

    if (trace_writer_close(writer, &why))
        mimus_print(p, "trace: %" PRIu64 " instructions in '%s'\n", n, path);
    else
        mimus_print(p, "trace: '%s' is not whole: %s\n", path, why);
}
