/* SPDX-License-Identifier: MIT */
/* The e1000 between guest memory and a back end that keeps what it is sent. */
#include "tests/hw/nic-bench.h"

#include <string.h>

#include "hw/e1000.h"

#define MMIO    0x10000000u
#define TX_RING 0x1000u
#define RX_RING 0x2000u
#define RING    8u /* descriptors */
#define BUFFERS 0x10000u

static uint32_t reg(NicBench *b, uint32_t off)
{
    return fixture_read(b->f, MMIO + off, 4);
}

static void set(NicBench *b, uint32_t off, uint32_t value)
{
    fixture_write(b->f, MMIO + off, value, 4);
}

static void start(NicBench *b, Fixture *f)
{
    nic_bench_start(b, f);
    e1000_new(b->bus, NIC_DEVFN, f->memory, b->cable, nic_mac);
    fixture_start(f);
    f->roundtrip = false;
    pci_config_write(b->bus, 0, NIC_DEVFN, PCI_BAR0, MMIO, 4);
    pci_config_write(b->bus, 0, NIC_DEVFN, PCI_COMMAND, 6, 2);
    set(b, 0x3800, TX_RING);
    set(b, 0x3808, RING * 16);
    set(b, 0x0400, 2);
    set(b, 0x2800, RX_RING);
    set(b, 0x2808, RING * 16);
    set(b, 0x00d0, 0x9f);
    f->roundtrip = true;
}

static void put_tx(NicBench *b, unsigned n, uint64_t addr, uint32_t command, uint32_t status)
{
    uint8_t *d = b->f->ram_block->host + TX_RING + 16 * n;

    for (unsigned i = 0; i < 8; i++)
        d[i] = addr >> 8 * i;
    for (unsigned i = 0; i < 4; i++) {
        d[8 + i] = command >> 8 * i;
        d[12 + i] = status >> 8 * i;
    }
}

static void test_eeprom_and_phy(void **state)
{
    uint16_t sum = 0;
    NicBench b;

    start(&b, *state);
    b.f->roundtrip = false;
    for (unsigned word = 0; word < 64; word++) {
        uint16_t value = 0;

        set(&b, 0x10, 2); /* select, then nine bits of command */
        for (int bit = 8; bit >= 0; bit--) {
            uint32_t data = (0x180 | word) >> bit & 1 ? 4 : 0;
            set(&b, 0x10, 2 | data);
            set(&b, 0x10, 3 | data);
        }
        assert_int_equal(reg(&b, 0x10) & 8, 0); /* a zero goes ahead */
        for (unsigned bit = 0; bit < 16; bit++) {
            set(&b, 0x10, 2);
            set(&b, 0x10, 3);
            value = value << 1 | (reg(&b, 0x10) >> 3 & 1);
        }
        set(&b, 0x10, 0);
        set(&b, 0x14, word << 8 | 1);
        assert_int_equal(reg(&b, 0x14) >> 16, value);
        if (word < 3)
            assert_int_equal(value, nic_mac[2 * word] | nic_mac[2 * word + 1] << 8);
        sum += value;
    }
    assert_int_equal(sum, 0xbaba);
    set(&b, 0x20, 0x08000000 | 1 << 21 | 2 << 16);
    assert_int_equal(reg(&b, 0x20), 0x18000000 | 1 << 21 | 2 << 16 | 0x0141);
    set(&b, 0x20, 0x08000000 | 2 << 21 | 2 << 16); /* nobody at that address */
    assert_true(reg(&b, 0x20) & 0x40000000);
    nic_bench_stop(&b);
}

static void test_send(void **state)
{
    uint8_t frame[100];
    size_t len;
    NicBench b;

    start(&b, *state);
    for (unsigned i = 0; i < sizeof(frame); i++)
        frame[i] = i;
    memcpy(b.f->ram_block->host + BUFFERS, frame, 40);
    memcpy(b.f->ram_block->host + BUFFERS + 0x800, frame + 40, 60);
    put_tx(&b, 0, BUFFERS, 40, 0);
    put_tx(&b, 1, BUFFERS + 0x800, 60 | 0x09000000, 0); /* end of packet, report status */
    set(&b, 0x3818, 1);
    assert_int_equal(b.sent->len, 0);
    set(&b, 0x3818, 2);
    assert_int_equal(b.sent->len, 1);
    assert_memory_equal(nic_bench_sent(&b, 0, &len), frame, 100);
    assert_int_equal(len, 100);
    assert_int_equal(reg(&b, 0x3810), 2);
    assert_int_equal(b.f->ram_block->host[TX_RING + 16 + 12], 1);
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(reg(&b, 0xc0) & 1, 1);
    assert_int_equal(b.irq->level, 0);
    nic_bench_stop(&b);
}

