/* SPDX-License-Identifier: MIT */
/* Shifts, rotates and funnel shifts, and counting of bits. */
#include "tcg/x86_64/gen.h"

#define CUR ((IrRef)g->cur)

/* -- Shifts ----------------------------------------------------------------------------------- */

static X86Shift shift_kind(unsigned op)
{
    switch (op) {
    case OP_shl: return SH_SHL;
    case OP_shr: return SH_SHR;
    case OP_sar: return SH_SAR;
    case OP_rotl: return SH_ROL;
    default: return SH_ROR;
    }
}

/* Left operand of an 8- or 16-bit right shift: what comes in from above must be right. */
static void widen_for(Gen *g, X86Shift k, int dst, int src, unsigned n, bool zx)
{
    if (k == SH_SAR) {
        x_movsx(&g->a, 4, n, (X86Reg)dst, (X86Reg)src);
    } else if (k == SH_SHR && !zx) {
        x_movzx(&g->a, n, (X86Reg)dst, (X86Reg)src);
    } else {
        copy_to(g, dst, src, n);
    }
}

static void shift_const(Gen *g, X86Shift k, unsigned n, unsigned count)
{
    int a = use_gpr(g, g->op->a), dst;
    bool zx = is_zx(g, g->op->a), native;
    unsigned w;

    count &= n * 8 - 1;
    native = n >= 4 || k == SH_ROL || k == SH_ROR || (g->want[g->cur] & (WANT_FLAGS | WANT_PART));
    w = native ? n : 4;
    dst = native ? pick_gpr_part(g, a, 0) : pick_gpr(g, a, 0);
    if (native) {
        copy_to(g, dst, a, w);
        zx = w == 4;
    } else {
        widen_for(g, k, dst, a, n, zx);
        zx = k == SH_SHR;
    }
    if (count) {
        x_shift_imm(&g->a, k, w, (X86Reg)dst, count);
        if (native && k != SH_ROL && k != SH_ROR) {
            host_flags_are(g, CUR);
        }
    } else if (w == 4 && dst == a) {
        zx = zx && is_zx(g, g->op->a);
    }
    def_reg(g, CUR, dst, zx);
}

/* Count in CL with RCX, a pin, put back afterwards. */
static void shift_by_cl(Gen *g, X86Shift k, unsigned w, int dst, int count)
{
    if (count != RCX) {
        g_assert(dst != RCX);
        x_xchg(&g->a, RCX, (X86Reg)count);
    }
    x_shift_cl(&g->a, k, w, (X86Reg)dst);
    if (count != RCX) {
        x_xchg(&g->a, RCX, (X86Reg)count);
    }
}

/* The same by moves, which cost less than exchanges; there is a register for it. */
static void rotate_by_cl(Gen *g, X86Shift k, unsigned w, int dst, int count)
{
    int keep;

    if (count == RCX) {
        x_shift_cl(&g->a, k, w, (X86Reg)dst);
        return;
    }
    keep = alloc_gpr(g);
    x_mov(&g->a, 8, (X86Reg)keep, RCX);
    x_mov(&g->a, 4, RCX, (X86Reg)count);
    x_shift_cl(&g->a, k, w, (X86Reg)dst);
    x_mov(&g->a, 8, RCX, (X86Reg)keep);
}

