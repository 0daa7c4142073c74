/* SPDX-License-Identifier: MIT */
/* What images and their backing files have of a disk, and what passes between them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/block/image-internal.h"
#include "softmmu/error.h"

#define SECTOR 512
#define PIECE  (1024 * 1024) /* bytes copied at a time */

static Image **backing_slot(const Image *image)
{
    return image->format->backing ? image->format->backing(image) : NULL;
}

Image *image_backing(const Image *image)
{
    Image **slot = backing_slot(image);

    return slot ? *slot : NULL;
}

bool image_has_snapshots(Image *image)
{
    int error;
    g_autoptr(GPtrArray) list = image_snapshots(image, &error);

    return !list || list->len;
}

/* ---- Whose bytes ----------------------------------------------------------------------------- */

int image_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer)
{
    g_assert(*len);
    if (offset >= image->size)
        return EINVAL;
    *len = MIN(*len, image->size - offset);
    *layer = IMAGE_DATA;
    return image->format->layer ? image->format->layer(image, offset, len, layer) : 0;
}

int image_layer_above(Image *top, const Image *base, uint64_t offset, uint64_t *len,
                      ImageLayer *layer)
{
    int error = image_layer(top, offset, len, layer);

    for (Image *i = image_backing(top); !error && *layer == IMAGE_BELOW && i && i != base;
         i = image_backing(i)) {
        if (offset < image_size(i))
            error = image_layer(i, offset, len, layer);
        else
            *layer = IMAGE_ZERO;
    }
    return error;
}

int image_extent(Image *image, uint64_t offset, uint64_t *len, ImageExtent *e)
{
    int error;

    *e = (ImageExtent){ .image = image, .at = IMAGE_NOWHERE };
    error = image_layer(image, offset, len, &e->layer);
    while (!error && e->layer == IMAGE_BELOW && image_backing(e->image)) {
        e->image = image_backing(e->image);
        e->depth++;
        if (offset < image_size(e->image))
            error = image_layer(e->image, offset, len, &e->layer);
        else
            e->layer = IMAGE_ZERO;
    }
    if (error || e->layer == IMAGE_BELOW || offset >= image_size(e->image))
        return error;
    return e->image->format->place ? e->image->format->place(e->image, offset, len, e) : 0;
}

/* ---- Size ------------------------------------------------------------------------------------ */

bool image_resize(Image *image, uint64_t size, GError **error)
{
    int failure;

    if (size % SECTOR) {
        error_set(error, "The new size must be a multiple of %d", SECTOR);
        return false;
    }
    if (image->read_only) {
        error_set(error, "Image is read-only");
        return false;
    }
    if (image_facts(image).version == 2 && image_has_snapshots(image)) { /* which know no sizes */
        error_set(error, "Can't resize a v2 image which has snapshots");
        return false;
    }
    failure = image->format->resize ? image->format->resize(image, size) : ENOTSUP;
    if (failure)
        error_set(error, "Failed to resize '%s': %s", image->path, g_strerror(failure));
    else
        image_resize_bitmaps(image);
    return !failure;
}

/* ---- Reading and writing --------------------------------------------------------------------- */

bool image_set_read_only(Image *image, bool read_only, GError **error)
{
    const ImageFormat *f = image->format;

    if (image->read_only == read_only)
        return true;
    if (read_only && f->let_go && f->let_go(image)) {
        error_set(error, "'%s' cannot be written", image->path);
        return false;
    }
    if (image->fd >= 0 && !image_file_reopen(image, read_only, error))
        return false;
    image->read_only = read_only;
    if (read_only || !f->take_up || f->take_up(image, error))
        return true;
    image->read_only = true;
    image_file_reopen(image, true, NULL);
    return false;
}

/* ---- Committing ------------------------------------------------------------------------------ */

