/* SPDX-License-Identifier: MIT */
/*
 * Building IR. Each function appends one op (or folds it: constants, identities, repeated
 * extension) and returns the value. Types are inferred from operands where the row's shape allows.
 * Running out of IR_MAX_OPS is asserted: frontends stop a block long before (ir_room()).
 */
#ifndef TCG_BUILDER_H
#define TCG_BUILDER_H

#include "tcg/ir.h"

/* Ops left before a block must end. A frontend ends the block when it is below what its longest
 * instruction may need. */
static inline unsigned ir_room(const IrBlock *ir)
{
    return ir->nops < IR_FRONTEND_OPS ? IR_FRONTEND_OPS - ir->nops : 0;
}

static inline IrType ir_type(const IrBlock *ir, IrRef v)
{
    return (IrType)ir->ops[v].type;
}

/* Any op whose operands are defined in @ir, as its constructor would make it. Links keep their
 * numbers, insn markers are counted. */
IrRef ir_append(IrBlock *ir, IrOp op);

/* If @v is a constant, its value (zero-extended from its type). */
bool ir_is_const(const IrBlock *ir, IrRef v, uint64_t *value);

/* The shapes of opcodes.def. */
IrRef ir_bin(IrBlock *ir, IrOpcode op, IrRef x, IrRef y);
IrRef ir_un(IrBlock *ir, IrOpcode op, IrRef x);
IrRef ir_shift(IrBlock *ir, IrOpcode op, IrRef x, IrRef count);
IrRef ir_tri(IrBlock *ir, IrOpcode op, IrRef x, IrRef y, IrRef z);
IrRef ir_cvt(IrBlock *ir, IrOpcode op, IrType type, IrRef x);
IrRef ir_vbin(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x, IrRef y);
IrRef ir_vun(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x);
IrRef ir_vimm(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x, uint32_t imm);
IrRef ir_vimm2(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x, IrRef y, uint32_t imm);

