/* SPDX-License-Identifier: MIT */
#include "tcg/x86_64/asm.h"

#include <glib.h>
#include <string.h>

static void room(Asm *a)
{
    x_room(a, 32);
}

void x_byte(Asm *a, unsigned v)
{
    room(a);
    *a->p++ = (uint8_t)v;
}

void x_word(Asm *a, unsigned v)
{
    x_byte(a, v & 0xff);
    x_byte(a, v >> 8);
}

void x_dword(Asm *a, uint32_t v)
{
    room(a);
    memcpy(a->p, &v, 4);
    a->p += 4;
}

void x_qword(Asm *a, uint64_t v)
{
    room(a);
    memcpy(a->p, &v, 8);
    a->p += 8;
}

static void put(Asm *a, unsigned v)
{
    *a->p++ = (uint8_t)v;
}

static void put32(Asm *a, uint32_t v)
{
    memcpy(a->p, &v, 4);
    a->p += 4;
}

static bool needs_rex8(int r)
{
    return r >= RSP && r <= RDI;
}

static unsigned mandatory_prefix(unsigned x, unsigned w, uint8_t **p)
{
    if ((x & X_66) || w == 2) {
        *(*p)++ = 0x66;
    }
    if (x & (X_F3 | X_F2)) {
        *(*p)++ = x & X_F3 ? 0xf3 : 0xf2;
    }
    return x & X_W ? 8 : 0;
}

static unsigned rex_of_bytes(unsigned x, int r, int b, bool rm_is_reg)
{
    bool need = ((x & X_REG8) && needs_rex8(r)) || ((x & X_RM8) && rm_is_reg && needs_rex8(b));
    return need ? 0x40 : 0;
}

/* Prefixes, REX, map and opcode. @r, @idx, @b: the three register fields (NOREG: absent). */
static void opcode(Asm *a, unsigned x, unsigned w, int r, int idx, int b, bool rm_is_reg)
{
    unsigned rex = w & 8;
    uint8_t *p;

    room(a);
    p = a->p;
    rex |= mandatory_prefix(x, w, &p);
    rex |= (unsigned)(r >= 8) << 2 | (unsigned)(idx >= 8) << 1 | (b >= 8);
    rex |= rex ? 0x40 : 0;
    rex |= rex_of_bytes(x, r, b, rm_is_reg);
    *p = (uint8_t)rex;
    p += rex != 0;
    if (x & (X_0F | X_0F38 | X_0F3A)) {
        *p++ = 0x0f;
        if (!(x & X_0F)) {
            *p++ = x & X_0F38 ? 0x38 : 0x3a;
        }
    }
    *p++ = (uint8_t)x;
    a->p = p;
}

static void modrm_reg(Asm *a, int reg, int rm)
{
    put(a, x_modrm_regs(reg, rm));
}

/* clang-format off */
#define HAS_SIB(base, index) ((index) || ((base) & 7) == RSP)
#define REX_BX(base, index)  (((base) & 8) >> 3 | ((index) && ((index) - 1) & 8 ? 2u : 0u))
#define RM(base, index)      (HAS_SIB(base, index) ? 4u : (base) & 7u)
#define SIB(base, index)                                                                           \
    (!HAS_SIB(base, index) ? 0u : ((index) ? (((index) - 1u) & 7) << 3 : RSP << 3) | ((base) & 7u))
#define ENTRY(base, index, mod, disp_bytes)                                                        \
    (REX_BX(base, index) | (1u + HAS_SIB(base, index) + (disp_bytes)) << 4 |                       \
     ((mod) << 6 | RM(base, index)) << 8 | SIB(base, index) << 16 |                                \
     (HAS_SIB(base, index) ? 16u : 8u) << 24)
#define NEEDS_DISP(base) (((base) & 7) == RBP)
#define FORM(base, index) /* 1 + index */                                                          \
    [((index) + 31) & 31][base] = {                                                                \
        [X_DISP_0] = (index) == 1 + RSP ? 0u : ENTRY(base, index, 0u + NEEDS_DISP(base), NEEDS_DISP(base)), \
        [X_DISP_8] = (index) == 1 + RSP ? 0u : ENTRY(base, index, 1u, 1u),                         \
        [X_DISP_32] = (index) == 1 + RSP ? 0u : ENTRY(base, index, 2u, 4u),                        \
    }
