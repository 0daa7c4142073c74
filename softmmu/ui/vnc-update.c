/* SPDX-License-Identifier: MIT */
/*
 * What a client is shown: which tiles have changed since it saw them, and FramebufferUpdate
 * messages (RFC 6143, 7.6.1) with them. A client that cannot hear of a new size goes on with the
 * one it knows; the rest of the screen is cut off, or black.
 */
#include <string.h>

#include "softmmu/bytes.h"
#include "softmmu/ui/vnc-internal.h"

enum { MSG_UPDATE = 0, MSG_COLOURS = 1 };
enum { RECTS_MAX = 0xfff0 };
enum { ENCODING_RAW = 0, ENCODING_ZRLE = 16 };

static unsigned tiles_across(const VncClient *c)
{
    return (c->width + SURFACE_TILE - 1) / SURFACE_TILE;
}

static unsigned tiles_down(const VncClient *c)
{
    return (c->height + SURFACE_TILE - 1) / SURFACE_TILE;
}

void vnc_update_resize(VncClient *c, unsigned width, unsigned height)
{
    size_t tiles;

    c->width = width;
    c->height = height;
    tiles = (size_t)tiles_across(c) * tiles_down(c);
    g_free(c->dirty);
    c->dirty = g_malloc(tiles);
    memset(c->dirty, 1, tiles);
}

/* In tiles: from @x0, @y0 to before @x1, @y1. */
typedef struct TileSpan {
    unsigned x0, y0, x1, y1;
} TileSpan;

static TileSpan tiles_of(const VncClient *c, const SurfaceRect *r)
{
    TileSpan s = { r->x / SURFACE_TILE, r->y / SURFACE_TILE,
                   (r->x + r->width + SURFACE_TILE - 1) / SURFACE_TILE,
                   (r->y + r->height + SURFACE_TILE - 1) / SURFACE_TILE };

    s.x1 = MIN(s.x1, tiles_across(c));
    s.y1 = MIN(s.y1, tiles_down(c));
    return s;
}

void vnc_update_touch(VncClient *c, const SurfaceRect *r)
{
    TileSpan s = tiles_of(c, r);

    for (unsigned y = s.y0; y < s.y1; y++)
        for (unsigned x = s.x0; x < s.x1; x++)
            c->dirty[y * tiles_across(c) + x] = 1;
}

/* ---- Rectangles ------------------------------------------------------------------------------ */

static void put_header(GByteArray *out, const SurfaceRect *r, int32_t encoding)
{
    uint8_t head[12];

    put_be(head, 2, r->x);
    put_be(head + 2, 2, r->y);
    put_be(head + 4, 2, r->width);
    put_be(head + 6, 2, r->height);
    put_be(head + 8, 4, (uint32_t)encoding);
    g_byte_array_append(out, head, sizeof(head));
}

static uint32_t *pixels_of(const Surface *s, const SurfaceRect *r)
{
    uint32_t *pixels = g_new0(uint32_t, (size_t)r->width * r->height);
    unsigned width = r->x < s->width ? MIN(r->width, s->width - r->x) : 0;

    for (unsigned y = 0; y < r->height && r->y + y < s->height; y++)
        memcpy(pixels + (size_t)y * r->width, s->pixels + (size_t)(r->y + y) * s->width + r->x,
               width * sizeof(*pixels));
    return pixels;
}

static void put_picture(VncClient *c, const SurfaceRect *r, GByteArray *out)
{
    g_autofree uint32_t *pixels = pixels_of(&c->server->shown, r);
    bool zrle = c->can & VNC_CAN_ZRLE;

    put_header(out, r, zrle ? ENCODING_ZRLE : ENCODING_RAW);
    if (zrle)
        vnc_encode_zrle(c->zrle, &c->format, pixels, r->width, r->height, out);
    else
        vnc_encode_raw(&c->format, pixels, r->width, r->height, out);
}

static bool run_is_dirty(const VncClient *c, unsigned x0, unsigned x1, unsigned y)
{
    return !memchr(c->dirty + y * tiles_across(c) + x0, 0, x1 - x0);
}

