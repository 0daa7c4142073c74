/* SPDX-License-Identifier: MIT */
/*
 * Names of addresses: from a System.map, /proc/kallsyms or `nm` text, or an ELF file's symbol table
 * (64-bit). The file is not trusted.
 */
#include "accel/plugin/internal.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Symbol {
    uint64_t addr;
    char *name;
} Symbol;

struct MimusSymbols {
    Symbol *symbol;
    size_t n, room;
};

static void add(MimusSymbols *s, uint64_t addr, const char *name, size_t len)
{
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 4096;
        s->symbol = realloc(s->symbol, s->room * sizeof(Symbol));
    }
    if (!s->symbol)
        abort();
    s->symbol[s->n++] = (Symbol){ addr, strndup(name, len) };
}

/* "ADDRESS TYPE NAME …", functions only. */
static void add_line(MimusSymbols *s, const char *line, uint64_t slide)
{
    char *end;
    uint64_t addr = strtoull(line, &end, 16);
    const char *name;

    if (end == line || end[0] != ' ' || !end[1] || !strchr("tTwW", end[1]) || end[2] != ' ')
        return;
    name = end + 3;
    if (addr)
        add(s, addr + slide, name, strcspn(name, " \t\r\n"));
}

static void read_text(MimusSymbols *s, char *text, uint64_t slide)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        add_line(s, line, slide);
}

static bool within(size_t size, uint64_t offset, uint64_t len)
{
    return offset <= size && len <= size - offset;
}

static void read_table(MimusSymbols *s, const char *file, size_t size, const Elf64_Shdr *table,
                       const Elf64_Shdr *names, uint64_t slide)
{
    if (!within(size, table->sh_offset, table->sh_size) ||
        !within(size, names->sh_offset, names->sh_size) || !names->sh_size ||
        file[names->sh_offset + names->sh_size - 1])
        return;
    for (uint64_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); i++) {
        Elf64_Sym sym;
        const char *name;

        memcpy(&sym, file + table->sh_offset + i * sizeof(sym), sizeof(sym));
        if (ELF64_ST_TYPE(sym.st_info) != STT_FUNC || !sym.st_value ||
            sym.st_name >= names->sh_size)
            continue;
        name = file + names->sh_offset + sym.st_name;
        add(s, sym.st_value + slide, name, strlen(name));
    }
}

static void read_elf(MimusSymbols *s, const char *file, size_t size, uint64_t slide)
{
    Elf64_Ehdr h;
    Elf64_Shdr table, names;

    memcpy(&h, file, sizeof(h));
    for (unsigned i = 0; i < h.e_shnum; i++) {
        uint64_t at = h.e_shoff + (uint64_t)i * sizeof(table);
        uint64_t names_at;

        if (!within(size, at, sizeof(table)))
            return;
        memcpy(&table, file + at, sizeof(table));
        if (table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM)
            continue;
        names_at = h.e_shoff + (uint64_t)table.sh_link * sizeof(names);
        if (!within(size, names_at, sizeof(names)))
            return;
        memcpy(&names, file + names_at, sizeof(names));
        read_table(s, file, size, &table, &names, slide);
    }
}

static int by_address(const void *p, const void *q)
{
    const Symbol *a = p, *b = q;

    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void free_symbols(void *p)
{
    MimusSymbols *s = p;

    for (size_t i = 0; i < s->n; i++)
        free(s->symbol[i].name);
    free(s->symbol);
    g_free(s);
}

static void read_symbols(MimusSymbols *s, char *text, size_t size, uint64_t slide)
{
    if (size > sizeof(Elf64_Ehdr) && !memcmp(text, ELFMAG, SELFMAG) && text[EI_CLASS] == ELFCLASS64)
        read_elf(s, text, size, slide);
    else
        read_text(s, text, slide);
    if (s->n)
        qsort(s->symbol, s->n, sizeof(Symbol), by_address);
}

MimusSymbols *mimus_symbols_load(MimusPlugin *p, const char *path, uint64_t slide)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    MimusSymbols *s;
    size_t size;

    if (!g_file_get_contents(path, &text, &size, &error)) {
        mimus_fail(p, "could not read symbols: %s", error->message);
        return NULL;
    }
    s = g_new0(MimusSymbols, 1);
    read_symbols(s, text, size, slide);
    if (!s->n) {
        mimus_fail(p, "could not read symbols of '%s': it has no functions", path);
        free_symbols(s);
        return NULL;
    }
    if (!p->symbols)
        p->symbols = g_ptr_array_new_with_free_func(free_symbols);
    g_ptr_array_add(p->symbols, s);
    return s;
}

#define FUNCTION_MAX (1u << 20) /* beyond this from a symbol nobody knows */

const char *mimus_symbol_find(const MimusSymbols *s, uint64_t addr, uint64_t *start)
{
    size_t lo = 0, hi = s ? s->n : 0;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->symbol[mid].addr <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo || addr - s->symbol[lo - 1].addr >= FUNCTION_MAX)
        return NULL;
    *start = s->symbol[lo - 1].addr;
    return s->symbol[lo - 1].name;
}

bool mimus_symbol_address(const MimusSymbols *s, const char *name, uint64_t *addr)
{
    for (size_t i = 0; s && i < s->n; i++) {
        if (!strcmp(s->symbol[i].name, name)) {
            *addr = s->symbol[i].addr;
            return true;
        }
    }
    return false;
}
