/* SPDX-License-Identifier: MIT */
/*
 * Constructors of the IR: each fills an op, lets fold.c look at it, and appends what is left. A get
 * of what the block knows is no op at all (forward.c).
 */
#include "tcg/builder.h"

#include "tcg/fold.h"
#include "tcg/forward.h"
#include "tcg/helper.h"
#include "tcg/lanes.h"

/* The op to be appended next: written where it will stand, as copying it right after its fields
 * were written one by one stalls the host. */
static IrOp *next_op(IrBlock *ir)
{
    g_assert(ir->nops < IR_MAX_OPS);
    return &ir->ops[ir->nops];
}

/* Of any kind. */
static IrRef count(IrBlock *ir)
{
    ir->built++;
    return (IrRef)ir->nops++;
}

static IrRef append(IrBlock *ir)
{
    ir->acting[ir->nacting++] = (IrActing){ (IrRef)ir->nops, ir->insn };
    return count(ir);
}

static IrRef append_new_const(IrBlock *ir)
{
    ir->consts[ir->nconsts++] = (IrRef)ir->nops;
    return count(ir);
}

/* What passes look for is listed here, where its kind is known without looking. */
static IrRef append_notable(IrBlock *ir)
{
    ir->notable[ir->nnotable++] = (IrNotable){ (IrRef)ir->nops, ir->insn, ir->bundle };
    return append(ir);
}

/* An equal constant among the latest ops serves again, if none has come since that shares its place
 * in IrBlock.recent_const. Entries may be of an earlier block: they are looked at. */
static IrRef append_const(IrBlock *ir)
{
    const IrOp *op = &ir->ops[ir->nops];
    unsigned hash = (unsigned)(op->value ^ op->value >> 8) ^ op->type;
    uint16_t *recent = &ir->recent_const[hash % G_N_ELEMENTS(ir->recent_const)];
    const IrOp *o = &ir->ops[*recent];

    if ((*recent < ir->nops) & (*recent + 24u >= ir->nops) & (o->op == OP_const) &
        (o->type == op->type) & (o->value == op->value) & !o->aux) {
        return (IrRef)*recent;
    }
    *recent = (uint16_t)ir->nops;
    return append_new_const(ir);
}

typedef IrRef Fold(const IrBlock *ir, IrOp *op);

static inline IrRef build(IrBlock *ir, Fold *fold)
{
    IrOp *op = &ir->ops[ir->nops];
    IrRef old = fold(ir, op);

    if (old != IR_NONE) {
        return old;
    }
    return op->op == OP_const ? append_const(ir) : append(ir);
}

#define PLACE(ir, ...)          (*next_op(ir) = OPC(__VA_ARGS__))
#define APPEND(ir, ...)         (PLACE(ir, __VA_ARGS__), append(ir))
#define APPEND_NOTABLE(ir, ...) (PLACE(ir, __VA_ARGS__), append_notable(ir))
#define BUILD(ir, ...)          BUILD_BY(ir_fold, ir, __VA_ARGS__)
/* @fold: by the kind of op, which is known where it is built, if it is frequent. */
#define BUILD_BY(fold, ir, ...) (PLACE(ir, __VA_ARGS__), build(ir, fold))
#define OPC(opcode, t, ...)     ((IrOp){ .op = (uint8_t)(opcode), .type = (uint8_t)(t), __VA_ARGS__ })

bool ir_is_const(const IrBlock *ir, IrRef v, uint64_t *value)
{
    const IrOp *op = &ir->ops[v];

    if (op->op != OP_const) {
        return false;
    }
    if (value) {
        *value = op->value;
    }
    return true;
}

/* -- The shapes ------------------------------------------------------------------------------- */

IrRef ir_bin(IrBlock *ir, IrOpcode op, IrRef x, IrRef y)
{
    g_assert(ir_type(ir, x) == ir_type(ir, y));
    return BUILD_BY(ir_fold_bin, ir, op, ir_type(ir, x), .a = x, .b = y);
}

