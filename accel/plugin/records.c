/* SPDX-License-Identifier: MIT */
/*
 * Records. Translated code notes the addresses and values of a segment's accesses as words of the
 * CPU's state and has them taken out at the segment's end; everything else about them is known from
 * the segment. They wait in a buffer, all CPUs' in the order in which they happened:
 *
 * An entry begins with a word of a pointer, a kind in its low bits and the number of words that
 * follow in its high ones:
 *
 *   segment            base of pcs, then the segment's words
 *   segment | PARTIAL  base of pcs, from | to << 16 | aborted << 32: these items alone; words to
 *                      there
 *   action  | SINGLE   of an access by C code: pc, size | kind << 8, address, value, physical
 *                      address
 *   action  | ELEMENTS of many by a string instruction: pc, accesses | number of PluginString
 *                      << 16, addresses of the first element, values
 *   n << 3  | CPU      what follows is of CPU n
 *
 * Blocks whose segments are direct write their entries themselves, at PluginState.next.
 * A full buffer is told as records (here), then goes to those that want runs (runs.c).
 */
#include "accel/plugin/internal.h"
#include "tcg/lanes.h"

#include <string.h>

/* ---- Buffers --------------------------------------------------------------------------------- */

Buffer *plugin_buffer_new(void)
{
    Buffer *b = g_new0(Buffer, 1);

    b->word = g_new(uint64_t, BUFFER_WORDS);
    b->dead = g_ptr_array_new_with_free_func(plugin_trace_destroy);
    return b;
}

void plugin_buffer_free(Buffer *b)
{
    g_free(b->word);
    g_ptr_array_unref(b->dead);
    g_free(b);
}

static unsigned words_until(const Segment *g, unsigned to)
{
    while (to && !g->item[to - 1].word)
        to--;
    if (!to)
        return 0;
    return g->item[to - 1].physical
               ? g->item[to - 1].physical + 1u
               : g->item[to - 1].word + plugin_value_words(g->item[to - 1].size);
}

const uint64_t *plugin_read_entry(const uint64_t *w, Entry *e, uint8_t *cpu)
{
    uint64_t word = *w++, part;
    const uint64_t *next = w + (word >> WORD_LENGTH_SHIFT);

    e->kind = word & WORD_KIND;
    e->segment = plugin_word_about(word);
    switch (e->kind) {
    case WORD_CPU: *cpu = (uint8_t)(word >> 3); break;
    case WORD_SINGLE:
        e->action = plugin_word_about(word);
        e->word = w;
        break;
    case WORD_ELEMENTS:
        e->action = plugin_word_about(word);
        e->base = w[0];
        e->from = 0;
        e->to = w[1] & 0xffff;
        e->string = (unsigned)(w[1] >> 16);
        e->aborted = false;
        e->word = w + 2;
        break;
    case WORD_PARTIAL:
        part = w[1];
        e->base = w[0];
        e->from = part & 0xffff;
        e->to = part >> 16 & 0xffff;
        e->aborted = part >> 32;
        e->word = w + 2;
        break;
    default: plugin_read_whole(w - 1, e);
    }
    return next;
}

