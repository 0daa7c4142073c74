/* SPDX-License-Identifier: MIT */
/* Helpers of x87, MMX and SSE, and what their files share; rows: helpers.def. */
#ifndef TARGET_I386_HELP_FP_H
#define TARGET_I386_HELP_FP_H

#include "target-i386/cpu.h"
#include "tcg/lanes.h"
#include "tcg/softfloat.h"

/* FSW bits; the low six are the exceptions (SF_*). */
enum {
    FSW_SF = 1 << 6,
    FSW_ES = 1 << 7,
    FSW_C0 = 1 << 8,
    FSW_C1 = 1 << 9,
    FSW_C2 = 1 << 10,
    FSW_C3 = 1 << 14,
    FSW_B = 1 << 15,
    FSW_CC = FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3
};
enum {
    FCW_RESET = 0x37f,
    FCW_VALID = 0x1f3f,
    FCW_SET = 0x40,
    MXCSR_VALID = 0xffff,
    MXCSR_RESET = 0x1f80
};

void help_approximate(CpuX86 *c, void *result, const void *operand, uint32_t how);

/* First argument of help_x87(): the instruction's FOP (opcode bits 8-10, ModRM), and: */
enum {
    X87_OSIZE16 = 1 << 16, /* 16-bit operand size: formats of FSTENV and its like */
    X87_NO_WAIT = 1 << 17, /* an FN instruction: no #MF first */
    X87_GOES_ON =
        1 << 18, /* all exceptions are masked, the mode stays, the block moves TOP in the key */
};
/* Executes any x87 instruction exactly, stack faults and unmasked exceptions included. @addr:
 * linear address of the memory operand. @cond: FCMOVcc's condition. Result: flags of FCOMI, word of
 * FNSTSW. */
uint32_t help_x87(CpuX86 *c, uint32_t how, uint64_t addr, uint32_t cond);
/* FADD … FDIVR, FCOM with a real in memory that has been read, ST(0) full, all exceptions masked.
 * Of FCOMP too, all but the pop. */
void help_x87_real(CpuX86 *c, uint32_t how, uint64_t word);
/* x87-function.c: a transcendental instruction that translated code executes with the host's x87,
 * in three steps: it stores its operands, and with X87_CHECKS_TAGS the environment, in CpuX86.vtmp;
 * this computes what the result is to be rounded from; code loads that and lets the host round. 0:
 * it is not for us; what was popped is to be pushed again (x87_undo()). Of FPREM and FPREM1: are
 * both operands there? */
enum { X87_CHECKS_TAGS = 1 << 8 };
typedef struct X87Frame { /* in vtmp */
    struct {
        uint64_t frac;
        uint16_t se;
        uint16_t fcw; /* of the first result, the second one, afterwards */
        uint32_t how; /* [0] */
    } op[3];          /* operands; [2]: first result, [1]: the second one */
    uint64_t rest[2]; /* what the results lack, as doubles */
    uint16_t env[14];
    uint32_t unused;
} X87Frame;
uint32_t help_x87_function(CpuX86 *c, uint32_t how);
void x87_undo(CpuX86 *c, uint32_t reason); /* X86_EXIT_X87_UNDO1, _UNDO2, _REDO */
void help_x87_wait(CpuX86 *c); /* FWAIT and what implies it: #MF if an exception is pending */
uint64_t help_x87_constant(CpuX86 *c, uint32_t which); /* FLDxx as D9 E8+which: fraction, rounded */
void help_maskmovq(CpuX86 *c, uint64_t addr, const void *value, const void *mask);
void help_maskmovdqu(CpuX86 *c, uint64_t addr, const void *value, const void *mask);
void help_set_mxcsr(CpuX86 *c, uint32_t value); /* a checked value: class of the mode follows */
/* SSE arithmetic where an exception is unmasked: the operation @how on @x (and @y), with MXCSR
 * as translated code has it. Raises #XM, or updates c->mxcsr and gives the whole destination. */
