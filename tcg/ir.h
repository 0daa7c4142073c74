/* SPDX-License-Identifier: MIT */
/*
 * The IR: a block is a single-entry, multi-exit superblock, a flat array of 16-byte ops. An op that
 * yields a value is that value: its index is the value's name (IrRef). Values are local to
 * the block and defined once. Guest state is touched only by get/set on declared slots and by
 * helper calls that say so.
 *
 * Rules the verifier holds (verify.c): operands are defined before use and have the type that the
 * op's row asks for; a block ends with exactly one END op; `insn` markers come in order; within one
 * guest instruction no `set` or `setflags` comes before an op that may FAULT (restartability), but
 * for those that the frontend marks IROP_COMMIT (state the architecture does commit early).
 */
#ifndef TCG_IR_H
#define TCG_IR_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
typedef enum IrType {
    IR_VOID, I1, I8, I16, I32, I64, I128, F32, F64, F80, V128, V256, FLAGS, IR_NTYPES
} IrType;
/* clang-format on */

typedef enum IrOpcode {
#define OP(name, shape, props, doc) OP_##name,
#include "tcg/opcodes.def"
#undef OP
    IR_NOPS
} IrOpcode;

typedef uint16_t IrRef; /* index of the defining op; 0 (always a nop) is IR_NONE */
#define IR_NONE         0
#define IR_MAX_OPS      16384 /* of a block */
#define IR_FRONTEND_OPS 4096  /* … as a frontend makes it: the rest is for what an engine adds */
#define IR_MAX_ARGS     4

typedef union IrOp {
    struct {
        uint8_t op;   /* IrOpcode */
        uint8_t type; /* IrType of the result, or of what is stored / tested */
        uint8_t aux;
        uint8_t flags; /* IROP_* */
        IrRef a, b;
        union {
            struct {
                IrRef c, d;
                uint32_t imm;
            };
            uint64_t value; /* OP_const, OP_ld_host */
        };
    };
    struct {
        uint32_t head;
        IrRef arg[IR_MAX_ARGS]; /* a, b, c, d */
    };
} IrOp;
_Static_assert(sizeof(IrOp) == 16, "IrOp is four to a cache line");

enum { IROP_COMMIT = 1 };

/* clang-format off */
typedef enum IrCond { /* setcond */
    COND_EQ, COND_NE, COND_LTU, COND_GEU, COND_LEU, COND_GTU, COND_LT, COND_GE, COND_LE, COND_GT
} IrCond;
/* clang-format on */

/* x86 condition codes, for fl_test. */
/* clang-format off */
typedef enum IrCc {
    CC_O, CC_NO, CC_B, CC_NB, CC_Z, CC_NZ, CC_BE, CC_NBE, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_NL,
    CC_LE, CC_NLE
} IrCc;
/* clang-format on */

typedef enum IrJumpKind { JUMP_DIRECT, JUMP_INDIRECT, JUMP_CALL, JUMP_RET } IrJumpKind;

/* clang-format off */
typedef enum IrVcvt {
    VCVT_DQ2PS, VCVT_PS2DQ, VCVT_TPS2DQ, VCVT_DQ2PD, VCVT_PD2DQ, VCVT_TPD2DQ, VCVT_PS2PD, VCVT_PD2PS,
    VCVT_PH2PS, VCVT_PS2PH, /* imm: VCVTPS2PH's immediate */
} IrVcvt;
/* clang-format on */

/* What a back end does at full speed beyond the ops that all have (tcg_features). What it has not
 * must not be given to it: V256 types and the ops from vmovlo to fma; AES and carry-less products
 * in 256 bits; the vgf ops. */
enum {
    TCG_HAS_V256 = 1,
    TCG_HAS_VAES = 2,
    TCG_HAS_VPCLMUL = 4,
    TCG_HAS_GFNI = 8,
    TCG_HAS_X87 = 16,     /* the ops x87 … x87_st, tcg_x87_load(), tcg_x87_save() */
    TCG_HAS_NEAR_TLB = 32 /* TcgLayout.near_tlb */
};

