/* SPDX-License-Identifier: MIT */
/*
 * Blocks as plugins are shown them, and what is kept of one that somebody wants something of: its
 * Trace, with room for all that translated code may come to.
 */
#include "accel/plugin/internal.h"

#include <stdalign.h>

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

bool plugin_look(Cpu *cpu, const TranslateRequest *req, const uint8_t *bytes, const IrBlock *ir)
{
    PluginSet *s = cpu->run->accel->plugins;
    MimusBlock *b = &s->block;
    bool apart = false;

    describe(b, cpu, req, bytes, ir);
    for (unsigned i = 0; i < s->plugins->len; i++) {
        b->looking = s->plugins->pdata[i];
        for (unsigned k = 0; k < b->looking->translate->len; k++) {
            const TranslateHook *h = &g_array_index(b->looking->translate, TranslateHook, k);
            h->fn(b->looking, b, h->opaque);
        }
    }
    g_array_sort(b->actions, by_insn); /* stable: the order of plugins stays */
    for (unsigned i = 0; i < b->actions->len; i++)
        apart |= g_array_index(b->actions, Action, i).regs == MIMUS_WRITE_REGS;
    return apart;
}

/* ---- Counting together ------------------------------------------------------------------------
 */

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

static void note_insns(Trace *t, const MimusBlock *b, const IrBlock *ir)
{
    bool ends[BLOCK_INSNS] = { false };
    int n = -1;

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
        t->insn[n].offset = b->insn[n].offset;
        t->insn[n].size = (uint8_t)b->insn[n].size;
    }
}

static bool is_at_access(const Action *a)
{
    return a->place == AT_ACCESS || a->place == AT_BEFORE_ACCESS;
}

static void add_room(struct Room *room, const Action *a, unsigned n)
{
    room->items += a->kind == ACT_RECORD ? n : 0;
    room->calls += a->kind == ACT_CALL ? n : 0;
}

static struct Room count_items(const Trace *t, const IrBlock *ir)
{
    struct Room room = { .segments = 2 };
    unsigned first = 0, accesses = 0; /* actions of this instruction begin there */
    int n = -1;

    for (unsigned i = 1; i < ir->nops; i++) {
        const IrOp *op = &ir->ops[i];
        n += op->op == OP_insn;
        room.segments += (ir_op_info[op->op].props & IRP_EXIT) != 0;
        if (!plugin_accesses_of(op))
            continue;
        accesses += 2;
        while (first < t->nactions && t->actions[first].insn < n)
            first++;
        for (unsigned k = first; k < t->nactions && t->actions[k].insn == n; k++)
            add_room(&room, &t->actions[k], is_at_access(&t->actions[k]) ? 2 : 0);
    }
    for (unsigned k = 0; k < t->nactions; k++)
        add_room(&room, &t->actions[k], !is_at_access(&t->actions[k]));
    room.segments += accesses / (PLUGIN_SCRATCH / PLUGIN_ACCESS - 1);
    return room;
}

Trace *plugin_make_trace(const MimusBlock *b, const IrBlock *ir)
{
    Trace *t = g_malloc0(sizeof(Trace) + b->ninsns * sizeof(t->insn[0]));

    t->set = b->set;
    t->ninsns = b->ninsns;
    t->nactions = b->actions->len;
    t->actions = g_memdup2(b->actions->data, t->nactions * sizeof(Action));
    note_insns(t, b, ir);
    t->room = count_items(t, ir);
    t->items = g_new(Item, t->room.items);
    t->calls = g_new(Item, t->room.calls);
    t->segments = t->room.items
                      ? g_aligned_alloc0(t->room.segments, sizeof(Segment), alignof(Segment))
                      : NULL;
    return t;
}

void plugin_trace_destroy(void *p)
{
    Trace *t = p;

    g_free(t->actions);
    g_free(t->items);
    g_free(t->calls);
    for (unsigned i = 0; i < t->nsegments; i++)
        plugin_forget_paths(&t->segments[i]);
    g_aligned_free(t->segments);
    g_free(t);
}

void plugin_trace_free(Trace *t)
{
    if (t && plugin_words_wait(t->set))
        g_ptr_array_add(t->set->buffer->dead, t);
    else if (t)
        plugin_trace_destroy(t);
}
