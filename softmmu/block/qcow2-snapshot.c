/* SPDX-License-Identifier: MIT */
/*
 * Internal snapshots of qcow2: rows of a table, each with a first table (L1) of its own. The
 * entries of that beyond those for the disk are for the machine's state. Each step is ordered so
 * that a process killed in it leaves at worst clusters that nobody refers to: counts go up before
 * something refers and down after nothing does.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/bytes.h"

#define ROW_HEAD   40
#define ROW_EXTRA  24 /* that we write: size of the state, of the disk, instruction count */
#define MAX_EXTRA  1024
#define MAX_ROWS   65536
#define MAX_STATE  (UINT64_C(1) << 40)
#define HEAD_L1    36 /* in the file's header: entries, offset */
#define HEAD_TABLE 60 /* rows, offset */

/* ---- The table of snapshots ------------------------------------------------------------------ */

static void free_row(void *p)
{
    Qcow2Snapshot *s = p;

    g_free(s->shown.id);
    g_free(s->shown.name);
    g_free(s);
}

static int read_text(const Qcow2 *q, uint64_t at, uint64_t len, char **text)
{
    *text = g_malloc0(len + 1);
    return image_file_read(q->fd, at, *text, len);
}

/* The row at @at; *@len: its bytes. */
static int read_row(const Qcow2 *q, uint64_t at, uint64_t disk_size, Qcow2Snapshot *s,
                    uint64_t *len)
{
    uint8_t head[ROW_HEAD], extra[ROW_EXTRA] = { 0 };
    uint64_t id, name, more;
    int error = at + ROW_HEAD > q->file_end ? EIO : image_file_read(q->fd, at, head, ROW_HEAD);

    if (error)
        return error;
    s->l1_offset = get_be(head, 8);
    s->l1_size = get_be(head + 8, 4);
    id = get_be(head + 12, 2);
    name = get_be(head + 14, 2);
    more = get_be(head + 36, 4);
    if (more > MAX_EXTRA || s->l1_size > QCOW2_MAX_L1)
        return EIO;
    s->shown = (ImageSnapshot){ .date_s = get_be(head + 16, 4),
                                .date_ns = get_be(head + 20, 4),
                                .vm_clock_ns = get_be(head + 24, 8),
                                .vm_size = get_be(head + 32, 4),
                                .disk_size = disk_size,
                                .icount = UINT64_MAX };
    error = image_file_read(q->fd, at + ROW_HEAD, extra, MIN(more, ROW_EXTRA));
    if (more >= 8)
        s->shown.vm_size = get_be(extra, 8);
    if (more >= 16)
        s->shown.disk_size = get_be(extra + 8, 8);
    if (more >= 24)
        s->shown.icount = get_be(extra + 16, 8);
    at += ROW_HEAD + more;
    if (!error)
        error = read_text(q, at, id, &s->shown.id);
    if (!error)
        error = read_text(q, at + id, name, &s->shown.name);
    *len = ROW_HEAD + more + id + name;
    return error;
}

static int list_rows(Qcow2 *q, uint64_t disk_size, GPtrArray **list, uint64_t *bytes)
{
    int error = q->snapshots > MAX_ROWS ? EIO : 0;
    uint64_t at = q->snapshots_offset, len = 0;

    *list = g_ptr_array_new_with_free_func(free_row);
    for (uint32_t i = 0; i < q->snapshots && !error; i++) {
        Qcow2Snapshot *s = g_new0(Qcow2Snapshot, 1);

        g_ptr_array_add(*list, s);
        error = read_row(q, at, disk_size, s, &len);
        at = (at + len + 7) & ~UINT64_C(7);
    }
    *bytes = at - q->snapshots_offset;
    if (error)
        g_clear_pointer(list, g_ptr_array_unref);
    return error;
}

int qcow2_list_snapshots(Qcow2 *q, GPtrArray **list, uint64_t *bytes)
{
    return list_rows(q, 0, list, bytes);
}

