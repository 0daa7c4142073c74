/* SPDX-License-Identifier: MIT */
/*
 * The engine as the program sees it: one Accel per machine owns the compiler, the block cache and
 * the CPUs' execution. accel_run() is the machine thread's body.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include "accel/cpu.h"
#include "softmmu/machine.h"

typedef struct Accel Accel;

/* Needs m->config, memory, input; creates m->clock. NULL with @error when the code buffer cannot be
 * had or the back end is unknown. */
Accel *accel_new(Machine *m, const CpuOps *ops, GError **error);
void accel_free(Accel *a);
/* Allocate CPU @index: zeroed state of ops->state_size with Cpu and CpuCommon filled in. Owned by
 * the engine. The architecture initialises the rest. */
Cpu *accel_add_cpu(Accel *a, unsigned index);
Cpu *accel_cpu(Accel *a, unsigned index);
unsigned accel_cpu_count(const Accel *a);
/* The CPU whose instruction is being executed on this thread, or CPU 0. */
Cpu *accel_current_cpu(Accel *a);
bool accel_is_running(const Accel *a);   /* … whose turn it is; else it is nobody's */
unsigned accel_features(const Accel *a); /* TCG_HAS_* (tcg/ir.h) of its back end */

/* Virtual time, the source of m->clock: host time while running, or the count under -icount. */
ClockSource accel_clock_source; /* opaque: the Accel */
uint64_t accel_instruction_count(Accel *a);
/* What the translator and its caches did so far, as text. */
void accel_print_stats(Accel *a, GString *out);

/* Run until @process says to end. @process runs between slices under the machine lock: it handles
 * requests and returns whether CPUs may run now (true), or must not (false: the engine sleeps
 * until something is posted). It sets *@quit to leave. */
void accel_run(Accel *a, bool (*process)(void *opaque, bool *quit), void *opaque);
/* Blocks are to be made anew, as what is put into them has changed. Between slices. */
void accel_flush_code(Accel *a);
/* A block of translated code is one instruction: -d exec tells of each. Between slices. */
void accel_set_one_insn(Accel *a, bool on);
bool accel_one_insn(const Accel *a);
/* Virtual time stands still while the machine is stopped. */
void accel_set_running(Accel *a, bool running);

#endif
