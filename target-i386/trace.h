/* SPDX-License-Identifier: MIT */
/* What plugins ask about an x86 CPU. */
#ifndef TARGET_I386_TRACE_H
#define TARGET_I386_TRACE_H

#include "accel/cpu.h"

extern const CpuTraceOps x86_trace_ops;

#endif
