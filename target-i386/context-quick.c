/* SPDX-License-Identifier: MIT */
/*
 * Where the CPU stands, as the engine asks for it; also while translated code's vector registers
 * are live.
 */
#include "target-i386/context-quick.h"

/* Can a branch by 32 bits leave the canonical addresses? Units of mapping do so as a whole. Jumps
 * do not look at it: a jump-cache entry's block is of its pc's mode whatever context it was made
 * in. */
static bool end_is_near(const CpuX86 *c, uint64_t pc)
{
    uint32_t last = c->mode & X86_MODE_LA57 ? 0xffffff : 0x7fff, at = (uint32_t)(pc >> 32);

    return at == last || at == ~last;
}

void x86_context_at(const CpuX86 *c, uint64_t pc, CpuContext *out)
{
    const uint32_t top = 7u << X86_MODE_TOP_SHIFT;
    bool is64 = c->mode & X86_MODE_CS64;

    out->pc = pc;
    out->mode = (c->mode & ~top) | x86_hot_mode(c) << X86_MODE_TOP_SHIFT;
    if (is64 && end_is_near(c, pc))
        out->mode |= X86_MODE_CS_LIMIT;
    out->cs_base = is64 ? 0 : c->segs[SEG_CS].base;
    out->linear = is64 ? pc : (uint32_t)(out->cs_base + pc);
    out->mmu = x86_mmu(c);
    out->kernel = x86_cpl(c) != 3;
}

bool x86_quick_context(Cpu *cpu, uint64_t pc, CpuContext *out)
{
    const CpuX86 *c = (const CpuX86 *)cpu;

    if ((c->mode & X86_MODE_BREAKPOINTS) ||
        (!(c->mode & X86_MODE_CS64) && pc > c->segs[SEG_CS].limit))
        return false;
    x86_context_at(c, pc, out);
    return true;
}
