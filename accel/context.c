/* SPDX-License-Identifier: MIT */
/*
 * Jump-cache contexts. A jump-cache entry is good for one pc in one context: mode, code segment
 * base and the state of the address space (its tag and generation). Contexts are interned to 13-bit
 * numbers in Cpu.jc_key, below the three hot bits, that take part in where a pc's entry is:
 * whatever address a guest jumps to, it finds no other context's. Number 0 is never used, for empty
 * entries; number 1 stands for a context not looked at yet: no entry is made in it.
 *
 * In supervisor mode the address space takes no part: kernels run from global pages. A CPU that
 * runs supervisor code from a page that is not global notes it (Tlb.kernel_nonglobal), and its
 * whole jump cache is cleared when an address space is forgotten or left.
 */
#include "accel/engine.h"

#include <assert.h>
#include <string.h>

#define FIRST_CONTEXT 2u
#define LAST_CONTEXT  ((1u << CONTEXT_BITS) - 1)

static_assert((TCG_JC_MASK >> CONTEXT_SHIFT) + 1 == 8u << CONTEXT_BITS,
              "the key is as wide as an index");

static guint context_hash(gconstpointer p)
{
    const Context *c = p;
    uint64_t h = (c->cs_base ^ c->mode) * 0x9e3779b97f4a7c15ull;
    h ^= (((uint64_t)c->gen << 32) ^ (c->asid << 16) ^ c->cpu) * 0xc2b2ae3d27d4eb4full;
    return h >> 32;
}

static gboolean context_equal(gconstpointer a, gconstpointer b)
{
    const Context *x = a, *y = b;
    return x->cs_base == y->cs_base && x->mode == y->mode && x->gen == y->gen &&
           x->asid == y->asid && x->cpu == y->cpu;
}

/* Numbers will be given out anew: no CPU may keep the one that it has. */
void context_forget_all(Accel *a)
{
    if (a->contexts)
        g_hash_table_destroy(a->contexts);
    a->contexts = g_hash_table_new_full(context_hash, context_equal, g_free, NULL);
    a->next_context = FIRST_CONTEXT;
    for (unsigned i = 0; i < a->cpus->len; i++) {
        Cpu *cpu = a->cpus->pdata[i];
        jump_cache_clear(cpu);
        memset(cpu->run->recent, 0, sizeof(cpu->run->recent));
        cpu_context_changed(cpu);
    }
}

static uint32_t intern(Accel *a, const Context *c)
{
    gpointer found;

    if (g_hash_table_lookup_extended(a->contexts, c, NULL, &found))
        return GPOINTER_TO_UINT(found);
    if (a->next_context > LAST_CONTEXT)
        context_forget_all(a);
    g_hash_table_insert(a->contexts, g_memdup2(c, sizeof(*c)), GUINT_TO_POINTER(a->next_context));
    return a->next_context++;
}

void context_update(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    CpuContext ctx;
    RecentContext *r;
    Context c;

    cpu->ops->get_context(cpu, &ctx);
    cpu_context_is(cpu, ctx.mode, ctx.cs_base, ctx.kernel);
    if (!run->context_dirty)
        return;
    c = context_of(cpu, ctx.mode, ctx.cs_base, ctx.kernel);
    r = &run->recent[context_slot(&c)];
    r->number = intern(run->accel, &c); /* may clear all */
    r->c = c;
    cpu_context_is(cpu, ctx.mode, ctx.cs_base, ctx.kernel);
}
