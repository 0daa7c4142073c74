/* SPDX-License-Identifier: MIT */
/*
 * Local register allocation, fused with emission: one walk forward, last uses known from the
 * backward pass. Temporaries are handed out as they are wanted; the one whose content is needed
 * furthest away goes to the scratch area when there is none left. Nothing here emits an instruction
 * that changes flags.
 */
#include "tcg/x86_64/gen.h"

static bool is_xmm_reg(int r)
{
    return r >= 16;
}

int32_t def_spill(Gen *g, IrRef v)
{
    int32_t off = spill_alloc(g, spill_units(g, v));

    g->loc[v] = (Loc){ .kind = LOC_SPILL, .off = off };
    return off;
}

void emit_spill(Gen *g, IrRef v, int r)
{
    int32_t off = spill_alloc(g, spill_units(g, v));

    if (!is_xmm_reg(r)) {
        x_store(&g->a, 8, env_mem(off), (X86Reg)r);
    } else if (g->ops[v].type == V256) {
        x_vex_rm(&g->a, X_MOVUPS_ST, true, r - 16, 0, env_mem(off));
    } else if (g->ops[v].type == V128) {
        x_rm(&g->a, X_MOVUPS_ST, 4, (X86Reg)(r - 16), env_mem(off));
    } else {
        x_rm(&g->a, X_MOVSD_ST, 4, (X86Reg)(r - 16), env_mem(off));
    }
    bool zx = g->loc[v].zx;
    drop(g, v);
    g->loc[v] = (Loc){ .kind = LOC_SPILL, .off = off, .zx = zx };
}

int alloc_xmm(Gen *g)
{
    return alloc_temp(g, XMM_TEMPS);
}

int free_xmm(Gen *g)
{
    int r = free_temp(g, XMM_TEMPS);

    if (r != NO_REG) {
        lock(g, r);
    }
    return r;
}

bool const_value(const Gen *g, IrRef v, uint64_t *value)
{
    const IrOp *op = &g->ops[v];

    if (op->op != OP_const || op->type == V128 || op->type == V256) {
        return false;
    }
    *value = op->value;
    return true;
}

static int64_t sign_extended(const IrOp *op)
{
    unsigned bits = ir_type_info[op->type].bits;

    if (bits >= 64) {
        return (int64_t)op->value;
    }
    return bits == 1 ? (int64_t)(op->value & 1)
                     : (int64_t)(op->value << (64 - bits)) >> (64 - bits);
}

bool fits_imm(const Gen *g, IrRef v, int32_t *imm)
{
    const IrOp *op = &g->ops[v];
    int64_t s;

    if (op->op != OP_const || op->type > I64) {
        return false;
    }
    s = sign_extended(op);
    *imm = (int32_t)s;
    return s == (int32_t)s;
}

static void load_lazy(Gen *g, int r, IrRef v)
{
    IrRef base;
    int32_t disp;

    g_assert(is_offset(g, v, &base, &disp));
    if (g->loc[base].kind == LOC_REG || is_beside(g, base, disp)) {
        x_lea(&g->a, 8, (X86Reg)r, base_mem(g, base, disp));
    } else {
        load_gpr(g, r, base);
        x_lea(&g->a, 8, (X86Reg)r, mem_base((X86Reg)r, disp));
    }
}

void load_gpr(Gen *g, int r, IrRef v)
{
    const Loc *l = &g->loc[v];
    unsigned bytes = bytes_of(g, v);

    switch (l->kind) {
    case LOC_CONST: x_mov_imm(&g->a, (X86Reg)r, g->ops[v].value); break;
    case LOC_REG:
        g_assert(!is_xmm_reg(l->reg));
        if (l->reg != r) {
            x_mov(&g->a, bytes == 8 ? 8 : 4, (X86Reg)r, (X86Reg)l->reg);
        }
        break;
    case LOC_ENV: x_load(&g->a, bytes, (X86Reg)r, env_mem(l->off)); break;
    case LOC_SPILL: x_load(&g->a, 8, (X86Reg)r, env_mem(l->off)); break;
    case LOC_LAZY: load_lazy(g, r, v); break;
    case LOC_BESIDE: x_lea(&g->a, 8, (X86Reg)r, mem_base((X86Reg)l->reg, l->off)); break;
    default: g_assert_not_reached();
    }
}

