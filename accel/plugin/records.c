/* SPDX-License-Identifier: MIT */
/*
 * Records. Translated code notes the addresses and values of a segment's accesses in cells of the
 * CPU's state and has them taken out at the segment's end; everything else about them is known from
 * the segment. They wait as words in a ring, all CPUs' in the order in which they happened:
 *
 *   segment            base of pcs, then per access: address, value
 *   segment | PARTIAL  base of pcs, from | to << 16 | aborted << 32, the same of these items
 *   action  | SINGLE   of an access by C code: pc, address, size | kind << 8, value
 *   n << 3  | CPU      what follows is of CPU n
 */
#include "accel/plugin/internal.h"

#include <string.h>

enum { WORD_SEGMENT, WORD_PARTIAL, WORD_SINGLE, WORD_CPU, WORD_KIND = 7 };

#define MAX_WORDS (8 + PLUGIN_CELLS * 5) /* of one entry, with a change of CPU */

/* ---- Writing --------------------------------------------------------------------------------- */

static uint64_t *make_room(PluginSet *s, unsigned cpu)
{
    if (s->ring_used + MAX_WORDS > RING_WORDS)
        plugin_drain(s);
    if (s->ring_cpu != cpu) {
        s->ring_cpu = cpu;
        s->ring[s->ring_used++] = (uint64_t)cpu << 3 | WORD_CPU;
    }
    return s->ring + s->ring_used;
}

static unsigned value_words(unsigned size)
{
    return size <= 8 ? 1 : size <= 16 ? 2 : 4;
}

static uint64_t *put_items(uint64_t *w, const PluginState *st, const Segment *g, unsigned from,
                           unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        const Item *item = &g->item[i];
        if (item->cell < 0)
            continue;
        *w++ = st->addr[item->cell];
        *w++ = st->value[item->cell][0];
        for (unsigned k = 1; k < value_words(item->size); k++)
            *w++ = st->value[item->cell][k];
    }
    return w;
}

static uint64_t pc_base(Cpu *cpu)
{
    return cpu->vbase + cpu->ops->trace->code_base(cpu);
}

static void take_out(Cpu *cpu, const Segment *g, unsigned to, bool aborted)
{
    PluginSet *s = cpu->run->accel->plugins;
    PluginState *st = &cpu_tail(cpu)->plugin;
    uint64_t *w = make_room(s, cpu->run->common->index);

    if (st->told == 0 && to == g->nitems && !aborted) {
        *w++ = (uintptr_t)g;
        *w++ = pc_base(cpu);
    } else {
        *w++ = (uintptr_t)g | WORD_PARTIAL;
        *w++ = pc_base(cpu);
        *w++ = st->told | to << 16 | (uint64_t)aborted << 32;
    }
    w = put_items(w, st, g, st->told, to);
    s->ring_used = (unsigned)(w - s->ring);
    st->told = to;
}

/* No other block goes to this one from now on; it itself goes on. */
static void make_again(Cpu *cpu, struct Tb *tb)
{
    if (tb != cpu->run->private_tb && !tb->retired)
        tb_retire(&cpu->run->accel->tbs, tb);
}

void help_plugin_flush(void *env);

/* The segment's end has been reached. */
void help_plugin_flush(void *env)
{
    Cpu *cpu = env;
    PluginState *st = &cpu_tail(cpu)->plugin;
    const Segment *g = (const Segment *)(uintptr_t)st->segment;

    take_out(cpu, g, g->nitems, false);
    st->segment = 0;
    st->told = 0;
    if (g->once)
        make_again(cpu, g->item[0].trace->tb);
}

/* How many items of @g have happened when instruction @index is being executed. */
static unsigned items_so_far(const PluginState *st, const Segment *g, unsigned index)
{
    unsigned i = 0;

    while (i < g->nitems && g->item[i].insn <= index &&
           (g->item[i].insn < index || g->item[i].cell < (int64_t)st->cells))
        i++;
    return i;
}

void plugin_settle_at(Cpu *cpu, unsigned index)
{
    const PluginState *st = &cpu_tail(cpu)->plugin;
    const Segment *g = (const Segment *)(uintptr_t)st->segment;
    unsigned to = g ? items_so_far(st, g, index) : 0;

    if (to > st->told)
        take_out(cpu, g, to, false);
}

