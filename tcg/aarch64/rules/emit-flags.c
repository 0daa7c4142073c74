/* SPDX-License-Identifier: MIT */
/*
 * Flags bundles. A bundle is nothing until a condition of it is wanted; then, in this order: NZCV
 * still are those of the instruction that computed the bundle's result; a bit or zero test of a
 * value, which leaves NZCV alone; one compare of operands that still exist; the six flags packed
 * into an EFLAGS word and its bits tested. The host's carry is x86's after an addition and its
 * opposite after a subtraction. The meaning of every kind is that of tcg/flags.c.
 */
#include "tcg/aarch64/gen.h"

#define CUR ((IrRef)g->cur)

void nz_are(Gen *g, IrRef op, unsigned carry)
{
    g->nz.epoch = g->a.epoch;
    g->nz.op = op;
    g->nz.bundle = 0;
    g->nz.carry = (uint8_t)carry;
}

static void nz_of_bundle(Gen *g, IrRef fl, unsigned carry)
{
    g->nz.epoch = g->a.epoch;
    g->nz.op = 0;
    g->nz.bundle = fl;
    g->nz.carry = (uint8_t)carry;
}

static bool same_value(const Gen *g, IrRef x, IrRef y)
{
    uint64_t a, b;

    return x == y || (const_value(g, x, &a) && const_value(g, y, &b) && a == b &&
                      g->ops[x].type == g->ops[y].type);
}

static Cond on_flags(A64Cond cc)
{
    return (Cond){ .kind = IF_FLAGS, .cc = cc };
}

static Cond on_bit(int reg, unsigned bit, bool set)
{
    return (Cond){ .kind = set ? IF_BIT : IF_NO_BIT, .reg = reg, .bit = (uint8_t)bit };
}

static Cond on_zero(int reg, unsigned w, bool zero)
{
    return (Cond){ .kind = zero ? IF_ZERO : IF_NONZERO, .reg = reg, .w = (uint8_t)w };
}

static Cond negate(Cond c)
{
    static const uint8_t opposite[] = {
        [IF_ZERO] = IF_NONZERO, [IF_NONZERO] = IF_ZERO, [IF_BIT] = IF_NO_BIT,
        [IF_NO_BIT] = IF_BIT,   [IF_NEVER] = IF_ALWAYS, [IF_ALWAYS] = IF_NEVER
    };

    if (c.kind == IF_FLAGS) {
        c.cc ^= 1;
    } else {
        c.kind = opposite[c.kind];
    }
    return c;
}

A64Cond cond_to_flags(Gen *g, Cond c)
{
    switch (c.kind) {
    case IF_FLAGS: return c.cc;
    case IF_ZERO:
    case IF_NONZERO:
        a_alu(&g->a, A_ANDS, c.w, ZR, c.reg, c.reg);
        return c.kind == IF_ZERO ? A_EQ : A_NE;
    default:
        a_logic_imm(&g->a, A_ANDS, 8, ZR, c.reg, UINT64_C(1) << c.bit);
        return c.kind == IF_BIT ? A_NE : A_EQ;
    }
}

/* x86's condition in terms of NZCV. False: they do not tell. */
static bool nz_cond(unsigned cc, unsigned carry, Cond *out)
{
    static const uint8_t sub[16] = { A_VS, A_VC, A_CC, A_CS, A_EQ, A_NE, A_LS, A_HI,
                                     A_MI, A_PL, A_AL, A_AL, A_LT, A_GE, A_LE, A_GT };

    *out = on_flags((A64Cond)sub[cc]);
    switch (cc & ~1u) {
    case CC_P: return false;
    case CC_B:
        if (carry == NZ_ADD) {
            out->cc ^= 1;
        } else if (carry == NZ_LOGIC) {
            out->kind = cc & 1 ? IF_ALWAYS : IF_NEVER;
        }
        return true;
    case CC_BE:
        if (carry == NZ_LOGIC) {
            out->cc = cc & 1 ? A_NE : A_EQ;
        }
        return carry != NZ_ADD;
    case CC_O:
        if (carry == NZ_LOGIC) {
            out->kind = cc & 1 ? IF_ALWAYS : IF_NEVER;
        }
        return true;
    default: return true;
    }
}

