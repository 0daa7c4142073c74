/* SPDX-License-Identifier: MIT
 * x87: what compilers make of long double, and the instructions that only assembly reaches.
 */
#include "bench.h"
#include <string.h>

static uint64_t mix_extended(uint64_t sum, long double x)
{
    uint64_t fraction;
    uint16_t exponent;
    memcpy(&fraction, &x, 8);
    memcpy(&exponent, (char *)&x + 8, 2);
    return mix(mix(sum, fraction), exponent);
}

uint64_t kernel_x87_mandel(unsigned count)
{
    uint64_t sum = 0;
    for (unsigned round = 0; round < count; round++) {
        long double ci = -1.1L + (round % 97) * 0.0225L;
        for (int x = 0; x < 32; x++) {
            long double cr = -1.9L + x * 0.08L, r = 0, i = 0;
            int n = 0;
            while (n < 50 && r * r + i * i < 4) {
                long double t = r * r - i * i + cr;
                i = 2 * r * i + ci;
                r = t;
                n++;
            }
            sum += n;
        }
    }
    return sum;
}

uint64_t kernel_x87_series(unsigned count)
{
    long double sum = 0, product = 1, term = 0.3L, low = 1;
    for (unsigned i = 1; i <= count * 100; i++) {
        long double q = term / i;
        sum += q;
        product *= 1 + q * q;
        if (product > 2)
            product /= 2;
        if (q < low)
            low = q;
        term = 1.25L - term * 0.75L;
    }
    return mix_extended(mix_extended(mix_extended(0, sum), product), low);
}

uint64_t kernel_x87_trig(unsigned count)
{
    long double x = 0.25L, total = 0;
    for (unsigned round = 0; round < count * 10; round++) {
        long double s, a, e, l, r;
        __asm__("fsin" : "=t"(s) : "0"(x));
        __asm__("fpatan" : "=t"(a) : "0"(x), "u"(s) : "st(1)");
        __asm__("f2xm1" : "=t"(e) : "0"(s));
        __asm__("fyl2x" : "=t"(l) : "0"(x + 1), "u"(a) : "st(1)");
        __asm__("fsqrt" : "=t"(r) : "0"(x));
        total += s + a + e + l + r;
        x += 0.0625L;
        if (x > 8)
            x -= 7.75L;
    }
    /* transcendentals may differ in the last bits between makers of FPUs */
    return (uint64_t)(total * 1e3L + 0.5L);
}

uint64_t kernel_x87_convert(unsigned count)
{
    uint64_t sum = 0;
    unsigned char decimal[10];
    for (unsigned round = 0; round < count * 10; round++) {
        int16_t half = round * 7;
        int32_t word = round * 100003;
        int64_t quad = (int64_t)word * 1000003;
        float f;
        double d;
        __asm__ volatile("filds %3\n\t"
                         "fildl %4\n\t"
                         "fildq %5\n\t"
                         "fst %%st(1)\n\t"
                         "fsts %1\n\t"
                         "fxch %%st(2)\n\t"
                         "fabs\n\t"
                         "fbstp %0\n\t"
                         "fstpl %2\n\t"
                         "fadds %1\n\t"
                         "fsubl %2\n\t"
                         "fistpq %5\n\t"
                         : "=m"(decimal), "=m"(f), "=m"(d), "+m"(half), "+m"(word), "+m"(quad)
                         :
                         : "st", "st(1)", "st(2)");
        sum = mix(sum, quad + decimal[0] + decimal[1]);
        sum = mix_double(sum, f + d);
    }
    return sum;
}
