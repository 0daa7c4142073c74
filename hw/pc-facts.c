/* SPDX-License-Identifier: MIT */
/* The board's PCI functions as plain data, for who tells programs of them. */
#include <string.h>

#include "hw/fdc.h"
#include "hw/fw-cfg.h"
#include "hw/i8259.h"
#include "hw/ide.h"
#include "hw/ioapic.h"
#include "hw/pc-internal.h"
#include "hw/pc.h"

static PcPciRegion region_of(const PciBar *bar, unsigned n)
{
    return (PcPciRegion){ .bar = n,
                          .io = bar->type & PCI_BAR_IO,
                          .wide = bar->type & PCI_BAR_MEM64,
                          .prefetch = bar->type & PCI_BAR_PREFETCH,
                          .size = bar->region->size,
                          .addr = bar->mapped ? (int64_t)bar->addr : -1 };
}

static PcPciFunction facts_of(const PciDevice *d)
{
    PcPciFunction f = { .id = d->dev.named ? d->dev.id : "",
                        .slot = d->devfn >> 3,
                        .function = d->devfn & 7,
                        .vendor = pci_get_config(d, PCI_VENDOR_ID, 2),
                        .device = pci_get_config(d, PCI_DEVICE_ID, 2),
                        .subsystem_vendor = pci_get_config(d, PCI_SUBSYSTEM_VENDOR, 2),
                        .subsystem = pci_get_config(d, PCI_SUBSYSTEM_ID, 2),
                        .class_code = pci_get_config(d, PCI_CLASS_PROG + 1, 2),
                        .pin = pci_get_config(d, PCI_INTERRUPT_PIN, 1),
                        .irq = pci_get_config(d, PCI_INTERRUPT_LINE, 1) };

    for (unsigned n = 0; n < PCI_BARS; n++)
        if (d->bars[n].region)
            f.regions[f.region_count++] = region_of(&d->bars[n], n);
    return f;
}

void pc_each_pci(Machine *m, void (*f)(void *opaque, const PcPciFunction *p), void *opaque)
{
    const PcBoard *b = m->board.opaque;

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        const PciDevice *d = pci_bus_find(b->pci, devfn);
        PcPciFunction facts;

        if (!d)
            continue;
        facts = facts_of(d);
        f(opaque, &facts);
    }
}

bool pc_pci_place(const Machine *m, const Device *dev, unsigned *slot, unsigned *function)
{
    const PcBoard *b = m->board.opaque;
    uint8_t devfn;

    if (dev->parent != pci_bus_device(b->pci))
        return false;
    devfn = ((const PciDevice *)dev)->devfn;
    *slot = devfn >> 3;
    *function = devfn & 7;
    return true;
}

bool pc_unit(const Device *dev, unsigned n, PcUnit *u)
{
    bool cdrom = false;

    *u = (PcUnit){ .driver = "floppy" };
    if (dev->klass == &ide_channel_class)
        u->drive = ide_unit((const IdeChannel *)dev, n, &cdrom, &u->serial);
    else if (dev->klass == &fdc_class)
        u->drive = fdc_unit(dev, n);
    if (dev->klass == &ide_channel_class)
        u->driver = cdrom ? "ide-cd" : "ide-hd";
    return u->drive;
}

/* ---- `info irq`, `info roms` ------------------------------------------------------------------
 */

static void print_raised(const char *name, const uint64_t *raised, unsigned count, GString *out)
{
    g_string_append_printf(out, "IRQ statistics for %s:\n", name);
    for (unsigned n = 0; n < count; n++)
        if (raised[n])
            g_string_append_printf(out, "%2u: %" G_GUINT64_FORMAT "\n", n, raised[n]);
}

void pc_print_irqs(Machine *m, GString *out)
{
    const PcBoard *b = m->board.opaque;

    print_raised("ioapic", ioapic_sent(b->ioapic), IOAPIC_PINS, out);
    if (b->pic)
        print_raised("isa-i8259", i8259_raised(b->pic), 16, out);
}

typedef struct TableSearch {
    const char *name;
    GString *out;
} TableSearch;

