/* SPDX-License-Identifier: MIT */
#include "softmmu/program/state/state-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "softmmu/chardev.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"

#define PIECE (1u << 20)

/* The thread's from its start to its end. */
struct StateStream {
    GThread *thread; /* NULL: not started */
    bool writes, listens;
    int fd;
    GPid child;                 /* 0: none */
    char *path, *partial, *uri; /* path: the file's own name; partial: what it has until then */
    GPtrArray *pieces;
    gint cancelled;
    GError *error;
    StateStreamDone *done;
    void *opaque;
};

/* ---- Opening --------------------------------------------------------------------------------- */

static bool open_exec(StateStream *s, const char *command, GError **error)
{
    char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)command, NULL };

    return g_spawn_async_with_pipes(
        NULL, argv, NULL,
        G_SPAWN_DO_NOT_REAP_CHILD | (s->writes ? 0 : G_SPAWN_CHILD_INHERITS_STDIN), NULL, NULL,
        &s->child, s->writes ? &s->fd : NULL, s->writes ? NULL : &s->fd, NULL, error);
}

static bool open_file(StateStream *s, const char *path, GError **error)
{
    if (s->writes && host_is_fd_set(path)) {
        s->fd = host_open(path, O_WRONLY | O_TRUNC | O_CLOEXEC, 0);
    } else if (s->writes) {
        s->path = g_strdup(path);
        s->partial = g_strconcat(path, ".XXXXXX", NULL);
        s->fd = g_mkstemp_full(s->partial, O_WRONLY | O_CLOEXEC, 0666);
    } else {
        s->fd = host_open(path, O_RDONLY | O_CLOEXEC, 0);
    }
    if (s->fd >= 0)
        return true;
    error_set(error, "could not open '%s': %s", path, g_strerror(errno));
    g_clear_pointer(&s->partial, g_free);
    return false;
}

static bool open_fd(StateStream *s, const char *text, GError **error)
{
    char *end;
    uint64_t fd = g_ascii_strtoull(text, &end, 10);

    if (end != text && !*end && fd <= G_MAXINT && fcntl(fd, F_GETFD) >= 0) {
        s->fd = fd;
        return true;
    }
    error_set(error, "'%s' is no open file descriptor", text);
    return false;
}

static bool open_socket(StateStream *s, const char *uri, GError **error)
{
    s->listens = !s->writes;
    s->fd = chardev_open_socket(uri, s->listens, error);
    return s->fd >= 0;
}

static bool open_uri(StateStream *s, const char *uri, GError **error)
{
    if (g_str_has_prefix(uri, "exec:"))
        return open_exec(s, uri + 5, error);
    if (g_str_has_prefix(uri, "file:"))
        return open_file(s, uri + 5, error);
    if (g_str_has_prefix(uri, "fd:"))
        return open_fd(s, uri + 3, error);
    if (g_str_has_prefix(uri, "unix:") || g_str_has_prefix(uri, "tcp:"))
        return open_socket(s, uri, error);
    error_set(error, "unknown migration protocol: %s", uri);
    return false;
}

static void destroy(StateStream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    if (s->partial)
        unlink(s->partial);
    g_free(s->partial);
    g_free(s->path);
    g_free(s->uri);
    g_clear_pointer(&s->pieces, g_ptr_array_unref);
    g_clear_error(&s->error);
    g_free(s);
}

StateStream *state_stream_open(const char *uri, bool writes, GError **error)
{
    StateStream *s = g_new0(StateStream, 1);

    s->fd = -1;
    s->writes = writes;
    s->uri = g_strdup(uri);
    if (open_uri(s, uri, error)) {
        g_unix_set_fd_nonblocking(s->fd, TRUE, NULL);
        return s;
    }
    destroy(s);
    return NULL;
}

/* ---- The thread ------------------------------------------------------------------------------ */

static void fail(StateStream *s, int failure)
{
    if (!s->error)
        error_set(&s->error, "%s: %s", s->uri, g_strerror(failure));
}

static bool is_cancelled(StateStream *s)
{
    if (g_atomic_int_get(&s->cancelled))
        fail(s, ECANCELED);
    return s->error;
}

/* Ready for more, with a look now and then at whether it is still wanted. */
static bool wait_ready(StateStream *s, short events)
{
    struct pollfd p = { s->fd, events, 0 };

    while (!is_cancelled(s)) {
        int n = poll(&p, 1, 200);

        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            fail(s, errno);
    }
    return false;
}

static void write_piece(StateStream *s, GBytes *piece)
{
    gsize len;
    const uint8_t *p = g_bytes_get_data(piece, &len);

    while (len && wait_ready(s, POLLOUT)) {
        ssize_t n = write(s->fd, p, MIN(len, PIECE));

        if (n >= 0) {
            p += n;
            len -= n;
        } else if (errno != EINTR && errno != EAGAIN) {
            fail(s, errno);
        }
    }
}

static void accept_peer(StateStream *s)
{
    int peer;

    if (!wait_ready(s, POLLIN))
        return;
    peer = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    if (peer < 0)
        fail(s, errno);
    close(s->fd);
    s->fd = peer;
}

static void read_all(StateStream *s)
{
    g_autofree uint8_t *buf = g_malloc(PIECE);

    s->pieces = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    if (s->listens)
        accept_peer(s);
    while (!s->error && wait_ready(s, POLLIN)) {
        ssize_t n = read(s->fd, buf, PIECE);

        if (n > 0)
            g_ptr_array_add(s->pieces, g_bytes_new(buf, n));
        else if (!n)
            break;
        else if (errno != EINTR && errno != EAGAIN)
            fail(s, errno);
    }
}

/* The file has its name once it is whole and on the disk. */
static void finish_file(StateStream *s)
{
    if (!s->partial || s->error)
        return;
    if (fsync(s->fd) || rename(s->partial, s->path))
        fail(s, errno);
    else
        g_clear_pointer(&s->partial, g_free);
}

/* A command that does not end is waited for only as long as somebody wants its result. */
static void finish_child(StateStream *s)
{
    int status = 0;
    pid_t ended;

    if (!s->child)
        return;
    while ((ended = waitpid(s->child, &status, WNOHANG)) == 0 && !is_cancelled(s))
        g_usleep(2000);
    if (!ended)
        kill(s->child, SIGTERM);
    g_spawn_close_pid(s->child);
    if (!s->error && status)
        error_set(&s->error, "%s: the command failed", s->uri);
}

static void *stream_thread(void *opaque)
{
    StateStream *s = opaque;

    if (s->writes) {
        for (guint i = 0; i < s->pieces->len && !s->error; i++)
            write_piece(s, s->pieces->pdata[i]);
    } else {
        read_all(s);
    }
    finish_file(s);
    if (s->fd >= 0 && close(s->fd) && s->writes)
        fail(s, errno);
    s->fd = -1;
    finish_child(s);
    s->done(s->opaque);
    return NULL;
}

void state_stream_start(StateStream *s, GPtrArray *pieces, StateStreamDone *done, void *opaque)
{
    s->pieces = pieces;
    s->done = done;
    s->opaque = opaque;
    s->thread = g_thread_new("state", stream_thread, s);
}

void state_stream_cancel(StateStream *s)
{
    g_atomic_int_set(&s->cancelled, 1);
}

const GPtrArray *state_stream_result(StateStream *s, GError **error)
{
    if (!s->error)
        return s->pieces;
    g_propagate_error(error, g_error_copy(s->error));
    return NULL;
}

void state_stream_free(StateStream *s)
{
    if (!s)
        return;
    state_stream_cancel(s);
    if (s->thread)
        g_thread_join(s->thread);
    destroy(s);
}
