/* SPDX-License-Identifier: MIT */
/*
 * Flags bundles. A bundle is nothing until a condition of it is wanted; then, in this order: the
 * host's flags still are those of the instruction that computed the bundle's result; one compare or
 * test of operands that still exist; the six flags packed into an EFLAGS word and its bits tested.
 * The meaning of every kind is that of tcg/flags.c.
 */
#include "tcg/x86_64/gen.h"

#include <string.h>

#define CUR ((IrRef)g->cur)

void host_flags_are(Gen *g, IrRef op)
{
    g->hf.epoch = g->a.epoch;
    g->hf.op = op;
    g->hf.bundle = 0;
}

static void host_flags_of_bundle(Gen *g, IrRef fl)
{
    g->hf.epoch = g->a.epoch;
    g->hf.op = 0;
    g->hf.bundle = fl;
}

static bool flags_live(const Gen *g)
{
    return g->hf.epoch == g->a.epoch;
}

static bool same_value(const Gen *g, IrRef x, IrRef y)
{
    uint64_t a, b;

    return x == y || (const_value(g, x, &a) && const_value(g, y, &b) && a == b &&
                      g->ops[x].type == g->ops[y].type);
}

static bool is_packed(const Gen *g, IrRef fl) /* has its word in a register already */
{
    return g->loc[fl].kind == LOC_REG || g->loc[fl].kind == LOC_SPILL;
}

static bool zsp_only(unsigned cc)
{
    switch (cc & ~1u) {
    case CC_Z:
    case CC_S:
    case CC_P: return true;
    default: return false;
    }
}

/* Was @res made by adding or subtracting one? */
static bool is_step(const Gen *g, bool up, const IrOp *res)
{
    int32_t by;

    return (res->op == OP_add || res->op == OP_sub) && fits_imm(g, res->b, &by) &&
           (res->op == OP_add ? by : -by) == (up ? 1 : -1);
}

/* Do the host's flags answer @cc of @fl? */
bool host_flags_answer(const Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl], *res;

    if (!flags_live(g)) {
        return false;
    }
    if (g->hf.bundle == fl) {
        return true;
    }
    if (g->hf.op == 0 || ir_op_info[f->op].shape != SHAPE_FL || g->hf.op != f->a) {
        return false;
    }
    res = &g->ops[f->a];
    switch (f->op) {
    case OP_fl_add:
        if (res->op == OP_add && (same_value(g, f->b, res->b) || same_value(g, f->b, res->a))) {
            return true;
        }
        break;
    case OP_fl_sub:
        if (res->op == OP_sub && same_value(g, f->b, res->b)) {
            return true;
        }
        break;
    case OP_fl_logic:
        if (res->op == OP_and || res->op == OP_or || res->op == OP_xor) {
            return true;
        }
        break;
    case OP_fl_adc:
    case OP_fl_sbb:
        if (g->want[f->a] & WANT_CARRY) {
            return true;
        }
        break;
    case OP_fl_packed: return res->op == OP_fcomi; /* made of the very flags */
    case OP_fl_rotl:
    case OP_fl_rotr:
    case OP_fl_setcf:
    case OP_fl_setof:
    case OP_fl_setzf:
    case OP_fl_cmp: return false;
    case OP_fl_inc:
    case OP_fl_dec:
        if (is_step(g, f->op == OP_fl_inc, res)) {
            return (cc & ~1u) != CC_B && (cc & ~1u) != CC_BE;
        }
        break;
    default: break;
    }
    return zsp_only(cc);
}

static unsigned width_of(const Gen *g, IrRef v)
{
    unsigned n = bytes_of(g, v);

    return n ? n : 1;
}

static void test_value(Gen *g, IrRef v)
{
    unsigned w = width_of(g, v);
    int r = use_gpr(g, v);

    x_test(&g->a, w, (X86Reg)r, (X86Reg)r);
    unlock(g, r);
}

/* ZF = not @v, an I1: they may have been left so by what made it. */
static void test_bit(Gen *g, IrRef v)
{
    if (g->hf.op != v || g->hf.epoch != g->a.epoch) {
        test_value(g, v);
    }
}

static void compare(Gen *g, IrRef x, IrRef y)
{
    unsigned w = width_of(g, x);
    int a = use_gpr(g, x);
    int32_t imm;
    Opnd b;

    if (fits_imm(g, y, &imm) && imm == 0) {
        x_test(&g->a, w, (X86Reg)a, (X86Reg)a); /* CF = OF = 0 and AF = 0 or undefined */
        unlock(g, a);
        return;
    }
    b = use_opnd(g, y, w);
    alu_opnd(g, ALU_CMP, w, a, b);
    unlock(g, a);
    if (b.kind == OPND_REG) {
        unlock(g, b.reg);
    }
}

