/* SPDX-License-Identifier: MIT */
/* The Realtek RTL8139C+ Fast Ethernet controller. */
#ifndef HW_RTL8139_H
#define HW_RTL8139_H

#include "hw/pci.h"
#include "softmmu/clock.h"
#include "softmmu/net/net.h"

extern const DeviceClass rtl8139_class;

/* @memory for DMA, @clock for its timer. @devfn < 0: the first free slot. Not yet realized. */
Device *rtl8139_new(PciBus *bus, int devfn, AddressSpace *memory, Clock *clock, NetCable *cable,
                    const uint8_t mac[6]);

#endif
