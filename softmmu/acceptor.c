/* SPDX-License-Identifier: MIT */
#include "softmmu/acceptor.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <sys/socket.h>

#define RETRY_MS 100

static void look(Acceptor *a);

static gboolean look_again(void *opaque)
{
    look(opaque);
    return G_SOURCE_REMOVE;
}

/* The peer has gone, or there was none. */
static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

static gboolean peer_waits(int listener, GIOCondition condition, void *opaque)
{
    Acceptor *a = opaque;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        a->func(a->opaque, fd);
    } else if (!is_passing(errno)) {
        a->source = g_timeout_add(RETRY_MS, look_again, a);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static void look(Acceptor *a)
{
    a->source = g_unix_fd_add(a->listener, G_IO_IN, peer_waits, a);
}

void acceptor_start(Acceptor *a, int listener, AcceptFunc *func, void *opaque)
{
    if (a->source)
        return;
    *a = (Acceptor){ listener, func, opaque };
    look(a);
}

void acceptor_stop(Acceptor *a)
{
    if (a->source)
        g_source_remove(a->source);
    a->source = 0;
}
