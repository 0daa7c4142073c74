/* SPDX-License-Identifier: MIT
 * Code that changes: patched, written beside, generated.
 */
#include "bench.h"
#include <string.h>
#include <sys/mman.h>

typedef uint32_t Function(uint32_t x);

enum { PAGE = 4096, RWX = PROT_READ | PROT_WRITE | PROT_EXEC };

/* mov eax, imm32; add eax, edi; ret */
static void put_function(uint8_t *at, uint32_t value)
{
    static const uint8_t code[] = { 0xb8, 0, 0, 0, 0, 0x01, 0xf8, 0xc3 };
    memcpy(at, code, sizeof(code));
    memcpy(at + 1, &value, sizeof(value));
}

static uint32_t call(const uint8_t *at, uint32_t x)
{
    return ((Function *)(uintptr_t)at)(x);
}

uint64_t kernel_patch(unsigned count)
{
    uint8_t *code = need_pages(PAGE, RWX);
    uint64_t sum = 0;
    put_function(code, 0);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(code + 1, &i, sizeof(i));
        sum += call(code, i * 3);
    }
    munmap(code, PAGE);
    return sum;
}

uint64_t kernel_beside(unsigned count)
{
    uint8_t *code = need_pages(PAGE, RWX);
    uint32_t data = 0;
    uint64_t sum = 0;
    put_function(code, 5);
    for (uint32_t i = 0; i < count; i++) {
        data = call(code, data);
        memcpy(code + 2048 + i % 64 * 4, &data, sizeof(data));
        sum += code[2048];
    }
    munmap(code, PAGE);
    return sum + data;
}

uint64_t kernel_neighbour(unsigned count)
{
    uint8_t *code = need_pages(PAGE, RWX);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 16; i++)
        put_function(code + i * 64, i);
    for (uint32_t i = 0; i < count; i++) {
        put_function(code + (1 + i % 15) * 64, i);
        for (uint32_t k = 0; k < 8; k++)
            sum += call(code, k);
        if (i % 16 == 0)
            sum += call(code + (1 + i % 15) * 64, 1);
    }
    munmap(code, PAGE);
    return sum;
}

/* Instructions on EAX, EDX and EDI, each padded to four bytes, of which any order is valid. */
static const uint8_t pieces[][4] = {
    { 0x01, 0xf8, 0x66, 0x90 }, /* add eax, edi */
    { 0x29, 0xd0, 0x66, 0x90 }, /* sub eax, edx */
    { 0x31, 0xc2, 0x66, 0x90 }, /* xor edx, eax */
    { 0x8d, 0x14, 0x92, 0x90 }, /* lea edx, [rdx+rdx*4] */
    { 0xc1, 0xc0, 0x07, 0x90 }, /* rol eax, 7 */
    { 0x0f, 0xaf, 0xc7, 0x90 }, /* imul eax, edi */
    { 0x83, 0xc2, 0x11, 0x90 }, /* add edx, 17 */
    { 0x0f, 0x42, 0xc2, 0x90 }, /* cmovc eax, edx */
    { 0xf7, 0xd2, 0x66, 0x90 }, /* not edx */
    { 0x73, 0x02, 0xff, 0xc0 }, /* jnc over inc eax */
    { 0x75, 0x02, 0xf7, 0xd8 }, /* jnz over neg eax */
    { 0x89, 0xc2, 0x66, 0x90 }, /* mov edx, eax */
};

/* mov eax, edi; mov edx, edi; pieces; ret */
static uint8_t *generate(uint8_t *at, unsigned length, uint64_t *seed)
{
    static const uint8_t first[] = { 0x89, 0xf8, 0x89, 0xfa };
    memcpy(at, first, sizeof(first));
    at += sizeof(first);
    for (unsigned i = 0; i < length; i++, at += 4)
        memcpy(at, pieces[next_random(seed) % (sizeof(pieces) / 4)], 4);
    *at++ = 0xc3;
    return at;
}

uint64_t kernel_jit(unsigned count)
{
    enum { ARENA = 16 * PAGE };
    uint8_t *code = need_pages(ARENA, RWX), *at = code;
    uint64_t seed = 20, sum = 0;
    for (unsigned i = 0; i < count; i++) {
        if (at + 256 > code + ARENA)
            at = code;
        uint8_t *function = at;
        at = generate(at, 24, &seed);
        for (uint32_t k = 0; k < 10; k++)
            sum += call(function, k + i);
    }
    munmap(code, ARENA);
    return sum;
}

uint64_t kernel_translate(unsigned count)
{
    enum { SIZE = 64 * PAGE };
    uint8_t *plan = need_memory(SIZE);
    uint64_t seed = 21, sum = 0;
    generate(plan, SIZE / 4 - 2, &seed);
    for (unsigned i = 0; i < count; i++) {
        uint8_t *code = need_pages(SIZE, RWX);
        memcpy(code, plan, SIZE);
        sum += call(code, i);
        munmap(code, SIZE);
    }
    return sum;
}
