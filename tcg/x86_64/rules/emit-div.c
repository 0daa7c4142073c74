/* SPDX-License-Identifier: MIT */
/*
 * High halves of products, and division. Quotient overflow and division by zero are found before
 * the host divides, or in its quotient: a host fault never happens. RAX and RDX keep the guest's
 * values until the last check has passed.
 */
#include "tcg/x86_64/gen.h"

#define CUR ((IrRef)g->cur)

/* MUL and IMUL with one operand: RDX:RAX = RAX * r. Both are pins and come back as they were. */
static void mulh64(Gen *g, bool sign)
{
    int a = use_gpr(g, g->op->a), b = use_gpr(g, g->op->b);
    int t = alloc_gpr(g), u = NO_REG;

    if (b == RAX) { /* the multiplier stays where it is while RAX is loaded */
        b = a;
        a = RAX;
    }
    x_mov(&g->a, 8, (X86Reg)t, RAX);
    if (hinted_reg(g) == RDX) {
        evict(g, RDX);
    } else {
        u = alloc_gpr(g);
        x_mov(&g->a, 8, (X86Reg)u, RDX);
    }
    copy_to(g, RAX, a, 8);
    x_grp3(&g->a, sign ? G3_IMUL : G3_MUL, 8, (X86Reg)(b == RAX ? t : b));
    x_mov(&g->a, 8, RAX, (X86Reg)t);
    if (u == NO_REG) {
        def_reg(g, CUR, RDX, false);
        return;
    }
    x_xchg(&g->a, RDX, (X86Reg)u);
    def_reg(g, CUR, u, false);
}

static bool in_register(const Gen *g, IrRef v, int r)
{
    return g->loc[v].kind == LOC_REG && g->loc[v].reg == r;
}

/* There, or equal to what is. */
static bool holds(const Gen *g, int r, IrRef v)
{
    return in_register(g, v, r) || g->pin_value[r] == v;
}

static int pin_hinted(const Gen *g, IrRef v)
{
    unsigned set = g->hint[v];

    return set && !(g->want[v] & WANT_PART) ? g->be->slot[g->ops[set].imm].reg : NO_REG;
}

/* MUL, IMUL: RDX:RAX = RAX * @b, and that is where both are wanted. */
static void product_in_pins(Gen *g, IrRef b, bool sign)
{
    unsigned w = op_bytes(g);
    int r = use_gpr(g, b);

    g->cur++; /* neither operand is wanted after both ops */
    evict(g, RAX);
    evict(g, RDX);
    g->cur--;
    x_grp3(&g->a, sign ? G3_IMUL : G3_MUL, w, (X86Reg)r);
    def_reg(g, CUR, RAX, w == 4);
    def_reg(g, CUR + 1, RDX, w == 4);
}

/* MULX: RDX * @b. */
static void product_by_mulx(Gen *g, IrRef b)
{
    unsigned w = op_bytes(g);
    int r = use_gpr(g, b), lo, hi;

    lo = pick_gpr(g, NO_REG, 1u << r | 1u << RDX);
    g->cur++;
    hi = pick_gpr(g, NO_REG, 1u << r | 1u << RDX | 1u << lo);
    g->cur--;
    x_vex_rr(&g->a, X_F2 | X_0F38 | (w == 8 ? X_W : 0) | 0xf6, false, hi, lo, r);
    def_reg(g, CUR, lo, w == 4);
    def_reg(g, CUR + 1, hi, w == 4);
}

bool product_is_mulx(const Gen *g)
{
    const IrOp *hi = g->op + 1;

    return g->be->feat.bmi2 && g->cur + 1 < g->ir->nops && hi->op == OP_mulhu &&
           hi->a == g->op->a && hi->b == g->op->b &&
           (holds(g, RDX, g->op->a) || holds(g, RDX, g->op->b));
}

/* Low half (the current op) and high half (the next) of one product by one instruction. */
bool try_product(Gen *g)
{
    const IrOp *hi = g->op + 1;
    IrRef a = g->op->a, b = g->op->b;
    bool sign = hi->op == OP_mulhs;

    if (g->cur + 1 >= g->ir->nops || (hi->op != OP_mulhu && !sign) || op_bytes(g) < 4 ||
        hi->a != a || hi->b != b) {
        return false;
    }
    if (in_register(g, b, RAX) || holds(g, RDX, b)) {
        IrRef t = a;
        a = b;
        b = t;
    }
    if (holds(g, RAX, a) && pin_hinted(g, CUR) == RAX && pin_hinted(g, CUR + 1) == RDX) {
        product_in_pins(g, b, sign);
    } else if (holds(g, RDX, a) && !sign && g->be->feat.bmi2) {
        product_by_mulx(g, b);
    } else {
        return false;
    }
    g->fused_second = CUR + 1;
    return true;
}

