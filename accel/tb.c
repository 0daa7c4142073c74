/* SPDX-License-Identifier: MIT */
/*
 * The block cache: a hash by (RAM address, mode, unit size, kind), and for each RAM page the list
 * of blocks with code in it and the mask of 64-byte granules they cover. Invalidation retires the
 * blocks that overlap what was written, takes back the links into them and leaves the others.
 * Granules that a CPU monitors (monitor.c) count as code.
 */
#include "accel/engine.h"

#include <string.h>
#include <sys/mman.h>

void tb_cache_init(TbCache *c, Tcg *tcg, uint64_t ram_end)
{
    memset(c, 0, sizeof(*c));
    c->tcg = tcg;
    c->hash_bits = 19;
    c->hash = mmap(NULL, sizeof(Tb *) << c->hash_bits, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert(c->hash != MAP_FAILED);
#ifdef MADV_HUGEPAGE
    madvise(c->hash, sizeof(Tb *) << c->hash_bits, MADV_HUGEPAGE); /* a wish only */
#endif
    c->npages = (ram_end >> PAGE_BITS) + 1;
    c->pages = mmap(NULL, c->npages * sizeof(CodePage *), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    g_assert(c->pages != MAP_FAILED);
    c->stored = mmap(NULL, c->npages, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    g_assert(c->stored != MAP_FAILED);
    c->all = g_ptr_array_new();
    c->hot = g_array_new(false, false, sizeof(uint64_t));
    c->checked = g_array_new(false, false, sizeof(uint64_t));
    c->io = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    c->parted = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
}

static void tb_free(Tb *tb)
{
    if (tb->incoming)
        g_array_free(tb->incoming, true);
    g_free(tb->check);
    g_free(tb->cuts);
    plugin_trace_free(tb->trace);
    g_free(tb);
}

static void settle_page(TbCache *c, uint64_t n);

static void drop_pages(TbCache *c, const Tb *tb)
{
    const uint64_t at[2] = { tb->ram, tb->ram2 };

    for (unsigned i = 0; i < (tb->straddles ? 2 : 1); i++) {
        uint64_t n = at[i] >> PAGE_BITS;

        if (c->pages[n])
            c->pages[n]->first = NULL;
        settle_page(c, n);
    }
}

void tb_flush(TbCache *c)
{
    if (c->before_flush)
        c->before_flush(c->opaque);
    for (unsigned i = 0; i < c->all->len; i++) {
        const Tb *tb = c->all->pdata[i];
        drop_pages(c, tb);
        c->hash[tb_hash(c, tb->ram, tb->mode, tb->unit_size)] = NULL;
    }
    for (unsigned i = 0; i < c->all->len; i++)
        tb_free(c->all->pdata[i]);
    g_ptr_array_set_size(c->all, 0);
    g_array_set_size(c->hot, 0);
    g_hash_table_remove_all(c->parted);
    for (unsigned i = 0; i < c->checked->len; i++) { /* pages outlive blocks that once straddled */
        CodePage *p = c->pages[g_array_index(c->checked, uint64_t, i)];
        if (p)
            p->checked = false;
    }
    g_array_set_size(c->checked, 0);
    tcg_flush(c->tcg);
    c->flushes++;
}

void tb_cache_destroy(TbCache *c)
{
    tb_flush(c);
    g_ptr_array_free(c->all, true);
    g_array_free(c->hot, true);
    g_array_free(c->checked, true);
    g_hash_table_destroy(c->io);
    g_hash_table_destroy(c->parted);
    munmap(c->hash, sizeof(Tb *) << c->hash_bits);
    munmap(c->pages, c->npages * sizeof(CodePage *));
    munmap(c->stored, c->npages);
}

/* Bytes of @tb in its first page. */
static uint64_t first_part(const Tb *tb)
{
    uint64_t room = PAGE_SIZE - (tb->ram & (PAGE_SIZE - 1));
    return MIN(tb->size, room);
}

static uint64_t page_of(uint64_t ram)
{
    return ram >> PAGE_BITS;
}

/* Is the second part in another RAM page? Two mappings of one page may follow each other. */
static bool has_two_pages(const Tb *tb)
{
    return tb->straddles && page_of(tb->ram) != page_of(tb->ram2);
}

/* What @tb covers of page @n, one of its own. */
static uint64_t page_granules(const Tb *tb, uint64_t n)
{
    uint64_t granules = 0;

    if (tb->check)
        return 0;
    if (tb->straddles && page_of(tb->ram2) == n)
        granules = tb_granules(tb->ram2, MAX(tb->size - first_part(tb), 1));
    if (page_of(tb->ram) != n)
        return granules;
    granules |= tb_granules(tb->ram, first_part(tb));
    for (const CodeRange *f = tb->followed; f < tb->followed + TRANSLATE_FOLLOWED && f->size; f++)
        granules |= tb_granules(f->at, f->size);
    return granules;
}

/* The Tb after @tb in the list of page @n. */
static Tb **next_in_page(Tb *tb, uint64_t n)
{
    return &tb->page_next[page_of(tb->ram) == n ? 0 : 1];
}

static bool add_to_page(TbCache *c, Tb *tb, uint64_t n)
{
    CodePage *p = c->pages[n];
    bool fresh;

    if (!p)
        p = c->pages[n] = g_new0(CodePage, 1);
    fresh = p->granules == 0 && !tb->check;
    p->granules |= page_granules(tb, n);
    *next_in_page(tb, n) = p->first;
    p->first = tb;
    return fresh;
}

bool tb_insert(TbCache *c, Tb *tb)
{
    Tb **bucket = &c->hash[tb_hash(c, tb->ram, tb->mode, tb->unit_size)];
    bool fresh;

    tb->hash_next = *bucket;
    *bucket = tb;
    g_ptr_array_add(c->all, tb);
    fresh = add_to_page(c, tb, page_of(tb->ram));
    if (has_two_pages(tb))
        fresh |= add_to_page(c, tb, page_of(tb->ram2));
    return fresh;
}

void tb_add_cut(TbCache *c, Tb *whole, Tb *cut, unsigned at)
{
    if (!whole->cuts)
        whole->cuts = g_new0(Tb *, whole->code->ninsns);
    cut->whole = whole;
    whole->cuts[at] = cut;
    g_ptr_array_add(c->all, cut);
}

void tb_link(TbCache *c, Tb *from, unsigned link, Tb *to)
{
    TbLink l = { from, link };

    if (from->retired || to->retired || from->code->link[link].to)
        return;
    tcg_link(c->tcg, from->code, link, to->code);
    c->linked++;
    if (!to->incoming)
        to->incoming = g_array_new(false, false, sizeof(TbLink));
    g_array_append_val(to->incoming, l);
}

bool tb_overlaps(const Tb *tb, uint64_t ram, uint64_t len)
{
    uint64_t n = first_part(tb);

    if (ram < tb->ram + n && tb->ram < ram + len)
        return true;
    for (const CodeRange *f = tb->followed; f < tb->followed + TRANSLATE_FOLLOWED && f->size; f++) {
        uint64_t at = (tb->ram & PAGE_MASK) + f->at;
        if (ram < at + f->size && at < ram + len)
            return true;
    }
    return tb->straddles && ram < tb->ram2 + (tb->size - n) && tb->ram2 < ram + len;
}

static void count_granules(CodePage *p, uint64_t n)
{
    p->granules = p->monitored;
    for (Tb *t = p->first; t; t = *next_in_page(t, n))
        p->granules |= page_granules(t, n);
}

/* After something has gone from page @n. */
static void settle_page(TbCache *c, uint64_t n)
{
    CodePage *p = c->pages[n];

    if (!p)
        return;
    count_granules(p, n);
    if (p->granules)
        return;
    g_free(p);
    c->pages[n] = NULL;
}

bool tb_monitor(TbCache *c, uint64_t ram)
{
    CodePage **p = &c->pages[ram >> PAGE_BITS];
    bool fresh;

    if (!*p)
        *p = g_new0(CodePage, 1);
    fresh = !(*p)->granules;
    (*p)->monitored |= tb_granules(ram, TB_GRANULE);
    (*p)->granules |= (*p)->monitored;
    return fresh;
}

void tb_unmonitor(TbCache *c, uint64_t ram)
{
    if (c->pages[ram >> PAGE_BITS])
        c->pages[ram >> PAGE_BITS]->monitored &= ~tb_granules(ram, TB_GRANULE);
    settle_page(c, ram >> PAGE_BITS);
}

static void remove_from_page(TbCache *c, Tb *tb, uint64_t n)
{
    CodePage *p = c->pages[n];
    Tb **at = &p->first;

    while (*at != tb)
        at = next_in_page(*at, n);
    *at = *next_in_page(tb, n);
    count_granules(p, n);
}

static void retire_code(TbCache *c, Tb *tb)
{
    tb->retired = true; /* stays in c->all until the flush: its code may still be running */
    tcg_retire(c->tcg, tb->code);
}

void tb_retire(TbCache *c, Tb *tb)
{
    if (tb->whole)
        tb = tb->whole;
    Tb **at = &c->hash[tb_hash(c, tb->ram, tb->mode, tb->unit_size)];

    while (*at != tb)
        at = &(*at)->hash_next;
    *at = tb->hash_next;
    remove_from_page(c, tb, page_of(tb->ram));
    if (has_two_pages(tb))
        remove_from_page(c, tb, page_of(tb->ram2));
    for (unsigned i = 0; tb->incoming && i < tb->incoming->len; i++) {
        TbLink *l = &g_array_index(tb->incoming, TbLink, i);
        tcg_link(c->tcg, l->from->code, l->link, NULL);
    }
    if (tb->incoming)
        g_array_set_size(tb->incoming, 0);
    retire_code(c, tb);
    tb->straddles = false;
    for (unsigned n = 0; tb->cuts && n < tb->code->ninsns; n++)
        if (tb->cuts[n])
            retire_code(c, tb->cuts[n]);
    c->invalidated++;
}

static void end_monitoring(TbCache *c, uint64_t ram, uint64_t len)
{
    CodePage *p = c->pages[ram >> PAGE_BITS];
    uint64_t hit = p->monitored & tb_granules(ram, len);

    for (; hit; hit &= hit - 1) {
        uint64_t line = (ram & PAGE_MASK) + __builtin_ctzll(hit) * TB_GRANULE;

        tb_unmonitor(c, line);
        c->monitor_hit(c->opaque, line);
    }
}

static void invalidate_in_page(TbCache *c, uint64_t ram, uint64_t len)
{
    uint64_t n = ram >> PAGE_BITS;
    CodePage *p = c->pages[n];
    Tb *next;

    if (!p || !(p->granules & tb_granules(ram, len)))
        return;
    for (Tb *tb = p->first; tb; tb = next) {
        next = *next_in_page(tb, n);
        if (!tb->check && tb_overlaps(tb, ram, len))
            tb_retire(c, tb);
    }
    if (p->monitored)
        end_monitoring(c, ram, len);
}

void tb_invalidate(TbCache *c, uint64_t ram, uint64_t len)
{
    while (len) {
        uint64_t part = MIN(len, PAGE_SIZE - (ram & (PAGE_SIZE - 1)));
        if ((ram >> PAGE_BITS) < c->npages)
            invalidate_in_page(c, ram, part);
        ram += part;
        len -= part;
    }
}

/* ---- Instructions that access devices ------------------------------------------------------- */

#define IO_PAGES_MAX 4096

const uint64_t *tb_io_in_page(const TbCache *c, uint64_t ram)
{
    uint64_t page = ram >> PAGE_BITS;

    return g_hash_table_lookup(c->io, &page);
}

void tb_note_io(TbCache *c, uint64_t ram)
{
    uint64_t page = ram >> PAGE_BITS, byte = ram & (PAGE_SIZE - 1);
    uint64_t *map = g_hash_table_lookup(c->io, &page);

    if (!map && g_hash_table_size(c->io) == IO_PAGES_MAX)
        g_hash_table_remove_all(c->io);
    if (!map) {
        map = g_new0(uint64_t, PAGE_SIZE / 64);
        g_hash_table_insert(c->io, g_memdup2(&page, sizeof(page)), map);
    }
    map[byte / 64] |= 1ull << (byte % 64);
}

/* ---- Groups of accesses that keep crossing pages --------------------------------------------- */

void tb_note_parted(TbCache *c, Tb *tb, uint64_t count)
{
    static const unsigned often = 8;
    /* Back ends with links, which cost nothing where groups do not cross, tell of one in 33 or so,
     * others of each. */
    unsigned soon = tcg_links_rests(c->tcg) ? 33 * 5000 : 150;

    if (tb_is_parted(c, tb->ram))
        return;
    tb->parted = count - tb->parted_at < soon ? tb->parted + 1 : 0;
    tb->parted_at = count;
    if (tb->parted < often)
        return;
    g_hash_table_add(c->parted, g_memdup2(&tb->ram, sizeof(tb->ram)));
    tb_retire(c, tb);
}

bool tb_is_parted(const TbCache *c, uint64_t ram)
{
    return g_hash_table_size(c->parted) && g_hash_table_contains(c->parted, &ram);
}

/* ---- Blocks that check themselves ----------------------------------------------------------- */

uint64_t tb_changed_bytes(const Tb *tb)
{
    const TbCheck *k = tb->check;
    const uint8_t *was = k->bytes;
    uint64_t changed = k->soft;
    unsigned n = 0;

    for (unsigned p = 0; p < G_N_ELEMENTS(k->part); p++) {
        for (unsigned i = 0; i < k->part[p].size; i++, n++)
            changed |= (uint64_t)(k->part[p].host[i] != was[n]) << n;
    }
    return changed;
}

bool tb_is_stale(const Tb *tb)
{
    return tb_changed_bytes(tb) != tb->check->soft;
}

/* Retire the blocks of page @n that are, or are not, checked. */
static void retire_in_page(TbCache *c, uint64_t n, bool checked)
{
    Tb *next;

    for (Tb *tb = c->pages[n]->first; tb; tb = next) {
        next = *next_in_page(tb, n);
        if (!!tb->check == checked)
            tb_retire(c, tb);
    }
}

/* Its blocks will be made anew when they are looked for. */
static void set_checked(TbCache *c, uint64_t n, bool checked)
{
    CodePage *p = c->pages[n];

    if (!p || p->checked == checked)
        return;
    p->checked = checked;
    retire_in_page(c, n, !checked);
    if (checked)
        g_array_append_val(c->checked, n);
}

void tb_check_hot(TbCache *c)
{
    for (unsigned i = 0; i < c->hot->len; i++)
        set_checked(c, g_array_index(c->hot, uint64_t, i), true);
    g_array_set_size(c->hot, 0);
}

void tb_settle_pages(TbCache *c, uint32_t slices)
{
    static const uint32_t slices_per_epoch = 4096;

    c->settled += slices;
    if (c->settled < slices_per_epoch)
        return;
    c->settled = 0;
    c->epoch++;
    for (unsigned i = 0; i < c->checked->len; i++)
        set_checked(c, g_array_index(c->checked, uint64_t, i), false);
    g_array_set_size(c->checked, 0);
}
