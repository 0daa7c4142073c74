/* SPDX-License-Identifier: MIT */
/*
 * VEX-encoded instructions: the maps 0F, 0F38 and 0F3A (SDM vol. 2, tables, rows marked
 * v). Columns of a prefix group: none, 66, F3, F2, by VEX.pp.
 */
#include "target-i386/decode.h"

#include "target-i386/gen.h"
#include "tcg/flags.h"

/* clang-format off */
#define BMI1 .attr = A_L0, .feature = FEAT_BMI1
#define BMI2 .attr = A_L0, .feature = FEAT_BMI2

const InsnDesc opmap_vex_0f[256] = { { 0 } };

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
    P38(f2), P38(f3), P38(f5), P38(f6), P38(f7),
};

static const InsnDesc opf0_3a[4] = { [3] = I3(rorx, Gy, Ey, Ib, BMI2) };

#define P3A(x) [0x##x] = GROUP(PREFIX, op##x##_3a)
const InsnDesc opmap_vex_0f3a[256] = {
    P3A(f0),
};
/* clang-format on */
