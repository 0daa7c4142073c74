/* SPDX-License-Identifier: MIT */
/* Topics of `info` that need more than a line, and port forwarding; laid out as QEMU 7.2 does. */
#include <inttypes.h>
#include <string.h>

#include "softmmu/block/drive.h"
#include "softmmu/net/net.h"
#include "softmmu/program/main-call.h"
#include "softmmu/program/monitor/internal.h"

void monitor_set_chardevs(Monitor *mon, const GArray *chardevs)
{
    mon->chardevs = chardevs;
}

void monitor_info_mem(Monitor *mon, const char *args, GString *out)
{
    mon->cpus.print_mem(mon->cpus.opaque, mon->cpu, out);
}

void monitor_info_tlb(Monitor *mon, const char *args, GString *out)
{
    mon->cpus.print_tlb(mon->cpus.opaque, mon->cpu, out);
}

void monitor_info_uuid(Monitor *mon, const char *args, GString *out)
{
    const char *uuid = mon->m->config->uuid;

    g_string_append_printf(out, "%s\n", uuid ? uuid : "00000000-0000-0000-0000-000000000000");
}

void monitor_info_kvm(Monitor *mon, const char *args, GString *out)
{
    g_string_append(out, "kvm support: disabled\n");
}

void monitor_info_history(Monitor *mon, const char *args, GString *out)
{
    for (guint i = 0; i < mon->history->len; i++)
        g_string_append_printf(out, "%u: '%s'\n", i, (char *)mon->history->pdata[i]);
}

void monitor_info_memory_size(Monitor *mon, const char *args, GString *out)
{
    g_string_append_printf(out, "base memory: %" PRIu64 "\nplugged memory: 0\n",
                           mon->m->config->ram_size);
}

void monitor_info_numa(Monitor *mon, const char *args, GString *out)
{
    const MachineConfig *c = mon->m->config;

    g_string_append_printf(out, "%u nodes\n", c->numa.nodes);
    for (unsigned n = 0; n < c->numa.nodes; n++) {
        g_string_append_printf(out, "node %u cpus:", n);
        for (unsigned i = 0; i < mon->cpus.count(mon->cpus.opaque); i++)
            if (machine_has_cpu(mon->m, i) && c->numa.node_of_cpu[i] == n)
                g_string_append_printf(out, " %u", i);
        g_string_append_printf(out, "\nnode %u size: %" PRIu64 " MB\nnode %u plugged: 0 MB\n", n,
                               c->numa.ram_size[n] >> 20, n);
    }
}

/* ---- Devices --------------------------------------------------------------------------------- */

char *monitor_describe_chardev(const MonitorChardev *c)
{
    const char *pty = chardev_pty_name(c->chr);
    bool socket = strchr(c->spec, ':') && strstr(c->spec, "server");
    size_t len = strcspn(c->spec, socket ? "," : "");

    if (pty)
        return g_strdup_printf("pty:%s", pty);
    if (socket)
        return g_strdup_printf("%s%.*s,server=on",
                               chardev_has_peer(c->chr) ? "" : "disconnected:", (int)len, c->spec);
    return g_strndup(c->spec, strcspn(c->spec, ":,"));
}

void monitor_info_chardev(Monitor *mon, const char *args, GString *out)
{
    for (guint i = 0; mon->chardevs && i < mon->chardevs->len; i++) {
        const MonitorChardev *c = &g_array_index(mon->chardevs, MonitorChardev, i);

        g_autofree char *text = monitor_describe_chardev(c);

        g_string_append_printf(out, "%s: filename=%s\n", c->label, text);
    }
}

Chardev *monitor_find_chardev(Monitor *mon, const char *label)
{
    for (guint i = 0; mon->chardevs && i < mon->chardevs->len; i++) {
        const MonitorChardev *c = &g_array_index(mon->chardevs, MonitorChardev, i);

        if (!strcmp(c->label, label))
            return c->chr;
    }
    return NULL;
}

/* A line's text is as it is, other bytes are escaped. */
static void print_escaped(GBytes *bytes, GString *out)
{
    gsize len;
    const uint8_t *p = g_bytes_get_data(bytes, &len);

    for (; len--; p++) {
        if (*p == '\\')
            g_string_append(out, "\\\\");
        else if ((*p < 0x20 && *p != '\n') || *p == 0x7f)
            g_string_append_printf(out, "\\u%04X", *p);
        else
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '\n');
}

static void fail_to_find(Monitor *mon, const char *id, GString *out)
{
    g_autofree char *why = g_strdup_printf("Device '%s' not found", id);

    monitor_fail(mon, out, why);
}

void monitor_ringbuf_read(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    Chardev *chr = words[0] ? monitor_find_chardev(mon, words[0]) : NULL;
    g_autoptr(GBytes) got = NULL;
    guint64 size;

    if (!words[0] || !words[1] ||
        !g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXUINT32, &size, NULL))
        monitor_fail(mon, out, "a device and a number of bytes are needed");
    else if (!chr)
        fail_to_find(mon, words[0], out);
    else if (!(got = chardev_ringbuf_read(chr, size)))
        monitor_fail(mon, out, "that character device is not a ringbuf");
    else
        print_escaped(got, out);
}

void monitor_ringbuf_write(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    Chardev *chr = words[0] ? monitor_find_chardev(mon, words[0]) : NULL;
    g_autoptr(GBytes) nothing = chr ? chardev_ringbuf_read(chr, 0) : NULL;

    if (!words[0] || !words[1])
        monitor_fail(mon, out, "a device and text are needed");
    else if (!chr)
        fail_to_find(mon, words[0], out);
    else if (!nothing)
        monitor_fail(mon, out, "that character device is not a ringbuf");
    else
        chardev_write(chr, (const uint8_t *)words[1], strlen(words[1]));
}

/* ---- User-mode networks: the main thread's --------------------------------------------------- */

/* The cable of that -netdev; NULL @id: the first. */
static NetCable *find_cable(Device *dev, const char *id)
{
    NetCable *found = dev->klass == &net_cable_class ? (NetCable *)dev : NULL;

    if (found && (!id || !strcmp(net_cable_id(found), id)))
        return found;
    found = NULL;
    for (guint i = 0; i < dev->children->len && !found; i++)
        found = find_cable(dev->children->pdata[i], id);
    return found;
}

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

static void print_net(Device *dev, GString *out)
{
    NetBackend *b = dev->klass == &net_cable_class ? net_cable_backend((NetCable *)dev) : NULL;
    NetCall call = { .backend = b };

    if (b && b->info) {
        main_call(ask_info, &call);
        g_string_append_printf(out, "Hub -1 (%s):\n%s", net_cable_id((NetCable *)dev), call.text);
        g_free(call.text);
    }
    for (guint i = 0; i < dev->children->len; i++)
        print_net(dev->children->pdata[i], out);
}

void monitor_info_network(Monitor *mon, const char *args, GString *out)
{
    net_print(mon->m->root, out);
}

void monitor_info_usernet(Monitor *mon, const char *args, GString *out)
{
    print_net(mon->m->root, out);
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
    NetCable *cable = find_cable(mon->m->root, id);
    NetCall call = { .backend = cable ? net_cable_backend(cable) : NULL,
                     .rule = id ? g_strstrip(words[1]) : args,
                     .add = add };

    if (!*args) {
        monitor_fail(mon, out, "the rule is missing");
    } else if (!call.backend || !call.backend->forward) {
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
