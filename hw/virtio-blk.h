/* SPDX-License-Identifier: MIT */
/* A disk behind virtio (VIRTIO 1.2, 5.2). */
#ifndef HW_VIRTIO_BLK_H
#define HW_VIRTIO_BLK_H

#include "hw/virtio.h"
#include "softmmu/block/drive.h"

extern const DeviceClass virtio_blk_class;

/* @serial is copied, up to 20 bytes of it. @devfn < 0: the first free slot. Not yet realized. */
Drive *virtio_blk_drive(Device *dev); /* of one of this class */
Device *virtio_blk_new(PciBus *bus, int devfn, AddressSpace *memory, Drive *drive,
                       const char *serial);

#endif
