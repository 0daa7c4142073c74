/* SPDX-License-Identifier: MIT */
/*
 * Steps are mostly written by small scripts, one per device, that know how its registers are
 * reached (index and data ports, descriptors in memory, command bytes) but not what is sensible.
 */
#include "tests/fuzz/device-gen.h"

#define NS_PER_DAY (86400 * NS_PER_SEC)

/* ---- Scripts: places ------------------------------------------------------------------------ */

typedef struct Place {
    uint64_t base, size;
} Place;

static const Place port_places[] = {
    { 0x00, 0x20 }, { 0x20, 2 },   { 0x40, 4 },     { 0x60, 5 },    { 0x70, 8 },    { 0x80, 0x12 },
    { 0x92, 1 },    { 0xa0, 2 },   { 0xb2, 2 },     { 0xc0, 0x20 }, { 0xe9, 1 },    { 0xf0, 16 },
    { 0x1ce, 4 },   { 0x2e8, 8 },  { 0x2f8, 8 },    { 0x3b0, 48 },  { 0x3e8, 8 },   { 0x3f8, 8 },
    { 0x3f0, 8 },   { 0x1f0, 8 },  { 0x170, 8 },    { 0x376, 1 },   { 0x402, 1 },   { 0x4d0, 2 },
    { 0x510, 12 },  { 0x600, 64 }, { 0x700, 16 },   { 0xafe0, 4 },  { 0xae00, 16 }, { 0xaf00, 12 },
    { 0x505, 1 },   { 0xcf8, 8 },  { 0xc000, 256 }, { 0xfff0, 16 }, { 0, 0x10000 },
};

static const Place memory_places[] = {
    { 0, BOARD_RAM_SIZE },
    { BOARD_RAM_SIZE - 64, 128 },
    { 0x9ffc0, 128 },
    { 0xa0000, 0x20000 },
    { 0xbffc0, 128 },
    { 0xc0000, 0x40000 },
    { 0xe0000000, 16 << 20 },
    { 0xfd000000, 16 << 20 },
    { 0xfebf0000, 0x1000 },
    { 0xfec00000, 0x100 },
    { 0xfec00ff0, 0x20 },
    { 0xfed00000, 0x400 },
    { 0xfee00000, 0x1010 },
    { 0xfeefff00, 0x200 },
    { 0xfffbfff0, 0x20 },
    { 0xfffffff0, 0x20 },
    { (UINT64_C(1) << 52) - 16, 32 },
    { UINT64_MAX - 16, 16 },
};

static void script_port(Gen *g)
{
    const Place *p = &PICK(g, port_places);

    in_or_out(g, p->base + below(g, p->size), 1u << below(g, 3));
}

static void script_memory(Gen *g)
{
    const Place *p = &PICK(g, memory_places);
    uint64_t addr = p->base + below(g, p->size);

    read_or_write(g, any(g) & 1 ? addr : addr & ~UINT64_C(7), odd_size(g));
}

/* ---- Scripts: one per device ---------------------------------------------------------------- */

static void script_index_and_data(Gen *g)
{
    static const struct {
        uint16_t index, data;
        uint8_t registers, index_size, data_size;
    } pairs[] = {
        { 0x3c0, 0x3c0, 0x40, 1, 1 }, { 0x3c4, 0x3c5, 255, 1, 1 }, { 0x3ce, 0x3cf, 64, 1, 1 },
        { 0x3d4, 0x3d5, 64, 1, 1 },   { 0x3b4, 0x3b5, 32, 1, 1 },  { 0x3c8, 0x3c9, 255, 1, 1 },
        { 0x1ce, 0x1cf, 16, 2, 2 },   { 0x1ce, 0x1d0, 16, 2, 2 },  { 0x70, 0x71, 128, 1, 1 },
        { 0x70, 0x71, 14, 1, 1 },     { 0x510, 0x511, 64, 2, 1 },
    };
    unsigned n = below(g, G_N_ELEMENTS(pairs));

    if (pairs[n].index == 0x3c0)
        in(g, 0x3da, 1);
    out(g, pairs[n].index, below(g, pairs[n].registers), pairs[n].index_size);
    in_or_out(g, pairs[n].data, pairs[n].data_size);
}

