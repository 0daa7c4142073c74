/* SPDX-License-Identifier: MIT */
/*
 * One walk forward that finds groups of accesses (groups.c) and settles which bundle is
 * architectural where (getflags disappears when the block itself defined the flags), then one walk
 * backward for liveness. What nobody can observe becomes a nop: values, setflags, and sets of bytes
 * that are set again first.
 */
#include "tcg/groups.h"

#include <string.h>

#include "tcg/helper.h"

/* A getflags that was resolved is a nop and its entry in flags_at names what it was. */
static IrRef resolved(const IrBlock *ir, const IrNotes *notes, IrRef v)
{
    return v != IR_NONE && ir->ops[v].op == OP_nop ? notes->flags_at[v] : v;
}

static void resolve_operands(const IrBlock *ir, const IrNotes *notes, IrOp *op)
{
    if (ir_is_flags_op(op->op) || op->op == OP_fl_test || op->op == OP_fl_pack) {
        op->a = resolved(ir, notes, op->a);
        op->b = resolved(ir, notes, op->b);
        if (op->op == OP_fl_select) {
            op->c = resolved(ir, notes, op->c);
        }
    }
}

static void remove_op(IrOp *op)
{
    *op = (IrOp){ .op = OP_nop };
}

/* May @op leave or fault, and so show flags and slots? */
static bool shows_state(const IrNotes *notes, unsigned i, unsigned props)
{
    return (props & (IRP_FAULT | IRP_EXIT)) && !ir_is_member(notes, i);
}

typedef struct Forward {
    IrBlock *ir;
    IrNotes *notes;
    IrRef flags;  /* the architectural bundle; IR_NONE: the record in env */
    IrRef insn;   /* the latest insn marker … */
    IrRef named;  /* … and the latest that a group is named by */
    bool removed; /* a getflags has been */
    bool groups;  /* look for them */
} Forward;

static void see_state(Forward *f, unsigned i)
{
    IrOp *op = &f->ir->ops[i];

    if (op->op == OP_insn) {
        f->insn = (IrRef)i;
    } else if (op->op == OP_setflags) {
        op->a = f->removed ? resolved(f->ir, f->notes, op->a) : op->a;
        f->flags = op->a;
    } else if (op->op == OP_getflags && f->flags != IR_NONE) {
        f->notes->flags_at[i] = f->flags;
        remove_op(op);
        f->removed = true;
    }
}

static void see_call(Forward *f, unsigned i, unsigned props)
{
    unsigned flags = f->ir->helpers[f->ir->ops[i].imm].flags;

    if (f->groups && !(flags & HELPER_PURE)) {
        ir_groups_close(f->notes, true);
    }
    if (shows_state(f->notes, i, props) || (flags & HELPER_READS_FLAGS)) {
        f->notes->flags_at[i] = f->flags;
    }
    f->flags = flags & HELPER_WRITES_FLAGS ? IR_NONE : f->flags;
}

/* Faults and exits. */
static void see_observer(Forward *f, unsigned i, unsigned props)
{
    if (f->groups && (props & IRP_EXIT)) {
        ir_groups_close(f->notes, false);
    } else if (f->groups) {
        IrRef spare = f->insn == f->named ? IR_NONE : f->insn;

        ir_groups_access(f->ir, f->notes, i, &spare);
        f->named = spare ? f->named : f->insn;
    }
    if (shows_state(f->notes, i, props)) {
        f->notes->flags_at[i] = f->flags;
    }
}

static void see(Forward *f, unsigned i)
{
    IrOp *op = &f->ir->ops[i];
    unsigned props;

    if (ir_is_plain_state(op)) {
        see_state(f, i);
        return;
    }
    if (G_UNLIKELY(f->removed)) {
        resolve_operands(f->ir, f->notes, op);
    }
    props = ir_props(f->ir, op);
    if (op->op == OP_call) {
        see_call(f, i, props);
    } else if (props & (IRP_FAULT | IRP_EXIT)) {
        see_observer(f, i, props);
    }
}

void ir_pass_forward(IrBlock *ir, IrNotes *notes, bool groups)
{
    Forward f = { .ir = ir, .notes = notes, .groups = groups && ir->naccesses > 1 };

    memset(notes->flags_at, 0, ir->nops * sizeof(notes->flags_at[0]));
    memset(notes->group, 0, ir->nops * sizeof(notes->group[0]));
    notes->ngroups = 0;
    if (ir->built == ir->nops && !ir->apart) {
        for (unsigned k = 0; k < ir->nnotable; k++) {
            f.insn = ir->notable[k].insn;
            see(&f, ir->notable[k].op);
        }
        g_assert(!f.removed);
    } else { /* others have had a hand in it; or getflags are repeated, and their users change */
        for (unsigned i = 1; i < ir->nops; i++) {
            see(&f, i);
        }
    }
    ir_groups_end(notes);
}

