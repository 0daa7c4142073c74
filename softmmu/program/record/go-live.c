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
        "it began: go-live%s",
        text->str);
    return false;
}

/* "DRIVE=FILE…" -> a table of drive ids and files: one for each of @drives. */
static bool parse_images(const char *text, const GPtrArray *drives, GHashTable *paths,
                         GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);

    for (char **word = words; *word; word++) {
        char *is = strchr(*word, '=');

        if (is && is[1])
            g_hash_table_insert(paths, g_strndup(*word, is - *word), g_strdup(is + 1));
        else if (**word)
            return ask_for_images(drives, error);
    }
    for (unsigned i = 0; i < drives->len; i++)
        if (!g_hash_table_contains(paths, drive_id(drives->pdata[i])))
            return ask_for_images(drives, error);
    return g_hash_table_size(paths) == drives->len || ask_for_images(drives, error);
}

/* The machine that runs again gets the images, under files for what it writes. */
static bool give_images(Device *root, GHashTable *paths, GError **error)
{
    GHashTableIter iter;
    void *id, *path;

    g_hash_table_iter_init(&iter, paths);
    while (g_hash_table_iter_next(&iter, &id, &path)) {
        ImageOpen how = { .path = path, .read_only = true };
        Drive *drive = drive_find(root, id);
        Image *image = NULL;
        uint64_t size;

        if (!drive) {
            error_set(error, "'%s' was plugged in after the begin, which go-live cannot do",
                      (char *)id);
            return false;
        }
        image = image_open(&how, error);
        size = image ? image_size(image) : 0;
        if (!image || !(image = image_open_overlay(image, error)))
            return false;
        if (size != drive_sectors(drive) * DRIVE_SECTOR) {
            error_set(error, "'%s' has %" PRIu64 " bytes, and the medium in '%s' had %" PRIu64,
                      (char *)path, size, (char *)id, drive_sectors(drive) * DRIVE_SECTOR);
            image_close(image);
            return false;
        }
        drive_begin_shadow(drive, image);
    }
    return true;
}

/* Drive ids -> images as they are now. */
static bool take_images(Device *root, GHashTable *paths, GHashTable *images, GError **error)
{
    GHashTableIter iter;
    void *id, *path;

    g_hash_table_iter_init(&iter, paths);
    while (g_hash_table_iter_next(&iter, &id, &path)) {
        bool differs;
        Image *image = drive_end_shadow(drive_find(root, id), &differs);

        if (image)
            g_hash_table_insert(images, g_strdup(id), image);
        if (!image || differs) {
            error_set(error,
                      image ? "'%s' is not what '%s' had when the recording began: something else "
                              "was read there"
                            : "instead of '%s', '%s' got another medium in the recording",
                      (char *)path, (char *)id);
            return false;
        }
    }
    return true;
}

static bool gather_images(const Built *b, const Options *o, GHashTable *paths, GHashTable *images,
                          GError **error)
{
    Rerun run = { 0 };
    bool good = rerun_open(&run, o, NULL, o->replay_file, error) &&
                give_images(run.built.machine.root, paths, error);

    if (good && !lockstep_run(&run.step, NO_COUNT, travel_steps(b->accel))) {
        error_set(error, "the recording ended before this moment when it was run again");
        good = false;
    }
    good = good && take_images(run.built.machine.root, paths, images, error);
    rerun_close(&run);
    return good;
}

bool go_live(Built *b, const Options *o, const char *args, GError **error)
{
    g_autoptr(GPtrArray) drives = drives_with_media(b->machine.root);
    g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
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
