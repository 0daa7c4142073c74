/* SPDX-License-Identifier: MIT */
/*
 * Memory stubs say what to do by number: few different shapes occur, thousands of times each. The
 * table holds them until the code buffer is flushed, in an array that never moves, found by
 * hashing. The hash is as small as it can be, and entries hold some bits of the key: it is looked
 * at with cold caches.
 */
#include "tcg/x86_64/gen.h"

#define MAX_SHAPES 65536
#define MIN_SLOTS  1024

typedef struct Slot {
    uint16_t number; /* + 1; 0: empty, as is what would be 65536 */
    uint16_t key;    /* high bits of the hash */
} Slot;

/* A line of the cache each. */
typedef union Line {
    MemShape shape;
    uint8_t line[64];
} Line;

struct ShapeTable {
    unsigned n, nslots; /* a power of two, more than twice as many as shapes */
    Slot *slot;
    Line *lines;
};

ShapeTable *shapes_new(void)
{
    ShapeTable *t = g_new0(ShapeTable, 1);

    G_STATIC_ASSERT(sizeof(Line) == 64);
    t->lines = g_aligned_alloc(MAX_SHAPES, sizeof(Line), sizeof(Line));
    t->nslots = MIN_SLOTS;
    t->slot = g_new0(Slot, t->nslots);
    return t;
}

void shapes_free(ShapeTable *t)
{
    g_aligned_free(t->lines);
    g_free(t->slot);
    g_free(t);
}

void shapes_clear(ShapeTable *t)
{
    t->n = 0;
    memset(t->slot, 0, t->nslots * sizeof(t->slot[0]));
}

/* Multilinear: nothing waits for what came before. */
static uint32_t hash(const MemShape *s)
{
    static const uint64_t factor[] = {
        0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
        0xd6e8feb86659fd93, 0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53,
    };
    uint64_t w[sizeof(*s) / 8], h = 0;

    G_STATIC_ASSERT(G_N_ELEMENTS(factor) == G_N_ELEMENTS(w));
    memcpy(w, s, sizeof(w));
#pragma GCC unroll 8
    for (unsigned i = 0; i < G_N_ELEMENTS(w); i++) {
        h += w[i] * factor[i];
    }
    return (uint32_t)(h >> 32);
}

/* Where a shape of this hash may be, from slot @i on. */
static unsigned probe(const ShapeTable *t, unsigned i, uint32_t h)
{
    i &= t->nslots - 1;
    while (t->slot[i].number && t->slot[i].key != h >> 16) {
        i = (i + 1) & (t->nslots - 1);
    }
    return i;
}

static void enter(ShapeTable *t, uint32_t h, unsigned number)
{
    unsigned i = h & (t->nslots - 1);

    while (t->slot[i].number) {
        i = (i + 1) & (t->nslots - 1);
    }
    t->slot[i] = (Slot){ .number = (uint16_t)(number + 1), .key = (uint16_t)(h >> 16) };
}

static void grow(ShapeTable *t)
{
    g_free(t->slot);
    t->nslots *= 2;
    t->slot = g_new0(Slot, t->nslots);
    for (unsigned i = 0; i < t->n; i++) {
        enter(t, hash(&t->lines[i].shape), i);
    }
}

uint32_t shapes_hash(const ShapeTable *t, const MemShape *s)
{
    uint32_t h = hash(s);

    __builtin_prefetch(&t->slot[h & (t->nslots - 1)]);
    return h;
}

int shapes_expect(const ShapeTable *t, uint32_t h)
{
    int number = t->slot[probe(t, h, h)].number - 1;

    __builtin_prefetch(&t->lines[MAX(number, 0)]);
    return number;
}

int shapes_find(ShapeTable *t, const MemShape *s, uint32_t h, int expected)
{
    G_STATIC_ASSERT(sizeof(MemShape) % 8 == 0); /* and without padding */
    if (G_LIKELY(expected >= 0 && !memcmp(&t->lines[expected].shape, s, sizeof(*s)))) {
        return expected;
    }
    for (unsigned i = probe(t, h, h); t->slot[i].number; i = probe(t, i + 1, h)) {
        if (!memcmp(&t->lines[t->slot[i].number - 1].shape, s, sizeof(*s))) {
            return t->slot[i].number - 1;
        }
    }
    if (t->n == MAX_SHAPES - 1) {
        return -1;
    }
    t->lines[t->n++].shape = *s;
    if (2 * t->n >= t->nslots) {
        grow(t);
    } else {
        enter(t, h, t->n - 1);
    }
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
        return (MemSite){ &t->lines[s->number].shape, site - s->far_back, 8 };
    }
    return (MemSite){ &t->lines[s->number].shape, site - s->back, 4 };
}
