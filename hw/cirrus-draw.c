/* SPDX-License-Identifier: MIT */
/*
 * What the CL-GD5446 shows: a VGA's modes as a VGA does, packed pixels of 8 to 32 bits, and its
 * cursor over the latter. The cursor's patterns lie in the last 16 KiB of video memory: two planes,
 * of which the second one says opaque, the first one which colour; without the second it inverts.
 *
 * In packed modes SR1's "screen off" counts only when the monitor is sent to sleep with it: SeaBIOS
 * sets these modes with that bit, and they are seen all the same.
 */
#include "hw/cirrus-internal.h"

enum { CURSOR_PATTERNS = 0x4000, CURSOR_UNIT = 256 };

/* ---- Mode ------------------------------------------------------------------------------------ */

/* By bits 3 to 1 of SR7. 16: of either kind, as the DAC says. */
static unsigned bits_per_pixel(const Cirrus *c)
{
    static const uint8_t sizes[8] = { 8, 16, 24, 16, 32, 0, 0, 0 };
    unsigned bits = sizes[c->sr[SR_EXTENDED_MODE] >> 1 & 7];

    if (bits == 16 && !((c->hdr & HDR_BY_LOW_BITS) && (c->hdr & 0x0f) == 1))
        return 15;
    return bits;
}

static unsigned lines(const Cirrus *c)
{
    const uint8_t *cr = c->vga.cr;
    unsigned n = vga_display_lines(&c->vga);

    if (cr[CR_INTERLACE] & 1)
        n *= 2;
    return cr[CR_MAX_SCAN] & 0x80 ? n / 2 : n;
}

static void choose(const Cirrus *c, VgaLinear *m)
{
    const uint8_t *cr = c->vga.cr;
    uint8_t more = cr[CR_EXTENDED_DISPLAY];

    m->bpp = bits_per_pixel(c);
    m->width = (cr[CR_END_H_DISPLAY] + 1) * 8;
    m->height = lines(c);
    m->pitch = (cr[CR_OFFSET] | (more & 0x10) << 4) * 8;
    m->start = 4 * (cr[CR_START_LOW] | cr[CR_START_HIGH] << 8 | (more & 0x01) << 16 |
                    (more & 0x0c) << 15 | (cr[CR_OVERLAY] & 0x80) << 12);
}

/* ---- Cursor ---------------------------------------------------------------------------------- */

static const uint8_t *pattern(const Cirrus *c, bool big)
{
    unsigned n = c->sr[SR_CURSOR_PATTERN] & (big ? 0x3c : 0x3f);
    const RamBlock *vram = c->vga.w.vram;

    return vram->host + vram->size - CURSOR_PATTERNS + n * CURSOR_UNIT;
}

static void draw_cursor_row(const Cirrus *c, Surface *out, unsigned y, const uint8_t *first,
                            const uint8_t *second, unsigned side)
{
    uint32_t *row = out->pixels + (size_t)y * out->width;
    uint32_t colours[2] = { vga_dac_colour(&c->vga, c->cursor_colours),
                            vga_dac_colour(&c->vga, c->cursor_colours + 45) };

    for (unsigned i = 0; i < side && c->cursor_x + i < out->width; i++) {
        unsigned bit = 7 - i % 8;
        bool one = first[i / 8] >> bit & 1, opaque = second[i / 8] >> bit & 1;

        if (opaque)
            row[c->cursor_x + i] = colours[one];
        else if (one)
            row[c->cursor_x + i] ^= 0xffffff;
    }
}

static void draw_cursor(const Cirrus *c, Surface *out)
{
    bool big = c->sr[SR_CURSOR_ATTRIBUTES] & SR12_64X64;
    unsigned side = big ? 64 : 32;
    const uint8_t *p = pattern(c, big);

    /* The planes of a large one lie side by side, those of a small one behind each other. */
    for (unsigned i = 0; i < side && c->cursor_y + i < out->height; i++) {
        const uint8_t *first = big ? p + 16 * i : p + 4 * i;

        draw_cursor_row(c, out, c->cursor_y + i, first, first + (big ? 8 : 128), side);
    }
}

static bool is_off(const Cirrus *c)
{
    const Vga *s = &c->vga;

    if (!(s->ar_index & AR_VIDEO_ENABLED))
        return true;
    return (s->sr[SR_CLOCKING] & SR1_SCREEN_OFF) && (c->gr[GR_POWER] & GRE_NO_SYNC);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void draw(void *opaque, Surface *out, bool lit)
{
    const Cirrus *c = cirrus_of(opaque);
    VgaLinear m;

    if (!cirrus_is_packed(c)) {
        vga_display_ops.draw(opaque, out, lit);
    } else if (is_off(c)) {
        vga_draw_off(out);
    } else {
        choose(c, &m);
        vga_draw_linear(&c->vga, &m, out);
        if (c->sr[SR_CURSOR_ATTRIBUTES] & SR12_CURSOR)
            draw_cursor(c, out);
    }
}

static bool text(void *opaque, TextScreen *t)
{
    return !cirrus_is_packed(cirrus_of(opaque)) && vga_display_ops.text(opaque, t);
}

const DisplayOps cirrus_display_ops = { draw, text };
