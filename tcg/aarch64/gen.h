/* SPDX-License-Identifier: MIT */
/*
 * The AArch64 back end from the inside. While a block is emitted (Gen) every value has a place
 * (Loc) and every host register a list of the values that sit in it: several may share one, because
 * get, trunc and zext of something cost no code as long as nobody overwrites the register.
 *
 * Registers are numbered 0-31 (general) and 32-63 (vector). X28 = env, X27 = the software TLB, W25
 * = the budget; X26 and X29 hold addresses of other TLB banks within a block. All integer and
 * (their lower 128 bits) vector registers of the guest are pinned: X6-X15, X19-X24, V16-V31.
 * Temporaries are X0-X5 and V2-V15; X16, X17, X30, V0 and V1 are for use within an op.
 */
#ifndef TCG_AARCH64_GEN_H
#define TCG_AARCH64_GEN_H

#include "tcg/aarch64/asm.h"
#include "tcg/backend.h"
#include "tcg/flags.h"
#include "tcg/native/codebuf.h"
#include "tcg/native/entry.h"
#include "tcg/native/record.h"

#define NREGS     64
#define VEC(n)    (32 + (n))
#define NO_REG    (-1)
#define NO_HOME   INT32_MIN
#define ENV       28
#define TLB       27
#define BUDGET    25
#define GPR_TEMPS UINT64_C(0x3f)
#define VEC_TEMPS (UINT64_C(0xfffc) << 32)

/* The scratch area: homes of temporaries while C code runs, arguments, spills. */
enum {
    SCR_GPR = 0,      /* X0-X5 */
    SCR_NZCV = 48,    /* while the slow path runs */
    SCR_PASSAGE = 56, /* the upper half of BUDGET then: see links.c */
    SCR_ARG = 64,     /* 3 x 32, or 4 x 16 */
    SCR_RET = 160,    /* 32 */
    SCR_SITE = 192,   /* return address of the stub that left */
    SCR_KIND = 200,   /* TcgExit */
    SCR_RAISED = 204, /* floating-point flags since fpclear */
    SCR_FAILED = 208, /* not 0: a division overflowed */
    SCR_FPCR = 212,   /* the guest's */
    SCR_REC = 216,    /* FlagsRecord */
    SCR_VEC = 272,    /* V2-V15 */
    SCR_SPILL = 496,
    NSPILLS = 190, /* a place is a byte */
};

/* A slot of the guest as this host sees it. */
typedef struct SlotHome {
    int32_t off; /* from env */
    int8_t reg;  /* 0-63, NO_REG: lives in env */
    uint8_t bytes;
    bool is_register; /* part of the register file: only set and calls change it */
} SlotHome;

typedef struct Features {
    bool lse, aes, pmull, afp;
} Features;

typedef struct SoftTable SoftTable;

/* A way from one block to another past the record of flags: links.c. */
typedef struct Passage {
    TcgCode *from;
    unsigned link;
    uint32_t next;         /* to the same block, or unused like this one */
    const uint8_t *record; /* fault_map_record(); NULL: none will be asked for */
} Passage;

typedef struct A64Backend {
    TcgConfig config;
    const TcgLayout *layout;
    CodeBuf buf;
    Features feat;
    SlotHome *slot;
    int32_t reg_home[NREGS]; /* offset from env where thunks save a register, or NO_HOME */
    uint8_t reg_bytes[NREGS];
    const uint8_t **helper_thunk;
    struct Gen *gen;
    SoftTable *soft;
    Passage *passage; /* the first is nobody's */
    uint32_t npassages, passages_size, unused_passage;
    /* thunks, executable addresses */
    const uint8_t *enter, *exit_link, *exit_budget, *exit_reason, *exit_lookup, *exit_jump,
        *exit_end;
    const uint8_t *mem, *trap, *pack_env, *pack_rec, *flags_env, *settle, *divide, *soft_op,
        *set_modes, *gather;
} A64Backend;

typedef enum LocKind {
    LOC_NONE,
    LOC_CONST,
    LOC_REG,    /* also: packed word of a bundle */
    LOC_ENV,    /* equals a slot in env as long as nobody writes it */
    LOC_SPILL,  /* V256 and F80 are nowhere else */
    LOC_COND,   /* an I1 that its only consumer computes */
    LOC_FLAGS,  /* a bundle, to be made from its operands */
    LOC_RECORD, /* a bundle that is the record in env */
} LocKind;

