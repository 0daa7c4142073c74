/* SPDX-License-Identifier: MIT */
/*
 * Near control transfer: Jcc, JMP, CALL, RET, LOOP, JCXZ. Targets are cut to the operand size; in
 * 64-bit mode that is always 64 bits (as Intel's processors do it). Far transfers: gen-system.c.
 */
#include "target-i386/gen.h"

#include "target-i386/translate.h"

void gen_jcc(Dis *d, Insn *i)
{
    IrRef taken = flags_cc(d, i->opcode & 15);
    check_branch(d, i, taken);
    leave_branch_if(d, i, taken, i->imm);
}

void gen_jmp(Dis *d, Insn *i)
{
    check_branch(d, i, IR_NONE);
    if (!follow_branch(d, i, i->imm))
        leave_branch(d, i, i->imm);
}

static IrRef load_target(Dis *d, Insn *i)
{
    IrRef pc = addr_wrap(d, op_load(d, i, 0), op_type(i, 0));
    check_target(d, pc, IR_NONE);
    return pc;
}

void gen_jmp_ind(Dis *d, Insn *i)
{
    IrRef target = load_target(d, i);
    check_canonical_step(d, target);
    leave_near(d, target, JUMP_INDIRECT, 0);
}

static void push_return(Dis *d, Insn *i)
{
    IrType type = (IrType)i->osize;
    IrRef pc = pc_next(d);
    Stack s = stack_begin(d);
    stack_push(d, &s, type == I64 ? pc : ir_trunc(d->ir, type, pc));
    stack_commit(d, &s);
}

void gen_call(Dis *d, Insn *i)
{
    check_branch(d, i, IR_NONE);
    push_return(d, i);
    leave_branch(d, i, i->imm);
}

void gen_call_ind(Dis *d, Insn *i)
{
    IrRef target = load_target(d, i);
    if (d->is64) /* before anything is pushed */
        check_canonical(d, target);
    push_return(d, i);
    leave_near(d, target, JUMP_CALL, 8);
}

void gen_ret(Dis *d, Insn *i)
{
    IrType type = (IrType)i->osize;
    Stack s = stack_begin(d);
    IrRef pc = addr_wrap(d, stack_pop(d, &s, type), type);
    check_target(d, pc, IR_NONE);
    check_canonical_step(d, pc);
    s.delta += (int32_t)i->imm;
    stack_commit(d, &s);
    leave_near(d, pc, JUMP_RET, -s.delta);
}

/* LOOPNE (E0), LOOPE (E1), LOOP (E2): the count register is as wide as addresses. */
void gen_loop(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType type = (IrType)i->asize;
    IrRef count = ir_addi(ir, reg_get(d, type, R_RCX), -1);
    IrRef taken = ir_setcond(ir, COND_NE, count, ir_const(ir, type, 0));
    if (i->opcode != 0xe2)
        taken = bool_and(d, taken, flags_cc(d, i->opcode == 0xe0 ? CC_NZ : CC_Z));
    check_branch(d, i, taken);
    reg_set(d, type, R_RCX, count);
    leave_branch_if(d, i, taken, i->imm);
}

void gen_jcxz(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType type = (IrType)i->asize;
    IrRef zero = ir_const(ir, type, 0);
    IrRef taken = ir_setcond(ir, COND_EQ, reg_get(d, type, R_RCX), zero);
    check_branch(d, i, taken);
    leave_branch_if(d, i, taken, i->imm);
}
