/* SPDX-License-Identifier: MIT */
/*
 * Guest memory: the software TLB inline (guest-mem.h), everything else in a stub behind the block
 * that only calls the shared thunk and describes the access to it (MemShape). What the description
 * says is how things are at the check; so between the check and the end of the access no value
 * changes its place. The members of a group find the addend in the register that stands for its
 * token and need no check.
 */
#include "tcg/x86_64/gen.h"

#include <string.h>

#define CUR ((IrRef)g->cur)

typedef struct Access {
    Mem host;   /* after check(): where the data is */
    int t0, t1; /* addend; free */
    int addr;
    int32_t disp, lo;
    unsigned size;
    bool write, own_write; /* the check's, its own */
    const IrGroup *group;  /* of which this is the first access */
    bool member;           /* of a group that has been checked */
    FaultPoint point;
    uint8_t *retry;
    unsigned stub;
} Access;

static TlbPlace tlb_of(const Gen *g, bool write)
{
    return tlb_place(g->be, g->op->d & MEM_MMU_MASK, write);
}

/* m->lo: where what the check covers begins. */
static void set_address(Gen *g, Access *m)
{
    int32_t disp = (int32_t)g->op->imm, lo = m->group ? m->group->lo : disp;
    const Loc *l = &g->loc[g->op->a];

    if (is_beside(g, g->op->a, disp) && is_beside(g, g->op->a, lo)) {
        m->addr = l->reg;
        m->disp = disp + l->off;
        m->lo = lo + l->off;
    } else {
        m->addr = use_gpr(g, g->op->a);
        m->disp = disp;
        m->lo = lo;
    }
}

/* Registers for the access. Operands that must be in registers are fetched before this. */
static void prepare(Gen *g, Access *m, unsigned size, bool write)
{
    unsigned number = g->notes->group[g->cur];
    const IrGroup *group = number ? &g->notes->groups[number - 1] : NULL;

    m->size = size;
    m->write = group ? group->write : write;
    m->own_write = write;
    m->member = ir_is_member(g->notes, g->cur);
    m->group = m->member ? NULL : group;
    set_address(g, m);
    if (!m->member &&
        g->ops[g->last[g->cur]].op == OP_jump) { /* what is loaded is to be in PC_REG */
        m->t1 = alloc_gpr(g);
        m->t0 = alloc_gpr(g);
    } else {
        m->t0 = m->member ? use_gpr(g, group->token) : alloc_gpr(g);
        m->t1 = alloc_gpr(g);
    }
    m->host = mem_index((X86Reg)m->t0, (X86Reg)m->addr, 0, m->disp);
    if (!m->member) {
        m->point = fault_point(g);
    }
}

static void shr(Asm *a, unsigned w, X86Reg r, unsigned count)
{
    x_plain_rr(a, 0xc1, w, (X86Reg)SH_SHR, r);
    *a->p++ = (uint8_t)count;
}

static unsigned span_of(const Access *m)
{
    return m->group ? (unsigned)(m->group->hi - m->group->lo) : m->size;
}

/* Of what the check covers, to be made sure of. */
static unsigned alignment(const Gen *g, const Access *m)
{
    if (m->group) {
        return m->group->align;
    }
    return (g->op->d & MEM_ALIGN) && !(m->size & (m->size - 1)) ? m->size : 1;
}

/* @d = @base + @disp, all of 64 bits. */
static void add_to(Asm *a, X86Reg d, X86Reg base, int32_t disp)
{
    if (disp) {
        x_plain_rm(a, X_LEA, 8, d, mem_base(base, disp));
    } else {
        x_plain_rr(a, X_MOV_MR, 8, base, d);
    }
}

/* Compares what the check covers with the TLB entry; t0 is the entry's offset afterwards. Emitted
 * most often of all. */
