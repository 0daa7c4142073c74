/* SPDX-License-Identifier: MIT */
/*
 * The registers in port space by which drivers of before version 1 work a virtio device
 * (4.1.4.10 and 2.7.2 of the standard): rings of one size, one after the other in memory.
 */
#include <string.h>

#include "hw/virtio-internal.h"
#include "softmmu/bytes.h"

#define VECTORS_BYTES 4 /* in front of the configuration of its own */
#define PAGE          4096u

enum {
    R_FEATURES = 0,
    R_DRIVER_FEATURES = 4,
    R_QUEUE_PAGE = 8,
    R_QUEUE_SIZE = 12,
    R_QUEUE_SELECT = 14,
    R_NOTIFY = 16,
    R_STATUS = 18,
    R_ISR = 19,
    R_CONFIG_VECTOR = 20,
    R_QUEUE_VECTOR = 22,
};

/* The device's own configuration, behind the vectors if there are any. */
static unsigned config_start(const VirtioDevice *v)
{
    return R_CONFIG_VECTOR + (msix_enabled(&v->msix) ? VECTORS_BYTES : 0);
}

static void place_queue(VirtioQueue *q, uint32_t page)
{
    q->enabled = page != 0;
    q->desc = (uint64_t)page * PAGE;
    q->driver = q->desc + 16 * q->size;
    q->device = (q->driver + 6 + 2 * q->size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    q->taken = 0;
}

static uint64_t read_one(VirtioDevice *v, unsigned off, unsigned size)
{
    const VirtioQueue *q = virtio_selected(v);

    if (off >= config_start(v))
        return virtio_read_config(v, off - config_start(v), size);
    switch (off) {
    case R_FEATURES: return (uint32_t)virtio_offered(v);
    case R_DRIVER_FEATURES: return (uint32_t)v->driver_features;
    case R_QUEUE_PAGE: return q ? q->desc / PAGE : 0;
    case R_QUEUE_SIZE: return q ? q->size : 0;
    case R_QUEUE_SELECT: return v->queue_select;
    case R_STATUS: return v->status;
    case R_ISR: return virtio_take_isr(v);
    case R_CONFIG_VECTOR: return v->config_vector;
    case R_QUEUE_VECTOR: return q ? q->vector : VIRTIO_NO_VECTOR;
    }
    return 0;
}

static void write_one(VirtioDevice *v, unsigned off, unsigned size, uint32_t value)
{
    VirtioQueue *q = virtio_selected(v);

    if (off >= config_start(v)) {
        virtio_write_config(v, off - config_start(v), size, value);
        return;
    }
    switch (off) {
    case R_DRIVER_FEATURES: v->driver_features = value & virtio_offered(v); break;
    case R_QUEUE_PAGE:
        if (q)
            place_queue(q, value);
        break;
    case R_QUEUE_SELECT: v->queue_select = value; break;
    case R_NOTIFY: virtio_notify(v, value); break;
    case R_STATUS: virtio_write_status(v, value); break;
    case R_CONFIG_VECTOR: v->config_vector = virtio_vector(v, value); break;
    case R_QUEUE_VECTOR:
        if (q)
            q->vector = virtio_vector(v, value);
        break;
    }
}

static uint64_t legacy_read(void *opaque, uint64_t addr, unsigned size)
{
    return read_one(opaque, addr, size);
}

static void legacy_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    write_one(opaque, addr, size, value);
}

static const MemOps legacy_ops = { legacy_read, legacy_write, 1, 4 };

void virtio_legacy_init(VirtioDevice *v)
{
    unsigned head = R_CONFIG_VECTOR + (v->kind->vectors ? VECTORS_BYTES : 0);
    unsigned bytes = 4;

    while (bytes < head + v->kind->config_size)
        bytes *= 2;
    memory_init_io(&v->legacy_bar, "virtio-pci", &legacy_ops, v, bytes);
    pci_add_bar(&v->pci, 0, PCI_BAR_IO, &v->legacy_bar);
}
