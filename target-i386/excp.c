/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts: raising, combining into double and triple faults, and delivery through
 * the interrupt table of each mode. Intel SDM vol. 3A, chapter 6; vol. 2A, INT n.
 *
 * An exception is recorded, the engine's loop is entered, and the loop asks for delivery; a fault
 * during delivery is recorded in turn and meets the one that was being delivered in old_exception.
 *
 * An SMI comes before NMI and INTR; like them it waits for the end of the shadow of STI and MOV SS.
 */
#include "target-i386/excp.h"

#include <inttypes.h>

#include "softmmu/log.h"
#include "target-i386/debug.h"
#include "target-i386/paging.h"
#include "target-i386/segment.h"
#include "target-i386/trace.h"
#include "target-i386/smm.h"

/* In old_exception: an interrupt or INT n, whose vector says nothing about its class. */
#define OLD_INTERRUPT 0x100

typedef struct Event {
    int vector;
    uint32_t error;
    uint64_t return_pc;
    bool has_error;
    bool soft; /* INT n, INT3, INTO: the gate's DPL counts */
    bool fault;
    bool hardware;
} Event;

/* ---- Raising -------------------------------------------------------------------------------- */

static bool has_error_code(int vector)
{
    return vector == EXCP_DF || (vector >= EXCP_TS && vector <= EXCP_PF) || vector == EXCP_AC;
}

void x86_record_exception(CpuX86 *c, int vector, uint32_t error_code)
{
    cpu_sync_state(&c->cpu);
    if (c->old_exception >= 0 && c->delivery_ext && vector >= EXCP_TS && vector <= EXCP_GP)
        error_code |= 1;
    c->exception = vector;
    c->error_code = has_error_code(vector) ? error_code : 0;
    c->exception_is_soft = false;
    c->exception_next_pc = c->cpu.pc;
    c->common.exception_pending = true;
}

void x86_raise_error(CpuX86 *c, int vector, uint32_t error_code)
{
    x86_record_exception(c, vector, error_code);
    cpu_loop_exit(&c->cpu);
}

void x86_raise(CpuX86 *c, int vector)
{
    x86_raise_error(c, vector, 0);
}

void x86_raise_trap(CpuX86 *c, int vector, uint64_t next_pc)
{
    x86_record_exception(c, vector, 0);
    c->cpu.pc = c->exception_next_pc = next_pc;
    cpu_loop_exit(&c->cpu);
}

void x86_raise_soft(CpuX86 *c, int vector, uint64_t next_pc)
{
    x86_record_exception(c, vector, 0);
    c->exception_is_soft = true;
    c->exception_next_pc = next_pc;
    cpu_loop_exit(&c->cpu);
}

void x86_raise_fault(Cpu *cpu)
{
    CpuX86 *c = x86(cpu);

    if (c->exception == EXCP_PF)
        c->cr2 = c->fault_addr;
    x86_raise_error(c, c->exception, c->error_code);
}

void x86_raise_code(void *env, uint32_t code)
{
    x86_raise_error(env, code & 0xff, code & 0x100 ? code >> 16 : 0);
}

/* MEM_ALIGN is asked for by 16-byte vector accesses (#GP) and by everything while #AC is on. */
void x86_misaligned(Cpu *cpu, const SlowAccess *a)
{
    CpuX86 *c = x86(cpu);

    if (a->size >= 16)
        x86_raise_error(c, EXCP_GP, 0);
    if ((c->mode & X86_MODE_AC) && (a->flags & MEM_MMU_MASK) == MMU_USER)
        x86_raise_error(c, EXCP_AC, 0);
}

/* ---- Double faults (SDM table 6-5) ---------------------------------------------------------- */

static bool is_contributory(int vector)
{
    return vector == EXCP_DE || (vector >= EXCP_TS && vector <= EXCP_GP);
}

void x86_shutdown(CpuX86 *c)
{
    c->old_exception = -1;
    c->common.halted = true;
    machine_request(c->machine, REQUEST_RESET);
    cpu_kick(&c->cpu);
}

/* The exception that comes of @second during delivery of @first; -1: shutdown. */
static int combine(int first, int second)
{
    bool contributory = is_contributory(second);

    if (first == EXCP_DF && (contributory || second == EXCP_PF))
        return -1;
    if (is_contributory(first) && contributory)
        return EXCP_DF;
    if (first == EXCP_PF && (contributory || second == EXCP_PF))
        return EXCP_DF;
    return second;
}

/* ---- Log ------------------------------------------------------------------------------------ */

