/* SPDX-License-Identifier: MIT */
/*
 * Commands about what no machine here has or does, answered as QEMU answers them where there is
 * none of it; and announce-self, balloon.
 */
#include <string.h>

#include "softmmu/program/qmp/internal.h"

static Json *run_empty_list(Qmp *q, Json *args, GError **error)
{
    return json_object_new_array();
}

static Json *run_nothing(Qmp *q, Json *args, GError **error)
{
    return json_done();
}

/* It is over when dump-guest-memory returns. */
static Json *run_dump(Qmp *q, Json *args, GError **error)
{
    return json_make("total:i status:s completed:i", INT64_C(0), "none", INT64_C(0));
}

static Json *run_dump_capability(Qmp *q, Json *args, GError **error)
{
    Json *formats = json_object_new_array();

    json_object_array_add(formats, json_object_new_string("elf"));
    return json_make("formats:o", formats);
}

static Json *run_spice(Qmp *q, Json *args, GError **error)
{
    return json_make("migrated:b enabled:b mouse-mode:s", 0, 0, "client");
}

static Json *run_sev(Qmp *q, Json *args, GError **error)
{
    return json_make("enabled:b api-minor:i handle:i state:s api-major:i build-id:i policy:i", 0,
                     INT64_C(0), INT64_C(0), "uninit", INT64_C(0), INT64_C(0), INT64_C(0));
}

static Json *fail(GError **error, const char *why)
{
    error_set(error, "%s", why);
    return NULL;
}

static Json *run_sgx(Qmp *q, Json *args, GError **error)
{
    return fail(error, "No EPC regions defined, SGX not available");
}

static Json *run_sgx_capabilities(Qmp *q, Json *args, GError **error)
{
    return fail(error, "SGX is not enabled in KVM");
}

static Json *run_usb(Qmp *q, Json *args, GError **error)
{
    return fail(error, "USB support not enabled");
}

static Json *run_postcopy(Qmp *q, Json *args, GError **error)
{
    return fail(error, "Enable postcopy with migrate_set_capability before the start of migration");
}

static Json *run_preconfig(Qmp *q, Json *args, GError **error)
{
    return fail(error, "The command is permitted only before machine initialization");
}

static Json *run_continue(Qmp *q, Json *args, GError **error)
{
    return fail(error, "Migration not in expected state: none");
}

/* ---- There is something -----------------------------------------------------------------------
 */

static Json *run_balloon(Qmp *q, Json *args, GError **error)
{
    int64_t bytes = json_int(args, "value", 0);
    uint64_t left;

    if (!monitor_get_balloon(q->w.mon, &left)) {
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_ACTIVE,
                    "No balloon device has been activated");
        return NULL;
    }
    if (bytes <= 0)
        return fail(error, "Parameter 'target' expects a size");
    return qmp_run_line(q, error, "balloon %" G_GINT64_FORMAT "B", bytes);
}

static char **interfaces_of(Json *args)
{
    Json *list = json_member(args, "interfaces");
    GPtrArray *names = g_ptr_array_new();

    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        g_ptr_array_add(names,
                        g_strdup(json_object_get_string(json_object_array_get_idx(list, i))));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static Json *run_announce(Qmp *q, Json *args, GError **error)
{
    AnnouncePace pace = { json_int(args, "initial", 0), json_int(args, "max", 0),
                          json_int(args, "rounds", 0), json_int(args, "step", 0) };
    g_auto(GStrv) cards = interfaces_of(args);

    if (pace.initial_ms < 0 || pace.initial_ms > 100000)
        return fail(error, "Parameter 'announce-initial' expects a value between 0 and 100000");
    if (pace.max_ms < 0 || pace.max_ms > 100000)
        return fail(error, "Parameter 'announce-max' expects a value between 0 and 100000");
    if (pace.rounds < 0 || pace.rounds > 1000)
        return fail(error, "Parameter 'announce-rounds' expects a value between 0 and 1000");
    if (pace.step_ms < 0 || pace.step_ms > 10000)
        return fail(error, "Parameter 'announce-step' expects a value between 0 and 10000");
    if (!q->w.shared->announcer)
        q->w.shared->announcer = announcer_new(q->w.m);
    announcer_begin(q->w.shared->announcer, &pace, json_text(args, "id", NULL),
                    *cards ? cards : NULL);
    return json_done();
}

const QmpCommand qmp_nothing_commands[] = {
    { "query-acpi-ospm-status", "", run_empty_list },
    { "query-pr-managers", "", run_empty_list },
    { "query-yank", "", run_empty_list },
    { "query-vcpu-dirty-limit", "", run_empty_list },
    { "query-stats", "target:str vcpus:any? providers:any?", run_empty_list },
    { "rtc-reset-reinjection", "", run_nothing },
    { "query-dump", "", run_dump },
    { "query-dump-guest-memory-capability", "", run_dump_capability },
    { "query-spice", "", run_spice },
    { "query-sev", "", run_sev },
    { "query-sgx", "", run_sgx },
    { "query-sgx-capabilities", "", run_sgx_capabilities },
    { "x-query-usb", "", run_usb },
    { "migrate-start-postcopy", "", run_postcopy },
    { "migrate-continue", "state:str", run_continue },
    { "x-exit-preconfig", "", run_preconfig },
    { "balloon", "value:int", run_balloon },
    { "announce-self", "initial:int max:int rounds:int step:int interfaces:[str]? id:str?",
      run_announce },
    { NULL },
};
