/* SPDX-License-Identifier: MIT */
/*
 * Work on the images of a drive that goes on while the guest uses it: in pieces, on the drive's own
 * thread, between the guest's requests, so that nothing happens to an image twice at a time. What
 * the guest writes meanwhile is seen there as well: a backup copies what is about to be written
 * over, a mirror and a commit remember what has to be copied again.
 *
 * commit: what an image, the drive's or one behind it, and those down to a base have goes into that
 * base, which then takes their place.
 * stream: what the drive's image needs of those behind it is copied into it.
 * mirror: another image gets, and keeps, the contents of the drive.
 * backup: another image gets the contents that the drive has when it begins.
 *
 * The machine thread begins a job, hears how it goes, and ends it. Only its end changes what image
 * the drive has or what is behind that; until then every image is what it was for whoever opens it
 * after a crash, but for the job's target, and the base of a commit, which is good below the
 * images above it alone. The guest's contents are the same throughout: recordings know nothing of
 * it.
 */
#ifndef SOFTMMU_BLOCK_BLOCK_JOB_H
#define SOFTMMU_BLOCK_BLOCK_JOB_H

#include "softmmu/block/drive.h"
#include "softmmu/block/image-bitmap.h"

typedef enum BlockJobKind {
    BLOCK_JOB_COMMIT,
    BLOCK_JOB_STREAM,
    BLOCK_JOB_MIRROR,
    BLOCK_JOB_BACKUP,
} BlockJobKind;

/* What of the drive a mirror or a backup copies: all, what its image has above its backing file,
 * what the guest writes from now on, or (backup) what a bitmap says. */
typedef enum BlockJobSync {
    BLOCK_JOB_FULL,
    BLOCK_JOB_TOP,
    BLOCK_JOB_NONE,
    BLOCK_JOB_BITMAP
} BlockJobSync;

/* What the bitmap says afterwards: what was written since if all went well, else all again; what
 * it says anyhow; what was written since and what could not be copied. */
typedef enum BlockJobBitmapMode {
    BITMAP_ON_SUCCESS,
    BITMAP_NEVER,
    BITMAP_ALWAYS
} BlockJobBitmapMode;

typedef enum BlockJobState {
    BLOCK_JOB_RUNNING,
    BLOCK_JOB_READY,  /* mirror and commit: both sides agree, and go on doing so */
    BLOCK_JOB_DONE,   /* stream and backup: all is there */
    BLOCK_JOB_FAILED, /* it is to be abandoned */
} BlockJobState;

/* What the host could not do: to be heard of once, with a new state or a pause. */
typedef struct BlockJobTrouble {
    bool write;   /* else it could not read */
    bool stopped; /* it pauses, else it has failed */
    int error;    /* errno value; 0: nothing has happened */
} BlockJobTrouble;

typedef struct BlockJobWiring {
    BlockJobKind kind;
    BlockJobSync sync;
    Image *target;       /* mirror, backup: taken over, as large as the drive */
    const char *node;    /* … what it is called; NULL: as the drive is. Copied */
    bool compress;       /* backup: clusters, if the target's format can */
    ImageBitmap *bitmap; /* … for BLOCK_JOB_BITMAP: of the drive's image */
    BlockJobBitmapMode bitmap_mode;
    Image *top;       /* commit: what is to go into the base, behind the drive's; NULL: that */
    Image *base;      /* commit, stream: one behind the drive's; stream: NULL: none stays */
    const char *name; /* … for the header of what is to be above it; NULL: where it is. Copied */
    uint32_t granularity; /* bytes copied at a time, a power of two from 512 on; 0: as it likes */
    uint64_t speed;       /* bytes a second of the host's; 0: no limit */
    DriveOnError on_source_error, on_target_error; /* DRIVE_IGNORE is not for these */
    void (*news)(void *opaque, BlockJobState state, BlockJobTrouble trouble); /* machine thread */
    void *opaque;
} BlockJobWiring;

/* False with @error: nothing has begun, and the target is closed. */
bool drive_begin_job(Drive *d, const BlockJobWiring *w, GError **error);
bool drive_has_job(const Drive *d);

typedef struct BlockJobInfo {
    BlockJobKind kind;
    BlockJobState state;
    bool paused;
    int stopped_by;     /* errno value of what it pauses for; 0: nothing */
    int error;          /* errno value of what it failed of */
    uint64_t done, len; /* bytes */
    uint64_t speed;
} BlockJobInfo;
BlockJobInfo drive_job_info(Drive *d); /* there is one */

/* .news is told of the state as it is, soon: what was asked for is answered before. */
void drive_recall_job(Drive *d);
void drive_set_job_speed(Drive *d, uint64_t speed);
void drive_pause_job(Drive *d, bool paused);
/* It is BLOCK_JOB_READY or BLOCK_JOB_DONE: what is missing is done now. @pivot: the drive goes on
 * with the target of a mirror, or the base of a commit, else these are left as they are. False with
 * @error: it has failed, and everything is as before it. It is gone in any case. */
bool drive_end_job(Drive *d, bool pivot, GError **error);
void drive_abandon_job(Drive *d);

#endif
