/* SPDX-License-Identifier: MIT */
/*
 * Transcendental x87 instructions on hosts without an x87, by the C library's long double. Where
 * that has 113 bits (AArch64, RISC-V, LoongArch) the error is below 0.51 units in the last place;
 * pi is not cut to 66 bits as in some processors. Where it has less, so do results.
 */
#include <math.h>

#include "target-i386/help-fp.h"

enum { F2XM1 = 0xf0, FYL2X, FPTAN, FPATAN, FYL2XP1 = 0xf9, FSINCOS = 0xfb, FSIN = 0xfe, FCOS };

static bool is_nan(Float80 v)
{
    unsigned biased = v.se & 0x7fff;

    return (biased == 0x7fff && v.frac << 1) || (biased && !(v.frac >> 63));
}

static bool is_inf(Float80 v)
{
    return (v.se & 0x7fff) == 0x7fff && !(v.frac << 1);
}

static bool is_zero(Float80 v)
{
    return !(v.se & 0x7fff) && !v.frac;
}

static bool is_denormal(Float80 v)
{
    return !(v.se & 0x7fff) && v.frac;
}

static long double to_host(Float80 v)
{
    long double m;

    if (is_inf(v))
        return v.se >> 15 ? -INFINITY : INFINITY;
    m = ldexpl((long double)v.frac, (int)MAX(v.se & 0x7fff, 1) - 16383 - 63);
    return v.se >> 15 ? -m : m;
}

/* @m, near 1, as an F80, cut; *@rest: what was cut off. */
static Float80 cut(long double m, long double *rest)
{
    int exp;
    long double f = frexpl(fabsl(m), &exp);
    uint64_t frac = (uint64_t)ldexpl(f, 64);
    Float80 r = { frac, (uint16_t)((signbit(m) ? 0x8000 : 0) | (exp + 16382)) };

    *rest = copysignl(ldexpl(ldexpl(f, 64) - (long double)frac, exp - 64), m);
    return r;
}

/* A value that is never exact, rounded under @e. A denormal result is rounded twice. */
static Float80 from_host(SfEnv *e, long double v)
{
    long double rest, none, m;
    Float80 hi, lo;
    int exp;

    if (isnan(v))
        return x87_indefinite();
    if (v == 0 || isinf(v))
        return (Float80){ v == 0 ? 0 : 1ull << 63,
                          (uint16_t)((signbit(v) ? 0x8000 : 0) | (v == 0 ? 0 : 0x7fff)) };
    m = frexpl(v, &exp);
    hi = cut(m, &rest);
    lo = cut(rest == 0 ? ldexpl(m, -120) : rest, &none);
    hi = sf80_op(e, SF_ADD, hi, lo);
    return sf80_scale(e, hi, sf_i64_to_f80(e, exp));
}

static Float80 zero_or_inf(bool inf, bool negative)
{
    return (Float80){ inf ? 1ull << 63 : 0, (uint16_t)(negative << 15 | (inf ? 0x7fff : 0)) };
}

static Float80 invalid(SfEnv *e)
{
    e->flags |= SF_INVALID;
    return x87_indefinite();
}

static Float80 log_of(SfEnv *e, Float80 x, Float80 y, bool plus1)
{
    long double vx = to_host(x), vy = to_host(y);
    bool zero = plus1 ? false : is_zero(x);

    if (zero) {
        if (is_zero(y))
            return invalid(e);
        if (!is_inf(y))
            e->flags |= SF_DIVZERO;
        return zero_or_inf(true, !(y.se >> 15));
    }
    if (plus1 ? vx <= -1 : vx < 0)
        return invalid(e);
    vx = plus1 ? log1pl(vx) / M_LN2l : log2l(vx);
    if ((isinf(vx) && is_zero(y)) || (vx == 0 && is_inf(y)))
        return invalid(e);
    return from_host(e, vy * vx);
}

/* Operands that are no ordinary numbers have been dealt with. */
static X87Result trigonometric(SfEnv *e, unsigned modrm, Float80 x)
{
    long double v = to_host(x);
    X87Result r = { .st0 = x, .st1 = x };

    if (is_inf(x)) {
        r.st0 = r.st1 = invalid(e);
        r.pushed = modrm == FPTAN || modrm == FSINCOS;
        return r;
    }
    if (fabsl(v) >= 0x1p63l) {
        r.flags = FSW_C2;
        return r;
    }
    switch (modrm) {
    case FSIN: r.st0 = from_host(e, sinl(v)); break;
    case FCOS: r.st0 = is_zero(x) ? (Float80){ 1ull << 63, 0x3fff } : from_host(e, cosl(v)); break;
    case FPTAN:
        r.st1 = from_host(e, tanl(v));
        r.st0 = (Float80){ 1ull << 63, 0x3fff };
        r.pushed = true;
        break;
    default:
        r.st1 = from_host(e, sinl(v));
        r.st0 = is_zero(x) ? (Float80){ 1ull << 63, 0x3fff } : from_host(e, cosl(v));
        r.pushed = true;
        break;
    }
    return r;
}

static Float80 exp2_minus1(SfEnv *e, Float80 x)
{
    long double v = to_host(x);

    if (is_zero(x))
        return x;
    if (is_inf(x))
        return v < 0 ? (Float80){ 1ull << 63, 0xbfff } : x;
    return from_host(e, expm1l(v * M_LN2l));
}

X87Result x87_transcendental(unsigned modrm, Float80 x, Float80 y, uint16_t fcw)
{
    SfEnv e = {
        .rounding = (SfRounding)(fcw >> 10 & 3), .precision = 3, .masks = fcw & 0x3f, .x87 = true
    };
    bool two = modrm == FYL2X || modrm == FYL2XP1 || modrm == FPATAN;
    X87Result r = { .st0 = x, .st1 = y };

    if (is_nan(x) || (two && is_nan(y))) {
        r.st0 = r.st1 = sf80_op(&e, SF_ADD, x, two ? y : x);
        r.pushed = modrm == FPTAN || modrm == FSINCOS;
    } else {
        if (is_denormal(x) || (two && is_denormal(y)))
            e.flags |= SF_DENORMAL;
        if (modrm == F2XM1)
            r.st0 = exp2_minus1(&e, x);
        else if (modrm == FPATAN)
            r.st0 = from_host(&e, atan2l(to_host(y), to_host(x)));
        else if (two)
            r.st0 = log_of(&e, x, y, modrm == FYL2XP1);
        else
            r = trigonometric(&e, modrm, x);
    }
    r.flags |= (uint16_t)e.flags;
    return r;
}