/* The word of an FCOMI as x86 has it; ZF takes two of the host's conditions. */
static bool nz_cond_float(unsigned cc, Cond *out)
{
    switch (cc & ~1u) {
    case CC_B: *out = on_flags(A_LT); break;
    case CC_BE: *out = on_flags(A_LE); break;
    case CC_P: *out = on_flags(A_VS); break;
    default: return false;
    }
    if (cc & 1) {
        *out = negate(*out);
    }
    return true;
}

/* Was @res made by adding or subtracting one? */
static bool is_step(const Gen *g, bool up, const IrOp *res)
{
    int64_t by;

    return (res->op == OP_add || res->op == OP_sub) && const_signed(g, res->b, &by) &&
           (res->op == OP_add ? by : -by) == (up ? 1 : -1);
}

/* Is the bundle that of the result's own operands? */
static bool is_carried(const Gen *g, const IrOp *f)
{
    const IrOp *res = &g->ops[f->a], *before = &g->ops[res->a];

    return (g->want[f->a] & WANT_CARRY) && f->c == res->b &&
           (f->op == OP_fl_adc) == (res->op == OP_add) &&
           (same_value(g, f->b, before->b) ||
            (f->op == OP_fl_adc && same_value(g, f->b, before->a)));
}

/* Do NZCV as they are answer @cc of @fl? */
static bool nz_answer(const Gen *g, IrRef fl, unsigned cc, Cond *out)
{
    const IrOp *f = &g->ops[fl], *res;

    if (g->nz.epoch != g->a.epoch) {
        return false;
    }
    if (g->nz.bundle == fl) {
        return nz_cond(cc, g->nz.carry, out);
    }
    if (f->op == OP_fl_packed) {
        return g->nz.op == f->a && g->nz.carry == NZ_FLOAT && g->nz.op && nz_cond_float(cc, out);
    }
    if (g->nz.op == 0 || ir_op_info[f->op].shape != SHAPE_FL || g->nz.op != f->a) {
        return false;
    }
    res = &g->ops[f->a];
    switch (f->op) {
    case OP_fl_add:
        if (res->op == OP_add && (same_value(g, f->b, res->b) || same_value(g, f->b, res->a))) {
            return nz_cond(cc, g->nz.carry, out);
        }
        break;
    case OP_fl_sub:
        if (res->op == OP_sub && same_value(g, f->b, res->b)) {
            return nz_cond(cc, g->nz.carry, out);
        }
        break;
    case OP_fl_adc:
    case OP_fl_sbb:
        if (is_carried(g, f)) {
            return nz_cond(cc, g->nz.carry, out);
        }
        break;
    case OP_fl_logic:
        if (res->op == OP_and) {
            return nz_cond(cc, g->nz.carry, out);
        }
        break;
    case OP_fl_inc:
    case OP_fl_dec:
        if (is_step(g, f->op == OP_fl_inc, res) && (cc & ~1u) != CC_B && (cc & ~1u) != CC_BE) {
            return nz_cond(cc, g->nz.carry, out);
        }
        break;
    case OP_fl_rotl:
    case OP_fl_rotr:
    case OP_fl_setcf:
    case OP_fl_setof:
    case OP_fl_setzf:
    case OP_fl_cmp: return false;
    default: break;
    }
    return ((cc & ~1u) == CC_Z || (cc & ~1u) == CC_S) && nz_cond(cc, g->nz.carry, out);
}

/* -- Tests of values -------------------------------------------------------------------------- */

static unsigned width_of(const Gen *g, IrRef v)
{
    return bytes_of(g, v);
}

static unsigned top_of(const Gen *g, IrRef v)
{
    return width_of(g, v) * 8 - 1;
}

static Cond value_is_zero(Gen *g, IrRef v)
{
    int r = use_zx(g, v, X16);

    return on_zero(r, width_of(g, v), true);
}

