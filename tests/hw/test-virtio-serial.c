/* SPDX-License-Identifier: MIT */
/* A driver in miniature of virtio consoles: control messages, both directions, what waits. */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/virtio-serial.h"
#include "softmmu/bytes.h"

#define BAR       0x10000000u
#define NOTIFY    (BAR + 0x3000)
#define RING(q)   (0x10000u + 0x1000 * (q)) /* descriptors, 0x400 driver's, 0x800 device's */
#define DATA(q)   (0x40000u + 0x1000 * (q))
#define QUEUES    6
#define SIZE      8
#define MULTIPORT 2

enum { READY = 0, ADD = 1, PORT_READY = 3, CONSOLE = 4, OPEN = 6, NAME = 7 };
enum { CONTROL_IN = 2, CONTROL_OUT = 3, PORT1_IN = 4, PORT1_OUT = 5 };

typedef struct Bench {
    Fixture *f;
    PciBus *bus;
    IrqSpy *irq;
    Irq pirq[4];
    GByteArray *console, *port;
    Chardev *chr[2];
    unsigned made[QUEUES];
} Bench;

static void set_up_queue(Bench *b, unsigned q)
{
    fixture_write(b->f, BAR + 0x16, q, 2);
    fixture_write(b->f, BAR + 0x18, SIZE, 2);
    fixture_write(b->f, BAR + 0x20, RING(q), 4);
    fixture_write(b->f, BAR + 0x28, RING(q) + 0x400, 4);
    fixture_write(b->f, BAR + 0x30, RING(q) + 0x800, 4);
    fixture_write(b->f, BAR + 0x1c, 1, 2);
}

static void start(Bench *b, Fixture *f, uint32_t features)
{
    Device *dev;

    *b = (Bench){ .f = f, .console = g_byte_array_new(), .port = g_byte_array_new() };
    b->chr[0] = chardev_new_memory(b->console);
    b->chr[1] = chardev_new_memory(b->port);
    b->bus = pci_bus_new(f->root, &f->memory_root, &f->io_root);
    b->irq = fixture_spy(f);
    for (unsigned i = 0; i < 4; i++)
        b->pirq[i] = b->irq->irq;
    pci_bus_set_pirq(b->bus, b->pirq);
    dev = virtio_serial_new(b->bus, PCI_DEVFN(4, 0), f->memory);
    assert_true(virtio_serial_add_port(dev, -1, true, NULL, b->chr[0]));
    assert_true(virtio_serial_add_port(dev, -1, false, "a name", b->chr[1]));
    assert_false(virtio_serial_add_port(dev, 1, false, "taken", NULL));
    assert_false(virtio_serial_add_port(dev, 99, false, "beyond", NULL));
    fixture_start(f);
    pci_config_write(b->bus, 0, PCI_DEVFN(4, 0), PCI_BAR0 + 16, BAR, 4);
    pci_config_write(b->bus, 0, PCI_DEVFN(4, 0), PCI_COMMAND, 6, 2);
    fixture_write(f, BAR + 0x14, 3, 1);
    fixture_write(f, BAR + 0x08, 0, 4);
    fixture_write(f, BAR + 0x0c, features, 4);
    fixture_write(f, BAR + 0x08, 1, 4);
    fixture_write(f, BAR + 0x0c, 1, 4); /* version 1 */
    fixture_write(f, BAR + 0x14, 11, 1);
    for (unsigned q = 0; q < QUEUES; q++)
        set_up_queue(b, q);
    fixture_write(f, BAR + 0x14, 15, 1);
}

static void stop(Bench *b)
{
    device_unrealize(b->f->root);
    chardev_free(b->chr[0]);
    chardev_free(b->chr[1]);
    g_byte_array_unref(b->console);
    g_byte_array_unref(b->port);
}

/* A buffer of @len bytes at DATA(@q) + @at. */
static void offer(Bench *b, unsigned q, unsigned at, uint32_t len, bool in)
{
    unsigned n = b->made[q] % SIZE;

    fixture_write(b->f, RING(q) + 16 * n, DATA(q) + at, 8);
    fixture_write(b->f, RING(q) + 16 * n + 8, len, 4);
    fixture_write(b->f, RING(q) + 16 * n + 12, in ? 2 : 0, 4);
    fixture_write(b->f, RING(q) + 0x404 + 2 * n, n, 2);
    fixture_write(b->f, RING(q) + 0x402, ++b->made[q], 2);
    fixture_write(b->f, NOTIFY + 4 * q, q, 2);
}

static unsigned used(Bench *b, unsigned q)
{
    return fixture_read(b->f, RING(q) + 0x802, 2);
}

static void control(Bench *b, uint32_t port, uint16_t event, uint16_t value)
{
    fixture_write(b->f, DATA(CONTROL_OUT), port | (uint64_t)event << 32 | (uint64_t)value << 48, 8);
    offer(b, CONTROL_OUT, 0, 8, false);
}

