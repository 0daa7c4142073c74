/* SPDX-License-Identifier: MIT */
/*
 * Transcendental x87 functions against the host's x87 where it has one: values within a unit in the
 * last place, exceptions the same, over small, large and special operands in every rounding mode.
 * On every host: bits that are known, among them what pi cut to 66 bits does to large operands.
 */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "target-i386/help-fp.h"

enum { F2XM1 = 0xf0, FYL2X, FPTAN, FPATAN, FYL2XP1 = 0xf9, FSINCOS = 0xfb, FSIN = 0xfe, FCOS };

static void test_known(void **state)
{
    static const struct {
        unsigned modrm;
        Float80 x, y, want;
    } rows[] = {
        /* the difference of the two pi: 2^-64 exactly */
        { FSIN, { 0xc90fdaa22168c235, 0x4000 }, { 0 }, { 1ull << 63, 0xbfbf } },
        { FCOS, { 0, 0 }, { 0 }, { 1ull << 63, 0x3fff } },
        { FSIN, { 1ull << 63, 0x3fff }, { 0 }, { 0xd76aa47848677021, 0x3ffe } },
        { FSIN, { 0xfa00000000000000, 0x4008 }, { 0 }, { 0xd3ae60a851035ad7, 0x3ffe } }, /* 1000 */
        { F2XM1, { 1ull << 63, 0xbfff }, { 0 }, { 1ull << 63, 0xbffe } },
        { FYL2X, { 1ull << 63, 0x4002 }, { 1ull << 63, 0x3fff }, { 0xc000000000000000, 0x4000 } },
        { FYL2XP1, { 1ull << 63, 0x3fff }, { 1ull << 63, 0x3fff }, { 1ull << 63, 0x3fff } },
        { FPATAN, { 1ull << 63, 0x3fff }, { 1ull << 63, 0x3fff }, { 0xc90fdaa22168c235, 0x3ffe } },
    };
    for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
        X87Result r = x87_transcendental(rows[n].modrm, rows[n].x, rows[n].y, 0x37f);
        assert_int_equal(r.st0.se, rows[n].want.se);
        assert_int_equal(r.st0.frac, rows[n].want.frac);
    }
}

#ifdef __x86_64__
static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

typedef struct __attribute__((packed)) HostFpu { /* FNSAVE's image */
    uint16_t cw, r0, sw, r1, tw, r2;
    uint32_t pointers[4];
    struct __attribute__((packed)) {
        uint64_t frac;
        uint16_t se;
    } st[8];
} HostFpu;

typedef struct __attribute__((packed)) Host80 {
    uint64_t frac;
    uint16_t se;
} Host80;

