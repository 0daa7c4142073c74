/* SPDX-License-Identifier: MIT */
/* Dirty bitmaps: block-dirty-bitmap-*, and what query-block says of them. */
#include "softmmu/program/qmp/bitmaps.h"

#include <string.h>

#include "softmmu/program/qmp/jobs.h"

ImageBitmap *qmp_find_bitmap(Qmp *q, const char *node, const char *name, Drive **d, GError **error)
{
    Drive *drive = qmp_find_disk(q, node, error);
    Image *image = drive ? drive_settled_image(drive) : NULL;
    ImageBitmap *b = image ? image_find_bitmap(image, name) : NULL;

    if (drive && !b)
        error_set(error, "Dirty bitmap '%s' not found", name);
    if (d)
        *d = drive;
    return b;
}

ImageBitmap *qmp_bitmap_to_change(Qmp *q, Json *args, const char *member, bool any, GError **error)
{
    const char *name = json_text(args, member, "");
    Drive *d;
    ImageBitmap *b = qmp_find_bitmap(q, json_text(args, "node", ""), name, &d, error);

    if (!b)
        return NULL;
    if (b->busy)
        error_set(error, "Bitmap '%s' is currently in use by another operation and cannot be used",
                  name);
    else if (b->inconsistent && !any)
        error_set(error,
                  "Bitmap '%s' is inconsistent and cannot be used: block-dirty-bitmap-remove is "
                  "what is left to do with it",
                  name);
    else if (b->persistent && image_touch_bitmaps(drive_settled_image(d)))
        error_set(error, "'%s' cannot be written", image_path(drive_settled_image(d)));
    else
        return b;
    return NULL;
}

static Json *run_add(Qmp *q, Json *args, GError **error)
{
    Drive *d = qmp_find_disk(q, json_text(args, "node", ""), error);
    Image *image = d ? drive_settled_image(d) : NULL;
    int64_t granularity = json_int(args, "granularity", 0);
    ImageBitmap *b;

    if (!d || !qmp_may_change_disks(q, error))
        return NULL;
    if (!image) {
        error_set(error, "Device '%s' has no medium", drive_id(d));
        return NULL;
    }
    if (json_member(args, "granularity") &&
        (granularity < 512 || granularity > INT32_MAX || (granularity & (granularity - 1)))) {
        error_set(error, "Granularity must be power of 2 and at least 512");
        return NULL;
    }
    b = image_add_bitmap(image, json_text(args, "name", ""), granularity,
                         json_flag(args, "persistent", false), error);
    if (!b)
        return NULL;
    b->recording = !json_flag(args, "disabled", false);
    return json_done();
}

static Json *run_remove(Qmp *q, Json *args, GError **error)
{
    ImageBitmap *b = qmp_bitmap_to_change(q, args, "name", true, error);
    Drive *d;

    if (!b)
        return NULL;
    qmp_find_bitmap(q, json_text(args, "node", ""), b->name, &d, NULL);
    image_remove_bitmap(drive_settled_image(d), b);
    return json_done();
}

static Json *run_clear(Qmp *q, Json *args, GError **error)
{
    ImageBitmap *b = qmp_bitmap_to_change(q, args, "name", false, error);

    if (!b)
        return NULL;
    image_bitmap_clear(b);
    return json_done();
}

static Json *set_recording(Qmp *q, Json *args, bool on, GError **error)
{
    ImageBitmap *b = qmp_bitmap_to_change(q, args, "name", false, error);

    if (!b)
        return NULL;
    b->recording = on;
    return json_done();
}

static Json *run_enable(Qmp *q, Json *args, GError **error)
{
    return set_recording(q, args, true, error);
}

static Json *run_disable(Qmp *q, Json *args, GError **error)
{
    return set_recording(q, args, false, error);
}

/* A name of the same node, or a node and a name. */
static ImageBitmap *find_source(Qmp *q, const char *node, Json *value, GError **error)
{
    bool object = json_object_is_type(value, json_type_object);
    ImageBitmap *b = qmp_find_bitmap(
        q, object ? json_text(value, "node", "") : node,
        object ? json_text(value, "name", "") : json_object_get_string(value), NULL, error);

    if (b && b->inconsistent) {
        error_set(error, "Bitmap '%s' is inconsistent and cannot be used", b->name);
        return NULL;
    }
    return b;
}

static Json *run_merge(Qmp *q, Json *args, GError **error)
{
    ImageBitmap *to = qmp_bitmap_to_change(q, args, "target", false, error);
    Json *list = json_member(args, "bitmaps");
    const char *node = json_text(args, "node", "");
    g_autoptr(GPtrArray) from = g_ptr_array_new();

    for (size_t i = 0; to && i < json_object_array_length(list); i++) {
        ImageBitmap *b = find_source(q, node, json_object_array_get_idx(list, i), error);

        if (!b)
            return NULL;
        if (b->bits * b->granularity / to->granularity > to->bits + b->granularity) {
            error_set(error, "Bitmaps are of different sizes (destination is '%s', source is '%s')",
                      to->name, b->name);
            return NULL;
        }
        g_ptr_array_add(from, b);
    }
    for (guint i = 0; i < from->len; i++) {
        const ImageBitmap *b = from->pdata[i];

        image_bitmap_merge(to, b->map, b->bits, b->granularity);
    }
    return to ? json_done() : NULL;
}

Json *qmp_describe_bitmaps(const Image *image)
{
    const GPtrArray *list = image_bitmaps(image);
    Json *all = json_object_new_array();

    for (guint i = 0; list && i < list->len; i++) {
        const ImageBitmap *b = list->pdata[i];
        Json *o = json_make("name:s recording:b persistent:b busy:b granularity:u count:u", b->name,
                            b->recording, b->persistent, b->busy, (uint64_t)b->granularity,
                            image_bitmap_count(b));

        if (b->inconsistent)
            json_object_object_add(o, "inconsistent", json_object_new_boolean(true));
        json_object_array_add(all, o);
    }
    return all;
}

const QmpCommand qmp_bitmap_commands[] = {
    { "block-dirty-bitmap-add",
      "node:str name:str granularity:int? persistent:bool? disabled:bool?", run_add },
    { "block-dirty-bitmap-remove", "node:str name:str", run_remove },
    { "block-dirty-bitmap-clear", "node:str name:str", run_clear },
    { "block-dirty-bitmap-enable", "node:str name:str", run_enable },
    { "block-dirty-bitmap-disable", "node:str name:str", run_disable },
    { "block-dirty-bitmap-merge", "node:str target:str bitmaps:[any]", run_merge },
    { NULL },
};
