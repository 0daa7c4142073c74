/* SPDX-License-Identifier: MIT */
/* `mimus img` amend and bitmap: what a qcow2 image is, and which changes it remembers. */
#include <string.h>

#include "softmmu/block/image-bitmap.h"
#include "softmmu/block/qcow2.h"
#include "softmmu/program/img/internal.h"
#include "softmmu/program/options/keyval.h"

/* ---- amend ----------------------------------------------------------------------------------- */

static bool set_compat(void *ctx, const char *value, GError **error)
{
    return img_parse_compat(value, &((Qcow2Amend *)ctx)->version, error);
}

static bool set_lazy(void *ctx, const char *value, GError **error)
{
    bool lazy;

    if (!parse_switch(value, &lazy, error))
        return false;
    ((Qcow2Amend *)ctx)->lazy = lazy;
    return true;
}

static bool set_count_bits(void *ctx, const char *value, GError **error)
{
    return img_parse_count_bits(value, &((Qcow2Amend *)ctx)->count_bits, error);
}

static bool set_size(void *ctx, const char *value, GError **error)
{
    Qcow2Amend *what = ctx;

    what->sized = parse_size(value, 1, &what->size, error);
    if (what->sized && !what->size)
        error_set(error, "New image size must be positive");
    return what->sized && what->size;
}

static bool refuse_backing(void *ctx, const char *value, GError **error)
{
    error_set(error, "Cannot amend the backing file: use img rebase");
    return false;
}

static const KeyRow keys[] = {
    { "backing_file", refuse_backing },
    { "backing_fmt", refuse_backing },
    { "compat", set_compat },
    { "lazy_refcounts", set_lazy },
    { "refcount_bits", set_count_bits },
    { "size", set_size },
    { NULL },
};

static bool amend(Img *g, Image *image, const Qcow2Amend *what, GError **error)
{
    if (strcmp(image_format(image), "qcow2"))
        return img_fail(g, 1, error, "Format driver '%s' does not support option amendment",
                        image_format(image));
    return qcow2_amend(image, what, error);
}

static bool list_amendable(Img *g, GError **error)
{
    const char *format = g->option['f'] ? g->option['f'] : "qcow2";

    if (strcmp(format, "qcow2"))
        return img_fail(g, 1, error, "Format driver '%s' does not support option amendment",
                        format);
    img_say(g, "Amend options for 'qcow2':\n"
               "  compat            0.10 or v2, 1.1 or v3\n"
               "  lazy_refcounts    on, off\n"
               "  refcount_bits     1 to 64, a power of two\n"
               "  size              SIZE: of the disk\n");
    return true;
}

bool img_amend(Img *g, GError **error)
{
    Qcow2Amend what = { .lazy = -1 };
    Image *image;
    bool ok;

    if (img_wants_help(g))
        return list_amendable(g, error);
    if (!g->layout)
        return img_fail(g, 1, error, "Must specify options (-o)");
    if (!g->count)
        return img_fail(g, 1, error, "Expecting one image file name");
    image = img_open(g, g->files[0], g->option['f'], false, error);
    if (!image)
        return false;
    img_progress(g, 0, 1);
    ok = keyval_apply(g->layout->str, NULL, keys, &what, error) && amend(g, image, &what, error);
    img_progress(g, 1, 1);
    image_close(image);
    return ok;
}

/* ---- bitmap ---------------------------------------------------------------------------------- */

typedef struct Change {
    Img *g;
    Image *image, *from; /* from: where --merge looks */
    const char *name;
    uint32_t granularity;
    bool disabled; /* when it is added */
} Change;

static ImageBitmap *find(const Image *image, const char *name, bool any, GError **error)
{
    ImageBitmap *b = image_find_bitmap(image, name);

    if (!b)
        error_set(error, "Dirty bitmap '%s' not found", name);
    else if (b->inconsistent && !any)
        error_set(error, "Bitmap '%s' is inconsistent and cannot be used", name);
    else
        return b;
    return NULL;
}

static bool add(Change *c, GError **error)
{
    ImageBitmap *b = image_add_bitmap(c->image, c->name, c->granularity, true, error);

    if (b)
        b->recording = !c->disabled;
    return b != NULL;
}

static bool merge(Change *c, ImageBitmap *to, const char *name, GError **error)
{
    const ImageBitmap *from = find(c->from, name, false, error);

    if (!from)
        return false;
    if (image_size(c->from) != image_size(c->image)) {
        error_set(error, "Bitmaps are of different sizes (destination is '%s', source is '%s')",
                  to->name, from->name);
        return false;
    }
    image_bitmap_merge(to, from->map, from->bits, from->granularity);
    return true;
}

static bool act(Change *c, const ImgAction *action, GError **error)
{
    ImageBitmap *b;

    if (action->letter == IMG_ADD)
        return add(c, error);
    b = find(c->image, c->name, action->letter == IMG_REMOVE, error);
    if (!b)
        return false;
    if (image_touch_bitmaps(c->image))
        return img_fail(c->g, 1, error, "'%s' cannot be written", image_path(c->image));
    switch (action->letter) {
    case IMG_REMOVE: image_remove_bitmap(c->image, b); break;
    case IMG_CLEAR: image_bitmap_clear(b); break;
    case IMG_MERGE: return merge(c, b, action->value, error);
    default: b->recording = action->letter == IMG_ENABLE;
    }
    return true;
}

static bool act_all(Change *c, GError **error)
{
    const Img *g = c->g;

    for (unsigned i = 0; i < g->actions; i++) {
        if (c->disabled && g->action[i].letter == IMG_DISABLE)
            continue;
        if (!act(c, &g->action[i], error)) {
            g_prefix_error(error, "Operation on bitmap %s failed: ", c->name);
            return false;
        }
    }
    return true;
}

static bool check_bitmap(Img *g, GError **error)
{
    if (!g->actions)
        return img_fail(g, 1, error,
                        "Need at least one of --add, --remove, --clear, --enable, --disable, or "
                        "--merge");
    if (g->option['g'] && !g->option[IMG_ADD])
        return img_fail(g, 1, error, "granularity only supported with --add");
    if (g->option['F'] && !g->option['b'])
        return img_fail(g, 1, error, "-F only supported with -b");
    if (g->option['b'] && !g->option[IMG_MERGE])
        return img_fail(g, 1, error, "-b is the source of --merge");
    return g->count == 2 || img_fail(g, 1, error, "Expecting filename and bitmap name");
}

bool img_bitmap(Img *g, GError **error)
{
    Change c = { .g = g, .disabled = g->option[IMG_ADD] && g->option[IMG_DISABLE] };
    uint64_t granularity = 0;
    bool ok;

    if (!check_bitmap(g, error) || !img_size(g, 'g', &granularity, error))
        return false;
    if (g->option['g'] && (granularity < 512 || granularity > INT32_MAX))
        return img_fail(g, 1, error, "Granularity must be power of 2 and at least 512");
    c.granularity = granularity;
    c.name = g->files[1];
    c.image = img_open(g, g->files[0], g->option['f'], false, error);
    if (c.image)
        c.from =
            g->option['b'] ? img_open(g, g->option['b'], g->option['F'], true, error) : c.image;
    ok = c.from && act_all(&c, error);
    if (c.from != c.image)
        image_close(c.from);
    image_close(c.image);
    return ok;
}
