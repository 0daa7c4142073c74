/* SPDX-License-Identifier: MIT */
/* What plugins ask about an x86 CPU. */
#include "target-i386/trace.h"

#include "target-i386/cpu.h"
#include "target-i386/disas.h"

static uint64_t code_base(Cpu *cpu)
{
    const CpuX86 *c = x86(cpu);

    return x86_is_64bit_code(c) ? 0 : c->segs[SEG_CS].base;
}

static uint64_t address_space(Cpu *cpu)
{
    return x86(cpu)->cr3 & ~UINT64_C(0xfff);
}

static unsigned privilege(Cpu *cpu)
{
    return x86_cpl(x86(cpu));
}

const CpuTraceOps x86_trace_ops = {
    .code_base = code_base,
    .address_space = address_space,
    .privilege = privilege,
    .print_insn = x86_print_insn,
};
