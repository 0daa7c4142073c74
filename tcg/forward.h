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

/* The value that a get yields, as most often; or IR_NONE. */
IrRef ir_known_find(const IrBlock *ir, IrType type, unsigned slot, unsigned byte);
/* Then this may know it; or IR_NONE, and *@wide is one that it is the low part of, or IR_NONE. */
IrRef ir_known_part(const IrBlock *ir, IrType type, unsigned slot, unsigned byte, IrRef *wide);
/* From now on those bytes are @value. */
void ir_known_got(IrBlock *ir, IrType type, unsigned slot, unsigned byte, IrRef value);
void ir_known_set(IrBlock *ir, const IrOp *set);

#endif