static G_GNUC_NO_INLINE int bring_gpr(Gen *g, IrRef v)
{
    Loc *l = &g->loc[v];
    int r;

    g_assert(l->kind != LOC_COND);
    r = alloc_gpr(g);
    load_gpr(g, r, v);
    if (l->kind != LOC_CONST) {
        bool zx = l->kind == LOC_ENV ? bytes_of(g, v) < 8 : l->zx;
        if (l->kind == LOC_ENV) {
            note_copy(g, v, l->off, l->in_file);
        }
        def_reg(g, v, r, zx);
    }
    return r;
}

int use_gpr(Gen *g, IrRef v)
{
    const Loc *l = &g->loc[v];

    if (G_LIKELY(l->kind == LOC_REG)) {
        lock(g, l->reg);
        return l->reg;
    }
    return bring_gpr(g, v);
}

static bool is_long(uint64_t value) /* a MOV of 10 bytes */
{
    return (int64_t)value != (int32_t)value && value > UINT32_MAX;
}

int pin_of_long(const Gen *g, uint64_t value)
{
    for (int p = 0; is_long(value) && p < 16; p++) {
        IrRef v = g->pin_value[p];
        if (v && g->ops[v].op == OP_const && g->ops[v].value == value) {
            return p;
        }
    }
    return NO_REG;
}

int read_gpr(Gen *g, IrRef v)
{
    int pin = g->loc[v].kind == LOC_CONST ? pin_of_long(g, g->ops[v].value) : NO_REG;

    if (pin == NO_REG) {
        return use_gpr(g, v);
    }
    lock(g, pin);
    return pin;
}

static void vec_const(Gen *g, int r, const IrOp *op)
{
    if (op->value == 0) {
        x_rr(&g->a, X_0F | 0x57, 4, (X86Reg)(r - 16), (X86Reg)(r - 16)); /* XORPS */
        return;
    }
    x_store_imm(&g->a, 4, env_mem(scr(g, SCR_RET)), (int32_t)op->value);
    if (op->type != F32) {
        x_store_imm(&g->a, 4, env_mem(scr(g, SCR_RET + 4)), (int32_t)(op->value >> 32));
    }
    if (op->type == F32) {
        x_rm(&g->a, X_MOVSS, 4, (X86Reg)(r - 16), env_mem(scr(g, SCR_RET)));
        return;
    }
    x_rm(&g->a, X_MOVSD, 4, (X86Reg)(r - 16), env_mem(scr(g, SCR_RET)));
    if (op->type == V128) {
        x_rr(&g->a, X_MOVLHPS, 4, (X86Reg)(r - 16), (X86Reg)(r - 16));
    }
}

static void vec_const_vex(Gen *g, int r, const IrOp *op)
{
    Mem m = env_mem(scr(g, SCR_RET));
    int x = r - 16;

    if (op->value == 0) {
        x_vex_rr(&g->a, X_0F | 0x57, false, x, x, x);
        return;
    }
    x_store_imm(&g->a, 4, m, (int32_t)op->value);
    if (op->type != F32) {
        x_store_imm(&g->a, 4, env_mem(m.disp + 4), (int32_t)(op->value >> 32));
    }
    switch (op->type) {
    case F32: x_vex_rm(&g->a, X_MOVSS, false, x, 0, m); break;
    case F64: x_vex_rm(&g->a, X_MOVSD, false, x, 0, m); break;
    case V128: x_vex_rm(&g->a, X_F2 | X_0F | 0x12, false, x, 0, m); break; /* VMOVDDUP */
    default: x_vex_rm(&g->a, X_66 | X_0F38 | 0x59, true, x, 0, m); break;  /* VPBROADCASTQ */
    }
}

