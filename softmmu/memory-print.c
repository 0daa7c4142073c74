/* SPDX-License-Identifier: MIT */
/* `info mtree`: the tree by address, and the flat view as it is used. Laid out as QEMU 7.2 does. */
#include "softmmu/memory.h"

#include <string.h>

#include "softmmu/memory-internal.h"

#define SPAN_FORMAT   "%016" G_GINT64_MODIFIER "x-%016" G_GINT64_MODIFIER "x"
#define ALL_OF_MEMORY (UINT64_C(1) << 52)

static const char *kind_name(const MemRegion *r)
{
    switch (r->kind) {
    case MEM_RAM: return "ram";
    case MEM_ROM: return "rom";
    case MEM_ALIAS: return r->target ? kind_name(r->target) : "i/o";
    default: return "i/o";
    }
}

/* By address, then by who wins. GLib sorts arrays of pointers through pointers to them. */
static gint compare_places(gconstpointer a, gconstpointer b)
{
    const MemRegion *x = *(MemRegion *const *)a, *y = *(MemRegion *const *)b;

    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return (x->priority < y->priority) - (x->priority > y->priority);
}

/* Of memory that has another name. */
static bool shows_part(const MemRegion *r)
{
    return (r->kind == MEM_RAM || r->kind == MEM_ROM) && strcmp(r->name, r->ram->name) &&
           (r->size < r->ram->size || !r->ram->place);
}

/* Nothing lies above what processors can address: all of it is shown as 64 bits of it. */
static uint64_t last_byte(uint64_t start, uint64_t size)
{
    return start + size >= ALL_OF_MEMORY ? UINT64_MAX : start + size - 1;
}

static void note(GPtrArray **list, void *p)
{
    if (!*list)
        *list = g_ptr_array_new();
    if (!g_ptr_array_find(*list, p, NULL))
        g_ptr_array_add(*list, p);
}

static void print_head(GString *out, unsigned depth, uint64_t start, uint64_t size, int priority,
                       const char *kind)
{
    g_string_append_printf(out, "%*s" SPAN_FORMAT " (prio %d, %s): ", 2 * depth, "", start,
                           last_byte(start, size), priority, kind);
}

static void print_parts(const MemRegion *r, uint64_t start, unsigned depth, GString *out)
{
    int priority = r->is_around ? 0 : r->priority;

    for (const MemPart *p = r->parts; p->size; p++) {
        print_head(out, depth + r->is_around, start + p->start, p->size, priority + p->priority,
                   "i/o");
        g_string_append_printf(out, "%s\n", p->name);
    }
}

static void print_region(const MemRegion *r, uint64_t start, unsigned depth, MemPrint *p)
{
    bool part = shows_part(r);

    print_head(p->out, depth, start, r->size, r->priority, part ? "ram" : kind_name(r));
    if (r->kind == MEM_ALIAS && r->target) {
        g_string_append_printf(p->out, "alias %s @%s " SPAN_FORMAT, r->name, r->target->name,
                               r->target_start, last_byte(r->target_start, r->size));
        note(&p->named, r->target);
    } else if (part) {
        g_string_append_printf(p->out, "alias %s @%s " SPAN_FORMAT, r->name, r->ram->name,
                               r->ram_start, r->ram_start + r->size - 1);
        note(&p->blocks, r->ram);
    } else {
        g_string_append(p->out, r->name);
    }
    g_string_append(p->out, r->enabled ? "\n" : " [disabled]\n");
}

static void print_tree(const MemRegion *r, uint64_t base, unsigned depth, MemPrint *p)
{
    uint64_t start = base + r->addr;
    g_autoptr(GPtrArray) sorted = NULL;

    if (!r->enabled && !p->disabled)
        return;
    if (!r->parts || r->is_around)
        print_region(r, start, depth, p);
    if (r->parts)
        print_parts(r, start, depth, p->out);
    if (!r->children)
        return;
    sorted = g_ptr_array_copy(r->children, NULL, NULL);
    g_ptr_array_sort(sorted, compare_places);
    for (unsigned i = 0; i < sorted->len; i++)
        print_tree(sorted->pdata[i], start, depth + 1, p);
}

void address_space_print(AddressSpace *as, const char *const *names, MemPrint *p)
{
    const char *const own[] = { as->name, NULL };

    for (names = names ? names : own; *names; names++)
        g_string_append_printf(p->out, "address-space: %s\n", *names);
    print_tree(as->root, 0, 1, p);
    g_string_append_c(p->out, '\n');
}

