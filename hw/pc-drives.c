/* SPDX-License-Identifier: MIT */
/*
 * Disks of the board: opens the images that the command line names and connects them to IDE
 * channels, the floppy controller and virtio devices. A replay opens nothing: it has sizes from its
 * recording, and contents as they are read.
 */
#include <string.h>

#include "hw/fdc.h"
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

static GBytes *known_facts(const Machine *m, const DriveOption *o)
{
    g_autofree char *name = facts_name(o);
    GBytes *bytes = NULL;

    host_files_find(m->config->files, name, &bytes, NULL);
    return bytes;
}

/* False: those that a recording has by now are others. */
static bool keep_facts(const PcBoard *b, const DriveOption *o, const DriveWiring *w, GError **error)
{
    g_autofree char *name = facts_name(o);
    g_autoptr(GBytes) bytes = NULL, known = known_facts(b->m, o);
    uint8_t facts[FACTS_BYTES];

    for (unsigned i = 0; i < 8; i++)
        facts[i] = w->size >> 8 * i;
    facts[8] = w->read_only;
    if (known && memcmp(g_bytes_get_data(known, NULL), facts, 8)) {
        error_set(error, "'%s' had another size when the machine was told of it", o->file);
        return false;
    }
    bytes = g_bytes_new(facts, sizeof(facts));
    host_files_add(b->m->config->files, name, bytes);
    return true;
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
    ImageOpen below[DRIVE_CHAIN], how = machine_drive_image(o, below);

    if (!o->file && !w->removable && !b->gone) {
        error_set(error, "only floppy and CD-ROM drives may be empty");
        return false;
    }
    w->path = o->file;
    if (!o->file)
        return true;
    if (w->replaying)
        return recall_facts(b, o, w, error);
    w->image = image_open(&how, error);
    if (w->image && o->snapshot && !o->cdrom && !o->read_only)
        w->image = image_open_overlay(w->image, error);
    if (!w->image)
        return false;
    w->size = image_size(w->image);
    w->read_only = image_is_read_only(w->image);
    if (keep_facts(b, o, w, error))
        return true;
    g_clear_pointer(&w->image, image_close);
    return false;
}

/* It can be opened as it says, now. A replay has none. */
static bool check_disk(const Machine *m, const DriveOption *o, GError **error)
{
    ImageOpen below[DRIVE_CHAIN], how = machine_drive_image(o, below);
    Image *image;

    if (!how.path || m->config->replaying)
        return true;
    how.read_only = how.unlocked = true;
    image = image_open(&how, error);
    image_close(image);
    return image;
}

void pc_note_disks(Machine *m)
{
    for (guint i = 0; i < m->config->drives->len; i++) {
        const DriveOption *o = m->config->drives->pdata[i];
        g_autoptr(GBytes) known = o->file ? known_facts(m, o) : NULL;
        DriveWiring w = { 0 };

        if (o->interface != DRIVE_IF_NONE || !o->file || known)
            continue;
        if (open_image(m->board.opaque, o, &w, NULL)) /* else device_add will tell */
            image_close(w.image);
    }
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
        error_set(error, "no place left for '%s': the IDE channels have four",
                  o->file ? o->file : "a CD-ROM");
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

/* The host cannot do what a drive asks it for. */
static bool hear_trouble(void *opaque, const DriveTrouble *t)
{
    static const char *const actions[] = {
        [DRIVE_REPORT] = "report", [DRIVE_IGNORE] = "ignore", [DRIVE_STOP] = "stop"
    };
    g_autofree char *why =
        g_strdup_printf("drive '%s': %s", drive_id(t->drive), g_strerror(t->error));

    machine_emit(opaque, "BLOCK_IO_ERROR",
                 "{\"device\": \"%s\", \"node-name\": \"%s\", \"operation\": \"%s\", "
                 "\"action\": \"%s\", \"nospace\": %s, \"reason\": \"%s\"}",
                 drive_id(t->drive), drive_id(t->drive), t->op == DRIVE_READ ? "read" : "write",
                 actions[t->action], t->no_room ? "true" : "false", g_strerror(t->error));
    return t->action == DRIVE_STOP && machine_request_pause(opaque, why);
}

static GBytes *save_unwritten(void *root)
{
    return drive_save_unwritten(root);
}

static void load_unwritten(void *root, GBytes *saved)
{
    drive_load_unwritten(root, saved);
}

/* But for the image. */
static DriveWiring wiring_of(const PcBoard *b, const DriveOption *o)
{
    const Machine *m = b->m;

    return (DriveWiring){ .clock = m->clock,
                          .input = m->input,
                          .for_reading = o->cdrom,
                          .removable = o->cdrom || o->interface == DRIVE_IF_FLOPPY,
                          .replaying = machine_is_replaying(m),
                          .counted = m->config->icount_shift >= 0,
                          .no_flush = o->no_flush,
                          .write_through = o->write_through,
                          .detect_zeroes = o->detect_zeroes,
                          .on_read_error = o->on_read_error,
                          .on_write_error = o->on_write_error,
                          .trouble = hear_trouble,
                          .trouble_opaque = b->m };
}

/* @id is for one whose user gave none. */
static Drive *make_drive(PcBoard *b, const DriveOption *o, const char *id, GError **error)
{
    DriveWiring w = wiring_of(b, o);
    Drive *loose = drive_find(&b->dev, o->id ? o->id : id);

    if (loose && b->built && !drive_is_connected(loose))
        return loose;
    if (is_known(b, o->id ? o->id : id)) {
        error_set(error, "there is another drive with id '%s'", o->id ? o->id : id);
        return NULL;
    }
    return open_image(b, o, &w, error) ? drive_new(&b->dev, o->id ? o->id : id, &w) : NULL;
}

/* @path: what firmware calls its place; may be NULL. */
static bool attach_ide(PcBoard *b, const DriveOption *o, const char *qdev, const IdeLabel *label,
                       char **path, GError **error)
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
    drive_set_owner(drive, qdev);
    ide_attach(piix3_ide_channel(b->ide, bus), unit, drive, o->cdrom,
               o->serial ? o->serial : serial);
    ide_label(piix3_ide_channel(b->ide, bus), unit, label);
    if (path)
        *path = g_strdup_printf("/pci@i0cf8/ide@1,1/drive@%x/disk@%x", bus, unit);
    return true;
}

