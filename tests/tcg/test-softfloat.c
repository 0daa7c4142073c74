/* SPDX-License-Identifier: MIT */
/*
 * Soft float against the host's own SSE and x87 units, where it has them: corner and random
 * operands, every rounding and precision, FTZ and DAZ, masked exceptions and (x87) unmasked ones.
 * A few results from the manuals are checked on every host.
 */
#include "tcg/softfloat.h"
#include "tests/host-vendor.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#if defined(__x86_64__)

#define ROUNDS 40000

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d;
}

/* A fraction of @bits bits with long runs, so that rounding and cancellation happen. */
static uint64_t random_fraction(unsigned bits)
{
    uint64_t v;

    switch (rnd() % 6) {
    case 0: v = 0; break;
    case 1: v = ~0ull; break;
    case 2: v = 1ull << rnd() % bits; break;
    case 3: v = ~0ull << rnd() % bits; break;
    case 4: v = -(rnd() % 8); break;
    default: v = rnd(); break;
    }
    return bits == 64 ? v : v & ((1ull << bits) - 1);
}

static unsigned random_exponent(unsigned max, unsigned near)
{
    switch (rnd() % 6) {
    case 0: return 0;
    case 1: return max;
    case 2: return 1 + rnd() % 3;
    case 3: return max - 1 - rnd() % 3;
    case 4: return (near + rnd() % 130 - 65) & max;
    default: return max / 2 + rnd() % 130 - 65;
    }
}

static uint32_t random32(uint32_t near)
{
    uint32_t biased = random_exponent(0xff, near >> 23 & 0xff) & 0xff;

    return (uint32_t)(rnd() & 1) << 31 | biased << 23 | (uint32_t)random_fraction(23);
}

static uint64_t random64(uint64_t near)
{
    uint64_t biased = random_exponent(0x7ff, near >> 52 & 0x7ff) & 0x7ff;

    return rnd() << 63 | biased << 52 | random_fraction(52);
}

static Float80 random80(Float80 near)
{
    Float80 r = { .frac = random_fraction(63) };
    unsigned biased = random_exponent(0x7fff, near.se & 0x7fff) & 0x7fff;

    r.se = (uint16_t)(rnd() << 15 | biased);
    if ((biased != 0) ^
        (rnd() % 32 == 0)) /* now and then an unsupported one or a pseudo-denormal */
        r.frac |= 1ull << 63;
    return r;
}

/* -- SSE --------------------------------------------------------------------------------------- */
typedef union Xmm {
    uint32_t d[4];
    uint64_t q[2];
} __attribute__((aligned(16))) Xmm;

static uint32_t mxcsr_of(const SfEnv *e)
{
    return (uint32_t)e->masks << 7 | (uint32_t)e->rounding << 13 | (e->ftz ? 0x8000u : 0) |
           (e->daz ? 0x40u : 0);
}

#define SSE_OP(insn)                                                                    \
    static uint32_t host_##insn(uint32_t mxcsr, Xmm *a, const Xmm *b)                   \
    {                                                                                   \
        uint32_t out, back = 0x1f80;                                                    \
        __asm__ volatile(                                                               \
            "ldmxcsr %[in]\n\tmovaps %[a], %%xmm0\n\t" #insn                            \
            " %[b], %%xmm0\n\tmovaps %%xmm0, %[a]\n\tstmxcsr %[out]\n\tldmxcsr %[back]" \
            : [a] "+m"(*a), [out] "=m"(out)                                             \
            : [b] "m"(*b), [in] "m"(mxcsr), [back] "m"(back)                            \
            : "xmm0", "memory");                                                        \
        return out & 0x3f;                                                              \
    }
SSE_OP(addss)
SSE_OP(subss)
SSE_OP(mulss)
SSE_OP(divss)
SSE_OP(minss)
SSE_OP(maxss)
SSE_OP(sqrtss)
SSE_OP(cvtss2sd)
SSE_OP(addsd)
SSE_OP(subsd)
SSE_OP(mulsd)
SSE_OP(divsd)
SSE_OP(minsd)
SSE_OP(maxsd)
SSE_OP(sqrtsd)
SSE_OP(cvtsd2ss)
SSE_OP(cvtps2dq)
SSE_OP(cvttps2dq)
SSE_OP(cvtpd2dq)
SSE_OP(cvttpd2dq)
SSE_OP(cvtdq2ps)

