/* SPDX-License-Identifier: MIT */
/*
 * Transcendental functions with 128 bits of significand: rounded correctly but for about one case
 * in 2^55. The fast way (softfloat-fast.c) comes first, series of full length where it declines.
 * Operands of sine, cosine and tangent are reduced by pi cut to 66 bits, as x87 hardware does (SDM
 * vol. 1, 8.3.8); results near multiples of pi are those of that pi.
 */
#include "tcg/softfloat-wide.h"

#define W(hi, lo) ((SfWide)(hi) << 64 | (lo))
#define ONE       W(0x8000000000000000, 0)

/* clang-format off */
static const SfWide sin_terms[] = { /* 1 / (2k + 1)! */
    W(0x8000000000000000, 0x0000000000000000),
    W(0x1555555555555555, 0x5555555555555555),
    W(0x0111111111111111, 0x1111111111111111),
    W(0x0006806806806806, 0x8068068068068068),
    W(0x0000171de3a556c7, 0x338faac1c88e5001),
    W(0x00000035cc8acfea, 0x89c71fce8fc97070),
    W(0x000000005849184e, 0xa1b425f28e0cc749),
    W(0x00000000006b9fcf, 0x9ccee07c476195ac),
    W(0x000000000000654b, 0x1dc0c2b529ac9814),
    W(0x000000000000004b, 0xd26d1a05055c9328),
    W(0x0000000000000000, 0x2e371dedb9eae318),
    W(0x0000000000000000, 0x001761b41316381a),
    W(0x0000000000000000, 0x000009f9e66e8b30),
    W(0x0000000000000000, 0x00000003a356385c),
    W(0x0000000000000000, 0x0000000001259f99),
    W(0x0000000000000000, 0x00000000000050d3),
};
static const SfWide cos_terms[] = { /* 1 / (2k)! */
    W(0x8000000000000000, 0x0000000000000000),
    W(0x4000000000000000, 0x0000000000000000),
    W(0x0555555555555555, 0x5555555555555555),
    W(0x002d82d82d82d82d, 0x82d82d82d82d82d8),
    W(0x0000d00d00d00d00, 0xd00d00d00d00d00d),
    W(0x0000024fc9f6ef13, 0xeb8e5de02da7d4cd),
    W(0x000000047bb63bfe, 0x3625ed5136a61eb4),
    W(0x00000000064e5d2a, 0x301f27482eb7c517),
    W(0x000000000006b9fc, 0xf9ccee07c476195b),
    W(0x00000000000005a0, 0x9e18ee5f65deec01),
    W(0x0000000000000003, 0xca8574804044a0f5),
    W(0x0000000000000000, 0x0219c72db6ff0a53),
    W(0x0000000000000000, 0x0000f96780cb97ac),
    W(0x0000000000000000, 0x000000623a17f1a9),
    W(0x0000000000000000, 0x000000002143144c),
    W(0x0000000000000000, 0x000000000009c996),
    W(0x0000000000000000, 0x0000000000000287),
};
static const SfWide exp_terms[] = { /* 1 / (k + 1)! */
    W(0x8000000000000000, 0x0000000000000000),
    W(0x4000000000000000, 0x0000000000000000),
    W(0x1555555555555555, 0x5555555555555555),
    W(0x0555555555555555, 0x5555555555555555),
    W(0x0111111111111111, 0x1111111111111111),
    W(0x002d82d82d82d82d, 0x82d82d82d82d82d8),
    W(0x0006806806806806, 0x8068068068068068),
    W(0x0000d00d00d00d00, 0xd00d00d00d00d00d),
    W(0x0000171de3a556c7, 0x338faac1c88e5001),
    W(0x0000024fc9f6ef13, 0xeb8e5de02da7d4cd),
    W(0x00000035cc8acfea, 0x89c71fce8fc97070),
    W(0x000000047bb63bfe, 0x3625ed5136a61eb4),
    W(0x000000005849184e, 0xa1b425f28e0cc749),
    W(0x00000000064e5d2a, 0x301f27482eb7c517),
    W(0x00000000006b9fcf, 0x9ccee07c476195ac),
    W(0x000000000006b9fc, 0xf9ccee07c476195b),
    W(0x000000000000654b, 0x1dc0c2b529ac9814),
    W(0x00000000000005a0, 0x9e18ee5f65deec01),
    W(0x000000000000004b, 0xd26d1a05055c9328),
    W(0x0000000000000003, 0xca8574804044a0f5),
    W(0x0000000000000000, 0x2e371dedb9eae318),
    W(0x0000000000000000, 0x0219c72db6ff0a53),
    W(0x0000000000000000, 0x001761b41316381a),
    W(0x0000000000000000, 0x0000f96780cb97ac),
    W(0x0000000000000000, 0x000009f9e66e8b30),
    W(0x0000000000000000, 0x000000623a17f1a9),
    W(0x0000000000000000, 0x00000003a356385c),
    W(0x0000000000000000, 0x000000002143144c),
    W(0x0000000000000000, 0x0000000001259f99),
    W(0x0000000000000000, 0x000000000009c996),
    W(0x0000000000000000, 0x00000000000050d3),
};
static const SfWide atanh_terms[] = { /* 1 / (2k + 1) */
    W(0x8000000000000000, 0x0000000000000000),
    W(0x2aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaab),
    W(0x1999999999999999, 0x999999999999999a),
    W(0x1249249249249249, 0x2492492492492492),
    W(0x0e38e38e38e38e38, 0xe38e38e38e38e38e),
    W(0x0ba2e8ba2e8ba2e8, 0xba2e8ba2e8ba2e8c),
    W(0x09d89d89d89d89d8, 0x9d89d89d89d89d8a),
    W(0x0888888888888888, 0x8888888888888889),
    W(0x0787878787878787, 0x8787878787878788),
    W(0x06bca1af286bca1a, 0xf286bca1af286bca),
    W(0x0618618618618618, 0x6186186186186186),
    W(0x0590b21642c8590b, 0x21642c8590b21643),
    W(0x051eb851eb851eb8, 0x51eb851eb851eb85),
    W(0x04bda12f684bda12, 0xf684bda12f684bda),
    W(0x0469ee58469ee584, 0x69ee58469ee5846a),
    W(0x0421084210842108, 0x4210842108421084),
    W(0x03e0f83e0f83e0f8, 0x3e0f83e0f83e0f84),
    W(0x03a83a83a83a83a8, 0x3a83a83a83a83a84),
    W(0x03759f22983759f2, 0x2983759f2298375a),
    W(0x0348348348348348, 0x3483483483483483),
    W(0x031f3831f3831f38, 0x31f3831f3831f383),
    W(0x02fa0be82fa0be82, 0xfa0be82fa0be82fa),
    W(0x02d82d82d82d82d8, 0x2d82d82d82d82d83),
    W(0x02b9310572620ae4, 0xc415c9882b931057),
    W(0x029cbc14e5e0a72f, 0x05397829cbc14e5e),
};
static const SfBig LN2 = { false, -1, W(0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af) };
static const SfBig TWO_LOG2E = { false, 1, W(0xb8aa3b295c17f0bb, 0xbe87fed0691d3e89) };
static const SfBig PI = { false, 1, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) };
static const SfBig HALF_PI = { false, 0, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) };
static const SfBig atan_eighths[9] = { /* arctan(k / 8) */
    { 0 },
    { false, -4, W(0xfeadd4d5617b6e32, 0xc897989f3e888ef8) },
    { false, -3, W(0xfadbafc96406eb15, 0x6dc79ef5f7a217e6) },
    { false, -2, W(0xb7b0ca0f26f78473, 0x8aa32122dcfe4483) },
    { false, -2, W(0xed63382b0dda7b45, 0x6fe445ecbc3a8d03) },
    { false, -1, W(0x8f005d5ef7f59f9b, 0x5c835e1665c43748) },
    { false, -1, W(0xa4bc7d1934f70924, 0x19a87f2a457dac9f) },
    { false, -1, W(0xb8053e2bc2319e73, 0xcb2da55210a4443d) },
    { false, -1, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) },
};

