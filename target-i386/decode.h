/* SPDX-License-Identifier: MIT */
/*
 * Decoding x86 instructions: bytes and mode -> Insn. Opcode tables (opmap-*.c) hold one row per
 * instruction in the vocabulary of the Intel SDM vol. 2, appendix A; all that is known of an
 * instruction without its operands' values stands in its row. What no row admits is #UD.
 */
#ifndef TARGET_I386_DECODE_H
#define TARGET_I386_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Dis Dis;
typedef struct Insn Insn;
typedef struct InsnDesc InsnDesc;
typedef void GenFn(Dis *d, Insn *i);

/* Operand codes: addressing method (upper case in the SDM) and size (lower case). */
typedef enum OperandMethod {
    OM_none,
    OM_E,  /* general register or memory, by ModRM.rm */
    OM_G,  /* general register, ModRM.reg */
    OM_M,  /* memory only; a register is #UD */
    OM_R,  /* general register, ModRM.rm; memory is #UD */
    OM_I,  /* immediate, zero-extended if b, w; sign-extended to the operand if z */
    OM_S8, /* immediate byte, sign-extended to the operand */
    OM_J,  /* branch displacement */
    OM_O,  /* memory at the address in the instruction (moffs) */
    OM_A,  /* far pointer in the instruction: Insn.imm = offset, imm2 = selector */
    OM_S,  /* segment register, ModRM.reg */
    OM_C,  /* control register, ModRM.reg */
    OM_D,  /* debug register, ModRM.reg */
    OM_Z,  /* general register, low bits of the opcode */
    OM_RAX,
    OM_RCX,
    OM_RDX,
    OM_ONE, /* fixed: rAX, rCX, rDX (by size), the constant 1 */
    OM_V,   /* XMM register, ModRM.reg */
    OM_W,   /* XMM register or memory */
    OM_U,   /* XMM register, ModRM.rm; memory is #UD */
    OM_P,   /* MMX register, ModRM.reg */
    OM_Q,   /* MMX register or memory */
    OM_N,   /* MMX register, ModRM.rm; memory is #UD */
    OM_ST,  /* x87 register ST(ModRM.rm) */
    OM_B,   /* general register, VEX.vvvv */
    OM_H,   /* vector register, VEX.vvvv */
    OM_L,   /* vector register, bits 7:4 of an immediate byte */
} OperandMethod;

/* clang-format off */
typedef enum OperandSize {
    OS_none, /* memory of no particular size: LEA, FXSAVE */
    OS_b, OS_w, OS_d, OS_q, OS_t /* 80 bits */, OS_dq /* 128 bits; ps, pd, x of the SDM */,
    OS_v, /* 16, 32, 64 by operand size */
    OS_z, /* 16 or 32 (operand size 64: 32) */
    OS_y, /* 32 or 64 */
    OS_x, /* 128 or 256 by VEX.L */
    OS_hx, OS_qx, OS_ex, /* a half, a quarter, an eighth of that */
    OS_qq, /* 256 bits */
} OperandSize;
/* clang-format on */

