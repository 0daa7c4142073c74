/* SPDX-License-Identifier: MIT */
/* What a plugin may look at, change and have done while a callback of its runs. */
#include <string.h>

#include "accel/plugin/internal.h"
#include "tcg/lanes.h"

/* ---- Registers --------------------------------------------------------------------------------
 */

static const CpuTraceOps *ops_of(const MimusPlugin *p)
{
    return p->set->accel->ops->trace;
}

int mimus_register(const MimusPlugin *p, const char *name)
{
    for (unsigned i = 0; i < ops_of(p)->nregisters; i++)
        if (!strcmp(ops_of(p)->registers[i].name, name))
            return (int)i;
    return -1;
}

const char *mimus_register_name(const MimusPlugin *p, int reg)
{
    return reg >= 0 && reg < (int)ops_of(p)->nregisters ? ops_of(p)->registers[reg].name : NULL;
}

size_t mimus_register_size(const MimusPlugin *p, int reg)
{
    return mimus_register_name(p, reg) ? ops_of(p)->registers[reg].bytes : 0;
}

/* The CPU that the running callback is about, if it may. */
static Cpu *subject(const MimusPlugin *p, MimusRegs needs)
{
    PluginSet *s = p->set;

    return s->regs < needs ? NULL : s->caller ? s->caller : s->teller;
}

static bool read_words(MimusPlugin *p, int reg, uint64_t *word)
{
    Cpu *cpu = subject(p, MIMUS_READ_REGS);

    if (!cpu || !mimus_register_name(p, reg))
        return false;
    ops_of(p)->read_register(cpu, (unsigned)reg, word);
    if (reg == ops_of(p)->pc_register && p->set->caller)
        word[0] = plugin_call_pc(p->set);
    return true;
}

bool mimus_read_register(MimusPlugin *p, int reg, void *buf, size_t size)
{
    uint64_t word[4] = { 0 };

    if (!read_words(p, reg, word))
        return false;
    memset(buf, 0, size);
    words_to_guest(buf, word, (unsigned)MIN(size, sizeof(word)));
    return true;
}

uint64_t mimus_register_value(MimusPlugin *p, int reg)
{
    uint64_t word[4] = { 0 };

    return read_words(p, reg, word) ? word[0] : 0;
}

bool mimus_write_register(MimusPlugin *p, int reg, const void *buf, size_t size)
{
    Cpu *cpu = subject(p, MIMUS_WRITE_REGS);
    uint64_t value;

    if (!cpu || !mimus_register_name(p, reg) || size > sizeof(value))
        return false;
    value = guest_get(buf, (unsigned)size);
    if (reg != ops_of(p)->pc_register)
        return ops_of(p)->write_register(cpu, (unsigned)reg, value);
    if (p->set->call->action->place > AT_INSN)
        return false;
    p->set->goes_on = true;
    p->set->goes_on_at = value;
    return true;
}

/* ---- Memory -----------------------------------------------------------------------------------
 */

static Cpu *cpu_of(const MimusPlugin *p, unsigned cpu)
{
    return accel_cpu(p->set->accel, cpu);
}

bool mimus_read_virtual(MimusPlugin *p, unsigned cpu, uint64_t vaddr, void *buf, size_t size)
{
    Cpu *of = cpu_of(p, cpu);

    return of && size <= UINT32_MAX && debug_read(of, vaddr, buf, (uint32_t)size);
}

bool mimus_write_virtual(MimusPlugin *p, unsigned cpu, uint64_t vaddr, const void *buf, size_t size)
{
    Cpu *of = cpu_of(p, cpu);

    return of && size <= UINT32_MAX && debug_write(of, vaddr, buf, (uint32_t)size);
}

/* Run with another CR3, for a moment in which nothing of the guest runs. */
static bool in_space(MimusPlugin *p, unsigned cpu, uint64_t space, uint64_t vaddr, void *buf,
                     size_t size, bool write)
{
    Cpu *of = cpu_of(p, cpu);
    uint64_t was;
    bool ok;

    if (!of || size > UINT32_MAX)
        return false;
    was = ops_of(p)->swap_space(of, space);
    ok = write ? debug_write(of, vaddr, buf, (uint32_t)size)
               : debug_read(of, vaddr, buf, (uint32_t)size);
    ops_of(p)->swap_space(of, was);
    return ok;
}

bool mimus_read_space(MimusPlugin *p, unsigned cpu, uint64_t space, uint64_t vaddr, void *buf,
                      size_t size)
{
    return in_space(p, cpu, space, vaddr, buf, size, false);
}

bool mimus_write_space(MimusPlugin *p, unsigned cpu, uint64_t space, uint64_t vaddr,
                       const void *buf, size_t size)
{
    return in_space(p, cpu, space, vaddr, (void *)buf, size, true);
}

bool mimus_read_physical(MimusPlugin *p, uint64_t paddr, void *buf, size_t size)
{
    const void *host = address_space_map(p->set->accel->machine->memory, paddr, size, false);

    if (host)
        memcpy(buf, host, size);
    return host;
}

bool mimus_write_physical(MimusPlugin *p, uint64_t paddr, const void *buf, size_t size)
{
    AddressSpace *as = p->set->accel->machine->memory;
    void *host = address_space_map(as, paddr, size, true);

    if (!host)
        return false;
    memcpy(host, buf, size);
    address_space_written(as, paddr, size);
    return true;
}

uint64_t mimus_physical(MimusPlugin *p, unsigned cpu, uint64_t vaddr)
{
    Cpu *of = cpu_of(p, cpu);
    CpuPage page = { 0 };

    if (!of || !of->ops->walk(of, vaddr, ACCESS_READ, 0, true, &page))
        return UINT64_MAX;
    return page.phys | (vaddr & (PAGE_SIZE - 1));
}

/* ---- The rest ---------------------------------------------------------------------------------
 */

uint64_t mimus_space(const MimusPlugin *p, unsigned cpu)
{
    Cpu *of = cpu_of(p, cpu);

    return of ? ops_of(p)->address_space(of) : 0;
}

unsigned mimus_privilege(const MimusPlugin *p, unsigned cpu)
{
    Cpu *of = cpu_of(p, cpu);

    return of ? ops_of(p)->privilege(of) : 0;
}

uint64_t mimus_pc(const MimusPlugin *p, unsigned cpu)
{
    Cpu *of = cpu_of(p, cpu);

    if (!of)
        return 0;
    if (p->set->caller == of)
        return plugin_call_pc(p->set) + ops_of(p)->code_base(of);
    return cpu_running_pc(of) + ops_of(p)->code_base(of);
}

void mimus_stop(MimusPlugin *p)
{
    machine_request(p->set->accel->machine, REQUEST_STOP);
}

void mimus_exit(MimusPlugin *p, int status)
{
    if (plugin_on_runner(p->set))
        plugin_ask_to_exit(p->set, status);
    else
        machine_request_quit(p->set->accel->machine, status);
}
