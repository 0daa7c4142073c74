/* SPDX-License-Identifier: MIT */
/* A recording that is run again unseen, as far as somebody wants, on his own thread. */
#ifndef SOFTMMU_PROGRAM_RECORD_RERUN_H
#define SOFTMMU_PROGRAM_RECORD_RERUN_H

#include "accel/lockstep.h"
#include "softmmu/program/build.h"
#include "softmmu/program/console.h"
#include "softmmu/program/gdb/server.h"
#include "softmmu/program/host-side.h"
#include "softmmu/program/network.h"
#include "softmmu/program/options/options.h"
#include "softmmu/program/record/travel.h"
#include "softmmu/program/runstate.h"
#include "softmmu/program/state/savestate.h"

typedef struct Rerun {
    Options o;
    RecordReader *reader;
    Console console;
    Network network;
    Built built;
    HostSide *host_side;
    RunControl *rc;
    Monitor *monitor; /* nobody speaks to it, nor to gdb; but the recording has what they did */
    GdbServer *gdb;
    Traveller *traveller;
    SaveState *states;
    LockstepSide step;
} Rerun;

/* @o: of the recording at @path. @backend NULL: the options', "": this host's own. rerun_close()
 * after success and failure alike. */
bool rerun_open(Rerun *s, const Options *o, const char *backend, const char *path, GError **error);
void rerun_close(Rerun *s); /* all zero is allowed */

#endif
