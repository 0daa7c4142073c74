/* SPDX-License-Identifier: MIT */
/* The NE2000 on PCI as drivers work it: address, sending, the ring of received frames. */
#include "tests/hw/nic-bench.h"

#include <string.h>

#include "hw/ne2k-pci.h"

#define IO    0xc000
#define DATA  (IO + 0x10)
#define RESET (IO + 0x1f)
#define FIRST 0x46 /* page of the ring; transmission begins at 0x40 */
#define LAST  0x60 /* … and after it */

static void set(NicBench *b, unsigned reg, uint8_t value)
{
    fixture_outb(b->f, IO + reg, value);
}

static uint8_t get(NicBench *b, unsigned reg)
{
    return fixture_inb(b->f, IO + reg);
}

static void set_up(NicBench *b)
{
    set(b, 0, 0x21);
    set(b, 0xe, 0x49);
    set(b, 0xc, 0x04); /* broadcasts, and what is for it */
    set(b, 0xd, 0x00);
    set(b, 1, FIRST);
    set(b, 2, LAST);
    set(b, 3, FIRST);
    set(b, 7, 0xff);
    set(b, 0xf, 0x3f);
    set(b, 0, 0x61);
    for (unsigned i = 0; i < 6; i++)
        set(b, 1 + i, nic_mac[i]);
    set(b, 7, FIRST + 1);
    set(b, 0, 0x22);
}

static void start(NicBench *b, Fixture *f)
{
    nic_bench_start(b, f);
    ne2k_pci_new(b->bus, NIC_DEVFN, f->memory, b->cable, nic_mac);
    fixture_start(f);
    pci_config_write(b->bus, 0, NIC_DEVFN, PCI_BAR0, IO, 4);
    pci_config_write(b->bus, 0, NIC_DEVFN, PCI_COMMAND, 1, 2);
}

/* @len bytes of the card's memory from @at on. */
static void begin_dma(NicBench *b, uint16_t at, uint16_t len, bool write)
{
    set(b, 0, 0x22);
    set(b, 0xa, len);
    set(b, 0xb, len >> 8);
    set(b, 8, at);
    set(b, 9, at >> 8);
    set(b, 0, write ? 0x12 : 0x0a);
}

static void test_address(void **state)
{
    NicBench b;

    start(&b, *state);
    fixture_inb(b.f, RESET);
    assert_int_equal(get(&b, 7), 0x80);
    assert_int_equal(get(&b, 0xa), 'P');
    assert_int_equal(get(&b, 0xb), 'C');
    begin_dma(&b, 0, 32, false);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(fixture_inw(b.f, DATA), nic_mac[i] * 0x101);
    for (unsigned i = 6; i < 14; i++)
        assert_int_equal(fixture_inw(b.f, DATA), 0);
    assert_int_equal(get(&b, 7) & 0x40, 0);
    assert_int_equal(fixture_inl(b.f, DATA), 0x57575757);
    assert_int_equal(get(&b, 7) & 0x40, 0x40); /* all that was asked for */
    nic_bench_stop(&b);
}

static void test_sends(void **state)
{
    const uint8_t *frame;
    size_t len;
    NicBench b;

    start(&b, *state);
    set_up(&b);
    begin_dma(&b, 0x4000, 61, true);
    for (unsigned i = 0; i < 15; i++)
        fixture_outl(b.f, DATA, 0x03020100 + 0x04040404 * i);
    fixture_outb(b.f, DATA, 0xee);
    fixture_outb(b.f, DATA, 0xff); /* one too many */
    set(&b, 7, 0x40);
    set(&b, 4, 0x40);
    set(&b, 5, 61);
    set(&b, 6, 0);
    set(&b, 0, 0x26);
    assert_int_equal(b.sent->len, 1);
    frame = nic_bench_sent(&b, 0, &len);
    assert_int_equal(len, 61);
    for (unsigned i = 0; i < 60; i++)
        assert_int_equal(frame[i], i);
    assert_int_equal(frame[60], 0xee);
    assert_int_equal(get(&b, 4), 1);
    assert_int_equal(get(&b, 7), 2);
    assert_int_equal(b.irq->level, 1);
    set(&b, 7, 2);
    assert_int_equal(b.irq->level, 0);
    nic_bench_stop(&b);
}

static void arrive(NicBench *b, const uint8_t *to, uint8_t fill, size_t len)
{
    uint8_t frame[NET_MAX_FRAME];

    memset(frame, fill, len);
    memcpy(frame, to, 6);
    if (b->f->roundtrip)
        fixture_roundtrip(b->f);
    net_post(b->cable, frame, len);
    input_deliver(b->input, true, 0);
}

static unsigned current(NicBench *b)
{
    unsigned page;

    set(b, 0, 0x62);
    page = get(b, 7);
    set(b, 0, 0x22);
    return page;
}

