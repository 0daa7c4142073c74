/* SPDX-License-Identifier: MIT */
/*
 * Which way a block goes at a jump: into another round of the loop that it is, on behind the jump,
 * or to where the jump leads, if it ends soon there.
 */
#include "target-i386/block.h"
#include "target-i386/gen.h"

enum {
    UNROLL_INSNS = 24, /* of all copies of a loop … */
    UNROLL_COPIES = 4, /* … no more of them */
    RETURN_INSNS = 4,  /* of a second way round a loop */
    UNROLL_STRING = 3, /* so many times that with string instructions, whose checks all share */
};

/* The instruction at @offset, in the page of the block's first. */
static DecodeStatus decode_at(const Dis *d, uint32_t offset, Insn *i)
{
    const TranslateRequest *req = d->req;
    int32_t at = (int32_t)(offset - req->unit_offset);

    if (at > (int32_t)req->avail) /* behind one that reaches into the next page */
        return DECODE_MORE;
    return decode_insn(&d->dm, req->bytes + at, req->avail - (uint32_t)at, i);
}

bool is_in_block(const Dis *d, uint32_t offset)
{
    const TranslateRequest *req = d->req;
    uint32_t page = req->unit_offset & ~4095u;

    if (offset - req->unit_offset < req->size)
        return true;
    for (unsigned k = 0; k < req->nfollowed; k++) {
        if (offset - page - req->followed[k].at < req->followed[k].size)
            return true;
    }
    return false;
}

/* Does something end the block, if it goes on at @offset, before it has too many instructions? What
 * has been decoded for that is kept. @again: it may come through what it has once more, whose end
 * ends it, too. */
static bool ends_soon(const Dis *d, uint32_t offset, bool again)
{
    unsigned since = d->followed_from ? d->ir->ninsns - d->followed_from : 0;
    unsigned most = since < FOLLOW_INSNS ? FOLLOW_INSNS - since : 0;
    bool in = false, was_in;
    Ahead *a = d->ahead;

    a->used = 0;
    for (a->n = 0; a->n < most; a->n++) {
        Insn *next = &a->insn[a->n];
        a->at[a->n] = offset;
        was_in = in;
        in = is_in_block(d, offset);
        if (was_in && !in)
            return true;
        if (decode_at(d, offset, next) != DECODE_OK || translate_splits(d->req, offset) ||
            (in && !(again && is_in_block(d, offset + next->len - 1))))
            return false;
        if (next->desc->attr & A_END) {
            a->n++;
            return true;
        }
        offset += next->len;
    }
    return false;
}

DecodeStatus decode_next(Dis *d, Insn *i)
{
    Ahead *a = d->ahead;

    if (a->used == a->n || a->at[a->used] != d->next)
        return decode_at(d, d->next, i);
    *i = a->insn[a->used++]; /* a copy: it may be a jump that looks ahead again */
    return DECODE_OK;
}

static bool may_go_on_elsewhere(const Dis *d)
{
    return d->req->may_follow && !d->sti_seen && !leaves_through_c(d);
}

/* A short loop is the whole block: let another round of it follow. Its checks of memory and its
 * flags become matters of one block, and it is counted once for several. */
static bool unroll(Dis *d, uint32_t target)
{
    const TranslateRequest *req = d->req;
    IrBlock *ir = d->ir;
    unsigned most = d->checked ? UNROLL_STRING : 1;

    if (target != req->unit_offset || !can_go_to(d, d->next) || req->nfollowed || ir->no_groups)
        return false;
    if (!d->loop_insns) {
        d->loop_insns = ir->ninsns;
        d->loop_links = ir->nlinks + 1;
    }
    if (ir->ninsns + d->loop_insns > most * MIN(UNROLL_INSNS, UNROLL_COPIES * d->loop_insns) ||
        ir->nlinks + d->loop_links + LINKS_FOR_INSN > IR_MAX_LINKS ||
        ir_room(ir) < IR_FRONTEND_OPS / 2)
        return false;
    d->next = target;
    return true;
}

