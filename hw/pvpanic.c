/* SPDX-License-Identifier: MIT */
/*
 * pvpanic: an ISA port to which a guest's kernel says that it has panicked, or that a crash kernel
 * was loaded instead. Spec: "PVPANIC device": bits that are read are those that are understood.
 * The guest finds it as QEMU0001 in ACPI and as etc/pvpanic-port in fw_cfg.
 */
#include "hw/pvpanic.h"

#include "softmmu/log.h"

enum { ALL_EVENTS = PVPANIC_PANICKED | PVPANIC_CRASH_LOADED };

typedef struct Pvpanic {
    Device dev;
    PvpanicWiring w;
} Pvpanic;

static uint64_t events_read(Device *dev, const RegDesc *r)
{
    return ((Pvpanic *)dev)->w.events;
}

static void events_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Pvpanic *s = (Pvpanic *)dev;

    if (value & ~ALL_EVENTS)
        log_guest_error("pvpanic: unknown event %#x\n", (unsigned)value);
    if (value & ALL_EVENTS)
        s->w.happened(s->w.opaque, value & ALL_EVENTS);
}

static const RegDesc pvpanic_regs[] = {
    { 0x0, "EVENTS", 1, .read = events_read, .write = events_write },
    { 0 },
};

static bool pvpanic_realize(Device *dev, GError **error)
{
    Pvpanic *s = (Pvpanic *)dev;

    memory_add(s->w.ports, s->w.base, 0, &dev->io);
    return true;
}

static void pvpanic_unrealize(Device *dev)
{
    memory_remove(&dev->io);
}

static const StateField pvpanic_state[] = { STATE_END };

const DeviceClass pvpanic_class = {
    .name = "pvpanic",
    .desc = "port by which a guest tells that it has panicked",
    .size = sizeof(Pvpanic),
    .regs = pvpanic_regs,
    .state = pvpanic_state,
    .state_version = 1,
    .realize = pvpanic_realize,
    .unrealize = pvpanic_unrealize,
};

Device *pvpanic_new(Device *parent, const PvpanicWiring *w)
{
    Pvpanic *s = (Pvpanic *)device_new(&pvpanic_class, parent, NULL);

    s->w = *w;
    return &s->dev;
}
