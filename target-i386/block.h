/* SPDX-License-Identifier: MIT */
/*
 * What the makers of a block share: translate.c (its instructions), leave.c (its ends), follow.c
 * (its way) and access.c (what instructions work on).
 */
#ifndef TARGET_I386_BLOCK_H
#define TARGET_I386_BLOCK_H

#include "target-i386/translate.h"

enum {
    LINKS_FOR_INSN = 3,
    FOLLOW_INSNS = 16, /* behind jumps, of a block */
    MODE_ONE_INSN = X86_MODE_TF | X86_MODE_BREAKPOINTS | X86_MODE_INHIBIT | X86_MODE_X87_SLOW,
};

/* Instructions behind a jump that have been decoded already, and which of them come next. */
struct Ahead {
    unsigned n, used;
    uint32_t at[FOLLOW_INSNS];
    Insn insn[FOLLOW_INSNS];
};

static inline uint64_t type_mask(IrType type)
{
    return type == I64 ? UINT64_MAX : (UINT64_C(1) << (8u << (type - I8))) - 1;
}

static inline bool leaves_through_c(const Dis *d)
{
    return d->mode & MODE_ONE_INSN;
}

/* Can a goto lead to @offset? It must lie in the mapping unit, and so must the whole instruction:
 * one that may reach into another unit is found by its pc, as what follows depends on the mapping.
 */
static inline bool can_go_to(const Dis *d, int64_t offset)
{
    return offset >= 0 && offset <= (int64_t)d->req->unit_size - MAX_INSN_BYTES;
}

/* leave.c */
IrRef pc_plus(Dis *d, int64_t offset, IrType width); /* of the mapping unit, cut to @width */
/* Is next + @delta, cut to the operand size, in this mapping unit? */
bool branch_stays(const Dis *d, const Insn *i, int64_t delta);

/* follow.c */
DecodeStatus decode_next(Dis *d, Insn *i);
bool is_in_block(const Dis *d, uint32_t offset);
bool follow_back(Dis *d, uint32_t target, IrRef cond); /* @cond: of the jump to @target */

#endif
