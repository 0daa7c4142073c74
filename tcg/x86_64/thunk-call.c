/* SPDX-License-Identifier: MIT */
/* Thunks that call C functions, ours and the front end's helpers, or answer in their place. */
#include "tcg/x86_64/thunk.h"

/* f(env, be), which keeps to integers; everything but flags is as before afterwards. @vectors: of
 * those it may use registers. */
const uint8_t *make_c(Thunk *t, const void *f, bool vectors)
{
    const uint8_t *at = x_pc(&t->a);
    uint32_t used = CALLER_SAVED | (vectors ? XMM_PINS | XMM_TEMPS : 0);

    save_regs(t, used);
    if (vectors) {
        vzeroupper(t);
    }
    x_lea(&t->a, 8, RDI, mem_base(RBP, -ENV_BIAS));
    x_mov_imm(&t->a, RSI, (uint64_t)(uintptr_t)t->be);
    x_alu_imm(&t->a, ALU_SUB, 8, RSP, 8);
    call_c(t, f);
    x_alu_imm(&t->a, ALU_ADD, 8, RSP, 8);
    restore_regs(t, used);
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
const uint8_t *make_carry(Thunk *t, const uint8_t *slow)
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
const uint8_t *make_overflow(Thunk *t, const uint8_t *slow)
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
const uint8_t *make_open_top(Thunk *t)
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
const uint8_t *make_flags(Thunk *t)
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
    restore_regs(t, CALLER_SAVED | (h->flags & HELPER_WRITES_REGS ? 1u << RBX : 0));
    x_ret(&t->a);
    x_here(&t->a, declined);
}

void make_helper(Thunk *t, const TcgHelper *h)
{
    bool pure = h->flags & HELPER_PURE, faults = h->flags & (HELPER_FAULTS | HELPER_NORETURN);
    bool sees = faults || (h->flags & HELPER_READS_REGS), writes = h->flags & HELPER_WRITES_REGS;
    bool novec = h->flags & HELPER_NOVEC, fp = h->flags & HELPER_FP;
    bool blind = pure || (novec && !sees); /* nobody asks where it was called from */

    save_regs(t, sees ? ALL_GPRS : !blind ? CALLER_SAVED | GPR_TEMPS : CALLER_SAVED);
    if (h->quick) {
        try_quick(t, h);
    }
    if (!blind) {
        set_host_pc(t, true);
    }
    if (sees || !novec) {
        save_regs(t, XMM_PINS);
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
    restore_regs(t, CALLER_SAVED | (writes ? 1u << RBX : !novec ? XMM_PINS : 0));
    x_ret(&t->a);
}
