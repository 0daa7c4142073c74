/* SPDX-License-Identifier: MIT */
/*
 * PCI bus 0: configuration space, BARs, interrupt lines. Spec: PCI Local Bus 3.0, chapter 6.
 *
 * Missing: bridges to other buses, bus mastering checks of DMA, 66 MHz and error reporting. A BAR
 * at address 0 or beyond its space's end is not decoded.
 */
#include "hw/pci.h"

#include <string.h>

#include "softmmu/bytes.h"
#include "softmmu/error.h"
#include "softmmu/trace.h"

#define DEFAULT_SUBSYSTEM_VENDOR 0x1af4
#define DEFAULT_SUBSYSTEM        0x1100
#define FIRST_FREE_SLOT          2
#define IO_SPACE_END             0x10000ull
#define BAR_PRIORITY             1 /* above what is not a BAR */

struct PciBus {
    Device dev;
    MemRegion *memory, *io;
    MemRegion own_memory; /* when nobody gave one */
    const Irq *pirq;
    PciMsi msi;
    PciDevice *function[256];
    uint16_t asserted[4]; /* functions that drive each line: a cache of their state */
};

uint32_t pci_get_config(const PciDevice *d, unsigned off, unsigned size)
{
    g_assert(off + size <= sizeof(d->config) && size <= 4);
    return get_le(d->config + off, size);
}

void pci_set_config(PciDevice *d, unsigned off, unsigned size, uint32_t value, uint32_t writable)
{
    g_assert(off + size <= sizeof(d->config) && size <= 4);
    put_le(d->config + off, size, value);
    put_le(d->reset_config + off, size, value);
    put_le(d->writable + off, size, writable);
}

/* ---- Interrupts
 * ---------------------------------------------------------------------------------- */

static void update_intx(PciDevice *d)
{
    uint8_t pin = d->config[PCI_INTERRUPT_PIN];
    bool on = d->intx_level && !(get_le(d->config + PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF);
    unsigned line;

    if (d->intx_level)
        d->config[PCI_STATUS] |= PCI_STATUS_INTX;
    else
        d->config[PCI_STATUS] &= ~PCI_STATUS_INTX;
    if (!pin || on == d->intx_on_bus)
        return;
    d->intx_on_bus = on;
    line = ((d->devfn >> 3) + 3 + pin - 1) & 3; /* slot - 1 + pin */
    d->bus->asserted[line] += on ? 1 : -1;
    if (d->bus->pirq)
        irq_set(&d->bus->pirq[line], d->bus->asserted[line] != 0);
}

void pci_set_irq(PciDevice *d, int level)
{
    d->intx_level = level != 0;
    update_intx(d);
}

void pci_send_msi(PciDevice *d, uint64_t addr, uint32_t data)
{
    const PciMsi *msi = &d->bus->msi;

    if (msi->send && (pci_get_config(d, PCI_COMMAND, 2) & PCI_COMMAND_MASTER))
        msi->send(msi->opaque, addr, data);
}

void pci_bus_set_msi(PciBus *bus, const PciMsi *msi)
{
    bus->msi = *msi;
}

/* ---- BARs
 * ------------------------------------------------------------------------------------------ */

static unsigned bar_offset(unsigned bar)
{
    return bar == PCI_BAR_ROM ? PCI_ROM_BAR : PCI_BAR0 + 4 * bar;
}

/* Where the BAR decodes now; false: nowhere. */
static bool bar_address(const PciDevice *d, unsigned bar, uint64_t *addr)
{
    const PciBar *b = &d->bars[bar];
    uint32_t low = get_le(d->config + bar_offset(bar), 4);
    uint16_t command = get_le(d->config + PCI_COMMAND, 2);
    uint64_t end = 1ull << 32;

    if (b->type & PCI_BAR_IO) {
        *addr = low & ~3u;
        end = IO_SPACE_END;
        if (!(command & PCI_COMMAND_IO))
            return false;
    } else {
        *addr = low & (bar == PCI_BAR_ROM ? ~0x7ffu : ~0xfu);
        if (b->type & PCI_BAR_MEM64) {
            *addr |= (uint64_t)get_le(d->config + bar_offset(bar) + 4, 4) << 32;
            end = 1ull << 52;
        }
        if (!(command & PCI_COMMAND_MEMORY) || (bar == PCI_BAR_ROM && !(low & 1)))
            return false;
    }
    /* While it is sized the BAR shows its mask: the end of the space, where nothing decodes. */
    return *addr && *addr < end && b->region->size < end - *addr;
}

/* Which of two BARs wins where a guest lays them over each other must not depend on the order in
 * which it did so, or a machine would come back from its saved state as another one. */
static unsigned bar_tie(const PciDevice *d, unsigned bar)
{
    return d->devfn * PCI_BARS + bar;
}

static void update_bar(PciDevice *d, unsigned bar)
{
    PciBar *b = &d->bars[bar];
    uint64_t addr;
    bool mapped = bar_address(d, bar, &addr);

    if (mapped == b->mapped && (!mapped || addr == b->addr))
        return;
    if (b->mapped)
        memory_remove(b->region);
    b->mapped = mapped;
    b->addr = addr;
    if (mapped)
        memory_add_tied(b->type & PCI_BAR_IO ? d->bus->io : d->bus->memory, addr, BAR_PRIORITY,
                        bar_tie(d, bar), b->region);
}

static void update_bars(PciDevice *d)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        if (d->bars[i].region)
            update_bar(d, i);
    }
}

