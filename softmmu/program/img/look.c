/* SPDX-License-Identifier: MIT */
/* `mimus img` info, check, map, measure: what images are. */
#include <inttypes.h>
#include <string.h>

#include "softmmu/block/image-bitmap.h"
#include "softmmu/block/qcow2.h"
#include "softmmu/program/img/internal.h"
#include "softmmu/program/image-text.h"
#include "softmmu/program/options/keyval.h"

static void say_json(Img *g, Json *value)
{
    json_write(value, true, g->answer->out);
    g_string_append_c(g->answer->out, '\n');
    json_object_put(value);
}

/* ---- info ------------------------------------------------------------------------------------ */

bool img_info(Img *g, GError **error)
{
    Json *list = json_object_new_array();
    Image *image;
    bool json;

    if (!img_wants_json(g, &json, error) ||
        !(image = image_open(&(ImageOpen){ .path = g->files[0],
                                           .format = g->option['f'],
                                           .read_only = true,
                                           .unlocked = g->option['U'],
                                           .alone = !g->option[IMG_CHAIN] },
                             error))) {
        json_object_put(list);
        return false;
    }
    for (Image *i = image; i; i = g->option[IMG_CHAIN] ? image_backing(i) : NULL)
        json_object_array_add(list, image_describe(i));
    image_close(image);
    if (json) {
        say_json(g,
                 g->option[IMG_CHAIN] ? list : json_object_get(json_object_array_get_idx(list, 0)));
    } else {
        for (size_t i = 0; i < json_object_array_length(list); i++) {
            g_string_append(g->answer->out, i ? "\n" : "");
            image_describe_print(json_object_array_get_idx(list, i), g->answer->out);
        }
    }
    if (!json || !g->option[IMG_CHAIN])
        json_object_put(list);
    return true;
}

/* ---- check ----------------------------------------------------------------------------------- */

enum { CHECK_FAILED = 1, CHECK_ERRORS = 2, CHECK_LEAKS = 3, CHECK_CANNOT = 63 };

static bool wanted_repair(Img *g, Qcow2Repair *repair, GError **error)
{
    const char *what = g->option['r'];

    *repair = !what ? QCOW2_LOOK : !strcmp(what, "leaks") ? QCOW2_REPAIR_LEAKS : QCOW2_REPAIR_ALL;
    return !what || !strcmp(what, "leaks") || !strcmp(what, "all") ||
           img_fail(g, 1, error, "-r is followed by leaks or all, not '%s'", what);
}

static void say_findings(Img *g, const Qcow2Report *r)
{
    if (r->mended_leaks || r->mended_errors)
        img_say(g,
                "The following inconsistencies were found and repaired:\n\n    %" PRIu64
                " leaked clusters\n    %" PRIu64
                " corruptions\n\nDouble checking the fixed image now...\n",
                r->mended_leaks, r->mended_errors);
    if (r->errors)
        img_say(g,
                "\n%" PRIu64 " errors were found on the image.\nData may be corrupted, or further "
                "writes to the image may corrupt it.\n",
                r->errors);
    if (r->leaks)
        img_say(g,
                "\n%" PRIu64 " leaked clusters were found on the image.\nThis means waste of disk "
                "space, but no harm to data.\n",
                r->leaks);
    if (!r->errors && !r->leaks)
        img_say(g, "No errors were found on the image.\n");
}

static double percent(uint64_t part, uint64_t of)
{
    return of ? 100.0 * part / of : 0;
}

static void say_clusters(Img *g, const Qcow2Report *r)
{
    if (r->clusters && r->allocated)
        img_say(g,
                "%" PRIu64 "/%" PRIu64 " = %.2f%% allocated, %.2f%% fragmented, %.2f%% compressed "
                "clusters\n",
                r->allocated, r->clusters, percent(r->allocated, r->clusters),
                percent(r->fragmented, r->allocated), percent(r->compressed, r->allocated));
    img_say(g, "Image end offset: %" PRIu64 "\n", r->end);
}

static void say_report(Img *g, const Qcow2Report *r, const char *format)
{
    const struct {
        const char *name;
        uint64_t value;
    } some[] = { { "corruptions", r->errors },
                 { "leaks", r->leaks },
                 { "corruptions-fixed", r->mended_errors },
                 { "leaks-fixed", r->mended_leaks },
                 { "allocated-clusters", r->allocated },
                 { "fragmented-clusters", r->fragmented },
                 { "compressed-clusters", r->compressed } };
    Json *o = json_make("image-end-offset:u total-clusters:u check-errors:i filename:s format:s",
                        r->end, r->clusters, INT64_C(0), g->files[0], format);

    for (size_t i = 0; i < G_N_ELEMENTS(some); i++) {
        if (some[i].value)
            json_object_object_add(o, some[i].name, json_object_new_uint64(some[i].value));
    }
    say_json(g, o);
}

static Image *open_to_check(Img *g, Qcow2Repair repair, GError **error)
{
    return image_open(&(ImageOpen){ .path = g->files[0],
                                    .format = g->option['f'],
                                    .read_only = repair == QCOW2_LOOK,
                                    .repair = repair == QCOW2_REPAIR_ALL,
                                    .unlocked = repair == QCOW2_LOOK && g->option['U'],
                                    .alone = true },
                      error);
}

