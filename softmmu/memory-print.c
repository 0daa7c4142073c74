/* SPDX-License-Identifier: MIT */
/* `info mtree`: the tree by address, and the flat view as it is used. */
#include "softmmu/memory.h"

#include <string.h>

#include "softmmu/memory-internal.h"

#define SPAN_FORMAT "%016" G_GINT64_MODIFIER "x-%016" G_GINT64_MODIFIER "x"

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
    return (r->kind == MEM_RAM || r->kind == MEM_ROM) && strcmp(r->name, r->ram->name);
}

static void print_tree(const MemRegion *r, uint64_t base, unsigned depth, GString *out)
{
    uint64_t start = base + r->addr;
    g_autoptr(GPtrArray) sorted = NULL;

    g_string_append_printf(out, "%*s" SPAN_FORMAT " (prio %d, %s): ", 2 * depth, "", start,
                           start + r->size - 1, r->priority, kind_name(r));
    if (r->kind == MEM_ALIAS && r->target)
        g_string_append_printf(out, "alias %s @%s " SPAN_FORMAT, r->name, r->target->name,
                               r->target_start, r->target_start + r->size - 1);
    else if (shows_part(r))
        g_string_append_printf(out, "alias %s @%s " SPAN_FORMAT, r->name, r->ram->name,
                               r->ram_start, r->ram_start + r->size - 1);
    else
        g_string_append(out, r->name);
    g_string_append(out, r->enabled ? "\n" : " [disabled]\n");
    if (!r->children)
        return;
    sorted = g_ptr_array_copy(r->children, NULL, NULL);
    g_ptr_array_sort(sorted, compare_places);
    for (unsigned i = 0; i < sorted->len; i++)
        print_tree(sorted->pdata[i], start, depth + 1, out);
}

static void print_flat(const AddressSpace *as, GString *out)
{
    g_string_append_printf(out, " AS \"%s\", root: %s\n Root memory region: %s\n", as->name,
                           as->root->name, as->root->name);
    for (size_t i = 0; i < as->count; i++) {
        const FlatRange *range = &as->ranges[i];
        const MemRegion *r = range->region;
        bool part = shows_part(r);
        uint64_t at = range->region_start + (part ? r->ram_start : 0);

        g_string_append_printf(out, "  " SPAN_FORMAT " (prio %d, %s): %s", range->start,
                               range->start + range->size - 1, range->region->priority,
                               kind_name(r), part ? r->ram->name : r->name);
        if (at)
            g_string_append_printf(out, " @%016" G_GINT64_MODIFIER "x", at);
        g_string_append_c(out, '\n');
    }
    g_string_append_c(out, '\n');
}

void address_space_print(AddressSpace *as, GString *out, bool flat)
{
    if (flat) {
        print_flat(as, out);
        return;
    }
    g_string_append_printf(out, "address-space: %s\n", as->name);
    print_tree(as->root, 0, 1, out);
    g_string_append_c(out, '\n');
}
