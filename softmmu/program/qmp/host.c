/* SPDX-License-Identifier: MIT */
/* What is added on the host's side, and taken away: character devices, objects, descriptors. */
#include <string.h>
#include <unistd.h>

#include "softmmu/host-open.h"
#include "softmmu/program/options/options.h"
#include "softmmu/program/qmp/internal.h"

/* ---- Objects --------------------------------------------------------------------------------- */

static void match_type(void *opaque, const char *type)
{
    const char **wanted = opaque;

    if (*wanted && !strcmp(*wanted, type))
        *wanted = NULL;
}

/* -object takes the same. */
static Json *run_object_add(Qmp *q, Json *args, GError **error)
{
    const char *type = json_text(args, "qom-type", ""), *wanted = type;
    g_autoptr(GString) spec = g_string_new(NULL);

    options_each_object_type(match_type, &wanted);
    if (wanted) {
        error_set(error, "Parameter 'qom-type' does not accept value '%s'", type);
        return NULL;
    }
    json_write(args, false, spec);
    return monitor_add_to_host(q->w.mon, "-object", spec->str, error) ? json_done() : NULL;
}

static Json *run_object_del(Qmp *q, Json *args, GError **error)
{
    return monitor_remove_from_host(q->w.mon, "-object", json_text(args, "id", ""), error)
               ? json_done()
               : NULL;
}

static Json *run_blockdev_del(Qmp *q, Json *args, GError **error)
{
    return monitor_remove_from_host(q->w.mon, "-blockdev", json_text(args, "node-name", ""), error)
               ? json_done()
               : NULL;
}

/* ---- Character devices ----------------------------------------------------------------------- */

/* ",key=value" with commas doubled, if there is a value. */
static void append_key(GString *spec, const char *key, const char *value)
{
    if (!value)
        return;
    g_string_append_printf(spec, ",%s=", key);
    for (; *value; value++)
        g_string_append_printf(spec, *value == ',' ? ",," : "%c", *value);
}

/* Members of ChardevBackend's data, by the key that -chardev has for each. A text that is missing
 * here is refused below. */
static const struct {
    const char *type, *member, *key;
} key_rows[] = {
    { "file", "out", "path" },         { "file", "append", "append" },
    { "pipe", "device", "path" },      { "ringbuf", "size", "size" },
    { "memory", "size", "size" },      { "socket", "server", "server" },
    { "socket", "wait", "wait" },      { "socket", "nodelay", "nodelay" },
    { "socket", "telnet", "telnet" },  { "socket", "reconnect", "reconnect" },
    { "inet", "host", "host" },        { "inet", "port", "port" },
    { "unix", "path", "path" },        { "fd", "str", "fd" },
    { "local", "host", "localaddr" },  { "local", "port", "localport" },
    { "stdio", "signal", "signal" },   { "*", "logfile", "logfile" },
    { "*", "logappend", "logappend" },
};

static const char *key_of(const char *type, const char *member)
{
    for (size_t i = 0; i < G_N_ELEMENTS(key_rows); i++)
        if ((!strcmp(key_rows[i].type, type) || *key_rows[i].type == '*') &&
            !strcmp(key_rows[i].member, member))
            return key_rows[i].key;
    return NULL;
}

static const char *value_of(Json *value)
{
    if (json_object_is_type(value, json_type_boolean))
        return json_object_get_boolean(value) ? "on" : "off";
    return json_object_get_string(value);
}

static bool append_members(Qmp *q, GString *spec, const char *type, Json *data, GError **error);

/* A SocketAddressLegacy: {"type": "unix", "data": {"path": "p"}}. @local: of a datagram's sender.
 */
static bool append_address(Qmp *q, GString *spec, Json *addr, bool local, GError **error)
{
    const char *type =
        json_object_is_type(addr, json_type_object) ? json_text(addr, "type", "") : "";
    Json *data = *type ? json_member(addr, "data") : NULL;

    if (!strcmp(type, "fd") && json_object_is_type(data, json_type_object)) {
        int fd = qmp_fd_named(q, json_text(data, "str", ""), error);

        if (fd >= 0)
            g_string_append_printf(spec, ",fd=%d", fd);
        return fd >= 0;
    }
    if (strcmp(type, "inet") && strcmp(type, "unix")) {
        error_set(error, "Parameter 'type' does not accept value '%s'", type);
        return false;
    }
    return append_members(q, spec, local ? "local" : type, data, error);
}

static bool append_members(Qmp *q, GString *spec, const char *type, Json *data, GError **error)
{
    if (!json_object_is_type(data, json_type_object)) {
        error_set(error, "Parameter 'data' is missing");
        return false;
    }
    json_object_object_foreach (data, member, value) {
        bool address =
            !strcmp(member, "addr") || !strcmp(member, "remote") || !strcmp(member, "local");
        const char *key = key_of(type, member);

        if (address) {
            if (!append_address(q, spec, value, !strcmp(member, "local"), error))
                return false;
            continue;
        }
        if (!key || !value) {
            error_set(error, "Parameter '%s' is unexpected", member);
            return false;
        }
        append_key(spec, key, value_of(value));
    }
    return true;
}

