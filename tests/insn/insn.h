/* SPDX-License-Identifier: MIT */
/*
 * Instruction tests: a case is bytes, a mode and a state; a runner executes it up to the INT3 that
 * follows (or to whatever exception comes first) and tells the state then. Runners are the
 * translator with each back end, and the host's own processor where that is an x86 (silicon).
 *
 * Rows (*.rows.c) are cases with the outcome that the manual says. To add one: see README.md.
 */
#ifndef TESTS_INSN_INSN_H
#define TESTS_INSN_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target-i386/decode.h"
#include "tests/host-vendor.h"

/* Guest memory. In 16-bit modes these are the bases of CS, DS = ES, SS with limits of 64 KiB; in
 * the others all segments are flat. Around each area nothing is mapped. */
#define CODE_BASE   0x10000000u /* read and execute; filled with INT3 */
#define DATA_BASE   0x20000000u
#define STACK_BASE  0x30000000u
#define AREA_SIZE   0x2000u
#define STACK_TOP   (STACK_BASE + 0x1800)
#define STACK_TOP16 0x1800u /* SP in 16-bit mode */

typedef struct Memory {
    uint8_t code[AREA_SIZE], data[AREA_SIZE], stack[AREA_SIZE];
} Memory;

/* M16 is real mode (no silicon); M16P is 16-bit protected mode, all segments writable. M32S is
 * 32-bit protected mode with segments that matter: CS at CODE_BASE; DS at DATA_BASE with limit
 * 0xfff; ES there too, expand-down from 0x1000 on; SS at STACK_BASE, limit 0x1fff; FS null; GS at
 * DATA_BASE, read-only, limit 0xfff. */
typedef enum Mode { M16 = 1, M32 = 2, M64 = 4, M_ALL = 7, M32S = 8, M16P = 16 } Mode;
static inline bool mode_is_based(Mode mode) /* offsets are not linear addresses */
{
    return mode & (M16 | M16P | M32S);
}
static inline bool mode_is_16(Mode mode)
{
    return mode & (M16 | M16P);
}
const char *mode_name(Mode mode);
const char *mode_constant(Mode mode); /* "M16" … */

/* Selectors: three flat segments that Linux has in its GDT, and those of a local descriptor table,
 * of which M32S and M16P are made. */
enum { FLAT_CODE32 = 0x23, FLAT_DATA32 = 0x2b, FLAT_CODE64 = 0x33 };
typedef struct LdtEntry {
    uint32_t base, limit; /* in bytes */
    bool is_code, expands_down, read_only, is_32bit;
} LdtEntry;
enum { LDT_COUNT = 9 };
extern const LdtEntry insn_ldt[LDT_COUNT];
enum { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS, INSN_SEGS };
const uint16_t *mode_selectors(Mode mode); /* [INSN_SEGS] */

typedef struct State {
    uint64_t gpr[16], rip;
    uint32_t flags; /* arithmetic ones and DF */
    uint32_t error; /* of vectors 10-14, 17 */
    uint64_t cr2;   /* of vector 14 */
    uint8_t vector; /* 3 at the INT3; VECTOR_TIMEOUT */
    uint8_t ftw;    /* FXSAVE's: bit per physical register, 1: not empty */
    uint16_t fcw, fsw;
    uint32_t mxcsr;
    uint16_t sel[INSN_SEGS];
    uint64_t xmm[16][2];
    uint64_t ymmh[16][2]; /* upper halves */
    struct {
        uint64_t frac;
        uint16_t se;
    } st[8]; /* ST(i) */
} State;
#define VECTOR_TIMEOUT 255

typedef struct Case {
    Mode mode;            /* one of them */
    uint32_t code_offset; /* where in the code area the first instruction is */
    State in;
} Case;

typedef struct Runner Runner;
struct Runner {
    const char *name;
    bool is_silicon;
    unsigned modes;
    uint64_t features; /* what it can run: a bit per InsnFeature */
    /* @mem: as it is before; changed to what it is after. */
    void (*run)(Runner *r, const Case *c, Memory *mem, State *out);
};

/* One of many to be run, and how it went. */
typedef struct Slot {
    Case todo;
    Memory memory; /* before, then after */
    State result;
} Slot;
enum { SILICON_BATCH = 64 };
/* The silicon runner's own slots, SILICON_BATCH of them, and a way to run the first @n at once. */
Slot *silicon_slots(Runner *r);
void silicon_run_slots(Runner *r, unsigned n);