static void print_rom_file(void *opaque, const char *name, size_t size)
{
    const char *base = strrchr(name, '/');

    if (g_str_has_prefix(name, "genroms/") || g_str_has_prefix(name, "vgaroms/"))
        g_string_append_printf(opaque, "fw=%s size=0x%06zx name=\"%s\"\n", name, size, base + 1);
}

static void print_rom_table(void *opaque, const char *name, size_t size)
{
    const TableSearch *s = opaque;

    if (!strcmp(name, s->name))
        g_string_append_printf(s->out, "/rom@%s size=0x%06zx name=\"%s\"\n", name, size, name);
}

void pc_print_roms(Machine *m, GString *out)
{
    const PcBoard *b = m->board.opaque;
    const char *bios = m->config->bios ? m->config->bios : PC_BIOS_NAME;
    static const char *const tables[] = { "etc/acpi/tables", "etc/table-loader", "etc/acpi/rsdp" };

    fw_cfg_each_file(b->fw_cfg, print_rom_file, out);
    if (b->bios.size)
        g_string_append_printf(out,
                               "addr=%016" G_GINT64_MODIFIER "x size=0x%06x mem=rom name=\"%s\"\n",
                               b->bios.addr, (unsigned)b->bios.size, bios);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        fw_cfg_each_file(b->fw_cfg, print_rom_table, &(TableSearch){ tables[i], out });
}

/* ---- `info pci`, laid out as QEMU 7.2 does -----------------------------------------------------
 */

/* PCI Code and ID Assignment, by base class and subclass, in QEMU's words. */
const char *pc_pci_class_name(uint16_t class_code)
{
    static const struct {
        uint16_t code;
        const char *name;
    } rows[] = {
        { 0x0100, "SCSI controller" }, { 0x0101, "IDE controller" },
        { 0x0106, "SATA controller" }, { 0x0200, "Ethernet controller" },
        { 0x0300, "VGA controller" },  { 0x0380, "Display controller" },
        { 0x0500, "RAM controller" },  { 0x0600, "Host bridge" },
        { 0x0601, "ISA bridge" },      { 0x0604, "PCI bridge" },
        { 0x0680, "Bridge" },          { 0x0700, "Serial port" },
        { 0x0c03, "USB controller" },  { 0x0c05, "SMBus" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].code == class_code)
            return rows[i].name;
    return NULL;
}

static void print_region(const PcPciRegion *r, GString *out)
{
    uint64_t addr = r->addr, last = addr + r->size - 1;

    g_string_append_printf(out, "      BAR%u: ", r->bar);
    if (r->io)
        g_string_append_printf(
            out, "I/O at 0x%04" G_GINT64_MODIFIER "x [0x%04" G_GINT64_MODIFIER "x].\n", addr, last);
    else
        g_string_append_printf(
            out, "%u bit%s memory at 0x%08" G_GINT64_MODIFIER "x [0x%08" G_GINT64_MODIFIER "x].\n",
            r->wide ? 64 : 32, r->prefetch ? " prefetchable" : "", addr, last);
}

static void print_function(void *opaque, const PcPciFunction *f)
{
    const char *name = pc_pci_class_name(f->class_code);
    GString *out = opaque;

    g_string_append_printf(out, "  Bus  0, device %3u, function %u:\n    ", f->slot, f->function);
    if (name)
        g_string_append(out, name);
    else
        g_string_append_printf(out, "Class %04u", f->class_code);
    g_string_append_printf(out, ": PCI device %04x:%04x\n", f->vendor, f->device);
    if (f->subsystem_vendor || f->subsystem)
        g_string_append_printf(out, "      PCI subsystem %04x:%04x\n", f->subsystem_vendor,
                               f->subsystem);
    if (f->pin)
        g_string_append_printf(out, "      IRQ %u, pin %c\n", f->irq, 'A' + f->pin - 1);
    for (unsigned i = 0; i < f->region_count; i++)
        print_region(&f->regions[i], out);
    g_string_append_printf(out, "      id \"%s\"\n", f->id);
}

void pc_print_pci(Machine *m, GString *out)
{
    pc_each_pci(m, print_function, out);
}