#define OPC(method, size) ((OM_##method << 4) | OS_##size)
/* clang-format off */
typedef enum OperandCode {
    NONE,
    Eb = OPC(E, b), Ew = OPC(E, w), Ed = OPC(E, d), Eq = OPC(E, q), Ev = OPC(E, v), Ey = OPC(E, y),
    Gb = OPC(G, b), Gw = OPC(G, w), Gd = OPC(G, d), Gq = OPC(G, q), Gv = OPC(G, v), Gy = OPC(G, y),
    Gz = OPC(G, z), Ez = OPC(E, z),
    M = OPC(M, none), Mb = OPC(M, b), Mw = OPC(M, w), Md = OPC(M, d), Mq = OPC(M, q),
    Mt = OPC(M, t), Mdq = OPC(M, dq), Mv = OPC(M, v), My = OPC(M, y), Mz = OPC(M, z),
    Rb = OPC(R, b), Rw = OPC(R, w), Rd = OPC(R, d), Rq = OPC(R, q), Rv = OPC(R, v), Ry = OPC(R, y),
    Ib = OPC(I, b), Iw = OPC(I, w), Iz = OPC(I, z), Iv = OPC(I, v), Ibs = OPC(S8, v), /* 6A, 6B, 83 */
    Ibs_b = OPC(S8, b), Jb = OPC(J, b), Jz = OPC(J, z), Ob = OPC(O, b), Ov = OPC(O, v),
    Ap = OPC(A, v), Sw = OPC(S, w), Cy = OPC(C, y), Dy = OPC(D, y),
    Zb = OPC(Z, b), Zv = OPC(Z, v), Zy = OPC(Z, y),
    AL = OPC(RAX, b), AX = OPC(RAX, w), rAX = OPC(RAX, v), eAXz = OPC(RAX, z), CL = OPC(RCX, b),
    DX = OPC(RDX, w), ONE = OPC(ONE, b),
    Vdq = OPC(V, dq), Vq = OPC(V, q), Vd = OPC(V, d), Wdq = OPC(W, dq), Wq = OPC(W, q),
    Wd = OPC(W, d), Ww = OPC(W, w), Wb = OPC(W, b), Udq = OPC(U, dq), Uq = OPC(U, q),
    Pq = OPC(P, q), Pd = OPC(P, d), Qq = OPC(Q, q), Qd = OPC(Q, d), Nq = OPC(N, q),
    STi = OPC(ST, t),
    By = OPC(B, y), Vx = OPC(V, x), Wx = OPC(W, x), Hx = OPC(H, x), Lx = OPC(L, x), Ux = OPC(U, x),
    Mx = OPC(M, x), Whx = OPC(W, hx), Wqx = OPC(W, qx), Wex = OPC(W, ex), Vhx = OPC(V, hx),
    Hdq = OPC(H, dq), Hqq = OPC(H, qq), Vqq = OPC(V, qq), Wqq = OPC(W, qq), Uqq = OPC(U, qq),
    Mqq = OPC(M, qq), Ldq = OPC(L, dq),
} OperandCode;
/* clang-format on */
static inline OperandMethod operand_method(unsigned code)
{
    return (OperandMethod)(code >> 4);
}
static inline OperandSize operand_size(unsigned code)
{
    return (OperandSize)(code & 15);
}

/* InsnDesc.attr: what holds for the instruction beyond its operands. */
enum {
    A_LOCK = 1 << 0,   /* LOCK allowed when operand 0 is memory */
    A_NO64 = 1 << 1,   /* #UD in 64-bit mode */
    A_ONLY64 = 1 << 2, /* #UD outside it */
    A_DF64 = 1 << 3,   /* 64-bit mode: operand size 64 unless 66 (then 16) */
    A_F64 = 1 << 4,    /* 64-bit mode: operand size 64, whatever the prefixes */
    A_CPL0 = 1 << 5,   /* #GP(0) unless CPL 0 */
    A_PE = 1 << 6,     /* #UD in real and virtual-8086 mode */
    A_END = 1 << 7,    /* ends the block: the generator leaves it by one of the leave_* functions */
    A_MODRM = 1 << 8,  /* a ModRM byte that no operand mentions */
    A_REG = 1 << 9,    /* ModRM.mod must be 3 */
    A_MEM = 1 << 10,   /* ModRM.mod must not be 3 */
    A_FPU = 1 << 11,   /* #NM if CR0.EM or CR0.TS */
    A_WAIT = 1 << 12,  /* #NM if CR0.MP and CR0.TS */
    A_MMX = 1 << 13,   /* #UD if CR0.EM, #NM if CR0.TS */
    A_SSE = 1 << 14,   /* #UD if CR0.EM or not CR4.OSFXSR, #NM if CR0.TS */
    A_UNALIGNED = 1 << 15, /* its 128-bit memory operand needs no alignment */
    A_NOP66 = 1 << 16,     /* 66 is part of the opcode: no effect on operand size */
    A_MOD3 = 1 << 19,      /* ModRM.mod is ignored and taken for 3 (control and debug registers) */
    A_FALLBACK =
        1 << 20,     /* without its feature the prefix has no meaning: the first row of the table */
    A_VEX = 1 << 21, /* VEX vector instruction: AVX; #UD unless XCR0 has it, #NM if CR0.TS */
    A_W0 = 1 << 22,
    A_W1 = 1 << 23, /* VEX.W must be this */
    A_L0 = 1 << 24,
    A_L1 = 1 << 25,      /* VEX.L must be this */
    A_AVX2 = 1 << 26,    /* with VEX.L set: AVX2 */
    A_VSIB = 1 << 27,    /* the memory operand's index is a vector register */
    A_ALIGNED = 1 << 28, /* VEX: its memory operand must be aligned */
};

