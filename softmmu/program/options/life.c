/* SPDX-License-Identifier: MIT */
/*
 * Options of the process and of its end, and those that stand for others: -action, -global, -set,
 * -readconfig.
 */
#include <stdio.h>
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

/* ---- -uuid, -pidfile, -daemonize, -msg ------------------------------------------------------- */

bool options_parse_uuid(const char *text, uint8_t uuid[16])
{
    unsigned n = 0;

    if (strlen(text) != 36)
        return false;
    for (unsigned i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : g_ascii_xdigit_value(text[i]) < 0)
            return false;
        if (!dash && n++ % 2)
            uuid[n / 2 - 1] = uuid[n / 2 - 1] << 4 | g_ascii_xdigit_value(text[i]);
        else if (!dash)
            uuid[n / 2] = g_ascii_xdigit_value(text[i]);
    }
    return true;
}

bool opt_uuid(Options *o, const char *arg, GError **error)
{
    uint8_t uuid[16];

    if (!options_parse_uuid(arg, uuid)) {
        error_set(error, "not a UUID, as 12345678-9abc-def0-1234-56789abcdef0");
        return false;
    }
    memcpy(o->config.uuid_bytes, uuid, sizeof(uuid));
    g_free(o->config.uuid);
    o->config.uuid = g_ascii_strdown(arg, -1);
    return true;
}

bool opt_pidfile(Options *o, const char *arg, GError **error)
{
    g_free(o->pidfile);
    o->pidfile = g_strdup(arg);
    return true;
}

bool opt_daemonize(Options *o, const char *arg, GError **error)
{
    return o->daemonize = true;
}

static bool msg_timestamp(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Options *)ctx)->timestamps, error);
}

static bool overcommit_lock(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Options *)ctx)->lock_memory, error);
}

static bool overcommit_cpu(void *ctx, const char *value, GError **error)
{
    bool on;

    if (!parse_switch(value, &on, error))
        return false;
    if (on)
        error_set(error, "only 'off' is supported: the guest's CPUs do not own the host's");
    return !on;
}

/* System calls are not filtered: what of it is asked for is said not to be there. */
bool opt_sandbox(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) pairs = keyval_table(arg, "enable");

    if (!parse_switch(g_hash_table_lookup(pairs, "enable"), &o->sandboxed, error))
        return false;
    if (o->sandboxed)
        options_warn("-sandbox: this process gains no rights by what it runs; its system calls are "
                     "not filtered");
    return true;
}

/* Who is who is looked for when all has been opened: process_become(). */
bool opt_runas(Options *o, const char *arg, GError **error)
{
    g_free(o->run_as);
    o->run_as = g_strdup(arg);
    return true;
}

/* No sound: the one back end that there is. */
bool opt_audiodev(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) pairs = keyval_table(arg, "driver");
    const char *driver = g_hash_table_lookup(pairs, "driver");

    if (is_help(arg)) {
        options_answer(o, ANSWER_TEXT);
        g_string_append(o->answer, "Available audio drivers:\nnone\n");
        return true;
    }
    if (!g_strcmp0(driver, "none"))
        return true;
    error_set(error, "sound is not modelled yet; none is");
    return false;
}

bool opt_overcommit(Options *o, const char *arg, GError **error)
{
    static const KeyRow keys[] = { { "mem-lock", overcommit_lock },
                                   { "cpu-pm", overcommit_cpu },
                                   { NULL, NULL } };

    return keyval_apply(arg, NULL, keys, o, error);
}

bool opt_msg(Options *o, const char *arg, GError **error)
{
    static const KeyRow keys[] = { { "timestamp", msg_timestamp }, { NULL, NULL } };

    return keyval_apply(arg, NULL, keys, o, error);
}

/* ---- -action --------------------------------------------------------------------------------- */

/* @value: the word for no and the one for yes. */
static bool choose(bool *field, const char *value, const char *no, const char *yes, GError **error)
{
    *field = !strcmp(value, yes);
    if (*field || !strcmp(value, no))
        return true;
    error_set(error, "'%s' is not %s or %s", value, no, yes);
    return false;
}

static bool action_reboot(void *ctx, const char *value, GError **error)
{
    return choose(&((MachineActions *)ctx)->no_reboot, value, "reset", "shutdown", error);
}

static bool action_shutdown(void *ctx, const char *value, GError **error)
{
    return choose(&((MachineActions *)ctx)->no_shutdown, value, "poweroff", "pause", error);
}

