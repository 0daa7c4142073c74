/* SPDX-License-Identifier: MIT */
/*
 * SSE and SSE2 conversions (SDM vol. 1, 11.4.1.6 and table 4-7 for out-of-range results). Between
 * vectors of different length the short side is the low half of a vector whose other lanes are 0.
 */
#include "target-i386/gen-fp.h"

static IrRef convert(Dis *d, IrVcvt kind, IrRef x)
{
    if (!fp_unmasked(d))
        return ir_vcvt(d->ir, kind, x);
    return fp_by_helper(d, SSE_VCVT | (uint32_t)kind << SSE_IMM_SHIFT, x, x);
}

/* Packed @kind from operand 1 to the register operand 0. */
static void packed(Dis *d, Insn *i, IrVcvt kind)
{
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, convert(d, kind, vec_load(d, i, 1)));
}

#define PACKED(name, kind)           \
    void gen_##name(Dis *d, Insn *i) \
    {                                \
        packed(d, i, VCVT_##kind);   \
    }
PACKED(cvtps2pd, PS2PD)
PACKED(cvtpd2ps, PD2PS)
PACKED(cvtdq2ps, DQ2PS)
PACKED(cvtps2dq, PS2DQ)
PACKED(cvttps2dq, TPS2DQ)
PACKED(cvttpd2dq, TPD2DQ)
PACKED(cvtdq2pd, DQ2PD)
PACKED(cvtpd2dq, PD2DQ)

/* ---- With MMX registers --------------------------------------------------------------------- */
static void to_mmx(Dis *d, Insn *i, IrVcvt kind)
{
    IrRef x, r;

    mmx_check(d);
    x = vec_load(d, i, 1);
    if (ir_type_info[op_type(i, 1)].bytes == 8 &&
        !op_is_mem(i, 1)) /* the high lanes do not count */
        x = ir_vfromint(d->ir, ir_get(d->ir, I64, SLOT_XMM + i->op[1].reg, 0));
    r = convert(d, kind, x);
    mmx_enter(d);
    vec_store(d, i, 0, r);
}

void gen_cvttps2pi(Dis *d, Insn *i)
{
    to_mmx(d, i, VCVT_TPS2DQ);
}

void gen_cvtps2pi(Dis *d, Insn *i)
{
    to_mmx(d, i, VCVT_PS2DQ);
}

void gen_cvttpd2pi(Dis *d, Insn *i)
{
    to_mmx(d, i, VCVT_TPD2DQ);
}

void gen_cvtpd2pi(Dis *d, Insn *i)
{
    to_mmx(d, i, VCVT_PD2DQ);
}

/* From memory these are no MMX instructions (AMD; Intel makes an exception of CVTPI2PS). */
static void from_mmx(Dis *d, Insn *i, IrVcvt kind)
{
    bool mmx = !op_is_mem(i, 1);
    IrRef x, r;

    if (mmx)
        mmx_check(d);
    x = vec_load(d, i, 1);
    r = convert(d, kind, x);
    if (mmx)
        mmx_enter(d);
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, kind == VCVT_DQ2PS ? ir_vextract(d->ir, 3, r, 0) : r);
}

void gen_cvtpi2ps(Dis *d, Insn *i)
{
    from_mmx(d, i, VCVT_DQ2PS);
}

void gen_cvtpi2pd(Dis *d, Insn *i)
{
    from_mmx(d, i, VCVT_DQ2PD);
}

/* ---- Scalars -------------------------------------------------------------------------------- */
/* Where an exception is unmasked: @y as a vector; the whole destination, or an integer in its low
 * part. */
static IrRef unmasked(Dis *d, Insn *i, unsigned op, FpKind kind, unsigned imm, IrRef y)
{
    uint32_t how = op | kind << SSE_KIND_SHIFT | imm << SSE_IMM_SHIFT;
    IrRef x = i->op[0].kind == OPK_XMM ? ir_get(d->ir, V128, SLOT_XMM + i->op[0].reg, 0) : y;

    return fp_by_helper(d, how, x, y);
}

static void from_integer(Dis *d, Insn *i, IrType type)
{
    IrRef x = op_load(d, i, 1), r;

    if (fp_unmasked(d))
        r = unmasked(d, i, SSE_I2F, type == F32 ? SS : SD, op_type(i, 1) == I64 ? SSE_WIDE : 0,
                     ir_vfromint(d->ir, x));
    else
        r = ir_cvt_i2f(d->ir, type, x);
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, r);
}

void gen_cvtsi2ss(Dis *d, Insn *i)
{
    from_integer(d, i, F32);
}

void gen_cvtsi2sd(Dis *d, Insn *i)
{
    from_integer(d, i, F64);
}

static void to_integer(Dis *d, Insn *i, IrType type, bool truncate)
{
    bool wide = op_type(i, 0) == I64;
    FpKind kind = type == F32 ? SS : SD;
    IrRef r;

    if (fp_unmasked(d)) {
        unsigned imm = (wide ? SSE_WIDE : 0) | (truncate ? SSE_TRUNCATE : 0);
        r = unmasked(d, i, SSE_F2I, kind, imm, fp_vector(d, i, 1, kind));
        r = ir_vextract(d->ir, wide ? 3 : 2, r, 0);
    } else {
        r = ir_cvt_f2i(d->ir, op_type(i, 0), fp_load(d, i, 1, type), truncate);
    }
    op_store(d, i, 0, r);
}

void gen_cvttss2si(Dis *d, Insn *i)
{
    to_integer(d, i, F32, true);
}

void gen_cvttsd2si(Dis *d, Insn *i)
{
    to_integer(d, i, F64, true);
}

void gen_cvtss2si(Dis *d, Insn *i)
{
    to_integer(d, i, F32, false);
}

void gen_cvtsd2si(Dis *d, Insn *i)
{
    to_integer(d, i, F64, false);
}

static void between_floats(Dis *d, Insn *i, IrType from, IrType to)
{
    FpKind kind = from == F32 ? SS : SD;
    IrRef r;

    if (fp_unmasked(d))
        r = unmasked(d, i, SSE_F2F, kind, 0, fp_vector(d, i, 1, kind));
    else
        r = ir_cvt_f2f(d->ir, to, fp_load(d, i, 1, from));
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, r);
}

void gen_cvtss2sd(Dis *d, Insn *i)
{
    between_floats(d, i, F32, F64);
}

void gen_cvtsd2ss(Dis *d, Insn *i)
{
    between_floats(d, i, F64, F32);
}
