/* SPDX-License-Identifier: MIT */
/*
 * The page walk against SDM vol. 3A, chapter 4: rights, error codes, accessed and dirty bits, page
 * sizes, reserved bits, and what flushes the TLB as code sees it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "system.h"
#include "target-i386/paging.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define NX     (1ull << 63)
#define BIT(n) (1ull << (n))

/* clang-format off */
enum { T0 = 0x100000, T1 = 0x101000, T2 = 0x102000, T3 = 0x103000, T4 = 0x104000 }; /* tables, from the root down */
/* clang-format on */

typedef enum Format { NO_PAGING, P32, PAE, L4, L5 } Format;

typedef struct Row {
    const char *name;
    Format format;
    uint32_t cr4; /* beside PAE */
    bool wp, nxe, a20_off;
    uint64_t entry[5]; /* flags (and address, if any) of each level from the root */
    uint64_t addr;
    CpuAccess access;
    unsigned mmu;
    int error;           /* of the #PF; -1: translated; EXCP_GP << 8: #GP */
    uint64_t phys, size; /* when translated */
    uint8_t prot;
    bool global;
    uint32_t pkru;
    const char *model; /* NULL: max */
} Row;
#define OK  (-1)
#define RWX (PROT_R | PROT_W | PROT_X)
/* clang-format off */
#define RX (PROT_R | PROT_X)
#define ALL3(f) { f, f, f, f }
/* clang-format on */
#define KEY(n) ((uint64_t)(n) << 59)
#define AD(n)  (1u << (2 * (n)))
#define WD(n)  (2u << (2 * (n)))

