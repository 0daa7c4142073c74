/* SPDX-License-Identifier: MIT */
/*
 * The machine as a target of GDB: what the stub's packets do to CPUs, memory and run state. There
 * is one in every machine, with or without a client: what a debugger changes is an event of the
 * machine's input queue (channel "debugger"), so that it is recorded and can be replayed.
 */
#ifndef SOFTMMU_PROGRAM_GDB_SERVER_H
#define SOFTMMU_PROGRAM_GDB_SERVER_H

#include "softmmu/program/build.h"
#include "softmmu/program/record/travel.h"
#include "softmmu/program/runstate.h"

typedef struct GdbServer GdbServer;

/* @chr may be NULL: nobody will come. */
GdbServer *gdb_server_new(Built *b, RunControl *rc, Monitor *mon, Traveller *traveller,
                          Chardev *chr);
/* Another door for clients, NULL: none. False with @error: the client that is there asks for it. */
bool gdb_server_may_move(const GdbServer *g, GError **error);
void gdb_server_set_chardev(GdbServer *g, Chardev *chr);
void gdb_server_free(GdbServer *g);
/* After each run_control_process(): tells the client of a stop. */
void gdb_server_settle(GdbServer *g);
/* The machine has ended. */
void gdb_server_exited(GdbServer *g, int status);

#endif
