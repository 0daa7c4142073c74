/* SPDX-License-Identifier: MIT */
/*
 * Descriptors, segment registers and stacks: what far transfers, exceptions and task switches have
 * in common. Intel SDM vol. 3A, 3.4, 5.5-5.8; vol. 2A, MOV (loading segment registers).
 */
#include "target-i386/segment.h"

#include "target-i386/paging.h"

/* ---- Descriptors ---------------------------------------------------------------------------- */

static const DescTable *table_of(CpuX86 *c, uint16_t selector, DescTable *ldt)
{
    if (!(selector & 4))
        return &c->gdt;
    ldt->base = c->ldt.base;
    ldt->limit = c->ldt.limit;
    return ldt;
}

uint64_t desc_address(CpuX86 *c, uint16_t selector)
{
    DescTable ldt;
    const DescTable *t = table_of(c, selector, &ldt);
    uint64_t addr = t->base + (selector & ~7u);

    return is_long(c) ? addr : (uint32_t)addr;
}

static bool beyond_table(CpuX86 *c, uint16_t selector, unsigned size)
{
    DescTable ldt;
    const DescTable *t = table_of(c, selector, &ldt);

    if ((selector & 4) && !(c->ldt.attr & ATTR_P))
        return true;
    return (selector & ~7u) + size - 1 > t->limit;
}

bool desc_read(CpuX86 *c, uint16_t selector, Desc *d)
{
    uint64_t v;

    if (beyond_table(c, selector, 8))
        return false;
    v = cpu_load(&c->cpu, desc_address(c, selector), 8, MMU_KERNEL);
    d->lo = (uint32_t)v;
    d->hi = v >> 32;
    return true;
}

Desc desc_fetch(CpuX86 *c, uint16_t selector, int vector)
{
    Desc d;

    if (!desc_read(c, selector, &d))
        x86_raise_error(c, vector, selector & 0xfffc);
    return d;
}

void desc_set_accessed(CpuX86 *c, uint16_t selector, Desc *d)
{
    if (d->hi & ATTR_A)
        return;
    d->hi |= ATTR_A;
    cpu_store(&c->cpu, desc_address(c, selector) + 4, d->hi, 4, MMU_KERNEL);
}

uint64_t desc_upper_base(CpuX86 *c, uint16_t selector)
{
    uint64_t upper;

    if (beyond_table(c, selector, 16))
        x86_raise_error(c, EXCP_GP, selector & 0xfffc);
    upper = cpu_load(&c->cpu, desc_address(c, selector) + 8, 8, MMU_KERNEL);
    if (upper >> 40 & 0x1f)
        x86_raise_error(c, EXCP_GP, selector & 0xfffc);
    return upper << 32;
}

/* ---- Segment registers ---------------------------------------------------------------------- */

void seg_set(CpuX86 *c, unsigned seg, uint16_t selector, uint64_t base, uint32_t limit,
             uint32_t attr)
{
    Segment *s = &c->segs[seg];

    if (seg == SEG_CS && s->base != base)
        cpu_context_changed(&c->cpu);
    *s = (Segment){ .selector = selector, .attr = attr, .limit = limit, .base = base };
}

void seg_set_desc(CpuX86 *c, unsigned seg, uint16_t selector, Desc d)
{
    seg_set(c, seg, selector, desc_base(d), desc_limit(d), desc_attr(d));
}

/* Limit and rights are those that were loaded before: "unreal" mode works. But for a load into CS,
 * which makes it writable... as real-mode code segments are. */
void seg_set_real(CpuX86 *c, unsigned seg, uint16_t selector)
{
    Segment *s = &c->segs[seg];
    uint32_t attr = (s->attr & (ATTR_DB | ATTR_G)) | ATTR_P | ATTR_S | ATTR_RW | ATTR_A;
    uint32_t limit = s->attr & ATTR_P ? s->limit : 0xffff;

    if (seg == SEG_CS)
        attr |= ATTR_CODE;
    seg_set(c, seg, selector, (uint64_t)selector << 4, limit, attr);
}

void seg_set_vm86(CpuX86 *c, unsigned seg, uint16_t selector)
{
    seg_set(c, seg, selector, (uint64_t)selector << 4, 0xffff,
            ATTR_P | ATTR_S | ATTR_DPL | ATTR_RW | ATTR_A);
}

