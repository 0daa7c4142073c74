/* SPDX-License-Identifier: MIT */
/*
 * Segment descriptors, segment registers and stacks as far transfers, exceptions and task switches
 * use them. Intel SDM vol. 3A, chapters 3, 5 and 7.
 */
#ifndef TARGET_I386_SEGMENT_H
#define TARGET_I386_SEGMENT_H

#include "target-i386/cpu.h"

typedef struct Desc {
    uint32_t lo, hi; /* hi: see ATTR_* in cpu.h */
} Desc;

enum { /* types of system descriptors */
       DESC_TSS16 = 1,
       DESC_LDT = 2,
       DESC_TSS16_BUSY = 3,
       DESC_CALL16 = 4,
       DESC_TASK_GATE = 5,
       DESC_INT16 = 6,
       DESC_TRAP16 = 7,
       DESC_TSS32 = 9,
       DESC_TSS32_BUSY = 11,
       DESC_CALL32 = 12,
       DESC_INT32 = 14,
       DESC_TRAP32 = 15,
};

static inline unsigned desc_type(Desc d)
{
    return (d.hi >> ATTR_TYPE_SHIFT) & 15;
}
static inline unsigned desc_dpl(Desc d)
{
    return (d.hi >> ATTR_DPL_SHIFT) & 3;
}
static inline uint32_t desc_base(Desc d)
{
    return d.lo >> 16 | (d.hi & 0xff) << 16 | (d.hi & 0xff000000);
}
static inline uint32_t desc_limit(Desc d)
{
    uint32_t limit = (d.lo & 0xffff) | (d.hi & 0xf0000);

    return d.hi & ATTR_G ? limit << 12 | 0xfff : limit;
}
static inline uint32_t desc_attr(Desc d)
{
    return d.hi & 0x00f0ff00;
}
static inline bool desc_is_code(Desc d)
{
    return (d.hi & (ATTR_S | ATTR_CODE)) == (ATTR_S | ATTR_CODE);
}
static inline bool desc_is_conforming(Desc d) /* of a code segment */
{
    return d.hi & ATTR_EC;
}
static inline bool desc_is_writable_data(Desc d)
{
    return (d.hi & (ATTR_S | ATTR_CODE | ATTR_RW)) == (ATTR_S | ATTR_RW);
}
static inline bool selector_is_null(uint16_t selector)
{
    return selector < 4;
}

/* Read the descriptor that @selector names; false if it lies beyond its table. */
bool desc_read(CpuX86 *c, uint16_t selector, Desc *d);
/* The same; beyond the table raises @vector with the selector. */
Desc desc_fetch(CpuX86 *c, uint16_t selector, int vector);
uint64_t desc_address(CpuX86 *c, uint16_t selector); /* of one that desc_read() has read */
void desc_set_accessed(CpuX86 *c, uint16_t selector, Desc *d);
/* Upper half of the base of a 16-byte system descriptor (long mode); checks that its type field
 * is 0, else #GP(selector). */
uint64_t desc_upper_base(CpuX86 *c, uint16_t selector);

/* Put values into a segment register. The caller ends with x86_update_mode(). */
void seg_set(CpuX86 *c, unsigned seg, uint16_t selector, uint64_t base, uint32_t limit,
             uint32_t attr);
void seg_set_desc(CpuX86 *c, unsigned seg, uint16_t selector, Desc d);
void seg_set_real(CpuX86 *c, unsigned seg, uint16_t selector); /* base = selector << 4 */
void seg_set_vm86(CpuX86 *c, unsigned seg, uint16_t selector);
void seg_set_null(CpuX86 *c, unsigned seg, uint16_t selector); /* unusable */
static inline bool is_protected(const CpuX86 *c)
{
    return (c->cr0 & CR0_PE) && !(c->eflags & EFL_VM);
}
static inline bool is_long(const CpuX86 *c)
{
    return c->efer & EFER_LMA;
}

/* May [@offset, +@size) be reached through this segment's limit (outside 64-bit mode)? */
bool seg_in_limit(const Segment *s, uint32_t offset, unsigned size);

/* Load DS, ES, FS, GS or SS as MOV does (protected mode); raises. For task switches @ts is true:
 * #TS instead of #GP, and @cpl is the new task's. */
void seg_load_protected(CpuX86 *c, unsigned seg, uint16_t selector, unsigned cpl, bool ts);
/* Forget DS, ES, FS, GS that privilege @cpl may not use (returns to an outer level). */
void seg_drop_inaccessible(CpuX86 *c, unsigned cpl);

/* Check that @d may become CS by a far transfer at @cpl with this selector; raises #GP, #NP. */
void check_code_target(CpuX86 *c, uint16_t selector, Desc d, unsigned cpl);
/* Is @pc within @d (or canonical if it is 64-bit code)? Else #GP(0). */
void check_target_pc(CpuX86 *c, Desc d, uint64_t pc);

/* ---- Stacks ------------------------------------------------------------------------------------
 * A stack under construction: pushes go to memory at once, RSP and SS change only when the caller
 * commits. Faults are #SS(error), or page faults. */
typedef struct Stack86 {
    CpuX86 *c;
    Segment seg;
    uint64_t sp;
    uint64_t mask; /* of the stack pointer: 0xffff, 0xffffffff or all ones */
    unsigned mmu;
    uint32_t error; /* of #SS */
} Stack86;

Stack86 stack_current(CpuX86 *c);
void stack86_push(Stack86 *s, unsigned size, uint64_t value);
uint64_t stack86_pop(Stack86 *s, unsigned size);
void stack86_commit(Stack86 *s); /* RSP; the part that the mask leaves out stays */

/* The stack for privilege @cpl from the TSS (legacy): #TS for whatever is wrong with it.
 * @d: SS's descriptor for stack86_enter(). */
Stack86 stack_from_tss(CpuX86 *c, unsigned cpl, uint16_t *selector, Desc *d);
/* RSP0-2 (index 0-2) or IST1-7 (index 3 + n) of the 64-bit TSS. */
uint64_t tss64_stack(CpuX86 *c, unsigned index);
Stack86 stack_flat64(CpuX86 *c, uint64_t rsp, unsigned cpl);

/* ---- Task switches: task.c --------------------------------------------------------------------
 */
typedef enum TaskReason { TASK_JMP, TASK_CALL, TASK_IRET } TaskReason; /* interrupts: TASK_CALL */
/* From a helper: leave by cpu_loop_exit() when it returns, the block's pc is no longer true.
 * Switch to the TSS @selector. @next_pc is what the old task continues with. Raises; when it
 * returns the new task's state is loaded. @error: pushed on the new stack (-1: none). */
void task_switch(CpuX86 *c, uint16_t selector, TaskReason reason, uint64_t next_pc, int64_t error);
/* The TSS that a task gate names. */
uint16_t task_gate_selector(Desc gate);

/* What SYSCALL and its kin put into the hidden parts of CS and SS, but DPL and L or D. */
#define FLAT_DATA (ATTR_P | ATTR_S | ATTR_RW | ATTR_A | ATTR_DB | ATTR_G)
#define FLAT_CODE (ATTR_P | ATTR_S | ATTR_CODE | ATTR_RW | ATTR_A | ATTR_G)

#endif
