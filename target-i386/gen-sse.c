/* SPDX-License-Identifier: MIT */
/*
 * SSE and SSE2: moves, floating-point arithmetic, comparison, MXCSR (SDM vol. 1, chapters 10, 11).
 * Where an exception is unmasked in MXCSR (X86_MODE_FP_UNMASKED) a helper computes, and may raise
 * #XM.
 */
#include "target-i386/gen-fp.h"

IrRef fp_by_helper(Dis *d, uint32_t how, IrRef x, IrRef y)
{
    IrBlock *ir = d->ir;
    IrRef r = ir_call(ir, HELP_sse_fp, const32(d, how), ir_getmxcsr(ir), x, y);

    ir_setmxcsr(ir, ir_get(ir, I32, SLOT_MXCSR, 0));
    return r;
}

IrRef fp_vector(Dis *d, Insn *i, unsigned n, FpKind kind)
{
    IrType type = kind == SS ? I32 : I64;

    if (!op_is_mem(i, n))
        return ir_get(d->ir, V128, SLOT_XMM + i->op[n].reg, 0);
    if (kind <= PD)
        return op_load(d, i, n);
    return ir_vfromint(d->ir,
                       mem_ld(d, mem_operand(d, i, ir_type_info[type].bytes, false), type, 0));
}

IrRef fp_load(Dis *d, Insn *i, unsigned n, IrType type)
{
    if (op_is_mem(i, n))
        return mem_ld(d, mem_operand(d, i, ir_type_info[type].bytes, false), type, 0);
    return ir_get(d->ir, type, SLOT_XMM + i->op[n].reg, 0);
}

static unsigned lane_of(FpKind kind)
{
    return kind == PS || kind == SS ? 2 : 3;
}

/* The source of an operation of @kind: a whole register, or one number. */
static IrRef source(Dis *d, Insn *i, FpKind kind)
{
    return kind <= PD ? op_load(d, i, 1) : fp_load(d, i, 1, kind == SS ? F32 : F64);
}

static IrRef destination(Dis *d, Insn *i, FpKind kind)
{
    return ir_get(d->ir, kind <= PD ? V128 : kind == SS ? F32 : F64, SLOT_XMM + i->op[0].reg, 0);
}

/* The operation where an exception is unmasked: the whole destination. */
static IrRef unmasked(Dis *d, Insn *i, unsigned op, FpKind kind)
{
    uint32_t how = op | kind << SSE_KIND_SHIFT | ((uint32_t)i->imm & 7) << SSE_IMM_SHIFT;
    IrRef y = fp_vector(d, i, 1, kind);

    return fp_by_helper(d, how, ir_get(d->ir, V128, SLOT_XMM + i->op[0].reg, 0), y);
}

/* A scalar leaves the rest of the register alone. */
static void set_result(Dis *d, Insn *i, IrRef value)
{
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, value);
}

/* ---- Arithmetic ----------------------------------------------------------------------------- */
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

static void arith(Dis *d, Insn *i, IrOpcode op, FpKind kind)
{
    IrRef y;

    if (fp_unmasked(d)) {
        set_result(d, i, unmasked(d, i, soft_op(op), kind));
        return;
    }
    y = source(d, i, kind);
    set_result(d, i, ir_fbin(d->ir, op, lane_of(kind), destination(d, i, kind), y));
}

