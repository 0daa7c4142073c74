/* SPDX-License-Identifier: MIT */
/*
 * Where the board's interrupt lines meet: see gsi.h. The routing is the one that firmware tables
 * describe: identity, but for the timer's override of IRQ 0 to pin 2.
 */
#include "hw/gsi.h"

#include <string.h>

#include "hw/i8259.h"
#include "hw/ioapic.h"
#include "softmmu/trace.h"

#define ISA_IRQS 16

typedef struct Gsi {
    Device dev;
    Device *pic, *ioapic;
    Irq line[GSI_SOURCES][GSI_COUNT];
    Irq legacy;
    uint8_t drivers[GSI_COUNT]; /* bit per GsiSource that is high */
    bool legacy_replaced;
} Gsi;

static bool is_high(const Gsi *s, unsigned n)
{
    uint8_t drivers = s->drivers[n];

    if (s->legacy_replaced && (n == 0 || n == 8))
        drivers &= ~(1u << GSI_ISA);
    return drivers != 0;
}

static void drive(Gsi *s, unsigned n)
{
    bool level = is_high(s, n);

    if (s->pic && n < ISA_IRQS && n != 2)
        irq_set(i8259_input(s->pic, n), level);
    if (!s->ioapic)
        return;
    if (n == 0 || n == 2)
        irq_set(ioapic_input(s->ioapic, 2), is_high(s, 0) || is_high(s, 2));
    else
        irq_set(ioapic_input(s->ioapic, n), level);
}

static void line_set(void *opaque, int n, int level)
{
    Gsi *s = opaque;
    unsigned line = n % GSI_COUNT;
    uint8_t bit = 1u << (n / GSI_COUNT);

    trace(x86_gsi_interrupt, "GSI interrupt #%u level:%d", line, level);
    s->drivers[line] = level ? s->drivers[line] | bit : s->drivers[line] & ~bit;
    drive(s, line);
}

static void legacy_set(void *opaque, int n, int level)
{
    Gsi *s = opaque;

    if (s->legacy_replaced == !!level)
        return;
    s->legacy_replaced = level;
    drive(s, 0);
    drive(s, 8);
}

Irq *gsi_lines(Device *gsi, GsiSource source)
{
    return ((Gsi *)gsi)->line[source];
}

Irq *gsi_legacy_replacement(Device *gsi)
{
    return &((Gsi *)gsi)->legacy;
}

static void gsi_reset_enter(Device *dev)
{
    Gsi *s = (Gsi *)dev;

    memset(s->drivers, 0, sizeof(s->drivers));
    s->legacy_replaced = false;
}

static const StateField gsi_state[] = {
    STATE_BYTES(Gsi, drivers),
    STATE_BOOL(Gsi, legacy_replaced),
    STATE_END,
};

const DeviceClass gsi_class = {
    .name = "gsi",
    .desc = "interrupt line routing",
    .size = sizeof(Gsi),
    .state = gsi_state,
    .state_version = 1,
    .reset_enter = gsi_reset_enter,
};

Device *gsi_new(Device *parent, Device *pic, Device *ioapic)
{
    Gsi *s = (Gsi *)device_new(&gsi_class, parent, NULL);

    s->pic = pic;
    s->ioapic = ioapic;
    irq_init(s->line[0], GSI_SOURCES * GSI_COUNT, line_set, s);
    irq_init(&s->legacy, 1, legacy_set, s);
    return &s->dev;
}
