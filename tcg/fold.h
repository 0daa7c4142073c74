/* SPDX-License-Identifier: MIT */
/* Folding: the builder asks before it appends. */
#ifndef TCG_FOLD_H
#define TCG_FOLD_H

#include "tcg/ir.h"

/* Simplify @op, whose operands are defined in @ir: either returns an existing value that equals its
 * result, or returns IR_NONE with @op possibly rewritten to something cheaper (a constant too).
 * Never needs another op. */
IrRef ir_fold(const IrBlock *ir, IrOp *op);
/* The same for those who know what it is: SHAPE_BIN and SHAPE_SHIFT; zext, sext, trunc, bitcast;
 * one op each. */
IrRef ir_fold_bin(const IrBlock *ir, IrOp *op);
IrRef ir_fold_cvt(const IrBlock *ir, IrOp *op);
IrRef ir_fold_lea(const IrBlock *ir, IrOp *op);
IrRef ir_fold_setcond(const IrBlock *ir, IrOp *op);
IrRef ir_fold_fl_test(const IrBlock *ir, IrOp *op);
IrRef ir_fold_fl_cmp(const IrBlock *ir, IrOp *op);

/* Memory ops: lea's constant part moves into the access. */
void ir_fold_address(const IrBlock *ir, IrOp *op);

/* The value of a PURE integer op (I1..I64) on constants; false if @op is not one of those. */
bool ir_eval(IrOpcode op, IrType type, IrType from, unsigned aux, int32_t imm,
             const uint64_t arg[3], uint64_t *result);

#endif