static void append_row(GByteArray *out, const Qcow2Snapshot *s)
{
    uint8_t head[ROW_HEAD + ROW_EXTRA] = { 0 };
    const ImageSnapshot *shown = &s->shown;
    static const uint8_t zeros[8];

    put_be(head, 8, s->l1_offset);
    put_be(head + 8, 4, s->l1_size);
    put_be(head + 12, 2, strlen(shown->id));
    put_be(head + 14, 2, strlen(shown->name));
    put_be(head + 16, 4, shown->date_s);
    put_be(head + 20, 4, shown->date_ns);
    put_be(head + 24, 8, shown->vm_clock_ns);
    put_be(head + 32, 4, MIN(shown->vm_size, UINT32_MAX));
    put_be(head + 36, 4, ROW_EXTRA);
    put_be(head + 40, 8, shown->vm_size);
    put_be(head + 48, 8, shown->disk_size);
    put_be(head + 56, 8, shown->icount);
    g_byte_array_append(out, head, sizeof(head));
    g_byte_array_append(out, (const uint8_t *)shown->id, strlen(shown->id));
    g_byte_array_append(out, (const uint8_t *)shown->name, strlen(shown->name));
    g_byte_array_append(out, zeros, -out->len & 7);
}

static int sync_file(const Qcow2 *q)
{
    return fdatasync(q->fd) ? errno : 0;
}

/* A number of 32 and one of 64 bits of the header, at once, when all before it is on the disk. */
static int set_header(Qcow2 *q, unsigned at, uint32_t number, uint64_t offset)
{
    uint8_t raw[12];
    int error = sync_file(q);

    put_be(raw, 4, number);
    put_be(raw + 4, 8, offset);
    if (!error)
        error = image_file_write(q->fd, at, raw, sizeof(raw));
    return error ? error : sync_file(q);
}

static int write_rows(Qcow2 *q, const GPtrArray *list, uint64_t old_bytes)
{
    g_autoptr(GByteArray) raw = g_byte_array_new();
    uint64_t offset = 0, old = q->snapshots_offset;
    int error = 0;

    for (guint i = 0; i < list->len; i++)
        append_row(raw, list->pdata[i]);
    if (raw->len)
        error = qcow2_place_bytes(q, raw->data, raw->len, &offset);
    if (!error)
        error = set_header(q, HEAD_TABLE, list->len, offset);
    if (error)
        return error;
    q->snapshots = list->len;
    q->snapshots_offset = offset;
    qcow2_free_bytes(q, old, old_bytes); /* else they leak: it is done nevertheless */
    return 0;
}

/* ---- First tables ---------------------------------------------------------------------------- */

int qcow2_read_l1(const Qcow2 *q, uint64_t offset, uint32_t size, uint64_t **l1)
{
    g_autofree uint8_t *raw = NULL;
    int error;

    *l1 = NULL;
    if (size > QCOW2_MAX_L1 || (size && (!offset || offset % q->cluster)))
        return EIO;
    raw = g_malloc(8ull * size + 1);
    error = image_file_read(q->fd, offset, raw, 8ull * size);
    if (error)
        return error;
    *l1 = g_new(uint64_t, size + 1ull);
    for (uint32_t i = 0; i < size; i++)
        (*l1)[i] = get_be(raw + 8ull * i, 8);
    return 0;
}

static int place_l1(Qcow2 *q, const uint64_t *l1, uint32_t size, uint64_t *offset)
{
    g_autofree uint8_t *raw = g_malloc(8ull * size + 1);

    for (uint32_t i = 0; i < size; i++)
        put_be(raw + 8ull * i, 8, l1[i]);
    return qcow2_place_bytes(q, raw, 8ull * size, offset);
}

static uint32_t l1_of_disk(const Qcow2 *q, uint64_t size)
{
    uint64_t bytes = qcow2_per_l1(q);

    return size / bytes + (size % bytes != 0);
}

/* The first *@steps of what these tables refer to, fewer with an error: how many is in *@steps. */
static int refer_some(Qcow2 *q, const uint64_t *l1, uint32_t size, int change, uint64_t *steps)
{
    g_autofree uint8_t *copy = g_malloc(q->cluster);
    uint64_t most = *steps;
    int error = 0;

    *steps = 0;
    for (uint32_t i = 0; i < size && !error && *steps < most; i++) {
        uint64_t offset = l1[i] & QCOW2_OFFSET;
        uint8_t *data;

        if (!offset)
            continue;
        error = qcow2_table(q, offset, &data);
        if (!error)
            memcpy(copy, data, q->cluster);
        for (uint64_t n = 0; n < q->cluster && !error && *steps < most; n += q->entry_bytes) {
            error = qcow2_refer(q, get_be(copy + n, 8), change);
            *steps += !error;
        }
        if (!error && *steps < most) {
            error = qcow2_add_count(q, offset / q->cluster, change);
            *steps += !error;
        }
    }
    return error;
}

