/* SPDX-License-Identifier: MIT */
/* Datagrams: what is written goes to the peer, each write one of them; what comes is input. */
#include "softmmu/chardev-internal.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "softmmu/error.h"

typedef struct UdpChardev {
    Chardev chr;
    int fd;
    FdSource *source;
} UdpChardev;

static void udp_write(Chardev *chr, const uint8_t *data, size_t len)
{
    UdpChardev *udp = (UdpChardev *)chr;

    if (send(udp->fd, data, len, MSG_NOSIGNAL) < 0)
        return; /* datagrams get lost: the guest's output has nowhere to complain */
}

static void udp_drained(Chardev *chr)
{
    g_main_context_wakeup(NULL);
}

static void udp_close(Chardev *chr)
{
    UdpChardev *udp = (UdpChardev *)chr;

    fd_source_free(udp->source);
    if (udp->fd >= 0)
        close(udp->fd);
}

static const ChardevClass udp_class = {
    .name = "udp",
    .datagrams = true,
    .write = udp_write,
    .drained = udp_drained,
    .close = udp_close,
};

/* "[HOST]:PORT", HOST in brackets if it has colons. */
static bool split_host(const char *text, char **host, char **port)
{
    const char *colon = strrchr(text, ':');

    if (!colon)
        return false;
    *host = text[0] == '[' && colon[-1] == ']' ? g_strndup(text + 1, colon - text - 2)
                                               : g_strndup(text, colon - text);
    *port = g_strdup(colon + 1);
    return true;
}

static struct addrinfo *resolve(const char *text, int family, bool passive, GError **error)
{
    g_autofree char *host = NULL, *port = NULL;
    struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_DGRAM }, *list = NULL;
    int rc = EAI_NONAME;

    hints.ai_flags = passive ? AI_PASSIVE : 0;
    if (split_host(text, &host, &port))
        rc = getaddrinfo(*host     ? host
                         : passive ? NULL
                                   : "localhost",
                         *port ? port : "0", &hints, &list);
    if (rc)
        error_set(error, "address 'udp:%s': %s", text, gai_strerror(rc));
    return rc ? NULL : list;
}

/* A socket of ours at @local that speaks with @peer; -1 with @error. */
static int open_udp(const char *peer, const char *local, GError **error)
{
    struct addrinfo *to = resolve(peer, AF_UNSPEC, false, error), *from = NULL;
    int fd = -1;

    if (!to)
        return -1;
    from = resolve(local, to->ai_family, true, error);
    if (from) {
        fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || bind(fd, from->ai_addr, from->ai_addrlen) ||
            connect(fd, to->ai_addr, to->ai_addrlen)) {
            error_set(error, "'udp:%s@%s': %s", peer, local, g_strerror(errno));
            if (fd >= 0)
                close(fd);
            fd = -1;
        }
        freeaddrinfo(from);
    }
    freeaddrinfo(to);
    return fd;
}

Chardev *chardev_new_udp(InputQueue *queue, const char *where, GError **error)
{
    g_auto(GStrv) ends = g_strsplit(where, "@", 2);
    int fd = open_udp(ends[0] ? ends[0] : "", ends[0] && ends[1] ? ends[1] : ":0", error);
    UdpChardev *udp;

    if (fd < 0)
        return NULL;
    udp = chardev_alloc(sizeof(UdpChardev), &udp_class, queue);
    udp->fd = fd;
    udp->source = fd_source_new(&udp->chr, fd, NULL);
    return &udp->chr;
}
