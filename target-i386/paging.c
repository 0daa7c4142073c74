/* SPDX-License-Identifier: MIT */
/*
 * The page walk: no paging, 32-bit (with 4 MiB pages and PSE-36), PAE, 4-level and 5-level paging.
 * Intel SDM vol. 3A, 4.2-4.8. Each mode is a loop over levels with its own entry format; rights,
 * the error code and the accessed and dirty bits are common to all.
 *
 * Protection keys are looked at here only: WRPKRU makes the TLBs forget what it changes.
 *
 * Missing: memory types (guest memory has one).
 */
#include "target-i386/paging.h"

#include "target-i386/paging-rights.h"

#include "target-i386/cpuid.h"
#include "target-i386/debug.h"
#include "target-i386/smm.h"

#define MAX_LEVELS 5

typedef struct Walk {
    CpuX86 *c;
    uint64_t addr;
    CpuAccess access;
    unsigned mmu;
    bool probe;
    /* found */
    unsigned depth;
    uint64_t entry_at[MAX_LEVELS], entry[MAX_LEVELS];
    unsigned entry_size;
    uint64_t rights; /* PTE_W, PTE_U: of all levels; PTE_NX: of any */
    uint64_t frame, page_size;
    uint32_t error; /* of the fault */
} Walk;

uint64_t x86_phys_reserved(const CpuX86 *c)
{
    return pte_reserved_address(c);
}

bool x86_is_canonical_base(const CpuX86 *c, uint64_t addr)
{
    unsigned shift = x86_words_have(c->features, CPUID_7_0_ECX, CPUID_LA57) ? 7 : 16;

    return (uint64_t)((int64_t)(addr << shift) >> shift) == addr;
}

static bool fail(Walk *w, uint32_t error)
{
    const CpuX86 *c = w->c;
    bool nx_known = (c->efer & EFER_NXE) && (c->cr4 & CR4_PAE);

    w->error = error;
    if (w->access == ACCESS_WRITE)
        w->error |= PF_W;
    if (w->mmu == MMU_USER)
        w->error |= PF_U;
    if (w->access == ACCESS_EXEC && (nx_known || (c->cr4 & CR4_SMEP)))
        w->error |= PF_I;
    return false;
}

static bool has_pat(const CpuX86 *c)
{
    return x86_words_have(c->features, CPUID_1_EDX, CPUID_PAT);
}

/* Bits 21-13 of a 4 MiB page: PSE-36 has address bits 39-32 in 20-13, as far as the CPU has
 * those. */
static uint64_t reserved_of_4m(const CpuX86 *c)
{
    bool pse36 = x86_words_have(c->features, CPUID_1_EDX, CPUID_PSE36);
    unsigned high_bits = pse36 ? MIN(c->phys_bits, 40) - 32 : 0;

    return ((1u << 9) - (1u << high_bits)) << 13 | (has_pat(c) ? 0 : 1u << 12);
}

/* Read the entry at @at; false: not present or reserved bits are set. */
static bool fetch_entry(Walk *w, uint64_t at, uint64_t reserved, uint64_t *entry)
{
    at = pte_a20(w->c, at);
    *entry = cpu_phys_load(&w->c->cpu, at, w->entry_size);
    if (!(*entry & PTE_P))
        return fail(w, 0);
    if (*entry & reserved)
        return fail(w, PF_P | PF_RSVD);
    w->entry_at[w->depth] = at;
    w->entry[w->depth++] = *entry;
    w->rights &= *entry | PTE_NX;
    w->rights |= *entry & PTE_NX;
    return true;
}

static bool walk_32bit(Walk *w)
{
    const CpuX86 *c = w->c;
    uint64_t pde, pte;

    w->entry_size = 4;
    if (!fetch_entry(w, (c->cr3 & 0xfffff000) | ((w->addr >> 22 & 0x3ff) << 2), 0, &pde))
        return false;
    if ((pde & PTE_PS) && (c->cr4 & CR4_PSE)) {
        if (pde & reserved_of_4m(c))
            return fail(w, PF_P | PF_RSVD);
        w->frame = (pde & 0xffc00000) | (pde >> 13 & 0xff) << 32;
        w->page_size = 4 << 20;
        return true;
    }
    if (!fetch_entry(w, (pde & 0xfffff000) | ((w->addr >> 12 & 0x3ff) << 2),
                     (c->cr4 & CR4_PSE) && !has_pat(c) ? PTE_PAT : 0, &pte))
        return false;
    w->frame = pte & 0xfffff000;
    w->page_size = 4096;
    return true;
}

