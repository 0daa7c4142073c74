/* SPDX-License-Identifier: MIT */
/*
 * Folding of one op at a time: constants, identities, chains of extensions, address arithmetic and
 * the few conditions of flags bundles that can be answered from their shape. Floating point is
 * never folded: its status and rounding belong to run time.
 */
#include "tcg/fold.h"

#include "tcg/bits.h"
#include "tcg/builder.h"

static bool is_int(unsigned type)
{
    return type >= I1 && type <= I64;
}

static int64_t sign_extend(uint64_t v, unsigned bits)
{
    return bits >= 64 ? (int64_t)v : (int64_t)(v << (64 - bits)) >> (64 - bits);
}

static bool compare(IrCond cond, uint64_t x, uint64_t y, unsigned bits)
{
    int64_t sx = sign_extend(x, bits), sy = sign_extend(y, bits);

    switch (cond) {
    case COND_EQ: return x == y;
    case COND_NE: return x != y;
    case COND_LTU: return x < y;
    case COND_GEU: return x >= y;
    case COND_LEU: return x <= y;
    case COND_GTU: return x > y;
    case COND_LT: return sx < sy;
    case COND_GE: return sx >= sy;
    case COND_LE: return sx <= sy;
    case COND_GT: return sx > sy;
    }
    g_assert_not_reached();
}

static uint64_t rotate_left(uint64_t x, unsigned n, unsigned bits)
{
    return n ? x << n | x >> (bits - n) : x;
}

static uint64_t mul_high(uint64_t x, uint64_t y, unsigned bits, bool is_signed)
{
    if (is_signed) {
        __int128 p = (__int128)sign_extend(x, bits) * sign_extend(y, bits);
        return (uint64_t)(p >> bits);
    }
    return (uint64_t)((unsigned __int128)x * y >> bits);
}

static bool eval_bin(IrOpcode op, unsigned bits, uint64_t x, uint64_t y, uint64_t *r)
{
    unsigned n = (unsigned)(y & (bits - 1));

    switch (op) {
    case OP_add: *r = x + y; return true;
    case OP_sub: *r = x - y; return true;
    case OP_mul: *r = x * y; return true;
    case OP_mulhu: *r = mul_high(x, y, bits, false); return true;
    case OP_mulhs: *r = mul_high(x, y, bits, true); return true;
    case OP_and: *r = x & y; return true;
    case OP_or: *r = x | y; return true;
    case OP_xor: *r = x ^ y; return true;
    case OP_andn: *r = ~x & y; return true;
    case OP_pdep: *r = bits_scatter(x, y); return true;
    case OP_pext: *r = bits_gather(x, y); return true;
    case OP_shl: *r = x << n; return true;
    case OP_shr: *r = x >> n; return true;
    case OP_sar: *r = (uint64_t)(sign_extend(x, bits) >> n); return true;
    case OP_rotl: *r = rotate_left(x, n, bits); return true;
    case OP_rotr: *r = rotate_left(x, (bits - n) & (bits - 1), bits); return true;
    default: return false;
    }
}

static bool eval_un(IrOpcode op, unsigned bits, uint64_t x, uint64_t *r)
{
    switch (op) {
    case OP_mov: *r = x; return true;
    case OP_neg: *r = -x; return true;
    case OP_not: *r = ~x; return true;
    case OP_bswap: *r = __builtin_bswap64(x) >> (64 - bits); return true;
    case OP_clz: *r = x ? (uint64_t)__builtin_clzll(x) - (64 - bits) : bits; return true;
    case OP_ctz: *r = x ? (uint64_t)__builtin_ctzll(x) : bits; return true;
    case OP_popcnt: *r = (uint64_t)__builtin_popcountll(x); return true;
    default: return false;
    }
}

