/* SPDX-License-Identifier: MIT */
/*
 * x87: FXAM, FXTRACT, remainders, scaling, roots, packed BCD; and the frame of the transcendental
 * instructions, whose values come from x87_transcendental() (SDM vol. 1, 8.3; vol. 2).
 */
#include "target-i386/help-fp.h"

enum {
    X87_FXAM = 0xe5,
    X87_F2XM1 = 0xf0,
    X87_FYL2X,
    X87_FPTAN,
    X87_FPATAN,
    X87_FXTRACT,
    X87_FPREM1,
    X87_FDECSTP,
    X87_FINCSTP,
    X87_FPREM,
    X87_FYL2XP1,
    X87_FSQRT,
    X87_FSINCOS,
    X87_FRNDINT,
    X87_FSCALE,
    X87_FSIN,
    X87_FCOS
};

static void examine(CpuX86 *c)
{
    Float80 v = x87_get(c, 0);
    unsigned biased = v.se & 0x7fff, cc;

    if (x87_is_empty(c, 0))
        cc = FSW_C3 | FSW_C0;
    else if (!biased)
        cc = v.frac ? FSW_C3 | FSW_C2 : FSW_C3;
    else if (!(v.frac >> 63))
        cc = 0;
    else if (biased == 0x7fff)
        cc = v.frac << 1 ? FSW_C0 : FSW_C2 | FSW_C0;
    else
        cc = FSW_C2;
    x87_set_cc(c, cc | (v.se >> 15 ? FSW_C1 : 0));
}

/* ---- One operand, or ST(0) and ST(1) --------------------------------------------------------- */
static bool operand_missing(CpuX86 *c, bool two)
{
    if (!x87_is_empty(c, 0) && !(two && x87_is_empty(c, 1)))
        return false;
    if (x87_stack_fault(c, false))
        x87_put(c, 0, x87_indefinite());
    return true;
}

static void take(CpuX86 *c, const SfEnv *e, Float80 r)
{
    if (x87_report(c, e))
        x87_put(c, 0, r);
}

static unsigned quotient_cc(unsigned q)
{
    return (q & 4 ? FSW_C0 : 0) | (q & 2 ? FSW_C3 : 0) | (q & 1 ? FSW_C1 : 0);
}

/* Where there is no quotient C0 and C3 stay. */
static void remainder_of(CpuX86 *c, bool nearest)
{
    SfEnv e = x87_env(c);
    unsigned quotient;
    bool incomplete;
    Float80 r;

    c->fsw &= (uint16_t)~FSW_C2;
    if (operand_missing(c, true))
        return;
    r = sf80_rem(&e, x87_get(c, 0), x87_get(c, 1), nearest, &quotient, &incomplete);
    if (!x87_report(c, &e))
        return;
    x87_put(c, 0, r);
    if (incomplete)
        x87_set_cc(c, FSW_C2);
    else if ((r.se & 0x7fff) != 0x7fff)
        x87_set_cc(c, quotient_cc(quotient));
}

/* Exponent to ST(0)'s place, significand pushed above it. */
static void extract(CpuX86 *c)
{
    SfEnv e = x87_env(c);
    Float80 v = x87_get(c, 0), exponent, significand;
    unsigned biased = v.se & 0x7fff;

    if (x87_is_empty(c, 0) || !x87_is_empty(c, 7)) {
        if (x87_stack_fault(c, !x87_is_empty(c, 0))) {
            x87_put(c, 0, x87_indefinite());
            x87_push(c, x87_indefinite());
        }
        return;
    }
    exponent = significand = v;
    if (!biased && !v.frac) {
        e.flags |= SF_DIVZERO;
        exponent = (Float80){ 1ull << 63, 0xffff };
    } else if (biased == 0x7fff || (biased && !(v.frac >> 63))) {
        exponent = significand = sf80_op(&e, SF_ADD, v, v); /* NaNs; infinities stay */
        if (!(significand.frac << 1))
            exponent.se = 0x7fff;
    } else {
        unsigned shift = (unsigned)__builtin_clzll(v.frac);
        if (!biased)
            e.flags |= SF_DENORMAL;
        exponent = sf_i64_to_f80(&e, (int)MAX(biased, 1) - 16383 - (int)shift);
        significand = (Float80){ v.frac << shift, (uint16_t)((v.se & 0x8000) | 0x3fff) };
    }
    if (!x87_report(c, &e))
        return;
    x87_put(c, 0, exponent);
    x87_push(c, significand);
}

static void one_operand(CpuX86 *c, unsigned modrm)
{
    SfEnv e = x87_env(c);
    Float80 v = x87_get(c, 0);

    if (operand_missing(c, modrm == X87_FSCALE))
        return;
    switch (modrm) {
    case X87_FSQRT: v = sf80_sqrt(&e, v); break;
    case X87_FRNDINT: v = sf80_round_to_int(&e, v); break;
    default: v = sf80_scale(&e, v, x87_get(c, 1)); break;
    }
    take(c, &e, v);
}

