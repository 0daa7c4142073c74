/* SPDX-License-Identifier: MIT */
/* What memory.c, memory-access.c, memory-print.c and ram.c share; nobody else includes this. */
#ifndef SOFTMMU_MEMORY_INTERNAL_H
#define SOFTMMU_MEMORY_INTERNAL_H

#include "softmmu/memory.h"

struct RamSet {
    GPtrArray *blocks; /* owned RamBlock, by ram_offset */
    GPtrArray *spaces; /* address spaces whose listeners hear of writes */
    uint8_t *written;  /* by page */
};

struct AddressSpace {
    char *name;
    MemRegion *root;
    RamSet *ram; /* may be NULL */
    FlatRange *ranges;
    size_t count;
    size_t last_hit; /* where the previous lookup ended */
    GPtrArray *listeners;
    unsigned transaction_depth;
    bool stale; /* changed inside a transaction */
    unsigned holes_logged;
    const MemWatch *watch; /* NULL: nobody */
};

/* How far it is from @addr, where nothing is, to the next range (or to the last byte there is). */
uint64_t address_space_hole(const AddressSpace *as, uint64_t addr);

#endif