bool ir_eval(IrOpcode op, IrType type, IrType from, unsigned aux, int32_t imm,
             const uint64_t arg[3], uint64_t *result)
{
    unsigned bits = ir_type_info[type].bits, from_bits = ir_type_info[from].bits;
    uint64_t r = 0;
    unsigned n;

    switch (op) {
    case OP_zext:
    case OP_trunc: r = arg[0]; break;
    case OP_sext: r = (uint64_t)sign_extend(arg[0], from_bits); break;
    case OP_lea: r = arg[0] + (arg[1] << aux) + (uint64_t)(int64_t)imm; break;
    case OP_setcond: r = compare((IrCond)aux, arg[0], arg[1], from_bits); break;
    case OP_fshl:
        n = (unsigned)(arg[2] & (bits - 1));
        r = n ? arg[0] << n | arg[1] >> (bits - n) : arg[0];
        break;
    case OP_fshr:
        n = (unsigned)(arg[2] & (bits - 1));
        r = n ? arg[0] >> n | arg[1] << (bits - n) : arg[0];
        break;
    default:
        if (!eval_un(op, bits, arg[0], &r) && !eval_bin(op, bits, arg[0], arg[1], &r)) {
            return false;
        }
    }
    *result = r & ir_type_mask(type);
    return true;
}

static IrRef become_const(IrOp *op, IrType type, uint64_t value)
{
    *op = (IrOp){ .op = OP_const, .type = (uint8_t)type, .value = value & ir_type_mask(type) };
    return IR_NONE;
}

/* All operands constant integers: op becomes the result. */
static bool fold_constants(const IrBlock *ir, IrOp *op)
{
    const IrRef *ref = op->arg;
    uint64_t arg[3] = { 0 }, r;
    unsigned n;

    if (op->op == OP_call || !is_int(op->type) || !(ir_op_info[op->op].props & IRP_PURE)) {
        return false;
    }
    n = ir_operands(ir, op);
    if (n == 0 || n > 3) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        const IrOp *x = &ir->ops[ref[i]];

        if (x->op != OP_const || !is_int(x->type)) {
            return false;
        }
        arg[i] = x->value;
    }
    if (!ir_eval((IrOpcode)op->op, (IrType)op->type, ir_type(ir, ref[0]), op->aux,
                 op->op == OP_lea ? (int32_t)op->imm : 0, arg, &r)) {
        return false;
    }
    become_const(op, (IrType)op->type, r);
    return true;
}

/* x op x */
static IrRef fold_same(IrOp *op)
{
    switch (op->op) {
    case OP_sub:
    case OP_xor:
    case OP_andn: return become_const(op, (IrType)op->type, 0);
    case OP_and:
    case OP_or: return op->a;
    default: return IR_NONE;
    }
}

/* x op constant */
static IrRef fold_right_const(IrOp *op, uint64_t y)
{
    uint64_t ones = ir_type_mask(op->type);
    unsigned bits = ir_type_info[op->type].bits;

    switch (op->op) {
    case OP_add:
    case OP_sub:
    case OP_xor: return y == 0 ? op->a : IR_NONE;
    case OP_or:
        if (y == ones) {
            return become_const(op, (IrType)op->type, ones);
        }
        return y == 0 ? op->a : IR_NONE;
    case OP_and:
        if (y == 0) {
            return become_const(op, (IrType)op->type, 0);
        }
        return y == ones ? op->a : IR_NONE;
    case OP_mul:
        if (y == 0) {
            return become_const(op, (IrType)op->type, 0);
        }
        return y == 1 ? op->a : IR_NONE;
    case OP_mulhu: return y <= 1 ? become_const(op, (IrType)op->type, 0) : IR_NONE;
    case OP_shl:
    case OP_shr:
    case OP_sar:
    case OP_rotl:
    case OP_rotr: return (y & (bits - 1)) == 0 ? op->a : IR_NONE;
    default: return IR_NONE;
    }
}

/* Counts are taken modulo the width anyway. */
static void fold_count(const IrBlock *ir, IrOp *op)
{
    const IrOp *x = &ir->ops[op->b];
    uint64_t v, mask = ir_type_info[op->type].bits - 1;

    if (x->op == OP_and && ir_is_const(ir, x->b, &v) && (v & mask) == mask) {
        op->b = x->a;
    }
}

static IrRef fold_cvt(const IrBlock *ir, IrOp *op);

