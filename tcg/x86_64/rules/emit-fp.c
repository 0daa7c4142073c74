/* SPDX-License-Identifier: MIT */
/*
 * Floating point. SSE ops are the host's own under the guest's MXCSR, ops x87 … are themselves.
 * Other F80 ops, which do not come together with these, load values from memory, compute under the
 * guest's FCW, leave the host's exception flags and C1 in env (x87_status) and store the result.
 */
#include "tcg/x86_64/gen.h"

#include <string.h>

#define CUR ((IrRef)g->cur)

static X86Reg xr(int r)
{
    return (X86Reg)(r - 16);
}

static unsigned sse_prefix(const Gen *g, IrType t, unsigned lane)
{
    switch (t) {
    case F32: return X_F3;
    case F64: return X_F2;
    default: return lane == 3 ? X_66 : lane == 4 ? X_F3 : lane == 5 ? X_F2 : 0;
    }
}

/* -- x87 -------------------------------------------------------------------------------------- */

static void x87(Gen *g, unsigned b0, unsigned b1)
{
    x_byte(&g->a, b0);
    x_byte(&g->a, b1);
}

static void fld80(Gen *g, IrRef v)
{
    g_assert(g->loc[v].kind == LOC_ENV || g->loc[v].kind == LOC_SPILL);
    x_rm(&g->a, 0xdb, 4, (X86Reg)5, env_mem(g->loc[v].off));
}

/* Exception flags gather, C1 is the latest op's. */
static void x87_status(Gen *g)
{
    int32_t fsw = env_off(g->be->layout->fsw);
    int t = alloc_gpr(g);

    x_rm(&g->a, 0xdd, 4, (X86Reg)7, env_mem(scr(g, SCR_TMP))); /* FNSTSW m16 */
    x_load(&g->a, 2, (X86Reg)t, env_mem(scr(g, SCR_TMP)));
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, 0x23f);
    x_flags_rm(&g->a, 0x81, 2, (X86Reg)ALU_AND, env_mem(fsw));
    x_byte(&g->a, 0xff);
    x_byte(&g->a, 0xfd); /* all but C1 */
    x_alu_mr(&g->a, ALU_OR, 2, env_mem(fsw), (X86Reg)t);
    unlock(g, t);
}

static void store_f80(Gen *g)
{
    x_rm(&g->a, 0xdb, 4, (X86Reg)7, env_mem(def_spill(g, CUR)));
}

/* -- The guest's stack on the host's ---------------------------------------------------------- */

void emit_x87(Gen *g)
{
    Mem tmp = env_mem(scr(g, SCR_TMP));
    int r;

    if (g->op->type == I16) {
        x_rm(&g->a, 0xdd, 4, (X86Reg)7, tmp); /* FNSTSW m16 */
        r = alloc_gpr(g);
        x_load(&g->a, 2, (X86Reg)r, tmp);
        def_reg(g, CUR, r, true);
        return;
    }
    x87(g, 0xd8 + (g->op->imm >> 8), g->op->imm & 0xff);
    if (g->op->type == I32) {
        x_flags_changed(&g->a);
        r = alloc_gpr(g);
        x_byte(&g->a, 0x9c); /* PUSHFQ */
        x_pop(&g->a, (X86Reg)r);
        x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)r, FLAG_ZF | FLAG_PF | FLAG_CF);
        def_reg(g, CUR, r, true);
    }
}

void emit_x87_slot(Gen *g)
{
    int32_t off = g->be->slot[g->op->imm].off;

    evict_env(g, off, 32);
    x_rm(&g->a, 0xd8 + (g->op->b >> 8), 4, (X86Reg)(g->op->b >> 3 & 7), env_mem(off + g->op->aux));
}

void emit_x87_if(Gen *g)
{
    X86Reg r = (X86Reg)use_gpr(g, g->op->a);

    x_test(&g->a, 4, r, r);
    x87(g, 0xdb, 0xc8 + g->op->imm); /* FCMOVNE */
}

static void binary_f80(Gen *g)
{
    /* FADDP, FSUBP, FMULP, FDIVP: ST1 op ST0, pop */
    unsigned op = g->op->op;

    fld80(g, g->op->a);
    fld80(g, g->op->b);
    x87(g, 0xde, op == OP_fadd ? 0xc1 : op == OP_fmul ? 0xc9 : op == OP_fsub ? 0xe9 : 0xf9);
    x87_status(g);
    store_f80(g);
}

