/* SPDX-License-Identifier: MIT */
/*
 * Floating point, through tcg/softfloat.h. F32, F64 and V128 ops are SSE's: control and sticky
 * flags are MXCSR in the CPU state, always current. F80 ops are the x87's: control is FCW,
 * exception flags gather in FSW and C1 is that of the latest op that rounds.
 */
#include "tcg/interp/interp.h"
#include "tcg/softfloat.h"

static SfEnv sse_env(const Interp *x)
{
    u32 mxcsr = *ENV(x, u32, mxcsr);

    return (SfEnv){ .rounding = (SfRounding)(mxcsr >> 13 & 3),
                    .ftz = mxcsr >> 15 & 1,
                    .daz = mxcsr >> 6 & 1,
                    .masks = (u8)(mxcsr >> 7 & 0x3f) };
}

static void sse_done(Interp *x, const SfEnv *e)
{
    if (e->flags) {
        *ENV(x, u32, mxcsr) |= e->flags & 0x3f;
        x->fp_raised |= e->flags & 0x3f;
    }
}

#define FSW_BITS (0x3f | SF_C1) /* what F80 ops leave in FSW */

static SfEnv x87_env(const Interp *x)
{
    u16 fcw = *ENV(x, u16, fcw);

    return (SfEnv){ .rounding = (SfRounding)(fcw >> 10 & 3),
                    .precision = fcw >> 8 & 3,
                    .masks = fcw & 0x3f,
                    .x87 = true };
}

static void x87_done(Interp *x, const SfEnv *e)
{
    u16 *fsw = ENV(x, u16, fsw);

    *fsw = (u16)((*fsw & ~SF_C1) | (e->flags & FSW_BITS));
}

static Float80 get_f80(const Interp *x, Place p)
{
    Float80 v;

    memcpy(&v.frac, at(x, p), 8);
    memcpy(&v.se, (u8 *)at(x, p) + 8, 2);
    return v;
}

static void put_f80(const Interp *x, Place p, Float80 v)
{
    memcpy(at(x, p), &v.frac, 8);
    memcpy((u8 *)at(x, p) + 8, &v.se, 2);
}

typedef VecValue Lanes;

static Lanes get_lanes(const Interp *x, Place p)
{
    return vec_get(at(x, p));
}

static void put_lanes(const Interp *x, Place p, Lanes v)
{
    vec_put(at(x, p), v);
}

/* -- Two operands: aux = SfOp
 * ----------------------------------------------------------------------- */

HANDLER(binary_f32)
{
    SfEnv e = sse_env(x);
    u32 r = sf32_op(&e, (SfOp)op->aux, get_u32(x, op->a), get_u32(x, op->b));

    sse_done(x, &e);
    put_u32(x, op->d, r);
    return next(op, x);
}

HANDLER(binary_f64)
{
    SfEnv e = sse_env(x);
    u64 r = sf64_op(&e, (SfOp)op->aux, get_u64(x, op->a), get_u64(x, op->b));

    sse_done(x, &e);
    put_u64(x, op->d, r);
    return next(op, x);
}

HANDLER(binary_f80)
{
    SfEnv e = x87_env(x);
    Float80 r = sf80_op(&e, (SfOp)op->aux, get_f80(x, op->a), get_f80(x, op->b));

    x87_done(x, &e);
    put_f80(x, op->d, r);
    return next(op, x);
}

