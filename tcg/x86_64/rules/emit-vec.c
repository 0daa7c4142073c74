/* SPDX-License-Identifier: MIT */
/*
 * Packed integers: one SSE instruction per row of a table by op and lane, legacy encoding (the
 * two-operand shape; upper halves of YMM stay). What the host lacks goes to C (slow.c).
 */
#include "tcg/x86_64/gen.h"

#define CUR     ((IrRef)g->cur)
#define P(op)   (X_66 | X_0F | (op))
#define P38(op) (X_66 | X_0F38 | (op))
#define P3A(op) (X_66 | X_0F3A | (op))
/* What it wants of the host, beside the opcode. */
#define S3    (1u << 28) /* SSE3 */
#define SS3   (2u << 28) /* SSSE3 */
#define S41   (3u << 28)
#define S42   (4u << 28)
#define AES   (5u << 28)
#define CLMUL (6u << 28)
#define SHA   (7u << 28)
#define WANTS (15u << 28)

/* clang-format off */
static const uint32_t vbin[IR_NOPS][4] = {
    [OP_vadd]      = { P(0xfc), P(0xfd), P(0xfe), P(0xd4) },
    [OP_vsub]      = { P(0xf8), P(0xf9), P(0xfa), P(0xfb) },
    [OP_vadds]     = { P(0xec), P(0xed) },
    [OP_vaddus]    = { P(0xdc), P(0xdd) },
    [OP_vsubs]     = { P(0xe8), P(0xe9) },
    [OP_vsubus]    = { P(0xd8), P(0xd9) },
    [OP_vmullo]    = { 0, P(0xd5), P38(0x40) | S41 },
    [OP_vmulhs]    = { 0, P(0xe5) },
    [OP_vmulhu]    = { 0, P(0xe4) },
    [OP_vmulud]    = { P(0xf4), P(0xf4), P(0xf4), P(0xf4) },
    [OP_vmadd]     = { P(0xf5), P(0xf5), P(0xf5), P(0xf5) },
    [OP_vsad]      = { P(0xf6), P(0xf6), P(0xf6), P(0xf6) },
    [OP_vavg]      = { P(0xe0), P(0xe3) },
    [OP_vminu]     = { P(0xda), P38(0x3a) | S41, P38(0x3b) | S41 },
    [OP_vmins]     = { P38(0x38) | S41, P(0xea), P38(0x39) | S41 },
    [OP_vmaxu]     = { P(0xde), P38(0x3e) | S41, P38(0x3f) | S41 },
    [OP_vmaxs]     = { P38(0x3c) | S41, P(0xee), P38(0x3d) | S41 },
    [OP_vcmpeq]    = { P(0x74), P(0x75), P(0x76), P38(0x29) | S41 },
    [OP_vcmpgt]    = { P(0x64), P(0x65), P(0x66), P38(0x37) | S42 },
    [OP_vand]      = { P(0xdb), P(0xdb), P(0xdb), P(0xdb) },
    [OP_vor]       = { P(0xeb), P(0xeb), P(0xeb), P(0xeb) },
    [OP_vxor]      = { P(0xef), P(0xef), P(0xef), P(0xef) },
    [OP_vandn]     = { P(0xdf), P(0xdf), P(0xdf), P(0xdf) },
    [OP_vunpacklo] = { P(0x60), P(0x61), P(0x62), P(0x6c) },
    [OP_vunpackhi] = { P(0x68), P(0x69), P(0x6a), P(0x6d) },
    [OP_vpackss]   = { 0, P(0x63), P(0x6b) },
    [OP_vpackus]   = { 0, P(0x67), P38(0x2b) | S41 },
    [OP_vshl]      = { 0, P(0xf1), P(0xf2), P(0xf3) },
    [OP_vshr]      = { 0, P(0xd1), P(0xd2), P(0xd3) },
    [OP_vsar]      = { 0, P(0xe1), P(0xe2) },
    [OP_vshufb]    = { P38(0x00) | SS3 },
    [OP_vhadd]     = { 0, P38(0x01) | SS3, P38(0x02) | SS3 },
    [OP_vhadds]    = { 0, P38(0x03) | SS3 },
    [OP_vmaddub]   = { 0, P38(0x04) | SS3 },
    [OP_vhsub]     = { 0, P38(0x05) | SS3, P38(0x06) | SS3 },
    [OP_vhsubs]    = { 0, P38(0x07) | SS3 },
    [OP_vsign]     = { P38(0x08) | SS3, P38(0x09) | SS3, P38(0x0a) | SS3 },
    [OP_vmulhrs]   = { 0, P38(0x0b) | SS3 },
    [OP_vmulsd]    = { 0, 0, 0, P38(0x28) | S41 },
    [OP_aesenc]    = { 0, 0, 0, P38(0xdc) | AES },
    [OP_aesenclast] = { 0, 0, 0, P38(0xdd) | AES },
    [OP_aesdec]    = { 0, 0, 0, P38(0xde) | AES },
    [OP_aesdeclast] = { 0, 0, 0, P38(0xdf) | AES },
    [OP_sha1nexte] = { 0, 0, X_0F38 | 0xc8 | SHA },
    [OP_sha1msg1]  = { 0, 0, X_0F38 | 0xc9 | SHA },
    [OP_sha1msg2]  = { 0, 0, X_0F38 | 0xca | SHA },
    [OP_sha256msg1] = { 0, 0, X_0F38 | 0xcc | SHA },
    [OP_sha256msg2] = { 0, 0, X_0F38 | 0xcd | SHA },
    [OP_faddsub]   = { 0, 0, X_F2 | X_0F | 0xd0 | S3, P(0xd0) | S3 },
    /* with an immediate behind */
    [OP_valign]    = { P3A(0x0f) | SS3 },
    [OP_vblend]    = { 0, P3A(0x0e) | S41, P3A(0x0c) | S41, P3A(0x0d) | S41 },
    [OP_vinsertps] = { 0, 0, P3A(0x21) | S41 },
    [OP_vmpsad]    = { P3A(0x42) | S41 },
    [OP_vclmul]    = { 0, 0, 0, P3A(0x44) | CLMUL },
    [OP_sha1rnds4] = { 0, 0, X_0F3A | 0xcc | SHA },
};

