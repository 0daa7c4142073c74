/* SPDX-License-Identifier: MIT */
/* What instrumented code itself writes: part of every CPU's state (CpuTail). */
#ifndef ACCEL_PLUGIN_STATE_H
#define ACCEL_PLUGIN_STATE_H

#include <stdint.h>

#define PLUGIN_COUNTERS 32
#define PLUGIN_CELLS    48 /* accesses that one segment can note */

typedef struct PluginState {
    uint64_t counter[PLUGIN_COUNTERS];
    uint64_t segment; /* const Segment *: being executed; 0: none */
    uint64_t cells;   /* that it has filled */
    uint64_t addr[PLUGIN_CELLS];
    uint64_t value[PLUGIN_CELLS][4] __attribute__((aligned(32)));
    uint32_t told; /* items of the segment that were taken out already */
} PluginState;

/* The slots that describe it, in this order. */
enum {
    PLUGIN_SLOT_COUNTER,
    PLUGIN_SLOT_SEGMENT = PLUGIN_SLOT_COUNTER + PLUGIN_COUNTERS,
    PLUGIN_SLOT_CELLS,
    PLUGIN_SLOT_ADDR,
    PLUGIN_SLOT_VALUE = PLUGIN_SLOT_ADDR + PLUGIN_CELLS,
    PLUGIN_SLOT_HIGH = PLUGIN_SLOT_VALUE + PLUGIN_CELLS,
    PLUGIN_SLOTS = PLUGIN_SLOT_HIGH + PLUGIN_CELLS
};

#endif
