/* SPDX-License-Identifier: MIT */
/*
 * The x87's transcendental instructions in integers, with 128 bits of significand, so that they give
 * the same bits on every host and are rounded correctly but for about one case in 2^55. Operands of
 * sine, cosine and tangent are reduced by pi cut to 66 bits, as x87 hardware does (SDM vol. 1,
 * 8.3.8); results near multiples of pi are those of that pi. What the manual leaves open is as on
 * AMD's Zen 4: F2XM1 gives back what is not within [-1, 1], FYL2XP1 takes any operand above -1 and
 * gives back the others; results that happen to be representable count as inexact.
 */
#include "tcg/softfloat-internal.h"

typedef struct Wide { /* frac / 2^127 * 2^exp, bit 127 of frac set; frac 0: zero */
    bool sign;
    int32_t exp;
    SfWide frac;
} Wide;

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
static const Wide LN2 = { false, -1, W(0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af) };
static const Wide TWO_LOG2E = { false, 1, W(0xb8aa3b295c17f0bb, 0xbe87fed0691d3e89) };
static const Wide PI = { false, 1, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) };
static const Wide HALF_PI = { false, 0, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) };
static const Wide QUARTER_PI = { false, -1, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) };
static const Wide THREE_QUARTER_PI = { false, 1, W(0x96cbe3f9990e91a7, 0x9394c9e8a0a5159d) };
static const Wide atan_eighths[9] = { /* arctan(k / 8) */
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

/* -- Arithmetic
 * --------------------------------------------------------------------------------------- */

static SfWide multiply_high(SfWide a, SfWide b)
{
    SfWide al = (uint64_t)a, ah = a >> 64, bl = (uint64_t)b, bh = b >> 64;
    SfWide low = al * bl, m1 = ah * bl + (low >> 64), m2 = al * bh + (uint64_t)m1;

    return ah * bh + (m1 >> 64) + (m2 >> 64);
}

static Wide normal(bool sign, int32_t exp, SfWide frac)
{
    unsigned shift;

    if (!frac) {
        return (Wide){ sign, 0, 0 };
    }
    shift = frac >> 64 ? (unsigned)__builtin_clzll((uint64_t)(frac >> 64))
                       : 64 + (unsigned)__builtin_clzll((uint64_t)frac);
    return (Wide){ sign, exp - (int32_t)shift, frac << shift };
}

static Wide multiply(Wide a, Wide b)
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

static Wide divide(Wide a, Wide b)
{
    bool small = a.frac < b.frac;
    SfWide rem = small ? a.frac : a.frac >> 1, q;

    q = (SfWide)quotient_digit(&rem, b.frac) << 64;
    q |= quotient_digit(&rem, b.frac);
    return normal(a.sign ^ b.sign, a.exp - b.exp - small, q);
}

static Wide add(Wide a, Wide b)
{
    Wide t;
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

static Wide negated(Wide a)
{
    a.sign = !a.sign;
    return a;
}

static Wide integer(int64_t v)
{
    return normal(v < 0, 63, (SfWide)(uint64_t)(v < 0 ? -v : v) << 64);
}

static Wide widen(SfNum n)
{
    return (Wide){ n.sign, n.exp, (SfWide)n.frac << 64 };
}

/* |@a| < 1 in units of 2^-128 */
static SfWide fraction(Wide a)
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

/* A value that is not representable: never a tie, never exact. */
static Float80 inexact(SfEnv *e, Wide a)
{
    return sf_pack80(sf_round(e, &sf_f80, 64, a.sign, a.exp, a.frac | 1));
}

static Float80 exact(SfEnv *e, Wide a)
{
    return sf_pack80(sf_round(e, &sf_f80, 64, a.sign, a.exp, a.frac));
}

/* What is special about an operand; false: a number other than zero. */
static bool is_special(SfNum n)
{
    return n.cls != SF_IS_NUMBER;
}

static Float80 raise_invalid(SfEnv *e)
{
    return sf_pack80(sf_invalid(e));
}

static bool take_nan(SfEnv *e, SfNum a, SfNum b, Float80 *r)
{
    if (!sf_is_nan(a) && !sf_is_nan(b)) {
        return false;
    }
    *r = sf_pack80(sf_propagate_nan(e, a, b));
    return true;
}

/* -- Sine, cosine, tangent
 * --------------------------------------------------------------------------------------- */

/* pi / 2 of 66 bits, in units of 2^-65 */
#define PI_66 W(3, 0x243f6a8885a308d3)

/* @x less a multiple of pi / 2; exact. */
static Wide reduce(SfNum x, unsigned *quadrant)
{
    SfWide v, r;

    *quadrant = 0;
    if (x.exp < -2) { /* below 1/4 */
        return (Wide){ false, x.exp, (SfWide)x.frac << 64 };
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

static Wide sine(Wide r)
{
    SfWide t = fraction(multiply(r, r));

    return multiply(r, normal(false, 0, SERIES(sin_terms, t, true) - 1));
}

static Wide cosine(Wide r)
{
    SfWide t = fraction(multiply(r, r));

    return normal(false, 0, SERIES(cos_terms, t, true) - 1);
}

bool sf80_trig_in_range(Float80 x)
{
    SfNum n = sf_unpack80(x);
    return n.cls != SF_IS_NUMBER || n.exp < 63;
}

/* @shift 0: sine, 1: cosine */
static Float80 sine_or_cosine(SfEnv *e, Float80 a, unsigned shift)
{
    SfNum x = sf_unpack80(a);
    unsigned quadrant;
    Float80 nan;
    Wide r;

    if (take_nan(e, x, x, &nan)) {
        return nan;
    }
    if (x.cls == SF_IS_INF) {
        return raise_invalid(e);
    }
    if (x.cls == SF_IS_ZERO) {
        return shift ? exact(e, integer(1)) : a;
    }
    if (x.denormal && sf_raise(e, SF_DENORMAL)) {
        return a;
    }
    r = reduce(x, &quadrant);
    quadrant += shift;
    r = quadrant & 1 ? cosine(r) : sine(r);
    r.sign ^= (quadrant >> 1 & 1) ^ (!shift && x.sign);
    return inexact(e, r);
}

Float80 sf80_sin(SfEnv *e, Float80 x)
{
    return sine_or_cosine(e, x, 0);
}

Float80 sf80_cos(SfEnv *e, Float80 x)
{
    return sine_or_cosine(e, x, 1);
}

Float80 sf80_tan(SfEnv *e, Float80 a)
{
    SfNum x = sf_unpack80(a);
    unsigned quadrant;
    Float80 nan;
    Wide r;

    if (take_nan(e, x, x, &nan)) {
        return nan;
    }
    if (x.cls == SF_IS_INF) {
        return raise_invalid(e);
    }
    if (x.cls == SF_IS_ZERO) {
        return a;
    }
    if (x.denormal && sf_raise(e, SF_DENORMAL)) {
        return a;
    }
    r = reduce(x, &quadrant);
    if (quadrant & 1) {
        r = negated(divide(cosine(r), sine(r)));
    } else if (r.exp >= -60) {
        r = divide(sine(r), cosine(r));
    } /* else just above @a */
    r.sign ^= x.sign;
    return inexact(e, r);
}

/* -- Arctangent
 * --------------------------------------------------------------------------------------- */

/* arctan(@y / @x), 0 < y <= x */
static Wide arctangent(Wide y, Wide x)
{
    unsigned k = 0;
    Wide z, t;

    if (x.exp - y.exp < 6) { /* the nearest eighth of y / x */
        uint64_t ratio = (uint64_t)(y.frac >> 80) * 16 / (uint64_t)(x.frac >> 80);
        k = (unsigned)(((ratio >> (x.exp - y.exp)) + 1) / 2);
    }
    z = divide(y, x);
    if (k) { /* arctan(c) + arctan((y - c x) / (x + c y)) */
        Wide c = multiply(integer(k), (Wide){ false, -3, ONE });
        z = divide(add(y, negated(multiply(c, x))), add(x, multiply(c, y)));
    }
    if (!z.frac) {
        return atan_eighths[k];
    }
    t = multiply(z, normal(false, 0, SERIES(atanh_terms, fraction(multiply(z, z)), true) - 1));
    return k ? add(atan_eighths[k], t) : t;
}

static Wide angle_of_infinities(SfNum y, SfNum x)
{
    if (x.cls == SF_IS_INF && y.cls == SF_IS_INF) {
        return x.sign ? THREE_QUARTER_PI : QUARTER_PI;
    }
    return y.cls == SF_IS_INF || x.cls == SF_IS_ZERO ? HALF_PI : PI;
}

Float80 sf80_patan(SfEnv *e, Float80 ya, Float80 xa)
{
    SfNum x = sf_unpack80(xa), y = sf_unpack80(ya);
    Wide wx, wy, r;
    Float80 nan;

    if (take_nan(e, x, y, &nan)) {
        return nan;
    }
    if ((x.denormal || y.denormal) && sf_raise(e, SF_DENORMAL)) {
        return xa;
    }
    if ((y.cls == SF_IS_ZERO || (x.cls == SF_IS_INF && y.cls != SF_IS_INF)) && !x.sign) {
        return sf_pack80(sf_zero(y.sign));
    }
    if (y.cls == SF_IS_ZERO) {
        r = PI;
    } else if (is_special(x) || is_special(y)) {
        r = angle_of_infinities(y, x);
    } else {
        wx = widen(x);
        wy = widen(y);
        wx.sign = wy.sign = false;
        if (wy.exp < wx.exp || (wy.exp == wx.exp && wy.frac <= wx.frac)) {
            r = arctangent(wy, wx);
            r = x.sign ? add(PI, negated(r)) : r;
        } else {
            r = arctangent(wx, wy);
            r.sign = !x.sign;
            r = add(HALF_PI, r);
        }
    }
    r.sign = y.sign;
    return inexact(e, r);
}

/* -- Exponential and logarithms
 * --------------------------------------------------------------------------------------- */

Float80 sf80_2xm1(SfEnv *e, Float80 a)
{
    SfNum x = sf_unpack80(a);
    Float80 nan;
    SfWide sum;
    Wide y;

    if (take_nan(e, x, x, &nan)) {
        return nan;
    }
    if (x.cls == SF_IS_INF) {
        return x.sign ? exact(e, integer(-1)) : a;
    }
    if (x.cls == SF_IS_ZERO) {
        return a;
    }
    if (x.denormal && sf_raise(e, SF_DENORMAL)) {
        return a;
    }
    if (x.exp >= 0) { /* 1, -1, or out of range */
        e->flags |= SF_INEXACT;
        if (x.exp == 0 && !x.sign && !(x.frac << 1) && e->rounding != SF_DOWN &&
            e->rounding != SF_ZERO) {
            e->flags |= SF_C1; /* 1 comes out as just below 1, rounded */
        }
        return x.exp == 0 && x.sign && !(x.frac << 1) ? exact(e, (Wide){ true, -1, ONE }) : a;
    }
    y = multiply(widen(x), LN2);
    sum = SERIES(exp_terms, fraction(y), y.sign);
    return inexact(e, multiply(y, normal(false, 0, sum)));
}

/* 2 / ln 2 * artanh(@s) */
static Wide log2_by_artanh(Wide s)
{
    SfWide sum = SERIES(atanh_terms, fraction(multiply(s, s)), false);

    return multiply(multiply(s, TWO_LOG2E), normal(false, 0, sum));
}

/* log2 of @x > 0: of its significand, brought between the roots of 1/2 and 2, and its exponent. */
static Wide log2_of(Wide x)
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

static bool is_power_of_2(Wide x)
{
    return !(x.frac << 1);
}

/* @y times a logarithm that is @log, or infinite or zero as @special says. */
static Float80 times_log(SfEnv *e, SfNum y, Wide log, SfClass special, bool is_exact)
{
    bool sign = y.sign ^ log.sign;
    Float80 r;

    if ((special == SF_IS_ZERO && y.cls == SF_IS_INF) ||
        (special == SF_IS_INF && y.cls == SF_IS_ZERO)) {
        return raise_invalid(e);
    }
    if (special == SF_IS_INF || y.cls == SF_IS_INF) {
        return sf_pack80(sf_infinity(sign));
    }
    if (special == SF_IS_ZERO || y.cls == SF_IS_ZERO) {
        return sf_pack80(sf_zero(sign));
    }
    log = multiply(log, widen(y));
    e->flags |= SF_INEXACT;
    if (!is_exact) {
        return inexact(e, log);
    }
    r = exact(e, log);
    if (!(r.se & 0x7fff)) {
        e->flags |= SF_UNDERFLOW;
    }
    return r;
}

Float80 sf80_yl2x(SfEnv *e, Float80 ya, Float80 xa)
{
    SfNum x = sf_unpack80(xa), y = sf_unpack80(ya);
    Float80 nan;
    Wide log;

    if (take_nan(e, x, y, &nan)) {
        return nan;
    }
    if (x.sign && x.cls != SF_IS_ZERO) {
        return raise_invalid(e);
    }
    if (x.cls == SF_IS_ZERO) {
        if (y.cls == SF_IS_NUMBER && sf_raise(e, SF_DIVZERO)) {
            return xa;
        }
        return times_log(e, y, (Wide){ .sign = true }, SF_IS_INF, true);
    }
    if ((x.denormal || y.denormal) && sf_raise(e, SF_DENORMAL)) {
        return xa;
    }
    if (x.cls == SF_IS_INF) {
        return times_log(e, y, (Wide){ 0 }, SF_IS_INF, true);
    }
    log = log2_of(widen(x));
    return times_log(e, y, log, log.frac ? SF_IS_NUMBER : SF_IS_ZERO, is_power_of_2(widen(x)));
}

Float80 sf80_yl2xp1(SfEnv *e, Float80 ya, Float80 xa)
{
    SfNum x = sf_unpack80(xa), y = sf_unpack80(ya);
    Float80 nan;
    Wide wx, log;

    if (take_nan(e, x, y, &nan)) {
        return nan;
    }
    if (x.sign && x.cls == SF_IS_INF) {
        return raise_invalid(e);
    }
    if ((x.denormal || y.denormal) && sf_raise(e, SF_DENORMAL)) {
        return xa;
    }
    if (is_special(x)) {
        return times_log(e, y, (Wide){ .sign = x.sign }, x.cls, true);
    }
    wx = widen(x);
    if (x.sign && x.exp >= 0) { /* 1 + x is not positive */
        if (is_special(y)) {
            return times_log(e, y, (Wide){ .sign = true }, SF_IS_NUMBER, true);
        }
        e->flags |= SF_INEXACT;
        return xa;
    }
    if (x.exp < -2) {
        log = log2_by_artanh(divide(wx, add(wx, integer(2))));
    } else {
        log = log2_of(add(wx, integer(1)));
    }
    return times_log(e, y, log, SF_IS_NUMBER, x.exp >= -2 && is_power_of_2(add(wx, integer(1))));
}
