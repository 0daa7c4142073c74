/* SPDX-License-Identifier: MIT */
/*
 * Commands that change disks or begin work on them. None goes with a recording: what is on its
 * disks at its begin has to be there when it is left. Missing: copy-mode write-blocking.
 */
#include <errno.h>
#include <string.h>

#include "softmmu/program/qmp/jobs.h"

bool qmp_may_change_disks(Qmp *q, GError **error)
{
    const MonitorTravel *t = &q->w.travel;
    const char *file;

    if (!t->mode || !strcmp(t->mode(t->opaque, &file), "none"))
        return true;
    error_set(error, "not while a recording is made or replayed");
    return false;
}

/* A drive by its name, or that of its image; NULL: there is none. */
static Drive *look_up(Qmp *q, const char *name)
{
    g_autoptr(GPtrArray) drives = drive_list(q->w.m->root);

    for (guint i = 0; i < drives->len; i++) {
        if (!strcmp(drive_id(drives->pdata[i]), name) ||
            !strcmp(drive_node(drives->pdata[i]), name))
            return drives->pdata[i];
    }
    return NULL;
}

/* NULL with @error. */
static Drive *find_disk(Qmp *q, const char *device, const char *node, GError **error)
{
    Drive *d = look_up(q, *device ? device : node);

    if (!d)
        error_set(error, "Cannot find device='%s' nor node-name='%s'", device, node);
    return d;
}

Drive *qmp_find_disk(Qmp *q, const char *name, GError **error)
{
    Drive *d = look_up(q, name);

    if (!d)
        error_set(error, "Cannot find device='%s' nor node-name='%s'", name, name);
    return d;
}

/* To begin a job on; NULL with @error. */
static Drive *find_drive(Qmp *q, Json *args, GError **error)
{
    const char *name = json_text(args, "device", "");
    Drive *d = find_disk(q, name, name, error);

    if (!d)
        return NULL;
    if (!drive_has_medium(d))
        error_set(error, "Device '%s' has no medium", name);
    else
        return qmp_may_change_disks(q, error) ? d : NULL;
    return NULL;
}

/* ---- What jobs have in common ------------------------------------------------------------------
 */

/* The place of member @name among @words, the first if there is none; false with @error. */
static bool take_word(Json *args, const char *name, const char *const *words, int *place,
                      GError **error)
{
    const char *value = json_text(args, name, words[0]);

    for (*place = 0; words[*place]; ++*place)
        if (!strcmp(words[*place], value))
            return true;
    error_set(error, "Invalid parameter '%s'", value);
    return false;
}

static bool take_on_error(Json *args, const char *name, DriveOnError *action, GError **error)
{
    static const char *const words[] = { "report", "stop", "enospc", NULL };
    static const DriveOnError actions[] = { DRIVE_REPORT, DRIVE_STOP, DRIVE_ENOSPC };
    int place;

    if (!take_word(args, name, words, &place, error))
        return false;
    *action = actions[place];
    return true;
}

static bool take_granularity(Json *args, BlockJobWiring *w, GError **error)
{
    int64_t n = json_int(args, "granularity", 0);

    if (n && (n < 512 || n > 64 << 20)) {
        error_set(error, "Parameter 'granularity' expects a value in range [512B, 64MB]");
        return false;
    }
    if (n & (n - 1)) {
        error_set(error, "Parameter 'granularity' expects a power of 2");
        return false;
    }
    w->granularity = n;
    return true;
}

/* Of a mirror or a backup. */
static bool take_common(Json *args, BlockJobWiring *w, GError **error)
{
    static const char *const syncs[] = { "full", "top", "none", "incremental", "bitmap", NULL };
    static const BlockJobSync values[] = { BLOCK_JOB_FULL, BLOCK_JOB_TOP, BLOCK_JOB_NONE,
                                           BLOCK_JOB_BITMAP, BLOCK_JOB_BITMAP };
    static const char *const copy_modes[] = { "background", NULL };
    int sync, mode;

    if (!take_word(args, "sync", syncs, &sync, error) ||
        !take_word(args, "copy-mode", copy_modes, &mode, error))
        return false;
    w->sync = values[sync];
    w->compress = json_flag(args, "compress", false);
    return take_granularity(args, w, error) &&
           take_on_error(args, "on-source-error", &w->on_source_error, error) &&
           take_on_error(args, "on-target-error", &w->on_target_error, error);
}

