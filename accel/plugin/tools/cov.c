/* SPDX-License-Identifier: MIT */
/*
 * Coverage: which basic blocks ran. Arguments: drcov=FILE for Lighthouse and its like; text=FILE:
 * module+offset, a line each; lcov=FILE for genhtml: by line with lines=FILE, an ELF file with
 * DWARF, else functions as lines with symbols=FILE; slide=N moves both; module=NAME:A..B, up to 16
 * of them separated by +: what lies where. Without: the kernel's image and its modules by the fixed
 * places of x86-64 Linux, and "user" for the lower half. Offsets are from the module's start. Code
 * that is mapped at several places counts where it ran first.
 *
 * drcov's offsets have 32 bits: modules of more than 4 GiB are listed in pieces.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <mimus-plugin.h>

#include "accel/plugin/tools/flow.h"
#include "accel/plugin/tools/lines.h"
#include "accel/plugin/tools/table.h"

MIMUS_PLUGIN;

typedef struct Module {
    char name[64];
    uint64_t first, last;
} Module;

#define MODULES 64
static Module modules[MODULES];
static unsigned nmodules;

typedef struct Block {
    uint64_t times;
    uint32_t size;
} Block;

static const char *drcov, *text, *lcov, *symbols_name, *module_text;
static uint64_t slide;
static MimusSymbols *symbols;
static const char *lines_name;
static LineTable lines;
static Table blocks = { .value_size = sizeof(Block) };

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    size_t n = mimus_block_insns(b);

    mimus_flush_records(p);
    for (size_t i = 0; i < n;) {
        MimusInsn *leader = mimus_block_insn(b, i);
        uint64_t size = 0;

        do {
            MimusInsn *insn = mimus_block_insn(b, i++);
            size += mimus_insn_size(insn);
            if (flow_of(insn) != FLOW_ON)
                break;
        } while (i < n);
        if (!table_look(&blocks, mimus_insn_vaddr(leader) + 1))
            mimus_insn_record_once(leader, (void *)(uintptr_t)size);
    }
}

static void recorded(MimusPlugin *p, const MimusRecord *r, size_t n, void *opaque)
{
    for (size_t i = 0; i < n; i++) {
        Block *b;
        if (r[i].kind != MIMUS_RECORD_INSN)
            continue;
        b = table_at(&blocks, r[i].pc + 1);
        b->times++;
        if (b->size < (uintptr_t)r[i].data)
            b->size = (uint32_t)(uintptr_t)r[i].data;
    }
}

/* ---- Modules -----------------------------------------------------------------------------------
 */

static bool add_module(const char *name, size_t len, uint64_t first, uint64_t last)
{
    while (nmodules < MODULES) {
        Module *m = &modules[nmodules++];
        snprintf(m->name, sizeof(m->name), "%.*s", (int)len, name);
        m->first = first;
        m->last = last - first > UINT32_MAX ? first + UINT32_MAX : last;
        if (m->last == last)
            return true;
        first = m->last + 1;
    }
    return false;
}

static bool parse_module(MimusPlugin *p, const char *at, const char *end)
{
    const char *colon = memchr(at, ':', (size_t)(end - at));
    char *dots, *stop;
    uint64_t first, last;

    if (!colon || colon == at)
        return false;
    first = strtoull(colon + 1, &dots, 0);
    if (dots == colon + 1 || strncmp(dots, "..", 2))
        return false;
    last = strtoull(dots + 2, &stop, 0);
    return stop == end && first <= last && add_module(at, (size_t)(colon - at), first, last);
}

static bool parse_modules(MimusPlugin *p)
{
    for (const char *at = module_text; at && *at;) {
        const char *end = at + strcspn(at, "+");
        if (!parse_module(p, at, end)) {
            mimus_fail(p, "module: '%.*s' is not NAME:FIRST..LAST", (int)(end - at), at);
            return false;
        }
        at = end + (*end == '+');
    }
    return true;
}

static Module *module_of(uint64_t pc)
{
    for (unsigned i = 0; i < nmodules; i++)
        if (pc - modules[i].first <= modules[i].last - modules[i].first)
            return &modules[i];
    return NULL;
}

