/* SPDX-License-Identifier: MIT */
/*
 * The code that blocks share: entry and exit, the memory slow path, helper calls. Thunks are
 * reached by BL; what stands behind the call is for their C side. Between blocks SP is as C has it.
 * FPCR and FPSR are the guest's between enter and leave, see emit-fp.c; C that may compute with
 * floating point finds FPCR as it should be.
 */
#include "tcg/aarch64/gen.h"

#define LOW_TEMPS UINT64_C(0x3f)
#define LOW_PINS  UINT64_C(0xffc0)    /* X6-X15 */
#define HIGH_PINS UINT64_C(0x1f80000) /* X19-X24: C preserves them */
#define VEC_PINS  (UINT64_C(0xffff0000) << 32)
#define ALL_GPRS  (LOW_TEMPS | LOW_PINS | HIGH_PINS)

typedef struct Thunk {
    Asm a;
    A64Backend *be;
} Thunk;

static int32_t scratch(const Thunk *t, int32_t off)
{
    return t->be->layout->scratch + off;
}

static void put(Thunk *t, unsigned bytes, int r, int32_t off)
{
    env_ldst_by(&t->a, a_mem(r >= 32, (unsigned)__builtin_ctz(bytes), false), r & 31, off, X17);
}

static void get(Thunk *t, unsigned bytes, int r, int32_t off)
{
    env_ldst_by(&t->a, a_mem(r >= 32, (unsigned)__builtin_ctz(bytes), true), r & 31, off, X17);
}

/* Two registers at once where their homes are side by side and within reach. */
static bool as_pair(Thunk *t, int r, int s, bool store)
{
    const A64Backend *be = t->be;
    int32_t a = be->reg_home[r], b = be->reg_home[s], step = r >= 32 ? 16 : 8;

    if (s / 32 != r / 32 || be->reg_bytes[r] != step || be->reg_bytes[s] != step || b != a + step ||
        a % step || a / step > 63) {
        return false;
    }
    if (r >= 32) {
        a_ldpq(&t->a, !store, r & 31, s & 31, ENV, a);
    } else {
        a_ldp(&t->a, !store, r, s, ENV, a);
    }
    return true;
}

static void move_regs(Thunk *t, uint64_t set, bool store)
{
    while (set) {
        int r = __builtin_ctzll(set), s;

        set &= set - 1;
        s = set ? __builtin_ctzll(set) : r;
        if (t->be->reg_home[r] == NO_HOME) {
            continue;
        }
        if (s != r && as_pair(t, r, s, store)) {
            set &= set - 1;
        } else if (store) {
            put(t, t->be->reg_bytes[r], r, t->be->reg_home[r]);
        } else {
            get(t, t->be->reg_bytes[r], r, t->be->reg_home[r]);
        }
    }
}

static void save(Thunk *t, uint64_t set)
{
    move_regs(t, set, true);
}

static void restore(Thunk *t, uint64_t set)
{
    move_regs(t, set, false);
}

static void save_budget(Thunk *t)
{
    put(t, 4, BUDGET, t->be->layout->budget);
}

static void save_passage(Thunk *t) /* in X0, which is saved */
{
    a_lsr(&t->a, 8, 0, BUDGET, 32);
    put(t, 4, 0, scratch(t, SCR_PASSAGE));
}

static void load_budget(Thunk *t) /* and no passage */
{
    get(t, 4, BUDGET, t->be->layout->budget);
}

static void call_c(Thunk *t, const void *f)
{
    a_mov_imm(&t->a, X16, (uint64_t)(uintptr_t)f);
    a_blr(&t->a, X16);
}

static void push_lr(Thunk *t)
{
    a_word(&t->a, 0xf81f0ffe); /* STR X30, [SP, #-16]! */
}

static void pop_lr(Thunk *t)
{
    a_word(&t->a, 0xf84107fe); /* LDR X30, [SP], #16 */
}

static void load_lr(Thunk *t, int r) /* what was pushed */
{
    a_word(&t->a, 0xf94003e0 | (uint32_t)r);
}

static void set_host_pc(Thunk *t, int r)
{
    put(t, 8, r, t->be->layout->slow + (int32_t)offsetof(SlowAccess, host_pc));
}

/* f(env, site, be); the site has been pushed. */
static void call_site(Thunk *t, const void *f)
{
    a_mov(&t->a, 8, 0, ENV);
    load_lr(t, 1);
    a_mov_imm(&t->a, 2, (uint64_t)(uintptr_t)t->be);
    call_c(t, f);
}

