/* SPDX-License-Identifier: MIT */
/*
 * Opening qcow2 images. Missing: encryption, features of versions to come: images that have them
 * are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"

#define MAX_COUNTS (8u << 20) / 8
#define MAX_CHAIN  64 /* backing files behind one another */
#define KNOWN      (QCOW2_DIRTY | QCOW2_CORRUPT | QCOW2_DATA_FILE | QCOW2_ZSTD | QCOW2_EXTENDED)
#define MIN_BITS   14 /* of clusters with parts */

/* ---- The header ------------------------------------------------------------------------------ */

static bool probe(const uint8_t *head, size_t len)
{
    return len >= 8 && get_be(head, 4) == QCOW2_MAGIC && get_be(head + 4, 4) >= 2;
}

static bool refuse(const Image *image, GError **error, const char *why)
{
    error_set(error, "'%s' is not a qcow2 image that can be used: %s", image->path, why);
    return false;
}

static bool check_features(Image *image, const uint8_t *head, GError **error)
{
    Qcow2 *q = image->own;

    q->features = q->version >= 3 ? get_be(head + 72, 8) : 0;
    q->autoclear = q->version >= 3 ? get_be(head + 88, 8) : 0;
    q->lazy = q->version >= 3 && (get_be(head + 80, 8) & 1);
    q->extended = q->features & QCOW2_EXTENDED;
    q->entry_bytes = q->extended ? 16 : 8;
    if (q->extended && q->cluster_bits < MIN_BITS)
        return refuse(image, error, "its clusters are too small to have parts");
    if (q->features & ~(uint64_t)KNOWN)
        return refuse(image, error, "it has features that this version does not know");
    if ((q->features & QCOW2_ZSTD) && head[104] != 1)
        return refuse(image, error, "its clusters are compressed in a way that is not known");
    if ((q->features & QCOW2_CORRUPT) && !image->read_only && !image->repair)
        return refuse(image, error, "it is marked as corrupt; open it read-only");
    if (get_be(head + 32, 4))
        return refuse(image, error, "it is encrypted");
    q->count_order = q->version >= 3 ? get_be(head + 96, 4) : 4;
    if (q->count_order > 6)
        return refuse(image, error, "its reference counts are of more than 64 bits");
    return true;
}

static bool read_table(Image *image, uint64_t offset, uint64_t entries, uint64_t limit,
                       uint64_t **table, GError **error)
{
    Qcow2 *q = image->own;
    g_autofree uint8_t *raw = NULL;

    if (!entries || entries > limit || offset % q->cluster || !offset ||
        offset > image->file_size || entries * 8 > image->file_size - offset)
        return refuse(image, error, "a table is not where it can be");
    raw = g_malloc(entries * 8);
    if (image_file_read(q->fd, offset, raw, entries * 8))
        return refuse(image, error, "it cannot be read");
    *table = g_new(uint64_t, entries);
    for (uint64_t i = 0; i < entries; i++)
        (*table)[i] = get_be(raw + 8 * i, 8);
    return true;
}

static bool read_geometry(Image *image, const uint8_t *head, GError **error)
{
    Qcow2 *q = image->own;
    uint64_t per_l1;

    q->version = get_be(head + 4, 4);
    q->cluster_bits = get_be(head + 20, 4);
    if (q->version > 3)
        return refuse(image, error, "its version is later than 3");
    if (q->cluster_bits < 9 || q->cluster_bits > 21)
        return refuse(image, error, "its clusters are not of 512 bytes to 2 MiB");
    q->cluster = UINT64_C(1) << q->cluster_bits;
    image->size = get_be(head + 24, 8);
    if (image->size % 512 || image->size > INT64_MAX / 2)
        return refuse(image, error, "its size is not one of a disk");
    q->l1_size = get_be(head + 36, 4);
    q->l1_offset = get_be(head + 40, 8);
    q->counts_offset = get_be(head + 48, 8);
    q->snapshots = get_be(head + 60, 4);
    q->snapshots_offset = get_be(head + 64, 8);
    if (!check_features(image, head, error))
        return false;
    per_l1 = qcow2_per_l1(q);
    if (q->l1_size < image->size / per_l1 + (image->size % per_l1 != 0))
        return refuse(image, error, "its first table is too small");
    if (q->l1_size && !read_table(image, q->l1_offset, q->l1_size, QCOW2_MAX_L1, &q->l1, error))
        return false;
    q->counts_size = MIN(get_be(head + 56, 4), MAX_COUNTS) * (q->cluster / 8);
    return read_table(image, q->counts_offset, q->counts_size, MAX_COUNTS, &q->counts, error);
}

/* ---- Backing files --------------------------------------------------------------------------- */