typedef struct Loc {
    uint8_t kind;
    int8_t reg;
    bool zx;      /* register bits above the type are known to be zero */
    bool in_file; /* ENV: part of the guest's register file */
    IrRef next;   /* in the register's list */
    int32_t off;  /* ENV, SPILL: from env */
} Loc;

/* A value that a slot in env has, too, as long as nobody writes it. */
typedef struct EnvCopy {
    IrRef v; /* IR_NONE: no longer */
    bool in_file;
    int32_t off;
} EnvCopy;

/* A condition that the host can act upon. */
typedef struct Cond {
    enum { IF_FLAGS, IF_ZERO, IF_NONZERO, IF_BIT, IF_NO_BIT, IF_NEVER, IF_ALWAYS } kind;
    A64Cond cc; /* FLAGS */
    int reg;    /* the others; stays as it is until the condition is used */
    uint8_t w, bit;
} Cond;

/*
 * Behind the call in a memory stub. Values are always in registers; 64 + n: unit n of the spills;
 * NO_PLACE: there is none.
 */
enum { PLACE_SPILL = 64, NO_PLACE = 255, SITE_WRITE = 1, SITE_GROUP = 2, SITE_STORE = 4 };
typedef struct MemSite {
    uint8_t op, type, flags, addr;
    uint8_t value, compare, dst, bits;
    uint32_t back;   /* from here to where the check begins */
    uint16_t length; /* of the inline code, in words */
    uint16_t size;
    int32_t disp;
    int32_t lo;    /* GROUP only: … */
    uint32_t span; /* … the check is for [lo, lo + span) from addr */
} MemSite;
#define MEM_SITE_SHORT offsetof(MemSite, lo)

typedef enum StubKind {
    STUB_MEM,
    STUB_LINK,
    STUB_TRAP,
    STUB_EXIT_IF,
    STUB_DIVIDE,
    STUB_JUMP,
    STUB_SOFT,
    STUB_FLAGS, /* the guess of the record's kind was wrong */
} StubKind;

typedef struct Stub {
    uint8_t kind; /* StubKind */
    bool flush;   /* LINK: record to write first, or budget to give back */
    uint8_t link;
    int8_t result[2];  /* DIVIDE: registers of quotient and remainder; SOFT: of the result */
    int8_t operand[3]; /* SOFT: registers, NO_REG: … */
    int32_t off[4];    /* … at this offset from env; the last is the result's */
    IrRef op;          /* SOFT */
    uint32_t code;     /* trap code, reason, SOFT's number */
    int32_t giveback;
    uint8_t *from[2]; /* the branches that come here */
    uint8_t *retry, *done;
    MemSite site;
    FaultPoint point; /* MEM, TRAP, EXIT_IF, DIVIDE; LINK: its record only */
} Stub;

/* For the disassembly: where the code of a guest instruction begins. */
typedef struct Mark {
    uint32_t host, guest;
} Mark;
#define MARK_STUBS UINT32_MAX

typedef struct Gen {
    Asm a;
    A64Backend *be;
    const IrBlock *ir;
    const IrNotes *notes;
    const IrOp *ops;
    const IrOp *op; /* the current one */
    unsigned cur;
    struct {
        uint32_t offset, index;
    } insn;               /* that the current op belongs to */
    uint64_t locked;      /* registers the current op holds */
    bool fp_checked;      /* between fpclear and fpcheck */
    bool no_tbz, too_far; /* TBZ to stubs is not to be used; it was, in vain */
    uint64_t spill_used[4];
    IrRef head[NREGS];
    struct {
        unsigned epoch;
        IrRef op;      /* NZCV are those of this op's computation, in its own width */
        IrRef bundle;  /* … or of this bundle */
        uint8_t carry; /* NZ_* */
    } nz;
    struct {
        unsigned epoch;
        IrRef value;   /* C of NZCV is this value, 0 or 1 … */
        bool inverted; /* … or its opposite */
    } cin;
    int8_t bank[2]; /* what X26 and X29 are addresses of; -1: nothing */
    TcgCode *code;
    IrRef envs[64]; /* values at LOC_ENV */
    unsigned nenvs;
    EnvCopy copies[8]; /* the latest, in a ring */
    unsigned ncopies;
    IrRef getflags[16];
    unsigned ngetflags;
    Stub *stubs;
    unsigned nstubs, stubs_size;
    FaultNotes faults;
    Mark marks[IR_NOTED_OPS];
    unsigned nmarks;
    Loc loc[IR_NOTED_OPS];
    uint16_t last[IR_NOTED_OPS];
    uint16_t hint[IR_NOTED_OPS];  /* index of the `set` that the value may be computed into */
    uint16_t defer[IR_NOTED_OPS]; /* fl_test, setcond: the op that evaluates it */
    uint8_t want[IR_NOTED_OPS];   /* WANT_* */
} Gen;

