/* SPDX-License-Identifier: MIT */
/*
 * How blocks lead to each other. A link slot is a call of exit_link that linking makes a jump to
 * the next block's near entry; where nothing is to be done before, the conditional jump that leads
 * to it goes there at once. A side exit that gives budget back takes the next block's in the same
 * instruction, and enters that behind its own.
 *
 * Where a record of flags would have to be written first and nobody can look at it, as the next
 * block sets flags before it may fault or be left (entry.h), a passage lies over the begin of what
 * writes it: it takes the budget of both blocks at once and goes behind the next one's prologue.
 * If the budget does not suffice C puts back what was there, lets that run, and then lays the
 * passage again. That code is the only one that knows the record.
 */
#include "tcg/x86_64/gen.h"

#include <string.h>

static uint8_t *writable(const X86Backend *be, const uint8_t *at)
{
    return (uint8_t *)(uintptr_t)at - (be->buf.rx - be->buf.rw);
}

void passages_clear(X86Backend *be)
{
    g_array_set_size(be->passages, 1); /* the first is nobody's */
    be->unused_passage = 0;
}

static Passage *passage(const X86Backend *be, uint32_t n)
{
    return &g_array_index(be->passages, Passage, n);
}

static uint32_t passage_new(X86Backend *be)
{
    uint32_t n = be->unused_passage;

    if (n) {
        be->unused_passage = passage(be, n)->next;
        return n;
    }
    g_array_set_size(be->passages, be->passages->len + 1);
    return be->passages->len - 1;
}

/* -- Sites ------------------------------------------------------------------------------------ */

static void write_rel32(X86Backend *be, const uint8_t *place_end, const void *target)
{
    int32_t d = (int32_t)((const uint8_t *)target - place_end);

    memcpy(writable(be, place_end) - 4, &d, 4);
}

static void exit_site(Asm *a, const X86Backend *be, const TcgCode *from)
{
    size_t back;

    call_own(a, be, CALL_LINK);
    back = (size_t)(x_pc(a) - from->start) + sizeof(CodeHeader);
    x_word(a, (unsigned)MIN(back, UINT16_MAX));
}

/* A link's site: the jump, or the call of exit_link as it was. Made elsewhere: what lies behind it
 * is other code. */
static void write_site(X86Backend *be, const TcgCode *from, const uint8_t *site, const void *target)
{
    uint8_t bytes[64];
    Asm a = { .p = bytes, .start = bytes, .end = bytes + sizeof(bytes), .rx = site - bytes };

    if (target) {
        x_jmp(&a, target);
    } else {
        exit_site(&a, be, from);
    }
    memcpy(writable(be, site), bytes, (size_t)(a.p - bytes));
}

/* What the instruction in front of the site adds to the budget. False: there is none, or the
 * number does not fit. */
static bool write_giveback(X86Backend *be, const TcgCode *from, unsigned link, int32_t n)
{
    uint8_t *end = writable(be, from->start + from->link[link].stub);
    bool small = from->link[link].giveback <= INT8_MAX;

    if (!from->link[link].giveback || (small && n != (int8_t)n)) {
        return false;
    }
    if (small) {
        end[-1] = (uint8_t)n;
    } else {
        memcpy(end - 4, &n, 4);
    }
    return true;
}

/* The JL of a block's prologue. */
static const uint8_t *budget_test(const TcgCode *code)
{
    return code->start + code->body - 2;
}

static void link_site(X86Backend *be, const TcgCode *from, unsigned link, const TcgCode *to)
{
    const uint8_t *site = from->start + from->link[link].stub, *entry = to ? to->near_entry : NULL;
    int32_t back = from->link[link].giveback;

    if (write_giveback(be, from, link, to ? back - to->ninsns : back) && to) {
        entry = budget_test(to);
    }
    write_site(be, from, site, entry);
}

/* -- Passages --------------------------------------------------------------------------------- */

static void exchange(X86Backend *be, Passage *p)
{
    uint8_t *at = writable(be, p->from->start + p->from->link[p->link].flush);
    uint8_t now[sizeof(p->bytes)];

    memcpy(now, at, p->size);
    memcpy(at, p->bytes, p->size);
    memcpy(p->bytes, now, p->size);
    p->open = !p->open;
}

