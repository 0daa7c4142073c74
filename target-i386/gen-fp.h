/* SPDX-License-Identifier: MIT */
/*
 * Generators of x87, MMX and SSE instructions, and what their files share. The lists are rows of
 * facts: most instructions are one IR op and nothing else.
 *
 * MMX instructions leave TOP 0 and every tag valid: mmx_check() comes first (pending x87
 * exceptions), mmx_enter() with the results. x87 state within a block: see gen-x87.c.
 */
#ifndef TARGET_I386_GEN_FP_H
#define TARGET_I386_GEN_FP_H

#include "target-i386/gen.h"
#include "target-i386/help-fp.h"
#include "target-i386/translate.h"

/* clang-format off */
/* Packed integer, both register files: R(mnemonic, IR op, lane) */
#define PACKED_BIN(R) \
    R(paddb, vadd, 0) R(paddw, vadd, 1) R(paddd, vadd, 2) R(paddq, vadd, 3) \
    R(psubb, vsub, 0) R(psubw, vsub, 1) R(psubd, vsub, 2) R(psubq, vsub, 3) \
    R(paddsb, vadds, 0) R(paddsw, vadds, 1) R(paddusb, vaddus, 0) R(paddusw, vaddus, 1) \
    R(psubsb, vsubs, 0) R(psubsw, vsubs, 1) R(psubusb, vsubus, 0) R(psubusw, vsubus, 1) \
    R(pmullw, vmullo, 1) R(pmulhw, vmulhs, 1) R(pmulhuw, vmulhu, 1) R(pmuludq, vmulud, 3) \
    R(pmaddwd, vmadd, 1) R(psadbw, vsad, 0) R(pavgb, vavg, 0) R(pavgw, vavg, 1) \
    R(pminub, vminu, 0) R(pmaxub, vmaxu, 0) R(pminsw, vmins, 1) R(pmaxsw, vmaxs, 1) \
    R(pcmpeqb, vcmpeq, 0) R(pcmpeqw, vcmpeq, 1) R(pcmpeqd, vcmpeq, 2) \
    R(pcmpgtb, vcmpgt, 0) R(pcmpgtw, vcmpgt, 1) R(pcmpgtd, vcmpgt, 2) \
    R(pand, vand, 3) R(pandn, vandn, 3) R(por, vor, 3) R(pxor, vxor, 3) \
    R(punpcklbw, vunpacklo, 0) R(punpcklwd, vunpacklo, 1) R(punpckldq, vunpacklo, 2) \
    R(punpcklqdq, vunpacklo, 3) R(punpckhqdq, vunpackhi, 3)
/* The same where an MMX register's high half is the middle of a vector. */
#define PACKED_UNPACKHI(R) R(punpckhbw, 0) R(punpckhwd, 1) R(punpckhdq, 2)
#define PACKED_PACK(R) R(packsswb, vpackss, 1) R(packssdw, vpackss, 2) R(packuswb, vpackus, 1)
/* R(mnemonic, IR op by register, IR op by immediate, lane) */
#define PACKED_SHIFT(R) \
    R(psllw, vshl, vshli, 1) R(pslld, vshl, vshli, 2) R(psllq, vshl, vshli, 3) \
    R(psrlw, vshr, vshri, 1) R(psrld, vshr, vshri, 2) R(psrlq, vshr, vshri, 3) \
    R(psraw, vsar, vsari, 1) R(psrad, vsar, vsari, 2)
/* R(mnemonic, IR op, lane): SSE without floating-point status */
#define SSE_BIN(R) \
    R(unpcklps, vunpacklo, 2) R(unpcklpd, vunpacklo, 3) R(unpckhps, vunpackhi, 2) \
    R(unpckhpd, vunpackhi, 3) R(andps, vand, 2) R(andpd, vand, 3) R(andnps, vandn, 2) \
    R(andnpd, vandn, 3) R(orps, vor, 2) R(orpd, vor, 3) R(xorps, vxor, 2) R(xorpd, vxor, 3)
