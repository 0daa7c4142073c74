/* SPDX-License-Identifier: MIT */
/* savevm and its like, migrate: commands over MonitorStates. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/monitor/internal.h"

void monitor_set_states(Monitor *mon, const MonitorStates *states)
{
    mon->states = *states;
}

static bool has_states(Monitor *mon, GString *out)
{
    if (!mon->states.save)
        monitor_fail(mon, out, "this machine's state cannot be saved");
    return mon->states.save;
}

static bool has_name(Monitor *mon, const char *args, const char *what, GString *out)
{
    g_autofree char *why = g_strdup_printf("%s is missing", what);

    if (!*args)
        monitor_fail(mon, out, why);
    return *args && has_states(mon, out);
}

void monitor_savevm(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (has_states(mon, out) && !mon->states.save(mon->states.opaque, *args ? args : NULL, &error))
        monitor_fail(mon, out, error->message);
}

void monitor_loadvm(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (has_name(mon, args, "the snapshot's name", out) &&
        !mon->states.load(mon->states.opaque, args, &error))
        monitor_fail(mon, out, error->message);
}

void monitor_delvm(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (has_name(mon, args, "the snapshot's name", out) &&
        !mon->states.remove(mon->states.opaque, args, &error))
        monitor_fail(mon, out, error->message);
}

void monitor_info_snapshots(Monitor *mon, const char *args, GString *out)
{
    if (has_states(mon, out))
        mon->states.print(mon->states.opaque, out);
}

/* "-d" and the like stand before the URI: we always do without the monitor's waiting. */
void monitor_migrate(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (g_str_has_prefix(args, "-d "))
        args += 3 + strspn(args + 3, " ");
    if (*args == '-')
        monitor_fail(mon, out, "migrate: of QEMU's switches only -d is supported");
    else if (has_name(mon, args, "where to", out) &&
             !mon->states.migrate(mon->states.opaque, args, &error))
        monitor_fail(mon, out, error->message);
}

void monitor_migrate_incoming(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (has_name(mon, args, "where from", out) &&
        !mon->states.incoming(mon->states.opaque, args, &error))
        monitor_fail(mon, out, error->message);
}

void monitor_migrate_cancel(Monitor *mon, const char *args, GString *out)
{
    if (has_states(mon, out))
        mon->states.cancel(mon->states.opaque);
}

void monitor_info_migrate(Monitor *mon, const char *args, GString *out)
{
    if (has_states(mon, out))
        mon->states.print_migration(mon->states.opaque, out);
}
