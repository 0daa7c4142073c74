/* SPDX-License-Identifier: MIT */
/*
 * Networks behind a descriptor: a tap device of the host's, datagrams (-netdev dgram, or
 * socket,udp=), and a stream to another machine (stream, or socket with listen= or connect=), where
 * each frame has its length before it in four bytes, most significant first. Frames go out on the
 * machine thread, as far as the host takes them at once: beyond that they are lost, as on a wire.
 * They come in on the main thread. Missing: multicast, scripts that set a tap device up.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netdb.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "softmmu/bytes.h"
#include "softmmu/chardev.h"
#include "softmmu/error.h"
#include "softmmu/net/net.h"

#ifdef __linux__
#include <linux/if.h>
#include <linux/if_tun.h>
#endif

#define HEAD             4
#define MAX_STREAM_FRAME 0x20000 /* longer ones are no frames; those beyond ours are skipped */

typedef struct FdNet {
    NetBackend backend;
    char *info;
    GMutex lock;  /* of .fd and .rest, which the machine thread uses as well */
    int fd;       /* -1: nobody is at the other end */
    int listener; /* -1: none */
    guint watch, accept;
    char *where; /* to connect to again; NULL: never */
    guint64 reconnect_s;
    guint retry;
    bool stream;
    struct sockaddr_storage peer; /* of datagrams */
    socklen_t peer_len;
    GByteArray *rest; /* of a frame that a stream has taken a part of */
    GByteArray *in;   /* of a stream: what is no whole frame yet */
} FdNet;

/* ---- Out: the machine thread ------------------------------------------------------------------
 */

/* What is left of the frame before; false: it does not go yet. */
static bool flush_rest(FdNet *n)
{
    ssize_t done = n->rest->len ? send(n->fd, n->rest->data, n->rest->len, MSG_NOSIGNAL) : 0;

    if (done > 0)
        g_byte_array_remove_range(n->rest, 0, done);
    return !n->rest->len;
}

static void send_stream(FdNet *n, const uint8_t *frame, size_t len)
{
    uint8_t head[HEAD];

    put_be(head, HEAD, len);
    if (!flush_rest(n))
        return;
    g_byte_array_append(n->rest, head, HEAD);
    g_byte_array_append(n->rest, frame, len);
    flush_rest(n);
}

static void fd_send(NetBackend *b, const uint8_t *frame, size_t len)
{
    FdNet *n = (FdNet *)b;
    ssize_t done = 0;

    g_mutex_lock(&n->lock);
    if (n->fd >= 0 && n->stream)
        send_stream(n, frame, len);
    else if (n->fd >= 0 && n->peer_len)
        done = sendto(n->fd, frame, len, MSG_NOSIGNAL, (struct sockaddr *)&n->peer, n->peer_len);
    else if (n->fd >= 0)
        done = write(n->fd, frame, len);
    (void)done;
    g_mutex_unlock(&n->lock);
}

/* ---- In: the main thread ----------------------------------------------------------------------
 */

static gboolean peer_waits(int fd, GIOCondition condition, void *opaque);
static void connect_later(FdNet *n);

/* The other end has gone. Whoever listens awaits the next one. */
static gboolean drop_peer(FdNet *n)
{
    g_mutex_lock(&n->lock);
    close(n->fd);
    n->fd = -1;
    g_byte_array_set_size(n->rest, 0);
    g_mutex_unlock(&n->lock);
    g_byte_array_set_size(n->in, 0);
    n->watch = 0;
    if (n->listener >= 0)
        n->accept = g_unix_fd_add(n->listener, G_IO_IN, peer_waits, n);
    connect_later(n);
    return G_SOURCE_REMOVE;
}

/* Whole frames out of what has come; false: that is no stream of frames. */
static bool take_frames(FdNet *n)
{
    while (n->in->len >= HEAD) {
        uint32_t len = get_be(n->in->data, HEAD);

        if (len > MAX_STREAM_FRAME)
            return false;
        if (n->in->len - HEAD < len)
            return true;
        if (len && len <= NET_MAX_FRAME)
            net_backend_deliver(&n->backend, n->in->data + HEAD, len);
        g_byte_array_remove_range(n->in, 0, HEAD + len);
    }
    return true;
}

