/* SPDX-License-Identifier: MIT */
/*
 * Block entry, exits, traps and helper calls, and the cold stubs behind the block. Every stub that
 * leaves for C is a call of a shared thunk followed by what the thunk's C side needs to know, so
 * that its return address says which stub it was.
 */
#include "tcg/x86_64/gen.h"

#include <string.h>

#define CUR ((IrRef)g->cur)

Stub *new_stub(Gen *g, StubKind kind, uint8_t *from)
{
    unsigned *latest = &g->latest_stub[kind != STUB_MEM];
    Stub *s;

    if (G_UNLIKELY(g->nstubs == g->stubs_size)) {
        g->stubs_size = MAX(64, g->stubs_size * 2);
        g->stubs = g_renew(Stub, g->stubs, g->stubs_size);
    }
    s = &g->stubs[g->nstubs++];
    s->kind = (uint8_t)kind;
    s->flush = s->loop = s->near = s->rest = false;
    s->giveback = 0;
    s->nlate = 0;
    s->checked = NULL;
    s->from = from;
    s->before = *latest;
    *latest = g->nstubs;
    return s;
}

Stub *jcc_stub(Gen *g, StubKind kind, unsigned cc, unsigned own)
{
    Rest rest = g->rest[g->cur];
    unsigned stubs = kind == STUB_MEM ? 0
                                      : rest.stubs + g->nmem_stubs * MEM_STUB_BYTES +
                                            g->nstack_stubs * STACK_STUB_BYTES;
    bool near = !g->no_near && rest.bytes + own + stubs <= NEAR_STUB;
    Stub *s = new_stub(g, kind, near ? x_jcc8(&g->a, cc) : x_jcc32(&g->a, cc));

    s->near = near;
    g->nmem_stubs += kind == STUB_MEM;
    return s;
}

void trap_stub(Gen *g, unsigned cc, uint32_t code)
{
    FaultPoint p = fault_point(g);
    Stub *s = jcc_stub(g, STUB_TRAP, cc, 20);

    s->point = p;
    s->code = code;
}

/* Distance from here back to the block's header, for the C side of exits. */
static void put_site(Gen *g)
{
    x_dword(&g->a, (uint32_t)(g->a.p - g->a.start));
}

/* … and why it leaves. */
static void put_reason(Gen *g, uint32_t reason)
{
    put_number(&g->a, (uint32_t)(g->a.p - g->a.start));
    put_number(&g->a, reason);
}

/* -- Entry ------------------------------------------------------------------------------------ */

static void to_vbase(Asm *a, const TcgLayout *l, uint32_t start) /* PC_REG = guest pc */
{
    if (start) {
        x_alu_imm(a, ALU_SUB, 8, PC_REG, (int32_t)start);
    }
    x_store(a, 8, env_mem(env_off(l->vbase)), PC_REG);
}

/* What link slots keep of a place in this block. */
static uint32_t from_start(const Gen *g, const uint8_t *p)
{
    return (uint32_t)(p + g->a.rx - g->code->start);
}

/* Who finds the budget used up, or the block retired, leaves by the call in front of the entry. */
void emit_prologue(Gen *g)
{
    const TcgLayout *l = g->be->layout;
    const CodeHeader h = { .code = g->code, .start = g->ir->start };

    x_room(&g->a, 64);
    memcpy(g->a.p, &h, sizeof(h));
    g->a.p += sizeof(h);
    g->code->start = x_pc(&g->a);
    call_own(&g->a, g->be, CALL_BUDGET);
    if (g->ir->by_jump) {
        g->code->far_entry = x_pc(&g->a);
        to_vbase(&g->a, l, g->ir->start);
    }
    g->code->near_entry = x_pc(&g->a);
    x_budget(&g->a, ALU_SUB, (int32_t)g->ir->ninsns);
    x_jcc(&g->a, CC_L, g->code->start);
    g->body = g->a.p;
    g->code->body = (uint8_t)from_start(g, g->a.p);
    g->code->looks = (uint8_t)g->notes->look;
    g->code->passages = 0;
}

void emit_far_entry(Asm *a, const X86Backend *be, const TcgCode *code)
{
    const CodeHeader *h = (const CodeHeader *)(code->start - sizeof(CodeHeader));

    to_vbase(a, be->layout, h->start);
    x_jmp(a, code->near_entry);
}

/* -- Links ------------------------------------------------------------------------------------ */

static int32_t not_executed(const Gen *g, unsigned executed)
{
    return (int32_t)g->ir->ninsns - (int32_t)executed;
}

