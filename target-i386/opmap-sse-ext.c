/* SPDX-License-Identifier: MIT */
/*
 * Legacy-encoded SIMD of the maps 0F38 and 0F3A, where the integer maps are empty: SSSE3, SSE4.1,
 * SSE4.2, AES, PCLMULQDQ, SHA (SDM vol. 2, tables ). Columns of a prefix group: none,
 * 66, F3, F2. arg, arg2: IR op and lane. SSE3 stands with SSE in opmap-sse.c.
 */
#include "target-i386/decode.h"

#include "target-i386/gen-fp.h"

/* clang-format off */
#define R2(n, g, a, b, at, f, ...)    { .gen = gen_##g, .name = n, OPERANDS(a, b, 0, 0), .attr = at, .feature = f, __VA_ARGS__ }
#define R3(n, g, a, b, c, at, f, ...) { .gen = gen_##g, .name = n, OPERANDS(a, b, c, 0), .attr = at, .feature = f, __VA_ARGS__ }
#define OPL(o, l) .arg = OP_##o, .arg2 = l

/* SSSE3: MMX and XMM registers. */
#define SS3(n, o, l)  { R2(n, vec_bin, Pq, Qq, A_MMX, FEAT_SSSE3, OPL(o, l)), \
                        R2(n, vec_bin, Vdq, Wdq, A_SSE, FEAT_SSSE3, OPL(o, l)) }
#define SS3_1(n, o, l) { R2(n, vec_un, Pq, Qq, A_MMX, FEAT_SSSE3, OPL(o, l)), \
                         R2(n, vec_un, Vdq, Wdq, A_SSE, FEAT_SSSE3, OPL(o, l)) }
#define V(n, o, l, f)      { [1] = R2(n, vec_bin, Vdq, Wdq, A_SSE, f, OPL(o, l)) }
#define V1(n, o, l, f)     { [1] = R2(n, vec_un, Vdq, Wdq, A_SSE, f, OPL(o, l)) }
#define VI(n, o, l, f)     { [1] = R3(n, vec_bin_imm, Vdq, Wdq, Ib, A_SSE, f, OPL(o, l)) }
#define WIDEN(n, o, l, to, w) { [1] = R2(n, vec_widen, Vdq, w, A_SSE, FEAT_SSE41, .arg = OP_##o, .arg2 = l | to << 4) }
#define BLENDV(n, l)       { [1] = R2(n, blendv, Vdq, Wdq, A_SSE, FEAT_SSE41, .arg2 = l) }
#define ROUND(n, k, a, b)  { [1] = R3(n, vec_round, a, b, Ib, A_SSE, FEAT_SSE41, .arg = k) }
#define STRING(n, g, ex)   { [1] = R3(n, g, Vdq, Wdq, Ib, A_SSE | A_UNALIGNED, FEAT_SSE42, .arg = ex) }
/* Memory operands of SHA that are not aligned: #GP (AMD's processors take them). */
#define SHA(n, o)          { R2(n, vec_bin, Vdq, Wdq, A_SSE, FEAT_SHA, OPL(o, 2)) }

static const InsnDesc op00[4] = SS3("pshufb", vshufb, 0), op01[4] = SS3("phaddw", vhadd, 1),
    op02[4] = SS3("phaddd", vhadd, 2), op03[4] = SS3("phaddsw", vhadds, 1),
    op04[4] = SS3("pmaddubsw", vmaddub, 1), op05[4] = SS3("phsubw", vhsub, 1),
    op06[4] = SS3("phsubd", vhsub, 2), op07[4] = SS3("phsubsw", vhsubs, 1),
    op08[4] = SS3("psignb", vsign, 0), op09[4] = SS3("psignw", vsign, 1),
    op0a[4] = SS3("psignd", vsign, 2), op0b[4] = SS3("pmulhrsw", vmulhrs, 1);
static const InsnDesc op10[4] = BLENDV("pblendvb", 0), op14[4] = BLENDV("blendvps", 2),
                      op15[4] = BLENDV("blendvpd", 3);
static const InsnDesc op17[4] = { [1] = R2("ptest", ptest, Vdq, Wdq, A_SSE, FEAT_SSE41) };
static const InsnDesc op1c[4] = SS3_1("pabsb", vabs, 0), op1d[4] = SS3_1("pabsw", vabs, 1),
                      op1e[4] = SS3_1("pabsd", vabs, 2);
static const InsnDesc op20[4] = WIDEN("pmovsxbw", vsext, 0, 1, Wq), op21[4] = WIDEN("pmovsxbd", vsext, 0, 2, Wd),
    op22[4] = WIDEN("pmovsxbq", vsext, 0, 3, Ww), op23[4] = WIDEN("pmovsxwd", vsext, 1, 2, Wq),
    op24[4] = WIDEN("pmovsxwq", vsext, 1, 3, Wd), op25[4] = WIDEN("pmovsxdq", vsext, 2, 3, Wq);