static void compare_page(Gen *g, const Access *m)
{
    int32_t lo = m->lo;
    unsigned align = alignment(g, m), low = (unsigned)__builtin_ctz(align); /* bits to be 0 */
    int32_t last =
        (int32_t)(span_of(m) - 1) & -(int32_t)align; /* what begins there is in one page */
    X86Reg t0 = (X86Reg)m->t0, t1 = (X86Reg)m->t1, addr = (X86Reg)m->addr;
    bool bmi2 = g->be->feat.bmi2; /* a rotation will do: the mask follows */
    bool direct = bmi2 && lo == 0, apart = bmi2 && lo != 0 && last == 0;
    TlbPlace tlb = tlb_of(g, m->write);
    Asm *a = &g->a;

    x_room(a, 64);
    if (direct) {
        x_rorx(a, 4, t0, addr, tlb.down); /* page number to offset */
    } else if (apart) {
        add_to(a, t1, addr, lo);
        x_rorx(a, 4, t0, t1, tlb.down);
    } else {
        add_to(a, t0, addr, lo);
    }
    if (apart) {
        /* t1 is the only address */
    } else if (direct) {
        add_to(a, t1, addr, last);
    } else if (lo <= INT32_MAX - last && lo + last == (int8_t)(lo + last) && last) {
        add_to(a, t1, addr, lo + last);
    } else {
        add_to(a, t1, t0, last);
    }
    if (low) { /* they go on top and stay there */
        x_shift_imm(a, SH_ROR, 8, t1, low);
    }
    if (!direct && !apart) {
        shr(a, 4, t0, tlb.down);
    }
    if (tlb.near) {
        x_plain_rm(a, 0x23, 4, t0, mask_slot(g->be, MASK_NEAR_TLB)); /* AND */
    } else {
        x_plain_rr(a, 0x81, 4, (X86Reg)ALU_AND, t0);
        memcpy(a->p, &tlb.mask, 4);
        a->p += 4;
    }
    shr(a, 8, t1, 12 - low);
    x_plain_rm(a, 0x3b, 8, t1, mem_index(RBP, t0, 0, tlb.off)); /* CMP */
    x_flags_changed(a);
}

/* … with the stack page; t1 is the distance from its begin afterwards. */
static void compare_stack(Gen *g, const Access *m)
{
    int32_t lo = m->lo;
    unsigned mmu = g->op->d & MEM_MMU_MASK, n = 0;
    X86Reg t1 = (X86Reg)m->t1;
    Asm *a = &g->a;

    while (8u << n < span_of(m)) {
        n++;
    }
    x_room(a, 64);
    add_to(a, t1, (X86Reg)m->addr, lo);
    x_plain_rm(a, 0x2b, 8, t1, stack_page(g->be, mmu, offsetof(StackPage, head.base))); /* SUB */
    x_plain_rm(a, 0x3b, 8, t1,                                                          /* CMP */
               stack_page(g->be, mmu, stack_limit(n)));
    x_flags_changed(a);
}

/* The stub's view of operand @v (IR_NONE: no such operand). */
static uint8_t describe(Gen *g, Stub *s, IrRef v)
{
    uint64_t extra;
    uint8_t place;

    if (!v) {
        return PLACE_NONE;
    }
    place = place_of(g, v, &extra);
    if (place == PLACE_CONST || place == PLACE_ENV) {
        s->shape.extra[s->nextra++] = extra;
    }
    return place;
}

static void set_shape(Gen *g, Stub *s, const Access *m, IrRef value, IrRef compare)
{
    bool is_x87 = g->op->op == OP_x87_ld || g->op->op == OP_x87_st;
    MemShape *d = &s->shape;

    g_assert(g->be->reg_home[m->addr] != NO_HOME);
    *d = (MemShape){ .op = g->op->op,
                     .type = g->op->op == OP_probe ? I8 : g->op->type,
                     .flags = (uint8_t)g->op->d,
                     .addr = (uint8_t)m->addr, /* where the check had it */
                     .dst = PLACE_NONE,
                     .is_write = m->write,
                     .size = (uint16_t)m->size,
                     .disp = m->disp };
    s->nextra = 0;
    if (m->group || is_x87) { /* the access itself is always done inline */
        d->is_group = true;
        d->own_write = m->own_write;
        d->below = m->group ? (uint8_t)(m->disp - m->lo) : 0;
        d->span = (uint16_t)(m->group ? (unsigned)(m->group->hi - m->group->lo) : m->size);
    } else {
        d->value = describe(g, s, value);
        d->compare = g->op->op == OP_ld ? (uint8_t)m->t0 : describe(g, s, compare);
    }
}

/* The jump to the stub if the access is not where the check looks. */
static Stub *compare(Gen *g, const Access *m, bool by_stack)
{
    if (by_stack) {
        compare_stack(g, m);
        g->nstack_stubs++;
        return jcc_stub(g, STUB_MEM, CC_B ^ 1, 14);
    }
    compare_page(g, m);
    return jcc_stub(g, STUB_MEM, CC_NZ, 14);
}

