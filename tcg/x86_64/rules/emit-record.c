/* SPDX-License-Identifier: MIT */
/*
 * The flags record in env (tcg/flags.h): what of it a bundle is, how it is brought up to date where
 * somebody may look, and who still means what it said before.
 */
#include "tcg/x86_64/gen.h"

#include <string.h>

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

/* One of two bundles: env's record becomes the second and then, unless the condition is 0, the
 * first. */
static void rest_selected(Gen *g, IrRef fl)
{
    const IrOp *f = &g->ops[fl];
    IrRef x = main_half(g, f->b), y = main_half(g, f->c);
    int cond, t;
    Record r;
    uint8_t *skip;

    if (g->loc[x].kind == LOC_RECORD || g->ops[x].op == OP_fl_select) {
        pack_main(g, f->b); /* the record is about to change */
    }
    rest_bundle(g, f->b);
    rest_bundle(g, f->c);
    protect_record(g, g->notes->uses[y] == 1 ? y : IR_NONE);
    cond = use_gpr(g, f->a);
    t = alloc_gpr(g);
    r = record_of(g, f->c);
    write_record(g, &r, GPR_TEMPS & ~(1u << t));
    x_test(&g->a, 1, (X86Reg)cond, (X86Reg)cond);
    skip = x_jcc8(&g->a, CC_Z);
    r = record_of(g, f->b);
    write_record(g, &r, GPR_TEMPS & ~(1u << t));
    x_here8(&g->a, skip);
    unlock(g, t);
    unlock(g, cond);
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
    } else if (f->op == OP_fl_setof) {
        if (!r->rot_kind && !r->inc_kind && r->of.kind == SRC_NONE) {
            r->of = src_of(g, f->a);
        }
    } else if (kind == FLK_ROTL || kind == FLK_ROTR) {
        if (!r->rot_kind) {
            r->rot_kind =
                flags_kind(kind, (IrType)g->ops[f->a].type) | (r->inc_kind ? 0 : FLAGS_ROT_NEWER);
            r->rot = src_of(g, f->a);
        }
    } else if (!r->inc_kind) {
        r->inc_kind = flags_kind(kind, (IrType)g->ops[f->a].type);
        r->inc = src_of(g, f->a);
    }
}

Record record_of(Gen *g, IrRef fl)
{
    static const Record env_is_right;
    Record r;
    const IrOp *m;

    memcpy(&r, &env_is_right,
           sizeof(r)); /* clearing would be REP STOS, which takes long to begin */
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
    r.kind = flags_kind(flags_kind_of_op((IrOpcode)m->op), (IrType)g->ops[m->a].type);
    if (m->op == OP_fl_packed) {
        r.kind = FLK_PACKED * 4;
    }
    r.a = src_of(g, m->a);
    if (m->op != OP_fl_logic && m->op != OP_fl_packed) {
        r.b = src_of(g, m->b);
    }
    if (m->op == OP_fl_adc || m->op == OP_fl_sbb) {
        r.c = src_of(g, m->c);
    }
    return r;
}

static void write_field(Gen *g, const Src *s, size_t field, uint32_t busy)
{
    int32_t off = env_off(g->be->layout->flags) + (int32_t)field;
    uint32_t spare = GPR_TEMPS & ~busy;
    int t = spare ? __builtin_ctz(spare) : NO_REG;

    switch (s->kind) {
    case SRC_NONE: break;
    case SRC_REG: x_store(&g->a, 8, env_mem(off), (X86Reg)s->reg); break;
    case SRC_CONST:
        if ((int64_t)s->value == (int32_t)s->value) {
            x_store_imm(&g->a, 8, env_mem(off), (int32_t)s->value);
            break;
        }
        x_store_imm(&g->a, 4, env_mem(off), (int32_t)s->value);
        x_store_imm(&g->a, 4, env_mem(off + 4), (int32_t)(s->value >> 32));
        break;
    case SRC_MEM:
        if (t == NO_REG) {
            x_rm(&g->a, 0xff, 4, (X86Reg)6, env_mem(s->off)); /* PUSH, POP */
            x_rm(&g->a, 0x8f, 4, (X86Reg)0, env_mem(off));
        } else {
            x_load(&g->a, 8, (X86Reg)t, env_mem(s->off));
            x_store(&g->a, 8, env_mem(off), (X86Reg)t);
        }
        break;
    }
}

