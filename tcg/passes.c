/* SPDX-License-Identifier: MIT */
/*
 * One walk forward that finds groups of accesses (groups.c) and settles which bundle is
 * architectural where (getflags disappears when the block itself defined the flags), then one walk
 * backward for liveness. What nobody can observe becomes a nop: values, setflags, and sets of bytes
 * that are set again first.
 */
#include "tcg/backward.h"
#include "tcg/groups.h"

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
        ir_remove_op(op);
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

static inline void see_notable(Forward *f, unsigned i)
{
    const IrOp *op = &f->ir->ops[i];
    unsigned props = ir_props(f->ir, op);

    f->notes->flags_at[i] = IR_NONE;
    f->notes->group[i] = 0;
    if (G_UNLIKELY(op->op == OP_call)) {
        see_call(f, i, props);
    } else if (props & (IRP_FAULT | IRP_EXIT)) {
        see_observer(f, i, props);
    }
}

static void see(Forward *f, unsigned i)
{
    IrOp *op = &f->ir->ops[i];

    if (ir_is_plain_state(op)) {
        see_state(f, i);
        return;
    }
    if (G_UNLIKELY(f->removed)) {
        resolve_operands(f->ir, f->notes, op);
    }
    see_notable(f, i);
}

void ir_pass_forward(IrBlock *ir, IrNotes *notes, bool groups)
{
    Forward f = { .ir = ir, .notes = notes, .groups = groups && ir->naccesses > 1 };

    ir_groups_begin(notes);
    if (ir->built == ir->nops && !ir->apart) {
        for (unsigned k = 0; k < ir->nnotable; k++) {
            f.insn = ir->notable[k].insn;
            f.flags = ir->notable[k].bundle;
            see_notable(&f, ir->notable[k].op);
        }
    } else { /* others have had a hand in it; or getflags are repeated, and their users change */
        memset(notes->flags_at, 0, ir->nops * sizeof(notes->flags_at[0]));
        for (unsigned i = 1; i < ir->nops; i++) {
            see(&f, i);
        }
    }
    ir_groups_end(notes);
}

static void nothing(void *self, unsigned i)
{
}

static void nothing_shown(void *self, unsigned i, bool shows)
{
}

static unsigned wanted_here(void *self, unsigned i)
{
    return i;
}

void ir_pass_backward(IrBlock *ir, IrNotes *notes)
{
    static const IrVisitor none = { nothing, nothing,     nothing, nothing_shown, nothing_shown,
                                    nothing, wanted_here, nothing, nothing };

    ir_walk_back(ir, notes, &none, NULL);
}
