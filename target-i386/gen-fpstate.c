/* SPDX-License-Identifier: MIT */
/*
 * FXSAVE, FXRSTOR and the XSAVE family (SDM vol. 2; vol. 1, chapter 13): helpers do the work, here
 * stand the checks of mode. What loads state ends the block: TOP and the classes of FCW and MXCSR
 * are another's.
 */
#include "target-i386/gen-fp.h"
#include "target-i386/help-fp.h"

static uint32_t width(const Insn *i)
{
    return i->rex & 8 ? XSTATE_W64 : 0;
}

/* False: an exception was built instead. */
static bool fx_allowed(Dis *d)
{
    if (!(d->mode & (X86_MODE_EM | X86_MODE_TS)))
        return x87_at_home(d);
    trap(d, X86_TRAP(EXCP_NM));
    return false;
}

static bool xsave_allowed(Dis *d)
{
    if (!(d->mode & X86_MODE_OSXSAVE))
        trap_ud(d);
    else if (d->mode & X86_MODE_TS)
        trap(d, X86_TRAP(EXCP_NM));
    return !d->ended && x87_at_home(d);
}

/* Where alignment checks are on, images of FXSAVE that are not at a multiple of 4 are #AC, others
 * not at one of 16 #GP, as AMD has it. */
static IrRef image_address(Dis *d, Insn *i, unsigned size, bool write)
{
    Mem m = mem_operand(d, i, size, write);

    if (size == 512)
        check_alignment(d, m, 4);
    return mem_linear(d, i, m, size);
}

static void save(Dis *d, Insn *i, unsigned helper, unsigned size, uint32_t how)
{
    IrRef addr = image_address(d, i, size, true), mxcsr = ir_getmxcsr(d->ir);

    call3(d, helper, addr, const32(d, how | width(i)), mxcsr);
}

static void restore(Dis *d, Insn *i, unsigned helper, unsigned size, uint32_t how)
{
    IrBlock *ir = d->ir;
    IrRef addr = image_address(d, i, size, false);

    call2(d, helper, addr, const32(d, how | width(i)));
    ir_setmxcsr(ir, ir_get(ir, I32, SLOT_MXCSR, 0));
    ir_setfcw(ir, ir_zext(ir, I32, ir_get(ir, I16, SLOT_FCW, 0)));
    leave_jump(d, pc_next(d), JUMP_DIRECT);
}

void gen_fxsave(Dis *d, Insn *i)
{
    if (fx_allowed(d))
        save(d, i, HELP_fxsave, 512, 0);
}

void gen_fxrstor(Dis *d, Insn *i)
{
    if (fx_allowed(d))
        restore(d, i, HELP_fxrstor, 512, 0);
}

void gen_xsave(Dis *d, Insn *i)
{
    if (xsave_allowed(d))
        save(d, i, HELP_xsave, 576, 0);
}

void gen_xsaveopt(Dis *d, Insn *i)
{
    if (xsave_allowed(d))
        save(d, i, HELP_xsave, 576, XSTATE_OPT);
}

void gen_xsavec(Dis *d, Insn *i)
{
    if (xsave_allowed(d))
        save(d, i, HELP_xsave, 576, XSTATE_COMPACT);
}

void gen_xsaves(Dis *d, Insn *i)
{
    if (xsave_allowed(d))
        save(d, i, HELP_xsave, 576, XSTATE_COMPACT | XSTATE_SUPERVISOR);
}

/* The compact form may be restored where CPUID tells of XSAVEC. */
void gen_xrstor(Dis *d, Insn *i)
{
    if (xsave_allowed(d))
        restore(d, i, HELP_xrstor, 576, d->dm.features >> FEAT_XSAVEC & 1 ? XSTATE_COMPACT : 0);
}

void gen_xrstors(Dis *d, Insn *i)
{
    if (xsave_allowed(d))
        restore(d, i, HELP_xrstor, 576, XSTATE_COMPACT | XSTATE_SUPERVISOR);
}
