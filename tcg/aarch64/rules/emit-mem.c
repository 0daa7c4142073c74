/* SPDX-License-Identifier: MIT */
/*
 * Guest memory: the software TLB inline (guest-mem.h), everything else in a stub behind the block
 * that calls the shared thunk and describes the access to it (MemSite). What the description says
 * is how things are at the check; so between the check and the end of the access no value changes
 * its place. NZCV stay: the check is add, eor, cbnz. The members of a group find the host address
 * of the group's base in the register that stands for its token and need no check.
 *
 * Where vCPUs are several threads (TcgLayout.parallel), x86's order is kept by barriers, as LDAR
 * and STLR cannot be unaligned: a load is done before all that follows, stores are in order, and
 * what is locked is a barrier whether or not LSE's form, or one that does not store, would be.
 */
#include "tcg/aarch64/gen.h"

#define CUR ((IrRef)g->cur)

typedef struct Access {
    int addr;    /* the operand */
    int base, x; /* after check(): the data is at base + x, or base + disp if x is NO_REG */
    int32_t disp;
    unsigned size;
    bool write, own_write, aligned; /* the check is for writing; the access itself writes */
    const IrGroup *group;           /* of which this is the first access */
    bool member;                    /* of a group that has been checked */
    FaultPoint point;
    uint8_t *retry;
    unsigned stub;
} Access;

static bool is_atomic(const Gen *g)
{
    return (g->op->d & MEM_LOCK) && g->be->layout->parallel;
}

/* Registers for the access. Operands that must be in registers are fetched before this. */
static void prepare(Gen *g, Access *m, unsigned size, bool write)
{
    unsigned number = g->notes->group[g->cur];
    const IrGroup *group = number ? &g->notes->groups[number - 1] : NULL;

    *m = (Access){ .size = size, .write = write, .own_write = write };
    m->member = ir_is_member(g->notes, g->cur);
    m->aligned = (g->op->d & MEM_ALIGN) || is_atomic(g);
    m->disp = (int32_t)g->op->imm;
    m->x = NO_REG;
    if (m->member) {
        m->base = use_gpr(g, group->token);
        return;
    }
    m->addr = use_gpr(g, g->op->a);
    if (group) {
        m->write = group->write;
        m->group = group;
    }
    m->base = alloc_gpr(g); /* the address, then the host's */
    m->x = alloc_gpr(g);
    m->point = fault_point(g);
}

/* A register with the address of the TLB bank. */
static int bank_of(Gen *g, bool write)
{
    int bank = (int)(g->op->d & MEM_MMU_MASK) * 2 + write, r = write ? 29 : 26;

    G_STATIC_ASSERT(TCG_TLB_SIZE * sizeof(TlbEntry) == 2 << 12);
    if (bank == 0) {
        return TLB;
    }
    if (g->bank[write] != bank) {
        a_arith_imm(&g->a, A_ADD, 8, r, TLB, (uint32_t)bank << 13);
        g->bank[write] = (int8_t)bank;
    }
    return r;
}

/* The check: afterwards the data is at base + x. */
static void check(Gen *g, Access *m, IrRef value, IrRef compare)
{
    int32_t lo = m->group ? m->group->lo : m->disp;
    int32_t last = m->group ? m->group->hi - m->group->lo - 1 : (int32_t)m->size - 1;
    unsigned low = m->aligned && !m->group ? (unsigned)__builtin_ctz(m->size) : 0;
    int bank, at = m->addr;
    Stub *s;

    if (m->member) {
        return;
    }
    bank = bank_of(g, m->write); /* outside what the slow path repeats */
    m->retry = g->a.p;
    if (lo) {
        a_add_imm(&g->a, 8, m->base, m->addr, lo, X16);
        at = m->base;
    }
    a_ubfx(&g->a, 8, X16, at, 12, TCG_TLB_BITS);
    a_alu_sh(&g->a, A_ADD, 8, X16, bank, X16, A_LSL, 4);
    a_ldp(&g->a, true, X17, m->x, X16, 0);
    if (low) { /* low bits that should be 0 come on top */
        a_ror(&g->a, 8, X16, at, low);
        a_alu_sh(&g->a, A_EOR, 8, X17, X17, X16, A_LSR, 12 - low);
    } else if (last) {
        a_arith_imm(&g->a, A_ADD, 8, X16, at, (uint32_t)last);
        a_alu_sh(&g->a, A_EOR, 8, X17, X17, X16, A_LSR, 12);
    } else {
        a_alu_sh(&g->a, A_EOR, 8, X17, X17, at, A_LSR, 12);
    }
    s = cond_stub(g, STUB_MEM, (Cond){ .kind = IF_NONZERO, .reg = X17, .w = 8 });
    m->stub = g->nstubs - 1;
    s->point = m->point;
    s->retry = m->retry;
    s->site = (MemSite){
        .op = g->op->op,
        .type = g->op->op == OP_probe ? I8 : g->op->type,
        .flags = (uint8_t)g->op->d,
        .addr = (uint8_t)m->addr,
        .value = NO_PLACE,
        .compare = NO_PLACE,
        .dst = NO_PLACE,
        .bits = (m->write ? SITE_WRITE : 0) | (m->group ? SITE_GROUP : 0) |
                (m->own_write ? SITE_STORE : 0),
        .size = (uint16_t)m->size,
        .disp = m->disp,
    };
    if (m->group) { /* the access itself is always done inline */
        s->site.lo = lo;
        s->site.span = (uint32_t)(last + 1);
        a_alu(&g->a, A_ADD, 8, m->x, m->x, m->addr);
        m->base = m->x;
        m->x = NO_REG;
    } else {
        s->site.value = value ? place_of(g, value) : NO_PLACE;
        s->site.compare = compare ? place_of(g, compare) : NO_PLACE;
        m->base = at;
    }
}

