/* SPDX-License-Identifier: MIT */
/*
 * Flags bundles. They emit nothing where they are built; "resting" one writes it to a flags record,
 * "packing" one makes an EFLAGS word, and most conditions are one comparison of what it was made
 * of.
 */
#include "tcg/interp/emit.h"

#include "tcg/helper.h"

#define MAX_DEPTH 4 /* bundles on bundles; deeper ones are packed where they are built */

static void rest(Emitter *e, IrRef v, Place record);

static Place pack_record(Emitter *e, Place record)
{
    Place word = new_cells(e, 1);
    Op *o = emit(e, interp_pack_record);

    o->d = word;
    o->a = record;
    return word;
}

static Place env_record(const Emitter *e)
{
    return env_place(e, e->config->layout.flags);
}

static Place pack(Emitter *e, IrRef v, bool loose);

static Place pack_selected(Emitter *e, const IrOp *op, bool loose)
{
    Place x = pack(e, op->b, loose), y = pack(e, op->c, loose), word = new_cells(e, 1);
    Op *o = emit(e, interp_select(I32, false));

    o->d = word;
    o->a = place_of(e, op->a);
    o->b = x;
    o->c = y;
    return word;
}

/* The place of an I32 with the flags of @v; bits that are no arithmetic flags may be set if @loose.
 */
static Place pack(Emitter *e, IrRef v, bool loose)
{
    const IrOp *op = ir_op(e, v);
    Handler *run;
    Place word, previous, record;
    Op *o;

    if (e->packed[v]) {
        return e->packed[v];
    }
    switch (op->op) {
    case OP_getflags: return pack_record(e, env_record(e));
    case OP_fl_packed:
        if (loose) {
            return place_of(e, op->a);
        }
        word = new_cells(e, 1);
        o = emit(e, interp_mask_word);
        o->d = word;
        o->a = place_of(e, op->a);
        return word;
    case OP_fl_setcf: run = interp_setcf_word; break;
    case OP_fl_setof: run = interp_setof_word; break;
    case OP_fl_setzf: run = interp_setzf_word; break;
    case OP_fl_select: return pack_selected(e, op, loose);
    case OP_fl_rotl:
    case OP_fl_rotr:
        run = interp_rot_word(op->op == OP_fl_rotl, (IrType)ir_op(e, op->a)->type);
        break;
    default:
        record = new_cells(e, (sizeof(FlagsRecord) + CELL_SIZE - 1) / CELL_SIZE);
        rest(e, v, record);
        return pack_record(e, record);
    }
    previous = pack(e, op->b, loose);
    word = new_cells(e, 1);
    o = emit(e, run);
    o->d = word;
    o->a = place_of(e, op->a);
    o->b = previous;
    return word;
}

static void rest_packed(Emitter *e, Place word, Place record)
{
    Op *o = emit(e, interp_rest(I32, 1));

    o->d = record;
    o->a = word;
    o->aux = FLK_PACKED * 4;
}

/* Write the bundle to @record (in env or in cells). */
static void rest(Emitter *e, IrRef v, Place record)
{
    const IrOp *op = ir_op(e, v);
    FlagsKind kind = flags_kind_of_op((IrOpcode)op->op);
    unsigned n = ir_op_info[op->op].nargs;
    IrType type;
    Op *o;

    if (e->packed[v] || kind == FLK_NONE) {
        if (op->op != OP_getflags || e->packed[v] || record != env_record(e)) {
            rest_packed(e, pack(e, v, true), record);
        }
        return;
    }
    type = (IrType)ir_op(e, op->a)->type;
    if (kind == FLK_INC || kind == FLK_DEC) {
        rest(e, op->b, record);
        o = emit(e, interp_rest_inc(type));
    } else {
        o = emit(e, interp_rest(type, n));
        o->b = n > 1 ? place_of(e, op->b) : e->zero;
        o->c = n > 2 ? place_of(e, op->c) : e->zero;
    }
    o->d = record;
    o->a = place_of(e, op->a);
    o->aux = kind == FLK_PACKED ? FLK_PACKED * 4 : flags_kind(kind, type);
}

void interp_rest_flags(Emitter *e, IrRef flags)
{
    if (flags != IR_NONE) {
        rest(e, flags, env_record(e));
    }
}

/* Does the record in env change between the getflags at @i and the last use of its value? */
static bool record_changes(const Emitter *e, unsigned i)
{
    for (unsigned k = i + 1; k < e->plan.last[i]; k++) {
        const IrOp *op = ir_op(e, (IrRef)k);
        if (op->op == OP_call &&
            (e->ir->helpers[op->imm].flags & (HELPER_READS_FLAGS | HELPER_WRITES_FLAGS))) {
            return true;
        }
    }
    return false;
}

