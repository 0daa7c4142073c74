/* SPDX-License-Identifier: MIT */
/* `mimus img` convert, dd, compare: the contents of images. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "softmmu/program/img/internal.h"
#include "softmmu/program/options/keyval.h"

#define CHUNK  (1u << 20)
#define SPARSE 4096 /* bytes of zeros that are left out, unless -S says otherwise */

/* ---- Copying --------------------------------------------------------------------------------- */

typedef struct Copy {
    Img *g;
    Image *from, *to;
    uint64_t skip, size; /* of the source; bytes copied */
    uint64_t unit;       /* bytes that are left out if they are zero; 0: nothing is */
    bool compress;       /* units are clusters */
    bool dirty;          /* the target has something else than zeros */
    bool backed;         /* … namely what is behind it: what is the same is left out */
    uint8_t *buf, *old;
} Copy;

/* Whole units, but at the end. */
static int copy_unit(Copy *c, uint64_t at, const uint8_t *data, size_t len)
{
    int error = c->backed ? image_read(c->to, at, c->old, len) : 0;

    if (error || (c->backed && !memcmp(c->old, data, len)))
        return error;
    if (c->unit && img_is_zero(data, len))
        return c->dirty || c->backed ? image_zero(c->to, at, len) : 0;
    return c->compress ? image_write_compressed(c->to, at, data, len)
                       : image_write(c->to, at, data, len);
}

static int copy_data(Copy *c, uint64_t at, size_t len)
{
    size_t unit = c->unit ? c->unit : len;
    int error = image_read(c->from, c->skip + at, c->buf, len);

    for (size_t part = 0; part < len && !error; part += unit)
        error = copy_unit(c, at + part, c->buf + part, MIN(unit, len - part));
    return error;
}

/* Of the source, from @at on: how much of it is zeros that need not be read, in whole units. */
static int skip_zeros(Copy *c, uint64_t at, uint64_t *len)
{
    uint64_t all = 0, n;
    ImageExtent e;
    int error = 0;

    for (; c->unit && at + all < c->size && !error; all += n) {
        n = c->size - at - all;
        error = image_extent(c->from, c->skip + at + all, &n, &e);
        if (error || e.layer == IMAGE_DATA)
            break;
    }
    *len = !c->unit ? 0 : at + all == c->size ? all : all / c->unit * c->unit;
    return error;
}

static int copy_all(Copy *c)
{
    uint64_t at = 0, len;
    int error = 0;

    c->buf = g_malloc(MAX(CHUNK, c->unit));
    c->old = g_malloc(MAX(CHUNK, c->unit));
    while (at < c->size && !error) {
        img_progress(c->g, at, c->size);
        error = skip_zeros(c, at, &len);
        if (!error && len && (c->dirty || c->backed))
            error = image_zero(c->to, at, len);
        at += error ? 0 : len;
        len = MIN(c->size - at, MAX(CHUNK, c->unit));
        if (!error && len)
            error = copy_data(c, at, len);
        at += len;
    }
    if (!error)
        error = image_flush(c->to);
    img_progress(c->g, c->size, c->size);
    g_free(c->buf);
    g_free(c->old);
    return error;
}

/* ---- convert --------------------------------------------------------------------------------- */

bool img_view(Img *g, Image *image, GError **error)
{
    static const char *const prefixes[] = { "snapshot.id=", "snapshot.name=" };
    const char *name = g->option['l'];
    const ImageSnapshot *s;
    GPtrArray *list;
    int failure;

    for (size_t i = 0; name && i < G_N_ELEMENTS(prefixes); i++) {
        if (g_str_has_prefix(name, prefixes[i]))
            name += strlen(prefixes[i]);
    }
    if (!name)
        return true;
    list = image_snapshots(image, &failure);
    s = list ? image_find_snapshot(list, name) : NULL;
    if (list && !s)
        failure = ENOENT;
    if (s)
        failure = image_snapshot_view(image, s);
    g_clear_pointer(&list, g_ptr_array_unref);
    return !failure ||
           img_fail(g, 1, error, "Failed to load snapshot '%s': %s", name, g_strerror(failure));
}

