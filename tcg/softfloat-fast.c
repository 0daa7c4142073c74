/* SPDX-License-Identifier: MIT */
/*
 * Transcendental functions of one table look-up and a short series, with some 77 good bits. That is
 * not enough where a result lies very near to a number of 64 bits or the middle of two, one case in
 * some hundred: rounded() declines those, and softfloat-trans.c computes them with all it has. So
 * results do not depend on what is done here.
 *
 * Everything is in fixed point: "x in 2^-70" is a variable that holds x * 2^70. Arguments are
 * reduced to |d| <= 2^-7 about the nearest table entry; d^2 is then below 2^-14, and what is
 * multiplied by it needs but 64 bits.
 */
#include "tcg/softfloat-wide.h"

#define W(hi, lo) ((SfWide)(hi) << 64 | (lo))
#define ONE       W(0x8000000000000000, 0)

static const SfWide LN2 = W(0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af);   /* in 2^-128 */
static const SfWide LOG2E = W(0xb8aa3b295c17f0bb, 0xbe87fed0691d3e89); /* in 2^-127 */

/* -- Arithmetic ------------------------------------------------------------------------------- */

static inline uint64_t mulh(uint64_t a, uint64_t b)
{
    return (uint64_t)((SfWide)a * b >> 64);
}

static inline SfWide multiply_high(SfWide a, SfWide b)
{
    SfWide al = (uint64_t)a, ah = a >> 64, bl = (uint64_t)b, bh = b >> 64;
    SfWide low = al * bl, m1 = ah * bl + (low >> 64), m2 = al * bh + (uint64_t)m1;

    return ah * bh + (m1 >> 64) + (m2 >> 64);
}

/* @a * @b / 2^64 */
static inline SfWide multiply_64(SfWide a, uint64_t b)
{
    return (a >> 64) * b + mulh((uint64_t)a, b);
}

static inline SfWide shift_right(SfWide a, unsigned n)
{
    return n < 128 ? a >> n : 0;
}

static inline unsigned leading_zeros(SfWide a)
{
    return a >> 64 ? (unsigned)__builtin_clzll((uint64_t)(a >> 64))
                   : 64 + (unsigned)__builtin_clzll((uint64_t)a);
}

static inline SfBig normal(bool sign, int32_t exp, SfWide frac)
{
    unsigned shift = leading_zeros(frac);

    return (SfBig){ sign, exp - (int32_t)shift, frac << shift };
}

/* Would an error of 2^@error in the last place not change what @r is rounded to? */
static inline bool is_safe(const SfBig *r, unsigned error)
{
    uint64_t margin = 2ull << error;

    return ((uint64_t)r->frac << 1) - margin < -2 * margin;
}

static inline bool rounded(SfBig *r, bool sign, int32_t exp, SfWide frac, unsigned error)
{
    *r = normal(sign, exp, frac);
    return is_safe(r, error);
}

/* floor(@a / @d) for what fits: the upper half of @a is less than @d */
static inline uint64_t quotient(SfWide a, uint64_t d)
{
#ifdef __x86_64__
    uint64_t q, rest;

    __asm__("divq %4"
            : "=a"(q), "=d"(rest)
            : "a"((uint64_t)a), "d"((uint64_t)(a >> 64)), "r"(d)
            : "cc");
    return q;
#else
    return (uint64_t)(a / d);
#endif
}

/* @a / @b in 2^-128 but for an error of 2^-120 of it; @a < @b, bit 127 of @b set. */
static SfWide divide(SfWide a, SfWide b)
{
    uint64_t bh = (uint64_t)(b >> 64), q, low;
    SfWide product, rest;

    q = a >> 64 < bh ? quotient(a, bh) : UINT64_MAX; /* too large by at most 3 */
    product = multiply_64(b, q);                     /* q * b / 2^64 */
    low = (uint64_t)b * q;
    while (product > a || (product == a && low)) {
        q--;
        product -= bh + ((uint64_t)b > low);
        low -= (uint64_t)b;
    }
    rest = ((a - product) << 64) - low; /* less than b, in 2^-64 of what a is in */
    return (SfWide)q << 64 | (rest >> 64 < bh ? quotient(rest, bh) : UINT64_MAX);
}

/* d^2 in 2^-78, d in 2^-70, at most 2^-7 */
static inline uint64_t square(uint64_t d)
{
    SfWide s = (SfWide)d * d >> 62;
    return s >> 64 ? UINT64_MAX : (uint64_t)s;
}

/* -- Sine and cosine -------------------------------------------------------------------------- */

/* pi / 2 of 66 bits in 2^-65, 2 / pi in 2^-64 */
#define PI_66     W(3, 0x243f6a8885a308d3)
#define TWO_BY_PI 0xa2f9836e4e44152a

