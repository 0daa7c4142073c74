/* SPDX-License-Identifier: MIT */
/*
 * What a VGA shows: text, planar, CGA and 256-colour graphics, and Bochs VBE modes, as a picture or
 * as characters. Spec: IBM PS/2 Hardware Interface Technical Reference, "Video subsystem".
 *
 * A pixel of the picture is a dot of the monitor: lines that are shown twice and pixels that are
 * two dots wide are there twice. The character clock's counter is an index into video memory as
 * vga-mem.c keeps it, whatever the width of addresses, as CPU and CRTC agree on that.
 * Missing: the palette in 256-colour modes (nobody changes it there), overscan, the timing
 * registers.
 */
#include "hw/vga-internal.h"

enum { BLANK_WIDTH = 720, BLANK_HEIGHT = 400, CELLS_MAX = 0x100, CELL_DOTS = 18 };
enum { PLANE_CELLS = 0x10000, GLYPH_BYTES = 32 };

typedef struct Draw Draw;
/* A row of pixels, as indices: scan line @scan of the character row at @counter. */
typedef void DrawRow(Draw *d, uint32_t counter, unsigned scan);

struct Draw {
    const Vga *s;
    DrawRow *row;
    unsigned cells, dots; /* characters of a row; pixels of each */
    unsigned wide;        /* dots of a pixel */
    unsigned width, height;
    unsigned scans;  /* rows of pixels of a row of characters */
    unsigned repeat; /* lines on the screen of each */
    uint32_t start, pitch, counter_mask;
    unsigned pan;
    bool lit;
    uint8_t *line; /* a cell more than is shown, for panning */
    uint32_t colours[256];
};

static const uint8_t *vram(const Vga *s)
{
    return s->w.vram->host;
}

/* ---- Colours -------------------------------------------------------------------------------- */

uint32_t vga_dac_colour(const Vga *s, const uint8_t *entry)
{
    uint32_t pixel = 0;

    for (unsigned i = 0; i < 3; i++) {
        uint8_t level = entry[i];

        if (!(s->vbe[VBE_ENABLE] & VBE_8BIT_DAC))
            level = (level & 0x3f) << 2 | (level >> 4 & 3);
        pixel = pixel << 8 | level;
    }
    return pixel;
}

static uint32_t dac_colour(const Vga *s, uint8_t index)
{
    return vga_dac_colour(s, s->palette + 3 * (index & s->dac_mask));
}

/* The attribute controller: a colour of 4 bits as an index into the DAC. */
static uint8_t attribute_colour(const Vga *s, uint8_t colour)
{
    uint8_t entry = s->ar[colour & s->ar[AR_PLANES] & 0x0f];

    if (s->ar[AR_MODE] & AR10_SELECT_5_4)
        entry = (entry & 0x0f) | (s->ar[AR_SELECT] & 3) << 4;
    return (entry & 0x3f) | (s->ar[AR_SELECT] & 0x0c) << 4;
}

static bool is_text(const Vga *s)
{
    return !(s->gr[GR_MISC] & GR6_GRAPHICS) && !(s->vbe[VBE_ENABLE] & VBE_ENABLED);
}

static bool is_packed(const Vga *s)
{
    return !is_text(s) && ((s->gr[GR_MODE] & GR5_SHIFT256) || vga_vbe_is_linear(s));
}

static void choose_colours(Draw *d)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(d->colours); i++)
        d->colours[i] = dac_colour(d->s, is_packed(d->s) ? i : attribute_colour(d->s, i));
}

/* ---- Rows of pixels ------------------------------------------------------------------------- */

