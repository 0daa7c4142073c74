/* SPDX-License-Identifier: MIT */
/*
 * Translating x86 into IR: the context of one block, and what generators build with.
 *
 * A generator gets its instruction decoded and checked (LOCK, CPL, CPUID, EM/TS/OSFXSR) and builds
 * IR by these functions. The commit rule: within one instruction everything that may fault
 * (loads, stores, trap_if, faulting helpers) comes before the first register set or setflags.
 * Falling out of a generator goes on with the next instruction; a generator of an A_END row (or any
 * that ends the block) must call one of the leave_* functions or trap(), exactly once.
 * After a helper that may change mode, mappings or interrupt state: leave_sync().
 *
 * Blocks of X86_MODE_TF, BREAKPOINTS and INHIBIT hold one instruction. They leave through C:
 * INHIBIT clears SLOT_INHIBIT and its bit of SLOT_MODE; all say in SLOT_STEP that the instruction
 * is done and what it was, for single step and breakpoints (debug.c), and exit
 * X86_EXIT_SYNC. */
#ifndef TARGET_I386_TRANSLATE_H
#define TARGET_I386_TRANSLATE_H

#include "accel/translate.h"
#include "target-i386/cpu.h"
#include "target-i386/decode.h"
#include "target-i386/helpers.h"
#include "tcg/builder.h"

enum { LEFTS = 32 };

typedef struct Ahead Ahead;

struct Dis {
    IrBlock *ir;
    CpuX86 *cpu;
    TranslateRequest *req;
    DecodeMode dm;
    uint32_t mode; /* X86_MODE_* of the block */
    uint8_t cpl;
    bool is64;          /* 64-bit mode */
    bool pe;            /* protected mode (compatibility and 64-bit included), not virtual-8086 */
    uint8_t code_size;  /* IrType: I16, I32, I64 */
    uint8_t stack_size; /* IrType of the stack pointer: I16, I32, I64 */
    unsigned memflags;  /* IrMemFlags of an ordinary data access: MMU index, MEM_ALIGN for #AC */
    uint32_t attr_ud, attr_nm,
        attr_gp;                     /* A_* whose instructions fault in this mode, in this order */
    unsigned loop_insns, loop_links; /* of one round of the loop that the block is; 0: none */
    uint32_t offset;                 /* of the current instruction in the mapping unit */
    uint32_t next;                   /* of the one after it */
    bool ended;                      /* the END op has been built */
    unsigned followed_from; /* number of instructions up to the first jump that did not end it; 0:
                               none */
    uint8_t step;           /* STEP_* that the instruction is, where it leaves through C */
    bool sti_seen;          /* gen-system.c: this block may have let interrupts in */
    uint32_t sti_shadow;    /* … after the instruction at this offset */
    IrRef sti_waits;        /* not 0: one does already; for the beginning of that instruction */
    bool x87_on_host;       /* CpuCommon.x87_on_host */
    uint8_t top;            /* x87 TOP at this point; starts as the mode has it */
    uint8_t x87_full, x87_empty; /* gen-x87.c: knowledge of tags, a bit per physical register */
    struct { /* the check of tags that is being added to: constants of mask and value, and what they
                are now */
        IrRef mask_ref, want_ref;
        uint8_t mask, want;
        unsigned nlinks; /* of the block then: beyond a branch another check begins */
    } x87_check;
    bool guess_down; /* gen-string.c: there is a guess of DF, */
    bool down;       /* this one, */
    IrRef checked;   /* that was checked for this value of EFLAGS */
    struct {         /* gen-string.c: what was computed last of DF, from this value of EFLAGS */
        IrRef eflags, backward;
        uint8_t log2;
    } df;
    Ahead *ahead;    /* block.h */
    bool x87_cs_set; /* the last-instruction selector is this block's CS already */
    unsigned nlefts;
    struct { /* insns_left(): constants that are known at the end of the block, */
        IrRef ref;
        unsigned before; /* after so many of its instructions */
    } left[LEFTS];       /* the last: not cleared */
};

/* ---- Program counter ------------------------------------------------------------------------ */
IrRef pc_at(Dis *d, uint32_t offset); /* I64: guest pc of a byte of this mapping unit (RIP or EIP:
                                         16-bit code does not wrap) */