#define FORMS(base)                                                                                \
    FORM(base, 0), FORM(base, 1), FORM(base, 2), FORM(base, 3), FORM(base, 4), FORM(base, 5),      \
    FORM(base, 6), FORM(base, 7), FORM(base, 8), FORM(base, 9), FORM(base, 10), FORM(base, 11),    \
    FORM(base, 12), FORM(base, 13), FORM(base, 14), FORM(base, 15), FORM(base, 16)
const uint32_t x_address_forms[32][32][4] = {
    FORMS(RAX), FORMS(RCX), FORMS(RDX), FORMS(RBX), FORMS(RSP), FORMS(RBP), FORMS(RSI), FORMS(RDI),
    FORMS(R8), FORMS(R9), FORMS(R10), FORMS(R11), FORMS(R12), FORMS(R13), FORMS(R14), FORMS(R15),
};
/* clang-format on */

static void modrm_mem(Asm *a, int reg, Mem m)
{
    if (G_UNLIKELY(m.base == NOREG)) { /* index and disp32 */
        put(a, ((unsigned)reg & 7) << 3 | 4);
        put(a, (unsigned)m.scale << 6 | ((unsigned)m.index & 7) << 3 | 5);
        put32(a, (uint32_t)m.disp);
        return;
    }
    a->p = x_modrm_mem(a->p, reg, m, x_address_form(m));
}

/* Without prefixes but REX, in the first two maps, no byte registers: most are. */
static inline bool is_plain(unsigned x, unsigned w)
{
    return !((x & ~(X_0F | 0xffu)) | (w & 2));
}

static G_GNUC_NO_INLINE void any_rr(Asm *a, unsigned x, unsigned w, X86Reg reg, X86Reg rm)
{
    opcode(a, x, w, reg, NOREG, rm, true);
    modrm_reg(a, reg, rm);
}

void x_rr(Asm *a, unsigned x, unsigned w, X86Reg reg, X86Reg rm)
{
    if (G_UNLIKELY(!is_plain(x, w))) {
        any_rr(a, x, w, reg, rm);
        return;
    }
    room(a);
    x_plain_rr(a, x, w, reg, rm);
}

/* Kept as it is ("used"), so that calling it is a jump for x_rm(). */
static __attribute__((noinline, used)) void any_rm(Asm *a, unsigned x, unsigned w, X86Reg reg,
                                                   Mem m)
{
    g_assert(m.index != RSP);
    opcode(a, x, w, reg, m.index, m.base, false);
    modrm_mem(a, reg, m);
}

void x_rm(Asm *a, unsigned x, unsigned w, X86Reg reg, Mem m)
{
    uint32_t form = x_address_form(m);

    if (G_UNLIKELY(!is_plain(x & ~(unsigned)X_RM8, w) || !form)) { /* rm is no register */
        any_rm(a, x, w, reg, m);
        return;
    }
    room(a);
    x_form_rm(a, x, w, reg, m, form);
}

/* The opcode of @x for operand size @w, where the byte form is one less. */
static unsigned sized(unsigned x, unsigned w)
{
    return w == 1 ? (x - 1) | X_REG8 | X_RM8 : x;
}

/* An opcode whose reg field is an extension: only rm can be a byte register. */
static unsigned sized_ext(unsigned x, unsigned w)
{
    return w == 1 ? (x - 1) | X_RM8 : x;
}

static void imm(Asm *a, unsigned w, int32_t v)
{
    if (w == 1) {
        put(a, (uint8_t)v);
    } else if (w == 2) {
        put(a, (uint8_t)v);
        put(a, (uint8_t)(v >> 8));
    } else {
        put32(a, (uint32_t)v);
    }
}

void x_mov(Asm *a, unsigned w, X86Reg d, X86Reg s)
{
    if (d == s && w != 4) {
        return;
    }
    x_rr(a, sized(X_MOV_MR, w), w, s, d);
}

void x_mov_imm(Asm *a, X86Reg d, uint64_t v)
{
    room(a);
    if (v <= UINT32_MAX) {
        if (d >= 8) {
            put(a, 0x41);
        }
        put(a, 0xb8u | ((unsigned)d & 7));
        put32(a, (uint32_t)v);
    } else if ((int64_t)v == (int32_t)v) {
        x_rr(a, 0xc7, 8, 0, d);
        put32(a, (uint32_t)v);
    } else {
        put(a, d >= 8 ? 0x49 : 0x48);
        put(a, 0xb8u | ((unsigned)d & 7));
        x_qword(a, v);
    }
}

