/* SPDX-License-Identifier: MIT */
/* The RTL8139C+ as its drivers work it: four registers and a ring of bytes, or C+ descriptors. */
#include "tests/hw/nic-bench.h"

#include <string.h>

#include "hw/rtl8139.h"
#include "softmmu/bytes.h"

#define MMIO    0x10000000u
#define TX_RING 0x1000u
#define RX_RING 0x2000u
#define RING    8u /* descriptors */
#define BUFFERS 0x10000u
#define BYTES   0x40000u /* the ring of bytes, of 8 KiB */
#define TALLY   0x3000u

#define OWN   0x80000000u
#define EOR   0x40000000u
#define FS_LS 0x30000000u

static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
                     group[6] = { 1, 0, 0x5e, 0, 0, 1 }, other[6] = { 2, 2, 2, 2, 2, 2 };

static uint32_t get(NicBench *b, uint32_t off, unsigned size)
{
    return fixture_read(b->f, MMIO + off, size);
}

static void set(NicBench *b, uint32_t off, uint32_t value, unsigned size)
{
    fixture_write(b->f, MMIO + off, value, size);
}

static uint8_t *ram(NicBench *b, uint32_t at)
{
    return b->f->ram_block->host + at;
}

static void start(NicBench *b, Fixture *f)
{
    nic_bench_start(b, f);
    rtl8139_new(b->bus, NIC_DEVFN, f->memory, f->clock, b->cable, nic_mac);
    fixture_start(f);
    pci_config_write(b->bus, 0, NIC_DEVFN, PCI_BAR0, 0xc000, 4);
    pci_config_write(b->bus, 0, NIC_DEVFN, PCI_BAR0 + 4, MMIO, 4);
    pci_config_write(b->bus, 0, NIC_DEVFN, PCI_COMMAND, 7, 2);
}

/* As drivers of the first 8139 do it. */
static void start_bytes(NicBench *b, Fixture *f, uint32_t rcr)
{
    start(b, f);
    set(b, 0x37, 0x10, 1);
    set(b, 0x30, BYTES, 4);
    set(b, 0x37, 0x0c, 1);
    set(b, 0x44, rcr, 4);
    set(b, 0x3c, 0x7f, 2);
}

/* As drivers of the C+ do it. */
static void start_rings(NicBench *b, Fixture *f, uint16_t cpcr)
{
    start(b, f);
    set(b, 0x37, 0x10, 1);
    set(b, 0xe0, cpcr | 3, 2);
    set(b, 0xe4, RX_RING, 4);
    set(b, 0xe8, 0, 4);
    set(b, 0x20, TX_RING, 4);
    set(b, 0x24, 0, 4);
    set(b, 0x37, 0x0c, 1);
    set(b, 0x44, 0x0e, 4);
    set(b, 0x3c, 0xff, 2);
}

static void arrive(NicBench *b, const uint8_t *frame, size_t len)
{
    if (b->f->roundtrip)
        fixture_roundtrip(b->f);
    net_post(b->cable, frame, len);
    input_deliver(b->input, true, 0);
}

static void arrive_filled(NicBench *b, const uint8_t *to, uint8_t fill, size_t len)
{
    uint8_t frame[NET_MAX_FRAME];

    memset(frame, fill, len);
    memcpy(frame, to, 6);
    arrive(b, frame, len);
}

/* ---- Registers ------------------------------------------------------------------------------- */

/* Nine bits of command, and @more behind them. */
static void wires(NicBench *b, unsigned command, unsigned bits)
{
    set(b, 0x50, 0x88, 1);
    for (unsigned bit = bits; bit-- > 0;) {
        unsigned data = command >> bit & 1 ? 0x02 : 0;

        set(b, 0x50, 0x88 | data, 1);
        set(b, 0x50, 0x8c | data, 1);
    }
}

