/* SPDX-License-Identifier: MIT */
/*
 * Pixels as RFB sends them. Spec: RFC 6143, 7.4 (formats), 7.7.1 (Raw), 7.7.6 (ZRLE). Of ZRLE's
 * kinds of tiles: raw, one colour, packed palette; zlib finds the runs in them.
 */
#include "softmmu/ui/vnc-internal.h"

#include <string.h>

#include "config.h"
#include "softmmu/bytes.h"

#if HAVE_ZLIB
#include <zlib.h>
#endif

/* 32 bits, 24 of them used, little-endian, 0x00rrggbb. */
const uint8_t vnc_format_default[VNC_FORMAT_BYTES] = { 32,  24, 0,   1,  0, 255, 0,
                                                       255, 0,  255, 16, 8, 0 };
/* What those with a colour map get: BBGGGRRR. */
static const uint8_t format_map[VNC_FORMAT_BYTES] = { 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6 };

enum {
    AT_BITS = 0,
    AT_DEPTH = 1,
    AT_BIG_ENDIAN = 2,
    AT_TRUE_COLOUR = 3,
    AT_MAX = 4,
    AT_SHIFT = 10
};

static uint32_t all_levels(const VncFormat *f)
{
    return f->level[0][255] | f->level[1][255] | f->level[2][255];
}

/* CPIXEL: of 32 bits the three bytes that matter. */
static void choose_cpixel(VncFormat *f)
{
    uint32_t used = all_levels(f);
    bool low = !(used & 0xff000000), high = !(used & 0xff);

    f->cpixel_bytes = f->bytes;
    f->cpixel_skip = 0;
    if (f->bytes != 4 || f->wire[AT_DEPTH] > 24 || !(low || high))
        return;
    f->cpixel_bytes = 3;
    f->cpixel_skip = low == f->big_endian; /* in memory the unused byte comes first */
}

static bool set_levels(VncFormat *f, unsigned colour)
{
    uint32_t max = get_be(f->wire + AT_MAX + 2 * colour, 2);
    unsigned shift = f->wire[AT_SHIFT + colour], bits = 8 * f->bytes;

    if (!max || (max & (max + 1)) || shift >= bits || (uint64_t)max << shift >> bits)
        return false;
    for (uint32_t i = 0; i < 256; i++)
        f->level[colour][i] = (i * max + 127) / 255 << shift;
    return true;
}

bool vnc_format_set(VncFormat *f, const uint8_t wire[VNC_FORMAT_BYTES], bool *map)
{
    unsigned bits = wire[AT_BITS];

    *map = !wire[AT_TRUE_COLOUR];
    if ((bits != 8 && bits != 16 && bits != 32) || (*map && bits != 8))
        return false;
    memcpy(f->wire, *map ? format_map : wire, VNC_FORMAT_BYTES);
    f->bytes = bits / 8;
    f->big_endian = f->wire[AT_BIG_ENDIAN];
    for (unsigned colour = 0; colour < 3; colour++)
        if (!set_levels(f, colour))
            return false;
    choose_cpixel(f);
    return true;
}

static uint32_t pixel_of(const VncFormat *f, uint32_t rgb)
{
    return f->level[0][rgb >> 16 & 255] | f->level[1][rgb >> 8 & 255] | f->level[2][rgb & 255];
}

/* ---- Raw ------------------------------------------------------------------------------------ */

static void put_pixel(const VncFormat *f, uint32_t rgb, uint8_t *out)
{
    if (f->big_endian)
        put_be(out, f->bytes, pixel_of(f, rgb));
    else
        put_le(out, f->bytes, pixel_of(f, rgb));
}

void vnc_encode_raw(const VncFormat *f, const uint32_t *pixels, unsigned width, unsigned height,
                    GByteArray *out)
{
    size_t count = (size_t)width * height, at = out->len;

    g_byte_array_set_size(out, at + count * f->bytes);
    for (size_t i = 0; i < count; i++, at += f->bytes)
        put_pixel(f, pixels[i], out->data + at);
}

/* ---- ZRLE ----------------------------------------------------------------------------------- */

#if HAVE_ZLIB
enum { TILE = 64, PALETTE_MAX = 16, TILE_RAW = 0, TILE_SOLID = 1 };

struct VncZrle {
    z_stream stream;
    GByteArray *plain;
};

typedef struct Tile {
    const uint32_t *pixels;
    unsigned stride, width, height;
    uint32_t palette[PALETTE_MAX];
    unsigned colours; /* PALETTE_MAX + 1: more than fit */
} Tile;

