/* SPDX-License-Identifier: MIT */
/*
 * The x86-64 back end from the inside. While a block is emitted (Gen) every value has a place (Loc)
 * and every host register a list of the values that sit in it: several may share one, because
 * get, trunc and zext of something cost no code as long as nobody overwrites the register.
 *
 * Registers are numbered 0-15 (general) and 16-31 (XMM). RSP is the host stack, RBP = env +
 * ENV_BIAS, R9 the budget: in memory it is a chain of stores and loads from block to block, which
 * hosts only hide while they predict all branches. Pinned registers hold guest slots, the rest
 * (R12-R15, XMM13-15) are temporaries. */
#ifndef TCG_X86_64_GEN_H
#define TCG_X86_64_GEN_H

#include <string.h>

#include "tcg/backend.h"
#include "tcg/flags.h"
#include "tcg/native/codebuf.h"
#include "tcg/native/entry.h"
#include "tcg/native/record.h"
#include "tcg/x86_64/asm.h"

#define NREGS      32
#define XMM(n)     (16 + (n))
#define NO_REG     (-1)
#define NO_HOME    INT32_MIN
#define ENV_BIAS   184
#define GPR_TEMPS  0xf000u
#define BUDGET_REG R9
#define PC_REG     R15 /* of a jump, where it misses the jump cache; its place there; its site */
#define PLACE_REG  R14
#define SITE_REG   R13
#define XMM_TEMPS  0xe0000000u
#define VEC_TEMPS  XMM_TEMPS /* to shared files */

/* The scratch area: homes of temporaries while C code runs, arguments, spills. */
enum {
    SCR_GPR = 0,     /* R12-R15 */
    SCR_XMM = 32,    /* YMM13-15 */
    SCR_ARG = 128,   /* 4 x 16 */
    SCR_RET = 192,   /* 32 */
    SCR_MXCSR = 224, /* host's while C code runs */
    SCR_TMP = 228,   /* for moves between units */
    SCR_SITE = 232,  /* return address of the stub that left */
    SCR_KIND = 240,  /* TcgExit */
    SCR_LIVE = 244, /* byte: pins may have something in their upper halves; if not, it is zeros … */
    SCR_STALE = 245,  /* … and so it is in env if this byte is 0 */
    SCR_TARGET = 248, /* where the memory slow path goes on */
    SCR_REC = 256,    /* FlagsRecord */
    SCR_SPILL = 304,
    SCR_REST = 1024, /* RestOfBlock [NRESTS] */
    NSPILLS = (SCR_REST - SCR_SPILL) / 8,
    NRESTS = 16,
};

/* Where a block whose group of accesses crosses pages went on before, by the stub's site. */
typedef struct RestOfBlock {
    const uint8_t *site;
    const TcgCode *from, *rest;
    const uint8_t *record; /* fault_map_record() */
    int32_t giveback;
    uint32_t left;    /* so often without asking */
    uint64_t flushes; /* X86Backend.flushes then */
} RestOfBlock;

typedef struct Features {
    bool avx2; /* and FMA, F16C, and the system's support for YMM */
    bool vaes, vpclmul, gfni;
    bool avx512bw; /* and the system's support for ZMM and masks */
    bool adx, bmi1, bmi2, lzcnt, popcnt, ssse3, sse41, sse42, sse3, aes, pclmul, sha;
} Features;

/* A slot of the guest as this host sees it. */
typedef struct SlotHome {
    int32_t off; /* from RBP */
    int8_t reg;  /* 0-31, NO_REG: lives in env */
    uint8_t bytes;
    bool is_register; /* part of the register file: only set and calls change it */
} SlotHome;

/* Instructions that are the same in all blocks: assembled once. */
typedef struct Template {
    uint8_t bytes[48], size;
} Template;

static inline void put_template(Asm *a, const Template *t)
{
    x_room(a, sizeof(t->bytes));
    memcpy(a->p, t->bytes, sizeof(t->bytes));
    a->p += t->size;
}

/* A way past what is done before a link: links.c. */
typedef struct Passage {
    TcgCode *from;
    uint32_t link, next; /* of those into the same block, or unused */
    int32_t take;        /* from the budget */
    bool open;
    uint8_t size, bytes[20]; /* of code: what is not there now */
} Passage;

