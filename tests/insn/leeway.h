/* SPDX-License-Identifier: MIT */
/*
 * Where a stream may end in another way than on silicon, and why. Every such place has a row, says
 * leeway_use() when it makes use of it, and is counted in the coverage report: nothing is forgiven
 * in silence. Flags that an instruction leaves undefined are not here but in its decode row.
 */
#ifndef TESTS_INSN_LEEWAY_H
#define TESTS_INSN_LEEWAY_H

#include <stdint.h>

typedef enum Leeway {
    /* not made */
    LEEWAY_NEAR_66,
    LEEWAY_FAR_64,
    LEEWAY_LOOP_REP,
    LEEWAY_RETF_ORDER,
    LEEWAY_MXCSR_MM,
    LEEWAY_INT_N,
    LEEWAY_SHIFT_OVER_16,
    LEEWAY_PAUSE_REX,
    LEEWAY_SHA_ALIGNED,
    LEEWAY_PUSH_SREG,
    LEEWAY_REP_67,
    LEEWAY_IMAGE_AGAIN,
    /* made, and compared but for this */
    LEEWAY_SHIFT_16,
    LEEWAY_RECIPROCAL,
    LEEWAY_TRANSCENDENTAL,
    LEEWAY_C1,
    LEEWAY_OVER_4G,
    LEEWAY_WHICH_FIRST,
    LEEWAY_CALL_ORDER,
    LEEWAY_MMX_FAULT,
    LEEWAY_BELOW_STACK,
    LEEWAY_POINTERS,
    LEEWAY_BOTH_HANG,
    LEEWAY_KERNEL_HALF,
    LEEWAY_NULL_RPL,
    LEEWAY_GATHER_MASK,
    LEEWAY_MASK_ADDRESS,
    LEEWAY_EARLY_FLAGS,
    LEEWAY_TINY_OPERAND,
    LEEWAY_SYSRET,
    LEEWAY_NUMERIC_INSTEAD,
    LEEWAY_STRING_FLAGS,
    LEEWAY_NAN,
    LEEWAY_PARTIAL_STORE,
    LEEWAY_COMPACTED_FAULT,
    LEEWAY_COUNT
} Leeway;

typedef struct LeewayRow {
    const char *name;
    const char *kind; /* "undefined" by the manual; "models" differ; the "host" interferes */
    const char *reason;
} LeewayRow;

extern const LeewayRow leeway_rows[LEEWAY_COUNT];

/* Where to count, LEEWAY_COUNT of them; until it is called nowhere. */
void leeway_count_into(uint64_t *counts);
void leeway_use(Leeway l);

#endif