/* (d - sin d) / d^3 in 2^-66, of d^2 in 2^-64 */
static inline uint64_t sine_factor(uint64_t u)
{
    uint64_t p = 0x0034034034034034 - mulh(u, 0x0000b8ef1d2ab63a);

    p = 0x0888888888888889 - mulh(u, p);
    return 0xaaaaaaaaaaaaaaab - mulh(u, p);
}

/* 1 - cos d in 2^-78 */
static inline uint64_t cosine_series(uint64_t t)
{
    uint64_t u = t >> 14;
    uint64_t p = 0x005b05b05b05b05b - mulh(u, 0x0001a01a01a01a02);

    p = 0x0aaaaaaaaaaaaaab - mulh(u, p);
    return mulh(t, 0x8000000000000000 - mulh(u, p));
}

/* x less a multiple of pi / 2: its absolute value in 2^-70, *@sign. False: near enough to 0 for
 * another form. */
static inline SfWide reduce(SfFinite x, unsigned *quadrant, bool *sign)
{
    SfWide v, r;
    uint64_t q;

    *quadrant = 0;
    *sign = false;
    if (x.exp < -1) {
        return shift_right((SfWide)x.frac << 7, (unsigned)-x.exp);
    }
    v = (SfWide)x.frac << (x.exp + 2);
    q = mulh(x.frac, TWO_BY_PI);
    q = ((q >> (62 - x.exp)) + 1) >> 1;
    r = v - q * PI_66;
    *quadrant = q & 3;
    if (r >> 127) {
        *sign = true;
        r = -r;
    }
    return r << 5;
}

/* sin x for x = @frac / 2^63 * 2^@exp below 2^-7 */
static SfBig small_sine(bool sign, int32_t exp, uint64_t frac)
{
    unsigned small = (unsigned)(-7 - exp);
    uint64_t v;

    v = mulh(mulh(frac, frac), sine_factor(square(frac >> small) >> 14)); /* in 2^-78 / 4^small */
    return normal(sign, exp, ((SfWide)frac << 64) - ((SfWide)frac * v >> (14 + 2 * small)));
}

/* sin(big + d) or cos: @big is that of the table entry, @slope the other one, @down whether adding
 * d makes it less; d in 2^-70. */
static SfBig by_table(bool sign, SfWide big, SfWide slope, uint64_t d, bool down)
{
    uint64_t t = square(d), w = mulh(d, mulh(t, sine_factor(t >> 14))); /* d - sin d in 2^-86 */
    SfWide by_slope = (multiply_64(slope, d) >> 6) - ((slope >> 64) * w >> 22);

    big -= multiply_64(big, cosine_series(t)) >> 14;
    return normal(sign, 0, down ? big - by_slope : big + by_slope);
}

/* False: there is none. Errors are below 2^53. */
static bool sine(SfFinite x, bool cosine, SfBig *r)
{
    unsigned quadrant, k;
    bool sign, below;
    SfWide m;
    uint64_t d;
    int32_t exp = x.exp;

    if (x.exp > 60 || x.exp < -34) {
        return false;
    }
    m = reduce(x, &quadrant, &sign);
    k = (unsigned)((m + (1ull << 63)) >> 64);
    if (k >= 52) {
        return false;
    }
    quadrant += cosine;
    sign = (!(quadrant & 1) && sign) ^ (quadrant >> 1 & 1) ^ (!cosine && x.sign);
    below = m < (SfWide)k << 64;
    d = (uint64_t)(below ? ((SfWide)k << 64) - m : m);
    if (quadrant & 1) {
        *r = by_table(sign, sf_sin_cos[k][1], sf_sin_cos[k][0], d, !below);
    } else if (k) {
        *r = by_table(sign, sf_sin_cos[k][0], sf_sin_cos[k][1], d, below);
    } else if (x.exp < -1) {
        *r = small_sine(sign, exp, x.frac);
    } else if (d >> 36) {
        k = (unsigned)__builtin_clzll(d);
        *r = small_sine(sign, -7 - (int32_t)k, d << k);
    } else {
        return false;
    }
    return true;
}

bool sf_fast_sine(SfFinite x, bool cosine, SfBig *r)
{
    return sine(x, cosine, r) && is_safe(r, 53);
}

bool sf_fast_tan(SfFinite x, SfBig *r)
{
    SfBig s, c;
    bool less;

    if (!sine(x, false, &s) || !sine(x, true, &c)) {
        return false;
    }
    less = s.frac < c.frac;
    return rounded(r, s.sign ^ c.sign, s.exp - c.exp + (less ? 0 : 1),
                   divide(s.frac >> (less ? 1 : 2), c.frac), 55);
}

/* -- Arctangent ------------------------------------------------------------------------------- */