static void load_addend(Gen *g, const Access *m, bool by_stack)
{
    Mem place = by_stack
                    ? stack_page(g->be, g->op->d & MEM_MMU_MASK, offsetof(StackPage, head.addend))
                    : mem_index(RBP, (X86Reg)m->t0, 0, tlb_of(g, m->write).off + 8);

    x_room(&g->a, 32);
    x_plain_rm(&g->a, X_MOV_RM, 8, (X86Reg)m->t0, place);
}

static void check_alone(Gen *g, Access *m, IrRef value, IrRef other)
{
    bool by_stack = is_by_stack(g, g->op, span_of(m));
    Stub *s;

    m->retry = g->a.p;
    s = compare(g, m, by_stack);
    m->stub = g->nstubs - 1;
    s->point = m->point;
    s->retry = m->retry;
    set_shape(g, s, m, value, other);
    s->result[0] = (int8_t)m->t0;
    s->result[1] = (int8_t)m->t1;
    if (m->group) {
        rest_link(g, s);
    }
    load_addend(g, m, by_stack);
    s->checked = by_stack ? g->a.p : NULL;
    if (g->op->op == OP_ld && !m->group && m->size >= 16) {
        s->shape.checked = (uint8_t)(g->a.p - m->retry);
    }
    census_since(g, CENSUS_CHECKS, m->retry);
}

