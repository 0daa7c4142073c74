/* SPDX-License-Identifier: MIT */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/serial16550.h"

enum { RBR = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };

typedef struct Bench {
    GByteArray *out;
    Chardev *chr;
    IrqSpy *irq;
} Bench;

static void start(Fixture *f, Bench *b)
{
    b->out = g_byte_array_new();
    b->chr = chardev_new_memory(b->out);
    b->irq = fixture_spy(f);
    serial16550_new(f->root, &f->io_root, 0x3f8, f->clock, &b->irq->irq, b->chr);
    fixture_start(f);
}

static void stop(Fixture *f, Bench *b)
{
    device_unrealize(f->root);
    chardev_free(b->chr);
    g_byte_array_unref(b->out);
}

static void type(Bench *b, const char *text)
{
    chardev_memory_input(b->chr, text, strlen(text));
}

static void test_reset_values(void **state)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } rows[] = { { IER, 0 },    { IIR, 1 },    { LCR, 0 }, { MCR, 0 },
                 { LSR, 0x60 }, { MSR, 0xb0 }, { SCR, 0 } };
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    for (int i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_int_equal(fixture_inb(f, rows[i].port), rows[i].value);
    stop(f, &b);
}

/* The probes an operating system identifies a 16550A by. */
static void test_identification(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, IER, 0xff);
    assert_int_equal(fixture_inb(f, IER), 0x0f);
    fixture_outb(f, IER, 0);
    fixture_outb(f, MCR, 0x1a);
    assert_int_equal(fixture_inb(f, MSR) & 0xf0, 0x90);
    fixture_outb(f, MCR, 0);
    fixture_outb(f, 0x3fa, 0x01);
    assert_int_equal(fixture_inb(f, IIR) >> 6, 3);
    fixture_outb(f, LCR, 0xbf);
    assert_int_not_equal(fixture_inb(f, 0x3fa), 0); /* no EFR of a 16650 */
    fixture_outb(f, LCR, 0x80);
    fixture_outb(f, RBR, 0x34);
    fixture_outb(f, IER, 0x12);
    assert_int_equal(fixture_inb(f, RBR), 0x34);
    assert_int_equal(fixture_inb(f, IER), 0x12);
    fixture_outb(f, LCR, 0x03);
    assert_int_equal(fixture_inb(f, IER), 0);
    fixture_outb(f, SCR, 0x5a);
    assert_int_equal(fixture_inb(f, SCR), 0x5a);
    stop(f, &b);
}

static void test_transmit(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, RBR, 'h');
    fixture_outb(f, RBR, 'i');
    assert_int_equal(b.out->len, 2);
    assert_memory_equal(b.out->data, "hi", 2);
    assert_int_equal(fixture_inb(f, LSR), 0x60);
    assert_int_equal(b.irq->rises, 0);
    stop(f, &b);
}

static void test_transmitter_empty_interrupt(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, MCR, 0x08);
    fixture_outb(f, IER, 0x02); /* enabling with an empty transmitter interrupts */
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(fixture_inb(f, IIR), 0x02);
    assert_int_equal(b.irq->level, 0); /* reading acknowledged it */
    assert_int_equal(fixture_inb(f, IIR), 0x01);
    fixture_outb(f, IER, 0x00);
    fixture_outb(f, IER, 0x02); /* and again */
    assert_int_equal(fixture_inb(f, IIR), 0x02);
    fixture_outb(f, RBR, 'x');
    assert_int_equal(b.irq->level, 1);
    fixture_outb(f, RBR, 'y'); /* each character gives an edge */
    assert_int_equal(b.irq->rises, 4);
    stop(f, &b);
}

static void test_out2_gates(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, IER, 0x02);
    assert_int_equal(b.irq->level, 0);
    fixture_outb(f, MCR, 0x08);
    assert_int_equal(b.irq->level, 1);
    stop(f, &b);
}

static void test_receive_without_fifo(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, MCR, 0x08);
    fixture_outb(f, IER, 0x01);
    type(&b, "ab");
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(fixture_inb(f, IIR), 0x04);
    assert_int_equal(fixture_inb(f, LSR), 0x61);
    assert_int_equal(fixture_inb(f, RBR), 'a');
    assert_int_equal(fixture_inb(f, LSR), 0x61); /* the back end had kept the second */
    assert_int_equal(fixture_inb(f, RBR), 'b');
    assert_int_equal(fixture_inb(f, LSR), 0x60);
    assert_int_equal(b.irq->level, 0);
    stop(f, &b);
}

