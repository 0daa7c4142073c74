/* SPDX-License-Identifier: MIT */
/* The tables together, and commands about QMP itself and the machine's life. */
#include <stdarg.h>
#include <string.h>

#include "config.h"
#include "softmmu/program/qmp/internal.h"
#include "softmmu/program/qmp/schema.h"
#include "softmmu/trace.h"

static const QmpCommand *const tables[] = { qmp_base_commands,
                                            qmp_look_commands,
                                            qmp_change_commands,
                                            qmp_state_commands,
                                            qmp_block_commands,
                                            qmp_plug_commands,
                                            qmp_probe_commands,
                                            qmp_qom_commands,
                                            qmp_media_commands,
                                            qmp_vnc_commands,
                                            qmp_host_commands,
                                            qmp_replay_commands,
                                            qmp_job_commands,
                                            qmp_disk_commands,
                                            qmp_nothing_commands,
                                            qmp_bitmap_commands,
                                            qmp_internal_snapshot_commands,
                                            qmp_transaction_commands };

/* clang-format off */
static const char *const events[] = { "STOP",     "RESUME",    "RESET",
                                      "SHUTDOWN", "POWERDOWN", "SUSPEND",
                                      "WAKEUP",   "MIGRATION", "JOB_STATUS_CHANGE",
                                      "DEVICE_DELETED", "ACPI_DEVICE_OST",
                                      "GUEST_PANICKED", "GUEST_CRASHLOADED", "WATCHDOG",
                                      "BLOCK_IO_ERROR", "BLOCK_JOB_READY", "BLOCK_JOB_COMPLETED",
                                      "BLOCK_JOB_CANCELLED", "BLOCK_JOB_ERROR", "BLOCK_JOB_PENDING",
                                      "RTC_CHANGE", "DEVICE_TRAY_MOVED",
                                      "BALLOON_CHANGE",
                                      "VNC_CONNECTED", "VNC_INITIALIZED", "VNC_DISCONNECTED" };
/* clang-format on */

void qmp_each_command(void (*f)(const QmpCommand *c, void *opaque), void *opaque)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const QmpCommand *c = tables[i]; c->name; c++)
            f(c, opaque);
}

const QmpCommand *qmp_find_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const QmpCommand *c = tables[i]; c->name; c++)
            if (!strcmp(c->name, name))
                return c;
    return NULL;
}

Json *qmp_run_line(Qmp *q, GError **error, const char *format, ...)
{
    g_autoptr(GString) out = g_string_new("");
    g_autofree char *line = NULL;
    va_list ap;

    va_start(ap, format);
    line = g_strdup_vprintf(format, ap);
    va_end(ap);
    return monitor_run(q->w.mon, -1, line, out, error) ? json_done() : NULL;
}

/* ---- QMP itself ------------------------------------------------------------------------------ */

static Json *run_capabilities(Qmp *q, Json *args, GError **error)
{
    Json *enable = json_member(args, "enable");

    for (size_t i = 0; enable && i < json_object_array_length(enable); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(enable, i));

        if (strcmp(name, "oob")) {
            error_set(error, "Parameter 'enable' does not accept value '%s'", name);
            return NULL;
        }
    }
    q->oob = enable && json_object_array_length(enable);
    q->negotiated = true;
    return json_done();
}

static Json *run_query_version(Qmp *q, Json *args, GError **error)
{
    return json_make("qemu:o package:s",
                     json_make("micro:i minor:i major:i", (int64_t)0, (int64_t)2, (int64_t)7),
                     "Mimus " MIMUS_VERSION);
}

static void add_name(const QmpCommand *c, void *opaque)
{
    json_object_array_add(opaque, json_make("name:s", c->name));
}

static Json *run_query_commands(Qmp *q, Json *args, GError **error)
{
    Json *list = json_object_new_array();

    qmp_each_command(add_name, list);
    return list;
}

static void add_schema(const QmpCommand *c, void *opaque)
{
    schema_add_command(opaque, c->name, c->args, c->oob);
}

static Json *run_query_schema(Qmp *q, Json *args, GError **error)
{
    Schema *s = schema_new();

    qmp_each_command(add_schema, s);
    for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
        schema_add_event(s, events[i]);
    return schema_finish(s);
}

