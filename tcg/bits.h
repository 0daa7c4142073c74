/* SPDX-License-Identifier: MIT */
/* Bit operations that C has no name for (Intel SDM vol. 2: PDEP, PEXT). */
#ifndef TCG_BITS_H
#define TCG_BITS_H

#include <stdint.h>

/* The low bits of @v at the one bits of @mask. */
static inline uint64_t bits_scatter(uint64_t v, uint64_t mask)
{
    uint64_t r = 0;

    for (; mask; mask &= mask - 1, v >>= 1)
        r |= v & 1 ? mask & -mask : 0;
    return r;
}

/* The bits of @v at the one bits of @mask, at the low end. */
static inline uint64_t bits_gather(uint64_t v, uint64_t mask)
{
    uint64_t r = 0;

    for (uint64_t to = 1; mask; mask &= mask - 1, to <<= 1)
        r |= v & mask & -mask ? to : 0;
    return r;
}

#endif
