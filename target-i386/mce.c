/* SPDX-License-Identifier: MIT */
/*
 * Machine checks. Intel SDM vol. 3B, chapter 16.
 *
 * A corrected error is logged for software that polls. An uncorrected one that the control
 * registers enable raises #MC; without CR4.MCE, or while one is being handled, the CPU shuts down.
 * Bank registers are overwritten by the rules of 16.3.2.2.1: the first uncorrected error stays.
 *
 * Missing: corrected-error interrupts (CMCI), local machine checks, thresholds.
 */
#include "target-i386/mce.h"

#include "softmmu/error.h"
#include "target-i386/cpuid.h"
#include "target-i386/excp.h"

/* Of a bank in mce_banks. */
enum { MCI_CTL, MCI_STATUS, MCI_ADDR, MCI_MISC };

static void write_bank(uint64_t *bank, const X86MachineCheck *e, uint64_t status)
{
    uint64_t old = bank[MCI_STATUS];

    if ((old & MCI_STATUS_VAL) && (old & MCI_STATUS_UC)) {
        bank[MCI_STATUS] |= MCI_STATUS_OVER;
        return;
    }
    if (old & MCI_STATUS_VAL) {
        if (!(status & MCI_STATUS_UC)) {
            bank[MCI_STATUS] |= MCI_STATUS_OVER;
            return;
        }
        status |= MCI_STATUS_OVER;
    }
    bank[MCI_ADDR] = e->addr;
    bank[MCI_MISC] = e->misc;
    bank[MCI_STATUS] = status;
}

bool x86_machine_check(CpuX86 *c, const X86MachineCheck *e, GError **error)
{
    uint64_t *bank, status = e->status;
    bool enabled;

    if (e->bank >= X86_MCE_BANKS) {
        error_set(error, "Invalid bank number");
        return false;
    }
    if (!(e->status & MCI_STATUS_VAL)) {
        error_set(error, "Invalid MCE status code");
        return false;
    }
    bank = &c->mce_banks[4 * e->bank];
    enabled = c->mcg_ctl == UINT64_MAX && bank[MCI_CTL] == UINT64_MAX;
    if (!enabled)
        status &= ~MCI_STATUS_EN;
    if (!(status & MCI_STATUS_UC) || !enabled) {
        write_bank(bank, e, status);
        return true;
    }
    if (!(c->cr4 & CR4_MCE) || (c->mcg_status & MCG_STATUS_MCIP)) {
        x86_shutdown(c);
        return true;
    }
    write_bank(bank, e, status);
    c->mcg_status = (e->mcg_status & 7) | MCG_STATUS_MCIP;
    cpu_interrupt(&c->cpu, CPU_INT_MCE);
    return true;
}

bool x86_can_broadcast_machine_check(const CpuX86 *c)
{
    const X86Model *m = c->model;

    return m->family > 6 || (m->family == 6 && m->model >= 14);
}

void x86_hear_machine_check(CpuX86 *c)
{
    X86MachineCheck e = { .bank = 1,
                          .status = MCI_STATUS_VAL | MCI_STATUS_UC,
                          .mcg_status = MCG_STATUS_MCIP | MCG_STATUS_RIPV };

    x86_machine_check(c, &e, NULL);
}