static bool convert(Copy *c, GError **error)
{
    Img *g = c->g;
    uint64_t cluster = image_facts(c->to).cluster;
    int failure;

    if (c->compress && !cluster)
        return img_fail(g, 1, error, "Compression not supported for this file format");
    if (image_size(c->to) < c->size)
        return img_fail(g, 1, error, "output file is smaller than input file");
    if (c->compress)
        c->unit = cluster;
    else if (c->unit)
        c->unit = MIN(MAX(c->unit, cluster), CHUNK);
    failure = copy_all(c);
    return !failure || img_fail(g, 1, error, "could not copy '%s' to '%s': %s", g->files[0],
                                g->files[1], g_strerror(failure));
}

bool img_convert(Img *g, GError **error)
{
    const char *format = g->option['O'] ? g->option['O'] : "raw";
    Copy c = { .g = g, .unit = SPARSE, .compress = g->option['c'], .backed = g->option['B'] };
    bool ok, exists = g->option['n'];

    if (!img_size(g, 'S', &c.unit, error))
        return false;
    if (c.unit % 512 || c.unit > CHUNK)
        return img_fail(g, 1, error, "Invalid buffer size for sparse output specified");
    if (c.compress && g->layout && strstr(g->layout->str, "preallocation=") &&
        !strstr(g->layout->str, "preallocation=off"))
        return img_fail(g, 1, error,
                        "Compression and preallocation not supported at the same time");
    if (exists && (g->layout || g->option['B']))
        return img_fail(g, 1, error, "-o and -B are for targets that are made, not with -n");
    if (g->option['B'] && !g->option['F'])
        return img_fail(g, 1, error, "-B needs -F: the format of the backing file");
    if (img_wants_help(g))
        return img_list_keys(g, format, error);
    c.from = img_open(g, g->files[0], g->option['f'], true, error);
    if (!c.from)
        return false;
    ok = img_view(g, c.from, error);
    c.size = image_size(c.from);
    c.dirty = exists && !g->option[IMG_TARGET_IS_ZERO];
    ok = ok && (exists || img_make(g, format, g->files[1], c.size, g->option['B'], g->option['F'],
                                   false, error));
    if (ok)
        c.to = img_open(g, g->files[1], exists && !g->option['O'] ? NULL : format, false, error);
    ok = c.to && convert(&c, error);
    image_close(c.to);
    image_close(c.from);
    return ok;
}

/* ---- dd -------------------------------------------------------------------------------------- */

typedef struct Dd {
    const char *from, *to;
    uint64_t block, count, skip;
} Dd;

static bool take_dd(Img *g, Dd *d, GError **error)
{
    const struct {
        const char *name;
        const char **text;
        uint64_t *size;
    } words[] = { { "if=", &d->from, NULL },
                  { "of=", &d->to, NULL },
                  { "bs=", NULL, &d->block },
                  { "count=", NULL, &d->count },
                  { "skip=", NULL, &d->skip } };

    for (unsigned i = 0; i < g->count; i++) {
        size_t n = 0;

        while (n < G_N_ELEMENTS(words) && !g_str_has_prefix(g->files[i], words[n].name))
            n++;
        if (n == G_N_ELEMENTS(words))
            return img_fail(g, 1, error, "Unrecognized operand '%s'", g->files[i]);
        const char *value = g->files[i] + strlen(words[n].name);
        if (words[n].text)
            *words[n].text = value;
        else if (!parse_size(value, 1, words[n].size, error))
            return false;
    }
    if (!d->from || !d->to)
        return img_fail(g, 1, error, "Must specify both input and output files");
    return d->block ? true : img_fail(g, 1, error, "bs must not be 0");
}

bool img_dd(Img *g, GError **error)
{
    const char *format = g->option['O'] ? g->option['O'] : "raw";
    Dd d = { .block = 512, .count = UINT64_MAX };
    Copy c = { .g = g, .unit = SPARSE };
    int failure = 0;
    bool ok;

    if (!take_dd(g, &d, error))
        return false;
    c.from = img_open(g, d.from, g->option['f'], true, error);
    if (!c.from)
        return false;
    c.size = image_size(c.from);
    c.skip = d.skip > c.size / d.block ? c.size : d.skip * d.block;
    c.size -= c.skip;
    if (d.count <= c.size / d.block)
        c.size = d.count * d.block;
    ok = !(c.skip % 512) && d.skip <= image_size(c.from) / d.block;
    if (!ok)
        img_fail(g, 1, error, "%s: cannot skip to specified offset", d.from);
    ok = ok && img_make(g, format, d.to, c.size, NULL, NULL, false, error);
    if (ok)
        c.to = img_open(g, d.to, format, false, error);
    if (c.to)
        failure = copy_all(&c);
    if (failure)
        img_fail(g, 1, error, "could not copy '%s': %s", d.from, g_strerror(failure));
    ok = c.to && !failure;
    image_close(c.to);
    image_close(c.from);
    return ok;
}

