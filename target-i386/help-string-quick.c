/* SPDX-License-Identifier: MIT */
/*
 * REP string instructions of 64-bit code while translated code's vector registers are live:
 * forward, in pages that the TLB holds. All else, overlapping moves, and on hosts without masks
 * long scans, which their vectors do faster, are left to help-string.c, which goes on from where
 * the registers stand.
 */
#include "target-i386/help.h"
#include "target-i386/host-mask.h"

enum { PAGE = 4096, SCAN_ELEMENTS = 64, WORDS_BELOW = 256, VECTORS_BELOW = PAGE };

/* Fixed sizes of access to bytes of any alignment. */
typedef struct __attribute__((packed)) Any {
    union {
        uint8_t b;
        uint16_t w;
        uint32_t d;
        uint64_t q;
    };
} Any;

static uint64_t load(const uint8_t *p, unsigned log2)
{
    const Any *a = (const Any *)p;

    switch (log2) {
    case 0: return a->b;
    case 1: return GUINT16_FROM_LE(a->w);
    case 2: return GUINT32_FROM_LE(a->d);
    default: return GUINT64_FROM_LE(a->q);
    }
}

static void store(uint8_t *p, unsigned log2, uint64_t v)
{
    Any *a = (Any *)p;

    switch (log2) {
    case 0: a->b = (uint8_t)v; break;
    case 1: a->w = GUINT16_TO_LE((uint16_t)v); break;
    case 2: a->d = GUINT32_TO_LE((uint32_t)v); break;
    default: a->q = GUINT64_TO_LE(v);
    }
}

/* Up to 15 bytes by two accesses that may overlap. */
static void copy_few(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
    unsigned log2 = bytes >= 8 ? 3 : bytes >= 4 ? 2 : 1;
    uint64_t a, b;

    if (bytes == 1) {
        *to = *from;
        return;
    }
    a = load(from, log2);
    b = load(from + bytes - (1u << log2), log2);
    store(to, log2, a);
    store(to + bytes - (1u << log2), log2, b);
}

/* The last 16 bytes are read first: @to may be below @from and overlap. */
static void copy_up(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
    uint8_t *last = to + bytes - 16;
    uint64_t a, b, x, y;

#if defined(__x86_64__)
    if (mask_has()) {
        mask_copy(to, from, bytes);
        return;
    }
    if (bytes >= WORDS_BELOW) {
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
        return;
    }
#endif
    if (bytes < 16) {
        copy_few(to, from, bytes);
        return;
    }
    a = load(from + bytes - 16, 3);
    b = load(from + bytes - 8, 3);
    for (; to < last; to += 16, from += 16) {
        x = load(from, 3);
        y = load(from + 8, 3);
        store(to, 3, x);
        store(to + 8, 3, y);
    }
    store(last, 3, a);
    store(last + 8, 3, b);
}

/* @v: the element in all of eight bytes; @bytes are whole elements. */
static void fill_up(uint8_t *to, uint64_t v, uint64_t bytes)
{
    unsigned log2 = bytes >= 8 ? 3 : bytes >= 4 ? 2 : bytes >= 2 ? 1 : 0;
    uint8_t *last = to + bytes - (1u << log2);

#if defined(__x86_64__)
    if (mask_has() && bytes < VECTORS_BELOW) {
        mask_fill(to, v, bytes);
        return;
    }
    if (bytes >= WORDS_BELOW) { /* fetches no lines that it overwrites; slow to start */
        uint64_t words = bytes / 8;
        __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(v) : "memory");
        to = last;
    }
#endif
    store(to, log2, v);
    for (to += 8; to < last; to += 8)
        store(to, 3, v);
    store(last, log2, v);
}

static bool is_simple(const CpuX86 *c, uint32_t how)
{
    return (how & STRING_PLAIN) && !(c->eflags & EFL_DF);
}

/* Elements from @addr to the end of its page. */
static uint64_t run(uint64_t addr, unsigned log2)
{
    return (PAGE - (addr & (PAGE - 1))) >> log2;
}

/* An element, part of which may be in the next page. */
typedef struct Divided {
    uint8_t *part[2];
    unsigned first; /* bytes of part[0] */
} Divided;

static bool divide(CpuX86 *c, uint64_t addr, unsigned size, CpuAccess access, unsigned mmu,
                   Divided *d)
{
    uint64_t second = (addr | (PAGE - 1)) + 1;

    d->first = MIN(size, (unsigned)(second - addr));
    d->part[0] = cpu_quick_pointer(&c->cpu, addr, access, mmu);
    d->part[1] = d->part[0];
    if (d->first < size)
        d->part[1] = (uint32_t)second ? cpu_quick_pointer(&c->cpu, second, access, mmu) : NULL;
    return d->part[0] && d->part[1];
}

