/* SPDX-License-Identifier: MIT */
/* Helper calls: what has to be out of the helper's way, and what it wants to find. */
#include TCG_NATIVE_GEN

static void spill_temps(Gen *g, uint64_t set)
{
    for (uint64_t m = set; m; m &= m - 1) {
        spill_reg(g, __builtin_ctzll(m));
    }
}

/* Slots and vector temporaries that a helper may change. */
static void clear_way(Gen *g, unsigned flags)
{
    if (!(flags & HELPER_PURE)) {
        evict_all_env(g, true);
    }
    if (!(flags & HELPER_NOVEC)) {
        spill_temps(g, VEC_TEMPS);
    }
    g->locked = 0;
}

/* Pins that a helper may change: also what the fault map means to find there. */
static void clear_pins(Gen *g, unsigned flags)
{
    if (!(flags & HELPER_WRITES_REGS)) {
        return;
    }
    for (int r = 0; r < NREGS; r++) {
        if (g->be->reg_home[r] != NO_HOME && !is_temp(r)) {
            evict_used(g, r);
        }
    }
    spill_temps(g, VEC_TEMPS); /* they may have moved there */
}

void emit_call(Gen *g)
{
    const TcgHelper *h = &g->be->config.helpers[g->op->imm];
    IrRef fl = g->notes->flags_at[g->cur];
    bool faults = h->flags & (HELPER_FAULTS | HELPER_NORETURN);
    bool reads = h->flags & HELPER_READS_FLAGS;
    unsigned n = ir_operands(g->ir, g->op);
    FaultPoint p = { .guest = insn_offset(g), .index = (uint16_t)insn_index(g) };
    uint32_t lost;
    Record r;

    if (faults || reads) {
        rest_bundle(g, fl);
    }
    record_of(g, reads ? fl : IR_NONE, &r);
    if ((h->flags & HELPER_WRITES_FLAGS) || !record_is_env(&r)) {
        protect_getflags(g);
    }
    g->locked = 0;
    for (unsigned i = 0; i < n; i++) {
        store_argument(g, i, g->op->arg[i]);
    }
    clear_way(g, h->flags);
    lost = call_changes(g);
    spill_temps(g, lost);
    g->locked |= lost; /* pins do not move there */
    clear_pins(g, h->flags);
    g->locked = 0;
    if (reads) {
        write_bundle(g, fl);
    } else if (faults) {
        record_of(g, fl, &r);
        p.record = (uint16_t)fault_notes_record(&g->faults, &r);
    }
    call_helper(g);
    if (!(h->flags & HELPER_PURE)) {
        point_here(g, p);
    }
    if (h->ret != IR_VOID && g->last[g->cur]) {
        call_result(g, (IrType)h->ret);
    }
}
