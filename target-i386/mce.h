/* SPDX-License-Identifier: MIT */
/* Machine checks from outside: an error is logged in a bank and, where it must be, signalled. */
#ifndef TARGET_I386_MCE_H
#define TARGET_I386_MCE_H

#include "target-i386/cpu.h"

#define MCG_CAP_CTL_P (1u << 8)
#define MCG_CAP_SER_P (1u << 24) /* software error recovery: SRAO, SRAR */
#define MCG_CAP_VALUE (X86_MCE_BANKS | MCG_CAP_CTL_P | MCG_CAP_SER_P)

enum { MCG_STATUS_RIPV = 1 << 0, MCG_STATUS_EIPV = 1 << 1, MCG_STATUS_MCIP = 1 << 2 };
#define MCI_STATUS_VAL  (1ull << 63)
#define MCI_STATUS_OVER (1ull << 62)
#define MCI_STATUS_UC   (1ull << 61)
#define MCI_STATUS_EN   (1ull << 60)

typedef struct X86MachineCheck {
    unsigned bank;
    uint64_t status, mcg_status, addr, misc; /* as the registers will show them */
} X86MachineCheck;

/* What silicon does when it finds the error: see mce.c. False: there is no such bank, or @e's
 * status is not a valid one. */
bool x86_machine_check(CpuX86 *c, const X86MachineCheck *e, GError **error);
/* Are errors of another CPU signalled to this one; and: one has been. */
bool x86_can_broadcast_machine_check(const CpuX86 *c);
void x86_hear_machine_check(CpuX86 *c);

#endif