#define ON_HOST(name)                                                                         \
    static void host_##name(HostFpu *out, const Host80 *x, const Host80 *y, uint16_t fcw)     \
    {                                                                                         \
        uint16_t own;                                                                         \
        __asm__ volatile(                                                                     \
            "fnstcw %[own]\n\tfninit\n\tfldt %[y]\n\tfldt %[x]\n\tfldcw %[fcw]\n\t" #name     \
            "\n\tfnsave %[out]\n\tfldcw %[own]"                                               \
            : [out] "=m"(*out), [own] "=m"(own)                                               \
            : [x] "m"(*x), [y] "m"(*y), [fcw] "m"(fcw)                                        \
            : "memory", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"); \
    }
ON_HOST(f2xm1)
ON_HOST(fyl2x)
ON_HOST(fptan)
ON_HOST(fpatan)
ON_HOST(fyl2xp1)
ON_HOST(fsincos)
ON_HOST(fsin)
ON_HOST(fcos)

typedef void HostFn(HostFpu *out, const Host80 *x, const Host80 *y, uint16_t fcw);
static HostFn *const host_fn[16] = {
    [0x0] = host_f2xm1,   [0x1] = host_fyl2x,   [0x2] = host_fptan, [0x3] = host_fpatan,
    [0x9] = host_fyl2xp1, [0xb] = host_fsincos, [0xe] = host_fsin,  [0xf] = host_fcos
};

/* In units of the last place. */
static uint64_t distance(Float80 a, Float80 b)
{
    unsigned __int128 m = (unsigned __int128)(a.se & 0x7fff) << 63 | a.frac << 1 >> 1,
                      n = (unsigned __int128)(b.se & 0x7fff) << 63 | b.frac << 1 >> 1;
    unsigned __int128 d = m > n ? m - n : n - m;
    return (a.se ^ b.se) & 0x8000 || d > UINT64_MAX ? UINT64_MAX : (uint64_t)d;
}

static Host80 random_operand(unsigned modrm, bool first)
{
    static const Host80 corners[] = {
        { 0, 0 },
        { 0, 0x8000 },
        { 1ull << 63, 0x3fff },
        { 1ull << 63, 0xbfff },
        { 1, 0 },
        { 1ull << 63, 0 },
        { 1ull << 63, 0x7fff },
        { 1ull << 63, 0xffff },
        { 3ull << 62, 0x7fff },
        { (2ull << 62) | 5, 0x7fff },
        { 5, 0x4000 },
        { 1ull << 63, 0x403e },
        { 1ull << 63, 0x4000 },
        { UINT64_MAX, 0x7ffe },
        { 1ull << 63, 0x3ffe },
        { 1ull << 63, 1 },
    };
    unsigned range = modrm == F2XM1 ? 68 : modrm == FYL2XP1 && first ? 67 : rnd() % 4 ? 8 : 70;
    unsigned top = modrm == F2XM1 || (modrm == FYL2XP1 && first) ? 0x3ffd : 0x3fff + range / 2;
    if (rnd() % 8 == 0)
        return corners[rnd() % G_N_ELEMENTS(corners)];
    return (Host80){ rnd() | 1ull << 63, (uint16_t)((rnd() & 0x8000) | (top - rnd() % range)) };
}

/* The least normal number or the greatest denormal. */
static bool is_at_least_normal(Float80 a)
{
    unsigned e = a.se & 0x7fff;
    return (e == 1 && a.frac == 1ull << 63) || (e == 0 && a.frac == (1ull << 63) - 1);
}

/* Results on either side of the least normal number, or results of such operands: the underflow is
 * that of the approximation, which differs. */
static bool may_underflow(const X87Result *r, const HostFpu *h, Host80 x)
{
    Float80 host = { h->st[0].frac, h->st[0].se };
    if (r->pushed)
        return (x.se & 0x7fff) < 2 && x.frac == 1ull << 63;
    return is_at_least_normal(r->st0) && is_at_least_normal(host);
}

static unsigned compare(unsigned modrm, Host80 x, Host80 y, uint16_t fcw, uint64_t *worst)
{
    HostFpu h;
    X87Result r =
        x87_transcendental(modrm, (Float80){ x.frac, x.se }, (Float80){ y.frac, y.se }, fcw);
    host_fn[modrm & 15](&h, &x, &y, fcw);
    uint64_t d = distance(r.st0, (Float80){ h.st[0].frac, h.st[0].se });
    if (r.pushed)
        d = MAX(d, distance(r.st1, (Float80){ h.st[1].frac, h.st[1].se }));
    *worst = MAX(*worst, d);
    unsigned seen = h.sw & (0x3f | FSW_C2), flags = r.flags & (0x3f | FSW_C2);
    if (may_underflow(&r, &h, x))
        flags = (flags & ~0x10u) | (seen & 0x10);
    if (d <= 1 && seen == flags && r.pushed == ((h.sw >> 11 & 7) == 5))
        return 0;
    print_message("d9 %02x of %04x:%016llx, %04x:%016llx, fcw %x: %04x:%016llx, flags %x; here "
                  "%04x:%016llx, flags %x\n",
                  modrm, x.se, (unsigned long long)x.frac, y.se, (unsigned long long)y.frac, fcw,
                  h.st[0].se, (unsigned long long)h.st[0].frac, seen, r.st0.se,
                  (unsigned long long)r.st0.frac, flags);
    return 1;
}

static void test_host(void **state)
{
    static const uint8_t list[] = { F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS };
    for (unsigned n = 0; n < G_N_ELEMENTS(list); n++) {
        uint64_t worst = 0;
        unsigned bad = 0;
        for (unsigned k = 0; k < 20000 && bad < 10; k++) {
            Host80 x = random_operand(list[n], true), y = random_operand(list[n], false);
            bad += compare(list[n], x, y, (uint16_t)(0x37f | (rnd() & 3) << 10), &worst);
        }
        print_message("d9 %02x: at most %llu units in the last place from the host\n", list[n],
                      (unsigned long long)worst);
        assert_int_equal(bad, 0);
    }
}
#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
#ifdef __x86_64__
        cmocka_unit_test(test_host),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
