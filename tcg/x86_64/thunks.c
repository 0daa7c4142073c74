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
#include "tcg/x86_64/gen.h"

#define CALLER_SAVED 0x0fc7u /* RAX RCX RDX RSI RDI R8-R11 */
#define ALL_GPRS     0xffcfu /* but RSP, RBP */
#define XMM_PINS     0x1fff0000u
#define MXCSR_MODES  0xe040 /* FTZ, RC, DAZ */
#define MXCSR_MASKED 0x1f80
#define FCW_DEFAULT  0x37f

typedef struct Thunk {
    Asm a;
    X86Backend *be;
} Thunk;

static Mem scratch(const Thunk *t, int32_t off)
{
    return env_mem(t->be->layout->scratch - ENV_BIAS + off);
}

static Mem field(int32_t env_offset)
{
    return env_mem(env_off(env_offset));
}

static void restore(Thunk *t, uint32_t set);

static void move_wide(Thunk *t, uint32_t set, bool l256, bool store)
{
    for (; set; set &= set - 1) {
        int r = __builtin_ctz(set);
        if (t->be->reg_home[r] != NO_HOME) {
            bool whole = l256 && t->be->reg_bytes[r] == 32;
            x_vex_rm(&t->a, store ? X_MOVUPS_ST : X_MOVUPS, whole, r - 16, 0,
                     env_mem(t->be->reg_home[r]));
        }
    }
}

static void vzeroupper(Thunk *t)
{
    if (t->be->feat.avx2) {
        x_vex0(&t->a, X_0F | 0x77);
    }
}

/* Vector pins to env. While SCR_LIVE is 0 their upper halves are zeros; env's, too, then. */
static const uint8_t *make_save_pins(Thunk *t)
{
    const uint8_t *at = x_pc(&t->a);
    uint8_t *whole, *done;

    x_alu_mi(&t->a, ALU_CMP, 1, scratch(t, SCR_LIVE), 0);
    whole = x_jcc32(&t->a, CC_NZ);
    move_wide(t, XMM_PINS, false, true);
    x_alu_mi(&t->a, ALU_CMP, 1, scratch(t, SCR_STALE), 0);
    done = x_jcc32(&t->a, CC_Z);
    for (uint32_t set = XMM_PINS; set; set &= set - 1) {
        int r = __builtin_ctz(set);
        if (t->be->reg_bytes[r] == 32) {
            x_store_imm(&t->a, 8, env_mem(t->be->reg_home[r] + 16), 0);
            x_store_imm(&t->a, 8, env_mem(t->be->reg_home[r] + 24), 0);
        }
    }
    x_store_imm(&t->a, 1, scratch(t, SCR_STALE), 0);
    x_here(&t->a, done);
    x_ret(&t->a);
    x_here(&t->a, whole);
    move_wide(t, XMM_PINS, true, true);
    x_ret(&t->a);
    return at;
}

/* What make_save_pins() stored, unchanged but for lower halves. */
static const uint8_t *make_restore_pins(Thunk *t)
{
    const uint8_t *at = x_pc(&t->a);
    uint8_t *whole;

    x_alu_mi(&t->a, ALU_CMP, 1, scratch(t, SCR_LIVE), 0);
    whole = x_jcc32(&t->a, CC_NZ);
    move_wide(t, XMM_PINS, false, false);
    x_ret(&t->a);
    x_here(&t->a, whole);
    move_wide(t, XMM_PINS, true, false);
    x_ret(&t->a);
    return at;
}

/* What C code left in env: see whether upper halves are in use. No temporary is. */
static const uint8_t *make_load_pins(Thunk *t)
{
    const uint8_t *at = x_pc(&t->a);
    bool any = false;
    uint8_t *j;

    move_wide(t, XMM_PINS, true, false);
    x_vex_rr(&t->a, X_0F | 0x57, false, 13, 13, 13);
    for (uint32_t set = XMM_PINS; set; set &= set - 1) {
        int r = __builtin_ctz(set);
        if (t->be->reg_bytes[r] == 32) {
            x_vex_rr(&t->a, X_0F | 0x56, true, 13, 13, r - 16); /* VORPS */
            any = true;
        }
    }
    x_vex_rr(&t->a, X_66 | X_0F3A | 0x39, true, 13, 0, 13); /* VEXTRACTI128 */
    x_byte(&t->a, 1);
    x_store_imm(&t->a, 2, scratch(t, SCR_LIVE), any ? 0x101 : 0);
    x_vex_rr(&t->a, X_66 | X_0F38 | 0x17, false, 13, 0, 13); /* VPTEST */
    j = x_jcc8(&t->a, CC_NZ);
    x_store_imm(&t->a, 2, scratch(t, SCR_LIVE), 0);
    vzeroupper(t);
    x_here8(&t->a, j);
    x_ret(&t->a);
    return at;
}

