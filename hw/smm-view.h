/* SPDX-License-Identifier: MIT */
/*
 * Memory as a CPU in system management mode sees it: the system's, with SMRAM in front of it where
 * the chipset says so. A chipset has two, for data accesses and for code fetches.
 */
#ifndef HW_SMM_VIEW_H
#define HW_SMM_VIEW_H

#include "softmmu/memory.h"

typedef struct SmmView {
    MemRegion root, system, smram;
    AddressSpace *space;
} SmmView;

/* SMRAM is [@start, +@size) of @ram, at the same address; it does not show yet. */
void smm_view_init(SmmView *v, const char *name, MemRegion *system, RamSet *ram_set, RamBlock *ram,
                   uint64_t start, uint64_t size);
void smm_view_destroy(SmmView *v);

#endif
