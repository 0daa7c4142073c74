/* SPDX-License-Identifier: MIT */
/*
 * The part of the forward pass (passes.c) that finds memory accesses which one check covers. Groups
 * are IrNotes.groups.
 */
#ifndef TCG_GROUPS_H
#define TCG_GROUPS_H

#include "tcg/passes.h"

void ir_groups_begin(IrNotes *notes);
/* Op @i may fault: if it is an access, it joins a group, whose base becomes its own, or begins one.
 * @spare: an op without a result, to name a group's check by, until it is used. */
void ir_groups_access(IrBlock *ir, IrNotes *notes, unsigned i, IrRef *spare);
/* The block may be left here; or, @entirely: mappings may change. */
void ir_groups_close(IrNotes *notes, bool entirely);
void ir_groups_end(IrNotes *notes);

#endif