static void log_event(CpuX86 *c, const Event *e)
{
    static unsigned count;
    const Segment *cs = &c->segs[SEG_CS];
    g_autoptr(GString) out = g_string_new(NULL);

    g_string_append_printf(out,
                           "%6u: v=%02x e=%04x i=%d cpl=%d IP=%04x:%016" PRIx64 " pc=%016" PRIx64
                           " SP=%04x:%016" PRIx64,
                           count++, e->vector, e->error, e->soft, x86_cpl(c), cs->selector,
                           c->cpu.pc, (x86_is_64bit_code(c) ? 0 : cs->base) + c->cpu.pc,
                           c->segs[SEG_SS].selector, c->regs[R_RSP]);
    if (e->vector == EXCP_PF)
        g_string_append_printf(out, " CR2=%016" PRIx64 "\n", c->cr2);
    else
        g_string_append_printf(out, " env->regs[R_EAX]=%016" PRIx64 "\n", c->regs[R_RAX]);
    if (log_enabled(LOG_FPU))
        x86_cpu_ops.print_registers(&c->cpu, out);
    else
        x86_cpu_ops.print_core(&c->cpu, out);
    log_write(out->str);
}

/* ---- Delivery ------------------------------------------------------------------------------- */

/* The error code that names an entry of the interrupt table; EXT is added when it is raised. */
static uint32_t idt_error(int vector)
{
    return (uint32_t)vector * 8 + 2;
}

static uint32_t saved_eflags(CpuX86 *c, const Event *e)
{
    return x86_get_eflags(c) | (e->fault ? EFL_RF : 0);
}

static void deliver_real(CpuX86 *c, const Event *e)
{
    Stack86 s = stack_current(c);
    uint32_t entry;

    if (e->vector * 4 + 3u > c->idt.limit)
        x86_raise_error(c, EXCP_GP, idt_error(e->vector));
    entry = cpu_load(&c->cpu, (uint32_t)(c->idt.base + e->vector * 4), 4, MMU_KERNEL);
    stack86_push(&s, 2, x86_get_eflags(c));
    stack86_push(&s, 2, c->segs[SEG_CS].selector);
    stack86_push(&s, 2, e->return_pc);
    stack86_commit(&s);
    c->cpu.pc = entry & 0xffff;
    seg_set_real(c, SEG_CS, entry >> 16);
    x86_set_eflags(c, 0, EFL_IF | EFL_TF | EFL_AC | EFL_RF);
    x86_update_mode(c);
}

static Desc fetch_gate(CpuX86 *c, const Event *e)
{
    unsigned size = is_long(c) ? 16 : 8;
    uint64_t addr = c->idt.base + (unsigned)e->vector * size;
    uint32_t error = idt_error(e->vector);
    unsigned type;
    uint64_t v;
    Desc gate;

    if ((unsigned)e->vector * size + size - 1 > c->idt.limit)
        x86_raise_error(c, EXCP_GP, error);
    v = cpu_load(&c->cpu, is_long(c) ? addr : (uint32_t)addr, 8, MMU_KERNEL);
    gate = (Desc){ .lo = (uint32_t)v, .hi = v >> 32 };
    type = desc_type(gate);
    if ((gate.hi & ATTR_S) ||
        !(type == DESC_INT32 || type == DESC_TRAP32 ||
          (!is_long(c) && (type == DESC_TASK_GATE || type == DESC_INT16 || type == DESC_TRAP16))))
        x86_raise_error(c, EXCP_GP, error);
    if (e->soft && desc_dpl(gate) < x86_cpl(c))
        x86_raise_error(c, EXCP_GP, error);
    if (!(gate.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, error);
    return gate;
}

/* The code segment of a gate, checked; @new_cpl: the privilege it runs at. */
static Desc gate_target(CpuX86 *c, uint16_t selector, unsigned *new_cpl)
{
    uint16_t error = selector & 0xfffc;
    unsigned cpl = x86_cpl(c);
    Desc d;

    if (selector_is_null(selector))
        x86_raise_error(c, EXCP_GP, 0);
    d = desc_fetch(c, selector, EXCP_GP);
    if (!desc_is_code(d) || desc_dpl(d) > cpl)
        x86_raise_error(c, EXCP_GP, error);
    if (is_long(c) && (d.hi & (ATTR_L | ATTR_DB)) != ATTR_L)
        x86_raise_error(c, EXCP_GP, error);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, error);
    *new_cpl = desc_is_conforming(d) ? cpl : desc_dpl(d);
    if ((c->eflags & EFL_VM) && *new_cpl != 0)
        x86_raise_error(c, EXCP_GP, error);
    return d;
}

