/* SPDX-License-Identifier: MIT */
/*
 * SSE's floating point on the host's. FPCR has the guest's rounding mode and always FZ (Arm ARM
 * A1.5, C5.2.8): operands and results that are denormal raise IDC and UFC then, invalid operations
 * IOC. Where none of these, nor DZC and OFC, is in FPSR after an instruction, its result is x86's
 * (SDM volume 1, 4.8.3.5 and 11.5: of two NaNs the first, as the host has it unless one signals),
 * and all it may have raised is PE. Else, or if something was there before, the portable back end
 * does the op again (STUB_SOFT) and FPSR is as it was.
 *
 * FPSR starts with IDC set, so that all goes that way, unless PE is set in MXCSR, everything is
 * masked and neither DAZ nor FTZ is on: MXCSR in env is always exact (thunks.c, fp_status()).
 *
 * Where there is FEAT_AFP (Arm ARM A1.5.12) FPCR.AH makes NaNs, FMIN and FMAX, tininess and what
 * FPSR tells be x86's, FZ and FIZ are FTZ and DAZ, and FPSR gathers what is not in MXCSR yet
 * (thunks.c, gather_status()). Then nothing is done twice but what is invalid as an integer, fused
 * operations with NaNs, and what raises more than x86 would (AfpWay).
 */
#include "tcg/aarch64/gen.h"

#define CUR ((IrRef)g->cur)

enum {
    A_FADD = 0x1e202800,
    A_FSUB = 0x1e203800,
    A_FMUL = 0x1e200800,
    A_FDIV = 0x1e201800,
    A_FSQRT = 0x1e21c000,
    A_FNEG = 0x1e214000,
    A_FMADD = 0x1f000000, /* a + n m */
    A_FCMEQ = 0x5e20e400,
    A_FCMGE = 0x7e20e400,
    A_FCMGT = 0x7ea0e400,
    A_VFADD = 0x4e20d400,
    A_VFSUB = 0x4ea0d400,
    A_VFMUL = 0x6e20dc00,
    A_VFDIV = 0x6e20fc00,
    A_VFSQRT = 0x6ea1f800,
    A_VFNEG = 0x6ea0f800,
    A_VFMLA = 0x4e20cc00,
    A_VFMLS = 0x4ea0cc00,
    A_LANES = 0x10000000, /* taken away: FCMEQ … of all lanes */
    A_BSL = 0x6e601c00,
    A_NOT = 0x6e205800,
    A_VAND = 0x4e201c00,
    A_VFCVTZS = 0x4ea1b800,
    A_FMAX = 0x1e204800,
    A_FMIN = 0x1e205800,
    A_VFMAX = 0x4e20f400,
    A_VFMIN = 0x4ea0f400,
    A_FRINTX = 0x1e274000,
    A_VFRINTX = 0x6e219800,
    A_MRS_FPSR = 0xd53b4420,
};

/* What an op is about, and its registers. */
typedef struct Fp {
    bool scalar, wide; /* one lane; double precision */
    int d, n, m, k;
    unsigned imm;
} Fp;

typedef void (*FpCode)(Gen *g, const Fp *f);

static uint32_t size_of(const Fp *f)
{
    return f->wide ? 1u << 22 : 0;
}

static uint32_t form(const Fp *f, uint32_t scalar, uint32_t vector)
{
    return (f->scalar ? scalar : vector) | size_of(f);
}

/* -- One instruction or a few --------------------------------------------------------------------
 */

static void code_binary(Gen *g, const Fp *f)
{
    static const struct {
        uint32_t scalar, vector;
    } insn[IR_NOPS] = { [OP_fadd] = { A_FADD, A_VFADD },
                        [OP_fsub] = { A_FSUB, A_VFSUB },
                        [OP_fmul] = { A_FMUL, A_VFMUL },
                        [OP_fdiv] = { A_FDIV, A_VFDIV } };
    unsigned op = g->op->op;

    a_3(&g->a, form(f, insn[op].scalar, insn[op].vector), f->d, f->n, f->m);
}

