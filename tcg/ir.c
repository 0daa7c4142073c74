/* SPDX-License-Identifier: MIT */
/* The IR's tables, made from opcodes.def, and the life of a block. */
#include "tcg/ir.h"

#include <string.h>

#include "tcg/forward.h"
#include "tcg/helper.h"

/* The rows speak of properties without their prefix. */
enum {
    EFFECT = IRP_EFFECT,
    FAULT = IRP_FAULT | IRP_EFFECT,
    END = IRP_END,
    EXIT = IRP_EXIT,
    FPSTATUS = IRP_FPSTATUS,
    READS = IRP_READS,
    WRITES = IRP_WRITES,
    COMM = IRP_COMM,
    PURE = IRP_PURE
};

/* clang-format off */
/* Value operands by shape; of shapes OTHER and FL by op: a row without an entry does not compile. */
#define NARGS_BIN(name)   2
#define NARGS_UN(name)    1
#define NARGS_SHIFT(name) 2
#define NARGS_TRI(name)   3
#define NARGS_CVT(name)   1
#define NARGS_VBIN(name)  2
#define NARGS_VUN(name)   1
#define NARGS_VIMM(name)  1
#define NARGS_VIMM2(name) 2
#define NARGS_OTHER(name) ARGS_##name
#define NARGS_FL(name)    ARGS_##name

enum {
    ARGS_nop = 0, ARGS_insn = 0, ARGS_const = 0, ARGS_get = 0, ARGS_set = 1, ARGS_getflags = 0,
    ARGS_setflags = 1, ARGS_divu2 = 3, ARGS_divs2 = 3, ARGS_second = 1, ARGS_lea = 2,
    ARGS_setcond = 2, ARGS_select = 3,
    ARGS_fl_add = 2, ARGS_fl_adc = 3, ARGS_fl_sub = 2, ARGS_fl_cmp = 2, ARGS_fl_sbb = 3,
    ARGS_fl_logic = 1, ARGS_fl_inc = 2, ARGS_fl_dec = 2, ARGS_fl_shl = 2, ARGS_fl_shr = 2,
    ARGS_fl_mul = 2, ARGS_fl_setcf = 2, ARGS_fl_setzf = 2, ARGS_fl_setof = 2, ARGS_fl_rotl = 2, ARGS_fl_rotr = 2,
    ARGS_fl_select = 3, ARGS_fl_packed = 1, ARGS_fl_test = 1, ARGS_fl_pack = 1,
    ARGS_ld = 1, ARGS_st = 2, ARGS_rmw_add = 2, ARGS_rmw_sub = 2, ARGS_rmw_and = 2, ARGS_rmw_or = 2,
    ARGS_rmw_xor = 2, ARGS_rmw_xadd = 2, ARGS_rmw_xchg = 2, ARGS_rmw_cas = 3, ARGS_probe = 1,
    ARGS_ld_host = 0, ARGS_st_host = 2, ARGS_fence = 0, ARGS_x87 = 0, ARGS_x87_if = 1, ARGS_x87_ld = 1, ARGS_x87_st = 1, ARGS_x87_slot = 0,
    ARGS_fadd = 2, ARGS_fsub = 2, ARGS_fmul = 2, ARGS_fdiv = 2, ARGS_fmin = 2, ARGS_fmax = 2,
    ARGS_fsqrt = 1, ARGS_fround = 1, ARGS_fcmp = 2, ARGS_fcomi = 2,
    ARGS_cvt_f2i = 1, ARGS_fpcheck = 0, ARGS_fpclear = 0, ARGS_getmxcsr = 0, ARGS_setmxcsr = 1,
    ARGS_getfsw = 0, ARGS_setfsw = 1, ARGS_setfcw = 1,
    ARGS_vmovmsk = 1, ARGS_vextract = 1, ARGS_vinsert = 2, ARGS_vfromint = 1, ARGS_vcvt = 1,
    ARGS_sha256rnds2 = 3, ARGS_vtest = 2, ARGS_faddsub = 2,
    ARGS_vzeroupper = 0, ARGS_vmovlo = 2, ARGS_vbcast = 1, ARGS_vinserth = 2, ARGS_vextracth = 1,
    ARGS_vwidens = 1, ARGS_vwidenu = 1, ARGS_vselect = 3, ARGS_fma = 3,
    ARGS_call = 4, ARGS_trap = 0, ARGS_trap_if = 1, ARGS_goto = 0, ARGS_goto_if = 1, ARGS_jump = 1,
    ARGS_exit = 0, ARGS_exit_if = 1
};

