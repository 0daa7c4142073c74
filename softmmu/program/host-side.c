/* SPDX-License-Identifier: MIT */
#include "softmmu/program/host-side.h"

#include <string.h>
#include <unistd.h>

#include "accel/session.h"
#include "hw/pc.h"
#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

/* @o is to be cleared, whatever comes of it. */
static bool parse(Options *o, const char *option, const char *spec, GError **error)
{
    if (!options_parse_addition(o, option, spec, error))
        return false;
    if (o->answer_kind == ANSWER_NONE)
        return true;
    error_set(error, "%s help is for the command line", option);
    return false;
}

/* A recording has the options of its machine at its begin. */
static bool may_change(const HostSide *h, GError **error)
{
    if (!session_is_recording(h->accel) && !session_is_replay(h->accel))
        return true;
    error_set(error, "not while a recording is made or replayed: add it before the begin");
    return false;
}

/* ---- Networks ---------------------------------------------------------------------------------
 */

static bool add_netdev(HostSide *h, const char *spec, GError **error)
{
    Options o;
    bool ok = parse(&o, "-netdev", spec, error);

    if (ok)
        ok = network_add(h->network, h->m, o.config.netdevs, error);
    options_clear(&o);
    return ok;
}

/* Does @spec, as options have it or JSON, give something the name @id? */
static bool names(const char *spec, const char *id)
{
    static const char *const keys[] = { "id", "node-name" };
    g_autofree char *plain = *spec == '{' ? options_from_json(spec, NULL) : g_strdup(spec);
    g_auto(GStrv) words = plain ? g_strsplit(plain, ",", -1) : NULL;

    for (size_t k = 0; words && k < G_N_ELEMENTS(keys); k++) {
        g_autofree char *wanted = g_strdup_printf("%s=%s", keys[k], id);

        if (g_strv_contains((const char *const *)words, wanted))
            return true;
    }
    return false;
}

static void forget_args(HostSide *h, const char *option, const char *id);

static bool netdev_del(void *opaque, const char *id, GError **error)
{
    HostSide *h = opaque;

    if (!may_change(h, error) || !network_remove(h->network, h->m, id, error))
        return false;
    forget_args(h, "-netdev", id);
    return true;
}

/* ---- Disks ------------------------------------------------------------------------------------
 */

static bool is_taken(const HostSide *h, const char *id)
{
    const GPtrArray *drives = h->m->config->drives;

    for (guint i = 0; i < drives->len; i++) {
        const DriveOption *d = drives->pdata[i];

        if (d->id && !strcmp(d->id, id))
            return true;
    }
    return false;
}

/* For a device that comes later, which opens it. */
static bool add_drives(HostSide *h, const char *option, const char *spec, GError **error)
{
    Options o;
    bool ok = parse(&o, option, spec, error);
    GPtrArray *drives = o.config.drives;

    for (guint i = 0; ok && i < drives->len; i++) {
        const DriveOption *d = drives->pdata[i];

        ok = d->interface == DRIVE_IF_NONE && d->id && !is_taken(h, d->id);
        if (!ok && d->id && is_taken(h, d->id))
            error_set(error, "there is another drive with id '%s'", d->id);
        else if (!ok)
            error_set(error, "if=none and id= are needed: device_add makes the disk");
        else
            ok = pc_check_disk(h->m, d, error);
    }
    while (ok && drives->len)
        g_ptr_array_add(h->m->config->drives, g_ptr_array_steal_index(drives, 0));
    options_clear(&o);
    return ok;
}

/* A drive went over to the image of the node @id. */
static bool is_image_of_other(const HostSide *h, const char *id)
{
    g_autoptr(GPtrArray) drives = drive_list(h->m->root);

    for (guint i = 0; i < drives->len; i++) {
        const Drive *d = drives->pdata[i];

        if (strcmp(drive_id(d), id) && !strcmp(drive_node(d), id))
            return true;
    }
    return false;
}

