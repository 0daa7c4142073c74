/* SPDX-License-Identifier: MIT */
/* Guest code as text: one line per instruction, appended to @out (CpuOps.disas). */
#ifndef TARGET_I386_DISAS_H
#define TARGET_I386_DISAS_H

#include "target-i386/cpu.h"

void x86_print_code(Cpu *cpu, uint32_t mode, uint64_t addr, const uint8_t *bytes, uint32_t len,
                    GString *out);

void x86_print_insn(Cpu *cpu, uint32_t mode, uint64_t addr, const uint8_t *bytes, uint32_t len,
                    GString *out); /* CpuTraceOps.print_insn */

/* CpuTraceOps.decode_insn */
bool x86_decode_insn(uint32_t mode, const uint8_t *bytes, uint32_t len, struct MimusDecoded *out);

#endif
