/* SPDX-License-Identifier: MIT */
#include "entries.h"

#include <glib.h>
#include <string.h>

#include "target-i386/gen.h"

static Entry *entries;
static unsigned count, room;
static GHashTable *numbers; /* key of an entry -> number + 1 */

/* A table may be reached from several opcodes. */
static gpointer key_of(const InsnDesc *d, bool vex, unsigned map, unsigned opcode)
{
    return (gpointer)((uintptr_t)d << 12 | (uintptr_t)vex << 10 | map << 8 | opcode);
}

static void add(const Entry *e)
{
    gpointer key = key_of(e->desc, e->vex, e->map, e->opcode);
    if (g_hash_table_contains(numbers, key))
        return;
    if (count == room) {
        room = room ? room * 2 : 1024;
        entries = g_renew(Entry, entries, room);
    }
    entries[count++] = *e;
    g_hash_table_insert(numbers, key, GUINT_TO_POINTER(count));
}

static void walk(Entry e, const InsnDesc *row);

static void choose(Entry e, const InsnDesc *row, unsigned n)
{
    static const char *const prefixes[] = { "np", "66", "f3", "f2" };
    static const char *const sizes[] = { "o16", "o32", "o64" };
    g_autofree char *part = NULL;
    switch ((GroupKind)row->group) {
    case GROUP_NONE: break;
    case GROUP_REG:
        e.reg = (int8_t)n;
        part = g_strdup_printf("/%u", n);
        break;
    case GROUP_RM:
        e.rm = (int8_t)n;
        part = g_strdup_printf("rm%u", n);
        break;
    case GROUP_MODRM:
        e.reg = (int8_t)(n >> 3);
        e.rm = (int8_t)(n & 7);
        part = g_strdup_printf("%02x", 0xc0 | n);
        break;
    case GROUP_MOD:
        e.mod = (int8_t)n;
        part = g_strdup(n ? "reg" : "mem");
        break;
    case GROUP_PREFIX:
        e.prefix = (int8_t)n;
        part = g_strdup(prefixes[n]);
        break;
    case GROUP_64:
        e.is64 = (int8_t)n;
        part = g_strdup(n ? "64" : "not64");
        break;
    case GROUP_OSIZE:
        e.osize = (int8_t)n;
        part = g_strdup(sizes[n]);
        break;
    case GROUP_REXW:
    case GROUP_VEXW:
        e.w = (int8_t)n;
        part = g_strdup_printf("w%u", n);
        break;
    case GROUP_VEXL:
        e.l = (int8_t)n;
        part = g_strdup_printf("l%u", n);
        break;
    }
    g_strlcat(e.id, ".", sizeof(e.id));
    g_strlcat(e.id, part, sizeof(e.id));
    walk(e, &row->table[n]);
}

static void walk(Entry e, const InsnDesc *row)
{
    static const uint8_t size[] = {
        [GROUP_REG] = 8,    [GROUP_RM] = 8,  [GROUP_MOD] = 2,   [GROUP_PREFIX] = 4,
        [GROUP_MODRM] = 64, [GROUP_64] = 2,  [GROUP_OSIZE] = 3, [GROUP_REXW] = 2,
        [GROUP_VEXW] = 2,   [GROUP_VEXL] = 2
    };
    if (row->group) {
        for (unsigned n = 0; n < size[row->group]; n++)
            choose(e, row, n);
    } else if (row->gen) {
        e.desc = row;
        add(&e);
    }
}

static void walk_map(const InsnDesc *rows, unsigned first, unsigned n, unsigned map, bool vex)
{
    static const char *const names[] = { "", "0f ", "0f38 ", "0f3a " };
    for (unsigned k = 0; k < n; k++) {
        Entry e = { .vex = vex,
                    .map = (uint8_t)map,
                    .opcode = (uint8_t)(first + k),
                    .prefix = -1,
                    .mod = -1,
                    .reg = -1,
                    .rm = -1,
                    .osize = -1,
                    .w = -1,
                    .l = -1,
                    .is64 = -1 };
        g_snprintf(e.id, sizeof(e.id), "%s%s%02x", vex ? "vex " : "", names[map], first + k);
        walk(e, &rows[k]);
    }
}

