/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic and logic: ADD … CMP, INC/DEC, MUL/DIV, the decimal adjusts (SDM vol. 2). With a
 * memory destination the operation is one read-modify-write op, so it is one permission check, for
 * writing.
 */
#include "target-i386/gen.h"

#include "target-i386/translate.h"

/* ---- Read-modify-write ---------------------------------------------------------------------- */

static Mem rmw_mem(Dis *d, Insn *i)
{
    Mem m = mem_operand(d, i, ir_type_info[op_type(i, 0)].bytes, true);
    if (i->lock)
        m.flags |= MEM_LOCK;
    return m;
}

/* Operand 0 = operand 0 op @value. Registers are stored by the caller's finish(). */
static IrRef apply(Dis *d, Insn *i, IrOpcode rmw, IrOpcode op, IrRef value)
{
    if (op_is_mem(i, 0)) {
        Mem m = rmw_mem(d, i);
        return ir_rmw(d->ir, rmw, value, m.addr, m.disp, m.flags);
    }
    return ir_bin(d->ir, op, op_load(d, i, 0), value);
}

/* The commit: a register result, then the flags. */
static void finish(Dis *d, Insn *i, IrRef result, IrRef flags)
{
    if (!op_is_mem(i, 0))
        op_store(d, i, 0, result);
    ir_setflags(d->ir, flags);
}

void gen_add(Dis *d, Insn *i)
{
    IrRef b = op_load(d, i, 1);
    IrRef r = apply(d, i, OP_rmw_add, OP_add, b);
    finish(d, i, r, ir_fl_add(d->ir, r, b));
}

void gen_sub(Dis *d, Insn *i)
{
    IrRef b = op_load(d, i, 1);
    IrRef r = apply(d, i, OP_rmw_sub, OP_sub, b);
    finish(d, i, r, ir_fl_sub(d->ir, r, b));
}

/* In the order that back ends know as one instruction. */
static IrRef apply_with_carry(Dis *d, Insn *i, IrOpcode rmw, IrOpcode op, IrRef b, IrRef cin)
{
    if (op_is_mem(i, 0))
        return apply(d, i, rmw, op, ir_add(d->ir, b, cin));
    return ir_bin(d->ir, op, ir_bin(d->ir, op, op_load(d, i, 0), b), cin);
}

void gen_adc(Dis *d, Insn *i)
{
    IrRef b = op_load(d, i, 1);
    IrRef cin = flags_cf(d, op_type(i, 0));
    IrRef r = apply_with_carry(d, i, OP_rmw_add, OP_add, b, cin);
    finish(d, i, r, ir_fl_adc(d->ir, r, b, cin));
}

void gen_sbb(Dis *d, Insn *i)
{
    IrRef b = op_load(d, i, 1);
    IrRef cin = flags_cf(d, op_type(i, 0));
    IrRef r = apply_with_carry(d, i, OP_rmw_sub, OP_sub, b, cin);
    finish(d, i, r, ir_fl_sbb(d->ir, r, b, cin));
}

static void logic(Dis *d, Insn *i, IrOpcode rmw, IrOpcode op)
{
    IrRef r = apply(d, i, rmw, op, op_load(d, i, 1));
    finish(d, i, r, ir_fl_logic(d->ir, r));
}

void gen_and(Dis *d, Insn *i)
{
    logic(d, i, OP_rmw_and, OP_and);
}

void gen_or(Dis *d, Insn *i)
{
    logic(d, i, OP_rmw_or, OP_or);
}

static bool same_register(const Insn *i)
{
    return i->op[0].kind == OPK_GPR && i->op[1].kind == OPK_GPR && i->op[0].reg == i->op[1].reg;
}

void gen_xor(Dis *d, Insn *i)
{
    if (same_register(i)) {
        IrRef zero = ir_const(d->ir, op_type(i, 0), 0);
        finish(d, i, zero, ir_fl_logic(d->ir, zero));
        return;
    }
    logic(d, i, OP_rmw_xor, OP_xor);
}

void gen_cmp(Dis *d, Insn *i)
{
    IrRef a = op_load(d, i, 0);
    ir_setflags(d->ir, ir_fl_cmp(d->ir, a, op_load(d, i, 1)));
}

void gen_test(Dis *d, Insn *i)
{
    IrRef a = op_load(d, i, 0);
    IrRef r = same_register(i) ? a : ir_and(d->ir, a, op_load(d, i, 1));
    ir_setflags(d->ir, ir_fl_logic(d->ir, r));
}

