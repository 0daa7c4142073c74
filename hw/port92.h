/* SPDX-License-Identifier: MIT */
/* PS/2 system control port A (0x92): the fast A20 gate and the fast CPU reset. */
#ifndef HW_PORT92_H
#define HW_PORT92_H

#include "softmmu/device.h"
#include "softmmu/irq.h"

extern const DeviceClass port92_class;

/* @a20: level of the gate (the OR of this port and port92_kbc_a20()). @reset: raised for a
 * reset. */
Device *port92_new(Device *parent, MemRegion *ports, const Irq *a20, const Irq *reset);
/* The keyboard controller's A20 output; low until driven. */
Irq *port92_kbc_a20(Device *dev);

#endif
