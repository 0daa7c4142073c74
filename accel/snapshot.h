/* SPDX-License-Identifier: MIT */
/*
 * A whole machine as bytes (softmmu/state-file.h): RAM, devices and CPUs, armed timers, bytes that
 * wait, the engine's counters. Made between slices; good for a machine of the same options, also
 * with another back end or on another host. (checkpoint.h is for going back within one process.)
 */
#ifndef ACCEL_SNAPSHOT_H
#define ACCEL_SNAPSHOT_H

#include "accel/accel.h"
#include "softmmu/state-file.h"

/* @a forgets what its TLBs have, as whoever loads this will have nothing there: what page walks
 * mark is the same then. */
bool snapshot_write(Accel *a, const StateSink *sink, bool compress, GError **error);
void snapshot_forget_caches(Accel *a); /* that part of it alone */
/* Is it whole, and of a machine like this one? Changes nothing, but that what was plugged in or out
 * is, in a machine as it was built. */
bool snapshot_check(Accel *a, const StateSource *source, GError **error);
/* False: it is for another machine, or damaged, and @a cannot run. What a device makes of numbers
 * in its state is the device's affair. */
bool snapshot_read(Accel *a, const StateSource *source, GError **error);

/* The same, not compressed. NULL with @error: more memory is in use than one array can have. */
GBytes *snapshot_save(Accel *a, GError **error);
bool snapshot_load(Accel *a, GBytes *snapshot, GError **error);

#endif
