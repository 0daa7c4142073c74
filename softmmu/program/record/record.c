/* SPDX-License-Identifier: MIT */
/*
 * A recording carries the options of its machine, with all that the host chose filled in (time,
 * seed, counting), and the files that went into it. One that
 * begins while a machine runs has that machine's state among the files.
 */
#include "softmmu/program/record/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accel/session.h"
#include "accel/snapshot.h"
#include "accel/travel.h"
#include "config.h"
#include "hw/pc.h"
#include "softmmu/error.h"
#include "softmmu/program/record/tools.h"

/* ---- Options --------------------------------------------------------------------------------- */

/* Later options win. */
static char **recorded_args(const Options *o)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new_with_free_func(g_free);
    time_t base = o->config.rtc_base_s;
    char date[32];
    struct tm tm;

    for (unsigned i = 0; i < o->machine_args->len; i++)
        g_ptr_array_add(args, g_strdup(o->machine_args->pdata[i]));
    gmtime_r(&base, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    g_ptr_array_add(args, g_strdup("-rtc"));
    g_ptr_array_add(args, g_strdup_printf("base=%s", date));
    g_ptr_array_add(args, g_strdup("-seed"));
    g_ptr_array_add(args, g_strdup_printf("%" PRIu64, o->config.seed));
    g_ptr_array_add(args, g_strdup("-icount"));
    g_ptr_array_add(args, g_strdup_printf("shift=%d", o->config.icount_shift));
    g_ptr_array_add(args, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&args), FALSE);
}

/* Options of the machine given along with a replay must be those of the recording. */
static bool check_given(const Options *o, char **recorded, GError **error)
{
    for (unsigned i = 0; i < o->machine_args->len; i++) {
        if (g_strv_contains((const char *const *)recorded, o->machine_args->pdata[i]))
            continue;
        error_set(error, "'%s': the recording has the machine's options, and this is none of them",
                  (const char *)o->machine_args->pdata[i]);
        return false;
    }
    return true;
}

/* What of this host's options goes on to the replay's machine. */
static bool add_host_args(const Options *o, GPtrArray *argv, GError **error)
{
    static const char *const own[] = { "icount", "replay", NULL };
    const GPtrArray *args = o->host_args;

    for (unsigned i = 0; i < args->len; i++) {
        const char *name = args->pdata[i];
        bool has_arg = i + 1 < args->len && options_takes_argument(name);

        name += strspn(name, "-");
        if (!strcmp(name, "icount") && !o->rr_replay) {
            error_set(error, "-icount: the recording says how instructions are counted");
            return false;
        }
        if (!g_strv_contains(own, name)) {
            g_ptr_array_add(argv, args->pdata[i]);
            if (has_arg)
                g_ptr_array_add(argv, args->pdata[i + 1]);
        }
        i += has_arg;
    }
    return true;
}

static bool replay_options(Options *o, RecordReader *r, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    char **recorded = record_args(r);
    Options replay;

    g_ptr_array_add(argv, (char *)"mimus");
    for (char **arg = recorded; *arg; arg++)
        g_ptr_array_add(argv, *arg);
    if (!check_given(o, recorded, error) || !add_host_args(o, argv, error))
        return false;
    if (!options_parse_replay(&replay, argv->len, (char **)argv->pdata, g_strv_length(recorded),
                              record_files(r), error)) {
        options_clear(&replay);
        g_prefix_error(error, "cannot replay '%s': ", o->replay_file);
        return false;
    }
    replay.mute = o->mute;
    replay.replay_to = o->replay_to;
    replay.replay_file = g_steal_pointer(&o->replay_file);
    replay.screen_file = g_steal_pointer(&o->screen_file);
    options_clear(o);
    *o = replay;
    return true;
}

RecordReader *record_replay_options(Options *o, GError **error)
{
    RecordReader *r = record_open(o->replay_file, error);

    if (r && replay_options(o, r, error))
        return r;
    record_reader_free(r);
    return NULL;
}

RecordReader *record_options(Options *o, const char *path, GError **error)
{
    const char *argv[] = { "mimus", "-replay", path };

    if (options_parse(o, G_N_ELEMENTS(argv), (char **)argv, error))
        return record_replay_options(o, error);
    return NULL;
}

/* ---- Running --------------------------------------------------------------------------------- */

static void recording_failed(const char *why)
{
    fprintf(stderr, "mimus: recording has stopped, the machine goes on: %s\n", why);
}

static void begin(Built *b, RecordWriter *w, const char *path)
{
    g_free(b->recording);
    b->recording = g_strdup(path);
    session_record(b->accel, w, recording_failed);
}

bool record_begin(Built *b, const Options *o, GError **error)
{
    g_auto(GStrv) args = recorded_args(o);
    RecordWriter *w;

    pc_note_disks(&b->machine);
    w = record_create(o->record_file, args, o->config.files, error);
    if (!w) {
        g_prefix_error(error, "-record: ");
        return false;
    }
    record_board(w, (const char *const *)b->shape);
    begin(b, w, o->record_file);
    return true;
}