/* -- Arithmetic ------------------------------------------------------------------------------- */

void emit_fbin(Gen *g)
{
    static const uint8_t code[IR_NOPS] = { [OP_fadd] = 0x58, [OP_fmul] = 0x59, [OP_fsub] = 0x5c,
                                           [OP_fmin] = 0x5d, [OP_fdiv] = 0x5e, [OP_fmax] = 0x5f };
    IrType t = (IrType)g->op->type;
    int a, b, dst;

    if (t == F80) {
        binary_f80(g);
        return;
    }
    if (use_vex(g)) {
        emit_vex_bin(g, sse_prefix(g, t, g->op->aux) | X_0F | code[g->op->op]);
        return;
    }
    a = use_xmm(g, g->op->a);
    b = use_xmm(g, g->op->b);
    dst = pick_xmm_part(g, a, b != a ? 1u << b : 0);
    if (dst != a) {
        x_rr(&g->a, X_MOVAPS, 4, xr(dst), xr(a));
    }
    x_rr(&g->a, sse_prefix(g, t, g->op->aux) | X_0F | code[g->op->op], 4, xr(dst), xr(b));
    def_reg(g, CUR, dst, false);
}

void emit_fun(Gen *g)
{
    IrType t = (IrType)g->op->type;
    int a, dst;

    if (t == F80) {
        fld80(g, g->op->a);
        x87(g, 0xd9, g->op->op == OP_fsqrt ? 0xfa : 0xfc); /* FSQRT, FRNDINT */
        x87_status(g);
        store_f80(g);
        return;
    }
    if (g->op->op == OP_fround) {
        emit_vround(g);
        return;
    }
    if (use_vex(g)) {
        emit_vex_un(g, sse_prefix(g, t, g->op->aux) | X_0F | 0x51);
        return;
    }
    a = use_xmm(g, g->op->a);
    dst = pick_xmm(g, a, 0);
    x_rr(&g->a, sse_prefix(g, t, g->op->aux) | X_0F | 0x51, 4, xr(dst), xr(a));
    def_reg(g, CUR, dst, false);
}

void emit_fcmp(Gen *g)
{
    IrType t = (IrType)g->op->type;
    int a, b, dst;

    if (use_vex(g) || g->op->imm > 7) {
        emit_vex_bin_imm(g, sse_prefix(g, t, g->op->aux) | X_0F | 0xc2, g->op->imm & 31);
        return;
    }
    a = use_xmm(g, g->op->a);
    b = use_xmm(g, g->op->b);
    dst = pick_xmm_part(g, a, b != a ? 1u << b : 0);

    if (dst != a) {
        x_rr(&g->a, X_MOVAPS, 4, xr(dst), xr(a));
    }
    x_rr(&g->a, sse_prefix(g, t, g->op->aux) | X_0F | 0xc2, 4, xr(dst), xr(b));
    x_byte(&g->a, g->op->imm & 7);
    def_reg(g, CUR, dst, false);
}

/* COMISS and FCOMIP set ZF PF CF and clear the rest. */
void emit_fcomi(Gen *g)
{
    IrType t = (IrType)g->ops[g->op->a].type;
    bool quiet = g->op->imm;
    int r;

    if (t == F80) {
        fld80(g, g->op->b);
        fld80(g, g->op->a);
        x87(g, quiet ? 0xdf : 0xdf, quiet ? 0xe9 : 0xf1); /* FUCOMIP, FCOMIP ST1 */
    } else {
        int a = use_xmm(g, g->op->a), b = use_xmm(g, g->op->b);
        x_rr(&g->a, (t == F64 ? X_66 : 0) | X_0F | (quiet ? 0x2e : 0x2f), 4, xr(a), xr(b));
    }
    x_flags_changed(&g->a);
    r = alloc_gpr(g);
    x_byte(&g->a, 0x9c); /* PUSHFQ */
    x_pop(&g->a, (X86Reg)r);
    if (t == F80) {
        x87_status(g);
        x87(g, 0xdd, 0xd8); /* FSTP ST0 */
    }
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)r, FLAG_ZF | FLAG_PF | FLAG_CF);
    def_reg(g, CUR, r, true);
}

/* -- Conversion ------------------------------------------------------------------------------- */

