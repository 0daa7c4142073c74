/* SPDX-License-Identifier: MIT */
/*
 * What a block does with the flags that it is entered with: whether who jumps to it has to bring
 * their record in env up to date. For back ends that let blocks lead to each other without.
 */
#ifndef TCG_NATIVE_ENTRY_H
#define TCG_NATIVE_ENTRY_H

#include "tcg/passes.h"

typedef enum EntryLook {
    ENTRY_LOOKS,  /* an exit, a call or the block itself wants them */
    ENTRY_FAULTS, /* only faults, before the block defines flags of its own */
    ENTRY_BLIND,  /* nobody does */
} EntryLook;

/* @last: FAULTS: the last op that may fault. */
EntryLook entry_look(const IrBlock *ir, const IrNotes *notes, unsigned *last);

/* The kind of record that IrBlock.flags_hint promises if the block's getflags are those of its
 * entry and two operands or one say all of it: FLK_CMP, FLK_SUB, FLK_LOGIC of some width. 0: no. */
unsigned entry_guess(const IrBlock *ir, IrRef fl);

#endif
