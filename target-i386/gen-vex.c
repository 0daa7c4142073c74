/* SPDX-License-Identifier: MIT */
/*
 * AVX and AVX2: moves, integers, permutations, masked accesses (SDM vol. 1, chapter 14; AES, CLMUL
 * and GFNI in their VEX forms too). Rows name the IR op and the lane; operand 0 is the
 * destination, what is above it in the register becomes zero (op_store). Floating point:
 * gen-vex-fp.c.
 */
#include "target-i386/gen-vex.h"

#include "target-i386/help.h"

IrRef v_low(Dis *d, Insn *i, unsigned n, IrType type)
{
    if (op_is_mem(i, n))
        return mem_ld(d, mem_operand(d, i, ir_type_info[type].bytes, false), type, 0);
    return ir_get(d->ir, type, SLOT_XMM + i->op[n].reg, 0);
}

/* ---- Moves ---------------------------------------------------------------------------------- */
void gen_v_move(Dis *d, Insn *i)
{
    op_store(d, i, 0, op_load(d, i, 1));
}

/* VMOVSS, VMOVSD: arg2 is the lane. */
static IrType scalar_type(const Insn *i)
{
    return i->desc->arg2 == 2 ? F32 : F64;
}

void gen_v_load_scalar(Dis *d, Insn *i)
{
    op_store(d, i, 0, v_low(d, i, 1, scalar_type(i)));
}

void gen_v_store_scalar(Dis *d, Insn *i)
{
    IrType type = scalar_type(i);
    IrRef v = ir_get(d->ir, type, SLOT_XMM + i->op[1].reg, 0);

    mem_st(d, mem_operand(d, i, ir_type_info[type].bytes, true), v, 0);
}

void gen_v_merge_scalar(Dis *d, Insn *i)
{
    IrRef low = v_low(d, i, 2, scalar_type(i));

    op_store(d, i, 0, ir_vmovlo(d->ir, op_load(d, i, 1), low));
}

/* VMOVLPS, VMOVHPS and theirs: a half from memory or another register, the other from vvvv. */
void gen_v_load_low(Dis *d, Insn *i)
{
    IrRef low = v_low(d, i, 2, F64);

    op_store(d, i, 0, ir_vmovlo(d->ir, op_load(d, i, 1), low));
}

void gen_v_load_high(Dis *d, Insn *i)
{
    IrRef v = op_load(d, i, 2);

    op_store(d, i, 0, ir_vinsert(d->ir, 3, op_load(d, i, 1), v, 1));
}

void gen_v_store_high(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_get(d->ir, I64, SLOT_XMM + i->op[1].reg, 8));
}

void gen_v_movhlps(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 2);

    op_store(d, i, 0, ir_vunpackhi(d->ir, 3, y, op_load(d, i, 1)));
}

void gen_v_movlhps(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 2);

    op_store(d, i, 0, ir_vunpacklo(d->ir, 3, op_load(d, i, 1), y));
}

void gen_v_from_low(Dis *d, Insn *i) /* VMOVD, VMOVQ to a vector register */
{
    op_store(d, i, 0, op_load(d, i, 1));
}

/* VMOVQ to memory, or to a register and zeros. */
void gen_v_store_low(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_get(d->ir, I64, SLOT_XMM + i->op[1].reg, 0));
}

void gen_v_to_low(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_get(d->ir, op_type(i, 0), SLOT_XMM + i->op[1].reg, 0));
}

/* @imm: VMOVSLDUP, VMOVSHDUP as a shuffle. */
void gen_v_dup(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_vshuf(d->ir, 2, op_load(d, i, 1), i->desc->arg));
}

void gen_v_movddup(Dis *d, Insn *i)
{
    IrRef v;

    if (i->vex_l) {
        v = op_load(d, i, 1);
        op_store(d, i, 0, ir_vunpacklo(d->ir, 3, v, v));
    } else {
        v = op_is_mem(i, 1) ? ir_vfromint(d->ir, v_low(d, i, 1, I64)) : v_low(d, i, 1, V128);
        op_store(d, i, 0, ir_vbcast(d->ir, V128, 3, v));
    }
}

