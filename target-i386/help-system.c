/* SPDX-License-Identifier: MIT */
/*
 * System instructions: control and debug registers, TLB control, ports, the interrupt flag.
 * Intel SDM vol. 2 at each instruction; vol. 3A, 2.5 (control registers), 4.10.4 (what flushes
 * what), 20.3 (virtual-8086 extensions).
 *
 * Privilege that the mode word decides has been checked by the generator.
 */
#include "target-i386/help-system.h"

#include "softmmu/log.h"
#include "softmmu/random.h"
#include "target-i386/cpuid.h"
#include "target-i386/debug.h"
#include "target-i386/excp.h"
#include "target-i386/trace.h"
#include "target-i386/paging.h"
#include "tcg/lanes.h"

static G_GNUC_NORETURN void raise_gp0(CpuX86 *c)
{
    x86_raise_error(c, EXCP_GP, 0);
}

static bool is_pae_paging(const CpuX86 *c)
{
    return (c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE) && !(c->efer & EFER_LMA);
}

bool x86_reload_pdptes(CpuX86 *c)
{
    return !is_pae_paging(c) || x86_load_pdptes(c, c->cr3);
}

/* ---- CR0 ------------------------------------------------------------------------------------ */

/* Long mode is entered and left by CR0.PG. */
static void switch_long_mode(CpuX86 *c, uint64_t new)
{
    bool on = new &CR0_PG;

    if (!(c->efer & EFER_LME) || on == !!(c->cr0 & CR0_PG))
        return;
    if (on) {
        bool tss16 = !((c->tr.attr >> ATTR_TYPE_SHIFT) & 8);

        if (!(c->cr4 & CR4_PAE) || (c->segs[SEG_CS].attr & ATTR_L) || tss16)
            raise_gp0(c);
        c->efer |= EFER_LMA;
    } else {
        if (x86_is_64bit_code(c))
            raise_gp0(c);
        c->efer &= ~(uint64_t)EFER_LMA;
    }
}

static void write_cr0(CpuX86 *c, uint64_t value)
{
    const uint64_t known =
        CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
    uint64_t changed;

    if (value >> 32 || ((value & CR0_PG) && !(value & CR0_PE)) ||
        ((value & CR0_NW) && !(value & CR0_CD)))
        raise_gp0(c);
    value = (value & known) | CR0_ET;
    changed = value ^ c->cr0;
    if ((changed & CR0_PG) && !(value & CR0_PG) && (c->cr4 & CR4_PCIDE))
        raise_gp0(c);
    if ((changed & (CR0_PG | CR0_CD | CR0_NW)) && (value & CR0_PG) && (c->cr4 & CR4_PAE) &&
        !(c->efer & EFER_LME) && !x86_load_pdptes(c, c->cr3))
        raise_gp0(c);
    switch_long_mode(c, value);
    c->cr0 = value;
    if ((changed & CR0_PG) ||
        ((changed & CR0_WP) && (value & CR0_PG))) /* PE alone: none is stale */
        cpu_tlb_flush_all(&c->cpu);
    x86_update_mode(c);
}

void help_lmsw(CpuX86 *c, uint32_t value)
{
    uint64_t cr0 = c->cr0 & ~(uint64_t)(CR0_MP | CR0_EM | CR0_TS);

    write_cr0(c, cr0 | (value & (CR0_PE | CR0_MP | CR0_EM | CR0_TS)));
}

void help_clts(CpuX86 *c)
{
    c->cr0 &= ~(uint64_t)CR0_TS;
    x86_update_mode(c);
}

/* ---- CR3, CR4, CR8 -------------------------------------------------------------------------- */

static void write_cr3(CpuX86 *c, uint64_t value)
{
    bool keep = false;

    if (!(c->efer & EFER_LMA)) {
        value = (uint32_t)value;
        if (is_pae_paging(c) && !x86_load_pdptes(c, value))
            raise_gp0(c);
    } else {
        if (c->cr4 & CR4_PCIDE) {
            keep = value >> 63;
            value &= ~(1ull << 63);
        }
        if (value & (x86_phys_reserved(c) | 0xfff0000000000000ull))
            raise_gp0(c);
    }
    uint64_t was = c->cr3;
    c->cr3 = value;
    if (cpu_tells(&c->common, MIMUS_SPACE) && was != value)
        x86_tell_space(c, was);
    if (!(c->cr4 & CR4_PCIDE)) {
        cpu_tlb_flush_asid(&c->cpu, 0);
        x86_settle_context(c);
        return;
    }
    cpu_tlb_set_asid(&c->cpu, value & 0xfff);
    if (!keep)
        cpu_tlb_flush_asid(&c->cpu, value & 0xfff);
    x86_settle_context(c);
}

