/* SPDX-License-Identifier: MIT */
/*
 * Moving data: MOV and its kin, exchanges, the stack, conversions, single flags (SDM vol. 2). The
 * instructions that move segment, control and debug registers are in gen-system.c.
 */
#include "target-i386/gen.h"

#include "target-i386/translate.h"

static IrRef const8(Dis *d, uint64_t v)
{
    return ir_const(d->ir, I8, v);
}

/* ---- MOV ------------------------------------------------------------------------------------ */

void gen_mov(Dis *d, Insn *i)
{
    op_store(d, i, 0, op_load(d, i, 1));
}

void gen_movnti(Dis *d, Insn *i)
{
    Mem m = mem_operand(d, i, ir_type_info[op_type(i, 0)].bytes, true);
    m.flags |= MEM_NT;
    mem_st(d, m, op_load(d, i, 1), 0);
}

static IrRef swap_bytes(Dis *d, IrRef v)
{
    return ir_type(d->ir, v) == I16 ? ir_rotl(d->ir, v, const8(d, 8)) : ir_bswap(d->ir, v);
}

void gen_movbe(Dis *d, Insn *i)
{
    op_store(d, i, 0, swap_bytes(d, op_load(d, i, 1)));
}

/* BSWAP of a 16-bit register is undefined by the manual; processors clear it. */
void gen_bswap(Dis *d, Insn *i)
{
    IrRef v = op_load(d, i, 0);
    op_store(d, i, 0, op_type(i, 0) == I16 ? ir_const(d->ir, I16, 0) : ir_bswap(d->ir, v));
}

static void extend(Dis *d, Insn *i, IrOpcode op)
{
    IrRef v = op_load(d, i, 1);
    IrType from = op_type(i, 1), to = op_type(i, 0);
    if (from < to)
        v = ir_cvt(d->ir, op, to, v);
    else if (from > to)
        v = ir_trunc(d->ir, to, v);
    op_store(d, i, 0, v);
}

void gen_movzx(Dis *d, Insn *i)
{
    extend(d, i, OP_zext);
}

void gen_movsx(Dis *d, Insn *i)
{
    extend(d, i, OP_sext);
}

void gen_movsxd(Dis *d, Insn *i)
{
    extend(d, i, OP_sext);
}

void gen_lea(Dis *d, Insn *i)
{
    op_store(d, i, 0, ea_as(d, i, op_type(i, 0)));
}

void gen_cmovcc(Dis *d, Insn *i)
{
    IrRef v = op_load(d, i, 1);
    IrRef cond = flags_cc(d, i->opcode & 15);
    op_store(d, i, 0, ir_select(d->ir, cond, v, op_load(d, i, 0)));
}

void gen_setcc(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_zext(d->ir, I8, flags_cc(d, i->opcode & 15)));
}

void gen_xlat(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType size = (IrType)i->asize;
    IrRef al = ir_zext(ir, size, reg_get(d, I8, R_RAX));
    IrRef ea = addr_wrap(d, ir_add(ir, reg_get(d, size, R_RBX), al), size);
    Mem m = mem_seg(d, i->seg, ea, 1, false);
    reg_set(d, I8, R_RAX, mem_ld(d, m, I8, 0));
}

/* CBW CWDE CDQE */
void gen_cbw(Dis *d, Insn *i)
{
    IrType type = (IrType)i->osize;
    reg_set(d, type, R_RAX, ir_sext(d->ir, type, reg_get(d, (IrType)(type - 1), R_RAX)));
}

/* CWD CDQ CQO */
void gen_cwd(Dis *d, Insn *i)
{
    IrType type = (IrType)i->osize;
    IrRef top = const8(d, ir_type_info[type].bits - 1);
    reg_set(d, type, R_RDX, ir_sar(d->ir, reg_get(d, type, R_RAX), top));
}

/* ---- Exchanges ------------------------------------------------------------------------------ */

/* With memory always locked. XCHG rAX,rAX is NOP: EAX is not zero-extended. */
void gen_xchg(Dis *d, Insn *i)
{
    if (op_is_mem(i, 0)) {
        Mem m = mem_operand(d, i, ir_type_info[op_type(i, 0)].bytes, true);
        IrRef v = op_load(d, i, 1);
        op_store(d, i, 1, ir_rmw(d->ir, OP_rmw_xchg, v, m.addr, m.disp, m.flags | MEM_LOCK));
        return;
    }
    if (i->opcode == 0x90 && i->op[0].reg == R_RAX)
        return;
    IrRef a = op_load(d, i, 0), b = op_load(d, i, 1);
    op_store(d, i, 0, b);
    op_store(d, i, 1, a);
}

