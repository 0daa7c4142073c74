/* SPDX-License-Identifier: MIT */
/* Going backwards and forwards in a replay, for the monitor and the debugger: see accel/travel.h.
 * It makes the machine run, and stay when the recording ends. */
#ifndef SOFTMMU_PROGRAM_RECORD_TRAVEL_H
#define SOFTMMU_PROGRAM_RECORD_TRAVEL_H

#include "softmmu/program/build.h"
#include "softmmu/program/options/options.h"
#include "softmmu/program/runstate.h"

typedef struct Traveller Traveller;

/* @o: of the replay. */
Traveller *traveller_new(Built *b, const Options *o, RunControl *rc);
void traveller_free(Traveller *t);
const MonitorTravel *traveller_for_monitor(Traveller *t);
/* The replay, which has not begun, is to stop after so many instructions, and stay. */
void traveller_stop_at(Traveller *t, uint64_t count);
/* Before the last step, of CPU @cpu or (ANY) of any; before the last stop. False: it cannot. */
bool traveller_back_step(Traveller *t, unsigned cpu);
bool traveller_back_continue(Traveller *t);

#endif
