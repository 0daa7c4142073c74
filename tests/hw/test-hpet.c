/* SPDX-License-Identifier: MIT */
/* The HPET: counter, comparators in every mode, routing, register widths. */
#include "hw/hpet.h"
#include "tests/hw/fixture.h"

#define BASE HPET_DEFAULT_BASE

typedef struct Bench {
    Fixture *f;
    IrqSpy *gsi[24], *legacy;
    Irq lines[24];
} Bench;

static void start(Bench *b, void **state)
{
    *b = (Bench){ .f = *state };
    fixture_spy_array(b->f, 24, b->gsi, b->lines);
    b->legacy = fixture_spy(b->f);
    hpet_new(b->f->root, &b->f->memory_root, BASE, b->f->clock, b->lines, &b->legacy->irq);
    fixture_start(b->f);
}

static void put(Bench *b, unsigned reg, uint64_t value)
{
    fixture_write(b->f, BASE + reg, value, 8);
}

static uint64_t get(Bench *b, unsigned reg)
{
    return fixture_read(b->f, BASE + reg, 8);
}

static void test_capabilities(void **state)
{
    Bench b;

    start(&b, state);
    assert_int_equal(get(&b, 0), 0x009896808086a201ull);
    assert_int_equal(fixture_read(b.f, BASE, 4), 0x8086a201);
    assert_int_equal(fixture_read(b.f, BASE + 4, 4), 10000000);
    put(&b, 0, 0);
    assert_int_equal(fixture_read(b.f, BASE + 2, 2), 0x8086);
    assert_int_equal(get(&b, 0x100), 0x0000000400000030ull);
    put(&b, 0x110, 0x123456789abcdef0ull);
    assert_int_equal(get(&b, 0x110), 0x123456789abcdef0ull);
    assert_int_equal(get(&b, 0x130), 0);
}

static void test_counter(void **state)
{
    Bench b;

    start(&b, state);
    fixture_advance(b.f, 1000);
    assert_int_equal(get(&b, 0xf0), 0);
    put(&b, 0x10, 1);
    fixture_advance(b.f, 12345);
    assert_int_equal(get(&b, 0xf0), 1234);
    put(&b, 0x10, 0);
    fixture_advance(b.f, 5000);
    assert_int_equal(get(&b, 0xf0), 1234);
    fixture_write(b.f, BASE + 0xf4, 0x12, 4); /* high half alone */
    assert_int_equal(get(&b, 0xf0), 0x12000004d2ull);
    put(&b, 0x10, 1);
    fixture_advance(b.f, 100);
    assert_int_equal(get(&b, 0xf0), 0x12000004dcull);
}

static void test_one_shot_legacy(void **state)
{
    Bench b;

    start(&b, state);
    put(&b, 0x10, 3);
    assert_int_equal(b.legacy->level, 1);
    put(&b, 0x100, 0x104); /* enabled, 32 bits, edge */
    put(&b, 0x108, 500);
    fixture_advance(b.f, 4999);
    assert_int_equal(b.gsi[0]->rises, 0);
    fixture_advance(b.f, 1);
    assert_int_equal(b.gsi[0]->rises, 1);
    fixture_advance(b.f, 1000000);
    assert_int_equal(b.gsi[0]->rises, 1);
    put(&b, 0x128, 200000);
    put(&b, 0x120, 0x104);
    fixture_advance(b.f, 1000000);
    assert_int_equal(b.gsi[8]->rises, 1); /* timer 1: the RTC's line */
    put(&b, 0x10, 1);
    assert_int_equal(b.legacy->level, 0);
}

/* The comparator of a 32-bit timer comes round: 2^32 ticks are 42.9 s. */
static void test_wrap(void **state)
{
    Bench b;

    start(&b, state);
    put(&b, 0x10, 3);
    put(&b, 0x100, 0x104);
    fixture_advance(b.f, 10000);
    put(&b, 0x108, 999); /* one tick late */
    fixture_advance(b.f, 42 * NS_PER_SEC);
    assert_int_equal(b.gsi[0]->rises, 0);
    fixture_advance(b.f, NS_PER_SEC);
    assert_int_equal(b.gsi[0]->rises, 1);
}

/* As Linux sets it: value with "set value", then the period. */
static void test_periodic(void **state)
{
    Bench b;

    start(&b, state);
    put(&b, 0x10, 3);
    fixture_advance(b.f, 1000);
    put(&b, 0x100, 0x14c);
    put(&b, 0x108, 1100);
    assert_int_equal(get(&b, 0x100) & 0x40, 0);
    put(&b, 0x108, 2000);
    fixture_advance(b.f, 9999);
    assert_int_equal(b.gsi[0]->rises, 0);
    fixture_advance(b.f, 1);
    for (unsigned i = 1; i < 10; i++) {
        assert_int_equal(b.gsi[0]->rises, i);
        assert_int_equal(get(&b, 0x108), 1100 + 2000 * i);
        fixture_advance(b.f, 19999);
        assert_int_equal(b.gsi[0]->rises, i);
        fixture_advance(b.f, 1);
    }
}

static void test_level(void **state)
{
    Bench b;

    start(&b, state);
    put(&b, 0x10, 1);
    put(&b, 0x140, 0x406); /* timer 2 to pin 2, level */
    put(&b, 0x148, 1000);
    fixture_advance(b.f, 10000);
    assert_int_equal(b.gsi[2]->level, 1);
    assert_int_equal(get(&b, 0x20), 4);
    put(&b, 0x20, 3);
    assert_int_equal(b.gsi[2]->level, 1);
    put(&b, 0x20, 4);
    assert_int_equal(b.gsi[2]->level, 0);
    put(&b, 0x148, 5000);
    fixture_advance(b.f, 100000);
    assert_int_equal(b.gsi[2]->level, 1);
    put(&b, 0x10, 0); /* all off */
    assert_int_equal(b.gsi[2]->level, 0);
    put(&b, 0x140, 0x2c04); /* route 22 is not offered */
    put(&b, 0x10, 1);
    put(&b, 0x148, 20000);
    fixture_advance(b.f, 1000000);
    for (unsigned i = 0; i < 24; i++)
        assert_int_equal(b.gsi[i]->level, 0);
}

static void test_short_period_does_not_hang(void **state)
{
    Bench b;

    start(&b, state);
    b.f->roundtrip = false;
    put(&b, 0x10, 3);
    put(&b, 0x100, 0x4c);
    put(&b, 0x108, 1);
    fixture_advance(b.f, NS_PER_SEC / 1000);
    assert_in_range(b.gsi[0]->rises, 100, 1001);
}

static void test_abuse(void **state)
{
    Bench b;

    start(&b, state);
    for (unsigned seed = 1; seed < 40; seed++)
        fixture_abuse(b.f, b.f->memory, BASE, 0x400, 500, seed);
    for (unsigned seed = 1; seed < 40; seed++)
        fixture_abuse(b.f, b.f->memory, BASE + 0xf0, 0x80, 500, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_capabilities),
        hw_test(test_counter),
        hw_test(test_one_shot_legacy),
        hw_test(test_wrap),
        hw_test(test_periodic),
        hw_test(test_level),
        hw_test(test_short_period_does_not_hang),
        hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