/* The instruction at @index will not be finished. What has happened of it did happen, unless it is
 * done @again at once as if nothing had been. */
static void leave_segment(Cpu *cpu, unsigned index, bool again)
{
    PluginState *st = &cpu_tail(cpu)->plugin;
    const Segment *g = (const Segment *)(uintptr_t)st->segment;
    unsigned to, first = 0;

    if (!g)
        return;
    to = items_so_far(st, g, index);
    while (first < to && g->item[first].insn < index)
        first++;
    if (again && st->told <= first && !(g->continues && g->item[0].insn == index))
        to = first;
    if (to > st->told || to > first)
        take_out(cpu, g, MAX(to, st->told), to > first);
    st->segment = 0;
    st->told = 0;
}

void plugin_record_access(Cpu *cpu, const Action *a, const MimusAccess *access)
{
    PluginSet *s = cpu->run->accel->plugins;
    uint64_t *w = make_room(s, cpu->run->common->index);

    if (a->filter && !plugin_passes(cpu, a->filter, &access->vaddr))
        return;
    *w++ = (uintptr_t)a | WORD_SINGLE;
    *w++ = access->pc;
    *w++ = access->vaddr;
    *w++ = access->size | (uint64_t)access->kind << 8;
    memcpy(w, access->value, 32);
    s->ring_used = (unsigned)(w + 4 - s->ring);
}

/* ---- Handing over -----------------------------------------------------------------------------
 */

#define BATCH 256

struct Batch {
    MimusPlugin *plugin;
    unsigned n;
    MimusRecord record[BATCH];
};

static void hand_over(Batch *b)
{
    if (b->n && b->plugin->records)
        b->plugin->records(b->plugin, b->record, b->n, b->plugin->records_opaque);
    b->n = 0;
}

static inline MimusRecord *next_record(Batch *b, const Action *a)
{
    if (b->n == BATCH || (b->n && b->plugin != a->plugin))
        hand_over(b);
    b->plugin = a->plugin;
    return &b->record[b->n++];
}

static inline const uint64_t *fill(MimusRecord *r, const Item *item, uint64_t base, uint8_t cpu,
                                   const uint64_t *w)
{
    r->kind = item->record;
    r->cpu = cpu;
    r->size = item->size;
    r->pc = base + item->offset;
    r->data = item->data;
    if (item->cell < 0)
        return w;
    r->vaddr = w[0];
    r->value = w[1];
    if (item->size < 8)
        r->value &= (UINT64_C(1) << (8 * item->size)) - 1;
    if (item->size <= 8)
        return w + 2;
    memcpy(r->bytes, w + 1, 32);
    return w + 1 + value_words(item->size);
}

/* Items that are all for one plugin, and fit into a batch. */
static const uint64_t *give_many(Batch *b, const Segment *g, unsigned from, unsigned to,
                                 uint64_t base, uint8_t cpu, const uint64_t *w)
{
    MimusRecord *r;

    if (b->n && (b->plugin != g->plugin || b->n + (to - from) > BATCH))
        hand_over(b);
    b->plugin = g->plugin;
    r = &b->record[b->n];
    for (unsigned i = from; i < to; i++)
        w = fill(r++, &g->item[i], base, cpu, w);
    b->n += to - from;
    return w;
}

static const uint64_t *give_items(Batch *b, const Segment *g, unsigned from, unsigned to,
                                  uint64_t base, uint8_t cpu, const uint64_t *w)
{
    if (g->plugin && to - from <= BATCH)
        return give_many(b, g, from, to, base, cpu, w);
    for (unsigned i = from; i < to; i++)
        w = fill(next_record(b, g->item[i].action), &g->item[i], base, cpu, w);
    return w;
}

/* Of each plugin that was told of the instruction. */
static void give_abort(Batch *b, const Segment *g, unsigned to, uint64_t base, uint8_t cpu)
{
    unsigned index = to ? g->item[to - 1].insn : g->item[0].insn;

    for (unsigned i = 0; i < g->nitems; i++) {
        const Item *item = &g->item[i];
        if (item->insn == index && item->record == MIMUS_RECORD_INSN) {
            MimusRecord *r = next_record(b, item->action);
            *r = (MimusRecord){ .kind = MIMUS_RECORD_ABORT,
                                .cpu = cpu,
                                .pc = base + item->offset,
                                .data = item->action->data };
        }
    }
}