static Json *run_human(Qmp *q, Json *args, GError **error)
{
    g_autoptr(GString) out = g_string_new("");
    int64_t cpu = json_int(args, "cpu-index", -1);

    if (cpu < -1 || cpu >= (int64_t)q->w.cpus.count(q->w.cpus.opaque)) {
        error_set(error, "Invalid parameter 'CPU number'");
        return NULL;
    }
    monitor_run(q->w.mon, cpu, json_text(args, "command-line", ""), out, NULL);
    g_string_replace(out, "\n", "\r\n", 0); /* as on a terminal */
    return json_object_new_string_len(out->str, out->len);
}

/* ---- The machine's life ---------------------------------------------------------------------- */

static Json *run_quit(Qmp *q, Json *args, GError **error)
{
    return qmp_run_line(q, error, "quit");
}

static Json *run_stop(Qmp *q, Json *args, GError **error)
{
    run_control_stop(q->w.rc);
    return json_done();
}

static Json *run_cont(Qmp *q, Json *args, GError **error)
{
    return run_control_cont(q->w.rc, error) ? json_done() : NULL;
}

static Json *run_reset(Qmp *q, Json *args, GError **error)
{
    return qmp_run_line(q, error, "system_reset");
}

static Json *run_powerdown(Qmp *q, Json *args, GError **error)
{
    return qmp_run_line(q, error, "system_powerdown");
}

static Json *run_wakeup(Qmp *q, Json *args, GError **error)
{
    if (q->w.m->state == RUN_SUSPENDED)
        return qmp_run_line(q, error, "system_wakeup");
    error_set(error, "Unable to wake up: guest is not in suspended state");
    return NULL;
}

/* ---- What follows ---------------------------------------------------------------------------- */

static Json *run_watchdog_action(Qmp *q, Json *args, GError **error)
{
    return qmp_run_line(q, error, "watchdog_action %s", json_text(args, "action", ""));
}

static Json *run_set_action(Qmp *q, Json *args, GError **error)
{
    g_autoptr(GString) line = g_string_new("set_action");

    json_object_object_foreach (args, name, value)
        g_string_append_printf(line, "%c%s=%s", strchr(line->str, '=') ? ',' : ' ', name,
                               json_object_get_string(value));
    return strchr(line->str, '=') ? qmp_run_line(q, error, "%s", line->str) : json_done();
}

/* ---- Events to trace --------------------------------------------------------------------------
 */

static bool is_event(const char *name, GError **error)
{
    for (unsigned e = 0; e < TRACE_EVENTS; e++)
        if (!strcmp(trace_name(e), name))
            return true;
    if (strpbrk(name, "*?"))
        return true;
    error_set(error, "unknown event \"%s\"", name);
    return false;
}

static Json *run_trace_events(Qmp *q, Json *args, GError **error)
{
    const char *name = json_text(args, "name", "");
    Json *list;

    if (!is_event(name, error))
        return NULL;
    list = json_object_new_array();
    for (unsigned e = 0; e < TRACE_EVENTS; e++)
        if (g_pattern_match_simple(name, trace_name(e)))
            json_object_array_add(list, json_make("name:s vcpu:b state:s", trace_name(e), false,
                                                  trace_on[e] ? "enabled" : "disabled"));
    return list;
}

static Json *run_set_trace_events(Qmp *q, Json *args, GError **error)
{
    const char *name = json_text(args, "name", "");

    if (!is_event(name, error))
        return NULL;
    trace_set(name, json_flag(args, "enable", false));
    return json_done();
}

const QmpCommand qmp_base_commands[] = {
    { "qmp_capabilities", "enable:[str]?", run_capabilities },
    { "query-version", "", run_query_version },
    { "query-commands", "", run_query_commands },
    { "query-qmp-schema", "", run_query_schema },
    { "human-monitor-command", "command-line:str cpu-index:int?", run_human },
    { "quit", "", run_quit },
    { "stop", "", run_stop },
    { "cont", "", run_cont },
    { "system_reset", "", run_reset },
    { "system_powerdown", "", run_powerdown },
    { "system_wakeup", "", run_wakeup },
    { "watchdog-set-action", "action:str", run_watchdog_action },
    { "set-action", "reboot:str? shutdown:str? panic:str? watchdog:str?", run_set_action },
    { "trace-event-get-state", "name:str vcpu:int?", run_trace_events },
    { "trace-event-set-state", "name:str enable:bool ignore-unavailable:bool? vcpu:int?",
      run_set_trace_events },
    { NULL },
};