static unsigned eeprom_word(NicBench *b, unsigned at)
{
    unsigned value = 0;

    wires(b, 0x180 | at, 9);
    assert_int_equal(get(b, 0x50, 1) & 1, 0); /* a zero goes ahead */
    for (unsigned bit = 0; bit < 16; bit++) {
        set(b, 0x50, 0x88, 1);
        set(b, 0x50, 0x8c, 1);
        value = value << 1 | (get(b, 0x50, 1) & 1);
    }
    set(b, 0x50, 0, 1);
    return value;
}

static void test_eeprom(void **state)
{
    NicBench b;

    start(&b, *state);
    assert_int_equal(eeprom_word(&b, 0), 0x8129);
    assert_int_equal(eeprom_word(&b, 1), 0x10ec);
    assert_int_equal(eeprom_word(&b, 2), 0x8139);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(eeprom_word(&b, 7 + i), nic_mac[2 * i] | nic_mac[2 * i + 1] << 8);
    wires(&b, 0x147 << 16 | 0x1234, 25); /* not before it is allowed */
    assert_int_equal(eeprom_word(&b, 7), 0x5452);
    wires(&b, 0x130, 9);
    wires(&b, 0x147 << 16 | 0x1234, 25);
    assert_int_equal(eeprom_word(&b, 7), 0x1234);
    set(&b, 0x50, 0x40, 1); /* the address is loaded again */
    assert_int_equal(get(&b, 0x50, 1), 0);
    assert_int_equal(get(&b, 0, 4), 0x12001234);
    wires(&b, 0x1c7, 9);
    assert_int_equal(eeprom_word(&b, 7), 0xffff);
    nic_bench_stop(&b);
}

/* What the reference machine shows. */
static void test_registers(void **state)
{
    NicBench b;

    start(&b, *state);
    assert_int_equal(pci_config_read(b.bus, 0, NIC_DEVFN, 0, 4), 0x813910ec);
    assert_int_equal(pci_config_read(b.bus, 0, NIC_DEVFN, 8, 4), 0x02000020);
    assert_int_equal(get(&b, 0, 4), 0x12005452);
    assert_int_equal(fixture_inw(b.f, 0xc004), 0x5634);
    assert_int_equal(get(&b, 0x10, 4), 0x2000);
    assert_int_equal(get(&b, 0x37, 1), 1);
    assert_int_equal(get(&b, 0x38, 2), 0xfff0);
    assert_int_equal(get(&b, 0x40, 4), 0x74800000);
    assert_int_equal(get(&b, 0x58, 1), 0xd0);
    assert_int_equal(get(&b, 0x60, 2), 0x000f);
    assert_int_equal(get(&b, 0x62, 4), 0x782d1000);
    set(&b, 0x62, 0xb200, 2);
    assert_int_equal(get(&b, 0x62, 2), 0x1000);
    set(&b, 0x52, 0xff, 1); /* locked */
    assert_int_equal(get(&b, 0x52, 1), 0x0c);
    set(&b, 0x50, 0xc0, 1);
    set(&b, 0x52, 0x23, 1);
    assert_int_equal(get(&b, 0x52, 1), 0x2f);
    set(&b, 0x08, 0x89abcdef, 4);
    set(&b, 0x3c, 0xffff, 2);
    set(&b, 0x37, 0x10, 1); /* a reset spares addresses and configuration */
    assert_int_equal(get(&b, 0x08, 4), 0x89abcdef);
    assert_int_equal(get(&b, 0x52, 1), 0x2f);
    assert_int_equal(get(&b, 0x3c, 2), 0);
    set(&b, 0x3c, 0x20, 2);
    net_set_link(b.cable, false);
    assert_int_equal(get(&b, 0x58, 1), 0xd4);
    assert_int_equal(get(&b, 0x64, 2), 0x7809);
    assert_int_equal(b.irq->level, 1);
    set(&b, 0x3e, 0x20, 2);
    assert_int_equal(b.irq->level, 0);
    nic_bench_stop(&b);
}

