/* SPDX-License-Identifier: MIT */
/* A 16550A UART in an ISA slot: eight ports, one interrupt line, one character back end. */
#ifndef HW_SERIAL16550_H
#define HW_SERIAL16550_H

#include "softmmu/chardev.h"
#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"

extern const DeviceClass serial16550_class;

/* Eight ports at @base in @ports. NULL @chr swallows output. @irq may end nowhere. */
Device *serial16550_new(Device *parent, MemRegion *ports, uint16_t base, Clock *clock,
                        const Irq *irq, Chardev *chr);

#endif
