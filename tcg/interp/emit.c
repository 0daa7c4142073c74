/* SPDX-License-Identifier: MIT */
/*
 * From annotated IR to Ops. What runs only when something leaves or faults (a stub: rest the flags,
 * give back budget, leave) stands behind the block's own Ops. Flags are in emit-flags.c.
 */
#include "tcg/interp/emit.h"

#include "tcg/helper.h"

typedef struct Stub { /* a branch to be pointed at Ops that are not emitted yet */
    u32 from;         /* the Op whose imm is the distance; fault stubs: entry of the fault table */
    IrRef op;         /* IR op that leaves; IR_NONE: a fault's rest */
    IrRef flags;
    Fault insn;
} Stub;

/* -- Small tools
 * ------------------------------------------------------------------------------------ */

/* @n words of it in a row. */
static Place new_const(Emitter *e, u64 value, unsigned n)
{
    Place p = interp_pool_find(e->pool, value, n);

    e->pool_full |= !p;
    return p;
}

/* Slots are fields of a C struct; op->aux counts bytes from the low end. */
static Place slot_place(const Emitter *e, const IrOp *op)
{
    const IrSlot *slot = &e->ir->slots[op->imm];
    u32 word = op->aux & ~7u, end = MIN(word + 8, ir_type_info[slot->type].bytes);

    if (LANES_HOST_BIG && ir_type_info[op->type].bytes <= 8) {
        g_assert(slot->offset + end >= 8 + (op->aux & 7));
        return env_place(e, (s32)(slot->offset + end - 8 - (op->aux & 7)));
    }
    return env_place(e, (s32)(slot->offset + op->aux));
}

Place interp_allot(Emitter *e, unsigned i)
{
    const IrOp *op = &e->ir->ops[i];
    Place p;

    if (e->plan.sunk[i]) {
        p = slot_place(e, &e->ir->ops[e->plan.sunk[i]]);
    } else {
        p = new_cells(e, ir_type_info[op->type].bytes > CELL_SIZE ? 2 : 1);
    }
    e->place[i] = p;
    return p;
}

static IrRef flags_at(const Emitter *e, unsigned i)
{
    return e->notes->flags_at[i];
}

/* -- Stubs
 * ------------------------------------------------------------------------------------------ */

static void add_stub(Emitter *e, u32 from, IrRef op, IrRef flags)
{
    Stub s = { from, op, flags, e->insn };

    g_array_append_val(e->stubs, s);
}

static u32 last_op(const Emitter *e)
{
    return e->out.ops->len - 1;
}

/* The Op just emitted branches out of line to what IR op @i leaves with. */
static void branches_to_stub(Emitter *e, unsigned i)
{
    add_stub(e, last_op(e), (IrRef)i, flags_at(e, i));
}

/* The Op just emitted may fault. */
static void may_fault(Emitter *e, unsigned i)
{
    IrRef flags = flags_at(e, i);
    Fault f = e->insn;

    if (ir_op(e, (IrRef)i)->op == OP_call &&
        (e->ir->helpers[ir_op(e, (IrRef)i)->imm].flags & HELPER_READS_FLAGS)) {
        flags = IR_NONE; /* rested before the call */
    }
    g_array_append_val(e->out.faults, f);
    g_array_index(e->out.ops, Op, last_op(e)).fault = (u16)(e->out.faults->len - 1);
    if (flags != IR_NONE) {
        add_stub(e, e->out.faults->len - 1, IR_NONE, flags);
    }
}

/* Instructions of the block that are not, when @executed were. */
static Place not_executed(const Emitter *e, u32 executed)
{
    return (Place)(e->ir->ninsns - executed);
}

static void leave(Emitter *e, const IrOp *op, const Fault *insn)
{
    Op *o;

    switch (op->op) {
    case OP_goto:
    case OP_goto_if:
        o = emit(e, interp_goto);
        o->aux = op->d;
        o->imm = not_executed(e, insn->index + 1);
        break;
    case OP_jump:
        o = emit(e, interp_jump);
        o->a = place_of(e, op->a);
        o->aux = op->imm;
        o->imm = e->insn.offset;
        break;
    case OP_exit:
        o = emit(e, interp_exit);
        o->aux = op->imm;
        break;
    default: /* exit_if, and the ops that trap */
        o = emit(e, op->op == OP_exit_if ? interp_exit_here : interp_trap);
        o->aux = op->imm;
        o->imm = insn->offset;
        o->d = not_executed(e, insn->index);
    }
}

