/* SPDX-License-Identifier: MIT */
/* The host's side of -netdev: back ends, which live as long as the machine. Main thread. */
#ifndef SOFTMMU_PROGRAM_NETWORK_H
#define SOFTMMU_PROGRAM_NETWORK_H

#include "softmmu/program/options/options.h"

typedef struct Network {
    GPtrArray *backends; /* NetBackend * */
    GHashTable *nets;    /* Machine.nets */
} Network;

/* Fills Machine.nets. A replay has no back ends. network_close() after success and failure alike,
 * and after the machine has been freed. */
bool network_open(Network *n, const Options *o, Machine *m, GError **error);
void network_close(Network *n);

#endif
