/* SPDX-License-Identifier: MIT */
/*
 * What the machine does next: run states, and requests for reset, shutdown, power-down, suspend,
 * stop and quit. This is policy; running the CPUs is the engine's. Between slices, after delivering
 * input, the engine calls run_control_process(), the only place where requests are honoured.
 * Everything here belongs to the machine thread.
 */
#ifndef SOFTMMU_PROGRAM_RUNSTATE_H
#define SOFTMMU_PROGRAM_RUNSTATE_H

#include "softmmu/machine.h"

typedef struct RunControl RunControl;

typedef struct RunHooks {
    void (*powerdown)(Machine *m); /* press the button */
    void (*wakeup)(Machine *m);    /* leaving S3; after the reset that comes with it */
    /* The machine is to stop. True: it will by itself, soon (it is on its way to a moment of a
     * replay). May be NULL. */
    bool (*stopping)(Machine *m);
    /* The machine pauses, as the host cannot go on. May be NULL. */
    void (*trouble)(const char *why);
} RunHooks;

RunControl *run_control_new(Machine *m, const RunHooks *hooks);
void run_control_free(RunControl *rc);

/* Honour requests. True: CPUs may run. *@quit: leave; Machine.exit_status is set.
 * The first call starts the machine (or leaves it in RUN_PRELAUNCH under -S). @opaque: the
 * RunControl. */
bool run_control_process(void *opaque, bool *quit);

void run_control_stop(RunControl *rc);
/* Go on; an error if the state does not allow it. */
bool run_control_cont(RunControl *rc, GError **error);

/* Instead of the first start: a saved state is awaited; it has come. */
void run_control_await(RunControl *rc);
void run_control_arrived(RunControl *rc);

/* Run whatever the state is: to another moment of a replay, and what that had been. */
void run_control_travel(RunControl *rc);

/* "running", "paused", "paused (prelaunch)", ... as `info status` words it. */
const char *run_state_text(RunState state);
/* The same in one word, as QMP has it: "running", "prelaunch", … */
const char *run_state_name(RunState state);

#endif
