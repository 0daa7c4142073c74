/* SPDX-License-Identifier: MIT */
/*
 * Segment registers, descriptors, and control transfer through them: helpers do the work and
 * leave the new pc in its slot. A load of a data segment changes the mode outside 64-bit mode only.
 */
#include "target-i386/gen.h"

#include "target-i386/translate.h"

/* log2 of the operand size, as helpers take it. */
static IrRef osize(Dis *d, const Insn *i)
{
    return const32(d, i->osize - I8);
}

static IrRef zext32(Dis *d, IrRef v)
{
    return ir_type(d->ir, v) == I32 ? v : ir_zext(d->ir, I32, v);
}

static IrRef zext64(Dis *d, IrRef v)
{
    return ir_type(d->ir, v) == I64 ? v : ir_zext(d->ir, I64, v);
}

/* Go on where the helper has said. */
static void leave_to_slot(Dis *d)
{
    leave_jump(d, ir_get(d->ir, I64, SLOT_PC, 0), JUMP_INDIRECT);
}

/* ---- JMP, CALL, RET, IRET, INT n ------------------------------------------------------------ */

static void far_transfer(Dis *d, Insn *i, unsigned helper, IrRef selector, IrRef offset)
{
    ir_call(d->ir, helper, selector, offset, osize(d, i), pc_next(d));
    leave_to_slot(d);
}

static void far_direct(Dis *d, Insn *i, unsigned helper)
{
    far_transfer(d, i, helper, const32(d, (uint32_t)i->imm2), const64(d, (uint64_t)i->imm));
}

static void far_indirect(Dis *d, Insn *i, unsigned helper)
{
    unsigned size = ir_type_info[i->osize].bytes;
    Mem m = mem_operand(d, i, size + 2, false);
    IrRef offset = zext64(d, mem_ld(d, m, (IrType)i->osize, 0));
    IrRef selector = zext32(d, mem_ld(d, m, I16, (int32_t)size));

    far_transfer(d, i, helper, selector, offset);
}

void gen_jmp_far(Dis *d, Insn *i)
{
    far_direct(d, i, HELP_jmp_far);
}

void gen_jmp_far_ind(Dis *d, Insn *i)
{
    far_indirect(d, i, HELP_jmp_far);
}

void gen_call_far(Dis *d, Insn *i)
{
    far_direct(d, i, HELP_call_far);
}

void gen_call_far_ind(Dis *d, Insn *i)
{
    far_indirect(d, i, HELP_call_far);
}

void gen_ret_far(Dis *d, Insn *i)
{
    call2(d, HELP_ret_far, osize(d, i), const32(d, i->nops ? (uint32_t)i->imm & 0xffff : 0));
    leave_to_slot(d);
}

void gen_iret(Dis *d, Insn *i)
{
    call2(d, HELP_iret, osize(d, i), pc_next(d));
    leave_to_slot(d);
}

void gen_int(Dis *d, Insn *i)
{
    call2(d, HELP_int, const32(d, (uint32_t)i->imm & 0xff), pc_next(d));
    d->step = STEP_QUIET;
    leave_to_slot(d);
}

void gen_int3(Dis *d, Insn *i)
{
    call2(d, HELP_int_soft, const32(d, EXCP_BP), pc_next(d));
    leave_never(d);
}

void gen_into(Dis *d, Insn *i)
{
    call1(d, HELP_into, pc_next(d));
}

void gen_int1(Dis *d, Insn *i)
{
    call1(d, HELP_int1, pc_next(d));
    leave_never(d);
}

/* ---- Fast system calls ---------------------------------------------------------------------- */

/* 64-bit code in no unusual mode: short helpers, and what they decline is done by itself. */
static bool is_quick(const Dis *d)
{
    return d->is64 && !(d->mode & (X86_MODE_TF | X86_MODE_INHIBIT | X86_MODE_BREAKPOINTS |
                                   X86_MODE_X87_SLOW | X86_MODE_SMM));
}