typedef uint32_t HostSse(uint32_t mxcsr, Xmm *a, const Xmm *b);

static SfEnv random_env(void)
{
    return (SfEnv){ .rounding = (SfRounding)(rnd() & 3),
                    .ftz = rnd() & 1,
                    .daz = rnd() & 1,
                    .masks = 0x3f,
                    .precision = 3 };
}

static void check(const char *what, const SfEnv *e, uint64_t a, uint64_t b, uint64_t want,
                  uint64_t got, uint32_t want_flags)
{
    if (want == got && want_flags == e->flags)
        return;
    fail_msg("%s a=%llx b=%llx rc=%d ftz=%d daz=%d: host %llx flags %x, ours %llx flags %x", what,
             (unsigned long long)a, (unsigned long long)b, e->rounding, e->ftz, e->daz,
             (unsigned long long)want, want_flags, (unsigned long long)got, e->flags);
}

static void sse32(void **state)
{
    static HostSse *const host[] = { host_addss, host_subss, host_mulss,
                                     host_divss, host_minss, host_maxss };
    static const char *const name[] = { "addss", "subss", "mulss", "divss", "minss", "maxss" };

    for (unsigned i = 0; i < ROUNDS * 4; i++) {
        uint32_t a = random32(0x3f800000), b = random32(a), op = i % 6;
        SfEnv e = random_env();
        Xmm x = { .d = { a } }, y = { .d = { b } };
        uint32_t flags = host[op](mxcsr_of(&e), &x, &y);
        uint32_t r = sf32_op(&e, (SfOp)op, a, b);

        check(name[op], &e, a, b, x.d[0], r, flags);
    }
}

static void sse64(void **state)
{
    static HostSse *const host[] = { host_addsd, host_subsd, host_mulsd,
                                     host_divsd, host_minsd, host_maxsd };
    static const char *const name[] = { "addsd", "subsd", "mulsd", "divsd", "minsd", "maxsd" };

    for (unsigned i = 0; i < ROUNDS * 4; i++) {
        uint64_t a = random64(0x3ffull << 52), b = random64(a);
        unsigned op = i % 6;
        SfEnv e = random_env();
        Xmm x = { .q = { a } }, y = { .q = { b } };
        uint32_t flags = host[op](mxcsr_of(&e), &x, &y);
        uint64_t r = sf64_op(&e, (SfOp)op, a, b);

        check(name[op], &e, a, b, x.q[0], r, flags);
    }
}

static void sse_unary(void **state)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t a = random32(0x3f800000), flags;
        uint64_t b = random64(0x3ffull << 52);
        SfEnv e = random_env(), fresh = e;
        Xmm x = { { 0 } }, y = { .d = { a } }, z = { .q = { b } };

        flags = host_sqrtss(mxcsr_of(&e), &x, &y);
        {
            uint64_t r = sf32_sqrt(&e, a);
            check("sqrtss", &e, a, 0, x.d[0], r, flags);
        }
        e = fresh;
        x.q[0] = 0;
        flags = host_sqrtsd(mxcsr_of(&e), &x, &z);
        {
            uint64_t r = sf64_sqrt(&e, b);
            check("sqrtsd", &e, b, 0, x.q[0], r, flags);
        }
        e = fresh;
        flags = host_cvtss2sd(mxcsr_of(&e), &x, &y);
        {
            uint64_t r = sf32_to_f64(&e, a);
            check("cvtss2sd", &e, a, 0, x.q[0], r, flags);
        }
        e = fresh;
        flags = host_cvtsd2ss(mxcsr_of(&e), &x, &z);
        {
            uint64_t r = sf64_to_f32(&e, b);
            check("cvtsd2ss", &e, b, 0, x.d[0], r, flags);
        }
    }
}

