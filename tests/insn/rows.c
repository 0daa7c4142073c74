/* SPDX-License-Identifier: MIT */
/* A row as a case and its outcome. */
#include "insn.h"

#include <glib.h>
#include <string.h>

#include "tcg/lanes.h"

static void put(uint8_t *area, uint32_t what, const Pair *p, unsigned size)
{
    uint64_t v[2] = { p->lo, p->hi };
    words_to_guest(area + (what & 0xffff), v, size);
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
    case ZEROS: memset(m->data + (w & 0xffff), 0, p->lo); return;
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
    } else if (w >= SELECTOR && w < SELECTOR + INSN_SEGS) {
        s->sel[w - SELECTOR] = (uint16_t)p->lo;
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

typedef struct Pairs {
    const Pair *p;
    unsigned n;
} Pairs;

static Pairs pairs(const Pair *p, unsigned max)
{
    unsigned n = 0;
    while (n < max && p[n].what)
        n++;
    return (Pairs){ p, n };
}

static const Pair *find_vector(Pairs list)
{
    for (unsigned n = 0; n < list.n; n++) {
        if (list.p[n].what == VEC)
            return &list.p[n];
    }
    return NULL;
}

static void apply(Pairs list, State *s, Memory *m)
{
    for (unsigned n = 0; n < list.n; n++)
        apply_pair(&list.p[n], s, m);
}

void row_prepare(const Row *r, Mode mode, HostVendor silicon, PreparedRow *p)
{
    Pairs out = pairs(r->out, G_N_ELEMENTS(r->out)), own = { NULL, 0 };
    default_case(&p->k, &p->before, mode, r->code_offset, (const uint8_t *)r->code, r->len);
    apply(pairs(r->in, G_N_ELEMENTS(r->in)), &p->k.in, &p->before);
    if (silicon == HOST_INTEL)
        own = pairs(r->on_intel, G_N_ELEMENTS(r->on_intel));
    else if (silicon == HOST_AMD)
        own = pairs(r->on_amd, G_N_ELEMENTS(r->on_amd));
    if (find_vector(own))
        out = (Pairs){ NULL, 0 };
    const Pair *vector = find_vector(find_vector(own) ? own : out);
    p->want = p->k.in;
    p->after = p->before;
    p->want.vector = 3;
    if (!vector || (vector->lo == 3 && !out.n))
        p->want.rip += r->len + 1u;
    apply(out, &p->want, &p->after);
    apply(own, &p->want, &p->after);
}