/* x ^ v ^ v, the outer one narrower perhaps: BSR and XOR, as compilers count leading zeros. */
static bool is_xor_twice(const IrBlock *ir, const IrOp *op, uint64_t v, IrRef *x)
{
    const IrOp *inner = &ir->ops[op->a];
    uint64_t w;

    if (inner->op == OP_trunc) {
        inner = &ir->ops[inner->a];
    }
    *x = inner->a;
    return op->op == OP_xor && inner->op == OP_xor && ir_is_const(ir, inner->b, &w) &&
           (w & ir_type_mask(op->type)) == v;
}

static G_GNUC_NO_INLINE IrRef fold_bin(const IrBlock *ir, IrOp *op)
{
    IrRef x;

    uint64_t v;

    if (!is_int(op->type)) {
        return IR_NONE;
    }
    if (ir_op_info[op->op].shape == SHAPE_SHIFT) {
        fold_count(ir, op);
    }
    if ((ir_op_info[op->op].props & IRP_COMM) && ir_is_const(ir, op->a, &v) &&
        !ir_is_const(ir, op->b, NULL)) {
        IrRef t = op->a;
        op->a = op->b;
        op->b = t;
    }
    if (op->a == op->b && ir_op_info[op->op].shape == SHAPE_BIN) {
        return fold_same(op);
    }
    if (ir_is_const(ir, op->b, &v)) {
        if (is_xor_twice(ir, op, v, &x)) {
            *op = (IrOp){ .op = OP_trunc, .type = op->type, .a = x };
            return fold_cvt(ir, op);
        }
        return fold_right_const(op, v);
    }
    if (op->op == OP_andn && ir_is_const(ir, op->a, &v)) {
        if (v == 0) {
            return op->b;
        }
        if (v == ir_type_mask(op->type)) {
            return become_const(op, (IrType)op->type, 0);
        }
    }
    return IR_NONE;
}

/* zext, sext, trunc of each other */
static IrRef fold_cvt(const IrBlock *ir, IrOp *op)
{
    const IrOp *x = &ir->ops[op->a];
    IrType from;

    if (op->type == x->type && op->op != OP_cvt_f2f) {
        return op->a;
    }
    if (op->op == OP_bitcast) {
        return x->op == OP_bitcast && ir_type(ir, x->a) == op->type ? x->a : IR_NONE;
    }
    if (x->op != OP_zext && x->op != OP_sext && x->op != OP_trunc) {
        return IR_NONE;
    }
    from = ir_type(ir, x->a);
    if (op->type == V128) { /* of a vector made from a scalar there is no narrower kind */
        return from == V128 ? x->a : IR_NONE;
    }
    if (op->op == OP_trunc) {
        if (x->op == OP_trunc || op->type < from) {
            op->a = x->a;
        } else if (op->type == from) {
            return x->a;
        } else {
            op->op = x->op;
            op->a = x->a;
        }
    } else if (op->op == x->op) {
        op->a = x->a;
    } else if (op->op == OP_sext && x->op == OP_zext) {
        op->op = OP_zext;
        op->a = x->a;
    }
    return IR_NONE;
}

static bool fits_i32(int64_t v)
{
    return v == (int32_t)v;
}

/* Constants and inner leas move into the displacement as far as it reaches. */
static G_GNUC_NO_INLINE IrRef fold_lea(const IrBlock *ir, IrOp *op)
{
    unsigned bits = ir_type_info[op->type].bits;
    int64_t disp = (int32_t)op->imm;
    uint64_t v;

    if (op->b != IR_NONE && op->aux == 0 && ir_is_const(ir, op->a, NULL)) {
        IrRef t = op->a;
        op->a = op->b;
        op->b = t;
    }
    if (op->b != IR_NONE && ir_is_const(ir, op->b, &v)) {
        int64_t d = disp + sign_extend(v << op->aux, bits);
        if (bits < 64 || fits_i32(d)) {
            disp = d;
            op->b = IR_NONE;
            op->aux = 0;
        }
    }
    while (true) {
        const IrOp *x = &ir->ops[op->a];
        int64_t d;

        if (x->op == OP_lea && x->b == IR_NONE) {
            d = disp + (int32_t)x->imm;
        } else if (x->op == OP_add && ir_is_const(ir, x->b, &v)) {
            d = disp + sign_extend(v, bits);
        } else if (x->op == OP_sub && ir_is_const(ir, x->b, &v)) {
            d = disp - sign_extend(v, bits);
        } else {
            break;
        }
        if (bits == 64 && !fits_i32(d)) {
            break;
        }
        disp = d;
        op->a = x->a;
    }
    op->imm = (uint32_t)disp;
    if (op->b == IR_NONE) {
        op->aux = 0;
        if ((disp & (int64_t)ir_type_mask(op->type)) == 0) {
            return op->a;
        }
    }
    return IR_NONE;
}

