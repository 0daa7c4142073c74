/* SPDX-License-Identifier: MIT */
/*
 * A recording has what was read from disks, and not what is on them. So it is run again, unseen and
 * up to this moment, by a machine that has the images: it writes to them as the first one did, and
 * what it reads must be what was recorded. Network cards still find nobody at the other end.
 */
#include "softmmu/program/record/go-live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accel/travel.h"
#include "softmmu/block/drive.h"
#include "softmmu/error.h"
#include "softmmu/program/record/rerun.h"

#define NO_COUNT (UINT64_MAX / 4)

static void close_image(void *image)
{
    image_close(image);
}

static GPtrArray *drives_with_media(Device *root)
{
    GPtrArray *drives = drive_list(root);

    for (unsigned i = drives->len; i-- > 0;)
        if (!drive_has_medium(drives->pdata[i]))
            g_ptr_array_remove_index(drives, i);
    return drives;
}

static bool ask_for_images(const GPtrArray *drives, GError **error)
{
    g_autoptr(GString) text = g_string_new("");

    if (!drives->len) {
        error_set(error, "the machine has no disks: go-live needs no more words");
        return false;
    }
    for (unsigned i = 0; i < drives->len; i++)
        g_string_append_printf(text, " %s=FILE", drive_id(drives->pdata[i]));
    error_set(
        error,
        "what is on the machine's disks is not in the recording; give images as they were when "
        "it began, or when they came: go-live%s",
        text->str);
    return false;
}

typedef struct Given {
    char *path;
    uint64_t size; /* bytes of what is in it */
} Given;

static void free_given(void *p)
{
    g_free(((Given *)p)->path);
    g_free(p);
}

static ImageOpen for_reading(const Given *g)
{
    return (ImageOpen){ .path = g->path, .read_only = true };
}

static bool look_at(Given *g, GError **error)
{
    ImageOpen how = for_reading(g);
    Image *image = image_open(&how, error);

    if (!image)
        return false;
    g->size = image_size(image);
    image_close(image);
    return true;
}

/* "DRIVE=FILE…" -> a table of drive ids and Givens: one for each of @drives. */
static bool parse_images(const char *text, const GPtrArray *drives, GHashTable *paths,
                         GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);

    for (char **word = words; *word; word++) {
        char *is = strchr(*word, '=');

        if (is && is[1]) {
            Given *given = g_new0(Given, 1);

            given->path = g_strdup(is + 1);
            g_hash_table_insert(paths, g_strndup(*word, is - *word), given);
            if (!look_at(given, error))
                return false;
        } else if (**word)
            return ask_for_images(drives, error);
    }
    for (unsigned i = 0; i < drives->len; i++)
        if (!g_hash_table_contains(paths, drive_id(drives->pdata[i])))
            return ask_for_images(drives, error);
    return g_hash_table_size(paths) == drives->len || ask_for_images(drives, error);
}

/* The machine that runs again, and the images that it is given. */
typedef struct Gathering {
    Rerun run;
    GHashTable *paths; /* drive id -> Given */
    GError *error;
} Gathering;

/* What the machine writes goes to a file above. */
static bool give_image(Drive *drive, const Given *given, GError **error)
{
    ImageOpen how = for_reading(given);
    Image *image = image_open(&how, error);

    image = image ? image_open_overlay(image, error) : NULL;
    if (image)
        drive_begin_shadow(drive, image);
    return image;
}

/* A medium that comes with the recording, now or later, is taken to be the file if it is of that
 * size. */
static bool wants_image(const Drive *d, const Given *given)
{
    return drive_has_medium(d) && !drive_wiring(d)->image &&
           drive_sectors(d) * DRIVE_SECTOR == given->size;
}

static bool give_images(Gathering *g)
{
    GHashTableIter iter;
    void *id, *given;

    g_hash_table_iter_init(&iter, g->paths);
    while (!g->error && g_hash_table_iter_next(&iter, &id, &given)) {
        Drive *drive = drive_find(g->run.built.machine.root, id);

        if (drive && wants_image(drive, given))
            give_image(drive, given, &g->error);
    }
    return !g->error;
}

/* Between slices: what has just come has not been asked for anything. */
static bool process(void *opaque, bool *quit)
{
    Gathering *g = opaque;
    bool may_run = run_control_process(g->run.rc, quit);

    if (!give_images(g))
        *quit = true;
    return may_run;
}

/* Drive ids -> images as they are now. */
static bool take_images(Device *root, GHashTable *paths, GHashTable *images, GError **error)
{
    GHashTableIter iter;
    void *id, *value;

    g_hash_table_iter_init(&iter, paths);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        const Given *given = value;
        Drive *drive = drive_find(root, id);
        bool differs;
        Image *image = drive_end_shadow(drive, &differs);

        if (image)
            g_hash_table_insert(images, g_strdup(id), image);
        if (!image)
            error_set(error, "'%s' has %" PRIu64 " bytes, and the medium in '%s' had %" PRIu64,
                      given->path, given->size, (char *)id, drive_sectors(drive) * DRIVE_SECTOR);
        else if (differs)
            error_set(error,
                      "'%s' is not what '%s' had when the recording began, or when it came: "
                      "something else was read there",
                      given->path, (char *)id);
        if (!image || differs)
            return false;
    }
    return true;
}

static bool run_again(Gathering *g, uint64_t steps, GError **error)
{
    LockstepSide side = { g->run.built.accel, process, NULL, g };

    if (lockstep_run(&side, NO_COUNT, steps))
        return true;
    if (g->error)
        g_propagate_error(error, g_steal_pointer(&g->error));
    else
        error_set(error, "the recording ended before this moment when it was run again");
    return false;
}

static bool gather_images(const Built *b, const Options *o, GHashTable *paths, GHashTable *images,
                          GError **error)
{
    Gathering g = { .paths = paths };
    bool good = rerun_open(&g.run, o, NULL, o->replay_file, error) &&
                run_again(&g, travel_steps(b->accel), error) &&
                take_images(g.run.built.machine.root, paths, images, error);

    rerun_close(&g.run);
    return good;
}

bool go_live(Built *b, const Options *o, const char *args, GError **error)
{
    g_autoptr(GPtrArray) drives = drives_with_media(b->machine.root);
    g_autoptr(GHashTable) paths =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_given);
    g_autoptr(GHashTable) images =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_image);
    g_autoptr(GPtrArray) all = drive_list(b->machine.root);

    if (!parse_images(args, drives, paths, error) ||
        (drives->len && !gather_images(b, o, paths, images, error)))
        return false;
    for (unsigned i = 0; i < all->len; i++) {
        void *id = NULL, *image = NULL;

        g_hash_table_steal_extended(images, drive_id(all->pdata[i]), &id, &image);
        g_free(id);
        drive_go_live(all->pdata[i], image);
    }
    fprintf(stderr, "mimus: the recording is left at %" PRIu64 " instructions\n",
            accel_instruction_count(b->accel));
    travel_go_live(b->accel);
    b->machine.stays = false;
    return true;
}
