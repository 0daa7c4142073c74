/* SPDX-License-Identifier: MIT */
/*
 * Floating point in integers, as x86 does it: binary32, binary64 and the 80-bit extended format of
 * the x87, with x86's NaN selection, tininess after rounding, flush-to-zero and
 * denormals-are-zero. The portable back end computes with it, and so do helpers where the host
 * has no x87. Sources: IEEE 754-2008; Intel SDM vol. 1, 4.8 and 8.5, 11.5 (exceptions), table 4-7
 * and 8-10 (NaN results).
 */
#ifndef TCG_SOFTFLOAT_H
#define TCG_SOFTFLOAT_H

#include <stdbool.h>
#include <stdint.h>

/* Exception flags at their MXCSR and x87 FSW positions. */
/* clang-format off */
enum { SF_INVALID = 1, SF_DENORMAL = 2, SF_DIVZERO = 4, SF_OVERFLOW = 8, SF_UNDERFLOW = 16,
       SF_INEXACT = 32, SF_C1 = 0x200 /* x87: result was rounded up in magnitude */ };
/* clang-format on */

typedef enum SfRounding { SF_NEAREST, SF_DOWN, SF_UP, SF_ZERO } SfRounding; /* as RC encodes it */

typedef struct SfEnv {
    SfRounding rounding;
    uint8_t precision; /* F80 only, as PC in FCW: 0 single, 2 double, 3 extended */
    bool ftz, daz;     /* F32 and F64 */
    uint8_t masks;  /* exceptions masked (1 = masked) at their MXCSR positions: underflow reporting
                       depends on it */
    uint32_t flags; /* SF_* accumulated */
    bool x87;       /* NaN selection and exception rules of the x87 rather than SSE */
} SfEnv;

typedef struct Float80 {
    uint64_t frac; /* with the explicit integer bit */
    uint16_t se;   /* sign and exponent */
} Float80;

typedef enum SfOp { SF_ADD, SF_SUB, SF_MUL, SF_DIV, SF_MIN, SF_MAX } SfOp; /* MIN, MAX: not F80 */

uint32_t sf32_op(SfEnv *e, SfOp op, uint32_t a, uint32_t b);
uint64_t sf64_op(SfEnv *e, SfOp op, uint64_t a, uint64_t b);
Float80 sf80_op(SfEnv *e, SfOp op, Float80 a, Float80 b);
uint32_t sf32_sqrt(SfEnv *e, uint32_t a);
uint64_t sf64_sqrt(SfEnv *e, uint64_t a);
Float80 sf80_sqrt(SfEnv *e, Float80 a);

/* FMA3: operands in the instruction's order; @form 0, 1, 2 for its 132, 213 and 231. */
enum { SF_FMA_NEGATE_PRODUCT = 1, SF_FMA_NEGATE_ADDEND = 2 };
uint32_t sf32_fma(SfEnv *e, uint32_t a, uint32_t b, uint32_t c, unsigned form, unsigned sign);
uint64_t sf64_fma(SfEnv *e, uint64_t a, uint64_t b, uint64_t c, unsigned form, unsigned sign);
/* F16C */
uint32_t sf16_to_f32(SfEnv *e, uint16_t a);
uint16_t sf32_to_f16(SfEnv *e, uint32_t a);

typedef enum SfRelation { SF_LESS, SF_EQUAL, SF_GREATER, SF_UNORDERED } SfRelation;
/* @quiet: only signalling NaNs are invalid. */
SfRelation sf32_compare(SfEnv *e, uint32_t a, uint32_t b, bool quiet);
SfRelation sf64_compare(SfEnv *e, uint64_t a, uint64_t b, bool quiet);
SfRelation sf80_compare(SfEnv *e, Float80 a, Float80 b, bool quiet);

uint64_t sf32_to_f64(SfEnv *e, uint32_t a);
uint32_t sf64_to_f32(SfEnv *e, uint64_t a);
Float80 sf32_to_f80(SfEnv *e, uint32_t a);
Float80 sf64_to_f80(SfEnv *e, uint64_t a);
uint32_t sf80_to_f32(SfEnv *e, Float80 a);
uint64_t sf80_to_f64(SfEnv *e, Float80 a);
uint32_t sf_i64_to_f32(SfEnv *e, int64_t a);
uint64_t sf_i64_to_f64(SfEnv *e, int64_t a);
Float80 sf_i64_to_f80(SfEnv *e, int64_t a);
/* To a signed integer of @bits (16, 32, 64); out of range or NaN: invalid and the indefinite
 * value. */
int64_t sf32_to_int(SfEnv *e, uint32_t a, unsigned bits, bool truncate);
int64_t sf64_to_int(SfEnv *e, uint64_t a, unsigned bits, bool truncate);
int64_t sf80_to_int(SfEnv *e, Float80 a, unsigned bits, bool truncate);
/* To an integer of the same format in rounding mode @mode; @exact: inexact is reported. */
uint32_t sf32_round_to_int(SfEnv *e, uint32_t a, SfRounding mode, bool exact);
uint64_t sf64_round_to_int(SfEnv *e, uint64_t a, SfRounding mode, bool exact);
Float80 sf80_round_to_int(SfEnv *e, Float80 a);
/* FPREM (@nearest false) and FPREM1: one step as the manual defines it, quotient bits and whether
 * the reduction is incomplete (C2). */
Float80 sf80_rem(SfEnv *e, Float80 a, Float80 b, bool nearest, unsigned *quotient,
                 bool *incomplete);
Float80 sf80_scale(SfEnv *e, Float80 a, Float80 b);
/* Transcendental: softfloat-trans.c. Precision control is ignored, as by hardware. Sine, cosine and
 * tangent: of operands below 2^63. */
bool sf80_trig_in_range(Float80 x);
Float80 sf80_sin(SfEnv *e, Float80 x);
Float80 sf80_cos(SfEnv *e, Float80 x);
Float80 sf80_tan(SfEnv *e, Float80 x);
Float80 sf80_patan(SfEnv *e, Float80 y, Float80 x); /* arctan(y / x), in all four quadrants */
Float80 sf80_2xm1(SfEnv *e, Float80 x);
Float80 sf80_yl2x(SfEnv *e, Float80 y, Float80 x);
Float80 sf80_yl2xp1(SfEnv *e, Float80 y, Float80 x);

#endif
