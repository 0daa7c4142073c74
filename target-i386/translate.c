/* SPDX-License-Identifier: MIT */
/*
 * The block: decode, check, generate, until something ends it. Also what generators stand on: the
 * program counter, ends of blocks, operands, addresses, the stack. Segmentation as in the SDM
 * vol. 3, chapter 5: limits are checked by translated code where the mode word does not promise
 * that they cannot matter; CS limits likewise, at each instruction and for near targets.
 */
#include "target-i386/translate.h"

#include <string.h>

#include "target-i386/gen.h"

enum {
    MAX_BLOCK_INSNS = 64,
    ROOM_FOR_INSN = 600, /* more than the IR of the longest instruction (ENTER with 31 levels) */
    LINKS_FOR_INSN = 3,
    FOLLOW_INSNS = 16, /* behind jumps, of a block */
    UNROLL_INSNS = 24, /* of all copies of a loop … */
    UNROLL_COPIES = 4, /* … no more of them */
    RETURN_INSNS = 4,  /* of a second way round a loop */
    UNROLL_STRING = 2, /* so many times that with string instructions, whose checks all share */
    MODE_ONE_INSN = X86_MODE_TF | X86_MODE_BREAKPOINTS | X86_MODE_INHIBIT | X86_MODE_X87_SLOW,
};

/* Instructions behind a jump that have been decoded already, and which of them come next. */
struct Ahead {
    unsigned n, used;
    uint32_t at[FOLLOW_INSNS];
    Insn insn[FOLLOW_INSNS];
};

static uint64_t type_mask(IrType type)
{
    return type == I64 ? UINT64_MAX : (UINT64_C(1) << (8u << (type - I8))) - 1;
}

/* ---- Program counter ------------------------------------------------------------------------ */

IrRef addr_wrap(Dis *d, IrRef value, IrType size)
{
    IrType type = ir_type(d->ir, value);
    if (type > size)
        value = ir_trunc(d->ir, size, value);
    return ir_type(d->ir, value) == I64 ? value : ir_zext(d->ir, I64, value);
}

static IrRef pc_plus(Dis *d, int64_t offset, IrType width)
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

/* ---- Ends of a block ------------------------------------------------------------------------ */

