/* SPDX-License-Identifier: MIT */
/*
 * What a processor may still know of paging structures that have changed. Where the manual leaves
 * nothing open: entries that were not present are never cached; a page fault forgets what it used;
 * INVLPG forgets all paging-structure caches; INVPCID, MOV CR3 and changes of CR0 and CR4 forget
 * what they say. Intel SDM vol. 3A, 4.10.2-4.10.4.
 *
 * The page under test maps frame A or B, which hold their own letter.
 */
#include "bare64.h"

#define A     0x180000u
#define B     0x181000u
#define PT2   ((uint64_t *)(TABLES + 0x4000))
#define PD2   ((uint64_t *)(TABLES + 0x5000))
#define PDPT2 ((uint64_t *)(TABLES + 0x6000))

static const uint64_t rw = 0x67, ro = 0x65, kernel = 0x63; /* present, accessed, dirty */

static char look_from(unsigned ring)
{
    attempt64(&(Attempt64){ .code = CODE_64("mov (%%rbx), %%al"), .ring = ring, .in.rbx = PAGE });
    return vector64 == 3 ? (char)regs_out.rax : vector64 == 14 ? '!' : '?';
}

/* 'w', or '!' if it faults. */
static char store_from(unsigned ring)
{
    attempt64(&(Attempt64){
        .code = CODE_64("mov (%%rbx), %%al; mov %%al, (%%rbx)"), .ring = ring, .in.rbx = PAGE });
    return vector64 == 3 ? 'w' : vector64 == 14 ? '!' : '?';
}

static void run(uint32_t code, uint64_t rax, uint64_t rcx)
{
    attempt64(&(Attempt64){ .code = code, .in.rbx = PAGE, .in.rax = rax, .in.rcx = rcx });
    if (vector64 != 3)
        put(" (vector %d)", vector64);
}

static void invlpg(uint64_t address)
{
    run(CODE_64("invlpg (%%rax)"), address, 0);
}

static void mov_cr3(uint64_t v)
{
    run(CODE_64("mov %%rax, %%cr3"), v, 0);
}

/* As at first: everything maps the page to A. */
static void fresh(uint64_t pte)
{
    PML4[0] = (TABLES + 0x1000) | 7;
    PDPT[0] = (TABLES + 0x2000) | 7;
    PD[PAGE >> 21] = (TABLES + 0x3000) | 7;
    for (unsigned i = 0; i < 512; i++)
        PT[i] = PT2[i] = 0;
    PT[0] = A | pte;
    PT[1] = A | rw;
    WRITE_CR(4, READ_CR(4) & ~0x80u);
    WRITE_CR(3, TABLES);
}

/* ---- Nothing needs to be done --------------------------------------------------------------- */

static void from_absent(void)
{
    /* clang-format off */
    static const struct {
        const char *name;
        uint64_t *entry;
    } levels[] = { { "PTE", PT }, { "PDE", PD + (PAGE >> 21) }, { "PDPTE", PDPT + 1 }, { "PML4E", PML4 + 1 } };
    /* clang-format on */

    for (unsigned i = 0; i < 4; i++) {
        /* clang-format off */
        uint64_t address = i == 2 ? 0x40000000 : i == 3 ? 0x8000000000 : 0, value = i == 2 ? (TABLES + 0x2000) | 7 : i == 3 ? (TABLES + 0x1000) | 7 : 0;
        /* clang-format on */

        fresh(rw);
        if (!value)
            value = *levels[i].entry;
        *levels[i].entry = 0;
        invlpg(PAGE + address);
        put("%s from absent:", levels[i].name);
        for (unsigned n = 0; n < 2; n++) {
            attempt64(
                &(Attempt64){ .code = CODE_64("mov (%%rbx), %%al"), .in.rbx = PAGE + address });
            put(" %c", vector64 == 14 ? '!' : (char)regs_out.rax);
            *levels[i].entry = value;
        }
        put("\n");
        if (i >= 2)
            *levels[i].entry = 0;
    }
}

/* One fault at the most, if rights have grown. */
static void more_rights(void)
{
    fresh(ro);
    look_from(3);
    PT[0] = A | rw;
    store_from(3);
    put("write after one fault at the most: %c\n", store_from(3));
    fresh(kernel);
    look_from(0);
    PT[0] = A | rw;
    look_from(3);
    put("ring 3 after one fault at the most: %c\n", look_from(3));
    fresh(rw | NX);
    look_from(0);
    PT[0] = A | rw;
    attempt64(&(Attempt64){ .code = CODE_64("jmp *%%rbx"), .in.rbx = PAGE + 8 });
    attempt64(&(Attempt64){ .code = CODE_64("jmp *%%rbx"), .in.rbx = PAGE + 8 });
    put("fetch after one fault at the most: %s\n", vector64 == 3 ? "ok" : "!");
}