HANDLER(binary_4f32)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a), b = get_lanes(x, op->b);

    for (unsigned i = 0; i < 4; i++) {
        a.w[i] = sf32_op(&e, (SfOp)op->aux, a.w[i], b.w[i]);
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

HANDLER(binary_2f64)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a), b = get_lanes(x, op->b);

    for (unsigned i = 0; i < 2; i++) {
        a.q[i] = sf64_op(&e, (SfOp)op->aux, a.q[i], b.q[i]);
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

/* -- One operand
 * ------------------------------------------------------------------------------------ */

HANDLER(sqrt_f32)
{
    SfEnv e = sse_env(x);
    u32 r = sf32_sqrt(&e, get_u32(x, op->a));

    sse_done(x, &e);
    put_u32(x, op->d, r);
    return next(op, x);
}

HANDLER(sqrt_f64)
{
    SfEnv e = sse_env(x);
    u64 r = sf64_sqrt(&e, get_u64(x, op->a));

    sse_done(x, &e);
    put_u64(x, op->d, r);
    return next(op, x);
}

HANDLER(sqrt_f80)
{
    SfEnv e = x87_env(x);
    Float80 r = sf80_sqrt(&e, get_f80(x, op->a));

    x87_done(x, &e);
    put_f80(x, op->d, r);
    return next(op, x);
}

HANDLER(sqrt_4f32)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a);

    for (unsigned i = 0; i < 4; i++) {
        a.w[i] = sf32_sqrt(&e, a.w[i]);
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

HANDLER(sqrt_2f64)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a);

    for (unsigned i = 0; i < 2; i++) {
        a.q[i] = sf64_sqrt(&e, a.q[i]);
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

HANDLER(round_f80)
{
    SfEnv e = x87_env(x);
    Float80 r = sf80_round_to_int(&e, get_f80(x, op->a));

    x87_done(x, &e);
    put_f80(x, op->d, r);
    return next(op, x);
}

/* imm as ROUNDPS has it: the mode, unless bit 2 leaves it to MXCSR; bit 3: inexactness is not told
 */
static SfRounding round_mode(const SfEnv *e, s64 imm)
{
    return imm & 4 ? e->rounding : (SfRounding)(imm & 3);
}

HANDLER(round_f32)
{
    SfEnv e = sse_env(x);

    put_u32(x, op->d,
            sf32_round_to_int(&e, get_u32(x, op->a), round_mode(&e, op->imm), !(op->imm & 8)));
    sse_done(x, &e);
    return next(op, x);
}

HANDLER(round_f64)
{
    SfEnv e = sse_env(x);

    put_u64(x, op->d,
            sf64_round_to_int(&e, get_u64(x, op->a), round_mode(&e, op->imm), !(op->imm & 8)));
    sse_done(x, &e);
    return next(op, x);
}

HANDLER(round_4f32)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a);

    for (unsigned i = 0; i < 4; i++) {
        a.w[i] = sf32_round_to_int(&e, a.w[i], round_mode(&e, op->imm), !(op->imm & 8));
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

HANDLER(round_2f64)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a);

    for (unsigned i = 0; i < 2; i++) {
        a.q[i] = sf64_round_to_int(&e, a.q[i], round_mode(&e, op->imm), !(op->imm & 8));
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

HANDLER(addsub_4f32)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a), b = get_lanes(x, op->b);

    for (unsigned i = 0; i < 4; i++) {
        a.w[i] = sf32_op(&e, i & 1 ? SF_ADD : SF_SUB, a.w[i], b.w[i]);
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

HANDLER(addsub_2f64)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a), b = get_lanes(x, op->b);

    for (unsigned i = 0; i < 2; i++) {
        a.q[i] = sf64_op(&e, i & 1 ? SF_ADD : SF_SUB, a.q[i], b.q[i]);
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

/* -- Comparison
 * --------------------------------------------------------------------------------------- */

/* CMPPS predicates: which relations satisfy, and whether quiet NaNs are invalid. */
#define REL(r) (1u << (r))
static const struct {
    u8 relations;
    bool quiet;
} predicates[16] = {
    { REL(SF_EQUAL), true },
    { REL(SF_LESS), false },
    { REL(SF_LESS) | REL(SF_EQUAL), false },
    { REL(SF_UNORDERED), true },
    { REL(SF_LESS) | REL(SF_GREATER) | REL(SF_UNORDERED), true },
    { REL(SF_EQUAL) | REL(SF_GREATER) | REL(SF_UNORDERED), false },
    { REL(SF_GREATER) | REL(SF_UNORDERED), false },
    { REL(SF_LESS) | REL(SF_EQUAL) | REL(SF_GREATER), true },
    { REL(SF_EQUAL) | REL(SF_UNORDERED), true },
    { REL(SF_LESS) | REL(SF_UNORDERED), false },
    { REL(SF_LESS) | REL(SF_EQUAL) | REL(SF_UNORDERED), false },
    { 0, true },
    { REL(SF_LESS) | REL(SF_GREATER), true },
    { REL(SF_EQUAL) | REL(SF_GREATER), false },
    { REL(SF_GREATER), false },
    { REL(SF_LESS) | REL(SF_EQUAL) | REL(SF_GREATER) | REL(SF_UNORDERED), true },
};

/* Predicates 16-31 are the same, signalling where those are quiet and the other way round. */
static bool is_quiet(unsigned predicate)
{
    return predicates[predicate & 15].quiet ^ (predicate >> 4 & 1);
}

static u32 compare_f32(SfEnv *e, u32 a, u32 b, unsigned predicate)
{
    SfRelation r = sf32_compare(e, a, b, is_quiet(predicate));

    return predicates[predicate & 15].relations & REL(r) ? UINT32_MAX : 0;
}

static u64 compare_f64(SfEnv *e, u64 a, u64 b, unsigned predicate)
{
    SfRelation r = sf64_compare(e, a, b, is_quiet(predicate));

    return predicates[predicate & 15].relations & REL(r) ? UINT64_MAX : 0;
}

HANDLER(cmp_f32)
{
    SfEnv e = sse_env(x);
    u32 r = compare_f32(&e, get_u32(x, op->a), get_u32(x, op->b), (unsigned)op->imm);

    sse_done(x, &e);
    put_u32(x, op->d, r);
    return next(op, x);
}

HANDLER(cmp_f64)
{
    SfEnv e = sse_env(x);
    u64 r = compare_f64(&e, get_u64(x, op->a), get_u64(x, op->b), (unsigned)op->imm);

    sse_done(x, &e);
    put_u64(x, op->d, r);
    return next(op, x);
}

HANDLER(cmp_4f32)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a), b = get_lanes(x, op->b);

    for (unsigned i = 0; i < 4; i++) {
        a.w[i] = compare_f32(&e, a.w[i], b.w[i], (unsigned)op->imm);
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

HANDLER(cmp_2f64)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a), b = get_lanes(x, op->b);

    for (unsigned i = 0; i < 2; i++) {
        a.q[i] = compare_f64(&e, a.q[i], b.q[i], (unsigned)op->imm);
    }
    sse_done(x, &e);
    put_lanes(x, op->d, a);
    return next(op, x);
}

