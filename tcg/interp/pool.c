/* SPDX-License-Identifier: MIT */
/*
 * The constants of all blocks, each once. The pool is the master; every Interp has a copy of it
 * at a distance that all share, so that a constant is a place like any other. Copies are brought up
 * to date when a CPU begins to run; a block says how much of the pool it needs.
 */
#include "tcg/interp/interp.h"

#define NSLOTS (2 * MAX_CONST_WORDS)

struct ConstPool {
    u32 used, generation;
    u64 words[MAX_CONST_WORDS];
    u8 length[MAX_CONST_WORDS]; /* of the constant that begins there */
    u32 slots[NSLOTS];          /* by hash: index in words + 1, 0: free */
};

ConstPool *interp_pool_new(void)
{
    return g_new0(ConstPool, 1);
}

void interp_pool_free(ConstPool *pool)
{
    g_free(pool);
}

void interp_pool_clear(ConstPool *pool)
{
    pool->used = 0;
    pool->generation++;
    memset(pool->slots, 0, sizeof(pool->slots));
}

u32 interp_pool_size(const ConstPool *pool)
{
    return pool->used;
}

static bool is_constant(const ConstPool *pool, u32 at, u64 value, unsigned n)
{
    return pool->words[at] == value && pool->length[at] >= n;
}

/* The slot that has it or may get it. */
static u32 *find_slot(ConstPool *pool, u64 value, unsigned n)
{
    u32 i = (u32)((value + n) * UINT64_C(0x9e3779b97f4a7c15) >> 40) % NSLOTS;

    while (pool->slots[i] && !is_constant(pool, pool->slots[i] - 1, value, n)) {
        i = (i + 1) % NSLOTS;
    }
    return &pool->slots[i];
}

static Place place_of_word(u32 at)
{
    return (Place)(offsetof(Interp, consts) + at * sizeof(u64));
}

Place interp_pool_find(ConstPool *pool, u64 value, unsigned n)
{
    u32 *slot = find_slot(pool, value, n);

    if (!*slot) {
        if (pool->used + n > MAX_CONST_WORDS) {
            return 0;
        }
        pool->length[pool->used] = (u8)n;
        for (unsigned i = 0; i < n; i++) {
            pool->words[pool->used + i] = value;
        }
        *slot = pool->used + 1;
        pool->used += n;
    }
    return place_of_word(*slot - 1);
}

void interp_pool_copy(const ConstPool *pool, Interp *x)
{
    if (x->pool != pool || x->pool_generation != pool->generation) {
        x->pool = pool;
        x->pool_generation = pool->generation;
        x->nconsts = 0;
    }
    memcpy(x->consts + x->nconsts, pool->words + x->nconsts,
           (pool->used - x->nconsts) * sizeof(u64));
    x->nconsts = pool->used;
}