/* clang-format off */
typedef struct X86Backend {
    TcgConfig config;
    const TcgLayout *layout;
    CodeBuf buf;
    Features feat;
    SlotHome *slot;
    int32_t reg_home[NREGS]; /* offset from RBP where thunks save a register, or NO_HOME */
    uint8_t reg_bytes[NREGS];
    const uint8_t **helper_thunk;
    struct {
        unsigned helper;
        uint32_t arg;
        const uint8_t *at;
    } move_thunk[32];
    unsigned nmove_thunks;
    uint64_t flushes;
    struct Gen *gen;
    GArray *passages; /* Passage */
    uint32_t unused_passage;
    /* thunks, executable addresses */
    const uint8_t *enter, *go_on, *exit_link, *exit_budget, *exit_loop, *exit_reason, *exit_lookup, *exit_jump;
    const uint8_t *mem, *trap, *pack_env, *pack_rec, *carry_env, *overflow_env, *flags_env, *open_top, *divs128, *vec_slow, *bits_slow;
    const uint8_t *save_pins, *restore_pins, *load_pins; /* vector pins, whole as far as in use */
    const uint8_t *exit_end;
    const uint8_t *stack_probe[TCG_MMU_MODES][2][4][4]; /* by write, Access.t0 and t1 less R12 */
    Template find_jump; /* PLACE_REG: place of PC_REG in the jump cache. Is it there? */
    struct Census *census; /* NULL: nobody wants to know */
} X86Backend;
/* clang-format on */

typedef enum LocKind {
    LOC_NONE,
    LOC_CONST,
    LOC_REG, /* general or XMM register; also: packed word of a bundle */
    LOC_ENV, /* equals a slot in env as long as nobody writes it */
    LOC_SPILL,
    LOC_LAZY,   /* base + constant, made where it is wanted: see WANT_LAZY */
    LOC_BESIDE, /* what a pin holds + constant, as long as the pin stays: see WANT_BESIDE */
    LOC_COND,   /* an I1 that its only consumer computes */
    LOC_FLAGS,  /* a bundle, to be made from its operands */
    LOC_RECORD, /* a bundle that is the record in env */
    LOC_HELD,   /* an I1 that the host's CF or OF is: emit-chain.c */
} LocKind;

typedef struct Loc {
    uint8_t kind;
    int8_t reg;
    bool zx;      /* register bits above the type are known to be zero */
    bool in_file; /* ENV: part of the guest's register file */
    IrRef next;   /* in the register's list */
    int32_t off;  /* ENV, SPILL: from RBP; BESIDE: the constant */
} Loc;

/* A value that a slot in env has, too, as long as nobody writes it. */
typedef struct EnvCopy {
    IrRef v; /* IR_NONE: no longer */
    bool in_file;
    int32_t off;
} EnvCopy;

/*
 * What a memory stub has to do, but for where it lies. Shapes lie behind the block's code, where
 * they are in nobody's way; behind a stub's call there are only distances (shapes.c).
 */
typedef struct MemShape {
    uint8_t op, type, flags;
    uint8_t length;    /* of the inline code: from retry to done */
    uint8_t addr, dst; /* places: see place_of() */
    union {
        struct {
            uint8_t value, /* places; is_group: none */
                compare;   /* … of loads: of the addend that the check yields */
        };
        uint16_t span; /* is_group */
    };
    bool is_write : 1;    /* the check is one for stores */
    bool is_group : 1;    /* … for @span bytes from disp - below */
    bool own_write : 1;   /* the first access of the group is one */
    uint8_t extended : 4; /* bytes to which a load is sign-extended, or 0 */
    union {
        uint8_t below;   /* is_group */
        uint8_t checked; /* from retry to behind the check, of vectors to be loaded; else 0 */
    };
    uint16_t size;
    int32_t disp;
    uint64_t extra[2]; /* for value and compare, in this order, that are PLACE_CONST or PLACE_ENV;
                          what is not used is not written down */
} MemShape;

/* PLACE_ZX as the value of a load: what is above 128 bits of the destination becomes 0. */
enum { PLACE_SPILL = 32, PLACE_NONE = 255, PLACE_CONST = 254, PLACE_ENV = 253, PLACE_ZX = 252 };

typedef enum StubKind {
    STUB_MEM,
    STUB_LINK,
    STUB_TRAP,
    STUB_EXIT_IF,
    STUB_DIVS,
    STUB_FLAGS, /* the guess of the record's kind was wrong */
    STUB_JUMP,  /* called in place of exit_lookup: offset of the instruction and reason follow */
    STUB_KINDS,
} StubKind;