VncZrle *vnc_zrle_new(void)
{
    VncZrle *z = g_new0(VncZrle, 1);

    z->plain = g_byte_array_new();
    g_assert(deflateInit(&z->stream, Z_BEST_SPEED) == Z_OK);
    return z;
}

void vnc_zrle_free(VncZrle *z)
{
    if (!z)
        return;
    deflateEnd(&z->stream);
    g_byte_array_free(z->plain, TRUE);
    g_free(z);
}

static void put_cpixel(const VncFormat *f, uint32_t rgb, GByteArray *out)
{
    uint8_t bytes[4];

    put_pixel(f, rgb, bytes);
    g_byte_array_append(out, bytes + f->cpixel_skip, f->cpixel_bytes);
}

static unsigned find_colour(const Tile *t, uint32_t rgb)
{
    unsigned i = 0;

    while (i < t->colours && t->palette[i] != rgb)
        i++;
    return i;
}

static void count_colours(Tile *t)
{
    uint32_t last = ~0u;

    t->colours = 0;
    for (unsigned y = 0; y < t->height; y++) {
        for (unsigned x = 0; x < t->width; x++) {
            uint32_t rgb = t->pixels[y * t->stride + x];

            if (rgb == last || find_colour(t, rgb) < t->colours)
                continue;
            if (t->colours == PALETTE_MAX) {
                t->colours++;
                return;
            }
            last = t->palette[t->colours++] = rgb;
        }
    }
}

static void put_packed(const Tile *t, GByteArray *out)
{
    unsigned bits = t->colours == 2 ? 1 : t->colours <= 4 ? 2 : 4;

    for (unsigned y = 0; y < t->height; y++) {
        uint8_t byte = 0;
        unsigned used = 0;

        for (unsigned x = 0; x < t->width; x++) {
            byte |= find_colour(t, t->pixels[y * t->stride + x]) << (8 - bits - used);
            used = (used + bits) % 8;
            if (used && x + 1 < t->width)
                continue;
            g_byte_array_append(out, &byte, 1);
            byte = used = 0;
        }
    }
}

static void put_tile(Tile *t, const VncFormat *f, GByteArray *out)
{
    uint8_t kind;

    count_colours(t);
    kind = t->colours > PALETTE_MAX ? TILE_RAW : t->colours; /* TILE_SOLID is a palette of 1 */
    g_byte_array_append(out, &kind, 1);
    if (kind == TILE_RAW) {
        for (unsigned y = 0; y < t->height; y++)
            for (unsigned x = 0; x < t->width; x++)
                put_cpixel(f, t->pixels[y * t->stride + x], out);
        return;
    }
    for (unsigned i = 0; i < t->colours; i++)
        put_cpixel(f, t->palette[i], out);
    if (kind != TILE_SOLID)
        put_packed(t, out);
}

static void deflate_all(VncZrle *z, GByteArray *out)
{
    size_t head = out->len, used = head + 4;

    z->stream.next_in = z->plain->data;
    z->stream.avail_in = z->plain->len;
    do {
        g_byte_array_set_size(out, used + 64 + z->plain->len / 2);
        z->stream.next_out = out->data + used;
        z->stream.avail_out = out->len - used;
        deflate(&z->stream, Z_SYNC_FLUSH);
        used = out->len - z->stream.avail_out;
    } while (!z->stream.avail_out);
    g_byte_array_set_size(out, used);
    put_be(out->data + head, 4, used - head - 4);
}

void vnc_encode_zrle(VncZrle *z, const VncFormat *f, const uint32_t *pixels, unsigned width,
                     unsigned height, GByteArray *out)
{
    g_byte_array_set_size(z->plain, 0);
    for (unsigned y = 0; y < height; y += TILE) {
        for (unsigned x = 0; x < width; x += TILE) {
            Tile t = { .pixels = pixels + (size_t)y * width + x,
                       .stride = width,
                       .width = MIN(TILE, width - x),
                       .height = MIN(TILE, height - y) };

            put_tile(&t, f, z->plain);
        }
    }
    deflate_all(z, out);
}
#else
VncZrle *vnc_zrle_new(void)
{
    return NULL;
}

void vnc_zrle_free(VncZrle *z)
{
}

void vnc_encode_zrle(VncZrle *z, const VncFormat *f, const uint32_t *pixels, unsigned width,
                     unsigned height, GByteArray *out)
{
    g_assert_not_reached();
}
#endif
