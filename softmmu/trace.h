/* SPDX-License-Identifier: MIT */
/*
 * Events to trace (-trace, trace-event of the monitor): lines of the -d log, "NAME TEXT", for each
 * of those that are switched on. One set per process, as the log. What is off costs a look at a
 * byte.
 *
 * To add one: a row in trace-events.def, and trace(name, FORMAT, ...) where it happens.
 */
#ifndef SOFTMMU_TRACE_H
#define SOFTMMU_TRACE_H

#include <glib.h>
#include <stdbool.h>

typedef enum TraceEvent {
#define TRACE_EVENT(name, help) TRACE_##name,
#include "softmmu/trace-events.def"
#undef TRACE_EVENT
    TRACE_EVENTS
} TraceEvent;

extern bool trace_on[TRACE_EVENTS];

#define trace(name, ...)                                 \
    do {                                                 \
        if (__builtin_expect(trace_on[TRACE_##name], 0)) \
            trace_printf(TRACE_##name, __VA_ARGS__);     \
    } while (0)
/* A line of the log, whether the event is on or not. Any thread. */
void trace_printf(TraceEvent e, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

const char *trace_name(TraceEvent e);
/* Switches those that @pattern names, * and ? being what they are in names of files; how many. */
unsigned trace_set(const char *pattern, bool on);
/* -trace's lines of a file: a pattern each, with "-" before it those are switched off; # begins a
 * remark. */
bool trace_read_file(const char *path, GError **error);
void trace_print_names(GString *out); /* for -trace help */

#endif
