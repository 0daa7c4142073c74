/* SPDX-License-Identifier: MIT */
/*
 * Cirrus Logic CL-GD5446. Spec: CL-GD5446 Technical Reference Manual.
 * BAR 0 has video memory, and 16 MiB further on a place for data of BLTs whose source is the CPU;
 * BAR 1 ports 0x3c0 to 0x3df and at 0x100 the BitBLT engine's registers.
 * Missing: views of video memory with bytes swapped, the video window, interlace's timing, clocks
 * (their registers only hold what is written), EEPROM and DDC.
 */
#include "hw/cirrus-internal.h"

#include <string.h>

enum { BAR0_SIZE = 0x2000000, BLT_DATA = 0x1000000, BAR1_SIZE = 0x1000 };

const VgaChip cirrus_chip = { &cirrus_window_ops, &cirrus_display_ops, cirrus_read_port,
                              cirrus_write_port };

static void init_bar0(Cirrus *c)
{
    uint64_t size = c->vga.w.vram->size;

    memory_init_container(&c->bar0, "cirrus-bar0", BAR0_SIZE);
    pci_name_ram(&c->pci, c->vga.w.vram);
    memory_init_ram(&c->lfb, "vga.vram", c->vga.w.vram, 0, size);
    memory_init_io(&c->lfb_io, "cirrus-lfb", &cirrus_lfb_ops, c, size);
    memory_init_io(&c->blt_data, "cirrus-blt-data", &cirrus_blt_data_ops, c, size);
    memory_init_io(&c->lfb_regs, "cirrus-lfb-mmio", &cirrus_blt_mmio_ops, c, BLT_MMIO_SIZE);
    memory_add(&c->bar0, 0, 0, &c->lfb);
    memory_add(&c->bar0, 0, 1, &c->lfb_io);
    memory_add(&c->bar0, size - BLT_MMIO_SIZE, 2, &c->lfb_regs);
    memory_add(&c->bar0, BLT_DATA, 0, &c->blt_data);
    cirrus_update_map(c);
}

static bool realize(Device *dev, GError **error)
{
    static const PciIdentity identity = { .vendor = 0x1013,
                                          .device = 0x00b8,
                                          .class_code = 0x030000 };
    Cirrus *c = (Cirrus *)dev;

    g_assert(c->vga.w.vram->size == CIRRUS_VRAM_SIZE);
    if (!pci_device_attach(&c->pci, &identity, error))
        return false;
    init_bar0(c);
    memory_init_io(&c->mmio, "cirrus-mmio", &cirrus_mmio_ops, c, BAR1_SIZE);
    pci_add_bar(&c->pci, 0, PCI_BAR_MEM32 | PCI_BAR_PREFETCH, &c->bar0);
    pci_add_bar(&c->pci, 1, PCI_BAR_MEM32, &c->mmio);
    if (c->vga.w.rom) {
        pci_name_ram(&c->pci, c->vga.w.rom);
        memory_init_rom(&c->rom, "vga.rom", c->vga.w.rom, 0, c->vga.w.rom->size);
        pci_add_bar(&c->pci, PCI_BAR_ROM, PCI_BAR_MEM32, &c->rom);
    }
    vga_place(&c->vga, dev->klass->name);
    return true;
}

static void unrealize(Device *dev)
{
    Cirrus *c = (Cirrus *)dev;

    vga_remove(&c->vga);
    pci_device_unrealize(dev);
    memory_destroy(&c->mmio);
    memory_destroy(&c->blt_data);
    memory_destroy(&c->lfb_regs);
    memory_destroy(&c->lfb_io);
    memory_destroy(&c->lfb);
    memory_destroy(&c->bar0);
    if (c->vga.w.rom)
        memory_destroy(&c->rom);
}

static void reset_enter(Device *dev)
{
    Cirrus *c = (Cirrus *)dev;

    pci_device_reset(dev);
    vga_reset(&c->vga);
    cirrus_reset_regs(c);
}

/* State may come from a file that somebody has tampered with. */
static void post_load(Device *dev)
{
    Cirrus *c = (Cirrus *)dev;

    pci_device_post_load(dev);
    vga_post_load(&c->vga);
    c->gr_index %= GR_COUNT;
    c->dac_reads %= 5;
    cirrus_blt_post_load(c);
    cirrus_update_map(c);
}

static const StateField cirrus_state[] = {
    STATE_STRUCT(Cirrus, pci, pci_device_state),
    STATE_STRUCT(Cirrus, vga, vga_state),
    STATE_U8(Cirrus, sr_index),
    STATE_BYTES(Cirrus, sr),
    STATE_U8(Cirrus, gr_index),
    STATE_BYTES(Cirrus, gr),
    STATE_U8(Cirrus, hdr),
    STATE_U8(Cirrus, dac_reads),
    STATE_BYTES(Cirrus, cursor_colours),
    STATE_U16(Cirrus, cursor_x),
    STATE_U16(Cirrus, cursor_y),
    STATE_BYTES(Cirrus, latches),
    STATE_U32(Cirrus, blt_left),
    STATE_U32(Cirrus, blt_at),
    STATE_U32(Cirrus, blt_dst),
    STATE_U32(Cirrus, blt_row),
    STATE_BYTES(Cirrus, blt_data_row),
    STATE_END,
};

const DeviceClass cirrus_class = {
    .name = "cirrus-vga",
    .desc = "Cirrus Logic CL-GD5446",
    .size = sizeof(Cirrus),
    .state = cirrus_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = post_load,
};

Device *cirrus_new(PciBus *bus, int devfn, const VgaWiring *w)
{
    Cirrus *c = (Cirrus *)pci_device_new(&cirrus_class, bus, devfn, NULL);

    c->vga.w = *w;
    c->vga.chip = &cirrus_chip;
    return &c->pci.dev;
}
