/* SPDX-License-Identifier: MIT */
/*
 * A VGA with Bochs VBE on PCI, 1234:1111: frame buffer in BAR 0, registers in BAR 2, as QEMU's
 * docs/specs/standard-vga lays them out. secondary-vga has neither the window at 0xa0000 nor ports,
 * bochs-display no VGA registers at all. BAR 2 begins with the monitor's EDID.
 * Missing: big-endian frame buffer.
 */
#include "hw/vga-internal.h"

#include "hw/edid.h"
#include "softmmu/log.h"

enum { MMIO_SIZE = 0x1000, MMIO_PORTS = 0x400, MMIO_VBE = 0x500, MMIO_EXT = 0x600 };

typedef struct PciVga {
    PciDevice pci;
    Vga vga;
    MemRegion lfb, mmio, rom; /* BAR 0, BAR 2, expansion ROM */
    uint8_t edid[EDID_BYTES]; /* all zero: there is none */
} PciVga;

/* ---- BAR 2 ---------------------------------------------------------------------------------- */

static uint16_t read_extension(unsigned reg)
{
    /* Size of this block, then 0x1e1e1e1e: the frame buffer is little-endian. */
    return reg == 0 ? 8 : reg == 2 ? 0 : 0x1e1e;
}

static bool has_ports(const PciVga *s)
{
    return s->pci.dev.klass != &bochs_display_class;
}

static uint64_t mmio_read(void *opaque, uint64_t addr, unsigned size)
{
    PciVga *s = opaque;
    uint16_t value = 0;

    if (addr + size <= EDID_BYTES)
        return s->edid[addr] | (size == 2 ? s->edid[addr + 1] << 8 : 0);
    if (has_ports(s) && addr >= MMIO_PORTS && addr + size <= MMIO_PORTS + 0x20) {
        for (unsigned i = 0; i < size; i++)
            value |= vga_read_port(&s->vga, 0x3c0 + (addr - MMIO_PORTS) + i) << (8 * i);
    } else if (addr >= MMIO_VBE && addr < MMIO_VBE + 2 * (VBE_MEMORY_64K + 1)) {
        value = vga_vbe_read(&s->vga, (addr - MMIO_VBE) / 2) >> (addr & 1 ? 8 : 0);
    } else if (addr >= MMIO_EXT && addr < MMIO_EXT + 8) {
        value = read_extension((addr - MMIO_EXT) & ~1) >> (addr & 1 ? 8 : 0);
    }
    return value;
}

static void mmio_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    PciVga *s = opaque;

    if (has_ports(s) && addr >= MMIO_PORTS && addr + size <= MMIO_PORTS + 0x20) {
        for (unsigned i = 0; i < size; i++)
            vga_write_port(&s->vga, 0x3c0 + (addr - MMIO_PORTS) + i, value >> (8 * i));
    } else if (addr >= MMIO_VBE && addr < MMIO_VBE + 2 * VBE_REGS && size == 2) {
        vga_vbe_write(&s->vga, (addr - MMIO_VBE) / 2, value);
    } else if (addr >= MMIO_EXT + 4 && addr < MMIO_EXT + 8) {
        if (value != 0x1e1e)
            log_unimp("vga: big-endian frame buffer\n");
    } else {
        log_guest_error("vga: write to register 0x%x\n", (unsigned)addr);
    }
}

static const MemOps mmio_ops = { mmio_read, mmio_write, .min_size = 1, .max_size = 2 };

static const MemPart mmio_parts[] = { { 0, 0x180, "edid" },
                                      { MMIO_PORTS, 0x20, "vga ioports remapped" },
                                      { MMIO_VBE, 2 * VBE_REGS, "bochs dispi interface" },
                                      { MMIO_EXT, 8, "qemu extended regs" },
                                      { 0 } };

/* ---- Device --------------------------------------------------------------------------------- */

static bool realize(Device *dev, GError **error)
{
    PciVga *s = (PciVga *)dev;
    bool primary = dev->klass == &vga_class;
    PciIdentity identity = { .vendor = 0x1234,
                             .device = 0x1111,
                             .revision = 2,
                             .class_code = primary ? 0x030000 : 0x038000 };

    if (!pci_device_attach(&s->pci, &identity, error))
        return false;
    pci_name_ram(&s->pci, s->vga.w.vram);
    memory_init_ram(&s->lfb, "vga.vram", s->vga.w.vram, 0, s->vga.w.vram->size);
    memory_init_io(&s->mmio, "vga.mmio", &mmio_ops, s, MMIO_SIZE);
    memory_set_parts(&s->mmio, mmio_parts, true);
    pci_add_bar(&s->pci, 0, PCI_BAR_MEM32 | PCI_BAR_PREFETCH, &s->lfb);
    pci_add_bar(&s->pci, 2, PCI_BAR_MEM32, &s->mmio);
    if (s->vga.w.rom) {
        pci_name_ram(&s->pci, s->vga.w.rom);
        memory_init_rom(&s->rom, "vga.rom", s->vga.w.rom, 0, s->vga.w.rom->size);
        pci_add_bar(&s->pci, PCI_BAR_ROM, PCI_BAR_MEM32, &s->rom);
    }
    vga_place(&s->vga, dev->klass->name);
    return true;
}

static void unrealize(Device *dev)
{
    PciVga *s = (PciVga *)dev;

    vga_remove(&s->vga);
    pci_device_unrealize(dev);
    memory_destroy(&s->mmio);
    memory_destroy(&s->lfb);
    if (s->vga.w.rom)
        memory_destroy(&s->rom);
}

static void reset_enter(Device *dev)
{
    pci_device_reset(dev);
    vga_reset(&((PciVga *)dev)->vga);
}

static void post_load(Device *dev)
{
    pci_device_post_load(dev);
    vga_post_load(&((PciVga *)dev)->vga);
}

static const StateField pci_vga_state[] = {
    STATE_STRUCT(PciVga, pci, pci_device_state),
    STATE_STRUCT(PciVga, vga, vga_state),
    STATE_END,
};

#define CLASS(name_, desc_)                                                           \
    {                                                                                 \
        .name = name_, .desc = desc_, .size = sizeof(PciVga), .state = pci_vga_state, \
        .realize = realize, .unrealize = unrealize, .reset_enter = reset_enter,       \
        .reset_hold = pci_device_reset_hold, .post_load = post_load,                  \
    }

const DeviceClass vga_class = CLASS("VGA", "PCI VGA with Bochs VBE");
const DeviceClass secondary_vga_class = CLASS("secondary-vga", "PCI VGA that is not where one is");
const DeviceClass bochs_display_class = CLASS("bochs-display", "frame buffer with Bochs VBE");

Device *vga_new(const DeviceClass *klass, PciBus *bus, int devfn, const VgaWiring *w)
{
    PciVga *s = (PciVga *)pci_device_new(klass, bus, devfn, NULL);

    s->vga.w = *w;
    if (w->xres)
        edid_make(s->edid, w->xres, w->yres);
    if (klass != &vga_class)
        s->vga.w.ports = NULL;
    return &s->pci.dev;
}
