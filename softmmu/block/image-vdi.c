/* SPDX-License-Identifier: MIT */
/*
 * VirtualBox's disks, of version 1.1, dynamic and static ones: a map says which block of the file
 * has a block of the disk. They are only read. Missing: those that stand on another (diff, undo).
 */
#include <errno.h>
#include <string.h>

#include "softmmu/block/image-internal.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"

#define HEAD       512
#define SIGNATURE  0xbeda107fu
#define VERSION    0x00010001u
#define NOTHING    0xfffffffeu /* this and above: no block of the file */
#define MAX_BLOCKS (1u << 24)
#define MAX_BLOCK  (64u << 20) /* bytes */

enum { DYNAMIC = 1, STATIC = 2 };

typedef struct Vdi {
    uint32_t block, extra; /* bytes of the disk; of the file before each */
    uint32_t blocks;
    uint64_t data; /* where the first one is */
    uint32_t *map;
} Vdi;

static bool probe(const uint8_t *head, size_t len)
{
    return len >= 0x44 && get_le(head + 0x40, 4) == SIGNATURE;
}

static bool refuse(const Image *image, GError **error, const char *why)
{
    error_set(error, "'%s' is not a vdi image that can be used: %s", image->path, why);
    return false;
}

static bool read_head(Image *image, Vdi *v, uint64_t *map, GError **error)
{
    uint8_t head[HEAD];
    uint32_t type;

    if (image_file_read(image->fd, 0, head, sizeof(head)) || !probe(head, sizeof(head))) {
        error_set(error, "'%s': Image is not in vdi format", image->path);
        return false;
    }
    type = get_le(head + 0x4c, 4);
    *map = get_le(head + 0x154, 4);
    v->data = get_le(head + 0x158, 4);
    image->size = get_le(head + 0x170, 8);
    v->block = get_le(head + 0x178, 4);
    v->extra = get_le(head + 0x17c, 4);
    v->blocks = get_le(head + 0x180, 4);
    if (get_le(head + 0x44, 4) != VERSION)
        return refuse(image, error, "its version is not 1.1");
    if (type != DYNAMIC && type != STATIC)
        return refuse(image, error, "it stands on another image");
    if (get_le(head + 0x168, 4) != 512 || image->size % 512 || image->size > INT64_MAX / 2)
        return refuse(image, error, "its size is not one of a disk");
    if (v->block < 512 || v->block > MAX_BLOCK || (v->block & (v->block - 1)) || v->extra % 512 ||
        v->extra > MAX_BLOCK)
        return refuse(image, error, "its blocks are of a strange size");
    if (v->blocks > MAX_BLOCKS || (uint64_t)v->blocks * v->block < image->size)
        return refuse(image, error, "its map does not fit its size");
    if (*map > image->file_size || 4ull * v->blocks > image->file_size - *map)
        return refuse(image, error, "its map is not where it can be");
    return true;
}

static bool vdi_open(Image *image, GError **error)
{
    g_autofree Vdi *v = g_new0(Vdi, 1);
    g_autofree uint8_t *raw = NULL;
    uint64_t map;

    if (!image_is_only_read(image, error) || !read_head(image, v, &map, error))
        return false;
    raw = g_malloc(4ull * v->blocks + 1);
    if (image_file_read(image->fd, map, raw, 4ull * v->blocks))
        return refuse(image, error, "it cannot be read");
    v->map = g_new(uint32_t, v->blocks + 1ull);
    for (uint32_t i = 0; i < v->blocks; i++)
        v->map[i] = get_le(raw + 4ull * i, 4);
    image->own = g_steal_pointer(&v);
    return true;
}

static void vdi_close(Image *image)
{
    g_free(((Vdi *)image->own)->map);
    g_free(image->own);
}

/* Where the bytes at @offset are, or IMAGE_NOWHERE; *@len: at most so many of them. */
static uint64_t find(const Image *image, uint64_t offset, uint64_t *len)
{
    const Vdi *v = image->own;
    uint32_t at = v->map[offset / v->block];

    *len = MIN(*len, v->block - offset % v->block);
    return at >= NOTHING
               ? IMAGE_NOWHERE
               : v->data + v->extra + (uint64_t)at * (v->block + v->extra) + offset % v->block;
}

static int vdi_read(Image *image, uint64_t offset, void *buf, size_t len)
{
    uint8_t *p = buf;
    int error = 0;

    for (uint64_t n; len && !error; p += n, offset += n, len -= n) {
        uint64_t at;

        n = len;
        at = find(image, offset, &n);
        if (at == IMAGE_NOWHERE)
            memset(p, 0, n);
        else
            error = image_file_read(image->fd, at, p, n);
    }
    return error;
}

static int vdi_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer)
{
    *layer = find(image, offset, len) == IMAGE_NOWHERE ? IMAGE_ZERO : IMAGE_DATA;
    return 0;
}

static int vdi_place(Image *image, uint64_t offset, uint64_t *len, ImageExtent *e)
{
    e->at = find(image, offset, len);
    e->present = true;
    return 0;
}

static void vdi_facts(Image *image, ImageFacts *f)
{
    f->cluster = ((Vdi *)image->own)->block;
}

static bool vdi_take_up(Image *image, GError **error)
{
    return image_is_only_read(image, error);
}

const ImageFormat image_format_vdi = {
    .name = "vdi",
    .probe = probe,
    .open = vdi_open,
    .close = vdi_close,
    .read = vdi_read,
    .facts = vdi_facts,
    .layer = vdi_layer,
    .place = vdi_place,
    .take_up = vdi_take_up,
};
