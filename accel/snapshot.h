/* SPDX-License-Identifier: MIT */
/*
 * A whole machine as bytes: RAM, devices and CPUs, armed timers, bytes that wait, the engine's
 * counters. Made between slices of a counted run; good for a machine of the same options, also with
 * another back end or on another host. (checkpoint.h is for going back within one process.)
 */
#ifndef ACCEL_SNAPSHOT_H
#define ACCEL_SNAPSHOT_H

#include "accel/accel.h"

GBytes *snapshot_save(Accel *a);
/* False: it is for another machine, or damaged, and @a cannot run. What a device makes of numbers
 * in its state is the device's affair. */
bool snapshot_load(Accel *a, GBytes *snapshot, GError **error);

#endif
