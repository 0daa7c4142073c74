/* SPDX-License-Identifier: MIT */
/*
 * Code that is run to see where it ends: which handler, with what on its stack. Lists of such rows
 * are files of their own; each row runs on every back end.
 */
#ifndef TESTS_INSN_EXCP_H
#define TESTS_INSN_EXCP_H

#include "system.h"

enum { NO_ERROR = -1, NONE = -1, TRIPLE = -2 };

typedef struct ExcpRow {
    const char *name;
    SystemMode mode;
    unsigned cpl;
    const char *code;
    size_t len;
    void (*prepare)(System *s);
    int vector;    /* NONE: halts in its own code */
    int64_t error; /* on the stack, or NO_ERROR */
    uint32_t pc;   /* saved, or where it halted: offset in the code */
    void (*check)(System *s);
} ExcpRow;
#define C(s) (s), sizeof(s) - 1

/* The whole of a program that runs @rows. */
int excp_main(const ExcpRow *rows, size_t count);

/* What rows of several lists prepare; and word @n on the stack. */
void excp_vme(System *s);
void excp_star(System *s);
void excp_star_to_user(System *s);
void excp_frame_to_user(System *s);
uint64_t excp_stack64(System *s, unsigned n);
void excp_vme_frame(System *s);

#endif
