/* SPDX-License-Identifier: MIT */
/*
 * The wire: objects one after another with or without white space between, replies in order, a line
 * each. After text that is no JSON the rest of its line is skipped. As every command is done by the
 * time of its reply, one out of band need not overtake others.
 */
#include "softmmu/program/qmp/qmp.h"

#include <string.h>

#include "config.h"
#include "softmmu/program/qmp/internal.h"
#include "softmmu/program/qmp/schema.h"
#include "softmmu/trace.h"

#define MAX_OBJECT (16u << 20) /* bytes */
#define MAX_DEPTH  100

/* ---- Out ------------------------------------------------------------------------------------- */

static void send_object(Qmp *q, Json *object)
{
    g_autoptr(GString) text = g_string_new("");

    json_write(object, q->pretty, text);
    g_string_append(text, "\r\n");
    chardev_write(q->chr, (const uint8_t *)text->str, text->len);
    json_object_put(object);
}

static const char *class_of(const GError *error)
{
    static const char *const names[] = { "GenericError", "CommandNotFound", "DeviceNotActive",
                                         "DeviceNotFound" };
    bool own =
        error->domain == ERROR_USER && error->code > 0 && error->code < (int)G_N_ELEMENTS(names);

    return names[own ? error->code : QMP_GENERIC];
}

static void send_reply(Qmp *q, Json *result, const GError *error, Json *id)
{
    Json *reply;

    if (error)
        reply = json_make("error:o", json_make("class:s desc:s", class_of(error), error->message));
    else
        reply = json_make("return:o", result);
    if (id)
        json_object_object_add(reply, "id", json_object_get(id));
    send_object(q, reply);
}

static void greet(Qmp *q)
{
    Json *version = json_make("micro:i minor:i major:i", (int64_t)0, (int64_t)2, (int64_t)7);

    version = json_make("qemu:o package:s", version, "Mimus " MIMUS_VERSION);
    version = json_make("version:o capabilities:o", version, json_read("[\"oob\"]"));
    send_object(q, json_make("QMP:o", version));
}

void qmp_event(Qmp *q, const char *event, const char *data)
{
    int64_t now = g_get_real_time();
    Json *stamp = json_make("seconds:i microseconds:i", now / G_USEC_PER_SEC, now % G_USEC_PER_SEC);

    if (q->negotiated)
        send_object(q, json_make("timestamp:o event:s data:o", stamp, event,
                                 data ? json_read(data) : NULL));
    else
        json_object_put(stamp);
}

/* ---- Requests -------------------------------------------------------------------------------- */

static bool check_members(const Qmp *q, Json *request, GError **error)
{
    bool oob = q->oob && json_member(request, "exec-oob");

    json_object_object_foreach (request, name, value) {
        if ((!strcmp(name, "execute") || (oob && !strcmp(name, "exec-oob"))) &&
            !json_object_is_type(value, json_type_string)) {
            error_set(error, "QMP input member '%s' must be a string", name);
            return false;
        }
        if (!strcmp(name, "arguments") && !json_object_is_type(value, json_type_object)) {
            error_set(error, "QMP input member 'arguments' must be an object");
            return false;
        }
        if (strcmp(name, "execute") && strcmp(name, "arguments") && strcmp(name, "id") &&
            !(oob && !strcmp(name, "exec-oob"))) {
            error_set(error, "QMP input member '%s' is unexpected", name);
            return false;
        }
    }
    if (!json_member(request, "execute") != !oob)
        return true;
    error_set(error, oob ? "QMP input members 'execute' and 'exec-oob' are mutually exclusive"
                         : "QMP input lacks member 'execute'");
    return false;
}

static const QmpCommand *choose(const Qmp *q, const char *name, GError **error)
{
    bool negotiates = !strcmp(name, "qmp_capabilities");
    const QmpCommand *c = qmp_find_command(name);

    if (!q->negotiated && !negotiates)
        g_set_error(error, ERROR_USER, QMP_NOT_FOUND,
                    "Expecting capabilities negotiation with 'qmp_capabilities'");
    else if (q->negotiated && negotiates)
        g_set_error(error, ERROR_USER, QMP_NOT_FOUND,
                    "Capabilities negotiation is already complete, command ignored");
    else if (c)
        return c;
    else
        g_set_error(error, ERROR_USER, QMP_NOT_FOUND, "The command %s has not been found", name);
    return NULL;
}

/* @args are checked. */
static Json *run(Qmp *q, const QmpCommand *c, Json *args, GError **error)
{
    trace(handle_qmp_command, "req: %s %s", c->name, args ? json_object_to_json_string(args) : "");
    return schema_check(c->args, args, error) ? c->run(q, args, error) : NULL;
}