/* ir_add(ir, x, y), ir_not(ir, x), ir_zext(ir, type, x), ir_vadd(ir, lane, x, y), … one per row. */
#define BUILD_OTHER(name)
#define BUILD_FL(name)
#define BUILD_BIN(name)                                          \
    static inline IrRef ir_##name(IrBlock *ir, IrRef x, IrRef y) \
    {                                                            \
        return ir_bin(ir, OP_##name, x, y);                      \
    }
#define BUILD_UN(name)                                  \
    static inline IrRef ir_##name(IrBlock *ir, IrRef x) \
    {                                                   \
        return ir_un(ir, OP_##name, x);                 \
    }
#define BUILD_SHIFT(name)                                            \
    static inline IrRef ir_##name(IrBlock *ir, IrRef x, IrRef count) \
    {                                                                \
        return ir_shift(ir, OP_##name, x, count);                    \
    }
#define BUILD_TRI(name)                                                   \
    static inline IrRef ir_##name(IrBlock *ir, IrRef x, IrRef y, IrRef z) \
    {                                                                     \
        return ir_tri(ir, OP_##name, x, y, z);                            \
    }
#define BUILD_CVT(name)                                              \
    static inline IrRef ir_##name(IrBlock *ir, IrType type, IrRef x) \
    {                                                                \
        return ir_cvt(ir, OP_##name, type, x);                       \
    }
#define BUILD_VBIN(name)                                                        \
    static inline IrRef ir_##name(IrBlock *ir, unsigned lane, IrRef x, IrRef y) \
    {                                                                           \
        return ir_vbin(ir, OP_##name, lane, x, y);                              \
    }
#define BUILD_VUN(name)                                                \
    static inline IrRef ir_##name(IrBlock *ir, unsigned lane, IrRef x) \
    {                                                                  \
        return ir_vun(ir, OP_##name, lane, x);                         \
    }
#define BUILD_VIMM(name)                                                             \
    static inline IrRef ir_##name(IrBlock *ir, unsigned lane, IrRef x, uint32_t imm) \
    {                                                                                \
        return ir_vimm(ir, OP_##name, lane, x, imm);                                 \
    }
#define BUILD_VIMM2(name)                                                                     \
    static inline IrRef ir_##name(IrBlock *ir, unsigned lane, IrRef x, IrRef y, uint32_t imm) \
    {                                                                                         \
        return ir_vimm2(ir, OP_##name, lane, x, y, imm);                                      \
    }
#define OP(name, shape, props, doc) BUILD_##shape(name)
#include "tcg/opcodes.def"
#undef OP

/* Rows of shape OTHER and FL. */
void ir_insn(IrBlock *ir, uint32_t offset);               /* counts ir->ninsns */
IrRef ir_const(IrBlock *ir, IrType type, uint64_t value); /* I1..I64, F32, F64 (bits), V128 */
/* A constant of its own whose value is amended while the block grows; nothing folds on what it
 * begins with. */
IrRef ir_const_open(IrBlock *ir, IrType type);
void ir_const_amend(IrBlock *ir, IrRef v, uint64_t value);
IrRef ir_get(IrBlock *ir, IrType type, unsigned slot, unsigned byte);
void ir_set(IrBlock *ir, unsigned slot, unsigned byte, IrRef value);
void ir_set_commit(IrBlock *ir, unsigned slot, unsigned byte, IrRef value); /* IROP_COMMIT */
IrRef ir_getflags(IrBlock *ir);
void ir_setflags(IrBlock *ir, IrRef flags);
IrRef ir_divu2(IrBlock *ir, IrRef hi, IrRef lo, IrRef divisor, uint32_t trap_code);
IrRef ir_divs2(IrBlock *ir, IrRef hi, IrRef lo, IrRef divisor, uint32_t trap_code);
IrRef ir_second(IrBlock *ir, IrRef div);
IrRef ir_lea(IrBlock *ir, IrRef base, IrRef index, unsigned scale, int32_t disp);
IrRef ir_setcond(IrBlock *ir, IrCond cond, IrRef x, IrRef y);
IrRef ir_select(IrBlock *ir, IrRef cond, IrRef x, IrRef y);
IrRef ir_addi(IrBlock *ir, IrRef x, int64_t y); /* x + constant of x's type */

IrRef ir_fl_add(IrBlock *ir, IrRef res, IrRef b);
IrRef ir_fl_adc(IrBlock *ir, IrRef res, IrRef b, IrRef cin);
IrRef ir_fl_sub(IrBlock *ir, IrRef res, IrRef b);
IrRef ir_fl_cmp(IrBlock *ir, IrRef a, IrRef b);
IrRef ir_fl_sbb(IrBlock *ir, IrRef res, IrRef b, IrRef cin);
IrRef ir_fl_logic(IrBlock *ir, IrRef res);
IrRef ir_fl_inc(IrBlock *ir, IrRef res, IrRef previous);
IrRef ir_fl_dec(IrBlock *ir, IrRef res, IrRef previous);
IrRef ir_fl_shl(IrBlock *ir, IrRef res, IrRef pre);
IrRef ir_fl_shr(IrBlock *ir, IrRef res, IrRef pre);
IrRef ir_fl_mul(IrBlock *ir, IrRef res, IrRef over);
IrRef ir_fl_setcf(IrBlock *ir, IrRef cf, IrRef previous);
IrRef ir_fl_select(IrBlock *ir, IrRef cond, IrRef x, IrRef y);
IrRef ir_fl_setof(IrBlock *ir, IrRef of, IrRef previous);
IrRef ir_fl_setzf(IrBlock *ir, IrRef zf, IrRef previous);
IrRef ir_fl_rotl(IrBlock *ir, IrRef res, IrRef previous);
IrRef ir_fl_rotr(IrBlock *ir, IrRef res, IrRef previous);
IrRef ir_fl_packed(IrBlock *ir, IrRef word);
IrRef ir_fl_test(IrBlock *ir, IrCc cc, IrRef flags); /* I1 */
IrRef ir_fl_pack(IrBlock *ir, IrRef flags);          /* I32 */

IrRef ir_ld(IrBlock *ir, IrType type, IrRef addr, int32_t disp, unsigned memflags);
void ir_st(IrBlock *ir, IrRef value, IrRef addr, int32_t disp, unsigned memflags);
IrRef ir_rmw(IrBlock *ir, IrOpcode op, IrRef value, IrRef addr, int32_t disp, unsigned memflags);
IrRef ir_rmw_cas(IrBlock *ir, IrRef compare, IrRef value, IrRef addr, int32_t disp,
                 unsigned memflags);
void ir_probe(IrBlock *ir, IrRef addr, int32_t disp, unsigned size, bool write, unsigned memflags);
IrRef ir_ld_host(IrBlock *ir, IrType type, const void *host);
void ir_st_host(IrBlock *ir, IrRef value, IrRef addr, unsigned disp);
void ir_fence(IrBlock *ir, unsigned kind);
/* @insn: the number of an x87 instruction, see opcodes.def. @type of the result: IR_VOID, I16,
 * I32. */
IrRef ir_x87(IrBlock *ir, IrType type, unsigned insn);
void ir_x87_slot(IrBlock *ir, unsigned insn, unsigned slot, unsigned byte);
void ir_x87_if(IrBlock *ir, IrRef cond, unsigned st);
void ir_x87_mem(IrBlock *ir, bool write, IrType type, unsigned insn, IrRef addr, int32_t disp,
                unsigned memflags);

/* fadd fsub fmul fdiv fmin fmax faddsub; scalar: @lane ignored. */
IrRef ir_fbin(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x, IrRef y);
IrRef ir_fun(IrBlock *ir, IrOpcode op, unsigned lane, IrRef x);     /* fsqrt fround (F80) */
IrRef ir_fround(IrBlock *ir, unsigned lane, IrRef x, unsigned imm); /* as ROUNDPS */
IrRef ir_fcmp(IrBlock *ir, unsigned lane, IrRef x, IrRef y, unsigned predicate);
IrRef ir_fcomi(IrBlock *ir, IrRef x, IrRef y, bool quiet);
IrRef ir_cvt_f2i(IrBlock *ir, IrType type, IrRef x, bool truncate);
void ir_fpclear(IrBlock *ir);
void ir_fpcheck(IrBlock *ir, uint32_t trap_code);
IrRef ir_getmxcsr(IrBlock *ir);
void ir_setmxcsr(IrBlock *ir, IrRef v);
IrRef ir_getfsw(IrBlock *ir);
void ir_setfsw(IrBlock *ir, IrRef v);
void ir_setfcw(IrBlock *ir, IrRef v);
IrRef ir_vmovmsk(IrBlock *ir, unsigned lane, IrRef x);
IrRef ir_vextract(IrBlock *ir, unsigned lane, IrRef x, unsigned index);
IrRef ir_vinsert(IrBlock *ir, unsigned lane, IrRef x, IrRef value, unsigned index);
IrRef ir_vtest(IrBlock *ir, IrRef x, IrRef y);
IrRef ir_sha256rnds2(IrBlock *ir, IrRef x, IrRef y, IrRef z);
IrRef ir_vfromint(IrBlock *ir, IrRef x);
IrRef ir_vcvt(IrBlock *ir, IrVcvt kind, IrRef x);

/* AVX. ir_fbin, ir_fcmp and ir_fma with lane 4 or 5 are scalar: see opcodes.def. */
void ir_vzeroupper(IrBlock *ir);
IrRef ir_vmovlo(IrBlock *ir, IrRef x, IrRef low);
IrRef ir_vbcast(IrBlock *ir, IrType type, unsigned lane, IrRef x);
IrRef ir_vinserth(IrBlock *ir, IrRef x, IrRef y, unsigned half);
IrRef ir_vextracth(IrBlock *ir, IrRef x, unsigned half);
IrRef ir_vwiden(IrBlock *ir, bool sign, unsigned from, unsigned to, IrRef x); /* to V256 */
IrRef ir_vselect(IrBlock *ir, unsigned lane, IrRef x, IrRef y, IrRef mask);
IrRef ir_fma(IrBlock *ir, unsigned lane, IrRef a, IrRef b, IrRef c, unsigned opcode);
IrRef ir_vcvt_to(IrBlock *ir, IrVcvt kind, IrType type, IrRef x, unsigned imm);

/* Helper @index of the block's table; unused arguments are IR_NONE. IR_NONE for a void one. */
IrRef ir_call(IrBlock *ir, unsigned index, IrRef a, IrRef b, IrRef c, IrRef d);
void ir_trap(IrBlock *ir, uint32_t code);
void ir_trap_if(IrBlock *ir, IrRef cond, uint32_t code);
void ir_goto(IrBlock *ir, uint32_t offset); /* takes the next link slot */
void ir_goto_if(IrBlock *ir, IrRef cond, uint32_t offset);
/* @reason: TcgLeave.reason where the jump leaves for C; 0: that need not know who jumped. */
void ir_jump(IrBlock *ir, IrRef pc, IrJumpKind kind, uint32_t reason);
void ir_exit(IrBlock *ir, uint32_t reason);
/* Leave with @reason if the @n bytes at @host, none beyond its 4 KiB page, are not what they are
 * now; bit k of @care: byte k counts. @n <= 64. */
void ir_exit_if_changed(IrBlock *ir, const uint8_t *host, unsigned n, uint64_t care,
                        uint32_t reason);
void ir_exit_if(IrBlock *ir, IrRef cond, uint32_t reason);

#endif
