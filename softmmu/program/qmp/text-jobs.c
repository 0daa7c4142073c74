/* SPDX-License-Identifier: MIT */
/* The text monitor's commands about disks that change: block_resize, commit, jobs; laid out as QEMU
 * 7.2 does. */
#include <inttypes.h>
#include <string.h>

#include "softmmu/program/options/keyval.h"
#include "softmmu/program/qmp/internal.h"
#include "softmmu/program/qmp/text.h"

/* Flags in front of the words, of those in @known, go to @flags. NULL with @error. */
static char **split_words(const char *args, const char *known, char *flags, GError **error)
{
    g_auto(GStrv) all = g_strsplit_set(args, " \t", -1);
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (char **w = all; *w; w++) {
        if (!**w)
            continue;
        if (words->len || **w != '-') {
            g_ptr_array_add(words, *w);
        } else if (!(*w)[1] || (*w)[2] || !strchr(known, (*w)[1])) {
            error_set(error, "unsupported option %s", *w);
            return NULL;
        } else {
            strncat(flags, *w + 1, 1);
        }
    }
    g_ptr_array_add(words, NULL);
    return g_strdupv((char **)words->pdata);
}

static bool ask(void *q, const char *command, Json *args, GError **error)
{
    Json *answer = text_ask(q, command, args, error);

    json_object_put(answer);
    return answer;
}

/* Word @n of @words, NULL if there are fewer. */
static const char *word(char **words, unsigned n)
{
    return n < g_strv_length(words) ? words[n] : NULL;
}

/* There are @count words at least; else what is lacking is told of @command. */
static bool has_words(char **words, unsigned count, const char *command, GError **error)
{
    unsigned n = g_strv_length(words);

    if (n < count)
        g_set_error(error, ERROR_USER, MONITOR_MISUNDERSTOOD, "%s: %s expected", command,
                    n ? "string" : "block device name");
    return n >= count;
}

static bool block_resize(void *q, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = split_words(args, "", (char[2]){ 0 }, error);
    uint64_t size;

    if (!words)
        return false;
    if (!word(words, 1) || !parse_size(words[1], 1 << 20, &size, NULL)) {
        g_set_error(error, ERROR_USER, MONITOR_MISUNDERSTOOD, "invalid size");
        return false;
    }
    return ask(q, "block_resize", json_make("device:s size:u", words[0], size), error);
}

/* ---- commit ------------------------------------------------------------------------------------
 */

static bool commit_all(GPtrArray *drives, GError **error)
{
    for (guint i = 0; i < drives->len; i++) {
        Image *image = drive_settled_image(drives->pdata[i]);
        int failure = image && image_backing(image) && !image_is_read_only(image)
                          ? drive_commit(drives->pdata[i])
                          : 0;

        if (!failure)
            continue;
        g_set_error(error, ERROR_USER, MONITOR_PLAIN, "'commit' error for '%s': %s",
                    drive_id(drives->pdata[i]), g_strerror(failure));
        return false;
    }
    return true;
}

static bool commit(void *opaque, const char *args, GString *out, GError **error)
{
    Qmp *q = opaque;
    g_autoptr(GPtrArray) drives = drive_list(q->w.m->root);
    Drive *d = drive_find(q->w.m->root, args);
    int failure;

    if (!qmp_may_change_disks(q, error))
        return false;
    if (!strcmp(args, "all"))
        return commit_all(drives, error);
    if (!d || !drive_has_medium(d)) {
        g_set_error(error, ERROR_USER, MONITOR_PLAIN,
                    d ? "Device '%s' has no medium" : "Device '%s' not found", args);
        return false;
    }
    failure = drive_commit(d);
    if (failure)
        g_set_error(error, ERROR_USER, MONITOR_PLAIN, "'commit' error for '%s': %s", args,
                    g_strerror(failure));
    return !failure;
}

/* ---- Jobs --------------------------------------------------------------------------------------
 */

static bool copy_disk(void *q, const char *name, const char *command, const char *args,
                      GError **error)
{
    char flags[8] = "";
    g_auto(GStrv) words = split_words(args, "nf", flags, error);

    if (!words || !has_words(words, 2, name, error))
        return false;
    return ask(q, command,
               json_make("device:s target:s format:s sync:s mode:s", words[0], words[1],
                         word(words, 2), strchr(flags, 'f') ? "full" : "top",
                         strchr(flags, 'n') ? "existing" : "absolute-paths"),
               error);
}

static bool drive_mirror(void *q, const char *args, GString *out, GError **error)
{
    return copy_disk(q, "drive_mirror", "drive-mirror", args, error);
}

static bool drive_backup(void *q, const char *args, GString *out, GError **error)
{
    return copy_disk(q, "drive_backup", "drive-backup", args, error);
}