static gboolean readable(int fd, GIOCondition condition, void *opaque)
{
    FdNet *n = opaque;
    uint8_t bytes[NET_MAX_FRAME + 1];
    ssize_t len = read(fd, bytes, sizeof(bytes));

    if (len < 0 && (errno == EAGAIN || errno == EINTR || !n->stream))
        return G_SOURCE_CONTINUE; /* nobody listens there: a datagram came back */
    if (n->stream) {
        if (len <= 0)
            return drop_peer(n);
        g_byte_array_append(n->in, bytes, len);
        return take_frames(n) ? G_SOURCE_CONTINUE : drop_peer(n);
    }
    if (len && len <= NET_MAX_FRAME)
        net_backend_deliver(&n->backend, bytes, len);
    return G_SOURCE_CONTINUE;
}

static void set_fd(FdNet *n, int fd)
{
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    g_mutex_lock(&n->lock);
    n->fd = fd;
    g_mutex_unlock(&n->lock);
    n->watch = g_unix_fd_add(fd, G_IO_IN, readable, n);
}

static gboolean connect_again(void *opaque)
{
    FdNet *n = opaque;
    int fd = chardev_open_socket(n->where, false, NULL);

    if (fd < 0)
        return G_SOURCE_CONTINUE;
    n->retry = 0;
    set_fd(n, fd);
    return G_SOURCE_REMOVE;
}

static void connect_later(FdNet *n)
{
    if (n->reconnect_s)
        n->retry = g_timeout_add_seconds(n->reconnect_s, connect_again, n);
}

static gboolean peer_waits(int listener, GIOCondition condition, void *opaque)
{
    FdNet *n = opaque;
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        return G_SOURCE_CONTINUE;
    n->accept = 0;
    set_fd(n, fd);
    return G_SOURCE_REMOVE;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static char *fd_info(NetBackend *b)
{
    return g_strconcat("  ", ((FdNet *)b)->info, "\n", NULL);
}

static void fd_free(NetBackend *b)
{
    FdNet *n = (FdNet *)b;

    if (n->watch)
        g_source_remove(n->watch);
    if (n->accept)
        g_source_remove(n->accept);
    if (n->retry)
        g_source_remove(n->retry);
    if (n->fd >= 0)
        close(n->fd);
    if (n->listener >= 0)
        close(n->listener);
    g_byte_array_unref(n->rest);
    g_byte_array_unref(n->in);
    g_mutex_clear(&n->lock);
    g_free(n->info);
    g_free(n->where);
    g_free(n->backend.summary);
    g_free(n);
}

/* "KIND: what of it" as "KIND,what of it". */
static char *summary_of(const char *info)
{
    const char *colon = strchr(info, ':');

    return g_strdup_printf("%.*s,%s", (int)(colon - info), info, colon + 2);
}

/* @info: "KIND: what of it". */
static FdNet *fd_net_new(bool stream, char *info)
{
    FdNet *n = g_new0(FdNet, 1);

    n->backend = (NetBackend){ .send = fd_send, .free = fd_free, .info = fd_info };
    n->info = info;
    n->backend.summary = summary_of(info);
    n->fd = n->listener = -1;
    n->stream = stream;
    n->rest = g_byte_array_new();
    n->in = g_byte_array_new();
    g_mutex_init(&n->lock);
    return n;
}

static bool resolve_path(const char *path, struct sockaddr_storage *addr, socklen_t *len,
                         GError **error)
{
    struct sockaddr_un *un = (struct sockaddr_un *)addr;

    un->sun_family = AF_UNIX;
    *len = sizeof(*un);
    if (g_strlcpy(un->sun_path, path, sizeof(un->sun_path)) < sizeof(un->sun_path))
        return true;
    error_set(error, "UNIX socket path '%s' is too long", path);
    return false;
}

/* Of datagrams: "HOST:PORT" or "unix:PATH"; false with @error. */
static bool resolve(const char *text, struct sockaddr_storage *addr, socklen_t *len, GError **error)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *host = colon ? g_strndup(text, colon - text) : NULL;
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *found;
    int bad;

    if (g_str_has_prefix(text, "unix:"))
        return resolve_path(text + strlen("unix:"), addr, len, error);
    bad = colon ? getaddrinfo(*host ? host : "127.0.0.1", colon + 1, &hints, &found) : EAI_NONAME;

    if (bad) {
        error_set(error, "'%s' is no HOST:PORT: %s", text, gai_strerror(bad));
        return false;
    }
    memcpy(addr, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static NetBackend *open_datagrams(const NetSocketOptions *o, GError **error)
{
    FdNet *n = fd_net_new(false, g_strdup_printf("socket: udp=%s", o->udp));
    struct sockaddr_storage local = { 0 };
    socklen_t len;
    int fd;

    if (!resolve(o->udp, &n->peer, &n->peer_len, error) ||
        !resolve(o->local, &local, &len, error)) {
        fd_free(&n->backend);
        return NULL;
    }
    if (local.ss_family == AF_UNIX)
        unlink(((struct sockaddr_un *)&local)->sun_path); /* of a machine before */
    fd = socket(local.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&local, len)) {
        error_set(error, "localaddr=%s: %s", o->local, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        fd_free(&n->backend);
        return NULL;
    }
    set_fd(n, fd);
    return &n->backend;
}

NetBackend *net_socket_new(const NetSocketOptions *o, GError **error)
{
    const char *where = o->listen ? o->listen : o->connect;
    bool named = where && g_str_has_prefix(where, "unix:");
    g_autofree char *spec = where ? g_strconcat(named ? "" : "tcp:", where, NULL) : NULL;
    FdNet *n;
    int fd;

    if (!!o->listen + !!o->connect + !!o->udp != 1 || !o->udp != !o->local) {
        error_set(error, "one of listen=, connect=, and udp= with localaddr= is needed");
        return NULL;
    }
    if (o->udp)
        return open_datagrams(o, error);
    fd = chardev_open_socket(spec, o->listen != NULL, o->reconnect_s ? NULL : error);
    if (fd < 0 && !o->reconnect_s)
        return NULL;
    n = fd_net_new(true, g_strdup_printf("socket: %s=%s", o->listen ? "listen" : "connect", where));
    n->reconnect_s = o->reconnect_s;
    n->where = g_strdup(spec);
    if (fd < 0) {
        connect_later(n);
    } else if (o->listen) {
        n->listener = fd;
        n->accept = g_unix_fd_add(fd, G_IO_IN, peer_waits, n);
    } else {
        set_fd(n, fd);
    }
    return &n->backend;
}

#ifdef __linux__
static int open_tap(const char *name, GError **error)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        error_set(error, "could not open /dev/net/tun: %s", g_strerror(errno));
        return -1;
    }
    g_strlcpy(request.ifr_name, name ? name : "tap%d", sizeof(request.ifr_name));
    if (!ioctl(fd, TUNSETIFF, &request))
        return fd;
    error_set(error, "could not configure /dev/net/tun (%s): %s", request.ifr_name,
              g_strerror(errno));
    close(fd);
    return -1;
}
#else
static int open_tap(const char *name, GError **error)
{
    error_set(error, "this host has no tap devices");
    return -1;
}
#endif

