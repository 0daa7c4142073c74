/* SPDX-License-Identifier: MIT */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/vga.h"

#define WINDOW 0xa0000
#define LFB    0xe0000000
#define MMIO   0xf0000000

typedef struct Bench {
    Device *dev;
    PciBus *bus;
    RamBlock *vram;
} Bench;

static Bench start(Fixture *f)
{
    Bench b = { .bus = pci_bus_new(f->root, &f->memory_root, &f->io_root) };
    VgaWiring w = { .ports = &f->io_root, .memory = &f->memory_root, .display = f->display };
    GError *error = NULL;

    b.vram = w.vram = ram_block_new(f->ram, "vram", VGA_VRAM_SIZE, &error);
    w.rom = ram_block_new(f->ram, "rom", 0x10000, &error);
    w.rom->host[0] = 0x55;
    w.rom->host[1] = 0xaa;
    b.dev = vga_new(&vga_class, b.bus, PCI_DEVFN(2, 0), &w);
    fixture_start(f);
    fixture_outb(f, 0x3c2, 0x67); /* color */
    return b;
}

static void map(Fixture *f, Bench *b)
{
    unsigned devfn = PCI_DEVFN(2, 0);

    pci_config_write(b->bus, 0, devfn, PCI_BAR0, LFB, 4);
    pci_config_write(b->bus, 0, devfn, PCI_BAR0 + 8, MMIO, 4);
    pci_config_write(b->bus, 0, devfn, PCI_COMMAND, 3, 2);
}

static void indexed(Fixture *f, uint16_t port, uint8_t index, uint8_t value)
{
    fixture_outw(f, port, index | value << 8);
}

static uint8_t read_indexed(Fixture *f, uint16_t port, uint8_t index)
{
    fixture_outb(f, port, index);
    return fixture_inb(f, port + 1);
}

static void vbe(Fixture *f, uint16_t reg, uint16_t value)
{
    fixture_outw(f, 0x1ce, reg);
    fixture_outw(f, 0x1cf, value);
}

static uint16_t read_vbe(Fixture *f, uint16_t reg)
{
    fixture_outw(f, 0x1ce, reg);
    return fixture_inw(f, 0x1cf);
}

/* 16-colour graphics: sequential planes in the 64 KiB window. */
static void planar(Fixture *f)
{
    indexed(f, 0x3c4, 4, 0x06);
    indexed(f, 0x3c4, 2, 0x0f);
    indexed(f, 0x3ce, 6, 0x05);
    indexed(f, 0x3ce, 8, 0xff);
}

static void test_identity(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    assert_int_equal(pci_config_read(b.bus, 0, 16, PCI_VENDOR_ID, 4), 0x11111234);
    assert_int_equal(pci_config_read(b.bus, 0, 16, PCI_CLASS_PROG, 4) & 0xffffff, 0x030000);
    pci_config_write(b.bus, 0, 16, PCI_BAR0, 0xffffffff, 4);
    assert_int_equal(pci_config_read(b.bus, 0, 16, PCI_BAR0, 4), 0xff000008);
    pci_config_write(b.bus, 0, 16, PCI_BAR0 + 8, 0xffffffff, 4);
    assert_int_equal(pci_config_read(b.bus, 0, 16, PCI_BAR0 + 8, 4), 0xfffff000);
    pci_config_write(b.bus, 0, 16, PCI_COMMAND, 2, 2);
    pci_config_write(b.bus, 0, 16, PCI_ROM_BAR, 0xfe000001, 4);
    assert_int_equal(fixture_read(f, 0xfe000000, 2), 0xaa55);
}