/* NULL with @error. */
static Device *attach_virtio(PcBoard *b, const DriveOption *o, const char *qdev, int devfn,
                             GError **error)
{
    g_autofree char *id = g_strdup_printf("virtio%u", b->virtio_disks++);
    Drive *drive = make_drive(b, o, id, error);

    if (!drive)
        return NULL;
    drive_set_owner(drive, qdev);
    return virtio_blk_new(b->pci, devfn, b->m->memory, drive, o->serial ? o->serial : "");
}

static bool attach_floppy(PcBoard *b, const DriveOption *o, GError **error)
{
    unsigned unit = o->unit >= 0 ? (unsigned)o->unit : fdc_has_unit(b->fdc, 0) ? 1 : 0;
    g_autofree char *id = g_strdup_printf("floppy%u", unit);
    Drive *drive;

    if (o->bus > 0 || fdc_has_unit(b->fdc, unit)) {
        error_set(error, "no place for floppy '%s': index 0 and 1 are there, once each",
                  o->file ? o->file : "");
        return false;
    }
    drive = make_drive(b, o, id, error);
    if (!drive)
        return false;
    if (!fdc_has_format(drive_sectors(drive))) {
        error_set(error, "'%s' is larger than any floppy", o->file);
        return false;
    }
    fdc_attach(b->fdc, unit, drive);
    return true;
}

static bool attach(PcBoard *b, const DriveOption *o, GError **error)
{
    switch (o->interface) {
    case DRIVE_IF_IDE: return attach_ide(b, o, NULL, &(IdeLabel){ 0 }, NULL, error);
    case DRIVE_IF_VIRTIO: return attach_virtio(b, o, NULL, -1, error) != NULL;
    case DRIVE_IF_FLOPPY: return attach_floppy(b, o, error);
    case DRIVE_IF_NONE: return check_disk(b->m, o, error); /* -device opens it */
    case DRIVE_IF_PFLASH: return true;                     /* pc_place_flash() will */
    }
    g_assert_not_reached();
}

static bool has_ide_option(const PcBoard *b)
{
    const GPtrArray *options = b->m->config->devices;

    for (guint i = 0; options && i < options->len; i++) {
        if (g_str_has_prefix(((DeviceOption *)options->pdata[i])->driver, "ide-"))
            return true;
    }
    return false;
}

/* What a PC has without being asked: a CD-ROM and a floppy drive, both empty. */
static bool create_default_drives(PcBoard *b, GError **error)
{
    static const DriveOption cdrom = { .bus = 1, .cdrom = true };
    static const DriveOption floppy = { .interface = DRIVE_IF_FLOPPY,
                                        .on_write_error = DRIVE_ENOSPC };

    if (b->m->config->nodefaults)
        return true;
    return (!is_free(b, 1, 0) || has_ide_option(b) ||
            attach_ide(b, &cdrom, NULL, &(IdeLabel){ 0 }, NULL, error)) &&
           (fdc_has_unit(b->fdc, 0) || attach_floppy(b, &floppy, error));
}

/* ---- While the machine runs ------------------------------------------------------------------ */

