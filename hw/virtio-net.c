/* SPDX-License-Identifier: MIT */
/*
 * A receive and a transmit queue; each frame is behind a header of twelve bytes (ten before version
 * 1) that says nothing, as no offload is offered. Every frame that the cable brings is received.
 */
#include "hw/virtio-net.h"

#include <string.h>

#define F_MAC    (1 << 5)
#define F_STATUS (1 << 16)
#define HEAD     12

enum { Q_RECEIVE, Q_TRANSMIT };

typedef struct VirtioNet {
    VirtioDevice virtio;
    NetCable *cable;
    uint8_t mac[6];
} VirtioNet;

static unsigned head_size(const VirtioNet *s)
{
    return virtio_is_modern(&s->virtio) ? HEAD : HEAD - 2;
}

static void transmit(VirtioNet *s)
{
    unsigned skip = head_size(s);
    uint8_t frame[NET_MAX_FRAME];
    VirtioChain c;

    while (virtio_take(&s->virtio, Q_TRANSMIT, &c)) {
        uint64_t len = c.out_len > skip ? c.out_len - skip : 0;

        if (len && len <= sizeof(frame)) {
            virtio_read(&s->virtio, &c, skip, frame, len);
            net_send(s->cable, frame, len);
        }
        virtio_give(&s->virtio, Q_TRANSMIT, c.head, 0);
    }
}

static bool can_receive(void *opaque)
{
    VirtioNet *s = opaque;

    return !virtio_is_ready(&s->virtio) || virtio_has_chain(&s->virtio, Q_RECEIVE);
}

static void receive(void *opaque, const uint8_t *frame, size_t len)
{
    static const uint8_t head[HEAD] = { [10] = 1 }; /* one buffer */
    VirtioNet *s = opaque;
    VirtioChain c;
    uint64_t n;

    if (!virtio_take(&s->virtio, Q_RECEIVE, &c))
        return;
    n = virtio_write(&s->virtio, &c, 0, head, head_size(s));
    n += virtio_write(&s->virtio, &c, head_size(s), frame, len);
    virtio_give(&s->virtio, Q_RECEIVE, c.head, n);
}

static void link_changed(void *opaque)
{
    virtio_config_changed(opaque);
}

static const uint8_t *mac_of(void *opaque)
{
    return ((VirtioNet *)opaque)->mac;
}

static const NetClient client = { can_receive, receive, link_changed, mac_of };

static void notified(VirtioDevice *v, unsigned queue)
{
    VirtioNet *s = (VirtioNet *)v;

    if (queue == Q_TRANSMIT)
        transmit(s);
    else
        net_ready(s->cable);
}

static void config(VirtioDevice *v, uint8_t *out)
{
    memcpy(out, ((VirtioNet *)v)->mac, 6);
    out[6] = net_is_up(((VirtioNet *)v)->cable); /* the link is up */
}

static const VirtioKind kind = {
    .id = 1,
    .class_code = 0x020000,
    .queues = 2,
    .vectors = 4,
    .features = F_MAC | F_STATUS,
    .config_size = 8,
    .config = config,
    .notified = notified,
};

static void connect_cable(VirtioNet *s, bool on)
{
    net_connect(s->cable, on ? &client : NULL, on ? s : NULL);
}

static bool net_realize(Device *dev, GError **error)
{
    VirtioNet *s = (VirtioNet *)dev;

    s->virtio.kind = &kind;
    connect_cable(s, true);
    return virtio_realize(&s->virtio, error);
}

static void net_unrealize(Device *dev)
{
    connect_cable((VirtioNet *)dev, false);
    virtio_unrealize(dev);
}

static void net_plug(Device *dev, bool in)
{
    connect_cable((VirtioNet *)dev, in);
    pci_device_plug(dev, in);
}

static const StateField net_state[] = {
    STATE_STRUCT(VirtioNet, virtio, virtio_state),
    STATE_END,
};

const DeviceClass virtio_net_class = {
    .name = "virtio-net-pci",
    .desc = "network card behind virtio",
    .size = sizeof(VirtioNet),
    .state = net_state,
    .state_version = 3,
    .state_oldest = 3, /* its registers were elsewhere */
    .realize = net_realize,
    .unrealize = net_unrealize,
    .plug = net_plug,
    .reset_enter = virtio_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = virtio_post_load,
};

Device *virtio_net_new(PciBus *bus, int devfn, AddressSpace *memory, NetCable *cable,
                       const uint8_t mac[6])
{
    VirtioNet *s = (VirtioNet *)pci_device_new(&virtio_net_class, bus, devfn, NULL);

    s->virtio.memory = memory;
    s->cable = cable;
    memcpy(s->mac, mac, 6);
    return &s->virtio.pci.dev;
}
