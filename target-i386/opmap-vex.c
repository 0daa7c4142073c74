/* SPDX-License-Identifier: MIT */
/*
 * VEX-encoded instructions: the maps 0F, 0F38 and 0F3A (SDM vol. 2, tables, rows marked
 * v). Columns of a prefix group: none, 66, F3, F2, by VEX.pp.
 */
#include "target-i386/decode.h"

#include "target-i386/gen-vex.h"
#include "tcg/flags.h"

/* clang-format off */
#define BMI1 .attr = A_L0, .feature = FEAT_BMI1
#define BMI2 .attr = A_L0, .feature = FEAT_BMI2

/* R(mnemonic, generator, attributes beyond A_VEX, feature beyond AVX, operands, fields …) */
#define R(n, g, at, f, ops, ...) { .gen = gen_##g, .name = n, .attr = A_VEX | (at), .feature = FEAT_##f, .op = ops, .modrm = true, __VA_ARGS__ }
#define OPS(...)     { __VA_ARGS__ }
#define OPL(o, l)    .arg = OP_##o, .arg2 = l
#define LANE(l)      .arg2 = l
#define VHW          OPS(Vx, Hx, Wx)

/* Rows of columns: packed integers (AVX2 with 256 bits), packed and scalar floating point. */
#define INT(n, o, l)      { [1] = R(n, v_bin, A_AVX2, NONE, VHW, OPL(o, l)) }
#define BY_XMM(n, o, l)   { [1] = R(n, v_bin, A_AVX2, NONE, OPS(Vx, Hx, Wdq), OPL(o, l)) }
#define PS_PD(n, o)       { R(n "ps", v_bin, 0, NONE, VHW, OPL(o, 2)), R(n "pd", v_bin, 0, NONE, VHW, OPL(o, 3)) }
#define ARITH(n, o)       { R(n "ps", v_arith, 0, NONE, VHW, OPL(o, PS)), R(n "pd", v_arith, 0, NONE, VHW, OPL(o, PD)), \
                            R(n "ss", v_arith, 0, NONE, OPS(Vdq, Hdq, Wd), OPL(o, SS)), R(n "sd", v_arith, 0, NONE, OPS(Vdq, Hdq, Wq), OPL(o, SD)) }
#define APPROXIMATE(n, o) { R(n "ps", v_approximate, 0, NONE, OPS(Vx, Wx), .arg = o, .arg2 = PS), [2] = R(n "ss", v_approximate, 0, NONE, OPS(Vdq, Hdq, Wd), .arg = o, .arg2 = SS) }
#define SHIFT_IMM(n, o, l) { [1] = R(n, v_un_imm, A_AVX2 | A_REG, NONE, OPS(Hx, Ux, Ib), OPL(o, l)) }

/* -- 0F --------------------------------------------------------------------------------------- */
static const InsnDesc op10_f3[2] = { R("vmovss", v_load_scalar, 0, NONE, OPS(Vdq, Md), LANE(2)), R("vmovss", v_merge_scalar, 0, NONE, OPS(Vdq, Hdq, Udq), LANE(2)) };
static const InsnDesc op10_f2[2] = { R("vmovsd", v_load_scalar, 0, NONE, OPS(Vdq, Mq), LANE(3)), R("vmovsd", v_merge_scalar, 0, NONE, OPS(Vdq, Hdq, Udq), LANE(3)) };
static const InsnDesc op10[4] = { R("vmovups", v_move, 0, NONE, OPS(Vx, Wx)), R("vmovupd", v_move, 0, NONE, OPS(Vx, Wx)), GROUP(MOD, op10_f3), GROUP(MOD, op10_f2) };
static const InsnDesc op11_f3[2] = { R("vmovss", v_store_scalar, 0, NONE, OPS(Md, Vdq), LANE(2)), R("vmovss", v_merge_scalar, 0, NONE, OPS(Udq, Hdq, Vdq), LANE(2)) };
static const InsnDesc op11_f2[2] = { R("vmovsd", v_store_scalar, 0, NONE, OPS(Mq, Vdq), LANE(3)), R("vmovsd", v_merge_scalar, 0, NONE, OPS(Udq, Hdq, Vdq), LANE(3)) };
static const InsnDesc op11[4] = { R("vmovups", v_move, 0, NONE, OPS(Wx, Vx)), R("vmovupd", v_move, 0, NONE, OPS(Wx, Vx)), GROUP(MOD, op11_f3), GROUP(MOD, op11_f2) };
static const InsnDesc op12_none[2] = { R("vmovlps", v_load_low, A_L0, NONE, OPS(Vdq, Hdq, Mq)), R("vmovhlps", v_movhlps, A_L0, NONE, OPS(Vdq, Hdq, Udq)) };
static const InsnDesc op12_f2[2] = { R("vmovddup", v_movddup, 0, NONE, OPS(Vdq, Wq)), R("vmovddup", v_movddup, 0, NONE, OPS(Vqq, Wqq)) };
static const InsnDesc op12[4] = { GROUP(MOD, op12_none), R("vmovlpd", v_load_low, A_L0, NONE, OPS(Vdq, Hdq, Mq)),
                                  R("vmovsldup", v_dup, 0, NONE, OPS(Vx, Wx), .arg = 0xa0), GROUP(VEXL, op12_f2) };