/* R(mnemonic without suffix, IR op): four instructions each */
#define SSE_ARITH(R) R(add, fadd) R(mul, fmul) R(sub, fsub) R(min, fmin) R(div, fdiv) R(max, fmax)

#define FP_GENERATORS(G) \
    /* gen-mmx.c */ \
    G(movd) G(movq) G(movq_load) G(movq_store) G(movdqa) G(movdqu) G(movq2dq) G(movdq2q) G(emms) \
    G(pshufw) G(pshufd) G(pshuflw) G(pshufhw) G(pslldq) G(psrldq) G(pmovmskb) G(pinsrw) G(pextrw) \
    G(maskmovq) G(maskmovdqu) G(movntq) G(movntdq) \
    /* gen-sse.c */ \
    G(movups) G(movupd) G(movaps) G(movapd) G(movss) G(movsd) G(movss_store) G(movsd_store) \
    G(movlps) G(movlpd) G(movhps) G(movhpd) G(movhlps) G(movlhps) G(movntps) G(movntpd) \
    G(movmskps) G(movmskpd) G(shufps) G(shufpd) G(ucomiss) G(ucomisd) G(comiss) G(comisd) \
    G(sqrtps) G(sqrtpd) G(sqrtss) G(sqrtsd) G(rsqrtps) G(rsqrtss) G(rcpps) G(rcpss) \
    G(cmpps) G(cmppd) G(cmpss) G(cmpsd) \
    /* gen-cvt.c */ \
    G(cvtpi2ps) G(cvtpi2pd) G(cvtsi2ss) G(cvtsi2sd) G(cvttps2pi) G(cvttpd2pi) G(cvtps2pi) G(cvtpd2pi) \
    G(cvttss2si) G(cvttsd2si) G(cvtss2si) G(cvtsd2si) G(cvtps2pd) G(cvtpd2ps) G(cvtss2sd) G(cvtsd2ss) \
    G(cvtdq2ps) G(cvtps2dq) G(cvttps2dq) G(cvttpd2dq) G(cvtdq2pd) G(cvtpd2dq)
#define SSE_EXT_GENERATORS(G) /* gen-sse-ext.c */ \
    G(vec_bin) G(vec_un) G(vec_bin_imm) G(vec_widen) G(vec_extract) G(vec_insert) G(vec_round) \
    G(palignr) G(blendv) G(ptest) G(insertps) G(movntdqa) G(aeskeygen) G(sha256rnds2) G(lddqu) \
    G(movddup) G(movsldup) G(movshdup) G(haddps) G(haddpd) G(hsubps) G(hsubpd) G(addsubps) \
    G(addsubpd) G(dpps) G(dppd) G(pcmpstri) G(pcmpstrm)
#define X87_GENERATORS(G) \
    G(fisttp) G(fcmovb) G(fcmovbe) G(fcmove) G(fcmovnb) G(fcmovnbe) G(fcmovne) G(fcmovnu) \
    G(fcmovu) G(f2xm1) G(fabs) G(fadd) G(fadd_to) G(faddp) G(fbld) G(fbstp) G(fchs) G(fcom) \
    G(fcomi) G(fcomip) G(fcomp) G(fcompp) G(fcos) G(fdecstp) G(fdiv) G(fdiv_to) G(fdivp) \
    G(fdivr) G(fdivr_to) G(fdivrp) G(ffree) G(ffreep) G(fiadd) G(ficom) G(ficomp) G(fidiv) \
    G(fidivr) G(fild) G(fimul) G(fincstp) G(fist) G(fistp) G(fisub) G(fisubr) G(fld) G(fld1) \
    G(fldcw) G(fldenv) G(fldl2e) G(fldl2t) G(fldlg2) G(fldln2) G(fldpi) G(fldz) G(fmul) \
    G(fmul_to) G(fmulp) G(fnclex) G(fndisi) G(fneni) G(fninit) G(fnop) G(fnsave) G(fnsetpm) \
    G(fnstcw) G(fnstenv) G(fnstsw) G(fnstsw_ax) G(fpatan) G(fprem) G(fprem1) G(fptan) G(frndint) \
    G(frstor) G(fscale) G(fsin) G(fsincos) G(fsqrt) G(fst) G(fstp) G(fsub) G(fsub_to) G(fsubp) \
    G(fsubr) G(fsubr_to) G(fsubrp) G(ftst) G(fucom) G(fucomi) G(fucomip) G(fucomp) G(fucompp) \
    G(fxam) G(fxch) G(fxtract) G(fyl2x) G(fyl2xp1)
