/* SPDX-License-Identifier: MIT */
/*
 * How far the transcendental x87 functions are from the true value, by MPFR with 256 bits: less
 * than one unit in the last place when rounding to nearest (SDM vol. 1, 8.3.10), over operands of
 * every size in each function's domain. Trigonometric ones reduce by pi cut to 66 bits, as
 * processors do: the true value is that of the operand scaled to it.
 */
#include <glib.h>
#include <stdint.h>
#include <mpfr.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "target-i386/help-fp.h"

enum { F2XM1 = 0xf0, FYL2X, FPTAN, FPATAN, FYL2XP1 = 0xf9, FSINCOS = 0xfb, FSIN = 0xfe, FCOS };
enum { PRECISION = 256, SAMPLES = 4000, BIAS = 0x3fff };

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

/* A number of either sign, or positive, with an exponent of lo … hi. */
static Float80 random_number(int lo, int hi, bool positive)
{
    int exponent = lo + (int)(rnd() % (unsigned)(hi - lo + 1));
    uint64_t frac = rnd() % 8 ? rnd() : rnd() & rnd() & rnd() & rnd() & rnd();
    return (Float80){ frac | 1ull << 63,
                      (uint16_t)((positive ? 0 : rnd() & 0x8000) | (unsigned)(BIAS + exponent)) };
}

static void to_mpfr(mpfr_t out, Float80 v)
{
    mpfr_set_ui_2exp(out, 0, 0, MPFR_RNDN);
    mpfr_set_uj_2exp(out, v.frac, (v.se & 0x7fff) - BIAS - 63, MPFR_RNDN);
    if (v.se & 0x8000)
        mpfr_neg(out, out, MPFR_RNDN);
}

/* |got - want| in units of the last place of @want's binade. */
static double error_of(Float80 got, const mpfr_t want)
{
    mpfr_t g, d;
    mpfr_inits2(PRECISION, g, d, (mpfr_ptr)NULL);
    to_mpfr(g, got);
    mpfr_sub(d, g, want, MPFR_RNDN);
    mpfr_abs(d, d, MPFR_RNDN);
    mpfr_mul_2si(d, d, 64 - mpfr_get_exp(want), MPFR_RNDN);
    double ulps = mpfr_get_d(d, MPFR_RNDU);
    mpfr_clears(g, d, (mpfr_ptr)NULL);
    return ulps;
}

/* The operand as an angle: x * pi / (pi cut to 66 bits). */
static void to_angle(mpfr_t x)
{
    mpfr_t pi, cut;
    mpfr_init2(pi, PRECISION);
    mpfr_init2(cut, 66);
    mpfr_const_pi(pi, MPFR_RNDN);
    mpfr_set(cut, pi, MPFR_RNDZ);
    mpfr_div(pi, pi, cut, MPFR_RNDN);
    mpfr_mul(x, x, pi, MPFR_RNDN);
    mpfr_clears(pi, cut, (mpfr_ptr)NULL);
}

/* The true value of ST(0), and of ST(1) for FSINCOS. */
static void true_value(unsigned modrm, mpfr_t out, mpfr_t out1, mpfr_t x, mpfr_t y)
{
    if (modrm == FSIN || modrm == FCOS || modrm == FPTAN || modrm == FSINCOS)
        to_angle(x);
    switch (modrm) {
    case F2XM1:
        mpfr_mul(x, x, out1, MPFR_RNDN); /* ln 2 */
        mpfr_expm1(out, x, MPFR_RNDN);
        break;
    case FYL2X:
        mpfr_log2(out, x, MPFR_RNDN);
        mpfr_mul(out, out, y, MPFR_RNDN);
        break;
    case FYL2XP1:
        mpfr_log1p(out, x, MPFR_RNDN);
        mpfr_div(out, out, out1, MPFR_RNDN); /* ln 2 */
        mpfr_mul(out, out, y, MPFR_RNDN);
        break;
    case FPATAN: mpfr_atan2(out, y, x, MPFR_RNDN); break;
    case FSIN: mpfr_sin(out, x, MPFR_RNDN); break;
    case FCOS: mpfr_cos(out, x, MPFR_RNDN); break;
    case FPTAN: mpfr_tan(out, x, MPFR_RNDN); break;
    default: mpfr_sin_cos(out1, out, x, MPFR_RNDN); break;
    }
}

