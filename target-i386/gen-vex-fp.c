/* SPDX-License-Identifier: MIT */
/*
 * AVX floating point, FMA3 and F16C (SDM vol. 1, chapter 14). Rows say by arg2 whether elements are
 * packed (FpKind PS, PD) or one (SS, SD), the rest of whose result comes from vvvv. Where an
 * exception is unmasked a helper computes on what SLOT_VTMP holds, and may raise #XM.
 */
#include "target-i386/gen-vex.h"

static FpKind kind_of(const Insn *i)
{
    return (FpKind)i->desc->arg2;
}

/* As the IR has it: 2 and 3 packed, 4 and 5 scalar. */
static unsigned lane_of(FpKind kind)
{
    return 2 + (unsigned)kind;
}

static bool is_scalar(FpKind kind)
{
    return kind >= SS;
}

static IrType type_of(FpKind kind)
{
    return kind == SS ? F32 : F64;
}

/* @op, @imm: SSE_*. @x, @y, @z: V128 or V256, IR_NONE for what the operation does not have. */
static IrRef by_helper(Dis *d, Insn *i, unsigned op, FpKind kind, unsigned imm, IrType type,
                       IrRef x, IrRef y, IrRef z)
{
    IrBlock *ir = d->ir;
    uint32_t how = op | (uint32_t)kind << SSE_KIND_SHIFT | imm << SSE_IMM_SHIFT |
                   (i->vex_l && !is_scalar(kind) ? SSE_256 : 0u);

    if (x)
        ir_set_commit(ir, SLOT_VTMP, 0, x);
    if (y)
        ir_set_commit(ir, SLOT_VTMP + 1, 0, y);
    if (z)
        ir_set_commit(ir, SLOT_VTMP + 2, 0, z);
    call2(d, HELP_avx_fp, const32(d, how), ir_getmxcsr(ir));
    ir_setmxcsr(ir, ir_get(ir, I32, SLOT_MXCSR, 0));
    return ir_get(ir, type, SLOT_VTMP, 0);
}

/* Operand @n for a vector operation: whole, or a scalar of memory in the low part of a vector. */
static IrRef whole(Dis *d, Insn *i, unsigned n, FpKind kind)
{
    if (!is_scalar(kind))
        return op_load(d, i, n);
    if (!op_is_mem(i, n))
        return v_low(d, i, n, V128);
    return ir_vfromint(d->ir, v_low(d, i, n, kind == SS ? I32 : I64));
}

/* … or of a scalar as much as there is. */
static IrRef source(Dis *d, Insn *i, unsigned n, FpKind kind)
{
    if (is_scalar(kind) && op_is_mem(i, n))
        return v_low(d, i, n, type_of(kind));
    return whole(d, i, n, kind);
}

static SfOp soft_op(IrOpcode op)
{
    switch (op) {
    case OP_fadd: return SF_ADD;
    case OP_fsub: return SF_SUB;
    case OP_fmul: return SF_MUL;
    case OP_fdiv: return SF_DIV;
    case OP_fmin: return SF_MIN;
    default: return SF_MAX;
    }
}

static IrRef binary(Dis *d, Insn *i, IrOpcode op, FpKind kind, IrRef x, IrRef y)
{
    if (fp_unmasked(d))
        return by_helper(d, i, soft_op(op), kind, 0, ir_type(d->ir, x), x, y, IR_NONE);
    return ir_fbin(d->ir, op, lane_of(kind), x, y);
}

void gen_v_arith(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    IrRef y = fp_unmasked(d) ? whole(d, i, 2, kind) : source(d, i, 2, kind);

    op_store(d, i, 0, binary(d, i, (IrOpcode)i->desc->arg, kind, op_load(d, i, 1), y));
}

/* The source is the last operand; scalars merge into vvvv. */
static IrRef merged(Dis *d, Insn *i, IrRef low)
{
    return ir_vmovlo(d->ir, op_load(d, i, 1), low);
}

void gen_v_sqrt(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    unsigned n = is_scalar(kind) ? 2 : 1;
    IrRef r;

    if (fp_unmasked(d)) {
        IrRef y = whole(d, i, n, kind);
        r = by_helper(d, i, SSE_SQRT, kind, 0, op_type(i, 0), op_load(d, i, 1), y, IR_NONE);
    } else if (is_scalar(kind)) {
        r = merged(d, i, ir_fun(d->ir, OP_fsqrt, 0, v_low(d, i, 2, type_of(kind))));
    } else {
        r = ir_fun(d->ir, OP_fsqrt, lane_of(kind), op_load(d, i, 1));
    }
    op_store(d, i, 0, r);
}

