/* SPDX-License-Identifier: MIT */
/*
 * HELP_<name>: the index of each row of helpers.def, and the table that the compiler is given.
 * A new helper is one row and one function; its prototype stands in the header of its file's
 * area (help.h).
 */
#ifndef TARGET_I386_HELPERS_H
#define TARGET_I386_HELPERS_H

#include "tcg/helper.h"

enum {
#define HELPER(name, ret, flags, nargs, ...) HELP_##name,
#define HELPER_QUICK                         HELPER
#define HELPER_BLOCK                         HELPER
#include "target-i386/helpers.def"
#undef HELPER_BLOCK
#undef HELPER_QUICK
#undef HELPER
    HELP_COUNT
};

extern const TcgHelper x86_helpers[];

#endif
