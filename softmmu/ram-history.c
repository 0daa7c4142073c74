/* SPDX-License-Identifier: MIT */
/*
 * A moment's list has a page at most once, by ascending number. What a page held at a moment is in
 * the nearest list that has it, from that moment on backwards; if none has, it was zero. A list may
 * have pages that did not change (a moment was put in before it).
 */
#include "softmmu/ram-history.h"

#include <string.h>

#define PAGE_BYTES UINT64_C(4096)
#define PIECE      64 /* bytes: what is told of a change is made of these */

typedef struct PageVersion {
    uint64_t page;
    uint8_t *data; /* NULL: zero */
} PageVersion;

struct RamMoment {
    GArray *pages; /* PageVersion */
    RamMoment *before, *after;
    uint64_t number; /* ascending */
};

struct RamHistory {
    RamSet *set;
    RamMoment *first, *now; /* now: that RAM came from */
    uint64_t bytes;
};

RamHistory *ram_history_new(RamSet *set)
{
    RamHistory *h = g_new0(RamHistory, 1);

    h->set = set;
    return h;
}

static void drop_version(RamHistory *h, const PageVersion *v)
{
    h->bytes -= sizeof(*v) + (v->data ? PAGE_BYTES : 0);
    g_free(v->data);
}

static void free_moment(RamMoment *m)
{
    g_array_free(m->pages, TRUE);
    g_free(m);
}

void ram_history_free(RamHistory *h)
{
    RamMoment *after;

    if (!h)
        return;
    for (RamMoment *m = h->first; m; m = after) {
        after = m->after;
        for (guint i = 0; i < m->pages->len; i++)
            drop_version(h, &g_array_index(m->pages, PageVersion, i));
        free_moment(m);
    }
    g_assert(h->bytes == 0);
    g_free(h);
}

uint64_t ram_history_bytes(const RamHistory *h)
{
    return h->bytes;
}

/* ---- Walking over the pages that were written -------------------------------------------------
 */

typedef void VisitPage(RamHistory *h, uint64_t page, uint8_t *host, void *opaque);

/* Their bytes are made 0 first. */
static void visit_written(RamHistory *h, VisitPage *visit, void *opaque)
{
    const GPtrArray *blocks = ram_set_blocks(h->set);
    uint8_t *written = ram_set_written(h->set);

    for (guint b = 0; b < blocks->len; b++) {
        const RamBlock *block = blocks->pdata[b];
        uint64_t first = block->ram_offset / PAGE_BYTES, end = first + block->size / PAGE_BYTES;
        const uint8_t *at = written + first, *limit = written + end;

        while (at < limit && (at = memchr(at, 1, limit - at))) {
            uint64_t page = at - written;

            written[page] = 0;
            visit(h, page, block->host + (page - first) * PAGE_BYTES, opaque);
            at++;
        }
    }
}

/* ---- Keeping ----------------------------------------------------------------------------------
 */

static void keep_page(RamHistory *h, uint64_t page, uint8_t *host, void *opaque)
{
    RamMoment *m = opaque;
    PageVersion v = { page, ram_page_is_zero(host) ? NULL : g_memdup2(host, PAGE_BYTES) };

    g_array_append_val(m->pages, v);
    h->bytes += sizeof(v) + (v.data ? PAGE_BYTES : 0);
}

/* After those before, ahead of those after. */
static void number_moment(RamMoment *m)
{
    uint64_t number = m->before ? m->before->number : 0;

    for (; m; m = m->after)
        m->number = ++number;
}

RamMoment *ram_history_keep(RamHistory *h)
{
    RamMoment *m = g_new0(RamMoment, 1);

    m->pages = g_array_new(FALSE, FALSE, sizeof(PageVersion));
    visit_written(h, keep_page, m);
    m->before = h->now;
    m->after = h->now ? h->now->after : NULL;
    if (m->before)
        m->before->after = m;
    else
        h->first = m;
    if (m->after)
        m->after->before = m;
    number_moment(m);
    h->now = m;
    return m;
}

/* ---- Going ------------------------------------------------------------------------------------
 */