/* Other registers than the low eight exist in 64-bit mode only. */
void gen_v_zero(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    unsigned n = d->is64 ? 16 : 8;

    if (!i->vex_l && d->is64) {
        ir_vzeroupper(ir);
        return;
    }
    for (unsigned r = 0; r < n; r++) {
        IrRef low = i->vex_l ? ir_const(ir, V128, 0) : ir_get(ir, V128, SLOT_XMM + r, 0);
        ir_set(ir, SLOT_XMM + r, 0, ir_zext(ir, V256, low));
    }
}

/* ---- Operations that are one IR op --------------------------------------------------------- */
void gen_v_bin(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 2);
    IrOpcode op = (IrOpcode)i->desc->arg;

    op_store(d, i, 0, ir_vbin(d->ir, op, i->desc->arg2, op_load(d, i, 1), y));
}

void gen_v_bin_imm(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 2);
    IrOpcode op = (IrOpcode)i->desc->arg;

    op_store(d, i, 0, ir_vimm2(d->ir, op, i->desc->arg2, op_load(d, i, 1), y, (uint8_t)i->imm));
}

void gen_v_un(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_vun(d->ir, (IrOpcode)i->desc->arg, i->desc->arg2, op_load(d, i, 1)));
}

void gen_v_un_imm(Dis *d, Insn *i)
{
    IrRef x = op_load(d, i, 1);

    op_store(d, i, 0, ir_vimm(d->ir, (IrOpcode)i->desc->arg, i->desc->arg2, x, (uint8_t)i->imm));
}

void gen_v_permilpd(Dis *d, Insn *i)
{
    IrRef x = op_load(d, i, 1);

    op_store(d, i, 0, ir_vshuf2(d->ir, 3, x, x, (uint8_t)i->imm & 15));
}

/* arg2: from | to << 4. To 128 bits from a part of memory or a whole register. */
void gen_v_widen(Dis *d, Insn *i)
{
    unsigned from = i->desc->arg2 & 15, to = i->desc->arg2 >> 4;
    bool sign = i->desc->arg;
    IrRef x;

    if (!op_is_mem(i, 1)) {
        x = v_low(d, i, 1, V128);
    } else {
        x = op_load(d, i, 1);
        if (ir_type(d->ir, x) == I16)
            x = ir_zext(d->ir, I32, x);
        if (ir_type(d->ir, x) != V128)
            x = ir_vfromint(d->ir, x);
    }
    if (i->vex_l)
        x = ir_vwiden(d->ir, sign, from, to, x);
    else
        x = ir_vimm(d->ir, sign ? OP_vsext : OP_vzext, from, x, to);
    op_store(d, i, 0, x);
}

void gen_v_movmsk(Dis *d, Insn *i)
{
    reg_set(d, I32, i->op[0].reg, ir_vmovmsk(d->ir, i->desc->arg2, op_load(d, i, 1)));
}

void gen_v_insert(Dis *d, Insn *i)
{
    unsigned lane = i->desc->arg2, n = (unsigned)i->imm & ((16u >> lane) - 1);
    IrType type = (IrType)(I8 + lane);
    IrRef v = op_load(d, i, 2);

    if (ir_type(d->ir, v) != type)
        v = ir_trunc(d->ir, type, v);
    op_store(d, i, 0, ir_vinsert(d->ir, lane, op_load(d, i, 1), v, n));
}

void gen_v_insertps(Dis *d, Insn *i)
{
    bool mem = op_is_mem(i, 2);
    IrRef y = mem ? ir_vfromint(d->ir, op_load(d, i, 2)) : op_load(d, i, 2);
    unsigned imm = (uint8_t)i->imm & (mem ? 0x3f : 0xff);

    op_store(d, i, 0, ir_vinsertps(d->ir, 2, op_load(d, i, 1), y, imm));
}