/* clang-format on */

/* -- Arithmetic ------------------------------------------------------------------------------- */

static SfWide multiply_high(SfWide a, SfWide b)
{
    SfWide al = (uint64_t)a, ah = a >> 64, bl = (uint64_t)b, bh = b >> 64;
    SfWide low = al * bl, m1 = ah * bl + (low >> 64), m2 = al * bh + (uint64_t)m1;

    return ah * bh + (m1 >> 64) + (m2 >> 64);
}

static SfBig normal(bool sign, int32_t exp, SfWide frac)
{
    unsigned shift;

    if (!frac) {
        return (SfBig){ sign, 0, 0 };
    }
    shift = frac >> 64 ? (unsigned)__builtin_clzll((uint64_t)(frac >> 64))
                       : 64 + (unsigned)__builtin_clzll((uint64_t)frac);
    return (SfBig){ sign, exp - (int32_t)shift, frac << shift };
}

static SfBig multiply(SfBig a, SfBig b)
{
    return normal(a.sign ^ b.sign, a.exp + b.exp + 1, multiply_high(a.frac, b.frac));
}

/* 64 bits of quotient: floor(@rem * 2^64 / @b), @rem < @b, bit 127 of @b set. */
static uint64_t quotient_digit(SfWide *rem, SfWide b)
{
    uint64_t bh = (uint64_t)(b >> 64), bl = (uint64_t)b, q, low;
    SfWide guess = *rem / bh, high;

    q = guess >> 64 ? UINT64_MAX : (uint64_t)guess;
    high = (SfWide)q * bl;
    low = (uint64_t)high;
    high = (SfWide)q * bh + (high >> 64);
    while (high > *rem || (high == *rem && low)) {
        q--;
        high -= bh + (SfWide)(low < bl);
        low -= bl;
    }
    *rem = ((*rem - high) << 64) - low;
    return q;
}

