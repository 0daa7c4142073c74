/* SPDX-License-Identifier: MIT */
/*
 * Block entry, exits, traps and helper calls, and the cold stubs behind the block. Every stub that
 * leaves for C is a call of a shared thunk followed by what the thunk's C side needs to know, so
 * that its return address says which stub it was.
 */
#include "tcg/aarch64/gen.h"

#define CUR ((IrRef)g->cur)

Stub *new_stub(Gen *g, StubKind kind, uint8_t *from)
{
    Stub *s;

    if (G_UNLIKELY(g->nstubs == g->stubs_size)) {
        g->stubs_size = MAX(64, g->stubs_size * 2);
        g->stubs = g_renew(Stub, g->stubs, g->stubs_size);
    }
    s = &g->stubs[g->nstubs++];
    memset(s, 0, sizeof(*s));
    s->kind = (uint8_t)kind;
    s->from[0] = from;
    return s;
}

Stub *cond_stub(Gen *g, StubKind kind, Cond c)
{
    bool tested = c.kind == IF_BIT || c.kind == IF_NO_BIT;

    if (tested && g->no_tbz) {
        c = (Cond){ .kind = IF_FLAGS, .cc = cond_to_flags(g, c) };
        tested = false;
    }
    switch (c.kind) {
    case IF_NEVER: return NULL;
    case IF_ALWAYS: return new_stub(g, kind, a_b_later(&g->a));
    case IF_FLAGS: return new_stub(g, kind, a_bcond(&g->a, c.cc));
    case IF_ZERO:
    case IF_NONZERO: return new_stub(g, kind, a_cbz(&g->a, c.kind == IF_NONZERO, c.w, c.reg));
    default: return new_stub(g, kind, a_tbz(&g->a, c.kind == IF_BIT, c.reg, c.bit));
    }
}

/* Distance from here back to the block's header, for the C side of exits. */
static void put_site(Gen *g)
{
    a_word(&g->a, (uint32_t)(g->a.p - g->a.start));
}

/* -- Entry ------------------------------------------------------------------------------------ */

static void to_vbase(Asm *a, const TcgLayout *l, uint32_t start) /* X16 = guest pc */
{
    a_add_imm(a, 8, X16, X16, -(int64_t)start, X17);
    env_store(a, 8, X16, l->vbase);
}

/* The getflags that the block's first condition, at its very start, is about. */
static IrRef flags_wanted_first(const Gen *g)
{
    for (const IrActing *at = g->notes->live; at->op; at++) {
        const IrOp *op = &g->ops[at->op];
        if (op->op == OP_fl_test) {
            return g->ops[op->a].op == OP_getflags ? op->a : IR_NONE;
        }
        if (!ir_is_plain_state(op) || op->op == OP_set) {
            break;
        }
    }
    return IR_NONE;
}

/* Who finds the budget used up, or the block retired, leaves by the call in front of the entry. */
void emit_prologue(Gen *g)
{
    const TcgLayout *l = g->be->layout;
    uint64_t code = (uintptr_t)g->code;
    uint8_t *out;
    IrRef fl;

    a_word(&g->a, (uint32_t)code);
    a_word(&g->a, (uint32_t)(code >> 32));
    a_word(&g->a, g->ir->start);
    a_word(&g->a, 0);
    g->code->start = a_pc(&g->a);
    a_bl(&g->a, g->be->exit_budget);
    if (g->ir->by_jump) {
        g->code->far_entry = a_pc(&g->a);
        to_vbase(&g->a, l, g->ir->start);
    }
    g->code->near_entry = a_pc(&g->a);
    fl = flags_wanted_first(g);
    if (fl && redo_entry_flags(g, fl)) {
        note_live_entry(g, fl);
    }
    a_arith_imm(&g->a, A_SUB, 4, BUDGET, BUDGET, g->ir->ninsns & 0xfff);
    if (g->ir->ninsns > 0xfff) {
        a_arith_imm(&g->a, A_SUB, 4, BUDGET, BUDGET, g->ir->ninsns & ~0xfffu);
    }
    out = a_tbz(&g->a, true, BUDGET, 31);
    if (!g->a.full) {
        a_patch(out, (uint8_t *)(uintptr_t)g->code->start - g->a.rx);
    }
    if (!g->code->body) {
        g->code->body = (uint8_t)(a_pc(&g->a) - g->code->start);
    }
}

void emit_far_entry(Asm *a, const A64Backend *be, const TcgCode *code)
{
    const CodeHeader *h = (const CodeHeader *)(code->start - sizeof(CodeHeader));

    to_vbase(a, be->layout, h->start);
    a_b(a, code->near_entry);
}

/* -- Links ------------------------------------------------------------------------------------ */

static int32_t not_executed(const Gen *g, unsigned executed)
{
    return (int32_t)g->ir->ninsns - (int32_t)executed;
}

