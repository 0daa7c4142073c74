/* SPDX-License-Identifier: MIT */
/* Guest state: get and set of slots, constants, markers. */
#include "tcg/aarch64/gen.h"

#define CUR ((IrRef)g->cur)

void emit_nop(Gen *g)
{
}

void emit_insn(Gen *g)
{
    g->insn.offset = g->op->imm;
    g->insn.index = g->op->d;
    mark(g, g->insn.offset);
}

void emit_const(Gen *g)
{
    g->loc[g->cur].kind = LOC_CONST;
}

static bool lane_of(IrType t, unsigned at, unsigned *lane, unsigned *i)
{
    unsigned bytes = ir_type_info[t].bytes;

    *lane = (unsigned)__builtin_ctz(bytes);
    *i = at >> *lane;
    return bytes <= 8 && at % bytes == 0 && at + bytes <= 16;
}

/* A pinned vector register's slot in env is free while it is pinned: parts that the lane forms do
 * not reach go through it. */
static void get_vec_part(Gen *g, const SlotHome *s)
{
    IrType t = (IrType)g->op->type;
    unsigned lane, i;
    int r;

    if (!lane_of(t, g->op->aux, &lane, &i)) {
        env_store(&g->a, 16, s->reg, s->off);
        def_env(g, CUR, s->off + g->op->aux, true);
    } else if (is_vec(t)) {
        r = pick_vec(g, 0);
        a_dup_elem(&g->a, lane, r & 31, s->reg & 31, i);
        def_reg(g, CUR, r, false);
    } else {
        r = pick_gpr(g, 0);
        a_umov(&g->a, lane, r, s->reg & 31, i);
        def_reg(g, CUR, r, true);
    }
}

void emit_get(Gen *g)
{
    const SlotHome *s = &g->be->slot[g->op->imm];
    IrType t = (IrType)g->op->type;
    int r;

    if (g->last[g->cur] == 0) {
        return;
    }
    if (s->reg == NO_REG) {
        def_env(g, CUR, s->off + g->op->aux, s->is_register);
    } else if (s->reg >= 32) {
        if (is_vec(t) && g->op->aux == 0) {
            def_reg(g, CUR, s->reg, false);
        } else {
            get_vec_part(g, s);
        }
    } else if (g->op->aux == 0) {
        def_reg(g, CUR, s->reg, ir_type_info[t].bytes == 8);
    } else {
        r = alloc_gpr(g);
        a_ubfx(&g->a, 8, r, s->reg, g->op->aux * 8u, ir_type_info[t].bits);
        def_reg(g, CUR, r, true);
    }
}

static void set_env(Gen *g, int32_t off, IrRef v)
{
    IrType t = type_of(g, v);
    unsigned bytes = bytes_of(g, v);
    int r;

    if (is_wide(t)) {
        int32_t from;
        if (g->loc[v].kind == LOC_ENV && g->loc[v].off == off) {
            return;
        }
        from = wide_off(g, v);
        evict_env(g, off, bytes);
        copy_wide(g, off, from, bytes);
        return;
    }
    r = is_vec(t) ? use_vec(g, v) : use_gpr_z(g, v);
    evict_env(g, off, bytes);
    env_store(&g->a, bytes, r, off);
}

static void set_wide_pin(Gen *g, const SlotHome *s, IrRef v)
{
    int32_t from = wide_off(g, v);

    if (g->loc[v].kind == LOC_ENV && from == s->off) {
        return; /* itself */
    }
    evict_env(g, s->off, 32);
    evict(g, s->reg);
    env_load(&g->a, 16, s->reg, from);
    env_load(&g->a, 16, VEC(0), from + 16);
    env_store(&g->a, 16, VEC(0), s->off + 16);
}

static void set_whole_vec(Gen *g, const SlotHome *s, IrRef v)
{
    int r;

    if (g->loc[v].kind != LOC_REG) {
        evict(g, s->reg);
        load_vec(g, s->reg, v);
        return;
    }
    r = use_vec(g, v);
    evict(g, s->reg);
    a_vmov(&g->a, s->reg & 31, r & 31);
    if (is_temp(r)) {
        drop(g, v);
        def_reg(g, v, s->reg, false);
    }
}

static void set_vec_pin(Gen *g, const SlotHome *s, IrRef v)
{
    IrType t = type_of(g, v);
    unsigned lane, i, at = g->op->aux;
    int r;

    if (t == V256) {
        set_wide_pin(g, s, v);
        return;
    }
    if (at >= 16) {
        set_env(g, s->off + (int32_t)at, v);
        return;
    }
    evict_env(g, s->off, 16); /* copies of the pin, see get_vec_part() */
    if (is_vec(t) && at == 0 && g->loc[v].kind == LOC_REG && g->loc[v].reg == s->reg) {
        return; /* computed in place, or what was there before */
    }
    if (t == V128 && at == 0) {
        set_whole_vec(g, s, v);
        return;
    }
    r = is_vec(t) ? use_vec(g, v) : use_gpr_z(g, v);
    evict(g, s->reg);
    if (!lane_of(t, at, &lane, &i)) {
        env_store(&g->a, 16, s->reg, s->off);
        env_store(&g->a, bytes_of(g, v), r, s->off + (int32_t)at);
        env_load(&g->a, 16, s->reg, s->off);
    } else if (is_vec(t)) {
        a_ins_elem(&g->a, lane, s->reg & 31, i, r & 31, 0);
    } else {
        a_ins(&g->a, lane, s->reg & 31, i, r);
    }
}

static void set_int_part(Gen *g, const SlotHome *s, IrRef v)
{
    unsigned bits = bytes_of(g, v) * 8, at = g->op->aux * 8u;
    const Loc *l = &g->loc[v];
    int r;

    if (at == 0 && l->kind == LOC_REG && l->reg == s->reg) {
        return;
    }
    r = use_gpr_z(g, v);
    evict(g, s->reg);
    a_bfi(&g->a, 8, s->reg, r, at, bits);
    if (at == 0) {
        rehome(g, v, s->reg);
    }
}

void emit_set(Gen *g)
{
    const SlotHome *s = &g->be->slot[g->op->imm];
    IrRef v = g->op->a;
    Loc *l = &g->loc[v];

    if (s->reg == NO_REG) {
        set_env(g, s->off + g->op->aux, v);
    } else if (s->reg >= 32) {
        set_vec_pin(g, s, v);
    } else if (bytes_of(g, v) < s->bytes) {
        set_int_part(g, s, v);
    } else if (l->kind != LOC_REG || l->reg != s->reg) {
        if (l->kind == LOC_REG) {
            lock(g, l->reg);
        }
        evict(g, s->reg);
        load_gpr(g, s->reg, v);
        rehome(g, v, s->reg);
    }
}
