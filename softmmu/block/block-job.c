/* SPDX-License-Identifier: MIT */
/*
 * A bit for each chunk of the disk says that it is to be copied. A chunk that fails keeps its bit.
 * Missing: commits of an image that is not the drive's own, sources other than drives, bitmaps
 * that outlive a job.
 */
#include <errno.h>
#include <string.h>

#include "softmmu/block/block-job-internal.h"
#include "softmmu/block/drive-internal.h"
#include "softmmu/error.h"

#define CHUNK 65536 /* bytes, unless the user says otherwise */

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

/* What lies above @base. */
static int mark_layers(BlockJob *j, const Image *base)
{
    int error = 0;

    for (uint64_t offset = 0, len; offset < j->size && !error; offset += len) {
        ImageLayer layer;

        len = j->size - offset;
        error = image_layer_above(j->source, base, offset, &len, &layer);
        if (!error && layer != IMAGE_BELOW)
            mark_range(j, offset, len);
    }
    return error;
}

/* A stream looks at each chunk when it comes to it. */
static int mark_all(BlockJob *j)
{
    switch (j->w.kind) {
    case BLOCK_JOB_COMMIT: return mark_layers(j, j->w.base);
    case BLOCK_JOB_STREAM:
        if (image_backing(j->source) != j->w.base)
            mark_range(j, 0, j->size);
        return 0;
    default:
        if (j->w.sync == BLOCK_JOB_TOP)
            return mark_layers(j, image_backing(j->source));
        if (j->w.sync == BLOCK_JOB_FULL)
            mark_range(j, 0, j->size);
        return 0;
    }
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

static int copy_range(BlockJob *j, uint64_t offset, uint64_t len, bool *write)
{
    int error = image_read(j->source, offset, j->buf, len);

    *write = !error;
    if (error)
        return error;
    return is_all_zero(j->buf, len) ? image_zero(j->target, offset, len)
                                    : image_write(j->target, offset, j->buf, len);
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
    int error = 0;

    *write = false;
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
    bool copies = j->w.kind == BLOCK_JOB_MIRROR || j->w.kind == BLOCK_JOB_COMMIT;

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

void block_job_step(BlockJob *j)
{
    uint64_t before = j->done;
    bool write;
    int error;

    if (j->left) {
        error = do_chunk(j, next_todo(j), &write);
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
    if (j->w.kind == BLOCK_JOB_MIRROR || j->w.kind == BLOCK_JOB_COMMIT)
        mark_range(j, offset, len);
}

int block_job_finish(BlockJob *j)
{
    bool write;
    int error = j->error;

    while (!error && j->left)
        error = do_chunk(j, next_todo(j), &write);
    if (!error)
        error = image_flush(j->target);
    if (!error && j->w.kind == BLOCK_JOB_STREAM)
        error = image_rebase(j->source, j->w.base, j->name);
    return error;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static bool check_target(const BlockJob *j, GError **error)
{
    if (j->target && image_size(j->target) != j->size && j->target == j->w.target)
        error_set(error, "Source and target image have different sizes");
    else if (j->target && j->w.kind != BLOCK_JOB_COMMIT && image_is_read_only(j->target))
        error_set(error, "'%s' is read-only", image_path(j->target));
    else if (j->w.kind != BLOCK_JOB_MIRROR && j->w.kind != BLOCK_JOB_BACKUP &&
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

BlockJob *block_job_new(Image *source, const BlockJobWiring *w, GError **error)
{
    BlockJob *j = g_new0(BlockJob, 1);
    int failure;

    j->w = *w;
    j->node = g_strdup(w->node);
    j->name = g_strdup(w->name);
    j->source = source;
    j->size = image_size(source);
    j->target = w->kind == BLOCK_JOB_STREAM ? source : w->target ? w->target : w->base;
    j->chunk = w->granularity ? w->granularity : CHUNK;
    if (w->kind == BLOCK_JOB_STREAM) /* whole clusters of the image that takes them */
        j->chunk = MAX(j->chunk, image_facts(source).cluster);
    j->chunks = (j->size + j->chunk - 1) / j->chunk;
    j->todo = g_malloc0(j->chunks / 8 + 1);
    j->buf = g_malloc(j->chunk);
    j->speed = w->speed;
    if (!check_target(j, error) || !open_base(j, error)) {
        block_job_free(j);
        return NULL;
    }
    failure = mark_all(j);
    if (!failure)
        return j;
    error_set(error, "'%s' cannot be read: %s", image_path(source), g_strerror(failure));
    block_job_free(j);
    return NULL;
}

void block_job_free(BlockJob *j)
{
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
