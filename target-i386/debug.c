/* SPDX-License-Identifier: MIT */
/*
 * Debug registers (Intel SDM vol. 3B, 18.2): breakpoints on instructions, data and ports.
 *
 * Only instruction breakpoints keep X86_MODE_BREAKPOINTS on. A page with a data breakpoint stays
 * out of the first-level TLB; a hit on it, or on a port, in a block of many instructions makes the
 * engine run that instruction again, alone and with the mode on (debug_step): the hit is noted, and
 * #DB follows the instruction. LE and GE have no effect: breakpoints are always exact.
 *
 * RF stays set until the instruction has been executed, between the iterations of a repeated one
 * too; where no breakpoint is armed it may be cleared late (rf_count), which nobody can see.
 *
 * Missing: last-branch records (DEBUGCTL.LBR reads 0).
 */
#include "target-i386/debug.h"

#include <string.h>

#include "target-i386/excp.h"

enum { RW_EXECUTE, RW_WRITE, RW_PORT, RW_ACCESS };

static bool is_enabled(uint64_t dr7, unsigned n)
{
    return dr7 >> (2 * n) & 3;
}

static unsigned kind(uint64_t dr7, unsigned n)
{
    return dr7 >> (16 + 4 * n) & 3;
}

static unsigned length(uint64_t dr7, unsigned n)
{
    static const uint8_t bytes[] = { 1, 2, 8, 4 };

    return bytes[dr7 >> (18 + 4 * n) & 3];
}

static bool is_data(uint64_t dr7, unsigned n)
{
    return is_enabled(dr7, n) && (kind(dr7, n) & 1);
}

bool x86_debug_has_code(const CpuX86 *c)
{
    for (unsigned n = 0; n < 4; n++)
        if (is_enabled(c->dr[7], n) && kind(c->dr[7], n) == RW_EXECUTE)
            return true;
    return false;
}

DebugWatch x86_debug_watch(const CpuX86 *c)
{
    DebugWatch w = { .dr7 = c->dr[7] };

    memcpy(w.addr, c->dr, sizeof(w.addr));
    return w;
}

void x86_debug_changed(CpuX86 *c, const DebugWatch *old)
{
    bool flush = false;

    for (unsigned n = 0; n < 4; n++) {
        bool was = is_data(old->dr7, n), is = is_data(c->dr[7], n);

        flush |= was != is || (is && old->addr[n] != c->dr[n]);
    }
    if (flush)
        cpu_tlb_flush_all(&c->cpu);
    x86_update_mode(c);
}

bool x86_debug_watches_page(const CpuX86 *c, uint64_t addr)
{
    if (!(c->dr[7] & 0xff))
        return false;
    for (unsigned n = 0; n < 4; n++)
        if (is_data(c->dr[7], n) && !((c->dr[n] ^ addr) & ~0xfffull))
            return true;
    return false;
}

/* Breakpoints of the kinds in @kinds (1 << RW_*) that share a byte with [@addr, +@len). */
static unsigned find_hits(const CpuX86 *c, uint64_t addr, uint32_t len, unsigned kinds)
{
    unsigned hits = 0;

    for (unsigned n = 0; n < 4; n++) {
        uint64_t dr7 = c->dr[7], size = length(dr7, n), start = c->dr[n] & ~(size - 1);

        if (is_enabled(dr7, n) && (kinds >> kind(dr7, n) & 1) &&
            (addr - start < size || start - addr < len))
            hits |= 1u << n;
    }
    return hits;
}

/* @probe: in good time to begin the instruction anew, but it is the access that counts. */
static void note_hits(CpuX86 *c, unsigned hits, bool probe)
{
    bool alone = c->mode & X86_MODE_BREAKPOINTS, in_code = cpu_tail(&c->cpu)->slow.host_pc;

    if (!hits || (probe && (alone || !in_code)))
        return;
    if (alone || !in_code)
        c->debug_hits |= hits;
    if (alone)
        return;
    c->debug_step = true;
    if (!in_code) { /* delivery of an exception: #DB comes before its handler's first instruction */
        x86_update_mode(c);
        return;
    }
    cpu_sync_state(&c->cpu);
    x86_update_mode(c);
    cpu_loop_exit(&c->cpu);
}

void x86_debug_access(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, bool probe)
{
    unsigned kinds = 1 << RW_ACCESS | (access == ACCESS_WRITE ? 1 << RW_WRITE : 0);

    if (access != ACCESS_EXEC)
        note_hits(x86(cpu), find_hits(x86(cpu), addr, len, kinds), probe);
}

void x86_debug_port(CpuX86 *c, uint32_t port, uint32_t size)
{
    if ((c->dr[7] & 0xff) && (c->cr4 & CR4_DE))
        note_hits(c, find_hits(c, port, size, 1 << RW_PORT), false);
}

/* Takes back that an instruction is run alone; the bits for DR6. */
static uint64_t take_hits(CpuX86 *c)
{
    uint64_t hits = c->debug_hits;

    c->debug_hits = 0;
    c->debug_step = false;
    return hits;
}

void x86_debug_before(CpuX86 *c, uint64_t linear)
{
    uint64_t hits = 0;

    if (c->inhibit == INHIBIT_SS) /* no debug exceptions in its shadow */
        return;
    if (c->debug_hits) {
        c->dr[6] |= take_hits(c);
        x86_update_mode(c);
        x86_raise(c, EXCP_DB);
    }
    if (c->eflags & EFL_RF)
        return;
    for (unsigned n = 0; n < 4; n++)
        if (is_enabled(c->dr[7], n) && !(c->dr[7] >> (16 + 4 * n) & 15) && c->dr[n] == linear)
            hits |= 1u << n;
    if (!hits)
        return;
    c->dr[6] = (c->dr[6] & ~15ull) | hits;
    x86_raise(c, EXCP_DB);
}

void x86_debug_set_rf(CpuX86 *c)
{
    cpu_sync_state(&c->cpu);
    c->eflags |= EFL_RF;
    c->rf_count = cpu_charged_count(&c->cpu);
}

/* Does TF ask for a trap after this instruction? */
static bool single_steps(const CpuX86 *c, unsigned step)
{
    if (!(step & STEP_TF) || (step & STEP_QUIET))
        return false;
    if ((step & STEP_AFTER) && !(c->eflags & EFL_TF))
        return false;
    return !(c->debugctl & DEBUGCTL_BTF) || (step & (STEP_BRANCH | STEP_AFTER));
}

void x86_debug_after(CpuX86 *c, unsigned step)
{
    uint64_t bits;

    if (!c->rf_loaded)
        c->eflags &= ~(uint32_t)EFL_RF;
    if ((step & STEP_REPEAT) && c->cpu.pc != c->step_next)
        x86_debug_set_rf(c);
    if (c->inhibit == INHIBIT_SS) /* the trap waits for the next instruction */
        return;
    bits = take_hits(c) | (single_steps(c, step) ? DR6_BS : 0);
    if (!bits)
        return;
    c->dr[6] |= bits;
    x86_record_exception(c, EXCP_DB, 0);
}