/* While SCR_LIVE is 0 they are zeros above 128 bits, too. */
static void move_temps(Thunk *t, uint32_t set, bool store)
{
    uint8_t *whole, *done;

    x_alu_mi(&t->a, ALU_CMP, 1, scratch(t, SCR_LIVE), 0);
    whole = x_jcc8(&t->a, CC_NZ);
    move_wide(t, set, false, store);
    done = x_jmp8(&t->a);
    x_here8(&t->a, whole);
    move_wide(t, set, true, store);
    x_here8(&t->a, done);
}

/* With YMM the pins and the temporaries go by themselves, the rest is in the set returned. */
static uint32_t move_vectors(Thunk *t, uint32_t set, bool store)
{
    if (!t->be->feat.avx2) {
        return set;
    }
    if (set & XMM_TEMPS) {
        move_temps(t, set & XMM_TEMPS, store);
    }
    if ((set & XMM_PINS) == XMM_PINS) {
        x_call(&t->a, store ? t->be->save_pins : t->be->restore_pins);
    }
    return set & ~(XMM_PINS | XMM_TEMPS);
}

/* Vector pins that C code may have rewritten. */
static void load_pins(Thunk *t)
{
    if (t->be->feat.avx2) {
        x_call(&t->a, t->be->load_pins);
    } else {
        restore(t, XMM_PINS);
    }
}

static void move_regs(Thunk *t, uint32_t set, bool store)
{
    set = move_vectors(t, set, store);
    for (; set; set &= set - 1) {
        int r = __builtin_ctz(set);
        int32_t home = t->be->reg_home[r];

        if (home == NO_HOME) {
            continue;
        }
        if (r >= 16) {
            x_rm(&t->a, store ? X_MOVUPS_ST : X_MOVUPS, 4, (X86Reg)(r - 16), env_mem(home));
        } else if (store) {
            x_store(&t->a, t->be->reg_bytes[r], env_mem(home), (X86Reg)r);
        } else {
            x_load(&t->a, t->be->reg_bytes[r], (X86Reg)r, env_mem(home));
        }
    }
}

static void save(Thunk *t, uint32_t set)
{
    move_regs(t, set, true);
}

static void restore(Thunk *t, uint32_t set)
{
    move_regs(t, set, false);
}

static void call_c(Thunk *t, const void *f)
{
    x_mov_imm(&t->a, RAX, (uint64_t)(uintptr_t)f);
    x_call_reg(&t->a, RAX);
}

static void ldmxcsr(Thunk *t, Mem m)
{
    x_rm(&t->a, X_0F | 0xae, 4, (X86Reg)2, m);
}

static void stmxcsr(Thunk *t, Mem m)
{
    x_rm(&t->a, X_0F | 0xae, 4, (X86Reg)3, m);
}

static void fldcw(Thunk *t, Mem m)
{
    x_rm(&t->a, 0xd9, 4, (X86Reg)5, m);
}

/* Clobbers RAX. The host's MXCSR is left in SCR_MXCSR. */
static void gather_mxcsr(Thunk *t)
{
    stmxcsr(t, scratch(t, SCR_MXCSR));
    x_load(&t->a, 4, RAX, scratch(t, SCR_MXCSR));
    x_alu_imm(&t->a, ALU_AND, 4, RAX, 0x3f);
    x_alu_mr(&t->a, ALU_OR, 4, field(t->be->layout->mxcsr), RAX);
}

static void fcw_modes(Thunk *t) /* ZF: the guest's precision and rounding are the default */
{
    x_load(&t->a, 2, RAX, field(t->be->layout->fcw));
    x_alu_imm(&t->a, ALU_AND, 4, RAX, 0xf00);
    x_alu_imm(&t->a, ALU_CMP, 4, RAX, 0x300);
}

/* What C expects, where the guest's modes are other ones. Clobbers RAX. */
static void c_modes(Thunk *t)
{
    uint8_t *j;

    x_test_mi(&t->a, 4, field(t->be->layout->mxcsr), MXCSR_MODES);
    j = x_jcc8(&t->a, CC_Z);
    x_store_imm(&t->a, 4, scratch(t, SCR_TMP), MXCSR_MASKED);
    ldmxcsr(t, scratch(t, SCR_TMP));
    x_here8(&t->a, j);
    fcw_modes(t);
    j = x_jcc8(&t->a, CC_Z);
    x_store_imm(&t->a, 4, scratch(t, SCR_TMP), FCW_DEFAULT);
    fldcw(t, scratch(t, SCR_TMP));
    x_here8(&t->a, j);
}

