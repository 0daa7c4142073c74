/* SPDX-License-Identifier: MIT */
/*
 * Up to 64 bytes of host memory at once, by AVX-512BW where the host has it, in registers that
 * translated code does not use (ZMM16, K1, K2): for code that runs while the others are live and
 * is compiled without any. Bytes beyond @n are neither read nor written. Without branches on @n:
 * the lengths of short strings are hard to predict.
 */
#ifndef TARGET_I386_HOST_MASK_H
#define TARGET_I386_HOST_MASK_H

#include <stdbool.h>
#include <stdint.h>

enum { MASK_BYTES = 64 };

static inline uint64_t mask_of(uint64_t n) /* 1 to 64 */
{
    return UINT64_MAX >> (MASK_BYTES - n);
}

#if defined(__x86_64__)

static inline bool mask_has(void)
{
    return __builtin_cpu_supports("avx512bw");
}

static inline void mask_copy_few(uint8_t *to, const uint8_t *from, uint64_t n) /* 1 to 64 */
{
    __asm__ volatile("kmovq %2, %%k1\n\t"
                     "vmovdqu8 (%1), %%zmm16%{%%k1%}%{z%}\n\t"
                     "vmovdqu8 %%zmm16, (%0)%{%%k1%}"
                     :
                     : "r"(to), "r"(from), "r"(mask_of(n))
                     : "memory");
}

enum { MASK_ALIGNED = 8 * MASK_BYTES }; /* so many that stores within one line each are worth it */

/* Upwards; @to may be below @from and overlap. */
static inline void mask_copy(uint8_t *to, const uint8_t *from, uint64_t n)
{
    if (n >= MASK_ALIGNED) {
        uint64_t first = MASK_BYTES - ((uintptr_t)to & (MASK_BYTES - 1));

        mask_copy_few(to, from, first);
        to += first;
        from += first;
        n -= first;
    }
    for (; n > MASK_BYTES; to += MASK_BYTES, from += MASK_BYTES, n -= MASK_BYTES)
        __asm__ volatile("vmovdqu64 (%1), %%zmm16\n\t"
                         "vmovdqu64 %%zmm16, (%0)"
                         :
                         : "r"(to), "r"(from)
                         : "memory");
    mask_copy_few(to, from, n);
}

/* @v of eight bytes again and again; all but the first and the last store within one line each. */
static inline void mask_fill(uint8_t *to, uint64_t v, uint64_t n)
{
    __asm__ volatile("vpbroadcastq %0, %%zmm16" : : "r"(v));
    if (n > MASK_BYTES) {
        uint64_t first = MASK_BYTES - ((uintptr_t)to & (MASK_BYTES - 8));

        __asm__ volatile("vmovdqu64 %%zmm16, (%0)" : : "r"(to) : "memory");
        to += first;
        n -= first;
    }
    for (; n > MASK_BYTES; to += MASK_BYTES, n -= MASK_BYTES)
        __asm__ volatile("vmovdqu64 %%zmm16, (%0)" : : "r"(to) : "memory");
    __asm__ volatile("kmovq %1, %%k1\n\t"
                     "vmovdqu8 %%zmm16, (%0)%{%%k1%}"
                     :
                     : "r"(to), "r"(mask_of(n))
                     : "memory");
}

/* Which bytes differ. */
static inline uint64_t mask_differ(const uint8_t *a, const uint8_t *b, uint64_t n)
{
    uint64_t r;

    __asm__ volatile("kmovq %3, %%k1\n\t"
                     "vmovdqu8 (%1), %%zmm16%{%%k1%}%{z%}\n\t"
                     "vpcmpneqb (%2), %%zmm16, %%k2%{%%k1%}\n\t"
                     "kmovq %%k2, %0"
                     : "=r"(r)
                     : "r"(a), "r"(b), "r"(mask_of(n))
                     : "memory");
    return r;
}

#define MASK_EQUAL(lane, width)                                        \
    __asm__ volatile("kmovq %3, %%k1\n\t"                              \
                     "vpbroadcast" lane " %" width "1, %%zmm16\n\t"    \
                     "vpcmpeq" lane " (%2), %%zmm16, %%k2%{%%k1%}\n\t" \
                     "kmovq %%k2, %0"                                  \
                     : "=r"(r)                                         \
                     : "r"(v), "r"(p), "r"(elements)                   \
                     : "memory")

/* Which of the @n elements of 1 << @log2 bytes, at most 64 bytes, equal @v. */
static inline uint64_t mask_equal(const uint8_t *p, unsigned log2, uint64_t v, uint64_t n)
{
    uint64_t r, elements = mask_of(n);

    switch (log2) {
    case 0: MASK_EQUAL("b", "k"); break;
    case 1: MASK_EQUAL("w", "k"); break;
    case 2: MASK_EQUAL("d", "k"); break;
    default: MASK_EQUAL("q", ""); break;
    }
    return r;
}

#else

static inline bool mask_has(void)
{
    return false;
}
static inline void mask_copy(uint8_t *to, const uint8_t *from, uint64_t n)
{
}
static inline void mask_fill(uint8_t *to, uint64_t v, uint64_t n)
{
}
static inline uint64_t mask_differ(const uint8_t *a, const uint8_t *b, uint64_t n)
{
    return 0;
}
static inline uint64_t mask_equal(const uint8_t *p, unsigned log2, uint64_t v, uint64_t n)
{
    return 0;
}

#endif
#endif