/* -- Floating point --------------------------------------------------------------------------- */

static void msr_fpcr(Thunk *t, int r)
{
    a_word(&t->a, 0xd51b4400 | (uint32_t)r);
}

static void msr_fpsr(Thunk *t, int r)
{
    a_word(&t->a, 0xd51b4420 | (uint32_t)r);
}

/* With FEAT_AFP: what FPSR has goes to MXCSR in env: IXC, UFC, OFC, DZC (4 to 1), IDC (7) and IOC
 * (0) are PE, UE, OE, ZE, DE, IE. NZCV stay. */
static void gather_status(Thunk *t)
{
    if (!t->be->feat.afp) {
        return;
    }
    a_word(&t->a, 0xd53b4420 | X16); /* MRS FPSR */
    a_logic_imm(&t->a, A_AND, 4, X17, X16, 0x1e);
    a_bitfield(&t->a, A_BFM, 4, X17, X16, 7, 7);
    a_logic_imm(&t->a, A_AND, 4, X16, X16, 1);
    a_alu_sh(&t->a, A_ORR, 4, X16, X16, X17, A_LSL, 1);
    get(t, 4, X17, t->be->layout->mxcsr);
    a_alu(&t->a, A_ORR, 4, X16, X16, X17);
    put(t, 4, X16, t->be->layout->mxcsr);
    msr_fpsr(t, ZR);
}

/* For C code that may compute, leave or look at MXCSR. */
static void host_modes(Thunk *t)
{
    gather_status(t);
    msr_fpcr(t, ZR);
}

static void guest_modes(Thunk *t)
{
    get(t, 4, X16, scratch(t, SCR_FPCR));
    msr_fpcr(t, X16);
    if (t->be->feat.afp) {
        msr_fpsr(t, ZR); /* the host's */
    }
}

/* Nothing has happened, or IDC: no op shall be tried. NZCV stay. */
static void fp_status(Thunk *t)
{
    if (t->be->feat.afp) {
        msr_fpsr(t, ZR);
        return;
    }
    get(t, 4, X16, t->be->layout->mxcsr);
    a_mov_imm(&t->a, X17, 0x9fe0); /* FTZ, masks, DAZ, PE */
    a_alu(&t->a, A_AND, 4, X16, X16, X17);
    a_mov_imm(&t->a, X17, 0x1fa0);
    a_alu(&t->a, A_EOR, 4, X16, X16, X17);
    a_un(&t->a, A_CLZ, 4, X16, X16);
    a_lsr(&t->a, 4, X16, X16, 5); /* 1: as it should be */
    a_logic_imm(&t->a, A_EOR, 4, X16, X16, 1);
    a_lsl(&t->a, 4, X16, X16, 7);
    msr_fpsr(t, X16);
}

/* By MXCSR in env. RMode is RC with its bits the other way round. */
static void load_modes(Thunk *t)
{
    get(t, 4, X17, t->be->layout->mxcsr);
    a_ubfx(&t->a, 4, X16, X17, 13, 2);
    a_un(&t->a, A_RBIT, 4, X16, X16);
    a_lsr(&t->a, 4, X16, X16, 8);
    if (t->be->feat.afp) {
        a_lsr(&t->a, 4, X17, X17, 6);    /* DAZ; FTZ is 9 further up */
        a_bfi(&t->a, 4, X16, X17, 0, 1); /* FIZ */
        a_lsr(&t->a, 4, X17, X17, 9);
        a_bfi(&t->a, 4, X16, X17, 24, 1);          /* FZ */
        a_logic_imm(&t->a, A_ORR, 4, X16, X16, 2); /* AH */
    } else {
        a_logic_imm(&t->a, A_ORR, 4, X16, X16, 1u << 24); /* FZ */
    }
    put(t, 4, X16, scratch(t, SCR_FPCR));
    msr_fpcr(t, X16);
    fp_status(t);
}

static const uint8_t *make_gather(Thunk *t)
{
    const uint8_t *at = a_pc(&t->a);

    gather_status(t);
    a_ret(&t->a, LR);
    return at;
}

static const uint8_t *make_set_modes(Thunk *t)
{
    const uint8_t *at = a_pc(&t->a);

    load_modes(t);
    a_ret(&t->a, LR);
    return at;
}

