/* SPDX-License-Identifier: MIT */
/*
 * Random bytes of a device of the host's (-object rng-random). They reach the machine as input
 * (design D7): recordings have them, and a replay asks nobody.
 */
#ifndef SOFTMMU_HOST_RANDOM_H
#define SOFTMMU_HOST_RANDOM_H

#include "softmmu/input.h"

#define HOST_RANDOM_MAX 1024 /* bytes at a time */

typedef struct HostRandom HostRandom;

/* @id names its input in recordings. @file is a character device; NULL: a recording is replayed. */
HostRandom *host_random_new(InputQueue *input, const char *id, const char *file, GError **error);
void host_random_free(HostRandom *r); /* NULL is allowed; with the queue, not before it is done */
void host_random_connect(HostRandom *r, void (*got)(void *opaque, const uint8_t *data, size_t len),
                         void *opaque);
/* One that is not known to the machine has no name in recordings, so that another may have it. */
void host_random_set_known(HostRandom *r, bool known);
/* Up to @len bytes, later. Machine thread. */
void host_random_ask(HostRandom *r, size_t len);

#endif