/* clang-format off */
static const Row rows[] = {
    { "no paging", NO_PAGING, 0, 0, 0, 0, { 0 }, 0x12345, ACCESS_WRITE, MMU_KERNEL, OK, 0x12000, 4096, RWX },
    { "no paging, large units above 1 MiB", NO_PAGING, 0, 0, 0, 0, { 0 }, 0x212345, ACCESS_READ, MMU_KERNEL, OK, 0x212000, 2 << 20, RWX },
    { "A20 off", NO_PAGING, 0, 0, 0, 1, { 0 }, 0x112345, ACCESS_READ, MMU_KERNEL, OK, 0x12000, 4096, RWX },
    /* 32-bit */
    { "32: read", P32, 0, 1, 0, 0, ALL3(P | W | U), 0x00401234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX },
    { "32: write sets D", P32, 0, 1, 0, 0, ALL3(P | W | U), 0x00401234, ACCESS_WRITE, MMU_USER, OK, 0x201000, 4096, RWX },
    { "32: absent directory entry", P32, 0, 1, 0, 0, { W | U, 0 }, 0x00401234, ACCESS_WRITE, MMU_USER, PF_W | PF_U },
    { "32: absent entry", P32, 0, 1, 0, 0, { P | W | U, W }, 0x00401234, ACCESS_READ, MMU_KERNEL, 0 },
    { "32: user, supervisor directory", P32, 0, 1, 0, 0, { P | W, P | W | U }, 0x00401234, ACCESS_READ, MMU_USER, PF_P | PF_U },
    { "32: user write, read-only entry", P32, 0, 1, 0, 0, { P | W | U, P | U }, 0x00401234, ACCESS_WRITE, MMU_USER, PF_P | PF_W | PF_U },
    { "32: kernel write, read-only, WP", P32, 0, 1, 0, 0, { P | U, P | W | U }, 0x00401234, ACCESS_WRITE, MMU_KERNEL, PF_P | PF_W },
    { "32: kernel write, read-only, no WP", P32, 0, 0, 0, 0, { P | U, P | U }, 0x00401234, ACCESS_WRITE, MMU_KERNEL, OK, 0x201000, 4096, RWX },
    { "32: fetch has no I bit", P32, 0, 1, 0, 0, { P | W, P | W }, 0x00401234, ACCESS_EXEC, MMU_USER, PF_P | PF_U },
    { "32: PS without PSE is ignored", P32, 0, 1, 0, 0, { P | W | U | PS, P | W | U }, 0x00401234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX },
    { "32: 4 MiB page", P32, CR4_PSE, 1, 0, 0, { P | W | U | PS | 0x00c00000 }, 0x00523456, ACCESS_READ, MMU_USER, OK, 0xd23000, 4 << 20, RX },
    { "32: PSE-36", P32, CR4_PSE, 1, 0, 0, { P | W | PS | 0x00c00000 | 3 << 13 }, 0x00523456, ACCESS_WRITE, MMU_KERNEL, OK, 0x300d23000, 4 << 20, RWX },
    { "32: PSE-36 reserved bit", P32, CR4_PSE, 1, 0, 0, { P | W | PS | 1 << 21 }, 0x00523456, ACCESS_READ, MMU_KERNEL, PF_P | PF_RSVD },
    { "32: global", P32, CR4_PGE, 1, 0, 0, { P | W, P | W | G }, 0x00401234, ACCESS_READ, MMU_KERNEL, OK, 0x201000, 4096, RX, true },
    { "32: G without PGE", P32, 0, 1, 0, 0, { P | W, P | W | G }, 0x00401234, ACCESS_READ, MMU_KERNEL, OK, 0x201000, 4096, RX },
    /* PAE */
    { "PAE: read", PAE, 0, 1, 1, 0, { P, P | W | U, P | W | U }, 0x40201234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX },
    { "PAE: absent PDPTE", PAE, 0, 1, 1, 0, { 0 }, 0x40201234, ACCESS_READ, MMU_KERNEL, 0 },
    { "PAE: 2 MiB page", PAE, 0, 1, 1, 0, { P, P | W | U | PS | 0x600000 }, 0x40323456, ACCESS_READ, MMU_USER, OK, 0x723000, 2 << 20, RX },
    { "PAE: NX", PAE, 0, 1, 1, 0, { P, P | W | U, P | W | U | NX }, 0x40201234, ACCESS_EXEC, MMU_USER, PF_P | PF_U | PF_I },
    { "PAE: NX reserved without NXE", PAE, 0, 1, 0, 0, { P, P | W | U, P | W | U | NX }, 0x40201234, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_RSVD },
    { "PAE: bit 52 reserved", PAE, 0, 1, 1, 0, { P, P | W | U | BIT(52) }, 0x40201234, ACCESS_READ, MMU_KERNEL, PF_P | PF_RSVD },
    /* 4-level */
    { "64: read", L4, 0, 1, 1, 0, ALL3(P | W | U), 0x8080201234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX },
    { "64: ignored bit 52", L4, 0, 1, 1, 0, ALL3(P | W | U | BIT(52)), 0x8080201234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX },
    { "64: physical width", L4, 0, 1, 1, 0, { P | W | U, P | W | U, P | W | U, P | W | U | BIT(45) }, 0x8080201234, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_RSVD },
    { "64: PS in the PML4", L4, 0, 1, 1, 0, { P | W | U | PS }, 0x8080201234, ACCESS_READ, MMU_KERNEL, PF_P | PF_RSVD },
    { "64: 1 GiB page", L4, 0, 1, 1, 0, { P | W | U, P | W | U | PS | 0x40000000 }, 0x8080201234, ACCESS_READ, MMU_USER, OK, 0x40201000, 1 << 30, RX },
    { "64: 1 GiB page, reserved bit", L4, 0, 1, 1, 0, { P | W | U, P | W | U | PS | 0x200000 }, 0x8080201234, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_RSVD },
    { "64: 2 MiB page", L4, 0, 1, 1, 0, { P | W | U, P | W | U, P | W | U | PS | 0x600000 }, 0x8080323456, ACCESS_READ, MMU_USER, OK, 0x723000, 2 << 20, RX },
    { "64: 2 MiB page, reserved bit", L4, 0, 1, 1, 0, { P | W | U, P | W | U, P | W | U | PS | 0x602000 }, 0x8080323456, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_RSVD },
    { "64: PAT of a large page", L4, 0, 1, 1, 0, { P | W | U, P | W | U, P | W | U | PS | 0x601000 }, 0x8080323456, ACCESS_READ, MMU_USER, OK, 0x723000, 2 << 20, RX },
    { "64: NX above", L4, 0, 1, 1, 0, { P | W | U | NX, P | W | U, P | W | U, P | W | U }, 0x8080201234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, PROT_R },
    { "64: SMEP", L4, CR4_SMEP, 1, 1, 0, ALL3(P | W | U), 0x8080201234, ACCESS_EXEC, MMU_KERNEL, PF_P | PF_I },
    { "64: SMEP spares supervisor pages", L4, CR4_SMEP, 1, 1, 0, { P | W | U, P | W | U, P | W | U, P | W }, 0x8080201234, ACCESS_EXEC, MMU_KERNEL, OK, 0x201000, 4096, RX },
    { "64: SMAP read", L4, CR4_SMAP, 1, 1, 0, ALL3(P | W | U), 0x8080201234, ACCESS_READ, MMU_KERNEL, PF_P },
    { "64: SMAP write", L4, CR4_SMAP, 0, 1, 0, ALL3(P | W | U), 0x8080201234, ACCESS_WRITE, MMU_KERNEL, PF_P | PF_W },
    { "64: SMAP with AC", L4, CR4_SMAP, 1, 1, 0, ALL3(P | W | U), 0x8080201234, ACCESS_WRITE, MMU_KERNEL_AC, OK, 0x201000, 4096, RWX },
    { "64: SMAP lets users in", L4, CR4_SMAP, 1, 1, 0, ALL3(P | W | U), 0x8080201234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX },
    { "64: non-canonical", L4, 0, 1, 1, 0, ALL3(P | W | U), BIT(47), ACCESS_READ, MMU_KERNEL, EXCP_GP << 8 },
    /* protection keys: entries of key 3 */
#define KEYED(last) { P | W | U, P | W | U, P | W | U, (last) | KEY(3) }
    { "key: no PKE", L4, 0, 1, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_WRITE, MMU_USER, OK, 0x201000, 4096, RWX, .pkru = ~0u },
    { "key: other keys denied", L4, CR4_PKE, 1, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_WRITE, MMU_USER, OK, 0x201000, 4096, RWX, .pkru = ~(3u << 6) },
    { "key: access denied", L4, CR4_PKE, 1, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_PK, .pkru = AD(3) },
    { "key: access denied to the kernel", L4, CR4_PKE, 0, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_READ, MMU_KERNEL, PF_P | PF_PK, .pkru = AD(3) },
    { "key: fetches are free", L4, CR4_PKE, 1, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_EXEC, MMU_USER, OK, 0x201000, 4096, PROT_X, .pkru = AD(3) },
    { "key: write denied", L4, CR4_PKE, 1, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_WRITE, MMU_USER, PF_P | PF_U | PF_W | PF_PK, .pkru = WD(3) },
    { "key: read beside write denied", L4, CR4_PKE, 1, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX, .pkru = WD(3) },
    { "key: kernel write, WP", L4, CR4_PKE, 1, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_WRITE, MMU_KERNEL, PF_P | PF_W | PF_PK, .pkru = WD(3) },
    { "key: kernel write, no WP", L4, CR4_PKE, 0, 1, 0, KEYED(P | W | U), 0x8080201234, ACCESS_WRITE, MMU_KERNEL, OK, 0x201000, 4096, RWX, .pkru = WD(3) },
    { "key: supervisor pages have none", L4, CR4_PKE, 1, 1, 0, KEYED(P | W), 0x8080201234, ACCESS_WRITE, MMU_KERNEL, OK, 0x201000, 4096, RWX, .pkru = ~0u },
    { "key: both reasons", L4, CR4_PKE, 1, 1, 0, KEYED(P | U), 0x8080201234, ACCESS_WRITE, MMU_USER, PF_P | PF_U | PF_W | PF_PK, .pkru = AD(3) },
    { "key: read-only without the key's doing", L4, CR4_PKE, 1, 1, 0, KEYED(P | U), 0x8080201234, ACCESS_WRITE, MMU_USER, PF_P | PF_U | PF_W },
    { "key: absent", L4, CR4_PKE, 1, 1, 0, KEYED(W | U), 0x8080201234, ACCESS_READ, MMU_USER, PF_U, .pkru = ~0u },
    { "key: of a large page", L4, CR4_PKE, 1, 1, 0, { P | W | U, P | W | U, P | W | U | PS | 0x600000 | KEY(15) }, 0x8080323456, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_PK, .pkru = AD(15) },
    { "key: PAE has none", PAE, CR4_PKE, 1, 1, 0, { P, P | W | U, P | W | U }, 0x40201234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX, .pkru = ~0u },
    /* 5-level */
#define ALL5(f) { f, f, f, f, f }
    { "57: read", L5, CR4_LA57, 1, 1, 0, ALL5(P | W | U), 0x0012345680201234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX },
    { "57: upper half", L5, CR4_LA57, 1, 1, 0, ALL5(P | W), 0xff12345680201234, ACCESS_WRITE, MMU_KERNEL, OK, 0x201000, 4096, RWX },
    { "57: non-canonical", L5, CR4_LA57, 1, 1, 0, ALL5(P | W | U), BIT(56), ACCESS_READ, MMU_KERNEL, EXCP_GP << 8 },
    { "57: bit 47 is an address bit", L5, CR4_LA57, 1, 1, 0, ALL5(P | W | U), BIT(47) | 0x1234, ACCESS_READ, MMU_USER, OK, 0x201000, 4096, RX },
    { "57: absent PML5E", L5, CR4_LA57, 1, 1, 0, { W | U }, 0x0012345680201234, ACCESS_READ, MMU_USER, PF_U },
    { "57: supervisor PML5E", L5, CR4_LA57, 1, 1, 0, { P | W, P | W | U, P | W | U, P | W | U, P | W | U }, 0x0012345680201234, ACCESS_READ, MMU_USER, PF_P | PF_U },
    { "57: read-only PML5E", L5, CR4_LA57, 1, 1, 0, { P | U, P | W | U, P | W | U, P | W | U, P | W | U }, 0x0012345680201234, ACCESS_WRITE, MMU_USER, PF_P | PF_U | PF_W },
    { "57: PS in the PML5", L5, CR4_LA57, 1, 1, 0, { P | W | U | PS }, 0x0012345680201234, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_RSVD },
    { "57: NX above", L5, CR4_LA57, 1, 1, 0, { P | W | U | NX, P | W | U, P | W | U, P | W | U, P | W | U }, 0x0012345680201234, ACCESS_EXEC, MMU_USER, PF_P | PF_U | PF_I },
    { "57: physical width", L5, CR4_LA57, 1, 1, 0, { P | W | U | BIT(45) }, 0x0012345680201234, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_RSVD },
    { "57: 1 GiB page", L5, CR4_LA57, 1, 1, 0, { P | W | U, P | W | U, P | W | U | PS | 0x40000000 }, 0x0012345680201234, ACCESS_READ, MMU_USER, OK, 0x40201000, 1 << 30, RX },
    /* what models lack is reserved */
    { "36 bits: PSE-36", P32, CR4_PSE, 1, 0, 0, { P | W | PS | 0x00c00000 | 15 << 13 }, 0x00523456, ACCESS_READ, MMU_KERNEL, OK, 0xf00d23000, 4 << 20, RX, .model = "pentium3" },
    { "36 bits: one more", P32, CR4_PSE, 1, 0, 0, { P | W | PS | 16 << 13 }, 0x00523456, ACCESS_READ, MMU_KERNEL, PF_P | PF_RSVD, .model = "pentium3" },
    { "no PSE-36", P32, CR4_PSE, 1, 0, 0, { P | W | PS | 1 << 13 }, 0x00523456, ACCESS_READ, MMU_KERNEL, PF_P | PF_RSVD, .model = "n270" },
    { "no PSE-36: a PTE's bit 7 is PAT", P32, CR4_PSE, 1, 0, 0, { P | W, P | W | PS }, 0x00401234, ACCESS_READ, MMU_KERNEL, OK, 0x201000, 4096, RX, .model = "n270" },
    { "no PAT: 4 MiB page", P32, CR4_PSE, 1, 0, 0, { P | W | PS | 0x00c00000 }, 0x00523456, ACCESS_READ, MMU_KERNEL, OK, 0xd23000, 4 << 20, RX, .model = "pentium" },
    { "no PAT: bit 12", P32, CR4_PSE, 1, 0, 0, { P | W | PS | 1 << 12 }, 0x00523456, ACCESS_READ, MMU_KERNEL, PF_P | PF_RSVD, .model = "pentium" },
    { "no PAT: bit 7 of a PTE", P32, CR4_PSE, 1, 0, 0, { P | W, P | W | PS }, 0x00401234, ACCESS_WRITE, MMU_KERNEL, PF_P | PF_W | PF_RSVD, .model = "pentium" },
    { "no PAT: not without PSE", P32, 0, 1, 0, 0, { P | W, P | W | PS }, 0x00401234, ACCESS_READ, MMU_KERNEL, OK, 0x201000, 4096, RX, .model = "pentium" },
    { "no PAT: PAE", PAE, 0, 1, 1, 0, { P, P | W | U, P | W | U | PS }, 0x40201234, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_RSVD, .model = "qemu64,-pat" },
    { "no PAT: 2 MiB page", L4, 0, 1, 1, 0, { P | W | U, P | W | U, P | W | U | PS | 0x601000 }, 0x8080323456, ACCESS_READ, MMU_USER, PF_P | PF_U | PF_RSVD, .model = "qemu64,-pat" },
};
/* clang-format on */

