/* SPDX-License-Identifier: MIT */
/*
 * A disk that is not there, "null-co://BYTES": reads give zeros, writes go nowhere. For measuring
 * what stands above it.
 */
#include <string.h>

#include "softmmu/block/image-internal.h"
#include "softmmu/error.h"

#define SECTOR   512
#define MAX_SIZE (UINT64_C(1) << 62)

static bool null_open(Image *image, GError **error)
{
    const char *text = image->path + strlen(IMAGE_NULL);

    if (!g_ascii_string_to_unsigned(text, 10, SECTOR, MAX_SIZE, &image->size, NULL) ||
        image->size % SECTOR) {
        error_set(error, "'%s': a size in bytes that is a multiple of %d is needed", image->path,
                  SECTOR);
        return false;
    }
    return true;
}

static int null_read(Image *image, uint64_t offset, void *buf, size_t len)
{
    memset(buf, 0, len);
    return 0;
}

static int null_write(Image *image, uint64_t offset, const void *buf, size_t len)
{
    return 0;
}

static int null_zero(Image *image, uint64_t offset, uint64_t len)
{
    return 0;
}

static int null_flush(Image *image)
{
    return 0;
}

static int null_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer)
{
    *layer = IMAGE_ZERO;
    return 0;
}

static int null_resize(Image *image, uint64_t size)
{
    image->size = size;
    return 0;
}

const ImageFormat image_format_null = {
    .name = "null-co",
    .open = null_open,
    .read = null_read,
    .write = null_write,
    .zero = null_zero,
    .flush = null_flush,
    .layer = null_layer,
    .resize = null_resize,
};
