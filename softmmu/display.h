/* SPDX-License-Identifier: MIT */
/*
 * What the guest shows. A display device adds how its screen is drawn; whoever wants to see it (a
 * screendump, a VNC server, a terminal) pulls a frame when he likes, and tells by comparing two
 * what has changed. Drawing changes nothing of the machine: a run is the same whether or not
 * somebody looks, and a replay can be looked at at any moment.
 *
 * All of it belongs to the machine thread, between instructions. A front end with a thread of its
 * own asks for a frame by an event on a control channel (input.h), which is heard also while the
 * machine is stopped, and takes it away from there.
 */
#ifndef SOFTMMU_DISPLAY_H
#define SOFTMMU_DISPLAY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Display Display;

/* A picture. All zero is an empty one. */
typedef struct Surface {
    unsigned width, height;
    uint32_t *pixels; /* 0x00rrggbb, rows of @width from the top; owned */
} Surface;

typedef struct TextCell {
    gunichar c;
    uint8_t foreground, background; /* colours of a PC, 0 to 15 */
} TextCell;

/* A screen of characters. All zero is an empty one. */
typedef struct TextScreen {
    unsigned columns, rows;
    TextCell *cells;        /* rows of @columns; owned */
    int cursor_x, cursor_y; /* -1: there is none */
} TextScreen;

/* What a display device has. Both get what they were given last time, or an empty one. */
typedef struct DisplayOps {
    /* @lit: what blinks is to be seen. The surface is resized and drawn as a whole. */
    void (*draw)(void *opaque, Surface *s, bool lit);
    bool (*text)(void *opaque, TextScreen *t); /* false: it shows graphics. NULL: always */
} DisplayOps;

Display *display_new(void);
void display_free(Display *d);

/* Screens, numbered in order of being added. @name: of the device. A NULL @d is nobody who looks.
 */
void display_add(Display *d, const char *name, const DisplayOps *ops, void *opaque);
void display_remove(Display *d, void *opaque);
unsigned display_count(const Display *d);
const char *display_name(const Display *d, unsigned n);

/* Screen @n as it is now; it must exist. */
void display_draw(Display *d, unsigned n, Surface *s, bool lit);
bool display_text(Display *d, unsigned n, TextScreen *t);

/* The first screen that shows characters, as text_screen_print() has them; false: none does. */
bool display_print_text(Display *d, GString *out);

/* Contents are undefined, unless it has that size already. */
void surface_resize(Surface *s, unsigned width, unsigned height);
void surface_fill(Surface *s, uint32_t pixel);
void surface_clear(Surface *s); /* gives its memory back */

typedef struct SurfaceRect {
    unsigned x, y, width, height;
} SurfaceRect;

#define SURFACE_TILE 16 /* pixels: how exactly it is told where they differ */

/* Appends to @rects (of SurfaceRect) where two surfaces differ; all of @s if their sizes do. */
void surface_compare(const Surface *s, const Surface *before, GArray *rects);

void text_screen_resize(TextScreen *t, unsigned columns, unsigned rows);
void text_screen_clear(TextScreen *t); /* gives its memory back */
/* Rows, ended by newline, without trailing spaces. */
void text_screen_print(const TextScreen *t, GString *out);

#endif
