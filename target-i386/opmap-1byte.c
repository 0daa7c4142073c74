/* SPDX-License-Identifier: MIT */
/*
 * The one-byte opcode map (SDM vol. 2, table A-2) and its groups (table A-6). Prefix bytes and the
 * escapes 0F and D8-DF have empty rows here, as do C4 and C5 where they would be VEX.
 */
#include "target-i386/decode.h"

#include "target-i386/cpu.h"
#include "target-i386/gen.h"
#include "tcg/flags.h"

/* clang-format off */
enum { UNDEF_SHIFT1 = FLAG_AF, UNDEF_SHIFT = FLAG_AF | FLAG_OF, UNDEF_ROT = FLAG_OF,
       UNDEF_MUL = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF };

#define GROUP1(a, b, attrs) {                                                                     \
    I2(add, a, b, .attr = A_LOCK | attrs), I2(or, a, b, .attr = A_LOCK | attrs),                   \
    I2(adc, a, b, .attr = A_LOCK | attrs), I2(sbb, a, b, .attr = A_LOCK | attrs),                  \
    I2(and, a, b, .attr = A_LOCK | attrs, .undef = FLAG_AF), I2(sub, a, b, .attr = A_LOCK | attrs), \
    I2(xor, a, b, .attr = A_LOCK | attrs, .undef = FLAG_AF), I2(cmp, a, b, .attr = attrs) }
static const InsnDesc group1_80[8] = GROUP1(Eb, Ib, 0);
static const InsnDesc group1_81[8] = GROUP1(Ev, Iz, 0);
static const InsnDesc group1_82[8] = GROUP1(Eb, Ib, A_NO64);
static const InsnDesc group1_83[8] = GROUP1(Ev, Ibs, 0);

static const InsnDesc group1a[8] = { I1(pop, Ev, .attr = A_DF64) };

#define GROUP2(a, b, rot, shift) {                                                                 \
    I2(rol, a, b, .undef = rot), I2(ror, a, b, .undef = rot), I2(rcl, a, b, .undef = rot),         \
    I2(rcr, a, b, .undef = rot), I2(shl, a, b, .undef = shift), I2(shr, a, b, .undef = shift),     \
    I2(shl, a, b, .undef = shift), I2(sar, a, b, .undef = shift) }
static const InsnDesc group2_c0[8] = GROUP2(Eb, Ib, UNDEF_ROT, UNDEF_SHIFT);
static const InsnDesc group2_c1[8] = GROUP2(Ev, Ib, UNDEF_ROT, UNDEF_SHIFT);
static const InsnDesc group2_d0[8] = GROUP2(Eb, ONE, 0, UNDEF_SHIFT1);
static const InsnDesc group2_d1[8] = GROUP2(Ev, ONE, 0, UNDEF_SHIFT1);
static const InsnDesc group2_d2[8] = GROUP2(Eb, CL, UNDEF_ROT, UNDEF_SHIFT);
static const InsnDesc group2_d3[8] = GROUP2(Ev, CL, UNDEF_ROT, UNDEF_SHIFT);

#define GROUP3(e, imm) {                                                                           \
    I2(test, e, imm, .undef = FLAG_AF), I2(test, e, imm, .undef = FLAG_AF),                        \
    I1(not, e, .attr = A_LOCK), I1(neg, e, .attr = A_LOCK),                                        \
    I1(mul, e, .undef = UNDEF_MUL), I1(imul1, e, .undef = UNDEF_MUL),                              \
    I1(div, e, .undef = FLAGS_ARITH), I1(idiv, e, .undef = FLAGS_ARITH) }
static const InsnDesc group3_f6[8] = GROUP3(Eb, Ib);
static const InsnDesc group3_f7[8] = GROUP3(Ev, Iz);

static const InsnDesc group4[8] = { I1(inc, Eb, .attr = A_LOCK), I1(dec, Eb, .attr = A_LOCK) };
static const InsnDesc group5[8] = {
    I1(inc, Ev, .attr = A_LOCK), I1(dec, Ev, .attr = A_LOCK),
    I1(call_ind, Ev, .attr = A_F64 | A_END), I1(call_far_ind, M, .attr = A_END),
    I1(jmp_ind, Ev, .attr = A_F64 | A_END), I1(jmp_far_ind, M, .attr = A_END),
    I1(push, Ev, .attr = A_DF64),
};
static const InsnDesc group11_c6[8] = { I2(mov, Eb, Ib) };
static const InsnDesc group11_c7[8] = { I2(mov, Ev, Iz) };