static void test_registers(void **state)
{
    static const struct {
        uint16_t port;
        uint8_t index, value, reads;
    } rows[] = {
        { 0x3c4, 0, 0xff, 0x03 },    { 0x3c4, 2, 0xff, 0x0f },    { 0x3c4, 4, 0xff, 0x0e },
        { 0x3ce, 0, 0xff, 0x0f },    { 0x3ce, 5, 0xff, 0x7b },    { 0x3ce, 8, 0xa5, 0xa5 },
        { 0x3d4, 0x0e, 0x12, 0x12 }, { 0x3d4, 0x18, 0x34, 0x34 }, { 0x3d4, 0x30, 0x56, 0x00 },
    };
    Fixture *f = *state;

    start(f);
    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        indexed(f, rows[i].port, rows[i].index, rows[i].value);
        assert_int_equal(read_indexed(f, rows[i].port, rows[i].index), rows[i].reads);
    }
    indexed(f, 0x3d4, 0, 0x5f);
    indexed(f, 0x3d4, 0x11, 0x80); /* lock 0 to 7 */
    indexed(f, 0x3d4, 0, 0x11);
    assert_int_equal(read_indexed(f, 0x3d4, 0), 0x5f);
    indexed(f, 0x3d4, 7, 0xff);
    assert_int_equal(read_indexed(f, 0x3d4, 7), 0x10);
    assert_int_equal(fixture_inb(f, 0x3b4), 0xff); /* monochrome ports are asleep */
    fixture_outb(f, 0x3c2, 0x66);
    assert_int_equal(fixture_inb(f, 0x3d4), 0xff);
    assert_int_equal(fixture_inb(f, 0x3b4), 0x07);
    assert_int_equal(fixture_inb(f, 0x3cc), 0x66);
}

static void test_attribute_flip_flop(void **state)
{
    Fixture *f = *state;

    start(f);
    fixture_inb(f, 0x3da);
    fixture_outb(f, 0x3c0, 0x05);
    fixture_outb(f, 0x3c0, 0xff);
    fixture_outb(f, 0x3c0, 0x25);
    assert_int_equal(fixture_inb(f, 0x3c1), 0x3f);
    fixture_inb(f, 0x3da); /* back to the index */
    fixture_outb(f, 0x3c0, 0x06);
    assert_int_equal(fixture_inb(f, 0x3c1), 0x00);
    uint8_t first = fixture_inb(f, 0x3da);
    assert_int_equal(first ^ fixture_inb(f, 0x3da), 0x09); /* retrace comes and goes */
}

static void test_palette(void **state)
{
    Fixture *f = *state;

    start(f);
    fixture_outb(f, 0x3c8, 0xff);
    for (int i = 0; i < 6; i++)
        fixture_outb(f, 0x3c9, 0x40 | i); /* six bits; wraps to colour 0 */
    fixture_outb(f, 0x3c7, 0x00);
    assert_int_equal(fixture_inb(f, 0x3c7), 3);
    for (int i = 3; i < 6; i++)
        assert_int_equal(fixture_inb(f, 0x3c9), i);
    vbe(f, 4, 0x20); /* 8-bit DAC */
    fixture_outb(f, 0x3c8, 1);
    fixture_outb(f, 0x3c9, 0xab);
    fixture_outb(f, 0x3c7, 1);
    assert_int_equal(fixture_inb(f, 0x3c9), 0xab);
}

static void plane_bytes(Bench *b, unsigned at, uint32_t expected)
{
    const uint8_t *p = b->vram->host + 4 * at;

    assert_int_equal(p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3], (int32_t)expected);
}

static void test_write_modes(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    planar(f);
    fixture_write(f, WINDOW + 5, 0x3c, 1);
    plane_bytes(&b, 5, 0x3c3c3c3c);
    indexed(f, 0x3c4, 2, 0x05); /* map mask */
    fixture_write(f, WINDOW + 5, 0xff, 1);
    plane_bytes(&b, 5, 0xff3cff3c);
    indexed(f, 0x3c4, 2, 0x0f);
    fixture_read(f, WINDOW + 5, 1); /* latches */
    indexed(f, 0x3ce, 5, 1);        /* write mode 1 copies them */
    fixture_write(f, WINDOW + 6, 0, 1);
    plane_bytes(&b, 6, 0xff3cff3c);
    indexed(f, 0x3ce, 5, 2); /* write mode 2: a colour */
    indexed(f, 0x3ce, 8, 0x0f);
    fixture_write(f, WINDOW + 6, 0x06, 1);
    plane_bytes(&b, 6, 0xf03fff30);
    indexed(f, 0x3ce, 5, 3); /* write mode 3: data is a mask */
    indexed(f, 0x3ce, 0, 0x09);
    indexed(f, 0x3ce, 8, 0xff);
    fixture_read(f, WINDOW + 7, 1);
    fixture_write(f, WINDOW + 7, 0x81, 1);
    plane_bytes(&b, 7, 0x81000081);
    indexed(f, 0x3ce, 5, 0);
    indexed(f, 0x3ce, 1, 0x0f); /* set/reset on all planes */
    indexed(f, 0x3ce, 3, 0x18); /* XOR with the latches */
    fixture_read(f, WINDOW + 7, 1);
    fixture_write(f, WINDOW + 7, 0, 1);
    plane_bytes(&b, 7, 0x7e00007e);
    indexed(f, 0x3ce, 1, 0);
    indexed(f, 0x3ce, 3, 0x04); /* rotate by four */
    fixture_write(f, WINDOW + 8, 0x1e, 1);
    plane_bytes(&b, 8, 0xe1e1e1e1);
}

