/* SPDX-License-Identifier: MIT */
/*
 * What a job copies (block-job.c), without threads: all functions are for who has it alone, the
 * drive's thread or, while that is held, the machine's (drive-job.c).
 */
#ifndef SOFTMMU_BLOCK_BLOCK_JOB_INTERNAL_H
#define SOFTMMU_BLOCK_BLOCK_JOB_INTERNAL_H

#include "softmmu/block/block-job.h"

typedef struct BlockJob {
    BlockJobWiring w;
    char *node, *name;
    uint32_t number; /* of the drive's jobs */
    Image *source;   /* the drive's */
    Image *from;     /* what is read: the same, but for commits from behind it */
    Image *target;   /* where it writes; of a stream the same, of a commit its base */
    uint64_t size;   /* of the source */
    uint64_t chunk;  /* bytes */
    uint64_t chunks; /* in all */
    uint64_t left;   /* … to be copied: bits of */
    uint8_t *todo;
    uint64_t cursor; /* to look for the next one from here */
    uint8_t *buf;    /* a chunk */
    GBytes *bitmap;  /* what the bitmap said; NULL: it says so still */
    BlockJobState state;
    bool paused, untold; /* untold: .state or .trouble has not been posted */
    BlockJobTrouble trouble;
    int error, stopped_by;
    uint64_t done, len, speed;
    int64_t due_us; /* of the host's time: it may go on */
} BlockJob;

/* @source is the drive's. NULL with @error, and the target is closed. */
BlockJob *block_job_new(Image *source, const BlockJobWiring *w, GError **error);
void block_job_free(BlockJob *j); /* with a target that nobody took */

/* When there is more to do; INT64_MAX: nothing. */
int64_t block_job_due_us(const BlockJob *j);
void block_job_step(BlockJob *j);
/* The guest is about to change this; it has tried to. */
void block_job_before(BlockJob *j, uint64_t offset, uint64_t len);
void block_job_after(BlockJob *j, uint64_t offset, uint64_t len);
/* All that is left, and safely on the host's disk. 0 or an errno value. */
int block_job_finish(BlockJob *j);

#endif