/* ---- A page fault forgets ------------------------------------------------------------------- */

static void by_fault(void)
{
    fresh(kernel);
    put("by fault of ring 3: %c", look_from(0));
    PT[0] = B | kernel;
    put("%c", look_from(3));
    put("%c\n", look_from(0));
    fresh(ro);
    put("by fault of a write: %c", look_from(3));
    PT[0] = B | ro;
    put("%c", store_from(3));
    put("%c\n", look_from(3));
    fresh(rw | NX);
    put("by fault of a fetch: %c", look_from(0));
    PT[0] = B | rw | NX;
    attempt64(&(Attempt64){ .code = CODE_64("jmp *%%rbx"), .in.rbx = PAGE });
    put("%c", vector64 == 14 ? '!' : '.');
    put("%c\n", look_from(0));

    /* The table that the directory named is not looked at again. */
    fresh(0);
    put("the directory's entry, by fault: %c", look_from(0));
    attempt64(&(Attempt64){ .code = CODE_64("mov 0x1000(%%rbx), %%al"), .in.rbx = PAGE });
    PD[PAGE >> 21] = (TABLES + 0x4000) | 7;
    put("%c", look_from(0));
    PT[0] = A | rw, PT2[0] = B | rw;
    put("%c\n", look_from(0));
}

/* ---- INVLPG --------------------------------------------------------------------------------- */

static void by_invlpg(void)
{
    static const char *const names[] = { "PTE", "PDE", "PDPTE", "PML4E" };

    for (unsigned level = 0; level < 4; level++) {
        for (unsigned global = 0; global < 2; global++) {
            fresh(rw);
            if (global)
                WRITE_CR(4, READ_CR(4) | 0x80);
            PT[0] = A | rw | (global ? 0x100 : 0);
            PT2[0] = B | rw;
            memcpy(PD2, PD, 0x1000);
            memcpy(PDPT2, PDPT, 0x1000);
            PD2[PAGE >> 21] = (TABLES + 0x4000) | 7;
            PDPT2[0] = (TABLES + 0x5000) | 7;
            put("invlpg, %s%s: %c", names[level], global ? ", global page" : "", look_from(0));
            if (level == 0)
                PT[0] = B | rw;
            else if (level == 1)
                PD[PAGE >> 21] = (TABLES + 0x4000) | 7;
            else if (level == 2)
                PDPT[0] = (TABLES + 0x5000) | 7;
            else
                PML4[0] = (TABLES + 0x6000) | 7;
            invlpg(PAGE + 0xfff);
            put("%c\n", look_from(0));
        }
    }
    /* Whatever address: the caches of paging structures go as a whole. */
    fresh(0);
    look_from(0);
    attempt64(&(Attempt64){ .code = CODE_64("mov 0x1000(%%rbx), %%al"), .in.rbx = PAGE });
    PT[0] = A | rw, PT2[0] = B | rw;
    PD[PAGE >> 21] = (TABLES + 0x4000) | 7;
    invlpg(0x400000);
    put("invlpg elsewhere, PDE: %c\n", look_from(0));
}

/* A large page is forgotten as a whole. */
static void large(void)
{
    fresh(0);
    PD[PAGE >> 21] = 0 | 0xe7;
    attempt64(&(Attempt64){ .code = CODE_64("mov 0x180000(%%rbx), %%al; mov 0x181000(%%rbx), %%cl"),
                            .in.rbx = PAGE });
    put("2 MiB: %c%c", (char)regs_out.rax, (char)regs_out.rcx);
    PD[PAGE >> 21] = (TABLES + 0x4000) | 7;
    PT2[0x180] = B | rw, PT2[0x181] = A | rw;
    invlpg(PAGE);
    attempt64(&(Attempt64){ .code = CODE_64("mov 0x180000(%%rbx), %%al; mov 0x181000(%%rbx), %%cl"),
                            .in.rbx = PAGE });
    put(", split: %c%c", (char)regs_out.rax, (char)regs_out.rcx);
    PD[PAGE >> 21] = 0 | 0xe7;
    invlpg(PAGE + 0x180000);
    invlpg(PAGE + 0x181000);
    attempt64(&(Attempt64){ .code = CODE_64("mov 0x180000(%%rbx), %%al; mov 0x181000(%%rbx), %%cl"),
                            .in.rbx = PAGE });
    put(", joined: %c%c\n", (char)regs_out.rax, (char)regs_out.rcx);
}

/* ---- Registers ------------------------------------------------------------------------------ */

static void toggle_cr4(uint32_t bit)
{
    /* clang-format off */
    run(CODE_64("mov %%cr4, %%rcx; mov %%rcx, %%rdx; xor %%rax, %%rdx; mov %%rdx, %%cr4; mov %%rcx, %%cr4"), bit, 0);
    /* clang-format on */
}