static void test_read_modes(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    planar(f);
    memcpy(b.vram->host + 4 * 9, "\x0f\x33\x55\x00", 4);
    for (int p = 0; p < 4; p++) {
        indexed(f, 0x3ce, 4, p);
        assert_int_equal(fixture_read(f, WINDOW + 9, 1), b.vram->host[36 + p]);
    }
    indexed(f, 0x3ce, 5, 8);
    indexed(f, 0x3ce, 2, 0x03); /* pixels of colour 3 */
    indexed(f, 0x3ce, 7, 0x0f);
    assert_int_equal(fixture_read(f, WINDOW + 9, 1), 0x0f & 0x33 & ~0x55);
    indexed(f, 0x3ce, 7, 0x01);
    assert_int_equal(fixture_read(f, WINDOW + 9, 1), 0x0f);
}

static void test_chain4_and_windows(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    planar(f);
    indexed(f, 0x3c4, 4, 0x0e);
    fixture_write(f, WINDOW + 0x1234, 0xdeadbeef, 4);
    assert_int_equal(fixture_read(f, WINDOW + 0x1234, 4), 0xdeadbeef);
    assert_memory_equal(b.vram->host + 0x1234, "\xef\xbe\xad\xde", 4);
    indexed(f, 0x3ce, 6, 0x0d); /* 32 KiB at 0xb8000 */
    assert_int_equal(fixture_read(f, WINDOW + 0x1234, 1), 0xff);
    assert_int_equal(fixture_read(f, 0xb8000 + 0x1234, 4), 0xdeadbeef);
    indexed(f, 0x3ce, 6, 0x09); /* at 0xb0000 */
    assert_int_equal(fixture_read(f, 0xb0000 + 0x1234, 4), 0xdeadbeef);
}

/* 80 by 25 as a BIOS programs it. */
static void text_mode(Fixture *f)
{
    static const uint8_t crtc[][2] = {
        { 0x01, 0x4f }, { 0x07, 0x1f }, { 0x09, 0x4f }, { 0x12, 0x8f }, { 0x13, 0x28 }
    };

    indexed(f, 0x3c4, 2, 0x03);
    indexed(f, 0x3c4, 4, 0x02);
    indexed(f, 0x3ce, 5, 0x10);
    indexed(f, 0x3ce, 6, 0x0e);
    indexed(f, 0x3ce, 8, 0xff);
    for (int i = 0; i < G_N_ELEMENTS(crtc); i++)
        indexed(f, 0x3d4, crtc[i][0], crtc[i][1]);
}

static void test_text_screen(void **state)
{
    static const char hello[] = "Hello";
    Fixture *f = *state;
    GString *text = g_string_new(NULL);

    start(f);
    text_mode(f);
    for (int i = 0; i < 80 * 25; i++)
        fixture_write(f, 0xb8000 + 2 * i, 0x0720, 2);
    for (int i = 0; hello[i]; i++)
        fixture_write(f, 0xb8000 + 2 * (80 + 3 + i), 0x0700 | hello[i], 2);
    fixture_write(f, 0xb8000 + 2 * (24 * 80), 0x07c4, 2);
    assert_int_equal(fixture_read(f, 0xb8000 + 2 * 83, 2), 0x0748);
    assert_true(display_print_text(f->display, text));
    g_auto(GStrv) rows = g_strsplit(text->str, "\n", -1);
    assert_int_equal(g_strv_length(rows), 26);
    assert_string_equal(rows[0], "");
    assert_string_equal(rows[1], "   Hello");
    assert_string_equal(rows[24], "─");
    indexed(f, 0x3d4, 0x0d, 80); /* scrolled by a row */
    g_string_truncate(text, 0);
    assert_true(display_print_text(f->display, text));
    assert_memory_equal(text->str, "   Hello\n", 9);
    indexed(f, 0x3ce, 6, 0x05);
    assert_false(display_print_text(f->display, text));
    g_string_free(text, true);
}