void gen_xadd(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef b = op_load(d, i, 1), a, sum;
    if (op_is_mem(i, 0)) {
        Mem m = mem_operand(d, i, ir_type_info[op_type(i, 0)].bytes, true);
        a = ir_rmw(ir, OP_rmw_xadd, b, m.addr, m.disp, m.flags | (i->lock ? MEM_LOCK : 0));
        sum = ir_add(ir, a, b);
        op_store(d, i, 1, a);
    } else {
        a = op_load(d, i, 0);
        sum = ir_add(ir, a, b);
        op_store(d, i, 1, a);
        op_store(d, i, 0, sum); /* the same register twice: the sum stays */
    }
    ir_setflags(ir, ir_fl_add(ir, sum, b));
}

/* Only one of destination and accumulator is written, and only that is zero-extended. */
static void cmpxchg_register(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0), full = type == I32 ? I64 : type;
    unsigned reg = i->op[0].reg, byte = i->op[0].kind == OPK_GPR_HI;
    IrRef src = op_load(d, i, 1), old = op_load(d, i, 0), acc = reg_get(d, type, R_RAX);
    IrRef equal = ir_setcond(ir, COND_EQ, old, acc);
    IrRef to_dst = type == I32 ? ir_zext(ir, I64, src) : src;
    IrRef to_acc = type == I32 ? ir_zext(ir, I64, old) : old;
    IrRef dst = ir_get(ir, full, SLOT_GPR + reg, byte);
    if (reg != R_RAX || byte) /* else it was equal */
        reg_set(d, full, R_RAX, ir_select(ir, equal, reg_get(d, full, R_RAX), to_acc));
    ir_set(ir, SLOT_GPR + reg, byte, ir_select(ir, equal, to_dst, dst));
    ir_setflags(ir, ir_fl_cmp(ir, acc, old));
}

/* In memory the destination is written in any case. */
void gen_cmpxchg(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0), full = type == I32 ? I64 : type;
    if (!op_is_mem(i, 0)) {
        cmpxchg_register(d, i);
        return;
    }
    IrRef src = op_load(d, i, 1), acc = reg_get(d, type, R_RAX);
    Mem m = mem_operand(d, i, ir_type_info[type].bytes, true);
    IrRef old = ir_rmw_cas(ir, acc, src, m.addr, m.disp, m.flags | (i->lock ? MEM_LOCK : 0));
    IrRef equal = ir_setcond(ir, COND_EQ, old, acc);
    IrRef to_acc = type == I32 ? ir_zext(ir, I64, old) : old;
    reg_set(d, full, R_RAX, ir_select(ir, equal, reg_get(d, full, R_RAX), to_acc));
    ir_setflags(ir, ir_fl_cmp(ir, acc, old));
}

static IrRef pair(Dis *d, unsigned high, unsigned low)
{
    IrBlock *ir = d->ir;
    IrRef h = ir_zext(ir, I64, reg_get(d, I32, high));
    return ir_or(ir, ir_shl(ir, h, const8(d, 32)), ir_zext(ir, I64, reg_get(d, I32, low)));
}

/* Written in any case. With one CPU running at a time several accesses are one. */
static void cmpxchg16b(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    Mem m = mem_operand(d, i, 16, true);
    IrRef low = ir_and(ir, m.disp ? ir_addi(ir, m.addr, m.disp) : m.addr, const64(d, 15));
    ir_trap_if(ir, ir_setcond(ir, COND_NE, low, const64(d, 0)), X86_TRAP_ERROR(EXCP_GP, 0));
    ir_probe(ir, m.addr, m.disp, 16, true, m.flags);
    IrRef lo = mem_ld(d, m, I64, 0), hi = mem_ld(d, m, I64, 8);
    IrRef differ =
        ir_or(ir, ir_xor(ir, lo, reg_get(d, I64, R_RAX)), ir_xor(ir, hi, reg_get(d, I64, R_RDX)));
    IrRef equal = ir_setcond(ir, COND_EQ, differ, const64(d, 0));
    IrRef new_lo = ir_select(ir, equal, reg_get(d, I64, R_RBX), lo);
    IrRef new_hi = ir_select(ir, equal, reg_get(d, I64, R_RCX), hi);
    mem_st(d, m, new_lo, 0);
    mem_st(d, m, new_hi, 8);
    reg_set(d, I64, R_RAX, lo); /* which they are if they are equal */
    reg_set(d, I64, R_RDX, hi);
    ir_setflags(ir, ir_fl_setzf(ir, equal, ir_getflags(ir)));
}

