/* SPDX-License-Identifier: MIT */
/* The table of helpers that the compiler is given, made from helpers.def. */
#include "target-i386/helpers.h"

/* The words of the rows. */
enum {
    VOID = IR_VOID,
    FAULTS = HELPER_FAULTS,
    READS_REGS = HELPER_READS_REGS,
    WRITES_REGS = HELPER_WRITES_REGS,
    READS_FLAGS = HELPER_READS_FLAGS,
    WRITES_FLAGS = HELPER_WRITES_FLAGS,
    FP = HELPER_FP,
    NOVEC = HELPER_NOVEC,
    PURE = HELPER_PURE,
    NORETURN = HELPER_NORETURN,
    STATE = HELPER_STATE,
};

/* Only addresses are wanted here; the prototypes stand in the headers of the areas. */
#define HELPER(name, ret, flags, nargs, ...) extern void help_##name(void);
#define HELPER_QUICK(name, ...)              extern void help_##name(void), quick_##name(void);
#define HELPER_BLOCK(name, ...) \
    HELPER_QUICK(name)          \
    extern bool block_##name(uint32_t arg, TcgBlockMove *m);
#include "target-i386/helpers.def"
#undef HELPER_BLOCK
#undef HELPER_QUICK
#undef HELPER

const TcgHelper x86_helpers[] = {
#define ROW(n, q, b, r, f, count, ...) \
    { .name = #n,                      \
      .func = (void *)help_##n,        \
      .flags = (f),                    \
      .ret = (r),                      \
      .nargs = (count),                \
      .args = { __VA_ARGS__ },         \
      .quick = (q),                    \
      .block_move = (b) },
#define HELPER(n, ...)       ROW(n, NULL, NULL, __VA_ARGS__)
#define HELPER_QUICK(n, ...) ROW(n, (void *)quick_##n, NULL, __VA_ARGS__)
#define HELPER_BLOCK(n, ...) ROW(n, (void *)quick_##n, block_##n, __VA_ARGS__)
#include "target-i386/helpers.def"
#undef HELPER_BLOCK
#undef HELPER_QUICK
#undef HELPER
};
