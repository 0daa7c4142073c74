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
    const char *const *models; /* of CPU; NULL at the end */
    unsigned turns; /* of a case: from wherever the CPU has halted it goes on elsewhere */
    void (*setup)(System *s, GRand *r, uint64_t seed); /* the machine, and what it will execute */
    uint64_t (*go_on)(GRand *r);                       /* the pc of a turn that begins halted */
    /* What the board does from time to time, and in how many ns again; may be NULL. */
    int64_t (*tick)(System *s, GRand *r);
} EngineCases;

/* Does case @seed end alike? Else it says so on stderr. */
bool engines_agree(const EngineCases *cases, uint64_t seed);
/* Prints where a case begins to differ. */
void engines_find_start(const EngineCases *cases, uint64_t seed);

#endif
