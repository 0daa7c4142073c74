/* SPDX-License-Identifier: MIT */
/*
 * The first stop of a jump that is not in the jump cache: look for a block that exists, without
 * leaving translated code. Compiled for general registers only and calling nothing that is not, so
 * that vector state stays in registers. Whatever is not plain is left to the execution loop.
 */
#include "accel/code-filter.h"
#include "accel/engine.h"
#include "softmmu/log.h"

static Tb *match(Tb *tb, uint64_t ram, uint32_t mode, uint32_t unit_size, bool no_groups)
{
    while (tb && !(tb->ram == ram && tb->mode == mode && tb->unit_size == unit_size &&
                   tb->no_groups == no_groups))
        tb = tb->hash_next;
    return tb;
}

Tb *tb_find(TbCache *c, uint64_t ram, uint32_t mode, uint32_t unit_size, bool no_groups)
{
    return match(c->hash[tb_hash(c, ram, mode, unit_size)], ram, mode, unit_size, no_groups);
}

Tb *tb_find_next(const Tb *tb)
{
    return match(tb->hash_next, tb->ram, tb->mode, tb->unit_size, tb->no_groups);
}

void tlb_note_code(Cpu *cpu, uint64_t addr, const StlbEntry *e, const CpuContext *ctx)
{
    Tlb *t = cpu->run->tlb;

    if (e->flags & STLB_LARGE)
        set_bit(t->code_units, bloom(addr >> 21, CODE_UNIT_BITS));
    else
        set_bit(t->code_pages, bloom(addr >> PAGE_BITS, CODE_PAGE_BITS));
    if (ctx->kernel && !(e->flags & STLB_GLOBAL))
        t->kernel_nonglobal = true;
    if (ctx->pc != ctx->linear)
        t->code_based = true;
}

/* May no other block be run in its stead, and none looked at before? */
static bool is_plain(const Tb *tb)
{
    return !tb->straddles && !tb->check && tb->code->far_entry;
}

const void *jump_refill(void *env, uint64_t pc)
{
    Cpu *cpu = env;
    Accel *a = cpu->run->accel;
    CpuContext ctx;
    const StlbEntry *e;
    const Tb *tb;
    JumpEntry *j;

    if (cpu->run->context_dirty || log_enabled(LOG_UNCHAINED) || !cpu->ops->quick_context ||
        !cpu->ops->quick_context(cpu, pc, &ctx))
        return NULL;
    e = tlb_lookup(cpu, ctx.linear, ctx.mmu);
    if (!e || engine_splits_at(a, ctx.linear) || !(e->prot & PROT_X) ||
        (e->flags & (STLB_IO | STLB_WATCHED)))
        return NULL;
    tb = tb_find(&a->tbs, e->ram | (ctx.linear & (PAGE_SIZE - 1)), ctx.mode,
                 e->flags & STLB_UNIT_LARGE ? UNIT_LARGE : PAGE_SIZE, false);
    if (!tb || !is_plain(tb))
        return NULL;
    tlb_note_code(cpu, ctx.linear, e, &ctx);
    j = &cpu->run->tail->jc[tcg_jc_offset(pc, cpu->jc_key) / sizeof(*j)];
    j->tag = pc;
    j->host = (void *)(uintptr_t)tb->code->far_entry;
    a->stats.jumps_refilled++;
    return tb->code->far_entry;
}
