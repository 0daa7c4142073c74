/* SPDX-License-Identifier: MIT */
/* The monitor's commands and the topics of `info`: one row each. */
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "softmmu/error.h"
#include "softmmu/log.h"
#include "softmmu/program/monitor/internal.h"
#include "softmmu/program/monitor/screendump.h"
#include "softmmu/trace.h"

typedef struct Command {
    const char *name, *alias, *args, *help;
    void (*run)(Monitor *mon, const char *args, GString *out);
    bool acts; /* on the machine: recorded, and refused while a recording is replayed */
} Command;

/* ---- info ------------------------------------------------------------------------------------ */

static void info_status(Monitor *mon, const char *args, GString *out)
{
    g_string_append_printf(out, "VM status: %s\n", run_state_text(mon->m->state));
}

static void info_version(Monitor *mon, const char *args, GString *out)
{
    g_string_append(out, MIMUS_VERSION "\n");
}

static void info_hash(Monitor *mon, const char *args, GString *out)
{
    g_string_append_printf(out, "%016" G_GINT64_MODIFIER "x\n", machine_state_hash(mon->m));
}

static void info_name(Monitor *mon, const char *args, GString *out)
{
    if (mon->m->config->name)
        g_string_append_printf(out, "%s\n", mon->m->config->name);
}

static void print_cpu(Monitor *mon, unsigned n, GString *out)
{
    g_string_append_printf(out, "\nCPU#%u\n", n);
    mon->cpus.print_registers(mon->cpus.opaque, n, out);
}

static void info_registers(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;
    uint64_t n;

    if (!strcmp(args, "-a")) {
        for (unsigned n = 0; n < mon->cpus.count(mon->cpus.opaque); n++)
            if (machine_has_cpu(mon->m, n))
                print_cpu(mon, n, out);
    } else if (!*args) {
        print_cpu(mon, mon->cpu, out);
    } else if (!monitor_evaluate(mon, args, &n, &error)) {
        monitor_explain(mon, out, error->message);
    } else if (n < mon->cpus.count(mon->cpus.opaque) && machine_has_cpu(mon->m, n)) {
        print_cpu(mon, n, out);
    } else {
        g_string_append_printf(out, "CPU#%" G_GUINT64_FORMAT " not available\n", n);
    }
}

static void info_cpus(Monitor *mon, const char *args, GString *out)
{
    for (unsigned n = 0; n < mon->cpus.count(mon->cpus.opaque); n++)
        if (machine_has_cpu(mon->m, n))
            g_string_append_printf(out, "%c CPU #%u: thread_id=%d\n", n == mon->cpu ? '*' : ' ', n,
                                   (int)getpid());
}

/* clang-format off */
static const Command topics[] = {
    {"status",    NULL, "",     "is the machine running?",        info_status},
    {"registers", NULL, "[-a|cpu]", "registers of the CPU (-a: all)", info_registers},
    {"cpus",      NULL, "",     "the CPUs",                       info_cpus},
    {"hotpluggable-cpus", NULL, "",    "sockets of CPUs",                monitor_info_cpu_sockets},
    {"mtree",     NULL, "[-f][-D]", "memory map (-f: as flattened, -D: what does not show, too)", monitor_info_mtree},
    {"mem",       NULL, "",     "ranges that page tables map",    monitor_info_mem},
    {"tlb",       NULL, "",     "pages that page tables map",     monitor_info_tlb},
    {"numa",      NULL, "",     "which CPUs and memory are near each other", monitor_info_numa},
    {"balloon",   NULL, "",     "memory that a balloon leaves the guest", monitor_info_balloon},
    {"ramblock",  NULL, "",     "blocks of guest memory, the largest first", monitor_info_ramblock},
    {"memory_size_summary", NULL, "", "how much memory there is", monitor_info_memory_size},
    {"chardev",   NULL, "",     "character devices",              monitor_info_chardev},
    {"network",   NULL, "",     "network cards and networks",     monitor_info_network},
    {"usernet",   NULL, "",     "connections of user-mode networks", monitor_info_usernet},
    {"history",   NULL, "",     "lines of this monitor",          monitor_info_history},
    {"capture",   NULL, "",     "sound that goes to files: there is none", monitor_info_capture},
    {"uuid",      NULL, "",     "the machine's UUID",             monitor_info_uuid},
    {"kvm",       NULL, "",     "is it KVM that runs the machine?", monitor_info_kvm},
    {"hash",      NULL, "",     "of CPUs, devices and memory",    info_hash},
    {"replay",    NULL, "",     "where the replay is",            monitor_info_replay},
    {"vnc",       NULL, "",     "the VNC server and its clients", monitor_info_vnc},
    {"mice",      NULL, "",     "mice, and which one moves",      monitor_info_mice},
    {"snapshots", NULL, "",     "snapshots of the machine",       monitor_info_snapshots},
    {"migrate",   NULL, "",     "how saving the state elsewhere goes", monitor_info_migrate},
    {"name",      NULL, "",     "the machine's name",             info_name},
    {"version",   NULL, "",     "version of Mimus",               info_version},
};
/* clang-format on */

