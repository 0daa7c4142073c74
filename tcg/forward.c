/* SPDX-License-Identifier: MIT */
/* A few values per slot, with the bytes that each stands for. Forgetting all is a new epoch. */
#include "tcg/forward.h"

#define PARTS 3 /* values remembered per slot */

typedef struct Slot {
    IrRef value[PARTS];
    uint8_t byte[PARTS], end[PARTS];
    uint32_t epoch;
} Slot;

struct IrKnown {
    uint32_t epoch;
    Slot slot[];
};

IrKnown *ir_known_new(unsigned nslots)
{
    IrKnown *k = g_malloc0(sizeof(IrKnown) + nslots * sizeof(Slot));

    k->epoch = 1;
    return k;
}

void ir_known_free(IrKnown *k)
{
    g_free(k);
}

void ir_known_forget(IrKnown *k)
{
    k->epoch++;
}

static bool is_integer(unsigned type)
{
    return type >= I8 && type <= I64;
}

IrRef ir_known_find(const IrBlock *ir, IrOp *get)
{
    const Slot *s = &ir->known->slot[get->imm];
    IrRef wide = IR_NONE;

    if (s->epoch != ir->known->epoch) {
        return IR_NONE;
    }
    for (unsigned i = 0; i < PARTS; i++) {
        IrRef v = s->value[i];
        unsigned type = ir->ops[v].type;

        if (v == IR_NONE || s->byte[i] != get->aux) {
            continue;
        }
        if (type == get->type) {
            return v;
        }
        if ((is_integer(type) && is_integer(get->type) && type > get->type) ||
            (type == V256 && get->type == V128)) {
            wide = wide ? wide : v;
        }
    }
    if (wide) {
        *get = (IrOp){ .op = OP_trunc, .type = get->type, .a = wide };
    }
    return IR_NONE;
}

static void remember(IrBlock *ir, Slot *s, const IrOp *op, IrRef value)
{
    unsigned i = 0;

    while (i < PARTS - 1 && s->value[i] != IR_NONE) {
        i++;
    }
    s->value[i] = value;
    s->byte[i] = op->aux;
    s->end[i] = (uint8_t)(op->aux + ir_type_info[op->type].bytes);
}

static Slot *slot_of(IrBlock *ir, const IrOp *op)
{
    Slot *s = &ir->known->slot[op->imm];

    if (s->epoch != ir->known->epoch) {
        *s = (Slot){ .epoch = ir->known->epoch };
    }
    return s;
}

void ir_known_got(IrBlock *ir, const IrOp *get, IrRef value)
{
    if (!ir_slot_is_volatile(ir, get->imm)) {
        remember(ir, slot_of(ir, get), get, value);
    }
}

void ir_known_set(IrBlock *ir, const IrOp *set)
{
    unsigned end = set->aux + ir_type_info[set->type].bytes;
    Slot *s;

    if (ir_slot_is_volatile(ir, set->imm)) {
        return;
    }
    s = slot_of(ir, set);
    for (unsigned i = 0; i < PARTS; i++) {
        if (s->byte[i] < end && set->aux < s->end[i]) {
            s->value[i] = IR_NONE;
        }
    }
    remember(ir, s, set, set->a);
}
