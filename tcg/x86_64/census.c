/* SPDX-License-Identifier: MIT */
/*
 * Where host bytes go: by IR op, by kind of stub, and what blocks have besides. Counted if
 * TcgConfig.census asks for it. Parts are within ops and stubs, so the sum does not have them.
 */
#include "tcg/x86_64/gen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct Line {
    const char *what, *name;
    CensusCount n;
} Line;

static int more_bytes(const void *a, const void *b)
{
    uint64_t x = ((const Line *)a)->n.bytes, y = ((const Line *)b)->n.bytes;

    return x < y ? 1 : x > y ? -1 : 0;
}

static void print_line(GString *out, const Line *l, uint64_t all)
{
    g_autofree char *name = g_strdup_printf("%s %s", l->what, l->name);

    g_string_append_printf(
        out, "  %-26s %10" PRIu64 " times %12" PRIu64 " bytes %7.2f each %6.2f %%\n", name,
        l->n.times, l->n.bytes, (double)l->n.bytes / (double)MAX(l->n.times, 1),
        100.0 * (double)l->n.bytes / (double)MAX(all, 1));
}

void census_count(Census *c)
{
    for (unsigned i = 0; i < c->nlatest; i++) {
        CensusCount *n = &c->kind[c->latest[i].kind];

        n->times++;
        n->bytes += c->latest[i].bytes;
    }
    c->nlatest = 0;
}

void census_print(const Census *c, GString *out)
{
    static const char *const stub_names[STUB_KINDS] = {
        [STUB_MEM] = "memory",      [STUB_LINK] = "link",     [STUB_TRAP] = "trap",
        [STUB_EXIT_IF] = "exit_if", [STUB_DIVS] = "division", [STUB_FLAGS] = "flags",
        [STUB_JUMP] = "jump",
    };
    Line line[IR_NOPS + STUB_KINDS + 1];
    unsigned n = 0;
    uint64_t all = 0;

    line[n++] = (Line){ "block", "entries", c->kind[CENSUS_ENTRIES] };
    for (unsigned i = 0; i < STUB_KINDS; i++) {
        line[n++] = (Line){ "stub", stub_names[i], c->kind[CENSUS_STUB + i] };
    }
    for (unsigned i = 0; i < IR_NOPS; i++) {
        line[n++] = (Line){ "op", ir_op_info[i].name, c->kind[i] };
    }
    for (unsigned i = 0; i < n; i++) {
        all += line[i].n.bytes;
    }
    qsort(line, n, sizeof(line[0]), more_bytes);
    g_string_append_printf(out, "Host code, %" PRIu64 " bytes\n", all);
    for (unsigned i = 0; i < n && line[i].n.bytes * 500 > all; i++) {
        print_line(out, &line[i], all);
    }
    g_string_append(out, "  of these\n");
    print_line(out, &(Line){ "-", "TLB checks", c->kind[CENSUS_CHECKS] }, all);
    print_line(out, &(Line){ "-", "flags records", c->kind[CENSUS_RECORDS] }, all);
    print_line(out, &(Line){ "-", "link sites", c->kind[CENSUS_SITES] }, all);
    g_string_append(out, "  besides\n");
    print_line(out, &(Line){ "-", "headers, alignment", c->kind[CENSUS_HEADERS] }, all);
    print_line(out, &(Line){ "-", "fault maps", c->kind[CENSUS_MAPS] }, all);
    g_string_append_printf(
        out, "  IR ops built %" PRIu64 ", left %" PRIu64 "; blocks emitted again %" PRIu64 "\n",
        c->built, c->live, c->again);
}