static void done(Gen *g, const Access *m, uint8_t dst)
{
    Stub *s;

    if (m->member) {
        return;
    }
    s = &g->stubs[m->stub];
    s->done = g->a.p;
    if (m->group) {
        def_reg(g, m->group->token, m->base, true);
    } else {
        s->site.dst = dst;
    }
}

/* A register with the host address, for what has no other way of addressing. X16 serves. */
static int host_address(Gen *g, const Access *m)
{
    if (m->x != NO_REG) {
        a_alu(&g->a, A_ADD, 8, X16, m->base, m->x);
        return X16;
    }
    if (m->disp == 0) {
        return m->base;
    }
    a_add_imm(&g->a, 8, X16, m->base, m->disp, X16);
    return X16;
}

/* One access of 1 << log2 bytes, @more bytes behind the beginning. */
static void move(Gen *g, const Access *m, A64Mem how, int r, int32_t more)
{
    if (m->x != NO_REG && more == 0) {
        a_ldst_reg(&g->a, how, r & 31, m->base, m->x);
    } else if (m->x == NO_REG && a_fits_disp(how, m->disp + more)) {
        a_ldst(&g->a, how, r & 31, m->base, m->disp + more);
    } else {
        a_ldst(&g->a, how, r & 31, host_address(g, m), more);
    }
}

static void barrier(Gen *g, unsigned kind)
{
    if (g->be->layout->parallel) {
        a_dmb(&g->a, kind);
    }
}

static void move_reg(Gen *g, const Access *m, bool load, int r, unsigned bytes, int32_t more)
{
    if (!load) {
        barrier(g, DMB_STORES);
    }
    move(g, m, a_mem(r >= 32, (unsigned)__builtin_ctz(bytes), load), r, more);
    if (load) {
        barrier(g, DMB_LOADS);
    }
}

static void begin(Gen *g)
{
    if (!ir_is_member(g->notes, g->cur)) {
        evict_all_env(g, false);
        rest_bundle(g, g->notes->flags_at[g->cur]);
    }
    g->locked = 0;
}

/* -- Loads and stores ------------------------------------------------------------------------- */

/* F80, V256: to or from the scratch area. */
static void move_wide(Gen *g, const Access *m, bool load, int32_t off, unsigned bytes)
{
    for (unsigned i = 0; i < bytes;) {
        unsigned n = bytes - i >= 16 ? 16 : bytes - i >= 8 ? 8 : 2;
        int r = n == 16 ? VEC(0) : X17;
        if (load) {
            move_reg(g, m, true, r, n, (int32_t)i);
            env_store(&g->a, n, r, off + (int32_t)i);
        } else {
            env_load(&g->a, n, r, off + (int32_t)i);
            move_reg(g, m, false, r, n, (int32_t)i);
        }
        i += n;
    }
}

void emit_ld(Gen *g)
{
    IrType t = (IrType)g->op->type;
    unsigned size = ir_type_info[t].bytes;
    Access m;
    int dst;

    begin(g);
    prepare(g, &m, size, false);
    if (is_wide(t)) {
        int32_t to = def_spill(g, CUR);
        check(g, &m, IR_NONE, IR_NONE);
        move_wide(g, &m, true, to, size);
        done(g, &m, place_of(g, CUR));
        return;
    }
    dst = is_vec(t) ? pick_vec(g, 0) : pick_gpr(g, 0);
    check(g, &m, IR_NONE, IR_NONE);
    move_reg(g, &m, true, dst, size, 0);
    done(g, &m, (uint8_t)dst);
    def_reg(g, CUR, dst, !is_vec(t));
}

