/* SPDX-License-Identifier: MIT */
/*
 * Packed operations from SSSE3 to SHA (SDM vol. 2; FIPS 197 for AES, FIPS 180-4 for SHA).
 */
#include "tcg/vec-soft.h"

#include <string.h>

#include "tcg/flags.h"

#define SOFT(name)                                                                         \
    static void name(VecValue *r, const VecValue *x, const VecValue *y, const VecValue *z, \
                     uint32_t imm)

static int32_t clamp16(int32_t v)
{
    return v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v;
}

/* ---- Arithmetic ----------------------------------------------------------------------------- */
SOFT(shufb)
{
    for (unsigned i = 0; i < 16; i++) {
        r->b[i] = y->b[i] & 0x80 ? 0 : x->b[y->b[i] & 15];
    }
}

/* Neighbours p, q of x give the low half of the result, those of y the high half. */
#define NEIGHBOURS(name, to, from, n, expr)             \
    SOFT(name)                                          \
    {                                                   \
        for (unsigned i = 0; i < n; i++) {              \
            const VecValue *v = i < n / 2 ? x : y;      \
            int64_t p = v->from[2 * (i % (n / 2))];     \
            int64_t q = v->from[2 * (i % (n / 2)) + 1]; \
            r->to[i] = (__typeof__(r->to[0]))(expr);    \
        }                                               \
    }
NEIGHBOURS(hadd_1, h, sh, 8, p + q)
NEIGHBOURS(hadd_2, w, sw, 4, p + q)
NEIGHBOURS(hsub_1, h, sh, 8, p - q)
NEIGHBOURS(hsub_2, w, sw, 4, p - q)
NEIGHBOURS(hadds_1, sh, sh, 8, clamp16((int32_t)(p + q)))
NEIGHBOURS(hsubs_1, sh, sh, 8, clamp16((int32_t)(p - q)))

SOFT(maddub)
{
    for (unsigned i = 0; i < 8; i++) {
        int32_t p = x->b[2 * i] * y->sb[2 * i], q = x->b[2 * i + 1] * y->sb[2 * i + 1];
        r->sh[i] = (int16_t)clamp16(p + q);
    }
}

/* r.f[i] = expr of p = x.f[i] and q = y.f[i] */
#define LANES(name, f, n, expr)                    \
    SOFT(name)                                     \
    {                                              \
        for (unsigned i = 0; i < n; i++) {         \
            int64_t p = x->f[i], q = y->f[i];      \
            (void)q;                               \
            r->f[i] = (__typeof__(r->f[0]))(expr); \
        }                                          \
    }
LANES(mulhrs, sh, 8, (((p * q) >> 14) + 1) >> 1)
LANES(sign_0, sb, 16, q < 0 ? -p : q ? p : 0)
LANES(sign_1, sh, 8, q < 0 ? -p : q ? p : 0)
LANES(sign_2, sw, 4, q < 0 ? -p : q ? p : 0)

#define ABSOLUTE(name, f, n)                                 \
    SOFT(name)                                               \
    {                                                        \
        for (unsigned i = 0; i < n; i++) {                   \
            int64_t p = x->f[i];                             \
            r->f[i] = (__typeof__(r->f[0]))(p < 0 ? -p : p); \
        }                                                    \
    }
ABSOLUTE(abs_0, sb, 16)
ABSOLUTE(abs_1, sh, 8)
ABSOLUTE(abs_2, sw, 4)

SOFT(mulsd)
{
    for (unsigned i = 0; i < 2; i++) {
        r->sq[i] = (int64_t)x->sw[2 * i] * y->sw[2 * i];
    }
}

SOFT(minpos)
{
    unsigned best = 0;

    for (unsigned i = 1; i < 8; i++) {
        if (x->h[i] < x->h[best]) {
            best = i;
        }
    }
    *r = (VecValue){ .h = { x->h[best], (uint16_t)best } };
}

SOFT(mpsad)
{
    unsigned xat = (imm >> 2 & 1) * 4, yat = (imm & 3) * 4;

    for (unsigned i = 0; i < 8; i++) {
        r->h[i] = 0;
        for (unsigned k = 0; k < 4; k++) {
            int d = x->b[xat + i + k] - y->b[yat + k];
            r->h[i] = (uint16_t)(r->h[i] + (d < 0 ? -d : d));
        }
    }
}