/* @t := @t op @y */
static void apply(Gen *g, X86Alu op, unsigned w, int t, IrRef y)
{
    Opnd b;

    lock(g, t);
    b = use_opnd(g, y, w);
    alu_opnd(g, op, w, t, b);
    if (b.kind == OPND_REG) {
        unlock(g, b.reg);
    }
}

void carry_from(Gen *g, IrRef v)
{
    int r = use_gpr(g, v);

    x_bt_imm(&g->a, 4, (X86Reg)r, 0);
    unlock(g, r);
}

/* Do the instruction again: the host's six flags become those of @fl (AF of logic aside). Only for
 * kinds that have an instruction. */
static bool redo(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    unsigned w;
    int t, c;

    switch (f->op) {
    case OP_fl_cmp: compare(g, f->a, f->b); return true;
    case OP_fl_logic: test_value(g, f->a); return true;
    default: break;
    }
    w = width_of(g, f->a);
    switch (f->op) {
    case OP_fl_add:
        t = copy_gpr(g, f->a);
        apply(g, ALU_SUB, w, t, f->b);
        apply(g, ALU_ADD, w, t, f->b);
        break;
    case OP_fl_sub:
        t = copy_gpr(g, f->a);
        apply(g, ALU_ADD, w, t, f->b);
        apply(g, ALU_CMP, w, t, f->b);
        break;
    case OP_fl_adc:
        t = copy_gpr(g, f->a);
        carry_from(g, f->c);
        apply(g, ALU_SBB, w, t, f->b);
        carry_from(g, f->c);
        apply(g, ALU_ADC, w, t, f->b);
        break;
    case OP_fl_sbb:
        t = copy_gpr(g, f->a);
        carry_from(g, f->c);
        apply(g, ALU_ADC, w, t, f->b);
        carry_from(g, f->c);
        apply(g, ALU_SBB, w, t, f->b);
        break;
    case OP_fl_inc:
    case OP_fl_dec:
        c = alloc_gpr(g);
        x_setcc(&g->a, cond_of_bundle(g, f->b, CC_B), (X86Reg)c);
        t = copy_gpr(g, f->a);
        if (f->op == OP_fl_inc) {
            x_dec(&g->a, w, (X86Reg)t);
            x_bt_imm(&g->a, 4, (X86Reg)c, 0);
            x_inc(&g->a, w, (X86Reg)t);
        } else {
            x_inc(&g->a, w, (X86Reg)t);
            x_bt_imm(&g->a, 4, (X86Reg)c, 0);
            x_dec(&g->a, w, (X86Reg)t);
        }
        unlock(g, c);
        break;
    default: return false;
    }
    unlock(g, t);
    return true;
}

/* -- Packing ---------------------------------------------------------------------------------- */

static void call_pack(Gen *g, const uint8_t *thunk, int t)
{
    x_call(&g->a, thunk);
    x_flags_changed(&g->a);
    x_load(&g->a, 4, (X86Reg)t, env_mem(scr(g, SCR_RET)));
}

/* Kinds without an instruction to do again: their record goes to the scratch area and C packs it.
 */
static void pack_by_record(Gen *g, IrRef fl, int t)
{
    const IrOp *f = &g->ops[fl];
    unsigned kind = flags_kind(flags_kind_of_op((IrOpcode)f->op), (IrType)g->ops[f->a].type);
    int32_t rec = scr(g, SCR_REC);
    int r;

    x_store_imm(&g->a, 4, env_mem(rec + (int32_t)offsetof(FlagsRecord, kind)), (int32_t)kind);
    r = use_gpr(g, f->a);
    x_store(&g->a, 8, env_mem(rec + (int32_t)offsetof(FlagsRecord, a)), (X86Reg)r);
    unlock(g, r);
    r = use_gpr(g, f->b);
    x_store(&g->a, 8, env_mem(rec + (int32_t)offsetof(FlagsRecord, b)), (X86Reg)r);
    unlock(g, r);
    call_pack(g, g->be->pack_rec, t);
}

/* @t has the previous bundle's word; bits @mask are replaced. */
static void replace_bits(Gen *g, int t, int32_t mask, int bits)
{
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, ~mask);
    x_alu(&g->a, ALU_OR, 4, (X86Reg)t, (X86Reg)bits);
}

