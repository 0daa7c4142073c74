/* SPDX-License-Identifier: MIT */
/*
 * What AVX, AVX2, FMA3, F16C and GFNI have beyond SSE. Ops of 256 bits whose halves do not mix are
 * two Ops of 128 bits (emit.c); handlers here are for 128 bits but where their name says 256.
 */
#include "tcg/interp/interp.h"
#include "tcg/softfloat.h"

typedef VecValue V128s;

typedef union LANES_ORDER V256s {
    u8 b[32];
    u16 h[16];
    u32 w[8];
    u64 q[4];
    V128s half[2];
} V256s;

static V128s get_x(const Interp *x, Place p)
{
    return vec_get(at(x, p));
}

static V256s get_y(const Interp *x, Place p)
{
    return (V256s){ .half = { get_x(x, p), get_x(x, p + 16) } };
}

static void put_x(const Interp *x, Place p, V128s v)
{
    vec_put(at(x, p), v);
}

static void put_y(const Interp *x, Place p, V256s v)
{
    put_x(x, p, v.half[0]);
    put_x(x, p + 16, v.half[1]);
}

#define PUT(place, v) _Generic((v), V128s : put_x, V256s : put_y)(x, place, v)

/* -- Between sizes ---------------------------------------------------------------------------- */

static const Op *interp_v_zext(const Op *op, Interp *x)
{
    V256s r = { .half = { get_x(x, op->a) } };

    PUT(op->d, r);
    return next(op, x);
}

static const Op *zext_f32(const Op *op, Interp *x)
{
    V256s r = { .w = { get_u32(x, op->a) } };

    PUT(op->d, r);
    return next(op, x);
}

static const Op *zext_f64(const Op *op, Interp *x)
{
    V256s r = { .q = { get_u64(x, op->a) } };

    PUT(op->d, r);
    return next(op, x);
}

Handler *interp_v_extend(IrType from)
{
    return from == V128 ? interp_v_zext : from == F32 ? zext_f32 : zext_f64;
}

const Op *interp_v_zero(const Op *op, Interp *x)
{
    V128s r = { .q = { 0, 0 } };

    PUT(op->d, r);
    return next(op, x);
}

HANDLER(movlo_f32)
{
    V128s r = get_x(x, op->a);

    r.w[0] = get_u32(x, op->b);
    PUT(op->d, r);
    return next(op, x);
}

HANDLER(movlo_f64)
{
    V128s r = get_x(x, op->a);

    r.q[0] = get_u64(x, op->b);
    PUT(op->d, r);
    return next(op, x);
}

HANDLER(vinserth)
{
    V256s r = get_y(x, op->a);

    r.half[op->imm & 1] = get_x(x, op->b);
    PUT(op->d, r);
    return next(op, x);
}

HANDLER(vextracth)
{
    V128s r = get_x(x, op->a + 16 * (u32)(op->imm & 1));

    PUT(op->d, r);
    return next(op, x);
}