#define MAX_LATE 4 /* pins */

typedef struct Stub {
    uint8_t kind;     /* StubKind */
    bool flush;       /* LINK: record to write first */
    bool near;        /* the jump that comes here has 8 bits */
    bool loop;        /* LINK: back to this block's start */
    uint8_t link, cc; /* cc: EXIT_IF */
    int8_t result[2]; /* DIVS: registers of quotient and remainder; MEM: the check's */
    bool rest;        /* MEM: where the group crosses pages link is to be taken */
    uint8_t nlate;    /* LINK */
    struct {          /* of a pin: added on the way */
        int8_t pin;
        int32_t by;
    } late[MAX_LATE];
    uint32_t code; /* trap code, reason */
    int32_t giveback;
    uint8_t *from;         /* end of the jcc/jmp rel32 that comes here */
    uint8_t *checked;      /* MEM that looks at the stack page: behind the check; else NULL */
    uint8_t *retry, *done; /* EXIT_IF: retry is the latest jump that leads here; MEM: its site, once
                              there is one */
    uint8_t nextra;        /* of shape.extra */
    MemShape shape;        /* MEM */
    unsigned before;  /* the stub before this one of those that memory has, or of the others; + 1 */
    FaultPoint point; /* MEM, TRAP, EXIT_IF, DIVS; LINK: its record only */
} Stub;

/* Bytes of host code by what they are for: census.c. Kinds: an IrOpcode, CENSUS_STUB + StubKind,
 * and these. */
enum {
    CENSUS_STUB = IR_NOPS,
    CENSUS_CHECKS = CENSUS_STUB + STUB_KINDS,
    CENSUS_RECORDS,
    CENSUS_SITES,
    CENSUS_ENTRIES,
    CENSUS_HEADERS,
    CENSUS_MAPS,
    CENSUS_KINDS,
    CENSUS_LATEST = 4096,
};

typedef struct CensusCount {
    uint64_t times, bytes;
} CensusCount;

typedef struct Census {
    CensusCount kind[CENSUS_KINDS];
    uint64_t built, live, again; /* IR ops; blocks with a jump that should have been long */
    unsigned nlatest;            /* of the latest block: not counted yet, which takes longer */
    struct {
        uint32_t kind, bytes;
    } latest[CENSUS_LATEST];
} Census;

void census_print(const Census *c, GString *out);
void census_count(Census *c); /* what is not yet */
static inline void census_note(Census *c, unsigned kind, ptrdiff_t bytes)
{
    if (c->nlatest == CENSUS_LATEST) {
        census_count(c);
    }
    c->latest[c->nlatest].kind = kind;
    c->latest[c->nlatest++].bytes = (uint32_t)bytes;
}

/* Estimate of bytes: code and memory stubs; other stubs. */
typedef struct Rest {
    uint32_t bytes, stubs;
} Rest;

typedef struct Gen {
    Asm a;
    X86Backend *be;
    const IrBlock *ir;
    const IrNotes *notes;
    const IrOp *ops;
    const IrOp *op; /* the current one */
    unsigned cur;
    const IrActing *at;    /* it, and the marker of its instruction */
    uint32_t locked;       /* registers the current op holds */
    unsigned nmem_stubs;   /* so far */
    unsigned nstack_stubs; /* of them */
    struct { /* a free register that has a host address, from this op on; NO_REG: none has */
        int reg;
        unsigned at;
        uint64_t value;
    } host;
    struct { /* a load that the next op does itself, which is its only user; IR_NONE: none */
        IrRef load;
        Mem at;
    } left;
    bool upper_marked;     /* SCR_LIVE is set by now */
    bool no_near, too_far; /* all jumps to stubs are to be long; one should have been */
    uint64_t spill_used[2];
    IrRef head[NREGS];
    struct {
        unsigned epoch;
        IrRef op;     /* flags are those of this op's computation, in its own width */
        IrRef bundle; /* … or of this bundle */
    } hf;
    struct { /* emit-chain.c */
        unsigned epoch;
        IrRef v[2]; /* what CF and OF are, and nothing else is; IR_NONE: nobody */
        IrRef sum;  /* the carry of this op is in flag @flag, but no value yet; or IR_NONE */
        unsigned flag;
    } held;
    bool no_links, lost_flags; /* one of them has been overwritten all the same */
    TcgCode *code;
    uint8_t *body;  /* behind the prologue */
    IrRef envs[64]; /* values at LOC_ENV */
    unsigned nenvs;
    EnvCopy copies[8]; /* the latest, in a ring */
    unsigned ncopies;
    IrRef getflags[16];
    unsigned ngetflags;
    IrRef fused_second; /* remainder or high half or sign-extension that the op just emitted has
                           made too */
    Stub *stubs;
    unsigned nstubs, stubs_size;
    unsigned latest_stub[2]; /* of memory's and of the others; + 1 */
    FaultNotes faults;
    Loc loc[IR_NOTED_OPS];
    uint16_t last[IR_NOTED_OPS];
    uint16_t hint[IR_NOTED_OPS];  /* index of the `set` that the value may be computed into */
    uint16_t defer[IR_NOTED_OPS]; /* fl_test, setcond: the op that evaluates it; add, sub: see
                                   WANT_CARRY */
    uint8_t want[IR_NOTED_OPS];   /* WANT_* */
    Rest rest[IR_NOTED_OPS];      /* of ops behind this one; not for gets and sets */
    IrRef pin_value[NREGS];       /* the value a pin is known to equal, wherever else that is */
    IrRef beside[NREGS];          /* the one that may be LOC_BESIDE a pin */
    uint32_t late;                /* pins that lack … */
    int32_t late_by[16];          /* … this much: see WANT_LATE */
} Gen;

