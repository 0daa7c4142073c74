/* SPDX-License-Identifier: MIT */
#include "accel/plugin/tools/lines.h"

#include "config.h"

#ifdef HAVE_LIBDW
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Table {
    Line *row;
    size_t n, room;
} Table;

static void add(Table *t, Line row)
{
    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 4096;
        t->row = realloc(t->row, t->room * sizeof(Line));
        if (!t->row)
            abort();
    }
    t->row[t->n++] = row;
}

/* In @folder, unless it is absolute. */
static const char *path_of(const char *name, const char *folder)
{
    static const char *last_name, *last_path; /* rows of a file come together */
    size_t size;
    char *path;

    if (!name || *name == '/' || !folder)
        return name ? name : "?";
    if (name == last_name)
        return last_path;
    size = strlen(folder) + strlen(name) + 2;
    path = malloc(size);
    if (!path)
        abort();
    snprintf(path, size, "%s/%s", folder, name);
    last_name = name;
    return last_path = path;
}

/* Rows come in the order of addresses within sequences; the end of one closes its last row. */
static void add_unit(Table *t, Dwarf_Die *unit, uint64_t slide)
{
    Dwarf_Lines *lines;
    size_t n, first = t->n;
    Dwarf_Attribute attr;
    const char *folder;

    if (dwarf_getsrclines(unit, &lines, &n))
        return;
    folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
    for (size_t i = 0; i < n; i++) {
        Dwarf_Line *l = dwarf_onesrcline(lines, i);
        Dwarf_Addr addr;
        int line;
        bool ends;

        if (dwarf_lineaddr(l, &addr) || dwarf_lineno(l, &line) || dwarf_lineendsequence(l, &ends))
            continue;
        addr += slide;
        if (t->n > first && !t->row[t->n - 1].end)
            t->row[t->n - 1].end = addr;
        if (!ends && line > 0)
            add(t,
                (Line){ addr, 0, path_of(dwarf_linesrc(l, NULL, NULL), folder), (uint32_t)line });
    }
}

static int by_address(const void *p, const void *q)
{
    const Line *a = p, *b = q;

    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

Line *lines_load(const char *path, uint64_t slide, size_t *n, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    Dwarf *dwarf = fd < 0 ? NULL : dwarf_begin(fd, DWARF_C_READ);
    Dwarf_Off at = 0, next, type;
    size_t head;
    Table t = { 0 };

    *why = fd < 0 ? strerror(errno) : "it has no debug information";
    while (dwarf &&
           !dwarf_next_unit(dwarf, at, &next, &head, NULL, NULL, NULL, NULL, NULL, &type)) {
        Dwarf_Die unit;
        if (dwarf_offdie(dwarf, at + head, &unit))
            add_unit(&t, &unit, slide);
        at = next;
    }
    if (t.n)
        qsort(t.row, t.n, sizeof(Line), by_address);
    *n = t.n;
    return t.row; /* names are the Dwarf's, which stays open */
}
#else
Line *lines_load(const char *path, uint64_t slide, size_t *n, const char **why)
{
    *why = "Mimus was built without libdw";
    return NULL;
}
#endif
