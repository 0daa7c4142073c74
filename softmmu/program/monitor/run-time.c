/* SPDX-License-Identifier: MIT */
/* Monitor commands that say later what the command line says: actions, blocks, the debugger's door.
 */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/monitor/internal.h"
#include "softmmu/program/options/options.h"
#include "softmmu/trace.h"

/* ---- Actions --------------------------------------------------------------------------------- */

void monitor_set_action(Monitor *mon, const char *args, GString *out)
{
    MachineActions actions = mon->m->actions;
    g_autoptr(GError) error = NULL;

    if (options_set_actions(&actions, args, &error))
        mon->m->actions = actions;
    else
        monitor_fail(mon, out, error->message);
}

void monitor_watchdog_action(Monitor *mon, const char *args, GString *out)
{
    for (int i = 0; watchdog_action_names[i]; i++) {
        if (!strcmp(watchdog_action_names[i], args)) {
            mon->m->actions.watchdog = (WatchdogAction)i;
            return;
        }
    }
    g_autofree char *why = g_strdup_printf("invalid parameter value: %s", args);
    monitor_fail(mon, out, why);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

void monitor_singlestep(Monitor *mon, const char *args, GString *out)
{
    bool off = !strcmp(args, "off");

    if (*args && !off && strcmp(args, "on")) {
        g_autofree char *why = g_strdup_printf("unexpected option %s", args);
        monitor_tell(mon, out, why);
        return;
    }
    mon->cpus.set_one_insn(mon->cpus.opaque, !off);
}

/* ---- The debugger ---------------------------------------------------------------------------- */

void monitor_set_debugger(Monitor *mon, const MonitorDebugger *debugger)
{
    mon->debugger = *debugger;
}

void monitor_gdbserver(Monitor *mon, const char *args, GString *out)
{
    const char *device = *args ? args : "tcp::1234";
    g_autoptr(GError) error = NULL;

    if (!mon->debugger.serve || !mon->debugger.serve(mon->debugger.opaque, device, &error)) {
        g_autofree char *why = g_strdup_printf("Could not open gdbserver on device '%s': %s",
                                               device, error ? error->message : "there is none");
        monitor_tell(mon, out, why);
    } else if (!strcmp(device, "none")) {
        g_string_append(out, "Disabled gdbserver\n");
    } else {
        g_string_append_printf(out, "Waiting for gdb connection on device '%s'\n", device);
    }
}

/* ---- Events to trace ------------------------------------------------------------------------- */

void monitor_trace_event(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    g_autofree char *why = NULL;
    bool on = words[1] && !strcmp(words[1], "on");

    if (!on && (!words[1] || strcmp(words[1], "off")))
        monitor_explain(mon, out, "trace-event: on or off expected");
    else if (!trace_set(words[0], on) && !strpbrk(words[0], "*?"))
        why = g_strdup_printf("unknown event \"%s\"", words[0]);
    if (why)
        monitor_tell(mon, out, why);
}

/* ---- What there is none of ------------------------------------------------------------------- */

void monitor_wavcapture(Monitor *mon, const char *args, GString *out)
{
    const char *last = strrchr(args, ' ');
    g_autofree char *why = last ? g_strdup_printf("Audiodev '%s' not found", last + 1)
                                : g_strdup("wavcapture: string expected");

    if (last)
        monitor_tell(mon, out, why);
    else
        monitor_explain(mon, out, why);
}

void monitor_stopcapture(Monitor *mon, const char *args, GString *out)
{
}

void monitor_info_capture(Monitor *mon, const char *args, GString *out)
{
}
