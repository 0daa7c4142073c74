/* SPDX-License-Identifier: MIT */
/*
 * Where the disk's bytes are in a qcow2 image: entries of the tables of the second level, and what
 * is read and written by them. An entry is for a cluster, which has 32 parts: with extended_l2 each
 * is there, zero or the backing file's for itself, else all of them are alike. The bytes lie in the
 * image's file, or in one of their own (data_file), in the order of the disk and without counts.
 */
#include <errno.h>
#include <string.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"

#define ALL QCOW2_PARTS

/* ---- Entries --------------------------------------------------------------------------------- */

static uint64_t per_table(const Qcow2 *q)
{
    return q->cluster / q->entry_bytes;
}

uint64_t qcow2_per_l1(const Qcow2 *q)
{
    return q->cluster * per_table(q);
}

bool qcow2_has_room(const Qcow2 *q, const Qcow2Entry *e)
{
    if (e->where & QCOW2_COMPRESSED)
        return false;
    return q->data_image ? e->where & QCOW2_COPIED : e->where & QCOW2_OFFSET;
}

bool qcow2_decode(const Qcow2 *q, const uint8_t *d, Qcow2Entry *e)
{
    uint64_t parts;

    *e = (Qcow2Entry){ .where = get_be(d, 8) };
    if (e->where & QCOW2_COMPRESSED) {
        e->has = ALL;
        return !q->data_image;
    }
    if (!q->extended) {
        if (q->version >= 3 && (e->where & QCOW2_ZERO))
            e->zero = ALL;
        if (e->zero)
            e->where &= ~QCOW2_ZERO;
        else if (qcow2_has_room(q, e))
            e->has = ALL;
    } else {
        parts = get_be(d + 8, 8);
        e->has = parts;
        e->zero = parts >> 32;
    }
    return !(e->has & e->zero) && (!e->has || qcow2_has_room(q, e)) &&
           !((e->where & QCOW2_OFFSET) & (q->cluster - 1)) &&
           !(q->extended && (e->where & QCOW2_ZERO));
}

int qcow2_entry(Qcow2 *q, uint64_t offset, Qcow2Entry *e)
{
    uint64_t n = offset >> q->cluster_bits, l2 = q->l1[n / per_table(q)] & QCOW2_OFFSET;
    uint8_t *data;
    int error;

    *e = (Qcow2Entry){ 0 };
    if (!l2)
        return 0;
    error = qcow2_table(q, l2, &data);
    return error ? error : qcow2_decode(q, data + q->entry_bytes * (n % per_table(q)), e) ? 0 : EIO;
}

/* … if its table is in memory. */
static bool entry_at_hand(Qcow2 *q, uint64_t offset, Qcow2Entry *e)
{
    uint64_t n = offset >> q->cluster_bits, l2 = q->l1[n / per_table(q)] & QCOW2_OFFSET;
    uint8_t *data;

    *e = (Qcow2Entry){ 0 };
    if (!l2)
        return true;
    return qcow2_table_at_hand(q, l2, &data) &&
           qcow2_decode(q, data + q->entry_bytes * (n % per_table(q)), e);
}

/* A new cluster with @data. If there is no room for it, it is given back. */
static int add_table(Qcow2 *q, const uint8_t *data, uint64_t *offset)
{
    int error = qcow2_allocate(q, offset);

    if (error)
        return error;
    error = image_file_write(q->fd, *offset, data, q->cluster);
    if (error)
        qcow2_add_count(q, *offset / q->cluster, -1);
    return error;
}

/* The table for @offset, alone in referring to what it refers to: a new one, or a copy if it is
 * shared with a snapshot. */
static int own_table(Qcow2 *q, uint64_t offset, uint64_t *l2)
{
    uint32_t n = (offset >> q->cluster_bits) / per_table(q);
    uint64_t old = q->l1[n] & QCOW2_OFFSET;
    g_autofree uint8_t *copy = NULL;
    uint8_t raw[8], *data;
    int error;

    if (old && (q->l1[n] & QCOW2_COPIED)) {
        *l2 = old;
        return 0;
    }
    copy = g_malloc0(q->cluster);
    error = old ? qcow2_table(q, old, &data) : 0;
    if (!error && old)
        memcpy(copy, data, q->cluster);
    if (!error)
        error = add_table(q, copy, l2);
    put_be(raw, 8, *l2 | QCOW2_COPIED);
    if (!error)
        error = image_file_write(q->fd, q->l1_offset + 8ull * n, raw, 8);
    if (error)
        return error;
    q->l1[n] = *l2 | QCOW2_COPIED;
    return old ? qcow2_add_count(q, old / q->cluster, -1) : 0;
}

