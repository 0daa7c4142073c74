/* SPDX-License-Identifier: MIT */
/*
 * A VNC server: RFB 3.3, 3.7 and 3.8 (RFC 6143), encodings Raw and ZRLE, screens that change their
 * size, QEMU's extended key events and relative pointer, LEDs. Runs on the main thread; sees the
 * screen through a Viewer, and what clients type and point at goes through the input queue.
 * Missing: encryption (a Unix socket or ssh protect it), the clipboard, sound.
 */
#ifndef SOFTMMU_UI_VNC_H
#define SOFTMMU_UI_VNC_H

#include "softmmu/ui/viewer.h"

typedef struct VncServer VncServer;

/* What becomes of others when a client asks to be alone. */
typedef enum VncShare {
    VNC_SHARE_ALLOW_EXCLUSIVE, /* they are disconnected */
    VNC_SHARE_FORCE_SHARED,    /* it is refused */
    VNC_SHARE_IGNORE,          /* nothing */
} VncShare;

typedef struct VncOptions {
    char *address; /* "HOST:DISPLAY" (HOST may be empty: all of them), "unix:PATH" */
    unsigned to;   /* try displays up to that one */
    VncShare share;
    bool password; /* nobody gets in without … */
    char *device;  /* whose screen it shows; NULL: the first's */
    uint64_t head;
    char *initial_password; /* … this; NULL: there is none at first */
} VncOptions;

bool vnc_has_passwords(void); /* this build */

/* Before posting starts. @name: the window's title; copied. NULL with @error. */
VncServer *vnc_new(const VncOptions *o, const ViewerScreen *screen, const char *name,
                   GError **error);
void vnc_free(VncServer *s); /* when the machine thread has ended; NULL is allowed */
/* From any thread. False: there is no server that asks for one. */
bool vnc_set_password(VncServer *s, const char *password);
/* From then on it is none that lets anybody in; -1: it holds. */
void vnc_expire_password(VncServer *s, int64_t unix_time_s);
/* `info vnc`, from any thread. */
void vnc_print(VncServer *s, GString *out);
/* The same for programs. Addresses are "HOST:PORT (FAMILY)", "PATH (unix)", "(unix)". */
const char *vnc_where(const VncServer *s);
bool vnc_asks_password(const VncServer *s);
void vnc_each_client(VncServer *s, void (*f)(void *opaque, const char *peer), void *opaque);
/* What becomes of clients. @hear is called on the main thread. To be said before any can come. */
typedef enum VncNews { VNC_CONNECTED, VNC_INITIALIZED, VNC_DISCONNECTED } VncNews;
void vnc_set_listener(VncServer *s, void (*hear)(void *opaque, VncNews what, const char *peer),
                      void *opaque);

#endif
