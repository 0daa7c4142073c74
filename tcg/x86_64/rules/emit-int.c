/* SPDX-License-Identifier: MIT */
/*
 * Integer arithmetic. Narrow types: bits above the type's width are garbage unless Loc.zx. Ops of
 * 8 and 16 bits run in 32 bits where the low result is the same, in their own width where their
 * flags are wanted or the result lands in a part of a pin.
 */
#include "tcg/x86_64/gen.h"

#define CUR ((IrRef)g->cur)

static unsigned op_bytes(const Gen *g)
{
    unsigned n = ir_type_info[g->op->type].bytes;

    return n ? n : 1;
}

/* Width of the host operation. */
static unsigned host_width(const Gen *g)
{
    unsigned n = op_bytes(g);

    return n < 4 && !(g->want[g->cur] & (WANT_FLAGS | WANT_PART)) ? 4 : n;
}

static void copy_to(Gen *g, int dst, int src, unsigned w)
{
    if (dst != src) {
        x_mov(&g->a, w == 8 ? 8 : 4, (X86Reg)dst, (X86Reg)src);
    }
}

static bool is_zx(const Gen *g, IrRef v)
{
    return g->loc[v].kind == LOC_CONST || g->loc[v].zx;
}

void emit_mov(Gen *g)
{
    IrRef v = g->op->a;

    switch (g->loc[v].kind) {
    case LOC_REG: def_alias(g, CUR, v, g->loc[v].zx); break;
    case LOC_CONST:
        if (is_vec((IrType)g->op->type)) {
            def_reg(g, CUR, use_xmm(g, v), false);
        } else {
            def_reg(g, CUR, use_gpr(g, v), true);
        }
        break;
    default:
        if (g->op->type == F80) {
            int32_t to = def_spill(g, CUR);
            x_rm(&g->a, 0xdb, 4, (X86Reg)5, env_mem(g->loc[v].off));
            x_rm(&g->a, 0xdb, 4, (X86Reg)7, env_mem(to));
        } else if (is_vec((IrType)g->op->type)) {
            def_reg(g, CUR, use_xmm(g, v), false);
        } else {
            int r = use_gpr(g, v);
            def_reg(g, CUR, r, g->loc[v].zx);
        }
    }
}

/* -- add sub and or xor ----------------------------------------------------------------------- */

static bool try_lea(Gen *g, unsigned w, int a, Opnd b)
{
    bool sub = g->op->op == OP_sub;
    int dst;

    if ((g->want[g->cur] & (WANT_FLAGS | WANT_PART)) || (g->op->op != OP_add && !sub) || w < 4 ||
        b.kind == OPND_MEM || (sub && (b.kind != OPND_IMM || b.imm == INT32_MIN))) {
        return false;
    }
    dst = pick_gpr(g, a, 0);
    if (dst == a) { /* in place is shorter */
        alu_opnd(g, sub ? ALU_SUB : ALU_ADD, w, dst, b);
    } else if (b.kind == OPND_IMM) {
        x_lea(&g->a, w, (X86Reg)dst, mem_base((X86Reg)a, sub ? -b.imm : b.imm));
    } else {
        x_lea(&g->a, w, (X86Reg)dst, mem_index((X86Reg)a, (X86Reg)b.reg, 0, 0));
    }
    def_reg(g, CUR, dst, w == 4 && op_bytes(g) == 4);
    return true;
}

void emit_alu(Gen *g)
{
    static const uint8_t alu[IR_NOPS] = { [OP_add] = ALU_ADD,
                                          [OP_sub] = ALU_SUB,
                                          [OP_and] = ALU_AND,
                                          [OP_or] = ALU_OR,
                                          [OP_xor] = ALU_XOR };
    IrRef x = g->op->a, y = g->op->b;
    bool comm = ir_op_info[g->op->op].props & IRP_COMM, zx;
    unsigned w = host_width(g);
    int a, dst, pin = hinted_part(g);
    Opnd b;

    if (comm && (g->ops[x].op == OP_const || /* y is in the right place already */
                 (g->ops[y].op != OP_const && g->loc[y].kind == LOC_REG && g->loc[y].reg == pin &&
                  !(g->loc[x].kind == LOC_REG && g->loc[x].reg == pin)))) {
        IrRef t = x;
        x = y;
        y = t;
    }
    zx = w == op_bytes(g) && w >= 4;
    if (w == 4 && !zx) {
        zx = g->op->op == OP_and                         ? is_zx(g, x) || is_zx(g, y)
             : g->op->op == OP_or || g->op->op == OP_xor ? is_zx(g, x) && is_zx(g, y)
                                                         : false;
    }
    a = use_gpr(g, x);
    b = use_opnd(g, y, w);
    if (b.kind == OPND_IMM && w == 4 && op_bytes(g) < 4) {
        b.imm = (int32_t)g->ops[y].value; /* keeps zeros above */
    }
    if (try_lea(g, w, a, b)) {
        return;
    }
    dst = pick_gpr_part(g, a, b.kind == OPND_REG && b.reg != a ? 1u << b.reg : 0);
    copy_to(g, dst, a, w);
    alu_opnd(g, (X86Alu)alu[g->op->op], w, dst, b);
    def_reg(g, CUR, dst, zx);
    if (w == op_bytes(g)) {
        host_flags_are(g, CUR);
    }
}