static const MonitorTopic *find_board_topic(const Monitor *mon, const char *name)
{
    for (const MonitorTopic *t = mon->topics; t && t->name; t++) {
        if (!strcmp(t->name, name))
            return t;
    }
    return NULL;
}

/* Lines of help, by name. */

static void add_line(GPtrArray *lines, const char *before, const char *name, const char *alias,
                     const char *args, const char *help)
{
    g_ptr_array_add(lines, g_strdup_printf("%s%s%s%s %s -- %s\n", before, name, alias ? "|" : "",
                                           alias ? alias : "", args, help));
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Frees @lines. */
static void print_lines(GPtrArray *lines, GString *out)
{
    g_ptr_array_sort(lines, by_text);
    for (guint i = 0; i < lines->len; i++)
        g_string_append(out, lines->pdata[i]);
    g_ptr_array_unref(lines);
}

static const MonitorExtra *next_extra(const MonitorExtra *e);

/* @name: of one; NULL: all. */
static void list_topics(const Monitor *mon, const char *name, GString *out)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < G_N_ELEMENTS(topics); i++)
        if (!name || !strcmp(name, topics[i].name))
            add_line(lines, "info ", topics[i].name, NULL, topics[i].args, topics[i].help);
    for (const MonitorTopic *t = mon->topics; t && t->name; t++)
        if (!name || !strcmp(name, t->name))
            add_line(lines, "info ", t->name, NULL, t->args, t->help);
    for (const MonitorExtra *e = mon->extra_topics; e && e->name; e = next_extra(e))
        if (!name || !strcmp(name, e->name))
            add_line(lines, "info ", e->name, NULL, e->args, e->help);
    if (!lines->len)
        g_string_append_printf(out, "unknown command: 'info %s'\n", name);
    print_lines(lines, out);
}

/* ---- Commands -------------------------------------------------------------------------------- */

void monitor_tell(Monitor *mon, GString *out, const char *why)
{
    g_string_append_printf(out, "%s\n", why);
    g_free(mon->failure);
    mon->failure = g_strdup(why);
}

void monitor_fail(Monitor *mon, GString *out, const char *why)
{
    g_string_append(out, "Error: ");
    monitor_tell(mon, out, why);
}

/* The first word of @text; *@rest is what follows it. Commands may be glued to a "/FMT". */
static char *first_word(const char *text, const char **rest)
{
    size_t len;

    text += strspn(text, " \t");
    len = strcspn(text, " \t/");
    *rest = text + len + strspn(text + len, " \t");
    return g_strndup(text, len);
}

void monitor_explain(Monitor *mon, GString *out, const char *why)
{
    monitor_tell(mon, out, why);
    g_string_append_printf(out, "Try \"help %s\" for more information\n", mon->running);
}

/* One letter, as "-f"; those that are known stand in @wanted as "[-f]". */
static bool is_unknown_option(const char *args, const char *wanted)
{
    const char known[] = { '-', args[0] ? args[1] : 0, 0 };

    return args[0] == '-' && g_ascii_isalpha(args[1]) && g_str_has_prefix(wanted, "[-") &&
           !strstr(wanted, known);
}

/* @wanted: as help shows it. Only whether there is something: the command itself looks at it. */
static bool check_args(Monitor *mon, const char *name, const char *alias, const char *wanted,
                       const char *args, GString *out)
{
    static const char *const numbers[] = { "addr", "index", "cpu", "target", "state", NULL };
    g_autofree char *first = g_strndup(wanted, strcspn(wanted, " "));
    g_autofree char *why = NULL;

    if (is_unknown_option(args, wanted))
        why = g_strdup_printf("%s: unsupported option %.2s", name, args);
    else if (*args && !*wanted)
        why = g_strdup_printf("%s%s%s: extraneous characters at the end of line", name,
                              alias ? "|" : "", alias ? alias : "");
    else if (*args || !*wanted || strchr("[/", *wanted))
        return true;
    else if (g_strv_contains(numbers, first))
        why = g_strdup("unexpected end of expression");
    else
        why = g_strdup_printf("%s: %s expected", name,
                              g_str_has_prefix(first, "file")       ? "filename"
                              : g_str_has_prefix(first, "blockdev") ? "block device name"
                                                                    : "string");
    monitor_explain(mon, out, why);
    return false;
}