/* ---- Rearrangement -------------------------------------------------------------------------- */
static int64_t lane_of(const VecValue *x, unsigned lane, unsigned i, bool is_signed)
{
    unsigned bits = 8u << lane;
    uint64_t v = x->q[i * bits / 64] >> (i * bits % 64);

    return is_signed ? (int64_t)(v << (64 - bits)) >> (64 - bits)
                     : (int64_t)(v << (64 - bits) >> (64 - bits));
}

static void widen(VecValue *r, const VecValue *x, unsigned lane, unsigned to, bool is_signed)
{
    for (unsigned i = 0; i < 16u >> to; i++) {
        guest_put(r->b + (i << to), (uint64_t)lane_of(x, lane, i, is_signed), 1u << to);
    }
}

#define WIDEN(lane)                    \
    SOFT(sext_##lane)                  \
    {                                  \
        widen(r, x, lane, imm, true);  \
    }                                  \
    SOFT(zext_##lane)                  \
    {                                  \
        widen(r, x, lane, imm, false); \
    }
WIDEN(0)
WIDEN(1)
WIDEN(2)

SOFT(align)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned from = i + imm;
        r->b[i] = from < 16 ? y->b[from] : from < 32 ? x->b[from - 16] : 0;
    }
}

#define BLEND(lane, f, n)                               \
    SOFT(blend_##lane)                                  \
    {                                                   \
        for (unsigned i = 0; i < n; i++) {              \
            r->f[i] = imm >> i & 1 ? y->f[i] : x->f[i]; \
        }                                               \
    }
BLEND(1, h, 8)
BLEND(2, w, 4)
BLEND(3, q, 2)

SOFT(insertps)
{
    *r = *x;
    r->w[imm >> 4 & 3] = y->w[imm >> 6 & 3];
    for (unsigned i = 0; i < 4; i++) {
        if (imm >> i & 1) {
            r->w[i] = 0;
        }
    }
}

uint32_t vec_soft_test(const VecValue *x, const VecValue *y)
{
    bool zero = !((x->q[0] & y->q[0]) | (x->q[1] & y->q[1]));
    bool carry = !((~x->q[0] & y->q[0]) | (~x->q[1] & y->q[1]));

    return (zero ? FLAG_ZF : 0) | (carry ? FLAG_CF : 0);
}

SOFT(clmul)
{
    uint64_t a = x->q[imm & 1], b = y->q[imm >> 4 & 1];

    *r = (VecValue){ .q = { 0, 0 } };
    for (unsigned i = 0; i < 64; i++) {
        if (b >> i & 1) {
            r->q[0] ^= a << i;
            r->q[1] ^= i ? a >> (64 - i) : 0;
        }
    }
}

/* ---- AES: bytes of the state in column order ------------------------------------------------- */
static uint8_t xtime(uint8_t v)
{
    return (uint8_t)(v << 1 ^ (v & 0x80 ? 0x1b : 0));
}

static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    uint8_t r = 0;

    for (; b; b >>= 1, a = xtime(a)) {
        if (b & 1) {
            r ^= a;
        }
    }
    return r;
}

/* The S-box from its definition: inverse, then the affine map; both directions at once. */
typedef struct Boxes {
    uint8_t forward[256], inverse[256];
} Boxes;

static uint8_t rotated(uint8_t v, unsigned n)
{
    return (uint8_t)(v << n | v >> (8 - n));
}

static void make_boxes(Boxes *s)
{
    uint8_t p = 1, q = 1; /* p runs through the field by its generator 3, q is 1 / p */

    do {
        p = (uint8_t)(p ^ xtime(p));
        q = gf_mul(q, 0xf6);
        uint8_t v = (uint8_t)(q ^ rotated(q, 1) ^ rotated(q, 2) ^ rotated(q, 3) ^ rotated(q, 4));
        s->forward[p] = v ^ 0x63;
    } while (p != 1);
    s->forward[0] = 0x63;
    for (unsigned i = 0; i < 256; i++) {
        s->inverse[s->forward[i]] = (uint8_t)i;
    }
}

