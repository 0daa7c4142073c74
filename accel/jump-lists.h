/* SPDX-License-Identifier: MIT */
/*
 * Which pages the entries of a CPU's jump cache are for, so that a page's can be forgotten without
 * looking at the others: lists of entries by the page that their block begins in. Apart are those
 * of blocks that reach over into the next page. Pages whose numbers have the same hash share a
 * list.
 */
#ifndef ACCEL_JUMP_LISTS_H
#define ACCEL_JUMP_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "accel/engine.h"

#define JUMP_PAGE_BITS   13
#define JUMP_ACROSS_BITS 8
#define JUMP_UNIT_BITS   10
#define JUMP_LISTS       ((1u << JUMP_PAGE_BITS) + (1u << JUMP_ACROSS_BITS))

/* Node n is the head of list n, node JUMP_LISTS + n the jump cache's entry n: entries that are
 * not empty are in one list. */
typedef struct JumpNode {
    uint32_t next, prev;
} JumpNode;

struct JumpIndex {
    JumpNode node[JUMP_LISTS + TCG_JC_SIZE];
    uint64_t units[(1 << JUMP_UNIT_BITS) / 64]; /* filter: 2 MiB regions with large pages of code */
    bool based;                                 /* some pcs are not linear addresses */
    bool kernel_nonglobal; /* there are supervisor entries for pages that are not global */
};

static inline unsigned jump_hash(uint64_t n, unsigned bits)
{
    return (n * 0x9e3779b97f4a7c15ull) >> (64 - bits);
}

static inline uint32_t jump_list(uint64_t addr, bool across)
{
    return across ? (1u << JUMP_PAGE_BITS) + jump_hash(addr >> PAGE_BITS, JUMP_ACROSS_BITS)
                  : jump_hash(addr >> PAGE_BITS, JUMP_PAGE_BITS);
}

static inline void jump_link(JumpIndex *x, uint32_t list, uint32_t entry)
{
    uint32_t n = JUMP_LISTS + entry, next = x->node[list].next;

    x->node[n] = (JumpNode){ next, list };
    x->node[next].prev = n;
    x->node[list].next = n;
}

static inline void jump_unlink(JumpIndex *x, uint32_t entry)
{
    JumpNode n = x->node[JUMP_LISTS + entry];

    x->node[n.next].prev = n.prev;
    x->node[n.prev].next = n.next;
}

static inline uint64_t *jump_unit_word(JumpIndex *x, uint64_t addr, uint64_t *bit)
{
    unsigned n = jump_hash(addr / UNIT_LARGE, JUMP_UNIT_BITS);

    *bit = 1ull << (n % 64);
    return &x->units[n / 64];
}

#endif
