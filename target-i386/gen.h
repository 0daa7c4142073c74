/* SPDX-License-Identifier: MIT */
/*
 * The generators: gen_<mnemonic>(d, i) turns one decoded instruction into IR. Named by the rows
 * of the opcode tables. Those of x87, MMX and SSE stand in gen-fp.h, but for the few that rows
 * outside their own tables name.
 */
#ifndef TARGET_I386_GEN_H
#define TARGET_I386_GEN_H

#include "target-i386/decode.h"

/* clang-format off */
#define GENERATORS(G) \
    /* gen-alu.c */ \
    G(add) G(or) G(adc) G(sbb) G(and) G(sub) G(xor) G(cmp) G(test) G(inc) G(dec) G(neg) G(not) \
    G(mul) G(imul1) G(imul) G(div) G(idiv) \
    G(daa) G(das) G(aaa) G(aas) G(aam) G(aad) G(adcx) G(adox) \
    /* gen-shift.c: shifts, rotates, bits */ \
    G(rol) G(ror) G(rcl) G(rcr) G(shl) G(shr) G(sar) G(shld) G(shrd) \
    G(bt) G(bts) G(btr) G(btc) G(bsf) G(bsr) G(tzcnt) G(lzcnt) G(popcnt) G(crc32) \
    /* gen-bmi.c */ \
    G(andn) G(blsi) G(blsmsk) G(blsr) G(bextr) G(bzhi) G(mulx) G(pdep) G(pext) G(rorx) G(sarx) \
    G(shlx) G(shrx) \
    /* gen-data.c */ \
    G(mov) G(movnti) G(movbe) G(movzx) G(movsx) G(movsxd) G(xchg) G(nop) G(pause) G(lea) G(bswap) \
    G(push) G(pop) G(pusha) G(popa) G(pushf) G(popf) G(lahf) G(sahf) G(xlat) \
    G(cmovcc) G(setcc) G(cbw) G(cwd) G(xadd) G(cmpxchg) G(cmpxchg8b) G(enter) G(leave) \
    G(clc) G(stc) G(cmc) G(cld) G(std) G(salc) G(bound) G(fence) G(prefetch) G(clflush) G(clflushopt) G(clwb) G(ud) \
    /* gen-string.c */ \
    G(movs) G(stos) G(lods) G(scas) G(cmps) \
    /* gen-control.c */ \
    G(jcc) G(jmp) G(jmp_ind) G(call) G(call_ind) G(ret) G(loop) G(jcxz) \
    /* gen-system.c: far control transfer and interrupts */ \
    G(jmp_far) G(jmp_far_ind) G(call_far) G(call_far_ind) G(ret_far) G(iret) G(int) G(int3) G(into) G(int1) \
    /* gen-system.c: segments (pushf and popf too) */ \
    G(mov_from_sreg) G(mov_to_sreg) G(push_sreg) G(pop_sreg) \
    G(lds) /* LES LDS LSS LFS LGS: desc->arg = SEG_x */ \
    G(arpl) G(lar) G(lsl) G(sldt) G(str) G(lldt) G(ltr) G(verr) G(verw) \
    G(sgdt) G(sidt) G(lgdt) G(lidt) G(smsw) G(lmsw) \
    /* gen-system.c: the rest */ \
    G(in) G(out) G(ins) G(outs) G(hlt) G(cli) G(sti) G(clts) G(mov_from_cr) G(mov_to_cr) G(mov_from_dr) \
    G(mov_to_dr) G(invd) G(wbinvd) G(invlpg) G(invpcid) G(swapgs) G(rdtsc) G(rdtscp) G(rdpmc) \
    G(rdmsr) G(wrmsr) G(cpuid) G(syscall) G(sysret) G(sysenter) G(sysexit) G(rsm) G(monitor) \
    G(mwait) G(xgetbv) G(xsetbv) G(stac) G(clac) G(rdfsbase) G(rdgsbase) G(wrfsbase) G(wrgsbase) \
    G(rdpid) G(rdrand) G(rdseed) G(rdpkru) G(wrpkru) \
    /* gen-x87.c, gen-sse.c: named by rows of opmap-1byte.c and opmap-0f.c */ \
    G(fwait) G(fxsave) G(fxrstor) G(ldmxcsr) G(stmxcsr) G(xsave) G(xrstor) G(xsaveopt) G(xsavec) \
    G(xsaves) G(xrstors)
/* clang-format on */

#define DECLARE_GENERATOR(name) void gen_##name(Dis *d, Insn *i);
GENERATORS(DECLARE_GENERATOR)
#undef DECLARE_GENERATOR

#endif
