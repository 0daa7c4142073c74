/* SPDX-License-Identifier: MIT */
/*
 * From a place in the guest to a block: look it up by where the code lies in RAM, or have the
 * architecture translate it and the compiler compile it.
 */
#include "accel/translate.h"
#include "accel/engine.h"
#include "softmmu/log.h"
#include "softmmu/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The page that holds @linear, for fetching; raises the fetch fault. */
static StlbEntry *fetch_page(Cpu *cpu, uint64_t linear, unsigned mmu)
{
    StlbEntry *e = tlb_resolve(cpu, linear, ACCESS_EXEC, mmu);

    if (!e)
        cpu->ops->raise_fault(cpu);
    return e;
}

static void read_code(Cpu *cpu, const StlbEntry *e, uint64_t linear, uint8_t *buf, unsigned len)
{
    if (e->flags & STLB_IO)
        address_space_read_bytes(cpu->run->common->memory, e->phys | (linear & (PAGE_SIZE - 1)),
                                 buf, len);
    else
        memcpy(buf, (const uint8_t *)(uintptr_t)(linear + e->addend), len);
}

const uint8_t *translate_straddling(Cpu *cpu, TranslateRequest *req, uint32_t *avail)
{
    CpuRun *run = cpu->run;
    uint32_t room = PAGE_SIZE - (req->linear & (PAGE_SIZE - 1));
    uint64_t next = cpu->ops->wrap_linear(cpu, req->linear + room);
    StlbEntry *e;
    CpuContext ctx;

    g_assert(room < 15);
    memcpy(run->straddle, req->bytes, room);
    cpu->ops->get_context(cpu, &ctx);
    e = fetch_page(cpu, next, ctx.mmu);
    read_code(cpu, e, next, run->straddle + room, 15 - room);
    run->straddled = true;
    run->straddle_ram2 = e->flags & STLB_IO ? UINT64_MAX : e->ram;
    *avail = 15;
    return run->straddle;
}

static void log_block(Cpu *cpu, const TranslateRequest *req, const uint8_t *bytes)
{
    g_autoptr(GString) out = g_string_new("----------------\nIN: \n");

    if (cpu->ops->disas) {
        cpu->ops->disas(cpu, req->mode, req->linear, bytes, req->size, out);
        for (unsigned i = 0; i < req->nfollowed; i++) {
            int32_t from = (int32_t)req->followed[i].at - (int32_t)(req->linear & (PAGE_SIZE - 1));
            cpu->ops->disas(cpu, req->mode, req->linear + (int64_t)from, bytes + from,
                            req->followed[i].size, out);
        }
    }
    g_string_append_c(out, '\n');
    log_write(out->str);
}

static void log_ir(const IrBlock *ir)
{
    g_autoptr(GString) out = g_string_new("OP:\n");

    ir_print(ir, out);
    g_string_append_c(out, '\n');
    log_write(out->str);
}

/* Where the block that was just translated lies. */
static void set_parts(Cpu *cpu, TranslateRequest *req, const StlbEntry *e)
{
    uint32_t room = PAGE_SIZE - (req->linear & (PAGE_SIZE - 1));

    req->part[0].host = (uint8_t *)(uintptr_t)(req->linear + e->addend);
    req->part[0].size = MIN(req->size, room);
    if (req->size > room) {
        req->part[1].host = accel_ram_host(cpu->run->accel, cpu->run->straddle_ram2);
        req->part[1].size = req->size - room;
    }
}

/* How neighbouring accesses are checked: at once; so, with a link for where that cannot be had;
 * each. */
typedef enum Grouping { GROUPS, GROUPS_PARTED, GROUPS_NONE } Grouping;

static Grouping grouping(const Accel *a, const Tb *tb)
{
    if (tb->no_groups)
        return GROUPS_NONE;
    if (!tb_is_parted(&a->tbs, tb->ram))
        return GROUPS;
    return tcg_links_rests(a->tcg) ? GROUPS_PARTED : GROUPS_NONE;
}

/* The frontend's part. Blocks of pages that stores often hit are to check themselves: made twice,
 * as the checks of all their bytes come first. */
