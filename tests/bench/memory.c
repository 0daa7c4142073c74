/* SPDX-License-Identifier: MIT
 * Loads and stores: streams, chains of pointers, strides, tables, trees.
 */
#include "bench.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

uint64_t kernel_stream(unsigned count)
{
    enum { SIZE = 4096 };
    uint64_t a[SIZE], b[SIZE];
    for (unsigned i = 0; i < SIZE; i++)
        a[i] = b[i] = i;
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < SIZE; i++) {
            a[i] += b[i] ^ round;
            KEEP(i);
        }
    }
    return mix(a[1], a[SIZE - 1]);
}

/* A random cycle through `links` places that are `distance` bytes apart; follow it. */
static uint64_t chase(unsigned links, unsigned distance, uint64_t steps)
{
    char *base = mmap(NULL, (uint64_t)links * distance, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    uint32_t *order = need_memory(links * sizeof(*order));
    uint64_t seed = 10, sum = 0;
    if (base == MAP_FAILED)
        fail("mmap");
    for (unsigned i = 0; i < links; i++)
        order[i] = i;
    for (unsigned i = links - 1; i > 0; i--) {
        unsigned j = next_random(&seed) % i, t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    /* a different line of each page, as lists of real programs have it */
#define PLACE(i) (base + (uint64_t)(i)*distance + ((i)*64 & (distance - 1) & ~63u))
    for (unsigned i = 0; i < links; i++)
        *(char **)PLACE(order[i]) = PLACE(order[(i + 1) % links]);
    char *p = base;
    for (uint64_t i = 0; i < steps; i++) {
        p = *(char **)p;
        sum += (uintptr_t)(p - base);
    }
#undef PLACE
    free(order);
    munmap(base, (uint64_t)links * distance);
    return sum;
}

uint64_t kernel_chase(unsigned count)
{
    return chase(256, 64, count * UINT64_C(1000));
}

uint64_t kernel_chase_pages(unsigned count)
{
    return chase(1024, 4096, count * UINT64_C(1000));
}

uint64_t kernel_chase_far(unsigned count)
{
    return chase(8192, 4096, count * UINT64_C(1000));
}

uint64_t kernel_stride(unsigned count)
{
    enum { ROWS = 512, COLUMNS = 520 };
    static uint32_t m[ROWS][COLUMNS];
    uint64_t sum = 0;
    for (unsigned round = 0; round < count; round++) {
        for (unsigned c = 0; c < COLUMNS; c++) {
            for (unsigned r = 0; r < ROWS; r++)
                sum += m[r][c] += r ^ c;
        }
    }
    return sum;
}

uint64_t kernel_unaligned(unsigned count)
{
    static char area[65536 + 16];
    uint64_t sum = 0;
    for (unsigned round = 0; round < count; round++) {
        for (unsigned at = round % 7; at + 8 < sizeof(area); at += 13) {
            uint64_t word;
            memcpy(&word, area + at, 8);
            word += at + round;
            memcpy(area + at, &word, 8);
            sum ^= word;
        }
    }
    return sum;
}

uint64_t kernel_hash(unsigned count)
{
    enum { SLOTS = 1 << 16 };
    struct slot {
        uint32_t key, value;
    } *table = need_memory(SLOTS * sizeof(*table));
    uint64_t seed = 11, sum = 0;
    for (unsigned i = 0; i < count * 1000; i++) {
        uint32_t key = (next_random(&seed) & 0x7fff) + 1;
        unsigned at = key * 0x9e3779b1u >> 16;
        while (table[at].key && table[at].key != key)
            at = (at + 1) % SLOTS;
        table[at].key = key;
        sum += table[at].value += i;
    }
    free(table);
    return sum;
}

struct node {
    struct node *left, *right;
    uint32_t key, uses;
};

static uint64_t insert(struct node **at, uint32_t key)
{
    while (*at && (*at)->key != key)
        at = key < (*at)->key ? &(*at)->left : &(*at)->right;
    if (!*at) {
        *at = need_memory(sizeof(**at));
        (*at)->key = key;
    }
    return ++(*at)->uses;
}

static uint64_t remove_all(struct node *n, uint64_t sum)
{
    if (!n)
        return sum;
    sum = remove_all(n->left, sum);
    sum = mix(sum, n->key + n->uses);
    sum = remove_all(n->right, sum);
    free(n);
    return sum;
}

uint64_t kernel_tree(unsigned count)
{
    uint64_t seed = 12, sum = 0;
    for (unsigned round = 0; round < count; round++) {
        struct node *root = NULL;
        for (unsigned i = 0; i < 3000; i++)
            sum += insert(&root, next_random(&seed) % 2000);
        sum = remove_all(root, sum);
    }
    return sum;
}

uint64_t kernel_histogram(unsigned count)
{
    static uint32_t single[256], pair[65536];
    uint8_t data[8192];
    uint64_t seed = 13, sum = 0;
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = next_random(&seed) >> 24;
    for (unsigned round = 0; round < count; round++) {
        unsigned last = 0;
        for (unsigned i = 0; i < sizeof(data); i++) {
            single[data[i]]++;
            pair[last << 8 | data[i]]++;
            last = data[i];
        }
        sum = mix(sum, single[data[round % sizeof(data)]]);
    }
    for (unsigned i = 0; i < 65536; i++)
        sum += pair[i] * (uint64_t)i;
    return sum;
}
