/* SPDX-License-Identifier: MIT */
/*
 * Integers. Operations of 8 and 16 bits are done in 32 with whatever is above; where that matters
 * the operands are extended first. Those of 32 bits leave zeros above.
 */
#include "tcg/aarch64/gen.h"

#define CUR ((IrRef)g->cur)

static void define(Gen *g, int r)
{
    def_reg(g, CUR, r, op_bytes(g) >= 4);
}

void emit_mov(Gen *g)
{
    IrRef v = g->op->a;
    IrType t = type_of(g, v);
    int r;

    if (is_wide(t)) {
        int32_t from = wide_off(g, v);
        copy_wide(g, def_spill(g, CUR), from, bytes_of(g, v));
        return;
    }
    r = is_vec(t) ? use_vec(g, v) : use_gpr(g, v);
    if (g->loc[v].kind == LOC_REG) {
        def_alias(g, CUR, v, g->loc[v].zx);
    } else {
        def_reg(g, CUR, r, true);
    }
}

/* @v as an operand of ADD or SUB: its absolute value in @imm, @op turned round if it is negative,
 * which leaves NZCV as they would be. */
static bool arith_imm(Gen *g, IrRef v, uint32_t *op, uint32_t *imm)
{
    int64_t s;

    if (!const_signed(g, v, &s) || s <= INT32_MIN || s > INT32_MAX || !a_fits_add(s)) {
        return false;
    }
    if (s < 0) {
        *op ^= A_ADD ^ A_SUB;
        s = -s;
    }
    *imm = (uint32_t)s;
    return true;
}

void note_carry(Gen *g, IrRef v, Cond c)
{
    if (c.kind == IF_FLAGS && (c.cc == A_CS || c.cc == A_CC)) {
        g->cin.epoch = g->a.epoch;
        g->cin.value = v;
        g->cin.inverted = c.cc == A_CC;
    }
}

/* C = the carry, or no borrow, that value @v says. */
static void carry_in(Gen *g, IrRef v, unsigned w, bool add)
{
    int c;

    if (g->cin.epoch == g->a.epoch && g->cin.value == v && g->cin.inverted == !add) {
        return;
    }
    if (add) {
        c = use_gpr(g, v);
        a_arith_imm(&g->a, A_SUBS, w, ZR, c, 1);
    } else {
        c = use_gpr_z(g, v);
        a_alu(&g->a, A_SUBS, w, ZR, ZR, c);
    }
}

/* ADCS, SBCS: the carry and the operation before. */
static void emit_carried(Gen *g)
{
    const IrOp *sum = &g->ops[g->op->a];
    bool add = g->op->op == OP_add;
    unsigned w = op_bytes(g);
    int n = use_gpr_z(g, sum->a), m = use_gpr_z(g, sum->b), d;

    carry_in(g, g->op->b, w, add);
    d = pick_gpr(g, 0);
    a_alu(&g->a, add ? A_ADCS : A_SBCS, w, d, n, m);
    nz_are(g, CUR, add ? NZ_ADD : NZ_SUB);
    define(g, d);
}

void emit_arith(Gen *g)
{
    unsigned w = op_bytes(g);
    bool flags = (g->want[g->cur] & WANT_FLAGS) && w >= 4;
    uint32_t op = g->op->op == OP_add ? A_ADD : A_SUB, imm = 0, s = flags ? A_ADDS ^ A_ADD : 0;
    bool is_imm = arith_imm(g, g->op->b, &op, &imm);
    int n, m = ZR, d;

    if (g->want[g->cur] & WANT_LATER) {
        return;
    }
    if (g->want[g->cur] & WANT_CARRY) {
        emit_carried(g);
        return;
    }
    if (is_imm) {
        n = use_gpr(g, g->op->a); /* 31 would be SP */
    } else {
        n = use_gpr_z(g, g->op->a);
        m = use_gpr_z(g, g->op->b);
    }
    d = pick_gpr(g, 0);
    if (is_imm) {
        a_arith_imm(&g->a, op | s, w, d, n, imm);
    } else {
        a_alu(&g->a, op | s, w, d, n, m);
    }
    if (flags) {
        nz_are(g, CUR, g->op->op == OP_add ? NZ_ADD : NZ_SUB);
    }
    define(g, d);
}