void x_load(Asm *a, unsigned w, X86Reg d, Mem m)
{
    if (w == 1) {
        x_rm(a, X_MOVZX8, 4, d, m);
    } else if (w == 2) {
        x_rm(a, X_MOVZX16, 4, d, m);
    } else {
        x_rm(a, X_MOV_RM, w, d, m);
    }
}

void x_store(Asm *a, unsigned w, Mem m, X86Reg s)
{
    x_rm(a, sized(X_MOV_MR, w), w, s, m);
}

void x_store_imm(Asm *a, unsigned w, Mem m, int32_t v)
{
    x_rm(a, sized_ext(0xc7, w), w, 0, m);
    imm(a, w, v);
}

void x_lea(Asm *a, unsigned w, X86Reg d, Mem m)
{
    if (m.index == NOREG && m.disp == 0) {
        if (m.base != d || w == 4) {
            x_mov(a, w, d, (X86Reg)m.base);
        }
        return;
    }
    x_rm(a, X_LEA, w, d, m);
}

void x_movzx(Asm *a, unsigned from, X86Reg d, X86Reg s)
{
    if (from == 1) {
        x_rr(a, X_MOVZX8, 4, d, s);
    } else if (from == 2) {
        x_rr(a, X_MOVZX16, 4, d, s);
    } else {
        x_rr(a, X_MOV_MR, 4, s, d);
    }
}

void x_movsx(Asm *a, unsigned w, unsigned from, X86Reg d, X86Reg s)
{
    x_rr(a, from == 1 ? X_MOVSX8 : from == 2 ? X_MOVSX16 : X_MOVSXD, w, d, s);
}

void x_setcc(Asm *a, unsigned cc, X86Reg d)
{
    x_rr(a, X_0F | X_RM8 | 0x90 | cc, 4, 0, d);
}

void x_cmov(Asm *a, unsigned cc, unsigned w, X86Reg d, X86Reg s)
{
    x_rr(a, X_CMOV | cc, w == 8 ? 8 : 4, d, s);
}

void x_xchg(Asm *a, X86Reg r, X86Reg s)
{
    if (r != s) {
        x_rr(a, X_XCHG, 8, r, s);
    }
}

void x_bswap(Asm *a, unsigned w, X86Reg d)
{
    opcode(a, X_0F | 0xc8 | ((unsigned)d & 7), w, NOREG, NOREG, d, true);
}

void x_not(Asm *a, unsigned w, X86Reg d)
{
    x_rr(a, sized_ext(0xf7, w), w, (X86Reg)G3_NOT, d);
}

void x_push(Asm *a, X86Reg r)
{
    opcode(a, 0x50 | ((unsigned)r & 7), 4, NOREG, NOREG, r, true);
}

void x_pop(Asm *a, X86Reg r)
{
    opcode(a, 0x58 | ((unsigned)r & 7), 4, NOREG, NOREG, r, true);
}

void x_flags_changed(Asm *a)
{
    a->epoch++;
}

void x_flags_rr(Asm *a, unsigned x, unsigned w, X86Reg reg, X86Reg rm)
{
    a->epoch++;
    x_rr(a, x, w, reg, rm);
}

void x_flags_rm(Asm *a, unsigned x, unsigned w, X86Reg reg, Mem m)
{
    a->epoch++;
    x_rm(a, x, w, reg, m);
}

void x_alu(Asm *a, X86Alu op, unsigned w, X86Reg d, X86Reg s)
{
    x_flags_rr(a, sized(op * 8u + 1, w), w, s, d);
}

void x_alu_imm(Asm *a, X86Alu op, unsigned w, X86Reg d, int32_t v)
{
    bool small = v >= -128 && v <= 127;

    if (w != 1 && small) {
        x_flags_rr(a, 0x83, w, (X86Reg)op, d);
        put(a, (uint8_t)v);
    } else if (d == RAX) { /* short form */
        a->epoch++;
        opcode(a, op * 8u + (w == 1 ? 4 : 5), w, NOREG, NOREG, NOREG, false);
        imm(a, w, v);
    } else {
        x_flags_rr(a, sized_ext(0x81, w), w, (X86Reg)op, d);
        imm(a, w, v);
    }
}

