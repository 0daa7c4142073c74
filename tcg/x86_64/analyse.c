/* SPDX-License-Identifier: MIT */
/*
 * What this back end wants to know beyond the common notes, as visitor of the backward pass: which
 * values can be computed straight into a pin, which conditions their consumer evaluates itself,
 * whose host flags are worth keeping, and how far it is to the end.
 */
#include "tcg/backward.h"
#include "tcg/x86_64/gen.h"

bool is_offset(const Gen *g, IrRef v, IrRef *base, int32_t *disp)
{
    const IrOp *op = &g->ops[v];

    *base = op->a;
    if (op->type != I64) {
        return false;
    }
    if (op->op == OP_lea) {
        *disp = (int32_t)op->imm;
        return op->b == IR_NONE;
    }
    return op->op == OP_add && fits_imm(g, op->b, disp);
}

/* -- How far it is to the end, for ops that may jump to a stub by 8 bits -------------------------
 */

typedef struct Walk {
    Gen *g;
    IrNotes *notes;
    const IrOp *ops;
    const SlotHome *slots;
    unsigned observed; /* the next op that sees the state, or whose C code changes it … */
    unsigned seen;     /* … and is no link */
    Rest behind;
    uint16_t access[NREGS];       /* the next get or set of a pin */
    uint16_t sets[IR_NOTED_OPS];  /* how many of a value's users are sets */
    uint16_t bases[IR_NOTED_OPS]; /* … take it as a base */
} Walk;

static void note_size(Walk *w, unsigned i, unsigned bytes)
{
    w->g->rest[i] = w->behind;
    w->behind.bytes += bytes;
}

static void note_access_size(Walk *w, unsigned i, unsigned nearer, bool checks)
{
    const IrOp *op = &w->ops[i];

    if (!checks) {
        note_size(w, i, op->op == OP_probe ? 0 : 5);
    } else if (is_by_stack(w->g, op, 8)) {
        note_size(w, i, MEM_STUB_BYTES + STACK_STUB_BYTES + (op->d & MEM_MMU_MASK ? 36 : 27));
    } else {
        note_size(w, i, MEM_STUB_BYTES + 46 - nearer - (is_near(w->g, op) ? 12 : 0));
    }
}

/* Of what may fault or leave. */
static void note_observer_size(Walk *w, unsigned i, bool shows)
{
    const IrOp *op = &w->ops[i];

    switch (op->op) {
    case OP_x87_ld:
    case OP_x87_st: note_access_size(w, i, 0, shows); return;
    case OP_probe: note_access_size(w, i, 4, shows); return;
    case OP_rmw_add ... OP_rmw_cas: note_size(w, i, 60 + MEM_STUB_BYTES); return;
    case OP_goto: note_size(w, i, 20); return;
    case OP_goto_if:
        note_size(w, i, 8);
        w->behind.stubs += op->imm == w->g->ir->start ? 50 : 26;
        return;
    case OP_trap_if:
        note_size(w, i, 8);
        w->behind.stubs += 13;
        return;
    case OP_exit_if:
        note_size(w, i, 8);
        w->behind.stubs += 25;
        return;
    case OP_divu2:
    case OP_divs2:
        note_size(w, i, 60);
        w->behind.stubs += 13;
        return;
    case OP_jump: note_size(w, i, 64); return;
    default: note_size(w, i, ir_op_info[op->op].props & IRP_FAULT ? 60 : 5); return;
    }
}

static void note_other_size(Walk *w, unsigned i)
{
    const IrOp *op = &w->ops[i];

    if (op->op == OP_trunc) {
        note_size(w, i, 0);
    } else if (ir_op_info[op->op].props & IRP_FPSTATUS) {
        note_size(w, i, op->type == F80 || op->type == V256 ? 60 : 8);
    } else {
        note_size(w, i, 5);
    }
}

/* -- What becomes of values ---------------------------------------------------------------------
 */

static void extend_use(IrNotes *notes, IrRef v, unsigned to)
{
    notes->last_use[v] = MAX(notes->last_use[v], (uint16_t)to);
}

/* Of fl_adc, fl_sbb: may the host compute the result as one? Then its flags are there too. */
static void note_carry(Gen *g, IrNotes *notes, const IrOp *fl)
{
    IrOpcode op = fl->op == OP_fl_adc ? OP_add : OP_sub;
    const IrOp *r = &g->ops[fl->a], *inner = &g->ops[r->a], *cin = &g->ops[fl->c];

    if (r->op == op && r->b == fl->c && inner->op == op && inner->b == fl->b && r->type >= I32 &&
        cin->op == OP_zext && g->ops[cin->a].type == I1) {
        g->defer[r->a] = fl->a;
        note_link(g, notes, (unsigned)(fl - g->ops));
    }
}