static void f2f_x87(Gen *g, IrType from, IrType to)
{
    Mem tmp = env_mem(scr(g, SCR_RET));
    int r;

    if (to == F80) {
        r = use_xmm(g, g->op->a);
        x_rm(&g->a, from == F64 ? X_MOVSD_ST : X_MOVSS_ST, 4, xr(r), tmp);
        x_rm(&g->a, from == F64 ? 0xdd : 0xd9, 4, (X86Reg)0, tmp); /* FLD m64, m32 */
        x87_status(g);
        store_f80(g);
        return;
    }
    fld80(g, g->op->a);
    x_rm(&g->a, to == F64 ? 0xdd : 0xd9, 4, (X86Reg)3, tmp); /* FSTP m64, m32 */
    x87_status(g);
    r = alloc_xmm(g);
    x_rm(&g->a, to == F64 ? X_MOVSD : X_MOVSS, 4, xr(r), tmp);
    def_reg(g, CUR, r, false);
}

void emit_f2f(Gen *g)
{
    IrType from = (IrType)g->ops[g->op->a].type, to = (IrType)g->op->type;
    int a, dst;

    if (from == F80 || to == F80) {
        f2f_x87(g, from, to);
        return;
    }
    a = use_xmm(g, g->op->a);
    dst = pick_xmm(g, a, 0);
    x_rr(&g->a, (from == F64 ? X_F2 : X_F3) | X_0F | 0x5a, 4, xr(dst), xr(a));
    def_reg(g, CUR, dst, false);
}

void emit_i2f(Gen *g)
{
    IrType to = (IrType)g->op->type;
    unsigned n = bytes_of(g, g->op->a);
    Mem tmp = env_mem(scr(g, SCR_RET));
    int a = use_gpr(g, g->op->a), dst;

    if (to == F80) {
        x_store(&g->a, n, tmp, (X86Reg)a);
        x_rm(&g->a, n == 4 ? 0xdb : 0xdf, 4, (X86Reg)(n == 8 ? 5 : 0), tmp); /* FILD */
        x87_status(g);
        store_f80(g);
        return;
    }
    dst = alloc_xmm(g);
    x_rr(&g->a, X_0F | 0x57, 4, xr(dst), xr(dst)); /* no wait for what it held */
    x_rr(&g->a, (to == F64 ? X_F2 : X_F3) | X_0F | 0x2a | (n == 8 ? X_W : 0), 4, xr(dst),
         (X86Reg)a);
    def_reg(g, CUR, dst, false);
}

/* FISTP; truncation by FISTTP where the host has it, else by FCW. */
static void f80_to_int(Gen *g, unsigned n)
{
    Mem tmp = env_mem(scr(g, SCR_RET)), cw = env_mem(scr(g, SCR_RET + 8));
    bool truncate = g->op->imm, swap = truncate && !g->be->feat.sse3;
    int dst;

    fld80(g, g->op->a);
    if (truncate && !swap) {
        x_rm(&g->a, n == 2 ? 0xdf : n == 4 ? 0xdb : 0xdd, 4, (X86Reg)1, tmp);
    } else {
        if (swap) {
            int t = alloc_gpr(g);
            x_rm(&g->a, 0xd9, 4, (X86Reg)7, cw); /* FNSTCW */
            x_load(&g->a, 2, (X86Reg)t, cw);
            x_alu_imm(&g->a, ALU_OR, 4, (X86Reg)t, 0xc00);
            x_store(&g->a, 2, tmp, (X86Reg)t);
            x_rm(&g->a, 0xd9, 4, (X86Reg)5, tmp); /* FLDCW */
            unlock(g, t);
        }
        x_rm(&g->a, n == 4 ? 0xdb : 0xdf, 4, (X86Reg)(n == 8 ? 7 : 3), tmp);
        if (swap) {
            x_rm(&g->a, 0xd9, 4, (X86Reg)5, cw);
        }
    }
    x87_status(g);
    dst = pick_gpr(g, NO_REG, 0);
    x_load(&g->a, n, (X86Reg)dst, tmp);
    def_reg(g, CUR, dst, n < 8);
}

