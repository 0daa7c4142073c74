/* SPDX-License-Identifier: MIT */
/*
 * isa-debugcon: a port whose written bytes go to a character back end. Reading returns 0xe9 (or
 * what the board set), by which guests detect it.
 */
#include "hw/debug-devices.h"

typedef struct Debugcon {
    Device dev;
    MemRegion *parent_ports;
    uint32_t base;
    uint8_t readback;
    Chardev *chr;
    MemRegion ports;
} Debugcon;

static uint64_t debugcon_read(void *opaque, uint64_t addr, unsigned size)
{
    Debugcon *s = opaque;

    return s->readback;
}

static void debugcon_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Debugcon *s = opaque;
    uint8_t c = value;

    chardev_write(s->chr, &c, 1);
}

static const MemOps debugcon_ops = { debugcon_read, debugcon_write, 1, 1 };

static bool realize(Device *dev, GError **error)
{
    Debugcon *s = (Debugcon *)dev;

    memory_init_io(&s->ports, "isa-debugcon", &debugcon_ops, s, 1);
    memory_add(s->parent_ports, s->base, 0, &s->ports);
    return true;
}

static void unrealize(Device *dev)
{
    Debugcon *s = (Debugcon *)dev;

    memory_destroy(&s->ports);
}

static const StateField debugcon_state[] = { STATE_END };

const DeviceClass debugcon_class = {
    .name = "isa-debugcon",
    .desc = "debug console port",
    .size = sizeof(Debugcon),
    .state = debugcon_state,
    .realize = realize,
    .unrealize = unrealize,
};

Device *debugcon_new(Device *parent, MemRegion *ports, uint32_t base, uint8_t readback,
                     Chardev *chr)
{
    Debugcon *s = (Debugcon *)device_new(&debugcon_class, parent, NULL);

    s->parent_ports = ports;
    s->base = base;
    s->readback = readback;
    s->chr = chr;
    return &s->dev;
}
