/* SPDX-License-Identifier: MIT */
/*
 * What slots hold, as far as the block being built knows: a get of bytes that were got or set
 * before is that value, or its low part.
 */
#ifndef TCG_FORWARD_H
#define TCG_FORWARD_H

#include "tcg/ir.h"

IrKnown *ir_known_new(unsigned nslots);
void ir_known_free(IrKnown *k);
void ir_known_forget(IrKnown *k); /* all: a new block, a helper that may have changed slots */

/* The value that @get yields; or IR_NONE, and @get may have become the truncation of one. */
IrRef ir_known_find(const IrBlock *ir, IrOp *get);
/* From now on the bytes of @op, a get or a set, are @value. */
void ir_known_got(IrBlock *ir, const IrOp *get, IrRef value);
void ir_known_set(IrBlock *ir, const IrOp *set);

#endif
