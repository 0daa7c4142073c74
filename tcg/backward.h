/* SPDX-License-Identifier: MIT */
/*
 * The walk of ir_pass_backward(), for back ends that go with it to take notes of their own: what
 * kind of op it is cannot be guessed by the host, so that two walks cost twice as much. The
 * visitor's functions are inlined. They are called for ops that are left, before what the op does
 * to its operands is noted; all behind it is final.
 */
#ifndef TCG_BACKWARD_H
#define TCG_BACKWARD_H

#include <string.h>

#include "tcg/helper.h"
#include "tcg/passes.h"

typedef struct IrVisitor {
    void (*get)(void *self, unsigned i);
    void (*set)(void *self, unsigned i);
    void (*call)(void *self, unsigned i);
    /* May fault or leave the block and is not a call; @shows: … and so shows flags and slots. */
    void (*observer)(void *self, unsigned i, bool shows);
    void (*access)(void *self, unsigned i, bool shows); /* the same, of OP_ld and OP_st */
    void (*offset)(void *self, unsigned i);             /* OP_lea and OP_add */
    /* OP_fl_test, OP_setcond: up to which op its operands are wanted. */
    unsigned (*condition)(void *self, unsigned i);
    void (*bundle)(void *self, unsigned i);
    void (*other)(void *self, unsigned i);
} IrVisitor;

typedef struct IrBackward {
    IrBlock *ir;
    IrOp *ops; /* its, without a look at what stores might have changed */
    IrNotes *notes;
    IrActing *live;
    IrRef insn;      /* marker of the op that is looked at */
    unsigned demand; /* who looks at the flags next, before they are defined again */
    EntryLook look;  /* what a block that began here would do */
    unsigned look_until;
} IrBackward;

/* Bytes of the slot that are written again before anybody can see them. */
static inline uint32_t *ir_dead_bytes(IrNotes *notes, unsigned slot)
{
    DeadBytes *d = &notes->dead[slot];

    d->mask &= 0u - (d->epoch == notes->epoch);
    d->epoch = notes->epoch;
    return &d->mask;
}

static inline uint32_t ir_bytes_of(const IrOp *op)
{
    return (uint32_t)(((UINT64_C(1) << ir_type_info[op->type].bytes) - 1) << op->aux);
}

static inline bool ir_set_is_dead(const IrBackward *b, const IrOp *op)
{
    uint32_t *dead = ir_dead_bytes(b->notes, op->imm), bytes = ir_bytes_of(op), before = *dead;

    *dead |= bytes;
    return !(bytes & ~before) && !ir_slot_is_volatile(b->ir, op->imm);
}

static inline void ir_remove_op(IrOp *op)
{
    *op = (IrOp){ .op = OP_nop };
}

/* Does nobody want its value? Then it goes. */
static inline bool ir_unused(const IrBackward *b, IrOp *op, unsigned i)
{
    if (b->notes->last_use[i]) {
        return false;
    }
    ir_remove_op(op);
    return true;
}

/* Constants that nobody uses become nops, which they are as good as: without branches. */
static inline void ir_keep_consts(IrBackward *b)
{
    for (unsigned k = 0; k < b->ir->nconsts; k++) {
        unsigned i = b->ir->consts[k];

        b->ops[i].head &= 0u - (b->notes->last_use[i] != 0);
    }
}

static inline void ir_keep(IrBackward *b, unsigned i)
{
    *--b->live = (IrActing){ (IrRef)i, b->insn };
}

/* @v is wanted at op @at, if @really: without branches, as nobody could guess. What is not really
 * wanted is noted behind all notes, each time elsewhere, for nobody to wait for. */
static inline void ir_use(IrNotes *notes, IrRef v, unsigned at, bool really)
{
    unsigned mask = 0u - really, k = (v & mask) | ((IR_MAX_OPS + at % 64) & ~mask);

    notes->last_use[k] = MAX(notes->last_use[k], (uint16_t)at);
    notes->uses[k]++;
}

static inline void ir_use_operands(IrNotes *notes, const IrOp *op, unsigned n, unsigned at)
{
    ir_use(notes, op->a, at, n > 0);
    ir_use(notes, op->b, at, n > 1);
    ir_use(notes, op->c, at, n > 2);
}

static inline void ir_back_setflags(IrBackward *b, IrOp *op)
{
    uint16_t *last = &b->notes->last_use[op->a];

    *last = MAX(*last, (uint16_t)b->demand);
    if (!b->demand) {
        ir_remove_op(op);
    }
    b->demand = 0;
}

static inline void ir_back_looks(IrBackward *b)
{
    b->look = ENTRY_LOOKS;
    b->look_until = 0;
}

/* Op @i shows flags. */
static inline void ir_back_shows(IrBackward *b, unsigned i, bool leaves)
{
    if (b->notes->flags_at[i]) {
        b->look = ENTRY_BLIND;
        b->look_until = 0;
    } else if (leaves) {
        ir_back_looks(b);
    } else if (b->look == ENTRY_BLIND) {
        b->look = ENTRY_FAULTS;
        b->look_until = i;
    }
    b->demand = b->demand ? b->demand : i;
}

static inline __attribute__((always_inline)) void ir_back_call(IrBackward *b, const IrVisitor *v,
                                                               void *self, unsigned i)
{
    IrOp *op = &b->ops[i];
    unsigned helper = b->ir->helpers[op->imm].flags, props = ir_props(b->ir, op);
    bool shows = props & (IRP_FAULT | IRP_EXIT);

    if (!props && ir_unused(b, op, i)) {
        return;
    }
    ir_keep(b, i);
    b->demand = helper & HELPER_WRITES_FLAGS ? 0 : b->demand;
    b->notes->epoch += shows || !(helper & HELPER_PURE);
    if ((shows || (helper & HELPER_READS_FLAGS)) && !b->demand) {
        b->demand = i;
    }
    ir_back_looks(b);
    v->call(self, i);
    for (unsigned k = 0; k < b->ir->call_args[op->imm]; k++) {
        ir_use(b->notes, op->arg[k], i, true);
    }
}