static void rotate(CpuX86 *c, unsigned by)
{
    c->fpstt = (c->fpstt + by) & 7;
    c->fsw &= (uint16_t)~FSW_C1;
}

/* ---- Transcendental ------------------------------------------------------------------------- */
static bool pops(unsigned modrm)
{
    return modrm == X87_FYL2X || modrm == X87_FPATAN || modrm == X87_FYL2XP1;
}

static bool pushes(unsigned modrm)
{
    return modrm == X87_FPTAN || modrm == X87_FSINCOS;
}

static void transcendental_fault(CpuX86 *c, unsigned modrm, bool overflow)
{
    if (!x87_stack_fault(c, overflow))
        return;
    if (pops(modrm)) {
        x87_put(c, 1, x87_indefinite());
        x87_pop(c);
        return;
    }
    x87_put(c, 0, x87_indefinite());
    if (pushes(modrm))
        x87_push(c, x87_indefinite());
}

static void transcendental(CpuX86 *c, unsigned modrm)
{
    SfEnv e = x87_env(c);
    X87Result r;

    if (!pops(modrm) && modrm != X87_F2XM1)
        c->fsw &= (uint16_t)~FSW_C2;
    if (x87_is_empty(c, 0) || (pops(modrm) && x87_is_empty(c, 1))) {
        transcendental_fault(c, modrm, false);
        return;
    }
    if (pushes(modrm) && !x87_is_empty(c, 7)) {
        transcendental_fault(c, modrm, true);
        return;
    }
    r = x87_transcendental(modrm, x87_get(c, 0), x87_get(c, 1), c->fcw);
    e.flags = r.flags & (0x3f | FSW_C1);
    if (!x87_report(c, &e))
        return;
    c->fsw |= r.flags & FSW_C2; /* the operand is out of range, nothing was done */
    if (pops(modrm))
        x87_pop(c);
    if (r.pushed) {
        x87_put(c, 0, r.st1);
        x87_push(c, r.st0);
    } else {
        x87_put(c, 0, r.st0);
    }
}

void x87_math(CpuX86 *c, unsigned modrm)
{
    switch (modrm) {
    case X87_FXAM: examine(c); break;
    case X87_FXTRACT: extract(c); break;
    case X87_FPREM: remainder_of(c, false); break;
    case X87_FPREM1: remainder_of(c, true); break;
    case X87_FDECSTP: rotate(c, 7); break;
    case X87_FINCSTP: rotate(c, 1); break;
    case X87_FSQRT:
    case X87_FRNDINT:
    case X87_FSCALE: one_operand(c, modrm); break;
    default: transcendental(c, modrm); break;
    }
}

/* ---- Packed BCD ----------------------------------------------------------------------------- */
enum { BCD_BYTES = 10 };
#define BCD_LIMIT 1000000000000000000ll /* 18 digits */

void x87_load_bcd(CpuX86 *c, uint64_t addr)
{
    uint8_t b[BCD_BYTES];
    SfEnv e = x87_env(c);
    int64_t v = 0;
    Float80 r;

    cpu_load_bytes(&c->cpu, addr, b, sizeof(b), x86_mmu(c));
    for (int i = 8; i >= 0; i--) {
        v = v * 100 + (b[i] >> 4) * 10 + (b[i] & 15);
    }
    r = sf_i64_to_f80(&e, v);
    r.se |= b[9] & 0x80 ? 0x8000 : 0;
    if (!x87_push_room(c))
        return;
    x87_report(c, &e);
    x87_push(c, r);
}

static void encode_bcd(uint8_t *b, uint64_t v, bool negative)
{
    for (unsigned i = 0; i < 9; i++) {
        b[i] = (uint8_t)(v % 10 | v / 10 % 10 << 4);
        v /= 100;
    }
    b[9] = negative ? 0x80 : 0;
}

void x87_store_bcd(CpuX86 *c, uint64_t addr)
{
    static const uint8_t indefinite[BCD_BYTES] = { [7] = 0xc0, [8] = 0xff, [9] = 0xff };
    uint8_t b[BCD_BYTES];
    Float80 v = x87_get(c, 0);
    SfEnv e = x87_env(c);
    int64_t n;

    cpu_probe(&c->cpu, addr, sizeof(b), ACCESS_WRITE, x86_mmu(c));
    if (x87_is_empty(c, 0)) {
        if (!x87_stack_fault(c, false))
            return;
        memcpy(b, indefinite, sizeof(b));
    } else {
        n = sf80_to_int(&e, v, 64, false);
        if (n >= BCD_LIMIT || n <= -BCD_LIMIT)
            e.flags = SF_INVALID;
        if (!x87_report(c, &e))
            return;
        encode_bcd(b, (uint64_t)(n < 0 ? -n : n), v.se >> 15);
        if (e.flags & SF_INVALID)
            memcpy(b, indefinite, sizeof(b));
    }
    cpu_store_bytes(&c->cpu, addr, b, sizeof(b), x86_mmu(c));
    x87_pop(c);
}