void seg_set_null(CpuX86 *c, unsigned seg, uint16_t selector)
{
    seg_set(c, seg, selector, 0, 0, 0);
}

bool seg_in_limit(const Segment *s, uint32_t offset, unsigned size)
{
    uint32_t last = offset + size - 1;

    if ((s->attr & (ATTR_CODE | ATTR_EC)) == ATTR_EC) {
        uint32_t top = s->attr & ATTR_DB ? 0xffffffff : 0xffff;
        return offset > s->limit && last >= offset && last <= top;
    }
    return last >= offset && last <= s->limit;
}

static void load_ss(CpuX86 *c, uint16_t selector, unsigned cpl, int bad)
{
    uint16_t error = selector & 0xfffc;
    Desc d;

    if (selector_is_null(selector)) {
        if (bad == EXCP_TS || !x86_is_64bit_code(c) || cpl == 3 || (selector & 3) != cpl)
            x86_raise_error(c, bad, 0);
        seg_set(c, SEG_SS, selector, 0, 0, cpl << ATTR_DPL_SHIFT); /* DPL is where CPL is kept */
        return;
    }
    d = desc_fetch(c, selector, bad);
    if ((selector & 3) != cpl || desc_dpl(d) != cpl || !desc_is_writable_data(d))
        x86_raise_error(c, bad, error);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_SS, error);
    desc_set_accessed(c, selector, &d);
    seg_set_desc(c, SEG_SS, selector, d);
}

void seg_load_protected(CpuX86 *c, unsigned seg, uint16_t selector, unsigned cpl, bool ts)
{
    int bad = ts ? EXCP_TS : EXCP_GP;
    uint16_t error = selector & 0xfffc;
    Desc d;

    if (seg == SEG_SS) {
        load_ss(c, selector, cpl, bad);
        return;
    }
    if (selector_is_null(selector)) {
        seg_set_null(c, seg, selector);
        return;
    }
    d = desc_fetch(c, selector, bad);
    if (!(d.hi & ATTR_S) || (desc_is_code(d) && !(d.hi & ATTR_RW)))
        x86_raise_error(c, bad, error);
    if (!(desc_is_code(d) && desc_is_conforming(d)) &&
        MAX(cpl, (unsigned)(selector & 3)) > desc_dpl(d))
        x86_raise_error(c, bad, error);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, error);
    desc_set_accessed(c, selector, &d);
    seg_set_desc(c, seg, selector, d);
}

void seg_drop_inaccessible(CpuX86 *c, unsigned cpl)
{
    static const uint8_t regs[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };

    for (unsigned i = 0; i < G_N_ELEMENTS(regs); i++) {
        Segment *s = &c->segs[regs[i]];
        bool conforming = (s->attr & (ATTR_CODE | ATTR_EC)) == (ATTR_CODE | ATTR_EC);
        unsigned dpl = (s->attr >> ATTR_DPL_SHIFT) & 3;

        /* A register that is null already keeps its base: FS and GS carry it in long mode. */
        if (selector_is_null(s->selector) || !(s->attr & ATTR_P))
            continue;
        if (!conforming && dpl < cpl)
            seg_set_null(c, regs[i], 0);
    }
}

/* ---- Targets of far transfers --------------------------------------------------------------- */

void check_code_target(CpuX86 *c, uint16_t selector, Desc d, unsigned cpl)
{
    uint16_t error = selector & 0xfffc;
    bool ok;

    if (!desc_is_code(d))
        x86_raise_error(c, EXCP_GP, error);
    if (desc_is_conforming(d))
        ok = desc_dpl(d) <= cpl;
    else
        ok = (selector & 3) <= cpl && desc_dpl(d) == cpl;
    if (!ok || (is_long(c) && (d.hi & ATTR_L) && (d.hi & ATTR_DB)))
        x86_raise_error(c, EXCP_GP, error);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, error);
}

void check_target_pc(CpuX86 *c, Desc d, uint64_t pc)
{
    bool ok;

    if (is_long(c) && (d.hi & ATTR_L))
        ok = x86_is_canonical(c, pc);
    else
        ok = pc <= desc_limit(d);
    if (!ok)
        x86_raise_error(c, EXCP_GP, 0);
}

/* ---- Stacks --------------------------------------------------------------------------------- */

static uint64_t stack_mask(CpuX86 *c, uint32_t ss_attr)
{
    if (x86_is_64bit_code(c))
        return UINT64_MAX;
    return ss_attr & ATTR_DB ? 0xffffffff : 0xffff;
}

