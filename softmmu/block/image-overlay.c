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

/* It may have grown beyond its base: zeros are there. */
static int read_base(const Overlay *o, uint64_t offset, uint8_t *buf, size_t len)
{
    uint64_t size = image_size(o->base);
    size_t inside = offset < size ? MIN(len, size - offset) : 0;

    memset(buf + inside, 0, len - inside);
    return image_read(o->base, MIN(offset, size), buf, inside);
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
        error = own ? image_file_read(image->fd, offset, p, n) : read_base(o, offset, p, n);
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
    error = read_base(o, offset, data, len);
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

static int overlay_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer)
{
    const Overlay *o = image->own;
    bool own = has_block(o, offset / BLOCK);
    uint64_t n = BLOCK - offset % BLOCK;

    while (n < *len && has_block(o, (offset + n) / BLOCK) == own)
        n += BLOCK;
    *len = MIN(*len, n);
    *layer = own ? IMAGE_DATA : IMAGE_BELOW;
    return 0;
}

static Image **overlay_backing(const Image *image)
{
    return &((Overlay *)image->own)->base;
}

static size_t bitmap_bytes(uint64_t size)
{
    return size / BLOCK / 8 + 1;
}

/* The old end was in the midst of a block, or of what the base has: what follows it is made zero.
 */
static int overlay_resize(Image *image, uint64_t size)
{
    Overlay *o = image->own;
    uint64_t old = image->size, end = MIN(size, MAX(image_size(o->base), old + BLOCK));
    g_autofree uint8_t *zeros = g_malloc0(BLOCK);
    int error = 0;

    if (bitmap_bytes(size) > bitmap_bytes(old)) {
        o->present = g_realloc(o->present, bitmap_bytes(size));
        memset(o->present + bitmap_bytes(old), 0, bitmap_bytes(size) - bitmap_bytes(old));
    }
    for (uint64_t block = (size + BLOCK - 1) / BLOCK; block * BLOCK < old; block++)
        o->present[block / 8] &= ~(1 << block % 8);
    image->size = MAX(size, old);
    for (uint64_t at = old, n; at < end && !error; at += n) {
        n = MIN(BLOCK - at % BLOCK, end - at);
        error = overlay_write(image, at, zeros, n);
    }
    image->size = error ? old : size;
    return error;
}

static int overlay_empty(Image *image)
{
    Overlay *o = image->own;

    memset(o->present, 0, bitmap_bytes(image->size));
    image_file_punch(image->fd, 0, image->size); /* if the host can */
    return 0;
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
    .layer = overlay_layer,
    .backing = overlay_backing,
    .resize = overlay_resize,
    .empty = overlay_empty,
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
    o->present = g_malloc0(bitmap_bytes(base->size));
    image = g_new0(Image, 1);
    *image = (Image){
        .format = &overlay, .path = g_strdup(base->path), .fd = fd, .size = base->size, .own = o
    };
    return image;
}