static const InsnDesc op13[4] = { R("vmovlps", v_to_low, A_L0, NONE, OPS(Mq, Vdq)), R("vmovlpd", v_to_low, A_L0, NONE, OPS(Mq, Vdq)) };
static const InsnDesc op14[4] = PS_PD("vunpckl", vunpacklo), op15[4] = PS_PD("vunpckh", vunpackhi);
static const InsnDesc op16_none[2] = { R("vmovhps", v_load_high, A_L0, NONE, OPS(Vdq, Hdq, Mq)), R("vmovlhps", v_movlhps, A_L0, NONE, OPS(Vdq, Hdq, Udq)) };
static const InsnDesc op16[4] = { GROUP(MOD, op16_none), R("vmovhpd", v_load_high, A_L0, NONE, OPS(Vdq, Hdq, Mq)), R("vmovshdup", v_dup, 0, NONE, OPS(Vx, Wx), .arg = 0xf5) };
static const InsnDesc op17[4] = { R("vmovhps", v_store_high, A_L0, NONE, OPS(Mq, Vdq)), R("vmovhpd", v_store_high, A_L0, NONE, OPS(Mq, Vdq)) };
static const InsnDesc op28[4] = { R("vmovaps", v_move, A_ALIGNED, NONE, OPS(Vx, Wx)), R("vmovapd", v_move, A_ALIGNED, NONE, OPS(Vx, Wx)) };
static const InsnDesc op29[4] = { R("vmovaps", v_move, A_ALIGNED, NONE, OPS(Wx, Vx)), R("vmovapd", v_move, A_ALIGNED, NONE, OPS(Wx, Vx)) };
static const InsnDesc op2a[4] = { [2] = R("vcvtsi2ss", v_cvtsi2, 0, NONE, OPS(Vdq, Hdq, Ey), LANE(SS)), [3] = R("vcvtsi2sd", v_cvtsi2, 0, NONE, OPS(Vdq, Hdq, Ey), LANE(SD)) };
static const InsnDesc op2b[4] = { R("vmovntps", v_move, A_ALIGNED, NONE, OPS(Mx, Vx)), R("vmovntpd", v_move, A_ALIGNED, NONE, OPS(Mx, Vx)) };
static const InsnDesc op2c[4] = { [2] = R("vcvttss2si", cvttss2si, 0, NONE, OPS(Gy, Wd)), [3] = R("vcvttsd2si", cvttsd2si, 0, NONE, OPS(Gy, Wq)) };
static const InsnDesc op2d[4] = { [2] = R("vcvtss2si", cvtss2si, 0, NONE, OPS(Gy, Wd)), [3] = R("vcvtsd2si", cvtsd2si, 0, NONE, OPS(Gy, Wq)) };
static const InsnDesc op2e[4] = { R("vucomiss", ucomiss, 0, NONE, OPS(Vd, Wd)), R("vucomisd", ucomisd, 0, NONE, OPS(Vq, Wq)) };
static const InsnDesc op2f[4] = { R("vcomiss", comiss, 0, NONE, OPS(Vd, Wd)), R("vcomisd", comisd, 0, NONE, OPS(Vq, Wq)) };
static const InsnDesc op50[4] = { R("vmovmskps", v_movmsk, 0, NONE, OPS(Gd, Ux), LANE(2)), R("vmovmskpd", v_movmsk, 0, NONE, OPS(Gd, Ux), LANE(3)) };
static const InsnDesc op51[4] = { R("vsqrtps", v_sqrt, 0, NONE, OPS(Vx, Wx), LANE(PS)), R("vsqrtpd", v_sqrt, 0, NONE, OPS(Vx, Wx), LANE(PD)),
                                  R("vsqrtss", v_sqrt, 0, NONE, OPS(Vdq, Hdq, Wd), LANE(SS)), R("vsqrtsd", v_sqrt, 0, NONE, OPS(Vdq, Hdq, Wq), LANE(SD)) };
static const InsnDesc op52[4] = APPROXIMATE("vrsqrt", APPROXIMATE_ROOT), op53[4] = APPROXIMATE("vrcp", 0);
static const InsnDesc op54[4] = PS_PD("vand", vand), op55[4] = PS_PD("vandn", vandn), op56[4] = PS_PD("vor", vor), op57[4] = PS_PD("vxor", vxor);
static const InsnDesc op58[4] = ARITH("vadd", fadd), op59[4] = ARITH("vmul", fmul), op5c[4] = ARITH("vsub", fsub),
                      op5d[4] = ARITH("vmin", fmin), op5e[4] = ARITH("vdiv", fdiv), op5f[4] = ARITH("vmax", fmax);
#define CVT(n, a, b, k) R(n, v_cvt, 0, NONE, OPS(a, b), .arg = VCVT_##k)
static const InsnDesc op5a[4] = { CVT("vcvtps2pd", Vx, Whx, PS2PD), CVT("vcvtpd2ps", Vdq, Wx, PD2PS),
                                  R("vcvtss2sd", v_cvt_scalar, 0, NONE, OPS(Vdq, Hdq, Wd), LANE(SS)), R("vcvtsd2ss", v_cvt_scalar, 0, NONE, OPS(Vdq, Hdq, Wq), LANE(SD)) };
static const InsnDesc op5b[4] = { CVT("vcvtdq2ps", Vx, Wx, DQ2PS), CVT("vcvtps2dq", Vx, Wx, PS2DQ), CVT("vcvttps2dq", Vx, Wx, TPS2DQ) };
static const InsnDesc ope6[4] = { [1] = CVT("vcvttpd2dq", Vdq, Wx, TPD2DQ), CVT("vcvtdq2pd", Vx, Whx, DQ2PD), CVT("vcvtpd2dq", Vdq, Wx, PD2DQ) };

