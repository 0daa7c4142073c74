/* SPDX-License-Identifier: MIT */
/*
 * SSE and SSE2 conversions (SDM vol. 1, 11.4.1.6 and table 4-7 for out-of-range results). Between
 * vectors of different length the short side is the low half of a vector whose other lanes are 0.
 */
#include "target-i386/gen-fp.h"

/* Packed @kind from operand 1 to the register operand 0. */
static void packed(Dis *d, Insn *i, IrVcvt kind)
{
    IrRef x = vec_load(d, i, 1), r;

    fp_begin(d);
    r = ir_vcvt(d->ir, kind, x);
    fp_end(d);
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, r);
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
    fp_begin(d);
    r = ir_vcvt(d->ir, kind, x);
    fp_end(d);
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

void gen_cvtpi2ps(Dis *d, Insn *i)
{
    IrRef x, r;

    mmx_check(d);
    x = vec_load(d, i, 1);
    fp_begin(d);
    r = ir_vcvt(d->ir, VCVT_DQ2PS, x);
    fp_end(d);
    mmx_enter(d);
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, ir_vextract(d->ir, 3, r, 0));
}

/* Never inexact. From memory it is no MMX instruction. */
void gen_cvtpi2pd(Dis *d, Insn *i)
{
    IrRef x;

    if (!op_is_mem(i, 1))
        mmx_check(d);
    x = vec_load(d, i, 1);
    if (!op_is_mem(i, 1))
        mmx_enter(d);
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, ir_vcvt(d->ir, VCVT_DQ2PD, x));
}

/* ---- Scalars -------------------------------------------------------------------------------- */
static void from_integer(Dis *d, Insn *i, IrType type)
{
    IrRef x = op_load(d, i, 1), r;

    fp_begin(d);
    r = ir_cvt_i2f(d->ir, type, x);
    fp_end(d);
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
    IrRef x = fp_load(d, i, 1, type), r;

    fp_begin(d);
    r = ir_cvt_f2i(d->ir, op_type(i, 0), x, truncate);
    fp_end(d);
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
    IrRef x = fp_load(d, i, 1, from), r;

    fp_begin(d);
    r = ir_cvt_f2f(d->ir, to, x);
    fp_end(d);
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
