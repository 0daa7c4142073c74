/* SPDX-License-Identifier: MIT */
/*
 * What generators work on: registers, memory, operands, the stack, flags. Segmentation as in the
 * SDM vol. 3, chapter 5: limits are checked by translated code where the mode word does not promise
 * that they cannot matter.
 */
#include "target-i386/block.h"

IrRef addr_wrap(Dis *d, IrRef value, IrType size)
{
    IrType type = ir_type(d->ir, value);
    if (type > size)
        value = ir_trunc(d->ir, size, value);
    return ir_type(d->ir, value) == I64 ? value : ir_zext(d->ir, I64, value);
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

/* 64-bit mode: accesses add @disp to what is in a register by themselves, unless it might become
 * too large by what their parts add. */
static bool is_displaced(const Dis *d, const Insn *i, int64_t disp)
{
    return d->is64 && i->asize == I64 && i->ea == IR_NONE && i->base >= 0 && i->index < 0 &&
           disp == disp << 34 >> 34;
}

static IrRef displaced_base(Dis *d, const Insn *i)
{
    unsigned slot = i->base == INSN_BASE_RIP ? SLOT_VBASE : SLOT_GPR + (unsigned)i->base;

    return ir_get(d->ir, I64, slot, 0);
}

Mem mem_operand(Dis *d, Insn *i, unsigned size, bool write)
{
    int64_t disp = i->disp + (i->base == INSN_BASE_RIP ? d->next : 0);
    bool displaced = is_displaced(d, i, disp);
    Mem m = mem_seg(d, i->seg, displaced ? displaced_base(d, i) : mem_ea(d, i), size, write);

    m.disp = displaced ? (int32_t)disp : 0;
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

IrRef mem_linear(Dis *d, Insn *i, Mem m, unsigned size)
{
    if (d->is64 && i->seg == SEG_SS) /* #SS, not #GP, if it is not canonical */
        call2(d, HELP_check_segment, const32(d, SEG_SS | size << 16), mem_ea(d, i));
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
    bool displaced = d->stack_size == I64; /* as in is_displaced() */
    IrRef sp = displaced ? s->sp : ir_addi(d->ir, s->sp, s->delta);
    Mem m = mem_seg(d, SEG_SS, addr_wrap(d, sp, (IrType)d->stack_size), size, write);
    m.disp = displaced ? s->delta : 0;
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
