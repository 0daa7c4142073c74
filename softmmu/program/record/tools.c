/* SPDX-License-Identifier: MIT */
#include "softmmu/program/record/tools.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "config.h"
#include "softmmu/error.h"
#include "softmmu/program/record/divergence.h"
#include "softmmu/program/record/record.h"
#include "softmmu/program/record/rerun.h"
#include "softmmu/recording.h"

#define SHOWN_BYTES 16

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- rec info -------------------------------------------------------------------------------- */

static void print_args(const RecordReader *r, GString *out)
{
    g_string_append(out, "options:     ");
    for (char **arg = record_args(r); *arg; arg++) {
        g_autofree char *quoted = g_shell_quote(*arg);
        bool plain = **arg && !strpbrk(*arg, " \t\n'\"\\$`*?;&|<>()");

        g_string_append_printf(out, " %s", plain ? *arg : quoted);
    }
    g_string_append_c(out, '\n');
}

static uint64_t print_files(const RecordReader *r, GString *out)
{
    g_autoptr(GList) names = host_files_names(record_files(r));
    uint64_t total = 0;

    for (GList *n = names; n; n = n->next) {
        g_autoptr(GBytes) data = NULL;

        host_files_find(record_files(r), n->data, &data, NULL);
        g_string_append_printf(out, "file:         %s, %zu bytes\n", (const char *)n->data,
                               g_bytes_get_size(data));
        total += g_bytes_get_size(data);
    }
    return total;
}

static void print_stream(RecordReader *r, GString *out)
{
    uint64_t events = 0, bytes = 0, hashes = 0, count = 0;
    bool ended = false;
    RecordItem item;

    while (record_next(r, &item)) {
        count = item.at.count;
        events += item.kind == RECORD_EVENT;
        bytes += item.kind == RECORD_EVENT ? item.len : 0;
        hashes += item.kind == RECORD_HASH;
        ended = item.kind == RECORD_END;
    }
    g_string_append_printf(out, "events:       %" PRIu64 " with %" PRIu64 " byte%s\n", events,
                           bytes, plural(bytes));
    g_string_append_printf(out, "hashes:       %" PRIu64 "\n", hashes);
    g_string_append_printf(out, "instructions: %" PRIu64 "%s\n", count, ended ? "" : " at least");
    if (record_damage(r))
        g_string_append_printf(out, "not whole:    %s\n", record_damage(r));
}

static bool print_info(char **argv, GString *out, GError **error)
{
    RecordReader *r = record_open(argv[0], error);

    if (!r)
        return false;
    g_string_append_printf(out, "made by:      Mimus %s\n", record_version(r));
    print_args(r, out);
    print_files(r, out);
    g_string_append_printf(out, "size:         %" PRIu64 " bytes, %" PRIu64 " without the files\n",
                           record_file_size(r), record_stream_size(r));
    print_stream(r, out);
    record_reader_free(r);
    return true;
}

/* ---- Files that are made --------------------------------------------------------------------- */

/* Where what is to become @path is written: beside it, so that the file that is there, which may be
 * the one that is read, stays until the new one is whole. Devices are written to at once. */
static char *path_to_write(const char *path)
{
    bool exists = g_file_test(path, G_FILE_TEST_EXISTS);

    return exists && !g_file_test(path, G_FILE_TEST_IS_REGULAR) ? g_strdup(path)
                                                                : g_strconcat(path, ".new", NULL);
}

/* @good: it is whole. False with @error. */
static bool put_in_place(const char *written, const char *path, bool good, GError **error)
{
    if (!strcmp(written, path))
        return good;
    if (good && !g_rename(written, path))
        return true;
    if (good)
        error_set(error, "could not write '%s': %s", path, g_strerror(errno));
    g_unlink(written);
    return false;
}

/* ---- rec pack -------------------------------------------------------------------------------- */

static bool copy_items(RecordReader *r, RecordWriter *w, const char *path, GError **error)
{
    RecordItem item;

    while (record_next(r, &item))
        record_item(w, r, &item);
    record_flush(w);
    if (!record_failure(w))
        return true;
    error_set(error, "could not write '%s': %s", path, record_failure(w));
    return false;
}

/* Files are in a recording from the beginning: what is left to do is to make it small. */
static bool pack(char **argv, GString *out, GError **error)
{
    RecordReader *r = record_open(argv[0], error);
    g_autofree char *path = path_to_write(argv[1]);
    RecordWriter *w = r ? record_create_copy(path, r, error) : NULL;
    bool good = w && copy_items(r, w, path, error);

    if (good) {
        g_string_append_printf(out, "%" PRIu64 " bytes, before %" PRIu64 "; all files are in it\n",
                               record_size(w), record_file_size(r));
        if (record_damage(r))
            g_string_append_printf(out, "not whole, and ends before: %s\n", record_damage(r));
    }
    record_close(w);
    record_reader_free(r);
    return w && put_in_place(path, argv[1], good, error);
}