void emit_logic(Gen *g)
{
    unsigned w = op_bytes(g);
    bool flags = (g->want[g->cur] & WANT_FLAGS) && w >= 4 && g->op->op == OP_and;
    uint32_t op = g->op->op == OP_and  ? (flags ? A_ANDS : A_AND)
                  : g->op->op == OP_or ? A_ORR
                                       : A_EOR;
    bool zx = w >= 4, is_const;
    uint64_t value = 0;
    int n, m, d;

    is_const = const_value(g, g->op->b, &value);
    n = use_gpr_z(g, g->op->a);
    if (w < 4) {
        bool a = is_zx(g, g->op->a), b = is_zx(g, g->op->b);
        zx = g->op->op == OP_and ? a || b : a && b;
    }
    if (is_const && w < 4 && g->op->op == OP_and && !a_fits_logic(4, value)) {
        value |= (uint64_t)UINT32_MAX << w * 8; /* what is above does not matter */
        value &= UINT32_MAX;
        zx = is_zx(g, g->op->a);
    }
    if (is_const && a_fits_logic(w, value)) {
        d = pick_gpr(g, 0);
        a_logic_imm(&g->a, op, w, d, n, value);
    } else {
        m = use_gpr_z(g, g->op->b);
        d = pick_gpr(g, 0);
        a_alu(&g->a, op, w, d, n, m);
        zx = w >= 4 || zx;
    }
    if (flags) {
        nz_are(g, CUR, NZ_LOGIC);
    }
    def_reg(g, CUR, d, zx);
}

void emit_andn(Gen *g)
{
    int n = use_gpr_z(g, g->op->a), m = use_gpr_z(g, g->op->b), d = pick_gpr(g, 0);

    a_alu(&g->a, A_BIC, op_bytes(g), d, m, n);
    define(g, d);
}

void emit_neg_not(Gen *g)
{
    int m = use_gpr_z(g, g->op->a), d = pick_gpr(g, 0);

    if (g->op->op == OP_neg) {
        a_neg(&g->a, op_bytes(g), d, m);
    } else {
        a_mvn(&g->a, op_bytes(g), d, m);
    }
    define(g, d);
}

void emit_mul(Gen *g)
{
    int n = use_gpr_z(g, g->op->a), m = use_gpr_z(g, g->op->b), d = pick_gpr(g, 0);

    a_madd(&g->a, op_bytes(g), d, n, m, ZR);
    define(g, d);
}

void emit_mulh(Gen *g)
{
    bool sign = g->op->op == OP_mulhs;
    unsigned w = op_bytes(g);
    int n, m, d;

    if (w == 8) {
        n = use_gpr_z(g, g->op->a);
        m = use_gpr_z(g, g->op->b);
        d = pick_gpr(g, 0);
        a_3(&g->a, sign ? A_SMULH : A_UMULH, d, n, m);
    } else {
        n = sign ? use_sx(g, g->op->a, X16) : use_zx(g, g->op->a, X16);
        m = sign ? use_sx(g, g->op->b, X17) : use_zx(g, g->op->b, X17);
        d = pick_gpr(g, 0);
        a_madd(&g->a, 8, d, n, m, ZR);
        a_lsr(&g->a, 8, d, d, w * 8);
    }
    def_reg(g, CUR, d, w == 8 || !sign);
}

/* -- Shifts ----------------------------------------------------------------------------------- */

static void shift_const(Gen *g, unsigned by)
{
    unsigned w = op_bytes(g), bits = w * 8;
    int n = use_gpr_z(g, g->op->a), d = pick_gpr(g, 0);
    bool zx = w >= 4;

    switch (g->op->op) {
    case OP_shl: a_lsl(&g->a, w, d, n, by); break;
    case OP_shr:
        a_ubfx(&g->a, w, d, n, by, bits - by);
        zx = true;
        break;
    default: a_sbfx(&g->a, w, d, n, by, bits - by); break;
    }
    def_reg(g, CUR, d, zx);
}

/* The count as the host's variable shifts take it: they look at its low 5 or 6 bits. */
static int count_of(Gen *g, IrRef v, unsigned w)
{
    int r = use_gpr_z(g, v);

    if (w < 4) {
        a_logic_imm(&g->a, A_AND, 4, X17, r, w * 8 - 1);
        r = X17;
    }
    return r;
}

