/* SPDX-License-Identifier: MIT */
/* Commands about jobs, and the events that tell of them. Missing: job-cancel while a job is only
 * being made. */
#include "softmmu/program/qmp/jobs.h"

#include <errno.h>
#include <string.h>

typedef struct QmpJob {
    Machine *m;
    GPtrArray *all; /* of which it is one */
    char *id, *type, *error;
    QmpJobStatus status;
    bool is_block, auto_finalize, auto_dismiss;
    bool ends;         /* it was asked to */
    bool pivots;       /* at its end */
    Drive *drive;      /* whose job it is; NULL: it is done */
    BlockJobInfo last; /* as it was when it ended */
} QmpJob;

/* clang-format off */
static const char *const status_names[] = { "created", "running", "paused", "ready", "standby", "waiting",
                                            "pending", "aborting", "concluded", "null" };
static const char *const block_types[] = { [BLOCK_JOB_COMMIT] = "commit", [BLOCK_JOB_STREAM] = "stream",
                                           [BLOCK_JOB_MIRROR] = "mirror", [BLOCK_JOB_BACKUP] = "backup" };
/* clang-format on */

static void free_job(void *p)
{
    QmpJob *job = p;

    g_free(job->id);
    g_free(job->type);
    g_free(job->error);
    g_free(job);
}

GPtrArray *qmp_jobs_new(void)
{
    return g_ptr_array_new_with_free_func(free_job);
}

static QmpJob *find(Qmp *q, const char *id)
{
    for (guint i = 0; i < q->w.shared->jobs->len; i++) {
        QmpJob *job = q->w.shared->jobs->pdata[i];

        if (!strcmp(job->id, id))
            return job;
    }
    return NULL;
}