typedef struct Domain {
    const char *name;
    uint8_t modrm;
    int lo, hi; /* exponents of ST(0) … */
    bool positive;
    int ylo, yhi; /* … and of ST(1) */
} Domain;

static const Domain domains[] = {
    { "f2xm1", F2XM1, -70, -1, false, 0, 0 },
    { "f2xm1, small", F2XM1, -16000, -60, false, 0, 0 },
    { "fyl2x", FYL2X, -16380, 16383, true, -100, 100 },
    { "fyl2x about 1", FYL2X, -1, 0, true, -10, 10 },
    { "fyl2xp1", FYL2XP1, -70, -3, false, -100, 100 },
    { "fyl2xp1, small", FYL2XP1, -8000, -60, false, -100, 100 },
    { "fpatan", FPATAN, -40, 40, false, -40, 40 },
    { "fpatan, far apart", FPATAN, -8000, 8000, false, -8000, 8000 },
    { "fsin", FSIN, -40, 4, false, 0, 0 },
    { "fsin, large", FSIN, 4, 62, false, 0, 0 },
    { "fcos", FCOS, -40, 4, false, 0, 0 },
    { "fcos, large", FCOS, 4, 62, false, 0, 0 },
    { "fptan", FPTAN, -40, 4, false, 0, 0 },
    { "fptan, large", FPTAN, 4, 62, false, 0, 0 },
    { "fsincos", FSINCOS, -40, 62, false, 0, 0 },
};

static bool is_normal(Float80 v)
{
    return (v.se & 0x7fff) != 0 && (v.se & 0x7fff) != 0x7fff;
}

/* The larger error of its results, 0 if they are not normal numbers. */
static double sample(const Domain *m, Float80 x, Float80 y)
{
    X87Result r = x87_transcendental(m->modrm, x, y, 0x37f);
    mpfr_t a, b, want, want1;
    double worst = 0;
    mpfr_inits2(PRECISION, a, b, want, want1, (mpfr_ptr)NULL);
    to_mpfr(a, x);
    to_mpfr(b, y);
    mpfr_const_log2(want1, MPFR_RNDN);
    true_value(m->modrm, want, want1, a, b);
    Float80 got = m->modrm == FPTAN ? r.st1 : r.st0;
    if (is_normal(got))
        worst = error_of(got, want);
    if (m->modrm == FSINCOS && is_normal(r.st1))
        worst = MAX(worst, error_of(r.st1, want1));
    mpfr_clears(a, b, want, want1, (mpfr_ptr)NULL);
    return worst;
}

static void test_error(void **state)
{
    (void)state;
    bool bad = false;
    for (unsigned n = 0; n < G_N_ELEMENTS(domains); n++) {
        const Domain *m = &domains[n];
        double worst = 0;
        Float80 at = { 0 }, y_at = { 0 };
        for (unsigned k = 0; k < SAMPLES; k++) {
            Float80 x = random_number(m->lo, m->hi, m->positive);
            Float80 y = random_number(m->ylo, m->yhi, false);
            double e = sample(m, x, y);
            if (e <= worst)
                continue;
            worst = e;
            at = x;
            y_at = y;
        }
        print_message("%-18s %.6f units in the last place at %04x:%016llx, %04x:%016llx\n", m->name,
                      worst, at.se, (unsigned long long)at.frac, y_at.se,
                      (unsigned long long)y_at.frac);
        bad |= worst >= 1;
    }
    assert_false(bad);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_error) };
    mpfr_set_emin(-200000);
    mpfr_set_emax(200000);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