/* IrOp.d of memory ops. The low bits are the software TLB to look in. */
typedef enum IrMemFlags {
    MEM_MMU_MASK = 7,
    MEM_ALIGN = 1 << 3, /* a misaligned address takes the slow path, which decides (#GP, #AC); sizes
                           are powers of two */
    MEM_LOCK = 1 << 4,  /* atomic with respect to other CPUs */
    MEM_NT = 1 << 5,    /* non-temporal hint */
    MEM_STACK = 1 << 6, /* an implicit stack access (the slow path may raise #SS) */
    MEM_BY_SP = 1 << 7, /* by the stack pointer: likely where the one before was */
} IrMemFlags;

/* Properties of ops, from opcodes.def. */
enum {
    IRP_EFFECT = 1 << 0,
    IRP_FAULT = 1 << 1,
    IRP_END = 1 << 2,
    IRP_EXIT = 1 << 3,
    IRP_FPSTATUS = 1 << 4,
    IRP_READS = 1 << 5,
    IRP_WRITES = 1 << 6,
    IRP_COMM = 1 << 7,
    IRP_PURE = 1 << 8,
};

/* clang-format off */
typedef enum IrShape {
    SHAPE_OTHER, SHAPE_BIN, SHAPE_UN, SHAPE_SHIFT, SHAPE_TRI, SHAPE_CVT, SHAPE_VBIN, SHAPE_VUN,
    SHAPE_VIMM, SHAPE_VIMM2, SHAPE_FL
} IrShape;
/* clang-format on */

typedef struct IrOpInfo {
    const char *name;
    uint8_t shape;
    uint8_t nargs;  /* value operands; lea: at most, call: see the helper's row */
    uint16_t props; /* IRP_*; FAULT, END, EXIT, FPSTATUS, WRITES imply "keep" */
} IrOpInfo;

extern const IrOpInfo ir_op_info[IR_NOPS];

typedef struct IrTypeInfo {
    const char *name;
    uint8_t bytes; /* in memory and in a slot; I1: 1, FLAGS: 0 */
    uint16_t bits;
} IrTypeInfo;

extern const IrTypeInfo ir_type_info[IR_NTYPES];

/* A piece of guest state, declared by the guest architecture. Slots do not overlap. */
typedef struct IrSlot {
    const char *name;
    uint32_t offset; /* from the start of the CPU state */
    uint8_t type;    /* its full width */
    uint8_t pin;     /* 1 + n: wish to live in a host register. n < 16 integer, 16..31 vector */
} IrSlot;

/* What OP_vzeroupper clears: temporaries of helpers and the like stay. */
static inline bool ir_slot_has_upper(const IrSlot *s)
{
    return s->type == V256 && s->pin != 0;
}

typedef struct IrKnown IrKnown; /* forward.h */

/* A call or an op that may fault or leave; the latest insn marker, and the bundle that is
 * architectural there (IR_NONE: the record in env). */
typedef struct IrNotable {
    IrRef op, insn, bundle;
} IrNotable;

/* An op other than a marker or a constant, and the marker of its instruction. */
typedef struct IrActing {
    IrRef op, insn;
} IrActing;

/* One guest block on its way through the compiler. Reused: ir_block_reset() keeps the memory. */
typedef struct IrBlock {
    IrOp *ops;
    unsigned nops;      /* including op 0, the nop */
    unsigned ninsns;    /* guest instructions */
    uint32_t start;     /* offset of the first instruction in its mapping unit */
    unsigned nlinks;    /* link slots used by goto and goto_if */
    unsigned naccesses; /* no more ops than that access guest memory */
    bool has_calls;
    const IrSlot *slots;
    unsigned nslots;
    const struct TcgHelper *helpers;
    unsigned nhelpers;
    const uint16_t *call_props; /* by helper: IRP_* of a call of it */
    const uint8_t *call_args;   /* … and its number of arguments */
    const bool *is_volatile; /* by slot, may be NULL: ops change the slot without naming it (control
                                and status words of floating point); gets and sets of it stay */
    uint32_t flags_hint; /* flags_word() of the record that the block finds, by a guess; 0: none */
    bool by_jump;        /* jumps that know the pc will lead here: a hint; reset clears it */
    bool apart;          /* no instruction knows what others left in slots; reset clears it */
    bool no_groups;      /* each memory access is to be checked by itself; reset clears it */
    bool parted; /* groups often cross pages: those have links to a block with no_groups that
                    goes on at the instruction (tcg_is_rest()); reset clears it */
    bool
        all_calls; /* nothing is done in a helper's stead (TcgHelper.block_move); reset clears it */
    /* of the builder */
    uint16_t recent_const[16]; /* constants by a hash */
    IrRef flags;               /* the architectural flags as the latest op left them, or IR_NONE */
    IrRef bundle;              /* … if a setflags of this block left them, else IR_NONE */
    IrKnown *known;            /* what slots hold; NULL: every get reads its slot */
    IrRef insn;                /* the latest insn marker */
    IrNotable *notable;        /* in order: all there are, if … */
    unsigned nnotable, built;  /* … this many ops were made by the builder, counting op 0 */
    IrActing *acting;          /* likewise, but for nops; see ir_block_list() */
    IrRef *consts;
    unsigned nacting, nconsts;
} IrBlock;