/* The bitmap that a backup goes by, if its sync says that there is one. */
static bool take_bitmap(Drive *d, Json *args, BlockJobWiring *w, GError **error)
{
    static const char *const modes[] = { "on-success", "never", "always", NULL };
    const char *sync = json_text(args, "sync", ""), *name = json_text(args, "bitmap", NULL);
    bool needs = w->sync == BLOCK_JOB_BITMAP, incremental = !strcmp(sync, "incremental");
    int mode;

    if (!take_word(args, "bitmap-mode", modes, &mode, error))
        return false;
    w->bitmap_mode = (BlockJobBitmapMode)mode;
    if (!needs && !name)
        return true;
    w->bitmap = name ? image_find_bitmap(drive_settled_image(d), name) : NULL;
    if (needs && w->kind != BLOCK_JOB_BACKUP)
        error_set(error, "Sync mode '%s' not supported", sync);
    else if (!needs)
        error_set(error, "Sync mode '%s' is not supported with a bitmap", sync);
    else if (!name)
        error_set(error, "must provide a valid bitmap name for '%s' sync mode", sync);
    else if (!w->bitmap)
        error_set(error, "Bitmap '%s' could not be found", name);
    else if (!incremental && !json_member(args, "bitmap-mode"))
        error_set(error, "Bitmap sync mode must be given when providing a bitmap");
    else if (incremental && mode)
        error_set(error,
                  "Bitmap sync mode must be 'on-success' when using sync mode 'incremental'");
    else if (w->bitmap->busy || w->bitmap->inconsistent)
        error_set(error, "Bitmap '%s' is %s and cannot be used", name,
                  w->bitmap->busy ? "currently in use by another operation" : "inconsistent");
    else if (w->bitmap->persistent && image_touch_bitmaps(drive_settled_image(d)))
        error_set(error, "'%s' cannot be written", image_path(drive_settled_image(d)));
    else
        return true;
    return false;
}

/* ---- Targets by their file ---------------------------------------------------------------------
 */

/* What lies below what -snapshot put above it counts. */
static Image *named_image(Drive *d)
{
    Image *image = drive_settled_image(d);

    return strcmp(image_format(image), "overlay") ? image : image_backing(image);
}

static bool make_target(Drive *d, const BlockJobWiring *w, const char *path, const char *format,
                        GError **error)
{
    Image *backing = w->sync == BLOCK_JOB_TOP ? image_backing(named_image(d)) : NULL;
    g_autofree char *name = backing ? g_canonicalize_filename(image_path(backing), NULL) : NULL;
    ImageCreate what = { .path = path,
                         .format = format,
                         .size = image_size(drive_settled_image(d)),
                         .backing = name,
                         .backing_format = backing ? image_format(backing) : NULL };

    if (w->sync != BLOCK_JOB_NONE)
        return image_create(&what, error);
    error_set(error, "sync 'none' needs a target that exists: mode 'existing'");
    return false;
}

static bool open_target(Drive *d, Json *args, BlockJobWiring *w, GError **error)
{
    static const char *const modes[] = { "absolute-paths", "existing", NULL };
    const char *path = json_text(args, "target", "");
    const char *format = json_text(args, "format", image_format(named_image(d)));
    int mode;

    if (!take_word(args, "mode", modes, &mode, error))
        return false;
    if (w->sync == BLOCK_JOB_TOP && !image_backing(drive_settled_image(d)))
        w->sync = BLOCK_JOB_FULL;
    if (!drive_is_free(d, error) || (!mode && !make_target(d, w, path, format, error)))
        return false;
    w->target = image_open(&(ImageOpen){ .path = path, .format = format }, error);
    return w->target;
}

