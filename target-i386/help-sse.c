/* SPDX-License-Identifier: MIT */
/*
 * SSE and SSE2 arithmetic while an exception is unmasked in MXCSR (SDM vol. 1, 11.5): all elements
 * are looked at for #I, #D, #Z; where one of these is unmasked the flags of rounding are not
 * reported. MASKMOVQ and MASKMOVDQU: bytes whose mask has its top bit
 * set, after the faults of the whole operand (as AMD's do it; the manuals leave it open).
 */
#include "target-i386/help-fp.h"

#define REL(r) (1u << (r))

/* Predicates 16-31 are 0-15 again, signalling where those are quiet and the other way round. */
static bool compares(SfRelation r, unsigned predicate)
{
    static const uint8_t relations[16] = {
        REL(SF_EQUAL),
        REL(SF_LESS),
        REL(SF_LESS) | REL(SF_EQUAL),
        REL(SF_UNORDERED),
        REL(SF_LESS) | REL(SF_GREATER) | REL(SF_UNORDERED),
        REL(SF_EQUAL) | REL(SF_GREATER) | REL(SF_UNORDERED),
        REL(SF_GREATER) | REL(SF_UNORDERED),
        REL(SF_LESS) | REL(SF_EQUAL) | REL(SF_GREATER),
        REL(SF_EQUAL) | REL(SF_UNORDERED),
        REL(SF_LESS) | REL(SF_UNORDERED),
        REL(SF_LESS) | REL(SF_EQUAL) | REL(SF_UNORDERED),
        0,
        REL(SF_LESS) | REL(SF_GREATER),
        REL(SF_EQUAL) | REL(SF_GREATER),
        REL(SF_GREATER),
        REL(SF_LESS) | REL(SF_EQUAL) | REL(SF_GREATER) | REL(SF_UNORDERED),
    };

    return relations[predicate & 15] & REL(r);
}

/* EQ, UNORD and their opposites do not mind quiet NaNs. */
static bool is_quiet(unsigned predicate)
{
    return ((predicate & 3) == 0 || (predicate & 3) == 3) ^ (predicate >> 4 & 1);
}

/* What ADDSUBPS does to element @n. */
static SfOp add_or_sub(unsigned n)
{
    return n & 1 ? SF_ADD : SF_SUB;
}

static SfRounding round_mode(const SseOp *s)
{
    return s->imm & 4 ? s->e.rounding : (SfRounding)(s->imm & 3);
}

static void single(SseOp *s, SfEnv *e, unsigned n)
{
    uint32_t x = s->x.w[n], y = s->y.w[n];

    if (s->op < SSE_SQRT)
        s->r.w[n] = sf32_op(e, (SfOp)s->op, x, y);
    else if (s->op == SSE_SQRT)
        s->r.w[n] = sf32_sqrt(e, y);
    else if (s->op == SSE_ADDSUB)
        s->r.w[n] = sf32_op(e, add_or_sub(n), x, y);
    else if (s->op == SSE_ROUND)
        s->r.w[n] = sf32_round_to_int(e, y, round_mode(s), !(s->imm & 8));
    else
        s->r.w[n] = compares(sf32_compare(e, x, y, is_quiet(s->imm)), s->imm) ? UINT32_MAX : 0;
}

static void dual(SseOp *s, SfEnv *e, unsigned n)
{
    uint64_t x = s->x.q[n], y = s->y.q[n];

    if (s->op < SSE_SQRT)
        s->r.q[n] = sf64_op(e, (SfOp)s->op, x, y);
    else if (s->op == SSE_SQRT)
        s->r.q[n] = sf64_sqrt(e, y);
    else if (s->op == SSE_ADDSUB)
        s->r.q[n] = sf64_op(e, add_or_sub(n), x, y);
    else if (s->op == SSE_ROUND)
        s->r.q[n] = sf64_round_to_int(e, y, round_mode(s), !(s->imm & 8));
    else
        s->r.q[n] = compares(sf64_compare(e, x, y, is_quiet(s->imm)), s->imm) ? UINT64_MAX : 0;
}

