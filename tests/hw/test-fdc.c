/* SPDX-License-Identifier: MIT */
/* The floppy controller with its DMA channel, in counted time. */
#include "tests/hw/fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hw/fdc.h"
#include "hw/i8237.h"

#define DATA    0x4000
#define LONG_NS NS_PER_SEC

enum { DOR = 0x3f2, MSR = 0x3f4, FIFO = 0x3f5, DIR_CCR = 0x3f7 };
enum { DMA_IN = 0x46, DMA_OUT = 0x4a, DMA_VERIFY = 0x42 };

typedef struct Bench {
    Fixture *f;
    InputQueue *input;
    Device *fdc;
    Drive *drive;
    IrqSpy *irq;
    char *path;
} Bench;

/* Sector n of an image is full of n, modulo 251. */
static char *make_image(unsigned kib)
{
    char *path = g_build_filename(g_get_tmp_dir(), "mimus-fdc-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    uint8_t sector[512];

    assert_true(fd >= 0);
    for (unsigned n = 0; n < kib * 2; n++) {
        memset(sector, n % 251, 512);
        assert_int_equal(write(fd, sector, 512), 512);
    }
    close(fd);
    return path;
}

static Drive *make_drive(Bench *b, bool read_only)
{
    ImageOpen how = { .path = b->path, .format = "raw", .read_only = read_only };
    DriveWiring w = { .image = b->path ? image_open(&how, NULL) : NULL,
                      .read_only = read_only,
                      .removable = true,
                      .clock = b->f->clock,
                      .input = b->input,
                      .counted = true };

    w.size = w.image ? image_size(w.image) : 0;
    return drive_new(b->f->root, "floppy0", &w);
}

static void start(Bench *b, Fixture *f, unsigned kib, bool read_only)
{
    Device *dma;

    *b = (Bench){ .f = f, .path = kib ? make_image(kib) : NULL };
    b->input = input_queue_new();
    b->irq = fixture_spy(f);
    dma = i8237_new(f->root, &f->io_root, f->memory);
    b->fdc = fdc_new(f->root, &f->io_root, &b->irq->irq, dma);
    b->drive = make_drive(b, read_only);
    fdc_attach(b->fdc, 0, b->drive);
    fixture_start(f);
}

static void stop(Bench *b)
{
    device_unrealize(b->f->root);
    input_queue_free(b->input);
    if (b->path)
        unlink(b->path);
    g_free(b->path);
}

/* Channel 2: @len bytes at DATA. */
static void set_dma(Fixture *f, uint8_t mode, unsigned len)
{
    fixture_outb(f, 0x0a, 6);
    fixture_outb(f, 0x0c, 0);
    fixture_outb(f, 0x0b, mode);
    fixture_outb(f, 0x04, DATA & 0xff);
    fixture_outb(f, 0x04, DATA >> 8);
    fixture_outb(f, 0x05, len - 1);
    fixture_outb(f, 0x05, (len - 1) >> 8);
    fixture_outb(f, 0x81, 0);
    fixture_outb(f, 0x0a, 2);
}

static void send(Fixture *f, const char *bytes)
{
    unsigned value;
    int n;

    for (; sscanf(bytes, "%x%n", &value, &n) == 1; bytes += n) {
        assert_int_equal(fixture_inb(f, MSR) & 0xc0, 0x80);
        fixture_outb(f, FIFO, value);
    }
}

static void check_result(Fixture *f, const char *expected)
{
    g_autoptr(GString) got = g_string_new("");

    while ((fixture_inb(f, MSR) & 0xc0) == 0xc0)
        g_string_append_printf(got, "%s%02x", got->len ? " " : "", fixture_inb(f, FIFO));
    assert_string_equal(got->str, expected);
    assert_int_equal(fixture_inb(f, MSR), 0x80);
}

static void enable(Bench *b)
{
    Fixture *f = b->f;

    fixture_outb(f, DOR, 0);
    assert_int_equal(fixture_inb(f, MSR), 0);
    spy_take_rises(b->irq);
    fixture_outb(f, DOR, 0x1c);
    assert_int_equal(spy_take_rises(b->irq), 1);
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *news = g_strdup_printf("%02x 00", 0xc0 | i);
        send(f, "08");
        check_result(f, news);
    }
    send(f, "08"); /* no more news */
    check_result(f, "80");
    send(f, "03 df 02");
}

