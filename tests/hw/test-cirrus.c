/* SPDX-License-Identifier: MIT */
/* The CL-GD5446: its registers, how video memory is seen, what is shown, and every kind of BLT
 * against a model that computes each byte of the destination by itself. */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/cirrus.h"

#define WINDOW   0xa0000
#define LFB      0xe0000000
#define BLT_DATA (LFB + 0x1000000)
#define MMIO     0xf0000000
#define DEVFN    PCI_DEVFN(2, 0)

typedef struct Bench {
    Fixture *f;
    PciBus *bus;
    Device *dev;
    RamBlock *vram;
} Bench;

static void indexed(Fixture *f, uint16_t port, uint8_t index, uint8_t value)
{
    fixture_outw(f, port, index | value << 8);
}

static void sr(Fixture *f, uint8_t index, uint8_t value)
{
    indexed(f, 0x3c4, index, value);
}

static void gr(Fixture *f, uint8_t index, uint8_t value)
{
    indexed(f, 0x3ce, index, value);
}

static void cr(Fixture *f, uint8_t index, uint8_t value)
{
    indexed(f, 0x3d4, index, value);
}

static uint8_t read_indexed(Fixture *f, uint16_t port, uint8_t index)
{
    fixture_outb(f, port, index);
    return fixture_inb(f, port + 1);
}

static Bench start(Fixture *f)
{
    Bench b = { .f = f, .bus = pci_bus_new(f->root, &f->memory_root, &f->io_root) };
    VgaWiring w = { .ports = &f->io_root, .memory = &f->memory_root, .display = f->display };
    GError *error = NULL;

    b.vram = w.vram = ram_block_new(f->ram, "vram", CIRRUS_VRAM_SIZE, &error);
    w.rom = ram_block_new(f->ram, "rom", 0x10000, &error);
    b.dev = cirrus_new(b.bus, DEVFN, &w);
    fixture_start(f);
    fixture_outb(f, 0x3c2, 0x67); /* colour */
    pci_config_write(b.bus, 0, DEVFN, PCI_BAR0, LFB, 4);
    pci_config_write(b.bus, 0, DEVFN, PCI_BAR0 + 4, MMIO, 4);
    pci_config_write(b.bus, 0, DEVFN, PCI_COMMAND, 3, 2);
    return b;
}

/* Unlocked, in packed pixels, the window of 64 KiB at 0xa0000. */
static Bench start_packed(Fixture *f)
{
    Bench b = start(f);

    f->roundtrip = false; /* faster; every kind of access has its turn in test_saved */
    sr(f, 6, 0x12);
    sr(f, 7, 0x11);
    sr(f, 4, 0x0e);
    sr(f, 2, 0xff);
    gr(f, 6, 0x05);
    return b;
}

/* ---- Registers ------------------------------------------------------------------------------- */

static void test_identity(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    assert_int_equal(pci_config_read(b.bus, 0, DEVFN, PCI_VENDOR_ID, 4), 0x00b81013);
    assert_int_equal(pci_config_read(b.bus, 0, DEVFN, PCI_CLASS_PROG, 4) & 0xffffff, 0x030000);
    pci_config_write(b.bus, 0, DEVFN, PCI_BAR0, 0xffffffff, 4);
    assert_int_equal(pci_config_read(b.bus, 0, DEVFN, PCI_BAR0, 4), 0xfe000008);
    pci_config_write(b.bus, 0, DEVFN, PCI_BAR0 + 4, 0xffffffff, 4);
    assert_int_equal(pci_config_read(b.bus, 0, DEVFN, PCI_BAR0 + 4, 4), 0xfffff000);
}

static void test_lock(void **state)
{
    static const struct {
        uint16_t port;
        uint8_t index;
    } rows[] = {
        { 0x3c4, 0x07 }, { 0x3c4, 0x13 }, { 0x3ce, 0x09 }, { 0x3ce, 0x20 }, { 0x3d4, 0x1b }
    };
    Fixture *f = *state;

    start(f);
    assert_int_equal(read_indexed(f, 0x3c4, 6), 0x0f);
    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        sr(f, 6, 0x92); /* the key, with a bit that does not matter */
        assert_int_equal(read_indexed(f, 0x3c4, 6), 0x12);
        indexed(f, rows[i].port, rows[i].index, 0x15);
        sr(f, 6, 0x00);
        assert_int_equal(read_indexed(f, 0x3c4, 6), 0x0f);
        assert_int_equal(read_indexed(f, rows[i].port, rows[i].index), 0xff);
        indexed(f, rows[i].port, rows[i].index, 0x0a);
        sr(f, 6, 0x12);
        assert_int_equal(read_indexed(f, rows[i].port, rows[i].index), 0x15);
    }
    sr(f, 6, 0x00);
    cr(f, 0x0e, 0x77); /* a VGA's own are not behind it */
    assert_int_equal(read_indexed(f, 0x3d4, 0x0e), 0x77);
}