static unsigned failures;
#define ROW_FAILED(...) (failures++, print_error(__VA_ARGS__), print_error("\n"))

/* Tables whose entry for @addr at each level has the row's flags; the leaf without an address of
 * its own maps 0x201000. */
static void put_tables(System *s, const Row *r)
{
    static const uint64_t table[] = { T0, T1, T2, T3, T4 };
    static const uint8_t depth[] = { [P32] = 2, [PAE] = 3, [L4] = 4, [L5] = 5 };
    unsigned levels = r->format ? depth[r->format] : 4;
    unsigned size = r->format == P32 ? 4 : 8;

    memset(s->ram->host + T0, 0, 0x5000);
    for (unsigned n = 0; n < levels; n++) {
        unsigned up = levels - 1 - n;
        unsigned shift = r->format == P32 ? 12 + 10 * up : 12 + 9 * up;
        unsigned index = r->format == P32 ? r->addr >> shift & 0x3ff : r->addr >> shift & 0x1ff;
        uint64_t entry = r->entry[n];

        if (r->format == PAE && n == 0)
            index = r->addr >> 30 & 3;
        if (!(entry & PS) || n == levels - 1 || (r->format == P32 && !(r->cr4 & CR4_PSE)) ||
            (r->format >= L4 && n == 0))
            entry |= n == levels - 1 ? 0x201000 : table[n + 1];
        system_write(s, table[n] + index * size, entry, size);
    }
}

