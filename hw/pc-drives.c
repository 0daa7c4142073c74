/* SPDX-License-Identifier: MIT */
/*
 * Disks of the board: opens the images that the command line names and connects them to IDE
 * channels and virtio devices. A replay opens nothing: it has sizes from its recording, and
 * contents as they are read.
 */
#include <string.h>

#include "hw/pc-internal.h"
#include "hw/pc.h"
#include "hw/piix3-ide.h"
#include "hw/virtio-blk.h"
#include "softmmu/error.h"

#define FACTS_BYTES 9 /* of an image, in a recording: u64 size, u8 read-only */

static char *facts_name(const DriveOption *o)
{
    return g_strconcat("size of ", o->file, NULL);
}

static void keep_facts(const PcBoard *b, const DriveOption *o, const DriveWiring *w)
{
    g_autofree char *name = facts_name(o);
    uint8_t facts[FACTS_BYTES];
    g_autoptr(GBytes) bytes = NULL;

    for (unsigned i = 0; i < 8; i++)
        facts[i] = w->size >> 8 * i;
    facts[8] = w->read_only;
    bytes = g_bytes_new(facts, sizeof(facts));
    host_files_add(b->m->config->files, name, bytes);
}

static bool recall_facts(const PcBoard *b, const DriveOption *o, DriveWiring *w, GError **error)
{
    g_autofree char *name = facts_name(o);
    g_autoptr(GBytes) bytes = NULL;
    const uint8_t *facts;
    size_t len;

    if (!host_files_find(b->m->config->files, name, &bytes, error) || !bytes)
        return false;
    facts = g_bytes_get_data(bytes, &len);
    if (len != FACTS_BYTES) {
        error_set(error, "the recording says nothing of the size of '%s'", o->file);
        return false;
    }
    for (unsigned i = 0; i < 8; i++)
        w->size |= (uint64_t)facts[i] << 8 * i;
    w->size &= ~(uint64_t)(DRIVE_SECTOR - 1);
    w->read_only = facts[8];
    return true;
}

static bool open_image(const PcBoard *b, const DriveOption *o, DriveWiring *w, GError **error)
{
    ImageOpen how = { .path = o->file,
                      .format = o->format,
                      .discard = o->discard,
                      .read_only = o->read_only || o->cdrom || o->snapshot };

    if (b->m->config->replaying)
        return recall_facts(b, o, w, error);
    w->image = image_open(&how, error);
    if (w->image && o->snapshot && !o->cdrom && !o->read_only)
        w->image = image_open_overlay(w->image, error);
    if (!w->image)
        return false;
    w->size = image_size(w->image);
    w->read_only = image_is_read_only(w->image);
    keep_facts(b, o, w);
    return true;
}

/* ---- Places ---------------------------------------------------------------------------------- */

static bool is_free(const PcBoard *b, unsigned bus, unsigned unit)
{
    return !ide_has_unit(piix3_ide_channel(b->ide, bus), unit);
}

/* The first free place that fits what was asked for. */
static bool find_place(const PcBoard *b, const DriveOption *o, unsigned *bus, unsigned *unit,
                       GError **error)
{
    for (unsigned place = 0; place < 4; place++) {
        *bus = place / 2;
        *unit = place % 2;
        if ((o->bus < 0 || o->bus == (int)*bus) && (o->unit < 0 || o->unit == (int)*unit) &&
            is_free(b, *bus, *unit))
            return true;
    }
    if (o->bus >= 0 && o->unit >= 0)
        error_set(error, "drive with bus=%d, unit=%d (index=%d) exists", o->bus, o->unit,
                  2 * o->bus + o->unit);
    else
        error_set(error, "no place left for '%s': the IDE channels have four", o->file);
    return false;
}

static bool is_known(const PcBoard *b, const char *id)
{
    const GPtrArray *children = b->dev.children;

    for (guint i = 0; i < children->len; i++) {
        const Device *d = children->pdata[i];

        if (d->klass == &drive_class && !strcmp(d->id, id))
            return true;
    }
    return false;
}

