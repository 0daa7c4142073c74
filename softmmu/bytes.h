/* SPDX-License-Identifier: MIT */
/* Numbers of up to eight bytes in memory whose byte order is given, not the host's. */
#ifndef SOFTMMU_BYTES_H
#define SOFTMMU_BYTES_H

#include <stdint.h>

static inline uint64_t get_le(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

static inline void put_le(uint8_t *p, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++, value >>= 8)
        p[i] = value;
}

static inline uint64_t get_be(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

static inline void put_be(uint8_t *p, unsigned bytes, uint64_t value)
{
    for (unsigned i = bytes; i-- > 0; value >>= 8)
        p[i] = value;
}

#endif
