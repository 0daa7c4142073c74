/* SPDX-License-Identifier: MIT */
/*
 * The glue of x87 error reporting on a PC: FERR# sets a latch that raises IRQ 13; writing port 0xf0
 * clears the latch and, while FERR# is asserted, asserts IGNNE# until FERR# is not any more. Spec:
 * SDM vol. 1, section D.2 (MS-DOS compatibility handling); 82371AB, port F0h.
 */
#include "hw/debug-devices.h"

typedef struct Ferr {
    Device dev;
    MemRegion *parent_ports;
    const Irq *irq, *ignne;
    MemRegion ports;
    bool asserted; /* state: FERR# */
    bool latched;  /* state: IRQ 13 */
} Ferr;

void ferr_set(Device *dev, int level)
{
    Ferr *s = (Ferr *)dev;

    s->asserted = level;
    if (!level) { /* the latch holds until it is cleared */
        irq_lower(s->ignne);
        return;
    }
    s->latched = true;
    irq_raise(s->irq);
}

static uint64_t ferr_read(void *opaque, uint64_t addr, unsigned size)
{
    return 0xff;
}

static void ferr_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Ferr *s = opaque;

    s->latched = false;
    irq_lower(s->irq);
    if (s->asserted)
        irq_raise(s->ignne);
}

static const MemOps ferr_ops = { ferr_read, ferr_write, 1, 1 };

static bool realize(Device *dev, GError **error)
{
    Ferr *s = (Ferr *)dev;

    memory_init_io(&s->ports, "ioportF0", &ferr_ops, s, 1);
    memory_add(s->parent_ports, 0xf0, 0, &s->ports);
    return true;
}

static void unrealize(Device *dev)
{
    Ferr *s = (Ferr *)dev;

    memory_destroy(&s->ports);
}

static void reset_enter(Device *dev)
{
    ((Ferr *)dev)->latched = ((Ferr *)dev)->asserted = false;
}

static void reset_hold(Device *dev)
{
    irq_lower(((Ferr *)dev)->irq);
    irq_lower(((Ferr *)dev)->ignne);
}

static const StateField ferr_state[] = { STATE_BOOL(Ferr, asserted), STATE_BOOL(Ferr, latched),
                                         STATE_END };

const DeviceClass ferr_class = {
    .name = "ferr",
    .desc = "x87 error latch and port 0xf0",
    .size = sizeof(Ferr),
    .state = ferr_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
    .reset_hold = reset_hold,
};

Device *ferr_new(Device *parent, MemRegion *ports, const Irq *irq, const Irq *ignne)
{
    Ferr *s = (Ferr *)device_new(&ferr_class, parent, NULL);

    s->parent_ports = ports;
    s->irq = irq;
    s->ignne = ignne;
    return &s->dev;
}
