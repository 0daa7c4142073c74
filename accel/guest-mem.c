/* SPDX-License-Identifier: MIT */
/*
 * Guest memory from C: the slow path of translated code's accesses, and the accessors of helpers.
 * Everything that the inline check cannot do ends here: MMIO, page crossing, stores to pages with
 * code, ROM, faults.
 */
#include "accel/guest-mem.h"
#include "accel/engine.h"
#include "tcg/lanes.h"

#include <string.h>

/* One side of a page boundary. */
typedef struct Part {
    uint8_t *host; /* NULL: MMIO */
    uint64_t phys, ram;
    uint32_t len;
    bool rom, watched;
} Part;

static Part resolve_part(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, unsigned mmu)
{
    StlbEntry *e = tlb_resolve(cpu, addr, access, mmu);
    Part p = { .len = len };

    if (!e) {
        cpu_sync_state(cpu);
        cpu->ops->raise_fault(cpu);
    }
    p.phys = e->phys | (addr & (PAGE_SIZE - 1));
    p.watched = e->flags & STLB_WATCHED;
    if (!(e->flags & STLB_IO)) {
        p.host = (uint8_t *)(uintptr_t)(addr + e->addend);
        p.ram = e->ram | (addr & (PAGE_SIZE - 1));
        p.rom = e->flags & STLB_ROM;
    }
    return p;
}

static void tell_watcher(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, bool probe)
{
    debug_access(cpu, addr, len, access, probe);
    cpu->ops->watched(cpu, addr, len, access, probe);
}

/* Addresses are checked whole, whatever their parts meet: a helper's access into a second page says
 * what it is. */
static void announce(Cpu *cpu, uint64_t addr, uint32_t len, unsigned mmu)
{
    SlowAccess *s = &cpu->run->tail->slow;

    if (s->addr == addr && s->size == len)
        return;
    s->addr = addr;
    s->size = len;
    s->flags = (uint16_t)mmu;
}

/* Resolve [@addr, +@len), len <= 4096, into one or two parts; faults are raised before any of it
 * is touched. @probe: the access itself comes later. */
static unsigned resolve(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, unsigned mmu,
                        bool probe, Part part[2])
{
    uint32_t room = PAGE_SIZE - (addr & (PAGE_SIZE - 1));
    uint64_t next = len > room ? cpu->ops->wrap_linear(cpu, addr + room) : 0;

    if (len > room)
        announce(cpu, addr, len, mmu);
    part[0] = resolve_part(cpu, addr, MIN(len, room), access, mmu);
    if (len > room)
        part[1] = resolve_part(cpu, next, len - room, access, mmu);
    if (part[0].watched)
        tell_watcher(cpu, addr, MIN(len, room), access, probe);
    if (len <= room)
        return 1;
    if (part[1].watched)
        tell_watcher(cpu, next, len - room, access, probe);
    return 2;
}

/* A store to [@ram, +@len) is about to happen. If the running block itself is hit and goes on
 * after the storing instruction, that instruction is run again on its own. */
static void before_store(Cpu *cpu, uint64_t ram, uint32_t len)
{
    Accel *a = cpu->run->accel;
    CodePage *page = a->tbs.pages[ram >> PAGE_BITS];
    uint64_t host_pc = cpu->run->tail->slow.host_pc, n = ram >> PAGE_BITS;
    uint32_t heat = HEAT_BESIDE;
    TcgCode *code;

    a->written[n] = 1;
    if (!page || !page->granules)
        return;
    if (page->granules & tb_granules(ram, len)) {
        code = host_pc ? tcg_find_code(a->tcg, host_pc) : NULL;
        if (code && code->ninsns > 1 && tb_overlaps(code->user, ram, len))
            cpu_restart_single(cpu);
        tb_invalidate(&a->tbs, ram, len);
        heat = HEAT_INVALIDATES;
        page = a->tbs.pages[n]; /* it goes with the last monitored granule */
    }
    if (page && tb_heat_page(&a->tbs, page, heat)) {
        g_array_append_val(a->tbs.hot, n);
        cpu_look(cpu); /* the slice may be long, and a counted one is */
    }
}

