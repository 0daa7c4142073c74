/* SPDX-License-Identifier: MIT */
/* clang-format off */
/*
 * The native trace, version 4: what was executed and accessed, with values, in compressed frames
 * that stand for themselves. Written by the tool `trace`, read by `mimus trace`. Little-endian.
 *
 *   file     "MIMUSTRC", u32 version, u32 0; frames; index: per frame {u64 offset, u64 first
 *            instruction}, then u64 number of frames, "MIMUSEND". Without an index (a killed run)
 *            the frames are walked.
 *   frame    TraceFrameHead, then its streams, each by itself through zstd.
 *
 * A path is a list of steps: an instruction, or an access of the instruction before. A run says
 * that a path was gone. Predicted is the path that came after this one the last time, with its base
 * then.
 *
 *   control  per run that was not predicted, varints: how many before it were; then what:
 *            0        the instruction before faulted
 *            1        a CPU number follows: of what comes; frames begin with CPU 0
 *            2        step numbers from and to follow, then a path: only these steps; after it
 *                     nothing is predicted
 *            3 + 2n   path n, with the base that it had the last time
 *            4 + 2n   path n, zigzag of its base minus the last time's; of a new path (n is how
 *                     many there are) minus that of the new one before, then its definition
 *            A last count ends it.
 *            definition: number of steps; per step a byte kind | size << 2 (TRACE_STEP_…), of
 *            instructions then zigzag of the distance of its offset to the end of the one before,
 *            and its bytes. 3 (TRACE_STEP_BESIDE) comes before an access whose address is that of
 *            another one of the path with a distance, wherever it is gone from its first step: how
 *            many steps before it that one is, zigzag of the distance
 *   lengths  per access a byte: code of the address' length | code of the value's << 3
 *   addrs    that many bytes of zigzag of address - that of this step of this path the last time;
 *            none of accesses beside another one (version 2 has no such)
 *   values   of up to 8 bytes: that many bytes of zigzag of value - the expected one; longer ones
 *            as they are, their code is 0. Expected is what this step of this path had the last
 *            time; of loads, and of what is beside another one with distance 0, what the frame
 *            remembers of that address (TraceMemory), cut to its size (version 3: never)
 */
/* clang-format on */
#ifndef ACCEL_PLUGIN_TRACE_FILE_H
#define ACCEL_PLUGIN_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC      "MIMUSTRC"
#define TRACE_END        "MIMUSEND"
#define TRACE_FRAME      "MTF2"
#define TRACE_VERSION    4 /* 2 and 3 are read, too */
#define TRACE_INSN_MAX   15
#define TRACE_ACCESS_MAX 32
#define TRACE_STEPS_MAX  2048
#define TRACE_STREAM_MAX (128u << 20) /* bytes raw */
enum { TRACE_CONTROL, TRACE_LENGTHS, TRACE_ADDRS, TRACE_VALUES, TRACE_STREAMS };
enum { TRACE_ABORT, TRACE_CPU, TRACE_PART, TRACE_PATH };
enum { TRACE_STEP_INSN, TRACE_STEP_LOAD, TRACE_STEP_STORE, TRACE_STEP_BESIDE };

static const uint8_t trace_length[8] = { 0, 1, 2, 3, 4, 5, 6, 8 };

/* Does what is expected of a step's value come from memory? */
#define TRACE_STEP_REMEMBERS(kind, beside, distance) \
    ((kind) == TRACE_STEP_LOAD || ((kind) == TRACE_STEP_STORE && (beside) && !(distance)))

/* Each access of up to 8 bytes, whatever was expected, leaves its value in the entry of its
 * address; all are 0 where a frame begins. */
typedef struct TraceMemory {
    uint64_t addr, value;
} TraceMemory;
#define TRACE_MEMORY 4096

static inline TraceMemory *trace_memory(TraceMemory *m, uint64_t addr)
{
    return &m[(addr >> 3 ^ addr >> 15) % TRACE_MEMORY];
}

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TRACE_ORDER   __attribute__((scalar_storage_order("little-endian")))
#define TRACE_LE32(v) __builtin_bswap32(v) /* to and from the file's order */
#define TRACE_LE64(v) __builtin_bswap64(v)
#else
#define TRACE_ORDER
#define TRACE_LE32(v) (v)
#define TRACE_LE64(v) (v)
#endif

typedef struct TRACE_ORDER TraceFrameHead {
    char magic[4];
    uint32_t sum; /* trace_sum() of what follows it, compressed */
    uint64_t first, count;
    uint32_t raw[TRACE_STREAMS], packed[TRACE_STREAMS]; /* bytes */
} TraceFrameHead;
#define TRACE_SUMMED offsetof(TraceFrameHead, first) /* from there on */

typedef struct TraceAccess {
    uint64_t addr;
    uint8_t size; /* 1 to 32 */
    bool store;
    uint8_t value[TRACE_ACCESS_MAX];
} TraceAccess;

typedef struct TraceInsn {
    uint64_t pc, number; /* instruction of the trace */
    uint8_t cpu, size;
    bool aborted; /* it faulted */
    uint8_t bytes[TRACE_INSN_MAX];
    uint32_t naccesses;
    TraceAccess *access; /* the reader's, until the next one */
} TraceInsn;

uint32_t trace_sum(uint32_t sum, const void *data, size_t len);

struct MimusRun; /* mimus-plugin.h */
typedef struct TraceWriter TraceWriter;
typedef struct TracePath TracePath;

typedef struct TraceStep {
    uint8_t kind, size;
    uint16_t word;        /* where a run's words have the value */
    uint16_t address;     /* … and the address less delta */
    int32_t delta;        /* of accesses with one address word */
    uint32_t offset;      /* of an instruction from the run's base */
    const uint8_t *bytes; /* of an instruction; copied */
} TraceStep;

/* NULL with @why, static text. */
TraceWriter *trace_writer_open(const char *path, int level, const char **why);
/* The same steps are the same path, the writer's. */
TracePath *trace_writer_path(TraceWriter *w, const TraceStep *step, unsigned n);
/* Its steps @from … @to - 1 happened. */
void trace_writer_run(TraceWriter *w, TracePath *t, uint64_t base, const uint64_t *word,
                      unsigned from, unsigned to, unsigned cpu);
/* The first of @n runs, as far as they are of whole paths of the writer's (their `own`), not
 * aborted, and of the CPU of those before: how many. */
size_t trace_writer_runs(TraceWriter *w, const struct MimusRun *r, size_t n);
void trace_writer_abort(TraceWriter *w); /* the latest instruction faulted */
uint64_t trace_writer_count(const TraceWriter *w);
/* The steps of @t up to which it has @insns instructions and their accesses. */
unsigned trace_path_prefix(const TracePath *t, unsigned from, uint64_t insns);
unsigned trace_path_insns(const TracePath *t);
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
