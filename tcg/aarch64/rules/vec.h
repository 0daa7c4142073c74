/* SPDX-License-Identifier: MIT */
/* Between the files of packed integers: emit-vec.c has the frame, vec-halves.c code for 128 bits.
 */
#ifndef TCG_AARCH64_RULES_VEC_H
#define TCG_AARCH64_RULES_VEC_H

#include "tcg/aarch64/gen.h"

/* Registers of operands and result, which is none of the operands or may be written last only. */
typedef struct Lanes {
    int d, n, m, k; /* V0-V31; V0 and V1 are free */
    unsigned lane;
    uint32_t imm;
} Lanes;

typedef void (*Half)(Gen *g, const Lanes *l);

void half_shift_by(Gen *g, const Lanes *l);   /* vshl, vshr, vsar */
void half_shift_each(Gen *g, const Lanes *l); /* vshlv, vshrv, vsarv */
void half_neighbours(Gen *g, const Lanes *l); /* vhsub, vhadds, vhsubs */
void half_maddub(Gen *g, const Lanes *l);
void half_mulhrs(Gen *g, const Lanes *l);
void half_sign(Gen *g, const Lanes *l);
void half_insertps(Gen *g, const Lanes *l);
void half_permil(Gen *g, const Lanes *l);
void half_clmul(Gen *g, const Lanes *l);

#endif
