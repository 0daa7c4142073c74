/* SPDX-License-Identifier: MIT */
/*
 * REP string instructions: runs within pages and segment limits by host pointers, single elements
 * where a page is not plain memory, where an element crosses a page, in expand-down segments. RCX,
 * RSI and RDI are committed before every access that may fault, so that faults are precise; one
 * call moves at most STRING_CALL_BYTES. Flags of CMPS and SCAS are always those of the last
 * comparison, as AMD's processors have them when an element faults (Intel's have those from before
 * the instruction).
 */
#include "target-i386/help.h"

#include <string.h>

#include "tcg/lanes.h"

enum { PAGE = 4096 };

typedef struct Rep {
    CpuX86 *c;
    uint32_t how;
    unsigned log2, size; /* of an element */
    IrType asize;
    unsigned seg; /* of the source */
    unsigned mmu;
    bool backward;
    bool flat_src, flat_dst; /* no limit checks */
    uint64_t budget;         /* elements left in this call */
    uint64_t shown;          /* goes_alone(): 1 + page */
} Rep;

static uint64_t address_mask(const Rep *r)
{
    return r->asize == I64 ? UINT64_MAX : r->asize == I32 ? UINT32_MAX : UINT16_MAX;
}

static uint64_t reg_read(const Rep *r, unsigned reg)
{
    return r->c->regs[reg] & address_mask(r);
}

static void reg_write(Rep *r, unsigned reg, uint64_t v)
{
    if (r->asize == I16)
        v = (r->c->regs[reg] & ~UINT64_C(0xffff)) | (uint16_t)v;
    r->c->regs[reg] = r->asize == I32 ? (uint32_t)v : v;
}

static bool segment_unchecked(const CpuX86 *c, unsigned seg)
{
    uint32_t mode = c->mode;
    if (mode & X86_MODE_CS64)
        return true;
    if (seg == SEG_CS)
        return false;
    return (mode & X86_MODE_NO_LIMIT) || (seg < SEG_FS && (mode & X86_MODE_SEG_FLAT)) ||
           (seg == SEG_SS && (mode & X86_MODE_SS_FLAT));
}

static Rep rep_begin(CpuX86 *c, uint32_t how)
{
    Rep r = { .c = c, .how = how };
    r.log2 = (how >> STRING_SIZE_SHIFT) & 3;
    r.size = 1u << r.log2;
    r.asize = (IrType)((how >> STRING_ASIZE_SHIFT) & 15);
    r.seg = (how >> STRING_SEG_SHIFT) & 7;
    r.mmu = x86_mmu(c);
    r.backward = c->eflags & EFL_DF;
    r.flat_src = segment_unchecked(c, r.seg);
    r.flat_dst = segment_unchecked(c, SEG_ES);
    r.budget = how & STRING_SINGLE ? 1 : string_call_elements(reg_read(&r, R_RCX), r.log2);
    return r;
}

static uint64_t place(const Rep *r, unsigned seg, unsigned reg, bool write)
{
    const CpuX86 *c = r->c;
    uint64_t ea = reg_read(r, reg);
    if (!(seg == SEG_ES ? r->flat_dst : r->flat_src))
        return x86_segment_address(r->c, seg, ea, r->size, write);
    if (c->mode & X86_MODE_CS64)
        return seg >= SEG_FS ? c->segs[seg].base + ea : ea;
    return (uint32_t)(c->segs[seg].base + ea);
}

/* Linear address of the element at @reg of @seg. */
static uint64_t linear(const Rep *r, unsigned seg, unsigned reg, bool write)
{
    uint64_t addr = place(r, seg, reg, write);

    x86_check_alignment(r->c, addr, r->size);
    return addr;
}

/* How many elements from @addr on (in the direction of DF) lie within its page and before the
 * address registers wrap: at least 0 (the element crosses the page). */
static uint64_t run_in_page(const Rep *r, uint64_t addr, unsigned reg)
{
    uint64_t in_page = addr & (PAGE - 1), ea = reg_read(r, reg);
    if (in_page + r->size > PAGE)
        return 0;
    if (r->backward)
        return (MIN(in_page, ea) >> r->log2) + 1;
    return (MIN(PAGE - 1 - in_page, address_mask(r) - ea) + 1) >> r->log2;
}

/* How many elements from the one at @reg on, which has been checked, @seg's limit allows. */
static uint64_t run_in_segment(const Rep *r, unsigned seg, unsigned reg)
{
    const Segment *s = &r->c->segs[seg];
    if ((seg == SEG_ES ? r->flat_dst : r->flat_src))
        return UINT64_MAX;
    if ((s->attr & (ATTR_CODE | ATTR_EC)) == ATTR_EC)
        return 1; /* expand-down */
    return r->backward ? UINT64_MAX : (s->limit - reg_read(r, reg) + 1) >> r->log2;
}