static Cond bit_of(Gen *g, IrRef v, unsigned bit)
{
    return on_bit(use_gpr_z(g, v), bit, true);
}

/* PF of a byte: even number of ones. */
static Cond parity_of(Gen *g, IrRef v)
{
    int r = use_gpr_z(g, v);

    a_alu_sh(&g->a, A_EOR, 4, X16, r, r, A_LSR, 4);
    a_logic_imm(&g->a, A_AND, 4, X16, X16, 15);
    a_mov_imm(&g->a, X17, 0x9669); /* by the folded four bits */
    a_alu(&g->a, A_LSRV, 4, X16, X17, X16);
    return on_bit(X16, 0, true);
}

/* Z, S, P: of the result alone. */
static bool by_result(Gen *g, IrRef res, unsigned cc, Cond *out)
{
    switch (cc & ~1u) {
    case CC_Z: *out = value_is_zero(g, res); return true;
    case CC_S: *out = bit_of(g, res, top_of(g, res)); return true;
    case CC_P: *out = parity_of(g, res); return true;
    default: return false;
    }
}

/* -- Doing it again --------------------------------------------------------------------------- */

/* X16 = @a, shifted to the top of 32 bits if it is narrow. */
static void widen(Gen *g, IrRef v, int to)
{
    unsigned w = width_of(g, v);
    int r = use_gpr_z(g, v);

    if (w < 4) {
        a_lsl(&g->a, 4, to, r, 32 - w * 8);
    } else {
        a_mov(&g->a, w, to, r);
    }
}

/* X16 = res -+ b, then the operation itself: NZCV become those of @fl. */
static void redo_add_sub(Gen *g, const IrOp *f, bool add)
{
    unsigned w = width_of(g, f->a), shift = w < 4 ? 32 - w * 8 : 0;
    int b = use_gpr_z(g, f->b);

    widen(g, f->a, X16);
    a_alu_sh(&g->a, add ? A_SUB : A_ADD, w, X16, X16, b, A_LSL, shift);
    a_alu_sh(&g->a, add ? A_ADDS : A_SUBS, w, ZR, X16, b, A_LSL, shift);
}

static bool redo_carried(Gen *g, const IrOp *f, bool add)
{
    unsigned w = width_of(g, f->a);
    int b, c, res;

    if (w < 4) {
        return false;
    }
    res = use_gpr_z(g, f->a);
    b = use_gpr_z(g, f->b);
    c = use_gpr_z(g, f->c);
    a_logic_imm(&g->a, A_AND, 4, X17, c, 1);
    a_alu(&g->a, add ? A_SUB : A_ADD, w, X16, res, b);
    a_alu(&g->a, add ? A_SUB : A_ADD, w, X16, X16, X17);
    if (add) {
        a_arith_imm(&g->a, A_SUBS, 4, ZR, X17, 1); /* C = the carry */
        a_alu(&g->a, A_ADCS, w, ZR, X16, b);
    } else {
        a_alu(&g->a, A_SUBS, 4, ZR, ZR, X17); /* C = no borrow */
        a_alu(&g->a, A_SBCS, w, ZR, X16, b);
    }
    return true;
}

/* All but CF. */
static void redo_step(Gen *g, const IrOp *f, bool add)
{
    unsigned w = width_of(g, f->a), shift = w < 4 ? 32 - w * 8 : 0;

    widen(g, f->a, X16);
    a_mov_imm(&g->a, X17, UINT64_C(1) << shift);
    a_alu(&g->a, add ? A_SUB : A_ADD, w, X16, X16, X17);
    a_alu(&g->a, add ? A_ADDS : A_SUBS, w, ZR, X16, X17);
}

/* CF or ZF after an addition: the host has no such condition. */
static Cond carry_or_zero(Gen *g, unsigned cc)
{
    a_cset(&g->a, X16, A_CS);
    a_3(&g->a, 0x1a800400 | A_NE << 12, X16, X16, ZR); /* CSINC: 1 if equal */
    return on_bit(X16, 0, !(cc & 1));
}

