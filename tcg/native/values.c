/* SPDX-License-Identifier: MIT */
/* Which values sit in which register, slot or spill: the lists that both directions are kept in. */
#include TCG_NATIVE_GEN

static void env_forget(Gen *g, IrRef v)
{
    for (unsigned i = 0; i < g->nenvs; i++) {
        if (g->envs[i] == v) {
            g->envs[i] = g->envs[--g->nenvs];
            return;
        }
    }
}

unsigned spill_units(const Gen *g, IrRef v)
{
    IrType t = (IrType)g->ops[v].type;

    return t == V256 ? 4 : t == V128 || t == F80 ? 2 : 1;
}

unsigned spill_unit(const Gen *g, int32_t off)
{
    return (unsigned)(off - scr(g, SCR_SPILL)) / 8;
}

int32_t spill_alloc(Gen *g, unsigned units)
{
    for (unsigned i = 0; i + units <= NSPILLS; i += units) {
        uint64_t mask = ((UINT64_C(1) << units) - 1) << (i & 63);
        if (!(g->spill_used[i >> 6] & mask)) {
            g->spill_used[i >> 6] |= mask;
            return scr(g, SCR_SPILL) + (int32_t)i * 8;
        }
    }
    g_error("a block needs more spill space than there is");
}

static G_GNUC_NO_INLINE void drop_from_memory(Gen *g, IrRef v)
{
    Loc *l = &g->loc[v];

    if (l->kind == LOC_SPILL) {
        unsigned i = spill_unit(g, l->off);
        g->spill_used[i >> 6] &= ~(((UINT64_C(1) << spill_units(g, v)) - 1) << (i & 63));
    } else if (l->kind == LOC_ENV) {
        env_forget(g, v);
    }
    l->kind = LOC_NONE;
}

/* Take @v out of the place it is in. */
void drop(Gen *g, IrRef v)
{
    Loc *l = &g->loc[v];
    IrRef *p;

    if (G_UNLIKELY(l->kind != LOC_REG)) {
        drop_from_memory(g, v);
        return;
    }
    for (p = &g->head[l->reg]; *p != v; p = &g->loc[*p].next) {
        g_assert(*p);
    }
    *p = l->next;
    l->kind = LOC_NONE;
}

static G_GNUC_NO_INLINE void def_reg_again(Gen *g, IrRef v, int r, bool zx)
{
    drop(g, v);
    def_reg(g, v, r, zx);
}

void def_reg(Gen *g, IrRef v, int r, bool zx)
{
    if (G_UNLIKELY(g->loc[v].kind != LOC_NONE)) { /* apart, for the sake of registers */
        def_reg_again(g, v, r, zx);
        return;
    }
    g->loc[v] = (Loc){ .kind = LOC_REG, .reg = (int8_t)r, .zx = zx, .next = g->head[r] };
    g->head[r] = v;
}

void def_env(Gen *g, IrRef v, int32_t off, bool in_file)
{
    if (g->nenvs == G_N_ELEMENTS(g->envs)) { /* drop the dead, or load the oldest */
        for (unsigned i = g->nenvs; i-- > 0;) {
            if (g->last[g->envs[i]] < g->cur) {
                drop(g, g->envs[i]);
            }
        }
        if (g->nenvs == G_N_ELEMENTS(g->envs)) {
            evict_all_env(g, true);
        }
    }
    g->loc[v] = (Loc){ .kind = LOC_ENV, .off = off, .in_file = in_file };
    g->envs[g->nenvs++] = v;
}

void note_copy(Gen *g, IrRef v, int32_t off, bool in_file)
{
    g->copies[g->ncopies++ % G_N_ELEMENTS(g->copies)] = (EnvCopy){ v, in_file, off };
}

void forget_copies(Gen *g, int32_t off, unsigned bytes)
{
    for (EnvCopy *c = g->copies; c < g->copies + G_N_ELEMENTS(g->copies); c++) {
        if (c->v && c->off < off + (int32_t)bytes && off < c->off + (int32_t)bytes_of(g, c->v)) {
            c->v = IR_NONE;
        }
    }
}

static bool back_in_env(Gen *g, IrRef v)
{
    if (g->nenvs == G_N_ELEMENTS(g->envs)) {
        return false;
    }
    for (const EnvCopy *c = g->copies; c < g->copies + G_N_ELEMENTS(g->copies); c++) {
        if (c->v == v) {
            drop(g, v);
            def_env(g, v, c->off, c->in_file);
            return true;
        }
    }
    return false;
}

void to_memory(Gen *g, IrRef v, int r)
{
    if (!back_in_env(g, v)) {
        emit_spill(g, v, r);
    }
}

void def_alias(Gen *g, IrRef v, IrRef of, bool zx)
{
    g_assert(g->loc[of].kind == LOC_REG);
    def_reg(g, v, g->loc[of].reg, zx);
}

void rehome(Gen *g, IrRef v, int pin)
{
    Loc l = g->loc[v];

    if (l.kind != LOC_CONST && (l.kind != LOC_REG || is_temp(l.reg))) {
        drop(g, v);
        def_reg(g, v, pin, bytes_of(g, v) == 8);
    }
}

bool reg_dies(Gen *g, int r)
{
    for (IrRef v = g->head[r]; v; v = g->loc[v].next) {
        if (live_after(g, v)) {
            return false;
        }
    }
    return true;
}

Src src_of(Gen *g, IrRef v)
{
    const Loc *l = &g->loc[v];
    Src s = { 0 };

    switch (l->kind) {
    case LOC_CONST:
        s.kind = SRC_CONST;
        s.value = g->ops[v].value;
        break;
    case LOC_REG:
        s.kind = SRC_REG;
        s.reg = l->reg;
        break;
    case LOC_ENV:
    case LOC_SPILL:
        s.kind = SRC_MEM;
        s.off = l->off;
        break;
    default: g_assert_not_reached();
    }
    return s;
}
