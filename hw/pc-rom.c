/* SPDX-License-Identifier: MIT */
/*
 * Expansion ROMs of PCI functions, which firmware finds behind a BAR or, with rombar=0, among its
 * files. What comes while the machine runs has none, as firmware is past running it.
 */
#include <string.h>

#include "hw/firmware.h"
#include "hw/pc-internal.h"

#define MAX_ROM_SIZE 0x100000

static GBytes *read_rom(PcBoard *b, const char *file, GError **error)
{
    const MachineConfig *c = b->m->config;

    return firmware_load(c->files, c->data_dirs, file, 512, MAX_ROM_SIZE, error);
}

/* In a block of the next power of two, as an expansion ROM needs it. */
static RamBlock *load_block(PcBoard *b, GBytes *image, const char *block, GError **error)
{
    uint64_t rom_size = 0x1000;
    RamBlock *rom;
    gsize size;
    const void *data = g_bytes_get_data(image, &size);

    while (rom_size < size)
        rom_size *= 2;
    rom = ram_block_new(b->m->ram, block, rom_size, error);
    if (rom)
        memcpy(rom->host, data, size);
    return rom;
}

bool pc_load_rom(PcBoard *b, const RomChoice *c, RamBlock **rom, GError **error)
{
    const char *file = c->file ? c->file : c->usual;
    g_autoptr(GBytes) image = NULL;
    g_autofree char *base = NULL, *name = NULL;

    *rom = NULL;
    if (!file || !*file || b->built)
        return true;
    image = read_rom(b, file, c->file || !c->optional ? error : NULL);
    if (!image)
        return !c->file && c->optional;
    if (!c->among_files)
        return (*rom = load_block(b, image, c->block, error));
    base = g_path_get_basename(file);
    name = g_strconcat(c->is_vga ? "vgaroms/" : "genroms/", base, NULL);
    return fw_cfg_find_file(b->fw_cfg, name) || /* another card's: it is run once */
           fw_cfg_add_user_file(b->fw_cfg, name, image, error);
}

bool pc_rom_choice(const DeviceOption *o, RomChoice *c, GError **error)
{
    uint64_t bar;

    if (!pc_get_number(o, "rombar", 1, 1, &bar, error))
        return false;
    c->file = g_hash_table_lookup(o->props, "romfile");
    c->among_files = !bar;
    return true;
}