/* One source, another destination. */
static const uint32_t vun[IR_NOPS][4] = {
    [OP_vabs]      = { P38(0x1c) | SS3, P38(0x1d) | SS3, P38(0x1e) | SS3 },
    [OP_vminpos]   = { 0, P38(0x41) | S41 },
    [OP_aesimc]    = { 0, 0, 0, P38(0xdb) | AES },
    [OP_aeskeygen] = { 0, 0, 0, P3A(0xdf) | AES },
    [OP_fround]    = { 0, 0, P3A(0x08) | S41, P3A(0x09) | S41 },
};

/* From lane to lane; zeros: 0x10 more. */
static const uint32_t vwiden[3][4] = {
    { 0, P38(0x20) | S41, P38(0x21) | S41, P38(0x22) | S41 },
    { 0, 0, P38(0x23) | S41, P38(0x24) | S41 },
    { 0, 0, 0, P38(0x25) | S41 },
};

/* Shifts by immediate: opcode and the extension in the reg field. */
static const struct { uint8_t op, ext; } vshift[IR_NOPS][4] = {
    [OP_vshli] = { { 0 }, { 0x71, 6 }, { 0x72, 6 }, { 0x73, 6 } },
    [OP_vshri] = { { 0 }, { 0x71, 2 }, { 0x72, 2 }, { 0x73, 2 } },
    [OP_vsari] = { { 0 }, { 0x71, 4 }, { 0x72, 4 } },
    [OP_vbshl] = { { 0x73, 7 }, { 0x73, 7 }, { 0x73, 7 }, { 0x73, 7 } },
    [OP_vbshr] = { { 0x73, 3 }, { 0x73, 3 }, { 0x73, 3 }, { 0x73, 3 } },
};
/* clang-format on */

static X86Reg xr(int r)
{
    return (X86Reg)(r - 16);
}

static void copy_xmm(Gen *g, int dst, int src)
{
    if (dst != src) {
        x_rr(&g->a, X_MOVAPS, 4, xr(dst), xr(src));
    }
}

static bool host_has(const Features *f, uint32_t x)
{
    switch (x & WANTS) {
    case 0: return true;
    case S3: return f->sse3;
    case SS3: return f->ssse3;
    case S41: return f->sse41;
    case S42: return f->sse42;
    case AES: return f->aes;
    case CLMUL: return f->pclmul;
    case SHA: return f->sha;
    default: g_assert_not_reached();
    }
}

/* The encoding of @x; 0: the host lacks it. */
static unsigned encoding(const Gen *g, uint32_t x)
{
    return host_has(&g->be->feat, x) ? x & ~WANTS : 0;
}

