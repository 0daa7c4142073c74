/* SPDX-License-Identifier: MIT */
/*
 * The host's side of -netdev and of -object rng-random and filter-dump: what lives as long as the
 * machine. Main thread.
 */
#ifndef SOFTMMU_PROGRAM_NETWORK_H
#define SOFTMMU_PROGRAM_NETWORK_H

#include "softmmu/program/options/options.h"

typedef struct Network {
    GPtrArray *backends; /* NetBackend * */
    GHashTable *nets;    /* Machine.nets */
    GPtrArray *sources;  /* HostRandom * */
    GHashTable *randoms; /* Machine.randoms */
    GHashTable *by_id;   /* id of a -netdev -> NetBackend, whoever has it */
    GHashTable *hubs;    /* number -> NetHub, which go with their ports */
    GHashTable *dumps;   /* id of an -object filter-dump -> NetDump */
} Network;

/* Fills Machine.nets and .randoms. A replay has no back ends. network_close() after success and
 * failure alike, and after the machine has been freed. */
bool network_open(Network *n, const Options *o, Machine *m, GError **error);
/* -object filter-dump, once the machine has a clock. */
bool network_open_dumps(Network *n, Machine *m, GError **error);
/* One more, the first of @options, which is taken over if this succeeds; and one that no card has
 * gone again. Machine thread. */
bool network_add(Network *n, Machine *m, GPtrArray *options, GError **error);
bool network_remove(Network *n, Machine *m, const char *id, GError **error);
/* -object filter-dump, likewise, of a network that is there. Machine thread. */
bool network_add_dump(Network *n, Machine *m, const DeviceOption *object, GError **error);
void network_remove_dump(Network *n, const DeviceOption *object);
bool network_has(const Machine *m, const char *id);
NetDump *network_dump(const Network *n, const char *id); /* NULL: a replay */
/* -object rng-random, likewise. A source that is removed is closed with the machine. */
bool network_add_random(Network *n, Machine *m, const DeviceOption *object, GError **error);
bool network_remove_random(Network *n, const char *id, GError **error);
void network_close(Network *n);

#endif