void emit_shift(Gen *g)
{
    unsigned w = op_bytes(g);
    uint64_t by;
    int n, c, d;
    uint32_t op;

    if (const_value(g, g->op->b, &by)) {
        shift_const(g, (unsigned)by & (w * 8 - 1));
        return;
    }
    op = g->op->op == OP_shl ? A_LSLV : g->op->op == OP_shr ? A_LSRV : A_ASRV;
    n = w >= 4 || op == A_LSLV ? use_gpr_z(g, g->op->a)
        : op == A_LSRV         ? use_zx(g, g->op->a, X16)
                               : use_sx(g, g->op->a, X16);
    c = count_of(g, g->op->b, w);
    d = pick_gpr(g, 0);
    a_alu(&g->a, op, w, d, n, c);
    def_reg(g, CUR, d, w >= 4 || op == A_LSRV);
}

void emit_rotate(Gen *g)
{
    unsigned w = op_bytes(g), bits = w * 8;
    bool left = g->op->op == OP_rotl, is_const;
    uint64_t by = 0;
    int n, c, d;

    is_const = const_value(g, g->op->b, &by);
    if (w < 4) { /* fill 32 bits with copies */
        n = use_zx(g, g->op->a, X16);
        if (w == 1) {
            a_alu_sh(&g->a, A_ORR, 4, X16, n, n, A_LSL, 8);
            n = X16;
        }
        a_alu_sh(&g->a, A_ORR, 4, X16, n, n, A_LSL, 16);
        n = X16;
    } else {
        n = use_gpr_z(g, g->op->a);
    }
    if (is_const) {
        by &= bits - 1;
        d = pick_gpr(g, 0);
        a_ror(&g->a, w, d, n, (unsigned)(left ? bits - by : by) & (bits - 1));
    } else {
        c = use_gpr_z(g, g->op->b);
        if (left) {
            a_neg(&g->a, 4, X17, c);
            c = X17;
        }
        d = pick_gpr(g, 0);
        a_alu(&g->a, A_RORV, w, d, n, c);
    }
    define(g, d);
}

/* 8 and 16 bits: both values side by side in 32. */
static void funnel_small(Gen *g, unsigned w, bool left)
{
    unsigned bits = w * 8;
    int x = use_zx(g, g->op->a, X16), y = use_zx(g, g->op->b, X17), c, d;

    if (left) {
        a_alu_sh(&g->a, A_ORR, 4, X16, y, x, A_LSL, bits);
    } else {
        a_alu_sh(&g->a, A_ORR, 4, X16, x, y, A_LSL, bits);
    }
    c = use_gpr_z(g, g->op->c);
    a_logic_imm(&g->a, A_AND, 4, X17, c, bits - 1);
    d = pick_gpr(g, 0);
    a_alu(&g->a, left ? A_LSLV : A_LSRV, 4, d, X16, X17);
    if (left) {
        a_lsr(&g->a, 4, d, d, bits);
    }
    def_reg(g, CUR, d, false);
}

void emit_funnel(Gen *g)
{
    unsigned w = op_bytes(g), bits = w * 8;
    bool left = g->op->op == OP_fshl;
    uint64_t by;
    int x, y, c, d;

    if (w < 4) {
        funnel_small(g, w, left);
        return;
    }
    x = use_gpr_z(g, g->op->a);
    y = use_gpr_z(g, g->op->b);
    if (const_value(g, g->op->c, &by)) {
        by &= bits - 1;
        d = pick_gpr(g, 0);
        if (by == 0) {
            a_mov(&g->a, w, d, x);
        } else if (left) {
            a_extr(&g->a, w, d, x, y, bits - (unsigned)by);
        } else {
            a_extr(&g->a, w, d, y, x, (unsigned)by);
        }
    } else {
        c = use_gpr_z(g, g->op->c);
        a_mvn(&g->a, 4, X17, c);
        if (left) {
            a_lsr(&g->a, w, X16, y, 1);
        } else {
            a_lsl(&g->a, w, X16, y, 1);
        }
        a_alu(&g->a, left ? A_LSRV : A_LSLV, w, X16, X16, X17);
        d = pick_gpr(g, 0);
        a_alu(&g->a, left ? A_LSLV : A_LSRV, w, d, x, c);
        a_alu(&g->a, A_ORR, w, d, d, X16);
    }
    define(g, d);
}

/* -- Bits ------------------------------------------------------------------------------------- */

