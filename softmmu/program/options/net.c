/* SPDX-License-Identifier: MIT */
/*
 * Options of networks and cards. -netdev names a network for -device; -nic is a card and its
 * network at once; -net says the same in two options, as of old.
 */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

/* The parts of an address, as -netdev stream and dgram have it. */
typedef struct NetAddress {
    char *type, *path, *host, *port;
} NetAddress;

/* What one of the three says, before it is known which part is whose. */
typedef struct NetArgs {
    char *type;
    NetAddress addr, local, remote;
    bool server, takes_addresses, hub_given;
    SwitchAuto ipv4, ipv6;
    GPtrArray *search;
    NetdevOption *netdev;
    NicOption *nic;
} NetArgs;

void options_free_netdev(void *p)
{
    NetdevOption *d = p;
    /* clang-format off */
    char **strings[] = { &d->id,       &d->user.net,      &d->user.host, &d->user.dhcp_start,
                         &d->user.dns, &d->user.hostname, &d->user.tftp, &d->user.bootfile,
                         &d->socket.listen, &d->socket.connect, &d->socket.udp, &d->socket.local,
                         &d->user.domain, &d->ifname, &d->bridge, &d->helper, &d->hub_netdev };
    /* clang-format on */

    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(*strings[i]);
    g_ptr_array_unref(d->user.forwards);
    g_ptr_array_unref(d->user.guest_forwards);
    g_strfreev(d->user.search);
    g_free(d);
}

void options_free_nic(void *p)
{
    NicOption *n = p;

    g_free(n->model);
    g_free(n->netdev);
    g_free(n->mac);
    g_free(n);
}

static NetArgs new_args(void)
{
    NetArgs a = { .netdev = g_new0(NetdevOption, 1), .nic = g_new0(NicOption, 1) };

    a.netdev->user.forwards = g_ptr_array_new_with_free_func(g_free);
    a.netdev->user.guest_forwards = g_ptr_array_new_with_free_func(g_free);
    a.search = g_ptr_array_new_with_free_func(g_free);
    return a;
}

static void free_address(NetAddress *a)
{
    g_free(a->type);
    g_free(a->path);
    g_free(a->host);
    g_free(a->port);
}

static void free_args(NetArgs *a)
{
    g_free(a->type);
    free_address(&a->addr);
    free_address(&a->local);
    free_address(&a->remote);
    g_ptr_array_unref(a->search);
    if (a->netdev)
        options_free_netdev(a->netdev);
    if (a->nic)
        options_free_nic(a->nic);
}

static bool replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
    return true;
}

#define TEXT_KEY(name, field)                                      \
    static bool name(void *ctx, const char *value, GError **error) \
    {                                                              \
        NetArgs *a = ctx;                                          \
        return replace(&a->field, value);                          \
    }
TEXT_KEY(set_type, type)
TEXT_KEY(set_id, netdev->id)
TEXT_KEY(set_net, netdev->user.net)
TEXT_KEY(set_host, netdev->user.host)
TEXT_KEY(set_dhcp_start, netdev->user.dhcp_start)
TEXT_KEY(set_dns, netdev->user.dns)
TEXT_KEY(set_hostname, netdev->user.hostname)
TEXT_KEY(set_tftp, netdev->user.tftp)
TEXT_KEY(set_bootfile, netdev->user.bootfile)
TEXT_KEY(set_listen, netdev->socket.listen)
TEXT_KEY(set_connect, netdev->socket.connect)
TEXT_KEY(set_udp, netdev->socket.udp)
TEXT_KEY(set_local, netdev->socket.local)
TEXT_KEY(set_ifname, netdev->ifname)
TEXT_KEY(set_bridge, netdev->bridge)
TEXT_KEY(set_helper, netdev->helper)
TEXT_KEY(set_hub_netdev, netdev->hub_netdev)
TEXT_KEY(set_domain, netdev->user.domain)
TEXT_KEY(set_addr_type, addr.type)
TEXT_KEY(set_addr_path, addr.path)
TEXT_KEY(set_addr_host, addr.host)
TEXT_KEY(set_addr_port, addr.port)
TEXT_KEY(set_local_type, local.type)
TEXT_KEY(set_local_path, local.path)
TEXT_KEY(set_local_host, local.host)
TEXT_KEY(set_local_port, local.port)
TEXT_KEY(set_remote_type, remote.type)
TEXT_KEY(set_remote_path, remote.path)
TEXT_KEY(set_remote_host, remote.host)
TEXT_KEY(set_remote_port, remote.port)
TEXT_KEY(set_model, nic->model)
TEXT_KEY(set_mac, nic->mac)
TEXT_KEY(set_netdev, nic->netdev)

