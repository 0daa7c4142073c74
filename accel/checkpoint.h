/* SPDX-License-Identifier: MIT */
/*
 * Moments of a replay that can be gone back to: RAM (page versions, ram-history.h), the state lists
 * of all devices and CPUs, armed timers, the place in the recording, the engine's counters. In
 * memory only, for this process. All between slices, before the moment's input and timers.
 */
#ifndef ACCEL_CHECKPOINT_H
#define ACCEL_CHECKPOINT_H

#include "accel/engine.h"

typedef struct Checkpoint {
    uint64_t step, count; /* accel_steps() */
    struct CheckpointState *state;
} Checkpoint;

typedef struct Checkpoints Checkpoints;

/* Up to about @budget bytes; the first is there at once, for good. */
Checkpoints *checkpoints_new(Accel *a, uint64_t budget);
void checkpoints_free(Checkpoints *c);
/* Here, unless there is one. Others may go for it: those least missed from here. */
void checkpoints_take(Checkpoints *c);
void checkpoints_go(Checkpoints *c, const Checkpoint *to);
/* The run, from the one before, has come by @at: it is where the run comes from now. False: it is
 * not as it was then. */
bool checkpoints_pass(Checkpoints *c, const Checkpoint *at);

/* The last one not after that step (or count), else the first of all; the first one after it, or
 * NULL. Valid until one is taken. */
const Checkpoint *checkpoints_before(const Checkpoints *c, uint64_t step);
const Checkpoint *checkpoints_before_count(const Checkpoints *c, uint64_t count);
const Checkpoint *checkpoints_after(const Checkpoints *c, uint64_t step);
const Checkpoint *checkpoints_origin(const Checkpoints *c); /* that the run came from last */
unsigned checkpoints_count(const Checkpoints *c);
uint64_t checkpoints_bytes(const Checkpoints *c);

#endif
