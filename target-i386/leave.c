/* SPDX-License-Identifier: MIT */
/*
 * The program counter and the ends of a block: jumps, exits and traps. CS's limit, and what is
 * canonical, are checked for near targets (SDM vol. 3, 5.3, and vol. 1, 3.3.7.1).
 */
#include "target-i386/block.h"

IrRef pc_plus(Dis *d, int64_t offset, IrType width)
{
    IrRef vbase = ir_get(d->ir, I64, SLOT_VBASE, 0);
    return addr_wrap(d, ir_addi(d->ir, vbase, offset), width);
}

IrRef pc_at(Dis *d, uint32_t offset)
{
    return pc_plus(d, offset, d->is64 ? I64 : I32);
}

/* The bits from the topmost of an address on are neither all 0 nor all 1. */
static IrRef is_not_canonical(Dis *d, IrRef pc)
{
    IrBlock *ir = d->ir;
    IrRef top = ir_sar(ir, pc, ir_const(ir, I8, d->mode & X86_MODE_LA57 ? 56 : 47));

    return ir_setcond(ir, COND_GTU, ir_addi(ir, top, 1), const64(d, 1));
}

void check_target(Dis *d, IrRef pc, IrRef cond)
{
    IrBlock *ir = d->ir;
    IrRef beyond;
    if (!(d->mode & X86_MODE_CS_LIMIT))
        return;
    if (d->is64) {
        beyond = is_not_canonical(d, pc);
    } else {
        IrRef limit = ir_zext(ir, I64, ir_get(ir, I32, SLOT_SEG_LIMIT + SEG_CS, 0));
        beyond = ir_setcond(ir, COND_GTU, pc, limit);
    }
    ir_trap_if(ir, cond == IR_NONE ? beyond : bool_and(d, cond, beyond),
               X86_TRAP_ERROR(EXCP_GP, 0));
}

void check_branch(Dis *d, Insn *i, IrRef cond)
{
    if (d->mode & X86_MODE_CS_LIMIT)
        check_target(d, pc_plus(d, d->next + i->imm, (IrType)i->osize), cond);
}

IrRef pc_next(Dis *d)
{
    return pc_at(d, d->next);
}

IrRef pc_here(Dis *d)
{
    return pc_at(d, d->offset);
}

/* @branched: a value that is true if the instruction has branched, or IR_NONE. */
static void set_step(Dis *d, IrRef branched)
{
    IrBlock *ir = d->ir;
    d->step |= STEP_DONE | (d->mode & X86_MODE_TF ? STEP_TF : 0);
    IrRef step = ir_const(ir, I8, d->step);
    if (branched != IR_NONE)
        step = ir_select(ir, branched, ir_const(ir, I8, d->step | STEP_BRANCH), step);
    ir_set(ir, SLOT_STEP, 0, step);
    ir_set(ir, SLOT_STEP_NEXT, 0, pc_next(d));
}

static void leave_step(Dis *d, IrRef pc, uint32_t reason, IrRef branched)
{
    IrBlock *ir = d->ir;
    if (d->mode & X86_MODE_INHIBIT) {
        IrRef mode = ir_get(ir, I32, SLOT_MODE, 0);
        ir_set(ir, SLOT_INHIBIT, 0, ir_const(ir, I8, 0));
        ir_set(ir, SLOT_MODE, 0, ir_and(ir, mode, const32(d, ~(uint32_t)X86_MODE_INHIBIT)));
    }
    if (leaves_through_c(d))
        set_step(d, branched);
    ir_set(ir, SLOT_PC, 0, pc);
    ir_exit(ir, reason);
    d->ended = true;
}

void leave_exit(Dis *d, IrRef pc, uint32_t reason)
{
    leave_step(d, pc, reason, IR_NONE);
}

void leave_sync(Dis *d)
{
    leave_exit(d, pc_next(d), X86_EXIT_SYNC);
}

/* @reason: what check_jump() is told. */
static void leave_found(Dis *d, IrRef pc, IrJumpKind kind, uint32_t reason)
{
    if (leaves_through_c(d)) {
        if (kind != JUMP_DIRECT)
            d->step |= STEP_BRANCH;
        leave_exit(d, pc, X86_EXIT_SYNC);
        return;
    }
    ir_jump(d->ir, pc, kind, reason);
    d->ended = true;
}