static void sse_integers(void **state)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t a = random32(0x4e800000), flags;
        uint64_t b = random64(0x41dull << 52);
        int32_t n = (int32_t)random_fraction(32);
        SfEnv e = random_env(), fresh = e;
        Xmm x = { { 0 } }, y = { .d = { a } }, z = { .q = { b } }, v = { .d = { (uint32_t)n } };
        uint64_t r;

        flags = host_cvtps2dq(mxcsr_of(&e), &x, &y);
        r = (uint32_t)sf32_to_int(&e, a, 32, false);
        check("cvtps2dq", &e, a, 0, x.d[0], r, flags);
        e = fresh;
        flags = host_cvttps2dq(mxcsr_of(&e), &x, &y);
        r = (uint32_t)sf32_to_int(&e, a, 32, true);
        check("cvttps2dq", &e, a, 0, x.d[0], r, flags);
        e = fresh;
        flags = host_cvtpd2dq(mxcsr_of(&e), &x, &z);
        r = (uint32_t)sf64_to_int(&e, b, 32, false);
        check("cvtpd2dq", &e, b, 0, x.d[0], r, flags);
        e = fresh;
        flags = host_cvttpd2dq(mxcsr_of(&e), &x, &z);
        r = (uint32_t)sf64_to_int(&e, b, 32, true);
        check("cvttpd2dq", &e, b, 0, x.d[0], r, flags);
        e = fresh;
        flags = host_cvtdq2ps(mxcsr_of(&e), &x, &v);
        r = sf_i64_to_f32(&e, n);
        check("cvtdq2ps", &e, (uint32_t)n, 0, x.d[0], r, flags);
    }
}

static void sse_compare(void **state)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t a = random64(0x3ffull << 52), b = rnd() % 8 ? random64(a) : a;
        bool quiet = i & 1;
        SfEnv e = random_env();
        uint32_t mxcsr = mxcsr_of(&e), out, back = 0x1f80;
        uint64_t fl;
        static const uint8_t want[] = { 0x01, 0x40, 0x00, 0x45 };
        SfRelation r = sf64_compare(&e, a, b, quiet);

        if (quiet)
            __asm__ volatile(
                "ldmxcsr %2\n\tmovq %4, %%xmm0\n\tmovq %5, %%xmm1\n\tucomisd %%xmm1, %%xmm0\n\t"
                "pushfq\n\tpopq %0\n\tstmxcsr %1\n\tldmxcsr %3"
                : "=r"(fl), "=m"(out)
                : "m"(mxcsr), "m"(back), "r"(a), "r"(b)
                : "xmm0", "xmm1", "cc", "memory");
        else
            __asm__ volatile(
                "ldmxcsr %2\n\tmovq %4, %%xmm0\n\tmovq %5, %%xmm1\n\tcomisd %%xmm1, %%xmm0\n\t"
                "pushfq\n\tpopq %0\n\tstmxcsr %1\n\tldmxcsr %3"
                : "=r"(fl), "=m"(out)
                : "m"(mxcsr), "m"(back), "r"(a), "r"(b)
                : "xmm0", "xmm1", "cc", "memory");
        check("comisd", &e, a, b, fl & 0x45, want[r], out & 0x3f);
    }
}

/* Unmasked: the host traps, and its MXCSR then tells which exceptions the instruction had. */
static sigjmp_buf trapped;
static volatile uint32_t trapped_flags;

static void on_sigfpe(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    trapped_flags = uc->uc_mcontext.fpregs->mxcsr & 0x3f;
    siglongjmp(trapped, 1);
}

static void sse_unmasked(void **state)
{
    static HostSse *const host[] = { host_addss,  host_subss,    host_mulss,
                                     host_divss,  host_minss,    host_maxss,
                                     host_sqrtss, host_cvtsd2ss, host_cvtps2dq };
    struct sigaction sa = { .sa_sigaction = on_sigfpe, .sa_flags = SA_SIGINFO }, old;

    sigaction(SIGFPE, &sa, &old);
    for (volatile unsigned i = 0; i < ROUNDS; i++) {
        volatile uint32_t op = i % 9;
        static const uint32_t back = 0x1f80;
        volatile uint32_t a = random32(0x3f800000), b = random32(a), flags;
        volatile uint64_t d = random64((0x3ffull - 127) << 52);
        SfEnv e = random_env();
        Xmm x = { .d = { a } }, y = { .d = { b } };

        e.masks = rnd() & 0x3f;
        if (op == 7)
            y.q[0] = d;
        if (sigsetjmp(trapped, 1) == 0) {
            flags = host[op](mxcsr_of(&e), &x, &y);
        } else {
            __asm__ volatile("ldmxcsr %0" ::"m"(back));
            flags = trapped_flags;
        }
        if (op < 6)
            sf32_op(&e, (SfOp)op, a, b);
        else if (op == 6)
            sf32_sqrt(&e, b);
        else if (op == 7)
            sf64_to_f32(&e, d);
        else
            sf32_to_int(&e, b, 32, false);
        if (flags != e.flags)
            fail_msg("op %u a=%x b=%x d=%llx rc=%d ftz=%d daz=%d masks=%x: host flags %x, ours %x",
                     op, a, b, (unsigned long long)d, e.rounding, e.ftz, e.daz, e.masks, flags,
                     e.flags);
    }
    sigaction(SIGFPE, &old, NULL);
}

