/* SPDX-License-Identifier: MIT */
/* Host file descriptors as back ends: the polled source, files, named pipes, pseudo terminals,
 * serial ports. */
#include "softmmu/chardev-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"

/* ---- The polled source ---------------------------------------------------------------------- */

struct FdSource {
    GSource source;
    Chardev *chr;
    int fd;
    void *tag; /* NULL while there is no room: then the fd is not polled at all */
    void (*gone)(Chardev *chr);
};

static gboolean fd_prepare(GSource *source, int *timeout)
{
    FdSource *s = (FdSource *)source;
    bool room = chardev_room(s->chr) > 0;

    *timeout = -1;
    if (room && !s->tag) {
        s->tag = g_source_add_unix_fd(source, s->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    } else if (!room && s->tag) {
        g_source_remove_unix_fd(source, s->tag);
        s->tag = NULL;
    }
    return FALSE;
}

static gboolean fd_check(GSource *source)
{
    FdSource *s = (FdSource *)source;

    return s->tag && g_source_query_unix_fd(source, s->tag) != 0;
}

#define FDS_MAX 16 /* that wait for somebody to take them */

/* Those beyond what is wanted are closed. */
static void keep_fds(Chardev *chr, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (g_async_queue_length(chr->fds) < FDS_MAX)
                g_async_queue_push(chr->fds, GINT_TO_POINTER(fd + 1));
            else
                close(fd);
        }
    }
}

static ssize_t read_with_fds(Chardev *chr, int fd, uint8_t *buf, size_t len)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control;
    struct iovec iov = { buf, len };
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

    if (n < 0 && errno == ENOTSOCK)
        return read(fd, buf, len);
    if (n > 0)
        keep_fds(chr, &m);
    return n;
}

static gboolean fd_dispatch(GSource *source, GSourceFunc func, void *data)
{
    FdSource *s = (FdSource *)source;
    uint8_t buf[4096];
    size_t room = chardev_room(s->chr);
    ssize_t n;

    if (!room)
        return G_SOURCE_CONTINUE;
    room = MIN(room, sizeof(buf));
    n = s->chr->fds ? read_with_fds(s->chr, s->fd, buf, room) : read(s->fd, buf, room);
    if (n > 0) {
        if (s->chr->klass->unwrap)
            n = s->chr->klass->unwrap(s->chr, buf, n);
        chardev_post(s->chr, buf, n);
        return G_SOURCE_CONTINUE;
    }
    if ((n < 0 && (errno == EAGAIN || errno == EINTR)) || s->chr->klass->datagrams)
        return G_SOURCE_CONTINUE;
    if (s->gone)
        s->gone(s->chr);
    return G_SOURCE_REMOVE;
}

static GSourceFuncs fd_source_funcs = { .prepare = fd_prepare,
                                        .check = fd_check,
                                        .dispatch = fd_dispatch };

FdSource *fd_source_new(Chardev *chr, int fd, void (*gone)(Chardev *chr))
{
    GSource *source = g_source_new(&fd_source_funcs, sizeof(FdSource));
    FdSource *s = (FdSource *)source;

    s->chr = chr;
    s->fd = fd;
    s->gone = gone;
    g_source_attach(source, NULL);
    return s;
}

void fd_source_free(FdSource *source)
{
    if (!source)
        return;
    g_source_destroy(&source->source);
    g_source_unref(&source->source);
}

void fd_write_all(int fd, const uint8_t *data, size_t len, int patience_ms)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n > 0) {
            data += n;
            len -= n;
        } else if (n < 0 && errno == EAGAIN) {
            struct pollfd p = { .fd = fd, .events = POLLOUT };

            if (poll(&p, 1, patience_ms) == 0)
                return;
        } else if (n == 0 || errno != EINTR) {
            return;
        }
    }
}

/* The machine thread made room: let the main thread poll again. */
static void wake_main(Chardev *chr)
{
    g_main_context_wakeup(NULL);
}

/* ---- file ----------------------------------------------------------------------------------- */

typedef struct FileChardev {
    Chardev chr;
    int fd;
} FileChardev;

static void file_write(Chardev *chr, const uint8_t *data, size_t len)
{
    fd_write_all(((FileChardev *)chr)->fd, data, len, -1);
}

static void file_close(Chardev *chr)
{
    close(((FileChardev *)chr)->fd);
}

static const ChardevClass file_class = { .name = "file", .write = file_write, .close = file_close };

Chardev *chardev_new_file(InputQueue *queue, const char *path, bool append, GError **error)
{
    int fd = host_open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0666);
    FileChardev *file;

    if (fd < 0) {
        error_set(error, "could not open '%s': %s", path, g_strerror(errno));
        return NULL;
    }
    file = chardev_alloc(sizeof(FileChardev), &file_class, queue);
    file->fd = fd;
    return &file->chr;
}

/* ---- pipe ----------------------------------------------------------------------------------- */

typedef struct PipeChardev {
    Chardev chr;
    int in, out;
    FdSource *source;
} PipeChardev;

static void pipe_write(Chardev *chr, const uint8_t *data, size_t len)
{
    fd_write_all(((PipeChardev *)chr)->out, data, len, 0); /* nobody reads: dropped */
}

