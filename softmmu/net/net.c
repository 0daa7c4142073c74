/* SPDX-License-Identifier: MIT */
#include "softmmu/net/net.h"

#include <string.h>

typedef struct Waiting {
    uint16_t len;
    uint8_t frame[NET_MAX_FRAME];
} Waiting;

struct NetCable {
    Device dev;
    InputQueue *input;
    NetBackend *backend;
    const NetClient *client;
    void *opaque;
    char *name;
    int channel;
    /* state: a ring */
    Waiting waiting[NET_WAITING];
    uint8_t first, count;
    bool out;     /* of its socket: set_link */
    bool cut;     /* the network at the other end is gone */
    char *former; /* … and was this, for the user */
};

static bool is_taken(NetCable *c, const uint8_t *frame, size_t len)
{
    if (!c->client || !c->client->can_receive(c->opaque))
        return false;
    c->client->receive(c->opaque, frame, len);
    return true;
}

static void push(NetCable *c, const uint8_t *frame, size_t len)
{
    Waiting *w = &c->waiting[(c->first + c->count) % NET_WAITING];

    if (c->count == NET_WAITING)
        return;
    w->len = len;
    memcpy(w->frame, frame, len);
    c->count++;
}

static void pop(NetCable *c)
{
    memset(&c->waiting[c->first], 0, sizeof(Waiting)); /* equal states are equal bytes */
    c->first = (c->first + 1) % NET_WAITING;
    c->count--;
}

void net_ready(NetCable *c)
{
    while (c->count && is_taken(c, c->waiting[c->first].frame, c->waiting[c->first].len))
        pop(c);
}

static void dump(NetCable *c, bool to_backend, const uint8_t *frame, size_t len)
{
    const GPtrArray *dumps = c->backend ? c->backend->dumps : NULL;

    for (guint i = 0; dumps && i < dumps->len; i++)
        net_dump_frame(dumps->pdata[i], to_backend, frame, len);
}

static void hear(void *opaque, const void *data, size_t len)
{
    NetCable *c = opaque;

    if (!len || len > NET_MAX_FRAME || c->out)
        return;
    dump(c, false, data, len);
    net_ready(c);
    if (c->count || !is_taken(c, data, len))
        push(c, data, len);
}

void net_post(NetCable *c, const uint8_t *frame, size_t len)
{
    input_post(c->input, c->channel, frame, len);
}

void net_backend_deliver(NetBackend *b, const uint8_t *frame, size_t len)
{
    if (b->divert)
        b->divert(b->divert_opaque, frame, len);
    else if (b->cable)
        net_post(b->cable, frame, len);
}

void net_send(NetCable *c, const uint8_t *frame, size_t len)
{
    if (!c->backend || c->out)
        return;
    dump(c, true, frame, len);
    c->backend->send(c->backend, frame, len);
}

void net_announce(NetCable *c)
{
    const uint8_t *mac = c->client && c->client->mac ? c->client->mac(c->opaque) : NULL;
    uint8_t frame[60] = { [12] = 0x80, 0x35,       /* RARP */
                          0,           1,          /* of Ethernet */
                          8,           0,    6, 4, /* addresses of IPv4 */
                          0,           3 };        /* who am I? */

    if (!mac)
        return;
    memset(frame, 0xff, 6);
    memcpy(frame + 6, mac, 6);
    memcpy(frame + 22, mac, 6); /* who asks … */
    memcpy(frame + 32, mac, 6); /* … about itself */
    net_send(c, frame, sizeof(frame));
}

static void forget_frames(NetCable *c)
{
    memset(c->waiting, 0, sizeof(c->waiting));
    c->first = c->count = 0;
}

void net_connect(NetCable *c, const NetClient *client, void *opaque)
{
    c->client = client;
    c->opaque = opaque;
    if (!client) /* what waited was for that card */
        forget_frames(c);
}

void net_set_link(NetCable *c, bool up)
{
    if (c->out == !up)
        return;
    c->out = !up;
    if (c->out)
        forget_frames(c);
    if (c->client && c->client->link_changed)
        c->client->link_changed(c->opaque);
}

bool net_is_up(const NetCable *c)
{
    return !c->out;
}

void net_cut(NetCable *c)
{
    net_set_link(c, false);
    g_free(c->former);
    c->former = net_summary(c->dev.id, c->backend);
    c->backend = NULL;
    c->cut = true;
}

static void join_backend(NetCable *c, NetBackend *backend)
{
    c->backend = backend;
    if (backend)
        backend->cable = c;
}

void net_join(NetCable *c, NetBackend *backend)
{
    g_assert(!c->client);
    join_backend(c, backend);
    c->cut = c->out = false;
}

