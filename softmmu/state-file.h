/* SPDX-License-Identifier: MIT */
/*
 * A saved machine as a stream of bytes: sections with a name of four letters, compressed if asked
 * for, each with a hash that also covers those before it, and an end. The same on every host. What
 * the sections mean is their writer's affair (accel/snapshot.h).
 */
#ifndef SOFTMMU_STATE_FILE_H
#define SOFTMMU_STATE_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_SECTION_MAX (UINT64_C(1) << 30) /* bytes; writers stay far below */

/* Where a stream goes. @write takes all of it, or fails. */
typedef struct StateSink {
    bool (*write)(void *opaque, const void *data, size_t len, GError **error);
    void *opaque;
} StateSink;

/* Where one comes from. @read gives all that is asked for, or fails. */
typedef struct StateSource {
    bool (*read)(void *opaque, void *data, size_t len, GError **error);
    void *opaque;
} StateSource;

/* Each gives false with @error, after which the stream is of no use. */
typedef struct StateWriter StateWriter;
StateWriter *state_writer_new(const StateSink *sink, bool compress);
bool state_writer_put(StateWriter *w, const char *name, const void *data, size_t len,
                      GError **error);
bool state_writer_end(StateWriter *w, GError **error);
void state_writer_free(StateWriter *w);

typedef struct StateReader StateReader;
StateReader *state_reader_new(const StateSource *source);
/* The next section: @name has room for 5; "" at the end. @data is the reader's until the next call.
 */
bool state_reader_next(StateReader *r, char *name, const uint8_t **data, size_t *len,
                       GError **error);
void state_reader_free(StateReader *r);

/* ---- Streams in memory ----------------------------------------------------------------------- */

/* Pieces (GBytes *) in a GPtrArray, as there may be more of it than one array can have. */
StateSink state_sink_pieces(GPtrArray *pieces);
typedef struct StatePieces {
    const GPtrArray *pieces;
    guint piece;
    size_t at; /* in it */
} StatePieces;
StateSource state_source_pieces(StatePieces *from); /* begins at its first byte */

#endif
