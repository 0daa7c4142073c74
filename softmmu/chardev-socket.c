/* SPDX-License-Identifier: MIT */
/*
 * Stream sockets, as client or as server for one peer at a time, also such as this process has been
 * given ("fd:N"). The main thread accepts, reads and closes; the machine thread writes: the
 * connection is behind a lock.
 */
#include "softmmu/chardev-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "softmmu/acceptor.h"
#include "softmmu/error.h"

#define WRITE_PATIENCE_MS 1000

typedef struct Address {
    int family;
    char *path;        /* unix */
    char *host, *port; /* tcp */
    int fd;            /* of another's making; -1 */
    bool listens;      /* … that one */
    bool server, wait, telnet;
    guint64 reconnect_s; /* a client tries again so long after its peer has gone; 0: never */
} Address;

typedef struct SocketChardev {
    Chardev chr;
    Address addr;
    char *where; /* for people */
    int listener;
    Acceptor acceptor;
    GMutex lock;
    int peer; /* -1: none; under the lock */
    FdSource *source;
    guint retry; /* the timer of the next attempt to connect; 0: none */
    Telnet telnet;
} SocketChardev;

/* ---- Addresses ------------------------------------------------------------------------------ */

static bool parse_switch(const char *option, const char *name, bool *value)
{
    size_t len = strlen(name);

    if (strncmp(option, name, len))
        return false;
    option += len;
    if (!*option || !strcmp(option, "=on") || !strcmp(option, "=yes"))
        *value = true;
    else if (!strcmp(option, "=off") || !strcmp(option, "=no"))
        *value = false;
    else
        return false;
    return true;
}

static bool parse_option(Address *addr, const char *option, GError **error)
{
    bool ignored;

    if (parse_switch(option, "server", &addr->server) || parse_switch(option, "wait", &addr->wait))
        return true;
    if (!strcmp(option, "nowait")) {
        addr->wait = false;
        return true;
    }
    if (parse_switch(option, "nodelay", &ignored))
        return true; /* always on, where there is something to be delayed */
    if (g_str_has_prefix(option, "reconnect=") &&
        g_ascii_string_to_unsigned(strchr(option, '=') + 1, 10, 0, 3600, &addr->reconnect_s, NULL))
        return true;
    error_set(error, "'%s' is not an option of socket character devices (server, wait, reconnect)",
              option);
    return false;
}

static bool parse_host_port(Address *addr, const char *spec, GError **error)
{
    const char *text = strchr(spec, ':') + 1;
    const char *colon = strrchr(text, ':');
    size_t host_len = colon ? colon - text : 0;

    if (!colon || !colon[1]) {
        error_set(error, "'%s' lacks a port (tcp:HOST:PORT)", spec);
        return false;
    }
    if (host_len >= 2 && text[0] == '[' && text[host_len - 1] == ']')
        addr->host = g_strndup(text + 1, host_len - 2);
    else if (host_len)
        addr->host = g_strndup(text, host_len);
    addr->port = g_strdup(colon + 1);
    return true;
}

/* Whether it listens already says what it is for. */
static bool parse_fd(Address *addr, const char *text, GError **error)
{
    guint64 fd;
    int listens;
    socklen_t len = sizeof(listens);

    if (!g_ascii_string_to_unsigned(text, 10, 0, INT_MAX, &fd, NULL) ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len)) {
        error_set(error, "'fd:%s' is not a socket that is open here", text);
        return false;
    }
    addr->fd = fd;
    addr->server = addr->listens = listens;
    fcntl(addr->fd, F_SETFD, FD_CLOEXEC);
    return true;
}

static bool check_address(const Address *addr, const char *spec, GError **error)
{
    if (addr->fd >= 0 && addr->server != addr->listens)
        error_set(error, "'%s': that socket %s", spec,
                  addr->listens ? "listens" : "does not listen");
    else if (addr->reconnect_s && (addr->server || addr->fd >= 0))
        error_set(error, "'%s': reconnect is for clients with an address", spec);
    else
        return true;
    return false;
}

