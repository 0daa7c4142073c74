/* SPDX-License-Identifier: MIT */
/*
 * PCI hot-plug registers at 0xae00, as QEMU's boards have them for bus 0 (one bit per slot):
 *   0 read   slots where something has come; reading forgets
 *   4 read   slots that are to be let go
 *   8 write  let these slots go: of those that are to go, as no other device of the user's
 *            vanishes because a guest says so
 * A reset forgets both: whoever boots sees what there is, and the user may ask again.
 * Missing: other buses (the selector at 0x10), slots by index.
 */
#include "hw/pci-hotplug.h"

#include "softmmu/log.h"

typedef struct PciHotplug {
    Device dev;
    PciHotplugWiring w;
    /* state */
    uint32_t come, to_go;
} PciHotplug;

static uint64_t come_read(Device *dev, const RegDesc *r)
{
    PciHotplug *s = (PciHotplug *)dev;
    uint32_t come = s->come;

    s->come = 0;
    return come;
}

static void nothing_written(Device *dev, const RegDesc *r, uint64_t value)
{
}

static uint64_t zero_read(Device *dev, const RegDesc *r)
{
    return 0;
}

static void eject_write(Device *dev, const RegDesc *r, uint64_t value)
{
    PciHotplug *s = (PciHotplug *)dev;

    if (value & ~(uint64_t)s->to_go)
        log_guest_error("pci-hotplug: slots %#x are to stay\n", (unsigned)value & ~s->to_go);
    value &= s->to_go;
    for (unsigned slot = 0; slot < 32; slot++) {
        if (!(value >> slot & 1))
            continue;
        s->to_go &= ~(1u << slot);
        s->w.eject(s->w.opaque, slot);
    }
}

/* clang-format off */
static const RegDesc pci_hotplug_regs[] = {
    { 0x0, "UP",    4, .read = come_read, .write = nothing_written },
    { 0x4, "DOWN",  4, REG_FIELD(PciHotplug, to_go) },
    { 0x8, "EJECT", 4, .read = zero_read, .write = eject_write },
    { 0xc, "REMOVABLE", 4 },
    { 0 },
};
/* clang-format on */

void pci_hotplug_plug(Device *dev, unsigned slot)
{
    PciHotplug *s = (PciHotplug *)dev;

    s->come |= 1u << slot;
    irq_pulse(s->w.event);
}

void pci_hotplug_ask(Device *dev, unsigned slot)
{
    PciHotplug *s = (PciHotplug *)dev;

    s->to_go |= 1u << slot;
    irq_pulse(s->w.event);
}

static bool realize(Device *dev, GError **error)
{
    dev->io.name = "acpi-pci-hotplug";
    memory_add(((PciHotplug *)dev)->w.ports, PCI_HOTPLUG_BASE, 0, &dev->io);
    return true;
}

static void unrealize(Device *dev)
{
    memory_remove(&dev->io);
}

static void reset_enter(Device *dev)
{
    PciHotplug *s = (PciHotplug *)dev;

    s->come = s->to_go = 0;
}

static const StateField pci_hotplug_state[] = {
    STATE_U32(PciHotplug, come),
    STATE_U32(PciHotplug, to_go),
    STATE_END,
};

const DeviceClass pci_hotplug_class = {
    .name = "pci-hotplug",
    .desc = "registers of PCI hot-plug",
    .size = sizeof(PciHotplug),
    .regs = pci_hotplug_regs,
    .state = pci_hotplug_state,
    .state_version = 1,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
};

Device *pci_hotplug_new(Device *parent, const PciHotplugWiring *w)
{
    PciHotplug *s = (PciHotplug *)device_new(&pci_hotplug_class, parent, NULL);

    s->w = *w;
    return &s->dev;
}
