/* SPDX-License-Identifier: MIT */
/*
 * What the back ends of chardev*.c share. A back end embeds Chardev first. Input travels:
 * host fd --main thread--> chardev_post() --input queue--> machine thread: waiting bytes -> client.
 * The backlog (posted and not yet taken by the client) is bounded by not polling the fd.
 */
#ifndef SOFTMMU_CHARDEV_INTERNAL_H
#define SOFTMMU_CHARDEV_INTERNAL_H

#include "softmmu/chardev.h"

#define CHARDEV_BACKLOG_MAX 65536

typedef struct ChardevClass {
    const char *name;
    void (*write)(Chardev *chr, const uint8_t *data, size_t len); /* NULL: swallow */
    /* Main thread: input as it came, made into what the client gets; returns its length, not more
     * than before. NULL: it is that already. */
    size_t (*unwrap)(Chardev *chr, uint8_t *data, size_t len);
    void (*connected)(Chardev *chr); /* a client came; NULL: CHARDEV_EVENT_OPENED at once */
    void (*drained)(Chardev *chr);   /* the client took something; may be NULL */
    bool datagrams;                  /* an empty read or an error is not the end */
    void (*close)(Chardev *chr);     /* everything but the struct; may be NULL */
} ChardevClass;

struct Chardev {
    const ChardevClass *klass;
    const ChardevClient *client;
    void *opaque;
    InputQueue *queue; /* NULL: input is handed over directly (tests) */
    int channel, control_channel;
    bool control, silent;
    bool offering;
    int log;             /* -1: what is written goes to no file as well */
    GByteArray *waiting; /* machine thread */
    int backlog;         /* atomic */
    GAsyncQueue *fds;    /* descriptors that came along, + 1; NULL: they are not wanted */
};

/* @size bytes that begin with a Chardev, zeroed. */
void *chardev_alloc(size_t size, const ChardevClass *klass, InputQueue *queue);
/* From any thread: input and events for the client. */
void chardev_post(Chardev *chr, const uint8_t *data, size_t len);
void chardev_post_event(Chardev *chr, int event);
size_t chardev_room(Chardev *chr); /* how much more may be posted */

/* Poll @fd for input on the main thread as long as there is room. @gone (may be NULL) runs on the
 * main thread at end of file or error, after which the source is dead. */
typedef struct FdSource FdSource;
FdSource *fd_source_new(Chardev *chr, int fd, void (*gone)(Chardev *chr));
void fd_source_free(FdSource *source);
/* Write all of it; if the other side takes nothing for @patience_ms (-1: no limit) drop the rest.
 * Errors drop it too: the guest's output has nowhere to complain. */
void fd_write_all(int fd, const uint8_t *data, size_t len, int patience_ms);

Chardev *chardev_new_stdio(InputQueue *queue, bool signals, GError **error);
Chardev *chardev_new_file(InputQueue *queue, const char *path, bool append, GError **error);
Chardev *chardev_new_pipe(InputQueue *queue, const char *path, GError **error);
/* "[HOST]:PORT[@[HOST]:PORT]": the peer's address and ours. */
Chardev *chardev_new_udp(InputQueue *queue, const char *where, GError **error);
Chardev *chardev_new_ringbuf(InputQueue *queue, const char *size, GError **error);
Chardev *chardev_new_pty(InputQueue *queue, GError **error);
Chardev *chardev_new_tty(InputQueue *queue, const char *path, GError **error);
/* @spec includes the prefix "unix:", "tcp:", "telnet:" or "fd:". */
Chardev *chardev_new_socket(InputQueue *queue, const char *spec, GError **error);

/* The TELNET protocol on a connection: input without its commands, output with its escapes. */
typedef struct Telnet {
    uint8_t state; /* of what comes */
} Telnet;
extern const uint8_t telnet_greeting[]; /* to a new peer */
extern const size_t telnet_greeting_len;
size_t telnet_unwrap(Telnet *t, Chardev *chr, uint8_t *data, size_t len);
GByteArray *telnet_wrap(const uint8_t *data, size_t len);

extern const ChardevClass chardev_pty_class, chardev_socket_class;
const char *pty_name(const Chardev *chr);
bool socket_has_peer(Chardev *chr);
const char *socket_waits_at(const Chardev *chr);
bool socket_wait(Chardev *chr, GError **error);

#endif
