/* SPDX-License-Identifier: MIT */
/* One-port devices: debug exit, debug console, POST code latch, x87 error latch. */
#ifndef HW_DEBUG_DEVICES_H
#define HW_DEBUG_DEVICES_H

#include "softmmu/chardev.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"

extern const DeviceClass debug_exit_class, debugcon_class, port80_class, ferr_class;

/* Writing v to one of the @size ports at @base calls @quit with (v << 1) | 1. */
Device *debug_exit_new(Device *parent, MemRegion *ports, uint32_t base, uint32_t size,
                       void (*quit)(void *opaque, int status), void *opaque);

/* Bytes written to port @base go to @chr; reading gives @readback. */
Device *debugcon_new(Device *parent, MemRegion *ports, uint32_t base, uint8_t readback,
                     Chardev *chr);

Device *port80_new(Device *parent, MemRegion *ports);

/* Port 0xf0 and the latch behind IRQ 13. */
Device *ferr_new(Device *parent, MemRegion *ports, const Irq *irq, const Irq *ignne);
void ferr_set(Device *dev, int level); /* the CPU's FERR# pin */

#endif