/* A disk that no device has, nor had for the host to tell of what it wrote. */
static bool remove_drive(HostSide *h, const char *id, GError **error)
{
    GPtrArray *drives = h->m->config->drives;
    Drive *d = drive_find(h->m->root, id);
    guint i = 0;

    while (i < drives->len && g_strcmp0(((DriveOption *)drives->pdata[i])->id, id))
        i++;
    if (i == drives->len) {
        error_set(error, "Failed to find node with node-name='%s'", id);
        return false;
    }
    if (d && !drive_is_free(d, error))
        return false;
    if (((DriveOption *)drives->pdata[i])->interface != DRIVE_IF_NONE ||
        (d && drive_is_connected(d)) || is_image_of_other(h, id)) {
        error_set(error, "Node '%s' is busy: a device has it", id);
        return false;
    }
    if (d)
        drive_remove(d);
    g_ptr_array_remove_index(drives, i);
    return true;
}

static bool remove_drive_by_id(HostSide *h, const char *id, GError **error)
{
    if (is_taken(h, id))
        return remove_drive(h, id, error);
    error_set(error, "Device '%s' not found", id);
    return false;
}

/* ---- Character devices and objects -------------------------------------------------------------
 */

static bool add_chardev(HostSide *h, const char *option, const char *spec, GError **error)
{
    Options o;
    bool ok = parse(&o, option, spec, error) &&
              console_add(h->console, o.chardevs->pdata[0], h->m, error);

    options_clear(&o);
    return ok;
}

static bool remove_chardev(HostSide *h, const char *id, GError **error)
{
    return console_remove(h->console, id, h->m, error);
}

static guint find_object(const HostSide *h, const char *id)
{
    const GPtrArray *objects = h->m->config->objects;
    guint i = 0;

    while (i < objects->len &&
           strcmp(g_hash_table_lookup(((DeviceOption *)objects->pdata[i])->props, "id"), id))
        i++;
    return i;
}