bool qmp_check_job_id(Qmp *q, const char *id, GError **error)
{
    if (!*id || !g_ascii_isalpha(*id) ||
        strspn(id, "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
            strlen(id))
        error_set(error, "Invalid job ID '%s'", id);
    else if (find(q, id))
        error_set(error, "Job ID '%s' already in use", id);
    else
        return true;
    return false;
}

/* ---- Telling --------------------------------------------------------------------------------- */

/* @data is taken over. */
static void emit(QmpJob *job, const char *event, Json *data)
{
    machine_emit(job->m, event, "%s", json_object_to_json_string(data));
    json_object_put(data);
}

static void set_status(QmpJob *job, QmpJobStatus status)
{
    job->status = status;
    emit(job, "JOB_STATUS_CHANGE", json_make("status:s id:s", status_names[status], job->id));
}

static BlockJobInfo info_of(const QmpJob *job)
{
    return job->drive ? drive_job_info(job->drive) : job->last;
}

static void emit_block(QmpJob *job, const char *event)
{
    BlockJobInfo i = info_of(job);

    emit(job, event,
         json_make("device:s len:u offset:u speed:u type:s error:s", job->id, i.len, i.done,
                   i.speed, job->type, job->error));
}

static void dismiss(QmpJob *job)
{
    set_status(job, JOB_NULL);
    g_ptr_array_remove(job->all, job);
}

static void conclude(QmpJob *job)
{
    set_status(job, JOB_CONCLUDED);
    if (job->auto_dismiss)
        dismiss(job);
}

static QmpJob *add(Qmp *q, const char *id, const char *type)
{
    QmpJob *job = g_new0(QmpJob, 1);

    job->m = q->w.m;
    job->all = q->w.shared->jobs;
    job->id = g_strdup(id);
    job->type = g_strdup(type);
    g_ptr_array_add(job->all, job);
    return job;
}

void qmp_tell_done_job(Qmp *q, const char *id, const char *type, const char *error)
{
    static const QmpJobStatus well[] = { JOB_CREATED, JOB_RUNNING, JOB_WAITING, JOB_PENDING };
    static const QmpJobStatus ill[] = { JOB_CREATED, JOB_RUNNING, JOB_ABORTING };
    QmpJob *job = add(q, id, type);

    job->error = g_strdup(error);
    job->last = (BlockJobInfo){ .done = 1, .len = 1 };
    for (size_t i = 0; i < (error ? G_N_ELEMENTS(ill) : G_N_ELEMENTS(well)); i++)
        set_status(job, (error ? ill : well)[i]);
    conclude(job);
}

/* ---- A drive's jobs -------------------------------------------------------------------------- */

static void abort_job(QmpJob *job, const char *why)
{
    job->last = info_of(job);
    drive_abandon_job(job->drive);
    job->drive = NULL;
    job->error = g_strdup(why);
    set_status(job, JOB_ABORTING);
    emit_block(job, why ? "BLOCK_JOB_COMPLETED" : "BLOCK_JOB_CANCELLED");
    conclude(job);
}

static void finalize(QmpJob *job)
{
    g_autoptr(GError) error = NULL;
    bool ok;

    job->last = info_of(job);
    ok = drive_end_job(job->drive, job->pivots, &error);
    job->drive = NULL;
    if (ok) {
        job->last.done = job->last.len;
    } else {
        job->error = g_strdup(error->message);
        set_status(job, JOB_ABORTING);
    }
    emit_block(job, "BLOCK_JOB_COMPLETED");
    conclude(job);
}

static void come_to_end(QmpJob *job)
{
    set_status(job, JOB_WAITING);
    set_status(job, JOB_PENDING);
    if (job->auto_finalize)
        finalize(job);
    else
        emit(job, "BLOCK_JOB_PENDING", json_make("type:s id:s", job->type, job->id));
}

static void tell_trouble(QmpJob *job, BlockJobTrouble t)
{
    emit(job, "BLOCK_JOB_ERROR",
         json_make("device:s operation:s action:s", job->id, t.write ? "write" : "read",
                   t.stopped ? "stop" : "report"));
    if (t.stopped)
        set_status(job, job->status == JOB_READY ? JOB_STANDBY : JOB_PAUSED);
}

static void hear(void *opaque, BlockJobState state, BlockJobTrouble trouble)
{
    QmpJob *job = opaque;

    if (trouble.error)
        tell_trouble(job, trouble);
    if (state == BLOCK_JOB_FAILED) {
        abort_job(job, g_strerror(info_of(job).error));
    } else if (state == BLOCK_JOB_READY && job->status == JOB_RUNNING) {
        set_status(job, JOB_READY);
        emit_block(job, "BLOCK_JOB_READY");
    } else if ((state == BLOCK_JOB_DONE && job->status <= JOB_PAUSED) ||
               (job->ends && job->status == JOB_READY)) {
        come_to_end(job);
    }
}

Json *qmp_begin_block_job(Qmp *q, Drive *d, Json *args, BlockJobWiring *w, GError **error)
{
    const char *id = json_text(args, "job-id", drive_id(d));
    int64_t speed = json_int(args, "speed", 0);
    QmpJob *job;

    if (speed < 0)
        error_set(error, "Invalid parameter 'speed'");
    if (speed < 0 || !qmp_check_job_id(q, id, error)) {
        image_close(w->target);
        return NULL;
    }
    job = add(q, id, block_types[w->kind]);
    w->speed = speed;
    w->news = hear;
    w->opaque = job;
    if (!drive_begin_job(d, w, error)) {
        g_ptr_array_remove(job->all, job);
        return NULL;
    }
    job->drive = d;
    job->is_block = true;
    job->pivots = w->kind == BLOCK_JOB_COMMIT || w->kind == BLOCK_JOB_MIRROR;
    job->auto_finalize = json_flag(args, "auto-finalize", true);
    job->auto_dismiss = json_flag(args, "auto-dismiss", true);
    set_status(job, JOB_CREATED);
    set_status(job, JOB_RUNNING);
    return json_done();
}

void qmp_undo_job(Qmp *q, const char *id)
{
    QmpJob *job = find(q, id);

    if (job && job->drive)
        abort_job(job, NULL);
}

/* The process ends: nothing is done that a user has not been told of. */
void qmp_end_jobs(QmpShared *s)
{
    for (guint i = s->jobs->len; i-- > 0;) {
        QmpJob *job = s->jobs->pdata[i];

        if (job->drive)
            abort_job(job, NULL);
    }
}

/* ---- Verbs ----------------------------------------------------------------------------------- */

typedef enum Verb { CANCEL, PAUSE, RESUME, SET_SPEED, COMPLETE, FINALIZE, DISMISS } Verb;

#define BIT(status) (1u << (status))
#define GOES_ON \
    (BIT(JOB_CREATED) | BIT(JOB_RUNNING) | BIT(JOB_PAUSED) | BIT(JOB_READY) | BIT(JOB_STANDBY))

static const struct {
    const char *name;
    unsigned allowed; /* BIT() of statuses */
} verbs[] = {
    [CANCEL] = { "cancel", GOES_ON | BIT(JOB_WAITING) | BIT(JOB_PENDING) },
    [PAUSE] = { "pause", GOES_ON },
    [RESUME] = { "resume", GOES_ON },
    [SET_SPEED] = { "set-speed", GOES_ON },
    [COMPLETE] = { "complete", BIT(JOB_READY) },
    [FINALIZE] = { "finalize", BIT(JOB_PENDING) },
    [DISMISS] = { "dismiss", BIT(JOB_CONCLUDED) },
};

static bool is_paused(const QmpJob *job)
{
    return job->status == JOB_PAUSED || job->status == JOB_STANDBY;
}

static bool may(const QmpJob *job, Verb verb, GError **error)
{
    if (!(verbs[verb].allowed & BIT(job->status)))
        error_set(error, "Job '%s' in state '%s' cannot accept command verb '%s'", job->id,
                  status_names[job->status], verbs[verb].name);
    else if (verb == PAUSE && is_paused(job))
        error_set(error, "Job is already paused");
    else if (verb == RESUME && !is_paused(job))
        error_set(error, "Can't resume a job that was not paused");
    else
        return true;
    return false;
}

static void end_soon(QmpJob *job, bool pivots)
{
    job->pivots = pivots;
    job->ends = true;
    drive_recall_job(job->drive);
}

/* Both sides of a mirror agree: it ends well, only without the drive going over. */
static void cancel(QmpJob *job, bool force)
{
    if (job->status != JOB_READY || force) {
        abort_job(job, NULL);
        return;
    }
    end_soon(job, false);
}

static void pause_or_resume(QmpJob *job, bool pause)
{
    bool ready = job->status == JOB_READY || job->status == JOB_STANDBY;

    drive_pause_job(job->drive, pause);
    set_status(job, pause ? (ready ? JOB_STANDBY : JOB_PAUSED) : ready ? JOB_READY : JOB_RUNNING);
}

static void act(QmpJob *job, Verb verb, Json *args)
{
    switch (verb) {
    case CANCEL: cancel(job, json_flag(args, "force", false)); break;
    case PAUSE: pause_or_resume(job, true); break;
    case RESUME: pause_or_resume(job, false); break;
    case SET_SPEED: drive_set_job_speed(job->drive, json_int(args, "speed", 0)); break;
    case COMPLETE: end_soon(job, true); break;
    case FINALIZE: finalize(job); break;
    case DISMISS: dismiss(job); break;
    }
}

/* job-VERB and block-job-VERB differ in what they say of a job that is not there. */
static Json *run_verb(Qmp *q, Json *args, Verb verb, bool block, GError **error)
{
    const char *id = json_text(args, "id", json_text(args, "device", ""));
    QmpJob *job = find(q, id);

    if (!job && block)
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_ACTIVE, "Block job '%s' not found", id);
    else if (!job)
        error_set(error, "Job not found");
    else if (json_int(args, "speed", 0) < 0)
        error_set(error, "Invalid parameter 'speed'");
    else if (may(job, verb, error)) {
        act(job, verb, args);
        return json_done();
    }
    return NULL;
}

