/* SPDX-License-Identifier: MIT */
/* Flags bundles that somebody may look at: how the record in env is made of their operands. */
#include "tcg/aarch64/gen.h"

/* @fl is what the record in env says, until protect_getflags(). */
void bundle_is_record(Gen *g, IrRef fl)
{
    g->loc[fl].kind = LOC_RECORD;
    g_assert(g->ngetflags < G_N_ELEMENTS(g->getflags));
    g->getflags[g->ngetflags++] = fl;
}

/* Does it lie on top of another bundle, in the record too? */
static bool is_on_top(const Gen *g, IrRef fl)
{
    switch (g->ops[fl].op) {
    case OP_fl_inc:
    case OP_fl_dec:
    case OP_fl_rotl:
    case OP_fl_rotr:
    case OP_fl_setcf: return !is_packed(g, fl);
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
    unsigned n = ir_operands(g->ir, f);

    for (unsigned i = 0; i < n; i++) {
        if (g->notes->uses[f->arg[i]] == 1 && !(g->want[f->arg[i]] & WANT_RECORD)) {
            if (ir_is_flags_op(g->ops[f->arg[i]].op)) {
                drop_operands(g, f->arg[i]);
            }
            g->last[f->arg[i]] = (uint16_t)(g->cur - 1);
        }
    }
}

static void protect_record(Gen *g, IrRef except);

/* One of two bundles: env's record becomes the second and then, unless the condition is 0, the
 * first. */
static void rest_selected(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    IrRef x = main_half(g, f->b), y = main_half(g, f->c);
    uint8_t *skip;
    Record r;
    int cond;

    if (g->loc[x].kind == LOC_RECORD || g->ops[x].op == OP_fl_select) {
        pack_main(g, f->b); /* the record is about to change */
    }
    rest_bundle(g, f->b);
    rest_bundle(g, f->c);
    protect_record(g, g->notes->uses[y] == 1 ? y : IR_NONE);
    cond = use_gpr_z(g, f->a);
    r = record_of(g, f->c);
    write_record(g, &r);
    if (type_of(g, f->a) == I1) {
        skip = a_tbz(&g->a, false, cond, 0);
    } else {
        a_logic_imm(&g->a, A_AND, 4, X16, cond, 0xff);
        skip = a_cbz(&g->a, false, 4, X16);
    }
    r = record_of(g, f->b);
    write_record(g, &r);
    a_here(&g->a, skip);
    forget_passage(g);
    unlock(g, cond);
    bundle_is_record(g, fl);
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

/* @fl lies on top of what is below it and under what @r has already. */
static void add_on_top(Gen *g, Record *r, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    FlagsKind kind = f->op == OP_fl_rotl   ? FLK_ROTL
                     : f->op == OP_fl_rotr ? FLK_ROTR
                                           : flags_kind_of_op((IrOpcode)f->op);

    if (f->op == OP_fl_setcf) {
        if (!r->rot_kind && r->cf.kind == SRC_NONE) {
            r->cf = src_of(g, f->a);
        }
    } else if (kind == FLK_ROTL || kind == FLK_ROTR) {
        if (!r->rot_kind) {
            r->rot_kind = flags_kind(kind, type_of(g, f->a)) | (r->inc_kind ? 0 : FLAGS_ROT_NEWER);
            r->rot = src_of(g, f->a);
        }
    } else if (!r->inc_kind) {
        r->inc_kind = flags_kind(kind, type_of(g, f->a));
        r->inc = src_of(g, f->a);
    }
}

Record record_of(Gen *g, IrRef fl)
{
    Record r = { 0 };
    const IrOp *m;

    if (!fl) {
        return r;
    }
    for (; is_on_top(g, fl); fl = g->ops[fl].b) {
        add_on_top(g, &r, fl);
    }
    m = &g->ops[fl];
    if (is_packed(g, fl)) {
        r.kind = FLK_PACKED * 4;
        r.a = src_of(g, fl);
        return r;
    }
    if (g->loc[fl].kind == LOC_RECORD) {
        return r;
    }
    r.kind = m->op == OP_fl_packed
                 ? FLK_PACKED * 4
                 : flags_kind(flags_kind_of_op((IrOpcode)m->op), type_of(g, m->a));
    r.a = src_of(g, m->a);
    if (m->op != OP_fl_logic && m->op != OP_fl_packed) {
        r.b = src_of(g, m->b);
    }
    if (m->op == OP_fl_adc || m->op == OP_fl_sbb) {
        r.c = src_of(g, m->c);
    }
    return r;
}

/* A register with what @s says: its own, or @t. */
static int fetch(Gen *g, const Src *s, int t)
{
    switch (s->kind) {
    case SRC_REG: return s->reg;
    case SRC_CONST:
        if (s->value == 0) {
            return ZR;
        }
        a_mov_imm(&g->a, t, s->value);
        return t;
    default: env_load(&g->a, 8, t, s->off); return t;
    }
}

static void write_field(Gen *g, const Src *s, size_t field)
{
    if (s->kind != SRC_NONE) {
        env_store(&g->a, 8, fetch(g, s, X16), g->be->layout->flags + (int32_t)field);
    }
}

static int32_t kind_off(const Gen *g) /* and the bytes behind it */
{
    return g->be->layout->flags + (int32_t)offsetof(FlagsRecord, kind);
}

/* What replaces flags of a record in env that stays. */
static void write_on_top(Gen *g, const Record *r)
{
    int32_t off = kind_off(g);
    uint8_t *open, *whole;

    env_load(&g->a, 4, X16, off); /* flags_open_top() */
    whole = a_tbz(&g->a, false, X16, 6);
    a_bl(&g->a, g->be->settle); /* FLAGS_SHORT: others may leave such ones */
    a_here(&g->a, whole);
    open = a_tbz(&g->a, true, X16, 7);
    a_logic_imm(&g->a, A_AND, 4, X16, X16, 0x7f);
    a_logic_imm(&g->a, A_ORR, 4, X16, X16, FLAGS_ON_TOP);
    a_here(&g->a, open);
    if (r->inc_kind) {
        a_mov_imm(&g->a, X17, r->inc_kind);
        a_bfi(&g->a, 4, X16, X17, 8, 8);
    }
    if (r->rot_kind) { /* and no CF on top */
        a_mov_imm(&g->a, X17, r->rot_kind);
        a_bfi(&g->a, 4, X16, X17, 16, 16);
    } else if (r->inc_kind) {
        a_logic_imm(&g->a, A_AND, 4, X16, X16, ~((uint32_t)(FLAGS_ROT_NEWER | FLAGS_OF_IS) << 16));
    }
    env_store(&g->a, 4, X16, off);
}

/* The byte that says what CF is, from where the flag is. */
static void write_cf(Gen *g, const Src *s)
{
    int r = fetch(g, s, X16);

    a_mov_imm(&g->a, X17, FLAGS_CF_IS);
    a_bfi(&g->a, 4, X17, r, 0, 1);
    env_store(&g->a, 1, X17, g->be->layout->flags + (int32_t)offsetof(FlagsRecord, cf));
}

/* Bring env's record up to date, in X16 and X17; NZCV stay. */
void write_record(Gen *g, const Record *r)
{
    int32_t off = kind_off(g), a = g->be->layout->flags + (int32_t)offsetof(FlagsRecord, a);
    bool top = r->inc_kind || r->rot_kind || r->cf.kind != SRC_NONE;

    if (record_is_env(r)) {
        return;
    }
    if (r->kind == 0) {
        write_on_top(g, r);
    } else {
        a_mov_imm(&g->a, X16,
                  top ? r->kind | FLAGS_ON_TOP | r->inc_kind << 8 | (uint32_t)r->rot_kind << 16
                      : r->kind);
        env_store(&g->a, top ? 4 : 1, X16, off);
    }
    if (r->a.kind != SRC_NONE && r->b.kind != SRC_NONE && a % 8 == 0 && a + 8 < 512) {
        int x = fetch(g, &r->a, X16), y = fetch(g, &r->b, X17);
        a_ldp(&g->a, false, x, y, ENV, a);
    } else {
        write_field(g, &r->a, offsetof(FlagsRecord, a));
        write_field(g, &r->b, offsetof(FlagsRecord, b));
    }
    write_field(g, &r->c, offsetof(FlagsRecord, c));
    write_field(g, &r->inc, offsetof(FlagsRecord, inc));
    write_field(g, &r->rot, offsetof(FlagsRecord, rot));
    if (r->cf.kind != SRC_NONE) {
        write_cf(g, &r->cf);
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
