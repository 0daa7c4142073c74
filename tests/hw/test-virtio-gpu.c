/* SPDX-License-Identifier: MIT */
/* A driver in miniature against the virtio screen: pictures, what is seen of them, and nonsense. */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/virtio-gpu.h"

#define BAR     0x10000000u
#define NOTIFY  0x3000u
#define RINGS   0x1000u /* of queue 0; of queue 1 at twice that */
#define COMMAND 0x8000u
#define ANSWER  0x9000u
#define PIXELS  0x20000u

enum { OK = 0x1100, TOLD, UNSPEC = 0x1200, NO_MEMORY, BAD_SCREEN, BAD_ID, BAD_CONTEXT, BAD_VALUE };

typedef struct Bench {
    Fixture *f;
    PciBus *bus;
    IrqSpy *irq;
    Irq pirq[4];
    Display *display;
    Surface seen;
    unsigned made[2];
} Bench;

static uint32_t ring(unsigned queue, unsigned part)
{
    return RINGS * (queue + 1) + part * 0x400;
}

static void set_up(Bench *b)
{
    Fixture *f = b->f;

    fixture_write(f, BAR + 0x14, 0, 1);
    fixture_write(f, BAR + 0x14, 3, 1);
    fixture_write(f, BAR + 0x08, 1, 4);
    fixture_write(f, BAR + 0x0c, 1, 4);
    fixture_write(f, BAR + 0x14, 11, 1);
    for (unsigned q = 0; q < 2; q++) {
        fixture_write(f, BAR + 0x16, q, 2);
        fixture_write(f, BAR + 0x18, 8, 2);
        fixture_write(f, BAR + 0x20, ring(q, 0), 4);
        fixture_write(f, BAR + 0x28, ring(q, 1), 4);
        fixture_write(f, BAR + 0x30, ring(q, 2), 4);
        fixture_write(f, BAR + 0x1c, 1, 2);
        fixture_write(f, ring(q, 1), 0, 4);
        fixture_write(f, ring(q, 2), 0, 4);
        b->made[q] = 0;
    }
    fixture_write(f, BAR + 0x14, 15, 1);
}

static void start(Bench *b, Fixture *f)
{
    VirtioGpuWiring w = { .memory = f->memory, .xres = 320, .yres = 200, .edid = true };

    *b = (Bench){ .f = f, .display = display_new() };
    b->bus = pci_bus_new(f->root, &f->memory_root, &f->io_root);
    b->irq = fixture_spy(f);
    for (unsigned i = 0; i < 4; i++)
        b->pirq[i] = b->irq->irq;
    pci_bus_set_pirq(b->bus, b->pirq);
    w.display = b->display;
    w.store = ram_block_new(f->ram, "store", 1 << 20, NULL);
    virtio_gpu_new(b->bus, PCI_DEVFN(4, 0), &w);
    fixture_start(f);
    pci_config_write(b->bus, 0, PCI_DEVFN(4, 0), PCI_BAR0 + 16, BAR, 4);
    pci_config_write(b->bus, 0, PCI_DEVFN(4, 0), PCI_COMMAND, 6, 2);
    set_up(b);
}

static void stop(Bench *b)
{
    device_unrealize(b->f->root);
    assert_int_equal(display_count(b->display), 0);
    display_free(b->display);
    surface_clear(&b->seen);
}

/* @words after the header; what the device says to it. */
static uint32_t say(Bench *b, unsigned queue, uint32_t type, const uint32_t *words, unsigned n)
{
    Fixture *f = b->f;

    memset(f->ram_block->host + COMMAND, 0, 24);
    fixture_write(f, COMMAND, type, 4);
    fixture_write(f, COMMAND + 4, 1, 4); /* with a fence */
    fixture_write(f, COMMAND + 8, b->made[queue] + 77, 8);
    for (unsigned i = 0; i < n; i++)
        fixture_write(f, COMMAND + 24 + 4 * i, words[i], 4);
    fixture_write(f, ring(queue, 0), COMMAND, 8);
    fixture_write(f, ring(queue, 0) + 8, 24 + 4 * n, 4);
    fixture_write(f, ring(queue, 0) + 12, 1 | 1 << 16, 4);
    fixture_write(f, ring(queue, 0) + 16, ANSWER, 8);
    fixture_write(f, ring(queue, 0) + 24, 512, 4);
    fixture_write(f, ring(queue, 0) + 28, 2, 4);
    fixture_write(f, ring(queue, 1) + 4 + 2 * (b->made[queue] % 8), 0, 2);
    fixture_write(f, ring(queue, 1) + 2, ++b->made[queue], 2);
    fixture_write(f, BAR + NOTIFY + 4 * queue, queue, 2);
    assert_int_equal(fixture_read(f, ring(queue, 2) + 2, 2), b->made[queue] & 0xffff);
    assert_int_equal(fixture_read(f, ANSWER + 8, 8), b->made[queue] + 76);
    return fixture_read(f, ANSWER, 4);
}

