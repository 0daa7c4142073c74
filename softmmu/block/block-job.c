/* SPDX-License-Identifier: MIT */
/*
 * A bit for each chunk of the disk says that it is to be looked at: whether there is anything to
 * copy is found out when it is its turn, as images may take long to tell. A chunk that fails keeps
 * its bit. Missing: sources other than drives.
 */
#include <errno.h>
#include <string.h>

#include "softmmu/block/block-job-internal.h"
#include "softmmu/block/drive-internal.h"
#include "softmmu/error.h"

#define CHUNK 65536               /* bytes, unless the user says otherwise */
#define SKIP  (UINT64_C(1) << 28) /* of what nothing is to be copied, looked at in one step */

/* ---- What is to be copied -------------------------------------------------------------------- */

static bool is_todo(const BlockJob *j, uint64_t chunk)
{
    return j->todo[chunk / 8] >> chunk % 8 & 1;
}

static uint64_t chunk_len(const BlockJob *j, uint64_t chunk)
{
    return MIN(j->chunk, j->size - chunk * j->chunk);
}

static void set_todo(BlockJob *j, uint64_t chunk, bool todo)
{
    if (is_todo(j, chunk) == todo)
        return;
    j->todo[chunk / 8] ^= 1 << chunk % 8;
    j->left += todo ? 1 : -1;
}

/* Chunks around a range of the disk, which may be beyond its end. */
static void mark_range(BlockJob *j, uint64_t offset, uint64_t len)
{
    uint64_t end = MIN(offset + len, j->size);

    for (uint64_t c = offset / j->chunk; offset < end && c <= (end - 1) / j->chunk; c++) {
        if (is_todo(j, c))
            continue;
        set_todo(j, c, true);
        j->len += chunk_len(j, c);
    }
}

static void mark_bitmap(BlockJob *j, const ImageBitmap *b)
{
    for (uint64_t n = 0; n < b->bits; n++) {
        if (b->map[n / 8] >> n % 8 & 1)
            mark_range(j, n * b->granularity, b->granularity);
    }
}

static void mark_all(BlockJob *j)
{
    if (j->w.kind == BLOCK_JOB_STREAM && image_backing(j->source) == j->w.base)
        return;
    if (j->w.bitmap)
        mark_bitmap(j, j->w.bitmap);
    else if (j->w.kind == BLOCK_JOB_COMMIT || j->w.kind == BLOCK_JOB_STREAM ||
             j->w.sync != BLOCK_JOB_NONE)
        mark_range(j, 0, j->size);
}

/* What there is to copy lies above an image. */
static bool has_floor(const BlockJob *j, const Image **floor)
{
    *floor = j->w.kind == BLOCK_JOB_COMMIT ? j->w.base : image_backing(j->source);
    return j->w.kind == BLOCK_JOB_COMMIT ||
           (j->w.kind != BLOCK_JOB_STREAM && j->w.sync == BLOCK_JOB_TOP);
}

/* The caller knows that there is one. */
static uint64_t next_todo(BlockJob *j)
{
    while (!is_todo(j, j->cursor))
        j->cursor = j->cursor + 1 < j->chunks ? j->cursor + 1 : 0;
    return j->cursor;
}

/* ---- Copying --------------------------------------------------------------------------------- */

/* Functions give 0 or an errno value; *@write: of writing. */

static bool is_all_zero(const uint8_t *data, size_t len)
{
    return !data[0] && !memcmp(data, data + 1, len - 1);
}

/* Whole clusters: chunks are. */
static int write_packed(BlockJob *j, uint64_t offset, uint64_t len)
{
    uint64_t cluster = image_facts(j->target).cluster;
    int error = 0;

    for (uint64_t at = 0; at < len && !error; at += cluster)
        error = image_write_compressed(j->target, offset + at, j->buf + at, MIN(cluster, len - at));
    return error;
}

