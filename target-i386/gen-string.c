/* SPDX-License-Identifier: MIT */
/*
 * String instructions. Without REP they are plain IR; with REP a helper moves as much as it may in
 * one go, leaves the registers where the instruction stands, and the instruction is entered again
 * until the helper says that it is done, so that interrupts are taken in between. INS and OUTS
 * are in gen-system.c.
 */
#include "target-i386/gen.h"

#include "target-i386/help.h"
#include "target-i386/translate.h"

static IrType element(const Insn *i)
{
    return i->opcode & 1 ? (IrType)i->osize : I8;
}

/* Twice the size if DF is set, else 0, as wide as addresses: what a step forward is too much then.
 */
static IrRef backward(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType size = (IrType)i->asize;
    unsigned log2 = element(i) - I8;
    IrRef eflags = ir_get(ir, I32, SLOT_EFLAGS, 0), v;

    if (d->df.eflags == eflags && d->df.log2 == log2 && ir_type(ir, d->df.backward) == size)
        return d->df.backward;
    v = ir_and(ir, eflags, const32(d, EFL_DF));
    v = ir_shr(ir, v, ir_const(ir, I8, 10 - (log2 + 1)));
    v = size == I32 ? v : size == I64 ? ir_zext(ir, I64, v) : ir_trunc(ir, I16, v);
    d->df.eflags = eflags;
    d->df.log2 = (uint8_t)log2;
    d->df.backward = v;
    return v;
}

/* Where a guess of DF is part of the mode, the block is left if it is wrong, before anything is
 * done. */
static void check_direction(Dis *d)
{
    IrBlock *ir = d->ir;
    IrRef eflags, df;

    if (!d->guess_down)
        return;
    eflags = ir_get(ir, I32, SLOT_EFLAGS, 0);
    if (d->checked == eflags)
        return;
    df = ir_and(ir, eflags, const32(d, EFL_DF));
    ir_exit_if(ir, ir_setcond(ir, d->down ? COND_EQ : COND_NE, df, const32(d, 0)),
               X86_EXIT_DIRECTION);
    d->checked = eflags;
}

static Mem source(Dis *d, Insn *i)
{
    IrRef ea = addr_wrap(d, reg_get(d, (IrType)i->asize, R_RSI), (IrType)i->asize);
    return mem_seg(d, i->seg, ea, ir_type_info[element(i)].bytes, false);
}

static Mem destination(Dis *d, Insn *i, bool write)
{
    IrRef ea = addr_wrap(d, reg_get(d, (IrType)i->asize, R_RDI), (IrType)i->asize);
    return mem_seg(d, SEG_ES, ea, ir_type_info[element(i)].bytes, write);
}

static void advance(Dis *d, Insn *i, unsigned reg)
{
    IrType size = (IrType)i->asize;
    int64_t step = 1 << (element(i) - I8);
    IrRef v = reg_get(d, size, reg);

    if (!d->guess_down)
        v = ir_sub(d->ir, v, backward(d, i));
    reg_set(d, size, reg, ir_addi(d->ir, v, d->down ? -step : step));
}

static uint32_t plainness(const Dis *d, const Insn *i)
{
    if (i->asize != I64 || i->seg >= SEG_FS || (d->memflags & MEM_ALIGN) ||
        (d->mode & (X86_MODE_TF | X86_MODE_BREAKPOINTS)))
        return 0;
    return STRING_PLAIN | (d->memflags & MEM_MMU_MASK) << STRING_MMU_SHIFT;
}

/* True if the instruction was repeated by helper and nothing is left to do. */
static bool repeat(Dis *d, Insn *i, StringOp op, unsigned helper)
{
    IrBlock *ir = d->ir;
    if (!i->rep) {
        check_direction(d);
        return false;
    }
    uint32_t how = op | (uint32_t)(element(i) - I8) << STRING_SIZE_SHIFT |
                   (uint32_t)i->asize << STRING_ASIZE_SHIFT | (uint32_t)i->seg << STRING_SEG_SHIFT |
                   plainness(d, i);
    if (i->rep == 0xf2)
        how |= STRING_REPNE;
    if (d->mode & (X86_MODE_TF | X86_MODE_BREAKPOINTS))
        how |= STRING_SINGLE;
    IrRef done = call1(d, helper, const32(d, how));
    IrRef again = ir_setcond(ir, COND_EQ, done, const32(d, 0));
    leave_branch_again_if(d, again);
    return true;
}

void gen_movs(Dis *d, Insn *i)
{
    if (repeat(d, i, STRING_MOVS, HELP_string_move))
        return;
    IrRef v = mem_ld(d, source(d, i), element(i), 0);
    mem_st(d, destination(d, i, true), v, 0);
    advance(d, i, R_RSI);
    advance(d, i, R_RDI);
}

void gen_stos(Dis *d, Insn *i)
{
    if (repeat(d, i, STRING_STOS, HELP_string_move))
        return;
    mem_st(d, destination(d, i, true), reg_get(d, element(i), R_RAX), 0);
    advance(d, i, R_RDI);
}

void gen_lods(Dis *d, Insn *i)
{
    if (repeat(d, i, STRING_LODS, HELP_string_move))
        return;
    IrRef v = mem_ld(d, source(d, i), element(i), 0);
    reg_set(d, element(i), R_RAX, v);
    advance(d, i, R_RSI);
}

void gen_scas(Dis *d, Insn *i)
{
    if (repeat(d, i, STRING_SCAS, HELP_string_compare))
        return;
    IrRef v = mem_ld(d, destination(d, i, false), element(i), 0);
    IrRef fl = ir_fl_cmp(d->ir, reg_get(d, element(i), R_RAX), v);
    advance(d, i, R_RDI);
    ir_setflags(d->ir, fl);
}

void gen_cmps(Dis *d, Insn *i)
{
    if (repeat(d, i, STRING_CMPS, HELP_string_compare))
        return;
    IrRef b = mem_ld(d, destination(d, i, false), element(i), 0);
    IrRef a = mem_ld(d, source(d, i), element(i), 0);
    advance(d, i, R_RSI);
    advance(d, i, R_RDI);
    ir_setflags(d->ir, ir_fl_cmp(d->ir, a, b));
}
