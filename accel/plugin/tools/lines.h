/* SPDX-License-Identifier: MIT */
/* The line table of an ELF file with DWARF: which line of which file code is of (libdw). */
#ifndef TOOLS_LINES_H
#define TOOLS_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Line { /* code from addr to the next row's is of it */
    uint64_t addr, end;
    const char *file;
    uint32_t line;
} Line;

typedef struct LineTable {
    Line *row; /* by address */
    size_t n;
    struct LineNames *names; /* what the rows' files are called */
} LineTable;

/* Of @path, moved by @slide. False with *@why, static text: there is nothing in it. */
bool lines_load(LineTable *t, const char *path, uint64_t slide, const char **why);
void lines_free(LineTable *t); /* also of one that was never loaded: zeros */

#endif