/* What all gates end with: CS, pc, and the flags that they clear. */
static void enter_handler(CpuX86 *c, uint16_t selector, Desc *cs, unsigned cpl, uint64_t pc,
                          bool interrupt_gate)
{
    uint32_t clear = EFL_TF | EFL_NT | EFL_RF | EFL_VM | (interrupt_gate ? EFL_IF : 0);

    seg_set_desc(c, SEG_CS, (selector & ~3) | cpl, *cs);
    c->cpu.pc = pc;
    c->eflags &= ~clear;
    x86_update_mode(c);
}

static void deliver_long(CpuX86 *c, const Event *e)
{
    Desc gate = fetch_gate(c, e);
    uint64_t addr = c->idt.base + (unsigned)e->vector * 16;
    uint64_t pc = cpu_load(&c->cpu, addr + 8, 4, MMU_KERNEL) << 32 | (gate.hi & 0xffff0000) |
                  (gate.lo & 0xffff);
    uint16_t selector = gate.lo >> 16;
    unsigned ist = gate.hi & 7, cpl = x86_cpl(c), new_cpl;
    Desc cs = gate_target(c, selector, &new_cpl);
    uint64_t rsp = c->regs[R_RSP];
    Stack86 s;

    if (ist)
        rsp = tss64_stack(c, 3 + ist);
    else if (new_cpl < cpl)
        rsp = tss64_stack(c, new_cpl);
    check_target_pc(c, cs, pc);
    s = stack_flat64(c, rsp & ~15ull, new_cpl);
    if (new_cpl == cpl)
        s.mmu = x86_mmu(c);
    stack86_push(&s, 8, c->segs[SEG_SS].selector);
    stack86_push(&s, 8, c->regs[R_RSP]);
    stack86_push(&s, 8, saved_eflags(c, e));
    stack86_push(&s, 8, c->segs[SEG_CS].selector);
    stack86_push(&s, 8, e->return_pc);
    if (e->has_error)
        stack86_push(&s, 8, e->error);
    desc_set_accessed(c, selector, &cs);
    if (new_cpl < cpl)
        seg_set(c, SEG_SS, new_cpl, 0, 0, new_cpl << ATTR_DPL_SHIFT);
    stack86_commit(&s);
    enter_handler(c, selector, &cs, new_cpl, pc, desc_type(gate) == DESC_INT32);
}

static void push_vm86_segments(CpuX86 *c, Stack86 *s, unsigned size)
{
    static const uint8_t regs[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };

    for (unsigned i = 0; i < G_N_ELEMENTS(regs); i++)
        stack86_push(s, size, c->segs[regs[i]].selector);
}

static void deliver_protected(CpuX86 *c, const Event *e)
{
    Desc gate = fetch_gate(c, e), cs, ss;
    bool vm86 = c->eflags & EFL_VM;
    unsigned size = desc_type(gate) & 8 ? 4 : 2, new_cpl;
    uint16_t selector = gate.lo >> 16, ss_selector = 0;
    uint32_t pc = gate.lo & 0xffff;
    bool inner;
    Stack86 s;

    if (desc_type(gate) == DESC_TASK_GATE) {
        x86_set_eflags(c, saved_eflags(c, e), EFL_RF); /* for the old task's TSS */
        task_switch(c, task_gate_selector(gate), TASK_CALL, e->return_pc,
                    e->has_error ? (int64_t)e->error : -1);
        return;
    }
    if (size == 4)
        pc |= gate.hi & 0xffff0000;
    cs = gate_target(c, selector, &new_cpl);
    inner = new_cpl < x86_cpl(c);
    s = inner ? stack_from_tss(c, new_cpl, &ss_selector, &ss) : stack_current(c);
    check_target_pc(c, cs, pc);
    if (vm86)
        push_vm86_segments(c, &s, size);
    if (inner) {
        stack86_push(&s, size, c->segs[SEG_SS].selector);
        stack86_push(&s, size, c->regs[R_RSP]);
    }
    stack86_push(&s, size, saved_eflags(c, e));
    stack86_push(&s, size, c->segs[SEG_CS].selector);
    stack86_push(&s, size, e->return_pc);
    if (e->has_error)
        stack86_push(&s, size, e->error);
    desc_set_accessed(c, selector, &cs);
    if (inner) {
        desc_set_accessed(c, ss_selector, &ss);
        seg_set_desc(c, SEG_SS, ss_selector, ss);
    }
    if (vm86) {
        seg_set_null(c, SEG_GS, 0);
        seg_set_null(c, SEG_FS, 0);
        seg_set_null(c, SEG_DS, 0);
        seg_set_null(c, SEG_ES, 0);
    }
    stack86_commit(&s);
    enter_handler(c, selector, &cs, new_cpl, pc, !(desc_type(gate) & 1));
}