/* ---- compare --------------------------------------------------------------------------------- */

enum { DIFFERENT = 1, CANNOT_OPEN = 2, CANNOT_MAP = 3, CANNOT_READ = 4 };

typedef struct Compare {
    Img *g;
    Image *a, *b; /* b is not longer than a, unless -s */
    uint8_t *left, *right;
} Compare;

static bool differs(Img *g, const char *text, uint64_t at)
{
    img_say(g, text, at);
    g->answer->status = DIFFERENT;
    return false;
}

static bool read_piece(Compare *c, Image *image, uint64_t at, uint8_t *buf, size_t len,
                       GError **error)
{
    int failure = image_read(image, at, buf, len);

    return !failure ||
           img_fail(c->g, CANNOT_READ, error, "Error while reading offset %" PRIu64 " of %s: %s",
                    at, image_path(image), g_strerror(failure));
}

/* Another length of what is asked about at once; false with @error. */
static bool look(Compare *c, Image *image, uint64_t at, uint64_t *len, ImageExtent *e,
                 GError **error)
{
    int failure = image_extent(image, at, len, e);

    return !failure || img_fail(c->g, CANNOT_MAP, error, "Sector allocation test failed for %s: %s",
                                image_path(image), g_strerror(failure));
}

/* False: they differ, or with @error. */
static bool compare_piece(Compare *c, uint64_t at, uint64_t *len, GError **error)
{
    bool strict = c->g->option['s'], beyond = at >= image_size(c->b);
    ImageExtent a, b = { .layer = IMAGE_ZERO };

    if (!look(c, c->a, at, len, &a, error) || (!beyond && !look(c, c->b, at, len, &b, error)))
        return false;
    if (strict && !beyond && (a.layer != b.layer || a.present != b.present))
        return differs(c->g, "Strict mode: Offset %" G_GUINT64_FORMAT " allocation mismatch!\n",
                       at);
    if (a.layer != IMAGE_DATA && b.layer != IMAGE_DATA)
        return true;
    *len = MIN(*len, CHUNK);
    if (!read_piece(c, c->a, at, c->left, *len, error))
        return false;
    memset(c->right, 0, *len);
    if (!beyond && !read_piece(c, c->b, at, c->right, *len, error))
        return false;
    for (uint64_t i = 0; i < *len; i++) {
        if (c->left[i] != c->right[i])
            return differs(c->g, "Content mismatch at offset %" G_GUINT64_FORMAT "!\n",
                           (at + i) & ~UINT64_C(511));
    }
    return true;
}

static bool compare(Compare *c, GError **error)
{
    uint64_t size = image_size(c->a), shorter = image_size(c->b);

    if (size != shorter && c->g->option['s'])
        return differs(c->g, "Strict mode: Image size mismatch!\n", 0);
    if (size < shorter) {
        Image *swap = c->a;

        c->a = c->b;
        c->b = swap;
        size = shorter;
        shorter = image_size(c->b);
    }
    for (uint64_t at = 0, len; at < size; at += len) {
        img_progress(c->g, at, size);
        len = (at < shorter ? shorter : size) - at;
        if (!compare_piece(c, at, &len, error))
            return false;
    }
    img_progress(c->g, size, size);
    if (size != shorter)
        img_say(c->g, "Warning: Image size mismatch!\n");
    img_say(c->g, "Images are identical.\n");
    return true;
}

/* That they differ is no error. */
bool img_compare(Img *g, GError **error)
{
    Compare c = { .g = g };
    GError *failure = NULL;
    Image *a = img_open(g, g->files[0], g->option['f'], true, &failure);
    Image *b = a ? img_open(g, g->files[1], g->option['F'], true, &failure) : NULL;

    if (b) {
        c.a = a;
        c.b = b;
        c.left = g_malloc(CHUNK);
        c.right = g_malloc(CHUNK);
        compare(&c, &failure);
        g_free(c.left);
        g_free(c.right);
    } else {
        g->answer->status = CANNOT_OPEN;
    }
    image_close(b);
    image_close(a);
    if (failure)
        g_propagate_error(error, failure);
    return !failure;
}