static bool set_restrict(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((NetArgs *)ctx)->netdev->user.restricted, error);
}

static bool set_reconnect(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, 3600, &((NetArgs *)ctx)->netdev->socket.reconnect_s, error);
}

static bool set_tap_fd(void *ctx, const char *value, GError **error)
{
    NetdevOption *d = ((NetArgs *)ctx)->netdev;
    uint64_t fd;

    if (!parse_number(value, 0, INT32_MAX, &fd, error))
        return false;
    d->tap_fd = (int)fd;
    return d->tap_fd_given = true;
}

static bool set_hub(void *ctx, const char *value, GError **error)
{
    uint64_t number;

    if (!parse_number(value, 0, INT32_MAX, &number, error))
        return false;
    ((NetArgs *)ctx)->netdev->hub = (unsigned)number;
    return ((NetArgs *)ctx)->hub_given = true;
}

static bool set_server(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((NetArgs *)ctx)->server, error);
}

static bool set_version(SwitchAuto *version, const char *value, GError **error)
{
    bool on;

    if (!parse_switch(value, &on, error))
        return false;
    *version = on ? SWITCH_ON : SWITCH_OFF;
    return true;
}

static bool set_ipv4(void *ctx, const char *value, GError **error)
{
    return set_version(&((NetArgs *)ctx)->ipv4, value, error);
}

static bool set_ipv6(void *ctx, const char *value, GError **error)
{
    return set_version(&((NetArgs *)ctx)->ipv6, value, error);
}

static bool add_search(void *ctx, const char *value, GError **error)
{
    g_ptr_array_add(((NetArgs *)ctx)->search, g_strdup(value));
    return true;
}

static bool add_guest_forward(void *ctx, const char *value, GError **error)
{
    g_ptr_array_add(((NetArgs *)ctx)->netdev->user.guest_forwards, g_strdup(value));
    return true;
}

static bool add_forward(void *ctx, const char *value, GError **error)
{
    g_ptr_array_add(((NetArgs *)ctx)->netdev->user.forwards, g_strdup(value));
    return true;
}

/* Scripts that set up a tap device are the user's to run. */
static bool no_script(void *ctx, const char *value, GError **error)
{
    if (!strcmp(value, "no"))
        return true;
    error_set(error, "no scripts are run; set the device up before, and use script=no");
    return false;
}

/* Keys of types that are not the one that was asked for. */
static bool check_keys(const NetArgs *a, GError **error)
{
    const NetdevOption *d = a->netdev;
    bool socket = d->socket.listen || d->socket.connect || d->socket.udp || d->socket.local;
    bool addresses = a->server || a->addr.type || a->local.type || a->remote.type;

    if (socket && d->kind != NETDEV_SOCKET)
        error_set(error, "listen, connect, udp and localaddr are for sockets");
    else if (addresses && !a->takes_addresses)
        error_set(error, "server, addr, local and remote are for stream and dgram");
    else if ((d->ifname || d->tap_fd_given) && d->kind != NETDEV_TAP)
        error_set(error, "ifname and fd are for tap");
    else if ((d->bridge || d->helper) && d->kind != NETDEV_BRIDGE)
        error_set(error, "br and helper are for bridge");
    else if ((a->hub_given || d->hub_netdev) && d->kind != NETDEV_HUBPORT)
        error_set(error, "hubid and netdev are for hubport");
    else if (!a->hub_given && d->kind == NETDEV_HUBPORT)
        error_set(error, "Parameter 'hubid' is missing");
    else if (d->socket.reconnect_s &&
             (a->server || d->kind != NETDEV_SOCKET || d->socket.listen || d->socket.udp))
        error_set(error, "reconnect is for a stream that connects");
    else
        return true;
    return false;
}