static const Boxes *boxes(void)
{
    static Boxes s; /* constants, whoever makes them */
    static gsize made;

    if (g_once_init_enter(&made)) {
        make_boxes(&s);
        g_once_init_leave(&made, 1);
    }
    return &s;
}

static void sub_and_shift(VecValue *r, const VecValue *x, bool inverse)
{
    const uint8_t *box = inverse ? boxes()->inverse : boxes()->forward;

    for (unsigned c = 0; c < 4; c++) {
        for (unsigned row = 0; row < 4; row++) {
            unsigned from = inverse ? (c - row) & 3 : (c + row) & 3;
            r->b[4 * c + row] = box[x->b[4 * from + row]];
        }
    }
}

static void mix_columns(VecValue *v, bool inverse)
{
    static const uint8_t factor[2][4] = { { 2, 3, 1, 1 }, { 14, 11, 13, 9 } };

    for (unsigned c = 0; c < 4; c++) {
        uint8_t in[4];
        memcpy(in, v->b + 4 * c, 4);
        for (unsigned row = 0; row < 4; row++) {
            uint8_t sum = 0;
            for (unsigned k = 0; k < 4; k++) {
                sum ^= gf_mul(in[k], factor[inverse][(k - row) & 3]);
            }
            v->b[4 * c + row] = sum;
        }
    }
}

static void aes_round(VecValue *r, const VecValue *x, const VecValue *key, bool inverse, bool last)
{
    sub_and_shift(r, x, inverse);
    if (!last) {
        mix_columns(r, inverse);
    }
    r->q[0] ^= key->q[0];
    r->q[1] ^= key->q[1];
}

SOFT(aes_enc)
{
    aes_round(r, x, y, false, false);
}

SOFT(aes_enclast)
{
    aes_round(r, x, y, false, true);
}

SOFT(aes_dec)
{
    aes_round(r, x, y, true, false);
}

SOFT(aes_declast)
{
    aes_round(r, x, y, true, true);
}

SOFT(aes_imc)
{
    *r = *x;
    mix_columns(r, true);
}

static uint32_t sub_word(uint32_t v)
{
    const uint8_t *box = boxes()->forward;

    return box[v & 0xff] | (uint32_t)box[v >> 8 & 0xff] << 8 | (uint32_t)box[v >> 16 & 0xff] << 16 |
           (uint32_t)box[v >> 24] << 24;
}

static uint32_t ror32(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

SOFT(aes_keygen)
{
    uint32_t a = sub_word(x->w[1]), b = sub_word(x->w[3]);

    *r = (VecValue){ .w = { a, ror32(a, 8) ^ (imm & 0xff), b, ror32(b, 8) ^ (imm & 0xff) } };
}

/* ---- SHA: element 3 is the first in the manual's order --------------------------------------- */
static uint32_t sha1_f(unsigned which, uint32_t b, uint32_t c, uint32_t d)
{
    switch (which) {
    case 0: return (b & c) ^ (~b & d);
    case 2: return (b & c) ^ (b & d) ^ (c & d);
    default: return b ^ c ^ d;
    }
}

SOFT(sha1_rnds4)
{
    static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    uint32_t a = x->w[3], b = x->w[2], c = x->w[1], d = x->w[0], e = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = sha1_f(imm & 3, b, c, d) + ror32(a, 27) + y->w[3 - i] + e + k[imm & 3];
        e = d;
        d = c;
        c = ror32(b, 2);
        b = a;
        a = t;
    }
    *r = (VecValue){ .w = { d, c, b, a } };
}

SOFT(sha1_nexte)
{
    *r = *y;
    r->w[3] += ror32(x->w[3], 2);
}

SOFT(sha1_msg1)
{
    *r = (VecValue){ .w = { x->w[0] ^ y->w[2], x->w[1] ^ y->w[3], x->w[2] ^ x->w[0],
                            x->w[3] ^ x->w[1] } };
}

SOFT(sha1_msg2)
{
    r->w[3] = ror32(x->w[3] ^ y->w[2], 31);
    r->w[2] = ror32(x->w[2] ^ y->w[1], 31);
    r->w[1] = ror32(x->w[1] ^ y->w[0], 31);
    r->w[0] = ror32(x->w[0] ^ r->w[3], 31);
}

