/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a saved machine to and from the host, by a thread of their own: `migrate`, `-incoming`.
 * URIs: exec:COMMAND (its standard input or output), file:PATH (a new file takes the old one's
 * place when it is whole), fd:NUMBER, unix:PATH, tcp:HOST:PORT (connects to write, listens to
 * read).
 */
#ifndef SOFTMMU_PROGRAM_STATE_STATE_STREAM_H
#define SOFTMMU_PROGRAM_STATE_STATE_STREAM_H

#include <glib.h>
#include <stdbool.h>

typedef struct StateStream StateStream;

/* Called by the thread when all is written or read, or why not is known. */
typedef void StateStreamDone(void *opaque);

/* Where from: opened at once, so that what is wrong with it is known at once. */
StateStream *state_stream_open(const char *uri, bool writes, GError **error);
/* Write @pieces (GBytes *, taken over), or read (NULL). Once. */
void state_stream_start(StateStream *s, GPtrArray *pieces, StateStreamDone *done, void *opaque);
void state_stream_cancel(StateStream *s);
/* When it is done. What was read, owned by the stream; NULL with @error. */
const GPtrArray *state_stream_result(StateStream *s, GError **error);
void state_stream_free(StateStream *s); /* cancels it; NULL is allowed */

#endif
