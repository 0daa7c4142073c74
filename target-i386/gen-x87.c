/* SPDX-License-Identifier: MIT */
/*
 * x87 in translated code (SDM vol. 1, chapter 8), in two ways. With TCG_HAS_X87 the host's x87 has
 * the guest's state and instructions are executed as they are (gen-x87-host.c). Else TOP is a
 * constant at each point of a block, so ST(i) is a slot; tags are looked at once for all
 * instructions up to a branch, then known; FSW is current after every F80 op (exception flags, C1),
 * condition codes are set here; what could be a stack fault is left to help_x87(). That does, in a
 * block of one instruction, all that is rare, and everything while an exception is unmasked or
 * pending.
 */
#include "target-i386/gen-x87.h"

#include "target-i386/gen-fp.h"
#include "target-i386/help-fp.h"

/* ---- State ---------------------------------------------------------------------------------- */
void x87_exit_if(Dis *d, IrRef cond)
{
    ir_exit_if(d->ir, cond, X86_EXIT_X87_SLOW);
}

bool x87_is_slow(const Dis *d)
{
    return d->mode & X86_MODE_X87_SLOW;
}

void x87_wait(Dis *d)
{
    if (d->mode & X86_MODE_X87_UNMASKED)
        call0(d, HELP_x87_wait);
}

/* FPSTT and the key follow at once: the next memory access may fault. c->mode is C code's to mend.
 */
void x87_set_top(Dis *d, unsigned top)
{
    IrBlock *ir = d->ir;
    uint64_t change = (uint64_t)(d->top ^ top) << CPU_KEY_HOT_SHIFT;

    if (d->cpu->host_x87) { /* the key does not tell it, nor does anything know it */
        ir_set(ir, SLOT_FPSTT, 0, ir_const(ir, I8, top));
        return;
    }
    if (d->top == top)
        return;
    d->top = (uint8_t)top;
    ir_set(ir, SLOT_FPSTT, 0, ir_const(ir, I8, top));
    ir_set(ir, SLOT_JC_KEY, 0, ir_xor(ir, ir_get(ir, I64, SLOT_JC_KEY, 0), const64(d, change)));
}

void x87_forget_tags(Dis *d)
{
    d->x87_full = d->x87_empty = 0;
    d->x87_check.mask_ref = IR_NONE;
}

static unsigned physical(const Dis *d, unsigned i)
{
    return (d->top + i) & 7;
}

static void begin_check(Dis *d)
{
    IrBlock *ir = d->ir;
    IrRef mask = ir_const_open(ir, I8), want = ir_const_open(ir, I8);
    IrRef tags = ir_and(ir, ir_get(ir, I8, SLOT_FPTAGS, 0), mask);

    x87_exit_if(d, ir_setcond(ir, COND_NE, tags, want));
    d->x87_check.mask_ref = mask;
    d->x87_check.want_ref = want;
    d->x87_check.mask = d->x87_check.want = 0;
    d->x87_check.nlinks = ir->nlinks;
}

/* A stack fault if ST(i) is not as wanted. One check is for all instructions up to the next branch:
 * what this one asks of a tag that has not changed since is added to it, for the first of them to
 * be slow. */
static void need(Dis *d, unsigned i, bool full)
{
    unsigned p = physical(d, i);
    uint8_t *known = full ? &d->x87_full : &d->x87_empty;
    uint8_t not = full ? d->x87_empty : d->x87_full;

    if (*known >> p & 1)
        return;
    if (not >> p & 1) { /* a fault for certain */
        x87_exit_if(d, ir_const(d->ir, I1, 1));
        return;
    }
    if (d->x87_check.mask_ref == IR_NONE || d->x87_check.nlinks != d->ir->nlinks)
        begin_check(d);
    d->x87_check.mask |= (uint8_t)(1u << p);
    d->x87_check.want |= (uint8_t)(!full << p);
    ir_const_amend(d->ir, d->x87_check.mask_ref, d->x87_check.mask);
    ir_const_amend(d->ir, d->x87_check.want_ref, d->x87_check.want);
    *known |= (uint8_t)(1u << p);
}

static void need_full(Dis *d, unsigned i)
{
    need(d, i, true);
}

static void need_room(Dis *d)
{
    need(d, 7, false);
}

