/* SPDX-License-Identifier: MIT */
/*
 * Inside the soft float: one unpacked form for all three formats, and the rounding that every
 * result goes through. A finite number is frac / 2^63 * 2^exp with bit 63 of frac set; exact
 * intermediate results carry 64 more bits below, the last of them sticky.
 */
#ifndef TCG_SOFTFLOAT_INTERNAL_H
#define TCG_SOFTFLOAT_INTERNAL_H

#include "tcg/softfloat-wide.h"
#include "tcg/softfloat.h"

typedef enum SfClass {
    SF_IS_ZERO,
    SF_IS_NUMBER,
    SF_IS_INF,
    SF_IS_QNAN,
    SF_IS_SNAN,
    SF_IS_BAD
} SfClass;

typedef struct SfNum {
    uint8_t cls; /* SfClass; BAD: an encoding that the x87 does not support */
    bool sign;
    bool denormal; /* the operand's encoding was */
    int32_t exp;
    uint64_t frac; /* NaN: bit 63 set, payload below, quiet bit 62 */
} SfNum;

typedef struct SfFormat {
    uint8_t precision; /* bits of significand, integer bit included */
    int16_t emin, emax;
} SfFormat;

extern const SfFormat sf_f32, sf_f64, sf_f80;

SfNum sf_unpack32(const SfEnv *e, uint32_t a);
SfNum sf_unpack64(const SfEnv *e, uint64_t a);
SfNum sf_unpack80(Float80 a);
uint32_t sf_pack32(SfNum n); /* of what sf_round() and the special results give */
uint64_t sf_pack64(SfNum n);
Float80 sf_pack80(SfNum n);

/* Raise @flags; true if one of them is unmasked: the operation stops without a result. */
bool sf_raise(SfEnv *e, uint32_t flags);
/* The number ±@frac / 2^127 * 2^exp rounded to @fmt. @frac may be unnormalised; 0 gives a zero. */
SfNum sf_round(SfEnv *e, const SfFormat *fmt, unsigned precision, bool sign, int32_t exp,
               SfWide frac);
/* @frac with everything above @bits below the top rounded away; *inexact, *up say how. May carry:
 * then the result is 0. */
uint64_t sf_round_at(SfRounding mode, bool sign, SfWide frac, unsigned bits, bool *inexact,
                     bool *up);
SfWide sf_shift_right_sticky(SfWide frac, unsigned count);

SfNum sf_zero(bool sign);
SfNum sf_infinity(bool sign);
SfNum sf_default_nan(void);
SfNum sf_invalid(SfEnv *e); /* raise it and give the default NaN */
bool sf_is_nan(SfNum n);    /* NaN or an unsupported encoding */
/* Result where an operand is_nan(); @b may equal @a for operations of one operand. */
SfNum sf_propagate_nan(SfEnv *e, SfNum a, SfNum b);

#endif
