/* SPDX-License-Identifier: MIT */
/* Where conditions are evaluated, and what is noted where somebody may ask for the state. */
#include TCG_NATIVE_GEN

#define DEFER_REACH 12

static bool takes_condition(const IrOp *op, IrRef v)
{
    switch (op->op) {
    case OP_goto_if:
    case OP_trap_if:
    case OP_exit_if:
    case OP_select: return op->a == v && op->b != v && op->c != v;
    case OP_zext: return op->a == v;
    default: return false;
    }
}

bool is_harmless(const IrOp *op)
{
    switch (op->op) {
    case OP_nop:
    case OP_insn:
    case OP_const:
    case OP_get:
    case OP_setflags:
    case OP_trunc:
    case OP_fl_test:
    case OP_setcond: return true;
    default: return ir_op_info[op->op].shape == SHAPE_FL;
    }
}

/* The op that evaluates condition @i in its place, or 0. */
unsigned consumer_of(const Gen *g, unsigned i)
{
    const IrOp *ops = g->ops;

    if (g->notes->uses[i] != 1) {
        return 0;
    }
    for (unsigned j = i + 1; j < g->ir->nops && j <= i + DEFER_REACH; j++) {
        if (takes_condition(&ops[j], (IrRef)i)) {
            return j;
        }
        if (!is_harmless(&ops[j])) {
            return 0;
        }
    }
    return 0;
}

FaultPoint fault_point(Gen *g)
{
    FaultPoint p = { .guest = insn_offset(g), .index = (uint16_t)insn_index(g) };
    IrRef fl = g->notes->flags_at[g->cur];

    if (fl) {
        Record r;
        record_of(g, fl, &r);
        p.record = (uint16_t)fault_notes_record(&g->faults, &r);
    }
    return p;
}

void point_here(Gen *g, FaultPoint p)
{
    p.host = (uint32_t)(g->a.p - g->a.start);
    fault_notes_point(&g->faults, p);
}
