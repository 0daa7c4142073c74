/* SPDX-License-Identifier: MIT */
/*
 * Packed integers as the host has them. A rule makes code for 128 bits; 256 bits are done one half
 * after the other, from memory to memory. What has no rule here is emit_soft()'s.
 */
#include "tcg/aarch64/rules/vec.h"

#define CUR ((IrRef)g->cur)

/* -- Instructions of three registers ---------------------------------------------------------- */

static const struct {
    uint32_t insn;
    bool sized; /* the lane's size in bits 22 and 23 */
} v3[IR_NOPS] = {
    [OP_vadd] = { 0x4e208400, true },      [OP_vsub] = { 0x6e208400, true },
    [OP_vadds] = { 0x4e200c00, true },     [OP_vaddus] = { 0x6e200c00, true },
    [OP_vsubs] = { 0x4e202c00, true },     [OP_vsubus] = { 0x6e202c00, true },
    [OP_vmullo] = { 0x4e209c00, true },    [OP_vavg] = { 0x6e201400, true },
    [OP_vminu] = { 0x6e206c00, true },     [OP_vmins] = { 0x4e206c00, true },
    [OP_vmaxu] = { 0x6e206400, true },     [OP_vmaxs] = { 0x4e206400, true },
    [OP_vcmpeq] = { 0x6e208c00, true },    [OP_vcmpgt] = { 0x4e203400, true },
    [OP_vand] = { 0x4e201c00, false },     [OP_vor] = { 0x4ea01c00, false },
    [OP_vxor] = { 0x6e201c00, false },     [OP_vunpacklo] = { 0x4e003800, true },
    [OP_vunpackhi] = { 0x4e007800, true }, [OP_vhadd] = { 0x4e20bc00, true },
};

static void half_v3(Gen *g, const Lanes *l)
{
    unsigned op = g->op->op;

    a_3(&g->a, v3[op].insn | (v3[op].sized ? l->lane << 22 : 0), l->d, l->n, l->m);
}

static void half_andn(Gen *g, const Lanes *l) /* ~x & y */
{
    a_3(&g->a, 0x4e601c00, l->d, l->m, l->n);
}

static void half_abs(Gen *g, const Lanes *l)
{
    a_2(&g->a, 0x4e20b800 | l->lane << 22, l->d, l->n);
}

/* -- Products, packing ------------------------------------------------------------------------ */

static void half_mulhigh(Gen *g, const Lanes *l)
{
    uint32_t u = g->op->op == OP_vmulhu ? 1u << 29 : 0;

    a_3(&g->a, 0x0e60c000 | u, 0, l->n, l->m); /* SMULL, SMULL2 */
    a_3(&g->a, 0x4e60c000 | u, 1, l->n, l->m);
    a_3(&g->a, 0x4e405800, l->d, 0, 1); /* UZP2 */
}

static void half_madd(Gen *g, const Lanes *l)
{
    a_3(&g->a, 0x0e60c000, 0, l->n, l->m);
    a_3(&g->a, 0x4e60c000, 1, l->n, l->m);
    a_3(&g->a, 0x4ea0bc00, l->d, 0, 1); /* ADDP */
}

static void half_mul_even(Gen *g, const Lanes *l)
{
    a_2(&g->a, 0x0ea12800, 0, l->n); /* XTN */
    a_2(&g->a, 0x0ea12800, 1, l->m);
    a_3(&g->a, g->op->op == OP_vmulud ? 0x2ea0c000 : 0x0ea0c000, l->d, 0, 1); /* UMULL, SMULL */
}

static void half_sad(Gen *g, const Lanes *l)
{
    a_3(&g->a, 0x2e207000, 0, l->n, l->m); /* UABDL, UABDL2 */
    a_3(&g->a, 0x6e207000, 1, l->n, l->m);
    a_2(&g->a, 0x6e703800, 0, 0); /* UADDLV */
    a_2(&g->a, 0x6e703800, 1, 1);
    a_3(&g->a, 0x4ec03800, l->d, 0, 1); /* ZIP1 */
}

static void half_pack(Gen *g, const Lanes *l)
{
    uint32_t insn = (g->op->op == OP_vpackss ? 0x0e214800 : 0x2e212800) | (l->lane - 1) << 22;

    a_2(&g->a, insn, 0, l->n);
    a_2(&g->a, insn | 1u << 30, 0, l->m);
    a_vmov(&g->a, l->d, 0);
}

/* -- Shifts and moves by constants ------------------------------------------------------------ */

