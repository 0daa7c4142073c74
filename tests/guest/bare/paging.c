/* SPDX-License-Identifier: MIT */
/*
 * Paging without long mode: every combination of rights by every kind of access, page sizes, PAE,
 * NX, WP, SMEP, SMAP, accessed and dirty bits, reserved bits, flushes. Intel SDM vol. 3A, 4.
 *
 * Ring 3 runs at an alias of low memory, which is for users; the supervisor's own is not.
 */
#include "bare.h"

#define T0    SEL_T0 /* flat data and code of ring 3: the alias is in the usual ones */
#define T1    (SEL_T0 + 8)
#define ALIAS 0x4000000u
#define PAGE  0x8000000u /* linear address under test */
#define FRAME 0x180000u  /* … and what it maps: 8 KiB of INT3 */
#define PD    ((uint32_t *)TABLES)
#define PT    ((uint32_t *)(TABLES + 0x1000))
#define PDPT  ((uint64_t *)(TABLES + 0x2000))
#define PD64  ((uint64_t *)(TABLES + 0x3000))
#define PT64  ((uint64_t *)(TABLES + 0x4000))

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80, PTE_G = 0x100 };
#define NX (1ull << 63)
/* clang-format off */
enum { CR0_WP = 1 << 16, CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_PGE = 1 << 7, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };
/* clang-format on */

typedef enum Kind { LEGACY_4K, LEGACY_4M, PAE_4K, PAE_2M } Kind;

static void wrmsr(uint32_t msr, uint32_t low)
{
    asm volatile("wrmsr" : : "c"(msr), "a"(low), "d"(0));
}

static void paging_off(void)
{
    WRITE_CR(0, READ_CR(0) & ~(0x80000000u | CR0_WP));
    WRITE_CR(4, 0);
}

/* Tables of this kind, with the page under test mapped by @upper and @lower (flags; 4 MiB: upper
 * only). */
static void set_page(Kind kind, uint64_t upper, uint64_t lower)
{
    if (kind == LEGACY_4K) {
        PD[PAGE >> 22] = TABLES + 0x1000 + (uint32_t)upper;
        PT[0] = FRAME + (uint32_t)lower;
        PT[1] = FRAME + 0x1000 + (uint32_t)lower;
    } else if (kind == LEGACY_4M) {
        PD[PAGE >> 22] = (uint32_t)upper | PTE_PS;
    } else if (kind == PAE_4K) {
        PD64[PAGE >> 21] = (TABLES + 0x4000) | upper;
        PT64[0] = FRAME | lower;
        PT64[1] = (FRAME + 0x1000) | lower;
    } else {
        PD64[PAGE >> 21] = upper | PTE_PS;
    }
    asm volatile("invlpg (%0); invlpg (%1)" : : "r"(PAGE), "r"(PAGE + 0x1000) : "memory");
}

static void paging_on(Kind kind, uint32_t cr4)
{
    bool pae = kind >= PAE_4K;

    paging_off();
    memset(PD, 0, 0x6000);
    for (unsigned i = 0; i < 8; i++) {
        PD[i] = i << 22 | PTE_PS | PTE_W | PTE_P;
        PD[(ALIAS >> 22) + i] = i << 22 | PTE_PS | PTE_U | PTE_W | PTE_P;
    }
    for (unsigned i = 0; i < 16; i++) {
        PD64[i] = i << 21 | PTE_PS | PTE_W | PTE_P;
        PD64[(ALIAS >> 21) + i] = i << 21 | PTE_PS | PTE_U | PTE_W | PTE_P;
    }
    PDPT[0] = (TABLES + 0x3000) | PTE_P;
    WRITE_CR(4, cr4 | (pae ? CR4_PAE : CR4_PSE));
    WRITE_CR(3, pae ? TABLES + 0x2000 : TABLES);
    WRITE_CR(0, READ_CR(0) | 0x80000000);
}

static void segments(void)
{
    reset_tables();
    SEG(SEL_UCODE, ALIAS, 0xfffff, XR | DPL3, G | D);
    SEG(SEL_UDATA, ALIAS, 0xfffff, RW | DPL3, G | D);
    SEG(T0, 0, 0xfffff, RW | DPL3, G | D);
    SEG(T1, 0, 0xfffff, XR | DPL3, G | D);
    SEG(T1 + 8, 0, 0xfffff, XR, G | D);
}