void gen_inc(Dis *d, Insn *i)
{
    IrRef r = apply(d, i, OP_rmw_add, OP_add, ir_const(d->ir, op_type(i, 0), 1));
    finish(d, i, r, ir_fl_inc(d->ir, r, ir_getflags(d->ir)));
}

void gen_dec(Dis *d, Insn *i)
{
    IrRef r = apply(d, i, OP_rmw_sub, OP_sub, ir_const(d->ir, op_type(i, 0), 1));
    finish(d, i, r, ir_fl_dec(d->ir, r, ir_getflags(d->ir)));
}

void gen_not(Dis *d, Insn *i)
{
    if (op_is_mem(i, 0)) {
        apply(d, i, OP_rmw_xor, OP_xor, ir_const(d->ir, op_type(i, 0), UINT64_MAX));
        return;
    }
    op_store(d, i, 0, ir_not(d->ir, op_load(d, i, 0)));
}

void gen_neg(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    Rmw m = rmw_begin(d, i, 0);
    IrRef r = ir_neg(ir, m.old);
    rmw_finish(d, &m, r);
    ir_setflags(ir, ir_fl_sub(ir, r, m.old)); /* 0 - old */
}

/* ADCX, ADOX: add with one of CF and OF as carry in and out, the other flags stay. */
static void add_with_flag(Dis *d, Insn *i, unsigned cc)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    IrRef b = op_load(d, i, 1);
    IrRef a = op_load(d, i, 0);
    IrRef cin = ir_zext(ir, type, flags_cc(d, cc));
    IrRef r = ir_add(ir, ir_add(ir, a, b), cin);
    IrRef flag = ir_fl_test(ir, CC_B, ir_fl_adc(ir, r, b, cin));
    op_store(d, i, 0, r);
    ir_setflags(ir, cc == CC_B ? ir_fl_setcf(ir, flag, ir_getflags(ir))
                               : ir_fl_setof(ir, flag, ir_getflags(ir)));
}

void gen_adcx(Dis *d, Insn *i)
{
    add_with_flag(d, i, CC_B);
}

void gen_adox(Dis *d, Insn *i)
{
    add_with_flag(d, i, CC_O);
}

/* ---- Multiplication ------------------------------------------------------------------------- */

/* CF = OF = the high half is not the extension of the low one. */
static IrRef flags_mul(Dis *d, IrRef low, IrRef high, bool is_signed)
{
    IrBlock *ir = d->ir;
    IrRef over = high;
    if (is_signed) {
        IrType type = ir_type(ir, low);
        unsigned top = ir_type_info[type].bits - 1;
        over = ir_xor(ir, high, ir_sar(ir, low, ir_const(ir, I8, top)));
    }
    return ir_fl_mul(ir, low, over);
}

static void mul8(Dis *d, Insn *i, bool is_signed)
{
    IrBlock *ir = d->ir;
    IrOpcode extend = is_signed ? OP_sext : OP_zext;
    IrRef a = ir_cvt(ir, extend, I16, reg_get(d, I8, R_RAX));
    IrRef p = ir_mul(ir, a, ir_cvt(ir, extend, I16, op_load(d, i, 0)));
    IrRef low = ir_trunc(ir, I8, p);
    IrRef over = ir_xor(ir, p, ir_cvt(ir, extend, I16, low));
    reg_set(d, I16, R_RAX, p);
    /* SF, ZF, PF are of the low byte, so the record is 8 bits wide; any set bit of over counts. */
    IrRef any = ir_zext(ir, I8, ir_setcond(ir, COND_NE, over, ir_const(ir, I16, 0)));
    ir_setflags(ir, ir_fl_mul(ir, low, any));
}

static void mul1(Dis *d, Insn *i, bool is_signed)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    if (type == I8) {
        mul8(d, i, is_signed);
        return;
    }
    IrRef b = op_load(d, i, 0);
    IrRef a = reg_get(d, type, R_RAX);
    IrRef low = ir_mul(ir, a, b);
    IrRef high = ir_bin(ir, is_signed ? OP_mulhs : OP_mulhu, a, b);
    reg_set(d, type, R_RAX, low);
    reg_set(d, type, R_RDX, high);
    ir_setflags(ir, flags_mul(d, low, high, is_signed));
}

void gen_mul(Dis *d, Insn *i)
{
    mul1(d, i, false);
}

void gen_imul1(Dis *d, Insn *i)
{
    mul1(d, i, true);
}

void gen_imul(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    bool three = i->nops == 3;
    IrRef a = op_load(d, i, 1);
    IrRef b = op_load(d, i, three ? 2 : 0);
    IrRef low = ir_mul(ir, a, b);
    IrRef high = ir_mulhs(ir, a, b);
    op_store(d, i, 0, low);
    ir_setflags(ir, flags_mul(d, low, high, true));
}

