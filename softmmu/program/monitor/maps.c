/* SPDX-License-Identifier: MIT */
/* Topics of `info` about where memory is, laid out as QEMU 7.2 does. */
#include <inttypes.h>
#include <string.h>

#include "softmmu/program/monitor/internal.h"

/* Names of the address spaces of all CPUs there are, behind @first (NULL: none); free both. */
static char **space_names(Monitor *mon, const char *kind, const char *first, bool first_is_last)
{
    GPtrArray *names = g_ptr_array_new();

    if (first && !first_is_last)
        g_ptr_array_add(names, g_strdup(first));
    for (unsigned n = 0; n < mon->cpus.count(mon->cpus.opaque); n++)
        if (machine_has_cpu(mon->m, n))
            g_ptr_array_add(names, g_strdup_printf("cpu-%s-%u", kind, n));
    if (first && first_is_last)
        g_ptr_array_add(names, g_strdup(first));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static void print_flat(Monitor *mon, GString *out)
{
    g_auto(GStrv) memory = space_names(mon, "memory", "memory", false);
    g_auto(GStrv) smm = space_names(mon, "smm", NULL, false);

    g_string_append(out, "FlatView #0\n");
    address_space_print_flat(mon->m->io, NULL, out);
    g_string_append(out, "FlatView #1\n");
    address_space_print_flat(mon->m->memory, (const char *const *)memory, out);
    if (mon->m->smm_memory && *smm) {
        g_string_append(out, "FlatView #2\n");
        address_space_print_flat(mon->m->smm_memory, (const char *const *)smm, out);
    }
    g_string_append_c(out, '\n');
}

static void print_trees(Monitor *mon, bool disabled, GString *out)
{
    g_auto(GStrv) memory = space_names(mon, "memory", "memory", true);
    g_auto(GStrv) smm = space_names(mon, "smm", NULL, false);
    MemPrint p = { .out = out, .disabled = disabled };

    address_space_print(mon->m->memory, (const char *const *)memory, &p);
    address_space_print(mon->m->io, NULL, &p);
    if (mon->m->smm_memory && *smm)
        address_space_print(mon->m->smm_memory, (const char *const *)smm, &p);
    memory_print_named(&p);
    g_string_append_c(out, '\n');
}

void monitor_info_mtree(Monitor *mon, const char *args, GString *out)
{
    if (strstr(args, "-f"))
        print_flat(mon, out);
    else
        print_trees(mon, strstr(args, "-D"), out);
}

static gint larger_first(gconstpointer a, gconstpointer b)
{
    const RamBlock *x = *(RamBlock *const *)a, *y = *(RamBlock *const *)b;

    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->ram_offset < y->ram_offset ? -1 : 1;
}

/* That of a PCI function's tells it from its like by its place, not by a number. */
static char *shown_name(const RamBlock *b)
{
    size_t len = strlen(b->name), digits = len;

    while (digits && g_ascii_isdigit(b->name[digits - 1]))
        digits--;
    if (digits && digits < len && b->name[digits - 1] == '.')
        len = digits - 1;
    return b->place ? g_strdup_printf("%s/%.*s", b->place, (int)len, b->name) : g_strdup(b->name);
}

void monitor_info_ramblock(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GPtrArray) blocks =
        g_ptr_array_copy((GPtrArray *)ram_set_blocks(mon->m->ram), NULL, NULL);

    g_ptr_array_sort(blocks, larger_first);
    g_string_append_printf(out, "%24s %8s  %18s %18s %18s\n", "Block Name", "PSize", "Offset",
                           "Used", "Total");
    for (unsigned i = 0; i < blocks->len; i++) {
        const RamBlock *b = blocks->pdata[i];
        g_autofree char *name = shown_name(b);

        g_string_append_printf(out,
                               "%24s %8s  0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 "\n",
                               name, "4 KiB", b->ram_offset, b->size, b->size);
    }
}
