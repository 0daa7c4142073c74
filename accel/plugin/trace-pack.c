/* SPDX-License-Identifier: MIT */
/*
 * Numbers as the fewest bytes that hold them, by trace_length[]. Hosts with AVX-512 (VBMI2) pack
 * eight at once: the bytes of a vector that are wanted close up.
 */
#include "accel/plugin/trace-pack.h"

#include <string.h>

#include "accel/plugin/trace-file.h"

static inline uint64_t zigzag(uint64_t v)
{
    return v << 1 ^ (uint64_t)((int64_t)v >> 63);
}

/* The code of its length. */
static inline unsigned put_number(uint8_t **at, uint64_t difference)
{
    uint64_t v = zigzag(difference);
    unsigned bytes = v ? (71u - (unsigned)__builtin_clzll(v)) / 8 : 0, code = bytes < 7 ? bytes : 7;

    v = TRACE_LE64(v);
    memcpy(*at, &v, 8);
    *at += trace_length[code];
    return code;
}

void trace_pack_plain(TraceEnds *to, const uint64_t *addr, const uint64_t *value, unsigned n)
{
    TraceEnds e = *to;

    for (unsigned i = 0; i < n; i++) {
        unsigned of_addr = put_number(&e.addrs, addr[i]);
        *e.lengths++ = (uint8_t)(of_addr | put_number(&e.values, value[i]) << 3);
    }
    *to = e;
}

#ifdef __x86_64__
#include <immintrin.h>

#define WIDE \
    __attribute__((target("avx512f,avx512cd,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")))

/* The eight codes, as bytes. */
static inline WIDE __m128i put_eight(uint8_t **at, const uint64_t *difference)
{
    const __m512i number = _mm512_set1_epi64(0x0706050403020100);
    const __m512i low = _mm512_set_epi64(0x0808080808080808, 0, 0x0808080808080808, 0,
                                         0x0808080808080808, 0, 0x0808080808080808, 0);
    __m512i d = _mm512_loadu_si512(difference);
    __m512i v = _mm512_xor_si512(_mm512_slli_epi64(d, 1), _mm512_srai_epi64(d, 63));
    __m512i bytes =
        _mm512_srli_epi64(_mm512_sub_epi64(_mm512_set1_epi64(71), _mm512_lzcnt_epi64(v)), 3);
    __m512i seven = _mm512_set1_epi64(7), code = _mm512_min_epu64(bytes, seven);
    __m512i length = _mm512_mask_add_epi64(code, _mm512_cmpeq_epi64_mask(code, seven), code,
                                           _mm512_set1_epi64(1));
    __mmask64 wanted =
        _mm512_cmplt_epu8_mask(number, _mm512_shuffle_epi8(length, low)); /* of each lane */

    _mm512_storeu_si512(*at, _mm512_maskz_compress_epi8(wanted, v));
    *at += (unsigned)_mm_popcnt_u64(wanted);
    return _mm512_cvtepi64_epi8(code);
}

static WIDE void pack_wide(TraceEnds *to, const uint64_t *addr, const uint64_t *value, unsigned n)
{
    TraceEnds e = *to;

    for (; n >= 8; n -= 8, addr += 8, value += 8, e.lengths += 8) {
        __m128i of_addr = put_eight(&e.addrs, addr), of_value = put_eight(&e.values, value);
        _mm_storel_epi64((__m128i *)(void *)e.lengths,
                         _mm_or_si128(of_addr, _mm_slli_epi16(of_value, 3)));
    }
    trace_pack_plain(&e, addr, value, n);
    *to = e;
}

TracePackFn *trace_pack_best(void)
{
    return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")
               ? pack_wide
               : trace_pack_plain;
}
#else
TracePackFn *trace_pack_best(void)
{
    return trace_pack_plain;
}
#endif