static void set_tag(Dis *d, unsigned i, bool empty)
{
    unsigned p = physical(d, i);
    uint8_t *now = empty ? &d->x87_empty : &d->x87_full;
    uint8_t *not = empty ? &d->x87_full : &d->x87_empty;
    IrBlock *ir = d->ir;
    unsigned bit = 1u << p;
    IrRef tags;

    if (!(*now >> p & 1)) {
        tags = ir_get(ir, I8, SLOT_FPTAGS, 0);
        tags = empty ? ir_or(ir, tags, ir_const(ir, I8, bit))
                     : ir_and(ir, tags, ir_const(ir, I8, bit ^ 0xff));
        ir_set(ir, SLOT_FPTAGS, 0, tags);
    }
    *now |= (uint8_t)(1u << p);
    *not &= (uint8_t) ~(1u << p);
}

static IrRef st(Dis *d, unsigned i)
{
    return ir_get(d->ir, F80, SLOT_FPREG + physical(d, i), 0);
}

static void set_st(Dis *d, unsigned i, IrRef v)
{
    ir_set(d->ir, SLOT_FPREG + physical(d, i), 0, v);
    set_tag(d, i, false);
}

static void pop(Dis *d)
{
    set_tag(d, 0, true);
    x87_set_top(d, physical(d, 1));
}

static void push(Dis *d, IrRef v)
{
    x87_set_top(d, physical(d, 7));
    set_st(d, 0, v);
}

/* C0-C3 are bits 0, 1, 2, 6 of the high byte, as CF, -, PF, ZF are of a flags byte. */
static void set_cc(Dis *d, IrRef flags)
{
    IrBlock *ir = d->ir;

    ir_set(ir, SLOT_FSW, 1, ir_trunc(ir, I8, flags));
}

static void clear_c1(Dis *d)
{
    IrBlock *ir = d->ir;
    IrRef fsw = ir_get(ir, I16, SLOT_FSW, 0);

    ir_set(ir, SLOT_FSW, 0, ir_and(ir, fsw, ir_const(ir, I16, 0xfdff)));
}

/* ---- The frame of every instruction --------------------------------------------------------- */
static void record_pointers(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;

    ir_set(ir, SLOT_FOP, 0, ir_const(ir, I16, (i->opcode & 7u) << 8 | i->modrm));
    ir_set(ir, SLOT_FIP, 0, pc_here(d));
    if (!d->x87_cs_set)
        ir_set(ir, SLOT_FCS, 0, ir_get(ir, I16, SLOT_SEG_SELECTOR + SEG_CS, 0));
    d->x87_cs_set = true;
    if (i->mod != 3) {
        ir_set(ir, SLOT_FDP, 0, mem_ea(d, i));
        ir_set(ir, SLOT_FDS, 0, ir_get(ir, I16, SLOT_SEG_SELECTOR + i->seg, 0));
    }
}

static unsigned operand_size_of(const Dis *d, const Insn *i, unsigned facts)
{
    unsigned env = i->osize == I16 ? 14 : 28;

    if (facts & ENV)
        return env;
    return facts & SAVE ? env + 80 : ir_type_info[i->op[0].type].bytes;
}

/* SDM vol. 3A, table 6-7: environments are as aligned as their fields, reals of 10 bytes by 8. */
static unsigned alignment_of(const Insn *i, unsigned size)
{
    if (size > 10)
        return i->osize == I16 ? 2 : 4;
    return size == 10 ? 8 : size;
}

static IrRef linear(Dis *d, Insn *i, unsigned size, bool write)
{
    Mem m = mem_operand(d, i, size, write);

    check_alignment(d, m, alignment_of(i, size));
    return mem_linear(d, i, m, size);
}