static void mark_pages(RamHistory *h, const RamMoment *m)
{
    uint8_t *written = ram_set_written(h->set);

    for (guint i = 0; i < m->pages->len; i++)
        written[g_array_index(m->pages, PageVersion, i).page] = 1;
}

typedef struct Journey {
    void (*changed)(void *opaque, uint64_t ram, uint64_t len);
    void *opaque;
} Journey;

static const uint8_t zeros[PAGE_BYTES];

static void install(uint64_t page, uint8_t *host, const uint8_t *data, const Journey *j)
{
    if (!memcmp(host, data, PAGE_BYTES))
        return;
    for (unsigned at = 0; at < PAGE_BYTES; at += PIECE) {
        if (!memcmp(host + at, data + at, PIECE))
            continue;
        memcpy(host + at, data + at, PIECE);
        j->changed(j->opaque, page * PAGE_BYTES + at, PIECE);
    }
}

static void install_zero(RamHistory *h, uint64_t page, uint8_t *host, void *opaque)
{
    install(page, host, zeros, opaque);
}

static uint8_t *page_host(RamHistory *h, uint64_t page)
{
    const GPtrArray *blocks = ram_set_blocks(h->set);

    for (guint b = 0; b < blocks->len; b++) {
        const RamBlock *block = blocks->pdata[b];

        if (page * PAGE_BYTES - block->ram_offset < block->size)
            return block->host + (page * PAGE_BYTES - block->ram_offset);
    }
    g_assert_not_reached();
}

/* Of the pages that are marked, those that @m has. */
static void install_moment(RamHistory *h, const RamMoment *m, const Journey *j)
{
    uint8_t *written = ram_set_written(h->set);

    for (guint i = 0; i < m->pages->len; i++) {
        const PageVersion *v = &g_array_index(m->pages, PageVersion, i);

        if (!written[v->page])
            continue;
        written[v->page] = 0;
        install(v->page, page_host(h, v->page), v->data ? v->data : zeros, j);
    }
}

void ram_history_go(RamHistory *h, RamMoment *to,
                    void (*changed)(void *opaque, uint64_t ram, uint64_t len), void *opaque)
{
    bool back = to->number < h->now->number;
    RamMoment *low = back ? to : h->now, *high = back ? h->now : to;
    Journey j = { changed, opaque };

    for (RamMoment *m = high; m != low; m = m->before)
        mark_pages(h, m);
    for (const RamMoment *m = to; m; m = m->before)
        install_moment(h, m, &j);
    visit_written(h, install_zero, &j);
    h->now = to;
}

/* ---- Forgetting -------------------------------------------------------------------------------
 */

/* The pages of @m that the moment after it lacks become that one's. */
static void hand_on(RamHistory *h, const RamMoment *m, RamMoment *after)
{
    GArray *merged =
        g_array_sized_new(FALSE, FALSE, sizeof(PageVersion), m->pages->len + after->pages->len);
    guint i = 0, k = 0;

    while (i < m->pages->len || k < after->pages->len) {
        const PageVersion *a = &g_array_index(m->pages, PageVersion, i),
                          *b = &g_array_index(after->pages, PageVersion, k);
        bool has_a = i < m->pages->len, has_b = k < after->pages->len;

        if (has_a && (!has_b || a->page < b->page)) {
            g_array_append_vals(merged, a, 1);
            i++;
            continue;
        }
        if (has_a && a->page == b->page) {
            drop_version(h, a);
            i++;
        }
        g_array_append_vals(merged, b, 1);
        k++;
    }
    g_array_free(after->pages, TRUE);
    after->pages = merged;
}

void ram_history_forget(RamHistory *h, RamMoment *m)
{
    g_assert(m->before);
    if (h->now == m) {
        mark_pages(h, m);
        h->now = m->before;
    }
    if (m->after)
        hand_on(h, m, m->after);
    else
        for (guint i = 0; i < m->pages->len; i++)
            drop_version(h, &g_array_index(m->pages, PageVersion, i));
    m->before->after = m->after;
    if (m->after)
        m->after->before = m->before;
    free_moment(m);
}
