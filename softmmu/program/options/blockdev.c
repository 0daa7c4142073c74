/* SPDX-License-Identifier: MIT */
/*
 * -blockdev: nodes, each a file of the host's or a format on another node, written apart (file=ID)
 * or within (file.driver=…). A node that no other is made of is a disk for -device or -machine
 * pflash0=. What is behind an image its own header says, or backing=: another node by its name, one
 * written within, or none. Missing: protocols other than files.
 */
#include <string.h>

#include "softmmu/device.h"
#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

#define MAX_DEPTH 8
#define NULL_SIZE (UINT64_C(1) << 30) /* of null-co without a size */

typedef struct BlockNode {
    char *name, *format; /* format NULL: a file as it is */
    char *filename;      /* of this one or what is written within; NULL: */
    char *child;         /* … that of the node of this name */
    bool read_only, discard, no_flush, used;
    char *backing;            /* the node of this name is behind it; NULL: */
    struct BlockNode *within; /* … this one; NULL: */
    bool alone;               /* … none, else whatever its header says */
    bool null;                /* there is no file: */
    uint64_t size;            /* … but a size */
} BlockNode;

void options_free_blockdev(void *p)
{
    BlockNode *n = p;

    g_free(n->name);
    g_free(n->format);
    g_free(n->filename);
    g_free(n->child);
    g_free(n->backing);
    if (n->within)
        options_free_blockdev(n->within);
    g_free(n);
}

static BlockNode *find_node(const Options *o, const char *name)
{
    for (guint i = 0; i < o->blockdevs->len; i++) {
        BlockNode *n = o->blockdevs->pdata[i];

        if (!strcmp(n->name, name))
            return n;
    }
    return NULL;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

static bool is_one_of(const char *value, const char *const *words, GError **error)
{
    g_autofree char *all = NULL;

    if (g_strv_contains(words, value))
        return true;
    all = g_strjoinv(", ", (char **)words);
    error_set(error, "'%s' is not supported; there are %s", value, all);
    return false;
}

/* raw is told from a file by its name alone: the outermost format counts, raw within another adds
 * nothing. */
static bool set_driver(void *ctx, const char *value, GError **error)
{
    static const char *const drivers[] = { "file", "host_device", "raw",      "qcow2", "vmdk",
                                           "vdi",  "null-co",     "null-aio", NULL };
    static const char *const formats[] = { "raw", "qcow2", "vmdk", "vdi", NULL };
    BlockNode *n = ctx;

    if (!is_one_of(value, drivers, error))
        return false;
    if (g_strv_contains(formats, value))
        replace(&n->format, value);
    n->null = g_str_has_prefix(value, "null-");
    return true;
}

static bool set_size(void *ctx, const char *value, GError **error)
{
    return parse_size(value, 1, &((BlockNode *)ctx)->size, error);
}

static bool check_latency(void *ctx, const char *value, GError **error)
{
    if (strcmp(value, "0"))
        error_set(error, "a disk that is not there is as fast as it can be");
    return !strcmp(value, "0");
}

static bool set_node_name(void *ctx, const char *value, GError **error)
{
    replace(&((BlockNode *)ctx)->name, value);
    return device_check_id(value, error);
}

static bool set_filename(void *ctx, const char *value, GError **error)
{
    replace(&((BlockNode *)ctx)->filename, value);
    return true;
}

static bool set_file(void *ctx, const char *value, GError **error)
{
    replace(&((BlockNode *)ctx)->child, value);
    return true;
}

/* "", as JSON's null: none. */
static bool set_backing(void *ctx, const char *value, GError **error)
{
    BlockNode *n = ctx;

    n->alone = !*value;
    replace(&n->backing, *value ? value : NULL);
    return true;
}

static bool set_read_only(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((BlockNode *)ctx)->read_only, error);
}

static bool set_discard(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "ignore", "off", "unmap", "on", NULL };

    ((BlockNode *)ctx)->discard = !strcmp(value, "unmap") || !strcmp(value, "on");
    return is_one_of(value, words, error);
}