enum {
    WANT_FLAGS = 1,   /* host flags of this op are of use: native width, no lea */
    WANT_PART = 2,    /* hint is for a part of the slot: only good in place */
    WANT_CARRY = 16,  /* x + y + carry or x - y - carry, as one; `defer` of the inner one says so */
    WANT_ZX = 8,      /* hint is for a V256 slot: zeros above 128 bits */
    WANT_LAZY = 4,    /* base + constant that is only ever set: costs nothing before (PUSH, POP) */
    WANT_RECORD = 16, /* a bundle that is architectural by itself where somebody looks */
    WANT_BESIDE = 32, /* nothing but a base of accesses and of offsets: it may stay where it was
                         when its pin goes on by a constant (string instructions, *p++) */
    WANT_LATE = 64,   /* a set whose slot is set again before anybody looks, but on ways that leave
                         by a link: of base + constant, it is left to them */
    WANT_PASSED = 64, /* hint is for what is made of this value, in the same place */
    WANT_LINK = 128,  /* an addition whose carries are flags: emit-chain.c */
};

/* What @pin lacks is added, and values move that it has. */
void settle_late(Gen *g, int pin);
/* Gen.beside[@pin] gets a register of its own. */
void settle_beside(Gen *g, int pin);
/* @v = another value + constant: which, and how much. */
bool is_offset(const Gen *g, IrRef v, IrRef *base, int32_t *disp);

/* What has been emitted since @from is of such a kind. */
static inline void census_since(Gen *g, unsigned kind, const uint8_t *from)
{
    if (G_UNLIKELY(g->be->census)) {
        census_note(g->be->census, kind, g->a.p - from);
    }
}

/* The field at @field of a StackPage, from RBP. */
static inline Mem stack_page(const X86Backend *be, unsigned mmu, size_t field)
{
    if (mmu == 0 && field < sizeof(StackHead)) {
        return mem_base(RBP, be->layout->stack_head - ENV_BIAS + (int)field);
    }
    return mem_base(RBP, be->layout->stack - ENV_BIAS + (int)(mmu * sizeof(StackPage) + field));
}

/* Where the one is for 8 << @n bytes. */
static inline size_t stack_limit(unsigned n)
{
    return n ? offsetof(StackPage, limit[n - 1]) : offsetof(StackPage, head.limit);
}

/* Of accesses whose check covers @span bytes: is the stack page looked at first? */
static inline bool is_by_stack(const Gen *g, const IrOp *op, unsigned span)
{
    return g->be->layout->stack && span <= 8u << (TCG_STACK_SPANS - 1) &&
           (op->d & (MEM_BY_SP | MEM_ALIGN)) == MEM_BY_SP;
}

/* Is it the TLB that is reached by shorter instructions? */
static inline bool is_near(const Gen *g, const IrOp *op)
{
    return g->be->layout->near_tlb && (op->d & MEM_MMU_MASK) == 0;
}

/* analyse.c: TcgBackend.backward */
void x64_backward(void *be, IrBlock *ir, IrNotes *notes);