#define ARITH_OF(name, op, kind)     \
    void gen_##name(Dis *d, Insn *i) \
    {                                \
        arith(d, i, OP_##op, kind);  \
    }
#define ARITH(name, op)        \
    ARITH_OF(name##ps, op, PS) \
    ARITH_OF(name##pd, op, PD) \
    ARITH_OF(name##ss, op, SS) \
    ARITH_OF(name##sd, op, SD)
SSE_ARITH(ARITH)

static void square_root(Dis *d, Insn *i, FpKind kind)
{
    if (fp_unmasked(d))
        set_result(d, i, unmasked(d, i, SSE_SQRT, kind));
    else
        set_result(d, i, ir_fun(d->ir, OP_fsqrt, lane_of(kind), source(d, i, kind)));
}

void gen_sqrtps(Dis *d, Insn *i)
{
    square_root(d, i, PS);
}

void gen_sqrtpd(Dis *d, Insn *i)
{
    square_root(d, i, PD);
}

void gen_sqrtss(Dis *d, Insn *i)
{
    square_root(d, i, SS);
}

void gen_sqrtsd(Dis *d, Insn *i)
{
    square_root(d, i, SD);
}

/* Approximations, without exceptions: the same bits on every host, so by a helper. */
IrRef fp_approximate(Dis *d, uint32_t how, IrRef x)
{
    IrBlock *ir = d->ir;

    if (ir_type(ir, x) != V256)
        return call2(d, HELP_approximate, x, const32(d, how));
    IrRef low = fp_approximate(d, how, ir_vextracth(ir, x, 0));
    IrRef high = fp_approximate(d, how, ir_vextracth(ir, x, 1));
    return ir_vinserth(ir, ir_vinserth(ir, x, low, 0), high, 1);
}

static void approximate_one(Dis *d, Insn *i, uint32_t how)
{
    IrRef old = ir_get(d->ir, V128, SLOT_XMM + i->op[0].reg, 0);
    IrRef r = fp_approximate(d, how | APPROXIMATE_SCALAR, fp_vector(d, i, 1, SS));

    set_result(d, i, ir_vinsert(d->ir, 2, old, ir_vextract(d->ir, 2, r, 0), 0));
}

void gen_rsqrtps(Dis *d, Insn *i)
{
    set_result(d, i, fp_approximate(d, APPROXIMATE_ROOT, source(d, i, PS)));
}

void gen_rsqrtss(Dis *d, Insn *i)
{
    approximate_one(d, i, APPROXIMATE_ROOT);
}

void gen_rcpps(Dis *d, Insn *i)
{
    set_result(d, i, fp_approximate(d, 0, source(d, i, PS)));
}

void gen_rcpss(Dis *d, Insn *i)
{
    approximate_one(d, i, 0);
}

/* ---- Comparison ----------------------------------------------------------------------------- */
static void compare(Dis *d, Insn *i, FpKind kind)
{
    unsigned predicate = (unsigned)i->imm & 7;
    IrRef y;

    if (fp_unmasked(d)) {
        set_result(d, i, unmasked(d, i, SSE_CMP, kind));
        return;
    }
    y = source(d, i, kind);
    set_result(d, i, ir_fcmp(d->ir, lane_of(kind), destination(d, i, kind), y, predicate));
}

void gen_cmpps(Dis *d, Insn *i)
{
    compare(d, i, PS);
}

void gen_cmppd(Dis *d, Insn *i)
{
    compare(d, i, PD);
}

void gen_cmpss(Dis *d, Insn *i)
{
    compare(d, i, SS);
}

void gen_cmpsd(Dis *d, Insn *i)
{
    compare(d, i, SD);
}

static void compare_flags(Dis *d, Insn *i, FpKind kind, bool quiet)
{
    IrRef y, word;

    if (fp_unmasked(d)) {
        word = ir_vextract(d->ir, 2, unmasked(d, i, quiet ? SSE_UCOMI : SSE_COMI, kind), 0);
    } else {
        y = source(d, i, kind);
        word = ir_fcomi(d->ir, destination(d, i, kind), y, quiet);
    }
    ir_setflags(d->ir, ir_fl_packed(d->ir, word));
}

void gen_ucomiss(Dis *d, Insn *i)
{
    compare_flags(d, i, SS, true);
}

void gen_ucomisd(Dis *d, Insn *i)
{
    compare_flags(d, i, SD, true);
}

void gen_comiss(Dis *d, Insn *i)
{
    compare_flags(d, i, SS, false);
}

void gen_comisd(Dis *d, Insn *i)
{
    compare_flags(d, i, SD, false);
}

/* ---- Logic and rearrangement ---------------------------------------------------------------- */
#define VECTOR(name, op, lane)                                                \
    void gen_##name(Dis *d, Insn *i)                                          \
    {                                                                         \
        IrRef y = op_load(d, i, 1);                                           \
        set_result(d, i, ir_vbin(d->ir, OP_##op, lane, op_load(d, i, 0), y)); \
    }
SSE_BIN(VECTOR)

static void shuffle(Dis *d, Insn *i, unsigned lane)
{
    IrRef y = op_load(d, i, 1);

    set_result(d, i, ir_vshuf2(d->ir, lane, op_load(d, i, 0), y, (uint8_t)i->imm));
}

void gen_shufps(Dis *d, Insn *i)
{
    shuffle(d, i, 2);
}

void gen_shufpd(Dis *d, Insn *i)
{
    shuffle(d, i, 3);
}

void gen_movmskps(Dis *d, Insn *i)
{
    reg_set(d, I32, i->op[0].reg, ir_vmovmsk(d->ir, 2, op_load(d, i, 1)));
}

void gen_movmskpd(Dis *d, Insn *i)
{
    reg_set(d, I32, i->op[0].reg, ir_vmovmsk(d->ir, 3, op_load(d, i, 1)));
}

/* ---- Moves ---------------------------------------------------------------------------------- */
static void move(Dis *d, Insn *i)
{
    op_store(d, i, 0, op_load(d, i, 1));
}

void gen_movups(Dis *d, Insn *i)
{
    move(d, i);
}

void gen_movupd(Dis *d, Insn *i)
{
    move(d, i);
}

void gen_movaps(Dis *d, Insn *i)
{
    move(d, i);
}

void gen_movapd(Dis *d, Insn *i)
{
    move(d, i);
}

/* MOVSS and MOVSD: a load clears the rest of the register, a move between registers does not. */
static void move_scalar(Dis *d, Insn *i, IrType type)
{
    bool load = op_is_mem(i, 1);

    set_result(d, i, load ? ir_vfromint(d->ir, op_load(d, i, 1)) : fp_load(d, i, 1, type));
}

void gen_movss(Dis *d, Insn *i)
{
    move_scalar(d, i, F32);
}

void gen_movsd(Dis *d, Insn *i)
{
    move_scalar(d, i, F64);
}

void gen_movss_store(Dis *d, Insn *i)
{
    move(d, i);
}

void gen_movsd_store(Dis *d, Insn *i)
{
    move(d, i);
}

void gen_movlps(Dis *d, Insn *i)
{
    move(d, i);
}

void gen_movlpd(Dis *d, Insn *i)
{
    move(d, i);
}

static void move_high(Dis *d, Insn *i)
{
    if (op_is_mem(i, 0))
        op_store(d, i, 0, ir_get(d->ir, I64, SLOT_XMM + i->op[1].reg, 8));
    else
        ir_set(d->ir, SLOT_XMM + i->op[0].reg, 8, op_load(d, i, 1));
}

void gen_movhps(Dis *d, Insn *i)
{
    move_high(d, i);
}

void gen_movhpd(Dis *d, Insn *i)
{
    move_high(d, i);
}

void gen_movhlps(Dis *d, Insn *i)
{
    set_result(d, i, ir_get(d->ir, I64, SLOT_XMM + i->op[1].reg, 8));
}

void gen_movlhps(Dis *d, Insn *i)
{
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 8, ir_get(d->ir, I64, SLOT_XMM + i->op[1].reg, 0));
}

void gen_movntps(Dis *d, Insn *i)
{
    gen_movntdq(d, i);
}

void gen_movntpd(Dis *d, Insn *i)
{
    gen_movntdq(d, i);
}

/* ---- MXCSR ---------------------------------------------------------------------------------- */
enum { MXCSR_MASKS = 0x1f80 };

void gen_ldmxcsr(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef v = op_load(d, i, 0);
    IrRef reserved = ir_and(ir, v, const32(d, ~(uint32_t)MXCSR_VALID));
    IrRef masks = ir_and(ir, v, const32(d, MXCSR_MASKS));

    ir_trap_if(ir, ir_setcond(ir, COND_NE, reserved, const32(d, 0)), X86_TRAP_ERROR(EXCP_GP, 0));
    if (x87_is_slow(d)) {
        ir_setmxcsr(ir, v);
        call1(d, HELP_set_mxcsr, v);
        leave_sync(d);
        return;
    }
    /* Blocks are for a class of MXCSR: whether all is masked. */
    x87_exit_if(d, ir_setcond(ir, d->mode & X86_MODE_FP_UNMASKED ? COND_EQ : COND_NE, masks,
                              const32(d, MXCSR_MASKS)));
    ir_setmxcsr(ir, v);
}

void gen_stmxcsr(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_getmxcsr(d->ir));
}
