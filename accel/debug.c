/* SPDX-License-Identifier: MIT */
/*
 * Breakpoints: blocks end before each place in a page at which there is a breakpoint in any page
 * (code is known by physical address, breakpoints by linear), and no block jumps to such a place by
 * itself, so that the execution loop comes by and compares. Watchpoints: their pages stay out of
 * the first-level TLB; a hit in a block of many instructions makes that instruction run again,
 * alone, and the stop follows it.
 *
 * What a device writes (DMA) hits a watchpoint where page tables have it at that moment.
 *
 * Missing: reads by devices and page walks are not watched, nor other linear addresses of the same
 * memory. A repeated string instruction stops when it has ended or been interrupted.
 */
#include "accel/debug.h"

#include <string.h>

#include "accel/engine.h"

#define POINTS_MAX 4096

static bool is_watch(const DebugPoint *p)
{
    return p->kinds & (DEBUG_READ | DEBUG_WRITE);
}

static unsigned find(const EngineDebug *d, const DebugPoint *p)
{
    unsigned i = 0;

    while (i < d->npoints && (d->points[i].addr != p->addr || d->points[i].len != p->len ||
                              d->points[i].kinds != p->kinds || d->points[i].tag != p->tag))
        i++;
    return i;
}

static void flush_tlbs(Accel *a)
{
    for (unsigned i = 0; i < a->cpus->len; i++)
        tlb_flush(a->cpus->pdata[i]);
}

static void add_split(EngineDebug *d, uint64_t addr)
{
    d->splits[(addr & (PAGE_SIZE - 1)) / 64] |= 1ull << (addr % 64);
    d->has_splits = true;
}

/* As blocks must be made anew, they need not end where breakpoints used to be. */
static void remake_splits(Accel *a)
{
    EngineDebug *d = &a->debug;

    memset(d->splits, 0, sizeof(d->splits));
    d->has_splits = false;
    for (unsigned i = 0; i < d->npoints; i++)
        if (d->points[i].kinds & DEBUG_EXEC)
            add_split(d, d->points[i].addr);
    accel_flush_code(a);
}

bool debug_insert(Accel *a, const DebugPoint *p)
{
    EngineDebug *d = &a->debug;

    if (find(d, p) < d->npoints)
        return true;
    if (d->npoints == POINTS_MAX)
        return false;
    d->points = g_renew(DebugPoint, d->points, d->npoints + 1);
    d->points[d->npoints++] = *p;
    if (is_watch(p)) {
        d->nwatches++;
        flush_tlbs(a);
    }
    if ((p->kinds & DEBUG_EXEC) && !engine_splits_at(a, p->addr))
        remake_splits(a);
    return true;
}

/* Blocks stay as short as they are: debuggers take all points out at each stop and put them back.
 */
bool debug_remove(Accel *a, const DebugPoint *p)
{
    EngineDebug *d = &a->debug;
    unsigned i = find(d, p);

    if (i == d->npoints)
        return false;
    d->npoints--;
    memmove(d->points + i, d->points + i + 1, (d->npoints - i) * sizeof(DebugPoint));
    if (is_watch(p)) {
        d->nwatches--;
        flush_tlbs(a);
    }
    return true;
}

void debug_forget(Accel *a)
{
    EngineDebug *d = &a->debug;
    bool watched = d->nwatches;

    d->npoints = d->nwatches = 0;
    remake_splits(a);
    if (watched)
        flush_tlbs(a);
    d->stop = (DebugStop){ 0 };
    for (unsigned i = 0; i < a->cpus->len; i++)
        debug_set_run(a, i, DEBUG_GO, false);
}

void debug_set_run(Accel *a, unsigned cpu, DebugRun run, bool skips)
{
    CpuRun *r = accel_cpu(a, cpu)->run;

    r->debug_run = run;
    r->debug_skips = skips;
}

void debug_set_step_rules(Accel *a, bool no_irq, bool no_timer)
{
    a->debug.step_no_irq = no_irq;
    a->debug.step_no_timer = no_timer;
}

bool debug_take_stop(Accel *a, DebugStop *out)
{
    *out = a->debug.stop;
    a->debug.stop.why = DEBUG_NOTHING;
    return out->why != DEBUG_NOTHING;
}