/* What is no state, call, flags or sum. */
static inline __attribute__((always_inline)) void ir_back_other(IrBackward *b, const IrVisitor *v,
                                                                void *self, unsigned i)
{
    const unsigned kept = IRP_EFFECT | IRP_FAULT | IRP_END | IRP_EXIT | IRP_FPSTATUS | IRP_WRITES;
    IrOp *op = &b->ops[i];
    unsigned props = ir_op_info[op->op].props;

    if (!(props & kept) && ir_unused(b, op, i)) {
        return;
    }
    ir_keep(b, i);
    if (props & (IRP_FAULT | IRP_EXIT)) {
        bool shows = !ir_is_member(b->notes, i);

        if (shows) {
            b->notes->epoch++;
            ir_back_shows(b, i, props & IRP_EXIT);
        }
        v->observer(self, i, shows);
    } else {
        v->other(self, i);
    }
    ir_use_operands(b->notes, op, ir_op_info[op->op].nargs, i);
}

/* OP_ld, OP_st: a case of ir_back_other(), and the most frequent one. */
static inline __attribute__((always_inline)) void ir_back_access(IrBackward *b, const IrVisitor *v,
                                                                 void *self, unsigned i)
{
    bool shows = !ir_is_member(b->notes, i);

    ir_keep(b, i);
    if (shows) {
        b->notes->epoch++;
        ir_back_shows(b, i, false);
    }
    v->access(self, i, shows);
    ir_use(b->notes, b->ops[i].a, i, true);
}

/* The op that has been seen last: a bundle goes with its setflags. */
static inline __attribute__((always_inline)) unsigned ir_back_op(IrBackward *b, const IrVisitor *v,
                                                                 void *self, unsigned i)
{
    IrOp *op = &b->ops[i];

    switch (op->op) {
    case OP_nop: return i;
    case OP_set:
        if (ir_set_is_dead(b, op)) {
            ir_remove_op(op);
            return i;
        }
        ir_keep(b, i);
        v->set(self, i);
        ir_use(b->notes, op->a, i, true);
        return i;
    case OP_get:
        if (!ir_unused(b, op, i)) {
            ir_keep(b, i);
            *ir_dead_bytes(b->notes, op->imm) &= ~ir_bytes_of(op);
            v->get(self, i);
        }
        return i;
    case OP_getflags:
        if (!ir_unused(b, op, i)) {
            ir_keep(b, i);
            ir_back_looks(b);
        }
        return i;
    case OP_setflags:
        ir_back_setflags(b, op);
        op--;
        if (!ir_is_flags_op(op->op)) {
            return i;
        }
        i--;
        /* fall through */
    case OP_fl_add ... OP_fl_packed:
        if (!ir_unused(b, op, i)) {
            ir_keep(b, i);
            v->bundle(self, i);
            ir_use_operands(b->notes, op, ir_op_info[op->op].nargs, b->notes->last_use[i]);
        }
        return i;
    case OP_lea:
    case OP_add:
        if (!ir_unused(b, op, i)) {
            ir_keep(b, i);
            v->offset(self, i);
            ir_use(b->notes, op->a, i, true);
            ir_use(b->notes, op->b, i, op->b != IR_NONE);
        }
        return i;
    case OP_fl_test:
    case OP_setcond:
        if (!ir_unused(b, op, i)) {
            unsigned end = v->condition(self, i);

            ir_keep(b, i);
            ir_use(b->notes, op->a, end, true);
            ir_use(b->notes, op->b, end, op->op == OP_setcond);
        }
        return i;
    case OP_ld: ir_back_access(b, v, self, i); return i;
    case OP_st:
        ir_back_access(b, v, self, i);
        ir_use(b->notes, op->b, i, true);
        return i;
    case OP_zext:
    case OP_sext:
    case OP_trunc:
        if (!ir_unused(b, op, i)) {
            ir_keep(b, i);
            v->other(self, i);
            ir_use(b->notes, op->a, i, true);
        }
        return i;
    case OP_call: ir_back_call(b, v, self, i); return i;
    default: ir_back_other(b, v, self, i); return i;
    }
}

static inline __attribute__((always_inline)) void ir_walk_back(IrBlock *ir, IrNotes *notes,
                                                               const IrVisitor *v, void *self)
{
    IrBackward b = { .ir = ir,
                     .ops = ir->ops,
                     .notes = notes,
                     .live = notes->live_store + IR_MAX_OPS,
                     .look = ENTRY_BLIND };
    const IrActing *first;

    g_assert(ir->nslots <= IR_MAX_SLOTS);
    ir_block_list(ir);
    notes->epoch++;
    for (unsigned i = 0; i < ir->nops; i += IR_CLEARED_OPS) {
        ir_clear_noted(&notes->last_use[i]);
        ir_clear_noted(&notes->uses[i]);
    }
    b.live->op = IR_NONE;
    first = ir->acting;
    for (const IrActing *at = first + ir->nacting; at > first;) {
        unsigned i = (--at)->op;

        b.insn = at->insn;
        at -= ir_back_op(&b, v, self, i) != i; /* it has seen to the one before, too */
    }
    ir_keep_consts(&b);
    notes->look = b.look;
    notes->look_until = b.look_until;
    notes->live = b.live;
    notes->nlive = (unsigned)(notes->live_store + IR_MAX_OPS - b.live);
}

#endif
