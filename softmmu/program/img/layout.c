/* SPDX-License-Identifier: MIT */
/* Images that are made: what -o may say of them, for create, convert and dd. */
#include <inttypes.h>
#include <string.h>

#include "softmmu/program/img/internal.h"
#include "softmmu/program/options/keyval.h"

#define SECTOR 512

typedef struct Layout {
    ImageCreate what;
    bool sized;      /* -o says how large it is */
    uint64_t wanted; /* that size, to the byte */
    char *backing, *backing_format, *compat, *room, *data_file;
    bool data_raw_said;
} Layout;

/* ---- Keys ------------------------------------------------------------------------------------ */

const char *const img_rooms[] = { [IMAGE_SPARSE] = "off",
                                  [IMAGE_METADATA] = "metadata",
                                  [IMAGE_FALLOC] = "falloc",
                                  [IMAGE_FULL] = "full",
                                  NULL };

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

int img_find_word(const char *value, const char *const *words, GError **error)
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
    replace(&((Layout *)ctx)->compat, value);
    return img_parse_compat(value, &((Layout *)ctx)->what.version, error);
}

bool img_parse_compat(const char *value, unsigned *version, GError **error)
{
    static const char *const words[] = { "0.10", "v2", "1.1", "v3", NULL };
    int n = img_find_word(value, words, error);

    *version = n < 2 ? 2 : 3;
    return n >= 0;
}

bool img_parse_count_bits(const char *value, unsigned *bits, GError **error)
{
    uint64_t n;

    if (!parse_number(value, 0, UINT32_MAX, &n, error))
        return false;
    *bits = n;
    if (n && n <= 64 && !(n & (n - 1)))
        return true;
    error_set(error, "Refcount width must be a power of two and may not exceed 64 bits");
    return false;
}

static bool set_lazy(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Layout *)ctx)->what.lazy, error);
}

static bool set_extended(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Layout *)ctx)->what.extended, error);
}

static bool set_data_file(void *ctx, const char *value, GError **error)
{
    replace(&((Layout *)ctx)->data_file, value);
    return true;
}

static bool set_data_raw(void *ctx, const char *value, GError **error)
{
    ((Layout *)ctx)->data_raw_said = true;
    return parse_switch(value, &((Layout *)ctx)->what.data_raw, error);
}

static bool set_compression(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "zlib", "zstd", NULL };
    int n = img_find_word(value, words, error);

    ((Layout *)ctx)->what.zstd = n == 1;
    return n >= 0;
}

static bool set_room(void *ctx, const char *value, GError **error)
{
    int n = img_find_word(value, img_rooms, error);

    if (n >= 0)
        ((Layout *)ctx)->what.room = n;
    replace(&((Layout *)ctx)->room, value);
    return n >= 0;
}

static bool set_size(void *ctx, const char *value, GError **error)
{
    ((Layout *)ctx)->sized = true;
    return parse_size(value, 1, &((Layout *)ctx)->wanted, error);
}

static bool set_count_bits(void *ctx, const char *value, GError **error)
{
    return img_parse_count_bits(value, &((Layout *)ctx)->what.count_bits, error);
}

typedef struct ImgKey {
    KeyRow row;
    const char *help;
} ImgKey;

static const ImgKey qcow2_keys[] = {
    { { "backing_file", set_backing }, "FILE: the image behind it" },
    { { "backing_fmt", set_backing_format }, "FMT: of that" },
    { { "cluster_size", set_cluster }, "SIZE: 512 to 2M, a power of two" },
    { { "compat", set_compat }, "0.10 or v2, 1.1 or v3" },
    { { "compression_type", set_compression }, "zlib, zstd" },
    { { "data_file", set_data_file }, "FILE: where the disk's bytes are" },
    { { "data_file_raw", set_data_raw }, "on, off: which is a raw image by itself" },
    { { "encryption", key_must_be_off }, "off" },
    { { "extended_l2", set_extended }, "on, off: 32 parts of each cluster are there or not" },
    { { "lazy_refcounts", set_lazy }, "on, off: counts may be late" },
    { { "nocow", key_must_be_off }, "off" },
    { { "preallocation", set_room }, "off, metadata, falloc, full" },
    { { "refcount_bits", set_count_bits }, "1 to 64, a power of two" },
    { { "size", set_size }, "SIZE: of the disk" },
    { { NULL }, NULL },
};

static const ImgKey raw_keys[] = {
    { { "nocow", key_must_be_off }, "off" },
    { { "preallocation", set_room }, "off, falloc, full" },
    { { "size", set_size }, "SIZE: of the disk" },
    { { NULL }, NULL },
};

static const ImgKey *keys_of(const char *format)
{
    return !strcmp(format, "qcow2") ? qcow2_keys : !strcmp(format, "raw") ? raw_keys : NULL;
}

