/* SPDX-License-Identifier: MIT */
/*
 * Cases (cases.h) that run on a machine of CPU and RAM, once with the host's back end and once with
 * the portable one, which must end in the same state, memory included, after as many instructions.
 * For one where they do not, the turn and the instruction after which they differ are found.
 */
#ifndef TESTS_FUZZ_ENGINES_H
#define TESTS_FUZZ_ENGINES_H

#include <glib.h>

#include "tests/insn/system.h"

#define ENGINES_TURN_NS 20000 /* an instruction is one */

typedef struct EngineCases {
    uint64_t in_suite;         /* how many (FuzzCases) */
    const char *const *models; /* of CPU; NULL at the end */
    unsigned turns; /* of a case: from wherever the CPU has halted it goes on elsewhere */
    void (*setup)(System *s, GRand *r, uint64_t seed); /* the machine, and what it will execute */
    uint64_t (*go_on)(GRand *r);                       /* the pc of a turn that begins halted */
    /* What the board does from time to time, and in how many ns again; may be NULL. */
    int64_t (*tick)(System *s, GRand *r);
} EngineCases;

/* Runs them as fuzz_cases_main() does, and returns the exit status. */
int engines_main(int argc, char **argv, const EngineCases *cases);

#endif
