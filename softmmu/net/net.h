/* SPDX-License-Identifier: MIT */
/*
 * The cable between a network card and a back end of the host. Frames that arrive pass the input
 * queue (design D7); a few wait here while the card has no room, more are lost, as on a wire. The
 * back end works on the main thread and is the host's own affair: a replay has none.
 */
#ifndef SOFTMMU_NET_NET_H
#define SOFTMMU_NET_NET_H

#include <glib.h>

#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/input.h"

#define NET_MAX_FRAME 1522 /* with VLAN tag, without the checksum that the wire adds */
#define NET_WAITING   64   /* frames */

typedef struct NetCable NetCable;

/* What a card is told, on the machine thread. */
typedef struct NetClient {
    bool (*can_receive)(void *opaque); /* one more frame of any size */
    void (*receive)(void *opaque, const uint8_t *frame, size_t len);
    void (*link_changed)(void *opaque);  /* NULL: it cannot tell its guest */
    const uint8_t *(*mac)(void *opaque); /* its address, 6 bytes, for the user */
} NetClient;

/* The host's side of a cable. To add one: a constructor in a file of its own, a row in the options.
 */
typedef struct NetBackend NetBackend;
struct NetBackend {
    /* From the machine thread; the frame is copied or gone when it returns. */
    void (*send)(NetBackend *b, const uint8_t *frame, size_t len);
    void (*free)(NetBackend *b); /* main thread; no frame comes after it */
    NetCable *cable;             /* set when it is plugged in, before frames are sent */
    /* Frames for the cable go there instead, from any thread; NULL: to the cable. */
    void (*divert)(void *opaque, const uint8_t *frame, size_t len);
    void *divert_opaque;
    /* What the user may see and change; NULL where a back end has none. */
    char *(*info)(NetBackend *b);
    bool (*forward)(NetBackend *b, const char *rule, bool add, GError **error); /* hostfwd */
    GPtrArray *dumps; /* NetDump *, borrowed: what passes is written there; NULL: nowhere */
    char *summary; /* "user,net=10.0.2.0,restrict=off": what it is, for the user; .free frees it */
};

extern const DeviceClass net_cable_class;

/* @id as -netdev has it. @backend may be NULL: nobody is at the other end (a replay); it is not
 * taken over and must outlive the cable. Not yet realized. */
NetCable *net_cable_new(Device *parent, const char *id, InputQueue *input, NetBackend *backend);
const char *net_cable_id(const NetCable *c);
NetBackend *net_cable_backend(const NetCable *c);                     /* NULL: a replay */
void net_connect(NetCable *c, const NetClient *client, void *opaque); /* NULL: the card is gone */
/* All below @root; free the array alone. */
GPtrArray *net_cables(const Device *root);
/* "ID: index=0,type=…", for the user: a network (NULL: of a recording); a card, NULL if none is
 * there. Free both. */
char *net_summary(const char *id, const NetBackend *b);
char *net_card_summary(const NetCable *c);
/* One below @root; NULL: there is none. Has a card got it? */
NetCable *net_cable_find(Device *root, const char *id);
bool net_is_connected(const NetCable *c);

/* What is at either end does not reach the other while it is out. The card's opaque is its Device,
 * whose name will do as well. NULL: nothing is called that. */
void net_set_link(NetCable *c, bool up);
bool net_is_up(const NetCable *c);
NetCable *net_cable_named(Device *root, const char *name);

/* The network goes though a card may have it: the link goes down, and nobody is at the other end
 * until another network of that name comes and a card asks for it. */
void net_cut(NetCable *c);
bool net_is_cut(const NetCable *c);
const char *net_former(const NetCable *c);       /* what was there, NULL: it is */
void net_join(NetCable *c, NetBackend *backend); /* no card is there */

/* Tells the network of the card's address (RARP, RFC 903), as when it has moved. */
void net_announce(NetCable *c);

/* The address of @card, whose cable is below @root; false: it is none. */
bool net_card_mac(const Device *root, const Device *card, uint8_t mac[6]);

/* The card: a frame for the host; it has room again. */
void net_send(NetCable *c, const uint8_t *frame, size_t len);
void net_ready(NetCable *c);

/* From any thread: a frame for the card. */
void net_post(NetCable *c, const uint8_t *frame, size_t len);
/* The same from a back end, which may not be plugged in. */
void net_backend_deliver(NetBackend *b, const uint8_t *frame, size_t len);

/* ---- Captures: net-dump.c -------------------------------------------------------------------- */

typedef struct NetDump NetDump;

/* A file for tcpdump and its like (libpcap's format, Ethernet, microseconds of @clock).
 * @directions: "all", "rx" (what the back end gets) or "tx" (what it gives). NULL with @error. */
NetDump *net_dump_new(const char *path, uint32_t max_len, const char *directions, Clock *clock,
                      GError **error);
void net_dump_free(NetDump *d);
void net_dump_set_on(NetDump *d, bool on);
bool net_dump_is_on(const NetDump *d);
/* Machine thread. */
void net_dump_frame(NetDump *d, bool to_backend, const uint8_t *frame, size_t len);
void net_backend_add_dump(NetBackend *b, NetDump *d);
void net_backend_remove_dump(NetBackend *b, NetDump *d);

/* ---- Back ends ------------------------------------------------------------------------------- */

typedef struct NetUserOptions {
    char *net, *host, *dhcp_start, *dns; /* IPv4 addresses; net as A.B.C.D[/BITS]; NULL: default */
    char *hostname, *tftp, *bootfile;
    char *domain;  /* NULL: none */
    char **search; /* domains that DNS clients look through; NULL: none */
    bool no_ipv4, no_ipv6;
    bool restricted;     /* nothing from or to the host but what is forwarded */
    GPtrArray *forwards; /* char *: "tcp|udp:[ADDR]:PORT-[ADDR]:PORT" */
    /* char *: "tcp:ADDR:PORT-cmd:COMMAND", which is run for each connection to there. */
    GPtrArray *guest_forwards;
} NetUserOptions;

/* User-mode networking by libslirp, on the main thread's default context. NULL with @error. */
NetBackend *net_user_new(const NetUserOptions *o, GError **error);

/* One of the three: a stream from whoever connects, or to somewhere; datagrams to somewhere from
 * @local. Addresses are HOST:PORT or unix:PATH. On the main thread's default context, as the next.
 */
typedef struct NetSocketOptions {
    char *listen, *connect, *udp, *local;
    uint64_t reconnect_s; /* to whom it connects it does so again after that time; 0: once */
} NetSocketOptions;
NetBackend *net_socket_new(const NetSocketOptions *o, GError **error);

/* A tap device of the host's by name; NULL: the host chooses one. */
NetBackend *net_tap_new(const char *name, GError **error);
/* One that somebody has opened: @fd becomes its own. */
NetBackend *net_tap_new_fd(int fd, GError **error);
/* One on a bridge of the host's, opened by a @helper (NULL: Debian's) with more rights. */
NetBackend *net_bridge_new(const char *bridge, const char *helper, GError **error);

/* ---- Hubs: net-hub.c ------------------------------------------------------------------------- */

/* What one port hears goes to all others. Ports are back ends. */
typedef struct NetHub NetHub;
NetHub *net_hub_new(void);
void net_hub_free(NetHub *hub); /* after its ports */
/* @other: a back end at that port instead of a card, no port itself, which goes after it; NULL. */
bool net_is_hub_port(const NetBackend *b);
NetBackend *net_hub_add_port(NetHub *hub, unsigned number, NetBackend *other);

#endif