static G_GNUC_NO_INLINE IrRef fold_select(const IrBlock *ir, const IrOp *op)
{
    uint64_t v;

    if (op->b == op->c) {
        return op->b;
    }
    if (ir_is_const(ir, op->a, &v)) {
        return v ? op->b : op->c;
    }
    return IR_NONE;
}

static G_GNUC_NO_INLINE IrRef fold_setcond(const IrBlock *ir, IrOp *op)
{
    const IrOp *x = &ir->ops[op->a];
    uint64_t v;

    if (x->op == OP_or && ir_is_const(ir, x->b, &v) && v && ir_is_const(ir, op->b, &v) && v == 0 &&
        (op->aux == COND_EQ || op->aux == COND_NE)) { /* BSF of x | 1 */
        return become_const(op, I1, op->aux == COND_NE);
    }
    if (op->a == op->b) {
        bool r = op->aux == COND_EQ || op->aux == COND_GEU || op->aux == COND_LEU ||
                 op->aux == COND_GE || op->aux == COND_LE;
        return become_const(op, I1, r);
    }
    return IR_NONE;
}

static bool cc_is_carry(unsigned cc)
{
    return (cc & ~1u) == CC_B;
}

static bool cc_reads_carry(unsigned cc)
{
    return cc_is_carry(cc) || (cc & ~1u) == CC_BE;
}

static bool cc_reads_overflow(unsigned cc)
{
    return (cc & ~1u) == CC_O || (cc & ~1u) == CC_L || (cc & ~1u) == CC_LE;
}

static bool cc_reads_zero(unsigned cc)
{
    return (cc & ~1u) == CC_Z || (cc & ~1u) == CC_BE || (cc & ~1u) == CC_LE;
}

/* A condition sees through the parts of a bundle that it does not read. */
static G_GNUC_NO_INLINE IrRef fold_test(const IrBlock *ir, IrOp *op)
{
    while (true) {
        const IrOp *f = &ir->ops[op->a];

        switch (f->op) {
        case OP_fl_setcf:
            if (op->aux == CC_B) {
                return f->a;
            }
            if (cc_reads_carry(op->aux)) {
                return IR_NONE;
            }
            op->a = f->b;
            break;
        case OP_fl_setof:
            if (op->aux == CC_O) {
                return f->a;
            }
            if (cc_reads_overflow(op->aux)) {
                return IR_NONE;
            }
            op->a = f->b;
            break;
        case OP_fl_setzf:
            if (op->aux == CC_Z) {
                return f->a;
            }
            if (cc_reads_zero(op->aux)) {
                return IR_NONE;
            }
            op->a = f->b;
            break;
        case OP_fl_inc:
        case OP_fl_dec:
            if (!cc_is_carry(op->aux)) {
                return IR_NONE;
            }
            op->a = f->b;
            break;
        case OP_fl_logic:
            switch (op->aux) { /* CF = OF = 0 */
            case CC_B:
            case CC_O: return become_const(op, I1, 0);
            case CC_NB:
            case CC_NO: return become_const(op, I1, 1);
            case CC_BE: op->aux = CC_Z; break;
            case CC_NBE: op->aux = CC_NZ; break;
            case CC_L: op->aux = CC_S; break;
            case CC_NL: op->aux = CC_NS; break;
            }
            return IR_NONE;
        default: return IR_NONE;
        }
    }
}

