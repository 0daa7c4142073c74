/* SPDX-License-Identifier: MIT */
/*
 * PCI VGA 1234:1111 ("standard VGA"): registers of a VGA, Bochs VBE, frame buffer in BAR 0,
 * registers in BAR 2. Spec: IBM PS/2 Hardware Interface Technical Reference, "Video subsystem";
 * the layout of BAR 2 is that of QEMU's docs/specs/standard-vga.
 * Status register 1 alternates between display and retrace at each read.
 * Drawing is in vga-draw.c. Missing: EDID, big-endian frame buffer.
 */
#include "hw/vga-internal.h"

#include <string.h>

#include "softmmu/log.h"

enum { MISC_COLOR = 0x01 };
enum { ST00_SENSE = 0x10, ST01_BUSY = 0x09 /* retrace and not displaying */ };
enum { CR_LAST = 0x18, CR11_PROTECT = 0x80 };
enum { MMIO_SIZE = 0x1000, MMIO_PORTS = 0x400, MMIO_VBE = 0x500, MMIO_EXT = 0x600 };

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

static uint8_t read_port(Vga *s, unsigned port)
{
    if (port_is_asleep(s, port))
        return 0xff;
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

static void write_port(Vga *s, unsigned port, uint8_t value)
{
    if (port_is_asleep(s, port))
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
    return read_port(opaque, 0x3b0 + addr);
}

static void io_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    write_port(opaque, 0x3b0 + addr, value);
}

static const MemOps io_ops = { io_read, io_write, .min_size = 1, .max_size = 1 };

/* ---- BAR 2 ---------------------------------------------------------------------------------- */

static uint16_t read_extension(unsigned reg)
{
    /* Size of this block, then 0x1e1e1e1e: the frame buffer is little-endian. */
    return reg == 0 ? 8 : reg == 2 ? 0 : 0x1e1e;
}

static uint64_t mmio_read(void *opaque, uint64_t addr, unsigned size)
{
    Vga *s = opaque;
    uint16_t value = 0;

    if (addr >= MMIO_PORTS && addr + size <= MMIO_PORTS + 0x20) {
        for (unsigned i = 0; i < size; i++)
            value |= read_port(s, 0x3c0 + (addr - MMIO_PORTS) + i) << (8 * i);
    } else if (addr >= MMIO_VBE && addr < MMIO_VBE + 2 * (VBE_MEMORY_64K + 1)) {
        value = vga_vbe_read(s, (addr - MMIO_VBE) / 2) >> (addr & 1 ? 8 : 0);
    } else if (addr >= MMIO_EXT && addr < MMIO_EXT + 8) {
        value = read_extension((addr - MMIO_EXT) & ~1) >> (addr & 1 ? 8 : 0);
    }
    return value;
}

static void mmio_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Vga *s = opaque;

    if (addr >= MMIO_PORTS && addr + size <= MMIO_PORTS + 0x20) {
        for (unsigned i = 0; i < size; i++)
            write_port(s, 0x3c0 + (addr - MMIO_PORTS) + i, value >> (8 * i));
    } else if (addr >= MMIO_VBE && addr < MMIO_VBE + 2 * VBE_REGS && size == 2) {
        vga_vbe_write(s, (addr - MMIO_VBE) / 2, value);
    } else if (addr >= MMIO_EXT + 4 && addr < MMIO_EXT + 8) {
        if (value != 0x1e1e)
            log_unimp("vga: big-endian frame buffer\n");
    } else {
        log_guest_error("vga: write to register 0x%x\n", (unsigned)addr);
    }
}

static const MemOps mmio_ops = { mmio_read, mmio_write, .min_size = 1, .max_size = 2 };

/* ---- Device --------------------------------------------------------------------------------- */

static bool realize(Device *dev, GError **error)
{
    static const PciIdentity identity = {
        .vendor = 0x1234, .device = 0x1111, .revision = 2, .class_code = 0x030000
    };
    Vga *s = (Vga *)dev;

    g_assert(s->w.vram->size >= VGA_VRAM_SIZE);
    if (!pci_device_attach(&s->pci, &identity, error))
        return false;
    memory_init_ram(&s->lfb, "vga.vram", s->w.vram, 0, VGA_VRAM_SIZE);
    memory_init_io(&s->mmio, "vga.mmio", &mmio_ops, s, MMIO_SIZE);
    memory_init_io(&s->window, "vga-lowmem", &vga_window_ops, s, VGA_WINDOW_SIZE);
    memory_init_io(&s->io, "vga", &io_ops, s, 0x30);
    memory_init_io(&s->vbe_io, "vbe", &vga_vbe_port_ops, s, 3);
    pci_add_bar(&s->pci, 0, PCI_BAR_MEM32 | PCI_BAR_PREFETCH, &s->lfb);
    pci_add_bar(&s->pci, 2, PCI_BAR_MEM32, &s->mmio);
    if (s->w.rom) {
        memory_init_rom(&s->rom, "vga.rom", s->w.rom, 0, s->w.rom->size);
        pci_add_bar(&s->pci, PCI_BAR_ROM, PCI_BAR_MEM32, &s->rom);
    }
    memory_add(s->w.memory, VGA_WINDOW, 1, &s->window);
    memory_add(s->w.ports, 0x3b0, 0, &s->io);
    memory_add(s->w.ports, 0x1ce, 0, &s->vbe_io);
    display_add(s->w.display, "VGA", &vga_display_ops, s);
    return true;
}

static void unrealize(Device *dev)
{
    Vga *s = (Vga *)dev;

    display_remove(s->w.display, s);
    pci_device_unrealize(dev);
    memory_destroy(&s->vbe_io);
    memory_destroy(&s->io);
    memory_destroy(&s->window);
    memory_destroy(&s->mmio);
    memory_destroy(&s->lfb);
    if (s->w.rom)
        memory_destroy(&s->rom);
}

static void reset_enter(Device *dev)
{
    Vga *s = (Vga *)dev;

    pci_device_reset(dev);
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

static void post_load(Device *dev)
{
    Vga *s = (Vga *)dev;

    pci_device_post_load(dev);
    s->sr_index &= 7;
    s->gr_index &= 0x0f;
    s->dac_step %= 3;
    s->gr[GR_READ_MAP] &= 3;
}

static const StateField vga_state[] = {
    STATE_STRUCT(Vga, pci, pci_device_state),
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

const DeviceClass vga_class = {
    .name = "VGA",
    .desc = "PCI VGA with Bochs VBE",
    .size = sizeof(Vga),
    .state = vga_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = post_load,
};

Device *vga_new(PciBus *bus, int devfn, const VgaWiring *w)
{
    Vga *s = (Vga *)pci_device_new(&vga_class, bus, devfn, NULL);

    s->w = *w;
    return &s->pci.dev;
}
