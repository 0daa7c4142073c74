/* SPDX-License-Identifier: MIT */
/*
 * Regions, their placement, and flattening. A change to a region reaches the address spaces that
 * can see it by walking up: to its parent, to the aliases that show it, to the spaces rooted there.
 */
#include "softmmu/memory.h"

#include <string.h>

#include "softmmu/memory-internal.h"

/* ---- Regions -------------------------------------------------------------------------------- */

static void init_region(MemRegion *r, const char *name, MemKind kind, uint64_t size)
{
    *r = (MemRegion){ .name = name, .kind = kind, .size = size, .enabled = true };
}

void memory_init_container(MemRegion *r, const char *name, uint64_t size)
{
    init_region(r, name, MEM_CONTAINER, size);
}

static void init_with_ram(MemRegion *r, const char *name, MemKind kind, RamBlock *ram,
                          uint64_t start, uint64_t size)
{
    g_assert(start <= ram->size && size <= ram->size - start);
    init_region(r, name, kind, size);
    r->ram = ram;
    r->ram_start = start;
}

void memory_init_ram(MemRegion *r, const char *name, RamBlock *ram, uint64_t start, uint64_t size)
{
    init_with_ram(r, name, MEM_RAM, ram, start, size);
}

void memory_init_rom(MemRegion *r, const char *name, RamBlock *ram, uint64_t start, uint64_t size)
{
    init_with_ram(r, name, MEM_ROM, ram, start, size);
}

void memory_init_romd(MemRegion *r, const char *name, RamBlock *ram, const MemOps *ops,
                      void *opaque)
{
    init_with_ram(r, name, MEM_ROM, ram, 0, ram->size);
    r->ops = ops;
    r->opaque = opaque;
}

void memory_init_io(MemRegion *r, const char *name, const MemOps *ops, void *opaque, uint64_t size)
{
    g_assert(ops);
    init_region(r, name, MEM_IO, size);
    r->ops = ops;
    r->opaque = opaque;
}

void memory_init_alias(MemRegion *r, const char *name, MemRegion *target, uint64_t start,
                       uint64_t size)
{
    init_region(r, name, MEM_ALIAS, size);
    r->target = target;
    r->target_start = start;
    if (!target->aliases)
        target->aliases = g_ptr_array_new();
    g_ptr_array_add(target->aliases, r);
}

void memory_set_parts(MemRegion *r, const MemPart *parts, bool is_around)
{
    r->parts = parts;
    r->is_around = is_around;
}

static void free_links(GPtrArray **links)
{
    if (*links)
        g_ptr_array_free(*links, TRUE);
    *links = NULL;
}

void memory_destroy(MemRegion *r)
{
    g_assert(!r->spaces || r->spaces->len == 0);
    memory_remove(r);
    for (unsigned i = 0; r->children && i < r->children->len; i++)
        ((MemRegion *)r->children->pdata[i])->parent = NULL;
    for (unsigned i = 0; r->aliases && i < r->aliases->len; i++)
        ((MemRegion *)r->aliases->pdata[i])->target = NULL;
    if (r->kind == MEM_ALIAS && r->target)
        g_ptr_array_remove(r->target->aliases, r);
    r->target = NULL;
    free_links(&r->children);
    free_links(&r->aliases);
    free_links(&r->spaces);
}

/* ---- Flattening ----------------------------------------------------------------------------- */

typedef __int128 Wide; /* addresses may lie below 0 while an alias is being unfolded */

typedef struct Window {
    Wide lo, hi; /* the part of the address space that may be filled, hi exclusive */
} Window;

static void insert_range(GArray *flat, unsigned at, Window w, MemRegion *r, Wide base)
{
    FlatRange range = {
        .start = w.lo,
        .size = w.hi - w.lo,
        .region = r,
        .region_start = w.lo - base,
    };

    g_array_insert_val(flat, at, range);
}

/* Fill what is still free of @w with @r, whose first byte is at @base. */
static void fill_gaps(GArray *flat, MemRegion *r, Wide base, Window w)
{
    unsigned i = 0;

    while (w.lo < w.hi) {
        const FlatRange *next = NULL;
        Wide gap_end = w.hi;

        for (; i < flat->len; i++) {
            next = &g_array_index(flat, FlatRange, i);
            if ((Wide)next->start + next->size > w.lo)
                break;
        }
        if (i < flat->len && next->start < gap_end)
            gap_end = next->start;
        if (gap_end > w.lo) {
            insert_range(flat, i, (Window){ w.lo, gap_end }, r, base);
            i++;
        }
        if (i >= flat->len)
            return;
        next = &g_array_index(flat, FlatRange, i);
        w.lo = MAX(gap_end, (Wide)next->start + next->size);
        if (gap_end == w.hi)
            return;
    }
}

