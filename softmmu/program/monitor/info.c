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