static void emit_stubs(Emitter *e)
{
    u32 cells = e->ncells;

    for (unsigned k = 0; k < e->stubs->len; k++) {
        Stub s = g_array_index(e->stubs, Stub, k);
        u32 here = e->out.ops->len;

        e->ncells = cells; /* only one stub ever runs */
        if (s.op != IR_NONE) {
            g_array_index(e->out.ops, Op, s.from).imm = (s64)here - s.from;
            interp_rest_flags(e, s.flags);
            leave(e, ir_op(e, s.op), &s.insn);
            continue;
        }
        if (e->rest_stub[s.flags] == 0) {
            e->rest_stub[s.flags] = here;
            interp_rest_flags(e, s.flags);
            emit(e, interp_end);
        }
        g_array_index(e->out.faults, Fault, s.from).rest = e->rest_stub[s.flags];
    }
}

/* -- Ops
 * -------------------------------------------------------------------------------------------- */

/* Operands to a, b, c, result to d. */
static void fill(Emitter *e, Op *o, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    const IrRef *arg = op->arg;
    unsigned n = ir_operands(e->ir, op);

    o->a = n > 0 ? place_of(e, arg[0]) : e->zero;
    o->b = n > 1 ? place_of(e, arg[1]) : e->zero;
    o->c = n > 2 ? place_of(e, arg[2]) : e->zero;
    if (ir_has_result(e->ir, op)) {
        o->d = interp_allot(e, i);
    }
}

static unsigned width_of(const Emitter *e, unsigned i)
{
    return e->plan.wide[i] ? W32Z : ir_op(e, (IrRef)i)->type - I8;
}

/* The sum of a value and a constant, which then is in the Op itself. */
static bool adds_constant(const Emitter *e, const IrOp *op, s64 *n)
{
    if (op->op == OP_lea) {
        *n = (s32)op->imm;
        return op->b == IR_NONE;
    }
    if (op->op != OP_add || op->type == I8 || ir_op(e, op->b)->op != OP_const) {
        return false;
    }
    *n = (s64)ir_op(e, op->b)->value;
    return true;
}

static void integer(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    s64 n = 0;
    bool is_sum = adds_constant(e, op, &n);
    Op *o = emit(e, is_sum ? interp_add_imm(width_of(e, i)) : interp_int[op->op][width_of(e, i)]);

    fill(e, o, i);
    if (is_sum) {
        o->imm = n;
    } else if (op->op == OP_lea) {
        o->aux = op->aux;
        o->imm = (s32)op->imm;
    }
}

static void extend(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);

    if (op->type == V256) {
        fill(e, emit(e, interp_v_extend((IrType)ir_op(e, op->a)->type)), i);
        return;
    }

    if (e->plan.root[i] != i) {
        return;
    }
    fill(e,
         emit(e, interp_extend(op->op == OP_sext, (IrType)ir_op(e, op->a)->type, (IrType)op->type,
                               e->plan.wide[i])),
         i);
}

static void constant(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);

    e->place[i] = new_const(e, op->value, op->type == V256 ? 4 : op->type == V128 ? 2 : 1);
}

static void get(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    Op *o;

    if (e->plan.folded[i]) {
        e->place[i] = slot_place(e, op);
        return;
    }
    o = emit(e, interp_copy((IrType)op->type));
    o->a = slot_place(e, op);
    o->d = interp_allot(e, i);
}

static void set(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    Op *o;

    if (!e->plan.done[i]) {
        o = emit(e, interp_copy((IrType)op->type));
        o->a = place_of(e, op->a);
        o->d = slot_place(e, op);
    }
}

static void divide(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    Place remainder = new_cells(e, 1);
    Op *o = emit(e, interp_divide(op->op == OP_divs2, (IrType)op->type));

    fill(e, o, i);
    o->aux = remainder;
    branches_to_stub(e, i);
    if (i + 1 < e->ir->nops && e->ir->ops[i + 1].op == OP_second) {
        e->place[i + 1] = remainder;
    }
}

/* A condition used once, right here, is compared by the branch itself. */
static bool fused_branch(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i), *next;
    Test t = { false };
    unsigned k = i + 1;
    Op *o;

    while (k < e->ir->nops && e->ir->ops[k].op == OP_nop) {
        k++;
    }
    next = ir_op(e, (IrRef)k);
    if (k >= e->ir->nops || next->op != OP_goto_if || next->a != i || e->notes->uses[i] != 1) {
        return false;
    }
    if (op->op == OP_setcond) {
        t = (Test){ true, (IrCond)op->aux, (IrType)ir_op(e, op->a)->type, place_of(e, op->a),
                    place_of(e, op->b) };
    } else {
        t = interp_simple_test(e, op->a, (IrCc)op->aux);
    }
    if (!t.found) {
        return false;
    }
    o = emit(e, interp_branch_compare(t.cond, t.type));
    o->a = t.a;
    o->b = t.b;
    branches_to_stub(e, k);
    e->place[i] = 0; /* nobody reads it */
    return true;
}