/* The four planes at a cell. Lines of CGA and Hercules modes lie in banks. */
static const uint8_t *cell(const Draw *d, uint32_t counter, unsigned scan)
{
    const uint8_t *cr = d->s->cr;
    unsigned bank = cr[CR_UNDERLINE] & CR14_DWORD ? 11 : cr[CR_MODE] & CR17_BYTE ? 13 : 12;

    if (!(cr[CR_MODE] & CR17_NO_BANK_1))
        counter = (counter & ~(1u << bank)) | (scan & 1) << bank;
    if (!(cr[CR_MODE] & CR17_NO_BANK_2))
        counter = (counter & ~(2u << bank)) | (scan & 2) << bank;
    return vram(d->s) + 4 * (size_t)(counter & d->counter_mask);
}

/* Where the characters of a text are; attribute bit 3 chooses between two fonts. */
static unsigned font_offset(const Vga *s, uint8_t attribute)
{
    uint8_t map = s->sr[SR_CHARACTER_MAP];
    unsigned n = attribute & 8 ? (map >> 2 & 3) | (map >> 3 & 4) : (map & 3) | (map >> 2 & 4);

    return (n & 3) * 0x4000 + (n & 4) * 0x800;
}

static bool is_cursor(const Draw *d, uint32_t counter, unsigned scan)
{
    const uint8_t *cr = d->s->cr;

    return d->lit && !(cr[CR_CURSOR_START] & CR0A_OFF) &&
           counter == (uint32_t)(cr[CR_CURSOR_HIGH] << 8 | cr[CR_CURSOR_LOW]) &&
           scan >= (cr[CR_CURSOR_START] & 0x1f) && scan <= (cr[CR_CURSOR_END] & 0x1f);
}

/* The 8 pixels of a character, and a ninth: line graphics reach into that. */
static unsigned glyph_row(const Draw *d, const uint8_t *at, uint32_t counter, unsigned scan)
{
    const Vga *s = d->s;
    uint8_t c = at[0], attribute = at[1];
    unsigned glyph = font_offset(s, attribute) + c * GLYPH_BYTES + (scan & (GLYPH_BYTES - 1));
    unsigned bits = vram(s)[(4 * glyph + 2) % VGA_PLANE_BYTES] << 1;

    if ((s->ar[AR_MODE] & AR10_LINE_GRAPHICS) && (c & 0xe0) == 0xc0)
        bits |= bits >> 1 & 1;
    if ((s->ar[AR_MODE] & AR10_MONO) && (attribute & 0x77) == 1 &&
        scan == (s->cr[CR_UNDERLINE] & 0x1f))
        bits = 0x1ff;
    if ((s->ar[AR_MODE] & AR10_BLINK) && (attribute & 0x80) && !d->lit)
        bits = 0;
    return is_cursor(d, counter, scan) ? 0x1ff : bits;
}

static uint8_t background_of(const Vga *s, uint8_t attribute)
{
    return attribute >> 4 & (s->ar[AR_MODE] & AR10_BLINK ? 7 : 15);
}

static void draw_text_row(Draw *d, uint32_t counter, unsigned scan)
{
    unsigned dots = d->s->sr[SR_CLOCKING] & SR1_8_DOTS ? 8 : 9;
    unsigned wide = d->dots / dots;
    uint8_t *out = d->line;

    for (unsigned i = 0; i <= d->cells; i++, counter++) {
        const uint8_t *at = cell(d, counter, scan);
        unsigned bits = glyph_row(d, at, counter, scan);
        uint8_t colours[2] = { background_of(d->s, at[1]), at[1] & 15 };

        for (unsigned x = 0; x < d->dots; x++)
            *out++ = colours[bits >> (8 - x / wide) & 1];
    }
}

static void draw_planar_row(Draw *d, uint32_t counter, unsigned scan)
{
    uint8_t *out = d->line;

    for (unsigned i = 0; i <= d->cells; i++, counter++) {
        const uint8_t *at = cell(d, counter, scan);

        for (int bit = 7; bit >= 0; bit--)
            *out++ = (at[0] >> bit & 1) | (at[1] >> bit & 1) << 1 | (at[2] >> bit & 1) << 2 |
                     (at[3] >> bit & 1) << 3;
    }
}

