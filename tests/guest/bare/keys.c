/* SPDX-License-Identifier: MIT */
/*
 * Protection keys at work: which accesses PKRU denies, by ring, kind, owner of the page, CR0.WP;
 * error codes; sizes of pages; changes of PKRU take effect at once. Intel SDM vol. 3A, 4.6.2,
 * 4.7. */
#include "bare64.h"

#define KEY(n)   ((uint64_t)(n) << 59)
#define CR4_PKE  0x400000u
#define CR4_SMAP 0x200000u
#define CR0_WP   0x10000u

enum { READ, WRITE, FETCH, RMW, KINDS };
static const char *const kind_names[] = { "read ", "write", "fetch", "rmw  " };
static uint32_t kinds[KINDS];

static void outcome64(void)
{
    if (vector64 == 3)
        put("  . ");
    else if (vector64 == 14)
        put(" %03x", (uint32_t)error64);
    else
        put("  ? ");
}

static void invlpg(void)
{
    attempt64(&(Attempt64){ .code = CODE_64("invlpg (%%rbx)"), .in.rbx = PAGE });
}

/* All values of key 1's two bits across: none, AD, WD, both. */
static void rights(const char *name, uint64_t pte, uint32_t cr0, uint64_t rflags)
{
    put("%s\n", name);
    WRITE_CR(0, (READ_CR(0) & ~CR0_WP) | cr0);
    PT[0] = FRAME | pte | KEY(1);
    invlpg();
    for (unsigned ring = 0; ring <= 3; ring += 3) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            put("  %s %d", kind_names[kind], ring);
            for (unsigned bits = 0; bits < 4; bits++) {
                /* clang-format off */
                attempt64(&(Attempt64){ .code = kinds[kind], .ring = ring, .in.rbx = PAGE, .in.rax = bits << 2,
                                        .in.rflags = rflags });
                /* clang-format on */
                outcome64();
            }
            put("\n");
        }
    }
    WRITE_CR(0, READ_CR(0) & ~CR0_WP);
}

static void all_rights(void)
{
#define PKRU "xor %%ecx, %%ecx; xor %%edx, %%edx; wrpkru;"
    kinds[READ] = CODE_64(PKRU "mov (%%rbx), %%al");
    kinds[WRITE] = CODE_64(PKRU "movb $0xcc, (%%rbx)");
    kinds[FETCH] = CODE_64(PKRU "jmp *%%rbx");
    kinds[RMW] = CODE_64(PKRU "lock; orb $0, (%%rbx)");
    rights("user's page", 7, 0, 0);
    rights("user's page, WP", 7, CR0_WP, 0);
    rights("supervisor's page, WP", 3, CR0_WP, 0);
    rights("user's page, read only", 5, 0, 0);
    rights("user's page, read only, WP", 5, CR0_WP, 0);
    rights("user's page, NX, WP", 7 | NX, CR0_WP, 0);
    rights("absent", 6, CR0_WP, 0);
    WRITE_CR(4, READ_CR(4) | CR4_SMAP);
    rights("user's page, SMAP", 7, 0, 0);
    rights("user's page, SMAP, AC, WP", 7, CR0_WP, 0x40000);
    WRITE_CR(4, READ_CR(4) & ~CR4_SMAP);
    WRITE_CR(4, READ_CR(4) & ~CR4_PKE);
    kinds[READ] = CODE_64("mov (%%rbx), %%al");
    kinds[WRITE] = CODE_64("movb $0xcc, (%%rbx)");
    kinds[FETCH] = CODE_64("jmp *%%rbx");
    kinds[RMW] = CODE_64("lock; orb $0, (%%rbx)");
    rights("CR4.PKE clear", 7, CR0_WP, 0);
    WRITE_CR(4, READ_CR(4) | CR4_PKE);
}

#define LINE(n, text, ...) TRY64(n, text, .in.rbx = PAGE, ##__VA_ARGS__)

