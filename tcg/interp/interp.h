/* SPDX-License-Identifier: MIT */
/*
 * The portable back end: an interpreter of decoded IR. It is the specification of the IR, so its
 * handlers say what each op does in plain C.
 *
 * A block becomes an array of Op. Each names the C function that performs it; the function
 * returns the Op to go on with, or NULL to leave. Operands are places: an offset from one of three
 * bases (the values of the running block, the CPU state, the block's constants), so that
 * reading a guest register or a constant costs no Op of its own.
 * A place of a value of up to 64 bits is that of a word that it is the low end of, so that
 * narrowing costs nothing on any host; see slot_place() in emit.c for the CPU state's.
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
typedef const Op *Handler(const Op *op, Interp *x);

typedef u32 Place; /* base in the top two bits, byte offset below */
enum { BASE_CELLS, BASE_ENV, BASE_CONSTS, NBASES };
#define PLACE(base, offset) ((Place)(base) << 30 | (Place)(offset))
#define CELL_SIZE           16
#define MAX_CELLS           (1 << 16)

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
    const u8 *consts;
    const Fault *faults;
    u32 start;
    s32 ninsns;
    Op ops[];
};

typedef struct CallSite { /* one per helper */
    const TcgHelper *helper;
    ffi_cif cif;
    ffi_type *types[2 + IR_MAX_ARGS];
} CallSite;

/* The state of one CPU in the interpreter. */
struct Interp {
    u8 *base[NBASES];
    u8 *env;
    const Unit *unit;
    const TcgLayout *layout;
    u32 fp_raised; /* sticky flags since fpclear */
    TcgLeave leave;
    u8 *cells;
};

static inline void *at(const Interp *x, Place p)
{
    return x->base[p >> 30] + (p & 0x3fffffff);
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
Handler *interp_avx(const IrBlock *ir, const IrOp *op); /* vmovlo to fma, for 128 bits */
Handler *interp_v_extend(IrType from);                  /* to V256 */
Handler interp_v_zero;                                  /* 16 bytes of zeros */
Handler *interp_vector(const IrBlock *ir, const IrOp *op);
Handler *interp_float(const IrBlock *ir, const IrOp *op);

/* control.c */
extern Handler interp_branch_if, interp_goto, interp_jump, interp_exit, interp_exit_here,
    interp_trap, interp_give_back, interp_end, interp_fence;
/* call.c */
Handler *interp_call(const TcgHelper *helper);

const Op *interp_enter_far(Interp *x, const Unit *unit);

/* emit.c: decode @ir into *@ops and *@consts (reset by the caller). */
typedef struct Emitter Emitter;
Emitter *interp_emitter_new(const TcgConfig *config, CallSite *calls);
void interp_emitter_free(Emitter *e);
void interp_emitter_run(Emitter *e, const IrBlock *ir, const IrNotes *notes);
void interp_emitter_one(Emitter *e, const IrBlock *ir, unsigned i, const Place *arg, Place result);
struct Emitted {
    GArray *ops;    /* Op */
    GArray *consts; /* v128 */
    GArray *faults; /* Fault */
};
const struct Emitted *interp_emitted(const Emitter *e);

#endif