/* Two bits from plane 0 or 1, and two more from plane 2 or 3. */
static void draw_cga_row(Draw *d, uint32_t counter, unsigned scan)
{
    uint8_t *out = d->line;

    for (unsigned i = 0; i <= d->cells; i++, counter++) {
        const uint8_t *at = cell(d, counter, scan);

        for (unsigned half = 0; half < 2; half++)
            for (int bit = 6; bit >= 0; bit -= 2)
                *out++ = (at[half] >> bit & 3) | (at[half + 2] >> bit & 3) << 2;
    }
}

static void draw_packed_row(Draw *d, uint32_t counter, unsigned scan)
{
    uint8_t *out = d->line;

    for (unsigned i = 0; i <= d->cells; i++, counter++) {
        const uint8_t *at = cell(d, counter, scan);

        for (unsigned plane = 0; plane < 4; plane++)
            *out++ = at[plane];
    }
}

/* ---- What the CRT controller scans ---------------------------------------------------------- */

unsigned vga_display_lines(const Vga *s)
{
    const uint8_t *cr = s->cr;
    unsigned lines =
        cr[CR_END_V_DISPLAY] | (cr[CR_OVERFLOW] & 0x02) << 7 | (cr[CR_OVERFLOW] & 0x40) << 3;

    return (lines + 1) << (cr[CR_MODE] >> 2 & 1);
}

static unsigned line_compare(const Vga *s)
{
    return s->cr[CR_LINE_COMPARE] | (s->cr[CR_OVERFLOW] & 0x10) << 4 |
           (s->cr[CR_MAX_SCAN] & 0x40) << 3;
}

static void choose_text(Draw *d)
{
    const Vga *s = d->s;
    unsigned dots = s->sr[SR_CLOCKING] & SR1_8_DOTS ? 8 : 9;

    d->row = draw_text_row;
    d->dots = s->sr[SR_CLOCKING] & SR1_HALF_CLOCK ? 2 * dots : dots;
    d->scans = (s->cr[CR_MAX_SCAN] & 0x1f) + 1;
    d->wide = d->repeat = 1;
    d->pan = dots == 9 ? (s->ar[AR_PANNING] + 1) % 9 : s->ar[AR_PANNING] & 7;
}

static void choose_graphics(Draw *d)
{
    const Vga *s = d->s;
    bool packed = s->gr[GR_MODE] & GR5_SHIFT256;
    bool banks = ~s->cr[CR_MODE] & (CR17_NO_BANK_1 | CR17_NO_BANK_2);
    unsigned scans = (s->cr[CR_MAX_SCAN] & 0x1f) + 1;

    d->row = packed ? draw_packed_row : s->gr[GR_MODE] & GR5_CGA ? draw_cga_row : draw_planar_row;
    d->dots = packed ? 4 : 8;
    d->wide = packed || (s->sr[SR_CLOCKING] & SR1_HALF_CLOCK) ? 2 : 1;
    d->scans = banks ? scans : 1;
    d->repeat = (banks ? 1 : scans) << (s->cr[CR_MAX_SCAN] >> 7);
    d->pan = packed ? s->ar[AR_PANNING] >> 1 & 3 : s->ar[AR_PANNING] & 7;
}

static void choose_vga(Draw *d)
{
    const uint8_t *cr = d->s->cr;

    if (is_text(d->s))
        choose_text(d);
    else
        choose_graphics(d);
    d->cells = cr[CR_END_H_DISPLAY] + 1;
    d->width = d->cells * d->dots * d->wide;
    d->height = vga_display_lines(d->s);
    d->start = cr[CR_START_HIGH] << 8 | cr[CR_START_LOW];
    d->pitch = cr[CR_OFFSET] * 2;
    d->counter_mask = PLANE_CELLS - 1;
}

