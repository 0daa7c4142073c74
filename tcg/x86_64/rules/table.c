/* SPDX-License-Identifier: MIT */
/* One rule per op. */
#include "tcg/x86_64/gen.h"

/* clang-format off */
#define R(name, rule) [OP_##name] = emit_##rule
const Rule x64_rules[IR_NOPS] = {
    R(nop, nop), R(insn, insn), R(const, const), R(get, get), R(set, set),
    R(getflags, getflags), R(setflags, nop),
    R(mov, mov), R(add, alu), R(sub, alu), R(mul, mul), R(mulhu, mulh), R(mulhs, mulh),
    R(divu2, div), R(divs2, div), R(second, second), R(neg, neg_not), R(not, neg_not),
    R(and, alu), R(or, alu), R(xor, alu), R(andn, andn),
    R(shl, shift), R(shr, shift), R(sar, shift), R(rotl, shift), R(rotr, shift),
    R(fshl, funnel), R(fshr, funnel), R(bswap, bswap), R(clz, bits), R(ctz, bits),
    R(popcnt, bits), R(pdep, pdep), R(pext, pdep), R(zext, zext), R(sext, sext), R(trunc, trunc), R(bitcast, bitcast),
    R(lea, lea), R(setcond, setcond), R(select, select),
    R(fl_add, flags), R(fl_adc, flags), R(fl_sub, flags), R(fl_cmp, flags), R(fl_sbb, flags),
    R(fl_logic, flags), R(fl_inc, flags), R(fl_dec, flags), R(fl_shl, flags), R(fl_shr, flags),
    R(fl_mul, flags), R(fl_setcf, flags), R(fl_setzf, flags), R(fl_rotl, flags),
    R(fl_rotr, flags), R(fl_packed, flags), R(fl_test, fl_test), R(fl_pack, fl_pack),
    R(ld, ld), R(st, st), R(rmw_add, rmw), R(rmw_sub, rmw), R(rmw_and, rmw), R(rmw_or, rmw),
    R(rmw_xor, rmw), R(rmw_xadd, rmw), R(rmw_xchg, rmw), R(rmw_cas, cas), R(probe, probe),
    R(fence, fence),
    R(fadd, fbin), R(fsub, fbin), R(fmul, fbin), R(fdiv, fbin), R(fmin, fbin), R(fmax, fbin),
    R(fsqrt, fun), R(fround, fun), R(fcmp, fcmp), R(fcomi, fcomi), R(frcp, fun), R(frsqrt, fun),
    R(cvt_f2f, f2f), R(cvt_i2f, i2f), R(cvt_f2i, f2i), R(fpcheck, fpcheck), R(fpclear, fpclear),
    R(getmxcsr, getmxcsr), R(setmxcsr, setmxcsr), R(getfsw, getfsw), R(setfsw, setfsw),
    R(setfcw, setfcw),
    R(vadd, vbin), R(vsub, vbin), R(vadds, vbin), R(vaddus, vbin), R(vsubs, vbin),
    R(vsubus, vbin), R(vmullo, vbin), R(vmulhs, vbin), R(vmulhu, vbin), R(vmulud, vbin),
    R(vmadd, vbin), R(vsad, vbin), R(vavg, vbin), R(vminu, vbin), R(vmins, vbin), R(vmaxu, vbin),
    R(vmaxs, vbin), R(vcmpeq, vbin), R(vcmpgt, vbin), R(vand, vbin), R(vor, vbin), R(vxor, vbin),
    R(vandn, vbin), R(vunpacklo, vbin), R(vunpackhi, vbin), R(vpackss, vbin), R(vpackus, vbin),
    R(vshl, vbin), R(vshr, vbin), R(vsar, vbin), R(vshli, vimm), R(vshri, vimm), R(vsari, vimm),
    R(vbshl, vimm), R(vbshr, vimm), R(vshuf, vimm), R(vshuflo, vimm), R(vshufhi, vimm),
    R(vshuf2, vshuf2), R(vmovmsk, vmovmsk), R(vextract, vextract), R(vinsert, vinsert),
    R(vfromint, vfromint), R(vcvt, vcvt),
    R(call, call), R(trap, trap), R(trap_if, trap_if), R(goto, goto), R(goto_if, goto_if),
    R(jump, jump), R(exit, exit), R(exit_if, exit_if),
};
