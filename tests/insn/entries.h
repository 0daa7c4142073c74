/* SPDX-License-Identifier: MIT */
/*
 * The decode tables seen as a list: every row that is an instruction, by the way to it. Coverage is
 * counted per entry, and streams are made by choosing entries, so that a new row of the tables
 * takes part by itself and is missed where no test runs it.
 */
#ifndef TESTS_INSN_ENTRIES_H
#define TESTS_INSN_ENTRIES_H

#include "target-i386/decode.h"

typedef struct Entry {
    const InsnDesc *desc;
    char id[40]; /* "0f c7.mem./1.w0": map, opcode, what its groups ask for */
    bool vex;
    uint8_t map, opcode;
    /* -1: anything. prefix: 0 none, 1 66, 2 F3, 3 F2; mod: 0 memory, 1 register; osize: 0-2 */
    int8_t prefix, mod, reg, rm, osize, w, l, is64;
} Entry;

unsigned entry_count(void);
const Entry *entry_at(unsigned n);
/* Number of the entry that @i was decoded by. */
unsigned entry_of(const Insn *i);
/* NULL, or who runs it instead of the rows and streams of user code here. */
const char *entry_is_privileged(const Entry *e);
/* NULL, or why what silicon does with it is not comparable. */
const char *entry_is_host_specific(const Entry *e);

#endif
