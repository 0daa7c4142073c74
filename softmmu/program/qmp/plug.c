/* SPDX-License-Identifier: MIT */
/* Commands that plug devices in and out: as lines of the text monitor, which recordings have. */
#include <string.h>

#include "softmmu/program/qmp/internal.h"

/* As the value of a -device property: numbers and switches as people write them, commas doubled. */
static char *value_text(Json *value)
{
    g_auto(GStrv) parts = NULL;

    if (json_object_is_type(value, json_type_boolean))
        return g_strdup(json_object_get_boolean(value) ? "on" : "off");
    parts = g_strsplit(json_object_get_string(value), ",", -1);
    return g_strjoinv(",,", parts);
}

/* "FIRST,name=value,...": as options spell it, where @first names the member that goes without its
 * name. NULL with @error. */
static GString *option_text(Json *args, const char *first, GError **error)
{
    g_autofree char *head = value_text(json_member(args, first));
    g_autoptr(GString) line = g_string_new(head);

    json_object_object_foreach (args, name, value) {
        g_autofree char *text = NULL;

        if (!strcmp(name, first))
            continue;
        if (json_object_is_type(value, json_type_object) ||
            json_object_is_type(value, json_type_array) || !value || strpbrk(name, ",=")) {
            error_set(error, "Invalid parameter '%s'", name);
            return NULL;
        }
        text = value_text(value);
        g_string_append_printf(line, ",%s=%s", name, text);
    }
    return g_steal_pointer(&line);
}

/* The text monitor's line that has failed for want of a device says so. */
static Json *with_class(Json *done, GError **error)
{
    if (!done && error && g_str_has_suffix((*error)->message, "' not found"))
        (*error)->code = QMP_DEVICE_NOT_FOUND;
    return done;
}

static Json *run_device_add(Qmp *q, Json *args, GError **error)
{
    g_autoptr(GString) line = option_text(args, "driver", error);

    return line ? qmp_run_line(q, error, "device_add %s", line->str) : NULL;
}

static Json *run_netdev_add(Qmp *q, Json *args, GError **error)
{
    g_autoptr(GString) spec = option_text(args, "type", error);

    return spec && monitor_add_to_host(q->w.mon, "-netdev", spec->str, error) ? json_done() : NULL;
}

static Json *run_netdev_del(Qmp *q, Json *args, GError **error)
{
    return with_class(qmp_run_line(q, error, "netdev_del %s", json_text(args, "id", "")), error);
}

static const DriveOption *find_node(Qmp *q, const char *name)
{
    const GPtrArray *drives = q->w.m->config->drives;

    for (guint i = 0; drives && i < drives->len; i++) {
        const DriveOption *d = drives->pdata[i];

        if (d->interface == DRIVE_IF_NONE && d->id && d->file && !strcmp(d->id, name))
            return d;
    }
    return NULL;
}

static Json *describe_file(const DriveOption *node)
{
    return json_make("driver:s filename:s", "file", node->file);
}

/* A node that names another, which was added before, is made of what that is made of. */
static bool resolve_file(Qmp *q, Json *args, GError **error)
{
    Json *file = json_member(args, "file");
    const char *name =
        json_object_is_type(file, json_type_string) ? json_object_get_string(file) : NULL;
    const DriveOption *node = name ? find_node(q, name) : NULL;

    if (!name)
        return true;
    if (!node)
        error_set(error, "Cannot find device='' nor node-name='%s'", name);
    else if (strcmp(node->format, "raw") || g_str_has_prefix(node->file, IMAGE_NULL))
        error_set(error, "a format on node '%s', which has one, is not supported", name);
    else
        return !json_object_object_add(args, "file", describe_file(node));
    return false;
}

static Json *describe_node(const DriveOption *node)
{
    Json *o = json_make("driver:s file:o", node->format, describe_file(node));

    if (node->backing)
        json_object_object_add(o, "backing", describe_node(node->backing));
    else if (node->alone)
        json_object_object_add(o, "backing", NULL);
    return o;
}

static bool resolve_backing(Qmp *q, Json *args, GError **error)
{
    Json *backing = json_member(args, "backing");
    const char *name =
        json_object_is_type(backing, json_type_string) ? json_object_get_string(backing) : "";
    const DriveOption *node = *name ? find_node(q, name) : NULL;

    if (node)
        json_object_object_add(args, "backing", describe_node(node));
    else if (*name)
        error_set(error, "Cannot find device='%s' nor node-name='%s'", name, name);
    return node || !*name;
}

static bool resolve_node(Qmp *q, Json *args, GError **error)
{
    return resolve_file(q, args, error) && resolve_backing(q, args, error);
}

/* -blockdev takes the same object. */
static Json *run_blockdev_add(Qmp *q, Json *args, GError **error)
{
    g_autoptr(GString) spec = g_string_new(NULL);

    if (!resolve_node(q, args, error))
        return NULL;
    json_write(args, false, spec);
    return monitor_add_to_host(q->w.mon, "-blockdev", spec->str, error) ? json_done() : NULL;
}

static Json *run_device_del(Qmp *q, Json *args, GError **error)
{
    return with_class(qmp_run_line(q, error, "device_del %s", json_text(args, "id", "")), error);
}

static Json *run_set_link(Qmp *q, Json *args, GError **error)
{
    const char *name = json_text(args, "name", "");

    if (!*name || strpbrk(name, " \t\r\n")) {
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", name);
        return NULL;
    }
    return with_class(
        qmp_run_line(q, error, "set_link %s %s", name, json_flag(args, "up", false) ? "on" : "off"),
        error);
}

/* No card filters by what the host could use. */
static Json *run_rx_filter(Qmp *q, Json *args, GError **error)
{
    const char *name = json_text(args, "name", NULL);

    if (!name)
        return json_object_new_array();
    if (net_cable_named(q->w.m->root, name))
        error_set(error, "net client(%s) doesn't support rx-filter querying", name);
    else
        error_set(error, "invalid net client name: %s", name);
    return NULL;
}

static Json *run_cpu_sockets(Qmp *q, Json *args, GError **error)
{
    const CpuBus *cpus = q->w.m->cpus;
    g_autofree char *type = g_strdup_printf("%s-x86_64-cpu", cpus->model);
    Json *list;

    if (machine_is_empty(q->w.m->config)) {
        error_set(error, "The feature 'query-hotpluggable-cpus' is not enabled");
        return NULL;
    }
    list = json_object_new_array();
    for (unsigned n = cpus->count; n-- > 0;) {
        g_autofree char *path = machine_has_cpu(q->w.m, n) ? qmp_cpu_path(q, n) : NULL;

        json_object_array_add(list, json_make("props:o vcpus-count:i qom-path:s type:s",
                                              qmp_cpu_place(cpus->place(cpus->opaque, n)),
                                              INT64_C(1), path, type));
    }
    return list;
}

const QmpCommand qmp_plug_commands[] = {
    { "device_add", "driver:str id:str? bus:str? ...", run_device_add },
    { "device_del", "id:str", run_device_del },
    { "netdev_add", "type:str id:str ...", run_netdev_add },
    { "netdev_del", "id:str", run_netdev_del },
    { "blockdev-add", "driver:str node-name:str? ...", run_blockdev_add },
    { "set_link", "name:str up:bool", run_set_link },
    { "query-rx-filter", "name:str?", run_rx_filter },
    { "query-hotpluggable-cpus", "", run_cpu_sockets },
    { NULL },
};