/* (z - arctan z) / z^3 in 2^-65, of z^2 in 2^-64 */
static inline uint64_t atan_factor(uint64_t u)
{
    uint64_t p = 0x38e38e38e38e38e4 - mulh(u, 0x2e8ba2e8ba2e8ba3);

    p = 0x4924924924924925 - mulh(u, p);
    p = 0x6666666666666666 - mulh(u, p);
    return 0xaaaaaaaaaaaaaaab - mulh(u, p);
}

/* Of y / x = k / 64 + …, z = tan(arctan(y / x) - arctan(k / 64)) is left. @y, @x: bits 63 set, y /
 * x to be divided by 2^@n. Result in 2^-127. */
static SfWide first_octant(uint64_t y, uint64_t x, unsigned n)
{
    uint64_t ratio = ((y >> 32) << 31) / (x >> 32) >> n;
    unsigned k = (unsigned)((ratio + (1u << 24)) >> 25);
    SfWide wy = (SfWide)y << 56 >> n, wx = (SfWide)x << 56, num = wy * 64, den, z;
    unsigned shift;
    uint64_t d, t;
    bool below;

    k += !k;
    den = wx * 64 + wy * k;
    below = num < wx * k;
    num = below ? wx * k - num : num - wx * k;
    shift = leading_zeros(den);
    z = divide(num << shift, den << shift);
    d = (uint64_t)(z >> 58);
    t = square(d);
    z -= (SfWide)mulh(d, mulh(t, atan_factor(t >> 14))) << 43;
    return (below ? sf_atan[k] - z : sf_atan[k] + z) >> 1;
}

/* arctan(y / x) for y / x below 2^-7 */
static bool small_atan(SfFinite y, SfFinite x, int32_t *exp, SfWide *r)
{
    bool less = y.frac < x.frac;
    SfWide z = divide((SfWide)y.frac << (less ? 63 : 62), (SfWide)x.frac << 64);
    unsigned small;
    uint64_t f, v;

    *exp = y.exp - x.exp - less;
    if (*exp < -34 || *exp > -8) {
        return false;
    }
    z <<= leading_zeros(z); /* now in [1, 2) in 2^-127 */
    f = (uint64_t)(z >> 64);
    small = (unsigned)(-7 - *exp);
    v = mulh(mulh(f, f), atan_factor(square(f >> small) >> 14)); /* in 2^-77 / 4^small */
    *r = z - ((SfWide)f * v >> (13 + 2 * small));
    return true;
}

bool sf_fast_atan(SfFinite y, SfFinite x, SfBig *r)
{
    /* in 2^-125 */
    static const SfWide PI = W(0x6487ed5110b4611a, 0x62633145c06e0e69);
    bool steep = y.exp > x.exp || (y.exp == x.exp && y.frac > x.frac);
    SfFinite num = steep ? x : y, den = steep ? y : x;
    unsigned n = (unsigned)(den.exp - num.exp);
    int32_t exp = 0;
    SfWide angle;

    if (n > 34) {
        return false;
    }
    if (n > 7 || (n == 7 && num.frac < den.frac)) {
        if (!small_atan(num, den, &exp, &angle)) {
            return false;
        }
    } else {
        angle = first_octant(num.frac, den.frac, n);
    }
    if (!steep && !x.sign) {
        return rounded(r, y.sign, exp, angle, 50);
    }
    angle = angle >> (2 - exp);
    if (!steep) {
        angle = PI - angle;
    } else {
        angle = x.sign ? (PI >> 1) + angle : (PI >> 1) - angle;
    }
    return rounded(r, y.sign, 2, angle, 52);
}

/* -- Exponential ------------------------------------------------------------------------------ */

/* |e^±a - 1| for @a in 2^-128 below 2^-7 */
static SfWide exp_less_1(SfWide a, bool negative)
{
    uint64_t u = (uint64_t)(a >> 64), t = square((uint64_t)(a >> 58)), even, odd;
    SfWide half = a >> 1, rest;

    /* a^2 / 6 ± a^3 / 24 + a^4 / 120 ± … in 2^-80 */
    even = 0x0888888888888889 + mulh(t >> 14, 0x0034034034034034);
    even = 0xaaaaaaaaaaaaaaab + mulh(t >> 14, even);
    odd = 0x016c16c16c16c16c + mulh(t >> 14, 0x0006806806806807);
    odd = mulh(u, 0x2aaaaaaaaaaaaaab + mulh(t >> 14, odd));
    rest = (SfWide)mulh(t, negative ? even - odd : even + odd) << 48;
    return negative ? a - multiply_high(a, half - rest) : a + multiply_high(a, half + rest);
}

