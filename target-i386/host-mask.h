/* SPDX-License-Identifier: MIT */
/*
 * Up to 64 bytes of host memory at once, by AVX-512BW where the host has it, in registers that
 * translated code does not use (ZMM16 and up, K1 and up): for code that runs while the others are
 * live and is compiled without any. Bytes beyond @n are neither read nor written. Without branches
 * on @n: the lengths of short strings are hard to predict. And four times as many, to find what is
 * far away.
 */
#ifndef TARGET_I386_HOST_MASK_H
#define TARGET_I386_HOST_MASK_H

#include <stdbool.h>
#include <stdint.h>

enum { MASK_BYTES = 64, MASK_BLOCK = 4 * MASK_BYTES };

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

/* Is a bit set in ZMM16 to ZMM19? */
#define MASK_ANY                                      \
    "vpternlogq $0xfe, %%zmm18, %%zmm17, %%zmm16\n\t" \
    "vporq %%zmm19, %%zmm16, %%zmm16\n\t"             \
    "vptestmq %%zmm16, %%zmm16, %%k1\n\t"             \
    "kortestw %%k1, %%k1"

/* Do two blocks differ? */
static inline bool mask_block_differs(const uint8_t *a, const uint8_t *b)
{
    bool r;

    __asm__ volatile("vmovdqu64 (%1), %%zmm16\n\t"
                     "vmovdqu64 64(%1), %%zmm17\n\t"
                     "vmovdqu64 128(%1), %%zmm18\n\t"
                     "vmovdqu64 192(%1), %%zmm19\n\t"
                     "vpxorq (%2), %%zmm16, %%zmm16\n\t"
                     "vpxorq 64(%2), %%zmm17, %%zmm17\n\t"
                     "vpxorq 128(%2), %%zmm18, %%zmm18\n\t"
                     "vpxorq 192(%2), %%zmm19, %%zmm19\n\t" MASK_ANY
                     : "=@ccnz"(r)
                     : "r"(a), "r"(b)
                     : "memory");
    return r;
}

/* What the next two look for: @v of eight bytes again and again. */
static inline void mask_look_for(uint64_t v)
{
    __asm__ volatile("vpbroadcastq %0, %%zmm20" : : "r"(v));
}

/* Is anything else in the block? */
static inline bool mask_block_has_other(const uint8_t *p)
{
    bool r;

    __asm__ volatile("vpxorq (%1), %%zmm20, %%zmm16\n\t"
                     "vpxorq 64(%1), %%zmm20, %%zmm17\n\t"
                     "vpxorq 128(%1), %%zmm20, %%zmm18\n\t"
                     "vpxorq 192(%1), %%zmm20, %%zmm19\n\t" MASK_ANY
                     : "=@ccnz"(r)
                     : "r"(p)
                     : "memory");
    return r;
}

#define MASK_BLOCK_EQUAL(lane)                                    \
    __asm__ volatile("vpcmpeq" lane " (%1), %%zmm20, %%k1\n\t"    \
                     "vpcmpeq" lane " 64(%1), %%zmm20, %%k2\n\t"  \
                     "vpcmpeq" lane " 128(%1), %%zmm20, %%k3\n\t" \
                     "vpcmpeq" lane " 192(%1), %%zmm20, %%k4\n\t" \
                     "korq %%k1, %%k2, %%k1\n\t"                  \
                     "korq %%k3, %%k4, %%k3\n\t"                  \
                     "kortestq %%k1, %%k3"                        \
                     : "=@ccnz"(r)                                \
                     : "r"(p)                                     \
                     : "memory")

/* Is one of the block's elements of 1 << @log2 bytes what is looked for? */
static inline bool mask_block_has(const uint8_t *p, unsigned log2)
{
    bool r;

    switch (log2) {
    case 0: MASK_BLOCK_EQUAL("b"); break;
    case 1: MASK_BLOCK_EQUAL("w"); break;
    case 2: MASK_BLOCK_EQUAL("d"); break;
    default: MASK_BLOCK_EQUAL("q"); break;
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
static inline bool mask_block_differs(const uint8_t *a, const uint8_t *b)
{
    return true;
}
static inline void mask_look_for(uint64_t v)
{
}
static inline bool mask_block_has_other(const uint8_t *p)
{
    return true;
}
static inline bool mask_block_has(const uint8_t *p, unsigned log2)
{
    return true;
}

#endif
#endif