static const InsnDesc op60[4] = INT("vpunpcklbw", vunpacklo, 0), op61[4] = INT("vpunpcklwd", vunpacklo, 1), op62[4] = INT("vpunpckldq", vunpacklo, 2),
    op63[4] = INT("vpacksswb", vpackss, 1), op64[4] = INT("vpcmpgtb", vcmpgt, 0), op65[4] = INT("vpcmpgtw", vcmpgt, 1),
    op66[4] = INT("vpcmpgtd", vcmpgt, 2), op67[4] = INT("vpackuswb", vpackus, 1), op68[4] = INT("vpunpckhbw", vunpackhi, 0),
    op69[4] = INT("vpunpckhwd", vunpackhi, 1), op6a[4] = INT("vpunpckhdq", vunpackhi, 2), op6b[4] = INT("vpackssdw", vpackss, 2),
    op6c[4] = INT("vpunpcklqdq", vunpacklo, 3), op6d[4] = INT("vpunpckhqdq", vunpackhi, 3), op74[4] = INT("vpcmpeqb", vcmpeq, 0),
    op75[4] = INT("vpcmpeqw", vcmpeq, 1), op76[4] = INT("vpcmpeqd", vcmpeq, 2), opd4[4] = INT("vpaddq", vadd, 3),
    opd5[4] = INT("vpmullw", vmullo, 1), opd8[4] = INT("vpsubusb", vsubus, 0), opd9[4] = INT("vpsubusw", vsubus, 1),
    opda[4] = INT("vpminub", vminu, 0), opdb[4] = INT("vpand", vand, 3), opdc[4] = INT("vpaddusb", vaddus, 0),
    opdd[4] = INT("vpaddusw", vaddus, 1), opde[4] = INT("vpmaxub", vmaxu, 0), opdf[4] = INT("vpandn", vandn, 3),
    ope0[4] = INT("vpavgb", vavg, 0), ope3[4] = INT("vpavgw", vavg, 1), ope4[4] = INT("vpmulhuw", vmulhu, 1),
    ope5[4] = INT("vpmulhw", vmulhs, 1), ope8[4] = INT("vpsubsb", vsubs, 0), ope9[4] = INT("vpsubsw", vsubs, 1),
    opea[4] = INT("vpminsw", vmins, 1), opeb[4] = INT("vpor", vor, 3), opec[4] = INT("vpaddsb", vadds, 0),
    oped[4] = INT("vpaddsw", vadds, 1), opee[4] = INT("vpmaxsw", vmaxs, 1), opef[4] = INT("vpxor", vxor, 3),
    opf4[4] = INT("vpmuludq", vmulud, 3), opf5[4] = INT("vpmaddwd", vmadd, 1), opf6[4] = INT("vpsadbw", vsad, 0),
    opf8[4] = INT("vpsubb", vsub, 0), opf9[4] = INT("vpsubw", vsub, 1), opfa[4] = INT("vpsubd", vsub, 2),
    opfb[4] = INT("vpsubq", vsub, 3), opfc[4] = INT("vpaddb", vadd, 0), opfd[4] = INT("vpaddw", vadd, 1),
    opfe[4] = INT("vpaddd", vadd, 2);
static const InsnDesc opd1[4] = BY_XMM("vpsrlw", vshr, 1), opd2[4] = BY_XMM("vpsrld", vshr, 2), opd3[4] = BY_XMM("vpsrlq", vshr, 3),
    ope1[4] = BY_XMM("vpsraw", vsar, 1), ope2[4] = BY_XMM("vpsrad", vsar, 2), opf1[4] = BY_XMM("vpsllw", vshl, 1),
    opf2[4] = BY_XMM("vpslld", vshl, 2), opf3[4] = BY_XMM("vpsllq", vshl, 3);
static const InsnDesc op6e[4] = { [1] = R("vmovd", v_from_low, A_L0, NONE, OPS(Vdq, Ey)) };
static const InsnDesc op6f[4] = { [1] = R("vmovdqa", v_move, A_ALIGNED, NONE, OPS(Vx, Wx)), R("vmovdqu", v_move, 0, NONE, OPS(Vx, Wx)) };
static const InsnDesc op70[4] = { [1] = R("vpshufd", v_un_imm, A_AVX2, NONE, OPS(Vx, Wx, Ib), OPL(vshuf, 2)),
                                  R("vpshufhw", v_un_imm, A_AVX2, NONE, OPS(Vx, Wx, Ib), OPL(vshufhi, 1)), R("vpshuflw", v_un_imm, A_AVX2, NONE, OPS(Vx, Wx, Ib), OPL(vshuflo, 1)) };
static const InsnDesc op71_2[4] = SHIFT_IMM("vpsrlw", vshri, 1), op71_4[4] = SHIFT_IMM("vpsraw", vsari, 1), op71_6[4] = SHIFT_IMM("vpsllw", vshli, 1);
static const InsnDesc op72_2[4] = SHIFT_IMM("vpsrld", vshri, 2), op72_4[4] = SHIFT_IMM("vpsrad", vsari, 2), op72_6[4] = SHIFT_IMM("vpslld", vshli, 2);
static const InsnDesc op73_2[4] = SHIFT_IMM("vpsrlq", vshri, 3), op73_3[4] = SHIFT_IMM("vpsrldq", vbshr, 0),
                      op73_6[4] = SHIFT_IMM("vpsllq", vshli, 3), op73_7[4] = SHIFT_IMM("vpslldq", vbshl, 0);
#define G(x, n) [n] = GROUP(PREFIX, op##x##_##n)
static const InsnDesc op71[8] = { G(71, 2), G(71, 4), G(71, 6) }, op72[8] = { G(72, 2), G(72, 4), G(72, 6) },
                      op73[8] = { G(73, 2), G(73, 3), G(73, 6), G(73, 7) };
static const InsnDesc op77[4] = { { .gen = gen_v_zero, .name = "vzeroupper", .attr = A_VEX } };
#define HORIZONTAL(n, o) { [1] = R(n "pd", v_horizontal, 0, NONE, VHW, OPL(o, PD)), [3] = R(n "ps", v_horizontal, 0, NONE, VHW, OPL(o, PS)) }
static const InsnDesc op7c[4] = HORIZONTAL("vhadd", fadd), op7d[4] = HORIZONTAL("vhsub", fsub);
static const InsnDesc op7e[4] = { [1] = R("vmovd", v_to_low, A_L0, NONE, OPS(Ey, Vdq)), R("vmovq", v_from_low, A_L0, NONE, OPS(Vdq, Wq)) };
static const InsnDesc op7f[4] = { [1] = R("vmovdqa", v_move, A_ALIGNED, NONE, OPS(Wx, Vx)), R("vmovdqu", v_move, 0, NONE, OPS(Wx, Vx)) };
static const InsnDesc opae_2[4] = { R("vldmxcsr", ldmxcsr, A_L0, NONE, OPS(Md)) }, opae_3[4] = { R("vstmxcsr", stmxcsr, A_L0, NONE, OPS(Md)) };
static const InsnDesc opae[8] = { G(ae, 2), G(ae, 3) };
static const InsnDesc opc2[4] = { R("vcmpps", v_cmp, 0, NONE, OPS(Vx, Hx, Wx, Ib), LANE(PS)), R("vcmppd", v_cmp, 0, NONE, OPS(Vx, Hx, Wx, Ib), LANE(PD)),
                                  R("vcmpss", v_cmp, 0, NONE, OPS(Vdq, Hdq, Wd, Ib), LANE(SS)), R("vcmpsd", v_cmp, 0, NONE, OPS(Vdq, Hdq, Wq, Ib), LANE(SD)) };
