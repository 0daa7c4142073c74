/* SPDX-License-Identifier: MIT */
/*
 * The two-byte opcode map 0F xx (SDM vol. 2, table A-3) without MMX and SSE, and its groups.
 * Missing on purpose: VMX and SVM, SGX, MPX (its opcodes are NOPs), CET but for ENDBR (a NOP),
 * RDRAND and RDSEED (wait for random numbers through the input queue).
 */
#include "target-i386/decode.h"

#include "target-i386/cpu.h"
#include "target-i386/gen.h"
#include "tcg/flags.h"

/* clang-format off */
enum { UNDEF_SHIFT = FLAG_AF | FLAG_OF, UNDEF_MUL = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF,
       UNDEF_BT = FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
       UNDEF_BSF = FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
       UNDEF_ZCNT = FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF };

static const InsnDesc group6_sldt[2] = { I1(sldt, Mw, .attr = A_PE), I1(sldt, Rv, .attr = A_PE) };
static const InsnDesc group6_str[2] = { I1(str, Mw, .attr = A_PE), I1(str, Rv, .attr = A_PE) };
static const InsnDesc group6[8] = {
    GROUP(MOD, group6_sldt), GROUP(MOD, group6_str),
    I1(lldt, Ew, .attr = A_PE | A_CPL0), I1(ltr, Ew, .attr = A_PE | A_CPL0),
    I1(verr, Ew, .attr = A_PE), I1(verw, Ew, .attr = A_PE),
};

static const InsnDesc group7_mem[8] = {
    I1(sgdt, M), I1(sidt, M), I1(lgdt, M, .attr = A_CPL0), I1(lidt, M, .attr = A_CPL0), I1(smsw, Mw),
    [6] = I1(lmsw, Mw, .attr = A_CPL0), [7] = I1(invlpg, M, .attr = A_CPL0),
};
static const InsnDesc group7_1[8] = {
    I0(monitor, .feature = FEAT_MONITOR), I0(mwait, .attr = A_END, .feature = FEAT_MONITOR),
    I0(clac, .feature = FEAT_SMAP), I0(stac, .feature = FEAT_SMAP),
};
static const InsnDesc group7_2_0[4] = { I0(xgetbv, .feature = FEAT_XSAVE) };
static const InsnDesc group7_2_1[4] = { I0(xsetbv, .attr = A_CPL0 | A_END, .feature = FEAT_XSAVE) };
static const InsnDesc group7_2[8] = { GROUP(PREFIX, group7_2_0), GROUP(PREFIX, group7_2_1) };
static const InsnDesc group7_5[8] = {
    [6] = I0(rdpkru, .feature = FEAT_PKU), [7] = I0(wrpkru, .attr = A_END, .feature = FEAT_PKU),
};
static const InsnDesc group7_7[8] = {
    I0(swapgs, .attr = A_ONLY64 | A_CPL0), I0(rdtscp, .feature = FEAT_RDTSCP),
};
static const InsnDesc group7_reg[8] = {
    [1] = GROUP(RM, group7_1), [2] = GROUP(RM, group7_2), [4] = I1(smsw, Rv),
    [5] = GROUP(RM, group7_5), [6] = I1(lmsw, Rw, .attr = A_CPL0), [7] = GROUP(RM, group7_7),
};
static const InsnDesc op01[2] = { GROUP(REG, group7_mem), GROUP(REG, group7_reg) };

#define BT(n, b, attrs) I2(n, Ev, b, .attr = attrs, .undef = UNDEF_BT)
static const InsnDesc group8[8] = {
    [4] = BT(bt, Ib, 0), BT(bts, Ib, A_LOCK), BT(btr, Ib, A_LOCK), BT(btc, Ib, A_LOCK),
};

static const InsnDesc group9_1[2] = {
    I1(cmpxchg8b, M, .attr = A_LOCK, .feature = FEAT_CX8),
    I1(cmpxchg8b, M, .attr = A_LOCK, .feature = FEAT_CX16),
};
static const InsnDesc group9_3[4] = { I1(xrstors, M, .attr = A_CPL0, .feature = FEAT_XSAVES) };
static const InsnDesc group9_4[4] = { I1(xsavec, M, .feature = FEAT_XSAVEC) };
static const InsnDesc group9_5[4] = { I1(xsaves, M, .attr = A_CPL0, .feature = FEAT_XSAVES) };
static const InsnDesc group9_mem[8] = {
    [1] = GROUP(REXW, group9_1),
    [3] = GROUP(PREFIX, group9_3), [4] = GROUP(PREFIX, group9_4), [5] = GROUP(PREFIX, group9_5),
};
static const InsnDesc group9_6[4] = { I1(rdrand, Rv, .feature = FEAT_RDRAND), I1(rdrand, Rv, .feature = FEAT_RDRAND) };
static const InsnDesc group9_7[4] = { I1(rdseed, Rv, .feature = FEAT_RDSEED), I1(rdseed, Rv, .feature = FEAT_RDSEED),
                                      I1(rdpid, Ry, .feature = FEAT_RDPID) };