static void give_back(Gen *g, int32_t n)
{
    if (n) {
        x_budget(&g->a, ALU_ADD, n);
    }
}

/* Leaves, until it is linked: five bytes or more that linking overwrites by a jump. */
static void link_site(Gen *g, unsigned link)
{
    uint32_t back;

    const uint8_t *from = g->a.p;

    g->code->link[link].stub = from_start(g, g->a.p);
    call_own(&g->a, g->be, CALL_LINK);
    back = (uint32_t)(g->a.p - g->a.start);
    memcpy(g->a.p, &(uint16_t){ (uint16_t)MIN(back, UINT16_MAX) }, 2);
    g->a.p += 2;
    if (back >= UINT16_MAX) {
        x_dword(&g->a, back + 2);
    }
    census_since(g, CENSUS_SITES, from);
}

static void link_slot(Gen *g, unsigned link, uint32_t offset)
{
    g->code->link[link].offset = offset;
    g->code->link[link].to = NULL;
    g->code->link[link].patch = 0;
    g->code->link[link].loop = g->code->link[link].passage = 0;
    g->code->link[link].giveback = g->code->link[link].room = 0;
}

/* What is to be done before a link that others' blocks may follow, and its site. A record is
 * something that a passage may lie over. */
static void flush_and_link(Gen *g, unsigned link, const Record *r, int32_t giveback)
{
    const uint8_t *from = g->a.p;

    g->code->link[link].flush = from_start(g, g->a.p);
    write_record(g, r, 0);
    give_back(g, giveback);
    g->code->link[link].giveback = (uint16_t)giveback;
    link_site(g, link);
    if (!record_is_env(r)) {
        while (!g->a.full && g->a.p - from < PASSAGE_BYTES) {
            x_byte(&g->a, 0xcc); /* INT3 */
        }
        g->code->link[link].room = (uint8_t)MIN(g->a.p - from, (int)sizeof(((Passage *)0)->bytes));
    }
}

/* What is there because a check for several accesses failed is left for the block that it stands in
 * for. */
static bool is_loop(const Gen *g)
{
    return g->op->imm == g->ir->start && !g->ir->no_groups;
}

void rest_link(Gen *g, Stub *s)
{
    if (!g->ir->parted || g->code->nlinks == IR_MAX_LINKS) {
        return;
    }
    s->rest = true;
    s->link = (uint8_t)g->code->nlinks++;
    s->giveback = not_executed(g, insn_index(g));
    link_slot(g, s->link, insn_offset(g));
}

void emit_goto(Gen *g)
{
    Record r;
    Stub *s;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    record_of(g, g->notes->flags_at[g->cur], &r);
    link_slot(g, g->op->d, g->op->imm);
    if (!is_loop(g)) {
        flush_and_link(g, g->op->d, &r, 0);
        return;
    }
    s = new_stub(g, STUB_LINK, x_jmp32(&g->a));
    s->link = (uint8_t)g->op->d;
    s->loop = s->flush = true;
    s->point.record = (uint16_t)fault_notes_record(&g->faults, &r);
}

/* Pins that the record of @fl has values in, which are too early for its stub. */
static void settle_operands(Gen *g, IrRef fl)
{
    Record r;

    record_of(g, fl, &r);
    for (unsigned left = r.has; left; left &= left - 1) {
        const Src *s = &r.src[__builtin_ctz(left)];
        if (s->kind == SRC_REG && g->late >> s->reg & 1) {
            settle_late(g, s->reg);
        }
    }
}

static void late_to_stub(const Gen *g, Stub *s)
{
    for (uint32_t m = g->late; m; m &= m - 1) {
        int pin = __builtin_ctz(m);
        s->late[s->nlate].pin = (int8_t)pin;
        s->late[s->nlate++].by = g->late_by[pin];
    }
}

static void add_late(Gen *g, const Stub *s)
{
    for (unsigned i = 0; i < s->nlate; i++) {
        X86Reg r = (X86Reg)s->late[i].pin;
        x_lea(&g->a, 8, r, mem_base(r, s->late[i].by));
    }
}

