/* SPDX-License-Identifier: MIT */
/*
 * The engine asks the architecture's frontend to translate one block.
 *
 * The block starts at byte @unit_offset of a mapping unit (@unit_size bytes, virtually and
 * physically contiguous) and may follow the code within its first 4 KiB page. Guest pcs that the
 * code needs are vbase + offset (slot of Cpu.vbase), never constants, so that the block is valid
 * wherever the page is mapped.
 *
 * A @checked block is one whose bytes stores may change unnoticed: it begins with
 * ir_exit_if_changed() for each of its @parts (none at first, when the engine wants to know its
 * size), with TRANSLATE_EXIT_STALE, and ends after the first instruction that may store. Immediates
 * whose bytes are among @soft may be read when they are used; @was_soft then says which.
 *
 * Blocks may go on behind unconditional jumps (@may_follow), so they are ranges of one page.
 *
 * An instruction that crosses the page's end is translated only as the first of a block
 * (translate_straddling() fetches it); otherwise the block ends before it.
 */
#ifndef ACCEL_TRANSLATE_H
#define ACCEL_TRANSLATE_H

#include "accel/cpu.h"

#define TRANSLATE_EXIT_STALE UINT32_MAX /* an exit reason of the engine's */

typedef struct CodePart { /* of a block, within a page: at most two */
    uint8_t *host;
    uint32_t size;
} CodePart;

#define TRANSLATE_FOLLOWED 3

/* Code that a jump within the block led to. */
typedef struct CodeRange {
    uint16_t at, size; /* in its page; size 0: none */
} CodeRange;

/* Where a block transfers control, for turn.h. */
typedef struct TranslateBranches {
    uint64_t where;             /* bit n: instruction n, from 0, is a branch that may be taken */
    int16_t next[IR_MAX_LINKS]; /* … by bits: behind it, from the block's start; no more of them */
    uint8_t n;                  /* … so many */
    uint8_t stays; /* instructions to the first that, taken, leads on in the block; 0: none */
    bool last;     /* the last instruction always transfers it, and ends each block that has it */
} TranslateBranches;

struct TranslateRequest {
    /* in */
    uint64_t pc, linear;
    uint32_t mode;
    uint64_t cs_base;
    uint32_t unit_offset, unit_size;
    unsigned max_insns;   /* >= 1 */
    const uint8_t *bytes; /* code from @linear on … */
    uint32_t avail;       /* … up to the end of its 4 KiB page */
    bool checked;
    bool accesses_told; /* plugins hear of them: of ops ld and st, and of what C code does */
    uint64_t soft;      /* bit n: byte n of a checked block */
    bool may_follow; /* an unconditional jump to elsewhere in the first byte's page need not end the
                        block */
    const uint64_t
        *splits; /* bit n: the block ends before an instruction at byte n of a page; NULL: none */
    CodePart part[2];
    /* out, by the frontend */
    uint32_t size; /* guest bytes the block was made from, contiguous from the start … */
    CodeRange followed[TRANSLATE_FOLLOWED]; /* … and those behind jumps, in the same page */
    unsigned nfollowed;
    uint64_t was_soft;
    TranslateBranches branches; /* CpuOps.tells_branches */
};

/* Must the block end before the instruction at @offset of the mapping unit? */
static inline bool translate_splits(const TranslateRequest *req, uint32_t offset)
{
    return req->splits && req->splits[(offset & 4095) / 64] >> (offset % 64) & 1;
}

/* The 15 bytes from @linear on when they cross the page; may raise a fetch fault. The second page
 * becomes part of the block's identity. Only for the block's first instruction. */
const uint8_t *translate_straddling(Cpu *cpu, TranslateRequest *req, uint32_t *avail);

#endif
