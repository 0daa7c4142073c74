/* SPDX-License-Identifier: MIT */
/* What plugins ask about an x86 CPU, and are told of it. */
#ifndef TARGET_I386_TRACE_H
#define TARGET_I386_TRACE_H

#include "accel/plugin/events.h"
#include "target-i386/cpu.h"

extern const CpuTraceOps x86_trace_ops;

/* A transfer of control (MIMUS_INTERRUPT … MIMUS_SYSRET) from linear address @from has been
 * made. */
void x86_tell_transfer(CpuX86 *c, MimusEventKind kind, uint64_t from, uint8_t vector);
void x86_tell_space(CpuX86 *c, uint64_t from);
void x86_tell_privilege(CpuX86 *c, unsigned from);
uint64_t x86_linear_pc(const CpuX86 *c); /* of env.pc */

#endif
