/* SPDX-License-Identifier: MIT */
#include "softmmu/trace.h"

#include <stdarg.h>

#include "softmmu/host-open.h"
#include "softmmu/log.h"

bool trace_on[TRACE_EVENTS];

static const struct {
    const char *name, *help;
} events[TRACE_EVENTS] = {
#define TRACE_EVENT(name, help) { #name, help },
#include "softmmu/trace-events.def"
#undef TRACE_EVENT
};

void trace_printf(TraceEvent e, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    log_printf("%s %s\n", events[e].name, text);
}

const char *trace_name(TraceEvent e)
{
    return events[e].name;
}

unsigned trace_set(const char *pattern, bool on)
{
    unsigned found = 0;

    for (unsigned e = 0; e < TRACE_EVENTS; e++) {
        if (!g_pattern_match_simple(pattern, events[e].name))
            continue;
        trace_on[e] = on;
        found++;
    }
    return found;
}

bool trace_read_file(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!host_read_file(path, &text, NULL, error))
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *pattern = g_strstrip(*line);
        bool off = *pattern == '-';

        if (*pattern && *pattern != '#')
            trace_set(pattern + off, !off);
    }
    return true;
}

void trace_print_names(GString *out)
{
    for (unsigned e = 0; e < TRACE_EVENTS; e++)
        g_string_append_printf(out, "%-26s %s\n", events[e].name, events[e].help);
}