void emit_goto_if(Gen *g)
{
    int32_t giveback;
    bool flush;
    unsigned cc;
    Record r;
    Stub *s;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    if (g->late) {
        settle_operands(g, g->notes->flags_at[g->cur]);
    }
    cc = cond_of(g, g->op->a);
    record_of(g, g->notes->flags_at[g->cur], &r);
    giveback = not_executed(g, insn_index(g) + 1);
    flush = is_loop(g) || giveback || g->late || !record_is_env(&r);
    if (flush && !is_loop(g)) { /* others' jumps are linked themselves */
        s = jcc_stub(g, STUB_LINK, cc, 0);
    } else {
        s = new_stub(g, STUB_LINK, x_jcc32(&g->a, cc));
    }
    s->link = (uint8_t)g->op->d;
    s->point.record = (uint16_t)fault_notes_record(&g->faults, &r);
    s->giveback = giveback;
    s->loop = is_loop(g);
    s->flush = flush;
    late_to_stub(g, s);
    link_slot(g, s->link, g->op->imm);
}

void make_templates(X86Backend *be)
{
    uint8_t code[2 * sizeof(be->find_jump.bytes)];
    Asm a = { .p = code, .start = code, .end = code + sizeof(code) };
    int32_t jc = env_off(be->layout->jc);

    x_lea(&a, 4, PLACE_REG, mem_index(PC_REG, PC_REG, 3, 0)); /* 9 times */
    x_alu_rm(&a, ALU_XOR, 4, PLACE_REG, env_mem(env_off(be->layout->jc_key)));
    x_alu_rm(&a, ALU_AND, 4, PLACE_REG, mask_slot(be, MASK_JC));
    x_alu_rm(&a, ALU_CMP, 8, PC_REG,
             mem_index(RBP, PLACE_REG, 0, jc + (int32_t)offsetof(JumpEntry, tag)));
    be->find_jump.size = (uint8_t)(a.p - code);
    g_assert(!a.full && be->find_jump.size <= sizeof(be->find_jump.bytes));
    memcpy(be->find_jump.bytes, code, sizeof(be->find_jump.bytes));
}

void emit_jump(Gen *g)
{
    const TcgLayout *l = g->be->layout;
    int32_t jc = env_off(l->jc);
    Record r;
    Stub *s;
    int pc;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    pc = use_gpr(g, g->op->a);
    record_of(g, g->notes->flags_at[g->cur], &r);
    write_record(g, &r, 1u << pc);
    if (pc != PC_REG) {
        x_mov(&g->a, 8, PC_REG, (X86Reg)pc);
    }
    put_template(&g->a, &g->be->find_jump);
    x_flags_changed(&g->a);
    if (g->op->imm) {
        s = jcc_stub(g, STUB_JUMP, CC_NZ, 8);
        s->code = g->op->imm;
        s->point.guest = insn_offset(g);
    } else {
        x_jcc(&g->a, CC_NZ, g->be->exit_lookup);
    }
    x_jmp_mem(&g->a, mem_index(RBP, PLACE_REG, 0, jc + (int32_t)offsetof(JumpEntry, host)));
}

/* -- Leaving ---------------------------------------------------------------------------------- */

void emit_exit(Gen *g)
{
    Record r;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    record_of(g, g->notes->flags_at[g->cur], &r);
    write_record(g, &r, 0);
    give_back(g, not_executed(g, insn_index(g) + 1));
    x_call(&g->a, g->be->exit_end);
    x_dword(&g->a, g->op->imm);
}

/* The stub of the exit before this one, if it would be the same. Its jump is as good a target, as
 * it is taken, too. */
static Stub *same_exit(Gen *g, unsigned cc, const FaultPoint *p)
{
    Stub *s = g->nstubs ? &g->stubs[g->nstubs - 1] : NULL;

    return s && s->kind == STUB_EXIT_IF && s->cc == cc && s->code == g->op->imm &&
                   s->point.index == p->index && s->point.guest == p->guest &&
                   s->point.record == p->record && g->a.p - s->retry < 120
               ? s
               : NULL;
}

void emit_exit_if(Gen *g)
{
    unsigned cc;
    uint8_t *jcc;
    FaultPoint p;
    Stub *s;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    cc = cond_of(g, g->op->a);
    p = fault_point(g);
    jcc = g->a.p;
    s = same_exit(g, cc, &p);
    if (s) {
        x_jcc(&g->a, cc, s->retry + g->a.rx);
    } else {
        s = jcc_stub(g, STUB_EXIT_IF, cc, 0);
        s->point = p;
        s->code = g->op->imm;
        s->cc = (uint8_t)cc;
        s->giveback = not_executed(g, insn_index(g));
    }
    s->retry = jcc;
}

void emit_trap(Gen *g)
{
    FaultPoint p;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    p = fault_point(g);
    x_call(&g->a, g->be->trap);
    point_here(g, p);
    put_reason(g, g->op->imm);
}

