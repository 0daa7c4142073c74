/* SPDX-License-Identifier: MIT */
/*
 * `info mem` and `info tlb`: what the page tables of a CPU map, line by line as QEMU prints it.
 * SDM vol. 3, chapter 4. Only what is present is followed; tables are read as physical memory.
 */
#include <inttypes.h>

#include "accel/cpu.h"
#include "softmmu/memory.h"
#include "target-i386/cpu.h"
#include "target-i386/print.h"

enum { P = 1, W = 2, U = 4, PWT = 8, PCD = 16, A = 32, D = 64, PS = 128, G = 256 };
#define NX        (UINT64_C(1) << 63)
#define FRAME     UINT64_C(0x000ffffffffff000)
#define MAX_LINES (1u << 20)

/* How the tables of a mode are: from the first table on. */
typedef struct Level {
    uint8_t shift; /* of addresses, by which an entry is chosen */
    uint16_t entries;
    bool may_map;    /* PS makes it a page */
    bool has_rights; /* U and W count */
} Level;

static const Level levels_32[] = { { 22, 1024, true, true }, { 12, 1024, true, true } };
static const Level levels_pae[] = { { 30, 4, false, false },
                                    { 21, 512, true, true },
                                    { 12, 512, true, true } };
static const Level levels_64[] = { { 48, 512, false, true },
                                   { 39, 512, false, true },
                                   { 30, 512, true, true },
                                   { 21, 512, true, true },
                                   { 12, 512, true, true } };

typedef struct Walk {
    CpuX86 *c;
    GString *out;
    const Level *levels;
    unsigned count, entry_bytes, address_bits;
    void (*page)(struct Walk *w, uint64_t addr, uint64_t entry, unsigned rights, const Level *l);
    unsigned lines;
    /* info mem: a run of pages with the same rights */
    uint64_t start;
    unsigned rights;
} Walk;

/* As the CPU spells an address: bits above those that are translated repeat the topmost. */
static uint64_t spell(const Walk *w, uint64_t addr)
{
    unsigned unused = 64 - w->address_bits;

    return w->address_bits <= 32 ? addr : (uint64_t)((int64_t)(addr << unused) >> unused);
}

static void print_page(Walk *w, uint64_t addr, uint64_t entry, unsigned rights, const Level *l)
{
    static const struct {
        uint64_t bit;
        char letter;
    } flags[] = { { NX, 'X' },  { G, 'G' },   { PS, 'P' }, { D, 'D' }, { A, 'A' },
                  { PCD, 'C' }, { PWT, 'T' }, { U, 'U' },  { W, 'W' } };
    uint64_t frame = entry & FRAME & ~((UINT64_C(1) << l->shift) - 1);

    if (!(rights & P) || w->lines++ >= MAX_LINES)
        return;
    g_string_append_printf(w->out, "%016" PRIx64 ": %016" PRIx64 " ", spell(w, addr), frame);
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        g_string_append_c(w->out, entry & flags[i].bit ? flags[i].letter : '-');
    g_string_append_c(w->out, '\n');
}

/* From @addr on there are other rights. */
static void note_rights(Walk *w, uint64_t addr, uint64_t entry, unsigned rights, const Level *l)
{
    if (rights == w->rights)
        return;
    if (w->rights && w->lines++ < MAX_LINES)
        g_string_append_printf(w->out, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c\n",
                               spell(w, w->start), spell(w, addr), addr - w->start,
                               w->rights & U ? 'u' : '-', w->rights & W ? 'w' : '-');
    w->start = addr;
    w->rights = rights;
}

static uint64_t read_entry(const Walk *w, uint64_t table, unsigned n)
{
    return address_space_read(cpu_common(&w->c->cpu)->memory, table + (uint64_t)n * w->entry_bytes,
                              w->entry_bytes);
}

static void walk(Walk *w, unsigned depth, uint64_t table, uint64_t base, unsigned rights)
{
    const Level *l = &w->levels[depth];

    for (unsigned n = 0; n < l->entries; n++) {
        uint64_t entry = read_entry(w, table, n), addr = base + ((uint64_t)n << l->shift);
        unsigned own = l->has_rights ? entry & (P | U | W) : (entry & P) | U | W;
        bool last = depth + 1 == w->count;
        bool maps =
            last || (l->may_map && (entry & PS) && (w->entry_bytes == 8 || (w->c->cr4 & CR4_PSE)));

        if (!(entry & P))
            w->page(w, addr, 0, 0, l);
        else if (maps)
            w->page(w, addr, entry, own & rights, l);
        else
            walk(w, depth + 1, entry & (w->entry_bytes == 8 ? FRAME : 0xfffff000u), addr,
                 own & rights);
    }
}

static void walk_all(CpuX86 *c, Walk *w)
{
    bool wide = c->efer & EFER_LMA, pae = c->cr4 & CR4_PAE, five = wide && (c->cr4 & CR4_LA57);

    w->c = c;
    w->entry_bytes = wide || pae ? 8 : 4;
    w->address_bits = five ? 57 : wide ? 48 : 32;
    w->levels = five ? levels_64 : wide ? levels_64 + 1 : pae ? levels_pae : levels_32;
    w->count = five ? 5 : wide ? 4 : pae ? 3 : 2;
    walk(w, 0, c->cr3 & (wide ? FRAME : pae ? 0xffffffe0u : 0xfffff000u), 0, P | W | U);
}

static bool is_off(const CpuX86 *c, GString *out)
{
    if (!(c->cr0 & CR0_PG))
        g_string_append(out, "PG disabled\n");
    return !(c->cr0 & CR0_PG);
}

void x86_print_tlb(CpuX86 *c, GString *out)
{
    Walk w = { .out = out, .page = print_page };

    if (!is_off(c, out))
        walk_all(c, &w);
}

void x86_print_mem(CpuX86 *c, GString *out)
{
    Walk w = { .out = out, .page = note_rights };

    if (is_off(c, out))
        return;
    walk_all(c, &w);
    note_rights(&w, UINT64_C(1) << w.address_bits, 0, 0, NULL);
}