static bool set_no_flush(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((BlockNode *)ctx)->no_flush, error);
}

/* A format says whether it is written to; its file follows. */
/* The drive has a thread of its own whatever is chosen. */
static bool check_aio(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "threads", "native", "io_uring", NULL };

    return is_one_of(value, words, error);
}

static bool check_locking(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "auto", "on", NULL };

    return is_one_of(value, words, error);
}

/* clang-format off */
static const KeyRow node_keys[] = {
    { "driver", set_driver },
    { "node-name", set_node_name },
    { "filename", set_filename },
    { "file", set_file },
    { "backing", set_backing },
    { "read-only", set_read_only },
    { "auto-read-only", key_is_switch },
    { "discard", set_discard },
    { "cache.no-flush", set_no_flush },
    { "cache.direct", key_must_be_off },
    { "detect-zeroes", key_must_be_off },
    { "aio", check_aio },
    { "locking", check_locking },
    { "size", set_size },
    { "read-zeroes", key_is_switch },
    { "latency-ns", check_latency },
    { NULL },
};
/* clang-format on */

/* ---- Nodes ----------------------------------------------------------------------------------- */

static bool take_pair(BlockNode *n, const char *key, const char *value, GError **error)
{
    unsigned depth = 0;

    if (g_str_has_prefix(key, "backing.")) {
        if (!n->within)
            n->within = g_new0(BlockNode, 1);
        return take_pair(n->within, key + strlen("backing."), value, error);
    }
    while (g_str_has_prefix(key, "file.")) {
        key += strlen("file.");
        depth++;
    }
    for (const KeyRow *row = node_keys; row->key; row++) {
        if (strcmp(row->key, key))
            continue;
        /* What is written within has no name, and its format is that of the file as it is. */
        if (!depth || row->set == set_filename || row->set == set_file || row->set == set_discard)
            return row->set(n, value, error);
        if (row->set == set_driver && strcmp(value, "file") && strcmp(value, "host_device") &&
            strcmp(value, "raw")) {
            error_set(error, "'%s' within another node is not supported", value);
            return false;
        }
        return row->set == set_driver || row->set(&(BlockNode){ 0 }, value, error);
    }
    error_set(error, "unknown parameter '%s'", key);
    return false;
}

static bool take_pairs(BlockNode *n, GHashTable *pairs, GError **error)
{
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, pairs);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        if (!take_pair(n, key, value, error)) {
            g_prefix_error(error, "%s: ", (char *)key);
            return false;
        }
    }
    return true;
}

static bool check_node(const Options *o, const BlockNode *n, bool has_driver, GError **error)
{
    if (!has_driver)
        error_set(error, "driver is needed: file, raw or qcow2");
    else if (!n->name || !*n->name)
        error_set(error, "node-name is needed");
    else if (find_node(o, n->name))
        error_set(error, "there is another node with node-name '%s'", n->name);
    else if (n->null && (n->filename || n->child))
        error_set(error, "null-co has no file");
    else if (!n->null && n->size)
        error_set(error, "size is of null-co");
    else if (!n->null && !n->filename == !n->child)
        error_set(error, "either filename or file is needed");
    else if ((n->backing || n->within || n->alone) && g_strcmp0(n->format, "qcow2"))
        error_set(error, "backing is of qcow2");
    else
        return true;
    return false;
}

bool opt_blockdev(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) pairs = keyval_table(arg, "driver");
    BlockNode *n = g_new0(BlockNode, 1);

    if (!take_pairs(n, pairs, error) ||
        !check_node(o, n, g_hash_table_contains(pairs, "driver"), error)) {
        options_free_blockdev(n);
        return false;
    }
    if (n->null)
        n->filename =
            g_strdup_printf(IMAGE_NULL "%" G_GUINT64_FORMAT, n->size ? n->size : NULL_SIZE);
    g_ptr_array_add(o->blockdevs, n);
    return true;
}

