/* SPDX-License-Identifier: MIT */
/*
 * Hardware task switches through a TSS or a task gate. Intel SDM vol. 3A, 7.3.
 *
 * The new TSS is read whole before anything changes; from the load of TR on, faults belong to the
 * new task, as in the manual.
 */
#include "target-i386/excp.h"
#include "target-i386/trace.h"
#include "target-i386/segment.h"

typedef struct Tss {
    uint32_t cr3, eip, eflags, regs[8];
    uint16_t segs[SEG_COUNT], ldt;
    bool trap;
} Tss;

/* Offsets in the two formats. */
enum {
    TSS32_CR3 = 28,
    TSS32_EIP = 32,
    TSS32_EFLAGS = 36,
    TSS32_REGS = 40,
    TSS32_SEGS = 72,
    TSS32_LDT = 96,
    TSS32_TRAP = 100,
    TSS32_SIZE = 104,
    TSS16_IP = 14,
    TSS16_FLAGS = 16,
    TSS16_REGS = 18,
    TSS16_SEGS = 34,
    TSS16_LDT = 42,
    TSS16_SIZE = 44,
};

static uint32_t ld(CpuX86 *c, uint64_t base, unsigned offset, unsigned size)
{
    return cpu_load(&c->cpu, (uint32_t)(base + offset), size, MMU_KERNEL);
}

static void st(CpuX86 *c, uint64_t base, unsigned offset, uint32_t value, unsigned size)
{
    cpu_store(&c->cpu, (uint32_t)(base + offset), value, size, MMU_KERNEL);
}

static void read_tss(CpuX86 *c, uint32_t base, bool is32, Tss *t)
{
    *t = (Tss){ 0 };
    if (is32) {
        t->cr3 = ld(c, base, TSS32_CR3, 4);
        t->eip = ld(c, base, TSS32_EIP, 4);
        t->eflags = ld(c, base, TSS32_EFLAGS, 4);
        for (unsigned i = 0; i < 8; i++)
            t->regs[i] = ld(c, base, TSS32_REGS + 4 * i, 4);
        for (unsigned i = 0; i < SEG_COUNT; i++)
            t->segs[i] = ld(c, base, TSS32_SEGS + 4 * i, 2);
        t->ldt = ld(c, base, TSS32_LDT, 2);
        t->trap = ld(c, base, TSS32_TRAP, 2) & 1;
        return;
    }
    t->eip = ld(c, base, TSS16_IP, 2);
    t->eflags = ld(c, base, TSS16_FLAGS, 2);
    for (unsigned i = 0; i < 8; i++)
        t->regs[i] = ld(c, base, TSS16_REGS + 2 * i, 2) | 0xffff0000;
    for (unsigned i = 0; i < 4; i++)
        t->segs[i] = ld(c, base, TSS16_SEGS + 2 * i, 2);
    t->ldt = ld(c, base, TSS16_LDT, 2);
}

static void save_tss(CpuX86 *c, bool is32, uint32_t pc, uint32_t eflags)
{
    uint64_t base = c->tr.base;

    if (is32) {
        st(c, base, TSS32_EIP, pc, 4);
        st(c, base, TSS32_EFLAGS, eflags, 4);
        for (unsigned i = 0; i < 8; i++)
            st(c, base, TSS32_REGS + 4 * i, c->regs[i], 4);
        for (unsigned i = 0; i < SEG_COUNT; i++)
            st(c, base, TSS32_SEGS + 4 * i, c->segs[i].selector, 2);
        return;
    }
    st(c, base, TSS16_IP, pc, 2);
    st(c, base, TSS16_FLAGS, eflags, 2);
    for (unsigned i = 0; i < 8; i++)
        st(c, base, TSS16_REGS + 2 * i, c->regs[i], 2);
    for (unsigned i = 0; i < 4; i++)
        st(c, base, TSS16_SEGS + 2 * i, c->segs[i].selector, 2);
}

static void set_busy(CpuX86 *c, uint16_t selector, bool busy)
{
    uint64_t at = desc_address(c, selector) + 4;
    uint32_t hi = cpu_load(&c->cpu, at, 4, MMU_KERNEL);

    cpu_store(&c->cpu, at, busy ? hi | 1 << 9 : hi & ~(1u << 9), 4, MMU_KERNEL);
}

uint16_t task_gate_selector(Desc gate)
{
    return gate.lo >> 16;
}

static Desc fetch_tss(CpuX86 *c, uint16_t selector, TaskReason reason)
{
    int bad = reason == TASK_IRET ? EXCP_TS : EXCP_GP;
    unsigned want = reason == TASK_IRET ? DESC_TSS16_BUSY : DESC_TSS16;
    uint16_t error = selector & 0xfffc;
    Desc d;

    if (selector & 4)
        x86_raise_error(c, bad, error);
    d = desc_fetch(c, selector, bad);
    if ((d.hi & ATTR_S) || (desc_type(d) & ~8u) != want)
        x86_raise_error(c, bad, error);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, error);
    if (desc_limit(d) < (desc_type(d) & 8 ? TSS32_SIZE - 1 : TSS16_SIZE - 1))
        x86_raise_error(c, EXCP_TS, error);
    return d;
}