static uint8_t *byte_of(const Divided *d, unsigned i)
{
    return i < d->first ? &d->part[0][i] : &d->part[1][i - d->first];
}

/* One element, where source or destination crosses a page. 1: done. */
static uint64_t move_across(CpuX86 *c, unsigned mmu, unsigned log2, bool fill)
{
    uint64_t *r = c->regs, v = r[R_RAX];
    unsigned size = 1u << log2;
    Divided from, to;

    if ((!fill && !divide(c, r[R_RSI], size, ACCESS_READ, mmu, &from)) ||
        !divide(c, r[R_RDI], size, ACCESS_WRITE, mmu, &to))
        return 0;
    if (!fill) {
        v = 0;
        for (unsigned i = 0; i < size; i++)
            v |= (uint64_t)*byte_of(&from, i) << (8 * i);
        r[R_RSI] += size;
    }
    for (unsigned i = 0; i < size; i++)
        *byte_of(&to, i) = (uint8_t)(v >> (8 * i));
    r[R_RDI] += size;
    return 1;
}

/* Elements moved; 0: not here. */
static inline uint64_t move_run(CpuX86 *c, unsigned mmu, unsigned log2, uint64_t n)
{
    uint64_t *r = c->regs, rsi = r[R_RSI], rdi = r[R_RDI];
    const uint8_t *from;
    uint8_t *to;

    n = MIN(n, MIN(run(rsi, log2), run(rdi, log2)));
    if (!n)
        return move_across(c, mmu, log2, false);
    from = cpu_quick_pointer(&c->cpu, rsi, ACCESS_READ, mmu);
    to = from ? cpu_quick_pointer(&c->cpu, rdi, ACCESS_WRITE, mmu) : NULL;
    if (!to || (uint64_t)(to - from) - 1 < (n << log2) - 1)
        return 0;
    copy_up(to, from, n << log2);
    r[R_RSI] = rsi + (n << log2);
    r[R_RDI] = rdi + (n << log2);
    return n;
}

/* @element in all of eight bytes. */
static uint64_t again(uint64_t element, unsigned log2)
{
    static const uint64_t ones[] = { 0x0101010101010101, 0x1000100010001, 0x100000001, 1 };

    return element * ones[log2];
}

static uint64_t fill_run(CpuX86 *c, unsigned mmu, unsigned log2, uint64_t n)
{
    uint64_t *r = c->regs, element = r[R_RAX];
    uint8_t *to;

    n = MIN(n, run(r[R_RDI], log2));
    if (!n)
        return move_across(c, mmu, log2, true);
    to = cpu_quick_pointer(&c->cpu, r[R_RDI], ACCESS_WRITE, mmu);
    if (!to)
        return 0;
    if (log2 < 3)
        element &= (1ull << (8 << log2)) - 1;
    fill_up(to, again(element, log2), n << log2);
    r[R_RDI] += n << log2;
    return n;
}

bool quick_string_move(CpuX86 *c, uint64_t *result, uint32_t how)
{
    unsigned log2 = (how >> STRING_SIZE_SHIFT) & 3, op = how & STRING_OP;
    unsigned mmu = (how >> STRING_MMU_SHIFT) & 3;
    uint64_t left = string_call_elements(c->regs[R_RCX], log2), n;

    if (!is_simple(c, how) || op == STRING_LODS)
        return false;
    while (c->regs[R_RCX] && left) {
        n = MIN(c->regs[R_RCX], left);
        n = op == STRING_MOVS ? move_run(c, mmu, log2, n) : fill_run(c, mmu, log2, n);
        if (!n)
            return false;
        c->regs[R_RCX] -= n;
        left -= n;
    }
    *result = !c->regs[R_RCX];
    return true;
}

bool block_string_move(uint32_t how, TcgBlockMove *m)
{
    *m = (TcgBlockMove){ .to = SLOT_GPR + R_RDI,
                         .from = SLOT_GPR + R_RSI,
                         .count = SLOT_GPR + R_RCX,
                         .value = SLOT_GPR + R_RAX,
                         .log2 = (how >> STRING_SIZE_SHIFT) & 3,
                         .mmu = (how >> STRING_MMU_SHIFT) & 3,
                         .fill = (how & STRING_OP) == STRING_STOS,
                         .unless = SLOT_EFLAGS,
                         .bits = EFL_DF };
    return (how & STRING_PLAIN) && (how & STRING_OP) != STRING_LODS;
}