/* The place of @value among @names, which NULL ends; -1 with @error. */
static int choose_of(const char *const *names, const char *value, GError **error)
{
    g_autofree char *all = g_strjoinv(", ", (char **)names);

    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], value))
            return i;
    error_set(error, "'%s' is none of %s", value, all);
    return -1;
}

static bool action_panic(void *ctx, const char *value, GError **error)
{
    static const char *const names[] = { [PANIC_SHUTDOWN] = "shutdown",
                                         [PANIC_PAUSE] = "pause",
                                         [PANIC_EXIT_FAILURE] = "exit-failure",
                                         [PANIC_NONE] = "none",
                                         NULL };
    int chosen = choose_of(names, value, error);

    ((MachineActions *)ctx)->panic = MAX(chosen, 0);
    return chosen >= 0;
}

static bool action_watchdog(void *ctx, const char *value, GError **error)
{
    int chosen = choose_of(watchdog_action_names, value, error);

    ((MachineActions *)ctx)->watchdog = MAX(chosen, 0);
    return chosen >= 0;
}

bool opt_watchdog_action(Options *o, const char *arg, GError **error)
{
    return action_watchdog(&o->config.actions, arg, error);
}

bool options_set_actions(MachineActions *actions, const char *arg, GError **error)
{
    static const KeyRow keys[] = { { "reboot", action_reboot },
                                   { "shutdown", action_shutdown },
                                   { "panic", action_panic },
                                   { "watchdog", action_watchdog },
                                   { NULL, NULL } };

    return keyval_apply(arg, NULL, keys, actions, error);
}

bool opt_action(Options *o, const char *arg, GError **error)
{
    return options_set_actions(&o->config.actions, arg, error);
}

/* ---- -global, -set --------------------------------------------------------------------------- */

/* "driver=D,property=P,value=V" in the short form; NULL: it is not that. */
static char *shorten_global(const char *arg)
{
    g_autoptr(GHashTable) pairs = keyval_table(arg, NULL);
    const char *driver = g_hash_table_lookup(pairs, "driver");
    const char *property = g_hash_table_lookup(pairs, "property");
    const char *value = g_hash_table_lookup(pairs, "value");

    return driver && property && value && g_hash_table_size(pairs) == 3
               ? g_strdup_printf("%s.%s=%s", driver, property, value)
               : NULL;
}

bool opt_global(Options *o, const char *arg, GError **error)
{
    g_autofree char *whole = g_str_has_prefix(arg, "driver=") ? shorten_global(arg) : NULL;
    const char *dot = strchr(arg, '.'), *equals = dot ? strchr(dot, '=') : NULL;

    if (whole) {
        g_ptr_array_add(o->globals, g_steal_pointer(&whole));
        return true;
    }
    if (!dot || !equals || dot == arg || equals == dot + 1) {
        error_set(error, "DRIVER.PROPERTY=VALUE is needed");
        return false;
    }
    g_ptr_array_add(o->globals, g_strdup(arg));
    return true;
}

/* Of -device what its driver's -global says, unless it says so itself. */
static bool apply_global(Options *o, const char *text)
{
    const char *dot = strchr(text, '.'), *equals = strchr(dot, '=');
    g_autofree char *driver = g_strndup(text, dot - text);
    g_autofree char *property = g_strndup(dot + 1, equals - dot - 1);
    bool used = false;

    for (guint i = 0; i < o->config.devices->len; i++) {
        DeviceOption *d = o->config.devices->pdata[i];

        if (strcmp(d->driver, driver))
            continue;
        used = true;
        if (!g_hash_table_contains(d->props, property))
            g_hash_table_insert(d->props, g_strdup(property), g_strdup(equals + 1));
    }
    return used;
}

void options_apply_globals(Options *o)
{
    for (guint i = 0; i < o->globals->len; i++) {
        const char *text = o->globals->pdata[i];

        if (!apply_global(o, text) && !o->config.replaying)
            options_warn("global %s: no -device of that driver uses it", text);
    }
}