static void make_ir(Cpu *cpu, TranslateRequest *req, const StlbEntry *e, bool cached, Grouping how,
                    bool apart, IrBlock *ir)
{
    CpuRun *run = cpu->run;

    ir_block_reset(ir, req->unit_offset);
    ir->no_groups = how == GROUPS_NONE;
    ir->parted = how == GROUPS_PARTED;
    ir->apart = apart;
    ir->by_jump = run->want_jc;
    run->straddled = false;
    cpu->ops->translate(cpu, req, ir);
    g_assert(req->size > 0 && ir->ninsns > 0);
    if (!cached || (e->flags & STLB_IO) || (run->straddled && run->straddle_ram2 == UINT64_MAX))
        return;
    if (run->straddled && tb_page_is_checked(&run->accel->tbs, run->straddle_ram2))
        req->checked = true;
    if (!req->checked)
        return;
    set_parts(cpu, req, e);
    ir_block_reset(ir, req->unit_offset);
    ir->no_groups = how == GROUPS_NONE;
    ir->parted = how == GROUPS_PARTED;
    ir->apart = apart;
    ir->by_jump = run->want_jc;
    cpu->ops->translate(cpu, req, ir);
}

static TbCheck *new_check(const TranslateRequest *req)
{
    TbCheck *k = g_malloc0(sizeof(TbCheck) + req->size);
    unsigned n = 0;

    k->soft = req->was_soft;
    for (unsigned i = 0; i < G_N_ELEMENTS(k->part); i++) {
        k->part[i] = req->part[i];
        if (req->part[i].size)
            memcpy(k->bytes + n, req->part[i].host, req->part[i].size);
        n += req->part[i].size;
    }
    return k;
}

/* What they ask for is put in. From the first block on of which they want to hear accesses, the
 * frontend makes all of them so that they can be told. */
static void let_plugins_look(Cpu *cpu, TranslateRequest *req, const StlbEntry *e, bool cached,
                             Grouping how, const uint8_t *bytes, IrBlock *ir, Tb *tb)
{
    bool apart = plugin_look(cpu, req, bytes, ir);

    if (cpu->run->watch_accesses && !req->accesses_told) {
        req->accesses_told = true;
        make_ir(cpu, req, e, cached, how, false, ir);
        apart = plugin_look(cpu, req, bytes, ir);
    }
    if (apart)
        make_ir(cpu, req, e, cached, how, true, ir);
    plugin_instrument(cpu, ir, tb);
    ir->all_calls = true; /* they tell of accesses */
}

static TcgCode *compile(Cpu *cpu, TranslateRequest *req, const StlbEntry *e, bool cached, Tb *tb)
{
    Accel *a = cpu->run->accel;
    bool logged =
        log_enabled(LOG_IN_ASM | LOG_OP | LOG_OP_OPT | LOG_OUT_ASM) && log_in_filter(req->linear);
    g_autoptr(GString) op = logged && log_enabled(LOG_OP_OPT)
                                ? g_string_new("OP after optimization and liveness analysis:\n")
                                : NULL;
    g_autoptr(GString) out = logged && log_enabled(LOG_OUT_ASM) ? g_string_new("OUT:\n") : NULL;
    IrBlock *ir = tcg_ir(a->tcg);
    Grouping how = grouping(a, tb);
    TcgCode *code;

    req->accesses_told = cpu->run->watch_accesses;
    make_ir(cpu, req, e, cached, how, false, ir);
    const uint8_t *bytes = cpu->run->straddled ? cpu->run->straddle : req->bytes;
    if (logged && log_enabled(LOG_IN_ASM))
        log_block(cpu, req, bytes);
    if (G_UNLIKELY(a->plugins))
        let_plugins_look(cpu, req, e, cached, how, bytes, ir, tb);
    if (logged && log_enabled(LOG_OP))
        log_ir(ir);
    code = tcg_compile(a->tcg, tb, op, out);
    if (op)
        log_write(op->str);
    if (out)
        log_write(out->str);
    return code;
}

