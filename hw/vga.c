/* SPDX-License-Identifier: MIT */
/*
 * Registers of a VGA. Spec: IBM PS/2 Hardware Interface Technical Reference, "Video subsystem".
 * Status register 1 alternates between display and retrace at each read.
 * The window at 0xa0000 is in vga-mem.c, drawing in vga-draw.c.
 */
#include "hw/vga-internal.h"

#include <string.h>

#include "softmmu/log.h"

enum { MISC_COLOR = 0x01 };
enum { ST00_SENSE = 0x10, ST01_BUSY = 0x09 /* retrace and not displaying */ };
enum { CR_LAST = 0x18, CR11_PROTECT = 0x80 };

static const uint8_t sr_mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff };
static const uint8_t gr_mask[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };
static const uint8_t ar_mask[21] = { 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                     0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                     0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f };

/* ---- Attribute controller and DAC ----------------------------------------------------------- */

static void write_attribute(Vga *s, uint8_t value)
{
    unsigned index = s->ar_index & 0x1f;

    if (!s->ar_data_next)
        s->ar_index = value & 0x3f;
    else if (index < sizeof(s->ar))
        s->ar[index] = value & ar_mask[index];
    s->ar_data_next = !s->ar_data_next;
}

static uint8_t read_attribute(const Vga *s)
{
    unsigned index = s->ar_index & 0x1f;

    return index < sizeof(s->ar) ? s->ar[index] : 0;
}

static bool dac_is_8bit(const Vga *s)
{
    return s->vbe[VBE_ENABLE] & VBE_8BIT_DAC;
}

static void write_dac(Vga *s, uint8_t value)
{
    s->palette[s->dac_write * 3 + s->dac_step] = dac_is_8bit(s) ? value : value & 0x3f;
    if (++s->dac_step == 3) {
        s->dac_step = 0;
        s->dac_write++;
    }
}

static uint8_t read_dac(Vga *s)
{
    uint8_t value = s->palette[s->dac_read * 3 + s->dac_step];

    if (++s->dac_step == 3) {
        s->dac_step = 0;
        s->dac_read++;
    }
    return value;
}

/* ---- CRT controller ------------------------------------------------------------------------- */

static void write_crtc(Vga *s, uint8_t value)
{
    if (s->cr_index > CR_LAST)
        return;
    if ((s->cr[CR_V_SYNC_END] & CR11_PROTECT) && s->cr_index <= CR_OVERFLOW) {
        /* Locked but for bit 8 of line compare. */
        if (s->cr_index == CR_OVERFLOW)
            s->cr[CR_OVERFLOW] = (s->cr[CR_OVERFLOW] & ~0x10) | (value & 0x10);
        return;
    }
    s->cr[s->cr_index] = value;
}

/* ---- Ports 0x3b0 to 0x3df ------------------------------------------------------------------- */

/* The CRTC and status register 1 answer at 0x3bx or at 0x3dx, as the miscellaneous output says. */
static bool port_is_asleep(const Vga *s, unsigned port)
{
    bool color = s->misc & MISC_COLOR;

    return (port < 0x3c0 && color) || (port >= 0x3d0 && !color);
}

uint8_t vga_read_port(Vga *s, unsigned port)
{
    uint8_t value;

    if (port_is_asleep(s, port))
        return 0xff;
    if (s->chip && s->chip->read_port(s, port, &value))
        return value;
    switch (port) {
    case 0x3c0: return s->ar_data_next ? 0 : s->ar_index;
    case 0x3c1: return read_attribute(s);
    case 0x3c2: return ST00_SENSE;
    case 0x3c4: return s->sr_index;
    case 0x3c5: return s->sr[s->sr_index];
    case 0x3c6: return s->dac_mask;
    case 0x3c7: return s->dac_reading ? 3 : 0;
    case 0x3c8: return s->dac_write;
    case 0x3c9: return read_dac(s);
    case 0x3ca: return 0; /* feature control */
    case 0x3cc: return s->misc;
    case 0x3ce: return s->gr_index;
    case 0x3cf: return s->gr[s->gr_index];
    case 0x3b4:
    case 0x3d4: return s->cr_index;
    case 0x3b5:
    case 0x3d5: return s->cr[s->cr_index];
    case 0x3ba:
    case 0x3da:
        s->ar_data_next = false;
        s->st01 ^= ST01_BUSY;
        return s->st01;
    default: return 0xff;
    }
}

