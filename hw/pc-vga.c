/* SPDX-License-Identifier: MIT */
/* The adapters that -vga and -device ask for: one row per model. */
#include "hw/cirrus.h"
#include "hw/pc-internal.h"
#include "hw/vga.h"
#include "softmmu/error.h"

typedef struct Adapter {
    const char *vga;            /* -vga; NULL: by -device alone */
    const DeviceClass *klass;   /* -device has its name */
    const char *rom;            /* NULL: none */
    unsigned vram_mib, max_mib; /* the same: it cannot be chosen */
} Adapter;

static const Adapter adapters[] = {
    { "std", &vga_class, "vgabios-stdvga.bin", 16, 256 },
    { "cirrus", &cirrus_class, "vgabios-cirrus.bin", 4, 4 },
    { NULL, &secondary_vga_class, NULL, 16, 256 },
    { NULL, &bochs_display_class, "vgabios-bochs-display.bin", 16, 256 },
};

static bool make(PcBoard *b, const Adapter *a, int devfn, uint64_t vram_mib, GError **error)
{
    VgaWiring w = { .ports = &b->m->io_root, .memory = b->pci_memory, .display = b->m->display };
    unsigned n = b->adapters++;
    g_autofree char *vram = n ? g_strdup_printf("vga.vram.%u", n) : g_strdup("vga.vram");
    g_autofree char *rom = n ? g_strdup_printf("vga.rom.%u", n) : g_strdup("vga.rom");

    if (a->rom) {
        w.rom = pc_load_rom(b, a->rom, rom, error);
        if (!w.rom)
            return false;
    }
    w.vram = ram_block_new(b->m->ram, vram, vram_mib << 20, error);
    if (!w.vram)
        return false;
    if (a->klass == &cirrus_class)
        cirrus_new(b->pci, devfn, &w);
    else
        vga_new(a->klass, b->pci, devfn, &w);
    return true;
}

/* VGA at 00:02.0, with the BIOS of the firmware package in its ROM. */
bool pc_create_vga(PcBoard *b, GError **error)
{
    const char *kind = b->m->config->vga ? b->m->config->vga : "std";

    if (g_str_equal(kind, "none"))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(adapters); i++)
        if (adapters[i].vga && g_str_equal(adapters[i].vga, kind)) {
            b->has_vga = true;
            return make(b, &adapters[i], PCI_DEVFN(2, 0), adapters[i].vram_mib, error);
        }
    error_set(error, "-vga %s: unknown adapter; std, cirrus and none are supported", kind);
    return false;
}

/* Ports and window of a VGA are there once. */
static bool check_single(PcBoard *b, const Adapter *a, GError **error)
{
    if (!a->vga)
        return true;
    if (b->has_vga) {
        error_set(error, "there is a VGA already (-vga none leaves it out)");
        return false;
    }
    b->has_vga = true;
    return true;
}

bool pc_create_vga_device(PcBoard *b, const DeviceOption *o, GError **error)
{
    const Adapter *a = adapters;
    uint64_t mib;
    int devfn;

    while (!g_str_equal(a->klass->name, o->driver))
        a++;
    if (!pc_get_number(o, "vgamem_mb", a->max_mib, a->vram_mib, &mib, error) ||
        !pc_device_slot(o, &devfn, error) || !check_single(b, a, error))
        return false;
    if (!mib || (mib & (mib - 1))) {
        error_set(error, "vgamem_mb=%" G_GUINT64_FORMAT " is not a power of two", mib);
        return false;
    }
    return make(b, a, devfn, mib, error);
}
