/* SPDX-License-Identifier: MIT */
/*
 * The first stop of a TLB miss: refill the first level from the second. Compiled for general
 * registers only and calling nothing outside this file, so that translated code keeps its vector
 * state in registers across it.
 */
#include "accel/guest-mem.h"
#include "accel/engine.h"
#include "accel/plugin/events.h"
#include "softmmu/log.h"

StlbEntry *tlb_lookup(Cpu *cpu, uint64_t addr, unsigned mmu)
{
    Tlb *t = cpu->run->tlb;
    uint16_t asid = cpu->run->common->asid;
    uint64_t tag = (addr & PAGE_MASK) | mmu;
    StlbEntry *set = t->set[(addr >> PAGE_BITS) & (STLB_SETS - 1)];

    for (unsigned i = 0; i < STLB_WAYS; i++) {
        StlbEntry *e = &set[i];
        if (e->tag != tag)
            continue;
        if (e->flags & STLB_GLOBAL ? e->gen == t->global_gen
                                   : e->asid == asid && e->gen == t->asid_gen[asid])
            return e;
    }
    return NULL;
}

StlbEntry *tlb_enter(Cpu *cpu, uint64_t addr, unsigned mmu, const CpuPage *p)
{
    Tlb *t = cpu->run->tlb;
    unsigned n = (addr >> PAGE_BITS) & (STLB_SETS - 1);
    StlbEntry *e = tlb_lookup(cpu, addr, mmu);

    if (!e)
        e = &t->set[n][t->victim[n]++ % STLB_WAYS];
    *e = (StlbEntry){
        .tag = (addr & PAGE_MASK) | mmu,
        .asid = cpu->run->common->asid,
        .gen = p->global ? t->global_gen : t->asid_gen[cpu->run->common->asid],
        .prot = p->prot,
        .phys = p->phys,
        .flags = (p->global ? STLB_GLOBAL : 0) |
                 (p->watched || engine_watches_page(cpu->run->accel, addr) ? STLB_WATCHED : 0),
    };
    return e;
}

/* By the architecture's memory of an earlier walk, into RAM. */
static StlbEntry *walk_quick(Cpu *cpu, uint64_t addr, bool write, unsigned mmu)
{
    CpuPage page;
    const RamUnit *u;
    StlbEntry *e;

    if (cpu_tells(cpu->run->common, MIMUS_WALK) || log_enabled(LOG_MMU) || !cpu->ops->walk_quick ||
        !cpu->ops->walk_quick(cpu, addr, write, mmu, &page))
        return NULL;
    u = &cpu->run->tlb->ram_unit[(page.phys / UNIT_LARGE) % RAM_UNITS];
    if (u->number != page.phys / UNIT_LARGE + 1)
        return NULL;
    e = tlb_enter(cpu, addr, mmu, &page);
    e->ram = u->ram + page.phys % UNIT_LARGE;
    e->addend = u->host + page.phys % UNIT_LARGE - (addr & PAGE_MASK);
    if (page.unit_size >= UNIT_LARGE) /* a walk has entered it in the set of large pages */
        e->flags |= STLB_LARGE | STLB_UNIT_LARGE;
    cpu->run->tlb->walks++;
    return e;
}

/* The entry that allows @access, if it can be had here. */
static const StlbEntry *find_entry(Cpu *cpu, uint64_t addr, bool write, unsigned mmu)
{
    const StlbEntry *e = tlb_lookup(cpu, addr, mmu);

    return e && (e->prot & (write ? PROT_W : PROT_R)) ? e : walk_quick(cpu, addr, write, mmu);
}

void tlb_fill_l1(Cpu *cpu, uint64_t addr, const StlbEntry *e, CpuAccess access, unsigned mmu)
{
    Tlb *t = cpu->run->tlb;
    unsigned slot = (addr >> PAGE_BITS) & (TCG_TLB_SIZE - 1);
    TlbEntry *l1 = l1_entry(cpu->run, mmu, access == ACCESS_WRITE, slot);

    l1->tag = tlb_tag(addr);
    l1->addend = e->addend;
    if (access == ACCESS_WRITE) {
        cpu->run->accel->tbs.stored[e->ram >> PAGE_BITS] = 1;
        cpu->run->accel->written[e->ram >> PAGE_BITS] = 1;
    }
    t->used[mmu][slot / 64] |= 1ull << (slot % 64);
    if (!(e->flags & STLB_GLOBAL))
        t->nonglobal[mmu][slot / 64] |= 1ull << (slot % 64);
}

/* May translated code itself do such accesses to this page? */
static bool is_plain(Cpu *cpu, const StlbEntry *e, bool write)
{
    if (e->flags & (STLB_IO | STLB_WATCHED))
        return false;
    if (!write)
        return e->prot & PROT_R;
    return (e->prot & PROT_W) && !(e->flags & STLB_ROM) &&
           !tb_page_has_code(&cpu->run->accel->tbs, e->ram);
}

