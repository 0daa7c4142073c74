/* SPDX-License-Identifier: MIT */
/*
 * With several disks the first that is writable has the machine's state, all have the disk's. What
 * is replaced goes only when the new one is complete. Missing: following a machine that runs while
 * its state is written (it stands still), states of user-mode networks.
 */
#include "softmmu/program/state/savestate.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "accel/accel.h"
#include "accel/session.h"
#include "accel/snapshot.h"
#include "softmmu/block/drive.h"
#include "softmmu/error.h"
#include "softmmu/program/state/state-stream.h"

struct SaveState {
    Built *b;
    RunControl *rc;
    MonitorStates for_monitor;
    int channel; /* by which the thread of a stream reports */
    StateStream *stream;
    bool incoming, deferred;
    RunState before; /* what the machine did before it was to move */
    int64_t began_us;
    MigrationInfo info;
    char *why;
};

/* ---- Disks ----------------------------------------------------------------------------------- */

/* The images of all writable disks, settled. */
static GPtrArray *writable_images(SaveState *s)
{
    g_autoptr(GPtrArray) drives = drive_list(s->b->machine.root);
    GPtrArray *images = g_ptr_array_new();

    for (guint i = 0; i < drives->len; i++) {
        Image *image = drive_settled_image(drives->pdata[i]);

        if (image && !image_is_read_only(image))
            g_ptr_array_add(images, image);
    }
    return images;
}

/* The same if all of them can have snapshots, and there is one. NULL with @error. */
static GPtrArray *snapshot_images(SaveState *s, GError **error)
{
    g_autoptr(GPtrArray) drives = drive_list(s->b->machine.root);
    g_autoptr(GPtrArray) images = writable_images(s);

    for (guint i = 0; i < drives->len; i++) {
        const Image *image = drive_settled_image(drives->pdata[i]);

        if (!drive_is_free(drives->pdata[i], error))
            return NULL;
        if (image && !image_is_read_only(image) && !image_can_snapshot(image)) {
            error_set(error, "Device '%s' is writable but does not support snapshots",
                      drive_id(drives->pdata[i]));
            return NULL;
        }
    }
    if (images->len)
        return g_steal_pointer(&images);
    error_set(error, "no block device can store vmstate for snapshot");
    return NULL;
}

static GPtrArray *list_of(Image *image, GError **error)
{
    int failure;
    GPtrArray *list = image_snapshots(image, &failure);

    if (!list)
        error_set(error, "'%s': its snapshots cannot be read: %s", image_path(image),
                  g_strerror(failure));
    return list;
}

/* ---- savevm ---------------------------------------------------------------------------------- */

static bool write_to_image(void *opaque, const void *data, size_t len, GError **error)
{
    int failure = image_state_write(opaque, data, len);

    if (failure)
        error_set(error, "the state cannot be written: %s", g_strerror(failure));
    return !failure;
}

/* Removed by id, so that a new one of the same name stays. */
static int remove_from(Image *image, const char *name, const GPtrArray *list)
{
    int failure = 0;

    for (guint i = 0; i < list->len && !failure; i++) {
        const ImageSnapshot *s = list->pdata[i];
        if (!strcmp(s->name, name))
            failure = image_snapshot_delete(image, s);
    }
    return failure;
}

/* The newest of that name: another disk could not make its own. */
static void take_back(Image *image, const char *name)
{
    int failure;
    g_autoptr(GPtrArray) list = image_snapshots(image, &failure);

    for (guint i = list ? list->len : 0; i-- > 0;) {
        const ImageSnapshot *s = list->pdata[i];

        if (!strcmp(s->name, name)) {
            image_snapshot_delete(image, s);
            return;
        }
    }
}

static bool make_on_all(const GPtrArray *images, const ImageSnapshot *what, ImageState *state,
                        GError **error)
{
    for (guint i = 0; i < images->len; i++) {
        int failure = image_snapshot_create(images->pdata[i], what, i ? NULL : state);

        if (!failure)
            continue;
        error_set(error, "Error while creating snapshot on '%s': %s", image_path(images->pdata[i]),
                  g_strerror(failure));
        while (i-- > 0)
            take_back(images->pdata[i], what->name);
        return false;
    }
    return true;
}