/* The device's @n-th control message. */
static void expect(Bench *b, unsigned n, uint32_t port, uint16_t event, uint16_t value)
{
    assert_true(used(b, CONTROL_IN) > n);
    assert_int_equal(fixture_read(b->f, DATA(CONTROL_IN) + 0x80 * n, 8),
                     port | (uint64_t)event << 32 | (uint64_t)value << 48);
}

static void open_ports(Bench *b)
{
    control(b, 0, READY, 1);
    for (unsigned i = 0; i < SIZE; i++) /* what was said before waits for these */
        offer(b, CONTROL_IN, 0x80 * i, 0x80, true);
    control(b, 0, PORT_READY, 1);
    control(b, 1, PORT_READY, 1);
    control(b, 0, OPEN, 1);
    control(b, 1, OPEN, 1);
}

static void test_control(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(&b, f, MULTIPORT);
    assert_int_equal(fixture_read(f, BAR + 0x2004, 4), VIRTIO_SERIAL_PORTS);
    open_ports(&b);
    expect(&b, 0, 0, ADD, 1);
    expect(&b, 1, 1, ADD, 1);
    expect(&b, 2, 0, CONSOLE, 1);
    expect(&b, 3, 0, OPEN, 1);
    expect(&b, 4, 1, NAME, 1);
    assert_int_equal(fixture_read(f, RING(CONTROL_IN) + 0x804 + 8 * 4 + 4, 4), 8 + 6);
    assert_int_equal(fixture_read(f, DATA(CONTROL_IN) + 0x80 * 4 + 8, 4), 0x616e2061); /* "a na" */
    expect(&b, 5, 1, OPEN, 1);
    assert_int_equal(used(&b, CONTROL_IN), 6);
    control(&b, 3, PORT_READY, 1); /* there is none */
    control(&b, 1234567, OPEN, 1);
    control(&b, 0, 99, 1);
    assert_int_equal(used(&b, CONTROL_IN), 6);
    stop(&b);
}

static void test_data(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(&b, f, MULTIPORT);
    open_ports(&b);
    fixture_write(f, DATA(1), 0x6f6c6c6568, 8); /* "hello" */
    offer(&b, 1, 0, 5, false);
    assert_int_equal(b.console->len, 5);
    assert_memory_equal(b.console->data, "hello", 5);
    fixture_write(f, DATA(PORT1_OUT), 0x216f, 8);
    offer(&b, PORT1_OUT, 0, 2, false);
    assert_memory_equal(b.port->data, "o!", 2);
    chardev_memory_input(b.chr[1], "abcdef", 6); /* nowhere to go yet */
    fixture_roundtrip(f);
    offer(&b, PORT1_IN, 0, 4, true);
    assert_int_equal(used(&b, PORT1_IN), 1);
    assert_int_equal(fixture_read(f, DATA(PORT1_IN), 4), 0x64636261);
    offer(&b, PORT1_IN, 8, 4, true);
    assert_int_equal(fixture_read(f, RING(PORT1_IN) + 0x804 + 8 + 4, 4), 2);
    assert_int_equal(fixture_read(f, DATA(PORT1_IN) + 8, 2), 0x6665);
    assert_int_equal(used(&b, 0), 0);
    stop(&b);
}

/* Nothing is taken from the host for a port that the guest has not opened. */
static void test_closed(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(&b, f, MULTIPORT);
    open_ports(&b);
    control(&b, 1, OPEN, 0);
    offer(&b, PORT1_IN, 0, 4, true);
    chardev_memory_input(b.chr[1], "x", 1);
    assert_int_equal(used(&b, PORT1_IN), 0);
    control(&b, 1, OPEN, 1);
    assert_int_equal(used(&b, PORT1_IN), 1);
    stop(&b);
}

/* A driver that knows no control has a console all the same. */
static void test_plain_console(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(&b, f, 0);
    offer(&b, 0, 0, 16, true);
    chardev_memory_input(b.chr[0], "in", 2);
    assert_int_equal(used(&b, 0), 1);
    assert_int_equal(fixture_read(f, DATA(0), 2), 0x6e69);
    stop(&b);
}

static void test_abuse(void **state)
{
    Fixture *f = *state;
    Bench b;

    start(&b, f, MULTIPORT);
    for (unsigned i = 0; i < 300; i++)
        control(&b, i % 7, i % 11, i % 3);
    fixture_abuse(f, f->memory, BAR, 0x40, 500, 3);
    for (unsigned q = 0; q < QUEUES; q++)
        fixture_write(f, NOTIFY + 4 * q, q, 2);
    chardev_memory_input(b.chr[0], "still there", 11);
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_control),       hw_test(test_data),  hw_test(test_closed),
        hw_test(test_plain_console), hw_test(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
