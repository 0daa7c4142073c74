/* SPDX-License-Identifier: MIT */
/* Options of disks: -drive and its short forms. The board opens the images. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

typedef struct DriveKeys {
    DriveOption *drive;
    uint64_t index;
    bool has_index;
    bool recorded; /* driver=blkreplay */
    char *image;   /* … what of; NULL: not given */
} DriveKeys;

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* "one of these words": its place in @words, -1 with @error. */
static int find_word(const char *value, const char *const *words, GError **error)
{
    g_autofree char *all = NULL;

    for (int i = 0; words[i]; i++) {
        if (!strcmp(words[i], value))
            return i;
    }
    all = g_strjoinv(", ", (char **)words);
    error_set(error, "'%s' is not supported; there are %s", value, all);
    return -1;
}

static bool set_file(void *ctx, const char *value, GError **error)
{
    /* "file:" is how QEMU tells a path from other protocols. */
    replace(&((DriveKeys *)ctx)->drive->file,
            value + (g_str_has_prefix(value, "file:") ? strlen("file:") : 0));
    return true;
}

static bool set_format(void *ctx, const char *value, GError **error)
{
    replace(&((DriveKeys *)ctx)->drive->format, value);
    return true;
}

static bool set_id(void *ctx, const char *value, GError **error)
{
    replace(&((DriveKeys *)ctx)->drive->id, value);
    return true;
}

static bool set_serial(void *ctx, const char *value, GError **error)
{
    replace(&((DriveKeys *)ctx)->drive->serial, value);
    return true;
}

static bool set_interface(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "ide", "none", "virtio", "floppy", "pflash", NULL };
    static const DriveInterface interfaces[] = { DRIVE_IF_IDE, DRIVE_IF_NONE, DRIVE_IF_VIRTIO,
                                                 DRIVE_IF_FLOPPY, DRIVE_IF_PFLASH };
    int n = find_word(value, words, error);

    if (n >= 0)
        ((DriveKeys *)ctx)->drive->interface = interfaces[n];
    return n >= 0;
}

static bool set_media(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "disk", "cdrom", NULL };
    int n = find_word(value, words, error);

    ((DriveKeys *)ctx)->drive->cdrom = n == 1;
    return n >= 0;
}

static bool set_index(void *ctx, const char *value, GError **error)
{
    DriveKeys *k = ctx;

    k->has_index = true;
    return parse_number(value, 0, 3, &k->index, error);
}

static bool set_place(int *field, uint64_t max, const char *value, GError **error)
{
    uint64_t n;

    if (!parse_number(value, 0, max, &n, error))
        return false;
    *field = n;
    return true;
}

static bool set_bus(void *ctx, const char *value, GError **error)
{
    return set_place(&((DriveKeys *)ctx)->drive->bus, 1, value, error);
}

static bool set_unit(void *ctx, const char *value, GError **error)
{
    return set_place(&((DriveKeys *)ctx)->drive->unit, 1, value, error);
}

static bool set_snapshot(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((DriveKeys *)ctx)->drive->snapshot, error);
}

static bool set_read_only(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((DriveKeys *)ctx)->drive->read_only, error);
}

static bool set_discard(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "ignore", "off", "unmap", "on", NULL };
    int n = find_word(value, words, error);

    ((DriveKeys *)ctx)->drive->discard = n >= 2;
    return n >= 0;
}

/* What becomes of what the host cannot do. */
static bool set_on_error(DriveOnError *field, const char *value, const char *const *words,
                         GError **error)
{
    int n = find_word(value, words, error);

    if (n >= 0)
        *field = n;
    return n >= 0;
}

static bool set_read_error(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "report", "ignore", "stop", NULL };

    return set_on_error(&((DriveKeys *)ctx)->drive->on_read_error, value, words, error);
}

static bool set_write_error(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "report", "ignore", "stop", "enospc", NULL };

    return set_on_error(&((DriveKeys *)ctx)->drive->on_write_error, value, words, error);
}

/* When the host's disk has what the guest wrote. Its page cache is used in any case: that "none"
 * and "directsync" ask for no such copies is said. */
static bool set_cache(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "writeback",  "none",   "writethrough",
                                         "directsync", "unsafe", NULL };
    DriveOption *d = ((DriveKeys *)ctx)->drive;
    int n = find_word(value, words, error);

    if (n == 1 || n == 3)
        options_warn("cache=%s: the host's page cache is used all the same", value);
    d->write_through = n == 2 || n == 3;
    d->no_flush = n == 4;
    return n >= 0;
}

/* The drive has a thread of its own whatever is chosen. */
static bool set_aio(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "threads", "native", "io_uring", NULL };

    return find_word(value, words, error) >= 0;
}

static bool set_detect_zeroes(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "off", "on", "unmap", NULL };
    int n = find_word(value, words, error);

    ((DriveKeys *)ctx)->drive->detect_zeroes = n > 0;
    return n >= 0;
}

/* Beside the one word, a format: said as of nodes. */
static bool set_driver(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "blkreplay", "raw", "qcow2", "vmdk", "vdi", NULL };
    int n = find_word(value, words, error);

    ((DriveKeys *)ctx)->recorded = !n;
    if (n > 0)
        replace(&((DriveKeys *)ctx)->drive->format, value);
    return n >= 0;
}

static bool check_file_driver(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "file", NULL };

    return find_word(value, words, error) >= 0;
}

/* Files are locked, if the host can. */
static bool check_locking(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "auto", "on", NULL };

    return find_word(value, words, error) >= 0;
}

static bool set_no_flush(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((DriveKeys *)ctx)->drive->no_flush, error);
}