static int commit_run(Image *top, Image *base, uint64_t offset, uint64_t len, ImageLayer layer,
                      uint8_t *buf)
{
    int error;

    if (layer == IMAGE_ZERO)
        return image_zero(base, offset, len);
    error = image_read(top, offset, buf, len);
    return error ? error : image_write(base, offset, buf, len);
}

static int commit_all(Image *top, Image *base)
{
    g_autofree uint8_t *buf = g_malloc(PIECE);
    int error = 0;

    for (uint64_t offset = 0, len; offset < top->size && !error; offset += len) {
        ImageLayer layer;

        len = PIECE;
        error = image_layer_above(top, base, offset, &len, &layer);
        if (!error && layer != IMAGE_BELOW)
            error = commit_run(top, base, offset, len, layer, buf);
    }
    return error ? error : image_flush(base);
}

/* The base has all, on the host's disk, before anything goes in @top. */
int image_commit(Image *top, Image *base, bool keep)
{
    int error = 0;

    base = base ? base : image_backing(top);
    keep |= base != image_backing(top);
    if (!base || (!keep && !top->format->empty))
        return ENOTSUP;
    if (!keep && (top->read_only || image_has_snapshots(top)))
        return top->read_only ? EROFS : EBUSY;
    if (!image_set_read_only(base, false, NULL))
        return EACCES;
    if (image_size(base) < top->size && !image_resize(base, top->size, NULL))
        error = ENOSPC;
    if (!error)
        error = commit_all(top, base);
    if (!error && !keep)
        error = top->format->empty(top);
    if (!error && !keep)
        error = image_flush(top);
    image_set_read_only(base, true, NULL);
    return error;
}

/* ---- Chains ---------------------------------------------------------------------------------- */

/* What is right above @base, behind @top. */
static Image *parent_of(Image *top, const Image *base)
{
    while (image_backing(top) != base)
        top = image_backing(top);
    return top;
}

/* Relative to the directory of @image if that has it, too. */
static char *name_for(const Image *image, const Image *base)
{
    g_autofree char *dir = g_path_get_dirname(image->path);
    g_autofree char *base_dir = g_path_get_dirname(base->path);

    return strcmp(dir, base_dir) ? g_canonicalize_filename(base->path, NULL)
                                 : g_path_get_basename(base->path);
}

Image *image_find_behind(Image *image, const char *name)
{
    for (Image *above = image, *i; (i = image_backing(above)); above = i) {
        const char *written = image_facts(above).backing_path;

        if (!strcmp(image_path(i), name) || !g_strcmp0(written, name))
            return i;
    }
    return NULL;
}

int image_name_backing(Image *image, const char *path, const char *format)
{
    if (image->read_only)
        return EROFS;
    return image->format->rename_backing ? image->format->rename_backing(image, path, format)
                                         : ENOTSUP;
}

int image_rebase(Image *image, Image *base, const char *name)
{
    g_autofree char *path = name || !base ? g_strdup(name) : name_for(image, base);
    Image **slot = backing_slot(image), *old = image_backing(image);
    int error;

    if (old == base && !name)
        return 0;
    if (!image->format->rename_backing)
        return ENOTSUP;
    error = image->format->rename_backing(image, path, base ? base->format->name : NULL);
    if (error || old == base)
        return error;
    if (base)
        *backing_slot(parent_of(old, base)) = NULL;
    image_close(old);
    *slot = base;
    return 0;
}

bool image_put_above(Image *top, Image *base, GError **error)
{
    Image **slot = backing_slot(top);

    if (!slot || *slot) {
        error_set(error, "'%s' has no backing file to be", top->path);
        return false;
    }
    if (image_flush(base) || !image_set_read_only(base, true, error)) {
        if (error && !*error)
            error_set(error, "'%s' cannot be written", base->path);
        return false;
    }
    *slot = base;
    return true;
}

void image_close_above(Image *top, Image *base)
{
    *backing_slot(parent_of(top, base)) = NULL;
    image_close(top);
}