void emit_st(Gen *g)
{
    IrRef v = g->op->b;
    IrType t = type_of(g, v);
    Access m;
    int32_t off = 0;
    int r = NO_REG;

    begin(g);
    if (is_wide(t)) {
        off = wide_off(g, v);
        if (g->loc[v].kind == LOC_ENV) { /* the slow path knows spills only */
            int32_t from = off;
            drop(g, v);
            off = def_spill(g, v);
            copy_wide(g, off, from, bytes_of(g, v));
        }
    } else if (is_vec(t)) {
        r = use_vec(g, v);
    } else {
        r = use_gpr_z(g, v);
    }
    prepare(g, &m, ir_type_info[t].bytes, true);
    check(g, &m, is_wide(t) ? v : IR_NONE, IR_NONE);
    if (!m.member && !is_wide(t) && !m.group) {
        g->stubs[m.stub].site.value = (uint8_t)r;
    }
    if (is_wide(t)) {
        move_wide(g, &m, false, off, bytes_of(g, v));
    } else {
        move_reg(g, &m, false, r, m.size, 0);
    }
    done(g, &m, NO_PLACE);
}

void emit_probe(Gen *g)
{
    Access m;

    begin(g);
    prepare(g, &m, g->op->b, g->op->aux);
    check(g, &m, IR_NONE, IR_NONE);
    done(g, &m, NO_PLACE);
}

void emit_ld_host(Gen *g)
{
    unsigned size = ir_type_info[g->op->type].bytes;
    int dst = pick_gpr(g, 0);

    a_mov_imm(&g->a, X16, g->op->value);
    a_ldst(&g->a, a_mem(false, (unsigned)__builtin_ctz(size), true), dst, X16, 0);
    def_reg(g, CUR, dst, true);
}

void emit_st_host(Gen *g)
{
    unsigned size = ir_type_info[g->op->type].bytes;
    A64Mem m = a_mem(false, (unsigned)__builtin_ctz(size), false);
    int value = use_gpr(g, g->op->b), base = use_gpr(g, g->op->a);
    int32_t disp = (int32_t)g->op->imm;

    if (!a_fits_disp(m, disp)) {
        a_mov_imm(&g->a, X16, g->op->imm);
        a_ldst_reg(&g->a, m, value, base, X16);
    } else {
        a_ldst(&g->a, m, value, base, disp);
    }
}

void emit_fence(Gen *g)
{
    barrier(g, g->op->aux & 3); /* the same numbers */
}

/* -- Read-modify-write ------------------------------------------------------------------------ */

static void combine(Gen *g, int d, int old, int b)
{
    unsigned w = op_bytes(g);

    switch (g->op->op) {
    case OP_rmw_sub: a_alu(&g->a, A_SUB, w, d, old, b); break;
    case OP_rmw_and: a_alu(&g->a, A_AND, w, d, old, b); break;
    case OP_rmw_or: a_alu(&g->a, A_ORR, w, d, old, b); break;
    case OP_rmw_xor: a_alu(&g->a, A_EOR, w, d, old, b); break;
    case OP_rmw_xchg: a_mov(&g->a, 8, d, b); break;
    default: a_alu(&g->a, A_ADD, w, d, old, b); break;
    }
}

static bool yields_old(unsigned op)
{
    return op == OP_rmw_xadd || op == OP_rmw_xchg;
}

static void rmw_plain(Gen *g, const Access *m, int b, int dst)
{
    unsigned op = g->op->op;
    int t = yields_old(op) ? LR : dst;

    if (op != OP_rmw_xchg || dst != LR) {
        move_reg(g, m, true, dst, m->size, 0);
    }
    if (op == OP_rmw_xchg) {
        t = b;
    } else {
        combine(g, t, dst, b);
    }
    move_reg(g, m, false, t, m->size, 0);
}

/* LSE's forms, all acquire and release (C6.2, LDADDAL and following). */
enum {
    A_LDADDAL = 0x38e00000,
    A_LDCLRAL = 0x38e01000,
    A_LDEORAL = 0x38e02000,
    A_LDSETAL = 0x38e03000,
    A_SWPAL = 0x38e08000,
    A_CASAL = 0x08e0fc00,
    A_LDAXR = 0x085ffc00,
    A_STLXR = 0x0800fc00
};

static uint32_t size_bits(unsigned bytes)
{
    return (uint32_t)__builtin_ctz(bytes) << 30;
}

