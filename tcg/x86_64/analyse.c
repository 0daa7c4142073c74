/* SPDX-License-Identifier: MIT */
/*
 * What this back end wants to know beyond the common notes, in one walk from the end: which values
 * can be computed straight into a pin, which conditions their consumer evaluates itself, whose host
 * flags are worth keeping. It takes a good part of a translation's time.
 */
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

static unsigned bytes_about(const Gen *g, unsigned i, unsigned props)
{
    static const uint8_t usual[IR_NOPS] = {
        /* 1 + how many */
        [OP_get] = 1,         [OP_set] = 1 + 3,   [OP_getflags] = 1,    [OP_trunc] = 1,
        [OP_setcond] = 1,     [OP_fl_test] = 1,   [OP_fl_add] = 1,      [OP_fl_sub] = 1,
        [OP_fl_cmp] = 1,      [OP_fl_logic] = 1,  [OP_add] = 1 + 5,     [OP_sub] = 1 + 5,
        [OP_and] = 1 + 5,     [OP_or] = 1 + 5,    [OP_xor] = 1 + 5,     [OP_lea] = 1 + 5,
        [OP_zext] = 1 + 5,    [OP_goto] = 1 + 20, [OP_goto_if] = 1 + 8, [OP_trap_if] = 1 + 8,
        [OP_exit_if] = 1 + 8, [OP_jump] = 1 + 64, [OP_call] = 1 + 30,
    };
    const IrOp *op = &g->ops[i];

    if (usual[op->op]) {
        return usual[op->op] - 1u;
    }
    switch (op->op) {
    case OP_ld:
    case OP_x87_ld:
    case OP_x87_st:
    case OP_st: return ir_is_member(g->notes, i) ? 5 : is_near(g, op) ? 34 : 46;
    case OP_probe: return ir_is_member(g->notes, i) ? 0 : is_near(g, op) ? 30 : 42;
    default: break;
    }
    if (is_harmless(op)) {
        return 0;
    }
    if (props & (IRP_FAULT | IRP_FPSTATUS)) {
        return op->type == F80 || op->type == V256 || (props & IRP_FAULT) ? 60 : 8;
    }
    return 5;
}

/* Of fl_adc, fl_sbb: does the host compute the result as one? Then its flags are there too. */
static void note_carry(Gen *g, const IrOp *fl)
{
    IrOpcode op = fl->op == OP_fl_adc ? OP_add : OP_sub;
    const IrOp *r = &g->ops[fl->a], *inner = &g->ops[r->a], *cin = &g->ops[fl->c];

    if (r->op != op || r->b != fl->c || inner->op != op || g->notes->uses[r->a] != 1 ||
        inner->b != fl->b || r->type < I32 || cin->op != OP_zext || g->ops[cin->a].type != I1) {
        return;
    }
    g->want[fl->a] |= WANT_CARRY;
    g->defer[r->a] = fl->a;
    extend(g, inner->a, fl->a);
    extend(g, inner->b, fl->a);
}

/* Of an op's stub that is not one of memory's. */
static unsigned stub_about(const Gen *g, const IrOp *op)
{
    switch (op->op) {
    case OP_goto_if: return op->imm == g->ir->start ? 50 : 26;
    case OP_trap_if:
    case OP_divu2:
    case OP_divs2: return 13;
    case OP_exit_if: return 25;
    default: return 0;
    }
}

static bool has_mem_stub(const Gen *g, unsigned i)
{
    const IrOp *op = &g->ops[i];

    return op->op == OP_ld || op->op == OP_st || op->op == OP_probe || op->op == OP_x87_ld ||
                   op->op == OP_x87_st
               ? !ir_is_member(g->notes, i)
               : op->op >= OP_rmw_add && op->op <= OP_rmw_cas;
}

/* How far it is to the end, for as many of the last ops as may jump to a stub by 8 bits. */
static void estimate(Gen *g)
{
    unsigned bytes = 0, stubs = 0, i = g->ir->nops;

    for (unsigned at = g->notes->nlive; at-- > 0 && bytes <= NEAR_STUB;) {
        const IrOp *op;
        unsigned props;

        i = g->notes->live[at];
        op = &g->ops[i];
        if (ir_is_inert(op)) {
            continue;
        }
        props = ir_props(g->ir, op);
        g->rest[i] = (uint16_t)bytes;
        g->rest_stubs[i] = (uint16_t)stubs;
        bytes += bytes_about(g, i, props);
        if (props & (IRP_EXIT | IRP_FAULT)) {
            bytes += has_mem_stub(g, i) ? MEM_STUB_BYTES : 0;
            stubs += stub_about(g, op);
        }
    }
    g->near_from = i;
}

/* -- The walk --------------------------------------------------------------------------------- */

typedef struct Walk {
    Gen *g;
    unsigned observed;           /* the next op that sees the state, or whose C code changes it */
    uint16_t access[NREGS];      /* the next get or set of a pin */
    uint16_t sets[IR_NOTED_OPS]; /* how many of a value's users are sets */
} Walk;

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