static Json *begin_by_file(Qmp *q, Json *args, BlockJobKind kind, GError **error)
{
    Drive *d = find_drive(q, args, error);
    const char *id = d ? json_text(args, "job-id", drive_id(d)) : NULL;
    BlockJobWiring w = { .kind = kind, .node = json_text(args, "node-name", NULL) };

    if (!d || !take_common(args, &w, error) || !qmp_check_job_id(q, id, error) ||
        !take_bitmap(d, args, &w, error) || !open_target(d, args, &w, error))
        return NULL;
    return qmp_begin_block_job(q, d, args, &w, error);
}

static Json *run_drive_mirror(Qmp *q, Json *args, GError **error)
{
    return begin_by_file(q, args, BLOCK_JOB_MIRROR, error);
}

static Json *run_drive_backup(Qmp *q, Json *args, GError **error)
{
    return begin_by_file(q, args, BLOCK_JOB_BACKUP, error);
}

/* ---- Targets by name ---------------------------------------------------------------------------
 */

static const DriveOption *find_node(Qmp *q, const char *name, GError **error)
{
    const GPtrArray *drives = q->w.m->config->drives;

    for (guint i = 0; drives && i < drives->len; i++) {
        const DriveOption *o = drives->pdata[i];

        if (o->id && o->file && o->interface == DRIVE_IF_NONE && !strcmp(o->id, name))
            return o;
    }
    error_set(error, "Cannot find device='%s' nor node-name='%s'", name, name);
    return NULL;
}

static Json *begin_by_node(Qmp *q, Json *args, BlockJobKind kind, GError **error)
{
    Drive *d = find_drive(q, args, error);
    const DriveOption *o = d ? find_node(q, json_text(args, "target", ""), error) : NULL;
    BlockJobWiring w = { .kind = kind, .node = o ? o->id : NULL };
    ImageOpen below[DRIVE_CHAIN], how;

    if (!o || !take_common(args, &w, error) || !take_bitmap(d, args, &w, error))
        return NULL;
    how = machine_drive_image(o, below);
    w.target = image_open(&how, error);
    return w.target ? qmp_begin_block_job(q, d, args, &w, error) : NULL;
}

static Json *run_blockdev_mirror(Qmp *q, Json *args, GError **error)
{
    return begin_by_node(q, args, BLOCK_JOB_MIRROR, error);
}

static Json *run_blockdev_backup(Qmp *q, Json *args, GError **error)
{
    return begin_by_node(q, args, BLOCK_JOB_BACKUP, error);
}

/* ---- Along a chain of images -------------------------------------------------------------------
 */

/* base or base-node of @args; NULL: neither is there (*@missing false) or in the chain (true). */
static Image *find_base(Qmp *q, Json *args, Image *image, bool *missing)
{
    const char *name = json_text(args, "base", NULL);
    const char *node = json_text(args, "base-node", NULL);
    const DriveOption *o = node ? find_node(q, node, NULL) : NULL;
    Image *base = o      ? image_find_behind(image, o->file)
                  : name ? image_find_behind(image, name)
                         : NULL;

    *missing = (name || node) && !base;
    return base;
}

static Image *last_behind(Image *image)
{
    while (image_backing(image))
        image = image_backing(image);
    return image;
}

static Json *refuse_base(Json *args, GError **error)
{
    error_set(error, "Can't find '%s' in the backing chain",
              json_text(args, "base", json_text(args, "base-node", "")));
    return NULL;
}

