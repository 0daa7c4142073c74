/* SPDX-License-Identifier: MIT */
/* Soft float: unpacking, NaN selection, rounding and packing (see softfloat-internal.h). */
#include "tcg/softfloat-internal.h"

#include <glib.h>

#define TOP_BIT   (1ull << 63)
#define QUIET_BIT (1ull << 62)

/* What an unmasked overflow or underflow of an x87 register adds to or takes from the exponent. */
#define X87_WRAP 24576

const SfFormat sf_f32 = { 24, -126, 127 }, sf_f64 = { 53, -1022, 1023 },
               sf_f80 = { 64, -16382, 16383 };

/* Fields of F32 and F64: @frac without integer bit, aligned so that its top bit is bit 62. */
static SfNum unpack(const SfFormat *fmt, bool daz, bool sign, int biased, uint64_t frac)
{
    SfNum n = { .sign = sign };

    if (biased == fmt->emax * 2 + 1) {
        n.cls = !frac ? SF_IS_INF : (frac & QUIET_BIT) ? SF_IS_QNAN : SF_IS_SNAN;
        n.frac = frac | TOP_BIT;
    } else if (biased) {
        n.cls = SF_IS_NUMBER;
        n.exp = biased - fmt->emax;
        n.frac = frac | TOP_BIT;
    } else if (frac && !daz) {
        unsigned shift = (unsigned)__builtin_clzll(frac);

        n.cls = SF_IS_NUMBER;
        n.denormal = true;
        n.exp = fmt->emin - (int)shift;
        n.frac = frac << shift;
    }
    return n;
}

SfNum sf_unpack32(const SfEnv *e, uint32_t a)
{
    return unpack(&sf_f32, e->daz && !e->x87, a >> 31, a >> 23 & 0xff,
                  (uint64_t)(a & 0x7fffff) << 40);
}

SfNum sf_unpack64(const SfEnv *e, uint64_t a)
{
    return unpack(&sf_f64, e->daz && !e->x87, a >> 63, a >> 52 & 0x7ff, (a << 12) >> 1);
}

SfNum sf_unpack80(Float80 a)
{
    int biased = a.se & 0x7fff;
    SfNum n = { .sign = a.se >> 15, .frac = a.frac };

    if (biased && !(a.frac & TOP_BIT)) {
        n.cls = SF_IS_BAD;
    } else if (biased == 0x7fff) {
        n.cls = a.frac == TOP_BIT ? SF_IS_INF : (a.frac & QUIET_BIT) ? SF_IS_QNAN : SF_IS_SNAN;
    } else if (biased) {
        n.cls = SF_IS_NUMBER;
        n.exp = biased - 16383;
    } else if (a.frac) { /* a pseudo-denormal has bit 63 and the same scale */
        unsigned shift = (unsigned)__builtin_clzll(a.frac);

        n.cls = SF_IS_NUMBER;
        n.denormal = true;
        n.exp = -16382 - (int)shift;
        n.frac <<= shift;
    }
    return n;
}

/* Biased exponent and fraction (bit 63 = integer bit) of a rounded result. */
static unsigned fields(const SfFormat *fmt, SfNum n, uint64_t *frac)
{
    *frac = n.frac;
    switch (n.cls) {
    case SF_IS_ZERO: *frac = 0; return 0;
    case SF_IS_INF: *frac = TOP_BIT; return (unsigned)fmt->emax * 2 + 1;
    case SF_IS_NUMBER: return n.frac & TOP_BIT ? (unsigned)(n.exp + fmt->emax) : 0;
    default: return (unsigned)fmt->emax * 2 + 1;
    }
}

uint32_t sf_pack32(SfNum n)
{
    uint64_t frac;
    uint32_t biased = fields(&sf_f32, n, &frac);

    return (uint32_t)n.sign << 31 | biased << 23 | ((uint32_t)(frac >> 40) & 0x7fffff);
}

uint64_t sf_pack64(SfNum n)
{
    uint64_t frac;
    uint64_t biased = fields(&sf_f64, n, &frac);

    return (uint64_t)n.sign << 63 | biased << 52 | (frac << 1 >> 12);
}

Float80 sf_pack80(SfNum n)
{
    Float80 r;
    unsigned biased = fields(&sf_f80, n, &r.frac);

    r.se = (uint16_t)((unsigned)n.sign << 15 | biased);
    return r;
}

bool sf_raise(SfEnv *e, uint32_t flags)
{
    e->flags |= flags;
    return flags & ~e->masks & (SF_INVALID | SF_DENORMAL | SF_DIVZERO);
}

SfNum sf_zero(bool sign)
{
    return (SfNum){ .cls = SF_IS_ZERO, .sign = sign };
}

SfNum sf_infinity(bool sign)
{
    return (SfNum){ .cls = SF_IS_INF, .sign = sign, .frac = TOP_BIT };
}

SfNum sf_default_nan(void)
{
    return (SfNum){ .cls = SF_IS_QNAN, .sign = true, .frac = TOP_BIT | QUIET_BIT };
}

SfNum sf_invalid(SfEnv *e)
{
    sf_raise(e, SF_INVALID);
    return sf_default_nan();
}