/* regalloc.c */
static inline bool is_vec(IrType t)
{
    return t == V128 || t == V256 || t == F32 || t == F64;
}
static inline uint32_t insn_offset(const Gen *g)
{
    return g->ops[g->at->insn].imm;
}
static inline unsigned insn_index(const Gen *g)
{
    return g->ops[g->at->insn].d;
}
static inline unsigned bytes_of(const Gen *g, IrRef v)
{
    return ir_type_info[g->ops[v].type].bytes;
}
/* Not known to be zeros above 128 bits, which are moved by instructions of 128: those of 256 make
 * Intel's processors slow at legacy forms until VZEROUPPER. */
static inline bool has_upper(const Gen *g, IrRef v)
{
    const IrOp *op = &g->ops[v];

    return op->type == V256 && op->op != OP_zext && !(op->op == OP_const && op->value == 0);
}
static inline bool live_after(const Gen *g, IrRef v)
{
    return g->last[v] > g->cur;
}
static inline void lock(Gen *g, int r)
{
    g->locked |= 1u << r;
}
static inline void unlock(Gen *g, int r)
{
    g->locked &= ~(1u << r);
}
static inline bool is_temp(int r)
{
    return ((GPR_TEMPS | XMM_TEMPS) >> r) & 1;
}
/* For native/temps.c: which of these temporaries is taken first (R12 and R13 take a byte more as a
 * base); somebody has. */
static inline int first_choice(uint64_t set)
{
    return 63 - __builtin_clzll(set);
}
static inline void temp_taken(Gen *g, int r)
{
    if (r == g->host.reg) {
        g->host.reg = NO_REG;
    }
}
int alloc_xmm(Gen *g);         /* as alloc_gpr() */
int free_xmm(Gen *g);          /* the same if one is free, else NO_REG */
int use_gpr(Gen *g, IrRef v);  /* a register that holds @v, locked */
int read_gpr(Gen *g, IrRef v); /* the same, only to be read: a pin may have the constant already */
/* A pin that is known to hold the constant, which is longer than an immediate can be, or NO_REG. No
 * pin is known while stubs are emitted. */
int pin_of_long(const Gen *g, uint64_t value);
int use_xmm(Gen *g, IrRef v);
void load_xmm(Gen *g, int r, IrRef v);
void load_vex(Gen *g, int r, IrRef v); /* and zeros above */
int32_t def_spill(Gen *g, IrRef v);    /* F80 results; offset from RBP */
/* Ten bytes from place to place; FLD and FSTP of 80 bits are microcode of many cycles. */
void copy_f80(Gen *g, int32_t to, int32_t from);
/* The same for those who need it by now, this op included. */
/* A register to compute the current op into: the hinted pin, @a's register if it dies, or a
 * temporary. @avoid: registers that are read after the first write. */
int pick_gpr(Gen *g, int a, uint32_t avoid);
int pick_xmm(Gen *g, int a, uint32_t avoid);
/* … or the pin that @a is, when the result is for its low part and is computed in that width. */
int pick_gpr_part(Gen *g, int a, uint32_t avoid);
int pick_xmm_part(Gen *g, int a, uint32_t avoid);
int hinted_reg(Gen *g);  /* the pin, or NO_REG; whole slot only */
int hinted_part(Gen *g); /* the pin if the hint is for its low part */
uint8_t place_of(Gen *g, IrRef v, uint64_t *extra);
bool const_value(const Gen *g, IrRef v, uint64_t *value);
bool fits_imm(const Gen *g, IrRef v, int32_t *imm); /* sign-extended to the op's width */

static inline Mem env_mem(int32_t off)
{
    return mem_base(RBP, off);
}
/* Is @v + @disp beside a pin? */
static inline bool is_beside(const Gen *g, IrRef v, int32_t disp)
{
    int64_t sum = (int64_t)g->loc[v].off + disp;

    return g->loc[v].kind == LOC_BESIDE && sum == (int32_t)sum;
}
/* @v + @disp, of a register or beside one. */
static inline Mem base_mem(const Gen *g, IrRef v, int32_t disp)
{
    const Loc *l = &g->loc[v];

    return mem_base((X86Reg)l->reg, l->kind == LOC_BESIDE ? l->off + disp : disp);
}
/* @pin, where @base is, perhaps LOC_BESIDE, becomes @base + @disp. True: @base is nowhere until
 * now_beside(), behind the change; false: evict() moves it. */
