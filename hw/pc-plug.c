/* SPDX-License-Identifier: MIT */
/*
 * PCI functions that come and go while the machine runs: device_add, device_del, and what the guest
 * answers. A disk's drive and a card's cable stay when it goes, for another to have.
 *
 * A function that comes later has no ROM, as firmware is past running it. A reset forgets a wish
 * that the guest has not answered. Saved states and recordings are of the devices of one moment: a
 * state is only taken back by a machine that has the same, and no function comes or goes while a
 * recording is made.
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
    return CHIPSET_SLOTS | (b->vga ? 1u << slot_of(b->vga) : 0);
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
    device_free(dev);
    memory_commit(b->m->io);
    memory_commit(b->m->memory);
    if (drive)
        drive_disconnect(drive);
    b->m->changed = true;
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

static bool may_change(bool recorded, GError **error)
{
    if (recorded)
        error_set(error, "no device but CPUs comes or goes while a recording is made or replayed");
    return !recorded;
}

bool pc_device_del(Machine *m, const char *id, bool recorded, GError **error)
{
    PcBoard *b = board_of(m);
    int cpu = cpu_hotplug_find(b->sockets, id);
    Device *dev = find_function(b, id);

    if (cpu >= 0) {
        cpu_hotplug_ask(b->sockets, cpu);
        return true;
    }
    if (!dev) {
        error_set(error, "Device '%s' not found", id);
        return false;
    }
    if (is_fixed(b, slot_of(dev))) {
        error_set(error, "Device '%s' cannot be plugged out: the board needs it", id);
        return false;
    }
    if (!may_change(recorded, error))
        return false;
    pci_hotplug_ask(b->slots, slot_of(dev));
    return true;
}

/* ---- Coming -----------------------------------------------------------------------------------
 */

/* What was made from child @first of @parent on; all of it goes again if one cannot be. */
static bool start_children(Device *parent, guint first, GError **error)
{
    GPtrArray *children = parent->children;

    for (guint i = first; i < children->len; i++) {
        if (!pc_realize_tree(children->pdata[i], error))
            return false;
        device_reset(children->pdata[i]);
    }
    return true;
}

static bool add_function(PcBoard *b, const DeviceOption *o, GError **error)
{
    Device *bus = pci_bus_device(b->pci);
    guint functions_before = bus->children->len, others_before = b->dev.children->len;
    bool ok = pc_create_device(b, o, true, error) &&
              start_children(&b->dev, others_before, error) &&
              start_children(bus, functions_before, error);

    if (ok)
        return true;
    while (bus->children->len > functions_before)
        device_free(bus->children->pdata[bus->children->len - 1]);
    return false;
}

bool pc_device_add(Machine *m, const DeviceOption *o, bool recorded, GError **error)
{
    PcBoard *b = board_of(m);
    bool ok;

    if (pc_is_cpu(o))
        return pc_plug_cpu(b, o, true, error);
    if (!may_change(recorded, error))
        return false;
    memory_begin(m->memory);
    memory_begin(m->io);
    ok = add_function(b, o, error);
    memory_commit(m->io);
    memory_commit(m->memory);
    if (!ok)
        return false;
    m->changed = true;
    pci_hotplug_plug(b->slots, slot_of(functions(b)->pdata[functions(b)->len - 1]));
    return true;
}

void pc_create_pci_slots(PcBoard *b)
{
    PciHotplugWiring w = {
        .ports = &b->m->io_root, .event = &b->pci_event, .eject = eject, .opaque = b
    };

    b->slots = pci_hotplug_new(&b->dev, &w);
}
