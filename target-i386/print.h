/* SPDX-License-Identifier: MIT */
/*
 * The registers as text, in the layout of `info registers`.
 */
#ifndef TARGET_I386_PRINT_H
#define TARGET_I386_PRINT_H

#include "target-i386/cpu.h"

void x86_print_core(Cpu *cpu, GString *out);      /* CpuOps.print_core */
void x86_print_registers(Cpu *cpu, GString *out); /* CpuOps */

typedef struct CpuX86 CpuX86;

/* print-paging.c: what its page tables map, as pages and as ranges of the same rights. */
void x86_print_tlb(CpuX86 *c, GString *out);
void x86_print_mem(CpuX86 *c, GString *out);

#endif