static inline bool ir_slot_is_volatile(const IrBlock *ir, unsigned slot)
{
    return ir->is_volatile && ir->is_volatile[slot];
}

#define IR_MAX_LINKS 16

IrBlock *ir_block_new(const IrSlot *slots, unsigned nslots, const struct TcgHelper *helpers,
                      unsigned nhelpers);
void ir_block_free(IrBlock *ir);
void ir_block_reset(IrBlock *ir, uint32_t start);
/* Make lists of acting ops and constants that hold whoever made the ops. */
void ir_block_list(IrBlock *ir);
void ir_block_forward(IrBlock *ir); /* from now on the builder keeps IrBlock.known */

/* Number of value operands (0-4) of @op, op->arg[0] and on. Calls have as many as their helper's
 * row says. */
static inline unsigned ir_operands(const IrBlock *ir, const IrOp *op)
{
    if (G_UNLIKELY(op->op == OP_call)) {
        return ir->call_args[op->imm];
    }
    return op->op == OP_lea && op->b == IR_NONE ? 1 : ir_op_info[op->op].nargs;
}
/* Properties of this very op: the row's, but for calls those that the helper's row promises. */
static inline unsigned ir_props(const IrBlock *ir, const IrOp *op)
{
    return G_UNLIKELY(op->op == OP_call) ? ir->call_props[op->imm] : ir_op_info[op->op].props;
}
/* Must @op stay though nobody uses its value? */
static inline bool ir_is_kept(const IrBlock *ir, const IrOp *op)
{
    return ir_props(ir, op) &
           (IRP_EFFECT | IRP_FAULT | IRP_END | IRP_EXIT | IRP_FPSTATUS | IRP_WRITES);
}
/* nop, insn, const: without operands or influence. A third of all ops: walks pass them by. */
static inline bool ir_is_inert(const IrOp *op)
{
    _Static_assert(OP_nop == 0 && OP_insn == 1 && OP_const == 2, "the first rows of opcodes.def");
    return op->op <= OP_const;
}
/* Those, and gets and sets of slots and flags. Most ops are. */
static inline bool ir_is_plain_state(const IrOp *op)
{
    _Static_assert(OP_get == 3 && OP_set == 4 && OP_getflags == 5 && OP_setflags == 6,
                   "… and the next ones");
    return op->op <= OP_setflags;
}
static inline bool ir_is_flags_op(unsigned op) /* yields a bundle from operands */
{
    return ir_op_info[op].shape == SHAPE_FL;
}
/* Mask of the value bits of an integer type; all ones from 64 bits up. */
static inline uint64_t ir_type_mask(unsigned type)
{
    return ir_type_info[type].bits >= 64 ? UINT64_MAX
                                         : (UINT64_C(1) << ir_type_info[type].bits) - 1;
}
static inline bool ir_has_result(const IrBlock *ir, const IrOp *op)
{
    return op->type != IR_VOID && !(ir_op_info[op->op].props & IRP_END) && op->op != OP_set &&
           op->op != OP_setflags && op->op != OP_st && op->op != OP_st_host && op->op != OP_insn &&
           op->op != OP_x87_ld && op->op != OP_x87_st;
}

/* A memory access that does not write. */
static inline bool ir_is_load(unsigned op)
{
    return op == OP_ld || op == OP_x87_ld;
}

/* Text form: print one block, or parse it. The parser needs the slot and helper tables of @ir. */
void ir_print(const IrBlock *ir, GString *out);
void ir_print_op(const IrBlock *ir, unsigned index, GString *out);
bool ir_parse(IrBlock *ir, const char *text, GError **error);
/* NULL if @ir obeys the rules, else a message to be freed that names op and rule. */
char *ir_verify(const IrBlock *ir);

#endif