enum {
    SSE_SQRT = 6 /* below: SfOp */,
    SSE_CMP,
    SSE_COMI,
    SSE_UCOMI,
    SSE_VCVT,
    SSE_F2F,
    SSE_I2F,
    SSE_F2I,
    SSE_ADDSUB,
    SSE_ROUND, /* imm as ROUNDPS has it */
    /* AVX: */
    SSE_PS2PH, /* imm as VCVTPS2PH has it */
    SSE_FMA    /* imm: the opcode byte */
};
enum {
    SSE_KIND_SHIFT = 8,
    /* FpKind */ SSE_IMM_SHIFT = 16,
    SSE_256 = 1 << 24, /* both halves of what is in vtmp */
    SSE_WIDE = 1 << 0,
    SSE_TRUNCATE = 1 << 1
};
enum { APPROXIMATE_ROOT = 1, APPROXIMATE_SCALAR = 2 /* lane 0 alone; the others: anything */ };
typedef enum FpKind { PS, PD, SS, SD } FpKind;
void help_sse_fp(CpuX86 *c, void *result, uint32_t how, uint32_t mxcsr, const void *x,
                 const void *y);
/* The same for VEX: the operands are c->vtmp[0], [1] and [2], the result goes to [0]. */
void help_avx_fp(CpuX86 *c, uint32_t how, uint32_t mxcsr);
/* One 128-bit step of either: flags of all elements are added to @flags. */
typedef struct SseOp {
    unsigned op, kind, imm;
    SfEnv e;        /* as MXCSR says, no flags */
    uint32_t flags; /* of all elements */
    VecValue x, y, z, r;
} SseOp;
SseOp sse_begin(uint32_t how, uint32_t mxcsr);
void sse_step(SseOp *s);
void sse_finish(CpuX86 *c, SseOp *s, uint32_t mxcsr); /* raises #XM, or c->mxcsr gets the flags */
/* help-avx.c: accesses element by element. @how: */
enum {
    AVX_WIDE_ELEMENTS = 1 << 0, /* of 64 bits */
    AVX_256 = 1 << 1,
    AVX_WIDE_INDEX = 1 << 2,
    AVX_ADDRESS32 = 1 << 3,
    AVX_SCALE_SHIFT = 4, /* 2 bits */
    AVX_SEG_SHIFT = 8,   /* 4 bits each: */
    AVX_DST_SHIFT = 12,
    AVX_INDEX_SHIFT = 16,
    AVX_MASK_SHIFT = 20
};
void help_mask_load(CpuX86 *c, uint64_t ea, uint32_t how);
void help_mask_store(CpuX86 *c, uint64_t ea, uint32_t how);
void help_gather(CpuX86 *c, uint64_t ea, uint32_t how);
/* help-sse4.c. @how: the immediate of PCMPxSTRx and PCMPSTR_W64. Result: IntRes2, the index and the
 * flags at their EFLAGS positions. The explicit lengths are in RAX and RDX. */
enum {
    PCMPSTR_WORDS = 1 << 0,
    PCMPSTR_SIGNED = 1 << 1,
    PCMPSTR_KIND_SHIFT = 2,
    PCMPSTR_NEGATIVE = 1 << 4,
    PCMPSTR_MASKED = 1 << 5,
    PCMPSTR_LAST = 1 << 6, /* or, of PCMPxSTRM, masks of elements */
    PCMPSTR_W64 = 1 << 8,
    PCMPSTR_INDEX_SHIFT = 16, /* in the result */
    PCMPSTR_FLAGS_SHIFT = 32
};
uint64_t help_pcmpistr(CpuX86 *c, const void *x, const void *y, uint32_t how);
uint64_t help_pcmpestr(CpuX86 *c, const void *x, const void *y, uint32_t how);
void help_pcmpstr_mask(CpuX86 *c, void *result, uint32_t bits, uint32_t how);
/* @how: XSTATE_*. @mxcsr as translated code has it. */
enum {
    XSTATE_W64 = 1 << 0,
    XSTATE_OPT = 1 << 1,
    XSTATE_COMPACT = 1 << 2,
    XSTATE_SUPERVISOR = 1 << 3
};
void help_fxsave(CpuX86 *c, uint64_t addr, uint32_t how, uint32_t mxcsr);
void help_fxrstor(CpuX86 *c, uint64_t addr, uint32_t how);
void help_xsave(CpuX86 *c, uint64_t addr, uint32_t how, uint32_t mxcsr);
void help_xrstor(CpuX86 *c, uint64_t addr, uint32_t how);
uint64_t help_xgetbv(CpuX86 *c, uint32_t index, uint32_t mxcsr);
void help_xsetbv(CpuX86 *c, uint32_t index, uint64_t value);
/* Parts of FXSAVE's image, which is XSAVE's legacy region. */
enum { FX_SIZE = 512, FX_USED = 416 };
void fx_save_x87(const CpuX86 *c, uint8_t *b, bool w64);
void fx_save_sse(const CpuX86 *c, uint8_t *b);
void fx_save_mxcsr(uint8_t *b, uint32_t mxcsr);
void fx_load_x87(CpuX86 *c, const uint8_t *b, bool w64);
void fx_load_sse(CpuX86 *c, const uint8_t *b);
uint32_t fx_mxcsr(const uint8_t *b);
void fx_check_mxcsr(CpuX86 *c, const uint8_t *b); /* #GP if a reserved bit is set */
unsigned x86_xmm_count(const CpuX86 *c);          /* XMM8-15 are saved in 64-bit mode only */

