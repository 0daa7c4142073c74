/* SPDX-License-Identifier: MIT */
/* Between the server (vnc.c), its clients (vnc-client.c: what they say, vnc-update.c: what they are
 * shown) and the encodings (vnc-encode.c). All of it belongs to the main thread. */
#ifndef SOFTMMU_UI_VNC_INTERNAL_H
#define SOFTMMU_UI_VNC_INTERNAL_H

#include "softmmu/acceptor.h"
#include "softmmu/ui/vnc.h"

typedef struct VncClient VncClient;

/* ---- Encodings ------------------------------------------------------------------------------- */

enum { VNC_FORMAT_BYTES = 16 };

/* PIXEL_FORMAT (7.4), and each level of a colour as it is there. */
typedef struct VncFormat {
    uint8_t wire[VNC_FORMAT_BYTES];
    unsigned bytes; /* of a pixel */
    bool big_endian;
    unsigned cpixel_bytes, cpixel_skip; /* of ZRLE: what is left of it, from where */
    uint32_t level[3][256];             /* red, green, blue */
} VncFormat;

extern const uint8_t vnc_format_default[VNC_FORMAT_BYTES];
/* A colour map becomes ours, of 8 bits. False: it makes no sense. */
bool vnc_format_set(VncFormat *f, const uint8_t wire[VNC_FORMAT_BYTES], bool *map);

typedef struct VncZrle VncZrle; /* a client's stream */

VncZrle *vnc_zrle_new(void); /* NULL: this build has no zlib */
void vnc_zrle_free(VncZrle *z);
/* @pixels: @width by @height, 0x00rrggbb. */
void vnc_encode_raw(const VncFormat *f, const uint32_t *pixels, unsigned width, unsigned height,
                    GByteArray *out);
void vnc_encode_zrle(VncZrle *z, const VncFormat *f, const uint32_t *pixels, unsigned width,
                     unsigned height, GByteArray *out);

/* ---- Passwords ------------------------------------------------------------------------------- */

enum { VNC_CHALLENGE_BYTES = 16 };

void vnc_auth_encrypt(const char *password, const uint8_t challenge[VNC_CHALLENGE_BYTES],
                      uint8_t answer[VNC_CHALLENGE_BYTES]);

/* ---- Clients --------------------------------------------------------------------------------- */

/* What a client said it understands, beside Raw. */
enum {
    VNC_CAN_ZRLE = 1 << 0,
    VNC_CAN_RESIZE = 1 << 1,
    VNC_CAN_MOVE_RELATIVELY = 1 << 2,
    VNC_CAN_SEND_KEYS = 1 << 3, /* where they are, not what they mean */
    VNC_CAN_SHOW_LEDS = 1 << 4,
};

/* Takes what it can of @data; 0: more is needed. */
typedef size_t VncParse(VncClient *c, const uint8_t *data, size_t len);

struct VncClient {
    VncServer *server;
    int fd;
    guint in_source, out_source;
    char *peer; /* for people */
    GByteArray *in, *out;
    size_t out_done; /* bytes of @out that are gone */
    bool gone;       /* to be disconnected */
    bool leaving;    /* … once @out is */
    VncParse *parse;
    unsigned minor; /* version 3.x */
    uint8_t challenge[VNC_CHALLENGE_BYTES];
    uint64_t skip; /* bytes of a message nobody wants */
    bool initialised, waits_for_init;
    /* the screen as it knows it */
    VncFormat format;
    VncZrle *zrle;
    bool colours_due;      /* of the map that its format has */
    unsigned can, to_tell; /* VNC_CAN_*: what it has yet to hear about */
    unsigned width, height;
    uint8_t *dirty; /* by tile */
    bool waits;     /* for an update of this part: */
    SurfaceRect wanted;
    uint8_t leds; /* as it was told; 0xff: never */
    /* hands */
    bool pressed[256];
    int pointer_x, pointer_y; /* -1: not seen yet */
    uint8_t buttons;
};

VncClient *vnc_client_new(VncServer *s, int fd, char *peer); /* takes @peer */
void vnc_client_free(VncClient *c);
bool vnc_client_busy(const VncClient *c); /* something is still to be sent */
void vnc_client_send(VncClient *c, const void *data, size_t len);
void vnc_client_flush(VncClient *c);
void vnc_client_init(VncClient *c); /* ServerInit */

/* vnc-update.c */
void vnc_update_resize(VncClient *c, unsigned width, unsigned height); /* all is dirty */
void vnc_update_touch(VncClient *c, const SurfaceRect *r);
void vnc_update_send(VncClient *c); /* what it waits for, if there is something */

/* ---- The server ------------------------------------------------------------------------------ */

struct VncServer {
    ViewerScreen screen;
    Viewer *viewer;
    VncShare share;
    char *name;
    char *where, *path; /* of the socket: for people; to be removed */
    int listener;
    Acceptor acceptor;
    guint reap_source;
    void (*hear)(void *opaque, VncNews what, const char *peer); /* NULL: nobody listens */
    void *hear_opaque;
    bool asks_password;
    GMutex lock;        /* over what follows: other threads print the one and set the other */
    GPtrArray *clients; /* VncClient * */
    char *password;     /* NULL: nobody gets in */
    int64_t expires_s;  /* … and from then on; -1: never */
    Surface shown;
    uint8_t leds;
};

void vnc_server_attend(VncServer *s); /* what clients wait for has changed */
void vnc_server_tell(VncServer *s, VncNews what, const VncClient *c);
void vnc_server_reap(VncServer *s); /* some are gone: later */
/* Is @answer what the password makes of @challenge? */
bool vnc_server_believes(VncServer *s, const uint8_t *challenge, const uint8_t *answer);
/* @c is ready, and may want to be alone. False: it may not. */
bool vnc_server_admit(VncServer *s, VncClient *c, bool shared);

#endif
