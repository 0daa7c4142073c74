/* SPDX-License-Identifier: MIT */
/*
 * A recording being made or replayed. session_record() and session_replay() are for the program,
 * once the board is complete and before accel_run(), a recording also later; the rest is for the
 * loop. A machine has one
 * session at most.
 */
#ifndef ACCEL_SESSION_H
#define ACCEL_SESSION_H

#include "accel/accel.h"
#include "softmmu/recording.h"

typedef struct Session Session;

/* Takes @w over. @failed is told once, on the machine thread, why nothing more is recorded. */
void session_record(Accel *a, RecordWriter *w, void (*failed)(const char *why));
/* Between slices, at a moment of its own: the recording ends here. */
void session_stop_recording(Accel *a);
bool session_is_recording(const Accel *a);
/* Whether one can begin where a running machine is; NULL, or why not. */
const char *session_refusal(const Accel *a);
/* @r must outlive the session. The queue is replaying already (input_set_replaying()). */
void session_replay(Accel *a, RecordReader *r);

typedef struct SessionResult {
    bool finished;   /* else the user left before */
    bool complete;   /* … with the recording's own end, hash of memory included */
    const char *why; /* it diverged: how; NULL if it did not */
    uint64_t count;  /* instructions when it ended */
    uint64_t agreed; /* … when a hash agreed last */
    uint64_t hashes; /* how many did */
} SessionResult;

SessionResult session_result(const Accel *a); /* of a replay */
bool session_is_replay(const Accel *a);

RecordStamp session_stamp(const Accel *a); /* of this moment */

/* Where a replay stands in its recording, and going back there. */
typedef struct SessionPlace {
    RecordPlace next; /* the item in hand */
    SessionResult result;
} SessionPlace;
SessionPlace session_place(const Accel *a);
void session_seek(Accel *a, const SessionPlace *place);
/* Leave the recording: from now on input comes from the host, as it does without a session. */
void session_go_live(Accel *a);

/* ---- For accel.c; without a session these do nothing ---------------------------------------- */

/* Slices of an only CPU end at multiples of this at the latest: how long input may wait where no
 * timer ends them. As far apart as hashes, as each end cuts a block, which costs 10 us. */
#define SESSION_GRID (UINT64_C(1) << 22)

void session_turn(Accel *a); /* between slices, before input is delivered */
/* After requests were honoured. True: there is more to do before anything runs or sleeps. */
bool session_before_slice(Accel *a);
int64_t session_slice_limit(const Accel *a); /* instructions; there must be a session */
bool session_before_sleep(Accel *a);         /* until input comes; false: do not */
int64_t session_idle_limit(const Accel *a);  /* ns that may pass at a time while nothing runs */
void session_before_nap(Accel *a);
void session_end(Accel *a); /* the loop has been left */
void session_free(Accel *a);

#endif
