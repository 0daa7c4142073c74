/* SPDX-License-Identifier: MIT */
/* Commands that reach into the machine: as lines of the text monitor, which recordings have. */
#include <inttypes.h>
#include <string.h>

#include "softmmu/program/qmp/internal.h"
#include "softmmu/ui/keys.h"

/* Nothing that would be another word or line to the text monitor. */
static bool is_word(const char *text, const char *what, GError **error)
{
    if (*text && !strpbrk(text, " \t\r\n\"/"))
        return true;
    error_set(error, "Invalid parameter '%s'", what);
    return false;
}

static bool is_path(const char *text, GError **error)
{
    if (*text && !strpbrk(text, " \t\r\n\""))
        return true;
    error_set(error, "file names with blanks or quotes are not supported yet");
    return false;
}

/* ---- Keys and mouse -------------------------------------------------------------------------- */

/* A KeyValue: {"type": "qcode", "data": "a"} or {"type": "number", "data": 30}. */
static bool append_key(Json *key, GString *out, GError **error)
{
    const char *type = json_object_is_type(key, json_type_object) ? json_text(key, "type", "") : "";
    Json *data = json_object_is_type(key, json_type_object) ? json_member(key, "data") : NULL;
    const char *name = data ? json_object_get_string(data) : "";
    int64_t number = data ? json_object_get_int64(data) : -1;

    if (!strcmp(type, "qcode") && keys_from_name(name) >= 0 && !g_str_has_prefix(name, "0x")) {
        g_string_append(out, name);
        return true;
    }
    if (!strcmp(type, "number") && number > 0 && number < 0x100) {
        g_string_append_printf(out, "0x%02x", (unsigned)number);
        return true;
    }
    error_set(error, "Invalid parameter '%s'", strcmp(type, "qcode") ? "type" : name);
    return false;
}

static Json *run_send_key(Qmp *q, Json *args, GError **error)
{
    g_autoptr(GString) keys = g_string_new("");
    Json *list = json_member(args, "keys");
    int64_t hold = json_int(args, "hold-time", 100);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (i)
            g_string_append_c(keys, '-');
        if (!append_key(json_object_array_get_idx(list, i), keys, error))
            return NULL;
    }
    return qmp_run_line(q, error, "sendkey %s %" PRId64, keys->str, CLAMP(hold, 0, 60000));
}

static Json *send_one_key(Qmp *q, Json *data, GError **error)
{
    g_autoptr(GString) key = g_string_new("");

    if (!append_key(json_member(data, "key"), key, error))
        return NULL;
    return qmp_run_line(q, error, "key_event %s %s", key->str,
                        json_flag(data, "down", false) ? "on" : "off");
}

static Json *send_movement(Qmp *q, Json *data, GError **error)
{
    const char *axis = json_text(data, "axis", "");
    int64_t value = CLAMP(json_int(data, "value", 0), -4096, 4096);
    bool x = !strcmp(axis, "x");

    if (!x && strcmp(axis, "y")) {
        error_set(error, "Invalid parameter 'axis'");
        return NULL;
    }
    return qmp_run_line(q, error, "mouse_move %" PRId64 " %" PRId64, x ? value : 0, x ? 0 : value);
}

/* The text monitor knows states, programs tell changes. */
static Json *send_button(Qmp *q, Json *data, GError **error)
{
    static const char *const names[] = { "left", "middle", "right" };
    const char *name = json_text(data, "button", "");
    bool down = json_flag(data, "down", false);

    if (!strcmp(name, "wheel-up") || !strcmp(name, "wheel-down"))
        return down ? qmp_run_line(q, error, "mouse_move 0 0 %d", strcmp(name, "wheel-up") ? 1 : -1)
                    : json_done();
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!strcmp(name, names[i])) {
            q->buttons = down ? q->buttons | 1u << i : q->buttons & ~(1u << i);
            return qmp_run_line(q, error, "mouse_button %u", q->buttons);
        }
    }
    error_set(error, "Invalid parameter 'button'");
    return NULL;
}

