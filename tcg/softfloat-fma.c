/* SPDX-License-Identifier: MIT */
/*
 * Soft float: fused multiply-add (SDM vol. 1, 14.5) and the 16-bit format of F16C (14.4). A product
 * of two significands is exact in 128 bits; of the smaller summand what falls off the end is
 * sticky, and then too far down for cancellation to matter.
 */
#include "tcg/softfloat-internal.h"

typedef struct Wide { /* ±frac / 2^127 * 2^exp; top bit set */
    bool sign;
    int32_t exp;
    SfWide frac;
} Wide;

static Wide normalised(bool sign, int32_t exp, SfWide frac)
{
    while (!(frac >> 127)) {
        frac <<= 1;
        exp--;
    }
    return (Wide){ sign, exp, frac };
}

static SfNum add_wide(SfEnv *e, const SfFormat *fmt, Wide a, Wide b)
{
    SfWide fa, fb, sum;
    bool sign;

    if (a.exp < b.exp || (a.exp == b.exp && a.frac < b.frac)) {
        Wide t = a;
        a = b;
        b = t;
    }
    fa = sf_shift_right_sticky(a.frac, 1);
    fb = sf_shift_right_sticky(b.frac, (unsigned)(a.exp - b.exp) + 1);
    sum = a.sign == b.sign ? fa + fb : fa - fb;
    sign = sum ? a.sign : e->rounding == SF_DOWN;
    return sf_round(e, fmt, fmt->precision, sign, a.exp + 1, sum);
}

/* a * b + c. NaNs are looked at in the order a, b, c; a NaN c hides that infinity times 0 is
 * invalid. */
static SfNum fused(SfEnv *e, const SfFormat *fmt, SfNum a, SfNum b, SfNum c, bool negate)
{
    bool sign = a.sign ^ b.sign ^ negate;
    bool inf = a.cls == SF_IS_INF || b.cls == SF_IS_INF;
    bool zero = a.cls == SF_IS_ZERO || b.cls == SF_IS_ZERO;

    if (inf && zero)
        return sf_invalid(e);
    if (inf && c.cls == SF_IS_INF && c.sign != sign)
        return sf_invalid(e);
    if ((a.denormal || b.denormal || c.denormal) && sf_raise(e, SF_DENORMAL))
        return a;
    if (inf)
        return sf_infinity(sign);
    if (c.cls == SF_IS_INF)
        return c;
    if (zero && c.cls == SF_IS_ZERO)
        return sf_zero(sign == c.sign ? sign : e->rounding == SF_DOWN);
    if (zero)
        return sf_round(e, fmt, fmt->precision, c.sign, c.exp, (SfWide)c.frac << 64);
    Wide product = normalised(sign, a.exp + b.exp + 1, (SfWide)a.frac * b.frac);
    if (c.cls == SF_IS_ZERO)
        return sf_round(e, fmt, fmt->precision, sign, product.exp, product.frac);
    return add_wide(e, fmt, product, (Wide){ c.sign, c.exp, (SfWide)c.frac << 64 });
}

/* The operands in their order in the instruction, and which of them is what: product of @m[0] and
 * @m[1] plus @m[2]. */
static SfNum by_form(SfEnv *e, const SfFormat *fmt, const SfNum op[3], unsigned form, unsigned sign)
{
    static const uint8_t roles[3][3] = { { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 } };
    const uint8_t *m = roles[form];
    SfNum c = op[m[2]];

    if (sf_is_nan(op[0]) || sf_is_nan(op[1]) || sf_is_nan(op[2])) {
        SfNum first = op[m[0]], second = op[m[1]];
        if (sf_is_nan(first) || sf_is_nan(second)) {
            if (c.cls == SF_IS_SNAN)
                sf_raise(e, SF_INVALID);
            return sf_propagate_nan(e, first, second);
        }
        return sf_propagate_nan(e, c, c);
    }
    c.sign ^= sign & SF_FMA_NEGATE_ADDEND ? 1 : 0;
    return fused(e, fmt, op[m[0]], op[m[1]], c, sign & SF_FMA_NEGATE_PRODUCT);
}

uint32_t sf32_fma(SfEnv *e, uint32_t a, uint32_t b, uint32_t c, unsigned form, unsigned sign)
{
    SfNum op[3] = { sf_unpack32(e, a), sf_unpack32(e, b), sf_unpack32(e, c) };

    return sf_pack32(by_form(e, &sf_f32, op, form, sign));
}

uint64_t sf64_fma(SfEnv *e, uint64_t a, uint64_t b, uint64_t c, unsigned form, unsigned sign)
{
    SfNum op[3] = { sf_unpack64(e, a), sf_unpack64(e, b), sf_unpack64(e, c) };

    return sf_pack64(by_form(e, &sf_f64, op, form, sign));
}

/* ---- 16 bits -------------------------------------------------------------------------------- */

static const SfFormat f16 = { 11, -14, 15 };

uint32_t sf16_to_f32(SfEnv *e, uint16_t a)
{
    uint32_t sign = (uint32_t)(a & 0x8000) << 16, biased = a >> 10 & 31, frac = a & 0x3ff;

    if (biased == 31) {
        if (frac && !(frac & 0x200))
            sf_raise(e, SF_INVALID);
        return sign | 0x7f800000 | (frac ? frac << 13 | 0x400000 : 0);
    }
    if (biased)
        return sign | (biased + 112) << 23 | frac << 13;
    if (!frac)
        return sign;
    unsigned shift = (unsigned)__builtin_clz(frac) - 21;
    return sign | (113 - shift) << 23 | ((frac << shift & 0x3ff) << 13);
}

/* MXCSR.FTZ has no say here, and DAZ has. */
uint16_t sf32_to_f16(SfEnv *e, uint32_t a)
{
    SfNum n = sf_unpack32(e, a);
    unsigned sign, biased;
    bool ftz = e->ftz;

    if (sf_is_nan(n)) {
        if (n.cls == SF_IS_SNAN)
            sf_raise(e, SF_INVALID);
        return (uint16_t)(a >> 16 & 0x8000) | 0x7e00 | (a >> 13 & 0x3ff);
    }
    sign = (unsigned)n.sign << 15;
    if (n.cls == SF_IS_INF)
        return (uint16_t)(sign | 0x7c00);
    if (n.cls == SF_IS_ZERO)
        return (uint16_t)sign;
    if (n.denormal)
        sf_raise(e, SF_DENORMAL);
    e->ftz = false;
    n = sf_round(e, &f16, 11, n.sign, n.exp, (SfWide)n.frac << 64);
    e->ftz = ftz;
    if (n.cls == SF_IS_INF)
        return (uint16_t)(sign | 0x7c00);
    if (n.cls == SF_IS_ZERO)
        return (uint16_t)sign;
    biased = n.frac >> 63 ? (unsigned)(n.exp + 15) : 0;
    return (uint16_t)(sign | biased << 10 | (n.frac >> 53 & 0x3ff));
}
