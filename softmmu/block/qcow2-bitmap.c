/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps in a qcow2 file: an extension of the header tells where their directory is; each has a
 * table of clusters with its bits. All are read when the file is opened. Before the first change
 * each is marked as in use; when the file is closed, tables and directory are written anew, beside
 * the old ones, and the header is switched over to them. One that is in use when it is read, or of
 * a kind that is not known, is kept as it is and good for nothing.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/block/image-bitmap.h"
#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"

#define ENTRY_HEAD     24
#define MAX_BITMAPS    65535
#define MAX_DIRECTORY  (16u << 20) /* bytes */
#define MAX_TABLE      (8u << 20)  /* entries */
#define ALL_ONES       UINT64_C(1) /* entry of a table without a cluster */
#define AUTOCLEAR      88          /* in the header */
#define IN_USE         1
#define RECORDING      2
#define DIRTY_TRACKING 1 /* type */

/* A bitmap's part of the directory. */
typedef struct Entry {
    uint64_t at; /* of it in the file */
    uint64_t table, len;
    uint32_t entries, flags, extra;
    unsigned type, bits;
    char *name;
} Entry;

static void free_entry(void *p)
{
    g_free(((Entry *)p)->name);
    g_free(p);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* False: it makes no sense. */
static bool parse_entry(const Qcow2 *q, const uint8_t *d, size_t left, Entry *e)
{
    uint32_t name;

    if (left < ENTRY_HEAD)
        return false;
    e->table = get_be(d, 8);
    e->entries = get_be(d + 8, 4);
    e->flags = get_be(d + 12, 4);
    e->type = d[16];
    e->bits = d[17];
    name = get_be(d + 18, 2);
    e->extra = get_be(d + 20, 4);
    e->len = (ENTRY_HEAD + (uint64_t)e->extra + name + 7) & ~UINT64_C(7);
    if (e->len > left || !name || name > QCOW2_NAME_MAX || e->entries > MAX_TABLE ||
        e->table % q->cluster || e->bits < 9 || e->bits > 31)
        return false;
    e->name = g_strndup((const char *)d + ENTRY_HEAD + e->extra, name);
    return true;
}

/* Entry *, owned; NULL with errno value. */
static GPtrArray *read_directory(const Qcow2 *q, int *error)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_entry);
    g_autofree uint8_t *raw = NULL;
    uint64_t at = 0;

    *error = q->bitmaps > MAX_BITMAPS || q->bitmaps_bytes > MAX_DIRECTORY ||
                     q->bitmaps_offset % q->cluster
                 ? EIO
                 : 0;
    if (!*error && q->bitmaps) {
        raw = g_malloc(q->bitmaps_bytes + 1);
        *error = image_file_read(q->fd, q->bitmaps_offset, raw, q->bitmaps_bytes);
    }
    for (uint32_t i = 0; i < q->bitmaps && !*error; i++) {
        Entry *e = g_new0(Entry, 1);

        e->at = q->bitmaps_offset + at;
        g_ptr_array_add(list, e);
        if (!parse_entry(q, raw + at, q->bitmaps_bytes - at, e))
            *error = EIO;
        at += e->len;
    }
    if (!*error)
        return list;
    g_ptr_array_unref(list);
    return NULL;
}

/* The entries of a table; g_free() it. */
static int read_table(const Qcow2 *q, const Entry *e, uint64_t **table)
{
    g_autofree uint8_t *raw = g_malloc(8ull * e->entries + 1);
    int error = image_file_read(q->fd, e->table, raw, 8ull * e->entries);

    *table = g_new(uint64_t, e->entries + 1ull);
    for (uint32_t i = 0; i < e->entries; i++)
        (*table)[i] = get_be(raw + 8ull * i, 8);
    return error;
}

static uint64_t map_bytes(const ImageBitmap *b)
{
    return (b->bits + 7) / 8;
}

static int read_bits(const Qcow2 *q, const Entry *e, ImageBitmap *b)
{
    uint64_t bytes = map_bytes(b);
    g_autofree uint64_t *table = NULL;
    int error =
        e->entries == (bytes + q->cluster - 1) / q->cluster ? read_table(q, e, &table) : EIO;

    for (uint32_t i = 0; i < e->entries && !error; i++) {
        uint64_t at = i * q->cluster, n = MIN(q->cluster, bytes - at),
                 place = table[i] & QCOW2_OFFSET;

        if (place)
            error = image_file_read(q->fd, place, b->map + at, n);
        else
            memset(b->map + at, table[i] & ALL_ONES ? 0xff : 0, n);
    }
    if (!error && b->bits % 8)
        b->map[bytes - 1] &= (1 << b->bits % 8) - 1;
    return error;
}

