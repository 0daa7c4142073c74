/* SPDX-License-Identifier: MIT */
/*
 * The portable back end: an interpreter of decoded IR. It is the specification of the IR, so its
 * handlers say what each op does in plain C.
 *
 * A block becomes an array of Op. Each names the C function that performs it, which ends by jumping
 * to the next one's: where a compiler makes a call of that the stack is as deep as a block is long,
 * as going to another block returns to the run loop (NULL: leave). Operands are places: distances
 * from the Interp, which lies in the CPU state, with constants and values behind it. So reading a
 * guest register or a constant costs no Op of its own. A place of a value of up to 64 bits is that
 * of a word that it is the low end of, so that narrowing costs nothing on any host; see
 * slot_place() in emit.c for the CPU state's.
 */
#ifndef TCG_INTERP_INTERP_H
#define TCG_INTERP_INTERP_H

#include <ffi.h>
#include <glib.h>
#include <string.h>

#include "tcg/backend.h"
#include "tcg/flags.h"
#include "tcg/lanes.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef struct {
    u64 w[2];
} v128;

typedef struct Interp Interp;
typedef struct Op Op;
typedef struct Unit Unit;
typedef struct ConstPool ConstPool;
typedef const Op *Handler(const Op *op, Interp *x);

typedef s32 Place; /* bytes from the Interp; 0: none */
#define CELL_SIZE       16
#define MAX_CELLS       (1 << 16)
#define MAX_CONST_WORDS (1 << 16)

struct Op {
    Handler *run;
    Place d, a, b, c;
    s64 imm; /* displacement, immediate, distance of a branch in Ops, or a pointer */
    u32 aux;
    u16 flags; /* memory ops: IrMemFlags and CHECK_ALIGN */
    u16 fault; /* index in the unit's fault table */
};
#define CHECK_ALIGN (1 << 15)

/* What tcg_restore_state() needs of an op that may fault. */
typedef struct Fault {
    u32 offset, index; /* of the guest instruction */
    u32 rest;          /* Ops that bring the flags record up to date, 0: it is */
} Fault;

/* A compiled block in the arena; its entry points are its own address. */
struct Unit {
    TcgCode *code;
    const Unit **link; /* code->link[].to */
    const Fault *faults;
    u32 needs; /* so many words of constants; RETIRED */
    u32 start;
    s32 ninsns;
    Op ops[];
};
#define RETIRED UINT32_MAX

typedef struct CallSite { /* one per helper */
    const TcgHelper *helper;
    ffi_cif cif;
    ffi_type *types[2 + IR_MAX_ARGS];
} CallSite;

/* The state of one CPU in the interpreter, at TcgLayout.interp. */
struct Interp {
    u8 *env;
    const TcgLayout *layout;
    s32 *budget;
    u64 *vbase;
    const Unit *unit;
    u32 fp_raised;         /* sticky flags since fpclear */
    u32 nconsts;           /* words of the pool that are here */
    const ConstPool *pool; /* whose they are, */
    u32 pool_generation;   /* and since which flush */
    TcgLeave leave;
    u64 consts[MAX_CONST_WORDS] __attribute__((aligned(64)));
    u8 cells[MAX_CELLS][CELL_SIZE];
};
_Static_assert(sizeof(Interp) <= TCG_INTERP_SIZE, "it has its place in the CPU state");

/* Make the Interp of @env ready to run what has been emitted with @pool. */
Interp *interp_bind(void *env, const TcgLayout *layout, const ConstPool *pool);

static inline void *at(const Interp *x, Place p)
{
    return (u8 *)x + p;
}

static inline const Op *next(const Op *op, Interp *x)
{
    return op[1].run(op + 1, x);
}

static inline const Op *skip(const Op *op, s64 n, Interp *x)
{
    return op[n].run(op + n, x);
}

/* Where the @bytes of a value are. */
static inline void *value_at(const Interp *x, Place p, unsigned bytes)
{
    return (u8 *)at(x, p) + lanes_narrow(bytes);
}