static void give_back(Gen *g, int32_t n)
{
    if (n) {
        a_add_imm(&g->a, 4, BUDGET, BUDGET, n, X17);
    }
}

/* Leaves, until it is linked: linking makes a jump of the call. */
static void link_site(Gen *g, unsigned link)
{
    g->code->link[link].stub = (uint32_t)(a_pc(&g->a) - g->code->start);
    a_bl(&g->a, g->be->exit_link);
    put_site(g);
}

static void link_slot(Gen *g, unsigned link)
{
    g->code->link[link].offset = g->op->imm;
    g->code->link[link].to = NULL;
    g->code->link[link].patch = g->code->link[link].flush = g->code->link[link].first = 0;
    g->code->link[link].holds = false;
}

void emit_goto(Gen *g)
{
    FaultPoint p;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    p = fault_point(g);
    link_slot(g, g->op->d);
    if (p.record) {
        note_flush(g, g->op->d, p, 0);
        g->code->link[g->op->d].holds = nz_hold(g, g->notes->flags_at[g->cur]);
        write_record(g, &g->faults.records[p.record]);
    }
    link_site(g, g->op->d);
}

void emit_goto_if(Gen *g)
{
    FaultPoint p;
    Cond c;
    Stub *s;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    c = cond_of(g, g->op->a);
    p = fault_point(g);
    link_slot(g, g->op->d);
    s = cond_stub(g, STUB_LINK, c); /* may change NZCV */
    if (!s) {                       /* the slot stays, nobody takes it */
        s = new_stub(g, STUB_LINK, NULL);
    }
    s->link = (uint8_t)g->op->d;
    s->point = p;
    s->giveback = not_executed(g, insn_index(g) + 1);
    s->flush = s->giveback || p.record;
    g->code->link[s->link].holds = p.record && nz_hold(g, g->notes->flags_at[g->cur]);
}

void emit_jump(Gen *g)
{
    const TcgLayout *l = g->be->layout;
    Record r;
    Stub *s;
    int pc;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    pc = use_gpr_z(g, g->op->a);
    lock(g, pc);
    record_of(g, g->notes->flags_at[g->cur], &r);
    write_record(g, &r);
    /* the block ends: all temporaries are free */
    a_mov(&g->a, 8, X16, pc);
    env_load(&g->a, 8, X17, l->jc_key);
    a_alu_sh(&g->a, A_ADD, 8, LR, X16, X16, A_LSL, 3);
    a_alu(&g->a, A_EOR, 8, X17, X17, LR);
    a_logic_imm(&g->a, A_AND, 8, X17, X17, TCG_JC_MASK);
    a_alu(&g->a, A_ADD, 8, X17, X17, TLB);
    a_add_imm(&g->a, 8, X17, X17, l->jc - l->tlb, LR);
    a_ldp(&g->a, true, 0, 1, X17, 0);
    a_alu(&g->a, A_EOR, 8, 0, 0, X16);
    s = cond_stub(g, STUB_JUMP, (Cond){ .kind = IF_NONZERO, .reg = 0, .w = 8 });
    s->code = g->op->imm;
    a_br(&g->a, 1);
}

/* -- Leaving ---------------------------------------------------------------------------------- */

void emit_exit(Gen *g)
{
    Record r;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    record_of(g, g->notes->flags_at[g->cur], &r);
    write_record(g, &r);
    give_back(g, not_executed(g, insn_index(g) + 1));
    a_bl(&g->a, g->be->exit_end);
    a_word(&g->a, g->op->imm);
}

void emit_exit_if(Gen *g)
{
    FaultPoint p;
    Cond c;
    Stub *s;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    c = cond_of(g, g->op->a);
    p = fault_point(g);
    s = cond_stub(g, STUB_EXIT_IF, c);
    if (s) {
        s->point = p;
        s->code = g->op->imm;
        s->giveback = not_executed(g, insn_index(g));
    }
}

void emit_trap(Gen *g)
{
    FaultPoint p;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    p = fault_point(g);
    a_bl(&g->a, g->be->trap);
    point_here(g, p);
    put_site(g);
    a_word(&g->a, g->op->imm);
}

void emit_trap_if(Gen *g)
{
    FaultPoint p;
    Cond c;
    Stub *s;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    c = cond_of(g, g->op->a);
    p = fault_point(g);
    s = cond_stub(g, STUB_TRAP, c);
    if (s) {
        s->point = p;
        s->code = g->op->imm;
    }
}

/* -- Helpers ---------------------------------------------------------------------------------- */

void store_argument(Gen *g, unsigned i, IrRef v)
{
    int32_t off = scr(g, SCR_ARG + 16 * (int32_t)i);
    int r;

    if (type_of(g, v) == V128) {
        r = use_vec(g, v);
        env_store(&g->a, 16, r, off);
    } else {
        r = use_gpr_z(g, v);
        env_store(&g->a, 8, r, off);
    }
    unlock(g, r);
}

