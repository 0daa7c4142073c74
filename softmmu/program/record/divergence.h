/* SPDX-License-Identifier: MIT */
/*
 * Where two runs part, to the instruction: a replay that diverged against the portable back end, or
 * two recordings. Both are run again, hidden from the user, and kept together (accel/lockstep.h).
 */
#ifndef SOFTMMU_PROGRAM_RECORD_DIVERGENCE_H
#define SOFTMMU_PROGRAM_RECORD_DIVERGENCE_H

#include "softmmu/program/options/options.h"

/* The replay of @o diverged after @count instructions, where @agreed is the last count at which it
 * did not: what that comes from, as text. */
void divergence_explain(const Options *o, uint64_t agreed, uint64_t count, GString *out);
/* Two recordings, of which something differs at @count; until @agreed nothing did. */
void divergence_compare(const char *const path[2], uint64_t agreed, uint64_t count, GString *out);

#endif
