/* SPDX-License-Identifier: MIT */
#include "softmmu/program/console.h"

#include <stdio.h>
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/main-call.h"

static void quit_key(void *opaque)
{
    machine_request_quit(opaque, 0);
}

static void clear_chardev(void *p)
{
    MonitorChardev *c = p;

    g_free(c->label);
    g_free(c->spec);
}

static void enlist(Console *c, const char *label, const char *spec, Chardev *chr)
{
    MonitorChardev listed = { g_strdup(label), g_strdup(spec), chr };

    g_array_append_val(c->chardevs, listed);
}

/* Several may have what is written to @base. */
static Chardev *share(Console *c, Chardev *base, Machine *m)
{
    Chardev *mux = chardev_new_mux(base, quit_key, m);

    g_ptr_array_remove(c->owned, base);
    g_ptr_array_add(c->owned, mux);
    if (c->escape_key)
        chardev_mux_set_escape(mux, c->escape_key);
    return mux;
}

static Chardev *find_mux(const Console *c, const char *id)
{
    return id ? g_hash_table_lookup(c->muxes, id) : NULL;
}

/* Open @device for the option and label that the user knows it by, or by its own id; "none" is NULL
 * without error. */
static bool open_device(Console *c, const char *device, const char *option, const char *label,
                        Machine *m, Chardev **chr, GError **error)
{
    const char *id = options_device_id(device);
    const char *spec = options_device_spec(c->options, device);
    const ChardevOption *named = id ? options_find_chardev(c->options, id) : NULL;

    if (named)
        id = named->id; /* which lasts */
    *chr = find_mux(c, id) ? chardev_mux_port(find_mux(c, id)) : NULL;
    if (*chr || !strcmp(spec, "none"))
        return true;
    if (id && !g_hash_table_add(c->in_use, (char *)id)) {
        error_set(error, "-%s %s: that device is in use already", option, device);
        return false;
    }
    if (id && g_str_has_prefix(device, "mon:") && !strcmp(spec, "stdio"))
        spec = "mon:stdio"; /* that one has its own terminal mode */
    *chr = chardev_new(spec, m->input, error);
    if (!*chr) {
        g_prefix_error(error, "-%s %s: ", option, spec);
        return false;
    }
    label = id ? id : label;
    g_ptr_array_add(c->owned, *chr);
    enlist(c, label, spec, *chr);
    if (chardev_pty_name(*chr))
        fprintf(stderr, "char device redirected to %s (label %s)\n", chardev_pty_name(*chr), label);
    if (chardev_waits_at(*chr))
        fprintf(stderr, "mimus: waiting for connection on: %s\n", chardev_waits_at(*chr));
    if (!chardev_wait(*chr, error))
        return false;
    if (named && named->mux) {
        g_hash_table_insert(c->muxes, named->id, share(c, *chr, m));
        *chr = chardev_mux_port(find_mux(c, id));
    }
    return true;
}

/* "mon:DEV": this port and the monitor share DEV. */
static bool share_with_monitor(Console *c, const char *spec, const char *label, Machine *m,
                               Chardev **chr, GError **error)
{
    Chardev *mux;

    if (c->monitor) {
        error_set(error, "-serial %s: another serial port has the monitor", spec);
        return false;
    }
    if (strcmp(spec, "mon:stdio") && !options_device_id(spec))
        spec += strlen("mon:");
    if (!open_device(c, spec, "serial", label, m, chr, error) || !*chr)
        return false;
    mux = find_mux(c, options_device_id(spec));
    if (!mux) {
        mux = share(c, *chr, m);
        *chr = chardev_mux_port(mux);
    }
    c->monitor = chardev_mux_port(mux);
    return true;
}

/* A recording's file is not trusted, and nobody is to connect: of a replay the terminal is shown.
 */
static const char *replay_spec(bool mute, const char *spec, const char *label)
{
    if (mute)
        return "null";
    if (!strcmp(spec, "stdio") || !strcmp(spec, "mon:stdio") || !strcmp(spec, "null") ||
        g_str_has_prefix(spec, "ringbuf:"))
        return spec;
    fprintf(stderr, "mimus: replay: the output of %s, which went to '%s', is not shown\n", label,
            spec);
    return "null";
}

/* … of a @device of the options. */
static const char *replay_device(const Options *o, const char *device, const char *label)
{
    bool shared = g_str_has_prefix(device, "mon:") && options_device_id(device);
    const char *spec = options_device_spec(o, device);

    const char *id = options_device_id(device);
    const ChardevOption *named = id ? options_find_chardev(o, id) : NULL;
    const char *kept =
        replay_spec(o->mute, shared && !strcmp(spec, "stdio") ? "mon:stdio" : spec, label);

    return named && named->mux && strcmp(kept, "null") ? device : kept; /* shared then as well */
}

