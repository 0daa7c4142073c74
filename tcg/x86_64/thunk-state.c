/* SPDX-License-Identifier: MIT */
/* What thunks keep, change and put back round C code: registers, control words. */
#include "tcg/x86_64/thunk.h"

#define MXCSR_MODES  0xe040 /* FTZ, RC, DAZ */
#define MXCSR_MASKED 0x1f80
#define FCW_DEFAULT  0x37f

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

void vzeroupper(Thunk *t)
{
    if (t->be->feat.avx2) {
        x_vex0(&t->a, X_0F | 0x77);
    }
}

/* Vector pins to env. While SCR_LIVE is 0 their upper halves are zeros; env's, too, then. */
const uint8_t *make_save_pins(Thunk *t)
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
const uint8_t *make_restore_pins(Thunk *t)
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
const uint8_t *make_load_pins(Thunk *t)
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
void load_pins(Thunk *t)
{
    if (t->be->feat.avx2) {
        x_call(&t->a, t->be->load_pins);
    } else {
        restore_regs(t, XMM_PINS);
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

void save_regs(Thunk *t, uint32_t set)
{
    move_regs(t, set, true);
}

void restore_regs(Thunk *t, uint32_t set)
{
    move_regs(t, set, false);
}

void call_c(Thunk *t, const void *f)
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
void gather_mxcsr(Thunk *t)
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
void c_modes(Thunk *t)
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
void guest_modes(Thunk *t)
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
void guest_modes_quick(Thunk *t)
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
void load_modes(Thunk *t)
{
    x_load(&t->a, 4, RAX, field(t->be->layout->mxcsr));
    x_alu_imm(&t->a, ALU_AND, 4, RAX, 0xffff);
    x_alu_imm(&t->a, ALU_OR, 4, RAX, MXCSR_MASKED);
    x_store(&t->a, 4, scratch(t, SCR_TMP), RAX);
    ldmxcsr(t, scratch(t, SCR_TMP));
    guest_fcw(t);
    clear_x87(t);
}

void set_host_pc(Thunk *t, bool inside)
{
    Mem m = field(t->be->layout->slow + (int32_t)offsetof(SlowAccess, host_pc));

    if (inside) {
        x_load(&t->a, 8, RAX, mem_base(RSP, 0));
        x_store(&t->a, 8, m, RAX);
    } else {
        x_store_imm(&t->a, 8, m, 0);
    }
}