static int copy_range(BlockJob *j, uint64_t offset, uint64_t len, bool *write)
{
    int error = image_read(j->from, offset, j->buf, len);

    *write = !error;
    if (error)
        return error;
    if (is_all_zero(j->buf, len))
        return image_zero(j->target, offset, len);
    return j->w.compress ? write_packed(j, offset, len)
                         : image_write(j->target, offset, j->buf, len);
}

/* What lies above @floor of these. */
static int copy_above(BlockJob *j, const Image *floor, uint64_t offset, uint64_t len, bool *write)
{
    int error = 0;

    for (uint64_t n; len && !error; offset += n, len -= n) {
        ImageLayer layer;

        n = len;
        error = image_layer_above(j->from, floor, offset, &n, &layer);
        if (j->w.compress) /* whole clusters */
            n = offset % j->chunk || layer != IMAGE_BELOW ? len : n;
        if (!error && layer != IMAGE_BELOW)
            error = copy_range(j, offset, n, write);
    }
    return error;
}

/* Chunks from @chunk on that have nothing above @floor need no looking at one by one. */
static int skip_below(BlockJob *j, const Image *floor, uint64_t chunk)
{
    uint64_t offset = chunk * j->chunk, len = MIN(j->size - offset, SKIP);
    ImageLayer layer;
    int error = image_layer_above(j->from, floor, offset, &len, &layer);

    if (error || layer != IMAGE_BELOW)
        return error;
    for (uint64_t c = chunk; c < j->chunks && c * j->chunk + chunk_len(j, c) <= offset + len; c++) {
        j->done += is_todo(j, c) ? chunk_len(j, c) : 0;
        set_todo(j, c, false);
    }
    return 0;
}

/* What the image gets from those behind it that go. Zeros that nobody has stay nobody's, unless
 * the base that stays has something there. */
static int stream_run(BlockJob *j, uint64_t offset, uint64_t *len, bool *write)
{
    ImageLayer own, layer;
    int error = image_layer(j->source, offset, len, &own);

    if (!error)
        error = image_layer_above(j->source, j->w.base, offset, len, &layer);
    if (error || own == IMAGE_DATA || layer == IMAGE_BELOW)
        return error;
    if (layer == IMAGE_DATA)
        return copy_range(j, offset, *len, write);
    *write = true;
    return j->w.base ? image_zero(j->target, offset, *len) : 0;
}

static int copy_chunk(BlockJob *j, uint64_t chunk, bool *write)
{
    uint64_t offset = chunk * j->chunk, end = offset + chunk_len(j, chunk);
    const Image *floor;
    int error = 0;

    *write = false;
    if (has_floor(j, &floor))
        return copy_above(j, floor, offset, end - offset, write);
    if (j->w.kind != BLOCK_JOB_STREAM)
        return copy_range(j, offset, end - offset, write);
    for (uint64_t len; offset < end && !error; offset += len) {
        len = end - offset;
        error = stream_run(j, offset, &len, write);
    }
    return error;
}

/* The bit goes first: what the guest writes from then on is seen. */
static int do_chunk(BlockJob *j, uint64_t chunk, bool *write)
{
    int error;

    set_todo(j, chunk, false);
    error = copy_chunk(j, chunk, write);
    if (error)
        set_todo(j, chunk, true);
    else
        j->done += chunk_len(j, chunk);
    return error;
}

/* ---- How it goes ----------------------------------------------------------------------------- */

static void set_state(BlockJob *j, BlockJobState state)
{
    j->untold |= j->state != state;
    j->state = state;
}

static void fail(BlockJob *j, int error, bool write)
{
    j->error = error;
    j->trouble = (BlockJobTrouble){ .write = write, .error = error };
    set_state(j, BLOCK_JOB_FAILED);
}

static void meet_trouble(BlockJob *j, int error, bool write)
{
    DriveOnError action = write ? j->w.on_target_error : j->w.on_source_error;

    if (action == DRIVE_REPORT || (action == DRIVE_ENOSPC && !drive_means_no_room(error))) {
        fail(j, error, write);
        return;
    }
    j->trouble = (BlockJobTrouble){ .write = write, .stopped = true, .error = error };
    j->stopped_by = error;
    j->paused = j->untold = true;
}