void debug_end(Accel *a)
{
    a->debug.stop = (DebugStop){ .why = DEBUG_END };
    machine_request(a->machine, REQUEST_DEBUG);
}

/* ---- For the engine -------------------------------------------------------------------------- */

bool debug_breaks(Cpu *cpu, uint64_t linear)
{
    EngineDebug *d = &cpu->run->accel->debug;

    if (cpu->run->debug_skips || d->quiet)
        return false;
    for (unsigned i = 0; i < d->npoints; i++) {
        if ((d->points[i].kinds & DEBUG_EXEC) && d->points[i].addr == linear) {
            d->stop = (DebugStop){ .why = DEBUG_BREAKPOINT,
                                   .cpu = cpu->run->common->index,
                                   .point = d->points[i],
                                   .addr = linear };
            return true;
        }
    }
    return false;
}

static const DebugPoint *find_hit(const EngineDebug *d, uint64_t addr, uint32_t len, unsigned kind)
{
    for (unsigned i = 0; i < d->npoints; i++) {
        const DebugPoint *p = &d->points[i];
        if ((p->kinds & kind) && (addr - p->addr < p->len || p->addr - addr < len))
            return p;
    }
    return NULL;
}

/* The stop follows the instruction. */
static void note_hit(Cpu *cpu, const DebugPoint *p, uint64_t addr)
{
    CpuRun *run = cpu->run;

    if (run->debug_hit)
        return;
    run->debug_hit = true;
    if (cpu->budget > 0) { /* the instruction may jump on by itself */
        run->debug_kept += cpu->budget;
        run->granted -= cpu->budget;
        cpu->budget = 0;
    }
    run->debug_hit_point = *p;
    run->debug_hit_addr = addr;
}

void debug_access(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, bool probe)
{
    CpuRun *run = cpu->run;
    EngineDebug *d = &run->accel->debug;
    unsigned kind = access == ACCESS_WRITE ? DEBUG_WRITE : access == ACCESS_READ ? DEBUG_READ : 0;
    const DebugPoint *p = find_hit(d, addr, len, kind);
    uint64_t host_pc = run->tail->slow.host_pc;
    TcgCode *code;

    if (!p || d->quiet)
        return;
    code = host_pc ? tcg_find_code(run->accel->tcg, host_pc) : NULL;
    if (code && code->ninsns > 1)
        cpu_restart_single(cpu);
    if (!probe)
        note_hit(cpu, p, MAX(addr, p->addr));
}

/* Where linear address @addr lies in the machine's numbering of RAM. */
static bool find_ram(Cpu *cpu, uint64_t addr, uint64_t *ram)
{
    CpuPage page = { 0 };
    const FlatRange *r;
    uint64_t phys;

    if (!cpu->ops->walk(cpu, addr, ACCESS_READ, 0, true, &page))
        return false;
    phys = page.phys | (addr & (PAGE_SIZE - 1));
    r = address_space_find(page.space ? page.space : cpu->run->common->memory, phys);
    if (!r || r->region->kind != MEM_RAM)
        return false;
    *ram = r->region->ram->ram_offset + r->region->ram_start + r->region_start + (phys - r->start);
    return true;
}

/* The first byte of @p among the @len at @ram. */
static bool find_written(Cpu *cpu, const DebugPoint *p, uint64_t ram, uint64_t len, uint64_t *addr)
{
    for (uint64_t done = 0, part; done < p->len; done += part) {
        uint64_t at;

        *addr = p->addr + done;
        part = MIN(p->len - done, PAGE_SIZE - (*addr & (PAGE_SIZE - 1)));
        if (!find_ram(cpu, *addr, &at) || at + part <= ram || ram + len <= at)
            continue;
        *addr += ram > at ? ram - at : 0;
        return true;
    }
    return false;
}

void debug_dma(Accel *a, uint64_t ram, uint64_t len)
{
    EngineDebug *d = &a->debug;
    Cpu *cpu = accel_current_cpu(a);
    uint64_t addr;

    for (unsigned i = 0; i < d->npoints && !d->writing && !d->quiet; i++) {
        const DebugPoint *p = &d->points[i];

        if (!(p->kinds & DEBUG_WRITE) || !find_written(cpu, p, ram, len, &addr))
            continue;
        if (a->current)
            note_hit(cpu, p, addr);
        else if (d->stop.why == DEBUG_NOTHING) /* before the next instruction */
            d->stop = (DebugStop){ DEBUG_WATCHPOINT, cpu->run->common->index, *p, addr };
        return;
    }
}

