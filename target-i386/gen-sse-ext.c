/* SPDX-License-Identifier: MIT */
/*
 * SSE3, SSSE3, SSE4.1, SSE4.2, AES, PCLMULQDQ and SHA (SDM vol. 1, chapters 12 and 13). Most rows
 * name the IR op and the lane; here is how operands reach them. An MMX register takes part as the
 * low half of a vector, see gen-mmx.c; sums of neighbours get both sources in one.
 */
#include "target-i386/gen-fp.h"

static bool is_mmx(const Insn *i)
{
    return i->op[0].kind == OPK_MMX;
}

static IrRef destination(Dis *d, Insn *i)
{
    return is_mmx(i) ? vec_load(d, i, 0) : ir_get(d->ir, V128, SLOT_XMM + i->op[0].reg, 0);
}

static void set_result(Dis *d, Insn *i, IrRef value)
{
    if (is_mmx(i))
        mmx_enter(d);
    vec_store(d, i, 0, value);
}

static IrRef vector(Dis *d, uint64_t lo, uint64_t hi)
{
    IrRef l = ir_const(d->ir, V128, lo);

    return lo == hi ? l : ir_vunpacklo(d->ir, 3, l, ir_const(d->ir, V128, hi));
}

/* ---- Packed integers ------------------------------------------------------------------------ */
static bool is_horizontal(unsigned op)
{
    return op == OP_vhadd || op == OP_vhsub || op == OP_vhadds || op == OP_vhsubs;
}

void gen_vec_bin(Dis *d, Insn *i)
{
    IrOpcode op = (IrOpcode)i->desc->arg;
    IrRef x, y;

    if (is_mmx(i))
        mmx_check(d);
    y = vec_load(d, i, 1);
    x = destination(d, i);
    if (is_mmx(i) && is_horizontal(op))
        x = y = ir_vunpacklo(d->ir, 3, x, y);
    if (is_mmx(i) && op == OP_vshufb)
        y = ir_vand(d->ir, 3, y, ir_const(d->ir, V128, 0x8787878787878787));
    set_result(d, i, ir_vbin(d->ir, op, i->desc->arg2, x, y));
}

void gen_vec_un(Dis *d, Insn *i)
{
    IrRef x;

    if (is_mmx(i))
        mmx_check(d);
    x = vec_load(d, i, 1);
    set_result(d, i, ir_vun(d->ir, (IrOpcode)i->desc->arg, i->desc->arg2, x));
}

void gen_vec_bin_imm(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0);
    IrOpcode op = (IrOpcode)i->desc->arg;

    set_result(d, i, ir_vimm2(d->ir, op, i->desc->arg2, x, y, (uint8_t)i->imm));
}

void gen_palignr(Dis *d, Insn *i)
{
    unsigned count = (uint8_t)i->imm;
    IrRef x, y, r;

    if (is_mmx(i))
        mmx_check(d);
    y = vec_load(d, i, 1);
    x = destination(d, i);
    if (!is_mmx(i))
        r = ir_valign(d->ir, 0, x, y, count);
    else if (count >= 16)
        r = ir_const(d->ir, V128, 0);
    else
        r = ir_vbshr(d->ir, 0, ir_vunpacklo(d->ir, 3, y, x), count);
    set_result(d, i, r);
}

/* The low part of the source: all of a register, or as much of memory as counts. */
static IrRef low_part(Dis *d, Insn *i)
{
    IrRef v;

    if (!op_is_mem(i, 1))
        return ir_get(d->ir, V128, SLOT_XMM + i->op[1].reg, 0);
    v = op_load(d, i, 1);
    return ir_vfromint(d->ir, ir_type(d->ir, v) == I16 ? ir_zext(d->ir, I32, v) : v);
}

void gen_vec_widen(Dis *d, Insn *i)
{
    unsigned lane = i->desc->arg2 & 15, to = i->desc->arg2 >> 4;

    set_result(d, i, ir_vimm(d->ir, (IrOpcode)i->desc->arg, lane, low_part(d, i), to));
}

/* Lanes of the source where the top bit of XMM0's lane is set. */
void gen_blendv(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0);
    IrRef mask = ir_get(d->ir, V128, SLOT_XMM, 0);

    if (i->desc->arg2 == 0)
        mask = ir_vcmpgt(d->ir, 0, ir_const(d->ir, V128, 0), mask);
    else
        mask = ir_vsari(d->ir, 2, mask, 31);
    if (i->desc->arg2 == 3)
        mask = ir_vshuf(d->ir, 2, mask, 0xf5);
    set_result(d, i, ir_vor(d->ir, 3, ir_vand(d->ir, 3, mask, y), ir_vandn(d->ir, 3, mask, x)));
}