static void details(void)
{
    PT[0] = FRAME | 7 | KEY(15);
    invlpg();
    LINE("key 15", PKRU "mov (%%rbx), %%al", .in.rax = 0x40000000);
    LINE("key 15, another denied", PKRU "mov (%%rbx), %%al", .in.rax = 0xbfffffff & 0x3ffffffc);
    LINE("denied after use",
         PKRU "mov (%%rbx), %%al; mov $0x40000000, %%eax; wrpkru; mov (%%rbx), %%al");
    LINE("allowed after fault", PKRU "mov (%%rbx), %%al");
    /* clang-format off */
    LINE("writes denied after use", PKRU "movb $0xcc, (%%rbx); mov $0x80000000, %%eax; wrpkru; mov (%%rbx), %%al; movb $0xcc, (%%rbx)",
         .ring = 3);
    /* clang-format on */
    LINE("a string stops", PKRU "mov $0x8000ffc, %%edi; mov $8, %%ecx; mov $0xcc, %%al; rep stosb",
         .in.rax = 0x80000000, .ring = 3, .show = "cD");
    PT[0] = FRAME | 7 | KEY(2);
    LINE("another key after invlpg", "invlpg (%%rbx);" PKRU "mov (%%rbx), %%al", .in.rax = 0x10);
    PT[0] = FRAME | 7;
    LINE("key 0", "invlpg (%%rbx);" PKRU "mov (%%rbx), %%al", .in.rax = 1);
    LINE("key 0 is open again", PKRU "mov (%%rbx), %%al");
    PT[0] = FRAME | 5 | KEY(1);
    PT[1] = FRAME | 7;
    LINE("across, first denied", "invlpg (%%rbx);" PKRU "mov 0xffe(%%rbx), %%eax", .in.rax = 4);
    PT[0] = FRAME | 7;
    PT[1] = FRAME | 7 | KEY(1);
    LINE("across, second denied", "invlpg (%%rbx);" PKRU "mov 0xffe(%%rbx), %%eax", .in.rax = 4);
    PT[1] = 0;
    PD[PAGE >> 21] = 0x87 | KEY(3);
    LINE("2 MiB", "invlpg (%%rbx);" PKRU "mov (%%rbx), %%al", .in.rax = 0x40);
    PD[PAGE >> 21] = (TABLES + 0x3000) | 7 | KEY(3);
    LINE("a directory's entry has none", "invlpg (%%rbx);" PKRU "mov (%%rbx), %%al",
         .in.rax = 0x40);
    PDPT[1] = 0x87 | KEY(4);
    LINE("1 GiB", "mov $0x40180000, %%ebx;" PKRU "mov (%%rbx), %%al", .in.rax = 0x100);
    PDPT[1] = 0;
    /* XSAVE has it as component 9. */
    WRITE_CR(4, READ_CR(4) | 0x40000);
    /* clang-format off */
    LINE("xrstor denies", "xor %%ecx, %%ecx; mov $0x203, %%eax; xor %%edx, %%edx; xsetbv; mov $0x50000, %%edi; xor %%eax, %%eax;"
         "mov $0x400, %%ecx; rep stosl; movl $0x200, 0x50200; mov $13, %%eax; mov $9, %%ecx; cpuid; movl $4, 0x50000(%%rbx);"
         "mov $0x200, %%eax; xor %%edx, %%edx; mov $0x50000, %%edi; xrstor (%%rdi); xor %%ecx, %%ecx; rdpkru; mov %%rax, %%r11;"
         "mov $0x8000000, %%ebx; mov (%%rbx), %%al", .show = "r");
    /* clang-format on */
    WRITE_CR(4, READ_CR(4) & ~0x40000u);
}

void bare_main(void)
{
    bare_init();
    memset((void *)FRAME, 0xcc, 0x2000);
    long_mode();
    WRITE_CR(4, READ_CR(4) | CR4_PKE);
    all_rights();
    details();
    finish();
}
