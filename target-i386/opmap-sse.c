/* SPDX-License-Identifier: MIT */
/*
 * MMX, SSE, SSE2 and SSE3 rows of the two-byte map 0F xx (SDM vol. 2, table A-3), where the integer
 * map is empty. Columns of a prefix group: none, 66, F3, F2. What came later:
 * opmap-sse-ext.c. */
#include "target-i386/decode.h"

#include "target-i386/gen-fp.h"

/* clang-format off */
#define MMX1      .attr = A_MMX, .feature = FEAT_SSE  /* came with SSE: one of its integer extensions */
#define MMX2      .attr = A_MMX, .feature = FEAT_SSE2
#define SSE       .attr = A_SSE, .feature = FEAT_SSE
#define SSE2      .attr = A_SSE, .feature = FEAT_SSE2
#define SSE3      .attr = A_SSE, .feature = FEAT_SSE3
#define SSE_U     .attr = A_SSE | A_UNALIGNED, .feature = FEAT_SSE
#define SSE2_U    .attr = A_SSE | A_UNALIGNED, .feature = FEAT_SSE2

#define P_AND_V(n)  { I2(n, Pq, Qq, .attr = A_MMX, .feature = FEAT_MMX), I2(n, Vdq, Wdq, SSE2) }
#define P1_AND_V(n) { I2(n, Pq, Qq, MMX1), I2(n, Vdq, Wdq, SSE2) }
#define P2_AND_V(n) { I2(n, Pq, Qq, MMX2), I2(n, Vdq, Wdq, SSE2) }
#define PD_AND_V(n) { I2(n, Pq, Qd, .attr = A_MMX, .feature = FEAT_MMX), I2(n, Vdq, Wdq, SSE2) }
#define PS_PD(n)    { I2(n##ps, Vdq, Wdq, SSE), I2(n##pd, Vdq, Wdq, SSE2) }
#define ARITH(n)    { I2(n##ps, Vdq, Wdq, SSE), I2(n##pd, Vdq, Wdq, SSE2), \
                      I2(n##ss, Vd, Wd, SSE), I2(n##sd, Vq, Wq, SSE2) }
#define PS_SS(n)    { I2(n##ps, Vdq, Wdq, SSE), [2] = I2(n##ss, Vd, Wd, SSE) }

static const InsnDesc op10[4] = { I2(movups, Vdq, Wdq, SSE_U), I2(movupd, Vdq, Wdq, SSE2_U),
                                  I2(movss, Vd, Wd, SSE), I2(movsd, Vq, Wq, SSE2) };
static const InsnDesc op11[4] = { I2(movups, Wdq, Vdq, SSE_U), I2(movupd, Wdq, Vdq, SSE2_U),
                                  I2(movss_store, Wd, Vd, SSE), I2(movsd_store, Wq, Vq, SSE2) };
static const InsnDesc op12_none[2] = { I2(movlps, Vq, Mq, SSE), I2(movhlps, Vdq, Udq, SSE) };
static const InsnDesc op12[4] = { GROUP(MOD, op12_none), I2(movlpd, Vq, Mq, SSE2),
                                  I2(movsldup, Vdq, Wdq, SSE3), I2(movddup, Vdq, Wq, SSE3) };
static const InsnDesc op13[4] = { I2(movlps, Mq, Vq, SSE), I2(movlpd, Mq, Vq, SSE2) };
static const InsnDesc op14[4] = PS_PD(unpckl), op15[4] = PS_PD(unpckh);
static const InsnDesc op16_none[2] = { I2(movhps, Vq, Mq, SSE), I2(movlhps, Vdq, Udq, SSE) };
static const InsnDesc op16[4] = { GROUP(MOD, op16_none), I2(movhpd, Vq, Mq, SSE2),
                                  I2(movshdup, Vdq, Wdq, SSE3) };
static const InsnDesc op17[4] = { I2(movhps, Mq, Vq, SSE), I2(movhpd, Mq, Vq, SSE2) };
static const InsnDesc op28[4] = { I2(movaps, Vdq, Wdq, SSE), I2(movapd, Vdq, Wdq, SSE2) };
static const InsnDesc op29[4] = { I2(movaps, Wdq, Vdq, SSE), I2(movapd, Wdq, Vdq, SSE2) };
static const InsnDesc op2a[4] = { I2(cvtpi2ps, Vq, Qq, SSE), I2(cvtpi2pd, Vdq, Qq, SSE2),
                                  I2(cvtsi2ss, Vd, Ey, SSE), I2(cvtsi2sd, Vq, Ey, SSE2) };
static const InsnDesc op2b[4] = { I2(movntps, Mdq, Vdq, SSE), I2(movntpd, Mdq, Vdq, SSE2) };
static const InsnDesc op2c[4] = { I2(cvttps2pi, Pq, Wq, SSE), I2(cvttpd2pi, Pq, Wdq, SSE2),
                                  I2(cvttss2si, Gy, Wd, SSE), I2(cvttsd2si, Gy, Wq, SSE2) };
static const InsnDesc op2d[4] = { I2(cvtps2pi, Pq, Wq, SSE), I2(cvtpd2pi, Pq, Wdq, SSE2),
                                  I2(cvtss2si, Gy, Wd, SSE), I2(cvtsd2si, Gy, Wq, SSE2) };
static const InsnDesc op2e[4] = { I2(ucomiss, Vd, Wd, SSE), I2(ucomisd, Vq, Wq, SSE2) };
static const InsnDesc op2f[4] = { I2(comiss, Vd, Wd, SSE), I2(comisd, Vq, Wq, SSE2) };

static const InsnDesc op50[4] = { I2(movmskps, Gd, Udq, SSE), I2(movmskpd, Gd, Udq, SSE2) };
static const InsnDesc op51[4] = ARITH(sqrt), op52[4] = PS_SS(rsqrt), op53[4] = PS_SS(rcp);
static const InsnDesc op54[4] = PS_PD(and), op55[4] = PS_PD(andn), op56[4] = PS_PD(or),
                      op57[4] = PS_PD(xor);
static const InsnDesc op58[4] = ARITH(add), op59[4] = ARITH(mul), op5c[4] = ARITH(sub),
                      op5d[4] = ARITH(min), op5e[4] = ARITH(div), op5f[4] = ARITH(max);
static const InsnDesc op5a[4] = { I2(cvtps2pd, Vdq, Wq, SSE2), I2(cvtpd2ps, Vdq, Wdq, SSE2),
                                  I2(cvtss2sd, Vq, Wd, SSE2), I2(cvtsd2ss, Vd, Wq, SSE2) };
static const InsnDesc op5b[4] = { I2(cvtdq2ps, Vdq, Wdq, SSE2), I2(cvtps2dq, Vdq, Wdq, SSE2),
                                  I2(cvttps2dq, Vdq, Wdq, SSE2) };

static const InsnDesc op60[4] = PD_AND_V(punpcklbw), op61[4] = PD_AND_V(punpcklwd),
                      op62[4] = PD_AND_V(punpckldq), op63[4] = P_AND_V(packsswb),
                      op64[4] = P_AND_V(pcmpgtb), op65[4] = P_AND_V(pcmpgtw),
                      op66[4] = P_AND_V(pcmpgtd), op67[4] = P_AND_V(packuswb),
                      op68[4] = P_AND_V(punpckhbw), op69[4] = P_AND_V(punpckhwd),
                      op6a[4] = P_AND_V(punpckhdq), op6b[4] = P_AND_V(packssdw);
static const InsnDesc op6c[4] = { [1] = I2(punpcklqdq, Vdq, Wdq, SSE2) };
static const InsnDesc op6d[4] = { [1] = I2(punpckhqdq, Vdq, Wdq, SSE2) };
static const InsnDesc op6e[4] = { I2(movd, Pq, Ey, .attr = A_MMX, .feature = FEAT_MMX),
                                  I2(movd, Vdq, Ey, SSE2) };
static const InsnDesc op6f[4] = { I2(movq, Pq, Qq, .attr = A_MMX, .feature = FEAT_MMX),
                                  I2(movdqa, Vdq, Wdq, SSE2), I2(movdqu, Vdq, Wdq, SSE2_U) };

static const InsnDesc op70[4] = { I3(pshufw, Pq, Qq, Ib, MMX1), I3(pshufd, Vdq, Wdq, Ib, SSE2),
                                  I3(pshufhw, Vdq, Wdq, Ib, SSE2), I3(pshuflw, Vdq, Wdq, Ib, SSE2) };
#define SHIFT(n) { I2(n, Nq, Ib, .attr = A_MMX, .feature = FEAT_MMX), I2(n, Udq, Ib, SSE2) }
static const InsnDesc op71_2[4] = SHIFT(psrlw), op71_4[4] = SHIFT(psraw), op71_6[4] = SHIFT(psllw);
static const InsnDesc op72_2[4] = SHIFT(psrld), op72_4[4] = SHIFT(psrad), op72_6[4] = SHIFT(pslld);
static const InsnDesc op73_2[4] = SHIFT(psrlq), op73_6[4] = SHIFT(psllq);
static const InsnDesc op73_3[4] = { [1] = I2(psrldq, Udq, Ib, SSE2) };
static const InsnDesc op73_7[4] = { [1] = I2(pslldq, Udq, Ib, SSE2) };
static const InsnDesc op71[8] = { [2] = GROUP(PREFIX, op71_2), [4] = GROUP(PREFIX, op71_4),
                                  [6] = GROUP(PREFIX, op71_6) };
static const InsnDesc op72[8] = { [2] = GROUP(PREFIX, op72_2), [4] = GROUP(PREFIX, op72_4),
                                  [6] = GROUP(PREFIX, op72_6) };
static const InsnDesc op73[8] = { [2] = GROUP(PREFIX, op73_2), [3] = GROUP(PREFIX, op73_3),
                                  [6] = GROUP(PREFIX, op73_6), [7] = GROUP(PREFIX, op73_7) };
static const InsnDesc op74[4] = P_AND_V(pcmpeqb), op75[4] = P_AND_V(pcmpeqw), op76[4] = P_AND_V(pcmpeqd);
static const InsnDesc op77[4] = { I0(emms, .attr = A_MMX, .feature = FEAT_MMX) };
static const InsnDesc op7c[4] = { [1] = I2(haddpd, Vdq, Wdq, SSE3), [3] = I2(haddps, Vdq, Wdq, SSE3) };
static const InsnDesc op7d[4] = { [1] = I2(hsubpd, Vdq, Wdq, SSE3), [3] = I2(hsubps, Vdq, Wdq, SSE3) };
static const InsnDesc op7e[4] = { I2(movd, Ey, Pq, .attr = A_MMX, .feature = FEAT_MMX),
                                  I2(movd, Ey, Vdq, SSE2), I2(movq_load, Vq, Wq, SSE2) };
static const InsnDesc op7f[4] = { I2(movq, Qq, Pq, .attr = A_MMX, .feature = FEAT_MMX),
                                  I2(movdqa, Wdq, Vdq, SSE2), I2(movdqu, Wdq, Vdq, SSE2_U) };

static const InsnDesc opc2[4] = { I3(cmpps, Vdq, Wdq, Ib, SSE), I3(cmppd, Vdq, Wdq, Ib, SSE2),
                                  I3(cmpss, Vd, Wd, Ib, SSE), I3(cmpsd, Vq, Wq, Ib, SSE2) };
static const InsnDesc opc4_mmx[2] = { I3(pinsrw, Pq, Mw, Ib, MMX1), I3(pinsrw, Pq, Rd, Ib, MMX1) };
static const InsnDesc opc4_sse[2] = { I3(pinsrw, Vdq, Mw, Ib, SSE2), I3(pinsrw, Vdq, Rd, Ib, SSE2) };
static const InsnDesc opc4[4] = { GROUP(MOD, opc4_mmx), GROUP(MOD, opc4_sse) };
static const InsnDesc opc5[4] = { I3(pextrw, Gd, Nq, Ib, MMX1), I3(pextrw, Gd, Udq, Ib, SSE2) };
static const InsnDesc opc6[4] = { I3(shufps, Vdq, Wdq, Ib, SSE), I3(shufpd, Vdq, Wdq, Ib, SSE2) };

static const InsnDesc opd0[4] = { [1] = I2(addsubpd, Vdq, Wdq, SSE3), [3] = I2(addsubps, Vdq, Wdq, SSE3) };
static const InsnDesc opd1[4] = P_AND_V(psrlw), opd2[4] = P_AND_V(psrld), opd3[4] = P_AND_V(psrlq),
                      opd4[4] = P2_AND_V(paddq), opd5[4] = P_AND_V(pmullw),
                      opd8[4] = P_AND_V(psubusb), opd9[4] = P_AND_V(psubusw),
                      opda[4] = P1_AND_V(pminub), opdb[4] = P_AND_V(pand),
                      opdc[4] = P_AND_V(paddusb), opdd[4] = P_AND_V(paddusw),
                      opde[4] = P1_AND_V(pmaxub), opdf[4] = P_AND_V(pandn);
static const InsnDesc opd6[4] = { [1] = I2(movq_store, Wq, Vq, SSE2), [2] = I2(movq2dq, Vdq, Nq, SSE2),
                                  [3] = I2(movdq2q, Pq, Uq, SSE2) };
static const InsnDesc opd7[4] = { I2(pmovmskb, Gd, Nq, MMX1), I2(pmovmskb, Gd, Udq, SSE2) };
static const InsnDesc ope0[4] = P1_AND_V(pavgb), ope1[4] = P_AND_V(psraw), ope2[4] = P_AND_V(psrad),
                      ope3[4] = P1_AND_V(pavgw), ope4[4] = P1_AND_V(pmulhuw), ope5[4] = P_AND_V(pmulhw),
                      ope8[4] = P_AND_V(psubsb), ope9[4] = P_AND_V(psubsw),
                      opea[4] = P1_AND_V(pminsw), opeb[4] = P_AND_V(por), opec[4] = P_AND_V(paddsb),
                      oped[4] = P_AND_V(paddsw), opee[4] = P1_AND_V(pmaxsw), opef[4] = P_AND_V(pxor);
static const InsnDesc ope6[4] = { [1] = I2(cvttpd2dq, Vdq, Wdq, SSE2), [2] = I2(cvtdq2pd, Vdq, Wq, SSE2),
                                  [3] = I2(cvtpd2dq, Vdq, Wdq, SSE2) };
static const InsnDesc ope7[4] = { I2(movntq, Mq, Pq, MMX1), I2(movntdq, Mdq, Vdq, SSE2) };
static const InsnDesc opf0[4] = { [3] = I2(lddqu, Vdq, Mdq, .attr = A_SSE | A_UNALIGNED, .feature = FEAT_SSE3) };
static const InsnDesc opf1[4] = P_AND_V(psllw), opf2[4] = P_AND_V(pslld), opf3[4] = P_AND_V(psllq),
                      opf4[4] = P2_AND_V(pmuludq), opf5[4] = P_AND_V(pmaddwd), opf6[4] = P1_AND_V(psadbw),
                      opf8[4] = P_AND_V(psubb), opf9[4] = P_AND_V(psubw), opfa[4] = P_AND_V(psubd),
                      opfb[4] = P2_AND_V(psubq), opfc[4] = P_AND_V(paddb), opfd[4] = P_AND_V(paddw),
                      opfe[4] = P_AND_V(paddd);
static const InsnDesc opf7[4] = { I2(maskmovq, Pq, Nq, MMX1), I2(maskmovdqu, Vdq, Udq, SSE2) };

#define P(x) [0x##x] = GROUP(PREFIX, op##x)
const InsnDesc opmap_sse_0f[256] = {
    P(10), P(11), P(12), P(13), P(14), P(15), P(16), P(17),
    P(28), P(29), P(2a), P(2b), P(2c), P(2d), P(2e), P(2f),
    P(50), P(51), P(52), P(53), P(54), P(55), P(56), P(57),
    P(58), P(59), P(5a), P(5b), P(5c), P(5d), P(5e), P(5f),
    P(60), P(61), P(62), P(63), P(64), P(65), P(66), P(67),
    P(68), P(69), P(6a), P(6b), P(6c), P(6d), P(6e), P(6f),
    P(70), [0x71] = GROUP(REG, op71), [0x72] = GROUP(REG, op72), [0x73] = GROUP(REG, op73),
    P(74), P(75), P(76), P(77), P(7c), P(7d), P(7e), P(7f),
    P(c2), P(c4), P(c5), P(c6),
    P(d0), P(d1), P(d2), P(d3), P(d4), P(d5), P(d6), P(d7),
    P(d8), P(d9), P(da), P(db), P(dc), P(dd), P(de), P(df),
    P(e0), P(e1), P(e2), P(e3), P(e4), P(e5), P(e6), P(e7),
    P(e8), P(e9), P(ea), P(eb), P(ec), P(ed), P(ee), P(ef),
    P(f0), P(f1), P(f2), P(f3), P(f4), P(f5), P(f6), P(f7),
    P(f8), P(f9), P(fa), P(fb), P(fc), P(fd), P(fe),
};

/* clang-format on */