static void test_timer(void **state)
{
    NicBench b;

    start(&b, *state);
    set(&b, 0x3c, 0x4000, 2);
    set(&b, 0x54, 33000, 4);
    set(&b, 0x48, 1, 4);
    fixture_advance(b.f, 999000);
    assert_in_range(get(&b, 0x48, 4), 32960, 32967);
    assert_int_equal(b.irq->level, 0);
    fixture_advance(b.f, 1100);
    assert_int_equal(get(&b, 0x3e, 2), 0x4000);
    assert_int_equal(b.irq->level, 1);
    set(&b, 0x3e, 0x4000, 2);
    fixture_advance(b.f, 100 * NS_PER_SEC); /* not before it has gone around */
    assert_int_equal(b.irq->level, 0);
    fixture_advance(b.f, 31 * NS_PER_SEC);
    assert_int_equal(b.irq->level, 1);
    set(&b, 0xd9, 1, 1); /* an interrupt for the asking */
    assert_int_equal(get(&b, 0x3e, 2), 0x4100);
    nic_bench_stop(&b);
}

/* ---- Four registers and a ring of bytes ------------------------------------------------------ */

static void test_sends(void **state)
{
    size_t len;
    NicBench b;

    start_bytes(&b, *state, 0);
    for (unsigned i = 0; i < 100; i++)
        ram(&b, BUFFERS)[i] = i;
    for (unsigned n = 0; n < 6; n++) {
        unsigned off = n % 4 * 4;

        set(&b, 0x20 + off, BUFFERS + n, 4);
        set(&b, 0x10 + off, 60 + n, 4);
        assert_int_equal(get(&b, 0x10 + off, 4), 0xa000 | (60 + n));
        assert_int_equal(nic_bench_sent(&b, n, &len)[0], n);
        assert_int_equal(len, 60 + n);
        assert_int_equal(get(&b, 0x3e, 2), 4);
        assert_int_equal(b.irq->level, 1);
        set(&b, 0x3e, 4, 2);
        assert_int_equal(b.irq->level, 0);
    }
    assert_int_equal(get(&b, 0x60, 2), 0xf00f);
    set(&b, 0x10, 1600, 4); /* too long: done, but not seen */
    assert_int_equal(get(&b, 0x10, 4), 0xa000 | 1600);
    set(&b, 0x37, 0x08, 1);
    set(&b, 0x14, 64, 4); /* waits for the transmitter */
    assert_int_equal(b.sent->len, 6);
    set(&b, 0x37, 0x0c, 1);
    assert_int_equal(b.sent->len, 7);
    nic_bench_stop(&b);
}

/* A header, the frame, its check sequence; the driver tells where it has read to. */
static void test_ring_of_bytes(void **state)
{
    unsigned at = 0;
    NicBench b;

    start_bytes(&b, *state, 0x0a);
    arrive_filled(&b, other, 1, 60);
    arrive_filled(&b, group, 1, 60);
    assert_int_equal(get(&b, 0x37, 1), 0x0d);
    for (unsigned i = 0; i < 20; i++) { /* some times around */
        const uint8_t *to = i % 2 ? all : nic_mac;
        uint8_t taken[8192];

        arrive_filled(&b, to, i, 1201);
        assert_int_equal(get(&b, 0x37, 1), 0x0c);
        assert_int_equal(get(&b, 0x3e, 2), 1);
        for (unsigned n = 0; n < 1209; n++)
            taken[n] = *ram(&b, BYTES + (at + n) % 8192);
        assert_int_equal(get_le(taken, 2), i % 2 ? 0x2001 : 0x4001);
        assert_int_equal(get_le(taken + 2, 2), 1205);
        assert_memory_equal(taken + 4, to, 6);
        assert_int_equal(taken[1204], i);
        at = (at + 1212) % 8192;
        assert_int_equal(get(&b, 0x3a, 2), at);
        set(&b, 0x38, (at - 16) & 0xffff, 2);
        set(&b, 0x3e, 1, 2);
        assert_int_equal(get(&b, 0x37, 1), 0x0d);
        assert_int_equal(b.irq->level, 0);
    }
    nic_bench_stop(&b);
}

