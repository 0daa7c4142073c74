/* SPDX-License-Identifier: MIT */
/*
 * Scripts for functions that read descriptors from memory: each puts its BARs at a place of its
 * own, makes rings that are nearly right, fills them with what is not, and rings the bell.
 */
#include "tests/fuzz/device-gen.h"

#define MEMORY_OF(slot, bar) (0xd0000000u + (slot)*0x400000u + (bar)*0x40000u)
#define PORTS_OF(slot)       (0xc000u + (slot)*0x100u)
#define IDE_MASTER           0xb000u

enum { COMMAND = 0x04, BAR0 = 0x10, IDE_FUNCTION = 9 };
enum { RINGS_AT = 0x100000, BUFFERS_AT = 0x200000, BUFFERS = 0x100000 };

/* Anywhere in memory, or over somebody's registers. */
static uint64_t buffer(Gen *g)
{
    switch (below(g, 32)) {
    case 0: return odd_value(g);
    case 1:
        return MEMORY_OF(SLOT_E1000 + below(g, SLOT_END - SLOT_E1000), below(g, 5)) +
               below(g, 0x4000);
    default: return BUFFERS_AT + below(g, BUFFERS);
    }
}

static uint32_t length(Gen *g)
{
    return below(g, 4) ? below(g, 2048) : odd_value(g);
}

static void pass_time(Gen *g)
{
    step(g, OP_ADVANCE, 1, 0, below(g, 2000000));
}

/* All BARs of @slot, of which bit set @ports are in port space; decoding and DMA on. */
static void map_function(Gen *g, unsigned slot, unsigned ports)
{
    for (unsigned bar = 0; bar < 6; bar++)
        put_config(g, slot << 3, BAR0 + 4 * bar,
                   ports & 1 << bar ? PORTS_OF(slot) : MEMORY_OF(slot, bar), 4);
    put_config(g, slot << 3, COMMAND, below(g, 16) ? 0x7 : any(g), 2);
}

void script_bars(Gen *g)
{
    static const uint8_t slots[] = { SLOT_EDU, SLOT_TESTDEV, SLOT_WATCHDOG, SLOT_SECOND_VGA };
    unsigned slot = below(g, 2) ? PICK(g, slots) : SLOT_E1000 + below(g, SLOT_END - SLOT_E1000);
    unsigned bar = below(g, 3);

    map_function(g, slot, slot == SLOT_TESTDEV ? 2 : 1);
    for (unsigned n = 1 + below(g, 6); n; n--)
        read_or_write(g, MEMORY_OF(slot, bar) + below(g, below(g, 2) ? 0x100 : 0x8000),
                      odd_size(g));
}

/* ---- Virtio ---------------------------------------------------------------------------------- */

enum { V_COMMON = 0, V_CONFIG = 0x2000, V_NOTIFY = 0x3000, V_NEXT = 1, V_WRITE = 2 };

typedef struct VirtioSeat {
    uint8_t slot, queues;
    void (*fill)(Gen *g, unsigned queue, uint64_t at); /* the first buffer that is read */
} VirtioSeat;

static void fill_block(Gen *g, unsigned queue, uint64_t at)
{
    static const uint8_t types[] = { 0, 0, 1, 1, 1, 4, 8, 11, 13, 2, 255 };

    put(g, at, PICK(g, types), 4);
    put(g, at + 4, 0, 4);
    put(g, at + 8, below(g, 8) ? below(g, 2050) : odd_value(g), 8);
    if (any(g) & 1) { /* of a discard, where the header is a part by itself */
        put(g, at + 16, below(g, 2050), 8);
        put(g, at + 24, below(g, 4) ? below(g, 64) : odd_value(g), 4);
        put(g, at + 28, below(g, 3), 4);
    }
}

static void fill_card(Gen *g, unsigned queue, uint64_t at)
{
    put(g, at, below(g, 2) ? 0 : odd_value(g), 8);
    put(g, at + 8, below(g, 2) ? 0 : odd_value(g), 4);
}

static void fill_screen(Gen *g, unsigned queue, uint64_t at)
{
    static const uint16_t commands[] = { 0x100, 0x101, 0x101, 0x102, 0x103, 0x103, 0x104, 0x105,
                                         0x105, 0x106, 0x106, 0x107, 0x108, 0x10a, 0x300, 0x301 };
    static const uint32_t words[] = { 0, 1, 2, 3, 4, 16, 64, 67, 8192, 8193, 0xffffffff };

    put(g, at, PICK(g, commands), 4);
    put(g, at + 4, below(g, 2), 4);
    for (unsigned i = 24; i < 64; i += 4)
        put(g, at + i, below(g, 8) ? PICK(g, words) : odd_value(g), 4);
    for (unsigned i = 32; i < 64 && !below(g, 4); i += 16) { /* where pixels come from */
        put(g, at + i, buffer(g), 8);
        put(g, at + i + 8, length(g), 4);
    }
}