static unsigned instruction(const Gen *g, unsigned op, unsigned lane)
{
    return encoding(g, vbin[op][lane]);
}

/* In C: the operands to memory. */
static void call_slow(Gen *g)
{
    unsigned n = ir_operands(g->ir, g->op);
    int r;

    for (unsigned i = 0; i < n; i++) {
        r = use_xmm(g, g->op->arg[i]);
        x_rm(&g->a, X_MOVUPS_ST, 4, xr(r), env_mem(scr(g, SCR_ARG + 16 * (int32_t)i)));
        unlock(g, r);
    }
    x_store_imm(&g->a, 4, env_mem(scr(g, SCR_ARG + 48)),
                g->op->op | g->op->aux << 16 | g->op->type << 24);
    x_store_imm(&g->a, 4, env_mem(scr(g, SCR_ARG + 52)), (int32_t)g->op->imm);
    x_call(&g->a, g->be->vec_slow);
    x_flags_changed(&g->a);
}

static void slow_vector(Gen *g)
{
    int r;

    call_slow(g);
    r = pick_xmm(g, NO_REG, 0);
    x_rm(&g->a, X_MOVUPS, 4, xr(r), env_mem(scr(g, SCR_RET)));
    def_reg(g, CUR, r, false);
}

void emit_vbin(Gen *g)
{
    unsigned x = instruction(g, g->op->op, g->op->aux & 3);
    IrRef va = g->op->a, vb = g->op->b;
    int a, b, dst, pin = hinted_reg(g);

    if (x && use_vex(g) && (vbin[g->op->op][g->op->aux & 3] & WANTS) != SHA) {
        emit_vex_bin(g, x);
        if (ir_op_info[g->op->op].shape == SHAPE_VIMM2) {
            x_byte(&g->a, g->op->imm & 0xff);
        }
        return;
    }
    g_assert(g->op->type == V128);
    if (!x) {
        slow_vector(g);
        return;
    }
    if ((ir_op_info[g->op->op].props & IRP_COMM) && g->loc[vb].kind == LOC_REG &&
        g->loc[vb].reg == pin && va != vb) {
        IrRef t = va;
        va = vb;
        vb = t;
    }
    a = use_xmm(g, va);
    b = use_xmm(g, vb);
    dst = pick_xmm(g, a, b != a ? 1u << b : 0);
    copy_xmm(g, dst, a);
    x_rr(&g->a, x, 4, xr(dst), xr(b));
    if (ir_op_info[g->op->op].shape == SHAPE_VIMM2) {
        x_byte(&g->a, g->op->imm & 0xff);
    }
    def_reg(g, CUR, dst, false);
}

static void one_source(Gen *g, unsigned x, bool immediate)
{
    int a, dst;

    if (!x) {
        slow_vector(g);
        return;
    }
    if (use_vex(g)) {
        emit_vex_un(g, x);
        if (immediate) {
            x_byte(&g->a, g->op->imm & 0xff);
        }
        return;
    }
    a = use_xmm(g, g->op->a);
    dst = pick_xmm(g, a, 0);
    x_rr(&g->a, x, 4, xr(dst), xr(a));
    if (immediate) {
        x_byte(&g->a, g->op->imm & 0xff);
    }
    def_reg(g, CUR, dst, false);
}

void emit_vun(Gen *g)
{
    one_source(g, encoding(g, vun[g->op->op][g->op->aux & 3]), g->op->op == OP_aeskeygen);
}

void emit_vround(Gen *g) /* lanes of a vector, or ROUNDSS, ROUNDSD */
{
    IrType t = (IrType)g->op->type;
    unsigned x = encoding(g, vun[OP_fround][t == F32 ? 2 : t == F64 ? 3 : g->op->aux & 3]);

    one_source(g, x && (t == F32 || t == F64) ? x + 2 : x, true);
}

void emit_vwiden(Gen *g)
{
    unsigned x = encoding(g, vwiden[g->op->aux & 3][g->op->imm & 3]);

    one_source(g, x && g->op->op == OP_vzext ? x + 0x10 : x, false);
}

