/* SPDX-License-Identifier: MIT */
/* What instructions do to the flow of control, by their bytes: for tools that ask it of each. */
#ifndef TOOLS_FLOW_H
#define TOOLS_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mimus-plugin.h>

typedef enum Flow { FLOW_ON, FLOW_BRANCH, FLOW_CALL, FLOW_RETURN, FLOW_SYSTEM } Flow;

static inline Flow flow_of_group5(uint8_t modrm)
{
    unsigned reg = modrm >> 3 & 7;

    return reg == 2 || reg == 3 ? FLOW_CALL : reg == 4 || reg == 5 ? FLOW_BRANCH : FLOW_ON;
}

static inline Flow flow_of_0f(uint8_t op)
{
    if (op >= 0x80 && op <= 0x8f)
        return FLOW_BRANCH;
    return op == 0x05 || op == 0x07 || op == 0x34 || op == 0x35 ? FLOW_SYSTEM : FLOW_ON;
}

/* 40 … 4F stand alone where they are no prefixes. */
static inline bool is_prefix(uint8_t b)
{
    return b == 0x66 || b == 0x67 || b == 0xf2 || b == 0xf3 || b == 0x2e || b == 0x3e ||
           b == 0x26 || b == 0x36 || b == 0x64 || b == 0x65 || b == 0xf0 || (b & 0xf0) == 0x40;
}

static inline Flow flow_of(const MimusInsn *i)
{
    const uint8_t *b = mimus_insn_bytes(i);
    size_t n = mimus_insn_size(i);

    while (n > 1 && is_prefix(*b))
        b++, n--;
    switch (*b) {
    case 0x70 ... 0x7f:
    case 0xe0 ... 0xe3:
    case 0xe9:
    case 0xea:
    case 0xeb: return FLOW_BRANCH;
    case 0x9a:
    case 0xe8: return FLOW_CALL;
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb: return FLOW_RETURN;
    case 0xcc ... 0xcf:
    case 0xf1: return FLOW_SYSTEM;
    case 0xff: return n > 1 ? flow_of_group5(b[1]) : FLOW_ON;
    case 0x0f: return n > 1 ? flow_of_0f(b[1]) : FLOW_ON;
    default: return FLOW_ON;
    }
}

#endif
