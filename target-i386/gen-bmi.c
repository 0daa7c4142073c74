/* SPDX-License-Identifier: MIT */
/*
 * BMI1 and BMI2, the VEX-encoded general-register instructions (SDM vol. 2; AMD APM vol. 3). Flags
 * that the manuals leave undefined are those of a logical operation.
 */
#include "target-i386/gen.h"

#include "target-i386/translate.h"

static void set_logic_flags(Dis *d, IrRef res, IrRef cf)
{
    ir_setflags(d->ir, ir_fl_setcf(d->ir, cf, ir_fl_logic(d->ir, res)));
}

void gen_andn(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 2), r = ir_andn(d->ir, op_load(d, i, 1), y);
    op_store(d, i, 0, r);
    ir_setflags(d->ir, ir_fl_logic(d->ir, r));
}

/* BLSI, BLSMSK, BLSR: x combined with -x or x - 1. CF tells whether x is zero, or that it is
 * not. */
void gen_blsi(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef x = op_load(d, i, 1), zero = ir_const(ir, op_type(i, 1), 0);
    IrRef r = ir_and(ir, x, ir_neg(ir, x));
    op_store(d, i, 0, r);
    set_logic_flags(d, r, ir_setcond(ir, COND_NE, x, zero));
}

static void with_predecessor(Dis *d, Insn *i, IrOpcode op)
{
    IrBlock *ir = d->ir;
    IrRef x = op_load(d, i, 1), zero = ir_const(ir, op_type(i, 1), 0);
    IrRef r = ir_bin(ir, op, x, ir_addi(ir, x, -1));
    op_store(d, i, 0, r);
    set_logic_flags(d, r, ir_setcond(ir, COND_EQ, x, zero));
}

void gen_blsmsk(Dis *d, Insn *i)
{
    with_predecessor(d, i, OP_xor);
}

void gen_blsr(Dis *d, Insn *i)
{
    with_predecessor(d, i, OP_and);
}

/* Bits of @x below bit @n (I8); all of them if there are no more than @n. */
static IrRef low_bits(Dis *d, IrRef x, IrRef n)
{
    IrBlock *ir = d->ir;
    IrType type = ir_type(ir, x);
    IrRef inside = ir_setcond(ir, COND_LTU, n, ir_const(ir, I8, ir_type_info[type].bits));
    IrRef mask = ir_addi(ir, ir_shl(ir, ir_const(ir, type, 1), n), -1);
    return ir_select(ir, inside, ir_and(ir, x, mask), x);
}

void gen_bextr(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 1);
    IrRef x = op_load(d, i, 1), how = op_load(d, i, 2), zero = ir_const(ir, type, 0);
    IrRef start = ir_trunc(ir, I8, how);
    IrRef length = ir_trunc(ir, I8, ir_shr(ir, how, ir_const(ir, I8, 8)));
    IrRef inside = ir_setcond(ir, COND_LTU, start, ir_const(ir, I8, ir_type_info[type].bits));
    IrRef r = low_bits(d, ir_select(ir, inside, ir_shr(ir, x, start), zero), length);
    op_store(d, i, 0, r);
    ir_setflags(ir, ir_fl_logic(ir, r));
}

void gen_bzhi(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef x = op_load(d, i, 1), n = ir_trunc(ir, I8, op_load(d, i, 2));
    IrRef last = ir_const(ir, I8, ir_type_info[op_type(i, 1)].bits - 1), r = low_bits(d, x, n);
    op_store(d, i, 0, r);
    set_logic_flags(d, r, ir_setcond(ir, COND_GTU, n, last));
}

/* Operand 0 is the high half, and the last to be written. */
void gen_mulx(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef y = op_load(d, i, 2), x = reg_get(d, op_type(i, 2), R_RDX);
    IrRef lo = ir_mul(ir, x, y), hi = ir_mulhu(ir, x, y);
    if (i->op[0].reg != i->op[1].reg)
        op_store(d, i, 1, lo);
    op_store(d, i, 0, hi);
}

void gen_pdep(Dis *d, Insn *i)
{
    IrRef mask = op_load(d, i, 2);
    op_store(d, i, 0, ir_pdep(d->ir, op_load(d, i, 1), mask));
}

void gen_pext(Dis *d, Insn *i)
{
    IrRef mask = op_load(d, i, 2);
    op_store(d, i, 0, ir_pext(d->ir, op_load(d, i, 1), mask));
}

/* The count is taken modulo the operand's width, as the IR has it. */
static void shift(Dis *d, Insn *i, IrOpcode op)
{
    IrRef x = op_load(d, i, 1), n = op_load(d, i, 2);
    if (ir_type(d->ir, n) != I8)
        n = ir_trunc(d->ir, I8, n);
    op_store(d, i, 0, ir_shift(d->ir, op, x, n));
}

void gen_rorx(Dis *d, Insn *i)
{
    shift(d, i, OP_rotr);
}

void gen_sarx(Dis *d, Insn *i)
{
    shift(d, i, OP_sar);
}

void gen_shlx(Dis *d, Insn *i)
{
    shift(d, i, OP_shl);
}

void gen_shrx(Dis *d, Insn *i)
{
    shift(d, i, OP_shr);
}
