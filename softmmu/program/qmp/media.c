/* SPDX-License-Identifier: MIT */
/*
 * Media that come and go, and trays. A drive knows a medium or none: that a tray is open with a
 * medium in it is known here, where the medium waits for the tray to close.
 */
#include <string.h>

#include "softmmu/block/drive.h"
#include "softmmu/program/qmp/internal.h"

typedef struct Tray {
    bool open;
    char *path, *format; /* of the medium in it; NULL: there is none */
    bool read_only;
} Tray;

static void clear_tray(Tray *t)
{
    g_free(t->path);
    g_free(t->format);
    *t = (Tray){ .open = t->open };
}

static void free_tray(void *p)
{
    clear_tray(p);
    g_free(p);
}

GHashTable *qmp_trays_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_tray);
}

static Tray *tray_of(Qmp *q, const Drive *d)
{
    Tray *t = g_hash_table_lookup(q->w.shared->trays, drive_id(d));

    if (t)
        return t;
    t = g_new0(Tray, 1);
    g_hash_table_insert(q->w.shared->trays, g_strdup(drive_id(d)), t);
    return t;
}

bool qmp_tray_is_open(Qmp *q, const Drive *d)
{
    return tray_of(q, d)->open && !drive_has_medium(d);
}

static void move_tray(Qmp *q, Drive *d, bool open)
{
    Tray *t = tray_of(q, d);
    Json *data;

    if (t->open == open || !drive_is_for_reading(d)) /* floppy drives have none */
        return;
    t->open = open;
    data = json_make("device:s id:s tray-open:b", drive_id(d), drive_id(d), open);
    machine_emit(q->w.m, "DEVICE_TRAY_MOVED", "%s", json_object_to_json_string(data));
    json_object_put(data);
}

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

    if (!d || !drive_eject(d, json_flag(args, "force", false), error))
        return NULL;
    clear_tray(tray_of(q, d));
    move_tray(q, d, true);
    return json_done();
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
    if (!drive_insert(d, &how, json_flag(args, "force", false), error))
        return NULL;
    clear_tray(tray_of(q, d));
    move_tray(q, d, true);
    move_tray(q, d, false);
    return json_done();
}

/* ---- Step by step ---------------------------------------------------------------------------- */

/* What is in it is kept, but nothing that the guest can reach. */
static bool take_medium(Qmp *q, Drive *d, bool force, GError **error)
{
    Tray *t = tray_of(q, d);
    Image *image = drive_settled_image(d);
    Tray held = { 0 };

    if (image) {
        held = (Tray){ .path = g_strdup(image_path(image)),
                       .format = g_strdup(image_format(image)),
                       .read_only = drive_is_read_only(d) };
        if (!drive_eject(d, force, error)) {
            clear_tray(&held);
            return false;
        }
    }
    held.open = t->open;
    clear_tray(t);
    *t = held;
    return true;
}

static Json *run_open_tray(Qmp *q, Json *args, GError **error)
{
    Drive *d = find(q, args, error);

    if (d && !drive_is_removable(d)) {
        error_set(error, "Device '%s' is not removable", drive_id(d));
        return NULL;
    }
    if (!d)
        return NULL;
    if (!qmp_tray_is_open(q, d) && !take_medium(q, d, json_flag(args, "force", false), error))
        return NULL;
    move_tray(q, d, true);
    return json_done();
}

static Json *run_close_tray(Qmp *q, Json *args, GError **error)
{
    Drive *d = find(q, args, error);
    Tray *t = d ? tray_of(q, d) : NULL;

    if (!d)
        return NULL;
    if (!drive_is_removable(d)) {
        error_set(error, "Device '%s' is not removable", drive_id(d));
        return NULL;
    }
    if (t->path && !drive_has_medium(d)) {
        ImageOpen how = { .path = t->path, .format = t->format, .read_only = t->read_only };

        if (!drive_insert(d, &how, false, error))
            return NULL;
    }
    clear_tray(t);
    move_tray(q, d, false);
    return json_done();
}

static bool needs_open_tray(Qmp *q, Drive *d, GError **error)
{
    if (!drive_is_for_reading(d) || qmp_tray_is_open(q, d))
        return true;
    error_set(error, "Tray of device '%s' is not open", drive_id(d));
    return false;
}

static Json *run_remove_medium(Qmp *q, Json *args, GError **error)
{
    Drive *d = find(q, args, error);

    if (!d || !needs_open_tray(q, d, error))
        return NULL;
    if (drive_has_medium(d) && !drive_eject(d, true, error)) /* a floppy */
        return NULL;
    clear_tray(tray_of(q, d));
    return json_done();
}

static const DriveOption *find_node(Qmp *q, const char *name, GError **error)
{
    const GPtrArray *drives = q->w.m->config->drives;

    for (guint i = 0; drives && i < drives->len; i++) {
        const DriveOption *o = drives->pdata[i];

        if (o->id && o->file && !strcmp(o->id, name))
            return o;
    }
    error_set(error, "Failed to find node with node-name='%s'", name);
    return NULL;
}

static Json *run_insert_medium(Qmp *q, Json *args, GError **error)
{
    Drive *d = find(q, args, error);
    const char *name = json_text(args, "node-name", "");
    const DriveOption *node = d ? find_node(q, name, error) : NULL;
    Tray *t = d ? tray_of(q, d) : NULL;

    if (!node || !needs_open_tray(q, d, error))
        return NULL;
    if (t->path || drive_has_medium(d)) {
        error_set(error, "There already is a medium in device '%s'", drive_id(d));
        return NULL;
    }
    if (!drive_is_for_reading(d)) { /* a floppy: nothing is to be closed */
        ImageOpen how = { .path = node->file,
                          .format = node->format,
                          .read_only = node->read_only };

        return drive_insert(d, &how, false, error) ? json_done() : NULL;
    }
    t->path = g_strdup(node->file);
    t->format = g_strdup(node->format);
    t->read_only = true;
    return json_done();
}

const QmpCommand qmp_media_commands[] = {
    { "eject", "device:str? id:str? force:bool?", run_eject },
    { "blockdev-change-medium",
      "device:str? id:str? filename:str format:str? force:bool? read-only-mode:str?", run_change },
    { "blockdev-open-tray", "device:str? id:str? force:bool?", run_open_tray },
    { "blockdev-close-tray", "device:str? id:str?", run_close_tray },
    { "blockdev-remove-medium", "id:str", run_remove_medium },
    { "blockdev-insert-medium", "id:str node-name:str", run_insert_medium },
    { NULL },
};