static bool read_name(Image *image, uint64_t offset, uint64_t len, char **name, GError **error)
{
    Qcow2 *q = image->own;

    if (len > QCOW2_NAME_MAX || offset > q->cluster || len > q->cluster - offset)
        return refuse(image, error, "a name in its header is too long");
    *name = g_malloc0(len + 1);
    if (image_file_read(q->fd, offset, *name, len) || strlen(*name) != len)
        return refuse(image, error, "a name in its header is none");
    return true;
}

static bool read_bitmaps(Qcow2 *q, uint64_t at, uint64_t len)
{
    uint8_t data[24];

    if (len < sizeof(data) || image_file_read(q->fd, at, data, sizeof(data)))
        return false;
    q->bitmaps = get_be(data, 4);
    q->bitmaps_bytes = get_be(data + 8, 8);
    q->bitmaps_offset = get_be(data + 16, 8);
    return true;
}

/* The format of the backing file is in an extension of the header, and where bitmaps are. */
static bool read_extensions(Image *image, const uint8_t *head, GError **error)
{
    Qcow2 *q = image->own;
    uint64_t at = q->version >= 3 ? get_be(head + 100, 4) : QCOW2_HEAD_V2,
             name = get_be(head + 8, 8);
    uint64_t end = name ? MIN(name, q->cluster) : q->cluster;
    uint8_t ext[8];

    while (at + 8 <= end && !image_file_read(q->fd, at, ext, 8)) {
        uint64_t type = get_be(ext, 4), len = get_be(ext + 4, 4);

        if (!type)
            break;
        if (len > end - at - 8)
            return refuse(image, error, "an extension of its header does not fit");
        if (type == QCOW2_EXT_FORMAT && !q->backing_format &&
            !read_name(image, at + 8, len, &q->backing_format, error))
            return false;
        if (type == QCOW2_EXT_DATA && !q->data_path &&
            !read_name(image, at + 8, len, &q->data_path, error))
            return false;
        if (type == QCOW2_EXT_BITMAPS && q->version >= 3 && !read_bitmaps(q, at + 8, len))
            return refuse(image, error, "its bitmaps are not where they can be");
        at += 8 + ((len + 7) & ~UINT64_C(7));
    }
    return true;
}

char *qcow2_beside(const char *image, const char *path)
{
    g_autofree char *dir = g_path_get_dirname(image);

    return g_path_is_absolute(path) || !strchr(image, '/') ? g_strdup(path)
                                                           : g_build_filename(dir, path, NULL);
}

/* Of the mode that the image has. */
static bool open_data(Image *image, GError **error)
{
    Qcow2 *q = image->own;
    g_autofree char *path = q->data_path ? qcow2_beside(image->path, q->data_path) : NULL;

    if (!(q->features & QCOW2_DATA_FILE))
        return true;
    if (!path)
        return refuse(image, error, "the name of its data file is missing");
    q->data_image = image_open(&(ImageOpen){ .path = path,
                                             .format = "raw",
                                             .read_only = image->read_only,
                                             .unlocked = image->unlocked },
                               error);
    if (!q->data_image)
        g_prefix_error(error, "data file of '%s': ", image->path);
    else
        q->data = q->data_image->fd;
    return q->data_image != NULL;
}

static void replace(char **text, const char *with)
{
    g_free(*text);
    *text = g_strdup(with);
}