static void close_passage(X86Backend *be, TcgCode *from, unsigned link)
{
    uint32_t n = from->link[link].passage;

    if (n && passage(be, n)->open) {
        exchange(be, passage(be, n));
    }
    from->link[link].passage = 0;
}

static bool make_bytes(const X86Backend *be, Passage *p, const TcgCode *to)
{
    const uint8_t *at = p->from->start + p->from->link[p->link].flush;
    uint8_t bytes[64];
    Asm a = { .p = bytes, .start = bytes, .end = bytes + sizeof(bytes), .rx = at - bytes };

    x_budget(&a, ALU_SUB, p->take);
    x_jcc(&a, CC_NL, to->start + to->body);
    exit_site(&a, be, p->from);
    p->size = (uint8_t)(a.p - bytes);
    memcpy(p->bytes, bytes, MIN(p->size, sizeof(p->bytes)));
    return p->size <= p->from->link[p->link].room;
}

static void open_passage(X86Backend *be, TcgCode *from, unsigned link, TcgCode *to)
{
    Passage p = { .from = from,
                  .link = link,
                  .next = to->passages,
                  .take = (int32_t)to->ninsns - from->link[link].giveback };
    uint32_t n;

    if (!from->link[link].room || to->looks != ENTRY_BLIND || to->retired ||
        from->link[link].flush >= UINT16_MAX - 64 || !make_bytes(be, &p, to)) {
        return;
    }
    n = passage_new(be);
    *passage(be, n) = p;
    to->passages = n;
    from->link[link].passage = n;
    exchange(be, passage(be, n));
}

/* The passage that has been left at @site, as its budget did not suffice. */
static Passage *passage_at(const X86Backend *be, const uint8_t *site)
{
    const TcgCode *code;
    uint16_t back;

    memcpy(&back, site, 2);
    if (back == UINT16_MAX) {
        return NULL;
    }
    code = ((const CodeHeader *)(site - back))->code;
    for (unsigned i = 0; i < code->nlinks; i++) {
        Passage *p = passage(be, code->link[i].passage);
        if (code->link[i].passage && code->start + code->link[i].flush + p->size - 2 == site) {
            return p;
        }
    }
    return NULL;
}

const uint8_t *passage_suspend(X86Backend *be, uint8_t *env, const uint8_t *site, uint32_t *number)
{
    Passage *p = passage_at(be, site);

    if (!p) {
        return NULL;
    }
    *(int32_t *)(env + be->layout->budget) += p->take;
    *number = p->from->link[p->link].passage;
    exchange(be, p);
    return p->from->start + p->from->link[p->link].flush;
}

void passage_resume(X86Backend *be, uint32_t number)
{
    Passage *p = passage(be, number);

    if (p->from->link[p->link].passage == number && !p->open) {
        exchange(be, p);
    }
}

/* -- The back end's functions ----------------------------------------------------------------- */

void x64_link(void *p, TcgCode *from, unsigned link, TcgCode *to)
{
    X86Backend *be = p;
    const uint8_t *start = from->start, *stub = start + from->link[link].stub;

    close_passage(be, from, link);
    from->link[link].to = to;
    if (from->link[link].loop) {
        write_rel32(be, start + from->link[link].loop_patch,
                    start + (to == from ? from->link[link].loop : from->link[link].loop_stub));
    }
    if (from->link[link].patch) {
        write_rel32(be, start + from->link[link].patch, to ? to->near_entry : stub);
    } else {
        link_site(be, from, link, to);
    }
    if (to) {
        open_passage(be, from, link, to);
    }
}

/* Whoever comes to the test of the budget leaves as if that were used up; left() tells the two
 * apart. Nobody comes past it. */
void x64_retire(void *p, TcgCode *code)
{
    X86Backend *be = p;
    uint32_t n, next;

    code->retired = true;
    *writable(be, budget_test(code)) = 0xeb; /* JMP rel8 for JL rel8 */
    for (n = code->passages; n; n = next) {
        Passage *s = passage(be, n);
        next = s->next;
        if (s->from->link[s->link].passage == n) {
            close_passage(be, s->from, s->link);
        }
        s->next = be->unused_passage;
        be->unused_passage = n;
    }
    code->passages = 0;
}
