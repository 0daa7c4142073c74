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

/* vbase is that of the block's mapping unit. */
static inline const Op *enter_near(Interp *x, const Unit *unit)
{
    s32 *budget = ENV(x, s32, budget);

    if (G_UNLIKELY(unit->code->retired)) {
        *ENV(x, u64, pc) = *ENV(x, u64, vbase) + unit->start;
        x->leave.reason = 0;
        return leave(x, TCG_EXIT_LOOKUP);
    }
    if (G_UNLIKELY(*budget < unit->ninsns)) {
        *ENV(x, u64, pc) = *ENV(x, u64, vbase) + unit->start;
        return leave(x, TCG_EXIT_BUDGET);
    }
    *budget -= unit->ninsns;
    x->unit = unit;
    x->base[BASE_CONSTS] = (u8 *)unit->consts;
    return unit->ops;
}

const Op *interp_enter_far(Interp *x, const Unit *unit)
{
    *ENV(x, u64, vbase) = *ENV(x, u64, pc) - unit->start;
    return enter_near(x, unit);
}

/* -- Leaving: the flags record is current when these run
 * -------------------------------------------- */

const Op *interp_branch_if(const Op *op, Interp *x)
{
    return get_u8(x, op->a) ? op + op->imm : op + 1;
}

/* aux: link slot */
const Op *interp_goto(const Op *op, Interp *x)
{
    TcgCode *code = x->unit->code, *to = code->link[op->aux].to;

    if (G_LIKELY(to)) {
        return enter_near(x, to->near_entry);
    }
    *ENV(x, u64, pc) = *ENV(x, u64, vbase) + code->link[op->aux].offset;
    x->leave.from = code;
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

/* imm: offset of the instruction that is not executed */
const Op *interp_exit_here(const Op *op, Interp *x)
{
    *ENV(x, u64, pc) = *ENV(x, u64, vbase) + (u64)op->imm;
    return interp_exit(op, x);
}

const Op *interp_trap(const Op *op, Interp *x)
{
    *ENV(x, u64, pc) = *ENV(x, u64, vbase) + (u64)op->imm;
    ENV(x, SlowAccess, slow)->host_pc = 0;
    x->layout->trap(x->env, op->aux);
    g_assert_not_reached();
}

/* imm: instructions that were not executed after all */
const Op *interp_give_back(const Op *op, Interp *x)
{
    *ENV(x, s32, budget) += (s32)op->imm;
    return op + 1;
}

const Op *interp_end(const Op *op, Interp *x)
{
    return NULL;
}

const Op *interp_fence(const Op *op, Interp *x)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return op + 1;
}