/* How a row that is no instruction chooses among the rows of its table. */
typedef enum GroupKind {
    GROUP_NONE,
    GROUP_REG,    /* [8] by ModRM.reg */
    GROUP_RM,     /* [8] by ModRM.rm */
    GROUP_MOD,    /* [2] memory, register */
    GROUP_PREFIX, /* [4] none, 66, F3, F2 (F2/F3 before 66) */
    GROUP_MODRM,  /* [64] by the low six bits of ModRM (x87 register forms) */
    GROUP_64,     /* [2] outside 64-bit mode, in 64-bit mode */
    GROUP_OSIZE,  /* [3] operand size 16, 32, 64 */
    GROUP_REXW,   /* [2] REX.W clear, set */
    GROUP_VEXW,   /* [2] VEX.W */
    GROUP_VEXL,   /* [2] VEX.L */
} GroupKind;

/* CPUID features that instructions need. decode.c knows their bits. */
/* clang-format off */
typedef enum InsnFeature {
    FEAT_NONE, FEAT_FPU, FEAT_TSC, FEAT_MSR, FEAT_CX8, FEAT_SEP, FEAT_CMOV, FEAT_CLFLUSH, FEAT_MMX,
    FEAT_FXSR, FEAT_SSE, FEAT_SSE2, FEAT_SSE3, FEAT_PCLMUL, FEAT_MONITOR, FEAT_SSSE3, FEAT_CX16,
    FEAT_SSE41, FEAT_SSE42, FEAT_MOVBE, FEAT_POPCNT, FEAT_AES, FEAT_XSAVE, FEAT_RDRAND,
    FEAT_FSGSBASE, FEAT_BMI1, FEAT_BMI2, FEAT_INVPCID, FEAT_RDSEED, FEAT_ADX, FEAT_SMAP, FEAT_CLFLUSHOPT,
    FEAT_CLWB, FEAT_SHA, FEAT_RDPID, FEAT_LAHF64, FEAT_ABM, FEAT_3DNOWPREFETCH, FEAT_SYSCALL,
    FEAT_RDTSCP, FEAT_LM, FEAT_XSAVEOPT, FEAT_XSAVEC, FEAT_XSAVES, FEAT_PKU, FEAT_SSE4A,
    FEAT_AVX, FEAT_AVX2, FEAT_FMA, FEAT_F16C, FEAT_VAES, FEAT_VPCLMUL, FEAT_GFNI,
    FEAT_COUNT
} InsnFeature;
/* clang-format on */

struct InsnDesc {
    GenFn *gen; /* NULL: empty row (#UD) or group */
    const char *name;
    const InsnDesc *table; /* group */
    uint32_t attr;         /* A_* */
    uint8_t group;         /* GroupKind */
    bool modrm;            /* an operand needs a ModRM byte */
    uint16_t op[4];        /* OperandCode; [0] is the destination where there is one */
    uint8_t feature;       /* InsnFeature */
    uint8_t arg;           /* the generator's own: a sub-operation, an IrOpcode */
    uint8_t arg2;          /* … a lane, an immediate */
    uint16_t undef;        /* arithmetic flags that the manuals leave undefined */
};

/* Rows. What follows the operands are further designated fields: I2(add, Eb, Gb,
 * .attr = A_LOCK). */
/* clang-format off */
#define I0(n, ...)          { .gen = gen_##n, .name = #n, __VA_ARGS__ }
#define I1(n, a, ...)       { .gen = gen_##n, .name = #n, OPERANDS(a, 0, 0, 0), __VA_ARGS__ }
#define I2(n, a, b, ...)    { .gen = gen_##n, .name = #n, OPERANDS(a, b, 0, 0), __VA_ARGS__ }
#define I3(n, a, b, c, ...) { .gen = gen_##n, .name = #n, OPERANDS(a, b, c, 0), __VA_ARGS__ }
#define I4(n, a, b, c, e, ...) { .gen = gen_##n, .name = #n, OPERANDS(a, b, c, e), __VA_ARGS__ }
#define OPERANDS(a, b, c, e)                                                                       \
    .op = { a, b, c, e }, .modrm = BY_MODRM(a) | BY_MODRM(b) | BY_MODRM(c) | BY_MODRM(e)