/* Elements that may be moved in one go from @addr: by page and by segment; 0 or 1: one by one. */
static uint64_t run_length(const Rep *r, uint64_t addr, unsigned seg, unsigned reg)
{
    return MIN(run_in_page(r, addr, reg), run_in_segment(r, seg, reg));
}

static void advance(Rep *r, unsigned reg, uint64_t n)
{
    uint64_t bytes = n << r->log2;
    reg_write(r, reg, reg_read(r, reg) + (r->backward ? -bytes : bytes));
}

static void count_down(Rep *r, uint64_t n)
{
    reg_write(r, R_RCX, reg_read(r, R_RCX) - n);
    r->budget -= n;
}

/* ---- For plugins ------------------------------------------------------------------------------
 */

static int64_t element_step(const Rep *r)
{
    return r->backward ? -(int64_t)r->size : r->size;
}

static void tell_one(Rep *r, uint64_t n, uint64_t addr, const uint8_t *host, bool write)
{
    CpuElements e = { { { addr, host, write } }, 1, r->size, element_step(r), n };

    cpu_tell_elements(&r->c->cpu, &e);
}

static void tell_two(Rep *r, uint64_t n, uint64_t first, uint64_t second, const uint8_t *host,
                     const uint8_t *host_second, bool write)
{
    CpuElements e = {
        { { first, host }, { second, host_second, write } }, 2, r->size, element_step(r), n
    };

    cpu_tell_elements(&r->c->cpu, &e);
}

/* Plugins are told of an element's first access even where its second one, @at, faults: for them
 * the first element in a page goes by itself. */
static bool goes_alone(Rep *r, uint64_t at)
{
    bool alone = at / PAGE + 1 != r->shown && cpu_wants_elements(&r->c->cpu);

    r->shown = at / PAGE + 1;
    return alone;
}

/* ---- MOVS STOS LODS ------------------------------------------------------------------------- */

/* A forward copy may overlap so that what it wrote is read again (a pattern fill): then the
 * elements must move in order. */
static void copy_forward(uint8_t *dst, const uint8_t *src, uint64_t bytes, unsigned size)
{
    uint64_t gap = (uint64_t)(dst - src);
    if (gap == 0 || gap >= bytes) {
        memmove(dst, src, bytes);
        return;
    }
    if (gap >= size && gap % size == 0) { /* the pattern of @gap bytes, doubled as it grows */
        for (uint64_t done = 0; done < bytes;) {
            uint64_t n = MIN(gap + done, bytes - done);
            memmove(dst + done, src, n);
            done += n;
        }
        return;
    }
    for (uint64_t at = 0; at < bytes; at += size)
        memmove(dst + at, src + at, size);
}

static void copy_backward(uint8_t *dst, const uint8_t *src, uint64_t n, unsigned size)
{
    /* dst and src are the last elements; element k lies size * k below */
    uint64_t bytes = n * size;
    const uint8_t *low_src = src + size - bytes;
    uint8_t *low_dst = dst + size - bytes;
    uint64_t gap = (uint64_t)(src - dst);
    if (gap == 0 || gap >= bytes) { /* nothing written is read again */
        memmove(low_dst, low_src, bytes);
        return;
    }
    for (uint64_t at = bytes; at > 0; at -= size)
        memmove(low_dst + at - size, low_src + at - size, size);
}

static void move_one(Rep *r, uint64_t src, uint64_t dst)
{
    Cpu *cpu = &r->c->cpu;
    cpu_store(cpu, dst, cpu_load(cpu, src, r->size, r->mmu), r->size, r->mmu);
}

/* @n elements, of which source or destination is a page where nothing is. */
static bool move_empty(Rep *r, uint64_t n, uint64_t src, const uint8_t *from, uint64_t dst)
{
    Cpu *cpu = &r->c->cpu;
    uint8_t *to;

    if (from)
        return cpu_is_empty(cpu, dst, ACCESS_WRITE, r->mmu);
    if (!cpu_is_empty(cpu, src, ACCESS_READ, r->mmu))
        return false;
    to = cpu_host_pointer(cpu, dst, ACCESS_WRITE, r->mmu);
    if (to)
        memset(r->backward ? to - (n - 1) * r->size : to, 0xff, n * r->size);
    return to || cpu_is_empty(cpu, dst, ACCESS_WRITE, r->mmu);
}

