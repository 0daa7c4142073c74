/* SPDX-License-Identifier: MIT */
/* A PC's parallel port in an ISA slot: three ports, one interrupt line, a printer that is a
 * character back end. */
#ifndef HW_PARALLEL_H
#define HW_PARALLEL_H

#include "softmmu/chardev.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"

#define PARALLEL_BASE 0x378
#define PARALLEL_IRQ  7

extern const DeviceClass parallel_class;

/* NULL @chr swallows what is printed. */
Device *parallel_new(Device *parent, MemRegion *ports, uint16_t base, const Irq *irq, Chardev *chr);

#endif
