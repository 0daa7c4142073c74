/* SPDX-License-Identifier: MIT */
/*
 * Registers that the CL-GD5446 has beyond those of a VGA, behind SR6, the lock: while that is
 * closed they keep what they have, and read as ones. They are reached by the ports, in BAR 1, and
 * those of the BitBLT engine also in memory. The index of the sequencer has the lowest bits of the
 * cursor's coordinates; port 0x3c6 read four times becomes the hidden DAC register for one access.
 */
#include "hw/cirrus-internal.h"

#include <string.h>

#include "softmmu/log.h"

enum { ID = 0xb8, MMIO_PORTS = 0x20, MMIO_BLT = 0x100, MMIO_BLT_START = 0x40 };

static bool is_unlocked(const Cirrus *c)
{
    return c->sr[SR_UNLOCK] == SR6_KEY;
}

/* ---- Sequencer ------------------------------------------------------------------------------ */

/* Clocks as after power-on, DRAM 64 bits wide in two banks, PCI, 4 MiB. */
static const uint8_t sr_reset[SR_COUNT] = {
    [SR_UNLOCK] = SR6_LOCKED,
    [0x0b] = 0x66,
    [0x0c] = 0x5b,
    [0x0d] = 0x45,
    [0x0e] = 0x7e,
    [0x0f] = 0x98,
    [0x15] = 0x04,
    [SR_CONFIGURATION] = 0x20,
    [0x1b] = 0x3b,
    [0x1c] = 0x2f,
    [0x1d] = 0x30,
    [0x1e] = 0x33,
    [0x1f] = 0x22,
};

static void write_sr(Cirrus *c, unsigned index, uint8_t value)
{
    if (index == SR_UNLOCK) {
        c->sr[index] = (value & 0x17) == SR6_KEY ? SR6_KEY : SR6_LOCKED;
        return;
    }
    if (!is_unlocked(c))
        return;
    switch (index) {
    case SR_CURSOR_X: c->cursor_x = value << 3 | c->sr_index >> 5; break;
    case SR_CURSOR_Y: c->cursor_y = value << 3 | c->sr_index >> 5; break;
    case SR_CONFIGURATION: /* what the board is remains */
        c->sr[index] = (c->sr[index] & 0x38) | (value & 0xc7);
        break;
    default: c->sr[index] = value;
    }
    cirrus_update_map(c);
}

static uint8_t read_sr(const Cirrus *c, unsigned index)
{
    if (index > SR_UNLOCK && !is_unlocked(c))
        return 0xff;
    switch (index) {
    case SR_CURSOR_X: return c->cursor_x >> 3;
    case SR_CURSOR_Y: return c->cursor_y >> 3;
    default: return c->sr[index];
    }
}

/* ---- Graphics controller -------------------------------------------------------------------- */

/* From 9 up. Widths, heights, pitches and addresses have 13, 11, 13 and 22 bits. */
static const uint8_t gr_mask[GR_COUNT] = {
    [0x09] = 0xff, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff,       /* GR9 to GRF */
    [0x10] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,             /* background and foreground */
    [0x20] = 0xff, 0x1f, 0xff, 0x07, 0xff, 0x1f, 0xff, 0x1f, /* width to source pitch */
    [0x28] = 0xff, 0xff, 0x3f, 0x00, 0xff, 0xff, 0x3f, 0x1f, /* addresses, skip */
    [0x30] = 0xff, 0xfe, 0xff, 0x1f, 0xff, 0xff,             /* mode to key */
};

enum { GR31_BUSY = 0x01, GR31_START = 0x02, GR31_RESET = 0x04, GR31_ACTIVE = 0x08 };
enum { GR31_AUTO_START = 0x80 };

static void write_blt_start(Cirrus *c, uint8_t value)
{
    c->gr[GR_BLT_START] = value & (GR31_AUTO_START | 0x70);
    if (value & GR31_RESET)
        cirrus_blt_stop(c);
    else if ((value & GR31_START) && !cirrus_blt_wants_data(c))
        cirrus_blt_start(c);
}

static void write_extended_gr(Cirrus *c, unsigned index, uint8_t value)
{
    if (index == GR_BLT_START) {
        write_blt_start(c, value);
    } else {
        c->gr[index] = value & gr_mask[index];
        if (index == GR_BLT_DST + 2 && (c->gr[GR_BLT_START] & GR31_AUTO_START) &&
            !cirrus_blt_wants_data(c))
            cirrus_blt_start(c);
    }
    cirrus_update_map(c);
}