static SfBig divide(SfBig a, SfBig b)
{
    bool small = a.frac < b.frac;
    SfWide rem = small ? a.frac : a.frac >> 1, q;

    q = (SfWide)quotient_digit(&rem, b.frac) << 64;
    q |= quotient_digit(&rem, b.frac);
    return normal(a.sign ^ b.sign, a.exp - b.exp - small, q);
}

static SfBig add(SfBig a, SfBig b)
{
    SfBig t;
    SfWide low;
    unsigned shift;

    if (!a.frac || !b.frac) {
        return a.frac ? a : b;
    }
    if (a.exp < b.exp) {
        t = a;
        a = b;
        b = t;
    }
    shift = (unsigned)(a.exp - b.exp);
    low = shift < 128 ? b.frac >> shift : 0;
    if (a.sign != b.sign) {
        return a.frac < low ? normal(b.sign, a.exp, low - a.frac)
                            : normal(a.sign, a.exp, a.frac - low);
    }
    if (a.frac + low < low) {
        return normal(a.sign, a.exp + 1, (a.frac + low) >> 1 | ONE);
    }
    return normal(a.sign, a.exp, a.frac + low);
}

static SfBig negated(SfBig a)
{
    a.sign = !a.sign;
    return a;
}

static SfBig integer(int64_t v)
{
    return normal(v < 0, 63, (SfWide)(uint64_t)(v < 0 ? -v : v) << 64);
}

static SfBig widen(SfFinite n)
{
    return (SfBig){ n.sign, n.exp, (SfWide)n.frac << 64 };
}

/* |@a| < 1 in units of 2^-128 */
static SfWide fraction(SfBig a)
{
    unsigned shift = (unsigned)(-1 - a.exp);

    return shift < 128 ? a.frac >> shift : 0;
}

/* terms[0] ± terms[1] t + terms[2] t^2 ± …, terms and sum in units of 2^-127 */
static SfWide series(const SfWide *terms, unsigned n, SfWide t, bool alternate)
{
    SfWide sum = terms[n - 1];

    for (unsigned i = n - 1; i-- > 0;) {
        SfWide rest = multiply_high(sum, t);
        sum = alternate ? terms[i] - rest : terms[i] + rest;
    }
    return sum;
}
#define SERIES(terms, t, alternate) series(terms, sizeof(terms) / sizeof(terms[0]), t, alternate)

/* -- Sine, cosine, tangent -------------------------------------------------------------------- */

/* pi / 2 of 66 bits, in units of 2^-65 */
#define PI_66 W(3, 0x243f6a8885a308d3)

/* @x less a multiple of pi / 2; exact. */
static SfBig reduce(SfFinite x, unsigned *quadrant)
{
    SfWide v, r;

    *quadrant = 0;
    if (x.exp < -2) { /* below 1/4 */
        return (SfBig){ false, x.exp, (SfWide)x.frac << 64 };
    }
    v = (SfWide)x.frac << (x.exp + 2);
    r = v % PI_66;
    *quadrant = (unsigned)(v / PI_66) & 3;
    if (r > PI_66 / 2) {
        *quadrant = (*quadrant + 1) & 3;
        return normal(true, 62, PI_66 - r);
    }
    return normal(false, 62, r);
}

static SfBig sine(SfBig r)
{
    SfWide t = fraction(multiply(r, r));

    return multiply(r, normal(false, 0, SERIES(sin_terms, t, true) - 1));
}

static SfBig cosine(SfBig r)
{
    SfWide t = fraction(multiply(r, r));

    return normal(false, 0, SERIES(cos_terms, t, true) - 1);
}

SfBig sf_sure_sine(SfFinite x, bool of_cosine)
{
    unsigned quadrant;
    SfBig r = reduce(x, &quadrant);

    quadrant += of_cosine;
    r = quadrant & 1 ? cosine(r) : sine(r);
    r.sign ^= (quadrant >> 1 & 1) ^ (!of_cosine && x.sign);
    return r;
}

SfBig sf_sure_tan(SfFinite x)
{
    unsigned quadrant;
    SfBig r = reduce(x, &quadrant);

    if (quadrant & 1) {
        r = negated(divide(cosine(r), sine(r)));
    } else if (r.exp >= -60) {
        r = divide(sine(r), cosine(r));
    } /* else just above @x */
    r.sign ^= x.sign;
    return r;
}