void emit_bswap(Gen *g)
{
    unsigned w = op_bytes(g);
    int n = use_gpr_z(g, g->op->a), d = pick_gpr(g, 0);

    a_un(&g->a, w == 8 ? A_REV64 : A_REV32, w, d, n);
    define(g, d);
}

void emit_bits(Gen *g)
{
    unsigned w = op_bytes(g);
    int n, d;

    if (g->op->op == OP_popcnt) {
        n = use_zx(g, g->op->a, X16);
        d = pick_gpr(g, 0);
        a_fmov_to_vec(&g->a, 8, 0, n);
        a_2(&g->a, 0x0e205800, 0, 0); /* CNT V0.8B */
        a_2(&g->a, 0x0e31b800, 0, 0); /* ADDV B0, V0.8B */
        a_fmov_from_vec(&g->a, 4, d, 0);
        def_reg(g, CUR, d, true);
        return;
    }
    n = use_gpr_z(g, g->op->a);
    if (w < 4 && g->op->op == OP_clz) { /* a bit below ends the count */
        a_mov_imm(&g->a, X16, UINT64_C(1) << (31 - w * 8));
        a_bfi(&g->a, 4, X16, n, 32 - w * 8, w * 8);
        n = X16;
    } else if (w < 4) {
        a_logic_imm(&g->a, A_ORR, 4, X16, n, UINT64_C(1) << w * 8);
        n = X16;
    }
    d = pick_gpr(g, 0);
    if (g->op->op == OP_ctz) {
        a_un(&g->a, A_RBIT, w, d, n);
        n = d;
    }
    a_un(&g->a, A_CLZ, w, d, n);
    def_reg(g, CUR, d, true);
}

/* -- Sizes ------------------------------------------------------------------------------------ */

static void zext_vec(Gen *g)
{
    int r = use_vec(g, g->op->a);
    IrType t = type_of(g, g->op->a);
    int32_t to = def_spill(g, CUR);

    if (t == V128) {
        env_store(&g->a, 16, r, to);
        a_vzero(&g->a, 0);
    } else {
        a_vzero(&g->a, 0);
        env_store(&g->a, 16, VEC(0), to);
        env_store(&g->a, t == F64 ? 8 : 4, r, to);
    }
    env_store(&g->a, 16, VEC(0), to + 16);
}

static void zext_cond(Gen *g)
{
    Cond c = cond_of(g, g->op->a);
    A64Cond cc;
    int d;

    if (c.kind == IF_NEVER || c.kind == IF_ALWAYS) {
        d = pick_gpr(g, 0);
        a_mov_imm(&g->a, d, c.kind == IF_ALWAYS);
    } else if (c.kind == IF_BIT) {
        d = pick_gpr(g, UINT64_C(1) << c.reg);
        a_ubfx(&g->a, 8, d, c.reg, c.bit, 1);
    } else {
        cc = cond_to_flags(g, c);
        d = pick_gpr(g, 0);
        a_cset(&g->a, d, cc);
        note_carry(g, CUR, c);
    }
    def_reg(g, CUR, d, true);
}

void emit_zext(Gen *g)
{
    IrRef v = g->op->a;
    int r, d;

    if (g->op->type == V256) {
        zext_vec(g);
        return;
    }
    if (g->loc[v].kind == LOC_COND) {
        zext_cond(g);
        return;
    }
    r = use_gpr(g, v);
    if (is_zx(g, v) && g->loc[v].kind == LOC_REG) {
        def_alias(g, CUR, v, true);
        return;
    }
    d = pick_gpr(g, 0);
    if (type_of(g, v) == I1) {
        a_ubfx(&g->a, 4, d, r, 0, 1);
    } else {
        a_zext(&g->a, bytes_of(g, v), d, r);
    }
    def_reg(g, CUR, d, true);
}

void emit_sext(Gen *g)
{
    IrRef v = g->op->a;
    int r = use_gpr_z(g, v), d = pick_gpr(g, 0);

    a_sbfx(&g->a, op_bytes(g), d, r, 0, type_of(g, v) == I1 ? 1 : bytes_of(g, v) * 8);
    define(g, d);
}

void emit_trunc(Gen *g)
{
    IrRef v = g->op->a;
    int d;

    if (type_of(g, v) == V256) {
        int32_t from = wide_off(g, v);
        d = pick_vec(g, 0);
        env_load(&g->a, 16, d, from);
        def_reg(g, CUR, d, false);
        return;
    }
    d = use_gpr(g, v);
    if (g->loc[v].kind == LOC_REG) {
        def_alias(g, CUR, v, false);
    } else { /* a constant */
        def_reg(g, CUR, d, false);
    }
}