/* Of a VGA's registers some have more bits here. */
void cirrus_write_gr(Cirrus *c, unsigned index, uint8_t value)
{
    index %= GR_COUNT;
    if (index > GR_BIT_MASK) {
        if (is_unlocked(c))
            write_extended_gr(c, index, value);
        return;
    }
    c->gr[index] = value;
    if (index == GR_MODE)
        cirrus_update_map(c);
}

uint8_t cirrus_read_gr(Cirrus *c, unsigned index)
{
    uint8_t busy = cirrus_blt_wants_data(c) ? GR31_BUSY | GR31_START | GR31_ACTIVE : 0;

    index %= GR_COUNT;
    if (index > GR_BIT_MASK && !is_unlocked(c))
        return 0xff;
    return c->gr[index] | (index == GR_BLT_START ? busy : 0);
}

/* GR0, GR1 and GR5, wider where writing is extended. */
static bool is_wide(const Cirrus *c, unsigned index)
{
    return (c->gr[GR_EXTENSIONS] & GRB_EXTENDED_WRITE) &&
           (index <= GR_ENABLE_SET_RESET || index == GR_MODE);
}

/* ---- CRT controller ------------------------------------------------------------------------- */

static uint8_t read_cr(const Cirrus *c, unsigned index)
{
    const Vga *s = &c->vga;

    if (!is_unlocked(c))
        return 0xff;
    switch (index) {
    case 0x22: return s->latch[s->gr[GR_READ_MAP]];
    case CR_FLIP_FLOP: return s->ar_data_next ? 0x80 : 0;
    case CR_ATTRIBUTE_INDEX: return s->ar_index;
    case CR_REVISION: return 0;
    case CR_ID: return ID;
    default: return s->cr[index];
    }
}

static void write_cr(Cirrus *c, unsigned index, uint8_t value)
{
    if (is_unlocked(c))
        c->vga.cr[index] = value;
}

static bool is_extended_cr(const Vga *s)
{
    return s->cr_index > 0x18 && s->cr_index < CR_COUNT;
}

/* ---- DAC ------------------------------------------------------------------------------------ */

static uint8_t read_mask(Cirrus *c)
{
    if (c->dac_reads == 4) {
        c->dac_reads = 0;
        return c->hdr;
    }
    c->dac_reads++;
    return c->vga.dac_mask;
}

static void write_mask(Cirrus *c, uint8_t value)
{
    if (c->dac_reads == 4)
        c->hdr = value;
    else
        c->vga.dac_mask = value;
    c->dac_reads = 0;
}

/* The colour that port 0x3c9 is about, where it is the cursor's. */
static uint8_t *cursor_colour(Cirrus *c, uint8_t index)
{
    if (!(c->sr[SR_CURSOR_ATTRIBUTES] & SR12_CURSOR_COLOURS))
        return NULL;
    return c->cursor_colours + 3 * (index & 15) + c->vga.dac_step;
}

/* ---- Ports ---------------------------------------------------------------------------------- */

static bool read_colour(Cirrus *c, uint8_t *value)
{
    const uint8_t *colour = cursor_colour(c, c->vga.dac_read);

    if (!colour)
        return false;
    *value = *colour;
    if (++c->vga.dac_step == 3) {
        c->vga.dac_step = 0;
        c->vga.dac_read++;
    }
    return true;
}

static bool write_colour(Cirrus *c, uint8_t value)
{
    uint8_t *colour = cursor_colour(c, c->vga.dac_write);

    if (!colour)
        return false;
    *colour = value & 0x3f;
    if (++c->vga.dac_step == 3) {
        c->vga.dac_step = 0;
        c->vga.dac_write++;
    }
    return true;
}

bool cirrus_read_port(Vga *s, unsigned port, uint8_t *value)
{
    Cirrus *c = cirrus_of(s);
    unsigned sr = c->sr_index % SR_COUNT;

    switch (port) {
    case 0x3c4: *value = c->sr_index; return true;
    case 0x3c5:
        *value = read_sr(c, sr);
        return sr > SR_MEMORY_MODE ||
               (sr == SR_MAP_MASK && (c->gr[GR_EXTENSIONS] & GRB_EXTENDED_WRITE));
    case 0x3c6: *value = read_mask(c); return true;
    case 0x3c7:
    case 0x3c8: c->dac_reads = 0; return false;
    case 0x3c9: c->dac_reads = 0; return read_colour(c, value);
    case 0x3ce: *value = c->gr_index; return true;
    case 0x3cf:
        *value = cirrus_read_gr(c, c->gr_index);
        return c->gr_index > GR_BIT_MASK || is_wide(c, c->gr_index);
    case 0x3b5:
    case 0x3d5:
        if (is_extended_cr(s))
            *value = read_cr(c, s->cr_index);
        return is_extended_cr(s);
    default: return false;
    }
}

