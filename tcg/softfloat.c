/* SPDX-License-Identifier: MIT */
/*
 * Soft float: arithmetic. Exceptions come in the order of the Intel SDM vol. 1, 4.9.2: NaNs, other
 * invalid operands, division by zero, denormal operands; an unmasked one of these ends the
 * operation.
 */
#include "tcg/softfloat-internal.h"

#include <glib.h>

/* Addition of signed magnitudes; both are numbers. Exact cancellation gives frac 0. */
static SfWide add_numbers(SfNum a, SfNum b, bool *sign, int32_t *exp)
{
    SfWide fa, fb;

    if (a.exp < b.exp || (a.exp == b.exp && a.frac < b.frac)) {
        SfNum t = a;
        a = b;
        b = t;
    }
    /* One bit of room for the carry; at least 62 bits of guard below. */
    fa = (SfWide)a.frac << 63;
    fb = sf_shift_right_sticky((SfWide)b.frac << 63, (unsigned)(a.exp - b.exp));
    *sign = a.sign;
    *exp = a.exp + 1;
    return a.sign == b.sign ? fa + fb : fa - fb;
}

static SfNum add_op(SfEnv *e, const SfFormat *fmt, unsigned precision, SfNum a, SfNum b)
{
    bool sign;
    int32_t exp;
    SfWide frac;

    if (a.cls == SF_IS_INF && b.cls == SF_IS_INF && a.sign != b.sign)
        return sf_invalid(e);
    if ((a.denormal || b.denormal) && sf_raise(e, SF_DENORMAL))
        return a;
    if (a.cls == SF_IS_INF)
        return a;
    if (b.cls == SF_IS_INF)
        return b;
    if (a.cls == SF_IS_ZERO && b.cls == SF_IS_ZERO)
        return sf_zero(a.sign == b.sign ? a.sign : e->rounding == SF_DOWN);
    if (a.cls == SF_IS_ZERO || b.cls == SF_IS_ZERO) {
        SfNum n = a.cls == SF_IS_ZERO ? b : a;
        return sf_round(e, fmt, precision, n.sign, n.exp, (SfWide)n.frac << 64);
    }
    frac = add_numbers(a, b, &sign, &exp);
    return sf_round(e, fmt, precision, frac ? sign : e->rounding == SF_DOWN, exp, frac);
}

static SfNum mul_op(SfEnv *e, const SfFormat *fmt, unsigned precision, SfNum a, SfNum b)
{
    bool sign = a.sign ^ b.sign;
    bool inf = a.cls == SF_IS_INF || b.cls == SF_IS_INF;
    bool zero = a.cls == SF_IS_ZERO || b.cls == SF_IS_ZERO;

    if (inf && zero)
        return sf_invalid(e);
    if ((a.denormal || b.denormal) && sf_raise(e, SF_DENORMAL))
        return a;
    if (inf)
        return sf_infinity(sign);
    if (zero)
        return sf_zero(sign);
    return sf_round(e, fmt, precision, sign, a.exp + b.exp + 1, (SfWide)a.frac * b.frac);
}

/* Quotient of two normalised fractions: 64 bits with the top one set, 64 more, sticky at the end.
 */
static SfWide divide(uint64_t a, uint64_t b, int32_t *exp)
{
    SfWide n = (SfWide)a << 63, rest;
    uint64_t q, q2;

    if (a < b) {
        n <<= 1;
        --*exp;
    }
    q = (uint64_t)(n / b);
    rest = (n % b) << 64;
    q2 = (uint64_t)(rest / b);
    return (SfWide)q << 64 | q2 | (rest % b != 0);
}

static SfNum div_op(SfEnv *e, const SfFormat *fmt, unsigned precision, SfNum a, SfNum b)
{
    bool sign = a.sign ^ b.sign;
    int32_t exp;
    SfWide frac;

    if (a.cls == b.cls && (a.cls == SF_IS_INF || a.cls == SF_IS_ZERO))
        return sf_invalid(e);
    if (b.cls == SF_IS_ZERO && a.cls == SF_IS_NUMBER) {
        sf_raise(e, SF_DIVZERO); /* and not a denormal operand: so does silicon */
        return sf_infinity(sign);
    }
    if ((a.denormal || b.denormal) && sf_raise(e, SF_DENORMAL))
        return a;
    if (a.cls == SF_IS_INF || b.cls == SF_IS_ZERO)
        return sf_infinity(sign);
    if (a.cls == SF_IS_ZERO || b.cls == SF_IS_INF)
        return sf_zero(sign);
    exp = a.exp - b.exp;
    frac = divide(a.frac, b.frac, &exp);
    return sf_round(e, fmt, precision, sign, exp, frac);
}

