/* SPDX-License-Identifier: MIT */
/*
 * Global system interrupts 0 to 23: where interrupt lines of the board meet. Line n reaches
 * input n of the 8259 pair (n < 16, n != 2) and pin n of the I/O APIC; line 0 reaches pin 2.
 *
 * A line can have several drivers (a PCI INTx routed to the SCI's number); the line is the OR of
 * them. Each kind of driver has its own set of inputs. While the HPET's legacy replacement is on,
 * ISA lines 0 and 8 (PIT, RTC) are cut off.
 */
#ifndef HW_GSI_H
#define HW_GSI_H

#include "softmmu/device.h"
#include "softmmu/irq.h"

#define GSI_COUNT 24

typedef enum GsiSource { GSI_ISA, GSI_PIRQ, GSI_SCI, GSI_HPET, GSI_SOURCES } GsiSource;

extern const DeviceClass gsi_class;

/* Either controller may be NULL. Realize has nothing to wait for. */
Device *gsi_new(Device *parent, Device *pic, Device *ioapic);
/* The array of GSI_COUNT lines for drivers of one kind. ISA devices take gsi_lines(g, GSI_ISA). */
Irq *gsi_lines(Device *gsi, GsiSource source);
/* High while HPET legacy replacement routing is on. */
Irq *gsi_legacy_replacement(Device *gsi);

#endif
