/* SPDX-License-Identifier: MIT
 * Branches: interpreters, searches, state machines, code larger than the caches.
 */
#include "bench.h"
#include <stdlib.h>

enum op { PUSH, ADD, MUL, XOR, DUP, SWAP, LOAD, STORE, DEC, BRANCH, DROP, HALT, OPS };

/* Sums a polynomial for variable 0 from 1000 down to 1 into variable 1. */
static const uint8_t program[] = {
    LOAD, 0,     DUP, MUL,  LOAD, 1,   ADD, PUSH,  7,   XOR,    STORE, 1,    LOAD, 0,
    PUSH, 3,     MUL, LOAD, 1,    ADD, DUP, SWAP,  XOR, LOAD,   1,     XOR,  PUSH, 5,
    ADD,  STORE, 1,   LOAD, 0,    DEC, DUP, STORE, 0,   BRANCH, 0,     HALT,
};

static NOINLINE uint64_t run_switch(const uint8_t *code, uint64_t *vars)
{
    uint64_t stack[16], *sp = stack, t;
    const uint8_t *pc = code;
    for (;;) {
        switch (*pc++) {
        case PUSH: *sp++ = *pc++; break;
        case ADD:
            sp--;
            sp[-1] += *sp;
            break;
        case MUL:
            sp--;
            sp[-1] *= *sp;
            break;
        case XOR:
            sp--;
            sp[-1] ^= *sp;
            break;
        case DUP:
            *sp = sp[-1];
            sp++;
            break;
        case SWAP:
            t = sp[-1];
            sp[-1] = sp[-2];
            sp[-2] = t;
            break;
        case LOAD: *sp++ = vars[*pc++]; break;
        case STORE: vars[*pc++] = *--sp; break;
        case DEC: sp[-1]--; break;
        case BRANCH: pc = *--sp ? code + *pc : pc + 1; break;
        case DROP: sp--; break;
        default: return vars[1];
        }
    }
}

static NOINLINE uint64_t run_threaded(const uint8_t *code, uint64_t *vars)
{
    static const void *const target[OPS] = {
        [PUSH] = &&push, [ADD] = &&add,       [MUL] = &&mul,   [XOR] = &&xor_,
        [DUP] = &&dup,   [SWAP] = &&swap,     [LOAD] = &&load, [STORE] = &&store,
        [DEC] = &&dec,   [BRANCH] = &&branch, [DROP] = &&drop, [HALT] = &&halt,
    };
    uint64_t stack[16], *sp = stack, t;
    const uint8_t *pc = code;
#define NEXT goto *target[*pc++]
    NEXT;
push:
    *sp++ = *pc++;
    NEXT;
add:
    sp--;
    sp[-1] += *sp;
    NEXT;
mul:
    sp--;
    sp[-1] *= *sp;
    NEXT;
xor_:
    sp--;
    sp[-1] ^= *sp;
    NEXT;
dup:
    *sp = sp[-1];
    sp++;
    NEXT;
swap:
    t = sp[-1];
    sp[-1] = sp[-2];
    sp[-2] = t;
    NEXT;
load:
    *sp++ = vars[*pc++];
    NEXT;
store:
    vars[*pc++] = *--sp;
    NEXT;
dec:
    sp[-1]--;
    NEXT;
branch:
    pc = *--sp ? code + *pc : pc + 1;
    NEXT;
drop:
    sp--;
    NEXT;
halt:
    return vars[1];
#undef NEXT
}

uint64_t kernel_bytecode(unsigned count)
{
    uint64_t vars[2] = { 0 };
    for (unsigned round = 0; round < count; round++) {
        vars[0] = 1000;
        run_switch(program, vars);
    }
    return vars[1];
}

uint64_t kernel_threaded(unsigned count)
{
    uint64_t vars[2] = { 0 };
    for (unsigned round = 0; round < count; round++) {
        vars[0] = 1000;
        run_threaded(program, vars);
    }
    return vars[1];
}

uint64_t kernel_collatz(unsigned count)
{
    uint64_t steps = 0;
    for (uint64_t n = 1; n <= count * UINT64_C(100); n++) {
        for (uint64_t x = n; x != 1; steps++) {
            if (x & 1)
                x = 3 * x + 1;
            else
                x >>= 1;
            KEEP(x);
        }
    }
    return steps;
}

