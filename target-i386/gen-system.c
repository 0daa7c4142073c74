/* SPDX-License-Identifier: MIT */
/*
 * System instructions: flags and the interrupt flag, ports, control and debug registers, TLB, MSRs,
 * counters. What kernels execute every few hundred instructions stays in the block: CLI, STI,
 * PUSHF, SWAPGS, RDFSBASE and their kin are IR, or IR around a short helper.
 *
 * An instruction that changes the mode ends with a jump to the next, which is looked up in the new
 * mode.
 */
#include "target-i386/gen.h"

#include "target-i386/help-io.h"
#include "target-i386/help.h"
#include "target-i386/translate.h"
#include "target-i386/cpuid.h"

static IrRef zext32(Dis *d, IrRef v)
{
    return ir_type(d->ir, v) == I32 ? v : ir_zext(d->ir, I32, v);
}

static IrRef zext64(Dis *d, IrRef v)
{
    return ir_type(d->ir, v) == I64 ? v : ir_zext(d->ir, I64, v);
}

/* Any integer value as @type. */
static IrRef as_type(Dis *d, IrType type, IrRef v)
{
    IrType from = ir_type(d->ir, v);

    return from == type ? v : from < type ? ir_zext(d->ir, type, v) : ir_trunc(d->ir, type, v);
}

static void leave_new_mode(Dis *d)
{
    leave_jump(d, pc_next(d), JUMP_DIRECT);
}

static IrRef is_set(Dis *d, IrType type, unsigned slot, uint64_t bit)
{
    IrBlock *ir = d->ir;
    IrRef v = ir_and(ir, ir_get(ir, type, slot, 0), ir_const(ir, type, bit));

    return ir_setcond(ir, COND_NE, v, ir_const(ir, type, 0));
}

/* EDX:EAX = v */
static void set_edx_eax(Dis *d, IrRef v)
{
    IrRef high = ir_shr(d->ir, v, ir_const(d->ir, I8, 32));

    reg_set(d, I32, R_RAX, ir_trunc(d->ir, I32, v));
    reg_set(d, I32, R_RDX, ir_trunc(d->ir, I32, high));
}

static IrRef get_edx_eax(Dis *d)
{
    IrBlock *ir = d->ir;
    IrRef high = ir_shl(ir, zext64(d, reg_get(d, I32, R_RDX)), ir_const(ir, I8, 32));

    return ir_or(ir, high, zext64(d, reg_get(d, I32, R_RAX)));
}

/* ---- Flags ---------------------------------------------------------------------------------- */

static bool iopl_ok(const Dis *d)
{
    return d->mode & X86_MODE_IOPL_OK;
}

void gen_pushf(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    Stack s = stack_begin(d);
    IrRef v;

    if ((d->mode & X86_MODE_VM86) && !iopl_ok(d)) {
        v = call1(d, HELP_pushf, const32(d, i->osize - I8));
    } else {
        IrRef rest =
            ir_and(ir, ir_get(ir, I32, SLOT_EFLAGS, 0), const32(d, ~(uint32_t)(EFL_VM | EFL_RF)));
        v = ir_or(ir, ir_fl_pack(ir, ir_getflags(ir)), rest);
    }
    stack_push(d, &s, as_type(d, (IrType)i->osize, v));
    stack_commit(d, &s);
}

void gen_popf(Dis *d, Insn *i)
{
    Stack s = stack_begin(d);
    IrRef v = stack_pop(d, &s, (IrType)i->osize);

    call2(d, HELP_popf, zext64(d, v), const32(d, i->osize - I8));
    stack_commit(d, &s);
    leave_new_mode(d);
}

/* A block that has executed STI must look at interrupts before it executes CLI: between the two
 * there may be the only window. None opens if CLI is in STI's shadow. */
static void interrupt_window(Dis *d)
{
    if (!d->sti_seen || d->offset == d->sti_shadow)
        return;
    ir_exit_if(d->ir, is_set(d, I32, SLOT_INTERRUPT_REQUEST, UINT32_MAX), X86_EXIT_SYNC);
}

void gen_cli(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef eflags;

    if (!iopl_ok(d)) {
        call0(d, HELP_cli);
        return;
    }
    interrupt_window(d);
    eflags = ir_get(ir, I32, SLOT_EFLAGS, 0);
    ir_set(ir, SLOT_EFLAGS, 0, ir_and(ir, eflags, const32(d, ~(uint32_t)EFL_IF)));
}

