/* SPDX-License-Identifier: MIT */
/* Packed integers that take the host a few instructions (Arm ARM C7.2): code for 128 bits. */
#include "tcg/aarch64/rules/vec.h"

enum {
    A_SSHL = 0x4e204400,
    A_USHL = 0x6e204400,
    A_VNEG = 0x6e20b800,
    A_CMHI = 0x6e203400,
    A_CMEQ = 0x6e208c00,
    A_CMEQ0 = 0x4e209800,
    A_CMTST = 0x4e208c00,
    A_UMIN = 0x6e206c00,
    A_SQADD = 0x4e200c00,
    A_SQSUB = 0x4e202c00,
    A_VADD = 0x4e208400,
    A_VSUB = 0x6e208400,
    A_VMUL = 0x4e209c00,
    A_UZP1 = 0x4e001800,
    A_UZP2 = 0x4e005800,
    A_VAND = 0x4e201c00,
    A_VBIC = 0x4e601c00,
    A_VEOR = 0x6e201c00,
    A_BSL = 0x6e601c00,
    A_TBL = 0x4e000000,
};

static uint32_t sized(uint32_t insn, unsigned lane)
{
    return insn | lane << 22;
}

static void constant(Gen *g, int d, unsigned lane, uint64_t v) /* in each lane */
{
    a_mov_imm(&g->a, X17, v);
    a_dup(&g->a, lane, d, X17);
}

/* -- Shifts: the host's counts are the low bytes of lanes, with sign --------------------------- */

/* All lanes by the low half of m. */
void half_shift_by(Gen *g, const Lanes *l)
{
    unsigned op = g->op->op, bits = 8u << l->lane;
    int t = alloc_vec(g) & 31;

    constant(g, t, 3, bits);
    a_dup_elem(&g->a, 3, 0, l->m, 0);
    a_3(&g->a, sized(A_CMHI, 3), 1, t, 0); /* is the count less? */
    if (op == OP_vsar) {                   /* no more than that */
        a_3(&g->a, A_BSL, 1, 0, t);
        a_dup_elem(&g->a, l->lane, 0, 1, 0);
    } else {
        a_dup_elem(&g->a, l->lane, 0, l->m, 0);
    }
    if (op != OP_vshl) {
        a_2(&g->a, sized(A_VNEG, l->lane), 0, 0);
    }
    a_3(&g->a, sized(op == OP_vsar ? A_SSHL : A_USHL, l->lane), l->d, l->n, 0);
    if (op != OP_vsar) {
        a_3(&g->a, A_VAND, l->d, l->d, 1);
    }
}

void half_shift_each(Gen *g, const Lanes *l)
{
    unsigned op = g->op->op, bits = 8u << l->lane;
    int count = l->m;

    constant(g, 1, l->lane, op == OP_vsarv ? bits - 1 : bits);
    if (op == OP_vsarv) {
        a_3(&g->a, sized(A_UMIN, l->lane), 0, 1, l->m);
        count = 0;
    } else {
        a_3(&g->a, sized(A_CMHI, l->lane), 1, 1, l->m);
    }
    if (op != OP_vshlv) {
        a_2(&g->a, sized(A_VNEG, l->lane), 0, count);
        count = 0;
    }
    a_3(&g->a, sized(op == OP_vsarv ? A_SSHL : A_USHL, l->lane), l->d, l->n, count);
    if (op != OP_vsarv) {
        a_3(&g->a, A_VAND, l->d, l->d, 1);
    }
}

/* -- Arithmetic ------------------------------------------------------------------------------- */

void half_neighbours(Gen *g, const Lanes *l)
{
    unsigned op = g->op->op;
    uint32_t insn = op == OP_vhsub ? A_VSUB : op == OP_vhadds ? A_SQADD : A_SQSUB;

    a_3(&g->a, sized(A_UZP1, l->lane), 0, l->n, l->m);
    a_3(&g->a, sized(A_UZP2, l->lane), 1, l->n, l->m);
    a_3(&g->a, sized(insn, l->lane), l->d, 0, 1);
}

