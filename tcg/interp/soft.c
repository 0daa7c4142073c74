/* SPDX-License-Identifier: MIT */
#include "tcg/interp/soft.h"

#include "tcg/interp/interp.h"

struct InterpSoft {
    Emitter *emitter;
    Place arg[IR_MAX_ARGS], result;
};

struct SoftUnit {
    unsigned nconsts; /* they come first */
    v128 data[];      /* then Ops */
};

#define SOFT_CELLS 64

static const Op *finish(const Op *op, Interp *x)
{
    return NULL;
}

InterpSoft *interp_soft_new(const TcgConfig *config, int32_t args, int32_t stride, int32_t result)
{
    InterpSoft *s = g_new0(InterpSoft, 1);

    s->emitter = interp_emitter_new(config, NULL);
    for (int i = 0; i < IR_MAX_ARGS; i++) {
        s->arg[i] = PLACE(BASE_ENV, args + i * stride);
    }
    s->result = PLACE(BASE_ENV, result);
    return s;
}

void interp_soft_free(InterpSoft *s)
{
    interp_emitter_free(s->emitter);
    g_free(s);
}

SoftUnit *interp_soft_make(InterpSoft *s, const IrBlock *ir, unsigned i)
{
    const struct Emitted *out = interp_emitted(s->emitter);
    IrOp alone[IR_MAX_ARGS + 2] = { 0 };
    IrOp *op = &alone[IR_MAX_ARGS + 1];
    Op last = { .run = finish };
    IrBlock block = *ir;
    size_t consts, ops;
    SoftUnit *u;

    /* operands that differ, whatever they are in @ir */
    *op = ir->ops[i];
    for (unsigned k = 0; k < ir_operands(ir, op); k++) {
        alone[k + 1] = (IrOp){ .op = OP_get, .type = ir->ops[op->arg[k]].type };
        op->arg[k] = (IrRef)(k + 1);
    }
    block.ops = alone;
    block.nops = IR_MAX_ARGS + 2;
    interp_emitter_one(s->emitter, &block, IR_MAX_ARGS + 1, s->arg, s->result);
    g_array_append_val(out->ops, last);
    consts = out->consts->len * sizeof(v128);
    ops = out->ops->len * sizeof(Op);
    u = g_malloc(sizeof(*u) + consts + ops);
    u->nconsts = out->consts->len;
    memcpy(u->data, out->consts->data, consts);
    memcpy(u->data + u->nconsts, out->ops->data, ops);
    return u;
}

void interp_soft_run(const SoftUnit *u, void *env, const TcgLayout *layout, uint32_t *raised)
{
    v128 cells[SOFT_CELLS];
    Interp x = { .env = env, .layout = layout, .fp_raised = *raised };
    const Op *op = (const Op *)(u->data + u->nconsts);

    x.base[BASE_CELLS] = (u8 *)cells;
    x.base[BASE_ENV] = env;
    x.base[BASE_CONSTS] = (u8 *)(uintptr_t)u->data;
    while (op) {
        op = op->run(op, &x);
    }
    *raised = x.fp_raised;
}
