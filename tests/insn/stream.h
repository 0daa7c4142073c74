/* SPDX-License-Identifier: MIT */
/*
 * Random streams of instructions: made from a seed, run on a reference (silicon where there is one)
 * and on engines, compared, and cut down to what still differs.
 */
#ifndef TESTS_INSN_STREAM_H
#define TESTS_INSN_STREAM_H

#include "generate.h"

enum { MAX_ITEMS = 8, MAX_CODE = MAX_ITEMS * MAX_ITEM };

typedef struct Stream {
    uint64_t seed;
    Mode mode;
    unsigned n;
    Item item[MAX_ITEMS];
    State in;
    bool image;     /* see generate.h */
    uint64_t needs; /* features */
} Stream;

/* The stream of @seed whose first instruction is @first's. False: it has none in this mode. */
bool stream_make(Stream *s, uint64_t seed, Mode mode, const Entry *first, uint64_t features);
/* May streams have this entry? */
bool stream_may_have(const Entry *e, Mode mode);
/* As a case, ready to run. */
void stream_prepare(const Stream *s, Case *k, Memory *mem);

/* What a case of @mode with this code and result may leave open; NULL if both outcomes agree.
 * Either outcome may be changed to be compared. */
char *case_difference(const Case *k, const uint8_t *code, unsigned len, bool image,
                      const Runner *ref, State *want, State *got, Memory *want_mem,
                      Memory *got_mem);
/* Run @s on both; NULL if they agree. */
char *stream_difference(const Stream *s, Runner *ref, Runner *r);
/* Drop items while both still disagree; then give registers and memory their defaults one by one.
 * Prints the instructions, the seed and a row. */
void stream_report(Stream *s, Runner *ref, Runner *r);

/* As source text: in what differs from the default state, out what @after changed. */
char *case_row(const char *name, const Case *k, const Memory *before, const uint8_t *code,
               unsigned len, const State *after, const Memory *memory);

/* Print @s as a row of what @silicon makes of it, with little in its state that does not matter. */
void stream_record(const Stream *s, Runner *silicon);

#endif
