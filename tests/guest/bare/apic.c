/* SPDX-License-Identifier: MIT */
/*
 * What of the local APIC the CPU has as MSRs: IA32_APIC_BASE and its states, x2APIC registers, the
 * timer with a TSC deadline. Intel SDM vol. 3A, 11.4.4, 11.5.4.1, 11.12.
 */
#include "bare.h"

#define APIC_BASE 0x1b
#define DEADLINE  0x6e0
#define MMIO(reg) (*(volatile uint32_t *)(0xfee00000 + (reg)))
#define X2(reg)   (0x800 + (reg) / 16)
#define EN        0x800u
#define EXTD      0x400u
#define BASE      0xfee00100u /* the first processor's */

static uint32_t wrmsr_code, rdmsr_code;

static void write_msr(const char *name, uint32_t msr, uint32_t high, uint32_t low)
{
    report(&(Attempt){
        .name = name, .code = wrmsr_code, .in = { .ecx = msr, .edx = high, .eax = low } });
}

static void read_msr(const char *name, uint32_t msr)
{
    report(&(Attempt){ .name = name, .code = rdmsr_code, .in = { .ecx = msr }, .show = "ad" });
}

static void states(void)
{
    read_msr("base after reset", APIC_BASE);
    read_msr("x2APIC register in xAPIC mode", X2(0x20));
    write_msr("EXTD without EN", APIC_BASE, 0, BASE | EXTD);
    write_msr("reserved bit 9", APIC_BASE, 0, BASE | EN | 0x200);
    write_msr("reserved bit 0", APIC_BASE, 0, BASE | EN | 1);
    write_msr("beyond physical addresses", APIC_BASE, 0x80000000, BASE | EN);
    write_msr("x2APIC", APIC_BASE, 0, BASE | EN | EXTD);
    read_msr("base", APIC_BASE);
    write_msr("back to xAPIC", APIC_BASE, 0, BASE | EN);
}

static void registers(void)
{
    read_msr("ID", X2(0x20));
    write_msr("ID cannot be written", X2(0x20), 0, 0);
    write_msr("version cannot be written", X2(0x30), 0, 0);
    write_msr("TPR", X2(0x80), 0, 0x20);
    read_msr("TPR is", X2(0x80));
    write_msr("TPR, reserved bits", X2(0x80), 0, 0x100);
    write_msr("TPR, upper half", X2(0x80), 1, 0);
    write_msr("TPR 0", X2(0x80), 0, 0);
    write_msr("EOI", X2(0xb0), 0, 0);
    write_msr("EOI, not 0", X2(0xb0), 0, 1);
    read_msr("EOI cannot be read", X2(0xb0));
    read_msr("LDR", X2(0xd0));
    write_msr("LDR cannot be written", X2(0xd0), 0, 1);
    read_msr("no DFR", X2(0xe0));
    write_msr("SVR", X2(0xf0), 0, 0x1ff);
    write_msr("SVR, reserved bits", X2(0xf0), 0, 0x101ff);
    write_msr("ESR", X2(0x280), 0, 0);
    write_msr("ESR, not 0", X2(0x280), 0, 1);
    read_msr("no ICR2", X2(0x310));
    write_msr("LVT timer, reserved bits", X2(0x320), 0, 0x80000091);
    write_msr("divide, reserved bits", X2(0x3e0), 0, 0x10);
    read_msr("a hole", 0x80c);
    read_msr("SELF IPI cannot be read", X2(0x3f0));
    read_msr("beyond", 0x8ff);
    TRY("SELF IPI", "wrmsr; sti; nop; nop", .in.ecx = X2(0x3f0), .in.eax = 0x91);
    write_msr("EOI of it", X2(0xb0), 0, 0);
    TRY("ICR to itself by ID", "wrmsr; sti; nop; nop", .in.ecx = X2(0x300), .in.eax = 0x92);
    write_msr("EOI of it", X2(0xb0), 0, 0);
    TRY("ICR to nobody", "wrmsr; sti; nop; nop", .in.ecx = X2(0x300), .in.eax = 0x92,
        .in.edx = 0x7f);
    TRY("in ring 3", "rdmsr", .ring = 3, .in.ecx = X2(0x20));
}

/* A quarter of a second, in which nothing may happen. */
#define PASS "rdtsc; mov %%eax, %%esi; 1: rdtsc; sub %%esi, %%eax; cmp $0x10000000, %%eax; jb 1b"

/* Ticks from now on, by the deadline's register. */
#define ARM "rdtsc; add %%ebx, %%eax; adc $0, %%edx; mov $0x6e0, %%ecx; wrmsr;"

static void deadline(void)
{
    write_msr("one shot", X2(0x320), 0, 0x91);
    write_msr("deadline in another mode", DEADLINE, 1, 0);
    read_msr("is not kept", DEADLINE);
    write_msr("deadline mode", X2(0x320), 0, 0x40091);
    TRY("in time", ARM "sti; 1: jmp 1b", .in.ebx = 0x10000);
    write_msr("EOI", X2(0xb0), 0, 0);
    read_msr("then it is 0", DEADLINE);
    TRY("in the past", "mov $1, %%eax; xor %%edx, %%edx; wrmsr; sti; 1: jmp 1b",
        .in.ecx = DEADLINE);
    write_msr("EOI", X2(0xb0), 0, 0);
    TRY("hlt", ARM "sti; hlt", .in.ebx = 0x10000);
    write_msr("EOI", X2(0xb0), 0, 0);
    TRY("disarmed", ARM "xor %%eax, %%eax; xor %%edx, %%edx; wrmsr; sti;" PASS,
        .in.ebx = 0x8000000);
    TRY("disarmed by another mode",
        ARM "mov $0x832, %%ecx; mov $0x91, %%eax; xor %%edx, %%edx; wrmsr; sti;" PASS,
        .in.ebx = 0x8000000);
    write_msr("deadline mode", X2(0x320), 0, 0x40091);
    TRY("initial count has no effect",
        "wrmsr; sti; mov $0x40000, %%ecx; 1: loop 1b; mov $0x839, %%ecx; rdmsr",
        .in.ecx = X2(0x380), .in.eax = 0x100, .show = "a");
    read_msr("deadline 0", DEADLINE);
    write_msr("deadline mode, masked", X2(0x320), 0, 0x50091);
    TRY("masked", ARM "sti; mov $0x40000, %%ecx; 1: loop 1b", .in.ebx = 0x1000);
    /* clang-format off */
    TRY("TSC counts", "rdtsc; mov %%eax, %%ebx; rdtsc; sub %%ebx, %%eax; seta %%al; movzbl %%al, %%eax", .show = "a");
    TRY("invariant TSC", "mov $0x80000007, %%eax; cpuid; and $0x100, %%edx; xor %%eax, %%eax", .show = "d");
    /* clang-format on */
}

static void disabling(void)
{
    write_msr("disabled with EXTD", APIC_BASE, 0, BASE | EXTD);
    write_msr("disabled", APIC_BASE, 0, BASE);
    read_msr("x2APIC register while disabled", X2(0x20));
    write_msr("xAPIC from disabled", APIC_BASE, 0, BASE | EN);
    write_msr("x2APIC again", APIC_BASE, 0, BASE | EN | EXTD);
    write_msr("disabled again", APIC_BASE, 0, BASE);
    write_msr("x2APIC from disabled", APIC_BASE, 0, BASE | EN | EXTD);
}

void bare_main(void)
{
    bare_init();
    wrmsr_code = CODE("wrmsr");
    rdmsr_code = CODE("rdmsr");
    states();
    registers();
    deadline();
    disabling();
    finish();
}
