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

#endif