void emit_andn(Gen *g)
{
    unsigned w = MAX(op_bytes(g), 4u);
    int a = use_gpr(g, g->op->a), t = alloc_gpr(g);
    Opnd b;

    copy_to(g, t, a, w);
    x_not(&g->a, w, (X86Reg)t);
    b = use_opnd(g, g->op->b, w);
    alu_opnd(g, ALU_AND, w, t, b);
    def_reg(g, CUR, t, op_bytes(g) == w && w >= 4);
}

void emit_neg_not(Gen *g)
{
    unsigned w = host_width(g);
    bool zx = is_zx(g, g->op->a);
    int a = use_gpr(g, g->op->a), dst;

    if (g->op->type == I1) {
        dst = pick_gpr(g, a, 0);
        copy_to(g, dst, a, 4);
        x_alu_imm(&g->a, ALU_XOR, 4, (X86Reg)dst, 1);
        def_reg(g, CUR, dst, zx);
        return;
    }
    dst = pick_gpr_part(g, a, 0);
    copy_to(g, dst, a, w);
    if (g->op->op == OP_not) {
        x_not(&g->a, w, (X86Reg)dst);
    } else {
        x_grp3(&g->a, G3_NEG, w, (X86Reg)dst);
    }
    def_reg(g, CUR, dst, w == op_bytes(g) && w >= 4);
    if (g->op->op == OP_neg && w == op_bytes(g)) {
        host_flags_are(g, CUR);
    }
}

void emit_lea(Gen *g)
{
    unsigned w = MAX(op_bytes(g), 4u);
    Mem m = { .index = NOREG, .scale = g->op->aux, .disp = (int32_t)g->op->imm };
    int dst;

    m.base = (int8_t)use_gpr(g, g->op->a);
    if (g->op->b) {
        m.index = (int8_t)use_gpr(g, g->op->b);
    }
    dst = pick_gpr(g, m.base, 0);
    x_lea(&g->a, w, (X86Reg)dst, m);
    def_reg(g, CUR, dst, w == op_bytes(g) && w == 4);
}

/* -- Multiplication --------------------------------------------------------------------------- */

void emit_mul(Gen *g)
{
    IrRef x = g->op->a, y = g->op->b;
    unsigned w = MAX(op_bytes(g), 4u);
    int32_t imm;
    int a, b, dst;

    if (fits_imm(g, x, &imm)) {
        IrRef t = x;
        x = y;
        y = t;
    }
    a = use_gpr(g, x);
    if (fits_imm(g, y, &imm)) {
        dst = pick_gpr(g, a, 0);
        x_imul_imm(&g->a, w, (X86Reg)dst, (X86Reg)a, imm);
    } else {
        b = use_gpr(g, y);
        dst = pick_gpr(g, a, b != a ? 1u << b : 0);
        copy_to(g, dst, a, w);
        x_imul(&g->a, w, (X86Reg)dst, (X86Reg)b);
    }
    def_reg(g, CUR, dst, w == op_bytes(g) && w == 4);
}

static void extend_to(Gen *g, int dst, int src, unsigned from, bool sign)
{
    if (sign) {
        x_movsx(&g->a, 8, from, (X86Reg)dst, (X86Reg)src);
    } else {
        x_movzx(&g->a, from, (X86Reg)dst, (X86Reg)src);
    }
}