/* Apart, that hits are without a stack frame. */
static __attribute__((noinline)) uint8_t *pointer_after_miss(Cpu *cpu, uint64_t addr,
                                                             CpuAccess access, unsigned mmu)
{
    bool write = access == ACCESS_WRITE;
    const StlbEntry *e = find_entry(cpu, addr, write, mmu);

    if (!e || !is_plain(cpu, e, write))
        return NULL;
    tlb_fill_l1(cpu, addr, e, access, mmu);
    return cpu_quick_pointer(cpu, addr, access, mmu);
}

uint8_t *cpu_quick_pointer(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu)
{
    const TlbEntry *l1 =
        l1_entry(cpu->run, mmu, access == ACCESS_WRITE, (addr >> PAGE_BITS) & (TCG_TLB_SIZE - 1));

    if (G_UNLIKELY(cpu->run->watch_accesses))
        return NULL;
    if (l1->tag != tlb_tag(addr))
        return pointer_after_miss(cpu, addr, access, mmu);
    return (uint8_t *)(uintptr_t)(addr + l1->addend);
}

bool tlb_refill(void *env)
{
    Cpu *cpu = env;
    const SlowAccess *s = &cpu->run->tail->slow;
    unsigned mmu = s->flags & MEM_MMU_MASK;
    const StlbEntry *e;

    if ((s->addr & (PAGE_SIZE - 1)) + s->size > PAGE_SIZE)
        return false;
    if ((s->flags & MEM_ALIGN) && (s->addr & (s->size - 1)))
        return false;
    e = find_entry(cpu, s->addr, s->is_write, mmu);
    if (!e || !is_plain(cpu, e, s->is_write))
        return false;
    cpu->run->tlb->refills++;
    tlb_fill_l1(cpu, s->addr, e, s->is_write ? ACCESS_WRITE : ACCESS_READ, mmu);
    return true;
}

/* A store to a page that has code, but not where this goes. */
void *tlb_direct(void *env)
{
    Cpu *cpu = env;
    const SlowAccess *s = &cpu->run->tail->slow;
    unsigned in_page = s->addr & (PAGE_SIZE - 1);
    const StlbEntry *e;
    CodePage *page;

    if (!s->is_write || in_page + s->size > PAGE_SIZE ||
        ((s->flags & MEM_ALIGN) && (s->addr & (s->size - 1))))
        return NULL;
    e = tlb_lookup(cpu, s->addr, s->flags & MEM_MMU_MASK);
    if (!e || !(e->prot & PROT_W) || (e->flags & (STLB_IO | STLB_ROM | STLB_WATCHED)) ||
        tb_touches_code(&cpu->run->accel->tbs, e->ram | in_page, s->size))
        return NULL;
    cpu->run->accel->stats.beside_code++;
    cpu->run->accel->written[e->ram >> PAGE_BITS] = 1;
    page = cpu->run->accel->tbs.pages[e->ram >> PAGE_BITS];
    if (page && s->op != OP_probe) {
        if (page->epoch == cpu->run->accel->tbs.epoch && page->heat == HEAT_LIMIT - HEAT_BESIDE)
            return NULL; /* the slow path is to note that it becomes hot */
        tb_heat_page(&cpu->run->accel->tbs, page, HEAT_BESIDE);
    }
    return (void *)(uintptr_t)(s->addr + e->addend);
}

/* No call: the C library's would use vector registers. */
static void copy(uint8_t *to, const uint8_t *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        to[i] = from[i];
        __asm__ volatile("" : : : "memory");
    }
}

bool tlb_across(void *env)
{
    Cpu *cpu = env;
    SlowAccess *s = &cpu->run->tail->slow;
    unsigned mmu = s->flags & MEM_MMU_MASK, first = PAGE_SIZE - (s->addr & (PAGE_SIZE - 1));
    CpuAccess access = s->is_write ? ACCESS_WRITE : ACCESS_READ;
    uint64_t second = s->addr + first;
    uint8_t *bytes = (uint8_t *)s->value, *host[2];

    if (first >= s->size || (s->flags & (MEM_ALIGN | MEM_LOCK)) || !(uint32_t)second)
        return false; /* at the end of an address space it may go on at its begin */
    host[0] = cpu_quick_pointer(cpu, s->addr, access, mmu);
    host[1] = host[0] ? cpu_quick_pointer(cpu, second, access, mmu) : NULL;
    if (!host[1])
        return false;
    if (s->is_write) {
        copy(host[0], bytes, first);
        copy(host[1], bytes + first, s->size - first);
    } else {
        copy(bytes, host[0], first);
        copy(bytes + first, host[1], s->size - first);
    }
    return true;
}
