/* SPDX-License-Identifier: MIT */
/*
 * Hot blocks and pages. Arguments: top=N lines of each (default 20); symbols=FILE, slide=N;
 * data=on: pages of data as well; heat=FILE: all pages as text for scripts, "code|data PAGE COUNT".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <mimus-plugin.h>

#include "accel/plugin/tools/table.h"

MIMUS_PLUGIN;

typedef struct Block {
    uint64_t times;
    uint32_t insns;
} Block;

static uint64_t top = 20, slide;
static const char *symbols_name, *heat;
static bool data;
static MimusSymbols *symbols;
static Table blocks = { .value_size = sizeof(Block) }, code = { .value_size = 8 },
             touched = { .value_size = 8 };

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    size_t n = mimus_block_insns(b);

    mimus_block_record(b, (void *)(uintptr_t)n);
    for (size_t i = 0; i < n && data; i++)
        mimus_insn_record_access(mimus_block_insn(b, i), MIMUS_LOAD | MIMUS_STORE, NULL);
}

static void recorded(MimusPlugin *p, const MimusRecord *r, size_t n, void *opaque)
{
    for (size_t i = 0; i < n; i++) {
        if (r[i].kind == MIMUS_RECORD_BLOCK) {
            Block *b = table_at(&blocks, r[i].pc + 1);
            b->times++;
            b->insns = (uint32_t)(uintptr_t)r[i].data;
        } else if (r[i].kind == MIMUS_RECORD_LOAD || r[i].kind == MIMUS_RECORD_STORE) {
            ++*(uint64_t *)table_at(&touched, (r[i].vaddr >> 12) + 1);
        }
    }
}

typedef struct Line {
    uint64_t key, count;
} Line;

static int by_count(const void *p, const void *q)
{
    const Line *a = p, *b = q;

    return a->count != b->count ? (a->count < b->count ? 1 : -1)
                                : (a->key > b->key) - (a->key < b->key);
}

static Line *sorted(const Table *t, size_t *n)
{
    Line *lines = calloc(t->n + 1, sizeof(Line));

    *n = 0;
    for (size_t i = 0; i < t->room; i++)
        if (t->keys[i])
            lines[(*n)++] = (Line){ t->keys[i] - 1, *(uint64_t *)(t->values + i * t->value_size) };
    qsort(lines, *n, sizeof(Line), by_count);
    return lines;
}

static void print_blocks(MimusPlugin *p)
{
    size_t n;
    Line *lines = sorted(&blocks, &n);

    mimus_print(p, "hot: %zu blocks\n         times  insns  block\n", n);
    for (size_t i = 0; i < n && i < top; i++) {
        uint64_t start = 0;
        const char *name = mimus_symbol_find(symbols, lines[i].key, &start);
        const Block *b = table_look(&blocks, lines[i].key + 1);
        mimus_print(p, "%14" PRIu64 "  %5u  %016" PRIx64 "%s%s", lines[i].count, b->insns,
                    lines[i].key, name ? " " : "", name ? name : "");
        mimus_print(p, name ? "+0x%" PRIx64 "\n" : "\n", lines[i].key - start);
    }
    free(lines);
}

static void print_pages(MimusPlugin *p, const char *what, const Table *t, FILE *out)
{
    size_t n;
    Line *lines = sorted(t, &n);

    mimus_print(p, "hot: %zu pages of %s\n         times  page\n", n, what);
    for (size_t i = 0; i < n && i < top; i++)
        mimus_print(p, "%14" PRIu64 "  %016" PRIx64 "\n", lines[i].count, lines[i].key << 12);
    for (size_t i = 0; i < n && out; i++)
        fprintf(out, "%s %016" PRIx64 " %" PRIu64 "\n", what, lines[i].key << 12, lines[i].count);
    free(lines);
}

static void add_pages(void)
{
    for (size_t i = 0; i < blocks.room; i++) {
        const Block *b = (const Block *)(blocks.values + i * blocks.value_size);
        if (blocks.keys[i])
            *(uint64_t *)table_at(&code, ((blocks.keys[i] - 1) >> 12) + 1) += b->times * b->insns;
    }
}

bool mimus_plugin_load(MimusPlugin *p)
{
    const MimusOption options[] = {
        { "top", MIMUS_NUMBER, &top },     { "symbols", MIMUS_STRING, &symbols_name },
        { "slide", MIMUS_NUMBER, &slide }, { "data", MIMUS_BOOL, &data },
        { "heat", MIMUS_STRING, &heat },
    };

    if (!mimus_options(p, options, sizeof(options) / sizeof(options[0])))
        return false;
    if (symbols_name && !(symbols = mimus_symbols_load(p, symbols_name, slide)))
        return false;
    mimus_on_translate(p, translated, NULL);
    mimus_on_records(p, recorded, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    FILE *out = heat ? fopen(heat, "we") : NULL;

    if (heat && !out)
        mimus_print(p, "hot: could not open '%s': %s\n", heat, strerror(errno));
    add_pages();
    print_blocks(p);
    print_pages(p, "code", &code, out);
    if (data)
        print_pages(p, "data", &touched, out);
    if (out && fclose(out))
        mimus_print(p, "hot: could not write '%s': %s\n", heat, strerror(errno));
    table_free(&blocks);
    table_free(&code);
    table_free(&touched);
}