/* MUL and IMUL with one operand: RDX:RAX = RAX * r. Both are pins and come back as they were. */
static void mulh64(Gen *g, bool sign)
{
    int a = use_gpr(g, g->op->a), b = use_gpr(g, g->op->b);
    int t = alloc_gpr(g), u = alloc_gpr(g);

    if (b == RAX) { /* the multiplier stays where it is while RAX is loaded */
        int s = a;
        a = b;
        b = s;
    }
    x_mov(&g->a, 8, (X86Reg)t, RAX);
    x_mov(&g->a, 8, (X86Reg)u, RDX);
    if (b == RAX) { /* both are */
        b = t;
    }
    copy_to(g, RAX, a, 8);
    x_grp3(&g->a, sign ? G3_IMUL : G3_MUL, 8, (X86Reg)b);
    x_mov(&g->a, 8, RAX, (X86Reg)t);
    x_xchg(&g->a, RDX, (X86Reg)u);
    def_reg(g, CUR, u, false);
}

void emit_mulh(Gen *g)
{
    bool sign = g->op->op == OP_mulhs;
    unsigned n = op_bytes(g);
    int a, b, t, u;

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
static void division_results(Gen *g, int q, int r)
{
    const IrOp *next = &g->ops[g->cur + 1];

    def_reg(g, CUR, q, false);
    g->fused_second = 0;
    if (g->cur + 1 < g->ir->nops && next->op == OP_second) {
        g->fused_second = (IrRef)(g->cur + 1);
        def_reg(g, g->fused_second, r, false);
    }
}

static void cqo(Gen *g)
{
    x_byte(&g->a, 0x48);
    x_byte(&g->a, 0x99);
}

/* I8 to I32: dividend V = hi:lo and divisor in 64 bits; the quotient is looked at afterwards. */
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
    division_results(g, t, v);
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

/* RAX and RDX hold quotient and remainder, @t and @u what was in them. */
static void wide_results(Gen *g, int t, int u)
{
    if (results_hinted(g)) {
        rehome_all(g, RAX, t);
        rehome_all(g, RDX, u);
        division_results(g, RAX, RDX);
        return;
    }
    x_xchg(&g->a, RAX, (X86Reg)t);
    x_xchg(&g->a, RDX, (X86Reg)u);
    division_results(g, t, u);
}

static void divu_wide(Gen *g)
{
    int hi = use_gpr(g, g->op->a), c = use_gpr(g, g->op->c), t, u;

    x_alu(&g->a, ALU_CMP, 8, (X86Reg)hi, (X86Reg)c);
    trap_stub(g, CC_NB, g->op->imm);
    t = alloc_gpr(g);
    u = alloc_gpr(g);
    x_mov(&g->a, 8, (X86Reg)t, RAX);
    x_mov(&g->a, 8, (X86Reg)u, RDX);
    load_gpr(g, RAX, g->op->b);
    if (hi != RDX) {
        x_mov(&g->a, 8, RDX, (X86Reg)(hi == RAX ? t : hi));
    }
    x_grp3(&g->a, G3_DIV, 8, (X86Reg)(c == RAX ? t : c == RDX ? u : c));
    wide_results(g, t, u);
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
    s->swap[0][0] = t;
    s->swap[0][1] = u;
    x_mov(&g->a, 8, (X86Reg)t, RAX);
    x_mov(&g->a, 8, (X86Reg)u, RDX);
    x_load(&g->a, 8, RAX, lo);
    cqo(g);
    x_flags_rm(&g->a, 0xf7, 8, (X86Reg)G3_IDIV, c);
    x_xchg(&g->a, RAX, (X86Reg)t);
    x_xchg(&g->a, RDX, (X86Reg)u);
    s->done = g->a.p;
    division_results(g, t, u);
}

void emit_div(Gen *g)
{
    bool sign = g->op->op == OP_divs2;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    g->locked = 0;
    if (op_bytes(g) < 8) {
        div_narrow(g, sign, op_bytes(g));
    } else if (sign) {
        divs_wide(g);
    } else {
        divu_wide(g);
    }
}

void emit_second(Gen *g)
{
    g_assert(g->fused_second == CUR);
}

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
        shift_by_cl(g, k, n, t, c);
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

/* -- Width ------------------------------------------------------------------------------------ */

static void set_bool(Gen *g, unsigned cc)
{
    int dst = alloc_gpr(g);

    x_setcc(&g->a, cc, (X86Reg)dst);
    x_movzx(&g->a, 1, (X86Reg)dst, (X86Reg)dst);
    def_reg(g, CUR, dst, true);
}

void emit_zext(Gen *g)
{
    IrRef v = g->op->a;
    unsigned from = bytes_of(g, v);
    int a, dst;

    if (g->loc[v].kind == LOC_COND) {
        set_bool(g, cond_of(g, v));
        return;
    }
    if (g->loc[v].kind == LOC_REG && g->loc[v].zx) {
        def_alias(g, CUR, v, true);
        return;
    }
    if (g->loc[v].kind != LOC_REG) { /* loads extend, constants are */
        a = use_gpr(g, v);
        if (g->loc[v].kind == LOC_CONST || g->loc[v].zx) {
            def_reg(g, CUR, a, true);
            return;
        }
    } else {
        a = use_gpr(g, v);
    }
    dst = pick_gpr(g, a, 0);
    if (g->ops[v].type == I1) {
        from = 1;
    }
    x_movzx(&g->a, from, (X86Reg)dst, (X86Reg)a);
    def_reg(g, CUR, dst, true);
}

void emit_sext(Gen *g)
{
    IrRef v = g->op->a;
    unsigned w = MAX(op_bytes(g), 4u);
    int a = use_gpr(g, v), dst = pick_gpr(g, a, 0);

    if (g->ops[v].type == I1) {
        x_movzx(&g->a, 1, (X86Reg)dst, (X86Reg)a);
        x_grp3(&g->a, G3_NEG, w, (X86Reg)dst);
    } else {
        x_movsx(&g->a, w, bytes_of(g, v), (X86Reg)dst, (X86Reg)a);
    }
    def_reg(g, CUR, dst, w == op_bytes(g) && w == 4);
}

void emit_trunc(Gen *g)
{
    IrRef v = g->op->a;
    int a, dst;

    if (g->op->type == I1) {
        a = use_gpr(g, v);
        dst = pick_gpr(g, a, 0);
        copy_to(g, dst, a, 4);
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)dst, 1);
        def_reg(g, CUR, dst, true);
        return;
    }
    if (g->loc[v].kind == LOC_ENV || g->loc[v].kind == LOC_CONST) {
        if (g->loc[v].kind == LOC_ENV && !live_after(g, v)) {
            def_env(g, CUR, g->loc[v].off, g->loc[v].in_file);
            return;
        }
        a = use_gpr(g, v);
        def_reg(g, CUR, a, false);
        return;
    }
    use_gpr(g, v);
    def_alias(g, CUR, v, false);
}

