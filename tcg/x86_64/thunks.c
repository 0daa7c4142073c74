/* SPDX-License-Identifier: MIT */
/*
 * The code that blocks share: entry and exit, the memory slow path, helper calls. Translated code
 * has RSP a multiple of 16; thunks are reached by CALL.
 *
 * Host control words while translated code runs: MXCSR and FCW are the guest's with all exceptions
 * masked. Sticky bits of MXCSR gather in the host's and are merged into env's before C code that
 * may look. C code runs with whatever sticky bits there are but with default rounding, precision
 * and denormal modes.
 */
#include "tcg/x86_64/thunk.h"

/* -- Entry and exit --------------------------------------------------------------------------- */

static const X86Reg callee_saved[] = { RBP, RBX, R12, R13, R14, R15 };

/* void enter(void *env, const void *entry); @temps: with what was in temporaries. */
static const uint8_t *make_enter(Thunk *t, bool temps)
{
    const uint8_t *at = x_pc(&t->a);

    for (unsigned i = 0; i < G_N_ELEMENTS(callee_saved); i++) {
        x_push(&t->a, callee_saved[i]);
    }
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    x_lea(&t->a, 8, RBP, mem_base(RDI, ENV_BIAS));
    x_mov(&t->a, 8, R13, RSI);
    load_modes(t);
    load_pins(t);
    if (temps) {
        x_store(&t->a, 8, scratch(t, SCR_TARGET), R13);
        restore_regs(t, ALL_GPRS);
        x_jmp_mem(&t->a, scratch(t, SCR_TARGET));
    } else {
        restore_regs(t, ALL_GPRS & ~GPR_TEMPS);
        x_jmp_reg(&t->a, R13);
    }
    return at;
}

static const uint8_t *make_leave(Thunk *t)
{
    const uint8_t *at = x_pc(&t->a);

    save_regs(t, ALL_GPRS | XMM_PINS);
    x_pop(&t->a, RAX);
    x_store(&t->a, 8, scratch(t, SCR_SITE), RAX);
    gather_mxcsr(t);
    c_modes(t);
    set_host_pc(t, false);
    vzeroupper(t);
    x_alu_imm(&t->a, ALU_ADD, 8, RSP, 8);
    for (unsigned i = G_N_ELEMENTS(callee_saved); i-- > 0;) {
        x_pop(&t->a, callee_saved[i]);
    }
    x_ret(&t->a);
    return at;
}

static const uint8_t *make_exit(Thunk *t, unsigned kind, const uint8_t *leave)
{
    const uint8_t *at = x_pc(&t->a);

    if (kind == TCG_EXIT_LOOKUP) { /* jumped to, pc in PC_REG, site in SITE_REG */
        x_store(&t->a, 8, field(t->be->layout->pc), PC_REG);
        x_push(&t->a, SITE_REG);
    }
    x_store_imm(&t->a, 4, scratch(t, SCR_KIND), (int32_t)kind);
    x_jmp(&t->a, leave);
    return at;
}

/* Jumped to, pc in PC_REG, site in SITE_REG, which calls preserve: the C side may know where to go
 * on. */
static const uint8_t *make_lookup(Thunk *t, const uint8_t *leave)
{
    const uint8_t *at = x_pc(&t->a);

    save_regs(t, CALLER_SAVED);
    x_lea(&t->a, 8, RDI, mem_base(RBP, -ENV_BIAS));
    x_mov(&t->a, 8, RSI, PC_REG);
    call_c(t, t->be->layout->jump_refill); /* general registers only */
    x_mov(&t->a, 8, PLACE_REG, RAX);
    restore_regs(t, CALLER_SAVED);
    x_test(&t->a, 8, PLACE_REG, PLACE_REG);
    x_jcc(&t->a, CC_Z, leave);
    x_jmp_reg(&t->a, PLACE_REG);
    return at;
}

/* The entries of @lookup: called, the site of the jump follows; jumped to, there is none. */
static const uint8_t *make_exit_jump(Thunk *t, const uint8_t *lookup)
{
    const uint8_t *at = x_pc(&t->a);

    x_pop(&t->a, SITE_REG);
    x_jmp(&t->a, lookup);
    return at;
}

static const uint8_t *make_exit_lookup(Thunk *t, const uint8_t *lookup)
{
    const uint8_t *at = x_pc(&t->a);

    x_alu(&t->a, ALU_XOR, 4, SITE_REG, SITE_REG);
    x_jmp(&t->a, lookup);
    return at;
}

static const uint8_t *make_trap(Thunk *t)
{
    const uint8_t *at = x_pc(&t->a);

    save_regs(t, ALL_GPRS | XMM_PINS);
    gather_mxcsr(t);
    c_modes(t);
    vzeroupper(t);
    x_load(&t->a, 8, RSI, mem_base(RSP, 0));
    x_lea(&t->a, 8, RDI, mem_base(RBP, -ENV_BIAS));
    x_mov_imm(&t->a, RDX, (uint64_t)(uintptr_t)t->be);
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    call_c(t, x64_trap);
    x_byte(&t->a, 0x0f); /* UD2: traps do not return */
    x_byte(&t->a, 0x0b);
    return at;
}

