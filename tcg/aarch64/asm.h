/* SPDX-License-Identifier: MIT */
/*
 * Encoder for A64 machine code (Arm Architecture Reference Manual, chapter C4 and C6). @w is the
 * width of an integer operation in bytes: 8, or anything less for 32 bits. Register 31 is XZR or SP
 * as the instruction has it. Writers of NZCV advance `epoch`, so that the code generator can tell
 * whether flags it made are still there.
 */
#ifndef TCG_AARCH64_ASM_H
#define TCG_AARCH64_ASM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { X16 = 16, X17 = 17, LR = 30, ZR = 31, SP = 31 };

typedef struct Asm {
    uint8_t *p; /* next byte, in the writable mapping */
    uint8_t *start, *end;
    intptr_t rx;    /* executable address - writable address */
    unsigned epoch; /* advanced by everything that writes NZCV */
    bool full;
} Asm;

typedef enum A64Cond {
    A_EQ,
    A_NE,
    A_CS,
    A_CC,
    A_MI,
    A_PL,
    A_VS,
    A_VC,
    A_HI,
    A_LS,
    A_GE,
    A_LT,
    A_GT,
    A_LE,
    A_AL
} A64Cond;

typedef enum A64Shift { A_LSL, A_LSR, A_ASR, A_ROR } A64Shift;

static inline void a_word(Asm *a, uint32_t v)
{
    if (G_UNLIKELY(a->end - a->p < 4)) {
        a->full = true;
        return;
    }
    memcpy(a->p, &v, 4);
    a->p += 4;
}

static inline const uint8_t *a_pc(const Asm *a)
{
    return a->p + a->rx;
}

static inline uint32_t a_sf(unsigned w)
{
    return w == 8 ? 1u << 31 : 0;
}

static inline void a_flags_changed(Asm *a)
{
    a->epoch++;
}

/* Rd, Rn, Rm in their usual places. */
static inline void a_3(Asm *a, uint32_t op, int d, int n, int m)
{
    a_word(a, op | (uint32_t)d | (uint32_t)n << 5 | (uint32_t)m << 16);
}

static inline void a_2(Asm *a, uint32_t op, int d, int n)
{
    a_word(a, op | (uint32_t)d | (uint32_t)n << 5);
}

/* -- Integer: register forms ------------------------------------------------------------------ */

enum {
    A_ADD = 0x0b000000,
    A_ADDS = 0x2b000000,
    A_SUB = 0x4b000000,
    A_SUBS = 0x6b000000,
    A_AND = 0x0a000000,
    A_BIC = 0x0a200000,
    A_ORR = 0x2a000000,
    A_ORN = 0x2a200000,
    A_EOR = 0x4a000000,
    A_EON = 0x4a200000,
    A_ANDS = 0x6a000000,
    A_ADC = 0x1a000000,
    A_ADCS = 0x3a000000,
    A_SBC = 0x5a000000,
    A_SBCS = 0x7a000000,
    A_UDIV = 0x1ac00800,
    A_SDIV = 0x1ac00c00,
    A_LSLV = 0x1ac02000,
    A_LSRV = 0x1ac02400,
    A_ASRV = 0x1ac02800,
    A_RORV = 0x1ac02c00,
    A_RBIT = 0x5ac00000,
    A_REV16 = 0x5ac00400,
    A_REV32 = 0x5ac00800,
    A_REV64 = 0x5ac00c00,
    A_CLZ = 0x5ac01000,
};

static inline bool a_sets_flags(uint32_t op)
{
    return op == A_ADDS || op == A_SUBS || op == A_ANDS || op == A_ADCS || op == A_SBCS;
}

static inline void a_alu(Asm *a, uint32_t op, unsigned w, int d, int n, int m)
{
    if (a_sets_flags(op)) {
        a_flags_changed(a);
    }
    a_3(a, op | a_sf(w), d, n, m);
}

static inline void a_alu_sh(Asm *a, uint32_t op, unsigned w, int d, int n, int m, A64Shift sh,
                            unsigned by)
{
    a_alu(a, op | (uint32_t)sh << 22 | by << 10, w, d, n, m);
    if (op == A_ADDS || op == A_SUBS || op == A_ANDS) {
        a_flags_changed(a);
    }
}

