/* SPDX-License-Identifier: MIT */
/*
 * Puts into a block what plugins ask for: the frontend's ops are copied, and ops of ours come in
 * between. Only ops that every back end has are used, so all run instrumented code alike. Blocks
 * begin and end where they would without plugins: a counted run stays the same run.
 */
#include "accel/plugin/internal.h"

#include <string.h>

#define SLOT_COUNTER(set, n) ((set)->accel->ops->nslots + (n))

void plugin_slots(IrSlot slots[PLUGIN_SLOTS], uint32_t offset)
{
    for (unsigned i = 0; i < PLUGIN_COUNTERS; i++)
        slots[i] = (IrSlot){ .name = g_intern_string("plugin counter"),
                             .offset = offset + i * sizeof(uint64_t),
                             .type = I64 };
}

/* ---- What the block consists of -------------------------------------------------------------- */

static void describe_insns(MimusBlock *b, const IrBlock *ir)
{
    b->ninsns = 0;
    for (unsigned i = 1; i < ir->nops; i++) {
        if (ir->ops[i].op == OP_insn) {
            g_assert(b->ninsns < BLOCK_INSNS);
            b->insn[b->ninsns] =
                (MimusInsn){ .block = b, .offset = ir->ops[i].imm, .index = (uint16_t)b->ninsns };
            b->ninsns++;
        }
    }
    for (unsigned n = 0; n < b->ninsns; n++)
        b->insn[n].size =
            (n + 1 < b->ninsns ? b->insn[n + 1].offset : b->req->unit_offset + b->req->size) -
            b->insn[n].offset;
}

static uint64_t page_of(Cpu *cpu, uint64_t linear)
{
    CpuContext ctx;
    const StlbEntry *e;

    cpu->ops->get_context(cpu, &ctx);
    e = tlb_lookup(cpu, linear, ctx.mmu);
    return e ? e->phys : UINT64_MAX;
}

static void describe(MimusBlock *b, Cpu *cpu, const TranslateRequest *req, const uint8_t *bytes,
                     const IrBlock *ir)
{
    uint64_t first = page_of(cpu, req->linear), in_page = req->linear & (PAGE_SIZE - 1);

    b->cpu = cpu;
    b->req = req;
    b->bytes = bytes;
    b->paddr = first == UINT64_MAX ? first : first | in_page;
    b->paddr2 = in_page + req->size > PAGE_SIZE
                    ? page_of(cpu, (req->linear & PAGE_MASK) + PAGE_SIZE)
                    : UINT64_MAX;
    describe_insns(b, ir);
    g_array_set_size(b->actions, 0);
}

static int by_insn(const void *a, const void *b)
{
    return ((const Action *)a)->insn - ((const Action *)b)->insn;
}

static void ask_plugins(PluginSet *s)
{
    for (unsigned i = 0; i < s->plugins->len; i++) {
        MimusPlugin *p = s->plugins->pdata[i];

        for (unsigned k = 0; k < p->translate->len; k++) {
            const TranslateHook *h = &g_array_index(p->translate, TranslateHook, k);
            h->fn(p, &s->block, h->opaque);
        }
    }
    /* merge sort: the order of plugins stays */
    g_array_sort(s->block.actions, by_insn);
}

/* ---- Segments -------------------------------------------------------------------------------- */

static bool makes_late(const IrOp *op)
{
    switch (op->op) {
    case OP_trap:
    case OP_trap_if:
    case OP_exit_if:
    case OP_divu2:
    case OP_divs2:
    case OP_fpcheck: return true;
    default: return false;
    }
}

static Trace *make_trace(const MimusBlock *b, const IrBlock *ir)
{
    const Action *actions = (const Action *)b->actions->data;
    Trace *t = g_malloc0(sizeof(Trace) + b->ninsns * sizeof(t->insn[0]));
    bool ends[BLOCK_INSNS] = { false };
    int n = -1;

    t->ninsns = b->ninsns;
    t->nactions = b->actions->len;
    t->actions = g_memdup2(actions, t->nactions * sizeof(Action));
    for (unsigned i = 1; i < ir->nops; i++) {
        const IrOp *op = &ir->ops[i];
        n += op->op == OP_insn;
        if (n < 0)
            continue;
        t->insn[n].late |= makes_late(op);
        ends[n] |= op->op == OP_goto_if;
    }
    for (n = (int)b->ninsns - 1; n >= 0; n--) {
        bool with_next = n + 1 < (int)b->ninsns && !ends[n] && !t->insn[n + 1].late;
        t->insn[n].last = (uint16_t)(with_next ? t->insn[n + 1].last : n);
    }
    return t;
}

void plugin_trace_free(Trace *t)
{
    if (t)
        g_free((void *)t->actions);
    g_free(t);
}

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct Writer {
    PluginSet *set;
    IrBlock *ir;
    const Trace *trace;
    int insn;         /* being written */
    bool owed;        /* a late one has not been counted yet */
    int segment_from; /* instructions from here on belong to no segment that was begun */
} Writer;

static IrRef put(Writer *w, IrOp op)
{
    g_assert(w->ir->nops < IR_MAX_OPS);
    w->ir->ops[w->ir->nops] = op;
    return (IrRef)w->ir->nops++;
}