bool pc_drive_come(Machine *m, const DriveOption *o, GBytes *facts, GError **error)
{
    PcBoard *b = m->board.opaque;
    Drive *d = drive_find(m->root, o->id);
    DriveWiring w = wiring_of(b, o);
    g_autofree char *name = o->file ? facts_name(o) : NULL;

    if (d && drive_is_connected(d)) {
        error_set(error, "there is another drive with id '%s'", o->id);
        return false;
    }
    if (name)
        host_files_set(m->config->files, name, facts);
    if (!open_image(b, o, &w, error))
        return false;
    if (d)
        drive_refill(d, &w);
    else if (w.image)
        image_close(w.image);
    return true;
}

GBytes *pc_drive_facts(Machine *m, const DriveOption *o)
{
    return o->file ? known_facts(m, o) : NULL;
}

void pc_drive_go(Machine *m, const char *id)
{
    Drive *d = drive_find(m->root, id);

    if (d)
        drive_empty(d);
}

/* ---- For pc.c and pc-options.c --------------------------------------------------------------- */

bool pc_create_drives(PcBoard *b, GError **error)
{
    const GPtrArray *options = b->m->config->drives;

    machine_keep(b->m, &(MachineKeeper){ "unwritten of drives", save_unwritten, load_unwritten,
                                         NULL, b->m->root });
    for (guint i = 0; options && i < options->len; i++) {
        if (!attach(b, options->pdata[i], error))
            return false;
    }
    return create_default_drives(b, error);
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
static bool take_option(PcBoard *b, const DeviceOption *o, bool may_be_empty, DriveOption *own,
                        GError **error)
{
    static const DriveOption empty = { .interface = DRIVE_IF_NONE, .bus = -1, .unit = -1 };
    char *name = g_hash_table_lookup(o->props, "drive");
    const DriveOption *drive = name || !may_be_empty ? find_option(b, name) : &empty;
    char *serial = g_hash_table_lookup(o->props, "serial");

    if (!drive && b->gone)
        drive = &empty;
    if (!drive) {
        error_set(error, "it needs drive=ID of a -drive with if=none");
        return false;
    }
    *own = *drive;
    if (drive == &empty)
        own->id = name ? name : g_hash_table_lookup(o->props, "id");
    if (serial)
        own->serial = serial;
    return true;
}

static bool get_text(const DeviceOption *o, const char *name, size_t most, const char **text,
                     GError **error)
{
    *text = g_hash_table_lookup(o->props, name);
    if (!*text || strlen(*text) <= most)
        return true;
    error_set(error, "%s=%s has more than %zu characters", name, *text, most);
    return false;
}

static bool get_label(const DeviceOption *o, IdeLabel *l, GError **error)
{
    uint64_t rotation;

    if (!get_text(o, "model", IDE_MODEL, &l->model, error) ||
        !get_text(o, "ver", IDE_VERSION, &l->version, error) ||
        !pc_get_number(o, "wwn", UINT64_MAX, 0, &l->wwn, error) ||
        !pc_get_number(o, "rotation_rate", 0xfffe, 0, &rotation, error))
        return false;
    l->rotation = rotation;
    return true;
}

bool pc_create_ide_device(PcBoard *b, const DeviceOption *o, bool cdrom, GError **error)
{
    const char *bus = g_hash_table_lookup(o->props, "bus");
    const char *unit = g_hash_table_lookup(o->props, "unit");
    g_autofree char *path = NULL;
    DriveOption own;
    IdeLabel label;

    if (!take_option(b, o, cdrom, &own, error) || !get_label(o, &label, error))
        return false;
    own.cdrom = cdrom;
    if ((bus && !parse_bus(bus, &own.bus)) || (unit && strcmp(unit, "0") && strcmp(unit, "1"))) {
        error_set(error, "bus is ide.0 or ide.1, unit 0 or 1");
        return false;
    }
    if (unit)
        own.unit = unit[0] - '0';
    return attach_ide(b, &own, g_hash_table_lookup(o->props, "id"), &label, &path, error) &&
           pc_order_device(b, o, path, error);
}

bool pc_create_virtio_disk(PcBoard *b, const DeviceOption *o, GError **error)
{
    const char *id = g_hash_table_lookup(o->props, "id");
    g_autofree char *qdev =
        id ? g_strdup_printf("/machine/peripheral/%s/virtio-backend", id) : NULL;
    DriveOption own;
    Device *dev;
    int devfn;

    if (!take_option(b, o, false, &own, error) || !pc_device_slot(o, &devfn, error))
        return false;
    dev = attach_virtio(b, &own, qdev, devfn, error);
    return dev && pc_set_virtio_registers(o, dev, error) &&
           pc_order_pci(b, o, dev, "scsi", "disk@0,0", error);
}