/* -- Entry and exit --------------------------------------------------------------------------- */

#define FRAME 160 /* X19-X30, D8-D15 */

static void move_frame(Thunk *t, bool load)
{
    for (int i = 0; i < 6; i++) {
        a_ldp(&t->a, load, 19 + 2 * i, 20 + 2 * i, SP, 16 * i);
    }
    for (int i = 0; i < 4; i++) { /* LDP, STP of D registers */
        a_2(&t->a,
            0x6d000000 | (load ? 1u << 22 : 0) | (uint32_t)(12 + 2 * i) << 15 |
                (uint32_t)(9 + 2 * i) << 10,
            8 + 2 * i, SP);
    }
}

/* void enter(void *env, const void *near_entry) */
static const uint8_t *make_enter(Thunk *t)
{
    const uint8_t *at = a_pc(&t->a);

    a_arith_imm(&t->a, A_SUB, 8, SP, SP, FRAME);
    move_frame(t, false);
    a_mov(&t->a, 8, ENV, 0);
    load_modes(t);
    a_mov(&t->a, 8, X16, 1);
    a_add_imm(&t->a, 8, TLB, ENV, t->be->layout->tlb, X17);
    load_budget(t);
    restore(t, LOW_PINS | HIGH_PINS | VEC_PINS);
    a_br(&t->a, X16);
    return at;
}

static const uint8_t *make_leave(Thunk *t)
{
    const uint8_t *at = a_pc(&t->a);

    save(t, ALL_GPRS | VEC_PINS);
    save_budget(t);
    put(t, 8, LR, scratch(t, SCR_SITE));
    set_host_pc(t, ZR);
    host_modes(t);
    move_frame(t, true);
    a_arith_imm(&t->a, A_ADD, 8, SP, SP, FRAME);
    a_ret(&t->a, LR);
    return at;
}

static const uint8_t *make_exit(Thunk *t, unsigned kind, const uint8_t *leave)
{
    const uint8_t *at = a_pc(&t->a);

    if (kind == TCG_EXIT_LOOKUP) { /* jumped to, pc in X16 */
        put(t, 8, X16, t->be->layout->pc);
    }
    a_mov_imm(&t->a, X16, kind);
    put(t, 4, X16, scratch(t, SCR_KIND));
    a_b(&t->a, leave);
    return at;
}

/* Jumped to, pc in X16, site in LR: the C side may know where to go on. Temporaries are free. */
static const uint8_t *make_lookup(Thunk *t, const uint8_t *leave)
{
    const uint8_t *at = a_pc(&t->a);
    uint8_t *found;

    save(t, LOW_PINS);
    save_budget(t);
    a_word(&t->a, 0xa9bf7bf0); /* STP X16, X30, [SP, #-16]! */
    a_mov(&t->a, 8, 0, ENV);
    a_mov(&t->a, 8, 1, X16);
    call_c(t, t->be->layout->jump_refill); /* general registers only */
    a_mov(&t->a, 8, 1, 0);
    a_word(&t->a, 0xa8c17bf0); /* LDP X16, X30, [SP], #16 */
    load_budget(t);
    restore(t, LOW_PINS);
    found = a_cbz(&t->a, true, 8, 1);
    a_b(&t->a, leave);
    a_here(&t->a, found);
    a_br(&t->a, 1);
    return at;
}

/* The entries of @lookup: called, the site of the jump follows; jumped to, there is none. */
static const uint8_t *make_exit_lookup(Thunk *t, const uint8_t *lookup)
{
    const uint8_t *at = a_pc(&t->a);

    a_mov(&t->a, 8, LR, ZR);
    a_b(&t->a, lookup);
    return at;
}

static const uint8_t *make_trap(Thunk *t)
{
    const uint8_t *at = a_pc(&t->a);

    push_lr(t);
    save(t, ALL_GPRS | VEC_PINS);
    save_budget(t);
    save_passage(t);
    host_modes(t);
    call_site(t, a64_trap);
    a_word(&t->a, 0xd4200000); /* BRK: traps do not return */
    return at;
}

/* -- Memory ----------------------------------------------------------------------------------- */

static void go_on(Thunk *t, uint64_t set)
{
    if (t->be->layout->parallel) {
        a_dmb(&t->a, DMB_ALL);
    }
    a_mov(&t->a, 8, X16, 0);
    get(t, 8, 0, scratch(t, SCR_NZCV));
    a_word(&t->a, 0xd51b4200); /* MSR NZCV, X0 */
    pop_lr(t);
    load_budget(t);
    restore(t, set);
    a_br(&t->a, X16);
}

