/* SPDX-License-Identifier: MIT */
/*
 * Spelling follows qemu-img: create -f FMT [-b BACKING [-F FMT]] FILE [SIZE], info [-f FMT] FILE,
 * check [-r] FILE, convert [-f FMT] -O FMT FROM TO, snapshot [-l | -a|-c|-d NAME] FILE.
 */
#include "softmmu/program/img.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "softmmu/block/qcow2.h"
#include "softmmu/error.h"
#include "softmmu/program/options/keyval.h"

#define CHUNK (1u << 20)

typedef struct ImgArgs {
    const char *format, *out_format, *backing, *backing_format;
    const char *apply, *create, *remove; /* snapshots */
    bool repair, list;
    const char *files[3];
    unsigned count;
} ImgArgs;

static bool take_args(ImgArgs *a, int argc, char **argv, GError **error)
{
    const struct {
        char letter;
        const char **value;
    } known[] = {
        { 'f', &a->format },         { 'O', &a->out_format }, { 'b', &a->backing },
        { 'F', &a->backing_format }, { 'a', &a->apply },      { 'c', &a->create },
        { 'd', &a->remove },
    };

    *a = (ImgArgs){ 0 };
    for (int i = 3; i < argc; i++) {
        size_t n = 0;

        if (argv[i][0] != '-') {
            if (a->count == G_N_ELEMENTS(a->files)) {
                error_set(error, "img %s: '%s' is one argument too many", argv[2], argv[i]);
                return false;
            }
            a->files[a->count++] = argv[i];
            continue;
        }
        if (!strcmp(argv[i], "-r")) {
            a->repair = true;
            continue;
        }
        if (!strcmp(argv[i], "-l")) {
            a->list = true;
            continue;
        }
        while (n < G_N_ELEMENTS(known) && (argv[i][1] != known[n].letter || argv[i][2]))
            n++;
        if (n == G_N_ELEMENTS(known) || i + 1 == argc) {
            error_set(error, "img %s: '%s' is %s", argv[2], argv[i],
                      n == G_N_ELEMENTS(known) ? "no option of it" : "without its argument");
            return false;
        }
        *known[n].value = argv[++i];
    }
    return true;
}

static bool wants(const ImgArgs *a, unsigned least, unsigned most, const char *usage,
                  GError **error)
{
    if (a->count >= least && a->count <= most)
        return true;
    error_set(error, "usage: mimus img %s", usage);
    return false;
}

static Image *open_for(const char *path, const char *format, bool read_only, GError **error)
{
    ImageOpen how = { .path = path, .format = format, .read_only = read_only };

    return image_open(&how, error);
}

/* ---- create ---------------------------------------------------------------------------------- */

static bool create_image(const ImgArgs *a, const char *format, const char *path, uint64_t size,
                         GError **error)
{
    return image_create(&(ImageCreate){ .path = path,
                                        .format = format,
                                        .size = size,
                                        .backing = a->backing,
                                        .backing_format = a->backing_format },
                        error);
}

/* The size of the backing file, seen from beside the image that is to be. */
static bool backing_size(const ImgArgs *a, uint64_t *size, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(a->files[0]);
    g_autofree char *path = g_path_is_absolute(a->backing)
                                ? g_strdup(a->backing)
                                : g_build_filename(dir, a->backing, NULL);
    Image *image = open_for(path, a->backing_format, true, error);

    if (!image)
        return false;
    *size = image_size(image);
    image_close(image);
    return true;
}

static bool img_create(const ImgArgs *a, GString *out, GError **error)
{
    uint64_t size = 0;

    if (!wants(a, 1, 2, "create [-f FORMAT] [-b BACKING -F FORMAT] FILE [SIZE]", error))
        return false;
    if (a->backing && !a->backing_format) {
        error_set(error, "-b needs -F: the format of the backing file");
        return false;
    }
    if (a->backing && !backing_size(a, &size, error))
        return false;
    if (!a->backing && a->count < 2) {
        error_set(error, "a size is needed");
        return false;
    }
    if (a->count == 2 && !parse_size(a->files[1], 1, &size, error))
        return false;
    size = (size + 511) & ~UINT64_C(511);
    return create_image(a, a->format ? a->format : "raw", a->files[0], size, error);
}

/* ---- info, check ----------------------------------------------------------------------------- */

static bool img_info(const ImgArgs *a, GString *out, GError **error)
{
    struct stat st;
    Image *image;

    if (!wants(a, 1, 1, "info [-f FORMAT] FILE", error))
        return false;
    image = open_for(a->files[0], a->format, true, error);
    if (!image)
        return false;
    g_string_append_printf(out, "image: %s\nfile format: %s\nvirtual size: %" PRIu64 " bytes\n",
                           a->files[0], image_format(image), image_size(image));
    if (!stat(a->files[0], &st))
        g_string_append_printf(out, "disk size: %" PRIu64 " bytes\n", (uint64_t)st.st_blocks * 512);
    if (image->format == &image_format_qcow2) {
        const Qcow2 *q = image->own;

        g_string_append_printf(out, "cluster_size: %" PRIu64 "\n", q->cluster);
        if (q->backing_path)
            g_string_append_printf(out, "backing file: %s\n", q->backing_path);
        if (q->backing_format)
            g_string_append_printf(out, "backing file format: %s\n", q->backing_format);
        if (q->snapshots)
            g_string_append_printf(out, "snapshots: %u\n", q->snapshots);
    }
    image_close(image);
    return true;
}

