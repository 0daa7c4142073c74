/* SPDX-License-Identifier: MIT */
/* Accesses on their way into a native trace's streams: many at once, as they differ from what the
 * reader expects. */
#ifndef ACCEL_PLUGIN_TRACE_PACK_H
#define ACCEL_PLUGIN_TRACE_PACK_H

#include <stdint.h>

/* Where the streams end: lengths, addrs, values (trace-file.h). TRACE_PACK_MORE bytes beyond what
 * is put there may be written. */
typedef struct TraceEnds {
    uint8_t *lengths, *addrs, *values;
} TraceEnds;
#define TRACE_PACK_MORE 64

/* Append @n accesses; @addr and @value: by how much each is more than expected. */
typedef void TracePackFn(TraceEnds *to, const uint64_t *addr, const uint64_t *value, unsigned n);

void trace_pack_plain(TraceEnds *to, const uint64_t *addr, const uint64_t *value, unsigned n);
/* The quickest one that this host can do. */
TracePackFn *trace_pack_best(void);

#endif