static uint32_t bar_value(Gen *g)
{
    static const uint32_t places[] = {
        0xffffffff, 0xe0000008, 0xfebf0000, 0xfd000000, 0xfee00000, 0xfed00000, 0xa0000,
        0xc0000,    0x100000,   0x1,        0xc001,     0x601,      0x701,      0xcf9,
        0x3f9,      0xfff1,     0xffc1,     0xff000000, 0xfffff801, 0,
    };

    return below(g, 4) ? PICK(g, places) : odd_value(g);
}

static void script_pci(Gen *g)
{
    static const uint8_t functions[] = { 0, 8, 8, 9, 9, 0xb, 0xb, 0x10, 0x10, 0x10, 0xf8 };
    static const uint8_t registers[] = {
        0x00, 0x04, 0x04, 0x04, 0x06, 0x0c, 0x10, 0x14, 0x18, 0x20, 0x24, 0x30,
        0x3c, 0x40, 0x44, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x60,
        0x61, 0x62, 0x63, 0x72, 0x72, 0x80, 0x80, 0x90, 0xd2, 0xd2, 0xfc, 0xff,
    };
    uint8_t devfn = below(g, 4)   ? PICK(g, functions)
                    : below(g, 4) ? below(g, SLOT_END) << 3
                                  : below(g, 256);
    uint8_t reg = below(g, 4) ? PICK(g, registers) : below(g, 256);
    uint8_t size = 1u << below(g, 3);

    out(g, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    if (any(g) & 3)
        out(g, 0xcfc + (reg & 3), reg >= 0x10 && reg < 0x34 ? bar_value(g) : odd_value(g),
            reg >= 0x10 && reg < 0x34 ? 4 : size);
    else
        in(g, 0xcfc + (reg & 3), size);
}

/* Places and enables a BAR, then looks at what is there. */
static void script_map_bar(Gen *g)
{
    static const uint8_t bars[] = { 0x10, 0x14, 0x18, 0x20, 0x30 };
    uint32_t slot = 1 + below(g, SLOT_END - 1);
    uint32_t function = 0x80000000 | (slot == 1 ? 0x0b : slot << 3) << 8;
    uint32_t at = bar_value(g);

    out(g, 0xcf8, function | PICK(g, bars), 4);
    out(g, 0xcfc, at, 4);
    out(g, 0xcf8, function | 0x04, 4);
    out(g, 0xcfc, 0x7, 2);
    for (int i = 0; i < 3; i++)
        read_or_write(g, (at & ~0xfu) + below(g, 0x1000), odd_size(g));
}

static uint32_t be32(uint32_t v)
{
    return GUINT32_SWAP_LE_BE(v);
}

static void script_fw_cfg_dma(Gen *g)
{
    static const uint32_t lengths[] = { 0, 1, 8, 64, 0x10000, 0x00400000, 0x7fffffff, 0xffffffff };
    const Place *from = &PICK(g, memory_places), *to = &PICK(g, memory_places);
    uint64_t at = from->base + below(g, from->size);
    uint64_t target = to->base + below(g, to->size);
    uint32_t key = below(g, 64), bits = below(g, 4) ? 0x0a : below(g, 32);

    step(g, OP_WRITE, 4, at, be32(key << 16 | bits));
    step(g, OP_WRITE, 4, at + 4, be32(below(g, 4) ? below(g, 0x2000) : PICK(g, lengths)));
    step(g, OP_WRITE, 4, at + 8, be32(target >> 32));
    step(g, OP_WRITE, 4, at + 12, be32(target));
    if (at >> 32 || any(g) & 1)
        out(g, 0x514, be32(at >> 32), 4);
    out(g, 0x518, be32(at), 4);
}

static void script_fw_cfg_read(Gen *g)
{
    out(g, 0x510, below(g, 3) ? 0x19 + below(g, 16) : below(g, 256), 2);
    for (unsigned n = 1 + below(g, 12); n; n--) {
        in(g, 0x511, 1);
        if (!below(g, 8))
            step(g, OP_ROUND_TRIP, 1, 0, 0);
    }
}

static void script_i8042(Gen *g)
{
    static const uint8_t commands[] = { 0x20, 0x60, 0x60, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xad,
                                        0xae, 0xc0, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd4, 0xf0 };
    static const uint8_t bytes[] = { 0xff, 0xfe, 0xf0, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xed,
                                     0xee, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0x47,
                                     1,    2,    3,    200,  100,  80,   0 };

    for (unsigned n = 1 + below(g, 6); n; n--) {
        switch (below(g, 4)) {
        case 0: out(g, 0x64, below(g, 4) ? PICK(g, commands) : below(g, 256), 1); break;
        case 1: in(g, any(g) & 1 ? 0x60 : 0x64, 1); break;
        default: out(g, 0x60, below(g, 4) ? PICK(g, bytes) : below(g, 256), 1);
        }
    }
}

static void script_pit(Gen *g)
{
    unsigned counter = below(g, 3);

    out(g, 0x43, counter << 6 | below(g, 64), 1);
    out(g, 0x40 + counter, odd_value(g), 1);
    if (any(g) & 1)
        out(g, 0x40 + counter, odd_value(g), 1);
    if (any(g) & 1)
        out(g, 0x43, below(g, 256), 1);
    in(g, 0x40 + counter, 1);
    if (any(g) & 1)
        out(g, 0x61, below(g, 256), 1);
}

static void script_rtc(Gen *g)
{
    static const uint8_t controls[] = { 0x26, 0x20, 0x21, 0x2f, 0x70, 0x7f, 0x06, 0xa6 };

    out(g, 0x70, 0x0a, 1);
    out(g, 0x71, PICK(g, controls), 1);
    out(g, 0x70, 0x0b, 1);
    out(g, 0x71, below(g, 256), 1);
    for (unsigned n = below(g, 4); n; n--) {
        out(g, 0x70, below(g, 4) ? below(g, 10) : 0x32, 1);
        out(g, 0x71, below(g, 3) ? below(g, 0x60) : below(g, 256), 1);
    }
    out(g, 0x70, 0x0c, 1);
    in(g, 0x71, 1);
}

static void script_hpet(Gen *g)
{
    static const uint16_t registers[] = { 0x000, 0x010, 0x010, 0x020, 0x0f0, 0x100, 0x108,
                                          0x110, 0x120, 0x128, 0x140, 0x148, 0x160, 0x3f8 };
    uint64_t reg = 0xfed00000 + PICK(g, registers);

    step(g, OP_WRITE, 8, 0xfed00010, below(g, 4));
    step(g, OP_WRITE, 1u << below(g, 4), reg + (below(g, 4) ? 0 : below(g, 8)), odd_value(g));
    step(g, OP_WRITE, 8, 0xfed00100 + 0x20 * below(g, 3), odd_value(g) | 0x4);
    step(g, OP_READ, 1u << below(g, 4), reg, 0);
}

static void script_apic(Gen *g)
{
    static const uint16_t registers[] = { 0x020, 0x080, 0x0b0, 0x0d0, 0x0e0, 0x0f0,
                                          0x280, 0x300, 0x310, 0x320, 0x350, 0x360,
                                          0x370, 0x380, 0x380, 0x390, 0x3e0, 0x3f0 };
    static const uint32_t timers[] = { 0x00040, 0x20040, 0x40040, 0x60040, 0x10040, 0x20000 };

    step(g, OP_WRITE, 4, 0xfee000f0, 0x1ff);
    if (any(g) & 1)
        step(g, OP_WRITE, 4, 0xfee00320, PICK(g, timers));
    for (unsigned n = 1 + below(g, 4); n; n--)
        step(g, OP_WRITE, 4, 0xfee00000 + PICK(g, registers), odd_value(g));
    step(g, OP_READ, 4, 0xfee00000 + (below(g, 0x40) << 4), 0);
}

static void script_ioapic(Gen *g)
{
    step(g, OP_WRITE, 4, 0xfec00000, below(g, 8) ? below(g, 64) : odd_value(g));
    step(g, OP_WRITE, 4, 0xfec00010, odd_value(g));
    step(g, OP_READ, 4, 0xfec00010, 0);
}

/* Everything that one interrupt needs on its way from a serial port to a CPU and back. */
static void script_interrupt(Gen *g)
{
    static const uint16_t shown[] = { 0x100, 0x110, 0x180, 0x190, 0x200, 0x210, 0x0a0 };
    unsigned pin = 3 + below(g, 2);
    uint16_t base = pin == 4 ? 0x3f8 : 0x2f8;
    uint32_t entry = 0x20 | below(g, 32) | (any(g) & 0x8800) | (below(g, 4) ? 0 : 0x100);

    step(g, OP_CPU, 1, 0, 0);
    step(g, OP_WRITE, 4, 0xfee000f0, 0x1ff);
    step(g, OP_WRITE, 4, 0xfee00080, 0);
    step(g, OP_WRITE, 4, 0xfee000d0, 0x01000000);
    step(g, OP_WRITE, 4, 0xfec00000, 0x11 + 2 * pin);
    step(g, OP_WRITE, 4, 0xfec00010, (any(g) & 1) << 24);
    step(g, OP_WRITE, 4, 0xfec00000, 0x10 + 2 * pin);
    step(g, OP_WRITE, 4, 0xfec00010, entry);
    out(g, base + 4, 0x08, 1);
    out(g, base + 1, 0x0f, 1);
    out(g, base, 'x', 1);
    step(g, OP_READ, 4, 0xfee00000 + PICK(g, shown), 0);
    step(g, any(g) & 1 ? OP_ACKNOWLEDGE : OP_ROUND_TRIP, 1, 0, 0);
    step(g, OP_READ, 4, 0xfee00000 + PICK(g, shown), 0);
    if (any(g) & 1)
        step(g, OP_WRITE, 4, 0xfee000b0, 0);
}

/* An x87 exception of DOS style: FERR, its port, and the line let go. */
static void script_ferr(Gen *g)
{
    step(g, OP_FERR, 1, 0, 1);
    if (any(g) & 1)
        step(g, OP_ROUND_TRIP, 1, 0, 0);
    out(g, 0xf0 + (any(g) & 1), 0, 1);
    if (any(g) & 1)
        step(g, OP_ROUND_TRIP, 1, 0, 0);
    step(g, OP_FERR, 1, 0, any(g) & 1);
    out(g, 0xa0, 0x0a, 1);
    in(g, 0xa0, 1);
}

static void script_pic(Gen *g)
{
    uint16_t base = any(g) & 1 ? 0x20 : 0xa0;

    out(g, base, 0x10 | below(g, 16), 1);
    for (unsigned n = below(g, 4); n; n--)
        out(g, base + 1, odd_value(g), 1);
    out(g, base, below(g, 256), 1);
    in(g, base, 1);
    step(g, OP_ACKNOWLEDGE, 1, below(g, BOARD_CPUS), 0);
}

static void script_dma(Gen *g)
{
    for (unsigned n = 1 + below(g, 6); n; n--)
        in_or_out(g, any(g) & 1 ? below(g, 16) : 0xc0 + below(g, 32), 1);
}

static void script_floppy(Gen *g)
{
    static const uint8_t commands[] = { 0x03, 0x04, 0x07, 0x08, 0x0e, 0x0f, 0x12, 0x13, 0x4a,
                                        0xe6, 0xc5, 0x4d, 0x51, 0x56, 0x8f, 0xcf, 0x94, 0x42 };

    if (!below(g, 4)) {
        out(g, 0x3f2, any(g), 1);
        out(g, 0x3f2, 0x0c | below(g, 4), 1);
    }
    out(g, 0x3f5, below(g, 8) ? PICK(g, commands) : any(g), 1);
    for (unsigned n = below(g, 10); n; n--)
        out(g, 0x3f5, odd_value(g), 1);
    for (unsigned n = below(g, 11); n; n--)
        in(g, any(g) & 3 ? 0x3f5 : 0x3f4, 1);
}

/* An ATAPI packet with the odd byte limit. */
static void script_packet(Gen *g)
{
    static const uint8_t packets[] = { 0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x43,
                                       0x46, 0x4a, 0x51, 0x52, 0x5a, 0xbd, 0xbe, 0xa8 };

    out(g, 0x176, any(g) & 7 ? 0xa0 : 0xb0, 1);
    out(g, 0x174, odd_value(g), 1);
    out(g, 0x175, odd_value(g), 1);
    out(g, 0x177, below(g, 8) ? 0xa0 : any(g), 1);
    out(g, 0x170, PICK(g, packets) | below(g, 256) << 8, 2);
    for (unsigned n = 0; n < 5; n++)
        out(g, 0x170, any(g) & any(g), 2);
    for (unsigned n = below(g, 30); n; n--)
        in(g, below(g, 4) ? 0x170 : 0x177, 2);
}

static void script_serial(Gen *g)
{
    static const uint16_t bases[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
    uint16_t base = PICK(g, bases);

    for (unsigned n = 1 + below(g, 6); n; n--)
        in_or_out(g, base + below(g, 8), 1);
}

static void script_power(Gen *g)
{
    out(g, 0xcf8, 0x80000b80, 4);
    out(g, 0xcfc, 1, 1);
    out(g, 0xcf8, 0x80000b40, 4);
    out(g, 0xcfc, 0x601, 4);
    if (any(g) & 1) { /* and the SMBus */
        out(g, 0xcf8, 0x80000b90, 4);
        out(g, 0xcfc, 0x701, 4);
        out(g, 0xcf8, 0x80000bd0, 4);
        out(g, 0xcfe, 0x09, 1);
        for (unsigned n = below(g, 4); n; n--)
            in_or_out(g, 0x700 + below(g, 16), 1);
    }
    out(g, 0xb2, any(g) & 1 ? 0xf1 : odd_value(g), 1);
    out(g, 0x600 + below(g, 12), odd_value(g), 1u << below(g, 3));
    in(g, 0x600 + below(g, 12), 1u << below(g, 3));
    step(g, OP_POWER, 1, 0, below(g, 2));
}

static void script_cpu(Gen *g)
{
    unsigned cpu = below(g, BOARD_CPUS);
    uint32_t msr = below(g, 4) ? 0x800 + below(g, 0x40) : 0x1b;
    uint64_t value = odd_value(g);

    if (msr == 0x1b && below(g, 2))
        value = 0xfee00000 | below(g, 16) << 8;
    switch (below(g, 8)) {
    case 0: step(g, OP_CPU, 1, cpu, 0); break;
    case 1: step(g, OP_READ_MSR, cpu, msr, 0); break;
    case 2: step(g, OP_WRITE_MSR, cpu, msr, value); break;
    case 3: step(g, OP_TPR, 1, cpu, value); break;
    case 4: step(g, OP_TSC_DEADLINE, 1, cpu, value >> 1); break;
    case 5: step(g, OP_FERR, 1, 0, any(g) & 1); break;
    case 6: step(g, OP_CPU_RESET, 1, cpu, any(g) & 1); break;
    default: step(g, OP_ACKNOWLEDGE, 1, cpu, 0);
    }
}

static void script_keys(Gen *g)
{
    for (unsigned n = 1 + below(g, 8); n; n--) {
        if (any(g) & 1)
            step(g, OP_KEY, 1, below(g, 256), any(g) & 1);
        else
            step(g, OP_MOUSE, 1, odd_value(g), below(g, 8));
    }
}

static void script_time(Gen *g)
{
    static const int64_t scales[] = { 20, 1000, 1000000, 50000000 };
    static const int64_t sleeps[] = { NS_PER_SEC, 100 * NS_PER_SEC, NS_PER_DAY, 400 * NS_PER_DAY };

    if (below(g, 8))
        step(g, OP_ADVANCE, 1, 0, below(g, PICK(g, scales)));
    else
        step(g, OP_SLEEP, 1, 0, below(g, PICK(g, sleeps)));
}

static void script_host(Gen *g)
{
    switch (below(g, 8)) {
    case 0: step(g, OP_RESET, 1, 0, 0); break;
    case 1: step(g, OP_PRINT, 1, 0, 0); break;
    case 2:
    case 3:
    case 4:
        if (!g->migrates)
            step(g, OP_CHARS, 1 + below(g, 40), below(g, MACHINE_MAX_SERIAL), any(g));
        else if (!below(g, 4))
            step(g, OP_MIGRATE, 1, 0, 0);
        break;
    default: step(g, OP_ROUND_TRIP, 1, 0, 0);
    }
}

/* ---- A look at everything -------------------------------------------------------------------- */

static void look_behind_index(Gen *g, uint16_t index, uint16_t data, unsigned count, uint8_t size)
{
    for (unsigned i = 0; i < count; i++) {
        out(g, index, i, size);
        in(g, data, size);
    }
}

static void look_at_pci(Gen *g)
{
    static const uint8_t functions[] = { 0, 8, 0xb, 0x10 };

    for (unsigned f = 0; f < G_N_ELEMENTS(functions); f++) {
        for (unsigned reg = 0; reg < 256; reg += 4) {
            out(g, 0xcf8, 0x80000000 | functions[f] << 8 | reg, 4);
            in(g, 0xcfc, 4);
        }
    }
}

static void look_at_timers(Gen *g)
{
    out(g, 0x43, 0xce, 1); /* read back: counts and states of all */
    for (unsigned counter = 0; counter < 3; counter++) {
        for (int i = 0; i < 3; i++)
            in(g, 0x40 + counter, 1);
    }
    for (uint64_t reg = 0; reg < 0x160; reg += 8)
        step(g, OP_READ, 8, 0xfed00000 + reg, 0);
}

static void look_at_interrupts(Gen *g)
{
    for (unsigned cpu = 0; cpu < BOARD_CPUS; cpu++) {
        step(g, OP_CPU, 1, cpu, 0);
        for (uint64_t reg = 0; reg < 0x400; reg += 0x10)
            step(g, OP_READ, 4, 0xfee00000 + reg, 0);
        for (unsigned reg = 0x800; reg < 0x840; reg++)
            step(g, OP_READ_MSR, cpu, reg, 0);
    }
    for (unsigned reg = 0; reg < 0x40; reg++) {
        step(g, OP_WRITE, 4, 0xfec00000, reg);
        step(g, OP_READ, 4, 0xfec00010, 0);
    }
    for (unsigned i = 0; i < 12; i++) { /* what waits, in order of priority */
        step(g, OP_ACKNOWLEDGE, 1, i & 1, 0);
        out(g, i & 2 ? 0xa0 : 0x20, i & 4 ? 0x20 : 0x0b, 1);
        in(g, 0x20, 1);
        in(g, 0xa0, 1);
    }
}

/* What the keyboard and the mouse were told: scan set, resolution, rate; then keys. */
static void look_at_input(Gen *g)
{
    static const uint8_t asks[][2] = { { 0x64, 0x20 }, { 0x60, 0xf0 }, { 0x60, 0x00 },
                                       { 0x64, 0xd0 }, { 0x64, 0xd4 }, { 0x60, 0xe9 } };

    for (int i = 0; i < 40; i++)
        in(g, 0x60, 1);
    step(g, OP_KEY, 1, 0x1e, 1);
    step(g, OP_KEY, 1, 0x1e, 0);
    step(g, OP_MOUSE, 1, 5, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(asks); i++) {
        out(g, asks[i][0], asks[i][1], 1);
        for (int k = 0; k < 5; k++) {
            in(g, 0x64, 1);
            in(g, 0x60, 1);
        }
    }
}

/* After a round trip, read all that can be read: a field that was not saved shows somewhere. */
static void look_at_everything(Gen *g)
{
    step(g, OP_ROUND_TRIP, 1, 0, 0);
    for (unsigned i = 0; i + 1 < G_N_ELEMENTS(port_places); i++) {
        const Place *p = &port_places[i];

        for (unsigned k = 0; k < p->size; k++)
            in(g, p->base + k, 1);
    }
    look_at_pci(g);
    look_at_timers(g);
    look_at_interrupts(g);
    look_at_input(g);
    look_behind_index(g, 0x70, 0x71, 128, 1);
    look_behind_index(g, 0x3c4, 0x3c5, 32, 1);
    look_behind_index(g, 0x3ce, 0x3cf, 64, 1);
    look_behind_index(g, 0x3d4, 0x3d5, 64, 1);
    look_behind_index(g, 0x3c7, 0x3c9, 255, 1);
    look_behind_index(g, 0x1ce, 0x1cf, 16, 2);
}

static void set_graphics(Gen *g, uint8_t reg, uint8_t value)
{
    out(g, 0x3ce, reg | value << 8, 2);
}

/* A BLT of a few rows that is like one, and data for it; the CL-GD5446 is on every other board. */
static void script_blt(Gen *g)
{
    static const uint8_t modes[] = { 0x00, 0x01, 0x04, 0x08, 0x40, 0x80, 0x84, 0x8c, 0xc0, 0xc8 };
    static const uint8_t rops[] = { 0x0d, 0x59, 0x06, 0x6d, 0xda, 0x77 };

    out(g, 0x3c4, 0x1206, 2);
    for (uint8_t reg = 0x20; reg < 0x30; reg++)
        set_graphics(g, reg, odd_value(g));
    set_graphics(g, 0x23, 0);
    set_graphics(g, 0x22, below(g, 16));
    set_graphics(g, 0x30, PICK(g, modes) | below(g, 4) << 4);
    set_graphics(g, 0x32, PICK(g, rops));
    set_graphics(g, 0x33, below(g, 8));
    set_graphics(g, 0x31, below(g, 8) ? 2 : 4);
    for (uint64_t n = below(g, 40); n; n--)
        step(g, OP_WRITE, odd_size(g), 0xa0000 + below(g, 0x20000), odd_value(g));
}

static Script *const scripts[] = {
    script_port,    script_port,       script_memory,      script_memory,    script_index_and_data,
    script_pci,     script_map_bar,    script_i8042,       script_pit,       script_rtc,
    script_hpet,    script_apic,       script_ioapic,      script_pic,       script_dma,
    script_cpu,     script_serial,     script_power,       script_time,      script_time,
    script_host,    script_fw_cfg_dma, script_fw_cfg_read, script_interrupt, script_ferr,
    script_keys,    script_floppy,     script_packet,      script_blt,       script_virtio,
    script_virtio,  script_virtio,     script_virtio,      script_e1000,     script_rtl8139,
    script_ne2k,    script_disk,       script_disk,        script_bars,      script_outside,
    script_outside,
};

GArray *ops_generate(uint64_t seed, unsigned count)
{
    Gen g = { .state = seed * 2 + 1, .ops = g_array_new(FALSE, FALSE, sizeof(Op)) };

    g.migrates = seed & 1;
    while (g.ops->len < count)
        PICK(&g, scripts)(&g);
    look_at_everything(&g);
    return g.ops;
}
