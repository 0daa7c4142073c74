/* SPDX-License-Identifier: MIT */
/* Soft float: conversions between formats, to and from integers, rounding to an integer. */
#include "tcg/softfloat-internal.h"

#include <glib.h>

static SfNum convert(SfEnv *e, const SfFormat *to, SfNum n, bool denormal_counts)
{
    if (sf_is_nan(n))
        return sf_propagate_nan(e, n, n);
    /* FLD gives its result even if the exception is unmasked. */
    if (n.denormal && denormal_counts && sf_raise(e, SF_DENORMAL) && to != &sf_f80)
        return n;
    if (n.cls != SF_IS_NUMBER)
        return n;
    return sf_round(e, to, to->precision, n.sign, n.exp, (SfWide)n.frac << 64);
}

uint64_t sf32_to_f64(SfEnv *e, uint32_t a)
{
    return sf_pack64(convert(e, &sf_f64, sf_unpack32(e, a), true));
}

uint32_t sf64_to_f32(SfEnv *e, uint64_t a)
{
    return sf_pack32(convert(e, &sf_f32, sf_unpack64(e, a), true));
}

Float80 sf32_to_f80(SfEnv *e, uint32_t a)
{
    return sf_pack80(convert(e, &sf_f80, sf_unpack32(e, a), true));
}

Float80 sf64_to_f80(SfEnv *e, uint64_t a)
{
    return sf_pack80(convert(e, &sf_f80, sf_unpack64(e, a), true));
}

/* FST does not report a denormal source (SDM vol. 2). */
uint32_t sf80_to_f32(SfEnv *e, Float80 a)
{
    return sf_pack32(convert(e, &sf_f32, sf_unpack80(a), false));
}

uint64_t sf80_to_f64(SfEnv *e, Float80 a)
{
    return sf_pack64(convert(e, &sf_f64, sf_unpack80(a), false));
}

static SfNum from_integer(SfEnv *e, const SfFormat *to, int64_t a)
{
    uint64_t magnitude = a < 0 ? -(uint64_t)a : (uint64_t)a;

    return sf_round(e, to, to->precision, a < 0, 63, (SfWide)magnitude << 64);
}

uint32_t sf_i64_to_f32(SfEnv *e, int64_t a)
{
    return sf_pack32(from_integer(e, &sf_f32, a));
}

uint64_t sf_i64_to_f64(SfEnv *e, int64_t a)
{
    return sf_pack64(from_integer(e, &sf_f64, a));
}

Float80 sf_i64_to_f80(SfEnv *e, int64_t a)
{
    return sf_pack80(from_integer(e, &sf_f80, a));
}

/* The integer that |n| rounds to; n below 2^64. */
static SfWide integer_part(SfEnv *e, SfNum n, SfRounding mode, bool *inexact, bool *up)
{
    /* The point goes between the two halves of a wide number, the whole below bit 127. */
    SfWide fixed = sf_shift_right_sticky((SfWide)n.frac << 64, (unsigned)(63 - n.exp));
    uint64_t whole = sf_round_at(mode, n.sign, fixed, 64, inexact, up);

    return whole | (SfWide)(*up && !whole) << 64;
}

static int64_t to_integer(SfEnv *e, SfNum n, unsigned bits, bool truncate)
{
    uint64_t indefinite = -(1ull << (bits - 1));
    SfWide limit = (SfWide)1 << (bits - 1), whole;
    bool inexact, up;

    if (n.cls == SF_IS_ZERO)
        return 0;
    if (n.cls != SF_IS_NUMBER || n.exp > 63) {
        sf_raise(e, SF_INVALID);
        return (int64_t)indefinite;
    }
    whole = integer_part(e, n, truncate ? SF_ZERO : e->rounding, &inexact, &up);
    if (whole > limit || (whole == limit && !n.sign)) {
        sf_raise(e, SF_INVALID);
        return (int64_t)indefinite;
    }
    e->flags |= (inexact ? SF_INEXACT : 0) | (up && e->x87 ? SF_C1 : 0);
    return (int64_t)(n.sign ? -(uint64_t)whole : (uint64_t)whole);
}

int64_t sf32_to_int(SfEnv *e, uint32_t a, unsigned bits, bool truncate)
{
    return to_integer(e, sf_unpack32(e, a), bits, truncate);
}

int64_t sf64_to_int(SfEnv *e, uint64_t a, unsigned bits, bool truncate)
{
    return to_integer(e, sf_unpack64(e, a), bits, truncate);
}

int64_t sf80_to_int(SfEnv *e, Float80 a, unsigned bits, bool truncate)
{
    return to_integer(e, sf_unpack80(a), bits, truncate);
}

/* A denormal raises nothing but the inexactness. */
static SfNum round_to_int(SfEnv *e, const SfFormat *fmt, SfNum n, SfRounding mode, bool exact)
{
    SfEnv quiet = { .rounding = mode, .masks = 0x3f };
    SfWide whole;
    bool inexact, up;

    if (sf_is_nan(n))
        return sf_propagate_nan(e, n, n);
    if (n.cls != SF_IS_NUMBER || n.exp >= fmt->precision)
        return n;
    whole = integer_part(e, n, mode, &inexact, &up);
    if (inexact && exact)
        e->flags |= SF_INEXACT;
    return whole ? sf_round(&quiet, fmt, fmt->precision, n.sign, 64, whole << 63) : sf_zero(n.sign);
}

uint32_t sf32_round_to_int(SfEnv *e, uint32_t a, SfRounding mode, bool exact)
{
    return sf_pack32(round_to_int(e, &sf_f32, sf_unpack32(e, a), mode, exact));
}

uint64_t sf64_round_to_int(SfEnv *e, uint64_t a, SfRounding mode, bool exact)
{
    return sf_pack64(round_to_int(e, &sf_f64, sf_unpack64(e, a), mode, exact));
}

Float80 sf80_round_to_int(SfEnv *e, Float80 a)
{
    SfNum n = sf_unpack80(a);
    SfWide whole;
    bool inexact, up;

    if (sf_is_nan(n))
        return sf_pack80(sf_propagate_nan(e, n, n));
    if (n.denormal && sf_raise(e, SF_DENORMAL))
        return a;
    if (n.cls != SF_IS_NUMBER || n.exp >= 63)
        return a;
    whole = integer_part(e, n, e->rounding, &inexact, &up);
    e->flags |= (inexact ? SF_INEXACT : 0) | (up ? SF_C1 : 0);
    return sf_pack80(sf_round(e, &sf_f80, 64, n.sign, 64, whole << 63));
}
