/* SPDX-License-Identifier: MIT */
/*
 * Where the values of a block live, decided before its ops are emitted (places.c):
 *  - a constant in the constant pool;
 *  - a `get` whose slot stays as it is up to the value's last use: in the slot itself;
 *  - a value that a later `set` stores whole, with nothing in between that could see or change
 *    the slot: computed right into the slot, and the `set` disappears;
 *  - truncations, bit casts and extensions from 32 to 64 bits: where their operand is (producers
 *    of 32 bits then write 64, see Plan.wide);
 *  - all others: a cell of their own.
 */
#ifndef TCG_INTERP_PLACES_H
#define TCG_INTERP_PLACES_H

#include "tcg/interp/interp.h"

typedef struct Plan {
    u16 last[IR_MAX_OPS];       /* last use, of aliases too */
    IrRef root[IR_MAX_OPS];     /* the value whose place is shared; itself if none */
    u16 sunk[IR_MAX_OPS];       /* index of the set that the value replaces, 0: none */
    bool folded[IR_MAX_OPS];    /* get: read in place */
    bool wide[IR_MAX_OPS];      /* I32: zero-extended into 64 bits */
    bool done[IR_MAX_OPS];      /* set: made by the value's own op */
    u16 next_write[IR_MAX_OPS]; /* of the slot that a set or get names, after it */
} Plan;

/* @plain: slots are only accessed by get and set (the reference for tests). */
void interp_plan(Plan *p, const IrBlock *ir, const IrNotes *notes, bool plain);

#endif