/* For devices an access is one moment, before which whatever was due has been done: they may rely
 * on that, as nothing takes time in a counted run. */
static void begin_device_access(const Accel *a)
{
    if (a->icount_shift >= 0)
        return;
    clock_hold(a->machine->clock);
    clock_run_expired(a->machine->clock);
}

static void end_device_access(const Accel *a)
{
    if (a->icount_shift < 0)
        clock_release(a->machine->clock);
}

uint64_t cpu_device_load(Cpu *cpu, AddressSpace *space, uint64_t addr, unsigned size)
{
    uint64_t value;

    begin_device_access(cpu->run->accel);
    value = address_space_read(space, addr, size);
    end_device_access(cpu->run->accel);
    return value;
}

void cpu_device_store(Cpu *cpu, AddressSpace *space, uint64_t addr, uint64_t value, unsigned size)
{
    begin_device_access(cpu->run->accel);
    address_space_write(space, addr, value, size);
    end_device_access(cpu->run->accel);
}

static bool is_device(Cpu *cpu, uint64_t addr, unsigned mmu)
{
    const StlbEntry *e = tlb_lookup(cpu, addr, mmu);

    return e && (e->flags & STLB_IO);
}

void cpu_pass_access_time(Cpu *cpu, uint64_t addr, unsigned size, unsigned mmu)
{
    uint64_t room = PAGE_SIZE - (addr & (PAGE_SIZE - 1));

    if (is_device(cpu, addr, mmu) ||
        (size > room && is_device(cpu, cpu->ops->wrap_linear(cpu, addr + room), mmu)))
        cpu_pass_time(cpu, DEVICE_NS);
}

static void read_part(Cpu *cpu, const Part *p, uint8_t *buf)
{
    if (p->host) {
        memcpy(buf, p->host, p->len);
        return;
    }
    for (uint32_t i = 0; i < p->len;) {
        uint32_t left = p->len - i;
        unsigned size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        uint64_t v = cpu_device_load(cpu, cpu->run->common->memory, p->phys + i, size);
        guest_put(buf + i, v, size);
        i += size;
    }
}

static void write_part(Cpu *cpu, const Part *p, const uint8_t *buf)
{
    if (p->host && !p->rom) {
        before_store(cpu, p->ram, p->len);
        memcpy(p->host, buf, p->len);
        return;
    }
    for (uint32_t i = 0; i < p->len;) {
        uint32_t left = p->len - i;
        unsigned size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        cpu_device_store(cpu, cpu->run->common->memory, p->phys + i, guest_get(buf + i, size),
                         size);
        i += size;
    }
}

static void read_parts(Cpu *cpu, const Part *p, unsigned n, void *buf)
{
    read_part(cpu, &p[0], buf);
    if (n == 2)
        read_part(cpu, &p[1], (uint8_t *)buf + p[0].len);
}

static void write_parts(Cpu *cpu, const Part *p, unsigned n, const void *buf)
{
    /* Both parts may hit the running block: ask before the first byte moves. */
    if (n == 2 && p[0].host && p[1].host && !p[0].rom && !p[1].rom) {
        before_store(cpu, p[0].ram, p[0].len);
        before_store(cpu, p[1].ram, p[1].len);
    }
    write_part(cpu, &p[0], buf);
    if (n == 2)
        write_part(cpu, &p[1], (const uint8_t *)buf + p[0].len);
}

/* ---- The slow path of translated code ------------------------------------------------------- */

static uint64_t combine(uint32_t op, uint64_t old, const SlowAccess *s, uint64_t *result)
{
    uint64_t b = s->value[0], v = old;

    switch (op) {
    case OP_rmw_add:
    case OP_rmw_xadd: v = old + b; break;
    case OP_rmw_sub: v = old - b; break;
    case OP_rmw_and: v = old & b; break;
    case OP_rmw_or: v = old | b; break;
    case OP_rmw_xor: v = old ^ b; break;
    case OP_rmw_xchg: v = b; break;
    case OP_rmw_cas: {
        uint64_t mask = s->size == 8 ? ~0ull : (1ull << (s->size * 8)) - 1;
        v = ((old ^ s->compare) & mask) == 0 ? b : old;
        break;
    }
    default: g_assert_not_reached();
    }
    *result = op == OP_rmw_xadd || op == OP_rmw_xchg || op == OP_rmw_cas ? old : v;
    return v;
}