void x87_by_helper(Dis *d, Insn *i, unsigned facts)
{
    IrBlock *ir = d->ir;
    uint32_t how = (i->opcode & 7u) << 8 | i->modrm;
    bool goes_on = (facts & (KEEPS_TOP | POPS | PUSHES)) && !d->cpu->host_x87 &&
                   !(d->mode & (X86_MODE_X87_SLOW | X86_MODE_X87_UNMASKED));
    IrRef addr = const64(d, 0), cond = const32(d, 0), r;

    if (i->osize == I16)
        how |= X87_OSIZE16;
    if (facts & NO_WAIT)
        how |= X87_NO_WAIT;
    if (goes_on)
        how |= X87_GOES_ON;
    if (i->mod != 3 && !(facts & NO_WAIT) && (d->mode & X86_MODE_X87_UNMASKED))
        call0(d, HELP_x87_wait); /* before segment limits */
    if (i->mod != 3)
        addr = linear(d, i, operand_size_of(d, i, facts), facts & WRITES);
    if (facts & COND)
        cond = ir_zext(ir, I32, flags_cc(d, i->desc->arg));
    r = call3(d, HELP_x87, const32(d, how), addr, cond);
    if (!(facts & CONTROL))
        record_pointers(d, i);
    if (facts & EFLAGS)
        ir_setflags(ir, ir_fl_packed(ir, r));
    x87_forget_tags(d);
    if (goes_on) {
        x87_set_top(d, physical(d, facts & POPS ? 1 : facts & PUSHES ? 7 : 0));
        return;
    }
    ir_setfcw(ir, ir_zext(ir, I32, ir_get(ir, I16, SLOT_FCW, 0)));
    if (i->desc->gen == gen_fnstsw_ax)
        reg_set(d, I16, R_RAX, ir_trunc(ir, I16, r));
    leave_sync(d);
}

static void x87_insn(Dis *d, Insn *i, unsigned facts, FastFn *fast)
{
    /* The host's x87 accesses memory without telling; helpers do. They also do what a block without
     * groups has had to come home for. */
    bool slow = (d->mode & (X86_MODE_X87_SLOW | X86_MODE_X87_UNMASKED)) || d->req->accesses_told;

    if (d->cpu->host_x87) {
        if (slow || (d->ir->no_groups && !d->x87_on_host)) {
            if (x87_at_home(d))
                x87_by_helper(d, i, facts);
            return;
        }
        if (!x87_by_host(d, i, facts, fast))
            return;
    } else if (!fast || slow) {
        x87_by_helper(d, i, facts);
        return;
    } else {
        fast(d, i);
    }
    if (!(facts & CONTROL))
        record_pointers(d, i);
}

#define X87(name, facts, fast)       \
    void gen_##name(Dis *d, Insn *i) \
    {                                \
        x87_insn(d, i, facts, fast); \
    }

/* ---- Loads and stores ----------------------------------------------------------------------- */
/* The compiler aligns powers of two; for #AC an 80-bit operand counts as 8 bytes. */
static Mem real_operand(Dis *d, Insn *i, bool write)
{
    Mem m = mem_operand(d, i, ir_type_info[op_type(i, 0)].bytes, write);

    if (op_type(i, 0) == F80) {
        check_alignment(d, m, 8);
        m.flags &= ~(unsigned)MEM_ALIGN;
    }
    return m;
}

static IrRef load_real(Dis *d, Insn *i)
{
    IrType type = op_type(i, 0) == I32 ? F32 : op_type(i, 0) == I64 ? F64 : F80;
    IrRef v = mem_ld(d, real_operand(d, i, false), type, 0);

    return type == F80 ? v : ir_cvt_f2f(d->ir, F80, v);
}

/* Arithmetic or comparison of ST(0) with a real in memory. Whether a NaN or denormal raises #I and
 * #D is a matter of both operands, and none may be left to run again: it has been read. */
static void with_real(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    uint32_t how = (i->opcode & 7u) << 8 | i->modrm;
    IrRef v;

    need_full(d, 0);
    v = op_load(d, i, 0);
    call2(d, HELP_x87_real, const32(d, how), op_type(i, 0) == I64 ? v : ir_zext(ir, I64, v));
}

static IrRef load_integer(Dis *d, Insn *i)
{
    return ir_cvt_i2f(d->ir, F80, op_load(d, i, 0));
}

static void fast_fld(Dis *d, Insn *i)
{
    IrRef v;

    need_room(d);
    if (i->op[0].kind == OPK_ST) {
        need_full(d, i->op[0].reg);
        v = st(d, i->op[0].reg);
    } else {
        v = load_real(d, i);
    }
    if (i->op[0].kind == OPK_ST || op_type(i, 0) == F80)
        clear_c1(d);
    push(d, v);
}

