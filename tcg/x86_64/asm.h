/* SPDX-License-Identifier: MIT */
/*
 * Encoder for x86-64 machine code (Intel SDM vol. 2). An instruction is named by an X_* word:
 * opcode byte, map, mandatory prefix. The operand forms are functions. Writers of EFLAGS go through
 * functions that advance `epoch`, so that the code generator can tell whether flags it made are
 * still there.
 */
#ifndef TCG_X86_64_ASM_H
#define TCG_X86_64_ASM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum X86Reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    NOREG = -1
} X86Reg;

typedef struct Asm {
    uint8_t *p; /* next byte, in the writable mapping */
    uint8_t *start, *end;
    intptr_t rx;    /* executable address - writable address */
    unsigned epoch; /* advanced by everything that writes EFLAGS */
    bool full;
} Asm;

typedef struct Mem {
    int8_t base, index; /* X86Reg; NOREG: none, one of them at most */
    uint8_t scale;      /* log2; 0 without an index */
    int32_t disp;
} Mem;

static inline Mem mem_base(X86Reg base, int32_t disp)
{
    return (Mem){ .base = (int8_t)base, .index = NOREG, .disp = disp };
}

static inline Mem mem_index(X86Reg base, X86Reg index, unsigned scale, int32_t disp)
{
    return (Mem){ (int8_t)base, (int8_t)index, (uint8_t)scale, disp };
}

enum {
    X_66 = 1 << 8,
    X_F3 = 1 << 9,
    X_F2 = 1 << 10, /* mandatory prefix */
    X_0F = 1 << 11,
    X_0F38 = 1 << 12,
    X_0F3A = 1 << 13, /* opcode map */
    X_W = 1 << 14,    /* REX.W */
    X_REG8 = 1 << 15,
    X_RM8 = 1 << 16, /* operand is a byte register */

    X_MOV_MR = 0x89,
    X_MOV_RM = 0x8b,
    X_LEA = 0x8d,
    X_XCHG = 0x87,
    X_TEST = 0x85,
    X_MOVSXD = 0x63,
    X_CMOV = X_0F | 0x40,
    X_IMUL = X_0F | 0xaf,
    X_MOVZX8 = X_0F | 0xb6 | X_RM8,
    X_MOVZX16 = X_0F | 0xb7,
    X_MOVSX8 = X_0F | 0xbe | X_RM8,
    X_MOVSX16 = X_0F | 0xbf,
    X_BSF = X_0F | 0xbc,
    X_BSR = X_0F | 0xbd,
    X_POPCNT = X_F3 | X_0F | 0xb8,
    X_TZCNT = X_F3 | X_0F | 0xbc,
    X_LZCNT = X_F3 | X_0F | 0xbd,
    X_BT = X_0F | 0xa3,
    X_SHLD = X_0F | 0xa5,
    X_SHRD = X_0F | 0xad,
    X_SHLDI = X_0F | 0xa4,
    X_SHRDI = X_0F | 0xac,
    X_XADD = X_0F | 0xc1,
    X_CMPXCHG = X_0F | 0xb1,

    X_MOVUPS = X_0F | 0x10,
    X_MOVUPS_ST = X_0F | 0x11,
    X_MOVAPS = X_0F | 0x28,
    X_MOVAPS_ST = X_0F | 0x29,
    X_MOVSS = X_F3 | X_0F | 0x10,
    X_MOVSS_ST = X_F3 | X_0F | 0x11,
    X_MOVSD = X_F2 | X_0F | 0x10,
    X_MOVSD_ST = X_F2 | X_0F | 0x11,
    X_MOVD = X_66 | X_0F | 0x6e,
    X_MOVD_ST = X_66 | X_0F | 0x7e, /* X_W: MOVQ */
    X_MOVQ = X_F3 | X_0F | 0x7e,
    X_MOVLHPS = X_0F | 0x16,
    X_MOVHLPS = X_0F | 0x12,
};

typedef enum X86Alu {
    ALU_ADD,
    ALU_OR,
    ALU_ADC,
    ALU_SBB,
    ALU_AND,
    ALU_SUB,
    ALU_XOR,
    ALU_CMP
} X86Alu;
typedef enum X86Shift { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAR = 7 } X86Shift;
typedef enum X86Grp3 { G3_TEST, G3_NOT = 2, G3_NEG, G3_MUL, G3_IMUL, G3_DIV, G3_IDIV } X86Grp3;

