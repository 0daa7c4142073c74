/* SPDX-License-Identifier: MIT */
/*
 * Character back ends: stdio, file, pty, pipe, sockets, null, a buffer of the latest output, and
 * the multiplexer of -nographic.
 *
 * Output is written at once (the guest cannot tell). Input arrives through the machine's input
 * queue and is offered to the front end byte by byte as long as it says it can take more; what it
 * cannot take waits, and the front end calls chardev_accept_input() when it has room again.
 */
#ifndef SOFTMMU_CHARDEV_H
#define SOFTMMU_CHARDEV_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Chardev Chardev;

typedef struct ChardevClient {
    size_t (*can_receive)(void *opaque); /* bytes it can take now */
    void (*receive)(void *opaque, const uint8_t *data, size_t len);
    void (*event)(void *opaque, int event); /* CHARDEV_EVENT_*; may be NULL */
} ChardevClient;

enum {
    CHARDEV_EVENT_BREAK,
    CHARDEV_EVENT_OPENED,
    CHARDEV_EVENT_CLOSED,
    CHARDEV_EVENT_MUX_IN,  /* a multiplexer gave this client the keyboard */
    CHARDEV_EVENT_MUX_OUT, /* and took it away */
};

/* One client at a time (the multiplexer hands out one port per client). NULL disconnects. */
void chardev_connect(Chardev *chr, const ChardevClient *client, void *opaque);
/* NULL @chr is a back end that swallows everything. */
void chardev_write(Chardev *chr, const uint8_t *data, size_t len);
void chardev_accept_input(Chardev *chr);

/* ---- For the program tier ------------------------------------------------------------------- */
typedef struct InputQueue InputQueue;

/* Input of a control back end (monitor, multiplexer) is delivered while the machine is stopped too,
 * and is not recorded. To be said before any input arrives. */
void chardev_set_control(Chardev *chr, bool control);
/* Name its input in recordings by what it serves: "serial0". */
void chardev_set_label(Chardev *chr, const char *label);
/* What its client has not taken yet, at a moment of a replay, and back to that. */
GBytes *chardev_save(const Chardev *chr);
void chardev_load(Chardev *chr, GBytes *saved);
/* Swallow what is written: it has been seen. */
void chardev_set_silent(Chardev *chr, bool silent);
/* Device name of a pty's other end, or NULL for other back ends. */
const char *chardev_pty_name(const Chardev *chr);
/* The address at which a server with wait=on expects its first client, NULL when there is nothing
 * to wait for; and the waiting itself. */
const char *chardev_waits_at(const Chardev *chr);
bool chardev_wait(Chardev *chr, GError **error);

/*
 * QEMU's spelling: null, none, stdio, mon:stdio, file:PATH[,append=on], pipe:PATH, pty,
 * ringbuf[:SIZE], unix:PATH, tcp:HOST:PORT, telnet:HOST:PORT and fd:N with
 * [,server=on][,wait=off][,reconnect=S], udp:[HOST]:PORT[@[HOST]:PORT], vc (refused); behind each
 * [,logfile=PATH[,logappend=on]]. Returns NULL with @error. "mon:stdio" is stdio whose Ctrl-C goes
 * to the guest: the caller adds the multiplexer. Called on the main thread, whose default
 * GMainContext polls the host's file descriptors.
 */
Chardev *chardev_new(const char *spec, InputQueue *queue, GError **error);
/* A stream socket of such a spec ("unix:…", "tcp:…"), connected or listening; -1 with @error. */
int chardev_open_socket(const char *spec, bool server, GError **error);
/* A multiplexer over @base, which it owns along with its ports; each call of chardev_mux_port()
 * gives the next client's Chardev. Ctrl-A x quits, h help, c next client, b break, s sync, t
 * timestamps, Ctrl-A Ctrl-A sends it. */
Chardev *chardev_new_mux(Chardev *base, void (*quit)(void *opaque), void *opaque);
Chardev *chardev_mux_port(Chardev *mux);
void chardev_mux_set_escape(Chardev *mux, uint8_t key); /* instead of Ctrl-A */
/* The oldest @len bytes at most of what a ringbuf holds, which it forgets; NULL: @chr is none. */
GBytes *chardev_ringbuf_read(Chardev *chr, size_t len);
/* A back end for tests: what the front end wrote, and what it is to read. */
Chardev *chardev_new_memory(GByteArray *out);
void chardev_memory_input(Chardev *chr, const void *data, size_t len);
void chardev_free(Chardev *chr);               /* restores the terminal */
bool chardev_is_connected(const Chardev *chr); /* it has a client */
bool chardev_has_peer(Chardev *chr); /* somebody is at a socket's other end; true of others */
/* While the machine runs, on the machine thread: what is on its way from @chr, which is freed next,
 * is lost. */
void chardev_close_channels(Chardev *chr);
/* Descriptors that a peer on a unix socket sends along (SCM_RIGHTS); the oldest, now the caller's,
 * or -1. */
void chardev_want_fds(Chardev *chr);
int chardev_take_fd(Chardev *chr);
void chardev_send_break(Chardev *chr); /* as if it had come from the host */

#endif