static void fill_words(Gen *g, unsigned queue, uint64_t at)
{
    for (unsigned i = 0; i < 8; i++)
        put(g, at + 4 * i, below(g, 2) ? below(g, 8) : odd_value(g), 4);
}

static const VirtioSeat seats[] = {
    { SLOT_VIRTIO_BLK, 1, fill_block },    { SLOT_VIRTIO_BLK, 1, fill_block },
    { SLOT_VIRTIO_NET, 2, fill_card },     { SLOT_VIRTIO_RNG, 1, fill_words },
    { SLOT_VIRTIO_SERIAL, 6, fill_words }, { SLOT_VIRTIO_BALLOON, 2, fill_words },
    { SLOT_VIRTIO_GPU, 2, fill_screen },
};

static uint64_t ring_at(const VirtioSeat *v, unsigned queue)
{
    return RINGS_AT + (v->slot * GEN_RINGS + queue) * 0x2000;
}

/* As drivers start a device, but for what goes wrong. */
static void start_virtio(Gen *g, const VirtioSeat *v)
{
    uint32_t bar = MEMORY_OF(v->slot, 4);

    map_function(g, v->slot, 1);
    put_config(g, v->slot << 3, 0x42, below(g, 4) ? 0 : 0x8000 | below(g, 0x8000), 2);
    put(g, bar + 0x14, 0, 1);
    memset(g->offered[v->slot], 0, sizeof(g->offered[v->slot]));
    put(g, bar + 0x08, 0, 4);
    put(g, bar + 0x0c, below(g, 2) ? UINT32_MAX : any(g), 4);
    put(g, bar + 0x08, 1, 4);
    put(g, bar + 0x0c, below(g, 8) ? 1 : any(g), 4);
    put(g, bar + 0x14, 0xb, 1);
    for (unsigned q = 0; q < v->queues; q++) {
        uint64_t ring = ring_at(v, q);

        put(g, bar + 0x16, q, 2);
        put(g, bar + 0x18, below(g, 8) ? 16 : odd_value(g), 2);
        put(g, bar + 0x1a, below(g, 4), 2);
        put(g, bar + 0x20, below(g, 32) ? ring : odd_value(g), 4);
        put(g, bar + 0x28, ring + 0x1000, 4);
        put(g, bar + 0x30,
            below(g, 16)  ? ring + 0x1800
            : below(g, 2) ? ring + 0x1000
                          : bar + V_NOTIFY - 4,
            4);
        put(g, bar + 0x1c, 1, 2);
    }
    put(g, bar + 0x14, 0xf, 1);
}

static void put_descriptor(Gen *g, uint64_t at, uint64_t addr, unsigned flags, unsigned next)
{
    put(g, at, addr, 8);
    put(g, at + 8, below(g, 3) ? 16 + below(g, 64) * 16 : length(g), 4);
    put(g, at + 12, flags, 2);
    put(g, at + 14, next, 2);
}

/* A chain of parts from @first on: some to be read, the first of them with a head, then some to be
 * written. */
static void put_chain(Gen *g, const VirtioSeat *v, unsigned queue, unsigned first)
{
    unsigned outs = below(g, 4), all = outs + below(g, 4) + !outs;
    uint64_t ring = ring_at(v, queue);

    for (unsigned i = 0; i < all; i++) {
        uint64_t at = ring + 16 * ((first + i) & 15), addr = buffer(g);
        unsigned flags = (i >= outs ? V_WRITE : 0) | (i + 1 < all ? V_NEXT : 0);

        put_descriptor(g, at, addr, below(g, 32) ? flags : any(g) & 7, (first + i + 1) & 15);
        if (!i && outs && addr >= BUFFERS_AT && addr < BUFFERS_AT + BUFFERS) {
            v->fill(g, queue, addr);
            if (v->slot == SLOT_VIRTIO_BLK && any(g) & 1)
                put(g, at + 8, 16, 4);
        }
    }
}

