/* SPDX-License-Identifier: MIT */
/*
 * A whole machine as bytes: RAM, devices and CPUs, armed timers, bytes that wait, the engine's
 * counters. Made between slices of a counted run; good for a machine of the same options, also with
 * another back end or on another host. (checkpoint.h is for going back within one process.)
 */
#ifndef ACCEL_SNAPSHOT_H
#define ACCEL_SNAPSHOT_H

#include "accel/accel.h"

/* @a forgets what its TLBs have, as whoever loads this will have nothing there: what page walks
 * mark is the same then. NULL with @error: more memory is in use than a snapshot can have. */
GBytes *snapshot_save(Accel *a, GError **error);
/* False: it is for another machine, or damaged, and @a cannot run. What a device makes of numbers
 * in its state is the device's affair. */
bool snapshot_load(Accel *a, GBytes *snapshot, GError **error);

#endif
