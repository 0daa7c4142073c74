/* SPDX-License-Identifier: MIT */
/*
 * Packed integers in MMX and XMM registers (SDM vol. 2; vol. 1, 9.4-9.6 and 11.6.14). An MMX
 * register takes part as the low half of a vector. Every MMX instruction but EMMS makes TOP 0 and
 * all tags valid, and what writes a register sets the exponent field above it to ones.
 */
#include "target-i386/gen-fp.h"

/* ---- MMX state ------------------------------------------------------------------------------ */
void mmx_check(Dis *d)
{
    x87_wait(d);
}

void mmx_enter(Dis *d)
{
    if (d->x87_full != 0xff)
        ir_set(d->ir, SLOT_FPTAGS, 0, ir_const(d->ir, I8, 0));
    d->x87_full = 0xff;
    d->x87_empty = 0;
    x87_set_top(d, 0);
}

IrRef mmx_get(Dis *d, unsigned reg)
{
    return ir_get(d->ir, I64, SLOT_FPREG + reg, 0);
}

void mmx_set(Dis *d, unsigned reg, IrRef value)
{
    ir_set(d->ir, SLOT_FPREG + reg, 0, value);
    ir_set(d->ir, SLOT_FPREG + reg, 8, ir_const(d->ir, I16, 0xffff));
}

static bool uses_mmx(const Insn *i)
{
    for (unsigned n = 0; n < 3; n++) {
        if (i->op[n].kind == OPK_MMX)
            return true;
    }
    return false;
}

static void begin(Dis *d, Insn *i)
{
    if (uses_mmx(i))
        mmx_check(d);
}

static void commit(Dis *d, Insn *i)
{
    if (uses_mmx(i))
        mmx_enter(d);
}

IrRef vec_load(Dis *d, Insn *i, unsigned n)
{
    IrRef v = i->op[n].kind == OPK_MMX ? mmx_get(d, i->op[n].reg) : op_load(d, i, n);

    return ir_type(d->ir, v) == V128 ? v : ir_vfromint(d->ir, v);
}

void vec_store(Dis *d, Insn *i, unsigned n, IrRef value)
{
    if (i->op[n].kind == OPK_MMX)
        mmx_set(d, i->op[n].reg, ir_vextract(d->ir, 3, value, 0));
    else
        op_store(d, i, n, value);
}

/* ---- Arithmetic, logic, rearrangement ------------------------------------------------------- */
static void packed_bin(Dis *d, Insn *i, IrOpcode op, unsigned lane)
{
    IrRef y, r;

    begin(d, i);
    y = vec_load(d, i, 1);
    r = ir_vbin(d->ir, op, lane, vec_load(d, i, 0), y);
    commit(d, i);
    vec_store(d, i, 0, r);
}

