/* SPDX-License-Identifier: MIT */
/*
 * x87 instructions on a host that has the guest's x87 state in its own (x87-host.c): each is
 * itself. The host looks after tags, TOP, condition codes, exception flags and stack faults; all
 * exceptions are masked. Instructions in which processors differ, the transcendental ones and
 * incomplete remainders, are made of several.
 */
#include "target-i386/gen-x87.h"

#include "target-i386/gen-fp.h"
#include "target-i386/help-fp.h"

/* The size of what moves; for #AC an 80-bit operand counts as 8 bytes. */
static void host_memory(Dis *d, Insn *i, unsigned insn, bool write)
{
    IrType type = op_type(i, 0);
    unsigned size = ir_type_info[type].bytes;
    Mem m = mem_operand(d, i, size, write);

    check_alignment(d, m, size == 10 ? 8 : size);
    ir_x87_mem(d->ir, write, type, insn, m.addr, m.disp, m.flags & ~(unsigned)MEM_ALIGN);
}

/* Bits of d->x87_full are relative to TOP here: it is not known. */
static void track_tags(Dis *d, const Insn *i, unsigned facts)
{
    unsigned full = d->x87_full;

    if (facts & FILLS)
        full |= 1;
    if ((facts & FILLS_I) && i->op[0].kind == OPK_ST)
        full |= 1u << i->op[0].reg;
    if (facts & (PUSHES | PAIR))
        full = full << 1 | 1;
    else if (facts & (POPS | POPS_2))
        full >>= facts & POPS_2 ? 2 : 1;
    d->x87_full = facts & EMPTIES ? 0 : (uint8_t)full;
}

enum { /* numbers of instructions, as ops x87 … x87_slot have them */
       INSN_FLDCW = 0x128,
       INSN_FDECSTP = 0x1f6,
       INSN_FINCSTP = 0x1f7,
       INSN_FNSTENV = 0x130,
       INSN_FLD_80 = 0x328,
       INSN_FSTP_80 = 0x338,
       INSN_FADD_64 = 0x400,
       INSN_FNSTSW = 0x538
};

static void frame(Dis *d, unsigned insn, unsigned offset)
{
    ir_x87_slot(d->ir, insn, SLOT_VTMP + offset / 32, offset % 32);
}
#define FRAME(d, insn, field) frame(d, insn, offsetof(X87Frame, field))

static void exit_unless(Dis *d, IrRef ok, uint32_t reason)
{
    ir_exit_if(d->ir, ir_setcond(d->ir, COND_EQ, ok, const32(d, 0)), reason);
}

/* A transcendental function: see help_x87_function(). An empty operand need not be noticed where
 * there is but one: what is stored for it gives the same result and flags. */
static void function(Dis *d, Insn *i, unsigned facts)
{
    bool two = facts & POPS, pushes = facts & PAIR;
    bool check = pushes || (two && (d->x87_full & 3) != 3);
    IrRef ok;

    if (check)
        FRAME(d, INSN_FNSTENV, env);
    else if (!two && i->modrm != 0xf0)
        FRAME(d, INSN_FNSTSW, env[2]);
    FRAME(d, INSN_FSTP_80, op[0]);
    if (two)
        FRAME(d, INSN_FSTP_80, op[1]);
    ok = call1(d, HELP_x87_function, const32(d, i->modrm | (check ? X87_CHECKS_TAGS : 0u)));
    exit_unless(d, ok, two ? X86_EXIT_X87_UNDO2 : X86_EXIT_X87_UNDO1);
    FRAME(d, INSN_FLDCW, op[0].fcw);
    FRAME(d, INSN_FLD_80, op[2]);
    FRAME(d, INSN_FADD_64, rest[0]);
    if (pushes) {
        FRAME(d, INSN_FLDCW, op[1].fcw);
        FRAME(d, INSN_FLD_80, op[1]);
        FRAME(d, INSN_FADD_64, rest[1]);
    }
    FRAME(d, INSN_FLDCW, op[2].fcw);
}

/* Processors agree where the remainder is complete. What they leave where it is not (C2) is to be
 * as help_x87() has it, from what was there before. */
static void partial_remainder(Dis *d, Insn *i, unsigned insn)
{
    IrBlock *ir = d->ir;
    IrRef fsw;

    if (!(d->x87_full & 1)) {
        FRAME(d, INSN_FNSTENV, env);
        exit_unless(d, call1(d, HELP_x87_function, const32(d, i->modrm | X87_CHECKS_TAGS)),
                    X86_EXIT_X87_SLOW);
    }
    FRAME(d, INSN_FSTP_80, op[0]);
    FRAME(d, INSN_FLD_80, op[0]);
    ir_x87(ir, IR_VOID, insn);
    fsw = ir_and(ir, ir_x87(ir, I16, INSN_FNSTSW_AX), ir_const(ir, I16, FSW_C2));
    ir_exit_if(ir, ir_setcond(ir, COND_NE, fsw, ir_const(ir, I16, 0)), X86_EXIT_X87_REDO);
}

/* C1 after FCMOVcc and FCOMI, FUCOMI: the manuals do not tell, processors keep or clear it. To us
 * it is clear, on every host. */
static void clear_host_c1(Dis *d)
{
    ir_x87(d->ir, IR_VOID, INSN_FDECSTP);
    ir_x87(d->ir, IR_VOID, INSN_FINCSTP);
}

bool x87_by_host(Dis *d, Insn *i, unsigned facts, FastFn *fast)
{
    IrBlock *ir = d->ir;
    unsigned insn = (i->opcode & 7u) << 8 | i->modrm;

    if (facts & OWN) {
        fast(d, i);
        return true;
    }
    if (facts & SOFT) {
        if (x87_at_home(d))
            x87_by_helper(d, i, facts);
        return false;
    }
    if (!d->x87_on_host) {
        x87_switch(d, X86_EXIT_X87_TO_HOST);
        return false;
    }
    if (facts & REMAINDER)
        partial_remainder(d, i, insn);
    else if (facts & FUNCTION)
        function(d, i, facts);
    else if (i->mod != 3)
        host_memory(d, i, insn, facts & WRITES);
    else if (facts & COND)
        ir_x87_if(ir, ir_zext(ir, I32, flags_cc(d, i->desc->arg)), i->op[0].reg);
    else if (facts & EFLAGS)
        ir_setflags(ir, ir_fl_packed(ir, ir_x87(ir, I32, insn)));
    else
        ir_x87(ir, IR_VOID, insn);
    if (facts & (COND | EFLAGS))
        clear_host_c1(d);
    track_tags(d, i, facts);
    return true;
}
