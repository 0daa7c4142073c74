/* SPDX-License-Identifier: MIT */
/*
 * What changes a qcow2 image as a whole: its size, its backing file, doing without what it has of
 * its own. Another backing file and doing without are not for images with snapshots, whose
 * contents lie in the same clusters and backing file; image-chain.c sees to that.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"

#define HEAD_BACKING    8  /* u64 offset, u32 length of a name */
#define HEAD_SIZE       24 /* u64: bytes of the disk */
#define HEAD_COUNTS     48 /* u64 offset, u32 clusters of their table */
#define HEAD_FEATURES   72 /* u64: incompatible ones */
#define HEAD_COMPATIBLE 80 /* u64: bit 0 lazy counts */
#define HEAD_AUTOCLEAR  88 /* u64 features */
#define HEAD_ORDER      96 /* u32: counts of 1 << that many bits; u32: bytes of this */

/* ---- Whose clusters -------------------------------------------------------------------------- */

/* Of the bytes at @offset, and *@len of them. */
static ImageLayer layer_of(const Qcow2 *q, const Qcow2Entry *e, uint64_t offset, uint64_t *len)
{
    switch (qcow2_run(q, e, offset, len)) {
    case QCOW2_IS_ZERO: return IMAGE_ZERO;
    case QCOW2_HAS: return IMAGE_DATA;
    case QCOW2_BELOW: break;
    }
    return q->backing && offset < image_size(q->backing) ? IMAGE_BELOW : IMAGE_ZERO;
}

int qcow2_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer)
{
    Qcow2 *q = image->own;
    uint64_t n = *len, more = 0;
    Qcow2Entry e;
    int error = qcow2_entry(q, offset, &e);

    if (error)
        return error;
    *layer = layer_of(q, &e, offset, &n);
    for (; n < *len; n += more) {
        more = *len - n;
        error = (offset + n) & (q->cluster - 1) ? 0 : qcow2_entry(q, offset + n, &e);
        if (error || layer_of(q, &e, offset + n, &more) != *layer)
            break;
    }
    *len = n;
    return 0;
}

/* Clusters that lie one after another in the file are one place. */
int qcow2_place(Image *image, uint64_t offset, uint64_t *len, ImageExtent *e)
{
    Qcow2 *q = image->own;
    uint64_t n = *len, more;
    Qcow2Entry entry;
    int error = qcow2_entry(q, offset, &entry);
    Qcow2Part part = qcow2_run(q, &entry, offset, &n);

    e->compressed = entry.where & QCOW2_COMPRESSED;
    e->present = part != QCOW2_BELOW;
    e->at = qcow2_has_room(q, &entry) && e->present
                ? (entry.where & QCOW2_OFFSET) + (offset & (q->cluster - 1))
                : IMAGE_NOWHERE;
    for (; !error && n < *len && e->at != IMAGE_NOWHERE; n += more) {
        more = *len - n;
        if (!((offset + n) & (q->cluster - 1)))
            error = qcow2_entry(q, offset + n, &entry);
        if (error || qcow2_run(q, &entry, offset + n, &more) != part ||
            !qcow2_has_room(q, &entry) ||
            (entry.where & QCOW2_OFFSET) + ((offset + n) & (q->cluster - 1)) != e->at + n)
            break;
    }
    if (e->at != IMAGE_NOWHERE || e->compressed)
        *len = MIN(*len, n);
    return error;
}

/* ---- Clusters that go ------------------------------------------------------------------------ */

/* Those from @from to before @to, whole ones, are the backing file's. */
static int drop_range(Qcow2 *q, uint64_t from, uint64_t to)
{
    uint64_t per_l1 = qcow2_per_l1(q);
    int error = 0;

    while (from < to && !error) {
        if (!(q->l1[from / per_l1] & QCOW2_OFFSET)) {
            from = (from / per_l1 + 1) * per_l1;
            continue;
        }
        error = qcow2_drop(q, from, false);
        from += q->cluster;
    }
    return error;
}

/* Each is the backing file's again before its room is given back. */
int qcow2_empty(Image *image)
{
    Qcow2 *q = image->own;
    int error = qcow2_set_dirty(q, true);

    return error ? error : drop_range(q, 0, image->size);
}

