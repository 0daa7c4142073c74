/* SPDX-License-Identifier: MIT */
/*
 * -netdev hubport: ports of a hub, each with a card or another network. A frame that one hears goes
 * to all others. Ports come and go on the main thread; frames come from any.
 */
#include "softmmu/net/net.h"

typedef struct Port {
    NetBackend backend;
    NetHub *hub;
    NetBackend *other; /* NULL: a card may be there */
} Port;

struct NetHub {
    GMutex lock;      /* of the list */
    GPtrArray *ports; /* Port * */
};

/* To what is at @p from elsewhere. */
static void leave_by(Port *p, const uint8_t *frame, size_t len)
{
    if (p->other)
        p->other->send(p->other, frame, len);
    else if (p->backend.cable)
        net_post(p->backend.cable, frame, len);
}

static void spread(Port *from, const uint8_t *frame, size_t len)
{
    NetHub *hub = from->hub;

    g_mutex_lock(&hub->lock);
    for (guint i = 0; i < hub->ports->len; i++)
        if (hub->ports->pdata[i] != from)
            leave_by(hub->ports->pdata[i], frame, len);
    g_mutex_unlock(&hub->lock);
}

/* The card's. */
static void port_send(NetBackend *b, const uint8_t *frame, size_t len)
{
    spread((Port *)b, frame, len);
}

/* The other network's. */
static void port_hears(void *opaque, const uint8_t *frame, size_t len)
{
    spread(opaque, frame, len);
}

void net_hub_free(NetHub *hub)
{
    g_ptr_array_unref(hub->ports);
    g_mutex_clear(&hub->lock);
    g_free(hub);
}

static void port_free(NetBackend *b)
{
    Port *p = (Port *)b;

    if (p->other)
        p->other->divert = NULL;
    g_mutex_lock(&p->hub->lock);
    g_ptr_array_remove(p->hub->ports, p);
    g_mutex_unlock(&p->hub->lock);
    g_free(b->summary);
    g_free(p);
}

bool net_is_hub_port(const NetBackend *b)
{
    return b->send == port_send;
}

NetHub *net_hub_new(void)
{
    NetHub *hub = g_new0(NetHub, 1);

    g_mutex_init(&hub->lock);
    hub->ports = g_ptr_array_new();
    return hub;
}

NetBackend *net_hub_add_port(NetHub *hub, unsigned number, NetBackend *other)
{
    Port *p = g_new0(Port, 1);

    p->backend = (NetBackend){ .send = port_send, .free = port_free };
    p->backend.summary = g_strdup_printf("hubport,hub=%u", number);
    p->hub = hub;
    p->other = other;
    if (other) {
        other->divert_opaque = p;
        other->divert = port_hears;
    }
    g_mutex_lock(&hub->lock);
    g_ptr_array_add(hub->ports, p);
    g_mutex_unlock(&hub->lock);
    return &p->backend;
}
