/* SPDX-License-Identifier: MIT */
/*
 * Where a CPU's turn ends, and for what.
 *
 * When instructions are counted, and there is one CPU, a timer that is due at count N runs after
 * the first instruction behind the N-th that transfers control, or TURN_LATE_INSNS behind N. These
 * are conditional branches that are taken (further than to the next instruction), calls, returns,
 * and whatever else always ends a block, but for direct JMPs; exceptions and interrupts are none.
 * That is a function of what the guest executes and of nothing else, and where blocks are left
 * anyway: none has to be cut for a timer, nor is the rest of one to be translated when the
 * interrupt's handler returns. A CPU that is halted at N or behind it waits for nothing, nor does
 * one whose guest asks for a reset or the like.
 *
 * From N on the turn is late: blocks run beyond the budget, one at a time. Whoever ends a slice in
 * that time (debuggers, waypoints, logs) leaves the turn to be gone on with (EngineDebug.left), and
 * kicks are not heard.
 *
 * Everything else ends turns exactly: other CPUs' turns and timers where there are several, moments
 * of a recording, debuggers.
 */
#ifndef ACCEL_TURN_H
#define ACCEL_TURN_H

#include "accel/engine.h"

#define TURN_NEVER_DUE  INT64_MAX
#define TURN_LATE_INSNS 1024

/* Do timers of this machine wait for transfers of control? */
bool turn_waits(const Accel *a);

/* A slice begins. Returns what of its budget the CPU may have now. */
int32_t turn_begin(Cpu *cpu, const Turn *turn);
/* May blocks be entered, by the budget and by where the turn is? */
bool turn_goes_on(Cpu *cpu);
/* How many instructions of @tb the next block may have. It may be too long for the budget: then it
 * will not be entered. */
unsigned turn_fit(Cpu *cpu, const Tb *tb);
/* @tb, which turn_fit() led to, is next; with CpuRun.once by tcg_run_once(). False: too long. */
bool turn_enter(Cpu *cpu, const Tb *tb);
/* A block has been left, pc is right: has it transferred control when the turn was late? */
void turn_judge(Cpu *cpu);
/* … take back what it was lent, and what cpu_look() took. */
void turn_settle(Cpu *cpu);
/* The next block was too long: it has to wait for the next slice. */
bool turn_is_spent(const Cpu *cpu);
/* A timer was armed that is due at @count, sooner than others. */
void turn_set_due(Cpu *cpu, int64_t count);
/* Time passes without instructions: what is due comes by so many sooner. */
void turn_shorten(Cpu *cpu, int64_t by);
/* The slice is over, and Accel.count is right: what is left of the turn that is to be gone on with.
 */
void turn_end(Cpu *cpu);

#endif