static bool redo(Gen *g, IrRef fl, unsigned cc, Cond *out)
{
    const IrOp *f = &g->ops[fl];
    unsigned carry = NZ_SUB;

    if ((cc & ~1u) == CC_P) {
        return false;
    }
    switch (f->op) {
    case OP_fl_cmp: compare_values(g, f->a, f->b); break;
    case OP_fl_sub: redo_add_sub(g, f, false); break;
    case OP_fl_add:
        carry = NZ_ADD;
        redo_add_sub(g, f, true);
        break;
    case OP_fl_sbb:
        if (!redo_carried(g, f, false)) {
            return false;
        }
        break;
    case OP_fl_adc:
        carry = NZ_ADD;
        if (!redo_carried(g, f, true)) {
            return false;
        }
        break;
    case OP_fl_logic:
        carry = NZ_LOGIC;
        widen(g, f->a, X16);
        a_alu(&g->a, A_ANDS, width_of(g, f->a), ZR, X16, X16);
        break;
    case OP_fl_inc:
    case OP_fl_dec:
        if ((cc & ~1u) == CC_B || (cc & ~1u) == CC_BE) {
            return false;
        }
        redo_step(g, f, f->op == OP_fl_inc);
        return nz_cond(cc, NZ_SUB, out);
    default: return false;
    }
    nz_of_bundle(g, fl, carry);
    if (carry == NZ_ADD && (cc & ~1u) == CC_BE) {
        *out = carry_or_zero(g, cc);
        return true;
    }
    return nz_cond(cc, carry, out);
}

unsigned entry_kind(const Gen *g, IrRef fl)
{
    uint32_t word = entry_guess(g->ir, fl);

    return word & FLAGS_SHORT ? 0 : word & FLAGS_KIND;
}

bool redo_entry_flags(Gen *g, IrRef fl)
{
    unsigned kind = entry_kind(g, fl), w = 1u << (kind & 3), shift = w < 4 ? 32 - w * 8 : 0;
    int32_t rec = g->be->layout->flags;
    Stub *s;

    if (!kind) {
        return false;
    }
    env_load(&g->a, 1, X16, rec + (int32_t)offsetof(FlagsRecord, kind));
    a_arith_imm(&g->a, A_SUB, 4, X16, X16, kind);
    s = cond_stub(g, STUB_FLAGS, on_zero(X16, 4, false));
    env_load(&g->a, 8, X16, rec + (int32_t)offsetof(FlagsRecord, a));
    if (kind / 4 != FLK_LOGIC) {
        env_load(&g->a, 8, X17, rec + (int32_t)offsetof(FlagsRecord, b));
    }
    if (kind / 4 == FLK_SUB) {
        a_alu(&g->a, A_ADD, 8, X16, X16, X17);
    }
    if (shift) {
        a_lsl(&g->a, 4, X16, X16, shift);
    }
    if (kind / 4 == FLK_LOGIC) {
        a_arith_imm(&g->a, A_SUBS, w, ZR, X16, 0);
    } else {
        a_alu_sh(&g->a, A_SUBS, w, ZR, X16, X17, A_LSL, shift);
    }
    s->done = g->a.p;
    nz_of_bundle(g, fl, NZ_SUB);
    return true;
}

bool nz_hold(const Gen *g, IrRef fl)
{
    Cond c;

    return (g->ops[fl].op == OP_fl_cmp || g->ops[fl].op == OP_fl_sub) && g->nz.carry == NZ_SUB &&
           nz_answer(g, fl, CC_L, &c);
}

/* -- Packing ---------------------------------------------------------------------------------- */

static void call_pack(Gen *g, const uint8_t *thunk, int t)
{
    a_bl(&g->a, thunk);
    a_flags_changed(&g->a);
    env_load(&g->a, 4, t, scr(g, SCR_RET));
}

