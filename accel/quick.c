/* SPDX-License-Identifier: MIT */
/*
 * What short helpers of the architecture call while translated code's vector registers are live:
 * compiled for general registers only, calling nothing outside this file.
 */
#include "accel/engine.h"

int64_t cpu_host_clock_ns(Cpu *cpu)
{
    Accel *a = cpu->run->accel;

    return host_clock_scaled(&a->host) + a->bias_ns;
}

int64_t cpu_counted_clock_ns(Cpu *cpu, unsigned left)
{
    const Accel *a = cpu->run->accel;
    uint64_t count = a->count + (uint64_t)(int64_t)(cpu->run->granted - cpu->budget) - left;

    return (int64_t)(count << a->icount_shift) + a->bias_ns;
}

uint64_t cpu_tlb_flushes(const Cpu *cpu)
{
    return cpu->run->tlb->flushes;
}

void cpu_context_changed(Cpu *cpu)
{
    /* The state may be half-way between two modes here, and several changes often come together:
     * until the loop or the next jump's miss looks again, match nothing. */
    cpu->run->context_dirty = true;
    cpu->jc_key = (uint64_t)CONTEXT_NONE << CONTEXT_SHIFT;
}

Context context_of(Cpu *cpu, uint32_t mode, uint64_t cs_base, bool kernel)
{
    const CpuRun *run = cpu->run;
    uint16_t asid = run->common->asid;

    return (Context){
        .cs_base = cs_base,
        .mode = mode & ((1u << CPU_HOT_MODE_SHIFT) - 1),
        .cpu = run->common->index,
        .asid = kernel ? UINT32_MAX : asid,
        .gen = kernel ? run->tlb->global_gen : run->tlb->asid_gen[asid],
    };
}

void cpu_context_is(Cpu *cpu, uint32_t mode, uint64_t cs_base, bool kernel)
{
    CpuRun *run = cpu->run;
    Context c = context_of(cpu, mode, cs_base, kernel);
    const RecentContext *r = &run->recent[context_slot(&c)];

    if (!r->number || r->c.mode != c.mode || r->c.asid != c.asid || r->c.gen != c.gen ||
        r->c.cs_base != c.cs_base) {
        cpu_context_changed(cpu);
        return;
    }
    run->context_dirty = false;
    cpu->jc_key = (uint64_t)(mode >> CPU_HOT_MODE_SHIFT) << CPU_KEY_HOT_SHIFT |
                  (uint64_t)r->number << CONTEXT_SHIFT;
}

/* So far below zero that what blocks give back at side exits does not make it positive again: no
 * block starts before the loop has looked, linked or not. */
#define KICKED (-(1 << 20))

void cpu_kick(Cpu *cpu)
{
    cpu->run->looks = 0;
    if (cpu->budget < KICKED / 2)
        return;
    cpu->run->granted -= cpu->budget - KICKED;
    cpu->budget = KICKED;
}

void cpu_look(Cpu *cpu)
{
    int32_t taken = cpu->budget - KICKED;

    if (cpu->budget < KICKED / 2)
        return;
    cpu_kick(cpu);
    cpu->run->looks = taken;
}
