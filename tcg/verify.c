/* SPDX-License-Identifier: MIT */
/*
 * The rules of the IR (ir.h), checked op by op. What an op's operands must be follows from its
 * shape; rows of shape OTHER are listed in `signatures`.
 */
#include "tcg/ir.h"

#include "tcg/helper.h"

typedef struct Check {
    const IrBlock *ir;
    unsigned index;
    const IrOp *op;
    unsigned insns, links;
    unsigned
        committed; /* index of the first set of this guest instruction that is not marked, or 0 */
} Check;

enum { /* sets of types */
       T_INT = 1 << I8 | 1 << I16 | 1 << I32 | 1 << I64,
       T_LEA = 1 << I16 | 1 << I32 | 1 << I64,
       T_SCALAR_FP = 1 << F32 | 1 << F64 | 1 << F80,
       T_SSE = 1 << F32 | 1 << F64 | 1 << V128 | 1 << V256,
       T_FP = T_SCALAR_FP | 1 << V128 | 1 << V256,
       T_SELECT = T_INT | 1 << I1 | 1 << F32 | 1 << F64 | 1 << V128,
       T_MEM = T_INT | 1 << F32 | 1 << F64 | 1 << F80 | 1 << V128 | 1 << V256,
       T_SLOT = T_MEM | 1 << I1,
       T_X87 = 1 << I16 | 1 << I32 | 1 << I64 | T_SCALAR_FP,
       T_CONST = T_INT | 1 << I1 | 1 << F32 | 1 << F64 | 1 << V128 | 1 << V256,
       T_V128 = 1 << V128,
       T_VEC = 1 << V128 | 1 << V256,
       T_ANY = T_SLOT | 1 << FLAGS,
};

/* Operands of rows of shape OTHER and FL: what types the op may have, and for each operand either a
 * set of types or SAME (the op's own). */
#define SAME   (1 << 30)
#define LIKE_A (1 << 29)

typedef struct Signature {
    uint32_t type;
    uint32_t arg[4];
} Signature;