/* @id is for one whose user gave none. */
static Drive *make_drive(PcBoard *b, const DriveOption *o, const char *id, GError **error)
{
    const Machine *m = b->m;
    DriveWiring w = { .clock = m->clock,
                      .input = m->input,
                      .counted = m->config->icount_shift >= 0 };

    if (is_known(b, o->id ? o->id : id)) {
        error_set(error, "there is another drive with id '%s'", o->id ? o->id : id);
        return NULL;
    }
    return open_image(b, o, &w, error) ? drive_new(&b->dev, o->id ? o->id : id, &w) : NULL;
}

static bool attach_ide(PcBoard *b, const DriveOption *o, GError **error)
{
    g_autofree char *id = NULL, *serial = NULL;
    unsigned bus, unit;
    Drive *drive;

    if (!find_place(b, o, &bus, &unit, error))
        return false;
    id = g_strdup_printf("ide%u-%s%u", bus, o->cdrom ? "cd" : "hd", unit);
    serial = g_strdup_printf("QM%05u", 2 * bus + unit + 1);
    drive = make_drive(b, o, id, error);
    if (!drive)
        return false;
    ide_attach(piix3_ide_channel(b->ide, bus), unit, drive, o->cdrom,
               o->serial ? o->serial : serial);
    return true;
}

static bool attach_virtio(PcBoard *b, const DriveOption *o, int devfn, GError **error)
{
    g_autofree char *id = g_strdup_printf("virtio%u", b->virtio_disks++);
    Drive *drive = make_drive(b, o, id, error);

    if (drive)
        virtio_blk_new(b->pci, devfn, b->m->memory, drive, o->serial ? o->serial : "");
    return drive != NULL;
}

/* ---- For pc.c and pc-options.c --------------------------------------------------------------- */

bool pc_create_drives(PcBoard *b, GError **error)
{
    const GPtrArray *options = b->m->config->drives;

    for (guint i = 0; options && i < options->len; i++) {
        const DriveOption *o = options->pdata[i];

        if ((o->interface == DRIVE_IF_IDE && !attach_ide(b, o, error)) ||
            (o->interface == DRIVE_IF_VIRTIO && !attach_virtio(b, o, -1, error)))
            return false;
    }
    return true;
}

/* "ide.1": the channel; false: no such name. */
static bool parse_bus(const char *text, int *bus)
{
    if (!g_str_has_prefix(text, "ide.") || (text[4] != '0' && text[4] != '1') || text[5])
        return false;
    *bus = text[4] - '0';
    return true;
}

static DriveOption *find_option(PcBoard *b, const char *id)
{
    const GPtrArray *options = b->m->config->drives;

    for (guint i = 0; id && options && i < options->len; i++) {
        DriveOption *o = options->pdata[i];

        if (o->interface == DRIVE_IF_NONE && o->id && !strcmp(o->id, id))
            return o;
    }
    return NULL;
}

/* The -drive that @o names, with what @o says itself; false with @error. */
static bool take_option(PcBoard *b, const DeviceOption *o, DriveOption *own, GError **error)
{
    const DriveOption *drive = find_option(b, g_hash_table_lookup(o->props, "drive"));
    char *serial = g_hash_table_lookup(o->props, "serial");

    if (!drive) {
        error_set(error, "-device %s: it needs drive=ID of a -drive with if=none", o->driver);
        return false;
    }
    *own = *drive;
    if (serial)
        own->serial = serial;
    return true;
}

bool pc_create_ide_device(PcBoard *b, const DeviceOption *o, bool cdrom, GError **error)
{
    const char *bus = g_hash_table_lookup(o->props, "bus");
    const char *unit = g_hash_table_lookup(o->props, "unit");
    DriveOption own;

    if (!take_option(b, o, &own, error))
        return false;
    own.cdrom = cdrom;
    if ((bus && !parse_bus(bus, &own.bus)) || (unit && strcmp(unit, "0") && strcmp(unit, "1"))) {
        error_set(error, "-device %s: bus is ide.0 or ide.1, unit 0 or 1", o->driver);
        return false;
    }
    if (unit)
        own.unit = unit[0] - '0';
    return attach_ide(b, &own, error);
}

bool pc_create_virtio_disk(PcBoard *b, const DeviceOption *o, GError **error)
{
    DriveOption own;
    int devfn;

    return take_option(b, o, &own, error) && pc_device_slot(o, &devfn, error) &&
           attach_virtio(b, &own, devfn, error);
}