SOFT(sha256_rnds2) /* x: C D G H, y: A B E F, z: the words */
{
    uint32_t a = y->w[3], b = y->w[2], c = x->w[3], d = x->w[2];
    uint32_t e = y->w[1], f = y->w[0], g = x->w[1], h = x->w[0];

    for (unsigned i = 0; i < 2; i++) {
        uint32_t ch = (e & f) ^ (~e & g), maj = (a & b) ^ (a & c) ^ (b & c);
        uint32_t s1 = ror32(e, 6) ^ ror32(e, 11) ^ ror32(e, 25);
        uint32_t s0 = ror32(a, 2) ^ ror32(a, 13) ^ ror32(a, 22);
        uint32_t t = ch + s1 + z->w[i] + h;
        h = g;
        g = f;
        f = e;
        e = t + d;
        d = c;
        c = b;
        b = a;
        a = t + maj + s0;
    }
    *r = (VecValue){ .w = { f, e, b, a } };
}

static uint32_t sigma0(uint32_t v)
{
    return ror32(v, 7) ^ ror32(v, 18) ^ v >> 3;
}

static uint32_t sigma1(uint32_t v)
{
    return ror32(v, 17) ^ ror32(v, 19) ^ v >> 10;
}

SOFT(sha256_msg1)
{
    for (unsigned i = 0; i < 4; i++) {
        r->w[i] = x->w[i] + sigma0(i < 3 ? x->w[i + 1] : y->w[0]);
    }
}

SOFT(sha256_msg2)
{
    r->w[0] = x->w[0] + sigma1(y->w[2]);
    r->w[1] = x->w[1] + sigma1(y->w[3]);
    r->w[2] = x->w[2] + sigma1(r->w[0]);
    r->w[3] = x->w[3] + sigma1(r->w[1]);
}

/* ---- The table ------------------------------------------------------------------------------ */
VecSoft *vec_soft(IrOpcode op, unsigned lane)
{
    static VecSoft *const table[IR_NOPS][4] = {
        [OP_vshufb] = { shufb },
        [OP_vhadd] = { NULL, hadd_1, hadd_2 },
        [OP_vhsub] = { NULL, hsub_1, hsub_2 },
        [OP_vhadds] = { NULL, hadds_1 },
        [OP_vhsubs] = { NULL, hsubs_1 },
        [OP_vmaddub] = { NULL, maddub },
        [OP_vmulhrs] = { NULL, mulhrs },
        [OP_vmulsd] = { NULL, NULL, NULL, mulsd },
        [OP_vsign] = { sign_0, sign_1, sign_2 },
        [OP_vabs] = { abs_0, abs_1, abs_2 },
        [OP_vminpos] = { NULL, minpos },
        [OP_vsext] = { sext_0, sext_1, sext_2 },
        [OP_vzext] = { zext_0, zext_1, zext_2 },
        [OP_valign] = { align },
        [OP_vblend] = { NULL, blend_1, blend_2, blend_3 },
        [OP_vinsertps] = { NULL, NULL, insertps },
        [OP_vmpsad] = { mpsad },
        [OP_vclmul] = { NULL, NULL, NULL, clmul },
        [OP_aesenc] = { NULL, NULL, NULL, aes_enc },
        [OP_aesenclast] = { NULL, NULL, NULL, aes_enclast },
        [OP_aesdec] = { NULL, NULL, NULL, aes_dec },
        [OP_aesdeclast] = { NULL, NULL, NULL, aes_declast },
        [OP_aesimc] = { NULL, NULL, NULL, aes_imc },
        [OP_aeskeygen] = { NULL, NULL, NULL, aes_keygen },
        [OP_sha1rnds4] = { NULL, NULL, sha1_rnds4 },
        [OP_sha1nexte] = { NULL, NULL, sha1_nexte },
        [OP_sha1msg1] = { NULL, NULL, sha1_msg1 },
        [OP_sha1msg2] = { NULL, NULL, sha1_msg2 },
        [OP_sha256rnds2] = { NULL, NULL, sha256_rnds2 },
        [OP_sha256msg1] = { NULL, NULL, sha256_msg1 },
        [OP_sha256msg2] = { NULL, NULL, sha256_msg2 },
    };
    return lane < 4 ? table[op][lane] : NULL;
}