static const InsnDesc opc4_66[2] = { R("vpinsrw", v_insert, A_L0, NONE, OPS(Vdq, Hdq, Mw, Ib), LANE(1)), R("vpinsrw", v_insert, A_L0, NONE, OPS(Vdq, Hdq, Rd, Ib), LANE(1)) };
static const InsnDesc opc4[4] = { [1] = GROUP(MOD, opc4_66) };
static const InsnDesc opc5[4] = { [1] = R("vpextrw", vec_extract, A_L0, NONE, OPS(Gd, Udq, Ib), LANE(1)) };
static const InsnDesc opc6[4] = { R("vshufps", v_bin_imm, 0, NONE, OPS(Vx, Hx, Wx, Ib), OPL(vshuf2, 2)), R("vshufpd", v_bin_imm, 0, NONE, OPS(Vx, Hx, Wx, Ib), OPL(vshuf2, 3)) };
static const InsnDesc opd0[4] = { [1] = R("vaddsubpd", v_addsub, 0, NONE, VHW, LANE(PD)), [3] = R("vaddsubps", v_addsub, 0, NONE, VHW, LANE(PS)) };
static const InsnDesc opd6[4] = { [1] = R("vmovq", v_store_low, A_L0, NONE, OPS(Wq, Vdq)) };
static const InsnDesc opd7[4] = { [1] = R("vpmovmskb", v_movmsk, A_AVX2, NONE, OPS(Gd, Ux), LANE(0)) };
static const InsnDesc ope7[4] = { [1] = R("vmovntdq", v_move, A_ALIGNED, NONE, OPS(Mx, Vx)) };
static const InsnDesc opf0[4] = { [3] = R("vlddqu", v_move, 0, NONE, OPS(Vx, Mx)) };
static const InsnDesc opf7[4] = { [1] = R("vmaskmovdqu", maskmovdqu, A_L0, NONE, OPS(Vdq, Udq)) };

#define P(x) [0x##x] = GROUP(PREFIX, op##x)
const InsnDesc opmap_vex_0f[256] = {
    P(10), P(11), P(12), P(13), P(14), P(15), P(16), P(17), P(28), P(29), P(2a), P(2b), P(2c), P(2d), P(2e), P(2f),
    P(50), P(51), P(52), P(53), P(54), P(55), P(56), P(57), P(58), P(59), P(5a), P(5b), P(5c), P(5d), P(5e), P(5f),
    P(60), P(61), P(62), P(63), P(64), P(65), P(66), P(67), P(68), P(69), P(6a), P(6b), P(6c), P(6d), P(6e), P(6f),
    P(70), [0x71] = GROUP(REG, op71), [0x72] = GROUP(REG, op72), [0x73] = GROUP(REG, op73),
    P(74), P(75), P(76), P(77), P(7c), P(7d), P(7e), P(7f), [0xae] = GROUP(REG, opae), P(c2), P(c4), P(c5), P(c6),
    P(d0), P(d1), P(d2), P(d3), P(d4), P(d5), P(d6), P(d7), P(d8), P(d9), P(da), P(db), P(dc), P(dd), P(de), P(df),
    P(e0), P(e1), P(e2), P(e3), P(e4), P(e5), P(e6), P(e7), P(e8), P(e9), P(ea), P(eb), P(ec), P(ed), P(ee), P(ef),
    P(f0), P(f1), P(f2), P(f3), P(f4), P(f5), P(f6), P(f7), P(f8), P(f9), P(fa), P(fb), P(fc), P(fd), P(fe),
};

/* -- 0F38: all have 66 but BMI ----------------------------------------------------------------- */
#define WIDEN(n, sign, from, to, w) { [1] = R(n, v_widen, A_AVX2, NONE, OPS(Vx, w), .arg = sign, .arg2 = from | to << 4) }
#define PABS(n, l)         { [1] = R(n, v_un, A_AVX2, NONE, OPS(Vx, Wx), OPL(vabs, l)) }
static const InsnDesc op00_38[4] = INT("vpshufb", vshufb, 0), op01_38[4] = INT("vphaddw", vhadd, 1), op02_38[4] = INT("vphaddd", vhadd, 2),
    op03_38[4] = INT("vphaddsw", vhadds, 1), op04_38[4] = INT("vpmaddubsw", vmaddub, 1), op05_38[4] = INT("vphsubw", vhsub, 1),
    op06_38[4] = INT("vphsubd", vhsub, 2), op07_38[4] = INT("vphsubsw", vhsubs, 1), op08_38[4] = INT("vpsignb", vsign, 0),
    op09_38[4] = INT("vpsignw", vsign, 1), op0a_38[4] = INT("vpsignd", vsign, 2), op0b_38[4] = INT("vpmulhrsw", vmulhrs, 1),
    op28_38[4] = INT("vpmuldq", vmulsd, 3), op29_38[4] = INT("vpcmpeqq", vcmpeq, 3), op2b_38[4] = INT("vpackusdw", vpackus, 2),
    op37_38[4] = INT("vpcmpgtq", vcmpgt, 3), op38_38[4] = INT("vpminsb", vmins, 0), op39_38[4] = INT("vpminsd", vmins, 2),
    op3a_38[4] = INT("vpminuw", vminu, 1), op3b_38[4] = INT("vpminud", vminu, 2), op3c_38[4] = INT("vpmaxsb", vmaxs, 0),
    op3d_38[4] = INT("vpmaxsd", vmaxs, 2), op3e_38[4] = INT("vpmaxuw", vmaxu, 1), op3f_38[4] = INT("vpmaxud", vmaxu, 2),
    op40_38[4] = INT("vpmulld", vmullo, 2);
