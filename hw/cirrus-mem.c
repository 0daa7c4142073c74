/* SPDX-License-Identifier: MIT */
/*
 * How the CPU sees the CL-GD5446's video memory: through the window at 0xa0000, moved by one or two
 * offset registers, and as a whole in BAR 0. In packed-pixel modes memory is linear; there are
 * addresses that stand for 8 or 16 bytes, writes whose bits become pixels, and latches of 8 bytes.
 * While the BitBLT engine waits for data of the CPU, whatever is written to either is that.
 */
#include "hw/cirrus-internal.h"

enum { MMIO_AT = 0x18000 /* 0xb8000 */ };

static uint32_t memory_mask(const Cirrus *c)
{
    return c->vga.w.vram->size - 1;
}

static uint8_t extensions(const Cirrus *c)
{
    return c->gr[GR_EXTENSIONS];
}

static unsigned write_mode(const Cirrus *c)
{
    return c->gr[GR_MODE] & (extensions(c) & GRB_EXTENDED_WRITE ? 7 : 3);
}

/* Bytes of video memory that an address of the CPU's stands for, as a power of two. */
static unsigned scale(const Cirrus *c)
{
    uint8_t wide = GRB_16BIT_WRITE | GRB_EXTENDED_WRITE;

    if ((extensions(c) & wide) == wide)
        return 4;
    return extensions(c) & GRB_BY8 ? 3 : 0;
}

/* A plain store would not do what a write does. */
static bool is_special(const Cirrus *c)
{
    return cirrus_is_packed(c) && (scale(c) || (extensions(c) & GRB_LATCHES) || write_mode(c) > 3);
}

/* ---- Linear memory --------------------------------------------------------------------------- */

static void put(Cirrus *c, uint32_t at, const uint8_t *bytes, unsigned n)
{
    RamBlock *vram = c->vga.w.vram;

    for (unsigned i = 0; i < n; i++) {
        uint32_t to = (at + i) & memory_mask(c);

        vram->host[to] = bytes[i];
        ram_block_changed(vram, to, 1);
    }
}

static uint8_t read_linear(Cirrus *c, uint64_t addr)
{
    uint32_t at = (addr << scale(c)) & memory_mask(c);
    const uint8_t *vram = c->vga.w.vram->host;

    if (extensions(c) & GRB_LATCHES) {
        for (unsigned i = 0; i < 8; i++)
            c->latches[i] = vram[((at & ~7u) + i) & memory_mask(c)];
    }
    return vram[at];
}

/* Write modes 4 and 5: each bit becomes a pixel of the foreground, or where it is zero nothing or
 * one of the background. Bits of SR2 that are zero protect pixels. */
static void write_bits(Cirrus *c, uint32_t at, uint8_t bits)
{
    unsigned bytes = extensions(c) & GRB_16BIT_WRITE ? 2 : 1;
    uint8_t mask = c->sr[SR_MAP_MASK];

    if (write_mode(c) == 4)
        mask &= bits;
    for (unsigned i = 0; i < 8; i++, at += bytes) {
        unsigned foreground = bits >> (7 - i) & 1;
        uint8_t pixel[2] = { c->gr[foreground], c->gr[0x10 + foreground] };

        if (mask >> (7 - i) & 1)
            put(c, at, pixel, bytes);
    }
}

static void write_linear(Cirrus *c, uint64_t addr, uint8_t value)
{
    uint32_t at = (addr << scale(c)) & memory_mask(c);

    if (write_mode(c) > 3)
        write_bits(c, at, value);
    else if (write_mode(c) == 1 && (extensions(c) & GRB_LATCHES))
        put(c, at & ~7u, c->latches, 8);
    else
        put(c, at, &value, 1);
}

/* ---- The window ------------------------------------------------------------------------------ */

/* Where the window's byte @addr is, by the offset registers. */
static uint64_t to_offset(const Cirrus *c, uint64_t addr)
{
    bool two = extensions(c) & GRB_TWO_OFFSETS;
    unsigned n = two ? addr >> 15 & 1 : 0;
    unsigned shift = extensions(c) & GRB_16K_OFFSETS ? 14 : 12;

    return (two ? addr & 0x7fff : addr) + ((uint64_t)c->gr[GR_OFFSET_0 + n] << shift);
}

static bool is_mmio(const Cirrus *c, uint64_t addr)
{
    return addr - MMIO_AT < BLT_MMIO_SIZE &&
           (c->sr[SR_CONFIGURATION] & (SR17_MMIO | SR17_MMIO_AT_END)) == SR17_MMIO;
}

static uint64_t window_read(void *opaque, uint64_t addr, unsigned size)
{
    Cirrus *c = cirrus_of(opaque);

    if (is_mmio(c, addr))
        return cirrus_blt_mmio_ops.read(c, addr - MMIO_AT, size);
    if (!vga_to_window(&c->vga, &addr))
        return 0xff;
    addr = to_offset(c, addr);
    return cirrus_is_packed(c) ? read_linear(c, addr) : vga_read_byte(&c->vga, addr);
}

static void window_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Cirrus *c = cirrus_of(opaque);

    if (is_mmio(c, addr)) {
        cirrus_blt_mmio_ops.write(c, addr - MMIO_AT, value, size);
        return;
    }
    if (!vga_to_window(&c->vga, &addr))
        return;
    addr = to_offset(c, addr);
    if (cirrus_blt_wants_data(c))
        cirrus_blt_data(c, value);
    else if (cirrus_is_packed(c))
        write_linear(c, addr, value);
    else
        vga_write_byte(&c->vga, addr, value);
}

const MemOps cirrus_window_ops = { window_read, window_write, .min_size = 1, .max_size = 1 };

/* ---- BAR 0 ----------------------------------------------------------------------------------- */

static uint64_t lfb_read(void *opaque, uint64_t addr, unsigned size)
{
    Cirrus *c = opaque;

    return is_special(c) ? read_linear(c, addr) : c->vga.w.vram->host[addr & memory_mask(c)];
}

static void lfb_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Cirrus *c = opaque;

    if (cirrus_blt_wants_data(c))
        cirrus_blt_data(c, value);
    else
        write_linear(c, addr, value);
}

const MemOps cirrus_lfb_ops = { lfb_read, lfb_write, .min_size = 1, .max_size = 1 };

static uint64_t blt_data_read(void *opaque, uint64_t addr, unsigned size)
{
    return 0xff;
}

static void blt_data_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Cirrus *c = opaque;

    if (cirrus_blt_wants_data(c))
        cirrus_blt_data(c, value);
}

const MemOps cirrus_blt_data_ops = { blt_data_read, blt_data_write, .min_size = 1, .max_size = 1 };

void cirrus_update_map(Cirrus *c)
{
    uint8_t mmio = SR17_MMIO | SR17_MMIO_AT_END;

    memory_set_enabled(&c->lfb_io, cirrus_blt_wants_data(c) || is_special(c));
    memory_set_enabled(&c->lfb_regs, (c->sr[SR_CONFIGURATION] & mmio) == mmio);
}
