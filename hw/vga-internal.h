/* SPDX-License-Identifier: MIT */
/* What all adapters have: registers (vga.c), the window at 0xa0000 (vga-mem.c), Bochs VBE
 * (vga-vbe.c) and what is shown (vga-draw.c). On a bus it is a part of another device: vga-pci.c,
 * vga-isa.c, cirrus.c. */
#ifndef HW_VGA_INTERNAL_H
#define HW_VGA_INTERNAL_H

#include "hw/vga.h"

enum { VGA_WINDOW = 0xa0000, VGA_WINDOW_SIZE = 0x20000, VGA_PLANE_BYTES = 0x40000 };

/* Sequencer, graphics and CRT controller registers by their names in the manuals. */
enum { SR_CLOCKING = 1, SR_MAP_MASK = 2, SR_CHARACTER_MAP = 3, SR_MEMORY_MODE = 4 };
enum { SR1_8_DOTS = 0x01, SR1_HALF_CLOCK = 0x08, SR1_SCREEN_OFF = 0x20 };
enum { SR4_ODD_EVEN_OFF = 0x04, SR4_CHAIN4 = 0x08 };
enum {
    GR_SET_RESET = 0,
    GR_ENABLE_SET_RESET = 1,
    GR_COLOR_COMPARE = 2,
    GR_ROTATE = 3,
    GR_READ_MAP = 4,
    GR_MODE = 5,
    GR_MISC = 6,
    GR_COLOR_CARE = 7,
    GR_BIT_MASK = 8,
};
enum {
    GR5_READ_MODE = 0x08,
    GR5_ODD_EVEN = 0x10,
    GR5_CGA = 0x20,
    GR5_SHIFT256 = 0x40,
    GR6_GRAPHICS = 0x01,
};
enum {
    CR_END_H_DISPLAY = 1,
    CR_OVERFLOW = 7,
    CR_PRESET_SCAN = 8,
    CR_MAX_SCAN = 9,
    CR_CURSOR_START = 0x0a,
    CR_CURSOR_END = 0x0b,
    CR_START_HIGH = 0x0c,
    CR_START_LOW = 0x0d,
    CR_CURSOR_HIGH = 0x0e,
    CR_CURSOR_LOW = 0x0f,
    CR_V_SYNC_END = 0x11,
    CR_END_V_DISPLAY = 0x12,
    CR_OFFSET = 0x13,
    CR_UNDERLINE = 0x14,
    CR_MODE = 0x17,
    CR_LINE_COMPARE = 0x18,
};
enum {
    CR0A_OFF = 0x20,
    CR14_DWORD = 0x40,
    CR17_NO_BANK_1 = 0x01, /* bit 0 of the line in a row does not replace an address bit */
    CR17_NO_BANK_2 = 0x02,
    CR17_BYTE = 0x40,
};
enum { AR_MODE = 0x10, AR_PLANES = 0x12, AR_PANNING = 0x13, AR_SELECT = 0x14 };
enum {
    AR_VIDEO_ENABLED = 0x20, /* of the index */
    AR10_MONO = 0x02,
    AR10_LINE_GRAPHICS = 0x04,
    AR10_BLINK = 0x08,
    AR10_SPLIT_PANNING = 0x20,
    AR10_SELECT_5_4 = 0x80,
};

/* Bochs VBE registers. */
enum {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_REGS,
    VBE_MEMORY_64K = VBE_REGS, /* read only */
};
enum { VBE_ENABLED = 0x01, VBE_GETCAPS = 0x02, VBE_8BIT_DAC = 0x20, VBE_NOCLEAR = 0x80 };

typedef struct Vga Vga;

/* What a chip has beyond a VGA. NULL: Bochs VBE. */
typedef struct VgaChip {
    const MemOps *window; /* opaque: the Vga */
    const DisplayOps *display;
    /* True: the port is the chip's own at this moment. */
    bool (*read_port)(Vga *s, unsigned port, uint8_t *value);
    bool (*write_port)(Vga *s, unsigned port, uint8_t value);
} VgaChip;

struct Vga {
    VgaWiring w;
    const VgaChip *chip;
    MemRegion window, io, vbe_io;
    /* state */
    uint8_t misc, st01;
    uint8_t sr_index, sr[8];
    uint8_t gr_index, gr[16];
    uint8_t cr_index, cr[256];
    uint8_t ar_index, ar[21];
    bool ar_data_next; /* the flip-flop of port 0x3c0 */
    uint8_t dac_read, dac_write, dac_step, dac_mask;
    bool dac_reading;
    uint8_t palette[768];
    uint8_t latch[4];
    uint16_t vbe_index, vbe[VBE_REGS];
};

extern const StateField vga_state[];
void vga_reset(Vga *s);
void vga_post_load(Vga *s);
/* Its window and ports are reachable, if it has been given where, and its screen is seen. */
void vga_place(Vga *s, const char *name);
void vga_remove(Vga *s);
/* Ports 0x3b0 to 0x3df. */
uint8_t vga_read_port(Vga *s, unsigned port);
void vga_write_port(Vga *s, unsigned port, uint8_t value);

/* Is there a window at offset @addr of the 128 KiB? *@addr becomes the offset in it. */
bool vga_to_window(const Vga *s, uint64_t *addr);
/* A byte of the window, by its address in a plane, or in video memory where that is linear. */
uint8_t vga_read_byte(Vga *s, uint64_t addr);
void vga_write_byte(Vga *s, uint64_t addr, uint8_t value);

extern const MemOps vga_window_ops;             /* opaque: the Vga */
extern const DisplayOps vga_display_ops;        /* opaque: the Vga */
extern const DisplayOps vga_linear_display_ops; /* without VGA modes */

/* Memory in formats of @bpp bits, as pixels; all of it is in video memory, or black. */
typedef struct VgaLinear {
    unsigned bpp, width, height;
    uint64_t start, pitch; /* bytes */
} VgaLinear;
void vga_draw_linear(const Vga *s, const VgaLinear *m, Surface *out);
/* Lines that the CRT controller shows, of those the sixth and the ninth bits included. */
unsigned vga_display_lines(const Vga *s);
void vga_draw_off(Surface *out);
uint32_t vga_dac_colour(const Vga *s, const uint8_t *entry);

extern const MemOps vga_vbe_port_ops;
uint16_t vga_vbe_read(Vga *s, unsigned reg);
void vga_vbe_write(Vga *s, unsigned reg, uint16_t value);
void vga_vbe_reset(Vga *s);

static inline bool vga_vbe_is_linear(const Vga *s)
{
    return (s->vbe[VBE_ENABLE] & VBE_ENABLED) && s->vbe[VBE_BPP] > 4;
}

#endif
