/* SPDX-License-Identifier: MIT */
/*
 * Shifts, rotates, bit tests and counts. A count of zero leaves every flag alone; counts are known
 * at translation for the immediate forms, so only the CL forms pay for that.
 */
#include "target-i386/gen.h"

#include "target-i386/translate.h"

static unsigned count_mask(const Insn *i)
{
    return i->osize == I64 && op_type(i, 0) == I64 ? 63 : 31;
}

/* The masked count as I8. */
static IrRef load_count(Dis *d, Insn *i, unsigned n)
{
    return ir_and(d->ir, op_load(d, i, n), ir_const(d->ir, I8, count_mask(i)));
}

static IrRef const8(Dis *d, uint64_t v)
{
    return ir_const(d->ir, I8, v);
}

/* Flags @fl unless @count is 0. */
static void set_flags_if(Dis *d, IrRef count, IrRef fl)
{
    IrBlock *ir = d->ir;
    uint64_t n;
    if (ir_is_const(ir, count, &n)) {
        ir_setflags(ir, fl);
        return;
    }
    ir_setflags(ir, ir_fl_select(ir, count, fl, ir_getflags(ir)));
}

/* A constant count of 0 writes its operand back (a memory operand is probed for writing, a 32-bit
 * register zero-extended) and nothing else. */
static bool count_is_zero(Dis *d, Insn *i, IrRef count)
{
    uint64_t n;
    if (!ir_is_const(d->ir, count, &n) || n)
        return false;
    Rmw m = rmw_begin(d, i, 0);
    rmw_finish(d, &m, m.old);
    return true;
}

/* ---- SHL SHR SAR ---------------------------------------------------------------------------- */

/* Narrow operands are shifted as I64 so that any count up to 31 means what it says. SHL's CF is bit
 * (width - count) of the operand: pre is the operand shifted by count - 1, cut to the width. */
static void shift(Dis *d, Insn *i, IrOpcode op)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    IrType wide = type < I32 ? I32 : type;
    IrRef count = load_count(d, i, 1);
    if (count_is_zero(d, i, count))
        return;
    Rmw m = rmw_begin(d, i, 0);
    IrRef x = type == wide ? m.old : ir_cvt(ir, op == OP_sar ? OP_sext : OP_zext, wide, m.old);
    IrRef less = ir_sub(ir, count, const8(d, 1)); /* count 0: garbage that nobody sees */
    IrRef pre = ir_shift(ir, op, x, less);
    IrRef res = ir_shift(ir, op, x, count);
    if (type != wide) {
        pre = ir_trunc(ir, type, pre);
        res = ir_trunc(ir, type, res);
    }
    rmw_finish(d, &m, res);
    set_flags_if(d, count, op == OP_shl ? ir_fl_shl(ir, res, pre) : ir_fl_shr(ir, res, pre));
}

void gen_shl(Dis *d, Insn *i)
{
    shift(d, i, OP_shl);
}

void gen_shr(Dis *d, Insn *i)
{
    shift(d, i, OP_shr);
}

void gen_sar(Dis *d, Insn *i)
{
    shift(d, i, OP_sar);
}

/* ---- SHLD SHRD ------------------------------------------------------------------------------ */

/* 16-bit operands: counts over 16 are undefined by the manual; AMD's processors shift dst:src:src
 * and src:src:dst. */
static IrRef double16(Dis *d, bool left, IrRef dst, IrRef src, IrRef count)
{
    IrBlock *ir = d->ir;
    IrRef x = ir_zext(ir, I64, dst), y = ir_zext(ir, I64, src);
    IrRef c16 = const8(d, 16), c32 = const8(d, 32);
    IrRef high = left ? x : y, low = left ? y : x;
    IrRef v = ir_or(ir, ir_shl(ir, high, c32), ir_or(ir, ir_shl(ir, y, c16), low));
    v = left ? ir_shr(ir, ir_shl(ir, v, count), c32) : ir_shr(ir, v, count);
    return ir_trunc(ir, I16, v);
}

static IrRef double_shift(Dis *d, bool left, IrRef dst, IrRef src, IrRef count)
{
    IrBlock *ir = d->ir;
    if (ir_type(ir, dst) == I16)
        return double16(d, left, dst, src, count);
    return left ? ir_fshl(ir, dst, src, count) : ir_fshr(ir, dst, src, count);
}

static void shift_double(Dis *d, Insn *i, bool left)
{
    IrBlock *ir = d->ir;
    IrRef count = load_count(d, i, 2);
    if (count_is_zero(d, i, count))
        return;
    IrRef src = op_load(d, i, 1);
    Rmw m = rmw_begin(d, i, 0);
    IrRef less = ir_sub(ir, count, const8(d, 1));
    IrRef pre = double_shift(d, left, m.old, src, less);
    IrRef res = double_shift(d, left, m.old, src, count);
    rmw_finish(d, &m, res);
    set_flags_if(d, count, left ? ir_fl_shl(ir, res, pre) : ir_fl_shr(ir, res, pre));
}