static void code_sqrt(Gen *g, const Fp *f)
{
    a_2(&g->a, form(f, A_FSQRT, A_VFSQRT), f->d, f->n);
}

static void compare(Gen *g, const Fp *f, uint32_t insn, int d, int n, int m)
{
    a_3(&g->a, (f->scalar ? insn : insn ^ A_LANES) | size_of(f), d, n, m);
}

/* The comparison signals any NaN, as MINSS does; equal ones and zeros give the second operand. */
static void code_minmax(Gen *g, const Fp *f)
{
    bool min = g->op->op == OP_fmin;

    if (g->be->feat.afp) {
        a_3(&g->a, min ? form(f, A_FMIN, A_VFMIN) : form(f, A_FMAX, A_VFMAX), 0, f->n, f->m);
        return;
    }
    compare(g, f, A_FCMGT, 0, min ? f->m : f->n, min ? f->n : f->m);
    a_3(&g->a, A_BSL, 0, f->n, f->m);
}

/* Even lanes of the difference, odd ones of the sum. */
static void code_addsub(Gen *g, const Fp *f)
{
    a_3(&g->a, A_VFSUB | size_of(f), 0, f->n, f->m);
    a_3(&g->a, A_VFADD | size_of(f), 1, f->n, f->m);
    if (f->wide) {
        a_ins_elem(&g->a, 3, 0, 1, 1, 1);
    } else {
        a_ins_elem(&g->a, 2, 0, 1, 1, 1);
        a_ins_elem(&g->a, 2, 0, 3, 1, 3);
    }
}

/* FRINTN, M, P, Z, and I for the current mode. None of these tells PE. */
static void round_to(Gen *g, const Fp *f, unsigned mode, int d, int n)
{
    static const struct {
        uint32_t scalar, vector;
    } insn[5] = { { 0x1e244000, 0x4e218800 },
                  { 0x1e254000, 0x4e219800 },
                  { 0x1e24c000, 0x4ea18800 },
                  { 0x1e25c000, 0x4ea19800 },
                  { 0x1e27c000, 0x6ea19800 } };

    mode = mode & 4 ? 4 : mode & 3;
    a_2(&g->a, form(f, insn[mode].scalar, insn[mode].vector), d, n);
}

/* With FEAT_AFP: PE if @n is no integer. Else it is set already. */
static void tell_precision(Gen *g, const Fp *f, int n)
{
    if (g->be->feat.afp) {
        a_2(&g->a, form(f, A_FRINTX, A_VFRINTX), 1, n);
    }
}

static void code_round(Gen *g, const Fp *f)
{
    if (!(f->imm & 8)) {
        tell_precision(g, f, f->n);
    }
    round_to(g, f, f->imm, f->d, f->n);
}

/* CMPPS's predicates in terms of FCMEQ, FCMGE and FCMGT, which signal what those signal. 0: none of
 * them does. */
static const struct {
    uint32_t insn;
    bool swap, invert;
} predicates[16] = {
    [0] = { A_FCMEQ, false, false },  [1] = { A_FCMGT, true, false },
    [2] = { A_FCMGE, true, false },   [4] = { A_FCMEQ, false, true },
    [5] = { A_FCMGT, true, true },    [6] = { A_FCMGE, true, true },
    [9] = { A_FCMGE, false, true },   [10] = { A_FCMGT, false, true },
    [13] = { A_FCMGE, false, false }, [14] = { A_FCMGT, false, false },
};
enum { UNORDERED = 3, ORDERED = 7 };

static bool has_predicate(unsigned p)
{
    return p < 16 && (predicates[p].insn || p == UNORDERED || p == ORDERED);
}