static void test_registers(void **state)
{
    static const struct {
        uint16_t port;
        uint8_t index, value, reads;
    } rows[] = {
        { 0x3c4, 0x17, 0xff, 0xe7 }, { 0x3c4, 0x0a, 0xa5, 0xa5 }, { 0x3c4, 0x02, 0xff, 0x0f },
        { 0x3ce, 0x0b, 0x3f, 0x3f }, { 0x3ce, 0x00, 0xff, 0xff }, { 0x3ce, 0x05, 0xff, 0xff },
        { 0x3ce, 0x0b, 0x00, 0x00 }, { 0x3ce, 0x00, 0xff, 0x0f }, { 0x3ce, 0x05, 0xff, 0x7b },
        { 0x3ce, 0x21, 0xff, 0x1f }, { 0x3ce, 0x23, 0xff, 0x07 }, { 0x3ce, 0x2a, 0xff, 0x3f },
        { 0x3ce, 0x2b, 0xff, 0x00 }, { 0x3ce, 0x31, 0x80, 0x80 }, { 0x3d4, 0x27, 0x00, 0xb8 },
        { 0x3d4, 0x1d, 0x80, 0x80 }, { 0x3d4, 0x40, 0x12, 0x00 },
    };
    Fixture *f = *state;

    start(f);
    sr(f, 6, 0x12);
    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        indexed(f, rows[i].port, rows[i].index, rows[i].value);
        assert_int_equal(read_indexed(f, rows[i].port, rows[i].index), rows[i].reads);
    }
    fixture_inb(f, 0x3da);
    fixture_outb(f, 0x3c0, 0x33);
    assert_int_equal(read_indexed(f, 0x3d4, 0x24), 0x80); /* data would come next */
    assert_int_equal(read_indexed(f, 0x3d4, 0x26), 0x33);
    fixture_outb(f, 0x3c4, 0xb0); /* bits of the coordinate are in the index */
    fixture_outb(f, 0x3c5, 0x12);
    assert_int_equal(read_indexed(f, 0x3c4, 0x10), 0x12);
    assert_int_equal(fixture_read(f, MMIO + 0x04, 1), 0x10); /* the ports once more */
}

static void test_hidden_dac(void **state)
{
    Fixture *f = *state;

    start(f);
    fixture_outb(f, 0x3c6, 0x5a);
    for (int i = 0; i < 4; i++)
        assert_int_equal(fixture_inb(f, 0x3c6), 0x5a);
    fixture_outb(f, 0x3c6, 0xc1);
    assert_int_equal(fixture_inb(f, 0x3c6), 0x5a); /* once */
    fixture_outb(f, 0x3c8, 0);                     /* starts counting anew */
    for (int i = 0; i < 4; i++)
        assert_int_equal(fixture_inb(f, 0x3c6), 0x5a);
    assert_int_equal(fixture_inb(f, 0x3c6), 0xc1);
    assert_int_equal(fixture_inb(f, 0x3c6), 0x5a);
}

/* ---- Video memory ---------------------------------------------------------------------------- */

static void test_windows(void **state)
{
    static const struct {
        uint8_t extensions, offset0, offset1;
        uint32_t at, to;
    } rows[] = {
        { 0x00, 0x00, 0x00, 0x01234, 0x001234 }, { 0x00, 0x05, 0x00, 0x01234, 0x006234 },
        { 0x20, 0x05, 0x00, 0x01234, 0x015234 }, { 0x21, 0x05, 0x80, 0x01234, 0x015234 },
        { 0x21, 0x05, 0x80, 0x09234, 0x201234 }, { 0x20, 0xff, 0x00, 0x00001, 0x3fc001 },
        { 0x20, 0xff, 0x00, 0x04001, 0x000001 },
    };
    Fixture *f = *state;
    Bench b = start_packed(f);

    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        gr(f, 0x0b, rows[i].extensions);
        gr(f, 0x09, rows[i].offset0);
        gr(f, 0x0a, rows[i].offset1);
        fixture_write(f, WINDOW + rows[i].at, 0x40 + i, 1);
        assert_int_equal(b.vram->host[rows[i].to], 0x40 + i);
        assert_int_equal(fixture_read(f, WINDOW + rows[i].at, 1), 0x40 + i);
        assert_int_equal(fixture_read(f, LFB + rows[i].to, 1), 0x40 + i);
    }
}

