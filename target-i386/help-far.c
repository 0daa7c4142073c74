/* SPDX-License-Identifier: MIT */
/*
 * Far transfers of control: JMP, CALL, RET, IRET through segments, gates and tasks, INT n, and the
 * fast system calls. Intel SDM vol. 2A/2B at each instruction; vol. 3A, 5.8. The order of checks is
 * the manual's; nothing the guest can see changes before the last of them.
 */
#include "target-i386/help-system.h"

#include <inttypes.h>

#include "softmmu/log.h"
#include "target-i386/debug.h"
#include "target-i386/excp.h"
#include "target-i386/paging.h"
#include "target-i386/trace.h"
#include "target-i386/segment.h"

static uint64_t cut(uint64_t v, uint32_t size)
{
    return size == 1 ? v & 0xffff : size == 2 ? (uint32_t)v : v;
}

static G_GNUC_NORETURN void raise_gp(CpuX86 *c, uint16_t selector)
{
    x86_raise_error(c, EXCP_GP, selector & 0xfffc);
}

static void set_cs(CpuX86 *c, uint16_t selector, Desc d, unsigned cpl, uint64_t pc)
{
    desc_set_accessed(c, selector, &d);
    seg_set_desc(c, SEG_CS, (selector & ~3) | cpl, d);
    c->cpu.pc = pc;
}

/* A transfer through TSS or task gate: what it was called from is no longer what runs. */
static void switch_task(CpuX86 *c, uint16_t selector, TaskReason reason, uint64_t next_pc)
{
    task_switch(c, selector, reason, next_pc, -1);
    cpu_loop_exit(&c->cpu);
}

/* ---- Gates ---------------------------------------------------------------------------------- */

typedef struct Gate {
    unsigned size; /* log2 of what it pushes */
    uint16_t selector;
    uint64_t pc;
    unsigned params;
    Desc cs;
} Gate;

/* What a selector that is no code segment leads to; switches tasks by itself. */
static Gate fetch_call_gate(CpuX86 *c, uint16_t selector, Desc d, TaskReason reason,
                            uint64_t next_pc)
{
    unsigned type = desc_type(d);
    Gate g;

    if (d.hi & ATTR_S) /* data */
        raise_gp(c, selector);
    if (is_long(c) ? type != DESC_CALL32
                   : type != DESC_CALL32 && type != DESC_CALL16 && type != DESC_TASK_GATE &&
                         type != DESC_TSS16 && type != DESC_TSS32)
        raise_gp(c, selector);
    if (desc_dpl(d) < MAX(x86_cpl(c), (unsigned)(selector & 3)))
        raise_gp(c, selector);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, selector & 0xfffc);
    if (type == DESC_TASK_GATE)
        switch_task(c, task_gate_selector(d), reason, next_pc);
    if (type == DESC_TSS16 || type == DESC_TSS32)
        switch_task(c, selector, reason, next_pc);

    g = (Gate){ .size = is_long(c)            ? 3
                        : type == DESC_CALL32 ? 2
                                              : 1,
                .selector = d.lo >> 16,
                .pc = d.lo & 0xffff,
                .params = d.hi & 31 };
    if (type == DESC_CALL32)
        g.pc |= d.hi & 0xffff0000;
    if (is_long(c))
        g.pc |= desc_upper_base(c, selector);
    if (selector_is_null(g.selector))
        raise_gp(c, 0);
    g.cs = desc_fetch(c, g.selector, EXCP_GP);
    if (!desc_is_code(g.cs) || desc_dpl(g.cs) > x86_cpl(c) ||
        (is_long(c) && (g.cs.hi & (ATTR_L | ATTR_DB)) != ATTR_L))
        raise_gp(c, g.selector);
    if (!(g.cs.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, g.selector & 0xfffc);
    return g;
}

/* ---- JMP ------------------------------------------------------------------------------------ */

static void real_transfer(CpuX86 *c, uint16_t selector, uint64_t pc)
{
    if (c->eflags & EFL_VM)
        seg_set_vm86(c, SEG_CS, selector);
    else
        seg_set_real(c, SEG_CS, selector);
    c->cpu.pc = pc;
    x86_update_mode(c);
}

/* -d pcall: what protected mode is asked for, before any check. */
static void log_far(CpuX86 *c, const char *what, uint16_t selector, uint64_t pc, unsigned size)
{
    if (log_enabled(LOG_PCALL))
        log_printf("%s %04x:%0*" PRIx64 " s=%u cpl=%u\n", what, selector, 2 << size, pc, size,
                   x86_cpl(c));
}