static void test_vbe(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    map(f, &b);
    assert_int_equal(read_vbe(f, 0), 0xb0c5);
    vbe(f, 0, 0xb0c2);
    assert_int_equal(read_vbe(f, 0), 0xb0c2);
    assert_int_equal(read_vbe(f, 0xa), 256);
    memset(b.vram->host, 0xcc, 4096);
    vbe(f, 1, 640);
    vbe(f, 2, 480);
    vbe(f, 3, 32);
    vbe(f, 4, 0x41);
    assert_int_equal(b.vram->host[0], 0); /* cleared */
    assert_int_equal(read_vbe(f, 6), 640);
    assert_int_equal(read_vbe(f, 7), VGA_VRAM_SIZE / 2560);
    fixture_write(f, LFB + 0x12345, 0x11223344, 4);
    vbe(f, 5, 1); /* bank */
    assert_int_equal(fixture_read(f, WINDOW + 0x2345, 4), 0x11223344);
    assert_int_equal(fixture_read(f, MMIO + 0x502, 2), 640);
    fixture_write(f, MMIO + 0x504, 400, 2);
    assert_int_equal(read_vbe(f, 2), 400);
    assert_int_equal(fixture_read(f, MMIO + 0x600, 4), 8);
    assert_int_equal(fixture_read(f, MMIO + 0x604, 4), 0x1e1e1e1e);
    fixture_write(f, MMIO + 0x404, 0x0f02, 2); /* map mask through the port block */
    assert_int_equal(read_indexed(f, 0x3c4, 2), 0x0f);
    vbe(f, 4, 0x02);
    assert_int_equal(read_vbe(f, 1), 16000);
    assert_int_equal(read_vbe(f, 3), 32);
}

/* Modes that do not fit are cut down to ones that do. */
static void test_vbe_limits(void **state)
{
    Fixture *f = *state;

    start(f);
    vbe(f, 1, 0xffff);
    vbe(f, 2, 0xffff);
    vbe(f, 3, 7);
    vbe(f, 4, 1);
    assert_int_equal(read_vbe(f, 1), 16000);
    assert_int_equal(read_vbe(f, 2), VGA_VRAM_SIZE / 16000);
    assert_int_equal(read_vbe(f, 3), 8);
    vbe(f, 9, 0xffff);
    assert_int_equal(read_vbe(f, 9), 0);
    vbe(f, 5, 0x8000); /* no such bank */
    assert_int_equal(read_vbe(f, 5), 0);
}

static void test_abuse(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    f->roundtrip = false;
    map(f, &b);
    for (unsigned seed = 0; seed < 10; seed++) {
        GString *text = g_string_new(NULL);
        fixture_abuse(f, f->io, 0x3b0, 0x30, 2000, seed);
        fixture_abuse(f, f->io, 0x1ce, 3, 500, seed);
        fixture_abuse(f, f->memory, WINDOW, 0x20000, 2000, seed);
        fixture_abuse(f, f->memory, MMIO, 0x1000, 2000, seed);
        display_print_text(f->display, text);
        g_string_free(text, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_identity, fixture_setup_no_ram, fixture_teardown),
        hw_test(test_registers),
        cmocka_unit_test_setup_teardown(test_attribute_flip_flop, fixture_setup_no_ram,
                                        fixture_teardown),
        hw_test(test_palette),
        cmocka_unit_test_setup_teardown(test_write_modes, fixture_setup_no_ram, fixture_teardown),
        hw_test(test_read_modes),
        cmocka_unit_test_setup_teardown(test_chain4_and_windows, fixture_setup_no_ram,
                                        fixture_teardown),
        hw_test(test_text_screen),
        cmocka_unit_test_setup_teardown(test_vbe, fixture_setup_no_ram, fixture_teardown),
        hw_test(test_vbe_limits),
        cmocka_unit_test_setup_teardown(test_abuse, fixture_setup_no_ram, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