void memory_print_named(MemPrint *p)
{
    for (unsigned i = 0; p->blocks && i < p->blocks->len; i++) {
        const RamBlock *b = p->blocks->pdata[i];

        g_string_append_printf(p->out, "memory-region: %s\n", b->name);
        print_head(p->out, 1, 0, b->size, 0, "ram");
        g_string_append_printf(p->out, "%s\n\n", b->name);
    }
    for (unsigned i = 0; p->named && i < p->named->len; i++) { /* it grows meanwhile */
        const MemRegion *r = p->named->pdata[i];

        g_string_append_printf(p->out, "memory-region: %s\n", r->name);
        print_tree(r, 0, 1, p);
        g_string_append_c(p->out, '\n');
    }
    g_clear_pointer(&p->named, g_ptr_array_unref);
    g_clear_pointer(&p->blocks, g_ptr_array_unref);
}

/* ---- The flat view ---------------------------------------------------------------------------
 */

typedef struct Flat {
    const AddressSpace *as;
    GString *out;
    uint64_t end; /* of what has been printed */
} Flat;

static void print_line(Flat *f, uint64_t start, uint64_t size, int priority, const char *kind,
                       const char *name, uint64_t at)
{
    print_head(f->out, 1, start, size, priority, kind);
    g_string_append(f->out, name);
    if (at)
        g_string_append_printf(f->out, " @%016" G_GINT64_MODIFIER "x", at);
    g_string_append_c(f->out, '\n');
    f->end = start + size;
}

/* Ports that nobody has are the root's. */
static void print_hole(Flat *f, uint64_t end)
{
    if (!f->as->ram && f->end < end)
        print_line(f, f->end, end - f->end, 0, "i/o", f->as->root->name, f->end);
}

static void print_stretch(Flat *f, uint64_t start, uint64_t size, int priority, const char *kind,
                          const char *name, uint64_t at)
{
    print_hole(f, start);
    print_line(f, start, size, priority, kind, name, at);
}

/* The one in front at @at, and where that changes next. */
static const MemPart *part_at(const MemPart *parts, uint64_t at, uint64_t *end)
{
    const MemPart *found = NULL;

    for (const MemPart *p = parts; p->size; p++) {
        uint64_t last = (uint64_t)p->start + p->size;

        if (at < p->start)
            *end = MIN(*end, p->start);
        else if (at < last && (!found || p->priority >= found->priority))
            found = p;
        if (at < last)
            *end = MIN(*end, last);
    }
    return found;
}

static void print_range_parts(Flat *f, const FlatRange *range)
{
    const MemRegion *r = range->region;
    uint64_t at = range->region_start, stop = at + range->size, next;

    for (; at < stop; at = next) {
        uint64_t start = range->start + at - range->region_start;
        const MemPart *p;

        next = stop;
        p = part_at(r->parts, at, &next);
        if (p)
            print_stretch(f, start, next - at, (r->is_around ? 0 : r->priority) + p->priority,
                          "i/o", p->name, at - p->start);
        else if (r->is_around)
            print_stretch(f, start, next - at, r->priority, "i/o", r->name, at);
    }
}

static uint64_t ram_at(const FlatRange *range)
{
    return range->region->ram_start + range->region_start;
}

/* Parts of the same memory, one behind the other, are one stretch. */
static bool continues(const FlatRange *a, const FlatRange *b)
{
    return a->region->kind == b->region->kind && shows_part(a->region) && shows_part(b->region) &&
           a->region->ram == b->region->ram && a->start + a->size == b->start &&
           ram_at(a) + a->size == ram_at(b);
}

/* Returns how many ranges that were. */
static size_t print_range(Flat *f, size_t i)
{
    const FlatRange *first = &f->as->ranges[i], *last = first;
    const MemRegion *r = first->region;
    bool part = shows_part(r);

    if (r->parts) {
        print_range_parts(f, first);
        return 1;
    }
    while (++i < f->as->count && continues(last, &f->as->ranges[i]))
        last++;
    print_stretch(f, first->start, last->start + last->size - first->start, part ? 0 : r->priority,
                  kind_name(r), part ? r->ram->name : r->name,
                  part ? ram_at(first) : first->region_start);
    return last - first + 1;
}

void address_space_print_flat(AddressSpace *as, const char *const *names, GString *out)
{
    const char *const own[] = { as->name, NULL };
    Flat f = { as, out, 0 };

    for (names = names ? names : own; *names; names++)
        g_string_append_printf(out, " AS \"%s\", root: %s\n", *names, as->root->name);
    g_string_append_printf(out, " Root memory region: %s\n", as->root->name);
    for (size_t i = 0; i < as->count; i += print_range(&f, i))
        continue;
    print_hole(&f, as->root->size);
    g_string_append_c(out, '\n');
}