static void to_flags(SseOp *s, SfEnv *e)
{
    static const uint8_t flags[] = { [SF_LESS] = FLAG_CF,
                                     [SF_EQUAL] = FLAG_ZF,
                                     [SF_GREATER] = 0,
                                     [SF_UNORDERED] = FLAG_ZF | FLAG_PF | FLAG_CF };
    bool quiet = s->op == SSE_UCOMI;

    s->r.w[0] = flags[s->kind == SS ? sf32_compare(e, s->x.w[0], s->y.w[0], quiet)
                                    : sf64_compare(e, s->x.q[0], s->y.q[0], quiet)];
}

static void scalar_conversion(SseOp *s, SfEnv *e)
{
    bool wide = s->imm & SSE_WIDE, truncate = s->imm & SSE_TRUNCATE, from_single = s->kind == SS;
    int64_t n = wide ? (int64_t)s->y.q[0] : (int32_t)s->y.w[0];

    switch (s->op) {
    case SSE_F2F:
        if (from_single)
            s->r.q[0] = sf32_to_f64(e, s->y.w[0]);
        else
            s->r.w[0] = sf64_to_f32(e, s->y.q[0]);
        break;
    case SSE_I2F:
        if (s->kind == SS)
            s->r.w[0] = sf_i64_to_f32(e, n);
        else
            s->r.q[0] = sf_i64_to_f64(e, n);
        break;
    default:
        s->r.q[0] = (uint64_t)(from_single ? sf32_to_int(e, s->y.w[0], wide ? 64 : 32, truncate)
                                           : sf64_to_int(e, s->y.q[0], wide ? 64 : 32, truncate));
        break;
    }
}

static unsigned vector_elements(IrVcvt kind)
{
    return kind <= VCVT_TPS2DQ || kind == VCVT_PH2PS ? 4 : 2;
}

static void vector_conversion(SseOp *s, SfEnv *e, unsigned n)
{
    uint32_t d = s->y.w[n];
    uint64_t q = s->y.q[n & 1];

    if (n == 0)
        s->r = (VecValue){ { 0 } };
    switch ((IrVcvt)s->imm) {
    case VCVT_DQ2PS: s->r.w[n] = sf_i64_to_f32(e, (int32_t)d); break;
    case VCVT_PS2DQ: s->r.w[n] = (uint32_t)sf32_to_int(e, d, 32, false); break;
    case VCVT_TPS2DQ: s->r.w[n] = (uint32_t)sf32_to_int(e, d, 32, true); break;
    case VCVT_DQ2PD: s->r.q[n] = sf_i64_to_f64(e, (int32_t)d); break;
    case VCVT_PD2DQ: s->r.w[n] = (uint32_t)sf64_to_int(e, q, 32, false); break;
    case VCVT_TPD2DQ: s->r.w[n] = (uint32_t)sf64_to_int(e, q, 32, true); break;
    case VCVT_PS2PD: s->r.q[n] = sf32_to_f64(e, d); break;
    case VCVT_PD2PS: s->r.w[n] = sf64_to_f32(e, q); break;
    case VCVT_PH2PS: s->r.w[n] = sf16_to_f32(e, (uint16_t)(s->y.q[0] >> (16 * n))); break;
    case VCVT_PS2PH: break; /* SSE_PS2PH */
    }
}

static unsigned elements(const SseOp *s)
{
    if (s->op == SSE_VCVT)
        return vector_elements((IrVcvt)s->imm);
    return s->kind == PS ? 4 : s->kind == PD ? 2 : 1;
}

/* Sign bits by opcode: 6 addsub, 7 subadd, 8 add, a sub, c nadd, e nsub; the odd ones are scalar.
 */
static unsigned fma_sign(unsigned opcode, unsigned n)
{
    switch (opcode & 14) {
    case 6: return (opcode ^ n) & 1 ? 0 : SF_FMA_NEGATE_ADDEND;
    case 10: return SF_FMA_NEGATE_ADDEND;
    case 12: return SF_FMA_NEGATE_PRODUCT;
    case 14: return SF_FMA_NEGATE_ADDEND | SF_FMA_NEGATE_PRODUCT;
    default: return 0;
    }
}