static void put_add(Writer *w, unsigned counter, uint64_t n)
{
    unsigned slot = SLOT_COUNTER(w->set, counter);
    IrRef old = put(w, (IrOp){ .op = OP_get, .type = I64, .imm = slot });
    IrRef by = put(w, (IrOp){ .op = OP_const, .type = I64, .value = n });
    IrRef sum = put(w, (IrOp){ .op = OP_add, .type = I64, .a = old, .b = by });

    put(w, (IrOp){ .op = OP_set, .type = I64, .flags = IROP_COMMIT, .a = sum, .imm = slot });
}

/* What instructions @from … @to are counted by. */
static void sum_up(const Trace *t, int from, int to, uint64_t sum[PLUGIN_COUNTERS])
{
    for (unsigned k = 0; k < t->nactions; k++) {
        const Action *a = &t->actions[k];
        if (!a->entry && a->insn >= from && a->insn <= to)
            sum[a->counter] += a->n;
    }
}

static void put_sums(Writer *w, const uint64_t sum[PLUGIN_COUNTERS])
{
    for (unsigned k = 0; k < PLUGIN_COUNTERS; k++)
        if (sum[k])
            put_add(w, k, sum[k]);
}

static void count_entry(const Trace *t, uint64_t sum[PLUGIN_COUNTERS])
{
    for (unsigned k = 0; k < t->nactions; k++)
        if (t->actions[k].entry)
            sum[t->actions[k].counter] += t->actions[k].n;
}

/* Behind the marker of instruction w->insn. */
static void begin_insn(Writer *w)
{
    const Trace *t = w->trace;
    uint64_t sum[PLUGIN_COUNTERS] = { 0 };
    int n = w->insn;

    if (n == 0)
        count_entry(t, sum);
    if (w->owed)
        sum_up(t, n - 1, n - 1, sum);
    w->owed = t->insn[n].late;
    if (!w->owed && n >= w->segment_from) {
        sum_up(t, n, t->insn[n].last, sum);
        w->segment_from = t->insn[n].last + 1;
    }
    put_sums(w, sum);
}

/* The instruction is about to leave the block, and is done. */
static void before_exit(Writer *w)
{
    uint64_t sum[PLUGIN_COUNTERS] = { 0 };

    if (!w->owed)
        return;
    sum_up(w->trace, w->insn, w->insn, sum);
    w->owed = false;
    put_sums(w, sum);
}

static bool leaves_when_done(const IrOp *op)
{
    return op->op == OP_goto || op->op == OP_goto_if || op->op == OP_jump || op->op == OP_exit;
}

static void copy_op(Writer *w, unsigned i)
{
    PluginSet *s = w->set;
    IrOp op = s->source[i];
    unsigned n = ir_operands(w->ir, &op);

    for (unsigned k = 0; k < n; k++)
        op.arg[k] = s->renamed[op.arg[k]];
    s->renamed[i] = put(w, op);
}

static void rewrite(PluginSet *s, IrBlock *ir, const Trace *t)
{
    Writer w = { .set = s, .ir = ir, .trace = t, .insn = -1 };
    unsigned nops = ir->nops;

    memcpy(s->source, ir->ops, nops * sizeof(IrOp));
    s->renamed[0] = IR_NONE;
    ir->nops = 1;
    for (unsigned i = 1; i < nops; i++) {
        const IrOp *op = &s->source[i];
        if (leaves_when_done(op))
            before_exit(&w);
        copy_op(&w, i);
        if (op->op == OP_insn) {
            w.insn++;
            begin_insn(&w);
        }
    }
}

/* Groups of accesses that cannot be checked at once end a block where no other back end would. */
static bool wants_same_blocks(const Trace *t)
{
    for (unsigned k = 0; k < t->nactions; k++)
        if (t->actions[k].entry)
            return true;
    return false;
}

void plugin_instrument(Cpu *cpu, const TranslateRequest *req, const uint8_t *bytes, IrBlock *ir,
                       struct Tb *tb)
{
    PluginSet *s = cpu->run->accel->plugins;

    g_clear_pointer(&tb->trace, plugin_trace_free);
    describe(&s->block, cpu, req, bytes, ir);
    ask_plugins(s);
    if (!s->block.actions->len)
        return;
    tb->trace = make_trace(&s->block, ir);
    ir->no_groups |= wants_same_blocks(tb->trace);
    rewrite(s, ir, tb->trace);
}

/* ---- What was counted too early -------------------------------------------------------------- */

static void not_executed(const Trace *t, unsigned index, uint64_t sum[PLUGIN_COUNTERS])
{
    if (index < t->ninsns && !t->insn[index].late)
        sum_up(t, (int)index, t->insn[index].last, sum);
}

void plugin_give_back(Cpu *cpu, const struct Tb *tb, unsigned index)
{
    uint64_t sum[PLUGIN_COUNTERS] = { 0 };

    not_executed(tb->trace, index, sum);
    for (unsigned k = 0; k < PLUGIN_COUNTERS; k++)
        cpu->run->tail->plugin.counter[k] -= sum[k];
}

uint64_t plugin_counter_pending(const PluginSet *s, Cpu *cpu, unsigned counter)
{
    uint64_t sum[PLUGIN_COUNTERS] = { 0 }, host_pc = cpu->run->tail->slow.host_pc;
    const struct Tb *tb;
    uint32_t offset, index;
    TcgCode *code;

    if (s->accel->current != cpu || !host_pc)
        return 0;
    code = tcg_find_code(s->accel->tcg, host_pc);
    g_assert(code);
    tb = code->user;
    if (!tb->trace)
        return 0;
    tcg_restore_state(s->accel->tcg, code, host_pc, cpu, &offset, &index);
    not_executed(tb->trace, index, sum);
    return sum[counter];
}