void emit_bitcast(Gen *g)
{
    IrRef v = g->op->a;
    unsigned wide = bytes_of(g, v) == 8 ? X_W : 0;
    int r;

    if (is_vec((IrType)g->op->type)) {
        int a = use_gpr(g, v);
        r = alloc_xmm(g);
        x_rr(&g->a, X_MOVD | wide, 4, (X86Reg)(r - 16), (X86Reg)a);
        def_reg(g, CUR, r, false);
    } else {
        int a = use_xmm(g, v);
        r = pick_gpr(g, NO_REG, 0);
        x_rr(&g->a, X_MOVD_ST | wide, 4, (X86Reg)(a - 16), (X86Reg)r);
        def_reg(g, CUR, r, true);
    }
}

/* -- Conditions ------------------------------------------------------------------------------- */

void emit_setcond(Gen *g)
{
    if (g->defer[g->cur]) {
        g->loc[g->cur].kind = LOC_COND;
        return;
    }
    set_bool(g, cond_of(g, CUR));
}

static void select_vec(Gen *g, unsigned cc)
{
    int b = use_xmm(g, g->op->b), c = use_xmm(g, g->op->c), dst = alloc_xmm(g);
    uint8_t *j;

    x_rr(&g->a, X_MOVAPS, 4, (X86Reg)(dst - 16), (X86Reg)(b - 16));
    j = x_jcc8(&g->a, cc);
    x_rr(&g->a, X_MOVAPS, 4, (X86Reg)(dst - 16), (X86Reg)(c - 16));
    x_here8(&g->a, j);
    def_reg(g, CUR, dst, false);
}

void emit_select(Gen *g)
{
    unsigned w = MAX(op_bytes(g), 4u), cc;
    int b, c, dst;

    if (is_vec((IrType)g->op->type)) { /* constants may need an XORPS, no flags */
        cc = cond_of(g, g->op->a);
        select_vec(g, cc);
        return;
    }
    g_assert(g->op->type != F80);
    cc = cond_of(g, g->op->a);
    g->locked = 0; /* what the condition was made from is free again */
    c = use_gpr(g, g->op->c);
    b = use_gpr(g, g->op->b);
    dst = pick_gpr(g, c, b != c ? 1u << b : 0);
    copy_to(g, dst, c, w);
    x_cmov(&g->a, cc, w, (X86Reg)dst, (X86Reg)b);
    def_reg(g, CUR, dst, op_bytes(g) == 4);
}