static void half_shift(Gen *g, const Lanes *l)
{
    unsigned bits = 8u << l->lane, by = l->imm, op = g->op->op;

    if (by >= bits && op != OP_vsari) {
        a_vzero(&g->a, l->d);
        return;
    }
    by = MIN(by, bits);
    if (by == 0) {
        a_vmov(&g->a, l->d, l->n);
    } else if (op == OP_vshli) {
        a_2(&g->a, 0x4f005400 | (bits + by) << 16, l->d, l->n);
    } else {
        a_2(&g->a, (op == OP_vshri ? 0x6f000400 : 0x4f000400) | (2 * bits - by) << 16, l->d, l->n);
    }
}

static void ext(Gen *g, int d, int n, int m, unsigned from) /* bytes of m:n from @from on */
{
    a_3(&g->a, 0x6e000000 | from << 11, d, n, m);
}

static void half_bytes(Gen *g, const Lanes *l)
{
    if (l->imm >= 16) {
        a_vzero(&g->a, l->d);
    } else if (l->imm == 0) {
        a_vmov(&g->a, l->d, l->n);
    } else {
        a_vzero(&g->a, 0);
        if (g->op->op == OP_vbshr) {
            ext(g, l->d, l->n, 0, l->imm);
        } else {
            ext(g, l->d, 0, l->n, 16 - l->imm);
        }
    }
}

static void half_align(Gen *g, const Lanes *l) /* x:y right by imm bytes */
{
    unsigned by = l->imm & 0xff;

    if (by >= 32) {
        a_vzero(&g->a, l->d);
    } else if (by >= 16) {
        a_vzero(&g->a, 0);
        ext(g, l->d, l->n, 0, by - 16);
    } else {
        ext(g, l->d, l->m, l->n, by);
    }
}

/* V0 lane by lane, then the result: @from has the register and lane of each. */
typedef struct Pick {
    int8_t reg;
    uint8_t i;
} Pick;

static void gather(Gen *g, const Lanes *l, const Pick *from, unsigned n, unsigned lane, int start)
{
    if (start != NO_REG) {
        a_vmov(&g->a, 0, start);
    }
    for (unsigned i = 0; i < n; i++) {
        if (from[i].reg != start || from[i].i != i) {
            a_ins_elem(&g->a, lane, 0, i, from[i].reg, from[i].i);
        }
    }
    a_vmov(&g->a, l->d, 0);
}

static void half_shuffle(Gen *g, const Lanes *l)
{
    unsigned op = g->op->op, at = op == OP_vshufhi ? 4 : 0, lane = op == OP_vshuf ? 2 : 1;
    Pick p[8];

    if (op == OP_vshuf && (l->imm & 0xff) == (l->imm & 3) * 0x55) {
        a_dup_elem(&g->a, 2, l->d, l->n, l->imm & 3);
        return;
    }
    if (op == OP_vshuf && (l->imm & 0xff) == 0x4e) {
        ext(g, l->d, l->n, l->n, 8);
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        bool moved = i >= at && i < at + 4;
        p[i] = (Pick){ (int8_t)l->n, (uint8_t)(moved ? at + (l->imm >> 2 * (i - at) & 3) : i) };
    }
    gather(g, l, p, op == OP_vshuf ? 4 : 8, lane, l->n);
}

static void half_shuf2(Gen *g, const Lanes *l)
{
    unsigned n = l->lane == 2 ? 4 : 2, bits = l->lane == 2 ? 2 : 1;
    Pick p[4];

    for (unsigned i = 0; i < n; i++) {
        p[i] = (Pick){ (int8_t)(i < n / 2 ? l->n : l->m), (uint8_t)(l->imm >> i * bits & (n - 1)) };
    }
    gather(g, l, p, n, l->lane, l->n);
}

static void half_blend(Gen *g, const Lanes *l)
{
    unsigned n = 16u >> l->lane;
    Pick p[8];

    for (unsigned i = 0; i < n; i++) {
        p[i] = (Pick){ (int8_t)(l->imm >> i & 1 ? l->m : l->n), (uint8_t)i };
    }
    gather(g, l, p, n, l->lane, l->n);
}

static void half_shufb(Gen *g, const Lanes *l)
{
    a_2(&g->a, 0x4f04e5e0, 0, 0);          /* MOVI V0.16B, #0x8f */
    a_3(&g->a, 0x4e201c00, 0, 0, l->m);    /* AND */
    a_3(&g->a, 0x4e000000, l->d, l->n, 0); /* TBL */
}