/* Exits as instructions do that x87 leaves to helpers: entered again as a block of its own. */
static void decline(Dis *d, IrRef flags)
{
    IrRef declined = ir_setcond(d->ir, COND_EQ, flags, const32(d, UINT32_MAX));

    ir_exit_if(d->ir, declined, X86_EXIT_X87_SLOW);
}

static void syscall_quick(Dis *d)
{
    IrBlock *ir = d->ir;
    IrRef next = pc_next(d), rest = ir_get(ir, I32, SLOT_EFLAGS, 0);
    IrRef arith = ir_fl_pack(ir, ir_getflags(ir));
    IrRef old = ir_and(ir, ir_or(ir, arith, rest), const32(d, ~(uint32_t)EFL_RF));
    IrRef flags = call1(d, HELP_syscall_quick, arith);

    decline(d, flags);
    reg_set(d, I64, R_RCX, next);
    reg_set(d, I32, 11, old);
    ir_setflags(ir, ir_fl_packed(ir, flags));
    leave_to_slot(d);
}

void gen_syscall(Dis *d, Insn *i)
{
    IrRef next, flags;

    if (!x87_at_home(d)) /* kernels need not be translated twice */
        return;
    if (is_quick(d)) {
        syscall_quick(d);
        return;
    }
    next = pc_next(d);
    flags = call0(d, HELP_syscall);
    reg_set(d, I64, R_RCX, next);
    if (d->mode & X86_MODE_LMA)
        reg_set(d, I64, 11, flags);
    d->step = STEP_AFTER;
    leave_to_slot(d);
}

void gen_sysret(Dis *d, Insn *i)
{
    IrRef rcx = reg_get(d, I64, R_RCX), r11 = reg_get(d, I64, 11), flags;

    if (is_quick(d) && i->osize == I64 && d->cpl == 0) {
        flags = call2(d, HELP_sysret_quick, rcx, r11);
        decline(d, flags);
        ir_setflags(d->ir, ir_fl_packed(d->ir, flags));
    } else {
        call3(d, HELP_sysret, osize(d, i), rcx, r11);
    }
    d->step = STEP_AFTER;
    leave_to_slot(d);
}

void gen_sysenter(Dis *d, Insn *i)
{
    if (!x87_at_home(d))
        return;
    reg_set(d, I64, R_RSP, call0(d, HELP_sysenter));
    leave_to_slot(d);
}

void gen_sysexit(Dis *d, Insn *i)
{
    IrRef rcx = reg_get(d, I64, R_RCX);
    IrRef rsp = i->osize == I64 ? rcx : ir_zext(d->ir, I64, ir_trunc(d->ir, I32, rcx));

    call3(d, HELP_sysexit, osize(d, i), rcx, reg_get(d, I64, R_RDX));
    reg_set(d, I64, R_RSP, rsp);
    leave_to_slot(d);
}

/* ---- Segment registers ---------------------------------------------------------------------- */

static void load_seg(Dis *d, unsigned seg, IrRef selector)
{
    call2(d, HELP_load_seg, const32(d, seg), zext32(d, selector));
}

/* In 64-bit mode only the shadow of MOV SS and POP SS is part of the mode, and the next instruction
 * nearly always shares the block, within which nobody can see it. */
static bool makes_mode(const Dis *d, unsigned seg)
{
    return !d->is64 || (seg == SEG_SS && !next_shares_block(d));
}

/* After everything of the instruction is done: what follows is decoded in the new mode. */
static void after_load_seg(Dis *d, bool new_mode)
{
    if (new_mode)
        leave_jump(d, pc_next(d), JUMP_DIRECT);
}

/* MOV SS and POP SS also hold interrupts and debug traps off for one instruction. */
static void load_seg_shadowed(Dis *d, unsigned seg, IrRef selector, bool new_mode)
{
    if (seg == SEG_SS && new_mode)
        call1(d, HELP_load_ss, zext32(d, selector));
    else
        load_seg(d, seg, selector);
}

