/* SPDX-License-Identifier: MIT */
/*
 * The native trace: what was executed and accessed, with values, in compressed frames that stand
 * for themselves. Written by the tool `trace`, read by `mimus trace`.
 *
 *   file    "MIMUSTRC", u32 version, u32 0; frames; index: per frame {u64 offset, u64 first
 *           instruction}, then u64 number of frames, "MIMUSEND". Without an index (a killed run)
 * the frames are walked. Everything is little-endian. frame   "MTF1", u32 bytes compressed, u32
 * bytes raw, u32 crc-like sum of them (xor of words), u64 first instruction, u64 instructions; zstd
 * of: u32 bytes of each of four streams; the streams control per mispredicted instruction varints:
 * how many before it were as predicted, site + 2 (0: the instruction before faulted; 1: a CPU
 * number follows), if the site is new to the frame: zigzag of pc from the site before it, size and
 * bytes; number of accesses. A last count ends it. kinds   per access a byte: bit 7 store, size
 *   addrs   per access zigzag varint of the distance from the same access of that site the last
 * time values  likewise for up to 8 bytes; others as they are
 *
 * Predicted is the site that came after this site the last time, with as many accesses as then.
 */
#ifndef ACCEL_PLUGIN_TRACE_FILE_H
#define ACCEL_PLUGIN_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC     "MIMUSTRC"
#define TRACE_END       "MIMUSEND"
#define TRACE_FRAME     "MTF1"
#define TRACE_VERSION   1
#define TRACE_INSN_MAX  15
#define TRACE_FRAME_MAX (64u << 20) /* bytes raw */
enum { TRACE_CONTROL, TRACE_KINDS, TRACE_ADDRS, TRACE_VALUES, TRACE_STREAMS };

#define TRACE_SLOTS \
    2 /* accesses of a site that have a memory of their own; later ones share the last */

typedef struct TraceFrameHead {
    char magic[4];
    uint32_t compressed, raw, sum;
    uint64_t first, count;
} TraceFrameHead;

typedef struct TraceAccess {
    uint64_t addr;
    uint8_t size; /* 1 to 32 */
    bool store;
    uint8_t value[32];
} TraceAccess;

typedef struct TraceInsn {
    uint64_t pc, number; /* instruction of the trace */
    uint8_t cpu, size;
    bool aborted; /* it faulted */
    uint8_t bytes[TRACE_INSN_MAX];
    uint32_t naccesses;
    TraceAccess *access; /* the reader's, until the next one */
} TraceInsn;

uint32_t trace_sum(const void *data, size_t len);

typedef struct TraceWriter TraceWriter;
/* NULL with @why, static text. */
TraceWriter *trace_writer_open(const char *path, int level, const char **why);
/* Instructions in order, and accesses of the latest one. A site stands for an instruction's bytes,
 * as a rule at @pc. */
typedef struct TraceSite TraceSite;
TraceSite *trace_writer_site(TraceWriter *w, uint64_t pc, const uint8_t *bytes, unsigned size);
void trace_writer_insn(TraceWriter *w, TraceSite *site, uint64_t pc, unsigned cpu);
/* Of up to 8 bytes @value has 8, zeros above. */
void trace_writer_access(TraceWriter *w, uint64_t addr, unsigned size, bool store,
                         const void *value);
void trace_writer_abort(TraceWriter *w); /* the latest instruction faulted */
uint64_t trace_writer_count(const TraceWriter *w);
bool trace_writer_close(TraceWriter *w, const char **why); /* false: the file is not whole */

typedef struct TraceReader TraceReader;
TraceReader *trace_reader_open(const char *path, const char **why);
void trace_reader_close(TraceReader *r);
uint64_t trace_reader_frames(const TraceReader *r);
uint64_t trace_reader_count(const TraceReader *r); /* instructions */
bool trace_reader_is_whole(const TraceReader *r);  /* it has an index */
bool trace_reader_seek(TraceReader *r, uint64_t number);
/* False at the end, or where the file is damaged (*@why not NULL). */
bool trace_reader_next(TraceReader *r, TraceInsn *out, const char **why);

#endif