/* Frames wait while there is no room. With WRAP the last one goes on behind the ring. */
static void test_full_ring(void **state)
{
    NicBench b;

    start_bytes(&b, *state, 0x8a);
    for (unsigned i = 0; i < 8; i++)
        arrive_filled(&b, nic_mac, 0x10 + i, 1500);
    assert_int_equal(get(&b, 0x3a, 2), 5 * 1508);
    set(&b, 0x38, 5 * 1508 - 16, 2);
    assert_int_equal(get(&b, 0x3a, 2), 8 * 1508 - 8192);
    assert_int_equal(*ram(&b, BYTES + 5 * 1508 + 4 + 1499), 0x15);
    assert_int_equal(*ram(&b, BYTES + 20), 0x10); /* where the rest of it would be */
    nic_bench_stop(&b);
}

/* Little-endian CRC of the frame as the wire has it. */
static void test_check_sequence(void **state)
{
    uint8_t frame[60];
    NicBench b;

    start_bytes(&b, *state, 0x0a);
    memset(frame, 0, sizeof(frame));
    memcpy(frame, all, 6);
    arrive(&b, frame, 42); /* padded */
    assert_int_equal(get_le(ram(&b, BYTES + 2), 2), 64);
    assert_int_equal(get_le(ram(&b, BYTES + 64), 4), 0x42c0941f);
    nic_bench_stop(&b);
}

static void test_groups(void **state)
{
    unsigned heard = 0;
    NicBench b;

    start_bytes(&b, *state, 0x04);
    b.f->roundtrip = false;
    for (unsigned bit = 0; bit < 64; bit++) { /* one bit of the filter is this group's */
        unsigned before = get(&b, 0x3a, 2);

        set(&b, 0x08, bit < 32 ? 1u << bit : 0, 4);
        set(&b, 0x0c, bit < 32 ? 0 : 1u << (bit - 32), 4);
        arrive_filled(&b, group, 0, 60);
        if (get(&b, 0x3a, 2) == before)
            continue;
        assert_int_equal(bit, 31);
        heard++;
    }
    assert_int_equal(heard, 1);
    set(&b, 0x44, 1, 4); /* all there are */
    arrive_filled(&b, other, 0, 60);
    assert_int_equal(get(&b, 0x3a, 2), 2 * 68);
    nic_bench_stop(&b);
}

static void test_loopback(void **state)
{
    NicBench b;

    start_bytes(&b, *state, 0x0a);
    set(&b, 0x40, 0x60000, 4);
    memset(ram(&b, BUFFERS), 0x33, 80);
    memcpy(ram(&b, BUFFERS), nic_mac, 6);
    set(&b, 0x20, BUFFERS, 4);
    set(&b, 0x10, 80, 4);
    assert_int_equal(b.sent->len, 0);
    assert_int_equal(get(&b, 0x3e, 2), 5);
    assert_memory_equal(ram(&b, BYTES + 4), ram(&b, BUFFERS), 80);
    arrive_filled(&b, nic_mac, 1, 60); /* nothing is heard of others */
    assert_int_equal(get(&b, 0x3a, 2), 88);
    nic_bench_stop(&b);
}

/* ---- C+ -------------------------------------------------------------------------------------- */

static void put_descriptor(NicBench *b, uint32_t ring, unsigned n, uint32_t command, uint32_t vlan,
                           uint32_t addr)
{
    uint8_t *d = ram(b, ring + 16 * n);

    put_le(d, 4, OWN | command | (n == RING - 1 ? EOR : 0));
    put_le(d + 4, 4, vlan);
    put_le(d + 8, 8, addr);
}

