/* SPDX-License-Identifier: MIT */
/*
 * NOR flash with Intel's command set (CFI 0001h): memory that is read as it is and written by
 * commands. Its contents are a RAM block; what is programmed also goes to the host's image.
 */
#ifndef HW_PFLASH_H
#define HW_PFLASH_H

#include "softmmu/block/image.h"
#include "softmmu/device.h"
#include "softmmu/memory.h"

#define PFLASH_BLOCK 4096 /* bytes that are erased at a time */

extern const DeviceClass pflash_class;

/* @ram has the contents, a multiple of PFLASH_BLOCK. @image is taken over; NULL: what is programmed
 * is kept nowhere (a replay). The region is for the caller to place. */
Device *pflash_new(Device *parent, RamBlock *ram, Image *image, bool read_only);
MemRegion *pflash_region(Device *dev);

#endif
