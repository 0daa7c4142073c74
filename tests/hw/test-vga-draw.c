/* SPDX-License-Identifier: MIT */
/* What a VGA shows: modes as the BIOS of IBM's adapter sets them (its tables of registers), what
 * the CPU writes into the window, and the pixels that this must give. */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/vga.h"

typedef struct Bench {
    Device *dev;
    RamBlock *vram;
    Display *display;
    Surface s;
} Bench;

static Bench start(Fixture *f)
{
    PciBus *bus = pci_bus_new(f->root, &f->memory_root, &f->io_root);
    Bench b = { .display = display_new() };
    VgaWiring w = { .ports = &f->io_root, .memory = &f->memory_root, .display = b.display };
    GError *error = NULL;

    b.vram = w.vram = ram_block_new(f->ram, "vram", VGA_VRAM_SIZE, &error);
    b.dev = vga_new(&vga_class, bus, PCI_DEVFN(2, 0), &w);
    fixture_start(f);
    assert_int_equal(display_count(b.display), 1);
    assert_string_equal(display_name(b.display, 0), "VGA");
    return b;
}

static void stop(Bench *b)
{
    device_unrealize(b->dev);
    assert_int_equal(display_count(b->display), 0);
    display_free(b->display);
    surface_clear(&b->s);
}

static void indexed(Fixture *f, uint16_t port, uint8_t index, uint8_t value)
{
    fixture_outw(f, port, index | value << 8);
}

static void attribute(Fixture *f, uint8_t index, uint8_t value)
{
    fixture_inb(f, 0x3da);
    fixture_outb(f, 0x3c0, index);
    fixture_outb(f, 0x3c0, value);
    fixture_outb(f, 0x3c0, 0x20);
}

typedef struct Mode {
    uint8_t misc;
    const char *sr, *cr, *gr, *ar; /* 5, 25, 9 and 21 bytes */
} Mode;

/* clang-format off */
static const Mode text_80x25 = { 0x67, "\x03\x00\x03\x00\x02",
    "\x5f\x4f\x50\x82\x55\x81\xbf\x1f\x00\x4f\x0d\x0e\x00\x00\x00\x00\x9c\x8e\x8f\x28\x1f\x96\xb9\xa3\xff",
    "\x00\x00\x00\x00\x00\x10\x0e\x00\xff",
    "\x00\x01\x02\x03\x04\x05\x14\x07\x38\x39\x3a\x3b\x3c\x3d\x3e\x3f\x0c\x00\x0f\x08\x00" };
static const Mode text_40x25 = { 0x67, "\x03\x08\x03\x00\x02",
    "\x2d\x27\x28\x90\x2b\xa0\xbf\x1f\x00\x4f\x0d\x0e\x00\x00\x00\x00\x9c\x8e\x8f\x14\x1f\x96\xb9\xa3\xff",
    "\x00\x00\x00\x00\x00\x10\x0e\x00\xff",
    "\x00\x01\x02\x03\x04\x05\x14\x07\x38\x39\x3a\x3b\x3c\x3d\x3e\x3f\x0c\x00\x0f\x08\x00" };
static const Mode cga_4 = { 0x63, "\x03\x09\x03\x00\x02",
    "\x2d\x27\x28\x90\x2b\x80\xbf\x1f\x00\xc1\x00\x00\x00\x00\x00\x00\x9c\x8e\x8f\x14\x00\x96\xb9\xa2\xff",
    "\x00\x00\x00\x00\x00\x30\x0f\x00\xff",
    "\x00\x13\x15\x17\x02\x04\x06\x07\x10\x11\x12\x13\x14\x15\x16\x17\x01\x00\x03\x00\x00" };
static const Mode cga_2 = { 0x63, "\x03\x01\x01\x00\x06",
    "\x5f\x4f\x50\x82\x54\x80\xbf\x1f\x00\xc1\x00\x00\x00\x00\x00\x00\x9c\x8e\x8f\x28\x00\x96\xb9\xc2\xff",
    "\x00\x00\x00\x00\x00\x00\x0d\x00\xff",
    "\x00\x17\x17\x17\x17\x17\x17\x17\x17\x17\x17\x17\x17\x17\x17\x17\x01\x00\x01\x00\x00" };