static const MonitorExtra *next_extra(const MonitorExtra *e)
{
    e++;
    return e->name || !e->more ? e : e->more;
}

static const MonitorExtra *find_extra(const MonitorExtra *list, const char *name)
{
    for (; list && list->name; list = next_extra(list)) {
        if (!strcmp(list->name, name))
            return list;
    }
    return NULL;
}

static void run_extra(Monitor *mon, const MonitorExtra *e, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *with_fd = NULL;

    if (!check_args(mon, e->name, NULL, e->args, args, out))
        return;
    if (e->takes_fd)
        with_fd = g_strdup_printf("%s %d", args, mon->chr ? chardev_take_fd(mon->chr) : -1);
    if (!e->run(mon->extra_opaque, with_fd ? with_fd : args, out, &error))
        (error->code == MONITOR_PLAIN           ? monitor_tell
         : error->code == MONITOR_MISUNDERSTOOD ? monitor_explain
                                                : monitor_fail)(mon, out, error->message);
}

void monitor_set_extras(Monitor *mon, const MonitorExtra *commands, const MonitorExtra *topics,
                        void *opaque)
{
    mon->extra_commands = commands;
    mon->extra_topics = topics;
    mon->extra_opaque = opaque;
}

static void cmd_info(Monitor *mon, const char *args, GString *out)
{
    const char *rest;
    g_autofree char *name = first_word(args, &rest);
    g_autofree char *called = g_strconcat("info ", name, NULL);
    const MonitorTopic *board = find_board_topic(mon, name);
    const MonitorExtra *extra = find_extra(mon->extra_topics, name);

    mon->running = called;
    for (size_t i = 0; i < G_N_ELEMENTS(topics); i++) {
        if (!strcmp(topics[i].name, name)) {
            if (check_args(mon, name, NULL, topics[i].args, rest, out))
                topics[i].run(mon, rest, out);
            return;
        }
    }
    if (extra)
        run_extra(mon, extra, rest, out);
    else if (board && check_args(mon, name, NULL, board->args, rest, out))
        board->print(mon->m, rest, out);
    else if (board)
        return;
    else if (*name)
        g_string_append_printf(out, "unknown command: 'info %s'\n", name);
    else
        list_topics(mon, NULL, out);
}

static void cmd_quit(Monitor *mon, const char *args, GString *out)
{
    mon->m->quit_reason = "host-qmp-quit";
    machine_request_quit(mon->m, 0);
}

static void cmd_reset(Monitor *mon, const char *args, GString *out)
{
    machine_request_for_host(mon->m, REQUEST_RESET);
}

static void cmd_powerdown(Monitor *mon, const char *args, GString *out)
{
    machine_request(mon->m, REQUEST_POWERDOWN);
}

static void cmd_wakeup(Monitor *mon, const char *args, GString *out)
{
    machine_request(mon->m, REQUEST_WAKEUP);
}

static void cmd_stop(Monitor *mon, const char *args, GString *out)
{
    run_control_stop(mon->rc);
}

static void cmd_cont(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!run_control_cont(mon->rc, &error))
        monitor_fail(mon, out, error->message);
}

static void cmd_cpu(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;
    uint64_t n;

    if (!monitor_evaluate(mon, args, &n, &error))
        monitor_explain(mon, out, error->message);
    else if (n >= mon->cpus.count(mon->cpus.opaque) || !machine_has_cpu(mon->m, n))
        g_string_append(out, "invalid CPU index\n");
    else
        mon->cpu = n;
}

static void cmd_x(Monitor *mon, const char *args, GString *out)
{
    monitor_dump_memory(mon, args, false, out);
}

static void cmd_xp(Monitor *mon, const char *args, GString *out)
{
    monitor_dump_memory(mon, args, true, out);
}

static void cmd_log(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!*args || !strcmp(args, "help"))
        log_print_items(out);
    else if (!log_set_items(args, &error))
        log_print_items(out);
    else
        mon->cpus.log_changed(mon->cpus.opaque);
}

