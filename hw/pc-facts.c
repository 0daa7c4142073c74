/* SPDX-License-Identifier: MIT */
/* The board's PCI functions as plain data, for who tells programs of them. */
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
