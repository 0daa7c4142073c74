/* SPDX-License-Identifier: MIT */
/*
 * Memory accesses with the same base value, or equal sums for one, and near displacements: one
 * check at the first covers all (guest-mem.h), so the others neither fault nor leave. A later store
 * makes it a check for writing if it is sure to be reached. Helpers may change mappings and end
 * every group; what a page that is no RAM changes is taken up at the end of the block, as the
 * runtime does with its own TLB's.
 */
#include "tcg/groups.h"

#include <string.h>

#include "tcg/helper.h"

#define REACH 256 /* bytes: the more, the more groups cross a page */

static bool is_rmw(const IrOp *op)
{
    return op->op >= OP_rmw_add && op->op <= OP_rmw_xchg;
}

static bool writes(const IrOp *op)
{
    return op->op == OP_probe ? op->aux : !ir_is_load(op->op);
}

static bool can_group(const IrBlock *ir, const IrOp *op, unsigned *size)
{
    IrType t;

    if ((op->op != OP_ld && op->op != OP_st && op->op != OP_x87_ld && op->op != OP_x87_st &&
         op->op != OP_probe && !is_rmw(op)) ||
        (op->d & MEM_LOCK)) {
        return false;
    }
    if (op->op == OP_probe) {
        *size = op->b;
        return *size <= REACH && !(op->d & MEM_ALIGN);
    }
    t = op->op == OP_st ? (IrType)ir->ops[op->b].type : (IrType)op->type;
    *size = ir_type_info[t].bytes;
    return !(op->d & MEM_ALIGN) || !(*size & (*size - 1));
}

/* A base: a + (b << shift) + disp. */
typedef struct Sum {
    IrRef a, b;
    uint8_t shift;
    int32_t disp;
} Sum;

static Sum sum_of(const IrBlock *ir, IrRef v)
{
    const IrOp *op = &ir->ops[v];

    if (op->op != OP_lea || op->type != I64) {
        return (Sum){ .a = v };
    }
    return (Sum){ .a = op->a, .b = op->b, .shift = op->aux, .disp = (int32_t)op->imm };
}

/* Is @base another sum of the same values as @r's? Then @disp is made one from @r's. */
static bool same_base(const IrBlock *ir, bool sums, const IrGroup *r, IrRef base, int64_t *disp)
{
    Sum x, y;

    if (r->base == base || !sums) {
        return r->base == base;
    }
    x = sum_of(ir, r->base);
    y = sum_of(ir, base);
    *disp += (int64_t)y.disp - x.disp;
    return x.a == y.a && x.b == y.b && x.shift == y.shift;
}

/* Is @op aligned if the group is, and does the group begin at a multiple of its alignment with it?
 */
static bool alignment_fits(const IrGroup *r, const IrOp *op, int64_t disp, unsigned size)
{
    if ((op->d & MEM_ALIGN) && (size > r->align || (disp - r->lo) % size != 0)) {
        return false;
    }
    return disp >= r->lo || (r->lo - disp) % r->align == 0;
}

/* @certain: all that follows is reached or faults. */
static bool may_join(const IrGroup *r, const IrOp *op, bool certain, int64_t lo, int64_t hi)
{
    return r->mmu == (op->d & MEM_MMU_MASK) && (r->write || certain || !writes(op)) &&
           hi - lo <= REACH && lo >= INT32_MIN && hi <= INT32_MAX;
}

/* 1 + number of the latest group whose base is a sum that begins with @first, or 0. What is noted
 * may be of an earlier block. */
static unsigned latest(const IrNotes *notes, IrRef first)
{
    unsigned n = notes->latest[first];

    return n && n <= notes->ngroups && notes->groups[n - 1].first == first ? n : 0;
}

static bool join(IrBlock *ir, IrNotes *notes, unsigned i, unsigned size)
{
    IrOp *op = &ir->ops[i];
    unsigned n = latest(notes, sum_of(ir, op->a).a);

    for (; n > notes->nclosed; n = notes->groups[n - 1].older) {
        IrGroup *r = &notes->groups[n - 1];
        int64_t disp = (int32_t)op->imm, lo, hi;

        if (!same_base(ir, notes->wide_groups, r, op->a, &disp)) {
            continue;
        }
        lo = MIN(r->lo, disp);
        hi = MAX(r->hi, disp + (int64_t)size);
        if (may_join(r, op, n > notes->nleft, lo, hi) && alignment_fits(r, op, disp, size)) {
            op->a = r->base;
            op->imm = (uint32_t)disp;
            r->lo = (int32_t)lo;
            r->hi = (int32_t)hi;
            r->last = (uint16_t)i;
            r->write |= writes(op);
            notes->group[i] = (uint8_t)n;
            return true;
        }
    }
    return false;
}

static bool found(const IrBlock *ir, IrNotes *notes, unsigned i, unsigned size, IrRef token)
{
    const IrOp *op = &ir->ops[i];
    IrRef first = sum_of(ir, op->a).a;
    unsigned older = latest(notes, first);
    int32_t disp = (int32_t)op->imm;

    if (!token || notes->ngroups == IR_MAX_GROUPS || disp > INT32_MAX - 32) {
        return false;
    }
    notes->groups[notes->ngroups++] = (IrGroup){ .base = op->a,
                                                 .token = token,
                                                 .leader = (uint16_t)i,
                                                 .last = (uint16_t)i,
                                                 .mmu = op->d & MEM_MMU_MASK,
                                                 .write = writes(op),
                                                 .align = op->d & MEM_ALIGN ? (uint8_t)size : 1,
                                                 .first = first,
                                                 .older = (uint8_t)older,
                                                 .lo = disp,
                                                 .hi = disp + (int32_t)size };
    notes->group[i] = notes->latest[first] = (uint8_t)notes->ngroups;
    return true;
}

void ir_groups_begin(IrNotes *notes)
{
    notes->ngroups = notes->nclosed = notes->nleft = 0;
}

void ir_groups_close(IrNotes *notes, bool entirely)
{
    notes->nleft = notes->ngroups;
    notes->nclosed = entirely ? notes->ngroups : notes->nclosed;
}

void ir_groups_access(IrBlock *ir, IrNotes *notes, unsigned i, IrRef *spare)
{
    const IrOp *op = &ir->ops[i];
    unsigned size;

    if (((op->d & MEM_ALIGN) && !notes->wide_groups) || !can_group(ir, op, &size) ||
        join(ir, notes, i, size)) {
        return;
    }
    if (!ir_has_result(ir, op)) {
        found(ir, notes, i, size, (IrRef)i);
    } else if (found(ir, notes, i, size, *spare)) {
        *spare = IR_NONE;
    }
}

void ir_groups_end(IrNotes *notes)
{
    for (unsigned k = 0; k < notes->ngroups; k++) {
        if (notes->groups[k].leader == notes->groups[k].last) {
            notes->group[notes->groups[k].leader] = 0;
        }
    }
}