void emit_mulh(Gen *g)
{
    bool sign = g->op->op == OP_mulhs;
    unsigned n = op_bytes(g);
    int a, b, t, u;

    if (g->fused_second == CUR) {
        return;
    }
    if (n == 8) {
        mulh64(g, sign);
        return;
    }
    a = use_gpr(g, g->op->a);
    b = use_gpr(g, g->op->b);
    t = alloc_gpr(g);
    u = alloc_gpr(g);
    extend_to(g, t, a, n, sign);
    extend_to(g, u, b, n, sign);
    x_imul(&g->a, 8, (X86Reg)t, (X86Reg)u);
    x_shift_imm(&g->a, SH_SHR, 8, (X86Reg)t, n * 8);
    def_reg(g, CUR, t, n == 4 && !sign);
}

/* -- Division ----------------------------------------------------------------------------------
 * Quotient overflow and division by zero are found before the host divides: a host fault never
 * happens. RAX and RDX keep the guest's values until the last check has passed.
 */

/* The quotient becomes the op's value, the remainder that of the `second` that follows. */
static void division_results(Gen *g, int q, int r, bool zx)
{
    const IrOp *next = &g->ops[g->cur + 1];

    def_reg(g, CUR, q, zx);
    g->fused_second = 0;
    if (g->cur + 1 < g->ir->nops && next->op == OP_second) {
        g->fused_second = (IrRef)(g->cur + 1);
        def_reg(g, g->fused_second, r, zx);
    }
}

static void cqo(Gen *g)
{
    x_byte(&g->a, 0x48);
    x_byte(&g->a, 0x99);
}

/* I8, I16, and I32 with a sign: dividend V = hi:lo and divisor in 64 bits; the quotient is looked
 * at afterwards. */
static void div_narrow(Gen *g, bool sign, unsigned n)
{
    int t = alloc_gpr(g), u = alloc_gpr(g), v, r;

    r = use_gpr(g, g->op->a);
    extend_to(g, t, r, n, sign);
    x_shift_imm(&g->a, SH_SHL, 8, (X86Reg)t, n * 8);
    unlock(g, r);
    r = use_gpr(g, g->op->b);
    extend_to(g, u, r, n, false);
    x_alu(&g->a, ALU_OR, 8, (X86Reg)t, (X86Reg)u);
    unlock(g, r);
    r = use_gpr(g, g->op->c);
    extend_to(g, u, r, n, sign);
    unlock(g, r);
    x_test(&g->a, 8, (X86Reg)u, (X86Reg)u);
    trap_stub(g, CC_Z, g->op->imm);
    v = alloc_gpr(g);
    if (sign && n == 4) { /* the one dividend that IDIV by -1 refuses overflows anyway */
        x_mov(&g->a, 8, (X86Reg)v, (X86Reg)t);
        x_grp3(&g->a, G3_NEG, 8, (X86Reg)v);
        trap_stub(g, CC_O, g->op->imm);
    }
    x_mov(&g->a, 8, (X86Reg)v, RDX);
    x_xchg(&g->a, RAX, (X86Reg)t);
    if (sign) {
        cqo(g);
        x_grp3(&g->a, G3_IDIV, 8, (X86Reg)u);
        x_movsx(&g->a, 8, n, (X86Reg)u, RAX);
    } else {
        x_mov_imm(&g->a, RDX, 0);
        x_grp3(&g->a, G3_DIV, 8, (X86Reg)u);
        x_movzx(&g->a, n, (X86Reg)u, RAX);
    }
    x_xchg(&g->a, RAX, (X86Reg)t);
    x_xchg(&g->a, RDX, (X86Reg)v);
    x_alu(&g->a, ALU_CMP, 8, (X86Reg)u, (X86Reg)t);
    trap_stub(g, CC_NZ, g->op->imm);
    division_results(g, t, v, false);
}

/* Those who sit in @from, a pin that now holds a result, find their value in @to. */
static void rehome_all(Gen *g, int from, int to)
{
    g->pin_value[from] = IR_NONE;
    while (g->head[from]) {
        IrRef v = g->head[from];
        bool zx = g->loc[v].zx, live = live_after(g, v);
        drop(g, v);
        if (live) {
            def_reg(g, v, to, zx);
        }
    }
}

static bool results_hinted(Gen *g)
{
    const IrOp *next = &g->ops[g->cur + 1];
    unsigned set = g->hint[g->cur + 1];

    return hinted_reg(g) == RAX && next->op == OP_second && set &&
           !(g->want[g->cur + 1] & WANT_PART) && g->be->slot[g->ops[set].imm].reg == RDX;
}

