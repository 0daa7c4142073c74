/* SPDX-License-Identifier: MIT */
/*
 * Packed operations from SSSE3 to SHA in C: what the rows of opcodes.def mean. The portable back
 * end performs them so, others where the host has no instruction.
 */
#ifndef TCG_VEC_SOFT_H
#define TCG_VEC_SOFT_H

#include "tcg/ir.h"
#include "tcg/lanes.h"

/* r = op(x, y, z) with @imm; operands that the op has not are ignored. @r is none of them. */
typedef void VecSoft(VecValue *r, const VecValue *x, const VecValue *y, const VecValue *z,
                     uint32_t imm);

/* NULL if @op with @lane is none of these. */
VecSoft *vec_soft(IrOpcode op, unsigned lane);

uint32_t vec_soft_test(const VecValue *x, const VecValue *y); /* vtest */

#endif
