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
#include <unistd.h>

typedef struct Path {
    struct Path *older;
    const char *name; /* the Dwarf's, which it was made of */
    char text[];
} Path;

struct LineNames {
    int fd;
    Dwarf *dwarf;
    Path *paths;
};

static void add(LineTable *t, Line row)
{
    if (t->n % 4096 == 0) {
        t->row = realloc(t->row, (t->n + 4096) * sizeof(Line));
        if (!t->row)
            abort();
    }
    t->row[t->n++] = row;
}

/* In @folder, unless it is absolute. Rows of a file come together. */
static const char *path_of(struct LineNames *names, const char *name, const char *folder)
{
    size_t size;
    Path *path = names->paths;

    if (!name || *name == '/' || !folder)
        return name ? name : "?";
    if (path && path->name == name)
        return path->text;
    size = strlen(folder) + strlen(name) + 2;
    path = malloc(sizeof(Path) + size);
    if (!path)
        abort();
    path->older = names->paths;
    path->name = name;
    snprintf(path->text, size, "%s/%s", folder, name);
    names->paths = path;
    return path->text;
}

/* Rows come in the order of addresses within sequences; the end of one closes its last row. */
static void add_unit(LineTable *t, Dwarf_Die *unit, uint64_t slide)
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
            add(t, (Line){ addr, 0, path_of(t->names, dwarf_linesrc(l, NULL, NULL), folder),
                           (uint32_t)line });
    }
}

static int by_address(const void *p, const void *q)
{
    const Line *a = p, *b = q;

    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void add_units(LineTable *t, Dwarf *dwarf, uint64_t slide)
{
    Dwarf_Off at = 0, next, type;
    size_t head;

    while (!dwarf_next_unit(dwarf, at, &next, &head, NULL, NULL, NULL, NULL, NULL, &type)) {
        Dwarf_Die unit;
        if (dwarf_offdie(dwarf, at + head, &unit))
            add_unit(t, &unit, slide);
        at = next;
    }
}

bool lines_load(LineTable *t, const char *path, uint64_t slide, const char **why)
{
    *t = (LineTable){ .names = calloc(1, sizeof(*t->names)) };
    if (!t->names)
        abort();
    t->names->fd = open(path, O_RDONLY | O_CLOEXEC);
    *why = t->names->fd < 0 ? strerror(errno) : "it has no debug information";
    t->names->dwarf = t->names->fd < 0 ? NULL : dwarf_begin(t->names->fd, DWARF_C_READ);
    if (t->names->dwarf)
        add_units(t, t->names->dwarf, slide);
    if (!t->n) {
        lines_free(t);
        return false;
    }
    qsort(t->row, t->n, sizeof(Line), by_address);
    return true;
}

void lines_free(LineTable *t)
{
    while (t->names && t->names->paths) {
        Path *older = t->names->paths->older;
        free(t->names->paths);
        t->names->paths = older;
    }
    if (t->names) {
        dwarf_end(t->names->dwarf);
        if (t->names->fd >= 0)
            close(t->names->fd);
    }
    free(t->names);
    free(t->row);
    *t = (LineTable){ 0 };
}
#else
bool lines_load(LineTable *t, const char *path, uint64_t slide, const char **why)
{
    *why = "Mimus was built without libdw";
    return false;
}

void lines_free(LineTable *t)
{
}
#endif