static void pack_on_top(Gen *g, IrRef fl, int t)
{
    const IrOp *f = &g->ops[fl];
    int32_t top = (int32_t)width_of(g, f->a) * 8 - 1;
    int u = copy_gpr(g, f->a), w;

    switch (f->op) {
    case OP_fl_setcf:
        x_movzx(&g->a, 1, (X86Reg)u, (X86Reg)u);
        replace_bits(g, t, FLAG_CF, u);
        break;
    case OP_fl_setzf:
        x_movzx(&g->a, 1, (X86Reg)u, (X86Reg)u);
        x_shift_imm(&g->a, SH_SHL, 4, (X86Reg)u, 6);
        replace_bits(g, t, FLAG_ZF, u);
        break;
    case OP_fl_setof:
        x_movzx(&g->a, 1, (X86Reg)u, (X86Reg)u);
        x_shift_imm(&g->a, SH_SHL, 4, (X86Reg)u, 11);
        replace_bits(g, t, FLAG_OF, u);
        break;
    default: /* u = CF, w = the bit that OF differs from it by */
        w = alloc_gpr(g);
        x_mov(&g->a, 8, (X86Reg)w, (X86Reg)u);
        if (f->op == OP_fl_rotl) {
            x_shift_imm(&g->a, SH_SHR, 8, (X86Reg)w, (unsigned)top);
        } else {
            x_shift_imm(&g->a, SH_SHR, 8, (X86Reg)u, (unsigned)top);
            x_shift_imm(&g->a, SH_SHR, 8, (X86Reg)w, (unsigned)top - 1);
        }
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)u, 1);
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)w, 1);
        x_alu(&g->a, ALU_XOR, 4, (X86Reg)w, (X86Reg)u);
        x_shift_imm(&g->a, SH_SHL, 4, (X86Reg)w, 11);
        x_alu(&g->a, ALU_OR, 4, (X86Reg)u, (X86Reg)w);
        replace_bits(g, t, FLAG_CF | FLAG_OF, u);
        unlock(g, w);
    }
    unlock(g, u);
}

static int pack_selected(Gen *g, const IrOp *f)
{
    int y = pack_bundle(g, f->c), x = pack_bundle(g, f->b), cond = use_gpr(g, f->a);

    x_test(&g->a, 1, (X86Reg)cond, (X86Reg)cond);
    x_cmov(&g->a, CC_NZ, 4, (X86Reg)y, (X86Reg)x);
    unlock(g, cond);
    unlock(g, x);
    return y;
}

int pack_bundle(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    int t;

    if (is_packed(g, fl)) {
        return copy_gpr(g, fl);
    }
    if (g->loc[fl].kind == LOC_RECORD) {
        t = alloc_gpr(g);
        call_pack(g, g->be->pack_env, t);
        if (g->notes->uses[fl] < 2 || g->last[fl] <= g->cur) {
            return t;
        }
        def_reg(g, fl, t, true); /* the word will be wanted again */
        unlock(g, t);
        return copy_gpr(g, fl);
    }
    switch (f->op) {
    case OP_fl_select: return pack_selected(g, f);
    case OP_fl_packed:
        t = copy_gpr(g, f->a);
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, FLAGS_ARITH);
        return t;
    case OP_fl_shl:
    case OP_fl_shr:
    case OP_fl_mul:
        t = alloc_gpr(g);
        pack_by_record(g, fl, t);
        return t;
    case OP_fl_setcf:
    case OP_fl_setof:
    case OP_fl_setzf:
    case OP_fl_rotl:
    case OP_fl_rotr:
        t = pack_bundle(g, f->b);
        pack_on_top(g, fl, t);
        return t;
    default: break;
    }
    g_assert(redo(g, fl));
    t = alloc_gpr(g);
    x_byte(&g->a, 0x9c); /* PUSHFQ */
    x_pop(&g->a, (X86Reg)t);
    /* TEST leaves AF undefined. */
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t,
              f->op == OP_fl_logic ? FLAGS_ARITH & ~FLAG_AF : FLAGS_ARITH);
    return t;
}

/* -- Conditions ------------------------------------------------------------------------------- */