static const InsnDesc op0c_38[4] = { [1] = R("vpermilps", v_bin, A_W0, NONE, VHW, OPL(vpermil, 2)) }, op0d_38[4] = { [1] = R("vpermilpd", v_bin, A_W0, NONE, VHW, OPL(vpermil, 3)) };
static const InsnDesc op0e_38[4] = { [1] = R("vtestps", v_test_signs, A_W0, NONE, OPS(Vx, Wx), LANE(2)) }, op0f_38[4] = { [1] = R("vtestpd", v_test_signs, A_W0, NONE, OPS(Vx, Wx), LANE(3)) };
static const InsnDesc op13_38[4] = { [1] = R("vcvtph2ps", v_ph2ps, A_W0, F16C, OPS(Vx, Whx), .arg = VCVT_PH2PS) };
static const InsnDesc op16_38[4] = { [1] = R("vpermps", v_bin, A_W0 | A_L1, AVX2, OPS(Vqq, Hqq, Wqq), OPL(vpermd, 2)) }, op36_38[4] = { [1] = R("vpermd", v_bin, A_W0 | A_L1, AVX2, OPS(Vqq, Hqq, Wqq), OPL(vpermd, 2)) };
static const InsnDesc op17_38[4] = { [1] = R("vptest", ptest, 0, NONE, OPS(Vx, Wx)) };
static const InsnDesc op18_66[2] = { R("vbroadcastss", v_broadcast, A_W0, NONE, OPS(Vx, Md), LANE(2)), R("vbroadcastss", v_broadcast, A_W0, AVX2, OPS(Vx, Udq), LANE(2)) };
static const InsnDesc op19_66[2] = { R("vbroadcastsd", v_broadcast, A_W0 | A_L1, NONE, OPS(Vqq, Mq), LANE(3)), R("vbroadcastsd", v_broadcast, A_W0 | A_L1, AVX2, OPS(Vqq, Udq), LANE(3)) };
static const InsnDesc op18_38[4] = { [1] = GROUP(MOD, op18_66) }, op19_38[4] = { [1] = GROUP(MOD, op19_66) };
static const InsnDesc op1a_38[4] = { [1] = R("vbroadcastf128", v_broadcast128, A_W0 | A_L1, NONE, OPS(Vqq, Mdq)) }, op5a_38[4] = { [1] = R("vbroadcasti128", v_broadcast128, A_W0 | A_L1, AVX2, OPS(Vqq, Mdq)) };
static const InsnDesc op1c_38[4] = PABS("vpabsb", 0), op1d_38[4] = PABS("vpabsw", 1), op1e_38[4] = PABS("vpabsd", 2);
static const InsnDesc op20_38[4] = WIDEN("vpmovsxbw", 1, 0, 1, Whx), op21_38[4] = WIDEN("vpmovsxbd", 1, 0, 2, Wqx), op22_38[4] = WIDEN("vpmovsxbq", 1, 0, 3, Wex),
    op23_38[4] = WIDEN("vpmovsxwd", 1, 1, 2, Whx), op24_38[4] = WIDEN("vpmovsxwq", 1, 1, 3, Wqx), op25_38[4] = WIDEN("vpmovsxdq", 1, 2, 3, Whx),
    op30_38[4] = WIDEN("vpmovzxbw", 0, 0, 1, Whx), op31_38[4] = WIDEN("vpmovzxbd", 0, 0, 2, Wqx), op32_38[4] = WIDEN("vpmovzxbq", 0, 0, 3, Wex),
    op33_38[4] = WIDEN("vpmovzxwd", 0, 1, 2, Whx), op34_38[4] = WIDEN("vpmovzxwq", 0, 1, 3, Wqx), op35_38[4] = WIDEN("vpmovzxdq", 0, 2, 3, Whx);
static const InsnDesc op2a_38[4] = { [1] = R("vmovntdqa", v_move, A_AVX2 | A_ALIGNED, NONE, OPS(Vx, Mx)) };
#define MASK_LOAD(n, f, l)  R(n, v_mask_load, 0, f, OPS(Vx, Hx, M), LANE(l))
#define MASK_STORE(n, f, l) R(n, v_mask_store, 0, f, OPS(M, Hx, Vx), LANE(l))
static const InsnDesc op2c_38[4] = { [1] = R("vmaskmovps", v_mask_load, A_W0 | A_MEM, NONE, OPS(Vx, Hx, M), LANE(2)) }, op2d_38[4] = { [1] = R("vmaskmovpd", v_mask_load, A_W0 | A_MEM, NONE, OPS(Vx, Hx, M), LANE(3)) },
    op2e_38[4] = { [1] = R("vmaskmovps", v_mask_store, A_W0 | A_MEM, NONE, OPS(M, Hx, Vx), LANE(2)) }, op2f_38[4] = { [1] = R("vmaskmovpd", v_mask_store, A_W0 | A_MEM, NONE, OPS(M, Hx, Vx), LANE(3)) };
static const InsnDesc op8c_66[2] = { MASK_LOAD("vpmaskmovd", AVX2, 2), MASK_LOAD("vpmaskmovq", AVX2, 3) }, op8e_66[2] = { MASK_STORE("vpmaskmovd", AVX2, 2), MASK_STORE("vpmaskmovq", AVX2, 3) };
static const InsnDesc op8c_38[4] = { [1] = GROUP(VEXW, op8c_66) }, op8e_38[4] = { [1] = GROUP(VEXW, op8e_66) };
static const InsnDesc op41_38[4] = { [1] = R("vphminposuw", v_un, A_L0, NONE, OPS(Vdq, Wdq), OPL(vminpos, 1)) };
static const InsnDesc op45_66[2] = { R("vpsrlvd", v_bin, 0, AVX2, VHW, OPL(vshrv, 2)), R("vpsrlvq", v_bin, 0, AVX2, VHW, OPL(vshrv, 3)) };
static const InsnDesc op47_66[2] = { R("vpsllvd", v_bin, 0, AVX2, VHW, OPL(vshlv, 2)), R("vpsllvq", v_bin, 0, AVX2, VHW, OPL(vshlv, 3)) };
static const InsnDesc op45_38[4] = { [1] = GROUP(VEXW, op45_66) }, op46_38[4] = { [1] = R("vpsravd", v_bin, A_W0, AVX2, VHW, OPL(vsarv, 2)) }, op47_38[4] = { [1] = GROUP(VEXW, op47_66) };
static const InsnDesc op58_38[4] = { [1] = R("vpbroadcastd", v_broadcast, A_W0, AVX2, OPS(Vx, Wd), LANE(2)) }, op59_38[4] = { [1] = R("vpbroadcastq", v_broadcast, A_W0, AVX2, OPS(Vx, Wq), LANE(3)) },
    op78_38[4] = { [1] = R("vpbroadcastb", v_broadcast, A_W0, AVX2, OPS(Vx, Wb), LANE(0)) }, op79_38[4] = { [1] = R("vpbroadcastw", v_broadcast, A_W0, AVX2, OPS(Vx, Ww), LANE(1)) };
