/* SPDX-License-Identifier: MIT */
/*
 * What a user adds on the host's side of a machine that is built already: networks, disks,
 * character devices and objects for device_add. Said as on the command line, by its own parser.
 */
#ifndef SOFTMMU_PROGRAM_HOST_SIDE_H
#define SOFTMMU_PROGRAM_HOST_SIDE_H

#include "accel/accel.h"
#include "softmmu/program/console.h"
#include "softmmu/program/monitor/monitor.h"
#include "softmmu/program/network.h"

typedef struct HostSide {
    Machine *m;
    Network *network;
    Console *console;
    const Accel *accel;
    GPtrArray *args; /* the machine's options, to which what is added belongs from now on */
} HostSide;

/* The file of a backend with a path, if there is none. */
bool host_side_make_memory(const MemoryBackend *memory, GError **error);
/* @h must outlive the monitors. */
MonitorHost host_side_for_monitor(HostSide *h);

#endif