static uint64_t move_run(Rep *r, uint64_t n)
{
    Cpu *cpu = &r->c->cpu;
    uint64_t src = linear(r, r->seg, R_RSI, false), dst = linear(r, SEG_ES, R_RDI, true);
    n = MIN(n, MIN(run_length(r, src, r->seg, R_RSI), run_length(r, dst, SEG_ES, R_RDI)));
    bool several = n > 1 && !goes_alone(r, dst);
    uint8_t *from = several ? cpu_host_pointer(cpu, src, ACCESS_READ, r->mmu) : NULL;
    uint8_t *to = from ? cpu_host_pointer(cpu, dst, ACCESS_WRITE, r->mmu) : NULL;
    if (!to && several && move_empty(r, n, src, from, dst)) {
        /* there they are, or nowhere */
    } else if (!to) {
        move_one(r, src, dst);
        n = 1;
    } else {
        if (r->backward)
            copy_backward(to, from, n, r->size);
        else
            copy_forward(to, from, n * r->size, r->size);
        tell_two(r, n, src, dst, to, to, true);
    }
    advance(r, R_RSI, n);
    advance(r, R_RDI, n);
    return n;
}

/* The pattern is built once, then laid down by copies that double. */
static void fill(uint8_t *to, uint64_t value, uint64_t n, unsigned size)
{
    uint64_t bytes = n * size, done = 64;
    uint8_t block[64];

    if (size == 1 || value == 0) {
        memset(to, (int)(value & 0xff), bytes);
        return;
    }
    value = size == 8   ? value
            : size == 4 ? (uint32_t)value * 0x100000001ull
                        : (uint16_t)value * 0x1000100010001ull;
    for (unsigned k = 0; k < sizeof(block); k += 8)
        guest_put(block + k, value, 8);
    if (bytes <= sizeof(block)) {
        memcpy(to, block, bytes);
        return;
    }
    memcpy(to, block, sizeof(block));
    for (; done < bytes; done *= 2)
        memcpy(to + done, to, MIN(done, bytes - done));
}

static uint64_t fill_run(Rep *r, uint64_t n)
{
    Cpu *cpu = &r->c->cpu;
    uint64_t dst = linear(r, SEG_ES, R_RDI, true), value = r->c->regs[R_RAX];
    n = MIN(n, run_length(r, dst, SEG_ES, R_RDI));
    uint8_t *to = n > 1 ? cpu_host_pointer(cpu, dst, ACCESS_WRITE, r->mmu) : NULL;
    if (!to && n > 1 && cpu_is_empty(cpu, dst, ACCESS_WRITE, r->mmu)) {
        /* nowhere to store */
    } else if (!to) {
        cpu_store(cpu, dst, value, r->size, r->mmu);
        n = 1;
    } else {
        fill(r->backward ? to - (n - 1) * r->size : to, value, n, r->size);
        tell_one(r, n, dst, to, true);
    }
    advance(r, R_RDI, n);
    return n;
}

/* Only the last element of a run is left to see. */
static uint64_t lods_run(Rep *r, uint64_t n)
{
    uint64_t src = linear(r, r->seg, R_RSI, false);

    n = MIN(n, run_length(r, src, r->seg, R_RSI));
    const uint8_t *from = n < 2 ? NULL : cpu_host_pointer(&r->c->cpu, src, ACCESS_READ, r->mmu);
    if (!from)
        return 0;
    tell_one(r, n - 1, src, from, false);
    advance(r, R_RSI, n - 1);
    return n - 1;
}

static uint64_t load_one(Rep *r)
{
    CpuX86 *c = r->c;
    uint64_t src = linear(r, r->seg, R_RSI, false);
    uint64_t v = cpu_load(&c->cpu, src, r->size, r->mmu), *rax = &c->regs[R_RAX];
    if (r->size >= 4)
        *rax = v;
    else
        *rax = (*rax & ~((UINT64_C(1) << (8 * r->size)) - 1)) | v;
    advance(r, R_RSI, 1);
    return 1;
}

uint32_t help_string_move(CpuX86 *c, uint32_t how)
{
    Rep r = rep_begin(c, how);
    uint64_t left;
    while ((left = reg_read(&r, R_RCX)) && r.budget) {
        uint64_t n = MIN(left, r.budget);
        switch ((StringOp)(how & STRING_OP)) {
        case STRING_MOVS: n = move_run(&r, n); break;
        case STRING_STOS: n = fill_run(&r, n); break;
        default: n = lods_run(&r, n), n += load_one(&r); break;
        }
        count_down(&r, n);
    }
    return left == 0;
}

/* ---- SCAS CMPS ------------------------------------------------------------------------------ */

static uint64_t element(const uint8_t *p, unsigned log2)
{
    switch (log2) {
    case 0: return *p;
    case 1: return guest_get(p, 2);
    case 2: return guest_get(p, 4);
    default: return guest_get(p, 8);
    }
}

/* Number of leading elements of @p that compare equal to (REPE) or differ from (REPNE) @value. */
static uint64_t scan(const Rep *r, const uint8_t *p, uint64_t n, uint64_t value)
{
    int64_t step = r->backward ? -(int64_t)r->size : r->size;
    bool repne = r->how & STRING_REPNE;
    if (r->size == 1 && repne && !r->backward) {
        const uint8_t *hit = memchr(p, (int)(value & 0xff), n);
        return hit ? (uint64_t)(hit - p) : n;
    }
    for (uint64_t k = 0; k < n; k++, p += step) {
        if ((element(p, r->log2) == value) == repne)
            return k;
    }
    return n;
}

