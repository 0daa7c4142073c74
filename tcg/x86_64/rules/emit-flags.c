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

/* Has AND, OR or XOR just left @v and its flags? */
static bool logic_just_made(const Gen *g, IrRef v)
{
    IrOpcode op = (IrOpcode)g->ops[v].op;

    return flags_live(g) && g->hf.op == v && (op == OP_and || op == OP_or || op == OP_xor);
}

static void compare(Gen *g, IrRef x, IrRef y)
{
    unsigned w = width_of(g, x);
    int32_t imm;
    bool zero = fits_imm(g, y, &imm) && imm == 0;
    Opnd b;
    int a;

    if (zero && logic_just_made(g, x)) {
        return;
    }
    a = read_gpr(g, x);
    if (zero) {
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

/* A result in env is compared with 0 where it is. */
static bool redo_needs_register(uint32_t word)
{
    return (word & FLAGS_KIND) / 4 != FLK_LOGIC || word & FLAGS_SHORT;
}

/* The record in env is such a CMP, SUB or LOGIC: its host flags, by a comparison, with @t to work
 * in if one is needed. */
static void redo_compare(Gen *g, uint32_t word, X86Reg t)
{
    unsigned kind = (word & FLAGS_KIND) / 4, w = 1u << (word & 3);
    int32_t off = env_off(g->be->layout->flags), by = flags_short(word);
    Mem a = env_mem(off + (int32_t)offsetof(FlagsRecord, a));
    Mem b = env_mem(off + (int32_t)offsetof(FlagsRecord, b));
    bool is_short = word & FLAGS_SHORT;

    if (!redo_needs_register(word)) {
        x_alu_mi(&g->a, ALU_CMP, w, a, 0);
    } else if (kind == FLK_LOGIC) {
        x_mov_imm(&g->a, t, (uint64_t)(int64_t)by);
        x_test(&g->a, w, t, t);
    } else {
        x_load(&g->a, w, t, a);
        if (is_short) {
            if (kind == FLK_SUB) {
                x_alu_imm(&g->a, ALU_ADD, w, t, by);
            }
            x_alu_imm(&g->a, ALU_CMP, w, t, by);
        } else {
            if (kind == FLK_SUB) {
                x_alu_rm(&g->a, ALU_ADD, w, t, b);
            }
            x_alu_rm(&g->a, ALU_CMP, w, t, b);
        }
    }
}

/* What was most likely said before the block was entered is done again, if it was that. The
 * register is found first: what is spilled for it must be so whichever way is taken. */
static bool redo_record(Gen *g, IrRef fl)
{
    uint32_t word = entry_guess(g->ir, fl);
    Mem at = env_mem(env_off(g->be->layout->flags) + (int32_t)offsetof(FlagsRecord, kind));
    Stub *s;
    int t;

    if (!word) {
        return false;
    }
    t = redo_needs_register(word) ? alloc_gpr(g) : NO_REG;
    if (word & FLAGS_SHORT) {
        x_alu_mi(&g->a, ALU_CMP, 4, at, (int32_t)word);
    } else {
        x_alu_mi(&g->a, ALU_CMP, 1, at, (int)(word & FLAGS_KIND));
    }
    s = jcc_stub(g, STUB_FLAGS, CC_NZ, 20);
    redo_compare(g, word, (X86Reg)t);
    if (t != NO_REG) {
        unlock(g, t);
    }
    s->done = g->a.p;
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

/* -- Ops -------------------------------------------------------------------------------------- */

void emit_flags(Gen *g)
{
    g->loc[g->cur].kind = LOC_FLAGS;
}

void emit_fl_test(Gen *g)
{
    unsigned cc;
    int dst;

    if (g->defer[g->cur]) {
        g->loc[g->cur].kind = LOC_COND;
        return;
    }
    if (hold_carry(g, g->op->a)) {
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