/* All that these tables refer to counts @change times more, or all as before if one cannot. */
static int refer_l1(Qcow2 *q, const uint64_t *l1, uint32_t size, int change)
{
    uint64_t steps = UINT64_MAX;
    int error = refer_some(q, l1, size, change, &steps);

    if (error == EMLINK)
        refer_some(q, l1, size, -change, &steps);
    return error;
}

/* @entry with the bit that says whether what it refers to counts once. */
static int mark(Qcow2 *q, uint64_t *entry)
{
    uint64_t offset = *entry & QCOW2_OFFSET;
    uint64_t count = 0;
    int error;

    if ((*entry & QCOW2_COMPRESSED) || !offset)
        return 0;
    error = qcow2_count(q, offset / q->cluster, &count);
    *entry = count == 1 ? *entry | QCOW2_COPIED : *entry & ~QCOW2_COPIED;
    return error;
}

static int mark_table(Qcow2 *q, uint64_t offset)
{
    g_autofree uint8_t *copy = g_malloc(q->cluster);
    bool changed = false;
    uint8_t *data;
    int error = qcow2_table(q, offset, &data);

    if (!error)
        memcpy(copy, data, q->cluster);
    for (uint64_t n = 0; n < q->cluster && !error; n += q->entry_bytes) {
        uint64_t entry = get_be(copy + n, 8), old = entry;

        error = mark(q, &entry);
        put_be(copy + n, 8, entry);
        changed |= entry != old;
    }
    return error || !changed ? error : qcow2_put_table(q, offset, copy);
}

/* What of the image may be written in place, after counts have changed. */
int qcow2_mark_all(Qcow2 *q)
{
    int error = 0;

    for (uint32_t i = 0; i < q->l1_size && !error; i++) {
        uint64_t entry = q->l1[i];
        uint8_t raw[8];

        if (!(entry & QCOW2_OFFSET))
            continue;
        error = mark(q, &entry);
        put_be(raw, 8, entry);
        if (!error && entry != q->l1[i])
            error = image_file_write(q->fd, q->l1_offset + 8ull * i, raw, 8);
        if (!error)
            q->l1[i] = entry;
        if (!error)
            error = q->data_image ? 0 : mark_table(q, entry & QCOW2_OFFSET);
    }
    return error;
}

/* ---- The machine's state --------------------------------------------------------------------- */

typedef struct Qcow2State {
    ImageState head;
    /* being written */
    GArray *clusters; /* uint64_t: where they are */
    uint64_t size;
    uint8_t *part; /* a cluster that is not full yet */
    bool taken;    /* a snapshot has them */
    /* being read */
    uint64_t *l1;
    uint32_t l1_size, first; /* first: entry of the state */
} Qcow2State;

static ImageState *state_new(Image *image)
{
    Qcow2State *s = g_new0(Qcow2State, 1);

    s->head.image = image;
    s->clusters = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    s->part = g_malloc0(((Qcow2 *)image->own)->cluster);
    return &s->head;
}

static int put_cluster(Qcow2State *s)
{
    Qcow2 *q = s->head.image->own;
    uint64_t offset;
    int error = qcow2_set_dirty(q, true);

    if (!error)
        error = qcow2_allocate(q, &offset);
    if (error)
        return error;
    g_array_append_val(s->clusters, offset);
    error = image_file_write(q->fd, offset, s->part, q->cluster);
    memset(s->part, 0, q->cluster);
    return error;
}

static int state_write(ImageState *state, const void *data, size_t len)
{
    Qcow2State *s = (Qcow2State *)state;
    uint64_t cluster = ((Qcow2 *)state->image->own)->cluster;
    const uint8_t *p = data;
    int error = 0;

    while (len && !error) {
        uint64_t within = s->size % cluster, n = MIN(len, cluster - within);

        memcpy(s->part + within, p, n);
        s->size += n;
        p += n;
        len -= n;
        if (within + n == cluster)
            error = put_cluster(s);
    }
    return error;
}

static void state_free(ImageState *state)
{
    Qcow2State *s = (Qcow2State *)state;
    Qcow2 *q = state->image->own;

    for (guint i = 0; s->clusters && !s->taken && i < s->clusters->len; i++)
        qcow2_free_bytes(q, g_array_index(s->clusters, uint64_t, i),
                         1); /* else they leak: no harm */
    if (s->clusters)
        g_array_unref(s->clusters);
    g_free(s->part);
    g_free(s->l1);
    g_free(s);
}