static const Mode ega_200 = { 0x63, "\x03\x09\x0f\x00\x06",
    "\x2d\x27\x28\x90\x2b\x80\xbf\x1f\x00\xc0\x00\x00\x00\x00\x00\x00\x9c\x8e\x8f\x14\x00\x96\xb9\xe3\xff",
    "\x00\x00\x00\x00\x00\x00\x05\x0f\xff",
    "\x00\x01\x02\x03\x04\x05\x06\x07\x10\x11\x12\x13\x14\x15\x16\x17\x01\x00\x0f\x00\x00" };
static const Mode vga_16 = { 0xe3, "\x03\x01\x0f\x00\x06",
    "\x5f\x4f\x50\x82\x54\x80\x0b\x3e\x00\x40\x00\x00\x00\x00\x00\x00\xea\x8c\xdf\x28\x00\xe7\x04\xe3\xff",
    "\x00\x00\x00\x00\x00\x00\x05\x0f\xff",
    "\x00\x01\x02\x03\x04\x05\x14\x07\x38\x39\x3a\x3b\x3c\x3d\x3e\x3f\x01\x00\x0f\x00\x00" };
static const Mode vga_256 = { 0x63, "\x03\x01\x0f\x00\x0e",
    "\x5f\x4f\x50\x82\x54\x80\xbf\x1f\x00\x41\x00\x00\x00\x00\x00\x00\x9c\x8e\x8f\x28\x40\x96\xb9\xa3\xff",
    "\x00\x00\x00\x00\x00\x40\x05\x0f\xff",
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x41\x00\x0f\x00\x00" };
/* clang-format on */

/* DAC entry n: levels n / 4, n and 63 - n; see level(). */
static void set_mode(Fixture *f, const Mode *m)
{
    fixture_outb(f, 0x3c2, m->misc);
    for (unsigned i = 0; i < 5; i++)
        indexed(f, 0x3c4, i, m->sr[i]);
    indexed(f, 0x3d4, 0x11, 0);
    for (unsigned i = 0; i < 25; i++)
        indexed(f, 0x3d4, i, m->cr[i]);
    for (unsigned i = 0; i < 9; i++)
        indexed(f, 0x3ce, i, m->gr[i]);
    for (unsigned i = 0; i < 21; i++)
        attribute(f, i, m->ar[i]);
    fixture_outb(f, 0x3c6, 0xff);
    fixture_outb(f, 0x3c8, 0);
    for (unsigned n = 0; n < 256; n++) {
        fixture_outb(f, 0x3c9, n / 4);
        fixture_outb(f, 0x3c9, n & 63);
        fixture_outb(f, 0x3c9, 63 - (n & 63));
    }
}

/* The pixel of DAC entry @n: 0 to 63 is 0 to 255. */
static uint32_t dac(unsigned n)
{
    unsigned levels[3] = { n / 4, n & 63, 63 - (n & 63) };
    uint32_t pixel = 0;

    for (unsigned i = 0; i < 3; i++)
        pixel = pixel << 8 | (levels[i] << 2 | levels[i] >> 4);
    return pixel;
}

static void shows(Bench *b, unsigned width, unsigned height)
{
    display_draw(b->display, 0, &b->s, true);
    assert_int_equal(b->s.width, width);
    assert_int_equal(b->s.height, height);
}

static uint32_t pixel(const Bench *b, unsigned x, unsigned y)
{
    assert_true(x < b->s.width && y < b->s.height);
    return b->s.pixels[y * b->s.width + x];
}

/* A row of a graphics mode: the CPU writes @value at @addr, and from (@x, @y) on there are pixels
 * of these DAC entries, each @wide by @tall dots. */
typedef struct GraphicsRow {
    const char *name;
    const Mode *mode;
    unsigned width, height, wide, tall;
    uint32_t addr;
    uint8_t value, map_mask; /* 0: the mode's */
    unsigned x, y, count;
    uint8_t entries[8];
} GraphicsRow;

/* clang-format off */
static const GraphicsRow graphics_rows[] = {
    { "CGA, 4 colours, even line", &cga_4, 320, 200, 2, 2, 0xb8000 + 2 * 80 + 1, 0x1b, 0, 4, 4, 4, { 0x00, 0x13, 0x15, 0x17 } },
    { "CGA, 4 colours, odd line",  &cga_4, 320, 200, 2, 2, 0xba000 + 2 * 80,     0xe4, 0, 0, 5, 4, { 0x17, 0x15, 0x13, 0x00 } },
    { "CGA, 2 colours, even line", &cga_2, 640, 200, 1, 2, 0xb8000 + 80 + 2,     0xc1, 0, 16, 2, 8, { 0x17, 0x17, 0, 0, 0, 0, 0, 0x17 } },
    { "CGA, 2 colours, odd line",  &cga_2, 640, 200, 1, 2, 0xba000,              0x80, 0, 0, 1, 2, { 0x17, 0 } },
    { "EGA, 320 by 200",           &ega_200, 320, 200, 2, 2, 0xa0000 + 40 * 199, 0xa0, 0x09, 0, 199, 4, { 0x11, 0, 0x11, 0 } },
    { "VGA, 16 colours",           &vga_16, 640, 480, 1, 1, 0xa0000 + 80 * 479 + 79, 0x03, 0x06, 636, 479, 4, { 0, 0, 0x14, 0x14 } },
    { "VGA, 256 colours",          &vga_256, 320, 200, 2, 2, 0xa0000 + 320 * 199 + 319, 0xc8, 0, 318, 199, 2, { 0, 0xc8 } },
};
/* clang-format on */

static void test_graphics(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    for (const GraphicsRow *r = graphics_rows; r < graphics_rows + G_N_ELEMENTS(graphics_rows);
         r++) {
        memset(b.vram->host, 0, VGA_VRAM_SIZE);
        set_mode(f, r->mode);
        if (r->map_mask)
            indexed(f, 0x3c4, 2, r->map_mask);
        fixture_write(f, r->addr, r->value, 1);
        shows(&b, r->width * r->wide, r->height * r->tall);
        for (unsigned i = 0; i < r->count * r->wide * r->tall; i++) {
            unsigned n = i / r->tall / r->wide;
            uint32_t is = pixel(&b, r->x * r->wide + i / r->tall, r->y * r->tall + i % r->tall);

            if (is != dac(r->entries[n]))
                fail_msg("%s: pixel %u is %06x, not %06x", r->name, n, is, dac(r->entries[n]));
        }
    }
    stop(&b);
}

/* Unchained 256 colours ("mode X"), a second page and a split screen. */
static void test_mode_x(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    set_mode(f, &vga_256);
    indexed(f, 0x3c4, 4, 0x06);
    indexed(f, 0x3d4, 0x14, 0x00);
    indexed(f, 0x3d4, 0x17, 0xe3);
    indexed(f, 0x3c4, 2, 0x04);
    fixture_write(f, 0xa0000 + 16000 + 80, 0x55, 1);
    indexed(f, 0x3c4, 2, 0x01);
    fixture_write(f, 0xa0000, 0x66, 1);
    indexed(f, 0x3d4, 0x0c, 16000 >> 8);
    indexed(f, 0x3d4, 0x0d, 16000 & 0xff);
    shows(&b, 640, 400);
    assert_int_equal(pixel(&b, 4, 2), dac(0x55));
    assert_int_equal(pixel(&b, 5, 3), dac(0x55));
    assert_int_equal(pixel(&b, 0, 0), dac(0));
    indexed(f, 0x3d4, 0x18, 100); /* after line 100 of 400 comes address 0 */
    indexed(f, 0x3d4, 0x07, 0x0f);
    indexed(f, 0x3d4, 0x09, 0x01);
    shows(&b, 640, 400);
    assert_int_equal(pixel(&b, 0, 100), dac(0));
    assert_int_equal(pixel(&b, 0, 101), dac(0x66));
    assert_int_equal(pixel(&b, 0, 102), dac(0x66));
    assert_int_equal(pixel(&b, 0, 103), dac(0));
    attribute(f, 0x13, 2); /* panned by one pixel */
    shows(&b, 640, 400);
    assert_int_equal(pixel(&b, 2, 2), dac(0x55));
    assert_int_equal(pixel(&b, 3, 3), dac(0x55));
    stop(&b);
}

/* A glyph in plane 2, as a BIOS loads it. */
static void load_glyph(Fixture *f, uint8_t c, uint8_t even, uint8_t odd)
{
    indexed(f, 0x3c4, 2, 0x04);
    indexed(f, 0x3c4, 4, 0x06);
    indexed(f, 0x3ce, 5, 0x00);
    indexed(f, 0x3ce, 6, 0x04);
    for (unsigned row = 0; row < 16; row++)
        fixture_write(f, 0xa0000 + c * 32 + row, row & 1 ? odd : even, 1);
    indexed(f, 0x3c4, 2, 0x03);
    indexed(f, 0x3c4, 4, 0x02);
    indexed(f, 0x3ce, 5, 0x10);
    indexed(f, 0x3ce, 6, 0x0e);
}

/* A row of pixels of two colours as text. */
static void row_is(Bench *b, unsigned x, unsigned y, uint8_t one, uint8_t zero,
                   const char *expected)
{
    for (unsigned i = 0; expected[i]; i++)
        if (pixel(b, x + i, y) != dac(expected[i] == '#' ? one : zero))
            fail_msg("line %u, pixel %u is %06x where %s has '%c'", y, x + i, pixel(b, x + i, y),
                     expected, expected[i]);
}

static void test_text(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    set_mode(f, &text_80x25);
    load_glyph(f, 'A', 0xa1, 0x18);
    load_glyph(f, 0xc4, 0xff, 0x00);
    indexed(f, 0x3d4, 0x0a, 0x20);
    fixture_write(f, 0xb8000 + 2 * 81, 0x1e41, 2);   /* yellow on blue */
    fixture_write(f, 0xb8000 + 2 * 82, 0x07c4, 2);   /* reaches into the ninth dot */
    fixture_write(f, 0xb8000 + 2 * 1999, 0x9741, 2); /* blinks */
    shows(&b, 720, 400);
    row_is(&b, 9, 16, 0x3e, 0x01, "#.#....#.");
    row_is(&b, 9, 17, 0x3e, 0x01, "...##....");
    row_is(&b, 18, 16, 0x07, 0x00, "#########");
    row_is(&b, 18, 17, 0x07, 0x00, ".........");
    row_is(&b, 711, 398, 0x07, 0x01, "#.#....#.");
    display_draw(b.display, 0, &b.s, false);
    row_is(&b, 711, 398, 0x07, 0x01, ".........");
    attribute(f, 0x10, 0x04); /* bright backgrounds instead */
    shows(&b, 720, 400);
    row_is(&b, 711, 398, 0x07, 0x39, "#.#....#.");
    indexed(f, 0x3c4, 1, 1); /* 8 dots */
    attribute(f, 0x13, 0);
    shows(&b, 640, 400);
    row_is(&b, 8, 16, 0x3e, 0x01, "#.#....#");
    set_mode(f, &text_40x25);
    fixture_write(f, 0xb8000 + 2 * 41, 0x1e41, 2);
    shows(&b, 720, 400);
    row_is(&b, 18, 16, 0x3e, 0x01, "##..##........##..");
    stop(&b);
}

static void test_cursor(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);
    TextScreen t = { 0 };

    set_mode(f, &text_80x25);
    for (unsigned i = 0; i < 80; i++)
        fixture_write(f, 0xb8000 + 2 * (80 + i), 0x1e20, 2);
    indexed(f, 0x3d4, 0x0f, 83);
    shows(&b, 720, 400);
    row_is(&b, 18, 16 + 12, 0x3e, 0x01, "...........................");
    row_is(&b, 18, 16 + 13, 0x3e, 0x01, ".........#########.........");
    row_is(&b, 18, 16 + 15, 0x3e, 0x01, "...........................");
    display_draw(b.display, 0, &b.s, false);
    row_is(&b, 18, 16 + 13, 0x3e, 0x01, "...........................");
    assert_true(display_text(b.display, 0, &t));
    assert_int_equal(t.columns, 80);
    assert_int_equal(t.rows, 25);
    assert_int_equal(t.cursor_x, 3);
    assert_int_equal(t.cursor_y, 1);
    assert_int_equal(t.cells[80].foreground, 14);
    assert_int_equal(t.cells[80].background, 1);
    indexed(f, 0x3d4, 0x0a, 0x2d);
    assert_true(display_text(b.display, 0, &t));
    assert_int_equal(t.cursor_x, -1);
    set_mode(f, &vga_16);
    assert_false(display_text(b.display, 0, &t));
    text_screen_clear(&t);
    stop(&b);
}

