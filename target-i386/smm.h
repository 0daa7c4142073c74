/* SPDX-License-Identifier: MIT */
/*
 * System management mode: entry by an SMI, RSM, and what memory looks like in between.
 */
#ifndef TARGET_I386_SMM_H
#define TARGET_I386_SMM_H

#include "target-i386/cpu.h"

/* Take an SMI, between instructions and outside SMM. */
void x86_smm_enter(CpuX86 *c);
/* in_smm has changed otherwise (reset, loading of state): memory as the CPU sees it now. */
void x86_smm_view_changed(CpuX86 *c);
/* In SMM the chipset may show fetches other memory than data accesses: narrow @page to what holds
 * for the kind of @access. */
void x86_smm_split_page(const CpuX86 *c, CpuAccess access, CpuPage *page);

/* Of an access to a port, as the save area tells of it (AMD64 vol. 2, 10.2.5). */
enum {
    SMM_IO_IN = 1 << 0,
    SMM_IO_VALID = 1 << 1,
    SMM_IO_STRING = 1 << 2,
    SMM_IO_REP = 1 << 3,
    SMM_IO_SIZE_SHIFT = 4,
    SMM_IO_PORT_SHIFT = 16
};
/* The running instruction is about to access a port; and has: if that has raised an SMI, the
 * handler may have it executed again. Registers are as they were at its start. */
static inline bool x86_smm_is_asked(const CpuX86 *c)
{
    return c->cpu.interrupt_request & CPU_INT_SMI;
}
void x86_smm_note_io(CpuX86 *c, uint32_t trap);

#endif