static G_GNUC_NO_INLINE IrRef fold_vbin(const IrBlock *ir, IrOp *op)
{
    if (op->a != op->b) {
        return IR_NONE;
    }
    switch (op->op) {
    case OP_vxor:
    case OP_vsub:
    case OP_vandn:
    case OP_vsubs:
    case OP_vsubus:
    case OP_vcmpgt: return op->type == V128 ? become_const(op, V128, 0) : IR_NONE;
    case OP_vcmpeq: return op->type == V128 ? become_const(op, V128, UINT64_MAX) : IR_NONE;
    case OP_vand:
    case OP_vor: return op->a;
    default: return IR_NONE;
    }
}

/* With 0: neither carries nor borrows. */
static G_GNUC_NO_INLINE IrRef fold_cmp(const IrBlock *ir, IrOp *op)
{
    uint64_t v;

    if (ir_is_const(ir, op->b, &v) && v == 0) {
        *op = (IrOp){ .op = OP_fl_logic, .type = FLAGS, .a = op->a };
    }
    return IR_NONE;
}

/* Most cases have little to do: they are functions that this one ends in, so that it keeps no
 * registers. */
static G_GNUC_NO_INLINE IrRef fold_op(const IrBlock *ir, IrOp *op)
{
    const IrOp *x = &ir->ops[op->a];

    switch (op->op) {
    case OP_mov: return op->a;
    case OP_not:
    case OP_neg:
    case OP_bswap: return x->op == op->op ? x->a : IR_NONE;
    case OP_zext:
    case OP_sext:
    case OP_trunc:
    case OP_bitcast: return fold_cvt(ir, op);
    case OP_lea: return fold_lea(ir, op);
    case OP_setcond: return fold_setcond(ir, op);
    case OP_select:
    case OP_fl_select: return fold_select(ir, op);
    case OP_fl_test: return fold_test(ir, op);
    case OP_fl_cmp: return fold_cmp(ir, op);
    case OP_fl_packed: return x->op == OP_fl_pack ? x->a : IR_NONE;
    case OP_fl_setcf: /* an older one below is hidden */
    case OP_fl_setof:
        if (ir->ops[op->b].op == op->op) {
            op->b = ir->ops[op->b].b;
        }
        return IR_NONE;
    default: break;
    }
    switch (ir_op_info[op->op].shape) {
    case SHAPE_BIN:
    case SHAPE_SHIFT: return fold_bin(ir, op);
    case SHAPE_VBIN: return fold_vbin(ir, op);
    default: return IR_NONE;
    }
}

static G_GNUC_NO_INLINE IrRef fold_of_const(const IrBlock *ir, IrOp *op)
{
    return fold_constants(ir, op) ? IR_NONE : fold_op(ir, op);
}

IrRef ir_fold(const IrBlock *ir, IrOp *op)
{
    return ir->ops[op->a].op == OP_const ? fold_of_const(ir, op) : fold_op(ir, op);
}

#define FOLD(name, fold)                                                             \
    IrRef ir_fold_##name(const IrBlock *ir, IrOp *op)                                \
    {                                                                                \
        return ir->ops[op->a].op == OP_const ? fold_of_const(ir, op) : fold(ir, op); \
    }
FOLD(bin, fold_bin)
FOLD(cvt, fold_cvt)
FOLD(lea, fold_lea)
FOLD(setcond, fold_setcond)
FOLD(fl_test, fold_test)
FOLD(fl_cmp, fold_cmp)

void ir_fold_address(const IrBlock *ir, IrOp *op)
{
    while (true) {
        const IrOp *x = &ir->ops[op->a];
        int64_t disp = (int32_t)op->imm;
        uint64_t v;

        if (x->op == OP_add && x->type == I64 && ir_is_const(ir, x->b, &v) &&
            (int64_t)v == (int32_t)v) {
            disp += (int32_t)v;
        } else if (x->op == OP_sub && x->type == I64 && ir_is_const(ir, x->b, &v) &&
                   (int64_t)v == (int32_t)v) {
            disp -= (int32_t)v;
        } else if (x->op == OP_lea && x->b == IR_NONE) {
            disp += (int32_t)x->imm;
        } else {
            return;
        }
        if (disp != (int32_t)disp) {
            return;
        }
        op->imm = (uint32_t)disp;
        op->a = x->a;
    }
}
