/* SPDX-License-Identifier: MIT */
/*
 * Transcendental x87 instructions on hosts that have them: the host's own, under the guest's
 * control word. Each runs in a fresh x87 whose whole state is then read without waiting, so that
 * unmasked exceptions show but do not trap. Results are as good as the host's, which is what a
 * guest would get from that processor; processors differ in the last place.
 */
#include "target-i386/help-fp.h"

typedef struct __attribute__((packed)) HostFpu {
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

X87Result x87_transcendental(unsigned modrm, Float80 x, Float80 y, uint16_t fcw)
{
    static HostFn *const fn[16] = {
        [0x0] = host_f2xm1,   [0x1] = host_fyl2x,   [0x2] = host_fptan, [0x3] = host_fpatan,
        [0x9] = host_fyl2xp1, [0xb] = host_fsincos, [0xe] = host_fsin,  [0xf] = host_fcos
    };
    Host80 hx = { x.frac, x.se }, hy = { y.frac, y.se };
    HostFpu h;
    X87Result r;

    g_assert(fn[modrm & 15]);
    fn[modrm & 15](&h, &hx, &hy, fcw);
    r.st0 = (Float80){ h.st[0].frac, h.st[0].se };
    r.st1 = (Float80){ h.st[1].frac, h.st[1].se };
    r.flags = h.sw & (0x3f | FSW_C1 | FSW_C2);
    r.pushed = (h.sw >> 11 & 7) == 5; /* it was 6 */
    return r;
}
