/* SPDX-License-Identifier: MIT */
/*
 * The standard parallel port of a PC with a printer that is always ready. Spec: IEEE 1284-1994,
 * compatibility mode; IBM PC/AT Technical Reference.
 *
 * A byte is taken at the rising edge of STROBE (the register shows it inverted: bit 0 set) while
 * the printer is selected; its acknowledgement, a pulse too short to be seen, raises the interrupt.
 * Missing: reading the data lines of a device (they read as written), EPP and ECP.
 */
#include "hw/parallel.h"

enum {
    STATUS_NO_ERROR = 0x08,
    STATUS_SELECTED = 0x10,
    STATUS_NO_ACK = 0x40,
    STATUS_NOT_BUSY = 0x80,
    STATUS_READY = STATUS_NO_ERROR | STATUS_SELECTED | STATUS_NO_ACK | STATUS_NOT_BUSY,

    CONTROL_STROBE = 0x01,
    CONTROL_NO_INIT = 0x04,
    CONTROL_SELECT = 0x08,
    CONTROL_IRQ = 0x10,
    CONTROL_BITS = 0x3f,
    CONTROL_ONES = 0xc0, /* that read as 1 */
};

typedef struct Parallel {
    Device dev; /* .io: its ports */
    MemRegion *ports;
    uint16_t base;
    const Irq *irq;
    Chardev *chr;
    /* state */
    uint8_t data, control;
} Parallel;

static uint64_t status_read(Device *dev, const RegDesc *r)
{
    return STATUS_READY;
}

static uint64_t control_read(Device *dev, const RegDesc *r)
{
    return ((Parallel *)dev)->control | CONTROL_ONES;
}

static void control_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Parallel *s = (Parallel *)dev;
    uint8_t rises = value & ~s->control;
    bool ready = (value & CONTROL_SELECT) && (value & CONTROL_NO_INIT);

    s->control = value & CONTROL_BITS;
    if (!(rises & CONTROL_STROBE) || !ready)
        return;
    chardev_write(s->chr, &s->data, 1);
    if (value & CONTROL_IRQ)
        irq_pulse(s->irq);
}

static void nothing_written(Device *dev, const RegDesc *r, uint64_t value)
{
}

/* clang-format off */
static const RegDesc parallel_regs[] = {
    { 0x0, "DATA",    1, REG_FIELD(Parallel, data), 0, 0xff },
    { 0x1, "STATUS",  1, .read = status_read, .write = nothing_written },
    { 0x2, "CONTROL", 1, REG_FIELD(Parallel, control), CONTROL_NO_INIT | CONTROL_SELECT, .read = control_read,
      .write = control_write },
    { 0 },
};
/* clang-format on */

static bool realize(Device *dev, GError **error)
{
    Parallel *s = (Parallel *)dev;

    memory_add(s->ports, s->base, 0, &dev->io);
    return true;
}

static void unrealize(Device *dev)
{
    memory_remove(&dev->io);
}

static const StateField parallel_state[] = {
    STATE_U8(Parallel, data),
    STATE_U8(Parallel, control),
    STATE_END,
};

const DeviceClass parallel_class = {
    .name = "isa-parallel",
    .desc = "parallel port",
    .size = sizeof(Parallel),
    .regs = parallel_regs,
    .state = parallel_state,
    .state_version = 1,
    .realize = realize,
    .unrealize = unrealize,
};

Device *parallel_new(Device *parent, MemRegion *ports, uint16_t base, const Irq *irq, Chardev *chr)
{
    Parallel *s = (Parallel *)device_new(&parallel_class, parent, NULL);

    s->ports = ports;
    s->base = base;
    s->irq = irq;
    s->chr = chr;
    return &s->dev;
}
