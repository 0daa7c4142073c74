/* SPDX-License-Identifier: MIT */
/*
 * What -snapshot asks for: blocks that are written live in a nameless file (in TMPDIR), a bit for
 * each tells that it is there; all others are the base's. Nothing of it survives.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/block/image-internal.h"
#include "softmmu/error.h"

#define BLOCK 4096

typedef struct Overlay {
    Image *base;
    uint8_t *present; /* a bit for each block of the image */
} Overlay;

static bool has_block(const Overlay *o, uint64_t block)
{
    return o->present[block / 8] >> block % 8 & 1;
}

static int overlay_read(Image *image, uint64_t offset, void *buf, size_t len)
{
    Overlay *o = image->own;
    uint8_t *p = buf;
    int error = 0;

    while (len && !error) {
        bool own = has_block(o, offset / BLOCK);
        size_t n = MIN(len, BLOCK - offset % BLOCK);

        while (n < len && has_block(o, (offset + n) / BLOCK) == own)
            n += MIN(len - n, BLOCK);
        error = own ? image_file_read(image->fd, offset, p, n) : image_read(o->base, offset, p, n);
        p += n;
        offset += n;
        len -= n;
    }
    return error;
}

/* A block that is to be written in part needs the rest of it. */
static int fill_block(Image *image, uint64_t block)
{
    Overlay *o = image->own;
    uint64_t offset = block * BLOCK;
    size_t len = MIN(BLOCK, image->size - offset);
    uint8_t data[BLOCK];
    int error;

    if (has_block(o, block))
        return 0;
    error = image_read(o->base, offset, data, len);
    if (!error)
        error = image_file_write(image->fd, offset, data, len);
    if (!error)
        o->present[block / 8] |= 1 << block % 8;
    return error;
}

static int overlay_write(Image *image, uint64_t offset, const void *buf, size_t len)
{
    Overlay *o = image->own;
    uint64_t end = offset + len, last = (end - 1) / BLOCK;
    int error = offset % BLOCK ? fill_block(image, offset / BLOCK) : 0;

    if (!error && end % BLOCK && end != image->size)
        error = fill_block(image, last);
    if (!error)
        error = image_file_write(image->fd, offset, buf, len);
    for (uint64_t block = offset / BLOCK; !error && block <= last; block++)
        o->present[block / 8] |= 1 << block % 8;
    return error;
}

static int overlay_flush(Image *image)
{
    return 0; /* nothing of it outlives the machine */
}

static void overlay_close(Image *image)
{
    Overlay *o = image->own;

    image_close(o->base);
    g_free(o->present);
    g_free(o);
}

static const ImageFormat overlay = {
    .name = "overlay",
    .close = overlay_close,
    .read = overlay_read,
    .write = overlay_write,
    .flush = overlay_flush,
};

Image *image_open_overlay(Image *base, GError **error)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "mimus-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    Overlay *o;
    Image *image;

    if (fd < 0) {
        error_set(error, "cannot make a temporary file for '%s' in %s: %s", base->path,
                  g_get_tmp_dir(), g_strerror(errno));
        image_close(base);
        return NULL;
    }
    unlink(path);
    o = g_new0(Overlay, 1);
    o->base = base;
    o->present = g_malloc0(base->size / BLOCK / 8 + 1);
    image = g_new0(Image, 1);
    *image = (Image){
        .format = &overlay, .path = g_strdup(base->path), .fd = fd, .size = base->size, .own = o
    };
    return image;
}
