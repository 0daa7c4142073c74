/* SPDX-License-Identifier: MIT */
/*
 * What makers of thunks have in common (thunks.c, thunk-state.c, thunk-call.c). Each make_ function
 * emits one thunk and returns where it begins, executable.
 */
#ifndef TCG_X86_64_THUNK_H
#define TCG_X86_64_THUNK_H

#include "tcg/x86_64/gen.h"

#define CALLER_SAVED 0x0fc7u /* RAX RCX RDX RSI RDI R8-R11 */
#define ALL_GPRS     0xffcfu /* but RSP, RBP */
#define XMM_PINS     0x1fff0000u

typedef struct Thunk {
    Asm a;
    X86Backend *be;
} Thunk;

/* Operands in env: of the back end's own area, and of the guest's state. */
static inline Mem scratch(const Thunk *t, int32_t off)
{
    return env_mem(t->be->layout->scratch - ENV_BIAS + off);
}
static inline Mem field(int32_t env_offset)
{
    return env_mem(env_off(env_offset));
}

/* thunk-state.c; sets are of registers, bit n: register n */
void save_regs(Thunk *t, uint32_t set); /* to where env has them */
void restore_regs(Thunk *t, uint32_t set);
void load_pins(Thunk *t); /* vector pins that C code may have rewritten */
void vzeroupper(Thunk *t);
void call_c(Thunk *t, const void *f);

/* Control words. All of them clobber RAX. */
void gather_mxcsr(Thunk *t);      /* the host's is left in SCR_MXCSR */
void c_modes(Thunk *t);           /* what C expects */
void guest_modes(Thunk *t);       /* back from C, with the sticky bits that SCR_MXCSR has */
void guest_modes_quick(Thunk *t); /* … that promised not to compute with floating point */
void load_modes(Thunk *t);        /* everything anew from env */
void set_host_pc(Thunk *t, bool inside);

const uint8_t *make_save_pins(Thunk *t);
const uint8_t *make_restore_pins(Thunk *t);
const uint8_t *make_load_pins(Thunk *t);

/* thunk-call.c */
const uint8_t *make_c(Thunk *t, const void *f, bool vectors);
const uint8_t *make_carry(Thunk *t, const uint8_t *slow);
const uint8_t *make_overflow(Thunk *t, const uint8_t *slow);
const uint8_t *make_open_top(Thunk *t);
const uint8_t *make_flags(Thunk *t);
void make_helper(Thunk *t, const TcgHelper *h);

#endif