void pci_add_bar(PciDevice *d, unsigned bar, uint8_t type, MemRegion *region)
{
    uint64_t mask = ~(region->size - 1);

    g_assert(bar < PCI_BARS && !d->bars[bar].region);
    g_assert(!(region->size & (region->size - 1)));
    g_assert(region->size >= (bar == PCI_BAR_ROM ? 2048 : type & PCI_BAR_IO ? 4 : 16));
    d->bars[bar] = (PciBar){ .region = region, .type = type };
    pci_set_config(d, bar_offset(bar), 4, type, bar == PCI_BAR_ROM ? mask | 1 : mask);
    if (type & PCI_BAR_MEM64)
        pci_set_config(d, bar_offset(bar) + 4, 4, 0, mask >> 32);
}

/* ---- Configuration space
 * ---------------------------------------------------------------------------- */

PciDevice *pci_bus_find(PciBus *bus, unsigned devfn)
{
    return devfn < 256 ? bus->function[devfn] : NULL;
}

uint32_t pci_config_read(PciBus *bus, unsigned bus_nr, unsigned devfn, unsigned off, unsigned size)
{
    PciDevice *d = bus_nr ? NULL : pci_bus_find(bus, devfn);

    if (!d || off + size > sizeof(d->config))
        return UINT32_MAX;
    if (d->config_reads)
        d->config_reads(d, off, size);
    trace(pci_cfg_read, "%s %02u:%02u.%u @0x%x -> 0x%x", d->dev.klass->name, bus_nr, devfn >> 3,
          devfn & 7, off, (unsigned)get_le(d->config + off, size));
    return get_le(d->config + off, size);
}

void pci_config_write(PciBus *bus, unsigned bus_nr, unsigned devfn, unsigned off, uint32_t value,
                      unsigned size)
{
    PciDevice *d = bus_nr ? NULL : pci_bus_find(bus, devfn);

    if (!d || off + size > sizeof(d->config))
        return;
    trace(pci_cfg_write, "%s %02u:%02u.%u @0x%x <- 0x%x", d->dev.klass->name, bus_nr, devfn >> 3,
          devfn & 7, off, value);
    for (unsigned i = 0; i < size; i++) {
        uint8_t *p = &d->config[off + i], byte = value >> 8 * i;

        *p = (*p & ~d->writable[off + i]) | (byte & d->writable[off + i]);
        *p &= ~(byte & d->w1c[off + i]);
    }
    update_bars(d);
    update_intx(d);
    if (d->config_wrote)
        d->config_wrote(d, off, size);
}

/* ---- Functions
 * ---------------------------------------------------------------------------------------- */

/* Functions that are not realized yet count. */
static bool is_free(const PciBus *bus, unsigned slot)
{
    const GPtrArray *children = bus->dev.children;

    for (guint i = 0; i < children->len; i++) {
        const PciDevice *d = children->pdata[i];

        if (d->bus == bus && d->devfn >> 3 == slot)
            return false;
    }
    return true;
}