static void cmd_logfile(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!*args)
        g_string_append(out, "Error: which file?\n");
    else if (!log_set_file(args, &error))
        g_string_append_printf(out, "Error: %s\n", error->message);
}

static void cmd_plugin_load(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!mon->cpus.plugin_load(mon->cpus.opaque, args, &error))
        g_string_append_printf(out, "Error: %s\n", error->message);
}

static void cmd_plugin_unload(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!mon->cpus.plugin_unload(mon->cpus.opaque, args, &error))
        g_string_append_printf(out, "Error: %s\n", error->message);
}

static void cmd_screendump(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!screendump_command(mon->m, args, &error))
        monitor_fail(mon, out, error->message);
}

static void cmd_help(Monitor *mon, const char *args, GString *out);

/* clang-format off */
static const Command commands[] = {
    {"help",             "?",  "[cmd]", "this list, or one command of it",             cmd_help},
    {"info",             NULL, "[subcommand]",   "show something (without topic: the topics)",  cmd_info},
    {"quit",             "q",  "",          "leave Mimus",                                 cmd_quit},
    {"stop",             "s",  "",          "stop the machine",                            cmd_stop},
    {"cont",             "c",  "",          "let the machine run",                         cmd_cont},
    {"system_reset",     NULL, "",          "reset the machine",                           cmd_reset, true},
    {"system_powerdown", NULL, "",          "press the power button",                      cmd_powerdown, true},
    {"system_wakeup",    NULL, "",          "wake the machine from suspend",               cmd_wakeup, true},
    {"cpu",              NULL, "index",     "the CPU that registers and x are about",      cmd_cpu},
    {"x",                NULL, "/fmt addr", "virtual memory; fmt: count, x d u o c i, b h w g", cmd_x},
    {"xp",               NULL, "/fmt addr", "physical memory, likewise",                   cmd_xp},
    {"key_event",        NULL, "key on|off", "a key goes down or up",                      monitor_key_event, true},
    {"nmi",              NULL, "",          "inject an NMI into all CPUs",                 monitor_nmi, true},
    {"hostfwd_add",      NULL, "[netdev_id] [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport", "forward a port of the host", monitor_hostfwd_add},
    {"hostfwd_remove",   NULL, "[netdev_id] [tcp|udp]:[hostaddr]:hostport", "do not",                 monitor_hostfwd_remove},
    {"boot_set",         NULL, "bootdevice",    "what firmware tries from the next reset on",  monitor_boot_set, true},
    {"i",                NULL, "/fmt addr", "read an I/O port",                            monitor_in, true},
    {"o",                NULL, "/fmt addr value", "write to an I/O port",                  monitor_out, true},
    {"balloon",          NULL, "target", "megabytes (with B: bytes) that a balloon is to leave the guest", monitor_balloon, true},
    {"sum",              NULL, "addr size", "checksum of physical memory",                 monitor_sum},
    {"gva2gpa",          NULL, "addr",      "the physical address of a virtual one",       monitor_gva2gpa},
    {"gpa2hva",          NULL, "addr",      "where this process has physical memory",      monitor_gpa2hva},
    {"dump-guest-memory", NULL, "filename [begin length]", "memory and registers as an ELF core file", monitor_dump_guest_memory},
    {"memsave",          NULL, "addr size file", "virtual memory to a file",               monitor_memsave},
    {"pmemsave",         NULL, "addr size file", "physical memory to a file",              monitor_pmemsave},
    {"mce",              NULL, "[-b] cpu bank status mcgstatus addr misc",
                                            "inject a machine check (-b: all CPUs hear of it)", monitor_mce, true},
    {"change",           NULL, "[-f] device filename [format [read-only-mode]]",
                                            "another medium into a drive (-f: even if the guest has locked it; mode: retain, read-only, read-write)", monitor_change},
    {"device_add",       NULL, "driver[,prop=value][,...]", "plug a device in, as -device",    monitor_device_add, true},
    {"device_del",       NULL, "device",    "ask the guest to let a device go",            monitor_device_del, true},
    {"netdev_add",       NULL, "type,id=str[,prop=value][,...]", "a network for device_add, as -netdev",  monitor_netdev_add},
    {"netdev_del",       NULL, "id",        "a network that no card has had goes",         monitor_netdev_del},
    {"set_link",         NULL, "name on|off", "a network cable in or out, by its network or card", monitor_set_link, true},
    {"object_add",       NULL, "type,id=str[,prop=value][,...]", "an object for device_add, as -object",  monitor_object_add},
    {"object_del",       NULL, "id",        "one that nobody uses goes",                   monitor_object_del},
    {"chardev-add",      NULL, "type,id=str[,prop=value][,...]", "a character device, as -chardev",      monitor_chardev_add},
    {"chardev-remove",   NULL, "id",        "one that nobody uses goes",                   monitor_chardev_remove},
    {"chardev-send-break", NULL, "id",      "the line's break condition",                  monitor_chardev_send_break},
    {"drive_del",        NULL, "id",        "a disk that no device has goes",              monitor_drive_del},
    {"drive_add",        NULL, "slot if=none,id=ID,...", "a disk for device_add, as -drive (slot: ignored, of old)", monitor_drive_add},
    {"eject",            NULL, "[-f] device", "take the medium out",                       monitor_eject},
    {"log",              NULL, "[items]",   "log these items (none; without any: the list)", cmd_log},
    {"logfile",          NULL, "filename",      "log there",                                    cmd_logfile},
    {"trace-event",      NULL, "name on|off", "log these events (info trace-events; * is anything)", monitor_trace_event},
    {"one-insn-per-tb",  "singlestep", "[on|off]", "blocks of translated code are one instruction", monitor_singlestep},
    {"gdbserver",        NULL, "[device]",  "wait for gdb there, as -gdb (default: tcp::1234; none: no more)", monitor_gdbserver},
    {"watchdog_action",  NULL, "action",    "what follows when a watchdog runs out, as -watchdog-action", monitor_watchdog_action, true},
    {"set_action",       NULL, "event=action[,...]", "the same of reboots and the like, as -action", monitor_set_action, true},
    {"wavcapture",       NULL, "path audiodev", "sound to a file: there is no sound",       monitor_wavcapture},
    {"stopcapture",      NULL, "index",     "likewise",                                     monitor_stopcapture},
    {"plugin_load",      NULL, "file[,name=value...]", "load a plugin",                   cmd_plugin_load},
    {"plugin_unload",    NULL, "name",      "unload it (info plugins: the names)",         cmd_plugin_unload},
    {"screendump",       NULL, "filename [-f format] [device [head]]", "what the machine, or that card, shows, as a ppm or png",  cmd_screendump},
    {"savevm",           NULL, "[tag]",    "keep the machine's state in its disk images",  monitor_savevm, true},
    {"loadvm",           NULL, "tag",      "go back to a state that savevm kept",         monitor_loadvm},
    {"delvm",            NULL, "tag",      "forget it",                                   monitor_delvm},
    {"migrate",          NULL, "[-d] exec:COMMAND|file:PATH|unix:PATH|tcp:HOST:PORT|fd:N", "stop the machine and write its state there", monitor_migrate},
    {"migrate_incoming", NULL, "uri",       "what -incoming defer waits for",              monitor_migrate_incoming},
    {"migrate_cancel",   NULL, "",          "stop writing the state",                      monitor_migrate_cancel},
    {"sendkey",          NULL, "keys [hold_ms]", "press keys, as ctrl-alt-delete, for so long (default 100)", monitor_sendkey, true},
    {"mouse_move",       NULL, "dx dy [dz]", "move the mouse right and down, turn its wheel towards you", monitor_mouse_move, true},
    {"mouse_button",     NULL, "state",     "buttons that are down: 1 left, 2 middle, 4 right", monitor_mouse_button, true},
    {"mouse_set",        NULL, "index",     "the mouse that moves (info mice)",            monitor_mouse_set, true},
    {"begin_record",     NULL, "file",      "record the machine from here on (-icount is needed)", monitor_begin_record},
    {"end_record",       NULL, "",          "the recording ends",                          monitor_end_record},
    {"when",             NULL, "",          "instructions that a replay has executed",     monitor_when},
    {"goto",             "replay_seek", "icount|begin|end", "go to when a replay has executed so many", monitor_goto},
    {"checkpoint",       NULL, "",          "remember this moment of a replay",            monitor_checkpoint},
    {"restart",          NULL, "number",    "go to a moment that was remembered",          monitor_restart},
    {"last-write",       NULL, "addr [len]", "go back to who wrote there (default: 8 bytes)", monitor_last_write},
    {"last-exec",        NULL, "addr",      "go back to when the code there was executed", monitor_last_exec},
    {"replay_break",     NULL, "icount",     "stop a replay when it has executed so many",  monitor_replay_break},
    {"replay_delete_break", NULL, "",       "do not",                                      monitor_replay_delete_break},
    {"go-live",          NULL, "[drive=file...]", "leave the recording: the machine goes on by itself", monitor_go_live},
    {"ringbuf_read",     NULL, "device size", "the oldest bytes of a ringbuf's output",    monitor_ringbuf_read},
    {"ringbuf_write",    NULL, "device data", "put text behind them",                      monitor_ringbuf_write},
    {"print",            "p",  "/fmt expr", "value of numbers, $registers, + - * / % & | ^ ~ and parentheses", monitor_print},
};
/* clang-format on */

