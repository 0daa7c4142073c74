/* SPDX-License-Identifier: MIT */
/*
 * Helpers: C functions that translated code calls for what the IR does not say. The guest
 * architecture declares each in a table; the row is a promise that the compiler relies on.
 *
 * A helper is R f(void *env) or R f(void *env, A1, …) with up to four arguments; result and
 * arguments are I32, I64 or V128 (passed as const void * to 16 bytes; a V128 result is written to
 * the void * that follows env). Narrow integers are not passed. Env is the CPU state.
 */
#ifndef TCG_HELPER_H
#define TCG_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include "tcg/ir.h"

enum {
    HELPER_FAULTS = 1 << 0,     /* may raise: slow.host_pc leads to pc, flags and index (fault map);
                                   with READS_FLAGS the record is current and left alone */
    HELPER_READS_REGS = 1 << 1, /* reads pinned slots in env: they are stored before the call */
    HELPER_WRITES_REGS = 1 << 2,  /* writes pinned slots in env: they are reloaded after it */
    HELPER_READS_FLAGS = 1 << 3,  /* the flags record in env is current before the call */
    HELPER_WRITES_FLAGS = 1 << 4, /* the flags record in env is the flags after it */
    HELPER_FP = 1 << 5,           /* runs C floating point: host control words are put to default */
    HELPER_NOVEC = 1 << 6,        /* compiled for general registers only, calls nothing else; unless
                                     it FAULTS, slow.host_pc is not set either */
    HELPER_PURE = 1 << 7,         /* result depends on arguments only; dropped when unused */
    HELPER_NORETURN = 1 << 8,     /* always raises */
};
/* Slots that are not pinned are always in env. Faulting helpers see all registers in env. */
#define HELPER_STATE                                                               \
    (HELPER_FAULTS | HELPER_READS_REGS | HELPER_WRITES_REGS | HELPER_READS_FLAGS | \
     HELPER_WRITES_FLAGS)

/* Elements of 1 << @log2 bytes: slot @count of them go from where slot @from says (or are the low
 * part of slot @value) to where @to says, upwards. Then @to and @from are advanced, @count is 0,
 * the helper's result 1. */
typedef struct TcgBlockMove {
    uint8_t to, from, count, value; /* slots, I64 */
    uint8_t log2, mmu;
    bool fill;      /* by @value; else a copy */
    uint8_t unless; /* slot (I32) and … */
    uint32_t bits;  /* … bits of it that must be 0 */
} TcgBlockMove;

typedef struct TcgHelper {
    const char *name;
    void *func;
    uint16_t flags;
    uint8_t ret; /* IR_VOID, I32, I64, V128 */
    uint8_t nargs;
    uint8_t args[IR_MAX_ARGS]; /* I32, I64, V128 */
    /* bool quick(void *env, uint64_t *result, A1, …), may be NULL: tried first, compiled for
     * general registers only and calling nothing else; raises nothing, vector registers are not in
     * env. True: it has done all; false: it has not begun, or has got so far that func() goes
     * on. */
    void *quick;
    /* May be NULL. With this constant as its first argument, is the helper a block move? Then a
     * back end may do it without the helper where that is a copy within one page each, of RAM, that
     * does not overlap. */
    bool (*block_move)(uint32_t arg, TcgBlockMove *m);
} TcgHelper;

#endif