static NetBackend *tap_of(int fd, char *info)
{
    FdNet *n = fd_net_new(false, info);

    set_fd(n, fd);
    return &n->backend;
}

NetBackend *net_tap_new(const char *name, GError **error)
{
    int fd = open_tap(name, error);

    return fd < 0
               ? NULL
               : tap_of(fd, g_strdup_printf("tap: ifname=%s", name ? name : "chosen by the host"));
}

NetBackend *net_tap_new_fd(int fd, GError **error)
{
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
        return tap_of(fd, g_strdup_printf("tap: fd=%d", fd));
    error_set(error, "fd=%d: %s", fd, g_strerror(errno));
    return NULL;
}

/* ---- Bridges ----------------------------------------------------------------------------------
 */

#define BRIDGE_HELPER "/usr/lib/qemu/qemu-bridge-helper"

/* The descriptor that comes along with a byte; -1: none does. */
static int receive_fd(int from)
{
    char byte;
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec data = { &byte, 1 };
    struct msghdr message = { .msg_iov = &data,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *c;
    int fd = -1;

    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) <= 0)
        return -1;
    c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

/* It has the other end of a socket under the number that it is told. */
static bool start_helper(const char *helper, const char *bridge, int end, GError **error)
{
    g_autofree char *fd = g_strdup_printf("--fd=%d", end), *br = g_strdup_printf("--br=%s", bridge);
    const char *argv[] = { helper, fd, br, NULL };
    const int kept[] = { end };

    return g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, -1, -1,
                                            -1, kept, kept, 1, NULL, NULL, NULL, NULL, error);
}

NetBackend *net_bridge_new(const char *bridge, const char *helper, GError **error)
{
    const char *program = helper ? helper : BRIDGE_HELPER, *name = bridge ? bridge : "br0";
    int ends[2], fd = -1;
    bool started;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        error_set(error, "bridge: %s", g_strerror(errno));
        return NULL;
    }
    started = start_helper(program, name, ends[1], error);
    close(ends[1]);
    if (started)
        fd = receive_fd(ends[0]);
    close(ends[0]);
    if (started && fd < 0)
        error_set(error, "bridge helper '%s' failed for bridge '%s'", program, name);
    else if (!started)
        g_prefix_error(error, "bridge helper '%s': ", program);
    return fd < 0 ? NULL : tap_of(fd, g_strdup_printf("bridge: br=%s", name));
}