/* top or top-node of @args: behind @image, or that itself; NULL with @error. */
static Image *find_top(Qmp *q, Drive *d, Json *args, Image *image, GError **error)
{
    const char *name = json_text(args, "top", json_text(args, "top-node", NULL));
    const DriveOption *o = json_member(args, "top-node") ? find_node(q, name, NULL) : NULL;
    Image *top;

    if (!name || !strcmp(name, image_path(image)) || !strcmp(name, drive_node(d)))
        return image;
    top = image_find_behind(image, o ? o->file : name);
    if (!top)
        error_set(error, "Top image file %s not found", name);
    return top;
}

static bool take_commit(Qmp *q, Drive *d, Json *args, BlockJobWiring *w, GError **error)
{
    Image *image = drive_settled_image(d), *top = find_top(q, d, args, image, error);
    bool missing;

    if (!top)
        return false;
    w->top = top != image ? top : NULL;
    w->base = find_base(q, args, top, &missing);
    if (missing) {
        refuse_base(args, error);
        return false;
    }
    if (!w->base)
        w->base = last_behind(top);
    if (w->base == top)
        error_set(error, "cannot commit an image into itself");
    else if (w->name && !w->top)
        error_set(error, "'backing-file' specified, but 'top' is the active layer");
    else
        return true;
    return false;
}

static Json *run_commit(Qmp *q, Json *args, GError **error)
{
    const char *name = json_text(args, "device", "");
    Drive *d = look_up(q, name);
    BlockJobWiring w = { .kind = BLOCK_JOB_COMMIT, .name = json_text(args, "backing-file", NULL) };

    if (!d) {
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", name);
        return NULL;
    }
    if (!find_drive(q, args, error) || !drive_is_free(d, error) ||
        !take_on_error(args, "on-error", &w.on_target_error, error))
        return NULL;
    w.on_source_error = w.on_target_error;
    return take_commit(q, d, args, &w, error) ? qmp_begin_block_job(q, d, args, &w, error) : NULL;
}

static Json *run_stream(Qmp *q, Json *args, GError **error)
{
    Drive *d = find_drive(q, args, error);
    BlockJobWiring w = { .kind = BLOCK_JOB_STREAM, .name = json_text(args, "backing-file", NULL) };
    bool missing;

    if (!d || !drive_is_free(d, error) ||
        !take_on_error(args, "on-error", &w.on_target_error, error))
        return NULL;
    w.on_source_error = w.on_target_error;
    w.base = find_base(q, args, drive_settled_image(d), &missing);
    if (missing)
        return refuse_base(args, error);
    if (!w.base && w.name) {
        error_set(error, "backing file specified, but streaming the entire chain");
        return NULL;
    }
    return qmp_begin_block_job(q, d, args, &w, error);
}

/* ---- At once -----------------------------------------------------------------------------------
 */

static Json *run_resize(Qmp *q, Json *args, GError **error)
{
    const char *device = json_text(args, "device", ""), *node = json_text(args, "node-name", "");
    Drive *d = find_disk(q, device, node, error);
    int64_t size = json_int(args, "size", 0);

    if (!d)
        return NULL;
    if (size < 0)
        error_set(error, "Parameter 'size' expects a >0 size");
    else if (qmp_may_change_disks(q, error) && drive_resize(d, size, error))
        return json_done();
    return NULL;
}

/* Its options say where; a format goes onto the file of a node that is there. */
static bool create(Qmp *q, Json *options, GError **error)
{
    static const char *const drivers[] = { "file", "raw", "qcow2", NULL };
    static const char *const members[] = { "driver",       "filename",    "file", "size",
                                           "backing-file", "backing-fmt", NULL };
    const char *driver = json_text(options, "driver", ""), *file = json_text(options, "file", NULL);
    bool whole = !strcmp(driver, "file");
    const DriveOption *node = file && !whole ? find_node(q, file, error) : NULL;
    ImageCreate what = { .path = whole  ? json_text(options, "filename", NULL)
                                 : node ? node->file
                                        : NULL,
                         .format = whole ? "raw" : driver,
                         .size = json_int(options, "size", 0),
                         .backing = json_text(options, "backing-file", NULL),
                         .backing_format = json_text(options, "backing-fmt", NULL) };

    if (file && !whole && !node)
        return false;
    json_object_object_foreach (options, name, value) {
        if (!value || !g_strv_contains(members, name)) {
            error_set(error, "Parameter '%s' is unexpected", name);
            return false;
        }
    }
    if (!g_strv_contains(drivers, driver))
        error_set(error, "Invalid parameter '%s'", driver);
    else if (!what.path || !json_member(options, "size"))
        error_set(error, "Parameter '%s' is missing",
                  what.path ? "size"
                  : whole   ? "filename"
                            : "file");
    else if (what.size % 512)
        error_set(error, "The image size must be a multiple of 512 bytes");
    else
        return image_create(&what, error);
    return false;
}