static void test_ring_sends(void **state)
{
    size_t len;
    NicBench b;

    start_rings(&b, *state, 0);
    for (unsigned i = 0; i < 100; i++)
        ram(&b, BUFFERS)[i] = i;
    for (unsigned n = 0; n < 12; n += 2) { /* one and a half times around */
        put_descriptor(&b, TX_RING, n % RING, 0x20000000 | 30, 0, BUFFERS);
        put_descriptor(&b, TX_RING, n % RING + 1, 0x10000000 | 70, 0, BUFFERS + 30);
        set(&b, 0xd9, 0x40, 1);
        assert_int_equal(b.sent->len, n / 2 + 1);
        assert_memory_equal(nic_bench_sent(&b, n / 2, &len), ram(&b, BUFFERS), 100);
        assert_int_equal(len, 100);
        assert_int_equal(get_le(ram(&b, TX_RING + 16 * (n % RING)), 4), 0x20000000 | 30);
        assert_int_equal(get(&b, 0x3e, 2), 0x84);
        set(&b, 0x3e, 0x84, 2);
    }
    put_descriptor(&b, TX_RING, 4, FS_LS | 60, 0x20000 | 0x6400, BUFFERS); /* tag 100 */
    set(&b, 0xd9, 0x40, 1);
    assert_int_equal(get_be(nic_bench_sent(&b, 6, &len) + 12, 4), 0x81000064);
    assert_int_equal(len, 64);
    nic_bench_stop(&b);
}

/* Ethernet, IPv4 of @total bytes, TCP or UDP. */
static void make_packet(uint8_t *p, bool tcp, unsigned total)
{
    static const uint8_t ip[20] = { 0x45, 0, 0,  0, 0x12, 0x34, 0x40, 0, 64, 0,
                                    0,    0, 10, 0, 2,    15,   10,   0, 2,  2 };

    memset(p, 0, 14 + total);
    memcpy(p, all, 6);
    put_be(p + 12, 2, 0x0800);
    memcpy(p + 14, ip, 20);
    put_be(p + 16, 2, total);
    p[23] = tcp ? 6 : 17;
    put_be(p + 34, 4, 0x12340050);
    if (tcp) {
        put_be(p + 38, 4, 0x1000);
        p[46] = 0x50;
        p[47] = 0x19; /* ACK, PSH, FIN */
    } else {
        put_be(p + 38, 2, total - 20);
    }
    for (unsigned i = tcp ? 54 : 42; i < 14 + total; i++)
        p[i] = i;
}

static uint32_t sum(const uint8_t *p, unsigned len, uint32_t from)
{
    for (unsigned i = 0; i < len; i++)
        from += i % 2 ? p[i] : p[i] << 8;
    while (from >> 16)
        from = (from & 0xffff) + (from >> 16);
    return from;
}

static void check_packet(const uint8_t *p, unsigned total)
{
    assert_int_equal(get_be(p + 16, 2), total);
    assert_int_equal(sum(p + 14, 20, 0), 0xffff);
    assert_int_equal(sum(p + 34, total - 20, sum(p + 26, 8, p[23] + total - 20)), 0xffff);
}

static void test_checksums(void **state)
{
    size_t len;
    NicBench b;

    start_rings(&b, *state, 0);
    for (unsigned n = 0; n < 2; n++) {
        make_packet(ram(&b, BUFFERS), n, 101 + n);
        put_descriptor(&b, TX_RING, n, FS_LS | (n ? 0x50000 : 0x60000) | (115 + n), 0, BUFFERS);
        set(&b, 0xd9, 0x40, 1);
        check_packet(nic_bench_sent(&b, n, &len), 101 + n);
        assert_int_equal(len, 115 + n);
    }
    ram(&b, BUFFERS)[14] = 0x4f; /* a header beyond the frame: as it is */
    put_descriptor(&b, TX_RING, 2, FS_LS | 0x50000 | 54, 0, BUFFERS);
    set(&b, 0xd9, 0x40, 1);
    assert_memory_equal(nic_bench_sent(&b, 2, &len), ram(&b, BUFFERS), 54);
    nic_bench_stop(&b);
}

