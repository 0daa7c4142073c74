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

/* @last: FAULTS: the last op that may fault; else 0. */
EntryLook entry_look(const IrBlock *ir, const IrNotes *notes, unsigned *last);

/* IrBlock.flags_hint if @fl are the flags of the block's entry and a comparison makes them again:
 * FLK_CMP, FLK_SUB or FLK_LOGIC with nothing on top. 0: no. */
uint32_t entry_guess(const IrBlock *ir, IrRef fl);

#endif
