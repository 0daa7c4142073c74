/* SPDX-License-Identifier: MIT */
/* What instrumented code itself writes: part of every CPU's state (CpuTail). */
#ifndef ACCEL_PLUGIN_STATE_H
#define ACCEL_PLUGIN_STATE_H

#include <stdint.h>

#define PLUGIN_COUNTERS 32

typedef struct PluginState {
    uint64_t counter[PLUGIN_COUNTERS];
} PluginState;

#endif
