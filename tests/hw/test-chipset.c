/* SPDX-License-Identifier: MIT */
/*
 * Interrupt controllers and timers wired as on the board, driven the way firmware and Linux drive
 * them: the boot-time checks that decide whether a kernel trusts its timers.
 */
#include "hw/apic.h"
#include "hw/gsi.h"
#include "hw/hpet.h"
#include "hw/i8254.h"
#include "hw/i8259.h"
#include "hw/ioapic.h"
#include "hw/mc146818.h"
#include "tests/hw/fake-cpus.h"
#include "tests/hw/fixture.h"

#define APIC   0xfee00000ull
#define IOAPIC 0xfec00000ull
#define HPET   0xfed00000ull
#define JIFFY  4000000 /* 250 Hz */

typedef struct Bench {
    Fixture *f;
    FakeCpus cpus;
    Device *apics, *pic, *ioapic, *gsi;
} Bench;

static Bench *start(void **state)
{
    Bench *b = test_calloc(1, sizeof(*b));
    Fixture *f = *state;
    const Irq *isa;

    b->f = f;
    fake_cpus_init(&b->cpus, f, 2);
    b->apics = apic_set_new(f->root, &b->cpus.bus, f->clock, &f->memory_root);
    b->pic = i8259_new(f->root, &f->io_root, apic_set_lint0(b->apics));
    apic_set_connect_extint(b->apics, i8259_inta, b->pic);
    b->ioapic = ioapic_new(f->root, &f->memory_root, IOAPIC, apic_set_bus(b->apics));
    apic_set_connect_eoi(b->apics, ioapic_eoi, b->ioapic);
    b->gsi = gsi_new(f->root, b->pic, b->ioapic);
    isa = gsi_lines(b->gsi, GSI_ISA);
    i8254_new(f->root, &f->io_root, f->clock, &isa[0]);
    mc146818_new(f->root, &f->io_root, f->clock, 1700000000, &isa[8]);
    hpet_new(f->root, &f->memory_root, HPET, f->clock, gsi_lines(b->gsi, GSI_HPET),
             gsi_legacy_replacement(b->gsi));
    fixture_start(f);
    return b;
}

static void out(Bench *b, const uint16_t *pairs, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fixture_outb(b->f, pairs[2 * i], pairs[2 * i + 1]);
}

static void init_pics(Bench *b)
{
    static const uint16_t init[] = { 0x21, 0xff, 0xa1, 0xff, 0x20, 0x11, 0x21, 0x30,
                                     0x21, 0x04, 0x21, 0x01, 0xa0, 0x11, 0xa1, 0x38,
                                     0xa1, 0x02, 0xa1, 0x01, 0x21, 0xfb, 0xa1, 0xff };

    out(b, init, G_N_ELEMENTS(init) / 2);
}

static void start_pit(Bench *b)
{
    static const uint16_t init[] = { 0x43, 0x34, 0x40, 4773 & 0xff, 0x40, 4773 >> 8 };

    out(b, init, 3);
}

static void apic(Bench *b, unsigned reg, uint32_t value)
{
    fixture_write(b->f, APIC + reg, value, 4);
}

static void redirect(Bench *b, unsigned pin, uint32_t low)
{
    fixture_write(b->f, IOAPIC, 0x10 + 2 * pin, 4);
    fixture_write(b->f, IOAPIC + 0x10, low, 4);
}

static int ack(Bench *b)
{
    fixture_roundtrip(b->f);
    return b->cpus.intr[0] ? apic_set_acknowledge(b->apics, 0) : -1;
}

static void test_pic_probe(void **state)
{
    Bench *b = start(state);

    fixture_outb(b->f, 0xa1, 0xff);
    fixture_outb(b->f, 0x21, 0xfb);
    assert_int_equal(fixture_inb(b->f, 0x21), 0xfb);
    test_free(b);
}

static void test_tick_through_virtual_wire(void **state)
{
    Bench *b = start(state);

    init_pics(b);
    apic(b, 0xf0, 0x1ff);
    apic(b, 0x350, 0x700);
    start_pit(b);
    fixture_outb(b->f, 0x21, 0xfa);
    assert_int_equal(ack(b), -1); /* initialisation forgot the line's level */
    for (unsigned i = 0; i < 10; i++) {
        fixture_advance(b->f, JIFFY + 10000);
        assert_int_equal(ack(b), 0x30);
        fixture_outb(b->f, 0x20, 0x60);
        assert_int_equal(ack(b), -1);
    }
    test_free(b);
}