bool leave_beside(Gen *g, IrRef base, int pin, int32_t disp);
void now_beside(Gen *g, IrRef base, int pin, int32_t disp);
/* Three bytes and the number, which links change. */
static inline void x_budget(Asm *a, X86Alu op, int32_t n)
{
    x_alu_imm(a, op, 4, BUDGET_REG, n);
}
static inline int32_t scr(const Gen *g, int32_t off)
{
    return g->be->layout->scratch - ENV_BIAS + off;
}
static inline int32_t env_off(int32_t off)
{
    return off - ENV_BIAS;
}

static inline unsigned op_bytes(const Gen *g) /* of the current op's integer type */
{
    unsigned n = ir_type_info[g->op->type].bytes;

    return n ? n : 1;
}
static inline bool is_zx(const Gen *g, IrRef v)
{
    return g->loc[v].kind == LOC_CONST || g->loc[v].zx;
}
static inline void copy_to(Gen *g, int dst, int src, unsigned w)
{
    if (dst != src) {
        x_mov(&g->a, w == 8 ? 8 : 4, (X86Reg)dst, (X86Reg)src);
    }
}
static inline void extend_to(Gen *g, int dst, int src, unsigned from, bool sign)
{
    if (sign) {
        x_movsx(&g->a, 8, from, (X86Reg)dst, (X86Reg)src);
    } else {
        x_movzx(&g->a, from, (X86Reg)dst, (X86Reg)src);
    }
}

typedef struct Opnd {
    enum { OPND_REG, OPND_IMM, OPND_MEM } kind;
    int reg;
    int32_t imm;
    Mem mem;
} Opnd;
Opnd use_opnd(Gen *g, IrRef v, unsigned w);
void alu_opnd(Gen *g, X86Alu op, unsigned w, int dst, Opnd o);

/* emit-div.c: OP_mul and the high half that follows at once, where the host has it as one */
bool try_product(Gen *g);
bool product_is_mulx(const Gen *g); /* of the current op, most likely */

#include "tcg/native/shared.h"

/* rules/ */
typedef void (*Rule)(Gen *g);
extern const Rule x64_rules[IR_NOPS];

void emit_get(Gen *g), emit_set(Gen *g);
void emit_getflags(Gen *g), emit_flags(Gen *g), emit_fl_test(Gen *g), emit_fl_pack(Gen *g);
void emit_mov(Gen *g), emit_alu(Gen *g), emit_mul(Gen *g), emit_mulh(Gen *g), emit_div(Gen *g);
void emit_second(Gen *g), emit_neg_not(Gen *g), emit_andn(Gen *g), emit_shift(Gen *g);
void emit_pdep(Gen *g), emit_funnel(Gen *g), emit_bswap(Gen *g), emit_bits(Gen *g),
    emit_zext(Gen *g);
void emit_sext(Gen *g), emit_trunc(Gen *g), emit_bitcast(Gen *g), emit_lea(Gen *g);
void emit_setcond(Gen *g), emit_select(Gen *g);
void emit_ld(Gen *g), emit_st(Gen *g), emit_rmw(Gen *g), emit_cas(Gen *g), emit_probe(Gen *g);
void emit_x87(Gen *g), emit_x87_if(Gen *g), emit_x87_slot(Gen *g), emit_x87_mem(Gen *g);
void emit_fence(Gen *g), emit_ld_host(Gen *g), emit_st_host(Gen *g);
void emit_vun(Gen *g), emit_vround(Gen *g), emit_vwiden(Gen *g), emit_sha256rnds2(Gen *g);
void emit_vtest(Gen *g), emit_vbin(Gen *g), emit_vimm(Gen *g), emit_vshuf2(Gen *g),
    emit_vmovmsk(Gen *g);
void emit_vextract(Gen *g), emit_vinsert(Gen *g), emit_vfromint(Gen *g), emit_vcvt(Gen *g);
void emit_vmovlo(Gen *g), emit_vzeroupper(Gen *g), emit_vbcast(Gen *g), emit_vinserth(Gen *g);
void emit_vextracth(Gen *g), emit_vwiden256(Gen *g), emit_vselect(Gen *g), emit_avx(Gen *g);
void emit_fma(Gen *g);
void emit_fbin(Gen *g), emit_fun(Gen *g), emit_fcmp(Gen *g), emit_fcomi(Gen *g);
void emit_f2f(Gen *g), emit_i2f(Gen *g), emit_f2i(Gen *g), emit_fpcheck(Gen *g);
void emit_fpclear(Gen *g), emit_getmxcsr(Gen *g), emit_setmxcsr(Gen *g), emit_getfsw(Gen *g);
void emit_setfsw(Gen *g), emit_setfcw(Gen *g);
void emit_call(Gen *g), emit_trap(Gen *g), emit_trap_if(Gen *g), emit_goto(Gen *g);
void emit_goto_if(Gen *g), emit_jump(Gen *g), emit_exit(Gen *g), emit_exit_if(Gen *g);

