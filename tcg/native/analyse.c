/* SPDX-License-Identifier: MIT */
/* What is noted of a block's ops before any is emitted. */
#include TCG_NATIVE_GEN

/* What a group's check found stays in a register for the others. */
static void keep_checks(Gen *g)
{
    for (unsigned k = 0; k < g->notes->ngroups; k++) {
        const IrGroup *r = &g->notes->groups[k];
        if (r->last != r->leader) {
            g->last[r->token] = r->last;
        }
    }
}

void gen_clear_notes(Gen *g)
{
    unsigned n = g->ir->nops;

    memset(g->hint, 0, n * sizeof(g->hint[0]));
    memset(g->defer, 0, n * sizeof(g->defer[0]));
    memset(g->want, 0, n * sizeof(g->want[0]));
}

void gen_begin(Gen *g)
{
    unsigned n = g->ir->nops;

    memcpy(g->last, g->notes->last_use, n * sizeof(g->last[0]));
    memset(g->loc, 0, n * sizeof(g->loc[0]));
    keep_checks(g);
}