static void pipe_close(Chardev *chr)
{
    PipeChardev *p = (PipeChardev *)chr;

    fd_source_free(p->source);
    if (p->in >= 0)
        close(p->in);
    if (p->out >= 0 && p->out != p->in)
        close(p->out);
}

static const ChardevClass pipe_class = {
    .name = "pipe", .write = pipe_write, .drained = wake_main, .close = pipe_close
};

/* For both ways, so that neither end of it waits for the other to be opened. */
static int open_fifo(const char *path, const char *suffix)
{
    g_autofree char *name = g_strconcat(path, suffix, NULL);

    return host_open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
}

/* PATH.in is read and PATH.out written; without them PATH is both. */
Chardev *chardev_new_pipe(InputQueue *queue, const char *path, GError **error)
{
    PipeChardev *p = chardev_alloc(sizeof(PipeChardev), &pipe_class, queue);

    p->in = open_fifo(path, ".in");
    p->out = open_fifo(path, ".out");
    if (p->in < 0 && p->out < 0)
        p->in = p->out = open_fifo(path, "");
    if (p->in < 0 || p->out < 0) {
        error_set(error, "could not open '%s.in' and '%s.out', nor '%s': %s", path, path, path,
                  g_strerror(errno));
        chardev_free(&p->chr);
        return NULL;
    }
    p->source = fd_source_new(&p->chr, p->in, NULL);
    return &p->chr;
}

/* ---- pty ------------------------------------------------------------------------------------ */

typedef struct PtyChardev {
    Chardev chr;
    int master, slave; /* the slave stays open, so that clients may come and go */
    char *name;
    FdSource *source;
} PtyChardev;

static void pty_write(Chardev *chr, const uint8_t *data, size_t len)
{
    fd_write_all(((PtyChardev *)chr)->master, data, len, 0); /* nobody there: dropped */
}

static void pty_close(Chardev *chr)
{
    PtyChardev *pty = (PtyChardev *)chr;

    fd_source_free(pty->source);
    close(pty->slave);
    close(pty->master);
    g_free(pty->name);
}

const ChardevClass chardev_pty_class = {
    .name = "pty", .write = pty_write, .drained = wake_main, .close = pty_close
};

const char *pty_name(const Chardev *chr)
{
    return ((const PtyChardev *)chr)->name;
}

static bool pty_open(PtyChardev *pty)
{
    char name[128];
    struct termios mode;

    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty->master < 0)
        return false;
    if (grantpt(pty->master) || unlockpt(pty->master) || ptsname_r(pty->master, name, sizeof(name)))
        return false;
    pty->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->slave < 0 || tcgetattr(pty->slave, &mode))
        return false;
    cfmakeraw(&mode);
    tcsetattr(pty->slave, TCSANOW, &mode);
    pty->name = g_strdup(name);
    return true;
}

Chardev *chardev_new_pty(InputQueue *queue, GError **error)
{
    PtyChardev *pty = chardev_alloc(sizeof(PtyChardev), &chardev_pty_class, queue);

    pty->master = pty->slave = -1;
    if (!pty_open(pty)) {
        error_set(error, "could not make a pseudo terminal: %s", g_strerror(errno));
        chardev_free(&pty->chr);
        return NULL;
    }
    pty->source = fd_source_new(&pty->chr, pty->master, NULL);
    return &pty->chr;
}

/* ---- tty ------------------------------------------------------------------------------------ */

/* A serial port of the host's, or another terminal: at the rate that it has (stty), raw. */
typedef struct TtyChardev {
    Chardev chr;
    int fd;
    bool changed;
    struct termios before;
    FdSource *source;
} TtyChardev;

static void tty_write(Chardev *chr, const uint8_t *data, size_t len)
{
    fd_write_all(((TtyChardev *)chr)->fd, data, len,
                 0); /* its other end is slow or gone: dropped */
}

static void tty_close(Chardev *chr)
{
    TtyChardev *tty = (TtyChardev *)chr;

    fd_source_free(tty->source);
    if (tty->changed)
        tcsetattr(tty->fd, TCSANOW, &tty->before);
    if (tty->fd >= 0)
        close(tty->fd);
}

static const ChardevClass tty_class = {
    .name = "serial", .write = tty_write, .drained = wake_main, .close = tty_close
};

static bool tty_set_raw(TtyChardev *tty)
{
    struct termios mode;

    if (tcgetattr(tty->fd, &mode))
        return false;
    tty->before = mode;
    cfmakeraw(&mode);
    mode.c_cflag |= CLOCAL | CREAD;
    tty->changed = !tcsetattr(tty->fd, TCSANOW, &mode);
    return tty->changed;
}

Chardev *chardev_new_tty(InputQueue *queue, const char *path, GError **error)
{
    TtyChardev *tty = chardev_alloc(sizeof(TtyChardev), &tty_class, queue);

    tty->fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (tty->fd < 0 || (strcmp(path, "/dev/null") && !tty_set_raw(tty))) {
        error_set(error, tty->fd < 0 ? "could not open '%s': %s" : "'%s' is no serial port: %s",
                  path, g_strerror(errno));
        chardev_free(&tty->chr);
        return NULL;
    }
    tty->source = fd_source_new(&tty->chr, tty->fd, NULL);
    return &tty->chr;
}
