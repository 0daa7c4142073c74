/* SPDX-License-Identifier: MIT */
/* Disks, and media that come and go. Names of drives serve as names of nodes, too. */
#include <string.h>

#include "softmmu/block/drive.h"
#include "softmmu/program/qmp/internal.h"

/* ---- Looking --------------------------------------------------------------------------------- */

static Json *describe_image(const Drive *d, Image *image)
{
    Json *inner = json_make("virtual-size:u filename:s format:s", image_size(image),
                            image_path(image), image_format(image));

    return json_make("image:o node-name:s file:s drv:s ro:b encrypted:b bps:i bps_rd:i bps_wr:i "
                     "iops:i iops_rd:i iops_wr:i detect_zeroes:s",
                     inner, drive_id(d), image_path(image), image_format(image),
                     drive_is_read_only(d), 0, (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0,
                     (int64_t)0, (int64_t)0, "off");
}

static Json *each_drive(Qmp *q, Json *(*describe)(Drive *d, Image *image))
{
    g_autoptr(GPtrArray) drives = drive_list(q->w.m->root);
    Json *list = json_object_new_array();

    for (guint i = 0; i < drives->len; i++) {
        Json *one = describe(drives->pdata[i], drive_settled_image(drives->pdata[i]));

        if (one)
            json_object_array_add(list, one);
    }
    return list;
}

static Json *describe_drive(Drive *d, Image *image)
{
    bool removable = drive_is_removable(d);
    Json *o = json_make("device:s locked:b removable:b inserted:o type:s", drive_id(d),
                        removable && drive_is_locked(d), removable,
                        image ? describe_image(d, image) : NULL, "unknown");

    if (removable)
        json_object_object_add(o, "tray_open", json_object_new_boolean(false));
    return o;
}

static Json *run_block(Qmp *q, Json *args, GError **error)
{
    return each_drive(q, describe_drive);
}

static Json *describe_node(Drive *d, Image *image)
{
    return image ? describe_image(d, image) : NULL;
}

static Json *run_nodes(Qmp *q, Json *args, GError **error)
{
    return each_drive(q, describe_node);
}

/* ---- Media ----------------------------------------------------------------------------------- */

static Drive *find(Qmp *q, Json *args, GError **error)
{
    const char *name = json_text(args, "device", json_text(args, "id", NULL));
    Drive *d = name ? drive_find(q->w.m->root, name) : NULL;

    if (!name)
        error_set(error, "Parameter 'id' is missing");
    else if (!d)
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", name);
    return d;
}

static Json *run_eject(Qmp *q, Json *args, GError **error)
{
    Drive *d = find(q, args, error);

    return d && drive_eject(d, json_flag(args, "force", false), error) ? json_done() : NULL;
}

static bool take_mode(const char *mode, ImageOpen *how, GError **error)
{
    if (!strcmp(mode, "read-only"))
        how->read_only = true;
    else if (!strcmp(mode, "read-write"))
        how->read_only = false;
    else if (strcmp(mode, "retain")) {
        error_set(error, "Invalid parameter '%s'", mode);
        return false;
    }
    return true;
}

static Json *run_change(Qmp *q, Json *args, GError **error)
{
    Drive *d = find(q, args, error);
    ImageOpen how = { .path = json_text(args, "filename", ""),
                      .format = json_text(args, "format", NULL),
                      .read_only = d && drive_is_for_reading(d) };

    if (!d || !take_mode(json_text(args, "read-only-mode", "retain"), &how, error))
        return NULL;
    return drive_insert(d, &how, json_flag(args, "force", false), error) ? json_done() : NULL;
}

const QmpCommand qmp_block_commands[] = {
    { "query-block", "", run_block },
    { "query-named-block-nodes", "flat:bool?", run_nodes },
    { "eject", "device:str? id:str? force:bool?", run_eject },
    { "blockdev-change-medium",
      "device:str? id:str? filename:str format:str? force:bool? read-only-mode:str?", run_change },
    { NULL },
};