static bool img_check(const ImgArgs *a, GString *out, GError **error)
{
    Qcow2Report r;
    Image *image;
    int failure;
    bool ok;

    if (!wants(a, 1, 1, "check [-r] FILE", error))
        return false;
    image = open_for(a->files[0], a->format, !a->repair, error);
    if (!image)
        return false;
    if (image->format != &image_format_qcow2) {
        error_set(error, "images of format '%s' have nothing to check", image_format(image));
        image_close(image);
        return false;
    }
    failure = qcow2_check(image, a->repair, &r);
    image_close(image);
    ok = !failure && !r.errors;
    if (failure)
        error_set(error, "'%s' could not be checked: %s", a->files[0], g_strerror(failure));
    else if (r.errors)
        error_set(error, "'%s': %" PRIu64 " errors, %" PRIu64 " leaked clusters", a->files[0],
                  r.errors, r.leaks);
    else if (r.leaks)
        g_string_append_printf(out, "%" PRIu64 " leaked clusters were found (-r gives them back)\n",
                               r.leaks);
    else
        g_string_append_printf(out, "No errors were found on the image.\n");
    return ok;
}

/* ---- convert --------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *p, size_t len)
{
    return !p[0] && !memcmp(p, p + 1, len - 1);
}

static bool copy(Image *from, Image *to, GError **error)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    uint64_t size = image_size(from);
    int failure = 0;

    for (uint64_t at = 0, n; at < size && !failure; at += n) {
        n = MIN(size - at, CHUNK);
        failure = image_read(from, at, buf, n);
        for (uint64_t part = 0, len; part < n && !failure; part += len) {
            len = MIN(n - part, 65536);
            if (!is_zero(buf + part, len))
                failure = image_write(to, at + part, buf + part, len);
        }
    }
    if (!failure)
        failure = image_flush(to);
    if (failure)
        error_set(error, "could not copy '%s': %s", image_path(from), g_strerror(failure));
    return !failure;
}

static bool img_convert(const ImgArgs *a, GString *out, GError **error)
{
    const char *format = a->out_format ? a->out_format : "raw";
    Image *from, *to = NULL;
    bool ok;

    if (!wants(a, 2, 2, "convert [-f FORMAT] -O FORMAT FROM TO", error))
        return false;
    from = open_for(a->files[0], a->format, true, error);
    if (!from)
        return false;
    ok = create_image(a, format, a->files[1], image_size(from), error);
    if (ok)
        to = open_for(a->files[1], format, false, error);
    ok = to && copy(from, to, error);
    image_close(to);
    image_close(from);
    return ok;
}

/* ---- snapshot -------------------------------------------------------------------------------- */

static void list_snapshots(const GPtrArray *list, GString *out)
{
    if (list->len) {
        g_string_append(out, "Snapshot list:\n");
        image_snapshot_print(NULL, NULL, out);
    }
    for (guint i = 0; i < list->len; i++)
        image_snapshot_print(list->pdata[i], NULL, out);
}

static int change_snapshot(const ImgArgs *a, Image *image, const GPtrArray *list)
{
    const char *name = a->apply ? a->apply : a->remove;
    const ImageSnapshot *s = name ? image_find_snapshot(list, name) : NULL;
    ImageSnapshot what = { .name = (char *)a->create, .date_s = time(NULL), .icount = UINT64_MAX };

    if (a->create)
        return image_snapshot_create(image, &what, NULL);
    if (!s)
        return ENOENT;
    return a->apply ? image_snapshot_apply(image, s) : image_snapshot_delete(image, s);
}

static bool img_snapshot(const ImgArgs *a, GString *out, GError **error)
{
    static const char usage[] = "snapshot [-l | -a NAME | -c NAME | -d NAME] FILE";
    unsigned changes = !!a->apply + !!a->create + !!a->remove;
    Image *image;
    GPtrArray *list;
    int failure;

    if (!wants(a, 1, 1, usage, error))
        return false;
    if (changes + a->list > 1)
        return wants(a, 2, 2, usage, error);
    image = open_for(a->files[0], a->format, !changes, error);
    if (!image)
        return false;
    list = image_snapshots(image, &failure);
    if (list && changes)
        failure = change_snapshot(a, image, list);
    else if (list)
        list_snapshots(list, out);
    if (failure)
        error_set(error, "'%s': %s", a->files[0],
                  failure == ENOENT ? "it has no snapshot of that name" : g_strerror(failure));
    g_clear_pointer(&list, g_ptr_array_unref);
    image_close(image);
    return !failure;
}

bool img_command(int argc, char **argv, GString *out, GError **error)
{
    static const struct {
        const char *name;
        bool (*run)(const ImgArgs *a, GString *out, GError **error);
    } commands[] = { { "create", img_create },
                     { "info", img_info },
                     { "check", img_check },
                     { "convert", img_convert },
                     { "snapshot", img_snapshot } };
    ImgArgs a;

    for (size_t i = 0; argc > 2 && i < G_N_ELEMENTS(commands); i++) {
        if (!strcmp(argv[2], commands[i].name))
            return take_args(&a, argc, argv, error) && commands[i].run(&a, out, error);
    }
    error_set(error, "usage: mimus img create|info|check|convert|snapshot ...");
    return false;
}