/* What it takes until the interrupt. */
static void run(Bench *b, const char *bytes)
{
    spy_take_rises(b->irq);
    send(b->f, bytes);
    fixture_advance(b->f, LONG_NS);
    assert_int_equal(b->irq->level, 1);
}

typedef struct Row {
    unsigned kib;
    bool read_only;
    uint8_t rate, mode;
    unsigned len; /* of the DMA */
    const char *command, *result;
    int first, last; /* sectors that are then at DATA and in the last part of it; -1: nothing is */
} Row;

static const Row rows[] = {
    /* formats, first and last sectors of their tracks */
    { 1440, false, 0, DMA_IN, 512, "e6 00 00 00 01 02 12 1b ff", "00 00 00 00 00 02 02", 0, 0 },
    { 1440, false, 0, DMA_IN, 9216, "e6 00 00 00 01 02 12 1b ff", "00 00 00 00 01 01 02", 0, 17 },
    { 1440, false, 0, DMA_IN, 18432, "e6 00 00 00 01 02 12 1b ff", "04 00 00 01 00 01 02", 0, 35 },
    { 1440, false, 0, DMA_IN, 512, "e6 04 00 01 12 02 12 1b ff", "04 00 00 01 00 01 02", 35, 35 },
    { 720, false, 2, DMA_IN, 512, "e6 00 00 00 09 02 09 2a ff", "00 00 00 00 01 01 02", 8, 8 },
    { 2880, false, 3, DMA_IN, 512, "e6 00 00 00 24 02 24 1b ff", "00 00 00 00 01 01 02", 35, 35 },
    { 360, false, 1, DMA_IN, 512, "e6 00 00 00 09 02 09 2a ff", "00 00 00 00 01 01 02", 8, 8 },
    { 160, false, 1, DMA_IN, 512, "46 00 00 00 08 02 08 2a ff", "00 00 00 01 00 01 02", 7, 7 },
    { 1200, false, 0, DMA_IN, 512, "46 00 00 00 0f 02 0f 2a ff", "00 00 00 01 00 01 02", 14, 14 },
    /* the count ends in the middle of a sector */
    { 1440, false, 0, DMA_IN, 700, "46 00 00 00 01 02 12 1b ff", "00 00 00 00 00 03 02", 0, 1 },
    /* no terminal count by the end of the track */
    { 1440, false, 0, DMA_IN, 2048, "46 00 00 00 12 02 12 1b ff", "40 80 00 01 00 01 02", 17, -1 },
    /* wrong: rate, cylinder, sector, side, size of sectors, direction of DMA */
    { 1440, false, 2, DMA_IN, 512, "e6 00 00 00 01 02 12 1b ff", "40 01 00 00 00 01 02", -1, -1 },
    { 1440, false, 0, DMA_IN, 512, "e6 00 05 00 01 02 12 1b ff", "40 04 10 05 00 01 02", -1, -1 },
    { 1440, false, 0, DMA_IN, 512, "e6 00 00 00 13 02 12 1b ff", "40 04 00 00 00 13 02", -1, -1 },
    { 1440, false, 0, DMA_IN, 512, "e6 00 00 00 00 02 12 1b ff", "40 04 00 00 00 00 02", -1, -1 },
    { 160, false, 1, DMA_IN, 512, "e6 04 00 01 01 02 08 1b ff", "44 01 00 00 01 01 02", -1, -1 },
    { 1440, false, 0, DMA_IN, 512, "e6 00 00 00 01 03 12 1b ff", "40 04 00 00 00 01 02", -1, -1 },
    { 1440, false, 0, DMA_OUT, 512, "e6 00 00 00 01 02 12 1b ff", "40 10 00 00 00 01 02", -1, -1 },
    /* no disk, no drive */
    { 0, false, 0, DMA_IN, 512, "e6 00 00 00 01 02 12 1b ff", "40 01 00 00 00 01 02", -1, -1 },
    { 1440, false, 0, DMA_IN, 512, "e6 01 00 00 01 02 12 1b ff", "41 01 00 00 00 01 02", -1, -1 },
    /* whole tracks, deleted data, checks */
    { 1440, false, 0, DMA_IN, 1024, "42 00 00 00 05 02 12 1b ff", "00 00 00 00 00 03 02", 0, 1 },
    { 1440, false, 0, DMA_IN, 512, "4c 00 00 00 03 02 12 1b ff", "40 00 40 00 00 04 02", 2, 2 },
    { 1440, false, 0, DMA_VERIFY, 512, "e6 00 00 00 01 02 12 1b ff", "00 00 00 00 00 02 02", -1,
      -1 },
    { 1440, false, 0, DMA_VERIFY, 512, "56 00 00 00 01 02 12 1b ff", "00 00 00 01 00 01 02", -1,
      -1 },
    { 1440, false, 0, DMA_VERIFY, 512, "56 00 00 00 01 02 13 1b ff", "40 04 00 00 00 13 02", -1,
      -1 },
    { 1440, true, 0, DMA_OUT, 512, "c5 00 00 00 01 02 12 1b ff", "40 02 00 00 00 01 02", -1, -1 },
    { 1440, false, 0, DMA_IN, 512, "4a 00", "00 00 00 00 00 01 02", -1, -1 },
    { 1440, false, 2, DMA_IN, 512, "4a 00", "40 01 00 00 00 01 02", -1, -1 },
};