#define SAY(b, type, ...)                                            \
    say(b, (type) >= 0x300, type, (const uint32_t[]){ __VA_ARGS__ }, \
        sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static uint32_t pixel(Bench *b, unsigned x, unsigned y)
{
    display_draw(b->display, 0, &b->seen, true);
    assert_true(x < b->seen.width && y < b->seen.height);
    return b->seen.pixels[y * b->seen.width + x];
}

static void put_pixel(Bench *b, uint32_t at, uint32_t value)
{
    fixture_write(b->f, at, value, 4);
}

static void test_screens(void **state)
{
    Bench b;

    start(&b, *state);
    assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), 0, 4), 0x10501af4);
    assert_int_equal(fixture_read(b.f, BAR + 0x2008, 4), 1); /* screens */
    assert_int_equal(say(&b, 0, 0x100, NULL, 0), TOLD);
    assert_int_equal(fixture_read(b.f, ring(0, 2) + 8, 4), 24 + 16 * 24);
    assert_int_equal(fixture_read(b.f, ANSWER + 24 + 8, 4), 320);
    assert_int_equal(fixture_read(b.f, ANSWER + 24 + 12, 4), 200);
    assert_int_equal(fixture_read(b.f, ANSWER + 24 + 16, 4), 1);
    assert_int_equal(fixture_read(b.f, ANSWER + 24 + 24 + 16, 4), 0);
    assert_int_equal(pixel(&b, 5, 5), 0);
    stop(&b);
}

/* Each format shows the same colour from its own bytes. */
static void test_formats(void **state)
{
    static const struct {
        uint32_t number, value;
    } rows[] = {
        { 1, 0xff112233 },  { 2, 0x00112233 },  { 3, 0x332211ff },   { 4, 0x33221100 },
        { 67, 0xff332211 }, { 68, 0x11223300 }, { 121, 0x112233ff }, { 134, 0x00332211 },
    };
    Bench b;

    start(&b, *state);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        assert_int_equal(SAY(&b, 0x101, 7, rows[i].number, 1, 1), OK);
        assert_int_equal(SAY(&b, 0x106, 7, 1, PIXELS, 0, 4, 0), OK);
        put_pixel(&b, PIXELS, rows[i].value);
        assert_int_equal(SAY(&b, 0x105, 0, 0, 1, 1, 0, 0, 7, 0), OK);
        assert_int_equal(SAY(&b, 0x103, 0, 0, 1, 1, 0, 7), OK);
        assert_int_equal(pixel(&b, 0, 0), 0x112233);
        assert_int_equal(SAY(&b, 0x102, 7, 0), OK);
    }
    stop(&b);
}

