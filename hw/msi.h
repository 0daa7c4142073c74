/* SPDX-License-Identifier: MIT */
/*
 * MSI: one message instead of a function's interrupt, in configuration space. Spec: PCI Local Bus
 * 3.0, 6.8.1. The 64-bit form without masks; one vector.
 */
#ifndef HW_MSI_H
#define HW_MSI_H

#include "hw/pci.h"

#define MSI_CAP_BYTES 14

/* In realize, after pci_device_attach(). @next: offset of the capability after the one at @cap. */
void msi_init(PciDevice *d, unsigned cap, unsigned next);
bool msi_enabled(const PciDevice *d, unsigned cap); /* then INTx# is silent */
void msi_notify(PciDevice *d, unsigned cap);

#endif
