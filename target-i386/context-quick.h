/* SPDX-License-Identifier: MIT */
/* Where the CPU stands: the parts of CpuOps.get_context() that have no effects. */
#ifndef TARGET_I386_CONTEXT_QUICK_H
#define TARGET_I386_CONTEXT_QUICK_H

#include "target-i386/cpu.h"

void x86_context_at(const CpuX86 *c, uint64_t pc, CpuContext *out);
bool x86_quick_context(Cpu *cpu, uint64_t pc, CpuContext *out); /* CpuOps.quick_context */

#endif
