/* SPDX-License-Identifier: MIT */
/*
 * Two machines of equal kind that replay, kept together by steps (travel_steps(): instructions and
 * deliveries), to find where they part. Each runs on the caller's thread, one after the other.
 */
#ifndef ACCEL_LOCKSTEP_H
#define ACCEL_LOCKSTEP_H

#include "accel/session.h"

typedef struct LockstepSide {
    Accel *accel;
    bool (*process)(void *opaque, bool *quit); /* as accel_run()'s */
    void (*resume)(void *opaque);              /* the machine is to run, whatever stopped it */
    void *opaque;
} LockstepSide;

/* Run until that many instructions, or steps (UINT64_MAX: no such limit), or until the replay is
 * over. False: it was, before. */
bool lockstep_run(const LockstepSide *s, uint64_t count, uint64_t step);
/* @to, whose replay is of the same recording, to where @from is. */
bool lockstep_copy(const LockstepSide *from, const LockstepSide *to, GError **error);
/* CPUs, devices and memory. */
bool lockstep_agree(const LockstepSide *a, const LockstepSide *b);
/* They are at the same step and agree. Run both until @count instructions. False: they still agree.
 * True: both are before a step after which they do not. */
bool lockstep_find(const LockstepSide side[2], uint64_t count);

#endif