static ImageSnapshot describe(SaveState *s, const char *name)
{
    int64_t now = g_get_real_time();

    return (ImageSnapshot){
        .name = (char *)name,
        .date_s = now / G_USEC_PER_SEC,
        .date_ns = now % G_USEC_PER_SEC * 1000,
        .vm_clock_ns = clock_now_ns(s->b->machine.clock),
        .icount = s->b->machine.config->icount_shift >= 0 ? accel_instruction_count(s->b->accel)
                                                          : UINT64_MAX,
    };
}

static bool save_to(SaveState *s, const char *name, const GPtrArray *images, GError **error)
{
    g_autoptr(GPtrArray) old = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    ImageSnapshot what = describe(s, name);
    ImageState *state;

    for (guint i = 0; i < images->len; i++) {
        GPtrArray *list = list_of(images->pdata[i], error);

        if (!list)
            return false;
        g_ptr_array_add(old, list);
    }
    state = image_state_new(images->pdata[0]);
    if (!snapshot_write(s->b->accel, &(StateSink){ write_to_image, state }, true, error)) {
        image_state_free(state);
        return false;
    }
    if (!make_on_all(images, &what, state, error))
        return false;
    for (guint i = 0; i < images->len; i++)
        remove_from(images->pdata[i], name, old->pdata[i]);
    return true;
}

bool savestate_save(SaveState *s, const char *name, GError **error)
{
    g_autoptr(GPtrArray) images = NULL;
    time_t now = time(NULL);
    struct tm tm;
    char date[32];

    if (input_is_replaying(s->b->machine.input)) { /* the part of it that the machine notices */
        snapshot_forget_caches(s->b->accel);
        return true;
    }
    localtime_r(&now, &tm);
    strftime(date, sizeof(date), "vm-%Y%m%d%H%M%S", &tm);
    accel_set_running(s->b->accel, false);
    images = snapshot_images(s, error);
    return images && save_to(s, name ? name : date, images, error);
}

/* ---- loadvm, delvm --------------------------------------------------------------------------- */

typedef struct FromImage {
    ImageState *state;
    uint64_t at;
} FromImage;

static bool read_from_image(void *opaque, void *data, size_t len, GError **error)
{
    FromImage *from = opaque;
    int failure = image_state_read(from->state, from->at, data, len);

    from->at += len;
    if (failure)
        error_set(error, "the saved state cannot be read: %s", g_strerror(failure));
    return !failure;
}

/* The machine's disks keep their sizes. */
static bool has_size_of(Image *image, const ImageSnapshot *s, GError **error)
{
    if (s->disk_size == image_size(image))
        return true;
    error_set(error, "'%s' was of another size when snapshot '%s' was made", image_path(image),
              s->name);
    return false;
}

static bool apply_to_all(const GPtrArray *images, const char *name, GError **error)
{
    for (guint i = 0; i < images->len; i++) {
        g_autoptr(GPtrArray) list = list_of(images->pdata[i], error);

        if (!list || !has_size_of(images->pdata[i], image_find_snapshot(list, name), error))
            return false;
    }
    for (guint i = 0; i < images->len; i++) {
        g_autoptr(GPtrArray) list = list_of(images->pdata[i], error);
        int failure =
            list ? image_snapshot_apply(images->pdata[i], image_find_snapshot(list, name)) : 0;

        if (!list)
            return false;
        if (failure) {
            error_set(error, "Could not revert '%s' to snapshot '%s': %s",
                      image_path(images->pdata[i]), name, g_strerror(failure));
            return false;
        }
    }
    return true;
}

static bool all_have(const GPtrArray *images, const char *name, GError **error)
{
    for (guint i = 0; i < images->len; i++) {
        g_autoptr(GPtrArray) list = list_of(images->pdata[i], error);

        if (!list)
            return false;
        if (!image_find_snapshot(list, name)) {
            error_set(error, "Snapshot '%s' does not exist in one or more devices", name);
            return false;
        }
    }
    return true;
}

