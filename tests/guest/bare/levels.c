/* SPDX-License-Identifier: MIT */
/*
 * 5-level paging: how to get there, addresses of 57 bits, what is canonical then, entries of the
 * new level. Intel SDM vol. 3A, 4.1.2, 4.5.4; 5-Level Paging and 5-Level EPT, 335252.
 */
#include "bare64.h"

#define PML5               ((uint64_t *)(TABLES + 0x4000))
#define CR4_LA57           0x1000u
#define LA57(n, text, ...) TRY64(n, text, .in.rbx = PAGE, ##__VA_ARGS__)

/* Long mode again, with the level on top if @cr4 says so. */
static void again(uint32_t cr4)
{
    WRITE_CR(0, READ_CR(0) & ~0x80000000u); /* in compatibility mode: to protected mode */
    WRITE_CR(4, (READ_CR(4) & ~CR4_LA57) | cr4);
    WRITE_CR(3, cr4 ? TABLES + 0x4000 : TABLES);
    WRITE_CR(0, READ_CR(0) | 0x80000000u);
}

static void switching(void)
{
    LA57("CR4.LA57 cannot be set in 64-bit mode",
         "mov %%cr4, %%rax; bts $12, %%rax; mov %%rax, %%cr4");
    again(CR4_LA57);
    LA57("there", "mov %%cr4, %%rax; and $0x1000, %%eax; mov (%%rbx), %%cl", .show = "a");
    LA57("CR4.LA57 cannot be cleared there", "mov %%cr4, %%rax; btr $12, %%rax; mov %%rax, %%cr4");
    LA57("the other bits can",
         "mov %%cr4, %%rax; bts $20, %%rax; mov %%rax, %%cr4; btr $20, %%rax; mov %%rax, %%cr4");
}

static void addresses(void)
{
    LA57("bit 47 set, bit 56 clear", "mov $0x800000050000, %%rax; mov (%%rax), %%cl");
    LA57("bit 48 set", "mov $0x1000000050000, %%rax; mov (%%rax), %%ecx", .show = "c");
    LA57("last of the lower half", "mov $0x00ffffffffffffff, %%rax; mov (%%rax), %%cl");
    LA57("across the end", "mov $0x00ffffffffffffff, %%rax; mov (%%rax), %%cx");
    LA57("not canonical", "mov $0x0100000000000000, %%rax; mov (%%rax), %%cl");
    LA57("not canonical, bit 63", "mov $0x8000000000000000, %%rax; mov (%%rax), %%cl");
    LA57("bit 57 alone is wrong", "mov $0xfd00000000050000, %%rax; mov (%%rax), %%cl");
    LA57("first of the upper half", "mov $0xff00000000050000, %%rax; mov (%%rax), %%ecx",
         .show = "c");
    LA57("below it", "mov $0xfeffffffffffffff, %%rax; mov (%%rax), %%cl");
    LA57("canonical with 4 levels, upper half",
         "mov $0xffff800000050000, %%rax; mov (%%rax), %%cl");
    LA57("push", "mov $0x0100000000000008, %%rsp; push %%rax", .show = "s");
    LA57("jmp", "mov $0x0100000000000000, %%rax; jmp *%%rax");
    /* clang-format off */
    LA57("jmp to bit 48", "lea 1f(%%rip), %%rax; mov $0x1000000000000, %%rcx; add %%rcx, %%rax; jmp *%%rax; nop; 1:", .show = "");
    /* clang-format on */
    LA57("ret", "mov $0x0100000000000000, %%rax; push %%rax; ret");
    LA57("invlpg", "mov $0x1000000050000, %%rax; invlpg (%%rax)");
    /* clang-format off */
    LA57("wrmsr LSTAR, 57 bits", "mov $0xc0000082, %%ecx; xor %%eax, %%eax; mov $0xff000000, %%edx; wrmsr");
    LA57("wrmsr LSTAR, not canonical", "mov $0xc0000082, %%ecx; xor %%eax, %%eax; mov $0x01000000, %%edx; wrmsr");
    /* clang-format on */
}

static void entries(void)
{
    PML5[2] = TABLES | 7 | 0x80;
    LA57("PML5E bit 7", "mov $0x2000000050000, %%rax; mov (%%rax), %%cl");
    PML5[2] = TABLES | 5;
    LA57("read only, ring 3 write", "mov $0x2000004050000, %%rax; mov %%cl, (%%rax)", .ring = 3);
    LA57("read only, ring 3 read", "mov $0x2000004050000, %%rax; mov (%%rax), %%cl", .ring = 3);
    put("  entry %x\n", (uint32_t)PML5[2] & 0xfff);
    PML5[2] = TABLES | 3;
    LA57("supervisor's, ring 3", "mov $0x2000004050000, %%rax; mov (%%rax), %%cl", .ring = 3);
    PML5[2] = TABLES | 7 | NX;
    LA57("NX, fetch", "mov $0x2000008000000, %%rax; invlpg (%%rax); jmp *%%rax");
    PML5[2] = TABLES | 7;
    LA57("fetch", "mov $0x2000008000000, %%rax; invlpg (%%rax); jmp *%%rax");
    PML5[2] = 0;
    LA57("absent, flushed", "mov $0x2000004050000, %%rax; invlpg (%%rax); mov (%%rax), %%cl");
    PML5[2] = TABLES | 7;
    LA57("present again", "mov $0x2000004050000, %%rax; mov (%%rax), %%ecx", .show = "c");
}

static void back(void)
{
    again(0);
    LA57("4 levels", "mov %%cr4, %%rax; and $0x1000, %%eax; mov (%%rbx), %%cl", .show = "a");
    LA57("bit 48 set is not canonical", "mov $0x1000000050000, %%rax; mov (%%rax), %%cl");
    LA57("upper half", "mov $0xffff800000050000, %%rax; mov (%%rax), %%cl");
    LA57("wrmsr LSTAR", "mov $0xc0000082, %%ecx; xor %%eax, %%eax; mov $0xff000000, %%edx; wrmsr");
}

static bool has_la57(void)
{
    uint32_t a = 7, b, c = 0, d;

    asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 16 & 1;
}

void bare_main(void)
{
    bare_init();
    if (!has_la57()) {
        put("without LA57\n");
        finish();
    }
    memset((void *)FRAME, 0xcc, 0x1000);
    *(volatile uint32_t *)SCRATCH = 0x11223344;
    long_mode();
    memset(PML5, 0, 0x1000);
    PML5[0] = PML5[1] = PML5[256] = TABLES | 7;
    switching();
    addresses();
    entries();
    back();
    finish();
}