static uint16_t sum_of(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? p[i] : p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* Ethernet, IPv4 and TCP headers, and 2500 bytes in segments of 1000. */
static void test_segments(void **state)
{
    static const uint8_t headers[54] = { 1,  2,    3,    4,    5,    6,    7, 8,    9,    10,   11,
                                         12, 8,    0,    0x45, 0,    0,    0, 0x12, 0x34, 0x40, 0,
                                         64, 6,    0,    0,    10,   0,    2, 15,   10,   0,    2,
                                         2,  0x30, 0x39, 0,    80,   0,    0, 0,    100,  0,    0,
                                         0,  0,    0x50, 0x19, 0xff, 0xff, 0, 0,    0,    0 };
    uint8_t *p, pseudo[12] = { 10, 0, 2, 15, 10, 0, 2, 2, 0, 6, 0, 0 };
    uint16_t partial = sum_of(pseudo, 12, 0);
    NicBench b;

    start(&b, *state);
    p = b.f->ram_block->host + BUFFERS;
    memcpy(p, headers, 54);
    p[50] = partial >> 8; /* the driver's part: the pseudo header without a length */
    p[51] = partial;
    for (unsigned i = 0; i < 2500; i++)
        p[54 + i] = i * 7;
    put_tx(&b, 0, 14 | 24 << 8 | 33 << 16 | (uint64_t)34 << 32 | (uint64_t)50 << 40,
           2500 | 0x27000000, 54 << 8 | 1000u << 16);
    put_tx(&b, 1, BUFFERS, 2554 | 0x100000 | 0x2d000000, 0x300);
    set(&b, 0x3818, 2);
    assert_int_equal(b.sent->len, 3);
    for (unsigned n = 0; n < 3; n++) {
        size_t len, payload = n < 2 ? 1000 : 500;
        const uint8_t *s = nic_bench_sent(&b, n, &len);

        assert_int_equal(len, 54 + payload);
        assert_int_equal(s[16] << 8 | s[17], 40 + payload);
        assert_int_equal(s[18] << 8 | s[19], 0x1234 + n);
        assert_int_equal(s[40] << 8 | s[41], 100 + 1000 * n);
        assert_int_equal(s[47], n < 2 ? 0x10 : 0x19); /* FIN and PSH in the last alone */
        assert_int_equal(sum_of(s + 14, 20, 0), 0xffff);
        pseudo[10] = (20 + payload) >> 8;
        pseudo[11] = 20 + payload;
        assert_int_equal(sum_of(s + 34, 20 + payload, sum_of(pseudo, 12, 0)), 0xffff);
        assert_memory_equal(s + 54, p + 54 + 1000 * n, payload);
    }
    nic_bench_stop(&b);
}

static void receive_from(NicBench *b, const uint8_t *frame, size_t len)
{
    net_post(b->cable, frame, len);
    input_deliver(b->input, true, 0);
}

static void put_rx(NicBench *b, unsigned n, uint32_t addr)
{
    uint8_t *d = b->f->ram_block->host + RX_RING + 16 * n;

    memset(d, 0, 16);
    for (unsigned i = 0; i < 4; i++)
        d[i] = addr >> 8 * i;
}

/* What a frame with its checksum leaves (IEEE 802.3). */
static uint32_t crc_of_whole(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < a_len + b_len; i++) {
        crc ^= i < a_len ? a[i] : b[i - a_len];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc;
}

static void test_receive(void **state)
{
    uint8_t frame[700] = { 0 }, *d;
    NicBench b;

    start(&b, *state);
    d = b.f->ram_block->host + RX_RING;
    memcpy(frame, nic_mac, 6);
    for (unsigned i = 12; i < sizeof(frame); i++)
        frame[i] = i;
    for (unsigned n = 0; n < RING; n++)
        put_rx(&b, n, BUFFERS + 0x800 * n);
    receive_from(&b, frame, sizeof(frame)); /* not enabled: lost */
    set(&b, 0x0100, 0x8002 | 2 << 16);      /* buffers of 512 bytes */
    set(&b, 0x2818, RING - 1);
    receive_from(&b, frame, sizeof(frame));
    assert_int_equal(reg(&b, 0x2810), 2);
    assert_int_equal(d[12] & 3, 1);
    assert_int_equal(d[16 + 12] & 3, 3);
    assert_int_equal(d[8] | d[9] << 8, 512);
    assert_int_equal(d[24] | d[25] << 8, 700 + 4 - 512);
    assert_memory_equal(b.f->ram_block->host + BUFFERS, frame, 512);
    assert_memory_equal(b.f->ram_block->host + BUFFERS + 0x800, frame + 512, 188);
    assert_int_equal(crc_of_whole(b.f->ram_block->host + BUFFERS, 512,
                                  b.f->ram_block->host + BUFFERS + 0x800, 192),
                     0xdebb20e3);
    assert_true(reg(&b, 0xc0) & 0x80);
    frame[5]++; /* somebody else's */
    receive_from(&b, frame, sizeof(frame));
    assert_int_equal(reg(&b, 0x2810), 2);
    memset(frame, 0xff, 6);
    receive_from(&b, frame, 42); /* padded, with a checksum: 64 bytes */
    assert_int_equal(d[40] | d[41] << 8, 64);
    nic_bench_stop(&b);
}

static uint16_t phy(NicBench *b, unsigned n)
{
    set(b, 0x20, 0x08000000 | 1 << 21 | n << 16);
    return reg(b, 0x20) & 0xffff;
}

/* The cable out and in again: both status registers, an interrupt each time, no frame in between.
 */
static void test_link(void **state)
{
    uint8_t frame[60] = { 0 };
    NicBench b;

    start(&b, *state);
    b.f->roundtrip = false;
    memcpy(frame, nic_mac, 6);
    put_rx(&b, 0, BUFFERS);
    set(&b, 0x0100, 0x8002);
    set(&b, 0x2818, RING - 1);
    assert_true(net_cable_named(b.f->root, "n") == b.cable);
    assert_null(net_cable_named(b.f->root, "e1000")); /* not the user's name for it */
    for (unsigned up = 0; up < 2; up++) {
        net_set_link(b.cable, up);
        assert_int_equal(reg(&b, 8) >> 1 & 1, up);
        assert_int_equal(phy(&b, 1) >> 2 & 1, up);
        assert_int_equal(phy(&b, 17) >> 10 & 1, up);
        assert_true(reg(&b, 0xc0) & 4);
        net_set_link(b.cable, up); /* nothing new */
        assert_false(reg(&b, 0xc0) & 4);
        set(&b, 0, 0x04000000); /* a reset does not plug it in */
        assert_int_equal(reg(&b, 8) >> 1 & 1, up);
        set(&b, 0x2800, RX_RING);
        set(&b, 0x2808, RING * 16);
        set(&b, 0x0100, 0x8002);
        set(&b, 0x2818, RING - 1);
        receive_from(&b, frame, sizeof(frame));
        assert_int_equal(reg(&b, 0x2810), up);
        net_send(b.cable, frame, sizeof(frame));
        assert_int_equal(b.sent->len, up);
    }
    nic_bench_stop(&b);
}

/* Frames wait while there are no descriptors, through a round trip of state as well. */
static void test_waiting(void **state)
{
    uint8_t frame[60] = { 255, 255, 255, 255, 255, 255 };
    NicBench b;

    start(&b, *state);
    for (unsigned n = 0; n < RING; n++)
        put_rx(&b, n, BUFFERS + 0x800 * n);
    set(&b, 0x0100, 0x8002);
    for (unsigned n = 0; n < 3; n++) {
        frame[20] = n;
        receive_from(&b, frame, sizeof(frame));
    }
    assert_int_equal(reg(&b, 0x2810), 0);
    set(&b, 0x2818, 2);
    assert_int_equal(reg(&b, 0x2810), 2);
    set(&b, 0x2818, 3);
    assert_int_equal(reg(&b, 0x2810), 3);
    for (unsigned n = 0; n < 3; n++)
        assert_int_equal(b.f->ram_block->host[BUFFERS + 0x800 * n + 20], n);
    nic_bench_stop(&b);
}

static void test_abuse(void **state)
{
    uint8_t frame[300] = { 255, 255, 255, 255, 255, 255 };
    NicBench b;

    start(&b, *state);
    b.f->roundtrip = false;
    for (unsigned seed = 0; seed < 40; seed++) {
        fixture_abuse(b.f, b.f->memory, MMIO, 0x6000, 300, seed);
        fixture_abuse(b.f, b.f->memory, MMIO + 0x3800, 0x20, 50, seed);
        fixture_abuse(b.f, b.f->memory, MMIO + 0x2800, 0x20, 50, seed);
        fixture_abuse(b.f, b.f->memory, TX_RING, 0x100, 100, seed);
        set(&b, 0x100, seed * 0x10001);
        set(&b, 0x3800, seed & 1 ? TX_RING : MMIO + 0x3800); /* a ring of its own registers */
        set(&b, 0x3808, 0x80);
        set(&b, 0x400, 2);
        set(&b, 0x3818, seed & 7);
        receive_from(&b, frame, seed * 7);
    }
    nic_bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_eeprom_and_phy), hw_test(test_send), hw_test(test_segments),
        hw_test(test_receive),        hw_test(test_link), hw_test(test_waiting),
        hw_test(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
