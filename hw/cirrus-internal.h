/* SPDX-License-Identifier: MIT */
/* The CL-GD5446's struct, shared by cirrus.c (device), cirrus-regs.c (registers), cirrus-mem.c (how
 * the CPU sees video memory), cirrus-blt.c (the BitBLT engine) and cirrus-draw.c. */
#ifndef HW_CIRRUS_INTERNAL_H
#define HW_CIRRUS_INTERNAL_H

#include "hw/cirrus.h"
#include "hw/vga-internal.h"

/* Extension registers by their names in the manual. */
enum {
    SR_UNLOCK = 0x06,
    SR_EXTENDED_MODE = 0x07,
    SR_CURSOR_X = 0x10,
    SR_CURSOR_Y = 0x11,
    SR_CURSOR_ATTRIBUTES = 0x12,
    SR_CURSOR_PATTERN = 0x13,
    SR_CONFIGURATION = 0x17,
    SR_COUNT = 0x20,
};
enum { SR6_KEY = 0x12, SR6_LOCKED = 0x0f };
enum { SR7_PACKED = 0x01 };
enum { SR12_CURSOR = 0x01, SR12_CURSOR_COLOURS = 0x02, SR12_64X64 = 0x04 };
enum { SR17_MMIO = 0x04, SR17_MMIO_AT_END = 0x40 };
enum {
    GR_OFFSET_0 = 0x09,
    GR_EXTENSIONS = 0x0b,
    GR_POWER = 0x0e,
    GR_BLT_WIDTH = 0x20,
    GR_BLT_HEIGHT = 0x22,
    GR_BLT_DST_PITCH = 0x24,
    GR_BLT_SRC_PITCH = 0x26,
    GR_BLT_DST = 0x28,
    GR_BLT_SRC = 0x2c,
    GR_BLT_SKIP = 0x2f,
    GR_BLT_MODE = 0x30,
    GR_BLT_START = 0x31,
    GR_BLT_ROP = 0x32,
    GR_BLT_EXTENSIONS = 0x33,
    GR_BLT_KEY = 0x34,
    GR_COUNT = 0x40,
};
enum {
    GRB_TWO_OFFSETS = 0x01,
    GRB_BY8 = 0x02,
    GRB_EXTENDED_WRITE = 0x04,
    GRB_LATCHES = 0x08,
    GRB_16BIT_WRITE = 0x10,
    GRB_16K_OFFSETS = 0x20,
};
enum { GRE_NO_SYNC = 0x06 };
enum {
    CR_INTERLACE = 0x1a,
    CR_EXTENDED_DISPLAY = 0x1b,
    CR_OVERLAY = 0x1d,
    CR_FLIP_FLOP = 0x24,
    CR_REVISION = 0x25,
    CR_ATTRIBUTE_INDEX = 0x26,
    CR_ID = 0x27,
    CR_COUNT = 0x40,
};
enum { HDR_EXTENDED = 0x80, HDR_BY_LOW_BITS = 0x40 };

enum { BLT_ROW_MAX = 0x2000, BLT_ROWS_MAX = 0x800, BLT_MMIO_SIZE = 0x100 };

typedef struct Cirrus {
    PciDevice pci;
    Vga vga;
    /* BAR 0: video memory; the same where writes do more than store, with a place that takes data
     * for the engine; its registers at the end. BAR 1: registers. */
    MemRegion bar0, lfb, lfb_io, blt_data, lfb_regs, mmio, rom;
    /* state */
    uint8_t sr_index, sr[SR_COUNT];
    uint8_t gr_index, gr[GR_COUNT];
    uint8_t hdr, dac_reads; /* the hidden DAC register; reads of port 0x3c6 before it */
    uint8_t cursor_colours[48];
    uint16_t cursor_x, cursor_y;
    uint8_t latches[8];
    /* A BLT whose source is the CPU: bytes to come, place in its row, the row's destination. */
    uint32_t blt_left, blt_at, blt_dst, blt_row;
    uint8_t blt_data_row[BLT_ROW_MAX];
} Cirrus;

static inline Cirrus *cirrus_of(Vga *s)
{
    return (Cirrus *)((char *)s - offsetof(Cirrus, vga));
}

static inline bool cirrus_is_packed(const Cirrus *c)
{
    return c->sr[SR_EXTENDED_MODE] & SR7_PACKED;
}

extern const VgaChip cirrus_chip;

/* cirrus-regs.c */
void cirrus_reset_regs(Cirrus *c);
uint8_t cirrus_read_gr(Cirrus *c, unsigned index);
void cirrus_write_gr(Cirrus *c, unsigned index, uint8_t value);
bool cirrus_read_port(Vga *s, unsigned port, uint8_t *value);
bool cirrus_write_port(Vga *s, unsigned port, uint8_t value);
extern const MemOps cirrus_mmio_ops;     /* BAR 1; opaque: the Cirrus */
extern const MemOps cirrus_blt_mmio_ops; /* the engine's registers in memory; the Cirrus */

/* cirrus-mem.c */
extern const MemOps cirrus_window_ops;                   /* opaque: the Vga */
extern const MemOps cirrus_lfb_ops, cirrus_blt_data_ops; /* opaque: the Cirrus */
void cirrus_update_map(Cirrus *c); /* after registers changed that it depends on */

/* cirrus-blt.c */
void cirrus_blt_start(Cirrus *c);
void cirrus_blt_stop(Cirrus *c);
static inline bool cirrus_blt_wants_data(const Cirrus *c)
{
    return c->blt_left;
}
void cirrus_blt_data(Cirrus *c, uint8_t value); /* it wants it */
void cirrus_blt_post_load(Cirrus *c);

/* cirrus-draw.c */
extern const DisplayOps cirrus_display_ops; /* opaque: the Vga */

#endif