static void collect(void)
{
    if (numbers)
        return;
    numbers = g_hash_table_new(NULL, NULL);
    walk_map(opmap_1byte, 0, 256, 0, false);
    walk_map(opmap_x87, 0xd8, 8, 0, false);
    walk_map(opmap_0f, 0, 256, 1, false);
    walk_map(opmap_sse_0f, 0, 256, 1, false);
    walk_map(opmap_0f38, 0, 256, 2, false);
    walk_map(opmap_sse_0f38, 0, 256, 2, false);
    walk_map(opmap_0f3a, 0, 256, 3, false);
    walk_map(opmap_sse_0f3a, 0, 256, 3, false);
    walk_map(opmap_vex_0f, 0, 256, 1, true);
    walk_map(opmap_vex_0f38, 0, 256, 2, true);
    walk_map(opmap_vex_0f3a, 0, 256, 3, true);
}

unsigned entry_count(void)
{
    collect();
    return count;
}

const Entry *entry_at(unsigned n)
{
    collect();
    g_assert(n < count);
    return &entries[n];
}

unsigned entry_of(const Insn *i)
{
    collect();
    unsigned n =
        GPOINTER_TO_UINT(g_hash_table_lookup(numbers, key_of(i->desc, i->vex, i->map, i->opcode)));
    g_assert(n);
    return n - 1;
}

typedef struct Reason {
    GenFn *gen;
    const char *text;
} Reason;

static const char *reason_of(const Reason *list, unsigned n, const InsnDesc *d)
{
    for (unsigned k = 0; k < n; k++) {
        if (list[k].gen == d->gen)
            return list[k].text;
    }
    return NULL;
}

/* Beside the rows that say A_CPL0. */
static const Reason privileged[] = {
    { gen_cli, "by IOPL" },
    { gen_sti, "by IOPL" },
    { gen_in, "by IOPL" },
    { gen_out, "by IOPL" },
    { gen_ins, "by IOPL" },
    { gen_outs, "by IOPL" },
    { gen_rdpmc, "by CR4.PCE" },
    { gen_stac, "system" },
    { gen_clac, "system" },
    { gen_rsm, "system management mode" },
    { gen_monitor, "#UD above CPL 0" },
    { gen_mwait, "#UD above CPL 0" },
    { gen_rdpkru, "by CR4.PKE" },
    { gen_wrpkru, "by CR4.PKE" },
    { gen_cpuid, "test-cpuid" },
    { gen_syscall, "system call" },
    { gen_sysenter, "system call" },
};

const char *entry_is_privileged(const Entry *e)
{
    if (e->desc->attr & A_CPL0)
        return "privileged";
    return reason_of(privileged, G_N_ELEMENTS(privileged), e->desc);
}

static const Reason host_specific[] = {
    { gen_rdpid, "tells of the processor" },
    { gen_rdtsc, "time" },
    { gen_rdtscp, "time" },
    { gen_rdrand, "random" },
    { gen_rdseed, "random" },
    { gen_int1, "hypervisors report it as a fault" },
    { gen_sgdt, "the kernel's tables, or its emulation of UMIP" },
    { gen_sidt, "the kernel's tables, or its emulation of UMIP" },
    { gen_sldt, "the kernel's tables, or its emulation of UMIP" },
    { gen_str, "the kernel's tables, or its emulation of UMIP" },
    { gen_smsw, "the kernel's CR0, or its emulation of UMIP" },
};

const char *entry_is_host_specific(const Entry *e)
{
    return reason_of(host_specific, G_N_ELEMENTS(host_specific), e->desc);
}
