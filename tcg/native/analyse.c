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
    for (unsigned i = 0; i < g->ir->nops; i += IR_CLEARED_OPS) {
        ir_clear_noted(&g->hint[i]);
        ir_clear_noted(&g->defer[i]);
        memset(&g->want[i], 0, IR_CLEARED_OPS);
    }
}

void gen_begin(Gen *g)
{
    unsigned n = g->ir->nops;

    memcpy(g->last, g->notes->last_use, n * sizeof(g->last[0]));
    memset(g->loc, 0, n * sizeof(g->loc[0]));
    keep_checks(g);
}