void emit_trap_if(Gen *g)
{
    unsigned cc;

    rest_bundle(g, g->notes->flags_at[g->cur]);
    cc = cond_of(g, g->op->a);
    trap_stub(g, cc, g->op->imm);
}

/* -- Helpers ---------------------------------------------------------------------------------- */

/* Of the current op. */
static bool is_block_move(const Gen *g)
{
    return g->be->config.helpers[g->op->imm].block_move &&
           call_target(g->be, g->ir, g->op) != g->be->helper_thunk[g->op->imm];
}

uint32_t call_changes(const Gen *g)
{
    return is_block_move(g) ? GPR_TEMPS : 0;
}

void store_argument(Gen *g, unsigned i, IrRef v)
{
    int32_t off = scr(g, SCR_ARG + 16 * (int32_t)i), imm;

    if (is_block_move(g)) {
        return; /* the thunk knows */
    }
    if (g->ops[v].type == V128) {
        int r = use_xmm(g, v);
        x_rm(&g->a, X_MOVUPS_ST, 4, (X86Reg)(r - 16), env_mem(off));
        unlock(g, r);
    } else if (fits_imm(g, v, &imm)) {
        x_store_imm(&g->a, 8, env_mem(off), imm);
    } else {
        int r = use_gpr(g, v);
        x_store(&g->a, 8, env_mem(off), (X86Reg)r);
        unlock(g, r);
    }
}

void call_result(Gen *g, IrType t)
{
    Mem ret = env_mem(scr(g, SCR_RET));
    int r;

    if (t == V128) {
        r = pick_xmm(g, NO_REG, 0);
        x_rm(&g->a, X_MOVUPS, 4, (X86Reg)(r - 16), ret);
        def_reg(g, CUR, r, false);
    } else {
        r = pick_gpr(g, NO_REG, 0);
        x_load(&g->a, ir_type_info[t].bytes, (X86Reg)r, ret);
        def_reg(g, CUR, r, t == I32);
    }
}

void write_bundle(Gen *g, IrRef fl)
{
    int t = alloc_gpr(g); /* to move memory with */
    Record r;

    record_of(g, fl, &r);
    write_record(g, &r, GPR_TEMPS & ~(1u << t));
}

void call_helper(Gen *g)
{
    x_call(&g->a, call_target(g->be, g->ir, g->op));
    x_flags_changed(&g->a);
    if (g->be->config.helpers[g->op->imm].flags & HELPER_WRITES_REGS) {
        g->upper_marked = false; /* the thunk has looked */
    }
}

/* -- Stubs ------------------------------------------------------------------------------------ */

/* What is t1 >> 12 behind the check is the page that the group ends in. Leaves if it begins in
 * another. */
static void stub_rest(Gen *g, const Stub *s)
{
    X86Reg first = (X86Reg)s->result[0];
    uint8_t *j;

    if (s->checked) {
        x_lea(&g->a, 8, (X86Reg)s->result[1],
              mem_base((X86Reg)s->shape.addr, s->shape.disp - s->shape.below + s->shape.span - 1));
        x_shift_imm(&g->a, SH_SHR, 8, (X86Reg)s->result[1], 12);
    }
    x_lea(&g->a, 8, first, mem_base((X86Reg)s->shape.addr, s->shape.disp - s->shape.below));
    x_shift_imm(&g->a, SH_SHR, 8, first, 12);
    x_alu(&g->a, ALU_CMP, 8, first, (X86Reg)s->result[1]);
    j = x_jcc32(&g->a, CC_Z);
    give_back(g, s->giveback);
    write_record(g, &g->faults.records[s->point.record], 0);
    link_site(g, s->link);
    x_here(&g->a, j);
}

/* Not in the stack page: the TLB is probed as elsewhere, but by a thunk. */
static void stub_stack(Gen *g, const Stub *s)
{
    unsigned t0 = (unsigned)s->result[0], t1 = (unsigned)s->result[1];
    const MemShape *d = &s->shape;

    x_lea(&g->a, 8, (X86Reg)t0, mem_base((X86Reg)t1, (d->is_group ? d->span : d->size) - 1));
    x_call(&g->a, g->be->stack_probe[d->flags & MEM_MMU_MASK][d->is_write][t0 - R12][t1 - R12]);
    x_jcc(&g->a, CC_Z, s->checked + g->a.rx);
}

