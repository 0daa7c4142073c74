/* SPDX-License-Identifier: MIT */
/* Laid out as QEMU 7.2 does. */
#include "softmmu/program/image-text.h"

#include <inttypes.h>
#include <string.h>

#include "softmmu/block/image-bitmap.h"

/* ---- As data --------------------------------------------------------------------------------- */

Json *image_describe_snapshot(const ImageSnapshot *s)
{
    Json *o =
        json_make("icount:u vm-clock-nsec:u name:s date-sec:u date-nsec:u vm-clock-sec:u id:s "
                  "vm-state-size:u",
                  s->icount, s->vm_clock_ns % 1000000000, s->name, (uint64_t)s->date_s,
                  (uint64_t)s->date_ns, s->vm_clock_ns / 1000000000, s->id, s->vm_size);

    if (s->icount == UINT64_MAX)
        json_object_object_del(o, "icount");
    return o;
}

static void add_snapshots(Json *o, Image *image)
{
    int error;
    g_autoptr(GPtrArray) list = image_snapshots(image, &error);
    Json *all = list && list->len ? json_object_new_array() : NULL;

    for (guint i = 0; all && i < list->len; i++)
        json_object_array_add(all, image_describe_snapshot(list->pdata[i]));
    if (all)
        json_object_object_add(o, "snapshots", all);
}

static Json *describe_bitmaps(const GPtrArray *list)
{
    Json *all = json_object_new_array();

    for (guint i = 0; i < list->len; i++) {
        const ImageBitmap *b = list->pdata[i];
        Json *flags = json_object_new_array();

        if (!b->persistent) {
            json_object_put(flags);
            continue;
        }
        if (b->inconsistent)
            json_object_array_add(flags, json_object_new_string("in-use"));
        if (b->recording)
            json_object_array_add(flags, json_object_new_string("auto"));
        json_object_array_add(all, json_make("flags:o name:s granularity:u", flags, b->name,
                                             (uint64_t)b->granularity));
    }
    return all;
}

static Json *describe_format(Image *image, const ImageFacts *f)
{
    Json *o =
        json_make("compat:s compression-type:s", f->version < 3 ? "0.10" : "1.1", f->compression);

    if (f->version >= 3)
        json_object_object_add(o, "lazy-refcounts", json_object_new_boolean(f->lazy));
    if (image_bitmaps(image) && image_bitmaps(image)->len)
        json_object_object_add(o, "bitmaps", describe_bitmaps(image_bitmaps(image)));
    json_object_object_add(o, "refcount-bits", json_object_new_int(f->count_bits));
    if (f->version < 3)
        return o;
    if (f->data_file) {
        json_object_object_add(o, "data-file", json_object_new_string(f->data_file));
        json_object_object_add(o, "data-file-raw", json_object_new_boolean(f->data_raw));
    }
    json_object_object_add(o, "corrupt", json_object_new_boolean(f->corrupt));
    json_object_object_add(o, "extended-l2", json_object_new_boolean(f->extended));
    return o;
}

Json *image_describe(Image *image)
{
    ImageFacts f = image_facts(image);
    Json *o =
        json_make("virtual-size:u filename:s format:s actual-size:u dirty-flag:b "
                  "backing-filename:s full-backing-filename:s backing-filename-format:s",
                  image_size(image), image_path(image), image_format(image), f.allocated, f.dirty,
                  f.backing_path, f.backing ? image_path(f.backing) : NULL, f.backing_format);

    if (f.cluster)
        json_object_object_add(o, "cluster-size", json_object_new_uint64(f.cluster));
    add_snapshots(o, image);
    if (f.version)
        json_object_object_add(
            o, "format-specific",
            json_make("type:s data:o", image_format(image), describe_format(image, &f)));
    return o;
}

/* ---- As text --------------------------------------------------------------------------------- */