/* One byte of the CPU's and the 16 it has made. @at: an address in bytes of the CPU's. */
static void test_extended_writes(void **state)
{
    static const struct {
        uint8_t extensions, mode, mask, value;
        const char *makes;
    } rows[] = {
        { 0x06, 4, 0xff, 0xa5, "\x11\xee\x11\xee\xee\x11\xee\x11\xee\xee\xee\xee\xee\xee\xee\xee" },
        { 0x06, 5, 0xff, 0xa5, "\x11\x22\x11\x22\x22\x11\x22\x11\xee\xee\xee\xee\xee\xee\xee\xee" },
        { 0x06, 5, 0x0f, 0xa5, "\xee\xee\xee\xee\x22\x11\x22\x11\xee\xee\xee\xee\xee\xee\xee\xee" },
        { 0x16, 4, 0xff, 0x81, "\x11\x33\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\x11\x33" },
        { 0x16, 5, 0xff, 0x80, "\x11\x33\x22\x44\x22\x44\x22\x44\x22\x44\x22\x44\x22\x44\x22\x44" },
        { 0x0e, 1, 0xff, 0x00, "\x50\x51\x52\x53\x54\x55\x56\x57\xee\xee\xee\xee\xee\xee\xee\xee" },
        { 0x00, 0, 0xff, 0x9c, "\x9c\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee" },
    };
    Fixture *f = *state;
    Bench b = start_packed(f);

    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned shift = rows[i].extensions & 0x10 ? 4 : rows[i].extensions & 2 ? 3 : 0;

        for (int linear = 0; linear < 2; linear++) {
            uint64_t base = linear ? LFB : WINDOW;

            gr(f, 0x0b, rows[i].extensions);
            gr(f, 0x05, rows[i].mode);
            sr(f, 0x02, rows[i].mask);
            gr(f, 0x00, 0x22);
            gr(f, 0x10, 0x44);
            gr(f, 0x01, 0x11);
            gr(f, 0x11, 0x33);
            memset(b.vram->host, 0xee, 0x2000);
            for (int n = 0; n < 8; n++)
                b.vram->host[0x100 + n] = 0x50 + n;
            fixture_read(f, base + (0x100 >> shift), 1); /* fills the latches */
            fixture_write(f, base + (0x1000 >> shift), rows[i].value, 1);
            assert_memory_equal(b.vram->host + 0x1000, rows[i].makes, 16);
        }
    }
}

/* Planes work as those of a VGA. */
static void test_planar(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    sr(f, 2, 0x05);
    sr(f, 4, 0x06);
    gr(f, 6, 0x05);
    gr(f, 8, 0xff);
    fixture_write(f, WINDOW + 3, 0x99, 1);
    assert_memory_equal(b.vram->host + 12, "\x99\x00\x99\x00", 4);
}

/* ---- What is shown --------------------------------------------------------------------------- */

static uint32_t shown(Bench *b, Surface *s, unsigned x, unsigned y)
{
    display_draw(b->f->display, 0, s, true);
    assert_true(x < s->width && y < s->height);
    return s->pixels[y * s->width + x];
}

static void set_hidden_dac(Fixture *f, uint8_t value)
{
    fixture_outb(f, 0x3c8, 0);
    for (int i = 0; i < 4; i++)
        fixture_inb(f, 0x3c6);
    fixture_outb(f, 0x3c6, value);
}

static void set_screen(Fixture *f, unsigned width, unsigned height, unsigned pitch)
{
    cr(f, 0x11, 0);
    cr(f, 0x01, width / 8 - 1);
    cr(f, 0x12, height - 1);
    cr(f, 0x07, ((height - 1) >> 7 & 2) | ((height - 1) >> 3 & 0x40));
    cr(f, 0x13, pitch / 8);
    cr(f, 0x1b, pitch / 8 >> 4 & 0x10);
    fixture_inb(f, 0x3da);
    fixture_outb(f, 0x3c0, 0x20);
}