static void tell_interrupt(CpuX86 *c, const Event *e, uint64_t from)
{
    MimusEvent out = { .kind = MIMUS_INTERRUPT, .pc = from };

    out.trap.from = from;
    out.trap.to = x86_linear_pc(c);
    out.trap.vector = (uint8_t)e->vector;
    out.trap.has_error = e->has_error;
    out.trap.error = e->has_error ? e->error : 0;
    out.trap.hardware = e->hardware;
    out.trap.software = e->soft;
    cpu_tell(&c->cpu, &out);
}

static void deliver(CpuX86 *c, const Event *e)
{
    if (!(c->mode & X86_MODE_BREAKPOINTS) && cpu_charged_count(&c->cpu) != c->rf_count)
        c->eflags &= ~(uint32_t)EFL_RF; /* an instruction has been executed since */
    uint64_t from = (x86_is_64bit_code(c) ? 0 : c->segs[SEG_CS].base) + e->return_pc;
    c->old_exception = e->soft || e->hardware ? OLD_INTERRUPT : e->vector;
    c->delivery_ext = !e->soft;
    if (log_enabled(LOG_INT))
        log_event(c, e);
    if (e->vector == EXCP_DB && !e->soft) {
        c->dr[7] &= ~(uint64_t)DR7_GD;
        c->debugctl &= ~(uint64_t)DEBUGCTL_BTF;
    }
    if (!(c->cr0 & CR0_PE))
        deliver_real(c, e);
    else if (is_long(c))
        deliver_long(c, e);
    else
        deliver_protected(c, e);
    c->old_exception = -1;
    if (cpu_tells(&c->common, MIMUS_INTERRUPT))
        tell_interrupt(c, e, from);
}

static void wake(CpuX86 *c)
{
    if (c->common.halted && cpu_tells(&c->common, MIMUS_WAKE)) {
        MimusEvent e = { .kind = MIMUS_WAKE };
        cpu_tell(&c->cpu, &e);
    }
    c->common.halted = false;
    if (c->mwait)
        c->common.monitor = 0;
    c->mwait = false;
}

void x86_deliver_exception(Cpu *cpu)
{
    CpuX86 *c = x86(cpu);
    Event e = { .vector = c->exception,
                .error = c->error_code,
                .soft = c->exception_is_soft,
                .return_pc = c->exception_next_pc };

    c->common.exception_pending = false;
    wake(c);
    if (c->inhibit || c->x87_slow || c->debug_step) { /* of the instruction that has faulted */
        c->x87_slow = c->debug_step = false;
        c->inhibit = c->debug_hits = 0;
        x86_update_mode(c);
    }
    if (c->old_exception >= 0) {
        int vector = combine(c->old_exception, e.vector);

        if (log_enabled(LOG_INT))
            log_printf("check_exception old: 0x%x new 0x%x\n", c->old_exception, e.vector);
        if (vector < 0) {
            if (log_enabled(LOG_INT | LOG_CPU))
                log_printf("Triple fault\n");
            x86_shutdown(c);
            return;
        }
        if (vector == EXCP_DF && e.vector != EXCP_DF) {
            e.vector = EXCP_DF;
            e.error = 0;
        }
    }
    e.has_error = !e.soft && has_error_code(e.vector) && (c->cr0 & CR0_PE);
    e.fault = !e.soft && e.vector != EXCP_DB && e.vector != EXCP_BP && e.vector != EXCP_OF &&
              e.vector != EXCP_NMI;
    deliver(c, &e);
}

