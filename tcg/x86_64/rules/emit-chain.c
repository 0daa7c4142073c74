/* SPDX-License-Identifier: MIT */
/*
 * Carries of long sums (ADCX, ADOX) on hosts with these instructions. A link is an addition with
 * carry whose carry in is a flag and of which only the carry out is asked for, by the very next op.
 * That stays in the host's CF or OF (LOC_HELD) while what comes keeps both, so that two sums go on
 * side by side; it gets a register when something else comes. Should that have been overlooked, the
 * block is emitted once more without links.
 */
#include "tcg/x86_64/gen.h"

#define CUR ((IrRef)g->cur)

enum { IN_CF, IN_OF };

void note_link(Gen *g, IrNotes *notes, unsigned i)
{
    const IrOp *fl = &g->ops[i], *out = fl + 1;
    IrRef cin = g->ops[fl->c].a;

    if (g->be->feat.adx && fl->op == OP_fl_adc && fl->a == i - 1 && i + 1 < g->ir->nops &&
        out->op == OP_fl_test && out->a == i && out->aux == CC_B && !g->defer[i + 1] &&
        notes->uses[i] == 1 && !(g->want[i] & WANT_RECORD)) {
        g->want[i - 1] |= WANT_LINK;
        g->defer[fl->c] = (uint16_t)(i - 1);
        notes->last_use[cin] = MAX(notes->last_use[cin], (uint16_t)(i - 1));
    }
}

bool is_link(const Gen *g, IrRef add)
{
    const unsigned both = WANT_CARRY | WANT_LINK;

    return (g->want[add] & both) == both && !g->no_links && g->notes->uses[g->ops[add].b] == 2;
}

static bool is_held(const Gen *g, unsigned flag)
{
    return g->held.v[flag] && g->last[g->held.v[flag]] >= g->cur;
}

/* It is in a register, too. */
static void copy_held(Gen *g, unsigned flag)
{
    IrRef v = g->held.v[flag];
    int r = alloc_gpr(g);

    x_setcc(&g->a, flag == IN_OF ? CC_O : CC_B, (X86Reg)r);
    x_movzx(&g->a, 1, (X86Reg)r, (X86Reg)r);
    g->held.v[flag] = IR_NONE;
    def_reg(g, v, r, true);
    unlock(g, r);
}

static void let_go(Gen *g, unsigned flag)
{
    if (is_held(g, flag)) {
        copy_held(g, flag);
    } else if (g->held.v[flag]) {
        drop(g, g->held.v[flag]);
        g->held.v[flag] = IR_NONE;
    }
}

/* Does the current op leave CF and OF alone? */
static bool keeps_flags(const Gen *g)
{
    switch (g->op->op) {
    case OP_get:
    case OP_set:
    case OP_lea:
    case OP_fl_adc:
    case OP_fl_setcf:
    case OP_fl_setof: return true;
    case OP_ld:
    case OP_st: return ir_is_member(g->notes, g->cur);
    case OP_add: return g->defer[g->cur] || is_link(g, CUR);
    case OP_zext:
        return g->defer[g->cur] && is_link(g, g->defer[g->cur]) &&
               g->loc[g->op->a].kind != LOC_COND;
    case OP_fl_test: return g->held.sum && g->held.sum == g->ops[g->op->a].a;
    case OP_mul: return product_is_mulx(g);
    case OP_mulhu: return g->fused_second == CUR;
    default: return false;
    }
}

void before_op(Gen *g)
{
    if (g->held.epoch != g->a.epoch) {
        g->lost_flags = true;
    }
    if (!keeps_flags(g)) {
        let_go(g, IN_CF);
        let_go(g, IN_OF);
    }
}

static void flags_kept(Gen *g)
{
    g->held.epoch = g->a.epoch;
    g->hf.epoch = g->a.epoch; /* they are precious */
    g->hf.op = g->hf.bundle = IR_NONE;
}

/* @v, which a register has, as the host's CF, or as its OF where the CF is another sum's. */
static unsigned load_flag(Gen *g, IrRef v)
{
    int r = use_gpr(g, v), t;

    let_go(g, IN_OF);
    if (!is_held(g, IN_CF)) {
        let_go(g, IN_CF);
        x_bt_imm(&g->a, 4, (X86Reg)r, 0);
        unlock(g, r);
        return IN_CF;
    }
    t = alloc_gpr(g);
    x_lea(&g->a, 4, (X86Reg)t, mem_base((X86Reg)r, INT8_MAX - 1));
    x_inc(&g->a, 1, (X86Reg)t); /* overflows from 127, and keeps CF */
    unlock(g, t);
    unlock(g, r);
    return IN_OF;
}

static unsigned carry_in(Gen *g, IrRef v)
{
    unsigned flag = g->held.v[IN_OF] == v ? IN_OF : IN_CF;

    if (g->loc[v].kind != LOC_HELD) {
        return load_flag(g, v);
    }
    if (live_after(g, v)) {
        copy_held(g, flag);
    } else {
        drop(g, v);
        g->held.v[flag] = IR_NONE;
    }
    return flag;
}

void link_zext(Gen *g)
{
    IrRef v = g->op->a;

    if (g->loc[v].kind == LOC_COND) { /* to be made here */
        unsigned cc = cond_of(g, v);
        int r = alloc_gpr(g);
        x_setcc(&g->a, cc, (X86Reg)r);
        x_movzx(&g->a, 1, (X86Reg)r, (X86Reg)r);
        def_reg(g, v, r, true);
    }
}

/* The current op, which is a link. */
void emit_link(Gen *g)
{
    const IrOp *inner = &g->ops[g->op->a];
    IrRef x = inner->a, y = inner->b;
    unsigned w = op_bytes(g), flag = carry_in(g, g->ops[g->op->b].a), op;
    int a, dst;
    Opnd b;

    flags_kept(g);
    a = use_gpr(g, x);
    b = use_opnd(g, y, w);
    if (b.kind == OPND_IMM) {
        b = (Opnd){ .kind = OPND_REG, .reg = use_gpr(g, y) };
    }
    dst = pick_gpr(g, a, b.kind == OPND_REG && b.reg != a ? 1u << b.reg : 0);
    if (dst != a) {
        x_mov(&g->a, w, (X86Reg)dst, (X86Reg)a);
    }
    g->lost_flags |= g->held.epoch != g->a.epoch;
    op = (flag == IN_OF ? X_F3 : X_66) | X_0F38 | 0xf6; /* ADOX, ADCX */
    if (b.kind == OPND_REG) {
        x_flags_rr(&g->a, op, w, (X86Reg)dst, (X86Reg)b.reg);
    } else {
        x_flags_rm(&g->a, op, w, (X86Reg)dst, b.mem);
    }
    def_reg(g, CUR, dst, w == 4);
    flags_kept(g);
    g->held.sum = CUR;
    g->held.flag = flag;
}

bool hold_carry(Gen *g, IrRef fl)
{
    if (!g->held.sum || g->held.sum != g->ops[fl].a) {
        return false;
    }
    g->lost_flags |= g->held.epoch != g->a.epoch;
    g->held.sum = IR_NONE;
    g->held.v[g->held.flag] = CUR;
    g->loc[CUR].kind = LOC_HELD;
    return true;
}
