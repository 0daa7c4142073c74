/* SPDX-License-Identifier: MIT */
/* Commands about the machine's state as a whole: snapshots (as jobs) and streams. */
#include <string.h>

#include "softmmu/block/drive.h"
#include "softmmu/program/qmp/jobs.h"

/* "events" is what there is of them. */
static const char *const capabilities[] = {
    "xbzrle",           "rdma-pin-all",  "auto-converge",       "zero-blocks",
    "compress",         "events",        "postcopy-ram",        "x-colo",
    "release-ram",      "block",         "return-path",         "pause-before-switchover",
    "multifd",          "dirty-bitmaps", "postcopy-blocktime",  "late-block-activate",
    "x-ignore-shared",  "validate-uuid", "background-snapshot", "zero-copy-send",
    "postcopy-preempt",
};

/* ---- Streams --------------------------------------------------------------------------------- */

/* "fd:NAME" is one of getfd's. */
static Json *with_uri(Qmp *q, bool (*act)(void *opaque, const char *uri, GError **error),
                      const char *uri, GError **error)
{
    g_autofree char *real = NULL;

    if (g_str_has_prefix(uri, "fd:") && !g_ascii_isdigit(uri[3])) {
        int fd = qmp_fd_named(q, uri + 3, error);

        if (fd < 0)
            return NULL;
        real = g_strdup_printf("fd:%d", fd);
    }
    return act(q->w.states.opaque, real ? real : uri, error) ? json_done() : NULL;
}

static Json *run_migrate(Qmp *q, Json *args, GError **error)
{
    if (json_flag(args, "blk", false) || json_flag(args, "inc", false)) {
        error_set(error, "disks are not part of the stream: 'blk' and 'inc' are not supported");
        return NULL;
    }
    return with_uri(q, q->w.states.migrate, json_text(args, "uri", ""), error);
}

static Json *run_cancel(Qmp *q, Json *args, GError **error)
{
    q->w.states.cancel(q->w.states.opaque);
    return json_done();
}

static Json *run_incoming(Qmp *q, Json *args, GError **error)
{
    return with_uri(q, q->w.states.incoming, json_text(args, "uri", ""), error);
}

static Json *run_query_migrate(Qmp *q, Json *args, GError **error)
{
    MonitorMigration m = q->w.states.migration(q->w.states.opaque);
    Json *ram;

    if (!m.status)
        return json_done();
    ram = json_make("total:u transferred:u remaining:i page-size:i", m.ram_bytes, m.bytes,
                    (int64_t)0, (int64_t)4096);
    return json_make("status:s total-time:i ram:o error-desc:s", m.status, m.total_ms, ram, m.why);
}

static Json *run_query_capabilities(Qmp *q, Json *args, GError **error)
{
    Json *list = json_object_new_array();

    for (size_t i = 0; i < G_N_ELEMENTS(capabilities); i++)
        json_object_array_add(list, json_make("state:b capability:s",
                                              !strcmp(capabilities[i], "events"), capabilities[i]));
    return list;
}

/* What we lack may be switched off, what we have on. */
static bool check_capability(Json *c, GError **error)
{
    bool object = json_object_is_type(c, json_type_object);
    const char *name = object ? json_text(c, "capability", "") : "";
    bool on = object && json_flag(c, "state", false);

    for (size_t i = 0; i < G_N_ELEMENTS(capabilities); i++) {
        if (!strcmp(name, capabilities[i]) && (!on || !strcmp(name, "events")))
            return true;
    }
    error_set(error, "migration capability '%s' is not supported", name);
    return false;
}

static Json *run_set_capabilities(Qmp *q, Json *args, GError **error)
{
    Json *list = json_member(args, "capabilities");

    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (!check_capability(json_object_array_get_idx(list, i), error))
            return NULL;
    return json_done();
}

/* There is nothing to choose yet: what QEMU's clients set is told as they left it, and limits of
 * speed and time do not bind, as the machine does not run while it is written. */
static Json *run_query_parameters(Qmp *q, Json *args, GError **error)
{
    return json_make(
        "max-bandwidth:u downtime-limit:u multifd-channels:i tls-creds:s tls-hostname:s "
        "tls-authz:s",
        UINT64_C(0), UINT64_C(0), INT64_C(0), "", "", "");
}