void debug_settle(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    DebugStop *stop = &run->accel->debug.stop;

    run->debug_skips = false;
    if (run->debug_hit)
        *stop = (DebugStop){ .why = DEBUG_WATCHPOINT,
                             .cpu = run->common->index,
                             .point = run->debug_hit_point,
                             .addr = run->debug_hit_addr };
    else if (run->debug_run == DEBUG_STEP)
        *stop = (DebugStop){ .why = DEBUG_STEPPED, .cpu = run->common->index };
    run->debug_hit = false;
}

bool debug_masks_interrupts(const Cpu *cpu)
{
    const CpuRun *run = cpu->run;
    const uint32_t masked = CPU_INT_HARD | CPU_INT_NMI | CPU_INT_SMI;

    return run->debug_run == DEBUG_STEP && run->accel->debug.step_no_irq && !run->common->halted &&
           !(cpu->interrupt_request & ~masked);
}

bool debug_stills_time(const Accel *a)
{
    bool stepping = false;

    if (!a->debug.step_no_timer)
        return false;
    for (unsigned i = 0; i < a->cpus->len; i++) {
        const CpuRun *run = ((Cpu *)a->cpus->pdata[i])->run;
        if (run->debug_run == DEBUG_GO || (run->debug_run == DEBUG_STEP && run->common->halted))
            return false;
        stepping |= run->debug_run == DEBUG_STEP;
    }
    return stepping;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Calls @act for each page's part; false where one is not memory that it may be. */
static bool for_parts(Cpu *cpu, uint64_t addr, uint32_t len, bool write,
                      void (*act)(AddressSpace *as, uint64_t phys, uint8_t *buf, uint32_t len),
                      uint8_t *buf)
{
    for (uint32_t done = 0; done < len;) {
        uint32_t in_page = (addr + done) & (PAGE_SIZE - 1),
                 part = MIN(len - done, PAGE_SIZE - in_page);
        CpuPage page = { 0 };
        const FlatRange *r;
        AddressSpace *as;

        if (!cpu->ops->walk(cpu, addr + done, ACCESS_READ, 0, true, &page))
            return false;
        as = page.space ? page.space : cpu->run->common->memory;
        for (uint32_t i = 0; i < part;
             i += MIN(part - i, r->start + r->size - (page.phys + in_page + i))) {
            r = address_space_find(as, page.phys + in_page + i);
            if (!r || (r->region->kind != MEM_RAM && (write || r->region->kind != MEM_ROM)))
                return false;
        }
        if (act)
            act(as, page.phys + in_page, buf + done, part);
        done += part;
    }
    return true;
}

static void read_part(AddressSpace *as, uint64_t phys, uint8_t *buf, uint32_t len)
{
    address_space_read_bytes(as, phys, buf, len);
}

static void write_part(AddressSpace *as, uint64_t phys, uint8_t *buf, uint32_t len)
{
    address_space_write_bytes(as, phys, buf, len);
}

bool debug_read(Cpu *cpu, uint64_t addr, void *buf, uint32_t len)
{
    return for_parts(cpu, addr, len, false, read_part, buf);
}

bool debug_write(Cpu *cpu, uint64_t addr, const void *buf, uint32_t len)
{
    EngineDebug *d = &cpu->run->accel->debug;
    bool good;

    d->writing = true;
    good = for_parts(cpu, addr, len, true, NULL, NULL) &&
           for_parts(cpu, addr, len, true, write_part, (uint8_t *)buf);
    d->writing = false;
    return good;
}

bool debug_try(Cpu *cpu, void (*act)(Cpu *cpu, void *opaque), void *opaque)
{
    CpuCommon *common = cpu->run->common;

    if (common->exception_pending)
        return false;
    if (setjmp(cpu->run->jump)) {
        common->exception_pending = false;
        return false;
    }
    act(cpu, opaque);
    return true;
}
