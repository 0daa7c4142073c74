/* SPDX-License-Identifier: MIT */
/* What a plugin sees of a block and asks for there. */
#include "accel/plugin/internal.h"

#include <string.h>

/* ---- Translation ----------------------------------------------------------------------------- */

void mimus_on_translate(MimusPlugin *p, MimusTranslateFn *fn, void *opaque)
{
    TranslateHook h = { fn, opaque };

    g_array_append_val(p->translate, h);
}

size_t mimus_block_insns(const MimusBlock *b)
{
    return b->ninsns;
}

MimusInsn *mimus_block_insn(const MimusBlock *b, size_t i)
{
    return i < b->ninsns ? (MimusInsn *)&b->insn[i] : NULL;
}

uint64_t mimus_block_vaddr(const MimusBlock *b)
{
    return b->req->linear;
}

static uint32_t place(const MimusInsn *i)
{
    return i->offset - i->block->req->unit_offset;
}

uint64_t mimus_insn_vaddr(const MimusInsn *i)
{
    return i->block->req->linear + place(i);
}

uint64_t mimus_insn_paddr(const MimusInsn *i)
{
    const MimusBlock *b = i->block;
    uint64_t in_page = (b->req->linear & (PAGE_SIZE - 1)) + place(i);

    if (b->paddr == UINT64_MAX)
        return UINT64_MAX;
    return in_page < PAGE_SIZE ? b->paddr + place(i) : b->paddr2 | (in_page - PAGE_SIZE);
}

const char *mimus_insn_text(const MimusInsn *i)
{
    MimusBlock *b = i->block;
    const CpuOps *ops = b->cpu->ops;

    g_string_truncate(b->text, 0);
    if (!ops->trace->print_insn)
        return NULL;
    ops->trace->print_insn(b->cpu, b->req->mode, mimus_insn_vaddr(i), mimus_insn_bytes(i), i->size,
                           b->text);
    return b->text->str;
}

bool mimus_insn_decode(const MimusInsn *i, MimusDecoded *out, size_t size)
{
    const MimusBlock *b = i->block;
    const CpuTraceOps *ops = b->cpu->ops->trace;
    MimusDecoded d;

    if (!ops->decode_insn || !ops->decode_insn(b->req->mode, mimus_insn_bytes(i), i->size, &d))
        return false;
    memset(out, 0, size);
    memcpy(out, &d, MIN(size, sizeof(d)));
    return true;
}

size_t mimus_insn_size(const MimusInsn *i)
{
    return i->size;
}

const uint8_t *mimus_insn_bytes(const MimusInsn *i)
{
    return i->block->bytes + place(i);
}

/* ---- Counters -------------------------------------------------------------------------------- */

MimusCounter *mimus_counter_new(MimusPlugin *p)
{
    PluginSet *s = p->set;

    for (unsigned i = 0; i < PLUGIN_COUNTERS; i++) {
        if (s->counter[i].owner)
            continue;
        s->counter[i].owner = p;
        for (unsigned n = 0; n < s->accel->cpus->len; n++)
            cpu_tail(s->accel->cpus->pdata[n])->plugin.counter[i] = 0;
        return &s->counter[i];
    }
    return NULL;
}

static unsigned counter_index(const MimusCounter *c)
{
    return (unsigned)(c - c->set->counter);
}

uint64_t mimus_counter_get(const MimusCounter *c, unsigned cpu)
{
    Cpu *of = accel_cpu(c->set->accel, cpu);
    unsigned i = counter_index(c);

    return of ? cpu_tail(of)->plugin.counter[i] - plugin_counter_pending(c->set, of, i) : 0;
}

uint64_t mimus_counter_sum(const MimusCounter *c)
{
    uint64_t sum = 0;

    for (unsigned n = 0; n < c->set->accel->cpus->len; n++)
        sum += mimus_counter_get(c, n);
    return sum;
}

/* ---- Requests -------------------------------------------------------------------------------- */

guint plugin_filter_hash(gconstpointer p)
{
    const MimusFilter *f = p;

    return (guint)(f->range.first ^ f->range.last * 3 ^ f->space >> 4) ^ f->cpus << 8 ^
           f->privileges;
}

gboolean plugin_filter_equal(gconstpointer p, gconstpointer q)
{
    const MimusFilter *a = p, *b = q;

    return a->range.first == b->range.first && a->range.last == b->range.last &&
           a->cpus == b->cpus && a->privileges == b->privileges && a->by_space == b->by_space &&
           a->space == b->space;
}