void gen_v_approximate(Dis *d, Insn *i)
{
    uint32_t how = i->desc->arg;
    IrRef r;

    if (is_scalar(kind_of(i))) {
        r = fp_approximate(d, how | APPROXIMATE_SCALAR, fp_vector(d, i, 2, SS));
        r = ir_vinsert(d->ir, 2, op_load(d, i, 1), ir_vextract(d->ir, 2, r, 0), 0);
        op_store(d, i, 0, r);
    } else {
        op_store(d, i, 0, fp_approximate(d, how, op_load(d, i, 1)));
    }
}

void gen_v_cmp(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    unsigned predicate = (unsigned)i->imm & 31;
    IrRef x, y;

    if (fp_unmasked(d)) {
        y = whole(d, i, 2, kind);
        x = op_load(d, i, 1);
        op_store(d, i, 0, by_helper(d, i, SSE_CMP, kind, predicate, op_type(i, 0), x, y, IR_NONE));
        return;
    }
    y = source(d, i, 2, kind);
    x = op_load(d, i, 1);
    op_store(d, i, 0, ir_fcmp(d->ir, lane_of(kind), x, y, predicate));
}

void gen_v_addsub(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    IrRef y = op_load(d, i, 2), x = op_load(d, i, 1);

    if (fp_unmasked(d))
        x = by_helper(d, i, SSE_ADDSUB, kind, 0, op_type(i, 0), x, y, IR_NONE);
    else
        x = ir_fbin(d->ir, OP_faddsub, lane_of(kind), x, y);
    op_store(d, i, 0, x);
}

/* Even and odd elements of both sources face each other. */
void gen_v_horizontal(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    unsigned lane = lane_of(kind);
    IrRef y = op_load(d, i, 2), x = op_load(d, i, 1);
    IrRef even = ir_vshuf2(d->ir, lane, x, y, lane == 2 ? 0x88 : 0);
    IrRef odd = ir_vshuf2(d->ir, lane, x, y, lane == 2 ? 0xdd : 15);

    op_store(d, i, 0, binary(d, i, (IrOpcode)i->desc->arg, kind, even, odd));
}

void gen_v_round(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    unsigned imm = (unsigned)i->imm & 15, n = is_scalar(kind) ? 2 : 1;
    IrRef r;

    if (fp_unmasked(d)) {
        IrRef y = whole(d, i, n, kind);
        r = by_helper(d, i, SSE_ROUND, kind, imm, op_type(i, 0), op_load(d, i, 1), y, IR_NONE);
    } else if (is_scalar(kind)) {
        r = merged(d, i, ir_fround(d->ir, 0, v_low(d, i, 2, type_of(kind)), imm));
    } else {
        r = ir_fround(d->ir, lane_of(kind), op_load(d, i, 1), imm);
    }
    op_store(d, i, 0, r);
}

/* ---- Dot products: as those of SSE, by halves ---------------------------------------------- */
static IrRef constant(Dis *d, IrType type, uint64_t lo, uint64_t hi)
{
    IrRef l = ir_const(d->ir, type, lo);

    return lo == hi ? l : ir_vunpacklo(d->ir, 3, l, ir_const(d->ir, type, hi));
}

static IrRef mask_32(Dis *d, IrType type, unsigned bits)
{
    static const uint64_t half[4] = { 0, UINT32_MAX, (uint64_t)UINT32_MAX << 32, UINT64_MAX };

    return constant(d, type, half[bits & 3], half[bits >> 2 & 3]);
}

static IrRef mask_64(Dis *d, IrType type, unsigned bits)
{
    return constant(d, type, bits & 1 ? UINT64_MAX : 0, bits & 2 ? UINT64_MAX : 0);
}

void gen_v_dpps(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType t = op_type(i, 0);
    unsigned imm = (uint8_t)i->imm;
    IrRef y = op_load(d, i, 2), x = op_load(d, i, 1), in = mask_32(d, t, imm >> 4), p, s;

    p = binary(d, i, OP_fmul, PS, ir_vand(ir, 3, x, in), ir_vand(ir, 3, y, in));
    s = binary(d, i, OP_fadd, PS, p, ir_vshuf(ir, 2, p, 0xb1));
    s = binary(d, i, OP_fadd, PS, s, ir_vshuf(ir, 2, s, 0x4e));
    op_store(d, i, 0, ir_vand(ir, 3, ir_vshuf(ir, 2, s, 0), mask_32(d, t, imm)));
}

