/* SPDX-License-Identifier: MIT */
/* Consoles and ports for programs behind virtio (VIRTIO 1.2, 5.3). */
#ifndef HW_VIRTIO_SERIAL_H
#define HW_VIRTIO_SERIAL_H

#include "hw/virtio.h"
#include "softmmu/chardev.h"

#define VIRTIO_SERIAL_PORTS 4
#define VIRTIO_SERIAL_NAME  64 /* bytes, with its NUL */

extern const DeviceClass virtio_serial_class;

/* @devfn < 0: the first free slot. Ports are added before it is realized. */
Device *virtio_serial_new(PciBus *bus, int devfn, AddressSpace *memory);
/* A console (else a port for programs, by @name, which may be NULL) on @chr, which may be NULL.
 * @number < 0: the first that is free; a console that is port 0 is one for old drivers as well.
 * False: there is no such place. */
bool virtio_serial_add_port(Device *dev, int number, bool console, const char *name, Chardev *chr);

#endif