/* The frame at page @at, as the driver takes it: header, then bytes around the end of the ring. */
static void check_frame(NicBench *b, unsigned at, unsigned next, uint8_t fill, unsigned len)
{
    begin_dma(b, at << 8, len + 4, false);
    assert_int_equal(fixture_inb(b->f, DATA) & 1, 1);
    assert_int_equal(fixture_inb(b->f, DATA), next);
    assert_int_equal(fixture_inw(b->f, DATA), len + 4);
    b->f->roundtrip = false;
    for (unsigned i = 0; i < len; i++) {
        uint8_t byte = fixture_inb(b->f, DATA);

        if (i >= 6)
            assert_int_equal(byte, fill);
    }
    b->f->roundtrip = true;
}

static void test_receives(void **state)
{
    static const uint8_t other[6] = { 2, 2, 2, 2, 2, 2 },
                         all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
                         group[6] = { 1, 0, 0x5e, 0, 0, 1 };
    unsigned at = FIRST + 1;
    NicBench b;

    start(&b, *state);
    arrive(&b, all, 1, 60); /* before it runs */
    set_up(&b);
    assert_int_equal(get(&b, 7), 0);
    arrive(&b, other, 1, 60);
    arrive(&b, group, 1, 60);
    assert_int_equal(current(&b), at);
    for (unsigned i = 0; i < 12; i++) { /* some times around */
        unsigned next = at + 5;

        next = next >= LAST ? next - (LAST - FIRST) : next;
        arrive(&b, i % 2 ? all : nic_mac, i, 1200);
        assert_int_equal(get(&b, 7) & 1, 1);
        assert_int_equal(b.irq->level, 1);
        assert_int_equal(current(&b), next);
        check_frame(&b, at, next, i, 1200);
        set(&b, 3, next > FIRST ? next - 1 : LAST - 1);
        set(&b, 7, 0x41);
        at = next;
    }
    nic_bench_stop(&b);
}

/* Frames wait on the cable while there is no room, and come once there is, for a driver that polls.
 */
static void test_full_ring(void **state)
{
    unsigned full;
    NicBench b;

    start(&b, *state);
    set_up(&b);
    set(&b, 0xf, 0);
    for (unsigned i = 0; i < 6; i++)
        arrive(&b, nic_mac, i, 1400);
    full = current(&b);
    assert_int_equal(full, FIRST + 1 + 4 * 6); /* a page is left */
    set(&b, 3, FIRST + 6);
    assert_int_equal(current(&b), FIRST + 1 + 5 * 6 - (LAST - FIRST));
    nic_bench_stop(&b);
}

/* With interrupts nothing comes between the last look at the ring and the acknowledgement. */
static void test_batches(void **state)
{
    unsigned full = FIRST + 1 + 4 * 6;
    NicBench b;

    start(&b, *state);
    set_up(&b);
    for (unsigned i = 0; i < 6; i++)
        arrive(&b, nic_mac, i, 1400);
    assert_int_equal(current(&b), FIRST + 1 + 6);
    set(&b, 7, 1);
    assert_int_equal(get(&b, 7) & 1, 1);
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(current(&b), full);
    set(&b, 3, FIRST + 6);
    assert_int_equal(current(&b), full);
    set(&b, 7, 1);
    assert_int_equal(current(&b), FIRST + 1 + 5 * 6 - (LAST - FIRST));
    assert_int_equal(b.irq->level, 1);
    set(&b, 7, 1); /* no room */
    assert_int_equal(b.irq->level, 0);
    set(&b, 3, FIRST + 12);
    assert_int_equal(b.irq->level, 1);
    nic_bench_stop(&b);
}

static void test_multicast(void **state)
{
    static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 };
    unsigned heard = 0;
    NicBench b;

    start(&b, *state);
    set_up(&b);
    set(&b, 0xc, 0x08);
    b.f->roundtrip = false;                   /* 32 KiB each time */
    for (unsigned bit = 0; bit < 64; bit++) { /* one bit of the filter is this group's */
        unsigned before = current(&b);

        set(&b, 0, 0x62);
        for (unsigned i = 0; i < 8; i++)
            set(&b, 8 + i, i == bit / 8 ? 1 << bit % 8 : 0);
        set(&b, 0, 0x22);
        arrive(&b, group, 0, 60);
        heard += current(&b) != before;
        if (current(&b) != before)
            assert_int_equal(bit, 31); /* the upper bits of its CRC */
    }
    assert_int_equal(heard, 1);
    nic_bench_stop(&b);
}

static void test_abuse(void **state)
{
    NicBench b;

    start(&b, *state);
    set_up(&b);
    for (unsigned i = 0; i < 20; i++) {
        fixture_abuse(b.f, b.f->io, IO - 4, 0x108, 25, i);
        set(&b, 0, 0x22);
        b.f->roundtrip = false;
        arrive(&b, nic_mac, i, 1500);
        b.f->roundtrip = true;
    }
    nic_bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_address),   hw_test(test_sends),   hw_test(test_receives),
        hw_test(test_full_ring), hw_test(test_batches), hw_test(test_multicast),
        hw_test(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
