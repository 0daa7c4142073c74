/* SPDX-License-Identifier: MIT */
/*
 * Which pages the jump cache's blocks touch: filters of bits by a hash of the page's number. A bit
 * that is not set says for sure that there is none.
 */
#ifndef ACCEL_CODE_FILTER_H
#define ACCEL_CODE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

static inline unsigned bloom(uint64_t n, unsigned bits)
{
    return (n * 0x9e3779b97f4a7c15ull) >> (64 - bits);
}

#define CODE_PAGE_BITS 15
#define CODE_UNIT_BITS 10

static inline void set_bit(uint64_t *map, unsigned n)
{
    map[n / 64] |= 1ull << (n % 64);
}

static inline bool has_bit(const uint64_t *map, unsigned n)
{
    return map[n / 64] >> (n % 64) & 1;
}

#endif
