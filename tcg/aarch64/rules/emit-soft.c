/* SPDX-License-Identifier: MIT */
/* Ops that the portable back end performs (soft.c), and the control words of floating point. */
#include "tcg/aarch64/gen.h"

#define CUR ((IrRef)g->cur)

static void put_operand(Gen *g, unsigned i, IrRef v)
{
    int32_t to = scr(g, SCR_ARG + 32 * (int32_t)i);
    IrType t = type_of(g, v);
    int r;

    if (is_wide(t)) {
        copy_wide(g, to, wide_off(g, v), bytes_of(g, v));
        return;
    }
    if (is_vec(t)) {
        r = use_vec(g, v);
    } else {
        r = t == I1 ? use_zx(g, v, X16) : use_gpr_z(g, v);
    }
    env_store(&g->a, is_vec(t) ? bytes_of(g, v) : 8, r, to);
    unlock(g, r == X16 ? ZR : r);
}

void emit_soft(Gen *g)
{
    unsigned n = ir_operands(g->ir, g->op);
    IrType t = (IrType)g->op->type;
    int r;

    for (unsigned i = 0; i < n; i++) {
        put_operand(g, i, g->op->arg[i]);
    }
    evict_all_env(g, false); /* control words of floating point */
    a_bl(&g->a, g->be->soft_op);
    a_word(&g->a, soft_number(g->be->soft, g->ir, g->cur));
    a_flags_changed(&g->a);
    if (g->last[g->cur] == 0) {
        return;
    }
    if (is_wide(t)) {
        int32_t to = def_spill(g, CUR);
        copy_wide(g, to, scr(g, SCR_RET), ir_type_info[t].bytes);
        return;
    }
    r = is_vec(t) ? pick_vec(g, 0) : pick_gpr(g, 0);
    env_load(&g->a, ir_type_info[t].bytes, r, scr(g, SCR_RET));
    def_reg(g, CUR, r, !is_vec(t));
}

/* -- Control and status words: env's are current, but for what FPSR has with FEAT_AFP --------- */

void emit_fpclear(Gen *g)
{
    g->fp_checked = true;
    env_store(&g->a, 4, ZR, scr(g, SCR_RAISED));
}

void emit_fpcheck(Gen *g)
{
    FaultPoint p;
    Stub *s;

    g->fp_checked = false;
    rest_bundle(g, g->notes->flags_at[g->cur]);
    p = fault_point(g);
    env_load(&g->a, 4, X16, scr(g, SCR_RAISED));
    env_load(&g->a, 4, X17, g->be->layout->mxcsr);
    a_alu_sh(&g->a, A_BIC, 4, X16, X16, X17, A_LSR, 7);
    s = cond_stub(g, STUB_TRAP, (Cond){ .kind = IF_NONZERO, .reg = X16, .w = 4 });
    s->point = p;
    s->code = g->op->imm;
}

void emit_getmxcsr(Gen *g)
{
    int r = pick_gpr(g, 0);

    if (g->be->feat.afp) {
        a_bl(&g->a, g->be->gather);
    }
    env_load(&g->a, 4, r, g->be->layout->mxcsr);
    def_reg(g, CUR, r, true);
}

static void set_word(Gen *g, unsigned bytes, int32_t off)
{
    int r = use_gpr_z(g, g->op->a);

    evict_env(g, off, bytes);
    env_store(&g->a, bytes, r, off);
}

void emit_setmxcsr(Gen *g)
{
    set_word(g, 4, g->be->layout->mxcsr);
    a_bl(&g->a, g->be->set_modes);
}

void emit_setfcw(Gen *g)
{
    set_word(g, 2, g->be->layout->fcw);
}

#define FSW_BITS 0x23f /* what F80 ops leave there */

void emit_getfsw(Gen *g)
{
    int r = pick_gpr(g, 0);

    env_load(&g->a, 2, r, g->be->layout->fsw);
    a_mov_imm(&g->a, X16, FSW_BITS);
    a_alu(&g->a, A_AND, 4, r, r, X16);
    def_reg(g, CUR, r, true);
}

void emit_setfsw(Gen *g)
{
    int32_t off = g->be->layout->fsw;
    int r = use_gpr_z(g, g->op->a);

    evict_env(g, off, 2);
    env_load(&g->a, 2, X17, off);
    a_mov_imm(&g->a, X16, FSW_BITS);
    a_alu(&g->a, A_BIC, 4, X17, X17, X16);
    a_alu(&g->a, A_AND, 4, X16, X16, r);
    a_alu(&g->a, A_ORR, 4, X17, X17, X16);
    env_store(&g->a, 2, X17, off);
}

void emit_vzeroupper(Gen *g)
{
    for (unsigned i = 0; i < g->ir->nslots; i++) {
        if (ir_slot_has_upper(&g->ir->slots[i])) {
            evict_env(g, g->be->slot[i].off, 32);
        }
    }
    a_vzero(&g->a, 0);
    for (unsigned i = 0; i < g->ir->nslots; i++) {
        if (ir_slot_has_upper(&g->ir->slots[i])) {
            env_store(&g->a, 16, VEC(0), g->be->slot[i].off + 16);
        }
    }
}