void x_alu_rm(Asm *a, X86Alu op, unsigned w, X86Reg d, Mem m)
{
    x_flags_rm(a, sized(op * 8u + 3, w), w, d, m);
}

void x_alu_mr(Asm *a, X86Alu op, unsigned w, Mem m, X86Reg s)
{
    x_flags_rm(a, sized(op * 8u + 1, w), w, s, m);
}

void x_alu_mi(Asm *a, X86Alu op, unsigned w, Mem m, int32_t v)
{
    if (w != 1 && v >= -128 && v <= 127) {
        x_flags_rm(a, 0x83, w, (X86Reg)op, m);
        put(a, (uint8_t)v);
    } else {
        x_flags_rm(a, sized_ext(0x81, w), w, (X86Reg)op, m);
        imm(a, w, v);
    }
}

void x_test(Asm *a, unsigned w, X86Reg d, X86Reg s)
{
    x_flags_rr(a, sized(X_TEST, w), w, s, d);
}

void x_test_imm(Asm *a, unsigned w, X86Reg d, int32_t v)
{
    if (d == RAX) {
        a->epoch++;
        opcode(a, w == 1 ? 0xa8 : 0xa9, w, NOREG, NOREG, NOREG, false);
    } else {
        x_flags_rr(a, sized_ext(0xf7, w), w, (X86Reg)G3_TEST, d);
    }
    imm(a, w, v);
}

void x_test_mi(Asm *a, unsigned w, Mem m, int32_t v)
{
    x_flags_rm(a, sized_ext(0xf7, w), w, (X86Reg)G3_TEST, m);
    imm(a, w, v);
}

void x_shift_imm(Asm *a, X86Shift op, unsigned w, X86Reg d, unsigned count)
{
    if (count == 1) {
        x_flags_rr(a, sized_ext(0xd1, w), w, (X86Reg)op, d);
    } else {
        x_flags_rr(a, sized_ext(0xc1, w), w, (X86Reg)op, d);
        put(a, count);
    }
}

void x_shift_cl(Asm *a, X86Shift op, unsigned w, X86Reg d)
{
    x_flags_rr(a, sized_ext(0xd3, w), w, (X86Reg)op, d);
}

void x_grp3(Asm *a, X86Grp3 op, unsigned w, X86Reg r)
{
    x_flags_rr(a, sized_ext(0xf7, w), w, (X86Reg)op, r);
}

void x_inc(Asm *a, unsigned w, X86Reg d)
{
    x_flags_rr(a, sized_ext(0xff, w), w, (X86Reg)0, d);
}

void x_dec(Asm *a, unsigned w, X86Reg d)
{
    x_flags_rr(a, sized_ext(0xff, w), w, (X86Reg)1, d);
}

void x_imul(Asm *a, unsigned w, X86Reg d, X86Reg s)
{
    x_flags_rr(a, X_IMUL, w, d, s);
}

void x_imul_imm(Asm *a, unsigned w, X86Reg d, X86Reg s, int32_t v)
{
    bool small = v >= -128 && v <= 127;

    x_flags_rr(a, small ? 0x6b : 0x69, w, d, s);
    imm(a, small ? 1 : w, v);
}

void x_bt_imm(Asm *a, unsigned w, X86Reg r, unsigned bit)
{
    x_flags_rr(a, X_0F | 0xba, w, (X86Reg)4, r);
    put(a, bit);
}

/* The short form where it says everything. */
static void vex_prefix(Asm *a, unsigned x, bool l256, int reg, int vvvv, int index, int rm)
{
    unsigned pp = x & X_66 ? 1 : x & X_F3 ? 2 : x & X_F2 ? 3 : 0;
    unsigned last = (~(unsigned)vvvv & 15) << 3 | (l256 ? 4u : 0u) | pp;
    unsigned r = reg >= 8 ? 0 : 0x80;

    room(a);
    if ((x & X_0F) && !(x & X_W) && index < 8 && rm < 8) {
        put(a, 0xc5);
        put(a, r | last);
    } else {
        unsigned map = x & X_0F ? 1 : x & X_0F38 ? 2 : 3;
        put(a, 0xc4);
        put(a, r | (index >= 8 ? 0u : 0x40u) | (rm >= 8 ? 0u : 0x20u) | map);
        put(a, (x & X_W ? 0x80u : 0u) | last);
    }
    put(a, x & 0xff);
}