static bool loses(const MemRegion *a, const MemRegion *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->tie < b->tie;
}

/* Children from the one that wins to the one that loses. */
static GPtrArray *children_by_rank(const MemRegion *r)
{
    GPtrArray *ranked = g_ptr_array_sized_new(r->children->len);

    for (unsigned i = r->children->len; i-- > 0;) {
        MemRegion *child = r->children->pdata[i];
        unsigned at = ranked->len;

        while (at > 0 && loses(ranked->pdata[at - 1], child))
            at--;
        g_ptr_array_insert(ranked, at, child);
    }
    return ranked;
}

static void render(GArray *flat, MemRegion *r, Wide base, Window w)
{
    w.lo = MAX(w.lo, base);
    w.hi = MIN(w.hi, base + r->size);
    if (!r->enabled || w.lo >= w.hi)
        return;
    if (r->kind == MEM_ALIAS) {
        if (r->target)
            render(flat, r->target, base - r->target_start, w);
        if (r->is_solid)
            fill_gaps(flat, r, base, w);
        return;
    }
    if (r->children) {
        g_autoptr(GPtrArray) ranked = children_by_rank(r);

        for (unsigned i = 0; i < ranked->len; i++) {
            MemRegion *child = ranked->pdata[i];

            render(flat, child, base + child->addr, w);
        }
    }
    if (r->kind != MEM_CONTAINER)
        fill_gaps(flat, r, base, w);
}

/* What solid aliases have in front of others is nothing. */
static void remove_aliases(GArray *flat)
{
    for (unsigned i = flat->len; i-- > 0;)
        if (g_array_index(flat, FlatRange, i).region->kind == MEM_ALIAS)
            g_array_remove_index(flat, i);
}

/* Pieces of one region that meet again (a hole in it was closed) become one. */
static void merge_neighbours(GArray *flat)
{
    for (unsigned i = 1; i < flat->len;) {
        FlatRange *a = &g_array_index(flat, FlatRange, i - 1);
        const FlatRange *b = &g_array_index(flat, FlatRange, i);

        if (a->region == b->region && a->start + a->size == b->start &&
            a->region_start + a->size == b->region_start) {
            a->size += b->size;
            g_array_remove_index(flat, i);
        } else {
            i++;
        }
    }
}

static void flatten(AddressSpace *as)
{
    GArray *flat = g_array_new(FALSE, FALSE, sizeof(FlatRange));

    render(flat, as->root, 0, (Window){ 0, (Wide)1 << 64 });
    remove_aliases(flat);
    merge_neighbours(flat);
    g_free(as->ranges);
    as->count = flat->len;
    as->ranges = (FlatRange *)g_array_free(flat, FALSE);
    as->last_hit = 0;
    as->stale = false;
    for (unsigned i = 0; i < as->listeners->len; i++) {
        MemListener *l = as->listeners->pdata[i];

        if (l->changed)
            l->changed(l);
    }
}

static void space_touched(AddressSpace *as)
{
    if (as->transaction_depth)
        as->stale = true;
    else
        flatten(as);
}

static void region_touched(MemRegion *r)
{
    for (; r; r = r->parent) {
        for (unsigned i = 0; r->spaces && i < r->spaces->len; i++)
            space_touched(r->spaces->pdata[i]);
        for (unsigned i = 0; r->aliases && i < r->aliases->len; i++)
            region_touched(r->aliases->pdata[i]);
    }
}

/* ---- Placement ------------------------------------------------------------------------------ */

void memory_add(MemRegion *parent, uint64_t addr, int priority, MemRegion *r)
{
    memory_add_tied(parent, addr, priority, 0, r);
}

void memory_add_tied(MemRegion *parent, uint64_t addr, int priority, unsigned tie, MemRegion *r)
{
    g_assert(!r->parent && r != parent && parent->kind != MEM_ALIAS);
    r->parent = parent;
    r->addr = addr;
    r->priority = priority;
    r->tie = tie;
    if (!parent->children)
        parent->children = g_ptr_array_new();
    g_ptr_array_add(parent->children, r);
    if (r->enabled)
        region_touched(parent);
}