static void setcond(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);

    if (!fused_branch(e, i)) {
        fill(e, emit(e, interp_compare((IrCond)op->aux, (IrType)ir_op(e, op->a)->type)), i);
    }
}

static void branch(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    unsigned by = ir_op(e, op->a)->op;
    bool fused = op->op == OP_goto_if && (by == OP_setcond || by == OP_fl_test) &&
                 e->plan.root[op->a] == op->a && e->place[op->a] == 0;

    if (!fused) {
        emit(e, interp_branch_if)->a = place_of(e, op->a);
        branches_to_stub(e, i);
    }
}

static void memory(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    const TcgLayout *layout = &e->config->layout;
    bool is_probe = op->op == OP_probe;
    bool is_write = is_probe ? op->aux : op->op != OP_ld;
    bool atomic = (op->d & MEM_LOCK) && layout->parallel && !is_probe;
    unsigned tlb = 2 * (op->d & MEM_MMU_MASK) + is_write;
    IrType type = is_probe ? (is_write ? I8 : IR_VOID) : (IrType)op->type;
    Op *o = emit(e, interp_memory((IrOpcode)op->op, type, e->plan.wide[i], atomic));

    g_assert((op->d & MEM_MMU_MASK) < TCG_MMU_MODES);
    fill(e, o, i);
    if (is_probe) {
        o->b = op->b;
    }
    o->imm = (s32)op->imm;
    o->aux = (u32)env_place(e, layout->tlb) + tlb * (u32)(TCG_TLB_SIZE * sizeof(TlbEntry));
    o->flags = (u16)(op->d | (atomic || (op->d & MEM_ALIGN) ? CHECK_ALIGN : 0));
    may_fault(e, i);
}

static void call(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    const TcgHelper *helper = &e->ir->helpers[op->imm];
    Op *o;

    if (helper->flags & HELPER_READS_FLAGS) {
        interp_rest_flags(e, flags_at(e, i));
    }
    o = emit(e, interp_call(helper));
    fill(e, o, i);
    o->aux = helper->nargs > 3 ? place_of(e, op->d) : e->zero;
    o->imm = (s64)(intptr_t)&e->calls[op->imm];
    may_fault(e, i);
}

/* -- 256 bits: mostly two Ops of 128 --------------------------------------------------------- */

static unsigned ir_type_of(const Emitter *e, IrRef v)
{
    return ir_op(e, v)->type;
}

/* Immediates that have bits of their own for the upper half. */
static s64 upper_imm(const IrOp *op)
{
    switch (op->op) {
    case OP_vshuf2: return op->aux == 3 ? op->imm >> 2 : op->imm;
    case OP_vblend: return op->aux == 3 ? op->imm >> 2 : op->aux == 2 ? op->imm >> 4 : op->imm;
    case OP_vmpsad: return op->imm >> 3;
    default: return op->imm;
    }
}

/* The Op just emitted does one half of its place; two of them do both. The upper half comes first:
 * an operand of 128 bits may be where the result's lower half goes. */
static void both_halves(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    const IrRef *arg = op->arg;
    unsigned n = ir_operands(e->ir, op), at = last_op(e);
    Op low = g_array_index(e->out.ops, Op, at), *o;

    *emit(e, low.run) = low;
    o = &g_array_index(e->out.ops, Op, at);
    o->d += 16;
    o->a += n > 0 && ir_type_of(e, arg[0]) == V256 ? 16 : 0;
    o->b += n > 1 && ir_type_of(e, arg[1]) == V256 ? 16 : 0;
    o->c += n > 2 && ir_type_of(e, arg[2]) == V256 ? 16 : 0;
    o->imm = upper_imm(op);
}

static void vector(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    Op *o = emit(e, interp_vector(e->ir, op));

    fill(e, o, i);
    o->imm = (s64)op->imm;
    o->aux = op->op | (u32)op->aux << 8;
    if (op->type == V256) {
        both_halves(e, i);
    }
}

static void floating(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    Op *o = emit(e, interp_float(e->ir, op));

    fill(e, o, i);
    o->imm = (s64)op->imm;
    o->aux = op->op >= OP_fadd && op->op <= OP_fmax ? op->op - OP_fadd : /* as SfOp */
                 op->aux;
    if (op->op == OP_fpcheck) {
        branches_to_stub(e, i);
    }
    if (op->type == V256) {
        both_halves(e, i);
    }
}

