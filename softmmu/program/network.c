/* SPDX-License-Identifier: MIT */
#include "softmmu/program/network.h"

#include <string.h>

#include "softmmu/error.h"
#include "softmmu/host-random.h"
#include "softmmu/program/main-call.h"

static void free_backend(void *p)
{
    NetBackend *b = p;

    b->free(b);
}

static NetBackend *open_backend(const NetdevOption *d, GError **error)
{
    switch (d->kind) {
    case NETDEV_USER: return net_user_new(&d->user, error);
    case NETDEV_SOCKET: return net_socket_new(&d->socket, error);
    case NETDEV_TAP: return net_tap_new(d->ifname, error);
    }
    g_assert_not_reached();
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
    file = m->config->replaying ? NULL : file ? file : "/dev/urandom";
    r = host_random_new(m->input, id, file, error);
    if (!r) {
        g_prefix_error(error, "-object rng-random,id=%s: ", id);
        return false;
    }
    g_ptr_array_add(n->sources, r);
    g_hash_table_insert(n->randoms, g_strdup(id), r);
    return true;
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

bool network_open(Network *n, const Options *o, Machine *m, GError **error)
{
    n->backends = g_ptr_array_new_with_free_func(free_backend);
    n->nets = g_hash_table_new(g_str_hash, g_str_equal);
    m->nets = n->nets;
    for (guint i = 0; i < o->config.netdevs->len; i++) {
        const NetdevOption *d = o->config.netdevs->pdata[i];
        NetBackend *b = o->config.replaying ? NULL : open_backend(d, error);

        if (b)
            g_ptr_array_add(n->backends, b);
        else if (!o->config.replaying) {
            g_prefix_error(error, "-netdev %s: ", d->id);
            return false;
        }
        g_hash_table_insert(n->nets, d->id, b);
    }
    return open_randoms(n, o, m, error);
}

/* ---- While the machine runs -------------------------------------------------------------------
 */

typedef struct BackendCall {
    const NetdevOption *option;
    NetBackend *backend;
    GPtrArray *backends;
    GError *error;
} BackendCall;

static void open_on_main(void *opaque)
{
    BackendCall *c = opaque;

    c->backend = open_backend(c->option, &c->error);
}

static void remove_on_main(void *opaque)
{
    BackendCall *c = opaque;

    g_ptr_array_remove(c->backends, c->backend); /* which frees it */
}

static NetdevOption *find_option(const Machine *m, const char *id)
{
    const GPtrArray *options = m->config->netdevs;

    for (guint i = 0; i < options->len; i++)
        if (!strcmp(((NetdevOption *)options->pdata[i])->id, id))
            return options->pdata[i];
    return NULL;
}

bool network_add(Network *n, Machine *m, GPtrArray *options, GError **error)
{
    NetdevOption *d = options->pdata[0];
    BackendCall call = { .option = d };

    if (find_option(m, d->id)) {
        error_set(error, "there is another network with id '%s'", d->id);
        return false;
    }
    if (!m->config->replaying)
        main_call(open_on_main, &call);
    if (call.error) {
        g_propagate_error(error, call.error);
        return false;
    }
    if (call.backend)
        g_ptr_array_add(n->backends, call.backend);
    g_hash_table_insert(n->nets, d->id, call.backend);
    g_ptr_array_add(m->config->netdevs, g_ptr_array_steal_index(options, 0));
    return true;
}

bool network_remove(Network *n, Machine *m, const char *id, GError **error)
{
    BackendCall call = { .backends = n->backends };

    if (!find_option(m, id)) {
        error_set(error, "Device '%s' not found", id);
        return false;
    }
    if (!g_hash_table_lookup_extended(n->nets, id, NULL, (void **)&call.backend)) {
        error_set(error, "Device '%s' is in use: a card has or had it", id);
        return false;
    }
    g_hash_table_remove(n->nets, id);
    if (call.backend)
        main_call(remove_on_main, &call);
    g_ptr_array_remove(m->config->netdevs, find_option(m, id));
    return true;
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

bool network_add_random(Network *n, Machine *m, const DeviceOption *object, GError **error)
{
    RandomCall call = { n, m, object, NULL };

    main_call(open_random_on_main, &call);
    if (call.error)
        g_propagate_error(error, call.error);
    return !call.error;
}

bool network_remove_random(Network *n, const char *id, GError **error)
{
    if (g_hash_table_remove(n->randoms, id))
        return true;
    error_set(error, "object '%s' is in use, can not be deleted", id);
    return false;
}

void network_close(Network *n)
{
    g_clear_pointer(&n->backends, g_ptr_array_unref);
    g_clear_pointer(&n->nets, g_hash_table_unref);
    g_clear_pointer(&n->sources, g_ptr_array_unref);
    g_clear_pointer(&n->randoms, g_hash_table_unref);
}