/* An add or sub that may be the inner one: it is, if nobody else wants it. */
static void note_carried(Walk *w, unsigned i)
{
    Gen *g = w->g;
    unsigned outer = g->defer[i];

    if (w->notes->uses[i] != 1) {
        g->defer[i] = 0;
        return;
    }
    g->want[outer] |= WANT_CARRY;
    extend_use(w->notes, g->ops[i].a, outer);
    extend_use(w->notes, g->ops[i].b, outer);
}

/* Is @v the extension of something (@inner) that the host extends as it makes it? */
static bool extends(const Gen *g, IrRef v, IrRef *inner)
{
    const IrOp *op = &g->ops[v], *x = &g->ops[op->a];

    *inner = op->a;
    return (op->op == OP_sext && x->op == OP_ld && op->type >= I32) ||
           (op->op == OP_zext && ((x->type == I32 && op->type == I64) || op->type == V256 ||
                                  (x->op == OP_ld && (x->type == I8 || x->type == I16))));
}

/* Host operations that leave the rest of a register alone: 8 and 16 bits, SSE scalars. */
static bool keeps_rest(const Gen *g, IrRef v)
{
    IrType t = (IrType)g->ops[v].type;

    return t == I8 || t == I16 || t == F32 || t == F64;
}

/* Does the host compute @op in place of its first operand? */
static bool is_in_place(const IrOp *op)
{
    switch (op->op) {
    case OP_add:
    case OP_sub:
    case OP_and:
    case OP_or:
    case OP_xor:
    case OP_shl:
    case OP_shr:
    case OP_sar:
    case OP_neg:
    case OP_not: return op->type == I32 || op->type == I64;
    default: return false;
    }
}

/* @v is computed into a pin: what that is made of may be, too, if it is for nothing else. */
static void pass_hint(Gen *g, IrRef v)
{
    const IrOp *op = &g->ops[v], *x = &g->ops[op->a];

    if (is_in_place(op) && x->type == op->type && x->op != OP_get && x->op != OP_const &&
        !g->hint[op->a]) {
        g->hint[op->a] = g->hint[v];
        g->want[op->a] |= WANT_PASSED;
    }
}

/* A set has asked to have @v computed into its pin: not if somebody looks at the pin in between. */
static void settle_hint(const Walk *w, IrRef v)
{
    Gen *g = w->g;
    unsigned set = g->hint[v];
    const IrOp *op = &g->ops[set];
    const SlotHome *slot = &g->be->slot[op->imm];
    bool direct = op->a == v, part;
    IrRef inner;

    if (w->access[slot->reg] != set || w->observed < set ||
        ((g->want[v] & WANT_PASSED) && w->notes->uses[v] != 1)) {
        g->hint[v] = 0;
        return;
    }
    part = direct && bytes_of(g, v) < (slot->reg < 16 ? slot->bytes : 16);
    if (!part && direct && extends(g, v, &inner)) {
        g->hint[inner] = (uint16_t)set;
        g->want[inner] &= (uint8_t)~WANT_PASSED;
    }
    if (part && !keeps_rest(g, v)) {
        g->hint[v] = 0;
    } else if (part) {
        g->want[v] |= WANT_PART;
    } else if (!direct && op->type == V256) {
        g->want[v] |= WANT_ZX;
    } else {
        pass_hint(g, v);
    }
}

/* Set @i of a pin: is the whole of it set again before anything but links sees it? */
static bool may_be_late(const Walk *w, unsigned i, const SlotHome *slot)
{
    unsigned next = w->access[slot->reg];
    const IrOp *ops = w->ops, *op = &ops[next];

    return next && op->op == OP_set && w->seen > next && ops[i].aux == 0 && op->aux == 0 &&
           ir_type_info[ops[op->a].type].bytes == slot->bytes;
}

static void visit_set(void *self, unsigned i)
{
    Walk *w = self;
    Gen *g = w->g;
    const IrOp *op = &w->ops[i];
    const SlotHome *slot = &w->slots[op->imm];

    w->sets[op->a]++;
    w->behind.bytes += 3;
    if (slot->reg != NO_REG) {
        g->want[i] = may_be_late(w, i, slot) ? WANT_LATE : 0;
        w->access[slot->reg] = (uint16_t)i;
        if (op->aux == 0) {
            g->hint[op->a] = (uint16_t)i;
            g->want[op->a] &= (uint8_t)~WANT_PASSED;
        }
    }
}

