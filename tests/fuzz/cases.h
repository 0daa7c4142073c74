/* SPDX-License-Identifier: MIT */
/*
 * Cases that are made of numbers, run one after the other in a child process, so that one that dies
 * or hangs is told by its number.
 *
 *   TEST                          a fixed number of cases (the suite)
 *   TEST --seconds=S [--seed=N]   until S seconds have passed; 0: for ever
 *   TEST --seed=N --cases=C       exactly these
 */
#ifndef TESTS_FUZZ_CASES_H
#define TESTS_FUZZ_CASES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct FuzzCases {
    uint64_t in_suite;            /* how many, from 1 on */
    unsigned hang_s;              /* a case takes no longer */
    bool (*run)(uint64_t seed);   /* false: it fails, and has said why on stderr */
    void (*study)(uint64_t seed); /* one that has failed, to say more; may be NULL */
    const char *of;               /* "700 steps", for the user */
} FuzzCases;

/* The exit status. */
int fuzz_cases_main(int argc, char **argv, const FuzzCases *cases);
/* From now on this process may take so long; the time in which it is frozen is not counted. */
void fuzz_limit_time(unsigned seconds);

#endif