static void code_cmp(Gen *g, const Fp *f)
{
    unsigned p = f->imm;
    bool invert = predicates[p].invert || p == UNORDERED;

    if (!predicates[p].insn) {
        compare(g, f, A_FCMEQ, 0, f->n, f->n);
        compare(g, f, A_FCMEQ, 1, f->m, f->m);
        a_3(&g->a, A_VAND, f->d, 0, 1);
    } else {
        bool swap = predicates[p].swap;
        compare(g, f, predicates[p].insn, f->d, swap ? f->m : f->n, swap ? f->n : f->m);
    }
    if (invert) {
        a_2(&g->a, A_NOT, f->d, f->d);
    }
}

/* Of three NaNs x86 has another order than the host: a comparison signals them. */
static void code_fma(Gen *g, const Fp *f)
{
    unsigned how = f->imm & 14; /* 8: n m + a, 10: - a, 12: -n m, 14: both */
    bool minus = how == 10 || how == 14, negate = how == 12 || how == 14;
    /* factors and addend of forms 132, 213, 231 */
    const int of[3][3] = { { f->n, f->k, f->m }, { f->m, f->n, f->k }, { f->m, f->k, f->n } };
    const int *x = of[(f->imm >> 4) - 9];

    if (f->scalar) { /* FMADD, FMSUB: a - n m, FNMADD: -a - n m, FNMSUB: -a + n m */
        a_3(&g->a,
            A_FMADD | size_of(f) | (minus ? 1u << 21 : 0) | (minus != negate ? 1u << 15 : 0) |
                (uint32_t)x[2] << 10,
            0, x[0], x[1]);
    } else {
        if (minus) {
            a_2(&g->a, A_VFNEG | size_of(f), 0, x[2]);
        } else {
            a_vmov(&g->a, 0, x[2]);
        }
        a_3(&g->a, (negate ? A_VFMLS : A_VFMLA) | size_of(f), 0, x[0], x[1]);
    }
    if (!g->be->feat.afp) {
        compare(g, f, A_FCMGE, 1, 0, 0);
    }
}

/* Packed conversions; narrowing to integers saturates into QC, which the guard sees. */
static void code_vcvt(Gen *g, const Fp *f)
{
    switch (g->op->aux) {
    case VCVT_DQ2PS: a_2(&g->a, 0x4e21d800, f->d, f->n); break; /* SCVTF */
    case VCVT_PS2DQ:
    case VCVT_TPS2DQ:
        if (g->op->aux == VCVT_PS2DQ) {
            round_to(g, f, 4, 0, f->n);
        }
        a_2(&g->a, A_VFCVTZS, f->d, g->op->aux == VCVT_PS2DQ ? 0 : f->n);
        break;
    case VCVT_DQ2PD:
        a_2(&g->a, 0x0f20a400, 0, f->n); /* SXTL */
        a_2(&g->a, 0x4e61d800, f->d, 0);
        break;
    case VCVT_PS2PD: a_2(&g->a, 0x0e617800, f->d, f->n); break; /* FCVTL */
    case VCVT_PD2PS: a_2(&g->a, 0x0e616800, f->d, f->n); break; /* FCVTN */
    default: /* PD2DQ, TPD2DQ: an integer first, as what is too large tells no PE */
        round_to(g, f, g->op->aux == VCVT_PD2DQ ? 4 : 3, 0, f->n);
        a_2(&g->a, A_VFCVTZS | size_of(f), 0, 0);
        a_2(&g->a, 0x0ea14800, f->d, 0); /* SQXTN */
    }
}

/* -- The frame -----------------------------------------------------------------------------------
 */

/* What is done behind an op with FEAT_AFP. */
typedef enum AfpWay {
    AFP_NOTHING,
    AFP_SOFT,    /* there is no code for it */
    AFP_INTEGER, /* again if FPSR tells of an invalid operation; PE */
    AFP_FUSED,   /* again if the result is a NaN: x86 has another order of three */
} AfpWay;