/* A condition of the EFLAGS word in @r, which may be changed if @scratch. */
static unsigned test_word(Gen *g, int r, unsigned cc, bool scratch)
{
    unsigned bits = 0, sense = (cc & 1) ? CC_Z : CC_NZ;
    int t;

    switch (cc & ~1u) {
    case CC_O: bits = FLAG_OF; break;
    case CC_B: bits = FLAG_CF; break;
    case CC_Z: bits = FLAG_ZF; break;
    case CC_BE: bits = FLAG_CF | FLAG_ZF; break;
    case CC_S: bits = FLAG_SF; break;
    case CC_P: bits = FLAG_PF; break;
    default: break;
    }
    if (bits) {
        x_test_imm(&g->a, bits < 0x80 ? 1 : 4, (X86Reg)r, (int32_t)bits);
        return sense;
    }
    /* SF differs from OF: bit 7 of w ^ w >> 4; LE: or ZF */
    t = alloc_gpr(g);
    x_mov(&g->a, 4, (X86Reg)t, (X86Reg)r);
    x_shift_imm(&g->a, SH_SHR, 4, (X86Reg)t, 4);
    x_alu(&g->a, ALU_XOR, 4, (X86Reg)t, (X86Reg)r);
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, FLAG_SF);
    if ((cc & ~1u) == CC_LE) {
        int u = scratch ? r : alloc_gpr(g);
        x_mov(&g->a, 4, (X86Reg)u, (X86Reg)r);
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)u, FLAG_ZF);
        x_alu(&g->a, ALU_OR, 4, (X86Reg)t, (X86Reg)u);
        unlock(g, u);
    }
    unlock(g, t);
    return sense;
}

/* What was most likely said before the block was entered is done again, if it was that. */
static bool redo_record(Gen *g, IrRef fl)
{
    unsigned kind = g->ir->flags_hint, w = 1u << (kind & 3);
    int32_t off = env_off(g->be->layout->flags);
    Mem a = env_mem(off + (int32_t)offsetof(FlagsRecord, a));
    Mem b = env_mem(off + (int32_t)offsetof(FlagsRecord, b));
    X86Reg t;
    Stub *s;

    if (g->ops[fl].op != OP_getflags || g->ir->has_calls || (kind & FLAGS_ON_TOP) ||
        (kind / 4 != FLK_CMP && kind / 4 != FLK_LOGIC && kind / 4 != FLK_SUB)) {
        return false;
    }
    t = (X86Reg)alloc_gpr(g);
    x_alu_mi(&g->a, ALU_CMP, 1, env_mem(off + (int32_t)offsetof(FlagsRecord, kind)), (int)kind);
    s = jcc_stub(g, STUB_FLAGS, CC_NZ, 16);
    if (kind / 4 == FLK_LOGIC) {
        x_alu_mi(&g->a, ALU_CMP, w, a, 0);
    } else {
        x_load(&g->a, w, t, a);
        if (kind / 4 == FLK_SUB) {
            x_alu_rm(&g->a, ALU_ADD, w, t, b);
        }
        x_alu_rm(&g->a, ALU_CMP, w, t, b);
    }
    s->done = g->a.p;
    unlock(g, t);
    host_flags_of_bundle(g, fl);
    return true;
}

static unsigned by_packing(Gen *g, IrRef fl, unsigned cc)
{
    bool record = g->loc[fl].kind == LOC_RECORD, of = (cc & ~1u) == CC_O;
    int t;

    if (record && redo_record(g, fl)) {
        return cc;
    }
    if (record && (of || (cc & ~1u) == CC_B)) {
        t = alloc_gpr(g);
        call_pack(g, of ? g->be->overflow_env : g->be->carry_env, t);
    } else {
        t = pack_bundle(g, fl);
    }
    cc = test_word(g, t, cc, true);
    unlock(g, t);
    return cc;
}

static unsigned by_redoing(Gen *g, IrRef fl, unsigned cc)
{
    if (!redo(g, fl)) {
        return by_packing(g, fl, cc);
    }
    host_flags_of_bundle(g, fl);
    return cc;
}

/* ZF, SF, PF from the result; @fl's host flags do not become known by that. */
static unsigned by_result(Gen *g, IrRef fl, unsigned cc)
{
    test_value(g, g->ops[fl].a);
    return cc;
}

static unsigned carry_of_add(Gen *g, IrRef fl)
{
    compare(g, g->ops[fl].a, g->ops[fl].b);
    return CC_B;
}

static unsigned carry_of_adc(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    int t = copy_gpr(g, f->a);

    carry_from(g, f->c);
    apply(g, f->op == OP_fl_adc ? ALU_SBB : ALU_ADC, width_of(g, f->a), t, f->b);
    unlock(g, t);
    return CC_B;
}

