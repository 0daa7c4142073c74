/* SPDX-License-Identifier: MIT */
/*
 * A tiny fake guest around the compiler: 16 pinned integers, 16 pinned vectors, some unpinned
 * slots, flags, FPU words, a few helpers, and a handful of pages of memory of different kinds.
 * Blocks are built once with harness_ir_new() and run on as many back ends as wanted.
 */
#ifndef TESTS_TCG_HARNESS_H
#define TESTS_TCG_HARNESS_H

#include <setjmp.h>

#include "tcg/builder.h"
#include "tcg/flags.h"
#include "tcg/tcg.h"

/* Guest memory. Accesses to the SLOW page never get a TLB entry; stores to the READONLY page and
 * accesses beyond the last page fault. */
#define FAKE_BASE     UINT64_C(0x100000)
#define FAKE_PAGES    6
#define FAKE_SLOW     3
#define FAKE_READONLY 4
#define FAKE_MEM_SIZE (FAKE_PAGES * 4096)

enum {            /* slots */
       S_R0 = 0,  /* 16 × I64, pinned */
       S_V0 = 16, /* 16 × V256, pinned */
       S_U0 = 32, /* 8 × I64, not pinned */
       S_W0 = 40, /* 2 × V128, not pinned */
       S_F0 = 42, /* 4 × F80 */
       S_B0 = 46, /* 2 × I8, 2 × I32: narrow slots */
       S_PC = 50,
       S_FSW,
       S_MXCSR,
       S_COUNT
};

enum { /* helpers */
       H_ADD,
       H_MIX,
       H_VXOR,
       H_TOUCH,
       H_MAYBE_FAULT,
       H_READ_FLAGS,
       H_WRITE_FLAGS,
       H_POKE,
       H_ROOT,
       H_HASH_REGS,
       H_COUNT
};

typedef struct FakeEnv {
    uint64_t pc, cold[2];
    int32_t budget;
    FlagsRecord cc;
    uint64_t vbase, jc_key;
    uint64_t own[TCG_OWN];
    StackHead stack_head;
    uint64_t r[16];
    uint64_t u[8];
    uint64_t v[16][4] __attribute__((aligned(32)));
    uint64_t w[2][2];
    uint8_t f[4][16];
    uint8_t b[2];
    uint32_t d[2];
    uint32_t mxcsr;
    uint16_t fcw, fsw;
    SlowAccess slow;
    uint8_t scratch[TCG_SCRATCH_SIZE] __attribute__((aligned(64)));
    TlbEntry tlb[TCG_MMU_MODES][2][TCG_TLB_SIZE];
    JumpEntry jc[TCG_JC_SIZE];
    StackPage stack[TCG_MMU_MODES] __attribute__((aligned(64)));
    uint8_t interp[TCG_INTERP_SIZE] __attribute__((aligned(64)));
    /* the harness's own */
    struct Harness *harness;
    uint8_t *mem;
    uint64_t fault_addr;
    uint32_t trap_code;
    unsigned slow_calls, refills;
    uint32_t alone_index; /* OUT_ALONE: the instruction */
    jmp_buf out;
} FakeEnv;

typedef enum OutcomeKind {
    OUT_LEFT,
    OUT_TRAP,
    OUT_FAULT,
    OUT_HELPER_FAULT,
    OUT_ALONE, /* mem_alone() was called, or a link to the rest of the block left */
} OutcomeKind;

typedef struct Outcome {
    OutcomeKind kind;
    TcgLeave leave;   /* OUT_LEFT */
    uint32_t code;    /* OUT_TRAP */
    uint64_t address; /* OUT_FAULT */
} Outcome;

typedef struct Harness {
    Tcg *tcg;
    FakeEnv *env;
    bool warm; /* keep the TLB between runs */
} Harness;

extern const IrSlot harness_slots[S_COUNT];
extern const TcgHelper harness_helpers[H_COUNT];

IrBlock *harness_ir_new(void);
const char *harness_native(void); /* the back end that makes host code; NULL: there is none */
/* @backend NULL: the default. Verifies between passes. */
Harness *harness_new(const char *backend, bool no_opt);
Harness *harness_new_parallel(const char *backend, bool no_opt); /* as for several CPU threads */
void harness_free(Harness *h);

/* Put registers, flags and memory in a state that depends on @seed only; TLB empty. pc = vbase +
 * @start. */
void harness_reset(Harness *h, uint64_t seed, uint32_t start);
/* @from once more, op for op by the builder: folded, and forwarded if @to does that. */
void harness_rebuild(IrBlock *to, const IrBlock *from);
/* Compile a copy of @ir (the context's block); flushes when full. */
TcgCode *harness_compile(Harness *h, const IrBlock *ir);
Outcome harness_run(Harness *h, TcgCode *code);

/* Both in the same state: run @ir on both; what differs, or NULL. Where @other wants to go on alone
 * (mem_alone) its state there is compared with that of a block that ends there, then it starts
 * over. */
char *harness_difference(Harness *ref, Harness *other, IrBlock *ir);

/* NULL if both ended the same way in the same state (pinned and other slots, memory, packed flags,
 * pc, budget, MXCSR, FSW without C1), else what differs, to be freed. Codes are not compared. */
char *harness_compare(const Harness *a, const Outcome *oa, const Harness *b, const Outcome *ob);

/* harness-slow.c: general registers only, as the contract of slow paths asks. */
bool harness_refill(void *env);
void harness_slow(void *env);
void harness_trap(void *env, uint32_t code);
void harness_alone(void *env);
/* Leave as OUT_FAULT, OUT_HELPER_FAULT or OUT_ALONE with exact state. */
void harness_raise(FakeEnv *env, OutcomeKind kind) __attribute__((noreturn));

static inline uint64_t harness_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

#endif
