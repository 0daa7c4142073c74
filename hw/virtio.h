/* SPDX-License-Identifier: MIT */
/*
 * Virtio devices on PCI, as version 1 of the standard has them (split rings), and with registers
 * for drivers of before it. Spec: Virtual I/O Device (VIRTIO) 1.2, chapters 2 and 4.1.
 *
 * A device is a struct that begins with VirtioDevice and a VirtioKind that says what it is. It
 * takes a chain of descriptors from a ring, reads and writes what they name, and gives it back.
 * A chain is known by its head: state needs no more, as memory has the rest.
 * BAR 0 has the registers of before version 1, BAR 1 the table of MSI-X, BAR 4 those of version 1.
 * Missing: packed rings, event indices.
 */
#ifndef HW_VIRTIO_H
#define HW_VIRTIO_H

#include "hw/msix.h"
#include "hw/pci.h"

#define VIRTIO_RING_SIZE  256
#define VIRTIO_QUEUES     10
#define VIRTIO_MAX_PARTS  256 /* of a chain; longer ones break the device */
#define VIRTIO_MAX_CONFIG 64

typedef struct VirtioDevice VirtioDevice;

typedef struct VirtioPart {
    uint64_t addr;
    uint32_t len;
} VirtioPart;

typedef struct VirtioChain {
    uint16_t head;
    unsigned outs, ins; /* parts that the device reads, and writes */
    uint64_t out_len, in_len;
    VirtioPart out[VIRTIO_MAX_PARTS], in[VIRTIO_MAX_PARTS];
} VirtioChain;

typedef struct VirtioKind {
    uint16_t id;              /* 5 in the standard */
    uint32_t class_code;      /* of PCI */
    unsigned queues, vectors; /* of MSI-X, 0: it has none */
    uint64_t features;        /* of its own; those of the transport come by themselves */
    unsigned config_size;
    void (*config)(VirtioDevice *v, uint8_t *out); /* config_size zeroed bytes; NULL if none */
    void (*write_config)(VirtioDevice *v, unsigned off,
                         uint8_t byte); /* NULL: nothing there is written */
    void (*notified)(VirtioDevice *v, unsigned queue);
    void (*reset)(VirtioDevice *v); /* by the driver or the machine; may be NULL */
} VirtioKind;

typedef struct VirtioQueue {
    uint16_t size, enabled;
    uint64_t desc, driver, device;
    uint16_t taken;  /* of the driver's ring */
    uint16_t vector; /* of MSI-X */
} VirtioQueue;

enum { VIRTIO_PARTS = 4 }; /* of the modern registers */

struct VirtioDevice {
    PciDevice pci;
    const VirtioKind *kind;
    AddressSpace *memory;
    MemRegion bar, legacy_bar;
    MemPart parts[VIRTIO_PARTS + 1]; /* of .bar */
    char *part_names[VIRTIO_PARTS];
    bool no_legacy, no_modern; /* which registers it lacks */
    uint32_t chains_left;      /* of the notification that is worked on; 0: there is none */
    Msix msix;
    /* state */
    uint32_t feature_select, driver_select;
    uint64_t driver_features;
    uint8_t status, isr;
    uint16_t queue_select, config_vector;
    VirtioQueue queue[VIRTIO_QUEUES];
};

extern const StateField virtio_state[]; /* STATE_STRUCT(T, virtio, virtio_state) begins the list */

/* For the class of a device: call these from its hooks. */
bool virtio_realize(VirtioDevice *v, GError **error);
void virtio_unrealize(Device *dev);
void virtio_reset_enter(Device *dev);
void virtio_post_load(Device *dev);

/* There may be chains in @queue: its .notified is called, unless that is at work. */
void virtio_notify(VirtioDevice *v, uint64_t queue);
/* Its .config has other bytes now. */
void virtio_config_changed(VirtioDevice *v);

/* Rings. False: nothing is there, or the driver has not said that it is ready. */
bool virtio_take(VirtioDevice *v, unsigned queue, VirtioChain *c);
bool virtio_has_chain(VirtioDevice *v, unsigned queue);
/* The chain with that head again; false: it is not one any more. */
bool virtio_find(VirtioDevice *v, unsigned queue, uint16_t head, VirtioChain *c);
/* Bytes of the parts in order, from @offset on; how many there were. */
uint64_t virtio_read(VirtioDevice *v, const VirtioChain *c, uint64_t offset, void *buf,
                     uint64_t len);
uint64_t virtio_write(VirtioDevice *v, const VirtioChain *c, uint64_t offset, const void *buf,
                      uint64_t len);
/* Give it back, @written bytes of it written, and interrupt. */
void virtio_give(VirtioDevice *v, unsigned queue, uint16_t head, uint32_t written);
bool virtio_is_ready(const VirtioDevice *v);
/* Did the driver say that it is one of version 1? Headers differ. */
bool virtio_is_modern(const VirtioDevice *v);

#endif