/* ---- rec trim -------------------------------------------------------------------------------- */

static bool take_counts(const char *text, uint64_t *from, uint64_t *to, GError **error)
{
    const char *dots = strstr(text, "..");
    double value[2] = { 0, 0x1p62 };
    bool good = dots;

    for (unsigned i = 0; i < 2 && good; i++) {
        const char *start = i ? dots + 2 : text, *stop = i ? text + strlen(text) : dots;
        g_autofree char *part = g_strndup(start, stop - start);
        char *end;

        if (!*part)
            continue;
        value[i] = g_ascii_strtod(part, &end);
        good = !*end && value[i] >= 0 && value[i] <= 0x1p62;
    }
    *from = value[0];
    *to = value[1];
    if (good && value[0] < value[1])
        return true;
    error_set(error, "'%s': two numbers of instructions are needed, as in 1e9..3e9", text);
    return false;
}

/* What @run has been given since @place, and how it ends. Its reader knows all channels by now. */
static void copy_until(const RecordPlace *place, Rerun *run, RecordWriter *w)
{
    RecordReader *r = run->reader;
    RecordStamp end = session_stamp(run->built.accel);
    RecordItem item;

    record_channels(w, (const char *const *)record_channel_names(r));
    record_seek(r, place);
    while (record_next(r, &item) && item.kind != RECORD_END &&
           record_stamp_compare(&item.at, &end) <= 0)
        record_item(w, r, &item);
    record_end(w, &end, machine_state_hash(&run->built.machine));
}

static bool trim_run(Rerun *run, const char *counts, const char *path, GString *out, GError **error)
{
    Accel *a = run->built.accel;
    uint64_t from, to, begin;
    SessionPlace place;
    RecordWriter *w;

    if (!take_counts(counts, &from, &to, error))
        return false;
    if (!lockstep_run(&run->step, from, UINT64_MAX)) {
        error_set(error, "the recording ends after %" PRIu64 " instructions",
                  accel_instruction_count(a));
        return false;
    }
    w = record_create_here(&run->built, &run->o, record_args(run->reader), path, error);
    if (!w)
        return false;
    place = session_place(a);
    begin = accel_instruction_count(a);
    lockstep_run(&run->step, to, UINT64_MAX);
    copy_until(&place.next, run, w);
    if (record_failure(w))
        error_set(error, "could not write '%s': %s", path, record_failure(w));
    else if (session_result(a).why)
        error_set(error, "the replay diverged: %s", session_result(a).why);
    else
        g_string_append_printf(out,
                               "from %" PRIu64 " to %" PRIu64 " instructions, %" PRIu64 " bytes\n",
                               begin, accel_instruction_count(a), record_size(w));
    record_close(w);
    return out->len;
}

static bool trim(char **argv, GString *out, GError **error)
{
    Options o = { 0 };
    RecordReader *r = record_options(&o, argv[1], error);
    g_autofree char *path = path_to_write(argv[2]);
    Rerun run = { 0 };
    bool good = r && rerun_open(&run, &o, NULL, argv[1], error) &&
                trim_run(&run, argv[0], path, out, error);

    rerun_close(&run);
    options_clear(&o);
    record_reader_free(r);
    return put_in_place(path, argv[2], good, error);
}

/* ---- rec diff -------------------------------------------------------------------------------- */

typedef struct Stream {
    const char *name;
    RecordReader *r;
    RecordItem item;
    bool has;
    uint64_t last; /* count of the last item there was */
} Stream;

static void advance(Stream *s)
{
    s->has = record_next(s->r, &s->item);
    if (s->has)
        s->last = s->item.at.count;
}

static void print_only(char **args, char **others, const char *name, GString *out)
{
    for (; *args; args++)
        if (!g_strv_contains((const char *const *)others, *args))
            g_string_append_printf(out, "only the %s has the option or argument '%s'\n", name,
                                   *args);
}

static void compare_files(const Stream s[2], GString *out)
{
    for (unsigned i = 0; i < 2; i++) {
        HostFiles *mine = record_files(s[i].r), *other = record_files(s[!i].r);
        g_autoptr(GList) names = host_files_names(mine);

        for (GList *n = names; n; n = n->next) {
            g_autoptr(GBytes) x = NULL, y = NULL;

            host_files_find(mine, n->data, &x, NULL);
            host_files_find(other, n->data, &y, NULL);
            if (!y)
                g_string_append_printf(out, "only the %s has the file %s\n", s[i].name,
                                       (const char *)n->data);
            else if (!i && !g_bytes_equal(x, y))
                g_string_append_printf(out, "the file %s differs\n", (const char *)n->data);
        }
    }
}

