/* SPDX-License-Identifier: MIT */
/*
 * VEX encodings: 256 bits, three operands, and bits above the result zeroed. Ops of 128 bits take
 * this form whenever their result goes into a temporary or makes up a whole V256 slot (WANT_ZX);
 * the legacy form stays for those that leave the upper half of a pin alone.
 *
 * Upper halves of pins cost time at entries, exits and calls only while they may be in use: two
 * bytes in the scratch area say so (gen.h, SCR_LIVE).
 *
 * On Intel's processors each change between legacy and VEX forms costs some 70 cycles from an
 * instruction of 256 bits to the next VZEROUPPER: while SCR_LIVE is 0 nothing executes one.
 */
#include "tcg/x86_64/gen.h"

#define CUR     ((IrRef)g->cur)
#define P(op)   (X_66 | X_0F | (op))
#define P38(op) (X_66 | X_0F38 | (op))
#define P3A(op) (X_66 | X_0F3A | (op))

static int xr(int r)
{
    return r - 16;
}

static bool is_256(const Gen *g)
{
    return g->op->type == V256 || (g->op->a && g->ops[g->op->a].type == V256);
}

bool use_vex(const Gen *g)
{
    bool legacy = g->hint[g->cur] && !(g->want[g->cur] & WANT_ZX);
    IrType t = (IrType)g->op->type;

    return g->be->feat.avx2 && (is_256(g) || (t == V128 && !legacy));
}

/* A register for the result of an instruction that writes after it has read: the pin that wants it
 * whole, @a's (NO_REG: none) if nobody else wants that, or a temporary. */
int pick_vex(Gen *g, int a)
{
    bool whole = g->op->type == V256 || (g->want[g->cur] & WANT_ZX);
    int pin = whole ? hinted_reg(g) : NO_REG, r;

    if (pin != NO_REG && pin >= 16) {
        evict(g, pin);
        return pin;
    }
    if (a != NO_REG && is_temp(a) && reg_dies(g, a)) {
        evict(g, a);
        return a;
    }
    r = free_xmm(g);
    if (r == NO_REG && a != NO_REG && is_temp(a)) {
        evict(g, a);
        return a;
    }
    return r == NO_REG ? alloc_xmm(g) : r;
}

static void vex_rr(Gen *g, unsigned x, int dst, int vvvv, int rm)
{
    x_vex_rr(&g->a, x, is_256(g), xr(dst), vvvv == NO_REG ? 0 : xr(vvvv), xr(rm));
}

static void vex_result(Gen *g, int dst)
{
    def_reg(g, CUR, dst, g->op->type != V256);
}

void emit_vex_bin(Gen *g, unsigned x)
{
    bool left = g->left.load && g->left.load == g->op->b;
    int a = use_xmm(g, g->op->a), b = left ? NO_REG : use_xmm(g, g->op->b), dst = pick_vex(g, a);

    if (left) {
        x_vex_rm(&g->a, x, true, xr(dst), xr(a), g->left.at);
        g->left.load = IR_NONE;
    } else {
        vex_rr(g, x, dst, a, b);
    }
    vex_result(g, dst);
}

void emit_vex_bin_imm(Gen *g, unsigned x, unsigned imm)
{
    emit_vex_bin(g, x);
    x_byte(&g->a, imm & 0xff);
}

void emit_vex_un(Gen *g, unsigned x)
{
    int a = use_xmm(g, g->op->a), dst = pick_vex(g, a);

    vex_rr(g, x, dst, NO_REG, a);
    vex_result(g, dst);
}

void emit_vex_un_imm(Gen *g, unsigned x, unsigned imm)
{
    emit_vex_un(g, x);
    x_byte(&g->a, imm & 0xff);
}

/* Shifts by immediate: @ext in the reg field, the destination in vvvv. */
void emit_vex_shift_imm(Gen *g, unsigned x, unsigned ext, unsigned imm)
{
    int a = use_xmm(g, g->op->a), dst = pick_vex(g, a);

    x_vex_rr(&g->a, x, is_256(g), (int)ext, xr(dst), xr(a));
    x_byte(&g->a, imm);
    vex_result(g, dst);
}

/* -- Moves ------------------------------------------------------------------------------------ */