static void match_backend(void *opaque, const char *type)
{
    match_type(opaque, type);
}

static Chardev *find_chardev(Qmp *q, const char *id)
{
    for (guint i = 0; q->w.chardevs && i < q->w.chardevs->len; i++) {
        const MonitorChardev *c = &g_array_index(q->w.chardevs, MonitorChardev, i);

        if (!strcmp(c->label, id))
            return c->chr;
    }
    return NULL;
}

static Json *run_chardev_add(Qmp *q, Json *args, GError **error)
{
    Json *backend = json_member(args, "backend");
    const char *id = json_text(args, "id", ""), *type = json_text(backend, "type", "");
    const char *kind = !strcmp(type, "memory") ? "ringbuf" : type, *wanted = kind;
    g_autoptr(GString) spec = g_string_new(kind);
    const char *pty;

    options_each_chardev_type(match_backend, &wanted);
    if (wanted) {
        error_set(error, "Parameter 'type' does not accept value '%s'", type);
        return NULL;
    }
    append_key(spec, "id", id);
    if (!strcmp(kind, "socket") && !json_member(json_member(backend, "data"), "server"))
        g_string_append(spec, ",server=on"); /* the default here, not of -chardev */
    if (!strcmp(kind, "socket") && !json_member(json_member(backend, "data"), "wait"))
        g_string_append(spec, ",wait=off");
    if (!append_members(q, spec, kind, json_member(backend, "data"), error) ||
        !monitor_add_to_host(q->w.mon, "-chardev", spec->str, error))
        return NULL;
    pty = chardev_pty_name(find_chardev(q, id));
    return json_make("pty:s", pty);
}

static Json *run_chardev_remove(Qmp *q, Json *args, GError **error)
{
    return monitor_remove_from_host(q->w.mon, "-chardev", json_text(args, "id", ""), error)
               ? json_done()
               : NULL;
}

static Json *run_send_break(Qmp *q, Json *args, GError **error)
{
    const char *id = json_text(args, "id", "");
    Chardev *chr = find_chardev(q, id);

    if (!chr) {
        error_set(error, "Chardev '%s' not found", id);
        return NULL;
    }
    chardev_send_break(chr);
    return json_done();
}

/* A ringbuf, else NULL with @error. */
static Chardev *find_ringbuf(Qmp *q, Json *args, GError **error)
{
    const char *id = json_text(args, "device", "");
    Chardev *chr = find_chardev(q, id);
    g_autoptr(GBytes) nothing = chr ? chardev_ringbuf_read(chr, 0) : NULL;

    if (!chr)
        error_set(error, "Device '%s' not found", id);
    else if (!nothing)
        error_set(error, "%s is not a ringbuf device", id);
    return nothing ? chr : NULL;
}

static bool is_base64(Json *args, bool *base64, GError **error)
{
    const char *format = json_text(args, "format", "utf8");

    *base64 = !strcmp(format, "base64");
    if (*base64 || !strcmp(format, "utf8"))
        return true;
    error_set(error, "Parameter 'format' does not accept value '%s'", format);
    return false;
}

static Json *run_ringbuf_write(Qmp *q, Json *args, GError **error)
{
    const char *data = json_text(args, "data", "");
    Chardev *chr = find_ringbuf(q, args, error);
    g_autofree guchar *bytes = NULL;
    gsize len = strlen(data);
    bool base64;

    if (!chr || !is_base64(args, &base64, error))
        return NULL;
    if (base64)
        bytes = g_base64_decode(data, &len);
    chardev_write(chr, base64 ? bytes : (const uint8_t *)data, len);
    return json_done();
}

/* What is no UTF-8 becomes signs that stand for it. */
static Json *run_ringbuf_read(Qmp *q, Json *args, GError **error)
{
    int64_t size = json_int(args, "size", 0);
    Chardev *chr = find_ringbuf(q, args, error);
    g_autoptr(GBytes) got = NULL;
    g_autofree char *text = NULL;
    const guchar *data;
    bool base64;
    gsize len;

    if (!chr || !is_base64(args, &base64, error))
        return NULL;
    if (size <= 0 || size > INT32_MAX) {
        error_set(error, "size must be greater than zero");
        return NULL;
    }
    got = chardev_ringbuf_read(chr, size);
    data = g_bytes_get_data(got, &len);
    text = base64 ? g_base64_encode(data, len) : g_utf8_make_valid((const char *)data, len);
    return json_object_new_string(text);
}

static void add_backend(void *opaque, const char *type)
{
    json_object_array_add(opaque, json_make("name:s", type));
}

