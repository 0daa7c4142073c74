/* SPDX-License-Identifier: MIT */
/*
 * Clusters of a qcow2 file and how often each is referred to. Tables are written through at once,
 * in an order that leaves at worst clusters that nobody refers to when the process is killed;
 * against a crash of the host the dirty bit stands, which has the counts made anew.
 */
#include <errno.h>
#include <string.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"

#define MAX_UNWRITTEN \
    (1u << 22) /* clusters in use behind a file's end: a hostile file has no end */

/* ---- Tables in memory ------------------------------------------------------------------------ */

static Qcow2Table *find_table(Qcow2 *q, uint64_t offset)
{
    Qcow2Table *oldest = q->tables;

    for (unsigned i = 0; i < QCOW2_TABLES; i++) {
        if (q->tables[i].offset == offset)
            return &q->tables[i];
        if (q->tables[i].used < oldest->used)
            oldest = &q->tables[i];
    }
    oldest->offset = 0;
    return oldest;
}

int qcow2_table(Qcow2 *q, uint64_t offset, uint8_t **data)
{
    Qcow2Table *t = find_table(q, offset);
    int error = 0;

    if (!offset || offset % q->cluster)
        return EIO;
    if (!t->data)
        t->data = g_malloc(q->cluster);
    if (!t->offset)
        error = image_file_read(q->fd, offset, t->data, q->cluster);
    if (error)
        return error;
    t->offset = offset;
    t->used = ++q->clock;
    *data = t->data;
    return 0;
}

bool qcow2_table_at_hand(Qcow2 *q, uint64_t offset, uint8_t **data)
{
    for (unsigned i = 0; i < QCOW2_TABLES; i++) {
        if (q->tables[i].offset != offset)
            continue;
        q->tables[i].used = ++q->clock;
        *data = q->tables[i].data;
        return true;
    }
    return false;
}

/* A cluster is used anew: what was known of it as a table is void, and nothing is packed there. */
static void forget_table(Qcow2 *q, uint64_t offset)
{
    if (q->packed_end && (q->packed_end - 1) / q->cluster == offset / q->cluster)
        q->packed_end = 0;
    for (unsigned i = 0; i < QCOW2_TABLES; i++) {
        if (q->tables[i].offset == offset)
            q->tables[i].offset = q->tables[i].used = 0;
    }
}

void qcow2_forget_tables(Qcow2 *q)
{
    for (unsigned i = 0; i < QCOW2_TABLES; i++)
        q->tables[i].offset = q->tables[i].used = 0;
}

/* Of the table at @offset, whose bytes in memory have changed. */
static int write_part(Qcow2 *q, uint64_t offset, uint64_t at, const uint8_t *data, unsigned bytes)
{
    int error = image_file_write(q->fd, offset + at, data + at, bytes);

    if (error)
        forget_table(q, offset);
    return error;
}

int qcow2_set_entry(Qcow2 *q, uint64_t offset, uint32_t n, const uint8_t *entry)
{
    uint8_t *data;
    int error = qcow2_table(q, offset, &data);

    if (error)
        return error;
    memcpy(data + (uint64_t)n * q->entry_bytes, entry, q->entry_bytes);
    return write_part(q, offset, (uint64_t)n * q->entry_bytes, data, q->entry_bytes);
}

/* ---- Counts ---------------------------------------------------------------------------------- */

static uint64_t counts_per_block(const Qcow2 *q)
{
    return q->cluster * 8 >> q->count_order;
}

uint64_t qcow2_most(unsigned order)
{
    return order == 6 ? INT64_MAX : (UINT64_C(1) << (1 << order)) - 1;
}

/* Those of less than a byte: the first is in its lowest bits. */
uint64_t qcow2_get_count(const uint8_t *data, unsigned order, uint64_t n)
{
    unsigned bytes = (1 << order) / 8, per = 8 >> order;

    if (bytes)
        return get_be(data + n * bytes, bytes);
    return data[n / per] >> (n % per << order) & qcow2_most(order);
}

void qcow2_put_count(uint8_t *data, unsigned order, uint64_t n, uint64_t count)
{
    unsigned bytes = (1 << order) / 8, per = 8 >> order;

    if (bytes) {
        put_be(data + n * bytes, bytes, count);
        return;
    }
    data[n / per] &= ~(qcow2_most(order) << (n % per << order));
    data[n / per] |= count << (n % per << order);
}