/* The levels that have 8-byte entries: @level 4 is the PML4 (3 the PDPT, 2 the page directory).
 * @table: its address. */
static bool walk_8byte(Walk *w, unsigned level, uint64_t table)
{
    const CpuX86 *c = w->c;
    uint64_t always_reserved = x86_phys_reserved(c);
    bool pat = has_pat(c), has_1g = x86_words_have(c->features, CPUID_80000001_EDX, CPUID_PDPE1GB);
    uint64_t entry;

    w->entry_size = 8;
    if (!(c->efer & EFER_NXE))
        always_reserved |= PTE_NX;
    if (!(c->efer & EFER_LMA))
        always_reserved |= 0x7ff0000000000000ull;
    for (;; level--) {
        unsigned shift = 12 + 9 * (level - 1);
        uint64_t reserved = always_reserved;

        if (level > 3 || (level == 3 && !has_1g))
            reserved |= PTE_PS;
        if (level == 1 && !pat)
            reserved |= PTE_PAT;
        if (!fetch_entry(w, table + ((w->addr >> shift & 0x1ff) << 3), reserved, &entry))
            return false;
        if (level == 1 || (entry & PTE_PS)) {
            uint64_t size = 1ull << shift;

            /* bit 12 of a large page is PAT; the rest below its size is reserved */
            if (level > 1 && (entry & PTE_ADDRESS & (size - 1) & ~(pat ? 0x1000ull : 0)))
                return fail(w, PF_P | PF_RSVD);
            w->frame = entry & PTE_ADDRESS & ~(size - 1);
            w->page_size = size;
            return true;
        }
        table = entry & PTE_ADDRESS;
    }
}

static bool walk_pae(Walk *w)
{
    uint64_t pdpte = w->c->pae_pdpte[w->addr >> 30 & 3];

    w->entry_size = 8;
    if (!(pdpte & PTE_P))
        return fail(w, 0);
    return walk_8byte(w, 2, pdpte & PTE_ADDRESS);
}

static bool walk_tables(Walk *w)
{
    const CpuX86 *c = w->c;

    w->depth = 0;
    w->rights = PTE_W | PTE_U;
    if (!(c->cr4 & CR4_PAE))
        return walk_32bit(w);
    if (!(c->efer & EFER_LMA))
        return walk_pae(w);
    return walk_8byte(w, c->cr4 & CR4_LA57 ? 5 : 4, c->cr3 & PTE_ADDRESS);
}

static uint8_t denied_by_key(const Walk *w)
{
    uint64_t leaf = w->entry[w->depth - 1];

    if (!w->probe && (w->c->cr4 & CR4_PKE) && (w->rights & PTE_U))
        w->c->keys_used |= 1u << (leaf >> 59 & 15);
    return pte_denied_by_key(w->c, w->rights, leaf, w->mmu);
}

/* For paging-quick.c: the table that the last entry came from. */
static void remember_table(const Walk *w)
{
    CpuX86 *c = w->c;
    X86Table *t = &c->tables[(w->addr >> 21) % X86_TABLES];
    const uint64_t *page;
    uint64_t rights = PTE_W | PTE_U;

    if (w->probe || !(c->efer & EFER_LMA) || !has_pat(c) || c->in_smm)
        return;
    page = (const uint64_t *)(const void *)cpu_phys_page(&c->cpu,
                                                         w->entry_at[w->depth - 1] & ~0xfffull);
    if (!page)
        return;
    for (unsigned i = 0; i < w->depth - 1; i++)
        rights = (rights & (w->entry[i] | PTE_NX)) | (w->entry[i] & PTE_NX);
    *t = (X86Table){ w->addr >> 21, rights, cpu_tlb_flushes(&c->cpu), page,
                     (unsigned)__builtin_ctzll(w->page_size) };
}

void x86_set_pkru(CpuX86 *c, uint32_t value)
{
    uint32_t changed = c->pkru ^ value;

    c->pkru = value;
    for (unsigned key = 0; key < 16; key++)
        if ((changed >> (2 * key) & 3) && (c->keys_used >> key & 1)) {
            c->keys_used = 0;
            cpu_tlb_flush_all(&c->cpu);
        }
}

/* Set accessed bits on the way and the dirty bit of the page; false: an entry has changed
 * meanwhile. */
static bool set_accessed_dirty(Walk *w)
{
    for (unsigned i = 0; i < w->depth; i++) {
        bool leaf = i == w->depth - 1;
        uint64_t want = w->entry[i] | PTE_A;

        if (leaf && w->access == ACCESS_WRITE)
            want |= PTE_D;
        if (want == w->entry[i])
            continue;
        if (!cpu_phys_cas(&w->c->cpu, w->entry_at[i], w->entry[i], want, w->entry_size))
            return false;
        w->entry[i] = want;
    }
    return true;
}

