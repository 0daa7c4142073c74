/* SPDX-License-Identifier: MIT */
/*
 * A model of caches: L1 for code, L1 for data, a common L2; set-associative, least recently used
 * goes, writes allocate. By linear address. Arguments: l1i=, l1d=, l2=BYTES (32K, 32K, 1M), ways=N
 * (8), line=BYTES (64).
 */
#include <inttypes.h>
#include <stdlib.h>

#include <mimus-plugin.h>

MIMUS_PLUGIN;

typedef struct Cache {
    const char *name;
    uint64_t bytes, sets, hits, misses;
    uint64_t *tag; /* [set][way], most recent first; 0: empty */
} Cache;

static Cache l1i = { "L1I", 32 << 10 }, l1d = { "L1D", 32 << 10 }, l2 = { "L2", 1 << 20 };
static uint64_t ways = 8, line = 64;

static bool lookup(Cache *c, uint64_t number)
{
    uint64_t *set = c->tag + number % c->sets * ways, tag = number + 1, moved = tag;

    for (uint64_t i = 0; i < ways; i++) {
        uint64_t was = set[i];
        set[i] = moved;
        if (was == tag) {
            c->hits++;
            return true;
        }
        moved = was;
    }
    c->misses++;
    return false;
}

static void touch(Cache *first, uint64_t addr, unsigned size)
{
    for (uint64_t n = addr / line; n <= (addr + size - 1) / line; n++)
        if (!lookup(first, n))
            lookup(&l2, n);
}

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    for (size_t i = 0; i < mimus_block_insns(b); i++) {
        mimus_insn_record(mimus_block_insn(b, i), NULL);
        mimus_insn_record_access(mimus_block_insn(b, i), MIMUS_LOAD | MIMUS_STORE, NULL);
    }
}

static void recorded(MimusPlugin *p, const MimusRecord *r, size_t n, void *opaque)
{
    for (size_t i = 0; i < n; i++) {
        if (r[i].kind == MIMUS_RECORD_INSN)
            touch(&l1i, r[i].pc, r[i].size);
        else if (r[i].kind == MIMUS_RECORD_LOAD || r[i].kind == MIMUS_RECORD_STORE)
            touch(&l1d, r[i].vaddr, r[i].size);
    }
}

static bool set_up(MimusPlugin *p, Cache *c)
{
    if (!c->bytes || c->bytes % (ways * line) || c->bytes > UINT64_C(1) << 30) {
        mimus_fail(p, "%s: %" PRIu64 " bytes are no whole number of sets, up to 1G", c->name,
                   c->bytes);
        return false;
    }
    c->sets = c->bytes / (ways * line);
    c->tag = calloc(c->sets * ways, sizeof(uint64_t));
    return c->tag;
}

bool mimus_plugin_load(MimusPlugin *p)
{
    const MimusOption options[] = {
        { "l1i", MIMUS_NUMBER, &l1i.bytes }, { "l1d", MIMUS_NUMBER, &l1d.bytes },
        { "l2", MIMUS_NUMBER, &l2.bytes },   { "ways", MIMUS_NUMBER, &ways },
        { "line", MIMUS_NUMBER, &line },
    };

    if (!mimus_options(p, options, 5))
        return false;
    if (!ways || ways > 64 || line < 8 || line > 4096 || (line & (line - 1))) {
        mimus_fail(p, "ways: 1 to 64; line: a power of two, 8 to 4096");
        return false;
    }
    if (!set_up(p, &l1i) || !set_up(p, &l1d) || !set_up(p, &l2))
        return false;
    mimus_on_translate(p, translated, NULL);
    mimus_on_records(p, recorded, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    Cache *all[] = { &l1i, &l1d, &l2 };

    mimus_print(p, "cache       accesses         misses   rate\n");
    for (unsigned i = 0; i < 3; i++) {
        uint64_t n = all[i]->hits + all[i]->misses;
        mimus_print(p, "%-5s %14" PRIu64 " %14" PRIu64 " %5.2f%%\n", all[i]->name, n,
                    all[i]->misses, n ? 100.0 * (double)all[i]->misses / (double)n : 0.0);
        free(all[i]->tag);
    }
}
