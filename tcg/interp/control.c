/* SPDX-License-Identifier: MIT */
/* Entering and leaving blocks, branches and traps. */
#include "tcg/interp/interp.h"

/* -- Entry ----------------------------------------------------------------------------------------
 */

static const Op *leave(Interp *x, TcgExit kind)
{
    x->leave.kind = kind;
    return NULL;
}

static const Op *look_up(Interp *x, const Unit *unit, TcgExit kind)
{
    *ENV(x, u64, pc) = *x->vbase + unit->start;
    x->leave.reason = 0;
    return leave(x, kind);
}

/* vbase is that of the block's mapping unit. */
static inline const Op *enter_near(Interp *x, const Unit *unit)
{
    s32 left = *x->budget - unit->ninsns;

    if (G_UNLIKELY(unit->needs > x->nconsts)) {
        return look_up(x, unit, TCG_EXIT_LOOKUP);
    }
    if (G_UNLIKELY(left < 0)) {
        return look_up(x, unit, TCG_EXIT_BUDGET);
    }
    *x->budget = left;
    x->unit = unit;
    return unit->ops;
}

const Op *interp_enter_far(Interp *x, const Unit *unit)
{
    *x->vbase = *ENV(x, u64, pc) - unit->start;
    return enter_near(x, unit);
}

/* -- Leaving: the flags record is current when these run
 * -------------------------------------------- */

const Op *interp_branch_if(const Op *op, Interp *x)
{
    return skip(op, get_u8(x, op->a) ? op->imm : 1, x);
}

/* aux: link slot, imm: instructions that are not executed after all */
const Op *interp_goto(const Op *op, Interp *x)
{
    const Unit *to = x->unit->link[op->aux];

    *x->budget += (s32)op->imm;
    if (G_LIKELY(to)) {
        return enter_near(x, to);
    }
    *ENV(x, u64, pc) = *x->vbase + x->unit->code->link[op->aux].offset;
    x->leave.from = x->unit->code;
    x->leave.link = op->aux;
    return leave(x, TCG_EXIT_LINK);
}

const Op *interp_jump(const Op *op, Interp *x)
{
    u64 pc = get_u64(x, op->a);
    const JumpEntry *e =
        (const JumpEntry *)(x->env + x->layout->jc + tcg_jc_offset(pc, *ENV(x, u64, jc_key)));

    *ENV(x, u64, pc) = pc;
    if (G_LIKELY(e->tag == pc)) {
        return interp_enter_far(x, e->host);
    }
    x->leave.reason = op->aux;
    x->leave.offset = (u32)op->imm;
    return leave(x, TCG_EXIT_LOOKUP);
}

const Op *interp_exit(const Op *op, Interp *x)
{
    x->leave.reason = op->aux;
    return leave(x, TCG_EXIT_REASON);
}

/* imm: offset of the instruction that is not executed; d: it and how many more are not */
static void stop_before(const Op *op, Interp *x)
{
    *x->budget += op->d;
    *ENV(x, u64, pc) = *x->vbase + (u64)op->imm;
}

const Op *interp_exit_here(const Op *op, Interp *x)
{
    stop_before(op, x);
    return interp_exit(op, x);
}

const Op *interp_trap(const Op *op, Interp *x)
{
    stop_before(op, x);
    ENV(x, SlowAccess, slow)->host_pc = 0;
    x->layout->trap(x->env, op->aux);
    g_assert_not_reached();
}

const Op *interp_end(const Op *op, Interp *x)
{
    return NULL;
}

const Op *interp_fence(const Op *op, Interp *x)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return next(op, x);
}
