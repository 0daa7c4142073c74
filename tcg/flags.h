/* SPDX-License-Identifier: MIT */
/*
 * Flags bundles in memory: the record in which a flags value rests when no translated code holds
 * it, and the functions that read it. Semantics are those of the x86 arithmetic flags (Intel SDM
 * vol. 1, 3.4.3.1; appendix A of vol. 1 for what each instruction defines).
 *
 * On top of the main part (kind, a, b, c) lie parts that replace some flags, so that whoever
 * defines only those need not know what came before: an INC or DEC (all but CF), a rotate (CF and
 * OF), a CF by itself (BT, CMC, ADCX …) and an OF by itself (ADOX). Each is newer than the parts
 * that it replaces flags of; a rotate that an INC has come after since gives CF only. What is on
 * top counts if kind has FLAGS_ON_TOP, so a main part replaces it all by the byte that it writes
 * anyway.
 *
 * While nothing is on top the bytes behind kind are free: with FLAGS_SHORT they are the last
 * operand (a of PACKED and LOGIC, else b) as a signed number, so that most records are one store
 * less. Only the x86-64 back end writes that; code that others make need not look for it.
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
    FLK_NONE,   /* inc_kind, rot_kind: nothing on top */
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
    FLK_ROTL,   /* rot: result */
    FLK_ROTR,   /* rot: result */
} FlagsKind;

typedef struct FlagsRecord {
    uint64_t rot, c, inc; /* first, as they are hardly ever used: see Cpu */
    uint8_t kind;         /* of the main part; FLAGS_ON_TOP: the next three bytes count */
    uint8_t inc_kind;
    uint8_t rot_kind; /* FLAGS_ROT_NEWER: no INC or DEC has come since; FLAGS_OF_IS */
    uint8_t cf;       /* 0: nothing on top, else FLAGS_CF_IS + CF */
    uint8_t of;       /* OF, if rot_kind has FLAGS_OF_IS: nothing that replaces it has come since */
    uint8_t pad[3];
    uint64_t a, b;
} FlagsRecord; /* operands may carry garbage above their size */

#define FLAGS_ON_TOP    0x80
#define FLAGS_SHORT     0x40 /* never both */
#define FLAGS_KIND      0x3f
#define FLAGS_ROT_NEWER 0x80
#define FLAGS_OF_IS     0x40
#define FLAGS_ROT_KIND  0x3f
#define FLAGS_CF_IS     2

/* clang-format off */
enum {
    FLAG_CF = 0x001, FLAG_PF = 0x004, FLAG_AF = 0x010, FLAG_ZF = 0x040, FLAG_SF = 0x080,
    FLAG_OF = 0x800, FLAGS_ARITH = 0x8d5
};
/* clang-format on */

static inline uint8_t flags_kind(FlagsKind k, IrType type) /* I8..I64 */
{
    return (uint8_t)(k * 4 + (type - I8));
}

/* kind and the three bytes behind it. */
static inline uint32_t flags_word(const FlagsRecord *r)
{
    return r->kind | (uint32_t)r->inc_kind << 8 | (uint32_t)r->rot_kind << 16 |
           (uint32_t)r->cf << 24;
}

/* Is it a that FLAGS_SHORT is about, for such a word? And the operand. */
static inline bool flags_short_is_a(uint32_t word)
{
    unsigned k = (word & FLAGS_KIND) / 4;

    return k == FLK_LOGIC || k == FLK_PACKED;
}
static inline int32_t flags_short(uint32_t word)
{
    return (int32_t)word >> 8;
}

static inline void flags_settle(FlagsRecord *r)
{
    uint32_t word = flags_word(r);

    if (word & FLAGS_SHORT) {
        *(flags_short_is_a(word) ? &r->a : &r->b) = (uint64_t)(int64_t)flags_short(word);
        r->kind &= FLAGS_KIND;
    }
}

/* Before anything is put on top. */
static inline void flags_open_top(FlagsRecord *r)
{
    if (!(r->kind & FLAGS_ON_TOP)) {
        flags_settle(r);
        r->kind |= FLAGS_ON_TOP;
        r->inc_kind = r->rot_kind = FLK_NONE;
        r->cf = 0;
    }
}

uint32_t flags_pack(const FlagsRecord *r); /* all six, at their EFLAGS positions */
bool flags_carry(const FlagsRecord *r);    /* CF by itself, for carry chains */
bool flags_overflow(const FlagsRecord *r);
bool flags_test(const FlagsRecord *r, IrCc cc);
bool flags_eval(uint32_t eflags, IrCc cc);              /* condition on an EFLAGS word */
void flags_set_packed(FlagsRecord *r, uint32_t eflags); /* takes the six bits of @eflags */

/* The main half that bundle op @fl stands for: FlagsKind, or FLK_NONE where it has no record of
 * its own (what lies on top of another, and setzf). */
FlagsKind flags_kind_of_op(IrOpcode fl);

#endif
