/* SPDX-License-Identifier: MIT */
/*
 * Block moves in place of their helper (TcgBlockMove), as thunks: both sides within one page that
 * the TLB has, not overlapping, by vectors of 64 bytes of which a mask leaves out what is too much:
 * short counts, which change from time to time, cost no mispredicted branch. For hosts with
 * AVX-512BW.
 */
#include "tcg/x86_64/gen.h"

enum { PAGE = 4096, VECTOR = 64, MOST_TO_FILL = 2048 }; /* bytes; for more the helper has REP */
enum {
    EVEX_MASKED = 0x49,
    EVEX_MASKED_ZERO = 0xc9,
    EVEX_WHOLE = 0x48
}; /* third byte: ZMM, k1 or none */

typedef struct Move {
    Asm *a;
    const X86Backend *be;
    const TcgBlockMove *m;
    uint8_t *otherwise[8];
    unsigned notherwise;
} Move;

static X86Reg pin(const X86Backend *be, unsigned slot)
{
    return (X86Reg)be->slot[slot].reg;
}

static bool is_pinned(const X86Backend *be, unsigned slot)
{
    return be->slot[slot].reg != NO_REG && be->slot[slot].bytes == 8;
}

bool block_move_possible(const X86Backend *be, const TcgBlockMove *m)
{
    return be->feat.avx512bw && be->feat.bmi2 && is_pinned(be, m->to) && is_pinned(be, m->count) &&
           is_pinned(be, m->fill ? m->value : m->from);
}

static void otherwise_if(Move *v, unsigned cc)
{
    v->otherwise[v->notherwise++] = x_jcc32(v->a, cc);
}

/* ZMM16 and [@base], which is R14 or R15. */
static void evex_mem(Asm *a, bool bytes, unsigned op, unsigned last, X86Reg base)
{
    x_byte(a, 0x62);
    x_byte(a, 0xc1);
    x_byte(a, bytes ? 0x7f : 0xfe); /* VMOVDQU8, VMOVDQU64 */
    x_byte(a, last);
    x_byte(a, op);
    x_byte(a, (unsigned)base & 7);
}

static void evex_load(Asm *a, unsigned last, X86Reg base)
{
    evex_mem(a, last != EVEX_WHOLE, 0x6f, last, base);
}

static void evex_store(Asm *a, unsigned last, X86Reg base)
{
    evex_mem(a, last != EVEX_WHOLE, 0x7f, last, base);
}

/* VPBROADCASTB to Q of a general register below R8 to ZMM16. */
static void broadcast(Asm *a, unsigned log2, X86Reg r)
{
    static const uint8_t op[] = { 0x7a, 0x7b, 0x7c, 0x7c };

    x_byte(a, 0x62);
    x_byte(a, 0xe2);
    x_byte(a, log2 == 3 ? 0xfd : 0x7d);
    x_byte(a, EVEX_WHOLE);
    x_byte(a, op[log2]);
    x_byte(a, 0xc0 | (unsigned)r);
}

/* @host = where @addr to @addr + R12 - 1 are, if the TLB has their page. Clobbers R13. */
static void translate(Move *v, X86Reg host, X86Reg addr, bool write)
{
    TlbPlace tlb = tlb_place(v->be, v->m->mmu, write);

    x_lea(v->a, 8, R13, mem_index(addr, R12, 0, -1));
    x_shift_imm(v->a, SH_SHR, 8, R13, 12);
    x_rorx(v->a, 4, host, addr, tlb.down);
    x_alu_imm(v->a, ALU_AND, 4, host, (int32_t)tlb.mask);
    x_alu_rm(v->a, ALU_CMP, 8, R13, mem_index(RBP, host, 0, tlb.off));
    otherwise_if(v, CC_NZ);
    x_load(v->a, 8, host, mem_index(RBP, host, 0, tlb.off + (int32_t)offsetof(TlbEntry, addend)));
    x_alu(v->a, ALU_ADD, 8, host, addr);
}

static void step(Move *v)
{
    if (!v->m->fill) {
        x_alu_imm(v->a, ALU_ADD, 8, R14, VECTOR);
    }
    x_alu_imm(v->a, ALU_ADD, 8, R15, VECTOR);
    x_alu_imm(v->a, ALU_SUB, 4, R13, VECTOR);
}