/* Tables over its clusters; their offsets go to @l1. */
static int place_state(Qcow2State *s, uint64_t *l1)
{
    Qcow2 *q = s->head.image->own;
    uint64_t per = q->cluster / q->entry_bytes;
    g_autofree uint8_t *raw = g_malloc(q->cluster);
    int error = 0;

    for (guint i = 0; i < s->clusters->len && !error; i += per) {
        memset(raw, 0, q->cluster);
        for (guint n = 0; n < per && i + n < s->clusters->len; n++) {
            put_be(raw + q->entry_bytes * n, 8, g_array_index(s->clusters, uint64_t, i + n));
            if (q->extended)
                put_be(raw + 16 * n + 8, 8, QCOW2_PARTS);
        }
        error = qcow2_place_bytes(q, raw, q->cluster, &l1[i / per]);
    }
    return error;
}

/* ---- Making one ------------------------------------------------------------------------------ */

static char *new_id(const GPtrArray *list)
{
    uint64_t last = 0;

    for (guint i = 0; i < list->len; i++) {
        const Qcow2Snapshot *s = list->pdata[i];
        last = MAX(last, g_ascii_strtoull(s->shown.id, NULL, 10));
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT, last + 1);
}

/* Those that hold a state; if this fails as well they leak, which does no harm. */
static void drop_state_tables(Qcow2 *q, const uint64_t *l1, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (l1[i])
            qcow2_add_count(q, l1[i] / q->cluster, -1);
    }
}

/* Its first table: the disk's entries, and those of the state. */
static int place_tables(Image *image, Qcow2State *state, Qcow2Snapshot *s)
{
    Qcow2 *q = image->own;
    uint32_t disk = l1_of_disk(q, image->size);
    uint64_t bytes = state ? (uint64_t)q->entry_bytes * state->clusters->len : 0;
    uint32_t more = (bytes + q->cluster - 1) / q->cluster;
    g_autofree uint64_t *l1 = g_new0(uint64_t, disk + more + 1ull);
    int error = 0;

    for (uint32_t i = 0; i < disk; i++)
        l1[i] = q->l1[i] & QCOW2_OFFSET;
    if (state)
        error = place_state(state, l1 + disk);
    s->l1_size = disk + more;
    if (!error)
        error = place_l1(q, l1, s->l1_size, &s->l1_offset);
    if (error)
        drop_state_tables(q, l1, disk, s->l1_size);
    return error;
}

static int add_row(Image *image, Qcow2Snapshot *s, GPtrArray *list, uint64_t bytes)
{
    Qcow2 *q = image->own;
    uint32_t disk = l1_of_disk(q, image->size);
    int error = refer_l1(q, q->l1, disk, 1), undone;

    if (error)
        return error;
    error = qcow2_mark_all(q);
    if (!error)
        error = write_rows(q, list, bytes);
    if (!error || q->snapshots == list->len)
        return error;
    undone = refer_l1(q, q->l1, disk, -1);
    return undone ? undone : qcow2_mark_all(q) ? EIO : error;
}

/* They are not needed after all. */
static void drop_tables(Image *image, const Qcow2Snapshot *s)
{
    Qcow2 *q = image->own;
    g_autofree uint64_t *l1 = NULL;

    if (qcow2_read_l1(q, s->l1_offset, s->l1_size, &l1))
        return;
    drop_state_tables(q, l1, l1_of_disk(q, image->size), s->l1_size);
    qcow2_free_bytes(q, s->l1_offset, 8ull * s->l1_size);
}

static int finish_state(Qcow2State *state)
{
    uint64_t cluster = ((Qcow2 *)state->head.image->own)->cluster;

    if (state->size / cluster > MAX_STATE / cluster)
        return EFBIG;
    return state->size % cluster ? put_cluster(state) : 0;
}