static G_GNUC_NO_INLINE void settle_value(Walk *w, unsigned i)
{
    if (w->g->hint[i]) {
        settle_hint(w, (IrRef)i);
    }
    if (w->bases[i] && w->bases[i] == w->notes->uses[i]) {
        w->g->want[i] |= WANT_BESIDE;
    }
}

static inline void visit_value(Walk *w, unsigned i)
{
    if (w->g->hint[i] | w->bases[i]) {
        settle_value(w, i);
    }
}

static void visit_get(void *self, unsigned i)
{
    Walk *w = self;
    int8_t reg = w->slots[w->ops[i].imm].reg;

    if (reg != NO_REG) {
        w->access[reg] = (uint16_t)i;
    }
    visit_value(w, i);
}

/* Base + constant: made where it is set, if it is nothing but that. */
static void visit_offset(void *self, unsigned i)
{
    Walk *w = self;
    Gen *g = w->g;
    IrRef base;
    int32_t disp;

    visit_value(w, i);
    note_size(w, i, 5);
    if (is_offset(g, (IrRef)i, &base, &disp)) {
        w->bases[base]++;
    }
    if (w->sets[i] && w->sets[i] == w->notes->uses[i] && is_offset(g, (IrRef)i, &base, &disp)) {
        g->want[i] |= WANT_LAZY;
        extend_use(w->notes, base, w->notes->last_use[i]);
    }
    if (g->defer[i]) {
        note_carried(w, i);
    }
}

static unsigned visit_condition(void *self, unsigned i)
{
    Walk *w = self;
    Gen *g = w->g;
    const IrOp *op = &w->ops[i], *fl = &w->ops[op->a];

    visit_value(w, i);
    note_size(w, i, 0);
    if (op->op == OP_fl_test && ir_is_flags_op(fl->op) && fl->op != OP_fl_cmp) {
        g->want[fl->a] |= WANT_FLAGS;
    }
    g->defer[i] = (uint16_t)consumer_of(g, i);
    return g->defer[i] ? g->defer[i] : i;
}

static void visit_bundle(void *self, unsigned i)
{
    Walk *w = self;
    const IrOp *op = &w->ops[i];

    note_size(w, i, 0);
    if (op->op == OP_fl_adc || op->op == OP_fl_sbb) {
        note_carry(w->g, w->notes, op);
    }
}

static void note_state(Walk *w, unsigned i)
{
    IrRef flags = w->notes->flags_at[i];

    w->g->want[flags] |= WANT_RECORD;
    w->observed = i;
    w->seen = w->ops[i].op == OP_goto_if ? w->seen : i;
}

static void visit_call(void *self, unsigned i)
{
    visit_value(self, i);
    note_size(self, i, 30);
    note_state(self, i);
}

static void visit_observer(void *self, unsigned i, bool shows)
{
    visit_value(self, i);
    note_observer_size(self, i, shows);
    if (shows) {
        note_state(self, i);
    }
}

static void visit_access(void *self, unsigned i, bool shows)
{
    Walk *w = self;

    visit_value(w, i);
    note_access_size(w, i, 0, shows);
    w->bases[w->ops[i].a]++;
    if (shows) {
        note_state(w, i);
    }
}

static void visit_other(void *self, unsigned i)
{
    Walk *w = self;
    Gen *g = w->g;

    visit_value(w, i);
    note_other_size(w, i);
    if (g->ops[i].op == OP_sub && g->defer[i]) {
        note_carried(w, i);
    } else if (g->ops[i].op == OP_vzeroupper) {
        w->observed = i;
    }
}

void x64_backward(void *p, IrBlock *ir, IrNotes *notes)
{
    static const IrVisitor notes_of_host = {
        .get = visit_get,
        .set = visit_set,
        .call = visit_call,
        .observer = visit_observer,
        .access = visit_access,
        .offset = visit_offset,
        .condition = visit_condition,
        .bundle = visit_bundle,
        .other = visit_other,
    };
    Gen *g = ((X86Backend *)p)->gen;
    Walk w; /* not cleared as a whole, which would be most of the work */

    g->ir = ir;
    g->ops = ir->ops;
    g->notes = notes;
    w.g = g;
    w.notes = notes;
    w.ops = ir->ops;
    w.slots = g->be->slot;
    w.observed = w.seen = UINT_MAX;
    w.behind = (Rest){ 0 };
    memset(w.access, 0, sizeof(w.access));
    for (unsigned i = 0; i < ir->nops; i += IR_CLEARED_OPS) {
        ir_clear_noted(&w.sets[i]);
        ir_clear_noted(&w.bases[i]);
    }
    gen_clear_notes(g);
    ir_walk_back(ir, notes, &notes_of_host, &w);
}