void x_byte(Asm *a, unsigned v);
void x_word(Asm *a, unsigned v);
void x_dword(Asm *a, uint32_t v);
void x_qword(Asm *a, uint64_t v);

/* -- Plain instructions, inline ---------------------------------------------------------------
 *
 * No prefixes but REX, one of the first two maps, no byte registers, operand size 4 or 8; @m has a
 * base. Some bytes behind may be overwritten, as what is not there is written all the same. For
 * those who have made room. */

/* Room for code of @bytes, or the buffer is full: the code generator looks at that once per op. */
static inline void x_room(Asm *a, int bytes)
{
    if (__builtin_expect(a->end - a->p < bytes, 0)) {
        a->full = true;
        a->p = a->start;
    }
}

static inline uint8_t *x_plain_opcode(uint8_t *p, unsigned x, unsigned rex)
{
    *p = (uint8_t)(0x40 | rex);
    p += rex != 0;
    *p = 0x0f;
    p += x / X_0F & 1;
    *p = (uint8_t)x;
    return p + 1;
}

static inline uint8_t x_modrm_regs(int reg, int rm)
{
    return (uint8_t)(0xc0u | ((unsigned)reg & 7) << 3 | ((unsigned)rm & 7));
}

/* What an address is made of but for scale and displacement, by five bits of index and base (NOREG:
 * 31) and X_DISP_*. In bits from the lowest: 2, .B and .X of REX; from 4, bytes of all; from 8,
 * ModRM; from 16, SIB, 0: none; from 24, where the displacement begins, in bits from ModRM. 0:
 * another form. */
enum { X_DISP_0, X_DISP_8, X_DISP_32 };
extern const uint32_t x_address_forms[32][32][4];

static inline uint32_t x_address_form(Mem m)
{
    return x_address_forms[m.index & 31][m.base & 31]
                          [(unsigned)(m.disp != 0) + (m.disp != (int8_t)m.disp)];
}

/* ModRM and all that belongs to it, in one piece and without branches: the next address may be of
 * any form. */
static inline uint8_t *x_modrm_mem(uint8_t *p, int reg, Mem m, uint32_t form)
{
    uint64_t all = (uint64_t)(uint32_t)m.disp << (form >> 24) | (form >> 8 & 0xffff) |
                   (uint32_t)m.scale << 14 | ((unsigned)reg & 7) << 3;

    __builtin_memcpy(p, &all, sizeof(all));
    return p + (form >> 4 & 15);
}

static inline void x_plain_rr(Asm *a, unsigned x, unsigned w, X86Reg reg, X86Reg rm)
{
    unsigned rex = (w & 8) | ((unsigned)reg & 8) >> 1 | ((unsigned)rm & 8) >> 3;
    uint8_t *p = x_plain_opcode(a->p, x, rex);

    *p = x_modrm_regs(reg, rm);
    a->p = p + 1;
}

static inline void x_form_rm(Asm *a, unsigned x, unsigned w, X86Reg reg, Mem m, uint32_t form)
{
    unsigned rex = (w & 8) | ((unsigned)reg & 8) >> 1 | (form & 3);

    a->p = x_modrm_mem(x_plain_opcode(a->p, x, rex), reg, m, form);
}

static inline void x_plain_rm(Asm *a, unsigned x, unsigned w, X86Reg reg, Mem m)
{
    x_form_rm(a, x, w, reg, m, x_address_form(m));
}

/* -- Instructions ----------------------------------------------------------------------------- */

/* Any instruction; @w is the operand size in bytes where the opcode has one (2: 66, 8: REX.W). Some
 * bytes behind it may be overwritten, too. */
void x_rr(Asm *a, unsigned x, unsigned w, X86Reg reg, X86Reg rm);
void x_rm(Asm *a, unsigned x, unsigned w, X86Reg reg, Mem m);