/* ---- Disks ----------------------------------------------------------------------------------- */

/* The file below @n; NULL with @error. */
static const char *find_file(const Options *o, BlockNode *n, GError **error)
{
    for (unsigned depth = 0; depth < MAX_DEPTH; depth++) {
        BlockNode *below = n->filename ? NULL : find_node(o, n->child);

        if (n->filename)
            return n->filename;
        if (!below) {
            error_set(error, "-blockdev: there is no node '%s' for '%s'", n->child, n->name);
            return NULL;
        }
        if (below->format && strcmp(below->format, "raw")) {
            error_set(error, "-blockdev: '%s' on '%s': a format on another is not supported",
                      n->name, below->name);
            return NULL;
        }
        below->used = true;
        n = below;
    }
    error_set(error, "-blockdev: nodes around '%s' are made of each other", n->name);
    return NULL;
}

static BlockNode *node_behind(const Options *o, BlockNode *n)
{
    return n->within ? n->within : n->backing ? find_node(o, n->backing) : NULL;
}

/* A node written within has no name to be found by. */
static bool check_within(const BlockNode *n, GError **error)
{
    bool ok = n->name || (n->filename ? !n->child : n->child != NULL);

    if (!ok)
        error_set(error, "-blockdev: backing: either filename or file is needed");
    return ok;
}

/* All behind @n are there, and are marked as used. */
static bool check_chain(const Options *o, BlockNode *n, GError **error)
{
    for (unsigned depth = 0; depth < DRIVE_CHAIN; depth++) {
        BlockNode *behind = node_behind(o, n);

        if (!check_within(n, error) || !find_file(o, n, error))
            return false;
        if (!behind && !n->backing)
            return true;
        if (!behind) {
            error_set(error, "Cannot find device='%s' nor node-name='%s'", n->backing, n->backing);
            return false;
        }
        behind->used = true;
        n = behind;
    }
    error_set(error, "-blockdev: there are too many images behind one another");
    return false;
}

static void describe_disk(const Options *o, BlockNode *n, DriveOption *d)
{
    BlockNode *behind = node_behind(o, n);

    d->file = g_strdup(find_file(o, n, NULL));
    d->format = g_strdup(n->format ? n->format : "raw"); /* null-co takes that */
    d->read_only = n->read_only;
    d->discard = n->discard;
    d->no_flush = n->no_flush;
    d->alone = n->alone;
    if (!behind)
        return;
    d->backing = g_new0(DriveOption, 1);
    describe_disk(o, behind, d->backing);
}

static void add_disk(Options *o, BlockNode *n)
{
    DriveOption *d = options_add_drive(o);

    d->interface = DRIVE_IF_NONE;
    d->id = g_strdup(n->name);
    describe_disk(o, n, d);
}

/* -machine pflash0=NODE */
static bool place_flash(Options *o, int unit, GError **error)
{
    for (guint i = 0; i < o->config.drives->len; i++) {
        DriveOption *d = o->config.drives->pdata[i];

        if (d->interface != DRIVE_IF_NONE || !d->id || strcmp(d->id, o->pflash[unit]))
            continue;
        d->interface = DRIVE_IF_PFLASH;
        d->unit = unit;
        return true;
    }
    error_set(error, "-machine pflash%d=%s: there is no such node (-blockdev ...,node-name=)", unit,
              o->pflash[unit]);
    return false;
}

bool options_complete_blockdevs(Options *o, GError **error)
{
    for (guint i = 0; i < o->blockdevs->len; i++) {
        if (!check_chain(o, o->blockdevs->pdata[i], error)) /* marks what it is made of */
            return false;
    }
    for (guint i = 0; i < o->blockdevs->len; i++) {
        BlockNode *n = o->blockdevs->pdata[i];

        if (!n->used)
            add_disk(o, n);
    }
    for (int unit = 0; unit < 2; unit++) {
        if (o->pflash[unit] && !place_flash(o, unit, error))
            return false;
    }
    return true;
}