bool img_check(Img *g, GError **error)
{
    Qcow2Report r = { .log = g->answer->notes };
    Qcow2Repair repair;
    Image *image;
    int failure;
    bool json, ok;

    if (!wanted_repair(g, &repair, error) || !img_wants_json(g, &json, error))
        return false;
    image = open_to_check(g, repair, error);
    if (!image)
        return false;
    ok = !strcmp(image_format(image), "qcow2") ||
         img_fail(g, CHECK_CANNOT, error, "This image format does not support checks");
    failure = ok ? qcow2_check(image, repair, &r) : 0;
    if (ok && json)
        say_report(g, &r, image_format(image));
    image_close(image);
    if (failure)
        return img_fail(g, CHECK_FAILED, error, "Check failed: %s", g_strerror(failure));
    if (!ok)
        return false;
    if (!json) {
        say_findings(g, &r);
        say_clusters(g, &r);
    }
    g->answer->status = r.errors ? CHECK_ERRORS : r.leaks ? CHECK_LEAKS : 0;
    return true;
}

/* ---- map ------------------------------------------------------------------------------------- */

typedef struct Run {
    uint64_t start, len;
    ImageExtent e;
} Run;

/* They are one run. */
static bool follows(const Run *a, const Run *b)
{
    return a->e.layer == b->e.layer && a->e.image == b->e.image && a->e.present == b->e.present &&
           a->e.compressed == b->e.compressed &&
           (a->e.at == IMAGE_NOWHERE ? b->e.at == IMAGE_NOWHERE : a->e.at + a->len == b->e.at);
}

static void print_run(GString *out, const Run *r, bool json, bool first)
{
    bool data = r->e.layer == IMAGE_DATA;

    if (!json) {
        if (data)
            g_string_append_printf(out, "%#-16" PRIx64 "%#-16" PRIx64 "%#-16" PRIx64 "%s\n",
                                   r->start, r->len, r->e.at, image_path(r->e.image));
        return;
    }
    g_string_append_printf(out,
                           "%s{ \"start\": %" PRIu64 ", \"length\": %" PRIu64
                           ", \"depth\": %u, \"present\": %s, \"zero\": %s, \"data\": %s",
                           first ? "[" : ",\n", r->start, r->len, r->e.depth,
                           r->e.present ? "true" : "false", data ? "false" : "true",
                           data ? "true" : "false");
    if (r->e.at != IMAGE_NOWHERE)
        g_string_append_printf(out, ", \"offset\": %" PRIu64, r->e.at);
    g_string_append_c(out, '}');
}

static bool map(Img *g, Image *image, uint64_t from, uint64_t to, bool json, GError **error)
{
    GString *out = g->answer->out;
    Run last = { 0 };
    bool any = false;

    for (Run r = { .start = from }; r.start < to; r.start += r.len) {
        int failure;

        r.len = to - r.start;
        failure = image_extent(image, r.start, &r.len, &r.e);
        if (failure)
            return img_fail(g, 1, error, "'%s' cannot be read: %s", image_path(image),
                            g_strerror(failure));
        if (!json && r.e.compressed)
            return img_fail(g, 1, error,
                            "File contains compressed clusters: only --output=json can show them");
        if (last.len && follows(&last, &r)) {
            last.len += r.len;
            continue;
        }
        if (last.len) {
            print_run(out, &last, json, !any);
            any = true;
        }
        last = r;
    }
    if (!last.len && json)
        g_string_append_printf(out,
                               "[{ \"start\": %" PRIu64
                               ", \"length\": 0, \"depth\": 0, \"present\": "
                               "false, \"zero\": false, \"data\": false}",
                               from);
    else if (last.len)
        print_run(out, &last, json, !any);
    if (json)
        g_string_append(out, "]\n");
    return true;
}

bool img_map(Img *g, GError **error)
{
    uint64_t from = 0, len = UINT64_MAX, size;
    Image *image;
    bool json, ok;

    if (!img_wants_json(g, &json, error) || !img_size(g, IMG_START, &from, error) ||
        !img_size(g, IMG_LENGTH, &len, error))
        return false;
    image = img_open(g, g->files[0], g->option['f'], true, error);
    if (!image)
        return false;
    size = image_size(image);
    if (!json)
        g_string_append_printf(g->answer->out, "%-16s%-16s%-16s%s\n", "Offset", "Length",
                               "Mapped to", "File");
    ok = map(g, image, from, from < size ? from + MIN(len, size - from) : from, json, error);
    image_close(image);
    return ok;
}

/* ---- measure --------------------------------------------------------------------------------- */

static uint64_t divide_up(uint64_t n, uint64_t by)
{
    return n / by + (n % by != 0);
}

typedef struct Needs {
    uint64_t size, cluster, data; /* data: clusters */
    uint64_t bitmaps;             /* bytes for those of the source */
    bool extended, keeps_bitmaps; /* keeps: … which may have such */
    unsigned count_bits;
} Needs;