static void half_widen(Gen *g, const Lanes *l)
{
    uint32_t insn = g->op->op == OP_vsext ? 0x0f00a400 : 0x2f00a400; /* SSHLL, USHLL #0 */
    int from = l->n;

    for (unsigned lane = l->lane; lane < l->imm; lane++) {
        a_2(&g->a, insn | (8u << lane) << 16, l->d, from);
        from = l->d;
    }
}

static void half_select(Gen *g, const Lanes *l) /* by top bits of z */
{
    unsigned bits = 8u << l->lane;

    a_2(&g->a, 0x4f000400 | bits << 16 | 1u << 16, 0, l->k); /* SSHR by bits - 1 */
    a_3(&g->a, 0x6e601c00, 0, l->m, l->n);                   /* BSL */
    a_vmov(&g->a, l->d, 0);
}

/* Without the round key, which x86 adds at the end and the host at the beginning. */
static void half_aes(Gen *g, const Lanes *l)
{
    unsigned op = g->op->op;
    bool dec = op == OP_aesdec || op == OP_aesdeclast;

    a_vzero(&g->a, 0);
    a_vmov(&g->a, 1, l->n);
    a_2(&g->a, dec ? 0x4e285800 : 0x4e284800, 1, 0);
    if (op == OP_aesenc || op == OP_aesdec) {
        a_2(&g->a, dec ? 0x4e287800 : 0x4e286800, 1, 1);
    }
    a_3(&g->a, 0x6e201c00, l->d, 1, l->m);
}

static void half_imc(Gen *g, const Lanes *l)
{
    a_2(&g->a, 0x4e287800, l->d, l->n);
}

/* -- The frame -------------------------------------------------------------------------------- */

static const Half halves[IR_NOPS] = {
    [OP_vadd] = half_v3,
    [OP_vsub] = half_v3,
    [OP_vadds] = half_v3,
    [OP_vaddus] = half_v3,
    [OP_vsubs] = half_v3,
    [OP_vsubus] = half_v3,
    [OP_vmullo] = half_v3,
    [OP_vavg] = half_v3,
    [OP_vminu] = half_v3,
    [OP_vmins] = half_v3,
    [OP_vmaxu] = half_v3,
    [OP_vmaxs] = half_v3,
    [OP_vcmpeq] = half_v3,
    [OP_vcmpgt] = half_v3,
    [OP_vand] = half_v3,
    [OP_vor] = half_v3,
    [OP_vxor] = half_v3,
    [OP_vunpacklo] = half_v3,
    [OP_vunpackhi] = half_v3,
    [OP_vhadd] = half_v3,
    [OP_vandn] = half_andn,
    [OP_vabs] = half_abs,
    [OP_vmulhs] = half_mulhigh,
    [OP_vmulhu] = half_mulhigh,
    [OP_vmadd] = half_madd,
    [OP_vmulud] = half_mul_even,
    [OP_vmulsd] = half_mul_even,
    [OP_vsad] = half_sad,
    [OP_vpackss] = half_pack,
    [OP_vpackus] = half_pack,
    [OP_vshli] = half_shift,
    [OP_vshri] = half_shift,
    [OP_vsari] = half_shift,
    [OP_vbshl] = half_bytes,
    [OP_vbshr] = half_bytes,
    [OP_valign] = half_align,
    [OP_vshuf] = half_shuffle,
    [OP_vshuflo] = half_shuffle,
    [OP_vshufhi] = half_shuffle,
    [OP_vshuf2] = half_shuf2,
    [OP_vblend] = half_blend,
    [OP_vshufb] = half_shufb,
    [OP_vsext] = half_widen,
    [OP_vzext] = half_widen,
    [OP_vselect] = half_select,
    [OP_aesenc] = half_aes,
    [OP_aesenclast] = half_aes,
    [OP_aesdec] = half_aes,
    [OP_aesdeclast] = half_aes,
    [OP_aesimc] = half_imc,

    [OP_vshl] = half_shift_by,
    [OP_vshr] = half_shift_by,
    [OP_vsar] = half_shift_by,
    [OP_vshlv] = half_shift_each,
    [OP_vshrv] = half_shift_each,
    [OP_vsarv] = half_shift_each,
    [OP_vhsub] = half_neighbours,
    [OP_vhadds] = half_neighbours,
    [OP_vhsubs] = half_neighbours,
    [OP_vmaddub] = half_maddub,
    [OP_vmulhrs] = half_mulhrs,
    [OP_vsign] = half_sign,
    [OP_vinsertps] = half_insertps,
    [OP_vpermil] = half_permil,
    [OP_vclmul] = half_clmul,
};