typedef struct FpRule {
    FpCode code;
    bool in_v0; /* the result is there, whatever d is */
    AfpWay afp;
} FpRule;

static const FpRule rules[IR_NOPS] = {
    [OP_fadd] = { code_binary },       [OP_fsub] = { code_binary },
    [OP_fmul] = { code_binary },       [OP_fdiv] = { code_binary },
    [OP_fmin] = { code_minmax, true }, [OP_fmax] = { code_minmax, true },
    [OP_fsqrt] = { code_sqrt },        [OP_fround] = { code_round },
    [OP_fcmp] = { code_cmp },          [OP_fma] = { code_fma, true, AFP_FUSED },
    [OP_vcvt] = { code_vcvt },         [OP_faddsub] = { code_addsub, true, AFP_SOFT },
};

/* AFP_NOTHING also where there is no FEAT_AFP. */
static AfpWay afp_way(const Gen *g)
{
    if (!g->be->feat.afp) {
        return AFP_NOTHING;
    }
    switch (g->op->op) {
    case OP_fcmp: return g->op->imm == UNORDERED || g->op->imm == ORDERED ? AFP_SOFT : AFP_NOTHING;
    case OP_vcvt:
        switch (g->op->aux) {
        case VCVT_PS2DQ:
        case VCVT_TPS2DQ:
        case VCVT_PD2DQ:
        case VCVT_TPD2DQ: return AFP_INTEGER;
        default: return AFP_NOTHING;
        }
    case OP_cvt_f2i: return AFP_INTEGER;
    default: return rules[g->op->op].afp;
    }
}

/* Is there code for it that may be tried? */
static bool is_inline(const Gen *g)
{
    const IrOp *op = g->op;
    bool wide = op->type == V256 || type_of(g, op->a) == V256;

    if (g->fp_checked || afp_way(g) == AFP_SOFT) {
        return false;
    }
    switch (op->op) {
    case OP_fcmp: return has_predicate(op->imm);
    case OP_fma: return (op->imm & 14) >= 8; /* not FMADDSUB */
    case OP_vcvt: return op->aux <= VCVT_TPS2DQ || (op->aux <= VCVT_PD2PS && !wide);
    default: return type_of(g, op->a) != F80 && op->type != F80;
    }
}

/* To lanes of @d: the exponents of those of V0. */
static void exponents(Gen *g, const Fp *f, int d)
{
    a_2(&g->a, f->wide ? 0x4f415400 : 0x4f215400, d, 0); /* SHL #1 */
    a_2(&g->a, f->wide ? 0x6f4b0400 : 0x6f280400, d, d); /* USHR */
}

/* Those in V1: is one that of a NaN? */
static Stub *guard_nan(Gen *g, const Fp *f)
{
    a_2(&g->a, 0x6eb0a800, 1, 1); /* UMAXV */
    a_fmov_from_vec(&g->a, 4, X16, 1);
    a_logic_imm(&g->a, A_EOR, 4, X16, X16, f->wide ? 0x7ff : 0xff);
    return cond_stub(g, STUB_SOFT, (Cond){ .kind = IF_ZERO, .reg = X16, .w = 4 });
}

/* Has anything happened that is not as x86 has it? */
static Stub *guard(Gen *g, const Fp *f)
{
    switch (afp_way(g)) {
    case AFP_FUSED: return guard_nan(g, f);
    case AFP_INTEGER: /* IOC, or QC of SQXTN */
        a_word(&g->a, A_MRS_FPSR | X16);
        a_alu_sh(&g->a, A_ORR, 4, X16, X16, X16, A_LSR, 27);
        a_logic_imm(&g->a, A_AND, 4, X16, X16, 1);
        break;
    default:
        a_word(&g->a, A_MRS_FPSR | X16);
        a_logic_imm(&g->a, A_AND, 4, X16, X16, 0x8f8f8f8f); /* all but IXC */
    }
    return cond_stub(g, STUB_SOFT, (Cond){ .kind = IF_NONZERO, .reg = X16, .w = 4 });
}