static bool is_called(const Command *c, const char *name)
{
    return !strcmp(c->name, name) || (c->alias && !strcmp(c->alias, name));
}

static void cmd_help(Monitor *mon, const char *args, GString *out)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    if (!strcmp(args, "info") || g_str_has_prefix(args, "info ")) {
        list_topics(mon, args[4] ? args + 5 : NULL, out);
        g_ptr_array_unref(lines);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        const Command *c = &commands[i];

        if (!*args || is_called(c, args))
            add_line(lines, "", c->name, c->alias, c->args, c->help);
    }
    for (const MonitorExtra *e = mon->extra_commands; e && e->name; e = next_extra(e))
        if (!*args || !strcmp(e->name, args))
            add_line(lines, "", e->name, NULL, e->args, e->help);
    if (!lines->len)
        g_string_append_printf(out, "unknown command: '%s'\n", args);
    print_lines(lines, out);
}

GPtrArray *monitor_complete(const char *prefix)
{
    GPtrArray *names = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_has_prefix(commands[i].name, prefix))
            g_ptr_array_add(names, (char *)commands[i].name);
    }
    return names;
}

/* What acts on the machine goes through the input queue: the CPU it is about, and the line. */
static void run_command(Monitor *mon, const Command *c, const char *args, const char *line,
                        GString *out)
{
    Monitor *actor = mon->actor;
    g_autofree char *event = g_strdup_printf("%u %s", mon->cpu, line);

    if (c->acts == mon->acting) { /* a recording must not have others: it would reach the host */
        c->run(mon, args, out);
        return;
    }
    if (mon->acting)
        return;
    actor->out = out;
    /* The tap has a better stamp. */
    if (!input_act(mon->m->input, actor->channel, event, strlen(event) + 1, 0)) {
        g_string_append(out, "not while a recording is replayed\n");
        g_free(mon->failure);
        mon->failure = g_strdup("not while a recording is replayed");
    }
    actor->out = NULL;
    if (actor != mon && actor->failure)
        mon->failure = g_steal_pointer(&actor->failure);
}

