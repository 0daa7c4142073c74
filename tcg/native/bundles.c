/* SPDX-License-Identifier: MIT */
/*
 * Flags bundles that somebody may look at: what of the record in env (tcg/flags.h) each is, and who
 * still means what it said before.
 */
#include <string.h>

#include TCG_NATIVE_GEN

#define CUR ((IrRef)g->cur)

/* @fl is what the record in env says, until protect_getflags(). */
static void is_record(Gen *g, IrRef fl)
{
    g->loc[fl].kind = LOC_RECORD;
    g_assert(g->ngetflags < G_N_ELEMENTS(g->getflags));
    g->getflags[g->ngetflags++] = fl;
}

void emit_getflags(Gen *g)
{
    is_record(g, CUR);
}

static void protect_record(Gen *g, IrRef except);

/* Does it lie on top of another bundle, in the record too? */
static bool is_on_top(const Gen *g, IrRef fl)
{
    switch (g->ops[fl].op) {
    case OP_fl_inc:
    case OP_fl_dec:
    case OP_fl_rotl:
    case OP_fl_rotr:
    case OP_fl_setcf:
    case OP_fl_setof: return !is_packed(g, fl);
    default: return false;
    }
}

static IrRef main_half(const Gen *g, IrRef fl)
{
    while (is_on_top(g, fl)) {
        fl = g->ops[fl].b;
    }
    return fl;
}

/* The word of @fl's main half, now, in a register. */
static void pack_main(Gen *g, IrRef fl)
{
    IrRef m = main_half(g, fl);
    int r = pack_bundle(g, m);

    def_reg(g, m, r, true);
    unlock(g, r);
}

/* What @fl was made of is not looked at again, unless somebody else uses it. */
static void drop_operands(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    const IrRef arg[] = { f->a, f->b, f->c };
    unsigned n = ir_operands(g->ir, f);

    for (unsigned i = 0; i < n; i++) {
        if (g->notes->uses[arg[i]] == 1 && !(g->want[arg[i]] & WANT_RECORD)) {
            if (ir_is_flags_op(g->ops[arg[i]].op)) {
                drop_operands(g, arg[i]);
            }
            g->last[arg[i]] = (uint16_t)(g->cur - 1);
        }
    }
}

/* Is neither @fl nor what it lies on wanted again, once what was made of it is in env? */
static bool ends_here(const Gen *g, IrRef fl)
{
    while (g->notes->uses[fl] == 1 && g->notes->last_use[fl] < g->cur) {
        if (!is_on_top(g, fl)) {
            return true;
        }
        fl = g->ops[fl].b;
    }
    return false;
}

/* One of two bundles: env's record becomes the second and then, unless the condition is 0, the
 * first. */
static void rest_selected(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    IrRef x = main_half(g, f->b), y = main_half(g, f->c);

    if (g->loc[x].kind == LOC_RECORD || g->ops[x].op == OP_fl_select) {
        pack_main(g, f->b); /* the record is about to change */
    }
    rest_bundle(g, f->b);
    rest_bundle(g, f->c);
    protect_record(g, ends_here(g, f->c) ? y : IR_NONE);
    write_selected(g, f);
    is_record(g, fl);
    drop_operands(g, fl);
}

/* Bundles that have no record of their own get their word into a register. */
void rest_bundle(Gen *g, IrRef fl)
{
    IrRef m;

    if (!fl) {
        return;
    }
    m = main_half(g, fl);
    if (g->loc[m].kind == LOC_RECORD || is_packed(g, m) ||
        flags_kind_of_op((IrOpcode)g->ops[m].op) != FLK_NONE) {
        return;
    }
    if (g->ops[m].op == OP_fl_select) {
        rest_selected(g, m);
    } else {
        pack_main(g, m);
    }
}

static void add_source(Gen *g, Record *r, unsigned n, IrRef v)
{
    r->has |= (uint8_t)(1u << n);
    r->src[n] = src_of(g, v);
}

/* @fl lies on top of what is below it and under what @r has already. */
static void add_on_top(Gen *g, Record *r, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    FlagsKind kind = f->op == OP_fl_rotl   ? FLK_ROTL
                     : f->op == OP_fl_rotr ? FLK_ROTR
                                           : flags_kind_of_op((IrOpcode)f->op);

    if (f->op == OP_fl_setcf) {
        if (!r->rot_kind && !record_has(r, REC_CF)) {
            add_source(g, r, REC_CF, f->a);
        }
    } else if (f->op == OP_fl_setof) {
        if (!r->rot_kind && !r->inc_kind && !record_has(r, REC_OF)) {
            add_source(g, r, REC_OF, f->a);
        }
    } else if (kind == FLK_ROTL || kind == FLK_ROTR) {
        if (!r->rot_kind) {
            r->rot_kind =
                flags_kind(kind, (IrType)g->ops[f->a].type) | (r->inc_kind ? 0 : FLAGS_ROT_NEWER);
            add_source(g, r, REC_ROT, f->a);
        }
    } else if (!r->inc_kind) {
        r->inc_kind = flags_kind(kind, (IrType)g->ops[f->a].type);
        add_source(g, r, REC_INC, f->a);
    }
}

void record_of(Gen *g, IrRef fl, Record *r)
{
    const IrOp *m;

    r->kind = r->inc_kind = r->rot_kind = r->has = 0;
    if (!fl) {
        return;
    }
    for (; is_on_top(g, fl); fl = g->ops[fl].b) {
        add_on_top(g, r, fl);
    }
    m = &g->ops[fl];
    if (is_packed(g, fl)) {
        r->kind = FLK_PACKED * 4;
        add_source(g, r, REC_A, fl);
        return;
    }
    if (g->loc[fl].kind == LOC_RECORD) {
        return;
    }
    r->kind = flags_kind(flags_kind_of_op((IrOpcode)m->op), (IrType)g->ops[m->a].type);
    if (m->op == OP_fl_packed) {
        r->kind = FLK_PACKED * 4;
    }
    add_source(g, r, REC_A, m->a);
    if (m->op != OP_fl_logic && m->op != OP_fl_packed) {
        add_source(g, r, REC_B, m->b);
    }
    if (m->op == OP_fl_adc || m->op == OP_fl_sbb) {
        add_source(g, r, REC_C, m->c);
    }
}

/* The record in env is about to change: those but @except who still mean its old content keep a
 * copy. */
static void protect_record(Gen *g, IrRef except)
{
    for (unsigned i = 0; i < g->ngetflags; i++) {
        IrRef fl = g->getflags[i];
        if (g->last[fl] >= g->cur && !is_packed(g, fl) && fl != except) {
            pack_main(g, fl);
        }
    }
    g->ngetflags = 0;
}

void protect_getflags(Gen *g)
{
    protect_record(g, IR_NONE);
}
