/* SPDX-License-Identifier: MIT
 * Integer work: arithmetic, shifts, carries, divisions, small tables.
 */
#include "bench.h"
#include <stdlib.h>
#include <string.h>

uint64_t kernel_sieve(unsigned count)
{
    enum { SIZE = 200000 };
    uint8_t *composite = need_memory(SIZE);
    uint64_t sum = 0;
    for (unsigned round = 0; round < count; round++) {
        memset(composite, 0, SIZE);
        for (unsigned i = 2; i < SIZE; i++) {
            if (composite[i])
                continue;
            sum += i ^ round;
            for (unsigned j = 2 * i; j < SIZE; j += i)
                composite[j] = 1;
        }
    }
    free(composite);
    return sum;
}

static uint32_t crc_step(uint32_t value)
{
    for (int bit = 0; bit < 8; bit++)
        value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
    return value;
}

uint64_t kernel_crc32(unsigned count)
{
    uint32_t table[256], crc = 0;
    uint8_t data[4096];
    uint64_t seed = 1;
    for (unsigned i = 0; i < 256; i++)
        table[i] = crc_step(i);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = next_random(&seed);
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < sizeof(data); i++)
            crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    }
    return crc;
}

/* SHA-256 (FIPS 180-4): the constants are fractional parts of roots, here by integer arithmetic. */
struct sha {
    uint32_t k[64], h[8];
};

static uint32_t rotate_right(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* The first 32 bits of the fraction of the root: largest r with r^power <= p 2^(32 power). */
static uint32_t root_fraction(unsigned p, int power)
{
    unsigned __int128 low = 0, high = UINT64_C(1) << 37;
    while (high - low > 1) {
        unsigned __int128 r = (low + high) / 2;
        unsigned __int128 square = r * r;
        int above = power == 2 ? square > (unsigned __int128)p << 64
                               : square / (UINT64_C(1) << 32) * r > (unsigned __int128)p << 64;
        *(above ? &high : &low) = r;
    }
    return low;
}

static void sha_constants(struct sha *s)
{
    int n = 0;
    for (unsigned p = 2; n < 64; p++) {
        unsigned d = 2;
        while (d * d <= p && p % d)
            d++;
        if (d * d <= p)
            continue;
        s->k[n] = root_fraction(p, 3);
        if (n < 8)
            s->h[n] = root_fraction(p, 2);
        n++;
    }
}

static void sha_block(struct sha *s, const uint32_t *block)
{
    uint32_t w[64], v[8];
    memcpy(w, block, 64);
    memcpy(v, s->h, sizeof(v));
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) +
               (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
    }
    for (int i = 0; i < 64; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t t1 = v[7] + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                      ((e & v[5]) ^ (~e & v[6])) + s->k[i] + w[i];
        uint32_t t2 = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof(*v));
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        s->h[i] += v[i];
}

uint64_t kernel_sha256(unsigned count)
{
    struct sha s;
    uint32_t block[16];
    sha_constants(&s);
    for (unsigned round = 0; round < count; round++) {
        for (int i = 0; i < 16; i++)
            block[i] = round * 16 + i;
        sha_block(&s, block);
    }
    return (uint64_t)s.h[0] << 32 | s.h[7];
}

