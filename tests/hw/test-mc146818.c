/* SPDX-License-Identifier: MIT */
/* The RTC: calendar in all formats, setting it, the three interrupts, CMOS memory. */
#include "hw/mc146818.h"

#include <stdio.h>

#include "tests/hw/fixture.h"

#define BASE_S 1709164799 /* 2024-02-28 23:59:59 UTC, a Wednesday in a leap year */

typedef struct Bench {
    Fixture *f;
    Device *rtc;
    IrqSpy *irq;
} Bench;

static Bench start(void **state)
{
    Bench b = { .f = *state };

    b.irq = fixture_spy(b.f);
    b.rtc = mc146818_new(b.f->root, &b.f->io_root, b.f->clock, BASE_S, &b.irq->irq);
    fixture_start(b.f);
    return b;
}

static uint8_t get(Bench *b, uint8_t reg)
{
    fixture_outb(b->f, 0x70, reg);
    return fixture_inb(b->f, 0x71);
}

static void put(Bench *b, uint8_t reg, uint8_t value)
{
    fixture_outb(b->f, 0x70, reg);
    fixture_outb(b->f, 0x71, value);
}

/* century year month day weekday hours minutes seconds */
static void assert_time(Bench *b, const char *expected)
{
    static const uint8_t regs[] = { 0x32, 9, 8, 7, 6, 4, 2, 0 };
    char text[64] = "";

    for (unsigned i = 0; i < sizeof(regs); i++)
        sprintf(text + 3 * i, "%02x%s", get(b, regs[i]), i == 7 ? "" : " ");
    assert_string_equal(text, expected);
}

static void test_calendar(void **state)
{
    Bench b = start(state);

    assert_time(&b, "20 24 02 28 04 23 59 59");
    fixture_advance(b.f, NS_PER_SEC);
    assert_time(&b, "20 24 02 29 05 00 00 00");
    fixture_advance(b.f, 86400 * NS_PER_SEC);
    assert_time(&b, "20 24 03 01 06 00 00 00");
    fixture_advance(b.f, 306 * 86400 * NS_PER_SEC - NS_PER_SEC);
    assert_time(&b, "20 24 12 31 03 23 59 59");
    fixture_advance(b.f, NS_PER_SEC);
    assert_time(&b, "20 25 01 01 04 00 00 00");
    put(&b, 0x0b, 0x06);
    assert_time(&b, "14 19 01 01 04 00 00 00"); /* binary */
}

static void test_hours(void **state)
{
    static const struct {
        unsigned hour;
        uint8_t bcd24, bcd12, bin12;
    } rows[] = {
        { 0, 0x00, 0x12, 12 },    { 1, 0x01, 0x01, 1 },     { 11, 0x11, 0x11, 11 },
        { 12, 0x12, 0x92, 0x8c }, { 13, 0x13, 0x81, 0x81 }, { 23, 0x23, 0x91, 0x8b },
    };
    Bench b = start(state);

    fixture_advance(b.f, NS_PER_SEC);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        put(&b, 0x0b, 0x02);
        put(&b, 4, rows[i].bcd24);
        put(&b, 0x0b, 0x00);
        assert_int_equal(get(&b, 4), rows[i].bcd12);
        put(&b, 4, rows[i].bcd12);
        put(&b, 0x0b, 0x04);
        assert_int_equal(get(&b, 4), rows[i].bin12);
        put(&b, 4, rows[i].bin12);
        put(&b, 0x0b, 0x06);
        assert_int_equal(get(&b, 4), rows[i].hour);
    }
}

static void hear_offset(void *opaque, int64_t offset_s)
{
    *(int64_t *)opaque = offset_s;
}

static void test_set(void **state)
{
    static const uint8_t values[][2] = { { 0x32, 0x19 }, { 9, 0x99 }, { 8, 0x12 }, { 7, 0x31 },
                                         { 6, 0x01 },    { 4, 0x23 }, { 2, 0x59 }, { 0, 0x58 } };
    Bench b = start(state);
    int64_t offset_s = 0;

    rtc_set_changed(b.rtc, hear_offset, &offset_s);
    put(&b, 0x0b, 0x82);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        put(&b, values[i][0], values[i][1]);
    fixture_advance(b.f, 10 * NS_PER_SEC); /* stands still */
    assert_time(&b, "19 99 12 31 01 23 59 58");
    assert_int_equal(get(&b, 0x0a) & 0x80, 0);
    assert_int_equal(offset_s, 0);
    put(&b, 0x0b, 0x02);
    assert_int_equal(offset_s, INT64_C(946684798) - (BASE_S + 10)); /* 1999-12-31 23:59:58 */
    fixture_advance(b.f, 2 * NS_PER_SEC);
    assert_time(&b, "20 00 01 01 02 00 00 00"); /* weekday as it was numbered */
    fixture_reset(b.f);
    assert_time(&b, "20 00 01 01 02 00 00 00"); /* battery */
}

static void test_update_in_progress(void **state)
{
    Bench b = start(state);

    fixture_advance(b.f, 999000000);
    assert_int_equal(get(&b, 0x0a), 0x26);
    fixture_advance(b.f, 900000);
    assert_int_equal(get(&b, 0x0a), 0xa6);
    assert_int_equal(get(&b, 0), 0x59);
    fixture_advance(b.f, 100000);
    assert_int_equal(get(&b, 0x0a), 0x26);
    assert_int_equal(get(&b, 0), 0x00);
}

