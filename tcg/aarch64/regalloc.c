/* SPDX-License-Identifier: MIT */
/*
 * Local register allocation, fused with emission: one walk forward, last uses known from the
 * backward pass. Temporaries are handed out as they are wanted; the one whose content is needed
 * furthest away goes to the scratch area when there is none left. Nothing here changes NZCV.
 */
#include "tcg/aarch64/gen.h"

void env_addr(Asm *a, int d, int32_t off)
{
    a_add_imm(a, 8, d, ENV, off, d);
}

void env_ldst_by(Asm *a, A64Mem m, int t, int32_t off, int spare)
{
    if (a_fits_disp(m, off)) {
        a_ldst(a, m, t, ENV, off);
        return;
    }
    a_add_imm(a, 8, spare, ENV, off & ~0xfff, spare);
    if (a_fits_disp(m, off & 0xfff)) { /* as a rule: what is aligned */
        a_ldst(a, m, t, spare, off & 0xfff);
    } else {
        a_add_imm(a, 8, spare, spare, off & 0xfff, spare);
        a_ldst(a, m, t, spare, 0);
    }
}

/* Spills of dead values are given back only here. */
static void prune_spills(Gen *g)
{
    for (unsigned v = 1; v < g->cur; v++) {
        if (g->loc[v].kind == LOC_SPILL && g->last[v] < g->cur) {
            drop(g, (IrRef)v);
        }
    }
}

int32_t def_spill(Gen *g, IrRef v)
{
    int32_t off;

    if (is_wide(type_of(g, v))) {
        prune_spills(g);
    }
    off = spill_alloc(g, spill_units(g, v));
    g->loc[v] = (Loc){ .kind = LOC_SPILL, .off = off };
    return off;
}

static unsigned reg_log2(const Gen *g, IrRef v) /* how much of a register a value takes */
{
    return type_of(g, v) == V128 ? 4 : 3;
}

void emit_spill(Gen *g, IrRef v, int r)
{
    bool zx = g->loc[v].zx;
    int32_t off;

    prune_spills(g);
    off = spill_alloc(g, spill_units(g, v));
    /* An address, if @v is a group's token, of whatever type that op is. */
    env_store(&g->a, r < 32 ? 8 : 1u << reg_log2(g, v), r, off);
    drop(g, v);
    g->loc[v] = (Loc){ .kind = LOC_SPILL, .off = off, .zx = zx };
}

int alloc_vec(Gen *g)
{
    return alloc_temp(g, VEC_TEMPS);
}

bool const_value(const Gen *g, IrRef v, uint64_t *value)
{
    const IrOp *op = &g->ops[v];

    if (op->op != OP_const || op->type > I64) {
        return false;
    }
    *value = op->value & ir_type_mask(op->type);
    return true;
}

bool const_signed(const Gen *g, IrRef v, int64_t *value)
{
    unsigned bits = ir_type_info[g->ops[v].type].bits;
    uint64_t u;

    if (!const_value(g, v, &u)) {
        return false;
    }
    *value = bits >= 64 || bits == 1 ? (int64_t)u : (int64_t)(u << (64 - bits)) >> (64 - bits);
    return true;
}

void load_gpr(Gen *g, int r, IrRef v)
{
    const Loc *l = &g->loc[v];
    uint64_t value = 0;

    switch (l->kind) {
    case LOC_CONST:
        const_value(g, v, &value);
        a_mov_imm(&g->a, r, value);
        break;
    case LOC_REG:
        g_assert(l->reg < 32);
        if (l->reg != r) {
            a_mov(&g->a, 8, r, l->reg);
        }
        break;
    case LOC_ENV: env_load(&g->a, bytes_of(g, v), r, l->off); break;
    case LOC_SPILL: env_load(&g->a, 8, r, l->off); break;
    default: g_assert_not_reached();
    }
}

int use_gpr(Gen *g, IrRef v)
{
    Loc *l = &g->loc[v];
    int r;

    if (l->kind == LOC_REG) {
        lock(g, l->reg);
        return l->reg;
    }
    r = alloc_gpr(g);
    load_gpr(g, r, v);
    if (l->kind != LOC_CONST) {
        def_reg(g, v, r, l->kind == LOC_ENV || l->zx);
    }
    return r;
}

int use_gpr_z(Gen *g, IrRef v)
{
    uint64_t value;

    return const_value(g, v, &value) && value == 0 ? ZR : use_gpr(g, v);
}

int use_zx(Gen *g, IrRef v, int spare)
{
    int r = use_gpr_z(g, v);

    if (is_zx(g, v)) {
        return r;
    }
    if (type_of(g, v) == I1) {
        a_ubfx(&g->a, 4, spare, r, 0, 1);
    } else {
        a_zext(&g->a, bytes_of(g, v), spare, r);
    }
    return spare;
}

int use_sx(Gen *g, IrRef v, int spare)
{
    int r = use_gpr_z(g, v);

    if (bytes_of(g, v) == 8 || r == ZR) {
        return r;
    }
    if (type_of(g, v) == I1) {
        a_sbfx(&g->a, 8, spare, r, 0, 1);
    } else {
        a_sext(&g->a, bytes_of(g, v), spare, r);
    }
    return spare;
}

static void vec_const(Gen *g, int r, const IrOp *op)
{
    int d = r & 31;

    if (op->value == 0) {
        a_vzero(&g->a, d);
        return;
    }
    a_mov_imm(&g->a, X17, op->type == F32 ? (uint32_t)op->value : op->value);
    if (op->type == V128) {
        a_dup(&g->a, 3, d, X17);
    } else {
        a_fmov_to_vec(&g->a, 8, d, X17);
    }
}