static bool open_backing(Image *image, const uint8_t *head, GError **error)
{
    Qcow2 *q = image->own;
    uint64_t offset = get_be(head + 8, 8), len = get_be(head + 16, 4);
    g_autofree char *path = NULL;
    ImageOpen how;

    if (!read_extensions(image, head, error) || !open_data(image, error))
        return false;
    if (offset && len && !read_name(image, offset, len, &q->backing_path, error))
        return false;
    if (image->backing) {
        replace(&q->backing_path, image->backing->path);
        replace(&q->backing_format, image->backing->format);
    }
    if (image->alone || !q->backing_path)
        return true;
    if (image->depth >= MAX_CHAIN)
        return refuse(image, error, "its backing files have no end");
    path = image->backing ? NULL : qcow2_beside(image->path, q->backing_path);
    how =
        image->backing ? *image->backing : (ImageOpen){ .path = path, .format = q->backing_format };
    how.read_only = true;
    how.unlocked = image->unlocked;
    how.depth = image->depth + 1;
    q->backing = image_open(&how, error);
    if (!q->backing)
        g_prefix_error(error, "backing file of '%s': ", image->path);
    return q->backing != NULL;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void qcow2_free(Qcow2 *q)
{
    for (unsigned i = 0; i < QCOW2_TABLES; i++)
        g_free(q->tables[i].data);
    image_close(q->backing);
    image_close(q->data_image);
    g_free(q->data_path);
    g_free(q->backing_path);
    g_free(q->backing_format);
    g_free(q->l1);
    g_free(q->counts);
    g_free(q);
}

bool qcow2_recover(Image *image, GError **error)
{
    Qcow2 *q = image->own;
    Qcow2Report report = { 0 };
    int failure;

    if (!(q->features & QCOW2_DIRTY) || image->read_only || image->repair)
        return true;
    failure = qcow2_check(image, QCOW2_REPAIR_ALL, &report);
    if (!failure && !report.errors)
        failure = qcow2_set_dirty(q, false);
    if (!failure && !report.errors)
        return true;
    return refuse(image, error, "it was not closed, and cannot be repaired");
}

static bool qcow2_open(Image *image, GError **error)
{
    Qcow2 *q = g_new0(Qcow2, 1);
    uint8_t head[QCOW2_HEAD_TYPE];

    image->own = q;
    q->fd = q->data = image->fd;
    if (image_file_read(q->fd, 0, head, sizeof(head)) || !probe(head, sizeof(head)))
        error_set(error, "'%s': Image is not in qcow2 format", image->path);
    else if (read_geometry(image, head, error) && open_backing(image, head, error)) {
        q->file_end = (image->file_size + q->cluster - 1) & -q->cluster;
        if (qcow2_load_bitmaps(image))
            refuse(image, error, "its bitmaps cannot be read");
        else if (qcow2_recover(image, error))
            return true;
    }
    qcow2_free(q);
    return false;
}

static int qcow2_flush(Image *image)
{
    const Qcow2 *q = image->own;

    if (q->data_image && fdatasync(q->data))
        return errno;
    return fdatasync(q->fd) ? errno : 0;
}

static void qcow2_close(Image *image)
{
    Qcow2 *q = image->own;

    if (!image->read_only && !qcow2_flush(image) && !qcow2_store_bitmaps(image) &&
        !fdatasync(q->fd))
        qcow2_set_dirty(q, false);
    qcow2_free(q);
}

/* ---- Hooks ----------------------------------------------------------------------------------- */

static void tell_facts(Image *image, ImageFacts *f)
{
    const Qcow2 *q = image->own;

    f->cluster = q->cluster;
    f->version = q->version;
    f->compression = q->features & QCOW2_ZSTD ? "zstd" : "zlib";
    f->lazy = q->lazy;
    f->count_bits = 1u << q->count_order;
    f->dirty = q->features & QCOW2_DIRTY;
    f->corrupt = q->features & QCOW2_CORRUPT;
    f->backing_path = q->backing_path;
    f->backing_format = q->backing_format;
    f->backing = q->backing;
    f->extended = q->extended;
    f->data_file = q->data_image ? q->data_path : NULL;
    f->data_raw = qcow2_is_data_raw(q);
}

static Image **qcow2_backing(const Image *image)
{
    return &((Qcow2 *)image->own)->backing;
}

static bool qcow2_take_up(Image *image, GError **error)
{
    Qcow2 *q = image->own;

    if (q->features & QCOW2_CORRUPT)
        return refuse(image, error, "it is marked as corrupt; open it read-only");
    if (q->data_image && !image_set_read_only(q->data_image, false, error))
        return false;
    return qcow2_recover(image, error);
}

static int qcow2_let_go(Image *image)
{
    Qcow2 *q = image->own;
    int error = qcow2_store_bitmaps(image);

    if (!error)
        error = qcow2_flush(image);
    if (!error)
        error = qcow2_set_dirty(q, false);
    if (!error && q->data_image && !image_set_read_only(q->data_image, true, NULL))
        error = EIO;
    return error;
}

static bool qcow2_keeps_bitmaps(const Image *image)
{
    return ((Qcow2 *)image->own)->version >= 3;
}

static int qcow2_touch_bitmaps(Image *image)
{
    return qcow2_set_dirty(image->own, true);
}

static int qcow2_data_fd(const Image *image)
{
    return ((Qcow2 *)image->own)->data;
}

const ImageFormat image_format_qcow2 = {
    .name = "qcow2",
    .probe = probe,
    .open = qcow2_open,
    .close = qcow2_close,
    .read = qcow2_read,
    .read_cached = qcow2_read_cached,
    .write = qcow2_write,
    .write_compressed = qcow2_write_compressed,
    .zero = qcow2_zero,
    .discard = qcow2_discard,
    .facts = tell_facts,
    .flush = qcow2_flush,
    .snapshots = &qcow2_snapshots,
    .layer = qcow2_layer,
    .backing = qcow2_backing,
    .resize = qcow2_resize,
    .empty = qcow2_empty,
    .rename_backing = qcow2_rename_backing,
    .preallocate = qcow2_preallocate,
    .place = qcow2_place,
    .keeps_bitmaps = qcow2_keeps_bitmaps,
    .touch_bitmaps = qcow2_touch_bitmaps,
    .take_up = qcow2_take_up,
    .let_go = qcow2_let_go,
    .data_fd = qcow2_data_fd,
};