/* clang-format off */
#define VOID_ (1 << IR_VOID)
#define FL_ (1 << FLAGS)
#define ADDR (1 << I64)
static const Signature signatures[IR_NOPS] = {
    [OP_nop] = { VOID_ }, [OP_insn] = { VOID_ }, [OP_const] = { T_CONST }, [OP_get] = { T_SLOT },
    [OP_set] = { T_SLOT, { SAME } }, [OP_getflags] = { FL_ }, [OP_setflags] = { FL_, { FL_ } },
    [OP_divu2] = { T_INT, { SAME, SAME, SAME } }, [OP_divs2] = { T_INT, { SAME, SAME, SAME } },
    [OP_second] = { T_INT, { SAME } }, [OP_lea] = { T_LEA, { SAME, SAME } },
    [OP_setcond] = { 1 << I1, { T_INT | 1 << I1, LIKE_A } },
    [OP_select] = { T_SELECT, { 1 << I1, SAME, SAME } },
    [OP_fl_add] = { FL_, { T_INT, LIKE_A } }, [OP_fl_adc] = { FL_, { T_INT, LIKE_A, LIKE_A } },
    [OP_fl_sub] = { FL_, { T_INT, LIKE_A } }, [OP_fl_cmp] = { FL_, { T_INT, LIKE_A } },
    [OP_fl_sbb] = { FL_, { T_INT, LIKE_A, LIKE_A } }, [OP_fl_logic] = { FL_, { T_INT } },
    [OP_fl_inc] = { FL_, { T_INT, FL_ } }, [OP_fl_dec] = { FL_, { T_INT, FL_ } },
    [OP_fl_shl] = { FL_, { T_INT, LIKE_A } }, [OP_fl_shr] = { FL_, { T_INT, LIKE_A } },
    [OP_fl_mul] = { FL_, { T_INT, LIKE_A } }, [OP_fl_setcf] = { FL_, { 1 << I1, FL_ } },
    [OP_fl_setzf] = { FL_, { 1 << I1, FL_ } }, [OP_fl_setof] = { FL_, { 1 << I1, FL_ } }, [OP_fl_rotl] = { FL_, { T_INT, FL_ } },
    [OP_fl_rotr] = { FL_, { T_INT, FL_ } }, [OP_fl_packed] = { FL_, { 1 << I32 } },
    [OP_fl_select] = { FL_, { 1 << I1 | 1 << I8, FL_, FL_ } },
    [OP_fl_test] = { 1 << I1, { FL_ } }, [OP_fl_pack] = { 1 << I32, { FL_ } },
    [OP_ld] = { T_MEM, { ADDR } }, [OP_st] = { T_MEM, { ADDR, SAME } },
    [OP_rmw_add] = { T_INT, { ADDR, SAME } }, [OP_rmw_sub] = { T_INT, { ADDR, SAME } },
    [OP_rmw_and] = { T_INT, { ADDR, SAME } }, [OP_rmw_or] = { T_INT, { ADDR, SAME } },
    [OP_rmw_xor] = { T_INT, { ADDR, SAME } }, [OP_rmw_xadd] = { T_INT, { ADDR, SAME } },
    [OP_rmw_xchg] = { T_INT, { ADDR, SAME } }, [OP_rmw_cas] = { T_INT, { ADDR, SAME, SAME } },
    [OP_probe] = { VOID_, { ADDR } }, [OP_ld_host] = { T_INT },
    [OP_st_host] = { T_INT, { ADDR, SAME } },
    [OP_fence] = { VOID_ },
    [OP_x87] = { VOID_ | 1 << I16 | 1 << I32 }, [OP_x87_if] = { VOID_, { 1 << I32 } },
    [OP_x87_slot] = { VOID_ },
    [OP_x87_ld] = { T_X87, { ADDR } }, [OP_x87_st] = { T_X87, { ADDR } },
    [OP_fadd] = { T_FP, { SAME, SAME } }, [OP_fsub] = { T_FP, { SAME, SAME } },
    [OP_fmul] = { T_FP, { SAME, SAME } }, [OP_fdiv] = { T_FP, { SAME, SAME } },
    [OP_fmin] = { T_SSE, { SAME, SAME } }, [OP_fmax] = { T_SSE, { SAME, SAME } },
    [OP_fsqrt] = { T_FP, { SAME } }, [OP_fround] = { T_FP, { SAME } },
    [OP_fcmp] = { T_SSE, { SAME, SAME } }, [OP_fcomi] = { 1 << I32, { T_SCALAR_FP, LIKE_A } },
    [OP_cvt_f2i] = { 1 << I16 | 1 << I32 | 1 << I64, { T_SCALAR_FP } },
    [OP_fpcheck] = { VOID_ }, [OP_fpclear] = { VOID_ }, [OP_getmxcsr] = { 1 << I32 },
    [OP_setmxcsr] = { VOID_, { 1 << I32 } }, [OP_getfsw] = { 1 << I32 },
    [OP_setfsw] = { VOID_, { 1 << I32 } }, [OP_setfcw] = { VOID_, { 1 << I32 } },
    [OP_faddsub] = { T_VEC, { SAME, SAME } }, [OP_vtest] = { 1 << I32, { T_VEC, LIKE_A } },
    [OP_sha256rnds2] = { 1 << V128, { SAME, SAME, SAME } },
    [OP_vmovmsk] = { 1 << I32, { T_VEC } }, [OP_vextract] = { T_INT, { T_V128 } },
    [OP_vinsert] = { T_V128, { T_V128, T_INT } }, [OP_vfromint] = { T_V128, { 1 << I32 | 1 << I64 } },
    [OP_vcvt] = { T_VEC, { T_VEC } }, [OP_vzeroupper] = { VOID_ },
    [OP_vmovlo] = { T_V128, { T_V128, 1 << F32 | 1 << F64 } }, [OP_vbcast] = { T_VEC, { T_V128 } },
    [OP_vinserth] = { 1 << V256, { SAME, T_V128 } }, [OP_vextracth] = { T_V128, { 1 << V256 } },
    [OP_vwidens] = { 1 << V256, { T_V128 } }, [OP_vwidenu] = { 1 << V256, { T_V128 } },
    [OP_vselect] = { T_VEC, { SAME, SAME, SAME } }, [OP_fma] = { T_VEC, { SAME, SAME, SAME } },
    [OP_trap] = { VOID_ }, [OP_trap_if] = { VOID_, { 1 << I1 } }, [OP_goto] = { VOID_ },
    [OP_goto_if] = { VOID_, { 1 << I1 } }, [OP_jump] = { VOID_, { ADDR } }, [OP_exit] = { VOID_ },
    [OP_exit_if] = { VOID_, { 1 << I1 } },
};
/* clang-format on */

static uint32_t unary_types(unsigned op)
{
    switch (op) {
    case OP_mov: return T_SLOT;
    case OP_bswap: return 1 << I32 | 1 << I64;
    case OP_clz:
    case OP_ctz:
    case OP_popcnt: return T_LEA;
    default: return T_INT;
    }
}

static bool shape_signature(const Check *c, Signature *s)
{
    switch (ir_op_info[c->op->op].shape) {
    case SHAPE_BIN: {
        bool scatters = c->op->op == OP_pdep || c->op->op == OP_pext;
        *s = (Signature){ scatters ? 1 << I32 | 1 << I64 : T_INT, { SAME, SAME } };
        return true;
    }
    case SHAPE_UN: *s = (Signature){ unary_types(c->op->op), { SAME } }; return true;
    case SHAPE_SHIFT: *s = (Signature){ T_INT, { SAME, 1 << I8 } }; return true;
    case SHAPE_TRI: *s = (Signature){ T_INT, { SAME, SAME, 1 << I8 } }; return true;
    case SHAPE_VBIN:
    case SHAPE_VIMM2: *s = (Signature){ T_VEC, { SAME, SAME } }; return true;
    case SHAPE_VUN:
    case SHAPE_VIMM: *s = (Signature){ T_VEC, { SAME } }; return true;
    default: return false;
    }
}

