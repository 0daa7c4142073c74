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

IrRef ir_known_find(const IrBlock *ir, IrType type, unsigned slot, unsigned byte)
{
    const Slot *s = &ir->known->slot[slot];
    IrRef v = s->value[0];
    bool known = (s->epoch == ir->known->epoch) & (s->byte[0] == byte) & (ir->ops[v].type == type);

    return known ? v : IR_NONE;
}

IrRef ir_known_part(const IrBlock *ir, IrType type, unsigned slot, unsigned byte, IrRef *wide)
{
    const Slot *s = &ir->known->slot[slot];

    *wide = IR_NONE;
    if (s->epoch != ir->known->epoch) {
        return IR_NONE;
    }
    for (unsigned i = 0; i < PARTS; i++) {
        IrRef v = s->value[i];
        unsigned has = ir->ops[v].type;

        if (v == IR_NONE || s->byte[i] != byte) {
            continue;
        }
        if (has == type) {
            return v;
        }
        if (!*wide && ((is_integer(has) && is_integer(type) && has > type) ||
                       (has == V256 && type == V128))) {
            *wide = v;
        }
    }
    return IR_NONE;
}

static void remember(Slot *s, IrType type, unsigned byte, IrRef value)
{
    unsigned i = 0;

    while (i < PARTS - 1 && s->value[i] != IR_NONE) {
        i++;
    }
    s->value[i] = value;
    s->byte[i] = (uint8_t)byte;
    s->end[i] = (uint8_t)(byte + ir_type_info[type].bytes);
}

static Slot *slot_of(IrBlock *ir, unsigned slot)
{
    Slot *s = &ir->known->slot[slot];

    if (s->epoch != ir->known->epoch) {
        *s = (Slot){ .epoch = ir->known->epoch };
    }
    return s;
}

void ir_known_got(IrBlock *ir, IrType type, unsigned slot, unsigned byte, IrRef value)
{
    if (!ir_slot_is_volatile(ir, slot)) {
        remember(slot_of(ir, slot), type, byte, value);
    }
}

static G_GNUC_NO_INLINE void set_part(Slot *s, const IrOp *set)
{
    unsigned end = set->aux + ir_type_info[set->type].bytes;

    for (unsigned i = 0; i < PARTS; i++) {
        if (s->byte[i] < end && set->aux < s->end[i]) {
            s->value[i] = IR_NONE;
        }
    }
    remember(s, (IrType)set->type, set->aux, set->a);
}

void ir_known_set(IrBlock *ir, const IrOp *set)
{
    unsigned bytes = ir_type_info[set->type].bytes;

    if (ir_slot_is_volatile(ir, set->imm)) {
        return;
    }
    if (bytes == ir_type_info[ir->slots[set->imm].type].bytes) { /* all of it, as most often */
        ir->known->slot[set->imm] =
            (Slot){ .value = { set->a }, .end = { (uint8_t)bytes }, .epoch = ir->known->epoch };
        return;
    }
    set_part(slot_of(ir, set->imm), set);
}
