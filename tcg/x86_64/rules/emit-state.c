/* SPDX-License-Identifier: MIT */
/* Guest state: get and set of slots. */
#include "tcg/x86_64/gen.h"

static void store_xmm(Gen *g, IrType t, Mem m, int r)
{
    unsigned x = t == V128 ? X_MOVUPS_ST : t == F64 ? X_MOVSD_ST : X_MOVSS_ST;

    if (t == V256) {
        x_vex_rm(&g->a, X_MOVUPS_ST, true, r - 16, 0, m);
        return;
    }
    x_rm(&g->a, x, 4, (X86Reg)(r - 16), m);
}

/* A pinned vector register to its slot in env or back, where the part from byte op.aux on is read
 * or written. Below 16 its upper half stays out of it, as loads of YMM make legacy forms slow. */
static void dump_pin(Gen *g, const SlotHome *s, bool store)
{
    unsigned x = store ? X_MOVUPS_ST : X_MOVUPS;

    if (s->bytes == 32 && g->be->feat.avx2 && g->op->aux >= 16) {
        x_vex_rm(&g->a, x, true, s->reg - 16, 0, env_mem(s->off));
    } else {
        x_rm(&g->a, x, 4, (X86Reg)(s->reg - 16), env_mem(s->off));
    }
}

/* A lane that PEXTRD and PINSRD (X_W: Q) reach. */
static bool is_lane(const Gen *g, IrType t)
{
    return (t == I32 || t == I64) && g->be->feat.sse41 && g->op->aux < 16 &&
           g->op->aux % ir_type_info[t].bytes == 0;
}

static void move_lane(Gen *g, IrType t, unsigned op, int vec, int r)
{
    x_rr(&g->a, X_66 | X_0F3A | op | (t == I64 ? X_W : 0), 4, (X86Reg)(vec - 16), (X86Reg)r);
    x_byte(&g->a, g->op->aux / ir_type_info[t].bytes);
}

/* Part of a pinned vector register, perhaps through its slot in env, which is free while it is
 * pinned. */
static void get_vec_part(Gen *g, const SlotHome *s)
{
    IrType t = (IrType)g->op->type;
    int r;

    if ((t == I32 || t == I64) && g->op->aux == 0) {
        r = pick_gpr(g, NO_REG, 0);
        x_rr(&g->a, X_MOVD_ST | (t == I64 ? X_W : 0), 4, (X86Reg)(s->reg - 16), (X86Reg)r);
        def_reg(g, (IrRef)g->cur, r, true);
        return;
    }
    if (is_lane(g, t)) {
        r = pick_gpr(g, NO_REG, 0);
        move_lane(g, t, 0x16, s->reg, r);
        def_reg(g, (IrRef)g->cur, r, true);
        return;
    }
    dump_pin(g, s, true);
    if (is_vec(t)) {
        r = alloc_xmm(g);
        /* clang-format off */
        x_rm(&g->a, t == V128 ? X_MOVUPS : t == F64 ? X_MOVSD : X_MOVSS, 4, (X86Reg)(r - 16),
             env_mem(s->off + g->op->aux));
        /* clang-format on */
        def_reg(g, (IrRef)g->cur, r, false);
    } else {
        r = pick_gpr(g, NO_REG, 0);
        x_load(&g->a, ir_type_info[t].bytes, (X86Reg)r, env_mem(s->off + g->op->aux));
        def_reg(g, (IrRef)g->cur, r, true);
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
        def_env(g, (IrRef)g->cur, s->off + g->op->aux, s->is_register);
    } else if (s->reg >= 16) {
        if (is_vec(t) && g->op->aux == 0) {
            def_reg(g, (IrRef)g->cur, s->reg, false);
        } else {
            get_vec_part(g, s);
        }
    } else if (g->op->aux == 0) {
        def_reg(g, (IrRef)g->cur, s->reg, ir_type_info[t].bytes == 8);
    } else {
        r = alloc_gpr(g);
        if (g->be->feat.bmi2) {
            x_rorx(&g->a, 8, (X86Reg)r, (X86Reg)s->reg, g->op->aux * 8u);
        } else {
            x_mov(&g->a, 8, (X86Reg)r, (X86Reg)s->reg);
            x_shift_imm(&g->a, SH_SHR, 8, (X86Reg)r, g->op->aux * 8u);
        }
        def_reg(g, (IrRef)g->cur, r, false);
    }
}

