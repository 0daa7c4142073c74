/* SPDX-License-Identifier: MIT */
/*
 * Guest time. A Clock is what the guest's timers count in: nanoseconds of virtual time since the
 * machine was created. Where they come from is the machine's choice: host time while it runs
 * (the default), a function of the instruction count (-icount, recording), or a test's own hand.
 *
 * A device is handed a Clock and never asks the host for the time. Timers on one Clock expire in
 * order of deadline, and in order of arming where deadlines tie, so a run is deterministic when
 * its clock is. Callbacks run on the machine thread under the machine lock.
 */
#ifndef SOFTMMU_CLOCK_H
#define SOFTMMU_CLOCK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define NS_PER_SEC  1000000000LL
#define CLOCK_NEVER INT64_MAX

typedef struct Clock Clock;
typedef struct Timer Timer;
typedef void TimerFunc(void *opaque);
typedef int64_t ClockSource(void *opaque); /* now, in ns; never goes back while it is enabled */

/* Create a clock on @source; clock_free() releases it. Its timers must be freed first. */
Clock *clock_new(ClockSource *source, void *opaque);
void clock_free(Clock *clock);

int64_t clock_now_ns(Clock *clock);
/* From here on it is one moment, that of the first look, until as many releases. Whoever acts for
 * the guest in one step (a device that is accessed, a timer) must not see time go on in between:
 * what is due between two looks would be neither waited for nor done. Timers' functions run so. */
void clock_hold(Clock *clock);
void clock_release(Clock *clock);
/* Deadline of the earliest armed timer, or CLOCK_NEVER. */
int64_t clock_deadline_ns(const Clock *clock);
/* Run every timer whose deadline is not after now; true if any ran. */
bool clock_run_expired(Clock *clock);
/* From within a timer's function, which cannot do its work yet: this run of timers ends here, and
 * the next begins with it, as if it had not been called. */
void clock_stall(Clock *clock);
/* Called (if set) whenever the earliest deadline moves closer, so that a running vCPU can be
 * given a shorter budget. */
void clock_set_rearm_hook(Clock *clock, TimerFunc *hook, void *opaque);

Timer *timer_new(Clock *clock, TimerFunc *func, void *opaque);
void timer_free(Timer *timer); /* NULL is allowed; an armed timer is cancelled */
void timer_set(Timer *timer, int64_t deadline_ns);
void timer_cancel(Timer *timer);
bool timer_is_armed(const Timer *timer);
int64_t timer_deadline_ns(const Timer *timer); /* CLOCK_NEVER when not armed */

/* Which timers are armed, and in which order those with the same deadline come: state lists have
 * deadlines alone. Good as long as no timer of that moment is freed; g_free() it. */
typedef struct ClockMoment ClockMoment;
ClockMoment *clock_save(const Clock *clock);
void clock_load(Clock *clock, const ClockMoment *moment);
/* The same as bytes, for another machine whose timers were made in the same order. False: they were
 * not, or the bytes make no sense; some timers are set then. */
void clock_pack(const Clock *clock, GByteArray *out);
bool clock_unpack(Clock *clock, const uint8_t *data, size_t len);

/* A clock that stands still until it is told otherwise: for tests. */
Clock *clock_new_manual(void);
/* Runs timers at their own deadlines; one that stalls the clock stops it there. */
void clock_manual_advance(Clock *clock, int64_t ns);
void clock_manual_lag(Clock *clock, int64_t ns);   /* runs none: what is due becomes overdue */
void clock_manual_haste(Clock *clock, int64_t ns); /* every look at it from now on takes so long */

/* @ticks of a @hz counter in ns and back, without overflow for any 64-bit argument that the
 * result can hold. */
int64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz);
uint64_t clock_ns_to_ticks(int64_t ns, uint64_t hz);

#endif
