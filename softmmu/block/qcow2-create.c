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
#define MIN_EXTENDED    16384
#define ROOM_CLUSTERS   256 /* that a file grows by while it is preallocated */
#define LAZY            1   /* compatible feature: counts may be late. Ours never are */

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

static Layout plan(uint64_t size, uint64_t cluster, unsigned order, bool extended)
{
    Layout l = { .cluster = cluster, .table = 1, .blocks = 1, .order = order };
    uint64_t before;

    l.l1_entries = divide_up(size, cluster * (cluster / (extended ? 16 : 8)));
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
    put_be(d + 72, 8,
           (what->zstd ? QCOW2_ZSTD : 0) | (what->extended ? QCOW2_EXTENDED : 0) |
               (what->data_file ? QCOW2_DATA_FILE : 0));
    put_be(d + 80, 8, what->lazy ? LAZY : 0);
    put_be(d + 88, 8, what->data_raw ? QCOW2_DATA_RAW : 0);
    put_be(d + 96, 4, l->order);
    put_be(d + 100, 4, len);
    if (what->zstd)
        d[104] = 1;
    return len;
}

/* Its bytes. */
static size_t put_extension(uint8_t *d, uint32_t type, const char *text)
{
    size_t n = strlen(text);

    put_be(d, 4, type);
    put_be(d + 4, 4, n);
    memcpy(d + 8, text, n);
    return 8 + ((n + 7) & ~(size_t)7);
}

static uint8_t *make_head(const ImageCreate *what, const Layout *l, size_t *len)
{
    uint8_t *d = g_malloc0(*len = l->all * l->cluster);
    size_t at = put_header(what, l, d);

    if (what->backing && what->backing_format)
        at += put_extension(d + at, QCOW2_EXT_FORMAT, what->backing_format);
    if (what->data_file)
        at += put_extension(d + at, QCOW2_EXT_DATA, what->data_file);
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

/* What version 2 has not; NULL: nothing of it. */
static const char *newer(const ImageCreate *what)
{
    return what->lazy        ? "lazy_refcounts"
           : what->zstd      ? "compression_type=zstd"
           : what->extended  ? "extended_l2"
           : what->data_file ? "data_file"
                             : NULL;
}

static bool check(const ImageCreate *what, uint64_t cluster, GError **error)
{
    size_t names = what->backing ? strlen(what->backing) : 0;

    if (what->backing && what->backing_format)
        names += strlen(what->backing_format) + 16;
    if (what->data_file)
        names += strlen(what->data_file) + 16;
    if (cluster < MIN_CLUSTER || cluster > MAX_CLUSTER || (cluster & (cluster - 1)))
        error_set(error, "Cluster size must be a power of two between %d and %dk", MIN_CLUSTER,
                  MAX_CLUSTER / 1024);
    else if (names > QCOW2_NAME_MAX || names + QCOW2_HEAD_TYPE + 8 > cluster)
        error_set(error, "the name of the %s file is too long", what->backing ? "backing" : "data");
    else if (what->count_bits > 64 || (what->count_bits & (what->count_bits - 1)))
        error_set(error, "Refcount width must be a power of two and may not exceed 64 bits");
    else if (what->version == 2 && what->count_bits && what->count_bits != 16)
        error_set(error, "refcount_bits other than 16 needs compat=1.1 or later");
    else if (what->version == 2 && newer(what))
        error_set(error, "%s needs compat=1.1 or later", newer(what));
    else if (what->extended && cluster < MIN_EXTENDED)
        error_set(error, "extended_l2 needs clusters of at least %d bytes", MIN_EXTENDED);
    else if (what->data_raw && (!what->data_file || what->backing))
        error_set(error, what->backing ? "data_file_raw goes with no backing file"
                                       : "data_file_raw needs data_file");
    else if (divide_up(what->size, cluster * (cluster / (what->extended ? 16 : 8))) > QCOW2_MAX_L1)
        error_set(error, "The image size is too large for clusters of %" G_GUINT64_FORMAT " bytes",
                  cluster);
    else
        return true;
    return false;
}

/* The data file as large as the disk; what was in it is gone. */
static bool make_data(const ImageCreate *what, GError **error)
{
    g_autofree char *path = what->data_file ? qcow2_beside(what->path, what->data_file) : NULL;

    return !path ||
           image_create(&(ImageCreate){ .path = path, .format = "raw", .size = what->size }, error);
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
    fd = make_data(what, error) ? image_file_create(what->path, error) : -1;
    if (fd < 0)
        return false;
    l = plan(what->size, cluster, what->count_bits ? __builtin_ctz(what->count_bits) : 4,
             what->extended);
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

/* The file has what the next entries will refer to before they do. */
static int make_room(Qcow2 *q, uint64_t *end)
{
    if (q->file_end + ROOM_CLUSTERS / 2 * q->cluster <= *end)
        return 0;
    *end = q->file_end + ROOM_CLUSTERS * q->cluster;
    return ftruncate(q->fd, *end) ? errno : 0;
}

/* Clusters one after another for all that has none; their contents are what the host gives a
 * file that grows: zeros. */
int qcow2_preallocate(Image *image)
{
    Qcow2 *q = image->own;
    int error = qcow2_set_dirty(q, true);
    uint64_t end = 0;
    Qcow2Entry e;

    if (!error && q->data_image)
        error = ftruncate(q->data, image->size) ? errno : 0;
    for (uint64_t at = 0, place = 0; at < image->size && !error; at += q->cluster) {
        error = qcow2_entry(q, at, &e);
        if (error || e.where || e.zero)
            continue;
        place = at;
        error = make_room(q, &end);
        if (!error && !q->data_image)
            error = qcow2_allocate(q, &place);
        e.where = place | QCOW2_COPIED;
        e.has = q->extended ? 0 : QCOW2_PARTS;
        if (qcow2_is_data_raw(q))
            e.has = QCOW2_PARTS;
        if (!error)
            error = qcow2_put(q, at, &e);
    }
    return !error && ftruncate(q->fd, q->file_end) ? errno : error;
}