static void check_sector(Fixture *f, unsigned at, int n, unsigned len)
{
    for (unsigned i = 0; i < len; i += 64)
        assert_int_equal(f->ram_block->host[DATA + at + i], n < 0 ? 0xee : n % 251);
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *r = &rows[i];
        Bench b;

        fixture_setup(state);
        Fixture *f = *state;
        f->roundtrip = false;
        start(&b, f, r->kib, r->read_only);
        enable(&b);
        memset(f->ram_block->host + DATA, 0xee, 20000);
        fixture_outb(f, DIR_CCR, r->rate);
        set_dma(f, r->mode, r->len);
        send(f, "07 00");
        send(f, "08");
        check_result(f, "20 00");
        f->roundtrip = true;
        run(&b, r->command);
        check_result(f, r->result);
        f->roundtrip = false;
        check_sector(f, 0, r->first, MIN(r->len, 512));
        if (r->last >= 0)
            check_sector(f, (r->len - 1) & ~511u, r->last, r->len - ((r->len - 1) & ~511u));
        check_sector(f, r->len, -1, 64);
        stop(&b);
        fixture_teardown(state);
    }
    fixture_setup(state);
}

static void prepare(Bench *b, void **state, unsigned kib)
{
    start(b, *state, kib, false);
    b->f->roundtrip = false;
    enable(b);
}

static void test_write_and_scan(void **state)
{
    Bench b;

    prepare(&b, state, 1440);
    for (unsigned i = 0; i < 1024; i++)
        b.f->ram_block->host[DATA + i] = i * 7;
    set_dma(b.f, DMA_OUT, 1024);
    run(&b, "c5 00 00 00 04 02 12 1b ff");
    check_result(b.f, "00 00 00 00 00 06 02");
    set_dma(b.f, DMA_OUT, 1024); /* the same again, compared */
    run(&b, "51 00 00 00 04 02 04 1b 01");
    check_result(b.f, "00 00 08 00 00 04 02");
    set_dma(b.f, DMA_OUT, 512); /* another sector */
    run(&b, "51 00 00 00 06 02 06 1b 01");
    check_result(b.f, "00 00 04 01 00 01 02");
    memset(b.f->ram_block->host + DATA, 0, 2048);
    set_dma(b.f, DMA_IN, 1024);
    run(&b, "46 00 00 00 04 02 12 1b ff");
    check_result(b.f, "00 00 00 00 00 06 02");
    for (unsigned i = 0; i < 1024; i++)
        assert_int_equal(b.f->ram_block->host[DATA + i], (i * 7) & 0xff);
    stop(&b);
}

static void test_format(void **state)
{
    Bench b;

    prepare(&b, state, 1440);
    for (unsigned i = 0; i < 18; i++)
        memcpy(b.f->ram_block->host + DATA + i * 4, (uint8_t[]){ 0, 0, i + 1, 2 }, 4);
    set_dma(b.f, DMA_OUT, 18 * 4);
    run(&b, "4d 00 02 12 54 f6");
    check_result(b.f, "00 00 00 00 00 12 02");
    set_dma(b.f, DMA_IN, 512);
    run(&b, "46 00 00 00 12 02 12 1b ff");
    check_result(b.f, "00 00 00 01 00 01 02");
    assert_int_equal(b.f->ram_block->host[DATA + 511], 0xf6);
    stop(&b);
}