void gen_shld(Dis *d, Insn *i)
{
    shift_double(d, i, true);
}

void gen_shrd(Dis *d, Insn *i)
{
    shift_double(d, i, false);
}

/* ---- Rotates -------------------------------------------------------------------------------- */

static void rotate(Dis *d, Insn *i, IrOpcode op)
{
    IrBlock *ir = d->ir;
    IrRef count = load_count(d, i, 1);
    if (count_is_zero(d, i, count))
        return;
    Rmw m = rmw_begin(d, i, 0);
    IrRef res = ir_shift(ir, op, m.old, count);
    IrRef before = ir_getflags(ir);
    rmw_finish(d, &m, res);
    set_flags_if(d, count,
                 op == OP_rotl ? ir_fl_rotl(ir, res, before) : ir_fl_rotr(ir, res, before));
}

void gen_rol(Dis *d, Insn *i)
{
    rotate(d, i, OP_rotl);
}

void gen_ror(Dis *d, Insn *i)
{
    rotate(d, i, OP_rotr);
}

/* By one place: CF goes in at one end, the bit that falls out at the other becomes CF. OF is what
 * the two top bits of (result, CF) or of the result differ by. */
static void rotate_carry_once(Dis *d, Insn *i, bool left)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    IrRef one = const8(d, 1), top = const8(d, ir_type_info[type].bits - 1);
    IrRef carry = flags_cf(d, type);
    Rmw m = rmw_begin(d, i, 0);
    IrRef high = ir_shr(ir, m.old, top), res, out, of;
    if (left) {
        res = ir_or(ir, ir_shl(ir, m.old, one), carry);
        out = high;
        of = ir_xor(ir, ir_shr(ir, res, top), high);
    } else {
        res = ir_or(ir, ir_shr(ir, m.old, one), ir_shl(ir, carry, top));
        out = ir_and(ir, m.old, ir_const(ir, type, 1));
        of = ir_xor(ir, carry, high);
    }
    IrRef word = ir_and(ir, ir_fl_pack(ir, ir_getflags(ir)), const32(d, ~FLAG_OF));
    of = ir_shl(ir, ir_cvt(ir, type == I64 ? OP_trunc : OP_zext, I32, of), const8(d, 11));
    IrRef rest = ir_fl_packed(ir, ir_or(ir, word, of));
    IrRef cf = ir_setcond(ir, COND_NE, out, ir_const(ir, type, 0));
    rmw_finish(d, &m, res);
    ir_setflags(ir, ir_fl_setcf(ir, cf, rest));
}

/* RCL, RCR: by pure helpers (value, count | CF << 8 | log2 size << 16); one gives the result, one
 * CF and OF. Counts are taken modulo width + 1 by the helper; a count that becomes 0 so keeps CF.
 */
static void rotate_carry(Dis *d, Insn *i, unsigned value_helper, unsigned flags_helper)
{
    uint64_t n;

    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    IrRef count = load_count(d, i, 1);
    if (count_is_zero(d, i, count))
        return;
    if (ir_is_const(ir, count, &n) && n == 1) {
        rotate_carry_once(d, i, value_helper == HELP_rcl);
        return;
    }
    Rmw m = rmw_begin(d, i, 0);
    IrRef x = addr_wrap(d, m.old, type);
    IrRef how = ir_or(ir, ir_zext(ir, I32, count), const32(d, (uint32_t)(type - I8) << 16));
    how = ir_or(ir, how, ir_shl(ir, flags_cf(d, I32), const8(d, 8)));
    IrRef res = call2(d, value_helper, x, how);
    IrRef word = ir_and(ir, ir_fl_pack(ir, ir_getflags(ir)), const32(d, ~(FLAG_CF | FLAG_OF)));
    IrRef fl = ir_fl_packed(ir, ir_or(ir, word, call2(d, flags_helper, x, how)));
    rmw_finish(d, &m, type == I64 ? res : ir_trunc(ir, type, res));
    set_flags_if(d, count, fl);
}

void gen_rcl(Dis *d, Insn *i)
{
    rotate_carry(d, i, HELP_rcl, HELP_rcl_flags);
}

void gen_rcr(Dis *d, Insn *i)
{
    rotate_carry(d, i, HELP_rcr, HELP_rcr_flags);
}

/* ---- Bits ----------------------------------------------------------------------------------- */

/* BT family: the bit number counts from the operand's start over all of memory if it comes from a
 * register, so the address moves by whole operands. */
