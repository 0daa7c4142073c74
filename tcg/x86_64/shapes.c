/* SPDX-License-Identifier: MIT */
/*
 * Memory stubs say what to do by number: few different shapes occur, thousands of times each. The
 * table holds them until the code buffer is flushed, in an array that never moves, found by
 * hashing.
 */
#include "tcg/x86_64/gen.h"

#define MAX_SHAPES 65536
#define SLOTS      (2 * MAX_SHAPES)

struct ShapeTable {
    unsigned n;
    MemShape shape[MAX_SHAPES];
    uint16_t slot[SLOTS]; /* 1 + number; 0: empty, as is what would be 65536 */
};

ShapeTable *shapes_new(void)
{
    return g_new0(ShapeTable, 1);
}

void shapes_free(ShapeTable *t)
{
    g_free(t);
}

void shapes_clear(ShapeTable *t)
{
    t->n = 0;
    memset(t->slot, 0, sizeof(t->slot));
}

static unsigned hash(const MemShape *s)
{
    uint64_t w[sizeof(*s) / 8], h = 0;

    memcpy(w, s, sizeof(w));
    for (unsigned i = 0; i < G_N_ELEMENTS(w); i++) {
        h = (h ^ w[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (unsigned)(h % SLOTS);
}

int shapes_find(ShapeTable *t, const MemShape *s)
{
    unsigned i = hash(s);

    G_STATIC_ASSERT(sizeof(MemShape) % 8 == 0); /* and without padding */
    for (; t->slot[i]; i = (i + 1) % SLOTS) {
        if (!memcmp(&t->shape[t->slot[i] - 1], s, sizeof(*s))) {
            return t->slot[i] - 1;
        }
    }
    if (t->n == MAX_SHAPES - 1) {
        return -1;
    }
    t->shape[t->n++] = *s;
    t->slot[i] = (uint16_t)t->n;
    return (int)t->n - 1;
}

typedef struct __attribute__((packed)) Site {
    uint16_t back, number;
    uint32_t far_back;
} Site;

__attribute__((target("general-regs-only"))) MemSite shapes_at(const ShapeTable *t,
                                                               const uint8_t *site)
{
    const Site *s = (const Site *)site;

    if (s->back == UINT16_MAX) {
        return (MemSite){ &t->shape[s->number], site - s->far_back, 8 };
    }
    return (MemSite){ &t->shape[s->number], site - s->back, 4 };
}