static const InsnDesc group9_reg[8] = { [6] = GROUP(PREFIX, group9_6), [7] = GROUP(PREFIX, group9_7) };
static const InsnDesc opc7[2] = { GROUP(REG, group9_mem), GROUP(REG, group9_reg) };

static const InsnDesc group15_none_mem[8] = {
    I1(fxsave, M, .feature = FEAT_FXSR), I1(fxrstor, M, .feature = FEAT_FXSR),
    I1(ldmxcsr, Md, .attr = A_SSE, .feature = FEAT_SSE), I1(stmxcsr, Md, .attr = A_SSE, .feature = FEAT_SSE),
    I1(xsave, M, .feature = FEAT_XSAVE), I1(xrstor, M, .feature = FEAT_XSAVE),
    I1(xsaveopt, M, .feature = FEAT_XSAVEOPT), I1(clflush, Mb, .feature = FEAT_CLFLUSH),
};
static const InsnDesc group15_66_mem[8] = {
    [6] = I1(clwb, Mb, .feature = FEAT_CLWB), [7] = I1(clflushopt, Mb, .feature = FEAT_CLFLUSHOPT),
};
static const InsnDesc group15_none_reg[8] = {
    [5] = I0(fence, .arg = 1, .feature = FEAT_SSE2), [6] = I0(fence, .arg = 3, .feature = FEAT_SSE2),
    [7] = I0(fence, .arg = 2, .feature = FEAT_SSE),
};
static const InsnDesc group15_f3_reg[8] = {
    I1(rdfsbase, Ry, .attr = A_ONLY64, .feature = FEAT_FSGSBASE),
    I1(rdgsbase, Ry, .attr = A_ONLY64, .feature = FEAT_FSGSBASE),
    I1(wrfsbase, Ry, .attr = A_ONLY64, .feature = FEAT_FSGSBASE),
    I1(wrgsbase, Ry, .attr = A_ONLY64, .feature = FEAT_FSGSBASE),
};
static const InsnDesc opae_mem[4] = { GROUP(REG, group15_none_mem), GROUP(REG, group15_66_mem) };
static const InsnDesc opae_reg[4] = { GROUP(REG, group15_none_reg), [2] = GROUP(REG, group15_f3_reg) };
static const InsnDesc opae[2] = { GROUP(PREFIX, opae_mem), GROUP(PREFIX, opae_reg) };

static const InsnDesc opb8[4] = {
    [2] = I2(popcnt, Gv, Ev, .feature = FEAT_POPCNT),
};
#define BSF I2(bsf, Gv, Ev, .undef = UNDEF_BSF)
#define BSR I2(bsr, Gv, Ev, .undef = UNDEF_BSF)
static const InsnDesc opbc[4] = {
    BSF, BSF, I2(tzcnt, Gv, Ev, .attr = A_FALLBACK, .feature = FEAT_BMI1, .undef = UNDEF_ZCNT), BSF,
};
static const InsnDesc opbd[4] = {
    BSR, BSR, I2(lzcnt, Gv, Ev, .attr = A_FALLBACK, .feature = FEAT_ABM, .undef = UNDEF_ZCNT), BSR,
};
static const InsnDesc opc3[4] = { I2(movnti, My, Gy, .feature = FEAT_SSE2) };

/* Reserved for hints since the P6; #UD before. */
#define NOP_EV I1(nop, Ev, .arg = 1, .feature = FEAT_CMOV)
#define EIGHT(row) row, row, row, row, row, row, row, row
#define CMOV I2(cmovcc, Gv, Ev, .feature = FEAT_CMOV)

