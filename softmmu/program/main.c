/* SPDX-License-Identifier: MIT */
/*
 * mimus: options, machine, two threads, exit status.
 *
 * The machine thread runs everything of the guest. The main thread polls the host: terminal,
 * sockets and signals, whose news it posts into the machine's input queue.
 */
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accel/accel.h"
#include "accel/plugin/plugin.h"
#include "hw/pc.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/log.h"
#include "softmmu/program/build.h"
#include "softmmu/program/console.h"
#include "softmmu/program/facts.h"
#include "softmmu/program/gdb/server.h"
#include "softmmu/program/host-side.h"
#include "softmmu/program/img/img.h"
#include "softmmu/program/monitor/screendump.h"
#include "softmmu/program/network.h"
#include "softmmu/program/options/options.h"
#include "softmmu/program/process.h"
#include "softmmu/program/qmp/text.h"
#include "softmmu/program/record/divergence.h"
#include "softmmu/program/record/record.h"
#include "softmmu/program/record/travel.h"
#include "softmmu/program/screens.h"
#include "softmmu/program/state/savestate.h"
#include "softmmu/program/trace/command.h"
#include "softmmu/trace.h"
#include "target-i386/cpu.h"

/* @o may be NULL. */
static int complain(const Options *o, GError *error)
{
    if (o && o->timestamps) {
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        g_autofree char *text = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ ");
        fputs(text, stderr);
    }
    fprintf(stderr, "mimus: %s\n", error->message);
    g_error_free(error);
    return EXIT_FAILURE;
}

