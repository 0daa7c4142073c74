/* SPDX-License-Identifier: MIT */
#include "softmmu/program/host-side.h"

#include <string.h>

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

static bool netdev_del(void *opaque, const char *id, GError **error)
{
    HostSide *h = opaque;

    return network_remove(h->network, h->m, id, error);
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
    return strcmp(option, "-netdev") ? add_drives(opaque, option, spec, error)
                                     : add_netdev(opaque, spec, error);
}

MonitorHost host_side_for_monitor(HostSide *h)
{
    return (MonitorHost){ add, netdev_del, h };
}