static bool leaves_through_c(const Dis *d)
{
    return d->mode & MODE_ONE_INSN;
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

/* The instruction at @offset, in the page of the block's first. */
static DecodeStatus decode_at(const Dis *d, uint32_t offset, Insn *i)
{
    const TranslateRequest *req = d->req;
    int32_t at = (int32_t)(offset - req->unit_offset);

    if (at > (int32_t)req->avail) /* behind one that reaches into the next page */
        return DECODE_MORE;
    return decode_insn(&d->dm, req->bytes + at, req->avail - (uint32_t)at, i);
}

/* Can a goto lead to @offset? It must lie in the mapping unit, and so must the whole instruction:
 * one that may reach into another unit is found by its pc, as what follows depends on the mapping.
 */
static bool can_go_to(const Dis *d, int64_t offset)
{
    return offset >= 0 && offset <= (int64_t)d->req->unit_size - MAX_INSN_BYTES;
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
static bool branch_stays(const Dis *d, const Insn *i, int64_t delta)
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

static bool is_in_block(const Dis *d, uint32_t offset)
{
    const TranslateRequest *req = d->req;
    uint32_t page = req->unit_offset & ~4095u;

    if (offset - req->unit_offset < req->size)
        return true;
    for (unsigned k = 0; k < req->nfollowed; k++) {
        if (offset - page - req->followed[k].at < req->followed[k].size)
            return true;
    }
    return false;
}

/* Does something end the block, if it goes on at @offset, before it has too many instructions? What
 * has been decoded for that is kept. @again: it may come through what it has once more, whose end
 * ends it, too. */
static bool ends_soon(const Dis *d, uint32_t offset, bool again)
{
    unsigned since = d->followed_from ? d->ir->ninsns - d->followed_from : 0;
    unsigned most = since < FOLLOW_INSNS ? FOLLOW_INSNS - since : 0;
    bool in = false, was_in;
    Ahead *a = d->ahead;

    a->used = 0;
    for (a->n = 0; a->n < most; a->n++) {
        Insn *next = &a->insn[a->n];
        a->at[a->n] = offset;
        was_in = in;
        in = is_in_block(d, offset);
        if (was_in && !in)
            return true;
        if (decode_at(d, offset, next) != DECODE_OK || translate_splits(d->req, offset) ||
            (in && !(again && is_in_block(d, offset + next->len - 1))))
            return false;
        if (next->desc->attr & A_END) {
            a->n++;
            return true;
        }
        offset += next->len;
    }
    return false;
}

static DecodeStatus decode_next(Dis *d, Insn *i)
{
    Ahead *a = d->ahead;

    if (a->used == a->n || a->at[a->used] != d->next)
        return decode_at(d, d->next, i);
    *i = a->insn[a->used++]; /* a copy: it may be a jump that looks ahead again */
    return DECODE_OK;
}

static bool may_go_on_elsewhere(const Dis *d)
{
    return d->req->may_follow && !d->sti_seen && !leaves_through_c(d);
}

/* A short loop is the whole block: let another round of it follow. Its checks of memory and its
 * flags become matters of one block, and it is counted once for several. */
static bool unroll(Dis *d, uint32_t target)
{
    const TranslateRequest *req = d->req;
    IrBlock *ir = d->ir;
    unsigned most = d->checked ? UNROLL_STRING : 1;

    if (target != req->unit_offset || !can_go_to(d, d->next) || req->nfollowed || ir->no_groups)
        return false;
    if (!d->loop_insns) {
        d->loop_insns = ir->ninsns;
        d->loop_links = ir->nlinks + 1;
    }
    if (ir->ninsns + d->loop_insns > most * MIN(UNROLL_INSNS, UNROLL_COPIES * d->loop_insns) ||
        ir->nlinks + d->loop_links + LINKS_FOR_INSN > IR_MAX_LINKS ||
        ir_room(ir) < IR_FRONTEND_OPS / 2)
        return false;
    d->next = target;
    return true;
}

/* Does what comes next soon lead back into the block? Then its first jump back is one of two ways
 * round the loop, and not the likely one. */
static bool returns_soon(const Dis *d)
{
    uint32_t offset = d->next;
    Insn i;

    for (unsigned n = 0; n < RETURN_INSNS && decode_at(d, offset, &i) == DECODE_OK; n++) {
        offset += i.len;
        if (i.desc->attr & A_END)
            return i.desc->gen == gen_jmp && is_in_block(d, offset + (uint32_t)i.imm);
    }
    return false;
}

/* Does what comes next look at the flags that are there now? A block of its own would find them in
 * env, where that may take C code. */
static bool looks_at_flags(const Dis *d)
{
    uint32_t offset = d->next;
    Insn i;

    while (decode_at(d, offset, &i) == DECODE_OK) {
        GenFn *gen = i.desc->gen;
        if (gen == gen_jcc || gen == gen_setcc || gen == gen_cmovcc)
            return true;
        if (gen != gen_mov && gen != gen_movzx && gen != gen_lea)
            return false;
        offset += i.len;
    }
    return false;
}

static bool follow(Dis *d, uint32_t target, bool again)
{
    TranslateRequest *req = d->req;

    if (req->nfollowed == TRANSLATE_FOLLOWED || (target ^ req->unit_offset) & ~4095u ||
        !ends_soon(d, target, again))
        return false;
    if (!d->followed_from)
        d->followed_from = d->ir->ninsns;
    req->followed[req->nfollowed++].at = target & 4095;
    d->next = target;
    return true;
}

bool follow_branch(Dis *d, Insn *i, int64_t delta)
{
    uint32_t target = d->next + (uint32_t)delta;

    return may_go_on_elsewhere(d) && branch_stays(d, i, delta) &&
           (unroll(d, target) || follow(d, target, false));
}

static bool is_from_memory(const IrBlock *ir, IrRef v)
{
    const IrOp *op = &ir->ops[v];

    while (op->op == OP_zext || op->op == OP_sext || op->op == OP_trunc)
        op = &ir->ops[op->a];
    return op->op == OP_ld || (op->op >= OP_rmw_add && op->op <= OP_rmw_cas);
}

/* Are two things compared that are likely the same: a loop while they are, or another try if memory
 * has changed meanwhile (CMPXCHG, the kernel's sequence counters)? */
static bool expects_equal(const IrBlock *ir, IrRef cond)
{
    const IrOp *test = &ir->ops[cond], *cmp;

    if (test->op != OP_fl_test || (test->aux & ~1u) != CC_Z)
        return false;
    cmp = &ir->ops[test->a];
    return test->aux == CC_Z ||
           (cmp->op == OP_fl_cmp && (is_from_memory(ir, cmp->a) || is_from_memory(ir, cmp->b)));
}

/* A jump back is likely taken, but for those: the block goes on there, with another round of itself
 * or with what comes before it. */
static bool follow_back(Dis *d, uint32_t target, IrRef cond)
{
    if (!may_go_on_elsewhere(d) || target >= d->next || !can_go_to(d, d->next))
        return false;
    if (target == d->req->unit_offset)
        return (d->loop_insns || !returns_soon(d)) && unroll(d, target);
    return !is_in_block(d, target) && !expects_equal(d->ir, cond) && !returns_soon(d) &&
           !looks_at_flags(d) && follow(d, target, true);
}

void leave_branch_if(Dis *d, Insn *i, IrRef cond, int64_t delta)
{
    IrBlock *ir = d->ir;

    if (!leaves_through_c(d) && branch_stays(d, i, delta)) {
        uint32_t next = d->next, target = next + (uint32_t)delta;
        if (follow_back(d, target, cond))
            ir_goto_if(ir, bool_not(d, cond), next);
        else
            ir_goto_if(ir, cond, target);
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

bool next_shares_block(const Dis *d)
{
    const TranslateRequest *req = d->req;
    Insn next;

    return !(d->mode &
             (X86_MODE_TF | X86_MODE_INHIBIT | X86_MODE_BREAKPOINTS | X86_MODE_X87_SLOW)) &&
           decode_at(d, d->next, &next) != DECODE_MORE && !translate_splits(req, d->next) &&
           d->ir->ninsns + 1 < MIN(req->max_insns, 24) && d->ir->nlinks <= IR_MAX_LINKS / 2 &&
           ir_room(d->ir) > IR_FRONTEND_OPS / 2;
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

/* ---- Registers ------------------------------------------------------------------------------ */

IrRef reg_get(Dis *d, IrType type, unsigned reg)
{
    return ir_get(d->ir, type, SLOT_GPR + reg, 0);
}

void reg_set(Dis *d, IrType type, unsigned reg, IrRef value)
{
    if (type == I32)
        value = ir_zext(d->ir, I64, value);
    ir_set(d->ir, SLOT_GPR + reg, 0, value);
}

/* ---- Memory --------------------------------------------------------------------------------- */

static IrRef sum_of_registers(Dis *d, const Insn *i, IrType size)
{
    IrRef base = i->base < 0 ? IR_NONE : reg_get(d, size, (unsigned)i->base);
    IrRef index = i->index < 0 ? IR_NONE : reg_get(d, size, (unsigned)i->index);
    return ir_lea(d->ir, base, index, i->scale, (int32_t)i->disp);
}

static IrRef compute_ea(Dis *d, Insn *i)
{
    IrType size = (IrType)i->asize;
    if (i->base == INSN_BASE_RIP)
        return pc_plus(d, (int64_t)d->next + i->disp, size);
    if (i->base < 0 && i->index < 0)
        return const64(d, (uint64_t)i->disp & type_mask(size));
    return addr_wrap(d, sum_of_registers(d, i, size), size);
}

IrRef mem_ea(Dis *d, Insn *i)
{
    if (i->ea == IR_NONE)
        i->ea = compute_ea(d, i);
    return i->ea;
}

IrRef ea_as(Dis *d, Insn *i, IrType type)
{
    bool summed = i->base != INSN_BASE_RIP && (i->base >= 0 || i->index >= 0);
    if (type == I32 && i->asize == I64 && summed)
        return sum_of_registers(d, i, I32);
    IrRef ea = mem_ea(d, i);
    return type == I64 ? ea : ir_trunc(d->ir, type, ea);
}

/* Base 0, full limit, and allowed to be written, by promise of the mode word. */
static bool segment_is_flat(const Dis *d, unsigned seg)
{
    switch (seg) {
    case SEG_ES:
    case SEG_DS: return d->is64 || (d->mode & X86_MODE_SEG_FLAT);
    case SEG_SS: return d->is64 || (d->mode & (X86_MODE_SEG_FLAT | X86_MODE_SS_FLAT));
    case SEG_CS: return d->is64;
    default: return false;
    }
}

static void check_limit(Dis *d, unsigned seg, IrRef ea, unsigned size, bool write)
{
    IrBlock *ir = d->ir;
    if (d->is64 || ((d->mode & X86_MODE_NO_LIMIT) && seg != SEG_CS))
        return;
    if (d->pe) {
        call2(d, HELP_check_segment, const32(d, seg | (write ? 0x100u : 0) | size << 16), ea);
        return;
    }
    IrRef limit = ir_zext(ir, I64, ir_get(ir, I32, SLOT_SEG_LIMIT + seg, 0));
    IrRef last = size > 1 ? ir_addi(ir, ea, size - 1) : ea;
    ir_trap_if(ir, ir_setcond(ir, COND_GTU, last, limit),
               X86_TRAP_ERROR(seg == SEG_SS ? EXCP_SS : EXCP_GP, 0));
}

Mem mem_seg(Dis *d, unsigned seg, IrRef ea, unsigned size, bool write)
{
    IrBlock *ir = d->ir;
    Mem m = { .addr = ea, .flags = d->memflags | (seg == SEG_SS ? MEM_STACK : 0) };
    if (segment_is_flat(d, seg))
        return m;
    if (d->is64) {
        m.addr = ir_add(ir, ea, ir_get(ir, I64, SLOT_SEG_BASE + seg, 0));
        return m;
    }
    if (size)
        check_limit(d, seg, ea, size, write);
    IrRef base = ir_get(ir, I32, SLOT_SEG_BASE + seg, 0);
    m.addr = ir_zext(ir, I64, ir_add(ir, ir_trunc(ir, I32, ea), base));
    return m;
}

/* Likely in the page that pushes go to: arrays and large frames reach far beyond it. */
static bool is_by_stack_pointer(const Insn *i)
{
    return i->base == R_RSP && i->index < 0 && i->seg == SEG_SS && (uint64_t)i->disp < 1024;
}

Mem mem_operand(Dis *d, Insn *i, unsigned size, bool write)
{
    Mem m = mem_seg(d, i->seg, mem_ea(d, i), size, write);

    if (is_by_stack_pointer(i))
        m.flags |= MEM_BY_SP;
    return m;
}

void check_alignment(Dis *d, Mem m, unsigned align)
{
    IrBlock *ir = d->ir;
    if (!(d->mode & X86_MODE_AC))
        return;
    IrRef low = ir_and(ir, m.disp ? ir_addi(ir, m.addr, m.disp) : m.addr, const64(d, align - 1));
    ir_trap_if(ir, ir_setcond(ir, COND_NE, low, const64(d, 0)), X86_TRAP_ERROR(EXCP_AC, 0));
}

IrRef mem_linear(Dis *d, const Insn *i, Mem m, unsigned size)
{
    if (d->is64 && i->seg == SEG_SS) /* #SS, not #GP, if it is not canonical */
        call2(d, HELP_check_segment, const32(d, SEG_SS | size << 16), i->ea);
    return m.disp ? ir_addi(d->ir, m.addr, m.disp) : m.addr;
}

IrRef mem_ld(Dis *d, Mem m, IrType type, int32_t offset)
{
    return ir_ld(d->ir, type, m.addr, m.disp + offset, m.flags);
}

void mem_st(Dis *d, Mem m, IrRef value, int32_t offset)
{
    ir_st(d->ir, value, m.addr, m.disp + offset, m.flags);
}

/* ---- Operands ------------------------------------------------------------------------------- */

/* A vector that is neither aligned nor within the limit of SS is #GP, not #SS. */
static void check_vector_on_stack(Dis *d, Insn *i, IrType type)
{
    IrBlock *ir = d->ir;
    if (i->seg != SEG_SS || d->is64 || (d->mode & X86_MODE_NO_LIMIT))
        return;
    IrRef ea = ir_zext(ir, I64, ir_trunc(ir, I32, mem_ea(d, i)));
    IrRef linear = ir_add(ir, ea, ir_zext(ir, I64, ir_get(ir, I32, SLOT_SEG_BASE + SEG_SS, 0)));
    IrRef low = ir_and(ir, linear, const64(d, ir_type_info[type].bytes - 1));
    ir_trap_if(ir, ir_setcond(ir, COND_NE, low, const64(d, 0)), X86_TRAP_ERROR(EXCP_GP, 0));
}

Mem operand_mem(Dis *d, Insn *i, IrType type, bool write)
{
    bool is_vector = type == V128 || type == V256;
    bool aligned = i->vex ? i->desc->attr & A_ALIGNED : !(i->desc->attr & A_UNALIGNED);
    if (is_vector && aligned)
        check_vector_on_stack(d, i, type);
    Mem m = mem_operand(d, i, ir_type_info[type].bytes, write);
    if (!is_vector)
        return m;
    if (aligned) {
        m.flags |= MEM_ALIGN;
    } else { /* may be misaligned, unless alignment checks are on: 16 bytes then, as AMD does it */
        m.flags &= ~(unsigned)MEM_ALIGN;
        check_alignment(d, m, 16);
    }
    return m;
}

static int64_t operand_immediate(const Insn *i, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        if (i->op[k].kind == OPK_IMM)
            return i->imm2;
    }
    return i->imm;
}

/* An immediate that the guest keeps changing is read when it is used: the last bytes of a plain
 * instruction. IR_NONE: it is not such a one. */
static IrRef soft_immediate(Dis *d, const Insn *i, IrType type)
{
    TranslateRequest *req = d->req;
    uint32_t at = d->next - i->imm_size - req->unit_offset;
    IrType stored = i->imm_size == 8 ? I64 : I32;
    uint64_t mask;
    IrRef v;

    if (!req->soft || i->map || i->imm_size < 4 || type < stored || i->imm2 ||
        at + i->imm_size > (req->part[0].host ? req->part[0].size : req->avail))
        return IR_NONE;
    mask = ((1ull << i->imm_size) - 1) << at;
    if (!(req->soft & mask))
        return IR_NONE;
    req->was_soft |= mask;
    v = ir_ld_host(d->ir, stored, req->bytes + at);
    return type == stored ? v : ir_sext(d->ir, type, v);
}

static IrRef load_immediate(Dis *d, const Insn *i, unsigned n)
{
    IrType type = op_type(i, n);
    IrRef v = soft_immediate(d, i, type);

    return v ? v : ir_const(d->ir, type, (uint64_t)operand_immediate(i, n));
}

IrRef op_load(Dis *d, Insn *i, unsigned n)
{
    const Operand *o = &i->op[n];
    IrType type = (IrType)o->type;
    switch ((OperandKind)o->kind) {
    case OPK_GPR: return reg_get(d, type, o->reg);
    case OPK_GPR_HI: return ir_get(d->ir, I8, SLOT_GPR + o->reg, 1);
    case OPK_MEM: return mem_ld(d, operand_mem(d, i, type, false), type, 0);
    case OPK_IMM: return load_immediate(d, i, n);
    case OPK_SEG: return ir_get(d->ir, I16, SLOT_SEG_SELECTOR + o->reg, 0);
    case OPK_XMM: return ir_get(d->ir, type, SLOT_XMM + o->reg, 0);
    case OPK_MMX: return ir_get(d->ir, type, SLOT_FPREG + o->reg, 0);
    default: break;
    }
    g_assert_not_reached();
}

/* Zeros above it. */
static void set_whole(Dis *d, unsigned reg, IrRef value)
{
    IrType type = ir_type(d->ir, value);
    if (type <= I64)
        value = ir_vfromint(d->ir, value);
    if (type != V256)
        value = ir_zext(d->ir, V256, value);
    ir_set(d->ir, SLOT_XMM + reg, 0, value);
}

void op_store(Dis *d, Insn *i, unsigned n, IrRef value)
{
    const Operand *o = &i->op[n];
    IrType type = (IrType)o->type;
    switch ((OperandKind)o->kind) {
    case OPK_GPR: reg_set(d, type, o->reg, value); return;
    case OPK_GPR_HI: ir_set(d->ir, SLOT_GPR + o->reg, 1, value); return;
    case OPK_MEM: mem_st(d, operand_mem(d, i, type, true), value, 0); return;
    case OPK_XMM:
        if (i->vex)
            set_whole(d, o->reg, value);
        else
            ir_set(d->ir, SLOT_XMM + o->reg, 0, value);
        return;
    case OPK_MMX: ir_set(d->ir, SLOT_FPREG + o->reg, 0, value); return;
    default: break;
    }
    g_assert_not_reached();
}

/* ---- Read-modify-write ---------------------------------------------------------------------- */

Rmw rmw_begin_at(Dis *d, Insn *i, unsigned n, Mem m)
{
    IrType type = op_type(i, n);
    Rmw r = { .i = i, .n = n, .m = m };
    ir_probe(d->ir, m.addr, m.disp, ir_type_info[type].bytes, true, m.flags);
    r.old = mem_ld(d, m, type, 0);
    return r;
}

Rmw rmw_begin(Dis *d, Insn *i, unsigned n)
{
    if (op_is_mem(i, n))
        return rmw_begin_at(d, i, n, operand_mem(d, i, op_type(i, n), true));
    return (Rmw){ .i = i, .n = n, .old = op_load(d, i, n) };
}

void rmw_finish(Dis *d, Rmw *r, IrRef value)
{
    IrBlock *ir = d->ir;
    if (!op_is_mem(r->i, r->n)) {
        op_store(d, r->i, r->n, value);
    } else if (!r->i->lock) {
        mem_st(d, r->m, value, 0);
    } else {
        IrRef seen = ir_rmw_cas(ir, r->old, value, r->m.addr, r->m.disp, r->m.flags | MEM_LOCK);
        ir_exit_if(ir, ir_setcond(ir, COND_NE, seen, r->old), X86_EXIT_SYNC);
    }
}

/* ---- Stack ---------------------------------------------------------------------------------- */

Stack stack_begin(Dis *d)
{
    return (Stack){ .sp = reg_get(d, (IrType)d->stack_size, R_RSP) };
}

static Mem stack_mem(Dis *d, const Stack *s, unsigned size, bool write)
{
    IrRef ea = addr_wrap(d, ir_addi(d->ir, s->sp, s->delta), (IrType)d->stack_size);
    Mem m = mem_seg(d, SEG_SS, ea, size, write);
    m.flags |= MEM_BY_SP;
    return m;
}

void stack_push(Dis *d, Stack *s, IrRef value)
{
    unsigned size = ir_type_info[ir_type(d->ir, value)].bytes;
    s->delta -= (int32_t)size;
    mem_st(d, stack_mem(d, s, size, true), value, 0);
}

IrRef stack_pop(Dis *d, Stack *s, IrType type)
{
    unsigned size = ir_type_info[type].bytes;
    IrRef v = mem_ld(d, stack_mem(d, s, size, false), type, 0);
    s->delta += (int32_t)size;
    return v;
}

void stack_commit(Dis *d, Stack *s)
{
    reg_set(d, (IrType)d->stack_size, R_RSP, ir_addi(d->ir, s->sp, s->delta));
}

/* ---- Flags ---------------------------------------------------------------------------------- */

IrRef flags_cc(Dis *d, unsigned cc)
{
    return ir_fl_test(d->ir, (IrCc)cc, ir_getflags(d->ir));
}

IrRef flags_cf(Dis *d, IrType type)
{
    return ir_zext(d->ir, type, flags_cc(d, CC_B));
}

/* ---- I1 ------------------------------------------------------------------------------------- */

/* Conditions come in pairs that differ in the lowest bit, flags' and others' alike. */
IrRef bool_not(Dis *d, IrRef x)
{
    const IrOp *op = &d->ir->ops[x];
    if (op->op == OP_fl_test)
        return ir_fl_test(d->ir, (IrCc)(op->aux ^ 1), op->a);
    if (op->op == OP_setcond)
        return ir_setcond(d->ir, (IrCond)(op->aux ^ 1), op->a, op->b);
    return ir_setcond(d->ir, COND_EQ, x, ir_const(d->ir, I1, 0));
}

IrRef bool_and(Dis *d, IrRef x, IrRef y)
{
    return ir_select(d->ir, x, y, ir_const(d->ir, I1, 0));
}

IrRef bool_or(Dis *d, IrRef x, IrRef y)
{
    return ir_select(d->ir, x, ir_const(d->ir, I1, 1), y);
}

/* ---- The block ------------------------------------------------------------------------------ */

/* The checks that rows ask for, in the order of the exceptions' priority. */
static bool check_state(Dis *d, const Insn *i)
{
    uint32_t attr = i->desc->attr;
    if (!(attr & (d->attr_ud | d->attr_nm | d->attr_gp)))
        return true;
    if (attr & d->attr_ud)
        trap_ud(d);
    else if (attr & d->attr_nm)
        trap(d, X86_TRAP(EXCP_NM));
    else
        trap_gp0(d);
    return false;
}

/* Which instructions fault in this mode, whatever they do. */
static void init_attributes(Dis *d)
{
    bool em = d->mode & X86_MODE_EM, ts = d->mode & X86_MODE_TS;
    d->attr_ud = (em ? A_MMX | A_SSE : 0) | (d->mode & X86_MODE_OSFXSR ? 0 : A_SSE) |
                 (d->mode & X86_MODE_AVX ? 0 : A_VEX);
    d->attr_nm = (em ? A_FPU : 0) | (ts ? A_FPU | A_MMX | A_SSE | A_VEX : 0) |
                 (ts && (d->mode & X86_MODE_MP) ? A_WAIT : 0);
    d->attr_gp = d->cpl ? A_CPL0 : 0;
}

void x87_switch(Dis *d, uint32_t reason)
{
    ir_exit_if(d->ir, ir_const(d->ir, I1, 1), reason);
    leave_never(d);
}

bool x87_at_home(Dis *d)
{
    if (d->x87_on_host)
        x87_switch(d, X86_EXIT_X87_FROM_HOST);
    return !d->x87_on_host;
}

static bool uses_mmx(const Insn *i)
{
    if (i->desc->attr & A_MMX)
        return true;
    for (unsigned n = 0; n < G_N_ELEMENTS(i->op); n++) {
        if (i->op[n].kind == OPK_MMX)
            return true;
    }
    return false;
}

static void init(Dis *d, Cpu *cpu, TranslateRequest *req, IrBlock *ir)
{
    CpuX86 *c = x86(cpu);
    uint32_t mode = req->mode;
    memset(d, 0, offsetof(Dis, left)); /* without those, which are most of it */
    d->ir = ir;
    d->cpu = c;
    d->req = req;
    d->mode = mode;
    d->cpl = mode & X86_MODE_CPL;
    d->is64 = mode & X86_MODE_CS64;
    d->pe = (mode & X86_MODE_PE) && !(mode & X86_MODE_VM86);
    d->code_size = d->is64 ? I64 : (mode & X86_MODE_CS32) ? I32 : I16;
    d->stack_size = d->is64 ? I64 : (mode & X86_MODE_SS32) ? I32 : I16;
    d->dm.code_size = d->code_size;
    d->dm.pe = d->pe;
    if (!c->insn_features)
        c->insn_features = decode_features(c->features);
    d->dm.features = c->insn_features;
    d->memflags = d->cpl == 3 ? MMU_USER : (mode & X86_MODE_SMAP_OFF) ? MMU_KERNEL_AC : MMU_KERNEL;
    if (mode & X86_MODE_AC)
        d->memflags |= MEM_ALIGN;
    d->offset = d->next = req->unit_offset;
    if (c->host_x87) {
        d->x87_on_host = mode >> X86_MODE_TOP_SHIFT & X86_HOT_X87;
        d->guess_down = true;
        d->down = mode >> X86_MODE_TOP_SHIFT & X86_HOT_DOWN;
    } else
        d->top = (uint8_t)(mode >> X86_MODE_TOP_SHIFT);
    ir->flags_hint = flags_word(&cpu->cc); /* it is about to be run */
    init_attributes(d);
}

IrRef insns_left(Dis *d)
{
    unsigned n = d->nlefts++;

    g_assert(n < LEFTS);
    d->left[n].ref = ir_const_open(d->ir, I32);
    d->left[n].before = d->ir->ninsns - 1;
    return d->left[n].ref;
}

static void tell_insns_left(Dis *d)
{
    for (unsigned n = 0; n < d->nlefts; n++)
        ir_const_amend(d->ir, d->left[n].ref, d->ir->ninsns - d->left[n].before);
}

/* Stores to a checked block go unnoticed: it looks at what it was made from. */
static void check_bytes(Dis *d)
{
    const TranslateRequest *req = d->req;
    uint64_t care = ~req->was_soft;

    for (unsigned p = 0; p < 2 && req->part[p].size; p++) {
        ir_exit_if_changed(d->ir, req->part[p].host, req->part[p].size, care, TRANSLATE_EXIT_STALE);
        care = req->part[p].size < 64 ? care >> req->part[p].size : 0;
    }
}

static bool may_store(const IrBlock *ir, unsigned from)
{
    for (unsigned n = from; n < ir->nops; n++) {
        const IrOp *op = &ir->ops[n];
        if (op->op == OP_st || (op->op >= OP_rmw_add && op->op <= OP_rmw_cas) ||
            (op->op == OP_call && (ir->helpers[op->imm].flags & HELPER_FAULTS)))
            return true;
    }
    return false;
}

/* STI has let in an interrupt that waits: its shadow is a block of its own. */
static void leave_for_sti_shadow(Dis *d)
{
    IrBlock *ir = d->ir;

    ir_exit_if(ir, ir_setcond(ir, COND_NE, d->sti_waits, ir_const(ir, I32, 0)), X86_EXIT_SYNC);
    d->sti_waits = IR_NONE;
}

static void translate_insn(Dis *d, Insn *i, DecodeStatus status)
{
    unsigned from = d->ir->nops;

    ir_insn(d->ir, d->offset);
    if (d->ir->ninsns == 1)
        check_bytes(d);
    if (d->sti_waits)
        leave_for_sti_shadow(d);
    if ((d->mode & X86_MODE_CS_LIMIT) && !d->is64) /* the last byte fetched */
        check_target(d, pc_plus(d, d->next - 1, I32), IR_NONE);
    if (status == DECODE_UD) {
        trap_ud(d);
    } else if (status == DECODE_TOO_LONG) {
        trap_gp0(d);
    } else if (check_state(d, i)) {
        if (!d->x87_on_host || !uses_mmx(i) || x87_at_home(d))
            i->desc->gen(d, i);
        g_assert(d->ended || d->followed_from || d->loop_insns || !(i->desc->attr & A_END));
    }
    if (!d->ended && d->req->checked && may_store(d->ir, from))
        leave_next(d);
}

/* False: they have been, in another round. */
static bool note_bytes(Dis *d, uint32_t len)
{
    TranslateRequest *req = d->req;

    if (is_in_block(d, d->offset))
        return false;
    if (req->nfollowed)
        req->followed[req->nfollowed - 1].size += (uint16_t)len;
    else
        req->size += len;
    return true;
}

void x86_translate(Cpu *cpu, TranslateRequest *req, IrBlock *ir)
{
    Dis d;
    Insn i;
    Ahead ahead;
    uint32_t avail;
    init(&d, cpu, req, ir);
    ahead.n = ahead.used = 0;
    d.ahead = &ahead;
    unsigned max = MIN(req->max_insns, MAX_BLOCK_INSNS);
    if (leaves_through_c(&d))
        max = 1;
    req->size = req->nfollowed = 0;
    memset(req->followed, 0, sizeof(req->followed));
    while (!d.ended) {
        DecodeStatus status = decode_next(&d, &i);
        if (status == DECODE_MORE) {
            if (req->size) {
                leave_next(&d);
                break;
            }
            const uint8_t *bytes = translate_straddling(cpu, req, &avail);
            status = decode_insn(&d.dm, bytes, avail, &i);
            max = 1;
        }
        uint32_t len = status == DECODE_TOO_LONG ? MAX_INSN_BYTES : i.len;
        d.offset = d.next;
        d.next += len;
        bool again = !note_bytes(&d, len) && req->nfollowed;
        translate_insn(&d, &i, status);
        if (!d.ended && ((again && !is_in_block(&d, d.next)) || ir->ninsns >= max ||
                         translate_splits(req, d.next) ||
                         (int32_t)(d.next - req->unit_offset) >= (int32_t)req->avail ||
                         ir_room(ir) < ROOM_FOR_INSN || ir->nlinks + LINKS_FOR_INSN > IR_MAX_LINKS))
            leave_next(&d);
    }
    tell_insns_left(&d);
}