static int free_slot(const PciBus *bus)
{
    for (unsigned slot = FIRST_FREE_SLOT; slot < 32; slot++) {
        if (is_free(bus, slot))
            return slot << 3;
    }
    return -1;
}

Device *pci_device_new(const DeviceClass *klass, PciBus *bus, int devfn, const char *id)
{
    PciDevice *d = (PciDevice *)device_new(klass, &bus->dev, id);

    if (devfn < 0)
        devfn = free_slot(bus);
    d->bus = bus;
    d->devfn = devfn < 0 ? 0 : devfn; /* a full bus: attach will find slot 0 taken */
    return &d->dev;
}

/* Firmware runs a ROM only if it names the device. One for a vendor's devices in general (virtio's,
 * which have two numbers each) is made to; byte 6 of such a ROM is spare and keeps the sum. */
static void name_device_in_rom(PciDevice *d, const PciIdentity *id)
{
    enum { SPARE = 6, PCIR_POINTER = 0x18, PCIR_VENDOR = 4, PCIR_DEVICE = 6, PCIR_BYTES = 24 };
    uint8_t *rom = d->rom->host;
    uint64_t pcir = get_le(rom + PCIR_POINTER, 2);
    uint8_t sum = 0;

    if (pcir + PCIR_BYTES > d->rom->size || memcmp(rom + pcir, "PCIR", 4) ||
        get_le(rom + pcir + PCIR_VENDOR, 2) != id->vendor)
        return;
    for (unsigned i = 0; i < 2; i++) {
        sum += rom[pcir + PCIR_DEVICE + i] - (uint8_t)(id->device >> 8 * i);
        rom[pcir + PCIR_DEVICE + i] = id->device >> 8 * i;
    }
    rom[SPARE] += sum;
}

void pci_name_ram(PciDevice *d, RamBlock *ram)
{
    g_free(ram->place);
    ram->place = g_strdup_printf("0000:00:%02x.%x", d->devfn >> 3, d->devfn & 7);
}

/* Guests look for further functions only where function 0 says that there may be some. */
static bool check_functions(const PciDevice *d, GError **error)
{
    unsigned slot = d->devfn & ~7u;
    const PciDevice *first = d->bus->function[slot];

    if ((d->devfn & 7) && first && !first->multifunction) {
        error_set(error, "PCI: single function device can't be populated in function %x.%x",
                  slot >> 3, d->devfn & 7);
        return false;
    }
    for (unsigned n = 1; !(d->devfn & 7) && !d->multifunction && n < 8; n++) {
        if (d->bus->function[slot + n]) {
            error_set(error, "PCI: %x.0 indicates single function, but %x.%x is already populated.",
                      slot >> 3, slot >> 3, n);
            return false;
        }
    }
    return true;
}

bool pci_device_attach(PciDevice *d, const PciIdentity *id, GError **error)
{
    PciDevice **place = &d->bus->function[d->devfn];

    if (*place) {
        error_set(error, "PCI slot %u function %u is taken by %s", d->devfn >> 3, d->devfn & 7,
                  (*place)->dev.id);
        return false;
    }
    d->multifunction |= id->multifunction;
    if (!check_functions(d, error))
        return false;
    *place = d;
    pci_set_config(d, PCI_VENDOR_ID, 2, id->vendor, 0);
    pci_set_config(d, PCI_DEVICE_ID, 2, id->device, 0);
    pci_set_config(d, PCI_COMMAND, 2, 0,
                   PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SERR |
                       PCI_COMMAND_INTX_OFF);
    pci_set_config(d, PCI_REVISION, 1, id->revision, 0);
    pci_set_config(d, PCI_CLASS_PROG, 2, id->class_code & 0xffff, 0);
    pci_set_config(d, PCI_CLASS_PROG + 2, 1, id->class_code >> 16, 0);
    pci_set_config(d, PCI_CACHE_LINE, 1, 0, 0xff);
    pci_set_config(d, PCI_HEADER_TYPE, 1, d->multifunction ? 0x80 : 0, 0);
    pci_set_config(d, PCI_SUBSYSTEM_VENDOR, 2,
                   id->subsystem_vendor ? id->subsystem_vendor : DEFAULT_SUBSYSTEM_VENDOR, 0);
    pci_set_config(d, PCI_SUBSYSTEM_ID, 2, id->subsystem ? id->subsystem : DEFAULT_SUBSYSTEM, 0);
    pci_set_config(d, PCI_INTERRUPT_LINE, 1, 0, 0xff);
    pci_set_config(d, PCI_INTERRUPT_PIN, 1, id->interrupt_pin, 0);
    if (d->rom) {
        name_device_in_rom(d, id);
        pci_name_ram(d, d->rom);
        memory_init_rom(&d->rom_region, d->rom->name, d->rom, 0, d->rom->size);
        pci_add_bar(d, PCI_BAR_ROM, PCI_BAR_MEM32, &d->rom_region);
    }
    return true;
}