static int answer(const Options *o)
{
    bool props = o->answer_kind == ANSWER_DEVICE_PROPS;
    g_autoptr(GString) text = g_string_new(props ? "" : o->answer->str);
    g_autoptr(GError) error = NULL;

    if (props && !pc_print_device_props(o->answer->str, text, &error))
        return complain(o, g_steal_pointer(&error));
    if (o->answer_kind == ANSWER_CPU_MODELS)
        x86_print_models(text);
    else if (o->answer_kind == ANSWER_DEVICES)
        pc_print_device_help(text);
    else if (o->answer_kind == ANSWER_NIC_MODELS)
        pc_print_nic_models(text);
    fputs(text->str, stdout);
    return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Before anything is built: files that everybody gets wrong sometimes. */
static bool check_readable(const MachineConfig *c, const char *what, const char *path,
                           GError **error)
{
    if (!path || c->replaying || host_is_fd_set(path) || !access(path, R_OK))
        return true;
    error_set(error, "could not open %s file '%s': %s", what, path, g_strerror(errno));
    return false;
}

/* A single name has to be one; what matches no pattern may come with another version. */
static bool set_up_traces(const Options *o, GError **error)
{
    for (guint i = 0; i < o->trace_files->len; i++)
        if (!trace_read_file(o->trace_files->pdata[i], error))
            return false;
    for (guint i = 0; i < o->trace_events->len; i++) {
        const char *pattern = o->trace_events->pdata[i];

        if (!trace_set(pattern, true) && !strpbrk(pattern, "*?"))
            g_printerr("mimus: warning: trace event '%s' does not exist\n", pattern);
    }
    return true;
}

static bool set_up_log(const Options *o, GError **error)
{
    return set_up_traces(o, error) && (!o->log_file || log_set_file(o->log_file, error)) &&
           (!o->log_filter || log_set_filter(o->log_filter, error)) &&
           (!o->log_counts || log_set_counts(o->log_counts, error)) &&
           (!o->log_items || log_set_items(o->log_items, error));
}

/* ---- Signals --------------------------------------------------------------------------------- */

typedef struct Program Program;

typedef struct SignalSource {
    Program *program;
    int number;
    unsigned count;
    guint watch; /* of the main loop's context; 0: none */
} SignalSource;

struct Program {
    Built built;
    const Options *options;
    Console console;
    Network network;
    HostSide *host_side;
    Screens screens;
    RunControl *rc;
    Monitor *monitor;
    GdbServer *gdb;
    Traveller *traveller;
    SaveState *states;
    GPtrArray *qmps; /* Qmp * */
    QmpShared *qmp_shared;
    Qmp *text;        /* behind the text monitors */
    GPtrArray *views; /* Monitor *: beside the first */
    GMainLoop *loop;
    RecordReader *reader; /* NULL: no replay */
    bool leaves;          /* it, where it was to stop, as nobody is there to look */
    int signal_channel;
    SignalSource signals[3]; /* by signal_numbers */
};

/* Machine thread. */
static void signal_arrived(void *opaque, const void *data, size_t len)
{
    ((Machine *)opaque)->quit_reason = "host-signal";
    machine_request_quit(opaque, EXIT_SUCCESS);
}

static gboolean on_signal(void *opaque)
{
    SignalSource *s = opaque;

    if (s->count++)
        exit(EXIT_FAILURE); /* asked twice: do not wait for the machine; the terminal is restored */
    fprintf(stderr, "mimus: terminating on signal %d\n", s->number);
    input_post(s->program->built.machine.input, s->program->signal_channel, NULL, 0);
    return G_SOURCE_CONTINUE;
}

static const int signal_numbers[] = { SIGINT, SIGTERM, SIGHUP };

/* Until forget_signals(): one that comes while the machine is taken down changes nothing. */
static void watch_signals(Program *p)
{
    for (size_t i = 0; i < G_N_ELEMENTS(signal_numbers); i++) {
        SignalSource *s = &p->signals[i];

        *s = (SignalSource){ .program = p, .number = signal_numbers[i] };
        s->watch = g_unix_signal_add(s->number, on_signal, s);
    }
}

/* Back to what the host does with them. */
static void forget_signals(Program *p)
{
    for (size_t i = 0; i < G_N_ELEMENTS(p->signals); i++)
        g_clear_handle_id(&p->signals[i].watch, g_source_remove);
}

/* ---- Running --------------------------------------------------------------------------------- */

static gboolean machine_ended(void *opaque)
{
    g_main_loop_quit(((Program *)opaque)->loop);
    return G_SOURCE_REMOVE;
}

static bool process(void *opaque, bool *quit)
{
    Program *p = opaque;
    bool may_run = run_control_process(p->rc, quit);

    if (p->leaves && p->built.machine.state == RUN_DEBUG)
        machine_request_quit(&p->built.machine, 0);
    if (!*quit)
        gdb_server_settle(p->gdb);
    return may_run;
}

static void *machine_thread(void *opaque)
{
    Program *p = opaque;

    accel_run(p->built.accel, process, p);
    gdb_server_exited(p->gdb, p->built.machine.exit_status);
    g_idle_add(machine_ended, p);
    return NULL;
}

static void run(Program *p)
{
    GThread *thread;

    watch_signals(p);
    p->loop = g_main_loop_new(NULL, FALSE);
    thread = g_thread_new("machine", machine_thread, p);
    g_main_loop_run(p->loop);
    g_thread_join(thread);
    g_main_loop_unref(p->loop);
}

static bool load_plugins(Accel *a, const GPtrArray *plugins, GError **error)
{
    for (unsigned i = 0; i < plugins->len; i++)
        if (!plugin_load(a, plugins->pdata[i], error))
            return false;
    return true;
}

static bool begin_record(void *opaque, const char *path, GError **error)
{
    Program *p = opaque;

    host_side_settle(p->host_side);
    return record_begin_here(&p->built, p->options, path, error);
}

static bool end_record(void *opaque, GError **error)
{
    return record_end_here(&((Program *)opaque)->built, error);
}

/* "none", or where a debugger may come from now on: as -gdb. */
static bool serve_gdb(void *opaque, const char *text, GError **error)
{
    Program *p = opaque;
    g_autofree char *device = NULL;

    if (!options_gdb_device(text, &device, error) || !gdb_server_may_move(p->gdb, error))
        return false;
    gdb_server_set_chardev(p->gdb, NULL);
    if (!console_reopen_gdb(&p->console, device, &p->built.machine, error))
        return false;
    gdb_server_set_chardev(p->gdb, p->console.gdb);
    return true;
}

/* ---- Monitors -------------------------------------------------------------------------------- */

static void tell_programs(void *opaque, const char *event, const char *data)
{
    Program *p = opaque;

    for (guint i = 0; i < p->qmps->len; i++)
        qmp_event(p->qmps->pdata[i], event, data);
}

/* Those beside the first. */
static void open_monitors(Program *p)
{
    Machine *m = &p->built.machine;
    QmpWorld world = { .m = m,
                       .rc = p->rc,
                       .mon = p->monitor,
                       .shared = p->qmp_shared = qmp_shared_new(),
                       .cpus = build_monitor_cpus(&p->built),
                       .states = *savestate_for_monitor(p->states),
                       .travel = *traveller_for_monitor(p->traveller),
                       .chardevs = p->console.chardevs,
                       .facts = facts_for_qmp(&p->built),
                       .vnc = &p->screens.vnc,
                       .display = p->options->display };

    p->text = text_begin(&world);
    p->qmps = g_ptr_array_new_with_free_func((GDestroyNotify)qmp_free);
    p->views = g_ptr_array_new_with_free_func((GDestroyNotify)monitor_free);
    m->event_hook = tell_programs;
    m->event_opaque = p;
    for (guint i = 0; i < p->console.monitors->len; i++) {
        const ConsoleMonitor *c = &g_array_index(p->console.monitors, ConsoleMonitor, i);

        if (c->control)
            g_ptr_array_add(p->qmps, qmp_new(&world, c->chr, c->pretty));
        else
            g_ptr_array_add(p->views, monitor_new_beside(p->monitor, c->chr));
    }
}

static void close_monitors(Program *p)
{
    if (p->qmp_shared)
        qmp_end_jobs(p->qmp_shared);
    p->built.machine.event_hook = NULL;
    g_clear_pointer(&p->qmps, g_ptr_array_unref);
    g_clear_pointer(&p->qmp_shared, qmp_shared_free);
    g_clear_pointer(&p->views, g_ptr_array_unref);
    monitor_free(p->monitor);
    qmp_free(p->text);
}

/* What the machine begins with instead of a cold start. */
static bool load_start(Program *p, const Options *o, GError **error)
{
    if (o->loadvm && !savestate_load(p->states, o->loadvm, error))
        return false;
    if (o->incoming && !savestate_incoming(p->states, o->incoming, error)) {
        g_prefix_error(error, "-incoming %s: ", o->incoming);
        return false;
    }
    return true;
}

static bool dump_vmstate(Program *p, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new("{\n  \"vmschkmachine\": {\n    \"Name\": ");
    const char *machine = p->options->config.machine;

    g_string_append_printf(text, "\"%s\"\n  },\n",
                           machine ? options_canonical_machine(machine) : "none");
    device_tree_describe(p->built.machine.root, text);
    g_string_append(text, "\n}\n");
    return g_file_set_contents(path, text->str, text->len, error);
}

/* A recording of a machine that does not begin cold has its state. */
static bool start_recording(Program *p, const Options *o, GError **error)
{
    return o->loadvm ? record_begin_here(&p->built, o, o->record_file, error)
                     : record_begin(&p->built, o, error);
}

/* Files of memory that the machine does not use are made all the same. */
static bool open_memory_files(const MachineConfig *c, GError **error)
{
    for (guint i = 0; !c->replaying && i < c->memory_backends->len; i++)
        if (!host_side_make_memory(c->memory_backends->pdata[i], error))
            return false;
    return true;
}

static void tell_trouble(const char *why)
{
    fprintf(stderr, "mimus: %s: the machine is paused; 'cont' tries again\n", why);
}

static bool set_up(Program *p, const Options *o, GError **error)
{
    static const RunHooks hooks = { build_powerdown, build_wakeup, build_cancel_travel,
                                    tell_trouble };
    Machine *m = &p->built.machine;
    MonitorCpus cpus = build_monitor_cpus(&p->built);

    if (!console_open(&p->console, o, m, error) || !network_open(&p->network, o, m, error))
        return false;
    p->signal_channel = input_add_channel(m->input, "signal", true, signal_arrived, m);
    if (!build_finish(&p->built, error) || !network_open_dumps(&p->network, m, error) ||
        !open_memory_files(&o->config, error))
        return false;
    if (!console_open_gdb(&p->console, o, m, error))
        return false;
    p->rc = run_control_new(m, &hooks);
    p->monitor = monitor_new(m, p->rc, &cpus, build_monitor_topics, p->console.monitor);
    p->traveller = traveller_new(&p->built, o, p->rc);
    monitor_set_travel(p->monitor, traveller_for_monitor(p->traveller));
    p->states = savestate_new(&p->built, p->rc);
    monitor_set_board(p->monitor, &build_monitor_board);
    p->host_side = host_side_new(m, &p->network, &p->console, o->machine_args);
    MonitorHost host = host_side_for_monitor(p->host_side);
    monitor_set_host(p->monitor, &host);
    monitor_set_states(p->monitor, savestate_for_monitor(p->states));
    monitor_set_debugger(p->monitor, &(MonitorDebugger){ serve_gdb, p });
    monitor_set_record(p->monitor, &(MonitorRecord){ begin_record, end_record, p });
    monitor_set_chardevs(p->monitor, p->console.chardevs);
    open_monitors(p);
    p->gdb = gdb_server_new(&p->built, p->rc, p->monitor, p->traveller, p->console.gdb);
    if (!screens_open(&p->screens, o, m, error) || !load_start(p, o, error))
        return false;
    monitor_set_vnc(p->monitor, p->screens.vnc);
    if (o->record_file
            ? !start_recording(p, o, error)
            : p->reader && !record_begin_replay(&p->built, p->reader, p->console.gdb, error))
        return false;
    if (o->replay_to) {
        traveller_stop_at(p->traveller, o->replay_to);
        p->leaves = !p->console.gdb && !p->console.monitor;
    }
    accel_set_one_insn(p->built.accel, o->config.one_insn_per_tb);
    return load_plugins(p->built.accel, o->plugins, error);
}

static void log_hash(Machine *m)
{
    if (log_enabled(LOG_HASH))
        log_printf("state hash: %016" G_GINT64_MODIFIER "x\n", machine_state_hash(m));
}

static void log_stats(Built *b)
{
    if (log_enabled(LOG_STATS)) {
        g_autoptr(GString) out = g_string_new(NULL);
        accel_print_stats(b->accel, out);
        log_write(out->str);
    }
}

static int tell_verdict(Program *p)
{
    g_autoptr(GString) line = g_string_new("");
    int status = record_verdict(&p->built, p->reader, line);

    fprintf(stderr, "mimus: %s", line->str);
    return status;
}

/* @reader: of what is replayed, or NULL. *@count: where that diverged, 0: it did not. */
static int run_machine(const Options *o, RecordReader *reader, uint64_t *agreed, uint64_t *count)
{
    Program p = { .options = o, .reader = reader };
    GError *error = NULL;
    int status = EXIT_FAILURE, daemon_fd = -1;

    if (o->daemonize && (daemon_fd = process_daemonize(&error)) < 0)
        return complain(o, error);
    if (o->process_name)
        process_set_name(o->process_name);
    if (o->sandboxed)
        process_gain_no_rights();
    if (o->lock_memory && !process_lock_memory(&error))
        return complain(o, error);
    signal(SIGPIPE, SIG_IGN); /* what goes to a pipe, a recording too, has an error then */
    build_begin(&p.built, &o->config);
    if (reader)
        input_set_replaying(p.built.machine.input, true);
    if (o->dump_vmstate) {
        status = build_finish(&p.built, &error) && dump_vmstate(&p, o->dump_vmstate, &error)
                     ? EXIT_SUCCESS
                     : EXIT_FAILURE;
    } else if (set_up(&p, o, &error) && (!o->pidfile || process_write_pid(o->pidfile, &error)) &&
               (!o->run_as || process_become(o->run_as, &error))) {
        if (daemon_fd >= 0)
            process_ready(daemon_fd);
        run(&p);
        if (o->pidfile)
            unlink(o->pidfile);
        status = reader ? tell_verdict(&p) : p.built.machine.exit_status;
        if (!reader || !record_diverged(&p.built, agreed, count))
            *count = 0;
        if (o->screen_file && !screendump(&p.built.machine, o->screen_file, NULL, &error))
            status = EXIT_FAILURE;
        plugin_unload_all(p.built.accel);
        log_hash(&p.built.machine);
        log_stats(&p.built);
    }
    screens_close(&p.screens);
    gdb_server_free(p.gdb);
    close_monitors(&p);
    savestate_free(p.states);
    traveller_free(p.traveller);
    run_control_free(p.rc);
    build_free(&p.built); /* devices let go of their character devices before these go */
    host_side_free(p.host_side);
    network_close(&p.network);
    console_close(&p.console);
    forget_signals(&p);
    return error ? complain(o, error) : status;
}

/* Only the search is lost. */
static void leave_search(int number)
{
    static const char line[] = "mimus: the search is broken off\n";

    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0) {
        /* nobody is told */
    }
    _exit(EXIT_FAILURE);
}