/* Number of leading bytes that are the same in both. */
static uint64_t equal_bytes(const uint8_t *a, const uint8_t *b, uint64_t n)
{
    enum { BLOCK = 256 };
    uint64_t k = 0;

    while (k + BLOCK <= n && !memcmp(a + k, b + k, BLOCK))
        k += BLOCK;
    for (; k + 8 <= n; k += 8) {
        uint64_t differ = element(a + k, 3) ^ element(b + k, 3);
        if (differ)
            return k + (unsigned)__builtin_ctzll(differ) / 8;
    }
    while (k < n && a[k] == b[k])
        k++;
    return k;
}

static uint64_t cut(const Rep *r, uint64_t v)
{
    return r->size == 8 ? v : v & ((UINT64_C(1) << (8 * r->size)) - 1);
}

/* Passes over elements that do not end the loop, fast; the last of the run is always left to the
 * caller, who compares it one by one and so gets the flags. */
static uint64_t scas_run(Rep *r, uint64_t n)
{
    uint64_t dst = linear(r, SEG_ES, R_RDI, false);
    n = MIN(n, run_length(r, dst, SEG_ES, R_RDI));
    if (n < 4)
        return 0;
    uint8_t *p = cpu_host_pointer(&r->c->cpu, dst, ACCESS_READ, r->mmu);
    if (!p)
        return 0;
    uint64_t passed = scan(r, p, n - 1, cut(r, r->c->regs[R_RAX]));
    tell_one(r, passed, dst, p, false);
    advance(r, R_RDI, passed);
    return passed;
}

static uint64_t cmps_run(Rep *r, uint64_t n)
{
    uint64_t src, dst = linear(r, SEG_ES, R_RDI, false);
    const uint8_t *a, *b;

    n = MIN(n, run_length(r, dst, SEG_ES, R_RDI));
    b = n < 4 ? NULL : cpu_host_pointer(&r->c->cpu, dst, ACCESS_READ, r->mmu);
    if (!b)
        return 0;
    src = linear(r, r->seg, R_RSI, false);
    n = MIN(n, run_length(r, src, r->seg, R_RSI));
    a = n < 4 || goes_alone(r, src) ? NULL : cpu_host_pointer(&r->c->cpu, src, ACCESS_READ, r->mmu);
    if (!a)
        return 0;
    bool repne = r->how & STRING_REPNE;
    int64_t step = r->backward ? -(int64_t)r->size : r->size;
    uint64_t k = 0;
    if (!repne && !r->backward)
        k = equal_bytes(a, b, (n - 1) << r->log2) >> r->log2;
    else
        while (k < n - 1 && (element(a + step * (int64_t)k, r->log2) ==
                             element(b + step * (int64_t)k, r->log2)) != repne)
            k++;
    tell_two(r, k, dst, src, b, a, false);
    advance(r, R_RSI, k);
    advance(r, R_RDI, k);
    return k;
}

/* True if the two are equal. */
static bool compare_one(Rep *r, bool cmps)
{
    Cpu *cpu = &r->c->cpu;
    uint64_t a = cut(r, r->c->regs[R_RAX]);
    uint64_t b = cpu_load(cpu, linear(r, SEG_ES, R_RDI, false), r->size, r->mmu);
    if (cmps) {
        a = cpu_load(cpu, linear(r, r->seg, R_RSI, false), r->size, r->mmu);
        advance(r, R_RSI, 1);
    }
    advance(r, R_RDI, 1);
    count_down(r, 1);
    cpu->cc = (FlagsRecord){ .kind = flags_kind(FLK_CMP, (IrType)(I8 + r->log2)), .a = a, .b = b };
    return a == b;
}

/* What ES:DI faults for comes before what DS:SI does, but for REPE CMPSB: AMD's processors have it
 * so. */
uint32_t help_string_compare(CpuX86 *c, uint32_t how)
{
    Rep r = rep_begin(c, how);
    bool cmps = (how & STRING_OP) == STRING_CMPS, repne = how & STRING_REPNE;
    uint64_t left;
    while ((left = reg_read(&r, R_RCX)) && r.budget) {
        uint64_t n = MIN(left, r.budget);
        if (cmps && !repne && r.size == 1)
            cpu_probe(&c->cpu, linear(&r, r.seg, R_RSI, false), 1, ACCESS_READ, r.mmu);
        count_down(&r, cmps ? cmps_run(&r, n) : scas_run(&r, n));
        if (compare_one(&r, cmps) == repne)
            return 1;
    }
    return left == 0;
}
