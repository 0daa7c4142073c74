/* SPDX-License-Identifier: MIT */
#include "tcg/interp/soft.h"

#include "tcg/interp/interp.h"

struct InterpSoft {
    Emitter *emitter;
    ConstPool *pool;
    Place arg[IR_MAX_ARGS], result;
};

struct SoftUnit {
    const ConstPool *pool;
    Op ops[];
};

static const Op *finish(const Op *op, Interp *x)
{
    return NULL;
}

InterpSoft *interp_soft_new(const TcgConfig *config, int32_t args, int32_t stride, int32_t result)
{
    InterpSoft *s = g_new0(InterpSoft, 1);

    s->pool = interp_pool_new();
    s->emitter = interp_emitter_new(config, NULL, s->pool);
    for (int i = 0; i < IR_MAX_ARGS; i++) {
        s->arg[i] = args + i * stride - config->layout.interp;
    }
    s->result = result - config->layout.interp;
    return s;
}

void interp_soft_free(InterpSoft *s)
{
    interp_emitter_free(s->emitter);
    interp_pool_free(s->pool);
    g_free(s);
}

SoftUnit *interp_soft_make(InterpSoft *s, const IrBlock *ir, unsigned i)
{
    const struct Emitted *out = interp_emitted(s->emitter);
    IrOp alone[IR_MAX_ARGS + 2] = { 0 };
    IrOp *op = &alone[IR_MAX_ARGS + 1];
    Op last = { .run = finish };
    IrBlock block = *ir;
    size_t ops;
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
    ops = out->ops->len * sizeof(Op);
    u = g_malloc(sizeof(*u) + ops);
    u->pool = s->pool;
    memcpy(u->ops, out->ops->data, ops);
    return u;
}

void interp_soft_run(const SoftUnit *u, void *env, const TcgLayout *layout, uint32_t *raised)
{
    Interp *x = interp_bind(env, layout, u->pool);
    const Op *op = u->ops;

    x->fp_raised = *raised;
    while (op) {
        op = op->run(op, x);
    }
    *raised = x->fp_raised;
}