/* -- x87 --------------------------------------------------------------------------------------- */
typedef struct __attribute__((packed)) FpuImage {
    uint16_t cw, r0, sw, r1, tw, r2;
    uint32_t pointers[4];
    struct __attribute__((packed)) {
        uint64_t frac;
        uint16_t se;
    } st[8];
} FpuImage;

typedef struct __attribute__((packed)) Mem80 {
    uint64_t frac;
    uint16_t se;
} Mem80;

/* ST(1) = @b, ST(0) = @a, then the instruction; the whole unit as it is then. */
#define X87_OP(name, insn)                                                                       \
    static void host_##name(uint16_t cw, Float80 a, Float80 b, FpuImage *out, void *mem)         \
    {                                                                                            \
        Mem80 x = { a.frac, a.se }, y = { b.frac, b.se };                                        \
        __asm__ volatile("fninit\n\tfldt %[y]\n\tfldt %[x]\n\tfldcw %[cw]\n\t" insn              \
                         "\n\tfnsave %[out]\n\tfninit"                                           \
                         : [out] "=m"(*out), "+m"(*(char(*)[16])mem)                             \
                         : [x] "m"(x), [y] "m"(y), [cw] "m"(cw), [mem] "r"(mem)                  \
                         : "memory", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", \
                           "st(7)");                                                             \
    }
X87_OP(fadd, "fadd %%st(1), %%st")
X87_OP(fsub, "fsub %%st(1), %%st")
X87_OP(fmul, "fmul %%st(1), %%st")
X87_OP(fdiv, "fdiv %%st(1), %%st")
X87_OP(fsqrt, "fsqrt")
X87_OP(frndint, "frndint")
X87_OP(fscale, "fscale")
X87_OP(fprem, "fprem")
X87_OP(fprem1, "fprem1")
X87_OP(fcom, "fcom %%st(1)")
X87_OP(fucom, "fucom %%st(1)")
X87_OP(fsts, "fsts (%[mem])")
X87_OP(fstl, "fstl (%[mem])")
X87_OP(flds, "flds (%[mem])")
X87_OP(fldl, "fldl (%[mem])")
X87_OP(fists, "fists (%[mem])")
X87_OP(fistl, "fistl (%[mem])")
X87_OP(fistpll, "fistpll (%[mem])")

typedef void HostX87(uint16_t cw, Float80 a, Float80 b, FpuImage *out, void *mem);

static SfEnv random_env87(bool unmask)
{
    static const uint8_t precision[] = { 0, 2, 3 };
    SfEnv e = { .rounding = (SfRounding)(rnd() & 3), .masks = 0x3f, .x87 = true };

    e.precision = precision[rnd() % 3];
    if (unmask)
        e.masks = rnd() & 0x3f;
    return e;
}

static uint16_t fcw_of(const SfEnv *e)
{
    return (uint16_t)(e->masks | e->precision << 8 | e->rounding << 10);
}

/* A tiny result is an underflow that is not masked, exact or not (SDM vol. 1, 8.5.5), to AMD's
 * processors and us; where FSCALE and FPREM have nothing to do, Intel's give the operand back. */
static bool host_keeps_denormal(const SfEnv *e, Float80 a, const FpuImage *h, uint32_t flags)
{
    return host_vendor() == HOST_INTEL && !(e->masks & 0x10) && !(a.se & 0x7fff) && a.frac &&
           h->st[0].frac == a.frac && h->st[0].se == a.se && flags == (e->flags & ~0x210u);
}

static void check80(const char *what, const SfEnv *e, Float80 a, Float80 b, const FpuImage *h,
                    Float80 r)
{
    uint32_t flags = h->sw & 0x23f;

    if (h->st[0].frac == r.frac && h->st[0].se == r.se && flags == e->flags)
        return;
    if (host_keeps_denormal(e, a, h, flags))
        return;
    fail_msg("%s a=%04x:%016llx b=%04x:%016llx rc=%d pc=%d masks=%02x: host %04x:%016llx flags %x, "
             "ours %04x:%016llx flags %x",
             what, a.se, (unsigned long long)a.frac, b.se, (unsigned long long)b.frac, e->rounding,
             e->precision, e->masks, h->st[0].se, (unsigned long long)h->st[0].frac, flags, r.se,
             (unsigned long long)r.frac, e->flags);
}

/* Was the operation stopped by an unmasked exception, so that there is no result? */
static bool stopped(const SfEnv *e)
{
    return e->flags & ~e->masks & 7;
}

static void x87_arith(void **state)
{
    static HostX87 *const host[] = { host_fadd, host_fsub, host_fmul, host_fdiv };
    static const char *const name[] = { "fadd", "fsub", "fmul", "fdiv" };

    for (unsigned i = 0; i < ROUNDS * 4; i++) {
        Float80 a = random80((Float80){ 0, 0x3fff }), b = random80(a), r;
        SfEnv e = random_env87(i & 64);
        FpuImage h;
        uint64_t mem[2];

        host[i % 4](fcw_of(&e), a, b, &h, mem);
        r = sf80_op(&e, (SfOp)(i % 4), a, b);
        check80(name[i % 4], &e, a, b, &h, stopped(&e) ? a : r);
    }
}

static void x87_unary(void **state)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        Float80 a = random80((Float80){ 0, 0x3fff + 32 }), b = random80(a), r;
        SfEnv e = random_env87(i & 64), fresh = e;
        FpuImage h;
        uint64_t mem[2];

        host_fsqrt(fcw_of(&e), a, b, &h, mem);
        r = sf80_sqrt(&e, a);
        check80("fsqrt", &e, a, b, &h, stopped(&e) ? a : r);
        e = fresh;
        host_frndint(fcw_of(&e), a, b, &h, mem);
        r = sf80_round_to_int(&e, a);
        check80("frndint", &e, a, b, &h, stopped(&e) ? a : r);
        e = fresh;
        host_fscale(fcw_of(&e), a, b, &h, mem);
        r = sf80_scale(&e, a, b);
        check80("fscale", &e, a, b, &h, stopped(&e) ? a : r);
    }
}