static inline void check(Gen *g, Access *m, IrRef value, IrRef other)
{
    if (!m->member) {
        check_alone(g, m, value, other);
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
    x_flags_changed(&g->a); /* the slow path comes back with any */
    if (m->group) {
        def_reg(g, m->group->token, m->t0, true);
    } else {
        s->shape.dst = dst;
    }
    g_assert(s->done - s->retry <= UINT8_MAX || g->a.full);
    s->shape.length = (uint8_t)(s->done - s->retry);
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

/* Does the next op take what is loaded as its second operand, which may be memory? */
static bool is_left_to_next(const Gen *g)
{
    const IrOp *next = &g->ops[g->cur + 1];

    return g->cur + 1 < g->ir->nops && next->type == V256 && x64_rules[next->op] == emit_vbin &&
           next->b == CUR && g->notes->uses[g->cur] == 1;
}

static void load_vec(Gen *g, Access *m)
{
    IrType t = (IrType)g->op->type;
    bool vex = g->be->feat.avx2, zx;
    bool whole = t == V128 || t == V256 || (g->want[g->cur] & WANT_ZX);
    int dst = whole ? hinted_reg(g) : NO_REG;
    unsigned x = t == F64 ? X_MOVSD : t == F32 ? X_MOVSS : X_MOVUPS;

    if (m->member && t == V256 && is_left_to_next(g)) {
        g->left.load = CUR;
        g->left.at = m->host;
        return;
    }
    if (dst == NO_REG) {
        dst = alloc_xmm(g);
    } else {
        evict(g, dst);
    }
    check(g, m, IR_NONE, IR_NONE);
    zx = vex && t != V256 && (is_temp(dst) || (g->want[g->cur] & WANT_ZX));
    if (zx || t == V256 || (vex && is_temp(dst))) {
        x_vex_rm(&g->a, x, t == V256, dst - 16, 0, m->host);
    } else {
        x_rm(&g->a, x, 4, (X86Reg)(dst - 16), m->host);
    }
    if (zx && !m->member && !m->group) {
        g->stubs[m->stub].shape.value = PLACE_ZX;
    }
    done(g, m, (uint8_t)dst);
    def_reg(g, CUR, dst, zx);
}

static void load_f80(Gen *g, Access *m)
{
    int32_t to;
    uint64_t unused;

    to = def_spill(g, CUR);
    check(g, m, IR_NONE, IR_NONE);
    x_rm(&g->a, 0xdb, 4, (X86Reg)5, m->host);
    x_rm(&g->a, 0xdb, 4, (X86Reg)7, env_mem(to));
    done(g, m, place_of(g, CUR, &unused));
}

/* The width to which the load is sign-extended right behind it, and nothing else is done with it;
 * 0: not so. */
static unsigned sign_extended(const Gen *g)
{
    const IrOp *next = &g->ops[g->cur + 1];
    unsigned w;

    if (g->notes->uses[g->cur] != 1 || g->cur + 1 == g->ir->nops || next->op != OP_sext ||
        next->a != CUR) {
        return 0;
    }
    w = ir_type_info[next->type].bytes;
    return MAX(w, 4u);
}

/* Into @dst; done for the extension, too. */
static void load_int(Gen *g, Access *m, unsigned size, unsigned extended, int dst)
{
    unsigned x;

    if (!extended) {
        x_load(&g->a, size, (X86Reg)dst, m->host);
        return;
    }
    x = size == 1 ? X_MOVSX8 : size == 2 ? X_MOVSX16 : X_MOVSXD;
    x_rm(&g->a, x & ~(unsigned)X_RM8, extended, (X86Reg)dst, m->host);
    if (!m->member && !m->group) {
        g->stubs[m->stub].shape.extended = (uint8_t)extended;
    }
    g->fused_second = CUR + 1;
}

void emit_ld(Gen *g)
{
    unsigned size = ir_type_info[g->op->type].bytes, extended;
    Access m;
    int dst;

    begin(g);
    prepare(g, &m, size, false);
    if (g->op->type == F80) {
        load_f80(g, &m);
        return;
    }
    if (is_vec((IrType)g->op->type)) {
        load_vec(g, &m);
        return;
    }
    extended = sign_extended(g);
    dst = hinted_reg(g);
    if (dst == NO_REG) {
        dst = m.t1;
    } else {
        evict(g, dst);
    }
    check(g, &m, IR_NONE, IR_NONE);
    load_int(g, &m, size, extended, dst);
    done(g, &m, (uint8_t)dst);
    def_reg(g, CUR, dst, size < 8 && !extended);
}

/* Nothing between the ops but comparisons of what was loaded: a free register stays as it is unless
 * it is allocated. */
static bool only_compares(const Gen *g, unsigned from)
{
    while (++from < g->cur) {
        switch (g->ops[from].op) {
        case OP_nop:
        case OP_const:
        case OP_and:
        case OP_setcond:
        case OP_exit_if: break;
        default: return false;
        }
    }
    return true;
}

/* Where the word at @at of the host is: from the latest address, if it is still there. */
static Mem host_mem(Gen *g, uint64_t at, int spare)
{
    int64_t disp = (int64_t)(at - g->host.value);
    int r;

    if (g->host.reg != NO_REG && !g->head[g->host.reg] && disp == (int32_t)disp &&
        only_compares(g, g->host.at)) {
        g->host.at = g->cur;
        return mem_base((X86Reg)g->host.reg, (int32_t)disp);
    }
    r = free_temp(g, 1u << R12);
    g->host.reg = r;
    g->host.at = g->cur;
    g->host.value = at;
    r = r == NO_REG ? spare : r;
    x_mov_imm(&g->a, (X86Reg)r, at);
    return mem_base((X86Reg)r, 0);
}

void emit_ld_host(Gen *g)
{
    unsigned size = ir_type_info[g->op->type].bytes;
    int dst = hinted_reg(g);

    if (dst == NO_REG) {
        dst = alloc_gpr(g);
    } else {
        evict(g, dst);
    }
    x_load(&g->a, size, (X86Reg)dst, host_mem(g, g->op->value, dst));
    def_reg(g, CUR, dst, size < 8);
}

/* A constant operand that the host takes as immediate, else a register. */
static Opnd value_operand(Gen *g, IrRef v)
{
    Opnd o = { .kind = OPND_IMM };

    if (!fits_imm(g, v, &o.imm)) {
        o.kind = OPND_REG;
        o.reg = use_gpr(g, v);
    }
    return o;
}

void emit_st_host(Gen *g)
{
    unsigned size = ir_type_info[g->op->type].bytes;
    Opnd o = value_operand(g, g->op->b);
    Mem at = mem_base((X86Reg)use_gpr(g, g->op->a), (int32_t)g->op->imm);

    if (o.kind == OPND_IMM) {
        x_store_imm(&g->a, size, at, o.imm);
    } else {
        x_store(&g->a, size, at, (X86Reg)o.reg);
    }
}

void emit_st(Gen *g)
{
    IrRef v = g->op->b;
    IrType t = (IrType)g->ops[v].type;
    unsigned size = ir_type_info[t].bytes;
    Opnd o = { 0 };
    Access m;

    begin(g);
    if (is_vec(t)) {
        o.reg = use_xmm(g, v);
    } else if (t != F80) {
        o = value_operand(g, v);
    }
    prepare(g, &m, size, true);
    if (is_vec(t) && g->loc[v].kind != LOC_REG) { /* constants: the slow path wants bits */
        def_reg(g, v, o.reg, false);
    }
    check(g, &m, v, IR_NONE);
    if (t == F80) {
        x_rm(&g->a, 0xdb, 4, (X86Reg)5, env_mem(g->loc[v].off));
        x_rm(&g->a, 0xdb, 4, (X86Reg)7, m.host);
    } else if (t == V256) {
        x_vex_rm(&g->a, X_MOVUPS_ST, true, o.reg - 16, 0, m.host);
    } else if (is_vec(t)) {
        x_rm(&g->a,
             t == V128  ? X_MOVUPS_ST
             : t == F64 ? X_MOVSD_ST
                        : X_MOVSS_ST,
             4, (X86Reg)(o.reg - 16), m.host);
    } else if (o.kind == OPND_IMM) {
        x_store_imm(&g->a, size, m.host, o.imm);
    } else {
        x_store(&g->a, size, m.host, (X86Reg)o.reg);
    }
    done(g, &m, PLACE_NONE);
}

/* What no TLB entry can be had for is run again with the x87 by helpers. */
void emit_x87_mem(Gen *g)
{
    Access m;

    g_assert(!(g->op->d & MEM_ALIGN));
    begin(g);
    prepare(g, &m, ir_type_info[g->op->type].bytes, g->op->op == OP_x87_st);
    check(g, &m, IR_NONE, IR_NONE);
    x_rm(&g->a, 0xd8 + (g->op->b >> 8), 4, (X86Reg)(g->op->b >> 3 & 7), m.host);
    done(g, &m, PLACE_NONE);
}

void emit_probe(Gen *g)
{
    Access m;

    begin(g);
    prepare(g, &m, g->op->b, g->op->aux);
    check(g, &m, IR_NONE, IR_NONE);
    done(g, &m, PLACE_NONE);
}

void emit_fence(Gen *g)
{
    if (g->op->aux == 3 && g->be->layout->parallel) {
        x_byte(&g->a, 0x0f); /* MFENCE */
        x_byte(&g->a, 0xae);
        x_byte(&g->a, 0xf0);
    }
}

/* -- Read-modify-write ------------------------------------------------------------------------ */

static X86Alu rmw_alu(unsigned op)
{
    switch (op) {
    case OP_rmw_sub: return ALU_SUB;
    case OP_rmw_and: return ALU_AND;
    case OP_rmw_or: return ALU_OR;
    case OP_rmw_xor: return ALU_XOR;
    default: return ALU_ADD;
    }
}

static void alu_to_mem(Gen *g, X86Alu op, unsigned w, Mem m, Opnd o)
{
    if (o.kind == OPND_IMM) {
        x_alu_mi(&g->a, op, w, m, o.imm);
    } else {
        x_alu_mr(&g->a, op, w, m, (X86Reg)o.reg);
    }
}

static void put_opnd(Gen *g, int r, Opnd o)
{
    if (o.kind == OPND_IMM) {
        x_mov_imm(&g->a, (X86Reg)r, (uint64_t)(int64_t)o.imm);
    } else {
        x_mov(&g->a, 8, (X86Reg)r, (X86Reg)o.reg);
    }
}

static void store_opnd(Gen *g, unsigned w, Mem m, Opnd o)
{
    if (o.kind == OPND_IMM) {
        x_store_imm(&g->a, w, m, o.imm);
    } else {
        x_store(&g->a, w, m, (X86Reg)o.reg);
    }
}

static void lock_prefix(Gen *g)
{
    x_byte(&g->a, 0xf0);
}

static void rmw_plain(Gen *g, const Access *m, Opnd o, bool used)
{
    unsigned w = m->size, op = g->op->op;
    int t = m->t1;

    if (op == OP_rmw_xchg || op == OP_rmw_xadd) {
        if (used) {
            x_load(&g->a, w, (X86Reg)t, m->host);
        }
        if (op == OP_rmw_xchg) {
            store_opnd(g, w, m->host, o);
        } else {
            alu_to_mem(g, ALU_ADD, w, m->host, o);
        }
    } else if (!used) {
        alu_to_mem(g, rmw_alu(op), w, m->host, o);
    } else {
        x_load(&g->a, w, (X86Reg)t, m->host);
        alu_opnd(g, rmw_alu(op), w, t, o);
        x_store(&g->a, w, m->host, (X86Reg)t);
    }
}

/* AND, OR, XOR with the new value wanted: compare and exchange until nobody came between. */
static void rmw_loop(Gen *g, const Access *m, Opnd o)
{
    Mem save = env_mem(scr(g, SCR_RET)), at = mem_base((X86Reg)m->t0, 0);
    X86Alu op = rmw_alu(g->op->op);
    unsigned w = m->size;
    uint8_t *loop;

    x_rm(&g->a, X_LEA, 8, (X86Reg)m->t0, m->host);
    x_store(&g->a, 8, save, RAX);
    x_load(&g->a, w, RAX, at);
    loop = g->a.p;
    x_mov(&g->a, 8, (X86Reg)m->t1, RAX);
    if (o.kind == OPND_REG && o.reg == RAX) {
        x_alu_rm(&g->a, op, w, (X86Reg)m->t1, save);
    } else {
        alu_opnd(g, op, w, m->t1, o);
    }
    lock_prefix(g);
    x_flags_rm(&g->a, w == 1 ? (X_CMPXCHG - 1) | X_REG8 : X_CMPXCHG, w, (X86Reg)m->t1, at);
    uint8_t *j = x_jcc8(&g->a, CC_NZ);
    j[-1] = (uint8_t)(loop - j);
    x_load(&g->a, 8, RAX, save);
}

static void rmw_locked(Gen *g, const Access *m, Opnd o, bool used)
{
    unsigned w = m->size, op = g->op->op;
    int t = m->t1;

    if (op == OP_rmw_xchg) {
        put_opnd(g, t, o);
        x_rm(&g->a, w == 1 ? (X_XCHG - 1) | X_REG8 : X_XCHG, w, (X86Reg)t, m->host);
    } else if (!used) {
        lock_prefix(g);
        alu_to_mem(g, rmw_alu(op), w, m->host, o);
    } else if (op == OP_rmw_and || op == OP_rmw_or || op == OP_rmw_xor) {
        rmw_loop(g, m, o);
    } else {
        put_opnd(g, t, o);
        if (op == OP_rmw_sub) {
            x_grp3(&g->a, G3_NEG, 8, (X86Reg)t);
        }
        lock_prefix(g);
        x_flags_rm(&g->a, w == 1 ? (X_XADD - 1) | X_REG8 : X_XADD, w, (X86Reg)t, m->host);
        if (op != OP_rmw_xadd) {
            alu_opnd(g, rmw_alu(op), w, t, o);
        }
    }
}

static bool is_locked(const Gen *g)
{
    return (g->op->d & MEM_LOCK) && g->be->layout->parallel;
}

void emit_rmw(Gen *g)
{
    bool used = g->last[g->cur] > 0;
    Opnd o;
    Access m;

    begin(g);
    o = value_operand(g, g->op->b);
    prepare(g, &m, ir_type_info[g->op->type].bytes, true);
    check(g, &m, g->op->b, IR_NONE);
    if (is_locked(g)) {
        rmw_locked(g, &m, o, used);
    } else {
        rmw_plain(g, &m, o, used);
    }
    done(g, &m, used ? (uint8_t)m.t1 : PLACE_NONE);
    def_reg(g, CUR, m.t1, !is_locked(g) && m.size < 8);
}

void emit_cas(Gen *g)
{
    unsigned w = ir_type_info[g->op->type].bytes;
    int v;
    Access m;
    X86Reg t0, t1;

    begin(g);
    v = use_gpr(g, g->op->b);
    prepare(g, &m, w, true);
    t0 = (X86Reg)m.t0;
    t1 = (X86Reg)m.t1;
    check(g, &m, g->op->b, g->op->c);
    x_rm(&g->a, X_LEA, 8, t0, m.host);
    x_mov(&g->a, 8, t1, RAX);
    load_gpr(g, RAX, g->op->c);
    if (is_locked(g)) {
        lock_prefix(g);
    }
    x_flags_rm(&g->a, w == 1 ? (X_CMPXCHG - 1) | X_REG8 : X_CMPXCHG, w, v == RAX ? t1 : (X86Reg)v,
               mem_base(t0, 0));
    x_xchg(&g->a, RAX, t1);
    done(g, &m, (uint8_t)m.t1);
    def_reg(g, CUR, m.t1, false);
}
