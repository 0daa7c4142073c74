/* SPDX-License-Identifier: MIT */
/*
 * The 82093AA I/O APIC: 24 inputs, each turned into a message on the APIC bus.
 */
#ifndef HW_IOAPIC_H
#define HW_IOAPIC_H

#include "hw/apic.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"

#define IOAPIC_DEFAULT_BASE 0xfec00000ULL
#define IOAPIC_PINS         24

extern const DeviceClass ioapic_class;

Device *ioapic_new(Device *parent, MemRegion *memory, uint64_t base, const ApicBus *bus);
Irq *ioapic_input(Device *ioapic, unsigned pin);
/* An APIC ended the level triggered interrupt @vector. @opaque is the Device. */
void ioapic_eoi(void *opaque, uint8_t vector);
const uint64_t *ioapic_sent(const Device *ioapic); /* how often each pin interrupted */
void ioapic_print(Device *ioapic, GString *out);   /* `info ioapic` */

#endif
