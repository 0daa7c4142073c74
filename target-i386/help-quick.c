/* SPDX-License-Identifier: MIT */
/*
 * Short helpers that run while translated code's vector registers are live: compiled for general
 * registers only, calling nothing but the like of them (accel/quick.c).
 */
#include "target-i386/help-system.h"

#include "target-i386/segment.h"

uint64_t help_rdtsc_host(CpuX86 *c)
{
    return (uint64_t)cpu_host_clock_ns(&c->cpu) + c->tsc_offset;
}

uint64_t help_rdtsc_counted(CpuX86 *c, uint32_t left)
{
    return (uint64_t)cpu_counted_clock_ns(&c->cpu, left) + c->tsc_offset;
}

bool quick_cpuid(CpuX86 *c, uint64_t *result, uint32_t leaf, uint32_t subleaf)
{
    unsigned n = x86_cpuid_memo(leaf, subleaf);

    if (!c->cpuid_memo[n].known || c->cpuid_memo[n].leaf != leaf ||
        c->cpuid_memo[n].subleaf != subleaf)
        return false;
    c->cpuid_high = c->cpuid_memo[n].high;
    *result = c->cpuid_memo[n].low;
    return true;
}

/* ---- Modes ---------------------------------------------------------------------------------- */

static void set_mode(CpuX86 *c, uint32_t mode)
{
    const uint32_t top = 7u << X86_MODE_TOP_SHIFT;

    c->mode = (mode & ~top) | x86_hot_mode(c) << X86_MODE_TOP_SHIFT;
    x86_settle_context(c);
}

void x86_settle_context(CpuX86 *c)
{
    const uint32_t alone =
        X86_MODE_TF | X86_MODE_INHIBIT | X86_MODE_BREAKPOINTS | X86_MODE_X87_SLOW;

    if ((c->mode & X86_MODE_CS64) && !(c->mode & alone))
        cpu_context_is(&c->cpu, c->mode, 0, x86_cpl(c) != 3);
    else
        cpu_context_changed(&c->cpu);
}

uint32_t help_sti_allowed(CpuX86 *c)
{
    if (!c->cpu.interrupt_request) {
        c->eflags |= EFL_IF;
        return 0;
    }
    if (!(c->eflags & EFL_IF))
        c->inhibit = INHIBIT_STI;
    c->eflags |= EFL_IF;
    return 1;
}

void help_set_ac(CpuX86 *c, uint32_t ac)
{
    uint32_t mode = c->mode & ~(uint32_t)X86_MODE_SMAP_OFF;

    c->eflags = ac ? c->eflags | EFL_AC : c->eflags & ~(uint32_t)EFL_AC;
    if (ac && (c->cr4 & CR4_SMAP))
        mode |= X86_MODE_SMAP_OFF;
    if (mode != c->mode)
        set_mode(c, mode);
}

/* ---- System calls of 64-bit code --------------------------------------------------------------
 */

static void set_flat(CpuX86 *c, uint16_t selector, unsigned cpl)
{
    const uint32_t dpl = cpl << ATTR_DPL_SHIFT;

    c->segs[SEG_CS] = (Segment){ (selector & ~3u) | cpl, FLAT_CODE | ATTR_L | dpl, UINT32_MAX, 0 };
    selector += cpl == 3 ? -8 : 8;
    c->segs[SEG_SS] = (Segment){ (selector & ~3u) | cpl, FLAT_DATA | dpl, UINT32_MAX, 0 };
}

/* All but single steps and the rare modes of flags. */
uint32_t help_syscall_quick(CpuX86 *c, uint32_t flags)
{
    uint32_t eflags = c->eflags & ~((uint32_t)c->sfmask | EFL_RF);

    if (c->common.events || !(c->efer & EFER_SCE) || (eflags & (EFL_TF | EFL_AC | EFL_VM)))
        return UINT32_MAX;
    c->eflags = eflags | 2;
    c->cpu.pc = c->lstar;
    set_flat(c, (uint16_t)(c->star >> 32), 0);
    set_mode(c, (c->mode & ~(uint32_t)(X86_MODE_CPL | X86_MODE_AC | X86_MODE_SMAP_OFF)) |
                    X86_MODE_IOPL_OK);
    return flags & ~(uint32_t)c->sfmask & FLAGS_ARITH;
}

uint32_t help_sysret_quick(CpuX86 *c, uint64_t rcx, uint64_t r11)
{
    const uint32_t mask = 0x3c7fd7;

    if (c->common.events || !(c->efer & EFER_SCE) || (r11 & (EFL_TF | EFL_AC)) ||
        (r11 & EFL_IOPL) == EFL_IOPL)
        return UINT32_MAX;
    c->eflags =
        ((c->eflags & ~(mask | EFL_RF)) | ((uint32_t)r11 & mask & ~(uint32_t)FLAGS_ARITH)) | 2;
    c->cpu.pc = rcx;
    set_flat(c, (uint16_t)((c->star >> 48) + 16), 3);
    set_mode(c, (c->mode & ~(uint32_t)(X86_MODE_SMAP_OFF | X86_MODE_IOPL_OK)) | X86_MODE_CPL);
    if ((c->eflags & EFL_IF) && c->cpu.interrupt_request)
        cpu_look(&c->cpu);
    return (uint32_t)r11 & FLAGS_ARITH;
}