static void fast_fild(Dis *d, Insn *i)
{
    need_room(d);
    push(d, load_integer(d, i));
}

/* Faults of the store come before the flags of the conversion. */
static Mem target(Dis *d, Insn *i)
{
    unsigned size = ir_type_info[op_type(i, 0)].bytes;
    Mem m = real_operand(d, i, true);

    ir_probe(d->ir, m.addr, m.disp, size, true, m.flags);
    return m;
}

static void store_real(Dis *d, Insn *i)
{
    IrType type = op_type(i, 0);
    IrRef v;
    Mem m;

    need_full(d, 0);
    if (type == F80) {
        mem_st(d, real_operand(d, i, true), st(d, 0), 0);
        clear_c1(d);
        return;
    }
    m = target(d, i);
    v = ir_cvt_f2f(d->ir, type == I32 ? F32 : F64, st(d, 0));
    mem_st(d, m, v, 0);
}

static void store_st(Dis *d, Insn *i)
{
    need_full(d, 0);
    clear_c1(d);
    set_st(d, i->op[0].reg, st(d, 0));
}

static void fast_fst(Dis *d, Insn *i)
{
    if (i->op[0].kind == OPK_ST)
        store_st(d, i);
    else
        store_real(d, i);
}

static void fast_fstp(Dis *d, Insn *i)
{
    fast_fst(d, i);
    pop(d);
}

static void store_integer(Dis *d, Insn *i, bool truncate)
{
    IrRef v;
    Mem m;

    need_full(d, 0);
    m = target(d, i);
    v = ir_cvt_f2i(d->ir, op_type(i, 0), st(d, 0), truncate);
    mem_st(d, m, v, 0);
}

static void fast_fist(Dis *d, Insn *i)
{
    store_integer(d, i, false);
}

static void fast_fistp(Dis *d, Insn *i)
{
    store_integer(d, i, false);
    pop(d);
}

static void fast_fisttp(Dis *d, Insn *i)
{
    store_integer(d, i, true);
    pop(d);
}

X87(fld, PUSHES, fast_fld)
X87(fst, WRITES | FILLS_I, fast_fst)
X87(fstp, WRITES | POPS, fast_fstp)
X87(fild, PUSHES, fast_fild)
X87(fist, WRITES, fast_fist)
X87(fistp, WRITES | POPS, fast_fistp)
X87(fisttp, WRITES | POPS, fast_fisttp)
X87(fbld, PUSHES, NULL)
X87(fbstp, WRITES | POPS, NULL)

static void push_constant(Dis *d, IrRef frac, unsigned se)
{
    unsigned p = physical(d, 7);

    clear_c1(d);
    x87_set_top(d, p);
    ir_set(d->ir, SLOT_FPREG + p, 0, frac);
    ir_set(d->ir, SLOT_FPREG + p, 8, ir_const(d->ir, I16, se));
    set_tag(d, 0, false);
}

static void fast_constant(Dis *d, Insn *i)
{
    static const uint16_t se[7] = { 0x3fff, 0x4000, 0x3fff, 0x4000, 0x3ffd, 0x3ffe, 0 };
    unsigned which = i->modrm & 7;

    need_room(d);
    if (which == 0 || which == 6)
        push_constant(d, const64(d, which ? 0 : 1ull << 63), se[which]);
    else /* rounded as FCW says */
        push_constant(d, call1(d, HELP_x87_constant, const32(d, which)), se[which]);
}

X87(fld1, PUSHES, fast_constant)
X87(fldl2t, PUSHES, fast_constant)
X87(fldl2e, PUSHES, fast_constant)
X87(fldpi, PUSHES, fast_constant)
X87(fldlg2, PUSHES, fast_constant)
X87(fldln2, PUSHES, fast_constant)
X87(fldz, PUSHES, fast_constant)

/* ---- Moves within the stack ----------------------------------------------------------------- */
static void fast_fxch(Dis *d, Insn *i)
{
    unsigned n = i->op[0].reg;
    IrRef a, b;

    need_full(d, 0);
    need_full(d, n);
    a = st(d, 0);
    b = st(d, n);
    clear_c1(d);
    set_st(d, 0, b);
    set_st(d, n, a);
}

