/* SPDX-License-Identifier: MIT */
/* Hosts that are no x86-64, and sanitizer builds: no silicon to compare with. */
#include "insn.h"

uint64_t silicon_features(void)
{
    return UINT64_MAX;
}

Runner *silicon_runner(void)
{
    return NULL;
}

Slot *silicon_slots(Runner *r)
{
    return NULL;
}

void silicon_run_slots(Runner *r, unsigned n)
{
}