static void load_ldt(CpuX86 *c, uint16_t selector)
{
    Desc d;

    c->ldt = (Segment){ .selector = selector };
    if (selector_is_null(selector))
        return;
    if (selector & 4)
        x86_raise_error(c, EXCP_TS, selector & 0xfffc);
    d = desc_fetch(c, selector, EXCP_TS);
    if ((d.hi & ATTR_S) || desc_type(d) != DESC_LDT || !(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_TS, selector & 0xfffc);
    c->ldt = (Segment){
        .selector = selector, .base = desc_base(d), .limit = desc_limit(d), .attr = desc_attr(d)
    };
}

static void load_cs(CpuX86 *c, uint16_t selector)
{
    uint16_t error = selector & 0xfffc;
    unsigned cpl = selector & 3;
    Desc d;

    if (selector_is_null(selector))
        x86_raise_error(c, EXCP_TS, 0);
    d = desc_fetch(c, selector, EXCP_TS);
    if (!desc_is_code(d) || (desc_is_conforming(d) ? desc_dpl(d) > cpl : desc_dpl(d) != cpl))
        x86_raise_error(c, EXCP_TS, error);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, error);
    desc_set_accessed(c, selector, &d);
    seg_set_desc(c, SEG_CS, selector, d);
}

/* Selectors before anything is checked: a fault leaves them all visible, with nothing usable
 * behind. */
static void load_selectors(CpuX86 *c, const Tss *t)
{
    if (c->eflags & EFL_VM)
        return;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        seg_set_null(c, i, t->segs[i]);
    c->segs[SEG_SS].attr = (t->segs[SEG_CS] & 3) << ATTR_DPL_SHIFT;
}

static void load_segments(CpuX86 *c, const Tss *t)
{
    static const uint8_t data[] = { SEG_DS, SEG_ES, SEG_FS, SEG_GS };
    unsigned cpl = t->segs[SEG_CS] & 3;

    if (c->eflags & EFL_VM) {
        for (unsigned i = 0; i < SEG_COUNT; i++)
            seg_set_vm86(c, i, t->segs[i]);
        return;
    }
    load_cs(c, t->segs[SEG_CS]);
    seg_load_protected(c, SEG_SS, t->segs[SEG_SS], cpl, true);
    for (unsigned i = 0; i < G_N_ELEMENTS(data); i++)
        seg_load_protected(c, data[i], t->segs[data[i]], cpl, true);
}

static void load_cr3(CpuX86 *c, uint32_t cr3)
{
    uint64_t was = c->cr3;
    c->cr3 = cr3;
    if (cpu_tells(&c->common, MIMUS_SPACE) && was != cr3)
        x86_tell_space(c, was);
    if ((c->cr4 & CR4_PAE) && !x86_is_64bit_code(c))
        for (unsigned i = 0; i < 4; i++)
            c->pae_pdpte[i] = cpu_phys_load(&c->cpu, (cr3 & 0xffffffe0) + 8 * i, 8);
    cpu_tlb_flush_asid(&c->cpu, 0);
}

static void push_error(CpuX86 *c, uint32_t error, bool is32)
{
    Stack86 s = stack_current(c);

    stack86_push(&s, is32 ? 4 : 2, error);
    stack86_commit(&s);
}

void task_switch(CpuX86 *c, uint16_t selector, TaskReason reason, uint64_t next_pc, int64_t error)
{
    Desc d = fetch_tss(c, selector, reason);
    bool is32 = desc_type(d) & 8, old32 = (c->tr.attr >> ATTR_TYPE_SHIFT) & 8;
    uint16_t old_selector = c->tr.selector;
    uint32_t base = desc_base(d), eflags = x86_get_eflags(c);
    Tss t;

    cpu_sync_state(&c->cpu); /* from here on pc may be the new task's */
    if (c->tr.limit < (old32 ? TSS32_SIZE - 1 : TSS16_SIZE - 1))
        x86_raise_error(c, EXCP_TS, old_selector & 0xfffc);
    read_tss(c, base, is32, &t);
    if (reason == TASK_IRET)
        eflags &= ~(uint32_t)EFL_NT;
    save_tss(c, old32, next_pc, eflags);
    if (reason != TASK_CALL)
        set_busy(c, old_selector, false);
    if (reason == TASK_CALL) {
        st(c, base, 0, old_selector, 2);
        t.eflags |= EFL_NT;
    }
    if (reason != TASK_IRET) {
        set_busy(c, selector, true);
        d.hi |= 1 << 9;
    }
    c->cr0 |= CR0_TS;
    c->tr = (Segment){
        .selector = selector, .base = base, .limit = desc_limit(d), .attr = desc_attr(d)
    };
    if (is32 && (c->cr0 & CR0_PG))
        load_cr3(c, t.cr3);
    c->cpu.pc = t.eip;
    flags_set_packed(&c->cpu.cc, t.eflags & FLAGS_ARITH);
    c->eflags = (t.eflags & 0x003f7700 & (is32 ? 0xffffffff : 0xffff)) | 2;
    c->rf_loaded = c->eflags & EFL_RF;
    for (unsigned i = 0; i < 8; i++)
        c->regs[i] = t.regs[i];
    c->dr[7] &= ~0x155ull; /* local breakpoints belong to the old task */
    load_selectors(c, &t);
    load_ldt(c, t.ldt);
    load_segments(c, &t);
    x86_update_mode(c);
    cpu_context_changed(&c->cpu);
    if (error >= 0)
        push_error(c, (uint32_t)error, is32);
    if (!seg_in_limit(&c->segs[SEG_CS], c->cpu.pc, 1))
        x86_raise_error(c, EXCP_GP, 0);
    if (t.trap) {
        c->dr[6] |= DR6_BT;
        x86_record_exception(c, EXCP_DB, 0);
    }
}