void emit_zext_vec(Gen *g)
{
    IrRef v = g->op->a;
    int a, dst;

    if (g->loc[v].kind == LOC_REG && g->loc[v].zx) {
        def_alias(g, CUR, v, false);
        return;
    }
    if (g->loc[v].kind == LOC_REG) {
        a = use_xmm(g, v);
        dst = pick_vex(g, a);
        if (g->ops[v].type == V128) {
            x_vex_rr(&g->a, X_MOVAPS, false, xr(dst), 0, xr(a));
        } else if (g->ops[v].type == F64) {
            x_vex_rr(&g->a, X_MOVQ, false, xr(dst), 0, xr(a));
        } else { /* VINSERTPS: three of its lanes become 0 */
            x_vex_rr(&g->a, P3A(0x21), false, xr(dst), xr(a), xr(a));
            x_byte(&g->a, 0x0e);
        }
    } else {
        dst = pick_vex(g, NO_REG);
        load_vex(g, dst, v);
    }
    def_reg(g, CUR, dst, false);
}

void emit_trunc_vec(Gen *g)
{
    IrRef v = g->op->a;

    if (g->loc[v].kind == LOC_ENV && !live_after(g, v)) {
        def_env(g, CUR, g->loc[v].off, g->loc[v].in_file);
        return;
    }
    def_reg(g, CUR, use_xmm(g, v), false);
}

static bool legacy_movlo(Gen *g, unsigned x)
{
    int a, b, dst;

    if (use_vex(g)) {
        return false;
    }
    a = use_xmm(g, g->op->a);
    b = use_xmm(g, g->op->b);
    dst = pick_xmm(g, a, b != a ? 1u << b : 0);
    if (dst != a) {
        x_rr(&g->a, X_MOVAPS, 4, (X86Reg)xr(dst), (X86Reg)xr(a));
    }
    x_rr(&g->a, x, 4, (X86Reg)xr(dst), (X86Reg)xr(b));
    def_reg(g, CUR, dst, false);
    return true;
}

void emit_vmovlo(Gen *g)
{
    unsigned x = g->ops[g->op->b].type == F32 ? X_MOVSS : X_MOVSD;

    if (!legacy_movlo(g, x)) {
        emit_vex_bin(g, x);
    }
}

/* Forget V256 values in registers, slots' and others', before the upper halves go. */
static void save_uppers(Gen *g)
{
    evict_all_env(g, true);
    for (int r = 16; r < NREGS; r++) {
        for (IrRef v = g->head[r]; v; v = g->loc[v].next) {
            if (g->ops[v].type == V256 && g->last[v] >= g->cur) {
                spill_reg(g, r);
                break;
            }
        }
        g->pin_value[r] = IR_NONE;
    }
    g->locked = 0;
}

void emit_vzeroupper(Gen *g)
{
    const TcgConfig *c = &g->be->config;
    int zero;

    save_uppers(g);
    zero = alloc_xmm(g);
    x_vex_rr(&g->a, X_0F | 0x57, false, xr(zero), xr(zero), xr(zero));
    for (unsigned i = 0; i < c->nslots; i++) {
        if (ir_slot_has_upper(&c->slots[i]) && g->be->slot[i].reg == NO_REG) {
            x_vex_rm(&g->a, X_MOVUPS_ST, false, xr(zero), 0, env_mem(g->be->slot[i].off + 16));
        }
    }
    x_vex0(&g->a, X_0F | 0x77);
    x_store_imm(&g->a, 1, env_mem(scr(g, SCR_LIVE)), 0);
    g->upper_marked = false;
}

/* Registers above 128 bits may be in use from here on. */
void mark_upper(Gen *g)
{
    const IrOp *op = g->op;

    if (g->upper_marked || op->type != V256 || op->op == OP_zext || op->op == OP_get ||
        op->op == OP_const || (op->op == OP_set && !has_upper(g, op->a))) {
        return;
    }
    g->upper_marked = true;
    x_store_imm(&g->a, 2, env_mem(scr(g, SCR_LIVE)), 0x101);
}

/* -- Permutations ----------------------------------------------------------------------------- */

void emit_vbcast(Gen *g)
{
    static const uint32_t x[] = { P38(0x78), P38(0x79), P38(0x58), P38(0x59), P3A(0x46) };
    int a, dst;

    if (g->op->aux == 4) { /* VPERM2I128 of it and itself */
        a = use_xmm(g, g->op->a);
        dst = pick_vex(g, a);
        vex_rr(g, x[4], dst, a, a);
        x_byte(&g->a, 0);
        vex_result(g, dst);
        return;
    }
    emit_vex_un(g, x[g->op->aux]);
}