IrRef pc_next(Dis *d);                /* of the next instruction: return addresses, SYSCALL, INT */
IrRef pc_here(Dis *d);

/* #GP if @pc (I64) is beyond CS's limit, unless @cond (I1 or IR_NONE) is false. Free where CS has 4
 * GiB. */
void check_target(Dis *d, IrRef pc, IrRef cond);
void check_branch(Dis *d, Insn *i,
                  IrRef cond); /* likewise next + i->imm, cut to the operand size */

/* ---- Ends of a block. Each also does what single-step and the interrupt shadow ask for. --------
 */
void leave_next(Dis *d); /* go on with the next instruction, new block */
void leave_branch(Dis *d, Insn *i, int64_t target_delta); /* to next + delta, cut to operand size */
/* I32: how many instructions the block has from this one on; at most LEFTS times in a block. */
IrRef insns_left(Dis *d);
/* Let the block go on there, without a jump, if little is left until something ends it. */
bool follow_branch(Dis *d, Insn *i, int64_t delta);
void leave_branch_if(Dis *d, Insn *i, IrRef cond,
                     int64_t delta); /* I1; else falls through: no end */
void leave_branch_again_if(
    Dis *d, IrRef cond); /* I1: this instruction once more (REP); else falls through */
void leave_jump(Dis *d, IrRef pc, IrJumpKind kind); /* to a computed guest pc (I64, already cut) */
/* The same where this instruction faults if 64-bit code cannot be there; it has pushed so many
 * bytes. */
void leave_near(Dis *d, IrRef pc, IrJumpKind kind, int32_t pushed);
void check_canonical(Dis *d, IrRef pc);
void check_canonical_step(Dis *d, IrRef pc); /* … where it leaves through C */
/* Is the next instruction sure to be in this block? Interrupts are taken between blocks, so that is
 * all the shadow that STI and MOV SS ask for. */
bool next_shares_block(const Dis *d);
void leave_sync(Dis *d); /* to the next instruction through C (X86_EXIT_SYNC) */
void leave_exit(Dis *d, IrRef pc, uint32_t reason); /* through C: X86_EXIT_* at pc */
void trap(Dis *d, uint32_t code); /* raise X86_TRAP(…) / X86_TRAP_ERROR(…) here */
void trap_ud(Dis *d);
void trap_gp0(Dis *d);
/* Helpers that never return to the block (they raise, or set env.pc and leave by themselves): put
 * this after the call; it is never reached. */
void leave_never(Dis *d);

/* ---- Operands ------------------------------------------------------------------------------- */
/* Value of operand @n in its type. GPR: I8 … I64; immediates too; XMM: V128, I64, I32, …; MMX: I64.
 * Memory: loaded with the operand's type, checked. Segment registers: I16. */
IrRef op_load(Dis *d, Insn *i, unsigned n);
/* The instruction works on x87 state that is in CpuX86 and neither faults nor does anything before
 * it asks: false: it will be run again when it is. */
bool x87_at_home(Dis *d);
void x87_switch(Dis *d, uint32_t reason); /* run it again as @reason (X86_EXIT_*) says */
/* Write it. A 32-bit general register is zero-extended; XMM I64/I32 parts leave the rest alone, but
 * of VEX-encoded instructions: zeros come above whatever it is. */
void op_store(Dis *d, Insn *i, unsigned n, IrRef value);
static inline bool op_is_mem(const Insn *i, unsigned n)
{
    return i->op[n].kind == OPK_MEM;
}
static inline IrType op_type(const Insn *i, unsigned n)
{
    return (IrType)i->op[n].type;
}

/* General registers by number; @type I16, I32 (set: zero-extends), I64; I8 is the low byte. */
IrRef reg_get(Dis *d, IrType type, unsigned reg);
void reg_set(Dis *d, IrType type, unsigned reg, IrRef value);

