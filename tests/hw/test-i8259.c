/* SPDX-License-Identifier: MIT */
/* The 8259 pair: initialisation, priorities, EOI, special modes, levels, spurious requests. */
#include "hw/i8259.h"
#include "tests/hw/fixture.h"

typedef struct Bench {
    Fixture *f;
    Device *pic;
    IrqSpy *intr;
} Bench;

static void init_chip(Fixture *f, uint16_t port, uint8_t base, uint8_t icw3, uint8_t icw4)
{
    fixture_outb(f, port, 0x11);
    fixture_outb(f, port + 1, base);
    fixture_outb(f, port + 1, icw3);
    fixture_outb(f, port + 1, icw4);
}

static Bench start(void **state)
{
    Bench b = { .f = *state };

    b.intr = fixture_spy(b.f);
    b.pic = i8259_new(b.f->root, &b.f->io_root, &b.intr->irq);
    fixture_start(b.f);
    init_chip(b.f, 0x20, 0x30, 4, 1);
    init_chip(b.f, 0xa0, 0x38, 2, 1);
    return b;
}

static void set(Bench *b, unsigned n, int level)
{
    fixture_set_irq(b->f, i8259_input(b->pic, n), level);
}

static void pulse(Bench *b, unsigned n)
{
    set(b, n, 1);
    set(b, n, 0);
}

static int ack(Bench *b)
{
    if (b->f->roundtrip)
        fixture_roundtrip(b->f);
    return i8259_acknowledge(b->pic);
}

static void test_vectors(void **state)
{
    Bench b = start(state);

    for (unsigned n = 0; n < 16; n++) {
        if (n == 2)
            continue;
        assert_int_equal(b.intr->level, 0);
        pulse(&b, n);
        assert_int_equal(b.intr->level, 1);
        assert_int_equal(ack(&b), 0x30 + n);
        assert_int_equal(b.intr->level, 0);
        if (n >= 8)
            fixture_outb(b.f, 0xa0, 0x20);
        fixture_outb(b.f, 0x20, 0x20);
    }
}

static void test_mask(void **state)
{
    Bench b = start(state);

    fixture_outb(b.f, 0x21, 0xfb);
    fixture_outb(b.f, 0xa1, 0xff);
    assert_int_equal(fixture_inb(b.f, 0x21), 0xfb);
    pulse(&b, 4);
    pulse(&b, 12);
    assert_int_equal(b.intr->level, 0);
    fixture_outb(b.f, 0x21, 0xeb);
    assert_int_equal(ack(&b), 0x34);
    fixture_outb(b.f, 0x20, 0x20);
    fixture_outb(b.f, 0xa1, 0xef);
    assert_int_equal(ack(&b), 0x3c);
}

static void test_nesting(void **state)
{
    Bench b = start(state);

    pulse(&b, 4);
    assert_int_equal(ack(&b), 0x34);
    pulse(&b, 5);
    assert_int_equal(b.intr->level, 0); /* lower: waits */
    pulse(&b, 1);
    assert_int_equal(ack(&b), 0x31); /* higher: interrupts */
    fixture_outb(b.f, 0x20, 0x0b);
    assert_int_equal(fixture_inb(b.f, 0x20), 0x12);
    fixture_outb(b.f, 0x20, 0x20); /* ends 1 */
    assert_int_equal(fixture_inb(b.f, 0x20), 0x10);
    assert_int_equal(b.intr->level, 0);
    fixture_outb(b.f, 0x20, 0x64); /* specific: ends 4 */
    assert_int_equal(ack(&b), 0x35);
    fixture_outb(b.f, 0x20, 0x0a);
    assert_int_equal(fixture_inb(b.f, 0x20), 0);
}