static SfNum square_root(SfEnv *e, const SfFormat *fmt, unsigned precision, SfNum a)
{
    SfWide n, rest;
    uint64_t root = 0;

    if (sf_is_nan(a))
        return sf_propagate_nan(e, a, a);
    if (a.cls == SF_IS_ZERO)
        return a;
    if (a.sign)
        return sf_invalid(e);
    if (a.denormal && sf_raise(e, SF_DENORMAL))
        return a;
    if (a.cls == SF_IS_INF)
        return a;

    /* The root of a fraction in [1/4, 1) * 2^128, a bit at a time. */
    n = (SfWide)a.frac << (a.exp & 1 ? 64 : 63);
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t t = root | 1ull << bit;
        if ((SfWide)t * t <= n)
            root = t;
    }
    rest = n - (SfWide)root * root;
    /* root + 1/2 is exceeded exactly if rest > root; it is never met. */
    return sf_round(e, fmt, precision, false, (a.exp - (a.exp & 1)) / 2,
                    (SfWide)root << 64 | (rest > root ? 1ull << 63 : 0) | (rest != 0));
}

static bool less(SfNum a, SfNum b)
{
    if (a.cls == SF_IS_ZERO && b.cls == SF_IS_ZERO)
        return false;
    if (a.cls == SF_IS_ZERO)
        return !b.sign;
    if (b.cls == SF_IS_ZERO)
        return a.sign;
    if (a.sign != b.sign)
        return a.sign;
    if (a.cls != b.cls)
        return (b.cls == SF_IS_INF) ^ a.sign;
    if (a.cls == SF_IS_INF || (a.exp == b.exp && a.frac == b.frac))
        return false;
    return (a.exp < b.exp || (a.exp == b.exp && a.frac < b.frac)) ^ a.sign;
}

/* MIN and MAX choose an operand, the second whenever in doubt: true for the first. */
static bool choose_first(SfEnv *e, SfOp op, SfNum a, SfNum b)
{
    if (sf_is_nan(a) || sf_is_nan(b)) {
        sf_raise(e, SF_INVALID);
        return false;
    }
    if (a.denormal || b.denormal)
        sf_raise(e, SF_DENORMAL);
    return op == SF_MIN ? less(a, b) : less(b, a);
}

static SfNum operate(SfEnv *e, const SfFormat *fmt, unsigned precision, SfOp op, SfNum a, SfNum b)
{
    if (sf_is_nan(a) || sf_is_nan(b))
        return sf_propagate_nan(e, a, b);
    switch (op) {
    case SF_SUB:
        b.sign = !b.sign;
        /* fall through */
    case SF_ADD: return add_op(e, fmt, precision, a, b);
    case SF_MUL: return mul_op(e, fmt, precision, a, b);
    case SF_DIV: return div_op(e, fmt, precision, a, b);
    default: g_assert_not_reached();
    }
}

static unsigned x87_precision(const SfEnv *e)
{
    return e->precision == 0 ? 24 : e->precision == 2 ? 53 : 64;
}

uint32_t sf32_op(SfEnv *e, SfOp op, uint32_t a, uint32_t b)
{
    SfNum x = sf_unpack32(e, a), y = sf_unpack32(e, b);

    if (op == SF_MIN || op == SF_MAX) {
        bool first = choose_first(e, op, x, y);
        SfNum n = first ? x : y;
        return n.cls == SF_IS_ZERO ? sf_pack32(n) : first ? a : b; /* DAZ gives a zero */
    }
    return sf_pack32(operate(e, &sf_f32, 24, op, x, y));
}

uint64_t sf64_op(SfEnv *e, SfOp op, uint64_t a, uint64_t b)
{
    SfNum x = sf_unpack64(e, a), y = sf_unpack64(e, b);

    if (op == SF_MIN || op == SF_MAX) {
        bool first = choose_first(e, op, x, y);
        SfNum n = first ? x : y;
        return n.cls == SF_IS_ZERO ? sf_pack64(n) : first ? a : b;
    }
    return sf_pack64(operate(e, &sf_f64, 53, op, x, y));
}

Float80 sf80_op(SfEnv *e, SfOp op, Float80 a, Float80 b)
{
    return sf_pack80(operate(e, &sf_f80, x87_precision(e), op, sf_unpack80(a), sf_unpack80(b)));
}

uint32_t sf32_sqrt(SfEnv *e, uint32_t a)
{
    return sf_pack32(square_root(e, &sf_f32, 24, sf_unpack32(e, a)));
}

uint64_t sf64_sqrt(SfEnv *e, uint64_t a)
{
    return sf_pack64(square_root(e, &sf_f64, 53, sf_unpack64(e, a)));
}

Float80 sf80_sqrt(SfEnv *e, Float80 a)
{
    return sf_pack80(square_root(e, &sf_f80, x87_precision(e), sf_unpack80(a)));
}

static SfRelation compare(SfEnv *e, SfNum a, SfNum b, bool quiet)
{
    if (sf_is_nan(a) || sf_is_nan(b)) {
        if (!quiet || a.cls > SF_IS_QNAN || b.cls > SF_IS_QNAN)
            sf_raise(e, SF_INVALID);
        return SF_UNORDERED;
    }
    if (a.denormal || b.denormal)
        sf_raise(e, SF_DENORMAL);
    return less(a, b) ? SF_LESS : less(b, a) ? SF_GREATER : SF_EQUAL;
}