enum {
    WANT_FLAGS = 1,  /* NZCV of this op are of use */
    WANT_RECORD = 2, /* a bundle that is architectural by itself where somebody looks */
    WANT_CARRY = 4,  /* adds or subtracts a carry from what the op before would have computed */
    WANT_LATER = 8,  /* the op before such a one */
};
/* What C of NZCV means for x86's CF: the same, its opposite, or nothing: CF and OF are 0; NZCV of
 * FCMP. */
enum { NZ_ADD, NZ_SUB, NZ_LOGIC, NZ_FLOAT };

static inline void mark(Gen *g, uint32_t guest)
{
    g->marks[g->nmarks++] = (Mark){ (uint32_t)(g->a.p - g->a.start), guest };
}

/* analyse.c */
void analyse(Gen *g); /* hint, want, defer */

/* regalloc.c */
static inline bool is_vec(IrType t) /* lives in a vector register */
{
    return t == V128 || t == F32 || t == F64;
}
static inline bool is_wide(IrType t) /* lives in memory */
{
    return t == V256 || t == F80;
}
static inline IrType type_of(const Gen *g, IrRef v)
{
    return (IrType)g->ops[v].type;
}
static inline unsigned bytes_of(const Gen *g, IrRef v)
{
    unsigned n = ir_type_info[g->ops[v].type].bytes;

    return n ? n : 1;
}
static inline bool live_after(const Gen *g, IrRef v)
{
    return g->last[v] > g->cur;
}
static inline void lock(Gen *g, int r)
{
    if (r != ZR) {
        g->locked |= UINT64_C(1) << r;
    }
}
static inline void unlock(Gen *g, int r)
{
    if (r != ZR) {
        g->locked &= ~(UINT64_C(1) << r);
    }
}
static inline bool is_temp(int r)
{
    return ((GPR_TEMPS | VEC_TEMPS) >> r) & 1;
}
/* For native/temps.c: which of these temporaries is taken first; somebody has. */
static inline int first_choice(uint64_t set)
{
    return __builtin_ctzll(set);
}
static inline void temp_taken(Gen *g, int r)
{
}
int alloc_vec(Gen *g);          /* as alloc_gpr() */
int use_gpr(Gen *g, IrRef v);   /* a register that holds @v, locked */
int use_gpr_z(Gen *g, IrRef v); /* the same; ZR for a constant 0 */
int use_vec(Gen *g, IrRef v);
int use_zx(Gen *g, IrRef v, int spare); /* zero-extended to 32 or 64 bits; in @spare if need be */
int use_sx(Gen *g, IrRef v, int spare);
void load_vec(Gen *g, int r, IrRef v);
int32_t def_spill(Gen *g, IrRef v); /* offset from env */
/* A register to compute the current op into: the hinted pin, or a temporary. @avoid: registers that
 * are read after the first write. */
int pick_gpr(Gen *g, uint64_t avoid);
int pick_vec(Gen *g, uint64_t avoid);
uint8_t place_of(Gen *g, IrRef v);
bool const_value(const Gen *g, IrRef v, uint64_t *value); /* zero-extended */
bool const_signed(const Gen *g, IrRef v, int64_t *value);
/* Where to compute a V256 value, half by half: in memory, or the lower half in @low, a pin, and a
 * copy of it in memory. Operands are at @off (NO_HOME: in register @r); @kept: they must stay
 * there. */
