/* SPDX-License-Identifier: MIT */
/*
 * A qcow2 image becomes one of another version, of lazy or other counts. What is new is on the
 * disk before the header, in one write, says so; an image whose process was killed is as it was
 * or as it shall be, with clusters at worst that nobody refers to.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"

/* ---- Counts of another width ----------------------------------------------------------------- */

/* Where the new ones go, in clusters: behind all that there is. */
typedef struct Plan {
    unsigned order;
    uint64_t per_block, first, blocks, table; /* first: block */
} Plan;

static uint64_t divide_up(uint64_t n, uint64_t by)
{
    return n / by + (n % by != 0);
}

static Plan plan(const Qcow2 *q, unsigned order)
{
    Plan p = { .order = order,
               .per_block = q->cluster * 8 >> order,
               .first = q->file_end / q->cluster };
    uint64_t before;

    do {
        before = p.blocks + p.table;
        p.blocks = divide_up(p.first + p.blocks + p.table, p.per_block);
        p.table = divide_up(p.blocks * 8, q->cluster);
    } while (p.blocks + p.table != before);
    return p;
}

/* What the old blocks and their table were is free; the new ones count once. */
static int new_count(Qcow2 *q, const Plan *p, uint64_t cluster, uint64_t *count)
{
    uint64_t table = q->counts_offset / q->cluster;
    int error = 0;

    *count = cluster >= p->first && cluster < p->first + p->blocks + p->table;
    if (cluster >= p->first ||
        (cluster >= table && cluster < table + divide_up(q->counts_size * 8ull, q->cluster)))
        return 0;
    error = qcow2_count(q, cluster, count);
    return !error && *count > qcow2_most(p->order) ? ERANGE : error;
}

static int write_block(Qcow2 *q, const Plan *p, uint64_t block, GHashTable *old, uint8_t *data)
{
    int error = 0;

    memset(data, 0, q->cluster);
    for (uint64_t i = 0; i < p->per_block && !error; i++) {
        uint64_t cluster = block * p->per_block + i, count;

        error = new_count(q, p, cluster, &count);
        if (!error && count && !g_hash_table_contains(old, &cluster))
            qcow2_put_count(data, p->order, i, count);
    }
    return error ? error
                 : image_file_write(q->fd, (p->first + block) * q->cluster, data, q->cluster);
}

static void add_old(GHashTable *old, uint64_t cluster)
{
    uint64_t *key = g_new(uint64_t, 1);

    *key = cluster;
    g_hash_table_add(old, key);
}

static int write_counts(Qcow2 *q, const Plan *p, uint64_t **counts)
{
    g_autofree uint8_t *data = g_malloc0(q->cluster), *raw = g_malloc0(p->table * q->cluster);
    g_autoptr(GHashTable) old = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    int error = 0;

    for (uint32_t i = 0; i < q->counts_size; i++) {
        if (q->counts[i] & QCOW2_OFFSET)
            add_old(old, (q->counts[i] & QCOW2_OFFSET) / q->cluster);
    }
    *counts = g_new0(uint64_t, p->table * (q->cluster / 8));
    for (uint64_t i = 0; i < p->blocks && !error; i++) {
        (*counts)[i] = (p->first + i) * q->cluster;
        put_be(raw + 8 * i, 8, (*counts)[i]);
        error = write_block(q, p, i, old, data);
    }
    if (!error)
        error = image_file_write(q->fd, (p->first + p->blocks) * q->cluster, raw,
                                 p->table * q->cluster);
    return error;
}

static int change_counts(Qcow2 *q, unsigned order)
{
    Plan p = plan(q, order);
    Qcow2 was = *q;
    uint64_t *counts = NULL;
    int error = p.table > QCOW2_MAX_COUNT_CLUSTERS ? EFBIG : write_counts(q, &p, &counts);

    if (!error) {
        q->counts_offset = (p.first + p.blocks) * q->cluster;
        q->counts_size = p.table * (q->cluster / 8);
        q->count_order = order;
        error = qcow2_write_header(q, true, NULL, NULL);
    }
    if (error) {
        q->counts_offset = was.counts_offset;
        q->counts_size = was.counts_size;
        q->count_order = was.count_order;
        g_free(counts);
        return error;
    }
    g_free(q->counts);
    q->counts = counts;
    q->file_end += (p.blocks + p.table) * q->cluster;
    q->search = 0;
    qcow2_forget_tables(q);
    return 0;
}

