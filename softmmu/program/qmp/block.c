/* SPDX-License-Identifier: MIT */
/* Disks, and what was done to them. Names of drives serve as names of nodes, too. */
#include <glib/gstdio.h>
#include <string.h>

#include "softmmu/block/drive.h"
#include "softmmu/program/image-text.h"
#include "softmmu/program/qmp/bitmaps.h"
#include "softmmu/program/qmp/internal.h"

/* ---- Looking --------------------------------------------------------------------------------- */

/* One level of backing files within another, as far as they go. */
static Json *describe_contents(Image *image)
{
    Json *o = image_describe(image);

    if (image_backing(image))
        json_object_object_add(o, "backing-image", describe_contents(image_backing(image)));
    return o;
}

static int64_t backing_depth(Image *image)
{
    Image *backing = image_facts(image).backing;

    return backing ? 1 + backing_depth(backing) : 0;
}

/* As a node called @node. */
static Json *describe_node(const Drive *d, Image *image, const char *node, bool read_only)
{
    const DriveWiring *w = drive_wiring(d);
    Json *bitmaps = image_bitmaps(image) ? qmp_describe_bitmaps(image) : NULL;
    Json *cache = json_make("writeback:b direct:b no-flush:b", !w->write_through, 0, w->no_flush);

    return json_make("image:o node-name:s file:s drv:s ro:b encrypted:b bps:i bps_rd:i bps_wr:i "
                     "iops:i iops_rd:i iops_wr:i detect_zeroes:s write_threshold:i cache:o "
                     "backing_file_depth:i backing_file:s dirty-bitmaps:o",
                     describe_contents(image), node, image_path(image), image_format(image),
                     read_only, 0, (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0,
                     (int64_t)0, w->detect_zeroes ? "on" : "off", (int64_t)0, cache,
                     backing_depth(image), image_facts(image).backing_path, bitmaps);
}

static Json *describe_image(const Drive *d, Image *image)
{
    return describe_node(d, image, drive_node(d), drive_is_read_only(d));
}

static Json *each_drive(Qmp *q, Json *(*describe)(Qmp *q, Drive *d, Image *image))
{
    g_autoptr(GPtrArray) drives = drive_list(q->w.m->root);
    Json *list = json_object_new_array();

    for (guint i = 0; i < drives->len; i++) {
        Drive *d = drives->pdata[i];
        Json *one = drive_is_vacant(d) ? NULL : describe(q, d, drive_settled_image(d));

        if (one)
            json_object_array_add(list, one);
    }
    return list;
}

/* The device that the user gave @d to, else the board's. */
static char *device_path(Qmp *q, const Drive *d)
{
    const char *owner = drive_owner(d);

    return owner ? g_strdup(owner) : qmp_device_path(q, (const Device *)d);
}

static const char *io_status(Qmp *q)
{
    return q->w.m->state == RUN_IO_ERROR ? "failed" : "ok";
}

static Json *describe_drive(Qmp *q, Drive *d, Image *image)
{
    bool removable = drive_is_removable(d);
    g_autofree char *path = device_path(q, d);
    Json *o = json_make("io-status:s device:s locked:b removable:b inserted:o qdev:s type:s",
                        drive_is_connected(d) ? io_status(q) : NULL, drive_id(d),
                        removable && drive_is_locked(d), removable,
                        image ? describe_image(d, image) : NULL, path, "unknown");

    if (drive_is_for_reading(d))
        json_object_object_add(o, "tray_open", json_object_new_boolean(qmp_tray_is_open(q, d)));
    return o;
}

static Json *run_block(Qmp *q, Json *args, GError **error)
{
    return each_drive(q, describe_drive);
}

/* Nodes that nobody gave a name have one that nobody can give. */

static Json *describe_file(const Drive *d, Image *image, const char *node, bool read_only)
{
    GStatBuf st;
    bool known = !g_stat(image_path(image), &st);
    Json *o = describe_node(d, image, node, read_only);

    json_object_object_add(
        o, "image",
        json_make("virtual-size:u filename:s format:s actual-size:u dirty-flag:b",
                  known ? (uint64_t)st.st_size : image_size(image), image_path(image), "file",
                  image_facts(image).allocated, 0));
    json_object_object_add(o, "drv", json_object_new_string("file"));
    json_object_object_add(o, "backing_file_depth", json_object_new_int(0));
    json_object_object_del(o, "backing_file");
    return o;
}

/* An image, the file it is in, and what is behind it. */
static void add_nodes(const Drive *d, Image *image, const char *node, bool read_only, Json *list)
{
    g_autofree char *file = g_strdup_printf("%s%s.file", *node == '#' ? "" : "#", node);
    g_autofree char *behind = g_strdup_printf("%s%s.backing", *node == '#' ? "" : "#", node);
    Image *backing = image_facts(image).backing;

    json_object_array_add(list, describe_node(d, image, node, read_only));
    if (strcmp(image_format(image), "null-co"))
        json_object_array_add(list, describe_file(d, image, file, read_only));
    if (backing)
        add_nodes(d, backing, behind, true, list);
}

static Json *run_nodes(Qmp *q, Json *args, GError **error)
{
    g_autoptr(GPtrArray) drives = drive_list(q->w.m->root);
    bool flat = json_flag(args, "flat", false);
    Json *list = json_object_new_array();

    for (guint i = 0; i < drives->len; i++) {
        Drive *d = drives->pdata[i];
        Image *image = drive_is_vacant(d) ? NULL : drive_settled_image(d);

        if (image)
            add_nodes(d, image, drive_node(d), drive_is_read_only(d), list);
    }
    for (size_t i = 0; flat && i < json_object_array_length(list); i++)
        json_object_object_del(json_member(json_object_array_get_idx(list, i), "image"),
                               "backing-image");
    return list;
}

/* ---- Statistics ------------------------------------------------------------------------------ */

static void add_count(Json *o, const char *prefix, const char *name, uint64_t value)
{
    g_autofree char *member = g_strconcat(prefix, name, NULL);

    json_object_object_add(o, member, json_object_new_uint64(value));
}

static Json *describe_stats(const DriveStats *s)
{
    static const struct {
        const char *name;
        DriveKind kind;
        bool bytes;
    } kinds[] = { { "rd", DRIVE_READS, true },
                  { "wr", DRIVE_WRITES, true },
                  { "flush", DRIVE_FLUSHES, false },
                  { "unmap", DRIVE_DISCARDS, true } };
    Json *o = json_make("wr_highest_offset:u timed_stats:o account_invalid:b account_failed:b",
                        s->highest, json_object_new_array(), 1, 1);

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const char *name = kinds[i].name;
        DriveKind k = kinds[i].kind;
        g_autofree char *failed = g_strdup_printf("failed_%s", name);
        g_autofree char *invalid = g_strdup_printf("invalid_%s", name);

        if (kinds[i].bytes) {
            add_count(o, name, "_bytes", s->of[k].bytes);
            add_count(o, name, "_merged", 0); /* a drive does as it is told */
        }
        add_count(o, name, "_operations", s->of[k].count);
        add_count(o, name, "_total_time_ns", s->of[k].time_ns);
        add_count(o, failed, "_operations", s->of[k].failed);
        add_count(o, invalid, "_operations", s->of[k].invalid);
    }
    return o;
}

static Json *describe_drive_stats(Qmp *q, Drive *d, Image *image)
{
    g_autofree char *path = device_path(q, d);

    return json_make("device:s node-name:s qdev:s stats:o", drive_id(d),
                     image ? drive_node(d) : NULL, path, describe_stats(drive_stats(d)));
}

static Json *run_stats(Qmp *q, Json *args, GError **error)
{
    return each_drive(q, describe_drive_stats);
}

const QmpCommand qmp_block_commands[] = {
    { "query-block", "", run_block },
    { "query-named-block-nodes", "flat:bool?", run_nodes },
    { "query-blockstats", "query-nodes:bool?", run_stats },
    { NULL },
};