/* Bytes of the slot that are written again before anybody can see them. */
static uint32_t *dead_bytes(IrNotes *notes, unsigned slot)
{
    DeadBytes *d = &notes->dead[slot];

    if (d->epoch != notes->epoch) {
        d->epoch = notes->epoch;
        d->mask = 0;
    }
    return &d->mask;
}

static uint32_t bytes_of(const IrOp *op)
{
    return (uint32_t)(((UINT64_C(1) << ir_type_info[op->type].bytes) - 1) << op->aux);
}

static bool set_is_dead(IrNotes *notes, const IrOp *op)
{
    uint32_t *mask = dead_bytes(notes, op->imm);

    if ((bytes_of(op) & ~*mask) == 0) {
        return true;
    }
    *mask |= bytes_of(op);
    return false;
}

/* @op, not a set or get, may look at slots or flags. @demand: who looks at the flags next, before
 * they are defined again. */
static unsigned observe(const IrBlock *ir, IrNotes *notes, unsigned i, unsigned props,
                        unsigned demand)
{
    const IrOp *op = &ir->ops[i];
    bool slots = shows_state(notes, i, props), flags = slots;

    if (op->op == OP_call) {
        unsigned helper = ir->helpers[op->imm].flags;
        slots |= !(helper & HELPER_PURE);
        flags |= !!(helper & HELPER_READS_FLAGS);
        demand = helper & HELPER_WRITES_FLAGS ? 0 : demand;
    }
    notes->epoch += slots;
    return flags && !demand ? i : demand;
}

static void use(IrNotes *notes, IrRef v, unsigned at)
{
    /* no branch: nobody could guess it */
    notes->last_use[v] = MAX(notes->last_use[v], (uint16_t)at);
    notes->uses[v]++;
}

/* An insn marker or a constant that is used? Others become a nop, which a constant is as good as.
 * Without branches, as one cannot be told from the other before. */
static bool keep_inert(const IrNotes *notes, IrOp *op, unsigned i)
{
    bool kept = (op->op == OP_insn) | ((op->op == OP_const) & (notes->last_use[i] != 0));

    op->head &= 0u - kept;
    return kept;
}

static void walk_back(IrBlock *ir, IrNotes *notes)
{
    const unsigned kept = IRP_EFFECT | IRP_FAULT | IRP_END | IRP_EXIT | IRP_FPSTATUS | IRP_WRITES;
    uint16_t *live = notes->live_store + IR_MAX_OPS;
    IrOp *const ops = ir->ops;
    unsigned demand = 0;

    *live = 0;
    for (unsigned i = ir->nops; i-- > 1;) {
        IrOp *op = &ops[i];
        const IrOpInfo *info;
        unsigned props, n, end;

        if (ir_is_inert(op)) {
            live[-1] = (uint16_t)i;
            live -= keep_inert(notes, op, i);
            continue;
        }
        if (op->op == OP_setflags) {
            if (demand) {
                notes->last_use[op->a] = MAX(notes->last_use[op->a], (uint16_t)demand);
            } else {
                remove_op(op);
            }
            demand = 0;
            continue;
        }
        info = &ir_op_info[op->op];
        props = G_UNLIKELY(op->op == OP_call) ? ir_props(ir, op) : info->props;
        if (notes->last_use[i] == 0 && !(props & kept)) {
            remove_op(op);
            continue;
        }
        if (op->op == OP_set) {
            if (!ir_slot_is_volatile(ir, op->imm) && set_is_dead(notes, op)) {
                remove_op(op);
                continue;
            }
        } else if (op->op == OP_get) {
            *dead_bytes(notes, op->imm) &= ~bytes_of(op);
            *--live = (uint16_t)i;
            continue;
        } else if (props & (IRP_FAULT | IRP_EXIT) || op->op == OP_call) {
            demand = observe(ir, notes, i, props, demand);
        }
        *--live = (uint16_t)i;
        end = info->shape == SHAPE_FL ? notes->last_use[i] : i;
        n = ir_operands(ir, op);
        for (unsigned k = 0; k < n; k++) {
            use(notes, op->arg[k], end);
        }
    }
    notes->live = live;
    notes->nlive = (unsigned)(notes->live_store + IR_MAX_OPS - live);
}

void ir_pass_backward(IrBlock *ir, IrNotes *notes)
{
    g_assert(ir->nslots <= IR_MAX_SLOTS);
    notes->epoch++;
    memset(notes->last_use, 0, ir->nops * sizeof(notes->last_use[0]));
    memset(notes->uses, 0, ir->nops * sizeof(notes->uses[0]));
    walk_back(ir, notes);
}
