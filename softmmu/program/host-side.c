/* SPDX-License-Identifier: MIT */
#include "softmmu/program/host-side.h"

#include <string.h>

#include "accel/session.h"
#include "softmmu/error.h"

/* @o is to be cleared, whatever comes of it. */
static bool parse(Options *o, const char *option, const char *spec, GError **error)
{
    char *argv[] = { (char *)"mimus", (char *)option, (char *)spec, NULL };

    if (!options_parse(o, 3, argv, error))
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

/* Of "-netdev SPEC" that was added, or that the command line had. */
static bool is_netdev(const GPtrArray *args, guint i, const char *id)
{
    g_auto(GStrv) words = NULL;

    if (i + 1 == args->len || strcmp(args->pdata[i] + strspn(args->pdata[i], "-"), "netdev"))
        return false;
    words = g_strsplit(args->pdata[i + 1], ",", -1);
    for (char **word = words; *word; word++)
        if (g_str_has_prefix(*word, "id=") && !strcmp(*word + strlen("id="), id))
            return true;
    return false;
}

static bool netdev_del(void *opaque, const char *id, GError **error)
{
    HostSide *h = opaque;

    if (!may_change(h, error) || !network_remove(h->network, h->m, id, error))
        return false;
    for (guint i = 0; i < h->args->len; i++) {
        if (is_netdev(h->args, i, id)) {
            g_ptr_array_remove_range(h->args, i, 2);
            break;
        }
    }
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
    }
    while (ok && drives->len)
        g_ptr_array_add(h->m->config->drives, g_ptr_array_steal_index(drives, 0));
    options_clear(&o);
    return ok;
}

static bool add(void *opaque, const char *option, const char *spec, GError **error)
{
    HostSide *h = opaque;
    bool ok =
        may_change(h, error) && (strcmp(option, "-netdev") ? add_drives(h, option, spec, error)
                                                           : add_netdev(h, spec, error));

    if (ok) {
        g_ptr_array_add(h->args, g_strdup(option));
        g_ptr_array_add(h->args, g_strdup(spec));
    }
    return ok;
}

MonitorHost host_side_for_monitor(HostSide *h)
{
    return (MonitorHost){ add, netdev_del, h };
}
