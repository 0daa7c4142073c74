/* SPDX-License-Identifier: MIT */
/* A guest's access as C does it in the place of translated code: integers, wherever they lie. */
#ifndef TCG_NATIVE_DIRECT_H
#define TCG_NATIVE_DIRECT_H

#include "tcg/ir.h"

#ifndef GENERAL_REGS
#define GENERAL_REGS /* of functions: no other registers. The whole file may be compiled so */
#endif

typedef union __attribute__((packed)) Any {
    uint8_t b;
    uint16_t w;
    uint32_t d;
    uint64_t q;
} Any;

GENERAL_REGS static inline uint64_t load(const Any *p, unsigned size)
{
    switch (size) {
    case 1: return p->b;
    case 2: return p->w;
    case 4: return p->d;
    default: return p->q;
    }
}

GENERAL_REGS static inline void store(Any *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: p->b = (uint8_t)v; break;
    case 2: p->w = (uint16_t)v; break;
    case 4: p->d = (uint32_t)v; break;
    default: p->q = v;
    }
}

/* What a read-modify-write leaves in memory. */
GENERAL_REGS static inline uint64_t combined(unsigned op, uint64_t old, uint64_t b)
{
    switch (op) {
    case OP_rmw_add:
    case OP_rmw_xadd: return old + b;
    case OP_rmw_sub: return old - b;
    case OP_rmw_and: return old & b;
    case OP_rmw_or: return old | b;
    case OP_rmw_xor: return old ^ b;
    default: return b; /* OP_rmw_xchg */
    }
}

#endif