static void x87_remainder(void **state)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        Float80 a = random80((Float80){ 0, 0x3fff }), b = random80(a), r;
        SfEnv e = random_env87(i & 64), fresh = e;
        FpuImage h;
        uint64_t mem[2];
        unsigned q, sw;
        bool incomplete;

        for (unsigned nearest = 0; nearest < 2; nearest++) {
            e = fresh;
            (nearest ? host_fprem1 : host_fprem)(fcw_of(&e), a, b, &h, mem);
            r = sf80_rem(&e, a, b, nearest, &q, &incomplete);
            sw = incomplete ? 0x400 : (q & 4) << 6 | (q & 2) << 13 | (q & 1) << 9;
            if (stopped(&e) || (e.flags & 1))
                sw = h.sw & 0x4700;
            h.sw &= (uint16_t)~0x200; /* C1 is a quotient bit */
            check80(nearest ? "fprem1" : "fprem", &e, a, b, &h, stopped(&e) ? a : r);
            if (((h.sw ^ sw) & 0x4500))
                fail_msg("fprem%u a=%04x:%016llx b=%04x:%016llx host sw %x ours %x", nearest, a.se,
                         (unsigned long long)a.frac, b.se, (unsigned long long)b.frac,
                         h.sw & 0x4700, sw);
        }
    }
}

static void x87_compare(void **state)
{
    static const uint16_t want[] = { 0x100, 0x4000, 0, 0x4500 };

    for (unsigned i = 0; i < ROUNDS; i++) {
        Float80 a = random80((Float80){ 0, 0x3fff }), b = rnd() % 8 ? random80(a) : a;
        SfEnv e = random_env87(false);
        FpuImage h;
        uint64_t mem[2];
        SfRelation r;

        (i & 1 ? host_fucom : host_fcom)(fcw_of(&e), a, b, &h, mem);
        r = sf80_compare(&e, a, b, i & 1);
        check80("fcom", &e, a, b, &h, a);
        assert_int_equal(h.sw & 0x4500, want[r]);
    }
}