static void rmw_lse(Gen *g, int at, int b, int dst)
{
    unsigned w = op_bytes(g), op = g->op->op;
    uint32_t insn = op == OP_rmw_xchg  ? A_SWPAL
                    : op == OP_rmw_and ? A_LDCLRAL
                    : op == OP_rmw_or  ? A_LDSETAL
                    : op == OP_rmw_xor ? A_LDEORAL
                                       : A_LDADDAL;
    int x = b;

    if (op == OP_rmw_and) {
        a_mvn(&g->a, 8, X17, b);
        x = X17;
    } else if (op == OP_rmw_sub) {
        a_neg(&g->a, 8, X17, b);
        x = X17;
    }
    a_3(&g->a, insn | size_bits(w), dst, at, x);
    if (!yields_old(op)) {
        combine(g, dst, dst, b);
    }
}

/* Until nobody came between. */
static void rmw_exclusive(Gen *g, int at, int b, int dst)
{
    unsigned w = op_bytes(g);
    bool old = yields_old(g->op->op);
    uint8_t *loop = g->a.p, *again;

    a_2(&g->a, A_LDAXR | size_bits(w), dst, at);
    combine(g, LR, dst, b);
    a_3(&g->a, A_STLXR | size_bits(w), LR, at, X17);
    again = a_cbz(&g->a, true, 4, X17);
    if (!g->a.full) {
        a_patch(again, loop);
    }
    if (!old) {
        a_mov(&g->a, 8, dst, LR);
    }
}

void emit_rmw(Gen *g)
{
    int b, dst, at;
    Access m;

    begin(g);
    b = use_gpr_z(g, g->op->b);
    prepare(g, &m, op_bytes(g), true);
    dst = alloc_gpr(g);
    check(g, &m, IR_NONE, IR_NONE);
    if (!m.member && !m.group) {
        g->stubs[m.stub].site.value = (uint8_t)b;
    }
    if (!is_atomic(g)) {
        rmw_plain(g, &m, b, dst);
    } else {
        at = host_address(g, &m);
        if (g->be->feat.lse) {
            rmw_lse(g, at, b, dst);
        } else {
            rmw_exclusive(g, at, b, dst);
            barrier(g, DMB_ALL);
        }
    }
    done(g, &m, (uint8_t)dst);
    def_reg(g, CUR, dst, op_bytes(g) >= 4 || yields_old(g->op->op));
}

static void cas_exclusive(Gen *g, int at, int v, int c, int dst)
{
    unsigned w = op_bytes(g);
    uint8_t *loop = g->a.p, *differs, *again;

    a_2(&g->a, A_LDAXR | size_bits(w), dst, at);
    a_alu(&g->a, A_EOR, w, X17, dst, c);
    differs = a_cbz(&g->a, true, w, X17);
    a_3(&g->a, A_STLXR | size_bits(w), v, at, X17);
    again = a_cbz(&g->a, true, 4, X17);
    if (!g->a.full) {
        a_patch(again, loop);
    }
    a_here(&g->a, differs);
}

static void cas_plain(Gen *g, const Access *m, int v, int c, int dst)
{
    uint8_t *differs;

    move_reg(g, m, true, dst, m->size, 0);
    a_alu(&g->a, A_EOR, m->size, X17, dst, c);
    differs = a_cbz(&g->a, true, m->size, X17);
    move_reg(g, m, false, v, m->size, 0);
    a_here(&g->a, differs);
}

void emit_cas(Gen *g)
{
    unsigned w = op_bytes(g);
    int v, c, dst, at;
    Access m;

    begin(g);
    v = use_gpr_z(g, g->op->b);
    c = use_gpr_z(g, g->op->c);
    if (w < 4 && !is_zx(g, g->op->c)) { /* compared with what is loaded */
        int t = alloc_gpr(g);
        a_zext(&g->a, w, t, c);
        unlock(g, c);
        c = t;
    }
    prepare(g, &m, w, true);
    dst = m.x; /* holds the addend until then */
    if (is_atomic(g)) {
        check(g, &m, IR_NONE, IR_NONE);
        at = host_address(g, &m);
        if (g->be->feat.lse) {
            a_mov(&g->a, 8, dst, c);
            a_3(&g->a, A_CASAL | size_bits(w), v, at, dst);
        } else {
            cas_exclusive(g, at, v, c, dst);
        }
        barrier(g, DMB_ALL);
    } else {
        check(g, &m, IR_NONE, IR_NONE);
        at = host_address(g, &m);
        if (at != X16) {
            a_mov(&g->a, 8, X16, at);
        }
        m.base = X16;
        m.x = NO_REG;
        m.disp = 0;
        cas_plain(g, &m, v, c, dst);
    }
    g->stubs[m.stub].site.value = (uint8_t)v;
    g->stubs[m.stub].site.compare = (uint8_t)c;
    done(g, &m, (uint8_t)dst);
    def_reg(g, CUR, dst, true);
}