int qcow2_put(Qcow2 *q, uint64_t offset, const Qcow2Entry *e)
{
    uint64_t l2, where = e->where;
    bool packed = where & QCOW2_COMPRESSED;
    uint8_t raw[16];
    int error = own_table(q, offset, &l2);

    if (!packed && !q->extended && q->version >= 3)
        where = e->zero ? where | QCOW2_ZERO : where & ~QCOW2_ZERO;
    put_be(raw, 8, where);
    put_be(raw + 8, 8, packed ? 0 : (uint64_t)e->zero << 32 | e->has);
    return error ? error : qcow2_set_entry(q, l2, (offset >> q->cluster_bits) % per_table(q), raw);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

static Qcow2Part part_of(const Qcow2Entry *e, unsigned n)
{
    return e->has >> n & 1 ? QCOW2_HAS : e->zero >> n & 1 ? QCOW2_IS_ZERO : QCOW2_BELOW;
}

Qcow2Part qcow2_run(const Qcow2 *q, const Qcow2Entry *e, uint64_t offset, uint64_t *len)
{
    unsigned bits = q->cluster_bits - 5;
    uint64_t within = offset & (q->cluster - 1);
    unsigned first = within >> bits, n = first + 1;
    Qcow2Part part = part_of(e, first);

    while (n < 32 && part_of(e, n) == part)
        n++;
    *len = MIN(*len, ((uint64_t)n << bits) - within);
    return part;
}

/* The parts of a cluster that [@offset, @offset + @len) lies in, or lie in it. */
static uint32_t parts_in(const Qcow2 *q, uint64_t offset, uint64_t len, bool whole)
{
    uint64_t bits = q->cluster_bits - 5, from = offset & (q->cluster - 1), to = from + len;
    uint64_t first = whole ? (from + (1 << bits) - 1) >> bits : from >> bits;
    uint64_t end = whole ? to >> bits : (to + (1 << bits) - 1) >> bits;

    return first < end ? (uint32_t)((UINT64_C(1) << end) - (UINT64_C(1) << first)) : 0;
}

static uint64_t place_of(const Qcow2 *q, const Qcow2Entry *e, uint64_t offset)
{
    return (e->where & QCOW2_OFFSET) + (offset & (q->cluster - 1));
}

/* ---- Reading --------------------------------------------------------------------------------- */

typedef int ReadFile(int fd, uint64_t offset, void *buf, size_t len);
typedef int ReadImage(Image *image, uint64_t offset, void *buf, size_t len);

/* What lies beyond the end of a backing file is zero. */
static int read_backing(const Qcow2 *q, uint64_t offset, uint8_t *buf, size_t len, ReadImage *read)
{
    uint64_t size = q->backing ? image_size(q->backing) : 0;
    size_t inside = offset < size ? MIN(len, size - offset) : 0;

    memset(buf + inside, 0, len - inside);
    return inside ? read(q->backing, offset, buf, inside) : 0;
}

/* Within a cluster. */
static int read_entry(Qcow2 *q, const Qcow2Entry *e, uint64_t offset, uint8_t *buf, size_t len,
                      ReadFile *file, ReadImage *image)
{
    int error = 0;

    if (e->where & QCOW2_COMPRESSED)
        return qcow2_read_compressed(q, e->where, offset & (q->cluster - 1), buf, len);
    for (uint64_t n; len && !error; offset += n, buf += n, len -= n) {
        n = len;
        switch (qcow2_run(q, e, offset, &n)) {
        case QCOW2_HAS: error = file(q->data, place_of(q, e, offset), buf, n); break;
        case QCOW2_IS_ZERO: memset(buf, 0, n); break;
        case QCOW2_BELOW: error = read_backing(q, offset, buf, n, image); break;
        }
    }
    return error;
}

int qcow2_read(Image *image, uint64_t offset, void *buf, size_t len)
{
    Qcow2 *q = image->own;
    uint8_t *p = buf;
    Qcow2Entry e;
    int error = 0;

    for (size_t n; len && !error; p += n, offset += n, len -= n) {
        n = MIN(len, q->cluster - (offset & (q->cluster - 1)));
        error = qcow2_entry(q, offset, &e);
        if (!error)
            error = read_entry(q, &e, offset, p, n, image_file_read, image_read);
    }
    return error;
}

int qcow2_read_cached(Image *image, uint64_t offset, void *buf, size_t len)
{
    Qcow2 *q = image->own;
    uint8_t *p = buf;
    Qcow2Entry e;
    int error = 0;

    for (size_t n; len && !error; p += n, offset += n, len -= n) {
        n = MIN(len, q->cluster - (offset & (q->cluster - 1)));
        if (!entry_at_hand(q, offset, &e) || (e.where & QCOW2_COMPRESSED))
            return EAGAIN;
        error = read_entry(q, &e, offset, p, n, image_file_read_cached, image_read_cached);
    }
    return error;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* [@from, @to) of a cluster: @buf for @offset, and around that what was there. */
static int write_span(Image *image, const Qcow2Entry *old, uint64_t place, uint64_t from,
                      uint64_t to, uint64_t offset, const uint8_t *buf, size_t len)
{
    Qcow2 *q = image->own;
    g_autofree uint8_t *data = NULL;
    uint64_t end = MIN(to, image->size);
    int error;

    if (from == offset && to == offset + len)
        return image_file_write(q->data, place, buf, len);
    data = g_malloc0(to - from);
    error = read_entry(q, old, from, data, end - from, image_file_read, image_read);
    memcpy(data + (offset - from), buf, len);
    if (error)
        return error;
    return image_file_write(q->data, place, data, (q->data_image ? end : to) - from);
}

/* The cluster has a place where it may be written. */
static int write_there(Image *image, Qcow2Entry *e, uint64_t offset, const uint8_t *buf, size_t len)
{
    Qcow2 *q = image->own;
    uint64_t part = q->cluster / 32, from = offset & -part, to = (offset + len + part - 1) & -part;
    uint32_t touched = parts_in(q, offset, len, false);
    int error;

    if ((e->has & touched) == touched)
        return image_file_write(q->data, place_of(q, e, offset), buf, len);
    error = write_span(image, e, place_of(q, e, from), from, to, offset, buf, len);
    e->has |= touched;
    e->zero &= ~touched;
    return error ? error : qcow2_put(q, offset, e);
}

static int take_place(Qcow2 *q, uint64_t start, uint64_t *place)
{
    *place = start;
    return q->data_image ? 0 : qcow2_allocate(q, place);
}

/* A cluster that may not be written in place: a new one with what it had of the old contents. */
static int write_new(Image *image, const Qcow2Entry *old, uint64_t offset, const uint8_t *buf,
                     size_t len)
{
    Qcow2 *q = image->own;
    uint64_t start = offset & -q->cluster, part = q->cluster / 32, place, from, to;
    Qcow2Entry e = { .has = q->extended ? old->has | parts_in(q, offset, len, false) : ALL };
    uint64_t l2;
    int error = own_table(q, offset, &l2);

    e.zero = old->zero & ~e.has;
    from = __builtin_ctz(e.has) * part;
    to = (32 - __builtin_clz(e.has)) * part;
    if (!error)
        error = take_place(q, start, &place);
    if (error)
        return error;
    error = write_span(image, old, place + from, start + from, start + to, offset, buf, len);
    if (error && !q->data_image)
        qcow2_add_count(q, place / q->cluster, -1);
    e.where = place | QCOW2_COPIED;
    if (!error)
        error = qcow2_put(q, offset, &e);
    return error ? error : qcow2_release(q, old->where);
}

static int write_part(Image *image, uint64_t offset, const uint8_t *buf, size_t len)
{
    Qcow2 *q = image->own;
    Qcow2Entry e;
    int error = qcow2_entry(q, offset, &e);

    if (error)
        return error;
    if (qcow2_has_room(q, &e) && (e.where & QCOW2_COPIED) && (q->extended || e.has))
        return write_there(image, &e, offset, buf, len);
    return write_new(image, &e, offset, buf, len);
}

int qcow2_write(Image *image, uint64_t offset, const void *buf, size_t len)
{
    Qcow2 *q = image->own;
    const uint8_t *p = buf;
    int error = qcow2_set_dirty(q, true);

    for (size_t n; len && !error; p += n, offset += n, len -= n) {
        n = MIN(len, q->cluster - (offset & (q->cluster - 1)));
        error = write_part(image, offset, p, n);
    }
    return error;
}

/* ---- Without bytes --------------------------------------------------------------------------- */

int qcow2_drop(Qcow2 *q, uint64_t offset, bool zero)
{
    Qcow2Entry now = { .zero = zero ? ALL : 0 }, e;
    int error = qcow2_entry(q, offset, &e);

    if (error || (!e.where && e.zero == now.zero))
        return error;
    error = qcow2_put(q, offset, &now);
    if (!error)
        error = qcow2_release(q, e.where);
    if (!error && qcow2_has_room(q, &e) && (e.where & QCOW2_COPIED))
        image_file_punch(q->data, e.where & QCOW2_OFFSET, q->cluster); /* if the host can */
    return error;
}

/* A whole cluster reads as zero from now on. */
static int drop_cluster(Qcow2 *q, uint64_t offset)
{
    Qcow2Entry e;
    int error = qcow2_entry(q, offset, &e);

    if (error || (!e.where && !e.zero && !q->backing))
        return error;
    return qcow2_drop(q, offset, q->version >= 3);
}

/* Of an extended entry: the whole parts in it become zero ones, of the rest the bytes. */
static int zero_parts(Image *image, uint64_t offset, const uint8_t *zeros, size_t len)
{
    Qcow2 *q = image->own;
    uint64_t part = q->cluster / 32, from = (offset + part - 1) & -part;
    uint64_t end = offset + len, to = end & -part;
    Qcow2Entry e;
    int error = 0;

    if (from >= to)
        return write_part(image, offset, zeros, len);
    if (offset < from)
        error = write_part(image, offset, zeros, from - offset);
    if (!error && to < end)
        error = write_part(image, to, zeros, end - to);
    if (!error)
        error = qcow2_entry(q, offset, &e);
    if (!error && (e.where & QCOW2_COMPRESSED))
        return write_part(image, from, zeros, to - from);
    e.zero |= parts_in(q, from, to - from, true);
    e.has &= ~e.zero;
    return error ? error : qcow2_put(q, offset, &e);
}

/* The data file is to be the disk by itself. */
static int zero_raw(Image *image, uint64_t offset, uint64_t len)
{
    return image_file_zero(((Qcow2 *)image->own)->data, offset, len);
}

int qcow2_zero(Image *image, uint64_t offset, uint64_t len)
{
    Qcow2 *q = image->own;
    bool drops = q->version >= 3 || !q->backing;
    g_autofree uint8_t *zeros = g_malloc0(q->cluster);
    int error = qcow2_set_dirty(q, true);

    for (uint64_t n; len && !error; offset += n, len -= n) {
        Qcow2Entry e = { 0 };
        bool whole;

        n = MIN(len, q->cluster - (offset & (q->cluster - 1)));
        whole = n == q->cluster || (!(offset & (q->cluster - 1)) && offset + n == image->size);
        if (qcow2_is_data_raw(q))
            error = qcow2_entry(q, offset, &e);
        if (error)
            break;
        if (e.has)
            error = zero_raw(image, offset, n);
        else if (drops && whole)
            error = drop_cluster(q, offset);
        else
            error = q->extended ? zero_parts(image, offset, zeros, n)
                                : write_part(image, offset, zeros, n);
    }
    return error;
}

/* Parts of clusters stay. */
int qcow2_discard(Image *image, uint64_t offset, uint64_t len)
{
    Qcow2 *q = image->own;
    uint64_t from = (offset + q->cluster - 1) & -q->cluster, to = (offset + len) & -q->cluster;

    return from < to && (q->version >= 3 || !q->backing) ? qcow2_zero(image, from, to - from) : 0;
}