static const InsnDesc op28[4] = V("pmuldq", vmulsd, 3, FEAT_SSE41), op29[4] = V("pcmpeqq", vcmpeq, 3, FEAT_SSE41);
static const InsnDesc op2a[4] = { [1] = R2("movntdqa", movntdqa, Vdq, Mdq, A_SSE, FEAT_SSE41) };
static const InsnDesc op2b[4] = V("packusdw", vpackus, 2, FEAT_SSE41);
static const InsnDesc op30[4] = WIDEN("pmovzxbw", vzext, 0, 1, Wq), op31[4] = WIDEN("pmovzxbd", vzext, 0, 2, Wd),
    op32[4] = WIDEN("pmovzxbq", vzext, 0, 3, Ww), op33[4] = WIDEN("pmovzxwd", vzext, 1, 2, Wq),
    op34[4] = WIDEN("pmovzxwq", vzext, 1, 3, Wd), op35[4] = WIDEN("pmovzxdq", vzext, 2, 3, Wq);
static const InsnDesc op37[4] = V("pcmpgtq", vcmpgt, 3, FEAT_SSE42), op38[4] = V("pminsb", vmins, 0, FEAT_SSE41),
    op39[4] = V("pminsd", vmins, 2, FEAT_SSE41), op3a[4] = V("pminuw", vminu, 1, FEAT_SSE41),
    op3b[4] = V("pminud", vminu, 2, FEAT_SSE41), op3c[4] = V("pmaxsb", vmaxs, 0, FEAT_SSE41),
    op3d[4] = V("pmaxsd", vmaxs, 2, FEAT_SSE41), op3e[4] = V("pmaxuw", vmaxu, 1, FEAT_SSE41),
    op3f[4] = V("pmaxud", vmaxu, 2, FEAT_SSE41), op40[4] = V("pmulld", vmullo, 2, FEAT_SSE41),
    op41[4] = V1("phminposuw", vminpos, 1, FEAT_SSE41);
static const InsnDesc opc8[4] = SHA("sha1nexte", sha1nexte), opc9[4] = SHA("sha1msg1", sha1msg1),
    opca[4] = SHA("sha1msg2", sha1msg2), opcc[4] = SHA("sha256msg1", sha256msg1),
    opcd[4] = SHA("sha256msg2", sha256msg2);
static const InsnDesc opcb[4] = { R2("sha256rnds2", sha256rnds2, Vdq, Wdq, A_SSE, FEAT_SHA) };
static const InsnDesc opcf[4] = V("gf2p8mulb", vgfmul, 0, FEAT_GFNI);
static const InsnDesc opdb[4] = V1("aesimc", aesimc, 3, FEAT_AES), opdc[4] = V("aesenc", aesenc, 3, FEAT_AES),
    opdd[4] = V("aesenclast", aesenclast, 3, FEAT_AES), opde[4] = V("aesdec", aesdec, 3, FEAT_AES),
    opdf[4] = V("aesdeclast", aesdeclast, 3, FEAT_AES);

#define P(x) [0x##x] = GROUP(PREFIX, op##x)
const InsnDesc opmap_sse_0f38[256] = {
    P(00), P(01), P(02), P(03), P(04), P(05), P(06), P(07), P(08), P(09), P(0a), P(0b),
    P(10), P(14), P(15), P(17), P(1c), P(1d), P(1e),
    P(20), P(21), P(22), P(23), P(24), P(25), P(28), P(29), P(2a), P(2b),
    P(30), P(31), P(32), P(33), P(34), P(35), P(37),
    P(38), P(39), P(3a), P(3b), P(3c), P(3d), P(3e), P(3f), P(40), P(41),
    P(c8), P(c9), P(ca), P(cb), P(cc), P(cd), P(cf), P(db), P(dc), P(dd), P(de), P(df),
};
#undef P

static const InsnDesc oq08[4] = ROUND("roundps", PS, Vdq, Wdq), oq09[4] = ROUND("roundpd", PD, Vdq, Wdq),
                      oq0a[4] = ROUND("roundss", SS, Vd, Wd), oq0b[4] = ROUND("roundsd", SD, Vq, Wq);
static const InsnDesc oq0c[4] = VI("blendps", vblend, 2, FEAT_SSE41), oq0d[4] = VI("blendpd", vblend, 3, FEAT_SSE41),
                      oq0e[4] = VI("pblendw", vblend, 1, FEAT_SSE41);
