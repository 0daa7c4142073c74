/* SPDX-License-Identifier: MIT */
/*
 * How blocks lead to each other. A link slot is a call of exit_link that linking makes a branch to
 * the next block's near entry, and where there is nothing to do before, the conditional branch that
 * leads to it goes there at once.
 *
 * Where the record of flags would have to be written first, or budget be given back, a passage goes
 * past all that if the next block allows it: it takes both blocks' budget at once and enters the
 * next one behind its prologue. A block that sets flags before anybody can look needs no more. One
 * that may fault before (entry.h) finds in the upper half of the budget's register who it was
 * entered from, so that C can make the record then, of registers that have not changed:
 * settle_flags(). All other ways into a block leave that half 0, as does everything that puts a
 * record into env.
 *
 * A block that begins with a condition of the flags it is entered with compares what env's record
 * has once more, before its prologue. Who comes with NZCV of just that comparison enters behind it.
 */
#include "tcg/aarch64/gen.h"

#define PASSAGE_WORDS 12         /* at most */
#define MAX_PASSAGES  0xffffu    /* what MOVK takes */
#define NO_PINS       UINT16_MAX /* the record is of what does not last */

void passages_clear(A64Backend *be)
{
    be->npassages = 1;
    be->unused_passage = 0;
}

void passages_free(A64Backend *be)
{
    g_free(be->passage);
}

/* 0: there are too many. */
static uint32_t passage_new(A64Backend *be)
{
    uint32_t n = be->unused_passage;

    if (n) {
        be->unused_passage = be->passage[n].next;
        return n;
    }
    if (be->npassages >= MAX_PASSAGES) {
        return 0;
    }
    if (be->npassages >= be->passages_size) {
        be->passages_size = MAX(256, be->passages_size * 2);
        be->passage = g_renew(Passage, be->passage, be->passages_size);
    }
    return be->npassages++;
}

/* -- What blocks tell about themselves -------------------------------------------------------- */

/* Pins of integers as bits of 16. */
static uint16_t pin_bit(int reg)
{
    return (uint16_t)(1u << (reg < 16 ? reg - 6 : reg - 19 + 10));
}

/* As the fault map has it: no instruction's. */
static uint32_t flush_point(uint32_t flush)
{
    return flush + (uint32_t)sizeof(CodeHeader) + 1;
}

/* Of the block that is about to be emitted. */
void note_entry(Gen *g)
{
    g->code->looks = (uint8_t)g->notes->look;
    g->code->changes = 0;
    g->code->asks = 0;
    g->code->passages = 0;
    g->code->body = 0;
    for (const IrActing *at = g->notes->live; at->op && at->op < g->notes->look_until; at++) {
        const IrOp *op = &g->ops[at->op];
        int reg = op->op == OP_set ? g->be->slot[op->imm].reg : NO_REG;
        if (reg != NO_REG && reg < 32) {
            g->code->changes |= pin_bit(reg);
        }
    }
}

/* What has been emitted so far makes NZCV of @fl, the flags that the block is entered with. */
void note_live_entry(Gen *g, IrRef fl)
{
    g_assert(g->code->looks == ENTRY_LOOKS);
    g->code->body = (uint8_t)(a_pc(&g->a) - g->code->start);
    g->code->asks = (uint8_t)entry_kind(g, fl);
}

/* The link of @s begins here, with what a passage need not do. */
void note_flush(Gen *g, unsigned link, FaultPoint p, int32_t giveback)
{
    const Record *r = &g->faults.records[p.record];
    uint16_t pins = 0;

    g->code->link[link].flush = (uint32_t)(a_pc(&g->a) - g->code->start);
    g->code->link[link].giveback = (uint16_t)giveback;
    for (unsigned left = r->has; left; left &= left - 1) {
        const Src *s = &r->src[__builtin_ctz(left)];

        if (s->kind == SRC_MEM || (s->kind == SRC_REG && is_temp(s->reg))) {
            pins = NO_PINS;
            break;
        } else if (s->kind == SRC_REG && s->reg != ZR) {
            pins |= pin_bit(s->reg);
        }
    }
    g->code->link[link].pins = pins;
    p.host = flush_point(g->code->link[link].flush);
    fault_notes_point(&g->faults, p);
}

void forget_passage(Gen *g)
{
    if (g->code->looks == ENTRY_FAULTS) {
        a_mov(&g->a, 4, BUDGET, BUDGET);
    }
}

/* -- Rewriting -------------------------------------------------------------------------------- */

/* Others may be running it: one word is replaced at a time. */
static void rewrite(A64Backend *be, const uint8_t *at, uint32_t insn)
{
    uint32_t *rw = (uint32_t *)((uint8_t *)(uintptr_t)at - (be->buf.rx - be->buf.rw));

    __atomic_store_n(rw, insn, __ATOMIC_RELEASE);
    __builtin___clear_cache((char *)(uintptr_t)at, (char *)(uintptr_t)at + 4);
}

static uint32_t word_at(const uint8_t *at)
{
    uint32_t insn;

    memcpy(&insn, at, 4);
    return insn;
}

static void rewrite_branch(A64Backend *be, const uint8_t *at, uint32_t insn, const uint8_t *to)
{
    a_redirect(&insn, at, to);
    rewrite(be, at, insn);
}

/* The branch at @at turned to @to, if it is near enough. */
static bool redirect(A64Backend *be, const uint8_t *at, const uint8_t *to)
{
    uint32_t insn = word_at(at);

    if (!a_redirect(&insn, at, to)) {
        return false;
    }
    rewrite(be, at, insn);
    return true;
}

/* -- Passages --------------------------------------------------------------------------------- */

