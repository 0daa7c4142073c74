/* SPDX-License-Identifier: MIT
 * Packed SSE2, and AVX2 where the row in kernels.def asks for it.
 */
#include "bench.h"
#include <immintrin.h>
#include <string.h>

enum { FLOATS = 2048 };

static void ramp(float *x, float *y)
{
    for (int i = 0; i < FLOATS; i++) {
        x[i] = i * 0.5f - 300;
        y[i] = 1000 - i * 0.25f;
    }
}

static uint64_t sum_bytes(const void *data, unsigned size)
{
    uint64_t sum = 0, word;
    for (unsigned i = 0; i + 8 <= size; i += 8) {
        memcpy(&word, (const char *)data + i, 8);
        sum = mix(sum, word);
    }
    return sum;
}

uint64_t kernel_axpy(unsigned count)
{
    static float x[FLOATS], y[FLOATS + 1];
    ramp(x, y);
    for (unsigned round = 0; round < count; round++) {
        __m128 a = _mm_set1_ps(round & 1 ? -0.125f : 0.124f);
        for (int i = 0; i < FLOATS; i += 4) { /* one side is unaligned */
            __m128 v = _mm_add_ps(_mm_mul_ps(a, _mm_load_ps(x + i)), _mm_loadu_ps(y + i + 1));
            _mm_storeu_ps(y + i + 1, v);
        }
    }
    return sum_bytes(y, sizeof(y));
}

__attribute__((target("avx2"))) uint64_t kernel_axpy_avx(unsigned count)
{
    static float x[FLOATS] __attribute__((aligned(32))), y[FLOATS + 1];
    ramp(x, y);
    for (unsigned round = 0; round < count; round++) {
        __m256 a = _mm256_set1_ps(round & 1 ? -0.125f : 0.124f);
        for (int i = 0; i < FLOATS; i += 8) {
            __m256 v = _mm256_mul_ps(a, _mm256_load_ps(x + i));
            _mm256_storeu_ps(y + i + 1, _mm256_add_ps(v, _mm256_loadu_ps(y + i + 1)));
        }
    }
    return sum_bytes(y, sizeof(y));
}

static NOINLINE void multiply4(float *out, const float *a, const float *b)
{
    __m128 rows[4];
    for (int i = 0; i < 4; i++)
        rows[i] = _mm_load_ps(b + 4 * i);
    for (int i = 0; i < 4; i++) {
        __m128 r = _mm_load_ps(a + 4 * i);
        __m128 v = _mm_mul_ps(_mm_shuffle_ps(r, r, 0x00), rows[0]);
        v = _mm_add_ps(v, _mm_mul_ps(_mm_shuffle_ps(r, r, 0x55), rows[1]));
        v = _mm_add_ps(v, _mm_mul_ps(_mm_shuffle_ps(r, r, 0xaa), rows[2]));
        v = _mm_add_ps(v, _mm_mul_ps(_mm_shuffle_ps(r, r, 0xff), rows[3]));
        _mm_store_ps(out + 4 * i, v);
    }
}

uint64_t kernel_matrix4(unsigned count)
{
    static float m[16] __attribute__((aligned(16))), turn[16] __attribute__((aligned(16)));
    for (int i = 0; i < 16; i++) {
        m[i] = i - 7.5f;
        turn[i] = i % 5 == 0;
    }
    turn[0] = turn[5] = 0.8f; /* a rotation, so that nothing grows or vanishes */
    turn[1] = -0.6f;
    turn[4] = 0.6f;
    for (unsigned round = 0; round < count * 10; round++)
        multiply4(m, m, turn);
    return sum_bytes(m, sizeof(m));
}

uint64_t kernel_dot(unsigned count)
{
    enum { N = 1024 };
    static double a[N], b[N];
    uint64_t sum = 0;
    for (int i = 0; i < N; i++) {
        a[i] = 1.0 / (i + 1);
        b[i] = i * 0.75 - 100;
    }
    for (unsigned round = 0; round < count; round++) {
        __m128d even = _mm_setzero_pd(), odd = even, high = even;
        for (int i = 0; i < N; i += 4) {
            __m128d x = _mm_load_pd(a + i), y = _mm_load_pd(a + i + 2);
            even = _mm_add_pd(even, _mm_mul_pd(x, _mm_load_pd(b + i)));
            odd = _mm_add_pd(odd, _mm_mul_pd(y, _mm_load_pd(b + i + 2)));
            high = _mm_max_pd(high, _mm_sub_pd(x, y));
        }
        double out[2];
        _mm_storeu_pd(out, _mm_add_pd(_mm_sqrt_pd(high), _mm_add_pd(even, odd)));
        sum = mix_double(mix_double(sum, out[0]), out[1]);
        a[round % N] += 0.001;
    }
    return sum;
}

enum { PIXELS = 4096 };