static void set_registers(System *s, const Row *r)
{
    CpuX86 *c = s->c;

    device_reset(s->machine.root);
    c->cr3 = T0;
    c->cr4 = r->cr4 | (r->format >= PAE ? CR4_PAE : 0);
    c->cr0 = CR0_ET | CR0_PE | (r->wp ? CR0_WP : 0) | (r->format ? CR0_PG : 0);
    c->efer = (r->nxe ? EFER_NXE : 0) | (r->format >= L4 ? EFER_LME | EFER_LMA : 0);
    c->pkru = r->pkru;
    c->a20 = !r->a20_off;
    if (r->format == PAE)
        assert_true(x86_load_pdptes(c, c->cr3));
}

/* Accessed at each level and dirty at the leaf, as the access asks; nothing after a fault. */
static void check_accessed_dirty(System *s, const Row *r, const CpuPage *page)
{
    uint64_t seen = 0;
    bool write = r->access == ACCESS_WRITE, translated = r->error == OK;

    if (r->format == NO_PAGING)
        return;
    for (uint64_t at = T0; at < T0 + 0x5000; at += 4)
        seen |= system_read(s, at, 4) & 0xfff;
    if (!!(seen & A) != translated || !!(seen & D) != (translated && write))
        ROW_FAILED("%s: A or D wrong: %lx", r->name, (long)seen);
}

