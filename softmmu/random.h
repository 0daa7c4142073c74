/* SPDX-License-Identifier: MIT */
/*
 * Random numbers for the guest (RDRAND, devices), all from MachineConfig.seed: equal seeds give
 * equal machines. Number @n of @stream is a function of these and the seed, so that users keep
 * nothing but a count. Streams: CPUs by index, the number of the machine's generation, devices from
 * RANDOM_DEVICES on.
 */
#ifndef SOFTMMU_RANDOM_H
#define SOFTMMU_RANDOM_H

#include <stdint.h>

enum { RANDOM_GENERATION = 0xffff, RANDOM_DEVICES = 0x10000 };

uint64_t random_number(uint64_t seed, uint32_t stream, uint64_t n);

#endif