int qcow2_count(Qcow2 *q, uint64_t cluster, uint64_t *count)
{
    uint64_t block = cluster / counts_per_block(q);
    uint8_t *data;
    int error;

    *count = 0;
    if (block >= q->counts_size || !(q->counts[block] & QCOW2_OFFSET))
        return 0;
    error = qcow2_table(q, q->counts[block] & QCOW2_OFFSET, &data);
    if (!error)
        *count = qcow2_get_count(data, q->count_order, cluster % counts_per_block(q));
    return error;
}

static int zero_cluster(Qcow2 *q, uint64_t offset)
{
    g_autofree uint8_t *zeros = g_malloc0(q->cluster);

    forget_table(q, offset);
    return image_file_write(q->fd, offset, zeros, q->cluster);
}

static int set_count(Qcow2 *q, uint64_t cluster, uint64_t count)
{
    uint64_t block = q->counts[cluster / counts_per_block(q)] & QCOW2_OFFSET;
    uint64_t n = cluster % counts_per_block(q);
    unsigned bytes = (1 << q->count_order) / 8;
    uint8_t *data;
    int error = qcow2_table(q, block, &data);

    if (error)
        return error;
    qcow2_put_count(data, q->count_order, n, count);
    return write_part(q, block, bytes ? n * bytes : n / (8 >> q->count_order), data, MAX(bytes, 1));
}

/* The table of blocks twice as large, at the end of the file; the old one is given back. */
static int grow_counts(Qcow2 *q, uint64_t blocks)
{
    uint64_t per_cluster = q->cluster / 8, old_offset = q->counts_offset;
    uint64_t old = q->counts_size / per_cluster;
    uint64_t clusters = MAX(2 * old, blocks / per_cluster + 1);
    uint64_t offset = q->file_end, *counts;
    g_autofree uint8_t *raw = NULL;
    uint8_t head[12];
    int error;

    if (clusters > QCOW2_MAX_COUNT_CLUSTERS)
        return EFBIG;
    counts = g_new0(uint64_t, clusters * per_cluster);
    memcpy(counts, q->counts, 8ull * q->counts_size);
    raw = g_malloc0(clusters * q->cluster);
    for (uint64_t i = 0; i < q->counts_size; i++)
        put_be(raw + 8 * i, 8, counts[i]);
    error = image_file_write(q->fd, offset, raw, clusters * q->cluster);
    put_be(head, 8, offset);
    put_be(head + 8, 4, clusters);
    if (!error)
        error = image_file_write(q->fd, 48, head, sizeof(head));
    if (error) {
        g_free(counts);
        return error;
    }
    g_free(q->counts);
    q->counts = counts;
    q->counts_size = clusters * per_cluster;
    q->counts_offset = offset;
    q->file_end += clusters * q->cluster;
    for (uint64_t i = 0; !error && i < clusters; i++)
        error = qcow2_add_count(q, offset / q->cluster + i, 1);
    for (uint64_t i = 0; !error && i < old; i++)
        error = qcow2_add_count(q, old_offset / q->cluster + i, -1);
    return error;
}

/* A block for the counts of clusters around @cluster; it may have to count itself. */
static int make_block(Qcow2 *q, uint64_t cluster)
{
    uint64_t block = cluster / counts_per_block(q), offset;
    uint8_t raw[8];
    int error;

    if (block >= q->counts_size) {
        error = grow_counts(q, block + 1);
        if (error || (q->counts[block] & QCOW2_OFFSET))
            return error;
    }
    offset = MAX(q->file_end, (cluster + 1) * q->cluster);
    error = zero_cluster(q, offset);
    if (error)
        return error;
    q->file_end = offset + q->cluster;
    q->counts[block] = offset;
    put_be(raw, 8, offset);
    error = image_file_write(q->fd, q->counts_offset + 8 * block, raw, 8);
    return error ? error : qcow2_add_count(q, offset / q->cluster, 1);
}

int qcow2_add_count(Qcow2 *q, uint64_t cluster, int64_t change)
{
    uint64_t block = cluster / counts_per_block(q), count;
    int error;

    if (block >= q->counts_size || !(q->counts[block] & QCOW2_OFFSET)) {
        error = change < 0 ? EIO : make_block(q, cluster);
        if (error)
            return error;
    }
    error = qcow2_count(q, cluster, &count);
    if (error)
        return error;
    if (change < 0 && count < (uint64_t)-change)
        return EIO;
    if (change > 0 && (count > INT64_MAX || count + change > qcow2_most(q->count_order)))
        return EMLINK;
    if (count + change == 0)
        q->search = MIN(q->search, cluster);
    return set_count(q, cluster, count + change);
}

