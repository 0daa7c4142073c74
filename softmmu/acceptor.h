/* SPDX-License-Identifier: MIT */
/*
 * Peers of a listening socket, as they come, on the main thread. When the process has no descriptor
 * left for one, it is looked for again a moment later: until then the peer waits in the host's
 * queue.
 */
#ifndef SOFTMMU_ACCEPTOR_H
#define SOFTMMU_ACCEPTOR_H

#include <glib.h>

typedef void AcceptFunc(void *opaque, int fd); /* @fd is the callee's; it does not block */

typedef struct Acceptor {
    int listener;
    AcceptFunc *func;
    void *opaque;
    guint source; /* 0: it does not look */
} Acceptor;

void acceptor_start(Acceptor *a, int listener, AcceptFunc *func,
                    void *opaque); /* nothing if it looks already */
void acceptor_stop(Acceptor *a);   /* also from within its function, and of one that is all zero */

#endif