/* Of what has no module: a piece of 4 GiB around it. */
static void cover_everything(void)
{
    for (size_t i = 0; i < blocks.room; i++) {
        uint64_t pc = blocks.keys[i] - 1, first = pc & ~(uint64_t)UINT32_MAX;
        if (!blocks.keys[i] || module_of(pc))
            continue;
        if (pc >= UINT64_C(0xffffffffc0000000))
            add_module("modules", 7, UINT64_C(0xffffffffc0000000), UINT64_MAX);
        else if (pc >= UINT64_C(0xffffffff80000000))
            add_module("vmlinux", 7, UINT64_C(0xffffffff80000000) + slide,
                       UINT64_C(0xffffffffbfffffff));
        else
            add_module(pc >> 63 ? "kernel" : "user", pc >> 63 ? 6 : 4, first, first | UINT32_MAX);
    }
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

/* Little-endian. */
static void put_number(FILE *f, uint64_t v, unsigned bytes)
{
    for (; bytes--; v >>= 8)
        putc((int)(v & 0xff), f);
}

static void write_drcov(FILE *f)
{
    uint64_t n = 0;

    for (size_t i = 0; i < blocks.room; i++)
        n += blocks.keys[i] && module_of(blocks.keys[i] - 1);
    fprintf(f,
            "DRCOV VERSION: 2\nDRCOV FLAVOR: drcov\nModule Table: version 2, count %u\n"
            "Columns: id, base, end, entry, checksum, timestamp, path\n",
            nmodules);
    for (unsigned i = 0; i < nmodules; i++)
        fprintf(f,
                "%3u, 0x%016" PRIx64 ", 0x%016" PRIx64
                ", 0x0000000000000000, 0x00000000, 0x00000000, %s\n",
                i, modules[i].first, modules[i].last, modules[i].name);
    fprintf(f, "BB Table: %" PRIu64 " bbs\n", n);
    for (size_t i = 0; i < blocks.room; i++) {
        const Block *b = (const Block *)(blocks.values + i * blocks.value_size);
        const Module *m = blocks.keys[i] ? module_of(blocks.keys[i] - 1) : NULL;
        if (!m)
            continue;
        put_number(f, blocks.keys[i] - 1 - m->first, 4);
        put_number(f, b->size, 2);
        put_number(f, (uint64_t)(m - modules), 2);
    }
}

static void write_text(FILE *f)
{
    for (size_t i = 0; i < blocks.room; i++) {
        const Module *m = blocks.keys[i] ? module_of(blocks.keys[i] - 1) : NULL;
        if (m)
            fprintf(f, "%s+%" PRIx64 "\n", m->name, blocks.keys[i] - 1 - m->first);
    }
}

typedef struct Function {
    uint64_t start, times;
} Function;

static int by_start(const void *p, const void *q)
{
    const Function *a = p, *b = q;

    return (a->start > b->start) - (a->start < b->start);
}

/* The @n that ran, by address; to be freed. */
static Function *functions_in_order(size_t *n)
{
    Table times = { .value_size = sizeof(uint64_t) };
    Function *found;
    uint64_t start;

    for (size_t i = 0; i < blocks.room; i++) {
        const Block *b = (const Block *)(blocks.values + i * blocks.value_size);
        if (blocks.keys[i] && mimus_symbol_find(symbols, blocks.keys[i] - 1, &start))
            *(uint64_t *)table_at(&times, start + 1) += b->times;
    }
    found = calloc(times.n + 1, sizeof(*found));
    if (!found)
        abort();
    *n = 0;
    for (size_t i = 0; i < times.room; i++)
        if (times.keys[i])
            found[(*n)++] =
                (Function){ times.keys[i] - 1, *(uint64_t *)(times.values + i * times.value_size) };
    qsort(found, *n, sizeof(*found), by_start);
    table_free(&times);
    return found;
}

/* Without debug information a function is a line, in the order of their addresses. */
static void write_lcov(FILE *f)
{
    size_t n;
    Function *function = functions_in_order(&n);

    fprintf(f, "TN:mimus\nSF:%s\n", symbols_name);
    for (size_t i = 0; i < n; i++) {
        uint64_t start, times = function[i].times;
        const char *name = mimus_symbol_find(symbols, function[i].start, &start);

        fprintf(f, "FN:%zu,%s\nFNDA:%" PRIu64 ",%s\nDA:%zu,%" PRIu64 "\n", i + 1, name, times, name,
                i + 1, times);
    }
    fprintf(f, "FNF:%zu\nFNH:%zu\nLF:%zu\nLH:%zu\nend_of_record\n", n, n, n, n);
    free(function);
}

/* ---- … by line */

static size_t first_row_after(uint64_t addr)
{
    size_t lo = 0, hi = lines.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (lines.row[mid].end <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

typedef struct LineTimes {
    const char *file;
    uint32_t line;
    uint64_t times;
} LineTimes;

static int by_line(const void *p, const void *q)
{
    const LineTimes *a = p, *b = q;
    int files = strcmp(a->file, b->file);

    return files ? files : (a->line > b->line) - (a->line < b->line);
}

/* Each row with how often blocks that it is in began. */
static LineTimes *times_of_rows(void)
{
    LineTimes *t = calloc(lines.n + 1, sizeof(*t));

    if (!t)
        abort();
    for (size_t i = 0; i < lines.n; i++)
        t[i] = (LineTimes){ lines.row[i].file, lines.row[i].line, 0 };
    for (size_t i = 0; i < blocks.room; i++) {
        const Block *b = (const Block *)(blocks.values + i * blocks.value_size);
        uint64_t pc = blocks.keys[i] - 1;
        for (size_t k = blocks.keys[i] ? first_row_after(pc) : lines.n; k < lines.n; k++) {
            if (lines.row[k].addr >= pc + b->size)
                break;
            t[k].times += b->times;
        }
    }
    return t;
}

static void write_lcov_lines(FILE *f)
{
    LineTimes *t = times_of_rows();
    uint64_t found = 0, hit = 0;

    qsort(t, lines.n, sizeof(*t), by_line);
    for (size_t i = 0; i < lines.n; i++) {
        uint64_t times = t[i].times;
        if (!i || strcmp(t[i].file, t[i - 1].file))
            fprintf(f, "TN:mimus\nSF:%s\n", t[i].file);
        while (i + 1 < lines.n && !by_line(&t[i], &t[i + 1]))
            times = t[++i].times > times ? t[i].times : times;
        fprintf(f, "DA:%u,%" PRIu64 "\n", t[i].line, times);
        found++;
        hit += times != 0;
        if (i + 1 < lines.n && !strcmp(t[i].file, t[i + 1].file))
            continue;
        fprintf(f, "LF:%" PRIu64 "\nLH:%" PRIu64 "\nend_of_record\n", found, hit);
        found = hit = 0;
    }
    free(t);
}

static void write_file(MimusPlugin *p, const char *name, void (*write)(FILE *f))
{
    FILE *f = name ? fopen(name, "we") : NULL;

    if (f)
        write(f);
    if (name && (!f || fclose(f)))
        mimus_print(p, "cov: could not write '%s': %s\n", name, strerror(errno));
}

bool mimus_plugin_load(MimusPlugin *p)
{
    const MimusOption options[] = {
        { "drcov", MIMUS_STRING, &drcov },      { "text", MIMUS_STRING, &text },
        { "lcov", MIMUS_STRING, &lcov },        { "symbols", MIMUS_STRING, &symbols_name },
        { "slide", MIMUS_NUMBER, &slide },      { "module", MIMUS_STRING, &module_text },
        { "lines", MIMUS_STRING, &lines_name },
    };
    const char *why;

    if (!mimus_options(p, options, sizeof(options) / sizeof(options[0])) || !parse_modules(p))
        return false;
    if (!drcov && !text && !lcov) {
        mimus_fail(p, "drcov=FILE, text=FILE or lcov=FILE is needed");
        return false;
    }
    if (lcov && !symbols_name && !lines_name) {
        mimus_fail(p, "lcov needs lines=FILE or symbols=FILE");
        return false;
    }
    if (lines_name && !lines_load(&lines, lines_name, slide, &why)) {
        mimus_fail(p, "could not read lines of '%s': %s", lines_name, why);
        return false;
    }
    if (symbols_name && !(symbols = mimus_symbols_load(p, symbols_name, slide)))
        return false;
    mimus_on_translate(p, translated, NULL);
    mimus_on_records(p, recorded, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    if (!module_text)
        cover_everything();
    write_file(p, drcov, write_drcov);
    write_file(p, text, write_text);
    write_file(p, lcov, lines.n ? write_lcov_lines : write_lcov);
    lines_free(&lines);
    mimus_print(p, "cov: %zu basic blocks\n", blocks.n);
    table_free(&blocks);
}