static void test_fifo_trigger_and_timeout(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, LCR, 0x83);
    fixture_outb(f, RBR, 1); /* 115200 8n1: a character takes 86.8 us */
    fixture_outb(f, LCR, 0x03);
    fixture_outb(f, MCR, 0x08);
    fixture_outb(f, IER, 0x01);
    fixture_outb(f, 0x3fa, 0x81); /* trigger at 8 */
    type(&b, "1234567");
    assert_int_equal(b.irq->level, 0);
    fixture_advance(f, 340000);
    assert_int_equal(b.irq->level, 0);
    fixture_advance(f, 10000); /* four character times */
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(fixture_inb(f, IIR), 0xcc);
    assert_int_equal(fixture_inb(f, RBR), '1');
    assert_int_equal(b.irq->level, 0);
    type(&b, "89");
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(fixture_inb(f, IIR), 0xc4);
    assert_int_equal(fixture_inb(f, RBR), '2');
    assert_int_equal(b.irq->level, 0); /* below the trigger */
    fixture_outb(f, 0x3fa, 0x83);      /* clear the receiver */
    assert_int_equal(fixture_inb(f, LSR), 0x60);
    stop(f, &b);
}

static void test_fifo_takes_sixteen(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, 0x3fa, 0x01);
    type(&b, "0123456789abcdefXYZ");
    for (int i = 0; i < 19; i++)
        assert_int_equal(fixture_inb(f, RBR), "0123456789abcdefXYZ"[i]);
    assert_int_equal(fixture_inb(f, LSR), 0x60);
    stop(f, &b);
}

static void test_loopback(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, MCR, 0x1f);
    assert_int_equal(fixture_inb(f, MSR) & 0xf0, 0xf0);
    fixture_outb(f, RBR, 'q');
    assert_int_equal(b.out->len, 0);
    assert_int_equal(fixture_inb(f, LSR), 0x61);
    fixture_outb(f, RBR, 'r'); /* nobody took 'q' */
    assert_int_equal(fixture_inb(f, LSR), 0x63);
    assert_int_equal(fixture_inb(f, LSR), 0x61); /* the overrun is reported once */
    assert_int_equal(fixture_inb(f, RBR), 'r');
    fixture_outb(f, LCR, 0x40);
    assert_int_equal(fixture_inb(f, LSR), 0x71); /* a break */
    assert_int_equal(fixture_inb(f, RBR), 0);
    stop(f, &b);
}

static void test_modem_status_deltas(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, MCR, 0x10);
    assert_int_equal(fixture_inb(f, MSR), 0x0b); /* CTS, DSR, DCD fell */
    assert_int_equal(fixture_inb(f, MSR), 0x00);
    fixture_outb(f, MCR, 0x14);
    assert_int_equal(fixture_inb(f, MSR), 0x40); /* RI rose: no delta */
    fixture_outb(f, MCR, 0x10);
    assert_int_equal(fixture_inb(f, MSR), 0x04); /* its trailing edge */
    stop(f, &b);
}

static void test_line_status_first(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    fixture_outb(f, IER, 0x0f);
    fixture_outb(f, MCR, 0x10);
    fixture_outb(f, RBR, 'a');
    fixture_outb(f, RBR, 'b');
    assert_int_equal(fixture_inb(f, IIR), 0x06);
    fixture_inb(f, LSR);
    assert_int_equal(fixture_inb(f, IIR), 0x04);
    fixture_inb(f, RBR);
    assert_int_equal(fixture_inb(f, IIR), 0x02);
    assert_int_equal(fixture_inb(f, IIR), 0x00);
    fixture_inb(f, MSR);
    assert_int_equal(fixture_inb(f, IIR), 0x01);
    stop(f, &b);
}

static void test_abuse(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(f, &b);
    type(&b, "some input that waits");
    fixture_abuse(f, f->io, 0x3f8, 8, 2000, 1);
    stop(f, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_reset_values),
        hw_test(test_identification),
        hw_test(test_transmit),
        hw_test(test_transmitter_empty_interrupt),
        hw_test(test_out2_gates),
        hw_test(test_receive_without_fifo),
        hw_test(test_fifo_trigger_and_timeout),
        hw_test(test_fifo_takes_sixteen),
        hw_test(test_loopback),
        hw_test(test_modem_status_deltas),
        hw_test(test_line_status_first),
        hw_test(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
