/* SPDX-License-Identifier: MIT */
/*
 * The x86 CPU's registers as GDB knows them: their XML description, and their values. A CPU with
 * long mode is always described as x86-64, whatever mode it is in: outside of 64-bit code its
 * registers show their lower halves. rip is where memory has the next instruction, with the base of
 * CS, so that it can be disassembled and broken at in every mode.
 */
#ifndef SOFTMMU_PROGRAM_GDB_REGISTERS_H
#define SOFTMMU_PROGRAM_GDB_REGISTERS_H

#include "target-i386/cpu.h"

typedef struct GdbRegisters GdbRegisters;

/* For CPUs like @c. */
GdbRegisters *gdb_registers_new(const CpuX86 *c);
void gdb_registers_free(GdbRegisters *r);
unsigned gdb_registers_count(const GdbRegisters *r);
unsigned gdb_registers_pc(const GdbRegisters *r); /* its number */
const char *gdb_registers_xml(const GdbRegisters *r);
unsigned gdb_register_size(const GdbRegisters *r, unsigned n);
void gdb_register_read(const GdbRegisters *r, CpuX86 *c, unsigned n, uint8_t *buf);
/* False: it cannot have that value, or cannot be written. */
bool gdb_register_write(const GdbRegisters *r, CpuX86 *c, unsigned n, const uint8_t *buf);
/* Linear address of the next instruction. */
uint64_t gdb_linear_pc(const CpuX86 *c);

#endif