/* All is looked at before anything is changed. */
static bool load_from(SaveState *s, const GPtrArray *images, const char *name,
                      const ImageSnapshot *snap, GError **error)
{
    FromImage from = { 0 };
    StateSource source = { read_from_image, &from };
    g_autoptr(GPtrArray) now = NULL;
    int failure;
    bool good;

    if (!snap->vm_size) {
        error_set(error, "This is a disk-only snapshot. Revert to it offline using qemu-img");
        return false;
    }
    failure = image_state_open(images->pdata[0], snap, &from.state);
    if (failure) {
        error_set(error, "the saved state cannot be read: %s", g_strerror(failure));
        return false;
    }
    good = snapshot_check(s->b->accel, &source, error);
    now = writable_images(s); /* with those of disks that were plugged in then */
    good = good && all_have(now, name, error);
    from.at = 0;
    if (good && !(apply_to_all(now, name, error) && snapshot_read(s->b->accel, &source, error))) {
        s->b->machine.state = RUN_BROKEN;
        good = false;
    }
    image_state_free(from.state);
    return good;
}

static bool refuse_travel(SaveState *s, GError **error)
{
    if (input_is_replaying(s->b->machine.input))
        error_set(error, "not while a recording is replayed");
    else if (session_is_recording(s->b->accel))
        error_set(error, "not while the machine is recorded: end_record is needed first");
    else
        return true;
    return false;
}

bool savestate_load(SaveState *s, const char *name, GError **error)
{
    Machine *m = &s->b->machine;
    g_autoptr(GPtrArray) images = NULL, first = NULL;

    if (!refuse_travel(s, error))
        return false;
    accel_set_running(s->b->accel, false);
    images = snapshot_images(s, error);
    if (!images || !all_have(images, name, error))
        return false;
    first = list_of(images->pdata[0], error);
    if (!first || !load_from(s, images, name, image_find_snapshot(first, name), error))
        return false;
    if (m->state != RUN_RUNNING && m->state != RUN_PRELAUNCH)
        m->state = RUN_PAUSED;
    return true;
}

bool savestate_delete(SaveState *s, const char *name, GError **error)
{
    g_autoptr(GPtrArray) images = writable_images(s);

    for (guint i = 0; i < images->len; i++) {
        g_autoptr(GPtrArray) list = list_of(images->pdata[i], error);
        const ImageSnapshot *snap = list ? image_find_snapshot(list, name) : NULL;
        int failure = snap ? image_snapshot_delete(images->pdata[i], snap) : 0;

        if (failure)
            error_set(error, "'%s': %s", image_path(images->pdata[i]), g_strerror(failure));
        if (!list || failure)
            return false;
    }
    return true;
}

/* ---- info snapshots -------------------------------------------------------------------------- */

static bool is_on_all(const GPtrArray *lists, const char *name)
{
    for (guint i = 0; i < lists->len; i++)
        if (!image_find_snapshot(lists->pdata[i], name))
            return false;
    return true;
}

/* @whole: those that all disks have, else the others. False: there are none. */
static bool print_list(const GPtrArray *lists, const GPtrArray *list, bool whole, GString *out)
{
    bool any = false;

    for (guint i = 0; i < list->len; i++) {
        const ImageSnapshot *snap = list->pdata[i];

        if (is_on_all(lists, snap->name) != whole)
            continue;
        if (!any)
            image_snapshot_print(NULL, NULL, out);
        any = true;
        image_snapshot_print(snap, whole ? "--" : NULL, out);
    }
    return any;
}

void savestate_print(SaveState *s, GString *out)
{
    g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GPtrArray) drives = drive_list(s->b->machine.root), owners = g_ptr_array_new();
    bool any = false;

    for (guint i = 0; i < drives->len; i++) {
        Image *image = drive_settled_image(drives->pdata[i]);
        int failure;
        GPtrArray *list =
            image && !image_is_read_only(image) ? image_snapshots(image, &failure) : NULL;

        if (list) {
            any |= list->len;
            g_ptr_array_add(lists, list);
            g_ptr_array_add(owners, drives->pdata[i]);
        }
    }
    if (!lists->len) {
        g_string_append(out, "no block device can store vmstate for snapshot\n");
        return;
    }
    if (!any) {
        g_string_append(out, "There is no snapshot available.\n");
        return;
    }
    g_string_append(out, "List of snapshots present on all disks:\n");
    if (!print_list(lists, lists->pdata[0], true, out))
        g_string_append(out, "None\n");
    for (guint i = 0; i < lists->len; i++) {
        g_autoptr(GString) part = g_string_new("");

        if (print_list(lists, lists->pdata[i], false, part))
            g_string_append_printf(out, "\nList of partial (non-loadable) snapshots on '%s':\n%s",
                                   drive_id(owners->pdata[i]), part->str);
    }
}

