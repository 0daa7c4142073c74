/* SPDX-License-Identifier: MIT */
#include "softmmu/program/network.h"

#include <string.h>

#include "softmmu/error.h"
#include "softmmu/host-random.h"
#include "softmmu/program/main-call.h"

static void free_backend(void *p)
{
    NetBackend *b = p;

    g_clear_pointer(&b->dumps, g_ptr_array_unref);
    b->free(b);
}

/* A port of the hub, which is made with its first. */
static NetBackend *open_port(Network *n, const NetdevOption *d, GError **error)
{
    NetBackend *other = d->hub_netdev ? g_hash_table_lookup(n->by_id, d->hub_netdev) : NULL;
    void *key = GUINT_TO_POINTER(d->hub);
    NetHub *hub = g_hash_table_lookup(n->hubs, key);

    if (d->hub_netdev && (!other || !g_hash_table_contains(n->nets, d->hub_netdev))) {
        error_set(error, "netdev '%s' %s", d->hub_netdev, other ? "is in use" : "not found");
        return NULL;
    }
    if (other && net_is_hub_port(other)) {
        error_set(error, "netdev '%s' is a port of a hub itself", d->hub_netdev);
        return NULL;
    }
    if (!hub)
        g_hash_table_insert(n->hubs, key, hub = net_hub_new());
    if (other)
        g_hash_table_remove(n->nets, d->hub_netdev);
    return net_hub_add_port(hub, d->hub, other);
}

static NetBackend *open_backend(Network *n, const NetdevOption *d, GError **error)
{
    switch (d->kind) {
    case NETDEV_BRIDGE: return net_bridge_new(d->bridge, d->helper, error);
    case NETDEV_HUBPORT: return open_port(n, d, error);
    case NETDEV_USER: return net_user_new(&d->user, error);
    case NETDEV_SOCKET: return net_socket_new(&d->socket, error);
    case NETDEV_TAP:
        return d->tap_fd_given ? net_tap_new_fd(d->tap_fd, error) : net_tap_new(d->ifname, error);
    }
    g_assert_not_reached();
}

static void free_hub(void *p)
{
    net_hub_free(p);
}

static void free_source(void *p)
{
    host_random_free(p);
}

static bool open_random(Network *n, Machine *m, const DeviceOption *object, GError **error)
{
    char *id = g_hash_table_lookup(object->props, "id");
    const char *file = g_hash_table_lookup(object->props, "filename");
    HostRandom *r;

    if (strcmp(object->driver, "rng-random"))
        return true;
    file = machine_is_replaying(m) ? NULL : file ? file : "/dev/urandom";
    r = host_random_new(m->input, id, file, error);
    if (!r) {
        g_prefix_error(error, "-object rng-random,id=%s: ", id);
        return false;
    }
    g_ptr_array_add(n->sources, r);
    g_hash_table_insert(n->randoms, g_strdup(id), r);
    return true;
}

/* A back end stays where it is as long as there is a network of its name. */
static NetBackend *backend_of(const Network *n, const DeviceOption *object)
{
    return g_hash_table_lookup(n->by_id, g_hash_table_lookup(object->props, "netdev"));
}

bool network_add_dump(Network *n, Machine *m, const DeviceOption *object, GError **error)
{
    const char *id = g_hash_table_lookup(object->props, "id");
    const char *length = g_hash_table_lookup(object->props, "maxlen");
    const char *queue = g_hash_table_lookup(object->props, "queue");
    const char *status = g_hash_table_lookup(object->props, "status");
    NetBackend *b = backend_of(n, object);
    NetDump *d;

    if (machine_is_replaying(m)) /* the recorded machine had it */
        return true;
    if (!b) {
        error_set(error, "Parameter 'netdev' expects a network backend id");
        return false;
    }
    if (b->divert) {
        error_set(error, "that network is at a hub: what passes is seen at the ports of cards");
        return false;
    }
    d = net_dump_new(g_hash_table_lookup(object->props, "file"),
                     length ? (uint32_t)g_ascii_strtoull(length, NULL, 0) : 65536,
                     queue ? queue : "all", m->clock, error);
    if (!d) {
        g_prefix_error(error, "-object filter-dump,id=%s: ", id);
        return false;
    }
    net_dump_set_on(d, !status || strcmp(status, "off"));
    net_backend_add_dump(b, d);
    g_hash_table_insert(n->dumps, g_strdup(id), d);
    return true;
}

NetDump *network_dump(const Network *n, const char *id)
{
    return g_hash_table_lookup(n->dumps, id);
}

void network_remove_dump(Network *n, const DeviceOption *object)
{
    const char *id = g_hash_table_lookup(object->props, "id");
    NetDump *d = network_dump(n, id);

    if (d && backend_of(n, object))
        net_backend_remove_dump(backend_of(n, object), d);
    g_hash_table_remove(n->dumps, id);
}