/* All runners of this build; silicon is missing on other hosts and where the kernel forbids it. */
unsigned insn_runners(Runner *out[], unsigned max);
Runner *silicon_runner(void); /* or NULL */
/* What the host's processor has; where that is no x86: everything. */
uint64_t silicon_features(void);
unsigned engine_runners(Runner *out[], unsigned max);
/* The portable back end, one instruction a block, telling of each whether it was completed. */
typedef void EngineTrace(const Insn *i, bool completed);
Runner *engine_tracer(EngineTrace *trace);

/* A state for @mode with everything at its default (registers: a pattern by number; RSP: the top
 * of the stack), and memory at its. @code goes to @offset of the code area. */
void default_case(Case *c, Memory *mem, Mode mode, uint32_t offset, const uint8_t *code,
                  size_t len);
/* NULL if equal, else what differs (to be freed). @ignore: flags that may. */
char *compare_states(const State *want, const State *got, uint32_t ignore);
char *compare_memory(const Memory *want, const Memory *got);
DecodeMode insn_decode_mode(Mode mode); /* with every feature */
/* OR of the features of these instructions. */
uint64_t needed_features(Mode mode, const uint8_t *code, size_t len);
/* OR of the flags that the rows of these instructions leave undefined. */
uint32_t undefined_flags(Mode mode, const uint8_t *code, size_t len);

/* ---- Rows ----------------------------------------------------------------------------------- */

enum {
    CF = 1,
    PF = 4,
    AF = 0x10,
    ZF = 0x40,
    SF = 0x80,
    TF = 0x100 /* in only */,
    DF = 0x400,
    OF = 0x800
};

typedef enum What {
    NOTHING,
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    RIP, /* default: behind the INT3, or where the fault is */
    FL,  /* flags; default in: 0, default out: as in */
    VEC, /* exception; default: the INT3's */
    ERR,
    CR2,
    MXCSR,
    FCW,
    FSW,
    FTW,
    SELECTOR = 0x38, /* + INSN_ES … */
    XMM0 = 0x40,     /* + n: lo, hi */
    YMMH0 = 0x50,    /* + n: the upper half of YMMn */
    ST0 = 0x60,      /* + i: lo = significand, hi = sign and exponent */
    DATA8 = 0x10000,
    DATA16 = 0x20000,
    DATA32 = 0x30000,
    DATA64 = 0x40000,
    DATA128 = 0x50000,
    STACK16 = 0x60000,
    STACK32 = 0x70000,
    STACK64 = 0x80000, /* + offset in the area */
    ZEROS = 0x90000,   /* + offset in the data area: so many bytes */
} What;

typedef struct Pair {
    uint32_t what; /* What, + offset */
    uint64_t lo, hi;
} Pair;

/* What @out does not mention is as @in says; what @in does not mention has its default. @on_intel,
 * @on_amd: what silicon of theirs does otherwise; added to @out, or in its place if it says VEC (3:
 * no exception, there). */
typedef struct Row {
    const char *name;
    const char *code;
    uint8_t len;
    uint8_t modes; /* Mode set */
    Pair in[16], out[16];
    Pair on_intel[8], on_amd[8];
    uint32_t undef; /* flags to ignore beyond those of the opcode table */
    uint16_t code_offset;
    bool engines_only; /* silicon's answer depends on its kernel */
} Row;
#define CODE(s) (s), (uint8_t)(sizeof(s) - 1)

typedef struct PreparedRow {
    Case k;
    State want;
    Memory before, after;
} PreparedRow;
/* @silicon: HOST_OTHER for what Mimus does. */
void row_prepare(const Row *r, Mode mode, HostVendor silicon, PreparedRow *p);

/* The lists of rows: one line here and one *.rows.c each. */
/* clang-format off */
#define ROW_LISTS(L)                                                                               \
    L(alu) L(shift) L(data) L(control) L(string) L(mode16) L(segment) L(x87) L(mmx) L(sse)         \
    L(sse_ext) L(vex) L(newer) L(host) L(recorded)
/* clang-format on */
#define DECLARE_ROWS(name) extern const Row name##_rows[];
ROW_LISTS(DECLARE_ROWS) /* each ends with a row without name */
#undef DECLARE_ROWS

#endif
