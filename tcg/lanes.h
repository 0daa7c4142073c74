/* SPDX-License-Identifier: MIT */
/*
 * Byte order. What the guest's memory holds is little-endian. Everything else is the host's: a
 * vector in the CPU state, among values or as a helper's operand is 64-bit words of the host's byte
 * order, the low word first. To get at its lanes it is copied into a VecValue, whose members have
 * their usual places on any host.
 */
#ifndef TCG_LANES_H
#define TCG_LANES_H

#include <glib.h>
#include <stdint.h>
#include <string.h>

#if G_BYTE_ORDER == G_BIG_ENDIAN
#define LANES_HOST_BIG 1
#define LANES_ORDER    __attribute__((scalar_storage_order("little-endian")))
#else
#define LANES_HOST_BIG 0
#define LANES_ORDER
#endif

typedef union LANES_ORDER VecValue {
    uint8_t b[16];
    uint16_t h[8];
    uint32_t w[4];
    uint64_t q[2];
    int8_t sb[16];
    int16_t sh[8];
    int32_t sw[4];
    int64_t sq[2];
} VecValue;

static inline VecValue vec_get(const void *words)
{
    uint64_t q[2];

    memcpy(q, words, sizeof(q));
    return (VecValue){ .q = { q[0], q[1] } };
}

static inline void vec_put(void *words, VecValue v)
{
    uint64_t q[2] = { v.q[0], v.q[1] };

    memcpy(words, q, sizeof(q));
}

/* Lane @i of @size bytes of a vector of any length. */
static inline uint64_t lanes_get(const void *words, unsigned i, unsigned size)
{
    uint64_t word;

    memcpy(&word, (const uint8_t *)words + (i * size & ~7u), 8);
    word >>= (i * size & 7) * 8;
    return size == 8 ? word : word & ((UINT64_C(1) << size * 8) - 1);
}

static inline void lanes_set(void *words, unsigned i, unsigned size, uint64_t v)
{
    uint8_t *p = (uint8_t *)words + (i * size & ~7u);
    unsigned shift = (i * size & 7) * 8;
    uint64_t word, mask = size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;

    memcpy(&word, p, 8);
    word = (word & ~(mask << shift)) | (v & mask) << shift;
    memcpy(p, &word, 8);
}

/* Where a number of @size bytes is in a word of 64 bits that holds it. */
static inline unsigned lanes_narrow(unsigned size)
{
    return LANES_HOST_BIG && size < 8 ? 8 - size : 0;
}

/* Numbers of @size bytes, at most 8, in the guest's memory. */
static inline uint64_t guest_get(const void *p, unsigned size)
{
    uint64_t v = 0;

    memcpy(&v, p, size);
    return GUINT64_FROM_LE(v);
}

static inline void guest_put(void *p, uint64_t v, unsigned size)
{
    v = GUINT64_TO_LE(v);
    memcpy(p, &v, size);
}

/* @size bytes in the guest's order from and to words in the host's, the last of which may be partly
 * used. */
static inline void words_from_guest(uint64_t *words, const void *p, unsigned size)
{
    for (unsigned i = 0; i < size; i += 8) {
        words[i / 8] = guest_get((const uint8_t *)p + i, MIN(size - i, 8));
    }
}

static inline void words_to_guest(void *p, const uint64_t *words, unsigned size)
{
    for (unsigned i = 0; i < size; i += 8) {
        guest_put((uint8_t *)p + i, words[i / 8], MIN(size - i, 8));
    }
}

#endif
