/* SPDX-License-Identifier: MIT */
/*
 * Names of addresses, for tools: from a System.map, /proc/kallsyms or `nm` text, or an ELF file's
 * symbol table (64-bit). A slide moves them all: kernels with KASLR.
 */
#ifndef TOOLS_SYMBOLS_H
#define TOOLS_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Symbols Symbols;
/* NULL with *@why, static text. */
Symbols *symbols_load(const char *path, uint64_t slide, const char **why);
void symbols_free(Symbols *s);
/* The function that @addr is in, and where it begins; NULL: none known. @s may be NULL. */
const char *symbols_find(const Symbols *s, uint64_t addr, uint64_t *start);

#endif
