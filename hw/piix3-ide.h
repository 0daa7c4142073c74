/* SPDX-License-Identifier: MIT */
/*
 * The IDE function of the 82371SB (PIIX3): two channels at the ports and interrupts of the AT, and
 * their bus masters.
 */
#ifndef HW_PIIX3_IDE_H
#define HW_PIIX3_IDE_H

#include "hw/ide.h"
#include "hw/pci.h"

extern const DeviceClass piix3_ide_class;

typedef struct Piix3IdeWiring {
    MemRegion *ports;
    AddressSpace *memory; /* for DMA */
    const Irq *irq[2];    /* ISA lines 14 and 15 */
} Piix3IdeWiring;

/* At 00:01.1. Not yet realized. */
Device *piix3_ide_new(PciBus *bus, const Piix3IdeWiring *w);
IdeChannel *piix3_ide_channel(Device *dev, unsigned n);

#endif
