/* SPDX-License-Identifier: MIT */
/* Devices that kernel test programs (kvm-unit-tests) expect of a board. */
#ifndef HW_TEST_DEVICES_H
#define HW_TEST_DEVICES_H

#include "hw/pci.h"
#include "softmmu/irq.h"

#define PC_TESTDEV_LINES 24

extern const DeviceClass pc_testdev_class, pci_testdev_class;

/* @lines: PC_TESTDEV_LINES interrupts that it drives. */
Device *pc_testdev_new(Device *parent, MemRegion *ports, MemRegion *memory, const Irq *lines);
/* @devfn < 0: the first free slot. Not yet realized. */
Device *pci_testdev_new(PciBus *bus, int devfn);

#endif