/* Does the memory operand get written? */
static bool stored(const SfEnv *e)
{
    return !(e->flags & ~e->masks & (SF_INVALID | SF_OVERFLOW | SF_UNDERFLOW));
}

static void x87_store(void **state)
{
    static HostX87 *const host[] = { host_fsts, host_fstl, host_fists, host_fistl, host_fistpll };

    for (unsigned i = 0; i < ROUNDS * 2; i++) {
        Float80 a = random80((Float80){ 0, 0x3fff + 32 });
        SfEnv e = random_env87(i & 64);
        FpuImage h;
        uint64_t mem[2] = { 0 }, n;
        unsigned op = i % 5;

        if (i & 8)
            a.se = (uint16_t)((a.se & 0x8000) | (0x3fff + rnd() % 300 - 150));
        if (i & 16)
            a.se = (uint16_t)((a.se & 0x8000) | (0x3fff - 1023 + rnd() % 130 - 65));
        host[op](fcw_of(&e), a, a, &h, mem);
        switch (op) {
        case 0: n = sf80_to_f32(&e, a); break;
        case 1: n = sf80_to_f64(&e, a); break;
        case 2: n = (uint16_t)sf80_to_int(&e, a, 16, false); break;
        case 3: n = (uint32_t)sf80_to_int(&e, a, 32, false); break;
        default: n = (uint64_t)sf80_to_int(&e, a, 64, false); break;
        }
        check80("store", &e, a, a, &h,
                op == 4 && stored(&e) ? (Float80){ h.st[0].frac, h.st[0].se } : a);
        assert_int_equal(mem[0], stored(&e) ? n : 0);
    }
}

static bool loaded(const SfEnv *e)
{
    return !(e->flags & ~e->masks & SF_INVALID);
}

static void x87_load(void **state)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        SfEnv e = random_env87(i & 64), fresh = e;
        Float80 a = { 0, 0 }, r;
        FpuImage h;
        uint64_t mem[2] = { 0 };

        mem[0] = random32(0x3f800000);
        host_flds(fcw_of(&e), a, a, &h, mem);
        r = sf32_to_f80(&e, (uint32_t)mem[0]);
        check80("flds", &e, a, a, &h, loaded(&e) ? r : a);
        e = fresh;
        mem[0] = random64(0x3ffull << 52);
        host_fldl(fcw_of(&e), a, a, &h, mem);
        r = sf64_to_f80(&e, mem[0]);
        check80("fldl", &e, a, a, &h, loaded(&e) ? r : a);
    }
}

#endif

/* 1/3 in the three formats and roundings, from the definition of the formats. */
static void known_results(void **state)
{
    SfEnv e = { .masks = 0x3f, .precision = 3, .x87 = true };
    Float80 one = { 1ull << 63, 0x3fff }, three = { 3ull << 62, 0x4000 };
    Float80 r = sf80_op(&e, SF_DIV, one, three);

    assert_int_equal(r.se, 0x3ffd);
    assert_int_equal(r.frac, 0xaaaaaaaaaaaaaaab);
    assert_int_equal(e.flags, SF_INEXACT | SF_C1);
    e = (SfEnv){ .masks = 0x3f, .rounding = SF_ZERO };
    assert_int_equal(sf32_op(&e, SF_DIV, 0x3f800000, 0x40400000), 0x3eaaaaaa);
    assert_int_equal(sf64_op(&e, SF_DIV, 0x3ff0000000000000, 0x4008000000000000),
                     0x3fd5555555555555);
    assert_int_equal(e.flags, SF_INEXACT);
    e.flags = 0;
    assert_int_equal(sf32_op(&e, SF_MUL, 0x7f800000, 0), 0xffc00000);
    assert_int_equal(e.flags, SF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_results),
#if defined(__x86_64__)
        cmocka_unit_test(sse32),
        cmocka_unit_test(sse64),
        cmocka_unit_test(sse_unary),
        cmocka_unit_test(sse_integers),
        cmocka_unit_test(sse_compare),
        cmocka_unit_test(sse_unmasked),
        cmocka_unit_test(x87_arith),
        cmocka_unit_test(x87_unary),
        cmocka_unit_test(x87_remainder),
        cmocka_unit_test(x87_compare),
        cmocka_unit_test(x87_store),
        cmocka_unit_test(x87_load),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