/* '.', or the error code of #PF as a digit, base 32. */
static char fault(void)
{
    if (out_vector == ENDED)
        return '.';
    return out_vector == 14 && (out_cr2 == PAGE || out_cr2 == PAGE + 0x1000)
               ? "0123456789abcdefghijklmnopqrstuv"[out_error & 31]
               : '!';
}

/* ---- Rights --------------------------------------------------------------------------------- */

static void rights(const char *name, Kind kind, uint32_t cr4, bool wp, uint32_t eflags,
                   uint64_t nx_upper, uint64_t nx_lower)
{
    static const char *const accesses[] = { "read  0", "write 0", "fetch 0",
                                            "read  3", "write 3", "fetch 3" };
    const uint32_t code[] = {
        CODE("mov %%fs:(%%ebx), %%al"), CODE("mov %%al, %%fs:(%%ebx)"),
        CODE("ljmp $0x90, $0x8000000"), CODE("mov %%fs:(%%ebx), %%al"),
        CODE("mov %%al, %%fs:(%%ebx)"), CODE("ljmp $0x8b, $0x8000000"),
    };
    bool two = kind == LEGACY_4K || kind == PAE_4K;

    put("%s: upper USWP across%s\n", name, two ? ", lower below" : "");
    paging_on(kind, cr4);
    if (wp)
        WRITE_CR(0, READ_CR(0) | CR0_WP);
    for (unsigned access = 0; access < 6; access++) {
        put("  %s", accesses[access]);
        for (unsigned upper = 0; upper < 8; upper++) {
            put(" ");
            for (unsigned lower = 0; lower < (two ? 8 : 1); lower++) {
                set_page(kind, upper | nx_upper, lower | nx_lower);
                /* clang-format off */
                attempt(&(Attempt){ .code = code[access], .ring = access < 3 ? 0 : 3, .in.fs = T0 | 3,
                                    .in.ebx = PAGE, .in.eax = 0xcc, .in.eflags = eflags });
                /* clang-format on */
                put("%c", fault());
            }
        }
        put("\n");
    }
    paging_off();
}

static void all_rights(void)
{
    memset((void *)FRAME, 0xcc, 0x2000);
    rights("4 KiB", LEGACY_4K, 0, false, 0, 0, 0);
    rights("4 KiB, WP", LEGACY_4K, 0, true, 0, 0, 0);
    rights("4 KiB, SMEP", LEGACY_4K, CR4_SMEP, true, 0, 0, 0);
    rights("4 KiB, SMAP", LEGACY_4K, CR4_SMAP, true, 0, 0, 0);
    rights("4 KiB, SMAP, no WP", LEGACY_4K, CR4_SMAP, false, 0, 0, 0);
    rights("4 KiB, SMAP, AC", LEGACY_4K, CR4_SMAP, true, 0x40000, 0, 0);
    rights("PAE 4 KiB, WP", PAE_4K, 0, true, 0, 0, 0);
    rights("PAE 4 KiB, SMEP, SMAP", PAE_4K, CR4_SMEP | CR4_SMAP, true, 0, 0, 0);
    wrmsr(0xc0000080, 0x800);
    rights("PAE 4 KiB, NXE", PAE_4K, 0, true, 0, 0, 0);
    rights("PAE 4 KiB, NX in the PTE", PAE_4K, 0, true, 0, 0, NX);
    rights("PAE 4 KiB, NX in the PDE", PAE_4K, 0, true, 0, NX, 0);
    rights("PAE 4 KiB, NX and SMEP", PAE_4K, CR4_SMEP, false, 0, 0, NX);
    wrmsr(0xc0000080, 0);
    rights("PAE 4 KiB, NX without NXE", PAE_4K, 0, true, 0, 0, NX);
    rights("PAE 4 KiB, NX without NXE in the PDE", PAE_4K, 0, true, 0, NX, 0);
    put("\n");
}

/* ---- Large pages ---------------------------------------------------------------------------- */