#define ACCESSORS(T)                                          \
    static inline T get_##T(const Interp *x, Place p)         \
    {                                                         \
        T v;                                                  \
        memcpy(&v, value_at(x, p, sizeof(v)), sizeof(v));     \
        return v;                                             \
    }                                                         \
    static inline void put_##T(const Interp *x, Place p, T v) \
    {                                                         \
        memcpy(value_at(x, p, sizeof(v)), &v, sizeof(v));     \
    }
ACCESSORS(u8)
ACCESSORS(u16)
ACCESSORS(u32)
ACCESSORS(u64)
ACCESSORS(v128)

/* A word of the CPU state that the layout names. */
#define ENV(x, T, field) ((T *)((x)->env + (x)->layout->field))

#define HANDLER(name) static const Op *name(const Op *op, Interp *x)

/* Columns of the handler tables: operand size, and 32 bits zero-extended into 64. */
enum { W8, W16, W32, W64, W32Z, NWIDTHS };

/* integer.c: by op and width; NULL where an op has no such width */
extern Handler *const interp_int[IR_NOPS][NWIDTHS];
Handler *interp_add_imm(unsigned width); /* d = a + imm */
Handler *interp_extend(bool is_signed, IrType from, IrType to, bool wide);
Handler *interp_compare(IrCond cond, IrType type);        /* d = a cond b */
Handler *interp_branch_compare(IrCond cond, IrType type); /* to op + imm if a cond b */
Handler *interp_select(IrType type, bool wide);
Handler *interp_copy(IrType type); /* d = a */
Handler *interp_divide(bool is_signed, IrType type);

/* bundle.c */
Handler *interp_rest(IrType type, unsigned nargs); /* record d = (aux; a, b, c) */
Handler *interp_rest_inc(IrType type);
extern Handler interp_pack_record, interp_test_record, interp_test_word, interp_mask_word,
    interp_setcf_word, interp_setof_word, interp_setzf_word;
Handler *interp_rot_word(bool left, IrType type);
Handler *interp_parity(bool even);

/* memory.c, vector.c, float.c: NULL if there is no such op */
Handler *interp_memory(IrOpcode op, IrType type, bool wide, bool atomic);
Handler *interp_ld_host(IrType type);
Handler *interp_st_host(IrType type);
Handler *interp_avx(const IrBlock *ir, const IrOp *op); /* vmovlo to fma, for 128 bits */
Handler *interp_v_extend(IrType from);                  /* to V256 */
Handler interp_v_zero;                                  /* 16 bytes of zeros */
Handler *interp_vector(const IrBlock *ir, const IrOp *op);
Handler *interp_float(const IrBlock *ir, const IrOp *op);

/* control.c */
extern Handler interp_branch_if, interp_goto, interp_jump, interp_exit, interp_exit_here,
    interp_trap, interp_end, interp_fence;
/* call.c */
Handler *interp_call(const TcgHelper *helper);

const Op *interp_enter_far(Interp *x, const Unit *unit);

/* emit.c: decode @ir into what interp_emitted() says; false: no room for its constants. */
typedef struct Emitter Emitter;
Emitter *interp_emitter_new(const TcgConfig *config, CallSite *calls, ConstPool *pool);
void interp_emitter_free(Emitter *e);
bool interp_emitter_run(Emitter *e, const IrBlock *ir, const IrNotes *notes);
void interp_emitter_one(Emitter *e, const IrBlock *ir, unsigned i, const Place *arg, Place result);
struct Emitted {
    GArray *ops;    /* Op */
    GArray *faults; /* Fault */
};
const struct Emitted *interp_emitted(const Emitter *e);

/* pool.c: the constants of all blocks, each once. */
ConstPool *interp_pool_new(void);
void interp_pool_free(ConstPool *pool);
void interp_pool_clear(ConstPool *pool);
u32 interp_pool_size(const ConstPool *pool);                    /* words */
Place interp_pool_find(ConstPool *pool, u64 value, unsigned n); /* @n times in a row; 0: full */
void interp_pool_copy(const ConstPool *pool, Interp *x);        /* what is not there yet */

#endif
