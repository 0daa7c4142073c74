/* SPDX-License-Identifier: MIT */
/*
 * Block moves in place of their helper (TcgBlockMove), as thunks: up to a page in pages that the
 * TLB has, not overlapping, by vectors of 64 bytes of which a mask leaves out what is too much:
 * short counts, which change from time to time, cost no mispredicted branch. For hosts with
 * AVX-512BW. Temporaries are lost in them (block_move_called()).
 */
#include "tcg/x86_64/gen.h"

enum { PAGE = 4096, VECTOR = 64 };
/* Bytes. For more the helper has REP; so many that stores within one line each are worth it. */
enum { MOST = PAGE, ALIGNED = 8 * VECTOR };
enum {
    EVEX_MASKED = 0x49,
    EVEX_MASKED_ZERO = 0xc9,
    EVEX_WHOLE = 0x48
}; /* third byte: ZMM, k1 or none */

typedef struct Move {
    Asm *a;
    const X86Backend *be;
    const TcgBlockMove *m;
    X86Reg to, from, count;
    uint8_t *pieces[4], *otherwise[16]; /* jumps */
    unsigned npieces, notherwise;
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

/* @host := offset of @addr's entry in the TLB. */
static void find_entry(Move *v, TlbPlace tlb, X86Reg host, X86Reg addr)
{
    x_rorx(v->a, 4, host, addr, tlb.down);
    x_alu_imm(v->a, ALU_AND, 4, host, (int32_t)tlb.mask);
}

static void load_addend(Move *v, TlbPlace tlb, X86Reg host, X86Reg entry)
{
    x_load(v->a, 8, host, mem_index(RBP, entry, 0, tlb.off + (int32_t)offsetof(TlbEntry, addend)));
}

/* @host = where @addr to @addr + R12 - 1 are, if that is one page that the TLB has. Clobbers R13.
 */
static void translate(Move *v, X86Reg host, X86Reg addr, bool write)
{
    TlbPlace tlb = tlb_place(v->be, v->m->mmu, write);

    x_lea(v->a, 8, R13, mem_index(addr, R12, 0, -1));
    x_shift_imm(v->a, SH_SHR, 8, R13, 12);
    find_entry(v, tlb, host, addr);
    x_alu_rm(v->a, ALU_CMP, 8, R13, mem_index(RBP, host, 0, tlb.off));
    v->pieces[v->npieces++] = x_jcc32(v->a, CC_NZ);
    load_addend(v, tlb, host, host);
    x_alu(v->a, ALU_ADD, 8, host, addr);
}

/* Bytes up to @to's next line, by a mask: @to may be below @from and overlap. */
static void align(Move *v)
{
    Asm *a = v->a;
    uint8_t *few;

    x_alu_imm(a, ALU_CMP, 4, R13, ALIGNED);
    few = x_jcc8(a, CC_B);
    x_mov_imm(a, R12, UINT64_MAX);
    x_bmi_shift(a, BMI_SHRX, 8, R12, R12, R15);
    x_vex_rr(a, X_F2 | X_0F | X_W | 0x92, false, 1, 0, R12); /* KMOVQ k1 */
    evex_load(a, EVEX_MASKED_ZERO, R14);
    evex_store(a, EVEX_MASKED, R15);
    x_mov(a, 8, R12, R15);
    x_alu_imm(a, ALU_OR, 8, R12, -VECTOR);
    x_alu(a, ALU_ADD, 8, R13, R12);
    x_alu(a, ALU_SUB, 8, R14, R12);
    x_alu(a, ALU_SUB, 8, R15, R12);
    x_here8(a, few);
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

/* R13 bytes from [R14], or of ZMM16, to [R15], as long as there are more than 64. Clobbers R12. */
static void move_vectors(Move *v)
{
    Asm *a = v->a;
    uint8_t *enough = NULL, *more;

    if (v->m->fill) {
        first_to_fill(a);
    } else {
        align(v);
    }
    x_alu_imm(a, ALU_SUB, 8, R13, VECTOR);
    if (v->m->fill) {
        enough = x_jcc8(a, CC_BE);
    }
    more = a->p;
    if (!v->m->fill) {
        evex_load(a, EVEX_WHOLE, R14);
        x_alu_imm(a, ALU_ADD, 8, R14, VECTOR);
    }
    evex_store(a, EVEX_WHOLE, R15);
    x_alu_imm(a, ALU_ADD, 8, R15, VECTOR);
    x_alu_imm(a, ALU_SUB, 8, R13, VECTOR);
    x_jcc(a, CC_NBE, more + a->rx);
    if (enough) {
        x_here8(a, enough);
    }
    x_alu_imm(a, ALU_ADD, 8, R13, VECTOR);
}

/* The same of up to 64 bytes. */
static void move_last(Move *v)
{
    Asm *a = v->a;

    x_mov_imm(a, R12, UINT64_MAX);
    x_vex_rr(a, X_0F38 | X_W | 0xf5, false, R12, R13, R12);  /* BZHI */
    x_vex_rr(a, X_F2 | X_0F | X_W | 0x92, false, 1, 0, R12); /* KMOVQ k1 */
    if (!v->m->fill) {
        evex_load(a, EVEX_MASKED_ZERO, R14);
    }
    evex_store(a, EVEX_MASKED, R15);
}

static void done(Move *v)
{
    x_store_imm(v->a, 8, env_mem(v->be->layout->scratch - ENV_BIAS + SCR_RET), 1);
    x_ret(v->a);
}

/* All in one page each. */
static void move_at_once(Move *v)
{
    Asm *a = v->a;
    uint8_t *many;

    x_mov(a, 8, R12, v->count);
    if (v->m->log2) {
        x_shift_imm(a, SH_SHL, 8, R12, v->m->log2);
    }
    translate(v, R15, v->to, true);
    if (!v->m->fill) {
        translate(v, R14, v->from, false);
        x_mov(a, 8, R13, R15);
        x_alu(a, ALU_SUB, 8, R13, R14);
        x_alu(a, ALU_CMP, 8, R13, R12);
        otherwise_if(v, CC_B);
        x_alu(a, ALU_ADD, 8, v->from, R12);
    }
    x_alu(a, ALU_ADD, 8, v->to, R12);
    x_alu(a, ALU_XOR, 4, v->count, v->count);
    x_mov(a, 4, R13, R12);
    x_alu_imm(a, ALU_CMP, 4, R12, VECTOR);
    many = x_jcc8(a, CC_NBE);
    move_last(v);
    done(v);
    x_here8(a, many);
    move_vectors(v);
    move_last(v);
    done(v);
}

/* R14 := the host's page of @addr, or of its last byte, if the TLB has it. Clobbers R13. */
static void find_page(Move *v, X86Reg addr, bool last, bool write)
{
    TlbPlace tlb = tlb_place(v->be, v->m->mmu, write);

    if (last) {
        x_lea(v->a, 8, R13, mem_index(addr, v->count, v->m->log2, -1));
    } else {
        x_mov(v->a, 8, R13, addr);
    }
    find_entry(v, tlb, R14, R13);
    x_shift_imm(v->a, SH_SHR, 8, R13, 12);
    x_alu_rm(v->a, ALU_CMP, 8, R13, mem_index(RBP, R14, 0, tlb.off));
    otherwise_if(v, CC_NZ);
    load_addend(v, tlb, R14, R14);
    x_shift_imm(v->a, SH_SAR, 8, R14, 12);
    x_alu(v->a, ALU_ADD, 8, R14, R13);
}

/* The TLB has all pages, of which none is both read and written. */
static void check_pages(Move *v)
{
    Asm *a = v->a;

    find_page(v, v->to, false, true);
    x_mov(a, 8, R12, R14);
    find_page(v, v->to, true, true);
    x_mov(a, 8, R15, R14);
    for (unsigned last = 0; last < 2 && !v->m->fill; last++) {
        find_page(v, v->from, last, false);
        x_alu(a, ALU_CMP, 8, R14, R12);
        otherwise_if(v, CC_Z);
        x_alu(a, ALU_CMP, 8, R14, R15);
        otherwise_if(v, CC_Z);
    }
}

/* @r := bytes from @addr to the end of its page. */
static void to_end(Asm *a, X86Reg r, X86Reg addr)
{
    x_mov(a, 8, r, addr);
    x_alu_imm(a, ALU_OR, 8, r, -PAGE);
    x_grp3(a, G3_NEG, 8, r);
}

/* R13 := at most @r */
static void limit(Asm *a, X86Reg r)
{
    x_alu(a, ALU_CMP, 8, R13, r);
    x_cmov(a, CC_NBE, 8, R13, r);
}

static void place(Move *v, X86Reg host, X86Reg addr, bool write)
{
    TlbPlace tlb = tlb_place(v->be, v->m->mmu, write);

    find_entry(v, tlb, host, addr);
    load_addend(v, tlb, host, host);
    x_alu(v->a, ALU_ADD, 8, host, addr);
    x_alu(v->a, ALU_ADD, 8, addr, R13);
}

/* Page by page. Nothing can go wrong once all are known, so elements may be divided: only a fill
 * wants them whole. The bytes that are left are counted in @count. */
static void move_pieces(Move *v)
{
    Asm *a = v->a;
    uint8_t *again, *few;

    if (v->m->fill && v->m->log2) {
        x_test_imm(a, 1, v->to, (1 << v->m->log2) - 1);
        otherwise_if(v, CC_NZ);
    }
    x_test(a, 8, v->count, v->count);
    otherwise_if(v, CC_Z);
    check_pages(v);
    if (v->m->log2) {
        x_shift_imm(a, SH_SHL, 8, v->count, v->m->log2);
    }
    again = a->p;
    to_end(a, R13, v->to);
    if (!v->m->fill) {
        to_end(a, R12, v->from);
        limit(a, R12);
    }
    limit(a, v->count);
    x_alu(a, ALU_SUB, 8, v->count, R13);
    place(v, R15, v->to, true);
    if (!v->m->fill) {
        place(v, R14, v->from, false);
    }
    x_alu_imm(a, ALU_CMP, 4, R13, VECTOR);
    few = x_jcc32(a, CC_BE);
    move_vectors(v);
    x_here(a, few);
    move_last(v);
    x_test(a, 8, v->count, v->count);
    x_jcc(a, CC_NZ, again + a->rx);
    done(v);
}

void emit_block_move(Asm *a, const X86Backend *be, const TcgBlockMove *m, uint32_t arg,
                     const uint8_t *helper)
{
    Move v = {
        .a = a,
        .be = be,
        .m = m,
        .to = pin(be, m->to),
        .from = pin(be, m->from),
        .count = pin(be, m->count),
    };

    x_test_mi(a, 4, env_mem(be->slot[m->unless].off), (int32_t)m->bits);
    otherwise_if(&v, CC_NZ);
    x_alu_imm(a, ALU_CMP, 8, v.count, MOST >> m->log2);
    otherwise_if(&v, CC_NBE);
    if (m->fill) {
        broadcast(a, m->log2, pin(be, m->value));
    }
    move_at_once(&v);
    for (unsigned i = 0; i < v.npieces; i++) {
        x_here(a, v.pieces[i]);
    }
    move_pieces(&v);
    for (unsigned i = 0; i < v.notherwise; i++) {
        x_here(a, v.otherwise[i]);
    }
    x_store_imm(a, 8, env_mem(be->layout->scratch - ENV_BIAS + SCR_ARG), (int32_t)arg);
    x_jmp(a, helper);
}
