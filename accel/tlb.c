/* SPDX-License-Identifier: MIT */
/*
 * Address translation caches of a CPU. The first level is what translated code probes: small,
 * direct-mapped, holding the current address space only. The second level is tagged: an entry
 * names its MMU index and address space and carries the generation at which it was entered, so
 * that forgetting an address space is one increment. Walks happen on second-level misses only.
 */
#include "accel/engine.h"
#include "accel/plugin/events.h"
#include "softmmu/log.h"
#include "softmmu/trace.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT_4M (4u << 20)
#define UNIT_1G (1u << 30)

Tlb *tlb_new(void)
{
    Tlb *t = mmap(NULL, sizeof(Tlb), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    g_assert(t != MAP_FAILED);
    t->global_gen = 1; /* zeroed entries have generation 0 and match nothing */
    for (unsigned i = 0; i < G_N_ELEMENTS(t->asid_gen); i++)
        t->asid_gen[i] = 1;
    return t;
}

void tlb_free(Tlb *t)
{
    if (t)
        munmap(t, sizeof(Tlb));
}

/* The pages of stacks are copies of what may not be in the first level any more. */
static void flush_stacks(Cpu *cpu)
{
    memset(&cpu->stack_head, 0, sizeof(cpu->stack_head));
    memset(cpu->run->tail->stack, 0, sizeof(cpu->run->tail->stack));
}

/* Empty the first-level slots named by @mask and forget that they were used. */
static void flush_l1(Cpu *cpu, uint64_t mask[TCG_MMU_MODES][TCG_TLB_SIZE / 64])
{
    CpuRun *run = cpu->run;
    Tlb *t = run->tlb;

    flush_stacks(cpu);
    for (unsigned mmu = 0; mmu < TCG_MMU_MODES; mmu++) {
        for (unsigned w = 0; w < TCG_TLB_SIZE / 64; w++) {
            uint64_t bits = mask[mmu][w];
            t->used[mmu][w] &= ~bits;
            t->nonglobal[mmu][w] &= ~bits;
            for (; bits; bits &= bits - 1) {
                unsigned slot = w * 64 + __builtin_ctzll(bits);
                l1_entry(run, mmu, false, slot)->tag = TLB_NONE;
                l1_entry(run, mmu, true, slot)->tag = TLB_NONE;
            }
        }
    }
}

static void flush_l1_nonglobal(Cpu *cpu)
{
    uint64_t mask[TCG_MMU_MODES][TCG_TLB_SIZE / 64];

    memcpy(mask, cpu->run->tlb->nonglobal, sizeof(mask));
    flush_l1(cpu, mask);
}

static void flush_l1_all(Cpu *cpu)
{
    uint64_t mask[TCG_MMU_MODES][TCG_TLB_SIZE / 64];

    memcpy(mask, cpu->run->tlb->used, sizeof(mask));
    flush_l1(cpu, mask);
}

/* ---- Large pages: INVLPG of any of its addresses forgets all of one ----------------------------
 *
 * The set holds numbers of 4 MiB and 1 GiB regions in which pages larger than 4 KiB were entered.
 */

static uint64_t large_key(uint64_t addr, uint64_t unit)
{
    return addr / unit << 1 | 1 | (uint64_t)(unit == UNIT_1G) << 63;
}

static uint64_t *large_place(Tlb *t, uint64_t addr, uint64_t unit)
{
    uint64_t key = large_key(addr, unit);
    unsigned i = (key * 0x9e3779b97f4a7c15ull) >> 32;

    for (;; i++) {
        uint64_t *at = &t->large[i % LARGE_SET];
        if (!*at || *at == key)
            return at;
    }
}

static bool large_has(Tlb *t, uint64_t addr, uint64_t unit)
{
    return *large_place(t, addr, unit);
}

static void large_add(Tlb *t, uint64_t addr, uint64_t unit)
{
    uint64_t *at = large_place(t, addr, unit);

    t->nlarge += !*at;
    *at = large_key(addr, unit);
}

static void large_clear(Tlb *t)
{
    if (t->nlarge)
        memset(t->large, 0, sizeof(t->large));
    t->nlarge = 0;
}

void cpu_tlb_flush_nonglobal(Cpu *cpu)
{
    Tlb *t = cpu->run->tlb;

    cpu->run->accel->stats.asid_flushes++;
    t->flushes++;
    for (unsigned i = 0; i < G_N_ELEMENTS(t->asid_gen); i++)
        t->asid_gen[i]++;
    flush_l1_nonglobal(cpu);
    jump_cache_forget_kernel(cpu);
    cpu_context_changed(cpu);
}

void cpu_tlb_flush_all(Cpu *cpu)
{
    Tlb *t = cpu->run->tlb;

    trace(tlb_flush, "cpu %u", cpu->run->common->index);
    cpu->run->accel->stats.tlb_flushes++;
    t->flushes++;
    for (unsigned i = 0; i < G_N_ELEMENTS(t->asid_gen); i++)
        t->asid_gen[i]++;
    t->global_gen++;
    large_clear(t);
    memset(t->ram_unit, 0, sizeof(t->ram_unit));
    flush_l1_all(cpu);
    jump_cache_clear(cpu);
    cpu_context_changed(cpu);
}

void cpu_tlb_flush_asid(Cpu *cpu, uint16_t asid)
{
    cpu->run->accel->stats.asid_flushes++;
    cpu->run->tlb->flushes++;
    cpu->run->tlb->asid_gen[asid & 4095]++;
    if (asid == cpu->run->common->asid)
        flush_l1_nonglobal(cpu);
    jump_cache_forget_kernel(cpu);
    cpu_context_changed(cpu);
}

void cpu_tlb_set_asid(Cpu *cpu, uint16_t asid)
{
    if (cpu->run->common->asid == asid)
        return;
    cpu->run->tlb->flushes++;
    flush_l1_nonglobal(cpu);
    jump_cache_forget_kernel(cpu);
    cpu->run->common->asid = asid & 4095;
    cpu_context_changed(cpu);
}

/* Does INVLPG mean this entry? @asid < 0: global ones and the current address space's. */
static bool is_meant(Cpu *cpu, const StlbEntry *e, int asid)
{
    if (asid >= 0)
        return !(e->flags & STLB_GLOBAL) && e->asid == asid;
    return (e->flags & STLB_GLOBAL) || e->asid == cpu->run->common->asid;
}

static void flush_4k(Cpu *cpu, uint64_t addr, int asid)
{
    StlbEntry *set = cpu->run->tlb->set[(addr >> PAGE_BITS) & (STLB_SETS - 1)];
    unsigned slot = (addr >> PAGE_BITS) & (TCG_TLB_SIZE - 1);

    for (unsigned i = 0; i < STLB_WAYS; i++) {
        if ((set[i].tag & PAGE_MASK) == (addr & PAGE_MASK) && is_meant(cpu, &set[i], asid))
            set[i].gen = 0;
    }
    flush_stacks(cpu);
    for (unsigned mmu = 0; mmu < TCG_MMU_MODES; mmu++)
        for (unsigned w = 0; w < 2; w++)
            l1_entry(cpu->run, mmu, w, slot)->tag = TLB_NONE;
}

/* Entries of a slot of the first level. */
static void flush_slot_of_unit(const CpuRun *run, unsigned mmu, unsigned slot, uint64_t addr,
                               uint64_t mask)
{
    for (unsigned w = 0; w < 2; w++) {
        TlbEntry *l1 = l1_entry(run, mmu, w, slot);
        if (((l1->tag ^ tlb_tag(addr)) & tlb_tag(mask)) == 0)
            l1->tag = TLB_NONE;
    }
}

/* Of the first level: slots in use that pages of the unit may have. */
static void flush_unit_l1(Cpu *cpu, uint64_t addr, uint64_t unit)
{
    const CpuRun *run = cpu->run;
    unsigned first = (addr & -unit) >> PAGE_BITS & (TCG_TLB_SIZE - 1);
    unsigned last = first + MIN(unit >> PAGE_BITS, TCG_TLB_SIZE);

    flush_stacks(cpu);
    for (unsigned mmu = 0; mmu < TCG_MMU_MODES; mmu++)
        for (unsigned w = first / 64; w < last / 64; w++)
            for (uint64_t bits = run->tlb->used[mmu][w]; bits; bits &= bits - 1)
                flush_slot_of_unit(run, mmu, w * 64 + __builtin_ctzll(bits), addr, -unit);
}

static void flush_unit(Cpu *cpu, uint64_t addr, uint64_t unit, int asid)
{
    StlbEntry *e = &cpu->run->tlb->set[0][0];
    uint64_t mask = ~(unit - 1);

    for (unsigned i = 0; i < STLB_SETS * STLB_WAYS; i++) {
        if (((e[i].tag ^ addr) & mask) == 0 && is_meant(cpu, &e[i], asid))
            e[i].gen = 0;
    }
    flush_unit_l1(cpu, addr, unit);
}

static void forget_page(Cpu *cpu, uint64_t addr, int asid)
{
    Tlb *t = cpu->run->tlb;
    uint64_t unit = large_has(t, addr, UNIT_1G)   ? UNIT_1G
                    : large_has(t, addr, UNIT_4M) ? UNIT_4M
                                                  : 0;

    if (unit)
        flush_unit(cpu, addr, unit, asid);
    else
        flush_4k(cpu, addr, asid);
    jump_cache_forget(cpu, addr, unit);
}

static void flush_page(Cpu *cpu, uint64_t addr, int asid)
{
    cpu->run->accel->stats.page_flushes++;
    cpu->run->tlb->flushes++;
    forget_page(cpu, addr, asid);
}

void cpu_tlb_flush_page(Cpu *cpu, uint64_t addr)
{
    flush_page(cpu, addr, -1);
}

void cpu_tlb_flush_page_asid(Cpu *cpu, uint64_t addr, uint16_t asid)
{
    flush_page(cpu, addr, asid & 4095);
}

/* What lies at physical page @p->phys: fills in the host side of @e. */
static void resolve_physical(Cpu *cpu, const CpuPage *p, uint64_t addr, StlbEntry *e)
{
    AddressSpace *space = p->space ? p->space : cpu->run->common->memory;
    const FlatRange *r = address_space_find(space, p->phys);
    uint64_t unit = p->phys & ~(uint64_t)(UNIT_LARGE - 1);

    if (!r || (r->region->kind != MEM_RAM && r->region->kind != MEM_ROM) ||
        p->phys + PAGE_SIZE > r->start + r->size) {
        e->flags |= STLB_IO;
        return;
    }
    if (r->region->kind == MEM_ROM)
        e->flags |= STLB_ROM;
    if (p->unit_size >= UNIT_LARGE && unit >= r->start && unit + UNIT_LARGE <= r->start + r->size)
        e->flags |= STLB_UNIT_LARGE;
    uint64_t at = r->region->ram_start + r->region_start + (p->phys - r->start);
    e->ram = r->region->ram->ram_offset + at;
    e->addend = (uint64_t)(uintptr_t)(r->region->ram->host + at) - (addr & PAGE_MASK);
    if (!p->space && r->region->kind == MEM_RAM && unit >= r->start &&
        unit + UNIT_LARGE <= r->start + r->size)
        cpu->run->tlb->ram_unit[(unit / UNIT_LARGE) % RAM_UNITS] = (RamUnit){
            .number = unit / UNIT_LARGE + 1,
            .host = (uint64_t)(uintptr_t)(r->region->ram->host + at) - (p->phys - unit),
            .ram = e->ram - (p->phys - unit),
        };
}

static StlbEntry *insert(Cpu *cpu, uint64_t addr, unsigned mmu, const CpuPage *p)
{
    Tlb *t = cpu->run->tlb;
    StlbEntry *e;

    if (t->nlarge > LARGE_SET / 4 * 3)
        cpu_tlb_flush_all(cpu);
    e = tlb_enter(cpu, addr, mmu, p);
    if (p->unit_size > PAGE_SIZE) {
        e->flags |= STLB_LARGE;
        large_add(t, addr, p->unit_size > UNIT_4M ? UNIT_1G : UNIT_4M);
    }
    resolve_physical(cpu, p, addr, e);
    return e;
}

static void log_walk(uint64_t addr, CpuAccess access, const CpuPage *page)
{
    if (page)
        log_printf("mmu: %s of %016" PRIx64 ": page %016" PRIx64 " of %" PRIx64 ", rights %x\n",
                   (const char *[]){ "read", "write", "fetch" }[access], addr, page->phys,
                   page->unit_size, page->prot);
    else
        log_printf("mmu: %s of %016" PRIx64 ": fault\n",
                   (const char *[]){ "read", "write", "fetch" }[access], addr);
}

static void tell_walk(Cpu *cpu, uint64_t addr, CpuAccess access, const CpuPage *page)
{
    MimusEvent e = { .kind = MIMUS_WALK };

    e.walk.vaddr = addr;
    e.walk.access = (uint8_t)access;
    e.walk.ok = page;
    e.walk.paddr = page ? page->phys : 0;
    e.walk.page_size = page ? page->unit_size : 0;
    cpu_tell(cpu, &e);
}

StlbEntry *tlb_resolve(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu)
{
    static const uint8_t need[] = {
        [ACCESS_READ] = PROT_R, [ACCESS_WRITE] = PROT_W, [ACCESS_EXEC] = PROT_X
    };
    StlbEntry *e = tlb_lookup(cpu, addr, mmu);
    CpuPage page = { 0 };

    if (e && (e->prot & need[access])) {
        cpu->run->tlb->hits++;
        return e;
    }
    cpu->run->tlb->walks++;
    bool ok = cpu->ops->walk(cpu, addr, access, mmu, false, &page);
    if (log_enabled(LOG_MMU))
        log_walk(addr, access, ok ? &page : NULL);
    if (cpu_tells(cpu->run->common, MIMUS_WALK))
        tell_walk(cpu, addr, access, ok ? &page : NULL);
    if (!ok) {
        forget_page(cpu, addr, -1); /* what a fault is about is not known any more, to anybody */
        return NULL;
    }
    return insert(cpu, addr, mmu, &page);
}

static void forget_stores_to(Cpu *cpu, uint64_t host)
{
    const CpuRun *run = cpu->run;

    flush_stacks(cpu);
    for (unsigned mmu = 0; mmu < TCG_MMU_MODES; mmu++) {
        for (unsigned w = 0; w < TCG_TLB_SIZE / 64; w++) {
            for (uint64_t bits = run->tlb->used[mmu][w]; bits; bits &= bits - 1) {
                TlbEntry *e = l1_entry(run, mmu, true, w * 64 + __builtin_ctzll(bits));
                if (e->tag != TLB_NONE && (e->tag << PAGE_BITS) + e->addend == host)
                    e->tag = TLB_NONE;
            }
        }
    }
}

void tlb_watch_ram_page(Accel *a, uint64_t ram_page)
{
    uint64_t host;

    if (!a->tbs.stored[ram_page >> PAGE_BITS])
        return;
    a->tbs.stored[ram_page >> PAGE_BITS] = 0;
    host = (uint64_t)(uintptr_t)accel_ram_host(a, ram_page);
    for (unsigned n = 0; n < a->cpus->len; n++)
        forget_stores_to(a->cpus->pdata[n], host);
}

void tlb_forget_stores(Accel *a)
{
    for (unsigned n = 0; n < a->cpus->len; n++) {
        Cpu *cpu = a->cpus->pdata[n];

        flush_stacks(cpu);
        for (unsigned mmu = 0; mmu < TCG_MMU_MODES; mmu++)
            for (unsigned w = 0; w < TCG_TLB_SIZE / 64; w++)
                for (uint64_t bits = cpu->run->tlb->used[mmu][w]; bits; bits &= bits - 1)
                    l1_entry(cpu->run, mmu, true, w * 64 + __builtin_ctzll(bits))->tag = TLB_NONE;
    }
}

void tlb_flush(Cpu *cpu)
{
    cpu_tlb_flush_all(cpu);
}