/* ---- Size ------------------------------------------------------------------------------------ */

int qcow2_put_size(Image *image, uint64_t size)
{
    uint8_t raw[8];
    int error = fdatasync(image->fd) ? errno : 0;

    put_be(raw, 8, size);
    if (!error)
        error = image_file_write(image->fd, HEAD_SIZE, raw, sizeof(raw));
    if (!error)
        image->size = size;
    return error;
}

/* Nothing is there: not of the backing file, which may be larger, nor of a time when this image
 * was. */
static int clear_new(Image *image, uint64_t from, uint64_t to)
{
    Qcow2 *q = image->own;
    uint64_t backing = q->backing ? image_size(q->backing) : 0;
    uint64_t whole = (from + q->cluster - 1) & -q->cluster, below = MIN(to, backing);
    Qcow2Entry e;
    int error = qcow2_entry(q, from, &e);

    if (!error && from < whole && (e.has || e.zero || from < backing))
        error = qcow2_zero(image, from, MIN(whole, to) - from);
    if (!error && whole < below)
        error = qcow2_zero(image, whole, ((below + q->cluster - 1) & -q->cluster) - whole);
    below = MAX(whole, (below + q->cluster - 1) & -q->cluster);
    return error ? error : drop_range(q, below, to);
}

/* The data file, if there is one. */
static int size_data(Qcow2 *q, uint64_t size)
{
    return q->data_image && ftruncate(q->data, size) ? errno : 0;
}

int qcow2_resize(Image *image, uint64_t size)
{
    Qcow2 *q = image->own;
    uint64_t old = image->size, per_l1 = qcow2_per_l1(q);
    uint64_t entries = size / per_l1 + (size % per_l1 != 0);
    int error = entries > QCOW2_MAX_L1 ? EFBIG : qcow2_set_dirty(q, true);

    if (error)
        return error;
    if (size < old) {
        error = qcow2_put_size(image, size);
        if (!error)
            error = drop_range(q, (size + q->cluster - 1) & -q->cluster, old);
        return error ? error : size_data(q, size);
    }
    if (entries > q->l1_size)
        error = qcow2_enlarge_l1(q, size);
    if (!error)
        error = size_data(q, size);
    if (!error && size > old)
        error = clear_new(image, old, size);
    if (!error)
        error = qcow2_put_size(image, size);
    return !error && qcow2_is_data_raw(q) ? qcow2_preallocate(image) : error;
}

/* ---- The backing file's name ----------------------------------------------------------------- */

/* The extensions of @head but for that of bitmaps, and of the format unless @keep, go to @out;
 * false: they make no sense. */
static bool copy_extensions(const uint8_t *head, uint64_t at, uint64_t end, bool keep,
                            GByteArray *out)
{
    while (at + 8 <= end) {
        uint64_t type = get_be(head + at, 4), len = get_be(head + at + 4, 4);
        uint64_t all = 8 + ((len + 7) & ~UINT64_C(7));

        if (!type)
            return true;
        if (len > end - at - 8 || all > end - at)
            return false;
        if (type != QCOW2_EXT_BITMAPS && (keep || type != QCOW2_EXT_FORMAT))
            g_byte_array_append(out, head + at, all);
        at += all;
    }
    return true;
}

static void append_extension(GByteArray *out, uint32_t type, const void *data, size_t len)
{
    uint8_t ext[8], zeros[8] = { 0 };

    put_be(ext, 4, type);
    put_be(ext + 4, 4, len);
    g_byte_array_append(out, ext, sizeof(ext));
    g_byte_array_append(out, data, len);
    g_byte_array_append(out, zeros, -len & 7);
}

static void append_bitmaps(const Qcow2 *q, GByteArray *out)
{
    uint8_t data[24] = { 0 };

    put_be(data, 4, q->bitmaps);
    put_be(data + 8, 8, q->bitmaps_bytes);
    put_be(data + 16, 8, q->bitmaps_offset);
    if (q->bitmaps)
        append_extension(out, QCOW2_EXT_BITMAPS, data, sizeof(data));
}

