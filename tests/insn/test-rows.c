/* SPDX-License-Identifier: MIT */
/*
 * Every row on every runner. INSN_ROW=text limits to rows whose name contains it; INSN_EXACT=1
 * compares undefined flags too; INSN_BACKEND, INSN_IR: see engine.c.
 */
#include "insn.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static Runner *runners[16];
static unsigned nrunners;

typedef struct Prepared {
    Case k;
    State want;
    Memory before, after;
} Prepared;

static void put(uint8_t *area, uint32_t what, const Pair *p, unsigned size)
{
    uint64_t v[2] = { p->lo, p->hi };
    memcpy(area + (what & 0xffff), v, size);
}

static void apply_pair(const Pair *p, State *s, Memory *m)
{
    uint32_t w = p->what;
    switch (w & ~0xffffu) {
    case DATA8: put(m->data, w, p, 1); return;
    case DATA16: put(m->data, w, p, 2); return;
    case DATA32: put(m->data, w, p, 4); return;
    case DATA64: put(m->data, w, p, 8); return;
    case DATA128: put(m->data, w, p, 16); return;
    case STACK16: put(m->stack, w, p, 2); return;
    case STACK32: put(m->stack, w, p, 4); return;
    case STACK64: put(m->stack, w, p, 8); return;
    }
    if (w >= RAX && w <= R15) {
        s->gpr[w - RAX] = p->lo;
    } else if (w >= XMM0 && w < XMM0 + 16) {
        s->xmm[w - XMM0][0] = p->lo;
        s->xmm[w - XMM0][1] = p->hi;
    } else if (w >= YMMH0 && w < YMMH0 + 16) {
        s->ymmh[w - YMMH0][0] = p->lo;
        s->ymmh[w - YMMH0][1] = p->hi;
    } else if (w >= ST0 && w < ST0 + 8) {
        s->st[w - ST0].frac = p->lo;
        s->st[w - ST0].se = (uint16_t)p->hi;
    }
    switch (w) {
    case RIP: s->rip = p->lo; break;
    case FL: s->flags = (uint32_t)p->lo; break;
    case VEC: s->vector = (uint8_t)p->lo; break;
    case ERR: s->error = (uint32_t)p->lo; break;
    case CR2: s->cr2 = p->lo; break;
    case MXCSR: s->mxcsr = (uint32_t)p->lo; break;
    case FCW: s->fcw = (uint16_t)p->lo; break;
    case FSW: s->fsw = (uint16_t)p->lo; break;
    case FTW: s->ftw = (uint8_t)p->lo; break;
    default: break;
    }
}

static void prepare(Prepared *p, const Row *r, Mode mode)
{
    default_case(&p->k, &p->before, mode, r->code_offset, (const uint8_t *)r->code, r->len);
    for (const Pair *q = r->in; q < r->in + G_N_ELEMENTS(r->in) && q->what; q++)
        apply_pair(q, &p->k.in, &p->before);
    p->want = p->k.in;
    p->after = p->before;
    p->want.vector = 3;
    bool faults = false;
    for (const Pair *q = r->out; q < r->out + G_N_ELEMENTS(r->out) && q->what; q++)
        faults |= q->what == VEC;
    if (!faults)
        p->want.rip += r->len + 1u;
    for (const Pair *q = r->out; q < r->out + G_N_ELEMENTS(r->out) && q->what; q++)
        apply_pair(q, &p->want, &p->after);
}

static bool check_row(const Row *r, Mode mode, Runner *runner)
{
    static Prepared p;
    static Memory mem;
    State got;
    prepare(&p, r, mode);
    mem = p.before;
    runner->run(runner, &p.k, &mem, &got);
    uint32_t ignore = r->undef;
    if (!g_getenv("INSN_EXACT"))
        ignore |= undefined_flags(mode, (const uint8_t *)r->code, r->len);
    g_autofree char *state = compare_states(&p.want, &got, ignore);
    g_autofree char *memory = compare_memory(&p.after, &mem);
    if (!state && !memory)
        return true;
    print_message("%s (%s, %s):%s%s\n", r->name, mode_name(mode), runner->name, state ? state : "",
                  memory ? memory : "");
    return false;
}

static void run_list(const Row *rows)
{
    const char *only = g_getenv("INSN_ROW");
    unsigned bad = 0;
    for (const Row *r = rows; r->name; r++) {
        if (only && !strstr(r->name, only))
            continue;
        for (unsigned n = 0; n < nrunners; n++) {
            for (Mode mode = M16; mode <= M16P; mode = (Mode)(mode << 1)) {
                if (r->modes & runners[n]->modes & mode)
                    bad += !check_row(r, mode, runners[n]);
            }
        }
    }
    assert_int_equal(bad, 0);
}

#define TEST_LIST(name)                   \
    static void test_##name(void **state) \
    {                                     \
        run_list(name##_rows);            \
    }
ROW_LISTS(TEST_LIST)

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define LIST(name) cmocka_unit_test(test_##name),
        ROW_LISTS(LIST)
#undef LIST
    };
    nrunners = insn_runners(runners, G_N_ELEMENTS(runners));
    if (!runners[0]->is_silicon)
        print_message("no silicon to compare with on this host\n");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
