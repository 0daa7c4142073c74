/* SPDX-License-Identifier: MIT */
/*
 * What page-table entries say, for the walk (paging.c) and its short form (paging-quick.c): bits,
 * and the rights that follow from them (SDM vol. 3A, 4.6). Only these two look here.
 */
#ifndef TARGET_I386_PAGING_RIGHTS_H
#define TARGET_I386_PAGING_RIGHTS_H

#include "target-i386/cpu.h"

enum {
    PTE_P = 1 << 0,
    PTE_W = 1 << 1,
    PTE_U = 1 << 2,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
    PTE_PAT = 1 << 7, /* of a 4 KiB page */
    PTE_G = 1 << 8,
    PTE_PAT_LARGE = 1 << 12,
};
#define PTE_NX      (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

static inline uint64_t pte_a20(const CpuX86 *c, uint64_t phys)
{
    return c->a20 ? phys : phys & ~(1ull << 20);
}

static inline uint64_t pte_reserved_address(const CpuX86 *c)
{
    return PTE_ADDRESS & ~((1ull << c->phys_bits) - 1);
}

/* PROT_* that @rights (PTE_W and PTE_U of all levels, PTE_NX of any) give to accesses through this
 * MMU index (SDM 4.6.1). */
static inline uint8_t pte_allowed(const CpuX86 *c, uint64_t rights, unsigned mmu)
{
    uint8_t exec = (rights & PTE_NX) ? 0 : PROT_X;

    if (mmu == MMU_USER) {
        if (!(rights & PTE_U))
            return 0;
        return exec | PROT_R | (rights & PTE_W ? PROT_W : 0);
    }
    uint8_t prot = exec | PROT_R;
    if ((rights & PTE_W) || !(c->cr0 & CR0_WP))
        prot |= PROT_W;
    if (rights & PTE_U) {
        if (c->cr4 & CR4_SMEP)
            prot &= ~PROT_X;
        if ((c->cr4 & CR4_SMAP) && mmu == MMU_KERNEL)
            prot &= ~(PROT_R | PROT_W);
    }
    return prot;
}

/* PROT_* of data accesses that the page's protection key denies (SDM 4.6.2). */
static inline uint8_t pte_denied_by_key(const CpuX86 *c, uint64_t rights, uint64_t leaf,
                                        unsigned mmu)
{
    unsigned key_rights = c->pkru >> (2 * (leaf >> 59 & 15)) & 3;

    if (!(c->cr4 & CR4_PKE) || !(c->efer & EFER_LMA) || !(rights & PTE_U))
        return 0;
    if (key_rights & 1) /* AD */
        return PROT_R | PROT_W;
    return (key_rights & 2) && (mmu == MMU_USER || (c->cr0 & CR0_WP)) ? PROT_W : 0;
}

#endif
