/* SPDX-License-Identifier: MIT */
/*
 * Single step on branches: which instructions end in #DB with DEBUGCTL.BTF and EFLAGS.TF set. A
 * branch that is taken to the next instruction is one. Intel SDM vol. 3B, 18.4.3; vol. 2,
 * POPF. */
#include "bare.h"

#define DEBUGCTL 0x1d9

static void wrmsr(uint32_t msr, uint32_t low)
{
    asm volatile("wrmsr" : : "c"(msr), "a"(low), "d"(0));
}

static uint32_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low;
}

/* Where #DB comes, what DR6 says, and whether BTF is still set. */
static void step(const Attempt *a)
{
    Attempt stepped = *a;

    WRITE_DR(6, 0);
    wrmsr(DEBUGCTL, 2);
    stepped.in.eflags |= 0x100;
    report(&stepped);
    put("  dr6 %08x BTF %d\n", READ_DR(6), rdmsr(DEBUGCTL) >> 1 & 1);
}

#define STEP(n, text, ...) step(&(Attempt){ .name = n, .code = CODE(text), ##__VA_ARGS__ })

static void near(void)
{
    STEP("no branch", "nop; mov %%eax, %%ebx");
    STEP("jmp", "nop; jmp 1f; nop; 1: nop; nop");
    STEP("jmp to the next", "nop; jmp 1f; 1: nop; nop");
    STEP("jmp to itself", "nop; 1: jmp 1b");
    STEP("jz, not taken", "nop; jz 1f; nop; 1: nop");
    STEP("jz, taken", "nop; jz 1f; nop; 1: nop; nop", .in.eflags = 0x40);
    STEP("jz, taken to the next", "nop; jz 1f; 1: nop; nop", .in.eflags = 0x40);
    STEP("jz, not taken to the next", "nop; jz 1f; 1: nop; nop");
    STEP("long jz, taken to the next", "nop; .byte 0x0f, 0x84; .long 0; nop; nop",
         .in.eflags = 0x40);
    STEP("loop, taken", "nop; 1: loop 1b; nop", .in.ecx = 3, .show = "c");
    STEP("loop, taken to the next", "nop; loop 1f; 1: nop; nop", .in.ecx = 3, .show = "c");
    STEP("loop, not taken", "nop; loop 1f; 1: nop; nop", .in.ecx = 1, .show = "c");
    STEP("jecxz, taken to the next", "nop; jecxz 1f; 1: nop; nop");
    STEP("jecxz, not taken", "nop; jecxz 1f; 1: nop; nop", .in.ecx = 1);
    STEP("call", "nop; call 1f; 1: nop; nop");
    STEP("jmp by register", "mov $1f, %%eax; jmp *%%eax; 1: nop; nop");
    STEP("ret", "push $1f; ret; 1: nop; nop");
    STEP("rep movs", "rep movsb; nop", .in.ecx = 3, .in.esi = SCRATCH, .in.edi = SCRATCH + 16,
         .show = "c");
}

static void far(void)
{
    STEP("ljmp", "nop; ljmp $0x8, $1f; 1: nop; nop");
    STEP("lcall", "nop; lcall $0x8, $1f; 1: nop; nop");
    STEP("lret", "push $0x8; push $1f; lret; 1: nop; nop");
    STEP("iret", "push $0x102; push $0x8; push $1f; iret; 1: nop; nop");
    STEP("iret, TF clear", "push $0x2; push $0x8; push $1f; iret; 1: nop; nop");
    STEP("int", "nop; int $0x40; nop");
    STEP("fault", "nop; ud2", .show = "f");
    STEP("mov ss", "mov %%ds, %%eax; mov %%eax, %%ss; jmp 1f; 1: nop; nop");
    STEP("popf sets TF", "push $0x102; popf; nop; jmp 1f; 1: nop; nop");
}

/* Set in the middle: what follows is stepped by branches. */
static void set_on_the_way(void)
{
    TRY("wrmsr, then TF", "wrmsr; pushl $0x102; popf; nop; nop; jmp 1f; nop; 1: nop; nop",
        .in.ecx = DEBUGCTL, .in.eax = 2);
    TRY("ring 3", "nop; nop", .ring = 3, .in.eflags = 0x100);
    wrmsr(DEBUGCTL, 2);
    TRY("ring 3, BTF", "nop; nop; jmp 1f; 1: nop", .ring = 3, .in.eflags = 0x100);
    wrmsr(DEBUGCTL, 2);
    TRY("a breakpoint clears it, too", ".byte 0xf1");
    put("  BTF %d\n", rdmsr(DEBUGCTL) >> 1 & 1);
    wrmsr(DEBUGCTL, 0);
}

void bare_main(void)
{
    bare_init();
    near();
    far();
    set_on_the_way();
    finish();
}
