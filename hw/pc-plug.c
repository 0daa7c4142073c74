/* SPDX-License-Identifier: MIT */
/*
 * PCI functions that come and go while the machine runs: device_add, device_del, and what the guest
 * answers. A disk's drive and a card's cable stay when it goes, for another to have.
 *
 * A function that comes later has no ROM, as firmware is past running it. A reset forgets a wish
 * that the guest has not answered. Saved states are of the devices of one moment:
 * pc-plug-history.c.
 */
#include "hw/cpu-hotplug.h"
#include "hw/pc-internal.h"
#include "hw/pc.h"
#include "hw/pci-hotplug.h"
#include "hw/virtio-blk.h"
#include "softmmu/error.h"

enum { CHIPSET_SLOTS = 0x3 }; /* host bridge and PIIX3 */

static PcBoard *board_of(Machine *m)
{
    return m->board.opaque;
}

static GPtrArray *functions(const PcBoard *b)
{
    return pci_bus_device(b->pci)->children;
}

static unsigned slot_of(const Device *dev)
{
    return ((PciDevice *)dev)->devfn >> 3;
}

uint32_t pc_fixed_slots(const PcBoard *b)
{
    uint32_t fixed = CHIPSET_SLOTS;

    for (guint i = 0; i < functions(b)->len; i++) {
        const Device *dev = functions(b)->pdata[i];

        if (!dev->klass->plug)
            fixed |= 1u << slot_of(dev);
    }
    return fixed;
}

static bool is_fixed(const PcBoard *b, unsigned slot)
{
    return pc_fixed_slots(b) >> slot & 1;
}

/* ---- Going ------------------------------------------------------------------------------------
 */

static void remove_function(PcBoard *b, Device *dev)
{
    g_autofree char *id = g_strdup(dev->id);
    Drive *drive = dev->klass == &virtio_blk_class ? virtio_blk_drive(dev) : NULL;

    if (dev == b->serial_bus)
        b->serial_bus = NULL;
    memory_begin(b->m->memory);
    memory_begin(b->m->io);
    pc_plugs_go(b, dev);
    memory_commit(b->m->io);
    memory_commit(b->m->memory);
    if (drive)
        drive_disconnect(drive);
    machine_emit(b->m, "DEVICE_DELETED",
                 "{\"device\": \"%s\", \"path\": \"/machine/peripheral/%s\"}", id, id);
}

static void eject(void *opaque, unsigned slot)
{
    PcBoard *b = opaque;

    if (is_fixed(b, slot))
        return;
    for (guint i = functions(b)->len; i-- > 0;) {
        Device *dev = functions(b)->pdata[i];

        if (slot_of(dev) == slot)
            remove_function(b, dev);
    }
}

static Device *find_function(const PcBoard *b, const char *id)
{
    for (guint i = 0; i < functions(b)->len; i++) {
        Device *dev = functions(b)->pdata[i];

        if (g_str_equal(dev->id, id))
            return dev;
    }
    return NULL;
}

bool pc_device_del(Machine *m, const char *id, GError **error)
{
    PcBoard *b = board_of(m);
    int cpu = cpu_hotplug_find(b->sockets, id);
    Device *dev = find_function(b, id);

    if (cpu >= 0 && !b->pm) {
        error_set(error, "CPU hot unplug not supported without ACPI");
        return false;
    }
    if (cpu >= 0) {
        cpu_hotplug_ask(b->sockets, cpu);
        return true;
    }
    if (!dev) {
        error_set(error, "Device '%s' not found", id);
        return false;
    }
    if (!b->slots) {
        error_set(error, "Bus 'pci.0' does not support hotplugging");
        return false;
    }
    if (is_fixed(b, slot_of(dev))) {
        error_set(error, "Device '%s' cannot be plugged out: the board needs it", id);
        return false;
    }
    pci_hotplug_ask(b->slots, slot_of(dev));
    return true;
}

/* ---- Coming -----------------------------------------------------------------------------------
 */

bool pc_device_add(Machine *m, const DeviceOption *o, bool replayed, GError **error)
{
    PcBoard *b = board_of(m);
    Device *dev;

    if (pc_is_cpu(o))
        return pc_plug_cpu(b, o, true, error);
    if (!b->slots) {
        error_set(error, "Bus 'pci.0' does not support hotplugging");
        return false;
    }
    memory_begin(m->memory);
    memory_begin(m->io);
    dev = pc_plugs_come(b, o, replayed, error);
    memory_commit(m->io);
    memory_commit(m->memory);
    if (dev)
        pci_hotplug_plug(b->slots, slot_of(dev));
    return dev;
}

void pc_create_pci_slots(PcBoard *b)
{
    PciHotplugWiring w = {
        .ports = &b->m->io_root, .event = &b->pci_event, .eject = eject, .opaque = b
    };

    b->slots = pci_hotplug_new(&b->dev, &w);
}