/* Does what comes next soon lead back into the block? Then its first jump back is one of two ways
 * round the loop, and not the likely one. */
static bool returns_soon(const Dis *d)
{
    uint32_t offset = d->next;
    Insn i;

    for (unsigned n = 0; n < RETURN_INSNS && decode_at(d, offset, &i) == DECODE_OK; n++) {
        offset += i.len;
        if (i.desc->attr & A_END)
            return i.desc->gen == gen_jmp && is_in_block(d, offset + (uint32_t)i.imm);
    }
    return false;
}

/* Does what comes next look at the flags that are there now? A block of its own would find them in
 * env, where that may take C code. */
static bool looks_at_flags(const Dis *d)
{
    uint32_t offset = d->next;
    Insn i;

    while (decode_at(d, offset, &i) == DECODE_OK) {
        GenFn *gen = i.desc->gen;
        if (gen == gen_jcc || gen == gen_setcc || gen == gen_cmovcc)
            return true;
        if (gen != gen_mov && gen != gen_movzx && gen != gen_lea)
            return false;
        offset += i.len;
    }
    return false;
}

static bool follow(Dis *d, uint32_t target, bool again)
{
    TranslateRequest *req = d->req;

    if (req->nfollowed == TRANSLATE_FOLLOWED || (target ^ req->unit_offset) & ~4095u ||
        !ends_soon(d, target, again))
        return false;
    if (!d->followed_from)
        d->followed_from = d->ir->ninsns;
    req->followed[req->nfollowed++].at = target & 4095;
    d->next = target;
    return true;
}

bool follow_branch(Dis *d, Insn *i, int64_t delta)
{
    uint32_t target = d->next + (uint32_t)delta;

    return may_go_on_elsewhere(d) && branch_stays(d, i, delta) &&
           (unroll(d, target) || follow(d, target, false));
}

static bool is_from_memory(const IrBlock *ir, IrRef v)
{
    const IrOp *op = &ir->ops[v];

    while (op->op == OP_zext || op->op == OP_sext || op->op == OP_trunc)
        op = &ir->ops[op->a];
    return op->op == OP_ld || (op->op >= OP_rmw_add && op->op <= OP_rmw_cas);
}

/* Are two things compared that are likely the same: a loop while they are, or another try if memory
 * has changed meanwhile (CMPXCHG, the kernel's sequence counters)? */
static bool expects_equal(const IrBlock *ir, IrRef cond)
{
    const IrOp *test = &ir->ops[cond], *cmp;

    if (test->op != OP_fl_test || (test->aux & ~1u) != CC_Z)
        return false;
    cmp = &ir->ops[test->a];
    return test->aux == CC_Z ||
           (cmp->op == OP_fl_cmp && (is_from_memory(ir, cmp->a) || is_from_memory(ir, cmp->b)));
}

/* A jump back is likely taken, but for those: the block goes on there, with another round of itself
 * or with what comes before it. */
bool follow_back(Dis *d, uint32_t target, IrRef cond)
{
    if (!may_go_on_elsewhere(d) || target >= d->next || !can_go_to(d, d->next))
        return false;
    if (target == d->req->unit_offset)
        return (d->loop_insns || !returns_soon(d)) && unroll(d, target);
    return !is_in_block(d, target) && !expects_equal(d->ir, cond) && !returns_soon(d) &&
           !looks_at_flags(d) && follow(d, target, true);
}

bool next_shares_block(const Dis *d)
{
    const TranslateRequest *req = d->req;
    Insn next;

    return !(d->mode &
             (X86_MODE_TF | X86_MODE_INHIBIT | X86_MODE_BREAKPOINTS | X86_MODE_X87_SLOW)) &&
           decode_at(d, d->next, &next) != DECODE_MORE && !translate_splits(req, d->next) &&
           d->ir->ninsns + 1 < MIN(req->max_insns, 24) && d->ir->nlinks <= IR_MAX_LINKS / 2 &&
           ir_room(d->ir) > IR_FRONTEND_OPS / 2;
}