void gen_cmpxchg8b(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    if (i->rex & 8) {
        cmpxchg16b(d, i);
        return;
    }
    Mem m = mem_operand(d, i, 8, true);
    IrRef compare = pair(d, R_RDX, R_RAX);
    IrRef old = ir_rmw_cas(ir, compare, pair(d, R_RCX, R_RBX), m.addr, m.disp,
                           m.flags | (i->lock ? MEM_LOCK : 0));
    IrRef equal = ir_setcond(ir, COND_EQ, old, compare);
    IrRef low = ir_zext(ir, I64, ir_trunc(ir, I32, old));
    IrRef high = ir_shr(ir, old, const8(d, 32));
    IrRef rax = ir_select(ir, equal, reg_get(d, I64, R_RAX), low);
    IrRef rdx = ir_select(ir, equal, reg_get(d, I64, R_RDX), high);
    reg_set(d, I64, R_RAX, rax);
    reg_set(d, I64, R_RDX, rdx);
    ir_setflags(ir, ir_fl_setzf(ir, equal, ir_getflags(ir)));
}

/* ---- Stack ---------------------------------------------------------------------------------- */

void gen_push(Dis *d, Insn *i)
{
    IrRef v = op_load(d, i, 0);
    Stack s = stack_begin(d);
    stack_push(d, &s, v);
    stack_commit(d, &s);
}

/* An address based on rSP is computed with rSP already incremented. */
void gen_pop(Dis *d, Insn *i)
{
    IrType type = op_type(i, 0);
    Stack s = stack_begin(d);
    IrRef v = stack_pop(d, &s, type);
    if (op_is_mem(i, 0)) {
        if (i->base == R_RSP)
            i->disp += ir_type_info[type].bytes;
        op_store(d, i, 0, v);
        stack_commit(d, &s);
    } else {
        stack_commit(d, &s);
        op_store(d, i, 0, v);
    }
}

void gen_pusha(Dis *d, Insn *i)
{
    IrType type = (IrType)i->osize;
    Stack s = stack_begin(d);
    for (unsigned r = R_RAX; r <= R_RDI; r++)
        stack_push(d, &s, reg_get(d, type, r));
    stack_commit(d, &s);
}

void gen_popa(Dis *d, Insn *i)
{
    IrType type = (IrType)i->osize;
    IrRef v[8];
    Stack s = stack_begin(d);
    for (int r = R_RDI; r >= R_RAX; r--)
        v[r] = stack_pop(d, &s, type);
    stack_commit(d, &s);
    for (int r = R_RDI; r >= R_RAX; r--) {
        if (r != R_RSP)
            reg_set(d, type, (unsigned)r, v[r]);
    }
}

/* Copies @level - 1 frame pointers of the enclosing procedures and its own. */
static void push_display(Dis *d, Stack *s, IrType type, unsigned level, IrRef frame)
{
    IrBlock *ir = d->ir;
    IrType width = (IrType)d->stack_size;
    unsigned size = ir_type_info[type].bytes;
    IrRef bp = reg_get(d, width, R_RBP);
    for (unsigned n = 1; n < level; n++) {
        IrRef ea = addr_wrap(d, ir_addi(ir, bp, -(int64_t)(n * size)), width);
        Mem m = mem_seg(d, SEG_SS, ea, size, false);
        stack_push(d, s, mem_ld(d, m, type, 0));
    }
    if (type != width)
        frame = type < width ? ir_trunc(ir, type, frame) : ir_zext(ir, type, frame);
    stack_push(d, s, frame);
}

void gen_enter(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType type = (IrType)i->osize, width = (IrType)d->stack_size;
    unsigned level = i->imm2 & 31, size = ir_type_info[type].bytes;
    Stack s = stack_begin(d);
    stack_push(d, &s, reg_get(d, type, R_RBP));
    IrRef frame = ir_addi(ir, s.sp, s.delta);
    if (level)
        push_display(d, &s, type, level, frame);
    s.delta -= (int32_t)i->imm;
    /* A write at the final stack pointer must be possible. */
    Mem m = mem_seg(d, SEG_SS, addr_wrap(d, ir_addi(ir, s.sp, s.delta), width), size, true);
    ir_probe(ir, m.addr, m.disp, size, true, m.flags);
    stack_commit(d, &s);
    IrType narrow = MIN(type, width);
    reg_set(d, narrow, R_RBP, narrow < width ? ir_trunc(ir, narrow, frame) : frame);
}