static void spoil(ImageBitmap *b)
{
    b->inconsistent = true;
    b->recording = false;
    g_clear_pointer(&b->map, g_free);
}

int qcow2_load_bitmaps(Image *image)
{
    Qcow2 *q = image->own;
    int error;
    g_autoptr(GPtrArray) list = q->bitmaps ? read_directory(q, &error) : NULL;
    bool valid = q->autoclear & QCOW2_BITMAPS_VALID;

    if (!q->bitmaps || !list)
        return q->bitmaps ? error : 0;
    for (guint i = 0; i < list->len; i++) {
        const Entry *e = list->pdata[i];
        ImageBitmap *b = image_bitmap_new(image, e->name, 1u << e->bits);

        b->persistent = true;
        b->recording = e->flags & RECORDING;
        if (!valid || !b->map || (e->flags & ~RECORDING) || e->type != DIRTY_TRACKING || e->extra ||
            read_bits(q, e, b))
            spoil(b);
    }
    return 0;
}

/* ---- In use ---------------------------------------------------------------------------------- */

int qcow2_use_bitmaps(Qcow2 *q)
{
    uint64_t autoclear = q->autoclear & (QCOW2_BITMAPS_VALID | QCOW2_DATA_RAW);
    g_autoptr(GPtrArray) list = NULL;
    uint8_t raw[8];
    int error = 0;

    if (q->version < 3 || q->bitmaps_used)
        return 0;
    q->bitmaps_used = true;
    if (autoclear != q->autoclear) { /* features that others know: they hold no longer */
        put_be(raw, 8, autoclear);
        error = image_file_write(q->fd, AUTOCLEAR, raw, 8);
        q->autoclear = autoclear;
    }
    list = q->bitmaps && !error ? read_directory(q, &error) : NULL;
    for (guint i = 0; list && i < list->len && !error; i++) {
        const Entry *e = list->pdata[i];

        put_be(raw, 4, e->flags | IN_USE);
        error = image_file_write(q->fd, e->at + 12, raw, 4);
    }
    return !error && list && fdatasync(q->fd) ? errno : error;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static bool all_are(const uint8_t *p, size_t len, uint8_t value)
{
    return p[0] == value && !memcmp(p, p + 1, len - 1);
}

/* The bits in clusters of their own, and a table of these. */
static int write_bits(Qcow2 *q, const ImageBitmap *b, Entry *e)
{
    uint64_t bytes = map_bytes(b);
    g_autofree uint8_t *raw = NULL, *part = g_malloc(q->cluster);
    int error = 0;

    e->entries = (bytes + q->cluster - 1) / q->cluster;
    raw = g_malloc0(8ull * e->entries + 1);
    for (uint32_t i = 0; i < e->entries && !error; i++) {
        uint64_t at = i * q->cluster, n = MIN(q->cluster, bytes - at), place;

        if (all_are(b->map + at, n, 0))
            continue;
        if (n == q->cluster && all_are(b->map + at, n, 0xff)) {
            put_be(raw + 8ull * i, 8, ALL_ONES);
            continue;
        }
        memset(part, 0, q->cluster);
        memcpy(part, b->map + at, n);
        error = qcow2_place_bytes(q, part, q->cluster, &place);
        put_be(raw + 8ull * i, 8, place);
    }
    return error ? error : qcow2_place_bytes(q, raw, MAX(8ull * e->entries, 1), &e->table);
}

static void append_entry(GByteArray *out, const Entry *e)
{
    uint8_t head[ENTRY_HEAD] = { 0 };

    put_be(head, 8, e->table);
    put_be(head + 8, 4, e->entries);
    put_be(head + 12, 4, e->flags);
    head[16] = e->type;
    head[17] = e->bits;
    put_be(head + 18, 2, strlen(e->name));
    g_byte_array_append(out, head, sizeof(head));
    g_byte_array_append(out, (const uint8_t *)e->name, strlen(e->name));
    g_byte_array_append(out, (const uint8_t[8]){ 0 }, -out->len & 7);
}

static Entry *find_entry(const GPtrArray *list, const char *name)
{
    for (guint i = 0; list && i < list->len; i++) {
        if (!strcmp(((Entry *)list->pdata[i])->name, name))
            return list->pdata[i];
    }
    return NULL;
}

/* The new directory's bytes; @old: tables that stay are taken out of it, the rest is given back. */
static int write_all(Image *image, GPtrArray *old, GByteArray *out, uint32_t *count)
{
    Qcow2 *q = image->own;
    int error = 0;

    for (guint i = 0; image->bitmaps && i < image->bitmaps->len && !error; i++) {
        const ImageBitmap *b = image->bitmaps->pdata[i];
        Entry e = { .type = DIRTY_TRACKING,
                    .bits = __builtin_ctz(b->granularity),
                    .flags = b->recording ? RECORDING : 0,
                    .name = b->name };
        Entry *kept = b->inconsistent ? find_entry(old, b->name) : NULL;

        if (!b->persistent)
            continue;
        if (kept) {
            e.table = kept->table;
            e.entries = kept->entries;
            e.flags = kept->flags | IN_USE;
            kept->table = 0;
        } else {
            error = write_bits(q, b, &e);
        }
        append_entry(out, &e);
        ++*count;
    }
    return error;
}

static int give_back(Qcow2 *q, const GPtrArray *old)
{
    int error = 0;

    for (guint i = 0; old && i < old->len && !error; i++) {
        const Entry *e = old->pdata[i];
        g_autofree uint64_t *table = NULL;

        if (!e->table)
            continue;
        error = read_table(q, e, &table);
        for (uint32_t n = 0; n < e->entries && !error; n++)
            error = table[n] & QCOW2_OFFSET
                        ? qcow2_add_count(q, (table[n] & QCOW2_OFFSET) / q->cluster, -1)
                        : 0;
        if (!error)
            error = qcow2_free_bytes(q, e->table, MAX(8ull * e->entries, 1));
    }
    return error;
}

int qcow2_store_bitmaps(Image *image)
{
    Qcow2 *q = image->own;
    uint64_t old_at = q->bitmaps_offset, old_bytes = q->bitmaps_bytes;
    g_autoptr(GPtrArray) old = NULL;
    g_autoptr(GByteArray) raw = g_byte_array_new();
    uint32_t count = 0;
    int error = 0;

    if (!q->bitmaps_used || (!q->bitmaps && !image->bitmaps))
        return 0;
    if (q->bitmaps)
        old = read_directory(q, &error);
    if (!error)
        error = write_all(image, old, raw, &count);
    q->bitmaps = count;
    q->bitmaps_bytes = raw->len;
    q->bitmaps_offset = 0;
    if (!error && count)
        error = qcow2_place_bytes(q, raw->data, raw->len, &q->bitmaps_offset);
    q->autoclear = (q->autoclear & QCOW2_DATA_RAW) | (count ? QCOW2_BITMAPS_VALID : 0);
    if (!error)
        error = qcow2_write_header(q, true, NULL, NULL);
    if (!error)
        error = give_back(q, old);
    if (!error && old_bytes)
        error = qcow2_free_bytes(q, old_at, old_bytes);
    q->bitmaps_used = false;
    return error;
}

/* ---- For checks ------------------------------------------------------------------------------ */

int qcow2_walk_bitmaps(Qcow2 *q, void (*refer)(void *opaque, uint64_t offset, uint64_t len),
                       void *opaque)
{
    int error = 0;
    g_autoptr(GPtrArray) list = q->bitmaps ? read_directory(q, &error) : NULL;

    if (list)
        refer(opaque, q->bitmaps_offset, q->bitmaps_bytes);
    for (guint i = 0; list && i < list->len && !error; i++) {
        const Entry *e = list->pdata[i];
        g_autofree uint64_t *table = NULL;

        refer(opaque, e->table, MAX(8ull * e->entries, 1));
        error = read_table(q, e, &table);
        for (uint32_t n = 0; n < e->entries && !error; n++) {
            if (table[n] & QCOW2_OFFSET)
                refer(opaque, table[n] & QCOW2_OFFSET, q->cluster);
        }
    }
    return error;
}