void emit_shift(Gen *g)
{
    X86Shift k = shift_kind(g->op->op);
    unsigned n = op_bytes(g), w = MAX(n, 4u);
    bool rotate = k == SH_ROL || k == SH_ROR;
    uint64_t cv;
    int a, c, t, u;

    if (const_value(g, g->op->b, &cv)) {
        shift_const(g, k, n, (unsigned)cv);
        return;
    }
    c = use_gpr(g, g->op->b);
    a = use_gpr(g, g->op->a);
    if (g->be->feat.bmi2 && n >= 4 && !rotate) {
        t = pick_gpr(g, NO_REG, 0);
        x_bmi_shift(&g->a,
                    k == SH_SHL   ? BMI_SHLX
                    : k == SH_SHR ? BMI_SHRX
                                  : BMI_SARX,
                    n, (X86Reg)t, (X86Reg)a, (X86Reg)c);
        def_reg(g, CUR, t, n == 4);
        return;
    }
    t = alloc_gpr(g);
    if (rotate) {
        copy_to(g, t, a, w);
        unlock(g, a);
        lock(g, c); /* may be the same */
        rotate_by_cl(g, k, n, t, c);
        def_reg(g, CUR, t, n == 4);
        return;
    }
    widen_for(g, n < 4 ? k : SH_SHL, t, a, n, is_zx(g, g->op->a));
    if (n < 4) { /* the host takes the count modulo 32 */
        u = alloc_gpr(g);
        x_mov(&g->a, 4, (X86Reg)u, (X86Reg)c);
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)u, (int32_t)n * 8 - 1);
        c = u;
    }
    shift_by_cl(g, k, w, t, c);
    def_reg(g, CUR, t, n == 4 || (n < 4 && k == SH_SHR));
}

/* I8: through a 16-bit pair. */
static void funnel8(Gen *g, bool left)
{
    int x = use_gpr(g, g->op->a), y, t = alloc_gpr(g), u = alloc_gpr(g), c;
    uint64_t cv;

    x_movzx(&g->a, 1, (X86Reg)t, (X86Reg)x);
    unlock(g, x);
    y = use_gpr(g, g->op->b);
    x_movzx(&g->a, 1, (X86Reg)u, (X86Reg)y);
    unlock(g, y);
    x_shift_imm(&g->a, SH_SHL, 4, (X86Reg)(left ? t : u), 8);
    x_alu(&g->a, ALU_OR, 4, (X86Reg)t, (X86Reg)u);
    if (const_value(g, g->op->c, &cv)) {
        if (cv & 7) {
            x_shift_imm(&g->a, left ? SH_SHL : SH_SHR, 4, (X86Reg)t, (unsigned)cv & 7);
        }
    } else {
        c = use_gpr(g, g->op->c);
        x_mov(&g->a, 4, (X86Reg)u, (X86Reg)c);
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)u, 7);
        shift_by_cl(g, left ? SH_SHL : SH_SHR, 4, t, u);
    }
    if (left) {
        x_shift_imm(&g->a, SH_SHR, 4, (X86Reg)t, 8);
    }
    def_reg(g, CUR, t, false);
}

void emit_funnel(Gen *g)
{
    bool left = g->op->op == OP_fshl;
    unsigned n = op_bytes(g);
    int x, y, c, t, u;
    uint64_t cv;

    if (n == 1) {
        funnel8(g, left);
        return;
    }
    x = use_gpr(g, g->op->a);
    t = alloc_gpr(g);
    copy_to(g, t, x, n == 8 ? 8 : 4);
    unlock(g, x);
    y = use_gpr(g, g->op->b);
    if (const_value(g, g->op->c, &cv)) {
        cv &= n * 8 - 1;
        if (cv) {
            x_flags_rr(&g->a, left ? X_SHLDI : X_SHRDI, n, (X86Reg)y, (X86Reg)t);
            x_byte(&g->a, (unsigned)cv);
        }
    } else {
        c = use_gpr(g, g->op->c);
        u = c;
        if (n == 2) {
            u = alloc_gpr(g);
            x_mov(&g->a, 4, (X86Reg)u, (X86Reg)c);
            x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)u, 15);
        }
        if (u != RCX) {
            x_xchg(&g->a, RCX, (X86Reg)u);
            y = y == RCX ? u : y == u ? RCX : y;
        }
        x_flags_rr(&g->a, left ? X_SHLD : X_SHRD, n, (X86Reg)y, (X86Reg)t);
        if (u != RCX) {
            x_xchg(&g->a, RCX, (X86Reg)u);
        }
    }
    def_reg(g, CUR, t, n == 4);
}

/* -- Bits and bytes --------------------------------------------------------------------------- */

