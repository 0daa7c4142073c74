/* SPDX-License-Identifier: MIT */
/*
 * Building and taking down a machine: the order in which address spaces, accelerator, CPUs and
 * board come up (each needs those before it), and the cold reset that ends it.
 */
#ifndef SOFTMMU_PROGRAM_BUILD_H
#define SOFTMMU_PROGRAM_BUILD_H

#include "softmmu/machine.h"
#include "softmmu/program/monitor/monitor.h"

typedef struct Accel Accel;

typedef struct Built {
    Machine machine;
    Accel *accel;
    CpuBus bus;
    bool has_board;
    char *recording; /* the file of one that is being made, or was; NULL: there was none */
    char **shape;    /* device_tree_shape() before anything was plugged in or out */
} Built;

/* The machine without anything that can fail: input queue, spaces, root device. */
void build_begin(Built *b, const MachineConfig *config);
/* The rest, once the character devices are in the machine. */
bool build_finish(Built *b, GError **error);
/* Whatever exists of it. Character devices are the caller's. */
/* True: the machine was on its way to a moment of a replay, and goes back to where it was. */
bool build_cancel_travel(Machine *m);
void build_free(Built *b);

/* For RunHooks. */
void build_powerdown(Machine *m);
void build_wakeup(Machine *m);

/* How the monitor sees the CPUs and the board. */
MonitorCpus build_monitor_cpus(Built *b);
extern const MonitorTopic build_monitor_topics[];
extern const MonitorBoard build_monitor_board;

#endif