#define PG(n, text, ...) \
    TRY(n, text, .in.fs = T0 | 3, .in.ebx = PAGE, .in.eax = 0xcc, ##__VA_ARGS__)

static void put_entries(Kind kind)
{
    const volatile uint32_t *upper =
        kind < PAE_4K ? &PD[PAGE >> 22] : (uint32_t *)&PD64[PAGE >> 21];
    const volatile uint32_t *lower = kind < PAE_4K ? &PT[0] : (uint32_t *)&PT64[0];

    put("  upper %03x", *upper & 0xfff);
    if (kind == LEGACY_4K || kind == PAE_4K)
        put(" lower %03x next %03x", *lower & 0xfff, lower[kind == PAE_4K ? 2 : 1] & 0xfff);
    put("\n");
}

static void accessed_dirty(Kind kind, const char *name)
{
    put("accessed and dirty, %s\n", name);
    paging_on(kind, 0);
#define AD(n, u, l, text, ...)                  \
    set_page(kind, u, l);                       \
    PG(" " n, text, .show = "", ##__VA_ARGS__); \
    put_entries(kind)
    AD("none", 7, 7, "nop");
    AD("read", 7, 7, "mov %%fs:(%%ebx), %%al");
    AD("write", 7, 7, "mov %%al, %%fs:(%%ebx)");
    AD("read-modify-write", 7, 7, "orb $0, %%fs:(%%ebx)");
    AD("cmpxchg that fails", 7, 7, "mov $0, %%al; cmpxchg %%cl, %%fs:(%%ebx)");
    AD("fetch", 7, 7, "ljmp $0x8b, $0x8000000", .ring = 3);
    AD("write to read only, ring 3", 5, 5, "mov %%al, %%fs:(%%ebx)", .ring = 3);
    AD("read, supervisor's, ring 3", 3, 3, "mov %%fs:(%%ebx), %%al", .ring = 3);
    AD("lower absent", 7, 6, "mov %%fs:(%%ebx), %%al");
    AD("upper absent", 6, 7, "mov %%fs:(%%ebx), %%al");
    AD("read, then write", 7, 7, "mov %%fs:(%%ebx), %%al; mov %%al, %%fs:(%%ebx)");
    paging_off();
}

static void across_pages(void)
{
    paging_on(LEGACY_4K, 0);
    set_page(LEGACY_4K, 7, 7);
    PT[1] = 0;
    PG("word across, second absent", "mov %%fs:0xfff(%%ebx), %%ax");
    PG("dword store across, second absent", "movl $0, %%fs:0xffd(%%ebx)");
    put("  first page has %02x\n", *(volatile uint8_t *)(FRAME + 0xffe));
    PT[0] = 0, PT[1] = FRAME + 7;
    set_page(LEGACY_4K, 7, 7);
    PT[0] = 0;
    asm volatile("invlpg (%0)" : : "r"(PAGE));
    PG("dword across, first absent", "mov %%fs:0xffd(%%ebx), %%eax");
    PG("rmw across, ring 3", "incl %%fs:0xffd(%%ebx)", .ring = 3);
    set_page(LEGACY_4K, 7, 7);
    PT[1] = FRAME + 0x1000 + 5;
    asm volatile("invlpg (%0)" : : "r"(PAGE + 0x1000));
    PG("rmw across, second read only, ring 3", "incl %%fs:0xffd(%%ebx)", .ring = 3);
    PG("movs stops at the fault",
       "push %%fs; pop %%es; mov $0x8000ff0, %%edi; xor %%esi, %%esi; mov $0x20, %%ecx; rep movsb",
       .ring = 3, .show = "cSD");
    memset((void *)FRAME, 0xcc, 0x2000);
    PT[1] = 0;
    asm volatile("invlpg (%0)" : : "r"(PAGE + 0x1000));
    *(volatile uint8_t *)(FRAME + 0xfff) = 0xb8;
    PG("instruction across, second absent", "ljmp $0x8b, $0x8000fff", .ring = 3, .show = "i");
    *(volatile uint8_t *)(FRAME + 0xfff) = 0x90;
    PG("fetch of the next page", "ljmp $0x8b, $0x8000fff", .ring = 3, .show = "i");
    *(volatile uint8_t *)(FRAME + 0xfff) = 0xcc;
    PG("INT3 at the end of a page", "ljmp $0x8b, $0x8000fff", .ring = 3, .show = "i");
}

/* Code over the end of 4 GiB: the manual leaves open whether it wraps or is #GP (vol. 3A, 5.3). */
static void around(void)
{
    static const struct {
        const char *name;
        uint32_t at;
        uint8_t code[6];
    } codes[] = {
        { "jmp over 4 GiB", 0xfffffff0, { 0xeb, 0x1e } },
        { "jmp rel32 over 4 GiB", 0xfffffff0, { 0xe9, 0x1b } },
        { "jmp rel16 from there", 0xfffffff0, { 0x66, 0xe9, 0x1c } },
        { "nop at the end of 4 GiB", 0xffffffff, { 0x90 } },
        { "mov across 4 GiB", 0xfffffffd, { 0xb8, 1, 2 } },
    };

    set_page(LEGACY_4K, 7, 7);
    PD[1023] = TABLES + 0x1007;
    PT[1023] = PT[0];
    for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        memset((void *)FRAME, 0xcc, 0x1000);
        memset(page0, 0xcc, 0x30);
        memcpy((void *)(FRAME + (codes[i].at & 0xfff)), codes[i].code,
               codes[i].at > 0xfffffffa ? -codes[i].at : 6);
        report(&(Attempt){ .name = codes[i].name, .code = codes[i].at, .show = "ia" });
    }
    PD[1023] = 0;
    memset((void *)FRAME, 0xcc, 0x2000);
}

static void flushes(void)
{
    PT[0] = 0;
    asm volatile("invlpg (%0)" : : "r"(PAGE));
    PG("absent", "mov %%fs:(%%ebx), %%al");
    PT[0] = FRAME + 7;
    PG("present without a flush", "mov %%fs:(%%ebx), %%al", .show = "a");
    PT[0] = SCRATCH + 7;
    *(volatile uint8_t *)SCRATCH = 0x5a;
    PG("invlpg", "invlpg %%fs:(%%ebx); mov %%fs:(%%ebx), %%al", .show = "a");
    PT[0] = FRAME + 7;
    PG("invlpg at the page's end", "invlpg %%fs:0xfff(%%ebx); mov %%fs:(%%ebx), %%al", .show = "a");
    PT[0] = SCRATCH + 7;
    PG("mov cr3", "mov %%cr3, %%ecx; mov %%ecx, %%cr3; mov %%fs:(%%ebx), %%al", .show = "a");
    PT[0] = FRAME + 7;
    /* clang-format off */
    PG("mov cr0 without PG and back",
       "mov %%cr0, %%ecx; lea 0x80000000(%%ecx), %%edx; mov %%edx, %%cr0; mov %%ecx, %%cr0; mov %%fs:(%%ebx), %%al", .show = "a");
    /* clang-format on */
    WRITE_CR(4, READ_CR(4) | CR4_PGE);
    PT[0] = SCRATCH + 7 + PTE_G;
    PG("global page", "invlpg %%fs:(%%ebx); mov %%fs:(%%ebx), %%al", .show = "a");
    PT[0] = FRAME + 7 + PTE_G;
    /* clang-format off */
    PG("CR4.PGE off flushes it", "mov %%cr4, %%ecx; mov %%ecx, %%edx; and $~0x80, %%edx; mov %%edx, %%cr4; mov %%ecx, %%cr4; mov %%fs:(%%ebx), %%al",
        .show = "a");
    /* clang-format on */
    PT[0] = SCRATCH + 7 + PTE_G;
    PG("invlpg of a global page", "invlpg %%fs:(%%ebx); mov %%fs:(%%ebx), %%al", .show = "a");
    PT[0] = FRAME + 5;
    PG("less rights after invlpg", "invlpg %%fs:(%%ebx)");
    PG("… are enforced", "mov %%al, %%fs:(%%ebx)", .ring = 3);
    PD[PAGE >> 22] &= ~4u;
    PG("rights of the directory after invlpg", "invlpg %%fs:(%%ebx)");
    PG("… are enforced too", "mov %%fs:(%%ebx), %%al", .ring = 3);
}

static void absent_stack(void)
{
    tss.esp0 = PAGE + 0x2010; /* absent */
    set_gate(&idt[8], SEL_TASK, 0, P | TASKGATE, 0);
    /* clang-format off */
    task = (Tss32){ .cr3 = TABLES, .eip = CODE("nop"), .eflags = 2, .esp = TEST_STACK, .es = SEL_DATA, .cs = SEL_CODE,
                    .ss = SEL_DATA, .ds = SEL_DATA };
    report(&(Attempt){ .name = "double fault: stack of ring 0 absent", .code = CODE("int $0x80"), .ring = 3, .show = "C" });
    /* clang-format on */
    put("  %08x cr2 %08x\n", ((uint32_t *)TEST_STACK)[-1], out_cr2);
    paging_off();
    segments();
    SEG(SEL_TSS, (uint32_t)(uintptr_t)&tss, sizeof(tss) - 1, TSS32, 0);
    asm volatile("ltr %w0" : : "r"(SEL_TSS));
    asm volatile("clts");
}

static void smap(void)
{
    paging_on(LEGACY_4K, CR4_SMAP);
    SEG(SEL_LDT, ALIAS + (uint32_t)(uintptr_t)ldt, 63, LDT, 0);
    set_segment(ldt, 0, 0, 0xfffff, P | RW | DPL3, G | D);
    lldt(SEL_LDT);
    TRY("SMAP: implicit access ignores AC", "mov %%eax, %%es", .in.eax = 7, .in.eflags = 0x40000);
    TRY("SMAP: implicit access from ring 3", "mov %%eax, %%es", .ring = 3, .in.eax = 7);
    lldt(0);
    TRY("stac and clac", "stac; pushf; pop %%eax; clac; pushf; pop %%ebx", .show = "ab");
    TRY("stac in ring 3", "stac", .ring = 3);
    paging_off();
    segments();
}

static void large_and_reserved(void)
{
    paging_on(LEGACY_4M, 0);
    set_page(LEGACY_4M, 0x87, 0);
    *(volatile uint32_t *)SCRATCH = 0x12345678;
    PG("4 MiB", "mov %%fs:0x50000(%%ebx), %%ecx; mov %%cl, %%fs:0x50001(%%ebx)", .show = "c");
    put_entries(LEGACY_4M);
    set_page(LEGACY_4M, 0x87 | 1 << 21, 0);
    PG("4 MiB, bit 21", "mov %%fs:(%%ebx), %%al");
    PG("4 MiB, bit 21, ring 3 write", "mov %%al, %%fs:(%%ebx)", .ring = 3);
    paging_off();
    paging_on(PAE_2M, 0);
    set_page(PAE_2M, 0x87, 0);
    *(volatile uint32_t *)SCRATCH = 0x12345678;
    PG("2 MiB", "mov %%fs:0x50000(%%ebx), %%ecx; mov %%cl, %%fs:0x50001(%%ebx)", .show = "c");
    put_entries(PAE_2M);
    set_page(PAE_2M, 0x87 | 1 << 13, 0);
    PG("2 MiB, bit 13", "mov %%fs:(%%ebx), %%al");
    set_page(PAE_4K, 7 | 1ull << 52, 7);
    PG("PAE: bit 52 of a PDE", "mov %%fs:(%%ebx), %%al");
    set_page(PAE_4K, 7, 7 | 1ull << 62);
    PG("PAE: bit 62 of a PTE", "mov %%fs:(%%ebx), %%al", .ring = 3);
    set_page(PAE_4K, 7, 6 | 1ull << 62);
    PG("PAE: bit 62 of an absent PTE", "mov %%fs:(%%ebx), %%al", .ring = 3);
    set_page(PAE_4K, 5, 7 | 1ull << 62);
    PG("PAE: bit 62 and a write that is not allowed", "mov %%al, %%fs:(%%ebx)", .ring = 3);
}

static void pdptes(void)
{
    PDPT[3] = TABLES | 1 | 6;
    PG("PDPTE: reserved bits at mov cr3", "mov %%cr3, %%ecx; mov %%ecx, %%cr3");
    PDPT[3] = 6;
    PG("PDPTE: absent ones have none", "mov %%cr3, %%ecx; mov %%ecx, %%cr3");
    PDPT[1] = (TABLES + 0x3000) | 1;
    PG("PDPTE: not loaded before mov cr3", "mov 0x40050000, %%eax");
    PG("PDPTE: loaded", "mov %%cr3, %%ecx; mov %%ecx, %%cr3; mov 0x40050000, %%ecx", .show = "c");
    PDPT[1] = 0;
    PG("PDPTE: gone only after mov cr3", "mov 0x40050000, %%ecx", .show = "c");
    PG("PDPTE: gone", "mov %%cr3, %%ecx; mov %%ecx, %%cr3; mov 0x40050000, %%ecx");
    paging_off();
}

static void control_registers(void)
{
    TRY("CR4.PCIDE without long mode", "mov %%cr4, %%eax; or $0x20000, %%eax; mov %%eax, %%cr4");
    TRY("EFER: reserved", "mov $0xc0000080, %%ecx; mov $0x2, %%eax; xor %%edx, %%edx; wrmsr");
}

void bare_main(void)
{
    bare_init();
    segments();
    all_rights();
    accessed_dirty(LEGACY_4K, "4 KiB");
    accessed_dirty(PAE_4K, "PAE");
    across_pages();
    around();
    flushes();
    absent_stack();
    smap();
    large_and_reserved();
    pdptes();
    control_registers();
    finish();
}
