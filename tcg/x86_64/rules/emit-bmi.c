/* SPDX-License-Identifier: MIT */
/* Bit scatter and gather: BMI2 where the host has it, else C (slow.c). */
#include "tcg/x86_64/gen.h"

static void slow_bits(Gen *g)
{
    int r = use_gpr(g, g->op->a);

    x_store(&g->a, 8, env_mem(scr(g, SCR_ARG)), (X86Reg)r);
    unlock(g, r);
    r = use_gpr(g, g->op->b);
    x_store(&g->a, 8, env_mem(scr(g, SCR_ARG + 16)), (X86Reg)r);
    unlock(g, r);
    x_store_imm(&g->a, 4, env_mem(scr(g, SCR_ARG + 32)), g->op->op | g->op->type << 16);
    x_call(&g->a, g->be->bits_slow);
    x_flags_changed(&g->a);
    r = alloc_gpr(g);
    x_load(&g->a, 8, (X86Reg)r, env_mem(scr(g, SCR_RET)));
    def_reg(g, (IrRef)g->cur, r, true);
}

void emit_pdep(Gen *g)
{
    bool wide = g->op->type == I64;
    unsigned x = X_0F38 | 0xf5 | (g->op->op == OP_pdep ? X_F2 : X_F3) | (wide ? X_W : 0);
    int a, b, dst;

    if (!g->be->feat.bmi2) {
        slow_bits(g);
        return;
    }
    a = use_gpr(g, g->op->a);
    b = use_gpr(g, g->op->b);
    dst = pick_gpr(g, NO_REG, 0);
    x_vex_rr(&g->a, x, false, dst, a, b);
    def_reg(g, (IrRef)g->cur, dst, true);
}