void call_result(Gen *g, IrType t)
{
    int32_t ret = scr(g, SCR_RET);
    int r;

    if (t == V128) {
        r = pick_vec(g, 0);
        env_load(&g->a, 16, r, ret);
    } else {
        r = pick_gpr(g, 0);
        env_load(&g->a, ir_type_info[t].bytes, r, ret);
    }
    def_reg(g, CUR, r, t == I32);
}

void write_bundle(Gen *g, IrRef fl)
{
    Record r;

    record_of(g, fl, &r);
    write_record(g, &r);
}

uint32_t call_changes(const Gen *g)
{
    return 0;
}

void call_helper(Gen *g)
{
    a_bl(&g->a, g->be->helper_thunk[g->op->imm]);
    a_flags_changed(&g->a);
}

/* -- Stubs ------------------------------------------------------------------------------------ */

static void stub_mem(Gen *g, Stub *s)
{
    size_t size = s->site.bits & SITE_GROUP ? sizeof(MemSite) : MEM_SITE_SHORT;

    a_bl(&g->a, g->be->mem);
    point_here(g, s->point);
    s->site.back = (uint32_t)(g->a.p - s->retry);
    s->site.length = (uint16_t)((s->done - s->retry) / 4);
    for (size_t i = 0; i < size; i += 4) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)&s->site + i, 4);
        a_word(&g->a, word);
    }
}

static void stub_link(Gen *g, Stub *s)
{
    if (s->flush) {
        note_flush(g, s->link, s->point, s->giveback);
        give_back(g, s->giveback);
        write_record(g, &g->faults.records[s->point.record]);
    }
    if (s->from[0]) {
        g->code->link[s->link].patch = (uint32_t)(s->from[0] + g->a.rx - g->code->start);
    }
    link_site(g, s->link);
}

static void stub_trap(Gen *g, Stub *s)
{
    a_bl(&g->a, g->be->trap);
    point_here(g, s->point);
    put_site(g);
    a_word(&g->a, s->code);
}

static void stub_exit_if(Gen *g, Stub *s)
{
    give_back(g, s->giveback);
    a_bl(&g->a, g->be->exit_reason);
    point_here(g, s->point);
    put_site(g);
    a_word(&g->a, s->code);
}

static void stub_jump(Gen *g, Stub *s)
{
    if (!s->code) {
        a_b(&g->a, g->be->exit_lookup);
        return;
    }
    a_bl(&g->a, g->be->exit_jump);
    a_word(&g->a, insn_offset(g)); /* it ends the block */
    a_word(&g->a, s->code);
}

static void stub_divide(Gen *g, Stub *s)
{
    int32_t arg = scr(g, SCR_ARG);
    uint8_t *good;

    env_store(&g->a, 8, s->site.addr, arg);
    env_store(&g->a, 8, s->site.value, arg + 8);
    env_store(&g->a, 8, s->site.compare, arg + 16);
    a_mov_imm(&g->a, X16, s->site.bits);
    env_store(&g->a, 8, X16, arg + 24);
    a_bl(&g->a, g->be->divide);
    env_load(&g->a, 4, X16, scr(g, SCR_FAILED));
    good = a_cbz(&g->a, false, 4, X16);
    stub_trap(g, s);
    a_here(&g->a, good);
    env_load(&g->a, 8, s->result[0], scr(g, SCR_RET));
    env_load(&g->a, 8, s->result[1], scr(g, SCR_RET + 8));
    a_b(&g->a, s->done + g->a.rx);
}

static void stub_flags(Gen *g, Stub *s)
{
    a_bl(&g->a, g->be->flags_env);
    a_b(&g->a, s->done + g->a.rx);
}

static void stub_soft(Gen *g, Stub *s)
{
    emit_stub_soft(g, s);
}

void emit_stubs(Gen *g)
{
    static void (*const emit[])(Gen *, Stub *) = {
        [STUB_MEM] = stub_mem,         [STUB_LINK] = stub_link,     [STUB_TRAP] = stub_trap,
        [STUB_EXIT_IF] = stub_exit_if, [STUB_DIVIDE] = stub_divide, [STUB_JUMP] = stub_jump,
        [STUB_SOFT] = stub_soft,       [STUB_FLAGS] = stub_flags,
    };

    for (unsigned i = 0; i < g->nstubs && !g->a.full; i++) {
        Stub *s = &g->stubs[i];
        for (unsigned k = 0; k < 2; k++) {
            if (s->from[k] && !a_patch(s->from[k], g->a.p)) {
                g->too_far = true;
                return;
            }
        }
        emit[s->kind](g, s);
    }
}