static void choose_sr(Cirrus *c, uint8_t value)
{
    c->sr_index = value;
    c->vga.sr_index = value & 7; /* for those that are a VGA's */
}

static void choose_gr(Cirrus *c, uint8_t value)
{
    c->gr_index = value % GR_COUNT;
    c->vga.gr_index = value & 0x0f;
}

static bool write_sr_port(Cirrus *c, uint8_t value)
{
    unsigned index = c->sr_index % SR_COUNT;

    if (index <= SR_MEMORY_MODE) {
        c->sr[index] = value;
        return false;
    }
    write_sr(c, index, value);
    return true;
}

bool cirrus_write_port(Vga *s, unsigned port, uint8_t value)
{
    Cirrus *c = cirrus_of(s);

    switch (port) {
    case 0x3c4: choose_sr(c, value); return true;
    case 0x3c5: return write_sr_port(c, value);
    case 0x3c6: write_mask(c, value); return true;
    case 0x3c7:
    case 0x3c8: c->dac_reads = 0; return false;
    case 0x3c9: c->dac_reads = 0; return write_colour(c, value);
    case 0x3ce: choose_gr(c, value); return true;
    case 0x3cf: cirrus_write_gr(c, c->gr_index, value); return c->gr_index > GR_BIT_MASK;
    case 0x3b5:
    case 0x3d5:
        if (is_extended_cr(s))
            write_cr(c, s->cr_index, value);
        return is_extended_cr(s);
    default: return false;
    }
}

/* ---- Registers in memory -------------------------------------------------------------------- */

/* Which register is at which byte of the engine's block, from 0; 0xff: none. */
static const uint8_t blt_mmio[] = {
    0x00, 0x10, 0x12, 0x14, 0x01, 0x11, 0x13, 0x15, /* colours */
    0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, /* width to source pitch */
    0x28, 0x29, 0x2a, 0xff, 0x2c, 0x2d, 0x2e, 0x2f, /* addresses, skip */
    0x30, 0xff, 0x32, 0x33, 0x34, 0x35,             /* mode, ROP, extensions, key */
};

/* -1: there is none. */
static int blt_register(uint64_t addr)
{
    if (addr == MMIO_BLT_START)
        return GR_BLT_START;
    return addr < sizeof(blt_mmio) && blt_mmio[addr] != 0xff ? blt_mmio[addr] : -1;
}

static uint64_t blt_mmio_read(void *opaque, uint64_t addr, unsigned size)
{
    int reg = blt_register(addr);

    return reg < 0 ? 0xff : cirrus_read_gr(opaque, reg);
}

static void blt_mmio_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Cirrus *c = opaque;
    int reg = blt_register(addr);

    if (reg > GR_BIT_MASK)
        cirrus_write_gr(c, reg, value);
    else if (reg >= 0)
        c->gr[reg] = value; /* the colours alone */
    else
        log_unimp("cirrus: write to register 0x%02x of the BLT engine\n", (unsigned)addr);
}

const MemOps cirrus_blt_mmio_ops = { blt_mmio_read, blt_mmio_write, .min_size = 1, .max_size = 1 };

static uint64_t mmio_read(void *opaque, uint64_t addr, unsigned size)
{
    Cirrus *c = opaque;

    if (addr < MMIO_PORTS)
        return vga_read_port(&c->vga, 0x3c0 + addr);
    return addr >= MMIO_BLT ? blt_mmio_read(c, addr - MMIO_BLT, size) : 0xff;
}

static void mmio_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Cirrus *c = opaque;

    if (addr < MMIO_PORTS)
        vga_write_port(&c->vga, 0x3c0 + addr, value);
    else if (addr >= MMIO_BLT)
        blt_mmio_write(c, addr - MMIO_BLT, value, size);
}

const MemOps cirrus_mmio_ops = { mmio_read, mmio_write, .min_size = 1, .max_size = 1 };

void cirrus_reset_regs(Cirrus *c)
{
    memcpy(c->sr, sr_reset, sizeof(c->sr));
    memset(c->gr, 0, sizeof(c->gr));
    memset(c->cursor_colours, 0, sizeof(c->cursor_colours));
    memset(c->latches, 0, sizeof(c->latches));
    memset(c->blt_data_row, 0, sizeof(c->blt_data_row));
    c->sr_index = c->gr_index = c->hdr = c->dac_reads = 0;
    c->cursor_x = c->cursor_y = 0;
    c->blt_left = c->blt_at = c->blt_dst = c->blt_row = 0;
    cirrus_update_map(c);
}
