/* SPDX-License-Identifier: MIT */
/*
 * Ops between the halves of V256 values. These are in memory; so is the upper half of a pin.
 */
#include "tcg/aarch64/rules/vec.h"

#define CUR ((IrRef)g->cur)

static int operand_half(Gen *g, int32_t off, int h) /* in a temporary */
{
    int r = alloc_vec(g);

    env_load(&g->a, 16, r, off + 16 * h);
    return r & 31;
}

static void copy_half(Gen *g, int32_t to, int32_t from)
{
    env_load(&g->a, 16, VEC(0), from);
    env_store(&g->a, 16, VEC(0), to);
}

void emit_vbcast(Gen *g)
{
    unsigned lane = g->op->aux;
    int n = use_vec(g, g->op->a), d;
    int32_t to;

    if (g->op->type == V128) {
        d = pick_vec(g, 0);
        if (lane > 3) {
            a_vmov(&g->a, d & 31, n & 31);
        } else {
            a_dup_elem(&g->a, lane, d & 31, n & 31, 0);
        }
        def_reg(g, CUR, d, false);
        return;
    }
    to = def_spill(g, CUR);
    if (lane <= 3) {
        a_dup_elem(&g->a, lane, 0, n & 31, 0);
        n = VEC(0);
    }
    env_store(&g->a, 16, n, to);
    env_store(&g->a, 16, n, to + 16);
}

void emit_vinserth(Gen *g)
{
    unsigned h = g->op->imm & 1;
    int32_t from = wide_off(g, g->op->a), to;
    int n = use_vec(g, g->op->b);

    to = def_spill(g, CUR);
    copy_half(g, to + (h ? 0 : 16), from + (h ? 0 : 16));
    env_store(&g->a, 16, n, to + (h ? 16 : 0));
}

void emit_vextracth(Gen *g)
{
    int32_t from = wide_off(g, g->op->a);
    int d = pick_vec(g, 0);

    env_load(&g->a, 16, d, from + (g->op->imm & 1 ? 16 : 0));
    def_reg(g, CUR, d, false);
}

void emit_vwiden(Gen *g)
{
    uint32_t insn = g->op->op == OP_vwidens ? 0x0f00a400 : 0x2f00a400; /* SSHLL, USHLL #0 */
    unsigned steps = g->op->imm - g->op->aux, at = 16u >> steps; /* bytes of a half's source */
    int n = use_vec(g, g->op->a) & 31;
    int32_t to = def_spill(g, CUR);

    for (int h = 0; h < 2; h++) {
        int from = n;
        if (h) {
            a_3(&g->a, 0x6e000000 | at << 11, 0, n, n); /* EXT */
            from = 0;
        }
        for (unsigned lane = g->op->aux; lane < g->op->imm; lane++) {
            a_2(&g->a, insn | (8u << lane) << 16, 0, from);
            from = 0;
        }
        env_store(&g->a, 16, VEC(0), to + 16 * h);
    }
}

void emit_vlane2(Gen *g)
{
    int32_t off[2] = { wide_off(g, g->op->a), wide_off(g, g->op->b) }, to = def_spill(g, CUR);

    for (int h = 0; h < 2; h++) {
        unsigned from = g->op->imm >> 4 * h;
        if (from & 8) {
            a_vzero(&g->a, 0);
            env_store(&g->a, 16, VEC(0), to + 16 * h);
        } else {
            copy_half(g, to + 16 * h, off[from >> 1 & 1] + (from & 1 ? 16 : 0));
        }
    }
}

void emit_vpermq(Gen *g)
{
    int32_t from = wide_off(g, g->op->a), to = def_spill(g, CUR);

    for (int i = 0; i < 4; i++) {
        env_load(&g->a, 8, X17, from + 8 * (int32_t)(g->op->imm >> 2 * i & 3));
        env_store(&g->a, 8, X17, to + 8 * i);
    }
}

/* Indices of bytes from those of lanes, for TBL from both halves. */
void emit_vpermd(Gen *g)
{
    int32_t index = wide_off(g, g->op->a), table = wide_off(g, g->op->b), to = def_spill(g, CUR);
    int c = alloc_vec(g) & 31;

    env_load(&g->a, 16, VEC(0), table);
    env_load(&g->a, 16, VEC(1), table + 16);
    for (int h = 0; h < 2; h++) {
        int t = operand_half(g, index, h);
        a_2(&g->a, 0x4f0004e0, c, 0); /* MOVI .4S, #7 */
        a_3(&g->a, 0x4e201c00, t, t, c);
        a_mov_imm(&g->a, X17, 0x04040404);
        a_dup(&g->a, 2, c, X17);
        a_3(&g->a, 0x4ea09c00, t, t, c); /* MUL */
        a_mov_imm(&g->a, X17, 0x03020100);
        a_dup(&g->a, 2, c, X17);
        a_3(&g->a, 0x4ea08400, t, t, c); /* ADD */
        a_3(&g->a, 0x4e002000, t, 0, t); /* TBL {V0, V1} */
        env_store(&g->a, 16, VEC(t), to + 16 * h);
    }
}

