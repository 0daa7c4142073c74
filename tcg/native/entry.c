/* SPDX-License-Identifier: MIT */
#include "tcg/native/entry.h"

#include "tcg/flags.h"

EntryLook entry_look(const IrBlock *ir, const IrNotes *notes, unsigned *last)
{
    unsigned at_fault = 0;

    *last = 0;
    for (const uint16_t *at = notes->live; *at; at++) {
        const IrOp *op = &ir->ops[*at];
        unsigned props;

        if (ir_is_inert(op)) {
            continue;
        }
        if (op->op == OP_getflags || op->op == OP_call) {
            return ENTRY_LOOKS;
        }
        props = ir_is_member(notes, *at) ? 0 : ir_props(ir, op);
        if (!(props & (IRP_FAULT | IRP_EXIT))) {
            continue;
        }
        if (notes->flags_at[*at]) {
            break;
        }
        if (props & IRP_EXIT) {
            return ENTRY_LOOKS;
        }
        at_fault = *at;
    }
    *last = at_fault;
    return at_fault ? ENTRY_FAULTS : ENTRY_BLIND;
}

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
