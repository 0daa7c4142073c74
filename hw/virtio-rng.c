/* SPDX-License-Identifier: MIT */
/*
 * One queue: what the driver hands over is filled with random bytes. They are the machine's own
 * (rng-builtin), a function of -seed, so that equal runs see equal numbers, and come at once; or
 * they are asked of a device of the host's (rng-random), some for each buffer.
 * Missing: limits to how many a guest may have.
 */
#include "hw/virtio-rng.h"

#include "softmmu/bytes.h"
#include "softmmu/random.h"

#define ASK  256         /* bytes at a time of the source */
#define MOST (64u << 10) /* of one request: more is not given at a time */

typedef struct VirtioRng {
    VirtioDevice virtio;
    VirtioKind kind;
    uint64_t seed;
    uint32_t stream;
    HostRandom *source; /* NULL: the machine's own */
    /* state */
    uint64_t given; /* numbers so far */
    bool asked;     /* the source, and bytes are on their way */
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

static void ask(VirtioRng *s)
{
    if (s->asked || !virtio_has_chain(&s->virtio, 0))
        return;
    s->asked = true;
    host_random_ask(s->source, ASK);
}

static void got_bytes(void *opaque, const uint8_t *data, size_t len)
{
    VirtioRng *s = opaque;
    VirtioChain c;

    s->asked = false;
    if (virtio_take(&s->virtio, 0, &c))
        virtio_give(&s->virtio, 0, c.head, virtio_write(&s->virtio, &c, 0, data, len));
    ask(s);
}

static void notified(VirtioDevice *v, unsigned queue)
{
    VirtioRng *s = (VirtioRng *)v;
    VirtioChain c;

    if (s->source)
        ask(s);
    while (!s->source && virtio_take(v, 0, &c))
        fill(s, &c);
}

static void connect_source(VirtioRng *s, bool on)
{
    if (s->source)
        host_random_connect(s->source, on ? got_bytes : NULL, on ? s : NULL);
}

static bool rng_realize(Device *dev, GError **error)
{
    VirtioRng *s = (VirtioRng *)dev;

    s->kind = (VirtioKind){
        .id = 4, .class_code = 0x00ff00, .queues = 1, .vectors = 2, .notified = notified
    };
    s->virtio.kind = &s->kind;
    connect_source(s, true);
    return virtio_realize(&s->virtio, error);
}

static void rng_unrealize(Device *dev)
{
    connect_source((VirtioRng *)dev, false);
    virtio_unrealize(dev);
}

static void rng_plug(Device *dev, bool in)
{
    connect_source((VirtioRng *)dev, in);
    pci_device_plug(dev, in);
}

/* What was on its way when the state was saved may have been lost. */
static void rng_post_load(Device *dev)
{
    VirtioRng *s = (VirtioRng *)dev;

    virtio_post_load(dev);
    if (s->source && s->asked)
        host_random_ask(s->source, ASK);
}

static const StateField rng_state[] = {
    STATE_STRUCT(VirtioRng, virtio, virtio_state),
    STATE_U64(VirtioRng, given),
    STATE_BOOL(VirtioRng, asked),
    STATE_END,
};

const DeviceClass virtio_rng_class = {
    .name = "virtio-rng-pci",
    .desc = "random numbers behind virtio",
    .size = sizeof(VirtioRng),
    .state = rng_state,
    .state_version = 2,
    .state_oldest = 2, /* its registers were elsewhere */
    .realize = rng_realize,
    .unrealize = rng_unrealize,
    .plug = rng_plug,
    .reset_enter = virtio_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = rng_post_load,
};

Device *virtio_rng_new(PciBus *bus, int devfn, AddressSpace *memory, uint64_t seed, uint32_t stream,
                       HostRandom *source)
{
    VirtioRng *s = (VirtioRng *)pci_device_new(&virtio_rng_class, bus, devfn, NULL);

    s->virtio.memory = memory;
    s->seed = seed;
    s->stream = stream;
    s->source = source;
    return &s->virtio.pci.dev;
}