IrRef ir_un(IrBlock *ir, IrOpcode op, IrRef x)
{
    return BUILD(ir, op, ir_type(ir, x), .a = x);
}

IrRef ir_shift(IrBlock *ir, IrOpcode op, IrRef x, IrRef count)
{
    g_assert(ir_type(ir, count) == I8);
    return BUILD_BY(ir_fold_bin, ir, op, ir_type(ir, x), .a = x, .b = count);
}

IrRef ir_tri(IrBlock *ir, IrOpcode op, IrRef x, IrRef y, IrRef z)
{
    return BUILD(ir, op, ir_type(ir, x), .a = x, .b = y, .c = z);
}

IrRef ir_cvt(IrBlock *ir, IrOpcode op, IrType type, IrRef x)
{
    return BUILD_BY(ir_fold_cvt, ir, op, type, .a = x);
}

IrRef ir_vbin(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x, IrRef y)
{
    return BUILD(ir, op, ir_type(ir, x), .aux = (uint8_t)lane, .a = x, .b = y);
}

IrRef ir_vun(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x)
{
    return BUILD(ir, op, ir_type(ir, x), .aux = (uint8_t)lane, .a = x);
}

IrRef ir_vimm(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x, uint32_t imm)
{
    return BUILD(ir, op, ir_type(ir, x), .aux = (uint8_t)lane, .a = x, .imm = imm);
}

IrRef ir_vimm2(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x, IrRef y, uint32_t imm)
{
    return BUILD(ir, op, ir_type(ir, x), .aux = (uint8_t)lane, .a = x, .b = y, .imm = imm);
}

/* -- State ------------------------------------------------------------------------------------ */

void ir_insn(IrBlock *ir, uint32_t offset)
{
    PLACE(ir, OP_insn, IR_VOID, .d = (IrRef)ir->ninsns, .imm = offset);
    ir->insn = count(ir);
    ir->ninsns++;
    if (ir->apart) {
        ir->flags = IR_NONE;
        if (ir->known)
            ir_known_forget(ir->known);
    }
}

IrRef ir_const(IrBlock *ir, IrType type, uint64_t value)
{
    PLACE(ir, OP_const, type, .value = value & ir_type_mask(type));
    return append_const(ir);
}

IrRef ir_const_open(IrBlock *ir, IrType type)
{
    PLACE(ir, OP_const, type, .aux = 1, .value = 0x5a3c965a3c965a3b & ir_type_mask(type));
    return append_new_const(ir);
}

void ir_const_amend(IrBlock *ir, IrRef v, uint64_t value)
{
    IrOp *op = &ir->ops[v];

    g_assert(op->op == OP_const && op->aux);
    op->value = value & ir_type_mask((IrType)op->type);
}

static G_GNUC_NO_INLINE IrRef get_anew(IrBlock *ir, IrType type, unsigned slot, unsigned byte)
{
    IrRef wide = IR_NONE, v = ir->known ? ir_known_part(ir, type, slot, byte, &wide) : IR_NONE;

    if (v) {
        return v;
    }
    if (wide) {
        v = BUILD_BY(ir_fold_cvt, ir, OP_trunc, type, .a = wide);
    } else {
        v = APPEND(ir, OP_get, type, .aux = (uint8_t)byte, .imm = slot);
    }
    if (ir->known) {
        ir_known_got(ir, type, slot, byte, v);
    }
    return v;
}

/* That it is inside of the slot is for verify.c to see: gets and sets are most ops. */
IrRef ir_get(IrBlock *ir, IrType type, unsigned slot, unsigned byte)
{
    IrRef v = ir->known ? ir_known_find(ir, type, slot, byte) : IR_NONE;

    return v ? v : get_anew(ir, type, slot, byte);
}

static IrRef append_set(IrBlock *ir)
{
    if (ir->known) {
        ir_known_set(ir, &ir->ops[ir->nops]);
    }
    return append(ir);
}

static void set(IrBlock *ir, unsigned slot, unsigned byte, IrRef value, unsigned flags)
{
    IrType type = ir_type(ir, value);

    PLACE(ir, OP_set, type, .aux = (uint8_t)byte, .flags = (uint8_t)flags, .a = value, .imm = slot);
    append_set(ir);
}