void memory_remove(MemRegion *r)
{
    MemRegion *parent = r->parent;

    if (!parent)
        return;
    g_ptr_array_remove(parent->children, r);
    r->parent = NULL;
    if (r->enabled)
        region_touched(parent);
}

void memory_set_enabled(MemRegion *r, bool enabled)
{
    if (r->enabled == enabled)
        return;
    r->enabled = enabled;
    region_touched(r);
}

void memory_set_address(MemRegion *r, uint64_t addr)
{
    if (r->addr == addr)
        return;
    r->addr = addr;
    if (r->enabled)
        region_touched(r);
}

void memory_set_readonly(MemRegion *r, bool readonly)
{
    MemKind kind = readonly ? MEM_ROM : MEM_RAM;

    g_assert(r->kind == MEM_RAM || r->kind == MEM_ROM);
    if (r->kind == kind)
        return;
    r->kind = kind;
    if (r->enabled)
        region_touched(r);
}

void memory_set_romd(MemRegion *r, bool rom)
{
    MemKind kind = rom ? MEM_ROM : MEM_IO;

    g_assert(r->ram && r->ops);
    if (r->kind == kind)
        return;
    r->kind = kind;
    if (r->enabled)
        region_touched(r);
}

void memory_set_alias_start(MemRegion *r, uint64_t start)
{
    g_assert(r->kind == MEM_ALIAS);
    if (r->target_start == start)
        return;
    r->target_start = start;
    if (r->enabled)
        region_touched(r);
}

/* ---- Address spaces ------------------------------------------------------------------------- */

AddressSpace *address_space_new(const char *name, MemRegion *root, RamSet *ram)
{
    AddressSpace *as = g_new0(AddressSpace, 1);

    as->name = g_strdup(name);
    as->root = root;
    as->ram = ram;
    as->listeners = g_ptr_array_new();
    if (!root->spaces)
        root->spaces = g_ptr_array_new();
    g_ptr_array_add(root->spaces, as);
    if (ram)
        g_ptr_array_add(ram->spaces, as);
    flatten(as);
    return as;
}

void address_space_free(AddressSpace *as)
{
    if (!as)
        return;
    g_ptr_array_remove(as->root->spaces, as);
    if (as->ram)
        g_ptr_array_remove(as->ram->spaces, as);
    g_ptr_array_free(as->listeners, TRUE);
    g_free(as->ranges);
    g_free(as->name);
    g_free(as);
}

void memory_begin(AddressSpace *as)
{
    as->transaction_depth++;
}

void memory_commit(AddressSpace *as)
{
    g_assert(as->transaction_depth > 0);
    if (--as->transaction_depth == 0 && as->stale)
        flatten(as);
}

void address_space_add_listener(AddressSpace *as, MemListener *l)
{
    g_ptr_array_add(as->listeners, l);
}

void address_space_watch(AddressSpace *as, const MemWatch *w)
{
    as->watch = w;
}

void address_space_remove_listener(AddressSpace *as, MemListener *l)
{
    g_ptr_array_remove(as->listeners, l);
}

static inline bool range_holds(const FlatRange *r, uint64_t addr)
{
    return addr - r->start < r->size;
}

/* The number of ranges that do not start after @addr. */
static size_t ranges_up_to(const AddressSpace *as, uint64_t addr)
{
    size_t lo = 0, hi = as->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (as->ranges[mid].start <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

uint64_t address_space_hole(const AddressSpace *as, uint64_t addr)
{
    size_t next = ranges_up_to(as, addr);

    return next < as->count ? as->ranges[next].start - addr : UINT64_MAX - addr;
}

const FlatRange *address_space_find(AddressSpace *as, uint64_t addr)
{
    size_t lo;

    if (as->last_hit < as->count && range_holds(&as->ranges[as->last_hit], addr))
        return &as->ranges[as->last_hit];
    lo = ranges_up_to(as, addr);
    if (lo == 0 || !range_holds(&as->ranges[lo - 1], addr))
        return NULL;
    as->last_hit = lo - 1;
    return &as->ranges[lo - 1];
}

const FlatRange *address_space_ranges(AddressSpace *as, size_t *count)
{
    *count = as->count;
    return as->ranges;
}
