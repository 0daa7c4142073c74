/* SPDX-License-Identifier: MIT */
/*
 * The helpers of the system section of helpers.def. Sizes of operands are log2 of bytes: 1, 2, 3.
 */
#ifndef TARGET_I386_HELP_SYSTEM_H
#define TARGET_I386_HELP_SYSTEM_H

#include "target-i386/cpu.h"

/* help-segment.c */
void help_load_seg(CpuX86 *c, uint32_t seg, uint32_t selector);
/* The same for SS, followed by one instruction without interrupts. */
void help_load_ss(CpuX86 *c, uint32_t selector);
/* Access rights or limit of @selector, bit 32 set if it may be seen; else 0. */
uint64_t help_lar(CpuX86 *c, uint32_t selector);
uint64_t help_lsl(CpuX86 *c, uint32_t selector);
uint32_t help_verr(CpuX86 *c, uint32_t selector); /* 0 or 1 */
uint32_t help_verw(CpuX86 *c, uint32_t selector);
void help_lldt(CpuX86 *c, uint32_t selector);
void help_ltr(CpuX86 *c, uint32_t selector);

/* help-far.c: all of them leave pc in cpu->pc. @next_pc: of the instruction after this one. */
void help_jmp_far(CpuX86 *c, uint32_t selector, uint64_t offset, uint32_t size, uint64_t next_pc);
void help_call_far(CpuX86 *c, uint32_t selector, uint64_t offset, uint32_t size, uint64_t next_pc);
void help_ret_far(CpuX86 *c, uint32_t size, uint32_t release);
void help_iret(CpuX86 *c, uint32_t size, uint64_t next_pc);
void help_int(CpuX86 *c, uint32_t vector, uint64_t next_pc);
void help_int_soft(CpuX86 *c, uint32_t vector, uint64_t next_pc); /* INT3 */
void help_into(CpuX86 *c, uint64_t next_pc);
void help_int1(CpuX86 *c, uint64_t next_pc);
uint64_t help_syscall(CpuX86 *c);                       /* R11 to be */
uint32_t help_syscall_quick(CpuX86 *c, uint32_t flags); /* UINT32_MAX: nothing done */
uint32_t help_sysret_quick(CpuX86 *c, uint64_t rcx, uint64_t r11);
void help_sysret(CpuX86 *c, uint32_t size, uint64_t rcx, uint64_t r11);
uint64_t help_sysenter(CpuX86 *c); /* RSP to be */
void help_sysexit(CpuX86 *c, uint32_t size, uint64_t rcx, uint64_t rdx);

/* help-system.c */
uint64_t help_read_cr8(CpuX86 *c);
void help_write_cr(CpuX86 *c, uint32_t n, uint64_t value);
void help_lmsw(CpuX86 *c, uint32_t value);
void help_clts(CpuX86 *c);
uint64_t help_read_dr(CpuX86 *c, uint32_t n);
void help_write_dr(CpuX86 *c, uint32_t n, uint64_t value);
uint64_t help_rdtsc(CpuX86 *c);                        /* exact under instruction counting */
uint64_t help_rdtsc_host(CpuX86 *c);                   /* cpu_has_host_clock(), TSC at 1 GHz */
uint64_t help_rdtsc_counted(CpuX86 *c, uint32_t left); /* cpu_counts_time(), likewise */
uint64_t help_rdpmc(CpuX86 *c, uint32_t counter);
uint64_t help_random(CpuX86 *c);                                       /* for RDRAND and RDSEED */
static inline unsigned x86_cpuid_memo(uint32_t leaf, uint32_t subleaf) /* index in cpuid_memo */
{
    return (leaf ^ leaf >> 29 ^ subleaf) & 7;
}
bool quick_cpuid(CpuX86 *c, uint64_t *result, uint32_t leaf, uint32_t subleaf);
uint64_t help_cpuid(CpuX86 *c, uint32_t leaf, uint32_t subleaf);
void help_invlpg(CpuX86 *c, uint64_t addr);
void help_invpcid(CpuX86 *c, uint64_t type, uint64_t pcid, uint64_t addr);
uint64_t help_rdpkru(CpuX86 *c, uint64_t rcx);
void help_wrpkru(CpuX86 *c, uint64_t rcx, uint64_t edx_eax);
uint64_t help_pushf(CpuX86 *c, uint32_t size); /* virtual-8086 with IOPL < 3: may raise */
void help_popf(CpuX86 *c, uint64_t value, uint32_t size);
void help_cli(CpuX86 *c); /* where IOPL does not allow: VME, PVI, #GP */
void help_sti(CpuX86 *c);
/* IF = 1, no interrupt before the end of the next instruction; not 0: the block is to be left for
 * that, as one waits already. */
uint32_t help_sti_allowed(CpuX86 *c);
void help_sti_shadow(CpuX86 *c); /* the same, where the block is left anyway */
void help_monitor_on(CpuX86 *c);
void help_monitor(CpuX86 *c, uint64_t addr, uint64_t rcx);
void help_mwait(CpuX86 *c, uint64_t rcx);
void help_set_ac(CpuX86 *c, uint32_t ac);
void help_sgdt(CpuX86 *c, uint32_t idt, uint64_t addr, uint32_t size);
void help_lgdt(CpuX86 *c, uint32_t idt, uint64_t base, uint32_t limit);
uint32_t help_task_selector(CpuX86 *c, uint32_t tr); /* of TR, or of LDTR */

/* Bits of CR4 and EFER that exist here. */
uint64_t x86_known_cr4(const CpuX86 *c);
uint64_t x86_known_efer(const CpuX86 *c);
/* Where PAE paging is on: the PDPTEs that CR3 names; false: reserved bits are set. */
bool x86_reload_pdptes(CpuX86 *c);

/* smm.c */
void help_rsm(CpuX86 *c); /* leaves pc in cpu->pc */

/* msr.c */
uint64_t help_rdmsr(CpuX86 *c, uint32_t msr);
void help_wrmsr(CpuX86 *c, uint32_t msr, uint64_t value);
uint64_t x86_tsc(CpuX86 *c);

#endif