static char *human_size(uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = bytes;
    unsigned unit = 0;

    for (; value >= 1000 && unit + 1 < G_N_ELEMENTS(units); unit++)
        value /= 1024;
    return g_strdup_printf("%.3g %s", value, units[unit]);
}

static void print_size(GString *out, const char *what, uint64_t bytes, bool exactly)
{
    g_autofree char *text = human_size(bytes);

    g_string_append_printf(out, "%s: %s", what, text);
    if (exactly)
        g_string_append_printf(out, " (%" PRIu64 " bytes)", bytes);
    g_string_append_c(out, '\n');
}

static void print_value(GString *out, const char *name, Json *value, unsigned depth);

static void print_members(GString *out, Json *value, unsigned depth)
{
    json_object_object_foreach (value, name, member) {
        g_autofree char *words = g_strdelimit(g_strdup(name), "-", ' ');

        print_value(out, words, member, depth);
    }
}

static void print_value(GString *out, const char *name, Json *value, unsigned depth)
{
    bool list = json_object_is_type(value, json_type_array);
    bool object = json_object_is_type(value, json_type_object);

    g_string_append_printf(out, "%*s%s:", (int)depth * 4, "", name);
    if (!list && !object)
        g_string_append_printf(out, " %s", json_object_get_string(value));
    g_string_append_c(out, '\n');
    if (object)
        print_members(out, value, depth + 1);
    for (size_t i = 0; list && i < json_object_array_length(value); i++) {
        g_autofree char *number = g_strdup_printf("[%zu]", i);

        print_value(out, number, json_object_array_get_idx(value, i), depth + 1);
    }
}

static void print_snapshots(GString *out, Json *list)
{
    g_string_append(out, "Snapshot list:\n");
    image_snapshot_print(NULL, NULL, out);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        Json *s = json_object_array_get_idx(list, i);
        ImageSnapshot shown = {
            .id = (char *)json_text(s, "id", ""),
            .name = (char *)json_text(s, "name", ""),
            .vm_size = json_int(s, "vm-state-size", 0),
            .date_s = json_int(s, "date-sec", 0),
            .vm_clock_ns = json_int(s, "vm-clock-sec", 0) * UINT64_C(1000000000) +
                           json_int(s, "vm-clock-nsec", 0),
            .icount = json_member(s, "icount") ? (uint64_t)json_int(s, "icount", 0) : UINT64_MAX,
        };

        image_snapshot_print(&shown, NULL, out);
    }
}

void image_describe_print(Json *info, GString *out)
{
    const char *backing = json_text(info, "backing-filename", NULL);
    const char *full = json_text(info, "full-backing-filename", NULL);
    Json *specific = json_member(info, "format-specific");

    g_string_append_printf(out, "image: %s\nfile format: %s\n", json_text(info, "filename", ""),
                           json_text(info, "format", ""));
    print_size(out, "virtual size", json_int(info, "virtual-size", 0), true);
    print_size(out, "disk size", json_int(info, "actual-size", 0), false);
    if (json_member(info, "cluster-size"))
        g_string_append_printf(out, "cluster_size: %" PRId64 "\n",
                               json_int(info, "cluster-size", 0));
    if (json_flag(info, "dirty-flag", false))
        g_string_append(out, "cleanly shut down: no\n");
    if (backing)
        g_string_append_printf(out, "backing file: %s", backing);
    if (backing && full && strcmp(backing, full))
        g_string_append_printf(out, " (actual path: %s)", full);
    if (backing)
        g_string_append_c(out, '\n');
    if (json_member(info, "backing-filename-format"))
        g_string_append_printf(out, "backing file format: %s\n",
                               json_text(info, "backing-filename-format", ""));
    if (json_member(info, "snapshots"))
        print_snapshots(out, json_member(info, "snapshots"));
    if (specific && json_member(specific, "data")) {
        g_string_append(out, "Format specific information:\n");
        print_members(out, json_member(specific, "data"), 1);
    }
}
