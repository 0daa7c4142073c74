/* SPDX-License-Identifier: MIT */
/*
 * CPU hot-plug registers at 0xaf00. Spec: "QEMU<->ACPI BIOS CPU hotplug interface", the register
 * block that a write of 0 to the selector chooses; the bitmap of before it is missing.
 *
 *   0 read   command data 2: the APIC id's upper half    0 write  selector of a CPU
 *   4 read   bits: present, has come, is to go           4 write  bits: forget 1, forget 2, eject 3
 *                                                        5 write  command
 *   8 read   command data: selector, APIC id             8 write  command data of _OST
 *
 * A reset forgets news that the guest has not heard: whoever boots sees the CPUs that there are.
 */
#include "hw/cpu-hotplug.h"

#include <string.h>

#include "softmmu/log.h"

enum { IS_PRESENT = 1 << 0, HAS_COME = 1 << 1, IS_TO_GO = 1 << 2, EJECT = 1 << 3 };

typedef struct CpuSocket {
    Device dev;
    /* state */
    char id[CPU_HOTPLUG_ID]; /* as the user plugged it in */
    bool has_come, is_to_go;
    uint32_t ost_event;
} CpuSocket;

typedef struct CpuHotplug {
    Device dev;
    CpuHotplugWiring w;
    /* state */
    uint32_t selector;
    uint8_t command;
} CpuHotplug;

static CpuSocket *socket_of(const CpuHotplug *s, uint32_t n)
{
    return n < s->w.cpus->count ? s->dev.children->pdata[n] : NULL;
}

/* NULL: the selector names none. */
static CpuSocket *selected(const CpuHotplug *s)
{
    return socket_of(s, s->selector);
}

static bool is_present(const CpuHotplug *s, unsigned n)
{
    return s->w.cpus->is_present(s->w.cpus->opaque, n);
}

/* ---- Registers --------------------------------------------------------------------------------
 */

static uint64_t status_read(Device *dev, const RegDesc *r)
{
    CpuHotplug *s = (CpuHotplug *)dev;
    const CpuSocket *c = selected(s);

    if (!c)
        return 0;
    return (is_present(s, s->selector) ? IS_PRESENT : 0) | (c->has_come ? HAS_COME : 0) |
           (c->is_to_go ? IS_TO_GO : 0);
}

static void eject(CpuHotplug *s, CpuSocket *c)
{
    g_autofree char *id = g_strdup(c->id);

    if (!s->selector || !is_present(s, s->selector)) {
        log_guest_error("cpu-hotplug: CPU %u cannot be ejected\n", s->selector);
        return;
    }
    memset(c->id, 0, sizeof(c->id));
    c->has_come = c->is_to_go = false;
    s->w.eject(s->w.opaque, s->selector, id);
}

static void control_write(Device *dev, const RegDesc *r, uint64_t value)
{
    CpuHotplug *s = (CpuHotplug *)dev;
    CpuSocket *c = selected(s);

    if (!c)
        return;
    if (value & HAS_COME)
        c->has_come = false;
    if (value & IS_TO_GO)
        c->is_to_go = false;
    if (value & EJECT)
        eject(s, c);
}

/* From the selected one on, around. */
static void select_next(CpuHotplug *s)
{
    unsigned count = s->w.cpus->count;

    for (unsigned i = 0; i < count && selected(s); i++) {
        unsigned n = (s->selector + i) % count;
        const CpuSocket *c = socket_of(s, n);

        if (c->has_come || c->is_to_go) {
            s->selector = n;
            return;
        }
    }
}

static void command_write(Device *dev, const RegDesc *r, uint64_t value)
{
    CpuHotplug *s = (CpuHotplug *)dev;

    s->command = value;
    if (value == CPU_HOTPLUG_NEXT)
        select_next(s);
    else if (value > CPU_HOTPLUG_APIC_ID)
        log_unimp("cpu-hotplug: command %u\n", (unsigned)value);
}

static uint64_t data_read(Device *dev, const RegDesc *r)
{
    CpuHotplug *s = (CpuHotplug *)dev;

    if (!selected(s))
        return 0;
    switch (s->command) {
    case CPU_HOTPLUG_NEXT: return s->selector;
    case CPU_HOTPLUG_APIC_ID: return s->w.cpus->apic_id(s->w.cpus->opaque, s->selector);
    default: return 0;
    }
}

static void data_write(Device *dev, const RegDesc *r, uint64_t value)
{
    CpuHotplug *s = (CpuHotplug *)dev;
    CpuSocket *c = selected(s);

    if (!c)
        return;
    if (s->command == CPU_HOTPLUG_OST_EVENT)
        c->ost_event = value;
    else if (s->command == CPU_HOTPLUG_OST_STATUS)
        s->w.report(s->w.opaque, s->selector, c->id, c->ost_event, value);
}