static const u32 comi_flags[] = { [SF_LESS] = FLAG_CF,
                                  [SF_EQUAL] = FLAG_ZF,
                                  [SF_GREATER] = 0,
                                  [SF_UNORDERED] = FLAG_ZF | FLAG_PF | FLAG_CF };

HANDLER(comi_f32)
{
    SfEnv e = sse_env(x);
    SfRelation r = sf32_compare(&e, get_u32(x, op->a), get_u32(x, op->b), op->imm);

    sse_done(x, &e);
    put_u32(x, op->d, comi_flags[r]);
    return next(op, x);
}

HANDLER(comi_f64)
{
    SfEnv e = sse_env(x);
    SfRelation r = sf64_compare(&e, get_u64(x, op->a), get_u64(x, op->b), op->imm);

    sse_done(x, &e);
    put_u32(x, op->d, comi_flags[r]);
    return next(op, x);
}

HANDLER(comi_f80)
{
    SfEnv e = x87_env(x);
    SfRelation r = sf80_compare(&e, get_f80(x, op->a), get_f80(x, op->b), op->imm);

    x87_done(x, &e);
    put_u32(x, op->d, comi_flags[r]);
    return next(op, x);
}

/* -- Conversion
 * --------------------------------------------------------------------------------------- */

#define CONVERT(name, env, done, put, call) \
    HANDLER(name)                           \
    {                                       \
        SfEnv e = env(x);                   \
        put(x, op->d, call);                \
        done(x, &e);                        \
        return next(op, x);                 \
    }