/* Pages that a walk of long mode has found are found again in its last table, alike. */
static void check_quick(System *s, const Row *r, const CpuPage *page)
{
    bool large = page->unit_size > 4096, long_mode = r->format == L4 || r->format == L5;
    CpuPage quick = { 0 };
    bool ok = x86_walk_quick(&s->c->cpu, r->addr, r->access == ACCESS_WRITE, r->mmu, &quick);

    if (r->access == ACCESS_EXEC)
        return;
    if (ok != (long_mode && !r->model && !(large && r->a20_off)))
        ROW_FAILED("%s: quick walk: %d", r->name, ok);
    else if (ok && (quick.phys != page->phys || quick.unit_size != page->unit_size ||
                    quick.prot != page->prot || quick.global != page->global))
        ROW_FAILED("%s: quick walk: phys %lx size %lx prot %x global %d", r->name, (long)quick.phys,
                   (long)quick.unit_size, quick.prot, quick.global);
}

static void check_row(System *s, const Row *r)
{
    CpuPage page = { 0 };
    bool ok;

    put_tables(s, r);
    set_registers(s, r);
    ok = x86_walk(&s->c->cpu, r->addr, r->access, r->mmu, true, &page);
    (void)ok; /* a probe leaves no trace, whatever it finds */
    for (uint64_t at = T0; at < T0 + 0x5000; at += 4)
        assert_false(system_read(s, at, 4) & (A | D));
    ok = x86_walk(&s->c->cpu, r->addr, r->access, r->mmu, false, &page);
    if (ok != (r->error == OK))
        ROW_FAILED("%s: %s", r->name, ok ? "translated" : "faulted");
    if (!ok) {
        int want = r->error >> 8 ? r->error >> 8 : EXCP_PF;

        if (s->c->exception != want || s->c->error_code != (uint32_t)(r->error & 0xff))
            ROW_FAILED("%s: exception %d, error %x", r->name, s->c->exception, s->c->error_code);
    } else if (page.phys != r->phys || page.unit_size != r->size || page.prot != r->prot ||
               page.global != r->global) {
        ROW_FAILED("%s: phys %lx size %lx prot %x global %d", r->name, (long)page.phys,
                   (long)page.unit_size, page.prot, page.global);
    } else {
        check_quick(s, r, &page);
    }
    check_accessed_dirty(s, r, &page);
}