static void test_pictures(void **state)
{
    static const struct {
        uint8_t sr7, dac, bytes;
        const char *pixel;
        uint32_t colour;
    } rows[] = {
        { 0x11, 0x00, 1, "\x05", 0x00ff00 },
        { 0x17, 0xc0, 2, "\x00\x7c", 0xff0000 },
        { 0x17, 0xc1, 2, "\x00\xf8", 0xff0000 },
        { 0x13, 0xc1, 2, "\x1f\x00", 0x0000ff },
        { 0x15, 0xc5, 3, "\x12\x34\x56", 0x563412 },
        { 0x19, 0xc5, 4, "\x12\x34\x56\x78", 0x563412 },
    };
    Fixture *f = *state;
    Bench b = start_packed(f);
    Surface s = { 0 };

    fixture_outb(f, 0x3c8, 5);
    for (int i = 0; i < 3; i++)
        fixture_outb(f, 0x3c9, i == 1 ? 63 : 0);
    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned pitch = 640 * rows[i].bytes;

        set_screen(f, 640, 480, pitch);
        sr(f, 7, rows[i].sr7);
        set_hidden_dac(f, rows[i].dac);
        memset(b.vram->host, 0, b.vram->size);
        memcpy(b.vram->host + 4 + pitch * 479 + 639 * rows[i].bytes, rows[i].pixel, rows[i].bytes);
        cr(f, 0x0d, 1); /* of four bytes */
        assert_int_equal(shown(&b, &s, 639, 479), rows[i].colour);
        assert_int_equal(s.width, 640);
        assert_int_equal(s.height, 480);
    }
    fixture_outb(f, 0x3d4, 0x0d);
    fixture_outb(f, 0x3d5, 0);
    cr(f, 0x1b, 0x0d | (2560 / 8 >> 4 & 0x10)); /* bits 16 to 18 of the address, 19 */
    cr(f, 0x1d, 0x80);
    b.vram->host[4 * 0xf0000] = 0x7f;
    assert_int_equal(shown(&b, &s, 0, 0), 0x7f);
    surface_clear(&s);
}

/* Two pixels of each kind, 32 by 32 and 64 by 64. */
static void test_cursor(void **state)
{
    static const uint32_t under = 0x102030, colours[] = { 0x102030, 0xefdfcf, 0x0000ff, 0xff0000 };
    Fixture *f = *state;
    Bench b = start_packed(f);
    Surface s = { 0 };

    set_screen(f, 640, 400, 2560);
    sr(f, 7, 0x19);
    for (uint32_t *p = (uint32_t *)b.vram->host; p < (uint32_t *)(b.vram->host + 640 * 400 * 4);
         p++)
        *p = under;
    sr(f, 0x12, 0x02); /* its colours are entries 0 and 15 */
    fixture_outb(f, 0x3c8, 0);
    for (int i = 0; i < 3; i++)
        fixture_outb(f, 0x3c9, i == 2 ? 63 : 0);
    fixture_outb(f, 0x3c8, 15);
    for (int i = 0; i < 3; i++)
        fixture_outb(f, 0x3c9, i == 0 ? 63 : 0);
    for (int big = 0; big < 2; big++) {
        uint8_t *p = b.vram->host + CIRRUS_VRAM_SIZE - 0x4000 + 8 * 256;
        unsigned row = big ? 16 : 4, second = big ? 8 : 128;

        memset(p, 0, 1024);
        p[3 * row] = 0x50;          /* pixels 1 and 3 */
        p[3 * row + second] = 0x30; /* pixels 2 and 3 */
        sr(f, 0x13, 8);
        sr(f, 0x12, big ? 0x05 : 0x01);
        fixture_outw(f, 0x3c4, 0x50 | 12 << 8); /* x 98 */
        fixture_outw(f, 0x3c4, 0x31 | 5 << 8);  /* y 41 */
        for (int i = 0; i < 4; i++)
            assert_int_equal(shown(&b, &s, 98 + i, 44), colours[i]);
    }
    fixture_outw(f, 0x3c4, 0xf0 | 0xff << 8); /* beyond the corner */
    fixture_outw(f, 0x3c4, 0xf1 | 0xff << 8);
    shown(&b, &s, 0, 0);
    fixture_outw(f, 0x3c4, 0x10 | 79 << 8); /* on the edge */
    fixture_outw(f, 0x3c4, 0x11 | 49 << 8);
    shown(&b, &s, 0, 0);
    surface_clear(&s);
}