/* The slot's own old value + constant, of which nobody else will ask: added in memory, where the
 * host's flags tell nothing that is of use. */
static bool add_to_slot(Gen *g, IrRef v, int32_t off)
{
    IrRef base;
    int32_t disp;

    if (g->loc[v].kind != LOC_LAZY || g->hf.epoch == g->a.epoch || !is_offset(g, v, &base, &disp) ||
        g->loc[base].kind != LOC_ENV || g->loc[base].off != off || live_after(g, v) ||
        live_after(g, base)) {
        return false;
    }
    evict_env(g, off, 8);
    x_alu_mi(&g->a, ALU_ADD, 8, env_mem(off), disp);
    return true;
}

static void set_env_slot(Gen *g, const SlotHome *s, IrRef v)
{
    IrType t = (IrType)g->ops[v].type;
    unsigned bytes = ir_type_info[t].bytes;
    int32_t off = s->off + g->op->aux, imm;

    if (t == F80) {
        if (g->loc[v].kind == LOC_ENV && g->loc[v].off == off) {
            return;
        }
        evict_env(g, off, bytes);
        copy_f80(g, off, g->loc[v].off);
        return;
    }
    if (is_vec(t)) {
        int r = use_xmm(g, v);
        evict_env(g, off, bytes);
        store_xmm(g, t, env_mem(off), r);
        return;
    }
    if (fits_imm(g, v, &imm)) {
        evict_env(g, off, bytes);
        x_store_imm(&g->a, bytes, env_mem(off), imm);
        return;
    }
    if (add_to_slot(g, v, off)) {
        return;
    }
    int r = use_gpr(g, v);
    evict_env(g, off, bytes);
    x_store(&g->a, bytes, env_mem(off), (X86Reg)r);
    note_copy(g, v, off, s->is_register);
}

static void set_vec_pin(Gen *g, const SlotHome *s, IrRef v)
{
    IrType t = (IrType)g->ops[v].type;
    unsigned bytes = ir_type_info[t].bytes;
    X86Reg pin = (X86Reg)(s->reg - 16);
    int r;

    if (t == V256 || (t == V128 && g->op->aux == 0)) {
        if (g->loc[v].kind == LOC_REG && g->loc[v].reg == s->reg) {
            return;
        }
        if (g->loc[v].kind == LOC_REG) {
            r = use_xmm(g, v);
            evict(g, s->reg);
            if (t == V256) {
                x_vex_rr(&g->a, X_MOVAPS, has_upper(g, v), s->reg - 16, 0, r - 16);
            } else {
                x_rr(&g->a, X_MOVAPS, 4, pin, (X86Reg)(r - 16));
            }
            if (is_temp(r)) {
                drop(g, v);
                def_reg(g, v, s->reg, false);
            }
            return;
        }
        evict(g, s->reg);
        load_xmm(g, s->reg, v);
        return;
    }
    if (is_vec(t) && g->loc[v].kind == LOC_REG && g->loc[v].reg == s->reg && g->op->aux == 0) {
        return; /* computed in place, or what was there before */
    }
    r = is_vec(t) ? use_xmm(g, v) : use_gpr(g, v);
    evict(g, s->reg);
    if (is_vec(t) && g->op->aux == 0) {
        x_rr(&g->a, t == F64 ? X_MOVSD : X_MOVSS, 4, pin, (X86Reg)(r - 16));
    } else if (t == F64 && g->op->aux == 8) {
        x_rr(&g->a, X_MOVLHPS, 4, pin, (X86Reg)(r - 16));
    } else if (is_lane(g, t)) {
        move_lane(g, t, 0x22, s->reg, r);
    } else {
        dump_pin(g, s, true);
        if (is_vec(t)) {
            store_xmm(g, t, env_mem(s->off + g->op->aux), r);
        } else {
            x_store(&g->a, bytes, env_mem(s->off + g->op->aux), (X86Reg)r);
        }
        dump_pin(g, s, false);
    }
}

