/* SPDX-License-Identifier: MIT */
/* Flash: command sequences, what reads show after them, what the image keeps. */
#include "tests/hw/fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hw/pflash.h"

#define BASE 0xffc00000u
#define SIZE 0x10000

typedef struct Bench {
    Fixture *f;
    RamBlock *ram;
    char *path;
} Bench;

static void start(Bench *b, Fixture *f, bool read_only)
{
    g_autofree uint8_t *data = g_malloc(SIZE);
    Device *flash;

    *b = (Bench){ .f = f, .path = g_build_filename(g_get_tmp_dir(), "mimus-flash-XXXXXX", NULL) };
    close(g_mkstemp(b->path));
    for (unsigned i = 0; i < SIZE; i++)
        data[i] = i * 5;
    assert_true(g_file_set_contents(b->path, (char *)data, SIZE, NULL));
    ImageOpen how = { .path = b->path, .format = "raw", .read_only = read_only };
    b->ram = ram_block_new(f->ram, "flash", SIZE, NULL);
    memcpy(b->ram->host, data, SIZE);
    flash = pflash_new(f->root, b->ram, image_open(&how, NULL), read_only);
    memory_add(&f->memory_root, BASE, 0, pflash_region(flash));
    fixture_start(f);
}

static void stop(Bench *b)
{
    device_unrealize(b->f->root);
    unlink(b->path);
    g_free(b->path);
}

/* "40:10 40=a5": writes and what reads show, at offsets in hexadecimal. */
static void run(Bench *b, const char *script)
{
    unsigned at, value;
    char kind;
    int n;

    for (; sscanf(script, "%x%c%x%n", &at, &kind, &value, &n) == 3; script += n) {
        if (kind == ':')
            fixture_write(b->f, BASE + at, value, 1);
        else
            assert_int_equal(fixture_read(b->f, BASE + at, 1), value);
    }
}

static void check_image(const Bench *b)
{
    g_autofree char *data = NULL;
    gsize len;

    assert_true(g_file_get_contents(b->path, &data, &len, NULL));
    assert_memory_equal(data, b->ram->host, SIZE);
}

static const char *const rows[] = {
    "0=0 1=5 ff:ff 1=5",
    "1:70 1=0 1:ff 1=5",                 /* a cleared status is 0 */
    "33:10 33:0f 33=80 33:ff 33=f 34=4", /* programming makes zeros only */
    "33:40 33:f0 33:50 33=f0",           /* clearing the status is the array again */
    "1234:20 1234:d0 0=80 0:ff 1000=ff 1fff=ff fff=fb 2000=0", /* one block is erased */
    "1000:20 1000:ff 0=b0 0:50 1000=0",                        /* no confirmation, no erasure */
    "0:90 0=89 1=18 2=0 0:ff 0=0",
    "55:98 10=51 11=52 12=59 27=10 2d=f 2f=10 0:ff",
    "20:e8 20=80 20:3 1000:20 1000:d0 0:ff", /* a buffer of four is not full: stray bytes fill it */
    "2000:e8 2000:1 2000:0 2001:0 2000:d0 0=80 0:ff 2000=0 2001=0 2002=a",
    "2000:e8 2000:0 2010:0 2000:ff 0=b0 0:50 2010=50", /* not confirmed */
    "5:60 5:d0 5=80 5:ff 5=19",
    "0:37 1=5",                                               /* no such command */
    "ffff:e8 ffff:3 ffff:0 0:0 0:0 0:0 0:d0 0:ff ffff=0 0=0", /* it ends where the flash does */
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Bench b;

        fixture_setup(state);
        start(&b, *state, false);
        run(&b, rows[i]);
        check_image(&b);
        stop(&b);
        fixture_teardown(state);
    }
    fixture_setup(state);
}

static void test_read_only(void **state)
{
    Bench b;

    start(&b, *state, true);
    run(&b, "33:10 33:0 33=92 33:ff 33=ff 0:50 1000:20 1000:d0 0=a2 0:ff 1000=0");
    check_image(&b);
    stop(&b);
}

static void test_abuse(void **state)
{
    Bench b;

    start(&b, *state, false);
    b.f->roundtrip = false;
    for (uint32_t seed = 0; seed < 30; seed++)
        fixture_abuse(b.f, b.f->memory, BASE, SIZE, 1000, seed);
    check_image(&b);
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_rows),
        hw_test(test_read_only),
        hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