/* ---- BLT ------------------------------------------------------------------------------------- */

enum { BACKWARDS = 0x01, FROM_CPU = 0x04, TRANSPARENT = 0x08, PATTERN = 0x40, EXPAND = 0x80 };
enum { DWORD_ROWS = 0x01, INVERT = 0x02, SOLID = 0x04 };

typedef struct BltRow {
    const char *name;
    uint8_t mode; /* without the size of a pixel */
    uint8_t ext, rop, skip;
    unsigned width, height; /* pixels */
    uint32_t dst, src;      /* forwards: the upper left corner */
    unsigned dst_pitch, src_pitch;
} BltRow;

static const BltRow blt_rows[] = {
    { "copy", 0, 0, 0x0d, 0, 13, 7, 0x2000, 0x8000, 200, 100 },
    { "copy to the end", 0, 0, 0x0d, 0, 13, 7, 0x3fffc0, 0x8000, 200, 100 },
    { "copy from the end", 0, 0, 0x0d, 0, 13, 7, 0x2000, 0x3ffff0, 200, 100 },
    { "down over itself", BACKWARDS, 0, 0x0d, 0, 13, 7, 0x2190, 0x2000, 200, 200 },
    { "up over itself", 0, 0, 0x0d, 0, 13, 7, 0x2000, 0x2190, 200, 200 },
    { "leave a colour", TRANSPARENT, 0, 0x0d, 0, 40, 3, 0x2000, 0x8000, 200, 100 },
    { "pattern", PATTERN, 0, 0x0d, 0, 21, 11, 0x2001, 0x8003, 200, 0 },
    { "pattern, skip", PATTERN, 0, 0x59, 3, 21, 11, 0x2001, 0x8007, 200, 0 },
    { "expand", EXPAND, 0, 0x0d, 0, 21, 5, 0x2001, 0x8001, 200, 3 },
    { "expand, inverted", EXPAND, INVERT, 0x0d, 0, 21, 5, 0x2001, 0x8001, 200, 3 },
    { "expand, skip", EXPAND, 0, 0x6d, 5, 21, 5, 0x2001, 0x8001, 200, 3 },
    { "expand ones", EXPAND | TRANSPARENT, 0, 0x0d, 0, 21, 5, 0x2001, 0x8001, 200, 3 },
    { "expand zeros", EXPAND | TRANSPARENT, INVERT, 0x0d, 2, 21, 5, 0x2001, 0x8001, 200, 3 },
    { "bits pattern", EXPAND | PATTERN, 0, 0x0d, 0, 21, 11, 0x2001, 0x8005, 200, 0 },
    { "bits pattern ones", EXPAND | PATTERN | TRANSPARENT, 0, 0xda, 1, 21, 11, 0x2001, 0x8005, 200,
      0 },
    { "solid", EXPAND | PATTERN, SOLID, 0x0d, 0, 21, 11, 0x2001, 0x8005, 200, 0 },
    { "from CPU", FROM_CPU, 0, 0x0d, 0, 13, 7, 0x2000, 0x8000, 200, 0 },
    { "from CPU, colour", FROM_CPU | TRANSPARENT, 0, 0x95, 0, 13, 7, 0x2000, 0x8000, 200, 0 },
    { "bits from CPU", FROM_CPU | EXPAND, 0, 0x0d, 0, 21, 5, 0x2001, 0x8000, 200, 0 },
    { "bits in dwords", FROM_CPU | EXPAND, DWORD_ROWS, 0x0d, 3, 37, 5, 0x2001, 0x8000, 200, 0 },
    { "ones from CPU", FROM_CPU | EXPAND | TRANSPARENT, 0, 0x0d, 0, 21, 5, 0x2001, 0x8000, 200, 0 },
};

static const struct {
    uint8_t code;
    const char *means; /* for source and destination 00, 01, 10, 11 */
} rops[] = {
    { 0x00, "0000" }, { 0x05, "0001" }, { 0x06, "0101" }, { 0x09, "0010" },
    { 0x0b, "1010" }, { 0x0d, "0011" }, { 0x0e, "1111" }, { 0x50, "0100" },
    { 0x59, "0110" }, { 0x6d, "0111" }, { 0x90, "1000" }, { 0x95, "1001" },
    { 0xad, "1011" }, { 0xd0, "1100" }, { 0xd6, "1101" }, { 0xda, "1110" },
};

