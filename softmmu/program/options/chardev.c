/* SPDX-License-Identifier: MIT */
/* -chardev: each type is turned into the words in which -serial names the same device. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

typedef struct ChardevType {
    const char *name;
    char *(*spec)(GHashTable *keys, GError **error);
    const char *keys; /* words: what it knows beside those of all types */
} ChardevType;

static const char *get(GHashTable *keys, const char *key, const char *fallback)
{
    const char *value = g_hash_table_lookup(keys, key);

    return value ? value : fallback;
}

static char *bare_spec(GHashTable *keys, GError **error)
{
    return g_strdup(get(keys, "backend", NULL));
}

/* "TYPE:PATH" */
static char *path_spec(GHashTable *keys, GError **error)
{
    const char *path = get(keys, "path", NULL);

    if (path)
        return g_strdup_printf("%s:%s", get(keys, "backend", NULL), path);
    error_set(error, "path is needed");
    return NULL;
}

static char *file_spec(GHashTable *keys, GError **error)
{
    g_autofree char *plain = path_spec(keys, error);
    bool append;

    if (!plain || !parse_switch(get(keys, "append", "off"), &append, error))
        return NULL;
    return append ? g_strconcat(plain, ",append=on", NULL) : g_steal_pointer(&plain);
}

static char *tty_spec(GHashTable *keys, GError **error)
{
    const char *path = get(keys, "path", NULL);

    if (path)
        return g_strconcat("serial:", path, NULL);
    error_set(error, "path is needed");
    return NULL;
}

static char *ringbuf_spec(GHashTable *keys, GError **error)
{
    uint64_t size;

    if (!parse_size(get(keys, "size", "64K"), 1, &size, error))
        return NULL;
    return g_strdup_printf("ringbuf:%" G_GUINT64_FORMAT, size);
}

/* Whatever the name of a host stands for is used, the first that answers: one version alone cannot
 * be asked for, except by an address. */
static bool check_versions(GHashTable *keys, GError **error)
{
    static const char *const names[] = { "ipv4", "ipv6" };
    bool on = true;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!parse_switch(get(keys, names[i], "on"), &on, error))
            return false;
        if (!on)
            error_set(error, "%s=off is not supported; give an address as host", names[i]);
        if (!on)
            return false;
    }
    return true;
}

/* The address, with its kind; NULL with @error. */
static char *socket_address(GHashTable *keys, GError **error)
{
    const char *path = get(keys, "path", NULL), *fd = get(keys, "fd", NULL);
    const char *port = get(keys, "port", NULL), *host = get(keys, "host", "");
    bool telnet;

    if (!parse_switch(get(keys, "telnet", "off"), &telnet, error))
        return NULL;
    if (telnet && !port)
        error_set(error, "telnet: only with host and port");
    else if (!!path + !!fd + !!port != 1)
        error_set(error, "one of path, fd, or host and port is needed");
    else if (path)
        return g_strconcat("unix:", path, NULL);
    else if (!check_versions(keys, error))
        return NULL;
    else if (fd)
        return g_strconcat("fd:", fd, NULL);
    else
        return g_strdup_printf("%s:%s%s%s:%s", telnet ? "telnet" : "tcp",
                               strchr(host, ':') ? "[" : "", host, strchr(host, ':') ? "]" : "",
                               port);
    return NULL;
}

static char *socket_spec(GHashTable *keys, GError **error)
{
    static const char *const passed[] = { "server", "wait", "reconnect", "nodelay" };
    g_autofree char *where = socket_address(keys, error);
    g_autoptr(GString) spec = g_string_new(where);
    bool delay;

    if (!where || !parse_switch(get(keys, "delay", "off"), &delay, error))
        return NULL;
    if (delay) {
        error_set(error, "delay=on is not supported: what is written is sent at once");
        return NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(passed); i++)
        if (get(keys, passed[i], NULL))
            g_string_append_printf(spec, ",%s=%s", passed[i], get(keys, passed[i], NULL));
    if (get(keys, "nowait", NULL)) /* the old word */
        g_string_append(spec, ",wait=off");
    return g_strdup(spec->str);
}

static char *udp_spec(GHashTable *keys, GError **error)
{
    const char *port = get(keys, "port", NULL);

    if (port)
        return g_strdup_printf("udp:%s:%s@%s:%s", get(keys, "host", ""), port,
                               get(keys, "localaddr", ""), get(keys, "localport", ""));
    error_set(error, "port is needed");
    return NULL;
}