static void vbe(Fixture *f, uint16_t reg, uint16_t value)
{
    fixture_outw(f, 0x1ce, reg);
    fixture_outw(f, 0x1cf, value);
}

/* 64 by 32 in a screen of twice that width, seen from (8, 1): the first pixel's bytes. */
static const struct {
    unsigned bpp, offset;
    uint32_t value, pixel;
} vbe_rows[] = {
    { 4, (16 + 1) * 4 + 2, 0x80, 0 }, /* plane 2: colour 4, DAC entry 4 */
    { 8, 128 + 8, 0x25, 0 },
    { 15, (128 + 8) * 2, 0x7c1f, 0xff00ff },
    { 16, (128 + 8) * 2, 0x87e0, 0x84ff00 },
    { 24, (128 + 8) * 3, 0x123456, 0x123456 },
    { 32, (128 + 8) * 4, 0x9a123456, 0x123456 },
};

static void test_vbe(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    for (unsigned i = 0; i < G_N_ELEMENTS(vbe_rows); i++) {
        uint32_t expected = vbe_rows[i].bpp == 4   ? dac(4)
                            : vbe_rows[i].bpp == 8 ? dac(0x25)
                                                   : vbe_rows[i].pixel;

        set_mode(f, &vga_16);
        vbe(f, 4, 0);
        vbe(f, 1, 64);
        vbe(f, 2, 32);
        vbe(f, 3, vbe_rows[i].bpp);
        vbe(f, 4, 0x41);
        vbe(f, 6, 128);
        vbe(f, 8, 8);
        vbe(f, 9, 1);
        for (unsigned n = 0; n < 4; n++)
            b.vram->host[vbe_rows[i].offset + n] = vbe_rows[i].value >> 8 * n;
        shows(&b, 64, 32);
        if (pixel(&b, 0, 0) != expected)
            fail_msg("%u bits: %06x, not %06x", vbe_rows[i].bpp, pixel(&b, 0, 0), expected);
    }
    vbe(f, 3, 8);
    vbe(f, 4, 0x61); /* a DAC of 8 bits */
    b.vram->host[128 + 8] = 200;
    fixture_outb(f, 0x3c8, 200);
    fixture_outb(f, 0x3c9, 0x12);
    fixture_outb(f, 0x3c9, 0x34);
    fixture_outb(f, 0x3c9, 0x56);
    shows(&b, 64, 32);
    assert_int_equal(pixel(&b, 0, 0), 0x123456);
    stop(&b);
}

