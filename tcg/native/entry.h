/* SPDX-License-Identifier: MIT */
/* A guess of the flags that a block is entered with. */
#ifndef TCG_NATIVE_ENTRY_H
#define TCG_NATIVE_ENTRY_H

#include "tcg/passes.h"

/* IrBlock.flags_hint if @fl are the flags of the block's entry and a comparison makes them again:
 * FLK_CMP, FLK_SUB or FLK_LOGIC with nothing on top. 0: no. */
uint32_t entry_guess(const IrBlock *ir, IrRef fl);

#endif