static const ChardevType types[] = {
    { "null", bare_spec, "" },
    { "stdio", bare_spec, "signal" },
    { "pty", bare_spec, "" },
    { "file", file_spec, "path append" },
    { "pipe", path_spec, "path" },
    { "serial", tty_spec, "path" },
    { "tty", tty_spec, "path" }, /* of old */
    { "ringbuf", ringbuf_spec, "size" },
    { "memory", ringbuf_spec, "size" }, /* of old */
    { "socket", socket_spec,
      "path fd host port telnet server wait nowait reconnect nodelay delay ipv4 ipv6" },
    { "udp", udp_spec, "host port localaddr localport" },
};

static const char common_keys[] = "backend id mux logfile logappend";

static const ChardevType *find_type(const char *name, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (name && !strcmp(types[i].name, name))
            return &types[i];
    if (name && !strcmp(name, "vc")) {
        error_set(error, "there are no text consoles on screens; use pty, file, socket or stdio");
        return NULL;
    }
    error_set(error, "%s%s%s (-chardev help lists them)", name ? "'" : "",
              name ? name : "a type is needed", name ? "' is not a supported type" : "");
    return NULL;
}

static bool has_word(const char *words, const char *word)
{
    g_auto(GStrv) list = g_strsplit(words, " ", -1);

    return g_strv_contains((const char *const *)list, word);
}

static bool check_keys(const ChardevType *type, GHashTable *keys, GError **error)
{
    GHashTableIter iter;
    void *key;

    g_hash_table_iter_init(&iter, keys);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (has_word(common_keys, key) || has_word(type->keys, key))
            continue;
        error_set(error, "parameter '%s' is not supported", (char *)key);
        return false;
    }
    return true;
}

const ChardevOption *options_find_chardev(const Options *o, const char *id)
{
    for (unsigned i = 0; i < o->chardevs->len; i++) {
        const ChardevOption *c = o->chardevs->pdata[i];

        if (!strcmp(c->id, id))
            return c;
    }
    return NULL;
}

const char *options_device_id(const char *device)
{
    if (g_str_has_prefix(device, "mon:"))
        device += strlen("mon:");
    return g_str_has_prefix(device, "chardev:") ? device + strlen("chardev:") : NULL;
}

const char *options_device_spec(const Options *o, const char *device)
{
    const char *id = options_device_id(device);
    const ChardevOption *c = id ? options_find_chardev(o, id) : NULL;

    return c ? c->spec : device;
}

static bool check_id(const Options *o, const char *id, GError **error)
{
    if (!id)
        error_set(error, "id is needed");
    else if (!device_check_id(id, error))
        ;
    else if (options_find_chardev(o, id))
        error_set(error, "there is another character device with id '%s'", id);
    else
        return true;
    return false;
}

/* What its output goes to as well, behind the words of the type. */
static char *add_log(GHashTable *keys, char *spec, GError **error)
{
    const char *file = get(keys, "logfile", NULL);
    g_autofree char *plain = spec;
    bool append;

    if (!spec || !parse_switch(get(keys, "logappend", "off"), &append, error))
        return NULL;
    if (file && strchr(file, ',')) {
        error_set(error, "logfile: a name with a comma is not supported");
        return NULL;
    }
    return file ? g_strdup_printf("%s,logfile=%s,logappend=%s", plain, file, append ? "on" : "off")
                : g_steal_pointer(&plain);
}

static bool check_switches(GHashTable *keys, bool *mux, GError **error)
{
    bool signal;

    if (!parse_switch(get(keys, "mux", "off"), mux, error) ||
        !parse_switch(get(keys, "signal", "on"), &signal, error))
        return false;
    if (signal || *mux)
        return true;
    error_set(error, "signal=off is only supported together with mux=on");
    return false;
}

void options_each_chardev_type(void (*f)(void *opaque, const char *type), void *opaque)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        f(opaque, types[i].name);
}

static void print_types(Options *o)
{
    options_answer(o, ANSWER_TEXT);
    g_string_append(o->answer, "Available chardev backend types:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        g_string_append_printf(o->answer, "  %s\n", types[i].name);
}

bool opt_chardev(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) keys = keyval_table(arg, "backend");
    const char *name = get(keys, "backend", NULL);
    const ChardevType *type;
    ChardevOption *option;
    bool mux;
    char *spec;

    if (name && is_help(name)) {
        print_types(o);
        return true;
    }
    type = find_type(name, error);
    if (!type || !check_keys(type, keys, error) || !check_id(o, get(keys, "id", NULL), error) ||
        !check_switches(keys, &mux, error))
        return false;
    spec = add_log(keys, type->spec(keys, error), error);
    if (!spec)
        return false;
    option = g_new(ChardevOption, 1);
    *option = (ChardevOption){ g_strdup(get(keys, "id", NULL)), spec, mux, g_strdup(arg) };
    g_ptr_array_add(o->chardevs, option);
    return true;
}
