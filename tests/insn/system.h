/* SPDX-License-Identifier: MIT */
/*
 * A machine of CPUs and RAM without a board, for tests of the system side: modes, paging,
 * exceptions. The engine and the frontend are the real ones.
 *
 * system_setup() puts tables, stacks and handlers in place; every handler is an HLT of its own,
 * so that where the CPU halts tells the vector.
 */
#ifndef TESTS_INSN_SYSTEM_H
#define TESTS_INSN_SYSTEM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accel/accel.h"
#include "target-i386/cpu.h"

#define SYSTEM_RAM 0x400000u
#define SYSTEM_SPY 0x500000u /* a page of a device that remembers what is done to it */

/* clang-format off */
enum { /* physical addresses, mapped one to one */
    GDT_AT = 0x1000, IDT_AT = 0x2000, TSS_AT = 0x4000, TSS2_AT = 0x4800, LDT_AT = 0x5000,
    HANDLERS_AT = 0x8000,    /* + 16 * vector */
    USER_CODE = 0x10000, KERNEL_CODE = 0x18000, CODE16 = 0x1c000,
    KERNEL_STACK = 0x20000, IST_STACK = 0x22000, TASK_STACK = 0x24000, USER_STACK = 0x30000,
    PAGE_SUPERVISOR = 0x40000, PAGE_READ_ONLY = 0x41000, PAGE_ABSENT = 0x42000, PAGE_NX = 0x43000,
    PAGE_RESERVED = 0x44000, PAGE_USER = 0x45000,
    TABLES_AT = 0x100000,
};
/* clang-format on */

/* clang-format off */
enum { /* selectors */
    SEL_CODE64 = 0x08, SEL_DATA = 0x10, SEL_CODE32 = 0x18, SEL_CODE16 = 0x20, SEL_DATA16 = 0x28,
    SEL_UCODE32 = 0x30 | 3, SEL_UDATA = 0x38 | 3, SEL_UCODE64 = 0x40 | 3, SEL_TSS = 0x48 /* and 0x50 */,
    SEL_ABSENT = 0x58, SEL_READ_ONLY = 0x60, SEL_EXEC_ONLY = 0x68, SEL_CONFORMING = 0x70,
    SEL_CALL_GATE = 0x78 /* and 0x80 */, SEL_TASK = 0x88, SEL_LDT = 0x90 /* and 0x98 */,
    SEL_SMALL = 0xa0, SEL_DOWN = 0xa8, SEL_DPL1 = 0xb0, GDT_LIMIT = 0xb7,
};
/* clang-format on */

/* clang-format off */
enum { /* vectors with gates of their own; the others are interrupt gates of DPL 0 */
    VEC_USER = 0x80, VEC_ABSENT = 0x81, VEC_IST = 0x82, VEC_BAD_SELECTOR = 0x83, VEC_TASK = 0x84,
    VEC_TRAP = 0x85,
    IDT_VECTORS = 0x90,
};
/* clang-format on */

typedef enum SystemMode { SYS_REAL, SYS_PROT, SYS_LONG, SYS_COMPAT, SYS_VM86 } SystemMode;

typedef struct System {
    Machine machine;
    MachineConfig config;
    Accel *accel;
    CpuBus bus;
    RamBlock *ram;
    MemRegion region, port, spy;
    CpuX86 *c;
    unsigned slices;
    int irq_vector; /* what the board acknowledges with; -1 none */
    unsigned port_reads;
    uint32_t port_value; /* what port 0x80 (4 bytes) read and wrote last */
    uint64_t spied;      /* a hash of all accesses to SYSTEM_SPY */
    uint8_t tpr;
} System;

System *system_new(const char *backend, const char *cpu_model);
/* The others wait for INIT and a start-up IPI. */
System *system_new_smp(const char *backend, const char *cpu_model, unsigned cpus);
void system_free(System *s);
/* Tables for @mode, and the CPU in it at @cpl with its stack, about to execute at code_base(). */
void system_setup(System *s, SystemMode mode, unsigned cpl);
uint32_t system_code_base(SystemMode mode, unsigned cpl);
/* Does the back end have what these instructions want? AVX is not for every host's. */
bool system_can_run(const System *s, SystemMode mode, const char *code, size_t len);
/* Run until halted, shut down, or for so long that it must hang (then false). */
bool system_run(System *s);
/* The vector of the handler that halted the CPU, or -1. */
int system_vector(const System *s);
void system_write(System *s, uint64_t phys, uint64_t value, unsigned size);
uint64_t system_read(System *s, uint64_t phys, unsigned size);

/* Runs an array of tests on the host's back end, then on the portable one: *@backend is its name
 * for system_new() meanwhile. How many failed. */
#define system_run_tests(tests, backend) system_run_group(tests, G_N_ELEMENTS(tests), backend)
int system_run_group(const struct CMUnitTest *tests, size_t count, const char **backend);

#endif