/* ---- Division ------------------------------------------------------------------------------- */

static void div8(Dis *d, Insn *i, bool is_signed)
{
    IrBlock *ir = d->ir;
    IrRef divisor = ir_cvt(ir, is_signed ? OP_sext : OP_zext, I16, op_load(d, i, 0));
    IrRef ax = reg_get(d, I16, R_RAX);
    IrRef hi = is_signed ? ir_sar(ir, ax, ir_const(ir, I8, 15)) : ir_const(ir, I16, 0);
    IrRef q = is_signed ? ir_divs2(ir, hi, ax, divisor, X86_TRAP(EXCP_DE))
                        : ir_divu2(ir, hi, ax, divisor, X86_TRAP(EXCP_DE));
    IrRef rem = ir_second(ir, q);
    IrRef low = ir_trunc(ir, I8, q);
    IrRef back = ir_cvt(ir, is_signed ? OP_sext : OP_zext, I16, low);
    ir_trap_if(ir, ir_setcond(ir, COND_NE, q, back), X86_TRAP(EXCP_DE));
    ir_set(ir, SLOT_GPR + R_RAX, 0, low);
    ir_set(ir, SLOT_GPR + R_RAX, 1, ir_trunc(ir, I8, rem));
}

static void divide(Dis *d, Insn *i, bool is_signed)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    if (type == I8) {
        div8(d, i, is_signed);
        return;
    }
    IrRef divisor = op_load(d, i, 0);
    IrRef low = reg_get(d, type, R_RAX);
    IrRef high = reg_get(d, type, R_RDX);
    IrRef q = is_signed ? ir_divs2(ir, high, low, divisor, X86_TRAP(EXCP_DE))
                        : ir_divu2(ir, high, low, divisor, X86_TRAP(EXCP_DE));
    IrRef rem = ir_second(ir, q);
    reg_set(d, type, R_RAX, q);
    reg_set(d, type, R_RDX, rem);
}

void gen_div(Dis *d, Insn *i)
{
    divide(d, i, false);
}

void gen_idiv(Dis *d, Insn *i)
{
    divide(d, i, true);
}

/* ---- Decimal adjusts: pure helpers get AX and the flags, return AX | flags << 16 ---------------
 */

static void adjust(Dis *d, unsigned helper)
{
    IrBlock *ir = d->ir;
    IrRef ax = ir_zext(ir, I32, reg_get(d, I16, R_RAX));
    IrRef r = call2(d, helper, ax, ir_fl_pack(ir, ir_getflags(ir)));
    reg_set(d, I16, R_RAX, ir_trunc(ir, I16, r));
    ir_setflags(ir, ir_fl_packed(ir, ir_shr(ir, r, ir_const(ir, I8, 16))));
}

void gen_daa(Dis *d, Insn *i)
{
    adjust(d, HELP_daa);
}

void gen_das(Dis *d, Insn *i)
{
    adjust(d, HELP_das);
}

void gen_aaa(Dis *d, Insn *i)
{
    adjust(d, HELP_aaa);
}

void gen_aas(Dis *d, Insn *i)
{
    adjust(d, HELP_aas);
}

void gen_aam(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    if (i->imm == 0) {
        trap(d, X86_TRAP(EXCP_DE));
        return;
    }
    IrRef al = ir_zext(ir, I16, reg_get(d, I8, R_RAX));
    IrRef q = ir_divu2(ir, ir_const(ir, I16, 0), al, ir_const(ir, I16, (uint64_t)i->imm),
                       X86_TRAP(EXCP_DE));
    IrRef rem = ir_trunc(ir, I8, ir_second(ir, q));
    ir_set(ir, SLOT_GPR + R_RAX, 0, rem);
    ir_set(ir, SLOT_GPR + R_RAX, 1, ir_trunc(ir, I8, q));
    ir_setflags(ir, ir_fl_logic(ir, rem));
}

void gen_aad(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef ah = ir_zext(ir, I16, ir_get(ir, I8, SLOT_GPR + R_RAX, 1));
    IrRef al = ir_zext(ir, I16, reg_get(d, I8, R_RAX));
    IrRef sum = ir_add(ir, al, ir_mul(ir, ah, ir_const(ir, I16, (uint64_t)i->imm)));
    IrRef low = ir_trunc(ir, I8, sum);
    reg_set(d, I16, R_RAX, ir_zext(ir, I16, low));
    ir_setflags(ir, ir_fl_logic(ir, low));
}