static const uint8_t colour_bytes[2][4] = { { 0x21, 0x43, 0x65, 0x87 },
                                            { 0xba, 0xdc, 0xfe, 0x90 } };
static const uint8_t key[2] = { 0x33, 0x77 };

static uint8_t model_rop(uint8_t code, uint8_t s, uint8_t d)
{
    uint8_t out = 0;
    int row = 0;

    while (rops[row].code != code)
        row++;
    for (int bit = 0; bit < 8; bit++)
        if (rops[row].means[2 * (s >> bit & 1) + (d >> bit & 1)] == '1')
            out |= 1u << bit;
    return out;
}

/* Bytes of a row of what the CPU sends. */
static unsigned sent_pitch(const BltRow *r, unsigned bytes)
{
    if (!(r->mode & EXPAND))
        return (r->width * bytes + 3) / 4 * 4;
    return r->ext & DWORD_ROWS ? (r->width + 31) / 32 * 4 : (r->width + 7) / 8;
}

/* Byte @i of pixel (@x, @y) of the source, as memory @m was before; -1: nothing is written. */
static int model_source(const BltRow *r, unsigned bytes, const uint8_t *m, unsigned x, unsigned y,
                        unsigned i)
{
    uint32_t mask = CIRRUS_VRAM_SIZE - 1;
    unsigned side = bytes == 1 ? 8 : bytes == 2 ? 16 : 32;
    unsigned line = (r->src % 8 + y) % 8;
    unsigned pitch = r->mode & FROM_CPU ? sent_pitch(r, bytes)
                     : r->mode & EXPAND ? (r->width + 7) / 8
                                        : r->src_pitch;
    uint32_t at;

    if (x < r->skip)
        return -1;
    if (r->mode & EXPAND) {
        unsigned bit = 7 - x % 8;

        at = r->mode & PATTERN ? r->src / 8 * 8 + line : r->src + y * pitch + x / 8;
        bool one = r->ext & SOLID || (m[at & mask] >> bit & 1) != !!(r->ext & INVERT);
        return !one && (r->mode & TRANSPARENT) ? -1 : colour_bytes[one][i];
    }
    if (r->mode & PATTERN)
        at = r->src / (8 * side) * (8 * side) + line * side + x % 8 * bytes;
    else
        at = r->src + y * pitch + x * bytes;
    if ((r->mode & TRANSPARENT) && m[at & mask] == key[0] &&
        (bytes == 1 || m[(at + 1) & mask] == key[1]))
        return -1;
    return m[(at + i) & mask];
}

static void model(const BltRow *r, unsigned bytes, const uint8_t *before, uint8_t *after)
{
    for (unsigned y = 0; y < r->height; y++) {
        for (unsigned n = 0; n < r->width * bytes; n++) {
            uint32_t at = (r->dst + y * r->dst_pitch + n) % CIRRUS_VRAM_SIZE;
            int s = model_source(r, bytes, before, n / bytes, y, n % bytes);

            if (s >= 0)
                after[at] = model_rop(r->rop, s, before[at]);
        }
    }
}

static void number(Fixture *f, uint8_t index, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        gr(f, index + i, value >> (8 * i));
}

static void set_blt(Fixture *f, const BltRow *r, unsigned bytes)
{
    bool back = r->mode & BACKWARDS;
    uint32_t dst_end = (r->height - 1) * r->dst_pitch + r->width * bytes - 1;
    uint32_t src_end = (r->height - 1) * r->src_pitch + r->width * bytes - 1;

    number(f, 0x20, r->width * bytes - 1, 2);
    number(f, 0x22, r->height - 1, 2);
    number(f, 0x24, r->dst_pitch, 2);
    number(f, 0x26, r->src_pitch, 2);
    number(f, 0x2c, r->src + (back ? src_end : 0), 3);
    gr(f, 0x2f, bytes == 3 ? 3 * r->skip : r->skip);
    gr(f, 0x30, r->mode | (bytes - 1) << 4);
    gr(f, 0x32, r->rop);
    gr(f, 0x33, r->ext);
    number(f, 0x34, key[0] | key[1] << 8, 2);
    for (unsigned i = 0; i < 4; i++) {
        gr(f, i ? 0x0e + 2 * i : 0, colour_bytes[0][i]);
        gr(f, i ? 0x0f + 2 * i : 1, colour_bytes[1][i]);
    }
    number(f, 0x28, r->dst + (back ? dst_end : 0), 3);
}