void gen_leave(Dis *d, Insn *i)
{
    IrType type = (IrType)i->osize;
    Stack s = { .sp = reg_get(d, (IrType)d->stack_size, R_RBP) };
    IrRef v = stack_pop(d, &s, type);
    stack_commit(d, &s);
    reg_set(d, type, R_RBP, v);
}

/* ---- Flags ---------------------------------------------------------------------------------- */

void gen_lahf(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef word = ir_or(ir, ir_fl_pack(ir, ir_getflags(ir)), const32(d, 2));
    ir_set(ir, SLOT_GPR + R_RAX, 1, ir_trunc(ir, I8, word));
}

void gen_sahf(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef ah = ir_zext(ir, I32, ir_get(ir, I8, SLOT_GPR + R_RAX, 1));
    IrRef low = ir_and(ir, ah, const32(d, FLAGS_ARITH & 0xff));
    IrRef of = ir_and(ir, ir_fl_pack(ir, ir_getflags(ir)), const32(d, FLAG_OF));
    ir_setflags(ir, ir_fl_packed(ir, ir_or(ir, low, of)));
}

static void set_carry(Dis *d, IrRef cf)
{
    ir_setflags(d->ir, ir_fl_setcf(d->ir, cf, ir_getflags(d->ir)));
}

void gen_clc(Dis *d, Insn *i)
{
    set_carry(d, ir_const(d->ir, I1, 0));
}

void gen_stc(Dis *d, Insn *i)
{
    set_carry(d, ir_const(d->ir, I1, 1));
}

void gen_cmc(Dis *d, Insn *i)
{
    set_carry(d, flags_cc(d, CC_NB));
}

void gen_cld(Dis *d, Insn *i)
{
    IrRef f = ir_get(d->ir, I32, SLOT_EFLAGS, 0);
    ir_set(d->ir, SLOT_EFLAGS, 0, ir_and(d->ir, f, const32(d, ~(uint32_t)EFL_DF)));
}

void gen_std(Dis *d, Insn *i)
{
    IrRef f = ir_get(d->ir, I32, SLOT_EFLAGS, 0);
    ir_set(d->ir, SLOT_EFLAGS, 0, ir_or(d->ir, f, const32(d, EFL_DF)));
}

/* AL = CF ? FF : 00; not in the manuals but in the processors. */
void gen_salc(Dis *d, Insn *i)
{
    reg_set(d, I8, R_RAX, ir_neg(d->ir, flags_cf(d, I8)));
}

/* ---- Others --------------------------------------------------------------------------------- */

void gen_bound(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrType type = op_type(i, 0);
    unsigned size = ir_type_info[type].bytes;
    Mem m = mem_operand(d, i, 2 * size, false);
    IrRef index = op_load(d, i, 0);
    IrRef below = ir_setcond(ir, COND_LT, index, mem_ld(d, m, type, 0));
    IrRef above = ir_setcond(ir, COND_GT, index, mem_ld(d, m, type, (int32_t)size));
    ir_trap_if(ir, bool_or(d, below, above), X86_TRAP(EXCP_BR));
}

void gen_nop(Dis *d, Insn *i)
{
}

void gen_prefetch(Dis *d, Insn *i)
{
}

/* With REX.B it is XCHG after all. */
void gen_pause(Dis *d, Insn *i)
{
    if (i->op[0].reg != R_RAX) {
        gen_xchg(d, i);
        return;
    }
    if (!cpu_is_alone(&d->cpu->cpu))
        leave_exit(d, pc_next(d), X86_EXIT_PAUSE);
}

void gen_fence(Dis *d, Insn *i)
{
    ir_fence(d->ir, i->desc->arg);
}

/* Caches are coherent; what remains is that the byte is accessed as by a load. */
void gen_clflush(Dis *d, Insn *i)
{
    op_load(d, i, 0);
}

void gen_clflushopt(Dis *d, Insn *i)
{
    op_load(d, i, 0);
}

void gen_clwb(Dis *d, Insn *i)
{
    op_load(d, i, 0);
}

void gen_ud(Dis *d, Insn *i)
{
    trap_ud(d);
}