static const uint8_t *make_mem(Thunk *t)
{
    const uint8_t *at = a_pc(&t->a);
    uint8_t *slow;

    push_lr(t);
    save(t, ALL_GPRS);
    save_budget(t);
    save_passage(t);
    if (t->be->layout->parallel) {
        a_dmb(&t->a, DMB_ALL); /* C code may do the access */
    }
    a_word(&t->a, 0xd53b4200); /* MRS X0, NZCV */
    put(t, 8, 0, scratch(t, SCR_NZCV));
    call_site(t, a64_mem_refill); /* general registers only */
    slow = a_cbz(&t->a, false, 8, 0);
    go_on(t, ALL_GPRS);
    a_here(&t->a, slow);
    save(t, VEC_PINS | VEC_TEMPS);
    host_modes(t);
    call_site(t, a64_mem_slow);
    guest_modes(t);
    go_on(t, ALL_GPRS | VEC_PINS | VEC_TEMPS);
    return at;
}

/* -- C functions of ours and helpers ---------------------------------------------------------- */

/* f(env, site, be); all but X16, X17 and NZCV are as before afterwards. @skip bytes of data are
 * behind the call. */
static const uint8_t *make_c(Thunk *t, const void *f, bool vectors, unsigned skip)
{
    const uint8_t *at = a_pc(&t->a);
    uint64_t used = LOW_TEMPS | LOW_PINS | (vectors ? VEC_PINS | VEC_TEMPS : 0);

    push_lr(t);
    save(t, used);
    if (f == (const void *)a64_soft) {
        gather_status(t);
    }
    call_site(t, f);
    restore(t, used);
    pop_lr(t);
    if (f == (const void *)a64_soft) {
        fp_status(t);
    }
    if (skip) {
        a_arith_imm(&t->a, A_ADD, 8, LR, LR, skip);
    }
    a_ret(&t->a, LR);
    return at;
}

/* NZCV of a subtraction that leaves what env's record says, in X16 and X17. */
static const uint8_t *make_flags(Thunk *t)
{
    const uint8_t *at = a_pc(&t->a);

    push_lr(t);
    a_bl(&t->a, t->be->pack_env);
    get(t, 4, X16, scratch(t, SCR_RET));
    a_ubfx(&t->a, 4, X17, X16, 6, 2); /* SF, ZF */
    a_lsl(&t->a, 4, X17, X17, 30);
    a_bfi(&t->a, 4, X17, X16, 29, 1); /* CF */
    a_lsr(&t->a, 4, X16, X16, 11);
    a_bfi(&t->a, 4, X17, X16, 28, 1); /* OF */
    a_logic_imm(&t->a, A_EOR, 4, X17, X17, 1u << 29);
    a_word(&t->a, 0xd51b4200 | X17); /* MSR NZCV */
    pop_lr(t);
    a_ret(&t->a, LR);
    return at;
}

/* No FLAGS_SHORT in env's record: its first word, in X16. NZCV stay. */
static const uint8_t *make_settle(Thunk *t, const uint8_t *settle)
{
    const uint8_t *at = a_pc(&t->a);

    push_lr(t);
    a_word(&t->a, 0xd53b4200 | X16); /* MRS X16, NZCV */
    put(t, 8, X16, scratch(t, SCR_NZCV));
    a_bl(&t->a, settle);
    get(t, 8, X16, scratch(t, SCR_NZCV));
    a_word(&t->a, 0xd51b4200 | X16);
    get(t, 4, X16, t->be->layout->flags + (int32_t)offsetof(FlagsRecord, kind));
    pop_lr(t);
    a_ret(&t->a, LR);
    return at;
}

static void load_arguments(Thunk *t, const TcgHelper *h, bool result_in_memory)
{
    int n = 0;

    a_mov(&t->a, 8, n++, ENV);
    if (result_in_memory) {
        a_add_imm(&t->a, 8, n++, ENV, scratch(t, SCR_RET), X17);
    }
    for (unsigned i = 0; i < h->nargs; i++, n++) {
        int32_t off = scratch(t, SCR_ARG + 16 * (int32_t)i);
        if (h->args[i] == V128) {
            a_add_imm(&t->a, 8, n, ENV, off, X17);
        } else {
            get(t, h->args[i] == I32 ? 4 : 8, n, off);
        }
    }
}

