/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts beyond what cpu.h tells everybody: the engine's entry points, and
 * traps.
 */
#ifndef TARGET_I386_EXCP_H
#define TARGET_I386_EXCP_H

#include "target-i386/cpu.h"

/* CpuOps. */
void x86_raise_fault(Cpu *cpu) G_GNUC_NORETURN;
void x86_misaligned(Cpu *cpu, const SlowAccess *a);
void x86_raise_code(void *env, uint32_t code);
void x86_deliver_exception(Cpu *cpu);
bool x86_deliver_interrupt(Cpu *cpu);
bool x86_has_work(Cpu *cpu);

/* A trap: the saved pc is @next_pc, but unlike INT n no gate's DPL is checked (#DB by TF, ICEBP).
 */
void x86_raise_trap(CpuX86 *c, int vector, uint64_t next_pc) G_GNUC_NORETURN;
/* Record it without leaving: for code that runs outside blocks. cpu->pc is the pc to save. */
void x86_record_exception(CpuX86 *c, int vector, uint32_t error_code);

enum { DR6_BD = 1 << 13, DR6_BS = 1 << 14, DR6_BT = 1 << 15 };

/* The shutdown state, which the chipset answers with a reset. */
void x86_shutdown(CpuX86 *c);

/* INT n in virtual-8086 mode through the interrupt table at 0 (VME redirection). */
void x86_vm86_redirect(CpuX86 *c, int vector, uint64_t next_pc);

#endif