SfRelation sf32_compare(SfEnv *e, uint32_t a, uint32_t b, bool quiet)
{
    return compare(e, sf_unpack32(e, a), sf_unpack32(e, b), quiet);
}

SfRelation sf64_compare(SfEnv *e, uint64_t a, uint64_t b, bool quiet)
{
    return compare(e, sf_unpack64(e, a), sf_unpack64(e, b), quiet);
}

SfRelation sf80_compare(SfEnv *e, Float80 a, Float80 b, bool quiet)
{
    return compare(e, sf_unpack80(a), sf_unpack80(b), quiet);
}

/* FPREM: what is left of @n after whole multiples of @d, both numbers; *quotient its low bits. */
static SfNum remainder_step(SfEnv *e, SfNum n, SfNum d, bool nearest, unsigned *quotient,
                            bool *incomplete)
{
    int32_t diff = n.exp - d.exp, steps = diff;
    uint64_t q = 0, rest = n.frac;
    bool carry = false; /* of rest above 64 bits */

    if (diff < -1 || (diff < 0 && !nearest))
        return sf_round(e, &sf_f80, 64, n.sign, n.exp, (SfWide)n.frac << 64);
    if (diff == -1) {                  /* n may be more than half of d */
        SfWide twice = (SfWide)n.frac; /* 2n / 2^(d.exp + 1) */
        if (twice <= d.frac)
            return sf_round(e, &sf_f80, 64, n.sign, n.exp, (SfWide)n.frac << 64);
        *quotient = 1;
        /* n - d, a value of the other sign, in units of 2^(n.exp - 63) */
        return sf_round(e, &sf_f80, 64, !n.sign, n.exp + 1, (((SfWide)d.frac << 1) - n.frac) << 63);
    }
    if (diff >= 64) {
        *incomplete = true;
        steps = 32 + diff % 32;
    }
    for (int32_t i = 0; i <= steps; i++) {
        if (i) {
            carry = rest >> 63;
            rest <<= 1;
        }
        q <<= 1;
        if (carry || rest >= d.frac) {
            rest -= d.frac;
            q |= 1;
        }
    }
    *quotient = (unsigned)q;
    if (*incomplete)
        return sf_round(e, &sf_f80, 64, n.sign, n.exp - steps, (SfWide)rest << 64);
    if (nearest) {
        SfWide twice = (SfWide)rest << 1;
        if (twice > d.frac || (twice == d.frac && (q & 1))) {
            rest = d.frac - rest;
            n.sign = !n.sign;
            ++*quotient;
        }
    }
    return sf_round(e, &sf_f80, 64, n.sign, d.exp, (SfWide)rest << 64);
}

Float80 sf80_rem(SfEnv *e, Float80 a, Float80 b, bool nearest, unsigned *quotient, bool *incomplete)
{
    SfNum n = sf_unpack80(a), d = sf_unpack80(b);

    *quotient = 0;
    *incomplete = false;
    if (sf_is_nan(n) || sf_is_nan(d))
        return sf_pack80(sf_propagate_nan(e, n, d));
    if (n.cls == SF_IS_INF || d.cls == SF_IS_ZERO)
        return sf_pack80(sf_invalid(e));
    if ((n.denormal || d.denormal) && sf_raise(e, SF_DENORMAL))
        return a;
    if (n.cls == SF_IS_ZERO)
        return a;
    if (d.cls == SF_IS_INF)
        return sf_pack80(sf_round(e, &sf_f80, 64, n.sign, n.exp, (SfWide)n.frac << 64));
    return sf_pack80(remainder_step(e, n, d, nearest, quotient, incomplete));
}

Float80 sf80_scale(SfEnv *e, Float80 a, Float80 b)
{
    SfNum n = sf_unpack80(a), s = sf_unpack80(b);
    int32_t by = 0;

    if (sf_is_nan(n) || sf_is_nan(s))
        return sf_pack80(sf_propagate_nan(e, n, s));
    if (s.cls == SF_IS_INF && n.cls == (s.sign ? SF_IS_INF : SF_IS_ZERO))
        return sf_pack80(sf_invalid(e));
    if ((n.denormal || s.denormal) && sf_raise(e, SF_DENORMAL))
        return a;
    if (s.cls == SF_IS_INF)
        return sf_pack80(s.sign ? sf_zero(n.sign) : sf_infinity(n.sign));
    if (n.cls != SF_IS_NUMBER)
        return a;
    if (s.cls == SF_IS_NUMBER && s.exp >= 0)
        by = s.exp > 16 ? 1 << 17 : (int32_t)(s.frac >> (63 - s.exp));
    return sf_pack80(
        sf_round(e, &sf_f80, 64, n.sign, n.exp + (s.sign ? -by : by), (SfWide)n.frac << 64));
}