/* 16 colours of a size that the VBE registers have. */
static void choose_vbe_planar(Draw *d)
{
    const uint16_t *r = d->s->vbe;

    d->row = draw_planar_row;
    d->dots = 8;
    d->scans = d->repeat = d->wide = 1;
    d->cells = r[VBE_XRES] / 8;
    d->width = d->cells * d->dots;
    d->height = r[VBE_YRES];
    d->pitch = r[VBE_VIRT_WIDTH] / 8;
    d->start = r[VBE_Y_OFFSET] * d->pitch + r[VBE_X_OFFSET] / 8;
    d->pan = r[VBE_X_OFFSET] & 7;
    d->counter_mask = d->s->w.vram->size / 4 - 1;
}

static void put_row(const Draw *d, uint32_t *pixels)
{
    const uint8_t *line = d->line + d->pan;

    for (unsigned x = 0; x < d->width; x++)
        pixels[x] = d->colours[line[x / d->wide]];
}

static void draw_rows(Draw *d, Surface *out)
{
    const Vga *s = d->s;
    bool splits = !(s->vbe[VBE_ENABLE] & VBE_ENABLED);
    uint32_t counter = d->start;
    unsigned scan = d->scans > 1 ? MIN(s->cr[CR_PRESET_SCAN] & 0x1f, d->scans - 1) : 0;
    unsigned again = 0; /* which of the lines of this row */

    for (unsigned y = 0; y < d->height; y++) {
        if (!again)
            d->row(d, counter, scan);
        put_row(d, out->pixels + (size_t)y * d->width);
        if (splits && y == line_compare(s)) {
            counter = scan = again = 0;
            d->pan = s->ar[AR_MODE] & AR10_SPLIT_PANNING ? 0 : d->pan;
        } else if (++again == d->repeat) {
            again = 0;
            if (++scan == d->scans) {
                scan = 0;
                counter += d->pitch;
            }
        }
    }
}

static void draw_scanned(const Vga *s, Surface *out, bool lit)
{
    Draw d = { .s = s, .lit = lit };
    g_autofree uint8_t *line = NULL;

    if (s->vbe[VBE_ENABLE] & VBE_ENABLED)
        choose_vbe_planar(&d);
    else
        choose_vga(&d);
    choose_colours(&d);
    line = d.line = g_malloc((d.cells + 1) * d.dots);
    surface_resize(out, MAX(d.width, 1), MAX(d.height, 1));
    draw_rows(&d, out);
}

/* ---- VBE's linear modes --------------------------------------------------------------------- */

static uint32_t expand(uint32_t value, unsigned bits)
{
    return value << (8 - bits) | value >> (2 * bits - 8);
}

static uint32_t pixel_15(const uint8_t *p)
{
    unsigned v = p[0] | p[1] << 8;

    return expand(v >> 10 & 31, 5) << 16 | expand(v >> 5 & 31, 5) << 8 | expand(v & 31, 5);
}

static uint32_t pixel_16(const uint8_t *p)
{
    unsigned v = p[0] | p[1] << 8;

    return expand(v >> 11, 5) << 16 | expand(v >> 5 & 63, 6) << 8 | expand(v & 31, 5);
}

static uint32_t pixel_24(const uint8_t *p)
{
    return p[2] << 16 | p[1] << 8 | p[0];
}

typedef struct PixelFormat {
    unsigned bpp, bytes;
    uint32_t (*pixel)(const uint8_t *p); /* NULL: an index into the DAC */
} PixelFormat;

static const PixelFormat formats[] = {
    { 8, 1, NULL },      { 15, 2, pixel_15 }, { 16, 2, pixel_16 },
    { 24, 3, pixel_24 }, { 32, 4, pixel_24 },
};

static const PixelFormat *find_format(unsigned bpp)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i].bpp == bpp)
            return &formats[i];
    return NULL;
}

