/* SPDX-License-Identifier: MIT */
/*
 * The page walk of long mode in its last table alone, where an earlier walk has left that table's
 * place and the rights of the levels above: what SDM vol. 3A, 4.10.3 calls a paging-structure
 * cache. Every flush of the TLBs forgets it. Runs while translated code's vector registers are
 * live, raises nothing and sets no bits: that is left to the whole walk.
 */
#include "target-i386/paging.h"

#include "target-i386/paging-rights.h"

/* An entry of any level has changed since, or has reserved bits set: for the whole walk. */
static bool is_other(const CpuX86 *c, uint64_t entry, uint64_t size)
{
    uint64_t reserved = pte_reserved_address(c) | (c->efer & EFER_NXE ? 0 : PTE_NX);

    if (size > 4096)
        reserved |= (size - 1) & PTE_ADDRESS & ~(uint64_t)PTE_PAT_LARGE;
    return !(entry & PTE_P) || !(entry & PTE_A) || (entry & reserved) ||
           (size > 4096 && !((entry & PTE_PS) && c->a20));
}

bool x86_walk_quick(Cpu *cpu, uint64_t addr, bool write, unsigned mmu, CpuPage *out)
{
    CpuX86 *c = (CpuX86 *)cpu;
    const X86Table *t = &c->tables[(addr >> 21) % X86_TABLES];
    uint64_t pte, rights, size = 1ull << t->shift;
    uint8_t prot;

    if (t->covers != addr >> 21 || t->flushes != cpu_tlb_flushes(cpu) || (c->dr[7] & 0xff) ||
        c->in_smm)
        return false;
    pte = GUINT64_FROM_LE(t->entries[addr >> t->shift & 511]);
    if (is_other(c, pte, size) || (write && !(pte & PTE_D)))
        return false;
    rights = (t->rights & (pte | PTE_NX)) | (pte & PTE_NX);
    prot = pte_allowed(c, rights, mmu) & ~pte_denied_by_key(c, rights, pte, mmu);
    if (!(prot & (write ? PROT_W : PROT_R)))
        return false;
    if ((c->cr4 & CR4_PKE) && (rights & PTE_U))
        c->keys_used |= 1u << (pte >> 59 & 15);
    *out = (CpuPage){
        .phys = pte_a20(c, (pte & PTE_ADDRESS & -size) | (addr & (size - 1) & ~0xfffull)),
        .unit_size = size,
        .prot = pte & PTE_D ? prot : prot & ~PROT_W,
        .global = (pte & PTE_G) && (c->cr4 & CR4_PGE),
    };
    return true;
}