static void explain_divergence(const Options *o, uint64_t agreed, uint64_t count)
{
    g_autoptr(GString) text = g_string_new("");

    for (size_t i = 0; i < G_N_ELEMENTS(signal_numbers); i++)
        signal(signal_numbers[i], leave_search);
    fputs("mimus: looking for the instruction at which it diverged\n", stderr);
    divergence_explain(o, agreed, count, text);
    fputs(text->str, stderr);
}

/* The options' machine, once they are those of a recording if they ask for one. */
static int run_options(Options *o)
{
    RecordReader *reader = NULL;
    GError *error = NULL;
    uint64_t agreed = 0, count = 0;
    int status;

    if (o->replay_file && !(reader = record_replay_options(o, &error)))
        return complain(o, error);
    if (!check_readable(&o->config, "kernel", o->config.kernel, &error) || !set_up_log(o, &error))
        status = complain(o, error);
    else
        status = run_machine(o, reader, &agreed, &count);
    if (count)
        explain_divergence(o, agreed, count);
    record_reader_free(reader);
    return status;
}

static int run_command(int argc, char **argv)
{
    g_autoptr(GString) out = g_string_new("");
    Options o = { 0 };
    GError *error = NULL;
    int status;

    if (!record_command(argc, argv, out, &o, &error))
        return complain(NULL, error);
    fputs(out->str, stdout);
    if (!o.replay_file)
        return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
    status = run_options(&o);
    options_clear(&o);
    return status;
}

