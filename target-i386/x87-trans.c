/* SPDX-License-Identifier: MIT */
/*
 * Transcendental x87 instructions, by tcg/softfloat-trans.c on every host: the host's own x87 would
 * be no faster by much and differs between processors in the last place, and with it recordings and
 * state hashes would differ between hosts.
 */
#include "target-i386/help-fp.h"

enum { F2XM1 = 0xf0, FYL2X, FPTAN, FPATAN, FYL2XP1 = 0xf9, FSINCOS = 0xfb, FSIN = 0xfe, FCOS };

static bool is_trigonometric(unsigned modrm)
{
    return modrm == FPTAN || modrm == FSINCOS || modrm == FSIN || modrm == FCOS;
}

/* FPTAN and FSINCOS: two results, NaNs twice. */
static void two_results(SfEnv *e, unsigned modrm, Float80 x, X87Result *r)
{
    r->pushed = true;
    if (modrm == FSINCOS) {
        r->st1 = sf80_sin(e, x);
        e->flags &= ~(uint32_t)FSW_C1;
        r->st0 = sf80_cos(e, x);
    } else {
        r->st1 = sf80_tan(e, x);
        r->st0 = (r->st1.se & 0x7fff) == 0x7fff && r->st1.frac << 1
                     ? r->st1
                     : (Float80){ 1ull << 63, 0x3fff };
    }
}

X87Result x87_transcendental(unsigned modrm, Float80 x, Float80 y, uint16_t fcw)
{
    SfEnv e = {
        .rounding = (SfRounding)(fcw >> 10 & 3), .precision = 3, .masks = fcw & 0x3f, .x87 = true
    };
    X87Result r = { .st0 = x, .st1 = y };

    if (is_trigonometric(modrm) && !sf80_trig_in_range(x)) {
        r.flags = FSW_C2;
        return r;
    }
    switch (modrm) {
    case F2XM1: r.st0 = sf80_2xm1(&e, x); break;
    case FYL2X: r.st0 = sf80_yl2x(&e, y, x); break;
    case FYL2XP1: r.st0 = sf80_yl2xp1(&e, y, x); break;
    case FPATAN: r.st0 = sf80_patan(&e, y, x); break;
    case FSIN: r.st0 = sf80_sin(&e, x); break;
    case FCOS: r.st0 = sf80_cos(&e, x); break;
    default: two_results(&e, modrm, x, &r); break;
    }
    r.flags = (uint16_t)e.flags;
    return r;
}
