/* SPDX-License-Identifier: MIT */
/* What gen-x87.c and gen-x87-host.c share: the facts of each x87 instruction. */
#ifndef TARGET_I386_GEN_X87_H
#define TARGET_I386_GEN_X87_H

#include "target-i386/translate.h"

/* What holds for an instruction. */
enum {
    CONTROL = 1 << 0, /* does not record FOP, FIP, FDP */
    NO_WAIT = 1 << 1,
    WRITES = 1 << 2,    /* its memory operand */
    KEEPS_TOP = 1 << 3, /* by helper, with all exceptions masked: TOP and FCW stay */
    POPS = 1 << 8,      /* TOP goes up by one, FCW stays: likewise by helper */
    PUSHES = 1 << 9,    /* … down by one */
    ENV = 1 << 4,       /* memory operand of FSTENV */
    SAVE = 1 << 5,      /* … FSAVE */
    EFLAGS = 1 << 6,    /* the helper's result is the flags */
    COND = 1 << 7,      /* FCMOVcc: desc->arg */
    SOFT = 1 << 10,     /* not by the host's x87: rare, or processors differ */
    OWN = 1 << 11,      /* the FastFn has a way of its own with the host's x87 */
    FUNCTION = 1 << 12, /* transcendental: help_x87_function() */
    /* What it leaves full, for certain, before it pops: */
    FILLS = 1 << 13,   /* ST(0) */
    FILLS_I = 1 << 14, /* ST(i) */
    POPS_2 = 1 << 15,
    EMPTIES = 1 << 16, /* tags or TOP are another's */
    PAIR = 1 << 17,    /* has two results, or none (C2) */
    REMAINDER = 1 << 18,
};

enum { INSN_FNSTSW_AX = 0x7e0 }; /* number of an instruction for ir_x87() */

typedef void FastFn(Dis *d, Insn *i);

/* By help_x87(). */
void x87_by_helper(Dis *d, Insn *i, unsigned facts);
/* By the host's x87. False: it is run again in another way. */
bool x87_by_host(Dis *d, Insn *i, unsigned facts, FastFn *fast);

#endif