/* RAX and RDX hold quotient and remainder of @w bytes, @t and @u what was in them. */
static void wide_results(Gen *g, unsigned w, int t, int u)
{
    if (results_hinted(g)) {
        rehome_all(g, RAX, t);
        rehome_all(g, RDX, u);
        division_results(g, RAX, RDX, w == 4);
        return;
    }
    x_xchg(&g->a, RAX, (X86Reg)t);
    x_xchg(&g->a, RDX, (X86Reg)u);
    division_results(g, t, u, w == 4);
}

/* By the host's division of the same width: the divisor is above the high half. */
static void divu_wide(Gen *g, unsigned w)
{
    const IrOp *high = &g->ops[g->op->a];
    bool zero = high->op == OP_const && high->value == 0;
    int hi = zero ? NO_REG : use_gpr(g, g->op->a), c = use_gpr(g, g->op->c), t, u;

    if (zero) {
        x_test(&g->a, w, (X86Reg)c, (X86Reg)c);
        trap_stub(g, CC_Z, g->op->imm);
    } else {
        x_alu(&g->a, ALU_CMP, w, (X86Reg)hi, (X86Reg)c);
        trap_stub(g, CC_NB, g->op->imm);
    }
    t = alloc_gpr(g);
    u = alloc_gpr(g);
    x_mov(&g->a, 8, (X86Reg)t, RAX);
    x_mov(&g->a, 8, (X86Reg)u, RDX);
    load_gpr(g, RAX, g->op->b);
    if (zero) {
        x_alu(&g->a, ALU_XOR, 4, RDX, RDX);
    } else if (hi != RDX) {
        x_mov(&g->a, 8, RDX, (X86Reg)(hi == RAX ? t : hi));
    }
    x_grp3(&g->a, G3_DIV, w, (X86Reg)(c == RAX ? t : c == RDX ? u : c));
    wide_results(g, w, t, u);
}

static void store_arg(Gen *g, unsigned i, IrRef v)
{
    int r = use_gpr(g, v);

    x_store(&g->a, 8, env_mem(scr(g, SCR_ARG + 16 * (int32_t)i)), (X86Reg)r);
    unlock(g, r);
}

/* A 64-bit dividend and a divisor other than 0 and -1 go to the host, the rest to C. */
static void divs_wide(Gen *g)
{
    Mem hi = env_mem(scr(g, SCR_ARG)), lo = env_mem(scr(g, SCR_ARG + 16));
    Mem c = env_mem(scr(g, SCR_ARG + 32));
    uint8_t *j1, *j2;
    int t, u;
    Stub *s;

    store_arg(g, 0, g->op->a);
    store_arg(g, 1, g->op->b);
    store_arg(g, 2, g->op->c);
    t = alloc_gpr(g);
    u = alloc_gpr(g);
    x_load(&g->a, 8, (X86Reg)t, lo);
    x_shift_imm(&g->a, SH_SAR, 8, (X86Reg)t, 63);
    x_alu_rm(&g->a, ALU_CMP, 8, (X86Reg)t, hi);
    j1 = x_jcc32(&g->a, CC_NZ);
    x_load(&g->a, 8, (X86Reg)u, c);
    x_alu_imm(&g->a, ALU_ADD, 8, (X86Reg)u, 1);
    x_alu_imm(&g->a, ALU_CMP, 8, (X86Reg)u, 1);
    j2 = x_jcc32(&g->a, CC_BE);
    s = new_stub(g, STUB_DIVS, j1);
    s->retry = j2;
    s->point = fault_point(g);
    s->code = g->op->imm;
    s->result[0] = (int8_t)t;
    s->result[1] = (int8_t)u;
    x_mov(&g->a, 8, (X86Reg)t, RAX);
    x_mov(&g->a, 8, (X86Reg)u, RDX);
    x_load(&g->a, 8, RAX, lo);
    cqo(g);
    x_flags_rm(&g->a, 0xf7, 8, (X86Reg)G3_IDIV, c);
    x_xchg(&g->a, RAX, (X86Reg)t);
    x_xchg(&g->a, RDX, (X86Reg)u);
    s->done = g->a.p;
    division_results(g, t, u, false);
}

void emit_div(Gen *g)
{
    bool sign = g->op->op == OP_divs2;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    g->locked = 0;
    if (op_bytes(g) >= 4 && !sign) {
        divu_wide(g, op_bytes(g));
    } else if (op_bytes(g) < 8) {
        div_narrow(g, sign, op_bytes(g));
    } else {
        divs_wide(g);
    }
}

void emit_second(Gen *g)
{
    g_assert(g->fused_second == CUR);
}