void gen_v_dppd(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    unsigned imm = (uint8_t)i->imm;
    IrRef y = op_load(d, i, 2), x = op_load(d, i, 1), in = mask_64(d, V128, imm >> 4), p, s;

    p = binary(d, i, OP_fmul, PD, ir_vand(ir, 3, x, in), ir_vand(ir, 3, y, in));
    s = binary(d, i, OP_fadd, PD, p, ir_vshuf(ir, 2, p, 0x4e));
    op_store(d, i, 0, ir_vand(ir, 3, ir_vunpacklo(ir, 3, s, s), mask_64(d, V128, imm)));
}

/* ---- Conversions --------------------------------------------------------------------------- */
/* arg: IrVcvt. A short source is in the low half of a vector. */
void gen_v_cvt(Dis *d, Insn *i)
{
    IrVcvt how = (IrVcvt)i->desc->arg;
    IrType type = op_type(i, 0);
    IrRef x = op_type(i, 1) == I64 && !op_is_mem(i, 1) ? v_low(d, i, 1, V128) : op_load(d, i, 1);

    if (ir_type(d->ir, x) == I64)
        x = ir_vfromint(d->ir, x);
    if (fp_unmasked(d))
        x = by_helper(d, i, SSE_VCVT, PS, how, type, IR_NONE, x, IR_NONE);
    else
        x = ir_vcvt_to(d->ir, how, type, x, 0);
    op_store(d, i, 0, x);
}

void gen_v_ph2ps(Dis *d, Insn *i)
{
    gen_v_cvt(d, i);
}

void gen_v_ps2ph(Dis *d, Insn *i)
{
    IrRef x = op_load(d, i, 1), r;
    unsigned imm = (unsigned)i->imm & 7;
    Mem m = { 0 };

    if (op_is_mem(i, 0)) { /* flags are not raised by what cannot be stored */
        m = mem_operand(d, i, i->vex_l ? 16 : 8, true);
        ir_probe(d->ir, m.addr, m.disp, i->vex_l ? 16 : 8, true, m.flags);
    }
    if (fp_unmasked(d))
        r = by_helper(d, i, SSE_PS2PH, PS, imm, V128, IR_NONE, x, IR_NONE);
    else
        r = ir_vcvt_to(d->ir, VCVT_PS2PH, V128, x, imm);
    if (op_is_mem(i, 0))
        mem_st(d, m, i->vex_l ? r : ir_vextract(d->ir, 3, r, 0), 0);
    else
        op_store(d, i, 0, r);
}

/* VCVTSS2SD and VCVTSD2SS: arg2 is what comes in. */
void gen_v_cvt_scalar(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    IrType to = kind == SS ? F64 : F32;
    IrRef r;

    if (fp_unmasked(d)) {
        IrRef y = whole(d, i, 2, kind);
        r = by_helper(d, i, SSE_F2F, kind, 0, V128, op_load(d, i, 1), y, IR_NONE);
    } else {
        r = merged(d, i, ir_cvt_f2f(d->ir, to, v_low(d, i, 2, type_of(kind))));
    }
    op_store(d, i, 0, r);
}

void gen_v_cvtsi2(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    IrRef n = op_load(d, i, 2), r;

    if (fp_unmasked(d))
        r = by_helper(d, i, SSE_I2F, kind, op_type(i, 2) == I64 ? SSE_WIDE : 0, V128,
                      op_load(d, i, 1), ir_vfromint(d->ir, n), IR_NONE);
    else
        r = merged(d, i, ir_cvt_i2f(d->ir, type_of(kind), n));
    op_store(d, i, 0, r);
}

/* ---- FMA3: the opcode byte says the order of operands and the signs ------------------------ */
void gen_v_fma(Dis *d, Insn *i)
{
    FpKind kind = kind_of(i);
    IrRef z = fp_unmasked(d) ? whole(d, i, 2, kind) : source(d, i, 2, kind);
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0);

    if (fp_unmasked(d))
        x = by_helper(d, i, SSE_FMA, kind, i->opcode, op_type(i, 0), x, y, z);
    else
        x = ir_fma(d->ir, lane_of(kind), x, y, z, i->opcode);
    op_store(d, i, 0, x);
}