static SlowKind slow_kind(Cpu *cpu, const SlowAccess *s, const Part *p, unsigned n)
{
    if (n == 2)
        return SLOW_CROSSING;
    if (!p->host)
        return SLOW_IO;
    if (p->watched)
        return SLOW_WATCHED;
    if (s->is_write && p->rom)
        return SLOW_ROM;
    if (s->is_write && tb_page_has_code(&cpu->run->accel->tbs, p->ram))
        return SLOW_CODE;
    return SLOW_MISS;
}

/* Under counting, what a device does at an access (interrupts, deadlines) comes after that very
 * instruction, wherever blocks begin and end: it gets a block of its own. */
static void end_block_after_io(Cpu *cpu, const SlowAccess *s)
{
    Accel *a = cpu->run->accel;
    TcgCode *code = s->host_pc ? tcg_find_code(a->tcg, s->host_pc) : NULL;
    uint32_t offset, index;
    Tb *tb;

    if (!code || code->ninsns == 1)
        return;
    tcg_restore_state(a->tcg, code, s->host_pc, cpu, &offset, &index);
    if (code->ninsns - index == 1)
        return;
    tb = code->user;
    cpu_sync_state(cpu);
    if (tb != cpu->run->private_tb && !tb->retired && !tb->straddles) {
        tb_note_io(&a->tbs, (tb->ram & PAGE_MASK) | (offset & (PAGE_SIZE - 1)));
        tb_retire(&a->tbs, tb);
    }
    cpu_restart_single(cpu);
}

void guest_mem_slow(void *env)
{
    Cpu *cpu = env;
    SlowAccess *s = &cpu->run->tail->slow;
    unsigned mmu = s->flags & MEM_MMU_MASK;
    uint8_t bytes[sizeof(s->value)];
    Part part[2];
    bool counted_io;
    uint64_t v;
    unsigned n;

    if ((s->flags & MEM_ALIGN) && (s->addr & (s->size - 1)))
        cpu->ops->misaligned(cpu, s);
    n = resolve(cpu, s->addr, s->size, s->is_write ? ACCESS_WRITE : ACCESS_READ, mmu,
                s->op == OP_probe, part);
    counted_io = cpu->run->accel->icount_shift >= 0 && s->op != OP_probe &&
                 (!part[0].host || (n == 2 && !part[1].host));
    if (counted_io)
        end_block_after_io(cpu, s);
    cpu->run->accel->stats.slow[slow_kind(cpu, s, part, n)]++;
    switch (s->op) {
    case OP_probe: break;
    case OP_ld:
        memset(s->value, 0, sizeof(s->value));
        read_parts(cpu, part, n, bytes);
        words_from_guest(s->value, bytes, s->size);
        break;
    case OP_st:
        words_to_guest(bytes, s->value, s->size);
        write_parts(cpu, part, n, bytes);
        break;
    default:
        read_parts(cpu, part, n, bytes);
        v = combine(s->op, guest_get(bytes, s->size), s, s->value);
        guest_put(bytes, v, s->size);
        write_parts(cpu, part, n, bytes);
        break;
    }
    if (counted_io)
        cpu_pass_time(cpu, DEVICE_NS);
}

/* ---- For helpers ---------------------------------------------------------------------------- */

static void tell_plugins(Cpu *cpu, uint64_t addr, const void *value, uint32_t len, bool write)
{
    for (uint32_t i = 0; i < len && cpu->run->watch_accesses; i += 8)
        plugin_access(cpu, addr + i, (const uint8_t *)value + i, MIN(len - i, 8), write);
}

static void forewarn_plugins(Cpu *cpu, uint64_t addr, const void *value, uint32_t len, bool write)
{
    for (uint32_t i = 0; i < len && cpu->run->watch_before; i += 8)
        plugin_before_access(cpu, addr + i, value ? (const uint8_t *)value + i : NULL,
                             MIN(len - i, 8), write);
}

