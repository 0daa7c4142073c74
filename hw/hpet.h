/* SPDX-License-Identifier: MIT */
/*
 * The IA-PC HPET: a 64-bit counter of 10 ns ticks and three comparators at 0xfed00000.
 */
#ifndef HW_HPET_H
#define HW_HPET_H

#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"

#define HPET_DEFAULT_BASE 0xfed00000ULL
#define HPET_ID           0x8086a201u /* event timer block id of the ACPI table */

extern const DeviceClass hpet_class;

/* @gsi: 24 lines (gsi_lines(g, GSI_HPET)). @legacy: gsi_legacy_replacement(g). */
Device *hpet_new(Device *parent, MemRegion *memory, uint64_t base, Clock *clock, const Irq *gsi,
                 const Irq *legacy);

#endif