static uint64_t data2_read(Device *dev, const RegDesc *r)
{
    return 0; /* APIC ids have 32 bits */
}

static void nothing_written(Device *dev, const RegDesc *r, uint64_t value)
{
}

/* clang-format off */
static const RegDesc cpu_hotplug_regs[] = {
    { 0x0, "SELECTOR", 4, REG_FIELD(CpuHotplug, selector), 0, UINT32_MAX, .read = data2_read },
    { 0x4, "STATUS",   1, .read = status_read, .write = control_write },
    { 0x5, "COMMAND",  1, .write = command_write },
    { 0x6, "reserved", 2, .write = nothing_written },
    { 0x8, "DATA",     4, .read = data_read, .write = data_write },
    { 0 },
};
/* clang-format on */

/* ---- The user's side --------------------------------------------------------------------------
 */

void cpu_hotplug_plug(Device *dev, unsigned n, const char *id, bool tell)
{
    CpuHotplug *s = (CpuHotplug *)dev;
    CpuSocket *c = socket_of(s, n);

    g_assert(c && strlen(id) < sizeof(c->id));
    memset(c->id, 0, sizeof(c->id));
    memcpy(c->id, id, strlen(id));
    c->has_come = tell;
    c->is_to_go = false;
    if (tell)
        irq_pulse(s->w.event);
}

void cpu_hotplug_ask(Device *dev, unsigned n)
{
    CpuHotplug *s = (CpuHotplug *)dev;

    socket_of(s, n)->is_to_go = true;
    irq_pulse(s->w.event);
}

int cpu_hotplug_find(Device *dev, const char *id)
{
    CpuHotplug *s = (CpuHotplug *)dev;

    for (unsigned n = 0; n < s->w.cpus->count; n++)
        if (*id && g_str_equal(socket_of(s, n)->id, id))
            return n;
    return -1;
}

const char *cpu_hotplug_id(Device *dev, unsigned n)
{
    return socket_of((CpuHotplug *)dev, n)->id;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static bool cpu_hotplug_realize(Device *dev, GError **error)
{
    CpuHotplug *s = (CpuHotplug *)dev;

    dev->io.name = "acpi-cpu-hotplug";
    if (s->w.ports)
        memory_add(s->w.ports, CPU_HOTPLUG_BASE, 0, &dev->io);
    return true;
}

static void cpu_hotplug_unrealize(Device *dev)
{
    if (((CpuHotplug *)dev)->w.ports)
        memory_remove(&dev->io);
}

static void cpu_hotplug_reset_enter(Device *dev)
{
    CpuHotplug *s = (CpuHotplug *)dev;

    s->command = CPU_HOTPLUG_NEXT;
}

static void cpu_socket_reset_enter(Device *dev)
{
    CpuSocket *c = (CpuSocket *)dev;

    c->has_come = c->is_to_go = false;
    c->ost_event = 0;
}

static void cpu_socket_post_load(Device *dev)
{
    CpuSocket *c = (CpuSocket *)dev;

    c->id[sizeof(c->id) - 1] = '\0';
}

static const StateField cpu_socket_state[] = {
    STATE_BYTES(CpuSocket, id),
    STATE_BOOL(CpuSocket, has_come),
    STATE_BOOL(CpuSocket, is_to_go),
    STATE_U32(CpuSocket, ost_event),
    STATE_END,
};

static const DeviceClass cpu_socket_class = {
    .name = "cpu-socket",
    .desc = "where a CPU is plugged in",
    .size = sizeof(CpuSocket),
    .state = cpu_socket_state,
    .state_version = 1,
    .reset_enter = cpu_socket_reset_enter,
    .post_load = cpu_socket_post_load,
};

static const StateField cpu_hotplug_state[] = {
    STATE_U32(CpuHotplug, selector),
    STATE_U8(CpuHotplug, command),
    STATE_END,
};

const DeviceClass cpu_hotplug_class = {
    .name = "cpu-hotplug",
    .desc = "registers of CPU plugging",
    .size = sizeof(CpuHotplug),
    .regs = cpu_hotplug_regs,
    .state = cpu_hotplug_state,
    .state_version = 1,
    .realize = cpu_hotplug_realize,
    .unrealize = cpu_hotplug_unrealize,
    .reset_enter = cpu_hotplug_reset_enter,
};

Device *cpu_hotplug_new(Device *parent, const CpuHotplugWiring *w)
{
    CpuHotplug *s = (CpuHotplug *)device_new(&cpu_hotplug_class, parent, NULL);

    s->w = *w;
    for (unsigned n = 0; n < w->cpus->count; n++)
        device_new(&cpu_socket_class, &s->dev, NULL);
    return &s->dev;
}