static void test_update_interrupt(void **state)
{
    Bench b = start(state);

    get(&b, 0x0c);
    put(&b, 0x0b, 0x12);
    fixture_advance(b.f, 999999999);
    assert_int_equal(b.irq->level, 0);
    fixture_advance(b.f, 1);
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(get(&b, 0x0c) & 0x90, 0x90);
    assert_int_equal(b.irq->level, 0);
    assert_int_equal(get(&b, 0x0c), 0);
    fixture_advance(b.f, NS_PER_SEC);
    assert_int_equal(b.irq->level, 1);
}

static void test_periodic_interrupt(void **state)
{
    static const struct {
        uint8_t rate;
        unsigned hz;
    } rows[] = { { 1, 256 }, { 2, 128 }, { 3, 8192 }, { 6, 1024 }, { 15, 2 } };
    Bench b = start(state);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        put(&b, 0x0a, 0x20 | rows[i].rate);
        put(&b, 0x0b, 0x42);
        get(&b, 0x0c);
        spy_take_rises(b.irq);
        for (unsigned n = 0; n < 20; n++) {
            fixture_advance(b.f, NS_PER_SEC / rows[i].hz + 1);
            assert_int_equal(get(&b, 0x0c) & 0xc0, 0xc0);
        }
        assert_in_range(spy_take_rises(b.irq), 20, 20);
    }
    put(&b, 0x0a, 0x20);
    get(&b, 0x0c);
    fixture_advance(b.f, NS_PER_SEC);
    assert_int_equal(get(&b, 0x0c) & 0x40, 0);
}

static void test_alarm(void **state)
{
    Bench b = start(state);

    put(&b, 5, 0x06);
    put(&b, 3, 0x30);
    put(&b, 1, 0x15);
    put(&b, 0x0b, 0x22);
    get(&b, 0x0c);
    fixture_advance(b.f, (int64_t)(6 * 3600 + 30 * 60 + 15) * NS_PER_SEC);
    assert_int_equal(b.irq->level, 0); /* started a second before midnight */
    fixture_advance(b.f, NS_PER_SEC);
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(get(&b, 0x0c) & 0xa0, 0xa0);
    fixture_advance(b.f, 86400 * NS_PER_SEC);
    assert_int_equal(b.irq->level, 1);
}

static void test_alarm_wildcards(void **state)
{
    Bench b = start(state);

    put(&b, 5, 0xff);
    put(&b, 3, 0xc0);
    put(&b, 1, 0x10);
    put(&b, 0x0b, 0x22);
    get(&b, 0x0c);
    fixture_advance(b.f, 11 * NS_PER_SEC);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(get(&b, 0x0c) & 0x20, 0x20);
        assert_int_equal(b.irq->level, 0);
        fixture_advance(b.f, 60 * NS_PER_SEC);
        assert_int_equal(b.irq->level, 1);
    }
    put(&b, 1, 0x99); /* never */
    get(&b, 0x0c);
    fixture_advance(b.f, 86400 * NS_PER_SEC);
    assert_int_equal(get(&b, 0x0c) & 0x20, 0);
}

static void test_flags_without_interrupts(void **state)
{
    Bench b = start(state);

    put(&b, 0x0b, 0x02);
    get(&b, 0x0c);
    fixture_advance(b.f, NS_PER_SEC);
    assert_int_equal(get(&b, 0x0c), 0x70); /* midnight, where the alarm is set at first */
    assert_int_equal(b.irq->rises, 0);
}

static void test_cmos(void **state)
{
    Bench b = start(state);

    rtc_set_cmos(b.rtc, 0x5f, 3);
    assert_int_equal(get(&b, 0x5f), 3);
    put(&b, 0x0f, 0xfe);
    put(&b, 0x8f + 0, 0x05); /* bit 7 is the NMI gate, not the index */
    assert_int_equal(get(&b, 0x0f), 0x05);
    fixture_reset(b.f);
    assert_int_equal(get(&b, 0x5f), 3);
    assert_int_equal(get(&b, 0x0d), 0x80);
    assert_int_equal(rtc_get_cmos(b.rtc, 0x0f), 0x05);
}

/* Reset does not touch the calendar, so the bench's round trips do not prove that it is saved. */
static void test_calendar_is_state(void **state)
{
    g_autoptr(GByteArray) saved = g_byte_array_new();
    Bench b = start(state);
    GError *error = NULL;

    fixture_advance(b.f, 1500000000);
    device_tree_save(b.f->root, saved);
    put(&b, 9, 0x77);
    put(&b, 0x0a, 0x70);
    put(&b, 0x0a, 0x26); /* moves the second as well */
    assert_true(device_tree_load(b.f->root, saved->data, saved->len, &error));
    assert_time(&b, "20 24 02 29 05 00 00 00");
    fixture_advance(b.f, 499999999);
    assert_int_equal(get(&b, 0), 0);
    fixture_advance(b.f, 1);
    assert_int_equal(get(&b, 0), 1);
}

static void test_abuse(void **state)
{
    Bench b = start(state);

    for (unsigned seed = 1; seed < 30; seed++)
        fixture_abuse(b.f, b.f->io, 0x70, 2, 500, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_calendar),
        hw_test(test_hours),
        hw_test(test_set),
        hw_test(test_update_in_progress),
        hw_test(test_update_interrupt),
        hw_test(test_periodic_interrupt),
        hw_test(test_alarm),
        hw_test(test_alarm_wildcards),
        hw_test(test_flags_without_interrupts),
        hw_test(test_cmos),
        hw_test(test_calendar_is_state),
        hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
