/* SPDX-License-Identifier: MIT */
/*
 * Puts into a block what plugins ask for: the frontend's ops are copied, and ops of ours come in
 * between. Only ops that every back end has are used, so all run instrumented code alike. Blocks
 * begin and end where they would without plugins: a counted run stays the same run.
 *
 * Read-modify-writes whose accesses somebody wants to see become a load and a store: CPUs take
 * turns on one thread, so that is as atomic.
 */
#include "accel/plugin/internal.h"

#include <string.h>

void plugin_slots(IrSlot slots[PLUGIN_SLOTS], uint32_t offset)
{
    for (unsigned i = 0; i < PLUGIN_COUNTERS; i++)
        slots[PLUGIN_SLOT_COUNTER + i] =
            (IrSlot){ .name = g_intern_string("plugin_counter"),
                      .offset = offset + offsetof(PluginState, counter) + i * 8,
                      .type = I64 };
    slots[PLUGIN_SLOT_SEGMENT] = (IrSlot){ .name = g_intern_string("plugin_segment"),
                                           .offset = offset + offsetof(PluginState, segment),
                                           .type = I64 };
    slots[PLUGIN_SLOT_NOTED] = (IrSlot){ .name = g_intern_string("plugin_noted"),
                                         .offset = offset + offsetof(PluginState, noted),
                                         .type = I64 };
    slots[PLUGIN_SLOT_NEXT] = (IrSlot){ .name = g_intern_string("plugin_next"),
                                        .offset = offset + offsetof(PluginState, next),
                                        .type = I64 };
    slots[PLUGIN_SLOT_LIMIT] = (IrSlot){ .name = g_intern_string("plugin_limit"),
                                         .offset = offset + offsetof(PluginState, limit),
                                         .type = I64 };
    slots[PLUGIN_SLOT_VBASE] = (IrSlot){ .name = g_intern_string("plugin_vbase"),
                                         .offset = offsetof(Cpu, vbase),
                                         .type = I64 };
    for (unsigned i = 0; i < PLUGIN_WORDS; i++)
        slots[PLUGIN_SLOT_WORD + i] =
            (IrSlot){ .name = g_intern_string("plugin_word"),
                      .offset = offset + offsetof(PluginState, word) + i * 8,
                      .type = I64 };
    for (unsigned i = 0; i < PLUGIN_WORDS / 2; i++)
        slots[PLUGIN_SLOT_PAIR + i] =
            (IrSlot){ .name = g_intern_string("plugin_pair"),
                      .offset = offset + offsetof(PluginState, word) + i * 16,
                      .type = V128 };
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* An address that a word of the segment has: of a value and a distance to it. */
typedef struct Known {
    IrRef value;
    uint64_t distance;
    unsigned word;
} Known;

#define KNOWN 8

typedef struct Writer {
    PluginSet *set;
    IrBlock *ir;
    Trace *trace;
    unsigned slots, helpers; /* ours begin there */
    int insn;                /* being written */
    bool owed;               /* a late one has not been counted yet */
    int counted;             /* instructions before this one have been, or will be when done */
    bool begun;              /* AT_INSN has been done */
    bool ended;              /* AT_END has */
    unsigned action;         /* the first of this instruction */
    Segment *segment;        /* NULL: none is open */
    Known known[KNOWN];      /* … addresses that it has noted, the latest ones */
    unsigned nknown;
    unsigned accesses;     /* noted in it */
    unsigned words;        /* that they take */
    int last_segment_insn; /* that the one before ended within */
    bool direct;           /* entries are written into the buffer here: is_direct() */
    bool is_last;     /* after the access that is told its instruction cannot fault any more … */
    bool counts;      /* … but it could after one before: those of direct ones are told apart */
    IrRef next, head; /* where the buffer was at the block's begin; constant of the open entry */
    unsigned written; /* words since then */
} Writer;

static IrRef put(Writer *w, IrOp op)
{
    g_assert(w->ir->nops < IR_MAX_OPS);
    w->ir->ops[w->ir->nops] = op;
    return (IrRef)w->ir->nops++;
}

static IrType type_of(const Writer *w, IrRef v)
{
    return (IrType)w->ir->ops[v].type;
}

static IrRef put_const(Writer *w, IrType type, uint64_t value)
{
    return put(w, (IrOp){ .op = OP_const, .type = (uint8_t)type, .value = value });
}

static void put_set(Writer *w, unsigned slot, IrRef value)
{
    put(w, (IrOp){ .op = OP_set,
                   .type = w->ir->ops[value].type,
                   .flags = IROP_COMMIT,
                   .a = value,
                   .imm = w->slots + slot });
}

static void put_call(Writer *w, unsigned helper, IrRef a)
{
    put(w, (IrOp){ .op = OP_call, .type = IR_VOID, .a = a, .imm = w->helpers + helper });
    w->ir->has_calls = true;
}

/* ---- … counters */

static void put_add(Writer *w, unsigned counter, uint64_t n)
{
    unsigned slot = PLUGIN_SLOT_COUNTER + counter;
    IrRef old = put(w, (IrOp){ .op = OP_get, .type = I64, .imm = w->slots + slot });
    IrRef by = put_const(w, I64, n);

    put_set(w, slot, put(w, (IrOp){ .op = OP_add, .type = I64, .a = old, .b = by }));
}

/* What instructions @from … @to are counted by. */
static void sum_up(const Trace *t, int from, int to, uint64_t sum[PLUGIN_COUNTERS])
{
    for (unsigned k = 0; k < t->nactions; k++) {
        const Action *a = &t->actions[k];
        if (a->kind == ACT_COUNT && a->place == AT_INSN && a->insn >= from && a->insn <= to)
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
        if (t->actions[k].kind == ACT_COUNT && t->actions[k].place == AT_ENTRY)
            sum[t->actions[k].counter] += t->actions[k].n;
}

/* Behind the marker of instruction w->insn. */
static void count_at_begin(Writer *w)
{
    const Trace *t = w->trace;
    uint64_t sum[PLUGIN_COUNTERS] = { 0 };
    int n = w->insn;

    if (n == 0)
        count_entry(t, sum);
    if (w->owed)
        sum_up(t, n - 1, n - 1, sum);
    w->owed = t->insn[n].late;
    if (!w->owed && n >= w->counted) {
        sum_up(t, n, t->insn[n].last, sum);
        w->counted = t->insn[n].last + 1;
    }
    put_sums(w, sum);
}

static void count_at_end(Writer *w)
{
    uint64_t sum[PLUGIN_COUNTERS] = { 0 };

    if (!w->owed)
        return;
    sum_up(w->trace, w->insn, w->insn, sum);
    w->owed = false;
    put_sums(w, sum);
}

/* ---- … calls and records */

static Item *new_item(Writer *w, const Action *a, unsigned record)
{
    Trace *t = w->trace;
    Item *item = a->kind == ACT_CALL ? &t->calls[t->ncalls++] : &t->items[t->nitems++];

    g_assert(t->ncalls <= t->room.calls && t->nitems <= t->room.items);
    if (a->kind == ACT_RECORD) {
        Segment *g = w->segment;
        g->plugin = !g->nitems || g->plugin == a->plugin ? a->plugin : NULL;
        g->once |= a->once;
        g->nitems++;
    }
    *item = (Item){ .action = a,
                    .trace = t,
                    .data = a->data,
                    .offset = t->insn[w->insn].offset,
                    .insn = (uint16_t)w->insn,
                    .record = (uint8_t)record,
                    .size = t->insn[w->insn].size };
    return item;
}

/* ---- … entries of the buffer, written by the block itself */

/* A word of the open entry; those before it are its first and the base of pcs. */
static void put_word(Writer *w, unsigned word, IrRef value)
{
    put(w, (IrOp){ .op = OP_st_host,
                   .type = w->ir->ops[value].type,
                   .a = w->next,
                   .b = value,
                   .imm = 8 * (w->written + word) });
}

/* Is there room for all that the block may write? Else it is left, and entered again. */
static void begin_direct(Writer *w)
{
    IrRef limit = put(w, (IrOp){ .op = OP_get, .type = I64, .imm = w->slots + PLUGIN_SLOT_LIMIT });
    IrRef full;

    w->next = put(w, (IrOp){ .op = OP_get, .type = I64, .imm = w->slots + PLUGIN_SLOT_NEXT });
    full =
        put(w, (IrOp){ .op = OP_setcond, .type = I1, .aux = COND_GEU, .a = w->next, .b = limit });
    put(w, (IrOp){ .op = OP_exit_if, .a = full, .imm = PLUGIN_EXIT_ROOM });
}

/* How long it is will be known at its end. */
static void begin_entry(Writer *w)
{
    w->head = put_const(w, I64, 0);
    put_word(w, 0, w->head);
    put_word(w, 1,
             put(w, (IrOp){ .op = OP_get, .type = I64, .imm = w->slots + PLUGIN_SLOT_VBASE }));
}

/* Nothing is there any more, behind it. */
static void end_entry(Writer *w)
{
    w->written += w->words + 2;
    put_set(w, PLUGIN_SLOT_NEXT,
            put(w, (IrOp){ .op = OP_lea, .type = I64, .a = w->next, .imm = 8 * w->written }));
    put_word(w, 0, put_const(w, I64, 0));
}

/* A value, which is an integer or two. */
static void put_value(Writer *w, unsigned word, IrRef v)
{
    IrType type = type_of(w, v);

    if (type == F32 || type == F64)
        v = put(w, (IrOp){ .op = OP_bitcast, .type = type == F32 ? I32 : I64, .a = v });
    for (unsigned lane = 0; type == V128 && lane < 2; lane++)
        put_word(w, word + lane,
                 put(w, (IrOp){ .op = OP_vextract, .type = I64, .aux = 3, .a = v, .imm = lane }));
    if (type != V128)
        put_word(w, word, v);
}

static void open_segment(Writer *w)
{
    if (w->segment)
        return;
    g_assert(w->trace->nsegments < w->trace->room.segments);
    w->segment = &w->trace->segments[w->trace->nsegments++];
    w->segment->item = &w->trace->items[w->trace->nitems];
    w->segment->continues = w->last_segment_insn == w->insn;
    w->segment->direct = w->direct;
    w->accesses = w->words = w->nknown = 0;
    if (w->direct) {
        begin_entry(w);
        return;
    }
    put_set(w, PLUGIN_SLOT_NOTED, put_const(w, I64, 0));
    put_set(w, PLUGIN_SLOT_SEGMENT, put_const(w, I64, (uintptr_t)w->segment));
}

static void end_segment(Writer *w)
{
    if (!w->segment)
        return;
    w->segment->nwords = (uint16_t)w->words;
    if (w->direct)
        w->ir->ops[w->head].value = plugin_word(w->segment, WORD_SEGMENT, w->words + 1u);
    w->segment->flat = w->set->accel->ops->trace->is_flat(w->set->block.req->mode);
    plugin_describe_paths(w->set, w->segment);
    w->segment = NULL;
    w->last_segment_insn = w->insn;
}

static void close_segment(Writer *w)
{
    const Segment *g = w->segment;

    end_segment(w);
    if (g && w->direct)
        end_entry(w);
    else if (g)
        put_call(w, PLUGIN_FLUSH, put_const(w, I64, plugin_flush_argument(g)));
}

static void call_item(Writer *w, const Item *item)
{
    const Action *a = item->action;
    unsigned helper = PLUGIN_CALL + a->regs;

    if (helper == PLUGIN_CALL_WRITE && a->place == AT_END)
        helper = PLUGIN_CALL_WRITE_END;
    put_call(w, helper, put_const(w, I64, (uintptr_t)item));
}

/* What is to happen of this kind of place, in the order in which it was asked for. */
static void at_place(Writer *w, ActionPlace place, MimusRecordKind record)
{
    for (unsigned k = w->action; k < w->trace->nactions; k++) {
        const Action *a = &w->trace->actions[k];
        if (a->insn != w->insn)
            break;
        if (a->place != place || a->kind == ACT_COUNT)
            continue;
        if (a->kind == ACT_RECORD) {
            open_segment(w);
            new_item(w, a, record);
        } else {
            call_item(w, new_item(w, a, record));
        }
    }
}

/* What the instruction is asked about such accesses, at @place. */
typedef struct Asked {
    bool any, record, physical;
    bool apart; /* somebody expects its address right before its value */
} Asked;

static Asked asked_about(const Writer *w, ActionPlace place, unsigned accesses)
{
    Asked asked = { false };

    for (unsigned k = w->action; w->insn >= 0 && k < w->trace->nactions; k++) {
        const Action *a = &w->trace->actions[k];
        if (a->insn != w->insn)
            break;
        if (a->place != place || !(a->accesses & accesses))
            continue;
        asked.any = true;
        asked.record |= a->kind == ACT_RECORD;
        asked.physical |= (a->accesses & MIMUS_PHYSICAL) != 0;
        asked.apart |= a->kind == ACT_CALL || a->plugin->api < 3;
    }
    return asked;
}

static void note_value(Writer *w, unsigned word, IrRef v)
{
    IrType type = type_of(w, v);

    if (w->direct && type != V256) {
        put_value(w, word + 2, v);
    } else if (ir_type_info[type].bytes <= 8) {
        put_set(w, PLUGIN_SLOT_WORD + word, v);
    } else if (type != V256) {
        put_set(w, PLUGIN_SLOT_PAIR + word / 2, v);
    } else {
        for (unsigned half = 0; half < 2; half++)
            note_value(w, word + 2 * half,
                       put(w, (IrOp){ .op = OP_vextracth, .type = V128, .a = v, .imm = half }));
    }
}

/* Where an access is noted: the word of its value, of its physical address, and of its address
 * less @delta, which is @known already. */
typedef struct Place {
    unsigned value, physical, address;
    int32_t delta;
    bool known;
} Place;

/* @a as a value that is not a sum of another one and a constant, and the distance to that. */
static Known origin(const Writer *w, IrRef a, int32_t displacement)
{
    Known k = { a, (uint64_t)(int64_t)displacement, 0 };

    for (;;) {
        const IrOp *op = &w->ir->ops[k.value], *by = &w->ir->ops[op->b];
        if (op->type != I64)
            return k;
        if (op->op == OP_lea && op->b == IR_NONE) {
            k.distance += (uint64_t)(int64_t)(int32_t)op->imm;
        } else if (op->op == OP_add && by->op == OP_const) {
            k.distance += by->value;
        } else if (op->op == OP_sub && by->op == OP_const) {
            k.distance -= by->value;
        } else {
            return k;
        }
        k.value = op->a;
    }
}

/* Does the segment have an address that this one is known from? */
static bool find_known(const Writer *w, const Known *k, Place *p)
{
    for (unsigned i = 0; i < MIN(w->nknown, KNOWN); i++) {
        int64_t delta = (int64_t)(k->distance - w->known[i].distance);
        if (w->known[i].value != k->value || delta != (int32_t)delta)
            continue;
        p->address = w->known[i].word;
        p->delta = (int32_t)delta;
        return true;
    }
    return false;
}

/* In the segment, or in the scratch that is no part of it. */
static Place take_words(Writer *w, const IrOp *op, unsigned size, Asked asked)
{
    Known k = origin(w, op->a, (int32_t)op->imm);
    unsigned at = asked.record ? w->words : PLUGIN_SCRATCH, end;
    Place p = { 0 };

    p.known = !asked.apart && find_known(w, &k, &p);
    p.value = at + !p.known;
    p.value += size > 8 && p.value % 2;
    if (!p.known)
        p.address = p.value - 1;
    end = p.value + plugin_value_words(size);
    if (asked.physical)
        p.physical = end++;
    if (!asked.record)
        return p;
    w->words = end;
    w->accesses++;
    k.word = p.address;
    if (!p.known)
        w->known[w->nknown++ % KNOWN] = k;
    return p;
}

static IrRef full_address(Writer *w, const IrOp *op)
{
    return op->imm ? put(w, (IrOp){ .op = OP_lea, .type = I64, .a = op->a, .imm = op->imm })
                   : op->a;
}

static Place note_access(Writer *w, const IrOp *op, IrRef value, unsigned size, Asked asked)
{
    IrRef addr = IR_NONE;
    Place p;

    if (w->words + PLUGIN_ACCESS > PLUGIN_SCRATCH)
        close_segment(w);
    if (asked.record)
        open_segment(w);
    p = take_words(w, op, size, asked);
    if (!p.known || asked.physical)
        addr = full_address(w, op);
    if (!p.known)
        note_value(w, p.address, addr);
    if (value)
        note_value(w, p.value, value);
    if (asked.physical)
        put(w, (IrOp){ .op = OP_call,
                       .type = IR_VOID,
                       .a = addr,
                       .b = put_const(w, I64, p.physical | (op->d & MEM_MMU_MASK) << 8),
                       .imm = w->helpers + PLUGIN_FIND_PHYSICAL });
    w->ir->has_calls |= asked.physical;
    if (asked.record && !(w->direct && w->is_last))
        put_set(w, PLUGIN_SLOT_NOTED, put_const(w, I64, w->accesses));
    return p;
}

/* @op makes, or will make, an access of @kind, with @value unless that is IR_NONE. */
static void tell_access(Writer *w, ActionPlace place, const IrOp *op, MimusAccessKind kind,
                        IrRef value, unsigned size)
{
    Asked asked = asked_about(w, place, kind);
    Trace *t = w->trace;
    Place noted;

    if (!asked.any)
        return;
    noted = note_access(w, op, value, size, asked);
    for (unsigned k = w->action; k < t->nactions && t->actions[k].insn == w->insn; k++) {
        const Action *a = &t->actions[k];
        Item *item;

        if (a->place != place || !(a->accesses & kind))
            continue;
        item = new_item(w, a, (unsigned)kind);
        item->size = (uint8_t)size;
        item->word = (uint8_t)noted.value;
        item->address = (uint8_t)noted.address;
        item->delta = noted.delta;
        item->physical = (uint8_t)(a->accesses & MIMUS_PHYSICAL ? noted.physical : 0);
        item->access = (uint8_t)(w->direct && !w->counts ? NEVER_NOTED
                                 : asked.record          ? w->accesses
                                                         : 0);
        if (a->kind == ACT_CALL)
            call_item(w, item);
    }
}

/* It has been made by @op, a copy of the frontend's. */
static void at_access(Writer *w, const IrOp *op, MimusAccessKind kind, IrRef value)
{
    tell_access(w, AT_ACCESS, op, kind, value, ir_type_info[type_of(w, value)].bytes);
}

/* It is about to be: @op is not written yet. */
static void before_access(Writer *w, const IrOp *op, MimusAccessKind kind)
{
    IrRef value = kind == MIMUS_STORE ? op->b : IR_NONE;
    unsigned type = value ? type_of(w, value) : op->type;

    tell_access(w, AT_BEFORE_ACCESS, op, kind, value, ir_type_info[type].bytes);
}

static bool is_asked_about(const Writer *w, unsigned accesses)
{
    return asked_about(w, AT_ACCESS, accesses).any ||
           asked_about(w, AT_BEFORE_ACCESS, accesses).any;
}

/* ---- … the block */

static IrRef renamed(const Writer *w, IrRef v)
{
    return w->set->renamed[v];
}

static IrRef combine(Writer *w, const IrOp *op, IrRef old)
{
    static const uint8_t with[] = {
        [OP_rmw_add - OP_rmw_add] = OP_add, [OP_rmw_sub - OP_rmw_add] = OP_sub,
        [OP_rmw_and - OP_rmw_add] = OP_and, [OP_rmw_or - OP_rmw_add] = OP_or,
        [OP_rmw_xor - OP_rmw_add] = OP_xor, [OP_rmw_xadd - OP_rmw_add] = OP_add,
    };
    IrRef same;

    if (op->op == OP_rmw_xchg)
        return op->b;
    if (op->op != OP_rmw_cas)
        return put(
            w, (IrOp){ .op = with[op->op - OP_rmw_add], .type = op->type, .a = old, .b = op->b });
    same = put(w, (IrOp){ .op = OP_setcond, .type = I1, .aux = COND_EQ, .a = old, .b = op->c });
    return put(w, (IrOp){ .op = OP_select, .type = op->type, .a = same, .b = op->b, .c = old });
}

/* The fault of the store comes first. */
static IrRef split_rmw(Writer *w, const IrOp *op)
{
    uint16_t flags = op->d & ~MEM_LOCK;
    IrOp load = { .op = OP_ld, .type = op->type, .a = op->a, .imm = op->imm, .d = flags };
    IrOp store = { .op = OP_st, .type = op->type, .a = op->a, .imm = op->imm, .d = flags };
    bool gives_old = op->op >= OP_rmw_xadd, is_last = w->is_last;
    IrRef old, new;

    w->is_last = false;
    before_access(w, &load, MIMUS_LOAD);
    put(w, (IrOp){ .op = OP_probe,
                   .aux = 1,
                   .a = op->a,
                   .b = ir_type_info[op->type].bytes,
                   .imm = op->imm,
                   .d = flags });
    old = put(w, load);
    at_access(w, &load, MIMUS_LOAD, old);
    new = combine(w, op, old);
    store.b = new;
    before_access(w, &store, MIMUS_STORE);
    put(w, store);
    w->is_last = is_last;
    at_access(w, &store, MIMUS_STORE, new);
    return gives_old ? old : new;
}

static IrOp copy_of(const Writer *w, unsigned i)
{
    IrOp op = w->set->source[i];
    unsigned n = ir_operands(w->ir, &op);

    for (unsigned k = 0; k < n; k++)
        op.arg[k] = renamed(w, op.arg[k]);
    return op;
}

/* Can the instruction fault after op @i, one of @nops? */
static bool may_fault_behind(const PluginSet *s, unsigned i, unsigned nops)
{
    while (++i < nops && s->source[i].op != OP_insn)
        if (ir_op_info[s->source[i].op].props & IRP_FAULT)
            return true;
    return false;
}

/* Before an access: whether it has been made must be told, where its instruction may fault yet. */
static void prepare_access(Writer *w, const IrOp *op, unsigned i, unsigned nops)
{
    w->is_last = !may_fault_behind(w->set, i, nops);
    if (!w->direct || w->counts || (w->is_last && !plugin_is_rmw(op)))
        return;
    w->counts = true;
    put_set(w, PLUGIN_SLOT_NOTED, put_const(w, I64, w->segment ? w->accesses : 0));
}

static void copy_op(Writer *w, unsigned i, unsigned nops)
{
    IrOp op = copy_of(w, i);
    IrRef *name = &w->set->renamed[i];

    if (plugin_accesses_of(&op))
        prepare_access(w, &op, i, nops);

    if (plugin_is_rmw(&op) && is_asked_about(w, MIMUS_LOAD | MIMUS_STORE)) {
        *name = split_rmw(w, &op);
        return;
    }
    if (op.op == OP_ld || op.op == OP_st)
        before_access(w, &op, op.op == OP_ld ? MIMUS_LOAD : MIMUS_STORE);
    *name = put(w, op);
    if (op.op == OP_ld)
        at_access(w, &op, MIMUS_LOAD, *name);
    else if (op.op == OP_st)
        at_access(w, &op, MIMUS_STORE, op.b);
}

static bool leaves_when_done(const IrOp *op)
{
    return op->op == OP_goto || op->op == OP_goto_if || op->op == OP_jump || op->op == OP_exit;
}

/* Checks that the engine or the frontend put at the beginning of an instruction come before it. */
static bool belongs_to_begin(const PluginSet *s, unsigned i, unsigned nops)
{
    for (; i < nops && s->source[i].op != OP_insn; i++) {
        const IrOp *op = &s->source[i];
        if (op->op == OP_exit_if)
            return true;
        if ((ir_op_info[op->op].props & (IRP_FAULT | IRP_EXIT | IRP_END)) || op->op == OP_set ||
            op->op == OP_setflags)
            return false;
    }
    return false;
}

static void begin_insn(Writer *w)
{
    w->begun = true;
    if (w->insn == 0)
        at_place(w, AT_ENTRY, MIMUS_RECORD_BLOCK);
    at_place(w, AT_INSN, MIMUS_RECORD_INSN);
}

static void end_insn(Writer *w)
{
    if (w->ended)
        return;
    w->ended = true;
    at_place(w, AT_END, MIMUS_RECORD_INSN);
}

/* Is it the condition of a jump that comes right behind? The host's flags are to stay in between.
 */
static bool decides_next(const PluginSet *s, unsigned i, unsigned nops)
{
    const IrOp *op = &s->source[i];

    return (op->op == OP_setcond || op->op == OP_fl_test) && i + 1 < nops &&
           s->source[i + 1].op == OP_goto_if && s->source[i + 1].a == i;
}

/* Nobody looks at what is recorded, or does something of its own, while the block runs; nothing of
 * it comes but from the block's ops: then it writes entries itself. */
static bool is_direct(const PluginSet *s, const Trace *t, const IrBlock *ir)
{
    unsigned words = 2 * t->room.segments;

    if (plugin_wants_records(s) || !s->accel->ops->trace->is_flat(s->block.req->mode))
        return false;
    for (unsigned k = 0; k < t->nactions; k++)
        if (t->actions[k].kind != ACT_RECORD || t->actions[k].once ||
            (t->actions[k].accesses & MIMUS_PHYSICAL))
            return false;
    for (unsigned i = 1; i < ir->nops; i++) {
        const IrOp *op = &ir->ops[i];
        if (op->op == OP_call || op->type == F80)
            return false;
        words += plugin_accesses_of(op) ? 2 * (PLUGIN_ACCESS - 1) : 0;
    }
    return words <= BLOCK_WORDS;
}

static void rewrite(PluginSet *s, IrBlock *ir, Trace *t)
{
    Writer w = { .set = s,
                 .ir = ir,
                 .trace = t,
                 .slots = s->accel->ops->nslots,
                 .helpers = s->accel->ops->nhelpers,
                 .insn = -1,
                 .begun = true,
                 .ended = true,
                 .last_segment_insn = -1,
                 .direct = is_direct(s, t, ir) };
    unsigned nops = ir->nops;

    memcpy(s->source, ir->ops, nops * sizeof(IrOp));
    s->renamed[0] = IR_NONE;
    ir->nops = 1;
    ir->built = 0; /* from now on it is not the builder who makes ops */
    for (unsigned i = 1; i < nops; i++) {
        const IrOp *op = &s->source[i];

        if (!w.begun && op->op == OP_insn)
            begin_insn(&w);
        if (op->op == OP_insn)
            end_insn(&w);
        else if (!w.begun && !belongs_to_begin(s, i, nops))
            begin_insn(&w);
        if (leaves_when_done(op)) {
            count_at_end(&w);
            end_insn(&w);
        }
        if ((ir_op_info[op->op].props & IRP_EXIT) || (w.direct && decides_next(s, i, nops)))
            close_segment(&w);
        copy_op(&w, i, nops);
        if (op->op == OP_insn) {
            while (w.action < t->nactions && t->actions[w.action].insn <= w.insn)
                w.action++;
            w.insn++;
            w.begun = w.ended = w.counts = false;
            count_at_begin(&w);
            if (w.direct && w.insn == 0)
                begin_direct(&w);
        }
    }
    end_segment(&w); /* it ended in a trap */
}

/* Groups of accesses that cannot be checked at once end a block where no other back end would. */
static bool wants_same_blocks(const Trace *t)
{
    for (unsigned k = 0; k < t->nactions; k++)
        if (t->actions[k].kind != ACT_COUNT || t->actions[k].place == AT_ENTRY)
            return true;
    return false;
}

void plugin_instrument(Cpu *cpu, IrBlock *ir, struct Tb *tb)
{
    PluginSet *s = cpu->run->accel->plugins;

    g_clear_pointer(&tb->trace, plugin_trace_free);
    if (!s->block.actions->len)
        return;
    tb->trace = plugin_make_trace(&s->block, ir);
    tb->trace->tb = tb;
    ir->no_groups |= wants_same_blocks(tb->trace);
    rewrite(s, ir, tb->trace);
}

/* ---- What was counted too early -------------------------------------------------------------- */

static void not_executed(const Trace *t, unsigned index, uint64_t sum[PLUGIN_COUNTERS])
{
    if (index < t->ninsns && !t->insn[index].late)
        sum_up(t, (int)index, t->insn[index].last, sum);
}

void plugin_counts_give_back(Cpu *cpu, const Trace *t, unsigned index)
{
    uint64_t sum[PLUGIN_COUNTERS] = { 0 };

    not_executed(t, index, sum);
    for (unsigned k = 0; k < PLUGIN_COUNTERS; k++)
        cpu->run->tail->plugin.counter[k] -= sum[k];
}

uint64_t plugin_counter_pending(const PluginSet *s, Cpu *cpu, unsigned counter)
{
    uint64_t sum[PLUGIN_COUNTERS] = { 0 }, host_pc = cpu->run->tail->slow.host_pc;
    const struct Tb *tb;
    uint32_t offset, index;
    TcgCode *code;

    if (s->caller == cpu) {
        not_executed(s->call->trace, s->call->insn + (s->call->action->place == AT_END), sum);
        return sum[counter];
    }
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