/* CPU time of this thread, if somebody wants to know. */
static int64_t now_for_stats(void)
{
    struct timespec t;

    if (!log_enabled(LOG_STATS))
        return 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* What a look at that clock costs, which is a good part of a block: the least of some. */
static int64_t clock_cost(AccelStats *s)
{
    int64_t from;

    if (!s->clock_cost_ns) {
        s->clock_cost_ns = INT64_MAX;
        for (unsigned i = 0; i < 100; i++) {
            from = now_for_stats();
            s->clock_cost_ns = MIN(s->clock_cost_ns, now_for_stats() - from);
        }
    }
    return s->clock_cost_ns;
}

static void note_block(Accel *a, const Tb *tb, uint64_t linear, int64_t began_ns)
{
    AccelStats *s = &a->stats;
    size_t host_size = tb->code->end - tb->code->start;

    s->insns += tb->code->ninsns;
    s->guest_bytes += tb->size;
    for (unsigned i = 0; i < TRANSLATE_FOLLOWED; i++)
        s->guest_bytes += tb->followed[i].size;
    s->host_bytes += host_size;
    if (log_enabled(LOG_STATS)) {
        s->timed_insns += tb->code->ninsns;
        s->timed_ns += now_for_stats() - began_ns - clock_cost(s);
        tcg_count(a->tcg);
    }
    if (a->profile) {
        char name[64];
        snprintf(name, sizeof(name), "guest:%" PRIx64 "+%u/%x", linear, tb->size, tb->mode);
        host_profile_add(a->profile, tb->code->start, host_size, name);
    }
}

/* Blocks end before breakpoints and before instructions that access devices, which are alone. */
static void set_splits(Accel *a, TranslateRequest *req, uint64_t ram, uint64_t *splits)
{
    const uint64_t *io = tb_io_in_page(&a->tbs, ram);
    unsigned byte = ram & (PAGE_SIZE - 1);

    if (!io)
        return;
    if (io[byte / 64] >> (byte % 64) & 1)
        req->max_insns = 1;
    for (unsigned i = 0; i < PAGE_SIZE / 64; i++)
        splits[i] = io[i] | a->debug.splits[i];
    req->splits = splits;
}

/* @tb is zeroed but for no_groups; @e is the page of the first byte. Does not return if fetching
 * faults. */
static void translate(Cpu *cpu, const CpuContext *ctx, const StlbEntry *e, unsigned max_insns,
                      uint32_t unit_size, uint64_t soft, Tb *tb)
{
    Accel *a = cpu->run->accel;
    static const unsigned no_limit = 512;
    bool cached = max_insns == UINT_MAX;
    uint64_t splits[PAGE_SIZE / 64];
    uint8_t io[16];
    TranslateRequest req = {
        .pc = ctx->pc,
        .linear = ctx->linear,
        .mode = ctx->mode,
        .cs_base = ctx->cs_base,
        .unit_size = unit_size,
        .unit_offset = ctx->linear & (unit_size - 1),
        .max_insns = MIN(max_insns, no_limit),
        .avail = PAGE_SIZE - (ctx->linear & (PAGE_SIZE - 1)),
        .splits = a->debug.has_splits ? a->debug.splits : NULL,
    };

    if (e->flags & STLB_IO) { /* code in MMIO space: one instruction from a copy */
        req.avail = MIN(req.avail, 15);
        read_code(cpu, e, ctx->linear, io, req.avail);
        req.bytes = io;
        req.max_insns = 1;
    } else {
        req.bytes = (const uint8_t *)(uintptr_t)(ctx->linear + e->addend);
        tb->ram = e->ram | (ctx->linear & (PAGE_SIZE - 1));
        set_splits(a, &req, tb->ram, splits);
        if (tb_page_is_checked(&a->tbs, tb->ram)) {
            req.checked = true;
            req.soft = soft;
            req.avail = MIN(req.avail, CHECKED_BYTES);
        }
        /* plugins look at blocks that are one piece */
        req.may_follow = cached && !req.checked && !a->plugins && !a->one_insn;
    }
    if (a->one_insn)
        req.max_insns = 1;
    int64_t began = now_for_stats();
    tb->mode = ctx->mode;
    tb->unit_size = unit_size;
    tb->code = compile(cpu, &req, e, cached, tb);
    if (!tb->code) { /* the buffer is full: start again with an empty one */
        cpu->run->link_from = NULL;
        tb_flush(&a->tbs);
        context_forget_all(a);
        tb->code = compile(cpu, &req, e, cached, tb);
        g_assert(tb->code);
    }
    tb->size = req.size;
    tb->branches = req.branches;
    memcpy(tb->followed, req.followed, sizeof(tb->followed));
    tb->straddles =
        cpu->run->straddled && !(e->flags & STLB_IO) && cpu->run->straddle_ram2 != UINT64_MAX;
    tb->ram2 = tb->straddles ? cpu->run->straddle_ram2 : 0;
    if (req.checked && cached)
        tb->check = new_check(&req);
    a->tbs.translated++;
    trace(translate_block, "tb:%p, pc:0x%" G_GINT64_MODIFIER "x, tb_code:%p", (void *)tb,
          ctx->linear, (void *)tb->code);
    note_block(a, tb, ctx->linear, began);
}

/* The frontend may raise a fetch fault out of translation: the block under construction must be
 * reachable for the loop to free. */
static Tb *new_private(Cpu *cpu)
{
    g_assert(!cpu->run->private_tb);
    cpu->run->private_tb = g_new0(Tb, 1);
    return cpu->run->private_tb;
}

/* Of the same bytes, that is. What must be looked at as data from now on goes to *@soft. */
static Tb *find(Cpu *cpu, const CpuContext *ctx, const StlbEntry *e, uint32_t unit_size,
                bool no_groups, uint64_t *soft)
{
    TbCache *c = &cpu->run->accel->tbs;
    uint64_t ram = e->ram | (ctx->linear & (PAGE_SIZE - 1));
    Tb *tb = tb_find(c, ram, ctx->mode, unit_size, no_groups);

    for (; tb; tb = tb_find_next(tb)) {
        if (tb->straddles) {
            uint64_t next = cpu->ops->wrap_linear(cpu, (ctx->linear & PAGE_MASK) + PAGE_SIZE);
            StlbEntry *second = fetch_page(cpu, next, ctx->mmu);
            if ((second->flags & STLB_IO) || second->ram != tb->ram2)
                continue;
        }
        if (!tb->check || !tb_is_stale(tb))
            return tb;
        *soft = tb_changed_bytes(tb);
        tb_retire(c, tb);
        return NULL;
    }
    return NULL;
}

Tb *translate_find_or_make(Cpu *cpu, const CpuContext *ctx, bool no_groups)
{
    Accel *a = cpu->run->accel;
    StlbEntry *e = fetch_page(cpu, ctx->linear, ctx->mmu), copy;
    uint64_t soft = 0;
    uint32_t unit_size = e->flags & STLB_UNIT_LARGE ? UNIT_LARGE : PAGE_SIZE;
    Tb *tb;

    if (e->flags & STLB_IO)
        return translate_private(cpu, ctx, 1, no_groups);
    copy = *e; /* looking at a second page may replace the entry */
    __builtin_prefetch((const void *)(uintptr_t)(ctx->linear + copy.addend));
    __builtin_prefetch((const void *)(uintptr_t)(ctx->linear + copy.addend + 64));
    tb = find(cpu, ctx, &copy, unit_size, no_groups, &soft);
    if (tb) {
        a->stats.found++;
    } else {
        tb = new_private(cpu);
        tb->no_groups = no_groups;
        translate(cpu, ctx, &copy, UINT_MAX, unit_size, soft, tb);
        cpu->run->private_tb = NULL;
        if (tb_insert(&a->tbs, tb)) {
            tlb_watch_ram_page(a, tb->ram & PAGE_MASK);
            if (tb->straddles)
                tlb_watch_ram_page(a, tb->ram2 & PAGE_MASK);
        }
    }
    if (cpu->run->want_jc && !cpu->run->context_dirty && !engine_splits_at(a, ctx->linear)) {
        if (tcg_far_entry(a->tcg, tb->code))
            jump_cache_enter(cpu, ctx, &copy, tb);
    }
    return tb;
}

static Tb *make_private(Cpu *cpu, const CpuContext *ctx, unsigned max_insns, bool no_groups,
                        uint32_t unit_size)
{
    StlbEntry copy = *fetch_page(cpu, ctx->linear, ctx->mmu);
    Tb *tb = new_private(cpu);

    tb->no_groups = no_groups;
    translate(cpu, ctx, &copy, max_insns, unit_size, 0, tb);
    return tb;
}

Tb *translate_private(Cpu *cpu, const CpuContext *ctx, unsigned max_insns, bool no_groups)
{
    cpu->run->accel->stats.uncached++;
    return make_private(cpu, ctx, max_insns, no_groups, PAGE_SIZE);
}

/* What has more to it than its bytes is not kept. */
Tb *translate_cut(Cpu *cpu, const CpuContext *ctx, Tb *whole, unsigned max_insns)
{
    Accel *a = cpu->run->accel;
    uint64_t flushes = a->tbs.flushes;
    Tb *cut;

    if (whole->check || whole->straddles || a->plugins)
        return translate_private(cpu, ctx, max_insns, whole->no_groups);
    if (whole->cuts && whole->cuts[max_insns])
        return whole->cuts[max_insns];
    cut = make_private(cpu, ctx, max_insns, whole->no_groups, whole->unit_size);
    if (a->tbs.flushes == flushes) { /* @whole is still there */
        cpu->run->private_tb = NULL;
        tb_add_cut(&a->tbs, whole, cut, max_insns);
    }
    return cut;
}
