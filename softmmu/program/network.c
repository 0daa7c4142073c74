/* SPDX-License-Identifier: MIT */
#include "softmmu/program/network.h"

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
    return true;
}

void network_close(Network *n)
{
    g_clear_pointer(&n->backends, g_ptr_array_unref);
    g_clear_pointer(&n->nets, g_hash_table_unref);
}
