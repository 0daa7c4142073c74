/* SPDX-License-Identifier: MIT */
/*
 * The slots of PCI bus 0 as the guest's ACPI sees them: which function has come or is to go, and
 * the register by which it lets a slot go.
 */
#ifndef HW_PCI_HOTPLUG_H
#define HW_PCI_HOTPLUG_H

#include "softmmu/device.h"
#include "softmmu/irq.h"

#define PCI_HOTPLUG_BASE  0xae00
#define PCI_HOTPLUG_BYTES 16
#define PCI_HOTPLUG_GPE   1

typedef struct PciHotplugWiring {
    MemRegion *ports;
    const Irq *event; /* pulsed: there is news for the guest */
    /* The guest lets @slot go. Slots that cannot are the board's to know. */
    void (*eject)(void *opaque, unsigned slot);
    void *opaque;
} PciHotplugWiring;

extern const DeviceClass pci_hotplug_class;

Device *pci_hotplug_new(Device *parent, const PciHotplugWiring *w);
void pci_hotplug_plug(Device *dev, unsigned slot); /* tell the guest that something has come */
void pci_hotplug_ask(Device *dev, unsigned slot);  /* … that it is to let it go */

#endif
