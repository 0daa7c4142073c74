/* SPDX-License-Identifier: MIT */
/*
 * Where translated code finds things in the CPU state, and the contract of its slow paths.
 * The compiler knows no guest: every offset (from the start of the CPU state, env) arrives in a
 * TcgLayout.
 *
 * Software TLB: per MMU index two direct-mapped arrays (read, write) of TCG_TLB_SIZE TlbEntry,
 * indexed by (addr >> 12) mod size. A hit is entry.tag == (addr + size - 1) >> 12, so that an
 * access that crosses a page misses; with MEM_ALIGN the low address bits take part and a misaligned
 * access misses. host address = addr + addend. Entries that need care are TLB_NONE.
 *
 * Miss: the access is described in env's SlowAccess and mem_refill() is called (general
 * registers only, so vector state stays live). If it returns true the entry is now good and the
 * access is tried again inline; if not, mem_slow() performs it whole (MMIO, crossing, code page,
 * fault: it may not return).
 *
 * Stack page: per MMU index the page of the latest accesses by the stack pointer (MEM_BY_SP), which
 * back ends may look at before the TLB. It has been in the TLB for writing, which is enough to read
 * it; whoever empties entries of the TLB for writing empties it, too. Back ends fill it.
 *
 * One check may stand for a group of accesses in the same page. It misses as one access does, but
 * if the entry cannot be had, mem_slow() is asked for OP_probe of the first access (the page walk,
 * with its faults), and if it cannot be had even then (the group crosses a page, or is not RAM),
 * the block is left before the first access's instruction: mem_alone().
 *
 * Jump cache: direct-mapped array of JumpEntry at byte offset tcg_jc_offset(): the key chooses the
 * place, so that two keys never find the same entry by the same pc. A hit is entry.tag == pc; then
 * control goes to entry.host (a block's far entry).
 */
#ifndef TCG_GUEST_MEM_H
#define TCG_GUEST_MEM_H

#include <stdbool.h>
#include <stdint.h>

#include "tcg/ir.h"

/* 16 MiB: what is not used of it costs nothing, and compressors and the like walk about in a few.
 * Hosts that reach a bank by an immediate of 12 bits, and a page of it, have 2 MiB. */
#ifdef __x86_64__
#define TCG_TLB_BITS 12
#else
#define TCG_TLB_BITS 9
#endif
#define TCG_TLB_SIZE (1 << TCG_TLB_BITS)
/* Entries of TcgLayout.near_tlb: none where the host has no use for it. */
#ifdef __x86_64__
#define TCG_NEAR_TLB TCG_TLB_SIZE
#else
#define TCG_NEAR_TLB 0
#endif
#define TCG_MMU_MODES 3
#define TCG_JC_SIZE   65536 /* compilers jump to some ten thousand places */
#define TCG_JC_MASK   ((TCG_JC_SIZE - 1) << 4)

typedef struct TlbEntry {
    uint64_t tag;    /* tlb_tag() of the page */
    uint64_t addend; /* host - guest address */
} TlbEntry;

#define TLB_NONE UINT64_MAX /* a tag that never matches */

static inline uint64_t tlb_tag(uint64_t addr)
{
    return addr >> 12;
}

#define TCG_STACK_SPANS 5
typedef struct StackHead { /* what most accesses look at */
    uint64_t base;         /* guest address */
    uint64_t addend;       /* as a TlbEntry's */
    uint64_t limit;        /* 8 bytes fit at offsets below it; 0: there is no page */
} StackHead;
typedef struct StackPage {
    StackHead head;
    uint64_t limit[TCG_STACK_SPANS - 1]; /* … 16 << n bytes */
    int32_t patience;                    /* accesses elsewhere before theirs takes its place */
    uint32_t pad;
} StackPage;
_Static_assert(sizeof(StackPage) == 64, "a line of the cache");

typedef struct JumpEntry {
    uint64_t tag __attribute__((aligned(8))); /* guest pc */
    void *host;
} JumpEntry;
_Static_assert(sizeof(JumpEntry) == 16, "what tcg_jc_offset() counts in, also on i386");

/* @key has no bits but those of TCG_JC_MASK. */
static inline uint32_t tcg_jc_offset(uint64_t pc, uint64_t key)
{
    return (uint32_t)((uint32_t)pc * 9 ^ key) & TCG_JC_MASK;
}

/* What the tag of entry @i is while it is empty: the pc that only key 0 looks for there. */
static inline uint64_t tcg_jc_empty(unsigned i)
{
    return i * 16 * 0x38e38e39u & TCG_JC_MASK; /* 9 times that is 1 */
}