int32_t pick_wide(Gen *g, const int32_t *off, const int *r, unsigned n, bool kept, int *low);
/* Memory of a V256 or F80 value; constants and slots in env are where they are. */
int32_t wide_off(Gen *g, IrRef v);
void copy_wide(Gen *g, int32_t to, int32_t from, unsigned bytes);

/* Access env at any offset; @spare (LR, within a block) serves for addresses that are far. */
void env_ldst_by(Asm *a, A64Mem m, int t, int32_t off, int spare);
static inline void env_ldst(Asm *a, A64Mem m, int t, int32_t off)
{
    env_ldst_by(a, m, t, off, LR);
}
static inline void env_load(Asm *a, unsigned bytes, int t, int32_t off)
{
    env_ldst(a, a_mem(t >= 32, (unsigned)__builtin_ctz(bytes), true), t & 31, off);
}
static inline void env_store(Asm *a, unsigned bytes, int t, int32_t off)
{
    env_ldst(a, a_mem(t >= 32, (unsigned)__builtin_ctz(bytes), false), t & 31, off);
}
void env_addr(Asm *a, int d, int32_t off);

static inline int32_t scr(const Gen *g, int32_t off)
{
    return g->be->layout->scratch + off;
}
static inline unsigned op_bytes(const Gen *g) /* of the current op's integer type */
{
    unsigned n = ir_type_info[g->op->type].bytes;

    return n ? n : 1;
}
static inline bool is_zx(const Gen *g, IrRef v)
{
    return g->loc[v].kind == LOC_CONST || bytes_of(g, v) == 8 || g->loc[v].zx;
}

static inline uint32_t insn_offset(const Gen *g)
{
    return g->insn.offset;
}
static inline unsigned insn_index(const Gen *g)
{
    return g->insn.index;
}

#include "tcg/native/shared.h"

/* rules/ */
typedef void (*Rule)(Gen *g);
extern const Rule a64_rules[IR_NOPS];

void emit_nop(Gen *g), emit_insn(Gen *g), emit_const(Gen *g), emit_get(Gen *g), emit_set(Gen *g);
void emit_getflags(Gen *g), emit_flags(Gen *g), emit_fl_test(Gen *g), emit_fl_pack(Gen *g);
void emit_mov(Gen *g), emit_arith(Gen *g), emit_logic(Gen *g), emit_mul(Gen *g), emit_mulh(Gen *g);
void emit_div(Gen *g), emit_second(Gen *g), emit_neg_not(Gen *g), emit_andn(Gen *g);
void emit_shift(Gen *g), emit_rotate(Gen *g), emit_funnel(Gen *g), emit_bswap(Gen *g);
void emit_bits(Gen *g), emit_zext(Gen *g), emit_sext(Gen *g), emit_trunc(Gen *g);
void emit_bitcast(Gen *g), emit_lea(Gen *g), emit_setcond(Gen *g), emit_select(Gen *g);
void emit_ld(Gen *g), emit_st(Gen *g), emit_rmw(Gen *g), emit_cas(Gen *g), emit_probe(Gen *g);
void emit_fence(Gen *g), emit_ld_host(Gen *g), emit_st_host(Gen *g);
void emit_fpcheck(Gen *g), emit_fpclear(Gen *g), emit_getmxcsr(Gen *g), emit_setmxcsr(Gen *g);
void emit_fp(Gen *g), emit_f2f(Gen *g), emit_i2f(Gen *g), emit_f2i(Gen *g), emit_fcomi(Gen *g);
void emit_getfsw(Gen *g), emit_setfsw(Gen *g), emit_setfcw(Gen *g);
void emit_v(Gen *g), emit_vextract(Gen *g), emit_vinsert(Gen *g), emit_vfromint(Gen *g);
void emit_vmovlo(Gen *g), emit_vbcast(Gen *g), emit_vmovmsk(Gen *g), emit_vtest(Gen *g);
void emit_vzeroupper(Gen *g), emit_vinserth(Gen *g), emit_vextracth(Gen *g);
void emit_vwiden(Gen *g), emit_vlane2(Gen *g), emit_vpermq(Gen *g), emit_vpermd(Gen *g);
void emit_call(Gen *g), emit_trap(Gen *g), emit_trap_if(Gen *g), emit_goto(Gen *g);
void emit_goto_if(Gen *g), emit_jump(Gen *g), emit_exit(Gen *g), emit_exit_if(Gen *g);
void emit_soft(Gen *g); /* by the interpreter's handler */