/* -- Memory ----------------------------------------------------------------------------------- */

static void mem_call(Thunk *t, const void *f)
{
    x_load(&t->a, 8, RSI, mem_base(RSP, 8)); /* the description */
    x_lea(&t->a, 8, RDI, mem_base(RBP, -ENV_BIAS));
    x_mov_imm(&t->a, RDX, (uint64_t)(uintptr_t)t->be);
    call_c(t, f);
}

static void go_on(Thunk *t, uint32_t set)
{
    x_alu_imm(&t->a, ALU_ADD, 8, RSP, 16);
    restore_regs(t, set);
    x_jmp_mem(&t->a, scratch(t, SCR_TARGET));
}

static const uint8_t *make_mem(Thunk *t)
{
    const uint8_t *at = x_pc(&t->a);
    uint8_t *j;

    save_regs(t, ALL_GPRS);
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    mem_call(t, x64_mem_refill); /* general registers only */
    x_test(&t->a, 8, RAX, RAX);
    j = x_jcc32(&t->a, CC_Z);
    x_store(&t->a, 8, scratch(t, SCR_TARGET), RAX);
    go_on(t, ALL_GPRS);
    x_here(&t->a, j);
    save_regs(t, XMM_PINS | XMM_TEMPS);
    gather_mxcsr(t);
    c_modes(t);
    vzeroupper(t);
    mem_call(t, x64_mem_slow);
    x_store(&t->a, 8, scratch(t, SCR_TARGET), RAX);
    guest_modes(t);
    go_on(t, ALL_GPRS | XMM_PINS | XMM_TEMPS);
    return at;
}

/* Beyond the stack page, for a check of what lies from @t1 + base to @t0 + base: ZF and @t0 an
 * addend, or neither. Now and then what was found becomes the stack page. */
enum { STACK_PATIENCE = 16 };

static void enter_stack_page(Thunk *t, unsigned mmu, X86Reg addend, X86Reg page)
{
    const X86Backend *be = t->be;

    x_store_imm(&t->a, 4, stack_page(be, mmu, offsetof(StackPage, patience)), STACK_PATIENCE);
    x_shift_imm(&t->a, SH_SHL, 8, page, 12);
    x_store(&t->a, 8, stack_page(be, mmu, offsetof(StackPage, head.base)), page);
    x_store(&t->a, 8, stack_page(be, mmu, offsetof(StackPage, head.addend)), addend);
    for (unsigned n = 0; n < TCG_STACK_SPANS; n++) {
        x_store_imm(&t->a, 8, stack_page(be, mmu, stack_limit(n)), 4096 - (8 << n) + 1);
    }
}

/* Flags, and the addend in @t0. */
static void probe_tlb(Thunk *t, TlbPlace tlb, X86Reg t0, X86Reg page)
{
    x_mov(&t->a, 4, t0, page);
    x_shift_imm(&t->a, SH_SHL, 4, t0, 12 - tlb.down);
    x_alu_imm(&t->a, ALU_AND, 4, t0, (int32_t)tlb.mask);
    x_alu_rm(&t->a, ALU_CMP, 8, page, mem_index(RBP, t0, 0, tlb.off));
    x_load(&t->a, 8, t0, mem_index(RBP, t0, 0, tlb.off + 8));
}

static const uint8_t *make_stack_probe(Thunk *t, unsigned mmu, bool write, X86Reg t0, X86Reg t1)
{
    const X86Backend *be = t->be;
    const uint8_t *at = x_pc(&t->a);
    uint8_t *crosses, *missed, *impatient;

    x_alu_rm(&t->a, ALU_ADD, 8, t1, stack_page(be, mmu, offsetof(StackPage, head.base)));
    x_alu_rm(&t->a, ALU_ADD, 8, t0, stack_page(be, mmu, offsetof(StackPage, head.base)));
    x_alu(&t->a, ALU_XOR, 8, t0, t1);
    x_shift_imm(&t->a, SH_SHR, 8, t0, 12);
    crosses = x_jcc8(&t->a, CC_NZ);
    x_shift_imm(&t->a, SH_SHR, 8, t1, 12);
    probe_tlb(t, tlb_place(be, mmu, true), t0, t1);
    missed = x_jcc8(&t->a, CC_NZ);
    x_alu_mi(&t->a, ALU_SUB, 4, stack_page(be, mmu, offsetof(StackPage, patience)), 1);
    impatient = x_jcc8(&t->a, CC_S);
    x_alu(&t->a, ALU_CMP, 8, t0, t0);
    x_ret(&t->a);
    x_here8(&t->a, missed);
    if (!write) {
        probe_tlb(t, tlb_place(be, mmu, false), t0, t1);
    }
    x_here8(&t->a, crosses);
    x_ret(&t->a);
    x_here8(&t->a, impatient);
    enter_stack_page(t, mmu, t0, t1);
    x_alu(&t->a, ALU_CMP, 8, t0, t0);
    x_ret(&t->a);
    return at;
}