static void test_large_frame(void **state)
{
    unsigned done = 0;
    size_t len;
    NicBench b;

    start_rings(&b, *state, 0);
    make_packet(ram(&b, BUFFERS), true, 40 + 3000);
    put_descriptor(&b, TX_RING, 0, FS_LS | 0x08000000 | 1400 << 16 | 3054, 0, BUFFERS);
    set(&b, 0xd9, 0x40, 1);
    assert_int_equal(b.sent->len, 3);
    for (unsigned n = 0; n < 3; n++) {
        const uint8_t *p = nic_bench_sent(&b, n, &len);

        check_packet(p, len - 14);
        assert_int_equal(get_be(p + 18, 2), 0x1234 + n);
        assert_int_equal(get_be(p + 38, 4), 0x1000 + done);
        assert_int_equal(p[47], n == 2 ? 0x19 : 0x10);
        assert_memory_equal(p + 54, ram(&b, BUFFERS + 54 + done), len - 54);
        done += len - 54;
    }
    assert_int_equal(done, 3000);
    nic_bench_stop(&b);
}

static void offer_buffers(NicBench *b, unsigned first, unsigned count, unsigned size)
{
    for (unsigned n = first; n < first + count; n++)
        put_descriptor(b, RX_RING, n % RING, size, 0, BUFFERS + n % RING * 2048);
}

static void test_ring_receives(void **state)
{
    NicBench b;

    start_rings(&b, *state, 0);
    offer_buffers(&b, 0, RING, 2048);
    for (unsigned n = 0; n < 20; n++) {
        unsigned at = n % RING;

        arrive_filled(&b, n % 2 ? all : nic_mac, n, 200);
        assert_int_equal(get_le(ram(&b, RX_RING + 16 * at), 4),
                         (at == RING - 1 ? EOR : 0) | FS_LS | (n % 2 ? 0x1000000 : 0x2000000) |
                             204);
        assert_int_equal(*ram(&b, BUFFERS + at * 2048 + 199), n);
        assert_int_equal(get(&b, 0x3e, 2), 1);
        set(&b, 0x3e, 1, 2);
        offer_buffers(&b, at, 1, 2048);
    }
    nic_bench_stop(&b);
}

/* Over small buffers; then none is left, which the driver is told, and gives more. */
static void test_no_descriptor(void **state)
{
    NicBench b;

    start_rings(&b, *state, 0);
    offer_buffers(&b, 0, RING, 256);
    arrive_filled(&b, nic_mac, 7, 1000);
    assert_int_equal(get_le(ram(&b, RX_RING), 4), 0x20000000);
    assert_int_equal(get_le(ram(&b, RX_RING + 48), 4), 0x10000000 | 0x2000000 | 1004);
    arrive_filled(&b, nic_mac, 8, 1000); /* four are not enough for any frame */
    assert_int_equal(get(&b, 0x3e, 2), 0x11);
    set(&b, 0x3e, 0x11, 2);
    assert_int_equal(get(&b, 0x3e, 2), 0x10);
    offer_buffers(&b, 0, RING, 2048);
    set(&b, 0x3e, 0x10, 2);
    assert_int_equal(get(&b, 0x3e, 2), 1);
    assert_int_equal(get_le(ram(&b, RX_RING + 64), 4), FS_LS | 0x2000000 | 1004);
    nic_bench_stop(&b);
}