/* VTESTPS, VTESTPD: signs alone. */
void gen_v_test_signs(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef y = op_load(d, i, 1), x = op_load(d, i, 0);
    uint64_t signs = i->desc->arg2 == 2 ? 0x8000000080000000 : 0x8000000000000000;
    IrRef mask = ir_const(ir, ir_type(ir, y), signs);

    ir_setflags(ir, ir_fl_packed(ir, ir_vtest(ir, x, ir_vand(ir, 3, y, mask))));
}

void gen_v_select(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 2), mask = op_load(d, i, 3);

    op_store(d, i, 0, ir_vselect(d->ir, i->desc->arg2, op_load(d, i, 1), y, mask));
}

/* ---- Lanes of 128 bits --------------------------------------------------------------------- */
/* VBROADCASTSS and VPBROADCASTx: arg2 is the lane. */
void gen_v_broadcast(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef v = op_is_mem(i, 1) ? op_load(d, i, 1) : v_low(d, i, 1, V128);

    if (ir_type(ir, v) < I32)
        v = ir_zext(ir, I32, v);
    if (ir_type(ir, v) != V128)
        v = ir_vfromint(ir, v);
    op_store(d, i, 0, ir_vbcast(ir, op_type(i, 0), i->desc->arg2, v));
}

void gen_v_broadcast128(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_vbcast(d->ir, V256, 4, op_load(d, i, 1)));
}

void gen_v_insert128(Dis *d, Insn *i)
{
    IrRef y = op_load(d, i, 2);

    op_store(d, i, 0, ir_vinserth(d->ir, op_load(d, i, 1), y, (unsigned)i->imm & 1));
}

void gen_v_extract128(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_vextracth(d->ir, op_load(d, i, 1), (unsigned)i->imm & 1));
}

/* ---- Strings ------------------------------------------------------------------------------- */
void gen_v_pcmpstrm(Dis *d, Insn *i)
{
    gen_pcmpstrm(d, i);
    ir_set(d->ir, SLOT_XMM, 0, ir_zext(d->ir, V256, ir_get(d->ir, V128, SLOT_XMM, 0)));
}

/* ---- By helper: what touches memory element by element ------------------------------------- */
static uint32_t element_word(Insn *i)
{
    return (i->desc->arg2 == 3 ? AVX_WIDE_ELEMENTS : 0u) | (i->vex_l ? AVX_256 : 0u) |
           (uint32_t)i->seg << AVX_SEG_SHIFT;
}

/* VMASKMOVPS and VPMASKMOVD: mask in vvvv. */
void gen_v_mask_load(Dis *d, Insn *i)
{
    ir_set_commit(d->ir, SLOT_VTMP, 0, op_load(d, i, 1));
    call2(d, HELP_mask_load, mem_ea(d, i), const32(d, element_word(i)));
    op_store(d, i, 0, ir_get(d->ir, op_type(i, 0), SLOT_VTMP, 0));
}

void gen_v_mask_store(Dis *d, Insn *i)
{
    ir_set_commit(d->ir, SLOT_VTMP, 0, op_load(d, i, 1));
    ir_set_commit(d->ir, SLOT_VTMP + 1, 0, op_load(d, i, 2));
    call2(d, HELP_mask_store, mem_ea(d, i), const32(d, element_word(i)));
}

/* arg: the index has 64 bits. What was gathered before a fault stays, so the helper works on the
 * registers themselves. */
void gen_v_gather(Dis *d, Insn *i)
{
    unsigned dst = i->op[0].reg, mask = i->op[2].reg;
    uint32_t how = element_word(i) | (i->desc->arg ? AVX_WIDE_INDEX : 0u) |
                   (uint32_t)i->scale << AVX_SCALE_SHIFT | dst << AVX_DST_SHIFT |
                   mask << AVX_MASK_SHIFT | (uint32_t)i->vindex << AVX_INDEX_SHIFT |
                   (i->asize == I32 ? AVX_ADDRESS32 : 0u);

    if (dst == mask || dst == i->vindex || mask == i->vindex) {
        trap_ud(d);
        return;
    }
    call2(d, HELP_gather, mem_ea(d, i), const32(d, how));
}