/* 4 x 3 pixels, whose bytes are in three pieces; a part of them is copied, a part is seen. */
static void test_pictures(void **state)
{
    Bench b;

    start(&b, *state);
    assert_int_equal(SAY(&b, 0x101, 7, 2, 4, 3), OK);
    assert_int_equal(
        SAY(&b, 0x106, 7, 3, PIXELS, 0, 20, 0, PIXELS + 0x1000, 0, 8, 0, PIXELS + 0x2000, 0, 20, 0),
        OK);
    for (unsigned i = 0; i < 12; i++) {
        uint32_t at = i < 5 ? 4 * i : i < 7 ? 0x1000 + 4 * (i - 5) : 0x2000 + 4 * (i - 7);

        put_pixel(&b, PIXELS + at, 0x100 + i);
    }
    assert_int_equal(SAY(&b, 0x103, 0, 0, 4, 3, 0, 7), OK);
    assert_int_equal(pixel(&b, 1, 1), 0); /* nothing was copied yet */
    assert_int_equal(SAY(&b, 0x105, 1, 1, 2, 2, 4 * 5, 0, 7, 0), OK);
    for (unsigned i = 0; i < 12; i++) {
        bool copied = i % 4 >= 1 && i % 4 < 3 && i >= 4;

        assert_int_equal(pixel(&b, i % 4, i / 4), copied ? 0x100 + i : 0);
    }
    assert_int_equal(SAY(&b, 0x104, 0, 0, 4, 3, 7, 0), OK);
    assert_int_equal(SAY(&b, 0x103, 1, 1, 2, 2, 0, 7), OK);
    assert_int_equal(pixel(&b, 0, 0), 0x105);
    assert_int_equal(b.seen.width, 2);
    assert_int_equal(SAY(&b, 0x107, 7, 0), OK);
    assert_int_equal(SAY(&b, 0x105, 0, 0, 4, 3, 0, 0, 7, 0), BAD_VALUE);
    assert_int_equal(SAY(&b, 0x102, 7, 0), OK);
    pixel(&b, 0, 0);
    assert_int_equal(b.seen.width, 640); /* nothing is seen */
    stop(&b);
}

/* A pointer that covers half, is clear, and is partly outside. */
static void test_pointer(void **state)
{
    Bench b;

    start(&b, *state);
    assert_int_equal(SAY(&b, 0x101, 1, 2, 4, 4), OK);
    assert_int_equal(SAY(&b, 0x106, 1, 1, PIXELS, 0, 64, 0), OK);
    for (unsigned i = 0; i < 16; i++)
        put_pixel(&b, PIXELS + 4 * i, 0x808080);
    assert_int_equal(SAY(&b, 0x105, 0, 0, 4, 4, 0, 0, 1, 0), OK);
    assert_int_equal(SAY(&b, 0x103, 0, 0, 4, 4, 0, 1), OK);
    assert_int_equal(SAY(&b, 0x101, 2, 1, 2, 2), OK);
    assert_int_equal(SAY(&b, 0x106, 2, 1, PIXELS, 0, 16, 0), OK);
    put_pixel(&b, PIXELS, 0xffff0000);
    put_pixel(&b, PIXELS + 4, 0x00000000);
    put_pixel(&b, PIXELS + 8, 0x7f00007f);
    put_pixel(&b, PIXELS + 12, 0xff00ff00);
    assert_int_equal(SAY(&b, 0x105, 0, 0, 2, 2, 0, 0, 2, 0), OK);
    assert_int_equal(SAY(&b, 0x300, 0, 2, 2, 0, 2, 1, 1, 0), OK);
    assert_int_equal(pixel(&b, 1, 1), 0xff0000);
    assert_int_equal(pixel(&b, 2, 1), 0x808080);
    assert_int_equal(pixel(&b, 1, 2), 0x4040bf);
    assert_int_equal(pixel(&b, 2, 2), 0x00ff00);
    assert_int_equal(SAY(&b, 0x301, 0, 0, 0, 0, 0, 0, 0, 0), OK);
    assert_int_equal(pixel(&b, 0, 0), 0x00ff00);
    assert_int_equal(pixel(&b, 1, 1), 0x808080);
    assert_int_equal(SAY(&b, 0x300, 0, 0, 0, 0, 0, 0, 0, 0), OK);
    assert_int_equal(pixel(&b, 0, 0), 0x808080);
    stop(&b);
}

