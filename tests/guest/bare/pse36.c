/* SPDX-License-Identifier: MIT */
/*
 * 4 MiB pages above 4 GiB (PSE-36): what a directory entry's bits 20-13 reach, that it is the
 * memory PAE reaches, and that its alias below 4 GiB is not touched; reserved bits. Wants memory
 * above 4 GiB. Intel SDM vol. 3A, 4.3, table 4-4.
 */
#include "bare.h"

#define PAGE    0x8000000u /* linear address under test */
#define LOW     0x1400000u /* physical: below 4 GiB, and the same bits above */
#define PD      ((volatile uint32_t *)TABLES)
#define PDPT    ((volatile uint64_t *)(TABLES + 0x1000))
#define PD64    ((volatile uint64_t *)(TABLES + 0x2000))
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u

#define PG(n, text, ...) TRY(n, text, .in.ebx = PAGE, ##__VA_ARGS__)

static void paging_off(void)
{
    WRITE_CR(0, READ_CR(0) & ~0x80000000u);
}

static void paging_on(uint32_t cr4, uint32_t cr3)
{
    paging_off();
    WRITE_CR(4, cr4);
    WRITE_CR(3, cr3);
    WRITE_CR(0, READ_CR(0) | 0x80000000);
}

static void pse(uint32_t entry)
{
    PD[PAGE >> 22] = entry;
    paging_on(CR4_PSE, TABLES);
}

static void pae(uint64_t entry)
{
    PD64[PAGE >> 21] = entry;
    paging_on(CR4_PAE, TABLES + 0x1000);
}

static void put_low(void)
{
    put("  below: %08x\n", *(volatile uint32_t *)(LOW + 0x123450));
}

static void above(void)
{
    *(volatile uint32_t *)(LOW + 0x123450) = 0x10c0;
    pse(LOW | 1 << 13 | 0x87);
    PG("a store above 4 GiB", "mov %%eax, 0x123450(%%ebx); mov 0x123450(%%ebx), %%ecx",
       .in.eax = 0x36363636, .show = "c");
    put("  entry %03x", PD[PAGE >> 22] & 0xfff);
    put_low();
    pae((1ull << 32) | LOW | 0x87);
    PG("PAE sees it", "mov 0x123450(%%ebx), %%ecx; incl 0x123454(%%ebx)", .show = "c");
    pse(LOW | 1 << 13 | 0x87);
    PG("and is seen", "mov 0x123454(%%ebx), %%ecx", .show = "c");
    /* clang-format off */
    PG("read-modify-write", "lock xaddl %%eax, 0x123450(%%ebx); mov 0x123450(%%ebx), %%ecx", .in.eax = 1, .show = "ac");
    PG("rep movs into it", "mov $0x20, %%ecx; xor %%esi, %%esi; lea 0x200(%%ebx), %%edi; rep movsb", .show = "cSD");
    PG("code in it", "movl $0xccccc341, 0x300(%%ebx); lea 0x300(%%ebx), %%edx; call *%%edx; incl 0x300(%%ebx); call *%%edx",
       .show = "cd");
    /* clang-format on */
    pse(LOW | 0x87);
    PG("below", "mov 0x123450(%%ebx), %%ecx", .show = "c");
    pse(LOW | 1 << 13 | 1 << 12 | 0x87);
    PG("its PAT bit", "mov 0x123450(%%ebx), %%ecx", .show = "c");
    pse(LOW | 1 << 13 | 0x85);
    PG("read only, ring 3", "mov %%eax, 0x123450(%%ebx)", .ring = 3);
    pse(LOW | 1 << 13 | 0x83);
    PG("supervisor's, ring 3", "mov 0x123450(%%ebx), %%eax", .ring = 3);
    pse(LOW | 2 << 13 | 0x87);
    PG("where nothing is", "mov 0x123450(%%ebx), %%ecx; mov %%ecx, 0x123450(%%ebx)", .show = "c");
}

static void bits(void)
{
    uint32_t a = 0x80000008, b, c, d, width;

    asm volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    width = (a & 0xff) > 40 ? 40 : a & 0xff;
    put("reserved, of those above the width:");
    for (unsigned bit = 12; bit < 22; bit++) {
        bool beyond = bit == 21 || bit + 19 >= width;

        pse(LOW | 1u << bit | 0x87);
        attempt(&(Attempt){ .code = CODE("mov (%%ebx), %%al"), .in.ebx = PAGE });
        /* clang-format off */
        put(" %d%s", bit, out_vector != 14 ? beyond && bit > 12 ? "?" : "" : out_error == 9 && beyond ? "r" : "!");
        /* clang-format on */
    }
    put("\n");
    PD[PAGE >> 22] = LOW | 1u << 21 | 6;
    PG("of an absent entry none is", "mov (%%ebx), %%al");
    paging_off();
}

void bare_main(void)
{
    bare_init();
    for (unsigned i = 0; i < 8; i++) {
        PD[i] = i << 22 | 0x87;
        PD64[2 * i] = (i << 22) | 0x87;
        PD64[2 * i + 1] = (i << 22 | 1 << 21) | 0x87;
    }
    PDPT[0] = (TABLES + 0x2000) | 1;
    above();
    bits();
    finish();
}