static void test_slave_blocks_master(void **state)
{
    Bench b = start(state);

    pulse(&b, 12);
    assert_int_equal(ack(&b), 0x3c);
    pulse(&b, 8); /* higher on the slave, but IR2 is in service */
    assert_int_equal(b.intr->level, 0);
    pulse(&b, 1);
    assert_int_equal(ack(&b), 0x31);
    fixture_outb(b.f, 0x20, 0x20);
    fixture_outb(b.f, 0x20, 0x20);
    assert_int_equal(ack(&b), 0x38);
}

static void test_special_fully_nested(void **state)
{
    Bench b = start(state);

    init_chip(b.f, 0x20, 0x30, 4, 0x11);
    pulse(&b, 12);
    assert_int_equal(ack(&b), 0x3c);
    pulse(&b, 8);
    assert_int_equal(ack(&b), 0x38);
}

static void test_auto_eoi(void **state)
{
    Bench b = start(state);

    init_chip(b.f, 0x20, 0x30, 4, 3);
    pulse(&b, 4);
    pulse(&b, 5);
    assert_int_equal(ack(&b), 0x34);
    assert_int_equal(ack(&b), 0x35);
    fixture_outb(b.f, 0x20, 0x0b);
    assert_int_equal(fixture_inb(b.f, 0x20), 0);
}

static void test_rotate(void **state)
{
    Bench b = start(state);

    pulse(&b, 0);
    assert_int_equal(ack(&b), 0x30);
    fixture_outb(b.f, 0x20, 0xa0); /* rotate on non-specific EOI: 0 is lowest */
    pulse(&b, 0);
    pulse(&b, 7);
    assert_int_equal(ack(&b), 0x37);
    fixture_outb(b.f, 0x20, 0x67);
    fixture_outb(b.f, 0x20, 0xc7); /* set priority: 7 is lowest */
    pulse(&b, 7);
    assert_int_equal(ack(&b), 0x30);
}

static void test_special_mask(void **state)
{
    Bench b = start(state);

    pulse(&b, 3);
    assert_int_equal(ack(&b), 0x33);
    pulse(&b, 6);
    assert_int_equal(b.intr->level, 0);
    fixture_outb(b.f, 0x21, 0x08);
    fixture_outb(b.f, 0x20, 0x68); /* special mask on: masked 3 inhibits no more */
    assert_int_equal(ack(&b), 0x36);
    fixture_outb(b.f, 0x20, 0x20); /* passes over masked 3 */
    fixture_outb(b.f, 0x20, 0x0b);
    assert_int_equal(fixture_inb(b.f, 0x20), 0x08);
    fixture_outb(b.f, 0x20, 0x48);
    fixture_outb(b.f, 0x20, 0x20);
    assert_int_equal(fixture_inb(b.f, 0x20), 0x00);
}

static void test_poll(void **state)
{
    Bench b = start(state);

    fixture_outb(b.f, 0x20, 0x0c);
    assert_int_equal(fixture_inb(b.f, 0x20), 0);
    pulse(&b, 5);
    fixture_outb(b.f, 0x20, 0x0c);
    assert_int_equal(fixture_inb(b.f, 0x20), 0x85);
    assert_int_equal(b.intr->level, 0);
    fixture_outb(b.f, 0x20, 0x0b);
    assert_int_equal(fixture_inb(b.f, 0x20), 0x20);
}

static void test_level(void **state)
{
    Bench b = start(state);

    fixture_outb(b.f, 0x4d0, 0xff);
    fixture_outb(b.f, 0x4d1, 0x0c);
    assert_int_equal(fixture_inb(b.f, 0x4d0), 0xf8); /* 0, 1, 2 are edges for ever */
    assert_int_equal(fixture_inw(b.f, 0x4d0), 0x0cf8);
    set(&b, 10, 1);
    assert_int_equal(ack(&b), 0x3a);
    fixture_outb(b.f, 0xa0, 0x20);
    fixture_outb(b.f, 0x20, 0x20);
    assert_int_equal(ack(&b), 0x3a); /* still asserted: again */
    set(&b, 10, 0);
    fixture_outb(b.f, 0xa0, 0x20);
    fixture_outb(b.f, 0x20, 0x20);
    assert_int_equal(b.intr->level, 0);
}