void gen_sti(Dis *d, Insn *i)
{
    if (!iopl_ok(d)) {
        call0(d, HELP_sti);
    } else if (next_shares_block(d)) {
        d->sti_waits = call0(d, HELP_sti_allowed);
        d->sti_seen = true;
        d->sti_shadow = d->next;
    } else {
        call0(d, HELP_sti_shadow);
        leave_new_mode(d);
    }
}

static void set_ac(Dis *d, bool ac)
{
    if (d->cpl != 0) {
        trap_ud(d);
        return;
    }
    call1(d, HELP_set_ac, const32(d, ac));
    leave_new_mode(d);
}

void gen_stac(Dis *d, Insn *i)
{
    set_ac(d, true);
}

void gen_clac(Dis *d, Insn *i)
{
    set_ac(d, false);
}

void gen_hlt(Dis *d, Insn *i)
{
    leave_exit(d, pc_next(d), X86_EXIT_HALT);
}

/* ---- Ports ---------------------------------------------------------------------------------- */

static IrRef bytes_of(Dis *d, IrType type)
{
    return const32(d, ir_type_info[type].bytes);
}

/* Counted time goes on by what the access takes, and the turn may end with it. */
static void leave_counted(Dis *d)
{
    if (cpu_counts_time(&d->cpu->cpu))
        leave_next(d);
}

void gen_in(Dis *d, Insn *i)
{
    IrType type = op_type(i, 0);
    IrRef v = call2(d, HELP_in, zext32(d, op_load(d, i, 1)), bytes_of(d, type));

    op_store(d, i, 0, as_type(d, type, v));
    leave_counted(d);
}

/* A port may change what is mapped where (A20, PAM), so the code that follows is looked up anew. */
void gen_out(Dis *d, Insn *i)
{
    IrRef port = zext32(d, op_load(d, i, 0)), v = zext32(d, op_load(d, i, 1));

    call3(d, HELP_out, port, v, bytes_of(d, op_type(i, 1)));
    leave_new_mode(d);
}

static void string_io(Dis *d, Insn *i, uint32_t how)
{
    IrType type = i->opcode & 1 ? (i->osize == I16 ? I16 : I32) : I8;
    IrRef done;

    how |= (uint32_t)(type - I8) << STRING_SIZE_SHIFT | (uint32_t)i->asize << STRING_ASIZE_SHIFT |
           (uint32_t)i->seg << STRING_SEG_SHIFT;
    if (i->rep)
        how |= STRING_IO_REP;
    if (d->mode & (X86_MODE_TF | X86_MODE_BREAKPOINTS))
        how |= STRING_SINGLE;
    done = call1(d, HELP_string_io, const32(d, how));
    if (i->rep)
        leave_branch_again_if(d, ir_setcond(d->ir, COND_EQ, done, const32(d, 0)));
}

void gen_ins(Dis *d, Insn *i)
{
    string_io(d, i, 0);
    leave_counted(d);
}

void gen_outs(Dis *d, Insn *i)
{
    string_io(d, i, STRING_IO_OUT);
    if (!i->rep)
        leave_new_mode(d);
    else
        leave_counted(d);
}

/* ---- Control and debug registers ------------------------------------------------------------- */

static bool is_cr(unsigned n)
{
    return n == 0 || n == 2 || n == 3 || n == 4 || n == 8;
}

void gen_mov_from_cr(Dis *d, Insn *i)
{
    static const uint8_t slots[] = { SLOT_CR0, 0, SLOT_CR2, SLOT_CR3, SLOT_CR4 };
    unsigned n = i->op[1].reg;
    IrRef v;

    if (!is_cr(n)) {
        trap_ud(d);
        return;
    }
    v = n == 8 ? call0(d, HELP_read_cr8) : ir_get(d->ir, I64, slots[n], 0);
    op_store(d, i, 0, as_type(d, op_type(i, 0), v));
}

void gen_mov_to_cr(Dis *d, Insn *i)
{
    unsigned n = i->op[0].reg;

    if (!is_cr(n)) {
        trap_ud(d);
        return;
    }
    call2(d, HELP_write_cr, const32(d, n), zext64(d, op_load(d, i, 1)));
    if (n == 8)
        leave_next(d);
    else
        leave_new_mode(d);
}

void gen_mov_from_dr(Dis *d, Insn *i)
{
    unsigned n = i->op[1].reg;

    if (n > 7) {
        trap_ud(d);
        return;
    }
    op_store(d, i, 0, as_type(d, op_type(i, 0), call1(d, HELP_read_dr, const32(d, n))));
}