static void leave_bus(PciDevice *d)
{
    pci_set_irq(d, 0);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        if (d->bars[i].mapped)
            memory_remove(d->bars[i].region);
        d->bars[i].mapped = false;
    }
    if (d->bus->function[d->devfn] == d) /* one that was taken out has no slot */
        d->bus->function[d->devfn] = NULL;
}

void pci_device_detach(PciDevice *d)
{
    leave_bus(d);
    memset(d->bars, 0, sizeof(d->bars));
    if (d->rom_region.size)
        memory_destroy(&d->rom_region);
    d->rom_region.size = 0;
}

void pci_device_plug(Device *dev, bool in)
{
    PciDevice *d = (PciDevice *)dev;

    if (!in) {
        leave_bus(d);
        return;
    }
    g_assert(!d->bus->function[d->devfn]);
    d->bus->function[d->devfn] = d;
}

void pci_device_unrealize(Device *dev)
{
    pci_device_detach((PciDevice *)dev);
}

void pci_device_reset(Device *dev)
{
    PciDevice *d = (PciDevice *)dev;

    memcpy(d->config, d->reset_config, sizeof(d->config));
    d->intx_level = 0;
    update_bars(d);
}

void pci_device_reset_hold(Device *dev)
{
    update_intx((PciDevice *)dev);
}

/* BARs follow from configuration space; the count of drivers per line follows from all functions.
 */
void pci_device_post_load(Device *dev)
{
    PciDevice *d = (PciDevice *)dev;
    PciBus *bus = d->bus;

    update_bars(d);
    memset(bus->asserted, 0, sizeof(bus->asserted));
    for (unsigned i = 0; i < 256; i++) {
        const PciDevice *f = bus->function[i];

        if (f && f->intx_on_bus)
            bus->asserted[((i >> 3) + 2 + f->config[PCI_INTERRUPT_PIN]) & 3]++;
    }
}

const StateField pci_device_state[] = {
    STATE_BYTES(PciDevice, config),
    STATE_U8(PciDevice, intx_level),
    STATE_BOOL(PciDevice, intx_on_bus),
    STATE_END,
};

/* ---- Bus
 * ------------------------------------------------------------------------------------------------
 */

static bool pci_bus_realize(Device *dev, GError **error)
{
    PciBus *bus = (PciBus *)dev;

    if (!bus->memory) {
        memory_init_container(&bus->own_memory, "pci", 1ull << 52);
        bus->memory = &bus->own_memory;
    }
    return true;
}

static void pci_bus_unrealize(Device *dev)
{
    PciBus *bus = (PciBus *)dev;

    if (bus->memory == &bus->own_memory) {
        memory_destroy(&bus->own_memory);
        bus->memory = NULL;
    }
}

const DeviceClass pci_bus_class = {
    .name = "pci.0",
    .desc = "PCI bus",
    .size = sizeof(PciBus),
    .realize = pci_bus_realize,
    .unrealize = pci_bus_unrealize,
};

MemRegion *pci_bus_memory(PciBus *bus)
{
    return bus->memory;
}

PciBus *pci_bus_new(Device *parent, MemRegion *memory, MemRegion *io)
{
    PciBus *bus = (PciBus *)device_new(&pci_bus_class, parent, NULL);

    bus->memory = memory;
    bus->io = io;
    return bus;
}

void pci_bus_set_pirq(PciBus *bus, const Irq *pirq)
{
    bus->pirq = pirq;
}

Device *pci_bus_device(PciBus *bus)
{
    return &bus->dev;
}
