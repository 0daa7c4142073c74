/* SPDX-License-Identifier: MIT */
/* Operations on 64 bits that C has no name for (Intel SDM vol. 2: PDEP, PEXT, DIV, IDIV). */
#ifndef TCG_BITS_H
#define TCG_BITS_H

#include <stdbool.h>
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

/* hi:lo / c: quotient and remainder to result[0] and [1]. False: the quotient does not fit. */
static inline bool bits_divide_unsigned(uint64_t hi, uint64_t lo, uint64_t c, uint64_t *result)
{
    unsigned __int128 v = (unsigned __int128)hi << 64 | lo;

    if (hi >= c) {
        return false;
    }
    result[0] = (uint64_t)(v / c);
    result[1] = (uint64_t)(v % c);
    return true;
}

static inline bool bits_divide_signed(uint64_t hi, uint64_t lo, int64_t c, uint64_t *result)
{
    __int128 v = (__int128)((unsigned __int128)hi << 64 | lo), q;

    if (c == 0 || (hi == (uint64_t)INT64_MIN && lo == 0 && c == -1)) {
        return false;
    }
    q = v / c;
    if (q != (int64_t)q) {
        return false;
    }
    result[0] = (uint64_t)q;
    result[1] = (uint64_t)(v % c);
    return true;
}

#endif