/* ---- Memory --------------------------------------------------------------------------------- */
/* A checked access: ld/st at addr + disp with flags. */
typedef struct Mem {
    IrRef addr; /* I64, linear */
    int32_t disp;
    unsigned flags; /* IrMemFlags */
} Mem;
/* The memory operand, checked for @size bytes from its start. */
Mem mem_operand(Dis *d, Insn *i, unsigned size, bool write);
/* The same by type: vectors with the alignment that the instruction wants. */
Mem operand_mem(Dis *d, Insn *i, IrType type, bool write);
/* Its linear address, for a helper: what the helper's accesses cannot tell is checked here. */
IrRef mem_linear(Dis *d, Insn *i, Mem m, unsigned size);
/* Offset @ea (I64 with the address-size wrap already applied) in segment @seg, checked. */
Mem mem_seg(Dis *d, unsigned seg, IrRef ea, unsigned size, bool write);
/* What a helper is going to access: #AC unless on a multiple of @align, where that is checked. */
void check_alignment(Dis *d, Mem m, unsigned align);
IrRef mem_ld(Dis *d, Mem m, IrType type, int32_t offset); /* offset < size asked for */
void mem_st(Dis *d, Mem m, IrRef value, int32_t offset);
/* The memory operand's offset (I64, wrapped to the address size): LEA, and helpers that check
 * segments themselves. */
IrRef mem_ea(Dis *d, Insn *i);
/* … as a value of @type, for LEA only. */
IrRef ea_as(Dis *d, Insn *i, IrType type);
/* @value of type I16/I32/I64 -> I64, cut to @size */
IrRef addr_wrap(Dis *d, IrRef value, IrType size);

/* Read-modify-write of operand @n where no rmw op says it: the store's fault comes first, the value
 * is read, the caller computes, rmw_finish() writes (to a register too). With LOCK a value that
 * changed in between starts the instruction again. */
typedef struct Rmw {
    Insn *i;
    unsigned n;
    Mem m;
    IrRef old;
} Rmw;
Rmw rmw_begin(Dis *d, Insn *i, unsigned n);
Rmw rmw_begin_at(Dis *d, Insn *i, unsigned n, Mem m); /* memory: at @m, checked for writing */
void rmw_finish(Dis *d, Rmw *r, IrRef value);

/* ---- Stack ---------------------------------------------------------------------------------- */
/* Pushes and pops are computed relative to the present SP and committed at the end:
 *   Stack s = stack_begin(d); stack_push(d, &s, value); …; stack_commit(d, &s);
 * Pops load; nothing is set before the commit. @value's type is the size pushed. */
typedef struct Stack {
    IrRef sp;      /* present value, of d->stack_size type */
    int32_t delta; /* pushed so far: negative */
} Stack;
Stack stack_begin(Dis *d);
void stack_push(Dis *d, Stack *s, IrRef value);
IrRef stack_pop(Dis *d, Stack *s, IrType type);
void stack_commit(Dis *d, Stack *s);

/* ---- Flags ---------------------------------------------------------------------------------- */
IrRef flags_cc(Dis *d, unsigned cc); /* I1: condition code now */
IrRef flags_cf(Dis *d, IrType type); /* carry as 0 or 1 of @type */

/* ---- I1 ------------------------------------------------------------------------------------- */
IrRef bool_not(Dis *d, IrRef x);
IrRef bool_and(Dis *d, IrRef x, IrRef y);
IrRef bool_or(Dis *d, IrRef x, IrRef y);

/* ---- Calls ---------------------------------------------------------------------------------- */
static inline IrRef call0(Dis *d, unsigned helper)
{
    return ir_call(d->ir, helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}
static inline IrRef call1(Dis *d, unsigned helper, IrRef a)
{
    return ir_call(d->ir, helper, a, IR_NONE, IR_NONE, IR_NONE);
}
static inline IrRef call2(Dis *d, unsigned helper, IrRef a, IrRef b)
{
    return ir_call(d->ir, helper, a, b, IR_NONE, IR_NONE);
}
static inline IrRef call3(Dis *d, unsigned helper, IrRef a, IrRef b, IrRef c)
{
    return ir_call(d->ir, helper, a, b, c, IR_NONE);
}
static inline IrRef const32(Dis *d, uint32_t v)
{
    return ir_const(d->ir, I32, v);
}
static inline IrRef const64(Dis *d, uint64_t v)
{
    return ir_const(d->ir, I64, v);
}

/* ---- The block: translate.c ----------------------------------------------------------------- */
void x86_translate(Cpu *cpu, TranslateRequest *req, IrBlock *ir); /* CpuOps.translate */

#endif