/* Is a guard needed, up to which the operands have to live? */
static bool wants_guard(const Gen *g)
{
    return !g->be->feat.afp || afp_way(g) != AFP_NOTHING;
}

/* Operands, in registers or at offsets from env, are there until the guard; the result is @d. NULL:
 * the op was right as it is. */
static Stub *guarded(Gen *g, const Fp *f, const int *r, const int32_t *off, int d)
{
    Stub *s;

    if (!wants_guard(g)) {
        return NULL;
    }
    s = guard(g, f);
    s->code = soft_number(g->be->soft, g->ir, g->cur);
    s->op = (IrRef)g->cur;
    s->result[0] = (int8_t)d;
    for (unsigned i = 0; i < ir_operands(g->ir, g->op); i++) {
        s->operand[i] = r ? (int8_t)r[i] : NO_REG;
        s->off[i] = off ? off[i] : 0;
    }
    return s;
}

static Fp shape_of(const Gen *g)
{
    IrType t = (IrType)g->op->type;
    unsigned aux = g->op->aux;
    Fp f = { .imm = g->op->imm, .scalar = !is_wide(t) && t != V128 };

    if (g->op->op == OP_vcvt) {
        f.wide = aux == VCVT_PD2DQ || aux == VCVT_TPD2DQ;
        return f;
    }
    f.scalar = f.scalar || aux >= 4;
    f.wide = t == F64 || ((t == V128 || t == V256) && (aux & 1));
    return f;
}

/* Two halves from memory to memory, one guard. */
static void fp_halves(Gen *g, const FpRule *rule)
{
    unsigned n = ir_operands(g->ir, g->op);
    Fp f = shape_of(g);
    int *const place[3] = { &f.n, &f.m, &f.k };
    int32_t off[3], to;
    int low, kept = 0;
    Stub *s;

    if (afp_way(g) == AFP_FUSED) {
        kept = alloc_vec(g) & 31;
    }
    for (unsigned i = 0; i < n; i++) {
        off[i] = wide_off(g, g->op->arg[i]);
        *place[i] = alloc_vec(g) & 31;
    }
    to = pick_wide(g, off, NULL, n, true, &low);
    for (int h = 0; h < 32; h += 16) {
        int d = h || low == NO_REG || rule->in_v0 ? VEC(0) : low;
        for (unsigned i = 0; i < n; i++) {
            env_load(&g->a, 16, VEC(*place[i]), off[i] + h);
        }
        f.d = d & 31;
        rule->code(g, &f);
        if (kept) {
            exponents(g, &f, h ? 1 : kept);
        }
        env_store(&g->a, 16, d, to + h);
        if (h == 0 && low != NO_REG && d != low) {
            a_vmov(&g->a, low & 31, 0);
        }
    }
    if (kept) {
        a_3(&g->a, 0x6ea06400, 1, 1, kept); /* UMAX */
    }
    s = guarded(g, &f, NULL, off, low);
    for (int h = 0; h < 32 && afp_way(g) == AFP_INTEGER; h += 16) {
        env_load(&g->a, 16, VEC(f.n), off[0] + h);
        tell_precision(g, &f, f.n);
    }
    if (s) {
        s->off[3] = to;
        s->done = g->a.p;
    }
}

/* The op goes on here after its stub, if it has one. */
static void done_here(Gen *g, Stub *s)
{
    if (s) {
        s->done = g->a.p;
    }
}

