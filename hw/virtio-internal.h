/* SPDX-License-Identifier: MIT */
/* Between a virtio device's rings (virtio.c) and its registers of before version 1. */
#ifndef HW_VIRTIO_INTERNAL_H
#define HW_VIRTIO_INTERNAL_H

#include "hw/virtio.h"

#define VIRTIO_NO_VECTOR 0xffff

uint64_t virtio_offered(const VirtioDevice *v);
VirtioQueue *virtio_selected(VirtioDevice *v); /* NULL: it is not there */
void virtio_write_status(VirtioDevice *v, uint8_t value);
uint8_t virtio_take_isr(VirtioDevice *v);
uint64_t virtio_read_config(VirtioDevice *v, unsigned off, unsigned size);
void virtio_write_config(VirtioDevice *v, unsigned off, unsigned size, uint64_t value);
uint16_t virtio_vector(const VirtioDevice *v,
                       uint16_t asked); /* NO_VECTOR for one that is not there */

void virtio_legacy_init(VirtioDevice *v);

#endif
