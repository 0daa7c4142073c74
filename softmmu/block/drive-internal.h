/* SPDX-License-Identifier: MIT */
/* Between a drive's requests (drive.c) and what becomes of those that fail (drive-trouble.c). */
#ifndef SOFTMMU_BLOCK_DRIVE_INTERNAL_H
#define SOFTMMU_BLOCK_DRIVE_INTERNAL_H

#include "softmmu/block/drive.h"

/* Shared with the drive's thread, which owns it until .finished. */
typedef struct Job {
    DriveRequest r;
    uint32_t number, epoch;
    bool finished; /* under the drive's lock */
} Job;

typedef struct Slot {
    bool used;
    uint8_t op;
    uint32_t number; /* of the request */
    uint64_t offset, len, tag;
    uint64_t due_ns; /* counted time */
    uint32_t error;  /* errno value of what the host has done */
    /* not state */
    Job *job;     /* NULL: there is nothing to wait for */
    bool arrived; /* counted time: .error and .data are there */
    bool stalled; /* .job is to be done again when the machine runs */
    bool missed;  /* a replay: .due_ns has come, its result not */
    uint8_t *data;
} Slot;

struct Drive {
    Device dev;
    DriveWiring w;
    char *name;  /* of the channel */
    char *owner; /* of drive_set_owner() */
    DriveDone *done;
    const DriveDoor *door;
    void *opaque;
    int channel, medium_channel;
    Image *incoming; /* a medium on its way through the input queue */
    char *path;      /* of the medium */
    Timer *timer;    /* counted time: the next slot is due */
    GThread *thread;
    GMutex lock;
    GCond changed;
    GQueue jobs;           /* Job *; under the lock */
    unsigned unfinished;   /* of those that were there; under the lock */
    bool leave;            /* under the lock */
    bool differs;          /* a shadow's image is not what it should be */
    uint32_t epoch;        /* changes when jobs are forgotten: what they post is stale */
    GHashTable *unwritten; /* u32 number of a request -> GBytes *: loaded before the slots are */
    DriveStats stats;
    /* drive-job.c */
    struct BlockJob *job; /* NULL: there is none; changes under the lock, while not .working */
    bool working;         /* the drive's thread has images and job; under the lock */
    bool held;            /* the job waits for the machine thread; under the lock */
    unsigned turns;       /* requests since the job had one */
    int job_channel;      /* once there was a job: */
    uint32_t job_number;  /* how many there were */
    char *node;           /* what the image is called; NULL: as the drive is */
    /* state */
    Slot slots[DRIVE_REQUESTS];
    uint32_t next_number;
    uint64_t size; /* of the medium; 0: there is none */
    bool read_only;
};

/* Its thread, with the lock: a job of the image's before a request. */
bool drive_job_is_next(Drive *d);
void drive_wait_for_work(Drive *d);
void drive_do_job(Drive *d);
/* Around what it does without the lock. */
void drive_begin_work(Drive *d);
void drive_end_work(Drive *d);
/* The job does nothing until the machine thread is back at the input queue. */
void drive_hold_job(Drive *d);
/* It goes on with another image, whose contents are the same; @node: what that is called, or NULL.
 */
void drive_use_image(Drive *d, Image *image, const char *node);
void drive_forget_job(Drive *d); /* the drive goes */

void drive_add_medium_channel(Drive *d);
void drive_hear_medium(void *opaque, const void *data, size_t len); /* an InputFunc */
bool drive_means_no_room(int error);
void drive_start_job(Drive *d, Slot *s, const uint8_t *data);
/* The job of @s is finished. True: the guest is told nothing, as the machine stops and the job is
 * to be done again. Else *@error is what the guest is told, 0: all went well. */
bool drive_must_wait(Drive *d, const Slot *s, uint32_t *error);
/* What was loaded for @s is written now; false: there was nothing. */
bool drive_write_unwritten(Drive *d, Slot *s);

#endif