#define USER_KEYS                                                                                \
    { "id", set_id }, { "net", set_net }, { "host", set_host }, { "dhcpstart", set_dhcp_start }, \
        { "dns", set_dns }, { "hostname", set_hostname }, { "tftp", set_tftp },                  \
        { "bootfile", set_bootfile }, { "restrict", set_restrict }, { "listen", set_listen },    \
        { "connect", set_connect }, { "udp", set_udp }, { "localaddr", set_local },              \
        { "ifname", set_ifname }, { "fd", set_tap_fd }, { "br", set_bridge },                    \
        { "helper", set_helper }, { "hubid", set_hub }, { "reconnect", set_reconnect },          \
        { "script", no_script }, { "downscript", no_script }, { "domainname", set_domain },      \
        { "dnssearch", add_search }, { "ipv4", set_ipv4 }, { "ipv6", set_ipv6 },                 \
        { "guestfwd", add_guest_forward }, { "server", set_server },                             \
        { "addr.type", set_addr_type }, { "addr.path", set_addr_path },                          \
        { "addr.host", set_addr_host }, { "addr.port", set_addr_port },                          \
        { "local.type", set_local_type }, { "local.path", set_local_path },                      \
        { "local.host", set_local_host }, { "local.port", set_local_port },                      \
        { "remote.type", set_remote_type }, { "remote.path", set_remote_path },                  \
        { "remote.host", set_remote_host }, { "remote.port", set_remote_port },                  \
    {                                                                                            \
        "hostfwd", add_forward                                                                   \
    }

static const KeyRow netdev_keys[] = {
    { "type", set_type }, { "netdev", set_hub_netdev }, USER_KEYS, { NULL }
};
static const KeyRow nic_keys[] = {
    { "type", set_type }, { "model", set_model }, { "mac", set_mac }, USER_KEYS, { NULL }
};
static const KeyRow net_nic_keys[] = {
    { "type", set_type },
    { "model", set_model },
    { "macaddr", set_mac },
    { "netdev", set_netdev },
    { NULL },
};

/* "unix:PATH" or "HOST:PORT"; NULL with @error. */
static char *join_address(const NetAddress *a, const char *what, GError **error)
{
    if (!g_strcmp0(a->type, "unix") && a->path)
        return g_strconcat("unix:", a->path, NULL);
    if (!g_strcmp0(a->type, "inet") && a->host && a->port)
        return g_strdup_printf("%s:%s", a->host, a->port);
    error_set(error, "%s.type=unix with %s.path, or inet with %s.host and %s.port, is needed", what,
              what, what, what);
    return NULL;
}

/* The same as sockets, in other words. */
static bool take_stream(NetArgs *a, GError **error)
{
    NetSocketOptions *s = &a->netdev->socket;
    char *where = join_address(&a->addr, "addr", error);

    *(a->server ? &s->listen : &s->connect) = where;
    return where;
}

static bool take_dgram(NetArgs *a, GError **error)
{
    NetSocketOptions *s = &a->netdev->socket;

    s->udp = join_address(&a->remote, "remote", error);
    s->local = s->udp ? join_address(&a->local, "local", error) : NULL;
    return s->local;
}

static const struct {
    const char *name;
    NetdevKind kind;
    bool (*take)(NetArgs *a, GError **error);
} types[] = {
    { "user", NETDEV_USER, NULL },
    { "socket", NETDEV_SOCKET, NULL },
    { "stream", NETDEV_SOCKET, take_stream },
    { "dgram", NETDEV_SOCKET, take_dgram },
    { "tap", NETDEV_TAP, NULL },
    { "bridge", NETDEV_BRIDGE, NULL },
    { "hubport", NETDEV_HUBPORT, NULL },
};

/* Who asks for one version alone does not want the other. */
static void take_versions(NetArgs *a)
{
    NetUserOptions *u = &a->netdev->user;

    u->no_ipv4 = a->ipv4 == SWITCH_OFF || (!a->ipv4 && a->ipv6 == SWITCH_ON);
    u->no_ipv6 = a->ipv6 == SWITCH_OFF || (!a->ipv6 && a->ipv4 == SWITCH_ON);
}

static void take_search(NetArgs *a)
{
    if (!a->search->len)
        return;
    g_ptr_array_add(a->search, NULL);
    a->netdev->user.search = (char **)g_ptr_array_steal(a->search, NULL);
}

static bool check_type(NetArgs *a, GError **error)
{
    take_search(a);
    take_versions(a);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        if (a->type && !strcmp(a->type, types[i].name)) {
            a->netdev->kind = types[i].kind;
            a->takes_addresses = types[i].take;
            return check_keys(a, error) && (!types[i].take || types[i].take(a, error));
        }
    }
    error_set(
        error,
        "'%s' is not supported; there are user, socket, stream, dgram, tap, bridge and hubport",
        a->type ? a->type : "");
    return false;
}