void vga_draw_linear(const Vga *s, const VgaLinear *m, Surface *out)
{
    const PixelFormat *f = find_format(m->bpp);
    uint64_t at = m->start;

    surface_resize(out, MAX(m->width, 1), MAX(m->height, 1));
    surface_fill(out, 0);
    for (unsigned y = 0; y < m->height; y++, at += m->pitch) {
        const uint8_t *p = vram(s) + at;
        uint32_t *pixel = out->pixels + (size_t)y * m->width;

        if (!f || at + (uint64_t)m->width * f->bytes > s->w.vram->size)
            return;
        for (unsigned x = 0; x < m->width; x++, p += f->bytes)
            pixel[x] = f->pixel ? f->pixel(p) : dac_colour(s, *p);
    }
}

static void draw_vbe(const Vga *s, Surface *out)
{
    const uint16_t *r = s->vbe;
    unsigned bytes = (r[VBE_BPP] + 7) / 8;
    VgaLinear m = { r[VBE_BPP], r[VBE_XRES], r[VBE_YRES] };

    m.pitch = (uint64_t)r[VBE_VIRT_WIDTH] * bytes;
    m.start = r[VBE_Y_OFFSET] * m.pitch + (uint64_t)r[VBE_X_OFFSET] * bytes;
    vga_draw_linear(s, &m, out);
}

/* ---- Characters ----------------------------------------------------------------------------- */

/* Code page 437 from 0x80; what lies below 0x20 is shown as a space. */
static const char cp437_high[] = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└"
                                 "┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
                                 "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

static gunichar to_unicode(uint8_t c)
{
    if (c < 0x20 || c == 0x7f)
        return ' ';
    return c < 0x80 ? c : g_utf8_get_char(g_utf8_offset_to_pointer(cp437_high, c - 0x80));
}

static void place_cursor(const Draw *d, TextScreen *t)
{
    const uint8_t *cr = d->s->cr;
    uint32_t at = (cr[CR_CURSOR_HIGH] << 8 | cr[CR_CURSOR_LOW]) - d->start;

    t->cursor_x = t->cursor_y = -1;
    if ((cr[CR_CURSOR_START] & CR0A_OFF) || !d->pitch || at % d->pitch >= t->columns ||
        at / d->pitch >= t->rows)
        return;
    t->cursor_x = at % d->pitch;
    t->cursor_y = at / d->pitch;
}

static bool text(void *opaque, TextScreen *t)
{
    const Vga *s = opaque;
    Draw d = { .s = s };

    if (!is_text(s))
        return false;
    choose_vga(&d);
    text_screen_resize(t, d.cells, d.height / d.scans);
    for (unsigned row = 0; row < t->rows; row++) {
        for (unsigned column = 0; column < t->columns; column++) {
            const uint8_t *at = cell(&d, d.start + row * d.pitch + column, 0);

            t->cells[row * t->columns + column] =
                (TextCell){ to_unicode(at[0]), at[1] & 15, background_of(s, at[1]) };
        }
    }
    place_cursor(&d, t);
    return true;
}

/* ---- All of it ------------------------------------------------------------------------------ */

static bool is_off(const Vga *s)
{
    return (s->sr[SR_CLOCKING] & SR1_SCREEN_OFF) || !(s->ar_index & AR_VIDEO_ENABLED);
}

void vga_draw_off(Surface *out)
{
    surface_resize(out, BLANK_WIDTH, BLANK_HEIGHT);
    surface_fill(out, 0);
}

static void draw(void *opaque, Surface *out, bool lit)
{
    const Vga *s = opaque;

    if (is_off(s))
        vga_draw_off(out);
    else if (vga_vbe_is_linear(s) && find_format(s->vbe[VBE_BPP]))
        draw_vbe(s, out);
    else
        draw_scanned(s, out, lit);
}

const DisplayOps vga_display_ops = { draw, text };

static void draw_if_linear(void *opaque, Surface *out, bool lit)
{
    const Vga *s = opaque;

    if (vga_vbe_is_linear(s))
        draw_vbe(s, out);
    else
        vga_draw_off(out);
}

const DisplayOps vga_linear_display_ops = { draw_if_linear };