static Json *send_input(Qmp *q, Json *event, GError **error)
{
    static const struct {
        const char *type;
        Json *(*send)(Qmp *q, Json *data, GError **error);
    } rows[] = { { "key", send_one_key }, { "rel", send_movement }, { "btn", send_button } };
    bool object = json_object_is_type(event, json_type_object);
    Json *data = object ? json_member(event, "data") : NULL;

    for (size_t i = 0; json_object_is_type(data, json_type_object) && i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(json_text(event, "type", ""), rows[i].type))
            return rows[i].send(q, data, error);
    error_set(error, "there is no device for this input (supported: key, rel, btn)");
    return NULL;
}

static Json *run_input_event(Qmp *q, Json *args, GError **error)
{
    Json *list = json_member(args, "events");

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        Json *done = send_input(q, json_object_array_get_idx(list, i), error);

        if (!done)
            return NULL;
        json_object_put(done);
    }
    return json_done();
}

static Json *run_nmi(Qmp *q, Json *args, GError **error)
{
    return qmp_run_line(q, error, "nmi");
}

/* ---- Memory and pictures to files ------------------------------------------------------------ */

static Json *save_memory(Qmp *q, Json *args, const char *command, int cpu, GError **error)
{
    const char *file = json_text(args, "filename", "");
    g_autoptr(GString) out = g_string_new("");
    g_autofree char *line = NULL;

    if (!is_path(file, error))
        return NULL;
    line = g_strdup_printf("%s 0x%" PRIx64 " 0x%" PRIx64 " %s", command,
                           (uint64_t)json_int(args, "val", 0), (uint64_t)json_int(args, "size", 0),
                           file);
    return monitor_run(q->w.mon, cpu, line, out, error) ? json_done() : NULL;
}

static Json *run_memsave(Qmp *q, Json *args, GError **error)
{
    int64_t cpu = json_int(args, "cpu-index", 0);

    if (cpu >= 0 && cpu < (int64_t)q->w.cpus.count(q->w.cpus.opaque))
        return save_memory(q, args, "memsave", cpu, error);
    error_set(error, "Invalid parameter 'cpu-index'");
    return NULL;
}

static Json *run_pmemsave(Qmp *q, Json *args, GError **error)
{
    return save_memory(q, args, "pmemsave", -1, error);
}

static Json *run_screendump(Qmp *q, Json *args, GError **error)
{
    const char *file = json_text(args, "filename", ""), *format = json_text(args, "format", "ppm");

    const char *device = json_text(args, "device", "");
    int64_t head = json_int(args, "head", 0);

    if (!*device && head) {
        error_set(error, "'head' must be specified together with 'device'");
        return NULL;
    }
    if (!is_path(file, error) || !is_word(format, "format", error) ||
        (*device && !is_word(device, "device", error)))
        return NULL;
    return *device ? qmp_run_line(q, error, "screendump %s -f %s %s %d", file, format, device,
                                  (int)head)
                   : qmp_run_line(q, error, "screendump %s -f %s", file, format);
}

static Json *run_dump(Qmp *q, Json *args, GError **error)
{
    const char *protocol = json_text(args, "protocol", "");
    bool range = json_member(args, "begin") && json_member(args, "length");

    if (json_flag(args, "paging", false) || strcmp(json_text(args, "format", "elf"), "elf") ||
        !g_str_has_prefix(protocol, "file:")) {
        error_set(error, "supported are 'paging' false, 'format' elf and 'protocol' file:PATH");
        return NULL;
    }
    if (!is_path(protocol + 5, error))
        return NULL;
    if (range)
        return qmp_run_line(q, error, "dump-guest-memory %s 0x%" PRIx64 " 0x%" PRIx64, protocol + 5,
                            (uint64_t)json_int(args, "begin", 0),
                            (uint64_t)json_int(args, "length", 0));
    return qmp_run_line(q, error, "dump-guest-memory %s", protocol + 5);
}

const QmpCommand qmp_change_commands[] = {
    { "dump-guest-memory",
      "paging:bool protocol:str detach:bool? begin:int? length:int? format:str?", run_dump },
    { "send-key", "keys:[any] hold-time:int?", run_send_key },
    { "input-send-event", "device:str? head:int? events:[any]", run_input_event },
    { "inject-nmi", "", run_nmi },
    { "memsave", "val:int size:int filename:str cpu-index:int?", run_memsave },
    { "pmemsave", "val:int size:int filename:str", run_pmemsave },
    { "screendump", "filename:str device:str? head:int? format:str?", run_screendump },
    { NULL },
};