static bool is_taken(const Options *o, const char *id)
{
    for (guint i = 0; i < o->config.netdevs->len; i++) {
        if (!strcmp(((NetdevOption *)o->config.netdevs->pdata[i])->id, id))
            return true;
    }
    return false;
}

static bool add_netdev(Options *o, NetArgs *a, GError **error)
{
    if (is_taken(o, a->netdev->id)) {
        error_set(error, "Duplicate ID '%s' for netdev", a->netdev->id);
        return false;
    }
    g_ptr_array_add(o->config.netdevs, g_steal_pointer(&a->netdev));
    return true;
}

/* What is at its port has been said before, and has no card. */
static bool check_hub(const Options *o, const NetdevOption *d, GError **error)
{
    if (!d->hub_netdev || o->addition || is_taken(o, d->hub_netdev))
        return true;
    error_set(error, "netdev '%s' not found", d->hub_netdev);
    return false;
}

bool opt_netdev(Options *o, const char *arg, GError **error)
{
    NetArgs a = new_args();
    bool ok;

    if (is_help(arg)) {
        options_answer(o, ANSWER_TEXT);
        g_string_append(o->answer,
                        "Available netdev backend types:\nbridge\ndgram\nhubport\nsocket\n"
                        "stream\ntap\nuser\n");
        free_args(&a);
        return true;
    }
    ok = keyval_apply(arg, "type", netdev_keys, &a, error) && check_type(&a, error);
    if (ok && !a.netdev->id) {
        error_set(error, "Parameter 'id' is missing");
        ok = false;
    }
    ok = ok && check_hub(o, a.netdev, error) && add_netdev(o, &a, error);
    free_args(&a);
    return ok;
}

/* A network without a name gets one that users do not. */
static void name_netdev(const Options *o, NetArgs *a)
{
    if (!a->netdev->id)
        a->netdev->id = g_strdup_printf("#net%u", o->config.netdevs->len);
}

static bool asks_for_models(Options *o, const NetArgs *a)
{
    if (!a->nic->model || !is_help(a->nic->model))
        return false;
    options_answer(o, ANSWER_NIC_MODELS);
    return true;
}

bool opt_nic(Options *o, const char *arg, GError **error)
{
    NetArgs a = new_args();
    bool ok = keyval_apply(arg, "type", nic_keys, &a, error);

    if (ok && ((a.type && !strcmp(a.type, "none")) || asks_for_models(o, &a))) {
        free_args(&a);
        return true; /* there is none that was not asked for */
    }
    ok = ok && check_type(&a, error);
    if (ok) {
        name_netdev(o, &a);
        a.nic->netdev = g_strdup(a.netdev->id);
        ok = add_netdev(o, &a, error);
    }
    if (ok)
        g_ptr_array_add(o->config.nics, g_steal_pointer(&a.nic));
    free_args(&a);
    return ok;
}

static bool add_net_user(Options *o, const char *arg, NetArgs *a, GError **error)
{
    if (!keyval_apply(arg, "type", netdev_keys, a, error))
        return false;
    if (o->net_user) {
        error_set(error, "only one is supported; use -nic");
        return false;
    }
    name_netdev(o, a);
    o->net_user = a->netdev;
    return add_netdev(o, a, error);
}

bool opt_net(Options *o, const char *arg, GError **error)
{
    NetArgs a = new_args();
    bool ok = true;

    if (g_str_has_prefix(arg, "user")) {
        ok = add_net_user(o, arg, &a, error);
    } else if (g_str_has_prefix(arg, "nic")) {
        ok = keyval_apply(arg, "type", net_nic_keys, &a, error);
        if (ok && !asks_for_models(o, &a))
            g_ptr_array_add(o->config.nics, g_steal_pointer(&a.nic));
    } else if (strcmp(arg, "none")) {
        error_set(error, "'%s' is not supported yet; use none, nic or user", arg);
        ok = false;
    }
    free_args(&a);
    return ok;
}

/* -net user alone stands for a card too. */
void options_complete_net(Options *o)
{
    if (!o->net_user)
        return;
    if (!o->config.nics->len)
        g_ptr_array_add(o->config.nics, g_new0(NicOption, 1));
    for (guint i = 0; i < o->config.nics->len; i++) {
        NicOption *n = o->config.nics->pdata[i];

        if (!n->netdev)
            n->netdev = g_strdup(o->net_user->id);
    }
}
