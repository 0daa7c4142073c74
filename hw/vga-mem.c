/* SPDX-License-Identifier: MIT */
/*
 * The VGA window at 0xa0000: four planes behind latches, chain 4, odd/even, write modes 0 to 3.
 * Spec: IBM PS/2 Hardware Interface Technical Reference, "Video subsystem".
 *
 * Video memory holds the planes interleaved: plane p of address a is byte 4 * a + p. Chain 4 is
 * then linear, and odd/even addresses 2n and 2n + 1 are planes 0 and 1 of address n.
 */
#include "hw/vga-internal.h"

#include "softmmu/log.h"

/* Where the window shows, by bits 3..2 of graphics register 6. */
static const struct {
    uint32_t start, size;
} windows[4] = {
    { 0x00000, 0x20000 }, { 0x00000, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 }
};

bool vga_to_window(const Vga *s, uint64_t *addr)
{
    unsigned map = s->gr[GR_MISC] >> 2 & 3;

    if (*addr - windows[map].start >= windows[map].size)
        return false;
    *addr -= windows[map].start;
    return true;
}

static uint8_t *vram(Vga *s)
{
    return s->w.vram->host;
}

/* A byte of video memory by its linear address; NULL beyond the end. */
static uint8_t *linear(Vga *s, uint64_t at)
{
    return at < s->w.vram->size ? vram(s) + at : NULL;
}

static bool is_chain4(const Vga *s)
{
    return vga_vbe_is_linear(s) || (s->sr[SR_MEMORY_MODE] & SR4_CHAIN4);
}

/* The bank of VBE counts where memory is linear. */
static uint64_t to_byte(const Vga *s, uint64_t addr)
{
    return is_chain4(s) ? addr + ((uint64_t)s->vbe[VBE_BANK] << 16) : addr;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static uint8_t compare_colors(const Vga *s)
{
    uint8_t differs = 0;

    for (int p = 0; p < 4; p++) {
        uint8_t wanted = s->gr[GR_COLOR_COMPARE] >> p & 1 ? 0xff : 0x00;
        if (s->gr[GR_COLOR_CARE] >> p & 1)
            differs |= s->latch[p] ^ wanted;
    }
    return ~differs;
}

uint8_t vga_read_byte(Vga *s, uint64_t addr)
{
    uint8_t *byte;
    unsigned plane;

    if (is_chain4(s)) {
        byte = linear(s, addr);
        return byte ? *byte : 0xff;
    }
    if (s->gr[GR_MODE] & GR5_ODD_EVEN) {
        plane = (s->gr[GR_READ_MAP] & 2) | (addr & 1);
        addr >>= 1;
    } else {
        plane = s->gr[GR_READ_MAP];
    }
    byte = linear(s, 4 * addr);
    if (!byte)
        return 0xff;
    for (int p = 0; p < 4; p++)
        s->latch[p] = byte[p];
    return s->gr[GR_MODE] & GR5_READ_MODE ? compare_colors(s) : s->latch[plane];
}

static uint64_t window_read(void *opaque, uint64_t addr, unsigned size)
{
    Vga *s = opaque;

    return vga_to_window(s, &addr) ? vga_read_byte(s, to_byte(s, addr)) : 0xff;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static uint8_t rotate(uint8_t value, unsigned n)
{
    return value >> n | value << ((8 - n) & 7);
}

static uint8_t combine(unsigned function, uint8_t value, uint8_t latch)
{
    switch (function) {
    case 1: return value & latch;
    case 2: return value | latch;
    case 3: return value ^ latch;
    default: return value;
    }
}

/* What plane @p gets for CPU byte @value: the four write modes. */
static uint8_t plane_value(const Vga *s, unsigned p, uint8_t value)
{
    uint8_t rotated = rotate(value, s->gr[GR_ROTATE] & 7);
    uint8_t set_reset = s->gr[GR_SET_RESET] >> p & 1 ? 0xff : 0x00;
    uint8_t mask = s->gr[GR_BIT_MASK], out;

    switch (s->gr[GR_MODE] & 3) {
    case 0: out = s->gr[GR_ENABLE_SET_RESET] >> p & 1 ? set_reset : rotated; break;
    case 1: return s->latch[p];
    case 2: out = value >> p & 1 ? 0xff : 0x00; break;
    default:
        out = set_reset;
        mask &= rotated;
        break;
    }
    out = combine(s->gr[GR_ROTATE] >> 3 & 3, out, s->latch[p]);
    return (out & mask) | (s->latch[p] & ~mask);
}

static void put(Vga *s, uint8_t *byte, uint8_t value)
{
    *byte = value;
    ram_block_written(s->w.vram, byte - vram(s), 1);
}

void vga_write_byte(Vga *s, uint64_t addr, uint8_t value)
{
    uint8_t planes = s->sr[SR_MAP_MASK];
    uint8_t *byte;

    if (is_chain4(s)) {
        byte = linear(s, addr);
        if (byte && (vga_vbe_is_linear(s) || (planes >> (addr & 3) & 1)))
            put(s, byte, value);
        return;
    }
    if (!(s->sr[SR_MEMORY_MODE] & SR4_ODD_EVEN_OFF)) {
        planes &= addr & 1 ? 0x0a : 0x05;
        addr >>= 1;
    }
    byte = linear(s, 4 * addr);
    for (unsigned p = 0; byte && p < 4; p++) {
        if (planes >> p & 1)
            put(s, byte + p, plane_value(s, p, value));
    }
}

static void window_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Vga *s = opaque;

    if (vga_to_window(s, &addr))
        vga_write_byte(s, to_byte(s, addr), value);
}

const MemOps vga_window_ops = { window_read, window_write, .min_size = 1, .max_size = 1 };
