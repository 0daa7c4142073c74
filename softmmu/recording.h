/* SPDX-License-Identifier: MIT */
/*
 * The file of a recording: how a machine was configured, the host files that went into it, and
 * everything that reached it from outside, each with the moment at which it did; state hashes in
 * between. It knows nothing of machines: accel/session.c makes and follows the stream.
 *
 * File: magic and version (16 bytes), then frames: a head (type, lengths, sequence number, hash of
 * head and stored bytes) and a payload that zstd has compressed where that helps. A frame is
 * written by one call, so that a killed process leaves all of those before.
 */
#ifndef SOFTMMU_RECORDING_H
#define SOFTMMU_RECORDING_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "softmmu/host-files.h"

/* A moment of a counted run: instructions, virtual time (which jumps when all CPUs are halted), and
 * how often timers ran or requests were honoured, which tells moments of equal time apart. */
typedef struct RecordStamp {
    uint64_t count, time_ns, turn;
} RecordStamp;

/* <0, 0, >0 as @a is before, at or after @b. */
int record_stamp_compare(const RecordStamp *a, const RecordStamp *b);

/* ---- Writing -------------------------------------------------------------------------------- */

typedef struct RecordWriter RecordWriter;

/* A file that a recording has if it begins in the middle of a run: the machine as it was then
 * (accel/snapshot.h). */
#define RECORD_SNAPSHOT "(the machine at the beginning)"

/* Creates @path with @args (options of a machine) and @files. NULL with @error; also if this build
 * has no zstd. */
RecordWriter *record_create(const char *path, char **args, HostFiles *files, GError **error);
typedef struct RecordReader RecordReader;
typedef struct RecordItem RecordItem;
/* The same for what follows from @r, channels too: packed as well as can be. */
RecordWriter *record_create_copy(const char *path, const RecordReader *r, GError **error);
/* The devices of the machine and their state (device_tree_shape()); before the channels. */
void record_board(RecordWriter *w, const char *const *shape);
/* Names of the channels that events will be for; NULL ends the list, "" is none. Again, with more
 * of them behind those, when devices came later. */
void record_channels(RecordWriter *w, const char *const *names);
void record_event(RecordWriter *w, const RecordStamp *at, unsigned channel, const void *data,
                  size_t len);
void record_hash(RecordWriter *w, const RecordStamp *at, uint64_t hash);
void record_end(RecordWriter *w, const RecordStamp *at, uint64_t hash);
/* One of the above, as it was read from @r. */
void record_item(RecordWriter *w, const RecordReader *r, const RecordItem *item);
/* Everything until here is on its way to the disk. */
void record_flush(RecordWriter *w);
void record_flush_late(RecordWriter *w); /* … unless that is so of what is older than an instant */
/* What went wrong (the file ends with the last whole frame, nothing more is written), or NULL. */
const char *record_failure(const RecordWriter *w);
uint64_t record_size(const RecordWriter *w); /* bytes of file so far */
void record_close(RecordWriter *w);          /* flushes; NULL is allowed */

/* ---- Reading -------------------------------------------------------------------------------- */

typedef enum RecordKind { RECORD_EVENT = 1, RECORD_HASH, RECORD_END } RecordKind;

struct RecordItem {
    RecordKind kind;
    RecordStamp at;
    unsigned channel;    /* RECORD_EVENT */
    const uint8_t *data; /* … valid until the next call */
    size_t len;
    uint64_t hash; /* RECORD_HASH: of the device tree; RECORD_END: of the machine */
};

/* Reads everything before the stream. NULL with @error if that is not whole. */
RecordReader *record_open(const char *path, GError **error);
RecordReader *record_open_bytes(GBytes *file, GError **error);
void record_reader_free(RecordReader *r);

const char *record_version(const RecordReader *r); /* of the Mimus that made it */
char **record_args(const RecordReader *r);         /* the reader's */
char **record_board_shape(const RecordReader *r);  /* likewise; NULL: it was not recorded */
HostFiles *record_files(const RecordReader *r);    /* the reader's; has these files and no others */
/* Names of channels, as record_channels() got them, as far as this was read; the reader's. */
char **record_channel_names(const RecordReader *r);
/* False: the stream ends here, after RECORD_END or without. */
bool record_next(RecordReader *r, RecordItem *item);
/* Where the next item will come from, and going back there. */
typedef struct RecordPlace {
    size_t pos, at;  /* in the file, of the frame in hand; in that frame */
    uint32_t frames; /* before it */
    RecordStamp last;
    bool in_frame, ended;
} RecordPlace;
RecordPlace record_place(const RecordReader *r);
void record_seek(RecordReader *r, const RecordPlace *place);
/* After record_next() was false: why it is not a proper end, or NULL. */
const char *record_damage(const RecordReader *r);
uint64_t record_file_size(const RecordReader *r);
uint64_t record_stream_size(const RecordReader *r); /* … without the embedded files */

#endif