/* Bytes of a qcow2 file with @data clusters in it: tables for all of the disk, counts of what is
 * there. */
static uint64_t qcow2_bytes(const Needs *n, uint64_t data, uint64_t counted)
{
    uint64_t cluster = n->cluster, all = divide_up(n->size, cluster);
    uint64_t l2 = divide_up(all, cluster / (n->extended ? 16 : 8));
    uint64_t fixed = 1 + l2 + divide_up(l2 * 8, cluster);
    uint64_t blocks = 1, table = 1, before;

    do {
        before = blocks + table;
        blocks = divide_up(fixed + counted + blocks + table, cluster * 8 / n->count_bits);
        table = divide_up(blocks * 8, cluster);
    } while (blocks + table != before);
    return (fixed + blocks + table + data) * cluster;
}

/* How many clusters have something that is not zero. */
static int count_data(Image *image, uint64_t cluster, uint64_t *count)
{
    uint64_t size = image_size(image), counted_to = 0;
    int error = 0;

    for (uint64_t at = 0, len; at < size && !error; at += len) {
        ImageExtent e;

        len = size - at;
        error = image_extent(image, at, &len, &e);
        if (error || e.layer != IMAGE_DATA)
            continue;
        *count += divide_up(at + len, cluster) - MAX(at / cluster, counted_to);
        counted_to = divide_up(at + len, cluster);
    }
    return error;
}

static bool set_cluster(void *ctx, const char *key, const char *value, GError **error)
{
    Needs *n = ctx;

    if (!strcmp(key, "extended_l2"))
        return parse_switch(value, &n->extended, error);
    if (!strcmp(key, "refcount_bits"))
        return img_parse_count_bits(value, &n->count_bits, error);
    if (strcmp(key, "cluster_size"))
        return true; /* changes nothing of it */
    if (!parse_size(value, 1, &n->cluster, error))
        return false;
    if (n->cluster >= 512 && n->cluster <= 2 << 20 && !(n->cluster & (n->cluster - 1)))
        return true;
    error_set(error, "Cluster size must be a power of two between 512 and 2048k");
    return false;
}

static uint64_t bytes_of_bitmaps(const Image *image, uint64_t cluster)
{
    const GPtrArray *list = image_bitmaps(image);
    uint64_t all = 0, directory = 0;

    for (guint i = 0; list && i < list->len; i++) {
        const ImageBitmap *b = list->pdata[i];
        uint64_t parts = divide_up(divide_up(b->bits, 8), cluster);

        all += parts + divide_up(parts * 8, cluster);
        directory += (24 + strlen(b->name) + 7) & ~UINT64_C(7);
    }
    return (all + divide_up(directory, cluster)) * cluster;
}

static bool look_at_source(Img *g, Needs *n, GError **error)
{
    Image *image = img_open(g, g->files[0], g->option['f'], true, error);
    int failure;

    if (!image)
        return false;
    n->size = image_size(image);
    n->keeps_bitmaps = image_facts(image).version >= 3;
    n->bitmaps = bytes_of_bitmaps(image, n->cluster);
    failure = img_view(g, image, error) ? count_data(image, n->cluster, &n->data) : -1;
    image_close(image);
    return !failure || (failure > 0 && img_fail(g, 1, error, "'%s' cannot be read: %s", g->files[0],
                                                g_strerror(failure)));
}

static void say_needs(Img *g, uint64_t least, uint64_t most, const uint64_t *bitmaps, bool json)
{
    Json *o;

    if (json) {
        o = json_make("required:u fully-allocated:u", least, most);
        if (bitmaps)
            json_object_object_add(o, "bitmaps", json_object_new_uint64(*bitmaps));
        say_json(g, o);
        return;
    }
    img_say(g, "required size: %" PRIu64 "\nfully allocated size: %" PRIu64 "\n", least, most);
    if (bitmaps)
        img_say(g, "bitmaps size: %" PRIu64 "\n", *bitmaps);
}

bool img_measure(Img *g, GError **error)
{
    const char *format = g->option['O'] ? g->option['O'] : "raw";
    Needs n = { .cluster = 65536, .count_bits = 16 };
    uint64_t least, most;
    bool json, raw = !strcmp(format, "raw");

    if (!img_wants_json(g, &json, error) || !img_size(g, IMG_SIZE, &n.size, error) ||
        (g->layout && !keyval_foreach(g->layout->str, NULL, set_cluster, &n, error)))
        return false;
    if (!g->option[IMG_SIZE] == !g->count)
        return img_fail(g, 1, error, "either a file or --size is needed");
    if (!raw && strcmp(format, "qcow2"))
        return img_fail(g, 1, error, "images of format '%s' are not measured", format);
    if (g->count && !look_at_source(g, &n, error))
        return false;
    n.size = (n.size + 511) & ~UINT64_C(511);
    most = divide_up(n.size, n.cluster);
    least = raw ? n.size : qcow2_bytes(&n, n.data, most);
    most = raw ? n.size : qcow2_bytes(&n, most, most);
    say_needs(g, least, most, !raw && n.keeps_bitmaps ? &n.bitmaps : NULL, json);
    return true;
}
