/* SPDX-License-Identifier: MIT */
/*
 * The three-byte opcode maps 0F38 and 0F3A (SDM vol. 2, tables ): integer and system
 * instructions. BMI is VEX-encoded and missing until VEX is decoded.
 */
#include "target-i386/decode.h"

#include "target-i386/gen.h"

/* clang-format off */
static const InsnDesc op82[4] = { [1] = I2(invpcid, Gy, Mdq, .attr = A_CPL0 | A_UNALIGNED, .feature = FEAT_INVPCID) };
static const InsnDesc opf0[4] = {
    I2(movbe, Gv, Mv, .feature = FEAT_MOVBE), I2(movbe, Gv, Mv, .feature = FEAT_MOVBE),
    [3] = I2(crc32, Gy, Eb, .feature = FEAT_SSE42),
};
static const InsnDesc opf1[4] = {
    I2(movbe, Mv, Gv, .feature = FEAT_MOVBE), I2(movbe, Mv, Gv, .feature = FEAT_MOVBE),
    [3] = I2(crc32, Gy, Ev, .feature = FEAT_SSE42),
};
static const InsnDesc opf6[4] = {
    [1] = I2(adcx, Gy, Ey, .feature = FEAT_ADX), [2] = I2(adox, Gy, Ey, .feature = FEAT_ADX),
};

const InsnDesc opmap_0f38[256] = {
    [0x82] = GROUP(PREFIX, op82),
    [0xf0] = GROUP(PREFIX, opf0),
    [0xf1] = GROUP(PREFIX, opf1),
    [0xf6] = GROUP(PREFIX, opf6),
};

const InsnDesc opmap_0f3a[256] = { { 0 } };
/* clang-format on */