/* emit-avx.c: the forms with VEX of rules that have legacy ones too */
bool use_vex(const Gen *g);
int pick_vex(Gen *g, int a);
void emit_vex_bin(Gen *g, unsigned x), emit_vex_bin_imm(Gen *g, unsigned x, unsigned imm);
void emit_vex_un(Gen *g, unsigned x), emit_vex_un_imm(Gen *g, unsigned x, unsigned imm);
void emit_vex_shift_imm(Gen *g, unsigned x, unsigned ext, unsigned imm);
void emit_zext_vec(Gen *g), emit_trunc_vec(Gen *g), emit_vex_cvt(Gen *g);
void mark_upper(Gen *g);

/* emit-flags.c: host condition (0-15) under which I1 value @v is true. */
unsigned cond_of(Gen *g, IrRef v);
unsigned cond_of_bundle(Gen *g, IrRef fl, unsigned cc);
bool host_flags_answer(const Gen *g, IrRef fl,
                       unsigned cc);   /* do the host's flags tell @cc of @fl? */
void carry_from(Gen *g, IrRef v);      /* CF = low bit of @v */
void host_flags_are(Gen *g, IrRef op); /* the instruction just emitted computed @op's flags */
/* emit-record.c */
void write_record(Gen *g, const Record *r, uint32_t busy);

/* emit-control.c */
Stub *new_stub(Gen *g, StubKind kind, uint8_t *from);
#define MEM_STUB_BYTES   7
#define STACK_STUB_BYTES 15 /* more */
/* By estimate: those that turn out to be farther than 127 cost a second emission. */
#define NEAR_STUB 123
/* With the jump to it. @own: bytes of the op's code behind the jump, about. */
Stub *jcc_stub(Gen *g, StubKind kind, unsigned cc, unsigned own);
void trap_stub(Gen *g, unsigned cc, uint32_t code);
/* A group's stub gets a link for where it crosses pages, if it is to. */
void rest_link(Gen *g, Stub *s);
void emit_prologue(Gen *g);
void make_templates(X86Backend *be);
void emit_far_entry(Asm *a, const X86Backend *be, const TcgCode *code);
void emit_stubs(Gen *g);

/* emit-fp.c */

/* shapes.c */
/* What stands behind a memory stub's call; append_shapes() completes it when the code is there. */
void put_mem_site(Gen *g, Stub *s);
void append_shapes(Gen *g);
/* What a stub's thunk finds behind the call: the shape, and where to try again. */
typedef struct MemSite {
    const MemShape *shape;
    const uint8_t *retry;
    unsigned bytes; /* of it */
} MemSite;
MemSite mem_site(const uint8_t *site); /* general registers only */

/* thunks.c */
void thunks_init(X86Backend *be);
/* Where OP_call @op goes; NULL: the buffer is full. */
const uint8_t *call_target(X86Backend *be, const IrBlock *ir, const IrOp *op);

/* rules/emit-chain.c */
void note_link(Gen *g, IrNotes *notes, unsigned i); /* fl_adc @i may be one's; going back */
bool is_link(const Gen *g, IrRef add);
void emit_link(Gen *g);
void link_zext(Gen *g);            /* the current op, of a link's carry in */
bool hold_carry(Gen *g, IrRef fl); /* of the link just emitted, if @fl is its: the current op */
void before_op(Gen *g);            /* while anything is held */

/* links.c */
#define PASSAGE_BYTES 15 /* of one that takes little from the budget */
void passages_clear(X86Backend *be);
void x64_link(void *be, TcgCode *from, unsigned link, TcgCode *to);
void x64_retire(void *be, TcgCode *code);
/* If @site is that of a passage: where to go on instead, with what it took given back. */
const uint8_t *passage_suspend(X86Backend *be, uint8_t *env, const uint8_t *site, uint32_t *number);
void passage_resume(X86Backend *be, uint32_t number);

/* block-move.c */
bool block_move_possible(const X86Backend *be, const TcgBlockMove *m);
/* A thunk that does @m if it can, else goes to @helper with @arg. It changes all temporaries. */
void emit_block_move(Asm *a, const X86Backend *be, const TcgBlockMove *m, uint32_t arg,
                     const uint8_t *helper);

