/* SPDX-License-Identifier: MIT
 * Calls and returns: recursive, through pointers, by the C library, and returns of other kinds.
 */
#include "bench.h"
#include <setjmp.h>
#include <stdlib.h>

static NOINLINE uint64_t fib(unsigned n)
{
    if (n < 2)
        return n;
    uint64_t a = fib(n - 1), b = fib(n - 2);
    KEEP(b); /* else the second call becomes a loop */
    return a + b;
}

uint64_t kernel_fib(unsigned count)
{
    uint64_t sum = 0;
    unsigned n = 20;
    for (unsigned round = 0; round < count; round++) {
        KEEP(n);
        sum += fib(n);
    }
    return sum;
}

static NOINLINE unsigned place(unsigned row, unsigned columns, unsigned left, unsigned right)
{
    unsigned solutions = 0;
    if (row == 0)
        return 1;
    for (unsigned free = ~(columns | left | right) & 0xff; free; free &= free - 1) {
        unsigned here = free & -free;
        solutions += place(row - 1, columns | here, (left | here) << 1, (right | here) >> 1);
    }
    return solutions;
}

uint64_t kernel_queens(unsigned count)
{
    uint64_t sum = 0;
    unsigned rows = 8;
    for (unsigned round = 0; round < count; round++) {
        KEEP(rows);
        sum += place(rows, 0, 0, 0);
    }
    return sum;
}

struct shape;
struct shape_type {
    uint64_t (*area)(const struct shape *);
    void (*grow)(struct shape *, unsigned);
};
struct shape {
    const struct shape_type *type;
    uint64_t width, height;
};

static uint64_t square_area(const struct shape *s)
{
    return s->width * s->width;
}

static uint64_t box_area(const struct shape *s)
{
    return s->width * s->height;
}

static uint64_t triangle_area(const struct shape *s)
{
    return s->width * s->height / 2;
}

static void grow_width(struct shape *s, unsigned by)
{
    s->width = (s->width + by) & 0xffff;
}

static void grow_both(struct shape *s, unsigned by)
{
    s->width = (s->width + by) & 0xffff;
    s->height = (s->height ^ by) & 0xffff;
}

static const struct shape_type shape_types[] = {
    { square_area, grow_width },
    { box_area, grow_both },
    { triangle_area, grow_both },
    { triangle_area, grow_width },
};

uint64_t kernel_virtual(unsigned count)
{
    struct shape shapes[64];
    uint64_t seed = 8, sum = 0;
    for (unsigned i = 0; i < 64; i++)
        shapes[i] = (struct shape){ &shape_types[next_random(&seed) & 3], i, 64 - i };
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < 64; i++) {
            struct shape *s = &shapes[i];
            s->type->grow(s, round);
            sum += s->type->area(s);
        }
    }
    return sum;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

uint64_t kernel_callback(unsigned count)
{
    enum { SIZE = 4000 };
    uint32_t v[SIZE];
    uint64_t seed = 9, sum = 0;
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < SIZE; i++)
            v[i] = next_random(&seed);
        qsort(v, SIZE, sizeof(*v), compare);
        sum = mix(sum, v[round % SIZE]);
    }
    return sum;
}

static jmp_buf landing;

static NOINLINE void descend(unsigned depth, unsigned value)
{
    if (depth > 0)
        descend(depth - 1, value);
    else if (value != UINT32_MAX) /* always, but compilers need not know */
        longjmp(landing, (value & 0xff) + 1);
    KEEP(value);
}

uint64_t kernel_longjump(unsigned count)
{
    static volatile uint64_t sum;
    static volatile unsigned round;
    for (round = 0; round < count; round++) {
        int value = setjmp(landing);
        if (value == 0)
            descend(4, round);
        sum += value;
    }
    return sum;
}
