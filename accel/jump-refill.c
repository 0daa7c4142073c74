/* SPDX-License-Identifier: MIT */
/*
 * The first stop of a jump that is not in the jump cache: look for a block that exists, without
 * leaving translated code. Compiled for general registers only and calling nothing that is not, so
 * that vector state stays in registers. Whatever is not plain is left to the execution loop.
 */
#include "accel/jump-lists.h"
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

static void note_large(JumpIndex *x, uint64_t addr)
{
    uint64_t bit, *word = jump_unit_word(x, addr, &bit);

    *word |= bit;
}

void jump_cache_enter(Cpu *cpu, const CpuContext *ctx, const StlbEntry *e, const Tb *tb)
{
    JumpIndex *x = cpu->run->jumps;
    uint32_t entry = tcg_jc_offset(ctx->pc, cpu->jc_key) / sizeof(JumpEntry);
    JumpEntry *j = &cpu->run->tail->jc[entry];

    if (j->tag != tcg_jc_empty(entry))
        jump_unlink(x, entry);
    jump_link(x, jump_list(ctx->pc, tb->straddles), entry);
    *j = (JumpEntry){ ctx->pc, (void *)(uintptr_t)tb->code->far_entry };
    if (e->flags & STLB_LARGE)
        note_large(x, ctx->linear);
    if (tb->straddles) /* the other page may be a large one */
        note_large(x, ctx->linear + PAGE_SIZE);
    x->kernel_nonglobal |= ctx->kernel && !(e->flags & STLB_GLOBAL);
    x->based |= ctx->pc != ctx->linear;
}

/* May no other block be run in its stead, and none looked at before? */
static bool is_plain(const Tb *tb)
{
    return !tb->straddles && !tb->check && tb->code->far_entry;
}

/* Helpers that change the mode may leave it to whoever asks next to find the context. */
static bool context_is_known(Cpu *cpu, const CpuContext *ctx)
{
    if (cpu->run->context_dirty)
        cpu_context_is(cpu, ctx->mode, ctx->cs_base, ctx->kernel);
    return !cpu->run->context_dirty;
}

static const void *probe(const Cpu *cpu, uint64_t pc)
{
    const JumpEntry *j = &cpu->run->tail->jc[tcg_jc_offset(pc, cpu->jc_key) / sizeof(JumpEntry)];

    return j->tag == pc ? j->host : NULL;
}

static const void *find_plain(Cpu *cpu, const CpuContext *ctx)
{
    Accel *a = cpu->run->accel;
    const StlbEntry *e = tlb_lookup(cpu, ctx->linear, ctx->mmu);
    const Tb *tb;

    if (!e || engine_splits_at(a, ctx->linear) || !(e->prot & PROT_X) ||
        (e->flags & (STLB_IO | STLB_WATCHED)))
        return NULL;
    tb = tb_find(&a->tbs, e->ram | (ctx->linear & (PAGE_SIZE - 1)), ctx->mode,
                 e->flags & STLB_UNIT_LARGE ? UNIT_LARGE : PAGE_SIZE, false);
    if (!tb || !is_plain(tb))
        return NULL;
    jump_cache_enter(cpu, ctx, e, tb);
    return tb->code->far_entry;
}

const void *jump_refill(void *env, uint64_t pc)
{
    Cpu *cpu = env;
    bool was_dirty = cpu->run->context_dirty;
    const void *host = NULL;
    CpuContext ctx;

    if (log_enabled(LOG_UNCHAINED) || !cpu->ops->quick_context ||
        !cpu->ops->quick_context(cpu, pc, &ctx) || !context_is_known(cpu, &ctx))
        return NULL;
    if (was_dirty)
        host = probe(cpu, pc);
    if (!host)
        host = find_plain(cpu, &ctx);
    cpu->run->accel->stats.jumps_refilled += host != NULL;
    return host;
}
