/* SPDX-License-Identifier: MIT
 * The benchmarks inside the guest: each kernel does `count` rounds of its work and returns a
 * checksum that must not depend on the emulator.
 */
#pragma once
#include <stdint.h>

#define KERNEL(name, class, times, needs, text) uint64_t kernel_##name(unsigned count);
#include "kernels.def"
#undef KERNEL

#define NOINLINE __attribute__((noinline))

/* Keep a value, and what computes it, although nothing reads it. */
#define KEEP(x) __asm__ volatile("" : "+g"(x) : : "memory")

static inline uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 29;
}

static inline uint64_t mix_double(uint64_t sum, double value)
{
    union {
        double d;
        uint64_t u;
    } bits = { .d = value };
    return mix(sum, bits.u);
}

static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 32;
}

/* Print why, and end the benchmark as failed. */
_Noreturn void fail(const char *what);

/* malloc and mmap that fail() instead of returning nothing. */
void *need_memory(uint64_t size);
void *need_pages(uint64_t size, int protection);