/* The byte that says what CF or OF is: @is + the flag. */
static void write_flag(Gen *g, const Src *s, size_t byte, int is, uint32_t busy)
{
    Mem at = env_mem(env_off(g->be->layout->flags) + (int32_t)byte);
    uint32_t spare = GPR_TEMPS & ~busy;
    int t = spare ? __builtin_ctz(spare) : R12;

    if (s->kind == SRC_CONST) {
        x_store_imm(&g->a, 1, at, (int32_t)((unsigned)is | (s->value & 1)));
        return;
    }
    if (!spare) {
        x_push(&g->a, (X86Reg)t);
    }
    if (s->kind == SRC_MEM) {
        x_load(&g->a, 4, (X86Reg)t, env_mem(s->off));
    }
    x_lea(&g->a, 4, (X86Reg)t, mem_base((X86Reg)(s->kind == SRC_MEM ? t : s->reg), is));
    x_store(&g->a, 1, at, (X86Reg)t);
    if (!spare) {
        x_pop(&g->a, (X86Reg)t);
    }
}

/* What replaces flags of a record in env that stays. Changes flags. */
static void write_on_top(Gen *g, const Record *r)
{
    int32_t off = env_off(g->be->layout->flags);
    Mem rot_kind = env_mem(off + (int32_t)offsetof(FlagsRecord, rot_kind));
    int of = r->of.kind != SRC_NONE ? FLAGS_OF_IS : 0;

    x_call(&g->a, g->be->open_top);
    x_flags_changed(&g->a);
    if (r->inc_kind) {
        x_store_imm(&g->a, 1, env_mem(off + (int32_t)offsetof(FlagsRecord, inc_kind)), r->inc_kind);
    }
    if (r->rot_kind) { /* and no CF on top */
        x_store_imm(&g->a, 2, rot_kind, r->rot_kind | of);
    } else if (r->inc_kind) {
        x_alu_mi(&g->a, ALU_AND, 1, rot_kind, FLAGS_ROT_KIND);
    }
    if (of && !r->rot_kind) {
        x_alu_mi(&g->a, ALU_OR, 1, rot_kind, of);
    }
}

/* If nothing is on top and the last operand is a small number: that and the kind. *@rest is what
 * remains to be written. */
static bool write_short(Gen *g, const Record *r, Record *rest)
{
    const Src *s = flags_short_is_a(r->kind) ? &r->a : &r->b;
    unsigned bits = r->kind / 4 == FLK_PACKED ? 64 : 8u << (r->kind & 3);
    int64_t v = (int64_t)(s->value << (64 - bits)) >> (64 - bits);
    uint32_t word = r->kind | FLAGS_SHORT | (uint32_t)v << 8;
    int32_t at = env_off(g->be->layout->flags) + (int32_t)offsetof(FlagsRecord, kind);

    if (s->kind != SRC_CONST || flags_short(word) != v || r->inc_kind || r->rot_kind ||
        r->cf.kind != SRC_NONE || r->of.kind != SRC_NONE) {
        return false;
    }
    x_store_imm(&g->a, 4, env_mem(at), (int32_t)word);
    memcpy(rest, r, sizeof(*rest));
    (s == &r->a ? &rest->a : &rest->b)->kind = SRC_NONE;
    return true;
}

/* Its first word, for one with a main part. */
static void write_kinds(Gen *g, const Record *r, int of)
{
    Mem kind = env_mem(env_off(g->be->layout->flags) + (int32_t)offsetof(FlagsRecord, kind));

    if (r->inc_kind || r->rot_kind || r->cf.kind != SRC_NONE || of) {
        x_store_imm(&g->a, 4, kind,
                    r->kind | FLAGS_ON_TOP | r->inc_kind << 8 | (r->rot_kind | of) << 16);
    } else {
        x_store_imm(&g->a, 1, kind, r->kind);
    }
}

/* Bring env's record up to date. @busy: temporaries that must not be touched. */
void write_record(Gen *g, const Record *r, uint32_t busy)
{
    int of = r->of.kind != SRC_NONE ? FLAGS_OF_IS : 0;
    const uint8_t *from = g->a.p;
    const Src *src = &r->a;
    Record rest;

    if (record_is_env(r)) {
        return;
    }
    for (unsigned i = 0; i < RECORD_SRCS; i++) {
        if (src[i].kind == SRC_REG) {
            busy |= 1u << src[i].reg;
        }
    }
    if (r->kind == 0) {
        write_on_top(g, r);
    } else if (write_short(g, r, &rest)) {
        r = &rest;
    } else {
        write_kinds(g, r, of);
    }
    write_field(g, &r->a, offsetof(FlagsRecord, a), busy);
    write_field(g, &r->b, offsetof(FlagsRecord, b), busy);
    write_field(g, &r->c, offsetof(FlagsRecord, c), busy);
    write_field(g, &r->inc, offsetof(FlagsRecord, inc), busy);
    write_field(g, &r->rot, offsetof(FlagsRecord, rot), busy);
    if (r->cf.kind != SRC_NONE) {
        write_flag(g, &r->cf, offsetof(FlagsRecord, cf), FLAGS_CF_IS, busy);
    }
    if (r->of.kind != SRC_NONE) {
        write_flag(g, &r->of, offsetof(FlagsRecord, of), 0, busy);
    }
    census_part(g, CENSUS_RECORDS, from);
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