void monitor_act(void *opaque, const void *data, size_t len)
{
    Monitor *mon = opaque;
    g_autoptr(GString) unseen = g_string_new("");
    g_autofree char *event = g_strndup(data, len);
    unsigned cpu = mon->cpu;
    char *line;

    mon->acting = true;
    mon->cpu = MIN(g_ascii_strtoull(event, &line, 10), mon->cpus.count(mon->cpus.opaque) - 1);
    monitor_execute(mon, line, mon->out ? mon->out : unseen);
    mon->cpu = cpu;
    mon->acting = false;
}

void monitor_execute(Monitor *mon, const char *line, GString *out)
{
    const char *rest;
    g_autofree char *name = first_word(line, &rest);
    g_autofree char *args = g_strchomp(g_strdup(rest));

    const MonitorExtra *extra = find_extra(mon->extra_commands, name);

    if (!*name && !*args)
        return;
    trace(handle_hmp_command, "cmdline: %s", line);
    mon->running = name;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        const Command *c = &commands[i];

        if (is_called(c, name)) {
            if (check_args(mon, c->name, c->alias, c->args, args, out))
                run_command(mon, c, args, line, out);
            return;
        }
    }
    if (extra)
        run_extra(mon, extra, args, out);
    else
        g_string_append_printf(out, "unknown command: '%s'\n", name);
}

bool monitor_run(Monitor *mon, int cpu, const char *line, GString *out, GError **error)
{
    unsigned own = mon->cpu;
    bool good;

    g_clear_pointer(&mon->failure, g_free);
    if (cpu >= 0)
        mon->cpu = cpu;
    monitor_execute(mon, line, out);
    if (cpu >= 0)
        mon->cpu = own;
    good = !mon->failure;
    if (!good)
        error_set(error, "%s", mon->failure);
    return good;
}