static const uint64_t *give_single(Batch *b, const Action *a, uint8_t cpu, const uint64_t *w)
{
    MimusRecord *r = next_record(b, a);

    *r = (MimusRecord){ .kind = (uint8_t)(w[2] >> 8),
                        .cpu = cpu,
                        .size = (uint8_t)w[2],
                        .pc = w[0],
                        .vaddr = w[1],
                        .data = a->data };
    memcpy(r->bytes, w + 3, sizeof(r->bytes));
    return w + 7;
}

void plugin_drain(PluginSet *s)
{
    const uint64_t *w = s->ring, *end = s->ring + s->ring_used;
    uint8_t cpu = 0;
    fenv_t guest;

    plugin_begin_c(&guest);
    s->ring_used = 0;
    s->ring_cpu = UINT_MAX;
    while (w < end) {
        uint64_t word = *w++, what = word & WORD_KIND;
        const Segment *g = (const Segment *)(uintptr_t)(word & ~(uint64_t)WORD_KIND);

        if (what == WORD_CPU) {
            cpu = (uint8_t)(word >> 3);
        } else if (what == WORD_SINGLE) {
            w = give_single(s->batch, (const Action *)g, cpu, w);
        } else {
            uint64_t base = *w++, part = what == WORD_PARTIAL ? *w++ : (uint64_t)g->nitems << 16;
            unsigned to = part >> 16 & 0xffff;

            w = give_items(s->batch, g, part & 0xffff, to, base, cpu, w);
            if (part >> 32)
                give_abort(s->batch, g, to, base, cpu);
        }
    }
    hand_over(s->batch);
    g_ptr_array_set_size(s->dead, 0);
    plugin_end_c(&guest);
}

void mimus_flush_records(MimusPlugin *p)
{
    PluginSet *s = p->set;
    Cpu *cpu = s->accel->current;
    uint64_t host_pc = cpu ? cpu_tail(cpu)->slow.host_pc : 0;
    uint32_t offset, index;
    TcgCode *code;

    if (cpu && s->caller == cpu) {
        plugin_settle_at(cpu, s->call->insn);
    } else if (host_pc && cpu_tail(cpu)->plugin.segment) {
        code = tcg_find_code(s->accel->tcg, host_pc);
        g_assert(code);
        tcg_restore_state(s->accel->tcg, code, host_pc, cpu, &offset, &index);
        plugin_settle_at(cpu, index);
    }
    if (s->ring_used)
        plugin_drain(s);
}

void plugin_records_init(PluginSet *s)
{
    s->ring = g_new(uint64_t, RING_WORDS + 4);
    s->batch = g_new0(Batch, 1);
    s->dead = plugin_dead_traces();
    s->ring_cpu = UINT_MAX;
}

void plugin_records_free(PluginSet *s)
{
    g_free(s->ring);
    g_ptr_array_unref(s->dead);
    g_free(s->batch);
}

void plugin_forget_blocks(PluginSet *s)
{
    plugin_drain(s);
    s->access_host_pc = 0;
    for (unsigned i = 0; i < s->accel->cpus->len; i++)
        cpu_tail(s->accel->cpus->pdata[i])->plugin.segment = 0;
}

/* ---- Blocks that are left in the middle --------------------------------------------------------
 */

static void skip_calls(PluginSet *s, Cpu *cpu)
{
    uint64_t pc = cpu->ops->wrap_pc(cpu, cpu->pc) + cpu->ops->trace->code_base(cpu);

    s->skip = s->call_pc == pc ? s->calls : 0;
    s->calls = 0;
}

void plugin_give_back(Cpu *cpu, const struct Tb *tb, unsigned index, bool again)
{
    plugin_counts_give_back(cpu, tb->trace, index);
    leave_segment(cpu, index, again);
    if (again)
        skip_calls(cpu->run->accel->plugins, cpu);
}

void plugin_give_back_at_pc(Cpu *cpu)
{
    const PluginState *st = &cpu_tail(cpu)->plugin;
    const Segment *g = (const Segment *)(uintptr_t)st->segment;
    const Trace *t;
    unsigned index = 0;

    if (!g)
        return;
    t = g->item[0].trace;
    while (index < t->ninsns && t->insn[index].offset != (uint32_t)(cpu->pc - cpu->vbase))
        index++;
    leave_segment(cpu, index, false);
}
