/* SPDX-License-Identifier: MIT */
/*
 * The Bochs VBE extensions (DISPI interface, id 0xb0c5): modes of any size over a linear frame
 * buffer, by ports 0x1ce and 0x1cf.
 */
#include "hw/vga-internal.h"

#include <string.h>

#include "softmmu/log.h"

enum {
    VBE_ID_FIRST = 0xb0c0,
    VBE_ID_LAST = 0xb0c5,
    MAX_XRES = 16000,
    MAX_YRES = 12000,
    MAX_BPP = 32,
    VBE_KEPT = VBE_ENABLED | VBE_GETCAPS | VBE_8BIT_DAC | 0x40 | VBE_NOCLEAR,
};

static unsigned bytes_for(unsigned pixels, unsigned bpp)
{
    return bpp == 4 ? pixels / 2 : pixels * ((bpp + 7) / 8);
}

static bool bpp_is_known(unsigned bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

/* Make the mode one that fits into video memory. */
static void fix_mode(Vga *s)
{
    uint16_t *r = s->vbe;
    uint64_t line, offset;

    if (!bpp_is_known(r[VBE_BPP]))
        r[VBE_BPP] = 8;
    r[VBE_XRES] = CLAMP(r[VBE_XRES] & ~7, 8, MAX_XRES);
    r[VBE_VIRT_WIDTH] = CLAMP(r[VBE_VIRT_WIDTH] & ~7, r[VBE_XRES], MAX_XRES);
    line = bytes_for(r[VBE_VIRT_WIDTH], r[VBE_BPP]);
    uint64_t lines = s->w.vram->size / line;
    r[VBE_YRES] = CLAMP(r[VBE_YRES], 1, MIN(MAX_YRES, lines));
    r[VBE_VIRT_HEIGHT] = MIN(lines, UINT16_MAX);
    offset = (uint64_t)r[VBE_Y_OFFSET] * line + bytes_for(r[VBE_X_OFFSET], r[VBE_BPP]);
    if (offset + (uint64_t)r[VBE_YRES] * line > s->w.vram->size)
        r[VBE_X_OFFSET] = r[VBE_Y_OFFSET] = 0;
}

static void clear(Vga *s, uint64_t bytes)
{
    memset(s->w.vram->host, 0, bytes);
    ram_block_written(s->w.vram, 0, bytes);
}

/* Enabling a mode shows its whole first screen and clears it. */
static void enable(Vga *s, uint16_t value)
{
    bool starts = (value & VBE_ENABLED) && !(s->vbe[VBE_ENABLE] & VBE_ENABLED);

    s->vbe[VBE_ENABLE] = value & VBE_KEPT;
    if (!starts)
        return;
    s->vbe[VBE_VIRT_WIDTH] = s->vbe[VBE_XRES];
    s->vbe[VBE_X_OFFSET] = s->vbe[VBE_Y_OFFSET] = 0;
    fix_mode(s);
    if (!(value & VBE_NOCLEAR))
        clear(s, (uint64_t)s->vbe[VBE_YRES] * bytes_for(s->vbe[VBE_VIRT_WIDTH], s->vbe[VBE_BPP]));
    /* The window at 0xa0000 becomes 64 KiB of the linear frame buffer. */
    s->gr[GR_MISC] = (s->gr[GR_MISC] & ~0x0c) | 0x05;
}

uint16_t vga_vbe_read(Vga *s, unsigned reg)
{
    static const uint16_t caps[] = {
        [VBE_XRES] = MAX_XRES, [VBE_YRES] = MAX_YRES, [VBE_BPP] = MAX_BPP
    };

    if (reg == VBE_MEMORY_64K)
        return s->w.vram->size >> 16;
    if (reg >= VBE_REGS)
        return 0;
    if ((s->vbe[VBE_ENABLE] & VBE_GETCAPS) && reg >= VBE_XRES && reg <= VBE_BPP)
        return caps[reg];
    return s->vbe[reg];
}

void vga_vbe_write(Vga *s, unsigned reg, uint16_t value)
{
    switch (reg) {
    case VBE_ID:
        if (value >= VBE_ID_FIRST && value <= VBE_ID_LAST)
            s->vbe[VBE_ID] = value;
        break;
    case VBE_ENABLE: enable(s, value); break;
    case VBE_BANK:
        if (value < s->w.vram->size >> 16)
            s->vbe[VBE_BANK] = value;
        break;
    case VBE_XRES:
    case VBE_YRES:
    case VBE_BPP:
    case VBE_VIRT_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        s->vbe[reg] = value;
        if (s->vbe[VBE_ENABLE] & VBE_ENABLED)
            fix_mode(s);
        break;
    case VBE_VIRT_HEIGHT: break; /* follows from the width */
    default: log_guest_error("vga: write to VBE register 0x%x\n", reg);
    }
}

void vga_vbe_reset(Vga *s)
{
    memset(s->vbe, 0, sizeof(s->vbe));
    s->vbe[VBE_ID] = VBE_ID_LAST;
    s->vbe_index = 0;
}

/* Port 0x1ce is the index, 0x1cf and 0x1d0 the data; all 16 bits wide. */
static uint64_t vbe_port_read(void *opaque, uint64_t addr, unsigned size)
{
    Vga *s = opaque;

    return addr == 0 ? s->vbe_index : vga_vbe_read(s, s->vbe_index);
}

static void vbe_port_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Vga *s = opaque;

    if (addr == 0)
        s->vbe_index = value;
    else
        vga_vbe_write(s, s->vbe_index, value);
}

const MemOps vga_vbe_port_ops = { vbe_port_read, vbe_port_write, .min_size = 1, .max_size = 2 };