void help_jmp_far(CpuX86 *c, uint32_t selector, uint64_t offset, uint32_t size, uint64_t next_pc)
{
    unsigned cpl = x86_cpl(c);
    Desc d;

    selector &= 0xffff;
    offset = cut(offset, size);
    if (!is_protected(c)) {
        if (offset > c->segs[SEG_CS].limit)
            raise_gp(c, 0);
        real_transfer(c, selector, offset);
        return;
    }
    log_far(c, "ljmp", selector, offset, size);
    if (selector_is_null(selector))
        raise_gp(c, 0);
    d = desc_fetch(c, selector, EXCP_GP);
    if (desc_is_code(d)) {
        check_code_target(c, selector, d, cpl);
        check_target_pc(c, d, offset);
        set_cs(c, selector, d, cpl, offset);
    } else {
        Gate g = fetch_call_gate(c, selector, d, TASK_JMP, next_pc);

        if (!desc_is_conforming(g.cs) && desc_dpl(g.cs) != cpl)
            raise_gp(c, g.selector);
        check_target_pc(c, g.cs, g.pc);
        set_cs(c, g.selector, g.cs, cpl, g.pc);
    }
    x86_update_mode(c);
}

/* ---- CALL ----------------------------------------------------------------------------------- */

static void push_return(CpuX86 *c, Stack86 *s, uint32_t size, uint64_t next_pc)
{
    stack86_push(s, 1 << size, c->segs[SEG_CS].selector);
    stack86_push(s, 1 << size, next_pc);
}

static void copy_params(CpuX86 *c, Stack86 *to, const Gate *g)
{
    Stack86 from = stack_current(c);
    uint64_t value[31];

    for (unsigned i = 0; i < g->params; i++)
        value[i] = stack86_pop(&from, 1 << g->size);
    for (unsigned i = g->params; i-- > 0;)
        stack86_push(to, 1 << g->size, value[i]);
}

static void call_inner(CpuX86 *c, const Gate *g, uint64_t next_pc)
{
    unsigned cpl = desc_dpl(g->cs);
    uint16_t ss_selector = cpl;
    Desc ss = { 0 };
    Stack86 s;

    if (is_long(c))
        s = stack_flat64(c, tss64_stack(c, cpl), cpl);
    else
        s = stack_from_tss(c, cpl, &ss_selector, &ss);
    check_target_pc(c, g->cs, g->pc);
    stack86_push(&s, 1 << g->size, c->segs[SEG_SS].selector);
    stack86_push(&s, 1 << g->size, c->regs[R_RSP]);
    if (!is_long(c))
        copy_params(c, &s, g);
    push_return(c, &s, g->size, next_pc);
    if (is_long(c)) {
        seg_set(c, SEG_SS, ss_selector, 0, 0, cpl << ATTR_DPL_SHIFT);
    } else {
        desc_set_accessed(c, ss_selector, &ss);
        seg_set_desc(c, SEG_SS, ss_selector, ss);
    }
    stack86_commit(&s);
    set_cs(c, g->selector, g->cs, cpl, g->pc);
}

static void call_gate(CpuX86 *c, uint16_t selector, Desc d, uint64_t next_pc)
{
    Gate g = fetch_call_gate(c, selector, d, TASK_CALL, next_pc);
    Stack86 s;

    if (!desc_is_conforming(g.cs) && desc_dpl(g.cs) < x86_cpl(c)) {
        call_inner(c, &g, next_pc);
        return;
    }
    s = stack_current(c);
    if (is_long(c))
        s.mask = UINT64_MAX;
    check_target_pc(c, g.cs, g.pc);
    push_return(c, &s, g.size, next_pc);
    stack86_commit(&s);
    set_cs(c, g.selector, g.cs, x86_cpl(c), g.pc);
}

void help_call_far(CpuX86 *c, uint32_t selector, uint64_t offset, uint32_t size, uint64_t next_pc)
{
    Stack86 s = stack_current(c);
    Desc d;

    selector &= 0xffff;
    offset = cut(offset, size);
    if (!is_protected(c)) {
        if (offset > c->segs[SEG_CS].limit)
            raise_gp(c, 0);
        push_return(c, &s, size, next_pc);
        stack86_commit(&s);
        real_transfer(c, selector, offset);
        return;
    }
    log_far(c, "lcall", selector, offset, size);
    if (selector_is_null(selector))
        raise_gp(c, 0);
    d = desc_fetch(c, selector, EXCP_GP);
    if (desc_is_code(d)) {
        check_code_target(c, selector, d, x86_cpl(c));
        check_target_pc(c, d, offset);
        push_return(c, &s, size, next_pc);
        stack86_commit(&s);
        set_cs(c, selector, d, x86_cpl(c), offset);
    } else {
        call_gate(c, selector, d, next_pc);
    }
    x86_update_mode(c);
}