/* As there may be other channels in the other machine. */
static const char *channel_name(const Stream *s)
{
    return record_channel_names(s->r)[s->item.channel];
}

static bool same_item(const Stream *a, const Stream *b)
{
    const RecordItem *x = &a->item, *y = &b->item;

    if (a->has != b->has || (a->has && x->kind != y->kind))
        return false;
    if (!a->has)
        return true;
    if (record_stamp_compare(&x->at, &y->at) || x->hash != y->hash || x->len != y->len)
        return false;
    return x->kind != RECORD_EVENT ||
           (!strcmp(channel_name(a), channel_name(b)) && !memcmp(x->data, y->data, x->len));
}

static void describe(const Stream *s, GString *out)
{
    const RecordItem *item = &s->item;

    g_string_append_printf(out, "  %s: ", s->name);
    if (!s->has) {
        g_string_append_printf(out, "nothing more (%s)\n",
                               record_damage(s->r) ? record_damage(s->r) : "it ended");
        return;
    }
    g_string_append_printf(out, "at %" PRIu64 " instructions, %" PRIu64 " ns: ", item->at.count,
                           item->at.time_ns);
    if (item->kind != RECORD_EVENT) {
        g_string_append_printf(out, "%s, state hash %016" PRIx64 "\n",
                               item->kind == RECORD_END ? "the end" : "no input", item->hash);
        return;
    }
    g_string_append_printf(out, "%s, %zu byte%s:", channel_name(s), item->len, plural(item->len));
    for (size_t i = 0; i < MIN(item->len, SHOWN_BYTES); i++)
        g_string_append_printf(out, " %02x", item->data[i]);
    g_string_append(out, item->len > SHOWN_BYTES ? " ...\n" : "\n");
}

/* The count of a hash of the same moment that differs, or at which one ends. */
static uint64_t differ_for_sure(Stream s[2])
{
    while (s[0].has && s[1].has) {
        uint64_t count[2] = { s[0].item.at.count, s[1].item.at.count };

        if (s[0].item.kind == RECORD_HASH && s[1].item.kind == RECORD_HASH &&
            count[0] == count[1] && s[0].item.hash != s[1].item.hash)
            return count[0];
        if (count[0] <= count[1])
            advance(&s[0]);
        if (count[1] <= count[0])
            advance(&s[1]);
    }
    return s[0].has ? s[1].last : s[0].last;
}

static bool ends(const Stream *s)
{
    return !s->has || s->item.kind == RECORD_END;
}

static void compare_streams(Stream s[2], char **path, GString *out)
{
    uint64_t agreed = 0, hashes = 0, count;

    for (advance(&s[0]), advance(&s[1]); same_item(&s[0], &s[1]) && s[0].has;) {
        if (s[0].item.kind == RECORD_HASH) {
            agreed = s[0].item.at.count;
            hashes++;
        }
        advance(&s[0]);
        advance(&s[1]);
    }
    if (!s[0].has && !s[1].has) {
        g_string_append_printf(out,
                               "the same input at the same moments, %" PRIu64 " hash%s agree\n",
                               hashes, hashes == 1 ? "" : "es");
        return;
    }
    g_string_append_printf(out,
                           "The last hash that agrees is after %" PRIu64 " instructions."
                           " What comes first and differs:\n",
                           agreed);
    describe(&s[0], out);
    describe(&s[1], out);
    if (ends(&s[0]) != ends(&s[1]))
        return; /* one went on */
    count = differ_for_sure(s);
    divergence_compare((const char *const *)path, agreed, count, out);
}

static bool diff(char **argv, GString *out, GError **error)
{
    Stream s[2] = { { .name = "first" }, { .name = "second" } };
    bool good;

    for (unsigned i = 0; i < 2; i++)
        if (!(s[i].r = record_open(argv[i], error)))
            break;
    good = s[0].r && s[1].r;
    if (good) {
        for (unsigned i = 0; i < 2; i++)
            print_only(record_args(s[i].r), record_args(s[!i].r), s[i].name, out);
        compare_files(s, out);
        compare_streams(s, argv, out);
    }
    record_reader_free(s[0].r);
    record_reader_free(s[1].r);
    return good;
}

/* ---- All ------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int args;
    bool (*run)(char **argv, GString *out, GError **error);
} tools[] = {
    { "info", 1, print_info },
    { "diff", 2, diff },
    { "pack", 2, pack },
    { "trim", 3, trim },
};

bool record_tool(int argc, char **argv, GString *out, GError **error)
{
    for (size_t i = 0; argc && i < G_N_ELEMENTS(tools); i++)
        if (!strcmp(argv[0], tools[i].name) && argc == tools[i].args + 1)
            return tools[i].run(argv + 1, out, error);
    error_set(
        error,
        "usage: mimus rec info FILE | diff FILE OTHER | pack FILE NEW | trim FROM..TO FILE NEW");
    return false;
}
