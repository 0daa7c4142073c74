/* SPDX-License-Identifier: MIT */
/*
 * Two queues of page numbers: pages of 4 KiB that go into the balloon, which read as zeros from
 * then on, and such that come out again. How many are wanted in it is what the user asks for; how
 * many are, the driver writes. Spec: VIRTIO 1.2, 5.5. Missing: statistics, reporting of free pages,
 * poisoned pages.
 */
#include "hw/virtio-balloon.h"

#include <inttypes.h>

#include "softmmu/bytes.h"
#include "softmmu/log.h"

#define PAGE             4096
#define F_DEFLATE_ON_OOM (1 << 2)
#define MOST_AT_ONCE     (4u << 20) /* bytes of a list */

enum { INFLATE, DEFLATE };
enum { CONFIG_WANTED = 0, CONFIG_ACTUAL = 4, CONFIG_BYTES = 16 };

typedef struct VirtioBalloon {
    VirtioDevice virtio;
    VirtioKind kind;
    BalloonWiring w;
    /* state */
    uint32_t wanted, actual; /* pages in it */
} VirtioBalloon;

/* Drivers list some hundred at a time; a list of more than 4 GiB of memory is not looked at, as the
 * machine would wait for it. */
static void drop_pages(VirtioBalloon *s, const VirtioChain *c)
{
    uint8_t raw[4];

    if (c->out_len > MOST_AT_ONCE) {
        log_guest_error("virtio-balloon: a list of %" PRIu64 " bytes is not read\n", c->out_len);
        return;
    }
    for (uint64_t at = 0; virtio_read(&s->virtio, c, at, raw, 4) == 4; at += 4)
        address_space_drop(s->virtio.memory, get_le(raw, 4) * PAGE, PAGE);
}

static void notified(VirtioDevice *v, unsigned queue)
{
    VirtioChain c;

    while (virtio_take(v, queue, &c)) {
        if (queue == INFLATE)
            drop_pages((VirtioBalloon *)v, &c);
        virtio_give(v, queue, c.head, 0);
    }
}

static void config(VirtioDevice *v, uint8_t *out)
{
    const VirtioBalloon *s = (VirtioBalloon *)v;

    put_le(out + CONFIG_WANTED, 4, s->wanted);
    put_le(out + CONFIG_ACTUAL, 4, s->actual);
}

static void write_config(VirtioDevice *v, unsigned off, uint8_t byte)
{
    VirtioBalloon *s = (VirtioBalloon *)v;
    uint8_t raw[4];

    if (off < CONFIG_ACTUAL || off >= CONFIG_ACTUAL + 4)
        return;
    put_le(raw, 4, s->actual);
    raw[off - CONFIG_ACTUAL] = byte;
    s->actual = get_le(raw, 4);
    if (off == CONFIG_ACTUAL + 3 && s->w.changed) /* the last byte of the number */
        s->w.changed(s->w.opaque, virtio_balloon_left(&v->pci.dev));
}

uint64_t virtio_balloon_left(const Device *dev)
{
    const VirtioBalloon *s = (const VirtioBalloon *)dev;

    return s->w.ram_size - MIN((uint64_t)s->actual * PAGE, s->w.ram_size);
}

void virtio_balloon_ask(Device *dev, uint64_t bytes)
{
    VirtioBalloon *s = (VirtioBalloon *)dev;

    s->wanted = MIN((s->w.ram_size - MIN(bytes, s->w.ram_size)) / PAGE, UINT32_MAX);
    virtio_config_changed(&s->virtio);
}

static bool balloon_realize(Device *dev, GError **error)
{
    VirtioBalloon *s = (VirtioBalloon *)dev;

    s->kind = (VirtioKind){ .id = 5,
                            .class_code = 0x00ff00,
                            .queues = 2,
                            .features = s->w.deflate_on_oom ? F_DEFLATE_ON_OOM : 0,
                            .config_size = CONFIG_BYTES,
                            .config = config,
                            .write_config = write_config,
                            .notified = notified };
    s->virtio.kind = &s->kind;
    return virtio_realize(&s->virtio, error);
}

/* What the user wants stays wanted. */
static void balloon_reset(Device *dev)
{
    ((VirtioBalloon *)dev)->actual = 0;
    virtio_reset_enter(dev);
}

static const StateField balloon_state[] = {
    STATE_STRUCT(VirtioBalloon, virtio, virtio_state),
    STATE_U32(VirtioBalloon, wanted),
    STATE_U32(VirtioBalloon, actual),
    STATE_END,
};

const DeviceClass virtio_balloon_class = {
    .name = "virtio-balloon-pci",
    .desc = "memory balloon behind virtio",
    .size = sizeof(VirtioBalloon),
    .state = balloon_state,
    .state_version = 2,
    .state_oldest = 2, /* its registers were elsewhere */
    .realize = balloon_realize,
    .unrealize = virtio_unrealize,
    .plug = pci_device_plug,
    .reset_enter = balloon_reset,
    .reset_hold = pci_device_reset_hold,
    .post_load = virtio_post_load,
};

Device *virtio_balloon_new(PciBus *bus, int devfn, const BalloonWiring *w)
{
    VirtioBalloon *s = (VirtioBalloon *)pci_device_new(&virtio_balloon_class, bus, devfn, NULL);

    s->virtio.memory = w->memory;
    s->w = *w;
    return &s->virtio.pci.dev;
}