/* A user that has paused a job is to know what becomes of it. */
static Json *run_block_cancel(Qmp *q, Json *args, GError **error)
{
    QmpJob *job = find(q, json_text(args, "device", ""));

    if (!job || !is_paused(job) || json_flag(args, "force", false))
        return run_verb(q, args, CANCEL, true, error);
    error_set(error, "The block job for device '%s' is currently paused", job->id);
    return NULL;
}

static Json *run_cancel(Qmp *q, Json *args, GError **error)
{
    json_object_object_add(args, "force", json_object_new_boolean(true));
    return run_verb(q, args, CANCEL, false, error);
}

#define VERB(name, verb, block)                           \
    static Json *name(Qmp *q, Json *args, GError **error) \
    {                                                     \
        return run_verb(q, args, verb, block, error);     \
    }
VERB(run_block_pause, PAUSE, true)
VERB(run_block_resume, RESUME, true)
VERB(run_block_speed, SET_SPEED, true)
VERB(run_block_complete, COMPLETE, true)
VERB(run_block_finalize, FINALIZE, true)
VERB(run_block_dismiss, DISMISS, true)
VERB(run_pause, PAUSE, false)
VERB(run_resume, RESUME, false)
VERB(run_complete, COMPLETE, false)
VERB(run_finalize, FINALIZE, false)
VERB(run_dismiss, DISMISS, false)

