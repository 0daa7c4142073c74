/* SPDX-License-Identifier: MIT */
/* A memory balloon behind virtio (5.5 of the standard): pages that the guest does without. */
#ifndef HW_VIRTIO_BALLOON_H
#define HW_VIRTIO_BALLOON_H

#include "hw/virtio.h"

extern const DeviceClass virtio_balloon_class;

typedef struct BalloonWiring {
    AddressSpace *memory;
    uint64_t ram_size;
    bool deflate_on_oom; /* the guest may take pages back by itself when it has no others */
    void (*changed)(void *opaque, uint64_t left); /* bytes that the guest has now; may be NULL */
    void *opaque;
} BalloonWiring;

/* @devfn < 0: the first free slot. */
Device *virtio_balloon_new(PciBus *bus, int devfn, const BalloonWiring *w);
/* Bytes that the guest is to keep, and those that it has. */
void virtio_balloon_ask(Device *dev, uint64_t bytes);
uint64_t virtio_balloon_left(const Device *dev);

#endif