void gen_ptest(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 1);

    ir_setflags(d->ir, ir_fl_packed(d->ir, ir_vtest(d->ir, op_load(d, i, 0), y)));
}

void gen_vec_extract(Dis *d, Insn *i)
{
    unsigned lane = i->desc->arg2, n = (unsigned)i->imm & ((16u >> lane) - 1);
    IrRef v = ir_vextract(d->ir, lane, op_load(d, i, 1), n);

    if (op_is_mem(i, 0))
        op_store(d, i, 0, v);
    else
        reg_set(d, lane == 3 ? I64 : I32, i->op[0].reg, lane < 2 ? ir_zext(d->ir, I32, v) : v);
}

void gen_vec_insert(Dis *d, Insn *i)
{
    unsigned lane = i->desc->arg2, n = (unsigned)i->imm & ((16u >> lane) - 1);
    IrType type = (IrType)(I8 + lane);
    IrRef v = op_load(d, i, 1);

    if (ir_type(d->ir, v) != type)
        v = ir_trunc(d->ir, type, v);
    set_result(d, i, ir_vinsert(d->ir, lane, op_load(d, i, 0), v, n));
}

void gen_insertps(Dis *d, Insn *i)
{
    unsigned imm = (uint8_t)i->imm & (op_is_mem(i, 1) ? 0x3f : 0xff);
    IrRef y = low_part(d, i);

    set_result(d, i, ir_vinsertps(d->ir, 2, op_load(d, i, 0), y, imm));
}

void gen_movntdqa(Dis *d, Insn *i)
{
    set_result(d, i, op_load(d, i, 1));
}

void gen_lddqu(Dis *d, Insn *i)
{
    set_result(d, i, op_load(d, i, 1));
}

void gen_aeskeygen(Dis *d, Insn *i)
{
    set_result(d, i, ir_aeskeygen(d->ir, 3, op_load(d, i, 1), (uint8_t)i->imm));
}

void gen_sha256rnds2(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0);

    set_result(d, i, ir_sha256rnds2(d->ir, x, y, ir_get(d->ir, V128, SLOT_XMM, 0)));
}

/* ---- Duplicating moves ---------------------------------------------------------------------- */
void gen_movddup(Dis *d, Insn *i)
{
    IrRef v = low_part(d, i);

    set_result(d, i, ir_vunpacklo(d->ir, 3, v, v));
}

void gen_movsldup(Dis *d, Insn *i)
{
    set_result(d, i, ir_vshuf(d->ir, 2, op_load(d, i, 1), 0xa0));
}

void gen_movshdup(Dis *d, Insn *i)
{
    set_result(d, i, ir_vshuf(d->ir, 2, op_load(d, i, 1), 0xf5));
}

/* ---- Floating point ------------------------------------------------------------------------- */
static uint32_t helper_op(unsigned op, FpKind kind)
{
    return op | (uint32_t)kind << SSE_KIND_SHIFT;
}

static unsigned lane_of(FpKind kind)
{
    return kind == PS || kind == SS ? 2 : 3;
}

static IrRef fp_add(Dis *d, FpKind kind, IrRef x, IrRef y)
{
    if (fp_unmasked(d))
        return fp_by_helper(d, helper_op(SF_ADD, kind), x, y);
    return ir_fbin(d->ir, OP_fadd, lane_of(kind), x, y);
}

static IrRef fp_mul(Dis *d, FpKind kind, IrRef x, IrRef y)
{
    if (fp_unmasked(d))
        return fp_by_helper(d, helper_op(SF_MUL, kind), x, y);
    return ir_fbin(d->ir, OP_fmul, lane_of(kind), x, y);
}

/* Even and odd elements of both sources face each other. */
static void horizontal(Dis *d, Insn *i, FpKind kind, IrOpcode op)
{
    unsigned lane = lane_of(kind);
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0);
    IrRef even = ir_vshuf2(d->ir, lane, x, y, lane == 2 ? 0x88 : 0);
    IrRef odd = ir_vshuf2(d->ir, lane, x, y, lane == 2 ? 0xdd : 3);

    if (fp_unmasked(d))
        set_result(d, i,
                   fp_by_helper(d, helper_op(op == OP_fadd ? SF_ADD : SF_SUB, kind), even, odd));
    else
        set_result(d, i, ir_fbin(d->ir, op, lane, even, odd));
}

void gen_haddps(Dis *d, Insn *i)
{
    horizontal(d, i, PS, OP_fadd);
}

void gen_haddpd(Dis *d, Insn *i)
{
    horizontal(d, i, PD, OP_fadd);
}

void gen_hsubps(Dis *d, Insn *i)
{
    horizontal(d, i, PS, OP_fsub);
}

