/* SPDX-License-Identifier: MIT */
/*
 * Packed operations from SSSE3 to SHA in C: what the rows of opcodes.def mean. The portable back
 * end performs them so, others where the host has no instruction.
 */
#ifndef TCG_VEC_SOFT_H
#define TCG_VEC_SOFT_H

#include <stdint.h>

#include "tcg/ir.h"

typedef union VecValue {
    uint8_t b[16];
    uint16_t h[8];
    uint32_t w[4];
    uint64_t q[2];
    int8_t sb[16];
    int16_t sh[8];
    int32_t sw[4];
    int64_t sq[2];
} VecValue;

/* r = op(x, y, z) with @imm; operands that the op has not are ignored. @r is none of them. */
typedef void VecSoft(VecValue *r, const VecValue *x, const VecValue *y, const VecValue *z,
                     uint32_t imm);

/* NULL if @op with @lane is none of these. */
VecSoft *vec_soft(IrOpcode op, unsigned lane);

uint32_t vec_soft_test(const VecValue *x, const VecValue *y); /* vtest */

#endif