static void make_stack_probes(Thunk *t)
{
    for (unsigned i = 0; i < TCG_MMU_MODES * 2 * 16; i++) {
        unsigned mmu = i / 32, write = i / 16 % 2, t0 = i / 4 % 4, t1 = i % 4;
        if (t0 != t1) {
            t->be->stack_probe[mmu][write][t0][t1] =
                make_stack_probe(t, mmu, write, (X86Reg)(R12 + t0), (X86Reg)(R12 + t1));
        }
    }
}

/* -- Assembly --------------------------------------------------------------------------------- */

static Thunk begin(X86Backend *be)
{
    CodeBuf *c = &be->buf;
    uint8_t *p = c->rw + ((c->used + 15) & ~(size_t)15);

    return (Thunk){ .be = be,
                    .a = { .p = p, .start = p, .end = c->rw + c->size, .rx = c->rx - c->rw } };
}

static bool end(Thunk *t)
{
    if (t->a.full) {
        return false;
    }
    t->be->buf.used = (size_t)(t->a.p - t->be->buf.rw);
    return true;
}

static const uint8_t *helper_thunk(X86Backend *be, unsigned index)
{
    Thunk t;

    if (!be->helper_thunk[index]) {
        t = begin(be);
        make_helper(&t, &be->config.helpers[index]);
        if (end(&t)) {
            be->helper_thunk[index] = t.a.start + t.a.rx;
        }
    }
    return be->helper_thunk[index];
}

static const uint8_t *move_thunk(X86Backend *be, unsigned helper, uint32_t arg,
                                 const TcgBlockMove *m)
{
    unsigned n = 0;
    Thunk t;

    while (n < be->nmove_thunks &&
           (be->move_thunk[n].helper != helper || be->move_thunk[n].arg != arg)) {
        n++;
    }
    if (n == G_N_ELEMENTS(be->move_thunk)) {
        return be->helper_thunk[helper];
    }
    if (n == be->nmove_thunks) {
        t = begin(be);
        emit_block_move(&t.a, be, m, arg, be->helper_thunk[helper]);
        if (!end(&t)) {
            return NULL;
        }
        be->move_thunk[n].helper = helper;
        be->move_thunk[n].arg = arg;
        be->move_thunk[n].at = t.a.start + t.a.rx;
        be->nmove_thunks++;
    }
    return be->move_thunk[n].at;
}

const uint8_t *call_target(X86Backend *be, const IrBlock *ir, const IrOp *op)
{
    const TcgHelper *h = &be->config.helpers[op->imm];
    const uint8_t *whole = helper_thunk(be, op->imm);
    const IrOp *arg = &ir->ops[op->arg[0]];
    TcgBlockMove m;

    if (whole && h->block_move && !ir->all_calls && arg->op == OP_const &&
        h->block_move((uint32_t)arg->value, &m) && block_move_possible(be, &m)) {
        return move_thunk(be, op->imm, (uint32_t)arg->value, &m);
    }
    return whole;
}

void thunks_init(X86Backend *be)
{
    Thunk t = begin(be);
    const uint8_t *leave, *lookup;

    if (be->feat.avx2) {
        be->save_pins = make_save_pins(&t);
        be->restore_pins = make_restore_pins(&t);
        be->load_pins = make_load_pins(&t);
    }
    be->enter = make_enter(&t, false);
    be->go_on = make_enter(&t, true);
    leave = make_leave(&t);
    be->exit_link = make_exit(&t, TCG_EXIT_LINK, leave);
    be->exit_budget = make_exit(&t, TCG_EXIT_BUDGET, leave);
    be->exit_loop = make_exit(&t, EXIT_LOOP, leave);
    be->exit_reason = make_exit(&t, TCG_EXIT_REASON, leave);
    lookup = make_exit(&t, TCG_EXIT_LOOKUP, leave);
    if (be->layout->jump_refill) {
        lookup = make_lookup(&t, lookup);
    }
    be->exit_lookup = make_exit_lookup(&t, lookup);
    be->exit_jump = make_exit_jump(&t, lookup);
    be->exit_end = make_exit(&t, EXIT_END, leave);
    be->trap = make_trap(&t);
    be->mem = make_mem(&t);
    be->pack_env = make_c(&t, x64_pack_env, false);
    be->pack_rec = make_c(&t, x64_pack_rec, false);
    be->carry_env = make_carry(&t, make_c(&t, x64_carry_env, false));
    be->overflow_env = make_overflow(&t, make_c(&t, x64_overflow_env, false));
    be->flags_env = make_flags(&t);
    be->open_top = make_open_top(&t);
    be->divs128 = make_c(&t, x64_divs128, true);
    be->vec_slow = make_c(&t, x64_vec_slow, true);
    be->bits_slow = make_c(&t, x64_bits_slow, true);
    if (be->layout->stack) {
        make_stack_probes(&t);
    }
    g_assert(end(&t));
}