static inline void a_un(Asm *a, uint32_t op, unsigned w, int d, int n)
{
    a_2(a, op | a_sf(w), d, n);
}

static inline void a_mov(Asm *a, unsigned w, int d, int m)
{
    a_3(a, A_ORR | a_sf(w), d, ZR, m);
}

static inline void a_mov_sp(Asm *a, int d, int n) /* one of them is SP */
{
    a_2(a, 0x91000000, d, n);
}

static inline void a_neg(Asm *a, unsigned w, int d, int m)
{
    a_3(a, A_SUB | a_sf(w), d, ZR, m);
}

static inline void a_mvn(Asm *a, unsigned w, int d, int m)
{
    a_3(a, A_ORN | a_sf(w), d, ZR, m);
}

static inline void a_madd(Asm *a, unsigned w, int d, int n, int m, int add)
{
    a_3(a, 0x1b000000 | a_sf(w) | (uint32_t)add << 10, d, n, m);
}

static inline void a_msub(Asm *a, unsigned w, int d, int n, int m, int from)
{
    a_3(a, 0x1b008000 | a_sf(w) | (uint32_t)from << 10, d, n, m);
}

enum { A_SMULL = 0x9b207c00, A_UMULL = 0x9ba07c00, A_SMULH = 0x9b407c00, A_UMULH = 0x9bc07c00 };

static inline void a_csel(Asm *a, unsigned w, int d, int n, int m, A64Cond c)
{
    a_3(a, 0x1a800000 | a_sf(w) | (uint32_t)c << 12, d, n, m);
}

static inline void a_cset(Asm *a, int d, A64Cond c)
{
    a_3(a, 0x1a800400 | (uint32_t)(c ^ 1) << 12, d, ZR, ZR);
}

static inline void a_csetm(Asm *a, int d, A64Cond c) /* 64 bits */
{
    a_3(a, 0xda800000 | (uint32_t)(c ^ 1) << 12, d, ZR, ZR);
}

static inline void a_extr(Asm *a, unsigned w, int d, int n, int m, unsigned lsb)
{
    a_3(a, 0x13800000 | a_sf(w) | (w == 8 ? 1u << 22 : 0) | lsb << 10, d, n, m);
}

/* -- Bit fields ------------------------------------------------------------------------------- */

static inline void a_bitfield(Asm *a, uint32_t op, unsigned w, int d, int n, unsigned immr,
                              unsigned imms)
{
    a_2(a, op | a_sf(w) | (w == 8 ? 1u << 22 : 0) | immr << 16 | imms << 10, d, n);
}
#define A_SBFM 0x13000000u
#define A_BFM  0x33000000u
#define A_UBFM 0x53000000u

static inline unsigned a_bits(unsigned w)
{
    return w == 8 ? 64 : 32;
}
static inline void a_lsl(Asm *a, unsigned w, int d, int n, unsigned by)
{
    a_bitfield(a, A_UBFM, w, d, n, (a_bits(w) - by) & (a_bits(w) - 1), a_bits(w) - 1 - by);
}
static inline void a_lsr(Asm *a, unsigned w, int d, int n, unsigned by)
{
    a_bitfield(a, A_UBFM, w, d, n, by, a_bits(w) - 1);
}
static inline void a_asr(Asm *a, unsigned w, int d, int n, unsigned by)
{
    a_bitfield(a, A_SBFM, w, d, n, by, a_bits(w) - 1);
}
static inline void a_ror(Asm *a, unsigned w, int d, int n, unsigned by)
{
    a_extr(a, w, d, n, n, by);
}
static inline void a_ubfx(Asm *a, unsigned w, int d, int n, unsigned lsb, unsigned width)
{
    a_bitfield(a, A_UBFM, w, d, n, lsb, lsb + width - 1);
}
static inline void a_sbfx(Asm *a, unsigned w, int d, int n, unsigned lsb, unsigned width)
{
    a_bitfield(a, A_SBFM, w, d, n, lsb, lsb + width - 1);
}
static inline void a_bfi(Asm *a, unsigned w, int d, int n, unsigned lsb, unsigned width)
{
    a_bitfield(a, A_BFM, w, d, n, (a_bits(w) - lsb) & (a_bits(w) - 1), width - 1);
}
/* Zero- or sign-extension of @from bytes (1, 2, 4) into 64 bits. */
static inline void a_zext(Asm *a, unsigned from, int d, int n)
{
    if (from == 4) {
        a_mov(a, 4, d, n);
    } else {
        a_ubfx(a, 4, d, n, 0, from * 8);
    }
}
static inline void a_sext(Asm *a, unsigned from, int d, int n)
{
    a_sbfx(a, 8, d, n, 0, from * 8);
}