/* One memory access on the slow path. */
typedef struct SlowAccess {
    uint64_t addr;
    uint32_t op;      /* OP_ld, OP_st, OP_rmw_*, OP_probe */
    uint8_t type;     /* IrType; probe: I8 */
    uint8_t is_write; /* needs the write TLB (st, rmw, probe with aux = 1) */
    uint16_t flags;   /* IrMemFlags */
    uint32_t size;    /* bytes */
    uint32_t pad;
    uint64_t host_pc; /* identifies the op for tcg_restore_state(); 0 outside translated code. Set
                         before every access and before every helper call that is not pure */
    uint64_t compare; /* rmw_cas */
    uint64_t value[4] __attribute__((aligned(32))); /* in: stored operand; out: result */
} SlowAccess;

typedef struct TcgLayout {
    uint32_t env_size;
    int32_t budget; /* int32_t: instructions left before the next check; < 0 leaves */
    int32_t vbase;  /* uint64_t: guest pc of byte 0 of the running mapping unit */
    int32_t pc;     /* uint64_t: where exits leave the guest pc */
    int32_t jc_key; /* uint64_t */
    int32_t flags;  /* FlagsRecord */
    int32_t own; /* uint64_t [TCG_OWN]: the back end's, set by tcg_run(). What translated code looks
                    at most, pc aside, should lie from byte 56 to byte 312 */
    int32_t mxcsr;    /* uint32_t: the guest's MXCSR; sticky bits may be newer in the host's */
    int32_t fcw;      /* uint16_t */
    int32_t fsw;      /* uint16_t: x87 exception flags and C1 from F80 ops */
    bool host_x87;    /* the ops x87 … x87_st are used, the other F80 ops are not: code leaves the
                         host's    x87 stack and status word alone */
    int32_t slow;     /* SlowAccess */
    int32_t scratch;  /* 2 KiB, 64-byte aligned: spills, saved temporaries; the back end's own */
    int32_t interp;   /* TCG_INTERP_SIZE bytes, 64-byte aligned, all 0 at first: the portable back
                         end's own */
    int32_t tlb;      /* TlbEntry [TCG_MMU_MODES][2: read, write][TCG_TLB_SIZE] */
    int32_t near_tlb; /* with TCG_HAS_NEAR_TLB, not 0: TlbEntry [TCG_NEAR_TLB][2: read, write], in
                         place of the above for MMU index 0; its first should lie within the first
                         312 bytes */
    int32_t stack;    /* 0: there are none; StackPage [TCG_MMU_MODES], all 0 while empty */
    int32_t stack_head; /* with stack: StackHead, in place of that of MMU index 0 */
    int32_t jc;         /* JumpEntry [TCG_JC_SIZE] */
    bool parallel;      /* several vCPU threads: MEM_LOCK needs host atomics */
    /* May be NULL. A jump missed the jump cache: host code to go on with at @pc, or NULL to leave.
     * General registers only. */
    const void *(*jump_refill)(void *env, uint64_t pc);
    bool (*mem_refill)(void *env);
    /* May be NULL. After mem_refill() has declined a store or a probe for one: where in host memory
     * it may be done, this once, without telling anybody; NULL: not so. General registers only. */
    void *(*mem_direct)(void *env);
    /* May be NULL. An access that crosses a page, OP_ld or OP_st, of whole 8 bytes: done between
     * memory and SlowAccess.value if translated code may itself access both pages; false: nothing
     * is done. General registers only. */
    bool (*mem_across)(void *env);
    void (*mem_slow)(void *env);
    /* Does not return: as after a fault, tcg_restore_state() says where things are; the instruction
     * is to be run again in a block with IrBlock.no_groups. */
    void (*mem_alone)(void *env);
    /* May be NULL. In the same case, before it: a block with IrBlock.no_groups to go on with (at
     * its near entry), for which flags and budget are exact in env then; or NULL. *@from is the
     * block that is left. Back ends may remember both and ask only now and then, as long as neither
     * is retired. */
    const struct TcgCode *(*mem_ungrouped)(void *env, const struct TcgCode **from);
    /* Raise guest exception @code; pc (of this instruction), flags and budget are already exact in
     * env and slow.host_pc is 0. Does not return. */
    void (*trap)(void *env, uint32_t code);
} TcgLayout;

#define TCG_SCRATCH_SIZE 2048
#define TCG_INTERP_SIZE  (0x180000 + 256) /* what no block uses is never touched */
#define TCG_OWN          4

#endif