void emit_f2i(Gen *g)
{
    IrType from = (IrType)g->ops[g->op->a].type;
    unsigned n = ir_type_info[g->op->type].bytes;
    int a, dst;

    if (from == F80) {
        f80_to_int(g, n);
        return;
    }
    a = use_xmm(g, g->op->a);
    dst = pick_gpr(g, NO_REG, 0);
    x_rr(&g->a,
         (from == F64 ? X_F2 : X_F3) | X_0F | (g->op->imm ? 0x2c : 0x2d) | (n == 8 ? X_W : 0), 4,
         (X86Reg)dst, xr(a));
    def_reg(g, CUR, dst, n == 4);
}

/* -- Status and control ----------------------------------------------------------------------- */

static void ldmxcsr(Gen *g, Mem m)
{
    x_rm(&g->a, X_0F | 0xae, 4, (X86Reg)2, m);
}

static Mem mxcsr(const Gen *g)
{
    return env_mem(env_off(g->be->layout->mxcsr));
}

/* Sticky bits of the host into env and, as they are, into the result. */
static int gather(Gen *g)
{
    Mem tmp = env_mem(scr(g, SCR_TMP));
    int t = alloc_gpr(g);

    x_rm(&g->a, X_0F | 0xae, 4, (X86Reg)3, tmp); /* STMXCSR */
    x_load(&g->a, 4, (X86Reg)t, tmp);
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, 0x3f);
    x_alu_mr(&g->a, ALU_OR, 4, mxcsr(g), (X86Reg)t);
    return t;
}

void emit_fpclear(Gen *g)
{
    Mem tmp = env_mem(scr(g, SCR_TMP));
    int t = gather(g);

    x_load(&g->a, 4, (X86Reg)t, tmp);
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, ~0x3f);
    x_store(&g->a, 4, tmp, (X86Reg)t);
    ldmxcsr(g, tmp);
}

void emit_fpcheck(Gen *g)
{
    int t, u;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    t = gather(g);
    u = alloc_gpr(g);
    x_load(&g->a, 4, (X86Reg)u, mxcsr(g));
    x_shift_imm(&g->a, SH_SHR, 4, (X86Reg)u, 7);
    x_not(&g->a, 4, (X86Reg)u);
    x_test(&g->a, 4, (X86Reg)u, (X86Reg)t);
    trap_stub(g, CC_NZ, g->op->imm);
}

void emit_getmxcsr(Gen *g)
{
    int t = gather(g);

    x_load(&g->a, 4, (X86Reg)t, mxcsr(g));
    def_reg(g, CUR, t, true);
}

void emit_setmxcsr(Gen *g)
{
    Mem tmp = env_mem(scr(g, SCR_TMP));
    int t = copy_gpr(g, g->op->a);

    x_store(&g->a, 4, mxcsr(g), (X86Reg)t);
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, 0xffff);
    x_alu_imm(&g->a, ALU_OR, 4, (X86Reg)t, 0x1f80);
    x_store(&g->a, 4, tmp, (X86Reg)t);
    ldmxcsr(g, tmp);
}

void emit_getfsw(Gen *g)
{
    int t = alloc_gpr(g);

    x_load(&g->a, 2, (X86Reg)t, env_mem(env_off(g->be->layout->fsw)));
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, 0x23f);
    def_reg(g, CUR, t, true);
}

void emit_setfsw(Gen *g)
{
    int32_t fsw = env_off(g->be->layout->fsw);
    int t = copy_gpr(g, g->op->a);

    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, 0x23f);
    x_flags_rm(&g->a, 0x81, 2, (X86Reg)ALU_AND, env_mem(fsw));
    x_byte(&g->a, 0xc0); /* 0xfdc0: the other bits stay */
    x_byte(&g->a, 0xfd);
    x_alu_mr(&g->a, ALU_OR, 2, env_mem(fsw), (X86Reg)t);
    x87(g, 0xdb, 0xe2); /* FNCLEX: the host's gather from nothing again */
}

void emit_setfcw(Gen *g)
{
    Mem tmp = env_mem(scr(g, SCR_TMP));
    int t = copy_gpr(g, g->op->a);

    x_store(&g->a, 2, env_mem(env_off(g->be->layout->fcw)), (X86Reg)t);
    x_alu_imm(&g->a, ALU_AND, 4, (X86Reg)t, 0xf3f);
    x_alu_imm(&g->a, ALU_OR, 4, (X86Reg)t, 0x3f);
    x_store(&g->a, 2, tmp, (X86Reg)t);
    x_rm(&g->a, 0xd9, 4, (X86Reg)5, tmp); /* FLDCW */
}