static void test_receives_packets(void **state)
{
    uint8_t p[200];
    NicBench b;

    start_rings(&b, *state, 0x60);
    offer_buffers(&b, 0, RING, 2048);
    make_packet(p, true, 100);
    arrive(&b, p, 114);
    assert_int_equal(get_le(ram(&b, RX_RING), 4) >> 13 & 31, 0x1c); /* IP, and it fails */
    put_be(p + 24, 2, 0xffff ^ sum(p + 14, 20, 0));
    arrive(&b, p, 114);
    assert_int_equal(get_le(ram(&b, RX_RING + 16), 4) >> 13 & 31, 0x09); /* TCP does */
    put_be(p + 50, 2, 0xffff ^ sum(p + 34, 80, sum(p + 26, 8, 6 + 80)));
    arrive(&b, p, 114);
    assert_int_equal(get_le(ram(&b, RX_RING + 32), 4) >> 13 & 31, 0x08);
    make_packet(p, false, 100);
    put_be(p + 24, 2, 0xffff ^ sum(p + 14, 20, 0));
    arrive(&b, p, 114); /* UDP without a checksum */
    assert_int_equal(get_le(ram(&b, RX_RING + 48), 4) >> 13 & 31, 0x10);
    put_be(p + 12, 4, 0x81002064);
    put_be(p + 16, 2, 0x0806);
    arrive(&b, p, 114);
    assert_int_equal(get_le(ram(&b, RX_RING + 68), 4), 0x10000 | 0x6420);
    assert_int_equal(get_le(ram(&b, RX_RING + 64), 4) & 0x3ffff, 114);
    assert_int_equal(get_be(ram(&b, BUFFERS + 4 * 2048 + 12), 2), 0x0806);
    nic_bench_stop(&b);
}

static void test_tally(void **state)
{
    NicBench b;

    start_rings(&b, *state, 0);
    offer_buffers(&b, 0, RING, 2048);
    put_descriptor(&b, TX_RING, 0, FS_LS | 60, 0, BUFFERS);
    set(&b, 0xd9, 0x40, 1);
    arrive_filled(&b, nic_mac, 1, 60);
    arrive_filled(&b, nic_mac, 1, 60);
    arrive_filled(&b, all, 1, 60);
    set(&b, 0x14, 0, 4);
    set(&b, 0x10, TALLY | 8, 4);
    assert_int_equal(get(&b, 0x10, 4), TALLY);
    assert_int_equal(get_le(ram(&b, TALLY), 8), 1);
    assert_int_equal(get_le(ram(&b, TALLY + 8), 8), 3);
    assert_int_equal(get_le(ram(&b, TALLY + 40), 8), 2);
    assert_int_equal(get_le(ram(&b, TALLY + 48), 8), 1);
    nic_bench_stop(&b);
}

static void test_abuse(void **state)
{
    NicBench b;

    for (unsigned i = 0; i < 12; i++) {
        if (i % 2)
            start_rings(&b, *state, 0x60);
        else
            start_bytes(&b, *state, 0x0f);
        b.f->roundtrip = false;
        for (unsigned n = 0; n < RING; n++) {
            put_descriptor(&b, TX_RING, n, FS_LS | n << 16 | 0x7ff * n, n << 16, BUFFERS);
            put_descriptor(&b, RX_RING, n, i & 2 ? 0 : 300 * n, 0, i & 4 ? MMIO : BUFFERS);
        }
        for (unsigned n = 0; n < 40; n++) {
            fixture_abuse(b.f, b.f->memory, MMIO - 4, 0x108, 25, 100 * i + n);
            set(&b, 0x37, 0x0c, 1);
            set(&b, 0xd9, 0xc0, 1);
            arrive_filled(&b, all, n, 1500);
        }
        nic_bench_stop(&b);
        fixture_teardown(state);
        fixture_setup(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_eeprom),         hw_test(test_registers),     hw_test(test_timer),
        hw_test(test_sends),          hw_test(test_ring_of_bytes), hw_test(test_full_ring),
        hw_test(test_check_sequence), hw_test(test_groups),        hw_test(test_loopback),
        hw_test(test_ring_sends),     hw_test(test_checksums),     hw_test(test_large_frame),
        hw_test(test_ring_receives),  hw_test(test_no_descriptor), hw_test(test_receives_packets),
        hw_test(test_tally),          hw_test(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