/* The record goes to the scratch area and C packs it. */
static void pack_by_record(Gen *g, IrRef fl, int t)
{
    static const uint8_t field[] = { offsetof(FlagsRecord, a), offsetof(FlagsRecord, b),
                                     offsetof(FlagsRecord, c) };
    const IrOp *f = &g->ops[fl];
    unsigned kind = flags_kind(flags_kind_of_op((IrOpcode)f->op), type_of(g, f->a)), n;
    int32_t rec = scr(g, SCR_REC);

    if (f->op == OP_fl_inc || f->op == OP_fl_dec) { /* CF is replaced afterwards */
        kind = flags_kind(f->op == OP_fl_inc ? FLK_ADD : FLK_SUB, type_of(g, f->a));
    }
    n = f->op == OP_fl_inc || f->op == OP_fl_dec ? 1 : ir_operands(g->ir, f);
    for (unsigned i = 0; i < n; i++) {
        int r = use_gpr_z(g, f->arg[i]);
        env_store(&g->a, 8, r, rec + field[i]);
        unlock(g, r);
    }
    a_mov_imm(&g->a, X16, kind);
    env_store(&g->a, 4, X16, rec + (int32_t)offsetof(FlagsRecord, kind));
    if (f->op == OP_fl_inc || f->op == OP_fl_dec) {
        a_mov_imm(&g->a, X16, 1);
        env_store(&g->a, 8, X16, rec + (int32_t)offsetof(FlagsRecord, b));
    }
    call_pack(g, g->be->pack_rec, t);
}

/* @t has the previous bundle's word; CF and OF, or one bit, are replaced. */
static void pack_on_top(Gen *g, IrRef fl, int t)
{
    const IrOp *f = &g->ops[fl];
    unsigned top = top_of(g, f->a);
    int v;

    lock(g, t);
    v = use_gpr_z(g, f->a);
    switch (f->op) {
    case OP_fl_setcf: a_bfi(&g->a, 4, t, v, 0, 1); break;
    case OP_fl_setzf: a_bfi(&g->a, 4, t, v, 6, 1); break;
    case OP_fl_setof: a_bfi(&g->a, 4, t, v, 11, 1); break;
    case OP_fl_rotl: /* CF = low bit, OF = CF ^ top bit */
        a_bfi(&g->a, 4, t, v, 0, 1);
        a_alu_sh(&g->a, A_EOR, 8, X16, v, v, A_LSR, top);
        a_bfi(&g->a, 4, t, X16, 11, 1);
        break;
    default: /* CF = top bit, OF = CF ^ the bit below */
        a_ubfx(&g->a, 8, X16, v, top, 1);
        a_bfi(&g->a, 4, t, X16, 0, 1);
        a_alu_sh(&g->a, A_EOR, 8, X16, v, v, A_LSR, 1);
        a_ubfx(&g->a, 8, X16, X16, top - 1, 1);
        a_bfi(&g->a, 4, t, X16, 11, 1);
    }
    unlock(g, v);
}

static int pack_selected(Gen *g, const IrOp *f)
{
    int y = pack_bundle(g, f->c), x, cond;

    lock(g, y);
    x = pack_bundle(g, f->b);
    lock(g, x);
    cond = use_gpr_z(g, f->a);
    a_logic_imm(&g->a, A_ANDS, 4, ZR, cond, type_of(g, f->a) == I1 ? 1 : 0xff);
    a_csel(&g->a, 4, y, x, y, A_NE);
    unlock(g, cond);
    unlock(g, x);
    return y;
}

int pack_bundle(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    int t, carry;

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
        a_mov_imm(&g->a, X16, FLAGS_ARITH);
        a_alu(&g->a, A_AND, 4, t, t, X16);
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
    t = alloc_gpr(g);
    pack_by_record(g, fl, t);
    if (f->op == OP_fl_inc || f->op == OP_fl_dec) {
        lock(g, t);
        carry = pack_bundle(g, f->b);
        a_bfi(&g->a, 4, t, carry, 0, 1);
        unlock(g, carry);
    }
    return t;
}

/* -- Conditions ------------------------------------------------------------------------------- */

