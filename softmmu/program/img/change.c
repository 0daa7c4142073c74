/* SPDX-License-Identifier: MIT */
/* `mimus img` create, resize, rebase, commit, snapshot: images that come to be or change. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "softmmu/program/img/internal.h"
#include "softmmu/program/options/keyval.h"

#define SECTOR 512
#define PIECE  65536

/* ---- -o ---------------------------------------------------------------------------------------
 */

static const char *const rooms[] = { [IMAGE_SPARSE] = "off",
                                     [IMAGE_METADATA] = "metadata",
                                     [IMAGE_FALLOC] = "falloc",
                                     [IMAGE_FULL] = "full",
                                     NULL };

typedef struct Layout {
    ImageCreate what;
    char *backing, *backing_format, *compat, *room;
} Layout;

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

static bool set_backing(void *ctx, const char *value, GError **error)
{
    replace(&((Layout *)ctx)->backing, value);
    return true;
}

static bool set_backing_format(void *ctx, const char *value, GError **error)
{
    replace(&((Layout *)ctx)->backing_format, value);
    return true;
}

static bool set_cluster(void *ctx, const char *value, GError **error)
{
    return parse_size(value, 1, &((Layout *)ctx)->what.cluster, error);
}

/* Its place in @words, -1 with @error. */
static int find_word(const char *value, const char *const *words, GError **error)
{
    for (int i = 0; words[i]; i++) {
        if (!strcmp(words[i], value))
            return i;
    }
    error_set(error, "'%s' is not supported", value);
    return -1;
}

static bool set_compat(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "0.10", "v2", "1.1", "v3", NULL };
    int n = find_word(value, words, error);

    ((Layout *)ctx)->what.version = n < 2 ? 2 : 3;
    replace(&((Layout *)ctx)->compat, value);
    return n >= 0;
}

static bool set_lazy(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Layout *)ctx)->what.lazy, error);
}

static bool set_compression(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "zlib", "zstd", NULL };
    int n = find_word(value, words, error);

    ((Layout *)ctx)->what.zstd = n == 1;
    return n >= 0;
}

static bool set_room(void *ctx, const char *value, GError **error)
{
    int n = find_word(value, rooms, error);

    if (n >= 0)
        ((Layout *)ctx)->what.room = n;
    replace(&((Layout *)ctx)->room, value);
    return n >= 0;
}

static bool set_size(void *ctx, const char *value, GError **error)
{
    return parse_size(value, 1, &((Layout *)ctx)->what.size, error);
}

static bool check_count_bits(void *ctx, const char *value, GError **error)
{
    uint64_t n;

    return parse_number(value, 16, 16, &n, error);
}

static const KeyRow qcow2_keys[] = {
    { "backing_file", set_backing },
    { "backing_fmt", set_backing_format },
    { "cluster_size", set_cluster },
    { "compat", set_compat },
    { "compression_type", set_compression },
    { "encryption", key_must_be_off },
    { "extended_l2", key_must_be_off },
    { "lazy_refcounts", set_lazy },
    { "preallocation", set_room },
    { "refcount_bits", check_count_bits },
    { "size", set_size },
    { NULL },
};

static const KeyRow raw_keys[] = {
    { "preallocation", set_room },
    { "size", set_size },
    { NULL },
};

static void tell_layout(Img *g, const Layout *l)
{
    const ImageCreate *w = &l->what;
    g_autoptr(GString) line = g_string_new(NULL);
    bool qcow2 = !strcmp(w->format, "qcow2");

    g_string_printf(line, "Formatting '%s', fmt=%s", w->path, w->format);
    if (qcow2)
        g_string_append_printf(line, " cluster_size=%" PRIu64 " extended_l2=off",
                               w->cluster ? w->cluster : 65536);
    if (qcow2 && l->room)
        g_string_append_printf(line, " preallocation=%s", l->room);
    if (qcow2)
        g_string_append_printf(line, " compression_type=%s", w->zstd ? "zstd" : "zlib");
    g_string_append_printf(line, " size=%" PRIu64, w->size);
    if (l->backing)
        g_string_append_printf(line, " backing_file=%s", l->backing);
    if (l->backing && l->backing_format)
        g_string_append_printf(line, " backing_fmt=%s", l->backing_format);
    if (l->compat)
        g_string_append_printf(line, " compat=%s", l->compat);
    if (qcow2)
        g_string_append_printf(line, " lazy_refcounts=%s refcount_bits=16", w->lazy ? "on" : "off");
    else if (l->room)
        g_string_append_printf(line, " preallocation=%s", l->room);
    img_say(g, "%s\n", line->str);
}