void ir_set(IrBlock *ir, unsigned slot, unsigned byte, IrRef value)
{
    set(ir, slot, byte, value, 0);
}

void ir_set_commit(IrBlock *ir, unsigned slot, unsigned byte, IrRef value)
{
    set(ir, slot, byte, value, IROP_COMMIT);
}

IrRef ir_getflags(IrBlock *ir)
{
    if (ir->flags == IR_NONE) {
        ir->flags = APPEND(ir, OP_getflags, FLAGS, );
    }
    return ir->flags;
}

/* Calls and VZEROUPPER: slots may change without being named. */
static IrRef append_writer(IrBlock *ir)
{
    const IrOp *op = &ir->ops[ir->nops];
    unsigned flags = op->op == OP_call ? ir->helpers[op->imm].flags : 0;

    ir->has_calls |= op->op == OP_call;
    if (ir->known && !(flags & HELPER_PURE)) {
        ir_known_forget(ir->known);
    }
    if (op->op != OP_call) {
        return append(ir);
    }
    append_notable(ir);
    if (flags & HELPER_WRITES_FLAGS) {
        ir->flags = ir->bundle = IR_NONE;
    }
    return (IrRef)(ir->nops - 1);
}

void ir_setflags(IrBlock *ir, IrRef flags)
{
    APPEND(ir, OP_setflags, FLAGS, .a = flags);
    ir->flags = ir->bundle = flags;
}

/* -- Integer ---------------------------------------------------------------------------------- */

static IrRef divide(IrBlock *ir, IrOpcode op, IrRef hi, IrRef lo, IrRef divisor, uint32_t trap_code)
{
    return APPEND_NOTABLE(ir, op, ir_type(ir, lo), .a = hi, .b = lo, .c = divisor,
                          .imm = trap_code);
}

IrRef ir_divu2(IrBlock *ir, IrRef hi, IrRef lo, IrRef divisor, uint32_t trap_code)
{
    return divide(ir, OP_divu2, hi, lo, divisor, trap_code);
}

IrRef ir_divs2(IrBlock *ir, IrRef hi, IrRef lo, IrRef divisor, uint32_t trap_code)
{
    return divide(ir, OP_divs2, hi, lo, divisor, trap_code);
}

IrRef ir_second(IrBlock *ir, IrRef div)
{
    g_assert(div + 1u == ir->nops);
    return APPEND(ir, OP_second, ir_type(ir, div), .a = div);
}

IrRef ir_lea(IrBlock *ir, IrRef base, IrRef index, unsigned scale, int32_t disp)
{
    if (base == IR_NONE) {
        g_assert(index != IR_NONE);
        if (scale == 0) {
            base = index;
            index = IR_NONE;
        } else {
            base = ir_const(ir, ir_type(ir, index), 0);
        }
    }
    return BUILD_BY(ir_fold_lea, ir, OP_lea, ir_type(ir, base), .aux = (uint8_t)scale, .a = base,
                    .b = index, .imm = (uint32_t)disp);
}

IrRef ir_setcond(IrBlock *ir, IrCond cond, IrRef x, IrRef y)
{
    static const uint8_t swapped[] = {
        [COND_EQ] = COND_EQ,   [COND_NE] = COND_NE,   [COND_LTU] = COND_GTU, [COND_GEU] = COND_LEU,
        [COND_LEU] = COND_GEU, [COND_GTU] = COND_LTU, [COND_LT] = COND_GT,   [COND_GE] = COND_LE,
        [COND_LE] = COND_GE,   [COND_GT] = COND_LT,
    };

    g_assert(ir_type(ir, x) == ir_type(ir, y));
    if (ir_is_const(ir, x, NULL) && !ir_is_const(ir, y, NULL)) {
        IrRef t = x;
        x = y;
        y = t;
        cond = (IrCond)swapped[cond];
    }
    return BUILD_BY(ir_fold_setcond, ir, OP_setcond, I1, .aux = (uint8_t)cond, .a = x, .b = y);
}

