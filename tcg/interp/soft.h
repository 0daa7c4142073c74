/* SPDX-License-Identifier: MIT */
/*
 * Single ops by the interpreter, for back ends that have no code for them: operands and result
 * are in the CPU state. Ops that compute values only (integers, vectors, floating point).
 */
#ifndef TCG_INTERP_SOFT_H
#define TCG_INTERP_SOFT_H

#include "tcg/tcg.h"

typedef struct InterpSoft InterpSoft;
typedef struct SoftUnit SoftUnit;

/* Operand n will be at @args + n * @stride from env, the result goes to @result. */
InterpSoft *interp_soft_new(const TcgConfig *config, int32_t args, int32_t stride, int32_t result);
void interp_soft_free(InterpSoft *s);
SoftUnit *interp_soft_make(InterpSoft *s, const IrBlock *ir, unsigned i); /* g_free() */
/* @raised gathers what fpcheck looks at. */
void interp_soft_run(const SoftUnit *u, void *env, const TcgLayout *layout, uint32_t *raised);

#endif
