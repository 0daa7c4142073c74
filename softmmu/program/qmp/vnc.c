/* SPDX-License-Identifier: MIT */
/* The VNC server and its clients, for programs. There is one server, "default". */
#include "softmmu/ui/vnc.h"

#include <string.h>

#include "softmmu/program/qmp/internal.h"

static VncServer *server_of(Qmp *q)
{
    return q->w.vnc ? *q->w.vnc : NULL;
}

/* "HOST:PORT (FAMILY)", "PATH (unix)" or "(unix)", as vnc.h has them. */
static Json *describe_address(const char *text)
{
    const char *open = strrchr(text, '('), *colon;
    g_autofree char *where = g_strndup(text, open > text ? open - 1 - text : 0);
    g_autofree char *family = g_strndup(open + 1, strlen(open + 1) - 1);
    g_autofree char *host = NULL;
    bool local = !strcmp(family, "unix");

    colon = local ? NULL : strrchr(where, ':');
    host = colon ? g_strndup(where, colon - where) : g_strdup("");
    return json_make("host:s family:s service:s websocket:b", host, family,
                     colon ? colon + 1 : where, 0);
}

static void add_client(void *opaque, const char *peer)
{
    json_object_array_add(opaque, describe_address(peer));
}

static Json *describe_clients(VncServer *s)
{
    Json *list = json_object_new_array();

    vnc_each_client(s, add_client, list);
    return list;
}

static const char *auth_of(const VncServer *s)
{
    return vnc_asks_password(s) ? "vnc" : "none";
}

static Json *run_query(Qmp *q, Json *args, GError **error)
{
    VncServer *s = server_of(q);
    Json *o;

    if (!s)
        return json_make("enabled:b", 0);
    o = describe_address(vnc_where(s));
    json_object_object_del(o, "websocket");
    json_object_object_add(o, "enabled", json_object_new_boolean(true));
    json_object_object_add(o, "auth", json_object_new_string(auth_of(s)));
    json_object_object_add(o, "clients", describe_clients(s));
    return o;
}

static Json *describe_server(VncServer *s)
{
    Json *o = describe_address(vnc_where(s));

    json_object_object_add(o, "auth", json_object_new_string(auth_of(s)));
    return o;
}

static Json *run_servers(Qmp *q, Json *args, GError **error)
{
    VncServer *s = server_of(q);
    Json *list = json_object_new_array(), *sockets;

    if (!s)
        return list;
    sockets = json_object_new_array();
    json_object_array_add(sockets, describe_server(s));
    json_object_array_add(list, json_make("id:s auth:s server:o clients:o", "default", auth_of(s),
                                          sockets, describe_clients(s)));
    return list;
}

static Json *set_password(Qmp *q, const char *password, GError **error)
{
    if (vnc_set_password(server_of(q), password))
        return json_done();
    error_set(error, "Could not set password");
    return NULL;
}

static bool check_protocol(const char *protocol, GError **error)
{
    if (!strcmp(protocol, "spice"))
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_ACTIVE, "SPICE is not in use");
    else if (strcmp(protocol, "vnc"))
        error_set(error, "Parameter 'protocol' does not accept value '%s'", protocol);
    else
        return true;
    return false;
}

/* "now", "never", "+SECONDS" or seconds of Unix time. */
static bool parse_moment(const char *text, int64_t *s, GError **error)
{
    int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    uint64_t number;

    *s = !strcmp(text, "now") ? now : -1;
    if (!strcmp(text, "now") || !strcmp(text, "never"))
        return true;
    if (g_ascii_string_to_unsigned(text + (*text == '+'), 10, 0, G_MAXINT32 * UINT64_C(2), &number,
                                   NULL)) {
        *s = number + (*text == '+' ? now : 0);
        return true;
    }
    error_set(error, "Parameter 'time' expects now, never, +SECONDS or seconds of Unix time");
    return false;
}

static Json *run_expire_password(Qmp *q, Json *args, GError **error)
{
    int64_t s;

    if (!check_protocol(json_text(args, "protocol", ""), error) ||
        !parse_moment(json_text(args, "time", ""), &s, error))
        return NULL;
    if (!server_of(q)) {
        error_set(error, "Could not set password expire time");
        return NULL;
    }
    vnc_expire_password(server_of(q), s);
    return json_done();
}

static Json *run_set_password(Qmp *q, Json *args, GError **error)
{
    const char *protocol = json_text(args, "protocol", "");
    const char *connected = json_text(args, "connected", "keep");

    if (!check_protocol(protocol, error))
        return NULL;
    if (strcmp(connected, "keep")) {
        error_set(error, "parameter 'connected' must be 'keep' when 'protocol' is 'vnc'");
        return NULL;
    }
    return set_password(q, json_text(args, "password", ""), error);
}

static Json *run_change_password(Qmp *q, Json *args, GError **error)
{
    return set_password(q, json_text(args, "password", ""), error);
}

const QmpCommand qmp_vnc_commands[] = {
    { "query-vnc", "", run_query },
    { "query-vnc-servers", "", run_servers },
    { "set_password", "protocol:str password:str connected:str? display:str?", run_set_password },
    { "expire_password", "protocol:str time:str display:str?", run_expire_password },
    { "change-vnc-password", "password:str", run_change_password },
    { NULL },
};

void qmp_tell_vnc(Machine *m, VncServer *s, VncNews what, const char *peer)
{
    static const char *const events[] = { "VNC_CONNECTED", "VNC_INITIALIZED", "VNC_DISCONNECTED" };
    Json *data = json_make("server:o client:o", describe_server(s), describe_address(peer));

    machine_emit(m, events[what], "%s", json_object_to_json_string(data));
    json_object_put(data);
}