static bool set_direct(void *ctx, const char *value, GError **error)
{
    bool on;

    if (!parse_switch(value, &on, error))
        return false;
    if (on)
        options_warn("cache.direct=on: the host's page cache is used all the same");
    return true;
}

static bool set_image(void *ctx, const char *value, GError **error)
{
    replace(&((DriveKeys *)ctx)->image, value);
    return true;
}

static const KeyRow drive_keys[] = {
    { "file", set_file },
    { "format", set_format },
    { "if", set_interface },
    { "media", set_media },
    { "index", set_index },
    { "bus", set_bus },
    { "unit", set_unit },
    { "id", set_id },
    { "serial", set_serial },
    { "snapshot", set_snapshot },
    { "readonly", set_read_only },
    { "read-only", set_read_only },
    { "discard", set_discard },
    { "cache", set_cache },
    { "aio", set_aio },
    { "detect-zeroes", set_detect_zeroes },
    { "rerror", set_read_error },
    { "werror", set_write_error },
    { "driver", set_driver },
    { "file.driver", check_file_driver },
    { "file.filename", set_file },
    { "file.locking", check_locking },
    { "cache.no-flush", set_no_flush },
    { "cache.direct", set_direct },
    { "auto-read-only", key_is_switch },
    { "image", set_image },
    { NULL },
};

void options_free_drive(void *p)
{
    DriveOption *d = p;

    g_free(d->id);
    g_free(d->file);
    g_free(d->format);
    g_free(d->serial);
    if (d->backing)
        options_free_drive(d->backing);
    g_free(d);
}

DriveOption *options_add_drive(Options *o)
{
    DriveOption *d = g_new0(DriveOption, 1);

    d->bus = d->unit = -1;
    d->on_write_error = DRIVE_ENOSPC;
    g_ptr_array_add(o->config.drives, d);
    return d;
}

static DriveOption *find_loose(const Options *o, const char *id)
{
    for (guint i = 0; id && i < o->config.drives->len; i++) {
        DriveOption *d = o->config.drives->pdata[i];

        if (d->interface == DRIVE_IF_NONE && !g_strcmp0(d->id, id))
            return d;
    }
    return NULL;
}

/* As QEMU wants it said that a disk is recorded: by a drive on top of it. Here all are, so that it
 * is another name of the same drive. */
static bool rename_recorded(Options *o, const DriveKeys *k, GError **error)
{
    DriveOption *d = find_loose(o, k->image);

    if (!d)
        error_set(error, "image=ID is needed, of a -drive if=none before it");
    else if (!k->drive->id || k->drive->interface != DRIVE_IF_NONE || k->drive->file)
        error_set(error, "driver=blkreplay has if=none, an id and an image, and no file");
    else {
        replace(&d->id, k->drive->id);
        g_ptr_array_remove(o->config.drives, k->drive);
        return true;
    }
    return false;
}

static bool parse_drive(Options *o, DriveKeys *k, const char *arg, GError **error)
{
    if (!keyval_apply(arg, NULL, drive_keys, k, error))
        return false;
    if (k->recorded || k->image)
        return rename_recorded(o, k, error);
    if (!k->drive->file && !k->drive->cdrom && k->drive->interface != DRIVE_IF_FLOPPY &&
        k->drive->interface != DRIVE_IF_NONE) {
        error_set(error, "file is needed: only floppies and CD-ROMs may be without a medium");
        return false;
    }
    if (k->has_index && (k->drive->bus >= 0 || k->drive->unit >= 0)) {
        error_set(error, "index cannot be used with bus and unit");
        return false;
    }
    if (k->has_index) {
        k->drive->bus = k->index / 2;
        k->drive->unit = k->index % 2;
    }
    return true;
}

bool opt_drive(Options *o, const char *arg, GError **error)
{
    DriveKeys k = { .drive = options_add_drive(o) };
    bool ok = parse_drive(o, &k, arg, error);

    g_free(k.image);
    return ok;
}

static DriveOption *add_indexed(Options *o, const char *file, int index)
{
    DriveOption *d = options_add_drive(o);

    d->file = g_strdup(file);
    d->bus = index / 2;
    d->unit = index % 2;
    return d;
}

static bool add_floppy(Options *o, const char *file, int index)
{
    add_indexed(o, file, index)->interface = DRIVE_IF_FLOPPY;
    return true;
}

bool opt_pflash(Options *o, const char *arg, GError **error)
{
    DriveOption *d = options_add_drive(o);

    d->file = g_strdup(arg);
    d->interface = DRIVE_IF_PFLASH;
    return true;
}

bool opt_fda(Options *o, const char *arg, GError **error)
{
    return add_floppy(o, arg, 0);
}

bool opt_fdb(Options *o, const char *arg, GError **error)
{
    return add_floppy(o, arg, 1);
}

bool opt_hda(Options *o, const char *arg, GError **error)
{
    return add_indexed(o, arg, 0);
}

bool opt_hdb(Options *o, const char *arg, GError **error)
{
    return add_indexed(o, arg, 1);
}

bool opt_hdc(Options *o, const char *arg, GError **error)
{
    return add_indexed(o, arg, 2);
}

bool opt_hdd(Options *o, const char *arg, GError **error)
{
    return add_indexed(o, arg, 3);
}

bool opt_cdrom(Options *o, const char *arg, GError **error)
{
    return add_indexed(o, arg, 2)->cdrom = true;
}

bool opt_snapshot(Options *o, const char *arg, GError **error)
{
    o->snapshot = true;
    return true;
}

void options_complete_drives(Options *o)
{
    for (unsigned i = 0; i < o->config.drives->len; i++)
        ((DriveOption *)o->config.drives->pdata[i])->snapshot |= o->snapshot;
}
