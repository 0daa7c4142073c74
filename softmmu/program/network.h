/* SPDX-License-Identifier: MIT */
/*
 * The host's side of -netdev and of -object rng-random and filter-dump: what lives as long as the
 * machine. Main thread.
 */
#ifndef SOFTMMU_PROGRAM_NETWORK_H
#define SOFTMMU_PROGRAM_NETWORK_H

#include "softmmu/host-random.h"
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
/* One more while the machine runs, which is in no table of the machine's yet, and one that is in
 * none any more. Machine thread. *@backend is NULL in a replay. */
bool network_open_one(Network *n, Machine *m, const NetdevOption *option, NetBackend **backend,
                      GError **error);
void network_close_one(Network *n, const char *id, NetBackend *backend); /* NULL is allowed */
bool network_has(const Machine *m, const char *id);
bool network_is_shared(const Network *n, const char *id);
/* -object filter-dump, likewise, of a network that is there. Machine thread. */
bool network_add_dump(Network *n, Machine *m, const DeviceOption *object, GError **error);
void network_remove_dump(Network *n, const DeviceOption *object);
NetDump *network_dump(const Network *n, const char *id); /* NULL: a replay */
/* -object rng-random, which is in the table; it is closed with the machine. NULL with @error. */
HostRandom *network_open_random(Network *n, Machine *m, const DeviceOption *object, GError **error);
void network_close(Network *n);

#endif