static bool is_scalar_of_vector(const IrOp *op)
{
    bool has_form =
        (op->op >= OP_fadd && op->op <= OP_fmax) || op->op == OP_fcmp || op->op == OP_fma;
    return has_form && op->type == V128 && (op->aux == 4 || op->aux == 5);
}

static unsigned type_of(const Check *c, IrRef v)
{
    return c->ir->ops[v].type;
}

static const char *check_types(const Check *c, const IrRef *arg, unsigned n)
{
    const IrOp *op = c->op;
    Signature s = signatures[op->op];

    shape_signature(c, &s);
    if (is_scalar_of_vector(op)) {
        s.arg[op->op == OP_fma ? 2 : 1] = T_V128 | (op->aux == 4 ? 1 << F32 : 1 << F64);
    } else if (op->op == OP_vshl || op->op == OP_vshr || op->op == OP_vsar) {
        s.arg[1] = T_V128;
    }
    if (!(s.type & 1u << op->type)) {
        return "the op has no such type";
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned type = type_of(c, arg[i]);
        bool ok = s.arg[i] == SAME     ? type == op->type
                  : s.arg[i] == LIKE_A ? type == type_of(c, arg[0])
                                       : (s.arg[i] & 1u << type) != 0;
        if (!ok) {
            return "an operand has the wrong type";
        }
    }
    return NULL;
}

static bool in(unsigned type, uint32_t set)
{
    return set & 1u << type;
}

static const char *check_conversion(const Check *c)
{
    unsigned to = c->op->type, from = type_of(c, c->op->a);
    bool ok = false;

    switch (c->op->op) {
    case OP_zext:
    case OP_sext:
        ok = in(to, T_INT) && in(from, T_INT | 1 << I1) && from < to;
        ok |= c->op->op == OP_zext && to == V256 && (from == V128 || from == F32 || from == F64);
        break;
    case OP_trunc:
        ok = in(to, T_INT) && in(from, T_INT) && from > to;
        ok |= to == V128 && from == V256;
        break;
    case OP_bitcast:
        ok = (to == I32 && from == F32) || (to == F32 && from == I32) ||
             (to == I64 && from == F64) || (to == F64 && from == I64);
        break;
    case OP_cvt_f2f: ok = in(to, T_SCALAR_FP) && in(from, T_SCALAR_FP) && from != to; break;
    case OP_cvt_i2f:
        ok = in(to, T_SCALAR_FP) && (from == I32 || from == I64 || (from == I16 && to == F80));
        break;
    }
    return ok ? NULL : "no such conversion";
}

static const char *check_call(const Check *c, const IrRef *arg, unsigned n)
{
    const TcgHelper *helper = &c->ir->helpers[c->op->imm];

    if (c->op->type != helper->ret) {
        return "the call's type is not the helper's";
    }
    for (unsigned i = 0; i < n; i++) {
        if (type_of(c, arg[i]) != helper->args[i]) {
            return "an argument has not the type that the helper's row says";
        }
    }
    return NULL;
}

/* Conversions between lanes of different size have the long side twice as long. */
static bool is_vcvt(const IrOp *op, unsigned from)
{
    switch (op->aux) {
    case VCVT_DQ2PS:
    case VCVT_PS2DQ:
    case VCVT_TPS2DQ: return op->type == from;
    case VCVT_DQ2PD:
    case VCVT_PS2PD:
    case VCVT_PH2PS: return from == V128;
    case VCVT_PD2DQ:
    case VCVT_TPD2DQ:
    case VCVT_PD2PS:
    case VCVT_PS2PH: return op->type == V128;
    default: return false;
    }
}