/* What has its place, as it shall be; @len bytes of it are in @old, maybe of another version. */
static void append_fixed(const Qcow2 *q, const uint8_t *old, uint64_t len, GByteArray *out)
{
    uint8_t *d;

    if (q->version < 3)
        len = QCOW2_HEAD_V2;
    g_byte_array_append(out, old, len);
    if (q->version >= 3 && len < QCOW2_HEAD_V3)
        g_byte_array_append(out, (const uint8_t[QCOW2_HEAD_V3]){ 0 }, QCOW2_HEAD_V3 - len);
    d = out->data;
    put_be(d + 4, 4, q->version);
    put_be(d + HEAD_COUNTS, 8, q->counts_offset);
    put_be(d + HEAD_COUNTS + 8, 4, q->counts_size / (q->cluster / 8));
    if (q->version < 3)
        return;
    put_be(d + HEAD_FEATURES, 8, q->features);
    put_be(d + HEAD_COMPATIBLE, 8,
           (get_be(d + HEAD_COMPATIBLE, 8) & ~UINT64_C(1)) | (q->lazy ? 1 : 0));
    put_be(d + HEAD_AUTOCLEAR, 8, q->autoclear);
    put_be(d + HEAD_ORDER, 4, q->count_order);
    put_be(d + HEAD_ORDER + 4, 4, out->len);
}

/* @old: the first cluster as it is; NULL with @error: it makes no sense, or would be too long. */
static GByteArray *make_header(const Qcow2 *q, const uint8_t *old, bool keep, const char *path,
                               const char *format, int *error)
{
    GByteArray *head = g_byte_array_new();
    uint64_t fixed = get_be(old + 4, 4) >= 3 ? get_be(old + 100, 4) : QCOW2_HEAD_V2;
    uint64_t name = get_be(old + HEAD_BACKING, 8), len = get_be(old + HEAD_BACKING + 8, 4);
    g_autofree char *kept = NULL;

    *error =
        fixed < QCOW2_HEAD_V2 || fixed > q->cluster || name > q->cluster || len > q->cluster - name
            ? EINVAL
            : 0;
    if (!*error && keep && name && len)
        path = kept = g_strndup((const char *)old + name, len);
    if (!*error) {
        append_fixed(q, old, fixed, head);
        *error = copy_extensions(old, fixed, name ? name : q->cluster, keep, head) ? 0 : EINVAL;
    }
    if (!*error) {
        append_bitmaps(q, head);
        if (!keep && path && format)
            append_extension(head, QCOW2_EXT_FORMAT, format, strlen(format));
        g_byte_array_append(head, (const uint8_t[8]){ 0 }, 8);
        put_be(head->data + HEAD_BACKING, 8, path ? head->len : 0);
        put_be(head->data + HEAD_BACKING + 8, 4, path ? strlen(path) : 0);
        if (path)
            g_byte_array_append(head, (const uint8_t *)path, strlen(path));
        *error =
            head->len > q->cluster || (path && strlen(path) > QCOW2_NAME_MAX) ? ENAMETOOLONG : 0;
    }
    if (!*error)
        return head;
    g_byte_array_unref(head);
    return NULL;
}

/* Over the file's first cluster as far as it is in use. All that it tells of is there before. */
int qcow2_write_header(Qcow2 *q, bool keep, const char *path, const char *format)
{
    g_autofree uint8_t *old = g_malloc(q->cluster);
    GByteArray *head = NULL;
    int error = image_file_read(q->fd, 0, old, q->cluster);

    if (!error)
        head = make_header(q, old, keep, path, format, &error);
    if (!error && fdatasync(q->fd))
        error = errno;
    if (!error)
        error = image_file_write(q->fd, 0, head->data, head->len);
    if (!error && fdatasync(q->fd))
        error = errno;
    if (head)
        g_byte_array_unref(head);
    return error;
}

int qcow2_rename_backing(Image *image, const char *path, const char *format)
{
    Qcow2 *q = image->own;
    int error = path && qcow2_is_data_raw(q) ? ENOTSUP : qcow2_write_header(q, false, path, format);

    if (error)
        return error;
    g_free(q->backing_path);
    g_free(q->backing_format);
    q->backing_path = g_strdup(path);
    q->backing_format = path ? g_strdup(format) : NULL;
    return 0;
}