/* Does @to begin with the comparison that @from has just made? */
static bool may_skip(const TcgCode *from, unsigned link, const TcgCode *to)
{
    return from->link[link].holds && to->asks && !to->retired &&
           fault_map_kind(fault_map_record(from, flush_point(from->link[link].flush))) == to->asks;
}

static bool may_pass(const A64Backend *be, const TcgCode *from, unsigned link, const TcgCode *to,
                     const uint8_t **record)
{
    if (!from->link[link].flush || to->retired) {
        return false;
    }
    *record = fault_map_record(from, flush_point(from->link[link].flush));
    if (fault_map_is_env(*record)) {
        *record = NULL;
        return !to->asks;
    }
    switch ((EntryLook)to->looks) {
    case ENTRY_BLIND: *record = NULL; return true;
    case ENTRY_FAULTS:
        return from->link[link].pins != NO_PINS && !(from->link[link].pins & to->changes);
    default: return false;
    }
}

/* NULL: the buffer is full. */
static const uint8_t *emit_passage(A64Backend *be, const TcgCode *from, unsigned link,
                                   const TcgCode *to, uint32_t mark)
{
    CodeBuf *c = &be->buf;
    uint8_t *at = c->rw + ((c->used + 3) & ~(size_t)3), *out;
    const uint8_t *body = to->start + to->body;
    Asm a = { .p = at, .start = at, .end = c->rw + c->size, .rx = c->rx - c->rw };
    int32_t take = (int32_t)to->ninsns - from->link[link].giveback;

    if (a.end - a.p < PASSAGE_WORDS * 4) {
        return NULL;
    }
    a_add_imm(&a, 4, BUDGET, BUDGET, -take, X17);
    if (mark) {
        a_word(&a, 0xf2c00000 | mark << 5 | BUDGET); /* MOVK, LSL #32 */
    }
    out = a_tbz(&a, false, BUDGET, 31);
    if (!a_patch(out, body - a.rx)) { /* too far for it */
        a.p = out;
        out = a_tbz(&a, true, BUDGET, 31);
        a_b(&a, body);
        a_here(&a, out);
    }
    a_add_imm(&a, 4, BUDGET, BUDGET, take, X17);
    a_word(&a, from->link[link].first);
    a_b(&a, from->start + from->link[link].flush + 4);
    __builtin___clear_cache((char *)at + a.rx, (char *)a.p + a.rx);
    c->used = (size_t)(a.p - c->rw);
    return at + a.rx;
}

/* A way past what @from does before it leaves by @link. NULL: there is none. */
static const uint8_t *make_passage(A64Backend *be, TcgCode *from, unsigned link, TcgCode *to)
{
    const uint8_t *record, *at, *flush = from->start + from->link[link].flush;
    uint32_t n;

    if (!may_pass(be, from, link, to, &record)) {
        return NULL;
    }
    n = passage_new(be);
    if (!n) {
        return NULL;
    }
    be->passage[n] =
        (Passage){ .from = from, .link = link, .next = to->passages, .record = record };
    to->passages = n;
    from->link[link].first = word_at(flush);
    at = emit_passage(be, from, link, to, record ? n : 0);
    if (at) {
        rewrite_branch(be, flush, 0x14000000, at);
    } else {
        from->link[link].first = 0;
    }
    return at;
}

static void close_passage(A64Backend *be, TcgCode *from, unsigned link)
{
    if (from->link[link].flush && from->link[link].first) {
        rewrite(be, from->start + from->link[link].flush, from->link[link].first);
        from->link[link].first = 0;
    }
}

/* -- The back end's functions ----------------------------------------------------------------- */

void a64_link(void *p, TcgCode *from, unsigned link, TcgCode *to)
{
    A64Backend *be = p;
    const uint8_t *stub = from->start + from->link[link].stub;
    const uint8_t *patch = from->start + from->link[link].patch, *home = stub, *next = NULL;

    close_passage(be, from, link);
    from->link[link].to = to;
    if (to) {
        bool skip = may_skip(from, link, to);
        rewrite_branch(be, stub, 0x14000000, skip ? to->start + to->body : to->near_entry);
    } else {
        rewrite_branch(be, stub, 0x94000000, be->exit_link);
    }
    if (from->link[link].flush) {
        home = from->start + from->link[link].flush;
        next = to ? make_passage(be, from, link, to) : NULL;
    } else if (to) {
        next = to->near_entry;
    }
    if (from->link[link].patch && !(next && redirect(be, patch, next))) {
        redirect(be, patch, home);
    }
}

/* Whoever comes to the near entry leaves as if its budget were used up; left() tells the two apart.
 * Nobody comes past it. */
void a64_retire(void *p, TcgCode *code)
{
    A64Backend *be = p;
    uint32_t n, next;

    code->retired = true;
    rewrite_branch(be, code->near_entry, 0x14000000, code->start);
    if (code->asks) {
        rewrite_branch(be, code->start + code->body, 0x14000000, code->start);
    }
    for (n = code->passages; n; n = next) {
        Passage *s = &be->passage[n];
        next = s->next;
        if (s->from->link[s->link].to == code) {
            a64_link(be, s->from, s->link, code);
        }
        be->passage[n].next = be->unused_passage;
        be->unused_passage = n;
    }
    code->passages = 0;
}

const void *a64_far_entry(void *p, TcgCode *code)
{
    A64Backend *be = p;
    CodeBuf *c = &be->buf;
    uint8_t *at = c->rw + ((c->used + 3) & ~(size_t)3);
    Asm a = { .p = at, .start = at, .end = c->rw + c->size, .rx = c->rx - c->rw };

    emit_far_entry(&a, be, code);
    if (a.full) {
        return NULL;
    }
    __builtin___clear_cache((char *)at + a.rx, (char *)a.p + a.rx);
    c->used = (size_t)(a.p - c->rw);
    return at + a.rx;
}