/* emit-fp.c */
void emit_stub_soft(Gen *g, const Stub *s);

/* emit-int.c */
void compare_values(Gen *g, IrRef x, IrRef y); /* NZCV of x - y in their width */
void note_carry(Gen *g, IrRef v, Cond c);      /* @v is 1 if @c: C of NZCV may serve for it */

/* emit-flags.c */
Cond cond_of(Gen *g, IrRef v);         /* I1 @v */
A64Cond cond_to_flags(Gen *g, Cond c); /* neither NEVER nor ALWAYS */
void nz_are(Gen *g, IrRef op,
            unsigned carry); /* the instruction just emitted computed @op's flags */
/* The flags that the block is entered with as NZCV of a subtraction, by the guess of what they are.
 */
bool redo_entry_flags(Gen *g, IrRef fl);
unsigned entry_kind(const Gen *g, IrRef fl); /* FlagsRecord.kind by that guess; 0: none */
bool nz_hold(const Gen *g, IrRef fl); /* … are all four those of @fl, such a subtraction? */

/* emit-record.c */
void write_record(Gen *g, const Record *r);

/* links.c */
void passages_clear(A64Backend *be);
void passages_free(A64Backend *be);
void note_entry(Gen *g);
void note_live_entry(Gen *g, IrRef fl);
void note_flush(Gen *g, unsigned link, FaultPoint p, int32_t giveback);
void forget_passage(Gen *g); /* env has a record that is to stay */
void a64_link(void *p, TcgCode *from, unsigned link, TcgCode *to);
void a64_retire(void *p, TcgCode *code);
const void *a64_far_entry(void *p, TcgCode *code);

/* emit-control.c */
Stub *new_stub(Gen *g, StubKind kind, uint8_t *from);
/* A branch to a new stub if @c. NULL: never. */
Stub *cond_stub(Gen *g, StubKind kind, Cond c);
void emit_prologue(Gen *g);
void emit_far_entry(Asm *a, const A64Backend *be, const TcgCode *code);
void emit_stubs(Gen *g);

/* soft.c: any op, by what the portable back end makes of it */
SoftTable *soft_new(const TcgConfig *config);
void soft_free(SoftTable *t);
uint32_t soft_number(SoftTable *t, const IrBlock *ir, unsigned i);
void a64_soft(void *env, const uint8_t *site, const A64Backend *be);

/* thunks.c */
void thunks_init(A64Backend *be);
const uint8_t *helper_thunk(A64Backend *be, unsigned index); /* NULL: buffer full */

/* slow.c: C functions that thunks call */
void *a64_mem_refill(void *env, const uint8_t *site, const A64Backend *be);
void *a64_mem_slow(void *env, const uint8_t *site, const A64Backend *be);
void a64_trap(void *env, const uint8_t *site, const A64Backend *be);
void a64_settle_flags(void *env, const A64Backend *be);
void a64_pack_env(void *env, const uint8_t *site, const A64Backend *be);
void a64_settle_record(void *env, const uint8_t *site, const A64Backend *be);
void a64_pack_rec(void *env, const uint8_t *site, const A64Backend *be);
void a64_divide(void *env, const uint8_t *site, const A64Backend *be);

/* disas.c */
void a64_disas(const A64Backend *be, const TcgCode *code, GString *out);

/* In front of a block's code: finds the way back from a host address inside it. */
typedef struct CodeHeader {
    TcgCode *code;
    uint32_t start; /* offset of the block in its mapping unit */
    uint32_t unused;
} CodeHeader;

static inline bool find_point(const A64Backend *be, const TcgCode *code, uint64_t host_pc,
                              void *env, uint32_t *offset, uint32_t *index)
{
    uint64_t host = host_pc - ((uintptr_t)code->start - sizeof(CodeHeader));

    return fault_map_find(code, host, env, be->layout->flags, offset, index);
}

enum { EXIT_END = 16 }; /* SCR_KIND beyond TcgExit: `exit`, the guest set its pc */

#endif
