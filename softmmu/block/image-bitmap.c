/* SPDX-License-Identifier: MIT */
#include "softmmu/block/image-bitmap.h"

#include <string.h>

#include "softmmu/block/image-internal.h"
#include "softmmu/error.h"

#define GRANULARITY 65536 /* bytes, unless clusters are smaller: then 4 KiB at least */
#define NAME_BYTES  1023
#define MOST_BYTES  (UINT64_C(1) << 28) /* of all maps of an image */

/* ---- Life ------------------------------------------------------------------------------------ */

void image_bitmap_free(ImageBitmap *b)
{
    g_free(b->name);
    g_free(b->map);
    g_free(b);
}

static uint64_t bits_for(uint64_t size, uint32_t granularity)
{
    return size / granularity + (size % granularity != 0);
}

static size_t map_bytes(uint64_t bits)
{
    return bits / 8 + 1;
}

static uint64_t all_bytes(const Image *image)
{
    uint64_t bytes = 0;

    for (guint i = 0; image->bitmaps && i < image->bitmaps->len; i++)
        bytes += map_bytes(((ImageBitmap *)image->bitmaps->pdata[i])->bits);
    return bytes;
}

static bool fits(const Image *image, uint64_t bits)
{
    return bits / 8 < MOST_BYTES && all_bytes(image) + map_bytes(bits) <= MOST_BYTES;
}

ImageBitmap *image_bitmap_new(Image *image, const char *name, uint32_t granularity)
{
    ImageBitmap *b = g_new0(ImageBitmap, 1);

    b->name = g_strdup(name);
    b->granularity = granularity;
    b->bits = bits_for(image->size, granularity);
    b->inconsistent = !fits(image, b->bits);
    if (!b->inconsistent)
        b->map = g_malloc0(map_bytes(b->bits));
    b->recording = !b->inconsistent;
    if (!image->bitmaps)
        image->bitmaps = g_ptr_array_new_with_free_func((GDestroyNotify)image_bitmap_free);
    g_ptr_array_add(image->bitmaps, b);
    return b;
}

const GPtrArray *image_bitmaps(const Image *image)
{
    return image->bitmaps;
}

ImageBitmap *image_find_bitmap(const Image *image, const char *name)
{
    for (guint i = 0; image->bitmaps && i < image->bitmaps->len; i++) {
        ImageBitmap *b = image->bitmaps->pdata[i];

        if (!strcmp(b->name, name))
            return b;
    }
    return NULL;
}

static uint32_t usual_granularity(Image *image)
{
    uint64_t cluster = image_facts(image).cluster;

    return cluster ? CLAMP(cluster, 4096, GRANULARITY) : GRANULARITY;
}

ImageBitmap *image_add_bitmap(Image *image, const char *name, uint32_t granularity, bool persistent,
                              GError **error)
{
    uint32_t g = granularity ? granularity : usual_granularity(image);
    ImageBitmap *b;

    if (!*name || strlen(name) > NAME_BYTES)
        error_set(error, *name ? "Bitmap name too long" : "Bitmap name cannot be empty");
    else if (g < 512 || (g & (g - 1)) || g > 1u << 31)
        error_set(error, "Granularity must be power of 2 and at least 512");
    else if (image_find_bitmap(image, name))
        error_set(error, "Bitmap already exists: %s", name);
    else if (!fits(image, bits_for(image->size, g)))
        error_set(error, "Bitmap '%s' would be too large: ask for a larger granularity", name);
    else if (persistent && (image->read_only || !image->format->keeps_bitmaps ||
                            !image->format->keeps_bitmaps(image)))
        error_set(error, "Bitmap '%s' cannot be persistent in '%s'", name, image->path);
    else if (persistent && image_touch_bitmaps(image))
        error_set(error, "'%s' cannot be written", image->path);
    else {
        b = image_bitmap_new(image, name, g);
        b->persistent = persistent;
        return b;
    }
    return NULL;
}

void image_remove_bitmap(Image *image, ImageBitmap *b)
{
    if (b->persistent)
        image_touch_bitmaps(image);
    g_ptr_array_remove(image->bitmaps, b);
}

int image_touch_bitmaps(Image *image)
{
    return image->format->touch_bitmaps && !image->read_only ? image->format->touch_bitmaps(image)
                                                             : 0;
}

/* ---- Bits ------------------------------------------------------------------------------------ */

void image_bitmap_mark(ImageBitmap *b, uint64_t offset, uint64_t len)
{
    uint64_t first = offset / b->granularity, end;

    if (!len || !b->map)
        return;
    end = MIN(b->bits, (offset + len - 1) / b->granularity + 1);
    for (; first < end && first % 8; first++)
        b->map[first / 8] |= 1 << first % 8;
    for (; first + 8 <= end; first += 8)
        b->map[first / 8] = 0xff;
    for (; first < end; first++)
        b->map[first / 8] |= 1 << first % 8;
}

void image_mark_bitmaps(Image *image, uint64_t offset, uint64_t len)
{
    for (guint i = 0; i < image->bitmaps->len; i++) {
        ImageBitmap *b = image->bitmaps->pdata[i];

        if (b->recording)
            image_bitmap_mark(b, offset, len);
    }
}

void image_resize_bitmaps(Image *image)
{
    for (guint i = 0; image->bitmaps && i < image->bitmaps->len; i++) {
        ImageBitmap *b = image->bitmaps->pdata[i];
        uint64_t bits = bits_for(image->size, b->granularity), old = b->bits;

        b->bits = bits;
        if (!b->map)
            continue;
        b->map = g_realloc(b->map, map_bytes(bits));
        if (map_bytes(bits) > map_bytes(old))
            memset(b->map + map_bytes(old), 0, map_bytes(bits) - map_bytes(old));
        for (uint64_t n = bits; n < map_bytes(bits) * 8 && n < old; n++)
            b->map[n / 8] &= ~(1 << n % 8);
    }
}

uint64_t image_bitmap_count(const ImageBitmap *b)
{
    uint64_t count = 0;

    for (size_t i = 0; b->map && i < map_bytes(b->bits); i++)
        count += __builtin_popcount(b->map[i]);
    return count * b->granularity;
}

void image_bitmap_clear(ImageBitmap *b)
{
    if (b->map)
        memset(b->map, 0, map_bytes(b->bits));
}

GBytes *image_bitmap_save(const ImageBitmap *b)
{
    return g_bytes_new(b->map, b->map ? map_bytes(b->bits) : 0);
}

void image_bitmap_restore(ImageBitmap *b, GBytes *saved)
{
    gsize len;
    const void *data = g_bytes_get_data(saved, &len);

    if (b->map)
        memcpy(b->map, data, MIN(len, map_bytes(b->bits)));
}

void image_bitmap_merge(ImageBitmap *b, const uint8_t *from, uint64_t bits, uint32_t granularity)
{
    for (uint64_t n = 0; n < bits; n++) {
        if (from[n / 8] >> n % 8 & 1)
            image_bitmap_mark(b, n * granularity, granularity);
    }
}