static const MimusFilter *keep_filter(PluginSet *s, const MimusFilter *f)
{
    MimusFilter *kept;

    if (!f || !(f->range.last || f->cpus || f->privileges || f->by_space))
        return NULL;
    kept = g_hash_table_lookup(s->filters, f);
    if (!kept) {
        kept = g_memdup2(f, sizeof(*f));
        g_hash_table_add(s->filters, kept);
    }
    return kept;
}

static void act(MimusBlock *b, Action a)
{
    a.plugin = b->looking;
    g_array_append_val(b->actions, a);
}

static void watch_accesses(MimusBlock *b)
{
    GPtrArray *cpus = b->set->accel->cpus;

    for (unsigned i = 0; i < cpus->len; i++)
        ((Cpu *)cpus->pdata[i])->run->watch_accesses = true;
}

void mimus_insn_count(MimusInsn *i, MimusCounter *c, uint32_t n)
{
    act(i->block, (Action){ .kind = ACT_COUNT,
                            .place = AT_INSN,
                            .insn = i->index,
                            .counter = (uint16_t)counter_index(c),
                            .n = n });
}

void mimus_block_count(MimusBlock *b, MimusCounter *c, uint32_t n)
{
    act(b,
        (Action){
            .kind = ACT_COUNT, .place = AT_ENTRY, .counter = (uint16_t)counter_index(c), .n = n });
}

void mimus_insn_call(MimusInsn *i, MimusWhen when, MimusRegs regs, const MimusFilter *filter,
                     MimusExecFn *fn, void *data)
{
    act(i->block, (Action){ .kind = ACT_CALL,
                            .place = when == MIMUS_BEFORE ? AT_INSN : AT_END,
                            .regs = (uint8_t)regs,
                            .insn = i->index,
                            .fn = (void (*)(void))fn,
                            .data = data,
                            .filter = keep_filter(i->block->set, filter) });
}

void mimus_block_call(MimusBlock *b, MimusRegs regs, const MimusFilter *filter, MimusExecFn *fn,
                      void *data)
{
    act(b, (Action){ .kind = ACT_CALL,
                     .place = AT_ENTRY,
                     .regs = (uint8_t)regs,
                     .fn = (void (*)(void))fn,
                     .data = data,
                     .filter = keep_filter(b->set, filter) });
}

static void call_at(MimusInsn *i, ActionPlace place, unsigned kinds, MimusRegs regs,
                    const MimusFilter *filter, MimusAccessFn *fn, void *data)
{
    act(i->block, (Action){ .kind = ACT_CALL,
                            .place = place,
                            .accesses = (uint8_t)kinds,
                            .regs = (uint8_t)regs,
                            .insn = i->index,
                            .fn = (void (*)(void))fn,
                            .data = data,
                            .filter = keep_filter(i->block->set, filter) });
    watch_accesses(i->block);
}

void mimus_insn_call_access(MimusInsn *i, unsigned kinds, MimusRegs regs, const MimusFilter *filter,
                            MimusAccessFn *fn, void *data)
{
    call_at(i, AT_ACCESS, kinds, regs, filter, fn, data);
}

void mimus_insn_call_before_access(MimusInsn *i, unsigned kinds, MimusRegs regs,
                                   const MimusFilter *filter, MimusAccessFn *fn, void *data)
{
    GPtrArray *cpus = i->block->set->accel->cpus;

    call_at(i, AT_BEFORE_ACCESS, kinds, regs, filter, fn, data);
    for (unsigned n = 0; n < cpus->len; n++)
        ((Cpu *)cpus->pdata[n])->run->watch_before = true;
}

void mimus_block_record(MimusBlock *b, void *data)
{
    act(b, (Action){ .kind = ACT_RECORD, .place = AT_ENTRY, .data = data });
}

void mimus_insn_record(MimusInsn *i, void *data)
{
    act(i->block, (Action){ .kind = ACT_RECORD, .place = AT_INSN, .insn = i->index, .data = data });
}

void mimus_insn_record_once(MimusInsn *i, void *data)
{
    act(i->block,
        (Action){
            .kind = ACT_RECORD, .place = AT_INSN, .once = true, .insn = i->index, .data = data });
}

void mimus_insn_record_access(MimusInsn *i, unsigned kinds, void *data)
{
    act(i->block, (Action){ .kind = ACT_RECORD,
                            .place = AT_ACCESS,
                            .accesses = (uint8_t)kinds,
                            .insn = i->index,
                            .data = data });
    watch_accesses(i->block);
}

void mimus_on_records(MimusPlugin *p, MimusRecordsFn *fn, void *opaque)
{
    p->records = fn;
    p->records_opaque = opaque;
}