static int create(Image *image, const ImageSnapshot *what, ImageState *given)
{
    Qcow2State *state = (Qcow2State *)given;
    Qcow2 *q = image->own;
    Qcow2Snapshot *s;
    GPtrArray *list;
    uint64_t bytes;
    int error = q->data_image ? ENOTSUP : qcow2_set_dirty(q, true);

    if (!error && state)
        error = finish_state(state);
    if (!error)
        error = list_rows(q, image->size, &list, &bytes);
    if (error)
        return error;
    s = g_new0(Qcow2Snapshot, 1);
    s->shown = *what;
    s->shown.id = new_id(list);
    s->shown.name = g_strdup(what->name);
    s->shown.disk_size = image->size;
    s->shown.vm_size = state ? state->size : 0;
    g_ptr_array_add(list, s);
    error = list->len > MAX_ROWS || strlen(what->name) > UINT16_MAX ? EFBIG
                                                                    : place_tables(image, state, s);
    if (!error) {
        error = add_row(image, s, list, bytes);
        if (error && q->snapshots != list->len)
            drop_tables(image, s);
    }
    if (state)
        state->taken = !error;
    g_ptr_array_unref(list);
    return error;
}

/* ---- Finding one ----------------------------------------------------------------------------- */

static int list(Image *image, GPtrArray *out)
{
    GPtrArray *rows;
    uint64_t bytes;
    int error = list_rows(image->own, image->size, &rows, &bytes);

    for (guint i = 0; !error && i < rows->len; i++) {
        ImageSnapshot *shown = g_new(ImageSnapshot, 1);

        *shown = ((Qcow2Snapshot *)rows->pdata[i])->shown;
        shown->id = g_strdup(shown->id);
        shown->name = g_strdup(shown->name);
        g_ptr_array_add(out, shown);
    }
    if (!error)
        g_ptr_array_unref(rows);
    return error;
}

static int find(Image *image, const char *id, GPtrArray **rows, uint64_t *bytes, guint *n)
{
    int error = list_rows(image->own, image->size, rows, bytes);

    if (error)
        return error;
    for (*n = 0; *n < (*rows)->len; ++*n) {
        if (!strcmp(((Qcow2Snapshot *)(*rows)->pdata[*n])->shown.id, id))
            return 0;
    }
    g_clear_pointer(rows, g_ptr_array_unref);
    return ENOENT;
}

static int state_open(Image *image, const char *id, ImageState **state)
{
    Qcow2 *q = image->own;
    GPtrArray *rows;
    uint64_t bytes;
    guint n;
    int error = find(image, id, &rows, &bytes, &n);
    Qcow2State *s;

    if (error)
        return error;
    s = g_new0(Qcow2State, 1);
    s->head.image = image;
    const Qcow2Snapshot *row = rows->pdata[n];
    s->size = row->shown.vm_size;
    s->l1_size = row->l1_size;
    s->first = l1_of_disk(q, row->shown.disk_size);
    error = qcow2_read_l1(q, row->l1_offset, row->l1_size, &s->l1);
    g_ptr_array_unref(rows);
    if (error)
        state_free(&s->head);
    else
        *state = &s->head;
    return error;
}

static int read_cluster_part(Qcow2State *s, uint64_t offset, uint8_t *p, size_t len)
{
    Qcow2 *q = s->head.image->own;
    uint64_t cluster = offset / q->cluster, per = q->cluster / q->entry_bytes, entry;
    uint64_t n = s->first + cluster / per, l2 = n < s->l1_size ? s->l1[n] & QCOW2_OFFSET : 0;
    uint8_t *data;
    int error = qcow2_table(q, l2, &data);

    if (error)
        return error;
    entry = get_be(data + q->entry_bytes * (cluster % per), 8);
    if ((entry & (QCOW2_COMPRESSED | QCOW2_ZERO)) || !(entry & QCOW2_OFFSET))
        return EIO;
    return image_file_read(q->fd, (entry & QCOW2_OFFSET) + offset % q->cluster, p, len);
}

static int state_read(ImageState *state, uint64_t offset, void *data, size_t len)
{
    Qcow2State *s = (Qcow2State *)state;
    uint64_t cluster = ((Qcow2 *)state->image->own)->cluster;
    uint8_t *p = data;
    int error = len > s->size || offset > s->size - len ? ENODATA : 0;

    for (size_t n; len && !error; p += n, offset += n, len -= n) {
        n = MIN(len, cluster - offset % cluster);
        error = read_cluster_part(s, offset, p, n);
    }
    return error;
}

/* ---- Going back to one, and doing without ---------------------------------------------------- */

static int switch_l1(Image *image, uint64_t *l1, uint32_t size)
{
    Qcow2 *q = image->own;
    g_autofree uint64_t *old = q->l1;
    uint64_t old_offset = q->l1_offset, offset;
    uint32_t old_size = q->l1_size;
    int error = place_l1(q, l1, size, &offset);

    if (!error)
        error = set_header(q, HEAD_L1, size, offset);
    if (error) {
        g_steal_pointer(&old);
        return error;
    }
    q->l1 = l1;
    q->l1_size = size;
    q->l1_offset = offset;
    error = refer_l1(q, old, old_size, -1);
    return error ? error : qcow2_free_bytes(q, old_offset, 8ull * old_size);
}