Json *qmp_call(Qmp *q, const char *command, Json *args, GError **error)
{
    return run(q, qmp_find_command(command), args, error);
}

static Json *execute(Qmp *q, Json *request, GError **error)
{
    static const char oob[] = "exec-oob";
    const QmpCommand *c = NULL;
    Json *args, *result;

    if (!json_object_is_type(request, json_type_object))
        error_set(error, "QMP input must be a JSON object");
    else if (check_members(q, request, error))
        c = choose(q, json_text(request, oob, json_text(request, "execute", "")), error);
    if (c && json_member(request, oob) && !c->oob) {
        error_set(error, "The command %s does not support OOB", c->name);
        return NULL;
    }
    if (!c)
        return NULL;
    args = json_object_get(json_member(request, "arguments"));
    if (!args)
        args = json_object_new_object();
    result = run(q, c, args, error);
    json_object_put(args);
    return result;
}

static void take_request(Qmp *q, Json *request)
{
    g_autoptr(GError) error = NULL;
    Json *result = execute(q, request, &error);
    Json *id = json_object_is_type(request, json_type_object) ? json_member(request, "id") : NULL;

    send_reply(q, result, error, id);
}

/* ---- In -------------------------------------------------------------------------------------- */

static void refuse_text(Qmp *q, const char *why)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, "JSON parse error, %s", why);
    json_tokener_reset(q->tokener);
    q->taken = 0;
    q->skipping = true;
    send_reply(q, NULL, error, NULL);
}

static size_t skip_line(Qmp *q, const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);

    q->skipping = !end;
    return end ? end + 1 - text : len;
}

/* Until an object is complete, or the text is used up. Returns what was taken of it. */
static size_t take_text(Qmp *q, const char *text, size_t len)
{
    Json *request;
    enum json_tokener_error e;
    size_t n;

    if (!q->taken) { /* nothing but white space may stand before an object */
        n = 0;
        while (n < len && g_ascii_isspace(text[n]))
            n++;
        if (n)
            return n;
    }
    request = json_tokener_parse_ex(q->tokener, text, len);
    e = json_tokener_get_error(q->tokener);
    n = json_tokener_get_parse_end(q->tokener);
    if (e == json_tokener_continue) {
        q->taken += len;
        if (q->taken > MAX_OBJECT)
            refuse_text(q, "too long");
        return len;
    }
    if (e != json_tokener_success) {
        refuse_text(q, json_tokener_error_desc(e));
        return MIN(n, len);
    }
    q->taken = 0;
    take_request(q, request);
    json_object_put(request);
    return n;
}

static size_t can_receive(void *opaque)
{
    return 65536;
}

static void receive(void *opaque, const uint8_t *data, size_t len)
{
    Qmp *q = opaque;
    const char *text = (const char *)data;

    while (len) {
        size_t n = q->skipping ? skip_line(q, text, len) : take_text(q, text, len);

        text += n;
        len -= n;
    }
}

static void event(void *opaque, int what)
{
    Qmp *q = opaque;

    if (what == CHARDEV_EVENT_OPENED) {
        json_tokener_reset(q->tokener);
        q->taken = 0;
        q->negotiated = q->skipping = q->oob = false;
        greet(q);
    } else if (what == CHARDEV_EVENT_CLOSED) {
        q->negotiated = false;
    }
}

/* ---- Life ------------------------------------------------------------------------------------ */

static const ChardevClient client = { can_receive, receive, event };

QmpShared *qmp_shared_new(void)
{
    QmpShared *s = g_new0(QmpShared, 1);

    s->jobs = qmp_jobs_new();
    s->trays = qmp_trays_new();
    qmp_fds_init(s);
    return s;
}

void qmp_shared_free(QmpShared *s)
{
    if (!s)
        return;
    g_ptr_array_unref(s->jobs);
    g_hash_table_unref(s->trays);
    qmp_fds_clear(s);
    announcer_free(s->announcer);
    g_free(s);
}

Qmp *qmp_new(const QmpWorld *w, Chardev *chr, bool pretty)
{
    Qmp *q = g_new0(Qmp, 1);

    q->w = *w;
    q->chr = chr;
    q->pretty = pretty;
    q->tokener = json_tokener_new_ex(MAX_DEPTH);
    json_tokener_set_flags(q->tokener, JSON_TOKENER_VALIDATE_UTF8);
    if (!chr)
        return q;
    chardev_set_control(chr, true);
    chardev_want_fds(chr);
    chardev_connect(chr, &client, q);
    return q;
}

void qmp_free(Qmp *q)
{
    if (!q)
        return;
    if (q->chr)
        chardev_connect(q->chr, NULL, NULL);
    json_tokener_free(q->tokener);
    g_free(q);
}
