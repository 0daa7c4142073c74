/* SPDX-License-Identifier: MIT */
/*
 * Going backwards and forwards in a replay. A run is measured in steps, as a debugger makes them:
 * counted instructions, and deliveries of exceptions and interrupts. To go back is to go to a
 * checkpoint before the moment that is wanted and to run from there; on the way points are passed
 * and what the guest sends to the host, having been seen, is swallowed.
 *
 * What is asked for here happens when the loop runs next (the caller makes the machine run); a stop
 * (debug_take_stop()) follows always, as it does when a CPU was told to step.
 */
#ifndef ACCEL_TRAVEL_H
#define ACCEL_TRAVEL_H

#include "accel/accel.h"
#include "accel/debug.h"

typedef struct Travel Travel;

/* After session_replay(), before accel_run(): there will be a way back to the beginning;
 * checkpoints of up to @budget bytes shorten it. */
void travel_enable(Accel *a, uint64_t budget);
/* From now on checkpoints are made on the way forward, too: somebody is likely to go back. */
void travel_expect(Accel *a);
bool travel_is_possible(const Accel *a);

/* To before the last step, @cpu's if that is no ANY (then it may be some steps): DEBUG_STEPPED. */
#define TRAVEL_ANY_CPU UINT32_MAX
void travel_back_step(Accel *a, unsigned cpu);
/* To the last time that a point of debug_insert() stopped the run: to before the instruction at a
 * breakpoint, before the instruction that hit a watchpoint. */
void travel_back_continue(Accel *a);
/* The same for this point alone; if there is no such time, DEBUG_NEVER. */
void travel_back_to_point(Accel *a, const DebugPoint *p);
/* To when so many instructions were executed, backwards or forwards; if the recording is shorter,
 * to its end: DEBUG_REACHED, DEBUG_END. */
void travel_to_count(Accel *a, uint64_t count);
/* To a moment that travel_steps() named. */
void travel_to_step(Accel *a, uint64_t step);
/* Stop there when the machine runs forward: DEBUG_REACHED. UINT64_MAX: nowhere. */
void travel_set_break(Accel *a, uint64_t count);
/* Back to where it began, if one of these is under way; the machine stops for no other reason
 * (DEBUG_NOTHING). */
void travel_cancel(Accel *a);
bool travel_is_under_way(const Accel *a);
/* Forget all that: the machine leaves the recording and goes on by itself. */
void travel_go_live(Accel *a);

uint64_t travel_steps(const Accel *a);
/* Checkpoints, memory, where it stands, as text. */
void travel_print(Accel *a, GString *out);
/* How often a run from a checkpoint came by a later one and was not as before: never, or there is a
 * defect in this program. */
unsigned travel_differences(const Accel *a);

/* ---- For accel.c ------------------------------------------------------------------------------
 */

void travel_turn(Accel *a); /* between slices, before anything else happens at that moment */
bool travel_is_due(const Accel *a);
void travel_note_slice(Accel *a, unsigned cpu);
void travel_free(Accel *a);

#endif