static void test_line_stays_high(void **state)
{
    Bench b = start(state);

    set(&b, 5, 1);
    assert_int_equal(ack(&b), 0x35);
    fixture_outb(b.f, 0x20, 0x20);
    set(&b, 5, 1); /* no edge */
    assert_int_equal(b.intr->level, 0);
    fixture_outb(b.f, 0x4d0, 0x20); /* but a level */
    assert_int_equal(b.intr->level, 1);
    fixture_outb(b.f, 0x4d0, 0x00);
    assert_int_equal(b.intr->level, 0);
}

static void test_single_without_icw3(void **state)
{
    Bench b = start(state);

    fixture_outb(b.f, 0x20, 0x13);
    fixture_outb(b.f, 0x21, 0x40);
    fixture_outb(b.f, 0x21, 0x01);
    fixture_outb(b.f, 0x21, 0xef); /* the mask already */
    assert_int_equal(fixture_inb(b.f, 0x21), 0xef);
    pulse(&b, 4);
    assert_int_equal(ack(&b), 0x44);
}

static void test_rotate_on_auto_eoi(void **state)
{
    Bench b = start(state);

    init_chip(b.f, 0x20, 0x30, 4, 3);
    fixture_outb(b.f, 0x20, 0x80);
    pulse(&b, 0);
    assert_int_equal(ack(&b), 0x30);
    pulse(&b, 0);
    pulse(&b, 7);
    assert_int_equal(ack(&b), 0x37);
    assert_int_equal(ack(&b), 0x30);
    fixture_outb(b.f, 0x20, 0x00);
    pulse(&b, 1);
    assert_int_equal(ack(&b), 0x31);
    pulse(&b, 1);
    pulse(&b, 2 + 1);
    assert_int_equal(ack(&b), 0x31); /* 0 is the lowest, as the last rotation left it */
}

static void test_spurious(void **state)
{
    Bench b = start(state);

    assert_int_equal(ack(&b), 0x37);
    fixture_outb(b.f, 0x20, 0x0b);
    assert_int_equal(fixture_inb(b.f, 0x20), 0); /* no trace in ISR */
    fixture_outb(b.f, 0x4d1, 0x0c);
    set(&b, 10, 1);
    set(&b, 10, 0); /* a level goes away before INTA */
    assert_int_equal(b.intr->level, 0);
    assert_int_equal(ack(&b), 0x37);
}

static void test_edge_is_needed_after_init(void **state)
{
    Bench b = start(state);

    set(&b, 1, 1);
    init_chip(b.f, 0x20, 0x30, 4, 1);
    assert_int_equal(b.intr->level, 0);
    set(&b, 1, 0);
    set(&b, 1, 1);
    assert_int_equal(ack(&b), 0x31);
}

static void test_abuse(void **state)
{
    Bench b = start(state);

    for (unsigned seed = 1; seed < 20; seed++) {
        fixture_abuse(b.f, b.f->io, 0x20, 2, 200, seed);
        fixture_abuse(b.f, b.f->io, 0xa0, 2, 200, seed + 100);
        fixture_abuse(b.f, b.f->io, 0x4d0, 2, 20, seed);
        irq_pulse(i8259_input(b.pic, seed % 16 == 2 ? 3 : seed % 16));
        i8259_acknowledge(b.pic);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_vectors),
        hw_test(test_mask),
        hw_test(test_nesting),
        hw_test(test_slave_blocks_master),
        hw_test(test_special_fully_nested),
        hw_test(test_auto_eoi),
        hw_test(test_rotate),
        hw_test(test_special_mask),
        hw_test(test_poll),
        hw_test(test_level),
        hw_test(test_line_stays_high),
        hw_test(test_single_without_icw3),
        hw_test(test_rotate_on_auto_eoi),
        hw_test(test_spurious),
        hw_test(test_edge_is_needed_after_init),
        hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