/* The bit of @v at @bit as CF. */
static unsigned bit_as_carry(Gen *g, IrRef v, unsigned bit)
{
    int r = use_gpr(g, v);

    x_bt_imm(&g->a, bit < 32 ? 4 : 8, (X86Reg)r, bit);
    unlock(g, r);
    return CC_B;
}

static unsigned cond_shift(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];

    if ((cc & ~1u) == CC_B) {
        unsigned top = width_of(g, f->a) * 8 - 1;
        return bit_as_carry(g, f->b, f->op == OP_fl_shl ? top : 0) ^ (cc & 1);
    }
    return by_packing(g, fl, cc);
}

static unsigned cond_mul(Gen *g, IrRef fl, unsigned cc)
{
    if ((cc & ~1u) == CC_B || (cc & ~1u) == CC_O) {
        test_value(g, g->ops[fl].b);
        return CC_NZ ^ (cc & 1);
    }
    return by_packing(g, fl, cc);
}

static unsigned cond_setbit(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];
    unsigned own = f->op == OP_fl_setcf ? CC_B : f->op == OP_fl_setof ? CC_O : CC_Z;

    if ((cc & ~1u) == own) {
        test_bit(g, f->a);
        return CC_NZ ^ (cc & 1);
    }
    if ((cc & ~1u) == CC_BE || ((cc & ~1u) == CC_LE && own != CC_B) ||
        ((cc & ~1u) == CC_L && own == CC_O)) {
        return by_packing(g, fl, cc);
    }
    return cond_of_bundle(g, f->b, cc);
}

static unsigned cond_rotate(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];

    if ((cc & ~1u) == CC_B) {
        unsigned top = width_of(g, f->a) * 8 - 1;
        return bit_as_carry(g, f->a, f->op == OP_fl_rotl ? 0 : top) ^ (cc & 1);
    }
    return zsp_only(cc) ? cond_of_bundle(g, f->b, cc) : by_packing(g, fl, cc);
}

static unsigned cond_incdec(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];
    unsigned w = width_of(g, f->a);
    int t;

    if ((cc & ~1u) == CC_B) {
        return cond_of_bundle(g, f->b, cc);
    }
    if ((cc & ~1u) == CC_BE) {
        return by_redoing(g, fl, cc);
    }
    t = copy_gpr(g, f->a);
    x_alu_imm(&g->a, f->op == OP_fl_inc ? ALU_SUB : ALU_ADD, w, (X86Reg)t, 1);
    x_alu_imm(&g->a, f->op == OP_fl_inc ? ALU_ADD : ALU_SUB, w, (X86Reg)t, 1);
    unlock(g, t);
    return cc;
}

static unsigned cond_packed(Gen *g, IrRef word, unsigned cc)
{
    int r = use_gpr(g, word);

    cc = test_word(g, r, cc, false);
    unlock(g, r);
    return cc;
}

unsigned cond_of_bundle(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];

    if (is_packed(g, fl)) {
        return cond_packed(g, fl, cc);
    }
    if (host_flags_answer(g, fl, cc)) {
        return cc;
    }
    switch (f->op) {
    case OP_fl_packed: return cond_packed(g, f->a, cc);
    case OP_fl_cmp: return by_redoing(g, fl, cc);
    case OP_fl_setcf:
    case OP_fl_setof:
    case OP_fl_setzf: return cond_setbit(g, fl, cc);
    case OP_fl_rotl:
    case OP_fl_rotr: return cond_rotate(g, fl, cc);
    case OP_fl_select:
    case OP_getflags: return by_packing(g, fl, cc);
    default: break;
    }
    if (zsp_only(cc)) {
        return by_result(g, fl, cc);
    }
    switch (f->op) {
    case OP_fl_add:
        return (cc & ~1u) == CC_B ? carry_of_add(g, fl) ^ (cc & 1) : by_redoing(g, fl, cc);
    case OP_fl_adc:
    case OP_fl_sbb:
        return (cc & ~1u) == CC_B ? carry_of_adc(g, fl) ^ (cc & 1) : by_redoing(g, fl, cc);
    case OP_fl_shl:
    case OP_fl_shr: return cond_shift(g, fl, cc);
    case OP_fl_mul: return cond_mul(g, fl, cc);
    case OP_fl_inc:
    case OP_fl_dec: return cond_incdec(g, fl, cc);
    default: return by_redoing(g, fl, cc);
    }
}