/* ---- Another version ------------------------------------------------------------------------- */

/* Those that version 2 has no entry for. */
static int do_without_zeros(Image *image)
{
    Qcow2 *q = image->own;
    Qcow2Entry e;
    int error = qcow2_set_dirty(q, true);

    for (uint64_t at = 0; at < image->size && !error; at += q->cluster) {
        error = qcow2_entry(q, at, &e);
        if (error || !e.zero)
            continue;
        error = q->backing ? image_write_zeros(image, at, MIN(q->cluster, image->size - at))
                           : qcow2_drop(q, at, false);
    }
    return error;
}

static int set_version(Qcow2 *q, unsigned version)
{
    unsigned was = q->version;
    uint64_t features = q->features, autoclear = q->autoclear;
    int error;

    q->version = version;
    q->features = 0;
    q->autoclear = 0;
    error = qcow2_write_header(q, true, NULL, NULL);
    if (error) {
        q->version = was;
        q->features = features;
        q->autoclear = autoclear;
    }
    return error;
}

static int go_back(Image *image)
{
    Qcow2 *q = image->own;
    int error = do_without_zeros(image);

    if (!error && fdatasync(q->fd))
        error = errno;
    return error ? error : set_version(q, 2);
}

/* ---- What is asked for ----------------------------------------------------------------------- */

static int set_lazy(Qcow2 *q, bool lazy)
{
    bool was = q->lazy;
    int error;

    q->lazy = lazy;
    error = lazy == was ? 0 : qcow2_write_header(q, true, NULL, NULL);
    if (error)
        q->lazy = was;
    return error;
}

static bool check(Image *image, const Qcow2Amend *what, unsigned version, GError **error)
{
    Qcow2 *q = image->own;
    unsigned order = what->count_bits ? __builtin_ctz(what->count_bits) : q->count_order;

    if (version >= 3)
        return true;
    if (what->lazy > 0)
        error_set(error, "Lazy refcounts only supported with compatibility level 1.1 and above "
                         "(use compat=1.1 or greater)");
    else if (order != 4)
        error_set(error, "compat=0.10 requires refcount_bits=16");
    else if (q->features & ~(uint64_t)QCOW2_DIRTY)
        error_set(error, "'%s' has what version 2 cannot have", image->path);
    else if (q->version > 2 && (q->snapshots || q->bitmaps || image->bitmaps))
        error_set(error, "an image with snapshots or bitmaps does not become one of version 2");
    else
        return true;
    return false;
}

bool qcow2_amend(Image *image, const Qcow2Amend *what, GError **error)
{
    Qcow2 *q = image->own;
    unsigned version = what->version ? what->version : q->version;
    int failure = 0;

    if (!check(image, what, version, error))
        return false;
    if (version > q->version)
        failure = set_version(q, version);
    if (!failure && what->count_bits && what->count_bits != 1u << q->count_order) {
        failure = qcow2_set_dirty(q, true);
        if (!failure)
            failure = change_counts(q, __builtin_ctz(what->count_bits));
    }
    if (!failure && what->lazy >= 0)
        failure = set_lazy(q, what->lazy);
    if (!failure && what->sized && !image_resize(image, what->size, error))
        return false;
    if (!failure && version < q->version) {
        q->lazy = false;
        failure = go_back(image);
    }
    if (failure == ERANGE)
        error_set(error, "'%s': a cluster counts more than refcount_bits=%u can say", image->path,
                  what->count_bits);
    else if (failure)
        error_set(error, "'%s' could not be changed: %s", image->path, g_strerror(failure));
    return !failure;
}
