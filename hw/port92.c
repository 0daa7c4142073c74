/* SPDX-License-Identifier: MIT */
/*
 * PS/2 system control port A: fast A20 gate and fast CPU reset. Spec: IBM PS/2 Hardware Interface
 * Technical Reference, "System Control Port A".
 *
 * A20 is open after reset, as firmware of this board expects. Bits 2 to 7 are stored.
 */
#include "hw/port92.h"

enum { PORT92_RESET = 0x01, PORT92_A20 = 0x02 };

typedef struct Port92 {
    Device dev;
    MemRegion *ports;
    const Irq *a20, *reset;
    Irq kbc_a20;
    uint8_t control;
    bool kbc_level;
} Port92;

static void drive_a20(Port92 *s)
{
    irq_set(s->a20, (s->control & PORT92_A20) || s->kbc_level);
}

static void kbc_a20_set(void *opaque, int n, int level)
{
    Port92 *s = opaque;

    s->kbc_level = level;
    drive_a20(s);
}

/* Reset is an edge of bit 0, which then reads as written. */
static void control_wrote(Device *dev, const RegDesc *r, uint64_t old)
{
    Port92 *s = (Port92 *)dev;

    drive_a20(s);
    if ((s->control & PORT92_RESET) && !(old & PORT92_RESET))
        irq_pulse(s->reset);
}

static const RegDesc port92_regs[] = {
    { 0x0, "CONTROL", 1, REG_FIELD(Port92, control), PORT92_A20, 0xff, .wrote = control_wrote },
    { 0 },
};

static const StateField port92_state[] = {
    STATE_U8(Port92, control),
    STATE_BOOL(Port92, kbc_level),
    STATE_END,
};

static bool port92_realize(Device *dev, GError **error)
{
    memory_add(((Port92 *)dev)->ports, 0x92, 0, &dev->io);
    return true;
}

static void port92_unrealize(Device *dev)
{
    memory_remove(&dev->io);
}

static void port92_reset_enter(Device *dev)
{
    ((Port92 *)dev)->kbc_level = false;
}

static void port92_reset_hold(Device *dev)
{
    drive_a20((Port92 *)dev);
}

const DeviceClass port92_class = {
    .name = "port92",
    .desc = "fast A20 gate and reset",
    .size = sizeof(Port92),
    .regs = port92_regs,
    .state = port92_state,
    .state_version = 1,
    .realize = port92_realize,
    .unrealize = port92_unrealize,
    .reset_enter = port92_reset_enter,
    .reset_hold = port92_reset_hold,
};

Device *port92_new(Device *parent, MemRegion *ports, const Irq *a20, const Irq *reset)
{
    Port92 *s = (Port92 *)device_new(&port92_class, parent, NULL);

    s->ports = ports;
    s->a20 = a20;
    s->reset = reset;
    irq_init(&s->kbc_a20, 1, kbc_a20_set, s);
    return &s->dev;
}

Irq *port92_kbc_a20(Device *dev)
{
    return &((Port92 *)dev)->kbc_a20;
}