static unsigned host_cc(unsigned cond)
{
    static const uint8_t cc[] = {
        [COND_EQ] = CC_Z,   [COND_NE] = CC_NZ,   [COND_LTU] = CC_B, [COND_GEU] = CC_NB,
        [COND_LEU] = CC_BE, [COND_GTU] = CC_NBE, [COND_LT] = CC_L,  [COND_GE] = CC_NL,
        [COND_LE] = CC_LE,  [COND_GT] = CC_NLE
    };
    return cc[cond];
}

unsigned cond_of(Gen *g, IrRef v)
{
    const IrOp *op = &g->ops[v];
    bool here = v == g->cur || g->loc[v].kind == LOC_COND;

    if (here && op->op == OP_fl_test) {
        return cond_of_bundle(g, op->a, op->aux);
    }
    if (here && op->op == OP_setcond) {
        compare(g, op->a, op->b);
        return host_cc(op->aux);
    }
    test_bit(g, v);
    return CC_NZ;
}

/* @fl is what the record in env says, until protect_getflags(). */
static void is_record(Gen *g, IrRef fl)
{
    g->loc[fl].kind = LOC_RECORD;
    g_assert(g->ngetflags < G_N_ELEMENTS(g->getflags));
    g->getflags[g->ngetflags++] = fl;
}

/* -- Ops -------------------------------------------------------------------------------------- */

void emit_flags(Gen *g)
{
    g->loc[g->cur].kind = LOC_FLAGS;
}

void emit_getflags(Gen *g)
{
    is_record(g, CUR);
}

void emit_fl_test(Gen *g)
{
    unsigned cc;
    int dst;

    if (g->defer[g->cur]) {
        g->loc[g->cur].kind = LOC_COND;
        return;
    }
    cc = cond_of_bundle(g, g->op->a, g->op->aux);
    dst = alloc_gpr(g);
    x_setcc(&g->a, cc, (X86Reg)dst);
    x_movzx(&g->a, 1, (X86Reg)dst, (X86Reg)dst);
    def_reg(g, CUR, dst, true);
}

void emit_fl_pack(Gen *g)
{
    def_reg(g, CUR, pack_bundle(g, g->op->a), true);
}

static void protect_record(Gen *g, IrRef except);

/* -- Records ---------------------------------------------------------------------------------- */

/* Does it lie on top of another bundle, in the record too? */
static bool is_on_top(const Gen *g, IrRef fl)
{
    switch (g->ops[fl].op) {
    case OP_fl_inc:
    case OP_fl_dec:
    case OP_fl_rotl:
    case OP_fl_rotr:
    case OP_fl_setcf:
    case OP_fl_setof: return !is_packed(g, fl);
    default: return false;
    }
}

static IrRef main_half(const Gen *g, IrRef fl)
{
    while (is_on_top(g, fl)) {
        fl = g->ops[fl].b;
    }
    return fl;
}

/* The word of @fl's main half, now, in a register. */
static void pack_main(Gen *g, IrRef fl)
{
    IrRef m = main_half(g, fl);
    int r = pack_bundle(g, m);

    def_reg(g, m, r, true);
    unlock(g, r);
}

/* What @fl was made of is not looked at again, unless somebody else uses it. */
static void drop_operands(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    const IrRef arg[] = { f->a, f->b, f->c };
    unsigned n = ir_operands(g->ir, f);

    for (unsigned i = 0; i < n; i++) {
        if (g->notes->uses[arg[i]] == 1 && !(g->want[arg[i]] & WANT_RECORD)) {
            if (ir_is_flags_op(g->ops[arg[i]].op)) {
                drop_operands(g, arg[i]);
            }
            g->last[arg[i]] = (uint16_t)(g->cur - 1);
        }
    }
}

/* One of two bundles: env's record becomes the second and then, unless the condition is 0, the
 * first. */
static void rest_selected(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    IrRef x = main_half(g, f->b), y = main_half(g, f->c);
    int cond, t;
    Record r;
    uint8_t *skip;

    if (g->loc[x].kind == LOC_RECORD || g->ops[x].op == OP_fl_select) {
        pack_main(g, f->b); /* the record is about to change */
    }
    rest_bundle(g, f->b);
    rest_bundle(g, f->c);
    protect_record(g, g->notes->uses[y] == 1 ? y : IR_NONE);
    cond = use_gpr(g, f->a);
    t = alloc_gpr(g);
    r = record_of(g, f->c);
    write_record(g, &r, GPR_TEMPS & ~(1u << t));
    x_test(&g->a, 1, (X86Reg)cond, (X86Reg)cond);
    skip = x_jcc8(&g->a, CC_Z);
    r = record_of(g, f->b);
    write_record(g, &r, GPR_TEMPS & ~(1u << t));
    x_here8(&g->a, skip);
    unlock(g, t);
    unlock(g, cond);
    is_record(g, fl);
    drop_operands(g, fl);
}

