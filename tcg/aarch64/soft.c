/* SPDX-License-Identifier: MIT */
/*
 * Ops that have no code here are done by the portable back end: operands go to the scratch area,
 * a thunk runs the handlers, the result is fetched from there. What the handlers are to do is
 * decoded once for each different op and kept until the back end goes.
 */
#include "tcg/aarch64/gen.h"
#include "tcg/interp/soft.h"

typedef struct Key {
    uint8_t op, type, aux, nargs;
    uint8_t arg[4];
    uint32_t imm;
} Key;

struct SoftTable {
    InterpSoft *maker;
    GHashTable *numbers; /* Key -> number + 1 */
    GPtrArray *units;
};

static unsigned key_hash(const void *p)
{
    uint32_t w[sizeof(Key) / 4], h = 0;

    memcpy(w, p, sizeof(w));
    for (unsigned i = 0; i < G_N_ELEMENTS(w); i++) {
        h = (h ^ w[i]) * 0x9e3779b1u;
        h ^= h >> 15;
    }
    return h;
}

static int key_equal(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(Key)) == 0;
}

SoftTable *soft_new(const TcgConfig *config)
{
    const int32_t scratch = config->layout.scratch;
    SoftTable *t = g_new0(SoftTable, 1);

    t->maker = interp_soft_new(config, scratch + SCR_ARG, 32, scratch + SCR_RET);
    t->numbers = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    t->units = g_ptr_array_new_with_free_func(g_free);
    return t;
}

void soft_free(SoftTable *t)
{
    interp_soft_free(t->maker);
    g_hash_table_destroy(t->numbers);
    g_ptr_array_free(t->units, TRUE);
    g_free(t);
}

uint32_t soft_number(SoftTable *t, const IrBlock *ir, unsigned i)
{
    const IrOp *op = &ir->ops[i];
    Key key = { .op = op->op, .type = op->type, .aux = op->aux };
    uint32_t number;

    key.nargs = (uint8_t)ir_operands(ir, op);
    for (unsigned k = 0; k < key.nargs; k++) {
        key.arg[k] = ir->ops[op->arg[k]].type;
    }
    key.imm = op->imm;
    number = GPOINTER_TO_UINT(g_hash_table_lookup(t->numbers, &key));
    if (!number) {
        g_ptr_array_add(t->units, interp_soft_make(t->maker, ir, i));
        number = t->units->len;
        g_hash_table_insert(t->numbers, g_memdup2(&key, sizeof(key)), GUINT_TO_POINTER(number));
    }
    return number - 1;
}

void a64_soft(void *env, const uint8_t *site, const A64Backend *be)
{
    uint32_t number;

    memcpy(&number, site, 4);
    interp_soft_run(g_ptr_array_index(be->soft->units, number), env, be->layout,
                    (uint32_t *)((uint8_t *)env + be->layout->scratch + SCR_RAISED));
}