void gen_mov_from_sreg(Dis *d, Insn *i)
{
    IrRef v;

    if (i->op[1].reg >= SEG_COUNT) {
        trap_ud(d);
        return;
    }
    v = ir_get(d->ir, I16, SLOT_SEG_SELECTOR + i->op[1].reg, 0);
    op_store(d, i, 0, op_type(i, 0) == I16 ? v : ir_zext(d->ir, op_type(i, 0), v));
}

void gen_mov_to_sreg(Dis *d, Insn *i)
{
    unsigned seg = i->op[0].reg;
    bool new_mode;

    if (seg >= SEG_COUNT || seg == SEG_CS) {
        trap_ud(d);
        return;
    }
    new_mode = makes_mode(d, seg);
    load_seg_shadowed(d, seg, op_load(d, i, 1), new_mode);
    after_load_seg(d, new_mode);
}

void gen_push_sreg(Dis *d, Insn *i)
{
    IrRef v = ir_get(d->ir, I16, SLOT_SEG_SELECTOR + i->desc->arg, 0);
    Stack s = stack_begin(d);

    stack_push(d, &s, i->osize == I16 ? v : ir_zext(d->ir, (IrType)i->osize, v));
    stack_commit(d, &s);
}

void gen_pop_sreg(Dis *d, Insn *i)
{
    Stack s = stack_begin(d);
    IrRef v = stack_pop(d, &s, (IrType)i->osize);
    bool new_mode = makes_mode(d, i->desc->arg);

    load_seg_shadowed(d, i->desc->arg, i->osize == I16 ? v : ir_trunc(d->ir, I16, v), new_mode);
    stack_commit(d, &s);
    after_load_seg(d, new_mode);
}

void gen_lds(Dis *d, Insn *i)
{
    unsigned size = ir_type_info[i->osize].bytes;
    Mem m = mem_operand(d, i, size + 2, false);
    IrRef offset = mem_ld(d, m, (IrType)i->osize, 0);

    load_seg(d, i->desc->arg, mem_ld(d, m, I16, (int32_t)size));
    op_store(d, i, 0, offset);
    after_load_seg(d, !d->is64);
}

/* ---- Descriptors ---------------------------------------------------------------------------- */

static void set_zf(Dis *d, IrRef zf)
{
    ir_setflags(d->ir, ir_fl_setzf(d->ir, zf, ir_getflags(d->ir)));
}

/* The destination is written only if its RPL is raised: else nothing may fault there. */
void gen_arpl(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef dst = op_load(d, i, 0), three = ir_const(ir, I16, 3);
    IrRef rpl = ir_and(ir, op_load(d, i, 1), three);
    IrRef lower = ir_setcond(ir, COND_LTU, ir_and(ir, dst, three), rpl);
    IrRef raised = ir_or(ir, ir_and(ir, dst, ir_const(ir, I16, 0xfffc)), rpl);

    if (op_is_mem(i, 0)) {
        IrRef how =
            ir_or(ir, ir_shl(ir, zext32(d, lower), ir_const(ir, I8, 8)), const32(d, i->seg));
        call3(d, HELP_store_raised, how, mem_ea(d, i), zext32(d, raised));
    } else {
        op_store(d, i, 0, ir_select(ir, lower, raised, dst));
    }
    set_zf(d, lower);
}

static void rights_or_limit(Dis *d, Insn *i, unsigned helper)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    IrRef r = call1(d, helper, zext32(d, op_load(d, i, 1)));
    IrRef visible = ir_setcond(ir, COND_GEU, r, const64(d, 1ull << 32));
    IrType whole = type == I16 ? I16 : I64; /* what is not written stays, its upper half too */
    IrRef v = ir_trunc(ir, type == I16 ? I16 : I32, r);
    IrRef old = reg_get(d, whole, i->op[0].reg);

    if (whole == I64)
        v = ir_zext(ir, I64, v);
    reg_set(d, whole, i->op[0].reg, ir_select(ir, visible, v, old));
    set_zf(d, visible);
}