/* Copies nothing but what is about to change: a bit says that it was. It has no end of its own. */
static bool only_keeps(const BlockJob *j)
{
    return j->w.kind == BLOCK_JOB_BACKUP && j->w.sync == BLOCK_JOB_NONE;
}

static void look_whether_done(BlockJob *j)
{
    bool copies = j->w.kind == BLOCK_JOB_MIRROR || (j->w.kind == BLOCK_JOB_COMMIT && !j->w.top);

    if (!j->left && j->state == BLOCK_JOB_RUNNING)
        set_state(j, copies ? BLOCK_JOB_READY : BLOCK_JOB_DONE);
}

int64_t block_job_due_us(const BlockJob *j)
{
    bool over = j->state == BLOCK_JOB_DONE || j->state == BLOCK_JOB_FAILED;

    if (over || j->paused || only_keeps(j) || (!j->left && j->state == BLOCK_JOB_READY))
        return INT64_MAX;
    return j->due_us;
}

/* The next one that has something to copy. */
static int do_next(BlockJob *j, bool *write)
{
    const Image *floor;
    uint64_t chunk = next_todo(j);
    int error = has_floor(j, &floor) ? skip_below(j, floor, chunk) : 0;

    *write = false;
    return error || !is_todo(j, chunk) ? error : do_chunk(j, chunk, write);
}

void block_job_step(BlockJob *j)
{
    uint64_t before = j->done;
    bool write;
    int error;

    if (j->left) {
        error = do_next(j, &write);
        if (error)
            meet_trouble(j, error, write);
    }
    if (j->speed)
        j->due_us = MAX(j->due_us, g_get_monotonic_time()) +
                    (int64_t)((double)(j->done - before) * G_USEC_PER_SEC / j->speed);
    look_whether_done(j);
}

static int keep_chunk(BlockJob *j, uint64_t chunk, bool *write)
{
    int error = 0;

    if (!only_keeps(j))
        return is_todo(j, chunk) ? do_chunk(j, chunk, write) : 0;
    if (!is_todo(j, chunk))
        error = copy_chunk(j, chunk, write);
    if (!error)
        set_todo(j, chunk, true);
    return error;
}

/* What a backup has yet to copy must be copied before it changes. That it cannot be is no matter
 * of the guest's. */
void block_job_before(BlockJob *j, uint64_t offset, uint64_t len)
{
    uint64_t end = MIN(offset + len, j->size);
    int error = 0;
    bool write;

    if (j->w.kind != BLOCK_JOB_BACKUP || j->state != BLOCK_JOB_RUNNING || offset >= end)
        return;
    for (uint64_t c = offset / j->chunk; c <= (end - 1) / j->chunk && !error; c++)
        error = keep_chunk(j, c, &write);
    if (error)
        fail(j, error, write);
}

void block_job_after(BlockJob *j, uint64_t offset, uint64_t len)
{
    if (j->w.kind == BLOCK_JOB_MIRROR || (j->w.kind == BLOCK_JOB_COMMIT && !j->w.top))
        mark_range(j, offset, len);
}

/* What was committed is not behind anything any more: the base is. */
static int take_out(BlockJob *j)
{
    Image *above = j->source;
    int error = 0;

    while (image_backing(above) != j->w.top)
        above = image_backing(above);
    if (above != j->source && !image_set_read_only(above, false, NULL))
        return EACCES;
    error = image_rebase(above, j->w.base, j->name);
    if (above != j->source)
        image_set_read_only(above, true, NULL);
    return error;
}