static bool translate(Walk *w, CpuPage *out)
{
    static const uint8_t need[] = {
        [ACCESS_READ] = PROT_R, [ACCESS_WRITE] = PROT_W, [ACCESS_EXEC] = PROT_X
    };
    uint64_t leaf;
    uint8_t prot, denied;

    do {
        if (!walk_tables(w))
            return false;
        denied = denied_by_key(w);
        prot = pte_allowed(w->c, w->rights, w->mmu) & ~denied;
        if (!w->probe && !(prot & need[w->access]))
            return fail(w, PF_P | (denied & need[w->access] ? PF_PK : 0));
    } while (!w->probe && !set_accessed_dirty(w));
    remember_table(w);
    leaf = w->entry[w->depth - 1];
    if (!(leaf & PTE_D))
        prot &= ~PROT_W;
    out->phys = pte_a20(w->c, w->frame | (w->addr & (w->page_size - 1) & ~0xfffull));
    out->unit_size = w->c->a20 ? w->page_size : 4096;
    out->prot = prot;
    out->global = (leaf & PTE_G) && (w->c->cr4 & CR4_PGE);
    return true;
}

static void identity(const CpuX86 *c, uint64_t addr, CpuPage *out)
{
    out->phys = pte_a20(c, addr & ~0xfffull);
    out->unit_size = addr < (1 << 20) || !c->a20 ? 4096 : 2 << 20;
    out->prot = PROT_R | PROT_W | PROT_X;
    out->global = false;
}

/* The access that translated code is just making, if @addr is in it, else NULL. */
static const SlowAccess *running_access(Cpu *cpu, uint64_t addr)
{
    const SlowAccess *s = &cpu_tail(cpu)->slow;

    return s->host_pc && addr - s->addr < s->size ? s : NULL;
}

static void not_canonical(CpuX86 *c, const SlowAccess *s)
{
    c->exception = s && (s->flags & MEM_STACK) ? EXCP_SS : EXCP_GP;
    c->error_code = 0;
}

static bool walk(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu, bool probe, CpuPage *out)
{
    CpuX86 *c = x86(cpu);
    Walk w = { .c = c, .addr = addr, .access = access, .mmu = mmu, .probe = probe };

    if (!(c->cr0 & CR0_PG)) {
        identity(c, addr, out);
        return true;
    }
    if ((c->efer & EFER_LMA) && !x86_is_canonical(c, addr)) {
        if (!probe)
            not_canonical(c, running_access(cpu, addr));
        return false;
    }
    if (translate(&w, out))
        return true;
    if (probe)
        return false;
    /* What a fault is about is not known any more (SDM vol. 3A, 4.10.4.1). */
    c->tables[(addr >> 21) % X86_TABLES].covers = UINT64_MAX;
    c->exception = EXCP_PF;
    c->error_code = w.error;
    c->fault_addr = addr;
    if ((c->efer & EFER_LMA) && access != ACCESS_EXEC) { /* addresses are checked whole, first */
        const SlowAccess *s = running_access(cpu, addr);
        if (s && !x86_is_canonical(c, s->addr + s->size - 1))
            not_canonical(c, s);
    }
    return false;
}

bool x86_walk(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu, bool probe, CpuPage *out)
{
    if (!(x86(cpu)->efer & EFER_LMA)) /* what lies over the end of 4 GiB is at their beginning */
        addr = (uint32_t)addr;
    if (!walk(cpu, addr, access, mmu, probe, out))
        return false;
    out->space = NULL;
    out->watched = x86_debug_watches_page(x86(cpu), addr);
    if (x86(cpu)->in_smm)
        x86_smm_split_page(x86(cpu), access, out);
    return true;
}

bool x86_load_pdptes(CpuX86 *c, uint64_t cr3)
{
    /* bits 1-2, 5-8 and those above the physical address width */
    uint64_t reserved = 0x1e6 | x86_phys_reserved(c) | 0xfff0000000000000ull;
    uint64_t pdpte[4];

    for (unsigned i = 0; i < 4; i++) {
        pdpte[i] = cpu_phys_load(&c->cpu, pte_a20(c, (cr3 & 0xffffffe0) + i * 8), 8);
        if ((pdpte[i] & PTE_P) && (pdpte[i] & reserved))
            return false;
    }
    for (unsigned i = 0; i < 4; i++)
        c->pae_pdpte[i] = pdpte[i];
    return true;
}
