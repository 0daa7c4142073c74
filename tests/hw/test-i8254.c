/* SPDX-License-Identifier: MIT */
/* The PIT: outputs and counts of each mode, edges of IRQ 0, latches, the gate in port 0x61. */
#include "hw/i8254.h"
#include "tests/hw/fixture.h"

#define TICK 838 /* ns, rounded down */

typedef struct Bench {
    Fixture *f;
    Device *pit;
    IrqSpy *irq;
} Bench;

static Bench start(void **state)
{
    Bench b = { .f = *state };

    b.irq = fixture_spy(b.f);
    b.pit = i8254_new(b.f->root, &b.f->io_root, b.f->clock, &b.irq->irq);
    fixture_start(b.f);
    return b;
}

static void program(Fixture *f, uint8_t control, uint16_t count)
{
    unsigned n = control >> 6;

    fixture_outb(f, 0x43, control);
    fixture_outb(f, 0x40 + n, count);
    fixture_outb(f, 0x40 + n, count >> 8);
}

static void to_tick(Fixture *f, uint64_t tick)
{
    int64_t ns = clock_ticks_to_ns(tick, I8254_HZ);

    while (clock_ns_to_ticks(ns, I8254_HZ) < tick)
        ns++;
    fixture_advance(f, ns - clock_now_ns(f->clock));
}

static uint16_t count_of(Fixture *f, unsigned n)
{
    uint16_t v;

    fixture_outb(f, 0x43, n << 6);
    v = fixture_inb(f, 0x40 + n);
    return v | fixture_inb(f, 0x40 + n) << 8;
}

static uint8_t status_of(Fixture *f, unsigned n)
{
    fixture_outb(f, 0x43, 0xe0 | 2u << n);
    return fixture_inb(f, 0x40 + n);
}

/* Output of channel 2 tick by tick from the first count on, as the data sheet draws it. */
static void test_waveforms(void **state)
{
    static const struct {
        unsigned mode, count;
        const char *out; /* from the tick after the write */
        bool trigger;    /* give the gate a rising edge */
    } rows[] = {
        { 0, 4, "0000111111", false },   { 1, 3, "00011111", true },
        { 2, 3, "110110110110", false }, { 3, 4, "110011001100", false },
        { 3, 5, "111001110011", false }, { 4, 3, "1110111111", false },
        { 5, 3, "1110111111", true },
    };
    Bench b = start(state);
    uint64_t tick = 100;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        fixture_outb(b.f, 0x61, rows[i].trigger ? 0 : 1);
        tick += 50;
        to_tick(b.f, tick);
        program(b.f, 0xb0 | rows[i].mode << 1, rows[i].count);
        if (rows[i].trigger)
            fixture_outb(b.f, 0x61, 1);
        for (unsigned n = 0; rows[i].out[n]; n++) {
            to_tick(b.f, ++tick);
            if ((fixture_inb(b.f, 0x61) >> 5 & 1) != rows[i].out[n] - '0')
                fail_msg("mode %u count %u: tick %u", rows[i].mode, rows[i].count, n);
            assert_int_equal(status_of(b.f, 2) >> 7, rows[i].out[n] - '0');
        }
    }
}

static void test_rate_generator_interrupts(void **state)
{
    Bench b = start(state);

    program(b.f, 0x34, 11932); /* 100 Hz, as Linux sets it */
    spy_take_rises(b.irq);
    to_tick(b.f, 11932);
    assert_int_equal(spy_take_rises(b.irq), 0);
    to_tick(b.f, 11933);
    assert_int_equal(spy_take_rises(b.irq), 1);
    for (unsigned i = 2; i <= 20; i++) {
        to_tick(b.f, 11932 * i);
        assert_int_equal(spy_take_rises(b.irq), 0);
        to_tick(b.f, 11932 * i + 1);
        assert_int_equal(spy_take_rises(b.irq), 1);
    }
    b.f->roundtrip = false;
    fixture_advance(b.f, 10 * NS_PER_SEC);
    assert_in_range(spy_take_rises(b.irq), 999, 1001);
}