void half_maddub(Gen *g, const Lanes *l)
{
    int t = alloc_vec(g) & 31;

    a_2(&g->a, 0x2f08a400, 0, l->n); /* USHLL #0 */
    a_2(&g->a, 0x0f08a400, 1, l->m); /* SSHLL #0 */
    a_3(&g->a, sized(A_VMUL, 1), t, 0, 1);
    a_2(&g->a, 0x6f08a400, 0, l->n); /* USHLL2 */
    a_2(&g->a, 0x4f08a400, 1, l->m); /* SSHLL2 */
    a_3(&g->a, sized(A_VMUL, 1), 0, 0, 1);
    a_3(&g->a, sized(A_UZP1, 1), 1, t, 0);
    a_3(&g->a, sized(A_UZP2, 1), 0, t, 0);
    a_3(&g->a, sized(A_SQADD, 1), l->d, 1, 0);
}

/* SQRDMULH, which saturates where x86 wraps: -1 times -1. */
void half_mulhrs(Gen *g, const Lanes *l)
{
    constant(g, 1, 1, 0x8000);
    a_3(&g->a, sized(A_CMEQ, 1), 0, l->n, 1);
    a_3(&g->a, sized(A_CMEQ, 1), 1, l->m, 1);
    a_3(&g->a, A_VAND, 0, 0, 1);
    a_3(&g->a, 0x6e60b400, 1, l->n, l->m);
    a_3(&g->a, A_VEOR, l->d, 0, 1);
}

void half_sign(Gen *g, const Lanes *l)
{
    unsigned bits = 8u << l->lane;

    a_2(&g->a, 0x4f000400 | (bits + 1) << 16, 0, l->m); /* SSHR by bits - 1 */
    a_3(&g->a, A_VEOR, 1, l->n, 0);
    a_3(&g->a, sized(A_VSUB, l->lane), 1, 1, 0);
    a_2(&g->a, sized(A_CMEQ0, l->lane), 0, l->m);
    a_3(&g->a, A_VBIC, l->d, 1, 0);
}

/* -- Moves ------------------------------------------------------------------------------------ */

void half_insertps(Gen *g, const Lanes *l)
{
    a_vmov(&g->a, 0, l->n);
    a_ins_elem(&g->a, 2, 0, l->imm >> 4 & 3, l->m, l->imm >> 6 & 3);
    for (unsigned i = 0; i < 4; i++) {
        if (l->imm >> i & 1) {
            a_ins(&g->a, 2, 0, i, ZR);
        }
    }
    a_vmov(&g->a, l->d, 0);
}

/* Bytes' indices of lanes, for TBL: 32-bit lanes by bits 0 and 1 of m, 64-bit ones by bit 1. */
void half_permil(Gen *g, const Lanes *l)
{
    if (l->lane == 2) {
        constant(g, 0, 2, 3);
        a_3(&g->a, A_VAND, 0, 0, l->m);
        constant(g, 1, 2, 0x04040404);
        a_3(&g->a, sized(A_VMUL, 2), 0, 0, 1);
        constant(g, 1, 2, 0x03020100);
    } else {
        constant(g, 0, 3, 2);
        a_3(&g->a, sized(A_CMTST, 3), 0, 0, l->m);
        constant(g, 1, 0, 8);
        a_3(&g->a, A_VAND, 0, 0, 1);
        constant(g, 1, 3, UINT64_C(0x0706050403020100));
    }
    a_3(&g->a, sized(A_VADD, 0), 0, 0, 1);
    a_3(&g->a, A_TBL, l->d, l->n, 0);
}

void half_clmul(Gen *g, const Lanes *l)
{
    bool x = l->imm & 1, y = l->imm & 16;
    int n = l->n;

    if (x != y) {
        a_dup_elem(&g->a, 3, 0, n, x);
        n = 0;
    }
    a_3(&g->a, 0x0ee0e000 | (y ? 1u << 30 : 0), l->d, n, l->m); /* PMULL, PMULL2 */
}