bool net_is_cut(const NetCable *c)
{
    return c->cut;
}

static void add_cables(const Device *root, GPtrArray *cables)
{
    for (guint i = 0; root->children && i < root->children->len; i++) {
        Device *dev = root->children->pdata[i];

        if (dev->klass == &net_cable_class)
            g_ptr_array_add(cables, dev);
        add_cables(dev, cables);
    }
}

GPtrArray *net_cables(const Device *root)
{
    GPtrArray *cables = g_ptr_array_new();

    add_cables(root, cables);
    return cables;
}

static const Device *card_of(const NetCable *c)
{
    return c->client ? c->opaque : NULL;
}

NetCable *net_cable_named(Device *root, const char *name)
{
    g_autoptr(GPtrArray) cables = net_cables(root);

    for (guint i = 0; i < cables->len; i++) {
        NetCable *c = cables->pdata[i];
        const Device *card = card_of(c);

        if ((!c->cut && !strcmp(c->dev.id, name)) ||
            (card && card->named && !strcmp(card->id, name)))
            return c;
    }
    return NULL;
}

bool net_card_mac(const Device *root, const Device *card, uint8_t mac[6])
{
    g_autoptr(GPtrArray) cables = net_cables(root);

    for (guint i = 0; i < cables->len; i++) {
        const NetCable *c = cables->pdata[i];

        if (card_of(c) == card && c->client->mac) {
            memcpy(mac, c->client->mac(c->opaque), 6);
            return true;
        }
    }
    return false;
}

char *net_summary(const char *id, const NetBackend *b)
{
    return g_strdup_printf("%s: index=0,type=%s", id, b ? b->summary : "recorded");
}

char *net_card_summary(const NetCable *c)
{
    const Device *card = card_of(c);
    const uint8_t *mac = card && c->client->mac ? c->client->mac(c->opaque) : NULL;

    return mac ? g_strdup_printf("%s: index=0,type=nic,model=%s,"
                                 "macaddr=%02x:%02x:%02x:%02x:%02x:%02x",
                                 card->id, card->klass->name, mac[0], mac[1], mac[2], mac[3],
                                 mac[4], mac[5])
               : NULL;
}

const char *net_former(const NetCable *c)
{
    return c->cut ? c->former : NULL;
}

NetCable *net_cable_find(Device *root, const char *id)
{
    for (guint i = 0; i < root->children->len; i++) {
        Device *dev = root->children->pdata[i];

        if (dev->klass == &net_cable_class && !strcmp(dev->id, id))
            return (NetCable *)dev;
    }
    return NULL;
}

bool net_is_connected(const NetCable *c)
{
    return c->client;
}

NetBackend *net_cable_backend(const NetCable *c)
{
    return c->backend;
}

const char *net_cable_id(const NetCable *c)
{
    return c->dev.id;
}

static void cable_reset(Device *dev)
{
    forget_frames((NetCable *)dev);
}

static void cable_post_load(Device *dev)
{
    NetCable *c = (NetCable *)dev;

    c->first %= NET_WAITING;
    c->count = MIN(c->count, NET_WAITING);
    for (unsigned i = 0; i < NET_WAITING; i++)
        c->waiting[i].len = MIN(c->waiting[i].len, NET_MAX_FRAME);
}

static void cable_finalize(Device *dev)
{
    NetCable *c = (NetCable *)dev;

    g_free(c->name);
    g_free(c->former);
}

static const StateField waiting_state[] = {
    STATE_U16(Waiting, len),
    STATE_BYTES(Waiting, frame),
    STATE_END,
};

static const StateField cable_state[] = {
    STATE_STRUCT_ARRAY(NetCable, waiting, waiting_state),
    STATE_U8(NetCable, first),
    STATE_U8(NetCable, count),
    STATE_BOOL_SINCE(NetCable, out, 2),
    STATE_BOOL_SINCE(NetCable, cut, 3),
    STATE_END,
};

const DeviceClass net_cable_class = {
    .name = "net",
    .desc = "cable of a network card",
    .size = sizeof(NetCable),
    .state = cable_state,
    .state_version = 3,
    .finalize = cable_finalize,
    .reset_enter = cable_reset,
    .post_load = cable_post_load,
};

NetCable *net_cable_new(Device *parent, const char *id, InputQueue *input, NetBackend *backend)
{
    NetCable *c = (NetCable *)device_new(&net_cable_class, parent, id);

    c->input = input;
    join_backend(c, backend);
    c->name = g_strdup_printf("net %s", c->dev.id);
    c->channel = input_add_channel(input, c->name, false, hear, c);
    return c;
}