#define SSE(name, put, call) CONVERT(name, sse_env, sse_done, put, call)
#define X87(name, put, call) CONVERT(name, x87_env, x87_done, put, call)
SSE(f32_to_f64, put_u64, sf32_to_f64(&e, get_u32(x, op->a)))
SSE(f64_to_f32, put_u32, sf64_to_f32(&e, get_u64(x, op->a)))
X87(f32_to_f80, put_f80, sf32_to_f80(&e, get_u32(x, op->a)))
X87(f64_to_f80, put_f80, sf64_to_f80(&e, get_u64(x, op->a)))
X87(f80_to_f32, put_u32, sf80_to_f32(&e, get_f80(x, op->a)))
X87(f80_to_f64, put_u64, sf80_to_f64(&e, get_f80(x, op->a)))
SSE(i32_to_f32, put_u32, sf_i64_to_f32(&e, (s32)get_u32(x, op->a)))
SSE(i64_to_f32, put_u32, sf_i64_to_f32(&e, (s64)get_u64(x, op->a)))
SSE(i32_to_f64, put_u64, sf_i64_to_f64(&e, (s32)get_u32(x, op->a)))
SSE(i64_to_f64, put_u64, sf_i64_to_f64(&e, (s64)get_u64(x, op->a)))
X87(i16_to_f80, put_f80, sf_i64_to_f80(&e, (s16)get_u16(x, op->a)))
X87(i32_to_f80, put_f80, sf_i64_to_f80(&e, (s32)get_u32(x, op->a)))
X87(i64_to_f80, put_f80, sf_i64_to_f80(&e, (s64)get_u64(x, op->a)))
/* to integers: imm = truncate */
SSE(f32_to_i32, put_u32, (u32)sf32_to_int(&e, get_u32(x, op->a), 32, op->imm))
SSE(f32_to_i64, put_u64, (u64)sf32_to_int(&e, get_u32(x, op->a), 64, op->imm))
SSE(f64_to_i32, put_u32, (u32)sf64_to_int(&e, get_u64(x, op->a), 32, op->imm))
SSE(f64_to_i64, put_u64, (u64)sf64_to_int(&e, get_u64(x, op->a), 64, op->imm))
X87(f80_to_i16, put_u16, (u16)sf80_to_int(&e, get_f80(x, op->a), 16, op->imm))
X87(f80_to_i32, put_u32, (u32)sf80_to_int(&e, get_f80(x, op->a), 32, op->imm))
X87(f80_to_i64, put_u64, (u64)sf80_to_int(&e, get_f80(x, op->a), 64, op->imm))

HANDLER(vcvt) /* aux: IrVcvt */
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a), r = { .q = { 0, 0 } };
    bool truncate = op->aux == VCVT_TPS2DQ || op->aux == VCVT_TPD2DQ;

    for (unsigned i = 0; i < 4; i++) {
        switch ((IrVcvt)op->aux) {
        case VCVT_DQ2PS: r.w[i] = sf_i64_to_f32(&e, (s32)a.w[i]); break;
        case VCVT_PS2DQ:
        case VCVT_TPS2DQ: r.w[i] = (u32)sf32_to_int(&e, a.w[i], 32, truncate); break;
        default: break;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        switch ((IrVcvt)op->aux) {
        case VCVT_DQ2PD: r.q[i] = sf_i64_to_f64(&e, (s32)a.w[i]); break;
        case VCVT_PD2DQ:
        case VCVT_TPD2DQ: r.w[i] = (u32)sf64_to_int(&e, a.q[i], 32, truncate); break;
        case VCVT_PS2PD: r.q[i] = sf32_to_f64(&e, a.w[i]); break;
        case VCVT_PD2PS: r.w[i] = sf64_to_f32(&e, a.q[i]); break;
        default: break;
        }
    }
    sse_done(x, &e);
    put_lanes(x, op->d, r);
    return next(op, x);
}

/* Halves; the immediate of VCVTPS2PH: rounding mode, or bit 2: MXCSR's. */
HANDLER(vcvt_half)
{
    SfEnv e = sse_env(x);
    Lanes a = get_lanes(x, op->a), r = { .q = { 0, 0 } };

    if (op->aux == VCVT_PS2PH && !(op->imm & 4)) {
        e.rounding = (SfRounding)(op->imm & 3);
    }
    for (unsigned i = 0; i < 4; i++) {
        if (op->aux == VCVT_PH2PS) {
            r.w[i] = sf16_to_f32(&e, (u16)(a.q[0] >> (16 * i)));
        } else {
            r.q[0] |= (u64)sf32_to_f16(&e, a.w[i]) << (16 * i);
        }
    }
    sse_done(x, &e);
    put_lanes(x, op->d, r);
    return next(op, x);
}

/* -- Status and control
 * ------------------------------------------------------------------------------- */

HANDLER(fpclear)
{
    x->fp_raised = 0;
    return next(op, x);
}

HANDLER(fpcheck) /* to op + imm */
{
    u32 unmasked = ~*ENV(x, u32, mxcsr) >> 7 & 0x3f;

    return skip(op, x->fp_raised & unmasked ? op->imm : 1, x);
}

