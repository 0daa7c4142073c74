/* SPDX-License-Identifier: MIT */
/*
 * Integer arithmetic. Narrow types: bits above the type's width are garbage unless Loc.zx. Ops of
 * 8 and 16 bits run in 32 bits where the low result is the same, in their own width where their
 * flags are wanted or the result lands in a part of a pin.
 */
#include "tcg/x86_64/gen.h"

#define CUR ((IrRef)g->cur)

/* Width of the host operation. */
static unsigned host_width(const Gen *g)
{
    unsigned n = op_bytes(g);

    return n < 4 && !(g->want[g->cur] & (WANT_FLAGS | WANT_PART)) ? 4 : n;
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
            copy_f80(g, to, g->loc[v].off);
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

static bool is_lazy(Gen *g)
{
    if (g->want[g->cur] & WANT_LAZY) {
        g->loc[g->cur].kind = LOC_LAZY;
        return true;
    }
    return false;
}

/* In a temporary that may be overwritten. */
static bool is_spent(Gen *g, IrRef v)
{
    const Loc *l = &g->loc[v];

    return l->kind == LOC_REG && is_temp(l->reg) && reg_dies(g, l->reg);
}

/* x + y + carry, x - y - carry: the host's CF may be the carry already. */
static void emit_with_carry(Gen *g)
{
    bool sub = g->op->op == OP_sub;
    const IrOp *inner = &g->ops[g->op->a], *cin = &g->ops[g->ops[g->op->b].a];
    IrRef x = inner->a, y = inner->b;
    unsigned w = op_bytes(g);
    int a, dst;
    Opnd b;

    if (!sub && !g->hint[g->cur] && is_spent(g, y) && !is_spent(g, x)) {
        x = inner->b;
        y = inner->a;
    }
    a = use_gpr(g, x);
    b = use_opnd(g, y, w);
    if (cin->op != OP_fl_test || cin->aux != CC_B || !host_flags_answer(g, cin->a, CC_B)) {
        carry_from(g, g->op->b);
    }
    dst = pick_gpr(g, a, b.kind == OPND_REG && b.reg != a ? 1u << b.reg : 0);
    copy_to(g, dst, a, w);
    alu_opnd(g, sub ? ALU_SBB : ALU_ADC, w, dst, b);
    def_reg(g, CUR, dst, w == 4);
    host_flags_are(g, CUR);
}

/* The current op is -@v. */
static void negate(Gen *g, IrRef v, unsigned w)
{
    int a = use_gpr(g, v), dst = pick_gpr_part(g, a, 0);

    copy_to(g, dst, a, w);
    x_grp3(&g->a, G3_NEG, w, (X86Reg)dst);
    def_reg(g, CUR, dst, w == op_bytes(g) && w >= 4);
    if (w == op_bytes(g)) {
        host_flags_are(g, CUR);
    }
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
    int32_t zero;
    Opnd b;

    if (is_lazy(g) || g->defer[g->cur]) {
        return;
    }
    if (g->want[g->cur] & WANT_CARRY) {
        if (is_link(g, CUR)) {
            emit_link(g);
        } else {
            emit_with_carry(g);
        }
        return;
    }
    if (g->op->op == OP_sub && fits_imm(g, x, &zero) && zero == 0) {
        negate(g, y, w); /* SBB of a register and itself */
        return;
    }
    if (comm && (g->ops[x].op == OP_const || /* y is in the right place already */
                 (g->ops[y].op != OP_const && g->loc[y].kind == LOC_REG && g->loc[y].reg == pin &&
                  !(g->loc[x].kind == LOC_REG && g->loc[x].reg == pin)) ||
                 (pin == NO_REG && is_spent(g, y) && !is_spent(g, x)))) {
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
    if (g->op->op == OP_neg) {
        negate(g, g->op->a, w);
        return;
    }
    dst = pick_gpr_part(g, a, 0);
    copy_to(g, dst, a, w);
    x_not(&g->a, w, (X86Reg)dst);
    def_reg(g, CUR, dst, w == op_bytes(g) && w >= 4);
}

/* A pin goes on by a constant, while others still ask for what it was. */
static bool emit_next_to(Gen *g)
{
    int pin = hinted_reg(g);
    IrRef base;
    int32_t disp;
    Mem m;

    if (pin == NO_REG || !is_offset(g, CUR, &base, &disp) ||
        (g->loc[base].kind != LOC_REG && !is_beside(g, base, disp))) {
        return false;
    }
    m = base_mem(g, base, disp);
    if (!leave_beside(g, base, pin, disp)) {
        return false;
    }
    evict(g, pin);
    x_lea(&g->a, 8, (X86Reg)pin, m);
    now_beside(g, base, pin, disp);
    def_reg(g, CUR, pin, true);
    return true;
}

void emit_lea(Gen *g)
{
    unsigned w = MAX(op_bytes(g), 4u);
    Mem m = { .index = NOREG, .disp = (int32_t)g->op->imm };
    uint64_t base;
    int dst;

    if (is_lazy(g) || emit_next_to(g)) {
        return;
    }
    m.base = g->op->b && const_value(g, g->op->a, &base) && base == 0
                 ? NOREG
                 : (int8_t)use_gpr(g, g->op->a);
    if (g->op->b) {
        m.index = (int8_t)use_gpr(g, g->op->b);
        m.scale = g->op->aux;
    }
    dst = pick_gpr(g, m.base == NOREG ? m.index : m.base, 0);
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

    if (try_product(g)) {
        return;
    }
    if (fits_imm(g, x, &imm) ||
        (!fits_imm(g, y, &imm) && !g->hint[g->cur] && is_spent(g, y) && !is_spent(g, x))) {
        IrRef t = x;
        x = y;
        y = t;
    }
    a = use_gpr(g, x);
    if (fits_imm(g, y, &imm)) {
        dst = pick_gpr(g, a, 0);
        x_imul_imm(&g->a, w, (X86Reg)dst, (X86Reg)a, imm);
    } else if (g->ops[y].op == OP_const && pin_of_long(g, g->ops[y].value) == NO_REG) {
        dst = pick_gpr(g, a, 1u << a);
        x_mov_imm(&g->a, (X86Reg)dst, g->ops[y].value);
        x_imul(&g->a, w, (X86Reg)dst, (X86Reg)a);
    } else {
        b = use_gpr(g, y);
        dst = pick_gpr(g, a, b != a ? 1u << b : 0);
        copy_to(g, dst, a, w);
        x_imul(&g->a, w, (X86Reg)dst, (X86Reg)b);
    }
    def_reg(g, CUR, dst, w == op_bytes(g) && w == 4);
}
/* -- Width ------------------------------------------------------------------------------------ */

static void set_bool(Gen *g, unsigned cc)
{
    int dst = hinted_part(g);

    if (dst != NO_REG && (g->want[g->cur] & WANT_PART) && g->op->type == I8) { /* SETcc AL */
        evict(g, dst);
        x_setcc(&g->a, cc, (X86Reg)dst);
        def_reg(g, CUR, dst, false);
        return;
    }
    dst = alloc_gpr(g);

    x_setcc(&g->a, cc, (X86Reg)dst);
    x_movzx(&g->a, 1, (X86Reg)dst, (X86Reg)dst);
    def_reg(g, CUR, dst, true);
}

void emit_zext(Gen *g)
{
    IrRef v = g->op->a;
    unsigned from = bytes_of(g, v);
    int a, dst;

    if (g->op->type == V256) {
        emit_zext_vec(g);
        return;
    }
    if (g->defer[g->cur] && is_link(g, g->defer[g->cur])) {
        link_zext(g); /* who adds it takes the flag */
        return;
    }
    if (g->loc[v].kind == LOC_COND) {
        set_bool(g, cond_of(g, v));
        return;
    }
    if (g->loc[v].kind == LOC_REG && g->loc[v].zx) {
        def_alias(g, CUR, v, true);
        return;
    }
    if (g->loc[v].kind == LOC_ENV && !live_after(g, v)) {
        dst = pick_gpr(g, NO_REG, 0);
        load_gpr(g, dst, v);
        def_reg(g, CUR, dst, true);
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
    int a, dst;

    if (g->fused_second == g->cur) { /* the load has done it */
        def_alias(g, (IrRef)g->cur, v, w == op_bytes(g) && w == 4);
        return;
    }
    a = use_gpr(g, v);
    dst = pick_gpr(g, a, 0);
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

    if (g->op->type == V128) {
        emit_trunc_vec(g);
        return;
    }
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

/* (x & 1) != 0 is x & 1. */
static bool is_bit(const Gen *g)
{
    const IrOp *x = &g->ops[g->op->a];
    uint64_t one, zero;

    return g->op->aux == COND_NE && x->op == OP_and && g->loc[g->op->a].kind == LOC_REG &&
           const_value(g, x->b, &one) && one == 1 && const_value(g, g->op->b, &zero) && zero == 0;
}

void emit_setcond(Gen *g)
{
    IrRef x = g->op->a;

    if (g->defer[g->cur]) {
        g->loc[g->cur].kind = LOC_COND;
        return;
    }
    if (is_bit(g)) {
        def_alias(g, CUR, x, g->loc[x].zx || g->ops[x].type == I64);
        if (g->hf.op == x && g->hf.epoch == g->a.epoch) {
            host_flags_are(g, CUR);
        }
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