/* ---- RET and IRET in protected mode --------------------------------------------------------- */

static Desc check_return_cs(CpuX86 *c, uint16_t selector)
{
    unsigned rpl = selector & 3;
    Desc d;

    if (selector_is_null(selector))
        raise_gp(c, 0);
    d = desc_fetch(c, selector, EXCP_GP);
    if (!desc_is_code(d) || rpl < x86_cpl(c) ||
        (desc_is_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl) ||
        (is_long(c) && (d.hi & ATTR_L) && (d.hi & ATTR_DB)))
        raise_gp(c, selector);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, selector & 0xfffc);
    return d;
}

/* SS for a return to @cpl, into code that is 64-bit if @to64. @usable false: a null selector. */
static Desc check_return_ss(CpuX86 *c, uint16_t selector, unsigned cpl, bool to64, bool *usable)
{
    Desc d = { .hi = cpl << ATTR_DPL_SHIFT };

    *usable = !selector_is_null(selector);
    if (!*usable) {
        if (!to64 || cpl == 3 || (selector & 3) != cpl)
            raise_gp(c, 0);
        return d;
    }
    d = desc_fetch(c, selector, EXCP_GP);
    if ((selector & 3) != cpl || desc_dpl(d) != cpl || !desc_is_writable_data(d))
        raise_gp(c, selector);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_SS, selector & 0xfffc);
    return d;
}

static void set_return_ss(CpuX86 *c, uint16_t selector, Desc d, bool usable)
{
    if (usable) {
        desc_set_accessed(c, selector, &d);
        seg_set_desc(c, SEG_SS, selector, d);
    } else {
        seg_set(c, SEG_SS, selector, 0, 0, d.hi);
    }
}

/* RSP of the outer level: as wide as its stack segment. */
static void set_return_sp(CpuX86 *c, uint64_t sp, bool to64)
{
    uint64_t *rsp = &c->regs[R_RSP];

    if (to64)
        *rsp = sp;
    else if (c->segs[SEG_SS].attr & ATTR_DB)
        *rsp = (uint32_t)sp;
    else
        *rsp = (*rsp & ~0xffffull) | (sp & 0xffff);
}

void help_ret_far(CpuX86 *c, uint32_t size, uint32_t release)
{
    Stack86 s = stack_current(c);
    uint64_t pc = stack86_pop(&s, 1 << size), sp;
    uint16_t selector = stack86_pop(&s, 1 << size), ss_selector;
    unsigned rpl = selector & 3;
    bool usable, to64;
    Desc cs, ss;

    if (!is_protected(c)) {
        if (pc > c->segs[SEG_CS].limit)
            raise_gp(c, 0);
        s.sp += release;
        stack86_commit(&s);
        real_transfer(c, selector, pc);
        return;
    }
    log_far(c, "lret", selector, pc, size);
    cs = check_return_cs(c, selector);
    to64 = is_long(c) && (cs.hi & ATTR_L);
    check_target_pc(c, cs, pc);
    s.sp += release;
    if (rpl == x86_cpl(c)) {
        stack86_commit(&s);
        set_cs(c, selector, cs, rpl, pc);
        x86_update_mode(c);
        return;
    }
    sp = stack86_pop(&s, 1 << size);
    ss_selector = stack86_pop(&s, 1 << size);
    ss = check_return_ss(c, ss_selector, rpl, to64, &usable);
    set_cs(c, selector, cs, rpl, pc);
    set_return_ss(c, ss_selector, ss, usable);
    set_return_sp(c, sp + release, to64);
    seg_drop_inaccessible(c, rpl);
    x86_update_mode(c);
}