void interp_bundle(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    bool on_top = ir_op_info[op->op].nargs == 2 && ir_op(e, op->b)->type == FLAGS;

    e->depth[i] = on_top ? e->depth[op->b] + 1 : 0;
    if (op->op == OP_fl_select) {
        e->depth[i] = MAX(e->depth[op->b], e->depth[op->c]) + 1;
    }
    if (e->depth[i] >= MAX_DEPTH || (op->op == OP_getflags && record_changes(e, i))) {
        e->packed[i] = pack(e, (IrRef)i, false);
        e->depth[i] = 0;
    }
}

static Test test_compare(Emitter *e, const IrOp *f, IrCc cc)
{
    static const s8 cond[16] = {
        [CC_O] = -1,      [CC_NO] = -1,      [CC_B] = COND_LTU,  [CC_NB] = COND_GEU,
        [CC_Z] = COND_EQ, [CC_NZ] = COND_NE, [CC_BE] = COND_LEU, [CC_NBE] = COND_GTU,
        [CC_S] = -1,      [CC_NS] = -1,      [CC_P] = -1,        [CC_NP] = -1,
        [CC_L] = COND_LT, [CC_NL] = COND_GE, [CC_LE] = COND_LE,  [CC_NLE] = COND_GT,
    };

    return (Test){ cond[cc] >= 0, (IrCond)MAX(cond[cc], 0), (IrType)ir_op(e, f->a)->type,
                   place_of(e, f->a), place_of(e, f->b) };
}

static Test test_result(Emitter *e, const IrOp *f, IrCc cc)
{
    Test t = { true, COND_EQ, (IrType)ir_op(e, f->a)->type, place_of(e, f->a), e->zero };

    switch (cc) {
    case CC_Z: return t;
    case CC_NZ: t.cond = COND_NE; return t;
    case CC_S: t.cond = COND_LT; return t;
    case CC_NS: t.cond = COND_GE; return t;
    default: break;
    }
    if (f->op == OP_fl_logic && (cc == CC_LE || cc == CC_NLE)) {
        t.cond = cc == CC_LE ? COND_LE : COND_GT;
    } else if (f->op == OP_fl_add && (cc == CC_B || cc == CC_NB)) {
        t.cond = cc == CC_B ? COND_LTU : COND_GEU;
        t.b = place_of(e, f->b);
    } else {
        t.found = false;
    }
    return t;
}

/* res and b of a subtraction: a is res + b again. */
static Test test_difference(Emitter *e, const IrOp *f, IrCc cc)
{
    Test t = test_result(e, f, cc);
    Op *o;

    if (t.found) {
        return t;
    }
    t = test_compare(e, f, cc);
    if (t.found) {
        t.a = new_cells(e, 1);
        o = emit(e, interp_int[OP_add][t.type - I8]);
        o->d = t.a;
        o->a = place_of(e, f->a);
        o->b = t.b;
    }
    return t;
}

Test interp_simple_test(Emitter *e, IrRef flags, IrCc cc)
{
    const IrOp *f = ir_op(e, flags);

    if (e->packed[flags]) {
        return (Test){ false };
    }
    switch (f->op) {
    case OP_fl_cmp: return test_compare(e, f, cc);
    case OP_fl_sub: return test_difference(e, f, cc);
    case OP_fl_add:
    case OP_fl_adc:
    case OP_fl_sbb:
    case OP_fl_logic:
    case OP_fl_inc:
    case OP_fl_dec:
    case OP_fl_shl:
    case OP_fl_shr:
    case OP_fl_mul: return test_result(e, f, cc);
    default: return (Test){ false };
    }
}

static bool has_parity_of_result(const Emitter *e, IrRef flags)
{
    unsigned op = ir_op(e, flags)->op;

    return !e->packed[flags] && op >= OP_fl_add && op <= OP_fl_mul && op != OP_fl_cmp;
}

void interp_fl_test(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    IrCc cc = (IrCc)op->aux;
    Test t = interp_simple_test(e, op->a, cc);
    Place word;
    Op *o;

    if (t.found) {
        o = emit(e, interp_compare(t.cond, t.type));
        o->a = t.a;
        o->b = t.b;
    } else if ((cc & ~1u) == CC_P && has_parity_of_result(e, op->a)) {
        o = emit(e, interp_parity(cc == CC_P));
        o->a = place_of(e, ir_op(e, op->a)->a);
    } else if (ir_op(e, op->a)->op == OP_getflags && !e->packed[op->a]) {
        o = emit(e, interp_test_record);
        o->a = env_record(e);
        o->aux = cc;
    } else {
        word = pack(e, op->a, true);
        o = emit(e, interp_test_word);
        o->a = word;
        o->aux = cc;
    }
    o->d = interp_allot(e, i);
}

void interp_fl_pack(Emitter *e, unsigned i)
{
    Place word = pack(e, ir_op(e, (IrRef)i)->a, false);
    Op *o = emit(e, interp_copy(I32));

    o->a = word;
    o->d = interp_allot(e, i);
}