static bool open_serial(Console *c, const Options *o, unsigned n, Machine *m, GError **error)
{
    g_autofree char *label = g_strdup_printf("serial%u", n);
    const char *spec = o->serials->pdata[n];
    bool good;

    if (input_is_replaying(m->input) && strcmp(spec, "none"))
        spec = replay_device(o, spec, label);
    if (g_str_has_prefix(spec, "mon:"))
        good = share_with_monitor(c, spec, label, m, &m->serial[n], error);
    else
        good = open_device(c, spec, "serial", label, m, &m->serial[n], error);
    chardev_set_label(m->serial[n], label);
    machine_keep_chardev(m, label, m->serial[n]);
    return good;
}

/* A device of one character back end, where @spec asks for it (NULL: it does not). */
static bool open_one(Console *c, const Options *o, const char *spec, const char *label, Machine *m,
                     Chardev **chr, GError **error)
{
    if (!spec)
        return true;
    if (input_is_replaying(m->input) && strcmp(spec, "none"))
        spec = replay_device(o, spec, label);
    if (!open_device(c, spec, label, label, m, chr, error))
        return false;
    chardev_set_label(*chr, label);
    machine_keep_chardev(m, label, *chr);
    return true;
}

/* Those that nobody has yet: for devices that -device or the monitor makes, which name them. */
static bool open_others(Console *c, const Options *o, Machine *m, GError **error)
{
    m->chardevs = c->by_id;
    for (unsigned i = 0; i < o->chardevs->len; i++) {
        const ChardevOption *option = o->chardevs->pdata[i];
        g_autofree char *device = g_strconcat("chardev:", option->id, NULL);
        const char *spec = device;
        Chardev *chr;

        if ((g_hash_table_contains(c->in_use, option->id) && !find_mux(c, option->id)) ||
            (o->gdb && !strcmp(o->gdb, device)))
            continue;
        if (input_is_replaying(m->input))
            spec = replay_device(o, spec, option->id);
        if (!open_device(c, spec, "chardev", option->id, m, &chr, error))
            return false;
        chardev_set_label(chr, option->id);
        machine_keep_chardev(m, option->id, chr);
        g_hash_table_insert(c->by_id, g_strdup(option->id), chr);
    }
    return true;
}

static bool open_monitor(Console *c, const char *spec, Machine *m, GError **error)
{
    if (!strcmp(spec, "none"))
        return true;
    if (c->monitor) {
        error_set(error, "-monitor %s: a serial port has it already (mon:)", spec);
        return false;
    }
    return open_device(c, spec, "monitor", "compat_monitor0", m, &c->monitor, error);
}

static guint find_listed(const Console *c, const char *id)
{
    guint i = 0;

    while (i < c->chardevs->len && strcmp(g_array_index(c->chardevs, MonitorChardev, i).label, id))
        i++;
    return i;
}

static bool open_monitors(Console *c, const Options *o, Machine *m, GError **error)
{
    guint first = c->chardevs->len;

    for (unsigned i = 0; i < o->monitors->len && !o->mute; i++) {
        const MonitorOption *option = o->monitors->pdata[i];
        ConsoleMonitor mon = { NULL, option->control, option->pretty };
        g_autofree char *label =
            g_strdup_printf("compat_monitor%u", i + (find_listed(c, "compat_monitor0") < first));

        if (!open_device(c, option->device, option->control ? "qmp" : "monitor", label, m, &mon.chr,
                         error))
            return false;
        if (mon.chr)
            g_array_append_val(c->monitors, mon);
    }
    return true;
}

bool console_open(Console *c, const Options *o, Machine *m, GError **error)
{
    *c = (Console){ .options = o,
                    .owned = g_ptr_array_new(),
                    .escape_key = o->escape_key,
                    .monitors = g_array_new(FALSE, FALSE, sizeof(ConsoleMonitor)),
                    .in_use = g_hash_table_new(g_str_hash, g_str_equal),
                    .muxes = g_hash_table_new(g_str_hash, g_str_equal),
                    .by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                    .chardevs = g_array_new(FALSE, FALSE, sizeof(MonitorChardev)) };
    g_array_set_clear_func(c->chardevs, clear_chardev);
    for (unsigned i = 0; i < o->serials->len; i++) {
        if (!open_serial(c, o, i, m, error))
            return false;
    }
    return open_monitor(c, o->monitor, m, error) && open_monitors(c, o, m, error) &&
           open_one(c, o, o->debugcon, "debugcon", m, &m->debugcon, error) &&
           open_one(c, o, o->parallel, "parallel", m, &m->parallel, error) &&
           open_others(c, o, m, error);
}

bool console_open_gdb(Console *c, const Options *o, Machine *m, GError **error)
{
    const char *id = o->gdb ? options_device_id(o->gdb) : NULL;

    if (o->gdb && !open_device(c, o->gdb, "gdb", "gdb", m, &c->gdb, error))
        return false;
    c->gdb_lent = id;
    if (id)
        g_hash_table_insert(c->by_id, g_strdup(id), c->gdb);
    return true;
}

