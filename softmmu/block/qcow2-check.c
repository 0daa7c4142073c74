/* SPDX-License-Identifier: MIT */
/*
 * Counts of a qcow2 file against what refers to its clusters: header, tables of the image and of
 * its snapshots, tables of counts. An entry that points outside the file, or to what has another
 * use, is an error; a count that is too high a leak; one that is too low an error, as is an entry
 * that wrongly says whether its cluster counts once. Repairing changes counts and those marks
 * alone, and nothing where entries themselves are wrong.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"

#define MAX_CLUSTERS (UINT64_C(1) << 32)
#define MAX_TABLES   (1u << 18) /* that are walked: a hostile file has no end of snapshots */

typedef struct Walk {
    Qcow2 *q;
    uint32_t *refs;
    uint64_t clusters; /* in the file */
    uint32_t tables;   /* walked so far */
    uint64_t next;     /* the image's own: where its next cluster would follow the last one */
    Qcow2Report *report;
} Walk;

#define LOG_LIMIT 65536 /* bytes of it */

/* A finding; @done: it is mended. */
static void note(Walk *w, bool done, const char *what, uint64_t cluster, uint64_t count)
{
    GString *log = w->report->log;

    if (log && log->len < LOG_LIMIT)
        g_string_append_printf(log, "%s cluster %" PRIu64 " refcount=%" PRIu64 " reference=%u\n",
                               done ? "Repairing" : what, cluster, count, w->refs[cluster]);
}

static void refer(Walk *w, uint64_t offset, uint64_t len)
{
    Qcow2 *q = w->q;

    if (!offset || len > w->clusters * q->cluster || offset > w->clusters * q->cluster - len) {
        w->report->errors++;
        return;
    }
    for (uint64_t c = offset / q->cluster; c <= (offset + len - 1) / q->cluster; c++) {
        if (w->refs[c] < UINT32_MAX)
            w->refs[c]++;
    }
}

static void refer_entry(Walk *w, uint64_t entry)
{
    uint64_t offset = entry & QCOW2_OFFSET, len = w->q->cluster;

    if (entry & QCOW2_COMPRESSED)
        qcow2_compressed_range(w->q, entry, &offset, &len);
    else if (offset % w->q->cluster)
        w->report->errors++;
    if (offset)
        refer(w, offset, len);
}

/* Of the image's own. */
static void account_entry(Walk *w, const Qcow2Entry *e)
{
    bool packed = e->where & QCOW2_COMPRESSED;

    if (!e->has)
        return;
    w->report->allocated++;
    w->report->compressed += packed;
    w->report->fragmented += packed || (w->next && (e->where & QCOW2_OFFSET) != w->next);
    w->next = packed ? 0 : (e->where & QCOW2_OFFSET) + w->q->cluster;
}

static void walk_entry(Walk *w, const uint8_t *d, bool own)
{
    Qcow2Entry e;
    bool sense = qcow2_decode(w->q, d, &e);

    if (w->q->data_image || w->q->extended)
        w->report->errors += !sense;
    if (!w->q->data_image)
        refer_entry(w, e.where);
    if (own && sense)
        account_entry(w, &e);
}

static int walk_l1(Walk *w, const uint64_t *l1, uint64_t size)
{
    Qcow2 *q = w->q;
    int error = 0;

    for (uint64_t i = 0; i < size && !error; i++) {
        uint64_t offset = l1[i] & QCOW2_OFFSET;
        uint8_t *data;

        if (!offset)
            continue;
        refer(w, offset, q->cluster);
        if (offset % q->cluster || offset >= w->clusters * q->cluster) {
            w->report->errors++;
            continue;
        }
        error = ++w->tables > MAX_TABLES ? EFBIG : qcow2_table(q, offset, &data);
        for (uint64_t n = 0; !error && n < q->cluster; n += q->entry_bytes)
            walk_entry(w, data + n, l1 == q->l1);
    }
    return error;
}

static int walk_snapshots(Walk *w)
{
    Qcow2 *q = w->q;
    GPtrArray *list;
    uint64_t bytes;
    int error = qcow2_list_snapshots(q, &list, &bytes);

    for (guint i = 0; !error && i < list->len; i++) {
        const Qcow2Snapshot *s = list->pdata[i];
        g_autofree uint64_t *l1 = NULL;

        error = qcow2_read_l1(q, s->l1_offset, s->l1_size, &l1);
        if (s->l1_size)
            refer(w, s->l1_offset, 8ull * s->l1_size);
        if (!error)
            error = walk_l1(w, l1, s->l1_size);
    }
    if (!error && bytes)
        refer(w, q->snapshots_offset, bytes);
    if (!error)
        g_ptr_array_unref(list);
    return error;
}

