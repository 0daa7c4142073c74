/* SPDX-License-Identifier: MIT */
/* The adapters that -vga and -device ask for: one row per model. */
#include "hw/cirrus.h"
#include "hw/edid.h"
#include "hw/pc-internal.h"
#include "hw/vga.h"
#include "softmmu/error.h"

enum { VRAM_MIB = 16, MOST_VRAM_MIB = 256, XRES = 1280, YRES = 800 };

typedef struct Adapter {
    const char *vga;          /* -vga; NULL: by -device alone */
    const DeviceClass *klass; /* -device has its name */
    const char *rom;          /* NULL: none */
    bool is_vga;              /* it answers at the ports of one */
} Adapter;

static const Adapter adapters[] = {
    { "std", &vga_class, "vgabios-stdvga.bin", true },
    { "cirrus", &cirrus_class, "vgabios-cirrus.bin", true },
    { NULL, &isa_vga_class, "vgabios-isavga.bin", true },
    { NULL, &secondary_vga_class, NULL, false },
    { NULL, &bochs_display_class, "vgabios-bochs-display.bin", false },
};

typedef struct Choice {
    const Adapter *adapter;
    int devfn;
    uint64_t vram_mib, xres, yres;
    RomChoice rom;
} Choice;

/* Video memory is RAM of the machine, by a name of its own. */
static char *block_name(PcBoard *b, const char *base)
{
    return b->adapters ? g_strdup_printf("%s.%u", base, b->adapters) : g_strdup(base);
}

/* Firmware runs what it finds among its files as the BIOS of a VGA. */
static bool load_rom(PcBoard *b, const Choice *choice, VgaWiring *w, GError **error)
{
    const Adapter *a = choice->adapter;
    g_autofree char *block = block_name(b, "vga.rom");
    RomChoice rom = choice->rom;

    rom.usual = a->rom;
    rom.block = block;
    rom.is_vga = true;
    rom.among_files |= a->klass == &isa_vga_class;
    return pc_load_rom(b, &rom, &w->rom, error);
}

static bool make(PcBoard *b, const Choice *choice, GError **error)
{
    const Adapter *a = choice->adapter;
    VgaWiring w = { .ports = &b->m->io_root,
                    .memory = b->pci_memory,
                    .display = b->m->display,
                    .xres = choice->xres,
                    .yres = choice->yres };
    g_autofree char *vram = block_name(b, "vga.vram");

    if (!load_rom(b, choice, &w, error))
        return false;
    w.vram = ram_block_new(b->m->ram, vram, choice->vram_mib << 20, error);
    if (!w.vram)
        return false;
    b->adapters++;
    b->has_vga |= a->is_vga;
    if (a->klass == &cirrus_class)
        cirrus_new(b->pci, choice->devfn, &w);
    else if (a->klass == &isa_vga_class)
        isa_vga_new(&b->dev, &w);
    else
        vga_new(a->klass, b->pci, choice->devfn, &w);
    return true;
}

static unsigned usual_vram_mib(const Adapter *a)
{
    return a->klass == &cirrus_class ? CIRRUS_VRAM_SIZE >> 20 : VRAM_MIB;
}

/* The VGA of -vga is at 00:02.0. */
bool pc_create_vga(PcBoard *b, GError **error)
{
    const char *kind = b->m->config->vga ? b->m->config->vga : "std";
    Choice choice = { .devfn = PCI_DEVFN(2, 0), .xres = XRES, .yres = YRES };

    if (g_str_equal(kind, "none"))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(adapters); i++)
        if (adapters[i].vga && g_str_equal(adapters[i].vga, kind))
            choice.adapter = &adapters[i];
    if (!choice.adapter) {
        error_set(error, "-vga %s: unknown adapter; std, cirrus and none are supported", kind);
        return false;
    }
    choice.vram_mib = usual_vram_mib(choice.adapter);
    return make(b, &choice, error);
}

static bool get_monitor(const DeviceOption *o, Choice *choice, GError **error)
{
    bool told = true;

    if (!pc_get_number(o, "xres", EDID_MOST_PIXELS, XRES, &choice->xres, error) ||
        !pc_get_number(o, "yres", EDID_MOST_PIXELS, YRES, &choice->yres, error) ||
        !pc_get_switch(o, "edid", &told, error))
        return false;
    if (!choice->xres || !choice->yres) {
        error_set(error, "a screen has pixels");
        return false;
    }
    if (!told)
        choice->xres = choice->yres = 0;
    return true;
}

bool pc_create_vga_device(PcBoard *b, const DeviceOption *o, GError **error)
{
    Choice choice = { .adapter = adapters };

    while (!g_str_equal(choice.adapter->klass->name, o->driver))
        choice.adapter++;
    if (!pc_get_number(o, "vgamem_mb", MOST_VRAM_MIB, usual_vram_mib(choice.adapter),
                       &choice.vram_mib, error) ||
        !get_monitor(o, &choice, error) || !pc_device_slot(o, &choice.devfn, error) ||
        !pc_rom_choice(o, &choice.rom, error))
        return false;
    if (!choice.vram_mib || (choice.vram_mib & (choice.vram_mib - 1))) {
        error_set(error, "vgamem_mb=%" G_GUINT64_FORMAT " is not a power of two", choice.vram_mib);
        return false;
    }
    if (choice.adapter->is_vga && b->has_vga) {
        error_set(error, "there is a VGA already (-vga none leaves it out)");
        return false;
    }
    return make(b, &choice, error);
}
