/* SPDX-License-Identifier: MIT */
/*
 * The passes between building and emitting. tcg_compile() lists them; each is one function over the
 * flat array, none allocates.
 *
 * The backward pass walks once from the end and knows, at each op, which values are wanted later,
 * where each is used last, and whether the architectural flags can be observed (an exit, a fault,
 * a consumer) before they are defined again. A setflags that nobody can observe becomes a nop
 * together with its operands; one that only faults can observe costs no code: the bundle's
 * operands stay alive up to the last point that needs them, and the fault map says where they are.
 *
 * What this means for a back end: a setflags that is left needs no code. The bundle that is
 * architectural at an op is notes->flags_at; it has to reach the record in env only at exits,
 * before calls that read flags, and (through the fault map) at faults. A getflags that is left
 * always means the record in env as it is at that op; if the record may change before the value's
 * last use (a call that writes or reads flags in between), the back end takes a copy.
 */
#ifndef TCG_PASSES_H
#define TCG_PASSES_H

#include <string.h>

#include "tcg/ir.h"

/* Memory accesses that the check of the first of them covers. */
typedef struct IrGroup {
    IrRef base, token; /* the value they have in common; an op without a result, for a back end to
                          name what its check yields */
    uint16_t leader, last;
    uint8_t mmu;
    bool write;     /* the check is one for stores */
    uint8_t align;  /* of base + lo, as the check makes sure, in bytes; 1: it does not */
    int32_t lo, hi; /* displacements covered */
    IrRef first;    /* while looking: what the sum that the base is begins with … */
    uint8_t older;  /* … and 1 + number of the one before it of which that is so; 0: none */
} IrGroup;

#define IR_MAX_GROUPS 64
#define IR_MAX_SLOTS  1024

typedef struct DeadBytes { /* of a slot; nothing if the epoch is not IrNotes' */
    uint32_t epoch, mask;
} DeadBytes;

/* Length of arrays that are indexed by op: one behind the other they should not begin at equal
 * offsets in a page, where they would fight for the same lines of the first level cache. */
#define IR_NOTED_OPS (IR_MAX_OPS + 160)

/* Several such arrays are cleared in one loop, so many ops at a time: each by a call would be a
 * length to guess for each. The compiler is kept from making calls of it after all. */
#define IR_CLEARED_OPS 16
static inline void ir_clear_noted(uint16_t *noted)
{
    memset(noted, 0, IR_CLEARED_OPS * sizeof(noted[0]));
    __asm__ volatile("" : : : "memory");
}

/* What a block does with the flags that it is entered with: whether who leads to it has to bring
 * their record in env up to date. */
typedef enum EntryLook {
    ENTRY_LOOKS,  /* an exit, a call or the block itself wants them */
    ENTRY_FAULTS, /* only faults, before the block defines flags of its own */
    ENTRY_BLIND,  /* nobody does */
} EntryLook;

/* What the passes found out, indexed by IrRef / op index. All zeros at first, then used again. */
typedef struct IrNotes {
    uint16_t
        last_use[IR_NOTED_OPS];  /* op index of the last use (flags demand included); 0: unused */
    uint16_t uses[IR_NOTED_OPS]; /* number of explicit uses by live ops; setflags does not count */
    uint16_t flags_at[IR_NOTED_OPS]; /* for FAULT and EXIT ops and calls that read flags: the bundle
                                      that is architectural there (0: the record in env), so fault
                                      maps and exits know it */
    uint8_t group[IR_NOTED_OPS];     /* 1 + number of the group a memory op belongs to */
    bool wide_groups;              /* in: look for those of equal sums and for aligned ones, too */
    IrGroup groups[IR_MAX_GROUPS]; /* of at least two, but for unused entries */
    unsigned ngroups;
    unsigned nclosed, nleft; /* while looking: before these groups mappings may have changed, or
                                the block may have been left */
    uint8_t latest[IR_NOTED_OPS]; /* … 1 + number of the latest with this first, if it has it */
    const IrActing *live; /* the acting ops that are left, in order, without setflags, which need no
                             code; op 0 follows them */
    unsigned nlive;
    IrActing live_store[IR_NOTED_OPS]; /* filled from the end */
    EntryLook look;
    unsigned look_until; /* FAULTS: the last op that may fault; else 0 */
    uint32_t epoch;
    DeadBytes dead[IR_MAX_SLOTS];
} IrNotes;

/* Does a check before this access make sure that it succeeds? */
static inline bool ir_is_member(const IrNotes *notes, unsigned i)
{
    unsigned n =
        notes->group[i]; /* in one question, as nobody could guess the answer to the first */

    return (n != 0) & (notes->groups[n - (n != 0)].leader != i);
}

/* @groups: for back ends that check several accesses at once. Before the backward pass. */
void ir_pass_forward(IrBlock *ir, IrNotes *notes, bool groups);
void ir_pass_backward(IrBlock *ir, IrNotes *notes);

#endif