void emit_bswap(Gen *g)
{
    unsigned w = op_bytes(g);
    int a = use_gpr(g, g->op->a), dst = pick_gpr(g, a, 0);

    copy_to(g, dst, a, w);
    x_bswap(&g->a, w, (X86Reg)dst);
    def_reg(g, CUR, dst, w == 4);
}

/* Population count in plain arithmetic, on @t (zero-extended); @u is free. */
static void popcnt_sums(Gen *g, int t, int u)
{
    static const struct {
        unsigned shift;
        uint64_t mask;
    } step[] = { { 1, 0x5555555555555555 }, { 2, 0x3333333333333333 }, { 4, 0x0f0f0f0f0f0f0f0f } };
    int m = alloc_gpr(g);

    for (unsigned i = 0; i < 3; i++) { /* t = (t & m) + (t >> s & m) */
        x_mov_imm(&g->a, (X86Reg)m, step[i].mask);
        x_mov(&g->a, 8, (X86Reg)u, (X86Reg)t);
        x_shift_imm(&g->a, SH_SHR, 8, (X86Reg)u, step[i].shift);
        x_alu(&g->a, ALU_AND, 8, (X86Reg)u, (X86Reg)m);
        x_alu(&g->a, ALU_AND, 8, (X86Reg)t, (X86Reg)m);
        x_alu(&g->a, ALU_ADD, 8, (X86Reg)t, (X86Reg)u);
    }
    x_mov_imm(&g->a, (X86Reg)m, 0x0101010101010101);
    x_imul(&g->a, 8, (X86Reg)t, (X86Reg)m);
    x_shift_imm(&g->a, SH_SHR, 8, (X86Reg)t, 56);
}

/* BSF and BSR leave the destination alone for 0: it is given the answer for 0 beforehand. */
static void scan_fallback(Gen *g, bool leading, unsigned n, int t, int u)
{
    int32_t width = (int32_t)n * 8;

    x_mov_imm(&g->a, (X86Reg)u, leading ? (uint64_t)(2 * width - 1) : (uint64_t)width);
    x_test(&g->a, 8, (X86Reg)t, (X86Reg)t);
    uint8_t *j = x_jcc8(&g->a, CC_Z);
    x_flags_rr(&g->a, leading ? X_BSR : X_BSF, 8, (X86Reg)u, (X86Reg)t);
    x_here8(&g->a, j);
    if (leading) { /* width - 1 - index */
        x_grp3(&g->a, G3_NEG, 4, (X86Reg)u);
        x_alu_imm(&g->a, ALU_ADD, 4, (X86Reg)u, width - 1);
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)u, 2 * width - 1);
    }
    x_mov(&g->a, 4, (X86Reg)t, (X86Reg)u);
}

void emit_bits(Gen *g)
{
    unsigned n = op_bytes(g), op = g->op->op;
    bool has = op == OP_popcnt ? g->be->feat.popcnt
               : op == OP_clz  ? g->be->feat.lzcnt
                               : g->be->feat.bmi1;
    unsigned x = op == OP_popcnt ? X_POPCNT : op == OP_clz ? X_LZCNT : X_TZCNT;
    int a = use_gpr(g, g->op->a), t, u;

    if (has) {
        t = pick_gpr(g, a, 0);
        if (n == 2) {
            t = is_temp(t) ? t : alloc_gpr(g);
            x_flags_rr(&g->a, x, 2, (X86Reg)t, (X86Reg)a);
        } else {
            x_flags_rr(&g->a, x, n, (X86Reg)t, (X86Reg)a);
        }
        def_reg(g, CUR, t, n == 4);
        return;
    }
    t = alloc_gpr(g);
    u = alloc_gpr(g);
    if (n == 8) {
        x_mov(&g->a, 8, (X86Reg)t, (X86Reg)a);
    } else {
        x_movzx(&g->a, n, (X86Reg)t, (X86Reg)a);
    }
    unlock(g, a);
    if (op == OP_popcnt) {
        popcnt_sums(g, t, u);
    } else {
        scan_fallback(g, op == OP_clz, n, t, u);
    }
    def_reg(g, CUR, t, true);
}
