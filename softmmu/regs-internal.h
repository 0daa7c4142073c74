/* SPDX-License-Identifier: MIT */
/* What device.c asks of the register-table engine. */
#ifndef SOFTMMU_REGS_INTERNAL_H
#define SOFTMMU_REGS_INTERNAL_H

#include "softmmu/device.h"

uint64_t regs_extent(const RegDesc *regs); /* bytes from 0 to the end of the last row */

#endif
