/* SPDX-License-Identifier: MIT */
/* A PCI device to learn drivers by. */
#ifndef HW_EDU_H
#define HW_EDU_H

#include "hw/pci.h"
#include "softmmu/clock.h"

#define EDU_DMA_MASK ((UINT64_C(1) << 28) - 1)

typedef struct EduWiring {
    AddressSpace *memory;
    Clock *clock;
    uint64_t dma_mask; /* of addresses in memory */
} EduWiring;

extern const DeviceClass edu_class;

/* @devfn < 0: the first free slot. Not yet realized. */
Device *edu_new(PciBus *bus, int devfn, const EduWiring *w);

#endif
