/* SPDX-License-Identifier: MIT */
/*
 * Helpers of port input and output (help-io.c).
 */
#ifndef TARGET_I386_HELP_IO_H
#define TARGET_I386_HELP_IO_H

#include "target-i386/cpu.h"

/* Sizes in bytes: 1, 2, 4. */
uint32_t help_in(CpuX86 *c, uint32_t port, uint32_t size);
void help_out(CpuX86 *c, uint32_t port, uint32_t value, uint32_t size);

/* INS and OUTS: size, address size, segment and STRING_SINGLE as STRING_* of help.h have them. */
enum { STRING_IO_OUT = 1 << 18, STRING_IO_REP = 1 << 19 };
uint32_t help_string_io(CpuX86 *c, uint32_t how); /* 1: done, 0: go on */

#endif