/* ---- Streams --------------------------------------------------------------------------------- */

static void stream_done(void *opaque)
{
    SaveState *s = opaque;

    input_post(s->b->machine.input, s->channel, NULL, 0);
}

static const char *const status_texts[] = { "none", "active", "completed", "failed", "cancelled" };

static void set_status(SaveState *s, MigrationStatus status, const char *why)
{
    g_free(s->why);
    s->why = g_strdup(why);
    s->info.why = s->why;
    s->info.status = status;
    s->info.total_ms = (g_get_monotonic_time() - s->began_us) / 1000;
    machine_emit(&s->b->machine, "MIGRATION", "{\"status\": \"%s\"}", status_texts[status]);
}

static void load_stream(SaveState *s, const GPtrArray *pieces)
{
    StatePieces from = { .pieces = pieces };
    StateSource source = state_source_pieces(&from);
    g_autoptr(GError) error = NULL;

    if (snapshot_check(s->b->accel, &source, &error)) {
        source = state_source_pieces(&from);
        if (snapshot_read(s->b->accel, &source, &error)) {
            set_status(s, MIGRATION_COMPLETED, NULL);
            run_control_arrived(s->rc);
            return;
        }
    }
    set_status(s, MIGRATION_FAILED, error->message);
}

/* An incoming state that does not come is the end: there is nothing else to run. */
static void end_incoming(SaveState *s, const GPtrArray *pieces, const GError *error)
{
    if (pieces)
        load_stream(s, pieces);
    else
        set_status(s, MIGRATION_FAILED, error->message);
    if (s->info.status == MIGRATION_COMPLETED)
        return;
    g_printerr("mimus: load of migration failed: %s\n", s->why);
    machine_request_quit(&s->b->machine, 1);
}

static void end_outgoing(SaveState *s, bool good, const GError *error)
{
    bool cancelled = s->info.status == MIGRATION_CANCELLED;

    if (good && !cancelled) {
        set_status(s, MIGRATION_COMPLETED, NULL);
        return;
    }
    if (!cancelled)
        set_status(s, MIGRATION_FAILED, error->message);
    if (s->b->machine.state == RUN_POSTMIGRATE) /* unless somebody has let it go on */
        s->b->machine.state = s->before;
}

static void hear_done(void *opaque, const void *data, size_t len)
{
    SaveState *s = opaque;
    g_autoptr(GError) error = NULL;
    const GPtrArray *pieces = s->stream ? state_stream_result(s->stream, &error) : NULL;

    if (!s->stream)
        return;
    if (s->incoming)
        end_incoming(s, pieces, error);
    else
        end_outgoing(s, pieces, error);
    g_clear_pointer(&s->stream, state_stream_free);
}

static uint64_t bytes_of(const GPtrArray *pieces)
{
    uint64_t bytes = 0;

    for (guint i = 0; i < pieces->len; i++)
        bytes += g_bytes_get_size(pieces->pdata[i]);
    return bytes;
}

static void flush_disks(SaveState *s)
{
    g_autoptr(GPtrArray) images = writable_images(s);

    for (guint i = 0; i < images->len; i++)
        image_flush(images->pdata[i]);
}

bool savestate_migrate(SaveState *s, const char *uri, GError **error)
{
    Machine *m = &s->b->machine;
    g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    StateSink sink = state_sink_pieces(pieces);

    if (!refuse_travel(s, error))
        return false;
    if (s->stream || s->deferred) {
        error_set(error, s->deferred || s->incoming ? "Guest is waiting for an incoming migration"
                                                    : "There's a migration process in progress");
        return false;
    }
    s->stream = state_stream_open(uri, true, error);
    if (!s->stream)
        return false;
    s->began_us = g_get_monotonic_time();
    s->before = m->state;
    accel_set_running(s->b->accel, false);
    flush_disks(s);
    if (!snapshot_write(s->b->accel, &sink, true, error)) {
        g_clear_pointer(&s->stream, state_stream_free);
        return false;
    }
    m->state = RUN_POSTMIGRATE;
    s->info = (MigrationInfo){ .bytes = bytes_of(pieces), .ram_bytes = ram_set_end(m->ram) };
    set_status(s, MIGRATION_ACTIVE, NULL);
    state_stream_start(s->stream, g_steal_pointer(&pieces), stream_done, s);
    return true;
}