static void set_int_part(Gen *g, const SlotHome *s, IrRef v)
{
    unsigned bytes = bytes_of(g, v), shift = g->op->aux * 8u;
    X86Reg pin = (X86Reg)s->reg;
    const Loc *l = &g->loc[v];
    int r;

    if (shift == 0 && l->kind == LOC_REG && l->reg == s->reg) {
        return;
    }
    r = use_gpr(g, v);
    evict(g, s->reg);
    if (bytes == 4) {
        /* upper or lower half of a 64-bit slot, the other half stays */
        int t = alloc_gpr(g);
        x_mov(&g->a, 4, (X86Reg)t, (X86Reg)r);
        if (shift) {
            x_shift_imm(&g->a, SH_SHL, 8, (X86Reg)t, shift);
            x_mov(&g->a, 4, pin, pin);
        } else {
            x_shift_imm(&g->a, SH_SHR, 8, pin, 32);
            x_shift_imm(&g->a, SH_SHL, 8, pin, 32);
        }
        x_alu(&g->a, ALU_OR, 8, pin, (X86Reg)t);
        return;
    }
    if (shift == 0) {
        x_mov(&g->a, bytes, pin, (X86Reg)r);
        rehome(g, v, s->reg);
        return;
    }
    if (bytes == 1 && shift == 8 && s->reg <= RBX && r <= RBX) { /* MOV AH, CL */
        x_rr(&g->a, 0x88, 4, (X86Reg)r, (X86Reg)(s->reg + 4));
        return;
    }
    if (s->reg == r) { /* its own part, elsewhere */
        int t = alloc_gpr(g);
        x_mov(&g->a, 4, (X86Reg)t, (X86Reg)r);
        r = t;
    }
    if (g->be->feat.bmi2) {
        x_rorx(&g->a, 8, pin, pin, shift);
        x_mov(&g->a, bytes, pin, (X86Reg)r);
        x_rorx(&g->a, 8, pin, pin, 64 - shift);
    } else {
        x_shift_imm(&g->a, SH_ROR, 8, pin, shift);
        x_mov(&g->a, bytes, pin, (X86Reg)r);
        x_shift_imm(&g->a, SH_ROL, 8, pin, shift);
    }
}

/* Base + constant, whose base may sit in this very pin and die here. */
static void set_lazy(Gen *g, const SlotHome *s, IrRef v)
{
    IrRef base;
    int32_t disp;
    Mem m = { .base = NOREG };
    bool beside;

    g_assert(is_offset(g, v, &base, &disp) && s->bytes == 8);
    if (g->loc[base].kind == LOC_REG || is_beside(g, base, disp)) {
        m = base_mem(g, base, disp);
    }
    if ((g->want[g->cur] & WANT_LATE) && m.base == (X86Reg)s->reg &&
        __builtin_popcount(g->late) < MAX_LATE) {
        g->late |= 1u << s->reg;
        g->late_by[s->reg] = m.disp;
        return;
    }
    beside = m.base != NOREG && leave_beside(g, base, s->reg, disp);
    evict(g, s->reg);
    if (m.base != NOREG) {
        x_lea(&g->a, 8, (X86Reg)s->reg, m);
    } else {
        load_gpr(g, s->reg, v);
    }
    if (beside) {
        now_beside(g, base, s->reg, disp);
    }
    drop(g, v);
    def_reg(g, v, s->reg, true);
    g->pin_value[s->reg] = v;
}

void emit_set(Gen *g)
{
    const SlotHome *s = &g->be->slot[g->op->imm];
    IrRef v = g->op->a;
    Loc *l = &g->loc[v];

    g->late &= s->reg == NO_REG ? UINT32_MAX : ~(1u << s->reg);
    if (s->reg == NO_REG) {
        set_env_slot(g, s, v);
    } else if (s->reg >= 16) {
        set_vec_pin(g, s, v);
    } else if (bytes_of(g, v) < s->bytes) {
        set_int_part(g, s, v);
    } else if (l->kind != LOC_REG || l->reg != s->reg) {
        uint64_t value;

        if (l->kind == LOC_REG) {
            lock(g, l->reg);
        }
        if (l->kind == LOC_LAZY) {
            set_lazy(g, s, v);
            return;
        }
        evict(g, s->reg);
        if (const_value(g, v, &value) && value == 0 && g->hf.epoch != g->a.epoch) {
            x_alu(&g->a, ALU_XOR, 4, (X86Reg)s->reg, (X86Reg)s->reg);
        } else if (l->kind == LOC_REG) {
            x_mov(&g->a, s->bytes, (X86Reg)s->reg, (X86Reg)l->reg);
            rehome(g, v, s->reg);
        } else {
            load_gpr(g, s->reg, v);
            rehome(g, v, s->reg);
        }
    }
    if (s->reg != NO_REG && bytes_of(g, v) == s->bytes) {
        g->pin_value[s->reg] = v;
    }
}