static void fused(SseOp *s, SfEnv *e, unsigned n)
{
    unsigned form = (s->imm >> 4) - 9, sign = fma_sign(s->imm, n);

    if (s->kind == PS || s->kind == SS)
        s->r.w[n] = sf32_fma(e, s->x.w[n], s->y.w[n], s->z.w[n], form, sign);
    else
        s->r.q[n] = sf64_fma(e, s->x.q[n], s->y.q[n], s->z.q[n], form, sign);
}

static void to_half(SseOp *s, SfEnv *e, unsigned n)
{
    if (n == 0)
        s->r = (VecValue){ { 0 } };
    if (!(s->imm & 4))
        e->rounding = (SfRounding)(s->imm & 3);
    s->r.q[0] |= (uint64_t)sf32_to_f16(e, s->y.w[n]) << (16 * n);
}

static void element(SseOp *s, SfEnv *e, unsigned n)
{
    switch (s->op) {
    case SSE_FMA: fused(s, e, n); break;
    case SSE_PS2PH: to_half(s, e, n); break;
    case SSE_COMI:
    case SSE_UCOMI: to_flags(s, e); break;
    case SSE_VCVT: vector_conversion(s, e, n); break;
    case SSE_F2F:
    case SSE_I2F:
    case SSE_F2I: scalar_conversion(s, e); break;
    default:
        if (s->kind == PS || s->kind == SS)
            single(s, e, n);
        else
            dual(s, e, n);
        break;
    }
}

SseOp sse_begin(uint32_t how, uint32_t mxcsr)
{
    return (SseOp){ .op = how & 0xff,
                    .kind = how >> SSE_KIND_SHIFT & 0xff,
                    .imm = how >> SSE_IMM_SHIFT & 0xff,
                    .e = { .rounding = (SfRounding)(mxcsr >> 13 & 3),
                           .ftz = mxcsr >> 15 & 1,
                           .daz = mxcsr >> 6 & 1,
                           .masks = mxcsr >> 7 & 0x3f } };
}

void sse_step(SseOp *s)
{
    s->r = s->x;
    for (unsigned n = 0; n < elements(s); n++) {
        SfEnv e = s->e;
        element(s, &e, n);
        s->flags |= e.flags & 0x3f;
    }
}

void sse_finish(CpuX86 *c, SseOp *s, uint32_t mxcsr)
{
    const uint32_t before_rounding = SF_INVALID | SF_DENORMAL | SF_DIVZERO;

    if (s->flags & ~s->e.masks & before_rounding)
        s->flags &= before_rounding;
    c->mxcsr = mxcsr | s->flags;
    if (s->flags & ~s->e.masks & 0x3f)
        x86_raise(c, c->cr4 & CR4_OSXMMEXCPT ? EXCP_XM : EXCP_UD);
}

void help_sse_fp(CpuX86 *c, void *result, uint32_t how, uint32_t mxcsr, const void *x,
                 const void *y)
{
    SseOp s = sse_begin(how, mxcsr);

    s.x = vec_get(x);
    s.y = vec_get(y);
    sse_step(&s);
    sse_finish(c, &s, mxcsr);
    vec_put(result, s.r);
}

/* ---- Masked moves --------------------------------------------------------------------------- */
static void masked_store(CpuX86 *c, uint64_t addr, const void *value, const void *mask,
                         unsigned size)
{
    unsigned mmu = x86_mmu(c);

    cpu_probe(&c->cpu, addr, size, ACCESS_WRITE, mmu);
    for (unsigned i = 0; i < size; i++) {
        if (lanes_get(mask, i, 1) & 0x80)
            cpu_store(&c->cpu, addr + i, lanes_get(value, i, 1), 1, mmu);
    }
}

void help_maskmovq(CpuX86 *c, uint64_t addr, const void *value, const void *mask)
{
    masked_store(c, addr, value, mask, 8);
}

void help_maskmovdqu(CpuX86 *c, uint64_t addr, const void *value, const void *mask)
{
    masked_store(c, addr, value, mask, 16);
}