static void helper_done(Thunk *t, uint64_t set)
{
    load_budget(t);
    restore(t, set);
    pop_lr(t);
    a_ret(&t->a, LR);
}

/* General registers are in env. */
static void try_quick(Thunk *t, const TcgHelper *h)
{
    uint8_t *declined;

    load_arguments(t, h, true);
    call_c(t, h->quick);
    declined = a_tbz(&t->a, false, 0, 0);
    helper_done(t, LOW_TEMPS | LOW_PINS | (h->flags & HELPER_WRITES_REGS ? HIGH_PINS : 0));
    a_here(&t->a, declined);
}

static void make_helper(Thunk *t, const TcgHelper *h)
{
    bool pure = h->flags & HELPER_PURE, faults = h->flags & (HELPER_FAULTS | HELPER_NORETURN);
    bool sees = faults || (h->flags & HELPER_READS_REGS), writes = h->flags & HELPER_WRITES_REGS;
    bool novec = h->flags & HELPER_NOVEC, modes = faults || (h->flags & HELPER_FP);
    bool blind = pure || (novec && !sees); /* nobody asks where it was called from */

    push_lr(t);
    save(t, sees || writes ? ALL_GPRS : LOW_TEMPS | LOW_PINS);
    save_budget(t);
    if (h->quick) {
        try_quick(t, h);
    }
    if (!blind) {
        load_lr(t, X16);
        set_host_pc(t, X16);
    }
    if (sees || writes || !novec) {
        save(t, VEC_PINS);
    }
    if (modes) {
        host_modes(t);
    } else if (sees) {
        gather_status(t);
    }
    load_arguments(t, h, h->ret == V128);
    call_c(t, h->func);
    if (h->ret == I32 || h->ret == I64) {
        put(t, 8, 0, scratch(t, SCR_RET));
    }
    if (!blind) {
        set_host_pc(t, ZR);
    }
    if (modes) {
        guest_modes(t);
    }
    helper_done(t, LOW_TEMPS | LOW_PINS | (writes ? HIGH_PINS | VEC_PINS : !novec ? VEC_PINS : 0));
}

/* -- Assembly --------------------------------------------------------------------------------- */

static Thunk begin(A64Backend *be)
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
    __builtin___clear_cache((char *)t->a.start + t->a.rx, (char *)t->a.p + t->a.rx);
    return true;
}

const uint8_t *helper_thunk(A64Backend *be, unsigned index)
{
    Thunk t;

    if (!be->helper_thunk[index]) {
        t = begin(be);
        if (t.a.end - t.a.p < 1024) {
            return NULL;
        }
        make_helper(&t, &be->config.helpers[index]);
        if (end(&t)) {
            be->helper_thunk[index] = t.a.start + t.a.rx;
        }
    }
    return be->helper_thunk[index];
}

void thunks_init(A64Backend *be)
{
    Thunk t = begin(be);
    const uint8_t *leave, *lookup;

    be->enter = make_enter(&t);
    leave = make_leave(&t);
    be->exit_link = make_exit(&t, TCG_EXIT_LINK, leave);
    be->exit_budget = make_exit(&t, TCG_EXIT_BUDGET, leave);
    be->exit_reason = make_exit(&t, TCG_EXIT_REASON, leave);
    lookup = make_exit(&t, TCG_EXIT_LOOKUP, leave);
    if (be->layout->jump_refill) {
        lookup = make_lookup(&t, lookup);
    }
    be->exit_jump = lookup;
    be->exit_lookup = make_exit_lookup(&t, lookup);
    be->exit_end = make_exit(&t, EXIT_END, leave);
    be->trap = make_trap(&t);
    be->mem = make_mem(&t);
    be->pack_env = make_c(&t, a64_pack_env, false, 0);
    be->pack_rec = make_c(&t, a64_pack_rec, false, 0);
    be->flags_env = make_flags(&t);
    be->settle = make_settle(&t, make_c(&t, a64_settle_record, false, 0));
    be->divide = make_c(&t, a64_divide, true, 0);
    be->soft_op = make_c(&t, a64_soft, true, 4);
    be->set_modes = make_set_modes(&t);
    be->gather = make_gather(&t);
    g_assert(end(&t));
}
