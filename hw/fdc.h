/* SPDX-License-Identifier: MIT */
/*
 * The floppy controller at 0x3f0 with its drives: an 82077AA as an AT has it (MSR, FIFO, DOR, DIR).
 * What a disk holds follows from the size of its image; what a drive takes from its first disk.
 */
#ifndef HW_FDC_H
#define HW_FDC_H

#include "softmmu/block/drive.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"
#include "softmmu/memory.h"

#define FDC_UNITS 2

extern const DeviceClass fdc_class;

/* @dma is the board's i8237, of which it has channel 2. */
Device *fdc_new(Device *parent, MemRegion *ports, const Irq *irq, Device *dma);
const Drive *fdc_unit(const Device *fdc, unsigned unit); /* NULL: there is none */
void fdc_attach(Device *fdc, unsigned unit, Drive *drive);
bool fdc_has_unit(const Device *fdc, unsigned unit);
/* What CMOS and ACPI say of a drive: 2 (5.25", 1.2 MB), 4 (3.5", 1.44 MB), 5 (2.88 MB); 0: none. */
uint8_t fdc_drive_type(const Device *fdc, unsigned unit);
/* Is there a format with room for an image of @sectors? */
bool fdc_has_format(uint64_t sectors);

#endif
