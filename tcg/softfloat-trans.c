/* SPDX-License-Identifier: MIT */
/*
 * The x87's transcendental instructions in integers, with 128 bits of significand, so that they
 * give the same bits on every host and are rounded correctly but for about one case in 2^55.
 * Operands of sine, cosine and tangent are reduced by pi cut to 66 bits, as x87 hardware does (SDM
 * vol. 1, 8.3.8); results near multiples of pi are those of that pi. What the manual leaves open is
 * as on AMD's Zen 4: F2XM1 gives back what is not within [-1, 1], FYL2XP1 takes any operand above
 * -1 and gives back the others; results that happen to be representable count as inexact.
 */
#include "tcg/softfloat-internal.h"
#include "tcg/softfloat-wide.h"

#define W(hi, lo) ((SfWide)(hi) << 64 | (lo))
#define ONE       W(0x8000000000000000, 0)

static const SfBig PI = { false, 1, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) };
static const SfBig HALF_PI = { false, 0, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) };
static const SfBig QUARTER_PI = { false, -1, W(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1) };
static const SfBig THREE_QUARTER_PI = { false, 1, W(0x96cbe3f9990e91a7, 0x9394c9e8a0a5159d) };

static SfFinite as_finite(SfNum n)
{
    return (SfFinite){ n.sign, n.exp, n.frac };
}

static SfBig power_of_2(bool sign, int32_t exp)
{
    return (SfBig){ sign, exp, ONE };
}

/* A value that is not representable: never a tie, never exact. */
static Float80 inexact(SfEnv *e, SfBig a)
{
    return sf_pack80(sf_round(e, &sf_f80, 64, a.sign, a.exp, a.frac | 1));
}

static Float80 exact(SfEnv *e, SfBig a)
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

bool sf80_trig_in_range(Float80 x)
{
    SfNum n = sf_unpack80(x);
    return n.cls != SF_IS_NUMBER || n.exp < 63;
}

/* @shift 0: sine, 1: cosine */
static Float80 sine_or_cosine(SfEnv *e, Float80 a, unsigned shift)
{
    SfNum x = sf_unpack80(a);
    Float80 nan;

    if (take_nan(e, x, x, &nan)) {
        return nan;
    }
    if (x.cls == SF_IS_INF) {
        return raise_invalid(e);
    }
    if (x.cls == SF_IS_ZERO) {
        return shift ? exact(e, power_of_2(false, 0)) : a;
    }
    if (x.denormal && sf_raise(e, SF_DENORMAL)) {
        return a;
    }
    return inexact(e, sf_wide_sine(as_finite(x), shift));
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
    Float80 nan;

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
    return inexact(e, sf_wide_tan(as_finite(x)));
}

/* -- Arctangent
 * --------------------------------------------------------------------------------------- */

static SfBig angle_of_infinities(SfNum y, SfNum x)
{
    if (x.cls == SF_IS_INF && y.cls == SF_IS_INF) {
        return x.sign ? THREE_QUARTER_PI : QUARTER_PI;
    }
    return y.cls == SF_IS_INF || x.cls == SF_IS_ZERO ? HALF_PI : PI;
}

Float80 sf80_patan(SfEnv *e, Float80 ya, Float80 xa)
{
    SfNum x = sf_unpack80(xa), y = sf_unpack80(ya);
    Float80 nan;
    SfBig r;

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
        r = sf_wide_atan(as_finite(y), as_finite(x));
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

    if (take_nan(e, x, x, &nan)) {
        return nan;
    }
    if (x.cls == SF_IS_INF) {
        return x.sign ? exact(e, power_of_2(true, 0)) : a;
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
        return x.exp == 0 && x.sign && !(x.frac << 1) ? exact(e, power_of_2(true, -1)) : a;
    }
    return inexact(e, sf_wide_2xm1(as_finite(x)));
}

/* @y times a logarithm of @sign: a special one, or @product is what comes out. */
static Float80 times_log(SfEnv *e, SfNum y, bool sign, SfClass log, SfBig product, bool is_exact)
{
    Float80 r;

    sign ^= y.sign;
    if ((log == SF_IS_ZERO && y.cls == SF_IS_INF) || (log == SF_IS_INF && y.cls == SF_IS_ZERO)) {
        return raise_invalid(e);
    }
    if (log == SF_IS_INF || y.cls == SF_IS_INF) {
        return sf_pack80(sf_infinity(sign));
    }
    if (log == SF_IS_ZERO || y.cls == SF_IS_ZERO) {
        return sf_pack80(sf_zero(sign));
    }
    e->flags |= SF_INEXACT;
    if (!is_exact) {
        return inexact(e, product);
    }
    r = exact(e, product);
    if (!(r.se & 0x7fff)) {
        e->flags |= SF_UNDERFLOW;
    }
    return r;
}

static Float80 special_log(SfEnv *e, SfNum y, bool sign, SfClass log)
{
    return times_log(e, y, sign, log, (SfBig){ 0 }, true);
}

Float80 sf80_yl2x(SfEnv *e, Float80 ya, Float80 xa)
{
    SfNum x = sf_unpack80(xa), y = sf_unpack80(ya);
    bool is_power = !(x.frac << 1);
    Float80 nan;

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
        return special_log(e, y, true, SF_IS_INF);
    }
    if ((x.denormal || y.denormal) && sf_raise(e, SF_DENORMAL)) {
        return xa;
    }
    if (x.cls == SF_IS_INF) {
        return special_log(e, y, false, SF_IS_INF);
    }
    if (is_power && x.exp == 0) {
        return special_log(e, y, false, SF_IS_ZERO);
    }
    return times_log(e, y, x.exp < 0, SF_IS_NUMBER,
                     is_special(y) ? (SfBig){ 0 } : sf_wide_yl2x(as_finite(y), as_finite(x)),
                     is_power);
}

Float80 sf80_yl2xp1(SfEnv *e, Float80 ya, Float80 xa)
{
    SfNum x = sf_unpack80(xa), y = sf_unpack80(ya);
    Float80 nan;

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
        return special_log(e, y, x.sign, (SfClass)x.cls);
    }
    if (x.sign && x.exp >= 0) { /* 1 + x is not positive */
        if (is_special(y)) {
            return special_log(e, y, true, SF_IS_NUMBER);
        }
        e->flags |= SF_INEXACT;
        return xa;
    }
    return times_log(e, y, x.sign, SF_IS_NUMBER,
                     is_special(y) ? (SfBig){ 0 } : sf_wide_yl2xp1(as_finite(y), as_finite(x)),
                     sf_next_is_power_of_2(as_finite(x)));
}
