/* SPDX-License-Identifier: MIT */
/*
 * Guest memory as the architecture's C code accesses it: by virtual address through an MMU index
 * (raising the guest's faults, so these may not return; hold nothing across them), and by
 * physical address. Every store goes through the code-granule check.
 */
#ifndef ACCEL_GUEST_MEM_H
#define ACCEL_GUEST_MEM_H

#include "accel/cpu.h"

/* @size: 1, 2, 4, 8. Little-endian, may cross a page: both pages are checked before a byte moves.
 */
uint64_t cpu_load(Cpu *cpu, uint64_t addr, unsigned size, unsigned mmu);
void cpu_store(Cpu *cpu, uint64_t addr, uint64_t value, unsigned size, unsigned mmu);
/* Any length; on a fault nothing was written to the faulting page or after. */
void cpu_load_bytes(Cpu *cpu, uint64_t addr, void *buf, uint32_t len, unsigned mmu);
void cpu_store_bytes(Cpu *cpu, uint64_t addr, const void *buf, uint32_t len, unsigned mmu);
/* Raise what an access of [addr, +len) would raise (len < 4096), touch nothing. To be followed by
 * that access: if it stores into the running block the instruction is begun again on its own
 * first. */
void cpu_probe(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, unsigned mmu);
/* Host pointer for @addr, good up to the end of its 4 KiB page, if that page is plain memory
 * (for writing: RAM without translated code); NULL if accesses must go one by one. May raise. */
uint8_t *cpu_host_pointer(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu);

/* The same question where there is none: are accesses up to the end of the page of no consequence,
 * as nothing is there? Loads yield ones. May raise. */
bool cpu_is_empty(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu);

/* What has been done by such pointers: @n elements of a string instruction, each of one or two
 * accesses, one after the other. For plugins; afterwards memory has the values that were moved. */
typedef struct CpuElements {
    struct {
        uint64_t addr; /* of the first element */
        const uint8_t *host;
        bool write;
    } access[2];
    unsigned naccesses, size;
    int64_t step; /* from one element to the next: @size or -@size */
    uint64_t n;
} CpuElements;
void cpu_tell_elements(Cpu *cpu, const CpuElements *e);
/* Is anybody told so? */
bool cpu_wants_elements(Cpu *cpu);

/* As cpu_host_pointer() without raising or walking: NULL also if the TLB does not hold the page.
 * General registers only. */
uint8_t *cpu_quick_pointer(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu);

/* Physical, as page walks need it: RAM at once, else through the memory map. */
uint64_t cpu_phys_load(Cpu *cpu, uint64_t phys, unsigned size); /* 4 or 8, aligned */
/* The page of RAM or ROM at @phys, a multiple of 4 KiB; NULL: something else is there. */
const uint8_t *cpu_phys_page(Cpu *cpu, uint64_t phys);
/* Compare-and-swap of an aligned 4- or 8-byte word (accessed/dirty bits); false: it had changed. */
bool cpu_phys_cas(Cpu *cpu, uint64_t phys, uint64_t old, uint64_t value, unsigned size);

/* An access of the guest's to whatever is at @addr of @space, ports or memory. */
uint64_t cpu_device_load(Cpu *cpu, AddressSpace *space, uint64_t addr, unsigned size);
void cpu_device_store(Cpu *cpu, AddressSpace *space, uint64_t addr, uint64_t value, unsigned size);

/* What an access to a device takes in counted time, as on a board of the time (cpu_pass_time()).
 * Else loops that ask one until some time has passed would ask tens of thousands of times. */
#define DEVICE_NS 500
/* The same for an access that a helper has made in place of translated code, at the end of a block:
 * nothing passes if there is no device. */
void cpu_pass_access_time(Cpu *cpu, uint64_t addr, unsigned size, unsigned mmu);

/* Monitor and debugger: no faults, no side effects; false where nothing is mapped. */
bool cpu_peek(Cpu *cpu, uint64_t addr, void *buf, uint32_t len);

#endif
