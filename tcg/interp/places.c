/* SPDX-License-Identifier: MIT */
#include "tcg/interp/places.h"

#include "tcg/helper.h"

#define NEVER UINT16_MAX

static bool may_write_slots(const IrBlock *ir, const IrOp *op)
{
    return op->op == OP_vzeroupper ||
           (op->op == OP_call && !(ir->helpers[op->imm].flags & HELPER_PURE));
}

/* Ops whose 32-bit result can be had zero-extended at no cost. */
static bool can_widen(const IrOp *op)
{
    return op->type == I32 &&
           (interp_int[op->op][W32Z] || op->op == OP_ld || op->op == OP_zext || op->op == OP_sext ||
            op->op == OP_select || (op->op >= OP_rmw_add && op->op <= OP_rmw_cas));
}

static bool is_alias(const IrBlock *ir, const IrOp *op)
{
    switch (op->op) {
    case OP_trunc:
    case OP_bitcast:
    case OP_mov: return true;
    case OP_zext: return op->type == I64 && can_widen(&ir->ops[op->a]);
    default: return false;
    }
}

/* Uses from the end: life of aliased values, and who writes a slot next. */
static void walk_back(Plan *p, const IrBlock *ir, const IrNotes *notes, bool plain)
{
    g_autofree u16 *slot_write = g_new(u16, ir->nslots + 1);
    u16 any_write = NEVER;

    for (unsigned s = 0; s < ir->nslots; s++) {
        slot_write[s] = NEVER;
    }
    for (unsigned i = 1; i < ir->nops; i++) {
        p->last[i] = notes->last_use[i];
        p->wide[i] = false;
    }
    for (unsigned i = ir->nops; i-- > 1;) {
        const IrOp *op = &ir->ops[i];

        p->folded[i] = p->done[i] = false;
        p->sunk[i] = 0;
        p->root[i] = (IrRef)i;
        if (is_alias(ir, op)) {
            p->root[i] = op->a;
            p->last[op->a] = MAX(p->last[op->a], p->last[i]);
            if (op->op == OP_zext) {
                p->wide[op->a] = true;
            }
        } else if (op->op == OP_get) {
            p->next_write[i] = MIN(any_write, slot_write[op->imm]);
            p->folded[i] =
                !plain && !ir_slot_is_volatile(ir, op->imm) && p->next_write[i] >= p->last[i];
        } else if (op->op == OP_set) {
            p->next_write[i] = MIN(any_write, slot_write[op->imm]);
            slot_write[op->imm] = (u16)i;
        } else if (may_write_slots(ir, op)) {
            any_write = (u16)i;
        }
    }
}

typedef struct SlotUse {
    u16 last_get, last_set, folded_until;
} SlotUse;

static bool can_sink(const Plan *p, const IrBlock *ir, unsigned set, IrRef v, unsigned barrier,
                     const SlotUse *slot)
{
    const IrOp *op = &ir->ops[v], *to = &ir->ops[set];
    unsigned width = p->wide[v] ? 8 : ir_type_info[op->type].bytes;

    return p->sunk[v] == 0 && op->op != OP_const && op->op != OP_second && op->op != OP_mov &&
           !p->folded[v] && width == ir_type_info[to->type].bytes && barrier <= v &&
           slot->last_get <= v && slot->last_set < v && slot->folded_until <= v &&
           (p->last[v] <= set || p->next_write[set] >= p->last[v]);
}

static void walk_forward(Plan *p, const IrBlock *ir, bool plain)
{
    g_autofree SlotUse *slots = g_new0(SlotUse, ir->nslots + 1);
    unsigned barrier = 0; /* the latest op that lets somebody see or change slots */

    for (unsigned i = 1; i < ir->nops; i++) {
        const IrOp *op = &ir->ops[i];
        SlotUse *slot = &slots[op->op == OP_get || op->op == OP_set ? op->imm : 0];

        p->root[i] = p->root[p->root[i]];
        if (op->op == OP_get) {
            slot->last_get = (u16)i;
            if (p->folded[i]) {
                slot->folded_until = MAX(slot->folded_until, p->last[i]);
            }
        } else if (op->op == OP_set) {
            IrRef v = p->root[op->a];
            if (!plain && !ir_slot_is_volatile(ir, op->imm) &&
                can_sink(p, ir, i, v, barrier, slot)) {
                p->sunk[v] = (u16)i;
                p->done[i] = true;
                slot->folded_until = MAX(slot->folded_until, p->last[v]); /* read there too */
            }
            slot->last_set = (u16)i;
        } else if (may_write_slots(ir, op) || (ir_props(ir, op) & (IRP_FAULT | IRP_EXIT))) {
            barrier = i;
        }
    }
}

void interp_plan(Plan *p, const IrBlock *ir, const IrNotes *notes, bool plain)
{
    p->root[0] = IR_NONE;
    p->sunk[0] = 0;
    walk_back(p, ir, notes, plain);
    walk_forward(p, ir, plain);
}