/* -- Bits in general registers ---------------------------------------------------------------- */

/* Top bits: shifted down, then added to their neighbours by ever wider lanes. */
static void mask_of(Gen *g, unsigned lane, int n, int d)
{
    unsigned bits = 8u << lane;

    if (lane == 3) {
        a_umov(&g->a, 3, X16, n, 0);
        a_umov(&g->a, 3, X17, n, 1);
        a_lsr(&g->a, 8, X16, X16, 63);
        a_lsr(&g->a, 8, X17, X17, 63);
        a_alu_sh(&g->a, A_ORR, 4, d, X16, X17, A_LSL, 1);
        return;
    }
    a_2(&g->a, 0x6f000400 | (bits + 1) << 16, 0, n); /* USHR by bits - 1 */
    if (lane == 0) {
        a_2(&g->a, 0x6f001400 | (32 - 7) << 16, 0, 0);  /* USRA V0.8H, #7 */
        a_2(&g->a, 0x6f001400 | (64 - 14) << 16, 0, 0); /* .4S, #14 */
    }
    a_2(&g->a, 0x6f001400 | (128u - (lane ? 31 : 28)) << 16, 0, 0); /* .2D */
    a_umov(&g->a, 0, X16, 0, 0);
    a_umov(&g->a, 0, X17, 0, 8);
    a_alu_sh(&g->a, A_ORR, 4, d, X16, X17, A_LSL, lane ? 2 : 8);
}

void emit_vmovmsk(Gen *g)
{
    unsigned lane = g->op->aux;
    int32_t off;
    int n, d, t;

    if (type_of(g, g->op->a) == V128) {
        n = use_vec(g, g->op->a) & 31;
        d = pick_gpr(g, 0);
        mask_of(g, lane, n, d);
    } else {
        off = wide_off(g, g->op->a);
        d = pick_gpr(g, 0);
        t = alloc_gpr(g);
        mask_of(g, lane, operand_half(g, off, 0), d);
        mask_of(g, lane, operand_half(g, off, 1), t);
        a_alu_sh(&g->a, A_ORR, 4, d, d, t, A_LSL, 16u >> lane);
    }
    def_reg(g, CUR, d, true);
}

static void is_zero(Gen *g, int d, int n) /* 1 in @d if @n is 0 */
{
    a_umov(&g->a, 3, d, n, 0);
    a_umov(&g->a, 3, LR, n, 1);
    a_alu(&g->a, A_ORR, 8, d, d, LR);
    a_un(&g->a, A_CLZ, 8, d, d);
    a_lsr(&g->a, 8, d, d, 6);
}

/* V0 = x & y, V1 = ~x & y, of both halves together. */
static void test_wide(Gen *g)
{
    int32_t x = wide_off(g, g->op->a), y = wide_off(g, g->op->b);
    int n = operand_half(g, x, 0), m = operand_half(g, y, 0), t = alloc_vec(g) & 31;

    a_3(&g->a, 0x4e201c00, 0, n, m); /* AND */
    a_3(&g->a, 0x4e601c00, 1, m, n); /* BIC */
    env_load(&g->a, 16, VEC(n), x + 16);
    env_load(&g->a, 16, VEC(m), y + 16);
    a_3(&g->a, 0x4e201c00, t, n, m);
    a_3(&g->a, 0x4ea01c00, 0, 0, t); /* ORR */
    a_3(&g->a, 0x4e601c00, t, m, n);
    a_3(&g->a, 0x4ea01c00, 1, 1, t);
}

void emit_vtest(Gen *g)
{
    int n, m, d;

    if (type_of(g, g->op->a) == V256) {
        test_wide(g);
    } else {
        n = use_vec(g, g->op->a) & 31;
        m = use_vec(g, g->op->b) & 31;
        a_3(&g->a, 0x4e201c00, 0, n, m);
        a_3(&g->a, 0x4e601c00, 1, m, n);
    }
    is_zero(g, X16, 0);
    is_zero(g, X17, 1);
    d = pick_gpr(g, 0);
    a_alu_sh(&g->a, A_ORR, 4, d, X17, X16, A_LSL, 6);
    def_reg(g, CUR, d, true);
}