void load_vex(Gen *g, int r, IrRef v)
{
    const Loc *l = &g->loc[v];
    IrType t = (IrType)g->ops[v].type;
    unsigned x = t == F64 ? X_MOVSD : t == F32 ? X_MOVSS : X_MOVUPS;

    switch (l->kind) {
    case LOC_CONST: vec_const_vex(g, r, &g->ops[v]); break;
    case LOC_REG: x_vex_rr(&g->a, X_MOVAPS, has_upper(g, v), r - 16, 0, l->reg - 16); break;
    case LOC_ENV:
    case LOC_SPILL: x_vex_rm(&g->a, x, has_upper(g, v), r - 16, 0, env_mem(l->off)); break;
    default: g_assert_not_reached();
    }
}

void load_xmm(Gen *g, int r, IrRef v)
{
    const Loc *l = &g->loc[v];
    IrType t = (IrType)g->ops[v].type;

    if (g->be->feat.avx2 && (t == V256 || is_temp(r))) {
        if (l->kind != LOC_REG || l->reg != r) {
            load_vex(g, r, v);
        }
        return;
    }

    switch (l->kind) {
    case LOC_CONST: vec_const(g, r, &g->ops[v]); break;
    case LOC_REG:
        if (l->reg != r) {
            x_rr(&g->a, X_MOVAPS, 4, (X86Reg)(r - 16), (X86Reg)(l->reg - 16));
        }
        break;
    case LOC_ENV:
    case LOC_SPILL:
        x_rm(&g->a,
             t == V128  ? X_MOVUPS
             : t == F64 ? X_MOVSD
                        : X_MOVSS,
             4, (X86Reg)(r - 16), env_mem(l->off));
        break;
    default: g_assert_not_reached();
    }
}

int use_xmm(Gen *g, IrRef v)
{
    Loc *l = &g->loc[v];
    int r;

    if (l->kind == LOC_REG) {
        g_assert(is_xmm_reg(l->reg));
        lock(g, l->reg);
        return l->reg;
    }
    r = alloc_xmm(g);
    load_xmm(g, r, v);
    if (l->kind != LOC_CONST) {
        def_reg(g, v, r, g->be->feat.avx2 && g->ops[v].type != V256);
    }
    return r;
}

/* A pin other than @r that equals @v. */
static int twin_of(const Gen *g, IrRef v, int r)
{
    for (int p = is_xmm_reg(r) ? 16 : 0, end = p + 16; p < end; p++) {
        if (p != r && g->pin_value[p] == v) {
            return p;
        }
    }
    return NO_REG;
}

/* All of it that is needed. */
static void copy_vec(Gen *g, int to, int from)
{
    bool whole = false;

    for (IrRef v = g->head[from]; v; v = g->loc[v].next) {
        whole |= has_upper(g, v) && live_after(g, v);
    }
    if (g->be->feat.avx2) {
        x_vex_rr(&g->a, X_MOVAPS, whole, to - 16, 0, from - 16);
    } else {
        x_rr(&g->a, X_MOVAPS, 4, (X86Reg)(to - 16), (X86Reg)(from - 16));
    }
}

void settle_beside(Gen *g, int pin)
{
    IrRef v = g->beside[pin];
    const Loc *l = &g->loc[v];
    X86Reg r = (X86Reg)pin;
    int32_t off = l->off;
    int t;

    g->beside[pin] = IR_NONE;
    if (l->kind != LOC_BESIDE || l->reg != pin) {
        return;
    }
    if (!live_after(g, v)) {
        drop(g, v);
        return;
    }
    t = free_temp(g, GPR_TEMPS);
    if (t != NO_REG) {
        x_lea(&g->a, 8, (X86Reg)t, mem_base(r, off));
        def_reg(g, v, t, true);
        return;
    }
    x_lea(&g->a, 8, r, mem_base(r, off));
    x_store(&g->a, 8, env_mem(def_spill(g, v)), r);
    x_lea(&g->a, 8, r, mem_base(r, -off));
}

