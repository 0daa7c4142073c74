/* SPDX-License-Identifier: MIT */
/* What instrumented code itself writes: part of every CPU's state (CpuTail). */
#ifndef ACCEL_PLUGIN_STATE_H
#define ACCEL_PLUGIN_STATE_H

#include <stdint.h>

#define PLUGIN_COUNTERS 32
#define PLUGIN_WORDS    128 /* of accesses that one segment can note */
#define PLUGIN_SCRATCH  120 /* from there on: of an access that is told, not recorded */
#define PLUGIN_ACCESS   7   /* the most words of one, with one to align it */

typedef struct PluginState {
    uint64_t counter[PLUGIN_COUNTERS];
    uint64_t segment; /* const Segment *: being executed; 0: none, or one that is at `next` */
    uint64_t noted;   /* accesses of it so far */
    uint64_t told;    /* items of it that were taken out already */
    /* Addresses in the buffer, if the latest words there are this CPU's, else 0. At `next` is 0, or
     * the first word of the entry of a segment that is being executed; blocks that write there by
     * themselves begin below `limit`. */
    uint64_t next, limit;
    /* Per access its address, then its value: of more than 8 bytes at an even word; then its
     * physical address where that is asked for. */
    uint64_t word[PLUGIN_WORDS] __attribute__((aligned(32)));
} PluginState;

/* The slots that describe it, in this order. */
enum {
    PLUGIN_SLOT_COUNTER,
    PLUGIN_SLOT_SEGMENT = PLUGIN_SLOT_COUNTER + PLUGIN_COUNTERS,
    PLUGIN_SLOT_NOTED,
    PLUGIN_SLOT_NEXT,
    PLUGIN_SLOT_LIMIT,
    PLUGIN_SLOT_VBASE, /* Cpu.vbase */
    PLUGIN_SLOT_WORD,
    PLUGIN_SLOT_PAIR = PLUGIN_SLOT_WORD + PLUGIN_WORDS, /* two words as V128 */
    PLUGIN_SLOTS = PLUGIN_SLOT_PAIR + PLUGIN_WORDS / 2
};

#endif
