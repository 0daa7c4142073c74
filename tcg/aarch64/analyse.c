/* SPDX-License-Identifier: MIT */
/*
 * What this back end wants to know beyond the common notes, in one walk each way: which values can
 * be computed straight into a pin, which conditions their consumer evaluates itself, whose NZCV
 * are worth computing.
 */
#include "tcg/aarch64/gen.h"

/* Where somebody may look at the state: faults, exits. */
static bool is_observed(const Gen *g, unsigned i, unsigned props)
{
    return (props & (IRP_FAULT | IRP_EXIT)) && !ir_is_member(g->notes, i);
}

static void extend(Gen *g, IrRef v, unsigned to)
{
    if (v && g->last[v] < to) {
        g->last[v] = (uint16_t)to;
    }
}

static void backward(Gen *g)
{
    for (unsigned i = g->ir->nops; i-- > 1;) {
        const IrOp *op = &g->ops[i];
        unsigned n, to = g->last[i];

        if (ir_is_inert(op)) {
            continue;
        }
        if (op->op == OP_fl_test || op->op == OP_setcond) {
            g->defer[i] = (uint16_t)consumer_of(g, i);
            to = g->defer[i];
        } else if (!ir_is_flags_op(op->op)) {
            if (is_observed(g, i, ir_props(g->ir, op)) || op->op == OP_call) {
                extend(g, g->notes->flags_at[i], i);
                g->want[g->notes->flags_at[i]] |= WANT_RECORD;
            }
            continue;
        }
        n = ir_operands(g->ir, op);
        for (unsigned k = 0; to && k < n; k++) {
            extend(g, op->arg[k], to);
        }
    }
}

/* x + y + carry as two additions in a row: the host has one that does both. */
static void find_carried(Gen *g, unsigned i)
{
    const IrOp *op = &g->ops[i], *before = &g->ops[i - 1], *carry = &g->ops[op->b];

    if (op->a == i - 1 && op->b != op->a && before->op == op->op && g->notes->uses[i - 1] == 1 &&
        bytes_of(g, (IrRef)i) >= 4 && carry->op == OP_zext && g->ops[carry->a].type == I1) {
        g->want[i - 1] |= WANT_LATER;
        g->want[i] |= WANT_CARRY;
        extend(g, before->a, i);
        extend(g, before->b, i);
    }
}

static void hint(Gen *g, IrRef v, unsigned set, unsigned barrier, unsigned access)
{
    if (barrier <= v && access < v && !g->hint[v]) {
        g->hint[v] = (uint16_t)set;
    }
}

/* @op sets the whole of a pin: may the value be computed there? */
static void hint_set(Gen *g, unsigned i, unsigned barrier, unsigned access)
{
    const IrOp *op = &g->ops[i], *v = &g->ops[op->a];
    const SlotHome *slot = &g->be->slot[op->imm];
    bool whole =
        slot->reg >= 32 ? v->type == V128 || v->type == V256 : bytes_of(g, op->a) == slot->bytes;

    if (slot->reg == NO_REG || op->aux || !whole) {
        return;
    }
    hint(g, op->a, i, barrier, access);
    if (v->op == OP_zext && slot->reg < 32 && g->ops[v->a].type != I1) {
        /* of what is extended as it is made */
        const IrOp *x = &g->ops[v->a];
        if (x->type == I32 || x->op == OP_ld) {
            hint(g, v->a, i, barrier, access);
        }
    }
}

static void forward(Gen *g)
{
    uint16_t access[256] = { 0 };
    unsigned barrier = 0;

    for (unsigned i = 1; i < g->ir->nops; i++) {
        const IrOp *op = &g->ops[i];

        if (ir_is_inert(op)) {
            continue;
        }
        if (op->op == OP_get && op->imm < 256) {
            access[op->imm] = (uint16_t)i;
        } else if (op->op == OP_set && op->imm < 256) {
            hint_set(g, i, barrier, access[op->imm]);
            access[op->imm] = (uint16_t)i;
        } else if (op->op == OP_fl_test) {
            const IrOp *fl = &g->ops[op->a];
            if (ir_op_info[fl->op].shape == SHAPE_FL && fl->op != OP_fl_cmp) {
                g->want[fl->a] |= WANT_FLAGS;
            }
        }
        if (op->op == OP_add || op->op == OP_sub) {
            find_carried(g, i);
        }
        if (op->op == OP_call || op->op == OP_vzeroupper ||
            is_observed(g, i, ir_props(g->ir, op))) {
            barrier = i;
        }
    }
}

void analyse(Gen *g)
{
    gen_clear_notes(g);
    backward(g);
    forward(g);
}