void x86_vm86_redirect(CpuX86 *c, int vector, uint64_t next_pc)
{
    bool iopl3 = (c->eflags & EFL_IOPL) == EFL_IOPL;
    uint32_t flags = x86_get_eflags(c), clear = EFL_TF | EFL_NT | (iopl3 ? EFL_IF : EFL_VIF);
    Stack86 s = stack_current(c);
    uint32_t entry = cpu_load(&c->cpu, (unsigned)vector * 4, 4, x86_mmu(c));

    if (!iopl3) {
        flags = (flags & ~(uint32_t)EFL_IF) | EFL_IOPL;
        if (c->eflags & EFL_VIF)
            flags |= EFL_IF;
    }
    stack86_push(&s, 2, flags);
    stack86_push(&s, 2, c->segs[SEG_CS].selector);
    stack86_push(&s, 2, next_pc);
    stack86_commit(&s);
    c->cpu.pc = entry & 0xffff;
    seg_set_vm86(c, SEG_CS, entry >> 16);
    x86_set_eflags(c, 0, clear);
    x86_update_mode(c);
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

static void take(CpuX86 *c, int vector)
{
    Event e = { .vector = vector, .hardware = true, .return_pc = c->cpu.pc };

    wake(c);
    deliver(c, &e);
}

static void take_init(CpuX86 *c)
{
    BoardOps *board = &c->machine->board;

    /* A start-up IPI that came after INIT is taken next; one that came before it is gone already
     * (bus_raise_init). */
    c->cpu.interrupt_request &= ~(uint32_t)(CPU_INT_INIT | CPU_INT_NMI | CPU_INT_SMI);
    x86_cpu_reset(c, true);
    if (board->apic_reset)
        board->apic_reset(board->opaque, c->common.index, true);
}

static void take_sipi(CpuX86 *c)
{
    c->cpu.interrupt_request &= ~(uint32_t)CPU_INT_SIPI;
    if (!c->sipi_wait)
        return;
    c->sipi_wait = false;
    c->common.halted = false;
    c->cpu.pc = 0;
    seg_set(c, SEG_CS, (uint16_t)(c->sipi_vector << 8), (uint64_t)c->sipi_vector << 12, 0xffff,
            ATTR_P | ATTR_S | ATTR_CODE | ATTR_RW | ATTR_A);
    x86_update_mode(c);
}

static bool take_hard(CpuX86 *c)
{
    BoardOps *board = &c->machine->board;
    int vector = board->acknowledge ? board->acknowledge(board->opaque, c->common.index) : -1;

    if (vector < 0)
        return false;
    if (log_enabled(LOG_INT))
        log_printf("Servicing hardware INT=0x%02x\n", vector);
    take(c, vector);
    return true;
}

/* Without any event being taken: a store to the monitored line, or an interrupt that is masked. */
static bool ends_mwait(const CpuX86 *c, uint32_t request)
{
    return c->common.halted && c->mwait &&
           ((request & CPU_INT_WAKE) || ((request & CPU_INT_HARD) && c->mwait_masked));
}

bool x86_deliver_interrupt(Cpu *cpu)
{
    CpuX86 *c = x86(cpu);
    uint32_t request = cpu->interrupt_request;

    if (request & CPU_INT_MCE) {
        cpu_reset_interrupt(cpu, CPU_INT_MCE);
        take(c, EXCP_MC);
        return true;
    }
    if (ends_mwait(c, request)) {
        cpu_reset_interrupt(cpu, CPU_INT_WAKE);
        wake(c);
        return true;
    }
    if ((request & CPU_INT_INIT) && !c->in_smm) {
        take_init(c);
        return true;
    }
    if (request & CPU_INT_SIPI) {
        take_sipi(c);
        return true;
    }
    if (c->sipi_wait || c->inhibit)
        return false;
    if ((request & CPU_INT_SMI) && !c->in_smm) {
        cpu_reset_interrupt(cpu, CPU_INT_SMI);
        if (log_enabled(LOG_INT))
            log_printf("SMM: enter, pc=%016" PRIx64 " SMBASE=%08x\n", cpu->pc, (uint32_t)c->smbase);
        x86_smm_enter(c);
        return true;
    }
    if ((request & CPU_INT_NMI) && !c->nmi_blocked) {
        cpu_reset_interrupt(cpu, CPU_INT_NMI);
        c->nmi_blocked = true;
        take(c, EXCP_NMI);
        return true;
    }
    return (request & CPU_INT_HARD) && (c->eflags & EFL_IF) && take_hard(c);
}

bool x86_has_work(Cpu *cpu)
{
    CpuX86 *c = x86(cpu);
    uint32_t request = cpu->interrupt_request;

    if ((request & (CPU_INT_SIPI | CPU_INT_MCE)) || ((request & CPU_INT_INIT) && !c->in_smm))
        return true;
    if (c->sipi_wait)
        return false;
    if (ends_mwait(c, request))
        return true;
    return c->common.exception_pending || ((request & CPU_INT_SMI) && !c->in_smm) ||
           ((request & CPU_INT_NMI) && !c->nmi_blocked) ||
           ((request & CPU_INT_HARD) && (c->eflags & EFL_IF));
}