/* Moves: no flags. */
void x_mov(Asm *a, unsigned w, X86Reg d, X86Reg s); /* w 1, 2: partial; 4: zero-extends */
void x_mov_imm(Asm *a, X86Reg d, uint64_t v);
void x_load(Asm *a, unsigned w, X86Reg d, Mem m); /* 1, 2, 4: zero-extends */
void x_store(Asm *a, unsigned w, Mem m, X86Reg s);
void x_store_imm(Asm *a, unsigned w, Mem m, int32_t v);
void x_lea(Asm *a, unsigned w, X86Reg d, Mem m);
void x_movzx(Asm *a, unsigned from, X86Reg d, X86Reg s); /* from 1, 2, 4 */
void x_movsx(Asm *a, unsigned w, unsigned from, X86Reg d, X86Reg s);
void x_setcc(Asm *a, unsigned cc, X86Reg d);
void x_cmov(Asm *a, unsigned cc, unsigned w, X86Reg d, X86Reg s);
void x_xchg(Asm *a, X86Reg r, X86Reg s);
void x_bswap(Asm *a, unsigned w, X86Reg d);
void x_not(Asm *a, unsigned w, X86Reg d);
void x_push(Asm *a, X86Reg r);
void x_pop(Asm *a, X86Reg r);

/* Flag writers. */
void x_alu(Asm *a, X86Alu op, unsigned w, X86Reg d, X86Reg s);
void x_alu_imm(Asm *a, X86Alu op, unsigned w, X86Reg d, int32_t v);
void x_alu_rm(Asm *a, X86Alu op, unsigned w, X86Reg d, Mem m);
void x_alu_mr(Asm *a, X86Alu op, unsigned w, Mem m, X86Reg s);
void x_alu_mi(Asm *a, X86Alu op, unsigned w, Mem m, int32_t v);
void x_test(Asm *a, unsigned w, X86Reg d, X86Reg s);
void x_test_imm(Asm *a, unsigned w, X86Reg d, int32_t v);
void x_test_mi(Asm *a, unsigned w, Mem m, int32_t v);
void x_shift_imm(Asm *a, X86Shift op, unsigned w, X86Reg d, unsigned count);
void x_shift_cl(Asm *a, X86Shift op, unsigned w, X86Reg d);
void x_grp3(Asm *a, X86Grp3 op, unsigned w, X86Reg r);
void x_inc(Asm *a, unsigned w, X86Reg d);
void x_dec(Asm *a, unsigned w, X86Reg d);
void x_imul(Asm *a, unsigned w, X86Reg d, X86Reg s);
void x_imul_imm(Asm *a, unsigned w, X86Reg d, X86Reg s, int32_t v);
void x_bt_imm(Asm *a, unsigned w, X86Reg r, unsigned bit);
void x_flags_rr(Asm *a, unsigned x, unsigned w, X86Reg reg, X86Reg rm);
void x_flags_rm(Asm *a, unsigned x, unsigned w, X86Reg reg, Mem m);
void x_flags_changed(Asm *a);

/* Any VEX-encoded instruction; registers are numbers 0-15 of whatever file, @vvvv 0 where unused.
 */
void x_vex_rr(Asm *a, unsigned x, bool l256, int reg, int vvvv, int rm);
void x_vex0(Asm *a, unsigned x); /* no operands: VZEROUPPER */
void x_vex_rm(Asm *a, unsigned x, bool l256, int reg, int vvvv, Mem m);

/* VEX-encoded, no flags: BMI2 and BMI1. */
typedef enum X86Bmi { BMI_SHLX, BMI_SHRX, BMI_SARX } X86Bmi;
void x_bmi_shift(Asm *a, X86Bmi op, unsigned w, X86Reg d, X86Reg s, X86Reg count);
void x_rorx(Asm *a, unsigned w, X86Reg d, X86Reg s, unsigned count);

/* Control. Targets are executable addresses; the patch functions take writable ones. */
void x_call(Asm *a, const void *target);
void x_jmp(Asm *a, const void *target);
void x_jcc(Asm *a, unsigned cc, const void *target);
void x_jmp_mem(Asm *a, Mem m);
void x_call_mem(Asm *a, Mem m);
void x_jmp_reg(Asm *a, X86Reg r);
void x_call_reg(Asm *a, X86Reg r);
void x_ret(Asm *a);

/* Forward jumps: the returned place is given to x_here() / x_here8() at the target. */
uint8_t *x_jcc8(Asm *a, unsigned cc);
uint8_t *x_jmp8(Asm *a);
void x_here8(Asm *a, uint8_t *place);
uint8_t *x_jcc32(Asm *a, unsigned cc);
uint8_t *x_jmp32(Asm *a);
void x_here(Asm *a, uint8_t *place);

static inline const uint8_t *x_pc(const Asm *a)
{
    return a->p + a->rx;
}

#endif