Stack86 stack_current(CpuX86 *c)
{
    return (Stack86){ .c = c,
                      .seg = c->segs[SEG_SS],
                      .sp = c->regs[R_RSP],
                      .mask = stack_mask(c, c->segs[SEG_SS].attr),
                      .mmu = x86_mmu(c) };
}

/* Linear address of the top of the stack after the checks of an access of @size bytes. */
static uint64_t stack_address(Stack86 *s, unsigned size)
{
    uint64_t offset = s->sp & s->mask;

    if (s->mask == UINT64_MAX) {
        if (!x86_is_canonical(s->c, offset) || !x86_is_canonical(s->c, offset + size - 1))
            x86_raise_error(s->c, EXCP_SS, s->error);
        return offset;
    }
    if (!seg_in_limit(&s->seg, offset, size))
        x86_raise_error(s->c, EXCP_SS, s->error);
    return (uint32_t)(s->seg.base + offset);
}

void stack86_push(Stack86 *s, unsigned size, uint64_t value)
{
    s->sp -= size;
    cpu_store(&s->c->cpu, stack_address(s, size), value, size, s->mmu);
}

uint64_t stack86_pop(Stack86 *s, unsigned size)
{
    uint64_t value = cpu_load(&s->c->cpu, stack_address(s, size), size, s->mmu);

    s->sp += size;
    return value;
}

void stack86_commit(Stack86 *s)
{
    uint64_t *rsp = &s->c->regs[R_RSP];

    if (s->mask == 0xffff)
        *rsp = (*rsp & ~0xffffull) | (s->sp & 0xffff);
    else
        *rsp = s->sp & s->mask;
}

Stack86 stack_flat64(CpuX86 *c, uint64_t rsp, unsigned cpl)
{
    return (
        Stack86){ .c = c, .sp = rsp, .mask = UINT64_MAX, .mmu = cpl == 3 ? MMU_USER : MMU_KERNEL };
}

/* ---- Stacks in the TSS ---------------------------------------------------------------------- */

uint64_t tss64_stack(CpuX86 *c, unsigned index)
{
    unsigned offset = index < 3 ? 4 + index * 8 : 36 + (index - 4) * 8;
    uint64_t rsp;

    if (offset + 7 > c->tr.limit)
        x86_raise_error(c, EXCP_TS, c->tr.selector & 0xfffc);
    rsp = cpu_load(&c->cpu, c->tr.base + offset, 8, MMU_KERNEL);
    if (!x86_is_canonical(c, rsp))
        x86_raise_error(c, EXCP_SS, 0);
    return rsp;
}

Stack86 stack_from_tss(CpuX86 *c, unsigned cpl, uint16_t *selector, Desc *d)
{
    bool is32 = (c->tr.attr >> ATTR_TYPE_SHIFT) & 8;
    unsigned size = is32 ? 4 : 2;
    unsigned offset = is32 ? 4 + cpl * 8 : 2 + cpl * 4;
    uint32_t sp;
    uint16_t error;

    if (offset + 2 * size - 1 > c->tr.limit)
        x86_raise_error(c, EXCP_TS, c->tr.selector & 0xfffc);
    sp = cpu_load(&c->cpu, (uint32_t)(c->tr.base + offset), size, MMU_KERNEL);
    *selector = cpu_load(&c->cpu, (uint32_t)(c->tr.base + offset + size), 2, MMU_KERNEL);
    error = *selector & 0xfffc;
    if (selector_is_null(*selector))
        x86_raise_error(c, EXCP_TS, 0);
    *d = desc_fetch(c, *selector, EXCP_TS);
    if ((*selector & 3) != cpl || desc_dpl(*d) != cpl || !desc_is_writable_data(*d))
        x86_raise_error(c, EXCP_TS, error);
    if (!(d->hi & ATTR_P))
        x86_raise_error(c, EXCP_SS, error);
    return (Stack86){ .c = c,
                      .sp = sp,
                      .mask = d->hi & ATTR_DB ? 0xffffffff : 0xffff,
                      .seg = { .selector = *selector,
                               .base = desc_base(*d),
                               .limit = desc_limit(*d),
                               .attr = desc_attr(*d) },
                      .mmu = cpl == 3 ? MMU_USER : MMU_KERNEL,
                      .error = error };
}