IrRef ir_select(IrBlock *ir, IrRef cond, IrRef x, IrRef y)
{
    g_assert(ir_type(ir, x) == ir_type(ir, y));
    return BUILD(ir, OP_select, ir_type(ir, x), .a = cond, .b = x, .c = y);
}

IrRef ir_addi(IrBlock *ir, IrRef x, int64_t y)
{
    IrType type = ir_type(ir, x);

    if (y == 0) {
        return x;
    }
    if (type >= I16 && type <= I64 && y == (int32_t)y) {
        return ir_lea(ir, x, IR_NONE, 0, (int32_t)y);
    }
    return ir_add(ir, x, ir_const(ir, type, (uint64_t)y));
}

static IrRef is_nonzero(IrBlock *ir, IrRef x)
{
    IrType type = ir_type(ir, x);

    return type == I1 ? x : ir_setcond(ir, COND_NE, x, ir_const(ir, type, 0));
}

/* -- Flags bundles ---------------------------------------------------------------------------- */

/* Most are what they are. */
#define FL1(name)                                    \
    IrRef ir_##name(IrBlock *ir, IrRef a)            \
    {                                                \
        return APPEND(ir, OP_##name, FLAGS, .a = a); \
    }
#define FL2(name)                                            \
    IrRef ir_##name(IrBlock *ir, IrRef a, IrRef b)           \
    {                                                        \
        return APPEND(ir, OP_##name, FLAGS, .a = a, .b = b); \
    }
#define FL3(name)                                                    \
    IrRef ir_##name(IrBlock *ir, IrRef a, IrRef b, IrRef c)          \
    {                                                                \
        return APPEND(ir, OP_##name, FLAGS, .a = a, .b = b, .c = c); \
    }
FL2(fl_add)
FL3(fl_adc)
FL2(fl_sub)
FL3(fl_sbb)
FL1(fl_logic)
FL2(fl_inc)
FL2(fl_dec)
FL2(fl_shl)
FL2(fl_shr)
FL2(fl_mul)
FL2(fl_setzf)
FL2(fl_rotl)
FL2(fl_rotr)

IrRef ir_fl_cmp(IrBlock *ir, IrRef a, IrRef b)
{
    return BUILD_BY(ir_fold_fl_cmp, ir, OP_fl_cmp, FLAGS, .a = a, .b = b);
}

IrRef ir_fl_select(IrBlock *ir, IrRef cond, IrRef x, IrRef y)
{
    return BUILD(ir, OP_fl_select, FLAGS, .a = cond, .b = x, .c = y);
}

IrRef ir_fl_packed(IrBlock *ir, IrRef word)
{
    return BUILD(ir, OP_fl_packed, FLAGS, .a = word);
}

/* CF and OF by themselves in turns (ADCX, ADOX): two are enough. */
static IrRef set_one(IrBlock *ir, IrOpcode op, IrOpcode other, IrRef bit, IrRef previous)
{
    IrOp p = ir->ops[previous];

    if (p.op == other && ir->ops[p.b].op == op) {
        previous = BUILD(ir, other, FLAGS, .a = p.a, .b = ir->ops[p.b].b);
    }
    return BUILD(ir, op, FLAGS, .a = bit, .b = previous);
}

IrRef ir_fl_setcf(IrBlock *ir, IrRef cf, IrRef previous)
{
    return set_one(ir, OP_fl_setcf, OP_fl_setof, cf, previous);
}

IrRef ir_fl_setof(IrBlock *ir, IrRef of, IrRef previous)
{
    return set_one(ir, OP_fl_setof, OP_fl_setcf, of, previous);
}

/* Whoever looks at a selected bundle looks at both. */
IrRef ir_fl_test(IrBlock *ir, IrCc cc, IrRef flags)
{
    IrOp f = ir->ops[flags];

    if (f.op == OP_fl_select) {
        IrRef x = ir_fl_test(ir, cc, f.b), y = ir_fl_test(ir, cc, f.c);
        return ir_select(ir, is_nonzero(ir, f.a), x, y);
    }
    return BUILD_BY(ir_fold_fl_test, ir, OP_fl_test, I1, .aux = (uint8_t)cc, .a = flags);
}

IrRef ir_fl_pack(IrBlock *ir, IrRef flags)
{
    IrOp f = ir->ops[flags];

    if (f.op == OP_fl_select) {
        IrRef x = ir_fl_pack(ir, f.b), y = ir_fl_pack(ir, f.c);
        return ir_select(ir, is_nonzero(ir, f.a), x, y);
    }
    return BUILD(ir, OP_fl_pack, I32, .a = flags);
}

/* -- Memory ----------------------------------------------------------------------------------- */

static IrRef memory(IrBlock *ir)
{
    IrOp *op = &ir->ops[ir->nops];

    g_assert(ir_type(ir, op->a) == I64);
    ir_fold_address(ir, op);
    ir->naccesses++;
    return append_notable(ir);
}
#define MEMORY(ir, ...) (PLACE(ir, __VA_ARGS__), memory(ir))

IrRef ir_ld(IrBlock *ir, IrType type, IrRef addr, int32_t disp, unsigned memflags)
{
    return MEMORY(ir, OP_ld, type, .a = addr, .d = (IrRef)memflags, .imm = (uint32_t)disp);
}

void ir_st(IrBlock *ir, IrRef value, IrRef addr, int32_t disp, unsigned memflags)
{
    MEMORY(ir, OP_st, ir_type(ir, value), .a = addr, .b = value, .d = (IrRef)memflags,
           .imm = (uint32_t)disp);
}

IrRef ir_rmw(IrBlock *ir, IrOpcode op, IrRef value, IrRef addr, int32_t disp, unsigned memflags)
{
    return MEMORY(ir, op, ir_type(ir, value), .a = addr, .b = value, .d = (IrRef)memflags,
                  .imm = (uint32_t)disp);
}

IrRef ir_rmw_cas(IrBlock *ir, IrRef compare, IrRef value, IrRef addr, int32_t disp,
                 unsigned memflags)
{
    return MEMORY(ir, OP_rmw_cas, ir_type(ir, value), .a = addr, .b = value, .c = compare,
                  .d = (IrRef)memflags, .imm = (uint32_t)disp);
}

void ir_probe(IrBlock *ir, IrRef addr, int32_t disp, unsigned size, bool write, unsigned memflags)
{
    g_assert(size > 0 && size <= 4096);
    MEMORY(ir, OP_probe, IR_VOID, .aux = write, .a = addr, .b = (IrRef)size, .d = (IrRef)memflags,
           .imm = (uint32_t)disp);
}

IrRef ir_ld_host(IrBlock *ir, IrType type, const void *host)
{
    return APPEND(ir, OP_ld_host, type, .value = (uint64_t)(uintptr_t)host);
}

void ir_st_host(IrBlock *ir, IrRef value, IrRef addr, unsigned disp)
{
    APPEND(ir, OP_st_host, ir_type(ir, value), .a = addr, .b = value, .imm = disp);
}

void ir_fence(IrBlock *ir, unsigned kind)
{
    APPEND(ir, OP_fence, IR_VOID, .aux = (uint8_t)kind);
}

IrRef ir_x87(IrBlock *ir, IrType type, unsigned insn)
{
    return APPEND(ir, OP_x87, type, .imm = insn);
}

void ir_x87_slot(IrBlock *ir, unsigned insn, unsigned slot, unsigned byte)
{
    APPEND(ir, OP_x87_slot, IR_VOID, .aux = (uint8_t)byte, .b = (IrRef)insn, .imm = slot);
}

void ir_x87_if(IrBlock *ir, IrRef cond, unsigned st)
{
    APPEND(ir, OP_x87_if, IR_VOID, .a = cond, .imm = st);
}

void ir_x87_mem(IrBlock *ir, bool write, IrType type, unsigned insn, IrRef addr, int32_t disp,
                unsigned memflags)
{
    MEMORY(ir, write ? OP_x87_st : OP_x87_ld, type, .a = addr, .b = (IrRef)insn,
           .d = (IrRef)memflags, .imm = (uint32_t)disp);
}

/* -- Floating point and vectors -----------------------------------------------------------------
 */

static uint8_t lane_of(IrType type, unsigned lane)
{
    return type == V128 || type == V256 ? (uint8_t)lane : 0;
}

IrRef ir_fbin(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x, IrRef y)
{
    IrType type = ir_type(ir, x);

    g_assert(type == ir_type(ir, y) || (lane > 3 && type == V128));
    return BUILD(ir, op, type, .aux = lane_of(type, lane), .a = x, .b = y);
}

IrRef ir_fun(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x)
{
    IrType type = ir_type(ir, x);

    return BUILD(ir, op, type, .aux = lane_of(type, lane), .a = x);
}

IrRef ir_fround(IrBlock *ir, unsigned lane, IrRef x, unsigned imm)
{
    IrType type = ir_type(ir, x);

    return BUILD(ir, OP_fround, type, .aux = lane_of(type, lane), .a = x, .imm = imm);
}

IrRef ir_fcmp(IrBlock *ir, unsigned lane, IrRef x, IrRef y, unsigned predicate)
{
    IrType type = ir_type(ir, x);

    return BUILD(ir, OP_fcmp, type, .aux = lane_of(type, lane), .a = x, .b = y, .imm = predicate);
}

IrRef ir_fcomi(IrBlock *ir, IrRef x, IrRef y, bool quiet)
{
    return BUILD(ir, OP_fcomi, I32, .a = x, .b = y, .imm = quiet);
}

IrRef ir_cvt_f2i(IrBlock *ir, IrType type, IrRef x, bool truncate)
{
    return BUILD(ir, OP_cvt_f2i, type, .a = x, .imm = truncate);
}

void ir_fpclear(IrBlock *ir)
{
    APPEND(ir, OP_fpclear, IR_VOID, );
}

void ir_fpcheck(IrBlock *ir, uint32_t trap_code)
{
    APPEND_NOTABLE(ir, OP_fpcheck, IR_VOID, .imm = trap_code);
}

IrRef ir_getmxcsr(IrBlock *ir)
{
    return APPEND(ir, OP_getmxcsr, I32, );
}

void ir_setmxcsr(IrBlock *ir, IrRef v)
{
    APPEND(ir, OP_setmxcsr, IR_VOID, .a = v);
}

IrRef ir_getfsw(IrBlock *ir)
{
    return APPEND(ir, OP_getfsw, I32, );
}

void ir_setfsw(IrBlock *ir, IrRef v)
{
    APPEND(ir, OP_setfsw, IR_VOID, .a = v);
}

void ir_setfcw(IrBlock *ir, IrRef v)
{
    APPEND(ir, OP_setfcw, IR_VOID, .a = v);
}

IrRef ir_vmovmsk(IrBlock *ir, unsigned lane, IrRef x)
{
    return BUILD(ir, OP_vmovmsk, I32, .aux = (uint8_t)lane, .a = x);
}

IrRef ir_vextract(IrBlock *ir, unsigned lane, IrRef x, unsigned index)
{
    g_assert(lane <= 3 && index < 16u >> lane);
    return BUILD(ir, OP_vextract, I8 + lane, .aux = (uint8_t)lane, .a = x, .imm = index);
}

IrRef ir_vinsert(IrBlock *ir, unsigned lane, IrRef x, IrRef value, unsigned index)
{
    g_assert(lane <= 3 && index < 16u >> lane && ir_type(ir, value) == I8 + lane);
    return BUILD(ir, OP_vinsert, V128, .aux = (uint8_t)lane, .a = x, .b = value, .imm = index);
}

IrRef ir_vtest(IrBlock *ir, IrRef x, IrRef y)
{
    return BUILD(ir, OP_vtest, I32, .a = x, .b = y);
}

IrRef ir_sha256rnds2(IrBlock *ir, IrRef x, IrRef y, IrRef z)
{
    return BUILD(ir, OP_sha256rnds2, V128, .aux = 2, .a = x, .b = y, .c = z);
}

IrRef ir_vfromint(IrBlock *ir, IrRef x)
{
    return BUILD(ir, OP_vfromint, V128, .a = x);
}

IrRef ir_vcvt(IrBlock *ir, IrVcvt kind, IrRef x)
{
    return BUILD(ir, OP_vcvt, V128, .aux = (uint8_t)kind, .a = x);
}

/* -- AVX ------------------------------------------------------------------------------------- */

IrRef ir_vcvt_to(IrBlock *ir, IrVcvt kind, IrType type, IrRef x, unsigned imm)
{
    return BUILD(ir, OP_vcvt, type, .aux = (uint8_t)kind, .a = x, .imm = imm);
}

void ir_vzeroupper(IrBlock *ir)
{
    PLACE(ir, OP_vzeroupper, IR_VOID, );
    append_writer(ir);
}

IrRef ir_vmovlo(IrBlock *ir, IrRef x, IrRef low)
{
    return BUILD(ir, OP_vmovlo, V128, .a = x, .b = low);
}

IrRef ir_vbcast(IrBlock *ir, IrType type, unsigned lane, IrRef x)
{
    return BUILD(ir, OP_vbcast, type, .aux = (uint8_t)lane, .a = x);
}

IrRef ir_vinserth(IrBlock *ir, IrRef x, IrRef y, unsigned half)
{
    return BUILD(ir, OP_vinserth, V256, .a = x, .b = y, .imm = half);
}

IrRef ir_vextracth(IrBlock *ir, IrRef x, unsigned half)
{
    return BUILD(ir, OP_vextracth, V128, .a = x, .imm = half);
}

IrRef ir_vwiden(IrBlock *ir, bool sign, unsigned from, unsigned to, IrRef x)
{
    return BUILD(ir, sign ? OP_vwidens : OP_vwidenu, V256, .aux = (uint8_t)from, .a = x, .imm = to);
}

IrRef ir_vselect(IrBlock *ir, unsigned lane, IrRef x, IrRef y, IrRef mask)
{
    return BUILD(ir, OP_vselect, ir_type(ir, x), .aux = (uint8_t)lane, .a = x, .b = y, .c = mask);
}

IrRef ir_fma(IrBlock *ir, unsigned lane, IrRef a, IrRef b, IrRef c, unsigned opcode)
{
    return BUILD(ir, OP_fma, ir_type(ir, a), .aux = (uint8_t)lane, .a = a, .b = b, .c = c,
                 .imm = opcode);
}

/* -- Control ------------------------------------------------------------------------------------
 */

IrRef ir_call(IrBlock *ir, unsigned index, IrRef a, IrRef b, IrRef c, IrRef d)
{
    IrRef arg[IR_MAX_ARGS] = { a, b, c, d };
    const TcgHelper *helper = &ir->helpers[index];
    IrRef r;

    g_assert(index < ir->nhelpers);
    for (unsigned i = 0; i < IR_MAX_ARGS; i++) {
        g_assert(i < helper->nargs ? ir_type(ir, arg[i]) == helper->args[i] : arg[i] == IR_NONE);
    }
    PLACE(ir, OP_call, helper->ret, .a = a, .b = b, .c = c, .d = d, .imm = index);
    r = append_writer(ir);
    return helper->ret == IR_VOID ? IR_NONE : r;
}

/* A condition that never holds leaves nothing to emit. */
static bool never(const IrBlock *ir, IrRef cond)
{
    uint64_t v;

    g_assert(ir_type(ir, cond) == I1);
    return ir_is_const(ir, cond, &v) && v == 0;
}

void ir_trap(IrBlock *ir, uint32_t code)
{
    APPEND_NOTABLE(ir, OP_trap, IR_VOID, .imm = code);
}

void ir_trap_if(IrBlock *ir, IrRef cond, uint32_t code)
{
    if (!never(ir, cond)) {
        APPEND_NOTABLE(ir, OP_trap_if, IR_VOID, .a = cond, .imm = code);
    }
}

static IrRef next_link(IrBlock *ir)
{
    g_assert(ir->nlinks < IR_MAX_LINKS);
    return (IrRef)ir->nlinks++;
}

void ir_goto(IrBlock *ir, uint32_t offset)
{
    APPEND_NOTABLE(ir, OP_goto, IR_VOID, .d = next_link(ir), .imm = offset);
}

void ir_goto_if(IrBlock *ir, IrRef cond, uint32_t offset)
{
    if (!never(ir, cond)) {
        APPEND_NOTABLE(ir, OP_goto_if, IR_VOID, .a = cond, .d = next_link(ir), .imm = offset);
    }
}

void ir_jump(IrBlock *ir, IrRef pc, IrJumpKind kind, uint32_t reason)
{
    g_assert(ir_type(ir, pc) == I64);
    APPEND_NOTABLE(ir, OP_jump, IR_VOID, .aux = (uint8_t)kind, .a = pc, .imm = reason);
}

void ir_exit(IrBlock *ir, uint32_t reason)
{
    APPEND_NOTABLE(ir, OP_exit, IR_VOID, .imm = reason);
}

void ir_exit_if(IrBlock *ir, IrRef cond, uint32_t reason)
{
    if (!never(ir, cond)) {
        APPEND_NOTABLE(ir, OP_exit_if, IR_VOID, .a = cond, .imm = reason);
    }
}

/* Bytes @at to @at + 8 of those that ir_exit_if_changed() looks at. */
static void exit_if_word_changed(IrBlock *ir, const uint8_t *host, unsigned n, uint64_t care,
                                 uint32_t reason)
{
    unsigned in_page = (uintptr_t)host & 0xfff, back = in_page > 0xff8 ? in_page - 0xff8 : 0;
    uint64_t mask = 0, now;
    IrType type;
    IrRef v;

    for (unsigned k = 0; k < n; k++) {
        mask |= care >> k & 1 ? UINT64_C(0xff) << 8 * (k + back) : 0;
    }
    if (!mask) {
        return;
    }
    now = guest_get(host - back, 8);
    type = mask >> 32 ? I64 : I32;
    v = ir_ld_host(ir, type, host - back);
    if (mask != ir_type_mask(type)) {
        v = ir_and(ir, v, ir_const(ir, type, mask));
    }
    ir_exit_if(ir, ir_setcond(ir, COND_NE, v, ir_const(ir, type, now & mask)), reason);
}

void ir_exit_if_changed(IrBlock *ir, const uint8_t *host, unsigned n, uint64_t care,
                        uint32_t reason)
{
    g_assert(n <= 64 && ((uintptr_t)host & 0xfff) + n <= 4096);
    for (unsigned k = 0; k < n; k += 8) {
        exit_if_word_changed(ir, host + k, MIN(n - k, 8), care >> k, reason);
    }
}

/* -- Any op ---------------------------------------------------------------------------------- */

IrRef ir_append(IrBlock *ir, IrOp op)
{
    *next_op(ir) = op;
    switch (op.op) {
    case OP_insn: ir->ninsns++; return ir->insn = count(ir);
    case OP_const: return append_const(ir);
    case OP_get: return ir_get(ir, (IrType)op.type, op.imm, op.aux);
    case OP_set: return append_set(ir);
    case OP_getflags: return ir_getflags(ir);
    case OP_setflags: ir->flags = ir->bundle = op.a; break;
    case OP_call:
    case OP_vzeroupper: return append_writer(ir);
    case OP_ld:
    case OP_st: return memory(ir);
    case OP_goto:
    case OP_goto_if: ir->nlinks = MAX(ir->nlinks, op.d + 1u); break;
    default:
        if (ir_op_info[op.op].props & IRP_PURE) {
            return build(ir, ir_fold);
        }
        ir->naccesses++; /* for all that is known */
    }
    return ir_op_info[op.op].props & (IRP_FAULT | IRP_EXIT) ? append_notable(ir) : append(ir);
}