void leave_jump(Dis *d, IrRef pc, IrJumpKind kind)
{
    leave_found(d, pc, kind, 0);
}

void leave_near(Dis *d, IrRef pc, IrJumpKind kind, int32_t pushed)
{
    leave_found(d, pc, kind, d->is64 ? X86_JUMP(pushed) : 0);
}

void check_canonical(Dis *d, IrRef pc)
{
    ir_trap_if(d->ir, is_not_canonical(d, pc), X86_TRAP_ERROR(EXCP_GP, 0));
}

void check_canonical_step(Dis *d, IrRef pc)
{
    if (d->is64 && leaves_through_c(d))
        check_canonical(d, pc);
}

void leave_next(Dis *d)
{
    if (leaves_through_c(d) || !can_go_to(d, d->next)) {
        leave_jump(d, pc_next(d), JUMP_DIRECT);
        return;
    }
    ir_goto(d->ir, d->next);
    d->ended = true;
}

/* Is next + delta, cut to the operand size, in this mapping unit? */
bool branch_stays(const Dis *d, const Insn *i, int64_t delta)
{
    int64_t target = (int64_t)d->next + delta;
    if (!can_go_to(d, target))
        return false;
    if (d->is64)
        return true;
    if (i->osize == I16 && d->code_size != I16)
        return false; /* depends on where the page is mapped */
    uint64_t pc = d->req->pc + (uint64_t)(target - d->req->unit_offset);
    return (pc & ~type_mask((IrType)i->osize)) == 0;
}

void leave_branch(Dis *d, Insn *i, int64_t delta)
{
    if (leaves_through_c(d) || !branch_stays(d, i, delta)) {
        d->step |= STEP_BRANCH;
        leave_jump(d, pc_plus(d, d->next + delta, (IrType)i->osize), JUMP_DIRECT);
        return;
    }
    ir_goto(d->ir, (uint32_t)(d->next + delta));
    d->ended = true;
}

static void note_branch(Dis *d)
{
    TranslateBranches *b = &d->req->branches;

    b->next[b->n++] = (int16_t)(d->next - d->req->unit_offset);
    b->where |= UINT64_C(1) << (d->ir->ninsns - 1);
}

void leave_branch_if(Dis *d, Insn *i, IrRef cond, int64_t delta)
{
    IrBlock *ir = d->ir;

    note_branch(d);
    if (!leaves_through_c(d) && branch_stays(d, i, delta)) {
        uint32_t next = d->next, target = next + (uint32_t)delta;
        if (follow_back(d, target, cond)) {
            if (!d->req->branches.stays)
                d->req->branches.stays = ir->ninsns;
            ir_goto_if(ir, bool_not(d, cond), next);
        } else {
            ir_goto_if(ir, cond, target);
        }
        return;
    }
    IrRef target = pc_plus(d, d->next + delta, (IrType)i->osize);
    if (leaves_through_c(d)) {
        leave_step(d, ir_select(ir, cond, target, pc_next(d)), X86_EXIT_SYNC, cond);
        return;
    }
    if (!can_go_to(d, d->next)) {
        leave_jump(d, ir_select(ir, cond, target, pc_next(d)), JUMP_INDIRECT);
        return;
    }
    ir_goto_if(ir, bool_not(d, cond), d->next);
    ir_jump(ir, target, JUMP_DIRECT, 0);
    d->ended = true;
}

void leave_branch_again_if(Dis *d, IrRef cond)
{
    if (leaves_through_c(d)) {
        d->step |= STEP_REPEAT;
        leave_exit(d, ir_select(d->ir, cond, pc_here(d), pc_next(d)), X86_EXIT_SYNC);
        return;
    }
    ir_goto_if(d->ir, cond, d->offset);
}

void trap(Dis *d, uint32_t code)
{
    ir_trap(d->ir, code);
    d->ended = true;
}

void trap_ud(Dis *d)
{
    trap(d, X86_TRAP(EXCP_UD));
}

void trap_gp0(Dis *d)
{
    trap(d, X86_TRAP_ERROR(EXCP_GP, 0));
}

void leave_never(Dis *d)
{
    trap_ud(d);
}