#define GATHER(n, l, wide) R(n, v_gather, A_VSIB | A_MEM, AVX2, OPS(Vx, M, Hx), .arg = wide, .arg2 = l)
static const InsnDesc op90_66[2] = { GATHER("vpgatherdd", 2, 0), GATHER("vpgatherdq", 3, 0) }, op91_66[2] = { GATHER("vpgatherqd", 2, 1), GATHER("vpgatherqq", 3, 1) },
    op92_66[2] = { GATHER("vgatherdps", 2, 0), GATHER("vgatherdpd", 3, 0) }, op93_66[2] = { GATHER("vgatherqps", 2, 1), GATHER("vgatherqpd", 3, 1) };
static const InsnDesc op90_38[4] = { [1] = GROUP(VEXW, op90_66) }, op91_38[4] = { [1] = GROUP(VEXW, op91_66) },
                      op92_38[4] = { [1] = GROUP(VEXW, op92_66) }, op93_38[4] = { [1] = GROUP(VEXW, op93_66) };

#define FMA_PACKED(n) { R(n "ps", v_fma, 0, FMA, VHW, LANE(PS)), R(n "pd", v_fma, 0, FMA, VHW, LANE(PD)) }
#define FMA_SCALAR(n) { R(n "ss", v_fma, 0, FMA, OPS(Vdq, Hdq, Wd), LANE(SS)), R(n "sd", v_fma, 0, FMA, OPS(Vdq, Hdq, Wq), LANE(SD)) }
static const InsnDesc op96_66[2] = FMA_PACKED("vfmaddsub132"), op97_66[2] = FMA_PACKED("vfmsubadd132"), op98_66[2] = FMA_PACKED("vfmadd132"), op99_66[2] = FMA_SCALAR("vfmadd132"), op9a_66[2] = FMA_PACKED("vfmsub132"), op9b_66[2] = FMA_SCALAR("vfmsub132"), op9c_66[2] = FMA_PACKED("vfnmadd132"), op9d_66[2] = FMA_SCALAR("vfnmadd132"), op9e_66[2] = FMA_PACKED("vfnmsub132"), op9f_66[2] = FMA_SCALAR("vfnmsub132");
static const InsnDesc opa6_66[2] = FMA_PACKED("vfmaddsub213"), opa7_66[2] = FMA_PACKED("vfmsubadd213"), opa8_66[2] = FMA_PACKED("vfmadd213"), opa9_66[2] = FMA_SCALAR("vfmadd213"), opaa_66[2] = FMA_PACKED("vfmsub213"), opab_66[2] = FMA_SCALAR("vfmsub213"), opac_66[2] = FMA_PACKED("vfnmadd213"), opad_66[2] = FMA_SCALAR("vfnmadd213"), opae_66[2] = FMA_PACKED("vfnmsub213"), opaf_66[2] = FMA_SCALAR("vfnmsub213");
static const InsnDesc opb6_66[2] = FMA_PACKED("vfmaddsub231"), opb7_66[2] = FMA_PACKED("vfmsubadd231"), opb8_66[2] = FMA_PACKED("vfmadd231"), opb9_66[2] = FMA_SCALAR("vfmadd231"), opba_66[2] = FMA_PACKED("vfmsub231"), opbb_66[2] = FMA_SCALAR("vfmsub231"), opbc_66[2] = FMA_PACKED("vfnmadd231"), opbd_66[2] = FMA_SCALAR("vfnmadd231"), opbe_66[2] = FMA_PACKED("vfnmsub231"), opbf_66[2] = FMA_SCALAR("vfnmsub231");
#define BY_W(x) op##x##_38[4] = { [1] = GROUP(VEXW, op##x##_66) }
static const InsnDesc BY_W(96), BY_W(97), BY_W(98), BY_W(99), BY_W(9a), BY_W(9b), BY_W(9c), BY_W(9d), BY_W(9e), BY_W(9f), BY_W(a6), BY_W(a7), BY_W(a8), BY_W(a9), BY_W(aa), BY_W(ab), BY_W(ac), BY_W(ad), BY_W(ae), BY_W(af), BY_W(b6), BY_W(b7), BY_W(b8), BY_W(b9), BY_W(ba), BY_W(bb), BY_W(bc), BY_W(bd), BY_W(be), BY_W(bf);
#define AES_ROWS(n, o) { R(n, v_bin, 0, AES, OPS(Vdq, Hdq, Wdq), OPL(o, 3)), R(n, v_bin, 0, VAES, OPS(Vqq, Hqq, Wqq), OPL(o, 3)) }
static const InsnDesc opdc_66[2] = AES_ROWS("vaesenc", aesenc), opdd_66[2] = AES_ROWS("vaesenclast", aesenclast),
                      opde_66[2] = AES_ROWS("vaesdec", aesdec), opdf_66[2] = AES_ROWS("vaesdeclast", aesdeclast);
static const InsnDesc opdc_38[4] = { [1] = GROUP(VEXL, opdc_66) }, opdd_38[4] = { [1] = GROUP(VEXL, opdd_66) },
                      opde_38[4] = { [1] = GROUP(VEXL, opde_66) }, opdf_38[4] = { [1] = GROUP(VEXL, opdf_66) };
static const InsnDesc opdb_38[4] = { [1] = R("vaesimc", v_un, A_L0, AES, OPS(Vdq, Wdq), OPL(aesimc, 3)) };
static const InsnDesc opcf_38[4] = { [1] = R("vgf2p8mulb", v_bin, A_W0, GFNI, VHW, OPL(vgfmul, 0)) };

