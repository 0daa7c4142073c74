/* SPDX-License-Identifier: MIT */
#include "tcg/aarch64/asm.h"

/* MOVZ or MOVN and as many MOVK as it takes. */
void a_mov_imm(Asm *a, int d, uint64_t v)
{
    unsigned zeros = 0, ones = 0;
    bool inverted, first = true;

    if (v >> 32 == 0 && a_fits_logic(4, v) && (v & 0xffff) && v >> 16) {
        a_logic_imm(a, A_ORR, 4, d, ZR, v);
        return;
    }
    for (unsigned i = 0; i < 64; i += 16) {
        zeros += (v >> i & 0xffff) == 0;
        ones += (v >> i & 0xffff) == 0xffff;
    }
    if (v >> 32 == 0 && (v >> 16) == 0xffff) { /* MOVN of a W register */
        a_word(a, 0x12800000 | (uint32_t)(~v & 0xffff) << 5 | (uint32_t)d);
        return;
    }
    if (MAX(zeros, ones) < 3 && a_fits_logic(8, v)) {
        a_logic_imm(a, A_ORR, 8, d, ZR, v);
        return;
    }
    inverted = ones > zeros;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t part = v >> i * 16 & 0xffff;
        if (part == (inverted ? 0xffffu : 0)) {
            continue;
        }
        if (first) {
            a_word(a, (inverted ? 0x92800000u : 0xd2800000u) | i << 21 |
                          (inverted ? ~part & 0xffff : part) << 5 | (uint32_t)d);
        } else {
            a_word(a, 0xf2800000u | i << 21 | part << 5 | (uint32_t)d);
        }
        first = false;
    }
    if (first) {
        a_word(a, (inverted ? 0x92800000u : 0xd2800000u) | (uint32_t)d);
    }
}

static bool fits_u(uint64_t v)
{
    return v < 4096 || (v < 4096 << 12 && !(v & 0xfff));
}

bool a_fits_add(int64_t v)
{
    return fits_u((uint64_t)v) || fits_u(-(uint64_t)v);
}

void a_arith_imm(Asm *a, uint32_t op, unsigned w, int d, int n, uint32_t v)
{
    uint32_t shift = 0;

    if (a_sets_flags(op)) {
        a_flags_changed(a);
    }
    if (v >= 4096) {
        v >>= 12;
        shift = 1u << 22;
    }
    /* 0x0b -> 0x11, 0x2b -> 0x31, 0x4b -> 0x51, 0x6b -> 0x71 */
    a_2(a, ((op & 0x60000000) | 0x11000000) | a_sf(w) | shift | v << 10, d, n);
}

void a_add_imm(Asm *a, unsigned w, int d, int n, int64_t v, int t)
{
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
    uint32_t op = v < 0 ? A_SUB : A_ADD;

    if (v == 0) {
        if (d != n || w != 8) {
            a_mov(a, w, d, n);
        }
    } else if (fits_u(u)) {
        a_arith_imm(a, op, w, d, n, (uint32_t)u);
    } else if (u < 1u << 24) {
        a_arith_imm(a, op, w, d, n, (uint32_t)u & ~0xfffu);
        a_arith_imm(a, op, w, d, d, u & 0xfff);
    } else {
        a_mov_imm(a, t, (uint64_t)v);
        a_alu(a, A_ADD, w, d, n, t);
    }
}

/* N:immr:imms of a bit mask immediate (C3.4.2): a rotated run of ones, repeated. */
static bool logic_fields(unsigned w, uint64_t v, uint32_t *fields)
{
    unsigned size, ones, rotate;
    uint64_t mask;

    if (w != 8) {
        v &= UINT32_MAX;
        v |= v << 32;
    }
    if (v == 0 || v == UINT64_MAX) {
        return false;
    }
    for (size = 64; size > 2; size /= 2) {
        mask = (UINT64_C(1) << size / 2) - 1;
        if ((v & mask) != (v >> size / 2 & mask)) {
            break;
        }
    }
    mask = size == 64 ? UINT64_MAX : (UINT64_C(1) << size) - 1;
    v &= mask;
    for (rotate = 0; rotate < size; rotate++) {
        uint64_t r = rotate ? ((v >> rotate) | (v << (size - rotate))) & mask : v;
        if ((r & 1) && !(r & (r + 1))) { /* a run from bit 0 */
            ones = (unsigned)__builtin_popcountll(r);
            *fields = (size == 64 ? 1u << 22 : 0) | ((size - rotate) & (size - 1)) << 16 |
                      ((~(size * 2 - 1) & 0x3f) | (ones - 1)) << 10;
            return true;
        }
    }
    return false;
}

bool a_fits_logic(unsigned w, uint64_t v)
{
    uint32_t fields;

    return logic_fields(w, v, &fields);
}

void a_logic_imm(Asm *a, uint32_t op, unsigned w, int d, int n, uint64_t v)
{
    uint32_t fields = 0;
    bool fits = logic_fields(w, v, &fields);

    g_assert(fits);
    if (op == A_ANDS) {
        a_flags_changed(a);
    }
    /* 0x0a -> 0x12, 0x2a -> 0x32, 0x4a -> 0x52, 0x6a -> 0x72 */
    a_2(a, ((op & 0x60000000) | 0x12000000) | a_sf(w) | fields, d, n);
}

bool a_redirect(uint32_t *insn, const uint8_t *at, const uint8_t *to)
{
    int64_t d = (to - at) >> 2;
    unsigned bits = 19, shift = 5; /* B.cond, CBZ, CBNZ */
    uint32_t mask;

    if ((*insn & 0x7c000000) == 0x14000000) { /* B, BL */
        bits = 26;
        shift = 0;
    } else if ((*insn & 0x7e000000) == 0x36000000) { /* TBZ, TBNZ */
        bits = 14;
    }
    if (d < -(INT64_C(1) << (bits - 1)) || d >= INT64_C(1) << (bits - 1)) {
        return false;
    }
    mask = (1u << bits) - 1;
    *insn = (*insn & ~(mask << shift)) | ((uint32_t)d & mask) << shift;
    return true;
}

bool a_patch(uint8_t *at, const uint8_t *to)
{
    uint32_t insn;

    memcpy(&insn, at, 4);
    if (!a_redirect(&insn, at, to)) {
        return false;
    }
    memcpy(at, &insn, 4);
    return true;
}
