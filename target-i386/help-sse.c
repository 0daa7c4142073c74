/* SPDX-License-Identifier: MIT */
/* MASKMOVQ and MASKMOVDQU (SDM vol. 2): bytes whose mask has its top bit set, faults before stores.
 */
#include "target-i386/help-fp.h"

static void masked_store(CpuX86 *c, uint64_t addr, const uint8_t *value, const uint8_t *mask,
                         unsigned size)
{
    unsigned mmu = x86_mmu(c);

    for (unsigned i = 0; i < size; i++) {
        if (mask[i] & 0x80)
            cpu_probe(&c->cpu, addr + i, 1, ACCESS_WRITE, mmu);
    }
    for (unsigned i = 0; i < size; i++) {
        if (mask[i] & 0x80)
            cpu_store(&c->cpu, addr + i, value[i], 1, mmu);
    }
}

void help_maskmovq(CpuX86 *c, uint64_t addr, const void *value, const void *mask)
{
    masked_store(c, addr, value, mask, 8);
}

void help_maskmovdqu(CpuX86 *c, uint64_t addr, const void *value, const void *mask)
{
    masked_store(c, addr, value, mask, 16);
}