/* A condition of the EFLAGS word in @r. */
static Cond test_word(Gen *g, int r, unsigned cc)
{
    Cond c;

    switch (cc & ~1u) {
    case CC_O: c = on_bit(r, 11, true); break;
    case CC_B: c = on_bit(r, 0, true); break;
    case CC_Z: c = on_bit(r, 6, true); break;
    case CC_S: c = on_bit(r, 7, true); break;
    case CC_P: c = on_bit(r, 2, true); break;
    case CC_BE:
        a_alu_sh(&g->a, A_ORR, 4, X16, r, r, A_LSR, 6);
        c = on_bit(X16, 0, true);
        break;
    default: /* SF differs from OF: bit 7 of w ^ w >> 4; LE: or ZF */
        a_alu_sh(&g->a, A_EOR, 4, X16, r, r, A_LSR, 4);
        if ((cc & ~1u) == CC_LE) {
            a_alu_sh(&g->a, A_ORR, 4, X16, X16, r, A_LSL, 1);
        }
        c = on_bit(X16, 7, true);
    }
    return cc & 1 ? negate(c) : c;
}

static Cond by_packing(Gen *g, IrRef fl, unsigned cc)
{
    int t = pack_bundle(g, fl);

    lock(g, t); /* until the op ends: the condition is about it */
    return test_word(g, t, cc);
}

static Cond cond_of_bundle(Gen *g, IrRef fl, unsigned cc);

static Cond sense(Cond c, unsigned cc)
{
    return cc & 1 ? negate(c) : c;
}

static Cond cond_shift(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];
    unsigned top = top_of(g, f->a);
    int res, pre;

    switch (cc & ~1u) {
    case CC_B: return sense(bit_of(g, f->b, f->op == OP_fl_shl ? top : 0), cc);
    case CC_O:
        res = use_gpr_z(g, f->a);
        pre = use_gpr_z(g, f->b);
        a_alu(&g->a, A_EOR, 8, X16, res, pre);
        return sense(on_bit(X16, top, true), cc);
    case CC_L: return sense(bit_of(g, f->b, top), cc); /* SF ^ OF */
    default: return by_packing(g, fl, cc);
    }
}

static Cond cond_mul(Gen *g, IrRef fl, unsigned cc)
{
    if ((cc & ~1u) == CC_B || (cc & ~1u) == CC_O) {
        return sense(negate(value_is_zero(g, g->ops[fl].b)), cc);
    }
    return by_packing(g, fl, cc);
}

static Cond cond_setbit(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];
    unsigned own = f->op == OP_fl_setcf ? CC_B : f->op == OP_fl_setof ? CC_O : CC_Z;

    if ((cc & ~1u) == own) {
        return sense(bit_of(g, f->a, 0), cc);
    }
    if ((cc & ~1u) == CC_BE || ((cc & ~1u) == CC_LE && own != CC_B) ||
        ((cc & ~1u) == CC_L && own == CC_O)) {
        return by_packing(g, fl, cc);
    }
    return cond_of_bundle(g, f->b, cc);
}

static Cond cond_rotate(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];

    switch (cc & ~1u) {
    case CC_B: return sense(bit_of(g, f->a, f->op == OP_fl_rotl ? 0 : top_of(g, f->a)), cc);
    case CC_Z:
    case CC_S:
    case CC_P: return cond_of_bundle(g, f->b, cc);
    default: return by_packing(g, fl, cc);
    }
}