/* ---- Within these files --------------------------------------------------------------------- */
static inline unsigned x87_physical(const CpuX86 *c, unsigned i)
{
    return (c->fpstt + i) & 7;
}
static inline Float80 x87_get(const CpuX86 *c, unsigned i)
{
    const X87Reg *r = &c->fpregs[x87_physical(c, i)];

    return (Float80){ r->frac, r->se };
}
static inline bool x87_is_empty(const CpuX86 *c, unsigned i)
{
    return c->fptags >> x87_physical(c, i) & 1;
}
static inline void x87_set_empty(CpuX86 *c, unsigned i)
{
    c->fptags |= (uint8_t)(1u << x87_physical(c, i));
}
void x87_put(CpuX86 *c, unsigned i, Float80 v); /* and its tag */
SfEnv x87_env(const CpuX86 *c);
Float80 x87_indefinite(void);
/* Take the flags of an operation; false: an unmasked one of #I #D #Z, there is no result. */
bool x87_report(CpuX86 *c, const SfEnv *e);
/* Stack underflow or @overflow; true if masked: the result is the indefinite. */
bool x87_stack_fault(CpuX86 *c, bool overflow);
/* ES and B follow from flags and masks. */
void x87_summarize(CpuX86 *c);
void x87_set_cc(CpuX86 *c, unsigned cc); /* C0-C3 become @cc */
void x87_pop(CpuX86 *c);
/* ST(0) is to be pushed: false: full, and either nothing happens (unmasked) or it was done. */
bool x87_push_room(CpuX86 *c);
void x87_push(CpuX86 *c, Float80 v);

/* help-x87-env.c */
void x87_init(CpuX86 *c);
uint16_t x87_status_word(const CpuX86 *c);
uint16_t x87_tag_word(const CpuX86 *c); /* as FSTENV stores it */
void x87_set_status_word(CpuX86 *c, uint16_t fsw);
void x87_store_env(CpuX86 *c, uint64_t addr, bool osize16);
void x87_load_env(CpuX86 *c, uint64_t addr, bool osize16);
void x87_save(CpuX86 *c, uint64_t addr, bool osize16);
void x87_restore(CpuX86 *c, uint64_t addr, bool osize16);

/* help-x87-math.c: D9 F0 … FF and FXAM, by ModRM; FBLD and FBSTP */
void x87_math(CpuX86 *c, unsigned modrm);
void x87_load_bcd(CpuX86 *c, uint64_t addr);
void x87_store_bcd(CpuX86 *c, uint64_t addr);

/* x87-host.c */
void x87_to_host(CpuX86 *c);
void x87_from_host(Cpu *cpu, const void *image);

/* x87-trans.c: transcendental functions */
typedef struct X87Result {
    Float80 st0, st1;
    uint16_t flags; /* exceptions and C1, C2 */
    bool pushed;    /* st0 is new, st1 the old one's place */
} X87Result;
/* D9 @modrm of x = ST(0), y = ST(1) under @fcw. */
X87Result x87_transcendental(unsigned modrm, Float80 x, Float80 y, uint16_t fcw);

#endif