/* @pin, which has @base or is beside it, goes on to @base + @disp. False: @base must move. */
bool leave_beside(Gen *g, IrRef base, int pin, int32_t disp)
{
    const Loc *l = &g->loc[base];
    IrRef old = g->beside[pin];

    if (!(g->want[base] & WANT_BESIDE) || l->reg != pin || !live_after(g, base) ||
        (l->kind != LOC_BESIDE && (l->kind != LOC_REG || twin_of(g, base, pin) != NO_REG)) ||
        (old && old != base && g->loc[old].kind == LOC_BESIDE) || disp == INT32_MIN) {
        return false;
    }
    drop(g, base);
    g->beside[pin] = IR_NONE; /* for now */
    return true;
}

void now_beside(Gen *g, IrRef base, int pin, int32_t disp)
{
    g->loc[base] = (Loc){ .kind = LOC_BESIDE, .reg = (int8_t)pin, .off = -disp };
    g->beside[pin] = base;
}

/* They live on in a pin that has them too, in a free temporary, or in memory if there is none: no
 * other register changes, so places noted for this op stay true. */
static G_GNUC_NO_INLINE void evict_values(Gen *g, int r)
{
    int t = NO_REG, twin;
    IrRef v = g->head[r];

    while (v) {
        IrRef next = g->loc[v].next;
        bool zx = g->loc[v].zx;
        if (!live_after(g, v)) {
            drop(g, v);
        } else if (g->want[v] & WANT_LAZY) {
            drop(g, v);
            g->loc[v].kind = LOC_LAZY;
        } else if ((twin = twin_of(g, v, r)) != NO_REG) {
            drop(g, v);
            def_reg(g, v, twin, zx);
        } else {
            if (t == NO_REG) {
                t = free_temp(g, is_xmm_reg(r) ? XMM_TEMPS : GPR_TEMPS);
                if (t == NO_REG) {
                    to_memory(g, v, r);
                    v = next;
                    continue;
                }
                if (is_xmm_reg(r)) {
                    copy_vec(g, t, r);
                } else {
                    x_mov(&g->a, 8, (X86Reg)t, (X86Reg)r);
                }
            }
            drop(g, v);
            def_reg(g, v, t, zx);
        }
        v = next;
    }
}

void evict(Gen *g, int r)
{
    g->pin_value[r] = IR_NONE;
    if (g->beside[r]) {
        settle_beside(g, r);
    }
    drop_leading(g, r, g->cur + 1);
    if (g->head[r]) {
        evict_values(g, r);
    }
}

void settle_late(Gen *g, int pin)
{
    X86Reg r = (X86Reg)pin;

    evict_used(g, pin);
    x_lea(&g->a, 8, r, mem_base(r, g->late_by[pin]));
    g->late &= ~(1u << pin);
}

void copy_f80(Gen *g, int32_t to, int32_t from)
{
    int t = alloc_gpr(g);

    x_load(&g->a, 8, (X86Reg)t, env_mem(from));
    x_store(&g->a, 8, env_mem(to), (X86Reg)t);
    x_load(&g->a, 2, (X86Reg)t, env_mem(from + 8));
    x_store(&g->a, 2, env_mem(to + 8), (X86Reg)t);
    unlock(g, t);
}