static void stub_mem(Gen *g, Stub *s)
{
    if (s->checked) {
        stub_stack(g, s);
    }
    if (s->rest) {
        stub_rest(g, s);
    }
    call_own(&g->a, g->be, CALL_MEM);
    point_here(g, s->point);
    put_mem_site(g, s);
}

/* A link of the block to itself goes past the prologue: budget is taken once, and the flags record
 * is written only if the block looks at it or is left here. */
static void stub_loop(Gen *g, Stub *s, uint8_t *stub)
{
    bool sees = g->code->looks != ENTRY_BLIND;

    g->code->link[s->link].loop = from_start(g, g->a.p);
    g->code->link[s->link].loop_patch = from_start(g, s->from);
    g->code->link[s->link].loop_stub = from_start(g, stub);
    add_late(g, s);
    if (sees) {
        write_record(g, &g->faults.records[s->point.record], 0);
    }
    x_budget(&g->a, ALU_SUB, (int32_t)g->ir->ninsns - s->giveback);
    x_jcc(&g->a, CC_NL, g->body + g->a.rx);
    if (!sees) {
        write_record(g, &g->faults.records[s->point.record], 0);
    }
    x_call(&g->a, g->be->exit_loop);
    put_site(g);
}

static void stub_link(Gen *g, Stub *s)
{
    uint8_t *stub = g->a.p;

    add_late(g, s);
    if (s->flush) {
        flush_and_link(g, s->link, &g->faults.records[s->point.record], s->giveback);
    } else {
        g->code->link[s->link].patch = from_start(g, s->from);
        link_site(g, s->link);
    }
    if (s->loop) {
        stub_loop(g, s, stub);
    }
}

static void stub_trap(Gen *g, Stub *s)
{
    x_call(&g->a, g->be->trap);
    point_here(g, s->point);
    put_reason(g, s->code);
}

static void stub_exit_if(Gen *g, Stub *s)
{
    give_back(g, s->giveback);
    x_call(&g->a, g->be->exit_reason);
    point_here(g, s->point);
    put_reason(g, s->code);
}

static void stub_jump(Gen *g, Stub *s)
{
    x_call(&g->a, g->be->exit_jump);
    x_dword(&g->a, s->point.guest);
    x_dword(&g->a, s->code);
}

/* SCR_TMP: not 0 if the division overflows; results in SCR_RET. */
static void stub_divs(Gen *g, Stub *s)
{
    uint8_t *j;

    x_here(&g->a, s->retry); /* the second way in */
    x_call(&g->a, g->be->divs128);
    x_alu_mi(&g->a, ALU_CMP, 4, env_mem(scr(g, SCR_TMP)), 0);
    j = x_jcc8(&g->a, CC_NZ);
    x_load(&g->a, 8, (X86Reg)s->result[0], env_mem(scr(g, SCR_RET)));
    x_load(&g->a, 8, (X86Reg)s->result[1], env_mem(scr(g, SCR_RET + 8)));
    x_jmp(&g->a, s->done + g->a.rx);
    x_here8(&g->a, j);
    stub_trap(g, s);
}

static void stub_flags(Gen *g, Stub *s)
{
    x_call(&g->a, g->be->flags_env);
    x_jmp(&g->a, s->done + g->a.rx);
}

static void emit_stub(Gen *g, Stub *s)
{
    const uint8_t *from = g->a.p;

    if (!s->near) {
        x_here(&g->a, s->from);
    } else if (g->a.p - s->from <= INT8_MAX) {
        x_here8(&g->a, s->from);
    } else {
        g->too_far = true;
        return;
    }
    switch ((StubKind)s->kind) {
    case STUB_MEM: stub_mem(g, s); break;
    case STUB_LINK: stub_link(g, s); break;
    case STUB_TRAP: stub_trap(g, s); break;
    case STUB_EXIT_IF: stub_exit_if(g, s); break;
    case STUB_DIVS: stub_divs(g, s); break;
    case STUB_FLAGS: stub_flags(g, s); break;
    case STUB_JUMP: stub_jump(g, s); break;
    case STUB_KINDS: break;
    }
    census_since(g, CENSUS_STUB + s->kind, from);
}

/* Memory's first, which are short, and the last first: as many as can be are near to the jumps that
 * lead to them. */
void emit_stubs(Gen *g)
{
    memset(g->pin_value, 0, sizeof(g->pin_value));
    for (unsigned others = 0; others < 2; others++) {
        for (unsigned i = g->latest_stub[others]; i && !g->a.full && !g->too_far;) {
            Stub *s = &g->stubs[i - 1];
            emit_stub(g, s);
            i = s->before;
        }
    }
}
