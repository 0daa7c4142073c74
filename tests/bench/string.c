/* SPDX-License-Identifier: MIT
 * String instructions, with and without REP, and the string functions of the C library.
 */
#include "bench.h"
#include <string.h>

static char source[65536 + 64], target[65536 + 64];

static void fill(void)
{
    uint64_t seed = 14;
    for (unsigned i = 0; i < sizeof(source); i++)
        source[i] = (next_random(&seed) >> 24) | 1;
}

static uint64_t sum_target(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < sizeof(target); i += 61)
        sum = mix(sum, (uint8_t)target[i]);
    return sum;
}

static void movsb(void *to, const void *from, uint64_t n)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

uint64_t kernel_movsb_long(unsigned count)
{
    fill();
    for (unsigned round = 0; round < count; round++)
        movsb(target + round % 32, source + round % 16, 65536);
    return sum_target();
}

uint64_t kernel_movsb_short(unsigned count)
{
    uint64_t seed = 15;
    fill();
    for (unsigned round = 0; round < count * 100; round++) {
        uint32_t r = next_random(&seed);
        movsb(target + (r & 0x7fff), source + (r >> 16 & 0x7fff), r % 40 + 1);
    }
    return sum_target();
}

uint64_t kernel_stosq(unsigned count)
{
    for (unsigned round = 0; round < count; round++) {
        void *to = target + (round & 7) * 4096 + (round & 8);
        uint64_t n = 512;
        __asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"((uint64_t)round) : "memory");
    }
    return sum_target();
}

uint64_t kernel_scasb(unsigned count)
{
    uint64_t sum = 0;
    fill();
    for (unsigned round = 0; round < count; round++) {
        const char *at = source;
        uint64_t n = 4096;
        source[1000 + round % 3000] = 0;
        __asm__ volatile("repne scasb" : "+D"(at), "+c"(n) : "a"(0) : "memory", "cc");
        sum += n;
        source[1000 + round % 3000] = 1;
    }
    return sum;
}

uint64_t kernel_cmpsb(unsigned count)
{
    uint64_t sum = 0;
    fill();
    memcpy(target, source, sizeof(target));
    for (unsigned round = 0; round < count; round++) {
        const char *a = source, *b = target;
        uint64_t n = 4096;
        target[1000 + round % 3000] ^= 2;
        __asm__ volatile("repe cmpsb" : "+D"(a), "+S"(b), "+c"(n) : : "memory", "cc");
        sum += n;
        target[1000 + round % 3000] ^= 2;
    }
    return sum;
}

uint64_t kernel_lodsb(unsigned count)
{
    fill();
    for (unsigned round = 0; round < count; round++) {
        const char *from = source;
        char *to = target;
        for (unsigned i = 0; i < 4096; i++) {
            __asm__ volatile("lodsb\n\t"
                             "xorb %2, %%al\n\t"
                             "stosb"
                             : "+S"(from), "+D"(to)
                             : "r"((uint8_t)round)
                             : "rax", "memory", "cc");
        }
    }
    return sum_target();
}

uint64_t kernel_libc_copy(unsigned count)
{
    uint64_t seed = 16;
    fill();
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < 20; i++) {
            uint32_t r = next_random(&seed);
            unsigned n = 1u << r % 12, at = r >> 8 & 0x3fff;
            memcpy(target + at, source + (r >> 20), n + (r >> 30));
            memmove(target + at + 3, target + at, n);
            memset(target + (r >> 18), r >> 4, n);
        }
    }
    return sum_target();
}

uint64_t kernel_libc_search(unsigned count)
{
    uint64_t seed = 17, sum = 0;
    fill();
    memcpy(target, source, sizeof(target));
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < 10; i++) {
            uint32_t r = next_random(&seed);
            unsigned at = r & 0x7fff, n = r >> 15 & 0x3ff;
            source[at + n] = 0;
            sum += strlen(source + at);
            sum += (char *)memchr(source + at, 0, 2048) - source;
            sum += strcmp(source + at, target + at) < 0;
            sum += memcmp(source + at, target + at, 2048) < 0;
            source[at + n] = target[at + n];
        }
    }
    return sum;
}
