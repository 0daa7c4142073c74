/* SPDX-License-Identifier: MIT */
/*
 * A CPU waiting for a store to one line of memory (MONITOR and MWAIT of x86). The line is a granule
 * of its page like those that hold code, so every store finds it on the way that stores to code
 * take, DMA included, and nothing else pays for it. A mark outlives what it was made for until a
 * store meets it or the CPU watches another line.
 */
#include "accel/engine.h"

static Cpu *nth(Accel *a, unsigned n)
{
    return a->cpus->pdata[n];
}

static void unmark(Accel *a, Cpu *cpu)
{
    uint64_t line = cpu->run->monitor_mark;

    cpu->run->monitor_mark = 0;
    if (!line)
        return;
    for (unsigned i = 0; i < a->cpus->len; i++)
        if (nth(a, i)->run->monitor_mark == line)
            return;
    tb_unmonitor(&a->tbs, line & ~1ull);
}

static void mark(Accel *a, Cpu *cpu, uint64_t line)
{
    if (cpu->run->monitor_mark == line)
        return;
    unmark(a, cpu);
    cpu->run->monitor_mark = line;
    if (tb_monitor(&a->tbs, line & ~1ull))
        tlb_watch_ram_page(a, line & PAGE_MASK);
}

bool cpu_monitor(Cpu *cpu, uint64_t addr, unsigned mmu)
{
    const StlbEntry *e = tlb_resolve(cpu, addr, ACCESS_READ, mmu);

    cpu->run->common->monitor = 0;
    if (!e || (e->flags & STLB_IO))
        return false;
    cpu->run->common->monitor = e->ram | (addr & (PAGE_SIZE - TB_GRANULE)) | 1;
    mark(cpu->run->accel, cpu, cpu->run->common->monitor);
    return true;
}

void cpu_monitor_again(Cpu *cpu)
{
    Accel *a = cpu->run->accel;
    uint64_t line = cpu->run->common->monitor;

    if (a->tbs.pages && line && line >> PAGE_BITS < a->tbs.npages)
        mark(a, cpu, line);
}

void monitor_hit(void *opaque, uint64_t ram)
{
    Accel *a = opaque;

    for (unsigned i = 0; i < a->cpus->len; i++) {
        CpuRun *run = nth(a, i)->run;

        if (run->monitor_mark == (ram | 1))
            run->monitor_mark = 0;
        if (run->common->monitor == (ram | 1)) {
            run->common->monitor = 0;
            if (run->common->halted)
                cpu_interrupt(nth(a, i), CPU_INT_WAKE);
        }
    }
}

void monitor_forget(Accel *a)
{
    for (unsigned i = 0; i < a->cpus->len; i++)
        unmark(a, nth(a, i));
}