#define BROADCAST(lane, f, n)              \
    HANDLER(vbcast_##lane)                 \
    {                                      \
        V128s a = get_x(x, op->a), r;      \
        for (unsigned i = 0; i < n; i++) { \
            r.f[i] = a.f[0];               \
        }                                  \
        PUT(op->d, r);                     \
        return next(op, x);                \
    }
BROADCAST(0, b, 16)
BROADCAST(1, h, 8)
BROADCAST(2, w, 4)
BROADCAST(3, q, 2)

HANDLER(vbcast_4)
{
    V256s r;

    r.half[0] = r.half[1] = get_x(x, op->a);
    PUT(op->d, r);
    return next(op, x);
}

HANDLER(vwiden) /* aux: from | sign << 8; imm: to */
{
    V128s a = get_x(x, op->a);
    V256s r;
    unsigned from = op->aux & 3, to = op->imm & 3, bits = 8u << from;

    for (unsigned i = 0; i < 32u >> to; i++) {
        u64 v = from == 0 ? a.b[i] : from == 1 ? a.h[i] : a.w[i];
        if (op->aux >> 8) {
            v = (u64)((s64)(v << (64 - bits)) >> (64 - bits));
        }
        guest_put(r.b + (i << to), v, 1u << to);
    }
    PUT(op->d, r);
    return next(op, x);
}

/* -- Permutations ----------------------------------------------------------------------------- */

HANDLER(vlane2)
{
    V256s s[2] = { get_y(x, op->a), get_y(x, op->b) }, r = { .q = { 0 } };

    for (unsigned i = 0; i < 2; i++) {
        unsigned how = (unsigned)op->imm >> (4 * i) & 15;
        if (!(how & 8)) {
            r.half[i] = s[how >> 1 & 1].half[how & 1];
        }
    }
    PUT(op->d, r);
    return next(op, x);
}

HANDLER(vpermq)
{
    V256s a = get_y(x, op->a), r;

    for (unsigned i = 0; i < 4; i++) {
        r.q[i] = a.q[op->imm >> (2 * i) & 3];
    }
    PUT(op->d, r);
    return next(op, x);
}

HANDLER(vpermd)
{
    V256s a = get_y(x, op->a), b = get_y(x, op->b), r;

    for (unsigned i = 0; i < 8; i++) {
        r.w[i] = b.w[a.w[i] & 7];
    }
    PUT(op->d, r);
    return next(op, x);
}

HANDLER(vpermil_2)
{
    V128s a = get_x(x, op->a), b = get_x(x, op->b), r;

    for (unsigned i = 0; i < 4; i++) {
        r.w[i] = a.w[b.w[i] & 3];
    }
    PUT(op->d, r);
    return next(op, x);
}

HANDLER(vpermil_3)
{
    V128s a = get_x(x, op->a), b = get_x(x, op->b), r;

    for (unsigned i = 0; i < 2; i++) {
        r.q[i] = a.q[b.q[i] >> 1 & 1];
    }
    PUT(op->d, r);
    return next(op, x);
}

#define SELECT(lane, f, n, bits)                                                \
    HANDLER(vselect_##lane)                                                     \
    {                                                                           \
        V128s a = get_x(x, op->a), b = get_x(x, op->b), c = get_x(x, op->c), r; \
        for (unsigned i = 0; i < n; i++) {                                      \
            r.f[i] = c.f[i] >> (bits - 1) ? b.f[i] : a.f[i];                    \
        }                                                                       \
        PUT(op->d, r);                                                          \
        return next(op, x);                                                     \
    }
SELECT(0, b, 16, 8)
SELECT(2, w, 4, 32)
SELECT(3, q, 2, 64)

#define SHIFTV(name, f, n, expr)                        \
    HANDLER(name)                                       \
    {                                                   \
        V128s a = get_x(x, op->a), b = get_x(x, op->b); \
        for (unsigned i = 0; i < n; i++) {              \
            a.f[i] = expr;                              \
        }                                               \
        PUT(op->d, a);                                  \
        return next(op, x);                             \
    }
SHIFTV(vshlv_2, w, 4, b.w[i] < 32 ? a.w[i] << b.w[i] : 0)
SHIFTV(vshlv_3, q, 2, b.q[i] < 64 ? a.q[i] << b.q[i] : 0)
SHIFTV(vshrv_2, w, 4, b.w[i] < 32 ? a.w[i] >> b.w[i] : 0)
SHIFTV(vshrv_3, q, 2, b.q[i] < 64 ? a.q[i] >> b.q[i] : 0)
SHIFTV(vsarv_2, sw, 4, a.sw[i] >> (b.w[i] < 32 ? b.w[i] : 31))

/* -- GFNI: the field of AES, x^8 + x^4 + x^3 + x + 1 ------------------------------------------- */

static u8 gf_mul(u8 a, u8 b)
{
    unsigned r = 0;

    for (unsigned i = 0; i < 8; i++) {
        r ^= b >> i & 1 ? (unsigned)a << i : 0;
    }
    for (unsigned i = 14; i >= 8; i--) {
        r ^= r >> i & 1 ? 0x11bu << (i - 8) : 0;
    }
    return (u8)r;
}

static u8 gf_inverse(u8 a)
{
    u8 r = a; /* a^254 */

    for (unsigned i = 0; i < 6; i++) {
        r = gf_mul(gf_mul(r, r), a);
    }
    return gf_mul(r, r);
}

static u8 affine(u64 matrix, u8 v, u8 add)
{
    u8 r = 0;

    for (unsigned i = 0; i < 8; i++) {
        r |= (u8)(__builtin_parity((matrix >> (8 * (7 - i)) & 0xff) & v) << i);
    }
    return r ^ add;
}

#define GF(name, expr)                                  \
    HANDLER(name)                                       \
    {                                                   \
        V128s a = get_x(x, op->a), b = get_x(x, op->b); \
        for (unsigned i = 0; i < 16; i++) {             \
            a.b[i] = expr;                              \
        }                                               \
        PUT(op->d, a);                                  \
        return next(op, x);                             \
    }
GF(vgfmul, gf_mul(a.b[i], b.b[i]))
GF(vgfaffine, affine(b.q[i / 8], a.b[i], (u8)op->imm))
GF(vgfaffinei, affine(b.q[i / 8], gf_inverse(a.b[i]), (u8)op->imm))

/* -- FMA: imm = the instruction's opcode byte, aux = lane -----------------------------------------
 */

/* Low nibble: 6 addsub, 7 subadd, 8 add, a sub, c nadd, e nsub; the odd ones are scalar. */
static unsigned fma_sign(unsigned opcode, unsigned element)
{
    switch (opcode & 14) {
    case 6:
        return (opcode & 15) == 6 ? (element & 1 ? 0 : SF_FMA_NEGATE_ADDEND)
                                  : (element & 1 ? SF_FMA_NEGATE_ADDEND : 0);
    case 10: return SF_FMA_NEGATE_ADDEND;
    case 12: return SF_FMA_NEGATE_PRODUCT;
    case 14: return SF_FMA_NEGATE_ADDEND | SF_FMA_NEGATE_PRODUCT;
    default: return 0;
    }
}

HANDLER(fma_vector)
{
    u32 mxcsr = *ENV(x, u32, mxcsr);
    SfEnv e = { .rounding = (SfRounding)(mxcsr >> 13 & 3),
                .ftz = mxcsr >> 15 & 1,
                .daz = mxcsr >> 6 & 1,
                .masks = (u8)(mxcsr >> 7 & 0x3f) };
    unsigned opcode = (unsigned)op->imm, form = (opcode >> 4) - 9;
    bool single = !(op->aux & 1);
    unsigned n = op->aux > 3 ? 1 : single ? 4 : 2;
    V128s a = get_x(x, op->a), b = get_x(x, op->b), c = { .q = { 0, 0 } };

    if (op->aux == 4) {
        c.w[0] = get_u32(x, op->c);
    } else if (op->aux == 5) {
        c.q[0] = get_u64(x, op->c);
    } else {
        c = get_x(x, op->c);
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned sign = fma_sign(opcode, i);
        if (single) {
            a.w[i] = sf32_fma(&e, a.w[i], b.w[i], c.w[i], form, sign);
        } else {
            a.q[i] = sf64_fma(&e, a.q[i], b.q[i], c.q[i], form, sign);
        }
    }
    *ENV(x, u32, mxcsr) |= e.flags & 0x3f;
    x->fp_raised |= e.flags & 0x3f;
    PUT(op->d, a);
    return next(op, x);
}

/* -- The table -------------------------------------------------------------------------------- */

Handler *interp_avx(const IrBlock *ir, const IrOp *op)
{
    static Handler *const bcast[] = { vbcast_0, vbcast_1, vbcast_2, vbcast_3, vbcast_4 };
    static Handler *const select[] = { vselect_0, NULL, vselect_2, vselect_3 };
    bool wide = op->aux & 1;

    switch (op->op) {
    case OP_vmovlo: return ir->ops[op->b].type == F32 ? movlo_f32 : movlo_f64;
    case OP_vbcast: return bcast[op->aux];
    case OP_vinserth: return vinserth;
    case OP_vextracth: return vextracth;
    case OP_vwidens:
    case OP_vwidenu: return vwiden;
    case OP_vlane2: return vlane2;
    case OP_vpermq: return vpermq;
    case OP_vpermd: return vpermd;
    case OP_vpermil: return wide ? vpermil_3 : vpermil_2;
    case OP_vshlv: return wide ? vshlv_3 : vshlv_2;
    case OP_vshrv: return wide ? vshrv_3 : vshrv_2;
    case OP_vsarv: return vsarv_2;
    case OP_vselect: return select[op->aux];
    case OP_vgfmul: return vgfmul;
    case OP_vgfaffine: return vgfaffine;
    case OP_vgfaffinei: return vgfaffinei;
    default: return fma_vector;
    }
}
