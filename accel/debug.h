/* SPDX-License-Identifier: MIT */
/*
 * What a debugger asks of the engine: break- and watchpoints by linear address, CPUs that step or
 * are held, and the news of a stop. All between slices, on the machine thread. Nothing of this
 * changes what the guest computes or how instructions are counted: a stop in the middle of a
 * CPU's turn is gone on from in the middle of it.
 */
#ifndef ACCEL_DEBUG_H
#define ACCEL_DEBUG_H

#include "accel/accel.h"

enum { DEBUG_EXEC = 1 << 0, DEBUG_READ = 1 << 1, DEBUG_WRITE = 1 << 2 };

typedef struct DebugPoint {
    uint64_t addr; /* linear */
    uint32_t len;  /* of a watchpoint, >= 1 */
    uint8_t kinds; /* DEBUG_* */
    uint8_t tag;   /* the owner's; tells points apart that are else the same */
} DebugPoint;

typedef enum DebugWhy {
    DEBUG_NOTHING,
    DEBUG_STEPPED,
    DEBUG_BREAKPOINT,
    DEBUG_WATCHPOINT,
    DEBUG_REACHED, /* the moment that was asked for (travel.h) */
    DEBUG_BEGIN,   /* of a recording: there is nothing before */
    DEBUG_END,     /* … after */
    DEBUG_NEVER,   /* what was searched for has not happened: nothing has moved */
} DebugWhy;

typedef struct DebugStop {
    DebugWhy why;
    unsigned cpu;
    DebugPoint point; /* of DEBUG_BREAKPOINT, DEBUG_WATCHPOINT */
    uint64_t addr;    /* linear: the first byte of the access that the watchpoint shares */
} DebugStop;

/* Idempotent. False: there are too many. */
bool debug_insert(Accel *a, const DebugPoint *p);
/* False: there is none such. */
bool debug_remove(Accel *a, const DebugPoint *p);
/* As if no debugger had ever been here. */
void debug_forget(Accel *a);

/* What a CPU does while the machine runs. A step is one counted instruction, or the delivery of an
 * exception, or of an interrupt if that is what ends HLT. A breakpoint on the first instruction of
 * a CPU that @skips is passed. */
typedef enum DebugRun { DEBUG_GO, DEBUG_STEP, DEBUG_HOLD } DebugRun;
void debug_set_run(Accel *a, unsigned cpu, DebugRun run, bool skips);
/* While a CPU steps: no interrupts for it, no timers if all others are held. */
void debug_set_step_rules(Accel *a, bool no_irq, bool no_timer);

/* Whenever a stop happens REQUEST_DEBUG is made; then this says what it was, once. */
bool debug_take_stop(Accel *a, DebugStop *out);

/* As if a CPU had stopped: at the end of a replay. */
void debug_end(Accel *a);

/* Memory as CPU @cpu's page tables have it now: no faults, no accessed or dirty bits, RAM and ROM
 * only; writes to RAM only. False: not all of it is such, nothing was written. */
bool debug_read(Cpu *cpu, uint64_t addr, void *buf, uint32_t len);
bool debug_write(Cpu *cpu, uint64_t addr, const void *buf, uint32_t len);
/* Call @act, which may raise a guest's exception: false, and it is forgotten. */
bool debug_try(Cpu *cpu, void (*act)(Cpu *cpu, void *opaque), void *opaque);

#endif
