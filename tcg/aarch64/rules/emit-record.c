/* SPDX-License-Identifier: MIT */
/* Flags bundles that somebody may look at: how the record in env is made of their operands. */
#include "tcg/aarch64/gen.h"

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

static void write_field(Gen *g, const Record *r, unsigned n, size_t field)
{
    if (record_has(r, n)) {
        env_store(&g->a, 8, fetch(g, &r->src[n], X16), g->be->layout->flags + (int32_t)field);
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
    uint32_t of = record_has(r, REC_OF) ? FLAGS_OF_IS : 0;
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
        a_mov_imm(&g->a, X17, r->rot_kind | of);
        a_bfi(&g->a, 4, X16, X17, 16, 16);
    } else if (r->inc_kind) {
        a_logic_imm(&g->a, A_AND, 4, X16, X16, ~((uint32_t)(FLAGS_ROT_NEWER | FLAGS_OF_IS) << 16));
    }
    if (of && !r->rot_kind) {
        a_logic_imm(&g->a, A_ORR, 4, X16, X16, of << 16);
    }
    env_store(&g->a, 4, X16, off);
}

/* The byte that says what CF or OF is: @is + the flag. */
static void write_flag(Gen *g, const Record *r, unsigned n, size_t byte, unsigned is)
{
    if (!record_has(r, n)) {
        return;
    }
    int flag = fetch(g, &r->src[n], X16);

    a_mov_imm(&g->a, X17, is);
    a_bfi(&g->a, 4, X17, flag, 0, 1);
    env_store(&g->a, 1, X17, g->be->layout->flags + (int32_t)byte);
}

/* Bring env's record up to date, in X16 and X17; NZCV stay. */
void write_record(Gen *g, const Record *r)
{
    int32_t off = kind_off(g), a = g->be->layout->flags + (int32_t)offsetof(FlagsRecord, a);
    uint32_t of = record_has(r, REC_OF) ? FLAGS_OF_IS : 0;
    bool top = record_has_top(r);

    if (record_is_env(r)) {
        return;
    }
    if (r->kind == 0) {
        write_on_top(g, r);
    } else {
        a_mov_imm(&g->a, X16,
                  top ? r->kind | FLAGS_ON_TOP | r->inc_kind << 8 | (r->rot_kind | of) << 16
                      : r->kind);
        env_store(&g->a, top ? 4 : 1, X16, off);
    }
    if (record_has(r, REC_A) && record_has(r, REC_B) && a % 8 == 0 && a + 8 < 512) {
        int x = fetch(g, &r->src[REC_A], X16), y = fetch(g, &r->src[REC_B], X17);
        a_ldp(&g->a, false, x, y, ENV, a);
    } else {
        write_field(g, r, REC_A, offsetof(FlagsRecord, a));
        write_field(g, r, REC_B, offsetof(FlagsRecord, b));
    }
    write_field(g, r, REC_C, offsetof(FlagsRecord, c));
    write_field(g, r, REC_INC, offsetof(FlagsRecord, inc));
    write_field(g, r, REC_ROT, offsetof(FlagsRecord, rot));
    write_flag(g, r, REC_CF, offsetof(FlagsRecord, cf), FLAGS_CF_IS);
    write_flag(g, r, REC_OF, offsetof(FlagsRecord, of), 0);
}

void write_selected(Gen *g, const IrOp *f)
{
    int cond = use_gpr_z(g, f->a);
    uint8_t *skip;
    Record r;

    record_of(g, f->c, &r);
    write_record(g, &r);
    if (type_of(g, f->a) == I1) {
        skip = a_tbz(&g->a, false, cond, 0);
    } else {
        a_logic_imm(&g->a, A_AND, 4, X16, cond, 0xff);
        skip = a_cbz(&g->a, false, 4, X16);
    }
    record_of(g, f->b, &r);
    write_record(g, &r);
    a_here(&g->a, skip);
    forget_passage(g);
    unlock(g, cond);
}