uint64_t x86_known_cr4(const CpuX86 *c)
{
    static const struct {
        CpuidWord word;
        uint32_t feature, bits;
    } rows[] = {
        { CPUID_1_EDX, CPUID_VME, CR4_VME | CR4_PVI },
        { CPUID_1_EDX, CPUID_TSC, CR4_TSD },
        { CPUID_1_EDX, CPUID_DE, CR4_DE },
        { CPUID_1_EDX, CPUID_PSE, CR4_PSE },
        { CPUID_1_EDX, CPUID_PAE, CR4_PAE },
        { CPUID_1_EDX, CPUID_MCE, CR4_MCE },
        { CPUID_1_EDX, CPUID_PGE, CR4_PGE },
        { CPUID_1_EDX, CPUID_MMX, CR4_PCE }, /* it came with the P6 and the Pentium with MMX */
        { CPUID_1_EDX, CPUID_FXSR, CR4_OSFXSR },
        { CPUID_1_EDX, CPUID_SSE, CR4_OSXMMEXCPT },
        { CPUID_1_ECX, CPUID_PCID, CR4_PCIDE },
        { CPUID_1_ECX, CPUID_XSAVE, CR4_OSXSAVE },
        { CPUID_7_0_EBX, CPUID_FSGSBASE, CR4_FSGSBASE },
        { CPUID_7_0_EBX, CPUID_SMEP, CR4_SMEP },
        { CPUID_7_0_EBX, CPUID_SMAP, CR4_SMAP },
        { CPUID_7_0_ECX, CPUID_UMIP, CR4_UMIP },
        { CPUID_7_0_ECX, CPUID_LA57, CR4_LA57 },
        { CPUID_7_0_ECX, CPUID_PKU, CR4_PKE },
    };
    uint64_t known = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (x86_words_have(c->features, rows[i].word, rows[i].feature))
            known |= rows[i].bits;
    return known;
}

static void write_cr4(CpuX86 *c, uint64_t value)
{
    const uint64_t flushing =
        CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_LA57 | CR4_PKE;
    uint64_t changed = value ^ c->cr4;
    bool lma = c->efer & EFER_LMA;

    if (value & ~x86_known_cr4(c))
        raise_gp0(c);
    if (lma && ((changed & CR4_LA57) || !(value & CR4_PAE)))
        raise_gp0(c);
    if ((changed & CR4_PCIDE) && (value & CR4_PCIDE) && (!lma || (c->cr3 & 0xfff)))
        raise_gp0(c);
    if ((changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP)) && (value & CR4_PAE) &&
        (c->cr0 & CR0_PG) && !lma && !x86_load_pdptes(c, c->cr3))
        raise_gp0(c);
    c->cr4 = value;
    x86_cpuid_forget(c);
    if ((changed & flushing) || ((changed & CR4_PCIDE) && !(value & CR4_PCIDE))) {
        cpu_tlb_flush_all(&c->cpu);
        if (!(value & CR4_PCIDE))
            cpu_tlb_set_asid(&c->cpu, 0);
    }
    x86_update_mode(c);
}

uint64_t help_read_cr8(CpuX86 *c)
{
    BoardOps *board = &c->machine->board;

    return board->apic_get_tpr ? board->apic_get_tpr(board->opaque, c->common.index) >> 4 : 0;
}

static void write_cr8(CpuX86 *c, uint64_t value)
{
    BoardOps *board = &c->machine->board;

    if (value > 15)
        raise_gp0(c);
    if (board->apic_set_tpr)
        board->apic_set_tpr(board->opaque, c->common.index, (uint8_t)(value << 4));
}

void help_write_cr(CpuX86 *c, uint32_t n, uint64_t value)
{
    switch (n) {
    case 0: write_cr0(c, value); break;
    case 2: c->cr2 = value; break;
    case 3: write_cr3(c, value); break;
    case 4: write_cr4(c, value); break;
    case 8: write_cr8(c, value); break;
    default: g_assert_not_reached();
    }
}

/* ---- Debug registers ------------------------------------------------------------------------ */

static unsigned check_dr(CpuX86 *c, unsigned n)
{
    if (n == 4 || n == 5) {
        if (c->cr4 & CR4_DE)
            x86_raise(c, EXCP_UD);
        n += 2;
    }
    if (c->dr[7] & DR7_GD) {
        c->dr[6] |= DR6_BD;
        x86_debug_set_rf(c); /* unlike a breakpoint's, this fault sets RF */
        x86_raise(c, EXCP_DB);
    }
    return n;
}