bool network_open_dumps(Network *n, Machine *m, GError **error)
{
    const GPtrArray *objects = m->config->objects;

    for (guint i = 0; i < objects->len; i++) {
        const DeviceOption *object = objects->pdata[i];

        if (!strcmp(object->driver, "filter-dump") && !network_add_dump(n, m, object, error))
            return false;
    }
    return true;
}

static void free_dump(void *d)
{
    net_dump_free(d);
}

static bool open_randoms(Network *n, const Options *o, Machine *m, GError **error)
{
    n->sources = g_ptr_array_new_with_free_func(free_source);
    n->randoms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    m->randoms = n->randoms;
    for (guint i = 0; i < o->config.objects->len; i++)
        if (!open_random(n, m, o->config.objects->pdata[i], error))
            return false;
    return true;
}

static void keep_backend(Network *n, const char *id, NetBackend *b)
{
    g_ptr_array_add(n->backends, b);
    g_hash_table_insert(n->by_id, g_strdup(id), b);
}

bool network_open(Network *n, const Options *o, Machine *m, GError **error)
{
    n->backends = g_ptr_array_new_with_free_func(free_backend);
    n->nets = g_hash_table_new(g_str_hash, g_str_equal);
    n->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    n->hubs = g_hash_table_new_full(NULL, NULL, NULL, free_hub);
    n->dumps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_dump);
    m->nets = n->nets;
    m->backends = n->by_id;
    for (guint i = 0; i < o->config.netdevs->len; i++) {
        const NetdevOption *d = o->config.netdevs->pdata[i];
        NetBackend *b = o->config.replaying ? NULL : open_backend(n, d, error);

        if (b)
            keep_backend(n, d->id, b);
        else if (!o->config.replaying) {
            g_prefix_error(error, "-netdev %s: ", d->id);
            return false;
        }
        g_hash_table_insert(n->nets, d->id, b);
    }
    return open_randoms(n, o, m, error);
}

/* ---- While the machine runs ------------------------------------------------------------------ */

typedef struct BackendCall {
    Network *network;
    const NetdevOption *option;
    NetBackend *backend;
    GPtrArray *backends;
    GError *error;
} BackendCall;

static void open_on_main(void *opaque)
{
    BackendCall *c = opaque;

    c->backend = open_backend(c->network, c->option, &c->error);
    if (c->backend)
        g_ptr_array_add(c->backends, c->backend);
}

static void remove_on_main(void *opaque)
{
    BackendCall *c = opaque;

    g_ptr_array_remove(c->backends, c->backend); /* which frees it */
}

bool network_open_one(Network *n, Machine *m, const NetdevOption *option, NetBackend **backend,
                      GError **error)
{
    BackendCall call = { .network = n, .option = option, .backends = n->backends };

    if (!machine_is_replaying(m))
        main_call(open_on_main, &call);
    if (call.error)
        g_propagate_error(error, call.error);
    if (call.backend)
        g_hash_table_insert(n->by_id, g_strdup(option->id), call.backend);
    *backend = call.backend;
    return !call.error;
}

bool network_has(const Machine *m, const char *id)
{
    const GPtrArray *options = m->config->netdevs;

    for (guint i = 0; i < options->len; i++)
        if (!strcmp(((NetdevOption *)options->pdata[i])->id, id))
            return true;
    return false;
}

bool network_is_shared(const Network *n, const char *id)
{
    const NetBackend *b = g_hash_table_lookup(n->by_id, id);

    return b && (b->dumps || b->divert);
}

void network_close_one(Network *n, const char *id, NetBackend *backend)
{
    BackendCall call = { .backend = backend, .backends = n->backends };

    if (!backend)
        return;
    g_hash_table_remove(n->by_id, id);
    main_call(remove_on_main, &call);
}

typedef struct RandomCall {
    Network *network;
    Machine *m;
    const DeviceOption *object;
    GError *error;
} RandomCall;

static void open_random_on_main(void *opaque)
{
    RandomCall *c = opaque;

    open_random(c->network, c->m, c->object, &c->error);
}

HostRandom *network_open_random(Network *n, Machine *m, const DeviceOption *object, GError **error)
{
    RandomCall call = { n, m, object, NULL };

    main_call(open_random_on_main, &call);
    if (!call.error)
        return g_hash_table_lookup(n->randoms, g_hash_table_lookup(object->props, "id"));
    g_propagate_error(error, call.error);
    return NULL;
}

void network_close(Network *n)
{
    while (n->backends && n->backends->len) /* ports of hubs before what is there */
        g_ptr_array_remove_index(n->backends, n->backends->len - 1);
    g_clear_pointer(&n->backends, g_ptr_array_unref);
    g_clear_pointer(&n->nets, g_hash_table_unref);
    g_clear_pointer(&n->sources, g_ptr_array_unref);
    g_clear_pointer(&n->randoms, g_hash_table_unref);
    g_clear_pointer(&n->by_id, g_hash_table_unref);
    g_clear_pointer(&n->hubs, g_hash_table_unref);
    g_clear_pointer(&n->dumps, g_hash_table_unref);
}