void emit_vinserth(Gen *g)
{
    emit_vex_bin_imm(g, P3A(0x38), g->op->imm);
}

void emit_vextracth(Gen *g)
{
    int a, dst;

    if (!(g->op->imm & 1)) {
        emit_trunc_vec(g);
        return;
    }
    a = use_xmm(g, g->op->a);
    dst = pick_vex(g, a);
    x_vex_rr(&g->a, P3A(0x39), true, xr(a), 0, xr(dst));
    x_byte(&g->a, 1);
    vex_result(g, dst);
}

void emit_vwiden256(Gen *g)
{
    static const uint8_t code[3][4] = { { 0, 0x20, 0x21, 0x22 },
                                        { 0, 0, 0x23, 0x24 },
                                        { 0, 0, 0, 0x25 } };
    unsigned x = code[g->op->aux][g->op->imm & 3];

    emit_vex_un(g, P38(x | (g->op->op == OP_vwidenu ? 0x10u : 0)));
}

void emit_vselect(Gen *g)
{
    static const uint8_t code[] = { 0x4c, 0, 0x4a, 0x4b };
    int a = use_xmm(g, g->op->a), b = use_xmm(g, g->op->b), c = use_xmm(g, g->op->c);
    int dst = pick_vex(g, a);

    vex_rr(g, P3A(code[g->op->aux]), dst, a, b);
    x_byte(&g->a, (unsigned)xr(c) << 4);
    vex_result(g, dst);
}

/* Ops that exist with VEX only. */
void emit_avx(Gen *g)
{
    static const struct {
        uint32_t x[4];
        bool imm, unary;
    } rows[IR_NOPS] = {
        [OP_vlane2] = { { 0, 0, 0, P3A(0x46) }, true, false },
        [OP_vpermq] = { { 0, 0, 0, P3A(0x00) | X_W }, true, true },
        [OP_vpermd] = { { 0, 0, P38(0x36) }, false, false },
        [OP_vpermil] = { { 0, 0, P38(0x0c), P38(0x0d) }, false, false },
        [OP_vshlv] = { { 0, 0, P38(0x47), P38(0x47) | X_W }, false, false },
        [OP_vshrv] = { { 0, 0, P38(0x45), P38(0x45) | X_W }, false, false },
        [OP_vsarv] = { { 0, 0, P38(0x46) }, false, false },
        [OP_vgfmul] = { { P38(0xcf) }, false, false },
        [OP_vgfaffine] = { { P3A(0xce) | X_W }, true, false },
        [OP_vgfaffinei] = { { P3A(0xcf) | X_W }, true, false },
    };
    unsigned op = g->op->op, x = rows[op].x[g->op->aux & 3];

    g_assert(x && g->be->feat.avx2);
    if (rows[op].unary) {
        emit_vex_un(g, x);
    } else {
        emit_vex_bin(g, x);
    }
    if (rows[op].imm) {
        x_byte(&g->a, g->op->imm & 0xff);
    }
}

/* -- Floating point --------------------------------------------------------------------------- */

/* The first operand is overwritten. */
void emit_fma(Gen *g)
{
    unsigned x = P38(g->op->imm & 0xff) | (g->op->aux & 1 ? X_W : 0);
    IrRef va = g->op->a;
    int b = use_xmm(g, g->op->b), c = use_xmm(g, g->op->c), dst;
    bool in_reg = g->loc[va].kind == LOC_REG;
    int a = in_reg ? use_xmm(g, va) : NO_REG;

    dst = pick_vex(g, a);
    if (dst == b || dst == c) { /* the pin is an operand that is needed */
        dst = alloc_xmm(g);
    } else {
        lock(g, dst);
    }
    if (!in_reg) {
        load_vex(g, dst, va);
    } else if (dst != a) {
        x_vex_rr(&g->a, X_MOVAPS, g->op->type == V256, xr(dst), 0, xr(a));
    }
    x_vex_rr(&g->a, x, g->op->type == V256, xr(dst), xr(b), xr(c));
    vex_result(g, dst);
}

void emit_vex_cvt(Gen *g)
{
    int a, dst;

    if (g->op->aux == VCVT_PH2PS) {
        emit_vex_un(g, P38(0x13));
        return;
    }
    a = use_xmm(g, g->op->a);
    dst = pick_vex(g, a);
    x_vex_rr(&g->a, P3A(0x1d), is_256(g), xr(a), 0, xr(dst));
    x_byte(&g->a, g->op->imm & 0xff);
    vex_result(g, dst);
}