static const InsnDesc op63[2] = { I2(arpl, Ew, Gw, .attr = A_PE), I2(movsxd, Gv, Ed) };
static const InsnDesc op8c[2] = { I2(mov_from_sreg, Mw, Sw), I2(mov_from_sreg, Rv, Sw) };
static const InsnDesc op90[4] = {
    I2(xchg, Zv, rAX), I2(xchg, Zv, rAX), I2(pause, Zv, rAX), I2(xchg, Zv, rAX),
};
static const InsnDesc op9e[2] = { I0(sahf), I0(sahf, .feature = FEAT_LAHF64) };
static const InsnDesc op9f[2] = { I0(lahf), I0(lahf, .feature = FEAT_LAHF64) };

#define ALU(n, un)                                                                                 \
    I2(n, Eb, Gb, .attr = A_LOCK, .undef = un), I2(n, Ev, Gv, .attr = A_LOCK, .undef = un),        \
    I2(n, Gb, Eb, .undef = un), I2(n, Gv, Ev, .undef = un),                                        \
    I2(n, AL, Ib, .undef = un), I2(n, rAX, Iz, .undef = un)
#define EIGHT(row) row, row, row, row, row, row, row, row
#define PUSH_SEG(s) I0(push_sreg, .attr = A_NO64, .arg = s)
#define POP_SEG(s)  I0(pop_sreg, .attr = A_NO64, .arg = s)