/* Conversions that change the size of lanes. The upper half comes first: the result may be where
 * the operand is. */
static void convert_wide(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    bool narrows = op->type == V128;
    Handler *run = interp_float(e->ir, op);
    Place a = place_of(e, op->a), d = interp_allot(e, i),
          upper = narrows ? new_cells(e, 1) : d + 16;

    for (int half = 1; half >= 0; half--) {
        Op *o = emit(e, run);
        o->a = a + (half ? (narrows ? 16 : 8) : 0);
        o->d = half ? upper : d;
        o->imm = op->imm;
        o->aux = op->aux;
    }
    if (narrows) {
        Op *o = emit(e, interp_copy(I64));
        o->a = upper;
        o->d = d + 8;
    }
}

/* Lane 0 of a vector: computed apart, as an operand may be where the result goes. */
static void scalar_of_vector(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    IrType type = op->aux == 4 ? F32 : F64;
    Place low = new_cells(e, 1), a = place_of(e, op->a);
    Op *o = emit(e, interp_float(e->ir, op));

    o->a = a;
    o->b = place_of(e, op->b);
    o->d = low;
    o->imm = (s64)op->imm;
    o->aux = op->op - OP_fadd;
    o = emit(e, interp_copy(V128));
    o->a = a;
    o->d = interp_allot(e, i);
    o = emit(e, interp_copy(type));
    o->a = low;
    o->d = e->place[i];
}

static void zero_uppers(Emitter *e)
{
    for (unsigned s = 0; s < e->ir->nslots; s++) {
        if (ir_slot_has_upper(&e->ir->slots[s])) {
            emit(e, interp_v_zero)->d = env_place(e, (s32)e->ir->slots[s].offset + 16);
        }
    }
}

static void avx(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    Op *o = emit(e, interp_avx(e->ir, op));
    bool mixes = op->op == OP_vinserth || op->op == OP_vwidens || op->op == OP_vwidenu ||
                 op->op == OP_vlane2 || op->op == OP_vpermq || op->op == OP_vpermd ||
                 (op->op == OP_vbcast && op->aux == 4);

    fill(e, o, i);
    o->imm = (s64)op->imm;
    o->aux = op->aux | (op->op == OP_vwidens ? 0x100 : 0);
    if (op->type == V256 && !mixes) {
        both_halves(e, i);
    }
}

/* vmovmsk, vtest: words of the two halves, put together. */
static void mask_of_256(Emitter *e, unsigned i)
{
    static const u8 shift[] = { 16, 8, 4, 2 };
    const IrOp *op = ir_op(e, (IrRef)i);
    Place low = new_cells(e, 1), high = new_cells(e, 1), a = place_of(e, op->a);

    bool test = op->op == OP_vtest;
    Op *o;

    for (unsigned half = 0; half < 2; half++) {
        o = emit(e, interp_vector(e->ir, op));
        o->a = a + 16 * half;
        o->b = test ? place_of(e, op->b) + 16 * half : e->zero;
        o->d = half ? high : low;
        o->aux = op->op | (u32)op->aux << 8;
    }
    if (!test) {
        o = emit(e, interp_int[OP_shl][W32]);
        o->a = o->d = high;
        o->b = new_const(e, shift[op->aux], 1);
    }
    o = emit(e, interp_int[test ? OP_and : OP_or][W32]);
    o->a = low;
    o->b = high;
    o->d = interp_allot(e, i);
}

static void ld_host(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    Op *o = emit(e, interp_ld_host((IrType)op->type));

    o->imm = (s64)op->value;
    o->d = interp_allot(e, i);
}

static void st_host(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);
    Op *o = emit(e, interp_st_host((IrType)op->type));

    fill(e, o, i);
    o->imm = op->imm;
}

