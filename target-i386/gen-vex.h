/* SPDX-License-Identifier: MIT */
/* Generators of VEX-encoded vector instructions, and what their files share. */
#ifndef TARGET_I386_GEN_VEX_H
#define TARGET_I386_GEN_VEX_H

#include "target-i386/gen-fp.h"

/* clang-format off */
#define VEX_GENERATORS(G) \
    /* gen-vex.c */ \
    G(v_move) G(v_load_scalar) G(v_store_scalar) G(v_merge_scalar) G(v_load_low) G(v_load_high) \
    G(v_store_high) G(v_movhlps) G(v_movlhps) G(v_from_low) G(v_store_low) G(v_to_low) G(v_dup) G(v_movddup) G(v_zero) \
    G(v_bin) G(v_bin_imm) G(v_un) G(v_un_imm) G(v_permilpd) G(v_widen) G(v_movmsk) G(v_insert) \
    G(v_insertps) G(v_test_signs) G(v_select) G(v_broadcast) G(v_broadcast128) G(v_insert128) \
    G(v_extract128) G(v_pcmpstrm) G(v_mask_load) G(v_mask_store) G(v_gather) \
    /* gen-vex-fp.c */ \
    G(v_arith) G(v_sqrt) G(v_approximate) G(v_cmp) G(v_addsub) G(v_horizontal) G(v_round) G(v_dpps) \
    G(v_dppd) G(v_cvt) G(v_ph2ps) G(v_ps2ph) G(v_cvt_scalar) G(v_cvtsi2) G(v_fma)
/* clang-format on */
#define DECLARE_VEX(name) void gen_##name(Dis *d, Insn *i);
VEX_GENERATORS(DECLARE_VEX)
#undef DECLARE_VEX

/* Operand @n's low part as @type: so much of memory, or of a vector register. */
IrRef v_low(Dis *d, Insn *i, unsigned n, IrType type);

#endif