/* The dirty tiles from @x, @y on that make a rectangle within @within; they are clean then. */
static SurfaceRect take_dirty(VncClient *c, const TileSpan *within, unsigned x, unsigned y)
{
    unsigned across = tiles_across(c), x1 = x, y1 = y;
    SurfaceRect r;

    while (x1 < within->x1 && c->dirty[y * across + x1])
        x1++;
    while (y1 < within->y1 && run_is_dirty(c, x, x1, y1))
        memset(c->dirty + y1++ * across + x, 0, x1 - x);
    r = (SurfaceRect){ x * SURFACE_TILE, y * SURFACE_TILE, (x1 - x) * SURFACE_TILE,
                       (y1 - y) * SURFACE_TILE };
    r.width = MIN(r.width, c->width - r.x);
    r.height = MIN(r.height, c->height - r.y);
    return r;
}

static unsigned put_dirty(VncClient *c, GByteArray *out)
{
    TileSpan s = tiles_of(c, &c->wanted);
    unsigned count = 0;

    for (unsigned y = s.y0; y < s.y1; y++) {
        for (unsigned x = s.x0; x < s.x1 && count < RECTS_MAX; x++) {
            if (c->dirty[y * tiles_across(c) + x]) {
                SurfaceRect r = take_dirty(c, &s, x, y);

                put_picture(c, &r, out);
                count++;
            }
        }
    }
    return count;
}

/* ---- What is no picture ---------------------------------------------------------------------- */

/* Pseudo-encodings that say that we can do something, too. */
static const struct {
    unsigned can;
    int32_t encoding;
} abilities[] = { { VNC_CAN_MOVE_RELATIVELY, -257 }, { VNC_CAN_SEND_KEYS, -258 } };

enum { ENCODING_SIZE = -223, ENCODING_LEDS = -261 };

static unsigned put_abilities(VncClient *c, GByteArray *out)
{
    unsigned count = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(abilities); i++) {
        if (!(c->to_tell & abilities[i].can))
            continue;
        put_header(out, &(SurfaceRect){ 0 }, abilities[i].encoding); /* x = 0: relatively */
        count++;
    }
    c->to_tell = 0;
    return count;
}

static unsigned put_leds(VncClient *c, GByteArray *out)
{
    if (!(c->can & VNC_CAN_SHOW_LEDS) || c->leds == c->server->leds)
        return 0;
    c->leds = c->server->leds;
    put_header(out, &(SurfaceRect){ 0 }, ENCODING_LEDS);
    g_byte_array_append(out, &c->leds, 1);
    return 1;
}

static unsigned put_size(VncClient *c, GByteArray *out)
{
    const Surface *s = &c->server->shown;

    if (!(c->can & VNC_CAN_RESIZE) || (c->width == s->width && c->height == s->height))
        return 0;
    vnc_update_resize(c, s->width, s->height);
    c->wanted = (SurfaceRect){ 0, 0, s->width, s->height };
    put_header(out, &c->wanted, ENCODING_SIZE);
    return 1;
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* The 256 colours that a client without true colour has (vnc_format_set()). */
static void put_colours(VncClient *c, GByteArray *out)
{
    uint8_t message[6 + 256 * 6] = { MSG_COLOURS, 0, 0, 0, 256 >> 8, 256 & 255 };

    for (unsigned i = 0; i < 256; i++) {
        uint8_t *entry = message + 6 + 6 * i;

        put_be(entry, 2, (i & 7) * 65535 / 7);
        put_be(entry + 2, 2, (i >> 3 & 7) * 65535 / 7);
        put_be(entry + 4, 2, (i >> 6) * 65535 / 3);
    }
    g_byte_array_append(out, message, sizeof(message));
    c->colours_due = false;
}

void vnc_update_send(VncClient *c)
{
    GByteArray *out = c->out;
    size_t head;
    unsigned count;

    if (c->colours_due)
        put_colours(c, out);
    head = out->len;
    g_byte_array_set_size(out, head + 4);
    count = put_abilities(c, out);
    count += put_leds(c, out);
    /* A new size ends an update (7.8.2). */
    if (put_size(c, out))
        count++;
    else
        count += put_dirty(c, out);
    if (!count) {
        g_byte_array_set_size(out, head);
        vnc_client_flush(c);
        return;
    }
    put_be(out->data + head, 2, MSG_UPDATE << 8);
    put_be(out->data + head + 2, 2, count);
    c->waits = false;
    vnc_client_flush(c);
}