const InsnDesc opmap_0f[256] = {
    [0x00] = GROUP(REG, group6),
    [0x01] = GROUP(MOD, op01),
    [0x02] = I2(lar, Gv, Ew, .attr = A_PE),
    [0x03] = I2(lsl, Gv, Ew, .attr = A_PE),
    [0x05] = I0(syscall, .attr = A_END, .feature = FEAT_SYSCALL),
    [0x06] = I0(clts, .attr = A_CPL0 | A_END),
    [0x07] = I0(sysret, .attr = A_CPL0 | A_END, .feature = FEAT_SYSCALL),
    [0x08] = I0(invd, .attr = A_CPL0),
    [0x09] = I0(wbinvd, .attr = A_CPL0),
    [0x0b] = I0(ud, .attr = A_END),
    [0x0d] = I1(prefetch, M, .feature = FEAT_CMOV),
    [0x18] = EIGHT(NOP_EV),

    [0x20] = I2(mov_from_cr, Ry, Cy, .attr = A_CPL0 | A_F64 | A_MOD3, .undef = FLAGS_ARITH),
    [0x21] = I2(mov_from_dr, Ry, Dy, .attr = A_CPL0 | A_F64 | A_MOD3, .undef = FLAGS_ARITH),
    [0x22] = I2(mov_to_cr, Cy, Ry, .attr = A_CPL0 | A_F64 | A_MOD3 | A_END, .undef = FLAGS_ARITH),
    [0x23] = I2(mov_to_dr, Dy, Ry, .attr = A_CPL0 | A_F64 | A_MOD3 | A_END, .undef = FLAGS_ARITH),

    [0x30] = I0(wrmsr, .attr = A_CPL0 | A_END, .feature = FEAT_MSR),
    [0x31] = I0(rdtsc, .feature = FEAT_TSC),
    [0x32] = I0(rdmsr, .attr = A_CPL0, .feature = FEAT_MSR),
    [0x33] = I0(rdpmc, .feature = FEAT_MMX), /* came with the Pentium with MMX, and the P6 */
    [0x34] = I0(sysenter, .attr = A_END, .feature = FEAT_SEP),
    [0x35] = I0(sysexit, .attr = A_CPL0 | A_END, .feature = FEAT_SEP),

    [0x40] = EIGHT(CMOV), EIGHT(CMOV),
    [0x80] = EIGHT(I1(jcc, Jz, .attr = A_F64)), EIGHT(I1(jcc, Jz, .attr = A_F64)),
    [0x90] = EIGHT(I1(setcc, Eb)), EIGHT(I1(setcc, Eb)),

    [0xa0] = I0(push_sreg, .attr = A_DF64, .arg = SEG_FS),
    [0xa1] = I0(pop_sreg, .attr = A_DF64, .arg = SEG_FS),
    [0xa2] = I0(cpuid),
    [0xa3] = BT(bt, Gv, 0),
    [0xa4] = I3(shld, Ev, Gv, Ib, .undef = UNDEF_SHIFT),
    [0xa5] = I3(shld, Ev, Gv, CL, .undef = UNDEF_SHIFT),
    [0xa8] = I0(push_sreg, .attr = A_DF64, .arg = SEG_GS),
    [0xa9] = I0(pop_sreg, .attr = A_DF64, .arg = SEG_GS),
    [0xaa] = I0(rsm, .attr = A_END),
    [0xab] = BT(bts, Gv, A_LOCK),
    [0xac] = I3(shrd, Ev, Gv, Ib, .undef = UNDEF_SHIFT),
    [0xad] = I3(shrd, Ev, Gv, CL, .undef = UNDEF_SHIFT),
    [0xae] = GROUP(MOD, opae),
    [0xaf] = I2(imul, Gv, Ev, .undef = UNDEF_MUL),

    [0xb0] = I2(cmpxchg, Eb, Gb, .attr = A_LOCK), I2(cmpxchg, Ev, Gv, .attr = A_LOCK),
    [0xb2] = I2(lds, Gv, M, .arg = SEG_SS),
    [0xb3] = BT(btr, Gv, A_LOCK),
    [0xb4] = I2(lds, Gv, M, .arg = SEG_FS), I2(lds, Gv, M, .arg = SEG_GS),
    [0xb6] = I2(movzx, Gv, Eb), I2(movzx, Gv, Ew),
    [0xb8] = GROUP(PREFIX, opb8),
    [0xb9] = I2(ud, Gv, Ev, .attr = A_END),
    [0xba] = GROUP(REG, group8),
    [0xbb] = BT(btc, Gv, A_LOCK),
    [0xbc] = GROUP(PREFIX, opbc),
    [0xbd] = GROUP(PREFIX, opbd),
    [0xbe] = I2(movsx, Gv, Eb), I2(movsx, Gv, Ew),

    [0xc0] = I2(xadd, Eb, Gb, .attr = A_LOCK), I2(xadd, Ev, Gv, .attr = A_LOCK),
    [0xc3] = GROUP(PREFIX, opc3),
    [0xc7] = GROUP(MOD, opc7),
    [0xc8] = EIGHT(I1(bswap, Zv)),
    [0xff] = I2(ud, Gv, Ev, .attr = A_END),
};
/* clang-format on */