/* How many of @n elements are compared until one ends it, or @n. */
static uint64_t compare_scalar(const uint8_t *a, uint64_t x, const uint8_t *b, unsigned log2,
                               uint64_t n, bool repne)
{
    uint64_t k = 0;

    do {
        x = a ? load(a + (k << log2), log2) : x;
    } while ((x == load(b + (k << log2), log2)) != repne && ++k < n);
    return MIN(k + 1, n);
}

/* Elements that do not end it, as far as whole blocks know; the first MASK_BYTES are known not to.
 */
static uint64_t skip_blocks(const uint8_t *a, uint64_t x, const uint8_t *b, unsigned log2,
                            uint64_t n, bool repne)
{
    uint64_t k = (MASK_BYTES - ((uintptr_t)b & (MASK_BYTES - 1))) >> log2;
    uint64_t step = MASK_BLOCK >> log2;

    mask_look_for(again(x, log2));
    for (; k + step <= n; k += step) {
        const uint8_t *p = b + (k << log2);
        if (a       ? mask_block_differs(a + (k << log2), p)
            : repne ? mask_block_has(p, log2)
                    : mask_block_has_other(p))
            break;
    }
    return MAX(k, MASK_BYTES >> log2);
}

/* The same by masks; REPNE CMPS is not for them. */
static uint64_t compare_masked(const uint8_t *a, uint64_t x, const uint8_t *b, unsigned log2,
                               uint64_t n, bool repne)
{
    uint64_t step = MASK_BYTES >> log2, ends;

    for (uint64_t k = 0; k < n; k = k ? k + step : skip_blocks(a, x, b, log2, n, repne)) {
        uint64_t now = MIN(step, n - k);
        if (a) {
            ends = mask_differ(a + (k << log2), b + (k << log2), now << log2);
        } else {
            ends = mask_equal(b + (k << log2), log2, x, now);
            ends = repne ? ends : ~ends & mask_of(now);
        }
        if (ends)
            return k + ((unsigned)__builtin_ctzll(ends) >> (a ? log2 : 0)) + 1;
    }
    return n;
}

/* Up to @n comparisons; true: the last of them ended it. Flags are those of the last. */
static bool compare(CpuX86 *c, const uint8_t *a, const uint8_t *b, unsigned log2, uint64_t n,
                    bool repne)
{
    uint64_t *r = c->regs, k, bytes, y;
    uint64_t x = log2 < 3 ? r[R_RAX] & ((1ull << (8 << log2)) - 1) : r[R_RAX];

    if (mask_has() && !(a && repne))
        k = compare_masked(a, x, b, log2, n, repne);
    else
        k = compare_scalar(a, x, b, log2, n, repne);
    bytes = k << log2;
    x = a ? load(a + bytes - (1u << log2), log2) : x;
    y = load(b + bytes - (1u << log2), log2);
    r[R_RDI] += bytes;
    r[R_RSI] += a ? bytes : 0;
    r[R_RCX] -= k;
    c->cpu.cc = (FlagsRecord){ .kind = flags_kind(FLK_CMP, (IrType)(I8 + log2)), .a = x, .b = y };
    return (x == y) == repne;
}

bool quick_string_compare(CpuX86 *c, uint64_t *result, uint32_t how)
{
    unsigned log2 = (how >> STRING_SIZE_SHIFT) & 3;
    bool cmps = (how & STRING_OP) == STRING_CMPS, repne = how & STRING_REPNE;
    uint64_t *r = c->regs, n, whole = string_call_elements(r[R_RCX], log2);
    uint64_t left = mask_has() && !(cmps && repne) ? whole : MIN(whole, SCAN_ELEMENTS);
    bool to_end = left == whole;
    const uint8_t *a = NULL, *b;
    unsigned mmu = (how >> STRING_MMU_SHIFT) & 3;

    *result = 1;
    if (!is_simple(c, how))
        return false;
    for (; r[R_RCX] && left; left -= n) {
        n = MIN(MIN(r[R_RCX], left), run(r[R_RDI], log2));
        if (cmps)
            n = MIN(n, run(r[R_RSI], log2));
        b = n ? cpu_quick_pointer(&c->cpu, r[R_RDI], ACCESS_READ, mmu) : NULL;
        if (b && cmps)
            a = cpu_quick_pointer(&c->cpu, r[R_RSI], ACCESS_READ, mmu);
        if (!b || (cmps && !a))
            return false;
        if (compare(c, a, b, log2, n, repne))
            return true;
    }
    *result = !r[R_RCX];
    return *result || to_end;
}
