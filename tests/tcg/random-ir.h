/* SPDX-License-Identifier: MIT */
/* Random blocks for the fake guest. The same seed and mask give the same block. */
#ifndef TESTS_TCG_RANDOM_IR_H
#define TESTS_TCG_RANDOM_IR_H

#include "tests/tcg/harness.h"

enum { /* what may occur */
       GEN_INT = 1 << 0,
       GEN_FLAGS = 1 << 1,
       GEN_MEM = 1 << 2,
       GEN_CALL = 1 << 3,
       GEN_VEC = 1 << 4,
       GEN_SSE = 1 << 5,
       GEN_X87 = 1 << 6,
       GEN_CONTROL = 1 << 7,
       GEN_RMW = 1 << 8,
       GEN_V256 = 1 << 9, /* back ends with TCG_HAS_V256 */
       GEN_ALL = (1 << 10) - 1
};

unsigned random_mask(const char *backend); /* all that @backend can run */

#define GEN_MAX_INSNS 64

/* Such a block's flags_hint. */
uint32_t random_flags_word(uint64_t seed);

/* @keep: bit n clear leaves instruction n out (minimising). */
void random_block(IrBlock *ir, uint64_t seed, unsigned mask, unsigned ninsns, uint64_t keep);

#endif
