/* SPDX-License-Identifier: MIT */
/*
 * The backward pass: one walk forward that settles which bundle is architectural where (getflags
 * disappears when the block itself defined the flags), then one walk backward for liveness. What
 * nobody can observe becomes a nop: values, setflags, and sets of bytes that are set again first.
 */
#include "tcg/passes.h"

#include <string.h>

#include "tcg/helper.h"

#define MAX_SLOTS 1024

static unsigned helper_flags(const IrBlock *ir, const IrOp *op)
{
    return op->op == OP_call ? ir->helpers[op->imm].flags : 0;
}

static bool takes_bundle(unsigned op)
{
    return ir_is_flags_op(op) || op == OP_fl_test || op == OP_fl_pack || op == OP_setflags;
}

static void remove_op(IrOp *op)
{
    *op = (IrOp){ .op = OP_nop };
}

/* A getflags that was resolved is a nop and its entry in flags_at names what it was. */
static IrRef resolved(const IrBlock *ir, const IrNotes *notes, IrRef v)
{
    return v != IR_NONE && ir->ops[v].op == OP_nop ? notes->flags_at[v] : v;
}

/* Does @op see the architectural flags as they are before it? */
static bool observes_flags(const IrBlock *ir, const IrNotes *notes, unsigned i)
{
    const IrOp *op = &ir->ops[i];

    return ((ir_props(ir, op) & (IRP_FAULT | IRP_EXIT)) && !ir_is_member(notes, i)) ||
           (helper_flags(ir, op) & HELPER_READS_FLAGS);
}

static void resolve_flags(IrBlock *ir, IrNotes *notes)
{
    IrRef now = IR_NONE;

    for (unsigned i = 1; i < ir->nops; i++) {
        IrOp *op = &ir->ops[i];

        notes->flags_at[i] = IR_NONE;
        if (takes_bundle(op->op)) {
            op->a = resolved(ir, notes, op->a);
            op->b = resolved(ir, notes, op->b);
            if (op->op == OP_fl_select) {
                op->c = resolved(ir, notes, op->c);
            }
        }
        if (op->op == OP_setflags) {
            now = op->a;
        } else if (op->op == OP_getflags && now != IR_NONE) {
            notes->flags_at[i] = now;
            remove_op(op);
        } else if (observes_flags(ir, notes, i)) {
            notes->flags_at[i] = now;
        }
        if (helper_flags(ir, op) & HELPER_WRITES_FLAGS) {
            now = IR_NONE;
        }
    }
}

/* Bytes of slots that are written again before anybody can see them. */
typedef struct DeadBytes {
    uint32_t mask[MAX_SLOTS], epoch[MAX_SLOTS];
    uint32_t now;
} DeadBytes;

static uint32_t *dead_bytes(DeadBytes *d, unsigned slot)
{
    if (d->epoch[slot] != d->now) {
        d->epoch[slot] = d->now;
        d->mask[slot] = 0;
    }
    return &d->mask[slot];
}

static uint32_t bytes_of(const IrOp *op)
{
    return (uint32_t)(((UINT64_C(1) << ir_type_info[op->type].bytes) - 1) << op->aux);
}

static bool set_is_dead(DeadBytes *d, const IrOp *op)
{
    uint32_t *mask = dead_bytes(d, op->imm);

    if ((bytes_of(op) & ~*mask) == 0) {
        return true;
    }
    *mask |= bytes_of(op);
    return false;
}

static void use(IrNotes *notes, IrRef v, unsigned at)
{
    notes->last_use[v] = MAX(notes->last_use[v], (uint16_t)at);
    notes->uses[v]++;
}

static bool observes_slots(const IrBlock *ir, const IrNotes *notes, unsigned i)
{
    const IrOp *op = &ir->ops[i];

    return ((ir_props(ir, op) & (IRP_FAULT | IRP_EXIT)) && !ir_is_member(notes, i)) ||
           (op->op == OP_call && !(helper_flags(ir, op) & HELPER_PURE));
}

static void walk_back(IrBlock *ir, IrNotes *notes, DeadBytes *dead)
{
    unsigned demand = 0; /* who sees the flags last before they are defined again */

    for (unsigned i = ir->nops; i-- > 1;) {
        IrOp *op = &ir->ops[i];
        unsigned n, end;

        if (op->op == OP_setflags) {
            if (demand) {
                notes->last_use[op->a] = MAX(notes->last_use[op->a], (uint16_t)demand);
            } else {
                remove_op(op);
            }
            demand = 0;
            continue;
        }
        if (notes->last_use[i] == 0 && (!ir_is_kept(ir, op) || op->op == OP_nop)) {
            remove_op(op);
            continue;
        }
        if (op->op == OP_set) {
            if (!ir_slot_is_volatile(ir, op->imm) && set_is_dead(dead, op)) {
                remove_op(op);
                continue;
            }
        } else if (op->op == OP_get) {
            *dead_bytes(dead, op->imm) &= ~bytes_of(op);
        }
        if (helper_flags(ir, op) & HELPER_WRITES_FLAGS) {
            demand = 0;
        }
        if (!demand && observes_flags(ir, notes, i)) {
            demand = i;
        }
        if (observes_slots(ir, notes, i)) {
            dead->now++;
        }
        end = ir_is_flags_op(op->op) ? notes->last_use[i] : i;
        n = ir_operands(ir, op);
        for (unsigned k = 0; k < n; k++) {
            use(notes, op->arg[k], end);
        }
    }
}

void ir_pass_backward(IrBlock *ir, IrNotes *notes)
{
    DeadBytes dead;

    g_assert(ir->nslots <= MAX_SLOTS);
    dead.now = 1;
    memset(dead.epoch, 0, ir->nslots * sizeof(dead.epoch[0]));
    memset(notes->last_use, 0, ir->nops * sizeof(notes->last_use[0]));
    memset(notes->uses, 0, ir->nops * sizeof(notes->uses[0]));
    notes->flags_at[0] = IR_NONE;
    resolve_flags(ir, notes);
    walk_back(ir, notes, &dead);
}
