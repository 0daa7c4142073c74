/* SPDX-License-Identifier: MIT */
/* Random numbers behind virtio (VIRTIO 1.2, 5.4). */
#ifndef HW_VIRTIO_RNG_H
#define HW_VIRTIO_RNG_H

#include "hw/virtio.h"
#include "softmmu/host-random.h"

extern const DeviceClass virtio_rng_class;

/* Its numbers follow from @seed and @stream (softmmu/random.h), or are @source's if that is not
 * NULL. @devfn < 0: the first free slot. */
Device *virtio_rng_new(PciBus *bus, int devfn, AddressSpace *memory, uint64_t seed, uint32_t stream,
                       HostRandom *source);

#endif