/* More than 64 bytes of ZMM16, to [R15]: after the first the others lie within one line each. The
 * lowest three bits of the address stay, and so does what is where in a vector. */
static void first_to_fill(Asm *a)
{
    evex_store(a, EVEX_WHOLE, R15);
    x_mov(a, 4, R12, R15);
    x_alu_imm(a, ALU_AND, 4, R12, VECTOR - 8);
    x_alu_imm(a, ALU_ADD, 8, R15, VECTOR);
    x_alu(a, ALU_SUB, 8, R15, R12);
    x_alu_imm(a, ALU_SUB, 4, R13, VECTOR);
    x_alu(a, ALU_ADD, 4, R13, R12);
}

/* R13 bytes from [R14], or of ZMM16, to [R15]. */
static void move(Move *v)
{
    Asm *a = v->a;
    uint8_t *last, *again = NULL, *more;

    x_alu_imm(a, ALU_CMP, 4, R13, VECTOR);
    last = x_jcc8(a, CC_BE);
    if (v->m->fill) {
        first_to_fill(a);
        x_alu_imm(a, ALU_CMP, 4, R13, VECTOR);
        again = x_jcc8(a, CC_BE);
    }
    more = a->p;
    if (!v->m->fill) {
        evex_load(a, EVEX_WHOLE, R14);
    }
    evex_store(a, EVEX_WHOLE, R15);
    step(v);
    x_alu_imm(a, ALU_CMP, 4, R13, VECTOR);
    x_jcc(a, CC_NBE, more + a->rx);
    x_here8(a, last);
    if (again) {
        x_here8(a, again);
    }
    x_mov_imm(a, R12, UINT64_MAX);
    x_vex_rr(a, X_0F38 | X_W | 0xf5, false, R12, R13, R12);  /* BZHI */
    x_vex_rr(a, X_F2 | X_0F | X_W | 0x92, false, 1, 0, R12); /* KMOVQ k1 */
    if (!v->m->fill) {
        evex_load(a, EVEX_MASKED_ZERO, R14);
    }
    evex_store(a, EVEX_MASKED, R15);
}

void emit_block_move(Asm *a, const X86Backend *be, const TcgBlockMove *m, const uint8_t *helper)
{
    static const X86Reg saved[] = { R12, R13, R14, R15 };
    Move v = { .a = a, .be = be, .m = m };
    X86Reg to = pin(be, m->to), from = pin(be, m->from), count = pin(be, m->count);

    x_test_mi(a, 4, env_mem(be->slot[m->unless].off), (int32_t)m->bits);
    x_jcc(a, CC_NZ, helper);
    x_alu_imm(a, ALU_CMP, 8, count, (m->fill ? MOST_TO_FILL : PAGE) >> m->log2);
    x_jcc(a, CC_NBE, helper);
    for (unsigned i = 0; i < G_N_ELEMENTS(saved); i++) {
        x_push(a, saved[i]);
    }
    x_mov(a, 8, R12, count);
    if (m->log2) {
        x_shift_imm(a, SH_SHL, 8, R12, m->log2);
    }
    translate(&v, R15, to, true);
    if (m->fill) {
        broadcast(a, m->log2, pin(be, m->value));
    } else {
        translate(&v, R14, from, false);
        x_mov(a, 8, R13, R15);
        x_alu(a, ALU_SUB, 8, R13, R14);
        x_alu(a, ALU_CMP, 8, R13, R12);
        otherwise_if(&v, CC_B);
        x_alu(a, ALU_ADD, 8, from, R12);
    }
    x_alu(a, ALU_ADD, 8, to, R12);
    x_mov_imm(a, count, 0);
    x_store_imm(a, 8, env_mem(be->layout->scratch - ENV_BIAS + SCR_RET), 1);
    x_mov(a, 8, R13, R12);
    move(&v);
    for (unsigned i = G_N_ELEMENTS(saved); i-- > 0;) {
        x_pop(a, saved[i]);
    }
    x_ret(a);
    for (unsigned i = 0; i < v.notherwise; i++) {
        x_here(a, v.otherwise[i]);
    }
    for (unsigned i = G_N_ELEMENTS(saved); i-- > 0;) {
        x_pop(a, saved[i]);
    }
    x_jmp(a, helper);
}
