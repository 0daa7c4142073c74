/* SPDX-License-Identifier: MIT */
/*
 * A front end's eye. It lives on the main thread, the screen on the machine thread: to look, the
 * viewer asks by an event on a control channel, the machine thread draws, and the picture comes
 * back as an event of the main loop. It looks only while somebody waits for news, at first 30
 * times a second and ever less often while nothing changes.
 */
#ifndef SOFTMMU_UI_VIEWER_H
#define SOFTMMU_UI_VIEWER_H

#include "softmmu/display.h"
#include "softmmu/hid.h"
#include "softmmu/input.h"

typedef struct Viewer Viewer;

/* What front ends show, and where hands go. */
typedef struct ViewerScreen {
    Display *display; /* may have no screen: then it is black */
    unsigned number;  /* of the one that is shown at first */
    InputQueue *input;
    Hid *hid;
} ViewerScreen;

typedef struct ViewerFrame {
    Surface surface; /* the one who looks may take it and leave another, or none */
    TextScreen text; /* with @characters … */
    bool is_text;    /* … and if it shows some */
    uint8_t leds;    /* hid_leds() */
} ViewerFrame;

/* Main thread. True: something has changed. */
typedef bool ViewerSeen(void *opaque, ViewerFrame *frame);

/* Before posting starts. @characters: where there are some, no picture is drawn. */
Viewer *viewer_new(const ViewerScreen *screen, bool characters, ViewerSeen *seen, void *opaque);
void viewer_free(Viewer *v); /* when the machine thread has ended; NULL is allowed */

/* Which screen is looked at, from 0. One that is not there is black. */
void viewer_choose(Viewer *v, unsigned n);
/* Somebody waits, or nobody does. */
void viewer_watch(Viewer *v, bool wanted);
void viewer_hurry(Viewer *v); /* something will change soon: a key was pressed */

#endif