static NOINLINE unsigned find(const uint32_t *table, unsigned n, uint32_t key)
{
    unsigned low = 0, high = n;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (table[middle] == key)
            return middle;
        if (table[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t kernel_bisect(unsigned count)
{
    enum { SIZE = 4096 };
    uint32_t table[SIZE], value = 0;
    uint64_t seed = 6, sum = 0;
    for (int i = 0; i < SIZE; i++)
        table[i] = value += next_random(&seed) >> 13;
    for (unsigned round = 0; round < count * 100; round++)
        sum += find(table, SIZE, next_random(&seed) >> 1);
    return sum;
}

static int is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Words, numbers, strings and signs of a C-like text; the state is the position in the code. */
static NOINLINE uint64_t scan(const char *p)
{
    uint64_t words = 0, numbers = 0, strings = 0, signs = 0;
    while (*p) {
        if (*p == ' ' || *p == '\n') {
            p++;
        } else if (is_letter(*p)) {
            for (words++; is_letter(*p) || (*p >= '0' && *p <= '9');)
                p++;
        } else if (*p >= '0' && *p <= '9') {
            while (*p >= '0' && *p <= '9')
                numbers += *p++ - '0';
        } else if (*p == '"') {
            for (strings++, p++; *p && *p != '"';)
                p += *p == '\\' && p[1] ? 2 : 1;
            p += *p == '"';
        } else {
            switch (*p++) {
            case '+':
            case '-': signs += 1; break;
            case '*':
            case '/': signs += 2; break;
            case '(':
            case '[':
            case '{': signs += 3; break;
            case ')':
            case ']':
            case '}': signs += 5; break;
            case ';': signs += 7; break;
            case ',': signs += 11; break;
            default: signs += 13; break;
            }
        }
    }
    return mix(mix(words, numbers), mix(strings, signs));
}

uint64_t kernel_lexer(unsigned count)
{
    static const char text[] =
        "static int add(struct item *list, int n) { int sum = 0; while (n-- > 0) sum += list[n].v; "
        "return sum; }\nint main(void) { printf(\"%d \\\"items\\\"\\n\", add(table, 1024 * 16 + 3)"
        "); if (x <= 10 && y_2 != 77) { z[12] ^= 0x55 / 3; } return 0; }\n";
    uint64_t sum = 0;
    for (unsigned round = 0; round < count * 10; round++)
        sum = mix(sum, scan(text));
    return sum;
}

/* 1024 functions, each different enough that compilers cannot fold them. */
#define WIDE1(n)                                         \
    static NOINLINE uint64_t wide_##n(uint64_t x)        \
    {                                                    \
        enum { N = 0x##n };                              \
        if (x & 1 << (N % 13))                           \
            x = x * (2 * N + 3) + (x >> (N % 23 + 3));   \
        else                                             \
            x = (x ^ N * 0x1003u) - (x << (N % 17 + 1)); \
        return x % 3 ? x + N : x ^ x >> 31;              \
    }
/* clang-format off */
#define WIDE_ROW(do_, n)                                                                           \
    do_(n##0) do_(n##1) do_(n##2) do_(n##3) do_(n##4) do_(n##5) do_(n##6) do_(n##7)                \
    do_(n##8) do_(n##9) do_(n##a) do_(n##b) do_(n##c) do_(n##d) do_(n##e) do_(n##f)
#define WIDE_PAGE(do_, n)                                                                          \
    WIDE_ROW(do_, n##0) WIDE_ROW(do_, n##1) WIDE_ROW(do_, n##2) WIDE_ROW(do_, n##3)                \
    WIDE_ROW(do_, n##4) WIDE_ROW(do_, n##5) WIDE_ROW(do_, n##6) WIDE_ROW(do_, n##7)                \
    WIDE_ROW(do_, n##8) WIDE_ROW(do_, n##9) WIDE_ROW(do_, n##a) WIDE_ROW(do_, n##b)                \
    WIDE_ROW(do_, n##c) WIDE_ROW(do_, n##d) WIDE_ROW(do_, n##e) WIDE_ROW(do_, n##f)
#define WIDE_ALL(do_) WIDE_PAGE(do_, 1) WIDE_PAGE(do_, 2) WIDE_PAGE(do_, 3) WIDE_PAGE(do_, 4)
/* clang-format on */

WIDE_ALL(WIDE1)

uint64_t kernel_wide(unsigned count)
{
#define WIDE_NAME(n) wide_##n,
    static uint64_t (*const functions[1024])(uint64_t) = { WIDE_ALL(WIDE_NAME) };
    uint64_t seed = 7, x = 1;
    for (unsigned round = 0; round < count * 1024; round++)
        x = functions[next_random(&seed) & 1023](x);
    return x;
}