void emit_bitcast(Gen *g)
{
    unsigned w = ir_type_info[g->op->type].bytes;
    int r, d;

    if (is_vec((IrType)g->op->type)) {
        r = use_gpr_z(g, g->op->a);
        d = pick_vec(g, 0);
        a_fmov_to_vec(&g->a, w, d & 31, r);
        def_reg(g, CUR, d, false);
    } else {
        r = use_vec(g, g->op->a);
        d = pick_gpr(g, 0);
        a_fmov_from_vec(&g->a, w, d, r & 31);
        define(g, d);
    }
}

/* -- Addresses, comparisons ------------------------------------------------------------------- */

void emit_lea(Gen *g)
{
    unsigned w = op_bytes(g);
    int64_t disp = (int32_t)g->op->imm;
    int n, m, d;

    if (g->op->b == IR_NONE) {
        n = use_gpr(g, g->op->a);
        d = pick_gpr(g, 0);
        a_add_imm(&g->a, w, d, n, disp, X17);
    } else {
        n = use_gpr_z(g, g->op->a);
        m = use_gpr_z(g, g->op->b);
        d = pick_gpr(g, 0);
        a_alu_sh(&g->a, A_ADD, w, d, n, m, A_LSL, g->op->aux);
        if (disp) {
            a_add_imm(&g->a, w, d, d, disp, X17);
        }
    }
    define(g, d);
}

void compare_values(Gen *g, IrRef x, IrRef y)
{
    unsigned w = bytes_of(g, x), shift = w < 4 ? 32 - w * 8 : 0;
    uint32_t op = A_SUB, imm;
    int n, m;

    if (shift) {
        n = use_gpr_z(g, x);
        a_lsl(&g->a, 4, X16, n, shift);
        m = use_gpr_z(g, y);
        a_alu_sh(&g->a, A_SUBS, 4, ZR, X16, m, A_LSL, shift);
    } else if (arith_imm(g, y, &op, &imm)) {
        n = use_gpr(g, x);
        a_arith_imm(&g->a, op | (A_ADDS ^ A_ADD), w, ZR, n, imm);
    } else {
        n = use_gpr_z(g, x);
        m = use_gpr_z(g, y);
        a_alu(&g->a, A_SUBS, w, ZR, n, m);
    }
}

void emit_setcond(Gen *g)
{
    Cond c;
    int d;

    if (g->defer[g->cur]) {
        g->loc[g->cur].kind = LOC_COND;
        return;
    }
    c = cond_of(g, CUR);
    if (c.kind == IF_ALWAYS || c.kind == IF_NEVER) {
        d = alloc_gpr(g);
        a_mov_imm(&g->a, d, c.kind == IF_ALWAYS);
    } else {
        A64Cond cc = cond_to_flags(g, c);
        d = alloc_gpr(g);
        a_cset(&g->a, d, cc);
    }
    def_reg(g, CUR, d, true);
}

static void select_known(Gen *g, IrRef v)
{
    bool vec = is_vec((IrType)g->op->type);
    int d = vec ? pick_vec(g, 0) : pick_gpr(g, 0);

    if (vec) {
        load_vec(g, d, v);
    } else {
        load_gpr(g, d, v);
    }
    def_reg(g, CUR, d, is_zx(g, v));
}

void emit_select(Gen *g)
{
    IrType t = (IrType)g->op->type;
    Cond c = cond_of(g, g->op->a);
    A64Cond cc;
    int x, y, d;

    if (c.kind == IF_ALWAYS || c.kind == IF_NEVER) {
        select_known(g, c.kind == IF_ALWAYS ? g->op->b : g->op->c);
        return;
    }
    cc = cond_to_flags(g, c);
    if (is_vec(t)) {
        x = use_vec(g, g->op->b);
        y = use_vec(g, g->op->c);
        a_csetm(&g->a, X16, cc);
        a_dup(&g->a, 3, 0, X16);
        a_3(&g->a, 0x6e601c00, 0, x & 31, y & 31); /* BSL V0 */
        d = pick_vec(g, 0);
        a_vmov(&g->a, d & 31, 0);
        def_reg(g, CUR, d, false);
        return;
    }
    x = use_gpr_z(g, g->op->b);
    y = use_gpr_z(g, g->op->c);
    d = pick_gpr(g, 0);
    a_csel(&g->a, op_bytes(g), d, x, y, cc);
    def_reg(g, CUR, d, op_bytes(g) >= 4 || (is_zx(g, g->op->b) && is_zx(g, g->op->c)));
}

