/* SPDX-License-Identifier: MIT */
/*
 * A toy guest architecture, to test the engine alone: eight registers, identity-mapped memory but
 * for one page whose contents depend on the address space, and byte-coded instructions:
 *   ADD r imm8 | ST r addr16 | LD r addr16 | JMP off16 (in the page) | JMPR r | HALT | DJNZ r off16
 */
#ifndef TESTS_ACCEL_TOY_H
#define TESTS_ACCEL_TOY_H

#include "accel/accel.h"
#include "accel/guest-mem.h"
#include "accel/translate.h"

enum { TOY_ADD = 1, TOY_ST, TOY_LD, TOY_JMP, TOY_JMPR, TOY_HALT, TOY_DJNZ };

#define TOY_RAM_SIZE    (4u << 20)
#define TOY_BANKED_PAGE 0x8000 /* address space n sees RAM page 0x100000 + n * 0x1000 here */
#define TOY_FAULT_PAGE  0x9000 /* any access faults: the handler skips the instruction */
#define TOY_IRQ_PAGE    0xa000 /* a device: storing anything but 0 requests an interrupt */

typedef struct ToyCpu {
    Cpu cpu;
    uint64_t regs[8];
    uint32_t mxcsr;
    uint16_t fcw, fsw;
    uint64_t fault_addr;
    unsigned walks, faults, syncs;
    uint64_t irq_pc;                /* where interrupts go; r6 is the pc they came at */
    uint64_t irq_at[4];             /* the first of those */
    uint64_t fault_pc, fault_count; /* pc and instruction count seen by the fault handler */
    CpuCommon common;
} ToyCpu;

extern const CpuOps toy_ops;

/* A machine of one toy CPU. @icount_shift -1: host time. @backend as -accel tcg,backend=. */
typedef struct Toy {
    Machine machine;
    MachineConfig config;
    RamBlock *ram;
    MemRegion region, irq;
    Accel *accel;
    ToyCpu *cpu;
} Toy;
Toy *toy_new(const char *backend, int icount_shift);
void toy_free(Toy *t);
/* Run until HALT. */
void toy_run(Toy *t, uint64_t pc);

#endif