uint64_t cpu_load(Cpu *cpu, uint64_t addr, unsigned size, unsigned mmu)
{
    const TlbEntry *e = l1_entry(cpu->run, mmu, false, (addr >> PAGE_BITS) & (TCG_TLB_SIZE - 1));
    uint8_t bytes[8] = { 0 };
    Part part[2];

    forewarn_plugins(cpu, addr, NULL, size, false);
    if (e->tag == tlb_tag(addr + size - 1)) {
        memcpy(bytes, (void *)(uintptr_t)(addr + e->addend), size);
    } else {
        unsigned n = resolve(cpu, addr, size, ACCESS_READ, mmu, false, part);
        read_parts(cpu, part, n, bytes);
    }
    tell_plugins(cpu, addr, bytes, size, false);
    return guest_get(bytes, 8);
}

void cpu_store(Cpu *cpu, uint64_t addr, uint64_t value, unsigned size, unsigned mmu)
{
    const TlbEntry *e = l1_entry(cpu->run, mmu, true, (addr >> PAGE_BITS) & (TCG_TLB_SIZE - 1));
    uint8_t bytes[8];
    Part part[2];

    guest_put(bytes, value, 8);
    forewarn_plugins(cpu, addr, bytes, size, true);
    if (e->tag == tlb_tag(addr + size - 1)) {
        memcpy((void *)(uintptr_t)(addr + e->addend), bytes, size);
    } else {
        unsigned n = resolve(cpu, addr, size, ACCESS_WRITE, mmu, false, part);
        write_parts(cpu, part, n, bytes);
    }
    tell_plugins(cpu, addr, bytes, size, true);
}

static uint32_t left_in_page(uint64_t addr, uint32_t len)
{
    return MIN(len, PAGE_SIZE - (uint32_t)(addr & (PAGE_SIZE - 1)));
}

/* Behind @n bytes at @addr, the last of what is in its page or not. */
static uint64_t behind(Cpu *cpu, uint64_t addr, uint32_t n)
{
    return (addr + n) & (PAGE_SIZE - 1) ? addr + n : cpu->ops->wrap_linear(cpu, addr + n);
}

void cpu_load_bytes(Cpu *cpu, uint64_t addr, void *buf, uint32_t len, unsigned mmu)
{
    uint8_t *to = buf;

    if (left_in_page(addr, len) < len)
        announce(cpu, addr, len, mmu);
    while (len) {
        uint32_t part = left_in_page(addr, len);
        Part p[2];
        forewarn_plugins(cpu, addr, NULL, part, false);
        resolve(cpu, addr, part, ACCESS_READ, mmu, false, p);
        read_part(cpu, p, to);
        tell_plugins(cpu, addr, to, part, false);
        addr = behind(cpu, addr, part);
        to += part;
        len -= part;
    }
}

void cpu_store_bytes(Cpu *cpu, uint64_t addr, const void *buf, uint32_t len, unsigned mmu)
{
    const uint8_t *from = buf;

    if (left_in_page(addr, len) < len)
        announce(cpu, addr, len, mmu);
    while (len) {
        uint32_t part = left_in_page(addr, len);
        Part p[2];
        forewarn_plugins(cpu, addr, from, part, true);
        resolve(cpu, addr, part, ACCESS_WRITE, mmu, false, p);
        write_part(cpu, p, from);
        tell_plugins(cpu, addr, from, part, true);
        addr = behind(cpu, addr, part);
        from += part;
        len -= part;
    }
}

void cpu_probe(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, unsigned mmu)
{
    Part part[2];

    g_assert(len > 0 && len <= PAGE_SIZE);
    unsigned n = resolve(cpu, addr, len, access, mmu, true, part);
    for (unsigned i = 0; i < n && access == ACCESS_WRITE; i++) {
        if (part[i].host && !part[i].rom)
            before_store(cpu, part[i].ram, part[i].len);
    }
}

