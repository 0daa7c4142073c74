/* SPDX-License-Identifier: MIT */
/*
 * Machine checks, which ../mce.py gives through the monitor when asked by "> N": banks, what
 * overwrites what, #MC in every ring and out of HLT, shutdown without CR4.MCE. Intel SDM vol.
 * 3B, 16.3, 16.7.
 */
#include "bare.h"

#define MCG_CAP    0x179
#define MCG_STATUS 0x17a
#define MCG_CTL    0x17b
#define CTL(n)     (0x400 + 4 * (n))
#define STATUS(n)  (0x401 + 4 * (n))
#define CR4_MCE    0x40u

static void wrmsr(uint32_t msr, uint32_t high, uint32_t low)
{
    asm volatile("wrmsr" : : "c"(msr), "a"(low), "d"(high));
}

static void put_msr(const char *name, uint32_t msr)
{
    uint32_t low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    put(" %s=%08x%08x", name, high, low);
}

static void put_bank(unsigned n)
{
    put("  bank %d:", n);
    put_msr("status", STATUS(n));
    put_msr("addr", STATUS(n) + 1);
    put_msr("misc", STATUS(n) + 2);
    put_msr("mcg_status", MCG_STATUS);
    put("\n");
    wrmsr(MCG_STATUS, 0, 0);
}

/* Until bits @high of the bank's status are set. */
static void logged(const char *name, unsigned command, unsigned bank, uint32_t high)
{
    put("> %d\n", command);
    TRY(name, "1: rdmsr; and %%ebx, %%edx; cmp %%ebx, %%edx; jne 1b", .in.ecx = STATUS(bank),
        .in.ebx = high);
    put_bank(bank);
}

static void taken(const char *name, unsigned command, unsigned bank, unsigned ring, uint32_t code)
{
    put("> %d\n", command);
    report(&(Attempt){ .name = name, .code = code, .ring = ring });
    put_bank(bank);
}

void bare_main(void)
{
    uint32_t loop = CODE("1: jmp 1b");

    bare_init();
    put("banks:");
    put_msr("cap", MCG_CAP);
    put("\n");
    wrmsr(MCG_CTL, ~0u, ~0u);
    for (unsigned n = 0; n < 8; n++) {
        wrmsr(CTL(n), n == 4 ? 0 : ~0u, n == 4 ? 0 : ~0u);
        wrmsr(STATUS(n), 0, 0);
    }
    WRITE_CR(4, READ_CR(4) | CR4_MCE);
    logged("corrected", 0, 1, 0x80000000);
    taken("uncorrected", 1, 2, 0, loop);
    logged("a second one in the bank", 2, 2, 0xc0000000);
    TRY("status of ones", "wrmsr", .in.ecx = STATUS(2), .in.eax = 1);
    TRY("status cleared", "wrmsr; rdmsr", .in.ecx = STATUS(2), .show = "ad");
    TRY("MCG_STATUS, reserved", "wrmsr", .in.ecx = MCG_STATUS, .in.eax = 8);
    TRY("CTL of some ones", "wrmsr", .in.ecx = CTL(1), .in.eax = 1);
    logged("corrected, to be overwritten", 3, 3, 0x80000000);
    taken("uncorrected in the same bank, ring 3", 4, 3, 3, loop);
    logged("of a bank that is off", 5, 4, 0x80000000);
    taken("hlt", 6, 5, 0, CODE("hlt"));
    WRITE_CR(4, READ_CR(4) & ~CR4_MCE);
    put("without CR4.MCE\n> 7\n");
    TRY("shutdown", "1: jmp 1b");
    finish();
}