static void fast_fcmov(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    unsigned to = SLOT_FPREG + physical(d, 0), from = SLOT_FPREG + physical(d, i->op[0].reg);
    IrRef cond, frac, se;

    need_full(d, 0);
    need_full(d, i->op[0].reg);
    cond = flags_cc(d, i->desc->arg);
    clear_c1(d);
    frac = ir_select(ir, cond, ir_get(ir, I64, from, 0), ir_get(ir, I64, to, 0));
    se = ir_select(ir, cond, ir_get(ir, I16, from, 8), ir_get(ir, I16, to, 8));
    ir_set(ir, to, 0, frac);
    ir_set(ir, to, 8, se);
}

static void change_sign(Dis *d, IrOpcode op, unsigned mask)
{
    unsigned slot = SLOT_FPREG + physical(d, 0);
    IrRef se;

    need_full(d, 0);
    se = ir_get(d->ir, I16, slot, 8);
    clear_c1(d);
    ir_set(d->ir, slot, 8, ir_bin(d->ir, op, se, ir_const(d->ir, I16, mask)));
}

static void fast_fchs(Dis *d, Insn *i)
{
    change_sign(d, OP_xor, 0x8000);
}

static void fast_fabs(Dis *d, Insn *i)
{
    change_sign(d, OP_and, 0x7fff);
}

static void fast_ffree(Dis *d, Insn *i)
{
    clear_c1(d);
    set_tag(d, i->op[0].reg, true);
}

static void fast_ffreep(Dis *d, Insn *i)
{
    fast_ffree(d, i);
    pop(d);
}

static void fast_fincstp(Dis *d, Insn *i)
{
    clear_c1(d);
    x87_set_top(d, physical(d, 1));
}

static void fast_fdecstp(Dis *d, Insn *i)
{
    clear_c1(d);
    x87_set_top(d, physical(d, 7));
}

static void fast_nothing(Dis *d, Insn *i)
{
}

X87(fxch, FILLS | FILLS_I, fast_fxch)
X87(fcmovb, COND | FILLS, fast_fcmov)
X87(fcmove, COND | FILLS, fast_fcmov)
X87(fcmovbe, COND | FILLS, fast_fcmov)
X87(fcmovu, COND | FILLS, fast_fcmov)
X87(fcmovnb, COND | FILLS, fast_fcmov)
X87(fcmovne, COND | FILLS, fast_fcmov)
X87(fcmovnbe, COND | FILLS, fast_fcmov)
X87(fcmovnu, COND | FILLS, fast_fcmov)
X87(fchs, FILLS, fast_fchs)
X87(fabs, FILLS, fast_fabs)
X87(ffree, EMPTIES, fast_ffree)
X87(ffreep, EMPTIES, fast_ffreep)
X87(fincstp, EMPTIES, fast_fincstp)
X87(fdecstp, EMPTIES, fast_fdecstp)
X87(fnop, OWN, fast_nothing)

/* ---- Arithmetic ----------------------------------------------------------------------------- */
typedef enum Form { FROM_REAL, FROM_INT, TO_ST, TO_ST_POP } Form;

static void arith(Dis *d, Insn *i, IrOpcode op, bool reversed, Form form)
{
    unsigned dst = form >= TO_ST ? i->op[0].reg : 0;
    IrRef a, b, r;

    if (form == FROM_REAL && i->op[0].kind != OPK_ST) {
        with_real(d, i);
        return;
    }
    need_full(d, 0);
    if (i->op[0].kind == OPK_ST)
        need_full(d, i->op[0].reg);
    if (form == FROM_INT)
        b = load_integer(d, i);
    else
        b = st(d, form >= TO_ST ? 0 : i->op[0].reg);
    a = st(d, dst);
    r = reversed ? ir_fbin(d->ir, op, 0, b, a) : ir_fbin(d->ir, op, 0, a, b);
    set_st(d, dst, r);
    if (form == TO_ST_POP)
        pop(d);
}

