/* SPDX-License-Identifier: MIT */
/* Commands that plug devices in and out: the board does it. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/monitor/internal.h"
#include "softmmu/program/options/keyval.h"

#define CPU_TYPE "%s-x86_64-cpu"

void monitor_device_add(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GHashTable) props = keyval_table(args, "driver");
    const char *driver = g_hash_table_lookup(props, "driver");
    g_autofree char *name = g_strdup(driver ? driver : "");
    DeviceOption o = { .driver = name, .props = props };
    g_autoptr(GError) error = NULL;

    g_hash_table_remove(props, "driver");
    if (!*name)
        monitor_fail(mon, out, "Parameter 'driver' is missing");
    else if (!mon->board.device_add(mon->m, &o, &error))
        monitor_fail(mon, out, error->message);
}

void monitor_device_del(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!*args)
        monitor_fail(mon, out, "Parameter 'id' is missing");
    else if (!mon->board.device_del(mon->m, args, &error))
        monitor_fail(mon, out, error->message);
}

/* ---- The host's side ---------------------------------------------------------------------------
 */

void monitor_set_host(Monitor *mon, const MonitorHost *host)
{
    mon->host = *host;
}

bool monitor_add_to_host(Monitor *mon, const char *option, const char *spec, GError **error)
{
    if (mon->host.add)
        return mon->host.add(mon->host.opaque, option, spec, error);
    error_set(error, "nothing can be added to this machine");
    return false;
}

bool monitor_set_of_host(Monitor *mon, const char *id, const char *property, const char *value,
                         bool *known, GError **error)
{
    *known = false;
    return mon->host.set && mon->host.set(mon->host.opaque, id, property, value, known, error);
}

bool monitor_remove_from_host(Monitor *mon, const char *option, const char *id, GError **error)
{
    if (mon->host.remove)
        return mon->host.remove(mon->host.opaque, option, id, error);
    error_set(error, "nothing can be removed from this machine");
    return false;
}

static void add_to_host(Monitor *mon, const char *option, const char *spec, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!monitor_add_to_host(mon, option, spec, &error))
        monitor_fail(mon, out, error->message);
}

static void remove_from_host(Monitor *mon, const char *option, const char *id, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!monitor_remove_from_host(mon, option, id, &error))
        monitor_fail(mon, out, error->message);
}

void monitor_netdev_add(Monitor *mon, const char *args, GString *out)
{
    add_to_host(mon, "-netdev", args, out);
}

void monitor_object_add(Monitor *mon, const char *args, GString *out)
{
    add_to_host(mon, "-object", args, out);
}

void monitor_object_del(Monitor *mon, const char *args, GString *out)
{
    remove_from_host(mon, "-object", args, out);
}

void monitor_chardev_add(Monitor *mon, const char *args, GString *out)
{
    add_to_host(mon, "-chardev", args, out);
}

void monitor_chardev_remove(Monitor *mon, const char *args, GString *out)
{
    remove_from_host(mon, "-chardev", args, out);
}

void monitor_chardev_send_break(Monitor *mon, const char *args, GString *out)
{
    g_autofree char *lost = g_strdup_printf("Chardev '%s' not found", args);
    Chardev *chr = monitor_find_chardev(mon, args);

    if (chr)
        chardev_send_break(chr);
    else
        monitor_fail(mon, out, lost);
}

void monitor_drive_del(Monitor *mon, const char *args, GString *out)
{
    remove_from_host(mon, "-drive", args, out);
}

void monitor_netdev_del(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!mon->host.netdev_del)
        monitor_fail(mon, out, "nothing can be removed from this machine");
    else if (!mon->host.netdev_del(mon->host.opaque, args, &error))
        monitor_fail(mon, out, error->message);
}

/* QEMU's words for either. */
void monitor_set_link(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = g_strsplit(args, " ", -1);
    bool two = g_strv_length(words) == 2;
    NetCable *c = two ? net_cable_named(mon->m->root, words[0]) : NULL;
    g_autofree char *lost = two ? g_strdup_printf("Device '%s' not found", words[0]) : NULL;

    if (!two || (strcmp(words[1], "on") && strcmp(words[1], "off")))
        monitor_explain(mon, out, "Expected 'on' or 'off'");
    else if (!c)
        monitor_fail(mon, out, lost);
    else
        net_set_link(c, !strcmp(words[1], "on"));
}

void monitor_drive_add(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;
    const char *spec = args + strcspn(args, " \t");

    spec += strspn(spec, " \t");
    if (!*spec)
        monitor_fail(mon, out, "a slot and what -drive takes are needed");
    else if (!monitor_add_to_host(mon, "-drive", spec, &error))
        monitor_fail(mon, out, error->message);
    else
        g_string_append(out, "OK\n");
}

const char *monitor_cpu_id(Monitor *mon, unsigned n)
{
    return mon->board.cpu_id ? mon->board.cpu_id(mon->m, n) : "";
}

/* Laid out as QEMU 7.2 does, the last socket first. */
void monitor_info_cpu_sockets(Monitor *mon, const char *args, GString *out)
{
    const CpuBus *cpus = mon->m->cpus;

    g_string_append(out, "Hotpluggable CPUs:\n");
    for (unsigned n = cpus->count; n-- > 0;) {
        CpuPlace p = cpus->place(cpus->opaque, n);
        const char *id = monitor_cpu_id(mon, n);

        g_string_append_printf(out, "  type: \"" CPU_TYPE "\"\n  vcpus_count: \"1\"\n",
                               cpus->model);
        if (*id)
            g_string_append_printf(out, "  qom_path: \"/machine/peripheral/%s\"\n", id);
        else if (machine_has_cpu(mon->m, n))
            g_string_append_printf(out, "  qom_path: \"/machine/unattached/device[%u]\"\n", n);
        g_string_append_printf(out,
                               "  CPUInstance Properties:\n    socket-id: \"%u\"\n"
                               "    core-id: \"%u\"\n    thread-id: \"%u\"\n",
                               p.socket, p.core, p.thread);
    }
}
