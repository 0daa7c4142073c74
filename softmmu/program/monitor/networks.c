/* SPDX-License-Identifier: MIT */
/* Networks for the user: which card is at which, what they do, and ports that are forwarded. */
#include <string.h>

#include "softmmu/program/main-call.h"
#include "softmmu/program/monitor/internal.h"

/* ---- info network ---------------------------------------------------------------------------- */

/* NULL: there is no -netdev of that name. */
static const NetdevOption *find_option(const Machine *m, const char *id)
{
    const GPtrArray *options = m->config->netdevs;

    for (guint i = 0; i < options->len; i++) {
        const NetdevOption *o = options->pdata[i];

        if (!strcmp(o->id, id))
            return o;
    }
    return NULL;
}

static char *summary_of(const Machine *m, const char *id)
{
    return net_summary(id, g_hash_table_lookup(m->backends, id));
}

/* What has the port: a card, or another network; NULL: nothing has. */
static char *peer_of_port(const Machine *m, const NetdevOption *port, const GPtrArray *cables)
{
    if (port->hub_netdev)
        return summary_of(m, port->hub_netdev);
    for (guint i = 0; i < cables->len; i++)
        if (!net_is_cut(cables->pdata[i]) && !strcmp(net_cable_id(cables->pdata[i]), port->id))
            return net_card_summary(cables->pdata[i]);
    return NULL;
}

static void print_hub(const Machine *m, unsigned hub, const GPtrArray *cables, GString *out)
{
    const GPtrArray *options = m->config->netdevs;

    g_string_append_printf(out, "hub %u\n", hub);
    for (guint i = options->len; i-- > 0;) { /* the latest first, as users know it */
        const NetdevOption *o = options->pdata[i];
        g_autofree char *peer = NULL;

        if (o->kind != NETDEV_HUBPORT || o->hub != hub)
            continue;
        peer = peer_of_port(m, o, cables);
        g_string_append_printf(out, " \\ %s%s%s\n", o->id, peer ? ": " : "", peer ? peer : "");
    }
}

/* The hub that was made with a port last comes first. */
static void print_hubs(const Machine *m, const GPtrArray *cables, GString *out)
{
    const GPtrArray *options = m->config->netdevs;
    g_autoptr(GArray) hubs = g_array_new(FALSE, FALSE, sizeof(unsigned));

    for (guint i = 0; i < options->len; i++) {
        const NetdevOption *o = options->pdata[i];
        bool known = o->kind != NETDEV_HUBPORT;

        for (guint j = 0; j < hubs->len && !known; j++)
            known = g_array_index(hubs, unsigned, j) == o->hub;
        if (!known)
            g_array_append_val(hubs, o->hub);
    }
    for (guint i = hubs->len; i-- > 0;)
        print_hub(m, g_array_index(hubs, unsigned, i), cables, out);
}

/* Networks that nothing has. */
static void print_free(const Machine *m, GString *out)
{
    const GPtrArray *options = m->config->netdevs;

    for (guint i = 0; i < options->len; i++) {
        const NetdevOption *o = options->pdata[i];
        g_autofree char *summary = summary_of(m, o->id);

        if (o->kind != NETDEV_HUBPORT && g_hash_table_contains(m->nets, o->id))
            g_string_append_printf(out, "%s\n", summary);
    }
}

/* A card, and what it has or had, if that is no port of a hub. */
static void print_card(const Machine *m, const NetCable *c, GString *out)
{
    const NetdevOption *o = net_is_cut(c) ? NULL : find_option(m, net_cable_id(c));
    g_autofree char *card = net_card_summary(c);
    g_autofree char *network = o ? summary_of(m, o->id) : g_strdup(net_former(c));

    if (!card || (o && o->kind == NETDEV_HUBPORT))
        return;
    g_string_append_printf(out, "%s\n", card);
    if (network)
        g_string_append_printf(out, " \\ %s\n", network);
}

void monitor_info_network(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GPtrArray) cables = net_cables(mon->m->root);

    print_hubs(mon->m, cables, out);
    print_free(mon->m, out);
    for (guint i = 0; i < cables->len; i++)
        print_card(mon->m, cables->pdata[i], out);
}

/* ---- User-mode networks: the main thread's --------------------------------------------------- */

typedef struct NetCall {
    NetBackend *backend;
    const char *rule;
    bool add, good;
    char *text;
    GError *error;
} NetCall;

static void ask_info(void *opaque)
{
    NetCall *c = opaque;

    c->text = c->backend->info(c->backend);
}

/* The hub at a port of which it is; -1: at none. */
static int hub_of(const Machine *m, const char *id)
{
    const GPtrArray *options = m->config->netdevs;

    for (guint i = 0; i < options->len; i++) {
        const NetdevOption *o = options->pdata[i];

        if (o->kind == NETDEV_HUBPORT && !g_strcmp0(o->hub_netdev, id))
            return (int)o->hub;
    }
    return -1;
}

void monitor_info_usernet(Monitor *mon, const char *args, GString *out)
{
    const GPtrArray *options = mon->m->config->netdevs;

    for (guint i = 0; i < options->len; i++) {
        const NetdevOption *o = options->pdata[i];
        NetCall call = { .backend = g_hash_table_lookup(mon->m->backends, o->id) };

        if (o->kind != NETDEV_USER || !call.backend)
            continue;
        main_call(ask_info, &call);
        g_string_append_printf(out, "Hub %d (%s):\n%s", hub_of(mon->m, o->id), o->id, call.text);
        g_free(call.text);
    }
}

/* The one of that name, or the first; NULL: there is none whose ports can be forwarded. */
static NetBackend *find_user(const Machine *m, const char *id)
{
    const GPtrArray *options = m->config->netdevs;

    for (guint i = 0; i < options->len; i++) {
        const NetdevOption *o = options->pdata[i];

        if (o->kind == NETDEV_USER && (!id || !strcmp(o->id, id)))
            return g_hash_table_lookup(m->backends, o->id);
    }
    return NULL;
}

static void change_forward(void *opaque)
{
    NetCall *c = opaque;

    c->good = c->backend->forward(c->backend, c->rule, c->add, &c->error);
}

static void forward(Monitor *mon, const char *args, bool add, GString *out)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    const char *id = words[0] && words[1] ? words[0] : NULL;
    NetCall call = { .backend = find_user(mon->m, id),
                     .rule = id ? g_strstrip(words[1]) : args,
                     .add = add };

    if (!*args) {
        monitor_fail(mon, out, "the rule is missing");
    } else if (!call.backend) {
        g_string_append(out,
                        id ? "unrecognized netdev id\n" : "user mode network stack not in use\n");
    } else {
        main_call(change_forward, &call);
        if (!call.good)
            g_string_append_printf(out, "%s\n", call.error->message);
        else if (!add)
            g_string_append_printf(out, "host forwarding rule for %s removed\n", call.rule);
        g_clear_error(&call.error);
    }
}

void monitor_hostfwd_add(Monitor *mon, const char *args, GString *out)
{
    forward(mon, args, true, out);
}

void monitor_hostfwd_remove(Monitor *mon, const char *args, GString *out)
{
    forward(mon, args, false, out);
}