void gen_lar(Dis *d, Insn *i)
{
    rights_or_limit(d, i, HELP_lar);
}

void gen_lsl(Dis *d, Insn *i)
{
    rights_or_limit(d, i, HELP_lsl);
}

static void verify(Dis *d, Insn *i, unsigned helper)
{
    IrRef ok = call1(d, helper, zext32(d, op_load(d, i, 0)));

    set_zf(d, ir_setcond(d->ir, COND_NE, ok, const32(d, 0)));
}

void gen_verr(Dis *d, Insn *i)
{
    verify(d, i, HELP_verr);
}

void gen_verw(Dis *d, Insn *i)
{
    verify(d, i, HELP_verw);
}

/* CR4.UMIP: these are for CPL 0 only. */
static void check_umip(Dis *d)
{
    IrBlock *ir = d->ir;
    IrRef umip;

    if (d->cpl == 0)
        return;
    umip = ir_and(ir, ir_get(ir, I64, SLOT_CR4, 0), const64(d, CR4_UMIP));
    ir_trap_if(ir, ir_setcond(ir, COND_NE, umip, const64(d, 0)), X86_TRAP_ERROR(EXCP_GP, 0));
}

static void store_task_selector(Dis *d, Insn *i, bool tr)
{
    IrType type = op_type(i, 0);
    IrRef v;

    check_umip(d);
    v = call1(d, HELP_task_selector, const32(d, tr));
    op_store(d, i, 0,
             type == I32   ? v
             : type == I64 ? ir_zext(d->ir, I64, v)
                           : ir_trunc(d->ir, I16, v));
}

void gen_sldt(Dis *d, Insn *i)
{
    store_task_selector(d, i, false);
}

void gen_str(Dis *d, Insn *i)
{
    store_task_selector(d, i, true);
}

void gen_lldt(Dis *d, Insn *i)
{
    call1(d, HELP_lldt, zext32(d, op_load(d, i, 0)));
}

void gen_ltr(Dis *d, Insn *i)
{
    call1(d, HELP_ltr, zext32(d, op_load(d, i, 0)));
}

static void store_table(Dis *d, Insn *i, bool idt)
{
    unsigned size = d->is64 ? 8 : 4;
    Mem m = mem_operand(d, i, 2 + size, true);

    check_umip(d);
    check_alignment(d, m, 4);
    call3(d, HELP_sgdt, const32(d, idt), ir_addi(d->ir, m.addr, m.disp), const32(d, size));
}

void gen_sgdt(Dis *d, Insn *i)
{
    store_table(d, i, false);
}

void gen_sidt(Dis *d, Insn *i)
{
    store_table(d, i, true);
}

static void load_table(Dis *d, Insn *i, bool idt)
{
    Mem m = mem_operand(d, i, d->is64 ? 10 : 6, false);
    IrRef limit = zext32(d, mem_ld(d, m, I16, 0));
    IrRef base = zext64(d, mem_ld(d, m, d->is64 ? I64 : I32, 2));

    if (!d->is64 && i->osize == I16)
        base = ir_and(d->ir, base, const64(d, 0xffffff));
    call3(d, HELP_lgdt, const32(d, idt), base, limit);
}

void gen_lgdt(Dis *d, Insn *i)
{
    load_table(d, i, false);
}

void gen_lidt(Dis *d, Insn *i)
{
    load_table(d, i, true);
}

void gen_smsw(Dis *d, Insn *i)
{
    check_umip(d);
    op_store(d, i, 0, ir_get(d->ir, op_type(i, 0), SLOT_CR0, 0));
}

void gen_lmsw(Dis *d, Insn *i)
{
    call1(d, HELP_lmsw, zext32(d, op_load(d, i, 0)));
    leave_sync(d);
}
