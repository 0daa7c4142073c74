/* SPDX-License-Identifier: MIT */
/*
 * The sockets of the board's CPUs as the guest sees them: which CPU has come or is to go, and the
 * register by which it lets one go.
 */
#ifndef HW_CPU_HOTPLUG_H
#define HW_CPU_HOTPLUG_H

#include "softmmu/irq.h"
#include "softmmu/machine.h"

#define CPU_HOTPLUG_BASE  0xaf00
#define CPU_HOTPLUG_BYTES 12
#define CPU_HOTPLUG_GPE   2
#define CPU_HOTPLUG_ID    64 /* bytes of a name, with its NUL */

/* Commands of register 5. */
enum {
    CPU_HOTPLUG_NEXT = 0, /* select the next CPU of which there is news */
    CPU_HOTPLUG_OST_EVENT = 1,
    CPU_HOTPLUG_OST_STATUS = 2,
    CPU_HOTPLUG_APIC_ID = 3,
};

typedef struct CpuHotplugWiring {
    MemRegion *ports; /* NULL: the guest is told nothing */
    const CpuBus *cpus;
    const Irq *event; /* pulsed: there is news for the guest */
    /* The guest lets CPU @n go, whose name was @id ("" for one that was there from the start). */
    void (*eject)(void *opaque, unsigned n, const char *id);
    /* … and says what became of it (_OST): ACPI 6.4, section 6.3.5. */
    void (*report)(void *opaque, unsigned n, const char *id, uint32_t event, uint32_t status);
    void *opaque;
} CpuHotplugWiring;

extern const DeviceClass cpu_hotplug_class;

Device *cpu_hotplug_new(Device *parent, const CpuHotplugWiring *w);
/* CPU @n is there now, as @id, which fits: tell the guest if it runs already. */
void cpu_hotplug_plug(Device *dev, unsigned n, const char *id, bool tell);
/* Ask the guest to let it go. */
void cpu_hotplug_ask(Device *dev, unsigned n);
/* The CPU that was plugged in as @id; -1: none. */
int cpu_hotplug_find(Device *dev, const char *id);
const char *cpu_hotplug_id(Device *dev, unsigned n);

#endif