/* A set has asked to have @v computed into its pin: not if somebody looks at the pin in between. */
static void settle_hint(const Walk *w, IrRef v)
{
    Gen *g = w->g;
    unsigned set = g->hint[v];
    const IrOp *op = &g->ops[set];
    const SlotHome *slot = &g->be->slot[op->imm];
    bool direct = op->a == v, part;
    IrRef inner;

    if (w->access[slot->reg] != set || w->observed < set) {
        g->hint[v] = 0;
        return;
    }
    part = direct && bytes_of(g, v) < (slot->reg < 16 ? slot->bytes : 16);
    if (!part && direct && extends(g, v, &inner)) {
        g->hint[inner] = (uint16_t)set;
    }
    if (part && !keeps_rest(g, v)) {
        g->hint[v] = 0;
    } else if (part) {
        g->want[v] |= WANT_PART;
    } else if (!direct && op->type == V256) {
        g->want[v] |= WANT_ZX;
    }
}

static void note_set(Walk *w, unsigned i)
{
    Gen *g = w->g;
    const IrOp *op = &g->ops[i];
    const SlotHome *slot = &g->be->slot[op->imm];

    w->sets[op->a]++;
    if (slot->reg != NO_REG) {
        w->access[slot->reg] = (uint16_t)i;
        if (op->aux == 0) {
            g->hint[op->a] = (uint16_t)i;
        }
    }
}

static void note_get(Walk *w, unsigned i)
{
    int8_t reg = w->g->be->slot[w->g->ops[i].imm].reg;

    if (reg != NO_REG) {
        w->access[reg] = (uint16_t)i;
    }
}

/* Base + constant: made where it is set, if it is nothing but that. */
static void note_offset(Walk *w, unsigned i)
{
    Gen *g = w->g;
    IrRef base;
    int32_t disp;

    if (w->sets[i] && w->sets[i] == g->notes->uses[i] && is_offset(g, (IrRef)i, &base, &disp)) {
        g->want[i] |= WANT_LAZY;
        extend(g, base, g->last[i]);
    }
}

static void note_condition(Gen *g, unsigned i)
{
    const IrOp *op = &g->ops[i], *fl = &g->ops[op->a];

    g->defer[i] = (uint16_t)consumer_of(g, i);
    if (g->defer[i]) {
        extend(g, op->a, g->defer[i]);
        if (op->op == OP_setcond) {
            extend(g, op->b, g->defer[i]);
        }
    }
    if (op->op == OP_fl_test && ir_op_info[fl->op].shape == SHAPE_FL && fl->op != OP_fl_cmp) {
        g->want[fl->a] |= WANT_FLAGS;
    }
}

static void note_bundle(Gen *g, unsigned i)
{
    const IrOp *op = &g->ops[i];
    unsigned n = ir_operands(g->ir, op);

    for (unsigned k = 0; k < n; k++) {
        extend(g, op->arg[k], g->last[i]);
    }
    if (op->op == OP_fl_adc || op->op == OP_fl_sbb) {
        note_carry(g, op);
    }
}

static void note_observer(Walk *w, unsigned i)
{
    Gen *g = w->g;
    IrRef flags = g->notes->flags_at[i];

    extend(g, flags, i);
    g->want[flags] |= WANT_RECORD;
    w->observed = i;
}

static void note_op(Walk *w, unsigned i)
{
    Gen *g = w->g;
    const IrOp *op = &g->ops[i];

    switch (op->op) {
    case OP_lea:
    case OP_add: note_offset(w, i); return;
    case OP_fl_test:
    case OP_setcond: note_condition(g, i); return;
    case OP_call: note_observer(w, i); return;
    case OP_vzeroupper: w->observed = i; return;
    default: break;
    }
    if (ir_is_flags_op(op->op)) {
        note_bundle(g, i);
    } else if ((ir_op_info[op->op].props & (IRP_FAULT | IRP_EXIT)) && !ir_is_member(g->notes, i)) {
        note_observer(w, i);
    }
}

static void walk(Gen *g)
{
    const IrOp *ops = g->ops;
    Walk w; /* not cleared as a whole, which would be most of the work */

    w.g = g;
    w.observed = UINT_MAX;
    memset(w.access, 0, sizeof(w.access));
    memset(w.sets, 0, g->ir->nops * sizeof(w.sets[0]));

    for (const uint16_t *live = g->notes->live, *at = live + g->notes->nlive; at-- > live;) {
        unsigned i = *at;
        const IrOp *op = &ops[i];

        if (ir_is_inert(op)) {
            continue;
        }
        if (op->op == OP_set) {
            note_set(&w, i);
            continue;
        }
        if (op->op == OP_get) {
            note_get(&w, i);
        }
        if (g->hint[i]) {
            settle_hint(&w, (IrRef)i);
        }
        if (op->op != OP_get) {
            note_op(&w, i);
        }
    }
}

void analyse_ops(Gen *g)
{
    walk(g);
    estimate(g);
}