static bool apply(Img *g, const ImgKey *keys, Layout *l, GError **error)
{
    KeyRow rows[G_N_ELEMENTS(qcow2_keys)] = { 0 };

    for (size_t i = 0; keys[i].row.key; i++)
        rows[i] = keys[i].row;
    return !g->layout || keyval_apply(g->layout->str, NULL, rows, l, error);
}

bool img_wants_help(const Img *g)
{
    return g->layout && (!strcmp(g->layout->str, "help") || !strcmp(g->layout->str, "?"));
}

bool img_list_keys(Img *g, const char *format, GError **error)
{
    const ImgKey *keys = keys_of(format);

    if (!keys)
        return img_fail(g, 1, error, "images of format '%s' cannot be made; use raw or qcow2",
                        format);
    img_say(g, "Supported %s options:\n", format);
    for (; keys->row.key; keys++)
        img_say(g, "  %-17s %s\n", keys->row.key, keys->help);
    return true;
}

/* ---- Making one ------------------------------------------------------------------------------ */

static void tell(GString *line, const char *key, const char *value)
{
    if (value)
        g_string_append_printf(line, " %s=%s", key, value);
}

static const char *on_off(bool on)
{
    return on ? "on" : "off";
}

static void tell_layout(Img *g, const Layout *l)
{
    const ImageCreate *w = &l->what;
    g_autoptr(GString) line = g_string_new(NULL);
    bool qcow2 = !strcmp(w->format, "qcow2");

    g_string_printf(line, "Formatting '%s', fmt=%s", w->path, w->format);
    if (qcow2) {
        g_string_append_printf(line, " cluster_size=%" PRIu64, w->cluster ? w->cluster : 65536);
        tell(line, "extended_l2", on_off(w->extended));
        tell(line, "preallocation", l->room);
        tell(line, "compression_type", w->zstd ? "zstd" : "zlib");
    }
    g_string_append_printf(line, " size=%" PRIu64, l->wanted);
    tell(line, "compat", l->compat);
    tell(line, "backing_file", l->backing);
    tell(line, "backing_fmt", l->backing ? l->backing_format : NULL);
    tell(line, "data_file", l->data_file);
    tell(line, "data_file_raw", l->data_raw_said ? on_off(w->data_raw) : NULL);
    if (qcow2)
        g_string_append_printf(line, " lazy_refcounts=%s refcount_bits=%u", on_off(w->lazy),
                               w->count_bits ? w->count_bits : 16);
    else
        tell(line, "preallocation", l->room);
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
    uint64_t unused;

    if (l->backing && !l->backing_format)
        return img_fail(g, 1, error, "%s: Backing file specified without backing format", w->path);
    if (size != IMG_NO_SIZE)
        l->wanted = size;
    l->sized |= size != IMG_NO_SIZE;
    if (l->backing && (!g->option['u'] || !l->sized) &&
        !backing_size(g, l, l->sized ? &unused : &l->wanted, error))
        return false;
    if (!l->backing && !l->sized)
        return img_fail(g, 1, error, "%s: Image creation needs a size parameter", w->path);
    if (l->wanted > INT64_MAX - SECTOR)
        return img_fail(g, 1, error, "%s: The image size is too large", w->path);
    w->size = (l->wanted + SECTOR - 1) & -(uint64_t)SECTOR;
    w->backing = l->backing;
    w->backing_format = l->backing_format;
    w->data_file = l->data_file;
    return true;
}

bool img_make(Img *g, const char *format, const char *path, uint64_t size, const char *backing,
              const char *backing_format, bool tells, GError **error)
{
    Layout l = { .what = { .format = format, .path = path } };
    const ImgKey *keys = keys_of(format);
    bool ok;

    if (!keys)
        return img_fail(g, 1, error, "%s: images of format '%s' cannot be made; use raw or qcow2",
                        path, format);
    l.backing = g_strdup(backing);
    l.backing_format = g_strdup(backing_format);
    ok = apply(g, keys, &l, error) && complete_layout(g, &l, size, error);
    if (ok && tells)
        tell_layout(g, &l);
    ok = ok && image_create(&l.what, error);
    g_free(l.backing);
    g_free(l.backing_format);
    g_free(l.compat);
    g_free(l.room);
    g_free(l.data_file);
    return ok;
}

bool img_create(Img *g, GError **error)
{
    const char *format = g->option['f'] ? g->option['f'] : "raw";
    uint64_t size = IMG_NO_SIZE;

    if (img_wants_help(g))
        return img_list_keys(g, format, error);
    if (!g->count)
        return img_fail(g, 1, error, "Expecting image file name");
    if (g->count == 2 && !parse_size(g->files[1], 1, &size, error))
        return false;
    return img_make(g, format, g->files[0], size, g->option['b'], g->option['F'], true, error);
}