static void guest_fcw(Thunk *t)
{
    x_load(&t->a, 2, RAX, field(t->be->layout->fcw));
    x_alu_imm(&t->a, ALU_AND, 4, RAX, 0xf3f);
    x_alu_imm(&t->a, ALU_OR, 4, RAX, 0x3f);
    x_store(&t->a, 2, scratch(t, SCR_TMP), RAX);
    fldcw(t, scratch(t, SCR_TMP));
}

/* Exception flags that C code left in the host's x87 are none of the guest's; with host_x87 they
 * all are: C code does not compute with it then. */
static void clear_x87(Thunk *t)
{
    uint8_t *j;

    if (t->be->layout->host_x87) {
        return;
    }
    x_byte(&t->a, 0xdf); /* FNSTSW AX */
    x_byte(&t->a, 0xe0);
    x_test_imm(&t->a, 1, RAX, 0x3f);
    j = x_jcc8(&t->a, CC_Z);
    x_byte(&t->a, 0xdb); /* FNCLEX */
    x_byte(&t->a, 0xe2);
    x_here8(&t->a, j);
}

/* Back from C: the guest's modes and the sticky bits that SCR_MXCSR has. Clobbers RAX. */
static void guest_modes(Thunk *t)
{
    uint8_t *j;

    ldmxcsr(t, scratch(t, SCR_MXCSR));
    fcw_modes(t);
    j = x_jcc8(&t->a, CC_Z);
    guest_fcw(t);
    x_here8(&t->a, j);
    clear_x87(t);
}

/* The same after C code that promised not to compute with floating point. */
static void guest_modes_quick(Thunk *t)
{
    uint8_t *j;

    x_test_mi(&t->a, 4, field(t->be->layout->mxcsr), MXCSR_MODES);
    j = x_jcc8(&t->a, CC_Z);
    ldmxcsr(t, scratch(t, SCR_MXCSR));
    x_here8(&t->a, j);
    fcw_modes(t);
    j = x_jcc8(&t->a, CC_Z);
    guest_fcw(t);
    x_here8(&t->a, j);
}

/* Everything anew from env. Clobbers RAX. */
static void load_modes(Thunk *t)
{
    x_load(&t->a, 4, RAX, field(t->be->layout->mxcsr));
    x_alu_imm(&t->a, ALU_AND, 4, RAX, 0xffff);
    x_alu_imm(&t->a, ALU_OR, 4, RAX, MXCSR_MASKED);
    x_store(&t->a, 4, scratch(t, SCR_TMP), RAX);
    ldmxcsr(t, scratch(t, SCR_TMP));
    guest_fcw(t);
    clear_x87(t);
}

static void set_host_pc(Thunk *t, bool inside)
{
    Mem m = field(t->be->layout->slow + (int32_t)offsetof(SlowAccess, host_pc));

    if (inside) {
        x_load(&t->a, 8, RAX, mem_base(RSP, 0));
        x_store(&t->a, 8, m, RAX);
    } else {
        x_store_imm(&t->a, 8, m, 0);
    }
}

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
        restore(t, ALL_GPRS);
        x_jmp_mem(&t->a, scratch(t, SCR_TARGET));
    } else {
        restore(t, ALL_GPRS & ~GPR_TEMPS);
        x_jmp_reg(&t->a, R13);
    }
    return at;
}

static const uint8_t *make_leave(Thunk *t)
{
    const uint8_t *at = x_pc(&t->a);

    save(t, ALL_GPRS | XMM_PINS);
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

    save(t, CALLER_SAVED);
    x_lea(&t->a, 8, RDI, mem_base(RBP, -ENV_BIAS));
    x_mov(&t->a, 8, RSI, PC_REG);
    call_c(t, t->be->layout->jump_refill); /* general registers only */
    x_mov(&t->a, 8, PLACE_REG, RAX);
    restore(t, CALLER_SAVED);
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

    save(t, ALL_GPRS | XMM_PINS);
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
    restore(t, set);
    x_jmp_mem(&t->a, scratch(t, SCR_TARGET));
}

