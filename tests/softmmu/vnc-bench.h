/* SPDX-License-Identifier: MIT */
/*
 * A VNC server at a socket of its own with a screen, a keyboard and a mouse behind it, and a client
 * that speaks to it (RFC 6143). Server and client share the thread: whoever waits for bytes lets
 * main loop and machine take turns. Whatever goes wrong fails the test.
 */
#ifndef TESTS_SOFTMMU_VNC_BENCH_H
#define TESTS_SOFTMMU_VNC_BENCH_H

#include "softmmu/ui/vnc.h"

enum { WIDTH = 70, HEIGHT = 33 }; /* of the screen at first */

typedef struct Bench {
    Device *root;
    Clock *clock;
    ViewerScreen screen;
    VncServer *vnc;
    char *folder, *path;
    Surface picture; /* what the screen shows */
    unsigned draws;  /* how often it was asked for */
    uint8_t leds;
    GString *hands; /* keys and motions that the guest has seen */
} Bench;

typedef struct Rect {
    unsigned x, y, width, height;
    int32_t encoding;
} Rect;

/* cmocka's set-up and tear-down; the bench is the state. */
int start(void **state);
int finish(void **state);

/* Every pixel another one. */
void paint(Bench *b, unsigned width, unsigned height);

VncServer *serve(Bench *b, VncShare share, bool password);

/* One turn of the main loop and of the machine. */
void turn(Bench *b);

/* Nothing is left to do for either side. */
void settle(Bench *b);

/* A connection, the caller's to close. */
int dial(Bench *b);

/* Quietly nothing if the server hangs up. */
void say(Bench *b, int fd, const void *data, size_t len);

#define SAY(b, fd, ...) \
    say(b, fd, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* @len bytes; false: the server hung up before. */
bool hear(Bench *b, int fd, void *data, size_t len);

/* Hears until the server hangs up. */
bool hangs_up(Bench *b, int fd);

/* A connection after the handshake; -1: turned away. */
int meet(Bench *b, bool shared);

/* For an update of all the screen. */
void ask(Bench *b, int fd, bool incremental);

/* The number of rectangles that follow. */
unsigned hear_update(Bench *b, int fd);
Rect hear_rect(Bench *b, int fd);

/* Raw, in the format that everybody begins with: as the screen shows it. */
void hear_pixels(Bench *b, int fd, const Rect *r);

#endif
