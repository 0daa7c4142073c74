/* SPDX-License-Identifier: MIT */
/*
 * The x87 maps D8 … DF (SDM vol. 2, tables ), with the aliases that processors have had
 * since the 8087 (FCOM2, FXCH4, FSTP8, FFREEP …).
 */
#include "target-i386/decode.h"

#include "target-i386/gen-fp.h"

/* clang-format off */
#define X(n, ...)  I1(n, __VA_ARGS__, .attr = A_FPU, .feature = FEAT_FPU)
#define X0(n)      I0(n, .attr = A_FPU | A_REG, .feature = FEAT_FPU)
#define XCMOV(n, cc) I1(n, STi, .attr = A_FPU, .feature = FEAT_CMOV, .arg = cc)
#define XCOMI(n)   I1(n, STi, .attr = A_FPU, .feature = FEAT_CMOV)
#define XTT(n, m)  I1(n, m, .attr = A_FPU, .feature = FEAT_SSE3)

static const InsnDesc d8_mem[8] = { X(fadd, Md), X(fmul, Md), X(fcom, Md), X(fcomp, Md),
                                    X(fsub, Md), X(fsubr, Md), X(fdiv, Md), X(fdivr, Md) };
static const InsnDesc d8_reg[8] = { X(fadd, STi), X(fmul, STi), X(fcom, STi), X(fcomp, STi),
                                    X(fsub, STi), X(fsubr, STi), X(fdiv, STi), X(fdivr, STi) };

static const InsnDesc d9_mem[8] = { X(fld, Md), [2] = X(fst, Md), X(fstp, Md), X(fldenv, M),
                                    X(fldcw, Mw), X(fnstenv, M), X(fnstcw, Mw) };
static const InsnDesc d9_e0[8] = { X0(fchs), X0(fabs), [4] = X0(ftst), X0(fxam) };
static const InsnDesc d9_e8[8] = { X0(fld1), X0(fldl2t), X0(fldl2e), X0(fldpi), X0(fldlg2), X0(fldln2),
                                   X0(fldz) };
static const InsnDesc d9_f0[8] = { X0(f2xm1), X0(fyl2x), X0(fptan), X0(fpatan), X0(fxtract), X0(fprem1),
                                   X0(fdecstp), X0(fincstp) };
static const InsnDesc d9_f8[8] = { X0(fprem), X0(fyl2xp1), X0(fsqrt), X0(fsincos), X0(frndint), X0(fscale),
                                   X0(fsin), X0(fcos) };
static const InsnDesc d9_d0[8] = { X0(fnop) };
static const InsnDesc d9_reg[8] = { X(fld, STi), X(fxch, STi), GROUP(RM, d9_d0), X(fstp, STi),
                                    GROUP(RM, d9_e0), GROUP(RM, d9_e8), GROUP(RM, d9_f0), GROUP(RM, d9_f8) };

static const InsnDesc da_mem[8] = { X(fiadd, Md), X(fimul, Md), X(ficom, Md), X(ficomp, Md),
                                    X(fisub, Md), X(fisubr, Md), X(fidiv, Md), X(fidivr, Md) };
static const InsnDesc da_e8[8] = { [1] = X0(fucompp) };
static const InsnDesc da_reg[8] = { XCMOV(fcmovb, CC_B), XCMOV(fcmove, CC_Z), XCMOV(fcmovbe, CC_BE),
                                    XCMOV(fcmovu, CC_P), [5] = GROUP(RM, da_e8) };

static const InsnDesc db_mem[8] = { X(fild, Md), XTT(fisttp, Md), X(fist, Md), X(fistp, Md),
                                    [5] = X(fld, Mt), [7] = X(fstp, Mt) };
static const InsnDesc db_e0[8] = { X0(fneni), X0(fndisi), X0(fnclex), X0(fninit), X0(fnsetpm) };
static const InsnDesc db_reg[8] = { XCMOV(fcmovnb, CC_NB), XCMOV(fcmovne, CC_NZ), XCMOV(fcmovnbe, CC_NBE),
                                    XCMOV(fcmovnu, CC_NP), GROUP(RM, db_e0), XCOMI(fucomi), XCOMI(fcomi) };

static const InsnDesc dc_mem[8] = { X(fadd, Mq), X(fmul, Mq), X(fcom, Mq), X(fcomp, Mq),
                                    X(fsub, Mq), X(fsubr, Mq), X(fdiv, Mq), X(fdivr, Mq) };
static const InsnDesc dc_reg[8] = { X(fadd_to, STi), X(fmul_to, STi), X(fcom, STi), X(fcomp, STi),
                                    X(fsubr_to, STi), X(fsub_to, STi), X(fdivr_to, STi), X(fdiv_to, STi) };

static const InsnDesc dd_mem[8] = { X(fld, Mq), XTT(fisttp, Mq), X(fst, Mq), X(fstp, Mq),
                                    X(frstor, M), [6] = X(fnsave, M), X(fnstsw, Mw) };
static const InsnDesc dd_reg[8] = { X(ffree, STi), X(fxch, STi), X(fst, STi), X(fstp, STi),
                                    X(fucom, STi), X(fucomp, STi) };

static const InsnDesc de_mem[8] = { X(fiadd, Mw), X(fimul, Mw), X(ficom, Mw), X(ficomp, Mw),
                                    X(fisub, Mw), X(fisubr, Mw), X(fidiv, Mw), X(fidivr, Mw) };
static const InsnDesc de_d8[8] = { [1] = X0(fcompp) };
static const InsnDesc de_reg[8] = { X(faddp, STi), X(fmulp, STi), X(fcomp, STi), GROUP(RM, de_d8),
                                    X(fsubrp, STi), X(fsubp, STi), X(fdivrp, STi), X(fdivp, STi) };

static const InsnDesc df_mem[8] = { X(fild, Mw), XTT(fisttp, Mw), X(fist, Mw), X(fistp, Mw),
                                    X(fbld, Mt), X(fild, Mq), X(fbstp, Mt), X(fistp, Mq) };
static const InsnDesc df_e0[8] = { X0(fnstsw_ax) };
static const InsnDesc df_reg[8] = { X(ffreep, STi), X(fxch, STi), X(fstp, STi), X(fstp, STi),
                                    GROUP(RM, df_e0), XCOMI(fucomip), XCOMI(fcomip) };

static const InsnDesc d8[2] = { GROUP(REG, d8_mem), GROUP(REG, d8_reg) };
static const InsnDesc d9[2] = { GROUP(REG, d9_mem), GROUP(REG, d9_reg) };
static const InsnDesc da[2] = { GROUP(REG, da_mem), GROUP(REG, da_reg) };
static const InsnDesc db[2] = { GROUP(REG, db_mem), GROUP(REG, db_reg) };
static const InsnDesc dc[2] = { GROUP(REG, dc_mem), GROUP(REG, dc_reg) };
static const InsnDesc dd[2] = { GROUP(REG, dd_mem), GROUP(REG, dd_reg) };
static const InsnDesc de[2] = { GROUP(REG, de_mem), GROUP(REG, de_reg) };
static const InsnDesc df[2] = { GROUP(REG, df_mem), GROUP(REG, df_reg) };

const InsnDesc opmap_x87[8] = {
    GROUP(MOD, d8), GROUP(MOD, d9), GROUP(MOD, da), GROUP(MOD, db),
    GROUP(MOD, dc), GROUP(MOD, dd), GROUP(MOD, de), GROUP(MOD, df),
};
/* clang-format on */