static const InsnDesc opf2_38[4] = { I3(andn, Gy, By, Ey, BMI1, .undef = FLAG_AF | FLAG_PF) };
static const InsnDesc opf3_38_none[8] = {
    [1] = I2(blsr, By, Ey, BMI1, .undef = FLAG_AF | FLAG_PF),
    [2] = I2(blsmsk, By, Ey, BMI1, .undef = FLAG_AF | FLAG_PF),
    [3] = I2(blsi, By, Ey, BMI1, .undef = FLAG_AF | FLAG_PF),
};
static const InsnDesc opf3_38[4] = { GROUP(REG, opf3_38_none) };
static const InsnDesc opf5_38[4] = { I3(bzhi, Gy, Ey, By, BMI2, .undef = FLAG_AF | FLAG_PF), [2] = I3(pext, Gy, By, Ey, BMI2),
                                     [3] = I3(pdep, Gy, By, Ey, BMI2) };
static const InsnDesc opf6_38[4] = { [3] = I3(mulx, Gy, By, Ey, BMI2) };
static const InsnDesc opf7_38[4] = { I3(bextr, Gy, Ey, By, BMI1, .undef = FLAG_AF | FLAG_SF | FLAG_PF),
                                     I3(shlx, Gy, Ey, By, BMI2), I3(sarx, Gy, Ey, By, BMI2), I3(shrx, Gy, Ey, By, BMI2) };

#define P38(x) [0x##x] = GROUP(PREFIX, op##x##_38)
const InsnDesc opmap_vex_0f38[256] = {
    P38(00), P38(01), P38(02), P38(03), P38(04), P38(05), P38(06), P38(07), P38(08), P38(09), P38(0a), P38(0b), P38(0c), P38(0d),
    P38(0e), P38(0f), P38(13), P38(16), P38(17), P38(18), P38(19), P38(1a), P38(1c), P38(1d), P38(1e), P38(20), P38(21), P38(22),
    P38(23), P38(24), P38(25), P38(28), P38(29), P38(2a), P38(2b), P38(2c), P38(2d), P38(2e), P38(2f), P38(30), P38(31), P38(32),
    P38(33), P38(34), P38(35), P38(36), P38(37), P38(38), P38(39), P38(3a), P38(3b), P38(3c), P38(3d), P38(3e), P38(3f), P38(40),
    P38(41), P38(45), P38(46), P38(47), P38(58), P38(59), P38(5a), P38(78), P38(79), P38(8c), P38(8e), P38(90), P38(91), P38(92),
    P38(93), P38(96), P38(97), P38(98), P38(99), P38(9a), P38(9b), P38(9c), P38(9d), P38(9e), P38(9f), P38(a6), P38(a7), P38(a8),
    P38(a9), P38(aa), P38(ab), P38(ac), P38(ad), P38(ae), P38(af), P38(b6), P38(b7), P38(b8), P38(b9), P38(ba), P38(bb), P38(bc),
    P38(bd), P38(be), P38(bf), P38(cf), P38(db), P38(dc), P38(dd), P38(de), P38(df), P38(f2), P38(f3), P38(f5), P38(f6), P38(f7),
};

/* -- 0F3A ------------------------------------------------------------------------------------- */
#define IMM2(n, at, f, o, l) { [1] = R(n, v_bin_imm, at, f, OPS(Vx, Hx, Wx, Ib), OPL(o, l)) }
#define IMM2_256(n, at, f)   { [1] = R(n, v_bin_imm, A_L1 | at, f, OPS(Vqq, Hqq, Wqq, Ib), OPL(vlane2, 3)) }
/* VEX.W clear is none by either manual (#UD of Intel's processors; AMD's execute it). */
static const InsnDesc op00_3a[4] = { [1] = R("vpermq", v_un_imm, A_W1 | A_L1, AVX2, OPS(Vqq, Wqq, Ib), OPL(vpermq, 3)) }, op01_3a[4] = { [1] = R("vpermpd", v_un_imm, A_W1 | A_L1, AVX2, OPS(Vqq, Wqq, Ib), OPL(vpermq, 3)) };
static const InsnDesc op02_3a[4] = IMM2("vpblendd", A_W0, AVX2, vblend, 2);
static const InsnDesc op04_3a[4] = { [1] = R("vpermilps", v_un_imm, A_W0, NONE, OPS(Vx, Wx, Ib), OPL(vshuf, 2)) }, op05_3a[4] = { [1] = R("vpermilpd", v_permilpd, A_W0, NONE, OPS(Vx, Wx, Ib)) };
static const InsnDesc op06_3a[4] = IMM2_256("vperm2f128", A_W0, NONE), op46_3a[4] = IMM2_256("vperm2i128", A_W0, AVX2);
static const InsnDesc op08_3a[4] = { [1] = R("vroundps", v_round, 0, NONE, OPS(Vx, Wx, Ib), LANE(PS)) }, op09_3a[4] = { [1] = R("vroundpd", v_round, 0, NONE, OPS(Vx, Wx, Ib), LANE(PD)) },
    op0a_3a[4] = { [1] = R("vroundss", v_round, 0, NONE, OPS(Vdq, Hdq, Wd, Ib), LANE(SS)) }, op0b_3a[4] = { [1] = R("vroundsd", v_round, 0, NONE, OPS(Vdq, Hdq, Wq, Ib), LANE(SD)) };
static const InsnDesc op0c_3a[4] = IMM2("vblendps", 0, NONE, vblend, 2), op0d_3a[4] = IMM2("vblendpd", 0, NONE, vblend, 3), op0e_3a[4] = IMM2("vpblendw", A_AVX2, NONE, vblend, 1),
                      op0f_3a[4] = IMM2("vpalignr", A_AVX2, NONE, valign, 0), op42_3a[4] = IMM2("vmpsadbw", A_AVX2, NONE, vmpsad, 0);