static void test_one_shot_interrupt(void **state)
{
    Bench b = start(state);

    program(b.f, 0x30, 1000);
    assert_int_equal(b.irq->level, 0);
    to_tick(b.f, 1000);
    assert_int_equal(b.irq->level, 0);
    to_tick(b.f, 1001);
    assert_int_equal(b.irq->level, 1);
    to_tick(b.f, 200000);
    assert_int_equal(spy_take_rises(b.irq), 2); /* reset left it high: that was one */
    program(b.f, 0x30, 1000);
    assert_int_equal(b.irq->level, 0);
    program(b.f, 0x34, 1000); /* rests high in mode 2 */
    assert_int_equal(b.irq->level, 1);
}

/* Linux's one-shot mode: software triggered strobe, reloaded without a control word. */
static void test_strobe_interrupts(void **state)
{
    Bench b = start(state);
    uint64_t tick = 0;

    fixture_outb(b.f, 0x43, 0x38);
    spy_take_rises(b.irq);
    for (unsigned i = 0; i < 5; i++) {
        fixture_outb(b.f, 0x40, 0xe8);
        fixture_outb(b.f, 0x40, 0x03);
        to_tick(b.f, tick + 1001);
        assert_int_equal(spy_take_rises(b.irq), 0);
        to_tick(b.f, tick + 1002);
        assert_int_equal(spy_take_rises(b.irq), 1);
        to_tick(b.f, tick += 5000);
        assert_int_equal(spy_take_rises(b.irq), 0);
    }
}

static void test_new_count_waits_for_the_period(void **state)
{
    Bench b = start(state);

    program(b.f, 0x34, 1000);
    to_tick(b.f, 301);
    fixture_outb(b.f, 0x40, 500 & 0xff);
    fixture_outb(b.f, 0x40, 500 >> 8);
    assert_int_equal(status_of(b.f, 0) & 0x40, 0x40);
    spy_take_rises(b.irq);
    to_tick(b.f, 1000);
    assert_int_equal(spy_take_rises(b.irq), 0);
    to_tick(b.f, 1001);
    assert_int_equal(spy_take_rises(b.irq), 1);
    assert_int_equal(status_of(b.f, 0) & 0x40, 0);
    to_tick(b.f, 1501);
    assert_int_equal(spy_take_rises(b.irq), 1);
}

static void test_counts(void **state)
{
    Bench b = start(state);

    program(b.f, 0x34, 1000);
    to_tick(b.f, 1);
    assert_int_equal(count_of(b.f, 0), 1000);
    to_tick(b.f, 101);
    assert_int_equal(count_of(b.f, 0), 900);
    to_tick(b.f, 1001);
    assert_int_equal(count_of(b.f, 0), 1000);
    program(b.f, 0x36, 1000); /* mode 3 goes down by two */
    to_tick(b.f, 1102);
    assert_int_equal(count_of(b.f, 0), 800);
    program(b.f, 0x31, 0x1000); /* BCD */
    to_tick(b.f, 1102 + 2);
    assert_int_equal(count_of(b.f, 0), 0x0999);
    program(b.f, 0x30, 10); /* mode 0 wraps */
    to_tick(b.f, 1104 + 1 + 12);
    assert_int_equal(count_of(b.f, 0), 0xfffe);
}

static void test_latches(void **state)
{
    Bench b = start(state);

    program(b.f, 0x34, 1000);
    to_tick(b.f, 101);
    fixture_outb(b.f, 0x43, 0xc2); /* read-back: status and count of 0 */
    to_tick(b.f, 201);
    fixture_outb(b.f, 0x43, 0x00); /* already latched: ignored */
    assert_int_equal(fixture_inb(b.f, 0x40), 0xb4);
    assert_int_equal(fixture_inb(b.f, 0x40), 900 & 0xff);
    assert_int_equal(fixture_inb(b.f, 0x40), 900 >> 8);
    assert_int_equal(fixture_inb(b.f, 0x40), 800 & 0xff); /* live again */
    assert_int_equal(fixture_inb(b.f, 0x40), 800 >> 8);
}