static Json *run_set_parameters(Qmp *q, Json *args, GError **error)
{
    json_object_object_foreach (args, name, value) {
        const char *text = value ? json_object_get_string(value) : "";
        bool none = !strcmp(text, "0") || !*text;

        if (none && (!strcmp(name, "max-bandwidth") || g_str_has_prefix(name, "tls-")))
            continue;
        error_set(error, "migration parameter '%s' is not supported", name);
        return NULL;
    }
    return json_done();
}

/* ---- Snapshots ------------------------------------------------------------------------------- */

static bool lists(Json *devices, const char *id)
{
    for (size_t i = 0; i < json_object_array_length(devices); i++)
        if (!strcmp(json_object_get_string(json_object_array_get_idx(devices, i)), id))
            return true;
    return false;
}

/* All writable disks take part, and the first has the machine's state: nothing else is offered. */
static bool check_devices(Qmp *q, Json *args, GError **error)
{
    g_autoptr(GPtrArray) drives = drive_list(q->w.m->root);
    Json *devices = json_member(args, "devices");
    const char *vmstate = json_text(args, "vmstate", NULL);
    size_t writable = 0;

    for (guint i = 0; i < drives->len; i++) {
        const Drive *d = drives->pdata[i];

        if (drive_is_read_only(d) || drive_is_for_reading(d) || !drive_has_medium(d))
            continue;
        if (!lists(devices, drive_id(d)) ||
            (!writable++ && vmstate && strcmp(vmstate, drive_id(d)))) {
            error_set(error, "all writable disks are to be named, the first as 'vmstate': '%s'",
                      drive_id(d));
            return false;
        }
    }
    if (writable == json_object_array_length(devices))
        return true;
    g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_FOUND, "a device that is named does not exist");
    return false;
}

/* Done at once: what follows is its story. */
static Json *run_job(Qmp *q, Json *args, const char *type, const char *command, GError **error)
{
    const char *id = json_text(args, "job-id", ""), *tag = json_text(args, "tag", "");
    g_autoptr(GError) failure = NULL;

    if (!qmp_check_job_id(q, id, error))
        return NULL;
    if (!*tag || strpbrk(tag, "\r\n")) {
        error_set(error, "Invalid parameter 'tag'");
        return NULL;
    }
    if (!check_devices(q, args, error))
        return NULL;
    json_object_put(qmp_run_line(q, &failure, "%s %s", command, tag));
    qmp_tell_done_job(q, id, type, failure ? failure->message : NULL);
    return json_done();
}

static Json *run_save(Qmp *q, Json *args, GError **error)
{
    return run_job(q, args, "snapshot-save", "savevm", error);
}

static Json *run_load(Qmp *q, Json *args, GError **error)
{
    return run_job(q, args, "snapshot-load", "loadvm", error);
}

static Json *run_delete(Qmp *q, Json *args, GError **error)
{
    return run_job(q, args, "snapshot-delete", "delvm", error);
}

/* States go elsewhere while the machine stands: none goes on here that could be paused. */
static Json *run_migrate_pause(Qmp *q, Json *args, GError **error)
{
    error_set(error, "migrate-pause is currently only supported during postcopy-active state");
    return NULL;
}

static Json *run_migrate_recover(Qmp *q, Json *args, GError **error)
{
    error_set(error, "Migrate recover can only be run when postcopy is paused.");
    return NULL;
}

const QmpCommand qmp_state_commands[] = {
    { "migrate", "uri:str blk:bool? inc:bool? detach:bool? resume:bool?", run_migrate },
    { "migrate_cancel", "", run_cancel },
    { "migrate-incoming", "uri:str", run_incoming },
    { "query-migrate", "", run_query_migrate },
    { "query-migrate-capabilities", "", run_query_capabilities },
    { "migrate-set-capabilities", "capabilities:[any]", run_set_capabilities },
    { "query-migrate-parameters", "", run_query_parameters },
    { "migrate-set-parameters",
      "max-bandwidth:int? downtime-limit:int? multifd-channels:int? tls-creds:str? "
      "tls-hostname:str? tls-authz:str?",
      run_set_parameters },
    { "snapshot-save", "job-id:str tag:str vmstate:str devices:[str]", run_save },
    { "snapshot-load", "job-id:str tag:str vmstate:str devices:[str]", run_load },
    { "snapshot-delete", "job-id:str tag:str devices:[str]", run_delete },
    { "migrate-pause", "", run_migrate_pause, true },
    { "migrate-recover", "uri:str", run_migrate_recover, true },
    { NULL },
};