static void quick_sort(uint32_t *v, int n)
{
    while (n > 12) {
        uint32_t pivot = v[n / 2];
        int i = 0, j = n - 1;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        quick_sort(v, j + 1);
        v += i;
        n -= i;
    }
    for (int i = 1; i < n; i++) {
        uint32_t x = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

uint64_t kernel_sort(unsigned count)
{
    enum { SIZE = 20000 };
    uint32_t *v = need_memory(SIZE * sizeof(*v));
    uint64_t seed = 2, sum = 0;
    for (unsigned round = 0; round < count; round++) {
        for (int i = 0; i < SIZE; i++)
            v[i] = next_random(&seed);
        quick_sort(v, SIZE);
        sum = mix(sum, v[round % SIZE]);
    }
    free(v);
    return sum;
}

static NOINLINE void multiply(uint64_t *out, const uint64_t *a, const uint64_t *b, int n)
{
    memset(out, 0, 2 * n * sizeof(*out));
    for (int i = 0; i < n; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < n; j++) {
            unsigned __int128 t = (unsigned __int128)a[i] * b[j] + out[i + j] + carry;
            out[i + j] = t;
            carry = t >> 64;
        }
        out[i + n] = carry;
    }
}

uint64_t kernel_bignum(unsigned count)
{
    enum { WORDS = 32 };
    uint64_t a[WORDS], b[WORDS], product[2 * WORDS], seed = 3;
    for (int i = 0; i < WORDS; i++) {
        a[i] = (uint64_t)next_random(&seed) << 32 | next_random(&seed);
        b[i] = (uint64_t)next_random(&seed) << 32 | next_random(&seed);
    }
    for (unsigned round = 0; round < count; round++) {
        multiply(product, a, b, WORDS);
        memcpy(a, product + WORDS / 2, sizeof(a));
        a[0] |= 1;
    }
    return mix(product[0], product[2 * WORDS - 1]);
}

static NOINLINE uint64_t gcd64(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static NOINLINE uint32_t gcd32(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

uint64_t kernel_divide(unsigned count)
{
    uint64_t seed = 4, sum = 0;
    for (unsigned round = 0; round < count; round++) {
        uint64_t a = (uint64_t)next_random(&seed) << 32 | next_random(&seed);
        uint64_t b = (uint64_t)next_random(&seed) << 20;
        int32_t c = next_random(&seed), d = (next_random(&seed) & 0xffff) | 1;
        sum = mix(sum, gcd64(a, b) + gcd32(a, b >> 16) + c / d + c % d);
    }
    return sum;
}

uint64_t kernel_bits(unsigned count)
{
    uint64_t x = UINT64_C(0x0123456789abcdef), sum = 0;
    for (unsigned round = 0; round < count; round++) {
        for (int i = 0; i < 64; i++) {
            uint64_t y = x - (x >> 1 & UINT64_C(0x5555555555555555));
            y = (y & UINT64_C(0x3333333333333333)) + (y >> 2 & UINT64_C(0x3333333333333333));
            y = (y + (y >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
            sum += y * UINT64_C(0x0101010101010101) >> 56;
            sum += __builtin_ctzll(x | UINT64_C(1) << 63) + __builtin_clzll(x | 1);
            x = (x << (i & 63) | x >> (-i & 63)) ^ __builtin_bswap64(x) ^ sum;
        }
    }
    return mix(x, sum);
}

/* What compilers seldom emit in a row, in assembly: every flag is made and used. */
uint64_t kernel_flags(unsigned count)
{
    uint64_t a = 1, b = 0xfedcba98, c = 3;
    for (unsigned round = 0; round < count * 64; round++) {
        __asm__("addq %1, %0\n\t"
                "adcq $0, %2\n\t"
                "sbbq %0, %1\n\t"
                "rclq $1, %2\n\t"
                "setc %%cl\n\t"
                "setp %%ch\n\t"
                "addb %%ch, %%cl\n\t"
                "shldq %%cl, %0, %1\n\t"
                "cmovbq %2, %0\n\t"
                "rorq %%cl, %0\n\t"
                "cmpq %1, %2\n\t"
                "cmovgq %1, %2\n\t"
                "seto %%ch\n\t"
                "movzbl %%ch, %%ecx\n\t"
                "leaq 1(%0,%%rcx), %0"
                : "+r"(a), "+r"(b), "+r"(c)
                :
                : "rcx", "cc");
    }
    return mix(mix(a, b), c);
}

uint64_t kernel_matrix(unsigned count)
{
    enum { N = 64 };
    static int32_t a[N][N], b[N][N], c[N][N];
    uint64_t seed = 5, sum = 0;
    for (int i = 0; i < N * N; i++) {
        a[i / N][i % N] = next_random(&seed) >> 16;
        b[i / N][i % N] = next_random(&seed) >> 16;
    }
    for (unsigned round = 0; round < count; round++) {
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                int32_t s = 0;
                for (int k = 0; k < N; k++)
                    s += a[i][k] * b[k][j];
                c[i][j] = s;
            }
        }
        a[round % N][0] = c[0][round % N];
        sum = mix(sum, c[round % N][N - 1]);
    }
    return sum;
}