/* -- Immediates ------------------------------------------------------------------------------- */

void a_mov_imm(Asm *a, int d, uint64_t v);
/* @d = @n + @v, any value; may use @t (which may be @d if that is not @n). NZCV stays. */
void a_add_imm(Asm *a, unsigned w, int d, int n, int64_t v, int t);
bool a_fits_add(int64_t v); /* ADD or SUB with an immediate does it */
/* @op: A_ADD, A_SUB, A_ADDS, A_SUBS with 0 <= v fitting. */
void a_arith_imm(Asm *a, uint32_t op, unsigned w, int d, int n, uint32_t v);
bool a_fits_logic(unsigned w, uint64_t v);
/* @op: A_AND, A_ORR, A_EOR, A_ANDS */
void a_logic_imm(Asm *a, uint32_t op, unsigned w, int d, int n, uint64_t v);

/* -- Memory ----------------------------------------------------------------------------------- */

/* The low bits of an access: size 0-3 for 1-8 bytes, 4 for 16 (vectors only). */
typedef struct A64Mem {
    uint32_t op; /* size, V and opc, at their places in the register-offset and immediate forms */
    uint8_t log2;
} A64Mem;

static inline A64Mem a_mem(bool vec, unsigned log2, bool load)
{
    if (log2 == 4) { /* 128 bits: size 0, opc 1x */
        return (A64Mem){ 1u << 26 | (load ? 3u : 2u) << 22, 4 };
    }
    return (A64Mem){ (uint32_t)log2 << 30 | (vec ? 1u << 26 : 0) | (load ? 1u << 22 : 0),
                     (uint8_t)log2 };
}
static inline A64Mem a_mem_sx(unsigned log2, unsigned to) /* sign-extending load */
{
    return (A64Mem){ (uint32_t)log2 << 30 | (to == 8 ? 2u : 3u) << 22, (uint8_t)log2 };
}
static inline bool a_fits_disp(A64Mem m, int64_t disp)
{
    return (disp >= -256 && disp < 256) ||
           (disp >= 0 && !(disp & ((1 << m.log2) - 1)) && disp >> m.log2 < 4096);
}
/* [n + disp], which fits */
static inline void a_ldst(Asm *a, A64Mem m, int t, int n, int32_t disp)
{
    if (disp >= 0 && !(disp & ((1 << m.log2) - 1)) && disp >> m.log2 < 4096) {
        a_2(a, 0x39000000 | m.op | (uint32_t)(disp >> m.log2) << 10, t, n);
    } else {
        a_2(a, 0x38000000 | m.op | ((uint32_t)disp & 0x1ff) << 12, t, n);
    }
}
static inline void a_ldst_reg(Asm *a, A64Mem m, int t, int n, int x) /* [n + x] */
{
    a_3(a, 0x38206800 | m.op, t, n, x);
}
/* Pairs of X or Q registers at [n + disp]. */
static inline void a_ldp(Asm *a, bool load, int t, int u, int n, int32_t disp)
{
    a_2(a,
        0xa9000000 | (load ? 1u << 22 : 0) | ((uint32_t)(disp / 8) & 0x7f) << 15 |
            (uint32_t)u << 10,
        t, n);
}
static inline void a_ldpq(Asm *a, bool load, int t, int u, int n, int32_t disp)
{
    a_2(a,
        0xad000000 | (load ? 1u << 22 : 0) | ((uint32_t)(disp / 16) & 0x7f) << 15 |
            (uint32_t)u << 10,
        t, n);
}

/* -- Branches --------------------------------------------------------------------------------- */

