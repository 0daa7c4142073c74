/* SPDX-License-Identifier: MIT */
/* The board's flash: firmware in the first, from 4 GiB down, its variables in the second, below. */
#include <string.h>

#include "hw/firmware.h"
#include "hw/pc-internal.h"
#include "hw/pflash.h"
#include "softmmu/error.h"

#define UNITS    2
#define MAX_SIZE 0x800000 /* of all, unless -machine max-fw-size= says otherwise */
#define FOUR_GIB 0x100000000ULL

/* Those of the command line by unit. */
static bool find_units(const PcBoard *b, const DriveOption *units[UNITS], GError **error)
{
    const GPtrArray *options = b->m->config->drives;

    for (guint i = 0; options && i < options->len; i++) {
        const DriveOption *o = options->pdata[i];
        int n = o->unit >= 0 ? o->unit + 2 * MAX(o->bus, 0) : units[0] ? 1 : 0;

        if (o->interface != DRIVE_IF_PFLASH)
            continue;
        if (n >= UNITS || units[n]) {
            error_set(error, "flash '%s': units 0 and 1 are there, once each", o->file);
            return false;
        }
        units[n] = o;
    }
    return true;
}

bool pc_has_flash(const PcBoard *b)
{
    const GPtrArray *options = b->m->config->drives;

    for (guint i = 0; options && i < options->len; i++) {
        if (((const DriveOption *)options->pdata[i])->interface == DRIVE_IF_PFLASH)
            return true;
    }
    return false;
}

/* Contents come through the set of files that a recording has; NULL with @error. */
static GBytes *read_image(PcBoard *b, const DriveOption *o, Image *image, GError **error)
{
    HostFiles *files = b->m->config->files;
    g_autofree char *name = g_strconcat("flash ", o->file, NULL);
    GBytes *bytes;
    uint8_t *data;
    int code;

    if (host_files_find(files, name, &bytes, error))
        return bytes;
    data = g_malloc(image_size(image));
    code = image_read(image, 0, data, image_size(image));
    bytes = g_bytes_new_take(data, image_size(image));
    if (code) {
        error_set(error, "cannot read flash '%s': %s", o->file, g_strerror(code));
        g_clear_pointer(&bytes, g_bytes_unref);
    } else {
        host_files_add(files, name, bytes);
    }
    return bytes;
}

static Image *open_image(const DriveOption *o, GError **error)
{
    ImageOpen how = { .path = o->file,
                      .format = o->format,
                      .read_only = o->read_only || o->snapshot };
    Image *image = image_open(&how, error);

    return image && o->snapshot && !o->read_only ? image_open_overlay(image, error) : image;
}

static bool check_size(const PcBoard *b, const DriveOption *o, gsize size, uint64_t top,
                       GError **error)
{
    const MachineConfig *c = b->m->config;
    uint64_t most = c->max_flash_size ? c->max_flash_size : MAX_SIZE;

    if (size && size % PFLASH_BLOCK == 0 && size + (FOUR_GIB - top) <= most)
        return true;
    error_set(error,
              "flash '%s' has a bad size: %" G_GSIZE_FORMAT
              " bytes, must be a multiple of %u, and all flash together up to %" G_GUINT64_FORMAT,
              o->file, size, PFLASH_BLOCK, most);
    return false;
}

/* @top is where it ends, and then where it begins. */
static bool place_unit(PcBoard *b, const DriveOption *o, Image *image, uint64_t *top,
                       GError **error)
{
    g_autoptr(GBytes) bytes = read_image(b, o, image, error);
    g_autofree char *name = NULL;
    RamBlock *ram;
    Device *flash;
    gsize size;

    if (!bytes) {
        image_close(image);
        return false;
    }
    size = g_bytes_get_size(bytes);
    name = g_strdup_printf("flash%u", *top == FOUR_GIB ? 0 : 1);
    if (!check_size(b, o, size, *top, error) ||
        !(ram = ram_block_new(b->m->ram, name, size, error))) {
        image_close(image);
        return false;
    }
    memcpy(ram->host, g_bytes_get_data(bytes, NULL), size);
    flash = pflash_new(&b->dev, ram, image, o->read_only);
    *top -= size;
    memory_add(b->pci_memory, *top, 0, pflash_region(flash));
    if (*top + size == FOUR_GIB)
        pc_place_isa_bios(b, pflash_region(flash));
    return device_realize(flash, error);
}

bool pc_place_flash(PcBoard *b, GError **error)
{
    const DriveOption *units[UNITS] = { NULL };
    uint64_t top = FOUR_GIB;

    if (!find_units(b, units, error))
        return false;
    if (!units[0] || b->m->config->bios) {
        error_set(error, b->m->config->bios ? "-bios and firmware in flash exclude each other"
                                            : "flash without firmware: unit 0 is missing");
        return false;
    }
    for (unsigned n = 0; n < UNITS && units[n]; n++) {
        Image *image = NULL;

        if (!b->m->config->replaying && !(image = open_image(units[n], error)))
            return false;
        if (!place_unit(b, units[n], image, &top, error))
            return false;
    }
    return true;
}
