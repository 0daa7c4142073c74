/* SPDX-License-Identifier: MIT */
/* What becomes of a drive's medium by the user's wish: another, none, one of another size. */
#include <errno.h>
#include <string.h>

#include "softmmu/block/drive-internal.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"

#define MEDIUM_HEAD 9 /* u64 size, u8 read-only; the path follows */

/* Its medium from now on is @image, which is taken over, or nothing. The thread is idle then. */
static void set_medium(Drive *d, Image *image, uint64_t size, bool read_only, const char *path)
{
    drive_cancel(d);
    g_clear_pointer(&d->w.image, image_close);
    d->w.image = image;
    d->size = size & ~(uint64_t)(DRIVE_SECTOR - 1);
    d->read_only = read_only;
    g_free(d->path);
    d->path = d->size ? g_strdup(path) : NULL;
}

/* The machine has another medium from now on: size, whether it is read-only, path. Nothing: the
 * user only asked for it. */
void drive_hear_medium(void *opaque, const void *data, size_t len)
{
    Drive *d = opaque;
    const uint8_t *facts = data;
    g_autofree char *path = NULL;

    if (!len && d->door && d->door->asked)
        d->door->asked(d->opaque);
    if (len < MEDIUM_HEAD)
        return;
    path = g_strndup((const char *)facts + MEDIUM_HEAD, len - MEDIUM_HEAD);
    set_medium(d, g_steal_pointer(&d->incoming), get_le(facts, 8), facts[8], path);
    if (d->door)
        d->door->changed(d->opaque);
}

void drive_empty(Drive *d)
{
    g_assert(!d->done);
    set_medium(d, NULL, 0, false, NULL);
}

void drive_add_medium_channel(Drive *d)
{
    g_autofree char *name = g_strconcat("medium of ", d->dev.id, NULL);

    if (d->medium_channel < 0)
        d->medium_channel = input_add_channel(d->w.input, name, false, drive_hear_medium, d);
}

void drive_refill(Drive *d, const DriveWiring *w)
{
    g_assert(!d->done);
    set_medium(d, NULL, 0, false, NULL);
    d->w = *w;
    g_clear_pointer(&d->node, g_free);
    d->size = w->size;
    d->read_only = w->read_only;
    d->path = g_strdup(w->path);
    if (w->removable)
        drive_add_medium_channel(d);
}

bool drive_is_vacant(const Drive *d)
{
    return !d->done && !d->size && !d->w.removable;
}

static bool open_door(Drive *d, bool force, GError **error)
{
    if (!drive_is_free(d, error))
        return false;
    if (!d->w.removable) {
        error_set(error, "Device '%s' is not removable", d->dev.id);
        return false;
    }
    if (!drive_is_locked(d) || force)
        return true;
    input_act(d->w.input, d->medium_channel, "", 0, 0);
    error_set(error,
              "Device '%s' is locked and force was not specified, wait for tray to open and try "
              "again",
              d->dev.id);
    return false;
}

/* @image, which may be NULL, is taken over. */
static bool change_medium(Drive *d, Image *image, GError **error)
{
    g_autoptr(GByteArray) facts = g_byte_array_new();
    const char *path = image ? image_path(image) : "";

    g_byte_array_set_size(facts, MEDIUM_HEAD);
    put_le(facts->data, 8, image ? image_size(image) : 0);
    facts->data[8] = image && image_is_read_only(image);
    g_byte_array_append(facts, (const uint8_t *)path, strlen(path));
    d->incoming = image;
    if (input_act(d->w.input, d->medium_channel, facts->data, facts->len, 0))
        return true;
    g_clear_pointer(&d->incoming, image_close);
    error_set(error, "not while a recording is replayed");
    return false;
}

bool drive_insert(Drive *d, const ImageOpen *how, bool force, GError **error)
{
    Image *image;

    if (!open_door(d, force, error))
        return false;
    if (d->w.for_reading && !how->read_only) {
        error_set(error, "Device '%s' is for reading only", d->dev.id);
        return false;
    }
    image = image_open(how, error);
    if (image && !image_size(image)) {
        error_set(error, "'%s' is empty", how->path);
        g_clear_pointer(&image, image_close);
    }
    return image && change_medium(d, image, error);
}

bool drive_eject(Drive *d, bool force, GError **error)
{
    return open_door(d, force, error) && change_medium(d, NULL, error);
}

void drive_set_door(Drive *d, const DriveDoor *door)
{
    d->door = door;
}

bool drive_is_removable(const Drive *d)
{
    return d->w.removable;
}

bool drive_is_for_reading(const Drive *d)
{
    return d->w.for_reading;
}

bool drive_has_medium(const Drive *d)
{
    return d->size;
}

bool drive_is_locked(const Drive *d)
{
    return d->door && d->door->locked && d->door->locked(d->opaque);
}

const char *drive_path(const Drive *d)
{
    return d->path;
}

/* ---- The same medium, changed ---------------------------------------------------------------- */

bool drive_resize(Drive *d, uint64_t size, GError **error)
{
    Image *image = drive_settled_image(d);

    if (!image || d->w.removable) {
        error_set(error,
                  image ? "Device '%s' is removable: its medium is as large as it is"
                        : "Device '%s' has no medium",
                  drive_id(d));
        return false;
    }
    if (!drive_is_free(d, error) || !image_resize(image, size, error))
        return false;
    d->size = size;
    if (d->door && d->door->resized)
        d->door->resized(d->opaque);
    return true;
}

int drive_commit(Drive *d)
{
    Image *image = drive_settled_image(d);

    return !image ? ENOMEDIUM : d->job ? EBUSY : image_commit(image, NULL, false);
}

/* NULL with @error. */
static Image *open_above(const Image *below, const char *path, const char *format, bool exists,
                         GError **error)
{
    g_autofree char *name = g_canonicalize_filename(image_path(below), NULL);
    Image *image;

    if (!exists && !image_create(&(ImageCreate){ .path = path,
                                                 .format = format,
                                                 .size = image_size(below),
                                                 .backing = name,
                                                 .backing_format = image_format(below) },
                                 error))
        return NULL;
    image = image_open(&(ImageOpen){ .path = path, .format = format, .alone = true }, error);
    if (!image || image_size(image) == image_size(below))
        return image;
    error_set(error, "'%s' is not as large as what it is to be above of", path);
    image_close(image);
    return NULL;
}

bool drive_put_above(Drive *d, const char *path, const char *format, bool exists, const char *node,
                     GError **error)
{
    Image *below = drive_settled_image(d), *image;

    if (!drive_is_free(d, error))
        return false;
    if (image_is_read_only(below) || !strcmp(image_format(below), "overlay")) {
        error_set(error, "what '%s' has now does not stay: nothing can be above it", drive_id(d));
        return false;
    }
    image = open_above(below, path, format, exists, error);
    if (!image || !image_put_above(image, below, error)) {
        image_close(image);
        return false;
    }
    drive_use_image(d, image, node);
    return true;
}

void drive_take_off(Drive *d)
{
    Image *top = drive_settled_image(d), *below = image_backing(top);

    image_close_above(top, below);
    image_set_read_only(below, false, NULL); /* as it was, a moment ago */
    drive_use_image(d, below, NULL);
    g_clear_pointer(&d->node, g_free);
}
