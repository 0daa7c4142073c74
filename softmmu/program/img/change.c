/* SPDX-License-Identifier: MIT */
/* `mimus img` resize, rebase, commit, snapshot: images that change. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "softmmu/program/img/internal.h"
#include "softmmu/program/options/keyval.h"

#define SECTOR 512
#define PIECE  65536

/* ---- resize ---------------------------------------------------------------------------------- */

static bool fill_new(Img *g, Image *image, uint64_t old, GError **error)
{
    const char *mode = g->option[IMG_ROOM];
    int room = mode ? img_find_word(mode, img_rooms, error) : IMAGE_SPARSE, failure;

    if (room < 0)
        return false;
    failure = room == IMAGE_SPARSE ? 0 : image_fill(image, old, room);
    return !failure || img_fail(g, 1, error, "Could not preallocate '%s': %s", g->files[0],
                                g_strerror(failure));
}

bool img_resize(Img *g, GError **error)
{
    const char *text = g->files[1];
    int sign = *text == '+' ? 1 : *text == '-' ? -1 : 0;
    uint64_t size, old;
    Image *image;
    bool ok;

    if (!parse_size(text + (sign != 0), 1, &size, error))
        return false;
    image = img_open(g, g->files[0], g->option['f'], false, error);
    if (!image)
        return false;
    old = image_size(image);
    if (sign < 0 && size >= old)
        size = 0;
    else
        size = sign ? old + sign * size : size;
    size = (size + SECTOR - 1) & -(uint64_t)SECTOR;
    if (!size)
        ok = img_fail(g, 1, error, "New image size must be positive");
    else if (size < old && !g->option[IMG_SHRINK])
        ok = img_fail(g, 1, error, "Use the --shrink option to perform a shrink operation.");
    else
        ok = image_resize(image, size, error) && (size <= old || fill_new(g, image, old, error));
    image_close(image);
    if (ok)
        img_say(g, "Image resized.\n");
    return ok;
}

/* ---- rebase ---------------------------------------------------------------------------------- */

/* What of @old the image shows is what @now has; where it is not, the image gets it. */
static int keep_contents(Img *g, Image *image, Image *old, Image *now)
{
    g_autofree uint8_t *was = g_malloc(PIECE), *is = g_malloc(PIECE);
    uint64_t size = image_size(image);
    int error = 0;

    for (uint64_t at = 0, len; at < size && !error; at += len) {
        ImageLayer layer;

        len = PIECE;
        img_progress(g, at, size);
        error = image_layer(image, at, &len, &layer);
        if (error || layer == IMAGE_DATA)
            continue;
        memset(is, 0, len);
        error = image_read(image, at, was, len);
        if (!error && now && at < image_size(now))
            error = image_read(now, at, is, MIN(len, image_size(now) - at));
        if (!error && memcmp(was, is, len))
            error = img_is_zero(was, len) ? image_zero(image, at, len)
                                          : image_write(image, at, was, len);
    }
    img_progress(g, size, size);
    return error;
}

static bool rebase(Img *g, Image *image, const char *name, Image *now, GError **error)
{
    const char *format = now ? image_format(now) : g->option['F'];
    int failure = 0;

    if (!g->option['u'])
        failure = keep_contents(g, image, image_backing(image), now);
    if (!failure)
        failure = image_name_backing(image, *name ? name : NULL, format);
    return !failure || img_fail(g, 1, error, "Could not change the backing file to '%s': %s", name,
                                g_strerror(failure));
}

bool img_rebase(Img *g, GError **error)
{
    const char *name = g->option['b'];
    ImageOpen how = { .path = g->files[0], .format = g->option['f'], .alone = g->option['u'] };
    g_autofree char *dir = g_path_get_dirname(how.path);
    g_autofree char *path = NULL;
    Image *image, *now = NULL;
    bool ok;

    if (!name)
        return img_fail(g, 1, error, "-b is needed: the new backing file, or '' for none");
    if (*name && !g->option['F'])
        return img_fail(g, 1, error, "-b needs -F: the format of the backing file");
    image = image_open(&how, error);
    if (!image)
        return false;
    path = g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(dir, name, NULL);
    if (*name && !g->option['u'])
        now = img_open(g, path, g->option['F'], true, error);
    ok = (now || !*name || g->option['u']) && rebase(g, image, name, now, error);
    image_close(now);
    image_close(image);
    return ok;
}

/* ---- commit ---------------------------------------------------------------------------------- */

bool img_commit(Img *g, GError **error)
{
    Image *image = img_open(g, g->files[0], g->option['f'], false, error), *base;
    const char *name = g->option['b'];
    int failure;
    bool ok;

    if (!image)
        return false;
    base = name ? image_find_behind(image, name) : image_backing(image);
    img_progress(g, 0, 1);
    failure = base ? image_commit(image, base, g->option['d'] || name) : 0;
    img_progress(g, 1, 1);
    if (!base && name)
        ok = img_fail(g, 1, error, "Did not find '%s' in the backing chain of '%s'", name,
                      g->files[0]);
    else if (!base)
        ok = img_fail(g, 1, error, "Image does not have a backing file");
    else
        ok = !failure || img_fail(g, 1, error, "'%s' could not be committed: %s", g->files[0],
                                  g_strerror(failure));
    image_close(image);
    if (ok)
        img_say(g, "Image committed.\n");
    return ok;
}

/* ---- snapshot -------------------------------------------------------------------------------- */

static void list_snapshots(Img *g, const GPtrArray *list)
{
    if (list->len) {
        img_say(g, "Snapshot list:\n");
        image_snapshot_print(NULL, NULL, g->answer->out);
    }
    for (guint i = 0; i < list->len; i++)
        image_snapshot_print(list->pdata[i], NULL, g->answer->out);
}

static int change_snapshot(const Img *g, Image *image, const GPtrArray *list)
{
    const char *name = g->option['a'] ? g->option['a'] : g->option['d'];
    const ImageSnapshot *s = name ? image_find_snapshot(list, name) : NULL;
    ImageSnapshot what = { .name = (char *)g->option['c'],
                           .date_s = time(NULL),
                           .icount = UINT64_MAX };

    if (g->option['c'])
        return image_snapshot_create(image, &what, NULL);
    if (!s)
        return ENOENT;
    return g->option['a'] ? image_snapshot_apply(image, s) : image_snapshot_delete(image, s);
}

bool img_snapshot(Img *g, GError **error)
{
    unsigned changes = !!g->option['a'] + !!g->option['c'] + !!g->option['d'];
    Image *image;
    GPtrArray *list;
    int failure;

    if (changes + !!g->option['l'] > 1)
        return img_fail(g, 1, error, "Cannot mix '-l', '-a', '-c', '-d'");
    image = img_open(g, g->files[0], g->option['f'], !changes, error);
    if (!image)
        return false;
    list = image_snapshots(image, &failure);
    if (list && changes)
        failure = change_snapshot(g, image, list);
    else if (list)
        list_snapshots(g, list);
    if (failure)
        img_fail(g, 1, error, "'%s': %s", g->files[0],
                 failure == ENOENT ? "it has no snapshot of that name" : g_strerror(failure));
    g_clear_pointer(&list, g_ptr_array_unref);
    image_close(image);
    return !failure;
}