bool host_side_make_memory(const MemoryBackend *memory, GError **error)
{
    int fd = memory->backing.path ? ram_backing_open(&memory->backing, memory->size, error) : 0;

    if (memory->backing.path && fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool check_new_object(const HostSide *h, const DeviceOption *object, GError **error)
{
    const char *id = g_hash_table_lookup(object->props, "id");

    if (find_object(h, id) < h->m->config->objects->len)
        error_set(error, "attempt to add duplicate property '%s' to object (type 'container')", id);
    else
        return true;
    return false;
}

/* What is behind it here. */
static bool open_object(HostSide *h, Options *o, const DeviceOption *object, GError **error)
{
    GPtrArray *memory = o->config.memory_backends;

    if (!strcmp(object->driver, "rng-random"))
        return network_add_random(h->network, h->m, object, error);
    if (!strcmp(object->driver, "filter-replay") &&
        !network_has(h->m, g_hash_table_lookup(object->props, "netdev"))) {
        error_set(error, "Parameter 'netdev' expects a network backend id");
        return false;
    }
    if (!strcmp(object->driver, "filter-dump"))
        return network_add_dump(h->network, h->m, object, error);
    if (memory->len && !host_side_make_memory(memory->pdata[0], error))
        return false;
    if (memory->len)
        g_ptr_array_add(h->m->config->memory_backends, g_ptr_array_steal_index(memory, 0));
    return true;
}

static bool add_object(HostSide *h, const char *option, const char *spec, GError **error)
{
    Options o;
    bool ok = parse(&o, option, spec, error);
    GPtrArray *objects = o.config.objects;

    if (ok && !objects->len) {
        error_set(error, "this object is for the command line");
        ok = false;
    }
    ok = ok && check_new_object(h, objects->pdata[0], error) &&
         open_object(h, &o, objects->pdata[0], error);
    if (ok)
        g_ptr_array_add(h->m->config->objects, g_ptr_array_steal_index(objects, 0));
    options_clear(&o);
    return ok;
}

static MemoryBackend *find_memory(const GPtrArray *list, const char *id)
{
    for (guint i = 0; list && i < list->len; i++)
        if (!strcmp(((MemoryBackend *)list->pdata[i])->id, id))
            return list->pdata[i];
    return NULL;
}

static bool is_ram_part(const HostSide *h, const char *id)
{
    return find_memory(h->m->config->ram_parts, id);
}

/* Who names it? */
static bool is_named(const HostSide *h, const char *id)
{
    const GPtrArray *devices = h->m->config->devices;

    for (guint i = 0; i < devices->len; i++) {
        GHashTable *props = ((DeviceOption *)devices->pdata[i])->props;

        if (!g_strcmp0(g_hash_table_lookup(props, "rng"), id))
            return true;
    }
    return false;
}

static bool remove_object(HostSide *h, const char *id, GError **error)
{
    GPtrArray *objects = h->m->config->objects;
    guint i = find_object(h, id);
    const char *type = i < objects->len ? ((DeviceOption *)objects->pdata[i])->driver : "";

    if (i == objects->len) {
        error_set(error, "object '%s' not found", id);
        return false;
    }
    if (is_ram_part(h, id) || is_named(h, id)) {
        error_set(error, "object '%s' is in use, can not be deleted", id);
        return false;
    }
    if (!strcmp(type, "rng-random") && !network_remove_random(h->network, id, error))
        return false;
    if (!strcmp(type, "filter-dump"))
        network_remove_dump(h->network, objects->pdata[i]);
    if (find_memory(h->m->config->memory_backends, id))
        g_ptr_array_remove(h->m->config->memory_backends,
                           find_memory(h->m->config->memory_backends, id));
    g_ptr_array_remove_index(objects, i);
    return true;
}

static bool set_dump_status(HostSide *h, const DeviceOption *object, const char *value,
                            GError **error)
{
    NetDump *d = network_dump(h->network, g_hash_table_lookup(object->props, "id"));
    bool on;

    if (!parse_switch(value, &on, error))
        return false;
    if (d)
        net_dump_set_on(d, on);
    g_hash_table_insert(object->props, g_strdup("status"), g_strdup(on ? "on" : "off"));
    return true;
}

static bool set_of_object(void *opaque, const char *id, const char *property, const char *value,
                          bool *known, GError **error)
{
    HostSide *h = opaque;
    guint i = find_object(h, id);
    const DeviceOption *object =
        i < h->m->config->objects->len ? h->m->config->objects->pdata[i] : NULL;

    *known = object && !strcmp(object->driver, "filter-dump") && !strcmp(property, "status");
    return *known && set_dump_status(h, object, value, error);
}

/* ---- By option ---------------------------------------------------------------------------------
 */

static bool add_network(HostSide *h, const char *option, const char *spec, GError **error)
{
    return add_netdev(h, spec, error);
}

static const struct {
    const char *option;
    bool (*add)(HostSide *h, const char *option, const char *spec, GError **error);
    bool (*remove)(HostSide *h, const char *id, GError **error);
} rows[] = {
    { "-netdev", add_network, NULL },          { "-drive", add_drives, remove_drive_by_id },
    { "-blockdev", add_drives, remove_drive }, { "-chardev", add_chardev, remove_chardev },
    { "-object", add_object, remove_object },
};

static bool add(void *opaque, const char *option, const char *spec, GError **error)
{
    HostSide *h = opaque;
    bool ok = false;

    if (!may_change(h, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(rows[i].option, option))
            ok = rows[i].add(h, option, spec, error);
    if (ok) {
        g_ptr_array_add(h->args, g_strdup(option));
        g_ptr_array_add(h->args, g_strdup(spec));
    }
    return ok;
}

/* What was said of @id is not part of the machine any more. Objects say "id", nodes "node-name". */
static void forget_args(HostSide *h, const char *option, const char *id)
{
    for (guint i = 0; i + 1 < h->args->len; i++) {
        const char *name = h->args->pdata[i], *spec = h->args->pdata[i + 1];

        if (!strcmp(name + strspn(name, "-"), option + 1) && names(spec, id)) {
            g_ptr_array_remove_range(h->args, i, 2);
            return;
        }
    }
}

static bool remove_it(void *opaque, const char *option, const char *id, GError **error)
{
    HostSide *h = opaque;

    if (!may_change(h, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].option, option) || !rows[i].remove)
            continue;
        if (!rows[i].remove(h, id, error))
            return false;
        forget_args(h, option, id);
        return true;
    }
    g_assert_not_reached();
}

MonitorHost host_side_for_monitor(HostSide *h)
{
    return (MonitorHost){ add, netdev_del, h, remove_it, set_of_object };
}