static void refer_bitmap(void *opaque, uint64_t offset, uint64_t len)
{
    refer(opaque, offset, len);
}

static int walk_all(Walk *w)
{
    Qcow2 *q = w->q;
    int error;

    refer(w, 1, q->cluster - 1); /* the header: offset 0 stands for nothing elsewhere */
    if (q->l1_size)
        refer(w, q->l1_offset, 8ull * q->l1_size);
    refer(w, q->counts_offset, 8ull * q->counts_size);
    for (uint32_t i = 0; i < q->counts_size; i++) {
        if (q->counts[i] & QCOW2_OFFSET)
            refer(w, q->counts[i] & QCOW2_OFFSET, q->cluster);
    }
    error = walk_l1(w, q->l1, q->l1_size);
    if (!error)
        error = walk_snapshots(w);
    return error ? error : qcow2_walk_bitmaps(q, refer_bitmap, w);
}

static int compare(Walk *w, Qcow2Repair repair)
{
    Qcow2Report *r = w->report;
    int error = 0;

    for (uint64_t c = 0; c < w->clusters && !error; c++) {
        bool leaks, mends;
        uint64_t count;

        error = qcow2_count(w->q, c, &count);
        if (w->refs[c] || (count && repair == QCOW2_LOOK))
            r->end = (c + 1) * w->q->cluster;
        if (error || count == w->refs[c])
            continue;
        leaks = count > w->refs[c];
        mends = repair == QCOW2_REPAIR_ALL || (leaks && repair == QCOW2_REPAIR_LEAKS);
        note(w, mends, leaks ? "Leaked" : "ERROR", c, count);
        if (mends)
            error = qcow2_add_count(w->q, c, (int64_t)(w->refs[c] - count));
        *(mends   ? leaks ? &r->mended_leaks : &r->mended_errors
          : leaks ? &r->leaks
                  : &r->errors) += 1;
    }
    return error;
}

static bool is_marked_right(const Walk *w, uint64_t entry)
{
    uint64_t cluster = (entry & QCOW2_OFFSET) / w->q->cluster;

    if ((entry & QCOW2_COMPRESSED) || !cluster || cluster >= w->clusters)
        return true;
    return !(entry & QCOW2_COPIED) == (w->refs[cluster] != 1);
}

/* How many of the image's own entries say wrongly whether what they refer to counts once. */
static int count_marks(Walk *w, uint64_t *wrong)
{
    Qcow2 *q = w->q;
    int error = 0;

    for (uint32_t i = 0; i < q->l1_size && !error; i++) {
        uint64_t offset = q->l1[i] & QCOW2_OFFSET;
        uint8_t *data;

        if (!offset || offset >= w->clusters * q->cluster)
            continue;
        *wrong += !is_marked_right(w, q->l1[i]);
        error = qcow2_table(q, offset, &data);
        for (uint64_t n = 0; !error && !q->data_image && n < q->cluster; n += q->entry_bytes)
            *wrong += !is_marked_right(w, get_be(data + n, 8));
    }
    return error;
}

static int check_marks(Walk *w, bool repair)
{
    uint64_t wrong = 0;
    int error = count_marks(w, &wrong);

    if (error || !wrong)
        return error;
    if (w->report->log)
        g_string_append_printf(w->report->log,
                               "%s %" PRIu64 " entries that are wrongly marked as copied or not\n",
                               repair ? "Repairing" : "ERROR", wrong);
    *(repair ? &w->report->mended_errors : &w->report->errors) += wrong;
    return repair ? qcow2_mark_all(w->q) : 0;
}

int qcow2_check(Image *image, Qcow2Repair repair, Qcow2Report *report)
{
    Qcow2 *q = image->own;
    Walk w = { .q = q, .clusters = q->file_end / q->cluster, .report = report };
    int error;

    *report = (Qcow2Report){ .clusters = (image->size + q->cluster - 1) / q->cluster,
                             .log = report->log };
    if (w.clusters > MAX_CLUSTERS)
        return EFBIG;
    w.refs = g_new0(uint32_t, w.clusters + 1);
    error = walk_all(&w);
    if (report->errors)
        repair = QCOW2_LOOK;
    if (!error)
        error = compare(&w, repair);
    if (!error)
        error = check_marks(&w, repair == QCOW2_REPAIR_ALL);
    if (!error && !report->errors && repair == QCOW2_REPAIR_ALL)
        error = qcow2_set_features(q, q->features & ~(uint64_t)(QCOW2_DIRTY | QCOW2_CORRUPT));
    g_free(w.refs);
    return error;
}
