/* SPDX-License-Identifier: MIT */
/*
 * ChaCha20 (RFC 8439, 2.3) keyed with the seed; the stream is the nonce, eight numbers a block.
 * The key has 64 bits of entropy: the guest's numbers are no secret from who can try all seeds.
 */
#include "softmmu/random.h"

#include <string.h>

static uint32_t rotl(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotl(*d ^ *a, 16);
    *c += *d;
    *b = rotl(*b ^ *c, 12);
    *a += *b;
    *d = rotl(*d ^ *a, 8);
    *c += *d;
    *b = rotl(*b ^ *c, 7);
}

static void chacha_block(uint32_t out[16], const uint32_t in[16])
{
    memcpy(out, in, 64);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++)
            quarter_round(&out[i], &out[4 + i], &out[8 + i], &out[12 + i]);
        for (unsigned i = 0; i < 4; i++)
            quarter_round(&out[i], &out[4 + (i + 1) % 4], &out[8 + (i + 2) % 4],
                          &out[12 + (i + 3) % 4]);
    }
    for (unsigned i = 0; i < 16; i++)
        out[i] += in[i];
}

uint64_t random_number(uint64_t seed, uint32_t stream, uint64_t n)
{
    const uint32_t lo = (uint32_t)seed, hi = (uint32_t)(seed >> 32);
    const uint64_t block = n / 8;
    const uint32_t in[16] = { 0x61707865,
                              0x3320646e,
                              0x79622d32,
                              0x6b206574,
                              lo,
                              hi,
                              0,
                              0,
                              0,
                              0,
                              0,
                              0,
                              (uint32_t)block,
                              (uint32_t)(block >> 32),
                              stream,
                              0 };
    uint32_t out[16];

    chacha_block(out, in);
    return out[2 * (n % 8)] | (uint64_t)out[2 * (n % 8) + 1] << 32;
}
