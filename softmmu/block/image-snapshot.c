/* SPDX-License-Identifier: MIT */
/* Snapshots inside images, whatever the format; how lists of them look. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "softmmu/block/image-internal.h"

static const SnapshotOps *ops_of(const Image *image)
{
    return image->format->snapshots;
}

bool image_can_snapshot(const Image *image)
{
    bool elsewhere = image->format->data_fd && image->format->data_fd(image) != image->fd;

    return ops_of(image) && !image->read_only && !elsewhere;
}

static void snapshot_free(void *p)
{
    ImageSnapshot *s = p;

    g_free(s->id);
    g_free(s->name);
    g_free(s);
}

GPtrArray *image_snapshots(Image *image, int *error)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(snapshot_free);

    *error = ops_of(image) ? ops_of(image)->list(image, list) : 0;
    if (!*error)
        return list;
    g_ptr_array_unref(list);
    return NULL;
}

const ImageSnapshot *image_find_snapshot(const GPtrArray *snapshots, const char *name)
{
    const ImageSnapshot *found = NULL;

    for (guint i = 0; i < snapshots->len; i++) {
        const ImageSnapshot *s = snapshots->pdata[i];

        if (!strcmp(s->id, name))
            return s;
        if (!found && !strcmp(s->name, name))
            found = s;
    }
    return found;
}

int image_snapshot_create(Image *image, const ImageSnapshot *what, ImageState *state)
{
    int error = image_can_snapshot(image) ? ops_of(image)->create(image, what, state) : ENOTSUP;

    image_state_free(state);
    return error;
}

int image_snapshot_apply(Image *image, const ImageSnapshot *s)
{
    uint64_t size;
    int error;

    if (!image_can_snapshot(image))
        return ENOTSUP;
    if (image->bitmaps) /* who knows what is another */
        image_mark_bitmaps(image, 0, image->size);
    size = image->size;
    error = ops_of(image)->apply(image, s->id);
    if (image->size != size)
        image_resize_bitmaps(image);
    return error;
}

int image_snapshot_delete(Image *image, const ImageSnapshot *s)
{
    return image_can_snapshot(image) ? ops_of(image)->remove(image, s->id) : ENOTSUP;
}

int image_snapshot_view(Image *image, const ImageSnapshot *s)
{
    return ops_of(image) && image->read_only ? ops_of(image)->view(image, s->id) : ENOTSUP;
}

ImageState *image_state_new(Image *image)
{
    g_assert(image_can_snapshot(image));
    return ops_of(image)->state_new(image);
}

int image_state_write(ImageState *state, const void *data, size_t len)
{
    return ops_of(state->image)->state_write(state, data, len);
}

int image_state_open(Image *image, const ImageSnapshot *s, ImageState **state)
{
    return ops_of(image) ? ops_of(image)->state_open(image, s->id, state) : ENOTSUP;
}

int image_state_read(ImageState *state, uint64_t offset, void *data, size_t len)
{
    return ops_of(state->image)->state_read(state, offset, data, len);
}

void image_state_free(ImageState *state)
{
    if (state)
        ops_of(state->image)->state_free(state);
}

/* ---- Lists ----------------------------------------------------------------------------------- */

/* "805 KiB", "1.09 MiB": three digits. */
static char *print_bytes(uint64_t bytes)
{
    static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    double value = bytes;
    unsigned unit = 0;

    for (; value >= 1000 && unit + 1 < G_N_ELEMENTS(units); unit++)
        value /= 1024;
    return g_strdup_printf("%0.3g %sB", value, units[unit]);
}

void image_snapshot_print(const ImageSnapshot *s, const char *id, GString *out)
{
    g_autofree char *size = s ? print_bytes(s->vm_size) : g_strdup("VM SIZE");
    char date[32] = "DATE", clock[32] = "VM CLOCK", icount[24] = "ICOUNT";

    if (s) {
        uint64_t seconds = s->vm_clock_ns / 1000000000;
        time_t at = s->date_s;
        struct tm tm;

        localtime_r(&at, &tm);
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
        snprintf(clock, sizeof(clock), "%02u:%02u:%02u.%03u", (unsigned)(seconds / 3600),
                 (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60),
                 (unsigned)(s->vm_clock_ns / 1000000 % 1000));
        *icount = 0;
        if (s->icount != UINT64_MAX)
            snprintf(icount, sizeof(icount), "%" PRIu64, s->icount);
    }
    g_string_append_printf(out, "%-10s%-17s%8s%20s%13s%11s\n",
                           id  ? id
                           : s ? s->id
                               : "ID",
                           s ? s->name : "TAG", size, date, clock, icount);
}
