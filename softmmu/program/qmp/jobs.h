/* SPDX-License-Identifier: MIT */
/*
 * Jobs as clients see them: a name, a status that changes, an end that stays to be looked at until
 * it is dismissed. What a job does is a drive's (block-job.h), or was done before it was told of.
 */
#ifndef SOFTMMU_PROGRAM_QMP_JOBS_H
#define SOFTMMU_PROGRAM_QMP_JOBS_H

#include "softmmu/block/block-job.h"
#include "softmmu/program/qmp/internal.h"

typedef enum QmpJobStatus {
    JOB_CREATED,
    JOB_RUNNING,
    JOB_PAUSED,
    JOB_READY,
    JOB_STANDBY, /* ready and paused */
    JOB_WAITING,
    JOB_PENDING,
    JOB_ABORTING,
    JOB_CONCLUDED,
    JOB_NULL,
} QmpJobStatus;

/* An id that no other job has; false with @error. */
bool qmp_check_job_id(Qmp *q, const char *id, GError **error);
/* The whole life of a job that has been done; @error: why it failed, NULL: it did not. */
void qmp_tell_done_job(Qmp *q, const char *id, const char *type, const char *error);
/* With job-id, speed, auto-finalize and auto-dismiss of @args; the job's target is taken over.
 * NULL with @error. */
Json *qmp_begin_block_job(Qmp *q, Drive *d, Json *args, BlockJobWiring *w, GError **error);

/* The job @id, which was begun just now, is not to be. */
void qmp_undo_job(Qmp *q, const char *id);

#endif