/* What the CPU sends is what is in memory at the source: the engine does not look there. */
static void send(Bench *b, const BltRow *r, unsigned bytes, const uint8_t *data, uint64_t to)
{
    unsigned total = (sent_pitch(r, bytes) * r->height + 3) / 4 * 4;

    for (unsigned i = 0; i < total; i += 4) {
        uint32_t word;

        assert_int_equal(read_indexed(b->f, 0x3ce, 0x31) & 1, 1);
        memcpy(&word, data + i, 4);
        fixture_write(b->f, to + i % 0x1000, GUINT32_FROM_LE(word), 4);
    }
    assert_int_equal(read_indexed(b->f, 0x3ce, 0x31) & 0x0b, 0);
}

static void scribble(uint8_t *m)
{
    uint32_t x = 12345;

    for (unsigned i = 0; i < CIRRUS_VRAM_SIZE; i++) {
        x = x * 1664525 + 1013904223;
        m[i] = x >> 24 & 0x10 ? key[i & 1] : x >> 16;
    }
}

static void check_blt(Bench *b, const BltRow *r, unsigned bytes, uint64_t to)
{
    g_autofree uint8_t *before = g_malloc(CIRRUS_VRAM_SIZE), *after = g_malloc(CIRRUS_VRAM_SIZE);

    scribble(b->vram->host);
    memcpy(before, b->vram->host, CIRRUS_VRAM_SIZE);
    memcpy(after, before, CIRRUS_VRAM_SIZE);
    model(r, bytes, before, after);
    set_blt(b->f, r, bytes);
    gr(b->f, 0x31, 0x02);
    if (r->mode & FROM_CPU)
        send(b, r, bytes, before + r->src, to);
    for (unsigned i = 0; i < CIRRUS_VRAM_SIZE; i++)
        if (b->vram->host[i] != after[i])
            fail_msg("%s, %u bytes a pixel: 0x%06x is %02x instead of %02x (was %02x)", r->name,
                     bytes, i, b->vram->host[i], after[i], before[i]);
}

static void test_blt(void **state)
{
    static const uint64_t places[] = { BLT_DATA, LFB, WINDOW };
    Fixture *f = *state;
    Bench b = start_packed(f);

    for (int i = 0; i < G_N_ELEMENTS(blt_rows); i++)
        for (unsigned bytes = 1; bytes <= 4; bytes++)
            check_blt(&b, &blt_rows[i], bytes, places[i % 3]);
}

static void test_rops(void **state)
{
    Fixture *f = *state;
    Bench b = start_packed(f);

    for (int i = 0; i < G_N_ELEMENTS(rops); i++) {
        BltRow r = { "ROP", 0, 0, rops[i].code, 0, 40, 2, 0x2000, 0x8000, 200, 100 };

        check_blt(&b, &r, 1, 0);
    }
}

/* By registers in memory, wherever these are, and by the last address being written. */
static void test_blt_registers(void **state)
{
    static const BltRow row = { "", EXPAND | PATTERN, SOLID, 0x0d, 0, 4, 1, 0x2000, 0, 200, 0 };
    static const struct {
        uint8_t sr17;
        uint64_t at;
    } places[] = { { 0x00, MMIO + 0x100 },
                   { 0x04, 0xb8000 },
                   { 0x44, LFB + CIRRUS_VRAM_SIZE - 0x100 } };
    Fixture *f = *state;
    Bench b = start_packed(f);

    for (int i = 0; i < G_N_ELEMENTS(places); i++) {
        set_blt(f, &row, 1);
        sr(f, 0x17, places[i].sr17);
        fixture_write(f, places[i].at + 0x04, 0x77 + i, 1); /* foreground */
        fixture_write(f, places[i].at + 0x10, 0x3000, 2);
        memset(b.vram->host + 0x3000, 0, 8);
        fixture_write(f, places[i].at + 0x40, 0x02, 1);
        assert_int_equal(fixture_read(f, LFB + 0x3000, 4), 0x77777777 + i * 0x01010101);
        assert_int_equal(fixture_read(f, LFB + 0x3004, 4), 0);
        assert_int_equal(read_indexed(f, 0x3ce, 0x29), 0x30);
        assert_int_equal(fixture_read(f, places[i].at + 0x11, 1), 0x30);
    }
    sr(f, 0x17, 0);
    fixture_write(f, LFB + CIRRUS_VRAM_SIZE - 4, 0x12345678, 4); /* memory again */
    assert_int_equal(b.vram->host[CIRRUS_VRAM_SIZE - 4], 0x78);
    memset(b.vram->host, 0, 0x4000);
    gr(f, 0x31, 0x80);
    gr(f, 0x2a, 0);
    assert_int_equal(b.vram->host[0x3003], 0x79);
}