/* ---- While the machine runs ------------------------------------------------------------------ */

typedef struct DeviceCall {
    const char *spec;
    Machine *m;
    Chardev *chr;
    GError *error;
} DeviceCall;

static void open_on_main(void *opaque)
{
    DeviceCall *c = opaque;

    c->chr = chardev_new(c->spec, c->m->input, &c->error);
}

static void free_on_main(void *opaque)
{
    chardev_free(((DeviceCall *)opaque)->chr);
}

static void delist(Console *c, const Chardev *chr)
{
    guint i = 0;

    while (g_array_index(c->chardevs, MonitorChardev, i).chr != chr)
        i++;
    g_array_remove_index(c->chardevs, i);
}

bool console_may_add(const Console *c, const ChardevOption *option, GError **error)
{
    if (find_listed(c, option->id) < c->chardevs->len)
        error_set(error, "Chardev with id '%s' already exists", option->id);
    else if (option->mux || strstr(option->spec, "wait=on") || strstr(option->spec, "stdio"))
        error_set(error, "%s is for the command line",
                  option->mux                     ? "mux=on"
                  : strstr(option->spec, "stdio") ? "stdio"
                                                  : "wait=on");
    else
        return true;
    return false;
}

Chardev *console_open_one(Console *c, const ChardevOption *option, Machine *m, GError **error)
{
    const char *spec = machine_is_replaying(m)
                           ? replay_spec(c->options->mute, option->spec, option->id)
                           : option->spec;
    DeviceCall call = { spec, m };

    main_call(open_on_main, &call);
    if (!call.chr) {
        g_propagate_error(error, call.error);
        return NULL;
    }
    g_ptr_array_add(c->owned, call.chr);
    machine_keep_chardev(m, option->id, call.chr);
    return call.chr;
}

void console_put(Console *c, const ChardevOption *option, Chardev *chr)
{
    enlist(c, option->id, option->spec, chr);
    chardev_set_label(chr, option->id);
    g_hash_table_insert(c->by_id, g_strdup(option->id), chr);
}

Chardev *console_find(const Console *c, const char *id, GError **error)
{
    Chardev *chr = g_hash_table_lookup(c->by_id, id);

    if (find_listed(c, id) == c->chardevs->len)
        error_set(error, "Chardev '%s' not found", id);
    else if (!chr || chardev_is_connected(chr))
        error_set(error, "Chardev '%s' is busy", id);
    else
        return chr;
    return NULL;
}

void console_take(Console *c, const char *id)
{
    Chardev *chr = g_hash_table_lookup(c->by_id, id);

    if (!chr)
        return;
    g_hash_table_remove(c->by_id, id);
    chardev_set_label(chr, "");
    delist(c, chr);
}

void console_close_one(Console *c, Chardev *chr, Machine *m)
{
    DeviceCall call = { .chr = chr };

    g_ptr_array_remove(c->owned, chr);
    machine_forget_chardev(m, chr);
    chardev_close_channels(chr);
    main_call(free_on_main, &call);
}

/* A -chardev stays, for whoever may want it. */
static void leave_gdb(Console *c, Machine *m)
{
    Chardev *old = g_steal_pointer(&c->gdb);

    if (!old || c->gdb_lent)
        return;
    delist(c, old);
    console_close_one(c, old, m);
}

bool console_reopen_gdb(Console *c, const char *device, Machine *m, GError **error)
{
    const char *id = device ? options_device_id(device) : NULL;
    DeviceCall call = { device, m };
    Chardev *lent = id ? console_find(c, id, error) : NULL;

    if (id && !lent)
        return false;
    if (device && !id && (strstr(device, "wait=on") || g_str_has_prefix(device, "stdio"))) {
        error_set(error, "'%s' is for the command line", device);
        return false;
    }
    leave_gdb(c, m);
    c->gdb_lent = lent;
    c->gdb = lent;
    if (!device || lent)
        return true;
    main_call(open_on_main, &call);
    if (!call.chr) {
        g_propagate_error(error, call.error);
        return false;
    }
    c->gdb = call.chr;
    g_ptr_array_add(c->owned, call.chr);
    enlist(c, "gdb", device, call.chr);
    return true;
}

void console_close(Console *c)
{
    if (!c->owned)
        return;
    for (unsigned i = 0; i < c->owned->len; i++)
        chardev_free(c->owned->pdata[i]);
    g_ptr_array_unref(c->owned);
    g_hash_table_unref(c->by_id);
    g_hash_table_unref(c->in_use);
    g_hash_table_unref(c->muxes);
    g_array_unref(c->monitors);
    g_array_unref(c->chardevs);
    *c = (Console){ 0 };
}