int block_job_finish(BlockJob *j)
{
    bool write;
    int error = j->error;

    while (!error && j->left)
        error = do_next(j, &write);
    if (!error)
        error = image_flush(j->target);
    if (!error && j->w.kind == BLOCK_JOB_STREAM)
        error = image_rebase(j->source, j->w.base, j->name);
    if (!error && j->w.top)
        error = take_out(j);
    if (!error && j->w.bitmap_mode != BITMAP_NEVER)
        g_clear_pointer(&j->bitmap, g_bytes_unref);
    return error;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static bool check_target(const BlockJob *j, GError **error)
{
    if (j->target && image_size(j->target) != j->size && j->target == j->w.target)
        error_set(error, "Source and target image have different sizes");
    else if (j->target && j->w.kind != BLOCK_JOB_COMMIT && image_is_read_only(j->target))
        error_set(error, "'%s' is read-only", image_path(j->target));
    else if (j->w.compress && !image_facts(j->target).cluster)
        error_set(error, "Compression is not supported for this drive %s", image_path(j->target));
    else if (j->w.kind != BLOCK_JOB_MIRROR && j->w.kind != BLOCK_JOB_BACKUP && !j->w.top &&
             image_has_snapshots(j->source))
        error_set(error, "'%s' has snapshots, which need its backing file as it is",
                  image_path(j->source));
    else
        return true;
    return false;
}

static bool open_base(BlockJob *j, GError **error)
{
    if (j->w.kind != BLOCK_JOB_COMMIT)
        return true;
    return image_set_read_only(j->target, false, error) &&
           (image_size(j->target) >= j->size || image_resize(j->target, j->size, error));
}

static uint64_t choose_chunk(const BlockJob *j)
{
    uint64_t chunk = j->w.granularity ? j->w.granularity : CHUNK;

    /* whole clusters of the image that takes them */
    if (j->w.kind == BLOCK_JOB_STREAM || j->w.compress)
        chunk = MAX(chunk, image_facts(j->target).cluster);
    return chunk;
}

/* What the bitmap says from now on is what is written from now on. */
static void take_bitmap(BlockJob *j)
{
    ImageBitmap *b = j->w.bitmap;

    if (!b)
        return;
    b->busy = true;
    j->bitmap = image_bitmap_save(b);
    if (j->w.bitmap_mode != BITMAP_NEVER)
        image_bitmap_clear(b);
}

/* It failed, or was ended: what was not copied has to be said again. */
static void give_bitmap_back(BlockJob *j)
{
    ImageBitmap *b = j->w.bitmap;

    if (!b)
        return;
    b->busy = false;
    if (j->bitmap && j->w.bitmap_mode == BITMAP_ON_SUCCESS)
        image_bitmap_merge(b, g_bytes_get_data(j->bitmap, NULL), b->bits, b->granularity);
    else if (j->bitmap && j->w.bitmap_mode == BITMAP_ALWAYS)
        image_bitmap_merge(b, j->todo, j->chunks, j->chunk);
    g_clear_pointer(&j->bitmap, g_bytes_unref);
}

BlockJob *block_job_new(Image *source, const BlockJobWiring *w, GError **error)
{
    BlockJob *j = g_new0(BlockJob, 1);

    j->w = *w;
    j->node = g_strdup(w->node);
    j->name = g_strdup(w->name);
    j->source = source;
    j->from = w->top ? w->top : source;
    j->size = image_size(j->from);
    j->target = w->kind == BLOCK_JOB_STREAM ? source : w->target ? w->target : w->base;
    j->chunk = choose_chunk(j);
    j->chunks = (j->size + j->chunk - 1) / j->chunk;
    j->todo = g_malloc0(j->chunks / 8 + 1);
    j->buf = g_malloc(j->chunk);
    j->speed = w->speed;
    if (!check_target(j, error) || !open_base(j, error)) {
        j->w.bitmap = NULL;
        block_job_free(j);
        return NULL;
    }
    mark_all(j);
    take_bitmap(j);
    return j;
}

void block_job_free(BlockJob *j)
{
    give_bitmap_back(j);
    if (j->w.kind == BLOCK_JOB_COMMIT && j->target)
        image_set_read_only(j->target, true, NULL);
    else if (j->target != j->source)
        image_close(j->target);
    g_free(j->node);
    g_free(j->name);
    g_free(j->todo);
    g_free(j->buf);
    g_free(j);
}
