/* SPDX-License-Identifier: MIT */
/* The Realtek RTL8029AS: an NE2000 on PCI. */
#ifndef HW_NE2K_PCI_H
#define HW_NE2K_PCI_H

#include "hw/pci.h"
#include "softmmu/net/net.h"

extern const DeviceClass ne2k_pci_class;

/* @devfn < 0: the first free slot. @memory is not used: the card has memory of its own. Not yet
 * realized. */
Device *ne2k_pci_new(PciBus *bus, int devfn, AddressSpace *memory, NetCable *cable,
                     const uint8_t mac[6]);

#endif
