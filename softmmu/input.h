/* SPDX-License-Identifier: MIT */
/*
 * The one door (design D7). Whatever is not deterministic reaches the machine only as an event in
 * this queue: characters typed, requests from monitors, disk and network completions, wall time.
 * Host threads post; the machine thread takes events out between instructions, stamps them with the
 * instruction count and hands each to the channel it is for. Recording is writing down what is
 * taken out; replaying is feeding it.
 *
 * A channel is registered while the machine is built, so that channel numbers agree between a
 * recording and its replay.
 */
#ifndef SOFTMMU_INPUT_H
#define SOFTMMU_INPUT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct InputQueue InputQueue;
/* Runs on the machine thread, under the machine lock. @data is the queue's. */
typedef void InputFunc(void *opaque, const void *data, size_t len);

InputQueue *input_queue_new(void);
void input_queue_free(InputQueue *q);

/* @name identifies the channel in recordings. @control channels are delivered while the machine is
 * stopped too (monitor, gdb) and are not part of a recording. */
int input_add_channel(InputQueue *q, const char *name, bool control, InputFunc *func, void *opaque);

/* Nobody hears what is still on its way there: its owner goes. Machine thread. */
void input_close_channel(InputQueue *q, int channel);
/* From any thread: queue a copy of @data for @channel and wake the machine thread. */
void input_post(InputQueue *q, int channel, const void *data, size_t len);

/* Machine thread: an event that begins here, between instructions, whether the machine is stopped
 * or not (a debugger or monitor changes it): stamped, recorded and handed over at once. False: a
 * recording is replayed, and nothing was changed. */
bool input_act(InputQueue *q, int channel, const void *data, size_t len, uint64_t count);

/* Machine thread. Deliver what is queued (only control channels when @running is false, the rest
 * is put aside for the next call with @running); true if anything was delivered. @count stamps the
 * events. Events posted from within a delivery wait for the next call. */
bool input_deliver(InputQueue *q, bool running, uint64_t count);
/* Was anything posted since the last input_deliver()? Cheap: one relaxed load. What was put aside
 * does not count. */
bool input_pending(InputQueue *q);
/* The machine runs again: what was put aside is due, and counts as posted. */
void input_resume(InputQueue *q);
/* Sleep until something is posted or @timeout_ns passed (CLOCK_NEVER: no limit). */
void input_wait(InputQueue *q, int64_t timeout_ns);
/* A recorder's ear: sees each event that is not control, with its stamp, before its channel does.
 */
typedef void InputTap(void *opaque, uint64_t count, int channel, const void *data, size_t len);
void input_set_tap(InputQueue *q, InputTap *tap, void *opaque);

/* ---- Replaying ---- */

/* True: from now on events of channels that are not control are those of a recording alone, what
 * is posted to them is dropped. False: no longer. */
void input_set_replaying(InputQueue *q, bool replaying);
bool input_is_replaying(const InputQueue *q);
void input_replay(InputQueue *q, int channel, const void *data, size_t len);

/* By what a channel serves, so that a replay may have another back end there. @name is copied. */
void input_name_channel(InputQueue *q, int channel, const char *name);
/* Names by channel, NULL after the last, "" for control channels; free with g_free(). */
const char **input_channel_names(const InputQueue *q);

/* Called (from the posting thread) after each post: lets a running vCPU be interrupted. */
void input_set_wake_hook(InputQueue *q, void (*hook)(void *opaque), void *opaque);

#endif
