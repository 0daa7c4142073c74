/* SPDX-License-Identifier: MIT */
/* The Cirrus Logic CL-GD5446, an accelerated VGA on PCI (1013:00b8), with 4 MiB. */
#ifndef HW_CIRRUS_H
#define HW_CIRRUS_H

#include "hw/vga.h"

extern const DeviceClass cirrus_class;

#define CIRRUS_VRAM_SIZE (4 * 1024 * 1024)

/* @devfn < 0: the first free slot. Not yet realized. */
Device *cirrus_new(PciBus *bus, int devfn, const VgaWiring *w);

#endif