/* Behind the file's end there may be clusters in use whose bytes nobody wrote yet. */
static int pass_counted(Qcow2 *q)
{
    uint64_t first = q->file_end, count = 0;
    int error = qcow2_count(q, q->file_end / q->cluster, &count);

    while (!error && count) {
        q->file_end += q->cluster;
        error = (q->file_end - first) / q->cluster > MAX_UNWRITTEN
                    ? EFBIG
                    : qcow2_count(q, q->file_end / q->cluster, &count);
    }
    return error;
}

int qcow2_allocate(Qcow2 *q, uint64_t *offset)
{
    uint64_t end = q->file_end / q->cluster, cluster = q->search;
    uint64_t count = 1;
    int error = 0;

    for (; cluster < end && !error; cluster++) {
        error = qcow2_count(q, cluster, &count);
        if (!error && !count)
            break;
    }
    if (!error && cluster == end) {
        error = pass_counted(q);
        cluster = q->file_end / q->cluster;
        q->file_end += error ? 0 : q->cluster;
    }
    if (error)
        return error;
    forget_table(q, cluster * q->cluster);
    q->search = cluster + 1;
    *offset = cluster * q->cluster;
    error = qcow2_add_count(q, cluster, 1);
    return error;
}

void qcow2_compressed_range(const Qcow2 *q, uint64_t entry, uint64_t *offset, uint64_t *len)
{
    unsigned bits = 62 - (q->cluster_bits - 8);
    uint64_t sectors = (entry & (QCOW2_COMPRESSED - 1)) >> bits;

    *offset = entry & ((UINT64_C(1) << bits) - 1);
    *len = (sectors + 1) * 512 - (*offset & 511);
}

int qcow2_refer(Qcow2 *q, uint64_t entry, int change)
{
    uint64_t offset, len, first, last, c;
    int error = 0;

    if (q->data_image) /* nobody counts there */
        return 0;
    if (!(entry & QCOW2_COMPRESSED)) {
        offset = entry & QCOW2_OFFSET;
        return offset ? qcow2_add_count(q, offset / q->cluster, change) : 0;
    }
    qcow2_compressed_range(q, entry, &offset, &len);
    first = offset / q->cluster;
    last = (offset + len - 1) / q->cluster;
    for (c = first; !error && c <= last; c++)
        error = qcow2_add_count(q, c, change);
    while (error == EMLINK && c-- > first + 1)
        qcow2_add_count(q, c - 1, -change);
    return error;
}

int qcow2_allocate_run(Qcow2 *q, uint64_t clusters, uint64_t *offset)
{
    int error = pass_counted(q);

    *offset = q->file_end;
    q->file_end += clusters * q->cluster;
    for (uint64_t i = 0; i < clusters && !error; i++) {
        forget_table(q, *offset + i * q->cluster);
        error = qcow2_add_count(q, *offset / q->cluster + i, 1);
    }
    return error;
}

static uint64_t clusters_of(const Qcow2 *q, uint64_t bytes)
{
    return (bytes + q->cluster - 1) / q->cluster;
}

int qcow2_free_bytes(Qcow2 *q, uint64_t offset, uint64_t bytes)
{
    int error = 0;

    for (uint64_t i = 0; i < clusters_of(q, bytes) && !error; i++)
        error = qcow2_add_count(q, offset / q->cluster + i, -1);
    return error;
}

int qcow2_place_bytes(Qcow2 *q, const uint8_t *data, uint64_t len, uint64_t *offset)
{
    uint64_t clusters = clusters_of(q, len);
    g_autofree uint8_t *whole = g_malloc0(clusters * q->cluster);
    int error = qcow2_allocate_run(q, clusters, offset);

    memcpy(whole, data, len);
    if (error)
        return error;
    error = image_file_write(q->fd, *offset, whole, clusters * q->cluster);
    if (error)
        qcow2_free_bytes(q, *offset, len);
    return error;
}

int qcow2_put_table(Qcow2 *q, uint64_t offset, const uint8_t *data)
{
    forget_table(q, offset);
    return image_file_write(q->fd, offset, data, q->cluster);
}

int qcow2_set_features(Qcow2 *q, uint64_t features)
{
    uint8_t raw[8];
    int error;

    if (q->version < 3 || features == q->features)
        return 0;
    put_be(raw, 8, features);
    error = image_file_write(q->fd, 72, raw, 8);
    if (!error)
        q->features = features;
    return error;
}

int qcow2_set_dirty(Qcow2 *q, bool dirty)
{
    int error = dirty ? qcow2_use_bitmaps(q) : 0;

    return error ? error
                 : qcow2_set_features(q, dirty ? q->features | QCOW2_DIRTY
                                               : q->features & ~(uint64_t)QCOW2_DIRTY);
}