/* Bundles that have no record of their own get their word into a register. */
void rest_bundle(Gen *g, IrRef fl)
{
    IrRef m;

    if (!fl) {
        return;
    }
    m = main_half(g, fl);
    if (g->loc[m].kind == LOC_RECORD || is_packed(g, m) ||
        flags_kind_of_op((IrOpcode)g->ops[m].op) != FLK_NONE) {
        return;
    }
    if (g->ops[m].op == OP_fl_select) {
        rest_selected(g, m);
    } else {
        pack_main(g, m);
    }
}

/* @fl lies on top of what is below it and under what @r has already. */
static void add_on_top(Gen *g, Record *r, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    FlagsKind kind = f->op == OP_fl_rotl   ? FLK_ROTL
                     : f->op == OP_fl_rotr ? FLK_ROTR
                                           : flags_kind_of_op((IrOpcode)f->op);

    if (f->op == OP_fl_setcf) {
        if (!r->rot_kind && r->cf.kind == SRC_NONE) {
            r->cf = src_of(g, f->a);
        }
    } else if (f->op == OP_fl_setof) {
        if (!r->rot_kind && !r->inc_kind && r->of.kind == SRC_NONE) {
            r->of = src_of(g, f->a);
        }
    } else if (kind == FLK_ROTL || kind == FLK_ROTR) {
        if (!r->rot_kind) {
            r->rot_kind =
                flags_kind(kind, (IrType)g->ops[f->a].type) | (r->inc_kind ? 0 : FLAGS_ROT_NEWER);
            r->rot = src_of(g, f->a);
        }
    } else if (!r->inc_kind) {
        r->inc_kind = flags_kind(kind, (IrType)g->ops[f->a].type);
        r->inc = src_of(g, f->a);
    }
}

Record record_of(Gen *g, IrRef fl)
{
    static const Record env_is_right;
    Record r;
    const IrOp *m;

    memcpy(&r, &env_is_right,
           sizeof(r)); /* clearing would be REP STOS, which takes long to begin */
    if (!fl) {
        return r;
    }
    for (; is_on_top(g, fl); fl = g->ops[fl].b) {
        add_on_top(g, &r, fl);
    }
    m = &g->ops[fl];
    if (is_packed(g, fl)) {
        r.kind = FLK_PACKED * 4;
        r.a = src_of(g, fl);
        return r;
    }
    if (g->loc[fl].kind == LOC_RECORD) {
        return r;
    }
    r.kind = flags_kind(flags_kind_of_op((IrOpcode)m->op), (IrType)g->ops[m->a].type);
    if (m->op == OP_fl_packed) {
        r.kind = FLK_PACKED * 4;
    }
    r.a = src_of(g, m->a);
    if (m->op != OP_fl_logic && m->op != OP_fl_packed) {
        r.b = src_of(g, m->b);
    }
    if (m->op == OP_fl_adc || m->op == OP_fl_sbb) {
        r.c = src_of(g, m->c);
    }
    return r;
}

static void write_field(Gen *g, const Src *s, size_t field, uint32_t busy)
{
    int32_t off = env_off(g->be->layout->flags) + (int32_t)field;
    uint32_t spare = GPR_TEMPS & ~busy;
    int t = spare ? __builtin_ctz(spare) : NO_REG;

    switch (s->kind) {
    case SRC_NONE: break;
    case SRC_REG: x_store(&g->a, 8, env_mem(off), (X86Reg)s->reg); break;
    case SRC_CONST:
        if ((int64_t)s->value == (int32_t)s->value) {
            x_store_imm(&g->a, 8, env_mem(off), (int32_t)s->value);
            break;
        }
        x_store_imm(&g->a, 4, env_mem(off), (int32_t)s->value);
        x_store_imm(&g->a, 4, env_mem(off + 4), (int32_t)(s->value >> 32));
        break;
    case SRC_MEM:
        if (t == NO_REG) {
            x_rm(&g->a, 0xff, 4, (X86Reg)6, env_mem(s->off)); /* PUSH, POP */
            x_rm(&g->a, 0x8f, 4, (X86Reg)0, env_mem(off));
        } else {
            x_load(&g->a, 8, (X86Reg)t, env_mem(s->off));
            x_store(&g->a, 8, env_mem(off), (X86Reg)t);
        }
        break;
    }
}