void emit_fp(Gen *g)
{
    const FpRule *rule = &rules[g->op->op];
    unsigned n = ir_operands(g->ir, g->op);
    bool lane = g->op->type == V128 && g->op->aux >= 4 && g->op->op != OP_vcvt, in_v0 = rule->in_v0;
    Fp f = shape_of(g);
    int r[3] = { 0 }, d;
    Stub *s;

    if (!is_inline(g)) {
        emit_soft(g);
        return;
    }
    evict_env(g, g->be->layout->mxcsr, 4);
    if (g->op->type == V256) {
        fp_halves(g, rule);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        r[i] = use_vec(g, g->op->arg[i]);
    }
    d = pick_vec(g, 0);
    for (unsigned i = 0; i < n; i++) {
        in_v0 = in_v0 || (r[i] == d && wants_guard(g)); /* operands must outlive it */
    }
    f.n = r[0] & 31;
    f.m = r[1] & 31;
    f.k = r[2] & 31;
    f.d = lane || in_v0 ? 0 : d & 31;
    rule->code(g, &f);
    if (afp_way(g) == AFP_FUSED) {
        exponents(g, &f, 1);
    }
    s = guarded(g, &f, r, NULL, d);
    if (afp_way(g) == AFP_INTEGER) {
        tell_precision(g, &f, f.n);
    }
    if (lane) {
        if (d != r[0]) {
            a_vmov(&g->a, d & 31, f.n);
        }
        a_ins_elem(&g->a, f.wide ? 3 : 2, d & 31, 0, 0, 0);
    } else if (in_v0) {
        a_vmov(&g->a, d & 31, 0);
    }
    done_here(g, s);
    def_reg(g, CUR, d, false);
}

/* -- Conversions, comparison -------------------------------------------------------------------
 */

void emit_f2f(Gen *g)
{
    bool from_double = type_of(g, g->op->a) == F64;
    int n, d, t;
    Stub *s;

    if (!is_inline(g)) {
        emit_soft(g);
        return;
    }
    evict_env(g, g->be->layout->mxcsr, 4);
    n = use_vec(g, g->op->a);
    d = pick_vec(g, 0);
    t = d == n && wants_guard(g) ? 0 : d & 31;
    a_2(&g->a, from_double ? 0x1e624000 : 0x1e22c000, t, n & 31); /* FCVT */
    s = guarded(g, NULL, &n, NULL, d);
    if (t == 0) {
        a_vmov(&g->a, d & 31, 0);
    }
    done_here(g, s);
    def_reg(g, CUR, d, false);
}

void emit_i2f(Gen *g)
{
    unsigned w = bytes_of(g, g->op->a);
    bool is_double = g->op->type == F64;
    int n, d;

    if (!is_inline(g)) {
        emit_soft(g);
        return;
    }
    evict_env(g, g->be->layout->mxcsr, 4);
    n = use_gpr_z(g, g->op->a);
    d = pick_vec(g, 0);
    a_2(&g->a, 0x1e220000 | a_sf(w) | (is_double ? 1u << 22 : 0), d & 31, n); /* SCVTF */
    if (w == 8 || !is_double) {
        done_here(g, guarded(g, NULL, &n, NULL, d));
    }
    def_reg(g, CUR, d, false);
}

void emit_f2i(Gen *g)
{
    bool from_double = type_of(g, g->op->a) == F64;
    unsigned w = op_bytes(g);
    const Fp f = { .scalar = true, .wide = from_double };
    int n, d, from;
    Stub *s;

    if (!is_inline(g)) {
        emit_soft(g);
        return;
    }
    evict_env(g, g->be->layout->mxcsr, 4);
    n = use_vec(g, g->op->a);
    d = pick_gpr(g, 0);
    from = n & 31;
    if (!g->op->imm) {
        round_to(g, &f, 4, 0, from);
        from = 0;
    }
    a_2(&g->a, 0x1e380000 | a_sf(w) | size_of(&f), d, from); /* FCVTZS */
    s = guarded(g, &f, &n, NULL, d);
    if (!g->op->imm) {
        tell_precision(g, &f, n & 31);
    }
    done_here(g, s);
    def_reg(g, CUR, d, true);
}

/* NZCV are less 1000, equal 0110, greater 0010, unordered 0011, and the word has CF, ZF, none and
 * CF PF ZF; the stub leaves both so, too. */