/* The words are in XMM0, which may be a pin: it is put aside. */
void emit_sha256rnds2(Gen *g)
{
    const int xmm0 = 16;
    const Mem words = env_mem(scr(g, SCR_ARG)), aside = env_mem(scr(g, SCR_ARG + 16));
    int a, b, c, dst;

    if (!g->be->feat.sha) {
        slow_vector(g);
        return;
    }
    c = use_xmm(g, g->op->c);
    x_rm(&g->a, X_MOVUPS_ST, 4, xr(c), words);
    unlock(g, c);
    a = use_xmm(g, g->op->a);
    b = use_xmm(g, g->op->b);
    dst = pick_xmm(g, a, (b != a ? 1u << b : 0) | 1u << xmm0);
    copy_xmm(g, dst, a);
    if (b == xmm0) {
        b = alloc_xmm(g);
        copy_xmm(g, b, xmm0);
    }
    x_rm(&g->a, X_MOVUPS_ST, 4, xr(xmm0), aside);
    x_rm(&g->a, X_MOVUPS, 4, xr(xmm0), words);
    x_rr(&g->a, X_0F38 | 0xcb, 4, xr(dst), xr(b));
    x_rm(&g->a, X_MOVUPS, 4, xr(xmm0), aside);
    def_reg(g, CUR, dst, false);
}

void emit_vtest(Gen *g)
{
    int a, b, r;

    if (!g->be->feat.sse41) {
        call_slow(g);
        r = pick_gpr(g, NO_REG, 0);
        x_load(&g->a, 4, (X86Reg)r, env_mem(scr(g, SCR_RET)));
        def_reg(g, CUR, r, true);
        return;
    }
    a = use_xmm(g, g->op->a);
    b = use_xmm(g, g->op->b);
    if (g->ops[g->op->a].type == V256) {
        x_vex_rr(&g->a, P38(0x17), true, a - 16, 0, b - 16);
    } else {
        x_rr(&g->a, P38(0x17), 4, xr(a), xr(b));
    }
    x_flags_changed(&g->a);
    r = alloc_gpr(g);
    x_byte(&g->a, 0x9c); /* PUSHFQ */
    x_pop(&g->a, (X86Reg)r);
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)r, FLAG_ZF | FLAG_CF);
    def_reg(g, CUR, r, true);
}

static void vex_imm(Gen *g, unsigned op, unsigned lane, unsigned imm)
{
    if (op == OP_vshuf || op == OP_vshuflo || op == OP_vshufhi) {
        unsigned prefix = op == OP_vshuf ? X_66 : op == OP_vshuflo ? X_F2 : X_F3;
        emit_vex_un_imm(g, prefix | X_0F | 0x70, g->op->imm);
    } else {
        emit_vex_shift_imm(g, P(vshift[op][lane].op), vshift[op][lane].ext, imm);
    }
}

void emit_vimm(Gen *g)
{
    unsigned op = g->op->op, lane = g->op->aux & 3,
             limit = op == OP_vbshl || op == OP_vbshr ? 16 : 8u << lane;
    unsigned imm = MIN(g->op->imm, limit == 64 ? 64u : limit);
    int a, dst;

    if (use_vex(g)) {
        vex_imm(g, op, lane, imm);
        return;
    }
    a = use_xmm(g, g->op->a);
    dst = pick_xmm(g, a, 0);

    if (op == OP_vshuf || op == OP_vshuflo || op == OP_vshufhi) {
        unsigned prefix = op == OP_vshuf ? X_66 : op == OP_vshuflo ? X_F2 : X_F3;
        x_rr(&g->a, prefix | X_0F | 0x70, 4, xr(dst), xr(a));
        x_byte(&g->a, g->op->imm & 0xff);
    } else {
        g_assert(vshift[op][lane].op);
        copy_xmm(g, dst, a);
        x_rr(&g->a, P(vshift[op][lane].op), 4, (X86Reg)vshift[op][lane].ext, xr(dst));
        x_byte(&g->a, imm);
    }
    def_reg(g, CUR, dst, false);
}

void emit_vshuf2(Gen *g)
{
    int a, b, dst;

    if (use_vex(g)) {
        emit_vex_bin_imm(g, g->op->aux == 3 ? P(0xc6) : X_0F | 0xc6, g->op->imm);
        return;
    }
    a = use_xmm(g, g->op->a);
    b = use_xmm(g, g->op->b);
    dst = pick_xmm(g, a, b != a ? 1u << b : 0);
    copy_xmm(g, dst, a);
    x_rr(&g->a, g->op->aux == 3 ? P(0xc6) : X_0F | 0xc6, 4, xr(dst), xr(b));
    x_byte(&g->a, g->op->imm & 0xff);
    def_reg(g, CUR, dst, false);
}