void script_virtio(Gen *g)
{
    const VirtioSeat *v = &PICK(g, seats);
    unsigned queue = below(g, v->queues), chains = 1 + below(g, 4);
    uint64_t ring = ring_at(v, queue);
    uint16_t *offered = &g->offered[v->slot][queue];

    if (!*offered || !below(g, 8))
        start_virtio(g, v);
    for (unsigned i = 0; i < chains; i++) {
        unsigned first = below(g, 16);

        put_chain(g, v, queue, first);
        put(g, ring + 0x1004 + 2 * (*offered & 15), below(g, 32) ? first : any(g), 2);
        ++*offered;
    }
    put(g, ring + 0x1002, below(g, 64) ? *offered : any(g), 2);
    put(g, MEMORY_OF(v->slot, 4) + V_NOTIFY + 4 * queue, queue, 2);
    if (v->slot == SLOT_VIRTIO_NET)
        step(g, OP_FRAME, 1, SLOT_VIRTIO_NET - SLOT_E1000, any(g));
    if (any(g) & 1)
        pass_time(g);
    if (!below(g, 8))
        read_or_write(g, MEMORY_OF(v->slot, 4) + V_CONFIG + below(g, 64), odd_size(g));
}

/* ---- Network cards --------------------------------------------------------------------------- */

/* A ring of eight descriptors of 16 bytes that are like those of the data sheet. */
static void put_e1000_ring(Gen *g, uint64_t ring)
{
    for (unsigned i = 0; i < 8; i++) {
        static const uint32_t commands[] = { 0x0b000000, 0x2b100000, 0x20000000, 0x24100000,
                                             0x01000000, 0x8b000000, 0xff100000 };

        put(g, ring + 16 * i, buffer(g), 8);
        put(g, ring + 16 * i + 8, PICK(g, commands) | (length(g) & 0xfffff), 4);
        put(g, ring + 16 * i + 12, below(g, 2) ? odd_value(g) : below(g, 0x600) << 16 | 0x3600, 4);
    }
}

void script_e1000(Gen *g)
{
    uint64_t bar = MEMORY_OF(SLOT_E1000, 0), tx = RINGS_AT - 0x2000, rx = RINGS_AT - 0x1000;

    if (!below(g, 3)) {
        map_function(g, SLOT_E1000, 2);
        put(g, bar + 0x3800, tx, 4);
        put(g, bar + 0x3808, below(g, 8) ? 128 : odd_value(g), 4);
        put(g, bar + 0x2800, rx, 4);
        put(g, bar + 0x2808, below(g, 8) ? 128 : odd_value(g), 4);
        put(g, bar + 0x100, 0x8002 | (any(g) & 0x060300fc), 4);
        put(g, bar + 0x400, 2, 4);
        put(g, bar + 0xd0, any(g), 4);
    }
    put_e1000_ring(g, any(g) & 1 ? tx : rx);
    put(g, bar + (any(g) & 1 ? 0x3818 : 0x2818), below(g, 8) ? below(g, 8) : odd_value(g), 4);
    if (any(g) & 1)
        put(g, bar + (below(g, 0x6000) & ~3u), odd_value(g), 4);
    step(g, OP_FRAME, 1, 0, any(g));
    step(g, OP_READ, 4, bar + 0xc0, 0);
}

static void put_rtl8139_ring(Gen *g, uint64_t ring)
{
    for (unsigned i = 0; i < 4; i++) {
        put(g, ring + 16 * i, 0x80000000 | (any(g) & 0x7fff0000) | below(g, 0x800), 4);
        put(g, ring + 16 * i + 4, odd_value(g), 4);
        put(g, ring + 16 * i + 8, buffer(g), 8);
    }
}

void script_rtl8139(Gen *g)
{
    uint64_t bar = MEMORY_OF(SLOT_RTL8139, 1), ring = RINGS_AT - 0x3000;

    if (!below(g, 3)) {
        map_function(g, SLOT_RTL8139, 1);
        put(g, bar + 0x37, below(g, 4) ? 0x0c : any(g), 1);
        put(g, bar + 0x30, BUFFERS_AT, 4);
        put(g, bar + 0x44, any(g), 4);
        put(g, bar + 0xe0, below(g, 4), 2);
        put(g, bar + 0x20, ring, 4);
        put(g, bar + 0xe4, ring + 0x400, 4);
        put(g, bar + 0x3c, any(g), 2);
    }
    put_rtl8139_ring(g, ring + 0x400 * below(g, 2));
    put(g, bar + 0xd9, below(g, 4) ? 0x40 : any(g), 1);
    put(g, bar + 0x20 + 4 * below(g, 4), below(g, 4) ? ring : buffer(g), 4);
    put(g, bar + 0x10 + 4 * below(g, 4), below(g, 4) ? below(g, 0x2000) : odd_value(g), 4);
    put(g, bar + 0x38, any(g), 2);
    if (any(g) & 1)
        read_or_write(g, bar + below(g, 256), odd_size(g));
    step(g, OP_FRAME, 1, 1, any(g));
    if (!below(g, 4))
        pass_time(g);
}

