/* SPDX-License-Identifier: MIT */
/*
 * The flags record in env (tcg/flags.h): what of it a bundle is, how it is brought up to date where
 * somebody may look, and who still means what it said before.
 */
#include "tcg/x86_64/gen.h"

#include <string.h>

#define CUR ((IrRef)g->cur)

/* @v of @w bytes to the record's field at @at. */
static inline void put_number_at(Gen *g, unsigned w, int32_t at, int32_t v)
{
    Asm *a = &g->a;

    x_room(a, 32);
    x_plain_rm(a, w == 1 ? 0xc6 : 0xc7, w == 8 ? 8 : 4, 0, env_mem(at)); /* MOV */
    memcpy(a->p, &v, sizeof(v));
    a->p += w == 1 ? 1 : 4;
}

/* A temporary that neither is @busy nor has anything of @r, or NO_REG. */
static int spare_temp(const Record *r, uint32_t busy)
{
    uint32_t spare;

    for (unsigned m = r->has; m; m &= m - 1) {
        const Src *s = &r->src[__builtin_ctz(m)];
        busy |= (unsigned)(s->kind == SRC_REG) << (s->reg & 31);
    }
    spare = GPR_TEMPS & ~busy;
    return spare ? __builtin_ctz(spare) : NO_REG;
}

static void write_field(Gen *g, const Record *r, unsigned n, size_t field, uint32_t busy)
{
    int32_t off = env_off(g->be->layout->flags) + (int32_t)field;
    const Src *s = &r->src[n];
    int t;

    switch (s->kind) {
    case SRC_REG:
        x_room(&g->a, 32);
        x_plain_rm(&g->a, X_MOV_MR, 8, (X86Reg)s->reg, env_mem(off));
        break;
    case SRC_CONST:
        if ((int64_t)s->value == (int32_t)s->value) {
            put_number_at(g, 8, off, (int32_t)s->value);
            break;
        }
        t = pin_of_long(g, s->value);
        if (t != NO_REG) {
            x_store(&g->a, 8, env_mem(off), (X86Reg)t);
            break;
        }
        x_store_imm(&g->a, 4, env_mem(off), (int32_t)s->value);
        x_store_imm(&g->a, 4, env_mem(off + 4), (int32_t)(s->value >> 32));
        break;
    case SRC_MEM:
        t = spare_temp(r, busy);
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
static void write_flag(Gen *g, const Record *r, unsigned n, size_t byte, int is, uint32_t busy)
{
    Mem at = env_mem(env_off(g->be->layout->flags) + (int32_t)byte);
    const Src *s = &r->src[n];
    int spare = spare_temp(r, busy), t = spare != NO_REG ? spare : R12;

    if (s->kind == SRC_CONST) {
        x_store_imm(&g->a, 1, at, (int32_t)((unsigned)is | (s->value & 1)));
        return;
    }
    if (spare == NO_REG) {
        x_push(&g->a, (X86Reg)t);
    }
    if (s->kind == SRC_MEM) {
        x_load(&g->a, 4, (X86Reg)t, env_mem(s->off));
    }
    x_lea(&g->a, 4, (X86Reg)t, mem_base((X86Reg)(s->kind == SRC_MEM ? t : s->reg), is));
    x_store(&g->a, 1, at, (X86Reg)t);
    if (spare == NO_REG) {
        x_pop(&g->a, (X86Reg)t);
    }
}

/* What replaces flags of a record in env that stays. Changes flags. */
static void write_on_top(Gen *g, const Record *r)
{
    int32_t off = env_off(g->be->layout->flags);
    Mem rot_kind = env_mem(off + (int32_t)offsetof(FlagsRecord, rot_kind));
    int of = record_has(r, REC_OF) ? FLAGS_OF_IS : 0;

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

/* If nothing is on top and the last operand is a small number: that and the kind. *@left is what
 * remains to be written. */
static bool write_short(Gen *g, const Record *r, unsigned *left)
{
    unsigned n = flags_short_is_a(r->kind) ? REC_A : REC_B;
    const Src *s = &r->src[n];
    unsigned bits = r->kind / 4 == FLK_PACKED ? 64 : 8u << (r->kind & 3);
    int32_t at = env_off(g->be->layout->flags) + (int32_t)offsetof(FlagsRecord, kind);
    int64_t v;
    uint32_t word;

    if (!record_has(r, n) || s->kind != SRC_CONST || record_has_top(r)) {
        return false;
    }
    v = (int64_t)(s->value << (64 - bits)) >> (64 - bits);
    word = r->kind | FLAGS_SHORT | (uint32_t)v << 8;
    if (flags_short(word) != v) {
        return false;
    }
    put_number_at(g, 4, at, (int32_t)word);
    *left &= ~(1u << n);
    return true;
}

/* Its first word, for one with a main part. */
static void write_kinds(Gen *g, const Record *r)
{
    int32_t kind = env_off(g->be->layout->flags) + (int32_t)offsetof(FlagsRecord, kind);
    int of = record_has(r, REC_OF) ? FLAGS_OF_IS : 0;

    if (record_has_top(r)) {
        put_number_at(g, 4, kind,
                      r->kind | FLAGS_ON_TOP | r->inc_kind << 8 | (r->rot_kind | of) << 16);
    } else {
        put_number_at(g, 1, kind, r->kind);
    }
}

/* Bring env's record up to date. @busy: temporaries that must not be touched. */
void write_record(Gen *g, const Record *r, uint32_t busy)
{
    static const uint8_t field[] = { [REC_A] = offsetof(FlagsRecord, a),
                                     [REC_B] = offsetof(FlagsRecord, b),
                                     [REC_C] = offsetof(FlagsRecord, c),
                                     [REC_INC] = offsetof(FlagsRecord, inc),
                                     [REC_ROT] = offsetof(FlagsRecord, rot) };
    const uint8_t *from = g->a.p;
    unsigned left = r->has;

    if (record_is_env(r)) {
        return;
    }
    if (r->kind == 0) {
        write_on_top(g, r);
    } else if (!write_short(g, r, &left)) {
        write_kinds(g, r);
    }
    for (; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctz(left);

        if (n == REC_CF) {
            write_flag(g, r, n, offsetof(FlagsRecord, cf), FLAGS_CF_IS, busy);
        } else if (n == REC_OF) {
            write_flag(g, r, n, offsetof(FlagsRecord, of), 0, busy);
        } else {
            write_field(g, r, n, field[n], busy);
        }
    }
    census_since(g, CENSUS_RECORDS, from);
}

void write_selected(Gen *g, const IrOp *f)
{
    int cond = use_gpr(g, f->a), t = alloc_gpr(g);
    uint8_t *skip;
    Record r;

    record_of(g, f->c, &r);
    write_record(g, &r, GPR_TEMPS & ~(1u << t));
    x_test(&g->a, 1, (X86Reg)cond, (X86Reg)cond);
    skip = x_jcc8(&g->a, CC_Z);
    record_of(g, f->b, &r);
    write_record(g, &r, GPR_TEMPS & ~(1u << t));
    x_here8(&g->a, skip);
    unlock(g, t);
    unlock(g, cond);
}
