/* SPDX-License-Identifier: MIT */
/* The line table of an ELF file with DWARF: which line of which file code is of (libdw). */
#ifndef TOOLS_LINES_H
#define TOOLS_LINES_H

#include <stddef.h>
#include <stdint.h>

typedef struct Line { /* code from addr to the next row's is of it */
    uint64_t addr, end;
    const char *file;
    uint32_t line;
} Line;

/* Rows by address, @n of them, moved by @slide; NULL with *@why, static text. They stay. */
Line *lines_load(const char *path, uint64_t slide, size_t *n, const char **why);

#endif