static void one_op(Emitter *e, unsigned i)
{
    const IrOp *op = ir_op(e, (IrRef)i);

    if (ir_is_flags_op(op->op) || op->op == OP_getflags) {
        interp_bundle(e, i);
        return;
    }
    switch (op->op) {
    case OP_nop:
    case OP_second: /* with its division */
    case OP_setflags:
    case OP_mov:
    case OP_trunc:
    case OP_bitcast: break; /* where the operand is */
    case OP_insn: e->insn = (Fault){ .offset = op->imm, .index = op->d }; break;
    case OP_const: constant(e, i); break;
    case OP_get: get(e, i); break;
    case OP_set: set(e, i); break;
    case OP_zext:
    case OP_sext: extend(e, i); break;
    case OP_vzeroupper: zero_uppers(e); break;
    case OP_setcond: setcond(e, i); break;
    case OP_select: fill(e, emit(e, interp_select((IrType)op->type, e->plan.wide[i])), i); break;
    case OP_fl_test:
        if (!fused_branch(e, i)) {
            interp_fl_test(e, i);
        }
        break;
    case OP_fl_pack: interp_fl_pack(e, i); break;
    case OP_divu2:
    case OP_divs2: divide(e, i); break;
    case OP_ld_host: ld_host(e, i); break;
    case OP_st_host: st_host(e, i); break;
    case OP_fence: emit(e, interp_fence); break;
    case OP_call: call(e, i); break;
    case OP_trap_if:
    case OP_goto_if:
    case OP_exit_if: branch(e, i); break;
    case OP_goto:
    case OP_jump:
    case OP_exit:
    case OP_trap:
        interp_rest_flags(e, flags_at(e, i));
        leave(e, op, &e->insn);
        break;
    default:
        if (interp_int[op->op][W64]) {
            integer(e, i);
        } else if (op->op >= OP_ld && op->op <= OP_probe) {
            memory(e, i);
        } else if ((op->op == OP_vmovmsk || op->op == OP_vtest) && ir_type_of(e, op->a) == V256) {
            mask_of_256(e, i);
        } else if ((op->op >= OP_vadd && op->op <= OP_vfromint) ||
                   (op->op >= OP_vshufb && op->op <= OP_vtest)) {
            vector(e, i);
        } else if (op->op >= OP_vmovlo && op->op <= OP_fma) {
            avx(e, i);
        } else if (op->op == OP_vcvt && op->type != ir_type_of(e, op->a)) {
            convert_wide(e, i);
        } else if (op->type == V128 && (op->aux == 4 || op->aux == 5) && op->op != OP_vcvt) {
            scalar_of_vector(e, i);
        } else {
            floating(e, i);
        }
    }
}

bool interp_emitter_run(Emitter *e, const IrBlock *ir, const IrNotes *notes)
{
    e->ir = ir;
    e->notes = notes;
    e->ncells = 0;
    e->pool_full = false;
    g_array_set_size(e->out.ops, 0);
    g_array_set_size(e->out.faults, 0);
    g_array_set_size(e->stubs, 0);
    e->zero = new_const(e, 0, 4);
    memset(e->packed, 0, ir->nops * sizeof(e->packed[0]));
    memset(e->rest_stub, 0, ir->nops * sizeof(e->rest_stub[0]));
    interp_plan(&e->plan, ir, notes, e->config->no_opt);
    for (unsigned i = 1; i < ir->nops; i++) {
        one_op(e, i);
    }
    emit_stubs(e);
    return !e->pool_full;
}

/* Op @i alone, on operands and a result in given places. */
void interp_emitter_one(Emitter *e, const IrBlock *ir, unsigned i, const Place *arg, Place result)
{
    const IrOp *op = &ir->ops[i];
    unsigned n = ir_operands(ir, op);
    Op *o;

    e->ir = ir;
    e->ncells = 0;
    g_array_set_size(e->out.ops, 0);
    e->zero = new_const(e, 0, 4);
    e->plan.sunk[i] = 0;
    e->plan.wide[i] = false;
    for (unsigned k = 0; k < n; k++) {
        e->plan.root[op->arg[k]] = op->arg[k];
        e->place[op->arg[k]] = arg[k];
    }
    e->plan.root[i] = (IrRef)i;
    one_op(e, i);
    if (ir_has_result(ir, op)) {
        o = emit(e, interp_copy((IrType)op->type));
        o->a = place_of(e, (IrRef)i);
        o->d = result;
    }
}

const struct Emitted *interp_emitted(const Emitter *e)
{
    return &e->out;
}

Emitter *interp_emitter_new(const TcgConfig *config, CallSite *calls, ConstPool *pool)
{
    Emitter *e = g_new0(Emitter, 1);

    e->config = config;
    e->calls = calls;
    e->pool = pool;
    e->out.ops = g_array_new(FALSE, FALSE, sizeof(Op));
    e->out.faults = g_array_new(FALSE, FALSE, sizeof(Fault));
    e->stubs = g_array_new(FALSE, FALSE, sizeof(Stub));
    return e;
}

void interp_emitter_free(Emitter *e)
{
    g_array_free(e->out.ops, TRUE);
    g_array_free(e->out.faults, TRUE);
    g_array_free(e->stubs, TRUE);
    g_free(e);
}
