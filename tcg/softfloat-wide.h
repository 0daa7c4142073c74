/* SPDX-License-Identifier: MIT */
/*
 * Inside the transcendental functions: numbers with 128 bits of significand, the slow and sure
 * kernels (softfloat-trans.c), and the fast ones (softfloat-fast.c), which give the same results
 * where they give any. All of it keeps to general registers.
 */
#ifndef TCG_SOFTFLOAT_WIDE_H
#define TCG_SOFTFLOAT_WIDE_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 SfWide;

typedef struct SfBig { /* frac / 2^127 * 2^exp, bit 127 of frac set; frac 0: zero */
    bool sign;
    int32_t exp;
    SfWide frac;
} SfBig;

typedef struct SfFinite { /* frac / 2^63 * 2^exp, bit 63 of frac set */
    bool sign;
    int32_t exp;
    uint64_t frac;
} SfFinite;

/* What stands for sin x, tan x, arctan(y / x), 2^x - 1, y log2 x, y log2(x + 1): not representable,
 * it is rounded as the function's value would be. x of the trigonometric ones is below 2^63, of
 * 2xm1 below 1; of yl2x it is positive and not a power of 2, of yl2xp1 it is above -1 and 1 + x is
 * not a power of 2: there the values are exact. */
SfBig sf_wide_sine(SfFinite x, bool of_cosine);
SfBig sf_wide_tan(SfFinite x);
SfBig sf_wide_atan(SfFinite y, SfFinite x);
SfBig sf_wide_2xm1(SfFinite x);
SfBig sf_wide_yl2x(SfFinite y, SfFinite x);
SfBig sf_wide_yl2xp1(SfFinite y, SfFinite x);
bool sf_next_is_power_of_2(SfFinite x); /* 1 + x */

/* The sure way, and the fast one; false: it does not tell, *r is nothing. */
SfBig sf_sure_sine(SfFinite x, bool of_cosine);
SfBig sf_sure_tan(SfFinite x);
SfBig sf_sure_atan(SfFinite y, SfFinite x);
SfBig sf_sure_2xm1(SfFinite x);
SfBig sf_sure_yl2x(SfFinite y, SfFinite x);
SfBig sf_sure_yl2xp1(SfFinite y, SfFinite x);
bool sf_fast_sine(SfFinite x, bool cosine, SfBig *r);
bool sf_fast_tan(SfFinite x, SfBig *r);
bool sf_fast_atan(SfFinite y, SfFinite x, SfBig *r);
bool sf_fast_2xm1(SfFinite x, SfBig *r);
bool sf_fast_yl2x(SfFinite y, SfFinite x, SfBig *r);
bool sf_fast_yl2xp1(SfFinite y, SfFinite x, SfBig *r);

/* softfloat-tables.c */
extern const SfWide sf_sin_cos[52][2], sf_atan[65], sf_exp2[129][2], sf_log2[128];
extern const uint16_t sf_log2_factor[128];

#endif