static void test_blank(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    shows(&b, 720, 400); /* after reset */
    set_mode(f, &vga_256);
    fixture_write(f, 0xa0000, 0x42, 1);
    shows(&b, 640, 400);
    assert_int_equal(pixel(&b, 0, 0), dac(0x42));
    indexed(f, 0x3c4, 1, 0x21);
    shows(&b, 720, 400);
    assert_int_equal(pixel(&b, 0, 0), 0);
    indexed(f, 0x3c4, 1, 0x01);
    fixture_inb(f, 0x3da);
    fixture_outb(f, 0x3c0, 0); /* the CPU has the palette */
    shows(&b, 720, 400);
    assert_int_equal(pixel(&b, 0, 0), 0);
    stop(&b);
}

/* Whatever is in the registers, it is drawn within video memory. */
static void test_abuse(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);
    TextScreen t = { 0 };

    f->roundtrip = false;
    for (unsigned seed = 0; seed < 60; seed++) {
        fixture_abuse(f, f->io, 0x3b0, 0x30, 300, seed);
        fixture_abuse(f, f->io, 0x1ce, 3, 20, seed);
        vbe(f, 1, seed * 61); /* not so large that drawing takes long */
        vbe(f, 2, seed * 17);
        fixture_inb(f, 0x3da);
        fixture_outb(f, 0x3c0, 0x20);
        display_draw(b.display, 0, &b.s, seed & 1);
        display_text(b.display, 0, &t);
    }
    text_screen_clear(&t);
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_graphics), hw_test(test_mode_x), hw_test(test_text),  hw_test(test_cursor),
        hw_test(test_vbe),      hw_test(test_blank),  hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