/* A value that a slot in env stood for gets a place of its own. */
void settle_env(Gen *g, IrRef v)
{
    IrType type = (IrType)g->ops[v].type;
    int32_t from = g->loc[v].off, to;
    int r;

    if (type == F80) {
        drop(g, v);
        to = def_spill(g, v);
        copy_f80(g, to, from);
        return;
    }
    r = is_vec(type) ? alloc_xmm(g) : alloc_gpr(g);
    if (is_vec(type)) {
        load_xmm(g, r, v);
    } else {
        load_gpr(g, r, v);
    }
    def_reg(g, v, r, is_vec(type) ? g->be->feat.avx2 && type != V256 : bytes_of(g, v) < 8);
    unlock(g, r);
}

int hinted_reg(Gen *g)
{
    unsigned set = g->hint[g->cur];

    if (!set || (g->want[g->cur] & WANT_PART)) {
        return NO_REG;
    }
    return g->be->slot[g->ops[set].imm].reg;
}

int hinted_part(Gen *g)
{
    unsigned set = g->hint[g->cur];

    return set ? g->be->slot[g->ops[set].imm].reg : NO_REG;
}

static int pick(Gen *g, int a, uint32_t avoid, uint32_t temps, bool part_ok)
{
    int pin = hinted_reg(g), r;

    if (pin != NO_REG && !(avoid >> pin & 1) && (pin < 16) == (temps == GPR_TEMPS)) {
        evict(g, pin);
        return pin;
    }
    if (a != NO_REG && (temps >> a & 1) && !(avoid >> a & 1) && reg_dies(g, a)) {
        evict(g, a);
        lock(g, a);
        return a;
    }
    r = hinted_part(g);
    if (part_ok && a != NO_REG && r == a && (g->want[g->cur] & WANT_PART) && !(avoid >> r & 1)) {
        evict(g, r);
        return r;
    }
    return alloc_temp(g, temps);
}

int pick_gpr(Gen *g, int a, uint32_t avoid)
{
    return pick(g, a, avoid, GPR_TEMPS, false);
}

int pick_gpr_part(Gen *g, int a, uint32_t avoid)
{
    return pick(g, a, avoid, GPR_TEMPS, true);
}

int pick_xmm(Gen *g, int a, uint32_t avoid)
{
    return pick(g, a, avoid, XMM_TEMPS, false);
}

int pick_xmm_part(Gen *g, int a, uint32_t avoid)
{
    return pick(g, a, avoid, XMM_TEMPS, true);
}

uint8_t place_of(Gen *g, IrRef v, uint64_t *extra)
{
    const Loc *l = &g->loc[v];

    switch (l->kind) {
    case LOC_REG: return (uint8_t)l->reg;
    case LOC_SPILL: return (uint8_t)(PLACE_SPILL + spill_unit(g, l->off));
    case LOC_ENV: *extra = (uint64_t)(int64_t)(l->off + ENV_BIAS); return PLACE_ENV;
    case LOC_CONST: *extra = g->ops[v].value; return PLACE_CONST;
    default: g_assert_not_reached();
    }
}

Opnd use_opnd(Gen *g, IrRef v, unsigned w)
{
    Opnd o = { .kind = OPND_REG, .reg = NO_REG };
    const Loc *l = &g->loc[v];

    if (fits_imm(g, v, &o.imm)) {
        o.kind = OPND_IMM;
    } else if ((l->kind == LOC_SPILL || (l->kind == LOC_ENV && bytes_of(g, v) >= w)) &&
               (!live_after(g, v) || free_temp(g, GPR_TEMPS) == NO_REG)) {
        o.kind = OPND_MEM;
        o.mem = env_mem(l->off);
    } else {
        o.reg = read_gpr(g, v);
    }
    return o;
}

void alu_opnd(Gen *g, X86Alu op, unsigned w, int dst, Opnd o)
{
    if (o.kind == OPND_REG) {
        x_alu(&g->a, op, w, (X86Reg)dst, (X86Reg)o.reg);
    } else if (o.kind == OPND_IMM) {
        x_alu_imm(&g->a, op, w, (X86Reg)dst, o.imm);
    } else {
        x_alu_rm(&g->a, op, w, (X86Reg)dst, o.mem);
    }
}