bool sf_is_nan(SfNum n)
{
    return n.cls >= SF_IS_QNAN;
}

static SfNum quieted(SfNum n)
{
    n.cls = SF_IS_QNAN;
    n.frac |= QUIET_BIT;
    return n;
}

static SfNum select_x87(SfNum a, SfNum b)
{
    if (a.cls != b.cls) /* a QNaN is preferred to an SNaN */
        return a.cls == SF_IS_QNAN ? a : b;
    if (a.frac != b.frac)
        return a.frac > b.frac ? a : b;
    return a.sign ? b : a;
}

SfNum sf_propagate_nan(SfEnv *e, SfNum a, SfNum b)
{
    if (a.cls == SF_IS_BAD || b.cls == SF_IS_BAD)
        return sf_invalid(e);
    if (a.cls == SF_IS_SNAN || b.cls == SF_IS_SNAN)
        sf_raise(e, SF_INVALID);
    if (!sf_is_nan(a))
        return quieted(b);
    if (!sf_is_nan(b) || !e->x87)
        return quieted(a);
    return quieted(select_x87(a, b));
}

SfWide sf_shift_right_sticky(SfWide frac, unsigned count)
{
    if (count == 0)
        return frac;
    if (count >= 128)
        return frac != 0;
    return frac >> count | ((frac << (128 - count)) != 0);
}

uint64_t sf_round_at(SfRounding mode, bool sign, SfWide frac, unsigned bits, bool *inexact,
                     bool *up)
{
    SfWide unit = (SfWide)1 << (128 - bits);
    SfWide rest = frac & (unit - 1), half = unit >> 1;

    *inexact = rest != 0;
    switch (mode) {
    case SF_NEAREST: *up = rest > half || (rest == half && (frac & unit)); break;
    case SF_DOWN: *up = rest && sign; break;
    case SF_UP: *up = rest && !sign; break;
    default: *up = false; break;
    }
    frac -= rest;
    if (*up)
        frac += unit;
    return (uint64_t)(frac >> 64);
}

static void raise_rounded(SfEnv *e, uint32_t flags, bool inexact, bool up)
{
    e->flags |= flags | (inexact ? SF_INEXACT : 0) | (up && e->x87 ? SF_C1 : 0);
}

static SfNum overflow(SfEnv *e, unsigned precision, SfNum n)
{
    bool to_inf = e->rounding == SF_NEAREST || e->rounding == (n.sign ? SF_DOWN : SF_UP);

    raise_rounded(e, SF_OVERFLOW, true, to_inf);
    if (to_inf)
        return sf_infinity(n.sign);
    n.frac = ~0ull << (64 - precision);
    return n;
}

/* A result that is tiny after rounding, with underflow masked. */
static SfNum denormalize(SfEnv *e, const SfFormat *fmt, unsigned precision, SfNum n, SfWide frac)
{
    bool inexact, up;

    if (e->ftz && !e->x87) {
        e->flags |= SF_UNDERFLOW | SF_INEXACT;
        return sf_zero(n.sign);
    }
    frac = sf_shift_right_sticky(frac, (unsigned)(fmt->emin - n.exp));
    n.frac = sf_round_at(e->rounding, n.sign, frac, precision, &inexact, &up);
    n.exp = fmt->emin;
    raise_rounded(e, inexact ? SF_UNDERFLOW : 0, inexact, up);
    if (!n.frac)
        n.cls = SF_IS_ZERO;
    return n;
}

SfNum sf_round(SfEnv *e, const SfFormat *fmt, unsigned precision, bool sign, int32_t exp,
               SfWide frac)
{
    SfNum n = { .cls = SF_IS_NUMBER, .sign = sign };
    uint64_t hi = (uint64_t)(frac >> 64);
    unsigned shift;
    bool inexact, up;

    if (!frac)
        return sf_zero(sign);
    shift = hi ? (unsigned)__builtin_clzll(hi) : 64 + (unsigned)__builtin_clzll((uint64_t)frac);
    frac <<= shift;
    n.exp = exp - (int)shift;
    n.frac = sf_round_at(e->rounding, sign, frac, precision, &inexact, &up);
    exp = n.exp + !n.frac;

    if (exp < fmt->emin) {
        if (e->masks & SF_UNDERFLOW)
            return denormalize(e, fmt, precision, n, frac);
        e->flags |= SF_UNDERFLOW;
        exp += X87_WRAP;
    } else if (exp > fmt->emax) {
        if (e->masks & SF_OVERFLOW) {
            n.exp = fmt->emax;
            return overflow(e, precision, n);
        }
        e->flags |= SF_OVERFLOW;
        exp -= X87_WRAP;
    }
    if (fmt == &sf_f80 && (exp < fmt->emin || exp > fmt->emax)) { /* only FSCALE goes so far */
        raise_rounded(e, 0, true, exp > fmt->emax);
        return exp > fmt->emax ? sf_infinity(sign) : sf_zero(sign);
    }
    if (e->x87 && fmt != &sf_f80 && (exp < fmt->emin || exp > fmt->emax))
        return n; /* FST stores nothing: nothing was rounded */
    if (!n.frac)
        n.frac = TOP_BIT;
    n.exp = exp;
    raise_rounded(e, 0, inexact, up);
    return n;
}
