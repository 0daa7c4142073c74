/* SPDX-License-Identifier: MIT */
/*
 * What a user adds on the host's side of a machine that is built already, and removes there:
 * networks, disks, character devices and objects for device_add. Said as on the command line, by
 * its own parser.
 *
 * A recording has each as input: what was said, and of a disk its size. A replay does the same with
 * nothing of the host's behind it; what has come or gone there is kept, as there may be a way back
 * to when it was otherwise. Which of them are there is part of MachinePlugs, before the board's
 * part: devices that came have what came here before.
 */
#ifndef SOFTMMU_PROGRAM_HOST_SIDE_H
#define SOFTMMU_PROGRAM_HOST_SIDE_H

#include "softmmu/program/console.h"
#include "softmmu/program/monitor/monitor.h"
#include "softmmu/program/network.h"

typedef struct HostSide HostSide;

/* After the board is built. @args: the machine's options; NULL: nobody asks for them later. */
HostSide *host_side_new(Machine *m, Network *network, Console *console, GPtrArray *args);
/* After the board, before @network and @console. NULL is allowed. */
void host_side_free(HostSide *h);
/* The file of a backend with a path, if there is none. */
bool host_side_make_memory(const MemoryBackend *memory, GError **error);
/* @h must outlive the monitors. */
MonitorHost host_side_for_monitor(HostSide *h);
/* A recording begins: from now on what is there belongs to the options. */
void host_side_settle(HostSide *h);

#endif