/* The flags that IRET at @cpl may change. */
static uint32_t iret_mask(CpuX86 *c, uint32_t size, unsigned cpl)
{
    uint32_t mask = FLAGS_ARITH | EFL_TF | EFL_DF | EFL_NT;

    if (size >= 2)
        mask |= EFL_RF | EFL_AC | EFL_ID;
    if (cpl <= (c->eflags & EFL_IOPL) >> EFL_IOPL_SHIFT)
        mask |= EFL_IF;
    if (cpl == 0)
        mask |= EFL_IOPL | (size >= 2 ? EFL_VIF | EFL_VIP : 0);
    return mask;
}

/* Flags from a stack image. RF matters only to instruction breakpoints: without one it would be
 * gone after the next instruction, and is dropped at once. */
static void restore_flags(CpuX86 *c, uint32_t flags, uint32_t mask)
{
    if (!x86_debug_has_code(c))
        flags &= ~(uint32_t)EFL_RF;
    x86_set_eflags(c, flags, mask);
    c->rf_loaded = flags & mask & EFL_RF;
    if ((c->eflags & EFL_IF) && c->cpu.interrupt_request)
        cpu_look(&c->cpu);
}

/* IRET of 16 bits in virtual-8086 mode with IOPL < 3 and CR4.VME: VIF stands for IF. */
static uint32_t iret_vme(CpuX86 *c, uint32_t size, uint32_t *mask, uint32_t flags)
{
    if (!(c->cr4 & CR4_VME) || size != 1 || (flags & EFL_TF) ||
        ((flags & EFL_IF) && (c->eflags & EFL_VIP)))
        raise_gp(c, 0);
    *mask = (*mask & ~(uint32_t)EFL_IF) | EFL_VIF;
    return flags & EFL_IF ? flags | EFL_VIF : flags & ~(uint32_t)EFL_VIF;
}

static void iret_real(CpuX86 *c, uint32_t size)
{
    Stack86 s = stack_current(c);
    uint64_t pc = stack86_pop(&s, 1 << size);
    uint16_t selector = stack86_pop(&s, 1 << size);
    uint32_t flags = stack86_pop(&s, 1 << size);
    uint32_t mask = iret_mask(c, size, 0) & ~(uint32_t)(EFL_VIF | EFL_VIP);

    if (c->eflags & EFL_VM) {
        if ((c->eflags & EFL_IOPL) != EFL_IOPL)
            flags = iret_vme(c, size, &mask, flags);
        mask &= ~(uint32_t)EFL_IOPL;
    }
    if (pc > c->segs[SEG_CS].limit)
        raise_gp(c, 0);
    stack86_commit(&s);
    real_transfer(c, selector, pc);
    restore_flags(c, flags, mask);
}