/* The size of the backing file, seen from beside the image that is to be. */
static bool backing_size(Img *g, const Layout *l, uint64_t *size, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(l->what.path);
    g_autofree char *path = g_path_is_absolute(l->backing)
                                ? g_strdup(l->backing)
                                : g_build_filename(dir, l->backing, NULL);
    Image *image = img_open(g, path, l->backing_format, true, error);

    if (!image)
        return false;
    *size = image_size(image);
    image_close(image);
    return true;
}

static bool complete_layout(Img *g, Layout *l, uint64_t size, GError **error)
{
    ImageCreate *w = &l->what;

    if (l->backing && !l->backing_format)
        return img_fail(g, 1, error, "%s: Backing file specified without backing format", w->path);
    if (size)
        w->size = size;
    if (l->backing && (!g->option['u'] || !w->size) &&
        !backing_size(g, l, w->size ? &size : &w->size, error))
        return false;
    if (!w->size)
        return img_fail(g, 1, error, "%s: Image creation needs a size parameter", w->path);
    w->size = (w->size + SECTOR - 1) & -(uint64_t)SECTOR;
    w->backing = l->backing;
    w->backing_format = l->backing_format;
    return true;
}

bool img_make(Img *g, const char *format, const char *path, uint64_t size, const char *backing,
              const char *backing_format, bool tell, GError **error)
{
    Layout l = { .what = { .format = format, .path = path } };
    bool ok;

    if (strcmp(format, "raw") && strcmp(format, "qcow2"))
        return img_fail(g, 1, error, "%s: images of format '%s' cannot be made; use raw or qcow2",
                        path, format);
    l.backing = g_strdup(backing);
    l.backing_format = g_strdup(backing_format);
    ok = !g->layout || keyval_apply(g->layout->str, NULL,
                                    strcmp(format, "qcow2") ? raw_keys : qcow2_keys, &l, error);
    ok = ok && complete_layout(g, &l, size, error);
    if (ok && tell)
        tell_layout(g, &l);
    ok = ok && image_create(&l.what, error);
    g_free(l.backing);
    g_free(l.backing_format);
    g_free(l.compat);
    g_free(l.room);
    return ok;
}

static void list_keys(Img *g, const char *format)
{
    const KeyRow *rows = strcmp(format, "qcow2") ? raw_keys : qcow2_keys;

    img_say(g, "Supported %s options:\n", format);
    for (; rows->key; rows++)
        img_say(g, "  %s\n", rows->key);
}

bool img_create(Img *g, GError **error)
{
    const char *format = g->option['f'] ? g->option['f'] : "raw";
    uint64_t size = 0;

    if (g->layout && (!strcmp(g->layout->str, "help") || !strcmp(g->layout->str, "?"))) {
        list_keys(g, format);
        return true;
    }
    if (g->count == 2 && !parse_size(g->files[1], 1, &size, error))
        return false;
    return img_make(g, format, g->files[0], size, g->option['b'], g->option['F'], true, error);
}

/* ---- resize ---------------------------------------------------------------------------------- */

static bool fill_new(Img *g, Image *image, uint64_t old, GError **error)
{
    const char *mode = g->option[IMG_ROOM];
    int room = mode ? find_word(mode, rooms, error) : IMAGE_SPARSE, failure;

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