int qcow2_enlarge_l1(Qcow2 *q, uint64_t size)
{
    uint32_t entries = l1_of_disk(q, size), old_size = q->l1_size;
    uint64_t *l1 = g_new0(uint64_t, entries), offset, old_offset = q->l1_offset;
    int error;

    g_assert(entries >= old_size);
    memcpy(l1, q->l1, 8ull * old_size);
    error = place_l1(q, l1, entries, &offset);
    if (!error && fdatasync(q->fd)) /* it is there before the header says so */
        error = errno;
    if (!error)
        error = set_header(q, HEAD_L1, entries, offset);
    if (error) {
        g_free(l1);
        return error;
    }
    g_free(q->l1);
    q->l1 = l1;
    q->l1_size = entries;
    q->l1_offset = offset;
    return old_size ? qcow2_free_bytes(q, old_offset, 8ull * old_size) : 0;
}

static int apply(Image *image, const char *id)
{
    Qcow2 *q = image->own;
    GPtrArray *rows;
    uint64_t bytes, *l1 = NULL, disk;
    uint32_t size;
    guint n;
    int error = qcow2_set_dirty(q, true);

    if (!error)
        error = find(image, id, &rows, &bytes, &n);
    if (error)
        return error;
    const Qcow2Snapshot *s = rows->pdata[n];
    disk = s->shown.disk_size;
    size = l1_of_disk(q, disk);
    error =
        disk % 512 || s->l1_size < size ? EINVAL : qcow2_read_l1(q, s->l1_offset, s->l1_size, &l1);
    g_ptr_array_unref(rows);
    for (uint32_t i = 0; !error && i < size; i++)
        l1[i] &= QCOW2_OFFSET;
    if (!error)
        error = refer_l1(q, l1, size, 1);
    if (!error && disk < image->size) /* the disk is never larger than its table */
        error = qcow2_put_size(image, disk);
    if (!error)
        error = switch_l1(image, l1, size);
    if (l1 != q->l1)
        g_free(l1);
    if (!error && disk > image->size)
        error = qcow2_put_size(image, disk);
    return error ? error : qcow2_mark_all(q);
}

static int remove_one(Image *image, const char *id)
{
    Qcow2 *q = image->own;
    GPtrArray *rows;
    Qcow2Snapshot *s;
    g_autofree uint64_t *l1 = NULL;
    uint64_t bytes;
    guint n;
    int error = qcow2_set_dirty(q, true);

    if (!error)
        error = find(image, id, &rows, &bytes, &n);
    if (error)
        return error;
    s = g_ptr_array_steal_index(rows, n);
    error = qcow2_read_l1(q, s->l1_offset, s->l1_size, &l1);
    if (!error)
        error = write_rows(q, rows, bytes);
    if (!error)
        error = refer_l1(q, l1, s->l1_size, -1);
    if (!error)
        error = qcow2_free_bytes(q, s->l1_offset, 8ull * s->l1_size);
    free_row(s);
    g_ptr_array_unref(rows);
    return error ? error : qcow2_mark_all(q);
}

static int view(Image *image, const char *id)
{
    Qcow2 *q = image->own;
    GPtrArray *rows;
    uint64_t bytes, *l1 = NULL, size;
    guint n;
    int error = find(image, id, &rows, &bytes, &n);

    if (error)
        return error;
    const Qcow2Snapshot *s = rows->pdata[n];
    size = s->shown.disk_size;
    error = s->l1_size < l1_of_disk(q, size) || size % 512
                ? EINVAL
                : qcow2_read_l1(q, s->l1_offset, s->l1_size, &l1);
    if (!error) {
        g_free(q->l1);
        q->l1 = l1;
        q->l1_size = s->l1_size;
        image->size = size;
    }
    g_ptr_array_unref(rows);
    return error;
}

const SnapshotOps qcow2_snapshots = {
    .list = list,
    .create = create,
    .apply = apply,
    .remove = remove_one,
    .view = view,
    .state_new = state_new,
    .state_write = state_write,
    .state_open = state_open,
    .state_read = state_read,
    .state_free = state_free,
};