static void test_rows(void **state)
{
    static const char *const models[] = { "max", "pentium3", "n270", "pentium", "qemu64,-pat" };

    for (unsigned m = 0; m < G_N_ELEMENTS(models); m++) {
        System *s = system_new(NULL, models[m]);

        system_setup(s, SYS_REAL, 0); /* an HLT: the engine gets ready when it first runs */
        system_write(s, USER_CODE, 0xf4, 1);
        assert_true(system_run(s));
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
            if (!strcmp(rows[i].model ? rows[i].model : "max", models[m]))
                check_row(s, &rows[i]);
        system_free(s);
    }
    assert_int_equal(failures, 0);
}

static void test_pdpte_reserved(void **state)
{
    System *s = system_new(NULL, "max");

    s->c->pae_pdpte[0] = 0x1234;
    system_write(s, T0, T1 | P | W, 8); /* R/W is reserved in a PDPTE */
    assert_false(x86_load_pdptes(s->c, T0));
    assert_int_equal(s->c->pae_pdpte[0], 0x1234);
    system_write(s, T0, T1 | P, 8);
    assert_true(x86_load_pdptes(s->c, T0));
    system_free(s);
}

typedef struct Look {
    const char *first, *again;
    size_t first_len, again_len;
} Look;
#define LOOK(first, again)                                 \
    {                                                      \
        first, again, sizeof(first) - 1, sizeof(again) - 1 \
    }

static size_t put_code(uint8_t *to, const char *code, size_t len)
{
    memcpy(to, code, len);
    return len;
}

/* Code changes the mapping of PAGE_USER to that of PAGE_NX, which holds another value: seen after
 * @flush, and not before (the TLB must remember). */