static Json *run_backends(Qmp *q, Json *args, GError **error)
{
    Json *list = json_object_new_array();

    options_each_chardev_type(add_backend, list);
    return list;
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

static void close_named(void *fd)
{
    close(GPOINTER_TO_INT(fd) - 1);
}

void qmp_fds_init(QmpShared *s)
{
    s->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_named);
}

void qmp_fds_clear(QmpShared *s)
{
    g_hash_table_unref(s->fds);
}

int qmp_fd_named(Qmp *q, const char *name, GError **error)
{
    char *key;
    void *fd;

    /* Taken out: it is its user's from now on. */
    if (g_hash_table_steal_extended(q->w.shared->fds, name, (void **)&key, &fd)) {
        g_free(key);
        return GPOINTER_TO_INT(fd) - 1;
    }
    error_set(error, "File descriptor named '%s' not found", name);
    return -1;
}

bool qmp_name_fd(Qmp *q, const char *name, int fd, GError **error)
{
    if (fd < 0) {
        error_set(error, "No file descriptor supplied via SCM_RIGHTS");
        return false;
    }
    if (!*name || g_ascii_isdigit(*name)) {
        close(fd);
        error_set(error, "Parameter 'fdname' expects a name not starting with a digit");
        return false;
    }
    g_hash_table_replace(q->w.shared->fds, g_strdup(name), GINT_TO_POINTER(fd + 1));
    return true;
}

static int arrived_fd(Qmp *q, GError **error)
{
    int fd = chardev_take_fd(q->chr);

    if (fd < 0)
        error_set(error, "No file descriptor supplied via SCM_RIGHTS");
    return fd;
}

static Json *run_getfd(Qmp *q, Json *args, GError **error)
{
    return qmp_name_fd(q, json_text(args, "fdname", ""), chardev_take_fd(q->chr), error)
               ? json_done()
               : NULL;
}

static Json *run_closefd(Qmp *q, Json *args, GError **error)
{
    const char *name = json_text(args, "fdname", "");

    if (g_hash_table_remove(q->w.shared->fds, name))
        return json_done();
    error_set(error, "File descriptor named '%s' not found", name);
    return NULL;
}

static Json *run_add_fd(Qmp *q, Json *args, GError **error)
{
    int64_t id = json_int(args, "fdset-id", -1);
    int fd = arrived_fd(q, error);
    const FdSet *set;

    if (fd < 0)
        return NULL;
    if (json_member(args, "fdset-id") && (id < 0 || id > INT32_MAX)) {
        close(fd);
        error_set(error, "Parameter 'fdset-id' expects a non-negative value");
        return NULL;
    }
    set = fd_sets_add(id, fd, json_text(args, "opaque", NULL));
    return json_make("fdset-id:i fd:i", set->id, (int64_t)fd);
}

static Json *run_remove_fd(Qmp *q, Json *args, GError **error)
{
    int64_t id = json_int(args, "fdset-id", -1), fd = json_int(args, "fd", -1);
    bool one = json_member(args, "fd");

    if (id >= 0 && (!one || fd >= 0) && fd_sets_remove(id, one ? fd : -1))
        return json_done();
    if (one)
        error_set(error, "File descriptor named 'fdset-id:%lld, fd:%lld' not found", (long long)id,
                  (long long)fd);
    else
        error_set(error, "File descriptor named 'fdset-id:%lld' not found", (long long)id);
    return NULL;
}

static Json *describe_set(const FdSet *set)
{
    Json *fds = json_object_new_array();

    for (guint i = 0; i < set->fds->len; i++)
        json_object_array_add(fds,
                              json_make("fd:i opaque:s", (int64_t)g_array_index(set->fds, int, i),
                                        set->opaques->pdata[i]));
    return json_make("fdset-id:i fds:o", set->id, fds);
}

static Json *run_fdsets(Qmp *q, Json *args, GError **error)
{
    Json *list = json_object_new_array();

    for (guint i = 0; i < fd_sets()->len; i++)
        json_object_array_add(list, describe_set(fd_sets()->pdata[i]));
    return list;
}

const QmpCommand qmp_host_commands[] = {
    { "object-add", "qom-type:str id:str ...", run_object_add },
    { "object-del", "id:str", run_object_del },
    { "blockdev-del", "node-name:str", run_blockdev_del },
    { "chardev-add", "id:str backend:{}", run_chardev_add },
    { "chardev-remove", "id:str", run_chardev_remove },
    { "chardev-send-break", "id:str", run_send_break },
    { "ringbuf-write", "device:str data:str format:str?", run_ringbuf_write },
    { "ringbuf-read", "device:str size:int format:str?", run_ringbuf_read },
    { "query-chardev-backends", "", run_backends },
    { "getfd", "fdname:str", run_getfd },
    { "closefd", "fdname:str", run_closefd },
    { "add-fd", "fdset-id:int? opaque:str?", run_add_fd },
    { "remove-fd", "fdset-id:int fd:int?", run_remove_fd },
    { "query-fdsets", "", run_fdsets },
    { NULL },
};