bool opt_set(Options *o, const char *arg, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(arg, ".", 3);
    char *equals = g_strv_length(parts) == 3 ? strchr(parts[2], '=') : NULL;

    if (!equals || strcmp(parts[0], "device")) {
        error_set(error, "device.ID.PROPERTY=VALUE is needed");
        return false;
    }
    *equals = 0;
    for (guint i = 0; i < o->config.devices->len; i++) {
        DeviceOption *d = o->config.devices->pdata[i];
        const char *id = g_hash_table_lookup(d->props, "id");

        if (!id || strcmp(id, parts[1]))
            continue;
        g_hash_table_replace(d->props, g_strdup(parts[2]), g_strdup(equals + 1));
        return true;
    }
    error_set(error, "there is no device '%s'", parts[1]);
    return false;
}

/* ---- -readconfig ----------------------------------------------------------------------------- */

/* A section, the option it stands for, and the key that comes first in that without its name. */
static const struct {
    const char *section, *option, *first;
} sections[] = {
    { "device", "device", "driver" },
    { "drive", "drive", NULL },
    { "chardev", "chardev", "backend" },
    { "netdev", "netdev", "type" },
    { "machine", "machine", "type" },
    { "memory", "m", "size" },
    { "smp-opts", "smp", "cpus" },
    { "accel", "accel", "accel" },
    { "mon", "mon", NULL },
    { "boot-opts", "boot", NULL },
    { "name", "name", "guest" },
    { "rtc", "rtc", NULL },
    { "global", "global", NULL },
};

static void append_value(GString *out, const char *key, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);
    g_autofree char *escaped = g_strjoinv(",,", parts);

    g_string_append_printf(out, "%s%s%s%s", out->len ? "," : "", key ? key : "", key ? "=" : "",
                           escaped);
}

/* "[device "net0"]": its number in the table and its id. */
static int find_section(const char *line, char **id)
{
    g_auto(GStrv) parts = g_strsplit(line + 1, "\"", 3);
    g_autofree char *name = g_strndup(line + 1, strcspn(line + 1, " ]\""));

    *id = parts[0] && parts[1] ? g_strdup(parts[1]) : NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++)
        if (!strcmp(sections[i].section, name))
            return i;
    return -1;
}

typedef struct Config {
    Options *o;
    int section; /* -1: none yet */
    char *id;
    GString *first, *rest;
} Config;

static bool finish_section(Config *c, GError **error)
{
    g_autoptr(GString) arg = g_string_new(c->first->str);

    if (c->section < 0)
        return true;
    if (c->id)
        append_value(arg, "id", c->id);
    if (c->rest->len)
        g_string_append_printf(arg, "%s%s", arg->len ? "," : "", c->rest->str);
    g_string_truncate(c->first, 0);
    g_string_truncate(c->rest, 0);
    return options_apply(c->o, sections[c->section].option, arg->str, error);
}

/* 'key = "value"' */
static bool take_setting(Config *c, const char *line, GError **error)
{
    const char *equals = strchr(line, '='), *quote = equals ? strchr(equals, '"') : NULL;
    const char *end = quote ? strrchr(quote + 1, '"') : NULL;
    g_autofree char *key = NULL, *value = NULL;

    if (!end || c->section < 0) {
        error_set(error, "'%s' is no setting of a section: KEY = \"VALUE\"", line);
        return false;
    }
    key = g_strchomp(g_strndup(line, equals - line));
    value = g_strndup(quote + 1, end - quote - 1);
    if (sections[c->section].first && !strcmp(key, sections[c->section].first))
        append_value(c->first, NULL, value);
    else
        append_value(c->rest, key, value);
    return true;
}

static bool take_line(Config *c, char *line, GError **error)
{
    line = g_strstrip(line);
    if (!*line || *line == '#')
        return true;
    if (*line != '[')
        return take_setting(c, line, error);
    if (!finish_section(c, error))
        return false;
    g_clear_pointer(&c->id, g_free);
    c->section = find_section(line, &c->id);
    if (c->section < 0)
        error_set(error, "section %s is not supported", line);
    return c->section >= 0;
}

bool opt_readconfig(Options *o, const char *arg, GError **error)
{
    g_autoptr(GBytes) bytes = options_read_file(o->config.files, arg, error);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    Config c = { o, -1, NULL, NULL, NULL };
    bool good = true;

    if (!bytes)
        return false;
    text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    lines = g_strsplit(text, "\n", -1);
    c.first = g_string_new("");
    c.rest = g_string_new("");
    for (char **line = lines; *line && good; line++)
        good = take_line(&c, *line, error);
    good = good && finish_section(&c, error);
    g_string_free(c.first, TRUE);
    g_string_free(c.rest, TRUE);
    g_free(c.id);
    return good;
}