bool plugin_words_wait(const PluginSet *s)
{
    return s->buffer->used || s->buffer_owner || s->runner;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Whoever writes next is to say which CPU it is. */
static void leave_buffer(PluginSet *s)
{
    PluginState *st = s->buffer_owner;

    if (!st)
        return;
    s->buffer->used = (unsigned)(plugin_next(st) - s->buffer->word);
    st->next = st->limit = 0;
    s->buffer_owner = NULL;
}

static void enter_buffer(PluginSet *s, Cpu *cpu)
{
    PluginState *st = &cpu->run->tail->plugin;
    Buffer *b = s->buffer;

    s->buffer_owner = st;
    st->limit = (uintptr_t)(b->word + BUFFER_WORDS - BUFFER_SPARE);
    b->word[b->used] = (uint64_t)cpu->run->common->index << 3 | WORD_CPU;
    plugin_wrote(st, b->word + b->used + 1);
}

static uint64_t *make_room(Cpu *cpu)
{
    PluginSet *s = cpu->run->accel->plugins;
    PluginState *st = &cpu->run->tail->plugin;

    if (s->buffer_owner != st)
        leave_buffer(s);
    if (s->buffer_owner ? st->next >= st->limit
                        : s->buffer->used >= BUFFER_WORDS - BUFFER_SPARE - 1)
        plugin_drain(s);
    if (!s->buffer_owner)
        enter_buffer(s, cpu);
    return plugin_next(st);
}

void plugin_make_room(Cpu *cpu)
{
    make_room(cpu);
}

/* Being executed; NULL: none is. */
static const Segment *open_segment(const PluginState *st)
{
    if (st->segment)
        return (const Segment *)(uintptr_t)st->segment;
    return st->next ? plugin_word_about(*plugin_next(st)) : NULL;
}

static void forget_segment(PluginState *st)
{
    st->segment = 0;
    st->told = 0;
    if (st->next)
        *plugin_next(st) = 0;
}

static inline uint64_t pc_base(Cpu *cpu, bool flat)
{
    return cpu->vbase + (flat ? 0 : cpu->ops->trace->code_base(cpu));
}

static void take_out(Cpu *cpu, const Segment *g, unsigned to, bool aborted)
{
    PluginState *st = &cpu->run->tail->plugin;
    unsigned n = words_until(g, to);
    uint64_t *w = g->direct ? plugin_next(st) : make_room(cpu); /* there is room, if direct */

    memmove(w + 3, g->direct ? w + 2 : st->word, n * sizeof(*w));
    w[0] = plugin_word(g, WORD_PARTIAL, n + 2u);
    w[1] = pc_base(cpu, g->flat);
    w[2] = st->told | to << 16 | (uint64_t)aborted << 32;
    plugin_wrote(st, w + n + 3);
    st->told = to;
}

/* No other block goes to this one from now on; it itself goes on. */
static void make_again(Cpu *cpu, struct Tb *tb)
{
    if (tb != cpu->run->private_tb && !tb->retired)
        tb_retire(&cpu->run->accel->tbs, tb);
}

/* What was too much for plugin_flush_quick(). */
void help_plugin_flush(void *env, uint64_t head);
void help_plugin_flush(void *env, uint64_t head)
{
    Cpu *cpu = env;
    PluginState *st = &cpu->run->tail->plugin;
    const Segment *g = plugin_word_about(head);

    if (st->told) {
        take_out(cpu, g, g->nitems, false);
        st->told = 0;
    } else {
        make_room(cpu);
        plugin_put_segment(cpu, head, pc_base(cpu, head & FLUSH_FLAT));
    }
    st->segment = 0;
    if (head & FLUSH_ONCE)
        make_again(cpu, g->item[0].trace->tb);
}

uint64_t plugin_flush_argument(const Segment *g)
{
    return plugin_word(g, WORD_SEGMENT, g->nwords + 1u) | (g->flat ? FLUSH_FLAT : 0) |
           (g->once ? FLUSH_ONCE : 0);
}

/* How many items of @g have happened when instruction @index is being executed. */
static unsigned items_so_far(const PluginState *st, const Segment *g, unsigned index)
{
    unsigned i = (unsigned)st->told;

    while (i < g->nitems && g->item[i].insn <= index &&
           (g->item[i].insn < index || g->item[i].access <= st->noted))
        i++;
    return i;
}

void plugin_settle_at(Cpu *cpu, unsigned index)
{
    const PluginState *st = &cpu_tail(cpu)->plugin;
    const Segment *g = open_segment(st);
    unsigned to = g ? items_so_far(st, g, index) : 0;

    g_assert(!g || !g->direct); /* nobody asks in between */
    if (to > st->told)
        take_out(cpu, g, to, false);
}

/* The instruction at @index will not be finished. What has happened of it did happen, unless it is
 * done @again at once as if nothing had been. */
static void leave_segment(Cpu *cpu, unsigned index, bool again)
{
    PluginState *st = &cpu_tail(cpu)->plugin;
    const Segment *g = open_segment(st);
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
    forget_segment(st);
}

void plugin_record_access(Cpu *cpu, const Action *a, const MimusAccess *access)
{
    uint64_t *w = make_room(cpu);

    if (a->filter && !plugin_passes(cpu, a->filter, &access->vaddr))
        return;
    *w++ = plugin_word(a, WORD_SINGLE, 8);
    *w++ = access->pc;
    *w++ = access->size | (uint64_t)access->kind << 8;
    *w++ = access->vaddr;
    words_from_guest(w, access->value, sizeof(access->value));
    w[4] = access->paddr;
    plugin_wrote(&cpu->run->tail->plugin, w + 5);
}

static inline uint64_t element_value(const uint8_t *p, unsigned size)
{
    switch (size) {
    case 1: return *p;
    case 2: return guest_get(p, 2);
    case 4: return guest_get(p, 4);
    default: return guest_get(p, 8);
    }
}

/* @n ≤ PLUGIN_ELEMENTS of them, from number @first on. */
static void record_some(Cpu *cpu, const Action *a, uint64_t pc, const CpuElements *e,
                        const PluginString *kind, uint64_t first, unsigned n)
{
    uint64_t *w = make_room(cpu);
    int64_t skipped = (int64_t)first * e->step;
    unsigned values = kind->naccesses == 2 && !kind->one_value ? 2 : 1;

    *w++ = plugin_word(a, WORD_ELEMENTS, 2u + kind->naccesses + n * values);
    *w++ = pc;
    *w++ = (uint64_t)n * kind->naccesses | (uint64_t)plugin_string_number(kind) << 16;
    for (unsigned k = 0; k < kind->naccesses; k++)
        w[k] = e->access[k].addr + (uint64_t)skipped;
    for (unsigned k = 0; k < values; k++) {
        const uint8_t *p = e->access[k].host + skipped;
        for (unsigned i = 0; i < n; i++, p += e->step)
            w[plugin_string_word(kind, i, k)] = element_value(p, e->size);
    }
    plugin_wrote(&cpu->run->tail->plugin, w + kind->naccesses + n * values);
}

void plugin_record_elements(Cpu *cpu, const Action *a, uint64_t pc, const CpuElements *e)
{
    PluginString kind = { .naccesses = (uint8_t)e->naccesses,
                          .write = { e->access[0].write, e->naccesses == 2 && e->access[1].write },
                          .size = (uint8_t)e->size,
                          .backward = e->step < 0 };

    kind = plugin_string(plugin_string_number(&kind));
    for (uint64_t done = 0; done < e->n; done += PLUGIN_ELEMENTS)
        record_some(cpu, a, pc, e, &kind, done, (unsigned)MIN(e->n - done, PLUGIN_ELEMENTS));
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

static uint32_t page_number(uint64_t paddr)
{
    return paddr >> PAGE_BITS < UINT32_MAX ? (uint32_t)(paddr >> PAGE_BITS) : UINT32_MAX;
}

static inline void fill(MimusRecord *r, const Item *item, uint64_t base, uint8_t cpu,
                        const uint64_t *w)
{
    r->kind = item->record;
    r->cpu = cpu;
    r->size = item->size;
    r->pc = base + item->offset;
    r->data = item->data;
    if (!item->word)
        return;
    r->page = item->physical ? page_number(w[item->physical]) : UINT32_MAX;
    r->vaddr = w[item->address] + (uint64_t)(int64_t)item->delta;
    r->value = w[item->word];
    if (item->size < 8)
        r->value &= (UINT64_C(1) << (8 * item->size)) - 1;
    else if (item->size > 8)
        mimus_run_bytes(w + item->word, item->size, r->bytes);
}

static void give_items(Batch *b, const Entry *e, uint8_t cpu)
{
    const Segment *g = e->segment;
    MimusRecord *r;

    if (!g->plugin || e->to - e->from > BATCH) {
        for (unsigned i = e->from; i < e->to; i++)
            if (g->item[i].action->plugin->records)
                fill(next_record(b, g->item[i].action), &g->item[i], e->base, cpu, e->word);
        return;
    }
    if (b->n && (b->plugin != g->plugin || b->n + (e->to - e->from) > BATCH))
        hand_over(b);
    b->plugin = g->plugin;
    r = &b->record[b->n];
    b->n += e->to - e->from;
    for (unsigned i = e->from; i < e->to; i++)
        fill(r++, &g->item[i], e->base, cpu, e->word);
}

/* Of each plugin that was told of the instruction. */
static void give_abort(Batch *b, const Entry *e, uint8_t cpu)
{
    const Item *last = &e->segment->item[e->to ? e->to - 1 : 0];
    const Trace *t = last->trace;

    for (unsigned i = 0; i < t->nactions; i++) {
        const Action *a = &t->actions[i];
        if (a->insn == last->insn && a->kind == ACT_RECORD && a->place == AT_INSN &&
            a->plugin->records)
            *next_record(b, a) = (MimusRecord){ .kind = MIMUS_RECORD_ABORT,
                                                .cpu = cpu,
                                                .pc = e->base + last->offset,
                                                .data = a->data };
    }
}

static void give_single(Batch *b, const Entry *e, uint8_t cpu)
{
    const uint64_t *w = e->word;
    MimusRecord *r;

    if (!e->action->plugin->records)
        return;
    r = next_record(b, e->action);
    *r = (MimusRecord){ .kind = (uint8_t)(w[1] >> 8),
                        .cpu = cpu,
                        .size = (uint8_t)w[1],
                        .pc = w[0],
                        .page = page_number(w[7]),
                        .vaddr = w[2],
                        .data = e->action->data };
    r->value = w[3];
    if (r->size > 8)
        mimus_run_bytes(w + 3, r->size, r->bytes);
}

static void give_elements(Batch *b, const Entry *e, uint8_t cpu)
{
    PluginString kind = plugin_string(e->string);
    int64_t step = kind.backward ? -(int64_t)kind.size : kind.size;

    for (unsigned i = 0; i < e->to && e->action->plugin->records; i++) {
        unsigned n = i / kind.naccesses, k = i % kind.naccesses;
        *next_record(b, e->action) =
            (MimusRecord){ .kind = kind.write[k] ? MIMUS_STORE : MIMUS_LOAD,
                           .cpu = cpu,
                           .size = kind.size,
                           .pc = e->base,
                           .page = UINT32_MAX,
                           .vaddr = e->word[k] + (uint64_t)(n * step),
                           .value = e->word[plugin_string_word(&kind, n, k)],
                           .data = e->action->data };
    }
}

bool plugin_wants_records(const PluginSet *s)
{
    for (unsigned i = 0; i < s->plugins->len; i++)
        if (((const MimusPlugin *)s->plugins->pdata[i])->records)
            return true;
    return false;
}

/* As records, what has not been told yet. */
static void give_records(PluginSet *s)
{
    const uint64_t *w, *end;
    uint8_t cpu = 0;
    Entry e;

    leave_buffer(s);
    w = s->buffer->word + s->recorded;
    end = s->buffer->word + s->buffer->used;
    s->recorded = s->buffer->used;
    if (!plugin_wants_records(s))
        return;
    while (w < end) {
        w = plugin_read_entry(w, &e, &cpu);
        if (e.kind == WORD_SINGLE)
            give_single(s->batch, &e, cpu);
        else if (e.kind == WORD_ELEMENTS)
            give_elements(s->batch, &e, cpu);
        else if (e.kind != WORD_CPU && e.segment->records)
            give_items(s->batch, &e, cpu);
        if (e.kind == WORD_PARTIAL && e.aborted)
            give_abort(s->batch, &e, cpu);
    }
    hand_over(s->batch);
}

void plugin_drain(PluginSet *s)
{
    fenv_t guest;

    plugin_begin_c(&guest);
    give_records(s);
    s->recorded = 0;
    if (s->runner) {
        s->buffer = plugin_runs_hand_over(s, s->buffer);
    } else {
        s->buffer->used = 0;
        g_ptr_array_set_size(s->buffer->dead, 0);
    }
    plugin_end_c(&guest);
}

static void settle_records(PluginSet *s)
{
    fenv_t guest;

    if (!s->runner) {
        plugin_drain(s);
        return;
    }
    plugin_begin_c(&guest);
    give_records(s);
    plugin_end_c(&guest);
}

void mimus_flush_records(MimusPlugin *p)
{
    PluginSet *s = p->set;
    Cpu *cpu = s->accel->current;
    uint64_t host_pc = cpu ? cpu_tail(cpu)->slow.host_pc : 0;
    uint32_t offset, index;
    TcgCode *code;

    if (!plugin_wants_records(s))
        return;
    if (cpu && s->caller == cpu) {
        plugin_settle_at(cpu, s->call->insn);
    } else if (host_pc && cpu_tail(cpu)->plugin.segment) {
        code = tcg_find_code(s->accel->tcg, host_pc);
        g_assert(code);
        tcg_restore_state(s->accel->tcg, code, host_pc, cpu, &offset, &index);
        plugin_settle_at(cpu, index);
    }
    if (s->buffer_owner || s->recorded < s->buffer->used)
        settle_records(s);
}

void plugin_records_init(PluginSet *s)
{
    s->buffer = plugin_buffer_new();
    s->batch = g_new0(Batch, 1);
}

void plugin_records_free(PluginSet *s)
{
    plugin_buffer_free(s->buffer);
    g_free(s->batch);
}

void plugin_forget_blocks(PluginSet *s)
{
    plugin_drain(s);
    s->access_host_pc = 0;
    for (unsigned i = 0; i < s->accel->cpus->len; i++)
        forget_segment(&cpu_tail(s->accel->cpus->pdata[i])->plugin);
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
    const Segment *g = open_segment(st);
    const Trace *t;
    unsigned index = 0;

    if (!g)
        return;
    t = g->item[0].trace;
    while (index < t->ninsns && t->insn[index].offset != (uint32_t)(cpu->pc - cpu->vbase))
        index++;
    leave_segment(cpu, index, false);
}