static const struct {
    uint32_t type, words[8], answer;
} refused[] = {
    { 0x101, { 0, 1, 4, 4 }, BAD_ID },
    { 0x101, { 7, 1, 4, 4 }, BAD_ID }, /* there is one */
    { 0x101, { 8, 5, 4, 4 }, BAD_VALUE },
    { 0x101, { 8, 1, 0, 4 }, BAD_VALUE },
    { 0x101, { 8, 1, 4, 0x40000000 }, BAD_VALUE },
    { 0x101, { 8, 1, 1024, 1024 }, NO_MEMORY },
    { 0x102, { 8 }, BAD_ID },
    { 0x103, { 0, 0, 4, 4, 1, 7 }, BAD_SCREEN },
    { 0x103, { 0, 0, 4, 4, 0, 8 }, BAD_ID },
    { 0x103, { 1, 0, 4, 4, 0, 7 }, BAD_VALUE },
    { 0x103, { 0, 0xffffffff, 4, 2, 0, 7 }, BAD_VALUE },
    { 0x103, { 0, 0, 0, 4, 0, 7 }, BAD_VALUE },
    { 0x104, { 0, 0, 4, 5, 7 }, BAD_VALUE },
    { 0x104, { 0, 0, 4, 4, 8 }, BAD_ID },
    { 0x105, { 0, 0, 4, 4, 0, 0, 7 }, BAD_VALUE }, /* from nowhere */
    { 0x106, { 7, 16385 }, UNSPEC },
    { 0x106, { 7, 20 }, UNSPEC }, /* not as many as it says */
    { 0x106, { 9, 1 }, BAD_ID },
    { 0x107, { 7 }, BAD_ID },
    { 0x108, { 0 }, UNSPEC },
    { 0x300, { 1, 0, 0, 0, 7 }, BAD_SCREEN },
    { 0x300, { 0, 0, 0, 0, 9 }, BAD_ID },
    { 0x3ff, { 0 }, UNSPEC },
};

static void test_refused(void **state)
{
    Bench b;

    start(&b, *state);
    assert_int_equal(SAY(&b, 0x101, 7, 1, 4, 4), OK);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        assert_int_equal(say(&b, refused[i].type >= 0x300, refused[i].type, refused[i].words, 8),
                         refused[i].answer);
    stop(&b);
}

/* Room is found again between pictures that stay; there are not more than the device has rows. */
static void test_room(void **state)
{
    Bench b;

    start(&b, *state);
    for (unsigned id = 1; id <= 4; id++)
        assert_int_equal(SAY(&b, 0x101, id, 1, 256, 256), OK);
    assert_int_equal(SAY(&b, 0x101, 5, 1, 1, 1), NO_MEMORY);
    assert_int_equal(SAY(&b, 0x102, 2, 0), OK);
    assert_int_equal(SAY(&b, 0x101, 5, 1, 256, 128), OK);
    assert_int_equal(SAY(&b, 0x101, 6, 1, 256, 129), NO_MEMORY);
    assert_int_equal(SAY(&b, 0x101, 6, 1, 256, 128), OK);
    set_up(&b); /* a reset forgets all */
    for (unsigned id = 1; id <= 64; id++)
        assert_int_equal(SAY(&b, 0x101, id, 1, 1, 1), OK);
    assert_int_equal(SAY(&b, 0x101, 65, 1, 1, 1), NO_MEMORY);
    stop(&b);
}

static void test_abuse(void **state)
{
    Bench b;

    start(&b, *state);
    b.f->roundtrip = false;
    for (unsigned seed = 0; seed < 300; seed++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
        uint32_t words[8];

        set_up(&b);
        for (unsigned i = 0; i < 40; i++) {
            uint32_t type = 0x100 + g_rand_int_range(rand, 0, 10);

            for (unsigned k = 0; k < 8; k++)
                words[k] = g_rand_int_range(rand, 0, 8) ? (uint32_t)g_rand_int_range(rand, 0, 6)
                                                        : g_rand_int(rand);
            say(&b, i % 9 == 8, i % 9 == 8 ? 0x300 : type, words, 8);
        }
        display_draw(b.display, 0, &b.seen, true);
        fixture_roundtrip(b.f);
        fixture_abuse(b.f, b.f->memory, BAR, 0x3100, 100, seed);
    }
    stop(&b);
}

/* The first block, of the screen that is best; one screen is there. */
static void test_edid(void **state)
{
    static const uint8_t magic[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    Bench b;

    start(&b, *state);
    fixture_write(b.f, BAR, 0, 4);
    assert_int_equal(fixture_read(b.f, BAR + 4, 4) & 3, 2);
    assert_int_equal(SAY(&b, 0x10a, 1, 0), BAD_SCREEN);
    assert_int_equal(SAY(&b, 0x10a, 0, 0), 0x1104);
    assert_int_equal(fixture_read(b.f, ANSWER + 24, 4), 128);
    assert_memory_equal(b.f->ram_block->host + ANSWER + 32, magic, 8);
    assert_int_equal(fixture_read(b.f, ANSWER + 32 + 56, 1), 320 & 255);
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_edid),
        cmocka_unit_test_setup_teardown(test_screens, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_formats, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_pictures, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_pointer, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_room, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_abuse, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
