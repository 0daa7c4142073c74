/* SPDX-License-Identifier: MIT */
/*
 * Transcendental functions of the x87: where the fast way answers it rounds to what the sure way
 * does, in every mode; and over ordinary operands it does answer. TRANSCENDENTAL_CASES=N for more.
 */
#include "tcg/softfloat-internal.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

/* Few bits set, few clear, or any. */
static SfFinite operand(int lo, int hi, bool negative)
{
    uint64_t frac = rnd();
    unsigned by = rnd() % 63;

    switch (rnd() % 6) {
    case 0: frac &= UINT64_MAX << by; break;
    case 1: frac >>= by + 1; break;
    case 2: frac = UINT64_MAX << by; break;
    default: break;
    }
    return (SfFinite){ negative && (rnd() & 1), lo + (int)(rnd() % (unsigned)(hi - lo + 1)),
                       frac | 1ull << 63 };
}

typedef struct Function {
    const char *name;
    int lo, hi; /* exponents of x */
    int ylo, yhi;
    bool negative; /* x may be */
    unsigned sure; /* percent of cases that the fast way may decline */
    bool (*fast)(SfFinite y, SfFinite x, SfBig *r);
    SfBig (*reference)(SfFinite y, SfFinite x);
} Function;

#define OF_X(name, fast, sure)                                \
    static bool fast_##name(SfFinite y, SfFinite x, SfBig *r) \
    {                                                         \
        return fast;                                          \
    }                                                         \
    static SfBig sure_##name(SfFinite y, SfFinite x)          \
    {                                                         \
        return sure;                                          \
    }
OF_X(sine, sf_fast_sine(x, false, r), sf_sure_sine(x, false))
OF_X(cosine, sf_fast_sine(x, true, r), sf_sure_sine(x, true))
OF_X(tan, sf_fast_tan(x, r), sf_sure_tan(x))
OF_X(2xm1, sf_fast_2xm1(x, r), sf_sure_2xm1(x))

/* clang-format off */
static const Function functions[] = {
    { "sine",      -8,    2, 0, 0,   true,  4,   fast_sine,      sure_sine },
    { "sine",     -50,   62, 0, 0,   true,  100, fast_sine,      sure_sine },
    { "cosine",    -5,    2, 0, 0,   true,  4,   fast_cosine,    sure_cosine },
    { "cosine",   -50,   62, 0, 0,   true,  100, fast_cosine,    sure_cosine },
    { "tangent",   -5,    2, 0, 0,   true,  4,   fast_tan,       sure_tan },
    { "tangent",  -50,   62, 0, 0,   true,  100, fast_tan,       sure_tan },
    { "arctangent", -5,   5, -5, 5,  true,  4,   sf_fast_atan,   sf_sure_atan },
    { "arctangent", -40, 40, -9, 9,  true,  100, sf_fast_atan,   sf_sure_atan },
    { "2^x - 1",   -9,   -1, 0, 0,   true,  4,   fast_2xm1,      sure_2xm1 },
    { "2^x - 1",  -70,   -1, 0, 0,   true,  100, fast_2xm1,      sure_2xm1 },
    { "y log2 x",  -9,    9, -9, 9,  false, 4,   sf_fast_yl2x,   sf_sure_yl2x },
    { "y log2 x", -16382, 16383, -16382, 16383, false, 100, sf_fast_yl2x, sf_sure_yl2x },
    { "y log2(x + 1)", -12, 9, -9, 9, false, 4,  sf_fast_yl2xp1, sf_sure_yl2xp1 },
    { "y log2(x + 1)", -70, -1, -9, 9, true, 100, sf_fast_yl2xp1, sf_sure_yl2xp1 },
};
/* clang-format on */

static SfNum rounded(SfEnv *e, SfBig r)
{
    return sf_round(e, &sf_f80, 64, r.sign, r.exp, r.frac | 1);
}

static unsigned run(const Function *f, unsigned n)
{
    unsigned declined = 0;

    for (unsigned i = 0; i < n; i++) {
        SfEnv e = { .rounding = i & 3, .precision = 3, .masks = 0x3f, .x87 = true }, g = e;
        SfFinite x = operand(f->lo, f->hi, f->negative), y = operand(f->ylo, f->yhi, true);
        SfNum got, want;
        SfBig r;

        if (!f->fast(y, x, &r)) {
            declined++;
            continue;
        }
        got = rounded(&e, r);
        want = rounded(&g, f->reference(y, x));
        if (got.sign != want.sign || got.exp != want.exp || got.frac != want.frac ||
            e.flags != g.flags) {
            fail_msg("%s of %d %d %" G_GINT64_MODIFIER "x, %d %d %" G_GINT64_MODIFIER
                     "x, mode %u: %d %" G_GINT64_MODIFIER "x, not %d %" G_GINT64_MODIFIER "x",
                     f->name, x.sign, x.exp, x.frac, y.sign, y.exp, y.frac, i & 3, got.exp,
                     got.frac, want.exp, want.frac);
        }
    }
    return declined;
}

static void test_agree(void **state)
{
    const char *asked = g_getenv("TRANSCENDENTAL_CASES");
    unsigned n = asked ? (unsigned)strtoul(asked, NULL, 0) : 20000;

    for (unsigned i = 0; i < G_N_ELEMENTS(functions); i++) {
        unsigned declined = run(&functions[i], n);
        if (declined > n / 100 * functions[i].sure)
            fail_msg("%s: %u of %u the slow way", functions[i].name, declined, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_agree) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