#define PACKED(name, op, lane)           \
    void gen_##name(Dis *d, Insn *i)     \
    {                                    \
        packed_bin(d, i, OP_##op, lane); \
    }
PACKED_BIN(PACKED)

static void unpack_high(Dis *d, Insn *i, unsigned lane)
{
    IrRef x, y, r;

    begin(d, i);
    y = vec_load(d, i, 1);
    x = vec_load(d, i, 0);
    if (i->op[0].kind == OPK_MMX) /* the upper half of what the low halves give together */
        r = ir_vbshr(d->ir, 0, ir_vunpacklo(d->ir, lane, x, y), 8);
    else
        r = ir_vunpackhi(d->ir, lane, x, y);
    commit(d, i);
    vec_store(d, i, 0, r);
}

#define UNPACKHI(name, lane)         \
    void gen_##name(Dis *d, Insn *i) \
    {                                \
        unpack_high(d, i, lane);     \
    }
PACKED_UNPACKHI(UNPACKHI)

static void pack(Dis *d, Insn *i, IrOpcode op, unsigned lane)
{
    IrRef x, y;

    begin(d, i);
    y = vec_load(d, i, 1);
    x = vec_load(d, i, 0);
    if (i->op[0].kind == OPK_MMX) /* both sources in one vector */
        x = y = ir_vunpacklo(d->ir, 3, x, y);
    commit(d, i);
    vec_store(d, i, 0, ir_vbin(d->ir, op, lane, x, y));
}

#define PACK(name, op, lane)         \
    void gen_##name(Dis *d, Insn *i) \
    {                                \
        pack(d, i, OP_##op, lane);   \
    }
PACKED_PACK(PACK)

static void shift(Dis *d, Insn *i, IrOpcode op, IrOpcode op_imm, unsigned lane)
{
    IrRef r;

    begin(d, i);
    if (i->op[1].kind == OPK_IMM) {
        r = ir_vimm(d->ir, op_imm, lane, vec_load(d, i, 0), (uint8_t)i->imm);
    } else {
        IrRef count = vec_load(d, i, 1);
        r = ir_vbin(d->ir, op, lane, vec_load(d, i, 0), count);
    }
    commit(d, i);
    vec_store(d, i, 0, r);
}

#define SHIFT(name, op, op_imm, lane)            \
    void gen_##name(Dis *d, Insn *i)             \
    {                                            \
        shift(d, i, OP_##op, OP_##op_imm, lane); \
    }
PACKED_SHIFT(SHIFT)

static void vec_imm(Dis *d, Insn *i, IrOpcode op, unsigned lane, unsigned source)
{
    IrRef x;

    begin(d, i);
    x = vec_load(d, i, source);
    commit(d, i);
    vec_store(d, i, 0, ir_vimm(d->ir, op, lane, x, (uint8_t)i->imm));
}

void gen_pshufw(Dis *d, Insn *i)
{
    vec_imm(d, i, OP_vshuflo, 1, 1);
}

void gen_pshufd(Dis *d, Insn *i)
{
    vec_imm(d, i, OP_vshuf, 2, 1);
}

void gen_pshuflw(Dis *d, Insn *i)
{
    vec_imm(d, i, OP_vshuflo, 1, 1);
}

void gen_pshufhw(Dis *d, Insn *i)
{
    vec_imm(d, i, OP_vshufhi, 1, 1);
}

static void byte_shift(Dis *d, Insn *i, IrOpcode op)
{
    unsigned count = MIN((uint8_t)i->imm, 16);

    if (count == 16)
        vec_store(d, i, 0, ir_const(d->ir, V128, 0));
    else
        vec_store(d, i, 0, ir_vimm(d->ir, op, 0, vec_load(d, i, 0), count));
}

void gen_pslldq(Dis *d, Insn *i)
{
    byte_shift(d, i, OP_vbshl);
}

void gen_psrldq(Dis *d, Insn *i)
{
    byte_shift(d, i, OP_vbshr);
}

/* ---- To and from general registers ---------------------------------------------------------- */
void gen_pmovmskb(Dis *d, Insn *i)
{
    IrRef r;

    begin(d, i);
    r = ir_vmovmsk(d->ir, 0, vec_load(d, i, 1));
    commit(d, i);
    reg_set(d, I32, i->op[0].reg, r);
}

void gen_pinsrw(Dis *d, Insn *i)
{
    unsigned lanes = i->op[0].kind == OPK_MMX ? 4 : 8;
    IrRef v, r;

    begin(d, i);
    v = op_load(d, i, 1);
    if (ir_type(d->ir, v) != I16)
        v = ir_trunc(d->ir, I16, v);
    r = ir_vinsert(d->ir, 1, vec_load(d, i, 0), v, (unsigned)i->imm & (lanes - 1));
    commit(d, i);
    vec_store(d, i, 0, r);
}

void gen_pextrw(Dis *d, Insn *i)
{
    unsigned lanes = i->op[1].kind == OPK_MMX ? 4 : 8;
    IrRef r;

    begin(d, i);
    r = ir_vextract(d->ir, 1, vec_load(d, i, 1), (unsigned)i->imm & (lanes - 1));
    commit(d, i);
    reg_set(d, I32, i->op[0].reg, ir_zext(d->ir, I32, r));
}

/* MOVD and, with REX.W, MOVQ between general and vector registers. */
void gen_movd(Dis *d, Insn *i)
{
    IrRef v;

    begin(d, i);
    if (i->op[0].kind == OPK_XMM) {
        op_store(d, i, 0, ir_vfromint(d->ir, op_load(d, i, 1)));
    } else if (i->op[0].kind == OPK_MMX) {
        v = op_load(d, i, 1);
        if (ir_type(d->ir, v) == I32)
            v = ir_zext(d->ir, I64, v);
        commit(d, i);
        mmx_set(d, i->op[0].reg, v);
    } else {
        unsigned slot = (i->op[1].kind == OPK_MMX ? SLOT_FPREG : SLOT_XMM) + i->op[1].reg;
        v = ir_get(d->ir, op_type(i, 0), slot, 0);
        op_store(d, i, 0, v);
        commit(d, i);
    }
}

/* ---- Moves ---------------------------------------------------------------------------------- */
void gen_movq(Dis *d, Insn *i)
{
    IrRef v;

    begin(d, i);
    v = i->op[1].kind == OPK_MMX ? mmx_get(d, i->op[1].reg) : op_load(d, i, 1);
    if (i->op[0].kind == OPK_MMX) {
        commit(d, i);
        mmx_set(d, i->op[0].reg, v);
    } else {
        op_store(d, i, 0, v);
        commit(d, i);
    }
}

void gen_movq_load(Dis *d, Insn *i)
{
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, ir_vfromint(d->ir, op_load(d, i, 1)));
}

void gen_movq_store(Dis *d, Insn *i)
{
    IrRef v = op_load(d, i, 1);

    if (op_is_mem(i, 0))
        op_store(d, i, 0, v);
    else
        ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, ir_vfromint(d->ir, v));
}

void gen_movdqa(Dis *d, Insn *i)
{
    op_store(d, i, 0, op_load(d, i, 1));
}

void gen_movdqu(Dis *d, Insn *i)
{
    op_store(d, i, 0, op_load(d, i, 1));
}

void gen_movq2dq(Dis *d, Insn *i)
{
    IrRef v;

    begin(d, i);
    v = mmx_get(d, i->op[1].reg);
    commit(d, i);
    ir_set(d->ir, SLOT_XMM + i->op[0].reg, 0, ir_vfromint(d->ir, v));
}

void gen_movdq2q(Dis *d, Insn *i)
{
    IrRef v;

    begin(d, i);
    v = ir_get(d->ir, I64, SLOT_XMM + i->op[1].reg, 0);
    commit(d, i);
    mmx_set(d, i->op[0].reg, v);
}

void gen_movntq(Dis *d, Insn *i)
{
    Mem m;

    begin(d, i);
    m = mem_operand(d, i, 8, true);
    m.flags |= MEM_NT;
    mem_st(d, m, mmx_get(d, i->op[1].reg), 0);
    commit(d, i);
}

void gen_movntdq(Dis *d, Insn *i)
{
    Mem m = operand_mem(d, i, V128, true);

    m.flags |= MEM_NT;
    mem_st(d, m, ir_get(d->ir, V128, SLOT_XMM + i->op[1].reg, 0), 0);
}

/* Bytes of @value whose @mask has the top bit set go to DS:rDI. All of the operand's range is
 * checked, whatever the mask. */
static void masked_store(Dis *d, Insn *i, unsigned helper, unsigned size)
{
    IrRef ea = addr_wrap(d, reg_get(d, (IrType)i->asize, R_RDI), (IrType)i->asize);
    Mem m;

    begin(d, i);
    m = mem_seg(d, i->seg_override ? i->seg : SEG_DS, ea, size, true);
    call3(d, helper, m.disp ? ir_addi(d->ir, m.addr, m.disp) : m.addr, vec_load(d, i, 0),
          vec_load(d, i, 1));
    commit(d, i);
}

void gen_maskmovq(Dis *d, Insn *i)
{
    masked_store(d, i, HELP_maskmovq, 8);
}

void gen_maskmovdqu(Dis *d, Insn *i)
{
    masked_store(d, i, HELP_maskmovdqu, 16);
}

void gen_emms(Dis *d, Insn *i)
{
    mmx_check(d);
    ir_set(d->ir, SLOT_FPTAGS, 0, ir_const(d->ir, I8, 0xff));
    d->x87_full = 0;
    d->x87_empty = 0xff;
    x87_set_top(d, 0);
}