/* ---- Lists ----------------------------------------------------------------------------------- */

static Json *describe(const QmpJob *job)
{
    BlockJobInfo i = info_of(job);

    return json_make("current-progress:u status:s total-progress:u type:s id:s error:s", i.done,
                     status_names[job->status], i.len, job->type, job->id, job->error);
}

static Json *describe_block(const QmpJob *job)
{
    BlockJobInfo i = info_of(job);
    const char *io = !i.stopped_by ? "ok" : i.stopped_by == ENOSPC ? "nospace" : "failed";

    return json_make("auto-finalize:b io-status:s device:s auto-dismiss:b busy:b len:u offset:u "
                     "status:s paused:b speed:u ready:b type:s error:s",
                     job->auto_finalize, io, job->id, job->auto_dismiss, 0, i.len, i.done,
                     status_names[job->status], is_paused(job), i.speed,
                     job->status == JOB_READY || job->status == JOB_STANDBY, job->type, job->error);
}

static Json *run_query_jobs(Qmp *q, Json *args, GError **error)
{
    Json *list = json_object_new_array();

    for (guint i = 0; i < q->w.shared->jobs->len; i++)
        json_object_array_add(list, describe(q->w.shared->jobs->pdata[i]));
    return list;
}

static Json *run_query_block_jobs(Qmp *q, Json *args, GError **error)
{
    Json *list = json_object_new_array();

    for (guint i = 0; i < q->w.shared->jobs->len; i++) {
        const QmpJob *job = q->w.shared->jobs->pdata[i];

        if (job->is_block)
            json_object_array_add(list, describe_block(job));
    }
    return list;
}

const QmpCommand qmp_job_commands[] = {
    { "query-jobs", "", run_query_jobs },
    { "job-cancel", "id:str", run_cancel },
    { "job-pause", "id:str", run_pause },
    { "job-resume", "id:str", run_resume },
    { "job-complete", "id:str", run_complete },
    { "job-finalize", "id:str", run_finalize },
    { "job-dismiss", "id:str", run_dismiss },
    { "query-block-jobs", "", run_query_block_jobs },
    { "block-job-cancel", "device:str force:bool?", run_block_cancel },
    { "block-job-pause", "device:str", run_block_pause },
    { "block-job-resume", "device:str", run_block_resume },
    { "block-job-set-speed", "device:str speed:int", run_block_speed },
    { "block-job-complete", "device:str", run_block_complete },
    { "block-job-finalize", "id:str", run_block_finalize },
    { "block-job-dismiss", "id:str", run_block_dismiss },
    { NULL },
};
