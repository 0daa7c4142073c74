/* SPDX-License-Identifier: MIT */
/*
 * Flags bundles in memory: the record in which a flags value rests when no translated code holds
 * it, and the functions that read it. Semantics are those of the x86 arithmetic flags (Intel SDM
 * vol. 1, 3.4.3.1; appendix A of vol. 1 for what each instruction defines).
 *
 * The record has two halves so that INC and DEC, which keep CF, need not know what came before:
 * when inc_kind is not FLK_NONE the flags but CF are those of an INC or DEC with result `inc`, and
 * CF comes from the main half.
 *
 * Undefined flags: AF is 0 after logic, shifts and multiplication; OF of fl_shl and fl_shr is
 * top(pre) ^ top(res) for every count.
 */
#ifndef TCG_FLAGS_H
#define TCG_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "tcg/ir.h"

/* kind = FLK_x * 4 + log2 of the operand size in bytes */
typedef enum FlagsKind {
    FLK_NONE,   /* inc_kind only: no INC/DEC on top */
    FLK_PACKED, /* a: EFLAGS word */
    FLK_ADD,    /* a: result, b: second operand */
    FLK_ADC,    /* a: result, b: second operand, c: carry in */
    FLK_SUB,    /* a: result, b: second operand */
    FLK_CMP,    /* a: first operand, b: second operand */
    FLK_SBB,    /* a: result, b: second operand, c: carry in */
    FLK_LOGIC,  /* a: result */
    FLK_INC,    /* inc: result */
    FLK_DEC,    /* inc: result */
    FLK_SHL,    /* a: result, b: value shifted by one bit less */
    FLK_SHR,    /* a: result, b: value shifted by one bit less */
    FLK_MUL,    /* a: result, b: not 0 when the product overflowed */
} FlagsKind;

typedef struct FlagsRecord {
    uint8_t kind;
    uint8_t inc_kind;
    uint8_t pad[6]; /* so that both kinds can be written by one 32-bit store */
    uint64_t a, b, c;
    uint64_t inc;
} FlagsRecord; /* operands may carry garbage above their size */

enum {
    FLAG_CF = 0x001, FLAG_PF = 0x004, FLAG_AF = 0x010, FLAG_ZF = 0x040, FLAG_SF = 0x080,
    FLAG_OF = 0x800, FLAGS_ARITH = 0x8d5
};

static inline uint8_t flags_kind(FlagsKind k, IrType type) /* I8..I64 */
{
    return (uint8_t)(k * 4 + (type - I8));
}

uint32_t flags_pack(const FlagsRecord *r);              /* all six, at their EFLAGS positions */
bool flags_test(const FlagsRecord *r, IrCc cc);
bool flags_eval(uint32_t eflags, IrCc cc);              /* condition on an EFLAGS word */
void flags_set_packed(FlagsRecord *r, uint32_t eflags); /* takes the six bits of @eflags */

/* The main half that bundle op @fl stands for: FlagsKind, or FLK_NONE where it has no record of
 * its own (setcf, setzf, rotates: packed when they must rest). */
FlagsKind flags_kind_of_op(IrOpcode fl);

#endif
