/* SPDX-License-Identifier: MIT */
/*
 * Port 0x80, the POST code latch. Writes are used as an I/O delay; reading gives all-ones, as on
 * boards whose DMA page register for channel 0's refresh is elsewhere.
 */
#include "hw/debug-devices.h"

typedef struct Port80 {
    Device dev;
    MemRegion *parent_ports;
    MemRegion ports;
    uint8_t code; /* state: the last one written */
} Port80;

static uint64_t port80_read(void *opaque, uint64_t addr, unsigned size)
{
    return 0xff;
}

static void port80_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Port80 *s = opaque;

    s->code = value;
}

static const MemOps port80_ops = { port80_read, port80_write, 1, 1 };

static bool realize(Device *dev, GError **error)
{
    Port80 *s = (Port80 *)dev;

    memory_init_io(&s->ports, "ioport80", &port80_ops, s, 1);
    memory_add(s->parent_ports, 0x80, 0, &s->ports);
    return true;
}

static void unrealize(Device *dev)
{
    Port80 *s = (Port80 *)dev;

    memory_destroy(&s->ports);
}

static void reset_enter(Device *dev)
{
    ((Port80 *)dev)->code = 0;
}

static const StateField port80_state[] = { STATE_U8(Port80, code), STATE_END };

const DeviceClass port80_class = {
    .name = "port80",
    .desc = "POST code latch",
    .size = sizeof(Port80),
    .state = port80_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
};

Device *port80_new(Device *parent, MemRegion *ports)
{
    Port80 *s = (Port80 *)device_new(&port80_class, parent, NULL);

    s->parent_ports = ports;
    return &s->dev;
}
