/* SPDX-License-Identifier: MIT */
/* The monitor's command mce [-b] cpu bank status mcgstatus addr misc. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/monitor/internal.h"

enum { CPU, BANK, STATUS, MCG_STATUS, ADDR, MISC, ARGS };

static bool parse(Monitor *mon, const char *args, bool *broadcast, uint64_t value[ARGS],
                  GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(args, " \t", -1);
    unsigned n = 0;

    for (char **w = words; *w; w++) {
        if (!**w)
            continue;
        if (!strcmp(*w, "-b") && n == 0) {
            *broadcast = true;
        } else if (n == ARGS) {
            error_set(error, "mce: extraneous argument '%s'", *w);
            return false;
        } else if (!monitor_evaluate(mon, *w, &value[n++], error)) {
            return false;
        }
    }
    if (n == ARGS)
        return true;
    error_set(error, "unexpected end of expression");
    return false;
}

void monitor_mce(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;
    uint64_t v[ARGS];
    bool broadcast = false;

    if (!parse(mon, args, &broadcast, v, &error)) {
        monitor_explain(mon, out, error->message);
        return;
    }
    if (v[CPU] >= mon->cpus.count(mon->cpus.opaque)) {
        g_string_append(out, "invalid CPU index\n");
        return;
    }
    MonitorMachineCheck e = { .cpu = (unsigned)v[CPU],
                              .bank = (unsigned)MIN(v[BANK], UINT_MAX),
                              .status = v[STATUS],
                              .mcg_status = v[MCG_STATUS],
                              .addr = v[ADDR],
                              .misc = v[MISC],
                              .broadcast = broadcast };
    if (!mon->cpus.machine_check(mon->cpus.opaque, &e, &error))
        g_string_append_printf(out, "%s\n", error->message);
}