static bool parse_address(Address *addr, const char *spec, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(spec, ",", -1);

    addr->wait = true;
    addr->fd = -1;
    addr->family = g_str_has_prefix(spec, "unix:") ? AF_UNIX : AF_UNSPEC;
    addr->telnet = g_str_has_prefix(spec, "telnet:");
    if (addr->family == AF_UNIX)
        addr->path = g_strdup(parts[0] + strlen("unix:"));
    else if (g_str_has_prefix(spec, "fd:")) {
        if (!parse_fd(addr, parts[0] + strlen("fd:"), error))
            return false;
    } else if (!parse_host_port(addr, parts[0], error))
        return false;
    for (char **option = parts + 1; *option; option++) {
        if (!parse_option(addr, *option, error))
            return false;
    }
    return check_address(addr, spec, error);
}

/* ---- Opening -------------------------------------------------------------------------------- */

/* bind and listen, or connect; -1 with errno. */
static int open_socket(int family, const struct sockaddr *sa, socklen_t len, bool server)
{
    int on = 1, saved;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (server ? !bind(fd, sa, len) && !listen(fd, 1) : !connect(fd, sa, len))
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_unix(const Address *addr, GError **error)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    struct stat st;
    int fd;

    if (strlen(addr->path) >= sizeof(sa.sun_path)) {
        error_set(error, "socket path '%s' is too long", addr->path);
        return -1;
    }
    strcpy(sa.sun_path, addr->path);
    if (addr->server && !stat(addr->path, &st) && S_ISSOCK(st.st_mode))
        unlink(addr->path); /* left over from an earlier run */
    fd = open_socket(AF_UNIX, (struct sockaddr *)&sa, sizeof(sa), addr->server);
    if (fd < 0)
        error_set(error, "could not %s unix socket '%s': %s",
                  addr->server ? "listen on" : "connect to", addr->path, g_strerror(errno));
    return fd;
}

static int open_tcp(const Address *addr, GError **error)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list;
    int rc, fd = -1;

    hints.ai_flags = addr->server ? AI_PASSIVE : 0;
    rc = getaddrinfo(addr->host, addr->port, &hints, &list);
    if (rc) {
        error_set(error, "address 'tcp:%s:%s': %s", addr->host ? addr->host : "", addr->port,
                  gai_strerror(rc));
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = open_socket(a->ai_family, a->ai_addr, a->ai_addrlen, addr->server);
    if (fd < 0)
        error_set(error, "could not %s 'tcp:%s:%s': %s", addr->server ? "listen on" : "connect to",
                  addr->host ? addr->host : "", addr->port, g_strerror(errno));
    freeaddrinfo(list);
    return fd;
}

static int open_address(const Address *addr, GError **error)
{
    if (addr->fd >= 0)
        return addr->fd;
    return addr->family == AF_UNIX ? open_unix(addr, error) : open_tcp(addr, error);
}

static void clear_address(Address *addr)
{
    g_free(addr->path);
    g_free(addr->host);
    g_free(addr->port);
}

int chardev_open_socket(const char *spec, bool server, GError **error)
{
    Address addr = { 0 };
    int fd = -1;

    if (parse_address(&addr, spec, error)) {
        addr.server = server;
        fd = open_address(&addr, error);
    }
    clear_address(&addr);
    return fd;
}

/* ---- The connection ------------------------------------------------------------------------- */

static void peer_came(void *opaque, int fd);

static gboolean connect_again(void *opaque)
{
    SocketChardev *sock = opaque;
    int fd = open_address(&sock->addr, NULL);

    if (fd < 0)
        return G_SOURCE_CONTINUE;
    sock->retry = 0;
    peer_came(sock, fd);
    return G_SOURCE_REMOVE;
}

static void connect_later(SocketChardev *sock)
{
    if (sock->addr.reconnect_s)
        sock->retry = g_timeout_add_seconds(sock->addr.reconnect_s, connect_again, sock);
}

static void listen_again(SocketChardev *sock)
{
    if (sock->listener >= 0)
        acceptor_start(&sock->acceptor, sock->listener, peer_came, sock);
}

static void peer_gone(Chardev *chr)
{
    SocketChardev *sock = (SocketChardev *)chr;

    g_mutex_lock(&sock->lock);
    close(sock->peer);
    sock->peer = -1;
    g_mutex_unlock(&sock->lock);
    g_source_unref((GSource *)sock->source); /* its dispatch is removing it */
    sock->source = NULL;
    chardev_post_event(chr, CHARDEV_EVENT_CLOSED);
    listen_again(sock);
    connect_later(sock);
}

