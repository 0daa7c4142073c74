/* SPDX-License-Identifier: MIT */
/*
 * The 82371SB (PIIX3) PCI to ISA bridge: PIRQ routing and the reset control register 0xcf9.
 */
#ifndef HW_PIIX3_H
#define HW_PIIX3_H

#include "hw/i440fx.h"
#include "hw/pci.h"

extern const DeviceClass piix3_class;

/* At 00:01.0. @isa: 16 (or more) interrupt lines that PIRQs may be routed to
 * (gsi_lines(g, GSI_PIRQ)). @reset: raised for a machine reset. Not yet realized. */
Device *piix3_new(Device *host_bridge, const Irq *isa, const Irq *reset);

#endif
