/* SPDX-License-Identifier: MIT */
/* Events: from the CPU, from memory's regions, from the machine. */
#include "accel/plugin/events.h"

#include "accel/plugin/internal.h"
#include "accel/session.h"

static void tell_plugin(MimusPlugin *p, const MimusEvent *e)
{
    for (unsigned k = 0; k < p->events->len; k++) {
        const EventHook *h = &g_array_index(p->events, EventHook, k);
        if (h->kind != e->kind)
            continue;
        if (p->records)
            mimus_flush_records(p);
        h->fn(p, e, h->opaque);
    }
}

static void dispatch(PluginSet *s, const MimusEvent *e)
{
    for (unsigned i = 0; i < s->plugins->len; i++)
        tell_plugin(s->plugins->pdata[i], e);
}

/* Callbacks may cause events: those are not told. */
void cpu_tell(Cpu *cpu, MimusEvent *e)
{
    PluginSet *s = cpu->run->accel->plugins;
    fenv_t guest;

    if (s->telling)
        return;
    s->telling = true;
    e->cpu = cpu->run->common->index;
    if (!e->pc)
        e->pc = cpu_running_pc(cpu) + cpu->ops->trace->code_base(cpu);
    s->regs = MIMUS_READ_REGS;
    s->teller = cpu;
    plugin_begin_c(&guest);
    dispatch(s, e);
    plugin_end_c(&guest);
    s->regs = MIMUS_NO_REGS;
    s->teller = NULL;
    s->telling = false;
}

/* Of the machine, or of the CPU that is executing. */
static void tell(PluginSet *s, MimusEvent *e)
{
    if (!(s->events >> e->kind & 1) || s->telling)
        return;
    if (s->accel->current) {
        cpu_tell(s->accel->current, e);
        return;
    }
    s->telling = true;
    e->cpu = MIMUS_NO_CPU;
    dispatch(s, e);
    s->telling = false;
}

void plugin_machine_event(Accel *a, unsigned kind, const char *why)
{
    MimusEvent e = { .kind = (MimusEventKind)kind };

    if (!a->plugins)
        return;
    e.why = why;
    tell(a->plugins, &e);
}

static void tell_access(PluginSet *s, MimusEventKind kind, const FlatRange *range, uint64_t addr,
                        uint64_t value, unsigned size, bool write)
{
    MimusEvent e = { .kind = kind };

    e.io.device = range->region->name;
    e.io.addr = addr;
    e.io.offset = range->region_start + (addr - range->start);
    e.io.value = value;
    e.io.size = (uint8_t)size;
    e.io.write = write;
    tell(s, &e);
}

static void saw_io(void *opaque, const FlatRange *range, uint64_t addr, uint64_t value,
                   unsigned size, bool write)
{
    tell_access(opaque, MIMUS_MMIO, range, addr, value, size, write);
}

static void saw_port(void *opaque, const FlatRange *range, uint64_t addr, uint64_t value,
                     unsigned size, bool write)
{
    tell_access(opaque, MIMUS_PORT, range, addr, value, size, write);
}

static void saw_dma(void *opaque, uint64_t addr, uint64_t len, bool write)
{
    PluginSet *s = opaque;
    MimusEvent e = { .kind = MIMUS_DMA };

    e.dma.paddr = addr;
    e.dma.size = len;
    e.dma.write = write;
    tell(s, &e);
}

static void watch(AddressSpace *as, const MemWatch *w)
{
    if (as)
        address_space_watch(as, w);
}

/* @p has just been loaded: it is told alone. */
void plugin_tell_replay(MimusPlugin *p)
{
    MimusEvent e = { .kind = MIMUS_REPLAY_START, .cpu = MIMUS_NO_CPU };
    Accel *a = p->set->accel;

    if (!session_is_replay(a) || session_result(a).finished)
        return;
    p->set->telling = true;
    tell_plugin(p, &e);
    p->set->telling = false;
}

/* After plugins, or what they ask for, have changed. */
void plugin_update_events(PluginSet *s)
{
    Machine *m = s->accel->machine;
    bool memory, ports;

    s->events = 0;
    for (unsigned i = 0; i < s->plugins->len; i++) {
        MimusPlugin *p = s->plugins->pdata[i];
        for (unsigned k = 0; k < p->events->len; k++)
            s->events |= 1u << g_array_index(p->events, EventHook, k).kind;
    }
    for (unsigned i = 0; i < s->accel->cpus->len; i++)
        ((Cpu *)s->accel->cpus->pdata[i])->run->common->events = s->events;
    memory = s->events & (1u << MIMUS_MMIO | 1u << MIMUS_DMA);
    ports = s->events & 1u << MIMUS_PORT;
    s->watch_memory = (MemWatch){ .io = saw_io, .dma = saw_dma, .opaque = s };
    s->watch_ports = (MemWatch){ .io = saw_port, .opaque = s };
    watch(m->memory, memory ? &s->watch_memory : NULL);
    watch(m->smm_memory, memory ? &s->watch_memory : NULL);
    watch(m->io, ports ? &s->watch_ports : NULL);
}

void mimus_on_event(MimusPlugin *p, MimusEventKind kind, MimusEventFn *fn, void *opaque)
{
    EventHook h = { kind, fn, opaque };

    g_array_append_val(p->events, h);
    plugin_update_events(p->set);
}