void emit_vmovmsk(Gen *g)
{
    int a = use_xmm(g, g->op->a), dst = pick_gpr(g, NO_REG, 0);
    unsigned x = g->op->aux == 0 ? P(0xd7) : g->op->aux == 2 ? X_0F | 0x50 : P(0x50);

    g_assert(g->op->aux != 1);
    if (g->ops[g->op->a].type == V256) {
        x_vex_rr(&g->a, x, true, dst, 0, a - 16);
    } else {
        x_rr(&g->a, x, 4, (X86Reg)dst, xr(a));
    }
    def_reg(g, CUR, dst, true);
}

/* Lanes that SSE2 does not reach go through memory. */
void emit_vextract(Gen *g)
{
    unsigned lane = g->op->aux, i = g->op->imm;
    int a = use_xmm(g, g->op->a), dst = pick_gpr(g, NO_REG, 0);

    if (i == 0 && lane >= 2) {
        x_rr(&g->a, X_MOVD_ST | (lane == 3 ? X_W : 0), 4, xr(a), (X86Reg)dst);
    } else if (lane == 1) { /* PEXTRW */
        x_rr(&g->a, P(0xc5), 4, (X86Reg)dst, xr(a));
        x_byte(&g->a, i);
    } else if (g->be->feat.sse41) { /* PEXTRB, PEXTRD, PEXTRQ */
        x_rr(&g->a, X_66 | X_0F3A | (lane == 0 ? 0x14 : 0x16) | (lane == 3 ? X_W : 0), 4, xr(a),
             (X86Reg)dst);
        x_byte(&g->a, i);
    } else {
        x_rm(&g->a, X_MOVUPS_ST, 4, xr(a), env_mem(scr(g, SCR_RET)));
        x_load(&g->a, 1u << lane, (X86Reg)dst, env_mem(scr(g, SCR_RET + (int32_t)(i << lane))));
    }
    def_reg(g, CUR, dst, true);
}

void emit_vinsert(Gen *g)
{
    unsigned lane = g->op->aux, i = g->op->imm;
    int a = use_xmm(g, g->op->a), v = use_gpr(g, g->op->b), dst = pick_xmm(g, a, 0);
    Mem m = env_mem(scr(g, SCR_RET));

    copy_xmm(g, dst, a);
    if (lane == 1 || g->be->feat.sse41) { /* PINSRW, PINSRB, PINSRD, PINSRQ */
        unsigned x = lane == 1 ? P(0xc4) : X_66 | X_0F3A | (lane == 0 ? 0x20 : 0x22);
        x_rr(&g->a, x | (lane == 3 ? X_W : 0), 4, xr(dst), (X86Reg)v);
        x_byte(&g->a, i);
    } else {
        x_rm(&g->a, X_MOVUPS_ST, 4, xr(dst), m);
        x_store(&g->a, 1u << lane, env_mem(m.disp + (int32_t)(i << lane)), (X86Reg)v);
        x_rm(&g->a, X_MOVUPS, 4, xr(dst), m);
    }
    def_reg(g, CUR, dst, false);
}

void emit_vfromint(Gen *g)
{
    IrRef v = g->op->a;
    int a = use_gpr(g, v), dst = pick_xmm(g, NO_REG, 0);

    x_rr(&g->a, X_MOVD | (bytes_of(g, v) == 8 ? X_W : 0), 4, xr(dst), (X86Reg)a);
    def_reg(g, CUR, dst, false);
}

void emit_vcvt(Gen *g)
{
    static const unsigned x[] = {
        [VCVT_DQ2PS] = X_0F | 0x5b,         [VCVT_PS2DQ] = X_66 | X_0F | 0x5b,
        [VCVT_TPS2DQ] = X_F3 | X_0F | 0x5b, [VCVT_DQ2PD] = X_F3 | X_0F | 0xe6,
        [VCVT_PD2DQ] = X_F2 | X_0F | 0xe6,  [VCVT_TPD2DQ] = X_66 | X_0F | 0xe6,
        [VCVT_PS2PD] = X_0F | 0x5a,         [VCVT_PD2PS] = X_66 | X_0F | 0x5a,
    };
    int a, dst;

    if (g->op->aux >= VCVT_PH2PS) {
        emit_vex_cvt(g);
        return;
    }
    if (use_vex(g)) {
        emit_vex_un(g, x[g->op->aux]);
        return;
    }
    a = use_xmm(g, g->op->a);
    dst = pick_xmm(g, a, 0);
    x_rr(&g->a, x[g->op->aux], 4, xr(dst), xr(a));
    def_reg(g, CUR, dst, false);
}