#define ARITH(name, op, reversed, form)       \
    static void fast_##name(Dis *d, Insn *i)  \
    {                                         \
        arith(d, i, OP_##op, reversed, form); \
    }                                         \
    X87(name, (form) == TO_ST_POP ? FILLS_I | POPS : (form) == TO_ST ? FILLS_I : FILLS, fast_##name)
ARITH(fadd, fadd, false, FROM_REAL)
ARITH(fmul, fmul, false, FROM_REAL)
ARITH(fsub, fsub, false, FROM_REAL)
ARITH(fsubr, fsub, true, FROM_REAL)
ARITH(fdiv, fdiv, false, FROM_REAL)
ARITH(fdivr, fdiv, true, FROM_REAL)
ARITH(fiadd, fadd, false, FROM_INT)
ARITH(fimul, fmul, false, FROM_INT)
ARITH(fisub, fsub, false, FROM_INT)
ARITH(fisubr, fsub, true, FROM_INT)
ARITH(fidiv, fdiv, false, FROM_INT)
ARITH(fidivr, fdiv, true, FROM_INT)
ARITH(fadd_to, fadd, false, TO_ST)
ARITH(fmul_to, fmul, false, TO_ST)
ARITH(fsub_to, fsub, false, TO_ST)
ARITH(fsubr_to, fsub, true, TO_ST)
ARITH(fdiv_to, fdiv, false, TO_ST)
ARITH(fdivr_to, fdiv, true, TO_ST)
ARITH(faddp, fadd, false, TO_ST_POP)
ARITH(fmulp, fmul, false, TO_ST_POP)
ARITH(fsubp, fsub, false, TO_ST_POP)
ARITH(fsubrp, fsub, true, TO_ST_POP)
ARITH(fdivp, fdiv, false, TO_ST_POP)
ARITH(fdivrp, fdiv, true, TO_ST_POP)

static void fast_fsqrt(Dis *d, Insn *i)
{
    need_full(d, 0);
    set_st(d, 0, ir_fun(d->ir, OP_fsqrt, 0, st(d, 0)));
}

static void fast_frndint(Dis *d, Insn *i)
{
    need_full(d, 0);
    set_st(d, 0, ir_fun(d->ir, OP_fround, 0, st(d, 0)));
}

X87(fsqrt, FILLS, fast_fsqrt)
X87(frndint, FILLS, fast_frndint)
X87(fxam, KEEPS_TOP, NULL)
X87(fprem, KEEPS_TOP | FILLS | REMAINDER, NULL)
X87(fprem1, KEEPS_TOP | FILLS | REMAINDER, NULL)
X87(fscale, KEEPS_TOP | FILLS, NULL)
X87(fxtract, PUSHES | FILLS, NULL)
X87(f2xm1, KEEPS_TOP | FUNCTION | FILLS, NULL)
X87(fyl2x, POPS | FUNCTION, NULL)
X87(fptan, FUNCTION | PAIR, NULL)
X87(fpatan, POPS | FUNCTION, NULL)
X87(fyl2xp1, POPS | FUNCTION, NULL)
X87(fsincos, FUNCTION | PAIR, NULL)
X87(fsin, KEEPS_TOP | FUNCTION | FILLS, NULL)
X87(fcos, KEEPS_TOP | FUNCTION | FILLS, NULL)

/* ---- Comparison ----------------------------------------------------------------------------- */
typedef enum Operand2 { WITH_ST, WITH_REAL, WITH_INT, WITH_ST1 } Operand2;

static IrRef compare(Dis *d, Insn *i, Operand2 with, bool quiet)
{
    IrRef b;

    need_full(d, 0);
    if (with == WITH_ST || with == WITH_ST1) {
        unsigned n = with == WITH_ST1 ? 1 : i->op[0].reg;
        need_full(d, n);
        b = st(d, n);
    } else {
        b = load_integer(d, i);
    }
    return ir_fcomi(d->ir, st(d, 0), b, quiet);
}

static void compare_cc(Dis *d, Insn *i, Operand2 with, bool quiet, unsigned pops)
{
    if (with == WITH_REAL)
        with_real(d, i);
    else
        set_cc(d, compare(d, i, with, quiet));
    while (pops--)
        pop(d);
}

static Operand2 real_or_st(const Insn *i)
{
    return i->op[0].kind == OPK_ST ? WITH_ST : WITH_REAL;
}

#define COMPARE(name, with, quiet, pops)     \
    static void fast_##name(Dis *d, Insn *i) \
    {                                        \
        compare_cc(d, i, with, quiet, pops); \
    }                                        \
    X87(name, (pops) == 2 ? POPS_2 : (pops) ? POPS : 0, fast_##name)
COMPARE(fcom, real_or_st(i), false, 0)
COMPARE(fcomp, real_or_st(i), false, 1)
COMPARE(fcompp, WITH_ST1, false, 2)
COMPARE(ficom, WITH_INT, false, 0)
COMPARE(ficomp, WITH_INT, false, 1)
COMPARE(fucom, WITH_ST, true, 0)
COMPARE(fucomp, WITH_ST, true, 1)
COMPARE(fucompp, WITH_ST1, true, 2)
X87(ftst, KEEPS_TOP, NULL)

static void compare_flags(Dis *d, Insn *i, bool quiet, bool popping)
{
    ir_setflags(d->ir, ir_fl_packed(d->ir, compare(d, i, WITH_ST, quiet)));
    clear_c1(d);
    if (popping)
        pop(d);
}

#define COMPARE_FLAGS(name, quiet, popping)  \
    static void fast_##name(Dis *d, Insn *i) \
    {                                        \
        compare_flags(d, i, quiet, popping); \
    }                                        \
    X87(name, EFLAGS | ((popping) ? POPS : 0), fast_##name)
COMPARE_FLAGS(fcomi, false, false)
COMPARE_FLAGS(fcomip, false, true)
COMPARE_FLAGS(fucomi, true, false)
COMPARE_FLAGS(fucomip, true, true)

/* ---- Control -------------------------------------------------------------------------------- */
static IrRef status_word(Dis *d)
{
    IrBlock *ir = d->ir;
    IrRef fsw = ir_get(ir, I16, SLOT_FSW, 0);

    if (d->x87_on_host)
        return ir_x87(ir, I16, INSN_FNSTSW_AX);
    if (d->cpu->host_x87) {
        IrRef top = ir_zext(ir, I16, ir_get(ir, I8, SLOT_FPSTT, 0));
        return ir_or(ir, fsw, ir_shl(ir, top, ir_const(ir, I8, 11)));
    }
    return ir_or(ir, fsw, ir_const(ir, I16, (unsigned)d->top << 11));
}

static void fast_fnstsw(Dis *d, Insn *i)
{
    op_store(d, i, 0, status_word(d));
}

static void fast_fnstsw_ax(Dis *d, Insn *i)
{
    reg_set(d, I16, R_RAX, status_word(d));
}

static void fast_fnstcw(Dis *d, Insn *i)
{
    op_store(d, i, 0, ir_get(d->ir, I16, SLOT_FCW, 0));
}

static void fast_fldcw(Dis *d, Insn *i)
{
    IrBlock *ir = d->ir;
    IrRef v = ir_zext(ir, I32, op_load(d, i, 0));
    IrRef masks = ir_and(ir, v, const32(d, 0x3f));

    x87_exit_if(d, ir_setcond(ir, COND_NE, masks, const32(d, 0x3f)));
    v = ir_and(ir, v, const32(d, FCW_VALID));
    ir_setfcw(ir, ir_or(ir, v, const32(d, FCW_SET)));
}

X87(fnstsw, CONTROL | NO_WAIT | WRITES | OWN, fast_fnstsw)
X87(fnstsw_ax, CONTROL | NO_WAIT | OWN, fast_fnstsw_ax)
X87(fnstcw, CONTROL | NO_WAIT | WRITES | OWN, fast_fnstcw)
X87(fldcw, CONTROL | OWN, fast_fldcw)
X87(fnclex, CONTROL | NO_WAIT | KEEPS_TOP, NULL)
X87(fninit, CONTROL | NO_WAIT | SOFT, NULL)
X87(fneni, CONTROL | NO_WAIT | OWN, fast_nothing)
X87(fndisi, CONTROL | NO_WAIT | OWN, fast_nothing)
X87(fnsetpm, CONTROL | NO_WAIT | OWN, fast_nothing)
X87(fnstenv, CONTROL | NO_WAIT | WRITES | ENV | SOFT, NULL)
X87(fldenv, CONTROL | ENV | SOFT, NULL)
X87(fnsave, CONTROL | NO_WAIT | WRITES | SAVE | SOFT, NULL)
X87(frstor, CONTROL | SAVE | SOFT, NULL)

void gen_fwait(Dis *d, Insn *i)
{
    x87_wait(d);
}
