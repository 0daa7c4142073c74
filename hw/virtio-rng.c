/* SPDX-License-Identifier: MIT */
/*
 * One queue: what the driver hands over is filled with random bytes at once. They are the machine's
 * own (rng-builtin), a function of -seed, so that equal runs see equal numbers.
 * Missing: numbers from a device of the host (rng-random), limits to how many a guest may have.
 */
#include "hw/virtio-rng.h"

#include "softmmu/bytes.h"
#include "softmmu/random.h"

#define MOST (64u << 10) /* of one request: more is not given at a time */

typedef struct VirtioRng {
    VirtioDevice virtio;
    VirtioKind kind;
    uint64_t seed;
    uint32_t stream;
    /* state */
    uint64_t given; /* numbers so far */
} VirtioRng;

static void fill(VirtioRng *s, const VirtioChain *c)
{
    uint64_t len = MIN(c->in_len, MOST);

    for (uint64_t done = 0; done < len; done += 8) {
        uint8_t bytes[8];

        put_le(bytes, 8, random_number(s->seed, s->stream, s->given++));
        virtio_write(&s->virtio, c, done, bytes, MIN(8, len - done));
    }
    virtio_give(&s->virtio, 0, c->head, len);
}

static void notified(VirtioDevice *v, unsigned queue)
{
    VirtioChain c;

    while (virtio_take(v, 0, &c))
        fill((VirtioRng *)v, &c);
}

static bool rng_realize(Device *dev, GError **error)
{
    VirtioRng *s = (VirtioRng *)dev;

    s->kind = (VirtioKind){ .id = 4, .class_code = 0x00ff00, .queues = 1, .notified = notified };
    s->virtio.kind = &s->kind;
    return virtio_realize(&s->virtio, error);
}

static const StateField rng_state[] = {
    STATE_STRUCT(VirtioRng, virtio, virtio_state),
    STATE_U64(VirtioRng, given),
    STATE_END,
};

const DeviceClass virtio_rng_class = {
    .name = "virtio-rng-pci",
    .desc = "random numbers behind virtio",
    .size = sizeof(VirtioRng),
    .state = rng_state,
    .state_version = 1,
    .realize = rng_realize,
    .unrealize = virtio_unrealize,
    .reset_enter = virtio_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = virtio_post_load,
};

Device *virtio_rng_new(PciBus *bus, int devfn, AddressSpace *memory, uint64_t seed, uint32_t stream)
{
    VirtioRng *s = (VirtioRng *)pci_device_new(&virtio_rng_class, bus, devfn, NULL);

    s->virtio.memory = memory;
    s->seed = seed;
    s->stream = stream;
    return &s->virtio.pci.dev;
}