/* The byte that says what CF or OF is: @is + the flag. */
static void write_flag(Gen *g, const Src *s, size_t byte, int is, uint32_t busy)
{
    Mem at = env_mem(env_off(g->be->layout->flags) + (int32_t)byte);
    uint32_t spare = GPR_TEMPS & ~busy;
    int t = spare ? __builtin_ctz(spare) : R12;

    if (s->kind == SRC_CONST) {
        x_store_imm(&g->a, 1, at, (int32_t)((unsigned)is | (s->value & 1)));
        return;
    }
    if (!spare) {
        x_push(&g->a, (X86Reg)t);
    }
    if (s->kind == SRC_MEM) {
        x_load(&g->a, 4, (X86Reg)t, env_mem(s->off));
    }
    x_lea(&g->a, 4, (X86Reg)t, mem_base((X86Reg)(s->kind == SRC_MEM ? t : s->reg), is));
    x_store(&g->a, 1, at, (X86Reg)t);
    if (!spare) {
        x_pop(&g->a, (X86Reg)t);
    }
}

/* What replaces flags of a record in env that stays. Changes flags. */
static void write_on_top(Gen *g, const Record *r)
{
    int32_t off = env_off(g->be->layout->flags);
    Mem rot_kind = env_mem(off + (int32_t)offsetof(FlagsRecord, rot_kind));
    int of = r->of.kind != SRC_NONE ? FLAGS_OF_IS : 0;

    x_call(&g->a, g->be->open_top);
    x_flags_changed(&g->a);
    if (r->inc_kind) {
        x_store_imm(&g->a, 1, env_mem(off + (int32_t)offsetof(FlagsRecord, inc_kind)), r->inc_kind);
    }
    if (r->rot_kind) { /* and no CF on top */
        x_store_imm(&g->a, 2, rot_kind, r->rot_kind | of);
    } else if (r->inc_kind) {
        x_alu_mi(&g->a, ALU_AND, 1, rot_kind, FLAGS_ROT_KIND);
    }
    if (of && !r->rot_kind) {
        x_alu_mi(&g->a, ALU_OR, 1, rot_kind, of);
    }
}

/* Bring env's record up to date. @busy: temporaries that must not be touched. */
void write_record(Gen *g, const Record *r, uint32_t busy)
{
    Mem kind = env_mem(env_off(g->be->layout->flags) + (int32_t)offsetof(FlagsRecord, kind));
    const Src *src = &r->a;
    int of = r->of.kind != SRC_NONE ? FLAGS_OF_IS : 0;
    const uint8_t *from = g->a.p;

    if (record_is_env(r)) {
        return;
    }
    for (unsigned i = 0; i < RECORD_SRCS; i++) {
        if (src[i].kind == SRC_REG) {
            busy |= 1u << src[i].reg;
        }
    }
    if (r->kind == 0) {
        write_on_top(g, r);
    } else if (r->inc_kind || r->rot_kind || r->cf.kind != SRC_NONE || of) {
        x_store_imm(&g->a, 4, kind,
                    r->kind | FLAGS_ON_TOP | r->inc_kind << 8 | (r->rot_kind | of) << 16);
    } else {
        x_store_imm(&g->a, 1, kind, r->kind);
    }
    write_field(g, &r->a, offsetof(FlagsRecord, a), busy);
    write_field(g, &r->b, offsetof(FlagsRecord, b), busy);
    write_field(g, &r->c, offsetof(FlagsRecord, c), busy);
    write_field(g, &r->inc, offsetof(FlagsRecord, inc), busy);
    write_field(g, &r->rot, offsetof(FlagsRecord, rot), busy);
    if (r->cf.kind != SRC_NONE) {
        write_flag(g, &r->cf, offsetof(FlagsRecord, cf), FLAGS_CF_IS, busy);
    }
    if (r->of.kind != SRC_NONE) {
        write_flag(g, &r->of, offsetof(FlagsRecord, of), 0, busy);
    }
    census_part(g, CENSUS_RECORDS, from);
}

/* The record in env is about to change: those but @except who still mean its old content keep a
 * copy. */
static void protect_record(Gen *g, IrRef except)
{
    for (unsigned i = 0; i < g->ngetflags; i++) {
        IrRef fl = g->getflags[i];
        if (g->last[fl] >= g->cur && !is_packed(g, fl) && fl != except) {
            pack_main(g, fl);
        }
    }
    g->ngetflags = 0;
}

void protect_getflags(Gen *g)
{
    protect_record(g, IR_NONE);
}