bool sf_fast_2xm1(SfFinite x, SfBig *r)
{
    SfWide m, a, e;
    unsigned k;
    uint64_t d;
    bool below, negative;
    const SfWide *row;

    if (x.exp < -34) {
        return false;
    }
    if (x.exp < -7) {
        a = multiply_64(LN2, x.frac) >> (-1 - x.exp);
        return rounded(r, x.sign, -1, exp_less_1(a, x.sign), 52);
    }
    m = (SfWide)x.frac << (x.exp + 7); /* in 2^-70 */
    k = (unsigned)((m + (1ull << 63)) >> 64);
    below = m < (SfWide)k << 64;
    d = (uint64_t)(below ? ((SfWide)k << 64) - m : m);
    negative = below ^ x.sign;
    a = multiply_64(LN2, d) >> 6;
    e = exp_less_1(a, negative);
    row = sf_exp2[x.sign ? 64 - k : 64 + k];
    e = multiply_high(row[0], e) << 1;
    e = below ? row[1] - e : row[1] + e;
    return rounded(r, x.sign, -1, e, 52);
}

/* -- Logarithms ------------------------------------------------------------------------------- */

/* |log2(1 ± a)| in 2^-125 * 2^@exp for a = @a / 2^127 * 2^@exp below 2^-7, bit 127 of @a set */
static SfWide log2_near_1(SfWide a, int32_t exp, bool below)
{
    SfWide w = shift_right(a, (unsigned)(-1 - exp)), half = w >> 1, rest; /* in 2^-128 */
    uint64_t u = (uint64_t)(w >> 64), t = square((uint64_t)(w >> 58)), s = t >> 14, even, odd;

    /* a^2 / 3 ± a^3 / 4 + a^4 / 5 ± … in 2^-79 */
    even = 0x38e38e38e38e38e4 + mulh(s, 0x2e8ba2e8ba2e8ba3);
    odd = 0x3333333333333333 + mulh(s, 0x2aaaaaaaaaaaaaab);
    even = 0x4924924924924925 + mulh(s, even);
    odd = 0x4000000000000000 + mulh(s, odd);
    even = 0x6666666666666666 + mulh(s, even);
    odd = 0x5555555555555555 + mulh(s, odd);
    even = 0xaaaaaaaaaaaaaaab + mulh(s, even);
    odd = mulh(u, 0x8000000000000000 + mulh(s, odd));
    rest = (SfWide)mulh(t, below ? even + odd : even - odd) << 49;
    a >>= 1;
    a = below ? a + multiply_high(a, half + rest) : a - multiply_high(a, half - rest);
    return multiply_high(a, LOG2E);
}

/* y * ±@log / 2^127 * 2^@exp */
static bool times(SfFinite y, bool sign, int32_t exp, SfWide log, SfBig *r)
{
    unsigned shift = leading_zeros(log);

    exp += y.exp - (int32_t)shift + 1;
    return exp > -16000 && exp < 16000 &&
           rounded(r, sign ^ y.sign, exp, multiply_64(log << shift, y.frac), 52);
}

/* y * log2(@m / 2^127 * 2^@exp), bit 127 of @m set, its lowest 9 bits 0 */
static bool times_log2(SfFinite y, SfWide m, int32_t exp, SfBig *r)
{
    unsigned row = (uint64_t)(m >> 64) >> 56 & 0x7f, shift;
    SfWide a = (m >> 9) * sf_log2_factor[row], log, base;
    bool below = !(a >> 126), negative;

    a = below ? ((SfWide)1 << 126) - a : a - ((SfWide)1 << 126);
    if (!a) {
        return false;
    }
    shift = leading_zeros(a);
    log = log2_near_1(a << shift, 1 - (int32_t)shift, below);
    base = ((SfWide)(__int128)exp << 112) + sf_log2[row]; /* of two's complement */
    if (!base) {
        return times(y, below, 3 - (int32_t)shift, log, r);
    }
    log = shift_right(log, 12 + shift);
    base = below ? base - log : base + log;
    negative = base >> 127;
    return times(y, negative, 15, negative ? -base : base, r);
}

bool sf_fast_yl2x(SfFinite y, SfFinite x, SfBig *r)
{
    return times_log2(y, (SfWide)x.frac << 64, x.exp, r);
}

bool sf_fast_yl2xp1(SfFinite y, SfFinite x, SfBig *r)
{
    SfWide m;
    unsigned shift;

    if (x.exp < -8) {
        return times(y, x.sign, x.exp + 2, log2_near_1((SfWide)x.frac << 64, x.exp, x.sign), r);
    }
    if (x.exp > 48) {
        return false;
    }
    if (x.exp >= 0) {
        m = ((SfWide)x.frac << 63) + ((SfWide)1 << 126 >> x.exp);
    } else {
        m = (SfWide)x.frac << 63 >> -x.exp;
        m = x.sign ? ((SfWide)1 << 126) - m : ((SfWide)1 << 126) + m;
    }
    shift = leading_zeros(m);
    return times_log2(y, m << shift, 1 + (x.exp > 0 ? x.exp : 0) - (int32_t)shift, r);
}