void vga_write_port(Vga *s, unsigned port, uint8_t value)
{
    if (port_is_asleep(s, port))
        return;
    if (s->chip && s->chip->write_port(s, port, value))
        return;
    switch (port) {
    case 0x3c0: write_attribute(s, value); break;
    case 0x3c2: s->misc = value & 0xef; break;
    case 0x3c4: s->sr_index = value & 7; break;
    case 0x3c5: s->sr[s->sr_index] = value & sr_mask[s->sr_index]; break;
    case 0x3c6: s->dac_mask = value; break;
    case 0x3c7:
        s->dac_read = value;
        s->dac_step = 0;
        s->dac_reading = true;
        break;
    case 0x3c8:
        s->dac_write = value;
        s->dac_step = 0;
        s->dac_reading = false;
        break;
    case 0x3c9: write_dac(s, value); break;
    case 0x3ce: s->gr_index = value & 0x0f; break;
    case 0x3cf: s->gr[s->gr_index] = value & gr_mask[s->gr_index]; break;
    case 0x3b4:
    case 0x3d4: s->cr_index = value; break;
    case 0x3b5:
    case 0x3d5: write_crtc(s, value); break;
    default: break; /* feature control and nothing */
    }
}

static uint64_t io_read(void *opaque, uint64_t addr, unsigned size)
{
    return vga_read_port(opaque, 0x3b0 + addr);
}

static void io_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    vga_write_port(opaque, 0x3b0 + addr, value);
}

static const MemOps io_ops = { io_read, io_write, .min_size = 1, .max_size = 1 };
/* From port 0x3b0. */
static const MemPart io_parts[] = { { 0x04, 2, "vga" }, { 0x0a, 1, "vga" }, { 0x10, 16, "vga" },
                                    { 0x24, 2, "vga" }, { 0x2a, 1, "vga" }, { 0 } };

/* ---- For the devices that it is a part of ---------------------------------------------------- */

void vga_place(Vga *s, const char *name)
{
    bool is_reachable = s->w.ports;

    memory_init_io(&s->window, "vga-lowmem", s->chip ? s->chip->window : &vga_window_ops, s,
                   VGA_WINDOW_SIZE);
    memory_init_io(&s->io, "vga", &io_ops, s, 0x30);
    memory_init_io(&s->vbe_io, "vbe", &vga_vbe_port_ops, s, 3);
    memory_set_parts(&s->io, io_parts, false);
    if (is_reachable) {
        memory_add(s->w.memory, VGA_WINDOW, 1, &s->window);
        memory_add(s->w.ports, 0x3b0, 0, &s->io);
    }
    if (is_reachable && !s->chip)
        memory_add(s->w.ports, 0x1ce, 0, &s->vbe_io);
    display_add(s->w.display, name,
                s->chip        ? s->chip->display
                : is_reachable ? &vga_display_ops
                               : &vga_linear_display_ops,
                s);
}

void vga_remove(Vga *s)
{
    display_remove(s->w.display, s);
    memory_destroy(&s->vbe_io);
    memory_destroy(&s->io);
    memory_destroy(&s->window);
}

void vga_reset(Vga *s)
{
    memset(s->sr, 0, sizeof(s->sr));
    memset(s->gr, 0, sizeof(s->gr));
    memset(s->cr, 0, sizeof(s->cr));
    memset(s->ar, 0, sizeof(s->ar));
    memset(s->palette, 0, sizeof(s->palette));
    memset(s->latch, 0, sizeof(s->latch));
    s->misc = s->st01 = 0;
    s->sr_index = s->gr_index = s->cr_index = s->ar_index = 0;
    s->dac_read = s->dac_write = s->dac_step = 0;
    s->dac_mask = 0xff;
    s->ar_data_next = s->dac_reading = false;
    vga_vbe_reset(s);
}

void vga_post_load(Vga *s)
{
    s->sr_index &= 7;
    s->gr_index &= 0x0f;
    s->dac_step %= 3;
    s->gr[GR_READ_MAP] &= 3;
}

const StateField vga_state[] = {
    STATE_U8(Vga, misc),
    STATE_U8(Vga, st01),
    STATE_U8(Vga, sr_index),
    STATE_BYTES(Vga, sr),
    STATE_U8(Vga, gr_index),
    STATE_BYTES(Vga, gr),
    STATE_U8(Vga, cr_index),
    STATE_BYTES(Vga, cr),
    STATE_U8(Vga, ar_index),
    STATE_BYTES(Vga, ar),
    STATE_BOOL(Vga, ar_data_next),
    STATE_U8(Vga, dac_read),
    STATE_U8(Vga, dac_write),
    STATE_U8(Vga, dac_step),
    STATE_U8(Vga, dac_mask),
    STATE_BOOL(Vga, dac_reading),
    STATE_BYTES(Vga, palette),
    STATE_BYTES(Vga, latch),
    STATE_U16(Vga, vbe_index),
    STATE_ARRAY(Vga, vbe, STATE_T_U16),
    STATE_END,
};