static uint32_t value_seen(const Look *look, const char *flush, size_t len, uint32_t cr4,
                           uint64_t leaf_flags)
{
    System *s = system_new(NULL, "max");
    uint64_t pt = TABLES_AT + 0x3000, at = pt + (PAGE_USER >> 12) * 8, value;
    uint8_t code[64];
    size_t n = 0;

    system_setup(s, SYS_LONG, 0);
    s->c->cr4 |= cr4;
    system_write(s, PAGE_USER, 1, 4);
    system_write(s, PAGE_NX, 2, 4);
    system_write(s, at, PAGE_USER | leaf_flags, 8);
    s->c->regs[R_RBX] = PAGE_USER;
    s->c->regs[R_RSI] = at;
    s->c->regs[R_RDI] = PAGE_NX | leaf_flags;
    s->c->regs[R_RBP] = TABLES_AT;
    n += put_code(code + n, look->first, look->first_len);
    n += put_code(code + n, "\x48\x89\x3e", 3); /* mov [rsi], rdi */
    n += put_code(code + n, flush, len);
    n += put_code(code + n, look->again, look->again_len);
    address_space_write_bytes(s->machine.memory, KERNEL_CODE, code, n);
    assert_true(system_run(s));
    assert_int_equal(s->c->regs[R_R8], 1);
    value = s->c->regs[R_RCX];
    system_free(s);
    return (uint32_t)value;
}

/* By any register, and by the stack pointer, whose page is remembered in another place, too. */
static uint32_t value_after(const char *flush, size_t len, uint32_t cr4, uint64_t leaf_flags)
{
    static const Look looks[] = {
        /* mov r8d, [rbx] … mov ecx, [rbx]; hlt */
        LOOK("\x44\x8b\x03", "\x8b\x0b\xf4"),
        /* xchg rbx, rsp; mov [rsp+8], eax; mov r8d, [rsp]; xchg rbx, rsp … xchg rbx, rsp;
           mov ecx, [rsp]; hlt */
        LOOK("\x48\x87\xe3\x89\x44\x24\x08\x44\x8b\x04\x24\x48\x87\xe3",
             "\x48\x87\xe3\x8b\x0c\x24\xf4"),
    };
    uint32_t value = value_seen(&looks[0], flush, len, cr4, leaf_flags);

    assert_int_equal(value_seen(&looks[1], flush, len, cr4, leaf_flags), value);
    return value;
}
#define AFTER(flush, cr4, flags) value_after(flush, sizeof(flush) - 1, cr4, flags)

static void test_flushes(void **state)
{
    const uint64_t plain = P | W | A | D, global = plain | G;
#define INVLPG     "\x0f\x01\x3b"
#define MOV_CR3    "\x0f\x22\xdd"
#define TOGGLE_PGE "\x0f\x20\xe0\x34\x80\x0f\x22\xe0\x34\x80\x0f\x22\xe0"
#define TOGGLE_WP  "\x0f\x20\xc0\x0f\xba\xf8\x10\x0f\x22\xc0"

    assert_int_equal(AFTER("\x90", 0, plain), 1);
    assert_int_equal(AFTER(INVLPG, 0, plain), 2);
    assert_int_equal(AFTER(INVLPG, 0, global), 2);
    assert_int_equal(AFTER(MOV_CR3, 0, plain), 2);
    assert_int_equal(AFTER(MOV_CR3, 0, global), 1);
    assert_int_equal(AFTER(TOGGLE_PGE, 0, global), 2);
    assert_int_equal(AFTER(TOGGLE_WP, 0, plain), 2);
    /* PCID: MOV to CR3 with bit 63 keeps this PCID's entries */
    assert_int_equal(AFTER("\x48\x0f\xba\xed\x3f" MOV_CR3, CR4_PCIDE, plain), 1);
    assert_int_equal(AFTER(MOV_CR3, CR4_PCIDE, plain), 2);
    /* INVPCID of one address, this PCID: descriptor on the stack */
    assert_int_equal(AFTER("\x53\x6a\x00\x31\xd2\x66\x0f\x38\x82\x14\x24", CR4_PCIDE, plain), 2);
    /* all but global ones */
    /* clang-format off */
    assert_int_equal(AFTER("\x6a\x00\x6a\x00\x6a\x03\x5a\x66\x0f\x38\x82\x14\x24", CR4_PCIDE, global), 1);
    assert_int_equal(AFTER("\x6a\x00\x6a\x00\x6a\x02\x5a\x66\x0f\x38\x82\x14\x24", CR4_PCIDE, global), 2);
    /* clang-format on */
}

