/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/device-gen.h"

/* ---- Random --------------------------------------------------------------------------------- */

uint64_t any(Gen *g)
{
    uint64_t x = g->state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t below(Gen *g, uint64_t n)
{
    return any(g) % n;
}

uint64_t odd_value(Gen *g)
{
    static const uint64_t edges[] = {
        0,          1,
        2,          0x7f,
        0x80,       0xff,
        0x7fff,     0x8000,
        0xffff,     0x10000,
        0x7fffffff, 0x80000000,
        0xffffffff, 0x100000000,
        INT64_MAX,  UINT64_C(1) << 63,
        UINT64_MAX, UINT64_MAX - 7,
    };

    switch (below(g, 5)) {
    case 0: return PICK(g, edges);
    case 1: return UINT64_C(1) << below(g, 64);
    case 2: return below(g, 32);
    case 3: return -below(g, 32);
    default: return any(g) >> below(g, 64);
    }
}

uint8_t odd_size(Gen *g)
{
    return 1u << below(g, 4);
}

/* ---- Steps ---------------------------------------------------------------------------------- */

void step(Gen *g, OpKind kind, uint8_t size, uint64_t addr, uint64_t value)
{
    Op op = { kind, size, addr, value };

    g_array_append_val(g->ops, op);
}

void out(Gen *g, uint16_t port, uint32_t value, uint8_t size)
{
    step(g, OP_OUT, size, port, value);
}

void in(Gen *g, uint16_t port, uint8_t size)
{
    step(g, OP_IN, size, port, 0);
}

void in_or_out(Gen *g, uint16_t port, uint8_t size)
{
    if (any(g) & 1)
        out(g, port, odd_value(g), size);
    else
        in(g, port, size);
}

void read_or_write(Gen *g, uint64_t addr, uint8_t size)
{
    if (any(g) & 1)
        step(g, OP_WRITE, size, addr, odd_value(g));
    else
        step(g, OP_READ, size, addr, 0);
}

void put(Gen *g, uint64_t addr, uint64_t value, uint8_t size)
{
    step(g, OP_WRITE, size, addr, value);
}

void put_config(Gen *g, uint8_t devfn, uint8_t reg, uint32_t value, uint8_t size)
{
    out(g, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    out(g, 0xcfc + (reg & 3), value, size);
}
