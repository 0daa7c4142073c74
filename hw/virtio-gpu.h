/* SPDX-License-Identifier: MIT */
/* A screen behind virtio (5.7 of the standard), without 3D. */
#ifndef HW_VIRTIO_GPU_H
#define HW_VIRTIO_GPU_H

#include "hw/virtio.h"
#include "softmmu/display.h"

extern const DeviceClass virtio_gpu_class;

#define VIRTIO_GPU_STORE_SIZE (64 * 1024 * 1024)

typedef struct VirtioGpuWiring {
    AddressSpace *memory;
    RamBlock *store;     /* for the guest's pictures; not where it can see it */
    Display *display;    /* NULL: nobody looks */
    uint32_t xres, yres; /* what the driver is told to be best */
    bool edid;           /* … by a monitor that tells of itself */
} VirtioGpuWiring;

/* @devfn < 0: the first free slot. */
Device *virtio_gpu_new(PciBus *bus, int devfn, const VirtioGpuWiring *w);

#endif
