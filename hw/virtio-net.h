/* SPDX-License-Identifier: MIT */
/* A network card behind virtio (VIRTIO 1.2, 5.1). */
#ifndef HW_VIRTIO_NET_H
#define HW_VIRTIO_NET_H

#include "hw/virtio.h"
#include "softmmu/net/net.h"

extern const DeviceClass virtio_net_class;

/* @devfn < 0: the first free slot. Not yet realized. */
Device *virtio_net_new(PciBus *bus, int devfn, AddressSpace *memory, NetCable *cable,
                       const uint8_t mac[6]);

#endif