/* What the machine was made of, and what has become of it. */
static HostFiles *files_of_moment(const Options *o, GBytes *snapshot)
{
    g_autoptr(GList) names = host_files_names(o->config.files);
    HostFiles *files = host_files_new(true);

    for (GList *n = names; n; n = n->next) {
        g_autoptr(GBytes) data = NULL;

        if (strcmp(n->data, RECORD_SNAPSHOT) &&
            host_files_find(o->config.files, n->data, &data, NULL) && data)
            host_files_add(files, n->data, data);
    }
    host_files_add(files, RECORD_SNAPSHOT, snapshot);
    return files;
}

RecordWriter *record_create_here(Built *b, const Options *o, char **args, const char *path,
                                 GError **error)
{
    g_autoptr(GBytes) snapshot = snapshot_save(b->accel, error);
    RecordWriter *w;
    HostFiles *files;

    if (!snapshot)
        return NULL;
    files = files_of_moment(o, snapshot);
    w = record_create(path, args, files, error);
    host_files_free(files);
    if (w)
        record_board(w, (const char *const *)b->shape);
    return w;
}

bool record_begin_here(Built *b, const Options *o, const char *path, GError **error)
{
    const char *refusal = session_refusal(b->accel);
    RunState state = b->machine.state;
    g_auto(GStrv) args = recorded_args(o);
    RecordWriter *w;

    if (!refusal && state != RUN_RUNNING && state != RUN_PAUSED && state != RUN_PRELAUNCH &&
        state != RUN_IO_ERROR)
        refusal = "the guest has ended, or is suspended";
    if (refusal) {
        error_set(error, "%s", refusal);
        return false;
    }
    pc_note_disks(&b->machine);
    w = record_create_here(b, o, args, path, error);
    if (w)
        begin(b, w, path);
    return w;
}

bool record_end_here(Built *b, GError **error)
{
    if (session_is_recording(b->accel)) {
        session_stop_recording(b->accel);
        return true;
    }
    error_set(error, "nothing is recorded");
    return false;
}

/* If @r begins so: the machine, which has just been made, is where it was then. */
static bool load_begin(Built *b, const RecordReader *r, GError **error)
{
    g_autoptr(GList) names = host_files_names(record_files(r));
    g_autoptr(GBytes) snapshot = NULL;

    if (!g_list_find_custom(names, RECORD_SNAPSHOT, (GCompareFunc)strcmp))
        return true;
    return host_files_find(record_files(r), RECORD_SNAPSHOT, &snapshot, error) &&
           snapshot_load(b->accel, snapshot, error);
}

static bool same_device(const char *a, const char *b)
{
    size_t len = strcspn(a, " ");

    return len == strcspn(b, " ") && !memcmp(a, b, len);
}

static bool has_device(char **shape, const char *device)
{
    for (; *shape; shape++)
        if (same_device(*shape, device))
            return true;
    return false;
}

/* Options give the same machine, unless another version of the program makes another one of them.
 */
static bool check_board(const Built *b, const RecordReader *r, GError **error)
{
    char **ours = b->shape, **theirs = record_board_shape(r);
    const char *which, *how;

    if (!theirs)
        return true;
    for (; *ours && *theirs && !strcmp(*ours, *theirs); ours++)
        theirs++;
    if (!*ours && !*theirs)
        return true;
    which = *ours ? *ours : *theirs;
    how = "is new here";
    if (*ours && *theirs && same_device(*ours, *theirs)) {
        how = "has other state here";
    } else if (*theirs && !has_device(b->shape, *theirs)) {
        which = *theirs;
        how = "is not there any more";
    }
    error_set(error, "it was recorded on another version of this board, by Mimus %s: '%.*s' %s",
              record_version(r), (int)strcspn(which, " "), which, how);
    return false;
}

bool record_attach(Built *b, RecordReader *r, GError **error)
{
    if (!check_board(b, r, error) || !load_begin(b, r, error))
        return false;
    session_replay(b->accel, r);
    return true;
}

bool record_begin_replay(Built *b, RecordReader *r, bool debugged, GError **error)
{
    const MachineConfig *c = b->machine.config;

    if (!record_attach(b, r, error))
        return false;
    if (c->checkpoint_bytes)
        travel_enable(b->accel, c->checkpoint_bytes);
    if (debugged)
        travel_expect(b->accel);
    return true;
}