static Cond cond_of_bundle(Gen *g, IrRef fl, unsigned cc)
{
    const IrOp *f = &g->ops[fl];
    uint64_t value;
    Cond c;

    if (is_packed(g, fl)) {
        return test_word(g, use_gpr(g, fl), cc);
    }
    if (nz_answer(g, fl, cc, &c)) {
        return c;
    }
    if ((cc & ~1u) == CC_BE && nz_answer(g, fl, CC_B, &c) && g->nz.carry == NZ_ADD) {
        return carry_or_zero(g, cc);
    }
    switch (f->op) {
    case OP_fl_packed: return test_word(g, use_gpr_z(g, f->a), cc);
    case OP_fl_cmp:
        if (const_value(g, f->b, &value) && value == 0 && by_result(g, f->a, cc, &c)) {
            return sense(c, cc);
        }
        break;
    case OP_fl_setcf:
    case OP_fl_setof:
    case OP_fl_setzf: return cond_setbit(g, fl, cc);
    case OP_fl_rotl:
    case OP_fl_rotr: return cond_rotate(g, fl, cc);
    case OP_fl_select: return by_packing(g, fl, cc);
    case OP_getflags:
        return (cc & ~1u) != CC_P && redo_entry_flags(g, fl) && nz_answer(g, fl, cc, &c)
                   ? c
                   : by_packing(g, fl, cc);
    default:
        if (by_result(g, f->a, cc, &c)) {
            return sense(c, cc);
        }
    }
    if ((f->op == OP_fl_inc || f->op == OP_fl_dec) && (cc & ~1u) == CC_B) {
        return cond_of_bundle(g, f->b, cc);
    }
    if (f->op == OP_fl_logic && nz_cond(cc, NZ_LOGIC, &c) && c.kind != IF_FLAGS) {
        return c;
    }
    if (f->op == OP_fl_add && (cc & ~1u) == CC_B) { /* carry: the sum is below an addend */
        compare_values(g, f->a, f->b);
        return on_flags(cc & 1 ? A_CS : A_CC);
    }
    if (redo(g, fl, cc, &c)) {
        return c;
    }
    switch (f->op) {
    case OP_fl_shl:
    case OP_fl_shr: return cond_shift(g, fl, cc);
    case OP_fl_mul: return cond_mul(g, fl, cc);
    default: return by_packing(g, fl, cc);
    }
}

static const uint8_t host_cc[] = {
    [COND_EQ] = A_EQ,  [COND_NE] = A_NE, [COND_LTU] = A_CC, [COND_GEU] = A_CS, [COND_LEU] = A_LS,
    [COND_GTU] = A_HI, [COND_LT] = A_LT, [COND_GE] = A_GE,  [COND_LE] = A_LE,  [COND_GT] = A_GT
};

Cond cond_of(Gen *g, IrRef v)
{
    const IrOp *op = &g->ops[v];
    bool here = v == g->cur || g->loc[v].kind == LOC_COND;
    uint64_t value;

    if (here && op->op == OP_fl_test) {
        return cond_of_bundle(g, op->a, op->aux);
    }
    if (here && op->op == OP_setcond) {
        if (op->aux <= COND_NE && const_value(g, op->b, &value) && value == 0) {
            Cond c = value_is_zero(g, op->a);
            return op->aux == COND_EQ ? c : negate(c);
        }
        compare_values(g, op->a, op->b);
        return on_flags((A64Cond)host_cc[op->aux]);
    }
    if (const_value(g, v, &value)) {
        return (Cond){ .kind = value & 1 ? IF_ALWAYS : IF_NEVER };
    }
    return on_bit(use_gpr(g, v), 0, true);
}

/* -- Ops -------------------------------------------------------------------------------------- */

void emit_flags(Gen *g)
{
    g->loc[g->cur].kind = LOC_FLAGS;
}

void emit_fl_test(Gen *g)
{
    Cond c;
    int dst;

    if (g->defer[g->cur]) {
        g->loc[g->cur].kind = LOC_COND;
        return;
    }
    c = cond_of(g, CUR);
    if (c.kind == IF_NEVER || c.kind == IF_ALWAYS) {
        dst = alloc_gpr(g);
        a_mov_imm(&g->a, dst, c.kind == IF_ALWAYS);
    } else if (c.kind == IF_BIT) {
        dst = alloc_gpr(g);
        a_ubfx(&g->a, 8, dst, c.reg, c.bit, 1);
    } else {
        A64Cond cc = cond_to_flags(g, c);
        dst = alloc_gpr(g);
        a_cset(&g->a, dst, cc);
    }
    def_reg(g, CUR, dst, true);
}

void emit_fl_pack(Gen *g)
{
    def_reg(g, CUR, pack_bundle(g, g->op->a), true);
}