static Json *run_create(Qmp *q, Json *args, GError **error)
{
    const char *id = json_text(args, "job-id", "");
    g_autoptr(GError) failure = NULL;

    if (!qmp_check_job_id(q, id, error) || !qmp_may_change_disks(q, error))
        return NULL;
    create(q, json_member(args, "options"), &failure);
    qmp_tell_done_job(q, id, "create", failure ? failure->message : NULL);
    return json_done();
}

/* A new image above the drive's, which stays as it is now. */
static Json *run_snapshot_sync(Qmp *q, Json *args, GError **error)
{
    static const char *const modes[] = { "absolute-paths", "existing", NULL };
    const char *path = json_text(args, "snapshot-file", "");
    const char *format = json_text(args, "format", "qcow2");
    Drive *d = find_disk(q, json_text(args, "device", ""), "", error);
    int mode;

    if (!d || !find_drive(q, args, error) || !take_word(args, "mode", modes, &mode, error) ||
        !drive_is_free(d, error))
        return NULL;
    if (!drive_put_above(d, path, format, mode == 1, json_text(args, "snapshot-node-name", NULL),
                         error))
        return NULL;
    return json_done();
}

const QmpCommand qmp_disk_commands[] = {
    { "drive-mirror",
      "device:str target:str format:str? node-name:str? sync:str mode:str? speed:int? "
      "granularity:int? on-source-error:str? on-target-error:str? copy-mode:str? job-id:str? "
      "auto-finalize:bool? auto-dismiss:bool?",
      run_drive_mirror },
    { "blockdev-mirror",
      "device:str target:str sync:str speed:int? granularity:int? on-source-error:str? "
      "on-target-error:str? copy-mode:str? job-id:str? auto-finalize:bool? auto-dismiss:bool?",
      run_blockdev_mirror },
    { "drive-backup",
      "device:str target:str format:str? sync:str mode:str? bitmap:str? bitmap-mode:str? "
      "compress:bool? speed:int? on-source-error:str? on-target-error:str? job-id:str? "
      "auto-finalize:bool? auto-dismiss:bool?",
      run_drive_backup },
    { "blockdev-backup",
      "device:str target:str sync:str bitmap:str? bitmap-mode:str? compress:bool? speed:int? "
      "on-source-error:str? on-target-error:str? job-id:str? auto-finalize:bool? "
      "auto-dismiss:bool?",
      run_blockdev_backup },
    { "block-commit",
      "device:str base:str? base-node:str? top:str? top-node:str? backing-file:str? speed:int? "
      "on-error:str? job-id:str? "
      "auto-finalize:bool? auto-dismiss:bool?",
      run_commit },
    { "block-stream",
      "device:str base:str? base-node:str? backing-file:str? speed:int? on-error:str? job-id:str? "
      "auto-finalize:bool? auto-dismiss:bool?",
      run_stream },
    { "block_resize", "device:str? node-name:str? size:int", run_resize },
    { "blockdev-create", "job-id:str options:{}", run_create },
    { "blockdev-snapshot-sync",
      "device:str snapshot-file:str snapshot-node-name:str? format:str? mode:str?",
      run_snapshot_sync },
    { NULL },
};
