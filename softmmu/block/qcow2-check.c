/* SPDX-License-Identifier: MIT */
/*
 * Counts of a qcow2 file against what refers to its clusters: header, tables of the image and of
 * its snapshots, tables of counts. An entry that points outside the file, or to what has another
 * use, is an error; a count that is too high a leak; one that is too low is an error unless it is
 * repaired. Repairing changes counts alone.
 */
#include <errno.h>
#include <string.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"

#define MAX_CLUSTERS (UINT64_C(1) << 32)
#define MAX_TABLES   (1u << 18) /* that are walked: a hostile file has no end of snapshots */

typedef struct Walk {
    Qcow2 *q;
    uint16_t *refs;
    uint64_t clusters; /* in the file */
    uint32_t tables;   /* walked so far */
    Qcow2Report *report;
} Walk;

static void refer(Walk *w, uint64_t offset, uint64_t len)
{
    Qcow2 *q = w->q;

    if (!offset || len > w->clusters * q->cluster || offset > w->clusters * q->cluster - len) {
        w->report->errors++;
        return;
    }
    for (uint64_t c = offset / q->cluster; c <= (offset + len - 1) / q->cluster; c++) {
        if (w->refs[c] < UINT16_MAX)
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
    if (offset) {
        w->report->allocated++;
        refer(w, offset, len);
    }
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
        for (uint64_t n = 0; !error && n < q->cluster / 8; n++)
            refer_entry(w, get_be(data + 8 * n, 8));
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
    return error ? error : walk_snapshots(w);
}

static int compare(Walk *w, bool repair)
{
    int error = 0;

    for (uint64_t c = 0; c < w->clusters && !error; c++) {
        uint16_t count;

        error = qcow2_count(w->q, c, &count);
        if (error || count == w->refs[c])
            continue;
        if (repair)
            error = qcow2_add_count(w->q, c, w->refs[c] - count);
        else if (count > w->refs[c])
            w->report->leaks++;
        else
            w->report->errors++;
    }
    return error;
}

int qcow2_check(Image *image, bool repair, Qcow2Report *report)
{
    Qcow2 *q = image->own;
    Walk w = { .q = q, .clusters = q->file_end / q->cluster, .report = report };
    int error;

    *report = (Qcow2Report){ .clusters = w.clusters };
    if (w.clusters > MAX_CLUSTERS)
        return EFBIG;
    w.refs = g_new0(uint16_t, w.clusters + 1);
    error = walk_all(&w);
    if (!error)
        error = compare(&w, repair && !report->errors);
    g_free(w.refs);
    return error;
}