static void show_progress(double percent)
{
    printf("    (%.2f/100%%)\r", percent);
    fflush(stdout);
}

static int run_img(int argc, char **argv)
{
    g_autoptr(GString) out = g_string_new(""), notes = g_string_new("");
    ImgAnswer answer = { .out = out, .notes = notes, .progress = show_progress };
    GError *error = NULL;
    bool ok = img_command(argc, argv, &answer, &error), moves = false;

    for (int i = 3; i < argc; i++)
        moves |= g_str_has_prefix(argv[i], "-p");
    if (moves)
        putchar('\n');
    fputs(out->str, stdout);
    fputs(notes->str, stderr);
    if (fflush(stdout) && ok)
        return EXIT_FAILURE;
    if (!ok)
        complain(NULL, error);
    return answer.status;
}

int main(int argc, char **argv)
{
    Options o;
    GError *error = NULL;
    int status;

    signal(SIGXFSZ, SIG_IGN); /* a recording that grows too large stops, not the machine */
    g_set_prgname(argc > 0 ? strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0] : "mimus");
    if (record_is_command(argc, argv))
        return run_command(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "img"))
        return run_img(argc, argv);
    if (trace_is_command(argc, argv))
        return trace_command(argc, argv, &error) ? EXIT_SUCCESS : complain(NULL, error);
    if (!options_parse(&o, argc, argv, &error))
        status = complain(&o, error);
    else if (o.answer_kind != ANSWER_NONE)
        status = answer(&o);
    else
        status = run_options(&o);
    log_close();
    options_clear(&o);
    return status;
}