static void set_peer(SocketChardev *sock, int fd)
{
    int on = 1;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (sock->addr.family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    g_mutex_lock(&sock->lock);
    sock->peer = fd;
    if (sock->addr.telnet)
        fd_write_all(fd, telnet_greeting, telnet_greeting_len, 0);
    g_mutex_unlock(&sock->lock);
    sock->telnet = (Telnet){ 0 };
    sock->source = fd_source_new(&sock->chr, fd, peer_gone);
}

/* The next waits until this one has gone. */
static void peer_came(void *opaque, int fd)
{
    SocketChardev *sock = opaque;

    acceptor_stop(&sock->acceptor);
    set_peer(sock, fd);
    chardev_post_event(&sock->chr, CHARDEV_EVENT_OPENED);
}

static void socket_write(Chardev *chr, const uint8_t *data, size_t len)
{
    SocketChardev *sock = (SocketChardev *)chr;
    g_autoptr(GByteArray) wrapped = sock->addr.telnet ? telnet_wrap(data, len) : NULL;

    if (wrapped) {
        data = wrapped->data;
        len = wrapped->len;
    }
    g_mutex_lock(&sock->lock);
    if (sock->peer >= 0)
        fd_write_all(sock->peer, data, len, WRITE_PATIENCE_MS);
    g_mutex_unlock(&sock->lock);
}

static size_t socket_unwrap(Chardev *chr, uint8_t *data, size_t len)
{
    SocketChardev *sock = (SocketChardev *)chr;

    return sock->addr.telnet ? telnet_unwrap(&sock->telnet, chr, data, len) : len;
}

static void socket_connected(Chardev *chr)
{
    SocketChardev *sock = (SocketChardev *)chr;

    if (sock->peer >= 0 && chr->client->event)
        chr->client->event(chr->opaque, CHARDEV_EVENT_OPENED);
}

static void socket_drained(Chardev *chr)
{
    g_main_context_wakeup(NULL);
}

static void socket_close(Chardev *chr)
{
    SocketChardev *sock = (SocketChardev *)chr;

    fd_source_free(sock->source);
    if (sock->retry)
        g_source_remove(sock->retry);
    acceptor_stop(&sock->acceptor);
    if (sock->peer >= 0)
        close(sock->peer);
    if (sock->listener >= 0) {
        close(sock->listener);
        if (sock->addr.path)
            unlink(sock->addr.path);
    }
    g_mutex_clear(&sock->lock);
    clear_address(&sock->addr);
    g_free(sock->where);
}

const ChardevClass chardev_socket_class = {
    .name = "socket",
    .write = socket_write,
    .unwrap = socket_unwrap,
    .connected = socket_connected,
    .drained = socket_drained,
    .close = socket_close,
};

bool socket_has_peer(Chardev *chr)
{
    SocketChardev *sock = (SocketChardev *)chr;
    bool there;

    g_mutex_lock(&sock->lock);
    there = sock->peer >= 0;
    g_mutex_unlock(&sock->lock);
    return there;
}

const char *socket_waits_at(const Chardev *chr)
{
    const SocketChardev *sock = (const SocketChardev *)chr;

    return sock->addr.server && sock->addr.wait && sock->peer < 0 ? sock->where : NULL;
}

bool socket_wait(Chardev *chr, GError **error)
{
    SocketChardev *sock = (SocketChardev *)chr;
    int fd;

    do {
        fd = accept4(sock->listener, NULL, NULL, SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) {
        error_set(error, "waiting for a connection at '%s': %s", sock->where, g_strerror(errno));
        return false;
    }
    acceptor_stop(&sock->acceptor);
    set_peer(sock, fd);
    return true;
}

Chardev *chardev_new_socket(InputQueue *queue, const char *spec, GError **error)
{
    SocketChardev *sock = chardev_alloc(sizeof(SocketChardev), &chardev_socket_class, queue);
    int fd = -1;

    g_mutex_init(&sock->lock);
    sock->listener = sock->peer = -1;
    sock->where = g_strdup(spec);
    if (!parse_address(&sock->addr, spec, error)) {
        chardev_free(&sock->chr);
        return NULL;
    }
    fd = open_address(&sock->addr, sock->addr.reconnect_s ? NULL : error);
    if (fd < 0 && sock->addr.reconnect_s) {
        connect_later(sock);
    } else if (fd < 0) {
        chardev_free(&sock->chr);
        return NULL;
    } else if (sock->addr.server) {
        sock->listener = fd;
        listen_again(sock);
    } else {
        set_peer(sock, fd);
    }
    return &sock->chr;
}
