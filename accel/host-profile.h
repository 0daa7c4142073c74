/* SPDX-License-Identifier: MIT */
/*
 * Names of compiled blocks for a profiler of the host (perf): the text file /tmp/perf-PID.map,
 * and jit-PID.dump in the working directory, which also has the code ("perf inject --jit").
 */
#ifndef ACCEL_HOST_PROFILE_H
#define ACCEL_HOST_PROFILE_H

#include <glib.h>
#include <stdbool.h>

typedef struct HostProfile HostProfile;

HostProfile *host_profile_new(bool map, bool dump, GError **error);
void host_profile_free(HostProfile *p); /* NULL is fine; the files stay */
/* Host code at [@start, +@size) has been made. */
void host_profile_add(HostProfile *p, const void *start, size_t size, const char *name);

#endif
