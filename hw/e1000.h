/* SPDX-License-Identifier: MIT */
/*
 * The Intel 82540EM gigabit Ethernet controller.
 */
#ifndef HW_E1000_H
#define HW_E1000_H

#include "hw/pci.h"
#include "softmmu/net/net.h"

extern const DeviceClass e1000_class;

/* @memory for DMA. @devfn < 0: the first free slot. Not yet realized. */
Device *e1000_new(PciBus *bus, int devfn, AddressSpace *memory, NetCable *cable,
                  const uint8_t mac[6]);

#endif