/* The I/O APIC's timer check: ticks arrive at pin 2, and only once. */
static void test_tick_through_ioapic(void **state)
{
    Bench *b = start(state);

    init_pics(b);
    apic(b, 0xf0, 0x1ff);
    apic(b, 0x350, 0x10700);
    start_pit(b);
    redirect(b, 2, 0x30);
    for (unsigned i = 0; i < 10; i++) {
        fixture_advance(b->f, JIFFY + 10000);
        assert_int_equal(ack(b), 0x30);
        apic(b, 0xb0, 0);
        assert_int_equal(ack(b), -1);
    }
    test_free(b);
}

/* HPET takes the timer's line over; the PIT ticks on without being heard. */
static void test_handover_to_hpet(void **state)
{
    Bench *b = start(state);
    unsigned heard = 0;

    init_pics(b);
    apic(b, 0xf0, 0x1ff);
    apic(b, 0x350, 0x10700);
    start_pit(b);
    redirect(b, 2, 0x30);
    fixture_write(b->f, HPET + 0x10, 3, 4);
    for (unsigned i = 0; i < 5; i++) {
        uint32_t now = fixture_read(b->f, HPET + 0xf0, 4);

        fixture_write(b->f, HPET + 0x100, 0x104, 4);
        fixture_write(b->f, HPET + 0x108, now + 1000000, 4); /* 10 ms */
        for (unsigned ms = 0; ms < 20; ms++) {
            fixture_advance(b->f, 1000000);
            if (ack(b) == 0x30) {
                assert_int_equal(ms, 9);
                heard++;
                apic(b, 0xb0, 0);
            }
        }
    }
    assert_int_equal(heard, 5);
    test_free(b);
}

static void test_rtc_through_slave(void **state)
{
    static const uint16_t rtc[] = { 0x70, 0x0b, 0x71, 0x12, 0x70, 0x0c };
    Bench *b = start(state);

    init_pics(b);
    fixture_outb(b->f, 0xa1, 0xfe);
    out(b, rtc, 3);
    fixture_inb(b->f, 0x71);
    fixture_advance(b->f, NS_PER_SEC);
    assert_int_equal(ack(b), 0x38);
    assert_int_equal(fixture_inb(b->f, 0x71) & 0x90, 0x90);
    fixture_outb(b->f, 0xa0, 0x20);
    fixture_outb(b->f, 0x20, 0x20);
    assert_int_equal(ack(b), -1);
    fixture_advance(b->f, NS_PER_SEC);
    assert_int_equal(ack(b), 0x38);
    test_free(b);
}

/* The APIC timer measured against PIT periods: 1 GHz by 16. */
static void test_apic_timer_calibration(void **state)
{
    Bench *b = start(state);
    uint32_t first, last;

    init_pics(b);
    apic(b, 0xf0, 0x1ff);
    apic(b, 0x350, 0x10700);
    redirect(b, 2, 0x30);
    apic(b, 0x320, 0x100ec);
    apic(b, 0x3e0, 3);
    start_pit(b);
    apic(b, 0x380, 0xffffffff);
    fixture_advance(b->f, JIFFY + 10000);
    assert_int_equal(ack(b), 0x30);
    apic(b, 0xb0, 0);
    first = fixture_read(b->f, APIC + 0x390, 4);
    for (unsigned i = 0; i < 25; i++) {
        fixture_advance(b->f, JIFFY);
        assert_int_equal(ack(b), 0x30);
        apic(b, 0xb0, 0);
    }
    last = fixture_read(b->f, APIC + 0x390, 4);
    assert_int_equal(first - last, 25 * JIFFY / 16);
    test_free(b);
}

/* A machine reset in the middle of everything: all lines rest, nothing is pending. */
static void test_reset(void **state)
{
    Bench *b = start(state);

    init_pics(b);
    apic(b, 0xf0, 0x1ff);
    start_pit(b);
    redirect(b, 2, 0x30);
    fixture_write(b->f, HPET + 0x10, 3, 4);
    fixture_advance(b->f, 2 * JIFFY);
    fixture_reset(b->f);
    assert_int_equal(clock_deadline_ns(b->f->clock), CLOCK_NEVER);
    init_pics(b);
    assert_int_equal(ack(b), -1);
    test_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_pic_probe),
        hw_test(test_tick_through_virtual_wire),
        hw_test(test_tick_through_ioapic),
        hw_test(test_handover_to_hpet),
        hw_test(test_rtc_through_slave),
        hw_test(test_apic_timer_calibration),
        hw_test(test_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