/* Immediates that have bits of their own for the upper half. */
static uint32_t upper_imm(const IrOp *op)
{
    switch (op->op) {
    case OP_vshuf2: return op->aux == 3 ? op->imm >> 2 : op->imm;
    case OP_vblend: return op->aux == 3 ? op->imm >> 2 : op->aux == 2 ? op->imm >> 4 : op->imm;
    default: return op->imm;
    }
}

/* Does the instruction set have it in this lane? */
static bool has_lane(const Gen *g)
{
    unsigned op = g->op->op;

    if (op >= OP_aesenc && op <= OP_aesimc) {
        return g->be->feat.aes;
    }
    if (op == OP_vclmul) {
        return g->be->feat.pmull;
    }
    return !(g->op->aux == 3 && (op == OP_vabs || op == OP_vsari));
}

static void wide(Gen *g, Half half)
{
    unsigned n = ir_operands(g->ir, g->op);
    int32_t off[3], to;
    int r[3], low;

    for (unsigned i = 0; i < n; i++) {
        off[i] = type_of(g, g->op->arg[i]) == V256 ? wide_off(g, g->op->arg[i]) : NO_HOME;
        r[i] = off[i] == NO_HOME ? use_vec(g, g->op->arg[i]) : alloc_vec(g);
    }
    to = pick_wide(g, off, r, n, false, &low);
    for (int h = 0; h < 2; h++) {
        int d = h || low == NO_REG ? VEC(0) : low;
        Lanes l = { .d = d & 31,
                    .n = r[0] & 31,
                    .m = n > 1 ? r[1] & 31 : 0,
                    .k = n > 2 ? r[2] & 31 : 0,
                    .lane = g->op->aux,
                    .imm = h ? upper_imm(g->op) : g->op->imm };
        for (unsigned i = 0; i < n; i++) {
            if (off[i] != NO_HOME) {
                env_load(&g->a, 16, r[i], off[i] + 16 * h);
            }
        }
        half(g, &l);
        env_store(&g->a, 16, d, to + 16 * h);
    }
}

void emit_v(Gen *g)
{
    unsigned n = ir_operands(g->ir, g->op);
    Half half = halves[g->op->op];
    uint64_t avoid = 0;
    int r[3] = { 0 }, d;
    Lanes l;

    if (!half || !has_lane(g)) {
        emit_soft(g);
        return;
    }
    if (g->op->type == V256) {
        wide(g, half);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        r[i] = use_vec(g, g->op->arg[i]);
        avoid |= half == half_aes || half == half_widen ? UINT64_C(1) << r[i] : 0;
    }
    d = pick_vec(g, avoid);
    l = (Lanes){ .d = d & 31,
                 .n = r[0] & 31,
                 .m = r[1] & 31,
                 .k = r[2] & 31,
                 .lane = g->op->aux,
                 .imm = g->op->imm };
    half(g, &l);
    def_reg(g, CUR, d, false);
}

/* -- Between general and vector registers ----------------------------------------------------- */

void emit_vextract(Gen *g)
{
    int n = use_vec(g, g->op->a), d = pick_gpr(g, 0);

    a_umov(&g->a, g->op->aux, d, n & 31, g->op->imm & ((16u >> g->op->aux) - 1));
    def_reg(g, CUR, d, true);
}

void emit_vinsert(Gen *g)
{
    int n = use_vec(g, g->op->a), b = use_gpr_z(g, g->op->b), d = pick_vec(g, 0);

    if (d != n) {
        a_vmov(&g->a, d & 31, n & 31);
    }
    a_ins(&g->a, g->op->aux, d & 31, g->op->imm & ((16u >> g->op->aux) - 1), b);
    def_reg(g, CUR, d, false);
}

void emit_vfromint(Gen *g)
{
    int n = use_gpr_z(g, g->op->a), d = pick_vec(g, 0);

    a_fmov_to_vec(&g->a, bytes_of(g, g->op->a), d & 31, n);
    def_reg(g, CUR, d, false);
}

void emit_vmovlo(Gen *g)
{
    int n = use_vec(g, g->op->a), m = use_vec(g, g->op->b), d = pick_vec(g, UINT64_C(1) << m);

    if (d != n) {
        a_vmov(&g->a, d & 31, n & 31);
    }
    a_ins_elem(&g->a, type_of(g, g->op->b) == F64 ? 3 : 2, d & 31, 0, m & 31, 0);
    def_reg(g, CUR, d, false);
}