static const uint8_t *make_mem(Thunk *t)
{
    const uint8_t *at = x_pc(&t->a);
    uint8_t *j;

    save(t, ALL_GPRS);
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    mem_call(t, x64_mem_refill); /* general registers only */
    x_test(&t->a, 8, RAX, RAX);
    j = x_jcc32(&t->a, CC_Z);
    x_store(&t->a, 8, scratch(t, SCR_TARGET), RAX);
    go_on(t, ALL_GPRS);
    x_here(&t->a, j);
    save(t, XMM_PINS | XMM_TEMPS);
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

/* -- C functions of ours and helpers ---------------------------------------------------------- */

/* f(env, be), which keeps to integers; everything but flags is as before afterwards. @vectors: of
 * those it may use registers. */
static const uint8_t *make_c(Thunk *t, const void *f, bool vectors)
{
    const uint8_t *at = x_pc(&t->a);
    uint32_t used = CALLER_SAVED | (vectors ? XMM_PINS | XMM_TEMPS : 0);

    save(t, used);
    if (vectors) {
        vzeroupper(t);
    }
    x_lea(&t->a, 8, RDI, mem_base(RBP, -ENV_BIAS));
    x_mov_imm(&t->a, RSI, (uint64_t)(uintptr_t)t->be);
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    call_c(t, f);
    x_alu_imm(&t->a, ALU_ADD, 8, RSP, 8);
    restore(t, used);
    x_ret(&t->a);
    return at;
}

static Mem flags_field(const Thunk *t, size_t offset)
{
    return field(t->be->layout->flags + (int32_t)offset);
}

/* Leaves with RAX as the answer. */
static void answer(Thunk *t)
{
    x_store(&t->a, 4, scratch(t, SCR_RET), RAX);
    x_pop(&t->a, RAX);
    x_ret(&t->a);
}

/* flags_carry(): what lies on top answers here, the rest by @slow. */
static const uint8_t *make_carry(Thunk *t, const uint8_t *slow)
{
    const uint8_t *at = x_pc(&t->a);
    uint8_t *closed, *other;

    x_push(&t->a, RAX);
    x_load(&t->a, 4, RAX, flags_field(t, offsetof(FlagsRecord, kind)));
    x_test(&t->a, 1, RAX, RAX);
    closed = x_jcc8(&t->a, CC_NS);
    x_shift_imm(&t->a, SH_SHR, 4, RAX, 24);
    other = x_jcc8(&t->a, CC_Z);
    answer(t); /* of FLAGS_CF_IS + CF only bit 0 is looked at */
    x_here8(&t->a, closed);
    x_here8(&t->a, other);
    x_pop(&t->a, RAX);
    x_jmp(&t->a, slow);
    return at;
}

/* flags_overflow(), of an ADOX and of a DEC of 64 bits, by which loops count. */
static const uint8_t *make_overflow(Thunk *t, const uint8_t *slow)
{
    const uint8_t *at = x_pc(&t->a);
    uint8_t *closed, *by_itself, *rotated, *other;

    x_push(&t->a, RAX);
    x_load(&t->a, 4, RAX, flags_field(t, offsetof(FlagsRecord, kind)));
    x_test(&t->a, 1, RAX, RAX);
    closed = x_jcc8(&t->a, CC_NS);
    x_test_imm(&t->a, 4, RAX, FLAGS_OF_IS << 16);
    by_itself = x_jcc8(&t->a, CC_NZ);
    x_test_imm(&t->a, 4, RAX, FLAGS_ROT_NEWER << 16);
    rotated = x_jcc8(&t->a, CC_NZ);
    x_shift_imm(&t->a, SH_SHR, 4, RAX, 8);
    x_alu_imm(&t->a, ALU_CMP, 1, RAX, flags_kind(FLK_DEC, I64));
    other = x_jcc8(&t->a, CC_NZ);
    x_load(&t->a, 8, RAX, flags_field(t, offsetof(FlagsRecord, inc)));
    x_inc(&t->a, 8, RAX); /* overflows where that did */
    x_setcc(&t->a, CC_O, RAX);
    x_shift_imm(&t->a, SH_SHL, 4, RAX, 11);
    answer(t);
    x_here8(&t->a, by_itself);
    x_load(&t->a, 1, RAX, flags_field(t, offsetof(FlagsRecord, of)));
    x_shift_imm(&t->a, SH_SHL, 4, RAX, 11);
    answer(t);
    x_here8(&t->a, closed);
    x_here8(&t->a, rotated);
    x_here8(&t->a, other);
    x_pop(&t->a, RAX);
    x_jmp(&t->a, slow);
    return at;
}

/* flags_open_top() of env's record, in place. */
static const uint8_t *make_open_top(Thunk *t)
{
    Mem kind = field(t->be->layout->flags + (int32_t)offsetof(FlagsRecord, kind));
    const uint8_t *settle = make_c(t, x64_settle_env, false), *at = x_pc(&t->a);
    uint8_t *open, *settled;

    x_alu_mi(&t->a, ALU_CMP, 1, kind, 0);
    open = x_jcc8(&t->a, CC_S);
    x_test_mi(&t->a, 1, kind, FLAGS_SHORT);
    settled = x_jcc8(&t->a, CC_Z);
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    x_call(&t->a, settle);
    x_alu_imm(&t->a, ALU_ADD, 8, RSP, 8);
    x_here8(&t->a, settled);
    x_alu_mi(&t->a, ALU_AND, 4, kind, FLAGS_KIND);
    x_alu_mi(&t->a, ALU_OR, 1, kind, (int8_t)FLAGS_ON_TOP);
    x_here8(&t->a, open);
    x_ret(&t->a);
    return at;
}

/* The host's flags become those of env's record. */
static const uint8_t *make_flags(Thunk *t)
{
    const uint8_t *make = make_c(t, x64_flags_env, false), *at = x_pc(&t->a);

    x_call(&t->a, make);
    x_push(&t->a, RAX);
    x_load(&t->a, 4, RAX, scratch(t, SCR_RET));
    x_alu_imm(&t->a, ALU_ADD, 1, RAX, 0x7f);
    x_byte(&t->a, 0x9e); /* SAHF */
    x_pop(&t->a, RAX);
    x_ret(&t->a);
    return at;
}

static void load_arguments(Thunk *t, const TcgHelper *h, bool result_in_memory)
{
    static const X86Reg reg[] = { RDI, RSI, RDX, RCX, R8, R9 };
    unsigned n = 0;

    x_lea(&t->a, 8, reg[n++], mem_base(RBP, -ENV_BIAS));
    if (result_in_memory) {
        x_lea(&t->a, 8, reg[n++], scratch(t, SCR_RET));
    }
    for (unsigned i = 0; i < h->nargs; i++, n++) {
        Mem m = scratch(t, SCR_ARG + 16 * (int32_t)i);
        if (h->args[i] == V128) {
            x_lea(&t->a, 8, reg[n], m);
        } else {
            x_load(&t->a, h->args[i] == I32 ? 4 : 8, reg[n], m);
        }
    }
}

/* General registers are in env. */
static void try_quick(Thunk *t, const TcgHelper *h)
{
    uint8_t *declined;

    load_arguments(t, h, true);
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    call_c(t, h->quick);
    x_alu_imm(&t->a, ALU_ADD, 8, RSP, 8);
    x_test(&t->a, 1, RAX, RAX);
    declined = x_jcc32(&t->a, CC_Z);
    restore(t, CALLER_SAVED | (h->flags & HELPER_WRITES_REGS ? 1u << RBX : 0));
    x_ret(&t->a);
    x_here(&t->a, declined);
}

static void make_helper(Thunk *t, const TcgHelper *h)
{
    bool pure = h->flags & HELPER_PURE, faults = h->flags & (HELPER_FAULTS | HELPER_NORETURN);
    bool sees = faults || (h->flags & HELPER_READS_REGS), writes = h->flags & HELPER_WRITES_REGS;
    bool novec = h->flags & HELPER_NOVEC, fp = h->flags & HELPER_FP;
    bool blind = pure || (novec && !sees); /* nobody asks where it was called from */

    save(t, sees ? ALL_GPRS : !blind ? CALLER_SAVED | GPR_TEMPS : CALLER_SAVED);
    if (h->quick) {
        try_quick(t, h);
    }
    if (!blind) {
        set_host_pc(t, true);
    }
    if (sees || !novec) {
        save(t, XMM_PINS);
    }
    if (sees || fp) {
        gather_mxcsr(t);
    }
    if (faults || fp) {
        c_modes(t);
    }
    if (!novec) {
        vzeroupper(t);
    }
    load_arguments(t, h, h->ret == V128);
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    call_c(t, h->func);
    x_alu_imm(&t->a, ALU_ADD, 8, RSP, 8);
    if (h->ret == I32 || h->ret == I64) {
        x_store(&t->a, 8, scratch(t, SCR_RET), RAX);
    }
    if (!blind) {
        set_host_pc(t, false);
    }
    if (writes) {
        load_modes(t);
    } else if (fp) {
        guest_modes(t);
    } else if (faults) {
        guest_modes_quick(t);
    }
    if (writes) {
        load_pins(t);
    }
    restore(t, CALLER_SAVED | (writes ? 1u << RBX : !novec ? XMM_PINS : 0));
    x_ret(&t->a);
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