static inline void a_b(Asm *a, const void *to)
{
    a_word(a, 0x14000000 | (((uint32_t)((const uint8_t *)to - a_pc(a)) >> 2) & 0x3ffffff));
}
static inline void a_bl(Asm *a, const void *to)
{
    a_word(a, 0x94000000 | (((uint32_t)((const uint8_t *)to - a_pc(a)) >> 2) & 0x3ffffff));
}
static inline void a_br(Asm *a, int n)
{
    a_2(a, 0xd61f0000, 0, n);
}
static inline void a_blr(Asm *a, int n)
{
    a_2(a, 0xd63f0000, 0, n);
}
static inline void a_ret(Asm *a, int n)
{
    a_2(a, 0xd65f0000, 0, n);
}
/* To be completed by a_here() or a_patch(); all return where the instruction is. */
static inline uint8_t *a_bcond(Asm *a, A64Cond c)
{
    a_word(a, 0x54000000 | (uint32_t)c);
    return a->p - 4;
}
static inline uint8_t *a_cbz(Asm *a, bool nz, unsigned w, int t)
{
    a_word(a, 0x34000000 | a_sf(w) | (nz ? 1u << 24 : 0) | (uint32_t)t);
    return a->p - 4;
}
static inline uint8_t *a_tbz(Asm *a, bool nz, int t, unsigned bit)
{
    a_word(a, 0x36000000 | (nz ? 1u << 24 : 0) | (bit >> 5) << 31 | (bit & 31) << 19 | (uint32_t)t);
    return a->p - 4;
}
static inline uint8_t *a_b_later(Asm *a)
{
    a_word(a, 0x14000000);
    return a->p - 4;
}
/* @insn, a branch to be at @at, goes to @to. False: too far for its form. */
bool a_redirect(uint32_t *insn, const uint8_t *at, const uint8_t *to);
/* Let the branch at @at go to @to, both in the same mapping. False: too far for its form. */
bool a_patch(uint8_t *at, const uint8_t *to);
static inline void a_here(Asm *a, uint8_t *at)
{
    if (!a->full && !a_patch(at, a->p)) {
        g_assert_not_reached();
    }
}

/* -- Vectors and floating point --------------------------------------------------------------- */

/* -- Barriers of the inner shareable domain: loads before all behind them, stores, all ------------
 */

enum { DMB_LOADS = 1, DMB_STORES, DMB_ALL };
static inline void a_dmb(Asm *a, unsigned kind)
{
    a_word(a, 0xd50338bf | kind << 8);
}

static inline void a_vmov(Asm *a, int d, int n) /* all 128 bits */
{
    a_3(a, 0x4ea01c00, d, n, n);
}
static inline void a_vzero(Asm *a, int d)
{
    a_word(a, 0x6f00e400 | (uint32_t)d); /* MOVI V.2D, #0 */
}
/* FMOV between a general and a vector register: the vector's upper part becomes 0. */
static inline void a_fmov_to_vec(Asm *a, unsigned w, int d, int n)
{
    a_2(a, w == 8 ? 0x9e670000 : 0x1e270000, d, n);
}
static inline void a_fmov_from_vec(Asm *a, unsigned w, int d, int n)
{
    a_2(a, w == 8 ? 0x9e660000 : 0x1e260000, d, n);
}
/* Lane forms: imm5 of UMOV, INS, DUP. */
static inline uint32_t a_imm5(unsigned lane, unsigned i)
{
    return ((i << 1 | 1) << lane) << 16;
}
static inline void a_umov(Asm *a, unsigned lane, int d, int n, unsigned i)
{
    a_2(a, (lane == 3 ? 0x4e003c00u : 0x0e003c00u) | a_imm5(lane, i), d, n);
}
static inline void a_ins(Asm *a, unsigned lane, int d, unsigned i, int n) /* from general */
{
    a_2(a, 0x4e001c00 | a_imm5(lane, i), d, n);
}
static inline void a_ins_elem(Asm *a, unsigned lane, int d, unsigned i, int n, unsigned j)
{
    a_2(a, 0x6e000400 | a_imm5(lane, i) | (j << lane) << 11, d, n);
}
static inline void a_dup(Asm *a, unsigned lane, int d, int n) /* from general */
{
    a_2(a, 0x4e000c00 | a_imm5(lane, 0), d, n);
}
static inline void a_dup_elem(Asm *a, unsigned lane, int d, int n, unsigned i)
{
    a_2(a, 0x4e000400 | a_imm5(lane, i), d, n);
}

#endif