/* -- Arctangent ------------------------------------------------------------------------------- */

/* arctan(@y / @x), 0 < y <= x */
static SfBig arctangent(SfBig y, SfBig x)
{
    unsigned k = 0;
    SfBig z, t;

    if (x.exp - y.exp < 6) { /* the nearest eighth of y / x */
        uint64_t ratio = (uint64_t)(y.frac >> 80) * 16 / (uint64_t)(x.frac >> 80);
        k = (unsigned)(((ratio >> (x.exp - y.exp)) + 1) / 2);
    }
    z = divide(y, x);
    if (k) { /* arctan(c) + arctan((y - c x) / (x + c y)) */
        SfBig c = multiply(integer(k), (SfBig){ false, -3, ONE });
        z = divide(add(y, negated(multiply(c, x))), add(x, multiply(c, y)));
    }
    if (!z.frac) {
        return atan_eighths[k];
    }
    t = multiply(z, normal(false, 0, SERIES(atanh_terms, fraction(multiply(z, z)), true) - 1));
    return k ? add(atan_eighths[k], t) : t;
}

SfBig sf_sure_atan(SfFinite y, SfFinite x)
{
    bool below = y.exp < x.exp || (y.exp == x.exp && y.frac <= x.frac);
    bool left = x.sign, down = y.sign;
    SfBig wx, wy, r;

    x.sign = y.sign = false;
    wx = widen(x);
    wy = widen(y);
    if (below) {
        r = arctangent(wy, wx);
        r = left ? add(PI, negated(r)) : r;
    } else {
        r = arctangent(wx, wy);
        r.sign = !left;
        r = add(HALF_PI, r);
    }
    r.sign = down;
    return r;
}

/* -- Exponential and logarithms --------------------------------------------------------------- */

SfBig sf_sure_2xm1(SfFinite x)
{
    SfBig y = multiply(widen(x), LN2);

    return multiply(y, normal(false, 0, SERIES(exp_terms, fraction(y), y.sign)));
}

/* 2 / ln 2 * artanh(@s) */
static SfBig log2_by_artanh(SfBig s)
{
    SfWide sum = SERIES(atanh_terms, fraction(multiply(s, s)), false);

    return multiply(multiply(s, TWO_LOG2E), normal(false, 0, sum));
}

/* log2 of @x > 0: of its significand, brought between the roots of 1/2 and 2, and its exponent. */
static SfBig log2_of(SfBig x)
{
    const SfWide root2 = W(0xb504f333f9de6484, 0x597d89b3754abe9f);
    int32_t exp = x.exp;

    x.exp = 0;
    if (x.frac > root2) {
        x.exp = -1;
        exp++;
    }
    x = divide(add(x, integer(-1)), add(x, integer(1)));
    return add(integer(exp), x.frac ? log2_by_artanh(x) : x);
}

SfBig sf_sure_yl2x(SfFinite y, SfFinite x)
{
    return multiply(log2_of(widen(x)), widen(y));
}

SfBig sf_sure_yl2xp1(SfFinite y, SfFinite x)
{
    SfBig wx = widen(x), log;

    if (x.exp < -2) {
        log = log2_by_artanh(divide(wx, add(wx, integer(2))));
    } else {
        log = log2_of(add(wx, integer(1)));
    }
    return multiply(log, widen(y));
}

bool sf_next_is_power_of_2(SfFinite x)
{
    return x.exp >= -2 && !(add(widen(x), integer(1)).frac << 1);
}

/* -- One way or the other --------------------------------------------------------------------- */

SfBig sf_wide_sine(SfFinite x, bool of_cosine)
{
    SfBig r;
    return sf_fast_sine(x, of_cosine, &r) ? r : sf_sure_sine(x, of_cosine);
}

SfBig sf_wide_tan(SfFinite x)
{
    SfBig r;
    return sf_fast_tan(x, &r) ? r : sf_sure_tan(x);
}

SfBig sf_wide_atan(SfFinite y, SfFinite x)
{
    SfBig r;
    return sf_fast_atan(y, x, &r) ? r : sf_sure_atan(y, x);
}

SfBig sf_wide_2xm1(SfFinite x)
{
    SfBig r;
    return sf_fast_2xm1(x, &r) ? r : sf_sure_2xm1(x);
}

SfBig sf_wide_yl2x(SfFinite y, SfFinite x)
{
    SfBig r;
    return sf_fast_yl2x(y, x, &r) ? r : sf_sure_yl2x(y, x);
}

SfBig sf_wide_yl2xp1(SfFinite y, SfFinite x)
{
    SfBig r;
    return sf_fast_yl2xp1(y, x, &r) ? r : sf_sure_yl2xp1(y, x);
}