uint64_t help_read_dr(CpuX86 *c, uint32_t n)
{
    return c->dr[check_dr(c, n)];
}

void help_write_dr(CpuX86 *c, uint32_t n, uint64_t value)
{
    DebugWatch old;

    n = check_dr(c, n);
    if (n >= 6 && value >> 32)
        raise_gp0(c);
    if (n == 6)
        value = (value & 0xe00f) | 0xffff0ff0;
    if (n == 7)
        value = (value & 0xffff2bff) | 0x400;
    old = x86_debug_watch(c);
    c->dr[n] = value;
    c->eflags &= ~(uint32_t)EFL_RF; /* if it was still there from before */
    x86_debug_changed(c, &old);
}

/* ---- Counters, CPUID ------------------------------------------------------------------------- */

uint64_t help_rdtsc(CpuX86 *c)
{
    return x86_tsc(c);
}

uint64_t help_rdpmc(CpuX86 *c, uint32_t counter)
{
    if ((!(c->cr4 & CR4_PCE) && x86_cpl(c) != 0) || counter > 3)
        raise_gp0(c);
    log_unimp("RDPMC: performance counters are not modelled and read 0\n");
    return 0;
}

uint64_t help_random(CpuX86 *c)
{
    return random_number(c->random_seed, c->common.index, c->random_count++);
}

uint64_t help_cpuid(CpuX86 *c, uint32_t leaf, uint32_t subleaf)
{
    unsigned n = x86_cpuid_memo(leaf, subleaf);
    uint32_t out[4];

    x86_cpuid(c, leaf, subleaf, out);
    c->cpuid_memo[n].leaf = leaf;
    c->cpuid_memo[n].subleaf = subleaf;
    c->cpuid_memo[n].known = true;
    c->cpuid_memo[n].low = out[0] | (uint64_t)out[1] << 32;
    c->cpuid_memo[n].high = c->cpuid_high = out[2] | (uint64_t)out[3] << 32;
    return c->cpuid_memo[n].low;
}

void x86_cpuid_forget(CpuX86 *c)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(c->cpuid_memo); i++)
        c->cpuid_memo[i].known = false;
}

static void check_pkru(CpuX86 *c, uint64_t rcx)
{
    if (!(c->cr4 & CR4_PKE))
        x86_raise(c, EXCP_UD);
    if ((uint32_t)rcx)
        raise_gp0(c);
}

uint64_t help_rdpkru(CpuX86 *c, uint64_t rcx)
{
    check_pkru(c, rcx);
    return c->pkru;
}

void help_wrpkru(CpuX86 *c, uint64_t rcx, uint64_t edx_eax)
{
    check_pkru(c, rcx);
    if (edx_eax >> 32)
        raise_gp0(c);
    x86_set_pkru(c, (uint32_t)edx_eax);
}

/* ---- TLB ------------------------------------------------------------------------------------ */

void help_invlpg(CpuX86 *c, uint64_t addr)
{
    if ((c->efer & EFER_LMA) && !x86_is_canonical_base(c, addr))
        return;
    cpu_tlb_flush_page(&c->cpu, addr);
    if (!(c->efer & EFER_LMA) && !(addr >> 12)) /* as an access over the end of 4 GiB has it */
        cpu_tlb_flush_page(&c->cpu, 1ull << 32);
}

void help_invpcid(CpuX86 *c, uint64_t type, uint64_t pcid, uint64_t addr)
{
    if (type > 3 || pcid >> 12 || (type < 2 && pcid && !(c->cr4 & CR4_PCIDE)))
        raise_gp0(c);
    switch (type) {
    case 0:
        if (!x86_is_canonical_base(c, addr))
            raise_gp0(c);
        cpu_tlb_flush_page_asid(&c->cpu, addr, pcid);
        break;
    case 1: cpu_tlb_flush_asid(&c->cpu, pcid); break;
    case 2: cpu_tlb_flush_all(&c->cpu); break;
    case 3: cpu_tlb_flush_nonglobal(&c->cpu); break;
    }
}

/* ---- Flags ---------------------------------------------------------------------------------- */

static void interrupts_enabled(CpuX86 *c)
{
    if ((c->eflags & EFL_IF) && c->cpu.interrupt_request)
        cpu_look(&c->cpu);
}