const IrOpInfo ir_op_info[IR_NOPS] = {
#define OP(name, shape, props, doc) [OP_##name] = { #name, SHAPE_##shape, NARGS_##shape(name), props },
#include "tcg/opcodes.def"
#undef OP
};

const IrTypeInfo ir_type_info[IR_NTYPES] = {
    [IR_VOID] = { "void", 0, 0 },    [I1] = { "i1", 1, 1 },       [I8] = { "i8", 1, 8 },
    [I16] = { "i16", 2, 16 },        [I32] = { "i32", 4, 32 },    [I64] = { "i64", 8, 64 },
    [I128] = { "i128", 16, 128 },    [F32] = { "f32", 4, 32 },    [F64] = { "f64", 8, 64 },
    [F80] = { "f80", 10, 80 },       [V128] = { "v128", 16, 128 },
    [V256] = { "v256", 32, 256 },    [FLAGS] = { "flags", 0, 0 },
};
/* clang-format on */

static uint16_t props_of_call(const TcgHelper *h)
{
    unsigned props = IRP_EFFECT;

    if (h->flags & HELPER_PURE) {
        return 0;
    }
    if (h->flags & (HELPER_FAULTS | HELPER_NORETURN)) {
        props |= IRP_FAULT;
    }
    if (h->flags & (HELPER_READS_REGS | HELPER_READS_FLAGS)) {
        props |= IRP_READS;
    }
    if (h->flags & (HELPER_WRITES_REGS | HELPER_WRITES_FLAGS)) {
        props |= IRP_WRITES;
    }
    return (uint16_t)props;
}

static void note_helpers(IrBlock *ir)
{
    uint16_t *props = g_new0(uint16_t, ir->nhelpers + 1);
    uint8_t *args = g_new0(uint8_t, ir->nhelpers + 1);

    for (unsigned i = 0; i < ir->nhelpers; i++) {
        props[i] = props_of_call(&ir->helpers[i]);
        args[i] = ir->helpers[i].nargs;
    }
    ir->call_props = props;
    ir->call_args = args;
}

IrBlock *ir_block_new(const IrSlot *slots, unsigned nslots, const struct TcgHelper *helpers,
                      unsigned nhelpers)
{
    IrBlock *ir = g_new0(IrBlock, 1);

    ir->ops = g_new(IrOp, IR_MAX_OPS);
    ir->notable = g_new(IrNotable, IR_MAX_OPS);
    ir->acting = g_new(IrActing, IR_MAX_OPS);
    ir->consts = g_new(IrRef, IR_MAX_OPS);
    ir->slots = slots;
    ir->nslots = nslots;
    ir->helpers = helpers;
    ir->nhelpers = nhelpers;
    note_helpers(ir);
    ir_block_reset(ir, 0);
    return ir;
}

void ir_block_free(IrBlock *ir)
{
    if (ir) {
        g_free(ir->ops);
        g_free(ir->notable);
        g_free(ir->acting);
        g_free(ir->consts);
        g_free((void *)ir->call_props);
        g_free((void *)ir->call_args);
        ir_known_free(ir->known);
        g_free(ir);
    }
}

void ir_block_reset(IrBlock *ir, uint32_t start)
{
    ir->ops[0] = (IrOp){ .op = OP_nop, .imm = start }; /* in a marker's place for ops before any */
    ir->nops = ir->built = 1;
    ir->nnotable = ir->nacting = ir->nconsts = 0;
    ir->insn = IR_NONE;
    ir->ninsns = 0;
    ir->nlinks = 0;
    ir->naccesses = 0;
    ir->start = start;
    ir->flags = ir->bundle = IR_NONE;
    if (ir->known) {
        ir_known_forget(ir->known);
    }
    ir->flags_hint = 0;
    ir->by_jump = ir->no_groups = ir->parted = ir->all_calls = ir->apart = ir->has_calls = false;
}

void ir_block_list(IrBlock *ir)
{
    IrRef insn = IR_NONE;

    if (ir->built == ir->nops) {
        return;
    }
    ir->nacting = ir->nconsts = 0;
    for (unsigned i = 1; i < ir->nops; i++) {
        const IrOp *op = &ir->ops[i];

        if (op->op == OP_insn) {
            insn = (IrRef)i;
        } else if (op->op == OP_const) {
            ir->consts[ir->nconsts++] = (IrRef)i;
        } else if (op->op != OP_nop) {
            ir->acting[ir->nacting++] = (IrActing){ (IrRef)i, insn };
        }
    }
}

void ir_block_forward(IrBlock *ir)
{
    ir->known = ir_known_new(ir->nslots);
}