int record_verdict(Built *b, const RecordReader *r, GString *out)
{
    const char *damage = record_damage(r);
    SessionResult result;

    if (!session_is_replay(b->accel)) {
        g_string_append(out, "replay: left for a run that goes on by itself\n");
        return b->machine.exit_status;
    }
    result = session_result(b->accel);

    if (result.why) {
        g_string_append_printf(
            out, "replay: diverged between %" PRIu64 " and %" PRIu64 " instructions: %s",
            result.agreed, result.count, result.why);
        if (strcmp(record_version(r), MIMUS_VERSION))
            g_string_append_printf(out, " (made by version %s, this is " MIMUS_VERSION ")",
                                   record_version(r));
    } else if (result.complete) {
        g_string_append_printf(out, "replay: %" PRIu64 " instructions, hashes agree", result.count);
    } else {
        g_string_append_printf(out, "replay: %" PRIu64 " instructions, %" PRIu64 " hash%s agree%s",
                               result.count, result.hashes, result.hashes == 1 ? "" : "es",
                               result.hashes == 1 ? "s" : "");
        g_string_append_printf(out, "; %s", damage ? "the recording is not whole: " : "left early");
        g_string_append(out, damage ? damage : "");
    }
    g_string_append_c(out, '\n');
    return result.why ? EXIT_FAILURE : EXIT_SUCCESS;
}

bool record_diverged(const Built *b, uint64_t *agreed, uint64_t *count)
{
    SessionResult result;

    if (!session_is_replay(b->accel))
        return false;
    result = session_result(b->accel);
    *agreed = result.agreed;
    *count = result.count;
    return result.why;
}

/* ---- Subcommands ----------------------------------------------------------------------------- */

bool record_is_command(int argc, char **argv)
{
    return argc > 1 && (!strcmp(argv[1], "rec") || !strcmp(argv[1], "replay"));
}

/* "--gdb", "--gdb=PORT" */
static void take_gdb(GPtrArray *args, const char *port)
{
    g_ptr_array_add(args, g_strdup("-gdb"));
    g_ptr_array_add(args,
                    *port == '=' ? g_strdup_printf("tcp::%s", port + 1) : g_strdup("tcp::1234"));
}

/* 3e9, say. */
static bool take_to(const char *text, uint64_t *count, GError **error)
{
    char *end;
    double value = g_ascii_strtod(text, &end);

    *count = 0;
    if (!strcmp(text, "end"))
        return true;
    if (end != text && !*end && value >= 1 && value < 0x1p63) {
        *count = value;
        return true;
    }
    error_set(error, "--to=%s: a number of instructions is needed, or 'end'", text);
    return false;
}

/* What follows "NAME=", or is the next argument; NULL: this is another one. */
static const char *take_value(int argc, char **argv, int *i, const char *name)
{
    size_t len = strlen(name);

    if (strncmp(argv[*i], name, len))
        return NULL;
    if (argv[*i][len] == '=')
        return argv[*i] + len + 1;
    return !argv[*i][len] && *i + 1 < argc ? argv[++*i] : NULL;
}

#define REPLAY_USAGE                                                                          \
    "usage: mimus replay FILE [--gdb[=PORT]] [--to=COUNT|end] [--screendump=FILE] [--verify]" \
    " [option...]"

static bool replay_command(int argc, char **argv, Options *o, GError **error)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new_with_free_func(g_free);
    const char *file = NULL, *screen = NULL, *value;
    bool verify = false, gdb = false;
    uint64_t to = 0;

    g_ptr_array_add(args, g_strdup(argv[0]));
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--verify")) {
            verify = true;
        } else if (!strcmp(argv[i], "--gdb") || g_str_has_prefix(argv[i], "--gdb=")) {
            gdb = true;
            take_gdb(args, argv[i] + strlen("--gdb"));
        } else if ((value = take_value(argc, argv, &i, "--to"))) {
            if (!take_to(value, &to, error))
                return false;
        } else if ((value = take_value(argc, argv, &i, "--screendump"))) {
            screen = value;
        } else if (argv[i][0] == '-') {
            g_ptr_array_add(args, g_strdup(argv[i]));
            if (options_takes_argument(argv[i]) && i + 1 < argc)
                g_ptr_array_add(args, g_strdup(argv[++i]));
        } else if (!file) {
            file = argv[i];
        } else {
            file = NULL;
            break;
        }
    }
    if (!file) {
        error_set(error, REPLAY_USAGE);
        return false;
    }
    if (gdb && !to)
        g_ptr_array_add(args, g_strdup("-S"));
    if (!gdb && !to && verify) { /* nobody will go back */
        g_ptr_array_add(args, g_strdup("-checkpoint-mem"));
        g_ptr_array_add(args, g_strdup("0"));
    }
    g_ptr_array_add(args, g_strdup("-replay"));
    g_ptr_array_add(args, g_strdup(file));
    if (!options_parse(o, args->len, (char **)args->pdata, error)) {
        options_clear(o);
        return false;
    }
    o->mute = verify;
    o->replay_to = to;
    o->screen_file = g_strdup(screen);
    return true;
}

bool record_command(int argc, char **argv, GString *out, Options *replay, GError **error)
{
    if (!strcmp(argv[1], "rec"))
        return record_tool(argc - 2, argv + 2, out, error);
    return replay_command(argc, argv, replay, error);
}
