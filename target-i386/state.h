/* SPDX-License-Identifier: MIT */
/*
 * The CPU's list of state fields, for its Device (cpu.c).
 */
#ifndef TARGET_I386_STATE_H
#define TARGET_I386_STATE_H

#include "target-i386/cpu.h"

#define X86_STATE_VERSION 7

extern const StateField x86_state[];
/* Bring what has several representations (the flags record) into the one that the list names. */
void x86_canonical_state(CpuX86 *c);

#endif