/* Bytes through the data register. */
static void test_without_dma(void **state)
{
    Bench b;

    prepare(&b, state, 1440);
    send(b.f, "03 df 03");
    run(&b, "46 00 00 00 12 02 12 1b ff");
    assert_int_equal(fixture_inb(b.f, MSR), 0xf0);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(fixture_inb(b.f, FIFO), 17);
    check_result(b.f, "40 80 00 01 00 01 02");
    run(&b, "45 00 00 00 12 02 12 1b ff");
    assert_int_equal(fixture_inb(b.f, MSR), 0xb0);
    for (unsigned i = 0; i < 512; i++)
        fixture_outb(b.f, FIFO, i);
    fixture_advance(b.f, LONG_NS);
    check_result(b.f, "40 80 00 01 00 01 02");
    run(&b, "46 00 00 00 12 02 12 1b ff");
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(fixture_inb(b.f, FIFO), i & 0xff);
    stop(&b);
}

static void test_small_commands(void **state)
{
    static const struct {
        const char *command, *result;
    } commands[] = {
        { "10", "90" },        { "18", "80" },
        { "94", "10" },        { "14", "00" },
        { "04 00", "38" },     { "04 05", "2d" },
        { "12 84", "" },       { "0e", "00 00 00 00 df 02 00 04 20 00" },
        { "13 00 57 10", "" }, { "0e", "00 00 00 00 df 02 00 04 57 10" },
        { "0f 00 05", "" },    { "08", "20 05" },
        { "cf 00 03", "" },    { "08", "20 08" },
        { "8f 00 09", "" },    { "08", "20 00" },
        { "07 01", "" },       { "08", "71 00" },
        { "04 00", "38" },     { "ff", "80" },
    };
    Bench b;

    prepare(&b, state, 1440);
    b.f->roundtrip = true;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        send(b.f, commands[i].command);
        check_result(b.f, commands[i].result);
    }
    stop(&b);
}

static void test_change(void **state)
{
    ImageOpen how = { .format = "raw", .read_only = true };
    g_autoptr(GError) error = NULL;
    char *other;
    Bench b;

    prepare(&b, state, 1440);
    other = make_image(720);
    assert_int_equal(fixture_inb(b.f, DIR_CCR), 0x80);
    send(b.f, "0f 00 01"); /* a step with a disk: known */
    send(b.f, "08");
    check_result(b.f, "20 01");
    assert_int_equal(fixture_inb(b.f, DIR_CCR), 0);
    send(b.f, "e6 00 01 00 01 02 12 1b ff"); /* it goes away under a transfer */
    assert_true(drive_eject(b.drive, false, &error));
    check_result(b.f, "40 01 00 01 00 01 02");
    assert_int_equal(fixture_inb(b.f, DIR_CCR), 0x80);
    send(b.f, "0f 00 02");
    send(b.f, "08");
    check_result(b.f, "20 02");
    assert_int_equal(fixture_inb(b.f, DIR_CCR), 0x80);
    assert_false(drive_has_medium(b.drive));
    how.path = other;
    assert_true(drive_insert(b.drive, &how, false, &error));
    assert_int_equal(drive_sectors(b.drive), 1440);
    assert_string_equal(drive_path(b.drive), other);
    send(b.f, "07 00");
    send(b.f, "08");
    check_result(b.f, "20 00");
    fixture_outb(b.f, DIR_CCR, 2);
    b.f->roundtrip = true;
    set_dma(b.f, DMA_IN, 512);
    run(&b, "e6 00 00 00 02 02 09 1b ff");
    check_result(b.f, "00 00 00 00 00 03 02");
    assert_int_equal(b.f->ram_block->host[DATA], 1);
    how.path = "/nowhere/at/all";
    assert_false(drive_insert(b.drive, &how, false, &error));
    assert_true(drive_has_medium(b.drive));
    stop(&b);
    unlink(other);
    g_free(other);
}

static void test_abuse(void **state)
{
    Bench b;

    prepare(&b, state, 1440);
    for (uint32_t seed = 0; seed < 40; seed++) {
        fixture_outb(b.f, DOR, 0x1c);
        fixture_abuse(b.f, b.f->io, 0x3f0, 6, 200, seed);
        fixture_abuse(b.f, b.f->io, 0, 16, 20, seed);
        fixture_advance(b.f, LONG_NS);
    }
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_rows),        hw_test(test_write_and_scan), hw_test(test_format),
        hw_test(test_without_dma), hw_test(test_small_commands), hw_test(test_change),
        hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
