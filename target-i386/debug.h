/* SPDX-License-Identifier: MIT */
/*
 * The debug registers at work: what they watch, and #DB for it.
 */
#ifndef TARGET_I386_DEBUG_H
#define TARGET_I386_DEBUG_H

#include "target-i386/cpu.h"

enum { DR7_GD = 1 << 13, DEBUGCTL_BTF = 1 << 1 };

/* Is an instruction breakpoint armed? */
bool x86_debug_has_code(const CpuX86 *c);
/* DR0-DR3, DR7 or CR4.DE have changed from watching what @old says. */
typedef struct DebugWatch {
    uint64_t dr7, addr[4];
} DebugWatch;
DebugWatch x86_debug_watch(const CpuX86 *c);
void x86_debug_changed(CpuX86 *c, const DebugWatch *old);
/* Does a data breakpoint lie in the page of linear address @addr? */
bool x86_debug_watches_page(const CpuX86 *c, uint64_t addr);
/* CpuOps.watched, and the same for ports: the access is about to be made. May not return. */
void x86_debug_access(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, bool probe);
void x86_debug_port(CpuX86 *c, uint32_t port, uint32_t size);
/* Before the instruction at @linear: raises #DB for a trap that is due and for breakpoints. */
void x86_debug_before(CpuX86 *c, uint64_t linear);
/* RF = 1 in what the event that comes next saves. */
void x86_debug_set_rf(CpuX86 *c);
/* After an instruction that is @step (STEP_*): RF, and #DB for what is due. */
void x86_debug_after(CpuX86 *c, unsigned step);

#endif