void savestate_cancel(SaveState *s)
{
    if (!s->stream || s->incoming)
        return;
    set_status(s, MIGRATION_CANCELLED, NULL);
    state_stream_cancel(s->stream);
}

bool savestate_incoming(SaveState *s, const char *uri, GError **error)
{
    bool later = s->deferred;

    if (s->info.status != MIGRATION_NONE || (s->b->machine.state != RUN_PRELAUNCH && !later)) {
        error_set(error, "'-incoming' was not specified on the command line");
        return false;
    }
    s->deferred = !strcmp(uri, "defer");
    if (!s->deferred) {
        s->stream = state_stream_open(uri, false, error);
        s->deferred = later && !s->stream;
        if (!s->stream)
            return false;
        s->incoming = true;
        s->began_us = g_get_monotonic_time();
        s->info.ram_bytes = ram_set_end(s->b->machine.ram);
        set_status(s, MIGRATION_ACTIVE, NULL);
        state_stream_start(s->stream, NULL, stream_done, s);
    }
    if (!later)
        run_control_await(s->rc);
    return true;
}

bool savestate_awaits(const SaveState *s)
{
    return s->deferred;
}

MigrationInfo savestate_status(const SaveState *s)
{
    return s->info;
}

/* ---- For the monitor ------------------------------------------------------------------------- */

static bool save(void *opaque, const char *name, GError **error)
{
    return savestate_save(opaque, name, error);
}

static bool load(void *opaque, const char *name, GError **error)
{
    return savestate_load(opaque, name, error);
}

static bool remove_one(void *opaque, const char *name, GError **error)
{
    return savestate_delete(opaque, name, error);
}

static void print(void *opaque, GString *out)
{
    savestate_print(opaque, out);
}

static bool migrate(void *opaque, const char *uri, GError **error)
{
    return savestate_migrate(opaque, uri, error);
}

static bool incoming(void *opaque, const char *uri, GError **error)
{
    SaveState *s = opaque;

    if (s->deferred)
        return savestate_incoming(s, uri, error);
    error_set(error, "'-incoming' was not specified on the command line");
    return false;
}

static void cancel(void *opaque)
{
    savestate_cancel(opaque);
}

static void print_migration(void *opaque, GString *out)
{
    const SaveState *s = opaque;
    const MigrationInfo *i = &s->info;

    if (i->status == MIGRATION_NONE)
        return;
    g_string_append_printf(out, "Migration status: %s", status_texts[i->status]);
    if (i->why)
        g_string_append_printf(out, " (%s)", i->why);
    g_string_append_printf(out, "\ntotal time: %" PRId64 " ms\n", i->total_ms);
    if (!s->incoming)
        g_string_append_printf(out, "transferred ram: %" PRIu64 " kbytes\n", i->bytes >> 10);
    g_string_append_printf(out, "total ram: %" PRIu64 " kbytes\n", i->ram_bytes >> 10);
}

static MonitorMigration migration(void *opaque)
{
    const MigrationInfo *i = &((SaveState *)opaque)->info;

    return (MonitorMigration){ i->status == MIGRATION_NONE ? NULL : status_texts[i->status], i->why,
                               i->bytes, i->ram_bytes, i->total_ms };
}

SaveState *savestate_new(Built *b, RunControl *rc)
{
    SaveState *s = g_new0(SaveState, 1);

    s->b = b;
    s->rc = rc;
    s->channel = input_add_channel(b->machine.input, "state", true, hear_done, s);
    s->for_monitor = (MonitorStates){ save,     load,   remove_one,      print,     migrate,
                                      incoming, cancel, print_migration, migration, s };
    return s;
}

void savestate_free(SaveState *s)
{
    if (!s)
        return;
    state_stream_free(s->stream);
    g_free(s->why);
    g_free(s);
}

const MonitorStates *savestate_for_monitor(SaveState *s)
{
    return &s->for_monitor;
}