static void test_byte_access(void **state)
{
    Bench b = start(state);

    fixture_outb(b.f, 0x43, 0x14); /* low byte only */
    fixture_outb(b.f, 0x40, 200);
    to_tick(b.f, 1);
    assert_int_equal(fixture_inb(b.f, 0x40), 200);
    fixture_outb(b.f, 0x43, 0x24); /* high byte only */
    fixture_outb(b.f, 0x40, 2);
    to_tick(b.f, 2);
    assert_int_equal(fixture_inb(b.f, 0x40), 2);
}

/* The PIT side of TSC calibration: gate up, count down to the output. */
static void test_gate(void **state)
{
    Bench b = start(state);

    fixture_outb(b.f, 0x61, 0);
    program(b.f, 0xb0, 500);
    to_tick(b.f, 400);
    assert_int_equal(fixture_inb(b.f, 0x61) & 0x21, 0);
    fixture_outb(b.f, 0x61, 1);
    to_tick(b.f, 600);
    fixture_outb(b.f, 0x61, 0); /* pause after 200 */
    assert_int_equal(count_of(b.f, 2), 300);
    to_tick(b.f, 5000);
    assert_int_equal(count_of(b.f, 2), 300);
    fixture_outb(b.f, 0x61, 1);
    to_tick(b.f, 5299);
    assert_int_equal(fixture_inb(b.f, 0x61) & 0x20, 0);
    to_tick(b.f, 5300);
    assert_int_equal(fixture_inb(b.f, 0x61) & 0x20, 0x20);
}

static void test_refresh_bit_toggles(void **state)
{
    Bench b = start(state);
    unsigned toggles = 0, last = 0;

    for (unsigned i = 0; i < 200; i++) {
        unsigned bit = fixture_inb(b.f, 0x61) >> 4 & 1;

        toggles += bit != last;
        last = bit;
        fixture_advance(b.f, 2 * TICK);
    }
    assert_in_range(toggles, 21, 23);
}

static void test_speaker(void **state)
{
    Bench b = start(state);

    program(b.f, 0xb6, 1193);
    assert_int_equal(i8254_speaker_mhz(b.pit), 0);
    fixture_outb(b.f, 0x61, 0xff);
    assert_int_equal(fixture_inb(b.f, 0x61) & 0xcf, 0x0f);
    assert_int_equal(i8254_speaker_mhz(b.pit), 1000152);
}

static void test_shortest_period_does_not_hang(void **state)
{
    Bench b = start(state);

    b.f->roundtrip = false;
    program(b.f, 0x34, 1);
    fixture_advance(b.f, NS_PER_SEC / 100);
    assert_in_range(spy_take_rises(b.irq), 100, 2000);
}

static void test_abuse(void **state)
{
    Bench b = start(state);

    for (unsigned seed = 1; seed < 20; seed++) {
        fixture_abuse(b.f, b.f->io, 0x40, 4, 500, seed);
        fixture_abuse(b.f, b.f->io, 0x61, 1, 50, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_waveforms),
        hw_test(test_rate_generator_interrupts),
        hw_test(test_one_shot_interrupt),
        hw_test(test_strobe_interrupts),
        hw_test(test_new_count_waits_for_the_period),
        hw_test(test_counts),
        hw_test(test_latches),
        hw_test(test_byte_access),
        hw_test(test_gate),
        hw_test(test_refresh_bit_toggles),
        hw_test(test_speaker),
        hw_test(test_shortest_period_does_not_hang),
        hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