static void picture(uint8_t *p)
{
    uint64_t seed = 19;
    for (int i = 0; i < PIXELS; i++)
        p[i] = next_random(&seed) >> 24;
}

/* Each byte becomes (3 left + 10 itself + 3 right) / 16. */
uint64_t kernel_blur(unsigned count)
{
    static uint8_t p[PIXELS + 32];
    const __m128i zero = _mm_setzero_si128(), three = _mm_set1_epi16(3), ten = _mm_set1_epi16(10);
    picture(p);
    for (unsigned round = 0; round < count; round++) {
        p[round % PIXELS] ^= 0xff;
        for (int i = 0; i < PIXELS; i += 16) {
            __m128i l = _mm_loadu_si128((__m128i *)(p + i));
            __m128i c = _mm_loadu_si128((__m128i *)(p + i + 1));
            __m128i r = _mm_loadu_si128((__m128i *)(p + i + 2));
            __m128i low = _mm_add_epi16(_mm_unpacklo_epi8(l, zero), _mm_unpacklo_epi8(r, zero));
            __m128i high = _mm_add_epi16(_mm_unpackhi_epi8(l, zero), _mm_unpackhi_epi8(r, zero));
            low = _mm_add_epi16(_mm_mullo_epi16(low, three),
                                _mm_mullo_epi16(_mm_unpacklo_epi8(c, zero), ten));
            high = _mm_add_epi16(_mm_mullo_epi16(high, three),
                                 _mm_mullo_epi16(_mm_unpackhi_epi8(c, zero), ten));
            c = _mm_packus_epi16(_mm_srli_epi16(low, 4), _mm_srli_epi16(high, 4));
            _mm_storeu_si128((__m128i *)(p + i + 1), _mm_max_epu8(c, _mm_avg_epu8(l, r)));
        }
    }
    return sum_bytes(p, sizeof(p));
}

__attribute__((target("avx2"))) uint64_t kernel_blur_avx(unsigned count)
{
    static uint8_t p[PIXELS + 64];
    const __m256i zero = _mm256_setzero_si256();
    const __m256i three = _mm256_set1_epi16(3), ten = _mm256_set1_epi16(10);
    picture(p);
    for (unsigned round = 0; round < count; round++) {
        p[round % PIXELS] ^= 0xff;
        for (int i = 0; i < PIXELS; i += 32) {
            __m256i l = _mm256_loadu_si256((__m256i *)(p + i));
            __m256i c = _mm256_loadu_si256((__m256i *)(p + i + 1));
            __m256i r = _mm256_loadu_si256((__m256i *)(p + i + 2));
            __m256i low =
                _mm256_add_epi16(_mm256_unpacklo_epi8(l, zero), _mm256_unpacklo_epi8(r, zero));
            __m256i high =
                _mm256_add_epi16(_mm256_unpackhi_epi8(l, zero), _mm256_unpackhi_epi8(r, zero));
            low = _mm256_add_epi16(_mm256_mullo_epi16(low, three),
                                   _mm256_mullo_epi16(_mm256_unpacklo_epi8(c, zero), ten));
            high = _mm256_add_epi16(_mm256_mullo_epi16(high, three),
                                    _mm256_mullo_epi16(_mm256_unpackhi_epi8(c, zero), ten));
            c = _mm256_packus_epi16(_mm256_srli_epi16(low, 4), _mm256_srli_epi16(high, 4));
            _mm256_storeu_si256((__m256i *)(p + i + 1), _mm256_max_epu8(c, _mm256_avg_epu8(l, r)));
        }
    }
    return sum_bytes(p, sizeof(p));
}

static inline __m128i rotate(__m128i x, int n)
{
    return _mm_or_si128(_mm_slli_epi32(x, n), _mm_srli_epi32(x, 32 - n));
}

/* The quarter rounds of ChaCha20 (RFC 8439) on four columns, then on the diagonals. */
uint64_t kernel_chacha(unsigned count)
{
    __m128i a = _mm_set_epi32(1, 2, 3, 4), b = _mm_set_epi32(5, 6, 7, 8);
    __m128i c = _mm_set_epi32(9, 10, 11, 12), d = _mm_set_epi32(13, 14, 15, 16);
    for (unsigned round = 0; round < count * 20; round++) {
        a = _mm_add_epi32(a, b);
        d = rotate(_mm_xor_si128(d, a), 16);
        c = _mm_add_epi32(c, d);
        b = rotate(_mm_xor_si128(b, c), 12);
        a = _mm_add_epi32(a, b);
        d = rotate(_mm_xor_si128(d, a), 8);
        c = _mm_add_epi32(c, d);
        b = rotate(_mm_xor_si128(b, c), 7);
        b = _mm_shuffle_epi32(b, 0x39);
        c = _mm_shuffle_epi32(c, 0x4e);
        d = _mm_shuffle_epi32(d, 0x93);
    }
    __m128i all[4] = { a, b, c, d };
    return sum_bytes(all, sizeof(all));
}