static const InsnDesc op14_66[2] = { R("vpextrb", vec_extract, A_L0, NONE, OPS(Mb, Vdq, Ib), LANE(0)), R("vpextrb", vec_extract, A_L0, NONE, OPS(Rd, Vdq, Ib), LANE(0)) };
static const InsnDesc op15_66[2] = { R("vpextrw", vec_extract, A_L0, NONE, OPS(Mw, Vdq, Ib), LANE(1)), R("vpextrw", vec_extract, A_L0, NONE, OPS(Rd, Vdq, Ib), LANE(1)) };
/* VEX.W outside 64-bit mode: #UD (AMD; Intel's ignore it). */
static const InsnDesc op16_66[2] = { R("vpextrd", vec_extract, A_L0, NONE, OPS(Ed, Vdq, Ib), LANE(2)), R("vpextrq", vec_extract, A_L0 | A_ONLY64, NONE, OPS(Eq, Vdq, Ib), LANE(3)) };
static const InsnDesc op14_3a[4] = { [1] = GROUP(MOD, op14_66) }, op15_3a[4] = { [1] = GROUP(MOD, op15_66) }, op16_3a[4] = { [1] = GROUP(VEXW, op16_66) },
                      op17_3a[4] = { [1] = R("vextractps", vec_extract, A_L0, NONE, OPS(Ed, Vdq, Ib), LANE(2)) };
static const InsnDesc op18_3a[4] = { [1] = R("vinsertf128", v_insert128, A_W0 | A_L1, NONE, OPS(Vqq, Hqq, Wdq, Ib)) }, op38_3a[4] = { [1] = R("vinserti128", v_insert128, A_W0 | A_L1, AVX2, OPS(Vqq, Hqq, Wdq, Ib)) },
    op19_3a[4] = { [1] = R("vextractf128", v_extract128, A_W0 | A_L1, NONE, OPS(Wdq, Vqq, Ib)) }, op39_3a[4] = { [1] = R("vextracti128", v_extract128, A_W0 | A_L1, AVX2, OPS(Wdq, Vqq, Ib)) };
static const InsnDesc op1d_66[2] = { R("vcvtps2ph", v_ps2ph, A_W0, F16C, OPS(Wq, Vdq, Ib)), R("vcvtps2ph", v_ps2ph, A_W0, F16C, OPS(Wdq, Vqq, Ib)) };
static const InsnDesc op1d_3a[4] = { [1] = GROUP(VEXL, op1d_66) };
static const InsnDesc op20_66[2] = { R("vpinsrb", v_insert, A_L0, NONE, OPS(Vdq, Hdq, Mb, Ib), LANE(0)), R("vpinsrb", v_insert, A_L0, NONE, OPS(Vdq, Hdq, Rd, Ib), LANE(0)) };
static const InsnDesc op21_66[2] = { R("vinsertps", v_insertps, A_L0, NONE, OPS(Vdq, Hdq, Md, Ib)), R("vinsertps", v_insertps, A_L0, NONE, OPS(Vdq, Hdq, Udq, Ib)) };
static const InsnDesc op22_66[2] = { R("vpinsrd", v_insert, A_L0, NONE, OPS(Vdq, Hdq, Ed, Ib), LANE(2)), R("vpinsrq", v_insert, A_L0 | A_ONLY64, NONE, OPS(Vdq, Hdq, Eq, Ib), LANE(3)) };
static const InsnDesc op20_3a[4] = { [1] = GROUP(MOD, op20_66) }, op21_3a[4] = { [1] = GROUP(MOD, op21_66) }, op22_3a[4] = { [1] = GROUP(VEXW, op22_66) };
static const InsnDesc op40_3a[4] = { [1] = R("vdpps", v_dpps, 0, NONE, OPS(Vx, Hx, Wx, Ib)) }, op41_3a[4] = { [1] = R("vdppd", v_dppd, A_L0, NONE, OPS(Vdq, Hdq, Wdq, Ib)) };
static const InsnDesc op44_66[2] = { R("vpclmulqdq", v_bin_imm, 0, PCLMUL, OPS(Vdq, Hdq, Wdq, Ib), OPL(vclmul, 3)), R("vpclmulqdq", v_bin_imm, 0, VPCLMUL, OPS(Vqq, Hqq, Wqq, Ib), OPL(vclmul, 3)) };
static const InsnDesc op44_3a[4] = { [1] = GROUP(VEXL, op44_66) };
static const InsnDesc op4a_3a[4] = { [1] = R("vblendvps", v_select, A_W0, NONE, OPS(Vx, Hx, Wx, Lx), LANE(2)) }, op4b_3a[4] = { [1] = R("vblendvpd", v_select, A_W0, NONE, OPS(Vx, Hx, Wx, Lx), LANE(3)) },
                      op4c_3a[4] = { [1] = R("vpblendvb", v_select, A_W0 | A_AVX2, NONE, OPS(Vx, Hx, Wx, Lx), LANE(0)) };
#define STRING(n, g, ex) { [1] = R(n, g, A_L0, NONE, OPS(Vdq, Wdq, Ib), .arg = ex) }
static const InsnDesc op60_3a[4] = STRING("vpcmpestrm", v_pcmpstrm, true), op61_3a[4] = STRING("vpcmpestri", pcmpstri, true),
                      op62_3a[4] = STRING("vpcmpistrm", v_pcmpstrm, false), op63_3a[4] = STRING("vpcmpistri", pcmpstri, false);
static const InsnDesc opce_3a[4] = IMM2("vgf2p8affineqb", A_W1, GFNI, vgfaffine, 0), opcf_3a[4] = IMM2("vgf2p8affineinvqb", A_W1, GFNI, vgfaffinei, 0);
static const InsnDesc opdf_3a[4] = { [1] = R("vaeskeygenassist", v_un_imm, A_L0, AES, OPS(Vdq, Wdq, Ib), OPL(aeskeygen, 3)) };
static const InsnDesc opf0_3a[4] = { [3] = I3(rorx, Gy, Ey, Ib, BMI2) };

#define P3A(x) [0x##x] = GROUP(PREFIX, op##x##_3a)
const InsnDesc opmap_vex_0f3a[256] = {
    P3A(00), P3A(01), P3A(02), P3A(04), P3A(05), P3A(06), P3A(08), P3A(09), P3A(0a), P3A(0b), P3A(0c), P3A(0d), P3A(0e), P3A(0f),
    P3A(14), P3A(15), P3A(16), P3A(17), P3A(18), P3A(19), P3A(1d), P3A(20), P3A(21), P3A(22), P3A(38), P3A(39),
    P3A(40), P3A(41), P3A(42), P3A(44), P3A(46), P3A(4a), P3A(4b), P3A(4c), P3A(60), P3A(61), P3A(62), P3A(63),
    P3A(ce), P3A(cf), P3A(df), P3A(f0),
};
/* clang-format on */