#define BY_MODRM(code) ((MODRM_METHODS >> ((unsigned)(code) >> 4)) & 1)
#define MODRM_METHODS                                                                              \
    (1u << OM_E | 1u << OM_G | 1u << OM_M | 1u << OM_R | 1u << OM_S | 1u << OM_C | 1u << OM_D |    \
     1u << OM_V | 1u << OM_W | 1u << OM_U | 1u << OM_P | 1u << OM_Q | 1u << OM_N | 1u << OM_H |    \
     1u << OM_B | 1u << OM_ST)
#define GROUP(kind, t)      { .group = GROUP_##kind, .table = t }
/* clang-format on */

/* First the integer and system maps are asked, then, where their row is empty, those of x87 (by
 * opcode - 0xd8), MMX and SSE. */
extern const InsnDesc opmap_1byte[256], opmap_0f[256], opmap_0f38[256], opmap_0f3a[256];
extern const InsnDesc opmap_x87[8], opmap_sse_0f[256], opmap_sse_0f38[256], opmap_sse_0f3a[256];

/* VEX-encoded instructions have maps of their own: 0F, 0F38, 0F3A. */
extern const InsnDesc opmap_vex_0f[256], opmap_vex_0f38[256], opmap_vex_0f3a[256];

/* A decoded operand. */
/* clang-format off */
typedef enum OperandKind {
    OPK_NONE,
    OPK_GPR,
    OPK_GPR_HI, /* AH CH DH BH: reg is the number of AX … BX */
    OPK_MEM,
    OPK_IMM, /* Insn.imm, or imm2 for the second immediate */
    OPK_SEG, OPK_CR, OPK_DR, OPK_XMM, OPK_MMX, OPK_ST
} OperandKind;
/* clang-format on */

typedef struct Operand {
    uint8_t kind; /* OperandKind */
    uint8_t reg;
    uint8_t type; /* IrType; IR_VOID for OS_none */
    uint8_t pad;
} Operand;

struct Insn {
    const InsnDesc *desc;
    uint8_t map;    /* 0: 1-byte, 1: 0F, 2: 0F38, 3: 0F3A */
    uint8_t opcode; /* its last byte */
    uint8_t len;
    uint8_t nops;
    uint8_t rex; /* 0x40-0x4f or 0 */
    uint8_t rep; /* 0xf2, 0xf3 (the last of them) or 0 */
    bool lock, prefix66, prefix67, has_modrm, seg_override;
    bool vex, vex_l, vex_w; /* rex, rep and prefix66 are what the VEX prefix says */
    uint8_t vvvv;
    uint8_t vindex; /* A_VSIB: the index register */
    uint8_t modrm, mod;
    uint8_t reg;          /* ModRM.reg with REX.R */
    uint8_t rm;           /* ModRM.rm with REX.B (if mod is 3) */
    uint8_t osize, asize; /* IrType: I16, I32, I64 */
    uint8_t seg; /* of the memory operand, defaults applied; FS, GS only in 64-bit mode unless
                    default */
    int8_t base, index; /* -1: none; INSN_BASE_RIP */
    uint8_t scale;
    uint8_t imm_size; /* bytes of the last immediate */
    int64_t disp;     /* sign-extended; moffs: the address */
    int64_t imm, imm2;
    Operand op[4];
    /* of the translation, see translate.h */
    uint16_t ea, addr; /* IrRef: offset and linear address of the memory operand, once computed */
};
#define INSN_BASE_RIP 16

#define MAX_INSN_BYTES 15

typedef enum DecodeStatus {
    DECODE_OK,
    DECODE_MORE,     /* the instruction goes on beyond @avail */
    DECODE_UD,       /* no such instruction (i->len: bytes looked at) */
    DECODE_TOO_LONG, /* over 15 bytes: #GP(0) */
} DecodeStatus;

/* What decoding depends on. */
typedef struct DecodeMode {
    uint8_t code_size; /* IrType: I16, I32, I64 */
    bool pe;           /* protected mode, not virtual-8086 */
    uint64_t features; /* bit per InsnFeature */
} DecodeMode;

/* Features as the guest's CPUID words tell them (CpuX86.features). */
uint64_t decode_features(const uint32_t *words);
/* Features that @row wants, a bit per InsnFeature; @vex_l: of its 256-bit form. */
uint64_t row_features(const InsnDesc *row, bool vex_l);
DecodeStatus decode_insn(const DecodeMode *m, const uint8_t *bytes, uint32_t avail, Insn *i);

#endif
