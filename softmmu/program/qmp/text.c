/* SPDX-License-Identifier: MIT */
/*
 * Commands and `info` topics of the text monitor whose facts QMP has: each asks for QMP's answer
 * and tells it in words, laid out as QEMU 7.2 does.
 */
#include "softmmu/program/qmp/text.h"

#include <string.h>

#include "softmmu/program/qmp/internal.h"
#include "softmmu/trace.h"

Json *text_ask(void *opaque, const char *command, Json *args, GError **error)
{
    Json *made = args ? args : json_object_new_object();
    Json *answer = qmp_call(opaque, command, made, error);

    json_object_put(made);
    return answer;
}

/* Up to @count blank-separated words, the last with all that follows; false: there are fewer. */
static bool split(const char *args, unsigned count, char ***words, const char *usage,
                  GError **error)
{
    *words = g_strsplit(args, " ", count);
    if (g_strv_length(*words) == count)
        return true;
    error_set(error, "usage: %s", usage);
    return false;
}

static bool is_done(Json *answer)
{
    json_object_put(answer);
    return answer != NULL;
}

/* ---- Objects --------------------------------------------------------------------------------- */

static bool qom_list(void *q, const char *args, GString *out, GError **error)
{
    Json *list = text_ask(q, "qom-list", json_make("path:s", *args ? args : "/"), error);

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        Json *p = json_object_array_get_idx(list, i);

        g_string_append_printf(out, "%s (%s)\n", json_text(p, "name", ""),
                               json_text(p, "type", ""));
    }
    return is_done(list);
}

static bool qom_get(void *q, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = NULL;
    Json *value;

    if (!split(args, 2, &words, "qom-get path property", error))
        return false;
    value = text_ask(q, "qom-get", json_make("path:s property:s", words[0], words[1]), error);
    if (!value)
        return false;
    json_write(value, true, out);
    g_string_append_c(out, '\n');
    return is_done(value);
}

static bool qom_set(void *q, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = NULL;
    Json *value;

    if (!split(args, 3, &words, "qom-set path property value", error))
        return false;
    value = json_read(words[2]);
    if (!value)
        value = json_object_new_string(words[2]);
    return is_done(text_ask(
        q, "qom-set", json_make("path:s property:s value:o", words[0], words[1], value), error));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(json_text(*(Json *const *)a, "name", ""),
                  json_text(*(Json *const *)b, "name", ""));
}

static void print_tree(void *q, const char *path, const char *name, int indent, GString *out)
{
    Json *type = text_ask(q, "qom-get", json_make("path:s property:s", path, "type"), NULL);
    Json *list = text_ask(q, "qom-list", json_make("path:s", path), NULL);

    g_string_append_printf(out, "%*s/%s (%s)\n", indent, "", name,
                           type ? json_object_get_string(type) : "");
    if (list)
        json_object_array_sort(list, (int (*)(const void *, const void *))by_name);
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        Json *p = json_object_array_get_idx(list, i);
        const char *child = json_text(p, "name", "");
        g_autofree char *below = g_strdup_printf("%s/%s", strcmp(path, "/") ? path : "", child);

        if (g_str_has_prefix(json_text(p, "type", ""), "child<"))
            print_tree(q, below, child, indent + 2, out);
    }
    json_object_put(type);
    json_object_put(list);
}

static bool qom_tree(void *q, const char *args, GString *out, GError **error)
{
    const char *path = *args ? args : "/machine", *name = strrchr(path, '/');
    Json *there = text_ask(q, "qom-list", json_make("path:s", path), error);

    if (there)
        print_tree(q, path, name ? name + 1 : path, 0, out);
    return is_done(there);
}

/* ---- Lists, told line by line -----------------------------------------------------------------
 */

typedef struct Line {
    const char *member, *before;
} Line;

static void print_value(Json *value, GString *out)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (json_object_is_type(value, json_type_string))
        g_string_append(out, json_object_get_string(value));
    else if (!json_object_is_type(value, json_type_array)) {
        json_write(value, false, text);
        g_string_append(out, text->str);
    }
}

/* Of each element @head with its member @name, and a line for each of @lines. */
static bool print_list(void *q, const char *command, const char *head, const char *name,
                       const Line *lines, const char *behind, GString *out, GError **error)
{
    Json *list = text_ask(q, command, NULL, error);

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        Json *one = json_object_array_get_idx(list, i);

        g_string_append_printf(out, head, json_text(one, name, ""));
        for (const Line *l = lines; l->member; l++) {
            g_string_append_printf(out, "  %s", l->before);
            print_value(json_member(one, l->member), out);
            g_string_append_c(out, '\n');
        }
    }
    if (list)
        g_string_append(out, behind);
    return is_done(list);
}

static bool info_iothreads(void *q, const char *args, GString *out, GError **error)
{
    static const Line lines[] = {
        { "thread-id", "thread_id=" },         { "poll-max-ns", "poll-max-ns=" },
        { "poll-grow", "poll-grow=" },         { "poll-shrink", "poll-shrink=" },
        { "aio-max-batch", "aio-max-batch=" }, { NULL }
    };

    return print_list(q, "query-iothreads", "%s:\n", "id", lines, "", out, error);
}

