/* SPDX-License-Identifier: MIT */
/* `info block` and `info blockstats`, laid out as QEMU 7.2 does. */
#include <inttypes.h>
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/image-text.h"
#include "softmmu/program/qmp/text.h"

/* ---- info block ------------------------------------------------------------------------------ */

/* An image and those behind it. */
static void print_image(GString *out, Json *image)
{
    image_describe_print(image, out);
    if (json_member(image, "backing-image")) {
        g_string_append_c(out, '\n');
        print_image(out, json_member(image, "backing-image"));
    }
}

static void print_medium(GString *out, Json *medium, bool verbose)
{
    Json *cache = json_member(medium, "cache");
    const char *backing = json_text(medium, "backing_file", NULL);
    const char *zeroes = json_text(medium, "detect_zeroes", "off");

    g_string_append_printf(out, "    Cache mode:       %s%s%s\n",
                           json_flag(cache, "writeback", true) ? "writeback" : "writethrough",
                           json_flag(cache, "direct", false) ? ", direct" : "",
                           json_flag(cache, "no-flush", false) ? ", ignore flushes" : "");
    if (backing)
        g_string_append_printf(out, "    Backing file:     %s (chain depth: %" PRId64 ")\n",
                               backing, json_int(medium, "backing_file_depth", 0));
    if (strcmp(zeroes, "off"))
        g_string_append_printf(out, "    Detect zeroes:    %s\n", zeroes);
    if (verbose) {
        g_string_append(out, "\nImages:\n");
        print_image(out, json_member(medium, "image"));
    }
}

static void print_head(GString *out, const char *name, Json *medium)
{
    const char *node = json_text(medium, "node-name", "");

    if (name)
        g_string_append_printf(out, "%s", name);
    if (!medium) {
        g_string_append(out, ": [not inserted]\n");
        return;
    }
    g_string_append_printf(out, name ? " (%s)" : "%s", node);
    g_string_append_printf(out, ": %s (%s%s%s)\n", json_text(medium, "file", ""),
                           json_text(medium, "drv", ""),
                           json_flag(medium, "ro", false) ? ", read-only" : "",
                           json_flag(medium, "encrypted", false) ? ", encrypted" : "");
}

static void print_drive(GString *out, Json *drive, bool verbose)
{
    Json *medium = json_member(drive, "inserted");
    const char *qdev = json_text(drive, "qdev", NULL);
    const char *status = json_text(drive, "io-status", "ok");

    print_head(out, json_text(drive, "device", ""), medium);
    if (qdev)
        g_string_append_printf(out, "    Attached to:      %s\n", qdev);
    if (strcmp(status, "ok"))
        g_string_append_printf(out, "    I/O status:       %s\n", status);
    if (json_flag(drive, "removable", false))
        g_string_append_printf(out, "    Removable device: %slocked, tray %s\n",
                               json_flag(drive, "locked", false) ? "" : "not ",
                               json_flag(drive, "tray_open", false) ? "open" : "closed");
    if (medium)
        print_medium(out, medium, verbose);
}

typedef struct Choice {
    bool nodes, verbose;
    const char *name; /* NULL: all */
} Choice;

static bool parse_choice(char **words, Choice *c, GError **error)
{
    *c = (Choice){ 0 };
    for (; *words; words++) {
        if (!strcmp(*words, "-n") || !strcmp(*words, "-v"))
            *((*words)[1] == 'n' ? &c->nodes : &c->verbose) = true;
        else if (!**words)
            continue;
        else if (**words == '-' || c->name) {
            error_set(error, "info block: unsupported option '%s'", *words);
            return false;
        } else
            c->name = *words;
    }
    return true;
}

static void print_one(GString *out, Json *one, const Choice *c)
{
    if (c->nodes) {
        print_head(out, NULL, one);
        print_medium(out, one, c->verbose);
    } else {
        print_drive(out, one, c->verbose);
    }
}

bool text_info_block(void *opaque, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = g_strsplit(args, " ", -1);
    const char *separator = "";
    Choice c;
    Json *list;

    if (!parse_choice(words, &c, error))
        return false;
    list = text_ask(opaque, c.nodes ? "query-named-block-nodes" : "query-block", NULL, error);
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        Json *one = json_object_array_get_idx(list, i);

        if (!c.name || !strcmp(json_text(one, c.nodes ? "node-name" : "device", ""), c.name)) {
            g_string_append(out, separator);
            print_one(out, one, &c);
        }
        separator = "\n"; /* as before any but the first of all */
    }
    json_object_put(list);
    return list;
}

/* ---- info blockstats ------------------------------------------------------------------------- */

bool text_info_blockstats(void *opaque, const char *args, GString *out, GError **error)
{
    static const char *const members[] = {
        "rd_bytes",         "wr_bytes",         "rd_operations",    "wr_operations",
        "flush_operations", "wr_total_time_ns", "rd_total_time_ns", "flush_total_time_ns",
        "rd_merged",        "wr_merged",
    };
    Json *list = text_ask(opaque, "query-blockstats", NULL, error);

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        Json *one = json_object_array_get_idx(list, i), *stats = json_member(one, "stats");

        g_string_append_printf(out, "%s:", json_text(one, "device", ""));
        for (size_t k = 0; k < G_N_ELEMENTS(members); k++)
            g_string_append_printf(out, " %s=%" PRId64, members[k], json_int(stats, members[k], 0));
        g_string_append_c(out, '\n');
    }
    json_object_put(list);
    return list;
}