void emit_fcomi(Gen *g)
{
    bool quiet = g->op->imm;
    int r[2], d;
    Stub *s;

    if (!is_inline(g)) {
        emit_soft(g);
        return;
    }
    evict_env(g, g->be->layout->mxcsr, 4);
    r[0] = use_vec(g, g->op->a);
    r[1] = use_vec(g, g->op->b);
    d = pick_gpr(g, 0);
    a_3(&g->a, 0x1e202000 | (quiet ? 0 : 0x10) | (type_of(g, g->op->a) == F64 ? 1u << 22 : 0), 0,
        r[0] & 31, r[1] & 31); /* FCMP, FCMPE */
    a_flags_changed(&g->a);
    s = guarded(g, NULL, r, NULL, d);
    a_mov_imm(&g->a, X16, FLAG_ZF);
    a_mov_imm(&g->a, X17, FLAG_ZF | FLAG_PF | FLAG_CF);
    a_cset(&g->a, d, A_MI);
    a_csel(&g->a, 4, d, X16, d, A_EQ);
    a_csel(&g->a, 4, d, X17, d, A_VS);
    done_here(g, s);
    nz_are(g, CUR, NZ_FLOAT);
    def_reg(g, CUR, d, true);
}

/* -- The stub ------------------------------------------------------------------------------------
 */

/* NZCV of FCMP for a word of fcomi. */
static void flags_of_word(Gen *g, int d)
{
    uint8_t *done[3];

    a_mov_imm(&g->a, X16, UINT64_C(2) << 28);
    done[0] = a_cbz(&g->a, false, 4, d);
    a_mov_imm(&g->a, X16, UINT64_C(6) << 28);
    done[1] = a_tbz(&g->a, false, d, 0);
    a_mov_imm(&g->a, X16, UINT64_C(8) << 28);
    done[2] = a_tbz(&g->a, false, d, 2);
    a_mov_imm(&g->a, X16, UINT64_C(3) << 28);
    for (unsigned i = 0; i < 3; i++) {
        a_here(&g->a, done[i]);
    }
    a_word(&g->a, 0xd51b4200 | X16); /* MSR NZCV */
}

void emit_stub_soft(Gen *g, const Stub *s)
{
    const IrOp *op = &g->ops[s->op];
    IrType t = (IrType)op->type;

    for (unsigned i = 0; i < ir_operands(g->ir, op); i++) {
        int32_t to = scr(g, SCR_ARG + 32 * (int32_t)i);
        IrType from = type_of(g, op->arg[i]);
        if (s->operand[i] == NO_REG) {
            copy_wide(g, to, s->off[i], bytes_of(g, op->arg[i]));
        } else {
            env_store(&g->a, is_vec(from) ? bytes_of(g, op->arg[i]) : 8, s->operand[i], to);
        }
    }
    a_word(&g->a, 0xd53b4200 | X16); /* MRS NZCV: the way without a stub leaves them alone */
    env_store(&g->a, 8, X16, scr(g, SCR_NZCV));
    a_bl(&g->a, g->be->soft_op);
    a_word(&g->a, s->code);
    if (is_wide(t)) {
        copy_wide(g, s->off[3], scr(g, SCR_RET), ir_type_info[t].bytes);
        if (s->result[0] != NO_REG) {
            env_load(&g->a, 16, s->result[0], scr(g, SCR_RET));
        }
    } else {
        env_load(&g->a, ir_type_info[t].bytes, s->result[0], scr(g, SCR_RET));
    }
    if (op->op == OP_fcomi) {
        flags_of_word(g, s->result[0]);
    } else {
        env_load(&g->a, 8, X16, scr(g, SCR_NZCV));
        a_word(&g->a, 0xd51b4200 | X16); /* MSR NZCV */
    }
    a_b(&g->a, s->done + g->a.rx);
}
