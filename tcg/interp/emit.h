/* SPDX-License-Identifier: MIT */
/* The emitter's inside: emit.c (ops, stubs) and emit-flags.c (flags bundles). */
#ifndef TCG_INTERP_EMIT_H
#define TCG_INTERP_EMIT_H

#include "tcg/interp/places.h"

struct Emitter {
    const TcgConfig *config;
    CallSite *calls;
    ConstPool *pool;
    bool pool_full;
    struct Emitted out;
    GArray *stubs;
    u32 ncells;
    Plan plan;
    Place place[IR_MAX_OPS];
    Place packed[IR_MAX_OPS]; /* bundles that exist as a word; 0: no */
    u8 depth[IR_MAX_OPS];
    u32 rest_stub[IR_MAX_OPS]; /* bundle -> Ops that rest it and end */
    Place zero;
    /* the block at hand */
    const IrBlock *ir;
    const IrNotes *notes;
    Fault insn; /* the current guest instruction */
};

static inline Op *emit(Emitter *e, Handler *run)
{
    Op op = { .run = run, .d = e->zero, .a = e->zero, .b = e->zero, .c = e->zero };

    g_assert(run);
    g_array_append_val(e->out.ops, op);
    return &g_array_index(e->out.ops, Op, e->out.ops->len - 1);
}

static inline Place new_cells(Emitter *e, unsigned n)
{
    Place p = (Place)(offsetof(Interp, cells) + e->ncells * CELL_SIZE);

    e->ncells += n;
    g_assert(e->ncells <= MAX_CELLS);
    return p;
}

Place interp_allot(Emitter *e, unsigned i); /* where the value of op @i goes */

static inline Place env_place(const Emitter *e, s32 offset)
{
    return offset - e->config->layout.interp;
}

static inline Place place_of(const Emitter *e, IrRef v)
{
    return e->place[e->plan.root[v]];
}

static inline const IrOp *ir_op(const Emitter *e, IrRef v)
{
    return &e->ir->ops[v];
}

/* -- emit-flags.c -- */

/* Conditions that are one comparison: of the operands of a cmp, or of a result with zero. */
typedef struct Test {
    bool found;
    IrCond cond;
    IrType type;
    Place a, b;
} Test;

void interp_bundle(Emitter *e, unsigned i);
void interp_rest_flags(Emitter *e, IrRef flags); /* to the CPU state's record; IR_NONE: nothing */
Test interp_simple_test(Emitter *e, IrRef flags, IrCc cc);
void interp_fl_test(Emitter *e, unsigned i);
void interp_fl_pack(Emitter *e, unsigned i);

#endif
