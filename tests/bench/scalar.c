/* SPDX-License-Identifier: MIT
 * Floating point in scalar SSE2: the results are exact, so the checksums are of every bit.
 */
#include "bench.h"
#include <math.h>

struct body {
    double at[3], v[3], mass;
};

static void attract(struct body *a, struct body *b, double dt)
{
    double d[3], square = 0;
    for (int k = 0; k < 3; k++) {
        d[k] = a->at[k] - b->at[k];
        square += d[k] * d[k];
    }
    double pull = dt / (square * sqrt(square));
    for (int k = 0; k < 3; k++) {
        a->v[k] -= d[k] * b->mass * pull;
        b->v[k] += d[k] * a->mass * pull;
    }
}

uint64_t kernel_nbody(unsigned count)
{
    struct body bodies[5];
    uint64_t sum = 0;
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++) {
            bodies[i].at[k] = i * (k + 1.5) - 2.0 * ((i ^ k) & 3);
            bodies[i].v[k] = (k - 1) * 0.1 + i * 0.01;
        }
        bodies[i].mass = i == 0 ? 40.0 : 0.01 * i;
    }
    for (unsigned round = 0; round < count * 10; round++) {
        for (int i = 0; i < 5; i++) {
            for (int j = i + 1; j < 5; j++)
                attract(&bodies[i], &bodies[j], 0.001);
        }
        for (int i = 0; i < 5; i++) {
            for (int k = 0; k < 3; k++)
                bodies[i].at[k] += 0.001 * bodies[i].v[k];
        }
    }
    for (int i = 0; i < 5; i++)
        sum = mix_double(sum, bodies[i].at[i % 3]);
    return sum;
}

uint64_t kernel_mandel(unsigned count)
{
    uint64_t sum = 0;
    for (unsigned round = 0; round < count; round++) {
        double ci = -1.1 + (round % 97) * 0.0225;
        for (int x = 0; x < 64; x++) {
            double cr = -1.9 + x * 0.04, r = 0, i = 0;
            int n = 0;
            while (n < 50 && r * r + i * i < 4) {
                double t = r * r - i * i + cr;
                i = 2 * r * i + ci;
                r = t;
                n++;
            }
            sum += n;
        }
    }
    return sum;
}

static double element(int i, int j)
{
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

static NOINLINE void multiply(const double *v, double *out, int n, int transposed)
{
    for (int i = 0; i < n; i++) {
        out[i] = 0;
        for (int j = 0; j < n; j++)
            out[i] += v[j] * (transposed ? element(j, i) : element(i, j));
    }
}

uint64_t kernel_spectral(unsigned count)
{
    enum { N = 50 };
    double u[N], v[N], t[N], vbv = 0, vv = 0;
    for (int i = 0; i < N; i++)
        u[i] = 1;
    for (unsigned round = 0; round < count; round++) {
        multiply(u, t, N, 0);
        multiply(t, v, N, 1);
        multiply(v, t, N, 0);
        multiply(t, u, N, 1);
    }
    for (int i = 0; i < N; i++) {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    return mix_double(0, sqrt(vbv / vv));
}

struct complex {
    float r, i;
};

/* In place, size a power of two; `turn` holds the roots of unity. */
static NOINLINE void transform(struct complex *z, const struct complex *turn, unsigned n)
{
    for (unsigned i = 1, j = 0; i < n; i++) {
        unsigned bit = n / 2;
        for (; j & bit; bit /= 2)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            struct complex t = z[i];
            z[i] = z[j];
            z[j] = t;
        }
    }
    for (unsigned half = 1; half < n; half *= 2) {
        for (unsigned start = 0; start < n; start += 2 * half) {
            for (unsigned k = 0; k < half; k++) {
                struct complex w = turn[k * (n / 2 / half)];
                struct complex *a = &z[start + k], *b = a + half;
                float r = b->r * w.r - b->i * w.i, i = b->r * w.i + b->i * w.r;
                *b = (struct complex){ a->r - r, a->i - i };
                *a = (struct complex){ a->r + r, a->i + i };
            }
        }
    }
}

uint64_t kernel_fourier(unsigned count)
{
    enum { N = 512 };
    static struct complex z[N], turn[N / 2];
    uint64_t sum = 0;
    for (int i = 0; i < N / 2; i++) {
        double angle = 2 * 3.14159265358979323846 * i / N;
        turn[i] = (struct complex){ cos(angle), -sin(angle) };
    }
    for (unsigned round = 0; round < count; round++) {
        for (int i = 0; i < N; i++)
            z[i] = (struct complex){ (i * 7 + round) & 63, 0 };
        transform(z, turn, N);
        sum = mix_double(sum, z[round % N].r + z[N / 3].i);
    }
    return sum;
}

uint64_t kernel_convert(unsigned count)
{
    uint64_t seed = 18, sum = 0;
    for (unsigned round = 0; round < count * 100; round++) {
        int32_t small = next_random(&seed);
        int64_t large = (int64_t)small * 0x10003;
        float f = small;
        double d = large;
        d = d * 0.37 + f;
        f = d / 3.25;
        sum += (int32_t)(f * 0.25f) + (int64_t)d;
        sum += (f < d) + 2 * (f > large) + 4 * (d == large);
        sum += (uint64_t)(fabs(d) > 1e15 ? 1e15 : fabs(d));
    }
    return sum;
}

uint64_t kernel_libm(unsigned count)
{
    double x = 0.5, total = 0;
    for (unsigned round = 0; round < count * 10; round++) {
        total += sin(x) + cos(x * 3) + exp(-x) + log(x + 1) + pow(x, 1.25) + atan2(x, 2);
        x += 0.37;
        if (x > 20)
            x -= 19.9;
    }
    return mix_double(0, total);
}