/* Pages of one table, which the walk of the first has made known: accessed and dirty bits are set
 * as each is first read and first written. */
static void test_accessed_dirty_of_a_known_table(void **state)
{
    /* mov eax, [rbx]; mov ecx, [rdx]; mov [rdi], ecx; mov [rbx], ecx; hlt */
    static const char code[] = "\x8b\x03\x8b\x0a\x89\x0f\x89\x0b\xf4";
    /* clang-format off */
    static const struct { uint32_t page; uint64_t bits; } want[] = {
        { 0x50000, A | D }, { 0x51000, A }, { 0x52000, A | D }, { 0x53000, 0 },
    };
    /* clang-format on */
    const uint64_t pt = TABLES_AT + 0x3000;
    System *s = system_new(NULL, "max");

    system_setup(s, SYS_LONG, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++)
        system_write(s, pt + (want[i].page >> 12) * 8, want[i].page | P | W, 8);
    address_space_write_bytes(s->machine.memory, KERNEL_CODE, code, sizeof(code));
    s->c->regs[R_RBX] = want[0].page;
    s->c->regs[R_RDX] = want[1].page;
    s->c->regs[R_RDI] = want[2].page;
    assert_true(system_run(s));
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++)
        assert_int_equal(system_read(s, pt + (want[i].page >> 12) * 8, 8),
                         want[i].page | P | W | want[i].bits);
    system_free(s);
}

/* A large page at 1 GiB, looked at in two places, is replaced by a 2 MiB page that holds other
 * values: INVLPG of any of its addresses forgets all of it, that of another page nothing. */
static void check_large(bool gigabyte, uint64_t invlpg, bool forgets)
{
    /* mov r8d, [rbx]; mov r9d, [rbx+rdx]; mov [rsi], rdi; invlpg [rbp]; then ECX and R10D so; hlt
     */
    static const char code[] = "\x44\x8b\x03\x44\x8b\x0c\x13\x48\x89\x3e\x0f\x01\x7d\x00"
                               "\x8b\x0b\x44\x8b\x14\x13\xf4";
    const uint64_t pdpte = TABLES_AT + 0x1000 + 8, pd = TABLES_AT + 0x8000,
                   leaf = P | W | A | D | PS;
    System *s = system_new(NULL, "max");
    uint64_t *r = s->c->regs;

    system_setup(s, SYS_LONG, 0);
    address_space_write_bytes(s->machine.memory, KERNEL_CODE, code, sizeof(code));
    for (unsigned n = 0; n < 4; n++)
        system_write(s, (n & 1) * 0x100000 + (n >> 1) * 0x200000 + 0x50000, n, 4);
    system_write(s, pd, gigabyte ? 0x200000 | leaf : leaf, 8);
    system_write(s, pdpte, gigabyte ? leaf : pd | P | W | A, 8);
    r[R_RBX] = 0x40050000;
    r[R_RDX] = 0x100000;
    r[R_RSI] = gigabyte ? pdpte : pd;
    r[R_RDI] = gigabyte ? pd | P | W | A : 0x200000 | leaf;
    r[R_RBP] = invlpg;
    assert_true(system_run(s));
    assert_int_equal(r[R_R8], 0);
    assert_int_equal(r[R_R8 + 1], 1);
    assert_int_equal(r[R_RCX], forgets ? 2 : 0);
    assert_int_equal(r[R_R8 + 2], forgets ? 3 : 1);
    system_free(s);
}

static void test_invlpg_of_large_pages(void **state)
{
    check_large(false, 0x40000000, true);
    check_large(false, 0x401ff123, true);
    check_large(false, 0x40800000, false);
    check_large(false, 0x00050000, false);
    check_large(true, 0x40000000, true);
    check_large(true, 0x7ffff000, true);
    check_large(true, 0x80000000, false);
    check_large(true, 0x00150000, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_pdpte_reserved),
        cmocka_unit_test(test_flushes),
        cmocka_unit_test(test_accessed_dirty_of_a_known_table),
        cmocka_unit_test(test_invlpg_of_large_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