static bool snapshot_blkdev(void *q, const char *args, GString *out, GError **error)
{
    char flags[8] = "";
    g_auto(GStrv) words = split_words(args, "n", flags, error);

    if (!words || !has_words(words, 1, "snapshot_blkdev", error))
        return false;
    if (!word(words, 1)) {
        error_set(error, "Parameter 'snapshot-file' is missing");
        return false;
    }
    return ask(q, "blockdev-snapshot-sync",
               json_make("device:s snapshot-file:s format:s mode:s", words[0], words[1],
                         word(words, 2), strchr(flags, 'n') ? "existing" : "absolute-paths"),
               error);
}

/* "device [number [base]]" */
static bool with_speed(void *q, const char *command, const char *args, bool needed, GError **error)
{
    g_auto(GStrv) words = split_words(args, "", (char[2]){ 0 }, error);
    uint64_t speed = 0;
    Json *o;

    if (!words)
        return false;
    if ((needed || word(words, 1)) &&
        (!word(words, 1) || !parse_size(words[1], 1, &speed, NULL) || speed > INT64_MAX)) {
        g_set_error(error, ERROR_USER, MONITOR_MISUNDERSTOOD, "invalid size");
        return false;
    }
    o = json_make("device:s base:s", words[0], word(words, 1) ? word(words, 2) : NULL);
    if (word(words, 1))
        json_object_object_add(o, "speed", json_object_new_int64(speed));
    return ask(q, command, o, error);
}

static bool block_stream(void *q, const char *args, GString *out, GError **error)
{
    return with_speed(q, "block-stream", args, false, error);
}

static bool block_job_set_speed(void *q, const char *args, GString *out, GError **error)
{
    return with_speed(q, "block-job-set-speed", args, true, error);
}

static bool block_job_cancel(void *q, const char *args, GString *out, GError **error)
{
    char flags[8] = "";
    g_auto(GStrv) words = split_words(args, "f", flags, error);

    return words && has_words(words, 1, "block_job_cancel", error) &&
           ask(q, "block-job-cancel", json_make("device:s force:b", words[0], !!*flags), error);
}

static bool block_job_pause(void *q, const char *args, GString *out, GError **error)
{
    return ask(q, "block-job-pause", json_make("device:s", args), error);
}

static bool block_job_resume(void *q, const char *args, GString *out, GError **error)
{
    return ask(q, "block-job-resume", json_make("device:s", args), error);
}

static bool block_job_complete(void *q, const char *args, GString *out, GError **error)
{
    return ask(q, "block-job-complete", json_make("device:s", args), error);
}

static void print_job(GString *out, Json *job)
{
    const char *type = json_text(job, "type", "");

    if (!strcmp(type, "stream"))
        g_string_append(out, "Streaming device ");
    else
        g_string_append_printf(out, "Type %s, device ", type);
    g_string_append_printf(
        out, "%s: Completed %" PRId64 " of %" PRId64 " bytes, speed limit %" PRId64 " bytes/s\n",
        json_text(job, "device", ""), json_int(job, "offset", 0), json_int(job, "len", 0),
        json_int(job, "speed", 0));
}

bool text_info_block_jobs(void *q, const char *args, GString *out, GError **error)
{
    Json *list = text_ask(q, "query-block-jobs", NULL, error);
    size_t n = list ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++)
        print_job(out, json_object_array_get_idx(list, i));
    if (!n)
        g_string_append(out, "No active jobs\n");
    json_object_put(list);
    return list;
}

/* clang-format off */
const MonitorExtra text_job_commands[] = {
    {"block_resize",        "blockdev size",           "another size for a disk (M without a unit)", block_resize},
    {"commit",              "blockdev|all",            "write what an image has into its backing file", commit},
    {"block_stream",        "blockdev [speed [base]]", "copy what lies behind an image into it",    block_stream},
    {"block_job_set_speed", "blockdev speed",          "limit a job, in bytes a second (0: do not)", block_job_set_speed},
    {"block_job_cancel",    "[-f] blockdev",           "end a job (-f: even if it could end well)", block_job_cancel},
    {"block_job_complete",  "blockdev",                "let a job that is ready end",               block_job_complete},
    {"block_job_pause",     "blockdev",                "let a job wait",                            block_job_pause},
    {"block_job_resume",    "blockdev",                "… and go on",                               block_job_resume},
    {"drive_mirror",        "[-n] [-f] blockdev target [format]", "keep a copy of a disk (-f: of what lies behind it, too; -n: the file is there)", drive_mirror},
    {"drive_backup",        "[-n] [-f] blockdev target [format]", "copy a disk as it is now (likewise)", drive_backup},
    {"snapshot_blkdev",     "[-n] blockdev new-image-file [format]", "what is written from now on goes to a new image", snapshot_blkdev},
    {NULL},
};
/* clang-format on */