/* slow.c: C functions that thunks call */
void *x64_mem_refill(void *env, const uint8_t *site, const X86Backend *be);
void *x64_mem_slow(void *env, const uint8_t *site, const X86Backend *be);
void x64_trap(void *env, const uint8_t *site, const X86Backend *be);
void x64_pack_env(void *env, const X86Backend *be);
void x64_pack_rec(void *env, const X86Backend *be);
void x64_carry_env(void *env, const X86Backend *be);
void x64_overflow_env(void *env, const X86Backend *be);
void x64_flags_env(void *env, const X86Backend *be);
void x64_settle_env(void *env, const X86Backend *be);
void x64_divs128(void *env, const X86Backend *be);
void x64_vec_slow(void *env, const X86Backend *be);
void x64_bits_slow(void *env, const X86Backend *be);

/* In front of a block's code: finds the way back from a host address inside it. */
typedef struct CodeHeader {
    TcgCode *code;
    uint32_t start; /* offset of the block in its mapping unit */
    uint32_t unused;
} CodeHeader;

static inline bool find_point(const X86Backend *be, const TcgCode *code, uint64_t host_pc,
                              void *env, uint32_t *offset, uint32_t *index)
{
    uint64_t host = host_pc - ((uintptr_t)code->start - sizeof(CodeHeader));

    return fault_map_find(code, host, env, be->layout->flags, offset, index);
}

/* What stands behind a call of a thunk: numbers that mostly fit into 16 bits. */
static inline void put_number(Asm *a, uint32_t v)
{
    x_word(a, MIN(v, UINT16_MAX));
    if (v >= UINT16_MAX) {
        x_dword(a, v);
    }
}
static inline uint32_t get_number(const uint8_t **at)
{
    uint32_t v = (*at)[0] | (uint32_t)(*at)[1] << 8;

    *at += 2;
    if (v == UINT16_MAX) {
        memcpy(&v, *at, 4);
        *at += 4;
    }
    return v;
}

/* What is left most often has its address in env, TcgLayout.own: such a call is 3 bytes, and a mask
 * that lies behind it is 4 bytes to use. */
enum { CALL_MEM, CALL_LINK, CALL_BUDGET, CALLS, CALL_BYTES = 3 };
enum { MASK_NEAR_TLB, MASK_JC, MASKS };
#define NEAR_TLB_MASK ((TCG_NEAR_TLB - 1) * 2 * (uint32_t)sizeof(TlbEntry))
static inline Mem call_slot(const X86Backend *be, unsigned n)
{
    return mem_base(RBP, be->layout->own - ENV_BIAS + 8 * (int)n);
}
static inline void call_own(Asm *a, const X86Backend *be, unsigned n)
{
    const uint8_t bytes[] = { 0xff, 0x55, (uint8_t)call_slot(be, n).disp, 0 };

    x_room(a, 16);
    memcpy(a->p, bytes, sizeof(bytes));
    a->p += CALL_BYTES;
}
static inline Mem mask_slot(const X86Backend *be, unsigned n)
{
    return mem_base(RBP, be->layout->own - ENV_BIAS + 8 * CALLS + 4 * (int)n);
}

/* Where the entries of a TLB are from RBP; addr >> @down & @mask is one's offset. */
typedef struct TlbPlace {
    int32_t off;
    unsigned down;
    uint32_t mask;
    bool near;
} TlbPlace;

static inline TlbPlace tlb_place(const X86Backend *be, unsigned mmu, bool write)
{
    const TcgLayout *l = be->layout;

    if (l->near_tlb && mmu == 0) {
        return (TlbPlace){ env_off(l->near_tlb) + (write ? (int32_t)sizeof(TlbEntry) : 0), 12 - 5,
                           NEAR_TLB_MASK, true };
    }
    return (TlbPlace){ env_off(l->tlb) +
                           (int32_t)((mmu * 2 + write) * TCG_TLB_SIZE * sizeof(TlbEntry)),
                       12 - 4, (TCG_TLB_SIZE - 1) << 4, false };
}

/* SCR_KIND beyond TcgExit */
enum {
    EXIT_END = 16,  /* `exit`, the guest set its pc */
    EXIT_LOOP = 17, /* as TCG_EXIT_BUDGET, at the end of a block that leads to itself */
};

#endif
