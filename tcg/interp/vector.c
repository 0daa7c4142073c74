/* SPDX-License-Identifier: MIT */
/*
 * Packed integers, lane by lane as the manual's pseudo code has them. V256 has loads, stores and
 * copies only: there are no rows for 256-bit arithmetic yet.
 */
#include "tcg/interp/interp.h"
#include "tcg/vec-soft.h"

typedef VecValue Vec;

static inline Vec get_vec(const Interp *x, Place p)
{
    return vec_get(at(x, p));
}

static inline void put_vec(const Interp *x, Place p, Vec v)
{
    vec_put(at(x, p), v);
}

static s32 clamp(s32 v, s32 lo, s32 hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* r.f[i] = expr of p = a.f[i] and q = b.f[i] */
#define LANES(name, f, n, T, expr)                           \
    HANDLER(name)                                            \
    {                                                        \
        Vec a = get_vec(x, op->a), b = get_vec(x, op->b), r; \
        for (unsigned i = 0; i < n; i++) {                   \
            T p = a.f[i], q = b.f[i];                        \
            r.f[i] = (T)(expr);                              \
        }                                                    \
        put_vec(x, op->d, r);                                \
        return next(op, x);                                  \
    }
#define LANES_U(name, expr)          \
    LANES(name##_0, b, 16, u8, expr) \
    LANES(name##_1, h, 8, u16, expr) \
    LANES(name##_2, w, 4, u32, expr) \
    LANES(name##_3, q, 2, u64, expr)
#define LANES_S(name, expr)           \
    LANES(name##_0, sb, 16, s8, expr) \
    LANES(name##_1, sh, 8, s16, expr) \
    LANES(name##_2, sw, 4, s32, expr) \
    LANES(name##_3, sq, 2, s64, expr)

LANES_U(vadd, p + q)
LANES_U(vsub, p - q)
LANES(vadds_0, sb, 16, s8, clamp(p + q, INT8_MIN, INT8_MAX))
LANES(vadds_1, sh, 8, s16, clamp(p + q, INT16_MIN, INT16_MAX))
LANES(vsubs_0, sb, 16, s8, clamp(p - q, INT8_MIN, INT8_MAX))
LANES(vsubs_1, sh, 8, s16, clamp(p - q, INT16_MIN, INT16_MAX))
LANES(vaddus_0, b, 16, u8, clamp(p + q, 0, UINT8_MAX))
LANES(vaddus_1, h, 8, u16, clamp(p + q, 0, UINT16_MAX))
LANES(vsubus_0, b, 16, u8, clamp(p - q, 0, UINT8_MAX))
LANES(vsubus_1, h, 8, u16, clamp(p - q, 0, UINT16_MAX))
LANES(vmullo_1, h, 8, u16, (u32)p *q)
LANES(vmullo_2, w, 4, u32, p *q)
LANES(vmulhs_1, sh, 8, s16, (p * q) >> 16)
LANES(vmulhu_1, h, 8, u16, ((u32)p * q) >> 16)
LANES(vmulud_3, q, 2, u64, (u64)(u32)p *(u32)q)
LANES(vavg_0, b, 16, u8, (p + q + 1) >> 1)
LANES(vavg_1, h, 8, u16, (p + q + 1) >> 1)
LANES_U(vminu, p < q ? p : q)
LANES_U(vmaxu, p > q ? p : q)
LANES_S(vmins, p < q ? p : q)
LANES_S(vmaxs, p > q ? p : q)
LANES_U(vcmpeq, -(p == q))
LANES_S(vcmpgt, -(p > q))
LANES(vand_3, q, 2, u64, p &q)
LANES(vor_3, q, 2, u64, p | q)
LANES(vxor_3, q, 2, u64, p ^ q)
LANES(vandn_3, q, 2, u64, ~p &q)

#define VECTOR_OP(name, ...)                                 \
    HANDLER(name)                                            \
    {                                                        \
        Vec a = get_vec(x, op->a), b = get_vec(x, op->b), r; \
        __VA_ARGS__ put_vec(x, op->d, r);                    \
        return next(op, x);                                  \
    }

VECTOR_OP(vmadd_1, {
    for (unsigned i = 0; i < 4; i++) {
        s32 lo = a.sh[2 * i] * b.sh[2 * i], hi = a.sh[2 * i + 1] * b.sh[2 * i + 1];
        r.w[i] = (u32)lo + (u32)hi;
    }
})
VECTOR_OP(vsad_0, {
    for (unsigned i = 0; i < 2; i++) {
        r.q[i] = 0;
        for (unsigned j = 8 * i; j < 8 * i + 8; j++) {
            r.q[i] += (u64)(a.b[j] > b.b[j] ? a.b[j] - b.b[j] : b.b[j] - a.b[j]);
        }
    }
})

#define UNPACK(suffix, f, n)                   \
    VECTOR_OP(vunpacklo_##suffix, {            \
        for (unsigned i = 0; i < n / 2; i++) { \
            r.f[2 * i] = a.f[i];               \
            r.f[2 * i + 1] = b.f[i];           \
        }                                      \
    })                                         \
    VECTOR_OP(vunpackhi_##suffix, {            \
        for (unsigned i = 0; i < n / 2; i++) { \
            r.f[2 * i] = a.f[n / 2 + i];       \
            r.f[2 * i + 1] = b.f[n / 2 + i];   \
        }                                      \
    })
UNPACK(0, b, 16)
UNPACK(1, h, 8)
UNPACK(2, w, 4)
UNPACK(3, q, 2)

#define PACK(name, to, from, n, lo, hi)             \
    VECTOR_OP(name, {                               \
        for (unsigned i = 0; i < n; i++) {          \
            r.to[i] = clamp(a.from[i], lo, hi);     \
            r.to[n + i] = clamp(b.from[i], lo, hi); \
        }                                           \
    })
PACK(vpackss_1, sb, sh, 8, INT8_MIN, INT8_MAX)
PACK(vpackss_2, sh, sw, 4, INT16_MIN, INT16_MAX)
PACK(vpackus_1, b, sh, 8, 0, UINT8_MAX)
PACK(vpackus_2, h, sw, 4, 0, UINT16_MAX)

/* -- Shifts: by the low 64 bits of b, or by the immediate ---------------------------------------
 */

#define SHIFT(suffix, f, sf, n, bits)                               \
    static Vec left_##suffix(Vec a, u64 count)                      \
    {                                                               \
        for (unsigned i = 0; i < n; i++) {                          \
            a.f[i] = count < bits ? a.f[i] << count : 0;            \
        }                                                           \
        return a;                                                   \
    }                                                               \
    static Vec right_##suffix(Vec a, u64 count)                     \
    {                                                               \
        for (unsigned i = 0; i < n; i++) {                          \
            a.f[i] = count < bits ? a.f[i] >> count : 0;            \
        }                                                           \
        return a;                                                   \
    }                                                               \
    static Vec arithmetic_##suffix(Vec a, u64 count)                \
    {                                                               \
        for (unsigned i = 0; i < n; i++) {                          \
            a.sf[i] = a.sf[i] >> (count < bits ? count : bits - 1); \
        }                                                           \
        return a;                                                   \
    }                                                               \
    SHIFT_HANDLERS(vshl, left, suffix)                              \
    SHIFT_HANDLERS(vshr, right, suffix)                             \
    SHIFT_HANDLERS(vsar, arithmetic, suffix)
#define SHIFT_HANDLERS(name, f, suffix)                                        \
    HANDLER(name##_##suffix)                                                   \
    {                                                                          \
        put_vec(x, op->d, f##_##suffix(get_vec(x, op->a), get_u64(x, op->b))); \
        return next(op, x);                                                    \
    }                                                                          \
    HANDLER(name##i_##suffix)                                                  \
    {                                                                          \
        put_vec(x, op->d, f##_##suffix(get_vec(x, op->a), (u64)op->imm));      \
        return next(op, x);                                                    \
    }
SHIFT(1, h, sh, 8, 16)
SHIFT(2, w, sw, 4, 32)
SHIFT(3, q, sq, 2, 64)

HANDLER(vbshl)
{
    Vec a = get_vec(x, op->a), r;

    for (s64 i = 0; i < 16; i++) {
        r.b[i] = i >= op->imm ? a.b[i - op->imm] : 0;
    }
    put_vec(x, op->d, r);
    return next(op, x);
}

HANDLER(vbshr)
{
    Vec a = get_vec(x, op->a), r;

    for (s64 i = 0; i < 16; i++) {
        r.b[i] = i + op->imm < 16 ? a.b[i + op->imm] : 0;
    }
    put_vec(x, op->d, r);
    return next(op, x);
}

/* -- Shuffles -------------------------------------------------------------------------------------
 */

HANDLER(vshuf)
{
    Vec a = get_vec(x, op->a), r;

    for (unsigned i = 0; i < 4; i++) {
        r.w[i] = a.w[op->imm >> (2 * i) & 3];
    }
    put_vec(x, op->d, r);
    return next(op, x);
}

HANDLER(vshuflo)
{
    Vec a = get_vec(x, op->a), r = a;

    for (unsigned i = 0; i < 4; i++) {
        r.h[i] = a.h[op->imm >> (2 * i) & 3];
    }
    put_vec(x, op->d, r);
    return next(op, x);
}

HANDLER(vshufhi)
{
    Vec a = get_vec(x, op->a), r = a;

    for (unsigned i = 0; i < 4; i++) {
        r.h[4 + i] = a.h[4 + (op->imm >> (2 * i) & 3)];
    }
    put_vec(x, op->d, r);
    return next(op, x);
}

VECTOR_OP(vshuf2_2, {
    r.w[0] = a.w[op->imm & 3];
    r.w[1] = a.w[op->imm >> 2 & 3];
    r.w[2] = b.w[op->imm >> 4 & 3];
    r.w[3] = b.w[op->imm >> 6 & 3];
})
VECTOR_OP(vshuf2_3, {
    r.q[0] = a.q[op->imm & 1];
    r.q[1] = b.q[op->imm >> 1 & 1];
})

/* -- Between vectors and integers
 * ------------------------------------------------------------------ */

#define MOVMSK(suffix, f, n)               \
    HANDLER(vmovmsk_##suffix)              \
    {                                      \
        Vec a = get_vec(x, op->a);         \
        u32 r = 0;                         \
        for (unsigned i = 0; i < n; i++) { \
            r |= (u32)(a.f[i] < 0) << i;   \
        }                                  \
        put_u32(x, op->d, r);              \
        return next(op, x);                \
    }
MOVMSK(0, sb, 16)
MOVMSK(1, sh, 8)
MOVMSK(2, sw, 4)
MOVMSK(3, sq, 2)

#define ELEMENT(suffix, f, T)             \
    HANDLER(vextract_##suffix)            \
    {                                     \
        Vec a = get_vec(x, op->a);        \
        put_##T(x, op->d, a.f[op->imm]);  \
        return next(op, x);               \
    }                                     \
    HANDLER(vinsert_##suffix)             \
    {                                     \
        Vec r = get_vec(x, op->a);        \
        r.f[op->imm] = get_##T(x, op->b); \
        put_vec(x, op->d, r);             \
        return next(op, x);               \
    }
ELEMENT(0, b, u8)
ELEMENT(1, h, u16)
ELEMENT(2, w, u32)
ELEMENT(3, q, u64)

HANDLER(vfromint_32)
{
    put_vec(x, op->d, (Vec){ .q = { get_u32(x, op->a), 0 } });
    return next(op, x);
}

HANDLER(vfromint_64)
{
    put_vec(x, op->d, (Vec){ .q = { get_u64(x, op->a), 0 } });
    return next(op, x);
}

/* -- SSSE3 to SHA: aux = op, lane ---------------------------------------------------------------
 */

HANDLER(soft)
{
    VecSoft *f = vec_soft((IrOpcode)(op->aux & 0xff), op->aux >> 8);
    Vec a = get_vec(x, op->a), b = get_vec(x, op->b), c = get_vec(x, op->c), r;

    f(&r, &a, &b, &c, (u32)op->imm);
    put_vec(x, op->d, r);
    return next(op, x);
}

HANDLER(vtest)
{
    Vec a = get_vec(x, op->a), b = get_vec(x, op->b);

    put_u32(x, op->d, vec_soft_test(&a, &b));
    return next(op, x);
}

/* clang-format off */
#define BY_LANE(name)    [OP_##name] = { name##_0, name##_1, name##_2, name##_3 }
#define BY_LANE_01(name) [OP_##name] = { name##_0, name##_1 }
#define BY_LANE_12(name) [OP_##name] = { NULL, name##_1, name##_2 }
#define BY_LANE_123(name) [OP_##name] = { NULL, name##_1, name##_2, name##_3 }
#define ANY_LANE(name, h) [OP_##name] = { h, h, h, h }
static Handler *const table[IR_NOPS][4] = {
    BY_LANE(vadd), BY_LANE(vsub), BY_LANE_01(vadds), BY_LANE_01(vaddus), BY_LANE_01(vsubs),
    BY_LANE_01(vsubus), BY_LANE_12(vmullo), [OP_vmulhs] = { NULL, vmulhs_1 },
    [OP_vmulhu] = { NULL, vmulhu_1 }, [OP_vmulud] = { NULL, NULL, NULL, vmulud_3 },
    [OP_vmadd] = { NULL, vmadd_1 }, [OP_vsad] = { vsad_0 }, BY_LANE_01(vavg),
    BY_LANE(vminu), BY_LANE(vmaxu), BY_LANE(vmins), BY_LANE(vmaxs), BY_LANE(vcmpeq),
    BY_LANE(vcmpgt), ANY_LANE(vand, vand_3), ANY_LANE(vor, vor_3), ANY_LANE(vxor, vxor_3),
    ANY_LANE(vandn, vandn_3), BY_LANE(vunpacklo), BY_LANE(vunpackhi), BY_LANE_12(vpackss),
    BY_LANE_12(vpackus), BY_LANE_123(vshl), BY_LANE_123(vshr), BY_LANE_123(vsar),
    BY_LANE_123(vshli), BY_LANE_123(vshri), BY_LANE_123(vsari), ANY_LANE(vbshl, vbshl),
    ANY_LANE(vbshr, vbshr), ANY_LANE(vshuf, vshuf), ANY_LANE(vshuflo, vshuflo),
    ANY_LANE(vshufhi, vshufhi), [OP_vshuf2] = { NULL, NULL, vshuf2_2, vshuf2_3 },
    BY_LANE(vmovmsk), BY_LANE(vextract), BY_LANE(vinsert),
};
/* clang-format on */

Handler *interp_vector(const IrBlock *ir, const IrOp *op)
{
    if (op->op == OP_vfromint) {
        return ir->ops[op->a].type == I64 ? vfromint_64 : vfromint_32;
    }
    if (op->op == OP_vtest) {
        return vtest;
    }
    if (vec_soft((IrOpcode)op->op, op->aux)) {
        return soft;
    }
    return op->aux < 4 ? table[op->op][op->aux] : NULL;
}