HANDLER(getmxcsr)
{
    put_u32(x, op->d, *ENV(x, u32, mxcsr));
    return next(op, x);
}

HANDLER(setmxcsr)
{
    *ENV(x, u32, mxcsr) = get_u32(x, op->a);
    return next(op, x);
}

HANDLER(getfsw)
{
    put_u32(x, op->d, *ENV(x, u16, fsw) & FSW_BITS);
    return next(op, x);
}

HANDLER(setfsw)
{
    u16 *fsw = ENV(x, u16, fsw);

    *fsw = (u16)((*fsw & ~FSW_BITS) | (get_u32(x, op->a) & FSW_BITS));
    return next(op, x);
}

HANDLER(setfcw)
{
    *ENV(x, u16, fcw) = (u16)get_u32(x, op->a);
    return next(op, x);
}

/* -- The table
 * ---------------------------------------------------------------------------------------- */

typedef struct FloatRow {
    Handler *f32, *f64, *f80, *ps, *pd;
} FloatRow;

static const FloatRow binary = { binary_f32, binary_f64, binary_f80, binary_4f32, binary_2f64 };
static const FloatRow square_root = { sqrt_f32, sqrt_f64, sqrt_f80, sqrt_4f32, sqrt_2f64 };
static const FloatRow round_int = { round_f32, round_f64, round_f80, round_4f32, round_2f64 };
static const FloatRow addsub = { .ps = addsub_4f32, .pd = addsub_2f64 };
static const FloatRow cmp = { cmp_f32, cmp_f64, NULL, cmp_4f32, cmp_2f64 };
static const FloatRow comi = { .f32 = comi_f32, .f64 = comi_f64, .f80 = comi_f80 };

static const FloatRow *const rows[IR_NOPS] = {
    [OP_fadd] = &binary, [OP_fsub] = &binary, [OP_fmul] = &binary,       [OP_fdiv] = &binary,
    [OP_fmin] = &binary, [OP_fmax] = &binary, [OP_fsqrt] = &square_root, [OP_fround] = &round_int,
    [OP_fcmp] = &cmp,    [OP_fcomi] = &comi,  [OP_faddsub] = &addsub,
};

static Handler *const plain[IR_NOPS] = {
    [OP_fpclear] = fpclear,   [OP_fpcheck] = fpcheck, [OP_getmxcsr] = getmxcsr,
    [OP_setmxcsr] = setmxcsr, [OP_getfsw] = getfsw,   [OP_setfsw] = setfsw,
    [OP_setfcw] = setfcw,
};

static Handler *const f2f[3][3] = {
    /* from, to */
    { NULL, f32_to_f64, f32_to_f80 },
    { f64_to_f32, NULL, f64_to_f80 },
    { f80_to_f32, f80_to_f64, NULL },
};
static Handler *const i2f[3][3] = {
    /* from I16, I32, I64 */
    { NULL, NULL, i16_to_f80 },
    { i32_to_f32, i32_to_f64, i32_to_f80 },
    { i64_to_f32, i64_to_f64, i64_to_f80 },
};
static Handler *const f2i[3][3] = {
    { NULL, f32_to_i32, f32_to_i64 },
    { NULL, f64_to_i32, f64_to_i64 },
    { f80_to_i16, f80_to_i32, f80_to_i64 },
};

Handler *interp_float(const IrBlock *ir, const IrOp *op)
{
    IrType from = (IrType)ir->ops[op->a].type;
    const FloatRow *row = rows[op->op];

    if (row) {
        switch (from) {
        case F32: return row->f32;
        case F64: return row->f64;
        case F80: return row->f80;
        case V128:
        case V256:
            return op->aux == 2   ? row->ps
                   : op->aux == 3 ? row->pd
                   : op->aux == 4 ? row->f32
                   : op->aux == 5 ? row->f64
                                  : NULL;
        default: return NULL;
        }
    }
    switch (op->op) {
    case OP_vcvt: return op->aux >= VCVT_PH2PS ? vcvt_half : vcvt;
    case OP_cvt_f2f: return f2f[from - F32][op->type - F32];
    case OP_cvt_i2f: return i2f[from - I16][op->type - F32];
    case OP_cvt_f2i: return f2i[from - F32][op->type - I16];
    default: return plain[op->op];
    }
}