/* clang-format on */

#define DECLARE_FP(name)                 void gen_##name(Dis *d, Insn *i);
#define DECLARE_FP3(name, op, lane)      DECLARE_FP(name)
#define DECLARE_FP2(name, lane)          DECLARE_FP(name)
#define DECLARE_FP4(name, op, opi, lane) DECLARE_FP(name)
#define DECLARE_ARITH(name, op) \
    DECLARE_FP(name##ps) DECLARE_FP(name##pd) DECLARE_FP(name##ss) DECLARE_FP(name##sd)
FP_GENERATORS(DECLARE_FP)
SSE_EXT_GENERATORS(DECLARE_FP)
X87_GENERATORS(DECLARE_FP)
PACKED_BIN(DECLARE_FP3)
PACKED_UNPACKHI(DECLARE_FP2)
PACKED_PACK(DECLARE_FP3)
PACKED_SHIFT(DECLARE_FP4)
SSE_BIN(DECLARE_FP3)
SSE_ARITH(DECLARE_ARITH)
#undef DECLARE_ARITH
#undef DECLARE_FP4
#undef DECLARE_FP2
#undef DECLARE_FP3
#undef DECLARE_FP

/* ---- gen-mmx.c ------------------------------------------------------------------------------ */
void mmx_check(Dis *d);
void mmx_enter(Dis *d);
IrRef mmx_get(Dis *d, unsigned reg); /* I64 */
void mmx_set(Dis *d, unsigned reg, IrRef value);
/* Operand @n of either register file or memory as a V128 (narrow ones in its low part). */
IrRef vec_load(Dis *d, Insn *i, unsigned n);
/* Write V128 @value to register operand @n: whole, or its low half to an MMX register. */
void vec_store(Dis *d, Insn *i, unsigned n, IrRef value);

/* ---- gen-sse.c ------------------------------------------------------------------------------ */
/* Where an exception is unmasked operations with MXCSR flags are done by help_sse_fp(). */
static inline bool fp_unmasked(const Dis *d)
{
    return d->mode & X86_MODE_FP_UNMASKED;
}
IrRef fp_approximate(Dis *d, uint32_t how, IrRef x);        /* APPROXIMATE_*; V128, V256 */
IrRef fp_by_helper(Dis *d, uint32_t how, IrRef x, IrRef y); /* V128s; of y a scalar may be loaded */
IrRef fp_vector(Dis *d, Insn *i, unsigned n, FpKind kind);  /* operand for it */
IrRef fp_load(Dis *d, Insn *i, unsigned n, IrType type);    /* F32, F64: operand's low part */

/* ---- gen-x87.c ------------------------------------------------------------------------------ */
void x87_wait(Dis *d);                  /* #MF if an unmasked exception is pending */
void x87_set_top(Dis *d, unsigned top); /* TOP is @top from here on */
void x87_forget_tags(Dis *d);           /* nothing is known of the tags any more */
/* Run this instruction again in a slow block. A device's answer is lost if it has been read: only
 * FLDCW and LDMXCSR that make this another class of block ask so late. */
void x87_exit_if(Dis *d, IrRef cond);
bool x87_is_slow(const Dis *d); /* this is one */

#endif