static void iret_to_vm86(CpuX86 *c, Stack86 *s, uint32_t pc, uint16_t cs, uint32_t flags)
{
    static const uint8_t order[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    uint32_t sp = stack86_pop(s, 4);
    uint16_t ss = stack86_pop(s, 4), data[4];

    for (unsigned i = 0; i < 4; i++)
        data[i] = stack86_pop(s, 4);
    x86_set_eflags(c, flags, iret_mask(c, 2, 0) | EFL_VM);
    seg_set_vm86(c, SEG_CS, cs);
    seg_set_vm86(c, SEG_SS, ss);
    for (unsigned i = 0; i < 4; i++)
        seg_set_vm86(c, order[i], data[i]);
    c->regs[R_RSP] = sp;
    c->cpu.pc = pc & 0xffff;
    x86_update_mode(c);
    restore_flags(c, flags, iret_mask(c, 2, 0));
}

static void iret_protected(CpuX86 *c, uint32_t size)
{
    Stack86 s = stack_current(c);
    uint64_t pc = stack86_pop(&s, 1 << size), sp = 0;
    uint16_t selector = stack86_pop(&s, 1 << size), ss_selector = 0;
    uint32_t flags = stack86_pop(&s, 1 << size);
    unsigned cpl = x86_cpl(c), rpl = selector & 3;
    uint32_t mask = iret_mask(c, size, cpl);
    bool usable = false, to64, with_stack;
    Desc cs, ss = { 0 };

    if ((flags & EFL_VM) && cpl == 0 && size == 2 && !is_long(c)) {
        iret_to_vm86(c, &s, pc, selector, flags);
        return;
    }
    cs = check_return_cs(c, selector);
    to64 = is_long(c) && (cs.hi & ATTR_L);
    with_stack = rpl != cpl || x86_is_64bit_code(c);
    if (with_stack) {
        sp = stack86_pop(&s, 1 << size);
        ss_selector = stack86_pop(&s, 1 << size);
        ss = check_return_ss(c, ss_selector, rpl, to64, &usable);
    }
    check_target_pc(c, cs, pc);
    set_cs(c, selector, cs, rpl, pc);
    if (with_stack) {
        set_return_ss(c, ss_selector, ss, usable);
        set_return_sp(c, sp, to64);
        if (rpl != cpl)
            seg_drop_inaccessible(c, rpl);
    } else {
        stack86_commit(&s);
    }
    x86_update_mode(c);
    restore_flags(c, flags, mask);
}

/* Where the running instruction is, if somebody wants to be told of what it does. */
static uint64_t origin(CpuX86 *c, MimusEventKind kind)
{
    return cpu_tells(&c->common, kind)
               ? cpu_running_pc(&c->cpu) + (x86_is_64bit_code(c) ? 0 : c->segs[SEG_CS].base)
               : 0;
}

void help_iret(CpuX86 *c, uint32_t size, uint64_t next_pc)
{
    uint64_t from = origin(c, MIMUS_RETURN);

    if (!is_protected(c)) {
        iret_real(c, size);
    } else if (c->eflags & EFL_NT) {
        if (is_long(c))
            raise_gp(c, 0);
        switch_task(c, cpu_load(&c->cpu, (uint32_t)c->tr.base, 2, MMU_KERNEL), TASK_IRET, next_pc);
    } else {
        iret_protected(c, size);
    }
    if (c->eflags & EFL_RF)
        c->rf_count = cpu_charged_count(&c->cpu);
    if (c->nmi_blocked) {
        c->nmi_blocked = false;
        if (c->cpu.interrupt_request & CPU_INT_NMI)
            cpu_look(&c->cpu);
    }
    x86_settle_context(c);
    if (cpu_tells(&c->common, MIMUS_RETURN))
        x86_tell_transfer(c, MIMUS_RETURN, from, 0);
}

/* ---- INT n ---------------------------------------------------------------------------------- */

/* The bit of the interrupt redirection map before the I/O permission map of the TSS (VME). */
static bool vme_redirects(CpuX86 *c, uint32_t vector)
{
    uint32_t map, at;

    if (!(c->cr4 & CR4_VME) || c->tr.limit < 103)
        return false;
    map = cpu_load(&c->cpu, (uint32_t)(c->tr.base + 102), 2, MMU_KERNEL);
    at = map - 32 + vector / 8;
    if (map < 32 || at > c->tr.limit)
        return false;
    return !(cpu_load(&c->cpu, (uint32_t)(c->tr.base + at), 1, MMU_KERNEL) >> (vector % 8) & 1);
}

void help_int(CpuX86 *c, uint32_t vector, uint64_t next_pc)
{
    if (c->eflags & EFL_VM) {
        if (vme_redirects(c, vector)) {
            x86_vm86_redirect(c, vector, next_pc);
            return;
        }
        if ((c->eflags & EFL_IOPL) != EFL_IOPL)
            raise_gp(c, 0);
    }
    x86_raise_soft(c, vector, next_pc);
}

void help_int_soft(CpuX86 *c, uint32_t vector, uint64_t next_pc)
{
    x86_raise_soft(c, vector, next_pc);
}

void help_into(CpuX86 *c, uint64_t next_pc)
{
    if (flags_test(&c->cpu.cc, CC_O))
        x86_raise_soft(c, EXCP_OF, next_pc);
}

void help_int1(CpuX86 *c, uint64_t next_pc)
{
    x86_raise_trap(c, EXCP_DB, next_pc);
}

/* ---- Fast system calls ---------------------------------------------------------------------- */

static void set_flat_cs(CpuX86 *c, uint16_t selector, unsigned cpl, bool is64)
{
    seg_set(c, SEG_CS, (selector & ~3) | cpl, 0, 0xffffffff,
            FLAT_CODE | cpl << ATTR_DPL_SHIFT | (is64 ? ATTR_L : ATTR_DB));
}

static void set_flat_ss(CpuX86 *c, uint16_t selector, unsigned cpl)
{
    seg_set(c, SEG_SS, (selector & ~3) | cpl, 0, 0xffffffff, FLAT_DATA | cpl << ATTR_DPL_SHIFT);
}

uint64_t help_syscall(CpuX86 *c)
{
    uint64_t from = origin(c, MIMUS_SYSCALL);
    uint16_t selector = c->star >> 32;
    uint32_t flags = x86_get_eflags(c);

    if (!(c->efer & EFER_SCE))
        x86_raise(c, EXCP_UD);
    if (is_long(c)) {
        c->cpu.pc = x86_is_64bit_code(c) ? c->lstar : c->cstar;
        x86_set_eflags(c, 0, (uint32_t)c->sfmask | EFL_RF);
    } else {
        c->cpu.pc = (uint32_t)c->star;
        x86_set_eflags(c, 0, EFL_IF | EFL_RF | EFL_VM);
    }
    set_flat_cs(c, selector, 0, is_long(c));
    set_flat_ss(c, selector + 8, 0);
    x86_update_mode(c);
    if (cpu_tells(&c->common, MIMUS_SYSCALL))
        x86_tell_transfer(c, MIMUS_SYSCALL, from, (uint8_t)c->regs[R_RAX]);
    return flags & ~(uint32_t)EFL_RF;
}

void help_sysret(CpuX86 *c, uint32_t size, uint64_t rcx, uint64_t r11)
{
    uint16_t selector = c->star >> 48;
    uint32_t old = c->eflags;
    uint64_t from = origin(c, MIMUS_SYSRET);

    if (!(c->efer & EFER_SCE))
        x86_raise(c, EXCP_UD);
    if (!(c->cr0 & CR0_PE) || x86_cpl(c) != 0)
        raise_gp(c, 0);
    if (is_long(c) && (r11 & EFL_TF) && !(c->eflags & EFL_TF))
        cpu_sync_state(&c->cpu); /* it ends with a trap */
    if (is_long(c)) {
        set_flat_cs(c, size == 3 ? selector + 16 : selector, 3, size == 3);
        c->cpu.pc = size == 3 ? rcx : (uint32_t)rcx;
        x86_set_eflags(c, (uint32_t)r11, 0x3c7fd7 & ~(uint32_t)EFL_RF);
    } else {
        set_flat_cs(c, selector, 3, false);
        c->cpu.pc = (uint32_t)rcx;
        x86_set_eflags(c, EFL_IF, EFL_IF);
    }
    set_flat_ss(c, selector + 8, 3);
    x86_update_mode(c);
    if (cpu_tells(&c->common, MIMUS_SYSRET))
        x86_tell_transfer(c, MIMUS_SYSRET, from, 0);
    if ((c->eflags & ~old & EFL_TF)) {
        c->dr[6] |= DR6_BS;
        x86_raise_trap(c, EXCP_DB, c->cpu.pc);
    }
    x86_settle_context(c);
    if ((c->eflags & EFL_IF) && c->cpu.interrupt_request)
        cpu_look(&c->cpu);
}

uint64_t help_sysenter(CpuX86 *c)
{
    uint16_t selector = c->sysenter_cs;
    uint64_t from = origin(c, MIMUS_SYSCALL);

    if (!(c->cr0 & CR0_PE) || selector_is_null(selector))
        raise_gp(c, 0);
    x86_set_eflags(c, 0, EFL_VM | EFL_IF | EFL_RF);
    set_flat_cs(c, selector, 0, is_long(c));
    set_flat_ss(c, selector + 8, 0);
    x86_update_mode(c);
    c->cpu.pc = is_long(c) ? c->sysenter_eip : (uint32_t)c->sysenter_eip;
    if (cpu_tells(&c->common, MIMUS_SYSCALL))
        x86_tell_transfer(c, MIMUS_SYSCALL, from, (uint8_t)c->regs[R_RAX]);
    return is_long(c) ? c->sysenter_esp : (uint32_t)c->sysenter_esp;
}

void help_sysexit(CpuX86 *c, uint32_t size, uint64_t rcx, uint64_t rdx)
{
    uint16_t selector = c->sysenter_cs;
    bool to64 = size == 3;
    uint64_t from = origin(c, MIMUS_SYSRET);

    if (!(c->cr0 & CR0_PE) || selector_is_null(selector) || x86_cpl(c) != 0)
        raise_gp(c, 0);
    if (to64 && (!x86_is_canonical(c, rcx) || !x86_is_canonical(c, rdx)))
        raise_gp(c, 0);
    set_flat_cs(c, selector + (to64 ? 32 : 16), 3, to64);
    set_flat_ss(c, selector + (to64 ? 40 : 24), 3);
    x86_update_mode(c);
    c->cpu.pc = to64 ? rdx : (uint32_t)rdx;
    if (cpu_tells(&c->common, MIMUS_SYSRET))
        x86_tell_transfer(c, MIMUS_SYSRET, from, 0);
}