void load_vec(Gen *g, int r, IrRef v)
{
    const Loc *l = &g->loc[v];

    switch (l->kind) {
    case LOC_CONST: vec_const(g, r, &g->ops[v]); break;
    case LOC_REG:
        if (l->reg != r) {
            a_vmov(&g->a, r & 31, l->reg & 31);
        }
        break;
    case LOC_ENV: env_load(&g->a, bytes_of(g, v), r, l->off); break;
    case LOC_SPILL: env_load(&g->a, 1u << reg_log2(g, v), r, l->off); break;
    default: g_assert_not_reached();
    }
}

int use_vec(Gen *g, IrRef v)
{
    Loc *l = &g->loc[v];
    int r;

    if (l->kind == LOC_REG) {
        g_assert(l->reg >= 32);
        lock(g, l->reg);
        return l->reg;
    }
    r = alloc_vec(g);
    load_vec(g, r, v);
    if (l->kind != LOC_CONST) {
        def_reg(g, v, r, false);
    }
    return r;
}

/* @r's content lives on in a free temporary, or in memory if there is none: no other register
 * changes, so places noted for this op stay true. */
void evict(Gen *g, int r)
{
    int t = NO_REG;
    IrRef v = g->head[r];

    while (v) {
        IrRef next = g->loc[v].next;
        bool zx = g->loc[v].zx;
        if (!live_after(g, v)) {
            drop(g, v);
        } else {
            if (t == NO_REG) {
                t = free_temp(g, r >= 32 ? VEC_TEMPS : GPR_TEMPS);
                if (t == NO_REG) {
                    emit_spill(g, v, r);
                    v = next;
                    continue;
                }
                if (r >= 32) {
                    a_vmov(&g->a, t & 31, r & 31);
                } else {
                    a_mov(&g->a, 8, t, r);
                }
            }
            drop(g, v);
            def_reg(g, v, t, zx);
        }
        v = next;
    }
}

void copy_wide(Gen *g, int32_t to, int32_t from, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 16) {
        unsigned n = MIN(bytes - i, 16u);
        if (n == 16) {
            env_load(&g->a, 16, VEC(0), from + (int32_t)i);
            env_store(&g->a, 16, VEC(0), to + (int32_t)i);
        } else { /* F80: 8 and 2 */
            env_load(&g->a, 8, X17, from + (int32_t)i);
            env_store(&g->a, 8, X17, to + (int32_t)i);
            env_load(&g->a, 2, X17, from + (int32_t)i + 8);
            env_store(&g->a, 2, X17, to + (int32_t)i + 8);
        }
    }
}

int32_t wide_off(Gen *g, IrRef v)
{
    const IrOp *op = &g->ops[v];
    int32_t off;

    if (g->loc[v].kind == LOC_CONST) {
        off = def_spill(g, v);
        if (op->value) {
            a_mov_imm(&g->a, X17, op->value);
            a_dup(&g->a, 3, 0, X17);
        } else {
            a_vzero(&g->a, 0);
        }
        env_store(&g->a, 16, VEC(0), off);
        env_store(&g->a, 16, VEC(0), off + 16);
    }
    g_assert(g->loc[v].kind == LOC_SPILL || g->loc[v].kind == LOC_ENV);
    return g->loc[v].off;
}

/* A value that a slot in env stood for gets a place of its own. */
void settle_env(Gen *g, IrRef v)
{
    IrType type = type_of(g, v);
    int32_t from = g->loc[v].off;
    int r;

    if (is_wide(type)) {
        drop(g, v);
        copy_wide(g, def_spill(g, v), from, ir_type_info[type].bytes);
        return;
    }
    r = is_vec(type) ? alloc_vec(g) : alloc_gpr(g);
    if (is_vec(type)) {
        load_vec(g, r, v);
    } else {
        load_gpr(g, r, v);
    }
    def_reg(g, v, r, !is_vec(type));
    unlock(g, r);
}

static int pick(Gen *g, uint64_t avoid, bool vec)
{
    unsigned set = g->hint[g->cur];
    int pin = set ? g->be->slot[g->ops[set].imm].reg : NO_REG;

    if (pin != NO_REG && !(avoid >> pin & 1) && (pin >= 32) == vec) {
        if (vec) { /* copies of it, see get_vec_part() */
            evict_env(g, g->be->reg_home[pin], 16);
        }
        evict(g, pin);
        return pin;
    }
    return alloc_temp(g, vec ? VEC_TEMPS : GPR_TEMPS);
}

int pick_gpr(Gen *g, uint64_t avoid)
{
    return pick(g, avoid, false);
}

int pick_vec(Gen *g, uint64_t avoid)
{
    return pick(g, avoid, true);
}

int32_t pick_wide(Gen *g, const int32_t *off, const int *r, unsigned n, bool kept, int *low)
{
    const IrOp *set = &g->ops[g->hint[g->cur]];
    int pin = g->hint[g->cur] ? g->be->slot[set->imm].reg : NO_REG;
    int32_t home = pin >= 32 ? g->be->slot[set->imm].off : 0;

    for (unsigned i = 0; pin != NO_REG && i < n; i++) {
        if (off[i] == NO_HOME ? r[i] == pin : kept && off[i] == home) {
            pin = NO_REG;
        }
    }
    *low = NO_REG;
    if (pin < 32) {
        return def_spill(g, (IrRef)g->cur);
    }
    evict_env(g, home, 32);
    evict(g, pin);
    def_env(g, (IrRef)g->cur, home, true);
    *low = pin;
    return home;
}

uint8_t place_of(Gen *g, IrRef v)
{
    const Loc *l = &g->loc[v];

    if (l->kind == LOC_REG) {
        return (uint8_t)l->reg;
    }
    g_assert(l->kind == LOC_SPILL);
    return (uint8_t)(PLACE_SPILL + spill_unit(g, l->off));
}