void gen_mov_to_dr(Dis *d, Insn *i)
{
    unsigned n = i->op[0].reg;

    if (n > 7) {
        trap_ud(d);
        return;
    }
    call2(d, HELP_write_dr, const32(d, n), zext64(d, op_load(d, i, 1)));
    leave_new_mode(d);
}

void gen_clts(Dis *d, Insn *i)
{
    call0(d, HELP_clts);
    leave_new_mode(d);
}

/* Guest caches are not modelled: memory is always coherent. */
void gen_invd(Dis *d, Insn *i)
{
}

void gen_wbinvd(Dis *d, Insn *i)
{
}

void gen_invlpg(Dis *d, Insn *i)
{
    Mem m = mem_operand(d, i, 0, false);

    call1(d, HELP_invlpg, ir_addi(d->ir, m.addr, m.disp));
    leave_new_mode(d);
}

void gen_invpcid(Dis *d, Insn *i)
{
    Mem m = mem_operand(d, i, 16, false);
    IrRef pcid, addr;

    if (d->cpl != 0) {
        trap_gp0(d);
        return;
    }
    pcid = mem_ld(d, m, I64, 0);
    addr = mem_ld(d, m, I64, 8);
    call3(d, HELP_invpcid, zext64(d, op_load(d, i, 0)), pcid, addr);
    leave_new_mode(d);
}

/* ---- Counters, CPUID, MSRs, XCR0 --------------------------------------------------------------
 */

static IrRef read_tsc(Dis *d)
{
    const CpuX86 *c = d->cpu;

    if (d->cpl != 0)
        ir_trap_if(d->ir, is_set(d, I64, SLOT_CR4, CR4_TSD), X86_TRAP_ERROR(EXCP_GP, 0));
    if (cpu_has_host_clock(&d->cpu->cpu) && c->tsc_hz == NS_PER_SEC)
        return call0(d, HELP_rdtsc_host);
    if (cpu_counts_time(&d->cpu->cpu) && c->tsc_hz == NS_PER_SEC && d->nlefts < LEFTS)
        return call1(d, HELP_rdtsc_counted, insns_left(d));
    return call0(d, HELP_rdtsc);
}

void gen_rdtsc(Dis *d, Insn *i)
{
    set_edx_eax(d, read_tsc(d));
}

void gen_rdtscp(Dis *d, Insn *i)
{
    set_edx_eax(d, read_tsc(d));
    reg_set(d, I32, R_RCX, ir_get(d->ir, I32, SLOT_TSC_AUX, 0));
}

void gen_rdpmc(Dis *d, Insn *i)
{
    set_edx_eax(d, call1(d, HELP_rdpmc, reg_get(d, I32, R_RCX)));
}

void gen_rdpid(Dis *d, Insn *i)
{
    op_store(d, i, 0, as_type(d, op_type(i, 0), ir_get(d->ir, I64, SLOT_TSC_AUX, 0)));
}

/* There is always a number: CF is 1. */
static void random_to(Dis *d, Insn *i)
{
    IrRef v = call0(d, HELP_random);

    op_store(d, i, 0, as_type(d, op_type(i, 0), v));
    ir_setflags(d->ir, ir_fl_packed(d->ir, const32(d, FLAG_CF)));
}

void gen_rdrand(Dis *d, Insn *i)
{
    random_to(d, i);
}

void gen_rdseed(Dis *d, Insn *i)
{
    random_to(d, i);
}

void gen_cpuid(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef low = call2(d, HELP_cpuid, reg_get(d, I32, R_RAX), reg_get(d, I32, R_RCX));
    IrRef high = ir_get(ir, I64, SLOT_CPUID_HIGH, 0), by = ir_const(ir, I8, 32);

    reg_set(d, I32, R_RAX, ir_trunc(ir, I32, low));
    reg_set(d, I64, R_RBX, ir_shr(ir, low, by));
    reg_set(d, I32, R_RCX, ir_trunc(ir, I32, high));
    reg_set(d, I64, R_RDX, ir_shr(ir, high, by));
}

void gen_rdmsr(Dis *d, Insn *i)
{
    set_edx_eax(d, call1(d, HELP_rdmsr, reg_get(d, I32, R_RCX)));
}

/* No MSR is part of the mode. One may make an interrupt deliverable, which the next block sees. */
void gen_wrmsr(Dis *d, Insn *i)
{
    call2(d, HELP_wrmsr, reg_get(d, I32, R_RCX), get_edx_eax(d));
    leave_next(d);
}

static bool check_osxsave(Dis *d)
{
    if (!(d->mode & X86_MODE_OSXSAVE))
        trap_ud(d);
    return !d->ended;
}

