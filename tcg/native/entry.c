/* SPDX-License-Identifier: MIT */
#include "tcg/native/entry.h"

#include "tcg/flags.h"

uint32_t entry_guess(const IrBlock *ir, IrRef fl)
{
    uint32_t word = ir->flags_hint;

    if (ir->ops[fl].op != OP_getflags || ir->has_calls || (word & FLAGS_ON_TOP)) {
        return 0;
    }
    switch ((word & FLAGS_KIND) / 4) {
    case FLK_CMP:
    case FLK_SUB:
    case FLK_LOGIC: return word;
    default: return 0;
    }
}
