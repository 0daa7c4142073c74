/* SPDX-License-Identifier: MIT */
/*
 * Linear to physical addresses. Intel SDM vol. 3A, chapter 4.
 */
#ifndef TARGET_I386_PAGING_H
#define TARGET_I386_PAGING_H

#include "target-i386/cpu.h"

/* Bits of a page fault's error code. */
/* clang-format off */
enum { PF_P = 1 << 0, PF_W = 1 << 1, PF_U = 1 << 2, PF_RSVD = 1 << 3, PF_I = 1 << 4,
       PF_PK = 1 << 5 };
/* clang-format on */

/* CpuOps.walk */
bool x86_walk(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu, bool probe, CpuPage *out);

/* Is @addr canonical for the present paging mode (48 or 57 bits)? */
static inline bool x86_is_canonical(const CpuX86 *c, uint64_t addr)
{
    unsigned shift = c->cr4 & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(addr << shift) >> shift) == addr;
}

/* The same for what registers that hold linear addresses take (MSRs, bases of segments and tables)
 * and the operands of INVLPG and INVPCID: 57 bits where the CPU could do 5-level paging, whether it
 * is on or not. */
bool x86_is_canonical_base(const CpuX86 *c, uint64_t addr);

/* CpuOps.walk_quick */
bool x86_walk_quick(Cpu *cpu, uint64_t addr, bool write, unsigned mmu, CpuPage *out);

/* PKRU = @value: what the TLBs know of pages with keys that it changes is forgotten. */
void x86_set_pkru(CpuX86 *c, uint32_t value);

/* What MOV to CR3 and mode changes ask for in PAE mode: read the four PDPTEs at @cr3. False: one
 * has reserved bits set (#GP) and nothing was changed. */
bool x86_load_pdptes(CpuX86 *c, uint64_t cr3);
/* Bits of a table entry above the physical address width: reserved. */
uint64_t x86_phys_reserved(const CpuX86 *c);

#endif