void x_vex_rr(Asm *a, unsigned x, bool l256, int reg, int vvvv, int rm)
{
    vex_prefix(a, x, l256, reg, vvvv, NOREG, rm);
    modrm_reg(a, reg, rm);
}

void x_vex0(Asm *a, unsigned x)
{
    vex_prefix(a, x, false, 0, 0, NOREG, 0);
}

void x_vex_rm(Asm *a, unsigned x, bool l256, int reg, int vvvv, Mem m)
{
    vex_prefix(a, x, l256, reg, vvvv, m.index, m.base);
    modrm_mem(a, reg, m);
}

/* Three-byte VEX, 128-bit / LZ. @map 2: 0F38, 3: 0F3A; @pp 1: 66, 2: F3, 3: F2. */
static void vex(Asm *a, unsigned map, unsigned pp, unsigned w, int reg, int vvvv, int rm,
                unsigned op)
{
    room(a);
    put(a, 0xc4);
    put(a, (reg >= 8 ? 0u : 0x80u) | 0x40u | (rm >= 8 ? 0u : 0x20u) | map);
    put(a, (w == 8 ? 0x80u : 0u) | (~(unsigned)vvvv & 15) << 3 | pp);
    put(a, op);
    modrm_reg(a, reg, rm);
}

void x_bmi_shift(Asm *a, X86Bmi op, unsigned w, X86Reg d, X86Reg s, X86Reg count)
{
    static const uint8_t pp[] = { [BMI_SHLX] = 1, [BMI_SHRX] = 3, [BMI_SARX] = 2 };

    vex(a, 2, pp[op], w, d, count, s, 0xf7);
}

void x_rorx(Asm *a, unsigned w, X86Reg d, X86Reg s, unsigned count)
{
    vex(a, 3, 3, w, d, 0, s, 0xf0);
    put(a, count);
}

static void rel32(Asm *a, const void *target)
{
    int64_t d = (const uint8_t *)target - (x_pc(a) + 4);

    g_assert(a->full || d == (int32_t)d);
    put32(a, (uint32_t)d);
}

void x_call(Asm *a, const void *target)
{
    room(a);
    put(a, 0xe8);
    rel32(a, target);
}

void x_jmp(Asm *a, const void *target)
{
    room(a);
    put(a, 0xe9);
    rel32(a, target);
}

void x_jcc(Asm *a, unsigned cc, const void *target)
{
    int64_t d;

    room(a);
    d = (const uint8_t *)target - (x_pc(a) + 2);
    if (d == (int8_t)d) {
        put(a, 0x70 | cc);
        put(a, (uint8_t)d);
        return;
    }
    put(a, 0x0f);
    put(a, 0x80 | cc);
    rel32(a, target);
}

void x_jmp_mem(Asm *a, Mem m)
{
    x_rm(a, 0xff, 4, (X86Reg)4, m);
}

void x_call_mem(Asm *a, Mem m)
{
    x_rm(a, 0xff, 4, (X86Reg)2, m);
}

void x_jmp_reg(Asm *a, X86Reg r)
{
    x_rr(a, 0xff, 4, (X86Reg)4, r);
}

void x_call_reg(Asm *a, X86Reg r)
{
    x_rr(a, 0xff, 4, (X86Reg)2, r);
}

void x_ret(Asm *a)
{
    x_byte(a, 0xc3);
}

uint8_t *x_jcc8(Asm *a, unsigned cc)
{
    room(a);
    put(a, 0x70 | cc);
    put(a, 0);
    return a->p;
}

uint8_t *x_jmp8(Asm *a)
{
    room(a);
    put(a, 0xeb);
    put(a, 0);
    return a->p;
}

void x_here8(Asm *a, uint8_t *place)
{
    ptrdiff_t d = a->p - place;

    g_assert(a->full || (d >= 0 && d <= 127));
    place[-1] = (uint8_t)d;
}

uint8_t *x_jcc32(Asm *a, unsigned cc)
{
    room(a);
    put(a, 0x0f);
    put(a, 0x80 | cc);
    put32(a, 0);
    return a->p;
}

uint8_t *x_jmp32(Asm *a)
{
    room(a);
    put(a, 0xe9);
    put32(a, 0);
    return a->p;
}

void x_here(Asm *a, uint8_t *place)
{
    int32_t d = (int32_t)(a->p - place);

    memcpy(place - 4, &d, 4);
}