void gen_xgetbv(Dis *d, Insn *i)
{
    if (check_osxsave(d))
        set_edx_eax(d, call2(d, HELP_xgetbv, reg_get(d, I32, R_RCX), ir_getmxcsr(d->ir)));
}

void gen_xsetbv(Dis *d, Insn *i)
{
    if (!check_osxsave(d))
        return;
    call2(d, HELP_xsetbv, reg_get(d, I32, R_RCX), get_edx_eax(d));
    leave_sync(d);
}

void gen_rdpkru(Dis *d, Insn *i)
{
    set_edx_eax(d, call1(d, HELP_rdpkru, zext64(d, reg_get(d, I32, R_RCX))));
}

void gen_wrpkru(Dis *d, Insn *i)
{
    call2(d, HELP_wrpkru, zext64(d, reg_get(d, I32, R_RCX)), get_edx_eax(d));
    leave_new_mode(d);
}

void gen_rsm(Dis *d, Insn *i)
{
    if (!(d->mode & X86_MODE_SMM)) {
        trap_ud(d);
        return;
    }
    call0(d, HELP_rsm);
    d->step = STEP_QUIET;
    leave_jump(d, ir_get(d->ir, I64, SLOT_PC, 0), JUMP_INDIRECT);
}

/* RCX as wide as the mode has it. */
static IrRef monitor_extensions(Dis *d)
{
    return zext64(d, reg_get(d, d->is64 ? I64 : I32, R_RCX));
}

void gen_monitor(Dis *d, Insn *i)
{
    IrType size = (IrType)i->asize;
    IrRef addr;
    Mem m;

    if (d->cpl != 0) {
        trap_ud(d);
        return;
    }
    call0(d, HELP_monitor_on);
    m = mem_seg(d, i->seg, addr_wrap(d, reg_get(d, size, R_RAX), size), 1, false);
    mem_ld(d, m, I8, 0);
    addr = ir_addi(d->ir, m.addr, m.disp);
    call2(d, HELP_monitor, addr, monitor_extensions(d));
}

/* Hints (EAX) say how deep to sleep: there is one depth. */
void gen_mwait(Dis *d, Insn *i)
{
    if (d->cpl != 0) {
        trap_ud(d);
        return;
    }
    call0(d, HELP_monitor_on);
    call1(d, HELP_mwait, monitor_extensions(d));
    leave_exit(d, pc_next(d), X86_EXIT_MWAIT);
}

/* ---- FS and GS bases ------------------------------------------------------------------------- */

void gen_swapgs(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef gs = ir_get(ir, I64, SLOT_SEG_BASE + SEG_GS, 0);
    IrRef kernel = ir_get(ir, I64, SLOT_KERNEL_GS_BASE, 0);

    ir_set(ir, SLOT_SEG_BASE + SEG_GS, 0, kernel);
    ir_set(ir, SLOT_KERNEL_GS_BASE, 0, gs);
}

static void check_fsgsbase(Dis *d)
{
    IrRef off = bool_not(d, is_set(d, I64, SLOT_CR4, CR4_FSGSBASE));

    ir_trap_if(d->ir, off, X86_TRAP(EXCP_UD));
}

static void read_base(Dis *d, Insn *i, unsigned seg)
{
    check_fsgsbase(d);
    op_store(d, i, 0, as_type(d, op_type(i, 0), ir_get(d->ir, I64, SLOT_SEG_BASE + seg, 0)));
}

static void write_base(Dis *d, Insn *i, unsigned seg)
{
    IrBlock *ir = d->ir;
    IrRef v = zext64(d, op_load(d, i, 0));
    bool la57 = x86_words_have(d->cpu->features, CPUID_7_0_ECX, CPUID_LA57);
    IrRef by = ir_const(ir, I8, la57 ? 7 : 16); /* x86_is_canonical_base() */
    IrRef canonical = ir_sar(ir, ir_shl(ir, v, by), by);

    check_fsgsbase(d);
    ir_trap_if(ir, ir_setcond(ir, COND_NE, v, canonical), X86_TRAP_ERROR(EXCP_GP, 0));
    ir_set(ir, SLOT_SEG_BASE + seg, 0, v);
}

void gen_rdfsbase(Dis *d, Insn *i)
{
    read_base(d, i, SEG_FS);
}

void gen_rdgsbase(Dis *d, Insn *i)
{
    read_base(d, i, SEG_GS);
}

void gen_wrfsbase(Dis *d, Insn *i)
{
    write_base(d, i, SEG_FS);
}

void gen_wrgsbase(Dis *d, Insn *i)
{
    write_base(d, i, SEG_GS);
}