/* -- Division --------------------------------------------------------------------------------- */

/* Dividend, up to 64 bits, in X16; divisor in @c (extended). */
static void divide_short(Gen *g, bool sign, int c, int q, int r)
{
    unsigned w = op_bytes(g), bits = w * 8, ww = w == 4 ? 8 : 4;
    FaultPoint p = fault_point(g);
    Stub *s = cond_stub(g, STUB_TRAP, (Cond){ .kind = IF_ZERO, .reg = c, .w = 4 });

    s->point = p;
    s->code = g->op->imm;
    a_alu(&g->a, sign ? A_SDIV : A_UDIV, ww, q, X16, c);
    if (sign) {
        a_sbfx(&g->a, ww, r, q, 0, bits);
        a_alu(&g->a, A_EOR, ww, r, r, q);
    } else {
        a_lsr(&g->a, ww, r, q, bits);
    }
    s->from[1] = a_cbz(&g->a, true, ww, r);
    a_msub(&g->a, ww, r, q, c, X16);
}

/* What the host's 64 bits do not do goes to C. */
static void divide_long(Gen *g, bool sign, int q, int r)
{
    int hi = use_gpr_z(g, g->op->a), lo = use_gpr_z(g, g->op->b), c = use_gpr(g, g->op->c);
    FaultPoint p = fault_point(g);
    Stub *s;

    if (sign) {
        a_alu_sh(&g->a, A_EOR, 8, X16, hi, lo, A_ASR, 63);
        s = cond_stub(g, STUB_DIVIDE, (Cond){ .kind = IF_NONZERO, .reg = X16, .w = 8 });
        a_arith_imm(&g->a, A_ADD, 8, X17, c, 1);
        a_logic_imm(&g->a, A_AND, 8, X17, X17, ~UINT64_C(1)); /* 0 for 0 and -1 */
        s->from[1] = a_cbz(&g->a, false, 8, X17);
    } else {
        s = cond_stub(g, STUB_DIVIDE, (Cond){ .kind = IF_NONZERO, .reg = hi, .w = 8 });
        s->from[1] = a_cbz(&g->a, false, 8, c);
    }
    s->point = p;
    s->code = g->op->imm;
    s->site =
        (MemSite){ .addr = (uint8_t)hi, .value = (uint8_t)lo, .compare = (uint8_t)c, .bits = sign };
    s->result[0] = (int8_t)q;
    s->result[1] = (int8_t)r;
    a_alu(&g->a, sign ? A_SDIV : A_UDIV, 8, q, lo, c);
    a_msub(&g->a, 8, r, q, c, lo);
    s->done = g->a.p;
    a_flags_changed(&g->a); /* by the stub */
}

void emit_div(Gen *g)
{
    bool sign = g->op->op == OP_divs2;
    unsigned w = op_bytes(g);
    IrRef next = (IrRef)(g->cur + 1);
    int q, r, c, hi, lo;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    g->locked = 0;
    q = alloc_gpr(g);
    r = alloc_gpr(g);
    if (w == 8) {
        divide_long(g, sign, q, r);
    } else {
        lo = use_zx(g, g->op->b, X17);
        hi = use_gpr_z(g, g->op->a);
        a_alu_sh(&g->a, A_ORR, 8, X16, lo, hi, A_LSL, w * 8);
        if (w < 4 && sign) {
            a_sbfx(&g->a, 8, X16, X16, 0, w * 16);
        } else if (w < 4) {
            a_ubfx(&g->a, 8, X16, X16, 0, w * 16);
        }
        c = sign ? use_sx(g, g->op->c, X17) : use_zx(g, g->op->c, X17);
        divide_short(g, sign, c, q, r);
    }
    def_reg(g, CUR, q, false);
    if (next < g->ir->nops && g->ops[next].op == OP_second && g->last[next]) {
        def_reg(g, next, r, false);
    }
}

void emit_second(Gen *g)
{
    /* made by the division */
}