void script_ne2k(Gen *g)
{
    uint16_t port = PORTS_OF(SLOT_NE2K);

    if (!below(g, 3)) {
        map_function(g, SLOT_NE2K, 1);
        out(g, port, 0x21, 1);
        out(g, port + 1, below(g, 4) ? 0x46 : any(g), 1);
        out(g, port + 2, below(g, 4) ? 0x60 : any(g), 1);
        out(g, port + 3, below(g, 4) ? 0x46 : any(g), 1);
        out(g, port + 12, any(g), 1);
        out(g, port + 15, 0xff, 1);
        out(g, port, 0x62, 1);
        out(g, port + 7, below(g, 4) ? 0x47 : any(g), 1);
        out(g, port, 0x22, 1);
    }
    out(g, port + 8 + below(g, 4), odd_value(g), 1);
    for (unsigned n = below(g, 8); n; n--)
        in_or_out(g, port + 16 + below(g, 2) * below(g, 16), odd_size(g) & 7 ?: 1);
    out(g, port + 4 + below(g, 3), odd_value(g), 1);
    out(g, port, below(g, 2) ? 0x26 : any(g), 1);
    step(g, OP_FRAME, 1, 2, any(g));
    in_or_out(g, port + below(g, 16), 1);
}

/* ---- Disks on IDE ---------------------------------------------------------------------------- */

static void start_master(Gen *g, unsigned channel)
{
    uint64_t table = RINGS_AT - 0x4000 + 0x100 * channel;
    unsigned parts = 1 + below(g, 4);

    put_config(g, IDE_FUNCTION, 0x20, IDE_MASTER, 4);
    put_config(g, IDE_FUNCTION, COMMAND, 7, 2);
    for (unsigned i = 0; i < parts; i++) {
        put(g, table + 8 * i, buffer(g), 4);
        put(g, table + 8 * i + 4,
            (below(g, 2) ? below(g, 64) * 512 : any(g) & 0xffff) | (i + 1 == parts) << 31, 4);
    }
    out(g, IDE_MASTER + 8 * channel + 4, below(g, 16) ? table : odd_value(g), 4);
    out(g, IDE_MASTER + 8 * channel + 2, 6, 1);
    out(g, IDE_MASTER + 8 * channel, 1 | (any(g) & 8), 1);
}

void script_disk(Gen *g)
{
    static const uint8_t commands[] = {
        0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x40, 0xc4, 0xc5, 0xc6, 0xc8, 0xc8, 0xca,
        0xca, 0xe7, 0xea, 0xec, 0xef, 0x06, 0x10, 0x91, 0x90, 0xa1, 0xa0, 0xb0, 0xf8, 0x27, 0x08
    };
    unsigned channel = !below(g, 4);
    uint16_t base = channel ? 0x170 : 0x1f0;
    unsigned words = below(g, 40);

    out(g, base + 6, 0xe0 | (any(g) & 0x10) | (below(g, 8) ? 0 : any(g)), 1);
    for (unsigned reg = 1; reg < 6; reg++) {
        if (!below(g, 4)) /* for commands of 48 bits */
            out(g, base + reg, odd_value(g), 1);
        out(g, base + reg, reg == 4 ? below(g, 8) : reg == 5 ? 0 : below(g, 16), 1);
    }
    out(g, base + 7, PICK(g, commands), 1);
    if (any(g) & 1)
        start_master(g, channel);
    else if (any(g) & 1)
        pass_time(g);
    while (words--)
        in_or_out(g, base, 1u << below(g, 3));
    if (any(g) & 1)
        pass_time(g);
    in(g, any(g) & 1 ? base + 7 : IDE_MASTER + 8 * channel + 2, 1);
    if (!below(g, 16))
        out(g, base + 0x206, below(g, 8), 1);
}

/* ---- From outside ---------------------------------------------------------------------------- */

void script_outside(Gen *g)
{
    if (below(g, 4)) {
        for (unsigned n = 1 + below(g, 4); n; n--)
            step(g, OP_FRAME, 1, below(g, HOST_NETS), any(g));
    } else {
        step(g, OP_MEDIUM, 1, below(g, 2), below(g, 8));
    }
}
