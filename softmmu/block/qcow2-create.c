/* SPDX-License-Identifier: MIT */
/* Making qcow2 images, and giving all of one's clusters their room at once. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"

#define DEFAULT_CLUSTER 65536
#define MIN_CLUSTER     512
#define MAX_CLUSTER     (2u << 20)
#define LAZY            1 /* compatible feature: counts may be late. Ours never are */

/* Where things are in a new file, in clusters: header, table of counts, blocks of counts, first
 * table. */
typedef struct Layout {
    uint64_t cluster, table, blocks, l1_entries, l1, all;
    unsigned order; /* of counts: 1 << that many bits */
} Layout;

static uint64_t divide_up(uint64_t n, uint64_t by)
{
    return n / by + (n % by != 0);
}

static Layout plan(uint64_t size, uint64_t cluster, unsigned order)
{
    Layout l = { .cluster = cluster, .table = 1, .blocks = 1, .order = order };
    uint64_t before;

    l.l1_entries = divide_up(size, cluster * (cluster / 8));
    l.l1 = divide_up(l.l1_entries * 8, cluster);
    do {
        before = l.all;
        l.all = 1 + l.table + l.blocks + l.l1;
        l.blocks = divide_up(l.all, cluster * 8 >> order);
        l.table = divide_up(l.blocks * 8, cluster);
    } while (l.all != before || l.all != 1 + l.table + l.blocks + l.l1);
    return l;
}

/* Length of the header, without extensions and name. */
static size_t put_header(const ImageCreate *what, const Layout *l, uint8_t *d)
{
    bool old = what->version == 2;
    size_t len = old ? QCOW2_HEAD_V2 : what->zstd ? QCOW2_HEAD_TYPE : QCOW2_HEAD_V3;

    put_be(d, 4, QCOW2_MAGIC);
    put_be(d + 4, 4, old ? 2 : 3);
    put_be(d + 20, 4, __builtin_ctzll(l->cluster));
    put_be(d + 24, 8, what->size);
    put_be(d + 36, 4, l->l1_entries);
    put_be(d + 40, 8, (1 + l->table + l->blocks) * l->cluster);
    put_be(d + 48, 8, l->cluster);
    put_be(d + 56, 4, l->table);
    if (old)
        return len;
    put_be(d + 72, 8, what->zstd ? QCOW2_ZSTD : 0);
    put_be(d + 80, 8, what->lazy ? LAZY : 0);
    put_be(d + 96, 4, l->order);
    put_be(d + 100, 4, len);
    if (what->zstd)
        d[104] = 1;
    return len;
}

static uint8_t *make_head(const ImageCreate *what, const Layout *l, size_t *len)
{
    uint8_t *d = g_malloc0(*len = l->all * l->cluster);
    size_t at = put_header(what, l, d), n;

    if (what->backing && what->backing_format) {
        n = strlen(what->backing_format);
        put_be(d + at, 4, QCOW2_EXT_FORMAT);
        put_be(d + at + 4, 4, n);
        memcpy(d + at + 8, what->backing_format, n);
        at += 8 + ((n + 7) & ~(size_t)7);
    }
    at += 8; /* the end of extensions */
    if (what->backing) {
        put_be(d + 8, 8, at);
        put_be(d + 16, 4, strlen(what->backing));
        memcpy(d + at, what->backing, strlen(what->backing));
    }
    for (uint64_t i = 0; i < l->blocks; i++)
        put_be(d + l->cluster + 8 * i, 8, (1 + l->table + i) * l->cluster);
    for (uint64_t i = 0; i < l->all; i++)
        qcow2_put_count(d + (1 + l->table) * l->cluster, l->order, i, 1);
    return d;
}

static bool check(const ImageCreate *what, uint64_t cluster, GError **error)
{
    size_t names = what->backing ? strlen(what->backing) : 0;

    if (what->backing && what->backing_format)
        names += strlen(what->backing_format) + 16;
    if (cluster < MIN_CLUSTER || cluster > MAX_CLUSTER || (cluster & (cluster - 1)))
        error_set(error, "Cluster size must be a power of two between %d and %dk", MIN_CLUSTER,
                  MAX_CLUSTER / 1024);
    else if (names > QCOW2_NAME_MAX || names + QCOW2_HEAD_TYPE + 8 > cluster)
        error_set(error, "the backing file's name is too long");
    else if (what->count_bits > 64 || (what->count_bits & (what->count_bits - 1)))
        error_set(error, "Refcount width must be a power of two and may not exceed 64 bits");
    else if (what->version == 2 && what->count_bits && what->count_bits != 16)
        error_set(error, "refcount_bits other than 16 needs compat=1.1 or later");
    else if (what->extended || what->data_file || what->data_raw)
        error_set(error, "%s is not supported yet", what->extended ? "extended_l2" : "data_file");
    else if (what->version == 2 && (what->lazy || what->zstd))
        error_set(error, "%s needs compat=1.1 or later",
                  what->lazy ? "lazy_refcounts" : "compression_type=zstd");
    else if (divide_up(what->size, cluster * (cluster / 8)) > QCOW2_MAX_L1)
        error_set(error, "The image size is too large for clusters of %" G_GUINT64_FORMAT " bytes",
                  cluster);
    else
        return true;
    return false;
}

bool qcow2_create(const ImageCreate *what, GError **error)
{
    uint64_t cluster = what->cluster ? what->cluster : DEFAULT_CLUSTER;
    g_autofree uint8_t *head = NULL;
    size_t len;
    Layout l;
    int fd, failure;

    if (!check(what, cluster, error))
        return false;
    fd = image_file_create(what->path, error);
    if (fd < 0)
        return false;
    l = plan(what->size, cluster, what->count_bits ? __builtin_ctz(what->count_bits) : 4);
    head = make_head(what, &l, &len);
    failure = image_file_write(fd, 0, head, len);
    if (close(fd) && !failure)
        failure = errno;
    if (!failure)
        return true;
    unlink(what->path);
    error_set(error, "Could not write '%s': %s", what->path, g_strerror(failure));
    return false;
}

/* Clusters one after another for all that has none; their contents are what the host gives a
 * file that grows: zeros. */
int qcow2_preallocate(Image *image)
{
    Qcow2 *q = image->own;
    int error = qcow2_set_dirty(q, true);
    uint64_t entry, place;

    for (uint64_t at = 0; at < image->size && !error; at += q->cluster) {
        error = qcow2_entry(q, at, &entry);
        if (error || entry)
            continue;
        error = qcow2_allocate(q, &place);
        if (!error)
            error = qcow2_put(q, at, place | QCOW2_COPIED);
    }
    return !error && ftruncate(q->fd, q->file_end) ? errno : error;
}