/* Ranges of aux, imm and d. */
static const char *check_fields(const Check *c)
{
    const IrOp *op = c->op;
    const IrBlock *ir = c->ir;

    switch (op->op) {
    case OP_get:
    case OP_set:
        if (op->imm >= ir->nslots) {
            return "no such slot";
        }
        if (op->aux + ir_type_info[op->type].bytes > ir_type_info[ir->slots[op->imm].type].bytes) {
            return "outside of the slot";
        }
        break;
    case OP_x87_slot:
        if (op->imm >= ir->nslots || op->aux >= ir_type_info[ir->slots[op->imm].type].bytes) {
            return "no such slot";
        }
        break;
    case OP_st_host:
        if (op->imm > 4088) {
            return "too far from its base";
        }
        break;
    case OP_lea:
        if (op->aux > 3) {
            return "scale above 3";
        }
        break;
    case OP_setcond:
        if (op->aux > COND_GT) {
            return "no such condition";
        }
        break;
    case OP_fl_test:
        if (op->aux > CC_NLE) {
            return "no such condition";
        }
        break;
    case OP_second:
        if (op->a != c->index - 1 ||
            (ir->ops[op->a].op != OP_divu2 && ir->ops[op->a].op != OP_divs2)) {
            return "not right behind a division";
        }
        break;
    case OP_vextract:
        if (op->aux > 3 || op->type != I8 + op->aux || op->imm >= 16u >> op->aux) {
            return "no such lane";
        }
        break;
    case OP_vinsert:
        if (op->aux > 3 || type_of(c, op->b) != I8 + op->aux || op->imm >= 16u >> op->aux) {
            return "no such lane";
        }
        break;
    case OP_fcmp:
        if (op->imm > 31) {
            return "no such predicate";
        }
        break;
    case OP_vcvt:
        if (!is_vcvt(op, type_of(c, op->a))) {
            return "no such conversion";
        }
        break;
    case OP_vlane2:
    case OP_vpermq:
    case OP_vpermd:
        if (op->type != V256) {
            return "the op has no such type";
        }
        break;
    case OP_goto:
    case OP_goto_if:
        if (op->d != c->links || c->links >= ir->nlinks) {
            return "link slots are not in order";
        }
        break;
    case OP_insn:
        if (op->d != c->insns) {
            return "instructions are not in order";
        }
        break;
    default:
        if (((op->op >= OP_fadd && op->op <= OP_fcomi) || op->op == OP_faddsub) &&
            (op->type == V128 || op->type == V256) && (op->aux < 2 || op->aux > 3) &&
            !is_scalar_of_vector(op)) {
            return "no such lane";
        }
    }
    return NULL;
}

static bool is_memory(unsigned op)
{
    return (op >= OP_ld && op <= OP_probe) || op == OP_x87_ld || op == OP_x87_st;
}

/* A fault after a set would leave half an instruction behind. */
static const char *check_order(Check *c)
{
    const IrOp *op = c->op;

    if (op->op == OP_insn) {
        c->committed = 0;
        c->insns++;
    } else if (op->op == OP_goto || op->op == OP_goto_if) {
        c->links++;
    } else if (op->op == OP_set || op->op == OP_setflags) {
        if (!(op->flags & IROP_COMMIT) && !c->committed) {
            c->committed = c->index;
        }
    } else if (c->committed && (ir_props(c->ir, op) & IRP_FAULT) && op->op != OP_trap) {
        return "may fault after state was set";
    }
    if (is_memory(op->op) && (op->d & 7) > 2) {
        return "no such software TLB";
    }
    return NULL;
}

static const char *check_op(Check *c)
{
    const IrOp *op = c->op;
    bool is_last = c->index == c->ir->nops - 1;
    const IrRef *arg = op->arg;
    const char *error;
    unsigned n;

    if (op->op >= IR_NOPS || op->type >= IR_NTYPES) {
        return "no such op or type";
    }
    if (op->op == OP_call && op->imm >= c->ir->nhelpers) {
        return "no such helper";
    }
    if (!!(ir_op_info[op->op].props & IRP_END) != is_last) {
        return is_last ? "the block does not end" : "the block ends before its last op";
    }
    n = ir_operands(c->ir, op);
    for (unsigned i = 0; i < n; i++) {
        if (arg[i] == IR_NONE || arg[i] >= c->index) {
            return "an operand is not defined before";
        }
        if (!ir_has_result(c->ir, &c->ir->ops[arg[i]])) {
            return "an operand is no value";
        }
    }
    if (op->op == OP_call) {
        error = check_call(c, arg, n);
    } else if (ir_op_info[op->op].shape == SHAPE_CVT) {
        error = check_conversion(c);
    } else {
        error = check_types(c, arg, n);
    }
    if (!error) {
        error = check_fields(c);
    }
    return error ? error : check_order(c);
}

char *ir_verify(const IrBlock *ir)
{
    Check c = { .ir = ir };

    if (ir->nops < 2 || ir->ops[0].op != OP_nop) {
        return g_strdup("an empty block");
    }
    for (c.index = 1; c.index < ir->nops; c.index++) {
        const char *error;

        c.op = &ir->ops[c.index];
        error = check_op(&c);
        if (error) {
            return g_strdup_printf("op %u (%s): %s", c.index,
                                   c.op->op < IR_NOPS ? ir_op_info[c.op->op].name : "?", error);
        }
    }
    if (c.insns != ir->ninsns) {
        return g_strdup_printf("%u instructions, %u said", c.insns, ir->ninsns);
    }
    return NULL;
}