static const InsnDesc oq0f[4] = { R3("palignr", palignr, Pq, Qq, Ib, A_MMX, FEAT_SSSE3),
                                  R3("palignr", palignr, Vdq, Wdq, Ib, A_SSE, FEAT_SSSE3) };
static const InsnDesc oq14_66[2] = { R3("pextrb", vec_extract, Mb, Vdq, Ib, A_SSE, FEAT_SSE41, .arg2 = 0),
                                     R3("pextrb", vec_extract, Rd, Vdq, Ib, A_SSE, FEAT_SSE41, .arg2 = 0) };
static const InsnDesc oq15_66[2] = { R3("pextrw", vec_extract, Mw, Vdq, Ib, A_SSE, FEAT_SSE41, .arg2 = 1),
                                     R3("pextrw", vec_extract, Rd, Vdq, Ib, A_SSE, FEAT_SSE41, .arg2 = 1) };
static const InsnDesc oq16_66[2] = { R3("pextrd", vec_extract, Ed, Vdq, Ib, A_SSE, FEAT_SSE41, .arg2 = 2),
                                     R3("pextrq", vec_extract, Eq, Vdq, Ib, A_SSE, FEAT_SSE41, .arg2 = 3) };
static const InsnDesc oq14[4] = { [1] = GROUP(MOD, oq14_66) }, oq15[4] = { [1] = GROUP(MOD, oq15_66) },
                      oq16[4] = { [1] = GROUP(REXW, oq16_66) };
static const InsnDesc oq17[4] = { [1] = R3("extractps", vec_extract, Ed, Vdq, Ib, A_SSE, FEAT_SSE41, .arg2 = 2) };
static const InsnDesc oq20_66[2] = { R3("pinsrb", vec_insert, Vdq, Mb, Ib, A_SSE, FEAT_SSE41, .arg2 = 0),
                                     R3("pinsrb", vec_insert, Vdq, Rd, Ib, A_SSE, FEAT_SSE41, .arg2 = 0) };
static const InsnDesc oq22_66[2] = { R3("pinsrd", vec_insert, Vdq, Ed, Ib, A_SSE, FEAT_SSE41, .arg2 = 2),
                                     R3("pinsrq", vec_insert, Vdq, Eq, Ib, A_SSE, FEAT_SSE41, .arg2 = 3) };
static const InsnDesc oq21_66[2] = { R3("insertps", insertps, Vdq, Md, Ib, A_SSE, FEAT_SSE41),
                                     R3("insertps", insertps, Vdq, Udq, Ib, A_SSE, FEAT_SSE41) };
static const InsnDesc oq20[4] = { [1] = GROUP(MOD, oq20_66) }, oq21[4] = { [1] = GROUP(MOD, oq21_66) },
                      oq22[4] = { [1] = GROUP(REXW, oq22_66) };
static const InsnDesc oq40[4] = { [1] = R3("dpps", dpps, Vdq, Wdq, Ib, A_SSE, FEAT_SSE41) };
static const InsnDesc oq41[4] = { [1] = R3("dppd", dppd, Vdq, Wdq, Ib, A_SSE, FEAT_SSE41) };
static const InsnDesc oq42[4] = VI("mpsadbw", vmpsad, 0, FEAT_SSE41), oq44[4] = VI("pclmulqdq", vclmul, 3, FEAT_PCLMUL);
static const InsnDesc oq60[4] = STRING("pcmpestrm", pcmpstrm, true), oq61[4] = STRING("pcmpestri", pcmpstri, true),
                      oq62[4] = STRING("pcmpistrm", pcmpstrm, false), oq63[4] = STRING("pcmpistri", pcmpstri, false);
static const InsnDesc oqcc[4] = { R3("sha1rnds4", vec_bin_imm, Vdq, Wdq, Ib, A_SSE, FEAT_SHA, OPL(sha1rnds4, 2)) };
static const InsnDesc oqce[4] = VI("gf2p8affineqb", vgfaffine, 0, FEAT_GFNI), oqcf[4] = VI("gf2p8affineinvqb", vgfaffinei, 0, FEAT_GFNI);
static const InsnDesc oqdf[4] = { [1] = R3("aeskeygenassist", aeskeygen, Vdq, Wdq, Ib, A_SSE, FEAT_AES) };

#define P(x) [0x##x] = GROUP(PREFIX, oq##x)
const InsnDesc opmap_sse_0f3a[256] = {
    P(08), P(09), P(0a), P(0b), P(0c), P(0d), P(0e), P(0f),
    P(14), P(15), P(16), P(17), P(20), P(21), P(22), P(40), P(41), P(42), P(44),
    P(60), P(61), P(62), P(63), P(cc), P(ce), P(cf), P(df),
};
/* clang-format on */