uint64_t help_pushf(CpuX86 *c, uint32_t size)
{
    uint32_t flags = x86_get_eflags(c) & ~(uint32_t)(EFL_VM | EFL_RF);

    if ((c->eflags & EFL_VM) && (c->eflags & EFL_IOPL) != EFL_IOPL) {
        if (!(c->cr4 & CR4_VME) || size != 1)
            raise_gp0(c);
        flags = (flags & ~(uint32_t)EFL_IF) | EFL_IOPL | (c->eflags & EFL_VIF ? EFL_IF : 0);
    }
    return flags;
}

/* POPF of 16 bits in virtual-8086 mode with IOPL < 3: VIF stands for IF. */
static void popf_vme(CpuX86 *c, uint32_t value, uint32_t mask)
{
    if ((value & EFL_TF) || ((value & EFL_IF) && (c->eflags & EFL_VIP)))
        raise_gp0(c);
    x86_set_eflags(c, value & EFL_IF ? value | EFL_VIF : value & ~(uint32_t)EFL_VIF,
                   mask | EFL_VIF);
}

void help_popf(CpuX86 *c, uint64_t value, uint32_t size)
{
    uint32_t mask = FLAGS_ARITH | EFL_TF | EFL_DF | EFL_NT;
    bool vm86 = c->eflags & EFL_VM;

    if (size >= 2)
        mask |= EFL_AC | EFL_ID | EFL_RF;
    value &= ~(uint64_t)EFL_RF;
    if (vm86 && (c->eflags & EFL_IOPL) != EFL_IOPL) {
        if (!(c->cr4 & CR4_VME) || size != 1)
            raise_gp0(c);
        popf_vme(c, (uint32_t)value, mask);
        return;
    }
    if (c->mode & X86_MODE_IOPL_OK)
        mask |= EFL_IF;
    if (x86_cpl(c) == 0)
        mask |= EFL_IOPL;
    x86_set_eflags(c, (uint32_t)value, mask);
    interrupts_enabled(c);
}

/* Does VIF stand for IF here? */
static bool has_virtual_if(const CpuX86 *c)
{
    if (c->eflags & EFL_VM)
        return c->cr4 & CR4_VME;
    return (c->cr4 & CR4_PVI) && x86_cpl(c) == 3;
}

void help_cli(CpuX86 *c)
{
    if (!has_virtual_if(c))
        raise_gp0(c);
    c->eflags &= ~(uint32_t)EFL_VIF;
}

void help_sti(CpuX86 *c)
{
    if (!has_virtual_if(c) || (c->eflags & EFL_VIP))
        raise_gp0(c);
    c->eflags |= EFL_VIF;
}

void help_sti_shadow(CpuX86 *c)
{
    if (!(c->eflags & EFL_IF)) {
        c->eflags |= EFL_IF;
        c->inhibit = INHIBIT_STI;
        x86_update_mode(c);
    }
    interrupts_enabled(c);
}

/* ---- MONITOR, MWAIT ------------------------------------------------------------------------- */

void help_monitor_on(CpuX86 *c)
{
    if (!(c->misc_enable & MISC_ENABLE_MONITOR))
        x86_raise(c, EXCP_UD);
}

void help_monitor(CpuX86 *c, uint64_t addr, uint64_t rcx)
{
    if (rcx)
        raise_gp0(c);
    cpu_monitor(&c->cpu, addr, x86_mmu(c));
}

void help_mwait(CpuX86 *c, uint64_t rcx)
{
    if (rcx & ~1ull)
        raise_gp0(c);
    c->mwait_masked = rcx & 1;
}

/* ---- Descriptor table registers ------------------------------------------------------------- */

void help_sgdt(CpuX86 *c, uint32_t idt, uint64_t addr, uint32_t size)
{
    const DescTable *t = idt ? &c->idt : &c->gdt;
    uint8_t image[10];

    guest_put(image, t->limit, 2);
    guest_put(image + 2, t->base, 8);
    cpu_probe(&c->cpu, addr, 2 + size, ACCESS_WRITE, x86_mmu(c));
    cpu_store_bytes(&c->cpu, addr, image, 2 + size, x86_mmu(c));
}

void help_lgdt(CpuX86 *c, uint32_t idt, uint64_t base, uint32_t limit)
{
    DescTable *t = idt ? &c->idt : &c->gdt;

    if (x86_is_64bit_code(c) && !x86_is_canonical_base(c, base))
        raise_gp0(c);
    t->base = base;
    t->limit = limit & 0xffff;
}

uint32_t help_task_selector(CpuX86 *c, uint32_t tr)
{
    return tr ? c->tr.selector : c->ldt.selector;
}
