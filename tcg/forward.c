/* SPDX-License-Identifier: MIT */
/*
 * The forward pass: what a slot holds is known after a set or a get, so a later get of the same
 * bytes is that value (or its low part); operands follow, and ops whose operands became simpler are
 * folded again. Ops are rewritten in place; what is left over dies in the backward pass.
 */
#include "tcg/passes.h"

#include "tcg/builder.h"
#include "tcg/fold.h"
#include "tcg/helper.h"

#define PARTS     3 /* values remembered per slot */
#define MAX_SLOTS 1024

typedef struct Known {
    IrRef value[PARTS];
    uint8_t byte[PARTS];
    uint32_t epoch;
    uint8_t next;
} Known;

typedef struct Forward {
    IrBlock *ir;
    uint32_t epoch;
    IrRef same[IR_MAX_OPS]; /* the value to use instead */
    Known known[MAX_SLOTS];
} Forward;

static Known *known(Forward *f, unsigned slot)
{
    Known *k = &f->known[slot];

    if (k->epoch != f->epoch) {
        *k = (Known){ .epoch = f->epoch };
    }
    return k;
}

static void remember(Forward *f, const IrOp *op, IrRef value)
{
    Known *k = known(f, op->imm);
    unsigned i;

    if (ir_slot_is_volatile(f->ir, op->imm)) {
        return;
    }
    for (i = 0; i < PARTS && k->value[i] != IR_NONE; i++) {
    }
    if (i == PARTS) {
        i = k->next++ % PARTS;
    }
    k->value[i] = value;
    k->byte[i] = op->aux;
}

static void forget_bytes(Forward *f, const IrOp *op)
{
    Known *k = known(f, op->imm);
    unsigned end = op->aux + ir_type_info[op->type].bytes;

    for (unsigned i = 0; i < PARTS; i++) {
        if (k->value[i] != IR_NONE && k->byte[i] < end &&
            op->aux < k->byte[i] + ir_type_info[f->ir->ops[k->value[i]].type].bytes) {
            k->value[i] = IR_NONE;
        }
    }
}

static bool is_integer(unsigned type)
{
    return type >= I8 && type <= I64;
}

/* A get whose bytes are known: the value, or the op turned into a truncation of a wider one. */
static IrRef forward_get(Forward *f, IrOp *op)
{
    Known *k = known(f, op->imm);

    for (unsigned i = 0; i < PARTS; i++) {
        IrRef v = k->value[i];
        unsigned type = f->ir->ops[v].type;

        if (v != IR_NONE && k->byte[i] == op->aux && type == op->type) {
            return v;
        }
    }
    for (unsigned i = 0; i < PARTS; i++) {
        IrRef v = k->value[i];

        if (v != IR_NONE && k->byte[i] == op->aux && f->ir->ops[v].type == V256 &&
            op->type == V128) {
            *op = (IrOp){ .op = OP_trunc, .type = V128, .a = v };
            return IR_NONE;
        }
    }
    for (unsigned i = 0; i < PARTS; i++) {
        IrRef v = k->value[i];
        unsigned type = f->ir->ops[v].type;

        if (v != IR_NONE && k->byte[i] == op->aux && is_integer(type) && is_integer(op->type) &&
            type > op->type) {
            *op = (IrOp){ .op = OP_trunc, .type = op->type, .a = v };
            return IR_NONE;
        }
    }
    return IR_NONE;
}

static void substitute(Forward *f, IrOp *op)
{
    unsigned n = ir_operands(f->ir, op);

    for (unsigned k = 0; k < n; k++) {
        op->arg[k] = f->same[op->arg[k]];
    }
}

/* May @op change slots other than by naming them? */
static bool changes_slots(const IrBlock *ir, const IrOp *op)
{
    return op->op == OP_vzeroupper ||
           (op->op == OP_call && !(ir->helpers[op->imm].flags & HELPER_PURE));
}

static void visit(Forward *f, unsigned i)
{
    IrOp *op = &f->ir->ops[i];
    IrRef old = IR_NONE;

    f->same[i] = (IrRef)i;
    substitute(f, op);
    switch (op->op) {
    case OP_get: {
        IrOp get = *op;
        old = forward_get(f, op);
        if (old == IR_NONE) {
            if (op->op == OP_trunc) {
                old = ir_fold(f->ir, op);
            }
            remember(f, &get, old ? old : (IrRef)i);
        }
        break;
    }
    case OP_set:
        forget_bytes(f, op);
        remember(f, op, op->a);
        break;
    case OP_const: break;
    case OP_ld:
    case OP_st: ir_fold_address(f->ir, op); break;
    default:
        if (changes_slots(f->ir, op)) {
            f->epoch++;
        } else if (ir_op_info[op->op].props & IRP_PURE) {
            old = ir_fold(f->ir, op);
        }
    }
    if (old != IR_NONE) {
        f->same[i] = old;
    }
}

void ir_pass_forward(IrBlock *ir)
{
    Forward f;

    g_assert(ir->nslots <= MAX_SLOTS);
    f.ir = ir;
    f.epoch = 1;
    f.same[0] = IR_NONE;
    for (unsigned s = 0; s < ir->nslots; s++) {
        f.known[s].epoch = 0;
    }
    for (unsigned i = 1; i < ir->nops; i++) {
        visit(&f, i);
    }
}