static void by_register(void)
{
    static const struct {
        const char *name;
        uint32_t bit;
        bool global;
    } bits[] = { { "PGE", 0x80, true }, { "PCIDE", 0x20000, true }, { "SMEP", 0x100000, false } };

    fresh(rw);
    put("mov cr3: %c", look_from(0));
    PT[0] = B | rw;
    mov_cr3(TABLES);
    put("%c\n", look_from(0));
    for (unsigned i = 0; i < 3; i++) {
        fresh(rw | (bits[i].global ? 0x100 : 0));
        WRITE_CR(4, READ_CR(4) | 0x80);
        put("CR4.%s: %c", bits[i].name, look_from(0));
        PT[0] = B | rw;
        toggle_cr4(bits[i].bit);
        put("%c\n", look_from(0));
    }
}

/* ---- PCIDs ---------------------------------------------------------------------------------- */

/* Translations of the page by PCIDs 1 and 2 and a global one, then an act: what has to be gone. */
static void pcid(const char *name, bool global, uint32_t code, uint64_t rax, unsigned rcx,
                 unsigned at)
{
    fresh(rw | (global ? 0x100 : 0));
    WRITE_CR(4, READ_CR(4) | 0x20080);
    mov_cr3(TABLES | 1);
    look_from(0);
    mov_cr3(TABLES | 2);
    look_from(0);
    PT[0] = B | rw | (global ? 0x100 : 0);
    run(code, rax, rcx);
    mov_cr3(1ull << 63 | TABLES | at);
    put("pcid %d, %s: %c\n", at, name, look_from(0));
    mov_cr3(TABLES);
    WRITE_CR(4, READ_CR(4) & ~0x20080u);
}

static void pcids(void)
{
    uint32_t inv = CODE_64("push %%rbx; push %%rcx; invpcid (%%rsp), %%rax");
    uint32_t cr3 = CODE_64("mov %%rax, %%cr3"), page = CODE_64("invlpg (%%rbx)");

    pcid("invpcid 0", false, inv, 0, 1, 1);
    pcid("invpcid 1", false, inv, 1, 1, 1);
    pcid("invpcid 2", false, inv, 2, 0, 1);
    pcid("invpcid 2, global", true, inv, 2, 0, 1);
    pcid("invpcid 3", false, inv, 3, 0, 1);
    pcid("invpcid 3", false, inv, 3, 0, 2);
    pcid("mov cr3", false, cr3, TABLES | 1, 0, 1);
    pcid("invlpg", false, page, 0, 0, 2);
    pcid("invlpg, global", true, page, 0, 0, 1);

    /* One PCID's translations are not another's. */
    fresh(rw);
    memcpy((void *)(TABLES + 0x7000), PML4, 0x1000);
    memcpy(PDPT2, PDPT, 0x1000);
    memcpy(PD2, PD, 0x1000);
    PT2[0] = B | rw;
    PD2[PAGE >> 21] = (TABLES + 0x4000) | 7;
    PDPT2[0] = (TABLES + 0x5000) | 7;
    *(uint64_t *)(TABLES + 0x7000) = (TABLES + 0x6000) | 7;
    WRITE_CR(4, READ_CR(4) | 0x20000);
    put("two address spaces: ");
    for (unsigned i = 0; i < 4; i++) {
        mov_cr3(1ull << 63 | TABLES | 1);
        put("%c", look_from(i & 1 ? 3 : 0));
        mov_cr3(1ull << 63 | (TABLES + 0x7000) | 2);
        put("%c", look_from(i & 1 ? 3 : 0));
    }
    mov_cr3(TABLES);
    WRITE_CR(4, READ_CR(4) & ~0x20000u);
    put("\n");
}

/* ---- Accessed and dirty --------------------------------------------------------------------- */

static void accessed_dirty(void)
{
    fresh(0x27);
    look_from(0);
    store_from(0);
    put("dirty after read and write: %x", (uint32_t)PT[0] & 0x60);
    PT[0] &= ~0x60ull;
    invlpg(PAGE);
    look_from(0);
    put(", cleared and read: %x", (uint32_t)PT[0] & 0x60);
    store_from(3);
    put(", written: %x\n", (uint32_t)PT[0] & 0x60);
    PD[PAGE >> 21] &= ~0x20ull;
    invlpg(PAGE);
    look_from(0);
    put("accessed in the directory: %x\n", (uint32_t)PD[PAGE >> 21] & 0x60);
}

void bare_main(void)
{
    bare_init();
    memset((void *)A, 0xcc, 0x2000);
    *(volatile uint8_t *)A = 'A';
    *(volatile uint8_t *)B = 'B';
    long_mode();
    from_absent();
    more_rights();
    by_fault();
    by_invlpg();
    large();
    by_register();
    pcids();
    accessed_dirty();
    finish();
}