uint8_t *cpu_host_pointer(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu)
{
    Part p = resolve_part(cpu, addr, 1, access, mmu);

    if (p.watched || (cpu->run->watch_accesses && !plugin_takes_elements(cpu)))
        return NULL;
    if (access == ACCESS_WRITE && p.host &&
        (p.rom || tb_page_has_code(&cpu->run->accel->tbs, p.ram)))
        return NULL;
    if (access == ACCESS_WRITE && p.host)
        cpu->run->accel->written[p.ram >> PAGE_BITS] = 1;
    return p.host;
}

bool cpu_is_empty(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu)
{
    Part p = resolve_part(cpu, addr, 1, access, mmu);

    return !p.host && !p.watched && !cpu->run->watch_accesses && !cpu->run->watch_before &&
           address_space_is_empty(cpu->run->common->memory, p.phys & PAGE_MASK, PAGE_SIZE);
}

bool cpu_wants_elements(Cpu *cpu)
{
    return cpu->run->watch_accesses && plugin_takes_elements(cpu);
}

void cpu_tell_elements(Cpu *cpu, const CpuElements *e)
{
    if (cpu->run->watch_accesses && e->n)
        plugin_elements(cpu, e);
}

/* ---- Physical ------------------------------------------------------------------------------- */

static uint8_t *phys_host(Cpu *cpu, uint64_t phys, unsigned size, uint64_t *ram)
{
    const FlatRange *r = address_space_find(cpu->run->common->memory, phys);
    uint64_t at;

    if (!r || (r->region->kind != MEM_RAM && r->region->kind != MEM_ROM) ||
        phys + size > r->start + r->size)
        return NULL;
    at = r->region->ram_start + r->region_start + (phys - r->start);
    if (ram)
        *ram = r->region->kind == MEM_ROM ? UINT64_MAX : r->region->ram->ram_offset + at;
    return r->region->ram->host + at;
}

uint64_t cpu_phys_load(Cpu *cpu, uint64_t phys, unsigned size)
{
    const uint8_t *host = phys_host(cpu, phys, size, NULL);

    if (!host)
        return address_space_read(cpu->run->common->memory, phys, size);
    return guest_get(host, size);
}

const uint8_t *cpu_phys_page(Cpu *cpu, uint64_t phys)
{
    return phys_host(cpu, phys, PAGE_SIZE, NULL);
}

typedef uint64_t Entry64 __attribute__((aligned(8))); /* i386 lays the type at any 4 */

bool cpu_phys_cas(Cpu *cpu, uint64_t phys, uint64_t old, uint64_t value, unsigned size)
{
    uint64_t ram;
    uint8_t *host = phys_host(cpu, phys, size, &ram);

    if (!host) {
        address_space_write(cpu->run->common->memory, phys, value, size);
        return true;
    }
    if (ram == UINT64_MAX)
        return true; /* page tables in ROM: the write goes nowhere */
    cpu->run->accel->written[ram >> PAGE_BITS] = 1;
    if (tb_touches_code(&cpu->run->accel->tbs, ram, size))
        tb_invalidate(&cpu->run->accel->tbs, ram, size);
    if (size == 4) {
        uint32_t expected = GUINT32_TO_LE((uint32_t)old);
        return __atomic_compare_exchange_n((uint32_t *)host, &expected,
                                           GUINT32_TO_LE((uint32_t)value), false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
    old = GUINT64_TO_LE(old);
    value = GUINT64_TO_LE(value);
    return __atomic_compare_exchange_n((Entry64 *)host, &old, value, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

bool cpu_peek(Cpu *cpu, uint64_t addr, void *buf, uint32_t len)
{
    for (uint32_t done = 0; done < len;) {
        uint32_t part = MIN(len - done, PAGE_SIZE - (uint32_t)((addr + done) & (PAGE_SIZE - 1)));
        CpuPage page;
        if (!cpu->ops->walk(cpu, addr + done, ACCESS_READ, 0, true, &page))
            return false;
        address_space_read_bytes(cpu->run->common->memory,
                                 page.phys | ((addr + done) & (PAGE_SIZE - 1)),
                                 (uint8_t *)buf + done, part);
        done += part;
    }
    return true;
}
