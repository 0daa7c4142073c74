/* SPDX-License-Identifier: MIT */
/*
 * A drive's block job between its two threads. The drive's has it while .working; the machine's
 * while it has the lock and not .working, or for longer while .held: from when an image is asked
 * for until what is posted then is heard, which is after what the machine does with it.
 */
#include <string.h>

#include "softmmu/block/block-job-internal.h"
#include "softmmu/block/drive-internal.h"
#include "softmmu/error.h"

#define TURNS 8 /* requests of the guest's after which the job has one, too */

/* What the machine thread is told. */
typedef struct JobNews {
    uint32_t number; /* of the job */
    bool release;    /* nobody uses the image any more; else: */
    BlockJobState state;
    BlockJobTrouble trouble;
} JobNews;

static void post(Drive *d, const JobNews *news)
{
    input_post(d->w.input, d->job_channel, news, sizeof(*news));
}

/* ---- The drive's thread, with the lock ------------------------------------------------------- */

static int64_t due_us(const Drive *d)
{
    return d->job && !d->held ? block_job_due_us(d->job) : INT64_MAX;
}

bool drive_job_is_next(Drive *d)
{
    return due_us(d) <= g_get_monotonic_time() && (g_queue_is_empty(&d->jobs) || d->turns >= TURNS);
}

void drive_wait_for_work(Drive *d)
{
    int64_t until = due_us(d);

    if (until == INT64_MAX)
        g_cond_wait(&d->changed, &d->lock);
    else
        g_cond_wait_until(&d->changed, &d->lock, until);
}

void drive_begin_work(Drive *d)
{
    d->working = true;
    g_mutex_unlock(&d->lock);
}

void drive_end_work(Drive *d)
{
    BlockJob *j = d->job;

    g_mutex_lock(&d->lock);
    d->working = false;
    if (j && j->untold) {
        post(d, &(JobNews){ j->number, false, j->state, j->trouble });
        j->untold = false;
        j->trouble = (BlockJobTrouble){ 0 };
    }
    g_cond_broadcast(&d->changed);
}

void drive_do_job(Drive *d)
{
    d->turns = 0;
    drive_begin_work(d);
    block_job_step(d->job);
    drive_end_work(d);
}

/* ---- The machine's thread -------------------------------------------------------------------- */

static void take_job(Drive *d)
{
    g_mutex_lock(&d->lock);
    while (d->working)
        g_cond_wait(&d->changed, &d->lock);
}

static void give_job(Drive *d)
{
    g_cond_broadcast(&d->changed);
    g_mutex_unlock(&d->lock);
}

void drive_hold_job(Drive *d)
{
    bool held = d->held;

    if (!d->job)
        return;
    take_job(d);
    d->held = true;
    if (!held)
        post(d, &(JobNews){ .number = d->job->number, .release = true });
    g_mutex_unlock(&d->lock);
}

static void hear_job(void *opaque, const void *data, size_t len)
{
    Drive *d = opaque;
    JobNews news;

    g_assert(len == sizeof(news));
    memcpy(&news, data, len);
    if (!d->job || d->job->number != news.number)
        return;
    if (news.release) {
        take_job(d);
        d->held = false;
        give_job(d);
    } else {
        d->job->w.news(d->job->w.opaque, news.state, news.trouble);
    }
}

bool drive_has_job(const Drive *d)
{
    return d->job;
}

static const char *name_of(BlockJobKind kind)
{
    static const char *const names[] = { "commit", "stream", "mirror", "backup" };

    return names[kind];
}

bool drive_is_free(const Drive *d, GError **error)
{
    if (d->job)
        error_set(error, "Node '%s' is busy: block device is in use by block job: %s",
                  drive_node(d), name_of(d->job->w.kind));
    return !d->job;
}

static bool may_begin(Drive *d, BlockJobKind kind, GError **error)
{
    Image *image = drive_settled_image(d);
    bool changes = kind == BLOCK_JOB_COMMIT || kind == BLOCK_JOB_STREAM;

    if (!image)
        error_set(error, "Device '%s' has no medium", drive_id(d));
    else if (changes && image_is_read_only(image))
        error_set(error, "Block node is read-only");
    else
        return drive_is_free(d, error);
    return false;
}

bool drive_begin_job(Drive *d, const BlockJobWiring *w, GError **error)
{
    BlockJob *j = NULL;

    if (may_begin(d, w->kind, error))
        j = block_job_new(d->w.image, w, error);
    else
        image_close(w->target);
    if (!j)
        return false;
    if (!d->job_number++)
        d->job_channel = input_add_channel(d->w.input, d->name, true, hear_job, d);
    j->number = d->job_number;
    take_job(d);
    d->job = j;
    d->held = false;
    give_job(d);
    return true;
}

BlockJobInfo drive_job_info(Drive *d)
{
    const BlockJob *j = d->job;
    BlockJobInfo info;

    take_job(d);
    info = (BlockJobInfo){ .kind = j->w.kind,
                           .state = j->state,
                           .paused = j->paused,
                           .stopped_by = j->stopped_by,
                           .error = j->error,
                           .done = j->done,
                           .len = j->len,
                           .speed = j->speed };
    give_job(d);
    return info;
}

void drive_recall_job(Drive *d)
{
    take_job(d);
    post(d, &(JobNews){ .number = d->job->number, .state = d->job->state });
    give_job(d);
}

void drive_set_job_speed(Drive *d, uint64_t speed)
{
    take_job(d);
    d->job->speed = speed;
    d->job->due_us = 0;
    give_job(d);
}

void drive_pause_job(Drive *d, bool paused)
{
    take_job(d);
    d->job->paused = paused;
    d->job->stopped_by = 0;
    give_job(d);
}

void drive_use_image(Drive *d, Image *image, const char *node)
{
    d->w.image = image;
    g_free(d->path);
    d->path = g_strdup(image_path(image));
    if (!node)
        return;
    g_free(d->node);
    d->node = g_strdup(node);
}

static void pivot(Drive *d)
{
    BlockJob *j = d->job;

    if (j->w.kind == BLOCK_JOB_COMMIT)
        image_close_above(j->source, j->target);
    else
        image_close(j->source);
    drive_use_image(d, g_steal_pointer(&j->target), j->node);
}

static void drop_job(Drive *d)
{
    BlockJob *j = d->job;

    take_job(d);
    d->job = NULL;
    d->held = false;
    give_job(d);
    block_job_free(j);
}

bool drive_end_job(Drive *d, bool pivots, GError **error)
{
    int failure;

    drive_settled_image(d);
    failure = block_job_finish(d->job);
    if (failure)
        error_set(error, "%s", g_strerror(failure));
    else if (pivots && !d->job->w.top && d->job->target != d->job->source)
        pivot(d);
    drop_job(d);
    return !failure;
}

void drive_abandon_job(Drive *d)
{
    if (!d->job)
        return;
    drive_settled_image(d);
    drop_job(d);
}

void drive_forget_job(Drive *d)
{
    drive_abandon_job(d);
    if (d->job_number)
        input_close_channel(d->w.input, d->job_channel);
    g_clear_pointer(&d->node, g_free);
}

const char *drive_node(const Drive *d)
{
    return d->node ? d->node : drive_id(d);
}
