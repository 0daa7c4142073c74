/* SPDX-License-Identifier: MIT */
/* Snapshots inside an image, of the disk alone: blockdev-snapshot-internal-sync and its delete. */
#include <string.h>

#include "softmmu/program/image-text.h"
#include "softmmu/program/qmp/jobs.h"

/* The image in drive @name; NULL with @error. */
static Image *find_image(Qmp *q, const char *name, GError **error)
{
    Drive *d = qmp_find_disk(q, name, error);
    Image *image = d ? drive_settled_image(d) : NULL;

    if (d && !image)
        error_set(error, "Device '%s' has no medium", drive_id(d));
    return image && qmp_may_change_disks(q, error) ? image : NULL;
}

static bool check_new(Image *image, const char *device, const char *name, GError **error)
{
    int failure;
    g_autoptr(GPtrArray) list = image_snapshots(image, &failure);
    const ImageSnapshot *s = list ? image_find_snapshot(list, name) : NULL;

    if (!*name)
        error_set(error, "Name is empty");
    else if (image_is_read_only(image))
        error_set(error, "Device '%s' is read only", device);
    else if (!image_can_snapshot(image))
        error_set(error,
                  "Block format '%s' used by device '%s' does not support internal snapshots",
                  image_format(image), device);
    else if (s)
        error_set(error, "Snapshot with name '%s' already exists on device '%s'", name, device);
    else
        return true;
    return false;
}

static Json *run_create(Qmp *q, Json *args, GError **error)
{
    const char *device = json_text(args, "device", ""), *name = json_text(args, "name", "");
    Image *image = find_image(q, device, error);
    int64_t now = g_get_real_time();
    ImageSnapshot what = { .name = (char *)name,
                           .date_s = now / G_USEC_PER_SEC,
                           .date_ns = now % G_USEC_PER_SEC * 1000,
                           .vm_clock_ns = clock_now_ns(q->w.m->clock),
                           .icount = UINT64_MAX };
    int failure;

    if (!image || !check_new(image, device, name, error))
        return NULL;
    failure = image_snapshot_create(image, &what, NULL);
    if (!failure)
        return json_done();
    error_set(error, "Failed to create snapshot '%s' on device '%s': %s", name, device,
              g_strerror(failure));
    return NULL;
}

/* That with @id and @name, of which one may be NULL. */
static const ImageSnapshot *find(const GPtrArray *list, const char *id, const char *name)
{
    for (guint i = 0; i < list->len; i++) {
        const ImageSnapshot *s = list->pdata[i];

        if ((!id || !strcmp(s->id, id)) && (!name || !strcmp(s->name, name)))
            return s;
    }
    return NULL;
}

static Json *run_delete(Qmp *q, Json *args, GError **error)
{
    const char *device = json_text(args, "device", ""), *name = json_text(args, "name", NULL);
    const char *id = json_text(args, "id", NULL);
    Image *image = find_image(q, device, error);
    g_autoptr(GPtrArray) list = NULL;
    const ImageSnapshot *s;
    Json *answer = NULL;
    int failure;

    if (!image)
        return NULL;
    if (!id && !name) {
        error_set(error, "Name or id must be provided");
        return NULL;
    }
    list = image_snapshots(image, &failure);
    if (!image_can_snapshot(image))
        failure = ENOTSUP;
    s = list && !failure ? find(list, id, name) : NULL;
    if (failure)
        error_set(error, "Failed to get a snapshot list: %s", g_strerror(failure));
    else if (!s)
        error_set(error, "Snapshot with id '%s' and name '%s' does not exist on device '%s'",
                  id ? id : "null", name ? name : "null", device);
    else if ((failure = image_snapshot_delete(image, s)))
        error_set(error, "Failed to delete snapshot '%s' on device '%s': %s", s->name, device,
                  g_strerror(failure));
    else
        answer = image_describe_snapshot(s);
    return answer;
}

const QmpCommand qmp_internal_snapshot_commands[] = {
    { "blockdev-snapshot-internal-sync", "device:str name:str", run_create },
    { "blockdev-snapshot-delete-internal-sync", "device:str id:str? name:str?", run_delete },
    { NULL },
};