/* The CPU may stop, and may change what it likes on the way. */
static void test_blt_interrupted(void **state)
{
    static const BltRow row = { "", FROM_CPU, 0, 0x0d, 0, 16, 4, 0x2000, 0, 200, 0 };
    Fixture *f = *state;
    Bench b = start_packed(f);

    set_blt(f, &row, 1);
    gr(f, 0x31, 0x02);
    fixture_write(f, BLT_DATA, 0x44332211, 4);
    gr(f, 0x31, 0x04);
    assert_int_equal(read_indexed(f, 0x3ce, 0x31) & 1, 0);
    fixture_write(f, LFB, 0x55, 1);
    assert_int_equal(b.vram->host[0], 0x55);
    assert_int_equal(b.vram->host[0x2000], 0);
    number(f, 0x20, 0x1fff, 2); /* longest rows, then shortest */
    gr(f, 0x31, 0x02);
    for (int i = 0; i < 0x1000; i += 4)
        fixture_write(f, BLT_DATA, 0xabababab, 4);
    number(f, 0x20, 0, 2);
    for (int i = 0; i < 0x8000; i += 4)
        fixture_write(f, BLT_DATA, 0xabababab, 4);
    assert_int_equal(read_indexed(f, 0x3ce, 0x31) & 1, 0);
}

/* All of it is in the state list: with every access after a round trip. */
static void test_saved(void **state)
{
    static const BltRow row = { "", FROM_CPU, 0, 0x0d, 0, 8, 2, 0x2000, 0, 200, 0 };
    Fixture *f = *state;
    Bench b = start_packed(f);

    f->roundtrip = true;
    set_hidden_dac(f, 0xc5);
    set_blt(f, &row, 1);
    gr(f, 0x31, 0x02);
    for (int i = 0; i < 4; i++)
        fixture_write(f, LFB + 4 * i, 0x04030201 + i * 0x04040404, 4);
    assert_memory_equal(b.vram->host + 0x2000, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    assert_memory_equal(b.vram->host + 0x2000 + 200, "\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", 8);
    gr(f, 0x0b, 0x06);
    gr(f, 0x05, 0x05);
    fixture_write(f, LFB + 0x400, 0xff, 1); /* still bits of pixels after a load */
    assert_int_equal(b.vram->host[0x2007], colour_bytes[1][0]);
}

static void test_abuse(void **state)
{
    Fixture *f = *state;
    Bench b = start_packed(f);
    Surface s = { 0 };

    for (unsigned seed = 0; seed < 8; seed++) {
        GString *text = g_string_new(NULL);

        sr(f, 6, 0x12);
        fixture_abuse(f, f->io, 0x3c0, 0x20, 3000, seed);
        sr(f, 6, 0x12);
        number(f, 0x22, 7, 2); /* or it takes long */
        fixture_abuse(f, f->memory, MMIO + 0x100, 0x80, 300, seed);
        number(f, 0x22, 7, 2);
        fixture_abuse(f, f->memory, LFB, 0x2000000, 2000, seed);
        fixture_abuse(f, f->memory, WINDOW, 0x20000, 2000, seed);
        display_draw(f->display, 0, &s, true);
        display_print_text(f->display, text);
        g_string_free(text, true);
        fixture_reset(f);
    }
    assert_int_equal(b.vram->size, CIRRUS_VRAM_SIZE);
    surface_clear(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup_no_ram, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_identity),
        TEST(test_lock),
        TEST(test_registers),
        TEST(test_hidden_dac),
        TEST(test_windows),
        TEST(test_extended_writes),
        TEST(test_planar),
        TEST(test_pictures),
        TEST(test_cursor),
        TEST(test_blt),
        TEST(test_rops),
        TEST(test_blt_registers),
        TEST(test_blt_interrupted),
        TEST(test_saved),
        TEST(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