const InsnDesc opmap_1byte[256] = {
    [0x00] = ALU(add, 0),       PUSH_SEG(SEG_ES), POP_SEG(SEG_ES),
    [0x08] = ALU(or, FLAG_AF),  PUSH_SEG(SEG_CS),
    [0x10] = ALU(adc, 0),       PUSH_SEG(SEG_SS), POP_SEG(SEG_SS),
    [0x18] = ALU(sbb, 0),       PUSH_SEG(SEG_DS), POP_SEG(SEG_DS),
    [0x20] = ALU(and, FLAG_AF),
    [0x27] = I0(daa, .attr = A_NO64, .undef = FLAG_OF),
    [0x28] = ALU(sub, 0),
    [0x2f] = I0(das, .attr = A_NO64, .undef = FLAG_OF),
    [0x30] = ALU(xor, FLAG_AF),
    [0x37] = I0(aaa, .attr = A_NO64, .undef = FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF),
    [0x38] = I2(cmp, Eb, Gb), I2(cmp, Ev, Gv), I2(cmp, Gb, Eb), I2(cmp, Gv, Ev), I2(cmp, AL, Ib),
             I2(cmp, rAX, Iz),
    [0x3f] = I0(aas, .attr = A_NO64, .undef = FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF),
    [0x40] = EIGHT(I1(inc, Zv, .attr = A_NO64)),
    [0x48] = EIGHT(I1(dec, Zv, .attr = A_NO64)),
    [0x50] = EIGHT(I1(push, Zv, .attr = A_DF64)),
    [0x58] = EIGHT(I1(pop, Zv, .attr = A_DF64)),

    [0x60] = I0(pusha, .attr = A_NO64),
    [0x61] = I0(popa, .attr = A_NO64),
    [0x62] = I2(bound, Gv, Mv, .attr = A_NO64),
    [0x63] = GROUP(64, op63),
    [0x68] = I1(push, Iz, .attr = A_DF64),
    [0x69] = I3(imul, Gv, Ev, Iz, .undef = UNDEF_MUL),
    [0x6a] = I1(push, Ibs, .attr = A_DF64),
    [0x6b] = I3(imul, Gv, Ev, Ibs, .undef = UNDEF_MUL),
    [0x6c] = I0(ins), I0(ins), I0(outs), I0(outs),

    [0x70] = EIGHT(I1(jcc, Jb, .attr = A_F64)), EIGHT(I1(jcc, Jb, .attr = A_F64)),

    [0x80] = GROUP(REG, group1_80), GROUP(REG, group1_81), GROUP(REG, group1_82), GROUP(REG, group1_83),
    [0x84] = I2(test, Eb, Gb, .undef = FLAG_AF), I2(test, Ev, Gv, .undef = FLAG_AF),
    [0x86] = I2(xchg, Eb, Gb, .attr = A_LOCK), I2(xchg, Ev, Gv, .attr = A_LOCK),
    [0x88] = I2(mov, Eb, Gb), I2(mov, Ev, Gv), I2(mov, Gb, Eb), I2(mov, Gv, Ev),
    [0x8c] = GROUP(MOD, op8c),
    [0x8d] = I2(lea, Gv, M),
    [0x8e] = I2(mov_to_sreg, Sw, Ew),
    [0x8f] = GROUP(REG, group1a),

    [0x90] = GROUP(PREFIX, op90), I2(xchg, Zv, rAX), I2(xchg, Zv, rAX), I2(xchg, Zv, rAX),
    [0x94] = I2(xchg, Zv, rAX), I2(xchg, Zv, rAX), I2(xchg, Zv, rAX), I2(xchg, Zv, rAX),
    [0x98] = I0(cbw),
    [0x99] = I0(cwd),
    [0x9a] = I1(call_far, Ap, .attr = A_NO64 | A_END),
    [0x9b] = I0(fwait, .attr = A_WAIT, .feature = FEAT_FPU),
    [0x9c] = I0(pushf, .attr = A_DF64),
    [0x9d] = I0(popf, .attr = A_DF64),
    [0x9e] = GROUP(64, op9e),
    [0x9f] = GROUP(64, op9f),

    [0xa0] = I2(mov, AL, Ob), I2(mov, rAX, Ov), I2(mov, Ob, AL), I2(mov, Ov, rAX),
    [0xa4] = I0(movs), I0(movs), I0(cmps), I0(cmps),
    [0xa8] = I2(test, AL, Ib, .undef = FLAG_AF), I2(test, rAX, Iz, .undef = FLAG_AF),
    [0xaa] = I0(stos), I0(stos), I0(lods), I0(lods), I0(scas), I0(scas),

    [0xb0] = EIGHT(I2(mov, Zb, Ib)),
    [0xb8] = EIGHT(I2(mov, Zv, Iv)),

    [0xc0] = GROUP(REG, group2_c0),
    [0xc1] = GROUP(REG, group2_c1),
    [0xc2] = I1(ret, Iw, .attr = A_F64 | A_END),
    [0xc3] = I0(ret, .attr = A_F64 | A_END),
    [0xc4] = I2(lds, Gv, M, .attr = A_NO64, .arg = SEG_ES),
    [0xc5] = I2(lds, Gv, M, .attr = A_NO64, .arg = SEG_DS),
    [0xc6] = GROUP(REG, group11_c6),
    [0xc7] = GROUP(REG, group11_c7),
    [0xc8] = I2(enter, Iw, Ib, .attr = A_DF64),
    [0xc9] = I0(leave, .attr = A_DF64),
    [0xca] = I1(ret_far, Iw, .attr = A_END),
    [0xcb] = I0(ret_far, .attr = A_END),
    [0xcc] = I0(int3, .attr = A_END),
    [0xcd] = I1(int, Ib, .attr = A_END),
    [0xce] = I0(into, .attr = A_NO64),
    [0xcf] = I0(iret, .attr = A_END),

    [0xd0] = GROUP(REG, group2_d0), GROUP(REG, group2_d1), GROUP(REG, group2_d2), GROUP(REG, group2_d3),
    [0xd4] = I1(aam, Ib, .attr = A_NO64, .undef = FLAG_OF | FLAG_AF | FLAG_CF),
    [0xd5] = I1(aad, Ib, .attr = A_NO64, .undef = FLAG_OF | FLAG_AF | FLAG_CF),
    [0xd6] = I0(salc, .attr = A_NO64),
    [0xd7] = I0(xlat),

    [0xe0] = I1(loop, Jb, .attr = A_F64), I1(loop, Jb, .attr = A_F64), I1(loop, Jb, .attr = A_F64),
    [0xe3] = I1(jcxz, Jb, .attr = A_F64),
    [0xe4] = I2(in, AL, Ib), I2(in, eAXz, Ib), I2(out, Ib, AL), I2(out, Ib, eAXz),
    [0xe8] = I1(call, Jz, .attr = A_F64 | A_END),
    [0xe9] = I1(jmp, Jz, .attr = A_F64 | A_END),
    [0xea] = I1(jmp_far, Ap, .attr = A_NO64 | A_END),
    [0xeb] = I1(jmp, Jb, .attr = A_F64 | A_END),
    [0xec] = I2(in, AL, DX), I2(in, eAXz, DX), I2(out, DX, AL), I2(out, DX, eAXz),

    [0xf1] = I0(int1, .attr = A_END),
    [0xf4] = I0(hlt, .attr = A_CPL0 | A_END),
    [0xf5] = I0(cmc),
    [0xf6] = GROUP(REG, group3_f6),
    [0xf7] = GROUP(REG, group3_f7),
    [0xf8] = I0(clc),
    [0xf9] = I0(stc),
    [0xfa] = I0(cli),
    [0xfb] = I0(sti),
    [0xfc] = I0(cld),
    [0xfd] = I0(std),
    [0xfe] = GROUP(REG, group4),
    [0xff] = GROUP(REG, group5),
};
/* clang-format on */