void gen_hsubpd(Dis *d, Insn *i)
{
    horizontal(d, i, PD, OP_fsub);
}

static void addsub(Dis *d, Insn *i, FpKind kind)
{
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0);

    if (fp_unmasked(d))
        set_result(d, i, fp_by_helper(d, helper_op(SSE_ADDSUB, kind), x, y));
    else
        set_result(d, i, ir_fbin(d->ir, OP_faddsub, lane_of(kind), x, y));
}

void gen_addsubps(Dis *d, Insn *i)
{
    addsub(d, i, PS);
}

void gen_addsubpd(Dis *d, Insn *i)
{
    addsub(d, i, PD);
}

void gen_vec_round(Dis *d, Insn *i)
{
    FpKind kind = (FpKind)i->desc->arg;
    unsigned imm = (unsigned)i->imm & 15;
    IrRef y;

    if (fp_unmasked(d)) {
        y = fp_vector(d, i, 1, kind);
        set_result(d, i,
                   fp_by_helper(d, helper_op(SSE_ROUND, kind) | imm << SSE_IMM_SHIFT,
                                ir_get(d->ir, V128, SLOT_XMM + i->op[0].reg, 0), y));
        return;
    }
    y = kind <= PD ? op_load(d, i, 1) : fp_load(d, i, 1, kind == SS ? F32 : F64);
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, ir_fround(d->ir, lane_of(kind), y, imm));
}

/* Bits of an immediate as a vector's lanes of 32 bits. */
static IrRef mask_32(Dis *d, unsigned bits)
{
    static const uint64_t half[4] = { 0, UINT32_MAX, (uint64_t)UINT32_MAX << 32, UINT64_MAX };

    return vector(d, half[bits & 3], half[bits >> 2 & 3]);
}

static IrRef mask_64(Dis *d, unsigned bits)
{
    return vector(d, bits & 1 ? UINT64_MAX : 0, bits & 2 ? UINT64_MAX : 0);
}

/* Products that are left out are +0; zeros multiply without a flag. Sums of neighbours come
 * twice, in both orders. */
void gen_dpps(Dis *d, Insn *i)
{
    unsigned imm = (uint8_t)i->imm;
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0), in = mask_32(d, imm >> 4), p, s;

    p = fp_mul(d, PS, ir_vand(d->ir, 3, x, in), ir_vand(d->ir, 3, y, in));
    s = fp_add(d, PS, p, ir_vshuf(d->ir, 2, p, 0xb1));
    s = fp_add(d, PS, s, ir_vshuf(d->ir, 2, s, 0x4e));
    set_result(d, i, ir_vand(d->ir, 3, ir_vshuf(d->ir, 2, s, 0), mask_32(d, imm)));
}

void gen_dppd(Dis *d, Insn *i)
{
    unsigned imm = (uint8_t)i->imm;
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0), in = mask_64(d, imm >> 4), p, s;

    p = fp_mul(d, PD, ir_vand(d->ir, 3, x, in), ir_vand(d->ir, 3, y, in));
    s = fp_add(d, PD, p, ir_vshuf(d->ir, 2, p, 0x4e));
    set_result(d, i, ir_vand(d->ir, 3, ir_vunpacklo(d->ir, 3, s, s), mask_64(d, imm)));
}

/* ---- String comparison ---------------------------------------------------------------------- */
/* PCMPSTR_*; sets the flags. */
static IrRef compare_strings(Dis *d, Insn *i)
{
    uint32_t how = (uint8_t)i->imm | (i->osize == I64 ? PCMPSTR_W64 : 0);
    unsigned helper = i->desc->arg ? HELP_pcmpestr : HELP_pcmpistr;
    IrRef y = op_load(d, i, 1), r = call3(d, helper, op_load(d, i, 0), y, const32(d, how));
    IrRef flags = ir_shr(d->ir, r, ir_const(d->ir, I8, PCMPSTR_FLAGS_SHIFT));

    ir_setflags(d->ir, ir_fl_packed(d->ir, ir_trunc(d->ir, I32, flags)));
    return r;
}

void gen_pcmpstri(Dis *d, Insn *i)
{
    IrRef r = compare_strings(d, i), at;

    at = ir_shr(d->ir, ir_trunc(d->ir, I32, r), ir_const(d->ir, I8, PCMPSTR_INDEX_SHIFT));
    reg_set(d, I32, R_RCX, at);
}

void gen_pcmpstrm(Dis *d, Insn *i)
{
    IrRef r = compare_strings(d, i), bits;

    bits = ir_and(d->ir, ir_trunc(d->ir, I32, r), const32(d, 0xffff));
    ir_set(d->ir, SLOT_XMM, 0, call2(d, HELP_pcmpstr_mask, bits, const32(d, (uint8_t)i->imm)));
}