static Mem bit_mem(Dis *d, Insn *i, IrRef bit, bool write)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    unsigned bytes = ir_type_info[type].bytes;
    if (i->op[1].kind != OPK_IMM) {
        unsigned shift = (type == I16 ? 4 : type == I32 ? 5 : 6);
        IrRef n = type == I64 ? bit : ir_sext(ir, I64, bit);
        IrRef units = ir_sar(ir, n, const8(d, shift));
        IrRef ea = ir_add(ir, mem_ea(d, i), ir_shl(ir, units, const8(d, shift - 3)));
        i->ea = addr_wrap(d, ea, (IrType)i->asize);
    }
    return mem_operand(d, i, bytes, write);
}

static void bit_test(Dis *d, Insn *i, IrOpcode op)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    IrRef bit = op_load(d, i, 1);
    IrRef n = ir_type(ir, bit) == I8 ? bit : ir_trunc(ir, I8, bit);
    n = ir_and(ir, n, const8(d, ir_type_info[type].bits - 1));
    bool mem = op_is_mem(i, 0), write = op != OP_nop;
    IrRef one = ir_const(ir, type, 1);
    Rmw m = { .i = i };
    if (!mem)
        m.old = op_load(d, i, 0);
    else if (write)
        m = rmw_begin_at(d, i, 0, bit_mem(d, i, bit, true));
    else
        m.old = mem_ld(d, bit_mem(d, i, bit, false), type, 0);
    IrRef selected = ir_and(ir, ir_shr(ir, m.old, n), one);
    IrRef cf = ir_setcond(ir, COND_NE, selected, ir_const(ir, type, 0));
    if (write) {
        IrRef mask = ir_shl(ir, one, n);
        IrRef r = op == OP_andn ? ir_andn(ir, mask, m.old) : ir_bin(ir, op, m.old, mask);
        rmw_finish(d, &m, r);
    }
    ir_setflags(ir, ir_fl_setcf(ir, cf, ir_getflags(ir)));
}

void gen_bt(Dis *d, Insn *i)
{
    bit_test(d, i, OP_nop);
}

void gen_bts(Dis *d, Insn *i)
{
    bit_test(d, i, OP_or);
}

void gen_btr(Dis *d, Insn *i)
{
    bit_test(d, i, OP_andn);
}

void gen_btc(Dis *d, Insn *i)
{
    bit_test(d, i, OP_xor);
}

/* A source of 0 leaves the destination alone, all of its 64 bits. Undefined flags, here and of
 * TZCNT and LZCNT, are those of a logical operation: at the begin of a block it takes long to find
 * out what they were before. */
static void bit_scan(Dis *d, Insn *i, bool reverse)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 1);
    IrRef x = op_load(d, i, 1);
    IrRef zero = ir_setcond(ir, COND_EQ, x, ir_const(ir, type, 0));
    IrRef n = reverse ? ir_xor(ir, ir_clz(ir, x), ir_const(ir, type, ir_type_info[type].bits - 1))
                      : ir_ctz(ir, x);
    IrType full = type == I32 ? I64 : type;
    IrRef r =
        ir_select(ir, zero, reg_get(d, full, i->op[0].reg), type == I32 ? ir_zext(ir, I64, n) : n);
    reg_set(d, full, i->op[0].reg, r);
    ir_setflags(ir, ir_fl_logic(ir, x));
}

void gen_bsf(Dis *d, Insn *i)
{
    bit_scan(d, i, false);
}

void gen_bsr(Dis *d, Insn *i)
{
    bit_scan(d, i, true);
}

static void count_zeros(Dis *d, Insn *i, IrOpcode op)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 1);
    IrRef x = op_load(d, i, 1);
    IrRef r = ir_un(ir, op, x);
    IrRef zero = ir_const(ir, type, 0);
    op_store(d, i, 0, r);
    ir_setflags(ir, ir_fl_setcf(ir, ir_setcond(ir, COND_EQ, x, zero), ir_fl_logic(ir, r)));
}

void gen_tzcnt(Dis *d, Insn *i)
{
    count_zeros(d, i, OP_ctz);
}

void gen_lzcnt(Dis *d, Insn *i)
{
    count_zeros(d, i, OP_clz);
}

void gen_popcnt(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef x = op_load(d, i, 1);
    IrRef zf = ir_zext(ir, I32, ir_setcond(ir, COND_EQ, x, ir_const(ir, op_type(i, 1), 0)));
    op_store(d, i, 0, ir_popcnt(ir, x));
    ir_setflags(ir, ir_fl_packed(ir, ir_shl(ir, zf, const8(d, 6))));
}

void gen_crc32(Dis *d, Insn *i)
{
    IrType type = op_type(i, 1);
    IrRef x = addr_wrap(d, op_load(d, i, 1), type);
    IrRef crc = reg_get(d, I32, i->op[0].reg);
    IrRef r = call3(d, HELP_crc32, crc, x, const32(d, ir_type_info[type].bytes));
    reg_set(d, I32, i->op[0].reg, r);
}
