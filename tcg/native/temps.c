/* SPDX-License-Identifier: MIT */
/*
 * Temporaries are handed out as they are wanted, in the host's order of liking; the one whose
 * content is needed furthest away is spilled when there is none left. And what becomes of values
 * that a slot in env stood for when somebody writes the slot.
 */
#include TCG_NATIVE_GEN

void spill_reg(Gen *g, int r)
{
    while (g->head[r]) {
        IrRef v = g->head[r];
        if (g->last[v] < g->cur) {
            drop(g, v);
        } else {
            to_memory(g, v, r);
        }
    }
}

int free_temp(Gen *g, uint64_t set)
{
    for (uint64_t m = set & ~(uint64_t)g->locked; m;) {
        int r = first_choice(m);
        m &= ~(UINT64_C(1) << r);
        drop_leading(g, r, g->cur);
        if (!g->head[r]) {
            return r;
        }
    }
    return NO_REG;
}

static unsigned last_wanted(const Gen *g, int r)
{
    unsigned last = 0;

    for (IrRef v = g->head[r]; v; v = g->loc[v].next) {
        last = MAX(last, g->last[v]);
    }
    return last;
}

static G_GNUC_NO_INLINE int furthest(const Gen *g, uint64_t set)
{
    int best = NO_REG;
    unsigned far = 0;

    for (uint64_t m = set & ~(uint64_t)g->locked; m; m &= m - 1) {
        int r = __builtin_ctzll(m);
        unsigned last = last_wanted(g, r);
        if (best == NO_REG || last > far) {
            best = r;
            far = last;
        }
    }
    g_assert(best != NO_REG);
    return best;
}

int alloc_temp(Gen *g, uint64_t set)
{
    int r = free_temp(g, set);

    if (G_UNLIKELY(r == NO_REG)) {
        r = furthest(g, set);
        spill_reg(g, r);
    }
    lock(g, r);
    temp_taken(g, r);
    return r;
}

int alloc_gpr(Gen *g)
{
    return alloc_temp(g, GPR_TEMPS);
}

int copy_gpr(Gen *g, IrRef v)
{
    int r = alloc_gpr(g); /* may move @v to memory */

    load_gpr(g, r, v);
    return r;
}

void evict_used(Gen *g, int r)
{
    g->cur--;
    evict(g, r);
    g->cur++;
}

void evict_env(Gen *g, int32_t off, unsigned bytes)
{
    forget_copies(g, off, bytes);
    for (unsigned i = g->nenvs; i-- > 0;) {
        IrRef v = g->envs[i];
        int32_t o = g->loc[v].off;
        if (o < off + (int32_t)bytes && off < o + (int32_t)bytes_of(g, v)) {
            if (live_after(g, v)) {
                settle_env(g, v);
            } else {
                drop(g, v);
            }
        }
    }
}

void evict_all_env(Gen *g, bool registers_too)
{
    memset(g->copies, 0, sizeof(g->copies));
    for (unsigned i = g->nenvs; i-- > 0;) {
        IrRef v = g->envs[i];
        if (!registers_too && g->loc[v].in_file) {
            continue;
        }
        if (g->last[v] >= g->cur) {
            settle_env(g, v);
        } else {
            drop(g, v);
        }
    }
}
