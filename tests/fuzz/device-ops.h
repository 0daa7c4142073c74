/* SPDX-License-Identifier: MIT */
/*
 * What a hostile guest and an unlucky host do to a board, as data: a seed makes a list of steps,
 * which does not depend on what the board answers, so that any subset of it can be run again.
 */
#ifndef TESTS_FUZZ_DEVICE_OPS_H
#define TESTS_FUZZ_DEVICE_OPS_H

#include <stdio.h>

#include "tests/fuzz/board.h"

typedef enum OpKind {
    OP_IN,
    OP_OUT,
    OP_READ,
    OP_WRITE,
    OP_ADVANCE,     /* value ns, timers on time */
    OP_SLEEP,       /* value ns, timers late */
    OP_CHARS,       /* size bytes of value into serial port addr */
    OP_KEY,         /* set 1 code addr goes down or up */
    OP_MOUSE,       /* moves by addr with buttons value */
    OP_CPU,         /* accesses come from CPU addr */
    OP_ACKNOWLEDGE, /* INTA by CPU addr */
    OP_READ_MSR,
    OP_WRITE_MSR, /* MSR addr of CPU size */
    OP_TPR,
    OP_TSC_DEADLINE,
    OP_FERR,
    OP_CPU_RESET,
    OP_POWER,  /* buttons */
    OP_FRAME,  /* made of value, for card addr */
    OP_MEDIUM, /* of floppy (addr 0) or CD-ROM: comes or goes, by value */
    OP_RESET,
    OP_PRINT,      /* everything that a monitor shows */
    OP_ROUND_TRIP, /* of the second board only */
    OP_MIGRATE,    /* likewise */
    OP_KINDS
} OpKind;

typedef struct Op {
    uint8_t kind;
    uint8_t size;
    uint64_t addr, value;
} Op;

/* At least @count steps. Owned by the caller: a GArray of Op. */
GArray *ops_generate(uint64_t seed, unsigned count);
/* What the step answers; false: the board never comes to rest. Not for the last two kinds. */
bool op_run(const Op *op, Board *b, uint64_t *answer);
void op_print(const Op *op, FILE *out);

#endif