static bool info_memdev(void *q, const char *args, GString *out, GError **error)
{
    static const Line lines[] = {
        { "size", "size:  " },        { "merge", "merge: " },           { "dump", "dump: " },
        { "prealloc", "prealloc: " }, { "share", "share: " },           { "reserve", "reserve: " },
        { "policy", "policy: " },     { "host-nodes", "host nodes: " }, { NULL }
    };

    return print_list(q, "query-memdev", "memory backend: %s\n", "id", lines, "\n", out, error);
}

static bool info_capabilities(void *q, const char *args, GString *out, GError **error)
{
    Json *list = text_ask(q, "query-migrate-capabilities", NULL, error);

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        Json *c = json_object_array_get_idx(list, i);

        g_string_append_printf(out, "%s: %s\n", json_text(c, "capability", ""),
                               json_flag(c, "state", false) ? "on" : "off");
    }
    return is_done(list);
}

static bool info_parameters(void *q, const char *args, GString *out, GError **error)
{
    Json *all = text_ask(q, "query-migrate-parameters", NULL, error);

    if (!all)
        return false;
    json_object_object_foreach (all, name, value) {
        const char *quote = g_str_has_prefix(name, "tls-") ? "'" : "";
        const char *unit = !strcmp(name, "max-bandwidth")    ? " bytes/second"
                           : !strcmp(name, "downtime-limit") ? " ms"
                                                             : "";

        g_string_append_printf(out, "%s: %s", name, quote);
        print_value(value, out);
        g_string_append_printf(out, "%s%s\n", quote, unit);
    }
    return is_done(all);
}

static bool set_capability(void *q, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = NULL;
    Json *list = json_object_new_array();

    if (!split(args, 2, &words, "migrate_set_capability capability on|off", error)) {
        json_object_put(list);
        return false;
    }
    json_object_array_add(list,
                          json_make("capability:s state:b", words[0], !strcmp(words[1], "on")));
    return is_done(
        text_ask(q, "migrate-set-capabilities", json_make("capabilities:o", list), error));
}

static bool set_parameter(void *q, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = NULL;
    Json *o, *value;

    if (!split(args, 2, &words, "migrate_set_parameter parameter value", error))
        return false;
    value = json_read(words[1]);
    o = json_object_new_object();
    json_object_object_add(o, words[0], value ? value : json_object_new_string(words[1]));
    return is_done(text_ask(q, "migrate-set-parameters", o, error));
}

static bool info_nothing(void *q, const char *args, GString *out, GError **error)
{
    return true; /* there is none of it */
}

static bool info_generation(void *q, const char *args, GString *out, GError **error)
{
    Json *answer = text_ask(q, "query-vm-generation-id", NULL, error);

    if (answer)
        g_string_append_printf(out, "%s\n", json_text(answer, "guid", ""));
    return is_done(answer);
}

static bool info_trace_events(void *q, const char *args, GString *out, GError **error)
{
    for (unsigned e = 0; e < TRACE_EVENTS; e++)
        if (g_pattern_match_simple(*args ? args : "*", trace_name(e)))
            g_string_append_printf(out, "%s : state %d\n", trace_name(e), trace_on[e]);
    return true;
}

static bool info_usb(void *q, const char *args, GString *out, GError **error)
{
    error_set(error, "USB support not enabled");
    return false;
}

static bool info_dump(void *q, const char *args, GString *out, GError **error)
{
    g_string_append(out, "Status: none\n"); /* likewise */
    return true;
}

/* clang-format off */
const MonitorExtra text_commands[] = {
    {"qom-list", "[path]",              "what an object has",             qom_list},
    {"qom-get",  "path property",       "a property of an object",        qom_get},
    {"qom-set",  "path property value", "give a property another value",  qom_set},
    {"migrate_set_capability", "capability on|off", "how the state is written", set_capability},
    {"migrate_set_parameter", "parameter value", "likewise",                   set_parameter},
    {.more = text_host_commands},
};

const MonitorExtra text_topics[] = {
    {"qom-tree",             "[path]", "the tree of objects",             qom_tree},
    {"qtree",                "", "buses and their devices",           text_info_qtree},
    {"block",                "[-n] [-v] [device]", "disks and their images (-n: by node, -v: all of it)", text_info_block},
    {"blockstats",           "", "what was done to disks",                text_info_blockstats},
    {"block-jobs",           "", "work on disks that goes on",            text_info_block_jobs},
    {"iothreads",            "", "-object iothread",                      info_iothreads},
    {"memdev",               "", "what memory is made of",                info_memdev},
    {"memory-devices",       "", "memory that was plugged in",            info_nothing},
    {"dump",                 "", "how dump-guest-memory goes",            info_dump},
    {"tpm",                  "", "trusted platform modules",              info_nothing},
    {"usb",                  "", "USB devices",                           info_usb},
    {"trace-events",         "[name]", "events to trace (-trace)", info_trace_events},
    {"vm-generation-id",     "", "which of the machine's generations this is (vmgenid)", info_generation},
    {"migrate_capabilities", "", "how the state is written",              info_capabilities},
    {"migrate_parameters",   "", "likewise",                              info_parameters},
    {NULL},
};
/* clang-format on */

Qmp *text_begin(const QmpWorld *w)
{
    Qmp *q = qmp_new(w, NULL, false);

    monitor_set_extras(w->mon, text_commands, text_topics, q);
    return q;
}
